//! What goes out on the wire: geth's JSON, field by field.
//!
//! The only place that decides how blocks, transactions, receipts and logs look as JSON.

mod block;
mod log;
mod receipt;
mod transaction;

pub use block::{BlockForm, BlockTransactions, HeaderForm};
pub(crate) use block::{WithdrawalForm, withdrawal_forms};
pub use log::LogForm;
pub use receipt::{Beside, ReceiptForm};
pub use transaction::TransactionForm;
