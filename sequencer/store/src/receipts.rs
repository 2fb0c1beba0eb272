//! Receipts in the tables: a block's outcomes in one row, its logs in rows of sixteen with the hashes of their
//! transactions, so that a log is read without its block.

use crate::{
    Batch, Result, StoreError,
    codec::{Codec, Reader, Undecodable, put_bytes, put_varint},
    kv::{self, KvRead},
    schema::{self, Table},
};
use alloy_primitives::{B256, Bytes, Log, LogData};
use primitives::{Receipt, SealedBlock};
use std::ops::ControlFlow;

/// More would be read in vain for the sake of one; fewer would be rows of mostly key.
pub const LOGS_IN_ROW: u32 = 16;

/// A receipt without its logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    tx_type: u8,
    success: bool,
    post_state: Option<B256>,
    cumulative_gas_used: u64,
    logs: u64,
}

impl Outcome {
    fn of(receipt: &Receipt) -> Self {
        Self {
            tx_type: receipt.tx_type,
            success: receipt.success,
            post_state: receipt.post_state,
            cumulative_gas_used: receipt.cumulative_gas_used,
            logs: receipt.logs.len() as u64,
        }
    }
}

impl Codec for Vec<Outcome> {
    fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, self.len() as u64);
        for outcome in self {
            out.push(outcome.tx_type);
            let root = u8::from(outcome.post_state.is_some());
            out.push(u8::from(outcome.success) | root << 1);
            if let Some(root) = &outcome.post_state {
                root.put(out);
            }
            put_varint(out, outcome.cumulative_gas_used);
            put_varint(out, outcome.logs);
        }
    }
    fn read(from: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let count = from.count()?;
        let mut outcomes = Vec::with_capacity(count.min(4096));
        for _ in 0..count {
            let tx_type = from.u8()?;
            let flags = from.u8()?;
            if flags > 3 {
                return Err(Undecodable("flags"));
            }
            outcomes.push(Outcome {
                tx_type,
                success: flags & 1 != 0,
                post_state: (flags & 2 != 0).then(|| from.hash()).transpose()?,
                cumulative_gas_used: from.varint()?,
                logs: from.varint()?,
            });
        }
        Ok(outcomes)
    }
}

/// A log and the transaction that emitted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedLog {
    pub tx_index: u32,
    pub tx_hash: B256,
    pub log: Log,
}

/// Up to [`LOGS_IN_ROW`] logs of one block, in order, as bytes.
#[derive(Debug, Default)]
pub struct LogRow {
    bytes: Vec<u8>,
    /// Transaction of the last log.
    tx: Option<u32>,
}

impl LogRow {
    fn push(&mut self, tx: u32, hash: &B256, log: &Log) {
        put_varint(&mut self.bytes, u64::from(tx - self.tx.unwrap_or(0)));
        if self.tx != Some(tx) {
            hash.put(&mut self.bytes);
        }
        self.tx = Some(tx);
        log.address.put(&mut self.bytes);
        put_varint(&mut self.bytes, log.topics().len() as u64);
        for topic in log.topics() {
            topic.put(&mut self.bytes);
        }
        put_bytes(&mut self.bytes, &log.data.data);
    }

    /// What the bytes say.
    pub fn logs(&self) -> Result<Vec<PlacedLog>> {
        unpack(&self.bytes)
            .map_err(|e| StoreError::Tables(format!("row of `{}`: {e}", schema::Logs::ID.name())))
    }
}

