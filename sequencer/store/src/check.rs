//! `tributary db check`: reads everything, changes nothing, and says what does not fit.
//!
//! The state root is computed anew from the flat tables by alloy's hash builder, which shares no code with `trie`.

use crate::{
    Disk, Folder, KvRead, Result, Rocks, StoreError,
    check_logs::LogsCheck,
    kv,
    log::{LogRef, LoggedBlock, Record, scan},
    open::{LOG_DIR, TABLES_DIR},
    proof::SnapshotNodes,
    receipts::receipts,
    schema::{self, SlotKey, Table, TipRow},
};
use alloy_primitives::{Address, B256, U256, keccak256, map::HashMap};
use alloy_trie::{EMPTY_ROOT_HASH, HashBuilder, Nibbles, TrieAccount};
use primitives::{Account, Receipt};
use std::{ops::ControlFlow, path::Path};
use trie::StateTrie;

/// What was read, and the first thing that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Records in the block log, rewinds included.
    pub log_records: u64,
    /// Blocks on the chain by the log.
    pub blocks: u64,
    /// Their transactions.
    pub transactions: u64,
    /// Bytes of a torn record at the log's end; the next start cuts them off.
    pub torn_bytes: u64,
    /// Height of the tables.
    pub flushed: u64,
    /// Accounts in the tables.
    pub accounts: u64,
    /// Storage slots in the tables.
    pub slots: u64,
    /// Trie nodes in the tables.
    pub nodes: u64,
    /// Empty if all is well.
    pub problem: Option<String>,
}

/// Called now and then with a stage's name and how many things it has read.
pub type Progress<'a> = &'a mut dyn FnMut(&str, u64);

/// Checks the store in `dir`, which no process may have open for writing.
pub fn check(dir: &Path, progress: Progress<'_>) -> Result<Report> {
    for part in [LOG_DIR, TABLES_DIR] {
        if !dir.join(part).is_dir() {
            return Err(StoreError::Refused(format!(
                "there is no store in {}: `{part}` is missing",
                dir.display()
            )));
        }
    }
    let disk = Folder::open(dir.join(LOG_DIR))?;
    let tables = Rocks::open_read_only(&dir.join(TABLES_DIR))?;
    check_on(&disk, &tables, progress)
}

/// [`check`] on any disk and tables.
pub fn check_on(disk: &dyn Disk, tables: &dyn KvRead, progress: Progress<'_>) -> Result<Report> {
    let mut check = Check {
        disk,
        tables,
        progress,
        report: Report::default(),
    };
    match check.all() {
        Ok(()) => {}
        Err(Finding::Problem(text)) => check.report.problem = Some(text),
        Err(Finding::Failed(error @ (StoreError::LogDamaged { .. } | StoreError::Tables(_)))) => {
            check.report.problem = Some(error.to_string());
        }
        Err(Finding::Failed(error)) => return Err(error),
    }
    Ok(check.report)
}

enum Finding {
    Problem(String),
    Failed(StoreError),
}

impl From<StoreError> for Finding {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

fn problem<T>(text: String) -> std::result::Result<T, Finding> {
    Err(Finding::Problem(text))
}

type Found<T = ()> = std::result::Result<T, Finding>;

struct Check<'a> {
    disk: &'a dyn Disk,
    tables: &'a dyn KvRead,
    progress: Progress<'a>,
    report: Report,
}

/// A block of the chain by the log.
struct Logged {
    at: LogRef,
    hash: B256,
    transactions: u64,
}

