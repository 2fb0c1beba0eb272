//! Keeps L2 in step with L1: reads the inbox, derives what its records mean, and makes the chain agree.
//!
//! On the sequencer nearly every record is one of our own batches, and deriving it again would give the blocks we have;
//! it is enough that the inputs are equal. On a follower every block comes from here. Where our chain says otherwise
//! than L1, L1 is right: the chain is rewound to where both agree, and what L1 says is executed.

use crate::{bridge_watch::BridgeWatch, producer::Chain};
use alloy_primitives::B256;
use anyhow::{Context, bail};
use derivation::{Cursor, DerivedBatch, L1Record, Payload};
use l1::{Client, L1Error, L1Update, PostedRecord, Tracker, TrackerStart};
use primitives::{Anchor, BlockInput, QueueEntry, RecordKind, SealedBlock};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use store::{BatchInfo, Store};

/// What the sequencer's driver and the follower's have in common: all of it.
pub struct Driver {
    chain: Arc<Chain>,
    client: Client,
    tracker: Tracker,
    cursor: Cursor,
    /// Writes down deposits, outputs and withdrawals.
    bridge: BridgeWatch,
    /// Read from L1, not derived yet.
    waiting: VecDeque<PostedRecord>,
    /// The last block of each record that L1 has not finalized: `(L1 block, last L2 block)`.
    unfinal: VecDeque<(u64, u64)>,
    /// Stop when L1 asserts another output root than ours.
    pub compare_assertions: bool,
    asserted_from: u64,
    /// The chain on disk was compared with L1, which may have been reorganised while we were away.
    aligned: bool,
}

/// Where the store's last record leaves derivation.
pub fn resume(store: &Store) -> anyhow::Result<Cursor> {
    let Some(last) = store.last_record()? else {
        let genesis = store.block(0)?.context("no genesis block")?;
        return Ok(Cursor {
            records: 0,
            batch_acc: B256::ZERO,
            queue_consumed: 0,
            queue_acc: B256::ZERO,
            anchor: Anchor::default(),
            parent_timestamp: genesis.header.timestamp,
            parent_number: 0,
        });
    };
    let block = store
        .header(last.last_block)?
        .context("the last record's block is missing")?;
    let meta = store
        .meta(last.last_block)?
        .context("the last record's block has no meta data")?;
    let note = Note::read(store, last.index)?;
    Ok(Cursor {
        records: last.index + 1,
        batch_acc: last.acc,
        queue_consumed: meta.queue_consumed,
        queue_acc: note.queue_acc,
        anchor: meta.anchor,
        parent_timestamp: block.timestamp,
        parent_number: last.last_block,
    })
}

/// L1 blocks before the last record's that are read again at a start: deeper than any reorg while we were away.
const READ_AGAIN: u64 = 96;

/// Where to begin to read L1: at a record that no reorg reaches, or at the inbox's deployment.
fn tracker_start(store: &Store, deployed_at: u64) -> anyhow::Result<TrackerStart> {
    let mut index = match store.last_record()? {
        Some(last) => last.index,
        None => {
            return Ok(TrackerStart {
                from: deployed_at,
                ..TrackerStart::default()
            });
        }
    };
    let newest = store
        .record(index)?
        .context("a record is missing")?
        .l1_block;
    loop {
        let record = store.record(index)?.context("a record is missing")?;
        if record.l1_block + READ_AGAIN <= newest {
            let Ok(note) = Note::read(store, index) else {
                return Ok(TrackerStart {
                    from: deployed_at,
                    ..TrackerStart::default()
                });
            };
            let consumed = store
                .meta(record.last_block)?
                .context("a record's block has no meta data")?
                .queue_consumed;
            return Ok(TrackerStart {
                from: note.read_from,
                entries: (consumed, note.queue_acc),
                records: (index + 1, record.acc),
            });
        }
        match index.checked_sub(1) {
            Some(before) => index = before,
            None => {
                return Ok(TrackerStart {
                    from: deployed_at,
                    ..TrackerStart::default()
                });
            }
        }
    }
}

