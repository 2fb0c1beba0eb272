//! Transactions and receipts.

use crate::{
    Node,
    errors::RpcError,
    forms::{Beside, ReceiptForm, TransactionForm},
    module::{Long, Patience, Registry},
    params::{Args, Number},
};
use alloy_consensus::Transaction as _;
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{Address, B256, Bytes, U64};
use primitives::{CheckedTx, SealedBlock};
use std::sync::Arc;
use stf::StateReader;

pub(crate) fn register(registry: &mut Registry) {
    registry.light("eth_getTransactionByHash", 1, |node, args: Args<'_>| {
        let hash = args.required(0)?;
        if let Some((block, index)) = find(node, hash)? {
            return Ok(Some(form(node, &block, index)));
        }
        Ok(node
            .pool
            .get(hash)
            .map(|tx| TransactionForm::new(&tx, None)))
    });
    registry.light(
        "eth_getTransactionByBlockNumberAndIndex",
        2,
        |node, args: Args<'_>| {
            let found = by_index(
                node,
                args.required::<BlockNumberOrTag>(0)?.into(),
                args.required(1)?,
            )?;
            Ok(found.map(|(block, index)| form(node, &block, index)))
        },
    );
    registry.light(
        "eth_getTransactionByBlockHashAndIndex",
        2,
        |node, args: Args<'_>| {
            let found = by_index(node, args.required::<B256>(0)?.into(), args.required(1)?)?;
            Ok(found.map(|(block, index)| form(node, &block, index)))
        },
    );
    registry.light("eth_getRawTransactionByHash", 1, |node, args: Args<'_>| {
        let hash = args.required(0)?;
        if let Some((block, index)) = find(node, hash)? {
            return Ok(Some(raw(&block, index)));
        }
        Ok(node.pool.get(hash).map(|tx| tx.raw.clone()))
    });
    registry.light(
        "eth_getRawTransactionByBlockNumberAndIndex",
        2,
        |node, args: Args<'_>| {
            let found = by_index(
                node,
                args.required::<BlockNumberOrTag>(0)?.into(),
                args.required(1)?,
            )?;
            Ok(found.map(|(block, index)| raw(&block, index)))
        },
    );
    registry.light(
        "eth_getRawTransactionByBlockHashAndIndex",
        2,
        |node, args: Args<'_>| {
            let found = by_index(node, args.required::<B256>(0)?.into(), args.required(1)?)?;
            Ok(found.map(|(block, index)| raw(&block, index)))
        },
    );
    registry.light("eth_getTransactionReceipt", 1, |node, args: Args<'_>| {
        Ok(find(node, args.required(0)?)?.map(|(block, index)| receipt(node, &block, index)))
    });
    registry.long(
        "eth_getTransactionBySenderAndNonce",
        Long::Read,
        2,
        |node, args, patience| by_nonce(node, &args, patience),
    );
    registry.long(
        "eth_getBlockReceipts",
        Long::Read,
        1,
        |node, args, patience| {
            let id: BlockId = args.required(0)?;
            // Nothing in a pending block has been executed (as geth since #32456).
            if matches!(id, BlockId::Number(BlockNumberOrTag::Pending)) {
                return Ok(None);
            }
            node.block(id)?
                .map(|block| receipts(node, &block, patience))
                .transpose()
        },
    );
}

/// The transaction that used a nonce of `sender`. Found by halving: nonces only grow. `None` if the nonce is unused,
/// or was used by an authorization (EIP-7702) or a creation.
pub(crate) fn find_by_nonce(
    node: &Node,
    sender: Address,
    nonce: u64,
    patience: &Patience,
) -> Result<Option<(Arc<SealedBlock>, usize)>, RpcError> {
    let used_after = |number: u64| -> Result<bool, RpcError> {
        let account = node.store.state_at(number)?.account(sender)?;
        Ok(account.unwrap_or_default().nonce > nonce)
    };
    let (mut before, mut after) = (node.store.oldest_state(), node.head_number());
    if !used_after(after)? {
        return Ok(None);
    }
    if used_after(before)? {
        // Used before anything that is still known; in the first block there are no transactions.
        return match before == node.store.genesis_number() {
            true => Ok(None),
            false => Err(store::StoreError::Pruned {
                number: before - 1,
                oldest: before,
            }
            .into()),
        };
    }
    while before + 1 < after {
        patience.check()?;
        let middle = before + (after - before) / 2;
        match used_after(middle)? {
            true => after = middle,
            false => before = middle,
        }
    }
    let Some(block) = node.store.block(after)? else {
        return Ok(None);
    };
    let index = (0..block.transactions.len()).find(|index| {
        let tx = &block.transactions[*index];
        let used = match tx.tx.is_deposit() {
            true => deposit_nonce(node, &block, *index),
            false => Some(tx.tx.nonce()),
        };
        tx.sender == sender && used == Some(nonce)
    });
    Ok(index.map(|index| (block, index)))
}

