//! A whole state in memory: for genesis, state tests and small chains.

use crate::{StateError, StateReader};
use alloc::{format, string::ToString};
use alloy_primitives::{
    Address, B256, Bytes, U256, keccak256,
    map::{AddressMap, B256Map, HashMap},
};
use primitives::{Account, StateDiff};

/// Accounts, slots, codes and block hashes in maps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryState {
    accounts: AddressMap<Account>,
    storage: AddressMap<HashMap<U256, U256>>,
    codes: B256Map<Bytes>,
    block_hashes: HashMap<u64, B256>,
}

impl MemoryState {
    /// Puts an account.
    pub fn set_account(&mut self, address: Address, account: Account) {
        self.accounts.insert(address, account);
    }

    /// Puts code and gives it to an account, which is made if it was absent.
    pub fn set_code(&mut self, address: Address, code: Bytes) {
        let hash = keccak256(&code);
        self.accounts.entry(address).or_default().code_hash = hash;
        self.codes.insert(hash, code);
    }

    /// Puts a slot; zero removes it.
    pub fn set_storage(&mut self, address: Address, slot: U256, value: U256) {
        let slots = self.storage.entry(address).or_default();
        if value.is_zero() {
            slots.remove(&slot);
        } else {
            slots.insert(slot, value);
        }
    }

    /// Adds wei to an account, which is made if it was absent. Saturates.
    pub fn add_balance(&mut self, address: Address, wei: U256) {
        let account = self.accounts.entry(address).or_default();
        account.balance = account.balance.saturating_add(wei);
    }

    /// Remembers a block's hash for `BLOCKHASH`.
    pub fn set_block_hash(&mut self, number: u64, hash: B256) {
        self.block_hashes.insert(number, hash);
    }

    /// Moves on by one block.
    pub fn apply(&mut self, diff: &StateDiff) {
        for (hash, code) in &diff.codes {
            self.codes.insert(*hash, code.clone());
        }
        for change in &diff.accounts {
            if change.wiped || change.after.is_none() {
                self.storage.remove(&change.address);
            }
            match change.after {
                Some(account) => {
                    self.accounts.insert(change.address, account);
                    for slot in &change.slots {
                        self.set_storage(change.address, slot.slot, slot.after);
                    }
                }
                None => {
                    self.accounts.remove(&change.address);
                }
            }
        }
    }

    /// Every account, in no order.
    pub fn accounts(&self) -> impl Iterator<Item = (&Address, &Account)> {
        self.accounts.iter()
    }

    /// An account's slots, none of them zero, in no order.
    pub fn slots(&self, address: Address) -> impl Iterator<Item = (&U256, &U256)> {
        self.storage.get(&address).into_iter().flatten()
    }
}

impl StateReader for MemoryState {
    fn account(&self, address: Address) -> Result<Option<Account>, StateError> {
        Ok(self.accounts.get(&address).copied())
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        Ok(self
            .storage
            .get(&address)
            .and_then(|slots| slots.get(&slot))
            .copied()
            .unwrap_or_default())
    }

    fn has_storage(&self, address: Address) -> Result<bool, StateError> {
        Ok(self.slots(address).next().is_some())
    }

    fn code(&self, hash: B256) -> Result<Bytes, StateError> {
        self.codes
            .get(&hash)
            .cloned()
            .ok_or_else(|| StateError(format!("no code {hash}")))
    }

    fn block_hash(&self, number: u64) -> Result<B256, StateError> {
        self.block_hashes
            .get(&number)
            .copied()
            .ok_or_else(|| StateError("no hash of block ".to_string() + &number.to_string()))
    }
}
