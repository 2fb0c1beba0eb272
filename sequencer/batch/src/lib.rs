//! Blocks to bytes and bytes to blocks.
//!
//! A batch is what one L1 record carries: consecutive blocks, written field by field in columns, each column compressed by
//! itself. `FORMAT.md` is the byte table. Deposits are not in it: a block says how many queue entries it consumes.
//!
//! Always, for any input: limits are checked before memory is taken, time is linear, every byte is consumed, nothing
//! panics, and two different accepted lists of columns never give the same blocks.
//!
//! Absent on purpose: clocks, L1, state, signature recovery, KZG. Whether blocks are *valid* is decided in `derivation` and `stf`.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod blobs;
mod bytes;
mod columns;
mod compressor;
mod decimal;
mod decode;
mod dictionary;
mod encoder;
mod known;
mod transaction;
mod word;
pub mod zstd_blocks;

pub use decode::decode;
pub use encoder::BatchEncoder;

use alloc::vec::Vec;
use alloy_primitives::Bytes;

/// First byte of a payload.
pub const VERSION: u8 = 1;

/// What bounds a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Chain id of every transaction that has one.
    pub chain_id: u64,
    /// Bytes of all columns together, and, separately, of what the transactions expand to.
    pub decoded_bytes_max: usize,
    /// Blocks in one batch.
    pub blocks_max: usize,
}

impl Rules {
    /// The network's.
    pub fn new(network: &config::Network) -> Self {
        Self {
            chain_id: network.chain.id,
            decoded_bytes_max: network.batch.decoded_bytes_max as usize,
            blocks_max: network.batch.blocks_max as usize,
        }
    }
}

/// The block before the batch, to which its first differences refer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parent {
    /// Seconds.
    pub timestamp: u64,
    /// L1 block number of its anchor.
    pub anchor_number: u64,
}

/// One block of a decoded batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchBlock {
    /// Seconds.
    pub timestamp: u64,
    /// L1 block number of its anchor.
    pub anchor_number: u64,
    /// Queue entries it consumes; they come before the transactions.
    pub queue_count: u64,
    /// EIP-2718 bytes of its signed transactions.
    pub transactions: Vec<Bytes>,
}

/// Why a block did not go into a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// Finish this batch and offer the block to the next one. If this batch is empty, the block can never be posted.
    #[error("the batch is full")]
    Full,
    /// No batch can hold this block: it should not have been built.
    #[error("a batch cannot hold {0}")]
    Unfit(&'static str),
}

/// Why a payload is not a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// The first byte is missing or not [`VERSION`].
    #[error("unknown version")]
    Version,
    /// A column or the payload ends too early.
    #[error("ends too early")]
    Short,
    /// Bytes behind the last column.
    #[error("bytes behind the last column")]
    Trailing,
    /// A number in a longer form than needed, or above 64 bits.
    #[error("number not in its shortest form")]
    Varint,
    /// Columns or transactions above `decoded_bytes_max`.
    #[error("larger than decoded_bytes_max")]
    TooLarge,
    /// No block, or more than `blocks_max`.
    #[error("no block, or more than blocks_max")]
    Blocks,
    /// A compressed column that does not give its length, or is not shorter than it.
    #[error("column {0} does not decompress")]
    Compression(&'static str),
    /// A timestamp or anchor above 64 bits.
    #[error("timestamp or anchor overflows")]
    Overflow,
    /// Not a transaction type that a batch holds.
    #[error("unknown transaction kind {0}")]
    Kind(u8),
    /// An amount not in its normal form.
    #[error("amount not in its normal form")]
    Decimal,
    /// A word in a form that is not its own.
    #[error("word not in its own form")]
    Word,
    /// A reference behind the end of its dictionary.
    #[error("reference to nothing")]
    Reference,
    /// A dictionary entry written as new for the second time.
    #[error("a known value written again")]
    KnownAgain,
    /// The parity bitmap has another length, or a bit set behind its end.
    #[error("parity bitmap does not fit")]
    Parity,
    /// A column longer than the transactions need.
    #[error("column {0} is longer than needed")]
    Unused(&'static str),
}
