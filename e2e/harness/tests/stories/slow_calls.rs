//! Questions that take long delay no block: they wait for one another, never the chain for them.

use crate::tell;
use alloy_primitives::{Address, U256, hex};
use anyhow::{Context, bail, ensure};
use config::Network;
use futures::{SinkExt, StreamExt};
use harness::{Tributary, free_port, payment, user};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinSet;
use tokio_tungstenite::{connect_async, tungstenite::Message};

const SHOP: Address = Address::repeat_byte(0x5a);
/// Has the code of the caller's choice.
const LOOP: Address = Address::repeat_byte(0x10);
/// Clients that ask without a pause: many times what the node answers at once.
const OVER_HTTP: usize = 24;
const OVER_WS: usize = 8;
/// Blocks that must come meanwhile.
const ROUNDS: u64 = 5;
/// The whole story, on the slowest of machines. Nothing else here looks at a clock.
const AT_MOST: Duration = Duration::from_secs(240);

/// What a node may say instead of an answer: `out of gas`, too late, too much.
const REFUSALS: [i64; 3] = [-32000, -32002, -32005];

/// Questions that burn all the gas they get, or read all there is.
fn slow(kind: usize) -> (&'static str, Value) {
    // JUMPDEST PUSH0 JUMP, for ever.
    let state = json!({ LOOP.to_string(): { "code": "0x5b5f56" } });
    let call = json!({ "to": LOOP, "gas": "0x2faf080" });
    match kind % 4 {
        0 => ("eth_call", json!([call, "latest", state])),
        1 => (
            "debug_traceCall",
            json!([call, "latest", { "stateOverrides": state, "tracer": "noopTracer" }]),
        ),
        2 => (
            "eth_getLogs",
            json!([{ "fromBlock": "earliest", "toBlock": "latest" }]),
        ),
        _ => (
            "eth_simulateV1",
            json!([{ "blockStateCalls": [
                { "stateOverrides": state, "calls": [{ "to": LOOP, "gas": "0xf42400" }] },
                { "calls": [{ "to": LOOP, "gas": "0xf42400" }, { "to": LOOP, "gas": "0xf42400" }] },
            ] }, "latest"]),
        ),
    }
}

/// What became of the questions.
#[derive(Default)]
struct Asked {
    stop: AtomicBool,
    /// Sent and not answered yet.
    open: AtomicUsize,
    answers: parking_lot::Mutex<BTreeMap<(&'static str, i64), usize>>,
}

impl Asked {
    /// Counts an answer; 0 stands for a result.
    fn note(&self, method: &'static str, answer: &Value) -> anyhow::Result<()> {
        self.open.fetch_sub(1, Ordering::SeqCst);
        let code = match answer.get("error") {
            None => 0,
            Some(error) => error["code"].as_i64().context("an error without a code")?,
        };
        ensure!(code == 0 || REFUSALS.contains(&code), "{method}: {answer}");
        *self.answers.lock().entry((method, code)).or_default() += 1;
        Ok(())
    }

    fn next(&self, kind: usize) -> Option<(&'static str, String)> {
        if self.stop.load(Ordering::SeqCst) {
            return None;
        }
        let (method, params) = slow(kind);
        self.open.fetch_add(1, Ordering::SeqCst);
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        Some((method, body.to_string()))
    }
}

async fn ask_over_http(url: String, asked: Arc<Asked>, mut kind: usize) -> anyhow::Result<()> {
    let http = reqwest::Client::new();
    while let Some((method, body)) = asked.next(kind) {
        let request = http.post(&url).header("content-type", "application/json");
        let answer = request.body(body).send().await?.json().await?;
        asked.note(method, &answer)?;
        kind += 1;
    }
    Ok(())
}

async fn ask_over_ws(url: String, asked: Arc<Asked>, mut kind: usize) -> anyhow::Result<()> {
    let (mut socket, _) = connect_async(url.replace("http://", "ws://")).await?;
    while let Some((method, body)) = asked.next(kind) {
        socket.send(Message::text(body)).await?;
        let answer = loop {
            match socket.next().await.context("the socket is closed")?? {
                Message::Text(text) => break serde_json::from_str(&text)?,
                Message::Close(_) => bail!("the socket is closed"),
                _ => {}
            }
        };
        asked.note(method, &answer)?;
        kind += 1;
    }
    Ok(())
}

/// How many slow questions of a kind the node works on, as its metrics say.
async fn running(node: &Tributary, chain_id: u64) -> anyhow::Result<BTreeMap<String, usize>> {
    let text = reqwest::get(format!("{}/metrics", node.url()))
        .await?
        .text()
        .await?;
    let mut found = BTreeMap::new();
    let ours = format!("chain=\"{chain_id}\"");
    for line in text
        .lines()
        .filter(|line| line.starts_with("rpc_long_running{"))
    {
        let (labels, value) = line.rsplit_once(' ').context("a metric without a value")?;
        if labels.contains(&ours) {
            let kind = labels
                .split("kind=\"")
                .nth(1)
                .and_then(|l| l.split('"').next());
            let value: f64 = value.parse()?;
            found.insert(kind.context("no kind")?.to_owned(), value as usize);
        }
    }
    Ok(found)
}

struct Story {
    node: Tributary,
    network: Network,
    asked: Arc<Asked>,
    /// The most that was seen running of each kind.
    most: BTreeMap<String, usize>,
}

impl Story {
    async fn look(&mut self) -> anyhow::Result<()> {
        let limits = &self.network.rpc;
        let bounds = [
            ("call", limits.calls_at_once),
            ("read", limits.reads_at_once),
            ("trace", limits.traces_at_once),
        ];
        let now = running(&self.node, self.network.chain.id).await?;
        for (kind, bound) in bounds {
            let count = now.get(kind).copied().unwrap_or(0);
            ensure!(
                count <= bound,
                "{count} of {kind} at once, {bound} are allowed"
            );
            let most = self.most.entry(kind.to_owned()).or_default();
            *most = count.max(*most);
        }
        Ok(())
    }

