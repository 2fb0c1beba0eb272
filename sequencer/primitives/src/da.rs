//! How many bytes of L1 data a transaction is charged for.
//!
//! One deterministic function for mempool, builder, `stf` and RPC: a disagreement about it would be a
//! disagreement about gas. It follows what the columnar batch codec really writes: the signature and the
//! framing whole, a non-zero byte of calldata whole, and eight zero bytes for one.

use crate::Transaction;
use alloy_consensus::Transaction as _;

/// Signature (64), recipient index, nonce, fees, amounts, on average, in the batch codec.
pub const FRAME_BYTES: u64 = 80;

/// Bytes charged for `tx`. Deposits cost nothing here: their data is on L1 already.
pub fn da_bytes(tx: &Transaction) -> u64 {
    if tx.is_deposit() {
        return 0;
    }
    let zeros = tx.input().iter().filter(|byte| **byte == 0).count() as u64;
    let calldata = tx.input().len() as u64 - zeros + zeros.div_ceil(8);
    let access_list: u64 = tx
        .access_list()
        .map(|list| {
            list.iter()
                .map(|item| 20 + 32 * item.storage_keys.len() as u64)
                .sum()
        })
        .unwrap_or(0);
    let authorizations = tx
        .authorization_list()
        .map_or(0, |list| 100 * list.len() as u64);
    FRAME_BYTES + calldata + access_list + authorizations
}
