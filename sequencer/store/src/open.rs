//! The one start path: tables at their height, then the log from there on, executed again.

use crate::{
    Disk, Folder, Genesis, Kv, PendingBlock, Result, Rocks, StateView, Store, StoreError,
    StoreOptions,
    cache::ByBytes,
    genesis, kv,
    log::{BlockLog, LogPosition, LogReader, LogRef, LoggedBlock, Record, segment_name},
    recent::Recent,
    records::Markers,
    schema::{self, TipRow},
    state::State,
    store::{Inner, TableNodes, Writer},
};
use alloy_primitives::B256;
use arc_swap::ArcSwap;
use parking_lot::{Mutex, RwLock};
use primitives::{BlockInput, Header, L1Block, SealedBlock};
use std::sync::{Arc, atomic::AtomicU64};
use stf::{BlockError, ExecutedBlock, Rules};
use trie::StateTrie;

/// The log folder in the data folder.
pub(crate) const LOG_DIR: &str = "log";
/// The tables' folder. It may be deleted: the log rebuilds it, but for records and journal.
pub(crate) const TABLES_DIR: &str = "tables";

impl Store {
    /// Opens the store in `options.dir`, or begins one. Blocks that are in the log but not in the tables are
    /// executed again under `rules` and must come out with the same hash.
    pub fn open(options: StoreOptions, genesis: Genesis, rules: Arc<Rules>) -> Result<Arc<Self>> {
        let disk = Arc::new(Folder::open(options.dir.join(LOG_DIR))?);
        let kv = Arc::new(Rocks::open(&options.dir.join(TABLES_DIR))?);
        Self::open_on(disk, kv, options, genesis, rules)
    }

    /// [`Store::open`] on any disk and tables.
    pub fn open_on(
        disk: Arc<dyn Disk>,
        kv: Arc<dyn Kv>,
        options: StoreOptions,
        genesis: Genesis,
        rules: Arc<Rules>,
    ) -> Result<Arc<Self>> {
        let genesis_hash = genesis.header.hash_slow();
        let tip = genesis::settle(&kv, &genesis, genesis_hash, &options)?;
        let tail = Tail::read(&disk, genesis_hash, options.segment_bytes, &tip)?;
        let inner = Arc::new(Inner::at(
            disk,
            kv,
            options,
            genesis.header,
            genesis_hash,
            rules,
            &tip,
            tail.log,
        )?);
        inner.catch_up(&tip, tail.base, tail.base_log, &tail.blocks)?;

        let flusher = std::thread::Builder::new()
            .name("store-flusher".into())
            .spawn({
                let inner = inner.clone();
                move || match inner.options.measured {
                    true => inner.run_flusher(),
                    false => {
                        metrics::with_local_recorder(&metrics::NoopRecorder, || inner.run_flusher())
                    }
                }
            })?;
        Ok(Arc::new(Self {
            inner,
            flusher: Mutex::new(Some(flusher)),
        }))
    }
}

/// What the log says beyond the tables: a height at or below theirs, and the blocks on top of it.
struct Tail {
    log: BlockLog,
    base: u64,
    /// The log up to here led to `base`.
    base_log: LogPosition,
    blocks: Vec<LogRef>,
}

impl Tail {
    fn read(disk: &Arc<dyn Disk>, genesis: B256, segment_bytes: u64, tip: &TipRow) -> Result<Self> {
        let (mut base, mut base_log, mut blocks) = (tip.height, tip.log, Vec::new());
        let from = (tip.log != LogPosition::default()).then_some(tip.log);
        let log = BlockLog::open(
            disk.clone(),
            genesis,
            segment_bytes,
            from,
            &mut |record, at| {
                let head = base + blocks.len() as u64;
                match record {
                    Record::Block { number, .. } if number == head + 1 => blocks.push(at),
                    Record::Rewind { to } if to >= base && to <= head => {
                        blocks.truncate((to - base) as usize)
                    }
                    Record::Rewind { to } if to < base => {
                        (base, base_log) = (to, at.end());
                        blocks.clear();
                    }
                    _ => {
                        return Err(StoreError::LogDamaged {
                            file: segment_name(at.at.segment),
                            offset: at.at.offset,
                            what: format!("the record does not follow block {head}"),
                        });
                    }
                }
                Ok(())
            },
        )?;
        Ok(Self {
            log,
            base,
            base_log,
            blocks,
        })
    }
}

