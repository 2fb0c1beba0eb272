//! Sequences: how many literals to copy, then how far back to repeat (RFC 8878, 3.1.1.3.2 and 3.1.1.4).

use super::{
    Corrupt,
    bits::Backward,
    fse::{Cursor, Table},
};
use alloc::vec::Vec;

/// Base and extra bits of literal-length codes.
const LITERALS: [(u32, u8); 36] = [
    (0, 0),
    (1, 0),
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 0),
    (12, 0),
    (13, 0),
    (14, 0),
    (15, 0),
    (16, 1),
    (18, 1),
    (20, 1),
    (22, 1),
    (24, 2),
    (28, 2),
    (32, 3),
    (40, 3),
    (48, 4),
    (64, 6),
    (128, 7),
    (256, 8),
    (512, 9),
    (1024, 10),
    (2048, 11),
    (4096, 12),
    (8192, 13),
    (16384, 14),
    (32768, 15),
    (65536, 16),
];
/// Base and extra bits of match-length codes from 32 on; below, the length is the code plus 3.
const MATCHES: [(u32, u8); 21] = [
    (35, 1),
    (37, 1),
    (39, 1),
    (41, 1),
    (43, 2),
    (47, 2),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 5),
    (131, 7),
    (259, 8),
    (515, 9),
    (1027, 10),
    (2051, 11),
    (4099, 12),
    (8195, 13),
    (16387, 14),
    (32771, 15),
    (65539, 16),
];
const LITERALS_DEFAULT: [i16; 36] = [
    4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1,
    -1, -1, -1, -1,
];
const MATCHES_DEFAULT: [i16; 53] = [
    1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
];
const OFFSETS_DEFAULT: [i16; 29] = [
    1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1,
];

/// Tables and recent offsets: what one block hands to the next.
pub(super) struct Sequences {
    literals: Option<Table>,
    offsets: Option<Table>,
    matches: Option<Table>,
    recent: [usize; 3],
}

impl Sequences {
    pub(super) const fn new() -> Self {
        Self {
            literals: None,
            offsets: None,
            matches: None,
            recent: [1, 4, 8],
        }
    }

    /// Executes one sequences section over `literals`, appending to `out`, which may grow to `end` and no further.
    pub(super) fn execute(
        &mut self,
        section: &[u8],
        literals: &[u8],
        out: &mut Vec<u8>,
        end: usize,
    ) -> Result<(), Corrupt> {
        let (count, rest) = match *section {
            [0, ref rest @ ..] => (0, rest),
            [a @ 1..=127, ref rest @ ..] => (usize::from(a), rest),
            [a @ 128..=254, b, ref rest @ ..] => {
                ((usize::from(a) - 128) << 8 | usize::from(b), rest)
            }
            [255, b, c, ref rest @ ..] => (usize::from(b) + (usize::from(c) << 8) + 0x7f00, rest),
            _ => return Err(Corrupt),
        };
        if count == 0 {
            return if rest.is_empty() {
                append(literals, out, end)
            } else {
                Err(Corrupt)
            };
        }
        let (&modes, mut rest) = rest.split_first().ok_or(Corrupt)?;
        if modes & 3 != 0 {
            return Err(Corrupt);
        }
        choose(
            modes >> 6,
            &mut self.literals,
            &mut rest,
            9,
            35,
            &LITERALS_DEFAULT,
            6,
        )?;
        choose(
            modes >> 4 & 3,
            &mut self.offsets,
            &mut rest,
            8,
            31,
            &OFFSETS_DEFAULT,
            5,
        )?;
        choose(
            modes >> 2 & 3,
            &mut self.matches,
            &mut rest,
            9,
            52,
            &MATCHES_DEFAULT,
            6,
        )?;
        let (Some(l), Some(o), Some(m)) = (&self.literals, &self.offsets, &self.matches) else {
            return Err(Corrupt);
        };
        let mut bits = Backward::new(rest)?;
        let mut l = Cursor::new(l, &mut bits)?;
        let mut o = Cursor::new(o, &mut bits)?;
        let mut m = Cursor::new(m, &mut bits)?;
        let mut literals = literals;
        for left in (0..count).rev() {
            let offset_bits = u32::from(o.state.symbol);
            let offset = (1u64 << offset_bits.min(32)) + u64::from(bits.read(offset_bits)?);
            let match_len = match m.state.symbol {
                code @ 0..32 => usize::from(code) + 3,
                code => {
                    let (base, extra) = *MATCHES.get(usize::from(code) - 32).ok_or(Corrupt)?;
                    (base + bits.read(extra.into())?) as usize
                }
            };
            let (base, extra) = *LITERALS.get(usize::from(l.state.symbol)).ok_or(Corrupt)?;
            let literal_len = (base + bits.read(extra.into())?) as usize;
            if left > 0 {
                l.advance(&mut bits)?;
                m.advance(&mut bits)?;
                o.advance(&mut bits)?;
            }
            let (copied, rest) = literals.split_at_checked(literal_len).ok_or(Corrupt)?;
            literals = rest;
            append(copied, out, end)?;
            let distance = distance(&mut self.recent, offset, literal_len)?;
            repeat(distance, match_len, out, end)?;
        }
        if !bits.is_empty() {
            return Err(Corrupt);
        }
        append(literals, out, end)
    }
}

