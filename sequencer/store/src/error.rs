//! What can go wrong, by what the caller does next.

use alloy_primitives::B256;
use std::{io, path::PathBuf};

/// Why the store refuses or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Ask for a newer block, or run with a longer retention.
    #[error("state of block {number} was pruned; the oldest kept is {oldest}")]
    Pruned {
        /// Asked for.
        number: u64,
        /// The oldest height whose state can be read.
        oldest: u64,
    },
    /// Nothing with this number is on the chain.
    #[error("block {number} does not exist; the head is {head}")]
    NoBlock {
        /// Asked for.
        number: u64,
        /// The newest block.
        head: u64,
    },
    /// The block was built on something that is not the head; build it again.
    #[error("block {number} does not extend the head {head}")]
    NotOnHead {
        /// Of the refused block.
        number: u64,
        /// The newest block.
        head: u64,
    },
    /// Another sealed block waits; publish or discard it first.
    #[error("block {0} is sealed and waits to be published or discarded")]
    Pending(u64),
    /// This pending block is not the one that waits.
    #[error("pending block {0} was already published, discarded or rewound")]
    NotPending(u64),
    /// The wipe, marker or record contradicts what is already known; the text says how.
    #[error("{0}")]
    Refused(String),
    /// The folder belongs to another chain.
    #[error(
        "{dir} holds the chain with genesis {found}, not {wanted}: choose another data folder, or delete this one \
         if its chain is not needed"
    )]
    GenesisDiffers {
        /// The data folder.
        dir: PathBuf,
        /// What it holds.
        found: B256,
        /// What the network file says.
        wanted: B256,
    },
    /// The genesis state does not have the root that its header names.
    #[error(
        "genesis state has root {computed}, its header says {header}: the network file is inconsistent"
    )]
    GenesisRoot {
        /// Of the given state.
        computed: B256,
        /// Of the given header.
        header: B256,
    },
    /// The record of truth is damaged before its end.
    #[error(
        "block log is damaged at byte {offset} of {file}: {what}. Restore the file from a copy, or cut it there \
         (`truncate -s {offset} {file}`, and delete later segments) and let the node fetch the lost blocks from L1"
    )]
    LogDamaged {
        /// Segment.
        file: String,
        /// Where the damaged record begins.
        offset: u64,
        /// Which check failed.
        what: String,
    },
    /// The tables stand for blocks that the log does not have.
    #[error(
        "the tables are ahead of the block log ({0}): restore the log from a copy, or delete the folder `tables` \
         to rebuild it from the log that is there"
    )]
    LogBehindTables(String),
    /// Executing a logged block again gave another block.
    #[error(
        "replaying block {number} gives hash {computed}, the log says {logged}: this program executes differently \
         from the one that wrote the log; run that version, or start from an empty folder"
    )]
    ReplayDiffers {
        /// Height.
        number: u64,
        /// In the log.
        logged: B256,
        /// By this program.
        computed: B256,
    },
    /// Executing a logged block again failed.
    #[error("replaying block {number}: {why}")]
    Replay {
        /// Height.
        number: u64,
        /// In the executor's words.
        why: String,
    },
    /// The disk failed. Nothing more can be written; restart after repair.
    #[error("disk: {0}")]
    Disk(#[from] io::Error),
    /// The tables failed or hold something unreadable.
    #[error("tables: {0}")]
    Tables(String),
    /// The state trie lacks a node or holds a bad one: `db check`, or delete `tables` to rebuild them.
    #[error("trie: {0}")]
    Trie(Box<trie::TrieError>),
    /// Nobody waits for the answer any more.
    #[error("given up")]
    GivenUp,
    /// An earlier failure stopped all writing; the process must restart.
    #[error("the store stopped writing after: {0}")]
    Stopped(String),
}

impl From<trie::TrieError> for StoreError {
    fn from(error: trie::TrieError) -> Self {
        Self::Trie(Box::new(error))
    }
}

/// Short for this crate.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;
