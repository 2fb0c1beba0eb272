//! How the data gas price follows L1's fees: R gas per byte, moved at each new anchor.

use crate::RollupRules;
use alloy_primitives::U256;
use primitives::Anchor;

/// Blob gas of one blob, and the payload bytes that fit it (`bridge/FORMATS.md` 4).
const BLOB_GAS: u64 = 131_072;
const BLOB_PAYLOAD_BYTES: u64 = 126_976;
/// L1 gas of one calldata byte under the floor of EIP-7623, which a posting always meets: its execution is small.
const CALLDATA_GAS_PER_BYTE: u64 = 40;
/// R moves by at most one part in this per anchor: 12.5 %.
const STEP_DENOMINATOR: u64 = 8;

/// R after this anchor, given R before it. `base_fee` is L2's, wei of OPEN.
pub(crate) fn moved(rules: &RollupRules, anchor: &Anchor, base_fee: u64, r: u64) -> u64 {
    let target = target(rules, anchor, base_fee);
    let step = (r / STEP_DENOMINATOR).max(1);
    if target > r {
        r.saturating_add(step).min(target)
    } else {
        r.saturating_sub(step).max(target)
    }
}

/// The R at which data gas pays what the cheaper way to L1 costs.
fn target(rules: &RollupRules, anchor: &Anchor, base_fee: u64) -> u64 {
    let blob =
        U256::from(anchor.blob_base_fee) * U256::from(BLOB_GAS) / U256::from(BLOB_PAYLOAD_BYTES);
    let calldata = U256::from(anchor.base_fee) * U256::from(CALLDATA_GAS_PER_BYTE);
    // ETH wei times thousandths of OPEN per ETH: at most 2^135 · 2^64.
    let open_milliwei = blob.min(calldata) * U256::from(rules.milli_open_per_eth);
    // Rounded down: where L1 costs next to nothing a plain transfer takes 21000 gas, as every wallet expects.
    let gas = open_milliwei / (U256::from(base_fee.max(1)) * U256::from(1000));
    u64::try_from(gas)
        .unwrap_or(u64::MAX)
        .min(rules.da_gas_per_byte_max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CodeCache;

    const GWEI: u128 = 1_000_000_000;

    fn rules() -> RollupRules {
        RollupRules {
            chain_id: 902,
            gas_limit: 60_000_000,
            gas_target: 30_000_000,
            tx_gas_cap: 1 << 24,
            allow_unprotected: true,
            base_fee_floor: 10_000_000,
            base_fee_change_denominator: 8,
            milli_open_per_eth: 10_000_000,
            da_gas_per_byte_max: 1_000,
            codes: CodeCache::default(),
        }
    }

    /// L1 fees in, R after `anchors` anchors from `r` out.
    fn check(base_fee: u128, blob_base_fee: u128, r: u64, anchors: usize, want: u64) {
        let anchor = Anchor {
            base_fee,
            blob_base_fee,
            ..Default::default()
        };
        let got = (0..anchors).fold(r, |r, _| moved(&rules(), &anchor, 10_000_000, r));
        assert_eq!(got, want);
    }

    #[test]
    fn from_zero_it_takes_one_step() {
        check(GWEI, GWEI, 0, 1, 1);
    }

    // 1 wei of blob gas · 131072/126976 · 10^4 OPEN per ETH: 10^4 wei of OPEN a byte; base fee 10^7: under one gas.
    #[test]
    fn blobs_at_the_least_price_are_free() {
        check(GWEI, 1, 0, 50, 0);
        check(GWEI, 1, 500, 1000, 0);
    }

    // 40 · 10 wei · 10^4 OPEN per ETH = 4·10^6 wei a byte: under one gas.
    #[test]
    fn calldata_is_taken_where_it_is_cheaper() {
        check(10, GWEI, 0, 50, 0);
        check(1_000, GWEI, 0, 50, 40);
    }

    #[test]
    fn never_above_the_cap() {
        check(u128::MAX, u128::MAX, 0, 200, 1_000);
    }

    #[test]
    fn one_anchor_moves_it_by_an_eighth() {
        check(u128::MAX, u128::MAX, 80, 1, 90);
        check(0, 0, 80, 1, 70);
        check(0, 0, 3, 5, 0);
    }
}
