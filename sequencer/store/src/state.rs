//! Accounts, slots and code at any height: overlay first, then cache, then tables; for the past, the history.
//!
//! Readers take no lock against a flush. They read the floor (the height below which the overlay has forgotten),
//! read the value, and read the floor again: as long as it is not above their height, overlay and tables
//! together gave the right version, whichever side of the flush they saw.

use crate::{
    Result, StoreError,
    cache::{Clock, Codes},
    codec::Codec,
    flush::Changes,
    kv::{self, Kv, KvRead},
    overlay::Overlay,
    schema::{self, SlotKey, Table},
};
use alloy_primitives::{Address, B256, Bytes, U256, map::HashMap};
use parking_lot::RwLock;
use primitives::{Account, StateDiff, diff::KECCAK_EMPTY};
use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

/// Code kept in RAM; a popular contract is 24 kB.
const CODE_CACHE_BYTES: usize = 16 << 20;

pub struct State {
    kv: Arc<dyn Kv>,
    pub overlay: Overlay,
    accounts: Clock<Address, Option<Account>>,
    slots: Clock<SlotKey, U256>,
    codes: Codes,
    /// Code not yet in the tables, with the last block that deployed it.
    new_codes: RwLock<HashMap<B256, (Bytes, u64)>>,
    /// The overlay has forgotten blocks up to this one; the tables have them.
    floor: AtomicU64,
    /// Counts changes of the tables' state: a value read before one must not be cached after it.
    generation: AtomicU64,
    /// The lowest height that the history still gives.
    oldest: AtomicU64,
}

impl State {
    pub fn new(kv: Arc<dyn Kv>, cache_bytes: usize, floor: u64, oldest: u64) -> Self {
        Self {
            kv,
            overlay: Overlay::new(),
            accounts: Clock::new(cache_bytes / 2, |address| address[19] as usize),
            slots: Clock::new(cache_bytes / 2, |SlotKey(address, slot)| {
                slot.as_limbs()[0] as usize ^ address[19] as usize
            }),
            codes: Codes::new(CODE_CACHE_BYTES),
            new_codes: RwLock::default(),
            floor: AtomicU64::new(floor),
            generation: AtomicU64::new(0),
            oldest: AtomicU64::new(oldest),
        }
    }

    /// The lowest height whose state can be read.
    pub fn oldest(&self) -> u64 {
        self.oldest.load(SeqCst)
    }

    /// To be called before history below `oldest` is deleted.
    pub fn set_oldest(&self, oldest: u64) {
        self.oldest.store(oldest, SeqCst);
    }

    /// The account at `number`, a height from the oldest to the head.
    pub fn account(&self, number: u64, address: Address) -> Result<Option<Account>> {
        let overlay = &self.overlay.accounts;
        self.at(
            number,
            || overlay.at(&address, number),
            || overlay.before(&address),
            || self.tip_account(address),
            || first_change::<schema::AccountHistory, _>(&*self.kv, &address, number),
        )
    }

    /// The slot at `number`, a height from the oldest to the head.
    pub fn slot(&self, number: u64, key: SlotKey) -> Result<U256> {
        let overlay = &self.overlay.slots;
        self.at(
            number,
            || overlay.at(&key, number),
            || overlay.before(&key),
            || self.tip_slot(key),
            || first_change::<schema::SlotHistory, _>(&*self.kv, &key, number),
        )
    }

    fn at<V>(
        &self,
        number: u64,
        overlay_at: impl Fn() -> Option<V>,
        overlay_before: impl Fn() -> Option<V>,
        tip: impl Fn() -> Result<V>,
        history: impl Fn() -> Result<Option<V>>,
    ) -> Result<V> {
        loop {
            let floor = self.floor.load(SeqCst);
            let value = if number >= floor {
                match overlay_at() {
                    Some(value) => value,
                    None => tip()?,
                }
            } else if let Some(value) = history()? {
                value
            } else {
                match overlay_before() {
                    Some(value) => value,
                    None => tip()?,
                }
            };
            let now = self.floor.load(SeqCst);
            let settled = if number >= floor {
                number >= now
            } else {
                floor == now
            };
            if settled {
                let oldest = self.oldest();
                return if number < oldest {
                    Err(StoreError::Pruned { number, oldest })
                } else {
                    Ok(value)
                };
            }
        }
    }

