//! Executes a block once more, from a state that is held separately, and compares.
//!
//! A builder that is wrong about its own state (a stale cache, a journal that leaked) agrees with itself. So what
//! it built is believed only if a fresh executor over another reader gives the same receipts, the same state
//! difference and the same header. The answer names the first thing that differs.

use alloy_primitives::{Address, B256, U256};
use primitives::{Account, AccountDiff, Header, Receipt, StateDiff};
use std::sync::Arc;
use stf::{
    BlockContext, BlockError, BlockExecutor, ExecutedBlock, Rules, StateReader, TxRejection,
};

/// How two executions of one block differ. `built` is what is to be published, `again` what came out here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Divergence {
    /// The second execution refuses the block.
    #[error("block {number}: refused: {source}")]
    Refused {
        /// The block.
        number: u64,
        /// Why.
        source: Box<BlockError>,
    },
    /// As many transactions, but another number of receipts.
    #[error("block {number}: {built} receipts, {again} again")]
    ReceiptCount {
        /// The block.
        number: u64,
        /// Receipts in the block.
        built: usize,
        /// Receipts of the second execution.
        again: usize,
    },
    /// A transaction did something else.
    #[error("block {number}: transaction {index} ({hash}): {what}: {built}, {again} again")]
    Receipt {
        /// The block.
        number: u64,
        /// Which transaction.
        index: usize,
        /// Its hash.
        hash: B256,
        /// Which part of the receipt.
        what: &'static str,
        /// In the block.
        built: Box<str>,
        /// In the second execution.
        again: Box<str>,
    },
    /// An account ended otherwise.
    #[error("block {number}: account {address}: {built}, {again} again")]
    Account {
        /// The block.
        number: u64,
        /// Which account.
        address: Address,
        /// In the block.
        built: Box<str>,
        /// In the second execution.
        again: Box<str>,
    },
    /// A slot ended otherwise.
    #[error("block {number}: account {address}, slot {slot:#x}: {built}, {again} again")]
    Slot {
        /// The block.
        number: u64,
        /// Whose slot.
        address: Address,
        /// Which.
        slot: U256,
        /// In the block.
        built: Box<str>,
        /// In the second execution.
        again: Box<str>,
    },
    /// Other code was deployed.
    #[error("block {number}: deployed code differs at {hash}")]
    Code {
        /// The block.
        number: u64,
        /// The first code hash that only one of the two has.
        hash: B256,
    },
    /// A header field differs.
    #[error("block {number}: header {field}: {built}, {again} again")]
    Header {
        /// The block.
        number: u64,
        /// Which field.
        field: &'static str,
        /// In the block.
        built: Box<str>,
        /// In the second execution.
        again: Box<str>,
    },
}

/// Executes the transactions of `built` after `parent`, whose state `state` reads, and compares everything.
/// `context` is decided anew by the caller, not read from the block.
pub fn verify<S: StateReader>(
    rules: &Arc<Rules>,
    parent: (&Header, B256),
    context: BlockContext,
    built: &ExecutedBlock,
    state: S,
) -> Result<(), Divergence> {
    let number = built.header.number;
    let again =
        execute(rules, parent, context, built, state).map_err(|source| Divergence::Refused {
            number,
            source: source.into(),
        })?;
    if *built == again {
        return Ok(());
    }
    compare_receipts(built, &again)?;
    compare_diffs(number, &built.diff, &again.diff)?;
    compare_headers(&built.header, &again.header)
}

fn execute<S: StateReader>(
    rules: &Arc<Rules>,
    parent: (&Header, B256),
    context: BlockContext,
    built: &ExecutedBlock,
    state: S,
) -> Result<ExecutedBlock, BlockError> {
    let mut block = BlockExecutor::begin(rules, parent.0, parent.1, context, state)?;
    for (index, tx) in built.transactions.iter().enumerate() {
        block.execute(tx).map_err(|source| match source {
            TxRejection::State(error) => BlockError::State(error),
            source => BlockError::Tx { index, source },
        })?;
    }
    block.finish()
}

fn compare_receipts(built: &ExecutedBlock, again: &ExecutedBlock) -> Result<(), Divergence> {
    let number = built.header.number;
    let (ours, theirs) = (&built.receipts, &again.receipts);
    if ours.len() != theirs.len() {
        return Err(Divergence::ReceiptCount {
            number,
            built: ours.len(),
            again: theirs.len(),
        });
    }
    for (index, (a, b)) in ours.iter().zip(theirs).enumerate() {
        if let Some((what, built_part, again)) = first_difference(a, b) {
            let hash = built.transactions[index].hash;
            return Err(Divergence::Receipt {
                number,
                index,
                hash,
                what,
                built: built_part.into(),
                again: again.into(),
            });
        }
    }
    Ok(())
}

