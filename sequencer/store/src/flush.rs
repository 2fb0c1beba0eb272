//! Write-behind: many blocks into the tables in one atomic batch that carries their height.
//!
//! A flush is cut on the writer's thread, between two blocks, since only there the trie stands for the head; it
//! is written on the flusher's thread. At most one is under way.
//!
//! ```text
//! publish ──due──▶ cut (dirty trie nodes, blocks) ──▶ job ──flusher──▶ batch ──▶ tables ──▶ overlay forgets
//! ```

use crate::{
    Batch, Result, Store, StoreError,
    codec::{Codec, Undo},
    kv,
    log::LogPosition,
    log_terms::{self, Posting, postings_of},
    node_row::NodeRow,
    receipts::put_receipts,
    recent::RecentBlock,
    schema::{self, BodyRow, HeaderRow, NodePath, SlotKey, Table, TipRow},
    store::{Inner, Writer},
};
use alloy_primitives::{Address, B256, U256, map::HashMap};
use parking_lot::{Condvar, Mutex};
use primitives::{Account, StateDiff, withdrawal::withdrawal_hashes};
use std::{
    ops::ControlFlow,
    sync::{Arc, atomic::Ordering::SeqCst},
    time::{Duration, Instant},
};
use trie::{NodeWrite, NodeWrites};

/// History rows that one flush deletes at most, so that a lowered retention does not make one giant batch.
const PRUNED_ROWS_MAX: usize = 200_000;

/// Keys and values of one row, on average; growing a batch of tens of megabytes copies it.
const ROW_BYTES: usize = 130;

/// Blocks to write, all that is between the tables and the head at the cut.
pub struct FlushJob {
    blocks: Vec<RecentBlock>,
    nodes: NodeWrites,
    txs: u64,
}

/// Hands one job at a time to the flusher's thread.
#[derive(Default)]
pub struct FlushQueue {
    slot: Mutex<Slot>,
    changed: Condvar,
}

#[derive(Default)]
struct Slot {
    job: Option<FlushJob>,
    running: bool,
    /// Transactions in the job, waiting or running.
    txs: u64,
    /// The next boundary between blocks is to be cut.
    wanted: bool,
    /// The flusher must end.
    ending: bool,
    /// The last job failed; nothing will be written any more.
    failed: bool,
}

impl Slot {
    fn is_idle(&self) -> bool {
        self.job.is_none() && !self.running
    }
}

impl FlushQueue {
    pub fn wake(&self) {
        self.changed.notify_all();
    }

    pub fn is_idle(&self) -> bool {
        self.slot.lock().is_idle()
    }

    /// Returns once no job waits or runs.
    pub fn wait_until_idle(&self) {
        let mut slot = self.slot.lock();
        while !slot.is_idle() && !slot.failed {
            self.changed.wait(&mut slot);
        }
    }

    /// Returns once at most `max` transactions, `dirty` ones included, are not in the tables, or nothing is
    /// under way that could change that.
    pub fn wait_while_behind(&self, dirty: u64, max: u64) {
        let mut slot = self.slot.lock();
        while dirty + slot.txs > max && !slot.is_idle() && !slot.failed {
            self.changed.wait(&mut slot);
        }
    }

    /// Ends the flusher's thread once it has written what waits.
    pub fn end(&self) {
        self.slot.lock().ending = true;
        self.wake();
    }
}

impl Store {
    /// Returns once the tables stand for what is the head now. Refuses while a sealed block waits.
    pub fn flush(&self) -> Result<()> {
        let inner = &self.inner;
        let target = inner.head_number();
        while inner.flushed() < target {
            {
                let mut writer = inner.writer()?;
                if let Some(pending) = &writer.pending {
                    return Err(StoreError::Pending(pending.block.header.number));
                }
                inner.cut_flush(&mut writer)?;
            }
            inner.queue.wait_until_idle();
            inner.running()?;
        }
        Ok(())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.inner.queue.end();
        if let Some(flusher) = self.flusher.lock().take() {
            let _ = flusher.join();
        }
        // What the flusher had no chance to cut. If this fails, the log is replayed at the next start.
        if let Ok(mut writer) = self.inner.writer() {
            let done = self
                .inner
                .discard_pending(&mut writer)
                .and_then(|()| self.inner.flush_here(&mut writer));
            if let Err(error) = done {
                tracing::warn!(%error, "the last blocks are in the log only");
            }
        }
    }
}

