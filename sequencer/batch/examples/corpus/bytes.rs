//! Damage that knows nothing of what it damages.

use crate::payload::{Columns, from_varints, varints};
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};

/// Numbers at which something changes.
const EDGES: &[u64] = &[
    0,
    1,
    2,
    3,
    4,
    14,
    15,
    16,
    127,
    128,
    255,
    256,
    16_383,
    16_384,
    62_500,
    62_501,
    1 << 31,
    1 << 32,
    1 << 55,
    1 << 56,
    1 << 57,
    1 << 62,
    1 << 63,
    u64::MAX,
];

/// Changes `bytes` in one to three places; says how.
pub fn damage(bytes: &mut Vec<u8>, rng: &mut StdRng) -> String {
    let times = rng.random_range(1..=3);
    let texts: Vec<_> = (0..times).map(|_| once(bytes, rng)).collect();
    texts.join(", ")
}

fn once(bytes: &mut Vec<u8>, rng: &mut StdRng) -> String {
    let at = rng.random_range(0..=bytes.len());
    let end = (at + rng.random_range(1..9)).min(bytes.len());
    let way = if at == bytes.len() {
        3
    } else {
        rng.random_range(0..9)
    };
    match way {
        0..3 => {
            let bit = rng.random_range(0..8);
            bytes[at] ^= 1 << bit;
            format!("bit {bit} of {at}")
        }
        3 => {
            let byte = rng.random();
            bytes.insert(at, byte);
            format!("{byte} put in at {at}")
        }
        4 => {
            bytes.drain(at..end);
            format!("{at} to {end} taken out")
        }
        5 => {
            bytes.truncate(at);
            format!("cut at {at}")
        }
        6 => {
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
            format!("{at} to {end} twice")
        }
        _ => {
            bytes[at] = *[0, 1, 0x7f, 0x80, 0xff, rng.random()]
                .choose(rng)
                .expect("not empty");
            format!("{at} set to {}", bytes[at])
        }
    }
}

/// Damages one column, or two; as bytes or as numbers.
pub fn damage_columns(columns: &mut Columns, rng: &mut StdRng) -> String {
    let times = rng.random_range(1..=2);
    let texts: Vec<_> = (0..times).map(|_| damage_column(columns, rng)).collect();
    texts.join("; ")
}

fn damage_column(columns: &mut Columns, rng: &mut StdRng) -> String {
    let filled: Vec<_> = (0..columns.len())
        .filter(|i| !columns[*i].is_empty())
        .collect();
    let index = match rng.random_bool(0.9) {
        true => *filled.choose(rng).expect("an honest batch has blocks"),
        false => rng.random_range(0..columns.len()),
    };
    let column = &mut columns[index];
    let how = match rng.random_bool(0.5) {
        true => damage(column, rng),
        false => damage_number(column, rng),
    };
    format!("column {index}: {how}")
}

/// Sets one number to another, or writes it longer than it must be.
fn damage_number(column: &mut Vec<u8>, rng: &mut StdRng) -> String {
    let mut numbers = varints(column);
    if numbers.is_empty() {
        return damage(column, rng);
    }
    let at = rng.random_range(0..numbers.len());
    if rng.random_bool(0.2) {
        let mut longer = from_varints(&numbers[..=at]);
        *longer.last_mut().expect("not empty") |= 0x80;
        longer.push(0);
        longer.extend(from_varints(&numbers[at + 1..]));
        *column = longer;
        return format!("number {at} longer");
    }
    let number = match rng.random_range(0..3) {
        0 => numbers[at].wrapping_add(1),
        1 => numbers[at].wrapping_sub(1),
        _ => *EDGES.choose(rng).expect("not empty"),
    };
    numbers[at] = number;
    *column = from_varints(&numbers);
    format!("number {at} set to {number}")
}
