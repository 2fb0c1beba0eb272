//! Every type, contracts, system contracts, precompiles.

use crate::chain::{Chain, GWEI, ID, blob_tx, cells, packed, plain, raw, signer, who, with_blobs};
use alloy_consensus::{TxEip2930, TxEip7702, TxLegacy};
use alloy_eips::{
    eip2935::HISTORY_STORAGE_ADDRESS,
    eip4788::BEACON_ROOTS_ADDRESS,
    eip4844::{c_kzg, env_settings::EnvKzgSettings},
    eip7702::Authorization,
};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, bytes, hex};
use alloy_signer::SignerSync;
use serde_json::json;

#[tokio::test]
async fn all_five_types_are_included() {
    let chain = Chain::manual();
    let to = TxKind::Call(Address::repeat_byte(0xbb));
    let legacy = TxLegacy {
        chain_id: Some(ID),
        gas_price: 5 * GWEI,
        gas_limit: 21_000,
        to,
        value: U256::from(1),
        ..Default::default()
    };
    let listed = TxEip2930 {
        chain_id: ID,
        gas_price: 5 * GWEI,
        gas_limit: 30_000,
        to,
        value: U256::from(1),
        ..Default::default()
    };
    let sidecar = cells(packed(1, 1));
    let authorization = Authorization {
        chain_id: U256::from(ID),
        address: Address::repeat_byte(0xcc),
        nonce: 0,
    };
    let signature = signer(5)
        .sign_hash_sync(&authorization.signature_hash())
        .unwrap();
    let delegating = TxEip7702 {
        chain_id: ID,
        gas_limit: 100_000,
        max_fee_per_gas: 10 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to: Address::repeat_byte(0xbb),
        authorization_list: vec![authorization.into_signed(signature)],
        ..Default::default()
    };
    let sent = [
        chain.send(raw(0, legacy)).await,
        chain.send(raw(1, listed)).await,
        chain.send(raw(2, plain(0))).await,
        chain
            .send(with_blobs(3, blob_tx(0, &sidecar), &sidecar))
            .await,
        chain.send(raw(4, delegating)).await,
    ];
    let block = chain.l1.mine(1).unwrap();
    assert_eq!(block.transactions.len(), 5);
    for (tx_type, hash) in sent.into_iter().enumerate() {
        let receipt = chain.receipt(hash).await;
        assert_eq!(
            (&receipt["type"], &receipt["status"]),
            (&json!(format!("{tx_type:#x}")), &json!("0x1"))
        );
    }
    let code = chain.call("eth_getCode", json!([who(5), "latest"])).await;
    assert_eq!(
        code,
        json!(hex::encode_prefixed(
            [&hex!("ef0100")[..], &[0xcc; 20]].concat()
        ))
    );
}

#[tokio::test]
async fn a_contract_of_the_project_is_deployed() {
    let chain = Chain::manual();
    let code = bindings::bytecode("OpenToken").unwrap();
    let mut tx = plain(0);
    tx.to = TxKind::Create;
    tx.value = U256::ZERO;
    tx.gas_limit = 5_000_000;
    tx.input = [code.as_ref(), who(0).into_word().as_slice()]
        .concat()
        .into();
    let hash = chain.send(raw(0, tx)).await;
    chain.l1.mine(1).unwrap();
    let receipt = chain.receipt(hash).await;
    assert_eq!(receipt["status"], "0x1");
    let symbol = json!({ "to": receipt["contractAddress"], "data": "0x95d89b41" });
    let answer: Bytes =
        serde_json::from_value(chain.call("eth_call", json!([symbol, "latest"])).await).unwrap();
    assert!(answer.windows(4).any(|word| word == b"OPEN"), "{answer}");
}

#[tokio::test]
async fn a_contract_sees_the_hash_of_the_blob() {
    let chain = Chain::manual();
    // sstore(0, blobhash(0))
    let mut tx = plain(0);
    (tx.to, tx.value, tx.input) = (
        TxKind::Create,
        U256::ZERO,
        bytes!("645f495f55005f526005601bf3"),
    );
    let hash = chain.send(raw(0, tx)).await;
    chain.l1.mine(1).unwrap();
    let contract: Address =
        serde_json::from_value(chain.receipt(hash).await["contractAddress"].clone()).unwrap();
    let sidecar = cells(packed(2, 1));
    let mut tx = blob_tx(1, &sidecar);
    tx.to = contract;
    let versioned_hash = tx.blob_versioned_hashes[0];
    let gas = json!({ "from": who(0), "to": contract, "blobVersionedHashes": [versioned_hash], "maxFeePerBlobGas": "0x1" });
    chain.call("eth_estimateGas", json!([gas])).await;
    let hash = chain.send(with_blobs(0, tx, &sidecar)).await;
    chain.l1.mine(1).unwrap();
    let receipt = chain.receipt(hash).await;
    assert_eq!(
        (&receipt["blobGasUsed"], &receipt["blobGasPrice"]),
        (&json!("0x20000"), &json!("0x1"))
    );
    assert_eq!(
        chain
            .call("eth_getStorageAt", json!([contract, "0x0", "latest"]))
            .await,
        json!(versioned_hash)
    );
}

#[tokio::test]
async fn history_and_beacon_roots_are_answered_by_their_contracts() {
    let chain = Chain::manual();
    chain.l1.mine(3).unwrap();
    let second = chain
        .call("eth_getBlockByNumber", json!(["0x2", false]))
        .await;
    let asked = json!({ "to": HISTORY_STORAGE_ADDRESS, "data": B256::with_last_byte(2) });
    assert_eq!(
        chain.call("eth_call", json!([asked, "latest"])).await,
        second["hash"]
    );
    let time: U256 = serde_json::from_value(second["timestamp"].clone()).unwrap();
    let asked = json!({ "to": BEACON_ROOTS_ADDRESS, "data": B256::from(time) });
    assert_eq!(
        chain.call("eth_call", json!([asked, "latest"])).await,
        second["parentBeaconBlockRoot"]
    );
}

#[tokio::test]
async fn a_point_of_a_blob_is_proven() {
    let chain = Chain::manual();
    let blob = packed(3, 1).remove(0);
    let settings = EnvKzgSettings::Default.get();
    let ckzg = c_kzg::Blob::from_bytes(blob.as_slice()).unwrap();
    let z = c_kzg::Bytes32::new(U256::from(2).to_be_bytes());
    let (proof, y) = settings.compute_kzg_proof(&ckzg, &z).unwrap();
    let commitment = settings.blob_to_kzg_commitment(&ckzg).unwrap();
    let hash = alloy_eips::eip4844::kzg_to_versioned_hash(commitment.as_slice());
    let input = |y: &[u8]| {
        let input = [
            hash.as_slice(),
            z.as_slice(),
            y,
            commitment.as_slice(),
            proof.to_bytes().as_slice(),
        ]
        .concat();
        json!([{ "to": Address::with_last_byte(0x0a), "data": hex::encode_prefixed(input) }, "latest"])
    };
    let answer: Bytes =
        serde_json::from_value(chain.call("eth_call", input(y.as_slice())).await).unwrap();
    assert_eq!(U256::from_be_slice(&answer[..32]), U256::from(4096));
    assert!(chain.try_call("eth_call", input(&[0; 32])).await.is_err());
}
