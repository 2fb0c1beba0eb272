//! Ordered transactions in, executed blocks out; and the check that stands between a block and the world.
//!
//! [`BlockBuilder`] fills, [`verify`] executes once more from another state. Both are machines without clock, threads
//! or I/O, and the same for the rollup and for the embedded L1.
//!
//! Absent on purpose: when a block is due (the binary's clock), state roots and disks (`store`), signature recovery (done on the way into the pool).
#![forbid(unsafe_code)]

mod build;
mod verify;

pub use build::{BlockBuilder, BlockLimits, Dropped, Filled, Reason, Stop};
pub use verify::{Divergence, verify};
