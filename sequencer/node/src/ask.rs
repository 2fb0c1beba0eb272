//! One JSON-RPC question to a node.

use anyhow::{Context, anyhow, bail};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Asks `method` of the node at `url`.
pub async fn ask<T: DeserializeOwned>(
    http: &reqwest::Client,
    url: &str,
    method: &str,
    params: Value,
) -> anyhow::Result<T> {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let answer: Value = http
        .post(url)
        .json(&body)
        .send()
        .await
        .map_err(|_| {
            anyhow!("{url} does not answer: is the node running? (`tributary dev` starts one)")
        })?
        .json()
        .await
        .with_context(|| format!("{url} does not speak JSON-RPC"))?;
    if let Some(error) = answer.get("error") {
        bail!(
            "{method}: {}",
            error["message"].as_str().unwrap_or("unknown error")
        );
    }
    serde_json::from_value(answer["result"].clone())
        .with_context(|| format!("unexpected answer to {method}"))
}
