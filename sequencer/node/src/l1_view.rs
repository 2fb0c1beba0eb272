//! What this process knows of L1, for everyone in it: anchors a block may name, queue entries it may consume.
//!
//! The driver writes it; the block producer, the batcher and the RPC read it.

use alloy_primitives::B256;
use l1::{L1Ref, QueuedEntry};
use parking_lot::{Condvar, Mutex};
use primitives::{Anchor, CheckedTx, QueueEntry};
use std::{collections::VecDeque, sync::Arc};

/// Anchors kept: enough to find one below any block's time after a pause.
const ANCHORS_KEPT: usize = 256;

/// Shared knowledge of L1.
#[derive(Debug, Default)]
pub struct L1View {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    /// Confirmed headers, ascending.
    anchors: VecDeque<Anchor>,
    /// Entries that the safe chain has not consumed yet, ascending and without gaps.
    entries: VecDeque<QueuedEntry>,
    /// Accumulator before the first of `entries`, and how many entries lie before it.
    base: (u64, B256),
    head: Option<L1Ref>,
    safe: Option<L1Ref>,
    finalized: u64,
    /// Everything L1 held at start is derived.
    caught_up: bool,
}

impl L1View {
    /// The queue will be told from here on: `consumed` entries lie before, with accumulator `acc`.
    pub(crate) fn begin(&self, consumed: u64, acc: B256) {
        self.inner.lock().base = (consumed, acc);
    }

    /// L1's newest block and the number of its finalized one.
    pub fn heads(&self) -> (Option<L1Ref>, u64) {
        let inner = self.inner.lock();
        (inner.head, inner.finalized)
    }

    /// True once the chain is derived as far as L1 went when we looked.
    pub fn is_caught_up(&self) -> bool {
        self.inner.lock().caught_up
    }

    /// L1's safe block, if it names one.
    pub fn safe(&self) -> Option<L1Ref> {
        self.inner.lock().safe
    }

    /// The newest anchor at or below `timestamp_max`, not below `parent`; the parent's where there is none.
    pub fn anchor_for(&self, parent: &Anchor, timestamp_max: u64) -> Anchor {
        let inner = self.inner.lock();
        let fits = |a: &&Anchor| a.timestamp <= timestamp_max && a.number > parent.number;
        inner
            .anchors
            .iter()
            .rev()
            .find(fits)
            .copied()
            .unwrap_or(*parent)
    }

    /// The newest anchor.
    pub fn newest_anchor(&self) -> Option<Anchor> {
        self.inner.lock().anchors.back().copied()
    }

    /// The anchor with this number, if it is remembered.
    pub fn anchor_at(&self, number: u64) -> Option<Anchor> {
        self.inner
            .lock()
            .anchors
            .iter()
            .rev()
            .find(|anchor| anchor.number == number)
            .copied()
    }

    /// Entries from `consumed` on that stand at or below L1 block `up_to`, as transactions, at most `max`.
    pub fn deposits(&self, consumed: u64, up_to: u64, max: usize) -> Vec<Arc<CheckedTx>> {
        let inner = self.inner.lock();
        let skip = consumed.saturating_sub(inner.base.0) as usize;
        inner
            .entries
            .iter()
            .skip(skip)
            .take_while(|queued| queued.at.number <= up_to)
            .take(max)
            .map(|queued| Arc::new(CheckedTx::deposit(queued.entry.deposit(queued.acc))))
            .collect()
    }

    /// True if a block at `consumed` could take a deposit now.
    pub fn has_deposits(&self, consumed: u64, up_to: u64) -> bool {
        let inner = self.inner.lock();
        let next = consumed.saturating_sub(inner.base.0) as usize;
        inner
            .entries
            .get(next)
            .is_some_and(|queued| queued.at.number <= up_to)
    }

    /// Entries `from..to`, if all are known.
    pub fn entries(&self, from: u64, to: u64) -> Option<Vec<QueuedEntry>> {
        let inner = self.inner.lock();
        let (skip, take) = (
            from.checked_sub(inner.base.0)? as usize,
            to.checked_sub(from)? as usize,
        );
        let found: Vec<_> = inner
            .entries
            .iter()
            .skip(skip)
            .take(take)
            .cloned()
            .collect();
        (found.len() == take).then_some(found)
    }

