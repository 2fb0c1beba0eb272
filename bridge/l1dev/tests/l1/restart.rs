//! What a restart in the same folder finds.

use crate::chain::{Chain, START_S, blob_tx, packed, plain, raw, whole, with_blobs};
use config::L1Fork;
use serde_json::json;

#[tokio::test]
async fn the_chain_goes_on() {
    let dir = std::env::temp_dir().join(format!("l1dev-restart-{}", std::process::id()));
    let start = || {
        Chain::start(|options| {
            options.dir = Some(dir.clone());
            options.fork = L1Fork::Prague;
        })
    };
    let chain = start();
    let sidecar = whole(packed(1, 2));
    let sent = [
        chain
            .send(with_blobs(0, blob_tx(0, &sidecar), &sidecar))
            .await,
        chain.send(raw(1, plain(0))).await,
    ];
    chain.l1.mine(4).unwrap();
    chain.l1.increase_time(1_000).unwrap();
    chain.l1.mine(3).unwrap();
    let replaced = chain.l1.head();
    chain.l1.reorg(2, false).unwrap();
    let head = chain.l1.head();
    let blobs = chain.blob_data("1").await;
    chain.l1.stop();

    let chain = start();
    assert_eq!(chain.l1.head(), head);
    assert_eq!(
        (chain.number("finalized").await, chain.number("safe").await),
        (3, 5)
    );
    for hash in sent {
        assert_eq!(chain.receipt(hash).await["blockNumber"], "0x1");
    }
    assert_eq!(chain.blob_data("1").await, blobs);
    assert_eq!(blobs.len(), 2);
    // Time and randomness go on: no block comes back that was replaced.
    assert!(chain.l1.mine(1).unwrap().header.timestamp >= START_S + 1_000);
    chain.l1.reorg(1, false).unwrap();
    chain.l1.reorg(3, false).unwrap();
    let again = chain
        .call("eth_getBlockByNumber", json!(["0x7", false]))
        .await;
    assert!(again["hash"] != json!(replaced.hash) && again["hash"] != json!(head.hash));
    chain.l1.stop();
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn a_folder_of_another_chain_is_refused() {
    let dir = std::env::temp_dir().join(format!("l1dev-other-{}", std::process::id()));
    Chain::start(|options| options.dir = Some(dir.clone()))
        .l1
        .stop();
    let options = l1dev::Options {
        dir: Some(dir.clone()),
        gas_limit: 1_000_000,
        ..l1dev::Options::temporary(crate::chain::ID, std::sync::Arc::new(|| 0))
    };
    let error = l1dev::start(options).err().unwrap().to_string();
    assert!(error.contains("holds the chain with genesis"), "{error}");
    std::fs::remove_dir_all(dir).unwrap();
}
