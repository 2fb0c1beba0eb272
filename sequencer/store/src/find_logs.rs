//! Which blocks may hold a log that a filter asks for: an index that may name too many, never too few.

use crate::{
    Result, Store,
    codec::Codec,
    kv::KvRead,
    schema::{LogIndex, LogTerm, Table},
    store::Inner,
};
use alloy_primitives::{Address, B256};
use primitives::Receipt;
use std::{collections::BTreeSet, ops::ControlFlow};

impl Store {
    /// Blocks from `from` to `to` that may hold a log by one of `addresses` (any, if empty) with one of `topics[i]`
    /// (any, if empty) at position `i`. Ascending.
    pub fn blocks_with_logs(
        &self,
        from: u64,
        to: u64,
        addresses: &[Address],
        topics: &[Vec<B256>],
    ) -> Result<Vec<u64>> {
        self.inner.blocks_with_logs(from, to, addresses, topics)
    }
}

impl Inner {
    fn blocks_with_logs(
        &self,
        from: u64,
        to: u64,
        addresses: &[Address],
        topics: &[Vec<B256>],
    ) -> Result<Vec<u64>> {
        let _no_rewind = self.rewinds.read();
        let from = from.max(self.genesis_number);
        let to = to.min(self.head_number());
        if from > to {
            return Ok(Vec::new());
        }
        // Each group must be met by one of its terms.
        let addresses: Vec<LogTerm> = addresses.iter().map(|a| term(a.into_word())).collect();
        let topics = topics
            .iter()
            .map(|any| any.iter().map(|t| term(*t)).collect::<Vec<_>>());
        let groups: Vec<Vec<LogTerm>> = std::iter::once(addresses)
            .chain(topics)
            .filter(|g| !g.is_empty())
            .collect();
        if groups.is_empty() {
            return Ok((from..=to).collect());
        }

        // RAM before tables: a flush moves blocks from here to there, and a block found twice is one.
        let mut found = BTreeSet::new();
        let recent: Vec<_> = self
            .recent
            .read()
            .above(from.max(self.flushed() + 1) - 1)
            .map(|b| b.block.clone())
            .collect();
        for block in recent.iter().take_while(|b| b.header.number <= to) {
            let terms = terms_of(&block.receipts);
            if groups
                .iter()
                .all(|group| group.iter().any(|t| terms.binary_search(t).is_ok()))
            {
                found.insert(block.header.number);
            }
        }
        let mut tables: Option<BTreeSet<u64>> = None;
        for group in &groups {
            let mut blocks = BTreeSet::new();
            for term in group {
                blocks_of(&*self.kv, *term, from, to, &mut blocks)?;
            }
            tables = Some(match tables {
                Some(before) => before.intersection(&blocks).copied().collect(),
                None => blocks,
            });
        }
        found.extend(tables.into_iter().flatten());
        Ok(found.into_iter().collect())
    }
}

fn blocks_of(
    kv: &dyn KvRead,
    term: LogTerm,
    from: u64,
    to: u64,
    out: &mut BTreeSet<u64>,
) -> Result<()> {
    let mut key = Vec::with_capacity(16);
    (term, from).put(&mut key);
    kv.scan(
        LogIndex::ID,
        &key,
        &mut |row, _| match <(LogTerm, u64)>::decode(row) {
            Ok((found, number)) if found == term && number <= to => {
                out.insert(number);
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Break(()),
        },
    )
}

/// The terms of a block's logs, its addresses and topics; ascending, each once.
pub(crate) fn terms_of(receipts: &[Receipt]) -> Vec<LogTerm> {
    let mut terms = Vec::new();
    for log in receipts.iter().flat_map(|r| &r.logs) {
        terms.push(term(log.address.into_word()));
        terms.extend(log.topics().iter().map(|t| term(*t)));
    }
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// Eight bytes for a word. A collision costs a reader one block in vain, so a multiplication is hash enough.
fn term(word: B256) -> LogTerm {
    let mut hash = 0u64;
    for chunk in word.chunks_exact(8) {
        let part = chunk.iter().fold(0u64, |n, byte| n << 8 | u64::from(*byte));
        hash = (hash ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^= hash >> 32;
    }
    LogTerm(hash.to_be_bytes())
}
