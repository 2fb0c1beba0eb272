//! Huffman-coded literals (RFC 8878, 4.2).

use super::{
    Corrupt,
    bits::Backward,
    fse::{Cursor, Table},
};
use alloc::{vec, vec::Vec};

/// Longest code of a literal.
const CODE_BITS_MAX: u32 = 11;

#[derive(Clone, Copy, Default)]
struct Code {
    symbol: u8,
    bits: u8,
}

/// A decoding table, indexed by the next `log` bits.
pub(super) struct Huffman {
    codes: Vec<Code>,
    log: u32,
}

impl Huffman {
    /// Reads a tree description; also returns its length in bytes.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, usize), Corrupt> {
        let (&head, rest) = bytes.split_first().ok_or(Corrupt)?;
        let (weights, used) = if head >= 128 {
            let count = usize::from(head) - 127;
            let packed = rest.get(..count.div_ceil(2)).ok_or(Corrupt)?;
            let weights = packed
                .iter()
                .flat_map(|b| [b >> 4, b & 15])
                .take(count)
                .collect();
            (weights, packed.len())
        } else {
            let packed = rest.get(..usize::from(head)).ok_or(Corrupt)?;
            (read_weights(packed)?, packed.len())
        };
        Ok((Self::from_weights(weights)?, used + 1))
    }

    fn from_weights(mut weights: Vec<u8>) -> Result<Self, Corrupt> {
        let mut sum = 0u32;
        for weight in &weights {
            if u32::from(*weight) > CODE_BITS_MAX {
                return Err(Corrupt);
            }
            sum += (1 << weight) >> 1;
        }
        let log = sum.checked_ilog2().ok_or(Corrupt)? + 1;
        if log > CODE_BITS_MAX {
            return Err(Corrupt);
        }
        // The last weight is not written: it completes the sum to a power of two.
        let rest = (1u32 << log) - sum;
        if !rest.is_power_of_two() || weights.len() > 255 {
            return Err(Corrupt);
        }
        weights.push(rest.ilog2() as u8 + 1);
        let mut codes = vec![Code::default(); 1 << log];
        let mut start = 0;
        for weight in 1..=log {
            let width = 1usize << (weight - 1);
            for (symbol, _) in weights
                .iter()
                .enumerate()
                .filter(|(_, w)| u32::from(**w) == weight)
            {
                let code = Code {
                    symbol: symbol as u8,
                    bits: (log + 1 - weight) as u8,
                };
                codes
                    .get_mut(start..start + width)
                    .ok_or(Corrupt)?
                    .fill(code);
                start += width;
            }
        }
        // A tree has an even number of its longest codes, and at least two.
        let longest = weights.iter().filter(|w| **w == 1).count();
        if start != codes.len() || longest < 2 || longest % 2 == 1 {
            return Err(Corrupt);
        }
        Ok(Self { codes, log })
    }

    /// Appends exactly `count` symbols from one stream, which must end there.
    pub(super) fn decode(
        &self,
        stream: &[u8],
        count: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Corrupt> {
        let mut bits = Backward::new(stream)?;
        for _ in 0..count {
            let code = self
                .codes
                .get(bits.peek(self.log) as usize)
                .ok_or(Corrupt)?;
            bits.skip(u32::from(code.bits))?;
            out.push(code.symbol);
        }
        if bits.is_empty() {
            Ok(())
        } else {
            Err(Corrupt)
        }
    }
}

/// Weights coded by two alternating states over one table.
fn read_weights(packed: &[u8]) -> Result<Vec<u8>, Corrupt> {
    let (table, used) = Table::read(packed, 6, 255)?;
    let mut bits = Backward::new(packed.get(used..).ok_or(Corrupt)?)?;
    let mut first = Cursor::new(&table, &mut bits)?;
    let mut second = Cursor::new(&table, &mut bits)?;
    let mut weights = Vec::with_capacity(256);
    // The stream ends where a state would need more bits than are left; the other state still holds a symbol.
    loop {
        weights.push(first.state.symbol);
        if first.advance(&mut bits).is_err() {
            weights.push(second.state.symbol);
            break;
        }
        weights.push(second.state.symbol);
        if second.advance(&mut bits).is_err() {
            weights.push(first.state.symbol);
            break;
        }
        if weights.len() > 255 {
            return Err(Corrupt);
        }
    }
    Ok(weights)
}
