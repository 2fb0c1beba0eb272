//! The first L2 block: the predeploys of `contracts/src/l2/README.md`, no balances.
//!
//! L2 supply starts at zero; OPEN comes into being only through L1's queue.

use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header, constants::EMPTY_WITHDRAWALS};
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_trie::EMPTY_ROOT_HASH;
use anyhow::{Context, ensure};
use config::Network;
use primitives::{Account, AccountDiff, OutputRoot, SlotDiff, StateDiff, predeploys as at};
use store::Genesis;
use trie::{StateTrie, Witness};

/// FeePolicy's words, from the lowest bit in parts per billion: protocol 1 %, burn 1 %, stakers 3 % ...
const FEE_POLICY_CLASSES: U256 =
    U256::from_limbs([(10_000_000 << 32) | 10_000_000, 30_000_000, 0, 0]);
/// ... and upstream at most 30 %.
const FEE_POLICY_UPSTREAM: U256 = U256::from_limbs([300_000_000, 0, 0, 0]);

/// The governor's guardian can cancel proposals for 24 months, seconds.
const GUARDIAN_S: u64 = 730 * 86_400;
/// An operator's stake thaws at least so long, seconds: longer than a day to post its last epoch and two windows to
/// show what is wrong there (`config` bounds the window).
const OPERATOR_THAW_MIN_S: u64 = 7 * 86_400;
/// Place of `thawMinOf` in StakeManager, and number of OPERATOR in its roles.
const THAW_MIN_OF_SLOT: u64 = 10;
const ROLE_OPERATOR: u64 = 0;

/// Builds the genesis of a network.
pub fn genesis(network: &Network) -> anyhow::Result<Genesis> {
    let recipient = word(network.genesis.fee_recipient);
    let vault = vec![(U256::ZERO, recipient)];
    let mut accounts = vec![
        predeploy(at::PRIORITY_FEE_VAULT, "FeeVault", vault.clone())?,
        predeploy(at::BASE_FEE_VAULT, "FeeVault", vault.clone())?,
        predeploy(at::DATA_FEE_VAULT, "FeeVault", vault)?,
        predeploy(
            at::TOKEN_BRIDGE,
            "L2TokenBridge",
            // A slot of zero is no slot: before there is an L1 side, no deposit is believed.
            Some((U256::ZERO, word(network.contracts.token_bridge)))
                .filter(|(_, address)| !address.is_zero())
                .into_iter()
                .collect(),
        )?,
        predeploy(at::BRIDGED_TOKEN, "BridgedToken", vec![])?,
        predeploy(at::L1_INFO, "L1Info", vec![])?,
        predeploy(at::MESSAGE_PASSER, "L2ToL1MessagePasser", vec![])?,
        predeploy(at::WRAPPED_OPEN, "WrappedOpen", vec![])?,
        predeploy(at::ASSET_REGISTRY, "AssetRegistry", vec![])?,
        predeploy(at::DATANET, "Datanet", vec![])?,
        predeploy(at::PAY_TO, "PayTo", vec![])?,
        predeploy(at::REVENUE_ROUTER, "RevenueRouter", vec![])?,
        predeploy(at::POOL_LEDGER, "PoolLedger", vec![])?,
        predeploy(at::SPEND_ACCOUNT, "SpendAccount", vec![])?,
        predeploy(
            at::RECEIPTS,
            "Receipts",
            vec![(
                U256::from(1),
                U256::from(network.genesis.attribution_window_s),
            )],
        )?,
        predeploy(at::ATTRIBUTION_SETTLEMENT, "AttributionSettlement", vec![])?,
        predeploy(at::ATTRIBUTION_COURT, "AttributionCourt", vec![])?,
        predeploy(
            at::STAKE_MANAGER,
            "StakeManager",
            vec![(
                thaw_min_slot(ROLE_OPERATOR, at::ATTRIBUTION_COURT),
                U256::from(OPERATOR_THAW_MIN_S),
            )],
        )?,
        predeploy(
            at::FEE_POLICY,
            "FeePolicy",
            vec![
                (U256::ZERO, word(at::GOVERNOR)),
                (U256::from(2), FEE_POLICY_CLASSES),
                (U256::from(3), FEE_POLICY_UPSTREAM),
            ],
        )?,
        predeploy(
            at::GOVERNOR,
            "OpenGovernor",
            vec![(U256::ZERO, guardian(network))],
        )?,
        predeploy(at::METRICS, "Metrics", vec![])?,
        predeploy(at::GRANT_POOL, "GrantPool", vec![])?,
    ];
    accounts.push(history_contract());
    accounts.sort_by_key(|(diff, _)| diff.address);
    let mut codes: Vec<_> = accounts
        .iter()
        .map(|(diff, code)| (code_hash(diff), code.clone()))
        .collect();
    codes.sort();
    codes.dedup();
    let state = StateDiff {
        accounts: accounts.into_iter().map(|(diff, _)| diff).collect(),
        codes,
    };

    let mut trie = StateTrie::new(Witness::default(), EMPTY_ROOT_HASH);
    let state_root = trie.apply(&state).context("genesis state")?.state_root;
    let header = Header {
        parent_hash: B256::ZERO,
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: at::PRIORITY_FEE_VAULT,
        state_root,
        transactions_root: EMPTY_ROOT_HASH,
        receipts_root: EMPTY_ROOT_HASH,
        withdrawals_root: Some(EMPTY_WITHDRAWALS),
        gas_limit: network.chain.gas_limit,
        timestamp: network.genesis.timestamp,
        base_fee_per_gas: Some(network.fees.base_fee_genesis_wei),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        requests_hash: Some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    };
    Ok(Genesis { header, state })
}

