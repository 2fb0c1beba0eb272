//! What a block with a difficulty earns its makers.

use crate::{StateError, StateReader, block_state::BlockState};
use alloy_primitives::U256;
use config::L1Fork;
use primitives::Header;

const ETHER: u64 = 1_000_000_000_000_000_000;

/// Wei for the block itself. Zero since the merge.
fn of_block(fork: L1Fork) -> u64 {
    match fork {
        f if f >= L1Fork::Paris => 0,
        f if f >= L1Fork::Petersburg => 2 * ETHER,
        f if f >= L1Fork::Byzantium => 3 * ETHER,
        _ => 5 * ETHER,
    }
}

/// Pays the makers of the block and of its ommers: an ommer an eighth less for each block that it is older, and the
/// block one part in 32 for naming it.
pub(crate) fn pay<S: StateReader>(
    fork: L1Fork,
    header: &Header,
    ommers: &[Header],
    state: &mut BlockState<S>,
) -> Result<(), StateError> {
    let reward = of_block(fork);
    if reward == 0 {
        return Ok(());
    }
    let mut own = U256::from(reward);
    for ommer in ommers {
        let age = header.number.saturating_sub(ommer.number);
        let eighths = 8u64.saturating_sub(age);
        let wei = U256::from(reward) * U256::from(eighths) / U256::from(8);
        state.add_balance(ommer.beneficiary, wei)?;
        own += U256::from(reward / 32);
    }
    state.add_balance(header.beneficiary, own)
}
