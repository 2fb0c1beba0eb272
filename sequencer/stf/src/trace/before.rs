//! The state before a transaction, while its changes are known but not taken over.

use crate::{StateError, StateReader, block_state::BlockState};
use alloy_primitives::{Address, B256, U256};
use core::cell::RefCell;
use revm::{DatabaseRef, bytecode::Bytecode, database_interface::Database, state::AccountInfo};

/// Reads through the block's cache.
pub struct Before<'a, S>(pub(super) RefCell<&'a mut BlockState<S>>);

impl<S: StateReader> DatabaseRef for Before<'_, S> {
    type Error = StateError;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, StateError> {
        self.0.borrow_mut().basic(address)
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, StateError> {
        self.0.borrow_mut().code_by_hash(hash)
    }

    fn storage_ref(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        Database::storage(&mut **self.0.borrow_mut(), address, slot)
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, StateError> {
        Database::block_hash(&mut **self.0.borrow_mut(), number)
    }
}
