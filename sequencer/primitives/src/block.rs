//! A block with everything a reader can ask of it.

use crate::{CheckedTx, Receipt};
use alloc::{sync::Arc, vec::Vec};
use alloy_consensus::Header;
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::B256;

/// A block whose hash is fixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedBlock {
    /// The standard Ethereum header.
    pub header: Header,
    /// `keccak256(rlp(header))`.
    pub hash: B256,
    /// In order of execution.
    pub transactions: Vec<Arc<CheckedTx>>,
    /// One for each transaction.
    pub receipts: Vec<Receipt>,
    /// Headers of rewarded side blocks: only on an L1, before the merge.
    pub ommers: Vec<Header>,
    /// What the beacon chain pays out: only on an L1, from Shanghai on.
    pub withdrawals: Vec<Withdrawal>,
}

impl SealedBlock {
    /// Gas used by transaction `index` alone.
    pub fn gas_used_by(&self, index: usize) -> Option<u64> {
        let after = self.receipts.get(index)?.cumulative_gas_used;
        let before = match index {
            0 => 0,
            _ => self.receipts.get(index - 1)?.cumulative_gas_used,
        };
        Some(after - before)
    }
}
