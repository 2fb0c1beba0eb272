//! What one client of a node may ask for.

use serde::{Deserialize, Serialize};

/// Limits of JSON-RPC: generous to wallets and indexers, finite for everyone. Each has an error that names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rpc {
    /// Bytes of a request, batch or not.
    pub request_bytes_max: u32,
    /// Bytes of a response, batch or not.
    pub response_bytes_max: u32,
    /// Calls in one batch.
    pub batch_calls_max: u32,
    /// Requests in work and open WebSockets, together.
    pub connections_max: u32,
    /// Subscriptions of one connection.
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
    /// Gas of one `eth_call`, of one try of `eth_estimateGas`, and of all calls of one `eth_simulateV1` together.
    pub call_gas_max: u64,
    /// Blocks of one `eth_simulateV1`, those that fill gaps included.
    pub simulate_blocks_max: u64,
    /// How far behind the head a block may be whose state trie is asked for (`eth_getProof`, `debug_executionWitness`,
    /// `debug_storageRangeAt`): the trie is led back block by block.
    pub proof_blocks_max: u64,
    /// Calls and estimates executed at the same time.
    pub calls_at_once: usize,
    /// Long reads (logs, proofs, whole blocks) at the same time.
    pub reads_at_once: usize,
    /// A long call or read is given up after this long.
    pub call_timeout_ms: u64,
    /// Traces at the same time.
    pub traces_at_once: usize,
    /// A trace is given up after this long.
    pub trace_timeout_ms: u64,
    /// Blocks that one `trace_filter` may span.
    pub trace_blocks_max: u64,
    /// Calls that one `trace_filter` may find.
    pub traces_max: usize,
    /// `eth_sendRawTransactionSync` without a timeout of its own waits this long.
    pub sync_timeout_ms: u64,
    /// And never longer than this.
    pub sync_timeout_max_ms: u64,
    /// Suggested priority fee while blocks are not full, wei per gas.
    pub tip_wei: u64,
}
