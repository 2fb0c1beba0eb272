//! `tributary dev`: everything in one process, ready for a newcomer.

use crate::{
    assemble::{self, L1_POLL_SLOW, Stages, connect},
    batches::BatchMaker,
    cli::{Da, Dev},
    clock,
    deploy::{Deployer, Roles, deploy},
    driver::Driver,
    genesis, keys,
    relay::{self, Relay},
    roles,
};
use alloy_primitives::{Address, U256};
use anyhow::{Context, ensure};
use bindings::{open_token::OpenToken, portal::Portal};
use config::Network;
use l1::{PrivateKeySigner, Sender};
use metrics_exporter_prometheus::PrometheusHandle;
use poster::DaChoice;
use primitives::predeploys as at;
use relayer::Carry;
use serde_json::json;
use std::{path::Path, sync::Arc, time::Duration};

/// Accounts for people; the roles use later ones of the same mnemonic, so that nonces never clash.
const ACCOUNTS: u32 = 10;
const DEPLOYER: u32 = 20;
const SEQUENCER: u32 = 21;
const POSTER: u32 = 22;
const PROPOSER: u32 = 23;
const RELAYER: u32 = 24;

/// OPEN on L2 for each account, and as much again on L1, wei: ten thousand.
const OPEN_EACH: u128 = 10_000 * ETHER;
const ETHER: u128 = 1_000_000_000_000_000_000;
/// ETH for each role on L1, wei.
const ETH_ROLE: u128 = 1_000 * ETHER;
/// Timelock of a network that lives for an afternoon, seconds.
const TIMELOCK_DELAY_S: u64 = 60;
/// L1 gas that the relayer gives a withdrawal: whatever a transaction may take.
const RELAY_GAS_MAX: u64 = 1 << 24;
/// L2 gas of a deposit that only moves OPEN.
const DEPOSIT_GAS: u64 = 50_000;

/// Runs until asked to stop.
pub async fn run(args: Dev, metrics: PrometheusHandle) -> anyhow::Result<()> {
    let started = std::time::Instant::now();
    // Removed when dropped, unless the user chose the folder.
    let temporary = args.datadir.is_none().then(tempfile::tempdir).transpose()?;
    let datadir = args
        .datadir
        .as_deref()
        .or(temporary.as_ref().map(|dir| dir.path()))
        .context("no data folder")?;
    let datadir = datadir.to_owned();
    std::fs::create_dir_all(&datadir).with_context(|| format!("making {}", datadir.display()))?;
    let file = datadir.join("network.toml");
    let known = match std::fs::read_to_string(&file) {
        Ok(text) => Some(Network::parse(&text).with_context(|| file.display().to_string())?),
        Err(_) => None,
    };

    let embedded = match &args.l1 {
        Some(_) => None,
        None => Some(start_l1(&args, &datadir, known.is_none())?),
    };
    let l1_url = embedded
        .as_ref()
        .map(l1dev::Handle::url)
        .or_else(|| args.l1.clone())
        .context("no L1")?;

    let network = match known {
        Some(network) => network,
        None => {
            let network = found(&args, &l1_url).await?;
            std::fs::write(&file, network.to_toml()?)
                .with_context(|| format!("writing {}", file.display()))?;
            network
        }
    };
    if let Some(l1) = &embedded {
        l1.set_mining(l1dev::Mining::Interval(args.l1_block_time_ms));
    }
    let network = Arc::new(network);

    let chain = assemble::open(network.clone(), &datadir, None, args.da == Da::Calldata)?;
    assemble::attach_journal(&chain, &datadir)?;
    let client = connect(&l1_url, None, &network).await?;
    let maker = BatchMaker::new(chain.clone(), keys::dev_key(SEQUENCER)?, da_choice(args.da));
    let mut stages = Stages::new(chain.clone());
    let pool = assemble::local_pool(&chain);
    stages
        .serve(
            &args.serve,
            pool,
            metrics,
            crate::batch_rpc::methods(maker.clone())?,
        )
        .await?;
    stages.administer(&args.serve, &datadir, true).await?;
    stages.drive(Driver::new(chain.clone(), client.clone())?);
    stages.produce()?;
    {
        let maker = maker.clone();
        stages.thread("batcher", move |_| maker.run())?;
    }
    {
        let (maker, client) = (maker.clone(), client.clone());
        stages.spawn("prices", async move {
            maker.watch_prices(client).await;
            Ok(())
        });
    }
    {
        let key = keys::dev_key(POSTER)?;
        let journal = roles::StoreJournal::new(chain.store.clone(), "poster", key.address());
        let sender = Sender::open(client.clone(), key, journal).await?;
        let (chain, network) = (chain.clone(), network.clone());
        stages.spawn("poster", async move {
            roles::post(maker, network, sender, L1_POLL_SLOW, || chain.is_stopping()).await;
            Ok(())
        });
    }
    {
        let key = keys::dev_key(PROPOSER)?;
        let journal = roles::StoreJournal::new(chain.store.clone(), "proposer", key.address());
        let sender = Sender::open(client.clone(), key, journal).await?;
        let (chain, client) = (chain.clone(), client.clone());
        stages.spawn("proposer", async move {
            roles::propose(chain, client, sender, L1_POLL_SLOW).await;
            Ok(())
        });
    }

    if !args.no_relayer {
        let key = keys::dev_key(RELAYER)?;
        let journal = roles::StoreJournal::new(chain.store.clone(), "relayer", key.address());
        let sender = Sender::open(client.clone(), key, journal).await?;
        let relay = Relay::new(chain.clone(), client, sender, Carry::All, RELAY_GAS_MAX);
        stages.spawn("relayer", async move {
            relay::run(relay, L1_POLL_SLOW).await;
            Ok(())
        });
    }

    wait_for_accounts(&chain).await?;
    tell(&args, &network, &datadir, &l1_url, started.elapsed())?;
    let outcome = stages.run().await;
    if let Some(l1) = embedded {
        l1.stop();
    }
    outcome
}

