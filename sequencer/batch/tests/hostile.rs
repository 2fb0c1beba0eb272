//! Payloads that nobody honest writes.
#![allow(missing_docs)]

mod common;

use batch::{Invalid, Parent, Rules};
use common::*;
use proptest::prelude::*;

/// Damaged bytes either do not decode, or they are the one way to write what they decode to.
fn canonical(payload: &[u8]) {
    if let Ok(blocks) = decode(payload) {
        if blocks.iter().any(|block| block.queue_count > 10_000) {
            return; // More deposits than this test wants to make.
        }
        assert_eq!(encoder(&again(&blocks)).unwrap().finish_raw(), payload);
    }
}

#[test]
fn every_truncation_is_refused() {
    for payload in [
        encoder(&sample()).unwrap().finish(),
        encoder(&sample()).unwrap().finish_raw(),
    ] {
        assert!(decode(&payload).is_ok());
        for len in 0..payload.len() {
            assert!(
                decode(&payload[..len]).is_err(),
                "{len} of {}",
                payload.len()
            );
        }
    }
}

#[test]
fn a_byte_more_is_refused() {
    for mut payload in [
        encoder(&sample()).unwrap().finish(),
        encoder(&sample()).unwrap().finish_raw(),
    ] {
        payload.push(0);
        assert_eq!(decode(&payload), Err(Invalid::Trailing));
    }
}

#[test]
fn an_unknown_version_is_refused() {
    let mut payload = encoder(&sample()).unwrap().finish();
    for version in [0, 2, 255] {
        payload[0] = version;
        assert_eq!(decode(&payload), Err(Invalid::Version));
    }
    assert_eq!(decode(&[]), Err(Invalid::Version));
}

#[test]
fn every_bit_flip_is_refused_or_canonical() {
    let payload = encoder(&sample()).unwrap().finish_raw();
    for bit in 0..payload.len() * 8 {
        let mut flipped = payload.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        canonical(&flipped);
        assert_ne!(
            decode(&flipped).ok(),
            decode(&payload).ok(),
            "bit {bit} means nothing"
        );
    }
}

#[test]
fn every_bit_flip_of_the_compressed_form_is_refused_or_different() {
    let payload = encoder(&sample()).unwrap().finish();
    for bit in 0..payload.len() * 8 {
        let mut flipped = payload.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let _ = decode(&flipped);
    }
}

/// A payload of 36 columns from their raw bytes.
fn columns(given: &[(usize, &[u8])]) -> Vec<u8> {
    let mut payload = vec![1];
    for index in 0..36 {
        let column = given
            .iter()
            .find(|(i, _)| *i == index)
            .map_or(&[][..], |(_, bytes)| bytes);
        assert!(column.len() < 64);
        payload.push((column.len() as u8) << 1);
        payload.extend_from_slice(column);
    }
    payload
}

/// The four block columns of one block with `txs` transactions, and `more`.
fn one_block(txs: u8, more: &[(usize, &[u8])]) -> Result<usize, Invalid> {
    let mut given: Vec<(usize, &[u8])> = vec![(0, &[0]), (1, &[0]), (2, &[0])];
    let txs = [txs];
    given.push((3, &txs));
    given.extend(more);
    decode(&columns(&given)).map(|blocks| blocks.len())
}

#[test]
fn one_empty_block_is_the_smallest_batch() {
    assert_eq!(one_block(0, &[]), Ok(1));
    assert_eq!(decode(&columns(&[])), Err(Invalid::Blocks));
}

#[test]
fn transactions_that_are_not_there_are_refused() {
    assert_eq!(one_block(1, &[]), Err(Invalid::Short));
    assert_eq!(one_block(127, &[(4, &[0])]), Err(Invalid::Parity));
}

#[test]
fn bits_behind_the_last_transaction_are_refused() {
    assert_eq!(one_block(1, &[(4, &[0]), (5, &[2])]), Err(Invalid::Parity));
    assert_eq!(
        one_block(1, &[(4, &[0]), (5, &[0, 0])]),
        Err(Invalid::Parity)
    );
}

#[test]
fn unknown_kinds_are_refused() {
    for kind in [3, 6, 7, 4 | 8, 16, 0x7e, 0xff] {
        assert_eq!(
            one_block(1, &[(4, &[kind]), (5, &[0])]),
            Err(Invalid::Kind(kind))
        );
    }
}