/// What is kept beside each record to begin there again.
struct Note {
    /// The queue's accumulator after the record.
    queue_acc: B256,
    /// The L1 block from which on everything not yet consumed by it was logged.
    read_from: u64,
}

impl Note {
    const NAMESPACE: &str = "record";
    /// Notes kept: more records than [`READ_AGAIN`] L1 blocks can hold in practice; without one, L1 is read whole.
    const KEPT: u64 = 1_024;

    fn read(store: &Store, record: u64) -> anyhow::Result<Self> {
        let notes = store.journal_scan(Self::NAMESPACE)?;
        let key = record.to_be_bytes();
        let (_, note) = notes
            .iter()
            .find(|(k, _)| *k == key)
            .context("no note beside a record")?;
        let (acc, from) = note
            .split_first_chunk::<32>()
            .context("a damaged note beside a record")?;
        Ok(Self {
            queue_acc: B256::from(*acc),
            read_from: u64::from_be_bytes(from.try_into()?),
        })
    }

    fn write(&self, store: &Store, record: u64) -> anyhow::Result<()> {
        let note = [self.queue_acc.as_slice(), &self.read_from.to_be_bytes()].concat();
        Ok(store.journal_put(Self::NAMESPACE, &record.to_be_bytes(), Some(&note))?)
    }
}

impl Driver {
    /// Begins where the store's last record ends.
    pub fn new(chain: Arc<Chain>, client: Client) -> anyhow::Result<Self> {
        let start = tracker_start(&chain.store, chain.network.contracts.deployed_at)?;
        chain.l1.begin(start.entries.0, start.entries.1);
        Ok(Self {
            bridge: BridgeWatch::open(chain.clone())?,
            tracker: Tracker::new(start),
            cursor: resume(&chain.store)?,
            waiting: VecDeque::new(),
            unfinal: VecDeque::new(),
            compare_assertions: false,
            asserted_from: chain.network.contracts.deployed_at,
            aligned: false,
            chain,
            client,
        })
    }

    /// Runs until the chain stops. Errors end the process, except that L1 may be unreachable for as long as it likes.
    pub async fn run(mut self, poll: Duration) -> anyhow::Result<()> {
        let mut quiet_failures = 0u32;
        while !self.chain.is_stopping() {
            match self.step().await {
                Ok(()) => quiet_failures = 0,
                Err(error) => match error.downcast_ref::<L1Error>() {
                    Some(L1Error::Moved) => {}
                    Some(L1Error::Contract(..)) | None => return Err(error),
                    Some(_) => {
                        // The first failures may be a restart on the other side.
                        quiet_failures += 1;
                        if quiet_failures.is_power_of_two() {
                            tracing::warn!(%error, failures = quiet_failures, "L1");
                        }
                        metrics::counter!("l1_failures").increment(1);
                    }
                },
            }
            tokio::time::sleep(poll).await;
        }
        Ok(())
    }

    /// Records derived.
    pub const fn records(&self) -> u64 {
        self.cursor.records
    }

    /// One look at L1, and all that follows from it.
    pub async fn step(&mut self) -> anyhow::Result<()> {
        let update = self.tracker.poll(&self.client).await?;
        self.take(update).await?;
        if !self.aligned {
            self.align().await?;
        }
        // Before anything is derived: proofs are made as the chain passes the outputs' blocks.
        let tracker = &self.tracker;
        if let (Some(newest), (_, finalized)) =
            (tracker.next_block().checked_sub(1), self.chain.l1.heads())
        {
            self.bridge
                .read(&self.client, newest, finalized, |number| {
                    tracker.hash_of(number)
                })
                .await?;
        }
        self.derive_waiting().await?;
        self.prove_withdrawals().await?;
        let (there, here) = (self.tracker.record_count(), self.cursor.records);
        anyhow::ensure!(
            there == here || self.chain.is_stopping(),
            "L1 holds {there} records and {here} are derived, with none waiting; a restart reads L1 again"
        );
        self.finalize()?;
        if self.compare_assertions {
            self.compare().await?;
        }
        self.chain.l1.set_caught_up();
        Ok(())
    }

