//! How long a node takes to its first block, what it costs while nothing happens, and how it comes back from `kill -9`.

use crate::{
    load::{Account, Call, Load},
    phase::Phase,
    process::{Node, Ours},
    rpc::Client,
    send::{Mode, Pace},
    setup,
};
use alloy_primitives::{Address, U256};
use anyhow::ensure;
use serde::Serialize;
use serde_json::json;
use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

const SETTLE: Duration = Duration::from_secs(3);
const SENDERS: usize = 100;
const SENDER_WEI: u128 = 2_000_000_000_000_000_000;
const TRANSFER_GAS: u64 = 151_000;

/// What came out.
#[derive(Debug, Serialize)]
pub struct Report {
    /// From start to L2 blocks with the deposits of the ten accounts, contracts on L1 deployed, seconds.
    pub first_block_s: f64,
    /// CPU while idle, percent of one core.
    pub idle_cpu_percent: f64,
    /// The same by thread name.
    pub idle_threads_percent: BTreeMap<String, f64>,
    /// Memory while idle, MiB.
    pub idle_rss_mib: f64,
    /// Transactions before the kill.
    pub transactions: u64,
    /// From start after `kill -9` under load to ready, seconds.
    pub restart_s: f64,
    /// From SIGTERM to the end, seconds.
    pub stop_s: f64,
}

/// Runs it.
pub async fn run(ours: &Ours, dir: &Path, idle_s: u64, load_s: u64) -> anyhow::Result<Report> {
    let node = Node::ours(ours, dir).await?;
    let mut client = Client::open(node.address).await?;
    let blocks = client.number("eth_blockNumber", json!([])).await?;
    ensure!(blocks > 0, "ready without a block");
    let first_block_s = node.age().as_secs_f64();

    tokio::time::sleep(SETTLE).await;
    let (before, threads) = (node.cpu_us(), node.threads_us());
    let began = std::time::Instant::now();
    tokio::time::sleep(Duration::from_secs(idle_s)).await;
    let percent = |us: u64| us as f64 / began.elapsed().as_micros() as f64 * 100.0;
    let idle_cpu_percent = percent(node.cpu_us() - before);
    let idle_threads_percent = node
        .threads_us()
        .into_iter()
        .map(|(name, us)| {
            let before = threads.get(&name).copied().unwrap_or(0);
            (name, percent(us.saturating_sub(before)))
        })
        .collect();
    let idle_rss_mib = node.rss_mib().1;

    let senders = Account::many("bench sender", SENDERS)?;
    setup::fund(&node, &senders, SENDER_WEI).await?;
    let rows = (load_s as usize * 10_000).div_ceil(SENDERS);
    let load = Load::sign(&senders, rows, |index| {
        let to = Address::from_word(U256::from(1 << 32 | index).into());
        Call::transfer(to, U256::from(1), TRANSFER_GAS)
    });
    let phase = Phase {
        rows: 0..load.rows(),
        load: Arc::new(load),
        mode: Mode::Batch50,
        pace: Pace::Saturate(20_000),
        connections: 8,
        time: Duration::from_secs(load_s),
    };
    let transactions = phase.run(&node).await?.transactions;
    let head = client.number("eth_blockNumber", json!([])).await?;
    node.kill()?;

    let node = Node::ours(ours, dir).await?;
    let restart_s = node.age().as_secs_f64();
    let mut client = Client::open(node.address).await?;
    let found = client.number("eth_blockNumber", json!([])).await?;
    ensure!(
        found >= head,
        "block {head} was served, the restarted node is at {found}"
    );
    let stop_s = node.stop().await?.as_secs_f64();
    Ok(Report {
        first_block_s,
        idle_cpu_percent,
        idle_threads_percent,
        idle_rss_mib,
        transactions,
        restart_s,
        stop_s,
    })
}
