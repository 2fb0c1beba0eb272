//! The seam below the tables: ordered keys, atomic batches. RocksDB implements it in `rocks.rs`.
//!
//! A test puts tables here that die at their n-th write. Absent on purpose: what keys and values mean.

use crate::{
    Result, StoreError,
    codec::Codec,
    node_row::{self, NodeRow},
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

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write<'a> {
    /// It gets this value.
    Put(&'a [u8]),
    /// It, which is there, gets what [`changed_row`] says.
    Change(&'a [u8]),
    /// It goes, if it is there.
    Delete,
}

/// The value of a row after a [`Write::Change`]; `None` if that cannot be one of it.
pub fn changed_row(value: &[u8], change: &[u8]) -> Option<Vec<u8>> {
    node_row::changed(value, std::iter::once(change))
}

/// Writes, in order.
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
    value: u32,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Put,
    Change,
    Delete,
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
        self.push::<T>(Kind::Put, key, |out| value.put(out));
    }

    /// Changes a row of nodes, which is there, by what [`NodeRow::change`](crate::node_row::NodeRow) made.
    pub(crate) fn change<T: Table<Value = NodeRow>>(&mut self, key: &T::Key, change: &[u8]) {
        self.push::<T>(Kind::Change, key, |out| out.extend_from_slice(change));
    }

    /// Deletes a row, if there is one.
    pub fn delete<T: Table>(&mut self, key: &T::Key) {
        self.push::<T>(Kind::Delete, key, |_| {});
    }

    fn push<T: Table>(&mut self, kind: Kind, key: &T::Key, value: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        key.put(&mut self.bytes);
        let key_end = self.bytes.len();
        value(&mut self.bytes);
        self.ops.push(Op {
            table: T::ID,
            start,
            key: (key_end - start) as u32,
            value: (self.bytes.len() - key_end) as u32,
            kind,
        });
    }

    /// Operations: table, key, and what becomes of the row.
    pub fn ops(&self) -> impl Iterator<Item = (TableId, &[u8], Write<'_>)> {
        self.ops.iter().map(|op| {
            let key_end = op.start + op.key as usize;
            let value = &self.bytes[key_end..key_end + op.value as usize];
            let write = match op.kind {
                Kind::Put => Write::Put(value),
                Kind::Change => Write::Change(value),
                Kind::Delete => Write::Delete,
            };
            (op.table, &self.bytes[op.start..key_end], write)
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
