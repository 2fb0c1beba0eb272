//! The state of one block, for execution and for readers.

use crate::{Result, Store, StoreError, schema::SlotKey, store::Inner};
use alloy_primitives::{Address, B256, Bytes, U256};
use primitives::{Account, diff::KECCAK_EMPTY};
use std::sync::Arc;
use stf::{StateError, StateReader};

/// Reads the state after one block, whatever the head does meanwhile. Fails once that block is rewound or its
/// history pruned. Cheap to make and to clone; keeps the store open.
#[derive(Clone)]
pub struct StateView {
    inner: Arc<Inner>,
    number: u64,
    /// Rewinds seen when this was made.
    rewinds: usize,
}

impl Store {
    /// The state after block `number`.
    pub fn state_at(self: &Arc<Self>, number: u64) -> Result<StateView> {
        self.inner.state_at(number)
    }

    /// The state after the head as of now.
    pub fn latest_state(self: &Arc<Self>) -> StateView {
        self.inner.latest_state()
    }

    /// State of this many blocks behind the head is kept; `None`: of all.
    pub fn retention_blocks(&self) -> Option<u64> {
        self.inner.options.retention_blocks
    }

    /// The oldest block whose state can be read.
    pub fn oldest_state(&self) -> u64 {
        self.inner.state.oldest()
    }
}

impl Inner {
    pub fn state_at(self: &Arc<Self>, number: u64) -> Result<StateView> {
        let rewinds = self.rewinds.read();
        let head = self.head_number();
        if number > head || number < self.genesis_number {
            return Err(StoreError::NoBlock { number, head });
        }
        let oldest = self.state.oldest();
        if number < oldest {
            return Err(StoreError::Pruned { number, oldest });
        }
        Ok(StateView {
            inner: self.clone(),
            number,
            rewinds: rewinds.len(),
        })
    }

    pub fn latest_state(self: &Arc<Self>) -> StateView {
        let rewinds = self.rewinds.read();
        StateView {
            inner: self.clone(),
            number: self.head_number(),
            rewinds: rewinds.len(),
        }
    }
}

impl StateView {
    /// The block whose state this is.
    pub fn number(&self) -> u64 {
        self.number
    }

    fn read<T>(&self, read: impl FnOnce(&Inner) -> Result<T>) -> Result<T, StateError> {
        let rewinds = self.inner.rewinds.read();
        if rewinds[self.rewinds..].iter().any(|to| *to < self.number) {
            return Err(StateError(format!("block {} was rewound", self.number)));
        }
        read(&self.inner).map_err(|e| StateError(e.to_string()))
    }
}

impl StateReader for StateView {
    fn account(&self, address: Address) -> Result<Option<Account>, StateError> {
        self.read(|inner| inner.state.account(self.number, address))
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        self.read(|inner| inner.state.slot(self.number, SlotKey(address, slot)))
    }

    fn code(&self, hash: B256) -> Result<Bytes, StateError> {
        self.inner
            .state
            .code(hash)
            .map_err(|e| StateError(e.to_string()))
    }

    fn has_storage(&self, address: Address) -> Result<bool, StateError> {
        // Only contracts from before EIP-161 can have storage without nonce and code; no other account is searched.
        let bare = |account: Account| account.nonce == 0 && account.code_hash == KECCAK_EMPTY;
        if !self.account(address)?.is_some_and(bare) {
            return Ok(false);
        }
        self.read(|inner| {
            for slot in inner.slots_ever_set(address)? {
                let value = inner.state.slot(self.number, SlotKey(address, slot))?;
                if !value.is_zero() {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    fn block_hash(&self, number: u64) -> Result<B256, StateError> {
        if number > self.number {
            return Ok(B256::ZERO);
        }
        self.read(|inner| Ok(inner.load_hash(number)?.unwrap_or_default()))
    }
}
