//! Zstandard blocks written by hand: forms that libzstd never writes, some of which it does not read either.

use rand::{Rng, rngs::StdRng, seq::IndexedRandom};

/// Weights of all literals of a tree, the last one included, which a description leaves out. The last three are not trees.
const TREES: [&[u8]; 9] = [
    &[1, 1],
    &[1, 1, 2],
    &[2, 1, 1],
    &[1, 1, 1, 1],
    &[3, 0, 0, 2, 1, 1],
    &[1, 4, 3, 2, 0, 1],
    &[2, 2],
    &[3, 2, 2],
    &[1],
];

/// Extra bits of the codes used here.
const LITERAL_CODES: [(u8, u32, u32); 4] = [(0, 0, 0), (1, 1, 0), (3, 3, 0), (17, 18, 1)];
const MATCH_CODES: [(u8, u32, u32); 4] = [(0, 3, 0), (5, 8, 0), (33, 37, 1), (43, 131, 7)];

/// One to four blocks, then a run that makes the column longer than what is stored; and what they give if they are valid.
pub fn by_hand(rng: &mut StdRng) -> (Vec<u8>, usize) {
    let (mut out, mut length) = (Vec::new(), 0);
    if rng.random() {
        // Something for repeats to reach.
        out.extend([0x40, 1, 0]); // 40 bytes as they are
        out.extend(rng.random::<[u8; 40]>());
        length += 40;
    }
    for _ in 0..rng.random_range(1..=4) {
        let (content, gives) = compressed(rng);
        out.extend_from_slice(&((content.len() as u32) << 3 | 0b100).to_le_bytes()[..3]);
        out.extend(content);
        length += gives;
    }
    let run = out.len() as u32 + 5;
    out.extend_from_slice(&(run << 3 | 0b011).to_le_bytes()[..3]);
    out.push(rng.random());
    (out, length + run as usize)
}

fn compressed(rng: &mut StdRng) -> (Vec<u8>, usize) {
    // Enough literals in front for repeats to reach, most of the time.
    let literals = *[0, 1, 2, 3, 4, 5, 6, 7, 9, 31, 32, 60]
        .choose(rng)
        .expect("not empty");
    let mut out = match rng.random_range(0..3) {
        0 => plain_literals(literals, rng),
        _ => coded_literals(literals, rng),
    };
    let gives = sequences(literals, &mut out, rng);
    (out, literals + gives)
}

/// As they are, or one repeated; the size in any of the forms that hold it.
fn plain_literals(size: usize, rng: &mut StdRng) -> Vec<u8> {
    let kind = rng.random_range(0..2u32);
    let form = rng.random_range(u32::from(size > 31)..4) | u32::from(size > 31);
    let number = size as u32;
    let (head, width) = match form {
        0 | 2 => (number << 3 | form << 2 | kind, 1),
        1 => (number << 4 | form << 2 | kind, 2),
        _ => (number << 4 | form << 2 | kind, 3),
    };
    let mut out = head.to_le_bytes()[..width].to_vec();
    out.extend((0..if kind == 0 { size } else { 1 }).map(|_| rng.random::<u8>()));
    out
}

/// Huffman-coded with a tree described weight by weight, or with the one before.
fn coded_literals(size: usize, rng: &mut StdRng) -> Vec<u8> {
    let valid = if rng.random_bool(0.9) {
        TREES.len() - 3
    } else {
        TREES.len()
    };
    let tree = TREES[rng.random_range(0..valid)];
    let form = rng.random_range(0..4u64);
    let quarter = size.div_ceil(4);
    let parts = match form {
        0 => vec![size],
        _ => vec![quarter, quarter, quarter, size.saturating_sub(3 * quarter)],
    };
    let streams: Vec<_> = parts
        .into_iter()
        .map(|count| stream(tree, count, rng))
        .collect();
    let treeless = rng.random_bool(0.2);
    let mut stored = Vec::new();
    if !treeless && tree == [1, 1, 2] && rng.random() {
        // Two states, both of them weight 1, and no bits for a third.
        let (table, (state, log)) = described(1, 12, 6, rng);
        let weights = [table, backward(&[(state, log), (state, log)])].concat();
        stored.push(weights.len() as u8);
        stored.extend(weights);
    } else if !treeless {
        let described = &tree[..tree.len() - 1];
        stored.push(127 + described.len() as u8);
        stored.extend(
            described
                .chunks(2)
                .map(|two| (two[0] << 4) | two.get(1).unwrap_or(&0)),
        );
    }
    if form > 0 {
        streams[..3]
            .iter()
            .for_each(|s| stored.extend((s.len() as u16).to_le_bytes()));
    }
    stored.extend(streams.concat());
    let (width, header) = [(10, 3), (10, 3), (14, 4), (18, 5)][form as usize];
    let kind = 2 + u64::from(treeless);
    let head = kind | form << 2 | (size as u64) << 4 | (stored.len() as u64) << (4 + width);
    [&head.to_le_bytes()[..header], &stored].concat()
}

/// `count` random literals of a tree; now and then a bit more or less than that.
fn stream(tree: &[u8], count: usize, rng: &mut StdRng) -> Vec<u8> {
    let total: u32 = tree.iter().map(|weight| 1 << weight >> 1).sum();
    let log = total.ilog2();
    let (mut codes, mut start) = (Vec::new(), 0);
    for weight in 1..=log {
        for _ in tree.iter().filter(|its| u32::from(**its) == weight) {
            codes.push((start >> (weight - 1), log + 1 - weight));
            start += 1 << (weight - 1);
        }
    }
    let mut bits: Vec<_> = (0..count)
        .filter_map(|_| codes.choose(rng).copied())
        .collect();
    slip(&mut bits, rng);
    backward(&bits)
}

