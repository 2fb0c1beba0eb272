//! Where transactions wait that are sent to an imported chain. No block will take them.
//!
//! A blob transaction is checked with its blobs, which are then forgotten: nobody can ask for them here.

use crate::clock;
use alloy_primitives::{Address, B256, Bytes};
use l1dev::{BlobTx, is_blob_tx};
use mempool::{PoolLimits, SharedPool};
use primitives::CheckedTx;
use rpc::{LocalPool, PoolContent, PoolHandle};
use std::sync::Arc;
use stf::Rules;
use store::Store;
use tokio::sync::broadcast;

/// A pool over the head.
pub fn pool(store: &Arc<Store>, rules: &Arc<Rules>) -> Arc<dyn PoolHandle> {
    let shared = Arc::new(SharedPool::new(rules.clone(), PoolLimits::sequencer(0)));
    let local = LocalPool::new(shared, store.clone(), Box::new(clock::now_ms));
    Arc::new(Waiting {
        local,
        store: store.clone(),
        rules: rules.clone(),
    })
}

struct Waiting {
    local: Arc<LocalPool>,
    store: Arc<Store>,
    rules: Arc<Rules>,
}

impl Waiting {
    fn submit_blob_tx(&self, raw: &[u8]) -> Result<B256, String> {
        let Rules::Ethereum(rules) = &*self.rules else {
            return Err("not an L1".into());
        };
        let tx = BlobTx::decode(raw).map_err(|e| e.to_string())?;
        let now_s = self.store.head().header.timestamp;
        let blobs_max = usize::try_from(rules.blobs_per_tx(now_s)).unwrap_or(usize::MAX);
        tx.check_form(rules.fork(now_s), blobs_max)
            .map_err(|e| e.to_string())?;
        tx.check_proofs().map_err(|e| e.to_string())?;
        self.local.submit_raw(tx.raw)
    }
}

impl PoolHandle for Waiting {
    fn submit_raw(&self, raw: Bytes) -> Result<B256, String> {
        match is_blob_tx(&raw) {
            true => self.submit_blob_tx(&raw),
            false => self.local.submit_raw(raw),
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
