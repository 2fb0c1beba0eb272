//! `tributary roles`: who can change what, read from the chains.

use crate::{
    ask::ask, assemble::connect, cli_bridge::RolesArgs, commands::network, withdraw::time,
};
use alloy_primitives::{Address, B256, Bytes, U256, b256, hex, keccak256};
use alloy_sol_types::SolCall;
use anyhow::Context;
use bindings::{
    fee_policy::FeePolicy, open_governor::OpenGovernor, open_token::OpenToken,
    pool_ledger::PoolLedger, proxy_admin::ProxyAdmin, stake_manager::StakeManager,
    system_config::SystemConfig, timelock::Timelock,
};
use l1::Client;
use primitives::predeploys as at;
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;

/// ERC-1967: `keccak256("eip1967.proxy.admin") - 1`.
const ADMIN_SLOT: B256 = b256!("b53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103");
/// ERC-1967: `keccak256("eip1967.proxy.implementation") - 1`.
const IMPLEMENTATION_SLOT: B256 =
    b256!("360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc");

const WEI_PER_OPEN: u64 = 1_000_000_000_000_000_000;
/// Number of OPERATOR in `contracts/src/l2/IStakeManager.sol`.
const ROLE_OPERATOR: u8 = 0;
/// `Pools.TREASURY`: above all assets' numbers.
const TREASURY_POOL: u64 = 1 << 63;

/// One role of one contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Role {
    /// Contract.
    pub contract: String,
    /// Name of the role.
    pub role: &'static str,
    /// Who holds it. Empty if nobody does.
    pub holders: Vec<Address>,
    /// What it lets them do.
    pub may: String,
}

/// Prints every role.
pub async fn run(args: RolesArgs) -> anyhow::Result<()> {
    let network = Arc::new(network(&args.config)?);
    let client = connect(&args.l1.url, args.l1.blobs.as_deref(), &network).await?;
    let mut roles = on_l1(&client).await?;
    match &args.rpc {
        Some(url) => roles.extend(on_l2(url).await?),
        None => tracing::info!("without --rpc the roles on L2 are not listed"),
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&roles)?);
        return Ok(());
    }
    let known = names(&client);
    for role in roles {
        println!("{} {}: {}", role.contract, role.role, role.may);
        if role.holders.is_empty() {
            println!("    nobody");
        }
        for holder in role.holders {
            let name = known.iter().find(|(_, address)| *address == holder);
            let name = match (name, holder.is_zero()) {
                (Some((name, _)), _) => format!("  ({name})"),
                (None, true) => "  (anyone)".to_owned(),
                (None, false) => String::new(),
            };
            println!("    {holder}{name}");
        }
    }
    Ok(())
}

fn names(client: &Client) -> Vec<(&'static str, Address)> {
    let c = &client.network().contracts;
    vec![
        ("Inbox", c.inbox),
        ("Portal", c.portal),
        ("Rollup", c.rollup),
        ("SystemConfig", c.system_config),
        ("Timelock", c.timelock),
    ]
}

/// Every privileged role on L1.
pub async fn on_l1(client: &Client) -> anyhow::Result<Vec<Role>> {
    let c = client.network().contracts.clone();
    let delay = client
        .view(c.timelock, &Timelock::getMinDelayCall {})
        .await?;
    let delay = time(delay.try_into().unwrap_or(u64::MAX));
    let mut roles = Vec::new();
    for (name, proxy) in names(client).into_iter().filter(|(_, a)| *a != c.timelock) {
        let admin = slot(client, proxy, ADMIN_SLOT).await?;
        let implementation = slot(client, proxy, IMPLEMENTATION_SLOT).await?;
        let owner = client.view(admin, &ProxyAdmin::ownerCall {}).await?;
        roles.push(Role {
            contract: name.into(),
            role: "proxy admin's owner",
            holders: vec![owner],
            may: format!("replaces the code (now {implementation}) through the admin {admin}"),
        });
    }
    for (role, name, may) in [
        (
            B256::ZERO,
            "DEFAULT_ADMIN_ROLE",
            "grants and revokes all roles of the timelock".to_owned(),
        ),
        (
            keccak256("PROPOSER_ROLE"),
            "PROPOSER_ROLE",
            format!("schedules calls, which can be executed {delay} later at the earliest"),
        ),
        (
            keccak256("CANCELLER_ROLE"),
            "CANCELLER_ROLE",
            "cancels scheduled calls".to_owned(),
        ),
        (
            keccak256("EXECUTOR_ROLE"),
            "EXECUTOR_ROLE",
            "executes calls whose delay has passed".to_owned(),
        ),
    ] {
        roles.push(Role {
            contract: "Timelock".into(),
            role: name,
            holders: members(client, c.timelock, role).await?,
            may,
        });
    }
    let config = c.system_config;
    let view = |contract: &str, role, holder: Address, may: &str| Role {
        contract: contract.into(),
        role,
        holders: if holder.is_zero() {
            vec![]
        } else {
            vec![holder]
        },
        may: may.into(),
    };
    roles.push(view("SystemConfig", "owner", client.view(config, &SystemConfig::ownerCall {}).await?,
        "sets sequencer, council, fee recipient, bond, program hash and the price of deposit gas, within bounds"));
    roles.push(view(
        "SystemConfig",
        "pending owner",
        client
            .view(config, &SystemConfig::pendingOwnerCall {})
            .await?,
        "may accept the ownership",
    ));
    let paused = client.view(config, &SystemConfig::pausedCall {}).await?;
    roles.push(view(
        "SystemConfig",
        "council",
        client.view(config, &SystemConfig::councilCall {}).await?,
        if paused {
            "pauses new deposits and finalisation for at most 30 days of 60: PAUSED NOW"
        } else {
            "pauses new deposits and finalisation for at most 30 days of 60; not paused now"
        },
    ));
    roles.push(view(
        "SystemConfig",
        "sequencer",
        client.view(config, &SystemConfig::sequencerCall {}).await?,
        "signs batches: orders transactions, and can delay them but not steal",
    ));
    roles.push(view(
        "SystemConfig",
        "fee recipient",
        client
            .view(config, &SystemConfig::feeRecipientCall {})
            .await?,
        "receives what deposits pay for L2 gas",
    ));
    // A token that has no owner has no minter of that kind either.
    if let Ok(owner) = client.view(c.open_token, &OpenToken::ownerCall {}).await {
        roles.push(view(
            "OPEN token",
            "owner",
            owner,
            "mints (a development token)",
        ));
    }
    Ok(roles)
}

