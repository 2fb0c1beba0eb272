//! The whole state: differences in, roots out, and back again.

use super::{Shelf, judge};
use crate::{
    EMPTY_ROOT_HASH, Nibbles, NoNodes, Recorder, StateTrie, TrieAccount, TrieError, Witness,
};
use alloc::{collections::BTreeMap, vec::Vec};
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_trie::proof::verify_proof;
use core::ops::ControlFlow;
use primitives::{Account, AccountDiff, SlotDiff, StateDiff};
use proptest::prelude::*;

/// The state as plain maps.
type Plain = BTreeMap<Address, (Account, BTreeMap<U256, U256>)>;

/// What a block does to one account.
#[derive(Debug, Clone)]
enum Deed {
    /// Sets nonce and balance and writes slots; makes the account if need be.
    Write(u64, Vec<(u64, u64)>),
    /// Sets all its slots to zero; makes the account if need be.
    Clear,
    /// Removes it, slot by slot in the difference as well.
    Remove,
    /// Drops its storage without naming it, then writes slots.
    Wipe(Vec<(u64, u64)>),
}

fn deeds(wipes: bool) -> impl Strategy<Value = BTreeMap<u8, Deed>> {
    let slots = || prop::collection::vec((0u64..12, 0u64..3), 0..6);
    let deed = prop_oneof![
        6 => (1u64..1000, slots()).prop_map(|(n, s)| Deed::Write(n, s)),
        2 => Just(Deed::Clear),
        1 => Just(Deed::Remove),
        u32::from(wipes) => slots().prop_map(Deed::Wipe),
    ];
    prop::collection::btree_map(0u8..24, deed, 1..12)
}

fn address(n: u8) -> Address {
    Address::repeat_byte(n)
}

/// Does the deeds to `plain`, and says what changed.
fn play(plain: &mut Plain, deeds: &BTreeMap<u8, Deed>) -> StateDiff {
    let mut diff = StateDiff::default();
    for (&n, deed) in deeds {
        let old = plain.get(&address(n)).cloned();
        let (mut account, mut storage) = old.clone().unwrap_or_default();
        let mut wiped = false;
        let mut slots = BTreeMap::new();
        let mut write = |storage: &mut BTreeMap<U256, U256>, writes: &[(u64, u64)]| {
            for &(slot, value) in writes {
                let (slot, value) = (U256::from(slot), U256::from(value) << 200);
                slots.insert(slot, value);
                storage.insert(slot, value);
                storage.retain(|_, v| !v.is_zero());
            }
        };
        let after = match deed {
            Deed::Write(n, writes) => {
                account.nonce = *n;
                account.balance = U256::from(*n) << (*n % 200) as usize;
                write(&mut storage, writes);
                Some((account, storage))
            }
            Deed::Clear | Deed::Remove => {
                let all: Vec<_> = storage.keys().map(|s| (s.to::<u64>(), 0)).collect();
                write(&mut storage, &all);
                matches!(deed, Deed::Clear).then_some((account, storage))
            }
            Deed::Wipe(writes) => {
                wiped = true;
                account.nonce += 1;
                storage.clear();
                write(&mut storage, writes);
                Some((account, storage))
            }
        };
        let before_of = |slot| {
            old.as_ref()
                .and_then(|(_, s)| s.get(slot))
                .copied()
                .unwrap_or_default()
        };
        diff.accounts.push(AccountDiff {
            address: address(n),
            before: old.as_ref().map(|(a, _)| *a),
            after: after.as_ref().map(|(a, _)| *a),
            wiped,
            slots: slots
                .iter()
                .map(|(slot, value)| SlotDiff {
                    slot: *slot,
                    before: before_of(slot),
                    after: *value,
                })
                .collect(),
        });
        match after {
            Some(after) => plain.insert(address(n), after),
            None => plain.remove(&address(n)),
        };
    }
    diff
}

fn storage_root(storage: &BTreeMap<U256, U256>) -> B256 {
    judge(
        &storage
            .iter()
            .map(|(slot, value)| {
                (
                    Nibbles::unpack(keccak256(slot.to_be_bytes::<32>())),
                    alloy_rlp::encode(value),
                )
            })
            .collect(),
    )
}

