//! The newest blocks, whole, with their indexes: all that are not in the tables, and some that are.
//!
//! Always holds: the blocks follow one another without a gap up to the head; those above the flushed height
//! still have their differences.

use crate::{BlockMeta, log::LogRef};
use alloy_primitives::{B256, map::HashMap};
use primitives::{SealedBlock, StateDiff, withdrawal::withdrawal_hashes};
use std::{collections::VecDeque, sync::Arc};

/// A block in RAM.
#[derive(Clone)]
pub struct RecentBlock {
    pub block: Arc<SealedBlock>,
    pub meta: BlockMeta,
    pub at: LogRef,
    /// Until the tables have it.
    pub diff: Option<Arc<StateDiff>>,
    /// Size in RAM, about, without the difference.
    pub bytes: usize,
}

/// A run of blocks up to the head.
#[derive(Default)]
pub struct Recent {
    blocks: VecDeque<RecentBlock>,
    by_hash: HashMap<B256, u64>,
    transactions: HashMap<B256, (u64, u32)>,
    withdrawals: HashMap<B256, (u64, u32)>,
    bytes: usize,
}

impl Recent {
    fn first(&self) -> Option<u64> {
        self.blocks.front().map(|b| b.block.header.number)
    }

    pub fn push(&mut self, block: RecentBlock) {
        let number = block.block.header.number;
        self.by_hash.insert(block.block.hash, number);
        for (index, tx) in block.block.transactions.iter().enumerate() {
            self.transactions.insert(tx.hash, (number, index as u32));
        }
        for (at, hash) in withdrawal_hashes(&block.block.receipts) {
            self.withdrawals.insert(hash, (number, at));
        }
        self.bytes += block.bytes;
        self.blocks.push_back(block);
    }

    pub fn get(&self, number: u64) -> Option<&RecentBlock> {
        self.blocks
            .get(usize::try_from(number.checked_sub(self.first()?)?).ok()?)
    }

    pub fn number_of(&self, hash: &B256) -> Option<u64> {
        self.by_hash.get(hash).copied()
    }

    pub fn transaction(&self, hash: &B256) -> Option<(u64, u32)> {
        self.transactions.get(hash).copied()
    }

    pub fn withdrawal(&self, hash: &B256) -> Option<(u64, u32)> {
        self.withdrawals.get(hash).copied()
    }

    /// Blocks above `number`, ascending.
    pub fn above(&self, number: u64) -> impl DoubleEndedIterator<Item = &RecentBlock> {
        let from = self
            .blocks
            .partition_point(|b| b.block.header.number <= number);
        self.blocks.range(from..)
    }

    /// Blocks up to `flushed` need their differences no longer; of these the newest `keep_bytes` stay.
    pub fn flushed(&mut self, flushed: u64, keep_bytes: usize) {
        for block in self
            .blocks
            .iter_mut()
            .take_while(|b| b.block.header.number <= flushed)
        {
            block.diff = None;
        }
        let unflushed: usize = self.above(flushed).map(|b| b.bytes).sum();
        while self.bytes - unflushed > keep_bytes && self.first().is_some_and(|n| n <= flushed) {
            if let Some(block) = self.blocks.pop_front() {
                self.unindex(&block);
            }
        }
    }

    /// Removes the newest block if it is above `to`.
    pub fn pop_above(&mut self, to: u64) -> Option<RecentBlock> {
        if self.blocks.back()?.block.header.number <= to {
            return None;
        }
        let block = self.blocks.pop_back()?;
        self.unindex(&block);
        Some(block)
    }

    fn unindex(&mut self, block: &RecentBlock) {
        self.bytes -= block.bytes;
        self.by_hash.remove(&block.block.hash);
        for tx in &block.block.transactions {
            self.transactions.remove(&tx.hash);
        }
        for (_, hash) in withdrawal_hashes(&block.block.receipts) {
            self.withdrawals.remove(&hash);
        }
    }
}

/// What a block takes in RAM, about: decoded fields beside the raw bytes.
pub fn block_bytes(block: &SealedBlock) -> usize {
    let transactions: usize = block
        .transactions
        .iter()
        .map(|tx| 600 + 2 * tx.raw.len())
        .sum();
    let receipts: usize = block
        .receipts
        .iter()
        .map(|r| {
            64 + r
                .logs
                .iter()
                .map(|l| 96 + 32 * l.topics().len() + l.data.data.len())
                .sum::<usize>()
        })
        .sum();
    1024 + transactions + receipts
}

/// What a difference takes in RAM, about, with its versions in the overlay.
pub fn diff_bytes(diff: &StateDiff) -> usize {
    let accounts: usize = diff
        .accounts
        .iter()
        .map(|a| 480 + 250 * a.slots.len())
        .sum();
    let codes: usize = diff.codes.iter().map(|(_, code)| 64 + code.len()).sum();
    accounts + codes
}
