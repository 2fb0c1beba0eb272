//! The seam to the pool: who accepts transactions decides how.
//!
//! Behind it stands the L2 pool, the embedded L1's pool (which also splits blob sidecars off), or a follower
//! that hands transactions on to its sequencer.

use alloy_primitives::{Address, B256, Bytes};
use primitives::CheckedTx;
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::broadcast;

/// Transactions of one sender by nonce.
pub type ByNonce = BTreeMap<u64, Arc<CheckedTx>>;

/// The whole pool, or one sender's part of it.
#[derive(Debug, Clone, Default)]
pub struct PoolContent {
    /// Ready to be executed.
    pub pending: BTreeMap<Address, ByNonce>,
    /// Waiting for an earlier nonce.
    pub queued: BTreeMap<Address, ByNonce>,
}

/// What the RPC needs of a pool. Every call is quick and takes no lock for longer than a lookup.
pub trait PoolHandle: Send + Sync + 'static {
    /// Decodes, checks and keeps a raw transaction, and returns its hash. The error is geth's text.
    fn submit_raw(&self, raw: Bytes) -> Result<B256, String>;
    /// False while the transaction waits for an earlier nonce. True if it is not here: then it was executed.
    fn is_ready(&self, hash: B256) -> bool;
    /// A transaction that is not in a block yet.
    fn get(&self, hash: B256) -> Option<Arc<CheckedTx>>;
    /// The nonce after all ready transactions of `sender`; `None` if the pool has none of them.
    fn pending_nonce(&self, sender: Address) -> Option<u64>;
    /// Everything, or only what `sender` sent.
    fn content(&self, sender: Option<Address>) -> PoolContent;
    /// How many are pending and how many queued.
    fn counts(&self) -> (usize, usize);
    /// Transactions as they become ready, from now on.
    fn subscribe(&self) -> broadcast::Receiver<Arc<CheckedTx>>;
}
