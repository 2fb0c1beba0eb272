//! geth's options of a trace: which tracer, how much of it, for how long.

use super::duration;
use crate::{errors::RpcError, params::Args};
use alloy_rpc_types_eth::{BlockOverrides, state::StateOverride};
use alloy_rpc_types_trace::geth::{GethDebugBuiltInTracerType as Name, GethDefaultTracingOptions};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};
use stf::trace::GethTracer;

/// The tracers that there are, by their names in requests.
const TRACERS: [(&str, Name); 6] = [
    ("callTracer", Name::CallTracer),
    ("flatCallTracer", Name::FlatCallTracer),
    ("prestateTracer", Name::PreStateTracer),
    ("4byteTracer", Name::FourByteTracer),
    ("noopTracer", Name::NoopTracer),
    ("muxTracer", Name::MuxTracer),
];

/// Names in one `muxTracer`.
const MUX_MAX: usize = TRACERS.len();

/// The options object. Unknown keys are ignored, as geth does.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Options {
    #[serde(flatten)]
    steps: GethDefaultTracingOptions,
    tracer: Option<String>,
    tracer_config: Option<Value>,
    /// `debug_traceCall` only.
    pub state_overrides: Option<StateOverride>,
    /// `debug_traceCall` only.
    pub block_overrides: Option<BlockOverrides>,
    /// `debug_traceCall` only: the call runs before this transaction of the block.
    #[serde(default, with = "alloy_serde::quantity::opt")]
    pub tx_index: Option<u64>,
}

impl Options {
    pub(super) fn tracer(&self) -> Result<GethTracer, RpcError> {
        match self.tracer.as_deref() {
            None | Some("") => Ok(GethTracer::Steps(self.steps)),
            Some(name) => tracer(name, self.tracer_config.clone().unwrap_or_default()),
        }
    }
}

/// Argument `index`, or the defaults.
pub(super) fn options(args: &Args<'_>, index: usize) -> Result<Options, RpcError> {
    Ok(args.optional(index)?.unwrap_or_default())
}

/// How long the client wants to wait, in argument `index`.
pub(super) fn timeout(args: &Args<'_>, index: usize) -> Result<Option<Duration>, RpcError> {
    #[derive(Deserialize)]
    struct Timeout {
        timeout: Option<String>,
    }
    let asked: Option<Timeout> = args.optional(index)?;
    let Some(text) = asked.and_then(|asked| asked.timeout) else {
        return Ok(None);
    };
    match duration::parse(&text) {
        Some(duration) => Ok(Some(duration)),
        None => Err(RpcError::server(format!("time: invalid duration {text:?}"))),
    }
}

fn tracer(name: &str, config: Value) -> Result<GethTracer, RpcError> {
    let Some((_, known)) = TRACERS.iter().find(|(known, _)| *known == name) else {
        return Err(unknown(name));
    };
    Ok(match known {
        Name::CallTracer => GethTracer::Calls(parsed(config)?),
        Name::FlatCallTracer => GethTracer::FlatCalls(parsed(config)?),
        Name::PreStateTracer => GethTracer::Prestate(parsed(config)?),
        Name::FourByteTracer => GethTracer::Selectors,
        Name::MuxTracer => mux(parsed(config)?)?,
        _ => GethTracer::Nothing,
    })
}

fn mux(tracers: BTreeMap<String, Value>) -> Result<GethTracer, RpcError> {
    if tracers.len() > MUX_MAX {
        return Err(RpcError::server("muxTracer: a tracer stands there twice"));
    }
    let mut all = Vec::with_capacity(tracers.len());
    for (name, config) in tracers {
        let one = tracer(&name, config)?;
        match TRACERS.iter().find(|(known, _)| *known == name) {
            Some((_, Name::MuxTracer)) | None => {
                return Err(RpcError::server("muxTracer cannot hold another muxTracer"));
            }
            Some((_, known)) => all.push((*known, one)),
        }
    }
    Ok(GethTracer::Several(all))
}

fn parsed<T: DeserializeOwned + Default>(config: Value) -> Result<T, RpcError> {
    if config.is_null() {
        return Ok(T::default());
    }
    serde_json::from_value(config)
        .map_err(|error| RpcError::server(format!("invalid tracerConfig: {error}")))
}

fn unknown(name: &str) -> RpcError {
    let there = TRACERS.map(|(name, _)| name).join(", ");
    // A program, and not a name that is misspelt.
    if name.contains(['{', '(', '=']) {
        return RpcError::server(format!(
            "tracers in JavaScript are not supported, use one of {there}"
        ));
    }
    let shown: String = name.chars().take(100).collect();
    RpcError::server(format!("tracer not found: {shown}, use one of {there}"))
}
