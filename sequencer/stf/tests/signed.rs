//! Signed transactions on the rollup: who is let in, what they pay, and to whom.

mod world;

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip4844, TxEip7702, TxLegacy};
use alloy_eips::eip7702::Authorization;
use alloy_primitives::{Address, B256, TxKind, U256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use primitives::{CheckedTx, Transaction, da::da_bytes};
use std::sync::Arc;
use stf::{BlockError, Rules, TxRejection};
use world::{
    CHAIN_ID, GWEI, OPEN, World, checked, dynamic, rollup_rules, send, signature, transfer, who,
};

/// The text with which a transaction from `who(1)`, who owns 1 OPEN, is refused. Data gas price 10.
fn refused(tx: Arc<CheckedTx>, want: &str) {
    let world = World::new(10).fund(who(1), OPEN);
    let Err(BlockError::Tx { index: 0, source }) = world.run(&[tx]) else {
        panic!("not refused")
    };
    assert_eq!(source.to_string(), want);
}

fn refused_if(change: impl FnOnce(&mut TxEip1559), want: &str) {
    let mut tx = dynamic(who(9).into(), 0);
    change(&mut tx);
    refused(send(tx, who(1)), want);
}

// 80 bytes of frame at 10 gas.
const DA_GAS: u64 = 800;

#[test]
fn the_fee_is_split_and_nothing_is_burned() {
    let mut world = World::new(10).fund(who(1), OPEN);
    let block = world.block(&[transfer(who(9), 5, 0)]);
    assert_eq!(block.header.gas_used, 21_000 + DA_GAS);
    assert_eq!(
        world.vaults(),
        [
            21_000 * GWEI,
            u128::from(DA_GAS) * GWEI,
            (21_000 + u128::from(DA_GAS)) * GWEI
        ]
    );
    assert_eq!(
        world.balance(who(1)),
        OPEN - 5 - 2 * GWEI * (21_000 + u128::from(DA_GAS))
    );
}

#[test]
fn send_max_leaves_nothing() {
    let mut world = World::new(10).fund(who(1), OPEN);
    let gas_limit = 21_000 + DA_GAS;
    let fee = u128::from(gas_limit) * 2 * GWEI;
    let tx = TxEip1559 {
        gas_limit,
        value: U256::from(OPEN - fee),
        ..dynamic(who(9).into(), 0)
    };
    world.block(&[send(tx, who(1))]);
    assert_eq!(world.balance(who(1)), 0);
    assert_eq!(world.account(who(1)).nonce, 1);
}

#[test]
fn data_gas_is_never_refunded() {
    // Clears slots 0 to 9, which refunds 48,000 gas if a fifth of the gas allows.
    let clear: String = (0..10).map(|slot| format!("5f60{slot:02x}55")).collect();
    let gas_used = |r: u64| {
        let mut world = World::new(r)
            .fund(who(1), OPEN)
            .code(who(2), &format!("0x{clear}"));
        for slot in 0..10 {
            world
                .state
                .set_storage(who(2), U256::from(slot), U256::from(1));
        }
        world
            .block(&[send(dynamic(who(2).into(), 0), who(1))])
            .header
            .gas_used
    };
    assert_eq!(gas_used(1_000), gas_used(0) + 80_000);
}

#[test]
fn data_gas_stands_above_the_calldata_floor() {
    let input = vec![1u8; 1_000];
    let tx = send(
        TxEip1559 {
            input: input.into(),
            ..dynamic(who(9).into(), 0)
        },
        who(1),
    );
    let data = 10 * da_bytes(&tx.tx);
    assert_eq!(data, 10 * 1_080);
    let mut world = World::new(10).fund(who(1), OPEN);
    assert_eq!(
        world.block(std::slice::from_ref(&tx)).header.gas_used,
        21_000 + 40 * 1_000 + data
    );
    assert_eq!(
        stf::intrinsic_gas(&world.rules, 10, &tx.tx),
        21_000 + 40 * 1_000 + data
    );
}

#[test]
fn receipts_add_up_to_the_header() {
    let mut world = World::new(33)
        .fund(who(1), OPEN)
        .code(who(2), "0x60006000fd")
        .code(who(3), "0xfe");
    let txs: Vec<_> = [2, 3, 9]
        .iter()
        .zip(0..)
        .map(|(to, nonce)| send(dynamic(who(*to).into(), nonce), who(1)))
        .collect();
    let block = world.block(&txs);
    let status: Vec<bool> = block
        .receipts
        .iter()
        .map(|receipt| receipt.success)
        .collect();
    assert_eq!(status, [false, false, true]);
    assert_eq!(block.receipts[2].cumulative_gas_used, block.header.gas_used);
    assert_eq!(
        block.receipts[1].cumulative_gas_used - block.receipts[0].cumulative_gas_used,
        300_000
    );
}

#[test]
fn refusals_speak_like_geth() {
    let a = who(1);
    refused_if(
        |tx| tx.nonce = 3,
        &format!("nonce too high: address {a}, tx: 3 state: 0"),
    );
    refused_if(
        |tx| tx.nonce = u64::MAX,
        &format!("nonce has max value: address {a}, nonce: 18446744073709551615"),
    );
    refused_if(
        |tx| tx.gas_limit = 21_799,
        "intrinsic gas too low: have 21799, want 21800",
    );
    refused_if(
        |tx| tx.max_fee_per_gas = 0,
        &format!(
            "max priority fee per gas higher than max fee per gas: address {a}, maxPriorityFeePerGas: 1000000000, maxFeePerGas: 0"
        ),
    );
    refused_if(
        |tx| (tx.max_fee_per_gas, tx.max_priority_fee_per_gas) = (GWEI - 1, 0),
        &format!(
            "max fee per gas less than block base fee: address {a}, maxFeePerGas: 999999999, baseFee: 1000000000"
        ),
    );
    refused_if(
        |tx| tx.value = U256::from(OPEN),
        &format!(
            "insufficient funds for gas * price + value: address {a} have 1000000000000000000 want 1000600000000000000"
        ),
    );
    refused_if(
        |tx| tx.value = U256::MAX,
        &format!(
            "insufficient funds for gas * price + value: address {a} have 0 want {}",
            U256::MAX
        ),
    );
    refused_if(
        |tx| tx.chain_id = 1,
        "invalid chain id for signer: have 1 want 902",
    );
    refused_if(
        |tx| tx.gas_limit = (1 << 24) + 1,
        "transaction gas limit too high (cap: 16777216, tx: 16777217)",
    );
    refused_if(|tx| tx.gas_limit = 60_000_001, "exceeds block gas limit");
    refused_if(
        |tx| (tx.to, tx.input, tx.gas_limit) = (TxKind::Create, vec![0; 49_153].into(), 10_000_000),
        "max initcode size exceeded: code size 49153 limit 49152",
    );
}

#[test]
fn a_used_nonce_is_refused() {
    let world = World::new(0).fund(who(1), OPEN);
    let error = world
        .run(&[transfer(who(9), 1, 0), transfer(who(9), 1, 0)])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "transaction 1: nonce too low: next nonce 1, tx nonce 0"
    );
}

