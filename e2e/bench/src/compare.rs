//! The comparison: for each workload and mode a fresh node of ours, then a fresh anvil, under the same signed bytes.

use crate::{
    da::{self, DaSizes},
    load::{Account, Load},
    metrics::Metrics,
    phase::{Outcome, Phase},
    process::{Node, Ours},
    report::{Row, Side},
    rpc::{Client, number},
    send::{Mode, Pace},
    setup,
    workload::{WEI_PER_TX, Workload},
};
use alloy_primitives::{B256, Bytes};
use anyhow::{Context, ensure};
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Transactions whose size on L1 is compared; brotli-10 takes 140 µs for each.
const DA_TRANSACTIONS: usize = 16_000;
/// Transactions of the saturated run whose receipts are looked at.
const RECEIPTS_CHECKED: usize = 200;
/// Beyond what the load needs, wei.
const SPARE_WEI: u128 = 1_000_000_000_000_000_000;

/// What is compared.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Our node.
    pub ours: Option<Ours>,
    /// anvil.
    pub peer: Option<PathBuf>,
    /// Saturated time, seconds.
    pub seconds: u64,
    /// Open-loop time, seconds.
    pub latency_seconds: u64,
    /// Open-loop rate, transactions a second.
    pub rate: u64,
    /// Transactions signed for each saturated second.
    pub sign_rate: u64,
    /// Accounts that send.
    pub senders: usize,
    /// Connections.
    pub connections: usize,
    /// Accepted and not yet included, at most.
    pub outstanding: u64,
}

/// What goes to both nodes for one workload.
pub struct Prepared {
    workload: Workload,
    owner: Account,
    senders: Vec<Account>,
    contracts: Vec<Vec<u8>>,
    load: Arc<Load>,
    /// Rows below are for the open loop, the others for saturation.
    split: usize,
}

impl Plan {
    /// Signs everything for a workload.
    pub fn prepare(&self, workload: Workload) -> anyhow::Result<Prepared> {
        let owner = Account::many("bench owner", 1)?.remove(0);
        let senders = Account::many("bench sender", self.senders)?;
        let rows = |transactions: u64| (transactions as usize).div_ceil(self.senders);
        let split = rows(self.rate * self.latency_seconds);
        let all = split + rows(self.sign_rate * self.seconds);
        let token = owner.address.create(0);
        let load = Load::sign(&senders, all, |index| workload.call(token, index));
        Ok(Prepared {
            workload,
            contracts: workload.contracts(&owner, &senders)?,
            owner,
            senders,
            load: Arc::new(load),
            split,
        })
    }

    /// Measures one mode on both.
    pub async fn row(&self, prepared: &Prepared, mode: Mode, dir: &Path) -> anyhow::Result<Row> {
        let (workload, mut da) = (prepared.workload, None);
        let ours = match &self.ours {
            None => None,
            Some(how) => {
                let data = dir.join("ours");
                if data.exists() {
                    std::fs::remove_dir_all(&data)?;
                }
                let node = Node::ours(how, dir).await?;
                let result = self.side(prepared, mode, &node).await;
                let (side, sizes) = node.conclude(result).await.context("ours")?;
                da = sizes;
                Some(side)
            }
        };
        let peer = match &self.peer {
            None => None,
            Some(program) => {
                let node = Node::peer(program, dir).await?;
                setup::predeploys(&node, prepared.owner.address).await?;
                let result = self.side(prepared, mode, &node).await;
                let (mut side, _) = node.conclude(result).await.context("anvil")?;
                side.da_bytes_per_tx = da.as_ref().map(|da| da.rlp_brotli10_bytes_per_tx);
                Some(side)
            }
        };
        Ok(Row {
            workload,
            mode,
            ours,
            peer,
            da,
        })
    }