fn state_root(plain: &Plain) -> B256 {
    judge(
        &plain
            .iter()
            .map(|(address, (account, storage))| {
                let leaf = TrieAccount::new(
                    account.nonce,
                    account.balance,
                    storage_root(storage),
                    account.code_hash,
                );
                (Nibbles::unpack(keccak256(address)), alloy_rlp::encode(leaf))
            })
            .collect(),
    )
}

/// What a store holds after it was given this state alone.
fn shelved(plain: &Plain) -> Shelf {
    let mut state = StateTrie::new(NoNodes, EMPTY_ROOT_HASH);
    let accounts = plain
        .iter()
        .map(|(address, (account, storage))| AccountDiff {
            address: *address,
            before: None,
            after: Some(*account),
            wiped: false,
            slots: storage
                .iter()
                .map(|(slot, value)| SlotDiff {
                    slot: *slot,
                    before: U256::ZERO,
                    after: *value,
                })
                .collect(),
        })
        .collect();
    state
        .apply(&StateDiff {
            accounts,
            codes: Vec::new(),
        })
        .unwrap();
    let mut shelf = Shelf::default();
    shelf.write(state.take_dirty().unwrap());
    shelf
}

/// Reads every account and slot through the trie.
fn assert_reads(state: &mut StateTrie<Shelf>, plain: &Plain) {
    for n in 0..24 {
        let want = plain.get(&address(n));
        let got = state.account(address(n)).unwrap();
        assert_eq!(got.map(|a| a.nonce), want.map(|(a, _)| a.nonce));
        for slot in 0..12 {
            let slot = U256::from(slot);
            let want = want
                .and_then(|(_, s)| s.get(&slot))
                .copied()
                .unwrap_or_default();
            assert_eq!(state.slot(address(n), slot).unwrap(), want);
        }
    }
}

