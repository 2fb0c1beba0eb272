//! Transactions as JSON: the fields that each type has, and no others.

use alloy_consensus::{EthereumTxEnvelope, Transaction as _, Typed2718};
use alloy_eips::{eip2930::AccessList, eip7702::SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, Signature, U256};
use primitives::{CheckedTx, SealedBlock, Transaction};
use serde::Serialize;

/// Where a transaction stands. A pending one stands nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Block hash.
    pub block_hash: B256,
    /// Block number.
    pub block_number: u64,
    /// Block time, seconds.
    pub timestamp: u64,
    /// Base fee of the block, for the price that was paid.
    pub base_fee: Option<u64>,
    /// Position in the block.
    pub index: u64,
}

impl Placed {
    /// Position `index` of `block`.
    pub fn at(block: &SealedBlock, index: usize) -> Self {
        Self {
            block_hash: block.hash,
            block_number: block.header.number,
            timestamp: block.header.timestamp,
            base_fee: block.header.base_fee_per_gas,
            index: index as u64,
        }
    }
}

/// A transaction, in a block or pending.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TransactionForm {
    block_hash: Option<B256>,
    #[serde(with = "alloy_serde::quantity::opt")]
    block_number: Option<u64>,
    #[serde(with = "alloy_serde::quantity::opt")]
    block_timestamp: Option<u64>,
    from: Address,
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
    hash: B256,
    input: Bytes,
    #[serde(with = "alloy_serde::quantity")]
    nonce: u64,
    to: Option<Address>,
    #[serde(with = "alloy_serde::quantity::opt")]
    transaction_index: Option<u64>,
    value: U256,
    #[serde(rename = "type", with = "alloy_serde::quantity")]
    tx_type: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_list: Option<AccessList>,
    #[serde(
        with = "alloy_serde::quantity::opt",
        skip_serializing_if = "Option::is_none"
    )]
    chain_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob_versioned_hashes: Option<Vec<B256>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_list: Option<Vec<SignedAuthorization>>,
    v: U256,
    r: U256,
    s: U256,
    #[serde(
        with = "alloy_serde::quantity::opt",
        skip_serializing_if = "Option::is_none"
    )]
    y_parity: Option<u8>,
    // Deposits only, as OP writes them.
    #[serde(skip_serializing_if = "Option::is_none")]
    source_hash: Option<B256>,
    #[serde(
        with = "alloy_serde::quantity::opt",
        skip_serializing_if = "Option::is_none"
    )]
    mint: Option<u128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_system_tx: Option<bool>,
}

impl TransactionForm {
    /// `placed`: `None` while pending.
    pub fn new(tx: &CheckedTx, placed: Option<Placed>) -> Self {
        let fields = &tx.tx;
        let deposit = fields.as_deposit();
        let ty = fields.ty();
        let signature = signature(fields);
        let (v, y_parity) = match (&signature, ty) {
            (None, _) => (U256::ZERO, None),
            (Some(signature), 0) => {
                let parity = u64::from(signature.v());
                let v = fields.chain_id().map_or(27 + u128::from(parity), |id| {
                    35 + u128::from(id) * 2 + u128::from(parity)
                });
                (U256::from(v), None)
            }
            (Some(signature), _) => (
                U256::from(u8::from(signature.v())),
                Some(u8::from(signature.v())),
            ),
        };
        let dynamic = deposit.is_none() && fields.is_dynamic_fee();
        let gas_price = match (deposit, placed) {
            (Some(_), _) => 0,
            (None, Some(placed)) => fields.effective_gas_price(placed.base_fee),
            (None, None) => fields.max_fee_per_gas(),
        };
        Self {
            block_hash: placed.map(|p| p.block_hash),
            block_number: placed.map(|p| p.block_number),
            block_timestamp: placed.map(|p| p.timestamp),
            from: tx.sender,
            gas: fields.gas_limit(),
            gas_price,
            max_fee_per_gas: dynamic.then(|| fields.max_fee_per_gas()),
            max_priority_fee_per_gas: if dynamic {
                fields.max_priority_fee_per_gas()
            } else {
                None
            },
            max_fee_per_blob_gas: fields.max_fee_per_blob_gas(),
            hash: tx.hash,
            input: fields.input().clone(),
            nonce: fields.nonce(),
            to: fields.kind().to().copied(),
            transaction_index: placed.map(|p| p.index),
            value: fields.value(),
            tx_type: ty,
            access_list: fields.access_list().cloned(),
            chain_id: if deposit.is_some() {
                None
            } else {
                fields.chain_id()
            },
            blob_versioned_hashes: fields.blob_versioned_hashes().map(<[B256]>::to_vec),
            authorization_list: fields
                .authorization_list()
                .map(<[SignedAuthorization]>::to_vec),
            v,
            r: signature.map(|s| s.r()).unwrap_or_default(),
            s: signature.map(|s| s.s()).unwrap_or_default(),
            y_parity,
            source_hash: deposit.map(|d| d.source_hash),
            mint: deposit.map(|d| d.mint),
            is_system_tx: deposit.filter(|d| d.is_system_transaction).map(|_| true),
        }
    }

    /// Transaction `index` of `block`.
    pub fn at(block: &SealedBlock, index: usize) -> Self {
        Self::new(&block.transactions[index], Some(Placed::at(block, index)))
    }

    /// The nonce that the sender of a deposit had, which the deposit itself does not carry.
    pub fn with_deposit_nonce(mut self, nonce: Option<u64>) -> Self {
        self.nonce = nonce.unwrap_or(self.nonce);
        self
    }
}

fn signature(tx: &Transaction) -> Option<Signature> {
    match tx {
        Transaction::Signed(EthereumTxEnvelope::Legacy(tx)) => Some(*tx.signature()),
        Transaction::Signed(EthereumTxEnvelope::Eip2930(tx)) => Some(*tx.signature()),
        Transaction::Signed(EthereumTxEnvelope::Eip1559(tx)) => Some(*tx.signature()),
        Transaction::Signed(EthereumTxEnvelope::Eip4844(tx)) => Some(*tx.signature()),
        Transaction::Signed(EthereumTxEnvelope::Eip7702(tx)) => Some(*tx.signature()),
        Transaction::Deposit(_) => None,
    }
}
