//! Withdrawals on their way to L1.

use crate::chain::{Chain, L1_HEAD, L2_ID, plain, who};
use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use primitives::{
    predeploys::MESSAGE_PASSER,
    withdrawal::{MESSAGE_PASSED, Withdrawal, sent_slot},
};
use serde_json::{Value, json};
use store::{BatchInfo, L1Event, L1Note, L1Said, OutputInfo, WithdrawalProof};

fn withdrawal(n: u64, data: &'static [u8]) -> Withdrawal {
    Withdrawal {
        nonce: U256::from(n),
        sender: who(0),
        target: who(1),
        value: U256::from(5),
        gas_limit: U256::ZERO,
        data: Bytes::from_static(data),
    }
}

/// Calldata that makes the stand-in of the passer note the message and log it.
fn passing(w: &Withdrawal) -> Bytes {
    let mut words = [
        MESSAGE_PASSED,
        w.nonce.into(),
        w.sender.into_word(),
        w.target.into_word(),
        w.value.into(),
        w.gas_limit.into(),
        B256::from(U256::from(128)),
        w.hash(),
        B256::from(U256::from(w.data.len())),
    ]
    .concat();
    words.extend_from_slice(&w.data);
    words.resize(words.len().next_multiple_of(32), 0);
    words.into()
}

/// A chain whose first block holds the withdrawal; its transaction.
async fn sent(w: &Withdrawal) -> (Chain, B256) {
    let chain = Chain::rollup().await;
    let tx = TxEip1559 {
        to: TxKind::Call(MESSAGE_PASSER),
        value: U256::ZERO,
        input: passing(w),
        ..plain(L2_ID, 0)
    };
    let hash = chain.send(0, tx).await;
    chain.mine();
    (chain, hash)
}

fn post(chain: &Chain) {
    let batch = BatchInfo {
        first_block: 1,
        last_block: chain.store.head().header.number,
        l1_block: 70,
        ..Default::default()
    };
    chain.store.put_record(batch).unwrap();
    chain.store.set_safe(batch.last_block).unwrap();
}

fn output(chain: &Chain, index: u64) -> OutputInfo {
    let head = chain.store.head();
    let root = primitives::OutputRoot {
        state_root: head.header.state_root,
        withdrawals_root: head.header.withdrawals_root.unwrap(),
        block_hash: head.hash,
    };
    OutputInfo {
        index,
        id: B256::with_last_byte(index as u8),
        parent: 0,
        proposer: Address::ZERO,
        record_count: 1,
        l2_block: head.header.number,
        output_root: root.hash(),
        l1_block: 71,
        asserted_at: 890,
    }
}

fn prove(chain: &Chain, w: &Withdrawal) {
    let number = chain.store.head().header.number;
    let slots = [sent_slot(w.hash())];
    let proof = chain
        .store
        .proof_at(number, MESSAGE_PASSER, &slots, &|| true)
        .unwrap();
    let proof = WithdrawalProof {
        l2_block: number,
        nodes: proof.storage[0].proof.clone(),
    };
    chain
        .store
        .put_withdrawal_proofs(&[(w.hash(), proof)])
        .unwrap();
}

fn note(log: u64, event: L1Event) -> L1Note {
    L1Note {
        l1_block: 75,
        log,
        timestamp: 895,
        l1_tx: B256::repeat_byte(9),
        event,
    }
}

async fn status(chain: &Chain, hash: B256) -> Value {
    chain.call("rollup_withdrawalStatus", json!([hash])).await
}

#[tokio::test]
async fn an_uncovered_withdrawal_says_what_it_waits_for() {
    let w = withdrawal(1, b"");
    let (chain, tx) = sent(&w).await;
    let (code, text, data) = chain.error("rollup_withdrawalProof", json!([tx])).await;
    assert_eq!(code, -32000);
    assert!(
        text.contains("wait for block 1 to be posted to L1"),
        "{text}"
    );
    assert_eq!(data["l2BlockNumber"], 1);
    assert_eq!(status(&chain, tx).await["status"], "waiting-to-prove");

    post(&chain);
    let (_, text, _) = chain.error("rollup_withdrawalProof", json!([tx])).await;
    assert!(
        text.contains("wait for an output root at or above block 1"),
        "{text}"
    );
}

