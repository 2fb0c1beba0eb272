//! Geth's `genesis.json`: rules from `config`, the first block from the rest.
//!
//! Refused, not guessed: forks out of order, forks that this program does not know, clique.

use alloy_consensus::{EMPTY_ROOT_HASH, Header};
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_genesis::{ChainConfig, Genesis, GenesisAccount};
use alloy_primitives::{Address, B64, B256, Bytes, U256, keccak256};
use anyhow::{Context, bail, ensure};
use config::{BlobParams, L1Fork};
use primitives::{Account, AccountDiff, SlotDiff, StateDiff, diff::KECCAK_EMPTY};
use std::collections::BTreeMap;
use stf::{DaoFork, EthereumRules};
use trie::{NoNodes, StateTrie};

/// Geth's where the file names none.
const GAS_LIMIT: u64 = 4_712_388;
/// EIP-1559's first one.
const BASE_FEE_WEI: u64 = 1_000_000_000;

/// Reads the text of a genesis file.
pub fn parse(text: &str) -> anyhow::Result<(EthereumRules, store::Genesis)> {
    let genesis: Genesis =
        serde_json::from_str(text).context("not a genesis file as geth reads it")?;
    chain(&genesis)
}

/// Rules and first block.
pub fn chain(genesis: &Genesis) -> anyhow::Result<(EthereumRules, store::Genesis)> {
    let rules = rules(genesis)?;
    let state = state(&genesis.alloc);
    let state_root = StateTrie::new(NoNodes, EMPTY_ROOT_HASH)
        .apply(&state)
        .context("the first state")?
        .state_root;
    let header = header(genesis, &rules, state_root)?;
    Ok((rules, store::Genesis { header, state }))
}

fn rules(genesis: &Genesis) -> anyhow::Result<EthereumRules> {
    let config = &genesis.config;
    ensure!(config.clique.is_none(), "clique chains are not supported");
    let unknown = [
        ("amsterdamTime", config.amsterdam_time),
        ("bogotaTime", config.bogota_time),
    ];
    if let Some((name, _)) = unknown.iter().find(|(_, time)| time.is_some()) {
        bail!("config.{name}: this program knows the forks up to Osaka");
    }
    let mut rules = EthereumRules::new(
        config.chain_id,
        gas_limit(genesis),
        L1Fork::Frontier,
        Vec::new(),
    );
    rules.block_forks = block_forks(config)?;
    rules.forks = time_forks(config)?;
    rules.terminal_difficulty = config.terminal_total_difficulty;
    rules.dao_fork = config.dao_fork_block.map(|block| DaoFork {
        block,
        supported: config.dao_fork_support,
    });
    rules.deposit_contract = config.deposit_contract_address;
    rules.blob_schedule = blob_schedule(config)?;
    Ok(rules)
}

/// Forks by number. A name may be missing; the others must ascend.
fn block_forks(config: &ChainConfig) -> anyhow::Result<Vec<(u64, L1Fork)>> {
    // As geth reads it: Petersburg came with Constantinople where the file does not tell them apart.
    let petersburg = config.petersburg_block.or(config.constantinople_block);
    ensure!(
        config.eip155_block.is_none() || config.eip155_block == config.eip158_block,
        "config.eip155Block and config.eip158Block must be equal: they were one fork"
    );
    let named = [
        ("homesteadBlock", config.homestead_block, L1Fork::Homestead),
        ("eip150Block", config.eip150_block, L1Fork::TangerineWhistle),
        ("eip158Block", config.eip158_block, L1Fork::SpuriousDragon),
        ("byzantiumBlock", config.byzantium_block, L1Fork::Byzantium),
        (
            "constantinopleBlock",
            config.constantinople_block,
            L1Fork::Constantinople,
        ),
        ("petersburgBlock", petersburg, L1Fork::Petersburg),
        ("istanbulBlock", config.istanbul_block, L1Fork::Istanbul),
        (
            "muirGlacierBlock",
            config.muir_glacier_block,
            L1Fork::MuirGlacier,
        ),
        ("berlinBlock", config.berlin_block, L1Fork::Berlin),
        ("londonBlock", config.london_block, L1Fork::London),
        (
            "arrowGlacierBlock",
            config.arrow_glacier_block,
            L1Fork::ArrowGlacier,
        ),
        (
            "grayGlacierBlock",
            config.gray_glacier_block,
            L1Fork::GrayGlacier,
        ),
    ];
    let mut forks = ascending(&named)?;
    // No rule of its own, but part of the fork id.
    forks.extend(
        config
            .merge_netsplit_block
            .map(|from| (from, L1Fork::Paris)),
    );
    ensure!(
        forks.is_sorted_by_key(|(from, _)| *from),
        "config.mergeNetsplitBlock is before the fork that precedes it"
    );
    Ok([vec![(0, L1Fork::Frontier)], forks].concat())
}

/// Forks by time; none where the merge never comes.
fn time_forks(config: &ChainConfig) -> anyhow::Result<Vec<(u64, L1Fork)>> {
    let named = [
        ("shanghaiTime", config.shanghai_time, L1Fork::Shanghai),
        ("cancunTime", config.cancun_time, L1Fork::Cancun),
        ("pragueTime", config.prague_time, L1Fork::Prague),
        ("osakaTime", config.osaka_time, L1Fork::Osaka),
    ];
    let forks = ascending(&named)?;
    if config.terminal_total_difficulty.is_none() {
        ensure!(
            forks.is_empty(),
            "config.terminalTotalDifficulty is missing: forks by time come after the merge"
        );
        return Ok(forks);
    }
    Ok([vec![(0, L1Fork::Paris)], forks].concat())
}

