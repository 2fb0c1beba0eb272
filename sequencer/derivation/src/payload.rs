//! A record's payload to blocks. Whatever is wrong with it is a [`Reason`], never an error.

use crate::{Cursor, DerivationError, L1Record, Payload, Reason, Recover, anchor::Anchors};
use alloc::{borrow::Cow, sync::Arc, vec::Vec};
use alloy_primitives::keccak256;
use batch::{
    BatchBlock, Parent, Rules,
    blobs::{self, BLOB_BYTES},
};
use config::Network;
use primitives::{BlockInput, CheckedTx, RecordKind, bridge::blobs_hash};

/// The payload's bytes, checked against the record. The outer error is the caller's to mend.
pub(crate) fn bytes(record: &L1Record) -> Result<Result<Cow<'_, [u8]>, Reason>, DerivationError> {
    match (record.record.kind, &record.payload) {
        (RecordKind::Forced, _) => Ok(Err(Reason::Forced)),
        (RecordKind::Calldata, Payload::Calldata(bytes))
            if keccak256(bytes) == record.record.payload_hash =>
        {
            Ok(Ok(Cow::Borrowed(bytes)))
        }
        (RecordKind::Calldata, _) => Err(DerivationError::NeedCalldata(record.index)),
        (RecordKind::Blobs, Payload::Blobs(blobs))
            if blobs_hash(&record.blob_hashes) == record.record.payload_hash
                && blobs.len() == record.blob_hashes.len()
                && blobs.iter().all(|blob| blob.len() == BLOB_BYTES) =>
        {
            Ok(blobs::unpack(blobs).map(Cow::Owned).map_err(Reason::Blobs))
        }
        (RecordKind::Blobs, _) => Err(DerivationError::NeedBlobs(record.index)),
    }
}

/// The blocks in `payload`.
pub(crate) fn blocks(
    network: &Network,
    cursor: &Cursor,
    record: &L1Record,
    payload: &[u8],
    anchors: &Anchors,
    deposits: &[Arc<CheckedTx>],
    recover: &Recover<'_>,
) -> Result<Vec<BlockInput>, Reason> {
    let parent = Parent {
        timestamp: cursor.parent_timestamp,
        anchor_number: cursor.anchor.number,
    };
    let blocks = batch::decode(payload, &Rules::new(network), parent).map_err(Reason::Batch)?;
    check_end(&blocks, record)?;
    let mut inputs = Vec::with_capacity(blocks.len());
    let mut deposits = deposits;
    let wrong_queue = Reason::Queue {
        want: deposits.len() as u64,
    };
    for (block, batch_block) in blocks.iter().enumerate() {
        let number = batch_block.anchor_number;
        let anchor = anchors.get(number).ok_or(Reason::Anchor {
            block,
            anchor: number,
        })?;
        if batch_block.timestamp < anchor.timestamp {
            return Err(Reason::BeforeAnchor { block });
        }
        let count = usize::try_from(batch_block.queue_count).map_err(|_| wrong_queue)?;
        let (taken, rest) = deposits.split_at_checked(count).ok_or(wrong_queue)?;
        deposits = rest;
        inputs.push(BlockInput {
            timestamp: batch_block.timestamp,
            anchor,
            transactions: taken.to_vec(),
        });
    }
    if !deposits.is_empty() {
        return Err(wrong_queue);
    }
    // Recovery is by far the longest part: everything else is checked by now, and all of it goes in one call.
    let counts: Vec<usize> = blocks
        .iter()
        .map(|block| block.transactions.len())
        .collect();
    let raw: Vec<_> = blocks
        .into_iter()
        .flat_map(|block| block.transactions)
        .collect();
    let total = raw.len();
    let recovered = recover(raw);
    assert_eq!(
        recovered.len(),
        total,
        "`recover` gives one result for each transaction"
    );
    let mut recovered = recovered.into_iter().enumerate();
    for (input, count) in inputs.iter_mut().zip(counts) {
        for (tx, result) in recovered.by_ref().take(count) {
            let checked = result.map_err(|error| Reason::Transaction { tx, error })?;
            input.transactions.push(Arc::new(checked));
        }
    }
    Ok(inputs)
}

/// The batch ends where the record says.
fn check_end(blocks: &[BatchBlock], record: &L1Record) -> Result<(), Reason> {
    let record = &record.record;
    let (timestamp, anchor) = blocks
        .last()
        .map_or((0, 0), |last| (last.timestamp, last.anchor_number));
    if timestamp != record.last_timestamp {
        return Err(Reason::LastTimestamp {
            got: timestamp,
            want: record.last_timestamp,
        });
    }
    if anchor != record.anchor_number {
        return Err(Reason::LastAnchor {
            got: anchor,
            want: record.anchor_number,
        });
    }
    Ok(())
}