    fn tip_account(&self, address: Address) -> Result<Option<Account>> {
        if let Some(account) = self.accounts.get(&address) {
            return Ok(account);
        }
        let generation = self.generation.load(SeqCst);
        let account = kv::get::<schema::Accounts>(&*self.kv, &address)?;
        self.accounts.put_unless(address, account, || {
            self.generation.load(SeqCst) != generation
        });
        Ok(account)
    }

    fn tip_slot(&self, key: SlotKey) -> Result<U256> {
        if let Some(value) = self.slots.get(&key) {
            return Ok(value);
        }
        let generation = self.generation.load(SeqCst);
        let value = kv::get::<schema::Slots>(&*self.kv, &key)?.unwrap_or_default();
        self.slots
            .put_unless(key, value, || self.generation.load(SeqCst) != generation);
        Ok(value)
    }

    /// Code by hash, whichever block deployed it.
    pub fn code(&self, hash: B256) -> Result<Bytes> {
        if hash == KECCAK_EMPTY || hash.is_zero() {
            return Ok(Bytes::new());
        }
        if let Some(code) = self.codes.get(&hash) {
            return Ok(code);
        }
        if let Some((code, _)) = self.new_codes.read().get(&hash) {
            return Ok(code.clone());
        }
        // A flush may have moved it from there to here in between; the tables are asked last.
        let code = kv::get::<schema::Codes>(&*self.kv, &hash)?
            .ok_or_else(|| StoreError::Tables(format!("there is no code with hash {hash}")))?;
        self.codes.put(hash, code.clone(), code.len() + 128);
        Ok(code)
    }

    /// Block `number` became the head.
    pub fn push(&self, number: u64, diff: &StateDiff) {
        if !diff.codes.is_empty() {
            let mut codes = self.new_codes.write();
            for (hash, code) in &diff.codes {
                codes.insert(*hash, (code.clone(), number));
            }
        }
        self.overlay.push(number, diff);
    }

    /// The tables have just taken these values and stand for block `floor`.
    pub fn flushed(&self, floor: u64, changes: &Changes) {
        self.generation.fetch_add(1, SeqCst);
        for (address, account) in &changes.accounts {
            self.accounts.put(*address, *account);
        }
        for (key, value) in &changes.slots {
            self.slots.put(*key, *value);
        }
        self.floor.store(floor, SeqCst);
        for (address, _) in &changes.accounts {
            self.overlay.accounts.forget(address, floor);
        }
        for (key, _) in &changes.slots {
            self.overlay.slots.forget(key, floor);
        }
        self.new_codes
            .write()
            .retain(|_, (_, number)| *number > floor);
        self.report();
    }

    /// The tables went back to block `floor`. The caller keeps readers out meanwhile.
    pub fn tables_rewound(&self, floor: u64) {
        self.generation.fetch_add(1, SeqCst);
        self.accounts.clear();
        self.slots.clear();
        self.floor.store(floor, SeqCst);
    }

    fn report(&self) {
        for (kind, hits, misses) in [
            ("account", &self.accounts.hits, &self.accounts.misses),
            ("slot", &self.slots.hits, &self.slots.misses),
        ] {
            metrics::counter!("store_cache_hits", "kind" => kind).absolute(hits.load(SeqCst));
            metrics::counter!("store_cache_misses", "kind" => kind).absolute(misses.load(SeqCst));
        }
        metrics::gauge!("store_overlay_keys")
            .set((self.overlay.accounts.len() + self.overlay.slots.len()) as f64);
    }
}

/// The value that the first block after `number` to change `key` replaced.
fn first_change<H: Table<Key = (K, u64)>, K: Codec>(
    kv: &dyn KvRead,
    key: &K,
    number: u64,
) -> Result<Option<H::Value>> {
    let mut from = Vec::with_capacity(64);
    key.put(&mut from);
    let prefix = from.len();
    number.saturating_add(1).put(&mut from);
    let mut found = None;
    kv.scan(H::ID, &from, &mut |row, value| {
        if row.get(..prefix) == Some(&from[..prefix]) {
            found = Some(H::Value::decode(value));
        }
        ControlFlow::Break(())
    })?;
    found
        .transpose()
        .map_err(|e| StoreError::Tables(format!("row of `{}`: {e}", H::ID.name())))
}