/// The batcher's way of saying it.
pub const fn da_choice(da: Da) -> DaChoice {
    match da {
        Da::Auto => DaChoice::Auto,
        Da::Blobs => DaChoice::Blobs,
        Da::Calldata => DaChoice::Calldata,
    }
}

fn start_l1(args: &Dev, datadir: &Path, fresh: bool) -> anyhow::Result<l1dev::Handle> {
    let network = Network::parse(include_str!("../../../config/dev.toml"))?;
    let mut funded = Vec::new();
    for index in (0..ACCOUNTS).chain([DEPLOYER, SEQUENCER, POSTER, PROPOSER, RELAYER]) {
        funded.push((keys::dev_key(index)?.address(), U256::from(10 * ETH_ROLE)));
    }
    let mining = if fresh {
        l1dev::Mining::Auto
    } else {
        l1dev::Mining::Interval(args.l1_block_time_ms)
    };
    l1dev::start(l1dev::Options {
        dir: Some(datadir.join("l1")),
        blob_schedule: network.l1.blob_schedule,
        mining,
        funded,
        listen: (args.serve.rpc_host, args.l1_port).into(),
        ..l1dev::Options::temporary(network.l1.chain_id, Arc::new(clock::now_ms))
    })
    .with_context(|| {
        format!(
            "the embedded L1 on port {} (choose another with --l1-port)",
            args.l1_port
        )
    })
}

/// Founds the network on an L1: contracts, and OPEN for the ten accounts on both sides.
async fn found(args: &Dev, l1_url: &str) -> anyhow::Result<Network> {
    let mut network = Network::parse(include_str!("../../../config/dev.toml"))?;
    network.chain.block_time_ms = args.block_time_ms;
    network.chain.heartbeat_ms = network.chain.heartbeat_ms.max(args.block_time_ms);
    network.batch.interval_ms = args.batch_interval_ms;
    let asking = l1::Client::new(l1_url, None, Arc::new(network.clone()))?;
    network.l1.chain_id = asking
        .chain_id()
        .await
        .with_context(|| format!("asking {l1_url}"))?;
    let client = l1::Client::new(l1_url, None, Arc::new(network.clone()))?;
    let head = client.heads().await?.latest;
    network.genesis.timestamp = clock::now_s().min(head.timestamp.max(1));
    network.genesis.fee_recipient = keys::dev_key(SEQUENCER)?.address();
    network.genesis.guardian = keys::dev_key(0)?.address();
    let key = keys::dev_key(DEPLOYER)?;
    fund_roles(&client, &key).await?;
    let mut deployer = Deployer::new(&client, &key).await?;
    network.contracts.token_bridge = deployer.token_bridge(None);
    let first = genesis::genesis(&network)?;
    network.genesis.hash = first.header.hash_slow();
    let council = network.genesis.guardian;
    let roles = Roles {
        sequencer: keys::dev_key(SEQUENCER)?.address(),
        fee_recipient: network.genesis.fee_recipient,
        governance: council,
        council,
        timelock_delay_s: TIMELOCK_DELAY_S,
        deposit_gas_price_wei: network.fees.base_fee_floor_wei,
        deposit_gas_per_block: 1 << 24,
    };
    network.contracts = deploy(
        &mut deployer,
        &network,
        roles,
        None,
        genesis::output_root(&first.header),
    )
    .await?;
    fund_accounts(&mut deployer, &network, &key).await?;
    Ok(network)
}

