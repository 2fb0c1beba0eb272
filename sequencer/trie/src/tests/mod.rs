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
        for node in nodes {
            let place = (node.owner, node.path);
            if node.changed != 0 {
                let rlp = node
                    .rlp
                    .as_ref()
                    .expect("what changed in a branch has its bytes");
                let old = self
                    .0
                    .get(&place)
                    .expect("a branch changed that is not there");
                differs_only_in(node.changed, &items(old), &items(rlp));
            }
            match node.rlp {
                Some(rlp) => self.0.insert(place, rlp),
                None => self.0.remove(&place),
            };
        }
    }
}

/// The items of a branch, as they stand.
fn items(rlp: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = alloy_rlp::Header::decode_bytes(&mut &rlp[..], true).expect("a list");
    let mut items = Vec::new();
    while !rest.is_empty() {
        let start = rest;
        alloy_rlp::Header::decode_raw(&mut rest).expect("an item");
        items.push(start[..start.len() - rest.len()].to_vec());
    }
    items
}

fn differs_only_in(changed: u16, old: &[Vec<u8>], new: &[Vec<u8>]) {
    assert_eq!((old.len(), new.len()), (17, 17), "both are branches");
    for (nibble, (old, new)) in old.iter().zip(new).enumerate() {
        if nibble == 16 || changed & (1 << nibble) == 0 {
            assert_eq!(old, new, "item {nibble} changed unsaid");
        } else {
            let empty = |item: &[u8]| item == [alloy_rlp::EMPTY_STRING_CODE];
            assert!(!empty(old) && !empty(new), "a child came or went unsaid");
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
