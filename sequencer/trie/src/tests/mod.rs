//! What is true of the trie, shown on random contents.
//!
//! Keys come from a small and crooked set, so that forks at every depth, long shared paths, nodes short enough to be
//! part of their parents, and collapses of all of these happen all the time. The judge is alloy-trie's hash builder,
//! which knows nothing of updates.

mod hostile;
mod single;
mod whole;

use crate::{Nibbles, NodeSource, NodeWrite, NodeWrites, TrieError};
use alloc::{collections::BTreeMap, vec::Vec};
use alloy_primitives::{B256, Bytes};
use alloy_trie::HashBuilder;

/// What a store does with node writes, in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shelf(pub(crate) BTreeMap<(B256, Nibbles), Bytes>);

impl Shelf {
    pub(crate) fn write(&mut self, writes: NodeWrites) {
        self.0.retain(|(owner, _), _| !writes.wiped.contains(owner));
        self.put(writes.nodes);
    }

    pub(crate) fn put(&mut self, nodes: Vec<NodeWrite>) {
        for NodeWrite { owner, path, rlp } in nodes {
            match rlp {
                Some(rlp) => self.0.insert((owner, path), rlp),
                None => self.0.remove(&(owner, path)),
            };
        }
    }
}

impl NodeSource for Shelf {
    fn node(&self, owner: B256, path: &Nibbles, hash: B256) -> Result<Bytes, TrieError> {
        self.0
            .get(&(owner, *path))
            .cloned()
            .ok_or(TrieError::Missing {
                owner,
                path: *path,
                hash,
            })
    }
}

/// The root by alloy-trie.
pub(crate) fn judge<V: AsRef<[u8]>>(contents: &BTreeMap<Nibbles, V>) -> B256 {
    let mut builder = HashBuilder::default();
    for (key, value) in contents {
        builder.add_leaf(*key, value.as_ref());
    }
    builder.root()
}