/// The same state over a store of its own content; what was in memory is gone.
fn reopened(state: &mut StateTrie<Shelf>, shelf: Shelf) -> StateTrie<Shelf> {
    StateTrie::new(shelf, state.root().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn roots_are_those_of_the_hash_builder(blocks in prop::collection::vec(deeds(true), 1..8)) {
        let mut plain = Plain::new();
        let mut state = StateTrie::new(Shelf::default(), EMPTY_ROOT_HASH);
        for block in &blocks {
            let roots = state.apply(&play(&mut plain, block)).unwrap();
            prop_assert_eq!(roots.state_root, state_root(&plain));
            for (address, root) in roots.storage_roots {
                prop_assert_eq!(root, storage_root(&plain[&address].1));
                prop_assert_eq!(root, state.storage_root(address).unwrap());
            }
        }
        assert_reads(&mut state, &plain);
    }

    /// Flushing, reopening and forgetting in any order change nothing, and the store never keeps a node too many.
    #[test]
    fn a_store_holds_the_state_exactly(
        blocks in prop::collection::vec(deeds(true), 1..8),
        after in prop::collection::vec((any::<bool>(), 0usize..3), 8),
    ) {
        let mut plain = Plain::new();
        let mut shelf = Shelf::default();
        let mut state = StateTrie::new(Shelf::default(), EMPTY_ROOT_HASH);
        for (block, (flush, then)) in blocks.iter().zip(after) {
            let root = state.apply(&play(&mut plain, block)).unwrap().state_root;
            prop_assert_eq!(root, state_root(&plain));
            if then == 2 {
                // What is not saved yet must survive even this.
                state.evict(0);
            }
            if flush {
                shelf.write(state.take_dirty().unwrap());
                prop_assert_eq!(&shelf, &shelved(&plain));
                state = match then {
                    0 => reopened(&mut state, shelf.clone()),
                    _ => {
                        let mut kept = state.clone().with_source(shelf.clone());
                        let budget = kept.bytes() / (then + 1);
                        kept.evict(budget);
                        prop_assert!(kept.bytes() <= budget);
                        kept
                    }
                };
            }
        }
        let mut last = state.clone().with_source(shelf);
        assert_reads(&mut last, &plain);
    }

    #[test]
    fn the_reversed_difference_leads_back(blocks in prop::collection::vec(deeds(false), 1..8), flush_at in 0usize..8) {
        let mut plain = Plain::new();
        let mut shelf = Shelf::default();
        let mut state = StateTrie::new(Shelf::default(), EMPTY_ROOT_HASH);
        let mut past = Vec::new();
        for (n, block) in blocks.iter().enumerate() {
            let root = state.root().unwrap();
            let diff = play(&mut plain, block);
            state.apply(&diff).unwrap();
            past.push((root, diff));
            if n == flush_at {
                shelf.write(state.take_dirty().unwrap());
                state = state.with_source(shelf.clone());
            }
        }
        shelf.write(state.take_dirty().unwrap());
        // Once in the trie that did it all, once in a fresh one that knows only the root.
        let mut fresh = reopened(&mut state, shelf);
        for (root, diff) in past.iter().rev() {
            let back = diff.reversed();
            prop_assert_eq!(state.apply(&back).unwrap().state_root, *root);
            prop_assert_eq!(fresh.apply(&back).unwrap().state_root, *root);
        }
    }

    #[test]
    fn a_witness_stands_for_the_store(first in deeds(true), second in deeds(true), read in prop::collection::vec((0u8..24, 0u64..12), 8)) {
        let mut plain = Plain::new();
        play(&mut plain, &first);
        let before = state_root(&plain);
        let mut full = StateTrie::new(Recorder::new(shelved(&plain)), before);
        for (n, slot) in &read {
            full.account(address(*n)).unwrap();
            full.slot(address(*n), U256::from(*slot)).unwrap();
        }
        let known = plain.clone();
        let diff = play(&mut plain, &second);
        prop_assert_eq!(full.apply(&diff).unwrap().state_root, state_root(&plain));

        let mut partial = StateTrie::new(Witness::new(full.source().nodes()), before);
        for (n, slot) in read {
            let want = known.get(&address(n)).and_then(|(_, s)| s.get(&U256::from(slot))).copied();
            prop_assert_eq!(partial.slot(address(n), U256::from(slot)).unwrap(), want.unwrap_or_default());
        }
        prop_assert_eq!(partial.apply(&diff).unwrap().state_root, state_root(&plain));
    }

    #[test]
    fn accounts_and_slots_are_proved(deeds in deeds(false)) {
        let mut plain = Plain::new();
        play(&mut plain, &deeds);
        let root = state_root(&plain);
        let mut state = StateTrie::new(shelved(&plain), root);
        let slots: Vec<U256> = (0..12).map(U256::from).collect();
        for n in 0..24 {
            let proof = state.account_proof(address(n), &slots).unwrap();
            let leaf = proof.account.map(alloy_rlp::encode);
            prop_assert!(verify_proof(root, Nibbles::unpack(keccak256(address(n))), leaf, &proof.proof).is_ok());
            prop_assert_eq!(proof.account.is_some(), plain.contains_key(&address(n)));
            let storage_root = proof.account.map_or(EMPTY_ROOT_HASH, |a| a.storage_root);
            for slot in proof.storage {
                let want = plain.get(&address(n)).and_then(|(_, s)| s.get(&slot.slot)).copied();
                prop_assert_eq!(slot.value, want.unwrap_or_default());
                let key = Nibbles::unpack(keccak256(slot.slot.to_be_bytes::<32>()));
                let value = (!slot.value.is_zero()).then(|| alloy_rlp::encode(slot.value));
                prop_assert!(verify_proof(storage_root, key, value, &slot.proof).is_ok());
            }
        }
    }

    #[test]
    fn walks_show_the_whole_state(deeds in deeds(false)) {
        let mut plain = Plain::new();
        play(&mut plain, &deeds);
        let mut state = StateTrie::new(shelved(&plain), state_root(&plain));
        let mut accounts = BTreeMap::new();
        state
            .walk_accounts(B256::ZERO, &mut |owner, account| {
                accounts.insert(owner, account.nonce);
                ControlFlow::Continue(())
            })
            .unwrap();
        let want: BTreeMap<B256, u64> = plain.iter().map(|(a, (n, _))| (keccak256(a), n.nonce)).collect();
        prop_assert_eq!(accounts, want);
        for (address, (_, storage)) in &plain {
            let mut slots = BTreeMap::new();
            state
                .walk_storage(keccak256(address), B256::ZERO, &mut |slot, value| {
                    slots.insert(slot, value);
                    ControlFlow::Continue(())
                })
                .unwrap();
            let want: BTreeMap<B256, U256> =
                storage.iter().map(|(s, v)| (keccak256(s.to_be_bytes::<32>()), *v)).collect();
            prop_assert_eq!(slots, want);
        }
    }
}

#[test]
fn an_error_makes_the_state_unusable() {
    let mut state = StateTrie::new(NoNodes, B256::repeat_byte(1));
    let missing = state.account(address(1)).unwrap_err();
    assert_eq!(
        missing,
        TrieError::Missing {
            owner: B256::ZERO,
            path: Nibbles::new(),
            hash: B256::repeat_byte(1)
        }
    );
    assert_eq!(state.root(), Err(TrieError::Broken));
    assert_eq!(state.take_dirty(), Err(TrieError::Broken));
}

#[test]
fn a_state_moves_between_threads() {
    fn check<T: Send>() {}
    check::<StateTrie<Shelf>>();
    check::<StateTrie<Recorder<Shelf>>>();
}

/// Asking a million accounts without storage for a slot must not fill the memory.
#[test]
fn reading_nothing_keeps_nothing() {
    let mut plain = Plain::new();
    let mut state = StateTrie::new(NoNodes, EMPTY_ROOT_HASH);
    let account = BTreeMap::from([(1, Deed::Write(1, Vec::new()))]);
    state.apply(&play(&mut plain, &account)).unwrap();
    let before = state.bytes();
    for n in 0..4 {
        assert_eq!(state.slot(address(n), U256::ZERO).unwrap(), U256::ZERO);
        assert_eq!(
            state
                .account_proof(address(n), &[U256::ZERO])
                .unwrap()
                .storage[0]
                .proof
                .len(),
            0
        );
    }
    assert_eq!(state.bytes(), before);
}

/// One write to account 7 of two hundred that are saved and forgotten: the nodes read for it, and the root.
fn write_seven(expect: impl FnOnce(&mut AccountDiff)) -> (Vec<Vec<u8>>, B256) {
    let mut plain = Plain::new();
    let all = (0..200u8)
        .map(|n| (n, Deed::Write(1, Vec::new())))
        .collect();
    play(&mut plain, &all);
    let before = state_root(&plain);
    let mut state = StateTrie::new(Recorder::new(shelved(&plain)), before);
    let mut diff = play(
        &mut plain,
        &BTreeMap::from([(7, Deed::Write(2, Vec::new()))]),
    );
    expect(&mut diff.accounts[0]);
    let root = state.apply(&diff).unwrap().state_root;
    assert_eq!(root, state_root(&plain));
    let nodes = state.source().nodes();
    (nodes.into_iter().map(|n| n.to_vec()).collect(), root)
}

#[test]
fn a_leaf_that_is_expected_is_not_read() {
    let (expected, root) = write_seven(|_| {});
    let (unknown, same) = write_seven(|diff| diff.before = None);
    assert_eq!(root, same);
    assert_eq!(expected.len() + 1, unknown.len());
    assert!(expected.iter().all(|node| unknown.contains(node)));
}

#[test]
fn a_wrong_expectation_is_of_no_effect() {
    let (unknown, root) = write_seven(|diff| diff.before = None);
    let wrong = Account {
        nonce: 77,
        ..Account::default()
    };
    assert_eq!(
        write_seven(|diff| diff.before = Some(wrong)),
        (unknown, root)
    );
}

#[test]
fn eviction_keeps_what_was_touched_last() {
    let mut plain = Plain::new();
    let all = (0..200u8)
        .map(|n| (n, Deed::Write(1, Vec::new())))
        .collect();
    let mut state = StateTrie::new(Shelf::default(), EMPTY_ROOT_HASH);
    state.apply(&play(&mut plain, &all)).unwrap();
    let mut shelf = Shelf::default();
    shelf.write(state.take_dirty().unwrap());
    let mut state = state.with_source(shelf);
    state.evict(usize::MAX);
    state.account(address(7)).unwrap();
    state.evict(state.bytes() / 2);
    // Over a source that has nothing, only what stayed in memory can be read.
    let mut state = state.with_source(NoNodes);
    assert_eq!(state.account(address(7)).unwrap().unwrap().nonce, 1);
    let lost = (0..200)
        .filter(|&n| state.clone().account(address(n)).is_err())
        .count();
    assert!(
        (80..200).contains(&lost),
        "{lost} of 200 accounts left memory"
    );
}
