//! JSON-RPC for everything that is not the measured load: setting up, watching, asking afterwards.

use crate::http::Connection;
use alloy_primitives::{B256, hex};
use anyhow::{Context, bail, ensure};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};

/// Calls in one batch: below every node's limit, and a request stays far below 2 MB, anvil's limit.
const BATCH: usize = 50;

/// A connection that speaks JSON-RPC.
pub struct Client(Connection);

impl Client {
    /// Connects.
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        Ok(Self(Connection::open(address).await?))
    }

    /// One call; an error answer is an error.
    pub async fn call<T: DeserializeOwned>(
        &mut self,
        method: &str,
        params: Value,
    ) -> anyhow::Result<T> {
        let body =
            json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let answer = self.0.post(body.as_bytes()).await?;
        let answer: Value = serde_json::from_slice(answer)?;
        result(method, answer)
    }

    /// One method with many parameters, in the order given.
    pub async fn call_all<T: DeserializeOwned>(
        &mut self,
        method: &str,
        params: &[Value],
    ) -> anyhow::Result<Vec<T>> {
        let mut all = Vec::with_capacity(params.len());
        for (number, part) in params.chunks(BATCH).enumerate() {
            let first = number * BATCH;
            let body: Vec<Value> = part
                .iter()
                .enumerate()
                .map(|(i, params)| json!({ "jsonrpc": "2.0", "id": first + i, "method": method, "params": params }))
                .collect();
            let answer = self
                .0
                .post(Value::Array(body).to_string().as_bytes())
                .await?;
            let mut answers: Vec<Value> = serde_json::from_slice(answer)
                .with_context(|| String::from_utf8_lossy(answer).into_owned())?;
            ensure!(
                answers.len() == part.len(),
                "{method}: a batch half answered"
            );
            answers.sort_by_key(|answer| answer["id"].as_u64());
            for answer in answers {
                all.push(result(method, answer)?);
            }
        }
        Ok(all)
    }

    /// A number that travels as hex.
    pub async fn number(&mut self, method: &str, params: Value) -> anyhow::Result<u64> {
        let text: String = self.call(method, params).await?;
        number(&text)
    }

    /// Sends signed transactions and waits until all of them succeeded.
    pub async fn land(&mut self, raws: &[Vec<u8>], names: &str) -> anyhow::Result<()> {
        let params: Vec<_> = raws
            .iter()
            .map(|raw| json!([hex::encode_prefixed(raw)]))
            .collect();
        let hashes: Vec<B256> = self.call_all("eth_sendRawTransaction", &params).await?;
        let mut waiting: Vec<Value> = hashes.iter().map(|hash| json!([hash])).collect();
        for _ in 0..600 {
            let receipts: Vec<Value> = self.call_all("eth_getTransactionReceipt", &waiting).await?;
            let mut missing = Vec::new();
            for (params, receipt) in waiting.into_iter().zip(receipts) {
                match receipt["status"].as_str() {
                    None => missing.push(params),
                    Some("0x1") => {}
                    Some(_) => bail!("{names}: a transaction failed: {receipt}"),
                }
            }
            if missing.is_empty() {
                return Ok(());
            }
            waiting = missing;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!(
            "{names}: {} transactions were not included within 60 s",
            waiting.len()
        )
    }

    /// The text at `path`, such as `/metrics`.
    pub async fn text(&mut self, path: &str) -> anyhow::Result<String> {
        Ok(String::from_utf8(self.0.get(path).await?.to_vec())?)
    }
}

fn result<T: DeserializeOwned>(method: &str, mut answer: Value) -> anyhow::Result<T> {
    if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
        bail!("{method}: {error}");
    }
    serde_json::from_value(answer["result"].take()).with_context(|| format!("{method}: odd answer"))
}

/// Reads `0x…`.
pub fn number(text: &str) -> anyhow::Result<u64> {
    let digits = text.trim_start_matches("0x");
    u64::from_str_radix(digits, 16).with_context(|| format!("{text:?} is not a hex number"))
}
