//! geth's tracers over transactions and blocks.

use super::scene::{Scene, from_zero, nope, word};
use crate::chain::{
    BURNER, Chain, EMITTER, KEEPER, REVERTER, TELLER, deposit, hex, limits, number, plain, who,
};
use alloy_primitives::{Address, B256, U256};
use alloy_rlp::Encodable;
use serde_json::{Value, json};

fn named(tracer: &str, config: Value) -> Value {
    json!({ "tracer": tracer, "tracerConfig": config })
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn the_call_tracer_shows_the_tree() {
    for scene in [Scene::rollup().await, Scene::ethereum().await] {
        let root = scene.geth(scene.busy, named("callTracer", json!({}))).await;
        let (gas_used, _) = scene.receipt_of(scene.busy);
        assert_eq!(
            keys(&root),
            [
                "calls", "from", "gas", "gasUsed", "input", "to", "type", "value"
            ]
        );
        assert_eq!(root["from"], json!(who(0)));
        assert_eq!(root["to"], json!(scene.actor));
        assert_eq!(root["value"], "0x64");
        assert_eq!(root["gas"], "0xf4240");
        assert_eq!(number(&root["gasUsed"]), gas_used);
        let calls = root["calls"].as_array().unwrap();
        let types: Vec<_> = calls
            .iter()
            .map(|call| call["type"].as_str().unwrap())
            .collect();
        assert_eq!(
            types,
            [
                "CALL",
                "DELEGATECALL",
                "STATICCALL",
                "CALL",
                "CALL",
                "STATICCALL",
                "CREATE",
                "CREATE2",
                "CALL"
            ]
        );
        let to = [EMITTER, KEEPER, TELLER, REVERTER, BURNER];
        for (call, to) in calls.iter().zip(to) {
            assert_eq!(call["to"], json!(to));
            assert_eq!(call["from"], json!(scene.actor));
        }
        assert_eq!(calls[0]["input"], json!(word(0x11)));
        assert_eq!(
            calls[1]["value"], "0x64",
            "a delegate call has its caller's value"
        );
        assert_eq!(calls[2].get("value"), None, "a static call has none");
        assert_eq!(calls[2]["output"], json!(word(0)));
        assert_eq!(calls[3]["error"], "execution reverted");
        assert_eq!(calls[3]["revertReason"], "nope");
        assert_eq!(calls[3]["output"], json!(nope()));
        assert_eq!(calls[4]["error"], "out of gas");
        assert_eq!(
            (&calls[4]["gas"], &calls[4]["gasUsed"]),
            (&json!("0x1388"), &json!("0x1388"))
        );
        assert_eq!(calls[5]["output"], "0x08c379", "a precompile is a call too");
        let (short_lived, lasting) = scene.made();
        assert_eq!(calls[6]["to"], json!(short_lived));
        assert_eq!(calls[6]["input"], "0x33ff");
        let end = &calls[6]["calls"][0];
        assert_eq!(
            *end,
            json!({
                "type": "SELFDESTRUCT", "from": short_lived, "to": scene.actor, "value": "0x7",
                "gas": "0x0", "gasUsed": "0x0", "input": "0x"
            })
        );
        assert_eq!(calls[7]["to"], json!(lasting));
        assert_eq!(
            (&calls[8]["to"], &calls[8]["value"]),
            (&json!(who(3)), &json!("0x5"))
        );
    }
}

#[tokio::test]
async fn the_call_tracer_shows_logs_and_only_the_top() {
    let scene = Scene::rollup().await;
    let root = scene
        .geth(scene.busy, named("callTracer", json!({ "withLog": true })))
        .await;
    assert_eq!(
        root["logs"],
        json!([{ "address": scene.actor, "topics": [], "data": "0x", "position": "0x0", "index": "0x0" }])
    );
    assert_eq!(
        root["calls"][0]["logs"],
        json!([{ "address": EMITTER, "topics": [word(0x11)], "data": "0x", "position": "0x0", "index": "0x1" }])
    );
    let top = scene
        .geth(
            scene.busy,
            named("callTracer", json!({ "onlyTopCall": true })),
        )
        .await;
    assert_eq!(top.get("calls"), None);
    assert_eq!(top["gasUsed"], root["gasUsed"]);
}

#[tokio::test]
async fn failures_are_told_at_the_top() {
    let scene = Scene::rollup().await;
    let refused = scene
        .geth(scene.refused, named("callTracer", json!({})))
        .await;
    assert_eq!(refused["error"], "execution reverted");
    assert_eq!(refused["revertReason"], "nope");
    assert_eq!(refused["output"], json!(nope()));
    assert_eq!(
        number(&refused["gasUsed"]),
        scene.receipt_of(scene.refused).0
    );
    let burnt = scene
        .geth(scene.burnt, named("callTracer", json!({})))
        .await;
    assert_eq!(burnt["error"], "out of gas");
    assert_eq!(burnt["gasUsed"], json!("0xc350"));
    assert_eq!(burnt.get("output"), None);
}

#[tokio::test]
async fn steps_are_shown_as_geth_shows_them() {
    let scene = Scene::rollup().await;
    let trace = scene.geth(scene.refused, json!({})).await;
    assert_eq!(keys(&trace), ["failed", "gas", "returnValue", "structLogs"]);
    assert_eq!(trace["failed"], true);
    assert_eq!(trace["gas"], scene.receipt_of(scene.refused).0);
    assert_eq!(trace["returnValue"], json!(nope()));
    let steps = trace["structLogs"].as_array().unwrap();
    assert_eq!(
        keys(&steps[0]),
        ["depth", "gas", "gasCost", "op", "pc", "stack"]
    );
    let ops: Vec<_> = steps
        .iter()
        .map(|step| step["op"].as_str().unwrap())
        .collect();
    assert_eq!(
        ops,
        [
            "CALLDATASIZE",
            "PUSH0",
            "PUSH0",
            "CALLDATACOPY",
            "CALLDATASIZE",
            "PUSH0",
            "REVERT"
        ]
    );
    assert_eq!(
        (&steps[1]["pc"], &steps[1]["depth"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(steps[1]["stack"], json!(["0x64"]));
    assert_eq!(steps[1]["gasCost"], 2);
    for pair in steps.windows(2) {
        let left = pair[0]["gas"].as_u64().unwrap() - pair[0]["gasCost"].as_u64().unwrap();
        assert_eq!(pair[1]["gas"], left);
    }
}

#[tokio::test]
async fn options_add_and_leave_out() {
    let scene = Scene::rollup().await;
    let all = scene
        .geth(
            scene.busy,
            json!({ "enableMemory": true, "enableReturnData": true }),
        )
        .await;
    let steps = all["structLogs"].as_array().unwrap();
    let store = steps.iter().find(|step| step["op"] == "SSTORE").unwrap();
    assert_eq!(store["depth"], 2);
    assert_eq!(store["storage"], json!({ word(0): word(0x11) }));
    let told = steps.iter().find(|step| step["op"] == "SLOAD").unwrap();
    assert_eq!(told["storage"], json!({ word(0): word(0) }));
    assert!(
        steps
            .iter()
            .any(|step| step["memory"][0] == json!(word(0x11)))
    );
    assert!(steps.iter().any(|step| step["returnData"] == json!(nope())));
    assert!(steps.iter().any(|step| step["error"] == "out of gas"));
    let bare = scene
        .geth(
            scene.busy,
            json!({ "disableStack": true, "disableStorage": true, "limit": 5 }),
        )
        .await;
    let steps = bare["structLogs"].as_array().unwrap();
    assert_eq!(steps.len(), 5);
    assert_eq!(keys(&steps[0]), ["depth", "gas", "gasCost", "op", "pc"]);
    assert_eq!(bare["gas"], all["gas"]);
    let same = scene.geth(scene.busy, json!({ "tracer": "" })).await;
    assert_eq!(same["structLogs"][0]["op"], "PUSH0");
}

#[tokio::test]
async fn the_prestate_is_what_the_chain_held() {
    for scene in [Scene::rollup().await, Scene::ethereum().await] {
        let before = scene
            .geth(scene.busy, named("prestateTracer", json!({})))
            .await;
        for (address, account) in before.as_object().unwrap() {
            // The first of its block but for a deposit to somebody else.
            let balance = scene
                .chain
                .call("eth_getBalance", json!([address, "0x1"]))
                .await;
            assert_eq!(account["balance"], balance, "{address}");
            let nonce = scene
                .chain
                .call("eth_getTransactionCount", json!([address, "0x1"]))
                .await;
            assert_eq!(
                account["nonce"].as_u64().unwrap_or(0),
                number(&nonce),
                "{address}"
            );
            let code = scene
                .chain
                .call("eth_getCode", json!([address, "0x1"]))
                .await;
            assert_eq!(account["code"].as_str().unwrap_or("0x"), code, "{address}");
        }
        for address in [
            who(0),
            scene.actor,
            EMITTER,
            KEEPER,
            TELLER,
            REVERTER,
            BURNER,
            who(3),
        ] {
            assert!(before.get(address_key(address)).is_some(), "{address}");
        }
        let slots = |address: Address| &before[address_key(address)]["storage"];
        assert_eq!(*slots(scene.actor), json!({ word(0): word(0) }));
        assert_eq!(*slots(TELLER), json!({ word(0): word(0) }));
        let slim = scene
            .geth(
                scene.busy,
                named(
                    "prestateTracer",
                    json!({ "disableCode": true, "disableStorage": true }),
                ),
            )
            .await;
        let actor = &slim[address_key(scene.actor)];
        assert_eq!(keys(actor), ["balance", "nonce"]);
    }
}

fn address_key(address: Address) -> String {
    hex(address)
}

#[tokio::test]
async fn the_difference_is_what_changed() {
    for scene in [Scene::rollup().await, Scene::ethereum().await] {
        let diff = scene
            .geth(
                scene.busy,
                named("prestateTracer", json!({ "diffMode": true })),
            )
            .await;
        let (pre, post) = (&diff["pre"], &diff["post"]);
        let actor = address_key(scene.actor);
        assert_eq!(post[&actor]["balance"], "0x5f");
        assert_eq!(post[&actor]["nonce"], 3);
        assert_eq!(post[&actor]["storage"], json!({ word(0): word(0x11) }));
        assert_eq!(post[&actor].get("code"), None);
        assert_eq!(pre[&actor]["balance"], "0x0");
        assert_eq!(pre[&actor].get("storage"), None);
        let (short_lived, lasting) = scene.made();
        assert_eq!(pre.get(address_key(short_lived)), None);
        assert_eq!(post.get(address_key(short_lived)), None);
        assert_eq!(pre.get(address_key(lasting)), None);
        assert_eq!(post[address_key(lasting)], json!({ "nonce": 1 }));
        let sender = address_key(who(0));
        let (gas_used, _) = scene.receipt_of(scene.busy);
        let balance = |side: &Value| {
            side[&sender]["balance"]
                .as_str()
                .unwrap()
                .parse::<U256>()
                .unwrap()
        };
        let paid = balance(pre) - balance(post);
        let price = U256::from(scene.block.header.base_fee_per_gas.unwrap() + 1_000_000_000);
        assert_eq!(paid, U256::from(100) + U256::from(gas_used) * price);
        for untouched in [EMITTER, TELLER, REVERTER] {
            assert_eq!(pre.get(address_key(untouched)), None);
        }
    }
}

#[tokio::test]
async fn selectors_calls_in_a_list_and_nothing() {
    let scene = Scene::rollup().await;
    let selectors = scene
        .geth(scene.busy, named("4byteTracer", json!({})))
        .await;
    assert_eq!(selectors, json!({ "0x11111111-28": 2, "0x08c379a0-96": 1 }));
    assert_eq!(
        scene.geth(scene.busy, named("noopTracer", json!({}))).await,
        json!({})
    );
    let list = scene
        .geth(scene.busy, named("flatCallTracer", json!({})))
        .await;
    let list = list.as_array().unwrap();
    // All but the precompile, and the end of a contract.
    assert_eq!(list.len(), 1 + 8 + 1);
    assert_eq!(
        keys(&list[0]),
        [
            "action",
            "blockHash",
            "blockNumber",
            "result",
            "subtraces",
            "traceAddress",
            "transactionHash",
            "transactionPosition",
            "type"
        ]
    );
    assert_eq!(list[0]["blockHash"], json!(scene.block.hash));
    assert_eq!(list[0]["transactionHash"], json!(scene.busy));
    assert_eq!(list[0]["transactionPosition"], 1, "after the deposit");
    assert_eq!(
        number(&list[0]["result"]["gasUsed"]),
        scene.receipt_of(scene.busy).0
    );
    assert_eq!(list[4]["error"], "execution reverted");
    let words = scene
        .geth(
            scene.busy,
            named(
                "flatCallTracer",
                json!({ "convertParityErrors": true, "includePrecompiles": true }),
            ),
        )
        .await;
    let words = words.as_array().unwrap();
    assert_eq!(words.len(), list.len() + 1);
    assert_eq!(
        (&words[4]["error"], &words[5]["error"]),
        (&json!("Reverted"), &json!("Out of gas"))
    );
    let end = list.iter().find(|call| call["type"] == "suicide").unwrap();
    assert_eq!(end["action"]["address"], json!(scene.made().0));
    assert_eq!(end["traceAddress"], json!([5, 0]));
}

#[tokio::test]
async fn several_tracers_at_once_show_what_each_shows() {
    let scene = Scene::rollup().await;
    let config = json!({
        "callTracer": { "withLog": true },
        "prestateTracer": { "diffMode": true },
        "4byteTracer": null,
        "flatCallTracer": {},
        "noopTracer": null
    });
    let all = scene
        .geth(scene.busy, named("muxTracer", config.clone()))
        .await;
    assert_eq!(all.as_object().unwrap().len(), 5);
    for (tracer, config) in config.as_object().unwrap() {
        let alone = scene.geth(scene.busy, named(tracer, config.clone())).await;
        assert_eq!(all[tracer], alone, "{tracer}");
    }
}

#[tokio::test]
async fn a_block_is_its_transactions() {
    for scene in [Scene::rollup().await, Scene::ethereum().await] {
        let options = named("callTracer", json!({ "withLog": true }));
        let by_number = scene
            .chain
            .call("debug_traceBlockByNumber", json!(["0x2", options]))
            .await;
        let by_hash = scene
            .chain
            .call("debug_traceBlockByHash", json!([scene.block.hash, options]))
            .await;
        let raw = json!([raw_block(&scene), options]);
        let by_bytes = scene.chain.call("debug_traceBlock", raw).await;
        let latest = scene
            .chain
            .call("debug_traceBlockByNumber", json!(["latest", options]))
            .await;
        assert_eq!(by_number, by_hash);
        assert_eq!(by_number, by_bytes);
        assert_eq!(by_number, latest);
        let traces = by_number.as_array().unwrap();
        assert_eq!(traces.len(), scene.block.transactions.len());
        for (index, tx) in scene.block.transactions.iter().enumerate() {
            assert_eq!(traces[index]["txHash"], json!(tx.hash));
            let root = &traces[index]["result"];
            assert_eq!(*root, scene.geth(tx.hash, options.clone()).await);
            let gas_used = scene.block.gas_used_by(index).unwrap();
            assert_eq!(number(&root["gasUsed"]), gas_used);
            assert_eq!(
                root.get("error").is_none(),
                scene.block.receipts[index].success
            );
        }
    }
}

fn raw_block(scene: &Scene) -> String {
    struct Item<'a>(&'a [u8]);
    impl Encodable for Item<'_> {
        fn encode(&self, out: &mut dyn alloy_rlp::BufMut) {
            // Legacy transactions are lists already.
            match self.0.first() {
                Some(0xc0..) => out.put_slice(self.0),
                _ => self.0.encode(out),
            }
        }
    }
    let items: Vec<Item<'_>> = scene
        .block
        .transactions
        .iter()
        .map(|tx| Item(&tx.raw))
        .collect();
    let (mut body, mut list) = (Vec::new(), Vec::new());
    scene.block.header.encode(&mut body);
    items.iter().for_each(|item| item.encode(&mut list));
    alloy_rlp::Header {
        list: true,
        payload_length: list.len(),
    }
    .encode(&mut body);
    body.extend(list);
    body.extend([0xc0, 0xc0]);
    let mut raw = Vec::new();
    alloy_rlp::Header {
        list: true,
        payload_length: body.len(),
    }
    .encode(&mut raw);
    raw.extend(body);
    hex(raw)
}

#[tokio::test]
async fn a_block_that_is_not_ours_is_executed_on_its_parent() {
    for scene in [Scene::rollup().await, Scene::ethereum().await] {
        let mut header = scene.block.header.clone();
        if scene.chain.chain_id == crate::chain::L2_ID {
            // Keeps its parent's anchor.
            header.parent_beacon_block_root = Some(B256::from(U256::from(1)));
        }
        header.extra_data = vec![1].into();
        let mut other = Scene {
            block: std::sync::Arc::new(primitives::SealedBlock {
                header,
                ..(*scene.block).clone()
            }),
            ..scene
        };
        let options = named("callTracer", json!({}));
        let foreign = other
            .chain
            .call("debug_traceBlock", json!([raw_block(&other), options]))
            .await;
        let ours = other
            .chain
            .call("debug_traceBlockByNumber", json!(["0x2", options]))
            .await;
        assert_eq!(foreign, ours);
        let mut header = other.block.header.clone();
        header.parent_hash = B256::repeat_byte(9);
        other.block = std::sync::Arc::new(primitives::SealedBlock {
            header,
            ..(*other.block).clone()
        });
        let (code, text, _) = other
            .chain
            .error("debug_traceBlock", json!([raw_block(&other)]))
            .await;
        let want = format!("parent {} not found", B256::repeat_byte(9));
        assert_eq!((code, text), (-32000, want));
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_in_geths_words() {
    let scene = Scene::rollup().await;
    let chain = &scene.chain;
    let nowhere = B256::repeat_byte(5);
    for (method, params, code, want) in [
        (
            "debug_traceTransaction",
            json!([nowhere]),
            -32000,
            "transaction not found".to_owned(),
        ),
        (
            "debug_traceBlockByNumber",
            json!(["0x0"]),
            -32000,
            "genesis is not traceable".to_owned(),
        ),
        (
            "debug_traceBlockByNumber",
            json!(["0x99"]),
            -32000,
            "block #153 not found".to_owned(),
        ),
        (
            "debug_traceBlockByHash",
            json!([nowhere]),
            -32000,
            format!("block {nowhere} not found"),
        ),
        (
            "debug_traceBlock",
            json!(["0xc0"]),
            -32000,
            "could not decode block: header: input too short".to_owned(),
        ),
        (
            "debug_traceTransaction",
            json!([]),
            -32602,
            "missing value for required argument 0".to_owned(),
        ),
    ] {
        let (got, text, _) = chain.error(method, params.clone()).await;
        assert_eq!((got, text), (code, want), "{method} {params}");
    }
    assert_eq!(
        chain
            .call("debug_traceBlockByNumber", json!(["pending"]))
            .await,
        json!([])
    );
    let waiting = chain.send(1, plain(chain.chain_id, 1)).await;
    let (_, text, _) = chain
        .error("debug_traceTransaction", json!([waiting]))
        .await;
    assert_eq!(text, "transaction not found");
}

#[tokio::test]
async fn tracers_that_do_not_exist_are_named() {
    let scene = Scene::rollup().await;
    let there = "callTracer, flatCallTracer, prestateTracer, 4byteTracer, noopTracer, muxTracer";
    for (options, want) in [
        (
            json!({ "tracer": "bigramTracer" }),
            format!("tracer not found: bigramTracer, use one of {there}"),
        ),
        (
            json!({ "tracer": "{ step: function(){}, fault: function(){}, result: function(){ return 1 } }" }),
            format!("tracers in JavaScript are not supported, use one of {there}"),
        ),
        (
            named("muxTracer", json!({ "nope": null })),
            format!("tracer not found: nope, use one of {there}"),
        ),
        (
            named("muxTracer", json!({ "muxTracer": {} })),
            "muxTracer cannot hold another muxTracer".to_owned(),
        ),
        (
            named("callTracer", json!({ "withLog": 3 })),
            "invalid tracerConfig: invalid type: integer `3`, expected a boolean".to_owned(),
        ),
        (
            json!({ "timeout": "soon" }),
            "time: invalid duration \"soon\"".to_owned(),
        ),
    ] {
        let (code, text, _) = scene
            .chain
            .error("debug_traceTransaction", json!([scene.busy, options]))
            .await;
        assert_eq!((code, text), (-32000, want), "{options}");
    }
}

#[tokio::test]
async fn old_blocks_are_traced_on_their_own_state() {
    let chain = Chain::rollup().await;
    let mut hashes = Vec::new();
    for nonce in 0..5u8 {
        let store = alloy_consensus::TxEip1559 {
            input: [nonce; 32].into(),
            ..from_zero(&chain, nonce.into(), KEEPER)
        };
        hashes.push(chain.send(0, store).await);
        chain.mine();
    }
    for (nonce, hash) in hashes.into_iter().enumerate().skip(1) {
        let options = named("prestateTracer", json!({ "diffMode": true }));
        let diff = chain
            .call("debug_traceTransaction", json!([hash, options]))
            .await;
        let keeper = hex(KEEPER);
        let slot = |side: &str| diff[side][&keeper]["storage"][word(0)].clone();
        let before = match nonce {
            1 => Value::Null,
            n => json!(word(n as u8 - 1)),
        };
        assert_eq!(
            (slot("pre"), slot("post")),
            (before, json!(word(nonce as u8)))
        );
    }
}

#[tokio::test]
async fn a_deposit_is_traced_with_what_it_mints() {
    let chain = Chain::rollup_with(limits(), 10).await;
    let fresh = Address::repeat_byte(0x66);
    let mut entry = deposit(fresh);
    entry.to = EMITTER;
    entry.data = [7u8; 32].into();
    let mut too_much = deposit(who(9));
    too_much.value = U256::from(too_much.mint + 1);
    let block = chain.mine_with(&[entry, too_much]);
    let [first, second] = [0, 1].map(|at| block.transactions[at].hash);
    let options = named("callTracer", json!({ "withLog": true }));
    let root = chain
        .call("debug_traceTransaction", json!([first, options]))
        .await;
    assert_eq!(
        (&root["from"], &root["to"]),
        (&json!(fresh), &json!(EMITTER))
    );
    assert_eq!(number(&root["gasUsed"]), block.gas_used_by(0).unwrap());
    assert_eq!(root["logs"][0]["topics"], json!([word(7)]));
    let diff = named("prestateTracer", json!({ "diffMode": true }));
    let diff = chain
        .call("debug_traceTransaction", json!([first, diff]))
        .await;
    assert_eq!(diff["post"][hex(fresh)]["nonce"], 1);
    let minted = diff["post"][hex(fresh)]["balance"].clone();
    assert_eq!(
        minted,
        chain.call("eth_getBalance", json!([fresh, "latest"])).await
    );
    let failed = chain
        .call("debug_traceTransaction", json!([second, options]))
        .await;
    assert_eq!(failed["error"], "insufficient balance for transfer");
    assert_eq!(number(&failed["gasUsed"]), block.gas_used_by(1).unwrap());
}