    fn reached(&self, kind: &str) -> usize {
        self.most.get(kind).copied().unwrap_or(0)
    }

    /// Sends a payment, and looks until it is in a block. Its number.
    async fn pay(&mut self, nonce: u64) -> anyhow::Result<u64> {
        let raw = payment(&self.network, &user(0)?, nonce, SHOP, U256::from(1))?;
        let hash = self
            .node
            .ask("eth_sendRawTransaction", json!([hex::encode_prefixed(raw)]))
            .await?;
        loop {
            let receipt = self
                .node
                .ask("eth_getTransactionReceipt", json!([hash]))
                .await?;
            if let Some(number) = receipt["blockNumber"].as_str() {
                ensure!(receipt["status"] == "0x1", "{receipt}");
                return Ok(u64::from_str_radix(number.trim_start_matches("0x"), 16)?);
            }
            self.look().await?;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Clients ask until they are told to stop, or one gets an answer that may not be.
fn none_ended(clients: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    match clients.try_join_next() {
        None => Ok(()),
        Some(ended) => {
            ended??;
            bail!("a client ended before it was told to")
        }
    }
}

async fn blocks_go_on(datadir: &Path) -> anyhow::Result<()> {
    let (rpc, l1) = (free_port()?, free_port()?);
    let node = Tributary::start(datadir, rpc, l1).await?;
    while !datadir.join("dev.json").exists() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let network = Network::parse(&std::fs::read_to_string(datadir.join("network.toml"))?)?;
    let asked = Arc::new(Asked::default());
    let mut clients = JoinSet::new();
    for n in 0..OVER_HTTP {
        clients.spawn(ask_over_http(node.url().to_owned(), asked.clone(), n));
    }
    for n in 0..OVER_WS {
        clients.spawn(ask_over_ws(node.url().to_owned(), asked.clone(), n));
    }
    let bounds = (network.rpc.calls_at_once, network.rpc.traces_at_once);
    let mut story = Story {
        node,
        network,
        asked,
        most: BTreeMap::new(),
    };
    // Until there is no room for one more.
    while (story.reached("call"), story.reached("trace")) != bounds {
        story.look().await?;
        none_ended(&mut clients)?;
    }
    let key = user(0)?.address();
    let nonce = story
        .node
        .ask("eth_getTransactionCount", json!([key, "latest"]))
        .await?;
    let nonce = u64::from_str_radix(
        nonce.as_str().context("no nonce")?.trim_start_matches("0x"),
        16,
    )?;
    let mut last = 0;
    for round in 0..ROUNDS {
        let number = story.pay(nonce + round).await?;
        ensure!(number > last, "block {number} after {last}");
        last = number;
        let open = story.asked.open.load(Ordering::SeqCst);
        ensure!(
            open > bounds.0 + bounds.1,
            "only {open} questions are open: nothing is shown"
        );
        none_ended(&mut clients)?;
    }
    story.asked.stop.store(true, Ordering::SeqCst);
    while let Some(ended) = clients.join_next().await {
        ended??;
    }
    // Every kind was answered, one way or the other, and nothing runs on for nobody.
    let answers = story.asked.answers.lock().clone();
    for kind in 0..4 {
        let (method, _) = slow(kind);
        ensure!(
            answers.keys().any(|(answered, _)| *answered == method),
            "{method}: {answers:?}"
        );
    }
    loop {
        let now = running(&story.node, story.network.chain.id).await?;
        if now.values().all(|count| *count == 0) {
            break;
        }
    }
    println!("{answers:?}, at once {:?}", story.most);
    Ok(())
}

#[tokio::test]
async fn slow_questions_delay_no_block() {
    tell(async {
        let dir = tempfile::tempdir()?;
        tokio::time::timeout(AT_MOST, blocks_go_on(&dir.path().join("node")))
            .await
            .context("the story has no end")?
    })
    .await;
}
