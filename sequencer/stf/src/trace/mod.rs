//! Execution that is recorded: single calls, steps and changes of a transaction or call.
//!
//! The rules are those of [`crate::BlockExecutor`] and [`crate::call()`]: the same handler runs on the same machine, with
//! somebody watching, so gas and outcome of a trace are those of the receipt. A tracer says what is recorded:
//! [`GethTracer`] what `debug_` methods show, [`ParityTracer`] what `trace_` methods show.
//!
//! Recording is bounded by an [`Allowance`]: bytes of the answer, and the patience of who asked.

mod allowance;
mod before;
mod geth;
mod parity;
mod record;
mod run;
mod steps;
mod unstarted;
mod watched;

pub use allowance::{Allowance, TraceError};
pub use geth::GethTracer;
pub use parity::ParityTracer;
pub use run::Calls;

/// What is recorded, and the form it takes. Only this module has tracers.
pub trait Tracer: record::Record {}

impl<T: record::Record> Tracer for T {}

/// What a tracer makes of one transaction.
pub type Trace<T> = <T as record::Record>::Trace;
