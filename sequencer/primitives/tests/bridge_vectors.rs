//! `e2e/vectors/bridge.json`, written by Solidity: both sides give the same bytes.

use alloy_primitives::{Address, B256, Bytes, Signature, U256, keccak256};
use primitives::{
    BatchRecord, OutputRoot, QueueEntry, RecordKind,
    bridge::{alias, blobs_hash},
};
use serde_json::Value;
use std::str::FromStr;

fn vectors() -> Value {
    let file = include_str!("../../../e2e/vectors/bridge.json");
    serde_json::from_str(file).expect("the vectors are JSON")
}

fn list(name: &str) -> Vec<Value> {
    let all = vectors()[name].as_array().expect("a list").clone();
    assert!(!all.is_empty(), "{name} is empty");
    all
}

/// A field, read as what the caller wants it to be.
fn get<T: FromStr<Err: std::fmt::Debug>>(of: &Value, field: &str) -> T {
    let text = of[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} is missing in {of}"));
    text.parse()
        .unwrap_or_else(|error| panic!("{field}: {error:?}"))
}

fn number(of: &Value, field: &str) -> u64 {
    get::<U256>(of, field).to()
}

#[test]
fn queue_entries_hash_as_on_l1() {
    let mut acc = B256::ZERO;
    for v in list("queue") {
        let entry = QueueEntry {
            index: number(&v, "index"),
            timestamp: number(&v, "timestamp"),
            l1_block: number(&v, "l1Block"),
            from: get(&v, "from"),
            to: get(&v, "to"),
            mint: get::<U256>(&v, "mint").to(),
            value: get(&v, "value"),
            gas_limit: number(&v, "gasLimit"),
            is_creation: v["isCreation"].as_bool().expect("a flag"),
            data: get(&v, "data"),
        };
        assert_eq!(entry.hash(), get::<B256>(&v, "entryHash"), "{}", v["name"]);
        acc = entry.accumulate(acc);
        assert_eq!(acc, get::<B256>(&v, "queueAcc"), "{}", v["name"]);
        assert_eq!(
            entry.deposit(acc).source_hash,
            get::<B256>(&v, "sourceHash"),
            "{}",
            v["name"]
        );
    }
}

#[test]
fn records_accumulate_as_on_l1() {
    let mut acc = B256::ZERO;
    for v in list("records") {
        let record = record(&v);
        assert_eq!(record.prev_acc, acc, "{}", v["name"]);
        acc = record.accumulate();
        assert_eq!(acc, get::<B256>(&v, "batchAcc"), "{}", v["name"]);
    }
}

#[test]
fn payload_hashes_are_those_of_l1() {
    for v in list("records") {
        let hashes: Vec<B256> = v["blobHashes"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|hash| hash.as_str().expect("text").parse().expect("a hash"))
            .collect();
        let want = match record(&v).kind {
            RecordKind::Forced => B256::ZERO,
            RecordKind::Calldata => keccak256(get::<Bytes>(&v, "payload")),
            RecordKind::Blobs => blobs_hash(&hashes),
        };
        assert_eq!(record(&v).payload_hash, want, "{}", v["name"]);
    }
}

#[test]
fn the_sequencer_signs_what_l1_checks() {
    let all = vectors();
    let (l1, l2) = (number(&all, "l1ChainId"), number(&all, "l2ChainId"));
    for v in list("records")
        .iter()
        .filter(|v| v.get("signature").is_some())
    {
        let digest = record(v).signing_hash(l1, get(&all, "inbox"), l2);
        assert_eq!(digest, get::<B256>(v, "digest"), "{}", v["name"]);
        let signature =
            Signature::try_from(get::<Bytes>(v, "signature").as_ref()).expect("65 bytes");
        let signer = signature
            .recover_address_from_prehash(&digest)
            .expect("a signer");
        assert_eq!(signer, get::<Address>(&all, "signer"), "{}", v["name"]);
    }
}

#[test]
fn aliases_are_those_of_l1() {
    for v in list("aliases") {
        assert_eq!(alias(get(&v, "l1")), get::<Address>(&v, "l2"));
    }
}

#[test]
fn output_roots_hash_as_on_l1() {
    for v in list("outputRoots") {
        let root = OutputRoot {
            state_root: get(&v, "stateRoot"),
            withdrawals_root: get(&v, "withdrawalsRoot"),
            block_hash: get(&v, "blockHash"),
        };
        assert_eq!(root.hash(), get::<B256>(&v, "outputRoot"));
    }
}

fn record(v: &Value) -> BatchRecord {
    BatchRecord {
        prev_acc: get(v, "prevAcc"),
        kind: RecordKind::try_from(number(v, "kind") as u8).expect("a kind"),
        last_timestamp: number(v, "lastTimestamp"),
        queue_consumed: number(v, "queueConsumed"),
        queue_acc: get(v, "queueAcc"),
        anchor_number: number(v, "anchorNumber"),
        anchor_hash: get(v, "anchorHash"),
        payload_hash: get(v, "payloadHash"),
    }
}