impl Inner {
    pub fn flush_is_due(&self, writer: &Writer) -> bool {
        writer.dirty_txs >= self.options.flush_txs
            || writer.dirty_bytes >= self.options.flush_bytes
            || self.queue.slot.lock().wanted
    }

    /// Makes a job of all that is not in the tables, unless one is under way. No block may be pending.
    pub fn cut_flush(&self, writer: &mut Writer) -> Result<()> {
        if !self.queue.is_idle() || self.head_number() == self.flushed() {
            return Ok(());
        }
        let job = self.cut(writer)?;
        let mut slot = self.queue.slot.lock();
        slot.txs = job.txs;
        slot.job = Some(job);
        slot.wanted = false;
        self.queue.wake();
        Ok(())
    }

    fn cut(&self, writer: &mut Writer) -> Result<FlushJob> {
        // All nodes taken before are in the tables by now, so any of them may go.
        writer.trie.evict(self.options.trie_bytes);
        let nodes = writer.trie.take_dirty().map_err(|e| self.stop(e.into()))?;
        let blocks = self.recent.read().above(self.flushed()).cloned().collect();
        let txs = std::mem::take(&mut writer.dirty_txs);
        writer.dirty_bytes = 0;
        Ok(FlushJob { blocks, nodes, txs })
    }

    /// Cuts and writes on this thread; for replay and shutdown, when the flusher does not run.
    pub fn flush_here(&self, writer: &mut Writer) -> Result<()> {
        if self.head_number() == self.flushed() {
            return Ok(());
        }
        let job = self.cut(writer)?;
        self.write_job(&job)
    }

    /// The flusher's thread.
    pub fn run_flusher(&self) {
        let interval = Duration::from_millis(self.options.flush_interval_ms);
        let mut slot = self.queue.slot.lock();
        loop {
            if let Some(job) = slot.job.take() {
                slot.running = true;
                drop(slot);
                let result = self.write_job(&job);
                slot = self.queue.slot.lock();
                slot.running = false;
                slot.txs = 0;
                if let Err(error) = result {
                    slot.failed = true;
                    drop(slot);
                    self.stop(error);
                    return;
                }
                self.queue.wake();
            } else if slot.ending {
                return;
            } else if self.queue.changed.wait_for(&mut slot, interval).timed_out() {
                drop(slot);
                self.cut_late_blocks();
                slot = self.queue.slot.lock();
            }
        }
    }

    /// Blocks that are too few to be due must not wait for ever.
    fn cut_late_blocks(&self) {
        let Ok(mut writer) = self.writer() else {
            return;
        };
        if writer.pending.is_some() {
            self.queue.slot.lock().wanted = true;
        } else if let Err(error) = self.cut_flush(&mut writer) {
            self.stop(error);
        }
    }

