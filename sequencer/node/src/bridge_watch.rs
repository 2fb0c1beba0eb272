//! Writes down what L1 says of the bridge, and proofs of withdrawals as soon as an output root covers them.
//!
//! Everything up to L1's finalized block is written for good; the rest is read again at a start and forgotten when L1
//! replaces its blocks. A proof is made when our chain stands at the output's block if it comes from L1 just then, so
//! that a node that begins today has the proofs of all years without holding all states.

use crate::{genesis::output_root, producer::Chain, relay::sent_between};
use alloy_primitives::B256;
use bindings::portal::Portal;
use l1::{Asserted, BridgeEvent, BridgeLog, Client, L1Error};
use primitives::{predeploys::MESSAGE_PASSER, withdrawal::sent_slot};
use rpc::rollup_withdrawals::stored_proof;
use std::sync::Arc;
use store::{DepositInfo, L1Event, L1Note, L1Said, OutputInfo, Store, WithdrawalProof};

/// Blocks read by one `eth_getLogs`, what public nodes allow.
const CHUNK: u64 = 2_000;
/// Slots proven at once: a megabyte of nodes.
const SLOTS_AT_ONCE: usize = 512;
/// What the store takes from its own trie in one go.
const SLOTS_AT_HEAD: usize = 32;
/// Where the journal keeps its two numbers.
const NAMESPACE: &str = "bridge";

/// Follows the bridge on L1.
#[derive(Clone)]
pub struct BridgeWatch {
    chain: Arc<Chain>,
    /// First L1 block not read yet.
    next: u64,
    /// Every withdrawal up to this L2 block has a proof.
    proved: u64,
}

impl BridgeWatch {
    /// Goes on behind what is written for good.
    pub fn open(chain: Arc<Chain>) -> anyhow::Result<Self> {
        let next = number(&chain, b"next")?.unwrap_or(chain.network.contracts.deployed_at);
        let proved = number(&chain, b"proved")?.unwrap_or(0);
        chain.store.forget_l1_above(next.saturating_sub(1))?;
        let mut watch = Self {
            chain,
            next,
            proved,
        };
        watch.proved = watch.proved.min(watch.covered()?);
        Ok(watch)
    }

    /// L1 replaced every block above `keep`.
    pub fn rewind(&mut self, keep: u64) -> anyhow::Result<()> {
        if keep + 1 < self.next {
            self.next = keep + 1;
            self.chain.store.forget_l1_above(keep)?;
            self.proved = self.proved.min(self.covered()?);
        }
        Ok(())
    }

    /// Reads up to L1 block `newest`, which the tracker stands at. `hash_of` knows the hashes of the tracker's blocks.
    pub async fn read(
        &mut self,
        client: &Client,
        newest: u64,
        finalized: u64,
        hash_of: impl Fn(u64) -> Option<B256>,
    ) -> anyhow::Result<()> {
        while self.next <= newest {
            let to = newest.min(self.next.saturating_add(CHUNK - 1));
            let logs = client.bridge_logs(self.next, to).await?;
            let stands = |log: &BridgeLog| hash_of(log.at.number).is_none_or(|h| h == log.at.hash);
            anyhow::ensure!(logs.iter().all(stands), L1Error::Moved);
            let said = self.said(client, logs).await?;
            // A reorg since the logs were read would show here, and the rows would be of a fork that is gone.
            if let Some(hash) = hash_of(to) {
                let there = client.header(to).await?.map(|header| header.hash_slow());
                anyhow::ensure!(there == Some(hash), L1Error::Moved);
            }
            if !said.is_empty() {
                self.chain.store.put_from_l1(&said)?;
            }
            self.next = to + 1;
            put_number(&self.chain, b"next", self.next.min(finalized + 1))?;
        }
        Ok(())
    }

    async fn said(&self, client: &Client, logs: Vec<BridgeLog>) -> anyhow::Result<Vec<L1Said>> {
        let mut news = News::new(&self.chain.store);
        let mut time = (0, 0);
        for BridgeLog { at, log, tx, event } in logs {
            if time.0 != at.number {
                let told = match at.timestamp {
                    0 => {
                        let header = client.header(at.number).await?;
                        header.ok_or(L1Error::Moved)?.timestamp
                    }
                    told => told,
                };
                time = (at.number, told);
            }
            let place = Place {
                l1_block: at.number,
                log,
                timestamp: time.1,
                l1_tx: tx,
            };
            if let BridgeEvent::Proven { hash, by } = event {
                let portal = client.network().contracts.portal;
                let call = Portal::provenWithdrawals_0Call { hash, prover: by };
                let proven = client.view(portal, &call).await?;
                let (root, at, output) = (proven._0, proven._1, proven._2);
                // Read from a fork that is gone, or not yet this far.
                anyhow::ensure!(!root.is_zero(), L1Error::Moved);
                let window_s = u128::from(client.network().assertion.window_s);
                let event = L1Event::Proven {
                    by,
                    output: output.try_into().unwrap_or(u64::MAX),
                    ready_at: (at + window_s).try_into().unwrap_or(u64::MAX),
                };
                news.about(hash, place, event);
            } else {
                news.add(place, event)?;
            }
        }
        Ok(news.said)
    }

