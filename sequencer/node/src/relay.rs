//! Carries withdrawals to L1: proves them, finalises them. Anyone may, and several may at once.
//!
//! What to do is decided by `relayer`; how far L1 has a withdrawal stands in the store, where the driver wrote it.

use crate::producer::Chain;
use alloy_primitives::{B256, keccak256};
use alloy_rpc_types_eth::TransactionRequest;
use l1::{Client, Intent, L1Error, Sender, Settled, intent_id};
use primitives::{
    predeploys::MESSAGE_PASSER,
    withdrawal::{MESSAGE_PASSED, Withdrawal},
};
use relayer::{Carry, Move, Relayer, Stage, calls};
use rpc::rollup_withdrawals::{self as withdrawals, Found};
use std::{
    collections::HashMap,
    ops::ControlFlow,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use store::{LogQuery, Store};

/// L2 blocks searched in one look.
const BLOCKS_PER_LOOK: u64 = 50_000;

/// One relayer.
pub struct Relay {
    chain: Arc<Chain>,
    client: Client,
    sender: Sender,
    carry: Carry,
    /// Gas that one transaction may take on L1.
    gas_max: u64,
    relayer: Relayer,
    rewinds: u64,
    /// Moves sent by this process, by the sender's name for them.
    sent: HashMap<u64, B256>,
}

impl Relay {
    /// Goes on with what `sender` has in flight.
    pub fn new(
        chain: Arc<Chain>,
        client: Client,
        sender: Sender,
        carry: Carry,
        gas_max: u64,
    ) -> Self {
        Self {
            rewinds: chain.rewinds.load(Ordering::Relaxed),
            chain,
            client,
            sender,
            carry,
            gas_max,
            relayer: Relayer::default(),
            sent: HashMap::new(),
        }
    }

    /// Withdrawals that are carried and not done.
    pub fn open(&self) -> usize {
        self.relayer.open()
    }

    /// One look at both sides, and the transactions that follow from it.
    pub async fn step(&mut self) -> anyhow::Result<()> {
        let Some(head) = self.chain.l1.heads().0 else {
            return Ok(());
        };
        for (id, how) in self.sender.poll().await? {
            if let (Some(hash), false) = (self.sent.remove(&id), how == Settled::Succeeded) {
                // Somebody was quicker, or L1 moved: what L1 holds now decides.
                tracing::info!(withdrawal = %hash, ?how, "another relayer was quicker, or L1 moved");
                metrics::counter!("relayer_moves_undone").increment(1);
                self.relayer.refused(hash, head.number);
            }
        }
        self.search()?;
        let store = self.chain.store.clone();
        let busy: Vec<u64> = self.sender.pending().collect();
        let moves = self.relayer.decide(
            head.number,
            |next| busy.contains(&id_of(next)),
            |hash| stage(&store, hash, head.timestamp),
        )?;
        metrics::gauge!("relayer_open").set(self.relayer.open() as f64);
        for next in moves {
            if let Err(error) = self.send(&next, head.number).await {
                match error.downcast_ref() {
                    Some(L1Error::Refused(why)) => {
                        tracing::debug!(?next, %why, "L1 does not take a move now");
                        self.relayer.refused(next.hash(), head.number);
                    }
                    _ => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// Looks for withdrawals in blocks that L1 holds.
    fn search(&mut self) -> anyhow::Result<()> {
        let store = &self.chain.store;
        let rewinds = self.chain.rewinds.load(Ordering::Relaxed);
        if rewinds != self.rewinds {
            self.rewinds = rewinds;
            self.relayer.rewind(store.finalized());
        }
        let safe = store.safe();
        let Some(from) = self.relayer.wants().filter(|from| *from <= safe) else {
            return Ok(());
        };
        let to = safe.min(from + BLOCKS_PER_LOOK - 1);
        for found in sent_between(store, from, to)? {
            self.relayer
                .found(found.0, &self.carry, [(found.0, found.1, &found.2)]);
        }
        self.relayer.found(to, &self.carry, []);
        Ok(())
    }

    async fn send(&mut self, next: &Move, l1_block: u64) -> anyhow::Result<()> {
        let (chain, hash) = (&self.chain, next.hash());
        let found = withdrawals::find(&chain.store, hash, 0)?;
        let Some(Found { withdrawal, .. }) = found else {
            return Ok(()); // Its block was taken back between two reads.
        };
        let mut intent = match next {
            Move::Prove { .. } => match proof_of(&chain.store, hash)? {
                Some(proof) => calls::prove(&chain.network, &withdrawal, &proof),
                None => return Ok(()),
            },
            Move::Finalise { by, .. } => calls::finalise(&chain.network, &withdrawal, *by),
        };
        let gas = estimate(&self.client, &self.sender, &intent).await?;
        if gas > self.gas_max {
            tracing::debug!(withdrawal = %hash, gas, "takes more gas than is given away");
            self.relayer.refused(hash, l1_block);
            return Ok(());
        }
        // State may move between estimate and inclusion.
        intent.gas_limit = Some((gas + gas / 4).min(self.gas_max));
        let id = id_of(next);
        self.sender.submit(id, intent).await?;
        self.sent.insert(id, hash);
        metrics::counter!("relayer_moves").increment(1);
        tracing::info!(?next, "relayer");
        Ok(())
    }
}

/// Gas that a transaction would take; one that would revert is [`L1Error::Refused`].
async fn estimate(client: &Client, sender: &Sender, intent: &Intent) -> anyhow::Result<u64> {
    let mut request = TransactionRequest::default()
        .from(sender.address())
        .value(intent.value)
        .input(intent.data.clone().into());
    request.to = intent.to.map(Into::into);
    Ok(client.estimate(request).await?)
}

fn id_of(next: &Move) -> u64 {
    intent_id(keccak256(format!("{next:?}")))
}

/// The proof that the store keeps, as `Portal` takes it.
pub fn proof_of(store: &Store, hash: B256) -> anyhow::Result<Option<calls::Proof>> {
    let proof = withdrawals::stored_proof(store, hash)?;
    Ok(proof.map(|proof| calls::Proof {
        output: proof.output.index,
        root: proof.root,
        nodes: proof.nodes,
    }))
}

/// Withdrawals of L2 blocks `from..=to`: block, order in it, message.
pub fn sent_between(
    store: &Store,
    from: u64,
    to: u64,
) -> anyhow::Result<Vec<(u64, u32, Withdrawal)>> {
    let query = LogQuery {
        addresses: vec![MESSAGE_PASSER],
        topics: vec![vec![MESSAGE_PASSED]],
    };
    let mut all: Vec<(u64, u32, Withdrawal)> = Vec::new();
    store.logs(from, to, &query, &|| true, &mut |found| {
        if let Some(message) = Withdrawal::from_log(&found.log) {
            let number = found.block_number;
            let order = match all.last() {
                Some((before, order, _)) if *before == number => order + 1,
                _ => 0,
            };
            all.push((number, order, message));
        }
        ControlFlow::Continue(())
    })?;
    Ok(all)
}

fn stage(store: &Store, hash: B256, now: u64) -> anyhow::Result<Stage> {
    let Some(found) = withdrawals::find(store, hash, 0)? else {
        return Ok(Stage::Waiting);
    };
    Ok(match withdrawals::stage(store, &found, now)? {
        withdrawals::Stage::Uncovered { .. } | withdrawals::Stage::Proven(_) => Stage::Waiting,
        withdrawals::Stage::Provable(output) => Stage::Provable {
            output: output.index,
        },
        withdrawals::Stage::Finalisable(proven) => Stage::Finalisable { by: proven.by },
        withdrawals::Stage::Finalised { .. } => Stage::Done,
    })
}

/// Carries. Runs until the chain stops.
pub async fn run(mut relay: Relay, poll: Duration) {
    while !relay.chain.is_stopping() {
        if let Err(error) = relay.step().await {
            tracing::debug!(%error, "relayer");
        }
        tokio::time::sleep(poll).await;
    }
}
