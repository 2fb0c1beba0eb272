//! The roles that send to L1: the poster of batches and the proposer of output roots.

use crate::{batches::BatchMaker, genesis::output_root, producer::Chain};
use alloy_primitives::{Address, B256, keccak256};
use bindings::rollup::Rollup;
use l1::{Client, Journal, L1Error, Sender, Settled, intent_id};
use poster::{
    SignedBatch, calls,
    proposer::{self, Asserted, Outputs, Pace},
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use store::Store;

/// A namespace of the store's journal.
pub struct StoreJournal {
    store: Arc<Store>,
    namespace: String,
}

impl StoreJournal {
    /// Notes of one role and account: another key must not find nonces that are not its own.
    pub fn new(store: Arc<Store>, role: &str, account: Address) -> Arc<Self> {
        Arc::new(Self {
            store,
            namespace: format!("{role}:{account}"),
        })
    }
}

impl Journal for StoreJournal {
    fn put(&self, key: &[u8], value: Option<&[u8]>) -> Result<(), String> {
        self.store
            .journal_put(&self.namespace, key, value)
            .map_err(|e| e.to_string())
    }

    fn scan(&self) -> Result<Vec<l1::Note>, String> {
        self.store
            .journal_scan(&self.namespace)
            .map_err(|e| e.to_string())
    }
}

/// Where a poster finds signed batches.
#[async_trait::async_trait]
pub trait SignedBatches: Send + Sync {
    /// Not landed, oldest first.
    async fn signed(&self) -> anyhow::Result<Vec<Arc<SignedBatch>>>;
    /// One of them reverted or was lost.
    fn reset(&self);
}

#[async_trait::async_trait]
impl SignedBatches for BatchMaker {
    async fn signed(&self) -> anyhow::Result<Vec<Arc<SignedBatch>>> {
        Ok(self.signed())
    }

    fn reset(&self) {
        BatchMaker::reset(self);
    }
}

/// Name of a batch in the sender's journal: it is posted once, however often it is seen.
fn id_of(batch: &SignedBatch) -> u64 {
    intent_id(batch.record.accumulate())
}

/// Brings signed batches to L1.
pub struct Poster {
    batches: Arc<dyn SignedBatches>,
    network: Arc<config::Network>,
    sender: Sender,
    sent: HashSet<u64>,
}

impl Poster {
    /// Goes on with what `sender` has in flight.
    pub fn new(
        batches: Arc<dyn SignedBatches>,
        network: Arc<config::Network>,
        sender: Sender,
    ) -> Self {
        let sent = sender.pending().collect();
        Self {
            batches,
            network,
            sender,
            sent,
        }
    }

    /// One look at L1 and at the signed batches. What fails is tried again at the next look.
    pub async fn step(&mut self) {
        let signed = match self.batches.signed().await {
            Ok(signed) => signed,
            Err(error) => {
                tracing::debug!(%error, "no signed batches");
                Vec::new()
            }
        };
        let known: HashSet<u64> = signed.iter().map(|batch| id_of(batch)).collect();
        match self.sender.poll().await {
            Ok(ended) => {
                for (id, how) in ended {
                    self.sent.remove(&id);
                    // A batch that was given up before it failed says nothing about those made since.
                    if how != Settled::Succeeded && known.contains(&id) {
                        tracing::warn!(?how, "a batch did not land; it is made again");
                        metrics::counter!("batches_not_landed").increment(1);
                        return self.batches.reset();
                    }
                }
            }
            Err(error) => tracing::debug!(%error, "poster"),
        }
        self.sent.retain(|id| known.contains(id));
        let Some(first) = signed.first() else { return };
        for (index, batch) in signed.iter().enumerate() {
            let id = id_of(batch);
            if self.sent.contains(&id) {
                continue;
            }
            if batch.record.kind != first.record.kind {
                // L1's pools keep an account's blob transactions and its others apart.
                return;
            }
            let intent = calls::post(&self.network, batch, index > 0);
            match self.sender.submit(id, intent).await {
                Ok(()) => {
                    self.sent.insert(id);
                    metrics::counter!("batches_sent").increment(1);
                }
                Err(L1Error::Refused(why)) => {
                    tracing::warn!(%why, "L1 would not take a batch; it is made again");
                    return self.batches.reset();
                }
                Err(error) => {
                    tracing::debug!(%error, "poster");
                    return;
                }
            }
        }
    }
}

/// Posts what is signed. Runs until `stopping` says so.
pub async fn post(
    batches: Arc<dyn SignedBatches>,
    network: Arc<config::Network>,
    sender: Sender,
    poll: Duration,
    stopping: impl Fn() -> bool,
) {
    let mut poster = Poster::new(batches, network, sender);
    while !stopping() {
        poster.step().await;
        tokio::time::sleep(poll).await;
    }
}

/// Our own chain, as the proposer compares it with assertions.
struct Derived<'a>(&'a Store);

impl Outputs for Derived<'_> {
    fn record_count(&self) -> u64 {
        self.0
            .last_record()
            .ok()
            .flatten()
            .map_or(0, |last| last.index + 1)
    }

    fn output_after(&self, count: u64) -> Option<(u64, B256)> {
        let record = self.0.record(count.checked_sub(1)?).ok()??;
        let header = self.0.header(record.last_block).ok()??;
        Some((record.last_block, output_root(&header)))
    }

    fn batch_acc(&self, count: u64) -> Option<B256> {
        Some(self.0.record(count.checked_sub(1)?).ok()??.acc)
    }
}

