//! Ordered transactions in, executed blocks out; and the check that stands between a block and the world.
//!
//! [`Cadence`] says when, [`BlockBuilder`] fills, [`verify`] executes once more from another state. All three are
//! machines without clock, threads or I/O, and the same for the rollup and for the embedded L1.
//!
//! Absent on purpose: state roots and disks (`store`), signature recovery (done on the way into the pool).
#![forbid(unsafe_code)]

mod build;
mod cadence;
mod verify;

pub use build::{BlockBuilder, BlockLimits, Dropped, Filled, Reason, Stop};
pub use cadence::{Act, Cadence, Event};
pub use verify::{Divergence, verify};