    async fn side(
        &self,
        prepared: &Prepared,
        mode: Mode,
        node: &Node,
    ) -> anyhow::Result<(Side, Option<DaSizes>)> {
        let is_ours = !node.rich.is_empty();
        let each_wei = WEI_PER_TX * prepared.load.rows() as u128 + SPARE_WEI;
        setup::fund(node, std::slice::from_ref(&prepared.owner), 100 * SPARE_WEI).await?;
        setup::fund(node, &prepared.senders, each_wei).await?;
        setup::land(node, &prepared.contracts, "contracts").await?;

        let phase = |rows, pace, seconds| Phase {
            load: prepared.load.clone(),
            rows,
            mode,
            pace,
            connections: self.connections,
            time: Duration::from_secs(seconds),
        };
        let split = prepared.split;
        // Longer than the rows last: they end it.
        let paced = phase(
            0..split,
            Pace::Fixed(self.rate as f64),
            self.latency_seconds * 2,
        );
        let paced = paced.run(node).await.context("open loop")?;
        let mut client = Client::open(node.address).await?;
        let before = metrics(&mut client, is_ours).await?;
        let rows = split..prepared.load.rows();
        let full = phase(rows, Pace::Saturate(self.outstanding), self.seconds);
        let full = full.run(node).await.context("saturation")?;
        let after = metrics(&mut client, is_ours).await?;
        let added = after.since(&before);
        let rss_mib = node.rss_mib().0;

        let blocks = read_blocks(&mut client, &full).await?;
        check_receipts(&mut client, &blocks).await?;
        let da = match is_ours {
            true => Some(da::measure(&raw_blocks(&blocks, &prepared.load)?)?),
            false => None,
        };

        let counted: usize = blocks.iter().map(|block| block.transactions.len()).sum();
        ensure!(
            counted as u64 == full.counted(),
            "blocks changed their transactions"
        );
        let gas: u64 = blocks.iter().map(|block| block.gas).sum();
        let (first, last) = &full.window;
        let per_tx = |us: u64| us as f64 / full.counted() as f64;
        let all = full.transactions as f64;
        let (threads, cpu) = &full.threads_us;
        let mut threads: BTreeMap<_, _> = threads
            .iter()
            .map(|(name, us)| (name.clone(), *us as f64 / all))
            .collect();
        let ended = *cpu as f64 / all - threads.values().sum::<f64>();
        threads.insert("(ended threads)".into(), ended.max(0.0));
        let posted = added
            .get("batched_transactions")
            .filter(|count| *count > 0.0);
        let batched_part = posted.map(|count| count / all);
        let posted = posted.and_then(|count| Some(added.get("batch_bytes")? / count));
        let side = Side {
            tps: full.counted() as f64 / full.seconds(),
            mgas_s: gas as f64 / 1e6 / full.seconds(),
            cpu_us_per_tx: per_tx(last.cpu_us - first.cpu_us),
            p50_ms: paced.latency_us.value_at_quantile(0.5) as f64 / 1e3,
            p99_ms: paced.latency_us.value_at_quantile(0.99) as f64 / 1e3,
            rss_mib,
            da_bytes_per_tx: posted.or(da.as_ref().map(|da| da.columns_bytes_per_tx)),
            seconds: full.seconds(),
            transactions: full.counted(),
            blocks: blocks.len(),
            gas_per_tx: gas as f64 / full.counted() as f64,
            latency_samples: paced.latency_us.len(),
            refused: full.refused,
            loadgen_cpu_us_per_tx: per_tx(last.own_cpu_us - first.own_cpu_us),
            batched_part: if is_ours {
                batched_part.or(Some(0.0))
            } else {
                None
            },
            threads_us_per_tx: threads,
            stages_us_per_tx: added
                .stages()
                .into_iter()
                .map(|(name, seconds)| (name, seconds * 1e6 / all))
                .collect(),
        };
        Ok((side, da))
    }
}

async fn metrics(client: &mut Client, is_ours: bool) -> anyhow::Result<Metrics> {
    match is_ours {
        true => Ok(Metrics::parse(&client.text("/metrics").await?)),
        false => Ok(Metrics::default()),
    }
}

struct Block {
    gas: u64,
    transactions: Vec<B256>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BlockForm {
    gas_used: String,
    transactions: Vec<B256>,
}

async fn read_blocks(client: &mut Client, full: &Outcome) -> anyhow::Result<Vec<Block>> {
    let mut blocks = Vec::new();
    for block in full.blocks() {
        let params = json!([format!("0x{block:x}"), false]);
        let form: BlockForm = client.call("eth_getBlockByNumber", params).await?;
        blocks.push(Block {
            gas: number(&form.gas_used)?,
            transactions: form.transactions,
        });
    }
    Ok(blocks)
}

/// A fast way to fail is no throughput.
async fn check_receipts(client: &mut Client, blocks: &[Block]) -> anyhow::Result<()> {
    let all: Vec<&B256> = blocks
        .iter()
        .flat_map(|block| &block.transactions)
        .collect();
    let step = all.len().div_ceil(RECEIPTS_CHECKED).max(1);
    let params: Vec<_> = all.iter().step_by(step).map(|hash| json!([hash])).collect();
    let receipts: Vec<Value> = client
        .call_all("eth_getTransactionReceipt", &params)
        .await?;
    for receipt in receipts {
        ensure!(
            receipt["status"] == "0x1",
            "a transaction of the load failed: {receipt}"
        );
    }
    Ok(())
}

/// The first blocks with the bytes of the load, [`DA_TRANSACTIONS`] in all.
fn raw_blocks(blocks: &[Block], load: &Load) -> anyhow::Result<Vec<Vec<Bytes>>> {
    let known: HashMap<B256, usize> = (0..load.len())
        .into_par_iter()
        .map(|index| (alloy_primitives::keccak256(load.raw(index)), index))
        .collect();
    let mut left = DA_TRANSACTIONS;
    let mut found = Vec::new();
    for block in blocks.iter().filter(|block| !block.transactions.is_empty()) {
        let take = left.min(block.transactions.len());
        let raws = block.transactions[..take]
            .iter()
            .map(|hash| {
                let index = known
                    .get(hash)
                    .context("a block with a foreign transaction")?;
                Ok(Bytes::copy_from_slice(load.raw(*index)))
            })
            .collect::<anyhow::Result<_>>()?;
        found.push(raws);
        left -= take;
        if left == 0 {
            break;
        }
    }
    Ok(found)
}
