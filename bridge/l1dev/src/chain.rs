//! The chain and what changes it: blocks, reorgs, time. One caller at a time.

use crate::{
    L1DevError, Options, blobs::Blobs, genesis::genesis, mining::Signal, options::Clock,
    quiet::quietly, time::Time,
};
use alloy_primitives::{Address, keccak256};
use builder::{BlockBuilder, BlockLimits};
use mempool::{PoolLimits, SharedPool};
use parking_lot::Mutex;
use primitives::{Anchor, SealedBlock};
use std::{path::Path, sync::Arc};
use stf::{BlockContext, EthereumRules, Rules};
use store::{BlockMeta, Store, StoreOptions};

/// Receives the tips; nobody has its key.
const BENEFICIARY: Address = Address::repeat_byte(0x1d);

/// EIP-7934: ten mebibytes, two of them for the beacon block around it. Nothing else but gas bounds a block here.
const LIMITS: BlockLimits = BlockLimits {
    da_bytes_max: u64::MAX,
    raw_bytes_max: 8 << 20,
    deposit_gas_max: 0,
};

/// Notes of this crate in the store's journal.
const NOTES: &str = "l1dev";
const TIME_NOTE: &[u8] = b"time";

/// See the module.
pub struct Chain {
    /// What blocks are executed under.
    pub rules: Arc<Rules>,
    /// Blocks and state.
    pub store: Arc<Store>,
    /// What waits to be included.
    pub pool: Arc<SharedPool>,
    /// Blobs of the pool and of the chain.
    pub blobs: Blobs,
    /// Wakes the thread that makes blocks.
    pub signal: Signal,
    /// The process's clock, milliseconds.
    pub clock: Clock,
    slots_per_epoch: u64,
    /// Held by whoever changes the chain.
    writing: Mutex<Notes>,
}

/// What a restart must not forget.
#[derive(Debug, Clone, Copy, Default)]
struct Notes {
    time: Time,
    /// Blocks taken back so far. Goes into the randomness, so that a replacement never equals what it replaces.
    replaced: u64,
}

impl Chain {
    /// Opens the chain in `dir`, or begins it.
    pub fn open(options: &Options, dir: &Path) -> Result<Arc<Self>, L1DevError> {
        let rules = Arc::new(Rules::Ethereum(EthereumRules::new(
            options.chain_id,
            options.gas_limit,
            options.fork,
            options.blob_schedule.clone(),
        )));
        let timestamp = match options.genesis_timestamp {
            Some(timestamp) => timestamp,
            None => first_start_s(dir, (options.clock)() / 1000)?,
        };
        let first = genesis(options, timestamp)?;
        let store = quietly(|| Store::open(store_options(dir), first, rules.clone()))?;
        let writing = Mutex::new(Notes::read(&store)?);
        let pool = Arc::new(SharedPool::new(rules.clone(), PoolLimits::sequencer(0)));
        let chain = Arc::new(Self {
            blobs: Blobs::open(store.clone(), options.blobs_max)?,
            signal: Signal::new(options.mining),
            clock: options.clock.clone(),
            slots_per_epoch: options.slots_per_epoch,
            rules,
            store,
            pool,
            writing,
        });
        let weak = Arc::downgrade(&chain);
        chain.pool.subscribe(Box::new(move |_| {
            if let Some(chain) = weak.upgrade() {
                chain.signal.work();
            }
        }));
        Ok(chain)
    }

    /// Makes `blocks` blocks, the first of them of what is ready. Returns the new head.
    pub fn mine(&self, blocks: u64) -> Result<Arc<SealedBlock>, L1DevError> {
        let mut notes = self.writing.lock();
        for _ in 0..blocks {
            let time = self.next_time(&mut notes);
            self.make_block(&notes, time)?;
        }
        Ok(self.store.head())
    }

    /// Makes one block at exactly `timestamp`.
    pub fn mine_at(&self, timestamp: u64) -> Result<Arc<SealedBlock>, L1DevError> {
        self.set_next_timestamp(timestamp)?;
        self.mine(1)
    }

    /// Replaces the newest `depth` blocks by as many others with the same times. Their transactions wait again, and
    /// the first of the new blocks takes them, unless `drop` is set: then they are forgotten.
    pub fn reorg(&self, depth: u64, drop: bool) -> Result<Arc<SealedBlock>, L1DevError> {
        let mut notes = self.writing.lock();
        let height = self.store.head().header.number;
        let to = height
            .checked_sub(depth)
            .ok_or(L1DevError::Depth { depth, height })?;
        if depth == 0 {
            return Ok(self.store.head());
        }
        notes.replaced += depth;
        notes.write(&self.store)?;
        let removed = quietly(|| self.store.rewind(to))?;
        let transactions = removed
            .iter()
            .rev()
            .flat_map(|block| &block.transactions)
            .filter(|_| !drop);
        if let Err(error) =
            self.pool
                .rewind(transactions, &self.store.latest_state(), (self.clock)())
        {
            tracing::warn!(%error, "transactions of replaced blocks do not wait again");
        }
        for block in removed.iter().rev() {
            self.make_block(&notes, block.header.timestamp)?;
        }
        self.signal.work();
        Ok(self.store.head())
    }

    /// Moves time on by `seconds`; returns how far it is ahead of the clock.
    pub fn increase_time(&self, seconds: u64) -> Result<u64, L1DevError> {
        let mut notes = self.writing.lock();
        notes.time.increase(seconds);
        notes.write(&self.store)?;
        Ok(notes.time.ahead_s)
    }

