//! One record, start to end.

use crate::{
    Cursor, DerivationError, DerivedBatch, L1Record, Recover, anchor::Anchors, payload, queue,
};
use config::Network;
use primitives::{BlockInput, Header, QueueEntry};

/// What `record` means, given where derivation stands.
///
/// `entries` are the queue entries from the cursor to `record.queue_consumed`; `headers` the L1 headers from [`crate::first_anchor`] to the
/// record's anchor. Both are checked against the record. The payload of a blob record must belong to its versioned
/// hashes; nothing here can check that.
pub fn derive(
    network: &Network,
    cursor: &Cursor,
    record: &L1Record,
    entries: &[QueueEntry],
    headers: &[Header],
    recover: &Recover<'_>,
) -> Result<DerivedBatch, DerivationError> {
    if record.index != cursor.records || record.record.prev_acc != cursor.batch_acc {
        return Err(DerivationError::NotNext {
            index: record.index,
            expected: cursor.records,
            acc: cursor.batch_acc,
        });
    }
    let deposits = queue::deposits(cursor, record, entries)?;
    let anchors = Anchors::check(network, cursor, record, headers)?;
    let blocks = payload::bytes(record)?.and_then(|payload| {
        payload::blocks(
            network, cursor, record, &payload, &anchors, &deposits, recover,
        )
    });
    let deposit_only =
        queue::deposit_only(network, cursor, record, anchors.last(), &deposits, entries);
    let after = |blocks: &[BlockInput]| Cursor {
        records: cursor.records.saturating_add(1),
        batch_acc: record.record.accumulate(),
        queue_consumed: record.record.queue_consumed,
        queue_acc: record.record.queue_acc,
        anchor: anchors.last(),
        parent_timestamp: blocks
            .last()
            .map_or(cursor.parent_timestamp, |block| block.timestamp),
        parent_number: cursor.parent_number.saturating_add(blocks.len() as u64),
    };
    let after_deposit_only = after(&deposit_only);
    let after = blocks
        .as_deref()
        .map_or_else(|_| after_deposit_only.clone(), after);
    Ok(DerivedBatch {
        blocks,
        deposit_only,
        after,
        after_deposit_only,
    })
}
