//! Transactions that an account has to do with, page by page.
//!
//! A transaction counts if the account sent it, was its target, or was called, created or paid inside. What happened
//! inside is asked for only where it can matter: an account without code is reached inside a transaction by wei
//! alone, which shows in its balance.

use super::{
    blocks::{AnyNumber, form, page_size, slim_receipt, value},
    inside::{next_calls, walk},
};
use crate::{
    Node,
    errors::RpcError,
    module::{Patience, Registry},
    params::{Args, Number},
    trace::{Replay, traced, within},
};
use alloy_consensus::Transaction as _;
use alloy_eips::BlockId;
use alloy_primitives::{Address, TxKind};
use alloy_rpc_types_trace::geth::CallFrame;
use primitives::{SealedBlock, diff::KECCAK_EMPTY};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use stf::StateReader;

pub(super) fn register(registry: &mut Registry) {
    traced(
        registry,
        "ots_searchTransactionsBefore",
        3,
        None,
        |node, args, patience| {
            let (address, from, size) = asked(node, &args)?;
            let first = node.store.genesis_number() + 1;
            let head = node.head_number();
            let newest = match from {
                0 => head,
                from => head.min(from - 1),
            };
            let (found, ended) = search(node, address, (first..=newest).rev(), size, patience)?;
            page(node, found, from == 0, ended)
        },
    );
    traced(
        registry,
        "ots_searchTransactionsAfter",
        3,
        None,
        |node, args, patience| {
            let (address, from, size) = asked(node, &args)?;
            let first = node.store.genesis_number() + 1;
            let oldest = match from {
                0 => first,
                from => first.max(from.saturating_add(1)),
            };
            let (mut found, ended) =
                search(node, address, oldest..=node.head_number(), size, patience)?;
            found.reverse();
            page(node, found, ended, from == 0)
        },
    );
}

/// Account, block and page size. Block 0 means the near end of the chain.
fn asked(node: &Node, args: &Args<'_>) -> Result<(Address, u64, u64), RpcError> {
    let number = match args.required::<AnyNumber>(1)?.into() {
        BlockId::Number(tag) => tag.as_number().or_else(|| node.tag(tag)),
        BlockId::Hash(_) => None,
    };
    let size = page_size(args.required::<Number>(2)?)?;
    Ok((args.required(0)?, number.unwrap_or(0), size))
}

/// A block with positions of transactions in it, in the direction of the search.
type Found = (Arc<SealedBlock>, Vec<usize>);

/// Whole blocks until a page is full; true if the blocks ended first.
fn search(
    node: &Node,
    address: Address,
    numbers: impl DoubleEndedIterator<Item = u64>,
    size: u64,
    patience: &Patience,
) -> Result<(Vec<Found>, bool), RpcError> {
    let (mut found, mut count) = (Vec::new(), 0);
    for number in numbers {
        if count >= size {
            return Ok((found, false));
        }
        patience.check()?;
        let Some(block) = node.store.block(number)? else {
            continue;
        };
        let indexes = in_block(node, &block, address, patience)?;
        count += indexes.len() as u64;
        if !indexes.is_empty() {
            found.push((block, indexes));
        }
    }
    Ok((found, true))
}

fn in_block(
    node: &Node,
    block: &Arc<SealedBlock>,
    address: Address,
    patience: &Patience,
) -> Result<Vec<usize>, RpcError> {
    if block.transactions.is_empty() {
        return Ok(Vec::new());
    }
    let outside = block.transactions.iter().map(|tx| {
        let target = tx.tx.kind();
        tx.sender == address || target == TxKind::Call(address)
    });
    let mut counts: Vec<bool> = outside.collect();
    if reached_inside(node, block, address)? && !counts.iter().all(|counts| *counts) {
        let mut replay = Replay::begin(node, block.clone())?;
        for counts in &mut counts {
            // Nothing of the calls is kept: each transaction has the allowance for itself.
            let calls = within(node, patience, |allowance| {
                next_calls(&mut replay, allowance)
            })?;
            *counts |= mentions(&calls, address);
        }
    }
    let indexes = counts.iter().enumerate();
    Ok(indexes
        .filter(|(_, counts)| **counts)
        .map(|(at, _)| at)
        .collect())
}

/// Whether something inside the block's transactions may have reached the account.
fn reached_inside(node: &Node, block: &SealedBlock, address: Address) -> Result<bool, RpcError> {
    let number = block.header.number;
    let before = node
        .store
        .state_at(number.saturating_sub(1))?
        .account(address)?;
    let after = node.store.state_at(number)?.account(address)?;
    let has_code = after
        .or(before)
        .is_some_and(|a| a.code_hash != KECCAK_EMPTY);
    Ok(has_code || before != after)
}

fn mentions(root: &CallFrame, address: Address) -> bool {
    let mut found = false;
    walk(root, 0, &mut |call, _| {
        found |= call.from == address || call.to == Some(address);
    });
    found
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    txs: Vec<Value>,
    receipts: Vec<Value>,
    first_page: bool,
    last_page: bool,
}

/// Newest first.
fn page(
    node: &Node,
    found: Vec<Found>,
    first_page: bool,
    last_page: bool,
) -> Result<Page, RpcError> {
    let (mut txs, mut receipts) = (Vec::new(), Vec::new());
    for (block, indexes) in &found {
        for index in indexes.iter().rev() {
            txs.push(value(&form(node, block, *index))?);
            receipts.push(slim_receipt(node, block, *index)?);
        }
    }
    Ok(Page {
        txs,
        receipts,
        first_page,
        last_page,
    })
}
