//! The sub-commands that are not `dev`, each a few steps long.

use crate::{
    ask::ask,
    assemble::{self, L1_POLL_SLOW, Stages, connect},
    batch_rpc::Remote,
    batches::BatchMaker,
    cli::{
        Blocktest, Da, Db, Deploy, Deposit, Follow, GenesisArgs, Poster, Proposer, Sequencer,
        Serve, Statetest, Status,
    },
    deploy::{Deployer, Roles, deploy},
    dev::da_choice,
    driver::Driver,
    file_journal::FileNotes,
    genesis, keys, roles,
    withdraw::coins,
};
use alloy_primitives::U256;
use anyhow::{Context, bail, ensure};
use bindings::{open_token::OpenToken, portal::Portal};
use config::Network;
use indicatif::{ProgressBar, ProgressStyle};
use l1::Sender;
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

pub(crate) fn network(path: &Path) -> anyhow::Result<Network> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    Network::parse(&text).with_context(|| path.display().to_string())
}

/// `tributary sequencer`
pub async fn sequencer(args: Sequencer, metrics: PrometheusHandle) -> anyhow::Result<()> {
    let network = Arc::new(network(&args.config)?);
    let key = keys::load("sequencer", args.keystore.as_deref())?;
    let client = connect(&args.l1.url, args.l1.blobs.as_deref(), &network).await?;
    let wanted = client
        .view(
            network.contracts.system_config,
            &bindings::system_config::SystemConfig::sequencerCall {},
        )
        .await?;
    ensure!(
        wanted == key.address(),
        "the key is that of {}, L1 expects the sequencer {wanted}",
        key.address()
    );
    let chain = assemble::open(
        network,
        &args.datadir,
        args.retention_blocks,
        args.da == Da::Calldata,
    )?;
    assemble::attach_journal(&chain, &args.datadir)?;
    let maker = BatchMaker::new(chain.clone(), key, da_choice(args.da));
    let mut stages = Stages::new(chain.clone());
    let more = crate::batch_rpc::methods(maker.clone())?;
    stages
        .serve(&args.serve, assemble::local_pool(&chain), metrics, more)
        .await?;
    stages.administer(&args.serve, &args.datadir, true).await?;
    stages.drive(Driver::new(chain, client.clone())?);
    stages.produce()?;
    {
        let maker = maker.clone();
        stages.thread("batcher", move |_| maker.run())?;
    }
    stages.spawn("prices", async move {
        maker.watch_prices(client).await;
        Ok(())
    });
    stages.run().await
}

/// `tributary poster`
pub async fn poster(args: Poster) -> anyhow::Result<()> {
    let network = Arc::new(network(&args.config)?);
    let key = keys::load("poster", args.keystore.as_deref())?;
    let client = connect(&args.l1.url, args.l1.blobs.as_deref(), &network).await?;
    let journal = FileNotes::open(&args.datadir.join(format!("poster-{}", key.address())))?;
    let sender = Sender::open(client, key, Arc::new(journal)).await?;
    tracing::info!(account = %sender.address(), "posting");
    let stopping = Arc::new(AtomicBool::new(false));
    let stop = stopping.clone();
    let posting = roles::post(
        Arc::new(Remote::new(args.rpc)),
        network,
        sender,
        L1_POLL_SLOW,
        move || stop.load(Ordering::Relaxed),
    );
    tokio::select! {
        () = posting => {}
        () = crate::ops::asked_to_stop() => stopping.store(true, Ordering::Relaxed),
    }
    Ok(())
}

