//! All keys in order.

use crate::{
    Nibbles, NodeSource, Trie, TrieError,
    node::{Kid, Slot},
    tree::{load, no_fork},
};
use alloy_primitives::B256;
use core::ops::ControlFlow;

impl Trie {
    /// Shows every key at or after `from`, with its value, in ascending order, until `visit` breaks.
    /// Nodes that were not in memory are not kept.
    pub fn walk(
        &self,
        source: &dyn NodeSource,
        from: &Nibbles,
        visit: &mut dyn FnMut(&Nibbles, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), TrieError> {
        if self.broken {
            return Err(TrieError::Broken);
        }
        let mut walk = Walk {
            source,
            owner: self.owner,
            from,
            visit,
        };
        walk.slot(&self.root, Nibbles::new(), false).map(|_| ())
    }
}

struct Walk<'a> {
    source: &'a dyn NodeSource,
    owner: B256,
    from: &'a Nibbles,
    visit: &'a mut dyn FnMut(&Nibbles, &[u8]) -> ControlFlow<()>,
}

impl Walk<'_> {
    fn slot(
        &mut self,
        slot: &Slot,
        path: Nibbles,
        must_fork: bool,
    ) -> Result<ControlFlow<()>, TrieError> {
        if path < *self.from && !self.from.starts_with(&path) {
            return Ok(ControlFlow::Continue(()));
        }
        let loaded;
        let kid = match &slot.kid {
            Kid::Absent => {
                loaded = load(self.source, self.owner, slot, &path)?;
                &loaded
            }
            kid => kid,
        };
        match kid {
            Kid::Branch(branch) => {
                if let Some(value) = &branch.value
                    && path >= *self.from
                    && (self.visit)(&path, value).is_break()
                {
                    return Ok(ControlFlow::Break(()));
                }
                for (nibble, slot) in branch.nibbles().zip(&branch.slots) {
                    let mut path = path;
                    path.push(nibble);
                    if self.slot(slot, path, false)?.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
                Ok(ControlFlow::Continue(()))
            }
            _ if must_fork => Err(no_fork(self.owner, slot, &path)),
            Kid::Extension(ext) => self.slot(&ext.child, path.join(&ext.path), true),
            Kid::Leaf(leaf) => {
                let key = path.join(&leaf.path());
                Ok(if key < *self.from {
                    ControlFlow::Continue(())
                } else {
                    (self.visit)(&key, &leaf.value_to_vec())
                })
            }
            Kid::Empty | Kid::Absent => Ok(ControlFlow::Continue(())),
        }
    }
}
