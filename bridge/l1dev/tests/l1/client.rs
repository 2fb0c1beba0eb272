//! The project's own L1 client before the embedded L1.

use crate::chain::{Chain, ID, blob_tx, cells, packed, plain, raw, who, with_blobs};
use alloy_primitives::{B256, Bytes, U256};
use l1::{Client, L1Error, L1Ref};
use std::sync::Arc;

fn client(chain: &Chain) -> Client {
    let network = config::Network::parse(include_str!("../../../../config/dev.toml")).unwrap();
    Client::new(&chain.l1.url(), None, Arc::new(network)).unwrap()
}

fn at(block: &primitives::SealedBlock) -> L1Ref {
    L1Ref {
        number: block.header.number,
        hash: block.hash,
        timestamp: block.header.timestamp,
    }
}

#[tokio::test]
async fn heads_headers_and_balances_are_read() {
    let chain = Chain::manual();
    let client = client(&chain);
    chain.l1.mine(9).unwrap();
    assert_eq!(client.chain_id().await.unwrap(), ID);
    let heads = client.heads().await.unwrap();
    assert_eq!((heads.latest, heads.finalized), (at(&chain.l1.head()), 5));
    let safe = client.header(7).await.unwrap().unwrap();
    assert_eq!(
        heads.safe.map(|safe| (safe.number, safe.hash)),
        Some((7, safe.hash_slow()))
    );
    let headers = client.headers(1, 9).await.unwrap();
    // The client hashes what it gets: every field has arrived.
    assert_eq!(headers.last(), Some(&chain.l1.head().header));
    assert!(
        headers
            .windows(2)
            .all(|pair| pair[1].parent_hash == pair[0].hash_slow())
    );
    assert_eq!(
        client.balance(who(0)).await.unwrap(),
        U256::from(10u128.pow(24))
    );
}

#[tokio::test]
async fn what_is_sent_has_a_receipt() {
    let chain = Chain::manual();
    let client = client(&chain);
    let raw = raw(0, plain(0));
    client.send(&raw).await.unwrap();
    client.send(&raw).await.unwrap();
    chain.l1.mine(1).unwrap();
    let receipt = client
        .receipt(alloy_primitives::keccak256(&raw))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((receipt.block_number, receipt.status()), (Some(1), true));
    assert_eq!(client.nonce(who(0)).await.unwrap(), 1);
}

#[tokio::test]
async fn blobs_are_fetched_and_checked() {
    let chain = Chain::manual();
    let client = client(&chain);
    let blobs = packed(4, 2);
    let bytes: Vec<Bytes> = blobs
        .iter()
        .map(|blob| Bytes::copy_from_slice(blob.as_slice()))
        .collect();
    let sidecar = cells(blobs);
    let hashes: Vec<B256> = sidecar.versioned_hashes().collect();
    client
        .send(&with_blobs(0, blob_tx(0, &sidecar), &sidecar))
        .await
        .unwrap();
    let block = chain.l1.mine(1).unwrap();
    assert_eq!(client.blobs(at(&block), &hashes).await.unwrap(), bytes);
    let missing = client.blobs(at(&block), &[B256::repeat_byte(1)]).await;
    assert!(matches!(missing, Err(L1Error::BlobMissing(..))));
}
