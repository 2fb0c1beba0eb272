//! A state known by a few of its nodes, and how to find out which.

use crate::{NodeSource, TrieError};
use alloc::{collections::BTreeMap, vec::Vec};
use alloy_primitives::{B256, Bytes, keccak256, map::B256Map};
use alloy_trie::Nibbles;
use core::cell::RefCell;

/// Nodes by hash, from anyone: whatever is in here, it is what its hash says.
#[derive(Debug, Clone, Default)]
pub struct Witness {
    nodes: B256Map<Bytes>,
}

impl Witness {
    /// Hashes every node. Nodes that nothing refers to are of no effect.
    pub fn new(nodes: impl IntoIterator<Item = Bytes>) -> Self {
        Self {
            nodes: nodes
                .into_iter()
                .map(|node| (keccak256(&node), node))
                .collect(),
        }
    }
}

impl NodeSource for Witness {
    fn node(&self, owner: B256, path: &Nibbles, hash: B256) -> Result<Bytes, TrieError> {
        self.nodes.get(&hash).cloned().ok_or(TrieError::Missing {
            owner,
            path: *path,
            hash,
        })
    }

    fn answers_are_checked(&self) -> bool {
        true
    }
}

/// Another source, with a note of every node that was read.
///
/// A fresh [`crate::StateTrie`] over a recorder, asked for what a block reads and given what it changes, leaves the
/// block's witness here.
#[derive(Debug, Default)]
pub struct Recorder<S> {
    source: S,
    read: RefCell<BTreeMap<B256, Bytes>>,
}

impl<S: NodeSource> Recorder<S> {
    /// Nothing read yet.
    pub fn new(source: S) -> Self {
        Self {
            source,
            read: RefCell::default(),
        }
    }

    /// The nodes read so far, ascending by hash.
    pub fn nodes(&self) -> Vec<Bytes> {
        self.read.borrow().values().cloned().collect()
    }
}

impl<S: NodeSource> NodeSource for Recorder<S> {
    fn node(&self, owner: B256, path: &Nibbles, hash: B256) -> Result<Bytes, TrieError> {
        let node = self.source.node(owner, path, hash)?;
        self.read.borrow_mut().insert(hash, node.clone());
        Ok(node)
    }

    fn answers_are_checked(&self) -> bool {
        self.source.answers_are_checked()
    }
}
