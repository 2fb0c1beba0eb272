//! One trie: roots, proofs, storing, forgetting.

use super::{Shelf, judge};
use crate::{
    Change, EMPTY_ROOT_HASH, Nibbles, NoNodes, Recorder, Trie, TrieError, Witness,
    evict::{Census, Cut},
};
use alloc::{collections::BTreeMap, vec, vec::Vec};
use alloy_primitives::B256;
use alloy_trie::proof::verify_proof;
use core::ops::ControlFlow;
use proptest::prelude::*;

type Batch = BTreeMap<Nibbles, Vec<u8>>;

/// Sixty-four nibbles that differ from each other in six places, near the root, in the middle and at the end.
fn key() -> impl Strategy<Value = Nibbles> {
    prop::array::uniform6(0u8..3).prop_map(|choice| {
        let mut nibbles = [5u8; 64];
        for (at, c) in [0, 1, 30, 61, 62, 63].into_iter().zip(choice) {
            nibbles[at] = [0, 5, 15][usize::from(c)];
        }
        Nibbles::from_nibbles(nibbles)
    })
}

/// Half of the values are short enough for their leaf to be part of its parent; none of bytes is a removal.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(vec![]),
        prop::collection::vec(any::<u8>(), 1..3),
        prop::collection::vec(any::<u8>(), 30..70)
    ]
}

fn batches() -> impl Strategy<Value = Vec<Batch>> {
    prop::collection::vec(prop::collection::btree_map(key(), value(), 1..12), 1..12)
}

/// Perhaps a prefix, below which a batch removes everything.
fn clearing() -> impl Strategy<Value = Option<Nibbles>> {
    let prefix = (key(), prop::sample::select(vec![0, 1, 2, 31, 62, 63]));
    prop::option::of(prefix.prop_map(|(key, len)| key.slice(..len)))
}

fn apply(contents: &mut Batch, batch: &Batch) {
    contents.extend(batch.clone());
    contents.retain(|_, value| !value.is_empty());
}

fn changes(batch: &Batch) -> Vec<Change<'_>> {
    batch
        .iter()
        .map(|(key, value)| Change::put(*key, value))
        .collect()
}

fn built(contents: &Batch) -> Trie {
    let mut trie = Trie::new(B256::ZERO, EMPTY_ROOT_HASH);
    trie.update(&NoNodes, &changes(contents)).unwrap();
    trie
}

/// What a store holds after it was given this trie alone.
fn shelved(contents: &Batch) -> Shelf {
    let mut writes = Vec::new();
    built(contents).take_dirty(&mut writes);
    let mut shelf = Shelf::default();
    shelf.put(writes);
    shelf
}

