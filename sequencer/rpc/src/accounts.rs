//! Balances, code, storage, nonces and proofs.

use crate::{
    Node,
    errors::{CLIENT_LIMIT, RpcError},
    module::{Long, Patience, Registry},
    params::{Args, StorageKey},
};
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use serde::Serialize;
use std::collections::BTreeMap;
use stf::StateReader;

/// Slots that one `eth_getProof` or `eth_getStorageValues` may ask for (geth's bound on keys).
const SLOTS_MAX: usize = 1024;

pub(crate) fn register(registry: &mut Registry) {
    registry.light("eth_getBalance", 2, |node, args: Args<'_>| {
        let address: Address = args.required(0)?;
        let (state, _) = node.state(block(&args, 1)?)?;
        Ok(state.account(address)?.unwrap_or_default().balance)
    });
    registry.light("eth_getCode", 2, |node, args: Args<'_>| {
        let address: Address = args.required(0)?;
        let (state, _) = node.state(block(&args, 1)?)?;
        match state.account(address)? {
            Some(account) if account.code_hash != primitives::diff::KECCAK_EMPTY => {
                Ok(state.code(account.code_hash)?)
            }
            _ => Ok(Bytes::new()),
        }
    });
    registry.light("eth_getStorageAt", 3, |node, args: Args<'_>| {
        let address: Address = args.required(0)?;
        let slot: StorageKey = args.required(1)?;
        let (state, _) = node.state(block(&args, 2)?)?;
        Ok(B256::from(state.storage(address, slot.0.into())?))
    });
    registry.light("eth_getTransactionCount", 2, transaction_count);
    registry.long("eth_getProof", Long::Read, 3, |node, args, patience| {
        proof(node, &args, patience)
    });
    registry.long("eth_getStorageValues", Long::Read, 2, storage_values);
}

/// The block that argument `index` names; the head if it is absent.
pub(crate) fn block(args: &Args<'_>, index: usize) -> Result<BlockId, RpcError> {
    Ok(args.optional(index)?.unwrap_or_else(BlockId::latest))
}

fn transaction_count(node: &Node, args: Args<'_>) -> Result<U64, RpcError> {
    let address: Address = args.required(0)?;
    let id = block(&args, 1)?;
    let (state, _) = node.state(id)?;
    let mined = state.account(address)?.unwrap_or_default().nonce;
    let pending = match id {
        BlockId::Number(BlockNumberOrTag::Pending) => node.pool.pending_nonce(address),
        _ => None,
    };
    // The pool may lag one block behind.
    Ok(U64::from(pending.unwrap_or(0).max(mined)))
}

/// Many slots of many accounts at one block.
fn storage_values(
    node: &Node,
    args: Args<'_>,
    patience: &Patience,
) -> Result<BTreeMap<Address, Vec<B256>>, RpcError> {
    let wanted: BTreeMap<Address, Vec<StorageKey>> = args.required(0)?;
    let count: usize = wanted.values().map(Vec::len).sum();
    if count == 0 {
        return Err(RpcError::params("empty request"));
    }
    if count > SLOTS_MAX {
        return Err(RpcError::new(
            CLIENT_LIMIT,
            format!("too many slots (max {SLOTS_MAX})"),
        ));
    }
    let (state, _) = node.state(block(&args, 1)?)?;
    wanted
        .into_iter()
        .map(|(address, slots)| {
            patience.check()?;
            let values = slots
                .into_iter()
                .map(|slot| Ok(B256::from(state.storage(address, slot.0.into())?)))
                .collect::<Result<_, RpcError>>()?;
            Ok((address, values))
        })
        .collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProofForm {
    address: Address,
    account_proof: Vec<Bytes>,
    balance: U256,
    code_hash: B256,
    nonce: U64,
    storage_hash: B256,
    storage_proof: Vec<SlotProofForm>,
}

#[derive(Serialize)]
struct SlotProofForm {
    key: String,
    value: U256,
    proof: Vec<Bytes>,
}

/// A key comes back as it was asked for: as 32 bytes, or else as a quantity.
fn shown_key(asked: &str, key: B256) -> String {
    let digits = asked.trim_start_matches("0x").trim_start_matches("0X");
    if digits.len() == 64 {
        return key.to_string();
    }
    format!("{:#x}", U256::from_be_bytes(key.0))
}

fn proof(node: &Node, args: &Args<'_>, patience: &Patience) -> Result<ProofForm, RpcError> {
    let address: Address = args.required(0)?;
    let keys: Vec<String> = args.optional(1)?.unwrap_or_default();
    if keys.len() > SLOTS_MAX {
        return Err(RpcError::params(format!(
            "too many slots, want at most {SLOTS_MAX}"
        )));
    }
    let slots: Vec<B256> = keys
        .iter()
        .map(|key| serde_json::from_value::<StorageKey>(key.as_str().into()).map(|key| key.0))
        .collect::<Result<_, _>>()
        .map_err(|error| RpcError::invalid(1, error))?;
    let number = node
        .number(block(args, 2)?)?
        .ok_or_else(RpcError::header_not_found)?;
    node.within_proof_reach(number)?;
    let proof = node
        .store
        .proof_at(number, address, &slots, &|| patience.check().is_ok())?;
    let account = proof.account.unwrap_or_default();
    Ok(ProofForm {
        address,
        account_proof: proof.proof,
        balance: account.balance,
        code_hash: account.code_hash,
        nonce: U64::from(account.nonce),
        storage_hash: account.storage_root,
        storage_proof: keys
            .iter()
            .zip(slots)
            .zip(proof.storage)
            .map(|((asked, slot_key), slot)| SlotProofForm {
                key: shown_key(asked, slot_key),
                value: slot.value,
                proof: slot.proof,
            })
            .collect(),
    })
}
