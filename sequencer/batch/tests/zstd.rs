//! Our block decoder against libzstd and ruzstd: what libzstd writes is read, and what is read, libzstd reads alike.
#![allow(missing_docs)]

use batch::zstd_blocks::{BLOCK_BYTES_MAX, decode};
use proptest::prelude::*;
use std::io::Read;

/// Bytes that look like something: runs, repeats, skewed symbols, noise.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..2000),
        (any::<u8>(), 0usize..5000).prop_map(|(byte, len)| vec![byte; len]),
        (prop::collection::vec(any::<u8>(), 1..60), 1usize..200)
            .prop_map(|(bytes, n)| bytes.repeat(n)),
        prop::collection::vec(prop_oneof![8 => 0u8..4, 1 => any::<u8>()], 0..3000),
        prop::collection::vec(
            (0u8..200).prop_map(|b| b.leading_zeros() as u8 * 3 + b % 3),
            0..3000
        ),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// Our frame: a single segment of exactly `len` bytes.
fn frame(blocks: &[u8], len: usize) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0b1010_0000];
    frame.extend_from_slice(&(len as u32).to_le_bytes());
    frame.extend_from_slice(blocks);
    frame
}

/// Blocks of a frame that libzstd wrote without content size, checksum and dictionary.
fn blocks(content: &[u8], level: i32) -> Vec<u8> {
    let mut zstd = zstd::bulk::Compressor::new(level).unwrap();
    zstd.include_contentsize(false).unwrap();
    zstd.include_checksum(false).unwrap();
    let frame = zstd.compress(content).unwrap();
    assert_eq!(frame[4] & 0b1110_0111, 0, "a plain frame header");
    frame[6..].to_vec()
}

fn libzstd(blocks: &[u8], len: usize) -> Option<Vec<u8>> {
    zstd::bulk::decompress(&frame(blocks, len), len).ok()
}

fn check(content: &[u8]) {
    for level in [-5, 1, 3, 9, 19] {
        let blocks = blocks(content, level);
        assert_eq!(
            decode(&blocks, content.len()).as_deref(),
            Ok(content),
            "level {level}"
        );
        assert!(decode(&blocks, content.len() + 1).is_err());
        if !content.is_empty() {
            assert!(decode(&blocks, content.len() - 1).is_err());
        }
    }
}

#[test]
fn long_content_spans_blocks() {
    let mut x = 1u32;
    let content: Vec<u8> = (0..700_000)
        .map(|i| {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if i / 5000 % 3 == 0 {
                (i % 97) as u8
            } else {
                ((x >> 24) as u8).leading_zeros() as u8 * 17 + (x >> 30) as u8
            }
        })
        .collect();
    check(&content);
    check(&vec![7; 3 * BLOCK_BYTES_MAX + 1]);
}

#[test]
fn a_column_of_our_own_code_reads_alike_in_ruzstd() {
    let content = include_bytes!("../src/transaction.rs");
    let frame = frame(&blocks(content, 3), content.len());
    let mut out = Vec::new();
    ruzstd::decoding::StreamingDecoder::new(frame.as_slice())
        .unwrap()
        .read_to_end(&mut out)
        .unwrap();
    assert_eq!(out, content);
}

#[test]
fn every_truncation_is_refused() {
    let content = include_bytes!("../src/word.rs");
    let blocks = blocks(content, 3);
    for len in 0..blocks.len() {
        assert!(decode(&blocks[..len], content.len()).is_err(), "{len}");
    }
    assert!(decode(&[&blocks[..], &[0]].concat(), content.len()).is_err());
    assert!(
        decode(&[blocks.clone(), blocks].concat(), 2 * content.len()).is_err(),
        "two frames"
    );
}

/// One block of 128 KiB whose sequences each repeat 65 kB: 8 GB, if one believed it.
#[test]
fn a_block_that_claims_gigabytes_is_refused_before_it_grows() {
    // One literal; offset and match length from constant tables: code 52 has sixteen extra bits.
    let mut content = vec![0b0000_1000, 7];
    let sequences = 60_000usize;
    content.push(255);
    content.extend_from_slice(&((sequences - 0x7f00) as u16).to_le_bytes());
    content.extend_from_slice(&[0b0101_0100, 1, 0, 52]);
    content.extend(std::iter::repeat_n(0xff, 2 * sequences));
    content.push(1);
    let mut block = (((content.len() as u32) << 3) | 0b101).to_le_bytes()[..3].to_vec();
    block.extend(content);
    assert!(decode(&block, 8_000_000).is_err());
    assert!(decode(&block, BLOCK_BYTES_MAX).is_err());
}

