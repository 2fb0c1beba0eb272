//! What a block does: parent state and ordered transactions in; header, receipts and state difference out.
//!
//! Builder, re-execution check, followers, the embedded L1, the fault-proof program and Ethereum's state tests
//! all run this code, so they cannot disagree. Two rule sets: [`Rules::Rollup`] for our L2, [`Rules::Ethereum`]
//! for L1. It never panics on any input; the same input gives the same bytes everywhere.
//!
//! The only crate that knows revm. Absent on purpose: state roots (`trie`), disks, clocks, randomness, threads.
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod block;
mod block_state;
#[cfg(feature = "statetest")]
pub mod blocktest;
mod call;
mod changed;
mod code_cache;
mod da_price;
mod deposit;
mod environment;
mod error;
mod ethereum;
mod fees;
mod gas;
mod halt;
mod handler;
pub mod l1_info;
mod machine;
mod memory;
mod net_metering;
mod overrides;
mod pretence;
mod reader;
mod rejection;
mod rules;
mod simulate;
#[cfg(feature = "statetest")]
pub mod statetest;
#[cfg(feature = "statetest")]
mod suite;
mod system;
#[cfg(feature = "trace")]
pub mod trace;
mod tx_env;

pub use block::{
    BlockContext, BlockExecutor, ExecutedBlock, TxOutcome, execute_block, execute_l1_block,
    replay_l1_block,
};
pub use call::{CallOutcome, CallRequest, access_list, call};
pub use changed::ChangedState;
pub use code_cache::CodeCache;
pub use error::{BlockError, TxRejection};
pub use ethereum::{Ancestor, block_rewards, check_block, difference};
pub use fees::{blob_base_fee, next_base_fee, next_excess_blob_gas};
pub use gas::intrinsic_gas;
pub use l1_info::da_gas_per_byte;
pub use memory::MemoryState;
pub use overrides::{AccountOverride, BlockOverrides, CallOverrides, OverriddenState};
pub use pretence::{OverrideError, PrecompileMoves, TRANSFER_EMITTER, is_precompile};
pub use reader::{StateError, StateReader};
pub use rules::{DaoFork, EthereumRules, RollupRules, Rules};
pub use simulate::{SimulateError, SimulatedBlock, SimulatedCall, Simulation, Withdrawal};
