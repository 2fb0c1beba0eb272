//! Blocks, receipts and transactions as bytes: `debug_getRaw…`, and `debug_getBadBlocks`.

use crate::{
    Node,
    errors::RpcError,
    module::{Long, Registry},
    params::Args,
    transactions::find,
};
use alloy_eips::BlockId;
use alloy_primitives::{B256, Bytes};
use alloy_rlp::{BufMut, Encodable};
use primitives::SealedBlock;
use serde_json::Value;

pub(crate) fn register(registry: &mut Registry) {
    registry.long("debug_getRawHeader", Long::Read, 1, |node, args, _| {
        let block = node.known_block(args.required::<BlockId>(0)?)?;
        Ok(Bytes::from(alloy_rlp::encode(&block.header)))
    });
    registry.long("debug_getRawBlock", Long::Read, 1, |node, args, _| {
        Ok(raw_block(&*node.known_block(args.required::<BlockId>(0)?)?))
    });
    registry.long("debug_getRawReceipts", Long::Read, 1, |node, args, _| {
        let block = node.known_block(args.required::<BlockId>(0)?)?;
        Ok(block
            .receipts
            .iter()
            .map(|receipt| {
                let mut out = Vec::new();
                receipt.encode_2718(receipt.bloom(), &mut out);
                Bytes::from(out)
            })
            .collect::<Vec<_>>())
    });
    registry.light("debug_getRawTransaction", 1, |node, args: Args<'_>| {
        raw_transaction(node, args.required(0)?)
    });
    // A block is shown after a second execution agreed with the first; what fails before that is nobody's block.
    registry.light("debug_getBadBlocks", 0, |_, _| Ok(Vec::<Value>::new()));
}

/// Empty bytes for a transaction that nobody knows, as geth answers.
fn raw_transaction(node: &Node, hash: B256) -> Result<Bytes, RpcError> {
    if let Some((block, index)) = find(node, hash)? {
        return Ok(block.transactions[index].raw.clone());
    }
    Ok(node
        .pool
        .get(hash)
        .map(|tx| tx.raw.clone())
        .unwrap_or_default())
}

/// `rlp([header, transactions, uncles, withdrawals])`. Typed transactions are wrapped in a string.
fn raw_block(block: &SealedBlock) -> Bytes {
    let transactions: usize = block
        .transactions
        .iter()
        .map(|tx| match is_list(&tx.raw) {
            true => tx.raw.len(),
            false => tx.raw.length(),
        })
        .sum();
    let transactions = alloy_rlp::Header {
        list: true,
        payload_length: transactions,
    };
    let lists_after = 1 + usize::from(block.header.withdrawals_root.is_some());
    let whole = alloy_rlp::Header {
        list: true,
        payload_length: block.header.length()
            + transactions.length()
            + transactions.payload_length
            + lists_after,
    };
    let mut out = Vec::with_capacity(whole.length() + whole.payload_length);
    whole.encode(&mut out);
    block.header.encode(&mut out);
    transactions.encode(&mut out);
    for tx in &block.transactions {
        match is_list(&tx.raw) {
            true => out.put_slice(&tx.raw),
            false => tx.raw.encode(&mut out),
        }
    }
    out.resize(out.len() + lists_after, alloy_rlp::EMPTY_LIST_CODE);
    out.into()
}

/// A transaction without a type is a list itself.
fn is_list(raw: &[u8]) -> bool {
    raw.first()
        .is_some_and(|head| *head >= alloy_rlp::EMPTY_LIST_CODE)
}
