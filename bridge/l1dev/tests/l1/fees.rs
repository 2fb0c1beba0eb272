//! The blob fee market.

use crate::chain::{Chain, blob_tx, number, packed, whole, with_blobs};
use config::{BlobParams, L1Fork};
use serde_json::json;

const GAS_PER_BLOB: u64 = 1 << 17;

/// One blob is the target, two the most, and the price moves quickly.
fn narrow() -> Chain {
    Chain::start(|options| {
        options.fork = L1Fork::Prague;
        options.blob_schedule = vec![BlobParams {
            from_s: 0,
            target: 1,
            max: 2,
            update_fraction: 200_000,
        }];
    })
}

#[tokio::test]
async fn a_block_holds_no_more_blobs_than_the_schedule_says() {
    let chain = narrow();
    let sidecar = whole(packed(1, 1));
    for n in 0..3 {
        chain
            .send(with_blobs(n, blob_tx(0, &sidecar), &sidecar))
            .await;
    }
    let block = chain.l1.mine(1).unwrap();
    assert_eq!(
        (block.transactions.len(), block.header.blob_gas_used),
        (2, Some(2 * GAS_PER_BLOB))
    );
    let block = chain.l1.mine(1).unwrap();
    assert_eq!(
        (block.transactions.len(), block.header.excess_blob_gas),
        (1, Some(GAS_PER_BLOB))
    );
    let error = {
        let sidecar = whole(packed(1, 3));
        chain
            .try_send(with_blobs(0, blob_tx(1, &sidecar), &sidecar))
            .await
            .unwrap_err()
    };
    assert_eq!(error, "too many blobs in transaction: have 3, permitted 2");
}

#[tokio::test]
async fn a_blob_waits_until_its_price_is_met() {
    let chain = narrow();
    let sidecar = whole(packed(1, 2));
    for nonce in 0..3 {
        chain
            .send(with_blobs(0, blob_tx(nonce, &sidecar), &sidecar))
            .await;
        chain.l1.mine(1).unwrap();
    }
    assert!(number(&chain.call("eth_blobBaseFee", json!([])).await) > 1);
    let mut cheap = blob_tx(0, &sidecar);
    cheap.max_fee_per_blob_gas = 1;
    let hash = chain.send(with_blobs(1, cheap, &sidecar)).await;
    assert_eq!(chain.l1.mine(1).unwrap().transactions.len(), 0);
    // Empty blocks bring the price down.
    chain.l1.mine(3).unwrap();
    assert_eq!(chain.receipt(hash).await["blobGasPrice"], "0x1");
}

#[tokio::test]
async fn blob_gas_counts_towards_what_the_sender_must_own() {
    let chain = narrow();
    let sidecar = whole(packed(1, 1));
    let mut tx = blob_tx(0, &sidecar);
    tx.max_fee_per_blob_gas = 10u128.pow(24);
    let error = chain
        .try_send(with_blobs(0, tx, &sidecar))
        .await
        .unwrap_err();
    assert!(
        error.starts_with("insufficient funds for gas * price + value"),
        "{error}"
    );
}
