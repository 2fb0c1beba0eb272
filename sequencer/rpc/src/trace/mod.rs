//! What transactions and calls did inside: geth's `debug_trace*` and parity's `trace_*`.
//!
//! A block is executed again on the state before it, by the rules that made it ([`replay`]); `stf` records. Every
//! method has its own bound beside `eth_call`'s, is given up after `trace_timeout_ms` (or the client's own shorter
//! `timeout`), and ends early when the answer outgrows `response_bytes_max`.
//!
//! Absent on purpose: tracers written in JavaScript, and traces of blocks whose parent state is no longer kept.

mod calls;
mod debug;
mod duration;
mod filter;
mod options;
mod parity;
mod raw_block;
mod replay;
mod rewards;

pub(crate) use replay::Replay;

use crate::{
    Node,
    errors::{self, RpcError},
    module::{Patience, Registry, bounded},
    params::Args,
};
use jsonrpsee::types::ErrorObjectOwned;
use serde::Serialize;
use serde_json::json;
use std::time::Duration;
use stf::trace::{Allowance, TraceError};

pub(crate) fn register(registry: &mut Registry) {
    debug::register(registry);
    calls::register(registry);
    parity::register(registry);
    filter::register(registry);
}

/// A method that executes blocks or calls and records them. `options_at`: the argument that may hold geth's
/// options, whose `timeout` shortens the node's.
pub(crate) fn traced<T: Serialize + 'static>(
    registry: &mut Registry,
    name: &'static str,
    args_max: usize,
    options_at: Option<usize>,
    method: impl Fn(&Node, Args<'_>, &Patience) -> Result<T, RpcError> + Clone + Send + Sync + 'static,
) {
    let added = registry
        .module
        .register_async_method(name, move |params, node, _| {
            let method = method.clone();
            async move {
                let longest = Duration::from_millis(node.limits.trace_timeout_ms);
                let asked = Args::parse(params.as_str(), args_max)
                    .and_then(|args| options_at.map_or(Ok(None), |at| options::timeout(&args, at)));
                let timeout = asked?.map_or(longest, |asked| asked.min(longest));
                bounded(node.traces.clone(), timeout, move |patience| {
                    let args = Args::parse(params.as_str(), args_max)?;
                    let answer = method(&node, args, patience)?;
                    serde_json::value::to_raw_value(&answer).map_err(RpcError::internal)
                })
                .await
                .map_err(ErrorObjectOwned::from)
            }
        });
    assert!(added.is_ok(), "{name} is registered twice");
}

/// Runs `work` with what one answer may take.
pub(crate) fn within<T>(
    node: &Node,
    patience: &Patience,
    work: impl FnOnce(&mut Allowance<'_>) -> Result<T, RpcError>,
) -> Result<T, RpcError> {
    let given_up = || patience.check().is_err();
    work(&mut Allowance::new(
        node.limits.response_bytes_max.into(),
        &given_up,
    ))
}

impl From<TraceError> for RpcError {
    fn from(error: TraceError) -> Self {
        match error {
            TraceError::TooLarge { max } => too_many(
                format!(
                    "trace is larger than {max} bytes: ask for one transaction, another tracer, or set limit or disableStack"
                ),
                "responseBytes",
                max,
            ),
            TraceError::GivenUp => Self::new(errors::TIMED_OUT, "execution timeout"),
            TraceError::Rejected(why) => Self::server(format!("tracing failed: {why}")),
            TraceError::Block(why) => Self::server(format!("tracing failed: {why}")),
        }
    }
}

/// A limit was passed, by how much is not known.
pub(crate) fn too_many(message: String, limit: &str, max: u64) -> RpcError {
    RpcError::new(errors::LIMIT, message).with_data(json!({ "limit": limit, "max": max }))
}

/// As geth says it.
pub(crate) fn transaction_not_found() -> RpcError {
    RpcError::server("transaction not found")
}
