//! What is owned on L2, and what has left it and is not paid yet, is held on L1.

use crate::{L1, Node};
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, B256, U256};
use anyhow::ensure;
use bindings::portal::Portal;
use primitives::{predeploys as at, withdrawal::Withdrawal};
use std::collections::{BTreeMap, BTreeSet};

/// `L2 supply + unpaid withdrawals <= escrowed`. Stories move OPEN by plain transfers, so whoever owns some was named by a
/// transaction, or is a vault.
pub async fn assert_backed(l1: &L1, node: &Node) -> anyhow::Result<()> {
    let mut owners = BTreeSet::from([
        Address::ZERO,
        at::PRIORITY_FEE_VAULT,
        at::BASE_FEE_VAULT,
        at::DATA_FEE_VAULT,
    ]);
    let head = node.head().header.number;
    for number in 1..=head {
        let Some(block) = node.chain.store.block(number)? else {
            continue;
        };
        owners.insert(block.header.beneficiary);
        for tx in &block.transactions {
            owners.insert(tx.sender);
            owners.extend(tx.tx.to());
        }
    }
    // What came here left L2 already: it is counted as unpaid until L1 pays it.
    owners.remove(&at::MESSAGE_PASSER);
    let mut supply = U256::ZERO;
    for owner in owners {
        supply += node.balance(owner)?;
    }
    let unpaid: U256 = unpaid(l1, node).await?.values().sum();
    let escrowed = l1.escrowed().await?;
    ensure!(
        supply + unpaid <= escrowed,
        "{supply} wei are owned on L2, {unpaid} have left it unpaid, {escrowed} are held on L1"
    );
    Ok(())
}

/// Withdrawals of the node's chain that L1 has not paid, and their values.
pub async fn unpaid(l1: &L1, node: &Node) -> anyhow::Result<BTreeMap<B256, U256>> {
    let mut unpaid = BTreeMap::new();
    for number in 1..=node.head().header.number {
        let Some(block) = node.chain.store.block(number)? else {
            continue;
        };
        let logs = block.receipts.iter().flat_map(|receipt| &receipt.logs);
        for withdrawal in logs.filter_map(Withdrawal::from_log) {
            let call = Portal::finalizedWithdrawalsCall {
                hash: withdrawal.hash(),
            };
            if !l1.client.view(l1.network.contracts.portal, &call).await? {
                unpaid.insert(withdrawal.hash(), withdrawal.value);
            }
        }
    }
    Ok(unpaid)
}
