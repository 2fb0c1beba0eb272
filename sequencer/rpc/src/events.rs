//! What the store announces, handed on to those who wait for it.
//!
//! A notice is small: it names a block and never holds it, so that a slow reader keeps no block in memory.
//! Nothing is announced before it is durable, because the store calls its listeners after the write.

use crate::forms::LogForm;
use alloy_primitives::B256;
use parking_lot::Mutex;
use primitives::SealedBlock;
use std::{collections::HashMap, sync::Arc};
use store::{ChainEvent, Store};
use tokio::sync::{broadcast, oneshot};

/// Notices kept for slow readers: four minutes of quick blocks.
const NOTICES_KEPT: usize = 1024;

/// One change of the chain.
#[derive(Debug, Clone)]
pub enum Notice {
    /// A new head.
    Head {
        /// Its number.
        number: u64,
        /// Its hash.
        hash: B256,
    },
    /// Blocks were taken back.
    Removed(Arc<Removed>),
}

/// What a rewind took away.
#[derive(Debug, Clone)]
pub struct Removed {
    /// Number of the new head.
    pub to: u64,
    /// Number and hash of each block, newest first.
    pub blocks: Vec<(u64, B256)>,
    /// Their logs, newest block first, already marked as removed.
    pub logs: Vec<LogForm>,
}

/// Where a transaction landed.
#[derive(Debug, Clone)]
pub struct Landed {
    /// The block.
    pub block: Arc<SealedBlock>,
    /// Position in it.
    pub index: usize,
}

/// Hands notices to subscribers and receipts to those who wait for one.
pub struct Events {
    notices: broadcast::Sender<Notice>,
    waiting: Mutex<HashMap<B256, Vec<oneshot::Sender<Landed>>>>,
}

impl Events {
    /// Listens to `store` from now on.
    pub fn attach(store: &Store) -> Arc<Self> {
        let (notices, _) = broadcast::channel(NOTICES_KEPT);
        let events = Arc::new(Self {
            notices,
            waiting: Mutex::default(),
        });
        let listener = events.clone();
        store.subscribe(Box::new(move |event| listener.on(event)));
        events
    }

    /// Notices from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    /// Waits for a block with the transaction. Ask before the transaction is sent: what is announced earlier is gone.
    pub fn wait_for(self: &Arc<Self>, hash: B256) -> Waiting {
        let (sender, receiver) = oneshot::channel();
        self.waiting.lock().entry(hash).or_default().push(sender);
        Waiting {
            hash,
            receiver,
            events: self.clone(),
        }
    }

    fn on(&self, event: &ChainEvent) {
        match event {
            ChainEvent::Head(block) => {
                self.resolve(block);
                // An error means that nobody listens.
                let _ = self.notices.send(Notice::Head {
                    number: block.header.number,
                    hash: block.hash,
                });
            }
            ChainEvent::Rewound { to, removed } => {
                let removed = Removed {
                    to: *to,
                    blocks: removed
                        .iter()
                        .map(|block| (block.header.number, block.hash))
                        .collect(),
                    logs: removed
                        .iter()
                        .flat_map(|block| LogForm::of_block(block, true))
                        .collect(),
                };
                let _ = self.notices.send(Notice::Removed(Arc::new(removed)));
            }
        }
    }

    fn resolve(&self, block: &Arc<SealedBlock>) {
        let mut waiting = self.waiting.lock();
        if waiting.is_empty() {
            return;
        }
        for (index, tx) in block.transactions.iter().enumerate() {
            for sender in waiting.remove(&tx.hash).into_iter().flatten() {
                // An error means that the waiter gave up.
                let _ = sender.send(Landed {
                    block: block.clone(),
                    index,
                });
            }
        }
    }
}

/// A place in the queue for one receipt, given up when dropped.
pub struct Waiting {
    hash: B256,
    receiver: oneshot::Receiver<Landed>,
    events: Arc<Events>,
}

impl Waiting {
    /// Resolves when the block is durable; `None` if the node stops first.
    pub async fn landed(&mut self) -> Option<Landed> {
        (&mut self.receiver).await.ok()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.receiver.close();
        let mut waiting = self.events.waiting.lock();
        if let Some(list) = waiting.get_mut(&self.hash) {
            list.retain(|sender| !sender.is_closed());
            if list.is_empty() {
                waiting.remove(&self.hash);
            }
        }
    }
}
