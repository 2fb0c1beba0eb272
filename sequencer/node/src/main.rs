//! `tributary`: one binary, a sub-command for each role.
#![forbid(unsafe_code)]

use clap::Parser;
use node::{
    cli::{Cli, Command},
    commands, commands_bridge, demo, dev, ethereum, force, ops, privileges, token_bridge, tokens,
    withdraw,
};

/// Many threads allocate small things; glibc's allocator keeps what they free.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    ops::start_log(cli.log_format);
    match run(cli.command) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Genesis(args) => return commands::print_genesis(args),
        Command::Db(args) => return commands::db(args),
        Command::Statetest(args) => return commands::statetest(args),
        Command::Blocktest(args) => return commands::blocktest(args),
        _ => {}
    }
    l1::install_tls();
    let metrics = ops::start_metrics()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("io")
        .build()?;
    runtime.block_on(async {
        match command {
            Command::Dev(args) => dev::run(args, metrics).await,
            Command::Demo(args) => demo::run(args).await,
            Command::Status(args) => commands::status(args).await,
            Command::Tokens(args) => tokens::print(args).await,
            Command::Bridge(args) => token_bridge::run(args).await,
            Command::Deposit(args) => commands::deposit(args).await,
            Command::Withdraw(args) => withdraw::run(args).await,
            Command::Force(args) => force::run(args).await,
            Command::Exit(args) => commands_bridge::exit(args).await,
            Command::Relayer(args) => commands_bridge::relayer(args, metrics).await,
            Command::Roles(args) => privileges::run(args).await,
            Command::Sequencer(args) => commands::sequencer(args, metrics).await,
            Command::Poster(args) => commands::poster(args).await,
            Command::Proposer(args) => commands::proposer(args, metrics).await,
            Command::Follow(args) => commands::follow(args, metrics).await,
            Command::Deploy(args) => commands::deploy_l1(args).await,
            Command::Ethereum(args) => ethereum::run(args, metrics).await,
            Command::Genesis(_)
            | Command::Db(_)
            | Command::Statetest(_)
            | Command::Blocktest(_) => Ok(()),
        }
    })
}
