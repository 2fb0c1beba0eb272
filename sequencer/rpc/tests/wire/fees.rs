//! Prices, present and past.

use crate::chain::{Chain, GWEI, L2_ID, number, plain};
use alloy_consensus::TxEip1559;
use serde_json::{Value, json};

#[tokio::test]
async fn the_price_is_the_next_base_fee_and_a_tip() {
    let chain = Chain::rollup().await;
    chain.mine();
    let tip = number(&chain.call("eth_maxPriorityFeePerGas", json!([])).await);
    let base = number(&chain.call("eth_baseFee", json!([])).await);
    assert_eq!(tip, crate::chain::limits().tip_wei);
    assert_eq!(
        number(&chain.call("eth_gasPrice", json!([])).await),
        base + tip
    );
    assert_eq!(
        base,
        stf::next_base_fee(&chain.rules, &chain.store.head().header)
    );
}

#[tokio::test]
async fn blobs_cost_one_wei_where_nobody_wants_any() {
    for chain in [Chain::rollup().await, Chain::ethereum().await] {
        assert_eq!(chain.call("eth_blobBaseFee", json!([])).await, "0x1");
    }
}

#[tokio::test]
async fn history_has_one_price_more_than_blocks() {
    let chain = Chain::rollup().await;
    for nonce in 0..4 {
        chain.send(0, plain(L2_ID, nonce)).await;
        chain.mine();
    }
    let history = chain
        .call("eth_feeHistory", json!(["0x3", "latest", [10, 50, 90]]))
        .await;
    assert_eq!(history["oldestBlock"], "0x2");
    for (field, len) in [
        ("baseFeePerGas", 4),
        ("baseFeePerBlobGas", 4),
        ("gasUsedRatio", 3),
        ("blobGasUsedRatio", 3),
        ("reward", 3),
    ] {
        assert_eq!(history[field].as_array().unwrap().len(), len, "{field}");
    }
    let gwei = format!("{GWEI:#x}");
    assert_eq!(history["reward"][0], json!([gwei, gwei, gwei]));
    let next = stf::next_base_fee(&chain.rules, &chain.store.head().header);
    assert_eq!(number(&history["baseFeePerGas"][3]), next);
}

#[tokio::test]
async fn percentiles_weigh_by_gas() {
    let chain = Chain::rollup().await;
    let tips = [3 * GWEI, GWEI, 2 * GWEI];
    for (n, tip) in tips.iter().enumerate() {
        chain
            .send(
                n as u8,
                TxEip1559 {
                    max_priority_fee_per_gas: *tip,
                    ..plain(L2_ID, 0)
                },
            )
            .await;
    }
    chain.mine();
    let history = chain
        .call("eth_feeHistory", json!([1, "latest", [0, 34, 67, 100]]))
        .await;
    let want = [GWEI, 2 * GWEI, 3 * GWEI, 3 * GWEI].map(|tip| format!("{tip:#x}"));
    assert_eq!(history["reward"][0], json!(want));
}

#[tokio::test]
async fn history_is_cut_to_what_there_is() {
    let chain = Chain::rollup().await;
    chain.mine();
    let history = chain
        .call("eth_feeHistory", json!(["0xffff", "latest", null]))
        .await;
    assert_eq!(
        (
            &history["oldestBlock"],
            history["gasUsedRatio"].as_array().unwrap().len()
        ),
        (&json!("0x0"), 2)
    );
    assert_eq!(history.get("reward"), None::<&Value>);
    let none = chain.call("eth_feeHistory", json!([0, "latest", []])).await;
    assert_eq!(none["gasUsedRatio"], json!([]));
    let pending = chain
        .call("eth_feeHistory", json!(["0x1", "pending", [50]]))
        .await;
    assert_eq!(pending["oldestBlock"], "0x1");
}

#[tokio::test]
async fn nonsense_is_refused() {
    let chain = Chain::rollup().await;
    for (params, code) in [
        (json!(["0x1", "0x9", []]), -32000),
        (json!(["0x1", "latest", [50, 10]]), -32000),
        (json!(["0x1", "latest", [101]]), -32000),
        (json!(["0x1", "latest", vec![1; 101]]), -32000),
        (json!(["one", "latest"]), -32602),
        (json!(["0x1"]), -32602),
    ] {
        assert_eq!(
            chain.error("eth_feeHistory", params.clone()).await.0,
            code,
            "{params}"
        );
    }
}
