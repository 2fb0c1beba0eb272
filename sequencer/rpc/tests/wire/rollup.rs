//! The `rollup_` namespace.

use crate::chain::{Chain, L1_HEAD};
use primitives::OutputRoot;
use serde_json::{Value, json};
use store::BatchInfo;

#[tokio::test]
async fn sync_status_shows_three_heads_and_the_batch() {
    let chain = Chain::rollup().await;
    for _ in 0..4 {
        chain.mine();
    }
    let batch = BatchInfo {
        first_block: 1,
        last_block: 3,
        l1_block: 70,
        l1_tx: [5; 32].into(),
        ..Default::default()
    };
    chain.store.put_record(batch).unwrap();
    chain.store.set_safe(3).unwrap();
    chain.store.set_finalized(2).unwrap();
    let status = chain.call("rollup_syncStatus", json!([])).await;
    assert_eq!(
        status["head_l1"],
        json!({"hash": L1_HEAD.hash, "number": 77, "timestamp": 900})
    );
    assert_eq!(status["safe_l1"], Value::Null);
    for (field, number) in [("unsafe_l2", 4), ("safe_l2", 3), ("finalized_l2", 2)] {
        assert_eq!(status[field]["number"], number, "{field}");
        assert_eq!(status[field]["l1origin"]["number"], number, "{field}");
    }
    assert_eq!(status["safe_batch"]["lastBlock"], 3);
    assert_eq!(status["safe_batch"]["l1Tx"], json!(batch.l1_tx));
}

#[tokio::test]
async fn an_output_root_is_that_of_the_formats() {
    let chain = Chain::rollup().await;
    let block = chain.mine();
    let want = OutputRoot {
        state_root: block.header.state_root,
        withdrawals_root: block.header.withdrawals_root.unwrap(),
        block_hash: block.hash,
    };
    for name in ["0x1", "latest"] {
        let output = chain.call("rollup_outputAtBlock", json!([name])).await;
        assert_eq!(output["outputRoot"], json!(want.hash()));
        assert_eq!(output["stateRoot"], json!(want.state_root));
        assert_eq!(
            output["withdrawalStorageRoot"],
            json!(want.withdrawals_root)
        );
        assert_eq!(output["blockRef"]["hash"], json!(block.hash));
    }
    assert_eq!(
        chain.error("rollup_outputAtBlock", json!(["0x7"])).await.0,
        -32001
    );
}

#[tokio::test]
async fn the_config_is_the_network_file() {
    let chain = Chain::rollup().await;
    let config = chain.call("rollup_config", json!([])).await;
    assert_eq!(config["chain"]["id"], 902);
    assert_eq!(config["l1"]["chain_id"], 901);
}
