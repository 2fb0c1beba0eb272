//! A deposit that could not run: it still minted, took a nonce and used its gas.

use crate::{StateError, StateReader, block_state::BlockState};
use alloy_primitives::U256;
use primitives::TxDeposit;

/// Applies what is left of a deposit that could not run.
pub(crate) fn settle_failed<S: StateReader>(
    state: &mut BlockState<S>,
    tx: &TxDeposit,
) -> Result<(), StateError> {
    let mut from = state.account(tx.from)?.unwrap_or_default();
    // Neither can overflow: supply is below 2^128 (`bridge/FORMATS.md` 1), and a nonce costs gas.
    from.balance = from.balance.saturating_add(U256::from(tx.mint));
    from.nonce = from.nonce.saturating_add(1);
    state.set_account(tx.from, from)
}
