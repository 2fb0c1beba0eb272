//! L1's queue and records as L2 sees them.

use crate::chain::{Chain, L1_HEAD, L2_ID, WAITING, deposit, hex, plain, raw, sign, who};
use alloy_primitives::{B256, Bytes};
use primitives::CheckedTx;
use serde_json::json;
use store::{BatchInfo, DepositInfo, L1Said};

fn told(index: u64, l1_block: u64) -> L1Said {
    L1Said::Deposit(DepositInfo {
        index,
        l1_block,
        l1_tx: B256::repeat_byte(7),
        timestamp: 800,
        acc: B256::ZERO,
    })
}

#[tokio::test]
async fn a_deposit_is_followed_from_l1_to_the_safe_chain() {
    let chain = Chain::rollup().await;
    let said = [
        told(0, L1_HEAD.number - 5),
        told(1, L1_HEAD.number - 5),
        told(2, L1_HEAD.number),
    ];
    chain.store.put_from_l1(&said).unwrap();
    chain.mine();
    chain.mine_with(&[deposit(who(0))]);
    let tx = json!(B256::repeat_byte(7));
    let status = |params| chain.call("rollup_depositStatus", params);

    let first = status(json!([0])).await;
    assert_eq!(first["status"], "included");
    let block = chain.store.head();
    assert_eq!(first["l2Tx"], json!(block.transactions[0].hash));
    assert_eq!(
        (&first["l2Block"], &first["succeeded"]),
        (&json!(2), &json!(true))
    );
    assert_eq!(first["includeBy"], 800 + 1_800);
    assert_eq!(status(json!([tx])).await, first);

    assert_eq!(status(json!([tx, 1])).await["status"], "queued");
    let waiting = status(json!(["0x2"])).await;
    assert_eq!(waiting["status"], "waiting-for-l1");
    assert_eq!(waiting["waitsFor"], "L1 block 78 (now 77)");

    let batch = BatchInfo {
        first_block: 1,
        last_block: 2,
        ..Default::default()
    };
    chain.store.put_record(batch).unwrap();
    chain.store.set_safe(2).unwrap();
    assert_eq!(status(json!([0])).await["status"], "safe");
    chain.store.set_finalized(2).unwrap();
    assert_eq!(status(json!([0])).await["status"], "finalized");
}

#[tokio::test]
async fn an_unknown_deposit_says_how_far_l1_was_read() {
    let chain = Chain::rollup().await;
    let (code, text, _) = chain.error("rollup_depositStatus", json!([4])).await;
    assert_eq!(
        (code, text.as_str()),
        (
            -32001,
            "no queue entry 4 as far as L1 was read (L1 block 77)"
        )
    );
    let (code, ..) = chain
        .error("rollup_depositStatus", json!([B256::ZERO]))
        .await;
    assert_eq!(code, -32001);
    assert_eq!(
        chain.error("rollup_depositStatus", json!([])).await.0,
        -32602
    );
}

#[tokio::test]
async fn the_queue_lists_what_no_block_has_consumed() {
    let chain = Chain::rollup().await;
    chain.mine_with(&[deposit(who(0)), deposit(who(0))]);
    let queue = chain.call("rollup_forcedQueue", json!([])).await;
    assert_eq!(queue["next"], 2);
    let entries = queue["entries"].as_array().unwrap();
    assert_eq!(entries.len() as u64, WAITING - 2);
    assert_eq!(entries[0]["index"], 2);
    assert_eq!(entries[0]["includeBy"], 802 + 1_800);
    let acc = B256::with_last_byte(3);
    let entry = primitives::QueueEntry {
        index: 2,
        timestamp: 802,
        ..deposit(who(0))
    };
    let tx = CheckedTx::deposit(entry.deposit(acc)).hash;
    assert_eq!(entries[0]["l2Tx"], json!(tx));
    let later = chain.call("rollup_forcedQueue", json!([4])).await;
    assert_eq!(later["entries"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn batches_are_found_by_their_blocks() {
    let chain = Chain::rollup().await;
    for _ in 0..5 {
        chain.mine();
    }
    for (index, (first_block, last_block)) in [(1, 2), (3, 4)].into_iter().enumerate() {
        let batch = BatchInfo {
            index: index as u64,
            first_block,
            last_block,
            l1_block: 60 + 5 * index as u64,
            ..Default::default()
        };
        chain.store.put_record(batch).unwrap();
    }
    chain.store.set_safe(4).unwrap();
    let batch = chain.call("rollup_batchOfBlock", json!(["0x3"])).await;
    assert_eq!(
        (&batch["index"], &batch["lastBlock"]),
        (&json!(1), &json!(4))
    );
    let (code, text, _) = chain.error("rollup_batchOfBlock", json!(["latest"])).await;
    assert_eq!(code, -32001);
    assert_eq!(
        text,
        "block 5 is in no batch yet: L1 holds blocks up to 4, and a batch is due every 5 s"
    );

    for (l1_block, safe, by) in [(60, 2, 60), (64, 2, 60), (65, 4, 65), (77, 4, 65)] {
        let head = chain
            .call("rollup_safeHeadAtL1Block", json!([l1_block]))
            .await;
        assert_eq!(head["safeHead"]["number"], safe, "{l1_block}");
        assert_eq!(head["l1Block"]["number"], by, "{l1_block}");
    }
    for l1_block in [59, 78] {
        let params = json!([l1_block]);
        assert_eq!(
            chain.error("rollup_safeHeadAtL1Block", params).await.0,
            -32001
        );
    }
}

#[tokio::test]
async fn data_gas_is_what_the_receipt_will_hold() {
    let chain = Chain::rollup_with(crate::chain::limits(), 40).await;
    let tx = alloy_consensus::TxEip1559 {
        input: Bytes::from_static(&[1; 50]),
        ..plain(L2_ID, 0)
    };
    let raw = hex(raw(sign(0, tx.clone())));
    let by_raw = chain.call("rollup_estimateDaGas", json!([raw])).await;
    assert_eq!(by_raw["daBytes"], 80 + 50);
    assert_eq!(by_raw["daGasPerByte"], 40);
    assert_eq!(by_raw["daGas"], 40 * 130);
    let call = json!([{ "from": who(0), "to": who(1), "data": hex([1; 50]) }]);
    assert_eq!(chain.call("rollup_estimateDaGas", call).await, by_raw);
    let (code, ..) = chain.error("rollup_estimateDaGas", json!(["0x05c0"])).await;
    assert_eq!(code, -32602);
}
