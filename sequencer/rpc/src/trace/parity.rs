//! `trace_transaction`, `trace_block`, `trace_get` and the replays.

use super::{
    replay::{Replay, located},
    rewards::rewards,
    traced, transaction_not_found, within,
};
use crate::{
    Node,
    errors::RpcError,
    module::{Patience, Registry},
    params::{Args, Number},
    transactions::find,
};
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::B256;
use alloy_rpc_types_trace::parity::{
    LocalizedTransactionTrace, TraceResults, TraceResultsWithTransactionHash, TraceType,
};
use primitives::SealedBlock;
use std::sync::Arc;
use stf::trace::{Allowance, ParityTracer};

pub(crate) fn register(registry: &mut Registry) {
    traced(
        registry,
        "trace_transaction",
        1,
        None,
        |node, args, patience| transaction(node, args.required(0)?, patience),
    );
    traced(registry, "trace_get", 2, None, |node, args, patience| {
        let path: Vec<Number> = args.required(1)?;
        let path: Vec<usize> = path
            .iter()
            .map(|step| usize::try_from(step.0).unwrap_or(usize::MAX))
            .collect();
        let calls = transaction(node, args.required(0)?, patience)?;
        Ok(calls
            .into_iter()
            .flatten()
            .find(|call| call.trace.trace_address == path))
    });
    traced(registry, "trace_block", 1, None, |node, args, patience| {
        let Some(block) = executed(node, args.required(0)?)? else {
            return Ok(None);
        };
        within(node, patience, |allowance| {
            calls_of(node, &block, allowance).map(Some)
        })
    });
    traced(
        registry,
        "trace_replayTransaction",
        2,
        None,
        |node, args, patience| {
            let hash: B256 = args.required(0)?;
            let tracer = tracer(trace_types(&args, 1)?);
            let (block, index) = find(node, hash)?.ok_or_else(transaction_not_found)?;
            let mut replay = Replay::begin(node, block)?;
            replay.skip_to(index, patience)?;
            within(node, patience, |allowance| replay.trace(&tracer, allowance))
        },
    );
    traced(
        registry,
        "trace_replayBlockTransactions",
        2,
        None,
        |node, args, patience| {
            let tracer = tracer(trace_types(&args, 1)?);
            let Some(block) = executed(node, args.required(0)?)? else {
                return Ok(None);
            };
            within(node, patience, |allowance| {
                replayed(node, &block, &tracer, allowance).map(Some)
            })
        },
    );
}

/// What to show, in argument `index`.
pub(super) fn trace_types(args: &Args<'_>, index: usize) -> Result<Vec<TraceType>, RpcError> {
    args.required(index)
}

pub(super) fn tracer(types: Vec<TraceType>) -> ParityTracer {
    ParityTracer::new(types)
}

/// The block; `None` if it is not there or, being pending, has not been executed.
fn executed(node: &Node, id: BlockId) -> Result<Option<Arc<SealedBlock>>, RpcError> {
    match id {
        BlockId::Number(BlockNumberOrTag::Pending) => Ok(None),
        id => node.block(id),
    }
}

fn transaction(
    node: &Node,
    hash: B256,
    patience: &Patience,
) -> Result<Option<Vec<LocalizedTransactionTrace>>, RpcError> {
    let Some((block, index)) = find(node, hash)? else {
        return Ok(None);
    };
    let mut replay = Replay::begin(node, block.clone())?;
    replay.skip_to(index, patience)?;
    let trace = within(node, patience, |allowance| {
        replay.trace(&ParityTracer::calls(), allowance)
    })?;
    let calls = trace.trace.into_iter();
    Ok(Some(
        calls.map(|call| located(call, &block, index)).collect(),
    ))
}

/// All calls of a block, and what it earned its makers; nothing in the genesis block.
pub(super) fn calls_of(
    node: &Node,
    block: &Arc<SealedBlock>,
    allowance: &mut Allowance<'_>,
) -> Result<Vec<LocalizedTransactionTrace>, RpcError> {
    let mut found: Vec<LocalizedTransactionTrace> = Vec::new();
    for (index, (trace, _)) in traces(node, block, &ParityTracer::calls(), allowance)?
        .into_iter()
        .enumerate()
    {
        let calls = trace.trace.into_iter();
        found.extend(calls.map(|call| located(call, block, index)));
    }
    found.extend(rewards(&node.rules, block));
    Ok(found)
}

fn replayed(
    node: &Node,
    block: &Arc<SealedBlock>,
    tracer: &ParityTracer,
    allowance: &mut Allowance<'_>,
) -> Result<Vec<TraceResultsWithTransactionHash>, RpcError> {
    let traces = traces(node, block, tracer, allowance)?;
    Ok(traces
        .into_iter()
        .map(
            |(full_trace, transaction_hash)| TraceResultsWithTransactionHash {
                full_trace,
                transaction_hash,
            },
        )
        .collect())
}

fn traces(
    node: &Node,
    block: &Arc<SealedBlock>,
    tracer: &ParityTracer,
    allowance: &mut Allowance<'_>,
) -> Result<Vec<(TraceResults, B256)>, RpcError> {
    if block.transactions.is_empty() {
        return Ok(Vec::new());
    }
    let mut replay = Replay::begin(node, block.clone())?;
    let hashes = block.transactions.iter().map(|tx| tx.hash);
    hashes
        .map(|hash| Ok((replay.trace(tracer, allowance)?, hash)))
        .collect()
}
