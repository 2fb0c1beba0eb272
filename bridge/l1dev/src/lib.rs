//! An L1 in this process: our own block execution under Ethereum's rules, with blobs, tags and reorgs on demand.
//!
//! [`start`] opens the chain (in a folder, or in one that vanishes) and serves Ethereum's JSON-RPC, the blob API of a
//! consensus client and a few methods of development chains on one port. It stands where an L1 node would: whoever
//! uses it sees an URL.
//!
//! Always holds: a block's time is above its parent's; a block's blobs are on disk before the block is; a blob
//! transaction enters the pool only after its KZG proofs were checked, in the form that the fork asks for.
//!
//! Absent on purpose: consensus, peers, withdrawals of validators, keys, writing to the state outside of blocks, and
//! clocks (time comes in through [`Options::clock`]).
#![forbid(unsafe_code)]

mod blob_api;
mod blob_tx;
mod blobs;
mod chain;
mod dev_methods;
mod error;
mod genesis;
mod handle;
mod mining;
mod options;
mod pool;
mod quiet;
mod server;
mod time;

pub use blob_tx::{BlobTx, BlobTxError, is_blob_tx};
pub use error::L1DevError;
pub use handle::{Handle, start};
pub use mining::Mining;
pub use options::{Clock, Options};
pub use server::LIMITS;
