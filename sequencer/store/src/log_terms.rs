//! What the index of logs says of a block: for each address and topic, which of the block's logs have it.

use crate::{
    Batch,
    codec::{Codec, Reader, Undecodable, put_varint},
    schema::{self, LogTerm},
};
use alloy_primitives::{Address, B256};
use primitives::Receipt;

/// Positions among all logs of a block, ascending.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogPositions(pub Vec<u32>);

impl Codec for LogPositions {
    fn put(&self, out: &mut Vec<u8>) {
        let mut next = 0;
        for position in &self.0 {
            put_varint(out, u64::from(position - next));
            next = position + 1;
        }
    }
    fn read(from: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let mut positions = Vec::with_capacity(from.0.len());
        let mut next = 0u64;
        while from.end().is_err() {
            let position = next
                .checked_add(from.varint()?)
                .and_then(|position| u32::try_from(position).ok())
                .ok_or(Undecodable("position"))?;
            positions.push(position);
            next = u64::from(position) + 1;
        }
        Ok(Self(positions))
    }
}

/// One log's having one term: term, block, position among the block's logs. Sorts as the index does.
pub type Posting = (LogTerm, u64, u32);

/// Adds what the logs of a block have.
pub fn postings_of(number: u64, receipts: &[Receipt], out: &mut Vec<Posting>) {
    let logs = receipts.iter().flat_map(|receipt| &receipt.logs);
    for (position, log) in (0..).zip(logs) {
        out.push((of_address(log.address), number, position));
        let topics = log.topics().iter();
        out.extend(topics.map(|topic| (term(*topic), number, position)));
    }
}

/// The rows that say so.
pub fn rows(mut postings: Vec<Posting>, mut row: impl FnMut((LogTerm, u64), &LogPositions)) {
    postings.sort_unstable();
    // A topic may stand twice in a log, or be its address.
    postings.dedup();
    let mut positions = LogPositions::default();
    for group in postings.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        positions.0.clear();
        positions.0.extend(group.iter().map(|posting| posting.2));
        row((group[0].0, group[0].1), &positions);
    }
}

/// Deletes the index's rows of a block, whose receipts these are.
pub fn delete_index(batch: &mut Batch, number: u64, receipts: &[Receipt]) {
    let mut postings = Vec::new();
    postings_of(number, receipts, &mut postings);
    rows(postings, |key, _| batch.delete::<schema::LogIndex>(&key));
}

/// The term of an address.
pub fn of_address(address: Address) -> LogTerm {
    term(address.into_word())
}

/// Eight bytes for a word. A collision costs a reader one log in vain, so a multiplication is hash enough.
pub fn term(word: B256) -> LogTerm {
    let mut hash = 0u64;
    for chunk in word.chunks_exact(8) {
        let part = chunk.iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte));
        hash = (hash ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^= hash >> 32;
    }
    LogTerm(hash.to_be_bytes())
}
