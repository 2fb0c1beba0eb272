//! One trie: reading, single writes, and the root.

use crate::{
    Change, EMPTY_ROOT_HASH, NodeSource, TrieError,
    node::{Kid, Reference, Slot},
    path::MAX_NIBBLES,
    rlp,
};
use alloc::vec::Vec;
use alloy_primitives::{B256, keccak256};
use alloy_trie::Nibbles;

/// One trie, of which any part may be absent from memory.
///
/// The source is passed to every call that may need it, and must be the same one each time: the tries of
/// one state share it. After an error every later call answers [`TrieError::Broken`].
#[derive(Debug, Clone)]
pub struct Trie {
    pub(crate) owner: B256,
    pub(crate) root: Slot,
    /// Places where a stored node may lie that the trie no longer has.
    pub(crate) gone: Vec<Nibbles>,
    /// What the nodes in memory cost, about.
    pub(crate) bytes: usize,
    /// The current generation, for eviction.
    pub(crate) now: u32,
    pub(crate) broken: bool,
}

impl Trie {
    /// The trie that the source holds under `root`. `owner` is the hashed address of a storage trie, zero for the
    /// account trie. Reads nothing yet.
    pub fn new(owner: B256, root: B256) -> Self {
        let root = if root == EMPTY_ROOT_HASH {
            Slot::EMPTY
        } else {
            Slot::absent(Reference::hash(root))
        };
        Self {
            owner,
            root,
            gone: Vec::new(),
            bytes: 0,
            now: 0,
            broken: false,
        }
    }

    /// The value under `key`.
    pub fn get(
        &mut self,
        source: &dyn NodeSource,
        key: &Nibbles,
    ) -> Result<Option<Vec<u8>>, TrieError> {
        self.guarded(source, |descent, root| {
            let mut slot = root;
            let mut depth = 0;
            loop {
                descent.open(slot, key, depth)?;
                match &mut slot.kid {
                    Kid::Empty | Kid::Absent => return Ok(None),
                    Kid::Leaf(leaf) => {
                        let here = leaf.path() == key.slice(depth..);
                        return Ok(here.then(|| leaf.value_to_vec()));
                    }
                    Kid::Extension(ext) => {
                        if !key.slice(depth..).starts_with(&ext.path) {
                            return Ok(None);
                        }
                        depth += ext.path.len();
                        descent.open_fork(&mut ext.child, key, depth)?;
                        slot = &mut ext.child;
                    }
                    Kid::Branch(branch) => {
                        let Some(nibble) = key.get(depth) else {
                            return Ok(branch.value.as_ref().map(|v| v.to_vec()));
                        };
                        let Some(at) = branch.position(nibble) else {
                            return Ok(None);
                        };
                        depth += 1;
                        slot = &mut branch.slots[at];
                    }
                }
            }
        })
    }

    /// Sets the value under `key`; an empty value removes it. For many keys, [`Trie::update`] is quicker.
    pub fn insert(
        &mut self,
        source: &dyn NodeSource,
        key: &Nibbles,
        value: &[u8],
    ) -> Result<(), TrieError> {
        self.update(source, &[Change::put(*key, value)])
    }

    /// Removes `key` if it is there.
    pub fn remove(&mut self, source: &dyn NodeSource, key: &Nibbles) -> Result<(), TrieError> {
        self.update(source, &[Change::remove(*key)])
    }

    /// The root hash.
    ///
    /// Panics if an earlier call failed: what is in memory is then no trie.
    pub fn root(&self) -> B256 {
        assert!(!self.broken, "a trie is not used after an error");
        if self.root.is_empty() {
            return EMPTY_ROOT_HASH;
        }
        self.root
            .reference
            .as_hash()
            .expect("a root is known by its hash")
    }

    /// Bytes of memory that the nodes take, about.
    pub fn bytes(&self) -> usize {
        self.bytes + self.gone.len() * size_of::<Nibbles>()
    }

