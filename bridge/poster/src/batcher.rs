//! Which blocks go into the next batch, when, and in which form.
//!
//! ```text
//!            full, or interval over
//!  waiting ───────────────────────▶ Draft ──commit, sign──▶ SignedBatch on its way ──▶ landed
//!     ▲                                                        │
//!     └───────────── L1's tip is not one of ours ──────────────┘
//! ```

use alloy_primitives::{B256, Bytes, Signature, keccak256};
use alloy_signer::SignerSync;
use batch::{BatchEncoder, EncodeError, Parent, Rules, blobs};
use config::Network;
use l1::PrivateKeySigner;
use primitives::{BatchRecord, CheckedTx, RecordKind};
use std::{collections::VecDeque, sync::Arc};

/// Where L1's inbox stands: after its last record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tip {
    /// Records there.
    pub record_count: u64,
    /// `batchAcc` there.
    pub acc: B256,
    /// Last L2 block of the last record; 0 without any.
    pub last_block: u64,
}

/// One sealed block as a batch needs it.
#[derive(Debug, Clone)]
pub struct Block {
    /// Seconds.
    pub timestamp: u64,
    /// L1 block it refers to.
    pub anchor: (u64, B256),
    /// Queue entries consumed after it.
    pub queue_consumed: u64,
    /// Deposits first.
    pub transactions: Vec<Arc<CheckedTx>>,
}

impl Block {
    /// Bytes of its signed transactions before encoding; a batch takes no more for them. Deposits are on L1 already.
    pub fn raw_bytes(&self) -> usize {
        let signed = self.transactions.iter().filter(|tx| !tx.tx.is_deposit());
        signed.map(|tx| tx.raw.len()).sum()
    }
}

/// The sealed chain.
pub trait Blocks {
    /// Number of the newest sealed block.
    fn head(&self) -> u64;
    /// A sealed block.
    fn block(&self, number: u64) -> Option<Block>;
}

/// The queue's accumulator after `consumed` entries.
pub trait QueueAt {
    /// `None` if the entries are not known yet.
    fn acc(&self, consumed: u64) -> Option<B256>;
}

/// How payloads travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DaChoice {
    /// Whatever costs less; calldata when batches come faster than blobs can be committed to.
    Auto,
    /// Always blobs.
    Blobs,
    /// Always calldata.
    Calldata,
}

/// A payload before commitment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DraftPayload {
    /// In the event.
    Calldata(Bytes),
    /// Packed blobs; commitments are still to be made.
    Blobs(Vec<Bytes>),
}

/// A batch that lacks its commitments and its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// All but `payload_hash`.
    pub record: BatchRecord,
    /// The payload.
    pub payload: DraftPayload,
    /// First and last L2 block.
    pub blocks: (u64, u64),
    /// Signed transactions in it.
    pub transactions: usize,
    /// Bytes before packing.
    pub bytes: usize,
}

/// A batch as anyone may post it.
#[derive(Debug, Clone, PartialEq)]
pub struct SignedBatch {
    /// What L1 appends.
    pub record: BatchRecord,
    /// The sequencer's.
    pub signature: Signature,
    /// Calldata payload; empty with blobs.
    pub payload: Bytes,
    /// Blobs with commitments and proofs.
    pub sidecar: Option<l1::Sidecar>,
    /// First and last L2 block.
    pub blocks: (u64, u64),
}

impl Draft {
    /// Commits (costly with blobs) and signs.
    pub fn sign(
        self,
        network: &Network,
        key: &PrivateKeySigner,
        cell_proofs: bool,
    ) -> Result<SignedBatch, l1::L1Error> {
        let mut record = self.record;
        let (payload, sidecar) = match self.payload {
            DraftPayload::Calldata(payload) => {
                record.payload_hash = keccak256(&payload);
                (payload, None)
            }
            DraftPayload::Blobs(blobs) => {
                let (sidecar, hashes) = l1::sidecar(&blobs, cell_proofs)?;
                record.payload_hash = primitives::bridge::blobs_hash(&hashes);
                (Bytes::new(), Some(sidecar))
            }
        };
        let digest = record.signing_hash(
            network.l1.chain_id,
            network.contracts.inbox,
            network.chain.id,
        );
        let signature = key
            .sign_hash_sync(&digest)
            .map_err(|e| l1::L1Error::Refused(e.to_string()))?;
        Ok(SignedBatch {
            record,
            signature,
            payload,
            sidecar,
            blocks: self.blocks,
        })
    }
}

