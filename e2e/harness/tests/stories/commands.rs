//! What a person types crosses the bridge: the real program, its dev node, its commands.

use crate::tell;
use anyhow::{Context, ensure};
use harness::{Tributary, command, eth, free_port, user};
use primitives::predeploys as at;
use serde_json::{Value, json};
use std::time::Duration;

/// A command with the key of a development account.
async fn run(args: &[&str], role: &str, index: u32) -> anyhow::Result<String> {
    let name = format!("TRIBUTARY_{role}_KEY");
    let key = user(index)?.to_bytes().to_string();
    command(args, &[(name.as_str(), key)]).await
}

#[tokio::test]
async fn withdraw_force_exit_and_roles_do_what_they_say() {
    tell(async {
        let dir = tempfile::tempdir()?;
        let datadir = dir.path().join("node");
        let (rpc, l1) = (free_port()?, free_port()?);
        let node = Tributary::start(&datadir, rpc, l1).await?;
        while !datadir.join("dev.json").exists() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let network = datadir.join("network.toml");
        let config = network.to_str().context("a path in UTF-8")?;
        let (rpc, l1) = (
            format!("http://127.0.0.1:{rpc}"),
            format!("http://127.0.0.1:{l1}"),
        );
        // The relayer of the dev node carries it.
        let said = run(
            &["withdraw", "--amount", "1.5", "--wait", "--rpc", &rpc],
            "WITHDRAWER",
            0,
        )
        .await?;
        ensure!(said.contains("has 1.5 OPEN more on L1"), "{said}");

        // With a fee, and with an L1 of one's own.
        let said = run(
            &[
                "withdraw", "--amount", "2", "--fee", "0.25", "--wait", "--rpc", &rpc, "--l1", &l1,
                "--config", config,
            ],
            "WITHDRAWER",
            1,
        )
        .await?;
        ensure!(said.contains("has 1.75 OPEN more on L1"), "{said}");

        let shop = "0x5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";
        let said = run(
            &[
                "force", "--l1", &l1, "--config", config, "transfer", "--to", shop, "--amount", "3",
            ],
            "FORCER",
            2,
        )
        .await?;
        ensure!(said.contains("rollup_depositStatus("), "{said}");
        let index = said
            .split("rollup_depositStatus(")
            .nth(1)
            .and_then(|rest| rest.split(')').next()?.parse::<u64>().ok())
            .context("no index")?;
        for _ in 0..200 {
            // An error: the node has not read that far on L1.
            let status = node.ask("rollup_depositStatus", json!([index])).await;
            if status.is_ok_and(|status| status["succeeded"] == true) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let has = node.ask("eth_getBalance", json!([shop, "latest"])).await?;
        assert_eq!(has, json!(eth(3)));

        let said = run(
            &["exit", "--l1", &l1, "--config", config, "--amount", "4"],
            "EXIT",
            3,
        )
        .await?;
        ensure!(said.contains("done: the OPEN is on L1"), "{said}");

        let said = command(
            &[
                "roles", "--l1", &l1, "--config", config, "--rpc", &rpc, "--json",
            ],
            &[],
        )
        .await?;
        let roles: Vec<Value> = serde_json::from_str(&said)?;
        let held = |contract: &str, role: &str| {
            roles
                .iter()
                .find(|r| r["contract"] == contract && r["role"] == role)
                .map(|r| r["holders"].clone())
        };
        let file = config::Network::parse(&std::fs::read_to_string(&network)?)?;
        let timelock = json!([file.contracts.timelock]);
        for proxy in ["Inbox", "Portal", "Rollup", "SystemConfig"] {
            assert_eq!(
                held(proxy, "proxy admin's owner"),
                Some(timelock.clone()),
                "{proxy}"
            );
        }
        assert_eq!(held("SystemConfig", "owner"), Some(timelock));
        let guardian = json!([file.genesis.guardian]);
        assert_eq!(held("Timelock", "PROPOSER_ROLE"), Some(guardian.clone()));
        let governor = Some(json!([at::GOVERNOR]));
        assert_eq!(held("FeePolicy (L2)", "owner"), governor);
        assert_eq!(held("FeePolicy (L2)", "pending owner"), Some(json!([])));
        assert_eq!(held("OpenGovernor (L2)", "guardian"), Some(guardian));
        assert_eq!(
            held("PoolLedger (L2)", "controller of the treasury"),
            governor
        );
        let court = Some(json!([at::ATTRIBUTION_COURT]));
        assert_eq!(held("StakeManager (L2)", "verifier of operators"), court);
        Ok(())
    })
    .await;
}
