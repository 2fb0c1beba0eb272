//! The state while one block runs: the parent's, and over it what the block's transactions committed.
//!
//! Two flat maps; each entry knows what it was at the start, so that the difference falls out at the end. Nothing
//! enters but what a finished transaction wrote.

use crate::{AccountOverride, CodeCache, StateError, StateReader};
use alloc::{collections::BTreeMap, vec::Vec};
use alloy_primitives::{
    Address, B256, Bytes, U256,
    map::{AddressMap, B256Map, Entry, HashMap},
};
use primitives::{Account, AccountDiff, SlotDiff, StateDiff, diff::KECCAK_EMPTY};
use revm::{
    bytecode::Bytecode,
    database_interface::Database,
    primitives::hardfork::SpecId,
    state::{Account as EvmAccount, AccountInfo, EvmState},
};

#[derive(Debug, Clone, Copy)]
struct AccountEntry {
    before: Option<Account>,
    now: Option<Account>,
    /// Storage from before the block is gone.
    wiped: bool,
}

#[derive(Debug, Clone, Copy)]
struct SlotEntry {
    before: U256,
    now: U256,
}

/// Parent state plus this block's writes.
#[derive(Debug)]
pub(crate) struct BlockState<S> {
    reader: S,
    codes: CodeCache,
    parent: (u64, B256),
    /// EIP-161: an empty account is none.
    clearing: bool,
    /// What was written since the last step, if steps are asked for.
    step: Option<BTreeMap<Address, AccountDiff>>,
    accounts: AddressMap<AccountEntry>,
    slots: HashMap<(Address, U256), SlotEntry>,
    /// Code used or deployed in this block.
    bytecodes: B256Map<Bytecode>,
}

impl<S: StateReader> BlockState<S> {
    /// `parent` is the number and hash of the block whose state `reader` reads.
    pub(crate) fn new(reader: S, codes: CodeCache, parent: (u64, B256), spec: SpecId) -> Self {
        Self {
            reader,
            codes,
            parent,
            clearing: spec.is_enabled_in(SpecId::SPURIOUS_DRAGON),
            step: None,
            accounts: AddressMap::default(),
            slots: HashMap::default(),
            bytecodes: B256Map::default(),
        }
    }

