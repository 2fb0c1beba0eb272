//! When something happened to an account: found by halving, since nonces only grow and code only comes.

use super::inside::{next_calls, walk};
use crate::{
    Node,
    errors::RpcError,
    module::{Long, Patience, Registry},
    params::Number,
    trace::{Replay, traced, within},
    transactions::find_by_nonce,
};
use alloy_primitives::Address;
use alloy_rpc_types_trace::otterscan::ContractCreator;
use primitives::{Account, diff::KECCAK_EMPTY};
use stf::StateReader;

pub(super) fn register(registry: &mut Registry) {
    registry.long(
        "ots_getTransactionBySenderAndNonce",
        Long::Read,
        2,
        |node, args, patience| {
            let sender: Address = args.required(0)?;
            let nonce: Number = args.required(1)?;
            let found = find_by_nonce(node, sender, nonce.0, patience)?;
            Ok(found.map(|(block, index)| block.transactions[index].hash))
        },
    );
    traced(
        registry,
        "ots_getContractCreator",
        1,
        None,
        |node, args, patience| creator(node, args.required(0)?, patience),
    );
}

/// `null` for accounts without code, and for those whose code is from before the first block that is kept.
fn creator(
    node: &Node,
    address: Address,
    patience: &Patience,
) -> Result<Option<ContractCreator>, RpcError> {
    let has_code = |account: Account| account.code_hash != KECCAK_EMPTY;
    let Some(number) = first_block_where(node, address, has_code, patience)? else {
        return Ok(None);
    };
    let Some(block) = node.store.block(number)? else {
        return Ok(None);
    };
    if block.transactions.is_empty() {
        return Ok(None);
    }
    let mut replay = Replay::begin(node, block.clone())?;
    within(node, patience, |allowance| {
        for tx in &block.transactions {
            let mut found = None;
            let root = next_calls(&mut replay, allowance)?;
            walk(&root, 0, &mut |call, _| {
                if call.typ.starts_with("CREATE")
                    && call.to == Some(address)
                    && call.error.is_none()
                {
                    found = Some(ContractCreator {
                        hash: tx.hash,
                        creator: call.from,
                    });
                }
            });
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    })
}

/// The block that made `holds` true of an account, which stays so once it is. `None` if it never was, or was
/// already in the oldest state that is kept.
fn first_block_where(
    node: &Node,
    address: Address,
    holds: impl Fn(Account) -> bool,
    patience: &Patience,
) -> Result<Option<u64>, RpcError> {
    let at = |number: u64| -> Result<bool, RpcError> {
        patience.check()?;
        let account = node.store.state_at(number)?.account(address)?;
        Ok(holds(account.unwrap_or_default()))
    };
    let oldest = node.store.oldest_state().max(node.store.genesis_number());
    let (mut before, mut since) = (oldest, node.head_number());
    if !at(since)? || at(before)? {
        return Ok(None);
    }
    while before + 1 < since {
        let middle = before + (since - before) / 2;
        if at(middle)? {
            since = middle;
        } else {
            before = middle;
        }
    }
    Ok(Some(since))
}