#[test]
fn a_blob_transaction_is_refused() {
    let tx = TxEip4844 {
        chain_id: CHAIN_ID,
        gas_limit: 100_000,
        max_fee_per_gas: 2 * GWEI,
        max_fee_per_blob_gas: GWEI,
        to: who(9),
        blob_versioned_hashes: vec![B256::with_last_byte(1)],
        ..Default::default()
    };
    refused(
        checked(
            Transaction::Signed(tx.into_signed(signature()).into()),
            who(1),
        ),
        "transaction type not supported",
    );
}

#[test]
fn a_sender_with_code_is_refused() {
    let world = World::new(0).fund(who(1), OPEN).code(who(1), "0x00");
    let error = world.run(&[transfer(who(9), 1, 1)]).unwrap_err();
    assert_eq!(
        error,
        BlockError::Tx {
            index: 0,
            source: TxRejection::SenderNotEoa { address: who(1) }
        }
    );
}

#[test]
fn unprotected_transactions_follow_the_network() {
    let tx = || TxLegacy {
        gas_price: 2 * GWEI,
        gas_limit: 100_000,
        to: who(9).into(),
        ..Default::default()
    };
    let mut world = World::new(0).fund(who(1), OPEN);
    assert!(world.block(&[send(tx(), who(1))]).receipts[0].success);

    let strict = stf::RollupRules {
        allow_unprotected: false,
        ..rollup_rules()
    };
    let world = World::with_rules(strict, 0).fund(who(1), OPEN);
    let error = world.run(&[send(tx(), who(1))]).unwrap_err();
    assert_eq!(
        error,
        BlockError::Tx {
            index: 0,
            source: TxRejection::Unprotected
        }
    );
}

#[test]
fn a_full_block_takes_no_more() {
    let world = World::new(0).fund(who(1), OPEN).code(who(2), "0xfe");
    let hog = |nonce| {
        send(
            TxEip1559 {
                gas_limit: 1 << 24,
                ..dynamic(who(2).into(), nonce)
            },
            who(1),
        )
    };
    let error = world.run(&[hog(0), hog(1), hog(2), hog(3)]).unwrap_err();
    assert_eq!(
        error,
        BlockError::Tx {
            index: 3,
            source: TxRejection::GasLimitReached
        }
    );
}

/// A child that destroys itself towards itself, in the transaction that made it, takes its wei along (EIP-6780).
#[test]
fn only_a_self_destruct_towards_itself_burns() {
    let create = |init: &str| {
        let code = format!("0x61{init}6000526002601e6064f000");
        let mut world = World::new(0)
            .fund(who(1), OPEN)
            .fund(who(2), 1_000)
            .code(who(2), &code);
        let before = world.supply();
        let block = world
            .run(&[send(dynamic(who(2).into(), 0), who(1))])
            .unwrap();
        assert!(block.receipts[0].success);
        world.state.apply(&block.diff);
        before - world.supply()
    };
    assert_eq!(create("30ff"), U256::from(100)); // ADDRESS SELFDESTRUCT
    assert_eq!(create("33ff"), U256::ZERO); // CALLER SELFDESTRUCT
    assert_eq!(create("5fff"), U256::ZERO); // towards 0
    assert_eq!(create("3000"), U256::ZERO); // lives on
}

