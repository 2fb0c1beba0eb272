//! The seam below the tables: ordered keys, atomic batches. RocksDB implements it in `rocks.rs`.
//!
//! A test puts tables here that die at their n-th write. Absent on purpose: what keys and values mean.

use crate::{
    Result, StoreError,
    codec::Codec,
    schema::{Table, TableId},
};
use std::ops::ControlFlow;

/// Shows one row; breaks to stop.
pub type Visit<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;

/// Reads of tables, of the newest state or of a snapshot.
pub trait KvRead: Sync {
    /// The value of `key`.
    fn get(&self, table: TableId, key: &[u8]) -> Result<Option<Vec<u8>>>;
    /// Rows from `from` on, ascending by key, until `visit` breaks.
    fn scan(&self, table: TableId, from: &[u8], visit: Visit<'_>) -> Result<()>;
    /// The last row of a table.
    fn last(&self, table: TableId) -> Result<Option<(Vec<u8>, Vec<u8>)>>;
}

/// Ordered tables with atomic batches.
pub trait Kv: KvRead + Send + Sync {
    /// Applies the whole batch or, after a crash, nothing of it; later operations on a key win. With `durable`
    /// it survives a power cut on return, otherwise at least a kill of the process.
    fn write(&self, batch: &Batch, durable: bool) -> Result<()>;
    /// Runs `read` on the state as of now, whatever is written meanwhile.
    fn snapshot(&self, read: &mut dyn FnMut(&dyn KvRead));
}

/// Puts and deletes, in order.
#[derive(Debug, Default, Clone)]
pub struct Batch {
    bytes: Vec<u8>,
    ops: Vec<Op>,
}

#[derive(Debug, Clone, Copy)]
struct Op {
    table: TableId,
    start: usize,
    key: u32,
    value: Option<u32>,
}

impl Batch {
    /// Empty, with room for what is expected.
    pub fn with_capacity(bytes: usize, ops: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            ops: Vec::with_capacity(ops),
        }
    }

    /// Puts a row.
    pub fn put<T: Table>(&mut self, key: &T::Key, value: &T::Value) {
        let start = self.bytes.len();
        key.put(&mut self.bytes);
        let key_end = self.bytes.len();
        value.put(&mut self.bytes);
        let value_bytes = self.bytes.len() - key_end;
        self.ops.push(Op {
            table: T::ID,
            start,
            key: (key_end - start) as u32,
            value: Some(value_bytes as u32),
        });
    }

    /// Deletes a row, if there is one.
    pub fn delete<T: Table>(&mut self, key: &T::Key) {
        let start = self.bytes.len();
        key.put(&mut self.bytes);
        self.ops.push(Op {
            table: T::ID,
            start,
            key: (self.bytes.len() - start) as u32,
            value: None,
        });
    }

    /// Operations: table, key, and the value or `None` for a delete.
    pub fn ops(&self) -> impl Iterator<Item = (TableId, &[u8], Option<&[u8]>)> {
        self.ops.iter().map(|op| {
            let key_end = op.start + op.key as usize;
            let value = op.value.map(|n| &self.bytes[key_end..key_end + n as usize]);
            (op.table, &self.bytes[op.start..key_end], value)
        })
    }

    /// Number of operations.
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// True without operations.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Keys and values together.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }
}

/// A typed read.
pub(crate) fn get<T: Table>(kv: &dyn KvRead, key: &T::Key) -> Result<Option<T::Value>> {
    let mut bytes = Vec::with_capacity(64);
    key.put(&mut bytes);
    kv.get(T::ID, &bytes)?
        .map(|value| decode::<T, _>(&value))
        .transpose()
}

/// Typed rows from `from` on, until `visit` breaks or fails.
pub(crate) fn scan<T: Table>(
    kv: &dyn KvRead,
    from: &[u8],
    mut visit: impl FnMut(T::Key, T::Value) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let mut failed = None;
    kv.scan(T::ID, from, &mut |key, value| {
        let row = decode::<T, T::Key>(key).and_then(|k| Ok((k, decode::<T, T::Value>(value)?)));
        match row.and_then(|(key, value)| visit(key, value)) {
            Ok(flow) => flow,
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    failed.map_or(Ok(()), Err)
}

/// Runs `read` on a snapshot.
pub(crate) fn on_snapshot<R>(
    kv: &dyn Kv,
    read: impl FnOnce(&dyn KvRead) -> Result<R>,
) -> Result<R> {
    let mut read = Some(read);
    let mut result = None;
    kv.snapshot(&mut |snapshot| {
        if let Some(read) = read.take() {
            result = Some(read(snapshot));
        }
    });
    result.unwrap_or_else(|| Err(StoreError::Tables("no snapshot".into())))
}

fn decode<T: Table, V: Codec>(bytes: &[u8]) -> Result<V> {
    V::decode(bytes).map_err(|e| StoreError::Tables(format!("row of `{}`: {e}", T::ID.name())))
}
