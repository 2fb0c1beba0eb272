//! The machine with somebody watching it.

use super::{
    Allowance, Trace, TraceError, Tracer, before::Before, record::Ran, unstarted, watched::Watched,
};
use crate::{
    BlockExecutor, CallOverrides, CallRequest, OverriddenState, PrecompileMoves, Rules, StateError,
    StateReader, TxRejection, call, environment,
    handler::{EvmError, TxHandler},
    machine::{Ctx, Machine},
    pretence::Pretence,
    rejection::rejection,
};
use alloc::sync::Arc;
use core::cell::RefCell;
use primitives::{CheckedTx, Header};
use revm::{
    Inspector,
    context::{ContextTr, FrameStack, JournalTr, result::ResultAndState},
    context_interface::context::ContextError,
    handler::{
        EthFrame, EthPrecompiles, EvmTr, FrameInitOrResult, FrameResult, FrameTr,
        evm::FrameInitResult, instructions::EthInstructions,
    },
    inspector::{InspectorEvmTr, InspectorHandler},
    interpreter::interpreter::EthInterpreter,
    state::EvmState,
};

impl<S: StateReader> BlockExecutor<S> {
    /// As [`Self::execute`], and records what the transaction does. After an error the executor must be dropped.
    pub fn trace<T: Tracer>(
        &mut self,
        tx: &Arc<CheckedTx>,
        tracer: &T,
        allowance: &mut Allowance<'_>,
    ) -> Result<Trace<T>, TraceError> {
        allowance.check()?;
        let flow = self.prepare(tx)?;
        let machine = self.machine();
        let mut watched = Watched::new(tracer.recorder(), allowance);
        let result = TxHandler::new(flow).inspect_run(&mut Seen {
            machine,
            watcher: &mut watched,
        });
        let (done, error) = match (result, tx.tx.as_deposit()) {
            (Ok(result), _) => (machine.done(result), None),
            (Err(EvmError::Transaction(why)), Some(deposit)) => {
                let shown = unstarted::show(&mut machine.ctx, &mut watched, deposit, &why)?;
                (shown, Some(EvmError::Transaction(why)))
            }
            (Err(error), _) => return Err(failed(watched, error, &machine.ctx)),
        };
        let trace = finished(tracer, watched, &done, machine)?;
        let ResultAndState { result, state } = done;
        match error {
            None => self.settle(tx, Ok(result), state)?,
            Some(error) => self.settle(tx, Err(error), EvmState::default())?,
        };
        Ok(trace)
    }
}

/// Calls one after another, each on the state that those before it left.
pub struct Calls<'a, S: StateReader> {
    rules: &'a Arc<Rules>,
    header: &'a Header,
    overrides: &'a CallOverrides,
    machine: Machine<OverriddenState<'a, S>>,
    state: S,
}

impl<'a, S: StateReader + Clone> Calls<'a, S> {
    /// In the block of `header`, on top of `state`.
    pub fn new(
        rules: &'a Arc<Rules>,
        header: &'a Header,
        state: S,
        overrides: &'a CallOverrides,
    ) -> Result<Self, TraceError> {
        let mut block = environment::block(rules, header);
        overrides.block.apply(&mut block);
        let moves =
            PrecompileMoves::of(rules, header, &overrides.accounts).map_err(TxRejection::from)?;
        let mut machine = Machine::new(
            call::call_state(rules, header, state.clone(), overrides),
            environment::cfg(rules, header),
            block,
        );
        machine.pretend(Pretence {
            moves,
            ..Pretence::default()
        });
        Ok(Self {
            machine,
            rules,
            header,
            overrides,
            state,
        })
    }

    /// Runs the next call as [`crate::call()`] would, and records what it does. After an error this must be dropped.
    pub fn trace<T: Tracer>(
        &mut self,
        request: &CallRequest,
        tracer: &T,
        allowance: &mut Allowance<'_>,
    ) -> Result<Trace<T>, TraceError> {
        allowance.check()?;
        let flow = call::flow(self.rules, &self.state, request)?;
        let block = call::block_env(self.rules, self.header, request, &self.overrides.block);
        let machine = &mut self.machine;
        machine.ctx.tx = request.tx_env(self.rules.chain_id(), block.gas_limit);
        machine.ctx.block = block;
        let mut watched = Watched::new(tracer.recorder(), allowance);
        let result = TxHandler::lenient(flow).inspect_run(&mut Seen {
            machine,
            watcher: &mut watched,
        });
        let done = match result {
            Ok(result) => machine.done(result),
            Err(error) => return Err(failed(watched, error, &machine.ctx)),
        };
        let trace = finished(tracer, watched, &done, machine)?;
        machine.state().commit(done.state)?;
        Ok(trace)
    }
}

