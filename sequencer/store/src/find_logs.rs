//! Logs by address and topics: those of blocks in the tables by the index, those of younger blocks in RAM one by one.

use crate::{
    Result, Store, StoreError,
    codec::Codec,
    kv::{self, KvRead},
    log_terms::{of_address, term},
    postings,
    read::row_missing,
    receipts::{LOGS_IN_ROW, PlacedLog},
    schema::{self, LogTerm},
    store::Inner,
};
use alloy_primitives::{Address, B256, Log};
use primitives::SealedBlock;
use std::{ops::ControlFlow, sync::Arc};

/// Which logs are asked for.
#[derive(Debug, Clone, Default)]
pub struct LogQuery {
    /// By one of these; empty: by any.
    pub addresses: Vec<Address>,
    /// With one of `topics[i]` at position `i`; empty: with any there, but with one.
    pub topics: Vec<Vec<B256>>,
}

impl LogQuery {
    /// True if such a log is asked for.
    pub fn matches(&self, address: Address, topics: &[B256]) -> bool {
        (self.addresses.is_empty() || self.addresses.contains(&address))
            && self.topics.len() <= topics.len()
            && self
                .topics
                .iter()
                .zip(topics)
                .all(|(any, topic)| any.is_empty() || any.contains(topic))
    }

    /// Each must be met by one of its terms. None, if any log may do.
    fn groups(&self) -> Vec<Vec<LogTerm>> {
        let addresses = self.addresses.iter().map(|a| of_address(*a)).collect();
        let topics = self.topics.iter();
        let topics = topics.map(|any| any.iter().map(|topic| term(*topic)).collect());
        std::iter::once(addresses)
            .chain(topics)
            .filter(|group: &Vec<_>| !group.is_empty())
            .collect()
    }
}

/// A log with its place on the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundLog {
    /// The block's number.
    pub block_number: u64,
    /// Its hash.
    pub block_hash: B256,
    /// Its time, seconds.
    pub block_timestamp: u64,
    /// The transaction that emitted the log.
    pub tx_hash: B256,
    /// Its position in the block.
    pub tx_index: u32,
    /// Position among all logs of the block.
    pub log_index: u32,
    /// What was logged.
    pub log: Log,
}

/// Shows a log; breaks to end the search.
pub type VisitLog<'a> = &'a mut dyn FnMut(FoundLog) -> ControlFlow<()>;

impl Store {
    /// The logs of blocks `from..=to` that `query` asks for, in order, all of the chain as it is now. Fails with
    /// [`StoreError::GivenUp`] once `keep_on` says no.
    pub fn logs(
        &self,
        from: u64,
        to: u64,
        query: &LogQuery,
        keep_on: &dyn Fn() -> bool,
        visit: VisitLog<'_>,
    ) -> Result<()> {
        let inner = &self.inner;
        let rewinds = inner.rewinds.read();
        let from = from.max(inner.genesis_number);
        let to = to.min(inner.head_number());
        if from > to {
            return Ok(());
        }
        let (flushed, young) = inner.young_blocks(from, to);
        let mut search = Search {
            query,
            keep_on,
            visit,
            ended: false,
        };
        if from <= flushed {
            kv::on_snapshot(&*inner.kv, |tables| {
                // The snapshot and the blocks in hand stay one chain, whatever is rewound meanwhile.
                drop(rewinds);
                search.in_tables(tables, from, to.min(flushed))
            })?;
        }
        for block in young {
            search.in_block(&block)?;
        }
        Ok(())
    }
}

impl Inner {
    /// A height that the tables have reached, and the blocks above it.
    fn young_blocks(&self, from: u64, to: u64) -> (u64, Vec<Arc<SealedBlock>>) {
        let recent = self.recent.read();
        // Under the lock: blocks leave RAM only after this number has passed them.
        let flushed = self.flushed();
        let above = recent.above(from.max(flushed + 1) - 1);
        let blocks = above.take_while(|b| b.block.header.number <= to);
        (flushed, blocks.map(|b| b.block.clone()).collect())
    }
}

