//! Every step of the machine, in the form of geth's struct logs.

use crate::halt;
use alloc::{
    borrow::Cow,
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};
use alloy_primitives::{Address, B256, Bytes, U256, hex, map::AddressMap};
use alloy_rpc_types_trace::geth::{GethDefaultTracingOptions, StructLog};
use revm::{
    Inspector,
    bytecode::opcode::{self, OpCode},
    context::{ContextTr, JournalTr, result::HaltReason},
    inspector::JournalExt,
    interpreter::{
        CallInputs, CallOutcome, CreateInputs, CreateOutcome, InstructionResult, Interpreter,
        SuccessOrHalt,
        interpreter_types::{InputsTr, Jumps, LoopControl, MemoryTr, ReturnData},
    },
};

/// A step without its lists, in characters of JSON at least.
const STEP_CHARS: u64 = 60;
/// A word of memory, with quotes and comma.
const WORD_CHARS: u64 = 69;
/// A slot and its value.
const SLOT_CHARS: u64 = 138;

/// Notes steps until `limit`; execution goes on after it.
#[derive(Debug)]
pub struct Steps {
    options: GethDefaultTracingOptions,
    limit: usize,
    logs: Vec<StructLog>,
    /// Slots that each contract has touched.
    storage: AddressMap<BTreeMap<B256, B256>>,
    /// The step that is being done.
    now: Option<Doing>,
    /// Refund counter at the last step, and what it was when each open frame was entered.
    refund: u64,
    entered_with: Vec<u64>,
    chars: u64,
}

/// What is known before a step and needed after it.
#[derive(Debug)]
struct Doing {
    at: usize,
    /// Contract and slot of a load or store, with the value that is stored.
    slot: Option<(Address, U256, Option<U256>)>,
}

impl Steps {
    pub(super) fn new(options: GethDefaultTracingOptions) -> Self {
        let limit = options.limit.filter(|limit| *limit > 0);
        Self {
            options,
            limit: limit.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX)),
            logs: Vec::new(),
            storage: AddressMap::default(),
            now: None,
            refund: 0,
            entered_with: Vec::new(),
            chars: 0,
        }
    }

    pub(super) fn into_logs(self) -> Vec<StructLog> {
        self.logs
    }

    /// Characters added since this was last asked.
    pub(super) fn take_chars(&mut self) -> u64 {
        core::mem::take(&mut self.chars)
    }

    fn note(&mut self, interp: &Interpreter, depth: usize) {
        let op = interp.bytecode.opcode();
        let stack = interp.stack.data();
        let mut chars = STEP_CHARS;
        let mut log = StructLog {
            pc: interp.bytecode.pc() as u64,
            op: name(op),
            gas: interp.gas.remaining(),
            depth: depth as u64,
            // Geth shows none where there is none.
            refund_counter: (self.refund > 0).then_some(self.refund),
            ..StructLog::default()
        };
        if self.options.is_stack_enabled() {
            chars += stack.iter().map(quantity_chars).sum::<u64>();
            log.stack = Some(stack.clone());
        }
        if self.options.is_memory_enabled() {
            let memory = interp.memory.slice(0..MemoryTr::size(&interp.memory));
            let words = words(&memory);
            chars += WORD_CHARS * words.len() as u64;
            log.memory = Some(words);
        }
        if self.options.is_return_data_enabled() {
            let data: Bytes = interp.return_data.buffer().clone();
            chars += super::record::hex_chars(data.len());
            log.return_data = Some(data);
        }
        let top = |n: usize| stack.len().checked_sub(n + 1).map(|at| stack[at]);
        let slot = match op {
            _ if !self.options.is_storage_enabled() => None,
            opcode::SLOAD => top(0).map(|slot| (slot, None)),
            opcode::SSTORE => top(0).zip(top(1)).map(|(slot, value)| (slot, Some(value))),
            _ => None,
        };
        self.now = Some(Doing {
            at: self.logs.len(),
            slot: slot.map(|(slot, value)| (interp.input.target_address(), slot, value)),
        });
        self.logs.push(log);
        self.chars = self.chars.saturating_add(chars);
    }

    fn enter(&mut self) {
        self.entered_with.push(self.refund);
    }

    fn leave(&mut self) {
        self.entered_with.pop();
    }
}

impl<CTX> Inspector<CTX> for Steps
where
    CTX: ContextTr<Journal: JournalExt>,
{
    fn step(&mut self, interp: &mut Interpreter, context: &mut CTX) {
        let before = self.entered_with.last().copied().unwrap_or(0);
        let own = interp.gas.refunded();
        self.refund = before.saturating_add_signed(own);
        if self.logs.len() < self.limit {
            self.note(interp, context.journal_ref().depth());
        }
    }

    fn step_end(&mut self, interp: &mut Interpreter, _: &mut CTX) {
        let Some(done) = self.now.take() else { return };
        let Some(log) = self.logs.get_mut(done.at) else {
            return;
        };
        log.gas_cost = log.gas.saturating_sub(interp.gas.remaining());
        let result = interp
            .bytecode
            .action()
            .as_ref()
            .and_then(|action| action.instruction_result());
        log.error = result.and_then(why_halted);
        if let (Some((contract, slot, stored)), None) = (done.slot, &log.error) {
            let Some(value) = stored.or_else(|| interp.stack.data().last().copied()) else {
                return;
            };
            let slots = self.storage.entry(contract).or_default();
            slots.insert(slot.into(), value.into());
            self.chars = self
                .chars
                .saturating_add(SLOT_CHARS.saturating_mul(slots.len() as u64));
            log.storage = Some(slots.clone());
        }
    }

    fn call(&mut self, _: &mut CTX, _: &mut CallInputs) -> Option<CallOutcome> {
        self.enter();
        None
    }

    fn call_end(&mut self, _: &mut CTX, _: &CallInputs, _: &mut CallOutcome) {
        self.leave();
    }

    fn create(&mut self, _: &mut CTX, _: &mut CreateInputs) -> Option<CreateOutcome> {
        self.enter();
        None
    }

    fn create_end(&mut self, _: &mut CTX, _: &CreateInputs, _: &mut CreateOutcome) {
        self.leave();
    }
}

fn name(op: u8) -> Cow<'static, str> {
    match OpCode::new(op) {
        Some(known) => known.as_str().into(),
        None => format!("opcode {op:#x} not defined").into(),
    }
}

fn why_halted(result: InstructionResult) -> Option<String> {
    match SuccessOrHalt::<HaltReason>::from(result) {
        SuccessOrHalt::Halt(reason) => Some(halt::text(&reason)),
        SuccessOrHalt::FatalExternalError => Some("fatal".to_string()),
        _ => None,
    }
}

/// Memory always has whole words.
fn words(memory: &[u8]) -> Vec<String> {
    memory.chunks(32).map(hex::encode_prefixed).collect()
}

/// A quantity with its quotes, prefix and comma.
fn quantity_chars(word: &U256) -> u64 {
    5 + (word.bit_len() as u64).div_ceil(4).max(1)
}
