//! Calls that are recorded and never sent.

use super::scene::{Scene, everything, from_zero, nope, word};
use crate::chain::{BURNER, CLOCK, Chain, KEEPER, REVERTER, TELLER, hex, number, plain, who};
use alloy_primitives::{Address, U256};
use serde_json::{Value, json};

const FRESH: Address = Address::repeat_byte(0x5a);

async fn traced(chain: &Chain, call: Value, at: Value, options: Value) -> Value {
    chain
        .call("debug_traceCall", json!([call, at, options]))
        .await
}

#[tokio::test]
async fn a_call_shows_its_tree_and_its_gas() {
    for scene in [Scene::rollup().await, Scene::ethereum().await] {
        let call = json!({ "from": who(0), "to": scene.actor, "value": "0x64", "gas": "0xf4240" });
        let root = traced(
            &scene.chain,
            call.clone(),
            json!("0x1"),
            json!({ "tracer": "callTracer" }),
        )
        .await;
        let sent = scene
            .geth(scene.busy, json!({ "tracer": "callTracer" }))
            .await;
        assert_eq!(root["calls"], sent["calls"], "the same as when it was sent");
        assert_eq!(root["type"], "CALL");
        let steps = traced(&scene.chain, call, json!("0x1"), json!({})).await;
        assert_eq!(steps["gas"].as_u64().unwrap(), number(&root["gasUsed"]));
        assert_eq!(steps["failed"], false);
    }
}

#[tokio::test]
async fn blocks_have_all_their_names() {
    let scene = Scene::rollup().await;
    let chain = &scene.chain;
    chain.store.set_safe(1).unwrap();
    chain.store.set_finalized(1).unwrap();
    let call = json!({ "to": CLOCK });
    for (at, want) in [
        (json!("earliest"), 0),
        (json!("finalized"), 1),
        (json!("safe"), 1),
        (json!("latest"), 2),
        (json!("pending"), 3),
        (json!("0x1"), 1),
        (json!({ "blockHash": scene.block.hash }), 2),
        (json!(scene.block.hash), 2),
    ] {
        let trace = traced(chain, call.clone(), at.clone(), json!({})).await;
        let output = trace["returnValue"].as_str().unwrap();
        assert_eq!(
            output[2..66],
            hex(U256::from(want).to_be_bytes_vec())[2..],
            "{at}"
        );
    }
}

#[tokio::test]
async fn overrides_replace_accounts_and_block() {
    let scene = Scene::rollup().await;
    let options = json!({
        "tracer": "callTracer",
        "stateOverrides": { FRESH.to_string(): { "code": hex(everything()), "balance": "0x100" } },
    });
    let root = traced(
        &scene.chain,
        json!({ "from": who(0), "to": FRESH }),
        json!("latest"),
        options,
    )
    .await;
    assert_eq!(root["calls"].as_array().unwrap().len(), 9);
    let slot = json!({ TELLER.to_string(): { "stateDiff": { word(0): word(9) } } });
    let told = traced(
        &scene.chain,
        json!({ "to": TELLER }),
        json!("latest"),
        json!({ "stateOverrides": slot }),
    )
    .await;
    assert_eq!(told["returnValue"], json!(word(9)));
    let block = json!({ "blockOverrides": { "number": "0x64", "time": "0xc8" } });
    let clock = traced(&scene.chain, json!({ "to": CLOCK }), json!("latest"), block).await;
    let output = clock["returnValue"].as_str().unwrap();
    assert_eq!(&output[2..66], &hex(U256::from(100).to_be_bytes_vec())[2..]);
    assert_eq!(
        &output[66..130],
        &hex(U256::from(200).to_be_bytes_vec())[2..]
    );
}

#[tokio::test]
async fn a_call_may_stand_between_two_transactions() {
    let chain = Chain::rollup().await;
    for (nonce, byte) in [(0, 1u8), (1, 2), (2, 3)] {
        let store = alloy_consensus::TxEip1559 {
            input: [byte; 32].into(),
            ..from_zero(&chain, nonce, KEEPER)
        };
        chain.send(0, store).await;
    }
    let block = chain.mine();
    // Returns slot 0 of KEEPER.
    let code = json!({ KEEPER.to_string(): { "code": "0x5f545f5260205ff3" } });
    for (index, want) in [("0x0", 0), ("0x1", 1), ("0x2", 2), ("0x3", 3)] {
        let options = json!({ "txIndex": index, "stateOverrides": code });
        let trace = traced(&chain, json!({ "to": KEEPER }), json!(block.hash), options).await;
        assert_eq!(trace["returnValue"], json!(word(want)), "{index}");
    }
    let params = json!([{ "to": KEEPER }, block.hash, { "txIndex": "0x4" }]);
    let (code, text, _) = chain.error("debug_traceCall", params).await;
    let want = format!("transaction index 4 out of range for block {}", block.hash);
    assert_eq!((code, text), (-32000, want));
}