#[test]
fn a_delegated_account_still_sends() {
    let alice = PrivateKeySigner::from_bytes(&B256::repeat_byte(0x11)).unwrap();
    let bob = alice.address();
    let auth = Authorization {
        chain_id: U256::from(CHAIN_ID),
        address: who(2),
        nonce: 1,
    };
    let auth = auth
        .clone()
        .into_signed(alice.sign_hash_sync(&auth.signature_hash()).unwrap());
    let tx = TxEip7702 {
        chain_id: CHAIN_ID,
        gas_limit: 300_000,
        max_fee_per_gas: 2 * GWEI,
        to: bob,
        authorization_list: vec![auth],
        ..Default::default()
    };
    let delegate = checked(Transaction::Signed(tx.into_signed(signature()).into()), bob);
    // Its code runs in the delegating account: slot 0 becomes 1.
    let mut world = World::new(10)
        .fund(bob, OPEN)
        .code(who(2), "0x600160005500");
    let block = world.block(&[delegate, send(dynamic(who(9).into(), 2), bob)]);
    assert!(block.receipts.iter().all(|receipt| receipt.success));
    assert_eq!((world.slot(bob, 0), world.account(bob).nonce), (1, 3));
    assert_eq!(block.diff.codes.len(), 1);
}

#[test]
fn an_empty_authorization_list_is_refused() {
    let tx = TxEip7702 {
        chain_id: CHAIN_ID,
        gas_limit: 300_000,
        max_fee_per_gas: 2 * GWEI,
        to: who(9),
        ..Default::default()
    };
    let want = format!(
        "EIP-7702 transaction with empty auth list (sender {})",
        who(1)
    );
    refused(
        checked(
            Transaction::Signed(tx.into_signed(signature()).into()),
            who(1),
        ),
        &want,
    );
}

#[test]
fn what_ends_where_it_began_is_not_a_difference() {
    // Writes 1 to slot 0, and in the next call 0 again.
    let mut world = World::new(0)
        .fund(who(1), OPEN)
        .code(who(2), "0x5f54155f5500");
    let block = world.block(&[
        send(dynamic(who(2).into(), 0), who(1)),
        send(dynamic(who(2).into(), 1), who(1)),
    ]);
    assert!(
        block
            .diff
            .accounts
            .iter()
            .all(|account| account.address != who(2))
    );
    let block = world.block(&[send(dynamic(who(2).into(), 2), who(1))]);
    let contract = block
        .diff
        .accounts
        .iter()
        .find(|account| account.address == who(2))
        .unwrap();
    assert_eq!((contract.before, contract.slots.len()), (contract.after, 1));
}

#[test]
fn a_touched_empty_account_is_removed() {
    let mut world = World::new(0).fund(who(1), OPEN);
    world.state.set_account(who(9), Default::default());
    let block = world.block(&[transfer(who(9), 0, 0)]);
    let removed = block
        .diff
        .accounts
        .iter()
        .find(|account| account.address == who(9))
        .unwrap();
    assert_eq!((removed.before.is_some(), removed.after), (true, None));
}

#[test]
fn the_coinbase_is_the_tip_vault() {
    // COINBASE, PREVRANDAO, BLOBBASEFEE, NUMBER, TIMESTAMP to slots 0 to 4.
    let mut world = World::new(0).fund(who(1), OPEN).code(
        who(2),
        "0x415f5544600155 4a60025543600355426004 5500"
            .replace(' ', "")
            .as_str(),
    );
    world.block(&[send(dynamic(who(2).into(), 0), who(1))]);
    let word =
        |slot: u64| stf::StateReader::storage(&world.state, who(2), U256::from(slot)).unwrap();
    assert_eq!(
        Address::from_word(word(0).into()),
        primitives::predeploys::PRIORITY_FEE_VAULT
    );
    assert_eq!(B256::from(word(1)), B256::repeat_byte(0xaa));
    assert_eq!(
        [word(2), word(3), word(4)].map(|w| w.to::<u64>()),
        [1, 1, 1_001]
    );
}

#[test]
fn a_deposit_type_has_no_place_on_ethereum() {
    let rules = stf::EthereumRules::new(1, 30_000_000, config::L1Fork::Osaka, vec![]);
    let mut world = World::new(0);
    world.rules = Arc::new(Rules::Ethereum(rules));
    let error = world.run(&[world::deposit(|_| {})]).unwrap_err();
    assert_eq!(
        error,
        BlockError::Tx {
            index: 0,
            source: TxRejection::TypeNotSupported
        }
    );
}
