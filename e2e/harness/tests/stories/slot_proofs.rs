//! `SlotProof.sol` against `trie`: the Portal's own bytecode reads proofs of random and crooked tries, whole and
//! damaged.
//!
//! What is asked of the contract is exact: it takes an honest proof of a slot that holds 1, with or without an inner
//! leaf listed again, and nothing else. Damage that leaves all hashes right makes tries that no honest node would
//! encode; there the contract may be stricter than `trie`, never laxer.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::SolCall;
use bindings::portal::Portal;
use config::L1Fork;
use primitives::Header;
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::{collections::BTreeMap, sync::Arc};
use stf::{CallOverrides, CallRequest, EthereumRules, MemoryState, Rules, call};
use trie::{Nibbles, NoNodes, Trie, Witness};

/// The Portal's code, on a chain with nothing else.
struct Verifier {
    rules: Arc<Rules>,
    header: Header,
    state: MemoryState,
}

impl Verifier {
    fn new() -> Self {
        let mut state = MemoryState::default();
        let code = bindings::runtime("Portal").expect("bound");
        state.set_code(PORTAL, code.clone());
        Self {
            rules: Arc::new(Rules::Ethereum(EthereumRules::new(
                1,
                30_000_000,
                L1Fork::Prague,
                Vec::new(),
            ))),
            header: Header {
                number: 1,
                timestamp: 1,
                gas_limit: 30_000_000,
                base_fee_per_gas: Some(1),
                excess_blob_gas: Some(0),
                blob_gas_used: Some(0),
                parent_beacon_block_root: Some(B256::ZERO),
                ..Default::default()
            },
            state,
        }
    }

    fn takes(&self, root: B256, key: B256, proof: &[Bytes]) -> bool {
        let input = Portal::checkSlotProofCall {
            storageRoot: root,
            key,
            proof: proof.to_vec(),
        };
        let request = CallRequest {
            to: Some(PORTAL),
            gas_limit: Some(16_000_000),
            input: input.abi_encode().into(),
            ..Default::default()
        };
        let outcome = call(
            &self.rules,
            &self.header,
            &self.state,
            &request,
            &CallOverrides::default(),
        )
        .expect("a call that may be made");
        assert_eq!(outcome.halt, None, "a proof is refused, not choked on");
        outcome.success
    }
}

const PORTAL: Address = Address::repeat_byte(0x90);
/// One, as a storage trie holds it.
const ONE: &[u8] = &[1];

/// Slots by hash, with their encoded values; some are not 1.
type Contents = BTreeMap<B256, Vec<u8>>;

/// Keys that differ in few places, so that forks stand at every depth, and short nodes inside their parents.
fn crooked(rng: &mut StdRng) -> B256 {
    let mut key = [0x55; 32];
    for at in [0, 1, 14, 29, 30, 31] {
        key[at] = [0x05, 0x50, 0x55, 0x5f][rng.random_range(0..4)];
    }
    key.into()
}

fn contents(rng: &mut StdRng) -> Contents {
    let count = rng.random_range(1..40);
    let plain = rng.random_bool(0.5);
    (0..count)
        .map(|_| {
            let key = match plain {
                true => keccak256(rng.random::<[u8; 32]>()),
                false => crooked(rng),
            };
            let value = match rng.random_range(0..6) {
                0 => vec![2],
                1 => long_word(rng),
                _ => ONE.to_vec(),
            };
            (key, value)
        })
        .collect()
}

/// A long word, as a storage trie holds it.
fn long_word(rng: &mut StdRng) -> Vec<u8> {
    let mut encoded = vec![0xa0];
    encoded.extend(rng.random::<[u8; 32]>());
    encoded[1] |= 0x80;
    encoded
}

fn grown(contents: &Contents) -> Trie {
    let mut trie = Trie::new(B256::ZERO, trie::EMPTY_ROOT_HASH);
    for (key, value) in contents {
        trie.insert(&NoNodes, &Nibbles::unpack(key), value)
            .expect("nothing is absent");
    }
    trie
}

/// What `trie` reads under `root` from these nodes and no others.
fn read(root: B256, key: B256, proof: &[Bytes]) -> Option<Vec<u8>> {
    let witness = Witness::new(proof.iter().cloned());
    let mut trie = Trie::new(B256::ZERO, root);
    trie.get(&witness, &Nibbles::unpack(key)).ok().flatten()
}

/// The proof with one thing wrong in it.
fn damaged(rng: &mut StdRng, proof: &[Bytes]) -> Vec<Bytes> {
    let mut nodes = proof.to_vec();
    let at = rng.random_range(0..nodes.len());
    match rng.random_range(0..8) {
        0 => nodes.truncate(at),
        1 => nodes.push(proof[at].clone()),
        2 => nodes.insert(at, proof[at].clone()),
        3 => {
            nodes.remove(at);
        }
        4 => nodes.push(Bytes::new()),
        _ => nodes[at] = spoilt(rng, &proof[at]),
    }
    nodes
}

