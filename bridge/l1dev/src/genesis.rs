//! The first block: system contracts and funded accounts.

use crate::{L1DevError, Options};
use alloy_consensus::{EMPTY_ROOT_HASH, Header};
use alloy_eips::{
    eip2935::{HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE},
    eip4788::{BEACON_ROOTS_ADDRESS, BEACON_ROOTS_CODE},
    eip7002::{WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, WITHDRAWAL_REQUEST_PREDEPLOY_CODE},
    eip7251::{CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, CONSOLIDATION_REQUEST_PREDEPLOY_CODE},
    eip7685::EMPTY_REQUESTS_HASH,
};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use config::L1Fork;
use primitives::{Account, AccountDiff, StateDiff};
use std::collections::BTreeMap;
use store::{Genesis, StoreError};
use trie::{NoNodes, StateTrie};

/// EIP-1559's.
const BASE_FEE_WEI: u64 = 1_000_000_000;

/// The first block and its state. Equal options give an equal hash.
pub fn genesis(options: &Options, timestamp: u64) -> Result<Genesis, L1DevError> {
    let state = state(options);
    let root = StateTrie::new(NoNodes, EMPTY_ROOT_HASH)
        .apply(&state)
        .map_err(StoreError::from)?
        .state_root;
    let header = Header {
        timestamp,
        gas_limit: options.gas_limit,
        base_fee_per_gas: Some(BASE_FEE_WEI),
        state_root: root,
        withdrawals_root: Some(EMPTY_ROOT_HASH),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        requests_hash: (options.fork >= L1Fork::Prague).then_some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    };
    Ok(Genesis { header, state })
}

fn state(options: &Options) -> StateDiff {
    let mut accounts: BTreeMap<Address, Account> = BTreeMap::new();
    let mut codes: BTreeMap<B256, Bytes> = BTreeMap::new();
    for (address, code) in system_contracts(options.fork) {
        let code_hash = keccak256(code);
        // Contracts begin with nonce one (EIP-161).
        accounts.insert(
            address,
            Account {
                nonce: 1,
                balance: U256::ZERO,
                code_hash,
            },
        );
        codes.insert(code_hash, code.clone());
    }
    for (address, wei) in &options.funded {
        let account = accounts.entry(*address).or_default();
        account.balance = account.balance.saturating_add(*wei);
    }
    accounts.retain(|_, account| !account.is_empty());
    let diffs = accounts.into_iter().map(|(address, after)| AccountDiff {
        address,
        before: None,
        after: Some(after),
        wiped: false,
        slots: Vec::new(),
    });
    StateDiff {
        accounts: diffs.collect(),
        codes: codes.into_iter().collect(),
    }
}

/// Runtime code as published in the EIPs. On Ethereum these were deployed by transactions.
fn system_contracts(fork: L1Fork) -> Vec<(Address, &'static Bytes)> {
    let mut contracts = vec![(BEACON_ROOTS_ADDRESS, &BEACON_ROOTS_CODE)];
    if fork >= L1Fork::Prague {
        contracts.extend([
            (HISTORY_STORAGE_ADDRESS, &HISTORY_STORAGE_CODE),
            (
                WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
                &WITHDRAWAL_REQUEST_PREDEPLOY_CODE,
            ),
            (
                CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
                &CONSOLIDATION_REQUEST_PREDEPLOY_CODE,
            ),
        ]);
    }
    contracts
}