impl Check<'_> {
    fn all(&mut self) -> Found {
        let Some(tip) = kv::get::<schema::Tip>(self.tables, &())? else {
            return problem(
                "the tables say nothing about their height: the first start did not end".into(),
            );
        };
        self.report.flushed = tip.height;
        let genesis = self.genesis_number(&tip)?;
        let chain = self.log(&tip, genesis)?;
        self.tables_against_log(&tip, genesis, &chain)?;
        self.state(&tip)?;
        self.nodes(&tip)
    }

    fn genesis_number(&self, tip: &TipRow) -> Found<u64> {
        match kv::get::<schema::Numbers>(self.tables, &tip.genesis)? {
            Some(number) => Ok(number),
            None => problem(format!(
                "the tables do not have the first block {}",
                tip.genesis
            )),
        }
    }

    /// Checksums, succession and transaction roots.
    fn log(&mut self, tip: &TipRow, genesis: u64) -> Found<Vec<Logged>> {
        let Self {
            disk,
            progress,
            report,
            ..
        } = self;
        let mut chain: Vec<Logged> = Vec::new();
        let mut wrong = None;
        let end = scan(*disk, tip.genesis, None, &mut |record, at| {
            report.log_records += 1;
            if report.log_records.is_multiple_of(1000) {
                progress("log", report.log_records);
            }
            match record {
                Record::Rewind { to } => chain.truncate(to.saturating_sub(genesis) as usize),
                Record::Block { number, payload } => {
                    let parent = chain.last().map_or(tip.genesis, |b| b.hash);
                    match logged(
                        number,
                        payload,
                        at,
                        genesis + 1 + chain.len() as u64,
                        parent,
                    ) {
                        Ok(block) => chain.push(block),
                        Err(what) => {
                            let place =
                                format!("segment {} offset {}", at.at.segment, at.at.offset);
                            wrong.get_or_insert(format!("block log, {place}: {what}"));
                        }
                    }
                }
            }
            Ok(())
        })?;
        report.torn_bytes = end.torn_bytes;
        report.blocks = chain.len() as u64;
        report.transactions = chain.iter().map(|b| b.transactions).sum();
        wrong.map_or(Ok(chain), problem)
    }

    /// Headers, places, receipts and indexes of every flushed block.
    fn tables_against_log(&mut self, tip: &TipRow, genesis: u64, chain: &[Logged]) -> Found {
        if tip.height > genesis + chain.len() as u64 {
            return problem(format!(
                "the tables stand for block {}, the log ends before",
                tip.height
            ));
        }
        match kv::get::<schema::Headers>(self.tables, &genesis)? {
            Some(row) if row.hash == tip.genesis && row.header.hash_slow() == row.hash => {}
            _ => {
                return problem(format!(
                    "block {genesis} is not {}, the first of the chain",
                    tip.genesis
                ));
            }
        }
        let mut logs = LogsCheck::default();
        for number in genesis + 1..=tip.height {
            if number.is_multiple_of(1000) {
                (self.progress)("blocks", number);
            }
            let logged = &chain[(number - genesis - 1) as usize];
            let Some(row) = kv::get::<schema::Headers>(self.tables, &number)? else {
                return problem(format!("block {number} has no header in the tables"));
            };
            if row.hash != logged.hash || row.header.hash_slow() != row.hash {
                return problem(format!(
                    "block {number} is {} in the log and {} in the tables",
                    logged.hash, row.hash
                ));
            }
            if kv::get::<schema::Numbers>(self.tables, &row.hash)? != Some(number) {
                return problem(format!("block {number} is not found by its hash"));
            }
            if kv::get::<schema::Bodies>(self.tables, &number)?
                .is_none_or(|body| body.at != logged.at)
            {
                return problem(format!("block {number} is not where the tables say"));
            }
            let receipts = receipts(self.tables, number)?.unwrap_or_default();
            if receipts_root(&receipts) != row.header.receipts_root {
                return problem(format!(
                    "the receipts of block {number} do not have the root that its header names"
                ));
            }
            if let Some(text) = logs.block(self.tables, number, &receipts)? {
                return problem(text);
            }
        }
        logs.end(self.tables)?.map_or(Ok(()), problem)
    }

    /// The state root from the flat tables.
    fn state(&mut self, tip: &TipRow) -> Found {
        let roots = self.storage_roots()?;
        let mut root = HashBuilder::default();
        let mut leaf = Vec::new();
        // One sixteenth of the accounts at a time, by the first digit of the hash: they must be sorted in memory.
        for digit in 0..16u8 {
            (self.progress)("accounts", self.report.accounts);
            let mut part: Vec<(B256, Address, Account)> = Vec::new();
            kv::scan::<schema::Accounts>(self.tables, &[], |address, account| {
                let hash = keccak256(address);
                if hash[0] >> 4 == digit {
                    part.push((hash, address, account));
                }
                Ok(ControlFlow::Continue(()))
            })?;
            self.report.accounts += part.len() as u64;
            part.sort_unstable_by_key(|(hash, ..)| *hash);
            for (hash, address, account) in part {
                let storage_root = roots.get(&address).copied().unwrap_or(EMPTY_ROOT_HASH);
                let account = TrieAccount {
                    nonce: account.nonce,
                    balance: account.balance,
                    storage_root,
                    code_hash: account.code_hash,
                };
                leaf.clear();
                alloy_rlp::Encodable::encode(&account, &mut leaf);
                root.add_leaf(Nibbles::unpack(hash), &leaf);
            }
        }
        let computed = root.root();
        let header =
            kv::get::<schema::Headers>(self.tables, &tip.height)?.map(|row| row.header.state_root);
        if header != Some(computed) {
            return problem(format!(
                "the state in the tables has root {computed}, the header of block {} says {header:?}: delete the \
                 folder `tables` to rebuild it from the log",
                tip.height
            ));
        }
        Ok(())
    }

    fn storage_roots(&mut self) -> Found<HashMap<Address, B256>> {
        let Self {
            tables,
            report,
            progress,
            ..
        } = self;
        let mut roots = HashMap::default();
        let mut owner = None;
        let mut slots: Vec<(B256, U256)> = Vec::new();
        let mut close = |owner: Option<Address>, slots: &mut Vec<(B256, U256)>| {
            if let Some(owner) = owner {
                roots.insert(owner, storage_root(slots));
                slots.clear();
            }
        };
        kv::scan::<schema::Slots>(*tables, &[], |SlotKey(address, slot), value| {
            report.slots += 1;
            if report.slots.is_multiple_of(1_000_000) {
                progress("slots", report.slots);
            }
            if owner != Some(address) {
                close(owner.replace(address), &mut slots);
            }
            slots.push((keccak256(slot.to_be_bytes::<32>()), value));
            Ok(ControlFlow::Continue(()))
        })?;
        close(owner, &mut slots);
        Ok(roots)
    }

    /// The stored tries, walked from the header's root: every node is there and hashes to what names it, and they
    /// hold as many accounts and slots as the flat tables.
    fn nodes(&mut self, tip: &TipRow) -> Found {
        for table in [schema::AccountNodes::ID, schema::StorageNodes::ID] {
            self.tables.scan(table, &[], &mut |_, _| {
                self.report.nodes += 1;
                ControlFlow::Continue(())
            })?;
        }
        let root =
            kv::get::<schema::Headers>(self.tables, &tip.height)?.map(|row| row.header.state_root);
        let (mut accounts, mut slots) = (0u64, 0u64);
        let stored = StateTrie::new(SnapshotNodes(self.tables), root.unwrap_or(EMPTY_ROOT_HASH));
        let mut with_storage = Vec::new();
        let walked = stored.walk_accounts(B256::ZERO, &mut |owner, account| {
            accounts += 1;
            if accounts.is_multiple_of(100_000) {
                (self.progress)("trie", accounts);
            }
            if account.storage_root != EMPTY_ROOT_HASH {
                with_storage.push((owner, account.storage_root));
            }
            ControlFlow::Continue(())
        });
        let walked: Result<()> = walked.map_err(StoreError::from).and_then(|()| {
            for (owner, root) in with_storage {
                let storage = trie::Trie::new(owner, root);
                storage.walk(&SnapshotNodes(self.tables), &Nibbles::new(), &mut |_, _| {
                    slots += 1;
                    ControlFlow::Continue(())
                })?;
            }
            Ok(())
        });
        if let Err(error) = walked {
            return problem(format!(
                "the stored trie is broken ({error}): delete the folder `tables` to rebuild it from the log"
            ));
        }
        if (accounts, slots) != (self.report.accounts, self.report.slots) {
            return problem(format!(
                "the trie holds {accounts} accounts and {slots} slots, the tables {} and {}",
                self.report.accounts, self.report.slots
            ));
        }
        Ok(())
    }
}

