//! Blocks executed again: from a witness alone, and halfway.

use crate::chain::{Chain, EMITTER, KEEPER, deposit, plain};
use alloy_consensus::{Header, TxEip1559};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, hex, keccak256, map::B256Map};
use alloy_rlp::Decodable;
use primitives::{Account, SealedBlock};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use stf::{BlockContext, BlockExecutor, StateError, StateReader};
use trie::{StateTrie, Witness};

/// A state that knows nothing but a witness.
struct Alone {
    trie: Mutex<StateTrie<Witness>>,
    codes: B256Map<Bytes>,
    hashes: Vec<(u64, B256)>,
}

fn lacking(error: impl std::fmt::Display) -> StateError {
    StateError(error.to_string())
}

impl StateReader for Alone {
    fn account(&self, address: Address) -> Result<Option<Account>, StateError> {
        let account = self
            .trie
            .lock()
            .unwrap()
            .account(address)
            .map_err(lacking)?;
        Ok(account.map(|account| Account {
            nonce: account.nonce,
            balance: account.balance,
            code_hash: account.code_hash,
        }))
    }
    fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        self.trie
            .lock()
            .unwrap()
            .slot(address, slot)
            .map_err(lacking)
    }
    fn code(&self, hash: B256) -> Result<Bytes, StateError> {
        self.codes.get(&hash).cloned().ok_or_else(|| lacking(hash))
    }
    fn block_hash(&self, number: u64) -> Result<B256, StateError> {
        let known = self.hashes.iter().find(|(n, _)| *n == number);
        known.map(|(_, hash)| *hash).ok_or_else(|| lacking(number))
    }
}

fn bytes(list: &Value) -> Vec<Bytes> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|one| hex::decode(one.as_str().unwrap()).unwrap().into())
        .collect()
}

/// Executes `block` from what the node gave, and arrives at its roots.
async fn executes_alone(chain: &Chain, block: &Arc<SealedBlock>) {
    let witness = chain
        .call("debug_executionWitness", json!([block.hash]))
        .await;
    let headers: Vec<Header> = bytes(&witness["headers"])
        .iter()
        .map(|raw| Header::decode(&mut raw.as_ref()).unwrap())
        .collect();
    let parent = headers.last().unwrap();
    assert_eq!(parent.hash_slow(), block.header.parent_hash);
    let nodes = || Witness::new(bytes(&witness["state"]));
    let alone = Alone {
        trie: Mutex::new(StateTrie::new(nodes(), parent.state_root)),
        codes: bytes(&witness["codes"])
            .into_iter()
            .map(|code| (keccak256(&code), code))
            .collect(),
        hashes: headers
            .iter()
            .map(|header| (header.number, header.hash_slow()))
            .collect(),
    };
    let context = BlockContext {
        timestamp: block.header.timestamp,
        anchor: {
            let mut anchor = chain
                .store
                .meta(block.header.number)
                .unwrap()
                .unwrap()
                .anchor;
            anchor.hash = block.header.parent_beacon_block_root.unwrap();
            anchor
        },
        beneficiary: block.header.beneficiary,
        prev_randao: block.header.mix_hash,
    };
    // Rules of its own: the chain's remember code that the witness must hold.
    let rules = Arc::new(match &*chain.rules {
        stf::Rules::Ethereum(rules) => stf::Rules::Ethereum(stf::EthereumRules {
            codes: stf::CodeCache::default(),
            ..rules.clone()
        }),
        stf::Rules::Rollup(rules) => stf::Rules::Rollup(stf::RollupRules {
            codes: stf::CodeCache::default(),
            ..rules.clone()
        }),
    });
    let mut run =
        BlockExecutor::begin(&rules, parent, block.header.parent_hash, context, &alone).unwrap();
    for tx in &block.transactions {
        run.execute(tx).unwrap();
    }
    let executed = run.finish().unwrap();
    assert_eq!(executed.header.receipts_root, block.header.receipts_root);
    let mut trie = StateTrie::new(nodes(), parent.state_root);
    let roots = trie.apply(&executed.diff).unwrap();
    assert_eq!(roots.state_root, block.header.state_root);
}

