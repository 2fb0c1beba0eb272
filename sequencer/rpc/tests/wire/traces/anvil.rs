//! The same transactions on anvil: two machines of one make, but other handlers, other state and other forms.
//!
//! Not compared: balances and what follows from them (fees and the coinbase differ), and the texts of steps that fail
//! (anvil shows Rust's names). Where anvil is the odd one, by geth and parity: it shows refunds of zero, takes no `limit`
//! of steps, counts the gas of the first call without what is paid before the first step, lists accounts that are not there yet
//! before a transaction, and counts a call of a precompile among parity's traces.

use super::scene::Scene;
use crate::chain::{CODES, L1_ID, hex, who};
use alloy_primitives::{Address, B256};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

/// The one that the scene calls.
const PRECOMPILE: Address = Address::with_last_byte(4);

/// Ends with the test.
struct Anvil {
    process: Child,
    url: String,
    client: reqwest::Client,
}

impl Drop for Anvil {
    fn drop(&mut self) {
        // An error means that it has ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Anvil {
    /// `None` where it is not installed.
    fn start() -> Option<Self> {
        let program = PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../contracts/node_modules/.bin/anvil"
        ));
        if !program.exists() {
            assert!(std::env::var_os("CI").is_none(), "CI needs anvil");
            println!("no anvil: `make setup` installs it");
            return None;
        }
        let id = L1_ID.to_string();
        let mut process = Command::new(program)
            .args(["--port", "0", "--hardfork", "osaka", "--chain-id", &id])
            .args([
                "--steps-tracing",
                "--accounts",
                "1",
                "--block-base-fee-per-gas",
                "1000000000",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let listens =
            lines.find_map(|line| Some(line.split_once("Listening on ")?.1.trim().to_owned()));
        // It goes on printing and would fail without a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self {
            process,
            url: format!("http://{}", listens.unwrap()),
            client: reqwest::Client::new(),
        })
    }

    async fn call(&self, method: &str, params: Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let request = self
            .client
            .post(&self.url)
            .header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        match answer.get("result") {
            Some(result) => result.clone(),
            None => panic!("{method}: {answer}"),
        }
    }

    /// Waits for the block that a transaction makes.
    async fn mined(&self, hash: &Value) {
        for _ in 0..1_000 {
            let receipt = self.call("eth_getTransactionReceipt", json!([hash])).await;
            if receipt["gasUsed"].is_string() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("anvil does not mine {hash}");
    }

    /// The accounts of our chain's first block, and its transactions, each in a block of its own.
    async fn follow(&self, scene: &Scene) {
        for n in 0..4 {
            let rich = json!([who(n), "0x3635c9adc5dea00000"]);
            self.call("anvil_setBalance", rich).await;
        }
        for (address, code) in CODES {
            self.call("anvil_setCode", json!([address, code])).await;
            self.call("anvil_setNonce", json!([address, "0x1"])).await;
        }
        for number in 1..=2 {
            let block = scene.chain.store.block(number).unwrap().unwrap();
            for tx in &block.transactions {
                let hash = self
                    .call("eth_sendRawTransaction", json!([hex(&tx.raw)]))
                    .await;
                assert_eq!(hash, json!(tx.hash));
                self.mined(&hash).await;
            }
        }
    }
}

/// Leaves out what two chains may not agree on.
fn comparable(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for key in [
                "balance",
                "blockHash",
                "blockNumber",
                "transactionPosition",
                "error",
            ] {
                fields.remove(key);
            }
            // Geth shows a refund where there is one, anvil always.
            fields.retain(|key, value| key != "refund" || *value != json!(0));
            let coinbase = hex([0xcc; 20]);
            fields.retain(|key, _| *key != coinbase && *key != hex([0; 20]));
            fields.values_mut().for_each(comparable);
            fields.retain(|_, value| *value != json!({}));
        }
        Value::Array(list) => list.iter_mut().for_each(comparable),
        _ => {}
    }
}

/// Where the two differ, with what each says there.
fn differ(at: &str, ours: &Value, theirs: &Value, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let (a, b) = (&ours[key], &theirs[key]);
                differ(&format!("{at}.{key}"), a, b, found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                differ(&format!("{at}[{index}]"), a, b, found);
            }
        }
        (a, b) if a != b => found.push(format!("{at}: {a}, anvil {b}")),
        _ => {}
    }
}

async fn compare(
    scene: &Scene,
    anvil: &Anvil,
    method: &str,
    hash: B256,
    options: Value,
    found: &mut Vec<String>,
) {
    let params = match method {
        "trace_transaction" => json!([hash]),
        _ => json!([hash, options]),
    };
    let mut ours = scene.chain.call(method, params.clone()).await;
    let mut theirs = anvil.call(method, params).await;
    comparable(&mut ours);
    comparable(&mut theirs);
    for side in [&mut ours, &mut theirs] {
        if let Some(traces) = side.as_array_mut() {
            traces.retain(|trace| trace["action"]["to"] != hex(PRECOMPILE));
            for trace in &mut *traces {
                trace["traceAddress"].take();
                trace["subtraces"].take();
            }
            traces[0]["action"]["gas"].take();
            traces[0]["result"]["gasUsed"].take();
        } else if options["tracer"] == "callTracer" {
            side["gas"].take();
        }
    }
    differ(&format!("{method} {options} "), &ours, &theirs, found);
}

#[tokio::test]
async fn anvil_sees_the_same() {
    // The scene's chain brings the client's cryptography with it.
    let scene = Scene::ethereum().await;
    let Some(anvil) = Anvil::start() else { return };
    anvil.follow(&scene).await;
    let named = |tracer: &str, config: Value| json!({ "tracer": tracer, "tracerConfig": config });
    let mut found = Vec::new();
    for hash in [scene.busy, scene.payment, scene.refused, scene.burnt] {
        for options in [
            json!({}),
            json!({ "enableMemory": true, "enableReturnData": true }),
            json!({ "disableStack": true, "disableStorage": true }),
            named("callTracer", json!({ "withLog": true })),
            named("callTracer", json!({ "onlyTopCall": true })),
            named("prestateTracer", json!({})),
            named("prestateTracer", json!({ "diffMode": true })),
            named("4byteTracer", json!({})),
        ] {
            let method = "debug_traceTransaction";
            compare(&scene, &anvil, method, hash, options, &mut found).await;
        }
        compare(
            &scene,
            &anvil,
            "trace_transaction",
            hash,
            Value::Null,
            &mut found,
        )
        .await;
    }
    // One of each kind: a step that differs is not alone.
    let kind = |line: &String| {
        let place = line.split_once(": ").map_or("", |(place, _)| place);
        place.replace(|c: char| c.is_ascii_digit(), "")
    };
    let count = found.len();
    let mut kinds = std::collections::BTreeSet::new();
    found.retain(|line| kinds.insert(kind(line)));
    assert!(count == 0, "{count} differences:\n{}", found.join("\n"));
}