    async fn take(&mut self, update: L1Update) -> anyhow::Result<()> {
        if let Some(keep) = update.reorg_to {
            tracing::warn!(keep, "L1 was reorganised");
            metrics::counter!("l1_reorgs").increment(1);
            self.rewind_l1(keep)?;
        }
        for posted in update.records {
            if posted.index >= self.cursor.records {
                self.waiting.push_back(posted);
            } else if self.chain.store.record(posted.index)?.is_none_or(|known| {
                known.acc != posted.acc || known.l1_block_hash != posted.at.hash
            }) {
                // Another record in the place of one we derived, or the same in another L1 block: L1 was reorganised
                // while we were away.
                self.forget_records(posted.index)?;
                self.waiting.push_back(posted);
            } else if let Some(known) = self.chain.store.record(posted.index)? {
                self.unfinal.push_back((posted.at.number, known.last_block));
            }
        }
        self.chain
            .l1
            .add(update.entries, update.head, update.safe, update.finalized);
        if let Some(head) = update.head {
            let newest = head
                .number
                .saturating_sub(self.chain.network.l1.queue_confirmations);
            let known = self
                .chain
                .l1
                .newest_anchor()
                .map_or(0, |anchor| anchor.number);
            // After a pause only the newest matter: a block may skip anchors.
            for number in newest.max(1).saturating_sub(16).max(known + 1)..=newest {
                let Some(header) = self.client.header(number).await? else {
                    break;
                };
                // Of the fork that the tracker reads, or its next reorg would not take the anchor back. Blocks before
                // those it remembers are no anchors.
                match self.tracker.hash_of(number) {
                    None => continue,
                    Some(read) if read != header.hash_slow() => break,
                    Some(_) => {}
                }
                self.chain
                    .l1
                    .add_anchor(derivation::anchor_of(&header, &self.chain.network));
            }
        }
        Ok(())
    }

    /// Once after a start: records and anchors that L1 no longer has are forgotten.
    async fn align(&mut self) -> anyhow::Result<()> {
        let there = self.tracker.record_count();
        if there < self.cursor.records {
            self.forget_records(there)?;
        }
        let head = self.chain.store.head().header.number;
        let mut stands = head;
        let mut checked = None;
        // From below: a block may follow one whose anchor is gone, if L1 moved between the two.
        for number in self.cursor.parent_number + 1..=head {
            let anchor = self
                .chain
                .store
                .meta(number)?
                .context("a block has no meta data")?
                .anchor;
            if checked == Some(anchor.number) {
                continue;
            }
            let there = self.client.header(anchor.number).await?;
            if there.is_none_or(|header| header.hash_slow() != anchor.hash) {
                stands = number - 1;
                break;
            }
            checked = Some(anchor.number);
        }
        if stands < head {
            tracing::warn!(
                from = stands + 1,
                to = head,
                "L1 was reorganised while we were away; blocks are taken back"
            );
            let _writing = self.chain.writing.lock();
            self.chain.rewind(stands)?;
        }
        self.aligned = true;
        Ok(())
    }

    /// Forgets records from `index` on. Their blocks stay, unsafe, until L1 says otherwise.
    fn forget_records(&mut self, index: u64) -> anyhow::Result<()> {
        self.chain.store.truncate_records(index)?;
        self.cursor = resume(&self.chain.store)?;
        let safe = self.cursor.parent_number;
        self.unfinal.retain(|(_, last_block)| *last_block <= safe);
        Ok(())
    }

