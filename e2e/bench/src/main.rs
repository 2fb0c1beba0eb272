//! Load on our node and on anvil, in one run, measured from outside.
//!
//! `README.md` says what each figure is and which command makes it.
#![forbid(unsafe_code)]

mod accounts;
mod compare;
mod da;
mod http;
mod load;
mod logs;
mod metrics;
mod phase;
mod process;
mod reads;
mod report;
mod rpc;
mod send;
mod setup;
mod startup;
mod workload;

use anyhow::Context;
use clap::{Args, Parser, Subcommand, ValueEnum};
use compare::Plan;
use process::Ours;
use send::Mode;
use serde::Serialize;
use std::{fs, path::PathBuf, process::ExitCode};
use workload::Workload;

/// Measures our node, and anvil beside it under the same transactions.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    compare: Compare,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Memory and cost per transaction with 1 or 10 million accounts
    Accounts(Accounts),
    /// Time to the first block, idle cost, restart after kill -9
    Startup(Startup),
    /// Balances, calls and proofs a second
    Reads(ReadsArgs),
    /// Time of eth_getLogs over a million logs
    Logs(LogsArgs),
}

#[derive(Debug, Args)]
struct OursArgs {
    /// Our program
    #[arg(long, default_value = "./tributary")]
    tributary: PathBuf,
    /// A further argument of `tributary dev`, such as --node-arg=--da=calldata; may be repeated
    #[arg(long, allow_hyphen_values = true)]
    node_arg: Vec<String>,
    /// Where results go, as JSON
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Compare {
    #[command(flatten)]
    ours: OursArgs,
    /// anvil 1.7.1
    #[arg(long, default_value = "contracts/node_modules/.bin/anvil")]
    anvil: PathBuf,
    /// Saturated seconds of each run
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// What to send
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "native,erc20,payment"
    )]
    workload: Vec<Workload>,
    /// How to send it
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        default_value = "single,batch50,ws"
    )]
    mode: Vec<Mode>,
    /// Accounts that send
    #[arg(long, default_value_t = 250)]
    senders: usize,
    /// Connections
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Accepted and not yet included, at most
    #[arg(long, default_value_t = 20_000)]
    outstanding: u64,
    /// Measures only one of the two
    #[arg(long, value_enum)]
    only: Option<Only>,
    /// Rate of the open loop that latencies come from, transactions a second
    #[arg(long, default_value_t = 500)]
    rate: u64,
    /// Seconds of the open loop
    #[arg(long, default_value_t = 20)]
    latency_seconds: u64,
    /// Transactions signed beforehand for each saturated second; a run that uses them up ends early
    #[arg(long, default_value_t = 32_000)]
    sign_rate: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Only {
    Ours,
    Peer,
}

#[derive(Debug, Args)]
struct Accounts {
    #[command(flatten)]
    ours: OursArgs,
    /// Accounts, millions
    #[arg(long, default_value_t = 1)]
    millions: u64,
    /// Transfers among them
    #[arg(long, default_value_t = 1_000_000)]
    transactions: u64,
}

#[derive(Debug, Args)]
struct Startup {
    #[command(flatten)]
    ours: OursArgs,
    /// Seconds of idleness
    #[arg(long, default_value_t = 20)]
    idle_seconds: u64,
    /// Seconds of load before the kill
    #[arg(long, default_value_t = 5)]
    load_seconds: u64,
}

#[derive(Debug, Args)]
struct ReadsArgs {
    #[command(flatten)]
    ours: OursArgs,
    /// Seconds of each kind of question
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Connections at the same time
    #[arg(long, default_value_t = 4)]
    connections: usize,
}

#[derive(Debug, Args)]
struct LogsArgs {
    #[command(flatten)]
    ours: OursArgs,
    /// Logs on our chain
    #[arg(long, default_value_t = 1_000_000)]
    logs: u64,
    /// anvil 1.7.1
    #[arg(long, default_value = "contracts/node_modules/.bin/anvil")]
    anvil: PathBuf,
    /// Logs on anvil's chain; 0 leaves it out
    #[arg(long, default_value_t = 100_000)]
    peer_logs: u64,
}

impl OursArgs {
    fn node(&self) -> Ours {
        Ours {
            program: self.tributary.clone(),
            args: self.node_arg.clone(),
        }
    }

    fn write(&self, result: &impl Serialize) -> anyhow::Result<()> {
        let Some(out) = &self.out else { return Ok(()) };
        fs::write(out, serde_json::to_string_pretty(result)?)
            .with_context(|| out.display().to_string())
    }
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    // One thread sends, this one watches: more would take what the measured node needs.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        tokio::spawn(end_children_on_signal());
        match cli.command {
            None => compare(cli.compare).await,
            Some(Command::Accounts(args)) => {
                let dir = tempfile::tempdir()?;
                let accounts = args.millions * 1_000_000;
                let ours = args.ours.node();
                let report = accounts::run(&ours, dir.path(), accounts, args.transactions).await?;
                println!("{}", serde_json::to_string_pretty(&report)?);
                args.ours.write(&report)
            }
            Some(Command::Reads(args)) => {
                let dir = tempfile::tempdir()?;
                let ours = args.ours.node();
                let report = reads::run(&ours, dir.path(), args.seconds, args.connections).await?;
                println!("{}", serde_json::to_string_pretty(&report)?);
                args.ours.write(&report)
            }
            Some(Command::Logs(args)) => {
                let dir = tempfile::tempdir()?;
                let ours = args.ours.node();
                let peer = (args.peer_logs > 0).then_some((args.anvil.as_path(), args.peer_logs));
                let report = logs::run(&ours, args.logs, peer, dir.path()).await?;
                println!("{}", serde_json::to_string_pretty(&report)?);
                args.ours.write(&report)
            }
            Some(Command::Startup(args)) => {
                let dir = tempfile::tempdir()?;
                let ours = args.ours.node();
                let (idle_s, load_s) = (args.idle_seconds, args.load_seconds);
                let report = startup::run(&ours, dir.path(), idle_s, load_s).await?;
                println!("{}", serde_json::to_string_pretty(&report)?);
                args.ours.write(&report)
            }
        }
    })
}

async fn compare(args: Compare) -> anyhow::Result<()> {
    let plan = Plan {
        ours: (args.only != Some(Only::Peer)).then(|| args.ours.node()),
        peer: (args.only != Some(Only::Ours)).then(|| args.anvil.clone()),
        seconds: args.seconds,
        latency_seconds: args.latency_seconds,
        rate: args.rate,
        sign_rate: args.sign_rate,
        senders: args.senders,
        connections: args.connections,
        outstanding: args.outstanding,
    };
    let load_average = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    eprintln!("load of the machine before: {}", load_average.trim());
    let dir = tempfile::tempdir()?;
    let mut rows = Vec::new();
    for workload in args.workload {
        let began = std::time::Instant::now();
        let prepared = plan.prepare(workload)?;
        eprintln!(
            "{}: signed in {:.1} s",
            report::name(&workload),
            began.elapsed().as_secs_f64()
        );
        for mode in &args.mode {
            let row = plan
                .row(&prepared, *mode, dir.path())
                .await
                .with_context(|| format!("{} {}", report::name(&workload), report::name(mode)))?;
            println!("{}", report::details(&row));
            rows.push(row);
            // After each row: a long run that ends badly still leaves what it measured.
            args.ours.write(&rows)?;
        }
    }
    println!("{}", report::summary(&rows));
    Ok(())
}

/// Children would outlive a process that a signal ends.
async fn end_children_on_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    process::end_all();
    std::process::exit(130);
}
