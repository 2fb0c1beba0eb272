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
mod chain;
mod errors;
mod estimate;
mod events;
mod fees;
mod filters;
mod forms;
mod identity;
mod local_pool;
mod logs;
mod module;
mod params;
mod pool;
mod rollup;
mod send;
mod server;
mod subscriptions;
mod texts;
mod transactions;
mod txpool;

pub use chain::Node;
pub use errors::RpcError;
pub use events::{Events, Landed, Notice};
pub use forms::{BlockForm, BlockTransactions, HeaderForm, LogForm, ReceiptForm, TransactionForm};
pub use local_pool::LocalPool;
pub use module::{Long, Patience, Registry};
pub use params::{Args, Number};
pub use pool::{ByNonce, PoolContent, PoolHandle};
pub use rollup::{L1Block, L1View, Progress, Rollup, RollupView};
pub use server::{Running, methods, mount, serve};

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

/// What one client may ask for. Each limit has an error that names it.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a request, batch or not.
    pub request_bytes_max: u32,
    /// Bytes of a response, batch or not.
    pub response_bytes_max: u32,
    /// Calls in one batch.
    pub batch_calls_max: u32,
    /// Requests in work and open WebSockets, together.
    pub connections_max: u32,
    /// Subscriptions of one WebSocket.
    pub subscriptions_max: u32,
    /// Polling filters of all clients together.
    pub filters_max: usize,
    /// A filter that nobody asked for this long is dropped, seconds.
    pub filter_idle_s: u64,
    /// Blocks that one `eth_getLogs` may span.
    pub log_blocks_max: u64,
    /// Logs that one answer may hold.
    pub logs_max: usize,
    /// Blocks of one `eth_feeHistory`.
    pub fee_history_blocks_max: u64,
    /// Gas of one `eth_call` or one try of `eth_estimateGas`.
    pub call_gas_max: u64,
    /// `eth_call`s and estimates executed at the same time.
    pub calls_at_once: usize,
    /// Long reads (logs, proofs, whole blocks) at the same time.
    pub reads_at_once: usize,
    /// A long call or read is given up after this long.
    pub call_timeout_ms: u64,
    /// `eth_sendRawTransactionSync` without a timeout of its own waits this long.
    pub sync_timeout_ms: u64,
    /// And never longer than this.
    pub sync_timeout_max_ms: u64,
    /// Suggested priority fee while blocks are not full, wei per gas.
    pub tip_wei: u64,
}

impl Limits {
    /// Values for a node that anybody may reach: generous to wallets and indexers, finite for everyone.
    pub const PUBLIC: Self = Self {
        request_bytes_max: 5 << 20,   // geth's bound
        response_bytes_max: 25 << 20, // geth's bound on batches
        batch_calls_max: 1_000,       // geth's bound
        connections_max: 10_000,
        subscriptions_max: 256,
        filters_max: 10_000,
        filter_idle_s: 300, // geth's five minutes
        log_blocks_max: 100_000,
        logs_max: 20_000,
        fee_history_blocks_max: 1_024, // geth's bound
        call_gas_max: 50_000_000,      // geth's bound
        calls_at_once: 2,
        reads_at_once: 4,
        call_timeout_ms: 5_000, // geth's bound
        sync_timeout_ms: 2_000, // EIP-7966 recommends it
        sync_timeout_max_ms: 30_000,
        tip_wei: 1_000_000,
    };
}
