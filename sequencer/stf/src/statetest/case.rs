//! One case: build the state, run the transaction, compare.

use super::{
    fork::Fork,
    format::{Number, Post, PreAccount, Test},
};
use crate::{
    CodeCache, MemoryState,
    block_state::BlockState,
    handler::{Flow, TxHandler},
    machine::Machine,
    tx_env,
};
use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};
use alloy_primitives::{Address, B256, Log, TxKind, U256, keccak256};
use primitives::{Account, AccountDiff, CheckedTx, SlotDiff, StateDiff};
use revm::{
    context::{BlockEnv, CfgEnv, ContextTr, JournalTr, TxEnv, result::ExecutionResult},
    context_interface::{
        block::BlobExcessGasAndPrice, either::Either, transaction::TransactionType,
    },
    handler::Handler,
    primitives::hardfork::SpecId,
};
use trie::{EMPTY_ROOT_HASH, NoNodes, StateTrie};

/// `Err` says what differs.
pub(super) fn run(test: &Test, fork: Fork, post: &Post) -> Result<(), String> {
    let genesis = genesis(&test.pre);
    let mut trie = StateTrie::new(NoNodes, EMPTY_ROOT_HASH);
    trie.apply(&genesis).map_err(|error| error.to_string())?;
    let mut state = MemoryState::default();
    state.apply(&genesis);
    for number in 0..test.env.current_number.u64().min(256) {
        // BLOCKHASH in state tests: the hash of the number's decimal text.
        state.set_block_hash(number, keccak256(number.to_string()));
    }

    let executed = match transaction(test, post) {
        Ok(tx) => execute(test, fork, state, tx),
        Err(error) => Err(error),
    };
    let (diff, logs) = match (executed, &post.expect_exception) {
        (Ok(_), Some(exception)) => return Err(format!("ran, but should be refused: {exception}")),
        (Err(error), None) => return Err(format!("refused: {error}")),
        (Err(_), Some(_)) => (StateDiff::default(), Vec::new()),
        (Ok(outcome), None) => outcome,
    };

    let logs_hash = keccak256(alloy_rlp::encode(&logs));
    if logs_hash != post.logs {
        return Err(format!("logs hash {logs_hash}, published {}", post.logs));
    }
    let root = trie
        .apply(&diff)
        .map_err(|error| error.to_string())?
        .state_root;
    if root != post.hash {
        return Err(format!("state root {root}, published {}", post.hash));
    }
    Ok(())
}

/// A state in the tests' form, as a difference from nothing.
pub(crate) fn genesis(pre: &BTreeMap<Address, PreAccount>) -> StateDiff {
    let mut codes = Vec::new();
    let accounts = pre
        .iter()
        .map(|(address, account)| {
            let mut after = Account {
                nonce: account.nonce.u64(),
                balance: account.balance.0,
                ..Account::default()
            };
            if !account.code.is_empty() {
                after.code_hash = keccak256(&account.code);
                codes.push((after.code_hash, account.code.clone()));
            }
            let slots = account
                .storage
                .iter()
                .filter(|(_, value)| !value.0.is_zero())
                .map(|(slot, value)| SlotDiff {
                    slot: slot.0,
                    before: U256::ZERO,
                    after: value.0,
                })
                .collect();
            AccountDiff {
                address: *address,
                before: None,
                after: Some(after),
                wiped: false,
                slots,
            }
        })
        .collect();
    StateDiff { accounts, codes }
}

/// The transaction as users send it, where the test has its bytes.
fn transaction(test: &Test, post: &Post) -> Result<TxEnv, String> {
    match &post.txbytes {
        Some(raw) => {
            let tx = CheckedTx::decode(raw.clone()).map_err(|error| error.to_string())?;
            if let Some(sender) = test.transaction.sender
                && sender != tx.sender
            {
                return Err(format!(
                    "recovered sender {}, published {sender}",
                    tx.sender
                ));
            }
            Ok(tx_env::signed(&tx))
        }
        None => from_fields(test, post),
    }
}