    /// The next block has exactly this time.
    pub fn set_next_timestamp(&self, timestamp: u64) -> Result<(), L1DevError> {
        let mut notes = self.writing.lock();
        let head_s = self.store.head().header.timestamp;
        notes.time.set_next(timestamp, self.now_s(), head_s)?;
        notes.write(&self.store)
    }

    /// True if a transaction could run in the next block, as far as the base fee decides.
    pub fn has_ready(&self) -> bool {
        let base_fee = stf::next_base_fee(&self.rules, &self.store.head().header);
        self.pool.lock().has_ready(base_fee)
    }

    fn now_s(&self) -> u64 {
        (self.clock)() / 1000
    }

    fn next_time(&self, notes: &mut Notes) -> u64 {
        notes
            .time
            .take(self.now_s(), self.store.head().header.timestamp)
    }

    fn make_block(&self, notes: &Notes, timestamp: u64) -> Result<Arc<SealedBlock>, L1DevError> {
        let made = quietly(|| self.try_make_block(notes, timestamp));
        if made.is_err() {
            self.pool.lock().release();
        }
        made
    }

    fn try_make_block(
        &self,
        notes: &Notes,
        timestamp: u64,
    ) -> Result<Arc<SealedBlock>, L1DevError> {
        let parent = self.store.head();
        let number = parent.header.number + 1;
        let failed = |source| L1DevError::Block { number, source };
        // There is no beacon chain: its root and its randomness are drawn from what they would follow.
        let draw = |what: &[u8]| {
            keccak256([what, parent.hash.as_slice(), &notes.replaced.to_be_bytes()].concat())
        };
        let context = BlockContext {
            timestamp,
            anchor: Anchor {
                hash: draw(b"beacon root"),
                ..Anchor::default()
            },
            beneficiary: BENEFICIARY,
            prev_randao: draw(b"randao"),
        };
        let state = self.store.latest_state();
        let mut block = BlockBuilder::begin(
            &self.rules,
            (&parent.header, parent.hash),
            context,
            &[],
            LIMITS,
            state,
        )
        .map_err(failed)?;
        let filled = block
            .fill(&self.pool, usize::MAX)
            .map_err(|e| failed(e.into()))?;
        for dropped in &filled.dropped {
            tracing::debug!(hash = %dropped.tx.hash, reason = %dropped.reason, "L1 transaction dropped");
        }
        let pending = self
            .store
            .seal(block.finish().map_err(failed)?, BlockMeta::default())?;
        // Before the block: what is on the chain can be had, whatever happens in between.
        self.blobs.keep(pending.block())?;
        let block = self.store.publish(pending.clone())?;
        self.pool.lock().on_block(pending.diff(), (self.clock)());
        self.blobs
            .forget_all_but(|tx| self.pool.lock().contains(tx));
        self.raise_tags(number)?;
        tracing::debug!(number, transactions = block.transactions.len(), "L1 block");
        Ok(block)
    }

    /// After a reorg the tags stay where they fell until the chain has outgrown them.
    fn raise_tags(&self, head: u64) -> Result<(), L1DevError> {
        let safe = head.saturating_sub(self.slots_per_epoch);
        let finalized = head.saturating_sub(self.slots_per_epoch.saturating_mul(2));
        if safe > self.store.safe() {
            self.store.set_safe(safe)?;
        }
        if finalized > self.store.finalized() {
            self.store.set_finalized(finalized)?;
        }
        Ok(())
    }
}

impl Notes {
    fn read(store: &Store) -> Result<Self, L1DevError> {
        let notes = store.journal_scan(NOTES)?;
        let Some((_, bytes)) = notes.iter().find(|(key, _)| key == TIME_NOTE) else {
            return Ok(Self::default());
        };
        let number = |at: usize| {
            bytes
                .get(at..at + 8)
                .and_then(|b| b.try_into().ok())
                .map(u64::from_be_bytes)
        };
        let (Some(ahead_s), Some(replaced), 16) = (number(0), number(8), bytes.len()) else {
            return Err(L1DevError::Unreadable("the note of the time".into()));
        };
        Ok(Self {
            time: Time::ahead(ahead_s),
            replaced,
        })
    }

    fn write(&self, store: &Store) -> Result<(), L1DevError> {
        let bytes = [self.time.ahead_s.to_be_bytes(), self.replaced.to_be_bytes()].concat();
        Ok(store.journal_put(NOTES, TIME_NOTE, Some(&bytes))?)
    }
}

/// A tenth of what a sequencer takes: L1 is the smaller chain of a development process.
fn store_options(dir: &Path) -> StoreOptions {
    StoreOptions {
        cache_bytes: 8 << 20,
        trie_bytes: 16 << 20,
        block_cache_bytes: 8 << 20,
        flush_bytes: 16 << 20,
        measured: false,
        ..StoreOptions::new(dir)
    }
}

/// The time of the first start in `dir`: it is part of the first block's hash, so a restart must find it again.
fn first_start_s(dir: &Path, now_s: u64) -> Result<u64, L1DevError> {
    let path = dir.join("genesis-timestamp");
    let failed = |source| L1DevError::Folder {
        dir: path.clone(),
        source,
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => text
            .trim()
            .parse()
            .map_err(|_| L1DevError::Unreadable("the file genesis-timestamp".into())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            // Renamed into place, so that a crash leaves either nothing or all of it.
            let draft = dir.join("genesis-timestamp.new");
            std::fs::write(&draft, format!("{now_s}\n")).map_err(failed)?;
            std::fs::File::open(&draft)
                .and_then(|file| file.sync_all())
                .map_err(failed)?;
            std::fs::rename(&draft, &path).map_err(failed)?;
            Ok(now_s)
        }
        Err(error) => Err(failed(error)),
    }
}
