//! Bytes of blocks, receipts and transactions.

use crate::chain::{Chain, EMITTER, L1_ID, hex, plain};
use alloy_consensus::{Block, TxEip1559, TxEnvelope, TxLegacy};
use alloy_primitives::{B256, TxKind, U256, hex, keccak256};
use alloy_rlp::Decodable;
use serde_json::{Value, json};

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_raw_block_decodes_to_the_block() {
    let chain = Chain::ethereum().await;
    let legacy = TxLegacy {
        chain_id: Some(L1_ID),
        gas_price: 3_000_000_000,
        gas_limit: 50_000,
        to: TxKind::Call(EMITTER),
        ..Default::default()
    };
    chain.send(0, legacy).await;
    let emit = TxEip1559 {
        to: TxKind::Call(EMITTER),
        value: U256::ZERO,
        input: B256::repeat_byte(1).0.into(),
        ..plain(L1_ID, 1)
    };
    let hash = chain.send(0, emit).await;
    let made = chain.mine();

    let raw = bytes(&chain.call("debug_getRawBlock", json!(["latest"])).await);
    let block = Block::<TxEnvelope>::decode(&mut raw.as_slice()).unwrap();
    assert_eq!(block.header, made.header);
    assert_eq!(block.body.transactions.len(), 2);
    assert_eq!(*block.body.transactions[1].tx_hash(), hash);
    let shown = chain
        .call("eth_getBlockByNumber", json!(["latest", false]))
        .await;
    assert_eq!(shown["size"], format!("{:#x}", raw.len()));

    let header = bytes(&chain.call("debug_getRawHeader", json!([made.hash])).await);
    assert_eq!(keccak256(header), made.hash);

    let tx = bytes(&chain.call("debug_getRawTransaction", json!([hash])).await);
    assert_eq!(keccak256(tx), hash);

    let receipts = chain.call("debug_getRawReceipts", json!(["latest"])).await;
    let receipts: Vec<Vec<u8>> = receipts.as_array().unwrap().iter().map(bytes).collect();
    assert_eq!(
        trie::ordered_root(&receipts),
        made.header.receipts_root,
        "their trie is the header's"
    );
}

#[tokio::test]
async fn waiting_transactions_have_bytes_and_unknown_ones_none() {
    let chain = Chain::rollup().await;
    let hash = chain.send(0, plain(chain.chain_id, 0)).await;
    let raw = chain.call("debug_getRawTransaction", json!([hash])).await;
    assert_eq!(keccak256(bytes(&raw)), hash);
    assert_eq!(
        chain
            .call("debug_getRawTransaction", json!([hex([7u8; 32])]))
            .await,
        Value::Null
    );
    for method in [
        "debug_getRawHeader",
        "debug_getRawBlock",
        "debug_getRawReceipts",
    ] {
        let (code, text, _) = chain.error(method, json!(["0x99"])).await;
        assert_eq!((code, text.as_str()), (-32000, "block #153 not found"));
    }
    let bare = "1".repeat(64);
    let (code, _, _) = chain.error("debug_getRawTransaction", json!([bare])).await;
    assert_eq!(code, -32602, "a hash has its prefix");
    assert_eq!(chain.call("debug_getBadBlocks", json!([])).await, json!([]));
}