/// Resolves an offset value against the three most recent distances.
fn distance(recent: &mut [usize; 3], value: u64, literal_len: usize) -> Result<usize, Corrupt> {
    let [a, b, c] = *recent;
    let slot = match value {
        4.. => 3,
        _ => value.saturating_sub(1) as usize + usize::from(literal_len == 0),
    };
    let distance = match (value, slot) {
        (4.., _) => usize::try_from(value - 3).map_err(|_| Corrupt)?,
        (_, 0) => a,
        (_, 1) => b,
        (_, 2) => c,
        _ => a.checked_sub(1).ok_or(Corrupt)?,
    };
    *recent = match slot {
        0 => [a, b, c],
        1 => [distance, a, c],
        _ => [distance, a, b],
    };
    Ok(distance)
}

/// Sets `table` as the mode says: predefined, constant, described, or as before.
fn choose(
    mode: u8,
    table: &mut Option<Table>,
    rest: &mut &[u8],
    log_max: u32,
    symbol_max: u8,
    default: &[i16],
    default_log: u32,
) -> Result<(), Corrupt> {
    match mode {
        0 => *table = Some(Table::from_counts(default, default_log)?),
        1 => {
            let (&symbol, after) = rest.split_first().ok_or(Corrupt)?;
            if symbol > symbol_max {
                return Err(Corrupt);
            }
            *table = Some(Table::constant(symbol));
            *rest = after;
        }
        2 => {
            let (described, used) = Table::read(rest, log_max, symbol_max)?;
            *table = Some(described);
            *rest = rest.get(used..).ok_or(Corrupt)?;
        }
        _ if table.is_some() => {}
        _ => return Err(Corrupt),
    }
    Ok(())
}

pub(super) fn append(bytes: &[u8], out: &mut Vec<u8>, end: usize) -> Result<(), Corrupt> {
    if bytes.len() > end.saturating_sub(out.len()) {
        return Err(Corrupt);
    }
    out.extend_from_slice(bytes);
    Ok(())
}

/// Appends `len` bytes, each the one `distance` before it.
fn repeat(distance: usize, len: usize, out: &mut Vec<u8>, end: usize) -> Result<(), Corrupt> {
    if len > end.saturating_sub(out.len()) || distance == 0 {
        return Err(Corrupt);
    }
    let start = out.len().checked_sub(distance).ok_or(Corrupt)?;
    // An overlapping repeat doubles what can be copied at once.
    let mut left = len;
    while left > 0 {
        let chunk = left.min(out.len() - start);
        out.extend_from_within(start..start + chunk);
        left -= chunk;
    }
    Ok(())
}
