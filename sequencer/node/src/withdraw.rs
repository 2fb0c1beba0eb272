//! `tributary withdraw`: OPEN from L2 to L1, and what it waits for on the way.

use crate::{
    ask::ask,
    assemble::connect,
    cli_bridge::Withdraw,
    commands::{network, spinner},
    keys,
    wallet::{Wallet, hash_of},
};
use alloy_primitives::{Address, B256, Bytes, U256, utils::format_ether};
use anyhow::{Context, bail, ensure};
use bindings::message_passer::L2ToL1MessagePasser;
use config::Network;
use l1::{Client, L1Error, PrivateKeySigner, Sender};
use primitives::{OutputRoot, predeploys::MESSAGE_PASSER, withdrawal::Withdrawal};
use relayer::{calls, fee};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// The node is asked this often.
const POLL: Duration = Duration::from_millis(500);

/// Initiates, and with `--wait` stays until L1 has paid.
pub async fn run(args: Withdraw) -> anyhow::Result<()> {
    let key = keys::load("withdrawer", args.keystore.as_deref())?;
    let network = match &args.config {
        Some(path) => Some(Arc::new(network(path)?)),
        None => None,
    };
    let l1 = match (&args.l1, &network) {
        (Some(url), Some(network)) => Some(connect(url, None, network).await?),
        _ => None,
    };
    let wallet = Wallet::new(&args.rpc, key.clone()).await?;
    let to = args.to.unwrap_or(key.address());
    let call = message(to, args.amount, args.fee, network.as_deref())?;
    let has = wallet.balance(wallet.address()).await?;
    ensure!(
        has > args.amount,
        "{} has {} OPEN on L2; {} and a little for gas are needed",
        wallet.address(),
        coins(has),
        coins(args.amount)
    );
    let receipt = wallet.send(MESSAGE_PASSER, &call, args.amount).await?;
    let tx = hash_of(&receipt).context("a receipt without a hash")?;
    println!(
        "{} OPEN left L2 for {to} in transaction {tx}",
        coins(args.amount)
    );
    let way = Way {
        http: reqwest::Client::new(),
        rpc: args.rpc.clone(),
        tx,
    };
    if !args.wait {
        let status = way.status().await?;
        println!("now {}: {}", status.status, status.waits_for);
        println!("Any node tells how far it is: rollup_withdrawalStatus({tx})");
        return Ok(());
    }
    let progress = spinner("withdrawal");
    let mut carrier = match l1 {
        Some(client) => Some(Carrier::new(client, key).await?),
        None => None,
    };
    loop {
        let status = way.status().await?;
        if status.status == "finalized" {
            progress.finish_and_clear();
            println!(
                "paid: {to} has {} OPEN more on L1 (transaction {})",
                coins(args.amount - args.fee.unwrap_or_default()),
                status.l1_tx.unwrap_or_default()
            );
            return Ok(());
        }
        progress.set_message(status.line(carrier.is_some()));
        if let Some(carrier) = &mut carrier
            && let Err(error) = carrier.step(&way, &status).await
        {
            match error.downcast_ref::<L1Error>() {
                // Another was quicker, or L1 does not answer: what it holds at the next look decides.
                Some(why) => tracing::debug!(%why, "L1"),
                None => return Err(error),
            }
        }
        tokio::time::sleep(POLL).await;
    }
}

fn message(
    to: Address,
    amount: U256,
    offered: Option<U256>,
    network: Option<&Network>,
) -> anyhow::Result<L2ToL1MessagePasser::initiateWithdrawalCall> {
    let Some(offered) = offered else {
        return Ok(L2ToL1MessagePasser::initiateWithdrawalCall {
            target: to,
            gasLimit: U256::ZERO,
            data: Bytes::new(),
        });
    };
    let Some(network) = network else {
        bail!("--fee needs --config: the network file names the contract that pays relayers");
    };
    let target = network.contracts.relay_fee;
    ensure!(
        !target.is_zero(),
        "this network has no RelayFee contract: leave --fee out"
    );
    ensure!(
        offered < amount,
        "a fee of {} OPEN leaves nothing of {}",
        coins(offered),
        coins(amount)
    );
    Ok(L2ToL1MessagePasser::initiateWithdrawalCall {
        target,
        gasLimit: U256::from(fee::GAS),
        data: fee::offer(to, offered),
    })
}

/// One withdrawal at one node.
struct Way {
    http: reqwest::Client,
    rpc: String,
    /// L2 transaction that sent it.
    tx: B256,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    status: String,
    waits_for: String,
    seconds_left: Option<u64>,
    proven_by: Option<Address>,
    l1_tx: Option<B256>,
}

impl Status {
    /// What happens now, and how long it takes.
    fn line(&self, carries: bool) -> String {
        let now = match (self.status.as_str(), carries) {
            ("waiting-to-prove", _) => "1/4 waiting for an output root",
            ("ready-to-prove", true) => "2/4 proving",
            ("ready-to-prove", false) => "2/4 waiting for somebody to prove it",
            ("waiting-to-finalize", _) => "3/4 proven, waiting for the challenge window",
            ("ready-to-finalize", true) => "4/4 finalising",
            ("ready-to-finalize", false) => "4/4 waiting for somebody to finalise it",
            _ => self.waits_for.as_str(),
        };
        match self.seconds_left {
            Some(left) => format!("{now}, about {} left", time(left)),
            None => now.to_owned(),
        }
    }
}

