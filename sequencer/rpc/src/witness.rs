//! `debug_executionWitness`: all that is needed to execute a block again without a state, and
//! `debug_storageRangeAt`: a contract's storage in the middle of a block.
//!
//! Both execute the block once more on the state of its parent, and say so if that gives another block.

use crate::{
    Node,
    errors::RpcError,
    module::{Long, Patience, Registry},
    params::Args,
};
use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use parking_lot::Mutex;
use primitives::{Account, Header, SealedBlock, StateDiff, diff::KECCAK_EMPTY};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};
use stf::{BlockExecutor, StateError, StateReader};
use trie::{Recorder, StateTrie};

/// Slots that one `debug_storageRangeAt` gives.
const RANGE_MAX: usize = 1024;
/// Keys of a contract looked through for those whose hash is shown.
const KEYS_MAX: usize = 100_000;

pub(crate) fn register(registry: &mut Registry) {
    registry.long(
        "debug_executionWitness",
        Long::Read,
        1,
        |node, args: Args<'_>, patience| witness(node, args.required(0)?, patience),
    );
    registry.long("debug_storageRangeAt", Long::Read, 5, storage_range);
}

/// Nodes and codes in no order that matters, headers from the oldest to the parent.
#[derive(Serialize)]
struct WitnessForm {
    state: Vec<Bytes>,
    codes: Vec<Bytes>,
    /// Addresses and slots whose hashes the nodes know.
    keys: Vec<Bytes>,
    headers: Vec<Bytes>,
}

fn witness(node: &Node, id: BlockId, patience: &Patience) -> Result<WitnessForm, RpcError> {
    if id.is_pending() {
        return Err(RpcError::server("pending block has no witness"));
    }
    let block = node.block(id)?.ok_or_else(|| {
        RpcError::server(match id {
            BlockId::Hash(hash) => format!("block {} not found", hash.block_hash),
            BlockId::Number(tag) => format!("block {tag} not found"),
        })
    })?;
    let missing = || format!("block {:#x} found, but parent missing", block.header.number);
    let parent = parent(node, &block)?.ok_or_else(|| RpcError::server(missing()))?;
    node.within_proof_reach(parent.number)?;
    let watched = Watched::new(node.store.state_at(parent.number)?);
    let diff = run(
        node,
        &block,
        &parent,
        block.transactions.len(),
        &watched,
        patience,
    )?;
    let seen = watched.seen.into_inner();
    let (nodes, root) = node.store.trie_at(
        parent.number,
        &|| patience.check().is_ok(),
        &mut |nodes, root| {
            let mut trie = StateTrie::new(Recorder::new(nodes), root);
            for (address, slots) in &seen.accounts {
                trie.account(*address)?;
                for slot in slots {
                    trie.slot(*address, *slot)?;
                }
            }
            let roots = trie.apply(&diff)?;
            Ok((trie.source().nodes(), roots.state_root))
        },
    )?;
    if root != block.header.state_root {
        return Err(RpcError::internal(
            "executing the block again gave another state",
        ));
    }
    let mut headers = vec![Bytes::from(alloy_rlp::encode(&parent))];
    let oldest = seen.oldest_hash.unwrap_or(parent.number);
    for number in (oldest..parent.number).rev() {
        let header = node
            .store
            .header(number)?
            .ok_or_else(RpcError::header_not_found)?;
        headers.push(alloy_rlp::encode(&header).into());
    }
    headers.reverse();
    let mut keys = Vec::new();
    for (address, slots) in &seen.accounts {
        keys.push(Bytes::copy_from_slice(address.as_slice()));
        keys.extend(
            slots
                .iter()
                .map(|slot| Bytes::copy_from_slice(&slot.to_be_bytes::<32>())),
        );
    }
    Ok(WitnessForm {
        state: nodes,
        codes: seen.codes.into_values().collect(),
        keys,
        headers,
    })
}

/// `None` for the first block.
fn parent(node: &Node, block: &SealedBlock) -> Result<Option<Header>, RpcError> {
    match block.header.number.checked_sub(1) {
        Some(number) => Ok(node.store.header(number)?),
        None => Ok(None),
    }
}

/// Executes the first `count` transactions of the block. Of all of them, what comes out must be the block.
fn run<S: StateReader>(
    node: &Node,
    block: &SealedBlock,
    parent: &Header,
    count: usize,
    state: S,
    patience: &Patience,
) -> Result<StateDiff, RpcError> {
    let meta = node.store.meta(block.header.number)?.unwrap_or_default();
    let mut executor = BlockExecutor::begin_again(&node.rules, parent, block, meta.anchor, state)
        .map_err(RpcError::internal)?;
    for tx in block.transactions.iter().take(count) {
        patience.check()?;
        executor.execute(tx).map_err(RpcError::internal)?;
    }
    let executed = executor.finish().map_err(RpcError::internal)?;
    // Before Byzantium receipts hold state roots, which are not computed here.
    let whole = count == block.transactions.len() && executed.steps.is_empty();
    if whole && executed.header.receipts_root != block.header.receipts_root {
        return Err(RpcError::internal(
            "executing the block again gave other receipts",
        ));
    }
    Ok(executed.diff)
}

