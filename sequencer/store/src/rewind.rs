//! Going back: durable, over blocks that the tables have and blocks that they do not have yet.
//!
//! The log says so first. What is in RAM is dropped; what is in the tables is undone by one atomic batch; a crash
//! between the two is finished at the next start, from the log.

use crate::{
    Batch, ChainEvent, Result, Store, StoreError,
    flush::{delete_history, put_nodes},
    kv,
    log::LogPosition,
    log_terms::delete_index,
    read::row_missing,
    receipts::{delete_receipts, receipts},
    schema::{self, SlotKey, TipRow},
    store::{Inner, Writer},
    undo::undo,
};
use primitives::{SealedBlock, withdrawal::withdrawal_hashes};
use std::sync::{Arc, atomic::Ordering::SeqCst};

impl Store {
    /// Takes all blocks above `to` off the chain and returns them, newest first. A sealed block that waits is
    /// dropped; batch records above `to` are forgotten; safe and finalized height fall to `to` if they were above.
    /// Fails with [`StoreError::Pruned`] if the history does not reach that far.
    pub fn rewind(&self, to: u64) -> Result<Vec<Arc<SealedBlock>>> {
        self.inner.rewind(to)
    }
}

impl Inner {
    fn rewind(&self, to: u64) -> Result<Vec<Arc<SealedBlock>>> {
        let _turn = self.turn.lock();
        let mut writer = self.writer()?;
        let head = self.head_number();
        if to > head || to < self.genesis_number {
            return Err(StoreError::NoBlock { number: to, head });
        }
        self.queue.wait_until_idle();
        self.running()?;
        let oldest = self.state.oldest();
        if to < oldest {
            return Err(StoreError::Pruned { number: to, oldest });
        }
        self.discard_pending(&mut writer)?;
        if to == head {
            return Ok(Vec::new());
        }
        let mut removed = Vec::new();
        for number in (to + 1..=head).rev() {
            removed.push(
                self.load_block(number)?
                    .ok_or_else(|| row_missing("headers", number))?,
            );
        }
        // Before the log: a record lost by a crash in between is read from L1 again; one that names blocks of
        // another chain would stay.
        self.drop_records_above(to)?;
        let at = writer.log.append_rewind(to).map_err(|e| self.stop(e))?;
        self.go_back(&mut writer, to, at.end())
            .map_err(|e| self.stop(e))?;
        drop(writer);
        self.tell(&ChainEvent::Rewound {
            to,
            removed: removed.clone(),
        });
        Ok(removed)
    }

    /// Makes `to` the head in RAM and tables. The log, up to `log`, already says so; nothing is pending and no
    /// flush under way.
    pub fn go_back(&self, writer: &mut Writer, to: u64, log: LogPosition) -> Result<()> {
        let mut rewinds = self.rewinds.write();
        let flushed = self.flushed();
        let ram_to = to.max(flushed);
        {
            let mut recent = self.recent.write();
            while let Some(block) = recent.pop_above(to) {
                if let Some(diff) = block.diff.filter(|_| block.block.header.number > flushed) {
                    writer.trie.apply(&diff.reversed())?;
                    self.state.overlay.undo(&diff, ram_to);
                }
            }
        }
        if to < flushed {
            self.undo_tables(writer, flushed, to, log)?;
        }
        let head = self.load_block_afresh(to)?;
        if writer.trie.root()? != head.header.state_root {
            return Err(StoreError::Tables(format!(
                "undoing blocks down to {to} gave another state root; run `db check`"
            )));
        }
        self.head.store(head);
        writer.dirty_txs = self
            .recent
            .read()
            .above(self.flushed())
            .map(|b| b.block.transactions.len() as u64)
            .sum();
        self.lower_markers(to)?;
        rewinds.push(to);
        metrics::counter!("store_rewinds").increment(1);
        Ok(())
    }

    fn load_block_afresh(&self, number: u64) -> Result<Arc<SealedBlock>> {
        self.disk_blocks.clear();
        self.load_block(number)?
            .ok_or_else(|| row_missing("headers", number))
    }

    fn undo_tables(&self, writer: &mut Writer, from: u64, to: u64, log: LogPosition) -> Result<()> {
        let kv = &*self.kv;
        let diff = undo(kv, from, to)?;
        writer.trie.apply(&diff)?;
        let mut batch = Batch::default();
        for account in &diff.accounts {
            match &account.after {
                Some(after) => batch.put::<schema::Accounts>(&account.address, after),
                None => batch.delete::<schema::Accounts>(&account.address),
            }
            for slot in &account.slots {
                let key = SlotKey(account.address, slot.slot);
                match slot.after.is_zero() {
                    true => batch.delete::<schema::Slots>(&key),
                    false => batch.put::<schema::Slots>(&key, &slot.after),
                }
            }
        }
        put_nodes(&mut batch, kv, &writer.trie.take_dirty()?)?;
        for number in to + 1..=from {
            self.delete_block(&mut batch, number)?;
        }
        let hash = self
            .load_hash(to)?
            .ok_or_else(|| row_missing("headers", to))?;
        let tip = TipRow {
            schema: schema::SCHEMA_VERSION,
            genesis: self.genesis_hash,
            height: to,
            hash,
            log,
            oldest: self.state.oldest(),
        };
        batch.put::<schema::Tip>(&(), &tip);
        kv.write(&batch, true)?;
        self.state.tables_rewound(to);
        self.flushed.store(to, SeqCst);
        Ok(())
    }

    fn delete_block(&self, batch: &mut Batch, number: u64) -> Result<()> {
        let kv = &*self.kv;
        delete_history(batch, kv, number)?;
        let row = kv::get::<schema::Headers>(kv, &number)?
            .ok_or_else(|| row_missing("headers", number))?;
        let body =
            kv::get::<schema::Bodies>(kv, &number)?.ok_or_else(|| row_missing("bodies", number))?;
        let receipts = receipts(kv, number)?.ok_or_else(|| row_missing("receipts", number))?;
        for tx in self.log_reader.block(body.at)?.transactions {
            batch.delete::<schema::Transactions>(&tx.hash);
        }
        for (_, hash) in withdrawal_hashes(&receipts) {
            batch.delete::<schema::Withdrawals>(&hash);
        }
        delete_index(batch, number, &receipts);
        delete_receipts(batch, number, &receipts);
        batch.delete::<schema::Headers>(&number);
        batch.delete::<schema::Numbers>(&row.hash);
        batch.delete::<schema::Bodies>(&number);
        Ok(())
    }
}
