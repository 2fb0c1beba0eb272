//! A log disk and tables in memory that die together at their n-th write, leaving what a power cut would leave.

use parking_lot::Mutex;
use std::{collections::BTreeMap, io, sync::Arc};
use store::{Batch, Disk, Kv, KvRead, StoreError, TableId, Visit, Write, changed_row};

type Rows = BTreeMap<(TableId, Vec<u8>), Vec<u8>>;

/// Counts writes; the n-th and all after it fail.
#[derive(Default)]
struct Fuse {
    writes: u64,
    dies_at: Option<u64>,
}

#[derive(Default)]
struct Inner {
    fuse: Fuse,
    files: BTreeMap<String, File>,
    rows: Rows,
    /// Batches since the last durable one, and `rows` before them.
    loose: Vec<Batch>,
    durable: Rows,
}

#[derive(Default, Clone)]
struct File {
    bytes: Vec<u8>,
    synced: usize,
}

/// A machine's storage.
#[derive(Default, Clone)]
pub struct Machine(Arc<Mutex<Inner>>);

enum Step {
    Whole,
    /// This write is the last, and may be partial.
    Dying,
}

impl Inner {
    fn step(&mut self) -> Result<Step, io::Error> {
        self.fuse.writes += 1;
        match self.fuse.dies_at {
            Some(n) if self.fuse.writes == n => Ok(Step::Dying),
            Some(n) if self.fuse.writes > n => Err(dead()),
            _ => Ok(Step::Whole),
        }
    }

    fn alive(&self) -> Result<(), io::Error> {
        match self.fuse.dies_at {
            Some(n) if self.fuse.writes >= n => Err(dead()),
            _ => Ok(()),
        }
    }
}

fn dead() -> io::Error {
    io::Error::other("the machine is dead")
}

impl Machine {
    /// Dies at the n-th write from now.
    pub fn die_at(&self, n: u64) {
        let mut inner = self.0.lock();
        inner.fuse = Fuse {
            writes: 0,
            dies_at: Some(n),
        };
    }

    pub fn is_dead(&self) -> bool {
        self.0.lock().alive().is_err()
    }

    /// What is found after the power is back. `luck` decides what became of what was not synced.
    pub fn after_power_cut(&self, luck: u64) -> Self {
        let inner = self.0.lock();
        let mut files = inner.files.clone();
        for file in files.values_mut() {
            let loose = file.bytes.len() - file.synced;
            let kept = match luck % 4 {
                0 => 0,
                1 => loose,
                2 => loose / 2,
                _ => loose * (luck as usize % 97) / 97,
            };
            file.bytes.truncate(file.synced + kept);
            // Pages reach the disk in any order: what lies in the middle may be missing.
            if luck.is_multiple_of(5) && kept > 40 {
                let hole = file.synced + kept / 2;
                file.bytes[hole] ^= 0xff;
            }
            file.synced = file.bytes.len();
        }
        files.retain(|_, file| !file.bytes.is_empty() || luck.is_multiple_of(2));
        let mut rows = inner.durable.clone();
        let kept = if inner.loose.is_empty() {
            0
        } else {
            luck as usize % (inner.loose.len() + 1)
        };
        for batch in &inner.loose[..kept] {
            apply(&mut rows, batch);
        }
        Self(Arc::new(Mutex::new(Inner {
            files,
            durable: rows.clone(),
            rows,
            ..Inner::default()
        })))
    }

    /// A second machine with the same contents.
    pub fn copy(&self) -> Self {
        self.after_power_cut(1)
    }

    /// The same log beside the tables of another machine.
    pub fn with_tables_of(&self, other: &Self) -> Self {
        let rows = other.0.lock().rows.clone();
        let files = self.0.lock().files.clone();
        Self(Arc::new(Mutex::new(Inner {
            files,
            durable: rows.clone(),
            rows,
            ..Inner::default()
        })))
    }

    pub fn file_names(&self) -> Vec<String> {
        self.0.lock().files.keys().cloned().collect()
    }

    /// Changes a file's bytes behind the store's back.
    pub fn tamper(&self, file: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut inner = self.0.lock();
        let file = inner.files.get_mut(file).unwrap();
        change(&mut file.bytes);
        file.synced = file.bytes.len();
    }

    /// Adds a row behind the store's back, or takes it away.
    pub fn set_row(&self, table: TableId, key: &[u8], value: Option<&[u8]>) {
        let mut inner = self.0.lock();
        let key = (table, key.to_vec());
        match value {
            Some(value) => inner.rows.insert(key, value.to_vec()),
            None => inner.rows.remove(&key),
        };
    }

    /// Changes the n-th row of a table behind the store's back.
    pub fn tamper_row(&self, table: TableId, n: usize, change: impl FnOnce(&mut Vec<u8>)) {
        let mut inner = self.0.lock();
        let (_, value) = inner
            .rows
            .iter_mut()
            .filter(|((t, _), _)| *t == table)
            .nth(n)
            .unwrap();
        change(value);
    }
}

