//! Gas that a transaction costs before its first step.

use crate::Rules;
use alloy_consensus::Transaction as _;
use primitives::{Transaction, da};
use revm::context_interface::cfg::GasParams;

/// Gas limit that a transaction needs at least, under the newest fork: the larger of intrinsic gas and EIP-7623's
/// floor, and on the rollup the gas for its L1 data, with `da_gas_per_byte` of the state before the block it is for.
pub fn intrinsic_gas(rules: &Rules, da_gas_per_byte: u64, tx: &Transaction) -> u64 {
    let (accounts, slots) = tx.access_list().map_or((0, 0), |list| {
        (
            list.len() as u64,
            list.iter().map(|item| item.storage_keys.len() as u64).sum(),
        )
    });
    let gas = GasParams::new_spec(rules.newest_spec()).initial_tx_gas(
        tx.input(),
        tx.is_create(),
        accounts,
        slots,
        tx.authorization_list().map_or(0, |list| list.len() as u64),
        None,
    );
    let data = match rules {
        Rules::Ethereum(_) => 0,
        Rules::Rollup(_) => da_gas(da_gas_per_byte, tx),
    };
    gas.initial_regular_gas()
        .max(gas.floor_gas())
        .saturating_add(data)
}

/// L2 gas for a transaction's L1 data.
pub(crate) fn da_gas(da_gas_per_byte: u64, tx: &Transaction) -> u64 {
    da_gas_per_byte.saturating_mul(da::da_bytes(tx))
}