fn spoilt(rng: &mut StdRng, node: &Bytes) -> Bytes {
    let mut bytes = node.to_vec();
    let at = rng.random_range(0..bytes.len());
    match rng.random_range(0..4) {
        0 => {
            bytes.remove(at);
        }
        1 => bytes.insert(at, rng.random()),
        2 => bytes.push(rng.random()),
        _ => bytes[at] ^= 1 << rng.random_range(0..8),
    }
    bytes.into()
}

/// The proof with one node spoilt and all hashes above it made right again, and its new root.
fn rehashed(rng: &mut StdRng, proof: &[Bytes]) -> (B256, Vec<Bytes>) {
    let mut nodes = proof.to_vec();
    let at = rng.random_range(0..nodes.len());
    let mut old = keccak256(&nodes[at]);
    nodes[at] = spoilt(rng, &nodes[at]);
    let mut new = keccak256(&nodes[at]);
    for parent in nodes[..at].iter_mut().rev() {
        let mut bytes = parent.to_vec();
        let place = bytes
            .windows(32)
            .position(|window| window == old.as_slice())
            .expect("a parent names its child");
        old = keccak256(&bytes);
        bytes[place..place + 32].copy_from_slice(new.as_slice());
        *parent = bytes.into();
        new = keccak256(&*parent);
    }
    (new, nodes)
}

#[test]
fn the_portal_reads_proofs_as_the_trie_does() {
    let verifier = Verifier::new();
    let rng = &mut StdRng::seed_from_u64(0x7472_6965);
    let (mut honest, mut refused, mut lax) = (0, 0, 0);
    for _ in 0..300 {
        let contents = contents(rng);
        let mut trie = grown(&contents);
        let root = trie.root();
        let mut keys: Vec<B256> = contents.keys().copied().collect();
        keys.push(crooked(rng));
        keys.push(keccak256(rng.random::<[u8; 32]>()));
        for _ in 0..8 {
            let key = keys[rng.random_range(0..keys.len())];
            let proof = trie
                .prove(&NoNodes, &Nibbles::unpack(key))
                .expect("nothing is absent");
            let holds_one = contents.get(&key).is_some_and(|value| value == ONE);
            assert_eq!(
                verifier.takes(root, key, &proof),
                holds_one,
                "{key} under {root}: {proof:?}"
            );
            honest += usize::from(holds_one);

            let other = damaged(rng, &proof);
            if other != proof {
                assert!(
                    !verifier.takes(root, key, &other),
                    "{other:?} for {proof:?}"
                );
                refused += 1;
            }
            let (false_root, nodes) = rehashed(rng, &proof);
            let taken = verifier.takes(false_root, key, &nodes);
            let seen = read(false_root, key, &nodes);
            if taken {
                assert_eq!(seen.as_deref(), Some(ONE), "{nodes:?} for {key}");
            } else if seen.as_deref() == Some(ONE) {
                // A trie that no honest node encodes, and that `trie` reads all the same.
                lax += 1;
            }
        }
    }
    assert!(honest > 1000 && refused > 1000, "{honest} {refused}");
    assert!(lax < 100, "{lax} odd tries that only `trie` reads");
}

/// Inner leaves exist in real tries too, if somebody looks for hashes that begin alike.
#[test]
fn an_inner_leaf_may_be_listed_again_as_viem_does() {
    let verifier = Verifier::new();
    let mut contents = Contents::new();
    let mut key = B256::repeat_byte(0x55);
    contents.insert(key, ONE.to_vec());
    key.0[31] = 0x5a;
    contents.insert(key, ONE.to_vec());
    let mut trie = grown(&contents);
    let root = trie.root();
    let proof = trie
        .prove(&NoNodes, &Nibbles::unpack(key))
        .expect("nothing is absent");
    assert!(verifier.takes(root, key, &proof));
    let leaf = Bytes::from_static(&[0xc2, 0x20, 0x01]);
    let listed = [proof.clone(), vec![leaf.clone()]].concat();
    assert!(verifier.takes(root, key, &listed));
    let twice = [listed, vec![leaf]].concat();
    assert!(!verifier.takes(root, key, &twice));
    let wrong = [proof, vec![Bytes::from_static(&[0xc2, 0x20, 0x02])]].concat();
    assert!(!verifier.takes(root, key, &wrong));
    assert!(!verifier.takes(root, B256::repeat_byte(0x56), &[]));
    assert!(!verifier.takes(U256::ZERO.into(), key, &[]));
}
