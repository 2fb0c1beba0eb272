//! Blocks of a file into the store: decoded, checked against their ancestors, executed, compared, published.
//!
//! Always holds: what is in the store is a valid chain, whatever the file holds behind it. An import that stopped goes on
//! where it stopped.

use super::rlp_file::BlockFile;
use alloy_primitives::{B256, U256};
use anyhow::{Context, bail, ensure};
use config::L1Fork;
use primitives::{L1Block, SealedBlock};
use std::{path::Path, sync::Arc};
use stf::{Ancestor, EthereumRules, Rules};
use store::{BlockMeta, Store};

/// Ancestors that decide about ommers.
const FAMILY: u64 = 7;

/// What an import did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// New blocks.
    pub blocks: u64,
    /// Transactions in them.
    pub transactions: u64,
    /// Blocks that the store had already.
    pub known: u64,
}

/// Imports all of a file. `progress` is told of every block. Stops at the first block that is not valid, with its number
/// and what is wrong with it; the blocks before it stay.
pub fn import(
    store: &Arc<Store>,
    rules: &Arc<Rules>,
    path: &Path,
    progress: impl Fn(u64),
) -> anyhow::Result<Imported> {
    let Rules::Ethereum(l1) = &**rules else {
        bail!("only an L1 is imported");
    };
    let mut file = BlockFile::open(path)?;
    let mut imported = Imported::default();
    let mut total_difficulty = total_difficulty(store, l1)?;
    while let Some(raw) = file.next_block()? {
        let header = raw.header()?;
        let number = header.number;
        if number <= store.head().header.number {
            check_known(store, number, header.hash_slow())?;
            imported.known += 1;
            continue;
        }
        progress(number);
        let block = L1Block::decode(&raw.bytes, |header| l1.fork_of(header) < L1Fork::Homestead)
            .with_context(|| format!("block {number}, at byte {}", raw.offset))?;
        let transactions = block.transactions.len() as u64;
        let difficulty = block.header.difficulty;
        append(store, rules, total_difficulty, &block)
            .with_context(|| format!("block {number}"))?;
        total_difficulty = total_difficulty.map(|sum| sum.saturating_add(difficulty));
        imported.blocks += 1;
        imported.transactions += transactions;
    }
    let head = store.head().header.number;
    store.set_safe(head)?;
    store.set_finalized(head)?;
    Ok(imported)
}

/// The sum up to the head; `None` once nothing depends on it.
fn total_difficulty(store: &Store, rules: &EthereumRules) -> anyhow::Result<Option<U256>> {
    let head = store.head();
    let merged = head.header.difficulty.is_zero() && head.header.number > store.genesis_number();
    if rules.terminal_difficulty.is_none() || merged {
        return Ok(None);
    }
    let mut sum = U256::ZERO;
    for number in store.genesis_number()..=head.header.number {
        let header = store.header(number)?.context("a block is missing")?;
        sum = sum.saturating_add(header.difficulty);
    }
    Ok(Some(sum))
}

fn check_known(store: &Store, number: u64, hash: B256) -> anyhow::Result<()> {
    let known = store.hash_of(number)?;
    ensure!(
        known == Some(hash),
        "block {number} of the file is {hash}, the data folder holds {}: they are two chains, or the genesis file is another one's; choose another --datadir",
        known.map_or("none".to_owned(), |hash| hash.to_string())
    );
    Ok(())
}

/// Puts one block on the head.
fn append(
    store: &Arc<Store>,
    rules: &Arc<Rules>,
    total_difficulty: Option<U256>,
    block: &L1Block,
) -> anyhow::Result<()> {
    let family = family(store)?;
    let ancestors: Vec<Ancestor<'_>> = family
        .iter()
        .map(|block| Ancestor {
            hash: block.hash,
            header: &block.header,
            ommers: &block.ommers,
        })
        .collect();
    let head = store.head().header.number;
    ensure!(
        block.header.number == head + 1,
        "the block before it is missing: the head is {head}"
    );
    stf::check_block(rules, &ancestors, total_difficulty, block)?;
    let executed = stf::execute_l1_block(rules, block, store.latest_state())?;
    let pending = store.seal(executed, BlockMeta::default())?;
    let computed = &pending.block().header;
    if let Some((field, ours, theirs)) = stf::difference(computed, &block.header) {
        let error = anyhow::anyhow!("{field} is {theirs} in its header, computed {ours}");
        tracing::debug!(number = head + 1, diff = ?pending.diff(), "not what the header says");
        store.discard(pending)?;
        return Err(error);
    }
    store.publish(pending)?;
    Ok(())
}

/// The head and the blocks before it.
fn family(store: &Store) -> anyhow::Result<Vec<Arc<SealedBlock>>> {
    let mut family = vec![store.head()];
    let head = family[0].header.number;
    let last = head.saturating_sub(FAMILY - 1).max(store.genesis_number());
    for number in (last..head).rev() {
        family.push(store.block(number)?.context("a block is missing")?);
    }
    Ok(family)
}
