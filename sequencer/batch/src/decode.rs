//! A payload to blocks.

use crate::{
    BatchBlock, Invalid, Parent, Rules, VERSION,
    bytes::Reader,
    columns::{self, Columns, name},
    transaction::{Dictionaries, TxReader},
};
use alloc::vec::Vec;

/// Decodes all of `payload`, a batch that follows `parent`.
pub fn decode(payload: &[u8], rules: &Rules, parent: Parent) -> Result<Vec<BatchBlock>, Invalid> {
    let (&VERSION, payload) = payload.split_first().ok_or(Invalid::Version)? else {
        return Err(Invalid::Version);
    };
    let columns = columns::split(payload, rules.decoded_bytes_max)?;
    let each = columns.each();
    let readers = Columns::build(|index| each.get(index).map(|c| Reader(c)).ok_or(Invalid::Short))?;
    let txs_total = readers.kinds.0.len();
    let parities = readers.parities.0;
    if parities.len() != txs_total.div_ceil(8) {
        return Err(Invalid::Parity);
    }
    if let Some(last) = parities.last()
        && txs_total % 8 != 0
        && last >> (txs_total % 8) != 0
    {
        return Err(Invalid::Parity);
    }
    let mut txs = TxReader {
        columns: readers,
        known: Dictionaries::new(),
        budget: rules.decoded_bytes_max,
    };
    txs.columns.parities = Reader(&[]);
    let mut blocks = Vec::new();
    let mut last = parent;
    let mut index = 0usize;
    while !txs.columns.block_times.is_empty() {
        if blocks.len() == rules.blocks_max {
            return Err(Invalid::Blocks);
        }
        let c = &mut txs.columns;
        let timestamp = last
            .timestamp
            .checked_add(c.block_times.varint()?)
            .ok_or(Invalid::Overflow)?;
        let anchor_number = last
            .anchor_number
            .checked_add(c.block_anchors.varint()?)
            .ok_or(Invalid::Overflow)?;
        let queue_count = c.block_queue.varint()?;
        let count = usize::try_from(c.block_txs.varint()?).map_err(|_| Invalid::Short)?;
        if count > c.kinds.0.len() {
            return Err(Invalid::Short);
        }
        let mut transactions = Vec::with_capacity(count);
        for _ in 0..count {
            let byte = parities.get(index / 8).ok_or(Invalid::Parity)?;
            transactions.push(txs.read(rules.chain_id, byte >> (index % 8) & 1 == 1)?);
            index += 1;
        }
        last = Parent {
            timestamp,
            anchor_number,
        };
        blocks.push(BatchBlock {
            timestamp,
            anchor_number,
            queue_count,
            transactions,
        });
    }
    if blocks.is_empty() {
        return Err(Invalid::Blocks);
    }
    match txs.columns.each().iter().position(|c| !c.is_empty()) {
        Some(index) => Err(Invalid::Unused(name(index))),
        None => Ok(blocks),
    }
}
