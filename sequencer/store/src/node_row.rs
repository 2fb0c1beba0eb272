//! Rows of trie nodes: less than the RLP where that can be had for nothing, and only what changed of a branch.
//!
//! A change of an account changes a branch at each height above it, and mostly one child in each. Writing that child
//! alone makes flushes and compaction a third of what whole nodes would.
//!
//! ```text
//! row    RLP (first byte 0xc0 or more) | 0 RLP without PLAIN_ACCOUNT_END
//! change 1, mask of children (2 bytes, nibble n at bit n), each child's RLP item, ascending
//! ```

use crate::codec::{Codec, Reader, Undecodable};
use alloy_primitives::{Bytes, hex};
use alloy_rlp::Header;
use std::fmt;

/// How an account's RLP ends when it has neither storage nor code.
const PLAIN_ACCOUNT_END: [u8; 66] = hex!(
    "a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
    "a0c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
);

/// The row begins with an RLP that lacks [`PLAIN_ACCOUNT_END`].
const CUT: u8 = 0;
/// A change of a row begins with this.
const CHANGE: u8 = 1;
/// More changed children than this are written as a whole node, which is then not much longer.
const CHILDREN_MAX: u32 = 8;
const CHILDREN: usize = 16;

/// The RLP of a node, as a row.
#[derive(Clone, PartialEq, Eq)]
pub struct NodeRow(pub Bytes);

impl fmt::Debug for NodeRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeRow({})", self.0)
    }
}

impl Codec for NodeRow {
    fn put(&self, out: &mut Vec<u8>) {
        match self.0.strip_suffix(&PLAIN_ACCOUNT_END) {
            Some(rlp) => {
                out.push(CUT);
                out.extend_from_slice(rlp);
            }
            None => out.extend_from_slice(&self.0),
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let row: Vec<u8> = Vec::read(from)?;
        match row.first() {
            Some(&CUT) => Ok(Self([&row[1..], &PLAIN_ACCOUNT_END].concat().into())),
            Some(0xc0..) => Ok(Self(row.into())),
            _ => Err(Undecodable("a node is neither a list nor a cut one")),
        }
    }
}

impl NodeRow {
    /// What makes this row of the one that lies there, which has the same items but for the children in `changed`.
    /// `None` if the whole row serves better.
    pub fn change(&self, changed: u16) -> Option<Vec<u8>> {
        if changed == 0 || changed.count_ones() > CHILDREN_MAX {
            return None;
        }
        let (children, _) = branch(&self.0)?;
        let mut change = Change::default();
        for (nibble, child) in children.iter().enumerate() {
            if changed & (1 << nibble) != 0 {
                change.0[nibble] = Some(child);
            }
        }
        Some(change.encode())
    }
}

/// The row after these changes, oldest first. `None` if there is no branch, or a change is none.
pub fn changed<'a>(row: &[u8], changes: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let (children, value) = branch(row)?;
    let change = Change::of(changes)?;
    let child = |nibble: usize| change.0[nibble].unwrap_or(children[nibble]);
    let payload_length = (0..CHILDREN).map(|n| child(n).len()).sum::<usize>() + value.len();
    let list = Header {
        list: true,
        payload_length,
    };
    let mut out = Vec::with_capacity(list.length_with_payload());
    list.encode(&mut out);
    (0..CHILDREN).for_each(|n| out.extend_from_slice(child(n)));
    out.extend_from_slice(value);
    Some(out)
}

/// One change that does what these do, oldest first.
pub fn combined<'a>(changes: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    Some(Change::of(changes)?.encode())
}

/// The new items of the children that changed, by nibble.
#[derive(Default)]
struct Change<'a>([Option<&'a [u8]>; CHILDREN]);

impl<'a> Change<'a> {
    fn of(changes: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let mut all = Self::default();
        for bytes in changes {
            let (&[CHANGE, low, high], mut rest) = bytes.split_first_chunk::<3>()? else {
                return None;
            };
            let mask = u16::from_le_bytes([low, high]);
            for nibble in (0..CHILDREN).filter(|n| mask & (1 << n) != 0) {
                all.0[nibble] = Some(item(&mut rest)?);
            }
            if !rest.is_empty() {
                return None;
            }
        }
        Some(all)
    }

    fn encode(&self) -> Vec<u8> {
        let items = self.0.iter().flatten();
        let mut out = Vec::with_capacity(3 + items.clone().map(|i| i.len()).sum::<usize>());
        let bits = self.0.iter().enumerate();
        let mask = bits.fold(0u16, |mask, (n, child)| {
            mask | u16::from(child.is_some()) << n
        });
        out.push(CHANGE);
        out.extend_from_slice(&mask.to_le_bytes());
        items.for_each(|item| out.extend_from_slice(item));
        out
    }
}

