//! Queue entries to deposits, and the blocks that hold nothing else.

use crate::{Cursor, DerivationError, L1Record};
use alloc::{sync::Arc, vec::Vec};
use config::Network;
use primitives::{Anchor, BlockInput, CheckedTx, QueueEntry};

/// Deposits of the entries that a record consumes, checked against its accumulator.
pub(crate) fn deposits(
    cursor: &Cursor,
    record: &L1Record,
    entries: &[QueueEntry],
) -> Result<Vec<Arc<CheckedTx>>, DerivationError> {
    let (from, to) = (cursor.queue_consumed, record.record.queue_consumed);
    let count = to
        .checked_sub(from)
        .ok_or(DerivationError::Reorg("the record's queue count"))?;
    let numbered = (0..)
        .zip(entries)
        .all(|(i, entry)| from.checked_add(i) == Some(entry.index));
    if entries.len() as u64 != count || !numbered {
        return Err(DerivationError::NeedEntries { from, to });
    }
    let mut acc = cursor.queue_acc;
    let deposits = entries
        .iter()
        .map(|entry| {
            acc = entry.accumulate(acc);
            Arc::new(CheckedTx::deposit(entry.deposit(acc)))
        })
        .collect();
    if acc == record.record.queue_acc {
        Ok(deposits)
    } else {
        Err(DerivationError::Reorg("the queue's accumulator"))
    }
}

/// Blocks of deposits alone: in order, a new block whenever the next one's gas limit would pass the block's. At least one.
pub(crate) fn deposit_only(
    network: &Network,
    cursor: &Cursor,
    record: &L1Record,
    anchor: Anchor,
    deposits: &[Arc<CheckedTx>],
    entries: &[QueueEntry],
) -> Vec<BlockInput> {
    // The inbox knows no times of anchors: a record may name an anchor younger than its own `last_timestamp`. A block must
    // not be older than its anchor, and these blocks must always execute.
    let timestamp = cursor
        .parent_timestamp
        .max(record.record.last_timestamp)
        .max(anchor.timestamp);
    let mut blocks = Vec::new();
    let mut transactions = Vec::new();
    let mut gas_left = network.chain.gas_limit;
    for (deposit, entry) in deposits.iter().zip(entries) {
        gas_left = match gas_left.checked_sub(entry.gas_limit) {
            Some(left) => left,
            None => {
                if !transactions.is_empty() {
                    blocks.push(BlockInput {
                        timestamp,
                        anchor,
                        transactions: core::mem::take(&mut transactions),
                    });
                }
                network.chain.gas_limit.saturating_sub(entry.gas_limit)
            }
        };
        transactions.push(deposit.clone());
    }
    if blocks.is_empty() || !transactions.is_empty() {
        blocks.push(BlockInput {
            timestamp,
            anchor,
            transactions,
        });
    }
    blocks
}