/// On an L1 that is not ours the roles may be poor; the development accounts are not.
async fn fund_roles(client: &l1::Client, deployer: &PrivateKeySigner) -> anyhow::Result<()> {
    let mut poor = Vec::new();
    for index in [DEPLOYER, POSTER, PROPOSER, RELAYER] {
        let address = keys::dev_key(index)?.address();
        if client.balance(address).await? < U256::from(ETH_ROLE / 10) {
            poor.push(address);
        }
    }
    if poor.is_empty() {
        return Ok(());
    }
    let rich = keys::dev_key(ACCOUNTS - 1)?;
    let has = client.balance(rich.address()).await?;
    ensure!(
        has > U256::from(ETH_ROLE),
        "{} has {has} wei on this L1, too little to fund the roles: start it with the standard test mnemonic \
         (anvil does), or send ETH to {}",
        rich.address(),
        deployer.address()
    );
    let mut funding = Deployer::new(client, &rich).await?;
    for address in poor {
        funding.transfer(address, U256::from(ETH_ROLE)).await?;
    }
    funding.finish().await?;
    Ok(())
}

async fn fund_accounts(
    deployer: &mut Deployer<'_>,
    network: &Network,
    key: &PrivateKeySigner,
) -> anyhow::Result<()> {
    let c = &network.contracts;
    let everything = U256::from(OPEN_EACH) * U256::from(4 * ACCOUNTS);
    deployer
        .call(
            c.open_token,
            OpenToken::mintCall {
                to: key.address(),
                amount: everything,
            },
            150_000,
        )
        .await?;
    deployer
        .call(
            c.open_token,
            OpenToken::approveCall {
                spender: c.portal,
                value: everything,
            },
            100_000,
        )
        .await?;
    for index in 0..ACCOUNTS {
        let to = keys::dev_key(index)?.address();
        let amount = U256::from(OPEN_EACH);
        deployer
            .call(
                c.open_token,
                OpenToken::transferCall { to, value: amount },
                100_000,
            )
            .await?;
        let deposit = Portal::depositCall {
            to,
            mint: amount,
            value: amount,
            gasLimit: DEPOSIT_GAS,
            isCreation: false,
            data: Default::default(),
        };
        deployer.call(c.portal, deposit, 400_000).await?;
    }
    deployer.finish().await?;
    Ok(())
}

