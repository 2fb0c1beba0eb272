//! `eth_call` and `eth_createAccessList`: executions that leave no trace.

use crate::{
    Node,
    accounts::block,
    errors::RpcError,
    module::{Long, Registry},
    params::Args,
};
use alloy_consensus::Header;
use alloy_eips::{BlockId, BlockNumberOrTag, eip2930::AccessList};
use alloy_primitives::{Address, B256, Bytes, TxKind, U64, U256, map::B256HashMap};
use alloy_rpc_types_eth::{
    BlockOverrides, TransactionRequest,
    state::{AccountOverride, StateOverride},
};
use config::L1Fork;
use serde::Serialize;
use std::collections::BTreeMap;
use stf::{CallOutcome, CallOverrides, CallRequest, Rules};
use store::StateView;

pub(crate) fn register(registry: &mut Registry) {
    registry.long("eth_call", Long::Call, 4, |node, args, _| call(node, &args));
    registry.long("eth_createAccessList", Long::Call, 3, |node, args, _| {
        access_list(node, &args)
    });
}

fn call(node: &Node, args: &Args<'_>) -> Result<Bytes, RpcError> {
    let (state, header) = environment(node, block(args, 1)?)?;
    let overrides = overrides(args, 2)?;
    let asked: TransactionRequest = args.required(0)?;
    let early = too_early(node, &header, &asked)?;
    let (request, gas) = capped(node, asked)?;
    if let Some(why) = early {
        return Err(RpcError::server(format!("err: {why} (supplied gas {gas})")));
    }
    let outcome = stf::call(&node.rules, &header, &state, &request, &overrides)
        .map_err(|error| refused(&error, gas))?;
    finished(outcome).map(|outcome| outcome.output)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AccessListForm {
    access_list: AccessList,
    gas_used: U64,
    /// Why the call failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

fn access_list(node: &Node, args: &Args<'_>) -> Result<AccessListForm, RpcError> {
    let (state, header) = environment(node, block(args, 1)?)?;
    let overrides = CallOverrides {
        accounts: overrides(args, 2)?.accounts,
        ..CallOverrides::default()
    };
    let mut asked: TransactionRequest = args.required(0)?;
    // What comes out is a list, so a block that does not know lists has no answer.
    asked.access_list.get_or_insert_default();
    if let Some(why) = too_early(node, &header, &asked)? {
        return Err(RpcError::server(format!(
            "failed to apply transaction: err: {why}"
        )));
    }
    let (request, gas) = capped(node, asked)?;
    let (access_list, outcome) =
        stf::access_list(&node.rules, &header, &state, &request, &overrides)
            .map_err(|error| refused(&error, gas))?;
    let gas_used = U64::from(outcome.gas_used);
    Ok(AccessListForm {
        access_list,
        gas_used,
        error: finished(outcome).err().map(|error| error.message),
    })
}

/// The request with a gas limit that the node allows, and that limit.
pub(crate) fn capped(
    node: &Node,
    asked: TransactionRequest,
) -> Result<(CallRequest, u64), RpcError> {
    let request = request(node, asked)?;
    let gas = request
        .gas_limit
        .unwrap_or(node.limits.call_gas_max)
        .min(node.limits.call_gas_max);
    Ok((
        CallRequest {
            gas_limit: Some(gas),
            ..request
        },
        gas,
    ))
}

fn refused(error: &stf::TxRejection, gas: u64) -> RpcError {
    if let stf::TxRejection::Override(error) = error {
        return RpcError::server(error.to_string());
    }
    RpcError::server(format!("err: {error} (supplied gas {gas})"))
}

/// State and header that a call sees. `pending` is the next block's environment over the head's state.
pub(crate) fn environment(node: &Node, id: BlockId) -> Result<(StateView, Header), RpcError> {
    let (state, header) = node.state(id)?;
    match id {
        BlockId::Number(BlockNumberOrTag::Pending) => Ok((state, node.pending_header())),
        _ => Ok((state, header)),
    }
}

/// Turns a revert or a halt into geth's error.
pub(crate) fn finished(outcome: CallOutcome) -> Result<CallOutcome, RpcError> {
    match (outcome.success, &outcome.halt) {
        (true, _) => Ok(outcome),
        (false, None) => Err(RpcError::reverted(&outcome.output)),
        (false, Some(halt)) => Err(RpcError::server(halt.clone())),
    }
}

/// What makes the request a transaction of a type that the block's fork does not know, in geth's words. Fields count,
/// even empty ones; the `type` that a client names does not.
pub(crate) fn too_early(
    node: &Node,
    header: &Header,
    asked: &TransactionRequest,
) -> Result<Option<String>, RpcError> {
    let fork = match &*node.rules {
        Rules::Ethereum(rules) => rules.fork_of(header),
        Rules::Rollup(_) => return Ok(None),
    };
    if fork < L1Fork::London
        && (asked.max_fee_per_gas.is_some() || asked.max_priority_fee_per_gas.is_some())
    {
        return Err(RpcError::server(
            "maxFeePerGas and maxPriorityFeePerGas are not valid before London is active",
        ));
    }
    let blobs = asked.blob_versioned_hashes.is_some() || asked.max_fee_per_blob_gas.is_some();
    let (kind, since) = if asked.authorization_list.is_some() {
        ("setcode", L1Fork::Prague)
    } else if blobs {
        ("blob", L1Fork::Cancun)
    } else if asked.access_list.is_some() {
        ("access list", L1Fork::Berlin)
    } else {
        return Ok(None);
    };
    let sender = asked.from.unwrap_or_default();
    Ok((fork < since)
        .then(|| format!("transaction type not supported: {kind} tx (sender {sender})")))
}

/// Checks a client's request and puts it into `stf`'s form.
pub(crate) fn request(node: &Node, asked: TransactionRequest) -> Result<CallRequest, RpcError> {
    if asked.gas_price.is_some()
        && (asked.max_fee_per_gas.is_some() || asked.max_priority_fee_per_gas.is_some())
    {
        return Err(RpcError::server(
            "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified",
        ));
    }
    if let (Some(max), Some(tip)) = (asked.max_fee_per_gas, asked.max_priority_fee_per_gas)
        && max < tip
    {
        return Err(RpcError::server(format!(
            "maxFeePerGas ({max}) < maxPriorityFeePerGas ({tip})"
        )));
    }
    if let Some(have) = asked.chain_id.filter(|have| *have != node.chain_id) {
        let want = node.chain_id;
        return Err(RpcError::server(format!(
            "chainId does not match node's (have={have}, want={want})"
        )));
    }
    let input = asked.input.try_into_unique_input().map_err(|_| {
        RpcError::server("both \"data\" and \"input\" are set and not equal. Please use \"input\" to pass transaction call data")
    })?;
    Ok(CallRequest {
        from: asked.from.unwrap_or(Address::ZERO),
        to: match asked.to {
            Some(TxKind::Call(to)) => Some(to),
            Some(TxKind::Create) | None => None,
        },
        gas_limit: asked.gas,
        gas_price: asked.gas_price,
        max_fee: asked.max_fee_per_gas,
        max_priority_fee: asked.max_priority_fee_per_gas,
        value: asked.value.unwrap_or_default(),
        input: input.unwrap_or_default(),
        access_list: asked.access_list.unwrap_or_default(),
        authorizations: asked.authorization_list.unwrap_or_default(),
        nonce: asked.nonce,
        blob_hashes: asked.blob_versioned_hashes.unwrap_or_default(),
        max_fee_per_blob_gas: asked.max_fee_per_blob_gas,
    })
}

/// State overrides in argument `index`, block overrides in the next.
pub(crate) fn overrides(args: &Args<'_>, index: usize) -> Result<CallOverrides, RpcError> {
    let accounts: StateOverride = args.optional(index)?.unwrap_or_default();
    let block: BlockOverrides = args.optional(index + 1)?.unwrap_or_default();
    Ok(CallOverrides {
        accounts: account_overrides(accounts)?,
        block: block_overrides(block),
    })
}

/// State overrides in `stf`'s form.
pub(crate) fn account_overrides(
    asked: StateOverride,
) -> Result<BTreeMap<Address, stf::AccountOverride>, RpcError> {
    asked
        .into_iter()
        .map(|(address, account)| Ok((address, account_override(address, account)?)))
        .collect()
}

fn account_override(
    address: Address,
    asked: AccountOverride,
) -> Result<stf::AccountOverride, RpcError> {
    if asked.state.is_some() && asked.state_diff.is_some() {
        return Err(RpcError::server(format!(
            "account {address} has both 'state' and 'stateDiff'"
        )));
    }
    let slots = |slots: B256HashMap<B256>| {
        slots
            .into_iter()
            .map(|(slot, value)| (slot.into(), value.into()))
            .collect()
    };
    Ok(stf::AccountOverride {
        balance: asked.balance,
        nonce: asked.nonce,
        code: asked.code,
        state: asked.state.map(slots),
        move_precompile_to: asked.move_precompile_to,
        state_diff: asked.state_diff.map(slots).unwrap_or_default(),
    })
}

/// Block overrides in `stf`'s form.
pub(crate) fn block_overrides(asked: BlockOverrides) -> stf::BlockOverrides {
    stf::BlockOverrides {
        number: asked.number,
        time: asked.time.map(U256::from),
        gas_limit: asked.gas_limit,
        fee_recipient: asked.coinbase,
        prev_randao: asked.random,
        base_fee: asked.base_fee.map(|fee| fee.saturating_to()),
        blob_base_fee: asked.blob_base_fee.map(|fee| fee.saturating_to()),
    }
}
