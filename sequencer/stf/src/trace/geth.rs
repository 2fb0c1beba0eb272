//! What geth's `debug_` tracers show.

use super::{
    TraceError,
    record::{Frames, Ran, Record, Recorder, hex_chars},
    steps::Steps,
};
use crate::StateReader;
use alloc::{boxed::Box, vec::Vec};
use alloy_rpc_types_trace::{
    geth::{
        AccountState, CallConfig, CallFrame, DefaultFrame, FlatCallConfig, FourByteFrame,
        GethDebugBuiltInTracerType, GethDebugTracerType, GethDefaultTracingOptions, GethTrace,
        NoopFrame, PreStateConfig, PreStateFrame, mux::MuxFrame,
    },
    parity::LocalizedTransactionTrace,
};
use revm_inspectors::tracing::{
    FourByteInspector, GethTraceBuilder, TracingInspector, TracingInspectorConfig,
};

/// A frame of the call tracer without its data, in characters of JSON at least.
const FRAME_CHARS: u64 = 150;
/// An account without code and storage; a slot.
const ACCOUNT_CHARS: u64 = 60;
const SLOT_CHARS: u64 = 138;

/// Which of geth's tracers.
#[derive(Debug, Clone)]
pub enum GethTracer {
    /// Every step (no name).
    Steps(GethDefaultTracingOptions),
    /// Calls as a tree (`callTracer`).
    Calls(CallConfig),
    /// Calls as a list (`flatCallTracer`). Where they lie in the chain is left to the caller.
    FlatCalls(FlatCallConfig),
    /// State before, or what changed (`prestateTracer`).
    Prestate(PreStateConfig),
    /// Selectors with the size of their arguments (`4byteTracer`).
    Selectors,
    /// Nothing (`noopTracer`).
    Nothing,
    /// Several, by name (`muxTracer`); none of them again several.
    Several(Vec<(GethDebugBuiltInTracerType, GethTracer)>),
}

impl Record for GethTracer {
    type Trace = GethTrace;

    fn recorder(&self) -> Recorder {
        let frames = |config| {
            Recorder::Frames(Box::new(Frames::new(
                TracingInspector::new(config),
                FRAME_CHARS,
                0,
                true,
            )))
        };
        match self {
            Self::Steps(options) => Recorder::Steps(Steps::new(*options)),
            Self::Calls(config) => frames(TracingInspectorConfig::from_geth_call_config(config)),
            Self::FlatCalls(config) => {
                frames(TracingInspectorConfig::from_flat_call_config(config))
            }
            Self::Selectors => Recorder::Selectors(FourByteInspector::default()),
            Self::Prestate(_) | Self::Nothing => Recorder::Nothing,
            Self::Several(all) => {
                Recorder::Many(all.iter().map(|(_, one)| one.recorder()).collect())
            }
        }
    }

    fn finish<S: StateReader>(
        &self,
        recorder: Recorder,
        ran: &Ran<'_, S>,
        spend: &mut dyn FnMut(u64) -> Result<(), TraceError>,
    ) -> Result<GethTrace, TraceError> {
        Ok(match (self, recorder) {
            (Self::Steps(_), Recorder::Steps(steps)) => stepped(steps, ran).into(),
            (Self::Calls(config), recorder) => called(*config, recorder.into_frames(), ran).into(),
            (Self::FlatCalls(config), recorder) => {
                listed(config, recorder.into_frames(), ran).into()
            }
            (Self::Prestate(config), _) => {
                let frame = GethTraceBuilder::new(Vec::new()).geth_prestate_traces(
                    ran.done,
                    config,
                    &ran.before,
                )?;
                spend(prestate_chars(&frame))?;
                frame.into()
            }
            (Self::Selectors, Recorder::Selectors(found)) => FourByteFrame::from(found).into(),
            (Self::Several(all), Recorder::Many(recorders)) => {
                let mut frame = MuxFrame::default();
                for ((name, one), recorder) in all.iter().zip(recorders) {
                    let trace = one.finish(recorder, ran, spend)?;
                    frame
                        .0
                        .insert(GethDebugTracerType::BuiltInTracer(*name), trace);
                }
                frame.into()
            }
            _ => NoopFrame::default().into(),
        })
    }
}

fn stepped<S>(steps: Steps, ran: &Ran<'_, S>) -> DefaultFrame {
    let result = &ran.done.result;
    DefaultFrame {
        failed: !result.is_success(),
        gas: result.gas().tx_gas_used(),
        return_value: result.output().cloned().unwrap_or_default(),
        struct_logs: steps.into_logs(),
        ..DefaultFrame::default()
    }
}

/// The root shows the transaction's gas, not the first frame's.
fn called<S>(config: CallConfig, mut notes: TracingInspector, ran: &Ran<'_, S>) -> CallFrame {
    notes.set_transaction_gas_limit(ran.tx.gas_limit);
    let mut root = notes
        .geth_builder()
        .geth_call_traces_with_result_gas(config, *ran.done.result.gas());
    if root.error.is_some() {
        root.logs.clear();
    }
    root
}

fn listed<S>(
    config: &FlatCallConfig,
    mut notes: TracingInspector,
    ran: &Ran<'_, S>,
) -> Vec<LocalizedTransactionTrace> {
    notes.set_transaction_gas_limit(ran.tx.gas_limit);
    notes.set_transaction_gas_used(ran.done.result.gas().tx_gas_used());
    // In geth's words unless parity's are asked for.
    let mut words = notes
        .traces()
        .nodes()
        .iter()
        .filter(|node| !node.is_precompile())
        .map(|node| node.geth_empty_call_frame(false).error)
        .collect::<Vec<_>>()
        .into_iter();
    let parity_words = config.convert_parity_errors.unwrap_or_default();
    notes
        .into_parity_builder()
        .into_transaction_traces_iter()
        .map(|mut trace| {
            if !trace.action.is_selfdestruct() {
                let error = words.next().flatten();
                if !parity_words {
                    trace.error = error;
                }
            }
            LocalizedTransactionTrace {
                trace,
                block_hash: None,
                block_number: None,
                transaction_hash: None,
                transaction_position: None,
            }
        })
        .collect()
}

fn prestate_chars(frame: &PreStateFrame) -> u64 {
    let chars = |account: &AccountState| {
        let code = hex_chars(account.code.as_ref().map_or(0, |code| code.len()));
        ACCOUNT_CHARS + code + SLOT_CHARS * account.storage.len() as u64
    };
    match frame {
        PreStateFrame::Default(before) => before.0.values().map(chars).sum(),
        PreStateFrame::Diff(diff) => diff.pre.values().chain(diff.post.values()).map(chars).sum(),
    }
}
