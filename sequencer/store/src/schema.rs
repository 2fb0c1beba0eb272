//! Every table: its key, its value, and how it is read. `FORMAT.md` has the bytes.
//!
//! Always holds: all rows of one flush stand for the height in [`Tip`]; nothing here is needed to rebuild
//! anything else here: all up to `LogIndex` but `Markers` follows from the block log, `Journal` is notes, and the rest
//! is what L1 says, which L1 says again.

use crate::{
    BatchInfo, BlockMeta, DepositInfo, L1Event, L1Note, OutputInfo, WithdrawalProof,
    codec::{Codec, Reader, Undecodable, Undo, put_bytes, put_varint},
    log::{LogPosition, LogRef},
    log_terms::LogPositions,
    node_row::NodeRow,
    receipts::{LogRow, Outcome},
};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_rlp::{Decodable, Encodable};
use primitives::{Account, Header};
use trie::Nibbles;

/// How a table is read, which decides its filters and compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// By whole random keys: a bloom filter spares the levels that lack the key.
    Point,
    /// Like `Point`, with values that do not compress (hashes).
    PointDense,
    /// Like `PointDense`, asked only for keys that are there: the level that has all the rest needs no filter.
    Present,
    /// By ranges and seeks.
    Ordered,
}

/// A typed table.
pub trait Table {
    /// Which.
    const ID: TableId;
    /// Row key; its bytes sort as the table is scanned.
    type Key: Codec;
    /// Row value.
    type Value: Codec;
}

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $access:ident: $key:ty => $value:ty;)*) => {
        /// Names a table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum TableId { $($(#[$doc])* $name,)* }

        impl TableId {
            /// All tables, in the order of their discriminants.
            pub const ALL: &[TableId] = &[$(TableId::$name,)*];

            /// The name on disk.
            pub const fn name(self) -> &'static str {
                match self { $(TableId::$name => $text,)* }
            }

            /// True if it holds the state at the tip or its trie: as large as the state, however long the chain.
            pub const fn is_state(self) -> bool {
                matches!(
                    self,
                    Self::Accounts | Self::Slots | Self::AccountNodes | Self::StorageNodes
                )
            }

            /// How it is read.
            pub const fn access(self) -> Access {
                match self { $(TableId::$name => Access::$access,)* }
            }
        }

        $($(#[$doc])* pub struct $name;
        impl Table for $name {
            const ID: TableId = TableId::$name;
            type Key = $key;
            type Value = $value;
        })*
    };
}

tables! {
    /// What the tables stand for; one row.
    Tip = "tip", Ordered: () => TipRow;
    /// Safe and finalized height; one row.
    Markers = "markers", Ordered: () => (u64, u64);
    /// Number to hash and header.
    Headers = "headers", Ordered: u64 => HeaderRow;
    /// Block hash to number.
    Numbers = "numbers", Point: B256 => u64;
    /// Number to the block's record in the log, with its anchor.
    Bodies = "bodies", Ordered: u64 => BodyRow;
    /// Transaction hash to block number and index.
    Transactions = "transactions", PointDense: B256 => (u64, u32);
    /// Number to all receipts, without their logs.
    Receipts = "receipts", Ordered: u64 => Vec<Outcome>;
    /// Number and row, sixteen logs to a row.
    Logs = "logs", Ordered: (u64, u32) => LogRow;
    /// The state at the tip: accounts.
    Accounts = "accounts", PointDense: Address => Account;
    /// The state at the tip: storage. Zero is absent.
    Slots = "slots", Point: SlotKey => U256;
    /// Code by hash; never deleted.
    Codes = "codes", Point: B256 => Bytes;
    /// Nodes of the account trie at the tip.
    AccountNodes = "account_nodes", Present: NodePath => NodeRow;
    /// Nodes of the storage tries at the tip, by hashed address.
    StorageNodes = "storage_nodes", Present: (B256, NodePath) => NodeRow;
    /// The account before the block. State at `n`: the first row at or above `n + 1`, else the tip's.
    AccountHistory = "account_history", Ordered: (Address, u64) => Option<Account>;
    /// The slot before the block.
    SlotHistory = "slot_history", Ordered: (SlotKey, u64) => U256;
    /// All that a block replaced, to undo it.
    Undos = "undos", Ordered: u64 => Undo;
    /// Logs with an address or topic, by block; a collision of terms makes it too many, never too few.
    LogIndex = "log_index", Ordered: (LogTerm, u64) => LogPositions;
    /// Hash of a withdrawal to its block and the place of its log among the block's.
    Withdrawals = "withdrawals", PointDense: B256 => (u64, u32);
    /// Batches seen on L1, by index.
    Records = "records", Ordered: u64 => BatchInfo;
    /// Last block of a batch to the batch's index.
    RecordOfBlock = "record_of_block", Ordered: u64 => u64;
    /// Entries of L1's queue, by index.
    Deposits = "deposits", Ordered: u64 => DepositInfo;
    /// L1 transaction and queue index.
    DepositsOfTx = "deposits_of_tx", Ordered: (B256, u64) => ();
    /// Asserted output roots, by their place in L1's list.
    Outputs = "outputs", Ordered: u64 => OutputInfo;
    /// L2 block of an output root and its place in the list.
    OutputsOfBlock = "outputs_of_block", Ordered: (u64, u64) => ();
    /// What L1 said of an assertion or a withdrawal, by its id or hash, then by L1 block and log.
    L1Events = "l1_events", Ordered: L1EventKey => L1Note;
    /// L1 block and subjects of its events, so that a reorg finds what to forget.
    L1EventsOfBlock = "l1_events_of_block", Ordered: (u64, B256) => ();
    /// Proof of a withdrawal against an asserted output root.
    WithdrawalProofs = "withdrawal_proofs", PointDense: B256 => WithdrawalProof;
    /// Small durable notes of other parts.
    Journal = "journal", Ordered: Vec<u8> => Vec<u8>;
}

