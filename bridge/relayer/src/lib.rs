//! Withdrawals on their way to L1: which of them to prove and to finalise, and how to leave without the operator.
//!
//! ```text
//! withdrawals on L2, their stages on L1 ─▶ Relayer::decide ─▶ calls ─▶ l1::Sender ─▶ ║ Portal ║
//! own chain, L1's inbox and assertions  ─▶ exit::decide    ─▶ calls ─▶ l1::Sender ─▶ ║ Inbox, Rollup, Portal ║
//! ```
//! Absent on purpose: clocks, connections, and memory that L1 does not have: what was not seen to have happened is
//! decided again.
#![forbid(unsafe_code)]

pub mod calls;
mod decide;
pub mod exit;
pub mod fee;

pub use decide::{Carry, Move, Relayer, Stage};
