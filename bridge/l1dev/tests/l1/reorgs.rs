//! Blocks that are replaced.

use crate::chain::{Chain, blob_tx, packed, plain, raw, whole, with_blobs};
use alloy_primitives::B256;
use config::L1Fork;
use serde_json::json;

fn prague() -> Chain {
    Chain::start(|options| options.fork = L1Fork::Prague)
}

#[tokio::test]
async fn transactions_and_blobs_survive_reorgs_of_every_depth() {
    let chain = prague();
    let sidecar = whole(packed(1, 1));
    let mut nonce = 0;
    for depth in 1..=10 {
        let mut sent = Vec::new();
        let mut blocks = Vec::new();
        for n in 0..depth {
            // Blobs in the first and the last of the blocks that go.
            if n == 0 || n == depth - 1 {
                sent.push(
                    chain
                        .send(with_blobs(0, blob_tx(nonce, &sidecar), &sidecar))
                        .await,
                );
                nonce += 1;
            }
            sent.push(chain.send(raw(0, plain(nonce))).await);
            nonce += 1;
            blocks.push(chain.l1.mine(1).unwrap());
        }
        let height = chain.l1.head().header.number;
        let head = chain.l1.reorg(depth, false).unwrap();
        assert_eq!(head.header.number, height);
        assert_eq!(
            head.header.timestamp,
            blocks.last().unwrap().header.timestamp
        );
        for block in &blocks {
            let now = chain
                .call("eth_getBlockByHash", json!([block.hash, false]))
                .await;
            assert_eq!(now, json!(null), "depth {depth}");
            // Blobs of blocks that are gone can still be had.
            let blobs = block
                .transactions
                .iter()
                .filter(|tx| tx.tx.as_signed().unwrap().is_eip4844())
                .count();
            if blobs > 0 {
                assert_eq!(chain.blob_data(&block.hash.to_string()).await.len(), blobs);
            }
        }
        for hash in sent {
            let receipt = chain.receipt(hash).await;
            assert_eq!(receipt["status"], "0x1", "depth {depth}: {hash}");
            let block: B256 = serde_json::from_value(receipt["blockHash"].clone()).unwrap();
            assert!(blocks.iter().all(|old| old.hash != block));
            if receipt["type"] == "0x3" {
                assert!(!chain.blob_data(&block.to_string()).await.is_empty());
            }
        }
    }
}

#[tokio::test]
async fn dropped_transactions_are_forgotten() {
    let chain = prague();
    let sidecar = whole(packed(1, 1));
    let hash = chain
        .send(with_blobs(0, blob_tx(0, &sidecar), &sidecar))
        .await;
    let old = chain.l1.mine(1).unwrap();
    let new = chain.l1.reorg(1, true).unwrap();
    assert_ne!(old.hash, new.hash);
    assert_eq!(new.transactions.len(), 0);
    assert_eq!(
        chain.call("eth_getTransactionByHash", json!([hash])).await,
        json!(null)
    );
    assert_eq!(
        chain
            .call(
                "eth_getTransactionCount",
                json!([crate::chain::who(0), "pending"])
            )
            .await,
        "0x0"
    );
    // A client that has not noticed asks by number and versioned hash.
    let versioned_hash = sidecar.versioned_hashes().next().unwrap();
    assert_eq!(
        chain
            .blob_data(&format!("1?versioned_hashes={versioned_hash}"))
            .await
            .len(),
        1
    );
    assert_eq!(chain.blob_data("1").await.len(), 0);
    // It can be sent again.
    chain
        .send(with_blobs(0, blob_tx(0, &sidecar), &sidecar))
        .await;
    assert_eq!(chain.l1.mine(1).unwrap().transactions.len(), 1);
}

#[tokio::test]
async fn a_reorg_is_asked_for_over_rpc() {
    let chain = prague();
    chain.l1.mine(5).unwrap();
    let old = chain.l1.head();
    chain.call("anvil_reorg", json!([3, []])).await;
    let new = chain.l1.head();
    assert_eq!(
        (new.header.number, new.header.timestamp),
        (5, old.header.timestamp)
    );
    assert_ne!(new.hash, old.hash);
    chain.call("anvil_reorg", json!(["0x3"])).await;
    assert!(![old.hash, new.hash].contains(&chain.l1.head().hash));
    let error = chain
        .try_call("anvil_reorg", json!([6, []]))
        .await
        .unwrap_err();
    assert_eq!(error, "cannot replace 6 blocks of 5");
    assert!(
        chain
            .try_call("anvil_reorg", json!([1, [["0x00", 0]]]))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn tags_follow_the_head_and_stay_where_a_reorg_left_them() {
    let chain = prague();
    let tags = async || {
        let mut tags = Vec::new();
        for tag in ["finalized", "safe", "latest"] {
            tags.push(chain.number(tag).await);
        }
        tags
    };
    assert_eq!(tags().await, [0, 0, 0]);
    chain.l1.mine(3).unwrap();
    assert_eq!(tags().await, [0, 1, 3]);
    chain.l1.mine(7).unwrap();
    assert_eq!(tags().await, [6, 8, 10]);
    chain.l1.reorg(1, false).unwrap();
    assert_eq!(tags().await, [6, 8, 10]);
    chain.l1.reorg(9, false).unwrap();
    assert_eq!(tags().await, [6, 8, 10]);
    chain.l1.mine(1).unwrap();
    assert_eq!(tags().await, [7, 9, 11]);
}
