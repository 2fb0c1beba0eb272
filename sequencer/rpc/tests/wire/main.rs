//! The server over real sockets, before a real store, pool and executor.
//!
//! Each file tests one topic; [`chain`] makes the chains.
#![forbid(unsafe_code)]

mod accounts;
mod blocks;
mod calls;
mod chain;
mod errors;
mod fees;
mod hostile;
mod identity;
mod logs;
mod openrpc;
mod rollup;
mod send;
mod subscriptions;
mod transactions;
mod txpool;
