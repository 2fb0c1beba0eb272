//! The first block: written to empty tables, or compared with what they hold.

use crate::{
    Batch, Result, StoreError, StoreOptions,
    flush::{LOG_START, put_nodes},
    kv::{self, Kv},
    log::LogRef,
    schema::{self, BodyRow, HeaderRow, SlotKey, TipRow},
    store::{BlockMeta, TableNodes},
};
use alloy_primitives::B256;
use primitives::{Header, StateDiff};
use std::sync::Arc;
use trie::{EMPTY_ROOT_HASH, StateTrie};

/// Rows in one batch: a genesis of a million accounts must not be in memory three times.
const ROWS_IN_BATCH: usize = 100_000;

/// How a chain begins.
#[derive(Debug, Clone)]
pub struct Genesis {
    /// Of the first block, which has no transactions.
    pub header: Header,
    /// Everything in the first state, as `after`.
    pub state: StateDiff,
}

/// Makes sure that the tables hold this chain, and returns what they stand for.
pub fn settle(
    kv: &Arc<dyn Kv>,
    genesis: &Genesis,
    hash: B256,
    options: &StoreOptions,
) -> Result<TipRow> {
    let differs = |found| StoreError::GenesisDiffers {
        dir: options.dir.clone(),
        found,
        wanted: hash,
    };
    if let Some(tip) = kv::get::<schema::Tip>(&**kv, &())? {
        if tip.genesis != hash {
            return Err(differs(tip.genesis));
        }
        if tip.schema != schema::SCHEMA_VERSION {
            return Err(StoreError::Refused(format!(
                "the tables have schema {}, this program writes {}: delete the folder `tables` in {} to rebuild them \
                 from the block log",
                tip.schema,
                schema::SCHEMA_VERSION,
                options.dir.display()
            )));
        }
        return Ok(tip);
    }
    // A start that died half way left the first row, and perhaps others, of the same genesis.
    let number = genesis.header.number;
    if let Some(row) = kv::get::<schema::Headers>(&**kv, &number)?.filter(|row| row.hash != hash) {
        return Err(differs(row.hash));
    }
    write(kv, genesis, hash, options)
}

fn write(
    kv: &Arc<dyn Kv>,
    genesis: &Genesis,
    hash: B256,
    options: &StoreOptions,
) -> Result<TipRow> {
    let Genesis { header, state } = genesis;
    let number = header.number;
    let mut batch = Batch::default();
    batch.put::<schema::Headers>(
        &number,
        &HeaderRow {
            hash,
            header: header.clone(),
        },
    );
    batch.put::<schema::Numbers>(&hash, &number);
    batch.put::<schema::Bodies>(
        &number,
        &BodyRow {
            at: LogRef::default(),
            meta: BlockMeta::default(),
        },
    );
    batch.put::<schema::Receipts>(&number, &Vec::new());
    kv.write(&batch, true)?;

    let mut batch = Batch::default();
    let mut trie = StateTrie::new(TableNodes(kv.clone()), EMPTY_ROOT_HASH);
    let mut computed = trie.root()?;
    let write = |batch: &mut Batch, trie: &mut StateTrie<TableNodes>| {
        put_nodes(batch, &**kv, &trie.take_dirty()?)?;
        kv.write(batch, false)?;
        *batch = Batch::default();
        trie.evict(options.trie_bytes);
        Ok::<_, StoreError>(())
    };
    for accounts in state.accounts.chunks(ROWS_IN_BATCH) {
        let part = StateDiff {
            accounts: accounts.to_vec(),
            codes: Vec::new(),
        };
        computed = trie.apply(&part)?.state_root;
        for account in accounts {
            let Some(after) = &account.after else {
                continue;
            };
            batch.put::<schema::Accounts>(&account.address, after);
            for slot in account.slots.iter().filter(|s| !s.after.is_zero()) {
                batch.put::<schema::Slots>(&SlotKey(account.address, slot.slot), &slot.after);
            }
        }
        write(&mut batch, &mut trie)?;
    }
    for (hash, code) in &state.codes {
        batch.put::<schema::Codes>(hash, code);
    }
    if computed != header.state_root {
        return Err(StoreError::GenesisRoot {
            computed,
            header: header.state_root,
        });
    }
    let tip = TipRow {
        schema: schema::SCHEMA_VERSION,
        genesis: hash,
        height: number,
        hash,
        log: LOG_START,
        oldest: number,
    };
    batch.put::<schema::Tip>(&(), &tip);
    batch.put::<schema::Markers>(&(), &(number, number));
    kv.write(&batch, true)?;
    Ok(tip)
}
