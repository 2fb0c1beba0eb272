//! Which rules a chain follows.

use crate::CodeCache;
use alloc::vec::Vec;
use config::{BlobParams, L1Fork, Network};
use revm::primitives::hardfork::SpecId;

/// Blobs in one transaction from Osaka on (EIP-7594).
pub(crate) const OSAKA_BLOBS_PER_TX: u64 = 6;
/// Gas of one transaction from Osaka on (EIP-7825).
const OSAKA_TX_GAS_CAP: u64 = 1 << 24;

/// The rule set of one chain. Keep it in one `Arc`, so that analysed contracts are shared.
#[derive(Debug, Clone)]
pub enum Rules {
    /// An L1 chain.
    Ethereum(EthereumRules),
    /// Our L2.
    Rollup(RollupRules),
}

/// Ethereum's rules for blocks from Cancun on.
#[derive(Debug, Clone)]
pub struct EthereumRules {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Gas of every block.
    pub gas_limit: u64,
    /// Forks by time of activation, ascending; the first is active from the start.
    pub forks: Vec<(u64, L1Fork)>,
    /// Blob parameters by time, ascending.
    pub blob_schedule: Vec<BlobParams>,
    /// Analysed contracts.
    pub codes: CodeCache,
}

impl EthereumRules {
    /// One fork from the start.
    pub fn new(
        chain_id: u64,
        gas_limit: u64,
        fork: L1Fork,
        blob_schedule: Vec<BlobParams>,
    ) -> Self {
        Self {
            chain_id,
            gas_limit,
            forks: [(0, fork)].into(),
            blob_schedule,
            codes: CodeCache::default(),
        }
    }

    /// The fork at a time.
    pub fn fork(&self, timestamp: u64) -> L1Fork {
        self.forks
            .iter()
            .rev()
            .find(|(from, _)| *from <= timestamp)
            .or(self.forks.first())
            .map_or(L1Fork::Osaka, |f| f.1)
    }

    /// The blob parameters at a time. Without a schedule: Cancun's.
    pub fn blob_params(&self, timestamp: u64) -> BlobParams {
        const CANCUN: BlobParams = BlobParams {
            from_s: 0,
            target: 3,
            max: 6,
            update_fraction: 3_338_477,
        };
        self.blob_schedule
            .iter()
            .rev()
            .find(|p| p.from_s <= timestamp)
            .copied()
            .unwrap_or(CANCUN)
    }
}

/// The rules of our L2, from the network file.
#[derive(Debug, Clone)]
pub struct RollupRules {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Gas of every block.
    pub gas_limit: u64,
    /// Gas at which the base fee stands still.
    pub gas_target: u64,
    /// Gas of one signed transaction.
    pub tx_gas_cap: u64,
    /// Accepts transactions without a chain id.
    pub allow_unprotected: bool,
    /// The base fee never falls below this, wei.
    pub base_fee_floor: u64,
    /// The base fee moves by at most one part in this per block.
    pub base_fee_change_denominator: u64,
    /// Price of one ETH in thousandths of OPEN.
    pub milli_open_per_eth: u64,
    /// Upper bound of the data gas price, gas per byte.
    pub da_gas_per_byte_max: u64,
    /// Analysed contracts.
    pub codes: CodeCache,
}

impl RollupRules {
    /// The rules that a network file describes.
    pub fn new(network: &Network) -> Self {
        let (chain, fees) = (&network.chain, &network.fees);
        Self {
            chain_id: chain.id,
            gas_limit: chain.gas_limit,
            gas_target: chain.gas_target,
            tx_gas_cap: chain.tx_gas_cap,
            allow_unprotected: chain.allow_unprotected,
            base_fee_floor: fees.base_fee_floor_wei,
            base_fee_change_denominator: fees.base_fee_change_denominator,
            milli_open_per_eth: fees.milli_open_per_eth,
            da_gas_per_byte_max: fees.da_gas_per_byte_max,
            codes: CodeCache::default(),
        }
    }
}

impl Rules {
    /// EIP-155 chain id.
    pub fn chain_id(&self) -> u64 {
        match self {
            Self::Ethereum(rules) => rules.chain_id,
            Self::Rollup(rules) => rules.chain_id,
        }
    }

    /// Gas of every block.
    pub fn gas_limit(&self) -> u64 {
        match self {
            Self::Ethereum(rules) => rules.gas_limit,
            Self::Rollup(rules) => rules.gas_limit,
        }
    }

    /// Gas of one signed transaction at most.
    pub fn tx_gas_cap(&self, timestamp: u64) -> u64 {
        match self {
            Self::Ethereum(rules) if rules.fork(timestamp) < L1Fork::Osaka => u64::MAX,
            Self::Ethereum(_) => OSAKA_TX_GAS_CAP,
            Self::Rollup(rules) => rules.tx_gas_cap,
        }
    }

    pub(crate) fn codes(&self) -> &CodeCache {
        match self {
            Self::Ethereum(rules) => &rules.codes,
            Self::Rollup(rules) => &rules.codes,
        }
    }

    pub(crate) fn spec(&self, timestamp: u64) -> SpecId {
        match self {
            Self::Ethereum(rules) => match rules.fork(timestamp) {
                L1Fork::Cancun => SpecId::CANCUN,
                L1Fork::Prague => SpecId::PRAGUE,
                L1Fork::Osaka => SpecId::OSAKA,
            },
            Self::Rollup(_) => SpecId::OSAKA,
        }
    }

    /// Blobs in one transaction; `None` where blob transactions do not exist.
    pub(crate) fn blobs_per_tx(&self, timestamp: u64) -> Option<u64> {
        match self {
            Self::Ethereum(rules) if rules.fork(timestamp) < L1Fork::Osaka => {
                Some(rules.blob_params(timestamp).max)
            }
            Self::Ethereum(_) => Some(OSAKA_BLOBS_PER_TX),
            Self::Rollup(_) => None,
        }
    }
}
