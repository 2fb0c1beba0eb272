//! Where transactions wait that are sent to an imported chain. No block will take them.

use crate::clock;
use mempool::{PoolLimits, SharedPool};
use rpc::{LocalPool, PoolHandle};
use std::sync::Arc;
use stf::Rules;
use store::Store;

/// A pool over the head.
pub fn pool(store: &Arc<Store>, rules: &Arc<Rules>) -> Arc<dyn PoolHandle> {
    let shared = Arc::new(SharedPool::new(rules.clone(), PoolLimits::sequencer(0)));
    LocalPool::new(shared, store.clone(), Box::new(clock::now_ms))
}
