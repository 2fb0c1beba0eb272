//! What runs beside the machine and notes what it does.

use super::{TraceError, before::Before, steps::Steps};
use crate::StateReader;
use alloc::{boxed::Box, vec::Vec};
use alloy_primitives::{Address, Log, U256};
use revm::{
    Inspector,
    context::{ContextTr, TxEnv, result::ResultAndState},
    inspector::JournalExt,
    interpreter::{CallInputs, CallOutcome, CreateInputs, CreateOutcome, Interpreter},
};
use revm_inspectors::tracing::{FourByteInspector, TracingInspector};

/// A transaction that ran and whose changes are not taken over yet.
pub struct Ran<'a, S> {
    pub(super) tx: &'a TxEnv,
    pub(super) done: &'a ResultAndState,
    pub(super) before: Before<'a, S>,
}

/// A tracer from inside: what it notes, and what it makes of the notes.
pub trait Record {
    /// What it makes of one transaction.
    type Trace;

    /// An empty notebook.
    fn recorder(&self) -> Recorder;

    /// The trace, from a notebook that [`Self::recorder`] gave. `spend` counts what was not counted while it ran.
    fn finish<S: StateReader>(
        &self,
        recorder: Recorder,
        ran: &Ran<'_, S>,
        spend: &mut dyn FnMut(u64) -> Result<(), TraceError>,
    ) -> Result<Self::Trace, TraceError>;
}

/// Notes.
#[derive(Debug)]
pub enum Recorder {
    /// None: the changes say it all.
    Nothing,
    /// Every step.
    Steps(Steps),
    /// Every call.
    Frames(Box<Frames>),
    /// Selectors that were called.
    Selectors(FourByteInspector),
    /// Several at once.
    Many(Vec<Recorder>),
}

/// Calls, with what their size in an answer depends on.
#[derive(Debug)]
pub struct Frames {
    pub(super) notes: TracingInspector,
    /// Bytes of a frame beside its data.
    pub(super) frame_bytes: u64,
    /// Bytes of a step.
    pub(super) step_bytes: u64,
    /// Inputs, outputs and logs are part of the answer.
    pub(super) with_data: bool,
    /// Bytes of notes that were counted.
    counted: usize,
}

impl Frames {
    pub(super) fn new(
        notes: TracingInspector,
        frame_bytes: u64,
        step_bytes: u64,
        with_data: bool,
    ) -> Self {
        Self {
            notes,
            frame_bytes,
            step_bytes,
            with_data,
            counted: 0,
        }
    }
}

/// Characters of JSON for that many bytes.
pub(super) fn hex_chars(bytes: usize) -> u64 {
    (bytes as u64).saturating_mul(2)
}

impl Recorder {
    /// The calls that were noted.
    pub(super) fn into_frames(self) -> TracingInspector {
        match self {
            Self::Frames(frames) => frames.notes,
            _ => TracingInspector::default(),
        }
    }

    fn each(&mut self) -> core::slice::IterMut<'_, Self> {
        match self {
            Self::Many(all) => all.iter_mut(),
            one => core::slice::from_mut(one).iter_mut(),
        }
    }

    /// Characters of JSON that the step just done adds.
    pub(super) fn step_chars(&mut self) -> u64 {
        let of = |one: &mut Self| match one {
            Self::Steps(steps) => steps.take_chars(),
            Self::Frames(frames) => {
                // Copied inputs and pieces of memory.
                let now = frames.notes.recorded_bytes();
                let new = now.saturating_sub(frames.counted);
                frames.counted = now;
                frames.step_bytes.saturating_add(hex_chars(new))
            }
            _ => 0,
        };
        self.each().map(of).fold(0, u64::saturating_add)
    }

    /// Characters that a frame adds, with `bytes` of init code, output or log.
    pub(super) fn frame_chars(&mut self, opens: bool, bytes: usize) -> u64 {
        let of = |one: &mut Self| match one {
            Self::Frames(frames) => {
                let own = if opens { frames.frame_bytes } else { 0 };
                let data = if frames.with_data {
                    hex_chars(bytes)
                } else {
                    0
                };
                own.saturating_add(data)
            }
            _ => 0,
        };
        self.each().map(of).fold(0, u64::saturating_add)
    }

    /// Characters that a frame's code adds where it is shown.
    pub(super) fn code_chars(&mut self, bytes: usize) -> u64 {
        let of = |one: &mut Self| match one {
            Self::Frames(frames) if frames.step_bytes > 0 => hex_chars(bytes),
            _ => 0,
        };
        self.each().map(of).fold(0, u64::saturating_add)
    }
}

macro_rules! tell {
    ($recorder:expr, $one:ident => $told:expr) => {
        for recorder in $recorder.each() {
            match recorder {
                Recorder::Steps($one) => $told,
                Recorder::Frames(frames) => {
                    let $one = &mut frames.notes;
                    $told
                }
                Recorder::Selectors($one) => $told,
                Recorder::Nothing | Recorder::Many(_) => {}
            }
        }
    };
}

impl<CTX> Inspector<CTX> for Recorder
where
    CTX: ContextTr<Journal: JournalExt>,
{
    fn initialize_interp(&mut self, interp: &mut Interpreter, context: &mut CTX) {
        tell!(self, one => one.initialize_interp(interp, context));
    }

    fn step(&mut self, interp: &mut Interpreter, context: &mut CTX) {
        tell!(self, one => one.step(interp, context));
    }

    fn step_end(&mut self, interp: &mut Interpreter, context: &mut CTX) {
        tell!(self, one => one.step_end(interp, context));
    }

    fn log(&mut self, context: &mut CTX, log: Log) {
        tell!(self, one => one.log(context, log.clone()));
    }

    fn call(&mut self, context: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        tell!(self, one => {
            one.call(context, inputs);
        });
        None
    }

    fn call_end(&mut self, context: &mut CTX, inputs: &CallInputs, outcome: &mut CallOutcome) {
        tell!(self, one => one.call_end(context, inputs, outcome));
    }

    fn create(&mut self, context: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        tell!(self, one => {
            one.create(context, inputs);
        });
        None
    }

    fn create_end(
        &mut self,
        context: &mut CTX,
        inputs: &CreateInputs,
        outcome: &mut CreateOutcome,
    ) {
        tell!(self, one => one.create_end(context, inputs, outcome));
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, value: U256) {
        tell!(self, one => Inspector::<CTX>::selfdestruct(one, contract, target, value));
    }
}
