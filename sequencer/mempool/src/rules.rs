//! What may be said about a transaction without looking at any state: type, size, gas, fees, chain.
//!
//! All of it runs before the signature is recovered, so that nonsense costs no recovery, and outside the lock.

use crate::PoolError;
use alloy_consensus::{Transaction as _, Typed2718};
use alloy_primitives::{Address, U256};
use config::L1Fork;
use primitives::{CheckedTx, Transaction};
use std::sync::Arc;
use stf::Rules;

/// Longest init code (EIP-3860).
pub const INIT_CODE_BYTES_MAX: usize = 49_152;

/// Limits of the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolLimits {
    /// Transactions that could run now.
    pub pending_max: usize,
    /// Transactions that wait for another nonce.
    pub queued_max: usize,
    /// Transactions of one sender, both kinds together.
    pub per_sender_max: usize,
    /// Transactions of one sender that wait for another nonce.
    pub queued_per_sender_max: usize,
    /// Encoded bytes of all transactions.
    pub bytes_max: usize,
    /// Encoded bytes of one transaction.
    pub tx_bytes_max: usize,
    /// A replacement raises both fees by at least this much.
    pub price_bump_percent: u8,
    /// A transaction that waits for another nonce leaves after this long.
    pub queued_lifetime_ms: u64,
    /// Least `maxPriorityFeePerGas`, wei.
    pub tip_min_wei: u128,
    /// Least `maxFeePerGas`, wei: the floor of the base fee, since less could wait for ever.
    pub fee_floor_wei: u128,
}

impl PoolLimits {
    /// What suits a sequencer of one gigabyte. `fee_floor_wei` is the network's base fee floor.
    pub const fn sequencer(fee_floor_wei: u128) -> Self {
        Self {
            // Ten seconds of the highest rate this machine reaches; about 100 MB with the indices.
            pending_max: 200_000,
            // Gaps come from clients that send in parallel; they close within a round trip.
            queued_max: 50_000,
            // Service accounts that pay for many users send in bursts.
            per_sender_max: 16_384,
            queued_per_sender_max: 1_024,
            bytes_max: 256 << 20,
            // geth's: four slots of 32 KiB.
            tx_bytes_max: 128 << 10,
            // geth's: a resend must cost more than the work of handling it.
            price_bump_percent: 10,
            // geth's: three hours.
            queued_lifetime_ms: 3 * 3600 * 1000,
            tip_min_wei: 0,
            fee_floor_wei,
        }
    }
}

/// Which transactions the chain takes at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolRules {
    /// EIP-155 id.
    pub chain_id: u64,
    /// Takes transactions without a chain id.
    pub allow_unprotected: bool,
    /// Most gas of one transaction (EIP-7825); `u64::MAX` where the fork has no cap.
    pub tx_gas_cap: u64,
    /// Gas of one block.
    pub block_gas_limit: u64,
    /// Takes type 3: an L1 does, the rollup does not.
    pub allow_blobs: bool,
    /// Takes type 4: from Prague on.
    pub allow_set_code: bool,
}

impl PoolRules {
    /// What a chain takes in the blocks after `timestamp`.
    pub fn of(rules: &Rules, timestamp: u64) -> Self {
        let (allow_unprotected, allow_blobs, allow_set_code) = match rules {
            Rules::Rollup(rules) => (rules.allow_unprotected, false, true),
            Rules::Ethereum(rules) => (true, true, rules.fork(timestamp) >= L1Fork::Prague),
        };
        Self {
            chain_id: rules.chain_id(),
            allow_unprotected,
            tx_gas_cap: rules.tx_gas_cap(timestamp),
            block_gas_limit: rules.gas_limit(),
            allow_blobs,
            allow_set_code,
        }
    }

