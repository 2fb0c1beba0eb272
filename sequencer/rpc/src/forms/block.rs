//! Headers and blocks as JSON.

use super::TransactionForm;
use alloy_consensus::Header;
use alloy_primitives::{Address, B64, B256, Bloom, Bytes, U256};
use primitives::{SealedBlock, Withdrawal};
use serde::Serialize;

/// A header. `hash`, `miner` and `nonce` are `null` in a pending block.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeaderForm {
    #[serde(
        with = "alloy_serde::quantity::opt",
        skip_serializing_if = "Option::is_none"
    )]
    base_fee_per_gas: Option<u64>,
    #[serde(
        with = "alloy_serde::quantity::opt",
        skip_serializing_if = "Option::is_none"
    )]
    blob_gas_used: Option<u64>,
    difficulty: U256,
    #[serde(
        with = "alloy_serde::quantity::opt",
        skip_serializing_if = "Option::is_none"
    )]
    excess_blob_gas: Option<u64>,
    extra_data: Bytes,
    #[serde(with = "alloy_serde::quantity")]
    gas_limit: u64,
    #[serde(with = "alloy_serde::quantity")]
    gas_used: u64,
    hash: Option<B256>,
    logs_bloom: Bloom,
    miner: Option<Address>,
    mix_hash: B256,
    nonce: Option<B64>,
    #[serde(with = "alloy_serde::quantity")]
    number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_beacon_block_root: Option<B256>,
    parent_hash: B256,
    receipts_root: B256,
    #[serde(skip_serializing_if = "Option::is_none")]
    requests_hash: Option<B256>,
    sha3_uncles: B256,
    state_root: B256,
    #[serde(with = "alloy_serde::quantity")]
    timestamp: u64,
    transactions_root: B256,
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawals_root: Option<B256>,
}

impl HeaderForm {
    /// `hash`: `None` for a pending block.
    pub fn new(header: &Header, hash: Option<B256>) -> Self {
        Self {
            base_fee_per_gas: header.base_fee_per_gas,
            blob_gas_used: header.blob_gas_used,
            difficulty: header.difficulty,
            excess_blob_gas: header.excess_blob_gas,
            extra_data: header.extra_data.clone(),
            gas_limit: header.gas_limit,
            gas_used: header.gas_used,
            hash,
            logs_bloom: header.logs_bloom,
            miner: hash.map(|_| header.beneficiary),
            mix_hash: header.mix_hash,
            nonce: hash.map(|_| header.nonce),
            number: header.number,
            parent_beacon_block_root: header.parent_beacon_block_root,
            parent_hash: header.parent_hash,
            receipts_root: header.receipts_root,
            requests_hash: header.requests_hash,
            sha3_uncles: header.ommers_hash,
            state_root: header.state_root,
            timestamp: header.timestamp,
            transactions_root: header.transactions_root,
            withdrawals_root: header.withdrawals_root,
        }
    }
}

/// Hashes, or whole transactions.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum BlockTransactions {
    /// Hashes only.
    Hashes(Vec<B256>),
    /// Everything.
    Full(Vec<TransactionForm>),
}

/// A block.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockForm {
    #[serde(flatten)]
    header: HeaderForm,
    #[serde(with = "alloy_serde::quantity")]
    size: u64,
    transactions: BlockTransactions,
    uncles: Vec<B256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawals: Option<Vec<WithdrawalForm>>,
}

/// What the beacon chain paid out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WithdrawalForm {
    #[serde(with = "alloy_serde::quantity")]
    index: u64,
    #[serde(with = "alloy_serde::quantity")]
    validator_index: u64,
    address: Address,
    /// Gwei.
    #[serde(with = "alloy_serde::quantity")]
    amount: u64,
}

/// Each withdrawal of a block.
pub(crate) fn withdrawal_forms(withdrawals: &[Withdrawal]) -> Vec<WithdrawalForm> {
    let forms = withdrawals.iter().map(|w| WithdrawalForm {
        index: w.index,
        validator_index: w.validator_index,
        address: w.address,
        amount: w.amount,
    });
    forms.collect()
}

impl BlockForm {
    /// A sealed block.
    pub fn new(block: &SealedBlock, transactions: BlockTransactions) -> Self {
        Self {
            header: HeaderForm::new(&block.header, Some(block.hash)),
            size: block.l1_size() as u64,
            transactions,
            uncles: block.ommers.iter().map(Header::hash_slow).collect(),
            withdrawals: block
                .header
                .withdrawals_root
                .map(|_| withdrawal_forms(&block.withdrawals)),
        }
    }

    /// A block of which only the header is known: an uncle.
    pub fn uncle(header: &Header) -> Self {
        Self {
            header: HeaderForm::new(header, Some(header.hash_slow())),
            ..Self::pending(header)
        }
    }

    /// The block that would come next, without transactions.
    pub fn pending(header: &Header) -> Self {
        Self {
            header: HeaderForm::new(header, None),
            size: empty_size(header),
            transactions: BlockTransactions::Hashes(Vec::new()),
            uncles: Vec::new(),
            withdrawals: header.withdrawals_root.map(|_| Vec::new()),
        }
    }
}

/// Bytes of a block that is a header and empty lists.
fn empty_size(header: &Header) -> u64 {
    let block = SealedBlock {
        header: header.clone(),
        hash: B256::ZERO,
        transactions: Vec::new(),
        receipts: Vec::new(),
        ommers: Vec::new(),
        withdrawals: Vec::new(),
    };
    block.l1_size() as u64
}
