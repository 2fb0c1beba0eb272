//! Where the store lives and how much memory and lag it may have.

use std::path::PathBuf;

/// How one store is kept.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Data folder; `log/` and `tables/` are made in it.
    pub dir: PathBuf,
    /// State of this many blocks behind the head can be read; `None` keeps everything.
    pub retention_blocks: Option<u64>,
    /// Latest accounts and slots kept in RAM.
    pub cache_bytes: usize,
    /// Trie nodes kept in RAM between flushes.
    pub trie_bytes: usize,
    /// Whole blocks kept in RAM after they were flushed, and again for blocks read from disk.
    pub block_cache_bytes: usize,
    /// A flush begins after this many transactions.
    pub flush_txs: u64,
    /// ... or this much data,
    pub flush_bytes: usize,
    /// ... or this long after the first unflushed block.
    pub flush_interval_ms: u64,
    /// `publish` waits while this many transactions are not in the tables: bounds both memory and restart.
    pub lag_txs_max: u64,
    /// A new log segment begins once the current one is this long.
    pub segment_bytes: u64,
    /// The background thread reports to the process's metrics. False for a second chain in one process, whose
    /// figures would be mistaken for the first one's; its other threads are its owner's to silence.
    pub measured: bool,
}

impl StoreOptions {
    /// The sizes we run with. A node with a million accounts, whose trie takes 180 MiB, stays below 1 GiB; with ten million it
    /// takes 1.3 GiB.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            retention_blocks: None,
            cache_bytes: 80 << 20,
            trie_bytes: 512 << 20,
            block_cache_bytes: 32 << 20,
            // Larger flushes write hot keys and upper trie nodes less often; smaller ones restart sooner.
            flush_txs: 10_000,
            flush_bytes: 32 << 20,
            flush_interval_ms: 2_000,
            // Replay runs at some 10k transactions per second or more; a restart may take five seconds.
            lag_txs_max: 30_000,
            segment_bytes: 256 << 20,
            measured: true,
        }
    }
}
