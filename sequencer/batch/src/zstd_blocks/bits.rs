//! Bits in the two directions Zstandard reads them. Nothing is read past either end.

use super::Corrupt;

/// From the first byte on, lowest bit first: table descriptions (RFC 8878, 4.1.1).
pub(super) struct Forward<'a> {
    bytes: &'a [u8],
    pos: usize,
}

impl<'a> Forward<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, pos: 0 }
    }

    /// The next `n` ≤ 16 bits without moving; bits behind the end read as zero.
    pub(super) fn peek(&self, n: u32) -> u32 {
        let byte = |i: usize| u32::from(self.bytes.get(self.pos / 8 + i).copied().unwrap_or(0));
        let word = byte(0) | byte(1) << 8 | byte(2) << 16;
        (word >> (self.pos % 8)) & ((1 << n) - 1)
    }

    pub(super) fn skip(&mut self, n: u32) -> Result<(), Corrupt> {
        self.pos += n as usize;
        if self.pos <= self.bytes.len() * 8 {
            Ok(())
        } else {
            Err(Corrupt)
        }
    }

    /// Bytes begun so far.
    pub(super) const fn bytes_used(&self) -> usize {
        self.pos.div_ceil(8)
    }
}

/// From the last byte back: the entropy-coded streams. The highest set bit of the last byte marks the beginning.
pub(super) struct Backward<'a> {
    bytes: &'a [u8],
    /// Bits not yet read.
    left: usize,
}

impl<'a> Backward<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, Corrupt> {
        let last = *bytes.last().ok_or(Corrupt)?;
        if last == 0 {
            return Err(Corrupt);
        }
        Ok(Self {
            bytes,
            left: bytes.len() * 8 - last.leading_zeros() as usize - 1,
        })
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// The next `n` ≤ 32 bits without moving; bits behind the end read as zero.
    pub(super) fn peek(&self, n: u32) -> u32 {
        let n = n as usize;
        let (start, missing) = match self.left.checked_sub(n) {
            Some(start) => (start, 0),
            None => (0, n - self.left),
        };
        let byte = start / 8;
        let rest = self.bytes.get(byte..).unwrap_or(&[]);
        let word = match rest.first_chunk::<8>() {
            Some(eight) => u64::from_le_bytes(*eight),
            None => rest
                .iter()
                .rev()
                .fold(0u64, |word, b| word << 8 | u64::from(*b)),
        };
        let have = n - missing;
        let bits = (word >> (start % 8)) & ((1u64 << have) - 1);
        (bits << missing) as u32
    }

    pub(super) fn skip(&mut self, n: u32) -> Result<(), Corrupt> {
        self.left = self.left.checked_sub(n as usize).ok_or(Corrupt)?;
        Ok(())
    }

    pub(super) fn read(&mut self, n: u32) -> Result<u32, Corrupt> {
        let bits = self.peek(n);
        self.skip(n)?;
        Ok(bits)
    }
}
