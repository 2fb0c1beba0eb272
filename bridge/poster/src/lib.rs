//! Two machines: one brings sealed blocks to L1 as batches, one asserts output roots about them.
//!
//! ```text
//! sealed blocks ─▶ Batcher ─▶ SignedBatch ─▶ l1::Sender ─▶ ║ Inbox ║ ─▶ records ─▶ Batcher (what landed, what did not)
//! records, own outputs, assertions on L1 ─▶ proposer::decide ─▶ l1::Sender ─▶ ║ Rollup ║
//! ```
//! L1 is the memory of both. A batch is built on L1's last record, or on batches still on their way there; when L1
//! moves otherwise, what was on its way is forgotten and built again.
//!
//! Absent on purpose: clocks (times come in), connections, and anything that only this process could do: a signed
//! batch may be posted by anyone.
#![forbid(unsafe_code)]

mod batcher;
pub mod calls;
pub mod proposer;

pub use batcher::{
    Batcher, Block, Blocks, DaChoice, Draft, DraftPayload, Next, QueueAt, SignedBatch, Tip,
};
