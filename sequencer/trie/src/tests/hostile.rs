//! Bytes from strangers: refused with an error, never a panic, never a wrong root.

use super::Shelf;
use crate::{
    Change, Nibbles, NodeSource, Trie, TrieError, Witness,
    node::{Kid, Reference, Slot},
    rlp, tree,
};
use alloc::{string::ToString, vec, vec::Vec};
use alloy_primitives::{B256, Bytes, hex, keccak256};
use core::ops::ControlFlow;
use proptest::prelude::*;

/// Says that everything was checked, and serves the same bytes for all that is asked.
struct Liar(Bytes);

impl NodeSource for Liar {
    fn node(&self, _: B256, _: &Nibbles, _: B256) -> Result<Bytes, TrieError> {
        Ok(self.0.clone())
    }

    fn answers_are_checked(&self) -> bool {
        true
    }
}

/// Why a node of these bytes, `depth` nibbles below the root, is refused.
fn check(bytes: &[u8], depth: usize, why: &str) {
    assert_eq!(rlp::decode(bytes, depth).map(|_| ()), Err(why));
}

/// A branch of sixteen places and a value, each already RLP.
fn branch(places: [&[u8]; 17]) -> Vec<u8> {
    let payload = places.concat();
    let mut out = Vec::new();
    alloy_rlp::Header {
        list: true,
        payload_length: payload.len(),
    }
    .encode(&mut out);
    out.extend(payload);
    out
}

#[test]
fn a_string_is_no_node() {
    check(&hex!("80"), 0, "a node is not a list");
}

#[test]
fn bytes_after_a_node_are_refused() {
    check(&hex!("c3 20 41 42 00"), 0, "bytes after a node");
}

#[test]
fn a_cut_node_is_refused() {
    check(&hex!("c3 20 41"), 0, "not canonical RLP");
}

#[test]
fn a_long_form_of_a_short_length_is_refused() {
    check(&hex!("f8 02 20 41"), 0, "not canonical RLP");
    check(&hex!("c3 20 81 41"), 0, "not canonical RLP");
}

#[test]
fn a_leaf_without_a_value_is_refused() {
    check(&hex!("c2 20 80"), 0, "a leaf without a value");
    check(&hex!("c2 20 c0"), 0, "a leaf without a value");
}

#[test]
fn a_path_has_one_form() {
    check(&hex!("c2 21 41"), 0, "a path is not in hex-prefix form");
    check(&hex!("c2 40 41"), 0, "a path is not in hex-prefix form");
    check(&hex!("c2 80 41"), 0, "a path is not in hex-prefix form");
    check(&hex!("c2 c0 41"), 0, "a path is a list");
}

#[test]
fn a_path_ends_where_keys_end() {
    check(&hex!("c4 82 20 11 41"), 63, "a path is longer than a key");
    assert!(rlp::decode(&hex!("c4 82 20 11 41"), 62).is_ok());
}

#[test]
fn an_extension_leads_somewhere() {
    check(&hex!("c2 00 c0"), 0, "an extension without a path");
    check(&hex!("c2 11 80"), 0, "an extension without a child");
    check(&hex!("c2 11 41"), 0, "a child is neither a hash nor a node");
}

#[test]
fn an_embedded_node_is_short() {
    let long = [&hex!("df 20 9d")[..], &[1; 29]].concat();
    assert_eq!(long.len(), 32);
    let mut places = [&hex!("80")[..]; 17];
    places[3] = &long;
    check(&branch(places), 0, "an embedded node has 32 bytes or more");
}

#[test]
fn a_branch_forks() {
    let leaf = hex!("c2 20 41");
    let mut places = [&hex!("80")[..]; 17];
    check(&branch(places), 0, "a branch that does not fork");
    places[3] = &leaf;
    check(&branch(places), 0, "a branch that does not fork");
    places[4] = &leaf;
    assert!(rlp::decode(&branch(places), 0).is_ok());
    check(&branch(places), 64, "a branch below the end of every key");
    places[16] = &leaf;
    check(&branch(places), 0, "a branch does not end with its value");
    check(
        &[&hex!("d2")[..], &[0x80; 18]].concat(),
        0,
        "a branch does not end with its value",
    );
    check(
        &[&hex!("d0")[..], &[0x80; 16]].concat(),
        0,
        "not canonical RLP",
    );
}

