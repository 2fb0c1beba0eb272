//! Balances, nonces, code, storage and proofs at every kind of block name.

use crate::chain::{Chain, KEEPER, L2_ID, RICH, TELLER, hex, plain, who};
use alloy_primitives::{B256, Bytes, TxKind, U256};
use serde_json::json;

#[tokio::test]
async fn balances_are_those_of_the_named_block() {
    let chain = Chain::rollup().await;
    let to = format!("{:?}", alloy_primitives::Address::repeat_byte(0xbb));
    chain.send(0, plain(L2_ID, 0)).await;
    let block = chain.mine();
    let at = |block: serde_json::Value| {
        let (chain, to) = (&chain, &to);
        async move { chain.call("eth_getBalance", json!([to, block])).await }
    };
    for (block, want) in [
        (json!("latest"), "0x1"),
        (json!("pending"), "0x1"),
        (json!("earliest"), "0x0"),
        (json!("safe"), "0x0"),
        (json!("finalized"), "0x0"),
        (json!("0x0"), "0x0"),
        (json!("0x1"), "0x1"),
        (json!({"blockNumber":"0x1"}), "0x1"),
        (json!({"blockHash": hex(block.hash)}), "0x1"),
        (
            json!({"blockHash": hex(block.hash), "requireCanonical": true}),
            "0x1",
        ),
    ] {
        assert_eq!(at(block.clone()).await, want, "{block}");
    }
    assert_eq!(
        chain.call("eth_getBalance", json!([to])).await,
        "0x1",
        "without a block it is the head"
    );
}

#[tokio::test]
async fn a_block_that_is_not_there_has_no_balances() {
    let chain = Chain::rollup().await;
    for block in [json!("0x5"), json!({"blockHash": hex([7u8; 32])})] {
        let (code, text, _) = chain.error("eth_getBalance", json!([who(0), block])).await;
        assert_eq!((code, text.as_str()), (-32001, "header not found"));
    }
}

#[tokio::test]
async fn pending_nonces_count_the_pool() {
    let chain = Chain::rollup().await;
    let nonce = |block: &'static str| {
        let chain = &chain;
        async move {
            chain
                .call("eth_getTransactionCount", json!([who(0), block]))
                .await
        }
    };
    chain.send(0, plain(L2_ID, 0)).await;
    chain.send(0, plain(L2_ID, 1)).await;
    chain.send(0, plain(L2_ID, 7)).await;
    assert_eq!(nonce("latest").await, "0x0");
    assert_eq!(
        nonce("pending").await,
        "0x2",
        "the one behind the gap does not count"
    );
    chain.mine();
    assert_eq!(nonce("latest").await, "0x2");
    assert_eq!(nonce("pending").await, "0x2");
    assert_eq!(nonce("earliest").await, "0x0");
}

#[tokio::test]
async fn code_and_storage_are_read() {
    let chain = Chain::rollup().await;
    assert_eq!(
        chain.call("eth_getCode", json!([KEEPER, "latest"])).await,
        "0x5f355f5500"
    );
    assert_eq!(
        chain.call("eth_getCode", json!([who(0), "latest"])).await,
        "0x"
    );
    let input = Bytes::from(U256::from(0x2a).to_be_bytes_vec());
    chain
        .send(
            0,
            alloy_consensus::TxEip1559 {
                to: TxKind::Call(KEEPER),
                value: U256::ZERO,
                input,
                ..plain(L2_ID, 0)
            },
        )
        .await;
    chain.mine();
    for slot in [
        "0x0",
        "0x00",
        "0x0000000000000000000000000000000000000000000000000000000000000000",
    ] {
        let word = chain
            .call("eth_getStorageAt", json!([KEEPER, slot, "latest"]))
            .await;
        assert_eq!(
            word, "0x000000000000000000000000000000000000000000000000000000000000002a",
            "{slot}"
        );
    }
    let past = chain
        .call("eth_getStorageAt", json!([KEEPER, "0x0", "0x0"]))
        .await;
    assert_eq!(
        past,
        "0x0000000000000000000000000000000000000000000000000000000000000000"
    );
}