    /// Forgets records above L1 block `keep`, and blocks that name an anchor above it.
    fn rewind_l1(&mut self, keep: u64) -> anyhow::Result<()> {
        let chain = self.chain.clone();
        let _writing = chain.writing.lock();
        chain.l1.rewind(keep);
        self.waiting.retain(|posted| posted.at.number <= keep);
        self.bridge.rewind(keep)?;
        self.asserted_from = self.asserted_from.min(keep + 1);
        let mut records = self.cursor.records;
        while let Some(last) = records.checked_sub(1) {
            if chain
                .store
                .record(last)?
                .is_some_and(|info| info.l1_block <= keep)
            {
                break;
            }
            records = last;
        }
        if records < self.cursor.records {
            self.forget_records(records)?;
        }
        // Blocks above the fork's anchors cannot be posted any more.
        let head = chain.store.head().header.number;
        let mut stands = head;
        while stands > 0
            && chain
                .store
                .meta(stands)?
                .is_some_and(|meta| meta.anchor.number > keep)
        {
            stands -= 1;
        }
        if stands < head {
            tracing::warn!(
                from = stands + 1,
                to = head,
                "blocks that refer to replaced L1 blocks are taken back"
            );
            chain.rewind(stands)?;
            self.cursor = resume(&chain.store)?;
        }
        Ok(())
    }

    async fn derive_waiting(&mut self) -> anyhow::Result<()> {
        while let Some(posted) = self.waiting.front().cloned() {
            if self.chain.is_stopping() {
                return Ok(());
            }
            self.derive(&posted).await?;
            self.waiting.pop_front();
            self.prove_withdrawals().await?;
        }
        Ok(())
    }

    /// Proofs of withdrawals that outputs up to the safe block cover. Takes long if there are many.
    async fn prove_withdrawals(&mut self) -> anyhow::Result<()> {
        let (mut bridge, limit) = (self.bridge.clone(), self.cursor.parent_number);
        if !bridge.has_work(limit)? {
            return Ok(());
        }
        self.bridge = tokio::task::spawn_blocking(move || {
            bridge.prove(limit)?;
            anyhow::Ok(bridge)
        })
        .await??;
        Ok(())
    }

    async fn derive(&mut self, posted: &PostedRecord) -> anyhow::Result<()> {
        let consumed = posted.record.queue_consumed;
        if self.is_ours(posted)? {
            return self.settle_ours(posted);
        }
        let Some(queued) = self.chain.l1.entries(self.cursor.queue_consumed, consumed) else {
            bail!(L1Error::Moved);
        };
        let entries: Vec<QueueEntry> = queued.into_iter().map(|queued| queued.entry).collect();
        let payload = match posted.record.kind {
            RecordKind::Forced => Payload::None,
            RecordKind::Calldata => Payload::Calldata(posted.payload.clone()),
            RecordKind::Blobs => {
                Payload::Blobs(self.client.blobs(posted.at, &posted.blob_hashes).await?)
            }
        };
        let record = L1Record {
            index: posted.index,
            record: posted.record,
            l1_block: posted.at.number,
            blob_hashes: posted.blob_hashes.clone(),
            payload,
        };
        let first_anchor = derivation::first_anchor(&self.chain.network, &self.cursor, &record);
        let headers = self
            .client
            .headers(first_anchor, posted.record.anchor_number)
            .await?;
        let chain = self.chain.clone();
        let cursor = self.cursor.clone();
        let (at, tx, index) = (posted.at, posted.tx, posted.index);
        // Decoding, recovering signatures and executing take long; the runtime's threads serve RPC.
        let after = tokio::task::spawn_blocking(move || -> anyhow::Result<Cursor> {
            let batch = match derivation::derive(
                &chain.network,
                &cursor,
                &record,
                &entries,
                &headers,
                &recover,
            ) {
                Ok(batch) => batch,
                Err(error) => {
                    // What L1 gave does not fit together: it was read while it moved.
                    tracing::debug!(%error, record = index, "read again");
                    bail!(L1Error::Moved);
                }
            };
            let _writing = chain.writing.lock();
            let last_block = make_agree(&chain, &cursor, &batch)?;
            let info = BatchInfo {
                index,
                acc: batch.after.batch_acc,
                first_block: cursor.parent_number + 1,
                last_block,
                l1_block: at.number,
                l1_block_hash: at.hash,
                l1_tx: tx,
            };
            let header = chain
                .store
                .header(last_block)?
                .context("the block just derived is missing")?;
            let meta = chain
                .store
                .meta(last_block)?
                .context("the block just derived has no meta data")?;
            note(
                &chain,
                index,
                at.number,
                meta.queue_consumed,
                batch.after.queue_acc,
            )?;
            chain.store.put_record(info)?;
            chain.store.set_safe(last_block)?;
            Ok(Cursor {
                parent_number: last_block,
                parent_timestamp: header.timestamp,
                anchor: meta.anchor,
                ..batch.after
            })
        })
        .await??;
        tracing::debug!(
            record = index,
            last_block = after.parent_number,
            "record derived"
        );
        metrics::gauge!("safe_block").set(after.parent_number as f64);
        self.cursor = after;
        self.unfinal
            .push_back((at.number, self.cursor.parent_number));
        Ok(())
    }

