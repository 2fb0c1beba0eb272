//! The chain over JSON-RPC: JSON in, typed requests down, geth's JSON out.
//!
//! [`server`] mounts jsonrpsee in an axum router: HTTP POST, batches and WebSocket on one path. Cheap reads run
//! where the request arrived; everything that can take long runs on the blocking threads, a bounded number at a
//! time and for a bounded time, so that no caller delays block production. What is served as included is durable.
//!
//! The same methods serve the L2 and, under Ethereum's rules, the embedded L1.
//!
//! Absent on purpose: keys and signing (`eth_sendTransaction`, `eth_sign`, `personal_*` do not exist here), any
//! second opinion about validity (the pool and `stf` decide), clocks (time enters as tokio timers alone).
#![forbid(unsafe_code)]

mod accounts;
mod blocks;
mod call;
mod capabilities;
mod chain;
mod errors;
mod estimate;
mod events;
mod fees;
mod fill;
mod filters;
mod forms;
mod identity;
mod ipc;
mod local_pool;
mod log_filter;
mod logs;
mod module;
mod otterscan;
mod params;
mod pool;
mod raw;
mod rollup;
pub mod rollup_queue;
pub mod rollup_withdrawals;
mod send;
mod server;
mod simulate;
mod subscriptions;
mod testing;
mod texts;
mod trace;
mod transactions;
mod txpool;
mod witness;

pub use chain::Node;
/// What one client may ask for: from the network file.
pub use config::Rpc as Limits;
pub use errors::RpcError;
pub use events::{Events, Landed, Notice, Removed};
pub use forms::{BlockForm, BlockTransactions, HeaderForm, LogForm, ReceiptForm, TransactionForm};
pub use ipc::{IpcSocket, serve_ipc};
pub use local_pool::LocalPool;
pub use module::{Long, Patience, Registry};
pub use params::{Args, Number};
pub use pool::{ByNonce, PoolContent, PoolHandle};
pub use rollup::{L1Block, L1View, Progress, Rollup, RollupView};
pub use server::{Running, methods, mount, mount_bare, serve};
pub use testing::testing_methods;

use std::sync::Arc;

/// All that the methods need of the node.
#[derive(Clone)]
pub struct Context {
    /// Blocks and state.
    pub store: Arc<store::Store>,
    /// Where transactions go.
    pub pool: Arc<dyn PoolHandle>,
    /// What calls are executed under.
    pub rules: Arc<stf::Rules>,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Answer of `web3_clientVersion`.
    pub client_version: String,
    /// What one client may ask for.
    pub limits: Limits,
    /// The `rollup_` namespace; `None` on an L1.
    pub rollup: Option<Rollup>,
}
