//! The only disk: the block log first, RocksDB behind it, RAM in front.
//!
//! One writer seals and publishes blocks and rewinds them; anyone reads, at any height that is kept. A block is in
//! the synced log before anyone sees it; a background thread writes what follows from it (state, history, trie
//! nodes, indexes) into the tables, many blocks in one atomic batch that carries their height. After a crash the
//! log is replayed from that height: one start path, always the same.
//!
//! Always holds: what `publish` returned survives `kill -9`; a [`StateView`] shows one block's state however far the
//! head has moved; finalized ≤ safe ≤ head.
//!
//! Absent on purpose: deciding what goes into a block, networking, JSON, any second writer.
#![forbid(unsafe_code)]

mod bridge;
mod cache;
mod check;
mod check_logs;
mod codec;
mod disk;
mod error;
mod expand;
mod find_logs;
mod flush;
mod genesis;
mod kv;
mod log;
mod log_terms;
mod node_row;
mod open;
mod options;
mod overlay;
mod postings;
mod proof;
mod read;
mod receipts;
mod recent;
mod records;
mod rewind;
mod rocks;
mod schema;
mod slot_keys;
mod state;
mod store;
mod trie_at;
mod undo;
mod view;
mod write;

pub use bridge::{
    DepositInfo, FromL1, L1Event, L1Note, L1Said, OutputInfo, WithdrawalPlace, WithdrawalProof,
};
pub use check::{Report, check, check_on};
pub use disk::{Disk, Folder};
pub use error::{Result, StoreError};
pub use find_logs::{FoundLog, LogQuery, VisitLog};
pub use genesis::Genesis;
pub use kv::{Batch, Kv, KvRead, Visit, Write, changed_row};
pub use options::StoreOptions;
pub use rocks::Rocks;
pub use schema::{Access, TableId};
pub use store::{BatchInfo, BlockMeta, ChainEvent, Listener, PendingBlock, Store};
pub use trie::{AccountProof, SlotProof};
pub use view::StateView;
