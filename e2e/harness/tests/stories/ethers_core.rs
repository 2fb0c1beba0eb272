//! Clients built on `ethers-core`, which is not developed any more, sign what we read and read what we sign.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEnvelope, TxLegacy};
use alloy_eips::{
    eip2718::Encodable2718,
    eip2930::{AccessList, AccessListItem},
};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use alloy_signer::SignerSync;
use ethers_core::{
    abi::Address as EthersAddress,
    k256::ecdsa::SigningKey,
    types::{
        Eip1559TransactionRequest, Eip2930TransactionRequest, H256, NameOrAddress, Signature,
        TransactionRequest, U256 as EthersU256, transaction::eip2718::TypedTransaction,
        transaction::eip2930 as theirs,
    },
    utils::{rlp::Rlp, secret_key_to_address},
};
use harness::user;
use primitives::CheckedTx;

const CHAIN_ID: u64 = 902;
const TO: [u8; 20] = [0x42; 20];
const DATA: [u8; 5] = [0xa9, 0x05, 0x9c, 0xbb, 0x00];
const SLOT: [u8; 32] = [7; 32];

fn key() -> SigningKey {
    SigningKey::from_slice(user(0).unwrap().to_bytes().as_slice()).unwrap()
}

/// As `ethers-signers` signs.
fn sign(tx: &TypedTransaction) -> Signature {
    let (signature, recovery) = key()
        .sign_prehash_recoverable(tx.sighash().as_bytes())
        .unwrap();
    let parity = u64::from(recovery.to_byte());
    let v = match tx {
        TypedTransaction::Legacy(tx) if tx.chain_id.is_none() => 27 + parity,
        _ => 35 + 2 * CHAIN_ID + parity,
    };
    let (r, s) = signature.split_bytes();
    Signature {
        r: EthersU256::from_big_endian(&r),
        s: EthersU256::from_big_endian(&s),
        v,
    }
}

/// Signed by them, read by us.
fn check(tx: TypedTransaction) {
    let signature = sign(&tx);
    let raw = tx.rlp_signed(&signature);
    let ours = CheckedTx::decode(Bytes::copy_from_slice(&raw)).unwrap();
    assert_eq!(ours.hash.0, tx.hash(&signature).0);
    assert_eq!(ours.sender.0, secret_key_to_address(&key()).0);
    assert_eq!(ours.tx.encode(), raw.to_vec());
}

/// Signed by us, read by them.
fn check_back(envelope: TxEnvelope) {
    let raw = envelope.encoded_2718();
    let (tx, signature) = TypedTransaction::decode_signed(&Rlp::new(&raw)).unwrap();
    assert_eq!(tx.rlp_signed(&signature).to_vec(), raw);
    assert_eq!(tx.hash(&signature).0, envelope.tx_hash().0);
    let sender = signature.recover(H256(tx.sighash().0)).unwrap();
    assert_eq!(sender.0, user(0).unwrap().address().0);
}

fn legacy() -> TransactionRequest {
    TransactionRequest {
        from: None,
        to: Some(NameOrAddress::Address(EthersAddress::from(TO))),
        gas: Some(50_000.into()),
        gas_price: Some(20_000_000_000u64.into()),
        value: Some(EthersU256::exp10(18)),
        data: Some(DATA.to_vec().into()),
        nonce: Some(7.into()),
        chain_id: Some(CHAIN_ID.into()),
    }
}

fn their_access_list() -> theirs::AccessList {
    theirs::AccessList(vec![theirs::AccessListItem {
        address: EthersAddress::from(TO),
        storage_keys: vec![H256(SLOT)],
    }])
}

#[test]
fn their_legacy_payment_is_read() {
    check(TypedTransaction::Legacy(legacy()));
}

#[test]
fn their_unprotected_payment_is_read() {
    check(TypedTransaction::Legacy(TransactionRequest {
        chain_id: None,
        ..legacy()
    }));
}

#[test]
fn their_deployment_is_read() {
    check(TypedTransaction::Legacy(TransactionRequest {
        to: None,
        ..legacy()
    }));
}

#[test]
fn their_access_list_payment_is_read() {
    check(TypedTransaction::Eip2930(Eip2930TransactionRequest {
        tx: legacy(),
        access_list: their_access_list(),
    }));
}

#[test]
fn their_1559_payment_is_read() {
    check(TypedTransaction::Eip1559(Eip1559TransactionRequest {
        from: None,
        to: Some(NameOrAddress::Address(EthersAddress::from(TO))),
        gas: Some(50_000.into()),
        value: Some(EthersU256::exp10(18)),
        data: Some(DATA.to_vec().into()),
        nonce: Some(0.into()),
        access_list: their_access_list(),
        max_priority_fee_per_gas: Some(0.into()),
        max_fee_per_gas: Some(20_000_000_000u64.into()),
        chain_id: Some(CHAIN_ID.into()),
    }));
}

fn signed<T>(tx: T) -> alloy_consensus::Signed<T>
where
    T: SignableTransaction<alloy_primitives::Signature>
        + alloy_consensus::transaction::RlpEcdsaEncodableTx,
{
    let signature = user(0)
        .unwrap()
        .sign_hash_sync(&tx.signature_hash())
        .unwrap();
    tx.into_signed(signature)
}

fn our_access_list() -> AccessList {
    AccessList(vec![AccessListItem {
        address: Address::from(TO),
        storage_keys: vec![B256::from(SLOT)],
    }])
}

#[test]
fn our_legacy_payment_is_read_by_them() {
    for chain_id in [Some(CHAIN_ID), None] {
        check_back(TxEnvelope::from(signed(TxLegacy {
            chain_id,
            nonce: 7,
            gas_price: 20_000_000_000,
            gas_limit: 50_000,
            to: TxKind::Call(Address::from(TO)),
            value: U256::from(5),
            input: DATA.into(),
        })));
    }
}

#[test]
fn our_access_list_payment_is_read_by_them() {
    check_back(TxEnvelope::from(signed(TxEip2930 {
        chain_id: CHAIN_ID,
        nonce: 1,
        gas_price: 20_000_000_000,
        gas_limit: 50_000,
        to: TxKind::Call(Address::from(TO)),
        value: U256::from(5),
        access_list: our_access_list(),
        input: DATA.into(),
    })));
}

#[test]
fn our_1559_deployment_is_read_by_them() {
    check_back(TxEnvelope::from(signed(TxEip1559 {
        chain_id: CHAIN_ID,
        nonce: 1,
        gas_limit: 50_000,
        max_fee_per_gas: 20_000_000_000,
        max_priority_fee_per_gas: 1,
        to: TxKind::Create,
        value: U256::ZERO,
        access_list: our_access_list(),
        input: DATA.into(),
    })));
}
