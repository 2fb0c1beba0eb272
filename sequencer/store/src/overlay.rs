//! Accounts and slots of blocks that the tables do not have yet, with every version.
//!
//! Always holds: a key is here exactly if a block above the floor changed it; its `before` is its value at the
//! floor, and each later version is its value from that block on. So a key that is not here has one value
//! from the floor to the head, and a reader at any of these heights may take it from the tables.

use alloy_primitives::{Address, U256, map::HashMap};
use parking_lot::RwLock;
use primitives::{Account, StateDiff};
use std::hash::Hash;

use crate::schema::SlotKey;

/// Locks per map: readers of different keys seldom meet.
const SHARDS: usize = 16;

struct Versions<T> {
    before: T,
    /// Ascending by block; never empty.
    after: Vec<(u64, T)>,
}

/// One kind of key.
pub struct Versioned<K, T> {
    shards: Vec<RwLock<HashMap<K, Versions<T>>>>,
    shard_of: fn(&K) -> usize,
}

impl<K: Hash + Eq + Copy, T: Copy> Versioned<K, T> {
    fn new(shard_of: fn(&K) -> usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            shard_of,
        }
    }

    fn shard(&self, key: &K) -> &RwLock<HashMap<K, Versions<T>>> {
        &self.shards[(self.shard_of)(key) % SHARDS]
    }

    /// The value at height `number`, which is at or above the floor; `None` if it is the tables' value.
    pub fn at(&self, key: &K, number: u64) -> Option<T> {
        let shard = self.shard(key).read();
        let versions = shard.get(key)?;
        let found = versions
            .after
            .iter()
            .rev()
            .find(|(block, _)| *block <= number);
        Some(found.map_or(versions.before, |(_, value)| *value))
    }

    /// The value at the floor, if a later block changed it.
    pub fn before(&self, key: &K) -> Option<T> {
        self.shard(key)
            .read()
            .get(key)
            .map(|versions| versions.before)
    }

    /// Block `number`, above all seen so far, changed `key`.
    pub fn push(&self, key: K, number: u64, before: T, after: T) {
        let mut shard = self.shard(&key).write();
        let versions = shard.entry(key).or_insert_with(|| Versions {
            before,
            after: Vec::with_capacity(1),
        });
        versions.after.push((number, after));
    }

    /// The floor rose to `floor`.
    pub fn forget(&self, key: &K, floor: u64) {
        let mut shard = self.shard(key).write();
        let Some(versions) = shard.get_mut(key) else {
            return;
        };
        let gone = versions.after.partition_point(|(block, _)| *block <= floor);
        if gone == versions.after.len() {
            shard.remove(key);
        } else if gone > 0 {
            versions.before = versions.after[gone - 1].1;
            versions.after.drain(..gone);
        }
    }

    /// Blocks above `head` were undone.
    pub fn undo(&self, key: &K, head: u64) {
        let mut shard = self.shard(key).write();
        let Some(versions) = shard.get_mut(key) else {
            return;
        };
        versions.after.retain(|(block, _)| *block <= head);
        if versions.after.is_empty() {
            shard.remove(key);
        }
    }

    /// Keys held.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().len()).sum()
    }
}

/// All of the state that is newer than the tables.
pub struct Overlay {
    pub accounts: Versioned<Address, Option<Account>>,
    pub slots: Versioned<SlotKey, U256>,
}

impl Overlay {
    pub fn new() -> Self {
        Self {
            accounts: Versioned::new(|address| address[19] as usize),
            slots: Versioned::new(|SlotKey(address, slot)| {
                slot.as_limbs()[0] as usize ^ address[19] as usize
            }),
        }
    }

    /// Adds what block `number` changed.
    pub fn push(&self, number: u64, diff: &StateDiff) {
        for account in &diff.accounts {
            if account.before != account.after {
                self.accounts
                    .push(account.address, number, account.before, account.after);
            }
            for slot in &account.slots {
                self.slots.push(
                    SlotKey(account.address, slot.slot),
                    number,
                    slot.before,
                    slot.after,
                );
            }
        }
    }

    /// Drops versions above `head` of the keys in `diff`.
    pub fn undo(&self, diff: &StateDiff, head: u64) {
        for account in &diff.accounts {
            self.accounts.undo(&account.address, head);
            for slot in &account.slots {
                self.slots.undo(&SlotKey(account.address, slot.slot), head);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A slot that is 1 at the floor 10, then 2 from block 12 and 3 from block 15.
    fn slot() -> (Overlay, SlotKey) {
        let overlay = Overlay::new();
        let key = SlotKey(Address::ZERO, U256::ZERO);
        overlay.slots.push(key, 12, U256::from(1), U256::from(2));
        overlay.slots.push(key, 15, U256::from(2), U256::from(3));
        (overlay, key)
    }

    fn check((overlay, key): (Overlay, SlotKey), want: &[(u64, Option<u64>)]) {
        for (number, value) in want {
            assert_eq!(
                overlay.slots.at(&key, *number),
                value.map(U256::from),
                "at {number}"
            );
        }
    }

    #[test]
    fn each_height_sees_its_own_version() {
        check(
            slot(),
            &[
                (10, Some(1)),
                (11, Some(1)),
                (12, Some(2)),
                (14, Some(2)),
                (15, Some(3)),
                (99, Some(3)),
            ],
        );
    }

    #[test]
    fn a_risen_floor_keeps_the_value_at_the_floor() {
        let (overlay, key) = slot();
        overlay.slots.forget(&key, 13);
        check(
            (overlay, key),
            &[(13, Some(2)), (14, Some(2)), (15, Some(3))],
        );
    }

    #[test]
    fn a_key_leaves_with_its_last_version() {
        let (overlay, key) = slot();
        overlay.slots.forget(&key, 15);
        check((overlay, key), &[(15, None)]);
    }

    #[test]
    fn undone_blocks_leave_no_version() {
        let (overlay, key) = slot();
        overlay.slots.undo(&key, 14);
        check(
            (overlay, key),
            &[(11, Some(1)), (14, Some(2)), (20, Some(2))],
        );
    }
}