fn apply(rows: &mut Rows, batch: &Batch) {
    for (table, key, write) in batch.ops() {
        let place = (table, key.to_vec());
        match write {
            Write::Put(value) => rows.insert(place, value.to_vec()),
            Write::Change(change) => {
                let value = changed_row(&rows[&place], change).expect("a change of this row");
                rows.insert(place, value)
            }
            Write::Delete => rows.remove(&place),
        };
    }
}

impl Disk for Machine {
    fn list(&self) -> io::Result<Vec<String>> {
        self.0.lock().alive()?;
        Ok(self.file_names())
    }

    fn len(&self, file: &str) -> io::Result<u64> {
        let inner = self.0.lock();
        inner.alive()?;
        Ok(inner
            .files
            .get(file)
            .ok_or(io::ErrorKind::NotFound)?
            .bytes
            .len() as u64)
    }

    fn read(&self, file: &str, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        let inner = self.0.lock();
        inner.alive()?;
        let bytes = &inner.files.get(file).ok_or(io::ErrorKind::NotFound)?.bytes;
        let part = bytes
            .get(offset as usize..offset as usize + buf.len())
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        buf.copy_from_slice(part);
        Ok(())
    }

    fn append(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.0.lock();
        let step = inner.step()?;
        inner
            .files
            .entry(file.into())
            .or_default()
            .bytes
            .extend_from_slice(bytes);
        match step {
            Step::Whole => Ok(()),
            Step::Dying => Err(dead()),
        }
    }

    fn sync(&self, file: &str) -> io::Result<()> {
        let mut inner = self.0.lock();
        match inner.step()? {
            Step::Whole => {
                let file = inner.files.get_mut(file).ok_or(io::ErrorKind::NotFound)?;
                file.synced = file.bytes.len();
                Ok(())
            }
            Step::Dying => Err(dead()),
        }
    }

    fn truncate(&self, file: &str, len: u64) -> io::Result<()> {
        let mut inner = self.0.lock();
        match inner.step()? {
            Step::Whole => {
                let file = inner.files.get_mut(file).ok_or(io::ErrorKind::NotFound)?;
                file.bytes.truncate(len as usize);
                file.synced = file.bytes.len();
                Ok(())
            }
            Step::Dying => Err(dead()),
        }
    }
}

fn tables(error: io::Error) -> StoreError {
    StoreError::Tables(error.to_string())
}

struct RowsRead<'a>(&'a Rows);

impl KvRead for RowsRead<'_> {
    fn get(&self, table: TableId, key: &[u8]) -> store::Result<Option<Vec<u8>>> {
        Ok(self.0.get(&(table, key.to_vec())).cloned())
    }

    fn scan(&self, table: TableId, from: &[u8], visit: Visit<'_>) -> store::Result<()> {
        for ((_, key), value) in self
            .0
            .range((table, from.to_vec())..)
            .take_while(|((t, _), _)| *t == table)
        {
            if visit(key, value).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn last(&self, table: TableId) -> store::Result<Option<(Vec<u8>, Vec<u8>)>> {
        let rows = self
            .0
            .range((table, Vec::new())..)
            .take_while(|((t, _), _)| *t == table);
        Ok(rows
            .last()
            .map(|((_, key), value)| (key.clone(), value.clone())))
    }
}

impl KvRead for Machine {
    fn get(&self, table: TableId, key: &[u8]) -> store::Result<Option<Vec<u8>>> {
        let inner = self.0.lock();
        inner.alive().map_err(tables)?;
        RowsRead(&inner.rows).get(table, key)
    }

    fn scan(&self, table: TableId, from: &[u8], visit: Visit<'_>) -> store::Result<()> {
        let inner = self.0.lock();
        inner.alive().map_err(tables)?;
        RowsRead(&inner.rows).scan(table, from, visit)
    }

    fn last(&self, table: TableId) -> store::Result<Option<(Vec<u8>, Vec<u8>)>> {
        let inner = self.0.lock();
        inner.alive().map_err(tables)?;
        RowsRead(&inner.rows).last(table)
    }
}

impl Kv for Machine {
    fn write(&self, batch: &Batch, durable: bool) -> store::Result<()> {
        let mut inner = self.0.lock();
        let step = inner.step().map_err(tables)?;
        let inner = &mut *inner;
        if let Step::Dying = step {
            // It may have reached the disk all the same; `after_power_cut` decides.
            inner.loose.push(batch.clone());
            return Err(tables(dead()));
        }
        apply(&mut inner.rows, batch);
        inner.loose.push(batch.clone());
        if durable {
            for batch in inner.loose.drain(..) {
                apply(&mut inner.durable, &batch);
            }
        }
        Ok(())
    }

    fn snapshot(&self, read: &mut dyn FnMut(&dyn KvRead)) {
        let rows = self.0.lock().rows.clone();
        read(&RowsRead(&rows));
    }
}
