//! A block that a client brings along, on top of one that this chain has.

use super::{
    replay::{executor, locate},
    within,
};
use crate::{Node, errors::RpcError, module::Patience};
use alloy_rpc_types_trace::geth::TraceResult;
use config::L1Fork;
use primitives::{Anchor, L1Block, SealedBlock};
use stf::{Rules, trace::GethTracer};

/// Decodes a block. It has no receipts: nothing says yet that it executes.
pub(super) fn decode(node: &Node, raw: &[u8]) -> Result<SealedBlock, RpcError> {
    let high_s = |header: &_| match &*node.rules {
        Rules::Ethereum(l1) => l1.fork_of(header) < L1Fork::Homestead,
        Rules::Rollup(_) => false,
    };
    let given = L1Block::decode(raw, high_s)
        .map_err(|why| RpcError::server(format!("could not decode block: {why}")))?;
    Ok(SealedBlock {
        hash: given.header.hash_slow(),
        header: given.header,
        transactions: given.transactions,
        receipts: Vec::new(),
        ommers: given.ommers,
        withdrawals: given.withdrawals.unwrap_or_default(),
    })
}

/// Executes the transactions as far as the rules let this chain make the block.
pub(super) fn trace(
    node: &Node,
    block: &SealedBlock,
    tracer: &GethTracer,
    patience: &Patience,
) -> Result<Vec<TraceResult>, RpcError> {
    let parent = block.header.number.checked_sub(1);
    let known = parent
        .map(|parent| node.store.hash_of(parent))
        .transpose()?;
    if known.flatten() != Some(block.header.parent_hash) {
        return Err(RpcError::server(format!(
            "parent {} not found",
            block.header.parent_hash
        )));
    }
    let mut executor = executor(node, block, anchor(node, block)?)?;
    within(node, patience, |allowance| {
        let mut traces = Vec::with_capacity(block.transactions.len());
        for (index, tx) in block.transactions.iter().enumerate() {
            let mut trace = executor.trace(tx, tracer, allowance)?;
            locate(&mut trace, block, index);
            traces.push(TraceResult::new_success(trace, Some(tx.hash)));
        }
        Ok(traces)
    })
}

/// A rollup's header names its anchor by hash alone: known is the parent's, as long as the block keeps it.
fn anchor(node: &Node, block: &SealedBlock) -> Result<Anchor, RpcError> {
    if matches!(&*node.rules, Rules::Ethereum(_)) {
        return Ok(Anchor::default());
    }
    let meta = node.store.meta(block.header.number.saturating_sub(1))?;
    let anchor = meta.ok_or_else(RpcError::header_not_found)?.anchor;
    if block.header.parent_beacon_block_root == Some(anchor.hash) {
        Ok(anchor)
    } else {
        Err(RpcError::server(format!(
            "block {} is not in this chain, and its L1 anchor is not the parent's",
            block.hash
        )))
    }
}
