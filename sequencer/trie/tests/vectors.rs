//! Ethereum's own trie tests (ethereum/tests, `TrieTests`), from the folder `trie` of `TRIBUTARY_VECTORS`,
//! or of `../shared/vectors` beside the checkout.

use alloy_primitives::{B256, hex, keccak256};
use serde_json::Value;
use std::{collections::BTreeSet, env, fs, ops::ControlFlow, path::PathBuf};
use trie::{EMPTY_ROOT_HASH, Nibbles, NoNodes, Trie};

/// The parsed file, or `None` without the folder: a line says how to get it. In CI that is a failure.
fn vectors(file: &str) -> Option<Value> {
    let beside = || PathBuf::from("../../../shared/vectors");
    let folder = env::var_os("TRIBUTARY_VECTORS")
        .map_or_else(beside, PathBuf::from)
        .join("trie");
    match Some(folder).filter(|folder| folder.is_dir()) {
        Some(folder) => {
            let text = fs::read_to_string(folder.join(file)).expect("the folder holds every suite");
            Some(serde_json::from_str(&text).expect("a suite is JSON"))
        }
        None => {
            println!(
                "{file} not run: put TrieTests of https://github.com/ethereum/tests into a folder `trie` and name the folder \
                 above it in TRIBUTARY_VECTORS"
            );
            assert_ne!(env::var("CI").as_deref(), Ok("true"), "CI runs every suite");
            None
        }
    }
}

/// Text is itself, `0x…` is hex.
fn bytes(text: &str) -> Vec<u8> {
    if text.starts_with("0x") {
        hex::decode(text).expect("hex")
    } else {
        text.as_bytes().to_vec()
    }
}

/// Writes in the order given, and backwards if the suite says that order does not matter.
fn check(file: &str, hashed: bool, any_order: bool) {
    let Some(suite) = vectors(file) else { return };
    let suite = suite.as_object().expect("a suite is an object");
    assert!(!suite.is_empty());
    for (name, case) in suite {
        let mut writes: Vec<(Vec<u8>, Vec<u8>)> = match &case["in"] {
            Value::Object(map) => map
                .iter()
                .map(|(k, v)| (bytes(k), bytes(v.as_str().expect("a string"))))
                .collect(),
            Value::Array(list) => list
                .iter()
                .map(|kv| {
                    (
                        bytes(kv[0].as_str().expect("a key")),
                        kv[1].as_str().map(bytes).unwrap_or_default(),
                    )
                })
                .collect(),
            other => panic!("{name}: {other}"),
        };
        let want: B256 = case["root"]
            .as_str()
            .expect("a root")
            .parse()
            .expect("a hash");
        for _ in 0..=usize::from(any_order) {
            let mut trie = Trie::new(B256::ZERO, EMPTY_ROOT_HASH);
            for (key, value) in &writes {
                let key = if hashed {
                    Nibbles::unpack(keccak256(key))
                } else {
                    Nibbles::unpack(key)
                };
                trie.insert(&NoNodes, &key, value).expect("nothing is read");
                trie.root();
            }
            assert_eq!(trie.root(), want, "{file}: {name}");
            writes.reverse();
        }
    }
}

#[test]
fn plain_keys_in_order() {
    check("trietest.json", false, false);
}

#[test]
fn plain_keys_in_any_order() {
    check("trieanyorder.json", false, true);
}

#[test]
fn hashed_keys_in_order() {
    check("trietest_secureTrie.json", true, false);
}

#[test]
fn hashed_keys_in_any_order() {
    check("trieanyorder_secureTrie.json", true, true);
}

#[test]
fn hashed_keys_of_accounts() {
    check("hex_encoded_securetrie_test.json", true, true);
}

/// `[from, previous, next]`: the nearest keys on both sides of `from`, empty where there is none.
#[test]
fn neighbours_in_a_walk() {
    let Some(suite) = vectors("trietestnextprev.json") else {
        return;
    };
    for (name, case) in suite.as_object().expect("a suite is an object") {
        let text = |v: &Value| v.as_str().expect("a string").to_owned();
        let keys: BTreeSet<String> = case["in"]
            .as_array()
            .expect("keys")
            .iter()
            .map(text)
            .collect();
        let mut trie = Trie::new(B256::ZERO, EMPTY_ROOT_HASH);
        for key in &keys {
            trie.insert(&NoNodes, &Nibbles::unpack(key), b"there")
                .expect("nothing is read");
        }
        for test in case["tests"].as_array().expect("tests") {
            let from = Nibbles::unpack(text(&test[0]));
            let (mut previous, mut next) = (Vec::new(), Vec::new());
            trie.walk(&NoNodes, &Nibbles::new(), &mut |key, _| {
                if *key < from {
                    previous = key.pack().to_vec();
                }
                ControlFlow::Continue(())
            })
            .expect("nothing is read");
            trie.walk(&NoNodes, &from, &mut |key, _| {
                if *key == from {
                    return ControlFlow::Continue(());
                }
                next = key.pack().to_vec();
                ControlFlow::Break(())
            })
            .expect("nothing is read");
            assert_eq!(
                previous,
                text(&test[1]).into_bytes(),
                "{name}: before {test}"
            );
            assert_eq!(next, text(&test[2]).into_bytes(), "{name}: after {test}");
        }
    }
}