    /// The highest block that an output of ours describes.
    fn covered(&self) -> anyhow::Result<u64> {
        let store = &self.chain.store;
        let mut index = store.last_output()?.map(|output| output.index);
        let mut best = 0;
        while let Some(at) = index {
            if let Some(output) = store.output(at)?
                && self.is_ours(&output)?
            {
                best = output.l2_block;
                break;
            }
            index = at.checked_sub(1);
        }
        Ok(best)
    }

    /// It says what our chain says.
    fn is_ours(&self, output: &OutputInfo) -> anyhow::Result<bool> {
        let header = self.chain.store.header(output.l2_block)?;
        Ok(header.is_some_and(|header| output_root(&header) == output.output_root))
    }

    /// True if an output up to L2 block `limit` covers blocks whose withdrawals have no proof yet.
    pub fn has_work(&self, limit: u64) -> anyhow::Result<bool> {
        Ok(self.next_output(limit)?.is_some())
    }

    /// Proves every withdrawal that an output up to L2 block `limit` covers.
    pub fn prove(&mut self, limit: u64) -> anyhow::Result<()> {
        let store = self.chain.store.clone();
        while let Some(output) = self.next_output(limit)? {
            let mut wanted = Vec::new();
            for (_, _, message) in sent_between(&store, self.proved + 1, output.l2_block)? {
                let hash = message.hash();
                if stored_proof(&store, hash)?.is_none() {
                    wanted.push(hash);
                }
            }
            // At the head the store gives a few slots for nothing; elsewhere each call undoes what came since.
            let at_once = if output.l2_block == store.head().header.number {
                SLOTS_AT_HEAD
            } else {
                SLOTS_AT_ONCE
            };
            for part in wanted.chunks(at_once) {
                let slots: Vec<B256> = part.iter().map(|hash| sent_slot(*hash)).collect();
                let proof = store.proof_at(output.l2_block, MESSAGE_PASSER, &slots, &|| true)?;
                let proofs: Vec<_> = part
                    .iter()
                    .zip(proof.storage)
                    .map(|(hash, slot)| {
                        let proof = WithdrawalProof {
                            l2_block: output.l2_block,
                            nodes: slot.proof,
                        };
                        (*hash, proof)
                    })
                    .collect();
                store.put_withdrawal_proofs(&proofs)?;
                metrics::counter!("withdrawals_proven").increment(proofs.len() as u64);
            }
            if !wanted.is_empty() {
                tracing::info!(
                    withdrawals = wanted.len(),
                    block = output.l2_block,
                    output = output.index,
                    "withdrawals can be proven"
                );
            }
            self.proved = output.l2_block;
            put_number(&self.chain, b"proved", self.proved)?;
        }
        Ok(())
    }

    /// The lowest output of ours above what is proven.
    fn next_output(&self, limit: u64) -> anyhow::Result<Option<OutputInfo>> {
        if self.proved >= limit {
            return Ok(None);
        }
        for output in self.chain.store.outputs_of(self.proved + 1, limit)? {
            if self.is_ours(&output)? {
                return Ok(Some(output));
            }
        }
        Ok(None)
    }
}

/// Where an event stands.
#[derive(Clone, Copy)]
struct Place {
    l1_block: u64,
    log: u64,
    timestamp: u64,
    l1_tx: B256,
}

/// Rows made of one stretch of logs, over those that are written already.
struct News<'a> {
    store: &'a Store,
    said: Vec<L1Said>,
    /// The last assertion, until it is known whether its output is new.
    asserted: Option<(Place, Asserted)>,
}

impl<'a> News<'a> {
    fn new(store: &'a Store) -> Self {
        Self {
            store,
            said: Vec::new(),
            asserted: None,
        }
    }

    fn about(&mut self, subject: B256, place: Place, event: L1Event) {
        let Place {
            l1_block,
            log,
            timestamp,
            l1_tx,
        } = place;
        self.said.push(L1Said::About(
            subject,
            L1Note {
                l1_block,
                log,
                timestamp,
                l1_tx,
                event,
            },
        ));
    }