/// The genesis of a network whose file names its hash; another hash means another chain.
pub fn checked_genesis(network: &Network) -> anyhow::Result<Genesis> {
    let genesis = genesis(network)?;
    let (found, wanted) = (genesis.header.hash_slow(), network.genesis.hash);
    ensure!(
        found == wanted,
        "first differing block: 0. This program makes genesis {found} from the network file, which names {wanted}: \
         the file was edited, or belongs to another version of the program"
    );
    Ok(genesis)
}

/// What `Rollup` holds as its first, confirmed assertion.
pub fn output_root(header: &Header) -> B256 {
    OutputRoot {
        state_root: header.state_root,
        withdrawals_root: header.withdrawals_root.unwrap_or(EMPTY_ROOT_HASH),
        block_hash: header.hash_slow(),
    }
    .hash()
}

type Placed = (AccountDiff, alloy_primitives::Bytes);

/// OpenGovernor's first word: who the guardian is, and above it until when.
fn guardian(network: &Network) -> U256 {
    let until = network.genesis.timestamp.saturating_add(GUARDIAN_S);
    (U256::from(until) << 160) | word(network.genesis.guardian)
}

/// Where StakeManager keeps how long new provisions of a role towards a verifier must thaw.
fn thaw_min_slot(role: u64, verifier: Address) -> U256 {
    let of_role = keccak256(
        [U256::from(role), U256::from(THAW_MIN_OF_SLOT)]
            .map(|w| w.to_be_bytes::<32>())
            .concat(),
    );
    keccak256([verifier.into_word(), of_role].concat()).into()
}

fn predeploy(address: Address, name: &str, slots: Vec<(U256, U256)>) -> anyhow::Result<Placed> {
    let code = bindings::runtime(name)
        .with_context(|| format!("no bytecode snapshot of {name}"))?
        .clone();
    Ok((placed(address, &code, slots), code))
}

/// EIP-2935's history contract, with the code and the nonce that the EIP publishes.
fn history_contract() -> Placed {
    let code = alloy_eips::eip2935::HISTORY_STORAGE_CODE.clone();
    (
        placed(alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS, &code, vec![]),
        code,
    )
}

fn placed(address: Address, code: &[u8], slots: Vec<(U256, U256)>) -> AccountDiff {
    AccountDiff {
        address,
        before: None,
        after: Some(Account {
            nonce: 1,
            balance: U256::ZERO,
            code_hash: keccak256(code),
        }),
        wiped: false,
        slots: slots
            .into_iter()
            .map(|(slot, after)| SlotDiff {
                slot,
                before: U256::ZERO,
                after,
            })
            .collect(),
    }
}

