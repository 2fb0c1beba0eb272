//! `tributary relayer` and `tributary exit`.

use crate::{
    assemble::{self, L1_POLL_SLOW, NoPool, Stages, connect},
    cli_bridge::{ExitArgs, RelayerArgs},
    commands::{network, spinner},
    driver::Driver,
    exit::{Exit, Wish},
    file_journal::FileNotes,
    keys,
    relay::{self, Relay},
    roles::StoreJournal,
    withdraw::time,
};
use alloy_primitives::utils::format_ether;
use anyhow::Context;
use l1::{L1Error, Sender};
use metrics_exporter_prometheus::PrometheusHandle;
use relayer::{Carry, exit::Step};
use std::sync::Arc;

/// `tributary relayer`
pub async fn relayer(args: RelayerArgs, metrics: PrometheusHandle) -> anyhow::Result<()> {
    let network = Arc::new(network(&args.config)?);
    let key = keys::load("relayer", args.keystore.as_deref())?;
    let client = connect(&args.l1.url, args.l1.blobs.as_deref(), &network).await?;
    let relay_fee = network.contracts.relay_fee;
    let carry = match args.all {
        true => Carry::All,
        false => {
            anyhow::ensure!(
                !relay_fee.is_zero(),
                "this network has no RelayFee contract, so nobody can offer a fee: --all carries everybody's"
            );
            Carry::Paid {
                relay_fee,
                min: args.fee_min,
            }
        }
    };
    let chain = assemble::open(network, &args.datadir, None, false)?;
    let journal = StoreJournal::new(chain.store.clone(), "relayer", key.address());
    let sender = Sender::open(client.clone(), key, journal).await?;
    tracing::info!(account = %sender.address(), ?carry, "carrying withdrawals");
    let mut stages = Stages::new(chain.clone());
    stages
        .serve(
            &args.serve,
            NoPool::handle(),
            metrics,
            jsonrpsee::Methods::new(),
        )
        .await?;
    stages.administer(&args.serve, &args.datadir, false).await?;
    stages.drive(Driver::new(chain.clone(), client.clone())?);
    let relay = Relay::new(chain, client, sender, carry, args.gas_max);
    stages.spawn("relayer", async move {
        relay::run(relay, L1_POLL_SLOW).await;
        Ok(())
    });
    stages.run().await
}

/// `tributary exit`
pub async fn exit(args: ExitArgs) -> anyhow::Result<()> {
    let network = Arc::new(network(&args.config)?);
    let key = keys::load("exit", args.keystore.as_deref())?;
    let client = connect(&args.l1.url, args.l1.blobs.as_deref(), &network).await?;
    let temporary = args.datadir.is_none().then(tempfile::tempdir).transpose()?;
    let datadir = args
        .datadir
        .as_deref()
        .or(temporary.as_ref().map(|dir| dir.path()))
        .context("no data folder")?;
    let chain = assemble::open(network, datadir, None, false)?;
    let account = key.address();
    let notes = FileNotes::open(&datadir.join(format!("exit-{account}")))?;
    let sender = Sender::open(client.clone(), key, Arc::new(notes)).await?;
    let wish = Wish {
        amount: args.amount,
        to: args.to.unwrap_or(account),
    };
    let mut exit = Exit::new(chain.clone(), client, sender, wish)?;
    let progress = spinner("exit");
    progress.set_message("deriving the chain from L1");
    let mut told = false;
    loop {
        let step = tokio::select! {
            step = exit.step() => step,
            () = crate::ops::asked_to_stop() => {
                progress.finish_and_clear();
                println!("stopped; begin again with the same command, it goes on from what L1 holds");
                return Ok(());
            }
        };
        match step {
            Ok(Step::Done) => break,
            Ok(step) => {
                if !told {
                    told = true;
                    progress.println(format!(
                        "{account} has {} OPEN on L2, by block {} derived from L1",
                        format_ether(exit.balance()?),
                        chain.store.head().header.number
                    ));
                }
                progress.set_message(line(&step, exit.l1_time()));
            }
            Err(error) => match error.downcast_ref::<L1Error>() {
                // L1 may be away for as long as it likes.
                Some(why) => progress.set_message(why.to_string()),
                None => return Err(error),
            },
        }
        tokio::time::sleep(L1_POLL_SLOW).await;
    }
    progress.finish_and_clear();
    match told {
        true => println!("done: the OPEN is on L1"),
        false => println!(
            "nothing to do: {account} has {} OPEN on L2, and nothing of it is on its way",
            format_ether(exit.balance()?)
        ),
    }
    drop(exit);
    tokio::task::spawn_blocking(move || chain.store.flush()).await??;
    Ok(())
}

/// What happens now, and how long it takes.
fn line(step: &Step, now: u64) -> String {
    match step {
        Step::Enqueue => "1/5 putting the withdrawal into L1's queue".into(),
        Step::ForceAdvance => "2/5 advancing the queue without the sequencer".into(),
        Step::Prove { .. } => "4/5 proving".into(),
        Step::Finalise { .. } => "5/5 finalising".into(),
        Step::Done => "done".into(),
        Step::Wait { what, until } => match until.map(|until| until.saturating_sub(now)) {
            Some(left) if left > 0 => format!("{}, at most {} left", what.text(), time(left)),
            _ => what.text().into(),
        },
    }
}