    fn write_job(&self, job: &FlushJob) -> Result<()> {
        let Some(last) = job.blocks.last() else {
            return Ok(());
        };
        let started = Instant::now();
        let height = last.block.header.number;
        let diffs: Vec<Arc<StateDiff>> = job.blocks.iter().filter_map(|b| b.diff.clone()).collect();

        let changes = Changes::of(&diffs);
        let rows = 4 * (changes.accounts.len() + changes.slots.len()) + job.nodes.nodes.len();
        let mut batch = Batch::with_capacity(rows * ROW_BYTES, rows);
        changes.put(&mut batch);
        put_blocks(&mut batch, &job.blocks);
        put_nodes(&mut batch, &*self.kv, &job.nodes)?;
        let oldest = self.prune(&mut batch, height)?;
        let tip = TipRow {
            schema: schema::SCHEMA_VERSION,
            genesis: self.genesis_hash,
            height,
            hash: last.block.hash,
            log: last.at.end(),
            oldest,
        };
        batch.put::<schema::Tip>(&(), &tip);
        self.state.set_oldest(oldest);
        let built = started.elapsed();
        self.kv.write(&batch, true)?;

        self.state.flushed(height, &changes);
        self.flushed.store(height, SeqCst);
        self.recent
            .write()
            .flushed(height, self.options.block_cache_bytes);
        metrics::histogram!("store_flush_build_seconds").record(built.as_secs_f64());
        metrics::histogram!("store_flush_seconds").record(started.elapsed().as_secs_f64());
        metrics::gauge!("store_flushed").set(height as f64);
        metrics::counter!("store_flushed_bytes").increment(batch.bytes() as u64);
        tracing::debug!(
            height,
            blocks = job.blocks.len(),
            txs = job.txs,
            rows = batch.len(),
            bytes = batch.bytes(),
            ms = started.elapsed().as_millis() as u64,
            "flushed"
        );
        Ok(())
    }

    /// Deletes history beyond the retention. Only rows that are in the tables already.
    fn prune(&self, batch: &mut Batch, height: u64) -> Result<u64> {
        let oldest = self.state.oldest();
        let Some(retention) = self.options.retention_blocks else {
            return Ok(oldest);
        };
        let until = height.saturating_sub(retention).min(self.flushed());
        let mut pruned = oldest;
        let start = batch.len();
        while pruned < until && batch.len() - start < PRUNED_ROWS_MAX {
            pruned += 1;
            delete_history(batch, &*self.kv, pruned)?;
        }
        Ok(pruned.max(oldest))
    }
}

/// The state's rows that change, each with its last value; ascending, which spares the memtables cache misses.
pub struct Changes {
    pub accounts: Vec<(Address, Option<Account>)>,
    pub slots: Vec<(SlotKey, U256)>,
}

impl Changes {
    fn of(diffs: &[Arc<StateDiff>]) -> Self {
        let mut accounts = HashMap::<Address, Option<Account>>::default();
        let mut slots = HashMap::<SlotKey, U256>::default();
        for account in diffs.iter().flat_map(|d| &d.accounts) {
            if account.before != account.after {
                accounts.insert(account.address, account.after);
            }
            for slot in &account.slots {
                slots.insert(SlotKey(account.address, slot.slot), slot.after);
            }
        }
        let mut accounts: Vec<_> = accounts.into_iter().collect();
        let mut slots: Vec<_> = slots.into_iter().collect();
        accounts.sort_unstable_by_key(|(address, _)| *address);
        slots.sort_unstable_by_key(|(key, _)| *key);
        Self { accounts, slots }
    }

    fn put(&self, batch: &mut Batch) {
        for (address, account) in &self.accounts {
            match account {
                Some(account) => batch.put::<schema::Accounts>(address, account),
                None => batch.delete::<schema::Accounts>(address),
            }
        }
        for (key, value) in &self.slots {
            if value.is_zero() {
                batch.delete::<schema::Slots>(key);
            } else {
                batch.put::<schema::Slots>(key, value);
            }
        }
    }
}