/// Asserts, confirms, collects. Runs until the chain stops.
pub async fn propose(chain: Arc<Chain>, client: Client, mut sender: Sender, poll: Duration) {
    let mut proposer = Proposer::new(&chain);
    let pace = Pace {
        interval_s: chain.network.assertion.interval_s,
        window_s: chain.network.assertion.window_s,
    };
    while !chain.is_stopping() {
        let look = async {
            for (_, how) in sender.poll().await? {
                if how != Settled::Succeeded {
                    tracing::warn!(?how, "a proposer's transaction did not do what it should");
                }
            }
            proposer
                .step(&chain, &client, &mut sender, pace, |_| true)
                .await
        };
        if let Err(error) = look.await {
            tracing::debug!(%error, "proposer");
        }
        tokio::time::sleep(poll).await;
    }
}

/// What a proposer remembers between two looks, all of it for speed only.
pub struct Proposer {
    standing: Standing,
    wrong_told: HashSet<B256>,
}

impl Proposer {
    /// Remembers nothing yet.
    pub fn new(chain: &Chain) -> Self {
        Self {
            standing: Standing {
                from: chain.network.contracts.deployed_at,
                base: None,
                known: Vec::new(),
            },
            wrong_told: HashSet::new(),
        }
    }

    /// One look at L1, and those of its moves that `wanted` says. The caller polls `sender`. Returns how many moves
    /// were wanted.
    pub async fn step(
        &mut self,
        chain: &Chain,
        client: &Client,
        sender: &mut Sender,
        pace: Pace,
        wanted: impl Fn(&proposer::Move) -> bool,
    ) -> anyhow::Result<usize> {
        let heads = client.heads().await?;
        let (list, genesis) = self
            .standing
            .read(chain, client, heads.latest.number, heads.finalized)
            .await?;
        let (mut moves, wrong) = proposer::decide(
            &list,
            genesis,
            &Derived(&chain.store),
            sender.address(),
            pace,
            heads.latest.timestamp,
        );
        for id in wrong {
            if self.wrong_told.insert(id) {
                tracing::error!(assertion = %id, "an assertion on L1 contradicts our chain");
                metrics::counter!("wrong_assertions").increment(1);
            }
        }
        moves.retain(wanted);
        let busy: HashSet<u64> = sender.pending().collect();
        for step in &moves {
            let id = name_of(step);
            if busy.contains(&id) {
                continue;
            }
            match sender
                .submit(id, calls::propose(&chain.network, step))
                .await
            {
                Ok(()) => {
                    metrics::counter!("proposer_moves").increment(1);
                    tracing::info!(?step, "proposer");
                }
                // What L1 refuses now it may take at the next look; nothing else depends on it.
                Err(error) => {
                    tracing::debug!(%error, ?step, "L1 does not take a proposer's move now");
                    break;
                }
            }
        }
        Ok(moves.len())
    }
}

fn name_of(step: &proposer::Move) -> u64 {
    intent_id(keccak256(format!("{step:?}")))
}

/// Assertions on L1. What L1 has finalized is read once, the rest at every look.
struct Standing {
    from: u64,
    /// The first assertion's id.
    base: Option<B256>,
    known: Vec<Asserted>,
}

impl Standing {
    async fn read(
        &mut self,
        chain: &Chain,
        client: &Client,
        latest: u64,
        finalized: u64,
    ) -> anyhow::Result<(Vec<Asserted>, B256)> {
        let rollup = chain.network.contracts.rollup;
        let genesis = match self.base {
            Some(id) => id,
            None => *self
                .base
                .insert(client.view(rollup, &Rollup::genesisCall {}).await?),
        };
        let mut list = self.known.clone();
        for (at, event) in client
            .events::<Rollup::Asserted>(rollup, self.from, latest)
            .await?
        {
            if event.id == genesis {
                continue;
            }
            let asserted = Asserted {
                id: event.id,
                parent: event.parent,
                proposer: event.proposer,
                record_count: event.recordIndex,
                l2_number: event.l2Number,
                output_root: event.outputRoot,
                asserted_at: 0,
                confirmed: false,
                bonded: true,
                contested: false,
            };
            if at.number <= finalized {
                self.known.push(asserted);
            }
            list.push(asserted);
        }
        self.from = self.from.max(finalized + 1);
        let mut seen: HashMap<B256, Asserted> = HashMap::new();
        for asserted in &mut list {
            if asserted.confirmed && !asserted.bonded {
                continue; // Over for good.
            }
            let details = client
                .view(rollup, &Rollup::assertionCall { id: asserted.id })
                .await?;
            asserted.asserted_at = details.assertedAt;
            asserted.bonded = !details.bond.is_zero();
            asserted.confirmed = client
                .view(rollup, &Rollup::isConfirmedCall { id: asserted.id })
                .await?;
            asserted.contested = client
                .view(rollup, &Rollup::isContestedCall { id: asserted.id })
                .await?;
            seen.insert(asserted.id, *asserted);
        }
        for known in &mut self.known {
            // Only what can no longer change is remembered as it is.
            if let Some(now) = seen
                .get(&known.id)
                .filter(|now| now.confirmed && !now.bonded)
            {
                *known = *now;
            }
        }
        Ok((list, genesis))
    }
}
