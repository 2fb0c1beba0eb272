//! The pool as the RPC sees it: blob transactions leave their blobs at the door.

use crate::{
    blob_tx::{BlobTx, is_blob_tx},
    chain::Chain,
};
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256, Bytes};
use mempool::PoolError;
use primitives::CheckedTx;
use rpc::{LocalPool, PoolContent, PoolHandle};
use std::sync::Arc;
use stf::Rules;
use tokio::{runtime::RuntimeFlavor, sync::broadcast};

/// See the module.
pub struct L1Pool {
    chain: Arc<Chain>,
    local: Arc<LocalPool>,
}

impl L1Pool {
    /// The pool of `chain`.
    pub fn new(chain: Arc<Chain>) -> Arc<Self> {
        let clock = chain.clock.clone();
        let local = LocalPool::new(
            chain.pool.clone(),
            chain.store.clone(),
            Box::new(move || clock()),
        );
        Arc::new(Self { chain, local })
    }

    fn submit_blob_tx(&self, raw: &[u8]) -> Result<B256, String> {
        let tx = BlobTx::decode(raw).map_err(|e| e.to_string())?;
        let Rules::Ethereum(rules) = &*self.chain.rules else {
            return Err("not an L1".into());
        };
        let now_s = self.chain.store.head().header.timestamp;
        let blobs_max = usize::try_from(rules.blobs_per_tx(now_s)).unwrap_or(usize::MAX);
        tx.check_form(rules.fork(now_s), blobs_max)
            .map_err(|e| e.to_string())?;
        if self.chain.pool.lock().contains(&tx.hash) {
            return Err(PoolError::AlreadyKnown.to_string());
        }
        let checked = CheckedTx::decode(tx.raw.clone()).map_err(|e| e.to_string())?;
        if self
            .in_the_way(&checked)
            .is_some_and(|old| !tx.outbids(&old.tx))
        {
            return Err(PoolError::ReplacementUnderpriced.to_string());
        }
        tx.check_proofs().map_err(|e| e.to_string())?;
        let admit = || self.local.submit_raw(tx.raw.clone());
        self.chain
            .blobs
            .admit(tx.hash, tx.blobs(), admit)
            .unwrap_or_else(|| Err(PoolError::Full.to_string()))
    }
}

impl L1Pool {
    /// The waiting blob transaction of the same sender and nonce.
    fn in_the_way(&self, tx: &CheckedTx) -> Option<Arc<CheckedTx>> {
        let content = self.chain.pool.lock().content_from(&tx.sender);
        let lists = content.pending.into_iter().chain(content.queued);
        lists
            .flat_map(|(_, list)| list)
            .find(|old| old.tx.nonce() == tx.tx.nonce() && is_blob_tx(&old.raw))
    }
}

impl PoolHandle for L1Pool {
    fn submit_raw(&self, raw: Bytes) -> Result<B256, String> {
        if !is_blob_tx(&raw) {
            return self.local.submit_raw(raw);
        }
        // Proofs take tens of milliseconds: other requests of this thread go elsewhere meanwhile.
        match tokio::runtime::Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
            Ok(RuntimeFlavor::MultiThread) => {
                tokio::task::block_in_place(|| self.submit_blob_tx(&raw))
            }
            _ => self.submit_blob_tx(&raw),
        }
    }

    fn is_ready(&self, hash: B256) -> bool {
        self.local.is_ready(hash)
    }

    fn get(&self, hash: B256) -> Option<Arc<CheckedTx>> {
        self.local.get(hash)
    }

    fn pending_nonce(&self, sender: Address) -> Option<u64> {
        self.local.pending_nonce(sender)
    }

    fn content(&self, sender: Option<Address>) -> PoolContent {
        self.local.content(sender)
    }

    fn counts(&self) -> (usize, usize) {
        self.local.counts()
    }

    fn subscribe(&self) -> broadcast::Receiver<Arc<CheckedTx>> {
        self.local.subscribe()
    }
}