    fn entry(&mut self, address: Address) -> Result<&mut AccountEntry, StateError> {
        match self.accounts.entry(address) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let before = self.reader.account(address)?;
                Ok(entry.insert(AccountEntry {
                    before,
                    now: before,
                    wiped: false,
                }))
            }
        }
    }

    /// The account as it stands.
    pub(crate) fn account(&mut self, address: Address) -> Result<Option<Account>, StateError> {
        Ok(self.entry(address)?.now)
    }

    /// Whether the account brought storage into the block.
    pub(crate) fn has_storage(&mut self, address: Address) -> Result<bool, StateError> {
        self.reader.has_storage(address)
    }

    /// Replaces an account outside of any transaction; an empty one is removed (EIP-161).
    pub(crate) fn set_account(
        &mut self,
        address: Address,
        account: Account,
    ) -> Result<(), StateError> {
        let kept = !(self.clearing && account.is_empty());
        let now = kept.then_some(account);
        self.entry(address)?.now = now;
        self.note(address, now, false, Vec::new());
        Ok(())
    }

    /// Changes an account as a question asks for it. One that this leaves empty exists all the same, with its storage.
    pub(crate) fn pretend(
        &mut self,
        address: Address,
        change: &AccountOverride,
    ) -> Result<(), StateError> {
        if change.is_empty() {
            return Ok(());
        }
        let mut account = self.account(address)?.unwrap_or_default();
        account.balance = change.balance.unwrap_or(account.balance);
        account.nonce = change.nonce.unwrap_or(account.nonce);
        if let Some(bytes) = &change.code {
            let code = Bytecode::new_raw_checked(bytes.clone())
                .unwrap_or_else(|_| Bytecode::new_legacy(bytes.clone()));
            account.code_hash = code.hash_slow();
            self.bytecodes.insert(account.code_hash, code);
        }
        self.entry(address)?.now = Some(account);
        self.note(address, Some(account), false, Vec::new());
        if let Some(slots) = &change.state {
            self.entry(address)?.wiped = true;
            for ((owner, _), slot) in &mut self.slots {
                if *owner == address {
                    slot.now = U256::ZERO;
                }
            }
            for (slot, value) in slots {
                self.set_slot(address, *slot, *value)?;
            }
        }
        for (slot, value) in &change.state_diff {
            self.set_slot(address, *slot, *value)?;
        }
        Ok(())
    }

    /// Adds wei outside of any transaction. Saturates.
    pub(crate) fn add_balance(&mut self, address: Address, wei: U256) -> Result<(), StateError> {
        let mut account = self.account(address)?.unwrap_or_default();
        account.balance = account.balance.saturating_add(wei);
        self.set_account(address, account)
    }

    /// From now on [`Self::take_step`] has something to say.
    pub(crate) fn note_steps(&mut self) {
        self.step.get_or_insert_default();
    }

    /// What was written since the last call, as it stands: `before` is not given. `None` unless steps are noted.
    pub(crate) fn take_step(&mut self) -> Option<StateDiff> {
        let step = core::mem::take(self.step.as_mut()?);
        Some(StateDiff {
            accounts: step.into_values().collect(),
            codes: Vec::new(),
        })
    }

    fn note(
        &mut self,
        address: Address,
        after: Option<Account>,
        wiped: bool,
        slots: Vec<SlotDiff>,
    ) {
        let Some(step) = &mut self.step else {
            return;
        };
        let diff = step.entry(address).or_insert_with(|| AccountDiff {
            address,
            before: None,
            after: None,
            wiped: false,
            slots: Vec::new(),
        });
        diff.after = after;
        diff.wiped |= wiped;
        diff.slots.extend(slots);
    }

    /// A slot as it stands.
    pub(crate) fn slot(&mut self, address: Address, slot: U256) -> Result<U256, StateError> {
        Ok(self.slot_entry(address, slot)?.now)
    }

    /// Writes a slot outside of any transaction.
    pub(crate) fn set_slot(
        &mut self,
        address: Address,
        slot: U256,
        value: U256,
    ) -> Result<(), StateError> {
        self.slot_entry(address, slot)?.now = value;
        Ok(())
    }

    fn slot_entry(&mut self, address: Address, slot: U256) -> Result<&mut SlotEntry, StateError> {
        let AccountEntry { before, wiped, .. } = *self.entry(address)?;
        match self.slots.entry((address, slot)) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let before = if before.is_some() {
                    self.reader.storage(address, slot)?
                } else {
                    U256::ZERO
                };
                let now = if wiped { U256::ZERO } else { before };
                Ok(entry.insert(SlotEntry { before, now }))
            }
        }
    }

    /// Takes over what a finished transaction wrote.
    pub(crate) fn commit(&mut self, changes: EvmState) -> Result<(), StateError> {
        for (address, account) in changes {
            if account.is_touched() {
                self.commit_account(address, account)?;
            }
        }
        Ok(())
    }

    fn commit_account(&mut self, address: Address, account: EvmAccount) -> Result<(), StateError> {
        if account.is_selfdestructed() {
            self.wipe(address)?;
            self.entry(address)?.now = None;
            self.note(address, None, true, Vec::new());
            return Ok(());
        }
        let created = account.is_created();
        if created {
            self.wipe(address)?;
        }
        // Before EIP-161 an empty account stays, and revm marks one that a touch makes as created.
        let stays = !self.clearing && self.entry(address)?.now.is_some();
        let kept = !account.is_empty() || created || stays;
        let EvmAccount { info, storage, .. } = account;
        if let Some(code) = info.code
            && info.code_hash != KECCAK_EMPTY
        {
            self.bytecodes.entry(info.code_hash).or_insert(code);
        }
        let now = kept.then_some(Account {
            nonce: info.nonce,
            balance: info.balance,
            code_hash: info.code_hash,
        });
        self.entry(address)?.now = now;
        let mut written = Vec::new();
        for (slot, value) in storage {
            if value.is_changed() {
                let after = value.present_value();
                self.slot_entry(address, slot)?.now = after;
                if self.step.is_some() {
                    written.push(SlotDiff {
                        slot,
                        before: U256::ZERO,
                        after,
                    });
                }
            }
        }
        self.note(address, now, created, written);
        Ok(())
    }

    /// Forgets an account's storage, where it can have some.
    fn wipe(&mut self, address: Address) -> Result<(), StateError> {
        let entry = self.entry(address)?;
        let has_code =
            |account: Option<Account>| account.is_some_and(|a| a.code_hash != KECCAK_EMPTY);
        if has_code(entry.before) {
            entry.wiped = true;
        }
        if has_code(entry.before) || has_code(entry.now) {
            for ((owner, _), slot) in &mut self.slots {
                if *owner == address {
                    slot.now = U256::ZERO;
                }
            }
        }
        Ok(())
    }

    /// What the block changed: sorted, without what came back to where it was.
    pub(crate) fn into_diff(self) -> StateDiff {
        let mut slots: Vec<(Address, SlotDiff)> = self
            .slots
            .into_iter()
            .filter(|((address, _), entry)| {
                // A wiped account lists all that it holds again, even what it held before.
                let wiped = || self.accounts.get(address).is_some_and(|a| a.wiped);
                entry.before != entry.now || (!entry.now.is_zero() && wiped())
            })
            .map(|((address, slot), entry)| {
                (
                    address,
                    SlotDiff {
                        slot,
                        before: entry.before,
                        after: entry.now,
                    },
                )
            })
            .collect();
        slots.sort_unstable_by_key(|(address, diff)| (*address, diff.slot));

        let mut accounts: Vec<AccountDiff> = self
            .accounts
            .into_iter()
            .map(
                |(address, AccountEntry { before, now, wiped })| AccountDiff {
                    address,
                    before,
                    after: now,
                    wiped,
                    slots: Vec::new(),
                },
            )
            .collect();
        accounts.sort_unstable_by_key(|diff| diff.address);

        let mut codes: Vec<(B256, Bytes)> = Vec::new();
        let mut slots = slots.into_iter().peekable();
        accounts.retain_mut(|diff| {
            while let Some((_, slot)) = slots.next_if(|(owner, _)| *owner == diff.address) {
                // An account that is gone took its storage along; a wiped slot is covered by the flag.
                if diff.after.is_some() && !(diff.wiped && slot.after.is_zero()) {
                    diff.slots.push(slot);
                }
            }
            if let Some(after) = diff.after
                && after.code_hash != KECCAK_EMPTY
                && diff.before.map(|before| before.code_hash) != Some(after.code_hash)
                && let Some(code) = self.bytecodes.get(&after.code_hash)
            {
                codes.push((after.code_hash, code.original_bytes()));
            }
            diff.before != diff.after || diff.wiped || !diff.slots.is_empty()
        });
        codes.sort_unstable_by_key(|(hash, _)| *hash);
        codes.dedup_by_key(|(hash, _)| *hash);
        StateDiff { accounts, codes }
    }
}

impl<S: StateReader> Database for BlockState<S> {
    type Error = StateError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, StateError> {
        Ok(self.entry(address)?.now.map(|account| AccountInfo {
            balance: account.balance,
            nonce: account.nonce,
            code_hash: account.code_hash,
            account_id: None,
            code: None,
        }))
    }

    fn code_by_hash(&mut self, hash: B256) -> Result<Bytecode, StateError> {
        if hash == KECCAK_EMPTY {
            return Ok(Bytecode::default());
        }
        if let Some(code) = self.bytecodes.get(&hash) {
            return Ok(code.clone());
        }
        let code = match self.codes.get(hash) {
            Some(code) => code,
            None => {
                let bytes = self.reader.code(hash)?;
                // Code from before EIP-3541 may look like a broken delegation; it is plain code then.
                let code = Bytecode::new_raw_checked(bytes.clone())
                    .unwrap_or_else(|_| Bytecode::new_legacy(bytes));
                self.codes.put(hash, &code);
                code
            }
        };
        self.bytecodes.insert(hash, code.clone());
        Ok(code)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, StateError> {
        self.slot(address, slot)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, StateError> {
        if number == self.parent.0 {
            Ok(self.parent.1)
        } else {
            self.reader.block_hash(number)
        }
    }
}
