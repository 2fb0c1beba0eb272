//! What records mean, fact by fact.
#![allow(missing_docs)]

use alloy_consensus::{EthereumTxEnvelope, SignableTransaction, TxEip1559, TxEip4844};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, Signature, U256, keccak256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use batch::{BatchEncoder, Parent, Rules, blobs};
use config::{BlobParams, Network};
use derivation::{
    Cursor, DerivationError, DerivedBatch, L1Record, Payload, Reason, anchor_of, derive,
    first_anchor, recover_in_turn,
};
use primitives::{
    Anchor, BatchRecord, BlockInput, CheckedTx, Header, QueueEntry, RecordKind, bridge::blobs_hash,
};
use proptest::prelude::*;
use std::sync::Arc;

const L1_TIME: u64 = 1_700_000_000;
const GAS_LIMIT: u64 = 60_000_000;

fn network() -> Network {
    let mut network = Network::parse(include_str!("../../../config/dev.toml")).unwrap();
    network.chain.gas_limit = GAS_LIMIT;
    network.contracts.deployed_at = 10;
    network
}

/// L1 from block `from` on; `salt` makes another fork.
fn l1(from: u64, to: u64, salt: u64) -> Vec<Header> {
    let mut parent_hash = B256::ZERO;
    let mut headers = Vec::new();
    for number in 0..=to {
        let header = Header {
            number,
            parent_hash,
            timestamp: L1_TIME + 12 * number,
            base_fee_per_gas: Some(7 + number),
            excess_blob_gas: Some(0),
            mix_hash: keccak256((number + salt).to_be_bytes()),
            ..Default::default()
        };
        parent_hash = header.hash_slow();
        headers.push(header);
    }
    headers.split_off(from as usize)
}

fn entry(index: u64, gas_limit: u64) -> QueueEntry {
    QueueEntry {
        index,
        timestamp: L1_TIME,
        from: Address::repeat_byte(9),
        gas_limit,
        mint: 5,
        ..Default::default()
    }
}

fn acc(from: B256, entries: &[QueueEntry]) -> B256 {
    entries
        .iter()
        .fold(from, |acc, entry| entry.accumulate(acc))
}

fn signed(nonce: u64) -> Arc<CheckedTx> {
    let tx = TxEip1559 {
        chain_id: 902,
        nonce,
        gas_limit: 21_000,
        to: Address::repeat_byte(1).into(),
        ..Default::default()
    };
    let key = PrivateKeySigner::from_bytes(&B256::repeat_byte(7)).unwrap();
    let signature = key.sign_hash_sync(&tx.signature_hash()).unwrap();
    let raw = EthereumTxEnvelope::<TxEip4844>::Eip1559(tx.into_signed(signature)).encoded_2718();
    Arc::new(CheckedTx::decode(raw.into()).unwrap())
}

fn unsigned(nonce: u64) -> Arc<CheckedTx> {
    let tx = TxEip1559 {
        chain_id: 902,
        nonce,
        ..Default::default()
    };
    let signature = Signature::new(U256::ZERO, U256::ZERO, false);
    let raw = EthereumTxEnvelope::<TxEip4844>::Eip1559(tx.into_signed(signature)).encoded_2718();
    Arc::new(CheckedTx::decode_with_sender(raw.into(), Address::ZERO).unwrap())
}

/// A block to be posted: seconds behind the start of L1, anchor, deposits, signed transactions.
type Block = (u64, u64, usize, Vec<Arc<CheckedTx>>);

/// One record and all that belongs to it.
#[derive(Clone)]
struct Case {
    network: Network,
    cursor: Cursor,
    record: L1Record,
    entries: Vec<QueueEntry>,
    headers: Vec<Header>,
}

