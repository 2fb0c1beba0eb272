//! One stretch of load on one node: the connections that send, and beside them a watcher that reads the chain.
//!
//! What counts is what the chain shows: a transaction is included when a block with it is served. The watcher's polling
//! is part of the load and the same for both nodes.

use crate::{
    load::Load,
    process::{Node, own_cpu_us},
    rpc::{Client, number},
    send::{Mode, Pace, Sender, Shared},
};
use alloy_primitives::B256;
use anyhow::{Context, bail, ensure};
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};
use tokio::{task::JoinSet, time::Instant};

/// How often the watcher asks for the newest block.
const BLOCK_POLL: Duration = Duration::from_millis(20);
/// How often a paced run asks for receipts; latencies are no finer than this.
const RECEIPT_POLL: Duration = Duration::from_millis(5);
/// What was accepted is included within this long after the last request, or the run failed.
const DRAIN_MAX: Duration = Duration::from_secs(60);
/// The part of a run that does not count: pool and caches fill.
const RAMP_PART: u32 = 6;

/// One stretch of load.
pub struct Phase {
    /// What is sent.
    pub load: Arc<Load>,
    /// Which rows of it.
    pub rows: Range<usize>,
    /// How.
    pub mode: Mode,
    /// How fast.
    pub pace: Pace,
    /// Over how many connections.
    pub connections: usize,
    /// How long at most.
    pub time: Duration,
}

/// What a node had done when a block was first seen.
#[derive(Debug, Clone)]
pub struct Edge {
    /// When.
    pub at: Instant,
    /// The block.
    pub block: u64,
    /// Transactions of the phase in blocks, this one included.
    pub included: u64,
    /// CPU time of the node, µs.
    pub cpu_us: u64,
    /// CPU time of this process, µs.
    pub own_cpu_us: u64,
}

/// What came out.
pub struct Outcome {
    /// First and last edge of the stretch that counts.
    pub window: (Edge, Edge),
    /// CPU time by thread name in the whole phase, µs, and of the process.
    pub threads_us: (BTreeMap<String, u64>, u64),
    /// Transactions of the phase.
    pub transactions: u64,
    /// Refusals on the way.
    pub refused: u64,
    /// Send→receipt of the sampled transactions, µs.
    pub latency_us: Histogram<u64>,
}

impl Phase {
    /// Runs it; afterwards everything accepted is included.
    pub async fn run(self, node: &Node) -> anyhow::Result<Outcome> {
        let shared = Arc::new(Shared::default());
        let mut client = Client::open(node.address).await?;
        let first = client.number("eth_blockNumber", json!([])).await?;
        let threads_before = node.threads_us();
        let cpu_before = node.cpu_us();
        let begin = Instant::now();
        let connections = self.connections.min(self.load.senders());
        let mut senders = JoinSet::new();
        for number in 0..connections {
            let sender = Sender {
                address: node.address,
                load: self.load.clone(),
                rows: self.rows.clone(),
                mode: self.mode,
                pace: self.pace,
                number: (number, connections),
                begin,
                shared: shared.clone(),
            };
            senders.spawn(sender.run());
        }
        let receipts = match self.pace {
            Pace::Fixed(_) => Some(tokio::spawn(follow(node.address, shared.clone()))),
            Pace::Saturate(_) => None,
        };

        let mut watcher = Watcher {
            client,
            edges: vec![edge(node, first, 0)],
        };
        while !senders.is_empty() {
            watcher.look(node, &shared).await?;
            if begin.elapsed() > self.time {
                shared.stop.store(true, Relaxed);
            }
            while let Some(ended) = senders.try_join_next() {
                ended??;
            }
            tokio::time::sleep(BLOCK_POLL).await;
        }
        let sent = Instant::now();
        shared.stop.store(true, Relaxed);
        while shared.included.load(Relaxed) < shared.accepted.load(Relaxed) {
            watcher.look(node, &shared).await?;
            ensure!(
                sent.elapsed() < DRAIN_MAX,
                "{} of {} accepted transactions were not included within {DRAIN_MAX:?}",
                shared.accepted.load(Relaxed) - shared.included.load(Relaxed),
                shared.accepted.load(Relaxed)
            );
            tokio::time::sleep(BLOCK_POLL).await;
        }
        let latency_us = match receipts {
            Some(task) => task.await??,
            None => Histogram::new(3)?,
        };
        let threads_us = node
            .threads_us()
            .into_iter()
            .map(|(name, us)| {
                let before = threads_before.get(&name).copied().unwrap_or(0);
                (name, us.saturating_sub(before))
            })
            .collect();
        Ok(Outcome {
            window: window(&watcher.edges, begin, sent)?,
            threads_us: (threads_us, node.cpu_us() - cpu_before),
            transactions: shared.included.load(Relaxed),
            refused: shared.refused.load(Relaxed),
            latency_us,
        })
    }
}