#[test]
fn a_column_nobody_reads_is_refused() {
    assert_eq!(one_block(0, &[(31, &[1])]), Err(Invalid::Unused("rest")));
    assert_eq!(
        one_block(0, &[(4, &[0]), (5, &[0])]),
        Err(Invalid::Unused("kinds"))
    );
}

#[test]
fn time_and_anchors_do_not_overflow() {
    let max = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    let payload = columns(&[(0, &max), (1, &[0]), (2, &[0]), (3, &[0])]);
    assert_eq!(decode(&payload), Err(Invalid::Overflow));
    let blocks = batch::decode(&payload, &RULES, Parent::default()).unwrap();
    assert_eq!(blocks[0].timestamp, u64::MAX);
    let payload = columns(&[(0, &[0]), (1, &max), (2, &max), (3, &[0])]);
    assert_eq!(decode(&payload), Err(Invalid::Overflow));
    assert_eq!(
        batch::decode(&payload, &RULES, Parent::default()).unwrap()[0].queue_count,
        u64::MAX
    );
}

#[test]
fn declared_lengths_are_checked_before_memory_is_taken() {
    // 2^62 bytes in one column, raw and compressed.
    let huge = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1];
    assert_eq!(decode(&[&[1], &huge[..]].concat()), Err(Invalid::TooLarge));
    let mut odd = huge;
    odd[0] |= 1;
    assert_eq!(
        decode(&[&[1], &odd[..], &[4, 0xff, 0xff, 0xff, 0]].concat()),
        Err(Invalid::TooLarge)
    );
}

#[test]
fn columns_are_bounded_together() {
    // 131072 zeros out of four bytes, in each of 36 columns; a limit of one million lets seven through.
    let head = (131_072u32 << 3 | 0b011).to_le_bytes();
    let column = [0x81, 0x80, 0x10, 4, head[0], head[1], head[2], 0];
    let payload = [&[1][..], &column.repeat(36)].concat();
    let rules = Rules {
        decoded_bytes_max: 1_000_000,
        ..RULES
    };
    assert_eq!(
        batch::decode(&payload, &rules, PARENT),
        Err(Invalid::TooLarge)
    );
}

#[test]
fn one_byte_does_not_become_calldata_without_end() {
    // One call shape of 2^40 bytes: refused by size, before any word is read.
    let call: Vec<(usize, &[u8])> = vec![
        (4, &[0]),
        (5, &[0]),
        (6, &[0]),
        (7, &[0]),
        (8, &[0]),
        (9, &[0]),
        (10, &[0]),
        (11, &[0, 0]),
        (12, &[0, 0]),
        (14, &[1]),
        (15, &[0]),
        (17, &[0]),
        (18, &[0]),
        (20, &[0]),
        (21, &[0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 1, 2, 3, 4]),
    ];
    assert_eq!(one_block(1, &call), Err(Invalid::TooLarge));
}

#[test]
fn a_zstd_column_as_long_as_the_column_is_refused() {
    // block_times: one raw zstd block of one byte takes four.
    let payload = columns(&[(0, &[0]), (1, &[0]), (2, &[0]), (3, &[0])]);
    let stored = [&[1, 3, 4, 9, 0, 0, 0][..], &payload[3..]].concat();
    assert_eq!(decode(&stored), Err(Invalid::Compression("block_times")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damage_is_refused_or_canonical(
        blocks in blocks(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut payload = encoder(&blocks).unwrap().finish_raw();
        for (at, byte) in damage {
            let at = at.index(payload.len());
            payload[at] = byte;
        }
        canonical(&payload);
    }

    #[test]
    fn damage_of_the_compressed_form_never_panics(
        blocks in blocks(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut payload = encoder(&blocks).unwrap().finish();
        for (at, byte) in damage {
            let at = at.index(payload.len());
            payload[at] = byte;
        }
        let _ = decode(&payload);
    }

    #[test]
    fn noise_never_panics(mut noise in prop::collection::vec(any::<u8>(), 0..500)) {
        let _ = decode(&noise);
        if let Some(first) = noise.first_mut() {
            *first = 1;
        }
        let _ = decode(&noise);
    }
}
