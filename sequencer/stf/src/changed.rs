//! A state with a difference in front of it.

use crate::{StateError, StateReader};
use alloy_primitives::{Address, B256, Bytes, U256};
use primitives::{Account, AccountDiff, StateDiff};

/// What `inner` becomes by `diff`, whose accounts, slots and codes are sorted, as an executor gives them.
#[derive(Debug, Clone, Copy)]
pub struct ChangedState<'a, S> {
    inner: S,
    diff: &'a StateDiff,
}

impl<'a, S> ChangedState<'a, S> {
    /// Puts `diff` in front of `inner`.
    pub fn new(inner: S, diff: &'a StateDiff) -> Self {
        Self { inner, diff }
    }

    fn change(&self, address: Address) -> Option<&'a AccountDiff> {
        let accounts = &self.diff.accounts;
        let at = accounts.binary_search_by_key(&address, |diff| diff.address);
        at.ok().map(|at| &accounts[at])
    }
}

impl<S: StateReader> StateReader for ChangedState<'_, S> {
    fn account(&self, address: Address) -> Result<Option<Account>, StateError> {
        match self.change(address) {
            Some(change) => Ok(change.after),
            None => self.inner.account(address),
        }
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        let Some(change) = self.change(address) else {
            return self.inner.storage(address, slot);
        };
        match change.slots.binary_search_by_key(&slot, |diff| diff.slot) {
            Ok(at) => Ok(change.slots[at].after),
            Err(_) if change.wiped || change.after.is_none() => Ok(U256::ZERO),
            Err(_) => self.inner.storage(address, slot),
        }
    }

    fn has_storage(&self, address: Address) -> Result<bool, StateError> {
        match self.change(address) {
            Some(change) if change.slots.iter().any(|slot| !slot.after.is_zero()) => Ok(true),
            Some(change) if change.wiped || change.after.is_none() => Ok(false),
            _ => self.inner.has_storage(address),
        }
    }

    fn code(&self, hash: B256) -> Result<Bytes, StateError> {
        match self
            .diff
            .codes
            .binary_search_by_key(&hash, |(hash, _)| *hash)
        {
            Ok(at) => Ok(self.diff.codes[at].1.clone()),
            Err(_) => self.inner.code(hash),
        }
    }

    fn block_hash(&self, number: u64) -> Result<B256, StateError> {
        self.inner.block_hash(number)
    }
}
