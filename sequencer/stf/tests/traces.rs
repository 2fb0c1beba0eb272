//! Random blocks: what is refused leaves no trace, and beside fees the rollup computes what plain revm computes.

mod world;

use alloy_consensus::TxEip1559;
use alloy_primitives::{TxKind, U256, map::AddressMap};
use primitives::{
    CheckedTx, StateDiff,
    predeploys::{BASE_FEE_VAULT, DATA_FEE_VAULT, L1_INFO, PRIORITY_FEE_VAULT},
};
use proptest::prelude::*;
use revm::{
    Context, ExecuteCommitEvm, MainBuilder, MainContext,
    context::TxEnv,
    database::{CacheDB, EmptyDB},
    state::{AccountInfo, Bytecode},
};
use std::sync::Arc;
use stf::{StateReader, TxRejection};
use world::{
    CHAIN_ID, GWEI, OPEN, World, deposit, dynamic,
    random::{Queued, SENDERS, begin, code, queued, sent, world},
    send, who,
};

/// Transactions that cannot stand at this point, whatever the point.
fn hopeless(kind: u8, sender: u8, nonce: u64) -> Arc<CheckedTx> {
    let base = dynamic(who(5).into(), nonce);
    let tx = match kind {
        0 => TxEip1559 {
            nonce: nonce + 1,
            ..base
        },
        1 => TxEip1559 {
            gas_limit: 20_000,
            ..base
        },
        2 => TxEip1559 {
            value: U256::from(2 * OPEN),
            ..base
        },
        3 => TxEip1559 {
            max_fee_per_gas: GWEI - 1,
            max_priority_fee_per_gas: 0,
            ..base
        },
        4 => TxEip1559 {
            chain_id: 1,
            ..base
        },
        5 => TxEip1559 {
            gas_limit: 1 << 25,
            ..base
        },
        6 => TxEip1559 {
            to: TxKind::Create,
            input: vec![0; 50_000].into(),
            gas_limit: 5_000_000,
            ..base
        },
        7 => return send(base, who(5)), // a contract as sender
        _ => return deposit(|_| {}),    // after a signed one
    };
    send(tx, who(sender))
}

/// The machine that Ethereum's nodes run, without any code of ours: balances, nonces and slots after these transactions.
fn plain_revm(world: &World, txs: &[Arc<CheckedTx>]) -> (AddressMap<(U256, u64, Vec<U256>)>, u64) {
    let mut db = CacheDB::new(EmptyDB::new());
    for (address, account) in world.state.accounts() {
        let code = world.state.code(account.code_hash).unwrap_or_default();
        let info = AccountInfo {
            balance: account.balance,
            nonce: account.nonce,
            ..Default::default()
        }
        .with_code(Bytecode::new_raw(code));
        db.insert_account_info(*address, info);
        for (slot, value) in world.state.slots(*address) {
            db.insert_account_storage(*address, *slot, *value).unwrap();
        }
    }
    let mut evm = Context::mainnet()
        .with_db(db)
        .modify_cfg_chained(|cfg| cfg.chain_id = CHAIN_ID)
        .modify_block_chained(|block| {
            block.number = U256::from(1);
            block.timestamp = U256::from(1_001);
            block.gas_limit = 60_000_000;
            block.basefee = GWEI as u64;
            block.beneficiary = PRIORITY_FEE_VAULT;
            block.prevrandao = Some(world.anchor.prev_randao);
        })
        .build_mainnet();
    let mut gas_used = 0;
    for tx in txs {
        use alloy_consensus::Transaction as _;
        let env = TxEnv::builder()
            .caller(tx.sender)
            .kind(tx.tx.kind())
            .gas_limit(tx.tx.gas_limit())
            .max_fee_per_gas(tx.tx.max_fee_per_gas())
            .gas_priority_fee(tx.tx.max_priority_fee_per_gas())
            .value(tx.tx.value())
            .data(tx.tx.input().clone())
            .nonce(tx.tx.nonce())
            .chain_id(Some(CHAIN_ID))
            .build()
            .unwrap();
        gas_used += evm.transact_commit(env).unwrap().gas().tx_gas_used();
    }
    let accounts =
        evm.ctx
            .journaled_state
            .database
            .cache
            .accounts
            .iter()
            .map(|(address, account)| {
                let slots = (0..4)
                    .map(|slot| {
                        account
                            .storage
                            .get(&U256::from(slot))
                            .copied()
                            .unwrap_or_default()
                    })
                    .collect();
                (*address, (account.info.balance, account.info.nonce, slots))
            });
    (accounts.collect(), gas_used)
}