    fn add(&mut self, place: Place, event: BridgeEvent) -> anyhow::Result<()> {
        match event {
            BridgeEvent::Enqueued { index, acc } => self.said.push(L1Said::Deposit(DepositInfo {
                index,
                l1_block: place.l1_block,
                l1_tx: place.l1_tx,
                timestamp: place.timestamp,
                acc,
            })),
            BridgeEvent::Asserted(asserted) => {
                // The list names each output once: of a second voice only the assertion is new.
                if let Some(output) = self.twin_of(&asserted)? {
                    self.about(asserted.id, place, L1Event::Asserted { output });
                } else {
                    self.asserted = Some((place, asserted));
                }
            }
            BridgeEvent::Listed { output: index } => {
                let (place, asserted) = self.asserted.take().ok_or(L1Error::Moved)?;
                self.about(asserted.id, place, L1Event::Asserted { output: index });
                self.said.push(L1Said::Output(OutputInfo {
                    index,
                    id: asserted.id,
                    parent: self.output_of(asserted.parent)?.unwrap_or(0),
                    proposer: asserted.proposer,
                    record_count: asserted.record_count,
                    l2_block: asserted.l2_block,
                    output_root: asserted.output_root,
                    l1_block: place.l1_block,
                    asserted_at: place.timestamp,
                }));
            }
            BridgeEvent::Confirmed { output } => {
                let output = self.output(output)?.ok_or(L1Error::Moved)?;
                self.about(output.id, place, L1Event::Confirmed);
            }
            BridgeEvent::Contested { id } => {
                let index = self.output_of(id)?.ok_or(L1Error::Moved)?;
                for rival in self.rivals(index)? {
                    self.about(rival, place, L1Event::Contested);
                }
            }
            BridgeEvent::Finalised { hash, succeeded } => {
                self.about(hash, place, L1Event::Finalised { succeeded });
            }
            BridgeEvent::Proven { .. } => {}
        }
        Ok(())
    }

    fn output(&self, index: u64) -> anyhow::Result<Option<OutputInfo>> {
        let fresh = self.said.iter().find_map(|said| match said {
            L1Said::Output(output) if output.index == index => Some(*output),
            _ => None,
        });
        match fresh {
            Some(output) => Ok(Some(output)),
            None => Ok(self.store.output(index)?),
        }
    }

    /// The output that an assertion is about.
    fn output_of(&self, id: B256) -> anyhow::Result<Option<u64>> {
        let of = |event: &L1Event| match event {
            L1Event::Asserted { output } => Some(*output),
            _ => None,
        };
        let fresh = self.said.iter().find_map(|said| match said {
            L1Said::About(subject, note) if *subject == id => of(&note.event),
            _ => None,
        });
        match fresh {
            Some(output) => Ok(Some(output)),
            None => Ok(self
                .store
                .l1_events(id)?
                .iter()
                .find_map(|note| of(&note.event))),
        }
    }

    /// Outputs from the newest down.
    fn outputs(&self) -> anyhow::Result<impl Iterator<Item = anyhow::Result<OutputInfo>> + '_> {
        let fresh = self.said.iter().rev().find_map(|said| match said {
            L1Said::Output(output) => Some(output.index),
            _ => None,
        });
        let newest = match fresh {
            Some(index) => Some(index),
            None => self.store.last_output()?.map(|output| output.index),
        };
        Ok((0..newest.map_or(0, |newest| newest + 1))
            .rev()
            .filter_map(|index| self.output(index).transpose()))
    }

    /// The output that the assertion repeats.
    fn twin_of(&self, asserted: &Asserted) -> anyhow::Result<Option<u64>> {
        let mut there = self
            .store
            .outputs_of(asserted.l2_block, asserted.l2_block)?;
        there.extend(self.said.iter().filter_map(|said| match said {
            L1Said::Output(output) => Some(*output),
            _ => None,
        }));
        let parent = self.output_of(asserted.parent)?;
        let twin = there.iter().find(|output| {
            Some(output.parent) == parent
                && output.index != 0
                && (output.record_count, output.l2_block, output.output_root)
                    == (
                        asserted.record_count,
                        asserted.l2_block,
                        asserted.output_root,
                    )
        });
        Ok(twin.map(|output| output.index))
    }

    /// First assertions of an output and of all that contradict it.
    fn rivals(&self, index: u64) -> anyhow::Result<Vec<B256>> {
        let this = self.output(index)?.ok_or(L1Error::Moved)?;
        let mut rivals = vec![this.id];
        for output in self.outputs()? {
            let output = output?;
            let of_one_parent = output.parent == this.parent;
            let of_one_state = output.record_count == this.record_count
                && (output.l2_block, output.output_root) != (this.l2_block, this.output_root);
            if output.index != index && output.index != 0 && (of_one_parent || of_one_state) {
                rivals.push(output.id);
            }
        }
        Ok(rivals)
    }
}

fn number(chain: &Chain, key: &[u8]) -> anyhow::Result<Option<u64>> {
    let notes = chain.store.journal_scan(NAMESPACE)?;
    let note = notes.into_iter().find(|(k, _)| k == key);
    Ok(note
        .and_then(|(_, value)| value.try_into().ok())
        .map(u64::from_be_bytes))
}

fn put_number(chain: &Chain, key: &[u8], value: u64) -> anyhow::Result<()> {
    Ok(chain
        .store
        .journal_put(NAMESPACE, key, Some(&value.to_be_bytes()))?)
}
