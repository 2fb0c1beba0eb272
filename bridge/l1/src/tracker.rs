//! What L1's inbox holds, as a pure structure: headers and logs in, entries, records and reorgs out.
//!
//! The accumulators are recomputed here, so a node that answers from two forks at once is found out and read again.

use crate::{Client, L1Error, L1Ref, client::InboxLog};
use alloy_primitives::{B256, Bytes, TxHash};
use primitives::{BatchRecord, QueueEntry};
use std::collections::BTreeMap;

/// A queue entry and the block it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedEntry {
    /// The entry.
    pub entry: QueueEntry,
    /// The queue's accumulator after it.
    pub acc: B256,
    /// Where it was logged.
    pub at: L1Ref,
}

/// A record and the block it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedRecord {
    /// Position, from 0.
    pub index: u64,
    /// The record.
    pub record: BatchRecord,
    /// `batchAcc` after it.
    pub acc: B256,
    /// Versioned hashes, for a record in blobs.
    pub blob_hashes: Vec<B256>,
    /// The payload, for a record in calldata.
    pub payload: Bytes,
    /// Where it was logged.
    pub at: L1Ref,
    /// The transaction that posted it.
    pub tx: TxHash,
}

/// What a poll found. Apply `reorg_to` first, then the rest.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct L1Update {
    /// L1 replaced every block above this number.
    pub reorg_to: Option<u64>,
    /// New queue entries, in order.
    pub entries: Vec<QueuedEntry>,
    /// New records, in order.
    pub records: Vec<PostedRecord>,
    /// L1's newest block.
    pub head: Option<L1Ref>,
    /// L1's safe block, if it names one.
    pub safe: Option<L1Ref>,
    /// L1's finalized block.
    pub finalized: u64,
}

/// Where to begin to read, and what is known already: entries and records below these counts are passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrackerStart {
    /// First L1 block to read.
    pub from: u64,
    /// Queue entries that are known, and their accumulator.
    pub entries: (u64, B256),
    /// Records that are known, and their accumulator.
    pub records: (u64, B256),
}

/// Blocks whose hashes are kept to find where a reorg began: longer than L1 takes to finalise.
const WINDOW: usize = 512;
/// Blocks read by one `eth_getLogs`, what public nodes allow.
const CHUNK: u64 = 2_000;

/// Follows one inbox.
#[derive(Debug)]
pub struct Tracker {
    start: TrackerStart,
    /// Hashes of blocks that were read, the newest [`WINDOW`] of them.
    seen: BTreeMap<u64, B256>,
    /// The first block not yet read.
    next: u64,
    /// Accumulators after each entry and record in the window, with the block they stand in.
    entries: Vec<(u64, B256)>,
    records: Vec<(u64, B256)>,
}

impl Tracker {
    /// A tracker that has read nothing yet.
    pub fn new(start: TrackerStart) -> Self {
        Self {
            start,
            seen: BTreeMap::new(),
            next: start.from,
            entries: Vec::new(),
            records: Vec::new(),
        }
    }

    /// The first block that was not read yet.
    pub const fn next_block(&self) -> u64 {
        self.next
    }

    /// Records that L1 holds, as far as it was read.
    pub fn record_count(&self) -> u64 {
        self.tip(&self.records, self.start.records).0
    }

    /// The hash of a block that was read, if it is remembered.
    pub fn hash_of(&self, number: u64) -> Option<B256> {
        self.seen.get(&number).copied()
    }

    /// Reads what is new. On an error nothing is lost: what was found is told first, and the rest found by the next poll.
    pub async fn poll(&mut self, client: &Client) -> Result<L1Update, L1Error> {
        let heads = client.heads().await?;
        let mut update = L1Update {
            head: Some(heads.latest),
            safe: heads.safe,
            finalized: heads.finalized,
            ..L1Update::default()
        };
        if self.hash_of(heads.latest.number) == Some(heads.latest.hash)
            && self.next == heads.latest.number + 1
        {
            return Ok(update);
        }
        if let Some(keep) = self.fork_point(client, heads.latest).await? {
            self.rewind(keep);
            update.reorg_to = Some(keep);
        }
        match self.read_on(client, heads.latest.number, &mut update).await {
            Err(error) if update.is_quiet() => Err(error),
            // What was found is told now, since it is not read again; the rest comes with the next poll.
            _ => Ok(update),
        }
    }

