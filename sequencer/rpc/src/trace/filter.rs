//! `trace_filter`: calls of a range of blocks, by who called and who was called.

use super::{parity::calls_of, too_many, traced, within};
use crate::{
    Node,
    errors::RpcError,
    module::{Patience, Registry},
    params::Number,
};
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::Address;
use alloy_rpc_types_trace::{
    filter::{TraceFilter, TraceFilterMode},
    parity::LocalizedTransactionTrace,
};
use serde::Deserialize;

/// Addresses on one side of a filter.
const ADDRESSES_MAX: usize = 1_000;

pub(crate) fn register(registry: &mut Registry) {
    traced(registry, "trace_filter", 1, None, |node, args, patience| {
        filter(node, &args.required(0)?, patience)
    });
}

/// The request. Without a first block it begins with the chain, without a last one it ends at the head.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    from_block: Option<BlockNumberOrTag>,
    to_block: Option<BlockNumberOrTag>,
    from_address: Option<Vec<Address>>,
    to_address: Option<Vec<Address>>,
    #[serde(default)]
    mode: TraceFilterMode,
    /// Matches to leave out first.
    after: Option<Number>,
    /// Matches to show at most.
    count: Option<Number>,
}

fn filter(
    node: &Node,
    asked: &Asked,
    patience: &Patience,
) -> Result<Vec<LocalizedTransactionTrace>, RpcError> {
    let (from, to) = range(node, asked)?;
    let addresses = |list: &Option<Vec<Address>>| list.clone().unwrap_or_default();
    let wanted = TraceFilter {
        from_address: addresses(&asked.from_address),
        to_address: addresses(&asked.to_address),
        mode: asked.mode,
        ..TraceFilter::default()
    };
    if wanted.from_address.len().max(wanted.to_address.len()) > ADDRESSES_MAX {
        return Err(RpcError::params(format!(
            "exceed max addresses per side ({ADDRESSES_MAX})"
        )));
    }
    let wanted = wanted.matcher();
    let mut left_out = asked.after.map_or(0, |n| n.0);
    let count = asked.count.map_or(u64::MAX, |n| n.0);
    let mut found = Vec::new();
    for number in from..=to {
        if found.len() as u64 >= count {
            break;
        }
        patience.check()?;
        let Some(block) = node.store.block(number)? else {
            continue;
        };
        // Calls that are not shown do not count: each block is measured by itself, what is found by the server.
        let calls = within(node, patience, |allowance| {
            calls_of(node, &block, allowance)
        })?;
        for call in calls.into_iter().filter(|call| wanted.matches(&call.trace)) {
            if left_out > 0 {
                left_out -= 1;
            } else if (found.len() as u64) < count {
                found.push(call);
            }
        }
        if found.len() > node.limits.traces_max {
            let max = node.limits.traces_max as u64;
            return Err(too_many(
                format!("query returned more than {max} results"),
                "traces",
                max,
            ));
        }
    }
    Ok(found)
}

fn range(node: &Node, asked: &Asked) -> Result<(u64, u64), RpcError> {
    let head = node.head_number();
    let bound = |tag: Option<BlockNumberOrTag>, absent: u64| match tag {
        None => absent,
        Some(tag) => tag.as_number().or_else(|| node.tag(tag)).unwrap_or(head),
    };
    let from = bound(asked.from_block, node.store.genesis_number());
    let to = bound(asked.to_block, head);
    if from > to {
        return Err(RpcError::params("invalid block range params"));
    }
    let to = to.min(head);
    let span = to.saturating_sub(from).saturating_add(1);
    let max = node.limits.trace_blocks_max;
    if span > max {
        return Err(RpcError::limit(
            format!("block range of {span} exceeds the limit of {max} blocks"),
            "blocks",
            max,
            span,
        ));
    }
    Ok((from, to))
}
