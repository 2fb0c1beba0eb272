//! Calls that are recorded: `debug_traceCall`, `trace_call`, `trace_callMany`.

use super::{
    options::options,
    parity::{trace_types, tracer},
    replay::Replay,
    traced, within,
};
use crate::{
    Node,
    accounts::block,
    call::{account_overrides, block_overrides, capped, environment},
    errors::RpcError,
    module::{Patience, Registry},
    params::Args,
};
use alloy_consensus::Header;
use alloy_eips::BlockId;
use alloy_rpc_types_eth::TransactionRequest;
use alloy_rpc_types_trace::{
    geth::GethTrace,
    parity::{TraceResults, TraceType},
};
use primitives::StateDiff;
use stf::{CallOverrides, ChangedState, trace::Calls};
use store::StateView;

/// Calls in one `trace_callMany`.
const CALLS_MAX: usize = 1_000;

pub(crate) fn register(registry: &mut Registry) {
    traced(
        registry,
        "debug_traceCall",
        3,
        Some(2),
        |node, args, patience| debug_call(node, &args, patience),
    );
    traced(registry, "trace_call", 3, None, |node, args, patience| {
        let request: TransactionRequest = args.required(0)?;
        let types = trace_types(&args, 1)?;
        let mut traces = many(node, vec![(request, types)], block(&args, 2)?, patience)?;
        traces.pop().ok_or_else(|| RpcError::internal("no trace"))
    });
    traced(
        registry,
        "trace_callMany",
        2,
        None,
        |node, args, patience| {
            let calls: Vec<(TransactionRequest, Vec<TraceType>)> = args.required(0)?;
            many(node, calls, block(&args, 1)?, patience)
        },
    );
}

fn debug_call(node: &Node, args: &Args<'_>, patience: &Patience) -> Result<GethTrace, RpcError> {
    let request: TransactionRequest = args.required(0)?;
    let id: BlockId = block(args, 1)?;
    let options = options(args, 2)?;
    let tracer = options.tracer()?;
    node.block_to_look_into(id)?;
    let (state, header, changes) = match options.tx_index {
        Some(index) => inside(node, id, index, patience)?,
        None => {
            let (state, header) = environment(node, id)?;
            (state, header, StateDiff::default())
        }
    };
    let overrides = CallOverrides {
        accounts: account_overrides(options.state_overrides.unwrap_or_default())?,
        block: block_overrides(options.block_overrides.unwrap_or_default()),
    };
    let (request, _) = capped(node, request)?;
    let state = ChangedState::new(state, &changes);
    let mut calls = Calls::new(&node.rules, &header, state, &overrides)?;
    within(node, patience, |allowance| {
        Ok(calls.trace(&request, &tracer, allowance)?)
    })
}

/// The state before a block, its header, and what its first `index` transactions change.
fn inside(
    node: &Node,
    id: BlockId,
    index: u64,
    patience: &Patience,
) -> Result<(StateView, Header, StateDiff), RpcError> {
    let block = node.known_block(id)?;
    let index = usize::try_from(index)
        .ok()
        .filter(|index| *index <= block.transactions.len())
        .ok_or_else(|| {
            RpcError::server(format!(
                "transaction index {index} out of range for block {}",
                block.hash
            ))
        })?;
    let mut replay = Replay::begin(node, block.clone())?;
    replay.skip_to(index, patience)?;
    let state = node.store.state_at(block.header.number.saturating_sub(1))?;
    Ok((state, block.header.clone(), replay.into_changes()))
}

fn many(
    node: &Node,
    calls: Vec<(TransactionRequest, Vec<TraceType>)>,
    id: BlockId,
    patience: &Patience,
) -> Result<Vec<TraceResults>, RpcError> {
    if calls.len() > CALLS_MAX {
        return Err(RpcError::limit(
            format!("more than {CALLS_MAX} calls"),
            "calls",
            CALLS_MAX as u64,
            calls.len() as u64,
        ));
    }
    let (state, header) = environment(node, id)?;
    let overrides = CallOverrides::default();
    let mut running = Calls::new(&node.rules, &header, &state, &overrides)?;
    within(node, patience, |allowance| {
        let mut traces = Vec::with_capacity(calls.len());
        for (request, types) in calls {
            let (request, _) = capped(node, request)?;
            traces.push(running.trace(&request, &tracer(types), allowance)?);
        }
        Ok(traces)
    })
}