fn from_fields(test: &Test, post: &Post) -> Result<TxEnv, String> {
    let tx = &test.transaction;
    let at = |name: &str| format!("no {name} at the index of the post state");
    let kind = match tx.to.as_str() {
        "" => TxKind::Create,
        to => TxKind::Call(to.parse::<Address>().map_err(|error| error.to_string())?),
    };
    let value = tx
        .value
        .get(post.indexes.value)
        .ok_or_else(|| at("value"))?;
    let access_list = tx.access_lists.get(post.indexes.data).cloned().flatten();
    let tx_type = if tx.authorization_list.is_some() {
        TransactionType::Eip7702
    } else if tx.max_fee_per_blob_gas.is_some() {
        TransactionType::Eip4844
    } else if tx.max_fee_per_gas.is_some() {
        TransactionType::Eip1559
    } else if access_list.is_some() {
        TransactionType::Eip2930
    } else {
        TransactionType::Legacy
    };
    if tx_type == TransactionType::Eip4844 && kind.is_create() {
        return Err("blob transaction of type create".to_string());
    }
    Ok(TxEnv {
        tx_type: tx_type as u8,
        caller: tx.sender.ok_or("no sender and no txbytes")?,
        gas_limit: tx
            .gas_limit
            .get(post.indexes.gas)
            .ok_or_else(|| at("gasLimit"))?
            .u64(),
        gas_price: tx.max_fee_per_gas.or(tx.gas_price).map_or(0, Number::u128),
        kind,
        value: Number::parse(value).ok_or("value above 256 bits")?.0,
        data: tx
            .data
            .get(post.indexes.data)
            .ok_or_else(|| at("data"))?
            .clone(),
        nonce: tx.nonce.u64(),
        chain_id: Some(chain_id(test)),
        access_list: access_list.unwrap_or_default(),
        gas_priority_fee: tx.max_priority_fee_per_gas.map(Number::u128),
        blob_hashes: tx.blob_versioned_hashes.clone(),
        max_fee_per_blob_gas: tx.max_fee_per_blob_gas.map_or(0, Number::u128),
        authorization_list: tx
            .authorization_list
            .iter()
            .flatten()
            .cloned()
            .map(Either::Left)
            .collect(),
    })
}

fn chain_id(test: &Test) -> u64 {
    test.config.chainid.map_or(1, Number::u64)
}

fn execute(
    test: &Test,
    fork: Fork,
    state: MemoryState,
    tx: TxEnv,
) -> Result<(StateDiff, Vec<Log>), String> {
    let env = &test.env;
    let excess_blob_gas = env.current_excess_blob_gas.map_or(0, Number::u64);
    let merged = fork.spec.is_enabled_in(SpecId::MERGE);
    let block = BlockEnv {
        number: env.current_number.0,
        beneficiary: env.current_coinbase,
        timestamp: env.current_timestamp.0,
        gas_limit: env.current_gas_limit.u64(),
        basefee: match fork.spec.is_enabled_in(SpecId::LONDON) {
            // Older tests leave it out.
            true => env.current_base_fee.map_or(10, Number::u64),
            false => 0,
        },
        difficulty: env
            .current_difficulty
            .filter(|_| !merged)
            .map_or(U256::ZERO, |number| number.0),
        prevrandao: merged.then(|| env.current_random.unwrap_or_default()),
        blob_excess_gas_and_price: fork.spec.is_enabled_in(SpecId::CANCUN).then(|| {
            BlobExcessGasAndPrice {
                excess_blob_gas,
                blob_gasprice: fork.blob_params.base_fee(excess_blob_gas),
            }
        }),
        slot_num: 0,
    };
    let mut cfg = CfgEnv::new_with_spec(fork.spec).with_chain_id(chain_id(test));
    cfg.max_blobs_per_tx = Some(fork.blobs_per_tx);
    let parent = (u64::MAX, B256::ZERO);
    let mut evm = Machine::new(
        BlockState::new(state, CodeCache::default(), parent, fork.spec),
        cfg,
        block,
    );
    evm.ctx.tx = tx;
    let result = TxHandler::new(Flow::Ethereum)
        .run(&mut evm)
        .map_err(|error| error.to_string())?;
    let changes = evm.ctx.journal_mut().finalize();
    let mut state = evm.into_state();
    state.commit(changes).map_err(|error| error.to_string())?;
    let logs = match result {
        ExecutionResult::Success { logs, .. } => logs,
        ExecutionResult::Revert { .. } | ExecutionResult::Halt { .. } => Vec::new(),
    };
    Ok((state.into_diff(), logs))
}
