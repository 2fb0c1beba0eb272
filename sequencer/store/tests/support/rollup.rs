//! A chain under the rollup's rules whose only account stands where the message passer stands.

use super::{Machine, options};
use alloy_primitives::{Bytes, keccak256};
use primitives::{Account, AccountDiff, BlockInput, Header, StateDiff, predeploys::MESSAGE_PASSER};
use std::sync::Arc;
use stf::{ExecutedBlock, RollupRules, Rules, execute_block};
use store::{Genesis, Store};
use trie::{EMPTY_ROOT_HASH, NoNodes, StateTrie};

fn genesis(passer: Bytes) -> Genesis {
    let code_hash = keccak256(&passer);
    let account = Account {
        nonce: 1,
        code_hash,
        ..Account::default()
    };
    let accounts = vec![AccountDiff {
        address: MESSAGE_PASSER,
        before: None,
        after: Some(account),
        wiped: false,
        slots: Vec::new(),
    }];
    let state = StateDiff {
        accounts,
        codes: vec![(code_hash, passer)],
    };
    let state_root = StateTrie::new(NoNodes, EMPTY_ROOT_HASH)
        .apply(&state)
        .unwrap()
        .state_root;
    let header = Header {
        state_root,
        gas_limit: 60_000_000,
        base_fee_per_gas: Some(1_000_000),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        withdrawals_root: Some(EMPTY_ROOT_HASH),
        ..Header::default()
    };
    Genesis { header, state }
}

fn rules() -> Arc<Rules> {
    let network = config::Network::parse(include_str!("../../../../config/dev.toml")).unwrap();
    Arc::new(Rules::Rollup(RollupRules::new(&network)))
}

/// Opens the store; `passer` is the code at the message passer's address.
pub fn open_rollup(machine: &Machine, passer: Bytes) -> Arc<Store> {
    Store::open_on(
        Arc::new(machine.clone()),
        Arc::new(machine.clone()),
        options(),
        genesis(passer),
        rules(),
    )
    .unwrap()
}

/// Executes a block on the head.
pub fn execute_next(store: &Arc<Store>, input: &BlockInput) -> ExecutedBlock {
    let head = store.head();
    let state = store.latest_state();
    execute_block(&rules(), &head.header, head.hash, input, state).unwrap()
}