    /// Reads up to `latest`, in chunks that are taken whole or not at all.
    async fn read_on(
        &mut self,
        client: &Client,
        latest: u64,
        update: &mut L1Update,
    ) -> Result<(), L1Error> {
        while self.next <= latest {
            let to = latest.min(self.next + CHUNK - 1);
            let hashes = self.hashes_to_remember(client, to, latest).await?;
            let logs = client.inbox_logs(self.next, to).await?;
            // Read after the logs: if the chunk's last block is still the same, the logs were all of its fork.
            let last = client.header(to).await?.ok_or(L1Error::Moved)?.hash_slow();
            if hashes
                .last()
                .is_some_and(|(number, hash)| *number == to && *hash != last)
            {
                return Err(L1Error::Moved);
            }
            self.take(logs, update)?;
            self.seen.extend(hashes);
            self.seen.insert(to, last);
            self.next = to + 1;
            self.forget();
        }
        Ok(())
    }

    /// The highest remembered block that L1 still has, if the newest remembered one is gone.
    async fn fork_point(&self, client: &Client, latest: L1Ref) -> Result<Option<u64>, L1Error> {
        let mut replaced = false;
        for (&number, &hash) in self.seen.iter().rev() {
            let there = if number == latest.number {
                Some(latest.hash)
            } else if number > latest.number {
                None
            } else {
                client
                    .header(number)
                    .await?
                    .map(|header| header.hash_slow())
            };
            if there == Some(hash) {
                return Ok(replaced.then_some(number));
            }
            replaced = true;
        }
        if replaced {
            tracing::warn!(
                window = WINDOW,
                "L1 replaced every block we remember; reading the inbox from its start"
            );
            return Ok(Some(self.start.from.saturating_sub(1)));
        }
        Ok(None)
    }

    /// Headers near the head are remembered one by one; those far below it cannot be reorganised any more.
    async fn hashes_to_remember(
        &self,
        client: &Client,
        to: u64,
        head: u64,
    ) -> Result<Vec<(u64, B256)>, L1Error> {
        let from = self.next.max(head.saturating_sub(WINDOW as u64 / 8));
        // Each must follow the one before: else L1 was reorganised since the fork point was looked for, and as the
        // newest block would match from then on, it would never be found.
        let mut parent = from.checked_sub(1).and_then(|before| self.hash_of(before));
        let mut hashes = Vec::new();
        for number in from..=to {
            let header = client.header(number).await?.ok_or(L1Error::Moved)?;
            if parent.is_some_and(|parent| parent != header.parent_hash) {
                return Err(L1Error::Moved);
            }
            let hash = header.hash_slow();
            parent = Some(hash);
            hashes.push((number, hash));
        }
        Ok(hashes)
    }

    /// Takes one chunk's logs whole or not at all.
    fn take(&mut self, logs: Vec<InboxLog>, update: &mut L1Update) -> Result<(), L1Error> {
        let (mut entries, mut records) = (Vec::new(), Vec::new());
        let (mut entry_count, mut queue_acc) = self.tip(&self.entries, self.start.entries);
        let (mut record_count, mut batch_acc) = self.tip(&self.records, self.start.records);
        for log in logs {
            match log {
                InboxLog::Entry(queued) => {
                    if queued.entry.index < self.start.entries.0 {
                        continue;
                    }
                    let acc = queued.entry.accumulate(queue_acc);
                    if queued.entry.index != entry_count || acc != queued.acc {
                        return Err(L1Error::Moved);
                    }
                    (entry_count, queue_acc) = (entry_count + 1, acc);
                    entries.push(queued);
                }
                InboxLog::Record(posted) => {
                    if posted.index < self.start.records.0 {
                        continue;
                    }
                    let acc = posted.record.accumulate();
                    if posted.index != record_count
                        || posted.record.prev_acc != batch_acc
                        || acc != posted.acc
                    {
                        return Err(L1Error::Moved);
                    }
                    (record_count, batch_acc) = (record_count + 1, acc);
                    records.push(posted);
                }
            }
        }
        self.entries
            .extend(entries.iter().map(|queued| (queued.at.number, queued.acc)));
        self.records
            .extend(records.iter().map(|posted| (posted.at.number, posted.acc)));
        update.entries.extend(entries);
        update.records.extend(records);
        Ok(())
    }

