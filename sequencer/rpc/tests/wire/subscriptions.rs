//! WebSocket: calls and subscriptions on one connection.

use crate::chain::{Chain, EMITTER, GWEI, L2_ID, hex, plain};
use alloy_consensus::TxEip1559;
use alloy_primitives::{B256, TxKind, U256};
use futures::{SinkExt, StreamExt};
use rpc::Limits;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn open(chain: &Chain) -> Self {
        Self(
            tokio_tungstenite::connect_async(format!("ws://{}/", chain.address))
                .await
                .unwrap()
                .0,
        )
    }

    async fn say(&mut self, text: impl Into<String>) {
        self.0
            .send(Message::Text(text.into().into()))
            .await
            .unwrap();
    }

    /// The next message, or `None` if none comes soon.
    async fn hear(&mut self) -> Option<Value> {
        loop {
            let message = tokio::time::timeout(Duration::from_secs(5), self.0.next())
                .await
                .ok()??
                .ok()?;
            if let Message::Text(text) = message {
                return Some(serde_json::from_str(&text).unwrap());
            }
        }
    }

    async fn call(&mut self, method: &str, params: Value) -> Value {
        self.say(
            json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string(),
        )
        .await;
        self.hear().await.unwrap()
    }

    async fn subscribe(&mut self, params: Value) -> String {
        let answer = self.call("eth_subscribe", params).await;
        answer["result"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_owned()
    }

    /// What the next notification of `id` brings.
    async fn news(&mut self, id: &str) -> Value {
        let message = self.hear().await.unwrap();
        assert_eq!(
            (&message["method"], &message["params"]["subscription"]),
            (&json!("eth_subscription"), &json!(id))
        );
        message["params"]["result"].clone()
    }
}

async fn emit(chain: &Chain, nonce: u64, topic: u8) -> B256 {
    let input = B256::repeat_byte(topic).0.into();
    chain
        .send(
            0,
            TxEip1559 {
                to: TxKind::Call(EMITTER),
                value: U256::ZERO,
                input,
                ..plain(L2_ID, nonce)
            },
        )
        .await
}

#[tokio::test]
async fn calls_and_batches_work_over_websocket() {
    let chain = Chain::rollup().await;
    let mut socket = Socket::open(&chain).await;
    assert_eq!(
        socket.call("eth_chainId", json!([])).await["result"],
        "0x386"
    );
    assert_eq!(
        socket.call("eth_sign", json!([])).await["error"]["code"],
        -32601
    );
    socket
        .say("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\"}]")
        .await;
    assert_eq!(socket.hear().await.unwrap()[0]["result"], "0x386");
    socket.say("nonsense").await;
    assert_eq!(socket.hear().await.unwrap()["error"]["code"], -32700);
}

#[tokio::test]
async fn new_heads_are_headers() {
    let chain = Chain::rollup().await;
    let mut socket = Socket::open(&chain).await;
    let id = socket.subscribe(json!(["newHeads"])).await;
    assert!(id.starts_with("0x") && id.len() > 26, "{id}");
    for _ in 0..3 {
        let block = chain.mine();
        let head = socket.news(&id).await;
        assert_eq!(
            (&head["hash"], &head["parentHash"]),
            (&json!(block.hash), &json!(block.header.parent_hash))
        );
        assert!(head.get("transactions").is_none());
    }
}

#[tokio::test]
async fn logs_are_filtered_and_taken_back() {
    let chain = Chain::rollup().await;
    let mut socket = Socket::open(&chain).await;
    let id = socket
        .subscribe(json!(["logs", {"address": EMITTER, "topics": [B256::repeat_byte(2)]}]))
        .await;
    emit(&chain, 0, 1).await;
    let hash = emit(&chain, 1, 2).await;
    chain.mine();
    let log = socket.news(&id).await;
    assert_eq!(
        (&log["transactionHash"], &log["logIndex"], &log["removed"]),
        (&json!(hash), &json!("0x1"), &json!(false))
    );
    chain.store.rewind(0).unwrap();
    let back = socket.news(&id).await;
    assert_eq!(
        (&back["transactionHash"], &back["removed"]),
        (&json!(hash), &json!(true))
    );
}

#[tokio::test]
async fn pending_transactions_are_hashes_or_whole() {
    let chain = Chain::rollup().await;
    let (mut hashes, mut whole) = (Socket::open(&chain).await, Socket::open(&chain).await);
    let id = hashes.subscribe(json!(["newPendingTransactions"])).await;
    let full = whole
        .subscribe(json!(["newPendingTransactions", true]))
        .await;
    let hash = chain.send(0, plain(L2_ID, 0)).await;
    assert_eq!(hashes.news(&id).await, json!(hash));
    let tx = whole.news(&full).await;
    assert_eq!(
        (&tx["hash"], &tx["gasPrice"]),
        (&json!(hash), &json!(format!("{:#x}", 10 * GWEI)))
    );
}

