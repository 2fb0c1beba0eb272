//! What one block changed: the only form in which state changes leave `stf`.
//!
//! Always sorted and without no-ops, so that two executions agree exactly when their differences are equal.

use alloc::vec::Vec;
use alloy_primitives::{Address, B256, Bytes, U256};
pub use alloy_trie::KECCAK_EMPTY;

/// An account without its storage; the storage root lives in `trie` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Account {
    /// Transactions sent, or contracts created.
    pub nonce: u64,
    /// Wei.
    pub balance: U256,
    /// `keccak256` of the code; [`KECCAK_EMPTY`] without code.
    pub code_hash: B256,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            nonce: 0,
            balance: U256::ZERO,
            code_hash: KECCAK_EMPTY,
        }
    }
}

impl Account {
    /// Empty in the sense of EIP-161: such an account is not kept in the state.
    pub fn is_empty(&self) -> bool {
        self.nonce == 0 && self.balance.is_zero() && self.code_hash == KECCAK_EMPTY
    }
}

/// One storage slot, before and after. Zero means absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotDiff {
    /// The slot's key.
    pub slot: U256,
    /// Value at the start of the block.
    pub before: U256,
    /// Value at its end.
    pub after: U256,
}

/// One account, before and after. `None` means absent from the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountDiff {
    /// Whose.
    pub address: Address,
    /// At the start of the block.
    pub before: Option<Account>,
    /// At its end. `None` removes the account with all its storage.
    pub after: Option<Account>,
    /// All storage that existed before was dropped first (a pre-Cancun self-destruct); `slots` then holds
    /// what was written after that, and `before` of a slot is what it was at the start of the block.
    pub wiped: bool,
    /// Changed slots, ascending by key.
    pub slots: Vec<SlotDiff>,
}

/// All that a block changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StateDiff {
    /// Changed accounts, ascending by address.
    pub accounts: Vec<AccountDiff>,
    /// Code that was deployed, ascending by hash.
    pub codes: Vec<(B256, Bytes)>,
}

impl StateDiff {
    /// The difference that undoes this one. Codes stay: they are addressed by hash and harm nobody.
    /// A wiped account cannot be undone from its difference alone, since the dropped slots are not in it.
    pub fn reversed(&self) -> Self {
        let accounts = self
            .accounts
            .iter()
            .map(|a| AccountDiff {
                address: a.address,
                before: a.after,
                after: a.before,
                wiped: false,
                slots: a
                    .slots
                    .iter()
                    .map(|s| SlotDiff {
                        slot: s.slot,
                        before: s.after,
                        after: s.before,
                    })
                    .collect(),
            })
            .collect();
        Self {
            accounts,
            codes: Vec::new(),
        }
    }
}
