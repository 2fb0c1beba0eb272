//! Answers against the published schema, and against what alloy's clients understand.

use super::scene::Scene;
use crate::openrpc::{fits, result_schema, schema};
use alloy_rpc_types_trace::{
    geth::{CallFrame, DefaultFrame, DiffMode, PreStateMode},
    parity::{LocalizedTransactionTrace, TraceResults},
};
use serde_json::json;

#[tokio::test]
async fn answers_fit_the_schema() {
    let Some(schema) = schema() else { return };
    let scene = Scene::ethereum().await;
    let hash = scene.block.hash;
    for options in [
        json!({}),
        json!({ "enableMemory": true, "enableReturnData": true }),
        json!({ "disableStack": true, "disableStorage": true }),
        json!({ "tracer": "callTracer" }),
    ] {
        for (method, params) in [
            ("debug_traceTransaction", json!([scene.busy, options])),
            ("debug_traceTransaction", json!([scene.refused, options])),
            ("debug_traceTransaction", json!([scene.burnt, options])),
            ("debug_traceBlockByNumber", json!(["0x2", options])),
            ("debug_traceBlockByHash", json!([hash, options])),
        ] {
            let answer = scene.chain.call(method, params.clone()).await;
            let mut want = result_schema(&schema, method).clone();
            if options.get("tracer").is_none() {
                // What geth's own tracer shows has a schema; any other may show anything.
                let first = |schema: &mut serde_json::Value| {
                    let only = schema["anyOf"][0].take();
                    *schema = only;
                };
                match want.get("anyOf") {
                    Some(_) => first(&mut want),
                    None => first(&mut want["items"]),
                }
            }
            if let Err(why) = fits(&want, &answer) {
                panic!("{method} {params}: {why}");
            }
        }
    }
}

#[tokio::test]
async fn alloy_understands_every_form() {
    let scene = Scene::rollup().await;
    let geth = async |tracer: &str, config: serde_json::Value| {
        let options = json!({ "tracer": tracer, "tracerConfig": config });
        scene.geth(scene.busy, options).await
    };
    serde_json::from_value::<DefaultFrame>(scene.geth(scene.busy, json!({})).await).unwrap();
    serde_json::from_value::<CallFrame>(geth("callTracer", json!({})).await).unwrap();
    serde_json::from_value::<PreStateMode>(geth("prestateTracer", json!({})).await).unwrap();
    let diff = geth("prestateTracer", json!({ "diffMode": true })).await;
    serde_json::from_value::<DiffMode>(diff).unwrap();
    let list = scene.chain.call("trace_block", json!(["latest"])).await;
    serde_json::from_value::<Vec<LocalizedTransactionTrace>>(list).unwrap();
    let types = json!([scene.busy, ["trace", "vmTrace", "stateDiff"]]);
    let all = scene.chain.call("trace_replayTransaction", types).await;
    serde_json::from_value::<TraceResults>(all).unwrap();
}