    /// True if L1 appended a batch that this process signed and whose blocks still stand.
    fn is_ours(&self, posted: &PostedRecord) -> anyhow::Result<bool> {
        let last_block = self.chain.own_batches.lock().get(&posted.acc).copied();
        Ok(last_block.is_some_and(|last| last <= self.chain.store.head().header.number))
    }

    /// Our own batch needs no derivation: its accumulator binds the payload, and the payload was made of our blocks.
    fn settle_ours(&mut self, posted: &PostedRecord) -> anyhow::Result<()> {
        let chain = self.chain.clone();
        let _writing = chain.writing.lock();
        let Some(last_block) = chain.own_batches.lock().remove(&posted.acc) else {
            bail!(L1Error::Moved)
        };
        let meta = chain
            .store
            .meta(last_block)?
            .context("a block of our batch has no meta data")?;
        let info = BatchInfo {
            index: posted.index,
            acc: posted.acc,
            first_block: self.cursor.parent_number + 1,
            last_block,
            l1_block: posted.at.number,
            l1_block_hash: posted.at.hash,
            l1_tx: posted.tx,
        };
        note(
            &chain,
            posted.index,
            posted.at.number,
            meta.queue_consumed,
            posted.record.queue_acc,
        )?;
        chain.store.put_record(info)?;
        chain.store.set_safe(last_block)?;
        metrics::gauge!("safe_block").set(last_block as f64);
        self.cursor = Cursor {
            records: posted.index + 1,
            batch_acc: posted.acc,
            queue_consumed: meta.queue_consumed,
            queue_acc: posted.record.queue_acc,
            anchor: meta.anchor,
            parent_timestamp: posted.record.last_timestamp,
            parent_number: last_block,
        };
        self.unfinal.push_back((posted.at.number, last_block));
        Ok(())
    }

    fn finalize(&mut self) -> anyhow::Result<()> {
        let (_, finalized) = self.chain.l1.heads();
        let mut newest = None;
        while self
            .unfinal
            .front()
            .is_some_and(|(l1_block, _)| *l1_block <= finalized)
        {
            newest = self.unfinal.pop_front();
        }
        if let Some((_, last_block)) = newest {
            self.chain.store.set_finalized(last_block)?;
            metrics::gauge!("finalized_block").set(last_block as f64);
            if let Some(meta) = self.chain.store.meta(last_block)? {
                self.chain.l1.forget(meta.queue_consumed);
            }
        }
        Ok(())
    }

    /// Compares every asserted output root with ours.
    async fn compare(&mut self) -> anyhow::Result<()> {
        let Some(head) = self.chain.l1.heads().0 else {
            return Ok(());
        };
        if self.asserted_from > head.number {
            return Ok(());
        }
        let rollup = self.chain.network.contracts.rollup;
        let asserted = self
            .client
            .events::<bindings::rollup::Rollup::Asserted>(rollup, self.asserted_from, head.number)
            .await?;
        for (at, assertion) in asserted {
            let number = assertion.l2Number;
            if number > self.cursor.parent_number {
                // Not derived yet: look again from here.
                self.asserted_from = at.number;
                return Ok(());
            }
            let header = self
                .chain
                .store
                .header(number)?
                .context("a derived block is missing")?;
            let ours = crate::genesis::output_root(&header);
            if ours != assertion.outputRoot {
                bail!(
                    "first differing block: {number} at the latest. {} asserts output root {} for it on L1 \
                     (block {}), we derive {ours} (block hash {}). One of the two is wrong; if this program and the \
                     network file are the right ones, the assertion is",
                    assertion.proposer,
                    assertion.outputRoot,
                    at.number,
                    header.hash_slow()
                );
            }
        }
        self.asserted_from = head.number + 1;
        Ok(())
    }
}

