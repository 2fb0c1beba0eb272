//! Many changes in one descent.
//!
//! The changes come sorted, so each node on the way is visited once however many keys pass through it.
//! A node that did not really change keeps its hash and is not written again.

use crate::{
    NodeSource, Trie, TrieError,
    node::{Branch, Extension, Kid, Leaf, Reference, Slot},
    rlp,
    tree::Descent,
};
use alloc::{borrow::Cow, boxed::Box, vec::Vec};
use alloy_primitives::B256;
use alloy_trie::Nibbles;
use core::fmt;

/// What a key becomes.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    key: Nibbles,
    value: Value<'a>,
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Removed,
    /// Never nothing.
    Put(&'a [u8]),
    Rewritten(&'a dyn Rewrite),
}

/// How a value follows from the one before.
pub(crate) trait Rewrite {
    /// Appends what the old value is thought to be, or nothing. If the hash of its leaf agrees, the leaf is not read.
    fn expected(&self, out: &mut Vec<u8>);

    /// Appends the new value, never nothing, given the leaf that holds the old one if there is one. An error says why
    /// the old one cannot be.
    fn rewrite(&self, old: Option<&Leaf>, out: &mut Vec<u8>) -> Result<(), &'static str>;
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Removed => f.write_str("Removed"),
            Self::Put(value) => f.debug_tuple("Put").field(value).finish(),
            Self::Rewritten(_) => f.write_str("Rewritten"),
        }
    }
}

impl<'a> Change<'a> {
    /// `key` gets `value`; an empty value removes it, as the Yellow Paper has it.
    pub fn put(key: Nibbles, value: &'a [u8]) -> Self {
        Self {
            key,
            value: if value.is_empty() {
                Value::Removed
            } else {
                Value::Put(value)
            },
        }
    }

    /// `key` goes.
    pub fn remove(key: Nibbles) -> Self {
        Self {
            key,
            value: Value::Removed,
        }
    }

    /// `key` gets what `rewrite` makes of its old value: saves the descent of a `get`.
    pub(crate) fn rewrite(key: Nibbles, rewrite: &'a dyn Rewrite) -> Self {
        Self {
            key,
            value: Value::Rewritten(rewrite),
        }
    }

    /// The key this changes.
    pub fn key(&self) -> &Nibbles {
        &self.key
    }

    fn removes(&self) -> bool {
        matches!(self.value, Value::Removed)
    }
}

/// A key and its value on the way into a new part of the trie.
type Item<'a> = (Nibbles, Cow<'a, [u8]>);

