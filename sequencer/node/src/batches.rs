//! Makes signed batches of sealed blocks and keeps them until L1 has them.
//!
//! Here or in another process, a poster takes them from [`BatchMaker::signed`]; a signed batch is worth the same in any
//! hand. Commitments to blobs cost much and are nobody's hurry: they are made on a thread of the lowest priority.

use crate::{clock, producer::Chain};
use alloy_primitives::B256;
use l1::{Client, PrivateKeySigner};
use parking_lot::Mutex;
use poster::{Batcher, Block, Blocks, DaChoice, Next, SignedBatch, Tip};
use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use store::Store;

/// The sequencer's batches.
pub struct BatchMaker {
    chain: Arc<Chain>,
    key: PrivateKeySigner,
    da: DaChoice,
    state: Mutex<State>,
}

struct State {
    batcher: Batcher,
    /// Signed and not landed, oldest first.
    signed: VecDeque<Arc<SignedBatch>>,
    /// When the first of `signed` became the first, ms.
    first_since_ms: u64,
    rewinds: u64,
    /// L1's prices when we last asked, wei: base fee and blob base fee.
    prices: (u128, u128),
}

/// A batch that has not landed after this part of the inbox's window is made again, of the blocks that wait by then.
const PATIENCE_PART: u64 = 12;
/// Looks this often for something to batch.
const TICK: Duration = Duration::from_millis(200);

impl BatchMaker {
    /// Signs with the sequencer's key.
    pub fn new(chain: Arc<Chain>, key: PrivateKeySigner, da: DaChoice) -> Arc<Self> {
        let batcher = Batcher::new(chain.network.clone());
        let state = State {
            batcher,
            signed: VecDeque::new(),
            first_since_ms: 0,
            rewinds: 0,
            prices: (0, 1),
        };
        Arc::new(Self {
            chain,
            key,
            da,
            state: Mutex::new(state),
        })
    }

    /// Batches that wait for L1, oldest first.
    pub fn signed(&self) -> Vec<Arc<SignedBatch>> {
        self.state.lock().signed.iter().cloned().collect()
    }

    /// What was signed did not land and will not: it is made again on L1's last record.
    pub fn reset(&self) {
        let mut state = self.state.lock();
        state.batcher.reset();
        state.signed.clear();
    }

