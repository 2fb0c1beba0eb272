//! What goes in comes out, and a batch knows when it is full.
#![allow(missing_docs)]

mod common;

use alloy_primitives::{Address, Bytes, keccak256};
use batch::{BatchEncoder, EncodeError, Parent, Rules};
use common::*;
use primitives::CheckedTx;
use proptest::prelude::*;
use std::sync::Arc;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn blocks_survive(blocks in blocks()) {
        let payload = encoder(&blocks).unwrap().finish();
        let decoded = decode(&payload).unwrap();
        prop_assert_eq!(&decoded, &expected(&blocks));
        let hashes = blocks.iter().flat_map(|b| &b.transactions).filter(|tx| !tx.tx.is_deposit()).map(|tx| tx.hash);
        prop_assert!(hashes.eq(decoded.iter().flat_map(|b| &b.transactions).map(keccak256)));
    }

    #[test]
    fn without_entropy_they_survive_too(blocks in blocks()) {
        prop_assert_eq!(decode(&encoder(&blocks).unwrap().finish_raw()).unwrap(), expected(&blocks));
    }

    #[test]
    fn the_measure_is_an_upper_bound(blocks in blocks()) {
        let mut encoder = encoder(&blocks).unwrap();
        let bound = encoder.size();
        let measured = encoder.measure();
        prop_assert!(measured <= bound);
        prop_assert!(encoder.finish().len() <= measured);
    }

    #[test]
    fn a_refused_block_leaves_no_trace(blocks in blocks(), refused in blocks()) {
        let mut plain = BatchEncoder::new(RULES, PARENT, 1_000_000);
        let mut tried = BatchEncoder::new(RULES, PARENT, 1_000_000);
        for block in &blocks {
            plain.push(block.timestamp, block.anchor_number, &block.transactions).unwrap();
            tried.push(block.timestamp, block.anchor_number, &block.transactions).unwrap();
            let mut broken = refused.iter().flat_map(|b| b.transactions.clone()).collect::<Vec<_>>();
            broken.extend([signed_with_chain_id(903), deposit()]);
            let error = tried.push(block.timestamp, block.anchor_number, &broken);
            prop_assert!(matches!(error, Err(EncodeError::Unfit(_))));
        }
        prop_assert_eq!(plain.finish(), tried.finish());
    }
}

/// A legacy transaction of another chain, from its raw fields.
fn signed_with_chain_id(chain_id: u64) -> Arc<CheckedTx> {
    use alloy_consensus::{EthereumTxEnvelope, SignableTransaction, TxEip4844, TxLegacy};
    use alloy_eips::eip2718::Encodable2718;
    let tx = TxLegacy {
        chain_id: Some(chain_id),
        ..Default::default()
    };
    let signature = alloy_primitives::Signature::test_signature();
    checked(
        EthereumTxEnvelope::<TxEip4844>::Legacy(tx.into_signed(signature))
            .encoded_2718()
            .into(),
    )
}

fn noisy(n: u64) -> Arc<CheckedTx> {
    use alloy_consensus::{EthereumTxEnvelope, SignableTransaction, TxEip1559, TxEip4844};
    use alloy_eips::eip2718::Encodable2718;
    let noise = |i: u64| keccak256((n << 8 | i).to_be_bytes());
    let tx = TxEip1559 {
        chain_id: RULES.chain_id,
        nonce: n % 3,
        gas_limit: 21_000,
        to: Address::from_word(noise(0)).into(),
        ..Default::default()
    };
    let signature =
        alloy_primitives::Signature::new(noise(1).into(), noise(2).into(), n.is_multiple_of(2));
    checked(Bytes::from(
        EthereumTxEnvelope::<TxEip4844>::Eip1559(tx.into_signed(signature)).encoded_2718(),
    ))
}

fn unfit(timestamp: u64, anchor: u64, txs: &[Arc<CheckedTx>]) -> bool {
    let mut encoder = BatchEncoder::new(RULES, PARENT, 1000);
    matches!(
        encoder.push(timestamp, anchor, txs),
        Err(EncodeError::Unfit(_))
    )
}

#[test]
fn time_and_anchors_do_not_fall() {
    assert!(unfit(PARENT.timestamp - 1, PARENT.anchor_number, &[]));
    assert!(unfit(PARENT.timestamp, PARENT.anchor_number - 1, &[]));
    assert!(!unfit(PARENT.timestamp, PARENT.anchor_number, &[]));
}

#[test]
fn deposits_come_first() {
    let (time, anchor) = (PARENT.timestamp, PARENT.anchor_number);
    assert!(unfit(time, anchor, &[noisy(1), deposit()]));
    assert!(!unfit(time, anchor, &[deposit(), noisy(1)]));
}

#[test]
fn another_chain_id_is_not_posted() {
    assert!(unfit(
        PARENT.timestamp,
        PARENT.anchor_number,
        &[signed_with_chain_id(903)]
    ));
}

/// Fills batches with blocks of `per_block` transactions until full; says how many went in and the payload's length.
fn fill(bytes_max: usize, per_block: u64) -> (usize, usize) {
    let mut encoder = BatchEncoder::new(RULES, PARENT, bytes_max);
    let mut n = 0;
    loop {
        let block: Vec<_> = (n..n + per_block).map(noisy).collect();
        match encoder.push(PARENT.timestamp + n, PARENT.anchor_number, &block) {
            Ok(()) => n += per_block,
            Err(error) => {
                assert_eq!(error, EncodeError::Full);
                let txs = encoder.transactions();
                assert_eq!(txs as u64, n);
                return (txs, encoder.finish().len());
            }
        }
    }
}

#[test]
fn a_batch_fills_its_limit_and_never_passes_it() {
    for (bytes_max, per_block) in [(120_000, 7), (batch::blobs::capacity(1), 40), (20_000, 1)] {
        let (txs, len) = fill(bytes_max, per_block);
        assert!(len <= bytes_max, "{len} > {bytes_max}");
        assert!(
            len + 110 * per_block as usize + bytes_max / 50 > bytes_max,
            "{len} of {bytes_max} used"
        );
        assert!(
            txs * 86 > bytes_max * 9 / 10,
            "{txs} transactions in {bytes_max}"
        );
    }
}

#[test]
fn a_batch_ends_at_blocks_max_and_at_decoded_bytes_max() {
    let mut encoder = BatchEncoder::new(
        Rules {
            blocks_max: 2,
            ..RULES
        },
        Parent::default(),
        100_000,
    );
    assert_eq!(
        [1, 2, 3].map(|t| encoder.push(t, 0, &[]).is_ok()),
        [true, true, false]
    );
    let small = Rules {
        decoded_bytes_max: 1000,
        ..RULES
    };
    let mut encoder = BatchEncoder::new(small, Parent::default(), 100_000);
    let pushed = (0..20)
        .take_while(|n| encoder.push(*n, 0, &[noisy(*n)]).is_ok())
        .count();
    assert!((5..12).contains(&pushed), "{pushed}");
    assert_eq!(
        batch::decode(&encoder.finish(), &small, Parent::default())
            .unwrap()
            .len(),
        pushed
    );
}
