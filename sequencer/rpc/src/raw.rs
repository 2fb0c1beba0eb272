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
use serde_json::Value;

pub(crate) fn register(registry: &mut Registry) {
    registry.long("debug_getRawHeader", Long::Read, 1, |node, args, _| {
        let block = node.block_to_look_into(args.required::<BlockId>(0)?)?;
        Ok(Bytes::from(alloy_rlp::encode(&block.header)))
    });
    registry.long("debug_getRawBlock", Long::Read, 1, |node, args, _| {
        let block = node.block_to_look_into(args.required::<BlockId>(0)?)?;
        let mut out = Vec::with_capacity(block.l1_size());
        block.encode_l1(&mut out);
        Ok(Bytes::from(out))
    });
    registry.long("debug_getRawReceipts", Long::Read, 1, |node, args, _| {
        let block = node.block_to_look_into(args.required::<BlockId>(0)?)?;
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

/// `null` for a transaction that nobody knows, as execution-apis has it.
fn raw_transaction(node: &Node, hash: B256) -> Result<Option<Bytes>, RpcError> {
    if let Some((block, index)) = find(node, hash)? {
        return Ok(Some(block.transactions[index].raw.clone()));
    }
    Ok(node.pool.get(hash).map(|tx| tx.raw.clone()))
}
