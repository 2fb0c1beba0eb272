//! Stands between machine and recorder: counts, asks for patience, stops.

use super::{Allowance, TraceError, record::Recorder};
use alloc::string::ToString;
use alloy_primitives::{Address, Log, U256};
use revm::{
    Inspector,
    bytecode::opcode,
    context::{ContextTr, JournalTr},
    context_interface::context::ContextError,
    inspector::JournalExt,
    interpreter::{
        CallInputs, CallOutcome, CreateInputs, CreateOutcome, InstructionResult, Interpreter,
        interpreter_types::{InputsTr, Jumps, LoopControl},
    },
};

/// Patience is asked for once in so many steps.
const STEPS_PER_CHECK: u32 = 1024;
/// A log's place and topics, in characters of JSON at least.
const LOG_CHARS: usize = 60;

/// A recorder within an allowance.
pub(super) struct Watched<'a, 'b> {
    pub(super) recorder: Recorder,
    allowance: &'a mut Allowance<'b>,
    /// Why it stopped the machine.
    pub(super) stopped: Option<TraceError>,
    steps: u32,
    /// Contract, heir and balance, while the step that may end it is done.
    ending: Option<(Address, Address, U256)>,
}

impl<'a, 'b> Watched<'a, 'b> {
    pub(super) fn new(recorder: Recorder, allowance: &'a mut Allowance<'b>) -> Self {
        Self {
            recorder,
            allowance,
            stopped: None,
            steps: 0,
            ending: None,
        }
    }

    /// The notes, unless recording was stopped.
    pub(super) fn into_parts(self) -> Result<(Recorder, &'a mut Allowance<'b>), TraceError> {
        match self.stopped {
            Some(why) => Err(why),
            None => Ok((self.recorder, self.allowance)),
        }
    }

    fn spend(&mut self, chars: u64) {
        if self.stopped.is_none() {
            self.stopped = self.allowance.spend(chars).err();
        }
    }

    /// Ends the whole transaction with an error once there is a reason to.
    fn halt_if_stopped(&self, interp: &mut Interpreter, context: &mut impl ContextTr) {
        if let Some(reason) = &self.stopped {
            if context.error().is_ok() {
                *context.error() = Err(ContextError::Custom(reason.to_string()));
            }
            // In place of a call that may be waiting to be made.
            interp.bytecode.action().take();
            interp.bytecode.reset_action();
            interp.halt_fatal();
        }
    }
}

impl<CTX> Inspector<CTX> for Watched<'_, '_>
where
    CTX: ContextTr<Journal: JournalExt>,
{
    fn initialize_interp(&mut self, interp: &mut Interpreter, context: &mut CTX) {
        self.recorder.initialize_interp(interp, context);
        let chars = self
            .recorder
            .code_chars(interp.bytecode.original_byte_slice().len());
        self.spend(chars);
    }

    fn step(&mut self, interp: &mut Interpreter, context: &mut CTX) {
        self.steps = self.steps.wrapping_add(1);
        if self.steps.is_multiple_of(STEPS_PER_CHECK) && self.stopped.is_none() {
            self.stopped = self.allowance.check().err();
        }
        if self.stopped.is_some() {
            return self.halt_if_stopped(interp, context);
        }
        if interp.bytecode.opcode() == opcode::SELFDESTRUCT {
            let contract = interp.input.target_address();
            let heir = interp.stack.data().last().copied();
            // The contract runs, so it is loaded: nothing becomes warm by looking.
            let account = context.journal_mut().load_account(contract);
            self.ending = match (heir, account) {
                (Some(heir), Ok(account)) => Some((
                    contract,
                    Address::from_word(heir.into()),
                    account.data.info.balance,
                )),
                _ => None,
            };
        }
        self.recorder.step(interp, context);
    }

    fn step_end(&mut self, interp: &mut Interpreter, context: &mut CTX) {
        if self.stopped.is_some() {
            return;
        }
        self.recorder.step_end(interp, context);
        if let Some((contract, heir, balance)) = self.ending.take() {
            let action = interp.bytecode.action().as_ref();
            let result = action.and_then(|action| action.instruction_result());
            if result == Some(InstructionResult::SelfDestruct) {
                Inspector::<CTX>::selfdestruct(&mut self.recorder, contract, heir, balance);
            }
        }
        let chars = self.recorder.step_chars();
        self.spend(chars);
        self.halt_if_stopped(interp, context);
    }

    fn log(&mut self, context: &mut CTX, log: Log) {
        let bytes = LOG_CHARS + 33 * log.topics().len() + log.data.data.len();
        let chars = self.recorder.frame_chars(false, bytes);
        self.spend(chars);
        self.recorder.log(context, log);
    }

    fn call(&mut self, context: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        let chars = self.recorder.frame_chars(true, 0);
        self.spend(chars);
        self.recorder.call(context, inputs)
    }

    fn call_end(&mut self, context: &mut CTX, inputs: &CallInputs, outcome: &mut CallOutcome) {
        let chars = self
            .recorder
            .frame_chars(false, outcome.result.output.len());
        self.spend(chars);
        self.recorder.call_end(context, inputs, outcome);
    }

    fn create(&mut self, context: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        let chars = self.recorder.frame_chars(true, inputs.init_code().len());
        self.spend(chars);
        self.recorder.create(context, inputs)
    }

    fn create_end(
        &mut self,
        context: &mut CTX,
        inputs: &CreateInputs,
        outcome: &mut CreateOutcome,
    ) {
        let chars = self
            .recorder
            .frame_chars(false, outcome.result.output.len());
        self.spend(chars);
        self.recorder.create_end(context, inputs, outcome);
    }

    // Revm tells of it only where wei moved; `step_end` knows of every one.
    fn selfdestruct(&mut self, _: Address, _: Address, _: U256) {}
}
