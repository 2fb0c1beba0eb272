//! What is owned on L2 is held on L1.

use crate::{L1, Node};
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, U256};
use anyhow::ensure;
use primitives::predeploys as at;
use std::collections::BTreeSet;

/// Everything owned on L2 is at most what `Portal` holds. Stories move OPEN by plain transfers, so whoever owns some
/// was named by a transaction, or is a vault.
pub async fn assert_backed(l1: &L1, node: &Node) -> anyhow::Result<()> {
    let mut owners = BTreeSet::from([
        at::PRIORITY_FEE_VAULT,
        at::BASE_FEE_VAULT,
        at::DATA_FEE_VAULT,
        at::MESSAGE_PASSER,
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
    owners.insert(Address::ZERO);
    let mut supply = U256::ZERO;
    for owner in owners {
        supply += node.balance(owner)?;
    }
    let escrowed = l1.escrowed().await?;
    ensure!(
        supply <= escrowed,
        "{supply} wei are owned on L2, {escrowed} are held on L1"
    );
    Ok(())
}
