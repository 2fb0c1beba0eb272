//! Which slots a contract has: what the state trie itself does not tell, since it knows their hashes alone.

use crate::{
    Result, Store,
    codec::Codec,
    kv,
    schema::{self, SlotKey},
};
use alloy_primitives::{Address, U256};
use std::{collections::BTreeSet, ops::ControlFlow};

impl Store {
    /// Keys of slots that `address` has in about the newest state, at most `max`. Slots that only older states have
    /// may be missing.
    pub fn slot_keys(&self, address: Address, max: usize) -> Result<BTreeSet<U256>> {
        let inner = &self.inner;
        let _no_rewind = inner.rewinds.read();
        let mut keys = BTreeSet::new();
        for block in inner.recent.read().above(inner.flushed()) {
            for account in block.diff.iter().flat_map(|diff| &diff.accounts) {
                if account.address == address {
                    keys.extend(account.slots.iter().map(|slot| slot.slot));
                }
            }
        }
        let mut from = Vec::new();
        SlotKey(address, U256::ZERO).put(&mut from);
        kv::scan::<schema::Slots>(&*inner.kv, &from, |SlotKey(owner, slot), _| {
            if owner != address || keys.len() >= max {
                return Ok(ControlFlow::Break(()));
            }
            keys.insert(slot);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(keys)
    }
}
