//! What every part must agree on: heights, transactions, receipts, block inputs, state differences,
//! bridge messages and output roots.
//!
//! Everything here is plain data with its encodings. The node, the fault-proof program and the tests
//! link this crate, so a byte means the same everywhere; `bridge` is mirrored by `contracts/`.
//!
//! Absent on purpose: execution, I/O, JSON, clocks.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod block;
pub mod bridge;
pub mod da;
pub mod diff;
pub mod height;
pub mod input;
pub mod l1_block;
pub mod predeploys;
pub mod receipt;
pub mod transaction;
pub mod withdrawal;

pub use alloy_consensus::Header;
pub use alloy_eips::eip4895::Withdrawal;
pub use block::SealedBlock;
pub use bridge::{BatchRecord, OutputRoot, QueueEntry, RecordKind};
pub use diff::{Account, AccountDiff, SlotDiff, StateDiff};
pub use height::{L1Height, L2Height};
pub use input::{Anchor, BlockInput};
pub use l1_block::{L1Block, L1BlockError};
pub use op_alloy_consensus::TxDeposit;
pub use receipt::Receipt;
pub use transaction::{CheckedTx, DEPOSIT_TX_TYPE, Transaction, TxError};
