//! What Ethereum asks of blocks that others made, from Frontier to Osaka, but for the proof of work itself.
//!
//! [`check_block`] looks at all that needs no state; [`execute_l1_block`](crate::execute_l1_block) runs the block and
//! computes its roots; [`difference`] compares. A block is valid if none of the three objects.
//!
//! Absent on purpose: seals (ethash, clique, the beacon chain's), which decide between valid blocks and not what they
//! do; which of two chains is the better one.

pub(crate) mod dao;
pub(crate) mod deposits;
pub(crate) mod difficulty;
mod header;
mod ommers;
pub(crate) mod rewards;

pub use header::check_block;
pub use ommers::Ancestor;
pub use rewards::block_rewards;

use alloc::{format, string::String};
use primitives::Header;

/// The first field in which two headers differ: its name, what `a` says, what `b` says.
pub fn difference(a: &Header, b: &Header) -> Option<(&'static str, String, String)> {
    macro_rules! compare {
        ($($field:ident $name:literal),* $(,)?) => {
            $(if a.$field != b.$field {
                return Some(($name, format!("{:?}", a.$field), format!("{:?}", b.$field)));
            })*
        };
    }
    compare! {
        parent_hash "parent hash",
        number "number",
        gas_used "gas used",
        blob_gas_used "blob gas used",
        transactions_root "transactions root",
        receipts_root "receipts root",
        logs_bloom "logs bloom",
        requests_hash "requests hash",
        withdrawals_root "withdrawals root",
        ommers_hash "ommers hash",
        state_root "state root",
        beneficiary "beneficiary",
        difficulty "difficulty",
        gas_limit "gas limit",
        timestamp "timestamp",
        extra_data "extra data",
        mix_hash "mix hash",
        nonce "nonce",
        base_fee_per_gas "base fee",
        excess_blob_gas "excess blob gas",
        parent_beacon_block_root "parent beacon block root",
    }
    (a != b).then(|| ("header", format!("{a:?}"), format!("{b:?}")))
}
