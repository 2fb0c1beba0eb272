//! The slots of the `L1Info` predeploy, which the state transition writes itself.
//!
//! Slot 0, from the lowest bit: number, timestamp, data gas per byte, queue entries consumed (64 bits each);
//! slot 1: L1 base fee; slot 2: L1 blob base fee; slot 3: L1 block hash (`contracts/src/l2/L1Info.sol`).

use crate::{StateError, StateReader};
use alloy_primitives::{B256, U256};
use primitives::{Anchor, predeploys::L1_INFO};

pub(crate) const SLOT_PACKED: U256 = U256::ZERO;
pub(crate) const SLOT_BASE_FEE: U256 = U256::from_limbs([1, 0, 0, 0]);
pub(crate) const SLOT_BLOB_BASE_FEE: U256 = U256::from_limbs([2, 0, 0, 0]);
pub(crate) const SLOT_HASH: U256 = U256::from_limbs([3, 0, 0, 0]);

/// What slot 0 holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Packed {
    /// L1 block number of the newest anchor.
    pub number: u64,
    /// Its time, seconds.
    pub timestamp: u64,
    /// L2 gas charged per byte of L1 data, in the block after this state.
    pub da_gas_per_byte: u64,
    /// L1 queue entries consumed so far.
    pub queue_consumed: u64,
}

impl From<U256> for Packed {
    fn from(word: U256) -> Self {
        let [number, timestamp, da_gas_per_byte, queue_consumed] = word.into_limbs();
        Self {
            number,
            timestamp,
            da_gas_per_byte,
            queue_consumed,
        }
    }
}

impl From<Packed> for U256 {
    fn from(packed: Packed) -> Self {
        Self::from_limbs([
            packed.number,
            packed.timestamp,
            packed.da_gas_per_byte,
            packed.queue_consumed,
        ])
    }
}

/// Slot 0 of a state.
pub fn packed<S: StateReader>(state: &S) -> Result<Packed, StateError> {
    Ok(state.storage(L1_INFO, SLOT_PACKED)?.into())
}

/// Hash of the newest L1 block that a state knows.
pub fn anchor_hash<S: StateReader>(state: &S) -> Result<B256, StateError> {
    Ok(B256::from(state.storage(L1_INFO, SLOT_HASH)?))
}

/// The newest L1 block that a state knows, all but its randomness, which only headers keep.
pub fn anchor<S: StateReader>(state: &S) -> Result<Anchor, StateError> {
    let Packed {
        number, timestamp, ..
    } = packed(state)?;
    let fee = |slot| {
        state
            .storage(L1_INFO, slot)
            .map(|word| u128::try_from(word).unwrap_or(u128::MAX))
    };
    Ok(Anchor {
        number,
        hash: anchor_hash(state)?,
        timestamp,
        base_fee: fee(SLOT_BASE_FEE)?,
        blob_base_fee: fee(SLOT_BLOB_BASE_FEE)?,
        prev_randao: B256::ZERO,
    })
}

/// L2 gas per byte of L1 data that the next block charges. A state that cannot be read counts as zero.
pub fn da_gas_per_byte<S: StateReader>(state: &S) -> u64 {
    packed(state).map_or(0, |packed| packed.da_gas_per_byte)
}