fn recover(
    raw: Vec<alloy_primitives::Bytes>,
) -> Vec<Result<primitives::CheckedTx, primitives::TxError>> {
    use rayon::prelude::*;
    raw.into_par_iter()
        .map(primitives::CheckedTx::decode)
        .collect()
}

/// Makes the chain say what the record says; returns the record's last block. The caller holds `writing`.
fn make_agree(chain: &Chain, cursor: &Cursor, batch: &DerivedBatch) -> anyhow::Result<u64> {
    if let Ok(blocks) = &batch.blocks {
        match follow(chain, cursor, blocks)? {
            Ok(last) => return Ok(last),
            Err(error) => {
                tracing::warn!(%error, record = cursor.records, "a batch does not execute; its deposits are executed alone");
            }
        }
    } else if let Err(reason) = &batch.blocks {
        tracing::warn!(%reason, record = cursor.records, "a record without valid payload; its deposits are executed alone");
    }
    metrics::counter!("records_without_valid_payload").increment(1);
    match follow(chain, cursor, &batch.deposit_only)? {
        Ok(last) => Ok(last),
        Err(error) => bail!(
            "deposit-only blocks of record {} do not execute: {error}",
            cursor.records
        ),
    }
}

/// Keeps the blocks that say the same already, rewinds at the first that does not, executes the rest.
fn follow(
    chain: &Chain,
    cursor: &Cursor,
    inputs: &[BlockInput],
) -> anyhow::Result<Result<u64, stf::BlockError>> {
    let mut number = cursor.parent_number;
    let mut consumed = cursor.queue_consumed;
    for input in inputs {
        number += 1;
        consumed += input
            .transactions
            .iter()
            .take_while(|tx| tx.tx.is_deposit())
            .count() as u64;
        if number <= chain.store.head().header.number {
            let block = chain
                .store
                .block(number)?
                .context("a block below the head is missing")?;
            let anchor = chain.store.meta(number)?.map(|meta| meta.anchor);
            if same_input(&block, input) && anchor == Some(input.anchor) {
                continue;
            }
            tracing::warn!(
                number,
                "L1 says otherwise than our chain from this block on; taking it back"
            );
            chain.rewind(number - 1)?;
        }
        if let Err(error) = chain.apply(input, consumed)? {
            if chain.store.head().header.number > cursor.parent_number {
                chain.rewind(cursor.parent_number)?;
            }
            return Ok(Err(error));
        }
    }
    Ok(Ok(number))
}

fn same_input(block: &SealedBlock, input: &BlockInput) -> bool {
    block.header.timestamp == input.timestamp
        && block.transactions.len() == input.transactions.len()
        && block
            .transactions
            .iter()
            .zip(&input.transactions)
            .all(|(ours, theirs)| ours.hash == theirs.hash)
}

/// Writes down where to begin again behind a record.
fn note(
    chain: &Chain,
    record: u64,
    l1_block: u64,
    consumed: u64,
    queue_acc: B256,
) -> anyhow::Result<()> {
    let oldest_waiting = chain
        .l1
        .entries(consumed, consumed + 1)
        .and_then(|entries| entries.first().map(|q| q.at.number));
    let read_from = oldest_waiting.map_or(l1_block, |oldest| oldest.min(l1_block));
    Note {
        queue_acc,
        read_from,
    }
    .write(&chain.store, record)?;
    match record.checked_sub(Note::KEPT) {
        Some(old) => Ok(chain
            .store
            .journal_put(Note::NAMESPACE, &old.to_be_bytes(), None)?),
        None => Ok(()),
    }
}