#[tokio::test]
async fn what_cannot_run_is_refused_as_geth_does() {
    let chain = Chain::rollup().await;
    let poor = json!({ "from": FRESH, "to": who(1), "value": "0x1" });
    for (method, params) in [
        ("debug_traceCall", json!([poor, "latest"])),
        ("trace_call", json!([poor, ["trace"], "latest"])),
        ("trace_callMany", json!([[[poor, ["trace"]]], "latest"])),
    ] {
        let (code, text, _) = chain.error(method, params).await;
        assert!(
            code == -32000 && text.starts_with("tracing failed: insufficient funds"),
            "{text}"
        );
    }
    let (code, text, _) = chain
        .error("debug_traceCall", json!([{ "to": FRESH }, "0x99"]))
        .await;
    assert_eq!((code, text.as_str()), (-32000, "block #153 not found"));
}

#[tokio::test]
async fn a_failed_call_is_a_trace_and_no_error() {
    let chain = Chain::rollup().await;
    let call = json!({ "to": REVERTER, "data": nope() });
    let trace = traced(&chain, call.clone(), json!("latest"), json!({})).await;
    assert_eq!(
        (&trace["failed"], &trace["returnValue"]),
        (&json!(true), &json!(nope()))
    );
    let parity = chain
        .call("trace_call", json!([call, ["trace"], "latest"]))
        .await;
    assert_eq!(parity["trace"][0]["error"], "Reverted");
    assert_eq!(parity["output"], json!(nope()));
    let burnt = json!({ "to": BURNER, "gas": "0xc350" });
    let trace = traced(
        &chain,
        burnt,
        json!("latest"),
        json!({ "tracer": "callTracer" }),
    )
    .await;
    assert_eq!(trace["error"], "out of gas");
}

#[tokio::test]
async fn parity_shows_calls_steps_and_changes() {
    let scene = Scene::rollup().await;
    let call = json!({ "from": who(0), "to": scene.actor, "value": "0x64" });
    let types = json!(["trace", "vmTrace", "stateDiff"]);
    let all = scene
        .chain
        .call("trace_call", json!([call, types, "0x1"]))
        .await;
    let trace = all["trace"].as_array().unwrap();
    assert_eq!(trace.len(), 10);
    assert_eq!(trace[0]["action"]["callType"], "call");
    assert_eq!(trace[0]["subtraces"], 8);
    assert_eq!(trace[1]["traceAddress"], json!([0]));
    let ops = all["vmTrace"]["ops"].as_array().unwrap();
    assert_eq!(ops[0]["op"], "PUSH0");
    assert_eq!(ops[0]["ex"]["push"], json!(["0x0"]));
    let inner = ops.iter().filter(|op| !op["sub"].is_null()).count();
    assert_eq!(inner, 9);
    let actor = &all["stateDiff"][hex(scene.actor)];
    assert_eq!(
        actor["balance"],
        json!({ "*": { "from": "0x0", "to": "0x5f" } })
    );
    assert_eq!(
        actor["storage"],
        json!({ word(0): { "*": { "from": word(0), "to": word(0x11) } } })
    );
    let bare = scene
        .chain
        .call("trace_call", json!([call, [], "0x1"]))
        .await;
    assert_eq!(
        bare,
        json!({ "output": "0x", "trace": [], "vmTrace": null, "stateDiff": null })
    );
}

#[tokio::test]
async fn many_calls_see_what_those_before_them_did() {
    let chain = Chain::rollup().await;
    let pay = json!({ "from": who(0), "to": FRESH, "value": "0x5" });
    let on = json!({ "from": FRESH, "to": who(1), "value": "0x5" });
    let answers = chain
        .call(
            "trace_callMany",
            json!([[[pay, ["trace"]], [on, ["stateDiff"]]], "latest"]),
        )
        .await;
    assert_eq!(answers[0]["trace"][0]["action"]["value"], "0x5");
    let fresh = &answers[1]["stateDiff"][hex(FRESH)];
    assert_eq!(
        fresh["balance"],
        json!({ "*": { "from": "0x5", "to": "0x0" } })
    );
    let sent = plain(chain.chain_id, 0);
    assert_eq!(sent.nonce, 0);
}