/// A chain that stands at L1 block 12, with three entries consumed, and a record of `blocks` and all `entries`.
fn case(blocks: &[Block], entries: &[QueueEntry]) -> Case {
    let network = network();
    let before: Vec<_> = (0..3).map(|index| entry(index, 50_000)).collect();
    let cursor = Cursor {
        records: 4,
        batch_acc: B256::repeat_byte(4),
        queue_consumed: 3,
        queue_acc: acc(B256::ZERO, &before),
        anchor: anchor_of(&l1(12, 12, 0)[0], &network),
        parent_timestamp: L1_TIME + 12 * 12,
        parent_number: 100,
    };
    let to = blocks.last().map_or(15, |block| block.1);
    let headers = l1(13, to.max(13), 0)[..(to - 12) as usize].to_vec();
    let record = BatchRecord {
        prev_acc: cursor.batch_acc,
        kind: RecordKind::Calldata,
        last_timestamp: L1_TIME + blocks.last().map_or(12 * 15, |block| block.0),
        queue_consumed: 3 + entries.len() as u64,
        queue_acc: acc(cursor.queue_acc, entries),
        anchor_number: to,
        anchor_hash: headers.last().map_or(cursor.anchor.hash, Header::hash_slow),
        payload_hash: B256::ZERO,
    };
    let record = L1Record {
        index: 4,
        record,
        l1_block: 30,
        blob_hashes: vec![],
        payload: Payload::None,
    };
    let case = Case {
        network,
        cursor,
        record,
        entries: entries.to_vec(),
        headers,
    };
    let payload = case.encode(blocks);
    case.with_payload(payload)
}

impl Case {
    fn encode(&self, blocks: &[Block]) -> Bytes {
        let parent = Parent {
            timestamp: self.cursor.parent_timestamp,
            anchor_number: self.cursor.anchor.number,
        };
        let mut encoder = BatchEncoder::new(Rules::new(&self.network), parent, 100_000);
        for (seconds, anchor, deposits, txs) in blocks {
            let deposit = || Arc::new(CheckedTx::deposit(Default::default()));
            let txs: Vec<_> = std::iter::repeat_with(deposit)
                .take(*deposits)
                .chain(txs.iter().cloned())
                .collect();
            encoder.push(L1_TIME + seconds, *anchor, &txs).unwrap();
        }
        encoder.finish().into()
    }

    fn with_payload(mut self, payload: Bytes) -> Self {
        self.record.record.payload_hash = keccak256(&payload);
        self.record.payload = Payload::Calldata(payload);
        self
    }

    fn in_blobs(mut self) -> Self {
        let Payload::Calldata(payload) = &self.record.payload else {
            panic!("calldata")
        };
        let blobs = blobs::pack(payload).unwrap();
        // Any hashes do: that they belong to the blobs is not derivation's to check.
        self.record.blob_hashes = (0..blobs.len())
            .map(|i| B256::repeat_byte(i as u8 + 1))
            .collect();
        self.record.record.kind = RecordKind::Blobs;
        self.record.record.payload_hash = blobs_hash(&self.record.blob_hashes);
        self.record.payload = Payload::Blobs(blobs);
        self
    }

