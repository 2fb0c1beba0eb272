//! How long `eth_getLogs` takes over a whole chain of ERC-20 transfers, by address and topics.
//!
//! Every transfer is one log. Some recipients get ten of them, some a thousand, all others one.

use crate::{
    http::Connection,
    load::{Account, Call, Load, word},
    phase::Phase,
    process::{Node, Ours},
    rpc::Client,
    send::{Mode, Pace},
    setup,
    workload::{WEI_PER_TX, Workload},
};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::SolCall;
use anyhow::{Context, ensure};
use bindings::open_token::OpenToken;
use hdrhistogram::Histogram;
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

const SENDERS: usize = 250;
/// For fees and setup, wei: 100 OPEN.
const SPARE_WEI: u128 = 100_000_000_000_000_000_000;
const TRANSFER_GAS: u64 = 265_000;
/// Recipients of a thousand transfers each, and as many of ten each: a question is not asked twice in a row.
const RECIPIENTS: u64 = 16;
const MANY: u64 = 1_000;
const FEW: u64 = 10;
/// Answers to each kind of question, ...
const ANSWERS_MAX: u64 = 20 * RECIPIENTS;
/// ... or what comes within this time.
const TIME_MAX: Duration = Duration::from_secs(5);

/// What came out.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Our node, started anew after the transfers: nothing is in its memory.
    pub ours: Side,
    /// anvil, which has all of it in memory.
    pub peer: Option<Side>,
}

/// One node.
#[derive(Debug, Serialize)]
pub struct Side {
    /// Logs on the chain.
    pub logs: u64,
    /// Its blocks.
    pub blocks: u64,
    /// Kinds of questions.
    pub filters: Vec<Filter>,
}

/// One kind of question, over all blocks.
#[derive(Debug, Serialize)]
pub struct Filter {
    /// Of the token, with `Transfer` and a recipient who got so many.
    pub matches: u64,
    /// The first answer, ms.
    pub first_ms: f64,
    /// The usual one, ms.
    pub p50_ms: f64,
    /// The longest of all, ms.
    pub max_ms: f64,
    /// CPU of the node for one, ms, whatever else it does meanwhile.
    pub cpu_ms: f64,
    /// How many were asked.
    pub answers: u64,
}

/// Runs it: so many logs for our node and, if its program is given, for anvil.
pub async fn run(
    ours: &Ours,
    logs: u64,
    peer: Option<(&Path, u64)>,
    dir: &Path,
) -> anyhow::Result<Report> {
    let transfers = Transfers::new(logs)?;
    let node = Node::ours(ours, dir).await?;
    let sent = transfers.send(&node).await;
    node.conclude(sent).await.context("ours")?;
    drop(transfers.load);
    let node = Node::ours(ours, dir).await?;
    let asked = ask_all(&node, logs, transfers.token).await;
    let ours = node.conclude(asked).await.context("ours")?;
    let peer = match peer {
        None => None,
        Some((program, logs)) => {
            let transfers = Transfers::new(logs)?;
            let node = Node::peer(program, dir).await?;
            let asked = async {
                transfers.send(&node).await?;
                ask_all(&node, logs, transfers.token).await
            };
            let asked = asked.await;
            Some(node.conclude(asked).await.context("anvil")?)
        }
    };
    Ok(Report { ours, peer })
}

struct Transfers {
    owner: Account,
    senders: Vec<Account>,
    token: Address,
    load: Arc<Load>,
}

impl Transfers {
    fn new(logs: u64) -> anyhow::Result<Self> {
        ensure!(
            logs.is_multiple_of(MANY) && logs >= 4 * RECIPIENTS * MANY,
            "{logs} logs: take a multiple of {MANY}, and enough for all recipients"
        );
        let owner = Account::many("bench owner", 1)?.remove(0);
        let senders = Account::many("bench sender", SENDERS)?;
        let token = owner.address.create(0);
        let rows = (logs as usize).div_ceil(SENDERS);
        let load = Load::sign(&senders, rows, |index| {
            let transfer = OpenToken::transferCall {
                to: recipient(index, logs),
                value: U256::from(1 + index % 1_000_000),
            };
            let input = Bytes::from(transfer.abi_encode());
            Call::to(token, U256::ZERO, TRANSFER_GAS, input)
        });
        Ok(Self {
            owner,
            senders,
            token,
            load: Arc::new(load),
        })
    }