/// The ten accounts have OPEN on L2 once their deposits are derived.
async fn wait_for_accounts(chain: &Arc<crate::producer::Chain>) -> anyhow::Result<()> {
    let last = keys::dev_key(ACCOUNTS - 1)?.address();
    for _ in 0..600 {
        let state = chain.store.latest_state();
        if stf::StateReader::account(&state, last)?.is_some() || chain.is_stopping() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!(
        "the deposits of the development accounts did not reach L2 within 30 s; is L1 making blocks?"
    )
}

fn tell(
    args: &Dev,
    network: &Network,
    datadir: &Path,
    l1_url: &str,
    took: Duration,
) -> anyhow::Result<()> {
    let host = if args.serve.rpc_host.is_unspecified() {
        "127.0.0.1".to_owned()
    } else {
        args.serve.rpc_host.to_string()
    };
    let rpc = format!("http://{host}:{}", args.serve.rpc_port);
    let ws = format!("ws://{host}:{}", args.serve.rpc_port);
    let c = &network.contracts;
    let mut accounts = Vec::new();
    for index in 0..ACCOUNTS {
        let key = keys::dev_key(index)?;
        accounts.push(json!({ "address": key.address(), "privateKey": key.to_bytes() }));
    }
    let file = std::path::absolute(datadir.join("network.toml"))?;
    let chain_id = network.chain.id;
    let dev = json!({
        "l2": { "rpc": rpc, "ws": ws, "chainId": chain_id },
        "l1": { "rpc": l1_url, "chainId": network.l1.chain_id },
        "contracts": {
            "openToken": c.open_token, "inbox": c.inbox, "portal": c.portal, "rollup": c.rollup,
            "systemConfig": c.system_config, "timelock": c.timelock, "tokenBridge": c.token_bridge,
            "relayFee": c.relay_fee,
        },
        "predeploys": {
            "l1Info": at::L1_INFO, "messagePasser": at::MESSAGE_PASSER, "wrappedOpen": at::WRAPPED_OPEN,
            "assetRegistry": at::ASSET_REGISTRY, "revenueRouter": at::REVENUE_ROUTER, "poolLedger": at::POOL_LEDGER,
            "feePolicy": at::FEE_POLICY, "tokenBridge": at::TOKEN_BRIDGE, "payTo": at::PAY_TO,
            "spendAccount": at::SPEND_ACCOUNT, "datanet": at::DATANET, "receipts": at::RECEIPTS,
            "attributionSettlement": at::ATTRIBUTION_SETTLEMENT, "attributionCourt": at::ATTRIBUTION_COURT,
            "stakeManager": at::STAKE_MANAGER, "governor": at::GOVERNOR, "metrics": at::METRICS,
            "grantPool": at::GRANT_POOL,
        },
        "accounts": accounts,
        "mnemonic": keys::DEV_MNEMONIC,
        "networkFile": file,
        "metamask": {
            "chainId": format!("0x{chain_id:x}"),
            "chainName": network.chain.name,
            "nativeCurrency": { "name": "OPEN", "symbol": "OPEN", "decimals": 18 },
            "rpcUrls": [rpc],
        },
    });
    // Written whole or not at all: others wait for this file.
    let part = datadir.join("dev.json.part");
    std::fs::write(&part, serde_json::to_string_pretty(&dev)?)?;
    std::fs::rename(&part, datadir.join("dev.json"))?;

    println!("\nTributary is running ({:.1} s)\n", took.as_secs_f64());
    println!("  L2    {rpc}   chain id {chain_id}   (WebSocket on the same port)");
    println!("  L1    {l1_url}   chain id {}", network.l1.chain_id);
    println!("  file  {}", datadir.join("dev.json").display());
    println!("\nContracts on L1");
    let names: [(&str, Address); 8] = [
        ("OPEN token", c.open_token),
        ("Inbox", c.inbox),
        ("Portal", c.portal),
        ("Rollup", c.rollup),
        ("SystemConfig", c.system_config),
        ("Timelock", c.timelock),
        ("TokenBridge", c.token_bridge),
        ("RelayFee", c.relay_fee),
    ];
    for (name, address) in names {
        println!("  {name:<13} {address}");
    }
    println!("\nContracts on L2");
    let names: [(&str, Address); 11] = [
        ("TokenBridge", at::TOKEN_BRIDGE),
        ("WOPEN", at::WRAPPED_OPEN),
        ("AssetRegistry", at::ASSET_REGISTRY),
        ("PayTo", at::PAY_TO),
        ("RevenueRouter", at::REVENUE_ROUTER),
        ("PoolLedger", at::POOL_LEDGER),
        ("SpendAccount", at::SPEND_ACCOUNT),
        ("StakeManager", at::STAKE_MANAGER),
        ("Governor", at::GOVERNOR),
        ("Metrics", at::METRICS),
        ("GrantPool", at::GRANT_POOL),
    ];
    for (name, address) in names {
        println!("  {name:<13} {address}");
    }
    println!(
        "\nAccounts, each with {} OPEN here and on L1 (keys are public: never use them elsewhere)",
        OPEN_EACH / ETHER
    );
    for index in 0..ACCOUNTS {
        let key = keys::dev_key(index)?;
        println!("  {index}  {}  {}", key.address(), key.to_bytes());
    }
    println!("\n  mnemonic  {}", keys::DEV_MNEMONIC);
    println!("\nMetaMask: Networks › Add a custom network");
    println!(
        "  name {}, RPC URL {rpc}, chain id {chain_id}, currency OPEN; then import a key from above",
        network.chain.name
    );
    println!("\nNext: `tributary demo` in another terminal. Ctrl-C ends everything.\n");
    Ok(())
}
