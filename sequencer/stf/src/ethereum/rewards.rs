//! What a block with a difficulty earns its makers.

use crate::{Rules, StateError, StateReader, block_state::BlockState};
use alloc::vec::Vec;
use alloy_primitives::{Address, U256};
use config::L1Fork;
use primitives::Header;

const ETHER: u64 = 1_000_000_000_000_000_000;

/// Wei for the block itself. Zero since the merge.
fn of_block(fork: L1Fork) -> u64 {
    match fork {
        f if f >= L1Fork::Paris => 0,
        f if f >= L1Fork::Constantinople => 2 * ETHER,
        f if f >= L1Fork::Byzantium => 3 * ETHER,
        _ => 5 * ETHER,
    }
}

/// Who earns how much wei by a block that was made: its maker, then the makers of its ommers. Nobody earns anything on
/// a rollup, by a chain's first block, or since the merge.
pub fn block_rewards(rules: &Rules, header: &Header, ommers: &[Header]) -> Vec<(Address, U256)> {
    match rules {
        Rules::Ethereum(l1) if header.number > 0 => earned(l1.fork_of(header), header, ommers),
        _ => Vec::new(),
    }
}

/// An ommer earns an eighth less for each block that it is older, and the block one part in 32 for naming it.
fn earned(fork: L1Fork, header: &Header, ommers: &[Header]) -> Vec<(Address, U256)> {
    let reward = of_block(fork);
    if reward == 0 {
        return Vec::new();
    }
    let naming = U256::from(reward / 32) * U256::from(ommers.len());
    let mut earned = Vec::with_capacity(1 + ommers.len());
    earned.push((header.beneficiary, U256::from(reward) + naming));
    earned.extend(ommers.iter().map(|ommer| {
        let age = header.number.saturating_sub(ommer.number);
        let eighths = 8u64.saturating_sub(age);
        let wei = U256::from(reward) * U256::from(eighths) / U256::from(8);
        (ommer.beneficiary, wei)
    }));
    earned
}

/// Pays the makers of the block and of its ommers.
pub(crate) fn pay<S: StateReader>(
    fork: L1Fork,
    header: &Header,
    ommers: &[Header],
    state: &mut BlockState<S>,
) -> Result<(), StateError> {
    for (address, wei) in earned(fork, header, ommers) {
        state.add_balance(address, wei)?;
    }
    Ok(())
}