struct Search<'a> {
    query: &'a LogQuery,
    keep_on: &'a dyn Fn() -> bool,
    visit: VisitLog<'a>,
    /// The visitor wants no more.
    ended: bool,
}

impl Search<'_> {
    fn in_block(&mut self, block: &SealedBlock) -> Result<()> {
        if self.ended {
            return Ok(());
        }
        if !(self.keep_on)() {
            return Err(StoreError::GivenUp);
        }
        let mut log_index = 0;
        for (tx, receipt) in (0..).zip(&block.receipts) {
            for log in &receipt.logs {
                if self.query.matches(log.address, log.topics()) {
                    let found = FoundLog {
                        block_number: block.header.number,
                        block_hash: block.hash,
                        block_timestamp: block.header.timestamp,
                        tx_hash: block.transactions[tx as usize].hash,
                        tx_index: tx,
                        log_index,
                        log: log.clone(),
                    };
                    if (self.visit)(found).is_break() {
                        self.ended = true;
                        return Ok(());
                    }
                }
                log_index += 1;
            }
        }
        Ok(())
    }

    fn in_tables(&mut self, tables: &dyn KvRead, from: u64, to: u64) -> Result<()> {
        let groups = self.query.groups();
        if groups.is_empty() {
            return self.all_in_tables(tables, from, to);
        }
        let keep_on = self.keep_on;
        postings::visit(
            tables,
            &groups,
            from,
            to,
            keep_on,
            &mut |number, positions| {
                let mut header = None;
                let mut last: Option<(u32, Vec<PlacedLog>)> = None;
                for position in positions {
                    let index = position / LOGS_IN_ROW;
                    let logs = match last.take() {
                        Some((at, logs)) if at == index => logs,
                        _ => {
                            if !keep_on() {
                                return Err(StoreError::GivenUp);
                            }
                            kv::get::<schema::Logs>(tables, &(number, index))?
                                .ok_or_else(|| row_missing("logs", number))?
                                .logs()?
                        }
                    };
                    let placed = logs.get((position % LOGS_IN_ROW) as usize);
                    let placed = placed.ok_or_else(|| row_missing("logs", number))?;
                    self.show(tables, number, *position, placed, &mut header)?;
                    if self.ended {
                        return Ok(ControlFlow::Break(()));
                    }
                    last = Some((index, logs));
                }
                Ok(ControlFlow::Continue(()))
            },
        )
    }

    /// Row after row, for a query without address and topic.
    fn all_in_tables(&mut self, tables: &dyn KvRead, from: u64, to: u64) -> Result<()> {
        let mut header = None;
        let mut key = Vec::with_capacity(12);
        (from, 0u32).put(&mut key);
        kv::scan::<schema::Logs>(tables, &key, |(number, index), row| {
            if number > to {
                return Ok(ControlFlow::Break(()));
            }
            if !(self.keep_on)() {
                return Err(StoreError::GivenUp);
            }
            for (at, placed) in (0..).zip(&row.logs()?) {
                let position = index * LOGS_IN_ROW + at;
                self.show(tables, number, position, placed, &mut header)?;
                if self.ended {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Shows the log if it is asked for. `header` is the one last read.
    fn show(
        &mut self,
        tables: &dyn KvRead,
        number: u64,
        log_index: u32,
        placed: &PlacedLog,
        header: &mut Option<schema::HeaderRow>,
    ) -> Result<()> {
        let log = &placed.log;
        if !self.query.matches(log.address, log.topics()) {
            return Ok(());
        }
        if header
            .as_ref()
            .is_none_or(|row| row.header.number != number)
        {
            let row = kv::get::<schema::Headers>(tables, &number)?;
            *header = Some(row.ok_or_else(|| row_missing("headers", number))?);
        }
        let Some(row) = header else { return Ok(()) };
        let found = FoundLog {
            block_number: number,
            block_hash: row.hash,
            block_timestamp: row.header.timestamp,
            tx_hash: placed.tx_hash,
            tx_index: placed.tx_index,
            log_index,
            log: log.clone(),
        };
        self.ended = (self.visit)(found).is_break();
        Ok(())
    }
}
