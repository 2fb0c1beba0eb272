//! The difference that leads from the tables' state back to an earlier block, from the undo rows between.

use crate::{
    Result, StoreError,
    kv::{self, KvRead},
    read::row_missing,
    schema,
};
use alloy_primitives::{Address, U256};
use primitives::{Account, AccountDiff, SlotDiff, StateDiff};
use std::collections::BTreeMap;

#[derive(Default)]
struct Earlier {
    account: Option<Option<Account>>,
    slots: BTreeMap<U256, U256>,
}

/// Undoes blocks `to + 1 ..= from`, where `from` is the tables' height. In the result `before` of slots is not
/// given (the trie and the tables do not ask for it) and stands equal to `after`.
pub fn undo(kv: &dyn KvRead, from: u64, to: u64) -> Result<StateDiff> {
    undo_while(kv, from, to, &|| true)
}

/// As [`undo`], as long as `keep_on` says so.
pub fn undo_while(
    kv: &dyn KvRead,
    from: u64,
    to: u64,
    keep_on: &dyn Fn() -> bool,
) -> Result<StateDiff> {
    let mut earlier = BTreeMap::<Address, Earlier>::new();
    // Newest first, so that the oldest value stays.
    for number in (to + 1..=from).rev() {
        if !keep_on() {
            return Err(StoreError::GivenUp);
        }
        let undo =
            kv::get::<schema::Undos>(kv, &number)?.ok_or_else(|| row_missing("undos", number))?;
        for account in undo.accounts {
            let entry = earlier.entry(account.address).or_default();
            if account.before.is_some() {
                entry.account = account.before;
            }
            entry.slots.extend(account.slots);
        }
    }
    let mut accounts = Vec::with_capacity(earlier.len());
    for (address, Earlier { account, slots }) in earlier {
        let before = kv::get::<schema::Accounts>(kv, &address)?;
        let after = account.unwrap_or(before);
        let slots = slots
            .into_iter()
            .map(|(slot, value)| SlotDiff {
                slot,
                before: value,
                after: value,
            })
            .collect();
        accounts.push(AccountDiff {
            address,
            before,
            after,
            wiped: false,
            slots,
        });
    }
    Ok(StateDiff {
        accounts,
        codes: Vec::new(),
    })
}
