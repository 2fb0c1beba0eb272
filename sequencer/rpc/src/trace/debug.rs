//! `debug_traceTransaction` and `debug_traceBlock*`.

use super::{
    options::options,
    raw_block,
    replay::{Replay, locate},
    traced, transaction_not_found, within,
};
use crate::{
    Node,
    errors::RpcError,
    module::{Patience, Registry},
    params::Args,
    transactions::find,
};
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::B256;
use alloy_rpc_types_trace::geth::{GethTrace, TraceResult};
use primitives::SealedBlock;
use std::sync::Arc;

pub(crate) fn register(registry: &mut Registry) {
    traced(
        registry,
        "debug_traceTransaction",
        2,
        Some(1),
        |node, args, patience| transaction(node, &args, patience),
    );
    traced(
        registry,
        "debug_traceBlockByNumber",
        2,
        Some(1),
        |node, args, patience| {
            let tag: BlockNumberOrTag = args.required(0)?;
            // Nothing in a pending block has been executed.
            if tag.is_pending() {
                return Ok(Vec::new());
            }
            let found = node.block_to_look_into(tag.into())?;
            block(node, found, &args, patience)
        },
    );
    traced(
        registry,
        "debug_traceBlockByHash",
        2,
        Some(1),
        |node, args, patience| {
            let hash: B256 = args.required(0)?;
            let found = node.block_to_look_into(hash.into())?;
            block(node, found, &args, patience)
        },
    );
    traced(
        registry,
        "debug_traceBlock",
        2,
        Some(1),
        |node, args, patience| {
            let raw = args.hex(0)?;
            let given = raw_block::decode(node, &raw)?;
            match node.block(given.hash.into())? {
                Some(found) => block(node, found, &args, patience),
                None => raw_block::trace(node, &given, &options(&args, 1)?.tracer()?, patience),
            }
        },
    );
}

fn transaction(node: &Node, args: &Args<'_>, patience: &Patience) -> Result<GethTrace, RpcError> {
    let hash = args.required(0)?;
    let tracer = options(args, 1)?.tracer()?;
    let (block, index) = find(node, hash)?.ok_or_else(transaction_not_found)?;
    let mut replay = Replay::begin(node, block.clone())?;
    replay.skip_to(index, patience)?;
    within(node, patience, |allowance| {
        let mut trace = replay.trace(&tracer, allowance)?;
        locate(&mut trace, &block, index);
        Ok(trace)
    })
}

fn block(
    node: &Node,
    block: Arc<SealedBlock>,
    args: &Args<'_>,
    patience: &Patience,
) -> Result<Vec<TraceResult>, RpcError> {
    let tracer = options(args, 1)?.tracer()?;
    let mut replay = Replay::begin(node, block.clone())?;
    within(node, patience, |allowance| {
        let mut traces = Vec::with_capacity(block.transactions.len());
        for (index, tx) in block.transactions.iter().enumerate() {
            let mut trace = replay.trace(&tracer, allowance)?;
            locate(&mut trace, &block, index);
            traces.push(TraceResult::new_success(trace, Some(tx.hash)));
        }
        Ok(traces)
    })
}