    /// Asks L1 for its prices now and then, for [`DaChoice::Auto`].
    pub async fn watch_prices(self: Arc<Self>, client: Client) {
        let l1 = &self.chain.network.l1;
        while !self.chain.is_stopping() {
            if let Ok(Some(header)) = client.header(alloy_eips::BlockNumberOrTag::Latest).await {
                let blob = l1.blob_base_fee(header.timestamp, header.excess_blob_gas);
                let mut state = self.state.lock();
                state.prices = (header.base_fee_per_gas.unwrap_or_default().into(), blob);
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    }

    /// Runs until the chain stops, on a thread of its own.
    pub fn run(&self) -> anyhow::Result<()> {
        // Lowest priority: blocks and answers come first. Where that is refused, all is merely less smooth.
        let _ = rustix::process::setpriority_process(None, 19);
        while !self.chain.is_stopping() {
            let made = self.chain.l1.is_caught_up() && self.step(clock::now_ms())?;
            if !made {
                std::thread::sleep(TICK);
            }
        }
        Ok(())
    }

    /// One look at the chain: signs at most one batch, and says whether it did.
    pub fn step(&self, now_ms: u64) -> anyhow::Result<bool> {
        let tip = tip(&self.chain.store)?;
        // The form that L1's pool takes at its head's time.
        let l1_now_s = self
            .chain
            .l1
            .heads()
            .0
            .map_or(now_ms / 1000, |head| head.timestamp);
        let cell_proofs = l1_now_s >= self.chain.network.l1.cell_proofs_from_s;
        let draft = {
            let mut state = self.state.lock();
            let rewinds = self.chain.rewinds.load(Ordering::SeqCst);
            if let Some(landed) = state
                .signed
                .iter()
                .position(|batch| batch.record.accumulate() == tip.acc)
            {
                state.signed.drain(..=landed);
                state.first_since_ms = now_ms;
            }
            let rooted = state
                .signed
                .front()
                .is_none_or(|batch| batch.record.prev_acc == tip.acc);
            // L1 may refuse it by now, for its anchor or its time, which a poster in another process cannot tell us.
            let patience_ms = self.chain.network.delays.window_s * 1_000 / PATIENCE_PART;
            let stale = !state.signed.is_empty() && now_ms > state.first_since_ms + patience_ms;
            if stale {
                tracing::warn!("nobody posted a signed batch for long; it is made again");
            }
            if rewinds != state.rewinds || !rooted || stale {
                state.rewinds = rewinds;
                state.batcher.reset();
                state.signed.clear();
            }
            let sealed = Sealed(&self.chain.store);
            let (base_fee, blob_base_fee) = state.prices;
            let far_behind = 2 * batch::blobs::capacity(self.chain.network.batch.blobs_max.into());
            let backlog = state.batcher.backlog(tip, sealed.head());
            let waiting = raw_bytes(&sealed, sealed.head() - backlog, far_behind);
            let behind = waiting > far_behind;
            let use_blobs = self.da.use_blobs(waiting, base_fee, blob_base_fee, behind);
            metrics::gauge!("blocks_not_batched").set(backlog as f64);
            match state
                .batcher
                .next(tip, &sealed, self.chain.l1.as_ref(), use_blobs, now_ms)
            {
                Next::Wait => return Ok(false),
                Next::Post(draft) => draft,
                Next::Stuck { block, why } => anyhow::bail!("block {block} fits no batch: {why}"),
            }
        };
        let (transactions, bytes) = (draft.transactions, draft.bytes);
        let batch = draft.sign(&self.chain.network, &self.key, cell_proofs)?;
        let mut state = self.state.lock();
        {
            // A rewind counts first and then forgets batches under this lock: one that is not counted yet will find
            // this batch and forget it.
            let mut own = self.chain.own_batches.lock();
            if self.chain.rewinds.load(Ordering::SeqCst) != state.rewinds {
                return Ok(false); // Its blocks may be gone: made again next time.
            }
            own.insert(batch.record.accumulate(), batch.blocks.1);
        }
        metrics::counter!("batch_bytes").increment(bytes as u64);
        metrics::counter!("batched_transactions").increment(transactions as u64);
        tracing::info!(
            first = batch.blocks.0,
            last = batch.blocks.1,
            transactions,
            bytes,
            kind = ?batch.record.kind,
            "batch signed"
        );
        state.batcher.sent(&batch);
        if state.signed.is_empty() {
            state.first_since_ms = now_ms;
        }
        state.signed.push_back(Arc::new(batch));
        Ok(true)
    }
}

/// Where L1's inbox stands, as far as it is derived.
pub fn tip(store: &Store) -> anyhow::Result<Tip> {
    Ok(match store.last_record()? {
        Some(last) => Tip {
            record_count: last.index + 1,
            acc: last.acc,
            last_block: last.last_block,
        },
        None => Tip {
            record_count: 0,
            acc: B256::ZERO,
            last_block: 0,
        },
    })
}

/// Bytes of the transactions behind `after`; counting ends once it is more than `enough`.
fn raw_bytes(blocks: &dyn Blocks, after: u64, enough: usize) -> usize {
    let mut bytes = 0;
    for block in (after + 1..=blocks.head()).map_while(|number| blocks.block(number)) {
        bytes += block.raw_bytes();
        if bytes > enough {
            break;
        }
    }
    bytes
}

/// The store's blocks as the batcher wants them.
struct Sealed<'a>(&'a Store);

impl Blocks for Sealed<'_> {
    fn head(&self) -> u64 {
        self.0.head().header.number
    }

    fn block(&self, number: u64) -> Option<Block> {
        let block = self.0.block(number).ok()??;
        let meta = self.0.meta(number).ok()??;
        Some(Block {
            timestamp: block.header.timestamp,
            anchor: (meta.anchor.number, meta.anchor.hash),
            queue_consumed: meta.queue_consumed,
            transactions: block.transactions.clone(),
        })
    }
}
