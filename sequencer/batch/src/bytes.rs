//! Reading and writing one column: minimal varints and slices.

use crate::Invalid;
use alloc::vec::Vec;

/// Appends `value` in LEB128: seven bits a byte, lowest first, top bit set on all but the last.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// What is left of a column.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn byte(&mut self) -> Result<u8, Invalid> {
        let (&byte, rest) = self.0.split_first().ok_or(Invalid::Short)?;
        self.0 = rest;
        Ok(byte)
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], Invalid> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(Invalid::Short)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Invalid> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Invalid::Short)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub(crate) fn varint(&mut self) -> Result<u64, Invalid> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            // The tenth byte holds one bit; a last byte of zero has a shorter form.
            if (shift == 63 && byte > 1) || (shift > 0 && byte == 0) {
                return Err(Invalid::Varint);
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Invalid::Varint)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn read(bytes: &[u8]) -> Result<u64, Invalid> {
        Reader(bytes).varint()
    }

    #[test]
    fn every_width_survives() {
        for value in (0..64)
            .flat_map(|n| [1u64 << n, (1 << n) - 1])
            .chain([u64::MAX])
        {
            let mut bytes = vec![];
            put_varint(&mut bytes, value);
            assert_eq!(read(&bytes), Ok(value));
        }
    }

    #[test]
    fn a_longer_form_is_refused() {
        assert_eq!(read(&[0x80, 0]), Err(Invalid::Varint));
        assert_eq!(read(&[0xff, 0x80, 0]), Err(Invalid::Varint));
    }

    #[test]
    fn more_than_64_bits_are_refused() {
        assert_eq!(read(&[0xff; 10]), Err(Invalid::Varint));
        assert_eq!(
            read(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2]),
            Err(Invalid::Varint)
        );
        assert_eq!(
            read(&[
                0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0
            ]),
            Err(Invalid::Varint)
        );
    }

    #[test]
    fn an_unfinished_number_is_refused() {
        assert_eq!(read(&[0x80]), Err(Invalid::Short));
        assert_eq!(read(&[]), Err(Invalid::Short));
    }
}
