//! What parity's `trace_` methods show.

use super::{
    TraceError,
    record::{Frames, Ran, Record, Recorder},
};
use crate::StateReader;
use alloc::boxed::Box;
use alloy_primitives::map::HashSet;
use alloy_rpc_types_trace::parity::{TraceResults, TraceType};
use revm_inspectors::tracing::{TracingInspector, TracingInspectorConfig};

/// A call and a step of the machine without their data, in characters of JSON at least.
const FRAME_CHARS: u64 = 150;
const STEP_CHARS: u64 = 60;

/// Calls, steps or changes, as asked for. Gas of the first call is what execution had and used: neither intrinsic
/// gas nor refunds, which only the receipt has.
#[derive(Debug, Clone)]
pub struct ParityTracer {
    types: HashSet<TraceType>,
}

impl ParityTracer {
    /// What to show.
    pub fn new(types: impl IntoIterator<Item = TraceType>) -> Self {
        Self {
            types: types.into_iter().collect(),
        }
    }

    /// Calls alone.
    pub fn calls() -> Self {
        Self::new([TraceType::Trace])
    }
}

impl Record for ParityTracer {
    type Trace = TraceResults;

    fn recorder(&self) -> Recorder {
        let config = TracingInspectorConfig::from_parity_config(&self.types);
        let calls = self.types.contains(&TraceType::Trace);
        let steps = self.types.contains(&TraceType::VmTrace);
        Recorder::Frames(Box::new(Frames::new(
            TracingInspector::new(config),
            if calls { FRAME_CHARS } else { 0 },
            if steps { STEP_CHARS } else { 0 },
            calls,
        )))
    }

    fn finish<S: StateReader>(
        &self,
        recorder: Recorder,
        ran: &Ran<'_, S>,
        _: &mut dyn FnMut(u64) -> Result<(), TraceError>,
    ) -> Result<TraceResults, TraceError> {
        Ok(recorder
            .into_frames()
            .into_parity_builder()
            .into_trace_results_with_state(ran.done, &self.types, &ran.before)?)
    }
}
