//! What a node can be asked for: `eth_capabilities`, `eth_config` (EIP-7910), `debug_chainConfig`.

use crate::{Node, errors::RpcError, module::Registry};
use alloy_eips::{
    eip2935::HISTORY_STORAGE_ADDRESS, eip4788::BEACON_ROOTS_ADDRESS,
    eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
    eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
};
use alloy_primitives::{Address, B256, U64};
use config::L1Fork;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use stf::Rules;

pub(crate) fn register(registry: &mut Registry) {
    registry.light("eth_capabilities", 0, |node, _| Ok(capabilities(node)));
    registry.light("eth_config", 0, |node, _| fork_config(node));
    registry.light("debug_chainConfig", 0, |node, _| Ok(chain_config(node)));
}

#[derive(Clone, Serialize)]
struct Capabilities {
    head: Head,
    state: Kept,
    tx: Kept,
    logs: Kept,
    receipts: Kept,
    blocks: Kept,
    stateproofs: Kept,
}

#[derive(Clone, Serialize)]
struct Head {
    number: U64,
    hash: B256,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Kept {
    disabled: bool,
    oldest_block: U64,
    #[serde(skip_serializing_if = "Option::is_none")]
    delete_strategy: Option<Window>,
}

/// Blocks older than this many are deleted.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Window {
    #[serde(rename = "type")]
    kind: &'static str,
    retention_blocks: U64,
}

fn capabilities(node: &Node) -> Capabilities {
    let head = node.store.head();
    let number = head.header.number;
    let window = |blocks: u64| {
        Some(Window {
            kind: "window",
            retention_blocks: U64::from(blocks),
        })
    };
    // Blocks, receipts and logs are kept for ever; of the state, what the operator chose.
    let all = Kept {
        disabled: false,
        oldest_block: U64::from(node.store.genesis_number()),
        delete_strategy: None,
    };
    let oldest_state = node.store.oldest_state();
    let retention = node.store.retention_blocks();
    let reach = node.limits.proof_blocks_max;
    let state = Kept {
        oldest_block: U64::from(oldest_state),
        delete_strategy: retention.and_then(window),
        ..all.clone()
    };
    let stateproofs = Kept {
        oldest_block: U64::from(oldest_state.max(number.saturating_sub(reach))),
        delete_strategy: window(retention.unwrap_or(u64::MAX).min(reach)),
        ..all.clone()
    };
    Capabilities {
        head: Head {
            number: U64::from(number),
            hash: head.hash,
        },
        state,
        tx: all.clone(),
        logs: all.clone(),
        receipts: all.clone(),
        blocks: all,
        stateproofs,
    }
}

#[derive(Clone, Serialize)]
struct ForkConfigs {
    current: ForkConfig,
    next: Option<ForkConfig>,
    last: Option<ForkConfig>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct ForkConfig {
    activation_time: u64,
    blob_schedule: BlobSchedule,
    chain_id: U64,
    fork_id: String,
    precompiles: BTreeMap<&'static str, Address>,
    system_contracts: BTreeMap<&'static str, Address>,
}

#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct BlobSchedule {
    base_fee_update_fraction: u64,
    max: u64,
    target: u64,
}

/// EIP-7910's names.
const PRECOMPILES: &[(&str, u64, L1Fork)] = &[
    ("ECREC", 1, L1Fork::Cancun),
    ("SHA256", 2, L1Fork::Cancun),
    ("RIPEMD160", 3, L1Fork::Cancun),
    ("ID", 4, L1Fork::Cancun),
    ("MODEXP", 5, L1Fork::Cancun),
    ("BN254_ADD", 6, L1Fork::Cancun),
    ("BN254_MUL", 7, L1Fork::Cancun),
    ("BN254_PAIRING", 8, L1Fork::Cancun),
    ("BLAKE2F", 9, L1Fork::Cancun),
    ("KZG_POINT_EVALUATION", 0x0a, L1Fork::Cancun),
    ("BLS12_G1ADD", 0x0b, L1Fork::Prague),
    ("BLS12_G1MSM", 0x0c, L1Fork::Prague),
    ("BLS12_G2ADD", 0x0d, L1Fork::Prague),
    ("BLS12_G2MSM", 0x0e, L1Fork::Prague),
    ("BLS12_PAIRING_CHECK", 0x0f, L1Fork::Prague),
    ("BLS12_MAP_FP_TO_G1", 0x10, L1Fork::Prague),
    ("BLS12_MAP_FP2_TO_G2", 0x11, L1Fork::Prague),
    ("P256VERIFY", 0x100, L1Fork::Osaka),
];

fn fork_config(node: &Node) -> Result<ForkConfigs, RpcError> {
    let now = node.store.head().header.timestamp;
    let times = activations(&node.rules);
    let at = |time: u64| one(node, time, &times);
    let later: Vec<u64> = times.iter().copied().filter(|time| *time > now).collect();
    let active = times.iter().copied().rfind(|time| *time <= now);
    Ok(ForkConfigs {
        current: at(active.unwrap_or(0))?,
        next: later.first().map(|time| at(*time)).transpose()?,
        last: later.last().map(|time| at(*time)).transpose()?,
    })
}

/// Every time at which rules change, ascending. The first is genesis.
fn activations(rules: &Rules) -> Vec<u64> {
    let times: BTreeSet<u64> = match rules {
        Rules::Ethereum(rules) => rules
            .forks
            .iter()
            .map(|(from, _)| *from)
            .chain(rules.blob_schedule.iter().map(|params| params.from_s))
            .collect(),
        Rules::Rollup(_) => [0].into(),
    };
    times.into_iter().collect()
}

