//! `web3_`, `net_`, `rpc_` and the constants.

use crate::chain::{Chain, L1_ID, L2_ID};
use serde_json::json;

#[tokio::test]
async fn constants_are_what_wallets_expect() {
    let chain = Chain::rollup().await;
    for (method, want) in [
        ("web3_clientVersion", json!("tributary/test")),
        ("net_version", json!(L2_ID.to_string())),
        ("net_listening", json!(true)),
        ("net_peerCount", json!("0x0")),
        ("eth_chainId", json!("0x386")),
        ("eth_accounts", json!([])),
        ("eth_syncing", json!(false)),
        ("eth_mining", json!(false)),
        ("eth_hashrate", json!("0x0")),
        ("eth_blockNumber", json!("0x0")),
        ("eth_protocolVersion", json!("0x44")),
        (
            "rpc_modules",
            json!({"debug":"1.0","eth":"1.0","net":"1.0","ots":"1.0","rollup":"1.0","rpc":"1.0","trace":"1.0","txpool":"1.0","web3":"1.0"}),
        ),
    ] {
        assert_eq!(chain.call(method, json!([])).await, want, "{method}");
    }
}

#[tokio::test]
async fn sha3_is_keccak() {
    let chain = Chain::rollup().await;
    let want = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
    assert_eq!(chain.call("web3_sha3", json!(["0x"])).await, want);
}

#[tokio::test]
async fn an_l1_has_no_rollup_namespace() {
    let chain = Chain::ethereum().await;
    assert_eq!(
        chain.call("net_version", json!([])).await,
        L1_ID.to_string()
    );
    assert!(
        chain
            .call("rpc_modules", json!([]))
            .await
            .get("rollup")
            .is_none()
    );
    assert_eq!(chain.error("rollup_config", json!([])).await.0, -32601);
}

#[tokio::test]
async fn coinbase_is_the_heads_beneficiary() {
    let chain = Chain::ethereum().await;
    chain.mine();
    assert_eq!(
        chain.call("eth_coinbase", json!([])).await,
        json!("0xcccccccccccccccccccccccccccccccccccccccc")
    );
}
