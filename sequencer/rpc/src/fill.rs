//! `eth_fillTransaction`: what a wallet leaves open, filled in; the transaction without a signature comes back.

use crate::{
    Node,
    call::request,
    errors::RpcError,
    estimate,
    fees::suggested_tip,
    module::{Long, Patience, Registry},
    params::Args,
};
use alloy_consensus::{Transaction as _, Typed2718 as _};
use alloy_eips::{BlockId, eip2930::AccessList, eip7702::SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rpc_types_eth::TransactionRequest;
use primitives::Transaction;
use serde::Serialize;
use stf::StateReader;

pub(crate) fn register(registry: &mut Registry) {
    registry.long(
        "eth_fillTransaction",
        Long::Call,
        1,
        |node, args, patience| fill(node, &args, patience),
    );
}

#[derive(Serialize)]
struct Filled {
    raw: Bytes,
    tx: UnsignedForm,
}

/// The fields of a transaction that nobody has signed yet.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UnsignedForm {
    #[serde(rename = "type", with = "alloy_serde::quantity")]
    tx_type: u8,
    #[serde(with = "alloy_serde::quantity::opt")]
    chain_id: Option<u64>,
    #[serde(with = "alloy_serde::quantity")]
    nonce: u64,
    to: Option<Address>,
    #[serde(with = "alloy_serde::quantity")]
    gas: u64,
    #[serde(with = "alloy_serde::quantity")]
    gas_price: u128,
    #[serde(
        with = "alloy_serde::quantity::opt",
        skip_serializing_if = "Option::is_none"
    )]
    max_fee_per_gas: Option<u128>,
    #[serde(
        with = "alloy_serde::quantity::opt",
        skip_serializing_if = "Option::is_none"
    )]
    max_priority_fee_per_gas: Option<u128>,
    #[serde(
        with = "alloy_serde::quantity::opt",
        skip_serializing_if = "Option::is_none"
    )]
    max_fee_per_blob_gas: Option<u128>,
    value: U256,
    input: Bytes,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_list: Option<AccessList>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob_versioned_hashes: Option<Vec<B256>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_list: Option<Vec<SignedAuthorization>>,
    v: U256,
    r: U256,
    s: U256,
    hash: B256,
}

fn fill(node: &Node, args: &Args<'_>, patience: &Patience) -> Result<Filled, RpcError> {
    let mut asked: TransactionRequest = args.required(0)?;
    let Some(from) = asked.from else {
        return Err(RpcError::server("missing from address"));
    };
    if asked.to.is_none_or(|to| to.is_create())
        && asked.input.input().is_none_or(|input| input.is_empty())
    {
        return Err(RpcError::server(
            "contract creation without any data provided",
        ));
    }
    if asked.max_fee_per_gas == Some(0) {
        return Err(RpcError::server("maxFeePerGas must be non-zero"));
    }
    if asked.gas_price == Some(0) {
        return Err(RpcError::server(
            "gasPrice must be non-zero after london fork",
        ));
    }
    // Checked as it was asked, before anything is filled in.
    request(node, asked.clone())?;
    let head = node.store.head();
    let base_fee = u128::from(node.next_base_fee(&head.header));
    if asked.gas_price.is_none() {
        let tip = match (asked.max_priority_fee_per_gas, asked.max_fee_per_gas) {
            (Some(tip), _) => tip,
            (None, Some(max)) => suggested_tip(node, &head).min(max),
            (None, None) => suggested_tip(node, &head),
        };
        asked.max_priority_fee_per_gas = Some(tip);
        // Room for the base fee to double, as geth leaves.
        let max = asked
            .max_fee_per_gas
            .unwrap_or_else(|| tip.saturating_add(base_fee.saturating_mul(2)));
        if max < tip {
            return Err(RpcError::server(format!(
                "maxFeePerGas ({max}) < maxPriorityFeePerGas ({tip})"
            )));
        }
        asked.max_fee_per_gas = Some(max);
    }
    if asked.blob_versioned_hashes.is_some() && asked.max_fee_per_blob_gas.is_none() {
        let price = node
            .blob_base_fee(&node.pending_header())
            .unwrap_or_default();
        asked.max_fee_per_blob_gas = Some(price.saturating_mul(2));
    }
    if asked.nonce.is_none() {
        let mined = node
            .store
            .latest_state()
            .account(from)?
            .unwrap_or_default()
            .nonce;
        let pending = node.pool.pending_nonce(from).unwrap_or(0);
        asked.nonce = Some(mined.max(pending));
    }
    if asked.gas.is_none() {
        asked.gas = Some(estimate::estimate(
            node,
            asked.clone(),
            BlockId::pending(),
            stf::CallOverrides::default(),
            patience,
        )?);
    }
    let tx = request(node, asked)?.typed(node.chain_id);
    Ok(Filled {
        raw: tx.encode().into(),
        tx: form(&tx),
    })
}

fn form(tx: &Transaction) -> UnsignedForm {
    let dynamic = tx.is_dynamic_fee();
    UnsignedForm {
        tx_type: tx.ty(),
        chain_id: tx.chain_id(),
        nonce: tx.nonce(),
        to: tx.kind().to().copied(),
        gas: tx.gas_limit(),
        gas_price: tx.max_fee_per_gas(),
        max_fee_per_gas: dynamic.then(|| tx.max_fee_per_gas()),
        max_priority_fee_per_gas: if dynamic {
            tx.max_priority_fee_per_gas()
        } else {
            None
        },
        max_fee_per_blob_gas: tx.max_fee_per_blob_gas(),
        value: tx.value(),
        input: tx.input().clone(),
        access_list: tx.access_list().cloned(),
        blob_versioned_hashes: tx.blob_versioned_hashes().map(<[B256]>::to_vec),
        authorization_list: tx.authorization_list().map(<[SignedAuthorization]>::to_vec),
        v: U256::ZERO,
        r: U256::ZERO,
        s: U256::ZERO,
        hash: alloy_primitives::keccak256(tx.encode()),
    }
}