/// Repeats of one kind: codes from constant tables, so that only extra bits are in the stream.
fn sequences(literals: usize, out: &mut Vec<u8>, rng: &mut StdRng) -> usize {
    let (literal_code, literal_base, literal_width) =
        *LITERAL_CODES.choose(rng).expect("not empty");
    let (match_code, match_base, match_width) = *MATCH_CODES.choose(rng).expect("not empty");
    let offset_code = *[0u8, 0, 0, 1, 1, 2, 2, 3, 3, 5, 5, 31, 32]
        .choose(rng)
        .expect("not empty");
    let most = match literal_base {
        0 => 3,
        base => literals as u32 / base,
    };
    let count = rng.random_range(0..=most.min(3));
    match rng.random_range(0..3) {
        0 => out.push(count as u8),
        1 => out.extend([128, count as u8]),
        _ if count == 0 => out.push(0),
        _ => out.push(count as u8),
    }
    if count == 0 {
        return 0;
    }
    let mut bits = Vec::new();
    if count == 1 && rng.random() {
        // Nothing follows the first states, so each may be in a table of its own.
        out.push(0b10_10_10_00);
        for (code, symbols, log_max) in [
            (literal_code, 36, 9),
            (offset_code, 32, 8),
            (match_code, 53, 9),
        ] {
            let (table, state) = described(code, symbols, log_max, rng);
            out.extend(table);
            bits.push(state);
        }
    } else if rng.random_bool(0.1) {
        out.push(
            *[0b11_11_11_00, 0b01_01_11_00, 0b01_01_01_01]
                .choose(rng)
                .expect("not empty"),
        );
        out.extend([literal_code, offset_code, match_code]);
    } else {
        out.push(0b01_01_01_00);
        out.extend([literal_code, offset_code, match_code]);
    }
    let mut gives = 0;
    for _ in 0..count {
        let offset = rng.random_range(0..1u64 << offset_code.min(4)) as u32;
        let more = rng.random_range(0..1u32 << match_width);
        bits.push((offset, u32::from(offset_code)));
        bits.push((more, match_width));
        bits.push((0, literal_width));
        gives += match_base + more;
    }
    slip(&mut bits, rng);
    out.extend(backward(&bits));
    gives as usize
}

/// A table in which one code has all states but the last, and another has that; and a state that stands for `code`, with its width.
/// Rarely the table is too large, has a code beyond `symbols`, or `code` alone.
fn described(code: u8, symbols: usize, log_max: u32, rng: &mut StdRng) -> (Vec<u8>, (u32, u32)) {
    let log = match rng.random_bool(0.05) {
        true => log_max + 1,
        false => rng.random_range(5..=log_max),
    };
    let size = 1i32 << log;
    let code = usize::from(code);
    let other = match rng.random_bool(0.05) {
        true => symbols + rng.random_range(0..3),
        false => (code + rng.random_range(1..symbols)) % symbols,
    };
    let mut counts = vec![0; code.max(other) + 1];
    let state = match rng.random_range(0..20) {
        0 => {
            counts.truncate(code + 1);
            counts[code] = size;
            rng.random_range(0..size)
        }
        1..10 if code != other => {
            (counts[code], counts[other]) = (size - 1, -1);
            rng.random_range(0..size - 1)
        }
        _ => {
            (counts[other], counts[code]) = (size - 1, -1);
            size - 1
        }
    };
    (description(&counts, log), (state as u32, log))
}

/// How Zstandard writes a table (RFC 8878, 4.1.1).
fn description(counts: &[i32], log: u32) -> Vec<u8> {
    let mut fields = vec![(log - 5, 4)];
    let (mut left, mut at) = (1i32 << log, 0);
    while left > 0 && at < counts.len() {
        let width = (left + 1).ilog2() + 1;
        let short = (1 << width) - 2 - left;
        let value = counts[at] + 1;
        fields.push(match value {
            _ if value < short => (value as u32, width - 1),
            _ if value < 1 << (width - 1) => (value as u32, width),
            _ => ((value + short) as u32, width),
        });
        left -= counts[at].abs();
        at += 1;
        if value == 1 {
            let zeros = counts[at..].iter().take_while(|count| **count == 0).count();
            fields.extend(vec![(3, 2); zeros / 3]);
            fields.push((zeros as u32 % 3, 2));
            at += zeros;
        }
    }
    let bits = fields
        .iter()
        .flat_map(|(value, width)| (0..*width).map(move |bit| value >> bit & 1 == 1));
    packed(&bits.collect::<Vec<_>>())
}

/// Rarely: one bit too many.
fn slip(bits: &mut Vec<(u32, u32)>, rng: &mut StdRng) {
    if rng.random_bool(0.05) {
        bits.push((rng.random_range(0..2), 1));
    }
}

/// A stream from which `fields` (value, width) are read in this order.
fn backward(fields: &[(u32, u32)]) -> Vec<u8> {
    let mut bits = vec![true];
    for (value, width) in fields {
        bits.extend(
            (0..*width)
                .rev()
                .map(|bit| u64::from(*value) >> bit & 1 == 1),
        );
    }
    bits.reverse();
    packed(&bits)
}

/// Lowest bit first.
fn packed(bits: &[bool]) -> Vec<u8> {
    bits.chunks(8)
        .map(|eight| {
            eight
                .iter()
                .rev()
                .fold(0, |byte, bit| byte << 1 | u8::from(*bit))
        })
        .collect()
}
