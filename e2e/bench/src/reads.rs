//! How many reads a second one node answers: what wallets and indexers ask most, in HTTP batches.

use crate::{
    http::Connection,
    process::{Node, Ours},
    rpc::Client,
};
use alloy_primitives::{Address, U256, hex, keccak256};
use anyhow::ensure;
use hdrhistogram::Histogram;
use primitives::predeploys::WRAPPED_OPEN;
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

/// What came out.
#[derive(Debug, Serialize)]
pub struct Report {
    /// One for each kind of question.
    pub reads: Vec<Reads>,
}

/// One kind of question.
#[derive(Debug, Serialize)]
pub struct Reads {
    /// The method.
    pub method: &'static str,
    /// Calls in one HTTP request.
    pub batch: usize,
    /// Answers a second.
    pub per_s: f64,
    /// CPU of the node for one answer, µs: a million by this is what one core answers in a second.
    pub cpu_us: f64,
    /// Time of one HTTP request, ms.
    pub p50_ms: f64,
    /// The same.
    pub p99_ms: f64,
}

/// Runs it, each kind for `seconds` over `connections`.
pub async fn run(
    ours: &Ours,
    dir: &Path,
    seconds: u64,
    connections: usize,
) -> anyhow::Result<Report> {
    let node = Node::ours(ours, dir).await?;
    let mut reads = Vec::new();
    for (method, batch, params) in [
        ("eth_getBalance", 100, balance as fn(u64) -> Value),
        ("eth_call", 100, balance_of),
        ("eth_getProof", 1, proof),
    ] {
        reads.push(measure(&node, method, batch, params, seconds, connections).await?);
    }
    node.conclude(Ok(Report { reads })).await
}

fn account(n: u64) -> Address {
    Address::from_word(keccak256(n.to_be_bytes()))
}

fn balance(n: u64) -> Value {
    json!([account(n % 1_000), "latest"])
}

/// `balanceOf(address)`.
fn balance_of(n: u64) -> Value {
    let mut data = vec![0x70, 0xa0, 0x82, 0x31];
    data.extend_from_slice(account(n % 1_000).into_word().as_slice());
    json!([{ "to": WRAPPED_OPEN, "data": hex::encode_prefixed(data) }, "latest"])
}

fn proof(n: u64) -> Value {
    json!([
        WRAPPED_OPEN,
        [format!("{:#x}", U256::from(n % 1_000))],
        "latest"
    ])
}

async fn measure(
    node: &Node,
    method: &'static str,
    batch: usize,
    params: fn(u64) -> Value,
    seconds: u64,
    connections: usize,
) -> anyhow::Result<Reads> {
    // Answered at all?
    let mut client = Client::open(node.address).await?;
    client.call::<Value>(method, params(0)).await?;
    let (cpu, began) = (node.cpu_us(), Instant::now());
    let until = began + Duration::from_secs(seconds);
    let mut asking = Vec::new();
    for number in 0..connections {
        let first = (number * batch) as u64;
        asking.push(tokio::spawn(ask(
            node.address,
            method,
            batch,
            params,
            first,
            until,
        )));
    }
    let mut times = Histogram::<u64>::new(3)?;
    for one in asking {
        times.add(one.await??)?;
    }
    let (took, cpu) = (began.elapsed(), node.cpu_us() - cpu);
    let answers = times.len() as f64 * batch as f64;
    let ms = |quantile: f64| times.value_at_quantile(quantile) as f64 / 1_000.0;
    Ok(Reads {
        method,
        batch,
        per_s: answers / took.as_secs_f64(),
        cpu_us: cpu as f64 / answers,
        p50_ms: ms(0.5),
        p99_ms: ms(0.99),
    })
}

/// Asks until the time is up; how long each request took, µs.
async fn ask(
    address: SocketAddr,
    method: &'static str,
    batch: usize,
    params: fn(u64) -> Value,
    first: u64,
    until: Instant,
) -> anyhow::Result<Histogram<u64>> {
    let mut connection = Connection::open(address).await?;
    let calls: Vec<Value> = (first..first + batch as u64)
        .map(|n| json!({ "jsonrpc": "2.0", "id": n, "method": method, "params": params(n) }))
        .collect();
    // Written once: writing JSON is the client's work, not the node's.
    let body = Value::Array(calls).to_string();
    let mut times = Histogram::<u64>::new(3)?;
    while Instant::now() < until {
        let began = Instant::now();
        let answer = connection.post(body.as_bytes()).await?;
        times.record(began.elapsed().as_micros() as u64)?;
        ensure!(
            !answer.windows(7).take(200).any(|part| part == b"\"error\""),
            "{method}: {}",
            String::from_utf8_lossy(answer)
        );
    }
    Ok(times)
}
