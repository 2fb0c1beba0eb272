//! Transactions and receipts of every type.

use crate::chain::{
    Chain, EMITTER, GWEI, L1_ID, L2_ID, deposit, hex, number, plain, raw, sign, signer, who,
};
use alloy_consensus::{TxEip2930, TxEip7702, TxLegacy};
use alloy_eips::{
    eip2930::{AccessList, AccessListItem},
    eip7702::Authorization,
};
use alloy_primitives::{Address, B256, TxKind, U256};
use alloy_signer::SignerSync;
use serde_json::{Value, json};

fn access_list() -> AccessList {
    AccessList(vec![AccessListItem {
        address: EMITTER,
        storage_keys: vec![B256::ZERO],
    }])
}

async fn mined(chain: &Chain, hash: B256) -> (Value, Value) {
    chain.mine();
    let tx = chain.call("eth_getTransactionByHash", json!([hash])).await;
    let receipt = chain.call("eth_getTransactionReceipt", json!([hash])).await;
    // What alloy's clients understand, everyone's do.
    serde_json::from_value::<alloy_rpc_types_eth::Transaction>(tx.clone()).unwrap();
    serde_json::from_value::<alloy_rpc_types_eth::TransactionReceipt>(receipt.clone()).unwrap();
    (tx, receipt)
}

#[tokio::test]
async fn legacy_has_v_with_the_chain_id() {
    let chain = Chain::rollup().await;
    let tx = TxLegacy {
        chain_id: Some(L2_ID),
        gas_price: 2 * GWEI,
        gas_limit: 21_000,
        to: TxKind::Call(who(1)),
        ..Default::default()
    };
    let hash = chain.send(0, tx).await;
    let (tx, receipt) = mined(&chain, hash).await;
    assert_eq!(
        (&tx["type"], &receipt["type"]),
        (&json!("0x0"), &json!("0x0"))
    );
    assert!([L2_ID * 2 + 35, L2_ID * 2 + 36].contains(&number(&tx["v"])));
    for absent in [
        "yParity",
        "accessList",
        "maxFeePerGas",
        "authorizationList",
        "sourceHash",
        "mint",
    ] {
        assert!(tx.get(absent).is_none(), "{absent}");
    }
    assert_eq!(receipt["effectiveGasPrice"], format!("{:#x}", 2 * GWEI));
    assert_eq!(receipt["gasUsed"], "0x5208");
}

#[tokio::test]
async fn access_lists_show() {
    let chain = Chain::rollup().await;
    let tx = TxEip2930 {
        chain_id: L2_ID,
        gas_price: 2 * GWEI,
        gas_limit: 50_000,
        to: TxKind::Call(EMITTER),
        access_list: access_list(),
        ..Default::default()
    };
    let hash = chain.send(0, tx).await;
    let (tx, _) = mined(&chain, hash).await;
    assert_eq!(tx["type"], "0x1");
    assert_eq!(
        tx["accessList"],
        serde_json::to_value(access_list()).unwrap()
    );
    assert_eq!(tx["v"], tx["yParity"]);
}

#[tokio::test]
async fn dynamic_fees_show_the_price_that_was_paid() {
    let chain = Chain::rollup().await;
    let hash = chain.send(0, plain(L2_ID, 0)).await;
    let pending = chain.call("eth_getTransactionByHash", json!([hash])).await;
    assert_eq!(pending["gasPrice"], format!("{:#x}", 10 * GWEI));
    for field in [
        "blockHash",
        "blockNumber",
        "transactionIndex",
        "blockTimestamp",
    ] {
        assert_eq!(pending[field], Value::Null, "{field}");
    }
    assert_eq!(
        chain.call("eth_getTransactionReceipt", json!([hash])).await,
        Value::Null
    );
    let (tx, receipt) = mined(&chain, hash).await;
    let base_fee = u128::from(chain.store.head().header.base_fee_per_gas.unwrap());
    assert_eq!(tx["gasPrice"], format!("{:#x}", base_fee + GWEI));
    assert_eq!(receipt["effectiveGasPrice"], tx["gasPrice"]);
    assert_eq!(
        (&tx["maxFeePerGas"], &tx["maxPriorityFeePerGas"]),
        (&json!("0x2540be400"), &json!("0x3b9aca00"))
    );
    assert_eq!(
        (&receipt["status"], &receipt["contractAddress"]),
        (&json!("0x1"), &Value::Null)
    );
}