#[tokio::test]
async fn a_proof_ends_in_the_account_and_starts_at_the_root() {
    let chain = Chain::rollup().await;
    chain.mine();
    let block = chain.mine();
    let word = hex([0; 32]);
    for number in ["0x1", "latest"] {
        let proof = chain
            .call(
                "eth_getProof",
                json!([who(0), ["0x00", "0x1", word], number]),
            )
            .await;
        assert_eq!(proof["balance"], format!("{RICH:#x}"));
        assert_eq!(proof["nonce"], "0x0");
        // As 32 bytes, or else as a quantity.
        let keys: Vec<_> = (0..3).map(|n| &proof["storageProof"][n]["key"]).collect();
        assert_eq!(keys, ["0x0", "0x1", word.as_str()]);
        assert_eq!(proof["storageProof"][1]["value"], "0x0");
        let root: Bytes = serde_json::from_value(proof["accountProof"][0].clone()).unwrap();
        assert!(number != "latest" || alloy_primitives::keccak256(root) == block.header.state_root);
    }
}

#[tokio::test]
async fn a_proof_of_what_is_not_there_is_empty() {
    let chain = Chain::rollup().await;
    let proof = chain
        .call("eth_getProof", json!([hex([9u8; 20]), [], "latest"]))
        .await;
    assert_eq!(proof["balance"], "0x0");
    assert_eq!(
        proof["codeHash"],
        "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    );
    assert_eq!(
        proof["storageHash"],
        "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
    );
}

#[tokio::test]
async fn too_many_slots_are_refused() {
    let chain = Chain::rollup().await;
    let (code, _, _) = chain
        .error("eth_getProof", json!([TELLER, vec!["0x0"; 1025], "latest"]))
        .await;
    assert_eq!(code, -32602);
}

#[tokio::test]
async fn many_slots_are_read_at_once() {
    let chain = Chain::rollup().await;
    let request = json!({KEEPER.to_string(): [B256::ZERO, B256::with_last_byte(1)], TELLER.to_string(): ["0x0"]});
    let zero = json!(B256::ZERO);
    let values = chain
        .call("eth_getStorageValues", json!([request, "latest"]))
        .await;
    assert_eq!(
        values,
        json!({hex(KEEPER): [zero, zero], hex(TELLER): [zero]})
    );
    let (code, text, _) = chain.error("eth_getStorageValues", json!([{}])).await;
    assert_eq!((code, text.as_str()), (-32602, "empty request"));
    let many = json!({KEEPER.to_string(): vec![B256::ZERO; 1025]});
    let (code, text, _) = chain.error("eth_getStorageValues", json!([many])).await;
    assert_eq!((code, text.as_str()), (-38026, "too many slots (max 1024)"));
}

#[tokio::test]
async fn a_proof_of_every_block_that_is_kept_leads_to_its_root() {
    let chain = Chain::rollup().await;
    let mut made = vec![chain.store.head()];
    for nonce in 0..4 {
        chain
            .send(0, crate::chain::plain(chain.chain_id, nonce))
            .await;
        made.push(chain.mine());
        if nonce == 1 {
            chain.store.flush().unwrap();
        }
    }
    // More slots than are cut from the newest trie while blocks wait.
    let slots: Vec<String> = (0..40).map(|n| format!("{n:#x}")).collect();
    for block in &made {
        for slots in [json!([]), json!(slots)] {
            let number = format!("{:#x}", block.header.number);
            let proof = chain
                .call("eth_getProof", json!([who(0), slots, number]))
                .await;
            let root: Bytes = serde_json::from_value(proof["accountProof"][0].clone()).unwrap();
            assert_eq!(
                alloy_primitives::keccak256(root),
                block.header.state_root,
                "{number}"
            );
            assert_eq!(proof["nonce"], number, "one transaction a block");
        }
    }
}
