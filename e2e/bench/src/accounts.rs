//! Memory and cost with many accounts: makes them on L2, then sends transfers among them.

use crate::{
    load::{Account, Call, Load, word},
    phase::Phase,
    process::{Node, Ours},
    send::{Mode, Pace},
    setup,
};
use alloy_primitives::{Address, B256, TxKind, U256, hex};
use anyhow::ensure;
use serde::Serialize;
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

/// Calls `count` addresses from `first` on with 1 wei each: calldata is two words.
///
/// ```text
/// count first | JUMPDEST call(0, first, 1, 0, 0, 0, 0) pop, first + 1, count - 1, loop while count | STOP
/// ```
const FAN_OUT: [u8; 33] =
    hex!("6020355f355b5f5f5f5f600185 5ff1506001019060019003908160055700000000");
/// Accounts one transaction makes: 36,700 gas each, below the 2^24 of one transaction with room for its data.
const ACCOUNTS_PER_TX: u64 = 400;
const FAN_OUT_GAS: u64 = 15_500_000;
/// A quarter of a block's gas target waits at most, so the base fee stays where it is, and a block changes about as many
/// accounts as one full of transfers.
const FAN_OUTS_AT_ONCE: u64 = 32;
const FILLERS: usize = 32;
/// Fees of all fan-outs of one filler at ten million accounts, and more, wei: 400 OPEN.
const FILLER_WEI: u128 = 400_000_000_000_000_000_000;
const SENDERS: usize = 250;
const TRANSFER_GAS: u64 = 151_000;
const TRANSFER_WEI: u128 = 400_000_000_000_000;
const SPARE_WEI: u128 = 1_000_000_000_000_000_000;
/// A node that takes less than a tenth of a core for so long rests.
const REST: Duration = Duration::from_secs(3);
const SETTLE_MAX: Duration = Duration::from_secs(600);

/// What came out.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Accounts made before the transfers.
    pub accounts: u64,
    /// Making them, seconds.
    pub made_in_s: f64,
    /// Memory after that, MiB.
    pub rss_made_mib: f64,
    /// Transfers among them.
    pub transactions: u64,
    /// Transfers a second.
    pub tps: f64,
    /// CPU time of the node for each transfer.
    pub cpu_us_per_tx: f64,
    /// Memory after them, MiB.
    pub rss_mib: f64,
    /// Most memory at any time, MiB.
    pub rss_peak_mib: f64,
}

/// Runs it.
pub async fn run(
    ours: &Ours,
    dir: &Path,
    accounts: u64,
    transactions: u64,
) -> anyhow::Result<Report> {
    let node = Node::ours(ours, dir).await?;
    let result = measure(&node, accounts, transactions).await;
    node.conclude(result).await
}

async fn measure(node: &Node, accounts: u64, transactions: u64) -> anyhow::Result<Report> {
    let owner = Account::many("bench owner", 1)?.remove(0);
    setup::fund(node, std::slice::from_ref(&owner), SPARE_WEI).await?;
    // Init code that returns what follows it.
    let init = [&hex!("601e8060095f395ff3")[..], &FAN_OUT].concat();
    let deploy = Call {
        to: TxKind::Create,
        value: U256::ZERO,
        gas_max: 500_000,
        input: init.into(),
        salt: 0,
    };
    setup::land(node, &[owner.sign(0, deploy)], "fan-out").await?;
    let fan_out = owner.address.create(0);

    let fillers = Account::many("bench filler", FILLERS)?;
    setup::fund(node, &fillers, FILLER_WEI).await?;
    let rows = (accounts.div_ceil(ACCOUNTS_PER_TX) as usize).div_ceil(FILLERS);
    let load = Load::sign(&fillers, rows, |index| {
        let first = U256::from_be_slice(account(index * ACCOUNTS_PER_TX).as_slice());
        let words = [first, U256::from(ACCOUNTS_PER_TX)];
        let input: Vec<u8> = words.iter().flat_map(|w| w.to_be_bytes::<32>()).collect();
        Call::to(
            fan_out,
            U256::from(ACCOUNTS_PER_TX),
            FAN_OUT_GAS,
            input.into(),
        )
    });
    let made = (load.len() as u64) * ACCOUNTS_PER_TX;
    let began = Instant::now();
    phase(load, Pace::Saturate(FAN_OUTS_AT_ONCE))
        .run(node)
        .await?;
    let made_in_s = began.elapsed().as_secs_f64();
    settle(node).await?;
    let rss_made_mib = node.rss_mib().1;

    let senders = Account::many("bench sender", SENDERS)?;
    let rows = (transactions as usize).div_ceil(SENDERS);
    setup::fund(node, &senders, TRANSFER_WEI * rows as u128 + SPARE_WEI).await?;
    let load = Load::sign(&senders, rows, |index| {
        let bytes: [u8; 8] = word("bench choice", index)[..8]
            .try_into()
            .unwrap_or_default();
        let to = account(u64::from_be_bytes(bytes) % made);
        Call::transfer(to, U256::from(1 + index % 1_000), TRANSFER_GAS)
    });
    let outcome = phase(load, Pace::Saturate(20_000)).run(node).await?;
    let (first, last) = &outcome.window;
    let (rss_peak_mib, rss_mib) = node.rss_mib();
    Ok(Report {
        accounts: made,
        made_in_s,
        rss_made_mib,
        transactions: outcome.transactions,
        tps: outcome.counted() as f64 / outcome.seconds(),
        cpu_us_per_tx: (last.cpu_us - first.cpu_us) as f64 / outcome.counted() as f64,
        rss_mib,
        rss_peak_mib,
    })
}

/// Waits until the node rests, so that what it still owes for making the accounts is not charged to the transfers.
async fn settle(node: &Node) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let before = node.cpu_us();
        tokio::time::sleep(REST).await;
        let busy = Duration::from_micros(node.cpu_us() - before);
        if busy < REST / 10 {
            return Ok(());
        }
        ensure!(
            began.elapsed() < SETTLE_MAX,
            "the node does not come to rest after making the accounts"
        );
    }
}

/// The `index`th account. Neighbours are far apart in the trie, whose keys are hashes.
fn account(index: u64) -> Address {
    let base = U256::from_be_slice(&word("bench account", 0)[12..]) >> 8;
    Address::from_word(B256::from(base + U256::from(index)))
}

fn phase(load: Load, pace: Pace) -> Phase {
    Phase {
        rows: 0..load.rows(),
        load: Arc::new(load),
        mode: Mode::Batch50,
        pace,
        connections: 8,
        time: Duration::MAX,
    }
}