#[test]
fn an_extension_over_a_leaf_is_refused() {
    // Odd path of one nibble, over an embedded leaf.
    let node = hex!("c4 11 c2 20 41");
    let source = Witness::new([Bytes::from_static(&[0]), Bytes::copy_from_slice(&node)]);
    let key = Nibbles::from_nibbles([1]);
    let trie = || Trie::new(B256::ZERO, keccak256(node));
    let why = |result: Result<(), TrieError>| match result {
        Err(TrieError::Bad { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    let want = "an extension leads to no branch";
    assert_eq!(why(trie().get(&source, &key).map(|_| ())), want);
    assert_eq!(why(trie().prove(&source, &key).map(|_| ())), want);
    assert_eq!(why(trie().insert(&source, &key, b"v")), want);
    let from = Nibbles::new();
    assert_eq!(
        why(trie().walk(&source, &from, &mut |_, _| ControlFlow::Continue(()))),
        want
    );
}

#[test]
fn a_store_that_changed_a_byte_is_found_out() {
    let mut trie = Trie::new(B256::ZERO, crate::EMPTY_ROOT_HASH);
    trie.insert(&crate::NoNodes, &Nibbles::unpack([1; 32]), b"value")
        .unwrap();
    let root = trie.root();
    let mut writes = Vec::new();
    trie.take_dirty(&mut writes);
    let mut shelf = Shelf::default();
    shelf.put(writes);
    for node in shelf.0.values_mut() {
        let mut bytes = node.to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        *node = bytes.into();
    }
    let got = Trie::new(B256::ZERO, root).get(&shelf, &Nibbles::unpack([1; 32]));
    assert_eq!(
        got.unwrap_err().to_string(),
        alloc::format!(
            "bad trie node at Nibbles(0x) of {} with hash {root}: bytes have another hash",
            B256::ZERO
        )
    );
}

#[test]
fn a_short_node_is_not_read_by_hash() {
    let leaf = hex!("c2 20 41");
    let slot = Slot::absent(Reference::hash(keccak256(leaf)));
    let source = Witness::new([Bytes::copy_from_slice(&leaf)]);
    let below = tree::load(&source, B256::ZERO, &slot, &Nibbles::from_nibbles([1]));
    assert!(matches!(
        below,
        Err(TrieError::Bad {
            why: "a short node stands outside its parent",
            ..
        })
    ));
    assert!(matches!(
        tree::load(&source, B256::ZERO, &slot, &Nibbles::new()),
        Ok(Kid::Leaf(_))
    ));
}

/// Mostly valid nodes with something wrong.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let place = prop_oneof![
        Just(vec![0x80]),
        Just([&[0xa0][..], &[7; 32]].concat()),
        Just(hex!("c2 20 41").to_vec()),
        Just(hex!("c4 11 c2 20 41").to_vec()),
        prop::collection::vec(any::<u8>(), 0..5),
    ];
    let path = prop_oneof![
        Just(vec![0x20]),
        Just(vec![0x11]),
        Just([&[0xa1, 0x20][..], &[1; 32]].concat()),
        Just([&[0xa1, 0x1f][..], &[1; 32]].concat()),
        prop::collection::vec(any::<u8>(), 0..5),
    ];
    let list = |items: Vec<Vec<u8>>| {
        let payload = items.concat();
        let mut out = Vec::new();
        alloy_rlp::Header {
            list: true,
            payload_length: payload.len(),
        }
        .encode(&mut out);
        out.extend(payload);
        out
    };
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        (path, place.clone()).prop_map(move |(a, b)| list(vec![a, b])),
        prop::collection::vec(place, 15..19).prop_map(list),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_read_is_written_the_same(bytes in bytes(), depth in 0usize..=64) {
        if let Ok(kid) = rlp::decode(&bytes, depth) {
            let mut out = Vec::new();
            rlp::encode(&kid, &mut out);
            prop_assert_eq!(out, bytes);
        }
    }

    /// A trie whose every node is these bytes, however deep one goes.
    #[test]
    fn no_bytes_bring_the_trie_down(bytes in bytes(), nibbles in prop::collection::vec(0u8..3, 0..=64), remove: bool) {
        let source = Liar(bytes.into());
        let key = Nibbles::from_nibbles(nibbles);
        let other = Nibbles::unpack([0x11; 32]);
        let trie = || Trie::new(B256::ZERO, B256::repeat_byte(7));
        let _ = trie().get(&source, &key);
        let _ = trie().prove(&source, &key);
        let mut seen = 0;
        let _ = trie().walk(&source, &key, &mut |_, _| {
            seen += 1;
            if seen < 100 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        let mut changes = vec![Change::put(key, if remove { b"" } else { b"value" }), Change::remove(other)];
        changes.sort_by_key(|c| *c.key());
        changes.dedup_by_key(|c| *c.key());
        let mut trie = trie();
        if trie.update(&source, &changes).is_ok() {
            trie.root();
            trie.take_dirty(&mut Vec::new());
            prop_assert_eq!(trie.bytes, trie.recount());
        }
    }
}