    /// Runs `act` on the root; an error makes the trie unusable.
    pub(crate) fn guarded<T>(
        &mut self,
        source: &dyn NodeSource,
        act: impl FnOnce(&mut Descent<'_>, &mut Slot) -> Result<T, TrieError>,
    ) -> Result<T, TrieError> {
        if self.broken {
            return Err(TrieError::Broken);
        }
        let mut descent = Descent {
            source,
            owner: self.owner,
            now: self.now,
            bytes: &mut self.bytes,
            gone: &mut self.gone,
            buffer: Vec::new(),
            value: Vec::new(),
        };
        let result = act(&mut descent, &mut self.root);
        self.broken = result.is_err();
        result
    }
}

/// What a walk from the root needs beside the slot it stands on.
pub(crate) struct Descent<'a> {
    pub(crate) source: &'a dyn NodeSource,
    pub(crate) owner: B256,
    pub(crate) now: u32,
    pub(crate) bytes: &'a mut usize,
    pub(crate) gone: &'a mut Vec<Nibbles>,
    /// Scratch space for the RLP of a node.
    pub(crate) buffer: Vec<u8>,
    /// Scratch space for the value of a leaf.
    pub(crate) value: Vec<u8>,
}

impl Descent<'_> {
    /// Brings the node at the first `depth` nibbles of `key` into memory and marks it as touched.
    pub(crate) fn open(
        &mut self,
        slot: &mut Slot,
        key: &Nibbles,
        depth: usize,
    ) -> Result<(), TrieError> {
        slot.touched = self.now;
        if let Kid::Absent = slot.kid {
            slot.kid = load(self.source, self.owner, slot, &key.slice(..depth))?;
            *self.bytes += slot.kid.cost();
        }
        Ok(())
    }

    /// As [`Self::open`], for the child of an extension.
    pub(crate) fn open_fork(
        &mut self,
        slot: &mut Slot,
        key: &Nibbles,
        depth: usize,
    ) -> Result<(), TrieError> {
        self.open(slot, key, depth)?;
        if let Kid::Branch(_) = slot.kid {
            Ok(())
        } else {
            Err(no_fork(self.owner, slot, &key.slice(..depth)))
        }
    }

    /// Puts `kid` where another was.
    pub(crate) fn set(&mut self, slot: &mut Slot, kid: Kid) {
        *self.bytes -= slot.kid.cost();
        slot.kid = kid;
        *self.bytes += slot.kid.cost();
    }

    /// Computes the reference of a node that changed. `root` if it is one: that is named by its hash even if short.
    pub(crate) fn seal(&mut self, slot: &mut Slot, root: bool) {
        slot.unsaved = true;
        self.buffer.clear();
        rlp::encode(&slot.kid, &mut self.buffer);
        slot.reference = if root {
            Reference::hash(keccak256(&self.buffer))
        } else {
            Reference::of(&self.buffer)
        };
    }

    /// Takes the node out, leaving nothing.
    pub(crate) fn take(&mut self, slot: &mut Slot) -> Kid {
        *self.bytes -= slot.kid.cost();
        core::mem::replace(&mut slot.kid, Kid::Empty)
    }
}

/// The refusal of an extension over anything but a branch.
pub(crate) fn no_fork(owner: B256, slot: &Slot, path: &Nibbles) -> TrieError {
    let hash = slot.reference.as_hash().unwrap_or_default();
    TrieError::Bad {
        owner,
        path: *path,
        hash,
        why: "an extension leads to no branch",
    }
}

/// Reads the absent node of `slot`, which lies at `path`.
pub(crate) fn load(
    source: &dyn NodeSource,
    owner: B256,
    slot: &Slot,
    path: &Nibbles,
) -> Result<Kid, TrieError> {
    let hash = slot.reference.as_hash();
    let bad = |why| TrieError::Bad {
        owner,
        path: *path,
        hash: hash.unwrap_or_default(),
        why,
    };
    let kid = match hash {
        None => rlp::decode(slot.reference.as_bytes(), path.len()),
        Some(hash) => {
            let bytes = source.node(owner, path, hash)?;
            if !source.answers_are_checked() && keccak256(&bytes) != hash {
                return Err(bad("bytes have another hash"));
            }
            if bytes.len() < 32 && !path.is_empty() {
                return Err(bad("a short node stands outside its parent"));
            }
            rlp::decode(&bytes, path.len())
        }
    };
    match kid.map_err(bad)? {
        Kid::Extension(ext) if path.len() + ext.path.len() >= MAX_NIBBLES => {
            Err(bad("an extension reaches the end of every key"))
        }
        Kid::Branch(mut branch) if hash.is_none() => {
            // Its parent's row holds it.
            branch.saved_mask = 0;
            Ok(Kid::Branch(branch))
        }
        kid => Ok(kid),
    }
}
