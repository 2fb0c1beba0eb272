//! Payloads as their columns, and back, without the encoder's judgement.

use rand::{Rng, rngs::StdRng};

pub const COLUMNS: usize = 36;

/// Places of the columns that are changed by name.
pub mod at {
    pub const BLOCK_TXS: usize = 3;
    pub const KINDS: usize = 4;
    pub const GAS_REFS: usize = 8;
    pub const GAS_NEW: usize = 9;
    pub const FEE: [usize; 3] = [11, 12, 13];
    pub const TO_REFS: [usize; 2] = [14, 15];
    pub const ADDRESSES: usize = 16;
    pub const VALUE: [usize; 3] = [17, 18, 19];
    pub const WORD_HEADS: usize = 22;
    pub const WORD_BYTES: usize = 23;
    pub const WORD: [usize; 3] = [24, 25, 26];
    pub const WORD_ADDRESSES: [usize; 2] = [27, 28];
    pub const WHOLE_REFS: usize = 29;
    pub const WHOLES: usize = 30;
    pub const REST: usize = 31;
    pub const COUNTS: usize = 32;
}

pub type Columns = Vec<Vec<u8>>;

pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The varint at `at`, and where it ends.
pub fn varint(bytes: &[u8], mut at: usize) -> Option<(u64, usize)> {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = *bytes.get(at)?;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        (at, shift) = (at + 1, shift + 7);
        if byte < 0x80 {
            return Some((value, at));
        }
    }
}

/// All varints of a column that holds nothing else.
pub fn varints(column: &[u8]) -> Vec<u64> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some((value, end)) = varint(column, at) {
        found.push(value);
        at = end;
    }
    found
}

pub fn from_varints(values: &[u64]) -> Vec<u8> {
    let mut column = Vec::new();
    values
        .iter()
        .for_each(|value| put_varint(&mut column, *value));
    column
}

/// The columns of a payload that stores them as they are.
pub fn split(payload: &[u8]) -> Columns {
    let mut at = 1;
    (0..COLUMNS)
        .map(|_| {
            let (head, begin) = varint(payload, at).expect("an honest payload");
            at = begin + (head >> 1) as usize;
            payload[begin..at].to_vec()
        })
        .collect()
}

/// A payload that stores all columns as they are.
pub fn raw(columns: &Columns) -> Vec<u8> {
    let mut payload = vec![1];
    columns
        .iter()
        .for_each(|column| put_raw(&mut payload, column));
    payload
}

pub fn put_raw(payload: &mut Vec<u8>, column: &[u8]) {
    put_varint(payload, 2 * column.len() as u64);
    payload.extend_from_slice(column);
}

pub fn put_blocks(payload: &mut Vec<u8>, length: usize, blocks: &[u8]) {
    put_varint(payload, 2 * length as u64 + 1);
    put_varint(payload, blocks.len() as u64);
    payload.extend_from_slice(blocks);
}

/// A payload whose columns are compressed now and then, by whatever level.
pub fn mixed(columns: &Columns, rng: &mut StdRng) -> Vec<u8> {
    let mut payload = vec![1];
    for column in columns {
        let blocks = zstd_blocks(column, [-5, 1, 3, 19][rng.random_range(0..4)]);
        if blocks.len() < column.len() && rng.random_bool(0.7) {
            put_blocks(&mut payload, column.len(), &blocks);
        } else {
            put_raw(&mut payload, column);
        }
    }
    payload
}

/// The blocks that libzstd writes for `content`.
pub fn zstd_blocks(content: &[u8], level: i32) -> Vec<u8> {
    let mut zstd = zstd::bulk::Compressor::new(level).expect("libzstd");
    zstd.include_contentsize(false).expect("libzstd");
    zstd.include_checksum(false).expect("libzstd");
    let frame = zstd.compress(content).expect("libzstd");
    assert_eq!(frame[4] & 0b1110_0111, 0, "a plain frame header");
    frame[6..].to_vec()
}