    fn forced(mut self) -> Self {
        self.record.record.kind = RecordKind::Forced;
        self.record.record.payload_hash = B256::ZERO;
        self.record.payload = Payload::None;
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn derive(&self) -> Result<DerivedBatch, DerivationError> {
        derive(
            &self.network,
            &self.cursor,
            &self.record,
            &self.entries,
            &self.headers,
            &recover_in_turn,
        )
    }

    fn error(&self) -> DerivationError {
        self.derive().unwrap_err()
    }

    fn reason(&self) -> Reason {
        let batch = self.derive().unwrap();
        assert!(!batch.deposit_only.is_empty());
        assert_eq!(batch.after, batch.after_deposit_only);
        batch.blocks.unwrap_err()
    }

    /// Time, anchor, deposits and signed transactions of each block.
    fn shape(&self) -> Vec<(u64, u64, usize, usize)> {
        shape(&self.derive().unwrap().blocks.unwrap())
    }
}

fn shape(blocks: &[BlockInput]) -> Vec<(u64, u64, usize, usize)> {
    blocks
        .iter()
        .map(|block| {
            let deposits = block
                .transactions
                .iter()
                .filter(|tx| tx.tx.is_deposit())
                .count();
            (
                block.timestamp - L1_TIME,
                block.anchor.number,
                deposits,
                block.transactions.len() - deposits,
            )
        })
        .collect()
}

fn plain() -> Case {
    case(
        &[
            (170, 13, 1, vec![signed(0)]),
            (170, 13, 0, vec![signed(1), signed(2)]),
            (200, 15, 1, vec![]),
        ],
        &[entry(3, 50_000), entry(4, 60_000)],
    )
}

#[test]
fn a_payload_gives_its_blocks() {
    assert_eq!(
        plain().shape(),
        [(170, 13, 1, 1), (170, 13, 0, 2), (200, 15, 1, 0)]
    );
    let batch = plain().derive().unwrap();
    let blocks = batch.blocks.unwrap();
    assert_eq!(blocks[1].transactions, [signed(1), signed(2)]);
    assert_eq!(blocks[2].anchor, anchor_of(&l1(15, 15, 0)[0], &network()));
    assert_eq!(
        (batch.after.parent_number, batch.after.parent_timestamp),
        (103, L1_TIME + 200)
    );
    assert_eq!((batch.after.records, batch.after.queue_consumed), (5, 5));
    assert_eq!(batch.after.batch_acc, plain().record.record.accumulate());
    assert_eq!(batch.after.queue_acc, plain().record.record.queue_acc);
}

#[test]
fn blobs_and_calldata_mean_the_same() {
    assert_eq!(
        plain().in_blobs().derive().unwrap().blocks,
        plain().derive().unwrap().blocks
    );
}

#[test]
fn deposits_follow_from_the_queue_alone() {
    let batch = plain().derive().unwrap();
    let acc = entry(3, 50_000).accumulate(plain().cursor.queue_acc);
    let deposit = CheckedTx::deposit(entry(3, 50_000).deposit(acc));
    assert_eq!(*batch.blocks.unwrap()[0].transactions[0], deposit);
    assert_eq!(*batch.deposit_only[0].transactions[0], deposit);
}

#[test]
fn a_block_may_keep_its_parents_anchor() {
    assert_eq!(
        case(&[(150, 12, 0, vec![])], &[]).shape(),
        [(150, 12, 0, 0)]
    );
}

#[test]
fn recovery_is_the_callers_and_keeps_the_order() {
    let case = plain();
    let backwards = |raw: Vec<Bytes>| {
        let mut results: Vec<_> = raw.into_iter().rev().map(CheckedTx::decode).collect();
        results.reverse();
        results
    };
    let batch = derive(
        &case.network,
        &case.cursor,
        &case.record,
        &case.entries,
        &case.headers,
        &backwards,
    )
    .unwrap();
    assert_eq!(batch, case.derive().unwrap());
}

// What is not next, not there, or no longer there.

#[test]
fn a_record_out_of_turn_is_named() {
    let not_next =
        |case: Case| matches!(case.error(), DerivationError::NotNext { expected: 4, .. });
    assert!(not_next(plain().with(|c| c.record.index = 5)));
    assert!(not_next(plain().with(|c| c.record.index = 3)));
    assert!(not_next(
        plain().with(|c| c.record.record.prev_acc = B256::ZERO)
    ));
}

#[test]
fn the_same_record_twice_does_not_follow_itself() {
    let after = plain().derive().unwrap().after;
    assert!(matches!(
        plain().with(|c| c.cursor = after).error(),
        DerivationError::NotNext { expected: 5, .. }
    ));
}

#[test]
fn entries_must_be_all_there() {
    let need = DerivationError::NeedEntries { from: 3, to: 5 };
    assert_eq!(plain().with(|c| drop(c.entries.pop())).error(), need);
    assert_eq!(plain().with(|c| c.entries.push(entry(5, 1))).error(), need);
    assert_eq!(plain().with(|c| c.entries.swap(0, 1)).error(), need);
}

#[test]
fn an_entry_that_l1_did_not_accumulate_is_a_reorg() {
    let case = plain().with(|c| c.entries[1].mint += 1);
    assert_eq!(
        case.error(),
        DerivationError::Reorg("the queue's accumulator")
    );
}

#[test]
fn headers_must_be_all_there() {
    let need = DerivationError::NeedHeaders { from: 13, to: 15 };
    assert_eq!(plain().with(|c| drop(c.headers.pop())).error(), need);
    assert_eq!(plain().with(|c| drop(c.headers.remove(0))).error(), need);
    assert_eq!(plain().with(|c| c.headers.clear()).error(), need);
    assert_eq!(plain().with(|c| c.headers = l1(12, 15, 0)).error(), need);
}

#[test]
fn every_header_is_checked_back_to_the_parents_anchor() {
    for index in 0..3 {
        let case = plain().with(|c| c.headers[index].base_fee_per_gas = Some(1));
        assert_eq!(case.error(), DerivationError::Reorg("the anchors' chain"));
    }
    let forked = plain().with(|c| {
        c.headers = l1(13, 15, 1);
        c.record.record.anchor_hash = c.headers[2].hash_slow();
    });
    assert_eq!(
        forked.error(),
        DerivationError::Reorg("the parent's anchor")
    );
    let same_height =
        case(&[(150, 12, 0, vec![])], &[]).with(|c| c.record.record.anchor_hash = B256::ZERO);
    assert_eq!(
        same_height.error(),
        DerivationError::Reorg("the parent's anchor")
    );
}

#[test]
fn an_anchor_or_a_queue_that_goes_back_is_a_reorg() {
    let case = plain().with(|c| c.record.record.anchor_number = 11);
    assert_eq!(case.error(), DerivationError::Reorg("the record's anchor"));
    let case = plain().with(|c| c.record.record.queue_consumed = 2);
    assert_eq!(
        case.error(),
        DerivationError::Reorg("the record's queue count")
    );
}

#[test]
fn a_payload_of_another_hash_is_asked_for_again() {
    let other = plain().with(|c| c.record.payload = Payload::Calldata(Bytes::from_static(b"x")));
    assert_eq!(other.error(), DerivationError::NeedCalldata(4));
    assert_eq!(
        plain().with(|c| c.record.payload = Payload::None).error(),
        DerivationError::NeedCalldata(4)
    );
    assert_eq!(
        plain()
            .with(|c| c.record.record.kind = RecordKind::Blobs)
            .error(),
        DerivationError::NeedBlobs(4)
    );
    let blobs = plain().in_blobs();
    assert_eq!(
        blobs
            .clone()
            .with(|c| c.record.blob_hashes.reverse())
            .derive(),
        blobs.derive()
    );
    assert_eq!(
        blobs.clone().with(|c| c.record.blob_hashes.clear()).error(),
        DerivationError::NeedBlobs(4)
    );
    assert_eq!(
        blobs
            .clone()
            .with(|c| c.record.blob_hashes[0] = B256::ZERO)
            .error(),
        DerivationError::NeedBlobs(4)
    );
    let short =
        |c: &mut Case| c.record.payload = Payload::Blobs(vec![Bytes::from_static(b"short")]);
    assert_eq!(blobs.with(short).error(), DerivationError::NeedBlobs(4));
}

// What a payload does wrong is not an error: its deposits remain.

#[test]
fn bytes_that_are_no_batch_leave_the_deposits() {
    for bytes in [&b""[..], b"\x00", b"\x01", b"\x02garbage", &[0xff; 5000]] {
        let case = plain().with_payload(Bytes::copy_from_slice(bytes));
        assert!(matches!(case.reason(), Reason::Batch(_)));
        assert_eq!(
            shape(&case.derive().unwrap().deposit_only),
            [(200, 15, 2, 0)]
        );
        assert_eq!(case.derive().unwrap().after.parent_number, 101);
    }
}

#[test]
fn blobs_that_carry_nothing_leave_the_deposits() {
    let case = plain().in_blobs().with(|c| {
        let Payload::Blobs(blobs) = &mut c.record.payload else {
            panic!("blobs")
        };
        let mut blob = blobs[0].to_vec();
        blob[32] = 0x74; // Above the modulus, too.
        blobs[0] = blob.into();
    });
    assert_eq!(case.reason(), Reason::Blobs(blobs::BlobError::Element));
}

#[test]
fn a_forced_record_has_deposits_only() {
    assert_eq!(plain().forced().reason(), Reason::Forced);
    assert_eq!(
        shape(&plain().forced().derive().unwrap().deposit_only),
        [(200, 15, 2, 0)]
    );
    let empty = case(&[(200, 15, 0, vec![])], &[]).forced();
    assert_eq!(
        shape(&empty.derive().unwrap().deposit_only),
        [(200, 15, 0, 0)]
    );
}

#[test]
fn the_last_block_ends_where_the_record_says() {
    let case = plain().with(|c| c.record.record.last_timestamp += 1);
    assert_eq!(
        case.reason(),
        Reason::LastTimestamp {
            got: L1_TIME + 200,
            want: L1_TIME + 201
        }
    );
    let case = plain().with(|c| {
        c.headers = l1(13, 16, 0);
        c.record.record.anchor_number = 16;
        c.record.record.anchor_hash = c.headers[3].hash_slow();
    });
    assert_eq!(case.reason(), Reason::LastAnchor { got: 15, want: 16 });
}

#[test]
fn the_blocks_consume_exactly_the_records_entries() {
    for deposits in [0, 1, 3] {
        let case = case(&[(200, 15, deposits, vec![])], &[entry(3, 1), entry(4, 1)]);
        assert_eq!(case.reason(), Reason::Queue { want: 2 });
    }
}

#[test]
fn a_block_is_not_older_than_its_anchor() {
    // Anchor 15 has second 180.
    assert_eq!(
        case(&[(179, 15, 0, vec![])], &[]).reason(),
        Reason::BeforeAnchor { block: 0 }
    );
    assert_eq!(
        case(&[(180, 15, 0, vec![])], &[]).shape(),
        [(180, 15, 0, 0)]
    );
    let second = case(
        &[
            (150, 12, 0, vec![]),
            (150, 13, 0, vec![]),
            (190, 15, 0, vec![]),
        ],
        &[],
    );
    assert_eq!(second.reason(), Reason::BeforeAnchor { block: 1 });
}

#[test]
fn one_bad_signature_spoils_the_record() {
    let case = case(
        &[
            (170, 13, 0, vec![signed(0)]),
            (200, 15, 0, vec![signed(1), unsigned(2), signed(3)]),
        ],
        &[],
    );
    assert!(matches!(case.reason(), Reason::Transaction { tx: 2, .. }));
    assert_eq!(
        shape(&case.derive().unwrap().deposit_only),
        [(200, 15, 0, 0)]
    );
}

#[test]
fn a_batch_written_for_another_parent_does_not_fit() {
    let case = plain().with(|c| c.cursor.parent_timestamp += 1);
    assert!(matches!(case.reason(), Reason::LastTimestamp { .. }));
}

// Deposit-only blocks.

/// How many deposits each deposit-only block has.
fn split(gas: &[u64]) -> Vec<usize> {
    let entries: Vec<_> = gas
        .iter()
        .zip(3..)
        .map(|(gas, index)| entry(index, *gas))
        .collect();
    let batch = case(&[(200, 15, 0, vec![])], &entries)
        .forced()
        .derive()
        .unwrap();
    assert_eq!(
        batch.after.parent_number,
        100 + batch.deposit_only.len() as u64
    );
    shape(&batch.deposit_only)
        .iter()
        .map(|block| block.2)
        .collect()
}

#[test]
fn deposits_share_a_block_until_its_gas_is_used_up() {
    assert_eq!(split(&[]), [0]);
    assert_eq!(split(&[GAS_LIMIT / 2, GAS_LIMIT / 2]), [2]);
    assert_eq!(split(&[GAS_LIMIT / 2, GAS_LIMIT / 2 + 1]), [1, 1]);
    assert_eq!(split(&[GAS_LIMIT, 0, 1]), [2, 1]);
    assert_eq!(split(&[1; 256]), [256]);
}

#[test]
fn an_entry_above_the_block_gas_limit_stands_alone() {
    assert_eq!(split(&[1, u64::MAX, 1]), [1, 1, 1]);
    assert_eq!(split(&[u64::MAX]), [1]);
    assert_eq!(split(&[GAS_LIMIT + 1, GAS_LIMIT]), [1, 1]);
}

#[test]
fn deposit_only_blocks_are_older_than_nothing_before_them() {
    let time = |change: fn(&mut Case)| {
        shape(&plain().forced().with(change).derive().unwrap().deposit_only)[0].0
    };
    assert_eq!(time(|_| {}), 200);
    assert_eq!(time(|c| c.cursor.parent_timestamp = L1_TIME + 500), 500);
    assert_eq!(
        time(|c| c.record.record.last_timestamp = L1_TIME),
        180,
        "the anchor's time"
    );
}

// The first record.

fn first(anchor: u64, seconds: u64, block_anchor: u64) -> Case {
    let case = case(&[(seconds, block_anchor, 0, vec![])], &[]).with(|c| {
        c.cursor = Cursor {
            records: 0,
            batch_acc: B256::ZERO,
            queue_consumed: 0,
            queue_acc: B256::ZERO,
            anchor: Anchor::default(),
            parent_timestamp: 0,
            parent_number: 0,
        };
        c.record.index = 0;
        c.record.record.prev_acc = B256::ZERO;
        c.record.record.queue_consumed = 0;
        c.record.record.queue_acc = B256::ZERO;
        c.record.record.anchor_number = anchor;
        c.headers = l1(first_anchor(&c.network, &c.cursor, &c.record), anchor, 0);
        c.record.record.anchor_hash = c.headers.last().unwrap().hash_slow();
    });
    let payload = case.encode(&[(seconds, block_anchor, 0, vec![])]);
    case.with_payload(payload)
}

#[test]
fn the_first_record_looks_at_l1_from_the_deployment_on() {
    let case = first(14, 200, 14);
    assert_eq!(case.headers.len(), 5);
    assert_eq!(case.shape(), [(200, 14, 0, 0)]);
}

#[test]
fn the_first_record_may_name_a_block_before_the_deployment() {
    let case = first(12, 200, 12).with(|c| {
        c.network.contracts.deployed_at = 20;
        c.headers = l1(12, 12, 0);
    });
    assert_eq!(first_anchor(&case.network, &case.cursor, &case.record), 12);
    assert_eq!(case.shape(), [(200, 12, 0, 0)]);
}

#[test]
fn an_anchor_between_genesis_and_the_deployment_cannot_be_used() {
    let case = first(14, 200, 14);
    let payload = case.encode(&[(150, 9, 0, vec![]), (200, 14, 0, vec![])]);
    assert_eq!(
        case.with_payload(payload).reason(),
        Reason::Anchor {
            block: 0,
            anchor: 9
        }
    );
}

// Numbers at their ends.

#[test]
fn no_number_overflows() {
    let max = u64::MAX;
    let case = plain().with(|c| c.record.record.anchor_number = max);
    assert_eq!(
        case.error(),
        DerivationError::NeedHeaders { from: 13, to: max }
    );
    let case = plain().with(|c| c.record.record.queue_consumed = max);
    assert_eq!(
        case.error(),
        DerivationError::NeedEntries { from: 3, to: max }
    );
    let case = plain().with(|c| c.cursor.anchor.number = max);
    assert_eq!(case.error(), DerivationError::Reorg("the record's anchor"));
    let case = plain().with(|c| {
        c.cursor.anchor.number = max;
        c.record.record.anchor_number = max;
        c.record.record.anchor_hash = c.cursor.anchor.hash;
        c.headers.clear();
    });
    let entries = plain().with(|c| {
        c.cursor.queue_consumed = max;
        c.record.record.queue_consumed = max;
        c.entries = vec![entry(max, 1)];
    });
    assert_eq!(
        entries.error(),
        DerivationError::NeedEntries { from: max, to: max }
    );
    let header = case.clone().with(|c| {
        c.headers = vec![Header {
            number: max,
            ..Default::default()
        }]
    });
    assert_eq!(
        header.error(),
        DerivationError::NeedHeaders { from: max, to: max }
    );
    // The payload's anchors, relative to the last number there is, run out of it.
    assert_eq!(case.reason(), Reason::Batch(batch::Invalid::Overflow));
    let case = plain().with(|c| {
        c.record.index = max;
        c.cursor.records = max;
        c.cursor.parent_number = max;
        c.cursor.parent_timestamp = max;
    });
    assert_eq!(case.reason(), Reason::Batch(batch::Invalid::Overflow));
    let batch = case.derive().unwrap();
    assert_eq!(
        (batch.deposit_only[0].timestamp, batch.after.parent_number),
        (max, max)
    );
}

// Anchors.

#[test]
fn the_blob_base_fee_follows_the_schedule_in_force() {
    let mut network = network();
    let params = |from_s, update_fraction| BlobParams {
        from_s,
        target: 6,
        max: 9,
        update_fraction,
    };
    network.l1.blob_schedule = vec![params(0, 3_338_477), params(1000, 5_007_716)];
    let fee = |timestamp, excess_blob_gas| {
        anchor_of(
            &Header {
                timestamp,
                excess_blob_gas,
                ..Default::default()
            },
            &network,
        )
        .blob_base_fee
    };
    let excess = 10 * 1024 * 1024;
    assert_eq!(fee(999, Some(excess)), 23);
    assert_eq!(fee(1000, Some(excess)), 8);
    assert_eq!(fee(1000, Some(0)), 1);
    assert_eq!(fee(1000, None), 1);
}

#[test]
fn an_anchor_is_the_header_and_nothing_else() {
    let header = &l1(15, 15, 0)[0];
    let anchor = anchor_of(header, &network());
    assert_eq!(
        (anchor.number, anchor.hash, anchor.timestamp),
        (15, header.hash_slow(), header.timestamp)
    );
    assert_eq!((anchor.base_fee, anchor.prev_randao), (22, header.mix_hash));
}

prop_compose! {
    fn stories()(
        steps in prop::collection::vec((0u64..9, 0u64..3, 0usize..3, 0usize..3), 1..8),
    ) -> (Vec<Block>, Vec<QueueEntry>) {
        let (mut seconds, mut anchor, mut nonce, mut entries) = (144, 12, 0, vec![]);
        let blocks = steps.into_iter().map(|(wait, anchors, deposits, txs)| {
            anchor += anchors;
            seconds = (seconds + wait).max(12 * anchor);
            let next = 3 + entries.len() as u64;
            entries.extend((next..).take(deposits).map(|index| entry(index, 21_000 + wait)));
            let txs = (0..txs).map(|_| { nonce += 1; signed(nonce) }).collect();
            (seconds, anchor, deposits, txs)
        }).collect();
        (blocks, entries)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_was_posted_is_derived((blocks, entries) in stories()) {
        let case = case(&blocks, &entries);
        let derived = case.derive().unwrap();
        let got = derived.blocks.clone().unwrap();
        prop_assert_eq!(got.len(), blocks.len());
        let mut deposits = derived.deposit_only.iter().flat_map(|block| block.transactions.clone());
        for (input, (seconds, anchor, count, txs)) in got.iter().zip(&blocks) {
            prop_assert_eq!(input.timestamp, L1_TIME + seconds);
            prop_assert_eq!(input.anchor.number, *anchor);
            let want: Vec<_> = deposits.by_ref().take(*count).chain(txs.iter().cloned()).collect();
            prop_assert_eq!(&input.transactions, &want);
        }
        prop_assert_eq!(deposits.count(), 0);
        let next = derived.after;
        prop_assert_eq!(next.parent_timestamp, case.record.record.last_timestamp);
        prop_assert_eq!(next.anchor.hash, case.record.record.anchor_hash);
        prop_assert_eq!(case.in_blobs().derive().unwrap().blocks, Ok(got));
    }

    #[test]
    fn a_damaged_payload_is_blocks_or_a_reason(
        (blocks, entries) in stories(),
        at in any::<prop::sample::Index>(),
        xor in 1u8..,
    ) {
        let case = case(&blocks, &entries);
        let Payload::Calldata(payload) = &case.record.payload else { panic!("calldata") };
        let mut payload = payload.to_vec();
        let at = at.index(payload.len());
        payload[at] ^= xor;
        let honest = case.derive().unwrap();
        let derived = case.with_payload(payload.into()).derive().unwrap();
        prop_assert_eq!(&derived.deposit_only, &honest.deposit_only);
        prop_assert_eq!(derived.after_deposit_only.queue_acc, honest.after.queue_acc);
        if let Ok(blocks) = derived.blocks {
            prop_assert_eq!(blocks.last().unwrap().anchor, honest.after.anchor);
            let deposits = |blocks: &[BlockInput]| shape(blocks).iter().map(|block| block.2).sum::<usize>();
            prop_assert_eq!(deposits(&blocks), entries.len());
        }
    }

    #[test]
    fn noise_leaves_the_deposits(noise in prop::collection::vec(any::<u8>(), 0..600), in_blobs in any::<bool>()) {
        let case = plain().with_payload(noise.into());
        let case = if in_blobs { case.in_blobs() } else { case };
        let derived = case.derive().unwrap();
        prop_assert!(derived.blocks.is_err());
        prop_assert_eq!(shape(&derived.deposit_only), [(200, 15, 2, 0)]);
    }
}
