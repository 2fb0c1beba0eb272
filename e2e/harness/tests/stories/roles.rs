//! Every role in a process of its own, as in production: nothing is shared but L1 and the network file.

use crate::tell;
use alloy_primitives::{Address, U256, hex};
use anyhow::{Context, ensure};
use harness::{L1, POSTER, PROPOSER, Role, SEQUENCER, Tributary, eth, free_port, payment, user};
use node::keys::dev_key;
use serde_json::json;
use std::time::{Duration, Instant};

const SHOP: Address = Address::repeat_byte(0x5a);
/// All that a story waits for happens within this, on a busy machine too.
const WAIT_MAX: Duration = Duration::from_secs(90);

#[tokio::test]
async fn roles_in_processes_of_their_own_reach_one_chain() {
    tell(async {
        let l1 = L1::found(|network| network.batch.interval_ms = 1_000).await?;
        l1.chain.set_mining(l1dev::Mining::Interval(400));
        let born = l1.chain.head().header.number;
        let dir = tempfile::tempdir()?;
        let file = dir.path().join("network.toml");
        // As if deployed just now: nothing before it could be an anchor.
        let mut network = l1.network.as_ref().clone();
        network.contracts.deployed_at = born;
        std::fs::write(&file, network.to_toml()?)?;
        let key = |index: u32| -> anyhow::Result<String> {
            Ok(hex::encode_prefixed(dev_key(index)?.to_bytes()))
        };
        let args = |role: &str, more: &[(&str, String)]| {
            let mut args = vec![role.to_owned()];
            let datadir = dir.path().join(role).display().to_string();
            let common = [
                ("--l1", l1.chain.url()),
                ("--config", file.display().to_string()),
                ("--datadir", datadir),
            ];
            for (name, value) in common.iter().chain(more) {
                args.extend([(*name).to_owned(), value.clone()]);
            }
            args
        };
        let log = |role: &str| dir.path().join(role).with_extension("log");
        let port = free_port()?;
        let sequencer = Tributary::serve(
            log("sequencer"),
            args("sequencer", &[("--rpc-port", port.to_string())]),
            &[("TRIBUTARY_SEQUENCER_KEY", key(SEQUENCER)?)],
            port,
        )
        .await?;
        let mut poster = Role::start(
            log("poster"),
            args("poster", &[("--rpc", sequencer.url().to_owned())]),
            &[("TRIBUTARY_POSTER_KEY", key(POSTER)?)],
        )?;
        let port = free_port()?;
        let proposer = Tributary::serve(
            log("proposer"),
            args("proposer", &[("--rpc-port", port.to_string())]),
            &[("TRIBUTARY_PROPOSER_KEY", key(PROPOSER)?)],
            port,
        )
        .await?;
        let port = free_port()?;
        let follower = Tributary::serve(
            log("follow"),
            args("follow", &[("--rpc-port", port.to_string())]),
            &[],
            port,
        )
        .await?;

        let me = user(0)?;
        l1.act_deposit(1, me.address(), eth(5)).await?;
        until(&mut poster, "the deposit", async || {
            let balance = sequencer
                .ask("eth_getBalance", json!([me.address(), "latest"]))
                .await?;
            Ok(balance != "0x0")
        })
        .await?;
        let raw = payment(&l1.network, &me, 0, SHOP, U256::from(7))?;
        let receipt = sequencer
            .ask(
                "eth_sendRawTransactionSync",
                json!([hex::encode_prefixed(raw)]),
            )
            .await?;
        ensure!(receipt["status"] == "0x1", "{receipt}");
        let block = receipt["blockNumber"].clone();
        for node in [&follower, &proposer] {
            until(&mut poster, "the payment from L1 alone", async || {
                let there = node
                    .ask("eth_getBlockByNumber", json!([block, false]))
                    .await?;
                Ok(there["hash"] == receipt["blockHash"])
            })
            .await?;
        }
        let record = l1
            .client
            .events::<bindings::inbox::Inbox::Posted>(
                l1.network.contracts.inbox,
                born,
                l1.chain.head().header.number,
            )
            .await?;
        let first = record.first().context("no record")?.0.number;
        ensure!(
            first <= born + 12,
            "the first record stands in L1 block {first}, the roles began at {born}"
        );
        until(&mut poster, "an assertion", async || {
            let rollup = l1.network.contracts.rollup;
            let head = l1.chain.head().header.number;
            let asserted = l1
                .client
                .events::<bindings::rollup::Rollup::Asserted>(rollup, born, head)
                .await?;
            Ok(!asserted.is_empty())
        })
        .await
    })
    .await;
}

/// Waits until `happened`; the poster must live meanwhile.
async fn until(
    poster: &mut Role,
    what: &str,
    mut happened: impl AsyncFnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let began = Instant::now();
    while !happened().await? {
        poster.check()?;
        ensure!(
            began.elapsed() < WAIT_MAX,
            "{what} did not happen within {WAIT_MAX:?}; the poster says\n{}",
            poster.last_words()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
