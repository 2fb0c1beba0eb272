//! Many changes in one descent.
//!
//! The changes come sorted, so each node on the way is visited once however many keys pass through it.
//! A node that did not really change keeps its hash and is not written again.

use crate::{
    NodeSource, Trie, TrieError,
    node::{Branch, Extension, Kid, Leaf, Slot},
    tree::Descent,
};
use alloc::{boxed::Box, vec::Vec};
use alloy_trie::Nibbles;

/// What a key becomes.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    key: Nibbles,
    /// Never `Some` of nothing.
    value: Option<&'a [u8]>,
}

impl<'a> Change<'a> {
    /// `key` gets `value`; an empty value removes it, as the Yellow Paper has it.
    pub fn put(key: Nibbles, value: &'a [u8]) -> Self {
        Self {
            key,
            value: (!value.is_empty()).then_some(value),
        }
    }

    /// `key` goes.
    pub fn remove(key: Nibbles) -> Self {
        Self { key, value: None }
    }

    /// The key this changes.
    pub fn key(&self) -> &Nibbles {
        &self.key
    }
}

impl Trie {
    /// Applies changes, which must ascend strictly by key. The new root is computed by [`Trie::root`].
    pub fn update(
        &mut self,
        source: &dyn NodeSource,
        changes: &[Change<'_>],
    ) -> Result<(), TrieError> {
        assert!(
            changes.is_sorted_by(|a, b| a.key < b.key),
            "changes must ascend strictly by key"
        );
        if changes.is_empty() {
            return Ok(());
        }
        self.guarded(source, |descent, root| {
            descent.update(root, 0, changes).map(|_| ())
        })
    }
}

impl Descent<'_> {
    /// Applies `changes`, at least one, whose keys share their first `depth` nibbles, to the node in `slot`.
    /// True if it is no longer the same node.
    fn update(
        &mut self,
        slot: &mut Slot,
        depth: usize,
        changes: &[Change<'_>],
    ) -> Result<bool, TrieError> {
        self.open(slot, &changes[0].key, depth)?;
        let changed = match slot.kid {
            Kid::Empty | Kid::Absent => {
                let items: Vec<_> = changes
                    .iter()
                    .filter_map(|c| Some((c.key, c.value?)))
                    .collect();
                if items.is_empty() {
                    false
                } else {
                    let kid = self.build(depth, &items);
                    self.set(slot, kid);
                    true
                }
            }
            Kid::Leaf(_) => self.update_leaf(slot, depth, changes),
            Kid::Extension(_) => self.update_extension(slot, depth, changes)?,
            Kid::Branch(_) => self.update_branch(slot, depth, changes)?,
        };
        if changed {
            slot.stale = true;
            slot.unsaved = true;
        }
        Ok(changed)
    }

    fn update_leaf(&mut self, slot: &mut Slot, depth: usize, changes: &[Change<'_>]) -> bool {
        let Kid::Leaf(leaf) = &slot.kid else {
            unreachable!("called on a leaf")
        };
        let first = &changes[0].key;
        let path = leaf.path();

        if let [Change { key, value }] = changes {
            let same = path == key.slice(depth..);
            match value {
                Some(value) if same && leaf.value_is(value) => return false,
                Some(value) if same => {
                    let kid = Kid::Leaf(Leaf::new(&path, value));
                    self.set(slot, kid);
                    return true;
                }
                None if !same => return false,
                _ => {}
            }
        }

        // The leaf becomes one more item beside the new ones, unless a change names its key.
        let own_key = first.slice(..depth).join(&path);
        let own_value = leaf.value_to_vec();
        let mut items: Vec<(Nibbles, &[u8])> = Vec::with_capacity(changes.len() + 1);
        let at = changes.partition_point(|c| c.key < own_key);
        let named = changes.get(at).is_some_and(|c| c.key == own_key);
        items.extend(changes[..at].iter().filter_map(|c| Some((c.key, c.value?))));
        if !named {
            items.push((own_key, &own_value));
        }
        items.extend(changes[at..].iter().filter_map(|c| Some((c.key, c.value?))));

        match items[..] {
            [] => {
                self.gone.push(first.slice(..depth));
                self.set(slot, Kid::Empty);
                true
            }
            [(key, value)] if key == own_key && value == own_value => false,
            _ => {
                let kid = self.build(depth, &items);
                self.set(slot, kid);
                true
            }
        }
    }

    fn update_extension(
        &mut self,
        slot: &mut Slot,
        depth: usize,
        changes: &[Change<'_>],
    ) -> Result<bool, TrieError> {
        let Kid::Extension(ext) = &mut slot.kid else {
            unreachable!("called on an extension")
        };
        let first = changes[0].key;
        let end = depth + ext.path.len();
        let full = first.slice(..depth).join(&ext.path);
        let shared = changes
            .iter()
            .filter(|c| c.value.is_some())
            .map(|c| c.key.common_prefix_length(&full))
            .min()
            .unwrap_or(end)
            .min(end);

        if shared < end {
            // A new key leaves the path in its middle. A fork goes there, and the changes start again:
            // one child is too few for a branch, but at least one more is about to come.
            let Kid::Extension(ext) = self.take(slot) else {
                unreachable!("matched above")
            };
            let Extension { path, child } = *ext;
            let (kept, nibble) = (shared - depth, path.get_unchecked(shared - depth));
            let below = path.slice(kept + 1..);
            let below = if below.is_empty() {
                child
            } else {
                self.fresh(Kid::Extension(Box::new(Extension { path: below, child })))
            };
            let mut fork = Branch::default();
            fork.put(nibble, below);
            let fork = Kid::Branch(Box::new(fork));
            let kid = if kept == 0 {
                fork
            } else {
                self.extend(path.slice(..kept), fork)
            };
            self.set(slot, kid);
            self.update(slot, depth, changes)?;
            return Ok(true);
        }

        // Keys that leave the path are now only removals of what is not there.
        let from = changes.partition_point(|c| c.key < full);
        let to = from + changes[from..].partition_point(|c| c.key.starts_with(&full));
        self.open_fork(&mut ext.child, &full, end)?;
        if from == to || !self.update(&mut ext.child, end, &changes[from..to])? {
            return Ok(false);
        }
        match ext.child.kid {
            Kid::Branch(_) => {}
            Kid::Empty => {
                self.gone.push(first.slice(..depth));
                self.set(slot, Kid::Empty);
            }
            _ => {
                let path = ext.path;
                let kid = self.take(&mut ext.child);
                self.gone.push(full);
                let kid = self.prefix(path, kid);
                self.set(slot, kid);
            }
        }
        Ok(true)
    }

    fn update_branch(
        &mut self,
        slot: &mut Slot,
        depth: usize,
        changes: &[Change<'_>],
    ) -> Result<bool, TrieError> {
        let Kid::Branch(branch) = &mut slot.kid else {
            unreachable!("called on a branch")
        };
        *self.bytes -= branch.cost();
        let changed = self.update_children(branch, depth, changes);
        *self.bytes += branch.cost();
        let changed = changed?;
        // A fork of one that an extension's split left behind collapses even if nothing came of it.
        if branch.slots.len() + usize::from(branch.value.is_some()) < 2 {
            self.collapse(slot, depth, &changes[0].key)?;
        }
        Ok(changed)
    }

    fn update_children(
        &mut self,
        branch: &mut Branch,
        depth: usize,
        mut changes: &[Change<'_>],
    ) -> Result<bool, TrieError> {
        let mut changed = false;
        if changes[0].key.len() == depth {
            let value = changes[0].value;
            if branch.value.as_deref() != value {
                branch.value = value.map(Into::into);
                changed = true;
            }
            changes = &changes[1..];
        }
        while let Some(first) = changes.first() {
            let nibble = first.key.get_unchecked(depth);
            let end = changes
                .iter()
                .position(|c| c.key.get_unchecked(depth) != nibble)
                .unwrap_or(changes.len());
            let (group, rest) = changes.split_at(end);
            changes = rest;
            match branch.position(nibble) {
                Some(at) => {
                    let slot = &mut branch.slots[at];
                    changed |= self.update(slot, depth + 1, group)?;
                    if slot.is_empty() {
                        branch.cut(nibble);
                    }
                }
                None => {
                    let mut slot = Slot::EMPTY;
                    if self.update(&mut slot, depth + 1, group)? {
                        branch.put(nibble, slot);
                        changed = true;
                    }
                }
            }
        }
        Ok(changed)
    }

    /// Replaces a branch that holds fewer than two things by what a trie has in its place.
    fn collapse(&mut self, slot: &mut Slot, depth: usize, key: &Nibbles) -> Result<(), TrieError> {
        let Kid::Branch(branch) = &mut slot.kid else {
            unreachable!("called on a branch")
        };
        let Some(nibble) = branch.nibbles().next() else {
            let kid = match &branch.value {
                Some(value) => Kid::Leaf(Leaf::new(&Nibbles::new(), value)),
                None => {
                    self.gone.push(key.slice(..depth));
                    Kid::Empty
                }
            };
            self.set(slot, kid);
            return Ok(());
        };
        let step = Nibbles::from_nibbles([nibble]);
        let path = key.slice(..depth).join(&step);
        let child = &mut branch.slots[0];
        self.open(child, &path, depth + 1)?;
        let kid = if let Kid::Branch(_) = child.kid {
            let child = core::mem::replace(child, Slot::EMPTY);
            Kid::Extension(Box::new(Extension { path: step, child }))
        } else {
            let kid = self.take(child);
            self.gone.push(path);
            self.prefix(step, kid)
        };
        self.set(slot, kid);
        Ok(())
    }

    /// The leaf or extension `kid` with `path` in front of its own.
    fn prefix(&mut self, path: Nibbles, kid: Kid) -> Kid {
        match kid {
            Kid::Leaf(leaf) => Kid::Leaf(Leaf::new(&path.join(&leaf.path()), &leaf.value_to_vec())),
            Kid::Extension(mut ext) => {
                ext.path = path.join(&ext.path);
                Kid::Extension(ext)
            }
            other => unreachable!("only a leaf or an extension takes a longer path, not {other:?}"),
        }
    }

    /// An extension over a new branch.
    fn extend(&mut self, path: Nibbles, branch: Kid) -> Kid {
        let child = self.fresh(branch);
        Kid::Extension(Box::new(Extension { path, child }))
    }

    fn fresh(&mut self, kid: Kid) -> Slot {
        *self.bytes += kid.cost();
        Slot::fresh(kid, self.now)
    }

    /// The subtree of `items`, at least one, sorted, whose keys share their first `depth` nibbles.
    fn build(&mut self, depth: usize, items: &[(Nibbles, &[u8])]) -> Kid {
        let (first, last) = (&items[0], &items[items.len() - 1]);
        if items.len() == 1 {
            return Kid::Leaf(Leaf::new(&first.0.slice(depth..), first.1));
        }
        let fork_at = first.0.common_prefix_length(&last.0);
        let mut branch = Branch::default();
        let mut rest = items;
        if first.0.len() == fork_at {
            branch.value = Some(first.1.into());
            rest = &rest[1..];
        }
        while let Some((key, _)) = rest.first() {
            let nibble = key.get_unchecked(fork_at);
            let end = rest
                .iter()
                .position(|(key, _)| key.get_unchecked(fork_at) != nibble)
                .unwrap_or(rest.len());
            let kid = self.build(fork_at + 1, &rest[..end]);
            let slot = self.fresh(kid);
            branch.put(nibble, slot);
            rest = &rest[end..];
        }
        let branch = Kid::Branch(Box::new(branch));
        if fork_at == depth {
            branch
        } else {
            self.extend(first.0.slice(depth..fork_at), branch)
        }
    }
}
