//! A transaction in revm's form.

use alloc::vec::Vec;
use alloy_consensus::{Transaction as _, Typed2718};
use primitives::{CheckedTx, TxDeposit};
use revm::{context::TxEnv, context_interface::either::Either};

/// For types 0 to 4.
pub(crate) fn signed(tx: &CheckedTx) -> TxEnv {
    let fields = &tx.tx;
    TxEnv {
        tx_type: fields.ty(),
        caller: tx.sender,
        gas_limit: fields.gas_limit(),
        gas_price: fields.max_fee_per_gas(),
        kind: fields.kind(),
        value: fields.value(),
        data: fields.input().clone(),
        nonce: fields.nonce(),
        chain_id: fields.chain_id(),
        access_list: fields.access_list().cloned().unwrap_or_default(),
        gas_priority_fee: fields.max_priority_fee_per_gas(),
        blob_hashes: fields
            .blob_versioned_hashes()
            .map(<[_]>::to_vec)
            .unwrap_or_default(),
        max_fee_per_blob_gas: fields.max_fee_per_blob_gas().unwrap_or_default(),
        authorization_list: fields
            .authorization_list()
            .map(|list| list.iter().cloned().map(Either::Left).collect())
            .unwrap_or_default(),
    }
}

/// A deposit runs as a legacy transaction whose gas costs nothing.
pub(crate) fn deposit(tx: &TxDeposit) -> TxEnv {
    TxEnv {
        tx_type: 0,
        caller: tx.from,
        gas_limit: tx.gas_limit,
        gas_price: 0,
        kind: tx.to,
        value: tx.value,
        data: tx.input.clone(),
        nonce: 0,
        chain_id: None,
        access_list: Default::default(),
        gas_priority_fee: None,
        blob_hashes: Vec::new(),
        max_fee_per_blob_gas: 0,
        authorization_list: Vec::new(),
    }
}
