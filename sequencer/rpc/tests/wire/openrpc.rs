//! Answers against the published schema of Ethereum's JSON-RPC.
//!
//! The schema stands in `openrpc.json` of the vectors (`TRIBUTARY_VECTORS`, or `../shared/vectors` beside the
//! checkout). The validator knows what that file uses and refuses what it does not know.

use crate::chain::{Chain, EMITTER, L1_ID, TELLER, hex, plain, raw, sign, who};
use alloy_consensus::{TxEip1559, TxEip2930, TxLegacy};
use alloy_primitives::{B256, TxKind, U256};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

pub fn schema() -> Option<Value> {
    let beside = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/vectors"
    ));
    let folder = std::env::var_os("TRIBUTARY_VECTORS").map_or(beside, PathBuf::from);
    let Ok(text) = std::fs::read_to_string(folder.join("openrpc.json")) else {
        assert!(std::env::var_os("CI").is_none(), "CI needs openrpc.json");
        println!(
            "no openrpc.json: build it from github.com/ethereum/execution-apis, name its folder in TRIBUTARY_VECTORS"
        );
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

pub fn result_schema<'a>(schema: &'a Value, method: &str) -> &'a Value {
    let methods = schema["methods"].as_array().unwrap();
    &methods
        .iter()
        .find(|m| m["name"] == method)
        .unwrap_or_else(|| panic!("{method} is not in the schema"))["result"]["schema"]
}

pub fn fits(schema: &Value, value: &Value) -> Result<(), String> {
    let rules: &Map<String, Value> = schema.as_object().unwrap();
    for (rule, want) in rules {
        match rule.as_str() {
            "title"
            | "description"
            | "examples"
            | "default"
            | "$schema"
            | "items"
            | "additionalProperties"
            | "minimum"
            | "maximum" => {}
            "type" => is_type(want, value)?,
            "pattern" => matches(want.as_str().unwrap(), value)?,
            "enum" => require(want.as_array().unwrap().contains(value), || {
                format!("{value} is none of {want}")
            })?,
            "const" => require(want == value, || format!("{value} is not {want}"))?,
            "required" => {
                for key in want.as_array().unwrap() {
                    require(value.get(key.as_str().unwrap()).is_some(), || {
                        format!("{key} is missing")
                    })?;
                }
            }
            "properties" => {
                for (key, part) in want.as_object().unwrap() {
                    if let Some(part_value) = value.get(key) {
                        fits(part, part_value).map_err(|e| format!("{key}: {e}"))?;
                    }
                }
                if rules.get("additionalProperties") == Some(&Value::Bool(false)) {
                    for key in value.as_object().into_iter().flatten().map(|(key, _)| key) {
                        require(want.get(key).is_some(), || {
                            format!("{key} should not be there")
                        })?;
                    }
                }
            }
            "oneOf" | "anyOf" => {
                let tries: Vec<String> = want
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(|one| fits(one, value).err())
                    .collect();
                require(tries.len() < want.as_array().unwrap().len(), || {
                    format!("fits nothing: {}", tries.join(" | "))
                })?;
            }
            "allOf" => want
                .as_array()
                .unwrap()
                .iter()
                .try_for_each(|one| fits(one, value))?,
            other => panic!("the validator does not know `{other}`"),
        }
    }
    if let (Some(items), Some(list)) = (rules.get("items"), value.as_array()) {
        list.iter().try_for_each(|item| fits(items, item))?;
    }
    if let (Some(part @ Value::Object(_)), Some(object), None) = (
        rules.get("additionalProperties"),
        value.as_object(),
        rules.get("properties"),
    ) {
        object.values().try_for_each(|value| fits(part, value))?;
    }
    Ok(())
}

