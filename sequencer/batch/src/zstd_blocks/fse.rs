//! Finite state entropy tables (RFC 8878, 4.1).

use super::{
    Corrupt,
    bits::{Backward, Forward},
};
use alloc::{vec, vec::Vec};

/// One state: the symbol it stands for, and how to find the next state.
#[derive(Clone, Copy, Default)]
pub(super) struct State {
    pub(super) symbol: u8,
    pub(super) bits: u8,
    base: u16,
}

/// A decoding table; never empty.
#[derive(Clone)]
pub(super) struct Table {
    states: Vec<State>,
    log: u32,
}

impl Table {
    /// A table that always gives `symbol` and costs no bits.
    pub(super) fn constant(symbol: u8) -> Self {
        Self {
            states: vec![State {
                symbol,
                bits: 0,
                base: 0,
            }],
            log: 0,
        }
    }

    /// Reads a table description; also returns its length in bytes.
    pub(super) fn read(
        bytes: &[u8],
        log_max: u32,
        symbol_max: u8,
    ) -> Result<(Self, usize), Corrupt> {
        let mut bits = Forward::new(bytes);
        let log = bits.peek(4) + 5;
        bits.skip(4)?;
        if log > log_max {
            return Err(Corrupt);
        }
        let mut counts = Vec::with_capacity(usize::from(symbol_max) + 1);
        // Both fit in i32: log is at most 9.
        let mut remaining: i32 = (1 << log) + 1;
        let mut threshold: i32 = 1 << log;
        let mut width = log + 1;
        while remaining > 1 {
            if counts.len() > usize::from(symbol_max) {
                return Err(Corrupt);
            }
            // Values below `low` take one bit less than the others.
            let low = 2 * threshold - 1 - remaining;
            let value = bits.peek(width) as i32;
            let short = value & (threshold - 1);
            let count = if short < low {
                bits.skip(width - 1)?;
                short
            } else {
                bits.skip(width)?;
                if value >= threshold {
                    value - low
                } else {
                    value
                }
            } - 1;
            remaining -= count.abs();
            counts.push(count as i16);
            if count == 0 {
                loop {
                    let zeros = bits.peek(2);
                    bits.skip(2)?;
                    counts.resize(counts.len() + zeros as usize, 0);
                    if counts.len() > usize::from(symbol_max) + 1 {
                        return Err(Corrupt);
                    }
                    if zeros != 3 {
                        break;
                    }
                }
            }
            while remaining < threshold && threshold > 1 {
                threshold >>= 1;
                width -= 1;
            }
        }
        // One symbol alone has a shorter description (RFC 8878, 4.1.1).
        if remaining != 1 || counts.iter().filter(|count| **count != 0).count() < 2 {
            return Err(Corrupt);
        }
        Ok((Self::from_counts(&counts, log)?, bits.bytes_used()))
    }

    /// `counts` sum to `2^log`; -1 stands for a probability below one.
    pub(super) fn from_counts(counts: &[i16], log: u32) -> Result<Self, Corrupt> {
        let size = 1usize << log;
        let mut states = vec![State::default(); size];
        let mut next = [0u32; 256];
        let mut free = size; // states from here on are taken by improbable symbols
        for (symbol, count) in counts.iter().enumerate() {
            let slot = next.get_mut(symbol).ok_or(Corrupt)?;
            if *count < 0 {
                free = free.checked_sub(1).ok_or(Corrupt)?;
                states.get_mut(free).ok_or(Corrupt)?.symbol = symbol as u8;
                *slot = 1;
            } else {
                *slot = *count as u32;
            }
        }
        let step = (size >> 1) + (size >> 3) + 3;
        let mut pos = 0;
        let mut placed = 0;
        for (symbol, count) in counts.iter().enumerate() {
            for _ in 0..(*count).max(0) {
                if placed == free {
                    return Err(Corrupt);
                }
                states.get_mut(pos).ok_or(Corrupt)?.symbol = symbol as u8;
                placed += 1;
                // `step` is odd, so this visits every state and finds a free one.
                loop {
                    pos = (pos + step) & (size - 1);
                    if pos < free || free == 0 {
                        break;
                    }
                }
            }
        }
        if placed != free || pos != 0 {
            return Err(Corrupt);
        }
        for state in &mut states {
            let count = next.get_mut(usize::from(state.symbol)).ok_or(Corrupt)?;
            let bits = log
                .checked_sub(count.checked_ilog2().ok_or(Corrupt)?)
                .ok_or(Corrupt)?;
            state.bits = bits as u8;
            state.base = ((*count << bits) - size as u32) as u16;
            *count += 1;
        }
        Ok(Self { states, log })
    }
}

/// A position in a table.
pub(super) struct Cursor<'a> {
    table: &'a Table,
    pub(super) state: State,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(table: &'a Table, bits: &mut Backward<'_>) -> Result<Self, Corrupt> {
        let index = bits.read(table.log)? as usize;
        Ok(Self {
            table,
            state: *table.states.get(index).ok_or(Corrupt)?,
        })
    }

    pub(super) fn advance(&mut self, bits: &mut Backward<'_>) -> Result<(), Corrupt> {
        let index = usize::from(self.state.base) + bits.read(u32::from(self.state.bits))? as usize;
        self.state = *self.table.states.get(index).ok_or(Corrupt)?;
        Ok(())
    }
}
