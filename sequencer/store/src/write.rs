//! Seal, publish, discard: the way of a block into the store.
//!
//! ```text
//!            ┌──publish──▶ head (in the log, synced; in RAM; later in the tables)
//! seal ──▶ pending
//!            └──discard──▶ gone
//! ```

use crate::{
    BlockMeta, ChainEvent, PendingBlock, Result, Store, StoreError,
    log::LogRef,
    recent::{RecentBlock, block_bytes, diff_bytes},
    store::{Inner, Writer},
};
use primitives::{SealedBlock, predeploys::MESSAGE_PASSER};
use std::sync::Arc;
use stf::{ExecutedBlock, Rules};

impl Store {
    /// Computes the roots and the hash. The block is not visible; one at a time may wait. Refuses a block that does
    /// not stand on the head.
    pub fn seal(&self, executed: ExecutedBlock, meta: BlockMeta) -> Result<Arc<PendingBlock>> {
        self.inner.seal(executed, meta)
    }

    /// Writes the block to the log, syncs it, and only then makes it the head and tells the listeners.
    ///
    /// Waits while the tables are too far behind. After [`StoreError::Disk`] it is unknown whether the block is
    /// durable; restart.
    pub fn publish(&self, pending: Arc<PendingBlock>) -> Result<Arc<SealedBlock>> {
        self.inner.publish(pending)
    }

    /// Drops a sealed block as if it had never been.
    pub fn discard(&self, pending: Arc<PendingBlock>) -> Result<()> {
        let mut writer = self.inner.writer()?;
        if !writer.waits(&pending) {
            return Err(StoreError::NotPending(pending.block.header.number));
        }
        self.inner.discard_pending(&mut writer)
    }

    /// Calls `listener` for every event from now on.
    pub fn subscribe(&self, listener: crate::Listener) {
        self.inner.listeners.write().push(listener);
    }
}

impl Writer {
    fn waits(&self, pending: &Arc<PendingBlock>) -> bool {
        self.pending
            .as_ref()
            .is_some_and(|p| Arc::ptr_eq(p, pending))
    }
}

impl Inner {
    pub fn seal(&self, mut executed: ExecutedBlock, meta: BlockMeta) -> Result<Arc<PendingBlock>> {
        let mut writer = self.writer()?;
        let head = self.head.load();
        if let Some(pending) = &writer.pending {
            return Err(StoreError::Pending(pending.block.header.number));
        }
        let number = executed.header.number;
        if number != head.header.number + 1 || executed.header.parent_hash != head.hash {
            return Err(StoreError::NotOnHead {
                number,
                head: head.header.number,
            });
        }
        self.list_dropped_slots(&mut executed.diff)?;
        let trie = &mut writer.trie;
        let state_root = executed.state_root(|diff| {
            let roots = trie.apply(diff).map_err(|e| self.stop(e.into()))?;
            Ok::<_, StoreError>(roots.state_root)
        })?;
        let withdrawals_root = match &*self.rules {
            Rules::Rollup(_) => Some(
                trie.storage_root(MESSAGE_PASSER)
                    .map_err(|e| self.stop(e.into()))?,
            ),
            Rules::Ethereum(_) => None,
        };
        let (block, diff) = executed.seal(state_root, withdrawals_root);
        let pending = Arc::new(PendingBlock {
            block: Arc::new(block),
            diff: Arc::new(diff),
            meta,
        });
        writer.pending = Some(pending.clone());
        Ok(pending)
    }

    fn publish(&self, pending: Arc<PendingBlock>) -> Result<Arc<SealedBlock>> {
        let _turn = self.turn.lock();
        let mut writer = self.writer()?;
        if !writer.waits(&pending) {
            return Err(StoreError::NotPending(pending.block.header.number));
        }
        self.queue
            .wait_while_behind(writer.dirty_txs, self.options.lag_txs_max);
        self.running()?;
        let at = writer
            .log
            .append_block(&pending.block, &pending.meta)
            .map_err(|e| self.stop(e))?;
        self.make_head(&mut writer, &pending, at);
        if self.flush_is_due(&writer) {
            self.cut_flush(&mut writer)?;
        }
        drop(writer);
        self.tell(&ChainEvent::Head(pending.block.clone()));
        Ok(pending.block.clone())
    }

    /// The block is in the log at `at`: shows it to readers.
    pub fn make_head(&self, writer: &mut Writer, pending: &PendingBlock, at: LogRef) {
        let PendingBlock { block, diff, meta } = pending;
        writer.pending = None;
        writer.dirty_txs += block.transactions.len() as u64;
        let bytes = block_bytes(block);
        writer.dirty_bytes += bytes + diff_bytes(diff);
        self.state.push(block.header.number, diff);
        let recent = RecentBlock {
            block: block.clone(),
            meta: *meta,
            at,
            diff: Some(diff.clone()),
            bytes,
        };
        self.recent.write().push(recent);
        self.head.store(block.clone());
        metrics::gauge!("store_head").set(block.header.number as f64);
        metrics::gauge!("store_unflushed_txs").set(writer.dirty_txs as f64);
    }

    /// Takes the waiting block, if any, out of the trie again.
    pub fn discard_pending(&self, writer: &mut Writer) -> Result<()> {
        if let Some(pending) = writer.pending.take() {
            writer
                .trie
                .apply(&pending.diff.reversed())
                .map_err(|e| self.stop(e.into()))?;
        }
        Ok(())
    }

    pub fn tell(&self, event: &ChainEvent) {
        for listener in self.listeners.read().iter() {
            listener(event);
        }
    }
}
