//! Which transactions wait, and in which order they leave.
//!
//! [`Pool`] is a structure without clock, I/O or randomness: the same calls give the same order. [`SharedPool`]
//! puts it behind a lock and does beforehand what needs no lock; [`FileJournal`] remembers it over a restart.
//!
//! Absent on purpose: gossip, and any opinion on blocks beyond who goes first.
#![forbid(unsafe_code)]

mod error;
mod journal;
mod order;
mod pool;
mod rules;
mod sender;
mod shared;
mod undecodable;

pub use error::PoolError;
pub use journal::{FileJournal, Journal};
pub use pool::{Added, Content, Counts, Pool};
pub use rules::{Candidate, INIT_CODE_BYTES_MAX, PoolLimits, PoolRules};
pub use sender::SenderState;
pub use shared::{HeadAccounts, HeadEnv, PendingListener, SharedPool};
