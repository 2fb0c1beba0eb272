//! Blob prices on L1, by fork.

use serde::{Deserialize, Serialize};

/// One entry of L1's blob schedule (EIP-7840, EIP-7892).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlobParams {
    /// Valid from this L1 time, seconds.
    pub from_s: u64,
    /// Blobs per block at which the price stands still.
    pub target: u64,
    /// Blobs per block at most.
    pub max: u64,
    /// Denominator of the price's exponent.
    pub update_fraction: u64,
}

impl BlobParams {
    /// Blob base fee in wei for a block with this excess (EIP-4844, `fake_exponential`). Saturates.
    pub fn base_fee(&self, excess_blob_gas: u64) -> u128 {
        let denominator = u128::from(self.update_fraction.max(1));
        let numerator = u128::from(excess_blob_gas);
        let mut i = 1u128;
        let mut output = 0u128;
        let mut term = denominator;
        while term > 0 {
            output = output.saturating_add(term);
            let Some(product) = term.checked_mul(numerator) else {
                return u128::MAX / denominator;
            };
            term = product / (denominator * i);
            i += 1;
        }
        output / denominator
    }
}

/// Forks of L1 in their order. The embedded L1 runs Cancun and later ones; an imported chain and the test runners know all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum L1Fork {
    /// The first rules.
    Frontier,
    /// DELEGATECALL, low signatures, another difficulty.
    Homestead,
    /// EIP-150: dearer calls.
    TangerineWhistle,
    /// EIP-155, EIP-158 and EIP-161: chain ids, empty accounts are cleared.
    SpuriousDragon,
    /// Receipts with a status, three ether a block.
    Byzantium,
    /// Two ether a block, CREATE2, and EIP-1283. Mainnet never ran it without Petersburg; test chains do.
    Constantinople,
    /// Constantinople without EIP-1283.
    Petersburg,
    /// Cheaper calldata, CHAINID.
    Istanbul,
    /// A later difficulty bomb.
    MuirGlacier,
    /// Typed transactions, access lists.
    Berlin,
    /// Base fee.
    London,
    /// A later difficulty bomb.
    ArrowGlacier,
    /// A later difficulty bomb.
    GrayGlacier,
    /// No more proof of work.
    Paris,
    /// Withdrawals.
    Shanghai,
    /// Blobs.
    Cancun,
    /// EIP-7702, EIP-2935, calldata floor.
    Prague,
    /// Cell proofs, transaction gas cap, CLZ, P-256.
    Osaka,
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANCUN: BlobParams = BlobParams {
        from_s: 0,
        target: 3,
        max: 6,
        update_fraction: 3_338_477,
    };

    // Cases of EIP-4844's reference tests for `fake_exponential(1, excess, 3338477)`.
    #[test]
    fn base_fee_follows_the_reference_cases() {
        for (excess, fee) in [
            (0, 1),
            (2_314_057, 1),
            (2_314_058, 2),
            (10 * 1024 * 1024, 23),
            (148_099_578, 18_446_739_238_971_471_609),
        ] {
            assert_eq!(CANCUN.base_fee(excess), fee, "excess {excess}");
        }
    }

    #[test]
    fn base_fee_of_an_absurd_excess_saturates() {
        assert!(CANCUN.base_fee(u64::MAX) > 1 << 64);
    }
}