/// Every privileged role on L2.
pub async fn on_l2(url: &str) -> anyhow::Result<Vec<Role>> {
    let chain = L2 {
        http: reqwest::Client::new(),
        url,
    };
    let owner = FeePolicy::ownerCall {};
    let offered = FeePolicy::offeredToCall {};
    let threshold = OpenGovernor::proposalThresholdCall {};
    let threshold = chain.view(at::GOVERNOR, &threshold).await?;
    let guardian = OpenGovernor::proposalGuardianCall {};
    let until = chain
        .view(at::GOVERNOR, &OpenGovernor::guardianUntilCall {})
        .await?;
    let thaw = StakeManager::thawMinOfCall {
        role: ROLE_OPERATOR,
        verifier: at::ATTRIBUTION_COURT,
    };
    let thaw = chain.view(at::STAKE_MANAGER, &thaw).await?;
    let treasury = PoolLedger::controllerOfCall {
        pool: TREASURY_POOL,
    };
    let held = |contract: &str, role, holder: Address, may: &str| Role {
        contract: contract.into(),
        role,
        holders: Some(holder).filter(|h| !h.is_zero()).into_iter().collect(),
        may: may.into(),
    };
    let mut roles = vec![
        held(
            "FeePolicy (L2)",
            "owner",
            chain.view(at::FEE_POLICY, &owner).await?,
            "sets within bounds: the economy's shares, channels of the router, verifiers of stakes, rho and lists of grants",
        ),
        held(
            "FeePolicy (L2)",
            "pending owner",
            chain.view(at::FEE_POLICY, &offered).await?,
            "may accept the ownership",
        ),
        Role {
            contract: "OpenGovernor (L2)".into(),
            role: "proposer",
            holders: vec![Address::ZERO],
            may: format!(
                "with {} OPEN of votes, proposes what `isInScope` names; what stakers pass is executed a week later",
                threshold / U256::from(WEI_PER_OPEN)
            ),
        },
        held(
            "OpenGovernor (L2)",
            "guardian",
            chain.view(at::GOVERNOR, &guardian).await?,
            &format!("cancels proposals before second {until}"),
        ),
        held(
            "PoolLedger (L2)",
            "controller of the treasury",
            chain.view(at::POOL_LEDGER, &treasury).await?,
            "sets who shares what the protocol's class brings",
        ),
    ];
    // Governance may have approved others since: each has an event VerifierChanged.
    if thaw != 0 {
        roles.push(Role {
            contract: "StakeManager (L2)".into(),
            role: "verifier of operators",
            holders: vec![at::ATTRIBUTION_COURT],
            may: format!(
                "slashes provisions towards it for faults that anyone shows it; they thaw for {} at least",
                time(thaw.into())
            ),
        });
    }
    for (name, vault) in [
        ("PriorityFeeVault (L2)", at::PRIORITY_FEE_VAULT),
        ("BaseFeeVault (L2)", at::BASE_FEE_VAULT),
        ("DataFeeVault (L2)", at::DATA_FEE_VAULT),
    ] {
        let recipient = bindings::fee_vault::FeeVault::recipientCall {};
        roles.push(Role {
            contract: name.into(),
            role: "recipient",
            holders: vec![chain.view(vault, &recipient).await?],
            may: "receives the fees; anyone may send them on".into(),
        });
    }
    Ok(roles)
}

struct L2<'a> {
    http: reqwest::Client,
    url: &'a str,
}

impl L2<'_> {
    async fn view<C: SolCall>(&self, contract: Address, call: &C) -> anyhow::Result<C::Return> {
        let request = json!({ "to": contract, "data": hex::encode_prefixed(call.abi_encode()) });
        let answer: Bytes =
            ask(&self.http, self.url, "eth_call", json!([request, "latest"])).await?;
        C::abi_decode_returns(&answer).with_context(|| format!("{} of {contract}", C::SIGNATURE))
    }
}

async fn slot(client: &Client, contract: Address, slot: B256) -> anyhow::Result<Address> {
    let word = client
        .raw("eth_getStorageAt", json!([contract, slot, "latest"]))
        .await?;
    let word: B256 = serde_json::from_value(word).context("eth_getStorageAt")?;
    Ok(Address::from_word(word))
}

/// Accounts that hold a role of the timelock.
async fn members(client: &Client, timelock: Address, role: B256) -> anyhow::Result<Vec<Address>> {
    let count = client
        .view(timelock, &Timelock::getRoleMemberCountCall { role })
        .await?;
    let mut members = Vec::new();
    for index in 0..count.saturating_to::<u64>() {
        let index = U256::from(index);
        let call = Timelock::getRoleMemberCall { role, index };
        members.push(client.view(timelock, &call).await?);
    }
    Ok(members)
}
