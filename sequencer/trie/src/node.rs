//! Nodes as they lie in memory: a tree of owned boxes, small for leaves.
//!
//! A [`Slot`] is the place of a node: in a branch, under an extension, or the root. It always knows the
//! node's reference; the node itself may be absent. An unsaved slot lies only under unsaved slots, and none was
//! touched later than the slot above it.

use crate::path;
use alloc::{boxed::Box, vec::Vec};
use alloy_primitives::{B256, hex, keccak256};
use alloy_trie::Nibbles;

/// What a parent holds of its child: the hash of its RLP, or the RLP itself if that is under 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reference {
    len: u8,
    bytes: [u8; 32],
}

impl Reference {
    /// Of nothing; only a slot without a clean node has it.
    pub(crate) const NONE: Self = Self {
        len: 0,
        bytes: [0; 32],
    };

    pub(crate) const fn hash(hash: B256) -> Self {
        Self {
            len: 32,
            bytes: hash.0,
        }
    }

    /// Of a node that is not a root.
    pub(crate) fn of(rlp: &[u8]) -> Self {
        if rlp.len() < 32 {
            Self::embedded(rlp)
        } else {
            Self::hash(keccak256(rlp))
        }
    }

    /// `rlp` must be under 32 bytes.
    pub(crate) fn embedded(rlp: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes[..rlp.len()].copy_from_slice(rlp);
        Self {
            len: rlp.len() as u8,
            bytes,
        }
    }

    /// The hash, or `None` for a node that is part of its parent.
    pub(crate) fn as_hash(&self) -> Option<B256> {
        (self.len == 32).then_some(B256::new(self.bytes))
    }

    /// The hash or the embedded RLP.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Length of the reference inside its parent's RLP.
    pub(crate) fn rlp_len(&self) -> usize {
        if self.len == 32 {
            33
        } else {
            usize::from(self.len)
        }
    }
}

/// The place of a node.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub(crate) kid: Kid,
    pub(crate) reference: Reference,
    /// The node differs from what the store was last given.
    pub(crate) unsaved: bool,
    /// Generation of the last descent through here.
    pub(crate) touched: u32,
}

impl Slot {
    /// Nothing here, and nothing stored here.
    pub(crate) const EMPTY: Self = Self {
        kid: Kid::Empty,
        reference: Reference::NONE,
        unsaved: false,
        touched: 0,
    };

    /// A node that the source holds.
    pub(crate) const fn absent(reference: Reference) -> Self {
        Self {
            kid: Kid::Absent,
            reference,
            unsaved: false,
            touched: 0,
        }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        matches!(self.kid, Kid::Empty)
    }
}

/// Bytes that an allocator adds to each piece, about.
const PIECE: usize = 16;

/// A node, or why there is none.
#[derive(Debug, Clone)]
pub(crate) enum Kid {
    /// Nothing here. Only a root stays so; a branch drops such slots.
    Empty,
    /// Not in memory; the slot's reference says what it is.
    Absent,
    Leaf(Leaf),
    Extension(Box<Extension>),
    Branch(Box<Branch>),
}

impl Kid {
    /// Bytes this node takes beside its slot, about; its children's nodes not counted.
    pub(crate) fn cost(&self) -> usize {
        match self {
            Self::Empty | Self::Absent => 0,
            Self::Leaf(leaf) => PIECE + leaf.0.len(),
            Self::Extension(_) => PIECE + size_of::<Extension>(),
            Self::Branch(branch) => branch.cost(),
        }
    }
}

/// How an account's RLP ends when it has neither storage nor code: nearly all do, so leaves leave it out.
const PLAIN_ACCOUNT_END: [u8; 66] = hex!(
    "a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
    "a0c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
);

/// A leaf in one allocation: a head byte, the hex-prefix path, the value.
///
/// The head holds the path's length in bytes, and in its top bit that [`PLAIN_ACCOUNT_END`] follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf(Box<[u8]>);

impl Leaf {
    const CUT: u8 = 0x80;

    /// `value` must not be empty.
    pub(crate) fn new(path: &Nibbles, value: &[u8]) -> Self {
        let (body, cut) = match value.strip_suffix(&PLAIN_ACCOUNT_END) {
            Some(body) => (body, Self::CUT),
            None => (value, 0),
        };
        let path_len = path.len() / 2 + 1;
        let mut bytes = Vec::with_capacity(1 + path_len + body.len());
        bytes.push(path_len as u8 | cut);
        path::encode(path, true, &mut bytes);
        bytes.extend_from_slice(body);
        Self(bytes.into_boxed_slice())
    }

    fn path_len(&self) -> usize {
        usize::from(self.0[0] & !Self::CUT)
    }

    /// The path in hex-prefix form.
    pub(crate) fn path_bytes(&self) -> &[u8] {
        &self.0[1..1 + self.path_len()]
    }

