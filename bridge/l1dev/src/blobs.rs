//! Blobs: those of waiting transactions in RAM, those of blocks on disk, by versioned hash.
//!
//! A blob reaches the disk before its block does, and stays there when the block is replaced, until newer ones push
//! it out. The store's journal holds one row per block with blobs (in the order of arrival) and one per blob.

use crate::L1DevError;
use alloy_consensus::Transaction as _;
use alloy_primitives::{B256, Bytes};
use parking_lot::Mutex;
use primitives::SealedBlock;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use store::Store;

/// Rows of the blocks: arrival to number, hash and versioned hashes.
const BLOCKS: &str = "l1dev blocks with blobs";

/// Blob transactions that may wait at once: 48 MiB at six blobs each.
const WAITING_MAX: usize = 64;

/// A blob with its versioned hash.
pub type NamedBlob = (B256, Bytes);

/// See the module.
pub struct Blobs {
    store: Arc<Store>,
    kept_max: usize,
    /// By transaction. Held while a transaction enters the pool, so that it is never there without its blobs.
    waiting: Mutex<HashMap<B256, Vec<NamedBlob>>>,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// By arrival.
    blocks: BTreeMap<u64, Entry>,
    /// How many entries name a blob.
    references: HashMap<B256, usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    number: u64,
    block: B256,
    hashes: Vec<B256>,
}

impl Blobs {
    /// Finds what is on disk.
    pub fn open(store: Arc<Store>, kept_max: usize) -> Result<Self, L1DevError> {
        let mut kept = Kept::default();
        for (key, row) in store.journal_scan(BLOCKS)? {
            let (arrival, entry) = decode(&key, &row)
                .ok_or_else(|| L1DevError::Unreadable("the list of blobs".into()))?;
            kept.add(arrival, entry);
        }
        Ok(Self {
            store,
            kept_max,
            waiting: Mutex::default(),
            kept: Mutex::new(kept),
        })
    }

    /// Lets `admit` put transaction `tx` into the pool, and keeps its blobs if that succeeded. `None`: no room.
    pub fn admit<T, E>(
        &self,
        tx: B256,
        blobs: Vec<NamedBlob>,
        admit: impl FnOnce() -> Result<T, E>,
    ) -> Option<Result<T, E>> {
        let mut waiting = self.waiting.lock();
        if waiting.len() >= WAITING_MAX {
            return None;
        }
        let admitted = admit();
        if admitted.is_ok() {
            waiting.insert(tx, blobs);
        }
        Some(admitted)
    }

    /// Forgets the blobs of transactions that wait no more.
    pub fn forget_all_but(&self, waits: impl Fn(&B256) -> bool) {
        self.waiting.lock().retain(|tx, _| waits(tx));
    }

    /// Writes the blobs of `block` to disk.
    pub fn keep(&self, block: &SealedBlock) -> Result<(), L1DevError> {
        let hashes = hashes_of(block);
        if hashes.is_empty() {
            return Ok(());
        }
        let waiting = self.waiting.lock();
        let mut kept = self.kept.lock();
        let arrival = kept.blocks.last_key_value().map_or(0, |(last, _)| last + 1);
        let entry = Entry {
            number: block.header.number,
            block: block.hash,
            hashes,
        };
        // The list first: an entry without a blob is harmless, a blob without an entry would never leave.
        self.store
            .journal_put(BLOCKS, &arrival.to_be_bytes(), Some(&encode(&entry)))?;
        for tx in &block.transactions {
            for (hash, blob) in waiting.get(&tx.hash).into_iter().flatten() {
                if !kept.references.contains_key(hash) {
                    self.store.journal_put(&row_of(hash), &[], Some(blob))?;
                }
            }
        }
        kept.add(arrival, entry);
        while kept.references.len() > self.kept_max && kept.blocks.len() > 1 {
            self.drop_oldest(&mut kept)?;
        }
        Ok(())
    }

    fn drop_oldest(&self, kept: &mut Kept) -> Result<(), L1DevError> {
        let Some((arrival, entry)) = kept.blocks.pop_first() else {
            return Ok(());
        };
        for hash in &entry.hashes {
            if let Some(count) = kept.references.get_mut(hash) {
                *count -= 1;
                if *count == 0 {
                    kept.references.remove(hash);
                    self.store.journal_put(&row_of(hash), &[], None)?;
                }
            }
        }
        Ok(self
            .store
            .journal_put(BLOCKS, &arrival.to_be_bytes(), None)?)
    }

    /// A blob that some block holds or held.
    pub fn get(&self, hash: &B256) -> Result<Option<Bytes>, L1DevError> {
        let rows = self.store.journal_scan(&row_of(hash))?;
        Ok(rows.into_iter().next().map(|(_, blob)| blob.into()))
    }

    /// Versioned hashes of a block, also of one that was replaced.
    pub fn of_block(&self, block: &B256) -> Option<Vec<B256>> {
        let kept = self.kept.lock();
        kept.blocks
            .values()
            .find(|entry| entry.block == *block)
            .map(|entry| entry.hashes.clone())
    }

    /// Versioned hashes of all blocks that have or had this number.
    pub fn of_number(&self, number: u64) -> Vec<B256> {
        let kept = self.kept.lock();
        kept.blocks
            .values()
            .filter(|entry| entry.number == number)
            .flat_map(|entry| entry.hashes.clone())
            .collect()
    }
}

impl Kept {
    fn add(&mut self, arrival: u64, entry: Entry) {
        for hash in &entry.hashes {
            *self.references.entry(*hash).or_default() += 1;
        }
        self.blocks.insert(arrival, entry);
    }
}

/// Versioned hashes of the blobs of a block, in order.
pub fn hashes_of(block: &SealedBlock) -> Vec<B256> {
    block
        .transactions
        .iter()
        .flat_map(|tx| tx.tx.blob_versioned_hashes().unwrap_or_default())
        .copied()
        .collect()
}

fn row_of(hash: &B256) -> String {
    format!("l1dev blob {hash}")
}

fn encode(entry: &Entry) -> Vec<u8> {
    let mut row = entry.number.to_be_bytes().to_vec();
    row.extend(entry.block);
    entry.hashes.iter().for_each(|hash| row.extend(hash));
    row
}

fn decode(key: &[u8], row: &[u8]) -> Option<(u64, Entry)> {
    let (number, row) = row.split_first_chunk::<8>()?;
    let (block, row) = row.split_first_chunk::<32>()?;
    let (hashes, []) = row.as_chunks::<32>() else {
        return None;
    };
    let entry = Entry {
        number: u64::from_be_bytes(*number),
        block: block.into(),
        hashes: hashes.iter().map(B256::from).collect(),
    };
    Some((u64::from_be_bytes(key.try_into().ok()?), entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_survives_the_round_trip() {
        let entry = Entry {
            number: 7,
            block: B256::repeat_byte(1),
            hashes: vec![B256::repeat_byte(2); 3],
        };
        assert_eq!(
            decode(&9u64.to_be_bytes(), &encode(&entry)),
            Some((9, entry))
        );
    }

    #[test]
    fn a_cut_row_is_refused() {
        let entry = Entry {
            number: 7,
            block: B256::repeat_byte(1),
            hashes: vec![B256::repeat_byte(2)],
        };
        let row = encode(&entry);
        assert_eq!(decode(&9u64.to_be_bytes(), &row[..row.len() - 1]), None);
        assert_eq!(decode(&[1], &row), None);
    }
}
