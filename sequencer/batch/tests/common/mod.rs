//! Random blocks for the tests of the codec.
#![allow(dead_code)]

use alloy_consensus::{
    EthereumTxEnvelope, SignableTransaction, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxLegacy,
};
use alloy_eips::{
    eip2718::Encodable2718,
    eip2930::{AccessList, AccessListItem},
    eip7702::{Authorization, SignedAuthorization},
};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use batch::{BatchBlock, BatchEncoder, EncodeError, Invalid, Parent, Rules};
use primitives::{CheckedTx, TxDeposit};
use proptest::prelude::*;
use std::sync::Arc;

pub const RULES: Rules = Rules {
    chain_id: 902,
    decoded_bytes_max: 8_000_000,
    blocks_max: 2400,
};
pub const PARENT: Parent = Parent {
    timestamp: 1_700_000_000,
    anchor_number: 20_000_000,
};

/// One block as the sequencer holds it.
#[derive(Debug, Clone)]
pub struct Block {
    pub timestamp: u64,
    pub anchor_number: u64,
    pub transactions: Vec<Arc<CheckedTx>>,
}

/// What decoding must give for `blocks`.
pub fn expected(blocks: &[Block]) -> Vec<BatchBlock> {
    blocks
        .iter()
        .map(|block| BatchBlock {
            timestamp: block.timestamp,
            anchor_number: block.anchor_number,
            queue_count: block
                .transactions
                .iter()
                .filter(|tx| tx.tx.is_deposit())
                .count() as u64,
            transactions: block
                .transactions
                .iter()
                .filter(|tx| !tx.tx.is_deposit())
                .map(|tx| tx.raw.clone())
                .collect(),
        })
        .collect()
}

pub fn encoder(blocks: &[Block]) -> Result<BatchEncoder, EncodeError> {
    let mut encoder = BatchEncoder::new(RULES, PARENT, batch::blobs::capacity(6));
    for block in blocks {
        encoder.push(block.timestamp, block.anchor_number, &block.transactions)?;
    }
    Ok(encoder)
}

pub fn decode(payload: &[u8]) -> Result<Vec<BatchBlock>, Invalid> {
    batch::decode(payload, &RULES, PARENT)
}

/// The decoded blocks back in the encoder's hands.
pub fn again(blocks: &[BatchBlock]) -> Vec<Block> {
    blocks
        .iter()
        .map(|block| Block {
            timestamp: block.timestamp,
            anchor_number: block.anchor_number,
            transactions: (0..block.queue_count)
                .map(|_| deposit())
                .chain(block.transactions.iter().map(|raw| checked(raw.clone())))
                .collect(),
        })
        .collect()
}

pub fn deposit() -> Arc<CheckedTx> {
    Arc::new(CheckedTx::deposit(TxDeposit::default()))
}

/// Random signatures do not recover; the codec must not care.
pub fn checked(raw: Bytes) -> Arc<CheckedTx> {
    Arc::new(CheckedTx::decode_with_sender(raw, Address::ZERO).expect("a transaction"))
}

fn u64s() -> impl Strategy<Value = u64> {
    prop_oneof![
        0u64..300,
        any::<u64>(),
        Just(u64::MAX),
        Just(21_000),
        Just(u64::MAX / 10 * 10)
    ]
}

fn amounts() -> impl Strategy<Value = U256> {
    prop_oneof![
        Just(U256::ZERO),
        Just(U256::MAX),
        any::<u64>().prop_map(U256::from),
        any::<[u8; 32]>().prop_map(U256::from_be_bytes),
        (1u64..1000, 0u64..75).prop_map(|(m, e)| U256::from(m) * U256::from(10).pow(U256::from(e))),
    ]
}

fn prices() -> impl Strategy<Value = u128> {
    prop_oneof![
        Just(0),
        Just(30_000_000),
        any::<u64>().prop_map(u128::from),
        any::<u128>(),
        Just(u128::MAX)
    ]
}

fn addresses() -> impl Strategy<Value = Address> {
    prop_oneof![
        any::<u8>().prop_map(Address::repeat_byte),
        any::<[u8; 20]>().prop_map(Address::from),
        any::<u8>().prop_map(Address::with_last_byte),
        Just(primitives::predeploys::REVENUE_ROUTER),
    ]
}

fn words() -> impl Strategy<Value = B256> {
    prop_oneof![
        amounts().prop_map(B256::from),
        addresses().prop_map(|a| a.into_word()),
        any::<[u8; 32]>().prop_map(B256::from),
        any::<u8>().prop_map(B256::repeat_byte),
        prop::collection::vec(any::<u8>(), 0..=32)
            .prop_map(|bytes| B256::right_padding_from(&bytes)),
        prop::collection::vec(any::<u8>(), 0..=32)
            .prop_map(|bytes| B256::left_padding_from(&bytes)),
    ]
}