/// What the batcher wants.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing to post yet.
    Wait,
    /// Sign this, send it, and tell [`Batcher::sent`].
    Post(Box<Draft>),
    /// No batch can hold this block. It should not have been built; nothing is posted any more.
    Stuck {
        /// Which.
        block: u64,
        /// Why.
        why: EncodeError,
    },
}

/// Batches on their way at once: enough to fill L1 blocks back to back, few enough to lose little to a reorg.
const ON_THE_WAY_MAX: usize = 8;

/// Decides about batches.
#[derive(Debug)]
pub struct Batcher {
    network: Arc<Network>,
    /// `(acc after, last block)` of batches sent and not landed, oldest first.
    on_the_way: VecDeque<(B256, u64)>,
    /// When the oldest block that is in no batch was first seen, ms.
    waiting_since_ms: Option<u64>,
}

impl Batcher {
    /// Nothing on its way.
    pub const fn new(network: Arc<Network>) -> Self {
        Self {
            network,
            on_the_way: VecDeque::new(),
            waiting_since_ms: None,
        }
    }

    /// Blocks that are sealed and in no batch.
    pub fn backlog(&self, tip: Tip, head: u64) -> u64 {
        head.saturating_sub(
            self.on_the_way
                .back()
                .map_or(tip.last_block, |(_, last)| *last),
        )
    }

    /// A batch left for L1.
    pub fn sent(&mut self, batch: &SignedBatch) {
        self.on_the_way
            .push_back((batch.record.accumulate(), batch.blocks.1));
        self.waiting_since_ms = None;
    }

    /// What was on its way is lost: it reverted, or L1 moved.
    pub fn reset(&mut self) {
        self.on_the_way.clear();
    }

    /// True while batches are on their way.
    pub fn is_waiting_for_l1(&self) -> bool {
        !self.on_the_way.is_empty()
    }

