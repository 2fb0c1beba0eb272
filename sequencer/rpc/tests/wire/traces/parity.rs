//! `trace_*` over what was sent.

use super::scene::{Scene, nope, word};
use crate::chain::{Chain, EMITTER, deposit, hex, limits, number, plain, who};
use alloy_primitives::{Address, B256};
use rpc::Limits;
use serde_json::{Value, json};

#[tokio::test]
async fn a_transaction_is_a_list_of_calls() {
    for scene in [Scene::rollup().await, Scene::ethereum().await] {
        let list = scene
            .chain
            .call("trace_transaction", json!([scene.busy]))
            .await;
        let list = list.as_array().unwrap();
        assert_eq!(list.len(), 10);
        let first = &list[0];
        assert_eq!(first["action"]["from"], json!(who(0)));
        assert_eq!(first["action"]["value"], "0x64");
        assert_eq!(first["blockHash"], json!(scene.block.hash));
        assert_eq!(first["blockNumber"], 2);
        assert_eq!(first["transactionHash"], json!(scene.busy));
        assert_eq!(first["type"], "call");
        // What execution had and used: the rest of the receipt's gas was used before.
        let (gas_used, _) = scene.receipt_of(scene.busy);
        let (had, used) = (
            number(&first["action"]["gas"]),
            number(&first["result"]["gasUsed"]),
        );
        assert_eq!(1_000_000 - had + used, gas_used);
        let kinds: Vec<_> = list
            .iter()
            .map(|call| call["type"].as_str().unwrap())
            .collect();
        let want = [
            "call", "call", "call", "call", "call", "call", "create", "suicide", "create", "call",
        ];
        assert_eq!(kinds, want);
        assert_eq!(
            (&list[4]["error"], &list[5]["error"]),
            (&json!("Reverted"), &json!("Out of gas"))
        );
        assert_eq!(list[4]["result"]["output"], json!(nope()));
        assert_eq!(list[5]["result"], Value::Null);
        assert_eq!(list[6]["action"]["init"], "0x33ff");
        assert_eq!(list[8]["action"]["creationMethod"], "create2");
        assert_eq!(list[7]["action"]["refundAddress"], json!(scene.actor));
        assert_eq!(list[7]["action"]["balance"], "0x7");
        let nested = scene
            .chain
            .call("trace_get", json!([scene.busy, ["0x5", "0x0"]]))
            .await;
        assert_eq!(nested, list[7]);
        let beyond = scene
            .chain
            .call("trace_get", json!([scene.busy, ["0x9"]]))
            .await;
        assert_eq!(beyond, Value::Null);
    }
}

#[tokio::test]
async fn a_block_is_the_calls_of_its_transactions() {
    for scene in [Scene::rollup().await, Scene::ethereum().await] {
        let all = scene.chain.call("trace_block", json!(["0x2"])).await;
        let mut want = Vec::new();
        for tx in &scene.block.transactions {
            let list = scene
                .chain
                .call("trace_transaction", json!([tx.hash]))
                .await;
            want.extend(list.as_array().unwrap().clone());
        }
        assert_eq!(all, json!(want));
        let by_hash = scene
            .chain
            .call("trace_block", json!([scene.block.hash]))
            .await;
        assert_eq!(by_hash, all);
        assert_eq!(
            scene.chain.call("trace_block", json!(["latest"])).await,
            all
        );
        assert_eq!(
            scene.chain.call("trace_block", json!(["earliest"])).await,
            json!([])
        );
        assert_eq!(
            scene.chain.call("trace_block", json!(["0x99"])).await,
            Value::Null
        );
        assert_eq!(
            scene.chain.call("trace_block", json!(["pending"])).await,
            Value::Null
        );
    }
}

#[tokio::test]
async fn replays_show_what_is_asked_for() {
    let scene = Scene::rollup().await;
    let types = json!(["trace", "vmTrace", "stateDiff"]);
    let block = scene
        .chain
        .call("trace_replayBlockTransactions", json!(["0x2", types]))
        .await;
    for (index, tx) in scene.block.transactions.iter().enumerate() {
        let mut one = scene
            .chain
            .call("trace_replayTransaction", json!([tx.hash, types]))
            .await;
        one["transactionHash"] = json!(tx.hash);
        assert_eq!(block[index], one);
        let failed = one["trace"][0].get("error").is_some();
        assert_eq!(failed, !scene.block.receipts[index].success);
    }
    let refused = scene
        .chain
        .call("trace_replayTransaction", json!([scene.refused, ["trace"]]))
        .await;
    assert_eq!(refused["output"], json!(nope()));
    assert_eq!(
        (&refused["vmTrace"], &refused["stateDiff"]),
        (&Value::Null, &Value::Null)
    );
    let (code, text, _) = scene
        .chain
        .error("trace_replayTransaction", json!([scene.busy, ["nope"]]))
        .await;
    assert_eq!(code, -32602);
    assert!(
        text.starts_with("invalid argument 1: unknown variant `nope`"),
        "{text}"
    );
}