fn first_difference(a: &Receipt, b: &Receipt) -> Option<(&'static str, String, String)> {
    if a.tx_type != b.tx_type {
        Some(("type", a.tx_type.to_string(), b.tx_type.to_string()))
    } else if a.success != b.success {
        Some(("success", a.success.to_string(), b.success.to_string()))
    } else if a.cumulative_gas_used != b.cumulative_gas_used {
        Some((
            "cumulative gas",
            a.cumulative_gas_used.to_string(),
            b.cumulative_gas_used.to_string(),
        ))
    } else {
        let position =
            (0..a.logs.len().max(b.logs.len())).find(|&n| a.logs.get(n) != b.logs.get(n))?;
        let log = |receipt: &Receipt| match receipt.logs.get(position) {
            Some(log) => format!("log {position} is {log:?}"),
            None => format!("{} logs", receipt.logs.len()),
        };
        Some(("logs", log(a), log(b)))
    }
}

fn compare_diffs(number: u64, built: &StateDiff, again: &StateDiff) -> Result<(), Divergence> {
    // Both are sorted: the first unequal pair holds the smallest address that differs.
    let unequal = first_unequal(&built.accounts, &again.accounts, |account| account.address);
    if let Some((address, built, again)) = unequal {
        return Err(account_difference(number, address, built, again));
    }
    match first_unequal(&built.codes, &again.codes, |code| code.0) {
        Some((hash, ..)) => Err(Divergence::Code { number, hash }),
        None => Ok(()),
    }
}

/// The smallest key at which two sorted lists differ, with what each has there.
fn first_unequal<'a, T: PartialEq, K: Ord>(
    a: &'a [T],
    b: &'a [T],
    key: impl Fn(&T) -> K,
) -> Option<(K, Option<&'a T>, Option<&'a T>)> {
    let position = (0..a.len().max(b.len())).find(|&n| a.get(n) != b.get(n))?;
    let (a, b) = (a.get(position), b.get(position));
    let smallest = [a, b].into_iter().flatten().map(&key).min()?;
    let at = |side: Option<&'a T>| side.filter(|item| key(item) == smallest);
    let (a, b) = (at(a), at(b));
    Some((smallest, a, b))
}

fn account_difference(
    number: u64,
    address: Address,
    built: Option<&AccountDiff>,
    again: Option<&AccountDiff>,
) -> Divergence {
    if let (Some(a), Some(b)) = (built, again)
        && (a.before, a.after, a.wiped) == (b.before, b.after, b.wiped)
        && let Some((slot, built, again)) = first_unequal(&a.slots, &b.slots, |slot| slot.slot)
    {
        let show = |side: Option<&primitives::SlotDiff>| match side {
            Some(slot) => format!("{:#x} to {:#x}", slot.before, slot.after),
            None => "unchanged".into(),
        };
        return Divergence::Slot {
            number,
            address,
            slot,
            built: show(built).into(),
            again: show(again).into(),
        };
    }
    let account = |account: Option<Account>| match account {
        Some(Account {
            nonce,
            balance,
            code_hash,
        }) => format!("nonce {nonce} balance {balance} code {code_hash}"),
        None => "absent".into(),
    };
    let show = |side: Option<&AccountDiff>| match side {
        Some(diff) => {
            let wiped = if diff.wiped { ", storage dropped" } else { "" };
            format!(
                "from {} to {}{wiped}",
                account(diff.before),
                account(diff.after)
            )
        }
        None => "unchanged".into(),
    };
    Divergence::Account {
        number,
        address,
        built: show(built).into(),
        again: show(again).into(),
    }
}

fn compare_headers(built: &Header, again: &Header) -> Result<(), Divergence> {
    macro_rules! compare {
        ($($field:ident)*) => {$(
            if built.$field != again.$field {
                return Err(Divergence::Header {
                    number: built.number,
                    field: stringify!($field),
                    built: format!("{:?}", built.$field).into(),
                    again: format!("{:?}", again.$field).into(),
                });
            }
        )*};
    }
    // Causes before their consequences.
    compare! {
        number parent_hash timestamp beneficiary gas_limit base_fee_per_gas mix_hash excess_blob_gas
        parent_beacon_block_root gas_used blob_gas_used transactions_root receipts_root logs_bloom requests_hash
        withdrawals_root state_root ommers_hash difficulty extra_data nonce block_access_list_hash slot_number
    }
    // Unequal all the same: by a field that is not in the list above.
    Err(Divergence::Header {
        number: built.number,
        field: "hash",
        built: built.hash_slow().to_string().into(),
        again: again.hash_slow().to_string().into(),
    })
}
