//! Bounded caches of what the tables hold: accounts and slots by the clock rule, code by least recent use.
//!
//! Always holds: an entry equals the row in the tables, or the overlay has the key (a flush updates the entry
//! before it lets the overlay forget the key).

use alloy_primitives::{B256, Bytes, map::HashMap};
use lru::LruCache;
use parking_lot::{Mutex, RwLock};
use std::{
    hash::Hash,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

const SHARDS: usize = 16;

/// A map of fixed-size values that forgets those not asked for lately.
pub struct Clock<K, V> {
    shards: Vec<RwLock<Shard<K, V>>>,
    shard_of: fn(&K) -> usize,
    pub hits: AtomicU64,
    pub misses: AtomicU64,
}

struct Shard<K, V> {
    index: HashMap<K, u32>,
    entries: Vec<Entry<K, V>>,
    hand: usize,
    max: usize,
}

struct Entry<K, V> {
    key: K,
    value: V,
    /// Asked for since the hand last passed.
    used: AtomicBool,
}

impl<K: Hash + Eq + Copy, V: Copy> Clock<K, V> {
    /// Holds about `bytes`.
    pub fn new(bytes: usize, shard_of: fn(&K) -> usize) -> Self {
        // An index slot is a key, a number and a control byte, at a load of 7/8 after doubling: two slots an entry.
        let entry = size_of::<Entry<K, V>>() + 2 * (size_of::<(K, u32)>() + 1);
        let max = (bytes / entry / SHARDS).max(16);
        let shards = (0..SHARDS)
            .map(|_| {
                RwLock::new(Shard {
                    index: HashMap::default(),
                    entries: Vec::new(),
                    hand: 0,
                    max,
                })
            })
            .collect();
        Self {
            shards,
            shard_of,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    fn shard(&self, key: &K) -> &RwLock<Shard<K, V>> {
        &self.shards[(self.shard_of)(key) % SHARDS]
    }

    pub fn get(&self, key: &K) -> Option<V> {
        let shard = self.shard(key).read();
        let Some(&at) = shard.index.get(key) else {
            self.misses.fetch_add(1, Relaxed);
            return None;
        };
        let entry = &shard.entries[at as usize];
        entry.used.store(true, Relaxed);
        self.hits.fetch_add(1, Relaxed);
        Some(entry.value)
    }

    pub fn put(&self, key: K, value: V) {
        self.shard(&key).write().put(key, value);
    }

    /// Puts unless `stale` says, under the lock, that the value may have changed since it was read.
    pub fn put_unless(&self, key: K, value: V, stale: impl FnOnce() -> bool) {
        let mut shard = self.shard(&key).write();
        if !stale() {
            shard.put(key, value);
        }
    }

    pub fn clear(&self) {
        for shard in &self.shards {
            let mut shard = shard.write();
            shard.index.clear();
            shard.entries.clear();
            shard.hand = 0;
        }
    }
}

impl<K: Hash + Eq + Copy, V: Copy> Shard<K, V> {
    fn put(&mut self, key: K, value: V) {
        if let Some(&at) = self.index.get(&key) {
            self.entries[at as usize].value = value;
            return;
        }
        let entry = Entry {
            key,
            value,
            used: AtomicBool::new(false),
        };
        if self.entries.len() < self.max {
            self.index.insert(key, self.entries.len() as u32);
            self.entries.push(entry);
            return;
        }
        while self.entries[self.hand].used.swap(false, Relaxed) {
            self.hand = (self.hand + 1) % self.entries.len();
        }
        self.index.remove(&self.entries[self.hand].key);
        self.index.insert(key, self.hand as u32);
        self.entries[self.hand] = entry;
        self.hand = (self.hand + 1) % self.entries.len();
    }
}

/// Values with their sizes, and the sum of these.
type Weighed<K, V> = (LruCache<K, (V, usize)>, usize);

/// Values of different sizes, least recently used first out.
pub struct ByBytes<K: Hash + Eq, V> {
    inner: Mutex<Weighed<K, V>>,
    max: usize,
}

impl<K: Hash + Eq, V: Clone> ByBytes<K, V> {
    pub fn new(max: usize) -> Self {
        Self {
            inner: Mutex::new((LruCache::unbounded(), 0)),
            max,
        }
    }

    pub fn get(&self, key: &K) -> Option<V> {
        self.inner.lock().0.get(key).map(|(value, _)| value.clone())
    }

    pub fn put(&self, key: K, value: V, bytes: usize) {
        let mut inner = self.inner.lock();
        let (cache, total) = &mut *inner;
        *total += bytes;
        if let Some((_, old)) = cache.put(key, (value, bytes)) {
            *total -= old;
        }
        // The newest stays, however large.
        while *total > self.max && cache.len() > 1 {
            let Some((_, (_, bytes))) = cache.pop_lru() else {
                break;
            };
            *total -= bytes;
        }
    }

    pub fn clear(&self) {
        let mut inner = self.inner.lock();
        inner.0.clear();
        inner.1 = 0;
    }
}

/// Code by hash.
pub type Codes = ByBytes<B256, Bytes>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_outlives_what_was_not() {
        let cache = Clock::<u64, u64>::new(0, |_| 0);
        for key in 0..16 {
            cache.put(key, key);
        }
        assert_eq!(cache.get(&0), Some(0));
        cache.put(99, 99);
        assert_eq!(
            (cache.get(&0), cache.get(&1), cache.get(&99)),
            (Some(0), None, Some(99))
        );
    }

    #[test]
    fn a_stale_value_is_not_taken() {
        let cache = Clock::<u64, u64>::new(0, |_| 0);
        cache.put_unless(1, 1, || true);
        cache.put_unless(2, 2, || false);
        assert_eq!((cache.get(&1), cache.get(&2)), (None, Some(2)));
    }

    #[test]
    fn bytes_bound_the_number_of_values() {
        let cache = ByBytes::new(100);
        for key in 0..5 {
            cache.put(key, key, 40);
        }
        assert_eq!(
            (cache.get(&2), cache.get(&3), cache.get(&4)),
            (None, Some(3), Some(4))
        );
    }
}