impl<S: StateReader> Machine<S> {
    fn done(&mut self, result: revm::context::result::ExecutionResult) -> ResultAndState {
        ResultAndState {
            result,
            state: self.ctx.journal_mut().finalize(),
        }
    }
}

fn finished<T: Tracer, S: StateReader>(
    tracer: &T,
    watched: Watched<'_, '_>,
    done: &ResultAndState,
    machine: &mut Machine<S>,
) -> Result<Trace<T>, TraceError> {
    let (recorder, allowance) = watched.into_parts()?;
    let ctx = &mut machine.ctx;
    let ran = Ran {
        tx: &ctx.tx,
        done,
        before: Before(RefCell::new(&mut ctx.journaled_state.database)),
    };
    tracer.finish(recorder, &ran, &mut |chars| allowance.spend(chars))
}

fn failed<S: StateReader>(watched: Watched<'_, '_>, error: EvmError, ctx: &Ctx<S>) -> TraceError {
    match watched.stopped {
        Some(why) => why,
        None => TraceError::Rejected(rejection(error, &ctx.tx, &ctx.block, &ctx.cfg)),
    }
}

/// A machine and who watches it, for as long as one transaction runs.
struct Seen<'a, S: StateReader, I> {
    machine: &'a mut Machine<S>,
    watcher: &'a mut I,
}

impl<S: StateReader, I> EvmTr for Seen<'_, S, I> {
    type Context = Ctx<S>;
    type Instructions = EthInstructions<EthInterpreter, Ctx<S>>;
    type Precompiles = EthPrecompiles;
    type Frame = EthFrame<EthInterpreter>;

    fn all(
        &self,
    ) -> (
        &Self::Context,
        &Self::Instructions,
        &Self::Precompiles,
        &FrameStack<Self::Frame>,
    ) {
        self.machine.all()
    }

    fn all_mut(
        &mut self,
    ) -> (
        &mut Self::Context,
        &mut Self::Instructions,
        &mut Self::Precompiles,
        &mut FrameStack<Self::Frame>,
    ) {
        self.machine.all_mut()
    }

    fn frame_init(
        &mut self,
        frame: <Self::Frame as FrameTr>::FrameInit,
    ) -> Result<FrameInitResult<'_, Self::Frame>, ContextError<StateError>> {
        self.machine.frame_init(frame)
    }

    fn frame_run(&mut self) -> Result<FrameInitOrResult<Self::Frame>, ContextError<StateError>> {
        self.machine.frame_run()
    }

    fn frame_return_result(
        &mut self,
        result: FrameResult,
    ) -> Result<Option<FrameResult>, ContextError<StateError>> {
        self.machine.frame_return_result(result)
    }
}

impl<S: StateReader, I: Inspector<Ctx<S>>> InspectorEvmTr for Seen<'_, S, I> {
    type Inspector = I;

    fn all_inspector(
        &self,
    ) -> (
        &Self::Context,
        &Self::Instructions,
        &Self::Precompiles,
        &FrameStack<Self::Frame>,
        &I,
    ) {
        let (context, instructions, precompiles, frames) = self.machine.all();
        (context, instructions, precompiles, frames, self.watcher)
    }

    fn all_mut_inspector(
        &mut self,
    ) -> (
        &mut Self::Context,
        &mut Self::Instructions,
        &mut Self::Precompiles,
        &mut FrameStack<Self::Frame>,
        &mut I,
    ) {
        let (context, instructions, precompiles, frames) = self.machine.all_mut();
        (context, instructions, precompiles, frames, self.watcher)
    }
}

impl<S: StateReader, I: Inspector<Ctx<S>>> InspectorHandler for TxHandler<S, Seen<'_, S, I>> {
    type IT = EthInterpreter;
}