fn require(holds: bool, what: impl Fn() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

fn is_type(want: &Value, value: &Value) -> Result<(), String> {
    let one = |name: &str| match name {
        "string" => value.is_string(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "null" => value.is_null(),
        other => panic!("the validator does not know type `{other}`"),
    };
    let fits = match want {
        Value::Array(names) => names.iter().any(|name| one(name.as_str().unwrap())),
        name => one(name.as_str().unwrap()),
    };
    require(fits, || format!("{value} is no {want}"))
}

/// The patterns of the file are hex of some length, or fixed texts.
fn matches(pattern: &str, value: &Value) -> Result<(), String> {
    let Some(text) = value.as_str() else {
        return Ok(());
    };
    if let Some(start) = pattern.strip_prefix('^').and_then(|p| p.strip_suffix(".*")) {
        return require(text.starts_with(start), || {
            format!("{text} does not start with {start}")
        });
    }
    let inner = pattern
        .strip_prefix('^')
        .and_then(|p| p.strip_suffix('$'))
        .unwrap_or_else(|| panic!("pattern {pattern}"));
    let digits = text.strip_prefix("0x");
    let lower = |digits: &str| {
        digits
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let quantity = |digits: &str| {
        lower(digits) && (digits == "0" || (!digits.is_empty() && !digits.starts_with('0')))
    };
    let holds = match inner {
        "0x(0|[1-9a-f][0-9a-f]*)" => digits.is_some_and(quantity),
        "0x[0-9a-fA-F]{40}" => {
            digits.is_some_and(|d| d.len() == 40 && d.bytes().all(|b| b.is_ascii_hexdigit()))
        }
        "0x[0-9a-f]*" => digits.is_some_and(lower),
        "0x[0-9a-f]{1,2}" => digits.is_some_and(|d| lower(d) && (1..=2).contains(&d.len())),
        "(0|[1-9][0-9]*)" => {
            text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'))
        }
        other => {
            if let Some(rest) = other.strip_prefix("0x(0|[1-9a-f][0-9a-f]{0,") {
                let more: usize = rest.trim_end_matches("})").parse().unwrap();
                digits.is_some_and(|d| quantity(d) && d.len() <= more + 1)
            } else if let Some(rest) = other.strip_prefix("0x[0-9a-f]{") {
                let bounds: Vec<usize> = rest
                    .trim_end_matches('}')
                    .split(',')
                    .map(|n| n.parse().unwrap())
                    .collect();
                digits.is_some_and(|d| {
                    lower(d) && d.len() >= bounds[0] && d.len() <= bounds[bounds.len() - 1]
                })
            } else if other.bytes().all(|b| b.is_ascii_alphanumeric()) {
                text == other
            } else {
                panic!("the validator does not know pattern {pattern}")
            }
        }
    };
    require(holds, || format!("{text} does not match {pattern}"))
}

#[tokio::test]
async fn answers_fit_the_schema() {
    let Some(schema) = schema() else { return };
    let chain = Chain::ethereum().await;
    let filter = chain.call("eth_newFilter", json!([{}])).await;
    let legacy = TxLegacy {
        chain_id: Some(L1_ID),
        gas_price: 3_000_000_000,
        gas_limit: 50_000,
        to: TxKind::Call(EMITTER),
        ..Default::default()
    };
    let list = TxEip2930 {
        chain_id: L1_ID,
        gas_price: 3_000_000_000,
        gas_limit: 50_000,
        nonce: 1,
        to: TxKind::Call(EMITTER),
        ..Default::default()
    };
    let create = TxEip1559 {
        to: TxKind::Create,
        value: U256::ZERO,
        ..plain(L1_ID, 2)
    };
    let emit = TxEip1559 {
        to: TxKind::Call(EMITTER),
        value: U256::ZERO,
        input: B256::repeat_byte(1).0.into(),
        ..plain(L1_ID, 3)
    };
    let hashes = [
        chain.send(0, legacy).await,
        chain.send(0, list).await,
        chain.send(0, create).await,
        chain.send(0, emit).await,
    ];
    chain.mine();
    chain.send(1, plain(L1_ID, 0)).await;
    chain.send(1, plain(L1_ID, 9)).await;
    let block_hash = json!(chain.store.head().hash);
    let mut asked = vec![
        ("eth_chainId", json!([])),
        ("eth_syncing", json!([])),
        ("eth_blockNumber", json!([])),
        ("eth_accounts", json!([])),
        ("eth_coinbase", json!([])),
        ("net_version", json!([])),
        ("eth_gasPrice", json!([])),
        ("eth_baseFee", json!([])),
        ("eth_blobBaseFee", json!([])),
        ("eth_maxPriorityFeePerGas", json!([])),
        ("eth_feeHistory", json!(["0x2", "latest", [25, 75]])),
        ("eth_getBalance", json!([who(0), "latest"])),
        ("eth_getCode", json!([TELLER, "latest"])),
        ("eth_getStorageAt", json!([TELLER, "0x0", "latest"])),
        ("eth_getTransactionCount", json!([who(0), "pending"])),
        ("eth_getProof", json!([TELLER, ["0x0"], "latest"])),
        ("eth_getBlockByNumber", json!(["latest", true])),
        ("eth_getBlockByNumber", json!(["latest", false])),
        ("eth_getBlockByNumber", json!(["0x99", false])),
        ("eth_getBlockByHash", json!([block_hash, true])),
        ("eth_getBlockTransactionCountByNumber", json!(["latest"])),
        ("eth_getBlockTransactionCountByHash", json!([block_hash])),
        ("eth_getBlockReceipts", json!(["latest"])),
        (
            "eth_getTransactionByBlockNumberAndIndex",
            json!(["latest", "0x0"]),
        ),
        (
            "eth_getTransactionByBlockHashAndIndex",
            json!([block_hash, "0x1"]),
        ),
        ("eth_call", json!([{"to": TELLER}, "latest"])),
        ("eth_estimateGas", json!([{"to": TELLER}, "latest"])),
        ("eth_createAccessList", json!([{"to": TELLER}, "latest"])),
        ("eth_getLogs", json!([{"fromBlock": "0x0"}])),
        ("eth_getFilterChanges", json!([filter])),
        ("eth_getFilterLogs", json!([filter])),
        ("eth_newFilter", json!([{}])),
        ("eth_newBlockFilter", json!([])),
        ("eth_newPendingTransactionFilter", json!([])),
        ("eth_uninstallFilter", json!([filter])),
        ("txpool_status", json!([])),
        ("txpool_content", json!([])),
        ("txpool_contentFrom", json!([who(1)])),
        ("debug_getRawHeader", json!(["latest"])),
        ("debug_getRawBlock", json!(["latest"])),
        ("debug_getRawReceipts", json!(["latest"])),
        ("debug_getRawTransaction", json!([hashes[0]])),
        ("debug_getBadBlocks", json!([])),
        ("eth_capabilities", json!([])),
        ("eth_config", json!([])),
        (
            "eth_getStorageValues",
            json!([{TELLER.to_string(): [B256::ZERO, B256::ZERO]}, "latest"]),
        ),
        (
            "eth_fillTransaction",
            json!([{"from": who(2), "to": TELLER, "value": "0x0"}]),
        ),
        (
            "eth_fillTransaction",
            json!([{"from": who(2), "to": TELLER, "gasPrice": "0xffffffff"}]),
        ),
        (
            "eth_simulateV1",
            json!([{
                "traceTransfers": true,
                "returnFullTransactions": true,
                "blockStateCalls": [
                    {"calls": [
                        {"from": who(2), "to": EMITTER, "value": "0x1", "input": B256::ZERO},
                        {"to": crate::chain::REVERTER},
                        {"to": EMITTER, "gasPrice": "0x0", "input": B256::ZERO},
                    ]},
                    {},
                ],
            }, "latest"]),
        ),
        (
            "eth_simulateV1",
            json!([{"blockStateCalls": [{"calls": [{"to": TELLER}]}]}]),
        ),
        (
            "eth_sendRawTransaction",
            json!([hex(raw(sign(1, plain(L1_ID, 1))))]),
        ),
    ];
    for hash in hashes {
        asked.push(("eth_getTransactionByHash", json!([hash])));
        asked.push(("eth_getTransactionReceipt", json!([hash])));
    }
    for (method, params) in asked {
        let answer = chain.call(method, params.clone()).await;
        if let Err(why) = fits(result_schema(&schema, method), &answer) {
            panic!("{method} {params}: {why}\n{answer:#}");
        }
    }
}

/// What a method may answer instead of a result: the codes that the document lists for it.
fn error_codes(schema: &Value, method: &str) -> Vec<i64> {
    let methods = schema["methods"].as_array().unwrap();
    let method = methods.iter().find(|m| m["name"] == method).unwrap();
    method["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|error| error["code"].as_i64())
        .collect()
}

#[tokio::test]
async fn errors_fit_the_schema() {
    let Some(schema) = schema() else { return };
    let chain = Chain::ethereum().await;
    chain.send(0, plain(L1_ID, 0)).await;
    chain.mine();
    // JSON-RPC's own, and what geth answers wherever it has no code.
    let common = [
        -32700, -32600, -32601, -32602, -32603, -32000, -32001, -32005,
    ];
    let simulate = |blocks: Value, validation: bool| json!([{"blockStateCalls": blocks, "validation": validation}, "latest"]);
    let call = |call: Value| json!([{"calls": [call]}]);
    for (method, params) in [
        ("eth_getBlockByNumber", json!([])),
        ("eth_getBlockByNumber", json!(["0xzz", false])),
        ("eth_getBalance", json!([who(0), "0x99"])),
        ("eth_getBalance", json!(["0x12", "latest"])),
        (
            "eth_getLogs",
            json!([{"fromBlock": "0x1", "toBlock": "0x0"}]),
        ),
        (
            "eth_getLogs",
            json!([{"topics": [null, null, null, null, null]}]),
        ),
        (
            "eth_call",
            json!([{"to": crate::chain::REVERTER}, "latest"]),
        ),
        ("eth_estimateGas", json!([{"to": crate::chain::REVERTER}])),
        ("eth_sendRawTransaction", json!(["0x02c0"])),
        ("eth_getFilterChanges", json!(["0x1"])),
        ("eth_getStorageValues", json!([{}])),
        ("eth_fillTransaction", json!([{"to": TELLER}])),
        ("debug_getRawBlock", json!(["0x99"])),
        ("debug_getRawTransaction", json!(["0x99"])),
        ("eth_simulateV1", simulate(json!([]), false)),
        (
            "eth_simulateV1",
            simulate(json!([{"blockOverrides": {"number": "0x0"}}]), false),
        ),
        (
            "eth_simulateV1",
            simulate(json!([{"blockOverrides": {"time": "0x0"}}]), false),
        ),
        (
            "eth_simulateV1",
            simulate(json!([{"blockOverrides": {"number": "0xffff"}}]), false),
        ),
        (
            "eth_simulateV1",
            simulate(
                call(json!({"from": who(0), "nonce": "0x0", "maxFeePerGas": "0xfffffffff"})),
                true,
            ),
        ),
        (
            "eth_simulateV1",
            simulate(
                call(json!({"from": who(0), "nonce": "0x9", "maxFeePerGas": "0xfffffffff"})),
                true,
            ),
        ),
        (
            "eth_simulateV1",
            simulate(call(json!({"from": who(0)})), true),
        ),
        (
            "eth_simulateV1",
            simulate(call(json!({"from": who(0), "gas": "0x1"})), false),
        ),
        (
            "eth_simulateV1",
            simulate(
                call(
                    json!({"from": B256::ZERO[..20].iter().fold(String::from("0x"), |t, b| t + &format!("{b:02x}")), "value": "0xffffffffffffffffffff"}),
                ),
                false,
            ),
        ),
        (
            "eth_simulateV1",
            simulate(call(json!({"gas": "0xffffffffff"})), false),
        ),
    ] {
        let (code, text, data) = chain.error(method, params.clone()).await;
        let listed = error_codes(&schema, method);
        let reverted = code == 3 && data.is_string();
        assert!(
            listed.contains(&code) || common.contains(&code) || reverted,
            "{method} {params}: {code} {text} is none of {listed:?}"
        );
        assert!(!text.is_empty(), "{method}");
    }
}