/// Version of all this. A store with another one is rebuilt from the log by deleting `tables`.
pub const SCHEMA_VERSION: u32 = 4;

/// What the tables stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TipRow {
    /// [`SCHEMA_VERSION`].
    pub schema: u32,
    /// Hash of the chain's first block.
    pub genesis: B256,
    /// The flushed height.
    pub height: u64,
    /// Hash of that block.
    pub hash: B256,
    /// The log up to here is contained.
    pub log: LogPosition,
    /// The lowest height whose state the history still gives.
    pub oldest: u64,
}

impl Codec for LogPosition {
    fn put(&self, out: &mut Vec<u8>) {
        self.segment.put(out);
        self.offset.put(out);
    }
    fn read(from: &mut Reader<'_>) -> Result<Self, Undecodable> {
        Ok(Self {
            segment: from.u32()?,
            offset: from.u64()?,
        })
    }
}

impl Codec for TipRow {
    fn put(&self, out: &mut Vec<u8>) {
        self.schema.put(out);
        self.genesis.put(out);
        self.height.put(out);
        self.hash.put(out);
        self.log.put(out);
        self.oldest.put(out);
    }
    fn read(from: &mut Reader<'_>) -> Result<Self, Undecodable> {
        Ok(Self {
            schema: from.u32()?,
            genesis: from.hash()?,
            height: from.u64()?,
            hash: from.hash()?,
            log: LogPosition::read(from)?,
            oldest: from.u64()?,
        })
    }
}

/// Hash and header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderRow {
    pub hash: B256,
    pub header: Header,
}

impl Codec for HeaderRow {
    fn put(&self, out: &mut Vec<u8>) {
        self.hash.put(out);
        self.header.encode(out);
    }
    fn read(from: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let hash = from.hash()?;
        let header = Header::decode(&mut from.0).map_err(|_| Undecodable("header"))?;
        Ok(Self { hash, header })
    }
}

/// Where the body lies, and what the header does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyRow {
    pub at: LogRef,
    pub meta: BlockMeta,
}

impl Codec for BodyRow {
    fn put(&self, out: &mut Vec<u8>) {
        self.at.at.put(out);
        self.at.len.put(out);
        self.meta.put(out);
    }
    fn read(from: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let at = LogRef {
            at: LogPosition::read(from)?,
            len: from.u32()?,
        };
        Ok(Self {
            at,
            meta: BlockMeta::read(from)?,
        })
    }
}

/// Address and slot, 52 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotKey(pub Address, pub U256);

impl Codec for SlotKey {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        out.extend_from_slice(&self.1.to_be_bytes::<32>());
    }
    fn read(from: &mut Reader<'_>) -> Result<Self, Undecodable> {
        Ok(Self(
            from.address()?,
            U256::from_be_bytes(from.array::<32>()?),
        ))
    }
}

/// A trie path: nibbles packed two to a byte, then their number; so neighbours in the trie are neighbours on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodePath(pub Nibbles);

impl Codec for NodePath {
    fn put(&self, out: &mut Vec<u8>) {
        let count = self.0.len();
        for i in (0..count).step_by(2) {
            let low = self.0.get(i + 1).unwrap_or(0);
            out.push(self.0.get(i).unwrap_or(0) << 4 | low);
        }
        out.push(count as u8);
    }
    fn read(from: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let (&count, packed) = from.0.split_last().ok_or(Undecodable("path"))?;
        if count > 64 || packed.len() != (count as usize).div_ceil(2) {
            return Err(Undecodable("path"));
        }
        from.0 = &[];
        Ok(Self(Nibbles::unpack(packed).slice(..count as usize)))
    }
}

