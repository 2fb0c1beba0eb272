//! The embedded L1 over real sockets. Each file tests one topic; [`chain`] starts chains and signs.
#![forbid(unsafe_code)]

mod blobs;
mod chain;
mod client;
mod fees;
mod mining;
mod reorgs;
mod restart;
mod transactions;
