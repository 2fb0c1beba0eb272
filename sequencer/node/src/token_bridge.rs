//! `tributary bridge`: ETH and other tokens to L2 and back, for people.
//!
//! A deposit approves what is missing, deposits and waits for the balance on L2. A withdrawal burns on L2 and ends there:
//! its message is one like any other, proven and finalised by a relayer or by its owner.

use crate::{
    ask::ask,
    cli::{Bridge, BridgeDeposit, BridgeWithdraw},
    commands::{network, spinner},
    deploy::Deployer,
    keys,
    wallet::{Wallet, hash_of},
    withdraw::coins,
};
use alloy_primitives::{Address, Bytes, U256, hex};
use alloy_sol_types::SolCall;
use anyhow::{Context, bail, ensure};
use bindings::{
    bridged_token::BridgedToken, l1_token_bridge::L1TokenBridge, l2_token_bridge::L2TokenBridge,
    open_token::OpenToken,
};
use primitives::predeploys::TOKEN_BRIDGE;
use serde_json::json;
use std::{sync::Arc, time::Duration};

/// Stands for ETH where a token is named.
const ETH: Address = Address::repeat_byte(0xee);
/// A first deposit asks the token three questions, of at most 100,000 each.
const DEPOSIT_GAS: u64 = 1_000_000;
const APPROVE_GAS: u64 = 150_000;
/// Asked this often whether it has arrived, and this many times: five minutes.
const POLL: Duration = Duration::from_millis(250);
const POLLS: u32 = 1_200;

/// Does what was asked.
pub async fn run(command: Bridge) -> anyhow::Result<()> {
    match command {
        Bridge::Deposit(args) => deposit(args).await,
        Bridge::Withdraw(args) => withdraw(args).await,
    }
}

async fn deposit(args: BridgeDeposit) -> anyhow::Result<()> {
    let network = Arc::new(network(&args.config)?);
    let key = keys::load("depositor", args.keystore.as_deref())?;
    let client = crate::assemble::connect(&args.l1.url, args.l1.blobs.as_deref(), &network).await?;
    let (bridge, open) = (network.contracts.token_bridge, network.contracts.open_token);
    let (token, from) = (args.token.unwrap_or(ETH), key.address());
    let to = args.to.unwrap_or(from);
    let gas_cost = client
        .view(bridge, &L1TokenBridge::depositGasCostCall { token })
        .await?;
    let mut needs = vec![(open, gas_cost, "OPEN for L2 gas")];
    match args.token {
        Some(token) => needs.push((token, args.amount, "the token")),
        None => {
            let has = client.balance(from).await?;
            ensure!(
                has > args.amount,
                "{from} has {} ETH on L1, too little for {}",
                coins(has),
                coins(args.amount)
            );
        }
    }
    let mut sender = Deployer::new(&client, &key).await?;
    for (erc20, amount, what) in needs {
        let has = client
            .view(erc20, &OpenToken::balanceOfCall { account: from })
            .await?;
        ensure!(
            has >= amount,
            "{from} has {has} of {what} on L1 ({erc20}); {amount} are needed"
        );
        let allowed = client
            .view(
                erc20,
                &OpenToken::allowanceCall {
                    owner: from,
                    spender: bridge,
                },
            )
            .await?;
        // Some tokens change an allowance only to zero or from it.
        let steps = [(U256::ZERO, !allowed.is_zero()), (amount, true)];
        for (value, needed) in steps {
            if allowed < amount && needed {
                let spender = bridge;
                let approve = OpenToken::approveCall { spender, value };
                sender.call(erc20, approve, APPROVE_GAS).await?;
            }
        }
    }

    let http = reqwest::Client::new();
    let l2_token = client
        .view(bridge, &L1TokenBridge::l2TokenOfCall { token })
        .await?;
    let before = balance(&http, &args.rpc, l2_token, to).await?;
    println!(
        "depositing to {to}; L2 gas costs {} OPEN; on L2 the token is {l2_token}",
        coins(gas_cost)
    );
    let progress = spinner("waiting for L1");
    match args.token {
        Some(token) => {
            let amount = args.amount;
            let call = L1TokenBridge::depositERC20ToCall { token, to, amount };
            sender.call(bridge, call, DEPOSIT_GAS).await?;
        }
        None => {
            let call = L1TokenBridge::depositETHToCall { to };
            sender
                .call_paying(bridge, call, args.amount, DEPOSIT_GAS)
                .await?;
        }
    }
    let block = sender.finish().await?;
    progress.set_message(format!("in L1 block {block}; waiting for L2"));
    for _ in 0..POLLS {
        let now = balance(&http, &args.rpc, l2_token, to).await?;
        if now != before {
            progress.finish_and_clear();
            println!("arrived: {to} has {now} of {l2_token} on L2");
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
    bail!(
        "not on L2 after five minutes; it needs {} L1 blocks on top of block {block}. If its message failed there, `resend` \
         of {bridge} sends it again",
        network.l1.queue_confirmations
    )
}

async fn withdraw(args: BridgeWithdraw) -> anyhow::Result<()> {
    let key = keys::load("withdrawer", args.keystore.as_deref())?;
    let wallet = Wallet::new(&args.rpc, key).await?;
    let (token, amount) = (args.token.unwrap_or(ETH), args.amount);
    let l2_token = wallet
        .view(TOKEN_BRIDGE, &L2TokenBridge::tokenOfCall { l1Token: token })
        .await?;
    let has = balance(
        &reqwest::Client::new(),
        &args.rpc,
        l2_token,
        wallet.address(),
    )
    .await?;
    ensure!(
        has >= amount,
        "{} has {has} of {l2_token} on L2, less than {amount}",
        wallet.address()
    );
    let to = args.to.unwrap_or(wallet.address());
    let call = L2TokenBridge::withdrawToCall {
        token: l2_token,
        to,
        amount,
    };
    let receipt = wallet.send(TOKEN_BRIDGE, &call, U256::ZERO).await?;
    let hash = hash_of(&receipt).context("a receipt without its transaction")?;
    println!("burned on L2 in {hash}");
    println!(
        "L1 pays {to} once the message is proven and finalised there; `rollup_withdrawalStatus` of {hash} says how far it is"
    );
    Ok(())
}

/// What an account has of a token on L2; nothing, where the token does not exist yet.
async fn balance(
    http: &reqwest::Client,
    rpc: &str,
    token: Address,
    who: Address,
) -> anyhow::Result<U256> {
    let call = BridgedToken::balanceOfCall { account: who };
    let request = json!({ "to": token, "data": hex::encode_prefixed(call.abi_encode()) });
    let output: Bytes = ask(http, rpc, "eth_call", json!([request, "latest"])).await?;
    if output.is_empty() {
        return Ok(U256::ZERO);
    }
    Ok(BridgedToken::balanceOfCall::abi_decode_returns(&output)?)
}
