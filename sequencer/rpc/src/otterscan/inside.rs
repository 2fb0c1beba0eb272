//! What one transaction did inside.

use crate::{
    Node,
    errors::RpcError,
    module::{Patience, Registry},
    trace::{Replay, traced, transaction_not_found, within},
    transactions::find,
};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rpc_types_trace::{
    geth::{CallConfig, CallFrame, GethTrace},
    otterscan::{InternalOperation, OperationType, TraceEntry},
};
use stf::trace::{Allowance, GethTracer};

pub(super) fn register(registry: &mut Registry) {
    traced(
        registry,
        "ots_getInternalOperations",
        1,
        None,
        |node, args, patience| {
            let root = calls(node, args.required(0)?, patience)?;
            let mut found = Vec::new();
            walk(&root, 0, &mut |call, depth| {
                found.extend(operation(call, depth));
            });
            Ok(found)
        },
    );
    traced(
        registry,
        "ots_traceTransaction",
        1,
        None,
        |node, args, patience| {
            let root = calls(node, args.required(0)?, patience)?;
            let mut found = Vec::new();
            walk(&root, 0, &mut |call, depth| found.push(entry(call, depth)));
            Ok(found)
        },
    );
    traced(
        registry,
        "ots_getTransactionError",
        1,
        None,
        |node, args, patience| {
            let root = calls(node, args.required(0)?, patience)?;
            Ok(match root.error {
                Some(_) => root.output.unwrap_or_default(),
                None => Bytes::new(),
            })
        },
    );
}

fn calls(node: &Node, hash: B256, patience: &Patience) -> Result<CallFrame, RpcError> {
    let (block, index) = find(node, hash)?.ok_or_else(transaction_not_found)?;
    let mut replay = Replay::begin(node, block)?;
    replay.skip_to(index, patience)?;
    within(node, patience, |allowance| {
        next_calls(&mut replay, allowance)
    })
}

/// The calls of the transaction before which `replay` stands.
pub(super) fn next_calls(
    replay: &mut Replay,
    allowance: &mut Allowance<'_>,
) -> Result<CallFrame, RpcError> {
    match replay.trace(&GethTracer::Calls(CallConfig::default()), allowance)? {
        GethTrace::CallTracer(root) => Ok(root),
        _ => Err(RpcError::internal("the call tracer gave something else")),
    }
}

/// Every call in the order of execution. Depth is bounded by the machine's 1024.
pub(super) fn walk(call: &CallFrame, depth: u32, see: &mut impl FnMut(&CallFrame, u32)) {
    see(call, depth);
    for inner in &call.calls {
        walk(inner, depth + 1, see);
    }
}

/// A call that moved wei, made a contract or ended one; not the transaction itself.
fn operation(call: &CallFrame, depth: u32) -> Option<InternalOperation> {
    let value = call.value.unwrap_or_default();
    let r#type = match call.typ.as_str() {
        _ if depth == 0 => return None,
        "CALL" if !value.is_zero() => OperationType::OpTransfer,
        "SELFDESTRUCT" => OperationType::OpSelfDestruct,
        "CREATE" => OperationType::OpCreate,
        "CREATE2" => OperationType::OpCreate2,
        _ => return None,
    };
    Some(InternalOperation {
        r#type,
        from: call.from,
        to: call.to.unwrap_or_default(),
        value,
    })
}

fn entry(call: &CallFrame, depth: u32) -> TraceEntry {
    let carries: Option<U256> = match call.typ.as_str() {
        "DELEGATECALL" | "STATICCALL" => None,
        _ => call.value,
    };
    TraceEntry {
        r#type: call.typ.clone(),
        depth,
        from: call.from,
        to: call.to.unwrap_or(Address::ZERO),
        value: carries,
        input: call.input.clone(),
        output: call.output.clone().unwrap_or_default(),
    }
}
