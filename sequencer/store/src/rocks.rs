//! RocksDB as [`Kv`]: one column family per table, all its options in one place.

use crate::{
    Result, StoreError,
    kv::{Batch, Kv, KvRead, Visit, Write},
    node_row,
    schema::{Access, TableId},
};
use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB,
    DBCompressionType, DBRawIteratorWithThreadMode, DataBlockIndexType, IteratorMode,
    MergeOperands, Options, SnapshotWithThreadMode, WriteBatch, WriteOptions,
};
use std::path::Path;

/// Blocks of table files in RAM, with filters and indexes of all but the state's. The state cache stands in front of it.
const BLOCK_CACHE_BYTES: usize = 96 << 20;
/// One block, about; also of an index or a filter.
const BLOCK_BYTES: usize = 4 << 10;
/// All memtables together.
const MEMTABLES_BYTES: usize = 128 << 20;
/// One memtable; larger ones sort more before they reach the disk, smaller ones are searched quicker.
const MEMTABLE_BYTES: usize = 32 << 20;
/// What may have to be read again at a restart.
const WAL_BYTES_MAX: u64 = 192 << 20;
/// A filter of this size errs once in a hundred reads.
const BLOOM_BITS_PER_KEY: f64 = 10.0;

/// Part of a memtable for a filter of its keys.
const MEMTABLE_BLOOM_RATIO: f64 = 0.05;

/// The tables on disk.
pub struct Rocks {
    db: DB,
}

impl Rocks {
    /// Opens or makes the tables in `path`.
    pub fn open(path: &Path) -> Result<Self> {
        let mut options = database_options();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        let cache = block_cache();
        let tables = TableId::ALL
            .iter()
            .map(|t| ColumnFamilyDescriptor::new(t.name(), table_options(*t, &cache)));
        Ok(Self {
            db: DB::open_cf_descriptors(&options, path, tables).map_err(failed)?,
        })
    }

    /// Opens existing tables without changing anything, so that a check cannot do harm.
    pub fn open_read_only(path: &Path) -> Result<Self> {
        let cache = block_cache();
        let tables = TableId::ALL
            .iter()
            .map(|t| ColumnFamilyDescriptor::new(t.name(), table_options(*t, &cache)));
        let db = DB::open_cf_descriptors_read_only(&database_options(), path, tables, false)
            .map_err(failed)?;
        Ok(Self { db })
    }

    fn family(&self, table: TableId) -> Result<&ColumnFamily> {
        family(&self.db, table)
    }
}

fn family(db: &DB, table: TableId) -> Result<&ColumnFamily> {
    db.cf_handle(table.name())
        .ok_or_else(|| StoreError::Tables(format!("there is no table `{}`", table.name())))
}

/// A clock, which takes no lock: with a state beyond the cache, every read of a trie node puts some blocks in and out.
fn block_cache() -> Cache {
    Cache::new_hyper_clock_cache(BLOCK_CACHE_BYTES, BLOCK_BYTES)
}

fn database_options() -> Options {
    let mut options = Options::default();
    options.set_db_write_buffer_size(MEMTABLES_BYTES);
    options.set_max_total_wal_size(WAL_BYTES_MAX);
    options.set_max_background_jobs(2);
    options.set_max_open_files(512);
    // Spreads writing to disk, so that the sync of the block log does not queue behind megabytes of tables.
    options.set_bytes_per_sync(1 << 20);
    options.set_wal_bytes_per_sync(1 << 20);
    options.set_keep_log_file_num(2);
    options.set_max_manifest_file_size(16 << 20);
    options
}

