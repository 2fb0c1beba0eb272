//! Makes L2 blocks: the sequencer's heart.
//!
//! ```text
//! wait ──(ready transactions and block_time_ms, or deposits, or heartbeat)──▶ fill ──▶ seal ∥ re-execute ──▶ publish
//!   ▲                                                                                                          │
//!   └──────────────────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//! A block is published only after an independent execution, from state held apart from the first one's, gave the
//! same header, receipts and differences, and only after it is on disk.

use crate::{clock, l1_view::L1View};
use alloy_primitives::B256;
use anyhow::Context;
use builder::{BlockBuilder, BlockLimits, Stop};
use config::Network;
use mempool::SharedPool;
use parking_lot::Mutex;
use primitives::{Anchor, BlockInput, SealedBlock};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use stf::{BlockContext, Rules};
use store::{BlockMeta, Store};

/// The L2 chain and what adds to it. Whoever writes holds `writing`.
pub struct Chain {
    /// Ids, limits, addresses.
    pub network: Arc<Network>,
    /// What blocks are executed under.
    pub rules: Arc<Rules>,
    /// Blocks and state.
    pub store: Arc<Store>,
    /// What waits to be included.
    pub pool: Arc<SharedPool>,
    /// What is known of L1.
    pub l1: Arc<L1View>,
    /// What keeps a block small enough to be posted.
    pub block_limits: BlockLimits,
    /// Batches this process signed: accumulator after the record, last block. When L1 appends one of them there is
    /// nothing to derive.
    pub own_batches: Mutex<HashMap<B256, u64>>,
    /// One writer at a time: the producer, or the driver when L1 says otherwise.
    pub writing: Mutex<()>,
    /// How often blocks were taken back.
    pub rewinds: AtomicU64,
    /// A stage ended with an error; the process is about to.
    pub failed: AtomicBool,
    /// The operator asked that no blocks be made.
    pub paused: AtomicBool,
    /// The process is ending.
    pub stopping: AtomicBool,
}

/// The most a block may hold so that one posting can carry it: columns never take more than the raw transactions, and
/// a tenth is left for block tables and framing.
pub fn block_limits(network: &Network, calldata_only: bool) -> BlockLimits {
    let bytes = if calldata_only {
        network.batch.calldata_bytes_max as usize
    } else {
        batch::blobs::capacity(network.batch.blobs_max.into())
    };
    BlockLimits {
        da_bytes_max: u64::MAX,
        raw_bytes_max: (bytes - bytes / 10) as u64,
        deposit_gas_max: network.chain.gas_limit / 2,
    }
}

/// Deposits tried in one block; the rest waits for the next.
const DEPOSITS_PER_BLOCK: usize = 512;
/// Looks this often whether there is something to do, where nothing wakes it earlier.
const IDLE_TICK: Duration = Duration::from_millis(20);

impl Chain {
    /// Executes a derived block on the head and publishes it.
    pub fn apply(
        &self,
        input: &BlockInput,
        queue_consumed: u64,
    ) -> anyhow::Result<Result<Arc<SealedBlock>, stf::BlockError>> {
        let parent = self.store.head();
        let executed = match stf::execute_block(
            &self.rules,
            &parent.header,
            parent.hash,
            input,
            self.store.latest_state(),
        ) {
            Ok(executed) => executed,
            Err(stf::BlockError::State(error)) => return Err(error).context("reading state"),
            Err(error) => return Ok(Err(error)),
        };
        let meta = BlockMeta {
            anchor: input.anchor,
            queue_consumed,
        };
        let pending = self.store.seal(executed, meta)?;
        let block = self.store.publish(pending.clone())?;
        self.pool.lock().on_block(pending.diff(), clock::now_ms());
        Ok(Ok(block))
    }

    /// Takes back every block above `to`; what they included waits in the pool again. The caller holds `writing`.
    pub fn rewind(&self, to: u64) -> anyhow::Result<()> {
        self.rewinds.fetch_add(1, Ordering::SeqCst);
        self.own_batches
            .lock()
            .retain(|_, last_block| *last_block <= to);
        let removed = self.store.rewind(to)?;
        let transactions = removed.iter().rev().flat_map(|block| &block.transactions);
        if let Err(error) =
            self.pool
                .rewind(transactions, &self.store.latest_state(), clock::now_ms())
        {
            tracing::warn!(%error, "transactions of removed blocks are not waiting again");
        }
        Ok(())
    }

    /// True if the next block has an L1 block to name. Genesis names none, and L1 takes no record that names none.
    pub fn is_anchored(&self) -> anyhow::Result<bool> {
        if self.l1.newest_anchor().is_some() {
            return Ok(true);
        }
        let head = self.store.head().header.number;
        let meta = self.store.meta(head)?.unwrap_or_default();
        Ok(meta.anchor != Anchor::default())
    }

