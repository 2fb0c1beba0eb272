//! Where nodes come from when they are not in memory.

use crate::TrieError;
use alloc::sync::Arc;
use alloy_primitives::{B256, Bytes};
use alloy_trie::Nibbles;

/// Serves trie nodes: a database keyed by owner and path, or a witness keyed by hash.
pub trait NodeSource {
    /// The RLP of the node that lies at `path` of the trie of `owner` (hashed address; zero for the account
    /// trie) and hashes to `hash`. [`TrieError::Missing`] if there is none.
    fn node(&self, owner: B256, path: &Nibbles, hash: B256) -> Result<Bytes, TrieError>;

    /// True if every answer is already known to hash to what was asked for. Otherwise the trie checks.
    fn answers_are_checked(&self) -> bool {
        false
    }
}

impl<S: NodeSource + ?Sized> NodeSource for &S {
    fn node(&self, owner: B256, path: &Nibbles, hash: B256) -> Result<Bytes, TrieError> {
        (**self).node(owner, path, hash)
    }

    fn answers_are_checked(&self) -> bool {
        (**self).answers_are_checked()
    }
}

impl<S: NodeSource + ?Sized> NodeSource for Arc<S> {
    fn node(&self, owner: B256, path: &Nibbles, hash: B256) -> Result<Bytes, TrieError> {
        (**self).node(owner, path, hash)
    }

    fn answers_are_checked(&self) -> bool {
        (**self).answers_are_checked()
    }
}

/// The source of a trie that lives in memory alone: genesis, tests of other crates, state tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoNodes;

impl NodeSource for NoNodes {
    fn node(&self, owner: B256, path: &Nibbles, hash: B256) -> Result<Bytes, TrieError> {
        Err(TrieError::Missing {
            owner,
            path: *path,
            hash,
        })
    }
}
