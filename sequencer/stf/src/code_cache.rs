//! Contracts that were analysed once (jump table), shared by all blocks under one rule set.
//!
//! Code is addressed by its hash, so an entry can never be stale. The fault-proof program runs one block and has
//! no use for it: without `std` the cache is empty.

use alloy_primitives::B256;
use revm::bytecode::Bytecode;

/// Bytes of code kept; beyond it the cache starts anew. 64 MiB hold 2,730 contracts of the largest size.
#[cfg(feature = "std")]
const BYTES_MAX: usize = 64 << 20;

/// Clones share their content.
#[derive(Debug, Clone, Default)]
pub struct CodeCache {
    #[cfg(feature = "std")]
    shared: alloc::sync::Arc<std::sync::RwLock<Codes>>,
}

#[cfg(feature = "std")]
#[derive(Debug, Default)]
struct Codes {
    map: alloy_primitives::map::B256Map<Bytecode>,
    bytes: usize,
}

#[cfg(feature = "std")]
impl CodeCache {
    pub(crate) fn get(&self, hash: B256) -> Option<Bytecode> {
        self.shared.read().ok()?.map.get(&hash).cloned()
    }

    pub(crate) fn put(&self, hash: B256, code: &Bytecode) {
        // A poisoned lock costs speed, never correctness.
        let Ok(mut codes) = self.shared.write() else {
            return;
        };
        if codes.bytes.saturating_add(code.len()) > BYTES_MAX {
            *codes = Codes::default();
        }
        if codes.map.insert(hash, code.clone()).is_none() {
            codes.bytes += code.len();
        }
    }
}

#[cfg(not(feature = "std"))]
impl CodeCache {
    pub(crate) fn get(&self, _: B256) -> Option<Bytecode> {
        None
    }

    pub(crate) fn put(&self, _: B256, _: &Bytecode) {}
}