/// The children's items and the value's of a branch.
fn branch(row: &[u8]) -> Option<([&[u8]; CHILDREN], &[u8])> {
    let mut rest = row;
    let head = Header::decode(&mut rest).ok()?;
    if !head.list || head.payload_length != rest.len() {
        return None;
    }
    let mut children = [&[][..]; CHILDREN];
    for child in &mut children {
        *child = item(&mut rest)?;
    }
    let value = item(&mut rest)?;
    rest.is_empty().then_some((children, value))
}

/// One RLP item, its header with it.
fn item<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let start = *rest;
    let mut at = start;
    let length = Header::decode(&mut at).ok()?.payload_length;
    *rest = at.get(length..)?;
    Some(&start[..start.len() - rest.len()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{B256, keccak256};
    use alloy_rlp::{EMPTY_STRING_CODE, Encodable};
    use proptest::prelude::*;

    /// A branch whose children are hashes, short nodes, or absent.
    fn node(children: &[Option<(bool, u8)>; CHILDREN]) -> Bytes {
        let mut payload = Vec::new();
        for child in children {
            match child {
                None => payload.push(EMPTY_STRING_CODE),
                Some((true, seed)) => B256::repeat_byte(*seed).encode(&mut payload),
                Some((false, seed)) => payload.extend_from_slice(&[0xc2, 0x20, seed & 0x7f]),
            }
        }
        payload.push(EMPTY_STRING_CODE);
        let mut out = Vec::new();
        Header {
            list: true,
            payload_length: payload.len(),
        }
        .encode(&mut out);
        out.extend_from_slice(&payload);
        out.into()
    }

    fn children() -> impl Strategy<Value = [Option<(bool, u8)>; CHILDREN]> {
        prop::array::uniform16(prop::option::of((prop::bool::ANY, 0u8..)))
    }

    fn row(rlp: &Bytes) -> Vec<u8> {
        let mut out = Vec::new();
        NodeRow(rlp.clone()).put(&mut out);
        out
    }

    proptest! {
        #[test]
        fn changes_lead_to_the_new_row(steps in prop::collection::vec((children(), 0u16.., 0u16..), 1..6), first in children()) {
            let mut now = first;
            let mut changes = Vec::new();
            for (next, some, others) in steps {
                let mask = some & others;
                for n in 0..CHILDREN {
                    if mask & (1 << n) != 0 {
                        now[n] = next[n];
                    }
                }
                match NodeRow(node(&now)).change(mask) {
                    Some(change) => changes.push(change),
                    None => prop_assert!(mask == 0 || mask.count_ones() > CHILDREN_MAX),
                }
                if mask.count_ones() > CHILDREN_MAX {
                    return Ok(());
                }
            }
            let all = || changes.iter().map(Vec::as_slice);
            let expected = row(&node(&now));
            prop_assert_eq!(changed(&row(&node(&first)), all()), Some(expected.clone()));
            let one = combined(all()).unwrap();
            prop_assert_eq!(changed(&row(&node(&first)), [&one[..]].into_iter()), Some(expected));
        }

        #[test]
        fn no_bytes_make_it_panic(row in prop::collection::vec(0u8.., 0..80), change in prop::collection::vec(0u8.., 0..80)) {
            let _ = changed(&row, [&change[..]].into_iter());
            let _ = changed(&node(&[Some((true, 1)); CHILDREN]), [&change[..]].into_iter());
            let _ = combined([&change[..], &row].into_iter());
            let _ = NodeRow::decode(&row);
        }
    }

    #[test]
    fn a_plain_account_is_stored_without_its_end() {
        let rlp: Bytes = [&[0xf8, 0x60][..], &[7; 30], &PLAIN_ACCOUNT_END]
            .concat()
            .into();
        assert_eq!(row(&rlp).len(), 1 + 32);
        assert_eq!(NodeRow::decode(&row(&rlp)), Ok(NodeRow(rlp)));
        let branch = node(&[Some((true, 9)); CHILDREN]);
        assert_eq!(NodeRow::decode(&row(&branch)), Ok(NodeRow(branch)));
    }

    #[test]
    fn the_end_of_a_plain_account_is_two_hashes_of_nothing() {
        assert_eq!(PLAIN_ACCOUNT_END[1..33], *trie::EMPTY_ROOT_HASH);
        assert_eq!(PLAIN_ACCOUNT_END[34..], *keccak256([]));
    }
}
