//! A deposit that could not start: what recorders see of it, and its changes.

use super::watched::Watched;
use crate::{StateError, StateReader, machine::Ctx};
use alloc::{boxed::Box, vec::Vec};
use alloy_primitives::{Bytes, TxKind, U256};
use primitives::TxDeposit;
use revm::{
    bytecode::Bytecode,
    context::{
        ContextTr, CreateScheme, JournalTr,
        journaled_state::account::JournaledAccountTr,
        result::{ExecutionResult, HaltReason, InvalidTransaction, ResultAndState, ResultGas},
    },
    handler::FrameResult,
    inspector::handler::{frame_end, frame_start},
    interpreter::{
        CallInput, CallInputs, CallOutcome, CallScheme, CallValue, CreateInputs, CreateOutcome,
        FrameInput, Gas, InstructionResult, InterpreterResult, SuccessOrHalt,
    },
    primitives::KECCAK_EMPTY,
};

/// Shows one call that fails at once with all its gas, and makes the changes that stand all the same: the mint and
/// the nonce.
pub(super) fn show<S: StateReader>(
    context: &mut Ctx<S>,
    watched: &mut Watched<'_, '_>,
    tx: &TxDeposit,
    why: &InvalidTransaction,
) -> Result<ResultAndState, StateError> {
    let result = match why {
        InvalidTransaction::LackOfFundForMaxFee { .. } => InstructionResult::OutOfFunds,
        InvalidTransaction::CreateInitCodeSizeLimit => InstructionResult::CreateInitCodeSizeLimit,
        InvalidTransaction::NonceOverflowInTransaction => InstructionResult::NonceOverflow,
        _ => InstructionResult::OutOfGas,
    };
    let mut gas = Gas::new(tx.gas_limit);
    gas.spend_all();
    let outcome = InterpreterResult::new(result, Bytes::new(), gas);
    let (mut input, mut output) = match tx.to {
        TxKind::Call(to) => (
            FrameInput::Call(Box::new(CallInputs {
                input: CallInput::Bytes(tx.input.clone()),
                return_memory_offset: 0..0,
                gas_limit: tx.gas_limit,
                reservoir: 0,
                bytecode_address: to,
                known_bytecode: (KECCAK_EMPTY, Bytecode::default()),
                target_address: to,
                caller: tx.from,
                value: CallValue::Transfer(tx.value),
                scheme: CallScheme::Call,
                is_static: false,
                charged_new_account_state_gas: false,
            })),
            FrameResult::Call(CallOutcome::new(outcome, 0..0)),
        ),
        TxKind::Create => (
            FrameInput::Create(Box::new(CreateInputs::new(
                tx.from,
                CreateScheme::Create,
                tx.value,
                tx.input.clone(),
                tx.gas_limit,
                0,
            ))),
            FrameResult::Create(CreateOutcome::new(outcome, None)),
        ),
    };
    frame_start(context, watched, &mut input);
    frame_end(context, watched, &input, &mut output);

    let journal = context.journal_mut();
    let mut from = journal.load_account_mut(tx.from)?.data;
    let balance = from.balance().saturating_add(U256::from(tx.mint));
    from.set_balance(balance);
    from.touch();
    from.bump_nonce();
    let reason = match SuccessOrHalt::<HaltReason>::from(result) {
        SuccessOrHalt::Halt(reason) => reason,
        _ => HaltReason::OutOfFunds,
    };
    Ok(ResultAndState {
        result: ExecutionResult::Halt {
            reason,
            gas: ResultGas::default().with_total_gas_spent(tx.gas_limit),
            logs: Vec::new(),
        },
        state: context.journal_mut().finalize(),
    })
}
