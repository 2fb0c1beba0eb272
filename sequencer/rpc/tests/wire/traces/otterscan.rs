//! What Otterscan asks.

use super::scene::{Scene, from_zero, nope};
use crate::chain::{Chain, EMITTER, KEEPER, deposit, hex, number, plain, who};
use alloy_primitives::{Address, B256};
use serde_json::{Value, json};

#[tokio::test]
async fn it_finds_the_api_it_knows() {
    let scene = Scene::rollup().await;
    let chain = &scene.chain;
    assert_eq!(chain.call("ots_getApiLevel", json!([])).await, 8);
    let header = chain.call("erigon_getHeaderByNumber", json!(["0x2"])).await;
    assert_eq!(header["hash"], json!(scene.block.hash));
    for (address, at, want) in [
        (scene.actor, "latest", true),
        (scene.actor, "0x0", false),
        (who(0), "latest", false),
        (EMITTER, "0x0", true),
    ] {
        let has = chain.call("ots_hasCode", json!([address, at])).await;
        assert_eq!(has, want, "{address} {at}");
    }
}

#[tokio::test]
async fn internal_operations_move_wei_make_and_end() {
    let scene = Scene::rollup().await;
    let found = scene
        .chain
        .call("ots_getInternalOperations", json!([scene.busy]))
        .await;
    let (short_lived, lasting) = scene.made();
    assert_eq!(
        found,
        json!([
            { "type": 2, "from": scene.actor, "to": short_lived, "value": "0x7" },
            { "type": 1, "from": short_lived, "to": scene.actor, "value": "0x7" },
            { "type": 3, "from": scene.actor, "to": lasting, "value": "0x0" },
            { "type": 0, "from": scene.actor, "to": who(3), "value": "0x5" },
        ])
    );
    let plain = scene
        .chain
        .call("ots_getInternalOperations", json!([scene.payment]))
        .await;
    assert_eq!(plain, json!([]));
}

