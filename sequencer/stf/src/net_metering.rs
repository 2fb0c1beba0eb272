//! What writing a slot costs under Constantinople alone (EIP-1283): what the slot was before the transaction counts, and
//! not only what it is. Petersburg took this back, and revm knows nothing of it.
//!
//! The rule is Istanbul's with a cheaper read and without its sentry, so revm's own arithmetic does with other numbers.

use alloy_primitives::Address;
use revm::{
    context::CfgEnv,
    context_interface::{
        Host,
        cfg::gas_params::{GasId, GasParams},
    },
    interpreter::{
        Instruction, InstructionContext, InstructionExecResult, InstructionResult, SStoreResult,
        StateLoad, instructions::host::sstore_with_gas_accounting,
        interpreter_types::InterpreterTypes,
    },
    primitives::hardfork::SpecId,
};

pub(crate) const SSTORE: u8 = 0x55;

/// A write that changes nothing, or not for the first time.
const DIRTY: u64 = 200;
/// The first write of a slot that was zero, and of another one.
const SET: u64 = 20_000;
const RESET: u64 = 5_000;

/// The prices, in place of Petersburg's. They mark the machine that needs [`instruction`].
pub(crate) fn prices() -> GasParams {
    let mut prices = GasParams::new_spec(SpecId::PETERSBURG);
    prices.override_gas([
        (GasId::sstore_static(), DIRTY),
        (GasId::sstore_set_without_load_cost(), SET - DIRTY),
        (GasId::sstore_reset_without_cold_load_cost(), RESET - DIRTY),
        (GasId::sstore_set_refund(), SET - DIRTY),
        (GasId::sstore_reset_refund(), RESET - DIRTY),
    ]);
    prices
}

/// True where [`prices`] are.
pub(crate) fn holds(cfg: &CfgEnv) -> bool {
    cfg.spec == SpecId::PETERSBURG && cfg.gas_params.sstore_static_gas() == DIRTY
}

/// `SSTORE` by them.
pub(crate) const fn instruction<W: InterpreterTypes, H: Host + ?Sized>() -> Instruction<W, H> {
    Instruction::new(|context| sstore_with_gas_accounting(context, charge))
}

fn charge<W: InterpreterTypes, H: Host + ?Sized>(
    context: &mut InstructionContext<'_, H, W>,
    _: Address,
    written: &StateLoad<SStoreResult>,
) -> InstructionExecResult {
    let prices = context.host.gas_params();
    let cost = prices.sstore_dynamic_gas(true, &written.data, false);
    let refund = prices.sstore_refund(true, &written.data);
    if !context.interpreter.gas.record_regular_cost(cost) {
        return Err(InstructionResult::OutOfGas);
    }
    context.interpreter.gas.record_refund(refund);
    Ok(())
}
