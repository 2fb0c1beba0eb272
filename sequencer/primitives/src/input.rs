//! What a block is made from: all that decides it, given its parent's state.

use crate::CheckedTx;
use alloc::{sync::Arc, vec::Vec};
use alloy_primitives::B256;

/// The L1 block that an L2 block refers to. Everything in it follows from that L1 block's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Anchor {
    /// L1 block number.
    pub number: u64,
    /// L1 block hash.
    pub hash: B256,
    /// L1 block time, seconds.
    pub timestamp: u64,
    /// L1 base fee, wei of ETH per gas.
    pub base_fee: u128,
    /// L1 blob base fee of that block, wei of ETH per blob gas.
    pub blob_base_fee: u128,
    /// L1 randomness, handed on as L2's `prevrandao`.
    pub prev_randao: B256,
}

/// One L2 block before execution.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BlockInput {
    /// Seconds; at or above the parent's and the anchor's.
    pub timestamp: u64,
    /// Newest L1 block known to this L2 block; may be the parent's.
    pub anchor: Anchor,
    /// Deposits first, in queue order, then signed transactions.
    pub transactions: Vec<Arc<CheckedTx>>,
}
