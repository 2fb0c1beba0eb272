//! `tributary force`: a transaction that the sequencer must include.

use crate::{
    assemble::connect,
    cli_bridge::{Force, Forced},
    commands::network,
    deploy::Deployer,
    exit::forced_withdrawal,
    keys,
    withdraw::coins,
};
use alloy_primitives::{Address, B256, Bytes, U256};
use anyhow::{Context, ensure};
use bindings::{inbox::Inbox, open_token::OpenToken, portal::Portal};
use l1::Client;
use primitives::CheckedTx;
use std::sync::Arc;

/// L2 gas of a transfer, with room for an account that delegates to code.
const TRANSFER_GAS: u64 = 50_000;
const CALL_GAS: u64 = 1_000_000;

/// Enqueues it and says what happens to it.
pub async fn run(args: Force) -> anyhow::Result<()> {
    let network = Arc::new(network(&args.config)?);
    let key = keys::load("forcer", args.keystore.as_deref())?;
    let client = connect(&args.l1.url, args.l1.blobs.as_deref(), &network).await?;
    let contracts = &network.contracts;
    let mut deposit = forced(&args.what, key.address());
    if let Some(gas) = args.gas {
        deposit.gasLimit = gas;
    }
    let gas = Portal::gasCostCall {
        gasLimit: deposit.gasLimit,
    };
    let cost = client.view(contracts.portal, &gas).await?;
    let account = key.address();
    let has = client
        .view(contracts.open_token, &OpenToken::balanceOfCall { account })
        .await?;
    ensure!(
        has >= cost,
        "{account} has {} OPEN on L1; {} are needed to prepay {} L2 gas",
        coins(has),
        coins(cost),
        deposit.gasLimit
    );
    let mut sender = Deployer::new(&client, &key).await?;
    let approve = OpenToken::approveCall {
        spender: contracts.portal,
        value: cost,
    };
    sender.call(contracts.open_token, approve, 100_000).await?;
    // Twice sixteen gas a byte and what the queue's slots take.
    let l1_gas = 400_000 + 64 * deposit.data.len() as u64;
    sender
        .call(contracts.portal, deposit.clone(), l1_gas.min(1 << 24))
        .await?;
    let first = sender.finish().await?;
    let (index, l2_tx) = place_of(&client, first, account, &deposit).await?;
    println!(
        "entry {index} of L1's queue; {} OPEN paid for {} L2 gas",
        coins(cost),
        deposit.gasLimit
    );
    println!("it will be L2 transaction {l2_tx}");
    println!(
        "No batch whose L2 time is more than {} s later is valid without it. If no batch comes for {} s of L1 time, anyone \
         may call Inbox.forceAdvance; `tributary exit` does.",
        network.delays.force_delay_s, network.delays.window_s
    );
    println!("Any node tells how far it is: rollup_depositStatus({index})");
    Ok(())
}

/// Place in the queue, and the L2 transaction that it becomes.
async fn place_of(
    client: &Client,
    from_block: u64,
    account: Address,
    deposit: &Portal::depositCall,
) -> anyhow::Result<(u64, B256)> {
    let head = client.heads().await?.latest.number;
    let inbox = client.network().contracts.inbox;
    let entries = client
        .events::<Inbox::Enqueued>(inbox, from_block, head)
        .await?;
    let ours = entries.into_iter().rev().map(|(_, event)| event);
    let event = ours
        .into_iter()
        .find(|event| event.from == account && event.entry.data == deposit.data)
        .context("the transaction is mined, and the queue has no entry of it: L1 moved; look again with rollup_forcedQueue")?;
    let entry = l1::queue_entry(event.entry)?;
    let l2_tx = CheckedTx::deposit(entry.deposit(event.queueAcc)).hash;
    Ok((entry.index, l2_tx))
}

fn forced(what: &Forced, sender: Address) -> Portal::depositCall {
    let plain = |to: Address, value: U256, gas: u64, data: Bytes| Portal::depositCall {
        to,
        mint: U256::ZERO,
        value,
        gasLimit: gas,
        isCreation: false,
        data,
    };
    match what {
        Forced::Transfer { to, amount } => plain(*to, *amount, TRANSFER_GAS, Bytes::new()),
        Forced::Call { to, data, amount } => plain(*to, *amount, CALL_GAS, data.clone()),
        Forced::Withdraw { amount, to } => forced_withdrawal(to.unwrap_or(sender), *amount),
    }
}