/// OPEN or ETH as people write it: `1.5`.
pub fn coins(wei: U256) -> String {
    let text = format_ether(wei);
    let text = text.trim_end_matches('0');
    text.strip_suffix('.').unwrap_or(text).to_owned()
}

/// Seconds in the two largest units that fit.
pub fn time(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    if days > 0 {
        format!("{days} d {hours} h")
    } else if hours > 0 {
        format!("{hours} h {minutes} min")
    } else if minutes > 0 {
        format!("{minutes} min {} s", seconds % 60)
    } else {
        format!("{seconds} s")
    }
}

impl Way {
    async fn status(&self) -> anyhow::Result<Status> {
        let params = json!([self.tx]);
        ask(&self.http, &self.rpc, "rollup_withdrawalStatus", params).await
    }

    async fn proof(&self) -> anyhow::Result<(Withdrawal, calls::Proof)> {
        let params = json!([self.tx]);
        let answer: Value = ask(&self.http, &self.rpc, "rollup_withdrawalProof", params).await?;
        let form: ProofForm = serde_json::from_value(answer)
            .context("unexpected answer to rollup_withdrawalProof")?;
        let w = form.withdrawal_transaction;
        let withdrawal = Withdrawal {
            nonce: w.nonce,
            sender: w.sender,
            target: w.target,
            value: w.value,
            gas_limit: w.gas_limit,
            data: w.data,
        };
        let proof = calls::Proof {
            output: form.l2_output_index,
            root: OutputRoot {
                state_root: form.output_root_proof.state_root,
                withdrawals_root: form.output_root_proof.message_passer_storage_root,
                block_hash: form.output_root_proof.latest_blockhash,
            },
            nodes: form.withdrawal_proof,
        };
        Ok((withdrawal, proof))
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProofForm {
    withdrawal_transaction: MessageForm,
    l2_output_index: u64,
    output_root_proof: RootForm,
    withdrawal_proof: Vec<Bytes>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageForm {
    nonce: U256,
    sender: Address,
    target: Address,
    value: U256,
    gas_limit: U256,
    data: Bytes,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RootForm {
    state_root: B256,
    message_passer_storage_root: B256,
    latest_blockhash: B256,
}

/// Proves and finalises with the user's own key.
struct Carrier {
    client: Client,
    sender: Sender,
    /// Notes of what was sent; gone with the command, since the next look at L1 says what is left to do.
    _notes: tempfile::TempDir,
}

/// Names of the two transactions in the sender's journal.
const PROVE: u64 = 1;
const FINALISE: u64 = 2;

impl Carrier {
    async fn new(client: Client, key: PrivateKeySigner) -> anyhow::Result<Self> {
        let notes = tempfile::tempdir()?;
        let journal = Arc::new(crate::file_journal::FileNotes::open(notes.path())?);
        let sender = Sender::open(client.clone(), key, journal).await?;
        Ok(Self {
            client,
            sender,
            _notes: notes,
        })
    }

    async fn step(&mut self, way: &Way, status: &Status) -> anyhow::Result<()> {
        self.sender.poll().await?;
        let network = self.client.network().clone();
        let busy: Vec<u64> = self.sender.pending().collect();
        match status.status.as_str() {
            "ready-to-prove" if !busy.contains(&PROVE) => {
                let (withdrawal, proof) = way.proof().await?;
                let intent = calls::prove(&network, &withdrawal, &proof);
                self.sender.submit(PROVE, intent).await?;
            }
            "ready-to-finalize" if !busy.contains(&FINALISE) => {
                let (withdrawal, _) = way.proof().await?;
                let by = status.proven_by.unwrap_or(self.sender.address());
                let intent = calls::finalise(&network, &withdrawal, by);
                self.sender.submit(FINALISE, intent).await?;
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(word: &str, left: Option<u64>) -> Status {
        Status {
            status: word.into(),
            waits_for: String::new(),
            seconds_left: left,
            proven_by: None,
            l1_tx: None,
        }
    }

    #[test]
    fn each_stage_says_what_is_left() {
        assert_eq!(
            status("waiting-to-finalize", Some(90)).line(false),
            "3/4 proven, waiting for the challenge window, about 1 min 30 s left"
        );
        assert_eq!(status("ready-to-prove", None).line(true), "2/4 proving");
        assert_eq!(
            status("ready-to-prove", None).line(false),
            "2/4 waiting for somebody to prove it"
        );
    }

    #[test]
    fn amounts_have_no_zeros_behind() {
        let wei = |n: u64| U256::from(n) * U256::from(10_000_000_000_000_000u64);
        assert_eq!(coins(wei(150)), "1.5");
        assert_eq!(coins(wei(2_000)), "20");
        assert_eq!(coins(U256::ZERO), "0");
    }

    #[test]
    fn long_times_are_told_in_days() {
        assert_eq!(time(7 * 86_400), "7 d 0 h");
        assert_eq!(time(3_700), "1 h 1 min");
        assert_eq!(time(59), "59 s");
    }
}
