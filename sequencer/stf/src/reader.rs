//! Where the parent state comes from: a disk, memory, or a witness in the fault-proof program.

use alloc::{boxed::Box, string::String, sync::Arc};
use alloy_primitives::{Address, B256, Bytes, U256};
use primitives::Account;

/// The state could not be read: a disk error, or a witness that lacks something. Nothing can be concluded about
/// the block; the executor that met it must be dropped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("state: {0}")]
pub struct StateError(pub String);

impl revm::database_interface::DBErrorMarker for StateError {}

/// Reads one fixed state: every answer is about the same block.
pub trait StateReader: Send + Sync {
    /// The account, or `None` if the state does not hold it.
    fn account(&self, address: Address) -> Result<Option<Account>, StateError>;
    /// A storage slot; zero if absent.
    fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError>;
    /// The code with this hash, which an account of this state has.
    fn code(&self, hash: B256) -> Result<Bytes, StateError>;
    /// The hash of a block at or below this state's; asked for the last 256 only.
    fn block_hash(&self, number: u64) -> Result<B256, StateError>;
}

macro_rules! forward {
    ($($target:ty),*) => {$(
        impl<S: StateReader + ?Sized> StateReader for $target {
            fn account(&self, address: Address) -> Result<Option<Account>, StateError> {
                (**self).account(address)
            }
            fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError> {
                (**self).storage(address, slot)
            }
            fn code(&self, hash: B256) -> Result<Bytes, StateError> {
                (**self).code(hash)
            }
            fn block_hash(&self, number: u64) -> Result<B256, StateError> {
                (**self).block_hash(number)
            }
        }
    )*};
}

forward!(&S, Arc<S>, Box<S>);
