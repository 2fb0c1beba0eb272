//! The server over real sockets, before a real store, pool and executor.
//!
//! Each file tests one topic; [`chain`] makes the chains.
#![forbid(unsafe_code)]

mod accounts;
mod blocks;
mod calls;
mod capabilities;
mod chain;
mod errors;
mod fees;
mod fill;
mod hostile;
mod identity;
mod ipc;
mod logs;
mod openrpc;
mod queue;
mod raw;
mod rollup;
mod send;
mod simulate;
mod subscriptions;
mod traces;
mod transactions;
mod txpool;
mod withdrawals;
mod witness;
