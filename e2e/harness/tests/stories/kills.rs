//! `kill -9` at any instant: what was answered stays true.

use crate::tell;
use alloy_primitives::{Address, hex};
use anyhow::{Context, ensure};
use config::Network;
use harness::{Tributary, free_port, payment, user};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use std::time::Duration;

const SHOP: Address = Address::repeat_byte(0x5a);
/// A node must answer again within this.
const RESTART_MAX: Duration = Duration::from_secs(5);

/// Kills: ten, or `TRIBUTARY_KILLS`.
fn kills() -> usize {
    std::env::var("TRIBUTARY_KILLS").map_or(10, |count| {
        count.parse().expect("TRIBUTARY_KILLS is a number")
    })
}

#[tokio::test]
async fn every_served_receipt_survives_kill_nine() {
    tell(async {
        let mut random = StdRng::seed_from_u64(9);
        let dir = tempfile::tempdir()?;
        let datadir = dir.path().join("node");
        let (rpc, l1) = (free_port()?, free_port()?);
        let mut node = Tributary::start(&datadir, rpc, l1).await?;
        while !datadir.join("dev.json").exists() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let network = Network::parse(&std::fs::read_to_string(datadir.join("network.toml"))?)?;
        let mut served: Vec<Value> = Vec::new();
        for kill in 0..kills() {
            let before = served.len();
            let lifetime = Duration::from_millis(random.random_range(50..2_500));
            // The request under way when the node dies is dropped: nothing was promised.
            let _ = tokio::time::timeout(lifetime, pay_forever(&node, &network, &mut served)).await;
            node.act_kill()?;
            node = Tributary::start(&datadir, rpc, l1).await?;
            ensure!(
                node.started_in < RESTART_MAX,
                "restart {kill} took {:?}",
                node.started_in
            );
            // Each look at the newest; all of them at the end.
            let from = if kill + 1 == kills() {
                0
            } else {
                before.saturating_sub(20)
            };
            for receipt in &served[from..] {
                let now = node
                    .ask(
                        "eth_getTransactionReceipt",
                        json!([receipt["transactionHash"]]),
                    )
                    .await?;
                ensure!(
                    now == *receipt,
                    "kill {kill}: {receipt} was served, it is {now} now\n{}",
                    node.last_words()
                );
            }
        }
        ensure!(
            served.len() >= kills(),
            "{} receipts in {} lives: nothing was tested",
            served.len(),
            kills()
        );
        Ok(())
    })
    .await;
}

/// Sends payment after payment, each answered with its receipt.
async fn pay_forever(
    node: &Tributary,
    network: &Network,
    served: &mut Vec<Value>,
) -> anyhow::Result<()> {
    let key = user(0)?;
    loop {
        let nonce = node
            .ask("eth_getTransactionCount", json!([key.address(), "pending"]))
            .await?;
        let nonce = u64::from_str_radix(
            nonce.as_str().context("no nonce")?.trim_start_matches("0x"),
            16,
        )?;
        let raw = payment(network, &key, nonce, SHOP, alloy_primitives::U256::from(1))?;
        let receipt = node
            .ask(
                "eth_sendRawTransactionSync",
                json!([hex::encode_prefixed(raw)]),
            )
            .await?;
        ensure!(receipt["status"] == "0x1", "{receipt}");
        served.push(receipt);
    }
}
