//! Logs by filter, and polling filters.

use crate::chain::{Chain, EMITTER, L2_ID, hex, plain};
use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, TxKind, U256};
use rpc::Limits;
use serde_json::{Value, json};

fn topic(byte: u8) -> B256 {
    B256::repeat_byte(byte)
}

/// A block with one log for each topic.
async fn emit(chain: &Chain, topics: &[u8]) {
    let mut nonce = {
        let text = chain
            .call(
                "eth_getTransactionCount",
                json!([crate::chain::who(0), "pending"]),
            )
            .await;
        crate::chain::number(&text)
    };
    for byte in topics {
        let input = topic(*byte).0.into();
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
            .await;
        nonce += 1;
    }
    chain.mine();
}

fn topics(logs: &Value) -> Vec<u8> {
    logs.as_array()
        .unwrap()
        .iter()
        .map(|log| log["topics"][0].as_str().unwrap()[2..4].parse().unwrap())
        .collect()
}

#[tokio::test]
async fn filters_choose_by_block_address_and_topic() {
    let chain = Chain::rollup().await;
    emit(&chain, &[1, 2]).await;
    emit(&chain, &[2, 3]).await;
    let head = chain.store.head();
    for (filter, want) in [
        (
            json!({"fromBlock": "earliest", "toBlock": "latest"}),
            vec![1, 2, 2, 3],
        ),
        (json!({}), vec![2, 3]),
        (json!({"fromBlock": "0x1", "toBlock": "0x1"}), vec![1, 2]),
        (
            json!({"fromBlock": "0x0", "topics": [topic(2)]}),
            vec![2, 2],
        ),
        (
            json!({"fromBlock": "0x0", "topics": [[topic(1), topic(3)]]}),
            vec![1, 3],
        ),
        (
            json!({"fromBlock": "0x0", "topics": [null]}),
            vec![1, 2, 2, 3],
        ),
        (
            json!({"fromBlock": "0x0", "topics": [null, topic(1)]}),
            vec![],
        ),
        (
            json!({"fromBlock": "0x0", "address": EMITTER}),
            vec![1, 2, 2, 3],
        ),
        (
            json!({"fromBlock": "0x0", "address": [EMITTER, Address::ZERO], "topics": [topic(3)]}),
            vec![3],
        ),
        (
            json!({"fromBlock": "0x0", "address": Address::ZERO}),
            vec![],
        ),
        (json!({"blockHash": head.hash}), vec![2, 3]),
        (json!({"fromBlock": "safe", "toBlock": "finalized"}), vec![]),
    ] {
        let logs = chain.call("eth_getLogs", json!([filter])).await;
        assert_eq!(topics(&logs), want, "{filter}");
    }
}

#[tokio::test]
async fn a_log_names_its_place() {
    let chain = Chain::rollup().await;
    emit(&chain, &[1, 2]).await;
    let block = chain.store.head();
    let logs = chain
        .call("eth_getLogs", json!([{"topics": [topic(2)]}]))
        .await;
    assert_eq!(
        logs,
        json!([{
            "address": EMITTER,
            "topics": [topic(2)],
            "data": "0x",
            "blockNumber": "0x1",
            "blockHash": block.hash,
            "blockTimestamp": format!("{:#x}", block.header.timestamp),
            "transactionHash": block.transactions[1].hash,
            "transactionIndex": "0x1",
            "logIndex": "0x1",
            "removed": false,
        }])
    );
}

#[tokio::test]
async fn limits_say_what_they_are() {
    let chain = Chain::rollup_with(
        Limits {
            log_blocks_max: 2,
            logs_max: 3,
            ..crate::chain::limits()
        },
        0,
    )
    .await;
    emit(&chain, &[1, 2]).await;
    emit(&chain, &[1, 2]).await;
    emit(&chain, &[1, 2, 3, 4]).await;
    let (code, text, data) = chain
        .error(
            "eth_getLogs",
            json!([{"fromBlock": "0x0", "toBlock": "0x2"}]),
        )
        .await;
    assert_eq!(
        (code, text.as_str()),
        (-32005, "block range of 3 exceeds the limit of 2 blocks")
    );
    assert_eq!(
        data,
        json!({"limit": "blocks", "max": 2, "requested": 3, "from": "0x0", "to": "0x1"})
    );
    let (code, text, data) = chain
        .error(
            "eth_getLogs",
            json!([{"fromBlock": "0x1", "toBlock": "0x2"}]),
        )
        .await;
    assert_eq!(
        (code, text.as_str()),
        (-32005, "query returned more than 3 results")
    );
    assert_eq!(
        data,
        json!({"limit": "logs", "max": 3, "from": "0x1", "to": "0x1"})
    );
    let one = chain
        .call(
            "eth_getLogs",
            json!([{"fromBlock": "0x3", "toBlock": "0x3"}]),
        )
        .await;
    assert_eq!(topics(&one), [1, 2, 3, 4], "a single block is always given");
}