    /// What to do next. `use_blobs` as the caller weighed it for this batch.
    pub fn next(
        &mut self,
        tip: Tip,
        blocks: &dyn Blocks,
        queue: &dyn QueueAt,
        use_blobs: bool,
        now_ms: u64,
    ) -> Next {
        // What landed is gone from the list; a tip that is neither before nor among ours means another record landed.
        if let Some(landed) = self.on_the_way.iter().position(|(acc, _)| *acc == tip.acc) {
            self.on_the_way.drain(..=landed);
        }
        let (prev_acc, after) = self
            .on_the_way
            .back()
            .copied()
            .unwrap_or((tip.acc, tip.last_block));
        if self.on_the_way.len() >= ON_THE_WAY_MAX || blocks.head() <= after {
            return Next::Wait;
        }
        let since = *self.waiting_since_ms.get_or_insert(now_ms);
        let over = now_ms >= since.saturating_add(self.network.batch.interval_ms);
        let Some(parent) = blocks.block(after) else {
            return Next::Wait;
        };
        let blobs_max = blobs::capacity(self.network.batch.blobs_max.into());
        let calldata_max = self.network.batch.calldata_bytes_max as usize;
        // A block that calldata cannot hold goes in blobs, whatever was preferred.
        let use_blobs = use_blobs
            || blocks
                .block(after + 1)
                .is_some_and(|block| block.raw_bytes() > calldata_max);
        let bytes_max = if use_blobs { blobs_max } else { calldata_max };
        if !over
            && !might_be_full(
                blocks,
                after,
                bytes_max,
                self.network.batch.blocks_max.into(),
            )
        {
            return Next::Wait;
        }
        let parent = Parent {
            timestamp: parent.timestamp,
            anchor_number: parent.anchor.0,
        };
        let mut encoder = BatchEncoder::new(Rules::new(&self.network), parent, bytes_max);
        let mut last = None;
        let mut full = false;
        for number in after + 1..=blocks.head() {
            let Some(block) = blocks.block(number) else {
                break;
            };
            match encoder.push(block.timestamp, block.anchor.0, &block.transactions) {
                Ok(()) => last = Some((number, block)),
                Err(EncodeError::Full) if last.is_some() => {
                    full = true;
                    break;
                }
                Err(why) => return Next::Stuck { block: number, why },
            }
        }
        let Some((number, block)) = last else {
            return Next::Wait;
        };
        if !full && !over {
            return Next::Wait;
        }
        let Some(queue_acc) = queue.acc(block.queue_consumed) else {
            return Next::Wait;
        };
        let transactions = encoder.transactions();
        let payload = encoder.finish();
        let bytes = payload.len();
        let (kind, payload) = if use_blobs {
            match blobs::pack(&payload) {
                Some(blobs) => (RecordKind::Blobs, DraftPayload::Blobs(blobs)),
                None => {
                    return Next::Stuck {
                        block: after + 1,
                        why: EncodeError::Full,
                    };
                }
            }
        } else {
            (RecordKind::Calldata, DraftPayload::Calldata(payload.into()))
        };
        let record = BatchRecord {
            prev_acc,
            kind,
            last_timestamp: block.timestamp,
            queue_consumed: block.queue_consumed,
            queue_acc,
            anchor_number: block.anchor.0,
            anchor_hash: block.anchor.1,
            payload_hash: B256::ZERO,
        };
        Next::Post(Box::new(Draft {
            record,
            payload,
            blocks: (after + 1, number),
            transactions,
            bytes,
        }))
    }
}

/// Whether the blocks behind `after` could fill a batch: encoded they take less than raw.
fn might_be_full(blocks: &dyn Blocks, after: u64, bytes_max: usize, blocks_max: u64) -> bool {
    let head = blocks.head();
    if head - after > blocks_max {
        return true;
    }
    let mut raw = 0;
    (after + 1..=head)
        .filter_map(|number| blocks.block(number))
        .any(|block| {
            raw += block.raw_bytes();
            raw > bytes_max
        })
}

/// Gas of calldata per byte (EIP-7623's floor for non-zero bytes), and of a blob.
const CALLDATA_GAS_PER_BYTE: u128 = 40;
const BLOB_GAS: u128 = 131_072;
/// What a blob transaction takes besides its blobs, beyond what calldata takes: nearly nothing.
const BLOB_TX_GAS: u128 = 5_000;