    pub(crate) fn path(&self) -> Nibbles {
        let (path, _) = path::decode(self.path_bytes()).expect("a leaf's path is what `new` wrote");
        path
    }

    /// The value, in two parts that follow each other.
    pub(crate) fn value(&self) -> [&[u8]; 2] {
        let end: &[u8] = if self.0[0] & Self::CUT != 0 {
            &PLAIN_ACCOUNT_END
        } else {
            &[]
        };
        [&self.0[1 + self.path_len()..], end]
    }

    pub(crate) fn value_to_vec(&self) -> Vec<u8> {
        self.value().concat()
    }

    /// True if the value ends as that of an account with neither storage nor code.
    pub(crate) fn is_plain_account(&self) -> bool {
        self.0[0] & Self::CUT != 0
    }

    /// Replaces the value where it stands. False, and nothing done, if the new one needs another length.
    pub(crate) fn set_value(&mut self, value: &[u8]) -> bool {
        let body = value.strip_suffix(&PLAIN_ACCOUNT_END);
        let (body, cut) = (body.unwrap_or(value), body.is_some());
        let start = 1 + self.path_len();
        if cut != self.is_plain_account() || body.len() != self.0.len() - start {
            return false;
        }
        self.0[start..].copy_from_slice(body);
        true
    }

    pub(crate) fn value_is(&self, other: &[u8]) -> bool {
        let [body, end] = self.value();
        other.len() == body.len() + end.len() && other.starts_with(body) && other.ends_with(end)
    }
}

/// A path that all keys below share. Its path is never empty and its child is a branch.
#[derive(Debug, Clone)]
pub(crate) struct Extension {
    pub(crate) path: Nibbles,
    pub(crate) child: Slot,
}

/// A fork: at least two among its children and its value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Branch {
    /// Bit `n` says that nibble `n` has a slot; the slots stand in that order.
    pub(crate) mask: u16,
    /// The mask in the store's row of this branch; 0 if there is no such row, or its value is another.
    pub(crate) saved_mask: u16,
    pub(crate) slots: Vec<Slot>,
    /// The value of the key that ends here. Never in the state, whose keys all have one length.
    pub(crate) value: Option<Box<[u8]>>,
}

impl Branch {
    /// As [`Kid::cost`].
    pub(crate) fn cost(&self) -> usize {
        let value = self.value.as_ref().map_or(0, |v| PIECE + v.len());
        2 * PIECE + size_of::<Self>() + self.slots.len() * size_of::<Slot>() + value
    }

    /// Where the slot of `nibble` stands, or would stand.
    fn rank(&self, nibble: u8) -> usize {
        (self.mask & ((1 << nibble) - 1)).count_ones() as usize
    }

    /// The index of the slot of `nibble`.
    pub(crate) fn position(&self, nibble: u8) -> Option<usize> {
        (self.mask & (1 << nibble) != 0).then(|| self.rank(nibble))
    }

    /// Puts a slot where none was.
    pub(crate) fn put(&mut self, nibble: u8, slot: Slot) {
        debug_assert!(self.position(nibble).is_none());
        self.slots.reserve_exact(1);
        self.slots.insert(self.rank(nibble), slot);
        self.mask |= 1 << nibble;
    }

    /// Takes the slot of `nibble` out.
    pub(crate) fn cut(&mut self, nibble: u8) {
        if let Some(at) = self.position(nibble) {
            self.slots.remove(at);
            self.mask &= !(1 << nibble);
        }
    }

    /// What [`NodeWrite::changed`](crate::NodeWrite) says; from now on the store has a row of this branch, or none.
    pub(crate) fn take_changed(&mut self, stored: bool) -> u16 {
        let same_children = self.saved_mask == self.mask;
        self.saved_mask = if stored { self.mask } else { 0 };
        if !(stored && same_children) {
            return 0;
        }
        let slots = self.nibbles().zip(&self.slots);
        slots.fold(0, |changed, (nibble, slot)| {
            changed | u16::from(slot.unsaved) << nibble
        })
    }

    /// The nibbles that have slots, in the order of the slots.
    pub(crate) fn nibbles(&self) -> impl Iterator<Item = u8> + use<> {
        let mask = self.mask;
        (0..16).filter(move |n| mask & (1 << n) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_fills_a_cache_line() {
        assert_eq!(size_of::<Slot>(), 64);
    }

    #[test]
    fn a_plain_account_is_kept_without_its_end() {
        let path = Nibbles::unpack([7; 29]);
        let value = [&[0xf8, 0x44, 1, 2][..], &PLAIN_ACCOUNT_END].concat();
        let leaf = Leaf::new(&path, &value);
        assert_eq!(leaf.0.len(), 1 + 30 + 4);
        assert_eq!(leaf.path(), path);
        assert_eq!(leaf.value_to_vec(), value);
        assert!(leaf.value_is(&value) && !leaf.value_is(&value[..69]));
    }
}