fn code_hash(diff: &AccountDiff) -> B256 {
    diff.after
        .map(|account| account.code_hash)
        .unwrap_or_default()
}

fn word(address: Address) -> U256 {
    U256::from_be_bytes(address.into_word().0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dev() -> Network {
        Network::parse(include_str!("../../../config/dev.toml")).unwrap()
    }

    #[test]
    fn fee_policy_words_are_those_of_its_readme() {
        assert_eq!(
            FEE_POLICY_CLASSES,
            U256::from_str_radix("01c9c3800098968000989680", 16).unwrap()
        );
        assert_eq!(
            FEE_POLICY_UPSTREAM,
            U256::from_str_radix("11e1a300", 16).unwrap()
        );
    }

    fn slot(genesis: &Genesis, address: Address, slot: U256) -> U256 {
        let account = genesis.state.accounts.iter().find(|a| a.address == address);
        let slots = account.map(|a| a.slots.as_slice()).unwrap_or_default();
        let found = slots.iter().find(|s| s.slot == slot);
        found.map_or(U256::ZERO, |s| s.after)
    }

    #[test]
    fn stakers_own_the_parameters_and_a_council_guards_them_for_two_years() {
        let mut network = dev();
        network.genesis.timestamp = 1_000;
        network.genesis.guardian = Address::repeat_byte(7);
        let genesis = genesis(&network).unwrap();
        let owner = slot(&genesis, at::FEE_POLICY, U256::ZERO);
        assert_eq!(owner, word(at::GOVERNOR));
        let guardian = slot(&genesis, at::GOVERNOR, U256::ZERO);
        assert_eq!(guardian >> 160, U256::from(1_000 + 730 * 86_400));
        assert_eq!(guardian & (U256::MAX >> 96), word(Address::repeat_byte(7)));
    }

    #[test]
    fn the_least_thaw_time_stands_where_the_layout_says() {
        let layout = include_str!("../../../contracts/snapshots/storage/StakeManager.json");
        let layout: serde_json::Value = serde_json::from_str(layout).unwrap();
        let label = |v: &&serde_json::Value| v["label"] == "thawMinOf";
        let found = layout["storage"].as_array().unwrap().iter().find(label);
        assert_eq!(found.unwrap()["slot"], THAW_MIN_OF_SLOT);
        // `cast keccak` of the same bytes.
        assert_eq!(
            thaw_min_slot(ROLE_OPERATOR, at::ATTRIBUTION_COURT),
            U256::from_str_radix(
                "f940008807b52714741ca442300454aefd053f79430ae5a4080d4957ae57cc1c",
                16
            )
            .unwrap()
        );
    }

    #[test]
    fn supply_starts_at_zero() {
        let genesis = genesis(&dev()).unwrap();
        assert!(
            genesis
                .state
                .accounts
                .iter()
                .all(|a| a.after.is_some_and(|a| a.balance.is_zero()))
        );
    }

    #[test]
    fn another_token_bridge_is_another_chain() {
        let without = genesis(&dev()).unwrap();
        let mut network = dev();
        network.contracts.token_bridge = Address::repeat_byte(7);
        let with = genesis(&network).unwrap();
        assert_ne!(with.header.state_root, without.header.state_root);
        let slots = |genesis: &Genesis| {
            let bridge = |a: &&AccountDiff| a.address == at::TOKEN_BRIDGE;
            genesis
                .state
                .accounts
                .iter()
                .find(bridge)
                .map(|a| a.slots.clone())
                .unwrap()
        };
        assert!(slots(&without).is_empty());
        assert_eq!(slots(&with)[0].after, word(Address::repeat_byte(7)));
    }

    #[test]
    fn another_fee_recipient_is_another_chain() {
        let mut network = dev();
        network.genesis.hash = genesis(&network).unwrap().header.hash_slow();
        assert!(checked_genesis(&network).is_ok());
        network.genesis.fee_recipient = Address::repeat_byte(1);
        let error = checked_genesis(&network).err().unwrap().to_string();
        assert!(error.starts_with("first differing block: 0"), "{error}");
    }
}