fn logged(
    number: u64,
    payload: &[u8],
    at: LogRef,
    wanted: u64,
    parent: B256,
) -> std::result::Result<Logged, String> {
    let LoggedBlock {
        header,
        transactions,
        ..
    } = LoggedBlock::decode(payload).map_err(|e| e.to_string())?;
    if number != wanted || header.number != number {
        return Err(format!("block {number} where {wanted} belongs"));
    }
    if header.parent_hash != parent {
        return Err(format!(
            "block {number} has parent {}, not {parent}",
            header.parent_hash
        ));
    }
    let root = trie::ordered_root(&transactions.iter().map(|tx| &tx.raw).collect::<Vec<_>>());
    if root != header.transactions_root {
        return Err(format!(
            "the transactions of block {number} do not have the root that its header names"
        ));
    }
    Ok(Logged {
        at,
        hash: header.hash_slow(),
        transactions: transactions.len() as u64,
    })
}

fn receipts_root(receipts: &[Receipt]) -> B256 {
    let encoded = receipts.iter().map(|receipt| {
        let mut bytes = Vec::new();
        receipt.encode_2718(receipt.bloom(), &mut bytes);
        bytes
    });
    trie::ordered_root(&encoded.collect::<Vec<_>>())
}

fn storage_root(slots: &mut [(B256, U256)]) -> B256 {
    slots.sort_unstable_by_key(|(hash, _)| *hash);
    let mut root = HashBuilder::default();
    for (hash, value) in slots {
        root.add_leaf(
            Nibbles::unpack(*hash),
            alloy_rlp::encode_fixed_size(value).as_ref(),
        );
    }
    root.root()
}