    /// True when the process should end.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

/// Runs until the chain stops. Errors end the process: nothing sensible follows a failed disk or a divergence.
pub fn run(chain: &Chain) -> anyhow::Result<()> {
    let block_time = chain.network.chain.block_time_ms;
    let heartbeat = chain.network.chain.heartbeat_ms;
    let mut last_ms = 0u64;
    while !chain.is_stopping() {
        if !chain.l1.is_caught_up() || !chain.is_anchored()? {
            chain.l1.wait(Duration::from_millis(50));
            continue;
        }
        if chain.paused.load(Ordering::Relaxed) {
            std::thread::sleep(IDLE_TICK);
            continue;
        }
        let since = clock::now_ms().saturating_sub(last_ms);
        if since < block_time {
            std::thread::sleep(
                Duration::from_millis(block_time - since)
                    .min(IDLE_TICK.max(Duration::from_millis(block_time / 8))),
            );
            continue;
        }
        if since < heartbeat && !has_work(chain)? {
            std::thread::sleep(IDLE_TICK);
            continue;
        }
        let _writing = chain.writing.lock();
        last_ms = clock::now_ms();
        if make_block(chain)? == Stop::Full {
            last_ms = 0; // What did not fit is not kept waiting.
        }
    }
    Ok(())
}

/// True if deposits or ready transactions wait for a block.
pub fn has_work(chain: &Chain) -> anyhow::Result<bool> {
    let head = chain.store.head();
    let meta = chain.store.meta(head.header.number)?.unwrap_or_default();
    let up_to = chain.l1.newest_anchor().map_or(0, |anchor| anchor.number);
    if chain.l1.has_deposits(meta.queue_consumed, up_to) {
        return Ok(true);
    }
    let base_fee = stf::next_base_fee(&chain.rules, &head.header);
    Ok(chain.pool.lock().has_ready(base_fee))
}

/// Builds, checks and publishes one block. The caller holds `writing`.
pub fn make_block(chain: &Chain) -> anyhow::Result<Stop> {
    let started = std::time::Instant::now();
    let parent = chain.store.head();
    let meta = chain.store.meta(parent.header.number)?.unwrap_or_default();
    let newest = chain.l1.newest_anchor().unwrap_or(meta.anchor);
    let timestamp = clock::now_s()
        .max(parent.header.timestamp)
        .max(newest.timestamp);
    let anchor = chain.l1.anchor_for(&meta.anchor, timestamp);
    let deposits = chain
        .l1
        .deposits(meta.queue_consumed, anchor.number, DEPOSITS_PER_BLOCK);

    let context = BlockContext {
        timestamp,
        anchor,
        ..BlockContext::default()
    };
    let at = (&parent.header, parent.hash);
    let limits = chain.block_limits;
    let mut block = BlockBuilder::begin(
        &chain.rules,
        at,
        context,
        &deposits,
        limits,
        chain.store.latest_state(),
    )?;
    let filled = match block.fill(&chain.pool, usize::MAX) {
        Ok(filled) => filled,
        Err(error) => {
            chain.pool.lock().release();
            return Err(error.into());
        }
    };
    for dropped in &filled.dropped {
        tracing::debug!(hash = %dropped.tx.hash, reason = %dropped.reason, "transaction dropped");
        metrics::counter!("transactions_dropped").increment(1);
    }
    let consumed = meta.queue_consumed + block.deposits() as u64;
    let executed = block.finish()?;
    let filled_in = started.elapsed();

    let state = chain.store.latest_state();
    let copy = executed.clone();
    let meta = BlockMeta {
        anchor,
        queue_consumed: consumed,
    };
    // The second execution runs beside the tries: both take about as long, and there are two cores.
    let (pending, verdict) = std::thread::scope(|scope| {
        let check = scope.spawn(|| builder::verify(&chain.rules, at, context, &copy, state));
        let pending = chain.store.seal(executed, meta);
        (pending, check.join())
    });
    let pending = pending?;
    match verdict {
        Ok(Ok(())) => {}
        Ok(Err(divergence)) => {
            chain.store.discard(pending)?;
            chain.pool.lock().release();
            anyhow::bail!(
                "block {} was not published: {divergence}",
                parent.header.number + 1
            );
        }
        Err(_) => anyhow::bail!(
            "the second execution of block {} panicked",
            parent.header.number + 1
        ),
    }
    let sealed = started.elapsed();
    let block = chain.store.publish(pending.clone())?;
    chain.pool.lock().on_block(pending.diff(), clock::now_ms());
    let published = started.elapsed();
    metrics::histogram!("block_fill_seconds").record(filled_in);
    metrics::histogram!("block_seal_seconds").record(sealed - filled_in);
    metrics::histogram!("block_publish_seconds").record(published - sealed);
    metrics::counter!("transactions_included").increment(block.transactions.len() as u64);
    metrics::gauge!("head_block").set(block.header.number as f64);
    if block.transactions.is_empty() {
        tracing::debug!(number = block.header.number, "block");
    } else {
        tracing::info!(
            number = block.header.number,
            transactions = block.transactions.len(),
            gas = block.header.gas_used,
            ms = published.as_millis() as u64,
            "block"
        );
    }
    Ok(filled.stop)
}
