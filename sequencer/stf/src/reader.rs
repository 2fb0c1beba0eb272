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
    /// Whether any slot of an account is not zero. Asked for accounts without code and nonce that a contract is to be
    /// created at (EIP-7610): no chain whose every contract has a nonce (EIP-161) has any with storage.
    fn has_storage(&self, _address: Address) -> Result<bool, StateError> {
        Ok(false)
    }
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
            fn has_storage(&self, address: Address) -> Result<bool, StateError> {
                (**self).has_storage(address)
            }
            fn block_hash(&self, number: u64) -> Result<B256, StateError> {
                (**self).block_hash(number)
            }
        }
    )*};
}

forward!(&S, Arc<S>, Box<S>);
