//! Why the embedded L1 cannot do what it was asked.

use std::{io, net::SocketAddr, path::PathBuf};
use stf::BlockError;
use store::StoreError;

/// See the variants.
#[derive(Debug, thiserror::Error)]
pub enum L1DevError {
    /// Choose another address, or end who listens there.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The folder cannot be used.
    #[error("{dir}: {source}")]
    Folder {
        /// Which.
        dir: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The folder holds something that this program did not write.
    #[error("{0} in the L1's data folder is unreadable; delete the folder to begin a new chain")]
    Unreadable(String),
    /// The process ran out of threads.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// The disk, or a folder of another chain; the text says which.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No block can be made.
    #[error("making block {number}: {source}")]
    Block {
        /// Its number.
        number: u64,
        /// Why.
        source: BlockError,
    },
    /// The chain is not that long.
    #[error("cannot replace {depth} blocks of {height}")]
    Depth {
        /// Asked for.
        depth: u64,
        /// Number of the head.
        height: u64,
    },
    /// Time does not go back.
    #[error("timestamp {wanted} is not above the head's {head}")]
    TimeGoesBack {
        /// Asked for, seconds.
        wanted: u64,
        /// The head's, seconds.
        head: u64,
    },
}
