//! Base fee (EIP-1559) and blob fee (EIP-4844, EIP-7918) from one block to the next.

use crate::Rules;
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

/// Base fee of the block after `parent`, wei.
pub fn next_base_fee(rules: &Rules, parent: &Header) -> u64 {
    let (target, denominator, floor) = match rules {
        Rules::Ethereum(_) => (
            parent.gas_limit / ETHEREUM_ELASTICITY,
            ETHEREUM_DENOMINATOR,
            0,
        ),
        Rules::Rollup(r) => (
            r.gas_target,
            r.base_fee_change_denominator,
            r.base_fee_floor,
        ),
    };
    let base = parent.base_fee_per_gas.unwrap_or(floor);
    step(base, parent.gas_used, target, denominator).max(floor)
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
    let Rules::Ethereum(rules) = rules else {
        return 0;
    };
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
