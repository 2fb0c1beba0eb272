//! Bodies made to hurt. The server answers each with an error, and then still serves.

use crate::chain::{Chain, hex};
use serde_json::{Value, json};

/// Whatever the body, the next honest request is answered.
async fn survives(chain: &Chain, body: impl Into<reqwest::Body>, what: &str) -> (u16, String) {
    let answer = chain.post(body).await;
    assert_eq!(
        chain.call("eth_chainId", json!([])).await,
        "0x386",
        "after {what}"
    );
    answer
}

fn request(method: &str, params: &str) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{method}\",\"params\":{params}}}")
}

#[tokio::test]
async fn bytes_that_are_no_json_are_refused() {
    let chain = Chain::rollup().await;
    for body in [
        vec![0xff; 4096],
        vec![0; 4096],
        b"{\"\xff\":1}".to_vec(),
        b"\xef\xbb\xbf{}".to_vec(),
    ] {
        let (_, text) = survives(&chain, body, "bytes").await;
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert!(
            answer["error"]["code"].as_i64().unwrap() <= -32600,
            "{text}"
        );
    }
}

#[tokio::test]
async fn deep_nesting_is_refused_without_deep_recursion() {
    let chain = Chain::rollup().await;
    let deep = |open: &str, close: &str, n: usize| format!("{}{}", open.repeat(n), close.repeat(n));
    for nested in [
        deep("[", "]", 100_000),
        deep("{\"a\":", "}", 100_000).replace(":}", ":1}"),
    ] {
        survives(&chain, nested.clone(), "a nested body").await;
        for method in [
            "eth_call",
            "eth_getLogs",
            "eth_newFilter",
            "eth_getBalance",
            "eth_sendRawTransaction",
            "eth_feeHistory",
            "eth_getProof",
        ] {
            let (_, text) = survives(
                &chain,
                request(method, &format!("[{nested},{nested},{nested}]")),
                method,
            )
            .await;
            assert!(text.contains("\"error\""), "{method}: {text}");
        }
    }
}

#[tokio::test]
async fn wrong_types_are_the_callers_fault() {
    let chain = Chain::rollup().await;
    let wrong = [
        json!({}),
        json!([[]]),
        json!(-1),
        json!(1e300),
        json!(true),
        json!("0x"),
        json!("\u{0}"),
        json!("0x".to_owned() + &"f".repeat(5000)),
    ];
    for method in [
        "eth_getBalance",
        "eth_getCode",
        "eth_getStorageAt",
        "eth_getTransactionCount",
        "eth_getProof",
        "eth_getBlockByNumber",
        "eth_getBlockByHash",
        "eth_getHeaderByNumber",
        "eth_getHeaderByHash",
        "eth_getBlockTransactionCountByNumber",
        "eth_getBlockTransactionCountByHash",
        "eth_getUncleCountByBlockNumber",
        "eth_getUncleCountByBlockHash",
        "eth_getUncleByBlockNumberAndIndex",
        "eth_getUncleByBlockHashAndIndex",
        "eth_getTransactionByHash",
        "eth_getTransactionByBlockNumberAndIndex",
        "eth_getTransactionByBlockHashAndIndex",
        "eth_getRawTransactionByHash",
        "eth_getRawTransactionByBlockNumberAndIndex",
        "eth_getRawTransactionByBlockHashAndIndex",
        "eth_getTransactionReceipt",
        "eth_getBlockReceipts",
        "debug_getRawHeader",
        "eth_call",
        "eth_estimateGas",
        "eth_createAccessList",
        "eth_feeHistory",
        "eth_getLogs",
        "eth_newFilter",
        "eth_getFilterChanges",
        "eth_getFilterLogs",
        "eth_sendRawTransaction",
        "eth_sendRawTransactionSync",
        "txpool_contentFrom",
        "rollup_outputAtBlock",
        "web3_sha3",
        "eth_simulateV1",
        "eth_fillTransaction",
        "eth_getStorageValues",
        "eth_getTransactionBySenderAndNonce",
        "debug_getRawBlock",
        "debug_getRawReceipts",
        "debug_getRawTransaction",
        "debug_executionWitness",
        "debug_storageRangeAt",
    ] {
        for params in wrong
            .iter()
            .flat_map(|bad| [json!([bad]), json!([bad, bad])])
        {
            let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
            let (_, text) = chain.post(body.to_string()).await;
            let answer: Value =
                serde_json::from_str(&text).unwrap_or_else(|_| panic!("{method} {params}: {text}"));
            // Some of it is honest: an empty object is a call and a filter. Nothing of it is our fault.
            assert_ne!(answer["error"]["code"], -32603, "{method} {params}: {text}");
            let kinds = (
                answer.get("result").is_some(),
                answer.get("error").is_some(),
            );
            assert!(kinds.0 != kinds.1, "{method} {params}: {text}");
        }
    }
}

#[tokio::test]
async fn numbers_at_the_edge_do_not_wrap() {
    let chain = Chain::rollup().await;
    let max = "0xffffffffffffffff";
    for (method, params) in [
        ("eth_getBlockByNumber", json!([max, true])),
        ("eth_feeHistory", json!([max, "latest", []])),
        (
            "eth_getTransactionByBlockNumberAndIndex",
            json!(["0x0", max]),
        ),
        (
            "eth_getStorageAt",
            json!([hex([0u8; 20]), hex([0xffu8; 32]), "latest"]),
        ),
        ("eth_getBlockReceipts", json!([max])),
    ] {
        chain.call(method, params).await;
    }
    for from in ["0x0", max] {
        let range = json!([{"fromBlock": from, "toBlock": max}]);
        assert_eq!(chain.error("eth_getLogs", range).await.0, -32602);
    }
    let huge = hex([0xffu8; 32]);
    let word = json!({"to": hex([0u8; 20]), "gas": max, "value": huge, "maxFeePerGas": "0xffffffffffffffffffffffffffffffff"});
    for method in ["eth_call", "eth_estimateGas", "eth_createAccessList"] {
        assert_eq!(
            chain.error(method, json!([word, "latest"])).await.0,
            -32000,
            "{method}"
        );
    }
    let block = json!({"number": huge, "time": max, "gasLimit": max, "baseFeePerGas": huge, "blobBaseFee": huge});
    chain
        .call(
            "eth_call",
            json!([{"to": hex([0u8; 20])}, "latest", {}, block]),
        )
        .await;
}

#[tokio::test]
async fn long_ids_and_names_come_back_bounded() {
    let chain = Chain::rollup().await;
    let name = "x".repeat(100_000);
    let (_, text) = survives(&chain, request(&name, "[]"), "a long name").await;
    assert!(text.len() < 1_000);
}
