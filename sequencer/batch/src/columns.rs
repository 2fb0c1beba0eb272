//! The columns of a batch, in the order in which a payload holds them.

use crate::{
    Invalid,
    bytes::{Reader, put_varint},
    zstd_blocks,
};
use alloc::{borrow::Cow, vec::Vec};

macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// One value for each column.
        #[derive(Debug, Clone, Default)]
        pub(crate) struct Columns<T> {
            $($(#[$doc])* pub(crate) $name: T,)*
        }

        /// Their names, for messages.
        pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),*];

        impl<T> Columns<T> {
            /// Makes one value after the other, in order.
            pub(crate) fn build<E>(mut make: impl FnMut(usize) -> Result<T, E>) -> Result<Self, E> {
                let mut index = 0..;
                Ok(Self { $($name: make(index.next().unwrap_or_default())?,)* })
            }

            pub(crate) fn each(&self) -> [&T; NAMES.len()] {
                [$(&self.$name),*]
            }

            pub(crate) fn each_mut(&mut self) -> [&mut T; NAMES.len()] {
                [$(&mut self.$name),*]
            }
        }
    };
}

columns! {
    /// Seconds since the block before.
    block_times,
    /// L1 blocks since the anchor before.
    block_anchors,
    /// Queue entries consumed.
    block_queue,
    /// Signed transactions.
    block_txs,
    /// Type and creation flag.
    kinds,
    /// One bit each, lowest first.
    parities,
    /// Nonce, lowest byte.
    nonces_low,
    /// Nonce, the rest.
    nonces_high,
    /// Gas limits by reference.
    gas_refs,
    /// Gas limits at first appearance.
    gas_new,
    /// Fee pairs by reference.
    fee_refs,
    /// Fees at first appearance: exponents.
    fee_exponents,
    /// Lengths of mantissas.
    fee_lengths,
    /// Mantissas.
    fee_mantissas,
    /// Recipient by reference, lowest byte.
    to_refs_low,
    /// Recipient by reference, the rest.
    to_refs_high,
    /// Addresses at first appearance, from all over.
    addresses,
    /// Values: exponents.
    value_exponents,
    /// Lengths of mantissas.
    value_lengths,
    /// Mantissas.
    value_mantissas,
    /// Calldata length and selector by reference.
    shape_refs,
    /// Calldata length and selector at first appearance.
    shapes_new,
    /// Classes of words.
    word_heads,
    /// Bytes of numbers and left-aligned words.
    word_bytes,
    /// Amounts in words: exponents.
    word_exponents,
    /// Lengths of mantissas.
    word_lengths,
    /// Mantissas.
    word_mantissas,
    /// Addresses in words by reference, lowest byte.
    word_addresses_low,
    /// Addresses in words by reference, the rest.
    word_addresses_high,
    /// Whole words by reference.
    whole_refs,
    /// Whole words at first appearance.
    wholes,
    /// Calldata behind the words, and init code.
    rest,
    /// Lengths and counts that are rare.
    counts,
    /// References to addresses in access lists and authorizations.
    list_addresses,
    /// Authorizations: y parity, r, s.
    authorizations,
    /// r and s of every transaction.
    signatures,
}

/// A column as a payload stores it.
pub(crate) enum Stored {
    /// As it is.
    Raw,
    /// As Zstandard blocks, shorter than the column.
    #[cfg(feature = "std")]
    Blocks(Vec<u8>),
}

impl Stored {
    /// Bytes that `column` takes when stored so.
    pub(crate) fn len(&self, column: &[u8]) -> usize {
        match self {
            Self::Raw => column.len(),
            #[cfg(feature = "std")]
            Self::Blocks(blocks) => blocks.len(),
        }
    }
}

/// Appends one column: `varint(2 * length + compressed)`, then the bytes, compressed ones behind their own length.
pub(crate) fn put(payload: &mut Vec<u8>, column: &[u8], stored: &Stored) {
    let head = (column.len() as u64) << 1;
    match stored {
        Stored::Raw => {
            put_varint(payload, head);
            payload.extend_from_slice(column);
        }
        #[cfg(feature = "std")]
        Stored::Blocks(blocks) => {
            put_varint(payload, head | 1);
            put_varint(payload, blocks.len() as u64);
            payload.extend_from_slice(blocks);
        }
    }
}

/// Reads all columns of a payload behind its version; together they may have `max` bytes, and nothing may follow.
pub(crate) fn split(payload: &[u8], max: usize) -> Result<Columns<Cow<'_, [u8]>>, Invalid> {
    let mut payload = Reader(payload);
    let mut left = max as u64;
    let columns = Columns::build(|index| {
        let head = payload.varint()?;
        let len = head >> 1;
        left = left.checked_sub(len).ok_or(Invalid::TooLarge)?;
        let len = usize::try_from(len).map_err(|_| Invalid::TooLarge)?;
        if head & 1 == 0 {
            return payload.take(len).map(Cow::Borrowed);
        }
        let stored = payload.varint()?;
        let stored = usize::try_from(stored).map_err(|_| Invalid::Short)?;
        // Otherwise one column would have two lengths to choose from for nothing.
        if stored >= len {
            return Err(Invalid::Compression(name(index)));
        }
        let blocks = payload.take(stored)?;
        zstd_blocks::decode(blocks, len)
            .map(Cow::Owned)
            .map_err(|_| Invalid::Compression(name(index)))
    })?;
    if payload.is_empty() {
        Ok(columns)
    } else {
        Err(Invalid::Trailing)
    }
}

pub(crate) fn name(index: usize) -> &'static str {
    NAMES.get(index).copied().unwrap_or("?")
}
