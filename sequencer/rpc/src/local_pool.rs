//! The pool of this process, as the methods see it.

use crate::pool::{ByNonce, PoolContent, PoolHandle};
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256, Bytes};
use mempool::{HeadAccounts, HeadEnv, SharedPool};
use parking_lot::Mutex;
use primitives::{Account, CheckedTx};
use std::{collections::BTreeMap, sync::Arc};
use stf::StateError;
use store::Store;
use tokio::sync::broadcast;

/// Ready transactions kept for slow readers of the pool's news.
const NEWS_KEPT: usize = 4096;

/// Submits against the newest state.
pub struct LocalPool {
    pool: Arc<SharedPool>,
    store: Arc<Store>,
    /// What admission knows of the head, and which head that is.
    env: Mutex<(B256, HeadEnv)>,
    news: broadcast::Sender<Arc<CheckedTx>>,
    now_ms: Box<dyn Fn() -> u64 + Send + Sync>,
}

impl LocalPool {
    /// `now_ms` is the process's clock.
    pub fn new(
        pool: Arc<SharedPool>,
        store: Arc<Store>,
        now_ms: Box<dyn Fn() -> u64 + Send + Sync>,
    ) -> Arc<Self> {
        let (news, _) = broadcast::channel(NEWS_KEPT);
        let told = news.clone();
        pool.subscribe(Box::new(move |ready| {
            if told.receiver_count() > 0 {
                for tx in ready {
                    // An error means that the last reader has just left.
                    let _ = told.send(tx.clone());
                }
            }
        }));
        Arc::new(Self {
            pool,
            store,
            env: Mutex::default(),
            news,
            now_ms,
        })
    }

    fn env(&self) -> HeadEnv {
        let head = self.store.head();
        let mut cached = self.env.lock();
        if cached.0 != head.hash {
            let da_gas_per_byte = stf::da_gas_per_byte(&self.store.latest_state());
            *cached = (
                head.hash,
                HeadEnv {
                    timestamp: head.header.timestamp,
                    da_gas_per_byte,
                },
            );
        }
        cached.1
    }
}

/// Accounts at the head, which moves.
struct Newest<'a>(&'a Arc<Store>);

impl HeadAccounts for Newest<'_> {
    fn account(&self, address: Address) -> Result<Option<Account>, StateError> {
        HeadAccounts::account(&self.0.latest_state(), address)
    }
}

impl PoolHandle for LocalPool {
    fn submit_raw(&self, raw: Bytes) -> Result<B256, String> {
        let tx = self
            .pool
            .submit(raw, &Newest(&self.store), &self.env(), (self.now_ms)())
            .map_err(|error| error.to_string())?;
        Ok(tx.hash)
    }

    fn is_ready(&self, hash: B256) -> bool {
        let pool = self.pool.lock();
        let Some(tx) = pool.get(&hash) else {
            return true;
        };
        pool.pending_nonce(&tx.sender)
            .is_some_and(|next| tx.tx.nonce() < next)
    }

    fn get(&self, hash: B256) -> Option<Arc<CheckedTx>> {
        self.pool.lock().get(&hash).cloned()
    }

    fn pending_nonce(&self, sender: Address) -> Option<u64> {
        self.pool.lock().pending_nonce(&sender)
    }

    fn content(&self, sender: Option<Address>) -> PoolContent {
        let content = match sender {
            Some(sender) => self.pool.lock().content_from(&sender),
            None => self.pool.lock().content(),
        };
        PoolContent {
            pending: by_sender(content.pending),
            queued: by_sender(content.queued),
        }
    }

    fn counts(&self) -> (usize, usize) {
        let counts = self.pool.lock().counts();
        (counts.pending, counts.queued)
    }

    fn subscribe(&self) -> broadcast::Receiver<Arc<CheckedTx>> {
        self.news.subscribe()
    }
}

fn by_sender(lists: Vec<(Address, Vec<Arc<CheckedTx>>)>) -> BTreeMap<Address, ByNonce> {
    lists
        .into_iter()
        .map(|(sender, list)| {
            (
                sender,
                list.into_iter().map(|tx| (tx.tx.nonce(), tx)).collect(),
            )
        })
        .collect()
}
