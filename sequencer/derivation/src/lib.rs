//! Turns L1 records into the inputs of L2 blocks (`bridge/FORMATS.md`, section 3).
//!
//! [`derive`] is a function of one record, the queue entries it consumes, and the L1 headers it refers to; it checks all of them
//! against the record, so whoever supplies them cannot change what comes out. The node and the fault-proof program
//! link this same crate and cannot disagree about what a record means.
//!
//! Always: a record has a meaning. A payload that is not valid is not an error: [`DerivedBatch::blocks`] says why, and
//! [`DerivedBatch::deposit_only`] is what counts instead. No input panics, nothing is clamped.
//!
//! Absent on purpose: clocks, sockets, `async`, execution, any view of L2 state, and KZG: that blobs belong to their versioned
//! hashes is checked by who fetched them.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod anchor;
mod derive;
mod payload;
mod queue;

pub use anchor::{anchor_of, first_anchor};
pub use derive::derive;

use alloc::vec::Vec;
use alloy_primitives::{B256, Bytes};
use primitives::{Anchor, BatchRecord, BlockInput, CheckedTx, TxError};

/// One record of the inbox with what it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct L1Record {
    /// Position among the records, from 0.
    pub index: u64,
    /// As the inbox hashed it.
    pub record: BatchRecord,
    /// L1 block that holds it.
    pub l1_block: u64,
    /// Versioned hashes of its blobs, in order; empty for other kinds.
    pub blob_hashes: Vec<B256>,
    /// What `payload_hash` stands for.
    pub payload: Payload,
}

/// The bytes of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// Kind 0.
    None,
    /// Kind 1.
    Calldata(Bytes),
    /// Kind 2: blobs, each already known to belong to its versioned hash.
    Blobs(Vec<Bytes>),
}

/// Where derivation stands: what the next record must follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Records derived.
    pub records: u64,
    /// `batchAcc` after them.
    pub batch_acc: B256,
    /// Queue entries consumed.
    pub queue_consumed: u64,
    /// The queue's accumulator there.
    pub queue_acc: B256,
    /// Anchor of the last L2 block; the default at genesis.
    pub anchor: Anchor,
    /// Time of the last L2 block, seconds.
    pub parent_timestamp: u64,
    /// Number of the last L2 block.
    pub parent_number: u64,
}

/// What a record means on L2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivedBatch {
    /// The payload's blocks, or why it has none. They count if every one of them executes.
    pub blocks: Result<Vec<BlockInput>, Reason>,
    /// What counts otherwise; never empty.
    pub deposit_only: Vec<BlockInput>,
    /// Where derivation stands if `blocks` count; if they are an error, if `deposit_only` count.
    pub after: Cursor,
    /// Where it stands if `deposit_only` count: another number and time of the last block.
    pub after_deposit_only: Cursor,
}

/// What the caller does next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DerivationError {
    /// Give the record that follows the cursor: this is another one.
    #[error("record {index} does not follow: expected record {expected} on accumulator {acc}")]
    NotNext {
        /// Of the record given.
        index: u64,
        /// Of the record that is next.
        expected: u64,
        /// Accumulator that it must name.
        acc: B256,
    },
    /// Give exactly these queue entries, in order.
    #[error("needs queue entries {from} to below {to}")]
    NeedEntries {
        /// First.
        from: u64,
        /// Behind the last.
        to: u64,
    },
    /// Give exactly these L1 headers, in order.
    #[error("needs L1 headers {from} to {to}")]
    NeedHeaders {
        /// First.
        from: u64,
        /// Last.
        to: u64,
    },
    /// Give the record's calldata: these bytes have another hash.
    #[error("needs the calldata of record {0}")]
    NeedCalldata(u64),
    /// Give the record's blobs and their versioned hashes: these are others.
    #[error("needs the blobs of record {0}")]
    NeedBlobs(u64),
    /// What was given contradicts the record or the cursor: L1 was reorganised in between. Read L1 again.
    #[error("L1 was reorganised: {0} does not match")]
    Reorg(&'static str),
}

/// Why a record's payload gives no blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// It has none.
    #[error("forced record")]
    Forced,
    /// Its blobs carry nothing.
    #[error("blobs: {0}")]
    Blobs(batch::blobs::BlobError),
    /// It is not a batch.
    #[error("batch: {0}")]
    Batch(batch::Invalid),
    /// The last block's time is not the record's.
    #[error("last timestamp is {got}, the record says {want}")]
    LastTimestamp {
        /// The last block's.
        got: u64,
        /// The record's.
        want: u64,
    },
    /// The last block's anchor is not the record's.
    #[error("last anchor is {got}, the record says {want}")]
    LastAnchor {
        /// The last block's.
        got: u64,
        /// The record's.
        want: u64,
    },
    /// An anchor between the parent's and the first that may be used.
    #[error("block {block} of the batch has anchor {anchor}, which cannot be used")]
    Anchor {
        /// Position in the batch.
        block: usize,
        /// L1 block number.
        anchor: u64,
    },
    /// A block is older than the L1 block it refers to.
    #[error("block {block} of the batch is older than its anchor")]
    BeforeAnchor {
        /// Position in the batch.
        block: usize,
    },
    /// The blocks do not consume the entries that the record consumes.
    #[error("the blocks do not consume the record's {want} queue entries")]
    Queue {
        /// Entries that the record consumes.
        want: u64,
    },
    /// A signature that recovers to nobody.
    #[error("transaction {tx} of the batch: {error}")]
    Transaction {
        /// Position among all signed transactions of the batch.
        tx: usize,
        /// Why.
        error: TxError,
    },
}

/// Recovers the senders of raw transactions, one result for each, in order. The node spreads this over its cores.
pub type Recover<'a> = dyn Fn(Vec<Bytes>) -> Vec<Result<CheckedTx, TxError>> + 'a;

/// The plain [`Recover`]: one after the other.
pub fn recover_in_turn(raw: Vec<Bytes>) -> Vec<Result<CheckedTx, TxError>> {
    raw.into_iter().map(CheckedTx::decode).collect()
}