    fn tip(&self, taken: &[(u64, B256)], start: (u64, B256)) -> (u64, B256) {
        (
            start.0 + taken.len() as u64,
            taken.last().map_or(start.1, |(_, acc)| *acc),
        )
    }

    /// Drops what lies below the window; a reorg that deep would be one of finalized blocks.
    fn forget(&mut self) {
        while self.seen.len() > WINDOW {
            self.seen.pop_first();
        }
        let oldest = self.seen.keys().next().copied().unwrap_or_default();
        let old = |taken: &[(u64, B256)]| {
            taken
                .iter()
                .take_while(|(number, _)| *number < oldest)
                .count()
        };
        let (entries, records) = (old(&self.entries), old(&self.records));
        for (taken, start, count) in [
            (&mut self.entries, &mut self.start.entries, entries),
            (&mut self.records, &mut self.start.records, records),
        ] {
            if let Some((_, acc)) = taken.drain(..count).next_back() {
                *start = (start.0 + count as u64, acc);
                self.start.from = oldest;
            }
        }
    }

    fn rewind(&mut self, keep: u64) {
        self.seen.retain(|number, _| *number <= keep);
        self.entries.retain(|(number, _)| *number <= keep);
        self.records.retain(|(number, _)| *number <= keep);
        self.next = (keep + 1).max(self.start.from);
    }
}

impl L1Update {
    /// Nothing happened but that time passed.
    pub fn is_quiet(&self) -> bool {
        self.reorg_to.is_none() && self.entries.is_empty() && self.records.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(index: u64, block: u64, prev: B256) -> QueuedEntry {
        let entry = QueueEntry {
            index,
            l1_block: block,
            mint: u128::from(index) + 1,
            ..QueueEntry::default()
        };
        let acc = entry.accumulate(prev);
        QueuedEntry {
            entry,
            acc,
            at: L1Ref {
                number: block,
                hash: B256::with_last_byte(block as u8),
                timestamp: 0,
            },
        }
    }

    fn take(tracker: &mut Tracker, entries: &[QueuedEntry]) -> Result<usize, L1Error> {
        let mut update = L1Update::default();
        tracker.take(
            entries.iter().cloned().map(InboxLog::Entry).collect(),
            &mut update,
        )?;
        Ok(update.entries.len())
    }

    #[test]
    fn entries_in_order_are_taken() {
        let mut tracker = Tracker::new(TrackerStart::default());
        let first = entry(0, 1, B256::ZERO);
        let second = entry(1, 2, first.acc);
        assert_eq!(take(&mut tracker, &[first, second]).unwrap(), 2);
    }

    #[test]
    fn a_gap_takes_nothing_at_all() {
        let mut tracker = Tracker::new(TrackerStart::default());
        let first = entry(0, 1, B256::ZERO);
        let third = entry(2, 2, first.acc);
        assert!(matches!(
            take(&mut tracker, &[first.clone(), third]),
            Err(L1Error::Moved)
        ));
        assert_eq!(take(&mut tracker, &[first]).unwrap(), 1);
    }

    #[test]
    fn after_a_reorg_the_accumulator_is_the_one_below_it() {
        let mut tracker = Tracker::new(TrackerStart::default());
        let first = entry(0, 1, B256::ZERO);
        let second = entry(1, 5, first.acc);
        take(&mut tracker, &[first.clone(), second]).unwrap();
        tracker.rewind(4);
        assert_eq!(tracker.next_block(), 5);
        let other = entry(1, 6, first.acc);
        assert_eq!(take(&mut tracker, &[other]).unwrap(), 1);
    }

    #[test]
    fn a_forged_accumulator_is_refused() {
        let mut tracker = Tracker::new(TrackerStart::default());
        let mut forged = entry(0, 1, B256::ZERO);
        forged.acc = B256::repeat_byte(1);
        assert!(take(&mut tracker, &[forged]).is_err());
    }
}
