//! Receipts as JSON.

use super::LogForm;
use alloy_consensus::{Transaction as _, Typed2718};
use alloy_primitives::{Address, B256, Bloom, TxKind};
use primitives::SealedBlock;
use serde::Serialize;

/// Gas of one blob (EIP-4844).
const GAS_PER_BLOB: u64 = 1 << 17;

/// A receipt with what follows from its block.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptForm {
    block_hash: B256,
    #[serde(with = "alloy_serde::quantity")]
    block_number: u64,
    contract_address: Option<Address>,
    #[serde(with = "alloy_serde::quantity")]
    cumulative_gas_used: u64,
    #[serde(with = "alloy_serde::quantity")]
    effective_gas_price: u128,
    from: Address,
    #[serde(with = "alloy_serde::quantity")]
    gas_used: u64,
    logs: Vec<LogForm>,
    logs_bloom: Bloom,
    #[serde(
        with = "alloy_serde::quantity::opt",
        skip_serializing_if = "Option::is_none"
    )]
    status: Option<u8>,
    /// In place of the status before Byzantium.
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<B256>,
    to: Option<Address>,
    transaction_hash: B256,
    #[serde(with = "alloy_serde::quantity")]
    transaction_index: u64,
    #[serde(rename = "type", with = "alloy_serde::quantity")]
    tx_type: u8,
    #[serde(
        with = "alloy_serde::quantity::opt",
        skip_serializing_if = "Option::is_none"
    )]
    blob_gas_used: Option<u64>,
    #[serde(
        with = "alloy_serde::quantity::opt",
        skip_serializing_if = "Option::is_none"
    )]
    blob_gas_price: Option<u128>,
    #[serde(
        with = "alloy_serde::quantity::opt",
        skip_serializing_if = "Option::is_none"
    )]
    deposit_nonce: Option<u64>,
}

/// What a block alone does not say about a receipt.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside {
    /// Price of blob gas in the block, wei.
    pub blob_base_fee: Option<u128>,
    /// Nonce of a deposit's sender.
    pub deposit_nonce: Option<u64>,
}

impl ReceiptForm {
    /// Receipt `index` of `block`; `logs_before` counts the logs of the transactions before it.
    pub fn new(block: &SealedBlock, index: usize, logs_before: u64, beside: Beside) -> Self {
        let tx = &block.transactions[index];
        let receipt = &block.receipts[index];
        let fields = &tx.tx;
        let nonce = if fields.is_deposit() {
            beside.deposit_nonce
        } else {
            Some(fields.nonce())
        };
        let blobs = fields.blob_versioned_hashes();
        Self {
            block_hash: block.hash,
            block_number: block.header.number,
            contract_address: match fields.kind() {
                TxKind::Create => nonce.map(|nonce| tx.sender.create(nonce)),
                TxKind::Call(_) => None,
            },
            cumulative_gas_used: receipt.cumulative_gas_used,
            effective_gas_price: if fields.is_deposit() {
                0
            } else {
                fields.effective_gas_price(block.header.base_fee_per_gas)
            },
            from: tx.sender,
            gas_used: block.gas_used_by(index).unwrap_or_default(),
            logs: receipt
                .logs
                .iter()
                .zip(logs_before..)
                .map(|(log, log_index)| LogForm::new(block, index, log_index, log))
                .collect(),
            logs_bloom: receipt.bloom(),
            status: receipt
                .post_state
                .is_none()
                .then_some(receipt.success.into()),
            root: receipt.post_state,
            to: fields.kind().to().copied(),
            transaction_hash: tx.hash,
            transaction_index: index as u64,
            tx_type: fields.ty(),
            blob_gas_used: blobs.map(|hashes| hashes.len() as u64 * GAS_PER_BLOB),
            blob_gas_price: blobs.and(beside.blob_base_fee),
            deposit_nonce: if fields.is_deposit() {
                beside.deposit_nonce
            } else {
                None
            },
        }
    }
}
