//! One 32-byte ABI word, told apart by what it looks like.
//!
//! The class of a word follows from the word alone, so there is one way to write it; the reader rebuilds the word and
//! refuses a class that the writer would not have chosen.

use crate::decimal::normal_form;
use alloy_primitives::{Address, B256, U256};

/// What a word is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Heads 0x80 to 0xff: the number 0 to 127, in the head itself.
    Tiny(u8),
    /// Heads 1 to 16: a number of so many bytes.
    Number(u8),
    /// Heads 0x21 to 0x34: so many bytes, then zeros (short strings, `bytesN`).
    Left(u8),
    /// Head 0x40: 17 to 20 significant bytes, taken for an address.
    Address,
    /// Head 0x41: a number below 2^128 that ends in three decimal zeros.
    Decimal,
    /// Head 0x42: anything else (hashes, large numbers).
    Whole,
}

impl Class {
    pub(crate) fn of(word: &B256) -> Self {
        let significant = 32 - word.iter().take_while(|b| **b == 0).count();
        let until_zeros = 32 - word.iter().rev().take_while(|b| **b == 0).count();
        match significant {
            0 => Self::Tiny(0),
            1 if word.0[31] < 0x80 => Self::Tiny(word.0[31]),
            1..=16 if normal_form(U256::from_be_bytes(word.0)).1 >= 3 => Self::Decimal,
            1..=16 => Self::Number(significant as u8),
            17..=20 => Self::Address,
            _ if until_zeros <= 20 => Self::Left(until_zeros as u8),
            _ => Self::Whole,
        }
    }

    pub(crate) const fn head(self) -> u8 {
        match self {
            Self::Tiny(value) => 0x80 | value,
            Self::Number(len) => len,
            Self::Left(len) => 0x20 + len,
            Self::Address => 0x40,
            Self::Decimal => 0x41,
            Self::Whole => 0x42,
        }
    }

    pub(crate) const fn from_head(head: u8) -> Option<Self> {
        Some(match head {
            0x80.. => Self::Tiny(head & 0x7f),
            1..=16 => Self::Number(head),
            0x21..=0x34 => Self::Left(head - 0x20),
            0x40 => Self::Address,
            0x41 => Self::Decimal,
            0x42 => Self::Whole,
            _ => return None,
        })
    }
}

/// `bytes` at the right end, zeros before.
pub(crate) fn right_aligned(bytes: &[u8]) -> B256 {
    B256::left_padding_from(bytes)
}

/// `bytes` at the left end, zeros after.
pub(crate) fn left_aligned(bytes: &[u8]) -> B256 {
    B256::right_padding_from(bytes)
}

/// The address in a word of class [`Class::Address`].
pub(crate) fn address_in(word: &B256) -> Address {
    Address::from_word(*word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn class(hex: &str) -> Class {
        Class::of(&hex.parse().unwrap())
    }

    fn number(value: u128) -> Class {
        Class::of(&U256::from(value).into())
    }

    #[test]
    fn words_are_told_apart() {
        assert_eq!(number(0), Class::Tiny(0));
        assert_eq!(number(0x20), Class::Tiny(0x20));
        assert_eq!(number(0x80), Class::Number(1));
        assert_eq!(number(999), Class::Number(2));
        assert_eq!(number(1000), Class::Decimal);
        assert_eq!(number(u128::MAX), Class::Number(16));
        assert_eq!(
            class("0x0000000000000000000000004200000000000000000000000000000000000016"),
            Class::Address
        );
        assert_eq!(
            class("0x0000000000000000000000000000010000000000000000000000000000000000"),
            Class::Address
        );
        assert_eq!(
            class("0x5452494200000000000000000000000000000000000000000000000000000000"),
            Class::Left(4)
        );
        assert_eq!(
            class("0x5452494200000000000000000000000000000000000000000000000000000001"),
            Class::Whole
        );
        assert_eq!(Class::of(&B256::repeat_byte(1)), Class::Whole);
    }

    #[test]
    fn heads_and_classes_match() {
        let known: Vec<_> = (0..=255).filter_map(Class::from_head).collect();
        assert_eq!(known.len(), 128 + 16 + 20 + 3);
        for class in known {
            assert_eq!(Class::from_head(class.head()), Some(class));
        }
    }
}