fn table_options(table: TableId, cache: &Cache) -> Options {
    let mut blocks = BlockBasedOptions::default();
    blocks.set_block_cache(cache);
    if table.is_state() {
        // Filters and indexes stay in memory, a fortieth of the tables: each transaction asks for random rows, and taking
        // pieces of them from the cache was a good part of a read.
        blocks.set_cache_index_and_filter_blocks(false);
    } else {
        // In pieces, from the cache: these tables grow for ever, and little of them is asked for.
        blocks.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
        blocks.set_partition_filters(true);
        blocks.set_metadata_block_size(BLOCK_BYTES);
        blocks.set_cache_index_and_filter_blocks(true);
        blocks.set_pin_top_level_index_and_filter(true);
        blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
    }
    blocks.set_format_version(5);
    let mut options = Options::default();
    options.set_write_buffer_size(MEMTABLE_BYTES);
    options.set_level_compaction_dynamic_level_bytes(true);
    if table.access() != Access::Ordered {
        // Most keys asked for are in no memtable, and each would be searched.
        options.set_memtable_prefix_bloom_ratio(MEMTABLE_BLOOM_RATIO);
        options.set_memtable_whole_key_filtering(true);
        blocks.set_data_block_index_type(DataBlockIndexType::BinaryAndHash);
    }
    match table.access() {
        Access::Point => {
            blocks.set_bloom_filter(BLOOM_BITS_PER_KEY, false);
            options.set_compression_type(DBCompressionType::Lz4);
        }
        Access::PointDense => {
            blocks.set_bloom_filter(BLOOM_BITS_PER_KEY, false);
            options.set_compression_type(DBCompressionType::None);
        }
        Access::Present => {
            blocks.set_bloom_filter(BLOOM_BITS_PER_KEY, false);
            options.set_compression_type(DBCompressionType::None);
            // No filters for the last level, which holds nine rows in ten.
            options.set_optimize_filters_for_hits(true);
        }
        Access::Ordered => {
            blocks.set_block_size(16 << 10);
            options.set_compression_type(DBCompressionType::Lz4);
        }
    }
    if let TableId::AccountNodes | TableId::StorageNodes = table {
        options.set_merge_operator(
            "node changes",
            |_: &[u8], row: Option<&[u8]>, changes: &MergeOperands| {
                node_row::changed(row?, changes.iter())
            },
            |_: &[u8], _: Option<&[u8]>, changes: &MergeOperands| {
                node_row::combined(changes.iter())
            },
        );
    }
    options.set_block_based_table_factory(&blocks);
    options
}

impl KvRead for Rocks {
    fn get(&self, table: TableId, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.db.get_cf(self.family(table)?, key).map_err(failed)
    }

    fn scan(&self, table: TableId, from: &[u8], visit: Visit<'_>) -> Result<()> {
        visit_from(self.db.raw_iterator_cf(self.family(table)?), from, visit)
    }

    fn last(&self, table: TableId) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        let mut rows = self.db.iterator_cf(self.family(table)?, IteratorMode::End);
        Ok(rows
            .next()
            .transpose()
            .map_err(failed)?
            .map(|(k, v)| (k.into(), v.into())))
    }
}

impl Kv for Rocks {
    fn write(&self, batch: &Batch, durable: bool) -> Result<()> {
        let families = TableId::ALL
            .iter()
            .map(|t| self.family(*t))
            .collect::<Result<Vec<_>>>()?;
        let mut writes = WriteBatch::with_capacity_bytes(batch.bytes() + 16 * batch.len());
        for (table, key, write) in batch.ops() {
            let family = families[table as usize];
            match write {
                Write::Put(value) => writes.put_cf(family, key, value),
                Write::Change(change) => writes.merge_cf(family, key, change),
                Write::Delete => writes.delete_cf(family, key),
            }
        }
        let mut options = WriteOptions::default();
        options.set_sync(durable);
        self.db.write_opt(writes, &options).map_err(failed)
    }

    fn snapshot(&self, read: &mut dyn FnMut(&dyn KvRead)) {
        read(&RocksSnapshot {
            db: &self.db,
            snapshot: self.db.snapshot(),
        });
    }
}

struct RocksSnapshot<'a> {
    db: &'a DB,
    snapshot: SnapshotWithThreadMode<'a, DB>,
}

impl KvRead for RocksSnapshot<'_> {
    fn get(&self, table: TableId, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.snapshot
            .get_cf(family(self.db, table)?, key)
            .map_err(failed)
    }

    fn scan(&self, table: TableId, from: &[u8], visit: Visit<'_>) -> Result<()> {
        let rows = self.snapshot.raw_iterator_cf(family(self.db, table)?);
        visit_from(rows, from, visit)
    }

    fn last(&self, table: TableId) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        let mut rows = self
            .snapshot
            .iterator_cf(family(self.db, table)?, IteratorMode::End);
        Ok(rows
            .next()
            .transpose()
            .map_err(failed)?
            .map(|(k, v)| (k.into(), v.into())))
    }
}

fn visit_from(
    mut rows: DBRawIteratorWithThreadMode<'_, DB>,
    from: &[u8],
    visit: Visit<'_>,
) -> Result<()> {
    rows.seek(from);
    while let Some((key, value)) = rows.item() {
        if visit(key, value).is_break() {
            return Ok(());
        }
        rows.next();
    }
    rows.status().map_err(failed)
}

fn failed(error: rocksdb::Error) -> StoreError {
    StoreError::Tables(error.into_string())
}