    /// Checks all that needs neither the signature nor the state. `intrinsic` is what `stf` asks for at least.
    pub fn check(
        &self,
        limits: &PoolLimits,
        tx: &Transaction,
        size: usize,
        intrinsic: u64,
    ) -> Result<(), PoolError> {
        let allowed = match tx.ty() {
            0..=2 => true,
            3 => self.allow_blobs,
            4 => self.allow_set_code,
            _ => false,
        };
        ensure(allowed, || PoolError::TypeNotSupported)?;
        ensure(size <= limits.tx_bytes_max, || PoolError::Oversized {
            size,
            limit: limits.tx_bytes_max,
        })?;
        match tx.chain_id() {
            Some(have) => ensure(have == self.chain_id, || PoolError::ChainId {
                have,
                want: self.chain_id,
            })?,
            None => ensure(self.allow_unprotected, || PoolError::Unprotected)?,
        }
        let code = if tx.is_create() { tx.input().len() } else { 0 };
        ensure(code <= INIT_CODE_BYTES_MAX, || PoolError::InitCode {
            size: code,
            limit: INIT_CODE_BYTES_MAX,
        })?;
        let gas = tx.gas_limit();
        ensure(gas <= self.tx_gas_cap, || PoolError::GasCap {
            cap: self.tx_gas_cap,
            gas,
        })?;
        ensure(gas <= self.block_gas_limit, || PoolError::BlockGasLimit)?;
        let (max_fee, tip) = (tx.max_fee_per_gas(), tip(tx));
        ensure(tip <= max_fee, || PoolError::TipAboveFeeCap)?;
        ensure(tx.nonce() < u64::MAX, || PoolError::NonceMax)?;
        ensure(gas >= intrinsic, || PoolError::IntrinsicGas {
            gas,
            needed: intrinsic,
        })?;
        ensure(tip >= limits.tip_min_wei, || PoolError::TipTooLow {
            tip,
            needed: limits.tip_min_wei,
        })?;
        ensure(max_fee >= limits.fee_floor_wei, || PoolError::BelowFloor {
            max_fee,
            needed: limits.fee_floor_wei,
        })?;
        ensure(
            tx.authorization_list().is_none_or(|list| !list.is_empty()),
            || PoolError::NoAuthorization,
        )?;
        ensure(
            tx.blob_versioned_hashes()
                .is_none_or(|list| !list.is_empty()),
            || PoolError::NoBlobs,
        )
    }
}

fn ensure(holds: bool, error: impl FnOnce() -> PoolError) -> Result<(), PoolError> {
    if holds { Ok(()) } else { Err(error()) }
}

/// Most wei per gas that goes to the builder: the whole price for types 0 and 1.
fn tip(tx: &Transaction) -> u128 {
    tx.max_priority_fee_per_gas()
        .unwrap_or_else(|| tx.max_fee_per_gas())
}

/// A transaction with what the pool needs to know of it, worked out before the lock is taken.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub(crate) tx: Arc<CheckedTx>,
    pub(crate) nonce: u64,
    pub(crate) max_fee: u128,
    pub(crate) tip: u128,
    pub(crate) cost: U256,
    pub(crate) authorities: Box<[Address]>,
}

impl From<Arc<CheckedTx>> for Candidate {
    /// Recovers the authorities of a type 4 transaction: tens of microseconds each.
    fn from(tx: Arc<CheckedTx>) -> Self {
        let authorities = tx
            .tx
            .authorization_list()
            .unwrap_or_default()
            .iter()
            .filter_map(|authorization| authorization.recover_authority().ok())
            .collect();
        Self {
            nonce: tx.tx.nonce(),
            max_fee: tx.tx.max_fee_per_gas(),
            tip: tip(&tx.tx),
            cost: cost(&tx.tx),
            authorities,
            tx,
        }
    }
}

/// Most wei that `tx` can take from its sender. Saturates: no balance covers that.
fn cost(tx: &Transaction) -> U256 {
    let product = |gas: u64, fee: u128| U256::from(gas) * U256::from(fee);
    let gas = product(tx.gas_limit(), tx.max_fee_per_gas());
    let blobs = product(
        tx.blob_gas_used().unwrap_or(0),
        tx.max_fee_per_blob_gas().unwrap_or(0),
    );
    tx.value().saturating_add(gas).saturating_add(blobs)
}
