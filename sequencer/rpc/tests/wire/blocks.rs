//! Blocks by name, with hashes or whole transactions.

use crate::chain::{Chain, GWEI, L2_ID, hex, number, plain};
use serde_json::{Value, json};

#[tokio::test]
async fn a_block_is_the_same_by_number_and_hash() {
    let chain = Chain::rollup().await;
    let hash = chain.send(0, plain(L2_ID, 0)).await;
    let sealed = chain.mine();
    let block = chain
        .call("eth_getBlockByNumber", json!(["0x1", false]))
        .await;
    assert_eq!(
        block,
        chain
            .call("eth_getBlockByHash", json!([hex(sealed.hash), false]))
            .await
    );
    assert_eq!(block["hash"], hex(sealed.hash));
    assert_eq!(block["transactions"], json!([hex(hash)]));
    assert_eq!(block["nonce"], "0x0000000000000000");
    assert_eq!(
        (&block["uncles"], &block["withdrawals"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(
        block["baseFeePerGas"],
        format!("{:#x}", sealed.header.base_fee_per_gas.unwrap())
    );
    assert!(block.get("totalDifficulty").is_none());
}

#[tokio::test]
async fn the_hash_can_be_computed_from_the_json() {
    for chain in [Chain::rollup().await, Chain::ethereum().await] {
        chain.send(0, plain(chain.chain_id, 0)).await;
        let sealed = chain.mine();
        let block = chain
            .call("eth_getBlockByNumber", json!(["latest", false]))
            .await;
        // alloy reads what geth writes.
        let header: alloy_rpc_types_eth::Header = serde_json::from_value(block.clone()).unwrap();
        assert_eq!(header.inner, sealed.header);
        assert_eq!(header.inner.hash_slow(), sealed.hash);
    }
}

#[tokio::test]
async fn the_size_is_that_of_the_encoding() {
    let chain = Chain::ethereum().await;
    for nonce in 0..5 {
        chain.send(0, plain(chain.chain_id, nonce)).await;
    }
    let sealed = chain.mine();
    let body = alloy_consensus::BlockBody {
        transactions: sealed
            .transactions
            .iter()
            .map(|tx| tx.tx.as_signed().unwrap().clone())
            .collect(),
        ommers: Vec::new(),
        withdrawals: Some(Default::default()),
    };
    let encoded = alloy_rlp::encode(alloy_consensus::Block::new(sealed.header.clone(), body));
    let block = chain
        .call("eth_getBlockByNumber", json!(["latest", false]))
        .await;
    assert_eq!(number(&block["size"]), encoded.len() as u64);
}

#[tokio::test]
async fn whole_transactions_equal_those_asked_for_one_by_one() {
    let chain = Chain::rollup().await;
    let hash = chain.send(0, plain(L2_ID, 0)).await;
    chain.mine();
    let block = chain
        .call("eth_getBlockByNumber", json!(["0x1", true]))
        .await;
    let alone = chain.call("eth_getTransactionByHash", json!([hash])).await;
    assert_eq!(block["transactions"], json!([alone]));
    let header: alloy_rpc_types_eth::Block = serde_json::from_value(block).unwrap();
    assert_eq!(header.transactions.len(), 1);
}

#[tokio::test]
async fn tags_name_blocks_in_their_order() {
    let chain = Chain::rollup().await;
    for _ in 0..4 {
        chain.mine();
    }
    chain.store.set_safe(3).unwrap();
    chain.store.set_finalized(2).unwrap();
    for (tag, want) in [
        ("earliest", 0),
        ("finalized", 2),
        ("safe", 3),
        ("latest", 4),
        ("pending", 5),
    ] {
        let block = chain
            .call("eth_getBlockByNumber", json!([tag, false]))
            .await;
        assert_eq!(number(&block["number"]), want, "{tag}");
    }
}

#[tokio::test]
async fn a_pending_block_is_not_null_and_has_no_hash() {
    let chain = Chain::rollup().await;
    let head = chain.mine();
    let block = chain
        .call("eth_getBlockByNumber", json!(["pending", true]))
        .await;
    assert_eq!(block["parentHash"], hex(head.hash));
    for field in ["hash", "nonce", "miner"] {
        assert_eq!(block[field], Value::Null, "{field}");
    }
    assert!(
        number(&block["baseFeePerGas"]) < GWEI as u64,
        "an empty block lowers the fee"
    );
}

#[tokio::test]
async fn what_is_not_there_is_null() {
    let chain = Chain::rollup().await;
    for (method, params) in [
        ("eth_getBlockByNumber", json!(["0x9", false])),
        ("eth_getBlockByHash", json!([hex([1u8; 32]), true])),
        ("eth_getHeaderByNumber", json!(["0x9"])),
        ("eth_getHeaderByHash", json!([hex([1u8; 32])])),
        ("eth_getBlockTransactionCountByNumber", json!(["0x9"])),
        (
            "eth_getBlockTransactionCountByHash",
            json!([hex([1u8; 32])]),
        ),
        ("eth_getUncleCountByBlockNumber", json!(["0x9"])),
        ("eth_getUncleCountByBlockHash", json!([hex([1u8; 32])])),
        ("eth_getUncleByBlockNumberAndIndex", json!(["0x0", "0x0"])),
        (
            "eth_getUncleByBlockHashAndIndex",
            json!([hex([1u8; 32]), "0x0"]),
        ),
        ("eth_getBlockReceipts", json!(["0x9"])),
        ("eth_getBlockReceipts", json!(["pending"])),
    ] {
        assert_eq!(chain.call(method, params).await, Value::Null, "{method}");
    }
}

#[tokio::test]
async fn counts_count() {
    let chain = Chain::rollup().await;
    chain.send(0, plain(L2_ID, 0)).await;
    chain.send(1, plain(L2_ID, 0)).await;
    let block = chain.mine();
    assert_eq!(
        chain
            .call("eth_getBlockTransactionCountByNumber", json!(["0x1"]))
            .await,
        "0x2"
    );
    assert_eq!(
        chain
            .call("eth_getBlockTransactionCountByNumber", json!(["pending"]))
            .await,
        "0x0"
    );
    assert_eq!(
        chain
            .call("eth_getBlockTransactionCountByHash", json!([block.hash]))
            .await,
        "0x2"
    );
    assert_eq!(
        chain
            .call("eth_getUncleCountByBlockNumber", json!(["0x1"]))
            .await,
        "0x0"
    );
    assert_eq!(
        chain
            .call("eth_getUncleCountByBlockHash", json!([block.hash]))
            .await,
        "0x0"
    );
}

#[tokio::test]
async fn the_raw_header_hashes_to_the_block() {
    let chain = Chain::rollup().await;
    let block = chain.mine();
    let raw = chain.call("debug_getRawHeader", json!(["latest"])).await;
    let raw: alloy_primitives::Bytes = serde_json::from_value(raw).unwrap();
    assert_eq!(alloy_primitives::keccak256(raw), block.hash);
    assert_eq!(
        chain.call("eth_getHeaderByNumber", json!(["latest"])).await["hash"],
        hex(block.hash)
    );
    assert_eq!(
        chain.call("eth_getHeaderByHash", json!([block.hash])).await["number"],
        "0x1"
    );
}
