//! Brings a fresh node to where the load can begin: money, contracts, lineage.
//!
//! Ours gets money by transfers from the development accounts, anvil by `anvil_setBalance`. From there on both get the
//! same signed transactions. anvil also gets the genesis contracts of L2, as `contracts/src/l2/README.md` lists them.

use crate::{
    load::{Account, Call},
    process::Node,
    rpc::Client,
};
use alloy_primitives::{Address, B256, U256};
use anyhow::{Context, ensure};
use primitives::predeploys as at;
use rayon::prelude::*;
use serde_json::{Value, json};

/// Gas of a transfer with its data on L1.
const TRANSFER_GAS: u64 = 151_000;
/// Left on a rich account for its own fees, wei.
const KEEP_WEI: u128 = 1_000_000_000_000_000_000_000;

/// Gives each of `accounts` this much, wei.
pub async fn fund(node: &Node, accounts: &[Account], each_wei: u128) -> anyhow::Result<()> {
    let mut client = Client::open(node.address).await?;
    if node.rich.is_empty() {
        let params: Vec<Value> = accounts
            .iter()
            .map(|account| json!([account.address, U256::from(each_wei)]))
            .collect();
        client
            .call_all::<Value>("anvil_setBalance", &params)
            .await?;
        return Ok(());
    }
    let rich = node
        .rich
        .iter()
        .map(|key| Account::new(key.0))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let share = accounts.len().div_ceil(rich.len());
    for (rich, accounts) in rich.iter().zip(accounts.chunks(share)) {
        let balance: U256 = client
            .call("eth_getBalance", json!([rich.address, "latest"]))
            .await?;
        let needed = U256::from(each_wei) * U256::from(accounts.len()) + U256::from(KEEP_WEI);
        ensure!(
            balance >= needed,
            "{} has {balance} wei, the senders need {needed}: shorten the run or take a lower --sign-rate",
            rich.address
        );
        let first = client
            .number("eth_getTransactionCount", json!([rich.address, "latest"]))
            .await?;
        let raws: Vec<_> = accounts
            .par_iter()
            .enumerate()
            .map(|(i, account)| {
                let call = Call::transfer(account.address, U256::from(each_wei), TRANSFER_GAS);
                rich.sign(first + i as u64, call)
            })
            .collect();
        client.land(&raws, "funding").await?;
    }
    Ok(())
}

/// Gives anvil the contracts that L2 has from genesis.
pub async fn predeploys(node: &Node, governance: Address) -> anyhow::Result<()> {
    let mut client = Client::open(node.address).await?;
    let classes = U256::from_limbs([(10_000_000 << 32) | 10_000_000, 30_000_000, 0, 0]);
    let policy = vec![
        (0, governance.into_word()),
        (2, B256::from(classes)),
        (3, B256::from(U256::from(300_000_000))),
    ];
    for (name, address, slots) in [
        ("WrappedOpen", at::WRAPPED_OPEN, vec![]),
        ("AssetRegistry", at::ASSET_REGISTRY, vec![]),
        ("RevenueRouter", at::REVENUE_ROUTER, vec![]),
        ("PoolLedger", at::POOL_LEDGER, vec![]),
        ("FeePolicy", at::FEE_POLICY, policy),
    ] {
        let code = bindings::runtime(name).with_context(|| format!("no bytecode of {name}"))?;
        let _: Value = client.call("anvil_setCode", json!([address, code])).await?;
        let _: Value = client
            .call("anvil_setNonce", json!([address, "0x1"]))
            .await?;
        for (slot, word) in slots {
            let slot = U256::from(slot);
            let _: Value = client
                .call("anvil_setStorageAt", json!([address, slot, word]))
                .await?;
        }
    }
    Ok(())
}

/// Lands setup transactions in order.
pub async fn land(node: &Node, raws: &[Vec<u8>], names: &str) -> anyhow::Result<()> {
    Client::open(node.address).await?.land(raws, names).await
}
