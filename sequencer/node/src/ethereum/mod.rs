//! `tributary ethereum`: an Ethereum L1 chain from a file, served by the same store, execution and RPC as our L2.
//!
//! The chain is as long as the files: nobody makes blocks, `safe` and `finalized` are the head. What is sent waits in a pool
//! and goes nowhere.

mod genesis;
mod import;
mod pool;
mod rlp_file;

pub use genesis::{chain, parse};
pub use import::{Imported, import};
pub use rlp_file::{BlockFile, RawBlock};

use crate::{cli::Ethereum, commands::spinner, ops};
use anyhow::Context;
use metrics_exporter_prometheus::PrometheusHandle;
use std::{path::Path, sync::Arc};
use stf::Rules;
use store::{Store, StoreOptions};
use tokio::net::TcpListener;

/// `tributary ethereum`
pub async fn run(args: Ethereum, metrics: PrometheusHandle) -> anyhow::Result<()> {
    let temporary = args.datadir.is_none().then(tempfile::tempdir).transpose()?;
    let datadir = args
        .datadir
        .as_deref()
        .or(temporary.as_ref().map(|dir| dir.path()))
        .context("no data folder")?;
    let (store, rules) = open(&args.genesis, datadir)?;
    for file in &args.import {
        let (store, rules, file) = (store.clone(), rules.clone(), file.clone());
        tokio::task::spawn_blocking(move || import_file(&store, &rules, &file)).await??;
    }
    let (first, head) = (store.genesis_hash(), store.head());
    println!("genesis {first}, head {} {}", head.header.number, head.hash);
    if args.once {
        return finish(store).await;
    }
    serve(&args, serving(&store, &rules), metrics).await?;
    finish(store).await
}

/// The store of the chain that a genesis file begins, with the rules that the file names.
pub fn open(genesis: &Path, datadir: &Path) -> anyhow::Result<(Arc<Store>, Arc<Rules>)> {
    let text = std::fs::read_to_string(genesis)
        .with_context(|| format!("reading {}", genesis.display()))?;
    let (rules, first) = parse(&text).with_context(|| genesis.display().to_string())?;
    let rules = Arc::new(Rules::Ethereum(rules));
    std::fs::create_dir_all(datadir).with_context(|| format!("making {}", datadir.display()))?;
    let options = StoreOptions::new(datadir.join("ethereum"));
    Ok((Store::open(options, first, rules.clone())?, rules))
}

fn import_file(store: &Arc<Store>, rules: &Arc<Rules>, path: &Path) -> anyhow::Result<()> {
    let progress = spinner("importing");
    let imported = import(store, rules, path, |block| {
        progress.set_message(format!("block {block} of {}", path.display()));
    });
    progress.finish_and_clear();
    let Imported {
        blocks,
        transactions,
        known,
    } = imported.with_context(|| path.display().to_string())?;
    println!(
        "{}: {blocks} blocks with {transactions} transactions imported, {known} known before",
        path.display()
    );
    Ok(())
}

/// What the RPC needs to serve the chain as it is now. Calls and the pool may ask for as much gas as the head allows.
pub fn serving(store: &Arc<Store>, rules: &Arc<Rules>) -> rpc::Context {
    let rules = match &**rules {
        Rules::Ethereum(rules) => {
            let mut rules = rules.clone();
            rules.gas_limit = store.head().header.gas_limit;
            Arc::new(Rules::Ethereum(rules))
        }
        Rules::Rollup(_) => rules.clone(),
    };
    rpc::Context {
        store: store.clone(),
        pool: pool::pool(store, &rules),
        chain_id: rules.chain_id(),
        rules,
        client_version: format!("tributary/v{}/linux/rust", env!("CARGO_PKG_VERSION")),
        limits: l1dev::LIMITS,
        rollup: None,
    }
}

async fn serve(
    args: &Ethereum,
    context: rpc::Context,
    metrics: PrometheusHandle,
) -> anyhow::Result<()> {
    let (mut methods, node) = rpc::methods(context);
    // Nobody makes blocks here, so whoever tests may.
    methods.merge(rpc::testing_methods(&node))?;
    let running = rpc::mount(methods, &node);
    let listener = TcpListener::bind((args.serve.rpc_host, args.serve.rpc_port))
        .await
        .with_context(|| {
            format!(
                "port {} is taken: choose another with --rpc-port",
                args.serve.rpc_port
            )
        })?;
    println!("serving on http://{}", listener.local_addr()?);
    let router = running.router.clone().merge(ops::static_router(metrics));
    rpc::serve(listener, router, async move {
        ops::asked_to_stop().await;
        running.stop();
    })
    .await?;
    Ok(())
}

/// Nothing is lost without this; the next start has less to replay with it.
async fn finish(store: Arc<Store>) -> anyhow::Result<()> {
    Ok(tokio::task::spawn_blocking(move || store.flush()).await??)
}