fn put_blocks(batch: &mut Batch, blocks: &[RecentBlock]) {
    let mut transactions: Vec<(B256, (u64, u32))> = Vec::new();
    let mut accounts: Vec<(Address, u64, Option<Account>)> = Vec::new();
    let mut slots: Vec<(SlotKey, u64, U256)> = Vec::new();
    let mut postings: Vec<Posting> = Vec::new();
    for RecentBlock {
        block,
        meta,
        at,
        diff,
        ..
    } in blocks
    {
        let number = block.header.number;
        batch.put::<schema::Headers>(
            &number,
            &HeaderRow {
                hash: block.hash,
                header: block.header.clone(),
            },
        );
        batch.put::<schema::Numbers>(&block.hash, &number);
        batch.put::<schema::Bodies>(
            &number,
            &BodyRow {
                at: *at,
                meta: *meta,
            },
        );
        put_receipts(batch, block);
        postings_of(number, &block.receipts, &mut postings);
        transactions.extend(
            block
                .transactions
                .iter()
                .enumerate()
                .map(|(i, tx)| (tx.hash, (number, i as u32))),
        );
        for (at, hash) in withdrawal_hashes(&block.receipts) {
            batch.put::<schema::Withdrawals>(&hash, &(number, at));
        }
        let Some(diff) = diff else { continue };
        batch.put::<schema::Undos>(&number, &Undo::of(diff));
        for (hash, code) in &diff.codes {
            batch.put::<schema::Codes>(hash, code);
        }
        for account in &diff.accounts {
            if account.before != account.after {
                accounts.push((account.address, number, account.before));
            }
            slots.extend(
                account
                    .slots
                    .iter()
                    .map(|s| (SlotKey(account.address, s.slot), number, s.before)),
            );
        }
    }
    transactions.sort_unstable_by_key(|(hash, _)| *hash);
    accounts.sort_unstable_by_key(|(address, number, _)| (*address, *number));
    slots.sort_unstable_by_key(|(key, number, _)| (*key, *number));
    for (hash, place) in &transactions {
        batch.put::<schema::Transactions>(hash, place);
    }
    for (address, number, before) in accounts {
        batch.put::<schema::AccountHistory>(&(address, number), &before);
    }
    for (key, number, before) in slots {
        batch.put::<schema::SlotHistory>(&(key, number), &before);
    }
    log_terms::rows(postings, |key, positions| {
        batch.put::<schema::LogIndex>(&key, positions);
    });
}

/// Dropped storage tries first, then single nodes.
pub fn put_nodes(batch: &mut Batch, kv: &dyn kv::KvRead, nodes: &NodeWrites) -> Result<()> {
    for owner in &nodes.wiped {
        kv.scan(schema::StorageNodes::ID, owner.as_slice(), &mut |key, _| {
            match <(B256, NodePath)>::decode(key) {
                Ok(key) if key.0 == *owner => {
                    batch.delete::<schema::StorageNodes>(&key);
                    ControlFlow::Continue(())
                }
                _ => ControlFlow::Break(()),
            }
        })?;
    }
    for node in &nodes.nodes {
        let path = NodePath(node.path);
        if node.owner.is_zero() {
            put_node::<schema::AccountNodes>(batch, &path, node);
        } else {
            put_node::<schema::StorageNodes>(batch, &(node.owner, path), node);
        }
    }
    Ok(())
}

fn put_node<T: Table<Value = NodeRow>>(batch: &mut Batch, key: &T::Key, node: &NodeWrite) {
    let Some(rlp) = &node.rlp else {
        return batch.delete::<T>(key);
    };
    let row = NodeRow(rlp.clone());
    match row.change(node.changed) {
        Some(change) => batch.change::<T>(key, &change),
        None => batch.put::<T>(key, &row),
    }
}

/// Deletes what block `number` left in the history.
pub fn delete_history(batch: &mut Batch, kv: &dyn kv::KvRead, number: u64) -> Result<()> {
    let Some(undo) = kv::get::<schema::Undos>(kv, &number)? else {
        return Ok(());
    };
    for account in &undo.accounts {
        if account.before.is_some() {
            batch.delete::<schema::AccountHistory>(&(account.address, number));
        }
        for (slot, _) in &account.slots {
            batch.delete::<schema::SlotHistory>(&(SlotKey(account.address, *slot), number));
        }
    }
    batch.delete::<schema::Undos>(&number);
    Ok(())
}

/// The log position before anything was logged.
pub const LOG_START: LogPosition = LogPosition {
    segment: 0,
    offset: 0,
};
