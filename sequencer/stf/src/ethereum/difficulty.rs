//! The difficulty that a block must have: it follows from its parent's and the time between them.

use crate::EthereumRules;
use alloy_consensus::EMPTY_OMMER_ROOT_HASH;
use alloy_primitives::{I256, U256};
use config::L1Fork;
use primitives::Header;

const MIN: u64 = 131_072;
/// Part of the parent's difficulty that one step moves by.
const DIVISOR: u64 = 2_048;
/// Blocks in which the bomb doubles.
const BOMB_PERIOD: u64 = 100_000;
/// Steps down at most.
const STEPS_DOWN_MAX: i64 = -99;
/// Seconds within which Frontier wants a block.
const FRONTIER_S: u64 = 13;

/// Of the block with this header (number, time and fork are read) after `parent`.
pub(crate) fn next(rules: &EthereumRules, parent: &Header, header: &Header) -> U256 {
    let fork = rules.fork_of(header);
    let elapsed_s = header.timestamp.saturating_sub(parent.timestamp);
    let step = parent.difficulty / U256::from(DIVISOR);
    let steps = match fork {
        L1Fork::Frontier => match elapsed_s < FRONTIER_S {
            true => 1,
            false => -1,
        },
        f if f < L1Fork::Byzantium => (1 - signed(elapsed_s / 10)).max(STEPS_DOWN_MAX),
        // EIP-100: a parent with ommers counts as quicker.
        _ => {
            let base = match parent.ommers_hash == EMPTY_OMMER_ROOT_HASH {
                true => 1,
                false => 2,
            };
            (base - signed(elapsed_s / 9)).max(STEPS_DOWN_MAX)
        }
    };
    let moved = I256::from_raw(step)
        .saturating_mul(I256::try_from(steps).unwrap_or(I256::ZERO))
        .saturating_add(I256::from_raw(parent.difficulty));
    let moved = moved.max(I256::from_raw(U256::from(MIN))).into_raw();
    moved.saturating_add(bomb(fork, header.number))
}

fn signed(steps: u64) -> i64 {
    i64::try_from(steps).unwrap_or(i64::MAX)
}

/// What makes proof of work dearer over the years.
fn bomb(fork: L1Fork, number: u64) -> U256 {
    let delay = match fork {
        f if f >= L1Fork::GrayGlacier => 11_400_000,
        L1Fork::ArrowGlacier => 10_700_000,
        L1Fork::London => 9_700_000,
        L1Fork::MuirGlacier | L1Fork::Berlin => 9_000_000,
        L1Fork::Constantinople | L1Fork::Petersburg | L1Fork::Istanbul => 5_000_000,
        L1Fork::Byzantium => 3_000_000,
        _ => 0,
    };
    let periods = number.saturating_sub(delay) / BOMB_PERIOD;
    match periods {
        0 | 1 => U256::ZERO,
        n => U256::ONE.checked_shl((n - 2) as usize).unwrap_or(U256::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fork: L1Fork, parent: (u64, u64), ommers: bool, block: (u64, u64), want: u64) {
        let rules = EthereumRules {
            block_forks: [(0, fork)].into(),
            forks: [].into(),
            ..EthereumRules::new(1, 0, fork, [].into())
        };
        let parent = Header {
            difficulty: U256::from(parent.0),
            timestamp: parent.1,
            ommers_hash: match ommers {
                true => Default::default(),
                false => EMPTY_OMMER_ROOT_HASH,
            },
            ..Header::default()
        };
        let header = Header {
            number: block.0,
            timestamp: block.1,
            ..Header::default()
        };
        assert_eq!(next(&rules, &parent, &header), U256::from(want));
    }

    // Headers 0 and 1 of mainnet: time 0 and 1438269988, difficulty 17179869184 and 17171480576.
    #[test]
    fn the_first_block_of_mainnet_has_its_difficulty() {
        let parent = (17_179_869_184, 0);
        check(
            L1Fork::Frontier,
            parent,
            false,
            (1, 1_438_269_988),
            17_171_480_576,
        );
    }

    #[test]
    fn a_quick_block_makes_the_next_harder() {
        check(
            L1Fork::Frontier,
            (2_048_000, 100),
            false,
            (1, 112),
            2_049_000,
        );
        check(
            L1Fork::Frontier,
            (2_048_000, 100),
            false,
            (1, 113),
            2_047_000,
        );
        check(
            L1Fork::Homestead,
            (2_048_000, 100),
            false,
            (1, 109),
            2_049_000,
        );
        check(
            L1Fork::Homestead,
            (2_048_000, 100),
            false,
            (1, 110),
            2_048_000,
        );
        check(
            L1Fork::Homestead,
            (2_048_000, 100),
            false,
            (1, 5_000),
            1_949_000,
        );
        check(
            L1Fork::Byzantium,
            (2_048_000, 100),
            false,
            (1, 108),
            2_049_000,
        );
        check(
            L1Fork::Byzantium,
            (2_048_000, 100),
            true,
            (1, 108),
            2_050_000,
        );
    }

    #[test]
    fn it_never_falls_below_the_least() {
        check(
            L1Fork::Homestead,
            (131_072, 100),
            false,
            (1, 5_000),
            131_072,
        );
    }

    #[test]
    fn the_bomb_ticks_and_is_put_off() {
        check(
            L1Fork::Homestead,
            (2_048_000, 100),
            false,
            (1_000_000, 110),
            2_048_256,
        );
        check(
            L1Fork::Byzantium,
            (2_048_000, 100),
            false,
            (4_000_000, 109),
            2_048_256,
        );
        check(
            L1Fork::London,
            (2_048_000, 100),
            false,
            (9_700_000, 109),
            2_048_000,
        );
    }
}
