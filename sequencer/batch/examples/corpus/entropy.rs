//! Zstandard blocks, honest, odd and damaged, in a batch in which any bytes are valid: the init code of one creation.

use crate::{
    Case, blocks, bytes,
    payload::{COLUMNS, at, put_blocks, put_raw, put_varint, zstd_blocks},
};
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};

const BLOCK_BYTES_MAX: usize = 128 * 1024;

/// One transaction of type 2 whose init code is what `blocks` give, said to be `length` bytes.
fn creation(length: usize, blocks: &[u8]) -> Vec<u8> {
    let mut payload = vec![1];
    for column in 0..COLUMNS {
        match column {
            0..=2 | 5..=13 | 17 | 18 => put_raw(
                &mut payload,
                if matches!(column, 11 | 12) {
                    &[0, 0]
                } else if column == 13 {
                    &[]
                } else {
                    &[0]
                },
            ),
            at::BLOCK_TXS => put_raw(&mut payload, &[1]),
            at::KINDS => put_raw(&mut payload, &[10]),
            at::REST => put_blocks(&mut payload, length, blocks),
            at::COUNTS => {
                let mut counts = Vec::new();
                put_varint(&mut counts, length as u64);
                counts.push(0);
                put_raw(&mut payload, &counts);
            }
            35 => put_raw(&mut payload, &[7; 64]),
            _ => put_raw(&mut payload, &[]),
        }
    }
    payload
}

/// What libzstd gives for `blocks`, which may be less strict than what a batch asks for.
fn libzstd_length(blocks: &[u8]) -> Option<usize> {
    // A window of 8 MiB and no content size.
    let frame = [&[0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3][..], blocks].concat();
    zstd::bulk::decompress(&frame, 4 * BLOCK_BYTES_MAX)
        .ok()
        .map(|content| content.len())
}

pub fn cases(rng: &mut StdRng) -> Vec<Case> {
    let content = content(rng);
    let level = *[-5, 1, 3, 9, 19].choose(rng).expect("not empty");
    let honest = zstd_blocks(&content, level);
    let mut cases = vec![Case::payload(
        format!("zstd level {level}"),
        creation(content.len(), &honest),
    )];
    let odd = odd(&content, rng);
    cases.push(Case::payload(
        "blocks of all sorts",
        creation(content.len(), &odd),
    ));
    for _ in 0..20 {
        let (blocks, length) = blocks::by_hand(rng);
        cases.push(Case::payload("blocks by hand", creation(length, &blocks)));
    }
    for _ in 0..20 {
        let mut blocks = honest.clone();
        let how = bytes::damage(&mut blocks, rng);
        let length = libzstd_length(&blocks).unwrap_or(content.len());
        cases.push(Case::payload(
            format!("zstd: {how}"),
            creation(length, &blocks),
        ));
    }
    cases
}

/// Bytes that give short and long blocks, with every sort of literals and sequences.
fn content(rng: &mut StdRng) -> Vec<u8> {
    let mut content = Vec::new();
    let most = if rng.random_bool(0.05) { 200_000 } else { 400 };
    let symbols = *[2, 3, 5, 17, 60, 256].choose(rng).expect("not empty");
    while content.len() < 24 || rng.random_bool(0.7) {
        let len = rng.random_range(1..=most);
        match rng.random_range(0..3) {
            0 => content.resize(content.len() + len, rng.random()),
            1 => content.extend((0..len).map(|_| {
                let skewed = rng.random_range(0..symbols) * rng.random_range(0..symbols) / symbols;
                b'0'.wrapping_add(skewed as u8)
            })),
            _ if content.is_empty() => {}
            _ => {
                let from = rng.random_range(0..content.len());
                let len = len.min(content.len() - from);
                content.extend_from_within(from..from + len);
            }
        }
    }
    content
}

/// `content` in blocks of random kinds and sizes, empty ones among them.
fn odd(content: &[u8], rng: &mut StdRng) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = content;
    loop {
        let run = rest
            .iter()
            .take_while(|byte| Some(*byte) == rest.first())
            .count();
        let run = run.min(BLOCK_BYTES_MAX);
        let part = rng.random_range(0..=rest.len().min(BLOCK_BYTES_MAX));
        let (kind, size, stored) = match rng.random_range(0..4) {
            0 => (0, part, &rest[..part]),
            1 if run > 0 => (1, run, &rest[..1]),
            _ => {
                // A block that libzstd made stands by itself: its tables come with it, and its repeats stay in it.
                let made = zstd_blocks(&rest[..part], 3);
                let whole = 3 + (u32::from_le_bytes([made[0], made[1], made[2], 0]) >> 3) as usize;
                if made[0] >> 1 & 3 == 2 && made.len() == whole && out.is_empty() {
                    out.push(made[0] & !1);
                    out.extend_from_slice(&made[1..]);
                    rest = &rest[part..];
                    continue;
                }
                (0, part, &rest[..part])
            }
        };
        rest = &rest[size..];
        let last = rest.is_empty() && rng.random();
        let head = (size as u32) << 3 | kind << 1 | u32::from(last);
        out.extend_from_slice(&head.to_le_bytes()[..3]);
        out.extend_from_slice(stored);
        if last {
            return out;
        }
    }
}