fn ascending(named: &[(&str, Option<u64>, L1Fork)]) -> anyhow::Result<Vec<(u64, L1Fork)>> {
    let mut forks: Vec<(u64, L1Fork)> = Vec::new();
    for (name, from, fork) in named {
        let Some(from) = *from else { continue };
        let before = forks.last().map_or(0, |last| last.0);
        ensure!(
            from >= before,
            "config.{name} is {from}, before the fork that precedes it ({before})"
        );
        forks.push((from, *fork));
    }
    Ok(forks)
}

/// What `blobSchedule` says, and mainnet's first values where it is silent about a fork that once needed no entry.
fn blob_schedule(config: &ChainConfig) -> anyhow::Result<Vec<BlobParams>> {
    let prague = (6, 9, 5_007_716);
    let named = [
        ("cancun", config.cancun_time, Some((3, 6, 3_338_477))),
        ("prague", config.prague_time, Some(prague)),
        ("osaka", config.osaka_time, Some(prague)),
        ("bpo1", config.bpo1_time, None),
        ("bpo2", config.bpo2_time, None),
        ("bpo3", config.bpo3_time, None),
        ("bpo4", config.bpo4_time, None),
        ("bpo5", config.bpo5_time, None),
    ];
    let mut schedule: Vec<BlobParams> = Vec::new();
    for (name, from_s, usual) in named {
        let Some(from_s) = from_s else { continue };
        let given = config.blob_schedule.get(name).map(|params| {
            let fraction = u64::try_from(params.update_fraction).unwrap_or(u64::MAX);
            (params.target_blob_count, params.max_blob_count, fraction)
        });
        let (target, max, update_fraction) = given
            .or(usual)
            .with_context(|| format!("config.blobSchedule.{name} is missing"))?;
        ensure!(
            schedule.last().is_none_or(|last| last.from_s <= from_s),
            "config.{name}Time is {from_s}, before the entry of the blob schedule that precedes it"
        );
        schedule.push(BlobParams {
            from_s,
            target,
            max,
            update_fraction,
        });
    }
    Ok(schedule)
}

fn gas_limit(genesis: &Genesis) -> u64 {
    match genesis.gas_limit {
        0 => GAS_LIMIT,
        given => given,
    }
}

fn header(genesis: &Genesis, rules: &EthereumRules, state_root: B256) -> anyhow::Result<Header> {
    let header = Header {
        parent_hash: genesis.parent_hash.unwrap_or_default(),
        beneficiary: genesis.coinbase,
        state_root,
        difficulty: genesis.difficulty,
        number: genesis.number.unwrap_or(0),
        gas_limit: gas_limit(genesis),
        timestamp: genesis.timestamp,
        extra_data: genesis.extra_data.clone(),
        mix_hash: genesis.mix_hash,
        nonce: B64::from(genesis.nonce),
        ..Header::default()
    };
    // Geth asks number and time alone, so that the first block may have fields of forks and a difficulty.
    let by_number = rules.block_forks.iter().rev();
    let london = by_number
        .filter(|(from, _)| *from <= header.number)
        .any(|(_, fork)| *fork >= L1Fork::London);
    let active = |fork| {
        let reached = |(from, f): &(u64, L1Fork)| *f >= fork && *from <= header.timestamp;
        london && rules.forks.iter().any(reached)
    };
    let base_fee = match genesis.base_fee_per_gas {
        None => BASE_FEE_WEI,
        Some(given) => u64::try_from(given).context("baseFeePerGas is above 64 bits")?,
    };
    let cancun = active(L1Fork::Cancun);
    Ok(Header {
        base_fee_per_gas: london.then_some(base_fee),
        withdrawals_root: active(L1Fork::Shanghai).then_some(EMPTY_ROOT_HASH),
        blob_gas_used: cancun.then(|| genesis.blob_gas_used.unwrap_or(0)),
        excess_blob_gas: cancun.then(|| genesis.excess_blob_gas.unwrap_or(0)),
        parent_beacon_block_root: cancun.then_some(B256::ZERO),
        requests_hash: active(L1Fork::Prague).then_some(EMPTY_REQUESTS_HASH),
        ..header
    })
}

/// Empty accounts stay, as in geth.
fn state(alloc: &BTreeMap<Address, GenesisAccount>) -> StateDiff {
    let mut codes: BTreeMap<B256, Bytes> = BTreeMap::new();
    let accounts = alloc.iter().map(|(address, account)| {
        let code_hash = match account.non_empty_code() {
            Some(code) => {
                let hash = keccak256(code);
                codes.insert(hash, code.clone());
                hash
            }
            None => KECCAK_EMPTY,
        };
        let slots = account
            .storage_slots()
            .filter(|(_, value)| !value.is_zero());
        AccountDiff {
            address: *address,
            before: None,
            after: Some(Account {
                nonce: account.nonce.unwrap_or(0),
                balance: account.balance,
                code_hash,
            }),
            wiped: false,
            slots: slots
                .map(|(slot, after)| SlotDiff {
                    slot: slot.into(),
                    before: U256::ZERO,
                    after,
                })
                .collect(),
        }
    });
    StateDiff {
        accounts: accounts.collect(),
        codes: codes.into_iter().collect(),
    }
}
