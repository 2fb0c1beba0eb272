//! What can go wrong when a path enters a part of the trie that is not in memory.

use alloc::string::String;
use alloy_primitives::B256;
use alloy_trie::Nibbles;

/// Why a trie could not go on. After any of these the trie is unusable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrieError {
    /// The source does not have this node: the witness is incomplete, or the store lost it.
    #[error("no trie node at {path:?} of {owner} with hash {hash}")]
    Missing {
        /// Hashed address of the storage trie, zero for the account trie.
        owner: B256,
        /// Where the node lies, counted from that trie's root.
        path: Nibbles,
        /// What its parent says it hashes to.
        hash: B256,
    },
    /// The source has something else there, or something that no canonical trie contains.
    #[error("bad trie node at {path:?} of {owner} with hash {hash}: {why}")]
    Bad {
        /// Hashed address of the storage trie, zero for the account trie.
        owner: B256,
        /// Where the node lies, counted from that trie's root.
        path: Nibbles,
        /// What its parent says it hashes to; zero for a node that is part of its parent.
        hash: B256,
        /// Which rule the bytes break.
        why: &'static str,
    },
    /// The source failed to answer; its own words.
    #[error("trie node source: {0}")]
    Source(String),
    /// An earlier error left an update half done. Open a new trie from the last known root.
    #[error("trie is unusable after an earlier error")]
    Broken,
}