async fn keep(chain: &Chain, nonce: u64, value: u8) {
    chain
        .send(
            0,
            TxEip1559 {
                to: TxKind::Call(KEEPER),
                value: U256::ZERO,
                input: B256::with_last_byte(value).0.into(),
                ..plain(chain.chain_id, nonce)
            },
        )
        .await;
}

#[tokio::test]
async fn a_witness_is_all_that_a_block_needs() {
    for chain in [Chain::rollup().await, Chain::ethereum().await] {
        let mut made = vec![chain.mine()];
        keep(&chain, 0, 5).await;
        chain.send(1, plain(chain.chain_id, 0)).await;
        made.push(chain.mine());
        // A slot that goes away, and a contract that is made.
        keep(&chain, 1, 0).await;
        let create = TxEip1559 {
            to: TxKind::Create,
            value: U256::ZERO,
            // blockhash(number - 2), then no code.
            input: hex!("6002430340505f5ff3").into(),
            ..plain(chain.chain_id, 2)
        };
        chain.send(0, create).await;
        made.push(chain.mine());
        keep(&chain, 3, 9).await;
        made.push(chain.mine());
        for block in &made {
            executes_alone(&chain, block).await;
        }
        chain.store.flush().unwrap();
        for block in &made {
            executes_alone(&chain, block).await;
        }
        for (block, want) in [
            ("0x0", "block 0x0 found, but parent missing"),
            ("pending", "pending block has no witness"),
            ("0xfffffffff", "block 0xfffffffff not found"),
        ] {
            let refused = chain.error("debug_executionWitness", json!([block])).await;
            assert_eq!((refused.0, refused.1.as_str()), (-32000, want));
        }
    }
}

#[tokio::test]
async fn deposits_are_in_the_witness_too() {
    let chain = Chain::rollup().await;
    let block = chain.mine_with(&[deposit(Address::repeat_byte(0x44))]);
    executes_alone(&chain, &block).await;
    assert_ne!(block.transactions.len(), 0);
}

#[tokio::test]
async fn storage_is_shown_in_the_middle_of_a_block() {
    let chain = Chain::rollup().await;
    keep(&chain, 0, 5).await;
    let before = chain.mine();
    keep(&chain, 1, 6).await;
    keep(&chain, 2, 7).await;
    let block = chain.mine();
    let slot = keccak256(B256::ZERO);
    let range = |hash: B256, index: u64, from: &'static str, max: u64| {
        let chain = &chain;
        async move {
            chain
                .call(
                    "debug_storageRangeAt",
                    json!([hash, index, KEEPER, from, max]),
                )
                .await
        }
    };
    for (hash, index, want) in [
        (block.hash, 0, 5),
        (block.hash, 1, 6),
        (block.hash, 2, 7),
        (before.hash, 1, 5),
    ] {
        let got = range(hash, index, "0x00", 10).await;
        assert_eq!(
            got,
            json!({
                "storage": {slot.to_string(): {"key": B256::ZERO, "value": B256::with_last_byte(want)}},
                "nextKey": null,
            })
        );
    }
    let none = range(block.hash, 2, "0xff", 10).await;
    assert_eq!(none, json!({"storage": {}, "nextKey": null}));
    let first = range(block.hash, 2, "0x00", 0).await;
    assert_eq!(first, json!({"storage": {}, "nextKey": slot}));
    let (code, text, _) = chain
        .error(
            "debug_storageRangeAt",
            json!([block.hash, 3, KEEPER, "0x00", 1]),
        )
        .await;
    assert!(code == -32000 && text.contains("out of range"), "{text}");
    let genesis = json!(["0x0", 0, KEEPER, "0x00", 1]);
    let (code, text, _) = chain.error("debug_storageRangeAt", genesis).await;
    assert_eq!((code, text.as_str()), (-32000, "no transaction in genesis"));
    let empty = chain
        .call(
            "debug_storageRangeAt",
            json!([block.hash, 0, EMITTER, "0x", 1]),
        )
        .await;
    assert_eq!(empty["storage"], json!({}));
}
