//! What a node says about itself and its rules.

use crate::chain::{Chain, L1_ID, L2_ID};
use rpc::Limits;
use serde_json::{Value, json};

#[tokio::test]
async fn an_archive_keeps_everything_but_proofs_reach_so_far() {
    let limits = Limits {
        proof_blocks_max: 2,
        ..crate::chain::limits()
    };
    let chain = Chain::rollup_with(limits, 0).await;
    for _ in 0..5 {
        chain.mine();
    }
    let told = chain.call("eth_capabilities", json!([])).await;
    assert_eq!(
        told["head"],
        json!({"number": "0x5", "hash": chain.store.head().hash})
    );
    for kind in ["state", "tx", "logs", "receipts", "blocks"] {
        assert_eq!(told[kind], json!({"disabled": false, "oldestBlock": "0x0"}));
    }
    assert_eq!(
        told["stateproofs"],
        json!({
            "disabled": false, "oldestBlock": "0x3",
            "deleteStrategy": {"type": "window", "retentionBlocks": "0x2"},
        })
    );
    // And so it is.
    let account = crate::chain::who(0);
    chain
        .call("eth_getProof", json!([account, [], "0x3"]))
        .await;
    let (code, text, data) = chain
        .error("eth_getProof", json!([account, [], "0x2"]))
        .await;
    assert_eq!(
        (code, text.as_str()),
        (-32005, "block 2 is 3 blocks back, proofs reach 2")
    );
    assert_eq!(
        data,
        json!({"limit": "proofBlocks", "max": 2, "requested": 3})
    );
}

#[tokio::test]
async fn fork_configurations_are_eip_7910s() {
    let chain = Chain::ethereum().await;
    let config = chain.call("eth_config", json!([])).await;
    let current = &config["current"];
    assert_eq!(
        (&config["next"], &config["last"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        (&current["activationTime"], &current["chainId"]),
        (&json!(0), &json!(format!("{L1_ID:#x}")))
    );
    assert_eq!(
        current["blobSchedule"],
        json!({"baseFeeUpdateFraction": 11_684_671, "max": 21, "target": 14})
    );
    assert_eq!(
        current["precompiles"]["P256VERIFY"],
        format!("0x{:0>40}", "100")
    );
    assert_eq!(current["precompiles"].as_object().unwrap().len(), 18);
    let crc = {
        let mut crc = crc32fast::Hasher::new();
        crc.update(chain.store.genesis_hash().as_slice());
        format!("{:#010x}", crc.finalize())
    };
    assert_eq!(current["forkId"], crc);
}

#[tokio::test]
async fn the_rollup_names_its_own_rules() {
    let chain = Chain::rollup().await;
    let config = chain.call("eth_config", json!([])).await;
    assert_eq!(config["current"]["blobSchedule"]["max"], 0);
    assert_eq!(
        config["current"]["systemContracts"]
            .as_object()
            .unwrap()
            .len(),
        1,
        "the history of block hashes"
    );
    let geth = chain.call("debug_chainConfig", json!([])).await;
    assert_eq!(
        (&geth["chainId"], &geth["osakaTime"], &geth["londonBlock"]),
        (&json!(L2_ID), &json!(0), &json!(0))
    );
}
