//! Makes every difference reversible: an account that loses all its storage names each slot it loses.

use crate::{
    Result,
    codec::Codec,
    schema::{SlotKey, Slots, Table},
    store::Inner,
};
use alloy_primitives::{Address, U256};
use primitives::{SlotDiff, StateDiff};
use std::{collections::BTreeSet, ops::ControlFlow};

impl Inner {
    /// For accounts that the block on top of the head removes or wipes, adds the slots that go with them.
    pub fn list_dropped_slots(&self, diff: &mut StateDiff) -> Result<()> {
        let head = self.head_number();
        for account in &mut diff.accounts {
            if account.before.is_none() || !(account.wiped || account.after.is_none()) {
                continue;
            }
            let known: BTreeSet<U256> = account.slots.iter().map(|s| s.slot).collect();
            for slot in self.slots_ever_set(account.address)?.difference(&known) {
                let before = self.state.slot(head, SlotKey(account.address, *slot))?;
                if !before.is_zero() {
                    account.slots.push(SlotDiff {
                        slot: *slot,
                        before,
                        after: U256::ZERO,
                    });
                }
            }
            account.slots.sort_unstable_by_key(|s| s.slot);
        }
        Ok(())
    }

    /// Every slot that may be set at the head. Asks RAM first: a flush only moves slots from there to the tables.
    pub fn slots_ever_set(&self, address: Address) -> Result<BTreeSet<U256>> {
        let mut slots = BTreeSet::new();
        for block in self.recent.read().above(self.flushed()) {
            let Some(diff) = &block.diff else { continue };
            if let Ok(at) = diff.accounts.binary_search_by_key(&address, |a| a.address) {
                slots.extend(diff.accounts[at].slots.iter().map(|s| s.slot));
            }
        }
        self.kv.scan(
            Slots::ID,
            address.as_slice(),
            &mut |key, _| match SlotKey::decode(key) {
                Ok(SlotKey(owner, slot)) if owner == address => {
                    slots.insert(slot);
                    ControlFlow::Continue(())
                }
                _ => ControlFlow::Break(()),
            },
        )?;
        Ok(slots)
    }
}