#[tokio::test]
async fn authorizations_show() {
    let chain = Chain::rollup().await;
    let authorization = Authorization {
        chain_id: U256::from(L2_ID),
        address: EMITTER,
        nonce: 0,
    };
    let signature = signer(2)
        .sign_hash_sync(&authorization.signature_hash())
        .unwrap();
    let tx = TxEip7702 {
        chain_id: L2_ID,
        gas_limit: 200_000,
        max_fee_per_gas: 10 * GWEI,
        max_priority_fee_per_gas: 0,
        to: who(2),
        authorization_list: vec![authorization.into_signed(signature)],
        ..Default::default()
    };
    let hash = chain.send(0, tx).await;
    let (tx, receipt) = mined(&chain, hash).await;
    assert_eq!(
        (&tx["type"], &receipt["type"]),
        (&json!("0x4"), &json!("0x4"))
    );
    assert_eq!(
        tx["authorizationList"][0]["address"],
        format!("{EMITTER:?}")
    );
    let code = chain.call("eth_getCode", json!([who(2), "latest"])).await;
    assert_eq!(
        code,
        format!("0xef0100{}", hex(EMITTER).trim_start_matches("0x"))
    );
}

#[tokio::test]
async fn a_creation_names_its_contract() {
    let chain = Chain::rollup().await;
    // Deploys the one-byte runtime `00`.
    let create = alloy_consensus::TxEip1559 {
        to: TxKind::Create,
        value: U256::ZERO,
        input: alloy_primitives::bytes!("60015f5360015ff3"),
        ..plain(L2_ID, 0)
    };
    let hash = chain.send(0, create).await;
    let (tx, receipt) = mined(&chain, hash).await;
    assert_eq!((&tx["to"], &receipt["to"]), (&Value::Null, &Value::Null));
    let at: Address = serde_json::from_value(receipt["contractAddress"].clone()).unwrap();
    assert_eq!(at, who(0).create(0));
    assert_eq!(
        chain.call("eth_getCode", json!([at, "latest"])).await,
        "0x01"
    );
}

#[tokio::test]
async fn deposits_look_as_they_do_on_op() {
    let chain = Chain::rollup().await;
    let from = Address::repeat_byte(0x77);
    chain.mine_with(&[deposit(from)]);
    let create = primitives::QueueEntry {
        is_creation: true,
        to: Address::ZERO,
        ..deposit(from)
    };
    let block = chain.mine_with(&[deposit(from), create]);
    let (plain, create) = (block.transactions[0].hash, block.transactions[1].hash);
    let tx = chain.call("eth_getTransactionByHash", json!([plain])).await;
    assert_eq!((&tx["type"], &tx["nonce"]), (&json!("0x7e"), &json!("0x1")));
    assert_eq!(tx["mint"], "0xde0b6b3a7640000");
    assert!(tx["sourceHash"].as_str().unwrap().len() == 66);
    for field in ["v", "r", "s", "gasPrice"] {
        assert_eq!(tx[field], "0x0", "{field}");
    }
    for absent in [
        "chainId",
        "yParity",
        "maxFeePerGas",
        "accessList",
        "isSystemTx",
    ] {
        assert!(tx.get(absent).is_none(), "{absent}");
    }
    let receipt = chain
        .call("eth_getTransactionReceipt", json!([create]))
        .await;
    assert_eq!(
        (&receipt["depositNonce"], &receipt["effectiveGasPrice"]),
        (&json!("0x2"), &json!("0x0"))
    );
    assert_eq!(receipt["contractAddress"], format!("{:?}", from.create(2)));
    assert_eq!(receipt["status"], "0x1");
}

#[tokio::test]
async fn positions_name_transactions() {
    let chain = Chain::rollup().await;
    let first = chain.send(0, plain(L2_ID, 0)).await;
    let second = chain.send(0, plain(L2_ID, 1)).await;
    let block = chain.mine();
    for (index, hash) in [("0x0", first), ("0x1", second)] {
        let want = chain.call("eth_getTransactionByHash", json!([hash])).await;
        assert_eq!(want["transactionIndex"], index);
        let by_number = chain
            .call(
                "eth_getTransactionByBlockNumberAndIndex",
                json!(["latest", index]),
            )
            .await;
        let by_hash = chain
            .call(
                "eth_getTransactionByBlockHashAndIndex",
                json!([block.hash, index]),
            )
            .await;
        assert_eq!((&by_number, &by_hash), (&want, &want));
    }
    for index in ["0x2", "0xffffffffffffffff"] {
        let past = chain
            .call(
                "eth_getTransactionByBlockNumberAndIndex",
                json!(["latest", index]),
            )
            .await;
        assert_eq!(past, Value::Null);
    }
}