#[tokio::test]
async fn changes_add_up_to_the_state() {
    let scene = Scene::rollup().await;
    let types = json!(["stateDiff"]);
    let block = scene
        .chain
        .call("trace_replayBlockTransactions", json!(["0x2", types]))
        .await;
    let (made, lasting) = scene.made();
    let busy = block
        .as_array()
        .unwrap()
        .iter()
        .find(|tx| tx["transactionHash"] == json!(scene.busy))
        .unwrap();
    let diff = &busy["stateDiff"];
    assert_eq!(diff.get(hex(made)), None);
    assert_eq!(diff[hex(lasting)]["nonce"], json!({ "+": "0x1" }));
    assert_eq!(diff[hex(scene.actor)]["code"], "=");
    // The last word about each balance is what the chain says.
    let mut balances = std::collections::BTreeMap::new();
    for tx in block.as_array().unwrap() {
        for (address, change) in tx["stateDiff"].as_object().unwrap() {
            let now = [&change["balance"]["*"]["to"], &change["balance"]["+"]];
            if let Some(now) = now.into_iter().find(|now| now.is_string()) {
                balances.insert(address.clone(), now.clone());
            }
        }
    }
    assert!(balances.len() > 6);
    for (address, balance) in balances {
        let want = scene
            .chain
            .call("eth_getBalance", json!([address, "0x2"]))
            .await;
        assert_eq!(balance, want, "{address}");
    }
}

#[tokio::test]
async fn a_filter_finds_callers_and_called() {
    let scene = Scene::rollup().await;
    let found = async |filter: Value| {
        let list = scene.chain.call("trace_filter", json!([filter])).await;
        list.as_array().unwrap().clone()
    };
    let all = found(json!({})).await;
    let of_block = scene.chain.call("trace_block", json!(["0x2"])).await;
    // Block 1 holds the creation of the actor.
    assert_eq!(all.len(), 1 + of_block.as_array().unwrap().len());
    let to = found(json!({ "toAddress": [EMITTER] })).await;
    assert_eq!(to.len(), 1);
    assert_eq!(to[0]["action"]["input"], json!(word(0x11)));
    let from =
        found(json!({ "fromAddress": [scene.actor], "fromBlock": "0x2", "toBlock": "latest" }))
            .await;
    assert_eq!(from.len(), 8);
    let both = json!({ "fromAddress": [who(0)], "toAddress": [scene.actor] });
    assert_eq!(
        found(both.clone()).await.len(),
        2,
        "made it, then called it"
    );
    let mut either = both;
    either["mode"] = json!("union");
    assert!(found(either).await.len() > 2);
    let page = found(json!({ "fromAddress": [scene.actor], "after": 2, "count": 3 })).await;
    assert_eq!(page, from[2..5]);
    assert_eq!(
        found(json!({ "fromBlock": "0x77" , "toBlock": "0x78" }))
            .await
            .len(),
        0
    );
}

#[tokio::test]
async fn a_filter_has_limits_that_the_error_names() {
    let limits = Limits {
        trace_blocks_max: 3,
        traces_max: 2,
        ..limits()
    };
    let chain = Chain::rollup_with(limits, 0).await;
    for nonce in 0..4 {
        chain.send(0, plain(chain.chain_id, nonce)).await;
        chain.mine();
    }
    let (code, text, data) = chain
        .error("trace_filter", json!([{ "fromBlock": "0x0" }]))
        .await;
    assert_eq!(
        (code, text.as_str()),
        (-32005, "block range of 5 exceeds the limit of 3 blocks")
    );
    assert_eq!(data, json!({ "limit": "blocks", "max": 3, "requested": 5 }));
    let (code, text, data) = chain
        .error("trace_filter", json!([{ "fromBlock": "0x2" }]))
        .await;
    assert_eq!(
        (code, text.as_str()),
        (-32005, "query returned more than 2 results")
    );
    assert_eq!(data, json!({ "limit": "traces", "max": 2 }));
    let some = chain
        .call("trace_filter", json!([{ "fromBlock": "0x2", "count": 2 }]))
        .await;
    assert_eq!(some.as_array().unwrap().len(), 2);
    let (code, _, _) = chain
        .error(
            "trace_filter",
            json!([{ "fromBlock": "0x3", "toBlock": "0x2" }]),
        )
        .await;
    assert_eq!(code, -32602);
}

#[tokio::test]
async fn what_is_not_there_is_null_or_an_error() {
    let chain = Chain::rollup().await;
    let nowhere = B256::repeat_byte(5);
    assert_eq!(
        chain.call("trace_transaction", json!([nowhere])).await,
        Value::Null
    );
    assert_eq!(
        chain.call("trace_get", json!([nowhere, []])).await,
        Value::Null
    );
    let replayed = chain
        .call("trace_replayBlockTransactions", json!(["0x99", ["trace"]]))
        .await;
    assert_eq!(replayed, Value::Null);
    let (code, text, _) = chain
        .error("trace_replayTransaction", json!([nowhere, ["trace"]]))
        .await;
    assert_eq!((code, text.as_str()), (-32000, "transaction not found"));
}

#[tokio::test]
async fn a_deposit_is_a_call_that_mints() {
    let chain = Chain::rollup().await;
    let fresh = Address::repeat_byte(0x66);
    let block = chain.mine_with(&[deposit(fresh)]);
    let hash = block.transactions[0].hash;
    let all = chain
        .call(
            "trace_replayTransaction",
            json!([hash, ["trace", "stateDiff"]]),
        )
        .await;
    assert_eq!(all["trace"][0]["action"]["from"], json!(fresh));
    let balance = chain.call("eth_getBalance", json!([fresh, "latest"])).await;
    assert_eq!(
        all["stateDiff"][hex(fresh)]["balance"],
        json!({ "+": balance })
    );
}
