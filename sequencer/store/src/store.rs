//! The store's parts and the small types that cross its border.

use crate::{
    Kv, Result, StoreError, StoreOptions,
    cache::ByBytes,
    flush::FlushQueue,
    log::{BlockLog, LogReader},
    recent::Recent,
    records::Markers,
    state::State,
};
use alloy_primitives::B256;
use arc_swap::ArcSwap;
use parking_lot::{Mutex, MutexGuard, RwLock};
use primitives::{Anchor, SealedBlock, StateDiff};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    thread::JoinHandle,
};
use stf::Rules;
use trie::{NodeSource, StateTrie, TrieError};

/// What belongs to a block but is not in its header. All zero on Ethereum chains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BlockMeta {
    /// The L1 block that it refers to.
    pub anchor: Anchor,
    /// Entries of L1's queue consumed by this block and all before it.
    pub queue_consumed: u64,
}

/// One batch as L1 recorded it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BatchInfo {
    /// Position in the inbox, from 0.
    pub index: u64,
    /// The inbox's accumulator after it.
    pub acc: B256,
    /// First L2 block made from it.
    pub first_block: u64,
    /// Last one; `first_block - 1` if it made none.
    pub last_block: u64,
    /// L1 block that holds it.
    pub l1_block: u64,
    /// Hash of that block.
    pub l1_block_hash: B256,
    /// L1 transaction that brought it.
    pub l1_tx: B256,
}

/// What happened to the chain.
#[derive(Debug, Clone)]
pub enum ChainEvent {
    /// This block is the new head.
    Head(Arc<SealedBlock>),
    /// The head went back.
    Rewound {
        /// The new head's number.
        to: u64,
        /// Blocks that are no longer on the chain, newest first.
        removed: Vec<Arc<SealedBlock>>,
    },
}

/// Told of each event in order, on the thread that caused it: must not publish or rewind. Should hold the store by
/// `Weak`, if at all, since the store holds the listener.
pub type Listener = Box<dyn Fn(&ChainEvent) + Send + Sync>;

/// A sealed block that nobody sees yet.
#[derive(Debug)]
pub struct PendingBlock {
    pub(crate) block: Arc<SealedBlock>,
    pub(crate) diff: Arc<StateDiff>,
    pub(crate) meta: BlockMeta,
}

impl PendingBlock {
    /// The block, its hash final.
    pub fn block(&self) -> &Arc<SealedBlock> {
        &self.block
    }

    /// What it changes; removed accounts list all their slots.
    pub fn diff(&self) -> &Arc<StateDiff> {
        &self.diff
    }

    /// Its anchor and queue position.
    pub fn meta(&self) -> &BlockMeta {
        &self.meta
    }
}

/// The chain on disk. Dropping it writes what is behind and ends its thread.
pub struct Store {
    pub(crate) inner: Arc<Inner>,
    pub(crate) flusher: Mutex<Option<JoinHandle<()>>>,
}

/// All but the thread. Locks are taken in the order of the fields.
pub(crate) struct Inner {
    pub options: StoreOptions,
    pub rules: Arc<Rules>,
    pub genesis_hash: B256,
    pub genesis_number: u64,
    pub kv: Arc<dyn Kv>,
    pub log_reader: LogReader,
    /// Held from a change of the chain until its listeners were told, so that they hear in order.
    pub turn: Mutex<()>,
    pub writer: Mutex<Writer>,
    pub queue: FlushQueue,
    /// Heights that rewinds went back to. Held for writing while tables and overlay disagree.
    pub rewinds: RwLock<Vec<u64>>,
    pub recent: RwLock<Recent>,
    pub state: State,
    pub head: ArcSwap<SealedBlock>,
    /// Height of the tables.
    pub flushed: AtomicU64,
    pub disk_blocks: ByBytes<u64, Arc<SealedBlock>>,
    pub markers: Mutex<Markers>,
    pub listeners: RwLock<Vec<Listener>>,
    /// Why nothing can be written any more.
    pub stopped: Mutex<Option<String>>,
}

/// What only the one who changes the chain may touch.
pub(crate) struct Writer {
    pub log: BlockLog,
    /// The state after the pending block if there is one, else after the head.
    pub trie: StateTrie<TableNodes>,
    pub pending: Option<Arc<PendingBlock>>,
    /// Published since the last flush was cut.
    pub dirty_txs: u64,
    pub dirty_bytes: usize,
}

impl Inner {
    /// The writer, unless an earlier failure forbids writing.
    pub fn writer(&self) -> Result<MutexGuard<'_, Writer>> {
        let writer = self.writer.lock();
        self.running()?;
        Ok(writer)
    }

    pub fn running(&self) -> Result<()> {
        match &*self.stopped.lock() {
            Some(why) => Err(StoreError::Stopped(why.clone())),
            None => Ok(()),
        }
    }

    /// Forbids all further writing: log, trie and tables may disagree, and only a restart brings them together.
    pub fn stop(&self, error: StoreError) -> StoreError {
        tracing::error!(%error, "the store stops writing");
        self.stopped.lock().get_or_insert_with(|| error.to_string());
        self.queue.wake();
        error
    }

    pub fn head_number(&self) -> u64 {
        self.head.load().header.number
    }

    pub fn flushed(&self) -> u64 {
        self.flushed.load(SeqCst)
    }
}

/// Trie nodes of the tables.
#[derive(Clone)]
pub(crate) struct TableNodes(pub Arc<dyn Kv>);

impl NodeSource for TableNodes {
    fn node(
        &self,
        owner: B256,
        path: &trie::Nibbles,
        hash: B256,
    ) -> Result<alloy_primitives::Bytes, TrieError> {
        crate::proof::node(&*self.0, owner, path, hash)
    }
}