#[tokio::test]
async fn a_covered_withdrawal_has_all_that_the_portal_asks_for() {
    let w = withdrawal(1, b"hello");
    let (chain, tx) = sent(&w).await;
    post(&chain);
    let output = output(&chain, 3);
    chain.store.put_from_l1(&[L1Said::Output(output)]).unwrap();
    prove(&chain, &w);
    for name in [tx, w.hash()] {
        let proof = chain.call("rollup_withdrawalProof", json!([name])).await;
        assert_eq!(proof["withdrawalHash"], json!(w.hash()));
        assert_eq!(proof["withdrawalTransaction"]["data"], "0x68656c6c6f");
        assert_eq!(proof["withdrawalTransaction"]["value"], "0x5");
        assert_eq!(
            (&proof["l2OutputIndex"], &proof["l2BlockNumber"]),
            (&json!(3), &json!(1))
        );
        assert_eq!(proof["assertion"], json!(output.id));
        let head = chain.store.head();
        assert_eq!(
            proof["outputRootProof"]["latestBlockhash"],
            json!(head.hash)
        );
        let first: Bytes = serde_json::from_value(proof["withdrawalProof"][0].clone()).unwrap();
        assert_eq!(
            json!(keccak256(first)),
            proof["outputRootProof"]["messagePasserStorageRoot"]
        );
        // The same as an archive node would say.
        let slots = json!([MESSAGE_PASSER, [proof["storageSlot"]], "0x1"]);
        let slow = chain.call("eth_getProof", slots).await;
        assert_eq!(slow["storageProof"][0]["proof"], proof["withdrawalProof"]);
        assert_eq!(slow["storageProof"][0]["value"], "0x1");
        assert_eq!(status(&chain, name).await["status"], "ready-to-prove");
    }
}

#[tokio::test]
async fn a_status_goes_through_viems_words() {
    let w = withdrawal(1, b"");
    let (chain, _) = sent(&w).await;
    post(&chain);
    let hash = w.hash();
    chain
        .store
        .put_from_l1(&[L1Said::Output(output(&chain, 3))])
        .unwrap();
    prove(&chain, &w);
    let proven = |ready_at| L1Event::Proven {
        by: who(2),
        output: 3,
        ready_at,
    };
    let say = |log, event| {
        let said = [L1Said::About(hash, note(log, event))];
        chain.store.put_from_l1(&said).unwrap();
    };
    say(1, proven(L1_HEAD.timestamp + 100));
    let now = status(&chain, hash).await;
    assert_eq!(
        (&now["status"], &now["secondsLeft"]),
        (&json!("waiting-to-finalize"), &json!(101))
    );
    assert_eq!(now["provenBy"], json!(who(2)));

    say(1, proven(L1_HEAD.timestamp - 1));
    assert_eq!(status(&chain, hash).await["status"], "ready-to-finalize");

    say(2, L1Event::Finalised { succeeded: true });
    let now = status(&chain, hash).await;
    assert_eq!(
        (&now["status"], &now["succeeded"]),
        (&json!("finalized"), &json!(true))
    );
    assert_eq!(now["l1Tx"], json!(B256::repeat_byte(9)));

    // A reorg of L1 takes all of it back.
    chain.store.forget_l1_above(74).unwrap();
    assert_eq!(status(&chain, hash).await["status"], "ready-to-prove");
    chain.store.forget_l1_above(70).unwrap();
    assert_eq!(status(&chain, hash).await["status"], "waiting-to-prove");
}

#[tokio::test]
async fn a_contested_output_is_told_and_another_one_preferred() {
    let w = withdrawal(1, b"");
    let (chain, _) = sent(&w).await;
    post(&chain);
    let hash = w.hash();
    let first = output(&chain, 3);
    prove(&chain, &w);
    let proven = L1Event::Proven {
        by: who(2),
        output: 3,
        ready_at: 1,
    };
    let said = [
        L1Said::Output(first),
        L1Said::About(hash, note(1, proven)),
        L1Said::About(first.id, note(2, L1Event::Contested)),
    ];
    chain.store.put_from_l1(&said).unwrap();
    let now = status(&chain, hash).await;
    assert_eq!(now["status"], "waiting-to-finalize");
    assert!(
        now["waitsFor"].as_str().unwrap().contains("contradiction"),
        "{now}"
    );

    let other = output(&chain, 4);
    chain.store.put_from_l1(&[L1Said::Output(other)]).unwrap();
    let now = status(&chain, hash).await;
    assert_eq!(
        (&now["status"], &now["l2OutputIndex"]),
        (&json!("ready-to-prove"), &json!(4))
    );
}

#[tokio::test]
async fn a_root_that_is_not_ours_covers_nothing() {
    let w = withdrawal(1, b"");
    let (chain, _) = sent(&w).await;
    post(&chain);
    prove(&chain, &w);
    let lie = OutputInfo {
        output_root: B256::repeat_byte(0xbd),
        ..output(&chain, 3)
    };
    chain.store.put_from_l1(&[L1Said::Output(lie)]).unwrap();
    assert_eq!(status(&chain, w.hash()).await["status"], "waiting-to-prove");
}

#[tokio::test]
async fn what_is_no_withdrawal_is_not_found() {
    let (chain, tx) = sent(&withdrawal(1, b"")).await;
    for params in [
        json!([B256::repeat_byte(1)]),
        json!([tx, 1]),
        json!([tx, "0xffffffffffffffff"]),
    ] {
        let (code, text, _) = chain.error("rollup_withdrawalStatus", params).await;
        assert_eq!(code, -32001);
        assert!(text.starts_with("no withdrawal 0x"), "{text}");
    }
    let (code, ..) = chain
        .error("rollup_withdrawalStatus", json!(["0x12"]))
        .await;
    assert_eq!(code, -32602);
}