impl DaChoice {
    /// Whether `bytes` go cheaper in blobs at these prices, wei per gas. `behind` tells that batches queue up faster
    /// than commitments can be made: then calldata, which costs L1 gas but no work here, keeps L1 close.
    pub fn use_blobs(
        self,
        bytes: usize,
        base_fee: u128,
        blob_base_fee: u128,
        behind: bool,
    ) -> bool {
        match self {
            Self::Blobs => true,
            Self::Calldata => false,
            Self::Auto if behind => false,
            Self::Auto => {
                let blobs = blobs::blobs_needed(bytes) as u128 * BLOB_GAS;
                let in_blobs = blobs
                    .saturating_mul(blob_base_fee)
                    .saturating_add(BLOB_TX_GAS.saturating_mul(base_fee));
                in_blobs <= (bytes as u128 * CALLDATA_GAS_PER_BYTE).saturating_mul(base_fee)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Empty blocks, two seconds apart, up to a head.
    struct Chain(u64);

    impl Blocks for Chain {
        fn head(&self) -> u64 {
            self.0
        }
        fn block(&self, number: u64) -> Option<Block> {
            (number <= self.0).then(|| Block {
                timestamp: 1_000 + 2 * number,
                anchor: (number, B256::with_last_byte(number as u8)),
                queue_consumed: 0,
                transactions: vec![],
            })
        }
    }

    struct NoQueue;

    impl QueueAt for NoQueue {
        fn acc(&self, consumed: u64) -> Option<B256> {
            (consumed == 0).then_some(B256::ZERO)
        }
    }

    const GENESIS: Tip = Tip {
        record_count: 0,
        acc: B256::ZERO,
        last_block: 0,
    };

    fn network() -> Arc<Network> {
        Arc::new(Network::parse(include_str!("../../../config/dev.toml")).unwrap())
    }

    fn key() -> PrivateKeySigner {
        PrivateKeySigner::from_bytes(&B256::repeat_byte(1)).unwrap()
    }

    fn post(batcher: &mut Batcher, tip: Tip, head: u64, now_ms: u64) -> Option<SignedBatch> {
        match batcher.next(tip, &Chain(head), &NoQueue, false, now_ms) {
            Next::Post(draft) => {
                let batch = draft.sign(&network(), &key(), false).unwrap();
                batcher.sent(&batch);
                Some(batch)
            }
            _ => None,
        }
    }

    #[test]
    fn blocks_wait_for_the_interval() {
        let mut batcher = Batcher::new(network());
        assert!(post(&mut batcher, GENESIS, 3, 0).is_none());
        assert!(post(&mut batcher, GENESIS, 3, 4_999).is_none());
        assert_eq!(
            post(&mut batcher, GENESIS, 4, 5_000).unwrap().blocks,
            (1, 4)
        );
    }

    #[test]
    fn a_full_batch_does_not_wait() {
        let mut batcher = Batcher::new(network());
        let max = u64::from(network().batch.blocks_max);
        assert_eq!(
            post(&mut batcher, GENESIS, max + 1, 0).unwrap().blocks,
            (1, max)
        );
    }

    #[test]
    fn the_next_batch_builds_on_the_one_on_its_way() {
        let mut batcher = Batcher::new(network());
        post(&mut batcher, GENESIS, 1, 0);
        let first = post(&mut batcher, GENESIS, 1, 5_000).unwrap();
        post(&mut batcher, GENESIS, 2, 5_000);
        let second = post(&mut batcher, GENESIS, 2, 10_000).unwrap();
        assert_eq!(second.record.prev_acc, first.record.accumulate());
        assert_eq!(second.blocks, (2, 2));
    }

    #[test]
    fn after_a_reset_the_batch_is_built_on_l1s_tip_again() {
        let mut batcher = Batcher::new(network());
        post(&mut batcher, GENESIS, 1, 0);
        let first = post(&mut batcher, GENESIS, 1, 5_000).unwrap();
        batcher.reset();
        post(&mut batcher, GENESIS, 2, 5_000);
        let again = post(&mut batcher, GENESIS, 2, 10_000).unwrap();
        assert_eq!(again.record.prev_acc, first.record.prev_acc);
        assert_eq!(again.blocks, (1, 2));
    }

    #[test]
    fn the_signature_is_the_sequencers() {
        let mut batcher = Batcher::new(network());
        post(&mut batcher, GENESIS, 1, 0);
        let batch = post(&mut batcher, GENESIS, 1, 5_000).unwrap();
        let n = network();
        let digest = batch
            .record
            .signing_hash(n.l1.chain_id, n.contracts.inbox, n.chain.id);
        assert_eq!(
            batch
                .signature
                .recover_address_from_prehash(&digest)
                .unwrap(),
            key().address()
        );
        assert_eq!(batch.record.payload_hash, keccak256(&batch.payload));
    }

    #[test]
    fn blobs_are_taken_when_they_are_cheaper() {
        assert!(DaChoice::Auto.use_blobs(100_000, 1_000_000_000, 1, false));
        assert!(!DaChoice::Auto.use_blobs(1_000, 1_000_000_000, 1_000_000_000, false));
        assert!(!DaChoice::Auto.use_blobs(100_000, 1_000_000_000, 1, true));
        assert!(DaChoice::Blobs.use_blobs(1, 1, 1_000_000, true));
    }
}
