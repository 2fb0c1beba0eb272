//! `tributary relayer` and `tributary exit`.

use crate::{
    assemble::{self, L1_POLL_SLOW, Stages, connect},
    cli_bridge::{ExitArgs, RelayerArgs},
    commands::{network, spinner},
    driver::Driver,
    exit::{Exit, Wish},
    file_journal::FileNotes,
    keys,
    relay::{self, Relay},
    roles::StoreJournal,
    withdraw::{coins, time},
};
use anyhow::Context;
use l1::{L1Error, Sender};
use metrics_exporter_prometheus::PrometheusHandle;
use relayer::{
    Carry,
    exit::{Step, Wait},
};
use std::{sync::Arc, time::Duration};

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
        .serve_readers(&args.serve, &args.datadir, metrics)
        .await?;
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
    // One listener for the whole of it: a signal between two of them would be lost.
    let mut stop = std::pin::pin!(crate::ops::asked_to_stop());
    let mut pause = Duration::ZERO;
    loop {
        let look = async {
            tokio::time::sleep(pause).await;
            exit.step().await
        };
        let step = tokio::select! {
            step = look => step,
            () = &mut stop => {
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
                    let (balance, block) = (exit.balance()?, chain.store.head().header.number);
                    progress.suspend(|| {
                        println!(
                            "{account} has {} OPEN on L2, by block {block} derived from L1",
                            coins(balance)
                        );
                    });
                }
                progress.set_message(line(&step, exit.l1_time()));
            }
            Err(error) => match error.downcast_ref::<L1Error>() {
                // L1 may be away for as long as it likes.
                Some(why) => progress.set_message(why.to_string()),
                None => return Err(error),
            },
        }
        pause = L1_POLL_SLOW;
    }
    progress.finish_and_clear();
    match told {
        true => println!("done: the OPEN is on L1"),
        false => println!(
            "nothing to do: {account} has {} OPEN on L2, and nothing of it is on its way",
            coins(exit.balance()?)
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
        Step::Wait { what, until } => {
            let what = match what {
                Wait::Inclusion => format!("2/5 {}", what.text()),
                Wait::Output => format!("3/5 {}", what.text()),
                Wait::Window | Wait::Contradiction => format!("5/5 {}", what.text()),
                Wait::Bond => what.text().into(),
            };
            match until.map(|until| until.saturating_sub(now)) {
                Some(left) if left > 0 => format!("{what}, at most {} left", time(left)),
                _ => what,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_says_its_step_and_how_long_it_lasts() {
        let at_30 = |what, until| line(&Step::Wait { what, until }, 30);
        assert_eq!(
            at_30(Wait::Inclusion, Some(90)),
            "2/5 waiting for inclusion on L2, at most 1 min 0 s left"
        );
        assert_eq!(
            at_30(Wait::Output, Some(30)),
            "3/5 waiting for an output root"
        );
        assert_eq!(
            at_30(Wait::Bond, None),
            "the OPEN is on L1, waiting for the bond"
        );
    }
}