impl Outcome {
    /// Length of the stretch that counts, seconds.
    pub fn seconds(&self) -> f64 {
        (self.window.1.at - self.window.0.at).as_secs_f64()
    }

    /// Transactions included in it.
    pub const fn counted(&self) -> u64 {
        self.window.1.included - self.window.0.included
    }

    /// The blocks in it.
    pub const fn blocks(&self) -> std::ops::RangeInclusive<u64> {
        self.window.0.block + 1..=self.window.1.block
    }
}

struct Watcher {
    client: Client,
    edges: Vec<Edge>,
}

impl Watcher {
    async fn look(&mut self, node: &Node, shared: &Shared) -> anyhow::Result<()> {
        let head = self.client.number("eth_blockNumber", json!([])).await?;
        let Some(last) = self.edges.last().map(|edge| (edge.block, edge.included)) else {
            return Ok(());
        };
        let (known, mut included) = last;
        if head <= known {
            return Ok(());
        }
        let params: Vec<_> = (known + 1..=head)
            .map(|block| json!([format!("0x{block:x}")]))
            .collect();
        let counts: Vec<Value> = self
            .client
            .call_all("eth_getBlockTransactionCountByNumber", &params)
            .await?;
        for count in counts {
            included += number(count.as_str().context("a block without count")?)?;
        }
        shared.included.store(included, Relaxed);
        self.edges.push(edge(node, head, included));
        Ok(())
    }
}

fn edge(node: &Node, block: u64, included: u64) -> Edge {
    Edge {
        at: Instant::now(),
        block,
        included,
        cpu_us: node.cpu_us(),
        own_cpu_us: own_cpu_us(),
    }
}

/// From the first block after the ramp to the last one before sending ended.
fn window(edges: &[Edge], begin: Instant, end: Instant) -> anyhow::Result<(Edge, Edge)> {
    let ramp = begin + (end - begin) / RAMP_PART;
    let first = edges.iter().find(|edge| edge.at >= ramp);
    let last = edges.iter().rev().find(|edge| edge.at <= end);
    match (first, last) {
        (Some(first), Some(last)) if first.block < last.block => Ok((first.clone(), last.clone())),
        _ => bail!("too few blocks to measure: send for longer"),
    }
}

/// Asks for the receipts of sampled transactions until sending has ended and all are there.
async fn follow(
    address: std::net::SocketAddr,
    shared: Arc<Shared>,
) -> anyhow::Result<Histogram<u64>> {
    let mut client = Client::open(address).await?;
    let mut latency_us = Histogram::new(3)?;
    let mut waiting: Vec<(B256, Instant)> = Vec::new();
    let mut quiet_since = Instant::now();
    loop {
        let stopped = shared.stop.load(Relaxed);
        waiting.append(&mut shared.samples.lock().unwrap_or_else(|e| e.into_inner()));
        if waiting.is_empty() {
            if stopped {
                return Ok(latency_us);
            }
        } else {
            let params: Vec<_> = waiting.iter().map(|(hash, _)| json!([hash])).collect();
            let receipts: Vec<Value> = client
                .call_all("eth_getTransactionReceipt", &params)
                .await?;
            let now = Instant::now();
            let mut still = Vec::with_capacity(waiting.len());
            for ((hash, due), receipt) in waiting.into_iter().zip(receipts) {
                match receipt["status"].as_str() {
                    Some("0x1") => {
                        latency_us.record((now - due).as_micros() as u64)?;
                        quiet_since = now;
                    }
                    Some(_) => bail!("a transaction of the load failed: {receipt}"),
                    None => still.push((hash, due)),
                }
            }
            waiting = still;
            ensure!(
                waiting.is_empty() || quiet_since.elapsed() < DRAIN_MAX,
                "no receipt for {DRAIN_MAX:?}"
            );
        }
        tokio::time::sleep(RECEIPT_POLL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ramp_and_the_drain_do_not_count() {
        let begin = Instant::now();
        let edges: Vec<_> = (0..=80u64)
            .map(|block| Edge {
                at: begin + Duration::from_secs(block),
                block,
                included: block * 100,
                cpu_us: 0,
                own_cpu_us: 0,
            })
            .collect();
        let (first, last) = window(&edges, begin, begin + Duration::from_secs(60)).unwrap();
        assert_eq!((first.block, last.block), (10, 60));
        assert!(window(&edges[..1], begin, begin + Duration::from_secs(60)).is_err());
    }
}