impl Inner {
    #[allow(
        clippy::too_many_arguments,
        reason = "called once; each part is made by its own step above"
    )]
    fn at(
        disk: Arc<dyn Disk>,
        kv: Arc<dyn Kv>,
        options: StoreOptions,
        genesis: Header,
        genesis_hash: B256,
        rules: Arc<Rules>,
        tip: &TipRow,
        log: BlockLog,
    ) -> Result<Self> {
        let no_block = SealedBlock {
            header: genesis,
            hash: genesis_hash,
            transactions: Vec::new(),
            receipts: Vec::new(),
            ommers: Vec::new(),
            withdrawals: Vec::new(),
        };
        let genesis_number = no_block.header.number;
        let (safe, finalized) =
            kv::get::<schema::Markers>(&*kv, &())?.unwrap_or((genesis_number, genesis_number));
        let writer = Writer {
            log,
            trie: StateTrie::new(TableNodes(kv.clone()), no_block.header.state_root),
            pending: None,
            dirty_txs: 0,
            dirty_bytes: 0,
        };
        let inner = Self {
            rules,
            genesis_hash,
            genesis_number,
            log_reader: LogReader::new(disk),
            turn: Mutex::default(),
            writer: Mutex::new(writer),
            queue: Default::default(),
            rewinds: RwLock::default(),
            recent: RwLock::new(Recent::default()),
            state: State::new(kv.clone(), options.cache_bytes, tip.height, tip.oldest),
            head: ArcSwap::from_pointee(no_block),
            flushed: AtomicU64::new(tip.height),
            disk_blocks: ByBytes::new(options.block_cache_bytes),
            markers: Mutex::new(Markers { safe, finalized }),
            listeners: RwLock::default(),
            stopped: Mutex::default(),
            options,
            kv,
        };
        let head = inner
            .load_block(tip.height)?
            .ok_or_else(|| crate::read::row_missing("headers", tip.height))?;
        inner.writer.lock().trie =
            StateTrie::new(TableNodes(inner.kv.clone()), head.header.state_root);
        inner.head.store(head);
        Ok(inner)
    }

    fn catch_up(
        self: &Arc<Self>,
        tip: &TipRow,
        base: u64,
        base_log: LogPosition,
        blocks: &[LogRef],
    ) -> Result<()> {
        if base < tip.height {
            let oldest = self.state.oldest();
            if base < oldest {
                return Err(StoreError::Pruned {
                    number: base,
                    oldest,
                });
            }
            self.go_back(&mut self.writer.lock(), base, base_log)?;
        }
        if !blocks.is_empty() {
            tracing::info!(
                from = base + 1,
                blocks = blocks.len(),
                "replaying the block log"
            );
        }
        for (done, at) in blocks.iter().enumerate() {
            self.replay(*at)?;
            if done % 1000 == 999 {
                tracing::info!(
                    block = self.head_number(),
                    left = blocks.len() - done - 1,
                    "replaying"
                );
            }
        }
        let head = self.head_number();
        self.drop_records_above(head)?;
        self.lower_markers(head)
    }

    /// Executes the logged block at `at` on the head and makes it the head.
    fn replay(self: &Arc<Self>, at: LogRef) -> Result<()> {
        let logged = self.log_reader.block(at)?;
        let (number, meta) = (logged.header.number, logged.meta);
        let logged_hash = logged.header.hash_slow();
        let parent = self.head.load_full();
        let executed =
            execute(&self.rules, &parent, logged, self.latest_state()).map_err(|error| {
                StoreError::Replay {
                    number,
                    why: error.to_string(),
                }
            })?;
        let pending: Arc<PendingBlock> = self.seal(executed, meta)?;
        if pending.block.hash != logged_hash {
            return Err(StoreError::ReplayDiffers {
                number,
                logged: logged_hash,
                computed: pending.block.hash,
            });
        }
        let mut writer = self.writer()?;
        self.make_head(&mut writer, &pending, at);
        if self.flush_is_due(&writer) {
            self.flush_here(&mut writer)
        } else {
            Ok(())
        }
    }
}

/// The block once more, from what is logged of it.
fn execute(
    rules: &Arc<Rules>,
    parent: &SealedBlock,
    logged: LoggedBlock,
    state: StateView,
) -> Result<ExecutedBlock, BlockError> {
    let LoggedBlock {
        header,
        meta,
        transactions,
        ommers,
        withdrawals,
    } = logged;
    match &**rules {
        Rules::Rollup(_) => {
            let input = BlockInput {
                timestamp: header.timestamp,
                anchor: meta.anchor,
                transactions,
            };
            stf::execute_block(rules, &parent.header, parent.hash, &input, state)
        }
        Rules::Ethereum(_) => {
            let block = L1Block {
                withdrawals: header.withdrawals_root.map(|_| withdrawals),
                header,
                transactions,
                ommers,
                size: 0,
            };
            stf::replay_l1_block(rules, &block, state)
        }
    }
}