fn sorted_without_no_ops(diff: &StateDiff) -> bool {
    diff.accounts.is_sorted_by(|a, b| a.address < b.address)
        && diff.codes.is_sorted_by(|a, b| a.0 < b.0)
        && diff.accounts.iter().all(|account| {
            (account.before != account.after || !account.slots.is_empty())
                && account.slots.is_sorted_by(|a, b| a.slot < b.slot)
                && account.slots.iter().all(|slot| slot.before != slot.after)
                && account.after.is_none_or(|after| !after.is_empty())
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_refused_transaction_leaves_no_trace(
        codes in prop::collection::vec(code(), 4),
        txs in prop::collection::vec((sent(), prop::collection::vec((0u8..9, SENDERS), 0..4)), 1..12),
        r in 0u64..20,
    ) {
        let world = world(&codes, r);
        let (mut clean, mut noisy) = (begin(&world), begin(&world));
        let mut nonces = [0u64; 5];
        for (sent, noise) in &txs {
            let tx = send(sent.tx(nonces[usize::from(sent.sender)]), who(sent.sender));
            let outcome = clean.execute(&tx);
            prop_assert_eq!(&noisy.execute(&tx), &outcome);
            nonces[usize::from(sent.sender)] += u64::from(outcome.is_ok());
            for (kind, sender) in noise {
                // A deposit has its place until a signed transaction came.
                if clean.tx_count() > 0 || *kind < 8 {
                    prop_assert!(noisy.execute(&hopeless(*kind, *sender, nonces[usize::from(*sender)])).is_err());
                }
            }
        }
        let (clean, noisy) = (clean.finish().unwrap(), noisy.finish().unwrap());
        prop_assert!(sorted_without_no_ops(&clean.diff));
        prop_assert_eq!(clean, noisy);
    }

    #[test]
    fn without_data_gas_all_but_the_fees_is_plain_revm(
        codes in prop::collection::vec(code(), 4),
        txs in prop::collection::vec(sent(), 1..16),
    ) {
        let mut world = world(&codes, 0);
        let mut nonces = [0u64; 5];
        let mut block = begin(&world);
        let mut accepted = Vec::new();
        for sent in &txs {
            let nonce = &mut nonces[usize::from(sent.sender)];
            let tx = send(sent.tx(*nonce), who(sent.sender));
            match block.execute(&tx) {
                Ok(_) => {
                    *nonce += 1;
                    accepted.push(tx);
                }
                Err(error) => prop_assert!(matches!(error, TxRejection::IntrinsicGasTooLow { .. } | TxRejection::FloorDataGas { .. }), "{error}"),
            }
        }
        drop(block);
        let (plain, gas_used) = plain_revm(&world, &accepted);
        let block = world.block(&accepted);
        prop_assert_eq!(block.header.gas_used, gas_used);
        for (address, (balance, nonce, slots)) in &plain {
            if [BASE_FEE_VAULT, DATA_FEE_VAULT, L1_INFO].contains(address) {
                continue;
            }
            let account = world.account(*address);
            prop_assert_eq!((account.balance, account.nonce), (*balance, *nonce), "{}", address);
            for (slot, value) in (0..4).zip(slots) {
                let ours = world.state.storage(*address, U256::from(slot)).unwrap();
                prop_assert_eq!(ours, *value, "{} {}", address, slot);
            }
        }
        prop_assert_eq!(world.vaults()[0], u128::from(gas_used) * GWEI);
        prop_assert_eq!(world.vaults()[1], 0);
    }

    #[test]
    fn deposits_of_any_shape_conserve_the_supply(
        codes in prop::collection::vec(code(), 4),
        deposits in prop::collection::vec(queued(), 1..10),
        txs in prop::collection::vec(sent(), 0..6),
        r in 0u64..20,
    ) {
        let mut world = world(&codes, r);
        let mut all: Vec<_> = deposits.iter().map(Queued::tx).collect();
        let mut block = begin(&world);
        for deposit in &all {
            prop_assert!(block.execute(deposit).is_ok());
        }
        for sent in &txs {
            let nonce = deposits.iter().filter(|d| d.from == sent.sender).count() as u64;
            let tx = send(sent.tx(nonce + all.iter().filter(|tx| !tx.tx.is_deposit() && tx.sender == who(sent.sender)).count() as u64), who(sent.sender));
            if block.execute(&tx).is_ok() {
                all.push(tx);
            }
        }
        let receipts = block.finish().unwrap().receipts;
        let block = world.block(&all);
        prop_assert_eq!(&block.receipts, &receipts);
        prop_assert_eq!(block.receipts.last().map_or(0, |receipt| receipt.cumulative_gas_used), block.header.gas_used);
    }
}