#[tokio::test]
async fn wrong_filters_are_refused() {
    let chain = Chain::rollup().await;
    chain.mine();
    for (filter, code) in [
        (json!({"fromBlock": "0x1", "toBlock": "0x0"}), -32602),
        (json!({"fromBlock": "0x1", "toBlock": "0x2"}), -32602),
        (json!({"fromBlock": "0x8", "toBlock": "0x9"}), -32602),
        (json!({"fromBlock": "0x8"}), -32602),
        (json!({"blockHash": hex([4u8; 32])}), -32001),
        (
            json!({"blockHash": hex([4u8; 32]), "fromBlock": "0x0"}),
            -32602,
        ),
        (
            json!({"address": vec![Address::ZERO; 3], "topics": "all"}),
            -32602,
        ),
        (
            json!({"topics": [(0..1001).map(|n| B256::from(U256::from(n))).collect::<Vec<_>>()]}),
            -32602,
        ),
        (json!({"topics": [null, null, null, null, null]}), -32602),
        (json!({"address": 5}), -32602),
        (json!([]), -32602),
    ] {
        assert_eq!(
            chain.error("eth_getLogs", json!([filter])).await.0,
            code,
            "{filter}"
        );
    }
}

#[tokio::test]
async fn block_filters_give_each_hash_once() {
    let chain = Chain::rollup().await;
    chain.mine();
    let id = chain.call("eth_newBlockFilter", json!([])).await;
    assert_eq!(
        chain.call("eth_getFilterChanges", json!([id])).await,
        json!([])
    );
    let blocks = [chain.mine().hash, chain.mine().hash];
    assert_eq!(
        chain.call("eth_getFilterChanges", json!([id])).await,
        json!(blocks)
    );
    assert_eq!(
        chain.call("eth_getFilterChanges", json!([id])).await,
        json!([])
    );
}

#[tokio::test]
async fn log_filters_give_news_and_history() {
    let chain = Chain::rollup().await;
    emit(&chain, &[1]).await;
    let id = chain
        .call(
            "eth_newFilter",
            json!([{"fromBlock": "0x0", "topics": [[topic(1), topic(2)]]}]),
        )
        .await;
    emit(&chain, &[2, 3]).await;
    assert_eq!(
        topics(&chain.call("eth_getFilterChanges", json!([id])).await),
        [2]
    );
    assert_eq!(
        topics(&chain.call("eth_getFilterChanges", json!([id])).await),
        [] as [u8; 0]
    );
    assert_eq!(
        topics(&chain.call("eth_getFilterLogs", json!([id])).await),
        [1, 2]
    );
}

#[tokio::test]
async fn a_rewind_takes_logs_back() {
    let chain = Chain::rollup().await;
    emit(&chain, &[1]).await;
    let id = chain.call("eth_newFilter", json!([{}])).await;
    emit(&chain, &[2]).await;
    chain.store.rewind(1).unwrap();
    let logs = chain.call("eth_getFilterChanges", json!([id])).await;
    let flags: Vec<bool> = logs
        .as_array()
        .unwrap()
        .iter()
        .map(|log| log["removed"].as_bool().unwrap())
        .collect();
    assert_eq!(flags, [true], "what is gone already is only taken back");
    assert_eq!(chain.call("eth_blockNumber", json!([])).await, "0x1");
    assert_eq!(
        topics(
            &chain
                .call("eth_getLogs", json!([{"fromBlock": "0x0"}]))
                .await
        ),
        [1]
    );
}

#[tokio::test]
async fn pending_filters_give_hashes_or_transactions() {
    let chain = Chain::rollup().await;
    let hashes = chain
        .call("eth_newPendingTransactionFilter", json!([]))
        .await;
    let full = chain
        .call("eth_newPendingTransactionFilter", json!([true]))
        .await;
    let hash = chain.send(0, plain(L2_ID, 0)).await;
    assert_eq!(
        chain.call("eth_getFilterChanges", json!([hashes])).await,
        json!([hash])
    );
    assert_eq!(
        chain.call("eth_getFilterChanges", json!([full])).await[0]["hash"],
        json!(hash)
    );
}

#[tokio::test]
async fn filters_end() {
    let limits = Limits {
        filters_max: 2,
        filter_idle_s: 1,
        ..crate::chain::limits()
    };
    let chain = Chain::rollup_with(limits, 0).await;
    let first = chain.call("eth_newBlockFilter", json!([])).await;
    assert_eq!(
        chain.call("eth_uninstallFilter", json!([first])).await,
        true
    );
    assert_eq!(
        chain.call("eth_uninstallFilter", json!([first])).await,
        false
    );
    let (code, text, _) = chain.error("eth_getFilterChanges", json!([first])).await;
    assert_eq!((code, text.as_str()), (-32000, "filter not found"));
    let block = chain.call("eth_newBlockFilter", json!([])).await;
    chain.call("eth_newBlockFilter", json!([])).await;
    assert_eq!(
        chain.error("eth_newBlockFilter", json!([])).await.0,
        -32005,
        "one too many"
    );
    assert_eq!(
        chain.error("eth_getFilterLogs", json!([block])).await.1,
        "filter not found",
        "only log filters have logs"
    );
    tokio::time::sleep(std::time::Duration::from_millis(1_900)).await;
    assert_eq!(
        chain.error("eth_getFilterChanges", json!([block])).await.1,
        "filter not found",
        "nobody asked"
    );
}
