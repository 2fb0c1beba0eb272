//! Headers: each field follows from the parent, is bounded by it, or is free.

use super::{
    dao, difficulty,
    ommers::{self, Ancestor},
};
use crate::{BlockError, EthereumRules, Rules, fees};
use alloc::{
    format,
    string::{String, ToString},
};
use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Transaction as _};
use alloy_primitives::{B64, U256};
use config::L1Fork;
use core::fmt::Debug;
use primitives::{Header, L1Block};

const EXTRA_DATA_BYTES_MAX: usize = 32;
/// The gas limit moves by less than one part in this.
const GAS_LIMIT_DIVISOR: u64 = 1_024;
const GAS_LIMIT_MIN: u64 = 5_000;
const GAS_LIMIT_MAX: u64 = i64::MAX as u64;
/// EIP-7934: ten mebibytes, two of them for the beacon block around it.
const BLOCK_BYTES_MAX: usize = 8 << 20;

/// Checks all of a block that needs no state. `ancestors`: the parent first, seven of them where the chain has so many.
/// `total_difficulty`: the sum up to and with the parent; `None` believes the block about the merge.
pub fn check_block(
    rules: &Rules,
    ancestors: &[Ancestor<'_>],
    total_difficulty: Option<U256>,
    block: &L1Block,
) -> Result<(), BlockError> {
    let (Rules::Ethereum(rules), Some(parent)) = (rules, ancestors.first()) else {
        return Err(BlockError::Body("not a block of an L1".to_string()));
    };
    let header = &block.header;
    expect("parent hash", &header.parent_hash, &parent.hash)?;
    if let (Some(sum), Some(end)) = (total_difficulty, rules.terminal_difficulty) {
        let merged = header.difficulty.is_zero();
        if merged != (sum >= end) {
            let want = match merged {
                true => "above zero before the terminal total difficulty",
                false => "zero after the terminal total difficulty",
            };
            return Err(wrong("difficulty", &header.difficulty, want));
        }
    }
    check_header(rules, parent.header, header)?;
    let fork = rules.fork_of(header);
    if fork >= L1Fork::Osaka && block.size > BLOCK_BYTES_MAX {
        return Err(wrong(
            "size",
            &block.size,
            format!("{BLOCK_BYTES_MAX} bytes at most"),
        ));
    }
    match (&block.withdrawals, fork >= L1Fork::Shanghai) {
        (Some(_), false) => {
            return Err(BlockError::Body("withdrawals before Shanghai".to_string()));
        }
        (None, true) => return Err(BlockError::Body("no list of withdrawals".to_string())),
        _ => {}
    }
    if fork < L1Fork::SpuriousDragon
        && let Some(index) = block
            .transactions
            .iter()
            .position(|tx| tx.tx.chain_id().is_some())
    {
        return Err(BlockError::Body(format!(
            "transaction {index} names a chain, before EIP-155"
        )));
    }
    if fork >= L1Fork::Paris && !block.ommers.is_empty() {
        return Err(BlockError::Ommer {
            index: 0,
            why: "there are none since the merge".to_string(),
        });
    }
    ommers::check(rules, ancestors, block)
}

/// The header alone, against its parent.
pub(super) fn check_header(
    rules: &EthereumRules,
    parent: &Header,
    header: &Header,
) -> Result<(), BlockError> {
    let fork = rules.fork_of(header);
    let next = parent
        .number
        .checked_add(1)
        .ok_or(BlockError::NumberOverflow)?;
    expect("number", &header.number, &next)?;
    if header.timestamp <= parent.timestamp {
        let min = parent.timestamp.saturating_add(1);
        return Err(BlockError::Timestamp {
            timestamp: header.timestamp,
            min,
        });
    }
    if header.extra_data.len() > EXTRA_DATA_BYTES_MAX {
        let want = format!("{EXTRA_DATA_BYTES_MAX} bytes at most");
        return Err(wrong("extra data", &header.extra_data, want));
    }
    check_dao(rules, header)?;
    check_seal(rules, fork, parent, header)?;
    check_gas(fork, parent, header)?;
    check_presence(
        "withdrawals root",
        header.withdrawals_root.is_some(),
        fork >= L1Fork::Shanghai,
    )?;
    check_blobs(rules, fork, parent, header)?;
    check_presence(
        "requests hash",
        header.requests_hash.is_some(),
        fork >= L1Fork::Prague,
    )?;
    // Fields of forks after Osaka.
    check_presence(
        "block access list hash",
        header.block_access_list_hash.is_some(),
        false,
    )?;
    check_presence("slot number", header.slot_number.is_some(), false)
}

/// Difficulty, and what the merge made of the fields around it.
fn check_seal(
    rules: &EthereumRules,
    fork: L1Fork,
    parent: &Header,
    header: &Header,
) -> Result<(), BlockError> {
    if fork < L1Fork::Paris {
        if parent.difficulty.is_zero() && !header.difficulty.is_zero() && !rules.forks.is_empty() {
            return Err(wrong("difficulty", &header.difficulty, "0 after the merge"));
        }
        let want = difficulty::next(rules, parent, header);
        return expect("difficulty", &header.difficulty, &want);
    }
    expect("difficulty", &header.difficulty, &U256::ZERO)?;
    expect("nonce", &header.nonce, &B64::ZERO)?;
    expect("ommers hash", &header.ommers_hash, &EMPTY_OMMER_ROOT_HASH)
}

fn check_gas(fork: L1Fork, parent: &Header, header: &Header) -> Result<(), BlockError> {
    if header.gas_used > header.gas_limit {
        let want = format!("at most the gas limit {}", header.gas_limit);
        return Err(wrong("gas used", &header.gas_used, want));
    }
    // The first block with a base fee may use what two before it could (EIP-1559).
    let first = fork >= L1Fork::London && parent.base_fee_per_gas.is_none();
    let from = match first {
        true => parent.gas_limit.saturating_mul(2),
        false => parent.gas_limit,
    };
    let bound = from / GAS_LIMIT_DIVISOR;
    let limit = header.gas_limit;
    if limit.abs_diff(from) >= bound || !(GAS_LIMIT_MIN..=GAS_LIMIT_MAX).contains(&limit) {
        let want = format!("less than {bound} from {from}, and {GAS_LIMIT_MIN} at least");
        return Err(wrong("gas limit", &limit, want));
    }
    let base_fee = (fork >= L1Fork::London).then(|| match parent.base_fee_per_gas {
        Some(_) => fees::ethereum_base_fee(parent),
        None => fees::FIRST_BASE_FEE,
    });
    expect("base fee", &header.base_fee_per_gas, &base_fee)
}

fn check_blobs(
    rules: &EthereumRules,
    fork: L1Fork,
    parent: &Header,
    header: &Header,
) -> Result<(), BlockError> {
    let cancun = fork >= L1Fork::Cancun;
    check_presence("blob gas used", header.blob_gas_used.is_some(), cancun)?;
    check_presence("excess blob gas", header.excess_blob_gas.is_some(), cancun)?;
    let has_root = header.parent_beacon_block_root.is_some();
    check_presence("parent beacon block root", has_root, cancun)?;
    let Some(used) = header.blob_gas_used else {
        return Ok(());
    };
    let max = rules
        .blob_params(header.timestamp)
        .max
        .saturating_mul(fees::GAS_PER_BLOB);
    if used > max || used % fees::GAS_PER_BLOB != 0 {
        let want = format!("whole blobs, and {max} at most");
        return Err(wrong("blob gas used", &used, want));
    }
    let excess = fees::l1_excess_blob_gas(rules, parent, header.timestamp);
    expect("excess blob gas", &header.excess_blob_gas, &Some(excess))
}

/// Both chains of 2016 mark themselves, or must not look like the other.
fn check_dao(rules: &EthereumRules, header: &Header) -> Result<(), BlockError> {
    let Some(fork) = rules.dao_fork else {
        return Ok(());
    };
    let end = fork.block.saturating_add(dao::EXTRA_DATA_BLOCKS);
    let marked = header.extra_data.as_ref() == dao::EXTRA_DATA;
    if (fork.block..end).contains(&header.number) && marked != fork.supported {
        let want = match fork.supported {
            true => "dao-hard-fork",
            false => "anything but dao-hard-fork",
        };
        return Err(wrong("extra data", &header.extra_data, want));
    }
    Ok(())
}

fn check_presence(field: &'static str, present: bool, wanted: bool) -> Result<(), BlockError> {
    let text = |present| match present {
        true => "present",
        false => "absent",
    };
    match present == wanted {
        true => Ok(()),
        false => Err(BlockError::Field {
            field,
            found: text(present).to_string(),
            want: text(wanted).to_string(),
        }),
    }
}

fn expect<T: PartialEq + Debug>(
    field: &'static str,
    found: &T,
    want: &T,
) -> Result<(), BlockError> {
    match found == want {
        true => Ok(()),
        false => Err(wrong(field, found, format!("{want:?}"))),
    }
}

fn wrong(field: &'static str, found: &impl Debug, want: impl Into<String>) -> BlockError {
    BlockError::Field {
        field,
        found: format!("{found:?}"),
        want: want.into(),
    }
}