fn unpack(bytes: &[u8]) -> Result<Vec<PlacedLog>, Undecodable> {
    let mut from = Reader(bytes);
    let mut logs: Vec<PlacedLog> = Vec::with_capacity(LOGS_IN_ROW as usize);
    while from.end().is_err() {
        if logs.len() == LOGS_IN_ROW as usize {
            return Err(Undecodable("too many logs"));
        }
        let step = u32::try_from(from.varint()?).map_err(|_| Undecodable("transaction"))?;
        let (tx_index, tx_hash) = match logs.last() {
            Some(last) if step == 0 => (last.tx_index, last.tx_hash),
            last => {
                let before = last.map_or(0, |last| last.tx_index);
                let index = before.checked_add(step);
                (index.ok_or(Undecodable("transaction"))?, from.hash()?)
            }
        };
        let address = from.address()?;
        let count = from.count()?;
        if count > 4 {
            return Err(Undecodable("topics"));
        }
        let topics = (0..count)
            .map(|_| from.hash())
            .collect::<Result<Vec<_>, _>>()?;
        let data = Bytes::copy_from_slice(from.bytes()?);
        logs.push(PlacedLog {
            tx_index,
            tx_hash,
            log: Log {
                address,
                data: LogData::new_unchecked(topics, data),
            },
        });
    }
    Ok(logs)
}

impl Codec for LogRow {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes);
    }
    fn read(from: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let bytes = Vec::read(from)?;
        Ok(Self { bytes, tx: None })
    }
}

/// Writes the receipts of a block.
pub fn put_receipts(batch: &mut Batch, block: &SealedBlock) {
    let number = block.header.number;
    let outcomes = block.receipts.iter().map(Outcome::of).collect();
    batch.put::<schema::Receipts>(&number, &outcomes);
    let (mut row, mut index, mut room) = (LogRow::default(), 0u32, LOGS_IN_ROW);
    for (tx, receipt) in (0..).zip(&block.receipts) {
        for log in &receipt.logs {
            row.push(tx, &block.transactions[tx as usize].hash, log);
            room -= 1;
            if room == 0 {
                batch.put::<schema::Logs>(&(number, index), &row);
                (row, index, room) = (LogRow::default(), index + 1, LOGS_IN_ROW);
            }
        }
    }
    if room < LOGS_IN_ROW {
        batch.put::<schema::Logs>(&(number, index), &row);
    }
}

/// The receipts of a block; `None` if the tables do not have it.
pub fn receipts(kv: &dyn KvRead, number: u64) -> Result<Option<Vec<Receipt>>> {
    let Some(outcomes) = kv::get::<schema::Receipts>(kv, &number)? else {
        return Ok(None);
    };
    let mut logs = Vec::new();
    if outcomes.iter().any(|outcome| outcome.logs > 0) {
        let mut from = Vec::with_capacity(12);
        (number, 0u32).put(&mut from);
        kv::scan::<schema::Logs>(kv, &from, |(found, _), row| {
            if found != number {
                return Ok(ControlFlow::Break(()));
            }
            logs.extend(row.logs()?);
            Ok(ControlFlow::Continue(()))
        })?;
    }
    let (count, mut logs) = (logs.len() as u64, logs.into_iter().peekable());
    if outcomes.iter().map(|outcome| outcome.logs).sum::<u64>() != count {
        return Err(StoreError::Tables(format!(
            "the logs of block {number} are not all there; run `db check`"
        )));
    }
    let receipts = (0..).zip(outcomes).map(|(tx, outcome)| Receipt {
        tx_type: outcome.tx_type,
        success: outcome.success,
        post_state: outcome.post_state,
        cumulative_gas_used: outcome.cumulative_gas_used,
        logs: std::iter::from_fn(|| logs.next_if(|log: &PlacedLog| log.tx_index == tx))
            .map(|placed| placed.log)
            .collect(),
    });
    Ok(Some(receipts.collect()))
}

/// Deletes the receipts of a block, which are these.
pub fn delete_receipts(batch: &mut Batch, number: u64, receipts: &[Receipt]) {
    batch.delete::<schema::Receipts>(&number);
    for row in 0..log_rows(receipts) {
        batch.delete::<schema::Logs>(&(number, row));
    }
}

/// Rows that the logs of these receipts take.
pub fn log_rows(receipts: &[Receipt]) -> u32 {
    let logs: usize = receipts.iter().map(|receipt| receipt.logs.len()).sum();
    logs.div_ceil(LOGS_IN_ROW as usize) as u32
}