#[tokio::test]
async fn raw_bytes_come_back_as_they_were_sent() {
    let chain = Chain::rollup().await;
    let bytes = hex(raw(sign(0, plain(L2_ID, 0))));
    let hash = chain.call("eth_sendRawTransaction", json!([bytes])).await;
    assert_eq!(
        chain
            .call("eth_getRawTransactionByHash", json!([hash]))
            .await,
        bytes,
        "pending"
    );
    let block = chain.mine();
    assert_eq!(
        chain
            .call("eth_getRawTransactionByHash", json!([hash]))
            .await,
        bytes,
        "mined"
    );
    let by_number = chain
        .call(
            "eth_getRawTransactionByBlockNumberAndIndex",
            json!(["latest", "0x0"]),
        )
        .await;
    let by_hash = chain
        .call(
            "eth_getRawTransactionByBlockHashAndIndex",
            json!([block.hash, "0x0"]),
        )
        .await;
    assert_eq!((by_number, by_hash), (json!(bytes), json!(bytes)));
}

#[tokio::test]
async fn receipts_of_a_block_equal_those_asked_for_one_by_one() {
    let chain = Chain::ethereum().await;
    for nonce in 0..3 {
        let topic = B256::with_last_byte(nonce as u8);
        let tx = alloy_consensus::TxEip1559 {
            to: TxKind::Call(EMITTER),
            value: U256::ZERO,
            input: topic.0.into(),
            ..plain(L1_ID, nonce)
        };
        chain.send(0, tx).await;
    }
    let block = chain.mine();
    let mut want = Vec::new();
    for (index, tx) in block.transactions.iter().enumerate() {
        let receipt = chain
            .call("eth_getTransactionReceipt", json!([tx.hash]))
            .await;
        assert_eq!(number(&receipt["logs"][0]["logIndex"]), index as u64);
        assert_eq!(
            receipt["logs"][0]["blockTimestamp"],
            format!("{:#x}", block.header.timestamp)
        );
        assert_eq!(receipt["logs"][0]["removed"], false);
        want.push(receipt);
    }
    for name in [
        json!("latest"),
        json!("0x1"),
        json!({"blockHash": block.hash}),
        json!(block.hash),
    ] {
        assert_eq!(
            chain.call("eth_getBlockReceipts", json!([name])).await,
            json!(want),
            "{name}"
        );
    }
}

#[tokio::test]
async fn an_unknown_hash_is_null() {
    let chain = Chain::rollup().await;
    for method in [
        "eth_getTransactionByHash",
        "eth_getTransactionReceipt",
        "eth_getRawTransactionByHash",
    ] {
        assert_eq!(
            chain.call(method, json!([hex([3u8; 32])])).await,
            Value::Null,
            "{method}"
        );
    }
}

#[tokio::test]
async fn a_transaction_is_found_by_its_nonce() {
    let chain = Chain::rollup().await;
    let mut hashes = Vec::new();
    for nonce in 0..5 {
        hashes.push(chain.send(0, plain(L2_ID, nonce)).await);
        chain.mine();
        chain.mine();
    }
    let waiting = chain.send(0, plain(L2_ID, 5)).await;
    let find = |nonce: &'static str| {
        let chain = &chain;
        async move {
            chain
                .call("eth_getTransactionBySenderAndNonce", json!([who(0), nonce]))
                .await
        }
    };
    for (nonce, hash) in ["0x0", "0x1", "0x2", "0x3", "0x4"].into_iter().zip(hashes) {
        let tx = find(nonce).await;
        assert_eq!((&tx["hash"], &tx["nonce"]), (&json!(hash), &json!(nonce)));
        assert_ne!(tx["blockHash"], Value::Null);
    }
    let tx = find("0x5").await;
    assert_eq!(
        (&tx["hash"], &tx["blockHash"]),
        (&json!(waiting), &Value::Null)
    );
    assert_eq!(find("0x6").await, Value::Null);
    let from = Address::repeat_byte(0x44);
    let block = chain.mine_with(&[deposit(from)]);
    let tx = chain
        .call("eth_getTransactionBySenderAndNonce", json!([from, "0x0"]))
        .await;
    assert_eq!(tx["hash"], json!(block.transactions[0].hash));
}