impl Trie {
    /// Applies changes, which must ascend strictly by key.
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
    /// True if it is no longer the same node; its reference is then new, and so are those below.
    fn update(
        &mut self,
        slot: &mut Slot,
        depth: usize,
        changes: &[Change<'_>],
    ) -> Result<bool, TrieError> {
        self.make_expected(slot, depth, changes);
        self.open(slot, &changes[0].key, depth)?;
        let changed = match slot.kid {
            Kid::Empty | Kid::Absent => {
                let mut items = Vec::with_capacity(changes.len());
                self.items(changes, None, &mut items)?;
                let any = !items.is_empty();
                if any {
                    let kid = self.build(depth, &items);
                    self.set(slot, kid);
                }
                any
            }
            Kid::Leaf(_) => self.update_leaf(slot, depth, changes)?,
            Kid::Extension(_) => self.update_extension(slot, depth, changes)?,
            Kid::Branch(_) => self.update_branch(slot, depth, changes)?,
        };
        if changed {
            self.seal(slot, depth == 0);
        }
        Ok(changed)
    }

    /// Makes the absent leaf of the only change from the value that it expects, if that has the slot's reference. In a
    /// state too large for memory nearly every change would read a leaf otherwise.
    fn make_expected(&mut self, slot: &mut Slot, depth: usize, changes: &[Change<'_>]) {
        let (Kid::Absent, [Change { key, value }]) = (&slot.kid, changes) else {
            return;
        };
        let Value::Rewritten(rewrite) = value else {
            return;
        };
        self.value.clear();
        rewrite.expected(&mut self.value);
        if self.value.is_empty() {
            return;
        }
        let kid = Kid::Leaf(Leaf::new(&key.slice(depth..), &self.value));
        self.buffer.clear();
        rlp::encode(&kid, &mut self.buffer);
        if Reference::of(&self.buffer) == slot.reference {
            *self.bytes += kid.cost();
            slot.kid = kid;
        }
    }

    /// Appends what `changes` put; `old` is the leaf that the first of them names, if one does.
    fn items<'c>(
        &self,
        changes: &[Change<'c>],
        mut old: Option<&Leaf>,
        items: &mut Vec<Item<'c>>,
    ) -> Result<(), TrieError> {
        for change in changes {
            let old = old.take();
            match change.value {
                Value::Removed => {}
                Value::Put(value) => items.push((change.key, Cow::Borrowed(value))),
                Value::Rewritten(rewrite) => {
                    let mut value = Vec::new();
                    rewrite
                        .rewrite(old, &mut value)
                        .map_err(|why| self.bad_value(&change.key, why))?;
                    items.push((change.key, Cow::Owned(value)));
                }
            }
        }
        Ok(())
    }

    fn bad_value(&self, key: &Nibbles, why: &'static str) -> TrieError {
        TrieError::Bad {
            owner: self.owner,
            path: *key,
            hash: B256::ZERO,
            why,
        }
    }

    fn update_leaf(
        &mut self,
        slot: &mut Slot,
        depth: usize,
        changes: &[Change<'_>],
    ) -> Result<bool, TrieError> {
        let Kid::Leaf(leaf) = &mut slot.kid else {
            unreachable!("called on a leaf")
        };
        let first = &changes[0].key;
        let path = leaf.path();

        if let [Change { key, value }] = changes {
            let same = path == key.slice(depth..);
            let value = match value {
                Value::Removed if !same => return Ok(false),
                Value::Put(value) if same => Some(*value),
                Value::Rewritten(rewrite) if same => {
                    self.value.clear();
                    rewrite
                        .rewrite(Some(leaf), &mut self.value)
                        .map_err(|why| self.bad_value(key, why))?;
                    Some(&self.value[..])
                }
                _ => None,
            };
            if let Some(value) = value {
                if leaf.value_is(value) {
                    return Ok(false);
                }
                if !leaf.set_value(value) {
                    let kid = Kid::Leaf(Leaf::new(&path, value));
                    self.set(slot, kid);
                }
                return Ok(true);
            }
        }

        // The leaf becomes one more item beside the new ones, unless a change names its key.
        let own_key = first.slice(..depth).join(&path);
        let own_value = leaf.value_to_vec();
        let mut items = Vec::with_capacity(changes.len() + 1);
        let (before, from) = changes.split_at(changes.partition_point(|c| c.key < own_key));
        let named = from.first().is_some_and(|c| c.key == own_key);
        self.items(before, None, &mut items)?;
        if !named {
            items.push((own_key, Cow::Borrowed(&own_value[..])));
        }
        self.items(from, named.then_some(&*leaf), &mut items)?;

        match &items[..] {
            [] => {
                self.gone.push(first.slice(..depth));
                self.set(slot, Kid::Empty);
            }
            [(key, value)] if *key == own_key && **value == own_value[..] => return Ok(false),
            _ => {
                let kid = self.build(depth, &items);
                self.set(slot, kid);
            }
        }
        Ok(true)
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
            .filter(|c| !c.removes())
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
        // Too few after a removal, or because nothing came of an extension's split.
        if changed.is_ok() && branch.slots.len() + usize::from(branch.value.is_some()) < 2 {
            self.collapse(slot, depth, &changes[0].key)?;
            return Ok(true);
        }
        changed
    }

    fn update_children(
        &mut self,
        branch: &mut Branch,
        depth: usize,
        mut changes: &[Change<'_>],
    ) -> Result<bool, TrieError> {
        let mut changed = false;
        if changes[0].key.len() == depth {
            let mut items = Vec::with_capacity(1);
            let old = branch
                .value
                .as_ref()
                .map(|value| Leaf::new(&Nibbles::new(), value));
            self.items(&changes[..1], old.as_ref(), &mut items)?;
            let value = items.first().map(|(_, value)| &**value);
            if branch.value.as_deref() != value {
                branch.value = value.map(Into::into);
                branch.saved_mask = 0;
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

    /// A slot for a new node.
    fn fresh(&mut self, kid: Kid) -> Slot {
        *self.bytes += kid.cost();
        let mut slot = Slot {
            kid,
            touched: self.now,
            ..Slot::EMPTY
        };
        self.seal(&mut slot, false);
        slot
    }

    /// The subtree of `items`, at least one, sorted, whose keys share their first `depth` nibbles.
    fn build(&mut self, depth: usize, items: &[Item<'_>]) -> Kid {
        let (first, last) = (&items[0], &items[items.len() - 1]);
        if items.len() == 1 {
            return Kid::Leaf(Leaf::new(&first.0.slice(depth..), &first.1));
        }
        let fork_at = first.0.common_prefix_length(&last.0);
        let mut branch = Branch::default();
        let mut rest = items;
        if first.0.len() == fork_at {
            branch.value = Some(first.1[..].into());
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
