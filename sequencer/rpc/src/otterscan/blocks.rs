//! Blocks, with less of what is large and more of what an explorer shows.

use crate::{
    Node,
    errors::RpcError,
    forms::{BlockForm, BlockTransactions, TransactionForm},
    module::{Long, Patience, Registry},
    params::Number,
    transactions::{deposit_nonce, receipt},
};
use alloy_consensus::Transaction as _;
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{B256, U64, U256};
use primitives::SealedBlock;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// Transactions on one page.
pub(super) const PAGE_MAX: u64 = 1_000;
/// Characters of an input that are shown: the selector.
const SELECTOR_CHARS: usize = 2 + 8;

pub(super) fn register(registry: &mut Registry) {
    registry.long("ots_getBlockDetails", Long::Read, 1, |node, args, _| {
        let id: AnyNumber = args.required(0)?;
        details(node, id.into())
    });
    registry.long(
        "ots_getBlockDetailsByHash",
        Long::Read,
        1,
        |node, args, _| details(node, args.required::<B256>(0)?.into()),
    );
    registry.long(
        "ots_getBlockTransactions",
        Long::Read,
        3,
        |node, args, patience| {
            let id: AnyNumber = args.required(0)?;
            let page: Number = args.required(1)?;
            let size: Number = args.required(2)?;
            let Some(block) = node.block(id.into())? else {
                return Ok(Value::Null);
            };
            transactions(node, &block, page.0, page_size(size)?, patience)
        },
    );
}

/// Otterscan writes block numbers as JSON numbers.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
pub(super) enum AnyNumber {
    Plain(u64),
    Tag(BlockNumberOrTag),
}

impl From<AnyNumber> for BlockId {
    fn from(number: AnyNumber) -> Self {
        match number {
            AnyNumber::Plain(number) => number.into(),
            AnyNumber::Tag(tag) => tag.into(),
        }
    }
}

pub(super) fn page_size(size: Number) -> Result<u64, RpcError> {
    match size.0 {
        0 => Err(RpcError::params("page size must be greater than 0")),
        size if size > PAGE_MAX => Err(RpcError::limit(
            format!("page size of {size} exceeds the limit of {PAGE_MAX}"),
            "pageSize",
            PAGE_MAX,
            size,
        )),
        size => Ok(size),
    }
}

fn details(node: &Node, id: BlockId) -> Result<Value, RpcError> {
    let Some(block) = node.block(id)? else {
        return Ok(Value::Null);
    };
    let mut shown = shown(&block, BlockTransactions::Hashes(Vec::new()))?;
    if let Some(fields) = shown.as_object_mut() {
        fields.remove("transactions");
        fields.insert("logsBloom".to_owned(), Value::Null);
    }
    // Nothing is issued by a block of a rollup: what is minted comes from L1.
    let earned = stf::block_rewards(&node.rules, &block.header, &block.ommers);
    let earned: Vec<U256> = earned.into_iter().map(|(_, wei)| wei).collect();
    let (own, others) = earned.split_at(earned.len().min(1));
    let sum = |wei: &[U256]| wei.iter().copied().sum::<U256>();
    Ok(json!({
        "block": shown,
        "issuance": { "blockReward": sum(own), "uncleReward": sum(others), "issuance": sum(&earned) },
        "totalFees": total_fees(&block),
    }))
}

fn shown(block: &SealedBlock, transactions: BlockTransactions) -> Result<Value, RpcError> {
    let mut shown = value(&BlockForm::new(block, transactions))?;
    if let Some(fields) = shown.as_object_mut() {
        let count = block.transactions.len();
        fields.insert("transactionCount".to_owned(), json!(count));
    }
    Ok(shown)
}

fn total_fees(block: &SealedBlock) -> U256 {
    let paid = block.transactions.iter().enumerate().map(|(index, tx)| {
        let price = match tx.tx.is_deposit() {
            true => 0,
            false => tx.tx.effective_gas_price(block.header.base_fee_per_gas),
        };
        U256::from(price) * U256::from(block.gas_used_by(index).unwrap_or_default())
    });
    paid.sum()
}

/// Pages count from the end of the block; each is in the block's order.
fn transactions(
    node: &Node,
    block: &Arc<SealedBlock>,
    page: u64,
    size: u64,
    patience: &Patience,
) -> Result<Value, RpcError> {
    let end = (block.transactions.len() as u64).saturating_sub(page.saturating_mul(size));
    let start = end.saturating_sub(size);
    let indexes = start as usize..end as usize;
    let mut receipts = Vec::with_capacity(indexes.len());
    for index in indexes.clone() {
        patience.check()?;
        receipts.push(slim_receipt(node, block, index)?);
    }
    let forms = indexes.map(|index| form(node, block, index)).collect();
    let mut shown = shown(block, BlockTransactions::Full(forms))?;
    for tx in shown["transactions"].as_array_mut().into_iter().flatten() {
        if let Some(Value::String(input)) = tx.get_mut("input") {
            input.truncate(SELECTOR_CHARS);
        }
    }
    Ok(json!({ "fullblock": shown, "receipts": receipts }))
}

pub(super) fn form(node: &Node, block: &SealedBlock, index: usize) -> TransactionForm {
    TransactionForm::at(block, index).with_deposit_nonce(deposit_nonce(node, block, index))
}

/// A receipt without its logs, and with the block's time.
pub(super) fn slim_receipt(
    node: &Node,
    block: &SealedBlock,
    index: usize,
) -> Result<Value, RpcError> {
    let mut slim = value(&receipt(node, block, index))?;
    if let Some(fields) = slim.as_object_mut() {
        fields.insert("logs".to_owned(), Value::Null);
        fields.insert("logsBloom".to_owned(), Value::Null);
        let time = json!(U64::from(block.header.timestamp));
        fields.insert("timestamp".to_owned(), time);
    }
    Ok(slim)
}

pub(super) fn value(form: &impl Serialize) -> Result<Value, RpcError> {
    serde_json::to_value(form).map_err(RpcError::internal)
}