fn one(node: &Node, time: u64, times: &[u64]) -> Result<ForkConfig, RpcError> {
    let (fork, blobs) = match &*node.rules {
        Rules::Ethereum(rules) => {
            let params = rules.blob_params(time);
            (
                rules.fork(time),
                BlobSchedule {
                    base_fee_update_fraction: params.update_fraction,
                    max: params.max,
                    target: params.target,
                },
            )
        }
        // No blobs live here.
        Rules::Rollup(_) => (
            L1Fork::Osaka,
            BlobSchedule {
                base_fee_update_fraction: 0,
                max: 0,
                target: 0,
            },
        ),
    };
    let precompiles = PRECOMPILES
        .iter()
        .filter(|(_, _, since)| *since <= fork)
        .map(|(name, number, _)| {
            (
                *name,
                Address::from_word(B256::from(alloy_primitives::U256::from(*number))),
            )
        })
        .collect();
    let mut system_contracts = BTreeMap::new();
    if matches!(*node.rules, Rules::Ethereum(_)) {
        system_contracts.insert("BEACON_ROOTS_ADDRESS", BEACON_ROOTS_ADDRESS);
        if fork >= L1Fork::Prague {
            system_contracts.extend([
                (
                    "CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS",
                    CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
                ),
                (
                    "WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS",
                    WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
                ),
            ]);
        }
    }
    if fork >= L1Fork::Prague {
        system_contracts.insert("HISTORY_STORAGE_ADDRESS", HISTORY_STORAGE_ADDRESS);
        if let Rules::Ethereum(rules) = &*node.rules
            && let Some(contract) = rules.deposit_contract
        {
            system_contracts.insert("DEPOSIT_CONTRACT_ADDRESS", contract);
        }
    }
    Ok(ForkConfig {
        activation_time: time,
        blob_schedule: blobs,
        chain_id: U64::from(node.chain_id),
        fork_id: fork_id(node, times, time)?,
        precompiles,
        system_contracts,
    })
}

/// EIP-6122: CRC-32 over the genesis hash, the numbers and then the times of all forks after genesis and up to this one.
fn fork_id(node: &Node, times: &[u64], time: u64) -> Result<String, RpcError> {
    let genesis = node.store.genesis_number();
    let genesis_s = node
        .store
        .header(genesis)?
        .map_or(0, |first| first.timestamp);
    let mut crc = crc32fast::Hasher::new();
    crc.update(node.store.genesis_hash().as_slice());
    let numbers = block_numbers(&node.rules).into_iter();
    let passed = times.iter().copied().filter(|passed| *passed <= time);
    for fork in numbers
        .filter(|number| *number > genesis)
        .chain(passed.filter(|passed| *passed > genesis_s))
    {
        crc.update(&fork.to_be_bytes());
    }
    Ok(format!("{:#010x}", crc.finalize()))
}

/// Every block number at which rules changed, ascending.
fn block_numbers(rules: &Rules) -> BTreeSet<u64> {
    match rules {
        Rules::Ethereum(rules) => {
            let forks = rules.block_forks.iter().map(|(from, _)| *from);
            forks.chain(rules.dao_fork.map(|fork| fork.block)).collect()
        }
        Rules::Rollup(_) => BTreeSet::new(),
    }
}

/// geth's names, for tools that read which rules hold.
fn chain_config(node: &Node) -> Map<String, Value> {
    let by_number = [
        ("homesteadBlock", L1Fork::Homestead),
        ("eip150Block", L1Fork::TangerineWhistle),
        ("eip155Block", L1Fork::SpuriousDragon),
        ("eip158Block", L1Fork::SpuriousDragon),
        ("byzantiumBlock", L1Fork::Byzantium),
        ("constantinopleBlock", L1Fork::Constantinople),
        ("petersburgBlock", L1Fork::Petersburg),
        ("istanbulBlock", L1Fork::Istanbul),
        ("muirGlacierBlock", L1Fork::MuirGlacier),
        ("berlinBlock", L1Fork::Berlin),
        ("londonBlock", L1Fork::London),
        ("arrowGlacierBlock", L1Fork::ArrowGlacier),
        ("grayGlacierBlock", L1Fork::GrayGlacier),
    ];
    let by_time = [
        ("shanghaiTime", L1Fork::Shanghai),
        ("cancunTime", L1Fork::Cancun),
        ("pragueTime", L1Fork::Prague),
        ("osakaTime", L1Fork::Osaka),
    ];
    let (mut blocks, mut times) = (Vec::new(), vec![(0, L1Fork::Osaka)]);
    let (mut merge, mut dao_fork) = (json!(0), None);
    if let Rules::Ethereum(rules) = &*node.rules {
        (blocks, times) = (rules.block_forks.clone(), rules.forks.clone());
        merge = match rules.terminal_difficulty {
            Some(end) => json!(end.to_string()),
            None => json!(0),
        };
        dao_fork = rules.dao_fork;
    }
    // A chain that never had a difficulty began behind all forks by number.
    if blocks.is_empty() {
        blocks.push((0, L1Fork::GrayGlacier));
    }
    let mut config = Map::new();
    config.insert("chainId".to_owned(), json!(node.chain_id));
    // A fork that was never a stage of its own came with the first that is at or above it.
    for (forks, names) in [(&blocks, &by_number[..]), (&times, &by_time[..])] {
        for (name, fork) in names {
            if let Some((from, _)) = forks.iter().find(|(_, active)| active >= fork) {
                config.insert((*name).to_owned(), json!(from));
            }
        }
    }
    if let Some(fork) = dao_fork {
        config.insert("daoForkBlock".to_owned(), json!(fork.block));
        config.insert("daoForkSupport".to_owned(), json!(fork.supported));
    }
    if !times.is_empty() {
        config.insert("terminalTotalDifficulty".to_owned(), merge);
    }
    config
}
