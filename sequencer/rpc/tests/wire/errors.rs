//! Errors of the protocol itself.

use crate::chain::Chain;
use rpc::Limits;
use serde_json::{Value, json};

async fn answer(chain: &Chain, body: &str) -> Value {
    let (_, text) = chain.post(body.to_owned()).await;
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{body}: {text}"))
}

#[tokio::test]
async fn methods_that_sign_do_not_exist() {
    let chain = Chain::rollup().await;
    for method in [
        "eth_sign",
        "eth_sendTransaction",
        "eth_signTransaction",
        "eth_signTypedData_v4",
        "personal_sign",
        "nonsense",
        "",
    ] {
        let (code, text, _) = chain.error(method, json!([])).await;
        assert_eq!(
            (code, text),
            (
                -32601,
                format!("the method {method} does not exist/is not available")
            )
        );
    }
}

#[tokio::test]
async fn broken_requests_have_their_codes() {
    let chain = Chain::rollup().await;
    for (body, code) in [
        ("{", -32700),
        ("", -32700),
        ("hello", -32700),
        (
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\"",
            -32700,
        ),
        // Without an id there is nothing to answer to.
        ("{}", -32700),
        ("{\"id\":1}", -32600),
        (
            "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"eth_chainId\"}",
            -32600,
        ),
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":5}", -32600),
        ("[]", -32600),
        ("[", -32700),
    ] {
        assert_eq!(answer(&chain, body).await["error"]["code"], code, "{body}");
    }
}

#[tokio::test]
async fn arguments_are_positional() {
    let chain = Chain::rollup().await;
    for (params, want) in [
        (json!({"address": 1}), "non-array args"),
        (json!([]), "missing value for required argument 0"),
        (
            json!(["0x00", "latest", 1]),
            "too many arguments, want at most 2",
        ),
    ] {
        let (code, text, _) = chain.error("eth_getBalance", params).await;
        assert_eq!((code, text.as_str()), (-32602, want));
    }
    let (code, text, _) = chain
        .error("eth_getBalance", json!(["0x1234", "latest"]))
        .await;
    assert!(
        code == -32602 && text.starts_with("invalid argument 0: "),
        "{text}"
    );
    let (code, text, _) = chain
        .error("eth_getBalance", json!([crate::chain::who(0), "newest"]))
        .await;
    assert!(
        code == -32602 && text.starts_with("invalid argument 1: "),
        "{text}"
    );
}

#[tokio::test]
async fn a_batch_is_answered_one_by_one() {
    let chain = Chain::rollup().await;
    let body = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"},
        {"jsonrpc": "2.0", "id": "b", "method": "eth_sign", "params": []},
        {"jsonrpc": "2.0", "method": "eth_blockNumber"},
        7,
        {"jsonrpc": "2.0", "id": 4, "method": "eth_subscribe", "params": ["newHeads"]},
        {"jsonrpc": "2.0", "id": 5, "method": "eth_getBlockByNumber", "params": ["latest", true]},
    ]);
    let answers = answer(&chain, &body.to_string()).await;
    let answers = answers.as_array().unwrap();
    assert_eq!(answers.len(), 5, "the notification has no answer");
    assert_eq!(answers[0]["result"], "0x386");
    assert_eq!(
        (&answers[1]["id"], &answers[1]["error"]["code"]),
        (&json!("b"), &json!(-32601))
    );
    assert_eq!(answers[2]["error"]["code"], -32600);
    assert_eq!(
        answers[3]["error"]["message"],
        "notifications not supported"
    );
    assert_eq!(answers[4]["result"]["number"], "0x0");
}

#[tokio::test]
async fn sizes_are_limited_in_both_directions() {
    let limits = Limits {
        request_bytes_max: 2_000,
        response_bytes_max: 3_000,
        batch_calls_max: 10,
        ..crate::chain::limits()
    };
    let chain = Chain::rollup_with(limits, 0).await;
    let (status, text) = chain.post(" ".repeat(2_001)).await;
    assert_eq!(status, 413, "{text}");
    let call = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\"}";
    let batch = |calls: usize| format!("[{}]", vec![call; calls].join(","));
    assert_eq!(
        answer(&chain, &batch(10)).await.as_array().unwrap().len(),
        10
    );
    let error = answer(&chain, &batch(11)).await;
    assert!(
        error["error"]["message"]
            .as_str()
            .unwrap()
            .contains("too large"),
        "{error}"
    );
    let block = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getBlockByNumber\",\"params\":[\"0x0\",true]}";
    let error = answer(&chain, &format!("[{block},{block},{block}]")).await;
    assert!(
        error["error"]["message"]
            .as_str()
            .unwrap()
            .contains("too large"),
        "{error}"
    );
}

#[tokio::test]
async fn only_json_is_posted_and_get_is_a_knock() {
    let chain = Chain::rollup().await;
    let text = chain
        .client
        .post(chain.url())
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(text.status().as_u16(), 415);
    let get = chain.client.get(chain.url()).send().await.unwrap();
    assert_eq!(get.status().as_u16(), 200);
    let other = chain
        .client
        .get(format!("{}nothing", chain.url()))
        .send()
        .await
        .unwrap();
    assert_eq!(other.status().as_u16(), 404);
}

#[tokio::test]
async fn browsers_of_every_origin_may_ask() {
    let chain = Chain::rollup().await;
    let preflight = chain
        .client
        .request(reqwest::Method::OPTIONS, chain.url())
        .header("origin", "https://wallet.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type")
        .send()
        .await
        .unwrap();
    assert_eq!(preflight.status().as_u16(), 200);
    assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
}