/// What an execution asked for.
#[derive(Default)]
struct Seen {
    accounts: BTreeMap<Address, BTreeSet<U256>>,
    codes: BTreeMap<B256, Bytes>,
    oldest_hash: Option<u64>,
}

/// A state, with a note of every question.
struct Watched<S> {
    state: S,
    seen: Mutex<Seen>,
}

impl<S> Watched<S> {
    fn new(state: S) -> Self {
        Self {
            state,
            seen: Mutex::default(),
        }
    }
}

impl<S: StateReader> StateReader for Watched<S> {
    fn account(&self, address: Address) -> Result<Option<Account>, StateError> {
        self.seen.lock().accounts.entry(address).or_default();
        let account = self.state.account(address)?;
        // The analysed code may come from a cache that asks nobody; a witness must hold it all the same.
        if let Some(Account { code_hash, .. }) = account
            && code_hash != KECCAK_EMPTY
            && !self.seen.lock().codes.contains_key(&code_hash)
        {
            let code = self.state.code(code_hash)?;
            self.seen.lock().codes.insert(code_hash, code);
        }
        Ok(account)
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        self.seen
            .lock()
            .accounts
            .entry(address)
            .or_default()
            .insert(slot);
        self.state.storage(address, slot)
    }

    fn has_storage(&self, address: Address) -> Result<bool, StateError> {
        self.state.has_storage(address)
    }

    fn code(&self, hash: B256) -> Result<Bytes, StateError> {
        self.state.code(hash)
    }

    fn block_hash(&self, number: u64) -> Result<B256, StateError> {
        let mut seen = self.seen.lock();
        seen.oldest_hash = Some(seen.oldest_hash.map_or(number, |oldest| oldest.min(number)));
        drop(seen);
        self.state.block_hash(number)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RangeForm {
    storage: BTreeMap<B256, SlotForm>,
    next_key: Option<B256>,
}

#[derive(Serialize)]
struct SlotForm {
    /// `null` where only the hash of the slot's key is known.
    key: Option<B256>,
    value: B256,
}

/// `[block, transactions executed before, contract, first hashed key, slots]`.
fn storage_range(node: &Node, args: Args<'_>, patience: &Patience) -> Result<RangeForm, RpcError> {
    let id: BlockId = args.required(0)?;
    let count: usize = args.required(1)?;
    let address: Address = args.required(2)?;
    let start = start_key(&args.hex(3)?)?;
    let max = args.required::<usize>(4)?.min(RANGE_MAX);
    let block = node.block_to_look_into(id)?;
    if count > block.transactions.len() {
        return Err(RpcError::server(format!(
            "transaction index {count} out of range for block {}",
            block.hash
        )));
    }
    let parent =
        parent(node, &block)?.ok_or_else(|| RpcError::server("no transaction in genesis"))?;
    node.within_proof_reach(parent.number)?;
    let state = node.store.state_at(parent.number)?;
    // Before the first transaction stands the parent's state.
    let diff = match count {
        0 => StateDiff::default(),
        _ => run(node, &block, &parent, count, &state, patience)?,
    };
    let owner = keccak256(address);
    let found = node.store.trie_at(
        parent.number,
        &|| patience.check().is_ok(),
        &mut |nodes, root| {
            let mut trie = StateTrie::new(nodes, root);
            trie.apply(&diff)?;
            let mut found = Vec::new();
            trie.walk_storage(owner, start, &mut |key, value| {
                found.push((key, value));
                match found.len() > max || patience.check().is_err() {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            })?;
            Ok(found)
        },
    )?;
    patience.check()?;
    let next_key = found.get(max).map(|(key, _)| *key);
    let known = node.store.slot_keys(address, KEYS_MAX)?;
    let by_hash: BTreeMap<B256, B256> = known
        .into_iter()
        .chain(
            diff.accounts
                .iter()
                .filter(|account| account.address == address)
                .flat_map(|account| account.slots.iter().map(|slot| slot.slot)),
        )
        .map(|slot| {
            let key = B256::from(slot);
            (keccak256(key), key)
        })
        .collect();
    Ok(RangeForm {
        storage: found
            .into_iter()
            .take(max)
            .map(|(hashed, value)| {
                let form = SlotForm {
                    key: by_hash.get(&hashed).copied(),
                    value: value.into(),
                };
                (hashed, form)
            })
            .collect(),
        next_key,
    })
}

/// A key that may be shorter than 32 bytes: geth fills it with zeros at the end.
fn start_key(bytes: &[u8]) -> Result<B256, RpcError> {
    if bytes.len() > 32 {
        return Err(RpcError::invalid(3, "key is longer than 32 bytes"));
    }
    let mut key = B256::ZERO;
    key[..bytes.len()].copy_from_slice(bytes);
    Ok(key)
}
