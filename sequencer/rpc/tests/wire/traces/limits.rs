//! What a trace may take.

use super::scene::{Scene, from_zero};
use crate::chain::{BURNER, Chain, KEEPER, limits, plain};
use alloy_consensus::TxEip1559;
use rpc::Limits;
use serde_json::json;
use std::time::{Duration, Instant};

async fn burning(limits: Limits) -> (Chain, alloy_primitives::B256) {
    let chain = Chain::rollup_with(limits, 0).await;
    let burn = TxEip1559 {
        gas_limit: 16_000_000,
        ..from_zero(&chain, 0, BURNER)
    };
    let hash = chain.send(0, burn).await;
    chain.mine();
    (chain, hash)
}

#[tokio::test]
async fn an_answer_that_grows_too_large_is_given_up_early() {
    let (chain, hash) = burning(Limits {
        response_bytes_max: 1 << 20,
        ..limits()
    })
    .await;
    let (code, text, data) = chain.error("debug_traceTransaction", json!([hash])).await;
    assert_eq!(code, -32005);
    assert!(
        text.starts_with("trace is larger than 1048576 bytes"),
        "{text}"
    );
    assert_eq!(data, json!({ "limit": "responseBytes", "max": 1 << 20 }));
    let few = chain
        .call("debug_traceTransaction", json!([hash, { "limit": 10 }]))
        .await;
    assert_eq!(few["structLogs"].as_array().unwrap().len(), 10);
    let (code, _, _) = chain
        .error("trace_replayTransaction", json!([hash, ["vmTrace"]]))
        .await;
    assert_eq!(code, -32005);
}

#[tokio::test]
async fn a_trace_ends_with_its_timeout() {
    let (chain, hash) = burning(limits()).await;
    let started = Instant::now();
    let (code, text, _) = chain
        .error(
            "debug_traceTransaction",
            json!([hash, { "timeout": "1ms" }]),
        )
        .await;
    assert_eq!((code, text.as_str()), (-32002, "request timed out"));
    assert!(started.elapsed() < Duration::from_secs(5));
    let (chain, hash) = burning(Limits {
        trace_timeout_ms: 1,
        ..limits()
    })
    .await;
    let (code, _, _) = chain
        .error("debug_traceTransaction", json!([hash, { "timeout": "1h" }]))
        .await;
    assert_eq!(code, -32002, "the node's own bound holds");
}

#[tokio::test]
async fn blocks_are_made_while_traces_run() {
    let (chain, hash) = burning(limits()).await;
    let options = json!([hash, { "tracer": "noopTracer" }]);
    let traces = (0..4).map(|_| chain.call("debug_traceTransaction", options.clone()));
    let blocks = async {
        for nonce in 0..4 {
            chain.send(1, plain(chain.chain_id, nonce)).await;
            assert_eq!(chain.mine().transactions.len(), 1);
        }
    };
    let (traces, ()) = futures::future::join(futures::future::join_all(traces), blocks).await;
    assert!(traces.iter().all(|trace| *trace == json!({})));
}

#[tokio::test]
async fn a_mined_block_is_traced_as_often_as_one_likes() {
    let scene = Scene::rollup().await;
    let first = scene.geth(scene.busy, json!({})).await;
    let store = from_zero(&scene.chain, 2, KEEPER);
    scene.chain.send(0, store).await;
    scene.chain.mine();
    assert_eq!(scene.geth(scene.busy, json!({})).await, first);
}
