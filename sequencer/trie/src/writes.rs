//! What a store must write so that it can serve the trie again.

use crate::{
    Nibbles, Trie,
    node::{Kid, Slot},
    rlp,
};
use alloc::vec::Vec;
use alloy_primitives::{B256, Bytes};

/// One node, to put or to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeWrite {
    /// Hashed address of the storage trie, zero for the account trie.
    pub owner: B256,
    /// Where the node lies, counted from that trie's root.
    pub path: Nibbles,
    /// The node's RLP; `None` deletes what may lie there.
    pub rlp: Option<Bytes>,
    /// Not 0: what lies there is a branch with the same children and value, of which these changed, nibble `n` at bit
    /// `n`. A store may then write only them.
    pub changed: u16,
}

/// All that changed since the last time: first drop `wiped`, then write `nodes`, in one atomic step.
///
/// A node is written on its own if its parent names it by hash: if its RLP has 32 bytes or more, or if it is
/// a root. A shorter one is part of its parent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeWrites {
    /// Owners of which every stored node goes.
    pub wiped: Vec<B256>,
    /// No two of the same owner and path.
    pub nodes: Vec<NodeWrite>,
}

impl Trie {
    /// Appends what changed since the last call, and counts it as stored from now on.
    ///
    /// Panics if an earlier call failed: what is in memory is then no trie.
    pub fn take_dirty(&mut self, out: &mut Vec<NodeWrite>) {
        assert!(!self.broken, "a trie is not used after an error");
        if !self.root.unsaved {
            return;
        }
        let start = out.len();
        let mut save = Save {
            owner: self.owner,
            buffer: Vec::new(),
            out,
        };
        save.slot(&mut self.root, Nibbles::new());

        // The walk above went in the order of paths.
        self.gone.sort_unstable();
        self.gone.dedup();
        let written = out.len();
        for path in self.gone.drain(..) {
            if out[start..written]
                .binary_search_by(|w| w.path.cmp(&path))
                .is_err()
            {
                out.push(NodeWrite {
                    owner: self.owner,
                    path,
                    rlp: None,
                    changed: 0,
                });
            }
        }
    }
}

struct Save<'a> {
    owner: B256,
    buffer: Vec<u8>,
    out: &'a mut Vec<NodeWrite>,
}

impl Save<'_> {
    fn slot(&mut self, slot: &mut Slot, path: Nibbles) {
        if !slot.unsaved {
            return;
        }
        slot.unsaved = false;
        if slot.is_empty() {
            return;
        }
        // An embedded node may have been longer, and stored here, before.
        let rlp = slot.reference.as_hash().map(|_| {
            self.buffer.clear();
            rlp::encode(&slot.kid, &mut self.buffer);
            Bytes::copy_from_slice(&self.buffer)
        });
        let changed = match &mut slot.kid {
            Kid::Branch(branch) => branch.take_changed(rlp.is_some()),
            _ => 0,
        };
        self.out.push(NodeWrite {
            owner: self.owner,
            path,
            rlp,
            changed,
        });
        match &mut slot.kid {
            Kid::Empty | Kid::Absent | Kid::Leaf(_) => {}
            Kid::Extension(ext) => self.slot(&mut ext.child, path.join(&ext.path)),
            Kid::Branch(branch) => {
                for (nibble, slot) in branch.nibbles().zip(&mut branch.slots) {
                    let mut path = path;
                    path.push(nibble);
                    self.slot(slot, path);
                }
            }
        }
    }
}