/// Eight bytes for an address or a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogTerm(pub [u8; 8]);

impl Codec for LogTerm {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
    fn read(from: &mut Reader<'_>) -> Result<Self, Undecodable> {
        from.array().map(Self)
    }
}

/// Subject of an event, its L1 block, its place among the logs of that block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct L1EventKey(pub B256, pub u64, pub u64);

impl Codec for L1EventKey {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
        self.2.put(out);
    }
    fn read(from: &mut Reader<'_>) -> Result<Self, Undecodable> {
        Ok(Self(from.hash()?, from.u64()?, from.u64()?))
    }
}

impl Codec for DepositInfo {
    fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, self.index);
        put_varint(out, self.l1_block);
        self.l1_tx.put(out);
        put_varint(out, self.timestamp);
        self.acc.put(out);
    }
    fn read(from: &mut Reader<'_>) -> Result<Self, Undecodable> {
        Ok(Self {
            index: from.varint()?,
            l1_block: from.varint()?,
            l1_tx: from.hash()?,
            timestamp: from.varint()?,
            acc: from.hash()?,
        })
    }
}

impl Codec for OutputInfo {
    fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, self.index);
        self.id.put(out);
        put_varint(out, self.parent);
        self.proposer.put(out);
        put_varint(out, self.record_count);
        put_varint(out, self.l2_block);
        self.output_root.put(out);
        put_varint(out, self.l1_block);
        put_varint(out, self.asserted_at);
    }
    fn read(from: &mut Reader<'_>) -> Result<Self, Undecodable> {
        Ok(Self {
            index: from.varint()?,
            id: from.hash()?,
            parent: from.varint()?,
            proposer: from.address()?,
            record_count: from.varint()?,
            l2_block: from.varint()?,
            output_root: from.hash()?,
            l1_block: from.varint()?,
            asserted_at: from.varint()?,
        })
    }
}

impl Codec for L1Note {
    fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, self.l1_block);
        put_varint(out, self.log);
        put_varint(out, self.timestamp);
        self.l1_tx.put(out);
        match self.event {
            L1Event::Asserted { output } => {
                out.push(0);
                put_varint(out, output);
            }
            L1Event::Confirmed => out.push(1),
            L1Event::Contested => out.push(2),
            L1Event::Proven {
                by,
                output,
                ready_at,
            } => {
                out.push(3);
                by.put(out);
                put_varint(out, output);
                put_varint(out, ready_at);
            }
            L1Event::Finalised { succeeded } => {
                out.push(4);
                out.push(succeeded.into());
            }
        }
    }
    fn read(from: &mut Reader<'_>) -> Result<Self, Undecodable> {
        Ok(Self {
            l1_block: from.varint()?,
            log: from.varint()?,
            timestamp: from.varint()?,
            l1_tx: from.hash()?,
            event: match from.u8()? {
                0 => L1Event::Asserted {
                    output: from.varint()?,
                },
                1 => L1Event::Confirmed,
                2 => L1Event::Contested,
                3 => L1Event::Proven {
                    by: from.address()?,
                    output: from.varint()?,
                    ready_at: from.varint()?,
                },
                4 => L1Event::Finalised {
                    succeeded: from.flag()?,
                },
                _ => return Err(Undecodable("event")),
            },
        })
    }
}

/// A storage trie of 2^256 slots is at most 64 nodes deep.
const PROOF_NODES_MAX: u64 = 65;

impl Codec for WithdrawalProof {
    fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, self.l2_block);
        put_varint(out, self.nodes.len() as u64);
        for node in &self.nodes {
            put_bytes(out, node);
        }
    }
    fn read(from: &mut Reader<'_>) -> Result<Self, Undecodable> {
        let l2_block = from.varint()?;
        let count = from.varint()?;
        if count > PROOF_NODES_MAX {
            return Err(Undecodable("proof"));
        }
        let nodes = (0..count)
            .map(|_| Ok(Bytes::copy_from_slice(from.bytes()?)))
            .collect::<Result<_, _>>()?;
        Ok(Self { l2_block, nodes })
    }
}

impl Codec for BatchInfo {
    fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, self.index);
        self.acc.put(out);
        put_varint(out, self.first_block);
        put_varint(out, self.last_block);
        put_varint(out, self.l1_block);
        self.l1_block_hash.put(out);
        self.l1_tx.put(out);
    }
    fn read(from: &mut Reader<'_>) -> Result<Self, Undecodable> {
        Ok(Self {
            index: from.varint()?,
            acc: from.hash()?,
            first_block: from.varint()?,
            last_block: from.varint()?,
            l1_block: from.varint()?,
            l1_block_hash: from.hash()?,
            l1_tx: from.hash()?,
        })
    }
}