#[tokio::test]
async fn calls_are_a_list_with_depths() {
    let scene = Scene::rollup().await;
    let list = scene
        .chain
        .call("ots_traceTransaction", json!([scene.busy]))
        .await;
    let list = list.as_array().unwrap();
    let shape: Vec<_> = list
        .iter()
        .map(|entry| {
            (
                entry["type"].as_str().unwrap(),
                entry["depth"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        shape,
        [
            ("CALL", 0),
            ("CALL", 1),
            ("DELEGATECALL", 1),
            ("STATICCALL", 1),
            ("CALL", 1),
            ("CALL", 1),
            ("STATICCALL", 1),
            ("CREATE", 1),
            ("SELFDESTRUCT", 2),
            ("CREATE2", 1),
            ("CALL", 1)
        ]
    );
    assert_eq!(list[2]["value"], Value::Null);
    assert_eq!(list[4]["output"], json!(nope()));
    assert_eq!(list[10]["value"], "0x5");
}

#[tokio::test]
async fn the_error_is_what_the_transaction_returned() {
    let scene = Scene::rollup().await;
    for (hash, want) in [
        (scene.refused, nope()),
        (scene.burnt, "0x".to_owned()),
        (scene.busy, "0x".to_owned()),
    ] {
        let error = scene
            .chain
            .call("ots_getTransactionError", json!([hash]))
            .await;
        assert_eq!(error, json!(want));
    }
    let (code, text, _) = scene
        .chain
        .error("ots_getTransactionError", json!([B256::repeat_byte(5)]))
        .await;
    assert_eq!((code, text.as_str()), (-32000, "transaction not found"));
}

#[tokio::test]
async fn block_details_are_slim_and_count_the_fees() {
    let scene = Scene::rollup().await;
    for params in [json!([2]), json!(["0x2"]), json!(["latest"])] {
        let details = scene.chain.call("ots_getBlockDetails", params).await;
        let block = &details["block"];
        assert_eq!(block["hash"], json!(scene.block.hash));
        assert_eq!(block["transactionCount"], 5);
        assert_eq!(block["logsBloom"], Value::Null);
        assert_eq!(block.get("transactions"), None);
        assert_eq!(
            details["issuance"],
            json!({ "blockReward": "0x0", "uncleReward": "0x0", "issuance": "0x0" })
        );
        let mut fees = 0;
        for tx in &scene.block.transactions {
            let receipt = scene
                .chain
                .call("eth_getTransactionReceipt", json!([tx.hash]))
                .await;
            fees += number(&receipt["gasUsed"]) * number(&receipt["effectiveGasPrice"]);
        }
        assert_eq!(number(&details["totalFees"]), fees);
    }
    let by_hash = scene
        .chain
        .call("ots_getBlockDetailsByHash", json!([scene.block.hash]))
        .await;
    assert_eq!(
        by_hash,
        scene.chain.call("ots_getBlockDetails", json!([2])).await
    );
    assert_eq!(
        scene.chain.call("ots_getBlockDetails", json!([99])).await,
        Value::Null
    );
}

#[tokio::test]
async fn pages_of_a_block_count_from_its_end() {
    let scene = Scene::rollup().await;
    let page = async |page: u64| {
        let params = json!([2, page, 2]);
        scene.chain.call("ots_getBlockTransactions", params).await
    };
    let hashes: Vec<_> = scene
        .block
        .transactions
        .iter()
        .map(|tx| json!(tx.hash))
        .collect();
    for (number, want) in [(0, 3..5), (1, 1..3), (2, 0..1), (3, 0..0)] {
        let answer = page(number).await;
        let shown = answer["fullblock"]["transactions"].as_array().unwrap();
        let receipts = answer["receipts"].as_array().unwrap();
        let shown_hashes: Vec<_> = shown.iter().map(|tx| tx["hash"].clone()).collect();
        assert_eq!(shown_hashes, hashes[want.clone()], "page {number}");
        assert_eq!(receipts.len(), want.len());
        for (tx, receipt) in shown.iter().zip(receipts) {
            assert_eq!(receipt["transactionHash"], tx["hash"]);
            assert_eq!(
                (&receipt["logs"], &receipt["logsBloom"]),
                (&Value::Null, &Value::Null)
            );
            assert!(tx["input"].as_str().unwrap().len() <= 10);
        }
        assert_eq!(answer["fullblock"]["transactionCount"], 5);
    }
    for (size, code) in [(0, -32602), (5_000, -32005)] {
        let params = json!([2, 0, size]);
        let error = scene.chain.error("ots_getBlockTransactions", params).await;
        assert_eq!(error.0, code);
    }
}

/// Blocks 1 to 6: account 0 pays 0xbb…; block 3 also holds the scene's work for `FRIEND`.
const FRIEND: Address = Address::repeat_byte(0xbb);

async fn payments() -> (Chain, Vec<B256>) {
    let chain = Chain::rollup().await;
    let mut hashes = Vec::new();
    for nonce in 0..6 {
        hashes.push(chain.send(0, plain(chain.chain_id, nonce)).await);
        chain.send(1, from_zero(&chain, nonce, KEEPER)).await;
        chain.mine();
    }
    (chain, hashes)
}

fn found(page: &Value) -> (Vec<Value>, bool, bool) {
    let hashes = page["txs"].as_array().unwrap().iter();
    let receipts = page["receipts"].as_array().unwrap();
    for (tx, receipt) in page["txs"].as_array().unwrap().iter().zip(receipts) {
        assert_eq!(receipt["transactionHash"], tx["hash"]);
        assert!(receipt["timestamp"].is_string());
    }
    (
        hashes.map(|tx| tx["hash"].clone()).collect(),
        page["firstPage"].as_bool().unwrap(),
        page["lastPage"].as_bool().unwrap(),
    )
}

#[tokio::test]
async fn a_search_turns_pages_in_both_directions() {
    let (chain, hashes) = payments().await;
    let hashes: Vec<Value> = hashes.iter().rev().map(|hash| json!(hash)).collect();
    let page =
        async |method: &str, from: u64| found(&chain.call(method, json!([FRIEND, from, 2])).await);
    let before = "ots_searchTransactionsBefore";
    assert_eq!(page(before, 0).await, (hashes[0..2].to_vec(), true, false));
    assert_eq!(page(before, 5).await, (hashes[2..4].to_vec(), false, false));
    assert_eq!(page(before, 3).await, (hashes[4..6].to_vec(), false, true));
    assert_eq!(page(before, 1).await, (vec![], false, true));
    let after = "ots_searchTransactionsAfter";
    assert_eq!(page(after, 0).await, (hashes[4..6].to_vec(), false, true));
    assert_eq!(page(after, 2).await, (hashes[2..4].to_vec(), false, false));
    assert_eq!(page(after, 5).await, (hashes[0..1].to_vec(), true, false));
}

#[tokio::test]
async fn a_search_finds_what_happened_inside() {
    let scene = Scene::rollup().await;
    let before = async |address: Address| {
        let params = json!([address, 0, 10]);
        found(
            &scene
                .chain
                .call("ots_searchTransactionsBefore", params)
                .await,
        )
        .0
    };
    // Called by the actor; paid by the actor, and sender of its own; made by the actor.
    assert_eq!(before(EMITTER).await, [json!(scene.busy)]);
    assert_eq!(before(scene.made().1).await, [json!(scene.busy)]);
    let mut third = before(who(3)).await;
    third.sort_by_key(Value::to_string);
    let mut want = vec![json!(scene.busy), json!(scene.burnt)];
    want.sort_by_key(Value::to_string);
    assert_eq!(third, want);
    assert_eq!(
        before(Address::repeat_byte(0x99)).await,
        Vec::<Value>::new()
    );
}

#[tokio::test]
async fn a_nonce_leads_to_its_transaction() {
    let (chain, hashes) = payments().await;
    for (nonce, hash) in hashes.iter().enumerate() {
        let params = json!([who(0), nonce]);
        let found = chain
            .call("ots_getTransactionBySenderAndNonce", params)
            .await;
        assert_eq!(found, json!(hash));
    }
    for params in [json!([who(0), 6]), json!([FRIEND, 0])] {
        let found = chain
            .call("ots_getTransactionBySenderAndNonce", params)
            .await;
        assert_eq!(found, Value::Null);
    }
    let fresh = Address::repeat_byte(0x66);
    chain.mine_with(&[deposit(fresh)]);
    let block = chain.mine_with(&[deposit(who(9)), deposit(fresh)]);
    let params = json!([fresh, "0x1"]);
    let found = chain
        .call("ots_getTransactionBySenderAndNonce", params)
        .await;
    assert_eq!(found, json!(block.transactions[1].hash));
}

#[tokio::test]
async fn a_contract_has_a_creator() {
    let scene = Scene::rollup().await;
    let creator = async |address: Address| {
        scene
            .chain
            .call("ots_getContractCreator", json!([address]))
            .await
    };
    let made = creator(scene.actor).await;
    assert_eq!(made["creator"], json!(who(0)));
    let receipt = scene
        .chain
        .call("eth_getTransactionReceipt", json!([made["hash"]]))
        .await;
    assert_eq!(receipt["contractAddress"], json!(scene.actor));
    assert_eq!(creator(who(0)).await, Value::Null);
    assert_eq!(creator(EMITTER).await, Value::Null, "it is in the genesis");
    assert_eq!(hex(scene.actor).len(), 42);
}
