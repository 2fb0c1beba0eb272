//! Reads the index of logs: blocks, and positions in them, where every group of terms is met.
//!
//! Groups take turns in jumping to the next block that the others left possible, so that a rare term passes by most
//! rows of a common one.

use crate::{
    Result, StoreError,
    codec::Codec,
    kv::KvRead,
    log_terms::LogPositions,
    schema::{LogIndex, LogTerm, Table},
};
use std::{collections::VecDeque, ops::ControlFlow};

/// Read ahead by all cursors of a query together; each may read one row, however long.
const AHEAD_BYTES: usize = 4 << 20;
const AHEAD_ROWS_MAX: usize = 512;

/// Shows a block and ascending positions of its logs.
pub type VisitBlock<'a> = &'a mut dyn FnMut(u64, &[u32]) -> Result<ControlFlow<()>>;

/// Blocks `from..=to`, ascending, with the positions of logs that have a term of each group. There must be a group,
/// and a term in each. Fails with [`StoreError::GivenUp`] once `keep_on` says no.
pub fn visit(
    kv: &dyn KvRead,
    groups: &[Vec<LogTerm>],
    from: u64,
    to: u64,
    keep_on: &dyn Fn() -> bool,
    visit: VisitBlock<'_>,
) -> Result<()> {
    let terms: usize = groups.iter().map(Vec::len).sum();
    let mut groups: Vec<Group> = groups
        .iter()
        .map(|terms_of_group| Group::new(terms_of_group, to, AHEAD_BYTES / terms.max(1)))
        .collect();
    let mut number = from;
    loop {
        if !keep_on() {
            return Err(StoreError::GivenUp);
        }
        let mut possible = number;
        for group in &mut groups {
            match group.seek(kv, possible)? {
                Some(found) => possible = found,
                None => return Ok(()),
            }
        }
        if possible > number {
            // Those asked first may lack it.
            number = possible;
            continue;
        }
        let positions = common(&groups, number)?;
        if !positions.is_empty() && visit(number, &positions)?.is_break() {
            return Ok(());
        }
        number += 1;
    }
}

/// Positions that every group has in block `number`.
fn common(groups: &[Group], number: u64) -> Result<Vec<u32>> {
    let lists = groups.iter().map(|group| group.positions(number));
    let mut lists = lists.collect::<Result<Vec<_>>>()?;
    // The shortest is looked for in the others.
    lists.sort_unstable_by_key(Vec::len);
    let mut lists = lists.into_iter();
    let mut all = lists.next().unwrap_or_default();
    for list in lists {
        all.retain(|position| list.binary_search(position).is_ok());
    }
    Ok(all)
}

/// Terms of which one is enough.
struct Group(Vec<Cursor>);

impl Group {
    fn new(terms: &[LogTerm], to: u64, ahead_bytes: usize) -> Self {
        let mut terms = terms.to_vec();
        terms.sort_unstable();
        terms.dedup();
        let cursors = terms.into_iter().map(|term| Cursor {
            term,
            to,
            ahead: VecDeque::new(),
            ahead_bytes,
            asked: 4,
            used: 2,
            ended: false,
        });
        Self(cursors.collect())
    }

    /// The first block from `number` on.
    fn seek(&mut self, kv: &dyn KvRead, number: u64) -> Result<Option<u64>> {
        let mut first: Option<u64> = None;
        for cursor in &mut self.0 {
            if let Some(found) = cursor.seek(kv, number)? {
                first = Some(first.map_or(found, |first| first.min(found)));
            }
        }
        Ok(first)
    }

    /// Its positions in the block that [`Group::seek`] found.
    fn positions(&self, number: u64) -> Result<Vec<u32>> {
        let mut positions = Vec::new();
        let here = self.0.iter().filter_map(|cursor| cursor.ahead.front());
        for (_, row) in here.filter(|(found, _)| *found == number) {
            let LogPositions(more) = LogPositions::decode(row).map_err(|e| {
                StoreError::Tables(format!("row of `{}`: {e}", LogIndex::ID.name()))
            })?;
            positions.extend(more);
        }
        if self.0.len() > 1 {
            positions.sort_unstable();
            positions.dedup();
        }
        Ok(positions)
    }
}

/// The rows of one term.
struct Cursor {
    term: LogTerm,
    to: u64,
    ahead: VecDeque<(u64, Vec<u8>)>,
    /// So many are read at once.
    ahead_bytes: usize,
    /// Rows read at once: more where they follow one another, one where most would be passed by.
    asked: usize,
    /// Of those last read, how many were landed on.
    used: usize,
    /// No rows beyond `ahead`.
    ended: bool,
}

impl Cursor {
    fn seek(&mut self, kv: &dyn KvRead, number: u64) -> Result<Option<u64>> {
        loop {
            let passed = self.ahead.partition_point(|(found, _)| *found < number);
            if passed > 0 {
                self.ahead.drain(..passed);
                self.used += usize::from(!self.ahead.is_empty());
            }
            match self.ahead.front() {
                Some((found, _)) => return Ok(Some(*found)),
                None if self.ended => return Ok(None),
                None => self.read(kv, number)?,
            }
        }
    }

    fn read(&mut self, kv: &dyn KvRead, number: u64) -> Result<()> {
        self.asked = match self.used * 2 >= self.asked {
            true => (self.asked * 2).min(AHEAD_ROWS_MAX),
            false => (self.asked / 2).max(1),
        };
        self.used = 1;
        self.ended = true;
        let mut from = Vec::with_capacity(16);
        (self.term, number).put(&mut from);
        let mut bytes = 0;
        kv.scan(
            LogIndex::ID,
            &from,
            &mut |key, value| match <(LogTerm, u64)>::decode(key) {
                Ok((term, found)) if term == self.term && found <= self.to => {
                    if self.ahead.len() == self.asked
                        || (bytes + value.len() > self.ahead_bytes && !self.ahead.is_empty())
                    {
                        self.ended = false;
                        return ControlFlow::Break(());
                    }
                    bytes += value.len();
                    self.ahead.push_back((found, value.to_vec()));
                    ControlFlow::Continue(())
                }
                _ => ControlFlow::Break(()),
            },
        )
    }
}
