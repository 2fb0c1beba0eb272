//! Values that repeat within a batch: written once, then named by a number.

use crate::{
    Invalid,
    bytes::{Reader, put_varint},
};
use alloc::{collections::BTreeMap, vec::Vec};

/// Keys in the order of their first appearance. Reference 0 announces a new key, `n` names key `n - 1`.
///
/// A B-tree, not a hash table: keys are hostile, and the time for one must not depend on the others.
#[derive(Debug, Clone)]
pub(crate) struct Dictionary<K> {
    keys: Vec<K>,
    places: BTreeMap<K, u64>,
}

impl<K: Ord + Copy> Dictionary<K> {
    /// Begins with keys that every batch knows.
    pub(crate) fn new(known: &[K]) -> Self {
        let mut dictionary = Self {
            keys: Vec::new(),
            places: BTreeMap::new(),
        };
        for key in known {
            dictionary.learn(*key);
        }
        dictionary
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The reference to `key`; 0 if it was unknown until now.
    pub(crate) fn refer(&mut self, key: K) -> u64 {
        match self.places.get(&key) {
            Some(place) => place + 1,
            None => {
                self.learn(key);
                0
            }
        }
    }

    /// The key behind a reference above 0.
    pub(crate) fn resolve(&self, reference: u64) -> Option<K> {
        let place = usize::try_from(reference.checked_sub(1)?).ok()?;
        self.keys.get(place).copied()
    }

    /// Adds a key; false if it is there already.
    pub(crate) fn learn(&mut self, key: K) -> bool {
        let place = self.keys.len() as u64;
        if self.places.contains_key(&key) {
            return false;
        }
        self.places.insert(key, place);
        self.keys.push(key);
        true
    }

    /// Forgets all but the first `len` keys.
    pub(crate) fn truncate(&mut self, len: usize) {
        for key in self.keys.drain(len.min(self.keys.len())..) {
            self.places.remove(&key);
        }
    }
}

/// Writes `value` as its lowest byte and, in another column, a varint of the rest: the second column is nearly
/// always zeros, and the first keeps its own statistics.
pub(crate) fn put_split(low: &mut Vec<u8>, high: &mut Vec<u8>, value: u64) {
    low.push(value as u8);
    put_varint(high, value >> 8);
}

pub(crate) fn split(low: &mut Reader<'_>, high: &mut Reader<'_>) -> Result<u64, Invalid> {
    let low = u64::from(low.byte()?);
    let high = high.varint()?;
    if high >> 56 != 0 {
        return Err(Invalid::Varint);
    }
    Ok(high << 8 | low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_appearance_is_new_and_the_next_is_named() {
        let mut names = Dictionary::new(&["a"]);
        assert_eq!(
            [names.refer("a"), names.refer("b"), names.refer("b")],
            [1, 0, 2]
        );
        assert_eq!(names.resolve(2), Some("b"));
        assert_eq!(
            (names.resolve(0), names.resolve(3), names.resolve(u64::MAX)),
            (None, None, None)
        );
    }

    #[test]
    fn a_known_key_is_not_learnt_again() {
        assert!(!Dictionary::new(&["a"]).learn("a"));
    }

    #[test]
    fn truncation_forgets() {
        let mut names = Dictionary::new(&["a"]);
        names.refer("b");
        names.truncate(1);
        assert_eq!((names.len(), names.refer("b")), (1, 0));
    }
}
