//! Fills one batch, block by block, until it is full.

use crate::{
    EncodeError, Parent, Rules, VERSION,
    bytes::put_varint,
    columns::{self, Columns, NAMES, Stored},
    compressor::Compressor,
    transaction::{Dictionaries, Writer},
};
use alloc::{sync::Arc, vec, vec::Vec};
use primitives::CheckedTx;

/// One batch being filled.
///
/// A block either goes in whole or leaves no trace, so the caller can close the batch and offer the block to the next.
pub struct BatchEncoder {
    rules: Rules,
    /// Longest payload.
    bytes_max: usize,
    last: Parent,
    blocks: usize,
    columns: Columns<Vec<u8>>,
    y_parities: Vec<bool>,
    known: Dictionaries,
    /// What the transactions expand to, by the decoder's measure.
    expanded: usize,
    /// For each column: its length when it was last compressed, and what it took then.
    measured: [(usize, usize); NAMES.len()],
    compressor: Compressor,
}

impl BatchEncoder {
    /// A batch of at most `bytes_max` bytes that begins behind `parent`. Give [`crate::blobs::capacity`] for blobs.
    pub fn new(rules: Rules, parent: Parent, bytes_max: usize) -> Self {
        Self {
            rules,
            // The measure between two compressions is an upper bound but for a few bytes of statistics.
            bytes_max: bytes_max - bytes_max / 200,
            last: parent,
            blocks: 0,
            columns: Columns::default(),
            y_parities: Vec::new(),
            known: Dictionaries::new(),
            expanded: 0,
            measured: [(0, 0); NAMES.len()],
            compressor: Compressor::new(),
        }
    }

    /// Blocks in it.
    pub const fn blocks(&self) -> usize {
        self.blocks
    }

    /// Signed transactions in it.
    pub const fn transactions(&self) -> usize {
        self.y_parities.len()
    }

    /// Where the next block follows: timestamp and anchor of the last one.
    pub const fn last(&self) -> Parent {
        self.last
    }

    /// Adds a block: its deposits (which are only counted) first, then its signed transactions.
    ///
    /// After an error the batch is as before. [`EncodeError::Full`]: finish it and offer the block to the next one.
    pub fn push(
        &mut self,
        timestamp: u64,
        anchor_number: u64,
        transactions: &[Arc<CheckedTx>],
    ) -> Result<(), EncodeError> {
        if self.blocks == self.rules.blocks_max {
            return Err(EncodeError::Full);
        }
        let lens = self.columns.each().map(Vec::len);
        let (known, expanded, txs, measured) = (
            self.known.lens(),
            self.expanded,
            self.y_parities.len(),
            self.measured,
        );
        let result = self
            .write(timestamp, anchor_number, transactions)
            .and_then(|()| self.check_full());
        match result {
            Ok(()) => {
                self.last = Parent {
                    timestamp,
                    anchor_number,
                };
                self.blocks += 1;
            }
            Err(_) => {
                for (column, len) in self.columns.each_mut().into_iter().zip(lens) {
                    column.truncate(len);
                }
                self.known.truncate(known);
                self.expanded = expanded;
                self.y_parities.truncate(txs);
                self.measured = measured;
            }
        }
        result
    }

    fn write(
        &mut self,
        timestamp: u64,
        anchor_number: u64,
        txs: &[Arc<CheckedTx>],
    ) -> Result<(), EncodeError> {
        let time = timestamp
            .checked_sub(self.last.timestamp)
            .ok_or(EncodeError::Unfit("a timestamp that falls"))?;
        let anchor = anchor_number
            .checked_sub(self.last.anchor_number)
            .ok_or(EncodeError::Unfit("an anchor that falls"))?;
        let deposits = txs.iter().take_while(|tx| tx.tx.is_deposit()).count();
        let signed = txs.get(deposits..).unwrap_or(&[]);
        put_varint(&mut self.columns.block_times, time);
        put_varint(&mut self.columns.block_anchors, anchor);
        put_varint(&mut self.columns.block_queue, deposits as u64);
        put_varint(&mut self.columns.block_txs, signed.len() as u64);
        let mut writer = Writer {
            columns: &mut self.columns,
            known: &mut self.known,
        };
        for tx in signed {
            self.expanded += writer.write(tx, self.rules.chain_id)?;
            self.y_parities.push(
                tx.tx
                    .as_signed()
                    .is_some_and(|envelope| envelope.signature().v()),
            );
        }
        Ok(())
    }

    fn check_full(&mut self) -> Result<(), EncodeError> {
        let raw: usize = self.columns.each().iter().map(|c| c.len()).sum::<usize>()
            + self.y_parities.len().div_ceil(8);
        if raw > self.rules.decoded_bytes_max || self.expanded > self.rules.decoded_bytes_max {
            return Err(EncodeError::Full);
        }
        if self.size() > self.bytes_max {
            self.measure();
            if self.size() > self.bytes_max {
                return Err(EncodeError::Full);
            }
        }
        Ok(())
    }

    /// Bytes of the payload as it stands: what was compressed at that size, what came since at its full length.
    /// Cheap, and never noticeably below what [`BatchEncoder::finish`] gives.
    pub fn size(&self) -> usize {
        let columns: usize = self
            .columns
            .each()
            .iter()
            .zip(&self.measured)
            .map(|(column, (len, stored))| column.len().saturating_sub(*len) + stored + HEAD_MAX)
            .sum();
        1 + columns + self.y_parities.len().div_ceil(8)
    }

    /// Like [`BatchEncoder::size`], exact: compresses what grew.
    pub fn measure(&mut self) -> usize {
        for index in 0..NAMES.len() {
            let stored = {
                let each = self.columns.each();
                let (Some(column), Some((len, _))) = (each.get(index), self.measured.get(index))
                else {
                    continue;
                };
                if column.len() == *len {
                    continue;
                }
                let column = column.as_slice();
                let stored = self.compressor.store(index, column);
                (column.len(), stored.len(column))
            };
            if let Some(measured) = self.measured.get_mut(index) {
                *measured = stored;
            }
        }
        self.size()
    }

    /// The payload.
    pub fn finish(self) -> Vec<u8> {
        self.write_payload(true)
    }

    /// The payload without the entropy stage.
    pub fn finish_raw(self) -> Vec<u8> {
        self.write_payload(false)
    }

    fn write_payload(mut self, entropy: bool) -> Vec<u8> {
        self.columns.parities = pack(&self.y_parities);
        let mut payload = vec![VERSION];
        for (index, column) in self.columns.each().into_iter().enumerate() {
            let stored = if entropy {
                self.compressor.store(index, column)
            } else {
                Stored::Raw
            };
            columns::put(&mut payload, column, &stored);
        }
        payload
    }
}

/// Longest head of a column: two varints of lengths below 2^28.
const HEAD_MAX: usize = 8;

/// One bit each, lowest first, the last byte filled with zeros.
fn pack(bits: &[bool]) -> Vec<u8> {
    bits.chunks(8)
        .map(|eight| {
            eight
                .iter()
                .rev()
                .fold(0, |byte, bit| byte << 1 | u8::from(*bit))
        })
        .collect()
}