#[tokio::test]
async fn syncing_tells_the_state_once() {
    let chain = Chain::rollup().await;
    let mut socket = Socket::open(&chain).await;
    let id = socket.subscribe(json!(["syncing"])).await;
    assert_eq!(socket.news(&id).await, false);
}

#[tokio::test]
async fn unsubscribing_ends_the_news() {
    let chain = Chain::rollup().await;
    let mut socket = Socket::open(&chain).await;
    let id = socket.subscribe(json!(["newHeads"])).await;
    assert_eq!(
        socket.call("eth_unsubscribe", json!([id])).await["result"],
        true
    );
    chain.mine();
    assert_eq!(
        socket.call("eth_blockNumber", json!([])).await["result"],
        "0x1",
        "no notification came before this"
    );
    assert_eq!(
        socket.call("eth_unsubscribe", json!([id])).await["result"],
        false
    );
}

#[tokio::test]
async fn unknown_topics_and_too_many_subscriptions_are_refused() {
    let chain = Chain::rollup_with(
        Limits {
            subscriptions_max: 2,
            ..crate::chain::limits()
        },
        0,
    )
    .await;
    let mut socket = Socket::open(&chain).await;
    for (params, code) in [
        (json!([]), -32602),
        (json!(["weather"]), -32601),
        (json!(["logs", 5]), -32602),
        (json!({}), -32602),
    ] {
        assert_eq!(
            socket.call("eth_subscribe", params.clone()).await["error"]["code"],
            code,
            "{params}"
        );
    }
    socket.subscribe(json!(["newHeads"])).await;
    socket.subscribe(json!(["newHeads"])).await;
    assert!(
        socket
            .call("eth_subscribe", json!(["newHeads"]))
            .await
            .get("error")
            .is_some()
    );
}

#[tokio::test]
async fn a_large_message_is_refused_and_the_connection_lives() {
    let chain = Chain::rollup_with(
        Limits {
            request_bytes_max: 10_000,
            ..crate::chain::limits()
        },
        0,
    )
    .await;
    let mut socket = Socket::open(&chain).await;
    socket.say("x".repeat(20_000)).await;
    assert!(socket.hear().await.unwrap().get("error").is_some());
    assert_eq!(
        socket.call("eth_chainId", json!([])).await["result"],
        "0x386"
    );
}

#[tokio::test]
async fn a_receipt_can_be_awaited_over_websocket() {
    let chain = Chain::rollup().await;
    let mut socket = Socket::open(&chain).await;
    let raw = hex(crate::chain::raw(crate::chain::sign(0, plain(L2_ID, 0))));
    socket.say(json!({"jsonrpc": "2.0", "id": 9, "method": "eth_sendRawTransactionSync", "params": [raw, 20_000]}).to_string()).await;
    while chain.pool.lock().counts().pending == 0 {
        tokio::task::yield_now().await;
    }
    let block = chain.mine();
    assert_eq!(
        socket.hear().await.unwrap()["result"]["blockHash"],
        json!(block.hash)
    );
}

#[tokio::test]
async fn receipts_come_with_the_block() {
    let chain = Chain::rollup().await;
    let (mut all, mut one) = (Socket::open(&chain).await, Socket::open(&chain).await);
    let hashes = [
        chain.send(0, plain(L2_ID, 0)).await,
        chain.send(0, plain(L2_ID, 1)).await,
    ];
    let id = all.subscribe(json!(["transactionReceipts"])).await;
    let wanted = json!({"transactionHashes": [hashes[1]]});
    let only = one.subscribe(json!(["transactionReceipts", wanted])).await;
    chain.mine();
    let receipts = all.news(&id).await;
    assert_eq!(receipts.as_array().unwrap().len(), 2);
    let receipt = one.news(&only).await;
    let asked = chain
        .call("eth_getTransactionReceipt", json!([hashes[1]]))
        .await;
    assert_eq!(receipt, json!([asked]));
    let many = json!({"transactionHashes": (0..201).map(|n| B256::from(U256::from(n))).collect::<Vec<_>>()});
    let refused = one
        .call("eth_subscribe", json!(["transactionReceipts", many]))
        .await;
    assert_eq!(refused["error"]["code"], -32602);
}

#[tokio::test]
async fn reorgs_name_what_was_taken_back() {
    let chain = Chain::rollup().await;
    let mut socket = Socket::open(&chain).await;
    let blocks = [chain.mine(), chain.mine(), chain.mine()];
    let id = socket.subscribe(json!(["reorgs"])).await;
    chain.store.rewind(1).unwrap();
    assert_eq!(
        socket.news(&id).await,
        json!({
            "head": {"number": "0x1", "hash": blocks[0].hash},
            "removed": [
                {"number": "0x3", "hash": blocks[2].hash},
                {"number": "0x2", "hash": blocks[1].hash},
            ],
        })
    );
}
