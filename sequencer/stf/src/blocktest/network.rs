//! Rules by the names of the tests: `Berlin`, `BerlinToLondonAt5`, `CancunToPragueAtTime15k`,
//! `ArrowGlacierToParisAtDiffC0000`.

use super::format::{Blobs, Config};
use crate::{DaoFork, EthereumRules};
use alloc::vec::Vec;
use alloy_primitives::{Address, U256, address};
use config::{BlobParams, L1Fork};

/// Mainnet's.
const DEPOSIT_CONTRACT: Address = address!("00000000219ab540356cbb839cbe05303d7705fa");
/// Gas of blocks that this program would make; it makes none here.
const GAS_LIMIT: u64 = 30_000_000;

/// `None` for names that stand for rules which are not here.
pub(super) fn rules(name: &str, config: &Config) -> Option<EthereumRules> {
    let chain_id = config.chainid.map_or(1, |id| id.u64());
    let mut rules = EthereumRules::new(chain_id, GAS_LIMIT, L1Fork::Frontier, Vec::new());
    rules.forks = Vec::new();
    rules.deposit_contract = Some(DEPOSIT_CONTRACT);
    let Some((first, rest)) = name.split_once("To") else {
        enter(&mut rules, name, 0, config)?;
        return Some(rules);
    };
    let (second, at) = rest.split_once("At")?;
    enter(&mut rules, first, 0, config)?;
    if let Some(time) = at.strip_prefix("Time") {
        let from = match time.strip_suffix('k') {
            Some(thousands) => thousands.parse::<u64>().ok()?.checked_mul(1_000)?,
            None => time.parse().ok()?,
        };
        enter(&mut rules, second, from, config)?;
    } else if let Some(difficulty) = at.strip_prefix("Diff") {
        rules.terminal_difficulty = Some(U256::from_str_radix(difficulty, 16).ok()?);
        enter(&mut rules, second, 0, config)?;
    } else if second == "Dao" {
        let block = at.parse().ok()?;
        let supported = true;
        rules.dao_fork = Some(DaoFork { block, supported });
    } else {
        enter(&mut rules, second, at.parse().ok()?, config)?;
    }
    Some(rules)
}

/// Adds a fork, from a block before the merge and from a time after it.
fn enter(rules: &mut EthereumRules, name: &str, from: u64, config: &Config) -> Option<()> {
    let fork = fork(name)?;
    match fork < L1Fork::Paris {
        true => rules.block_forks.push((from, fork)),
        false => rules.forks.push((from, fork)),
    }
    if fork >= L1Fork::Cancun {
        let blobs = config.blob_schedule.get(name);
        rules.blob_schedule.push(blob_params(name, from, blobs)?);
    }
    Some(())
}

fn fork(name: &str) -> Option<L1Fork> {
    Some(match name {
        "Frontier" => L1Fork::Frontier,
        "Homestead" => L1Fork::Homestead,
        "EIP150" => L1Fork::TangerineWhistle,
        "EIP158" => L1Fork::SpuriousDragon,
        "Byzantium" => L1Fork::Byzantium,
        "Constantinople" => L1Fork::Constantinople,
        "ConstantinopleFix" => L1Fork::Petersburg,
        "Istanbul" => L1Fork::Istanbul,
        "MuirGlacier" => L1Fork::MuirGlacier,
        "Berlin" => L1Fork::Berlin,
        "London" => L1Fork::London,
        "ArrowGlacier" => L1Fork::ArrowGlacier,
        "GrayGlacier" => L1Fork::GrayGlacier,
        "Merge" | "Paris" => L1Fork::Paris,
        "Shanghai" => L1Fork::Shanghai,
        "Cancun" => L1Fork::Cancun,
        "Prague" => L1Fork::Prague,
        "Osaka" | "BPO1" | "BPO2" | "BPO3" | "BPO4" | "BPO5" => L1Fork::Osaka,
        _ => return None,
    })
}

/// The test's, or mainnet's.
fn blob_params(name: &str, from_s: u64, given: Option<&Blobs>) -> Option<BlobParams> {
    let (target, max, update_fraction) = match (given, name) {
        (Some(given), _) => (
            given.target.u64(),
            given.max.u64(),
            given.base_fee_update_fraction.u64(),
        ),
        (None, "Cancun") => (3, 6, 3_338_477),
        (None, "Prague" | "Osaka") => (6, 9, 5_007_716),
        (None, "BPO1") => (10, 15, 8_346_193),
        (None, "BPO2") => (14, 21, 11_684_671),
        (None, _) => return None,
    };
    Some(BlobParams {
        from_s,
        target,
        max,
        update_fraction,
    })
}