proptest! {
    #[test]
    fn root_is_that_of_the_hash_builder(batches in batches()) {
        let mut trie = Trie::new(B256::ZERO, EMPTY_ROOT_HASH);
        let mut contents = Batch::new();
        for batch in &batches {
            trie.update(&NoNodes, &changes(batch)).unwrap();
            apply(&mut contents, batch);
            prop_assert_eq!(trie.root(), judge(&contents));
            prop_assert_eq!(trie.bytes, trie.recount());
        }
    }

    #[test]
    fn one_by_one_is_as_good_as_together(batches in batches()) {
        let mut trie = Trie::new(B256::ZERO, EMPTY_ROOT_HASH);
        let mut contents = Batch::new();
        for batch in &batches {
            for (key, value) in batch.iter().rev() {
                if value.is_empty() {
                    trie.remove(&NoNodes, key).unwrap();
                } else {
                    trie.insert(&NoNodes, key, value).unwrap();
                }
            }
            apply(&mut contents, batch);
        }
        prop_assert_eq!(trie.root(), judge(&contents));
        for (key, value) in &contents {
            let got = trie.get(&NoNodes, key).unwrap();
            prop_assert_eq!(got.as_ref(), Some(value));
        }
    }

    /// After every flush the shelf holds the nodes of the trie and no other, whatever was dropped from
    /// memory or reopened in between.
    #[test]
    fn a_store_holds_the_trie_exactly(
        batches in batches(),
        after in prop::collection::vec((any::<bool>(), any::<bool>(), 0usize..6000, clearing()), 12),
    ) {
        let mut trie = Trie::new(B256::ZERO, EMPTY_ROOT_HASH);
        let mut shelf = Shelf::default();
        let mut contents = Batch::new();
        for (batch, (flush, reopen, excess, cleared)) in batches.iter().zip(after) {
            let mut batch = batch.clone();
            if let Some(prefix) = cleared {
                let below = contents.keys().filter(|key| key.starts_with(&prefix));
                batch.extend(below.map(|key| (*key, vec![])));
            }
            trie.now += 1;
            trie.update(&shelf, &changes(&batch)).unwrap();
            apply(&mut contents, &batch);
            let root = trie.root();
            prop_assert_eq!(root, judge(&contents));
            if flush {
                let mut writes = Vec::new();
                trie.take_dirty(&mut writes);
                shelf.put(writes);
                prop_assert_eq!(&shelf, &shelved(&contents));
                if reopen {
                    trie = Trie::new(B256::ZERO, root);
                }
            }
            let mut census = Census::new();
            trie.count(&mut census);
            trie.cut(&mut Cut::new(&census, excess));
            prop_assert_eq!(trie.bytes, trie.recount());
        }
    }

    #[test]
    fn eviction_frees_what_it_is_asked_for(batch in prop::collection::btree_map(key(), value(), 1..60), share in 1usize..100) {
        let mut trie = built(&batch);
        let all = trie.bytes;
        trie.cut(&mut Cut { before: u32::MAX, within: 0 });
        prop_assert_eq!(trie.bytes, all, "nothing unsaved goes");
        trie.take_dirty(&mut Vec::new());
        let excess = all * share / 100;
        let mut census = Census::new();
        trie.count(&mut census);
        trie.cut(&mut Cut::new(&census, excess));
        prop_assert!(trie.bytes <= all - excess);
        prop_assert_eq!(trie.bytes, trie.recount());
    }

    #[test]
    fn every_key_is_proved_there_or_not_there(contents in batches(), asked in prop::collection::vec(key(), 8)) {
        let mut all = Batch::new();
        contents.iter().for_each(|batch| apply(&mut all, batch));
        let mut trie = built(&all);
        let root = trie.root();
        for key in all.keys().chain(&asked) {
            let proof = trie.prove(&NoNodes, key).unwrap();
            let value = trie.get(&NoNodes, key).unwrap();
            prop_assert_eq!(value.as_ref(), all.get(key));
            prop_assert!(verify_proof(root, *key, value, &proof).is_ok());
        }
    }

    /// The nodes that an update read are enough to do it again without the store, and each one is needed.
    #[test]
    fn a_witness_does_what_the_store_did(first in batches(), second in prop::collection::btree_map(key(), value(), 1..12)) {
        let mut contents = Batch::new();
        first.iter().for_each(|batch| apply(&mut contents, batch));
        let before = judge(&contents);
        let recorder = Recorder::new(shelved(&contents));
        let mut full = Trie::new(B256::ZERO, before);
        full.update(&recorder, &changes(&second)).unwrap();
        apply(&mut contents, &second);
        prop_assert_eq!(full.root(), judge(&contents));

        let nodes = recorder.nodes();
        let mut partial = Trie::new(B256::ZERO, before);
        partial.update(&Witness::new(nodes.clone()), &changes(&second)).unwrap();
        prop_assert_eq!(partial.root(), full.root());

        for left_out in 0..nodes.len() {
            let mut nodes = nodes.clone();
            nodes.remove(left_out);
            let mut partial = Trie::new(B256::ZERO, before);
            let missing = partial.update(&Witness::new(nodes), &changes(&second));
            let is_missing = matches!(missing, Err(TrieError::Missing { .. }));
            prop_assert!(is_missing);
            prop_assert_eq!(partial.get(&NoNodes, &Nibbles::new()), Err(TrieError::Broken));
        }
    }

    #[test]
    fn a_walk_shows_all_keys_in_order(first in batches(), from in key()) {
        let mut contents = Batch::new();
        first.iter().for_each(|batch| apply(&mut contents, batch));
        let shelf = shelved(&contents);
        let mut seen = Vec::new();
        Trie::new(B256::ZERO, judge(&contents))
            .walk(&shelf, &from, &mut |key, value| {
                seen.push((*key, value.to_vec()));
                ControlFlow::Continue(())
            })
            .unwrap();
        let want: Vec<_> = contents.range(from..).map(|(k, v)| (*k, v.clone())).collect();
        prop_assert_eq!(seen, want);
    }

    /// A change to what is already there leaves nothing to hash and nothing to write.
    #[test]
    fn what_did_not_change_is_not_written(batches in batches(), absent in prop::collection::vec(key(), 8)) {
        let mut contents = Batch::new();
        batches.iter().for_each(|batch| apply(&mut contents, batch));
        let mut trie = built(&contents);
        trie.take_dirty(&mut Vec::new());
        let mut same = contents.clone();
        for key in absent {
            same.entry(key).or_default();
        }
        trie.update(&NoNodes, &changes(&same)).unwrap();
        let mut writes = Vec::new();
        trie.take_dirty(&mut writes);
        prop_assert_eq!(writes, vec![]);
    }
}

/// Keys that begin other keys sit in branches, which the state never has but a trie may.
#[test]
fn a_walk_knows_keys_that_begin_other_keys() {
    let keys = ["do", "dog", "doge", "horse"].map(Nibbles::unpack);
    let mut trie = Trie::new(B256::ZERO, EMPTY_ROOT_HASH);
    for key in &keys {
        trie.insert(&NoNodes, key, b"there").unwrap();
    }
    for (at, from) in keys.iter().enumerate() {
        let mut seen = Vec::new();
        trie.walk(&NoNodes, from, &mut |key, _| {
            seen.push(*key);
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(seen, keys[at..]);
    }
}