fn by_nonce(
    node: &Node,
    args: &Args<'_>,
    patience: &Patience,
) -> Result<Option<TransactionForm>, RpcError> {
    let sender: Address = args.required(0)?;
    let Number(nonce) = args.required(1)?;
    if let Some((block, index)) = find_by_nonce(node, sender, nonce, patience)? {
        return Ok(Some(form(node, &block, index)));
    }
    let content = node.pool.content(Some(sender));
    let waiting = [content.pending, content.queued]
        .into_iter()
        .find_map(|part| part.get(&sender)?.get(&nonce).cloned());
    Ok(waiting.map(|tx| TransactionForm::new(&tx, None)))
}

/// The block and position of a transaction.
pub(crate) fn find(node: &Node, hash: B256) -> Result<Option<(Arc<SealedBlock>, usize)>, RpcError> {
    let Some((number, index)) = node.store.transaction(hash)? else {
        return Ok(None);
    };
    let index = index as usize;
    // A rewind between the two lookups leaves another block there.
    let found = |block: &Arc<SealedBlock>| {
        block
            .transactions
            .get(index)
            .is_some_and(|tx| tx.hash == hash)
    };
    Ok(node
        .store
        .block(number)?
        .filter(found)
        .map(|block| (block, index)))
}

fn by_index(
    node: &Node,
    id: BlockId,
    index: U64,
) -> Result<Option<(Arc<SealedBlock>, usize)>, RpcError> {
    if matches!(id, BlockId::Number(BlockNumberOrTag::Pending)) {
        return Ok(None);
    }
    let Ok(index) = usize::try_from(index.to::<u64>()) else {
        return Ok(None);
    };
    Ok(node
        .block(id)?
        .filter(|block| index < block.transactions.len())
        .map(|block| (block, index)))
}

fn form(node: &Node, block: &SealedBlock, index: usize) -> TransactionForm {
    TransactionForm::at(block, index).with_deposit_nonce(deposit_nonce(node, block, index))
}

fn raw(block: &SealedBlock, index: usize) -> Bytes {
    block.transactions[index].raw.clone()
}

/// One receipt.
pub(crate) fn receipt(node: &Node, block: &SealedBlock, index: usize) -> ReceiptForm {
    let logs_before: usize = block.receipts[..index]
        .iter()
        .map(|receipt| receipt.logs.len())
        .sum();
    ReceiptForm::new(block, index, logs_before as u64, beside(node, block, index))
}

fn receipts(
    node: &Node,
    block: &SealedBlock,
    patience: &Patience,
) -> Result<Vec<ReceiptForm>, RpcError> {
    let mut logs_before = 0;
    let mut forms = Vec::with_capacity(block.receipts.len());
    for (index, receipt) in block.receipts.iter().enumerate() {
        patience.check()?;
        forms.push(ReceiptForm::new(
            block,
            index,
            logs_before,
            beside(node, block, index),
        ));
        logs_before += receipt.logs.len() as u64;
    }
    Ok(forms)
}

fn beside(node: &Node, block: &SealedBlock, index: usize) -> Beside {
    Beside {
        blob_base_fee: node.blob_base_fee(&block.header),
        deposit_nonce: deposit_nonce(node, block, index),
    }
}

/// The nonce that the sender of a deposit had, which also names the contract that a deposit creates. Deposits come
/// first in a block, so only earlier deposits of the same sender moved it since the parent. `None` for other
/// transactions, and where the parent's state is no longer kept.
pub(crate) fn deposit_nonce(node: &Node, block: &SealedBlock, index: usize) -> Option<u64> {
    let tx: &CheckedTx = &block.transactions[index];
    if !tx.tx.is_deposit() {
        return None;
    }
    let parent = block.header.number.checked_sub(1)?;
    let account = node.store.state_at(parent).ok()?.account(tx.sender).ok()?;
    let earlier = block.transactions[..index]
        .iter()
        .filter(|other| other.sender == tx.sender)
        .count();
    Some(account.unwrap_or_default().nonce + earlier as u64)
}