/// `tributary proposer`
pub async fn proposer(args: Proposer, metrics: PrometheusHandle) -> anyhow::Result<()> {
    let network = Arc::new(network(&args.config)?);
    let key = keys::load("proposer", args.keystore.as_deref())?;
    let client = connect(&args.l1.url, args.l1.blobs.as_deref(), &network).await?;
    let chain = assemble::open(network, &args.datadir, None, false)?;
    let journal = roles::StoreJournal::new(chain.store.clone(), "proposer", key.address());
    let sender = Sender::open(client.clone(), key, journal).await?;
    tracing::info!(account = %sender.address(), "proposing");
    let mut stages = Stages::new(chain.clone());
    stages
        .serve_readers(&args.serve, &args.datadir, metrics)
        .await?;
    stages.drive(Driver::new(chain.clone(), client.clone())?);
    stages.spawn("proposer", async move {
        roles::propose(chain, client, sender, L1_POLL_SLOW).await;
        Ok(())
    });
    stages.run().await
}

/// `tributary follow`
pub async fn follow(args: Follow, metrics: PrometheusHandle) -> anyhow::Result<()> {
    let network = Arc::new(network(&args.config)?);
    let client = connect(&args.l1.url, args.l1.blobs.as_deref(), &network).await?;
    let temporary = args.datadir.is_none().then(tempfile::tempdir).transpose()?;
    let datadir = args
        .datadir
        .as_deref()
        .or(temporary.as_ref().map(|dir| dir.path()))
        .context("no data folder")?;
    let chain = assemble::open(network, datadir, args.retention_blocks, false)?;
    let mut driver = Driver::new(chain.clone(), client)?;
    driver.compare_assertions = true;
    let mut stages = Stages::new(chain.clone());
    let serve = Serve {
        rpc_port: args.rpc_port,
        rpc_host: args.rpc_host,
        local: args.local.clone(),
    };
    stages.serve_readers(&serve, datadir, metrics).await?;
    if args.once {
        let progress = spinner("reading L1");
        driver.step().await?;
        let head = chain.store.head();
        progress.finish_and_clear();
        println!("block {} {}", head.header.number, head.hash);
        return stages.stop().await;
    }
    tracing::info!(url = %format!("http://{}:{}", args.rpc_host, args.rpc_port), "serving what L1 says");
    stages.drive(driver);
    let progress = spinner("following L1");
    let watched = chain.clone();
    stages.spawn("progress", async move {
        while !watched.is_stopping() {
            let (head, _) = watched.l1.heads();
            let at = head.map_or_else(|| "?".to_owned(), |head| head.number.to_string());
            progress.set_message(format!(
                "L2 block {}, L1 block {at}",
                watched.store.head().header.number
            ));
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        progress.finish_and_clear();
        Ok(())
    });
    stages.run().await
}

/// `tributary deploy`
pub async fn deploy_l1(args: Deploy) -> anyhow::Result<()> {
    let mut network = network(&args.config)?;
    let key = keys::load("deployer", args.keystore.as_deref())?;
    let client = connect(
        &args.l1.url,
        args.l1.blobs.as_deref(),
        &Arc::new(network.clone()),
    )
    .await?;
    if network.genesis.timestamp == 0 {
        network.genesis.timestamp = client.heads().await?.latest.timestamp;
    }
    let mut deployer = Deployer::new(&client, &key).await?;
    network.contracts.token_bridge = deployer.token_bridge(args.open_token);
    let first = genesis::genesis(&network)?;
    network.genesis.hash = first.header.hash_slow();
    let roles = Roles {
        sequencer: args.sequencer,
        fee_recipient: network.genesis.fee_recipient,
        governance: args.governance,
        council: args.council,
        timelock_delay_s: args.timelock_delay_s,
        deposit_gas_price_wei: args.deposit_gas_price_wei,
        deposit_gas_per_block: 20_000_000,
    };
    let progress = spinner("deploying to L1");
    let output = genesis::output_root(&first.header);
    network.contracts = deploy(&mut deployer, &network, roles, args.open_token, output).await?;
    progress.finish_and_clear();
    std::fs::write(&args.out, network.to_toml()?)
        .with_context(|| format!("writing {}", args.out.display()))?;
    println!(
        "Inbox {}\nPortal {}\nRollup {}",
        network.contracts.inbox, network.contracts.portal, network.contracts.rollup
    );
    println!(
        "wrote {}; give it to `tributary sequencer`, `proposer` and `follow`",
        args.out.display()
    );
    Ok(())
}

/// `tributary genesis`
pub fn print_genesis(args: GenesisArgs) -> anyhow::Result<()> {
    let network = network(&args.config)?;
    let genesis = genesis::genesis(&network)?;
    let hash = genesis.header.hash_slow();
    let accounts: Vec<Value> = genesis
        .state
        .accounts
        .iter()
        .map(|account| {
            let slots: Value = account
                .slots
                .iter()
                .map(|s| (format!("{:#x}", s.slot), json!(s.after)))
                .collect();
            json!({
                "address": account.address,
                "nonce": account.after.map(|a| a.nonce),
                "balance": account.after.map(|a| a.balance),
                "codeHash": account.after.map(|a| a.code_hash),
                "storage": slots,
            })
        })
        .collect();
    let out = json!({
        "hash": hash,
        "stateRoot": genesis.header.state_root,
        "outputRoot": genesis::output_root(&genesis.header),
        "header": genesis.header,
        "accounts": accounts,
    });
    println!("{}", serde_json::to_string_pretty(&out)?);
    if network.genesis.hash != hash && !network.genesis.hash.is_zero() {
        bail!(
            "the network file names genesis {}, this program makes {hash}",
            network.genesis.hash
        );
    }
    Ok(())
}

/// `tributary deposit`
pub async fn deposit(args: Deposit) -> anyhow::Result<()> {
    let network = Arc::new(network(&args.config)?);
    let key = keys::load("depositor", args.keystore.as_deref())?;
    let client = connect(&args.l1.url, args.l1.blobs.as_deref(), &network).await?;
    let to = args.to.unwrap_or(key.address());
    let contracts = &network.contracts;
    let gas_limit = 50_000;
    let gas_cost = client
        .view(
            contracts.portal,
            &Portal::gasCostCall {
                gasLimit: gas_limit,
            },
        )
        .await?;
    let total = args.amount_wei + gas_cost;
    let has = client
        .view(
            contracts.open_token,
            &OpenToken::balanceOfCall {
                account: key.address(),
            },
        )
        .await?;
    ensure!(
        has >= total,
        "{} has {} OPEN on L1; {} and {} for L2 gas are needed",
        key.address(),
        coins(has),
        coins(args.amount_wei),
        coins(gas_cost)
    );
    let http = reqwest::Client::new();
    let balance = || ask::<U256>(&http, &args.rpc, "eth_getBalance", json!([to, "latest"]));
    let before = balance().await?;
    println!(
        "depositing {} OPEN to {to}; L2 gas costs {} OPEN",
        coins(args.amount_wei),
        coins(gas_cost)
    );
    let progress = spinner("waiting for L1");
    let mut sender = Deployer::new(&client, &key).await?;
    let approve = OpenToken::approveCall {
        spender: contracts.portal,
        value: total,
    };
    sender.call(contracts.open_token, approve, 100_000).await?;
    let call = Portal::depositCall {
        to,
        mint: args.amount_wei,
        value: args.amount_wei,
        gasLimit: gas_limit,
        isCreation: false,
        data: Default::default(),
    };
    sender.call(contracts.portal, call, 400_000).await?;
    let block = sender.finish().await?;
    progress.set_message(format!("in L1 block {block}; waiting for L2"));
    let confirmations = network.l1.queue_confirmations;
    for _ in 0..1_200 {
        if balance().await? != before {
            progress.finish_and_clear();
            println!("arrived: {to} has {} OPEN on L2", coins(balance().await?));
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    bail!(
        "not on L2 after five minutes; it needs {confirmations} L1 blocks on top of block {block}, then it cannot be lost"
    )
}

/// `tributary status`
pub async fn status(args: Status) -> anyhow::Result<()> {
    let http = reqwest::Client::new();
    let sync: Value = ask(&http, &args.rpc, "rollup_syncStatus", json!([])).await?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&sync)?);
        return Ok(());
    }
    let chain_id: alloy_primitives::U64 = ask(&http, &args.rpc, "eth_chainId", json!([])).await?;
    println!("chain      {chain_id}");
    for (name, key) in [
        ("latest", "unsafe_l2"),
        ("safe", "safe_l2"),
        ("finalized", "finalized_l2"),
    ] {
        println!(
            "{name:<10} {:>9}  {}",
            sync[key]["number"],
            sync[key]["hash"].as_str().unwrap_or("-")
        );
    }
    println!(
        "L1 head    {:>9}  {}",
        sync["head_l1"]["number"],
        sync["head_l1"]["hash"].as_str().unwrap_or("-")
    );
    match sync.get("safe_batch").filter(|batch| !batch.is_null()) {
        Some(batch) => println!(
            "batch      {:>9}  blocks {} to {}, L1 block {}, transaction {}",
            batch["index"],
            batch["firstBlock"],
            batch["lastBlock"],
            batch["l1Block"],
            batch["l1Tx"].as_str().unwrap_or("-")
        ),
        None => println!("batch              none yet"),
    }
    Ok(())
}

