//! The Merkle-Patricia state: accounts and their storage, over any source of nodes.
//!
//! The same code holds the full state over a database and a partial state over the fault-proof
//! program's witness. Only changed paths are hashed again, and only touched paths are in memory.
//!
//! Always holds: a node that is not in memory is known by its hash, and no bytes are believed that do
//! not hash to it; a trie that reports a root is the canonical trie of its contents.
//!
//! Absent on purpose: disk, threads, clocks, flat key-value state, code, and any rule about when an
//! account is empty: the caller says what each account becomes.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

mod error;
mod evict;
mod node;
mod ordered;
mod path;
mod proof;
mod rlp;
mod source;
mod state;
#[cfg(test)]
mod tests;
mod tree;
mod update;
mod walk;
mod witness;
mod writes;

pub use alloy_trie::{EMPTY_ROOT_HASH, Nibbles, TrieAccount};
pub use error::TrieError;
pub use ordered::ordered_root;
pub use proof::{AccountProof, SlotProof};
pub use source::{NoNodes, NodeSource};
pub use state::{StateRoots, StateTrie};
pub use tree::Trie;
pub use update::Change;
pub use witness::{Recorder, Witness};
pub use writes::{NodeWrite, NodeWrites};
