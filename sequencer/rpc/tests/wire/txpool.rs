//! What waits.

use crate::chain::{Chain, GWEI, L2_ID, plain, who};
use serde_json::json;

#[tokio::test]
async fn the_pool_is_shown_by_sender_and_nonce() {
    let chain = Chain::rollup().await;
    chain.send(0, plain(L2_ID, 0)).await;
    let gap = chain.send(0, plain(L2_ID, 5)).await;
    chain.send(1, plain(L2_ID, 0)).await;
    assert_eq!(
        chain.call("txpool_status", json!([])).await,
        json!({"pending": "0x2", "queued": "0x1"})
    );
    let content = chain.call("txpool_content", json!([])).await;
    let sender = who(0).to_checksum(None);
    assert_eq!(content["queued"][&sender]["5"]["hash"], json!(gap));
    assert_eq!(content["pending"].as_object().unwrap().len(), 2);
    let from = chain.call("txpool_contentFrom", json!([who(0)])).await;
    assert_eq!(
        from,
        json!({"pending": content["pending"][&sender], "queued": content["queued"][&sender]})
    );
    let nobody = chain.call("txpool_contentFrom", json!([who(3)])).await;
    assert_eq!(nobody, json!({"pending": {}, "queued": {}}));
    let inspect = chain.call("txpool_inspect", json!([])).await;
    let line = format!(
        "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB: 1 wei + 200000 gas × {} wei",
        10 * GWEI
    );
    assert_eq!(inspect["pending"][&sender]["0"], line);
}
