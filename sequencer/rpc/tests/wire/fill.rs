//! Transactions that the node completes: `eth_fillTransaction`.

use crate::chain::{Chain, GWEI, L2_ID, TELLER, number, plain, who};
use alloy_consensus::{Transaction as _, TxEnvelope};
use alloy_eips::eip2718::Decodable2718;
use serde_json::{Value, json};

async fn fill(chain: &Chain, request: Value) -> Value {
    chain.call("eth_fillTransaction", json!([request])).await
}

fn decoded(filled: &Value) -> TxEnvelope {
    let raw = alloy_primitives::hex::decode(filled["raw"].as_str().unwrap()).unwrap();
    TxEnvelope::decode_2718(&mut raw.as_slice()).unwrap()
}

#[tokio::test]
async fn what_is_open_is_filled_in() {
    let chain = Chain::rollup().await;
    chain.send(0, plain(L2_ID, 0)).await;
    let filled = fill(&chain, json!({"from": who(0), "to": TELLER})).await;
    let tx = &filled["tx"];
    assert_eq!(
        (&tx["type"], &tx["nonce"], &tx["chainId"]),
        (&json!("0x2"), &json!("0x1"), &json!("0x386"))
    );
    let tip = number(&chain.call("eth_maxPriorityFeePerGas", json!([])).await);
    let base_fee = number(&chain.call("eth_baseFee", json!([])).await);
    assert_eq!(number(&tx["maxPriorityFeePerGas"]), tip);
    assert_eq!(number(&tx["maxFeePerGas"]), tip + 2 * base_fee);
    let gas = chain
        .call(
            "eth_estimateGas",
            json!([{"from": who(0), "to": TELLER, "nonce": "0x1", "maxFeePerGas": tx["maxFeePerGas"]}]),
        )
        .await;
    assert_eq!(tx["gas"], gas);
    let raw = decoded(&filled);
    assert_eq!((raw.nonce(), raw.gas_limit()), (1, number(&gas)));
}

#[tokio::test]
async fn what_is_given_stays() {
    let chain = Chain::rollup().await;
    let given = json!({
        "from": who(0), "to": TELLER, "nonce": "0x7", "gas": "0x10000", "gasPrice": "0x77359400", "value": "0x1",
        "input": "0x12",
    });
    let filled = fill(&chain, given).await;
    let tx = &filled["tx"];
    assert_eq!(
        (
            &tx["type"],
            &tx["nonce"],
            &tx["gas"],
            &tx["gasPrice"],
            &tx["input"]
        ),
        (
            &json!("0x0"),
            &json!("0x7"),
            &json!("0x10000"),
            &json!("0x77359400"),
            &json!("0x12")
        )
    );
    assert_eq!(decoded(&filled).gas_price(), Some(2 * GWEI));
}

#[tokio::test]
async fn what_does_not_fit_is_refused_in_geths_words() {
    let chain = Chain::rollup().await;
    for (request, want) in [
        (json!({"to": TELLER}), "missing from address"),
        (
            json!({"from": who(0)}),
            "contract creation without any data provided",
        ),
        (
            json!({"from": who(0), "to": TELLER, "gasPrice": "0x1", "maxFeePerGas": "0x1"}),
            "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified",
        ),
        (
            json!({"from": who(0), "to": TELLER, "maxFeePerGas": "0x0"}),
            "maxFeePerGas must be non-zero",
        ),
        (
            json!({"from": who(0), "to": TELLER, "gasPrice": "0x0"}),
            "gasPrice must be non-zero after london fork",
        ),
        (
            json!({"from": who(0), "to": TELLER, "maxFeePerGas": "0x1", "maxPriorityFeePerGas": "0x2"}),
            "maxFeePerGas (1) < maxPriorityFeePerGas (2)",
        ),
        (
            json!({"from": who(0), "to": crate::chain::REVERTER}),
            "execution reverted",
        ),
    ] {
        let (_, text, _) = chain.error("eth_fillTransaction", json!([request])).await;
        assert_eq!(text, want, "{request}");
    }
}
