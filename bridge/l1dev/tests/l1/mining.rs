//! When blocks come, and which time they carry.

use crate::chain::{Chain, START_S, number, plain, raw};
use l1dev::Mining;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < Duration::from_secs(20), "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_transaction_gets_its_block_without_being_asked() {
    let chain = Chain::start(|options| options.mining = Mining::Auto);
    for nonce in 0..3 {
        let hash = chain.send(raw(0, plain(nonce))).await;
        until("mined", async || chain.receipt(hash).await != Value::Null).await;
    }
    assert_eq!(chain.l1.head().header.number, 3);
    // Nothing else makes blocks.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(chain.l1.head().header.number, 3);
}

#[tokio::test]
async fn what_waited_is_mined_when_automine_begins() {
    let chain = Chain::manual();
    let hash = chain.send(raw(0, plain(0))).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(chain.receipt(hash).await, Value::Null);
    chain.call("evm_setAutomine", json!([true])).await;
    until("mined", async || chain.receipt(hash).await != Value::Null).await;
}

#[tokio::test]
async fn the_interval_follows_the_clock() {
    let chain = Chain::start(|options| options.mining = Mining::Interval(1_000));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(chain.l1.head().header.number, 0);
    for block in 1..=2 {
        chain.pass_ms(1_000);
        until("mined", async || chain.l1.head().header.number == block).await;
        assert_eq!(chain.l1.head().header.timestamp, START_S + block);
    }
    chain.call("evm_setIntervalMining", json!([0])).await;
    chain.pass_ms(10_000);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(chain.l1.head().header.number, 2);
}

#[tokio::test]
async fn time_is_moved_by_rpc() {
    let chain = Chain::manual();
    let time = || chain.l1.head().header.timestamp - START_S;
    chain.l1.mine(1).unwrap();
    assert_eq!(time(), 1);
    assert_eq!(
        chain.call("evm_increaseTime", json!([100])).await,
        json!(100)
    );
    chain.call("evm_mine", json!([])).await;
    assert_eq!(time(), 100);
    chain
        .call("evm_setNextBlockTimestamp", json!([START_S + 500]))
        .await;
    assert_eq!(chain.call("evm_mine", json!([])).await, "0x0");
    assert_eq!(time(), 500);
    chain.pass_ms(7_000);
    chain.call("evm_mine", json!([])).await;
    assert_eq!(time(), 507);
    chain
        .call("evm_mine", json!([{ "timestamp": START_S + 600 }]))
        .await;
    assert_eq!(time(), 600);
    chain.call("anvil_mine", json!(["0x3", "0xc"])).await;
    assert_eq!(time(), 625);
    let error = chain
        .try_call("evm_setNextBlockTimestamp", json!([START_S]))
        .await
        .unwrap_err();
    assert_eq!(
        error,
        format!(
            "timestamp {START_S} is not above the head's {}",
            START_S + 625
        )
    );
    assert_eq!(number(&chain.call("eth_blockNumber", json!([])).await), 8);
}

#[tokio::test]
async fn a_transaction_can_be_lost() {
    let chain = Chain::manual();
    let hash = chain.send(raw(0, plain(0))).await;
    assert_eq!(
        chain.call("anvil_dropTransaction", json!([hash])).await,
        json!(hash)
    );
    assert_eq!(
        chain.call("eth_getTransactionByHash", json!([hash])).await,
        Value::Null
    );
    assert_eq!(chain.l1.mine(1).unwrap().transactions.len(), 0);
}

#[tokio::test]
async fn it_starts_quickly() {
    let started = Instant::now();
    let chain = Chain::manual();
    chain.call("eth_chainId", json!([])).await;
    let took = started.elapsed();
    println!("first answer after {took:?}");
    // The aim is 300 ms; the machine may be busy with other tests.
    assert!(took < Duration::from_secs(3), "{took:?}");
}