/// `tributary db check`
pub fn db(command: Db) -> anyhow::Result<()> {
    let Db::Check { datadir } = command;
    let progress = spinner("checking");
    let report = store::check(&datadir.join("l2"), &mut |what, done| {
        progress.set_message(format!("{what} {done}"))
    })?;
    progress.finish_and_clear();
    println!(
        "log        {} records, {} blocks, {} transactions",
        report.log_records, report.blocks, report.transactions
    );
    if report.torn_bytes > 0 {
        println!(
            "           {} bytes of a torn record at the end; the next start cuts them off",
            report.torn_bytes
        );
    }
    println!(
        "tables     at block {}: {} accounts, {} slots, {} trie nodes",
        report.flushed, report.accounts, report.slots, report.nodes
    );
    match report.problem {
        Some(problem) => bail!("{} is damaged: {problem}", datadir.display()),
        None => println!("sound: checksums, hash chain, state and roots agree"),
    }
    Ok(())
}

/// `tributary statetest`
pub fn statetest(args: Statetest) -> anyhow::Result<()> {
    let progress = spinner("state tests");
    let summary = stf::statetest::run_with_progress(&args.paths, |path, summary| {
        show_cases(&progress, path, summary);
    });
    report(&progress, &summary)
}

/// `tributary blocktest`
pub fn blocktest(args: Blocktest) -> anyhow::Result<()> {
    let progress = spinner("block tests");
    let summary = stf::blocktest::run_with_progress(&args.paths, |path, summary| {
        show_cases(&progress, path, summary);
    });
    report(&progress, &summary)
}

fn show_cases(progress: &ProgressBar, path: &Path, summary: &stf::blocktest::Summary) {
    let cases = summary.passed + summary.failed;
    progress.set_message(format!("{cases} cases, {}", path.display()));
}

fn report(progress: &ProgressBar, summary: &stf::blocktest::Summary) -> anyhow::Result<()> {
    progress.finish_and_clear();
    for failure in &summary.failures {
        println!("{failure}");
    }
    if summary.skipped > 0 {
        println!(
            "{} skipped: rules that this program does not have",
            summary.skipped
        );
    }
    println!("{summary}");
    if summary.failed > 0 || summary.passed == 0 {
        std::process::exit(1);
    }
    Ok(())
}

/// A line that says what goes on.
pub(crate) fn spinner(what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}: {msg} ({elapsed})") {
        bar.set_style(style);
    }
    bar.set_prefix(what);
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}