#[test]
fn runs_stop_at_the_declared_length() {
    // A block of one repeated byte, 128 KiB each.
    let head = |last: u32| ((BLOCK_BYTES_MAX as u32) << 3 | 0b010 | last).to_le_bytes();
    let mut bomb = Vec::new();
    for _ in 0..1000 {
        bomb.extend_from_slice(&[head(0)[0], head(0)[1], head(0)[2], 0]);
    }
    bomb.extend_from_slice(&[head(1)[0], head(1)[1], head(1)[2], 0]);
    assert!(decode(&bomb, 1_000_000).is_err());
    assert!(decode(&bomb[..4], 10).is_err());
    assert_eq!(
        decode(&bomb[4000..], BLOCK_BYTES_MAX),
        Ok(vec![0; BLOCK_BYTES_MAX])
    );
}

#[test]
fn reserved_blocks_and_oversized_blocks_are_refused() {
    assert!(decode(&[0b111, 0, 0], 0).is_err());
    assert!(decode(&[0xff, 0xff, 0xff], usize::MAX).is_err());
    assert!(decode(&[], 0).is_err());
    assert_eq!(decode(&[1, 0, 0], 0), Ok(vec![]));
}

/// A compressed block, and behind it a run of a hundred zeros: a column is longer than what is stored of it.
fn before_a_run(content: &[u8]) -> Vec<u8> {
    let head = ((content.len() as u32) << 3 | 0b100).to_le_bytes();
    [&head[..3], content, &[(100u32 << 3) as u8 | 0b011, 3, 0, 0]].concat()
}

/// Literals in four streams over a tree of two codes, each of one bit; all of them are the first code.
fn four_streams(literals: usize) -> Vec<u8> {
    let quarter = literals.div_ceil(4);
    let last = literals.saturating_sub(3 * quarter);
    let mut stored = vec![128, 0x10, 1, 0, 1, 0, 1, 0];
    stored.extend([quarter, quarter, quarter, last].map(|count| 1u8 << count));
    let head = 0b0110 | (literals as u32) << 4 | (stored.len() as u32) << 14;
    before_a_run(&[&head.to_le_bytes()[..3], &stored, &[0]].concat())
}

#[test]
fn four_streams_begin_at_six_literals() {
    for literals in 0..12 {
        let blocks = four_streams(literals);
        let want = (literals >= 6).then(|| vec![0; literals + 100]);
        assert_eq!(decode(&blocks, literals + 100).ok(), want, "{literals}");
        assert_eq!(
            libzstd(&blocks, literals + 100),
            want,
            "{literals} in libzstd"
        );
    }
}

#[test]
fn a_table_of_one_symbol_is_refused() {
    // Four bytes; then no literals, and one repeat of three bytes from four before, whose three codes are all 0.
    let begin = [4 << 3, 0, 0, 1, 2, 3, 4];
    let want = [vec![1, 2, 3, 4, 1, 2, 3], vec![0; 100]].concat();
    let constant = before_a_run(&[0, 1, 0b01_01_01_00, 0, 0, 0, 1]);
    assert_eq!(
        decode(&[&begin[..], &constant].concat(), 107).as_ref(),
        Ok(&want)
    );
    // Code 0 with all 32 states, so that each of the three first states takes five bits.
    let described = before_a_run(&[0, 1, 0b10_10_10_00, 0xf0, 3, 0xf0, 3, 0xf0, 3, 0, 0x80]);
    let described = [&begin[..], &described].concat();
    assert!(decode(&described, 107).is_err());
    assert_eq!(libzstd(&described, 107), Some(want), "libzstd forgives it");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_libzstd_writes_is_read(content in content()) {
        check(&content);
    }

    #[test]
    fn what_is_read_after_damage_libzstd_reads_alike(
        content in content(),
        level in prop_oneof![Just(-5), Just(3), Just(19)],
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut blocks = blocks(&content, level);
        for (at, xor) in damage {
            let at = at.index(blocks.len());
            blocks[at] ^= xor;
        }
        if let Ok(read) = decode(&blocks, content.len()) {
            prop_assert_eq!(libzstd(&blocks, content.len()), Some(read));
        }
    }

    #[test]
    fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..400), len in 0usize..100_000) {
        if let Ok(read) = decode(&noise, len) {
            prop_assert_eq!(read.len(), len);
        }
        // The same as the content of one compressed block.
        let head = (((noise.len() as u32) << 3) | 0b101).to_le_bytes();
        let _ = decode(&[&head[..3], &noise].concat(), len);
    }
}
