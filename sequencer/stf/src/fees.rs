//! Base fee (EIP-1559) and blob fee (EIP-4844, EIP-7918) from one block to the next.

use crate::{EthereumRules, Rules};
use alloy_primitives::U256;
use config::{BlobParams, L1Fork};
use primitives::Header;

/// Blob gas of one blob (EIP-4844).
pub(crate) const GAS_PER_BLOB: u64 = 1 << 17;
/// Execution gas that a blob is worth at least (EIP-7918).
const BLOB_BASE_COST: u64 = 1 << 13;
/// EIP-1559 on Ethereum.
const ETHEREUM_DENOMINATOR: u64 = 8;
const ETHEREUM_ELASTICITY: u64 = 2;

/// The first base fee (EIP-1559).
pub(crate) const FIRST_BASE_FEE: u64 = 1_000_000_000;

/// Base fee of the block after `parent`, wei. Zero before London.
pub fn next_base_fee(rules: &Rules, parent: &Header) -> u64 {
    if let (Rules::Ethereum(rules), None) = (rules, parent.base_fee_per_gas) {
        let next = Header {
            number: parent.number.saturating_add(1),
            timestamp: parent.timestamp,
            difficulty: parent.difficulty,
            ..Header::default()
        };
        return match rules.fork_of(&next) >= L1Fork::London {
            true => FIRST_BASE_FEE,
            false => 0,
        };
    }
    let Rules::Rollup(rules) = rules else {
        return ethereum_base_fee(parent);
    };
    let floor = rules.base_fee_floor;
    let base = parent.base_fee_per_gas.unwrap_or(floor);
    let denominator = rules.base_fee_change_denominator;
    step(base, parent.gas_used, rules.gas_target, denominator).max(floor)
}

/// After a block that has one (EIP-1559).
pub(crate) fn ethereum_base_fee(parent: &Header) -> u64 {
    step(
        parent.base_fee_per_gas.unwrap_or(0),
        parent.gas_used,
        parent.gas_limit / ETHEREUM_ELASTICITY,
        ETHEREUM_DENOMINATOR,
    )
}

fn step(base: u64, used: u64, target: u64, denominator: u64) -> u64 {
    // Products of two u64 fit u128; a target or denominator of zero cannot come from a checked configuration.
    let change = |gap: u64| {
        let part = u128::from(base) * u128::from(gap)
            / u128::from(target.max(1))
            / u128::from(denominator.max(1));
        u64::try_from(part).unwrap_or(u64::MAX)
    };
    if used > target {
        base.saturating_add(change(used - target).max(1))
    } else {
        base.saturating_sub(change(target - used))
    }
}

/// Excess blob gas of the block after `parent`, made at `timestamp`. Zero on the rollup.
pub fn next_excess_blob_gas(rules: &Rules, parent: &Header, timestamp: u64) -> u64 {
    match rules {
        Rules::Ethereum(rules) => l1_excess_blob_gas(rules, parent, timestamp),
        Rules::Rollup(_) => 0,
    }
}

pub(crate) fn l1_excess_blob_gas(rules: &EthereumRules, parent: &Header, timestamp: u64) -> u64 {
    let BlobParams { target, max, .. } = rules.blob_params(timestamp);
    let excess = parent.excess_blob_gas.unwrap_or(0);
    let used = parent.blob_gas_used.unwrap_or(0);
    let sum = excess.saturating_add(used);
    let target_gas = target.saturating_mul(GAS_PER_BLOB);
    if sum < target_gas {
        return 0;
    }
    let base_fee = U256::from(parent.base_fee_per_gas.unwrap_or(0));
    let blob_fee = U256::from(rules.blob_params(timestamp).base_fee(excess));
    let below_reserve = base_fee * U256::from(BLOB_BASE_COST) > blob_fee * U256::from(GAS_PER_BLOB);
    if rules.fork(timestamp) >= L1Fork::Osaka && below_reserve {
        let slowed =
            u128::from(used) * u128::from(max.saturating_sub(target)) / u128::from(max.max(1));
        return excess.saturating_add(u64::try_from(slowed).unwrap_or(u64::MAX));
    }
    sum - target_gas
}

/// Blob base fee in the block with this header, wei per blob gas. One wei on the rollup, as EIP-4844 gives for no excess.
pub fn blob_base_fee(rules: &Rules, header: &Header) -> u128 {
    match rules {
        Rules::Ethereum(rules) => rules
            .blob_params(header.timestamp)
            .base_fee(header.excess_blob_gas.unwrap_or(0)),
        Rules::Rollup(_) => 1,
    }
}