fn inputs() -> impl Strategy<Value = Bytes> {
    let abi = (
        any::<[bool; 4]>(),
        prop::collection::vec(words(), 0..8),
        prop::collection::vec(any::<u8>(), 0..32),
    )
        .prop_map(|(selector, words, tail)| {
            let mut input = selector.map(u8::from).to_vec();
            words
                .iter()
                .for_each(|word| input.extend_from_slice(word.as_slice()));
            input.extend(tail);
            input.into()
        });
    prop_oneof![
        2 => Just(Bytes::new()),
        4 => abi,
        1 => prop::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from),
    ]
}

fn access_lists() -> impl Strategy<Value = AccessList> {
    let item =
        (addresses(), prop::collection::vec(words(), 0..4)).prop_map(|(address, storage_keys)| {
            AccessListItem {
                address,
                storage_keys,
            }
        });
    prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(item, 0..4)].prop_map(AccessList)
}

fn authorizations() -> impl Strategy<Value = Vec<SignedAuthorization>> {
    let one = (
        words(),
        addresses(),
        u64s(),
        any::<u8>(),
        amounts(),
        amounts(),
    )
        .prop_map(|(chain_id, address, nonce, y_parity, r, s)| {
            let chain_id = U256::from_be_bytes(chain_id.0);
            SignedAuthorization::new_unchecked(
                Authorization {
                    chain_id,
                    address,
                    nonce,
                },
                y_parity,
                r,
                s,
            )
        });
    prop::collection::vec(one, 0..3)
}

pub fn transactions() -> impl Strategy<Value = Arc<CheckedTx>> {
    let fields = (
        u64s(),
        u64s(),
        (prices(), prices()),
        prop::option::of(addresses()),
        amounts(),
        inputs(),
    );
    let rest = (
        access_lists(),
        authorizations(),
        amounts(),
        amounts(),
        any::<bool>(),
        0u8..5,
    );
    (fields, rest).prop_map(
        |(
            (nonce, gas_limit, (max_fee, tip), to, value, input),
            (access_list, authorization_list, r, s, v, kind),
        )| {
            let chain_id = RULES.chain_id;
            let signature = Signature::new(r, s, v);
            let to_kind = to.map_or(TxKind::Create, TxKind::Call);
            type Envelope = EthereumTxEnvelope<TxEip4844>;
            let envelope = match kind {
                0 | 1 => {
                    let chain_id = (kind == 0).then_some(chain_id);
                    let tx = TxLegacy {
                        chain_id,
                        nonce,
                        gas_price: max_fee,
                        gas_limit,
                        to: to_kind,
                        value,
                        input,
                    };
                    Envelope::Legacy(tx.into_signed(signature))
                }
                2 => {
                    let tx = TxEip2930 {
                        chain_id,
                        nonce,
                        gas_price: max_fee,
                        gas_limit,
                        to: to_kind,
                        value,
                        access_list,
                        input,
                    };
                    Envelope::Eip2930(tx.into_signed(signature))
                }
                3 => {
                    let tx = TxEip1559 {
                        chain_id,
                        nonce,
                        gas_limit,
                        max_fee_per_gas: max_fee,
                        max_priority_fee_per_gas: tip,
                        to: to_kind,
                        value,
                        access_list,
                        input,
                    };
                    Envelope::Eip1559(tx.into_signed(signature))
                }
                _ => {
                    let tx = TxEip7702 {
                        chain_id,
                        nonce,
                        gas_limit,
                        max_fee_per_gas: max_fee,
                        max_priority_fee_per_gas: tip,
                        to: to.unwrap_or_default(),
                        value,
                        access_list,
                        authorization_list,
                        input,
                    };
                    Envelope::Eip7702(tx.into_signed(signature))
                }
            };
            checked(envelope.encoded_2718().into())
        },
    )
}

pub fn blocks() -> impl Strategy<Value = Vec<Block>> {
    let block = (
        0u64..5,
        0u64..3,
        0usize..3,
        prop::collection::vec(transactions(), 0..6),
    );
    prop::collection::vec(block, 1..6).prop_map(|blocks| {
        let mut last = PARENT;
        blocks
            .into_iter()
            .map(|(seconds, anchors, deposits, signed)| {
                last.timestamp += seconds;
                last.anchor_number += anchors;
                let transactions = std::iter::repeat_with(deposit)
                    .take(deposits)
                    .chain(signed)
                    .collect();
                Block {
                    timestamp: last.timestamp,
                    anchor_number: last.anchor_number,
                    transactions,
                }
            })
            .collect()
    })
}

/// One fixed batch, for tests that walk over its bytes.
pub fn sample() -> Vec<Block> {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    loop {
        let blocks = blocks().new_tree(&mut runner).expect("a value").current();
        let signed = blocks
            .iter()
            .flat_map(|b| &b.transactions)
            .filter(|tx| !tx.tx.is_deposit())
            .count();
        if (6..9).contains(&signed) {
            return blocks;
        }
    }
}
