//! `eth_call` over a state and a block that are not quite the real ones.

use crate::{StateError, StateReader};
use alloc::collections::BTreeMap;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use primitives::{Account, diff::KECCAK_EMPTY};
use revm::context::BlockEnv;

/// What `eth_call` pretends. Empty: nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallOverrides {
    /// By account.
    pub accounts: BTreeMap<Address, AccountOverride>,
    /// Of the block.
    pub block: BlockOverrides,
}

/// One account, where it differs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountOverride {
    /// Wei.
    pub balance: Option<U256>,
    /// Nonce.
    pub nonce: Option<u64>,
    /// Runtime code.
    pub code: Option<Bytes>,
    /// Replaces all storage.
    pub state: Option<BTreeMap<U256, U256>>,
    /// The precompile that lies here lies there instead.
    pub move_precompile_to: Option<Address>,
    /// Replaces these slots; consulted after `state`.
    pub state_diff: BTreeMap<U256, U256>,
}

impl AccountOverride {
    /// True if the account stays as it is.
    pub(crate) fn is_empty(&self) -> bool {
        let Self {
            balance,
            nonce,
            code,
            state,
            move_precompile_to: _,
            state_diff,
        } = self;
        balance.is_none()
            && nonce.is_none()
            && code.is_none()
            && state.is_none()
            && state_diff.is_empty()
    }
}

/// The block, where it differs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BlockOverrides {
    /// Height.
    pub number: Option<U256>,
    /// Seconds.
    pub time: Option<U256>,
    /// Gas.
    pub gas_limit: Option<u64>,
    /// Coinbase.
    pub fee_recipient: Option<Address>,
    /// `PREVRANDAO`.
    pub prev_randao: Option<B256>,
    /// Wei per gas.
    pub base_fee: Option<u64>,
    /// Wei per blob gas.
    pub blob_base_fee: Option<u128>,
}

impl BlockOverrides {
    pub(crate) fn apply(&self, block: &mut BlockEnv) {
        block.number = self.number.unwrap_or(block.number);
        block.timestamp = self.time.unwrap_or(block.timestamp);
        block.gas_limit = self.gas_limit.unwrap_or(block.gas_limit);
        block.beneficiary = self.fee_recipient.unwrap_or(block.beneficiary);
        block.prevrandao = self.prev_randao.or(block.prevrandao);
        block.basefee = self.base_fee.unwrap_or(block.basefee);
        if let (Some(price), Some(blob)) =
            (self.blob_base_fee, &mut block.blob_excess_gas_and_price)
        {
            blob.blob_gasprice = price;
        }
    }
}

/// A state with some accounts replaced.
#[derive(Debug, Clone)]
pub struct OverriddenState<'a, S> {
    inner: S,
    accounts: &'a BTreeMap<Address, AccountOverride>,
}

impl<'a, S> OverriddenState<'a, S> {
    /// Puts the overrides in front of `inner`.
    pub fn new(inner: S, accounts: &'a BTreeMap<Address, AccountOverride>) -> Self {
        Self { inner, accounts }
    }
}

impl<S: StateReader> StateReader for OverriddenState<'_, S> {
    fn account(&self, address: Address) -> Result<Option<Account>, StateError> {
        let account = self.inner.account(address)?;
        let Some(change) = self.accounts.get(&address) else {
            return Ok(account);
        };
        let mut account = account.unwrap_or_default();
        account.balance = change.balance.unwrap_or(account.balance);
        account.nonce = change.nonce.unwrap_or(account.nonce);
        if let Some(code) = &change.code {
            account.code_hash = if code.is_empty() {
                KECCAK_EMPTY
            } else {
                keccak256(code)
            };
        }
        Ok(Some(account))
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        let Some(change) = self.accounts.get(&address) else {
            return self.inner.storage(address, slot);
        };
        if let Some(value) = change.state_diff.get(&slot) {
            return Ok(*value);
        }
        match &change.state {
            Some(state) => Ok(state.get(&slot).copied().unwrap_or_default()),
            None => self.inner.storage(address, slot),
        }
    }

    fn has_storage(&self, address: Address) -> Result<bool, StateError> {
        self.inner.has_storage(address)
    }

    fn code(&self, hash: B256) -> Result<Bytes, StateError> {
        let replaced = self
            .accounts
            .values()
            .filter_map(|change| change.code.as_ref());
        match replaced.into_iter().find(|code| keccak256(code) == hash) {
            Some(code) => Ok(code.clone()),
            None => self.inner.code(hash),
        }
    }

    fn block_hash(&self, number: u64) -> Result<B256, StateError> {
        self.inner.block_hash(number)
    }
}
