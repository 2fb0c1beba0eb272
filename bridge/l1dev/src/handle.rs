//! Starting, steering and ending an embedded L1.

use crate::{L1DevError, Mining, Options, chain::Chain, mining, server::Server};
use primitives::SealedBlock;
use std::{path::Path, sync::Arc, thread::JoinHandle};
use tempfile::TempDir;

/// A running L1. It ends when this is dropped, and its temporary folder goes with it.
pub struct Handle {
    chain: Arc<Chain>,
    server: Server,
    miner: Option<JoinHandle<()>>,
    /// Deleted last.
    _dir: Option<TempDir>,
}

/// Opens the chain, makes blocks as [`Options::mining`] says, and listens. Returns once requests are answered.
pub fn start(options: Options) -> Result<Handle, L1DevError> {
    let temporary = match &options.dir {
        Some(dir) => {
            std::fs::create_dir_all(dir).map_err(|source| L1DevError::Folder {
                dir: dir.clone(),
                source,
            })?;
            None
        }
        None => Some(
            tempfile::Builder::new()
                .prefix("tributary-l1-")
                .tempdir()
                .map_err(|source| L1DevError::Folder {
                    dir: std::env::temp_dir(),
                    source,
                })?,
        ),
    };
    let dir: &Path = match (&options.dir, &temporary) {
        (Some(dir), _) => dir,
        (None, temporary) => temporary.as_ref().map_or(Path::new("."), TempDir::path),
    };
    let chain = Chain::open(&options, dir)?;
    let server = Server::start(chain.clone(), options.listen)?;
    let miner = std::thread::Builder::new()
        .name("l1-blocks".into())
        .spawn({
            let chain = chain.clone();
            move || mining::run(&chain)
        })
        .map_err(L1DevError::Thread)?;
    Ok(Handle {
        chain,
        server,
        miner: Some(miner),
        _dir: temporary,
    })
}

impl Handle {
    /// Of JSON-RPC and of the blob API, over HTTP; `ws://` works too.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// The newest block.
    pub fn head(&self) -> Arc<SealedBlock> {
        self.chain.store.head()
    }

    /// Makes `blocks` blocks, the first of them of what is ready, and returns the new head.
    pub fn mine(&self, blocks: u64) -> Result<Arc<SealedBlock>, L1DevError> {
        self.chain.mine(blocks)
    }

    /// Replaces the newest `depth` blocks by as many others with the same times, and returns the new head. Their
    /// transactions wait again, blobs included, and enter the new blocks; with `drop` they are forgotten.
    ///
    /// Deeper than two epochs takes back finalized blocks, which no L1 does: choose [`Options::slots_per_epoch`] to
    /// match.
    pub fn reorg(&self, depth: u64, drop: bool) -> Result<Arc<SealedBlock>, L1DevError> {
        self.chain.reorg(depth, drop)
    }

    /// Blocks are made at other times from now on.
    pub fn set_mining(&self, mining: Mining) {
        self.chain.signal.set_mining(mining);
    }

    /// Moves L1's time on by `seconds`; returns how far it is ahead of the clock.
    pub fn increase_time(&self, seconds: u64) -> Result<u64, L1DevError> {
        self.chain.increase_time(seconds)
    }

    /// The next block has exactly this time, seconds, which must be above the head's.
    pub fn set_next_timestamp(&self, timestamp: u64) -> Result<(), L1DevError> {
        self.chain.set_next_timestamp(timestamp)
    }

    /// Ends the threads and writes what is not on disk yet. Dropping the handle does the same.
    pub fn stop(self) {}
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.chain.signal.stop();
        self.server.stop();
        if let Some(miner) = self.miner.take() {
            let _ = miner.join();
        }
    }
}