    async fn send(&self, node: &Node) -> anyhow::Result<()> {
        let each_wei = WEI_PER_TX * self.load.rows() as u128 + SPARE_WEI;
        setup::fund(node, std::slice::from_ref(&self.owner), SPARE_WEI).await?;
        setup::fund(node, &self.senders, each_wei).await?;
        let contracts = Workload::Erc20.contracts(&self.owner, &self.senders)?;
        setup::land(node, &contracts, "token").await?;
        let phase = Phase {
            rows: 0..self.load.rows(),
            load: self.load.clone(),
            mode: Mode::Batch50,
            pace: Pace::Saturate(20_000),
            connections: 8,
            time: Duration::MAX,
        };
        phase.run(node).await?;
        Ok(())
    }
}

fn person(name: &str, number: u64) -> Address {
    Address::from_word(word(name, number))
}

/// Of the `index`th transfer among `logs`.
fn recipient(index: u64, logs: u64) -> Address {
    let (often, seldom) = (index % (logs / MANY), index % (logs / FEW));
    if often < RECIPIENTS {
        person("bench of many", often)
    } else if (2 * RECIPIENTS..3 * RECIPIENTS).contains(&seldom) {
        person("bench of few", seldom - 2 * RECIPIENTS)
    } else {
        person("bench recipient", index)
    }
}

async fn ask_all(node: &Node, logs: u64, token: Address) -> anyhow::Result<Side> {
    let mut client = Client::open(node.address).await?;
    let mut filters = Vec::new();
    for (name, matches) in [
        ("bench of none", 0),
        ("bench of few", FEW),
        ("bench of many", MANY),
    ] {
        filters.push(ask(node, &mut client, token, name, matches).await?);
    }
    let blocks = client.number("eth_blockNumber", json!([])).await?;
    Ok(Side {
        logs,
        blocks,
        filters,
    })
}

async fn ask(
    node: &Node,
    client: &mut Client,
    token: Address,
    name: &str,
    matches: u64,
) -> anyhow::Result<Filter> {
    let filter = |number: u64| {
        let topics = [
            Some(keccak256("Transfer(address,address,uint256)")),
            None,
            Some(person(name, number % RECIPIENTS).into_word()),
        ];
        filter_of(token, &topics)
    };
    let mut connection = Connection::open(node.address).await?;
    let mut times = Histogram::<u64>::new(3)?;
    let mut first_ms = 0.0;
    let (cpu, all) = (node.cpu_us(), Instant::now());
    for number in 0..ANSWERS_MAX {
        if all.elapsed() > TIME_MAX {
            break;
        }
        let call =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": filter(number) });
        let body = call.to_string();
        let began = Instant::now();
        connection.post(body.as_bytes()).await?;
        let took = began.elapsed();
        times.record(took.as_micros() as u64)?;
        if number == 0 {
            first_ms = took.as_secs_f64() * 1_000.0;
        }
    }
    let cpu = node.cpu_us() - cpu;
    // Rightly? Last, so that no question was asked before it was measured.
    for number in 0..RECIPIENTS {
        let found: Vec<Value> = client.call("eth_getLogs", filter(number)).await?;
        ensure!(
            found.len() as u64 == matches,
            "{name} {number}: {} logs, not {matches}",
            found.len()
        );
    }
    let ms = |us: u64| us as f64 / 1_000.0;
    Ok(Filter {
        matches,
        first_ms,
        p50_ms: ms(times.value_at_quantile(0.5)),
        max_ms: ms(times.max()),
        answers: times.len(),
        cpu_ms: ms(cpu) / times.len() as f64,
    })
}

fn filter_of(token: Address, topics: &[Option<B256>]) -> Value {
    json!([{ "fromBlock": "0x0", "toBlock": "latest", "address": token, "topics": topics }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn each_recipient_gets_as_many_as_are_asked_for() {
        for logs in [64_000, 100_000] {
            let mut got = HashMap::<Address, u64>::new();
            for index in 0..logs {
                *got.entry(recipient(index, logs)).or_default() += 1;
            }
            for number in 0..RECIPIENTS {
                assert_eq!(got.remove(&person("bench of many", number)), Some(MANY));
                assert_eq!(got.remove(&person("bench of few", number)), Some(FEW));
            }
            assert!(got.values().all(|count| *count == 1));
        }
    }
}