    /// Known entries from `from` on, at most `max`, each with the accumulator after it.
    pub fn entries_from(&self, from: u64, max: usize) -> Vec<(QueueEntry, B256)> {
        let inner = self.inner.lock();
        let skip = from.saturating_sub(inner.base.0) as usize;
        let known = inner.entries.iter().skip(skip).take(max);
        known
            .map(|queued| (queued.entry.clone(), queued.acc))
            .collect()
    }

    /// The queue's accumulator after `consumed` entries.
    pub fn queue_acc(&self, consumed: u64) -> Option<B256> {
        let inner = self.inner.lock();
        match consumed.checked_sub(inner.base.0)? {
            0 => Some(inner.base.1),
            n => inner.entries.get(n as usize - 1).map(|queued| queued.acc),
        }
    }

    /// Waits until something changed, or `timeout` passed.
    pub fn wait(&self, timeout: std::time::Duration) {
        self.changed.wait_for(&mut self.inner.lock(), timeout);
    }

    /// L1 replaced everything above `keep`.
    pub(crate) fn rewind(&self, keep: u64) {
        let mut inner = self.inner.lock();
        inner.anchors.retain(|anchor| anchor.number <= keep);
        inner.entries.retain(|queued| queued.at.number <= keep);
        self.changed.notify_all();
    }

    /// News from L1.
    pub(crate) fn add(
        &self,
        entries: Vec<QueuedEntry>,
        head: Option<L1Ref>,
        safe: Option<L1Ref>,
        finalized: u64,
    ) {
        let mut inner = self.inner.lock();
        inner.entries.extend(entries);
        inner.head = head.or(inner.head);
        inner.safe = safe;
        inner.finalized = finalized;
        self.changed.notify_all();
    }

    /// A header that has its confirmations.
    pub(crate) fn add_anchor(&self, anchor: Anchor) {
        let mut inner = self.inner.lock();
        if inner
            .anchors
            .back()
            .is_none_or(|last| last.number < anchor.number)
        {
            inner.anchors.push_back(anchor);
        }
        while inner.anchors.len() > ANCHORS_KEPT {
            inner.anchors.pop_front();
        }
        self.changed.notify_all();
    }

    /// Entries below `consumed` are safe on L2 and can be forgotten once L1 has finalized them.
    pub(crate) fn forget(&self, consumed: u64) {
        let mut inner = self.inner.lock();
        while inner.base.0 < consumed
            && inner
                .entries
                .front()
                .is_some_and(|q| q.at.number <= inner.finalized)
        {
            if let Some(queued) = inner.entries.pop_front() {
                inner.base = (inner.base.0 + 1, queued.acc);
            }
        }
    }

    pub(crate) fn set_caught_up(&self) {
        self.inner.lock().caught_up = true;
        self.changed.notify_all();
    }
}

impl poster::QueueAt for L1View {
    fn acc(&self, consumed: u64) -> Option<B256> {
        self.queue_acc(consumed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(blocks: &[u64]) -> Arc<L1View> {
        let view = Arc::new(L1View::default());
        let mut acc = B256::ZERO;
        let entries = blocks.iter().enumerate().map(|(index, block)| {
            let entry = QueueEntry {
                index: index as u64,
                l1_block: *block,
                ..QueueEntry::default()
            };
            acc = entry.accumulate(acc);
            QueuedEntry {
                entry,
                acc,
                at: L1Ref {
                    number: *block,
                    hash: B256::ZERO,
                    timestamp: 0,
                },
            }
        });
        view.add(entries.collect(), None, None, 0);
        view
    }

    #[test]
    fn deposits_wait_for_their_confirmations() {
        let view = view(&[1, 2, 5]);
        assert_eq!(view.deposits(0, 4, 10).len(), 2);
        assert_eq!(view.deposits(2, 4, 10).len(), 0);
        assert!(view.has_deposits(2, 5));
    }

    #[test]
    fn a_reorg_takes_entries_away() {
        let view = view(&[1, 2, 5]);
        view.rewind(2);
        assert_eq!(view.deposits(0, 9, 10).len(), 2);
        assert_eq!(view.queue_acc(3), None);
    }

    #[test]
    fn forgotten_entries_leave_their_accumulator() {
        let view = view(&[1, 2, 5]);
        let acc = view.queue_acc(2);
        view.add(vec![], None, None, 2);
        view.forget(3);
        assert_eq!(view.queue_acc(2), acc);
        assert_eq!(view.entries(0, 1), None);
        assert_eq!(view.entries(2, 3).unwrap().len(), 1);
    }
}
