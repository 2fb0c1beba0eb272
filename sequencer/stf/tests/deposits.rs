//! What becomes of deposits. Whatever happens to one, it has minted.

mod world;

use alloy_primitives::{Address, TxKind, U256, address, bytes};
use primitives::TxDeposit;
use stf::{BlockError, TxRejection};
use world::{OPEN, World, deposit, transfer, who};

/// Writes 1 to slot 0, logs, then reverts if it got wei.
const RECEIVER: &str = "0x600160005560206000a034600f57005b60006000fd";
const INFINITE_LOOP: &str = "0x5b600056";

/// A deposit of 1 OPEN from `who(1)` in a world with `RECEIVER` at `who(2)`: what it did, and the nonce and balance after.
fn check(
    change: impl FnOnce(&mut TxDeposit),
    success: bool,
    gas_used: u64,
    nonce: u64,
    balance: u128,
) {
    let mut world = World::new(100)
        .code(who(2), RECEIVER)
        .code(who(3), INFINITE_LOOP);
    let block = world.block(&[deposit(change)]);
    let account = world.account(who(1));
    assert_eq!(
        (
            block.receipts[0].success,
            block.header.gas_used,
            account.nonce,
            account.balance
        ),
        (success, gas_used, nonce, U256::from(balance))
    );
    assert_eq!(
        world.slot(who(2), 0) == 1,
        success && world.slot(who(2), 0) == 1
    );
    assert_eq!(world.vaults(), [0, 0, 0]);
    assert_eq!(world.l1_info().queue_consumed, 4);
}

#[test]
fn a_call_runs_and_pays_no_fee() {
    // 21000, five pushes, a fresh slot, a log of one word of new memory, CALLVALUE, JUMPI
    check(
        |_| {},
        true,
        21_000 + 5 * 3 + 22_100 + 375 + 8 * 32 + 3 + 2 + 10,
        1,
        OPEN,
    );
}

#[test]
fn its_writes_and_logs_stay() {
    let mut world = World::new(0).code(who(2), RECEIVER);
    let block = world.block(&[deposit(|_| {})]);
    assert_eq!(
        (
            world.slot(who(2), 0),
            block.receipts[0].logs.len(),
            block.receipts[0].tx_type
        ),
        (1, 1, 0x7e)
    );
}

#[test]
fn value_arrives() {
    check(
        |d| (d.to, d.value) = (TxKind::Call(who(9)), U256::from(5)),
        true,
        21_000,
        1,
        OPEN - 5,
    );
}

#[test]
fn a_revert_keeps_the_mint_and_gives_its_gas_back() {
    let mut world = World::new(0).code(who(2), RECEIVER);
    let block = world.block(&[deposit(|d| d.value = U256::from(1))]);
    assert!(!block.receipts[0].success);
    assert!(block.receipts[0].logs.is_empty());
    assert!(block.header.gas_used < 100_000);
    assert_eq!(
        (world.account(who(1)).nonce, world.balance(who(1))),
        (1, OPEN)
    );
    assert_eq!(world.slot(who(2), 0), 0);
}

#[test]
fn running_out_of_gas_keeps_the_mint() {
    check(|d| d.to = TxKind::Call(who(3)), false, 100_000, 1, OPEN);
}

#[test]
fn too_little_gas_to_start_keeps_the_mint() {
    check(|d| d.gas_limit = 20_999, false, 20_999, 1, OPEN);
    check(|d| d.gas_limit = 0, false, 0, 1, OPEN);
}

#[test]
fn below_the_calldata_floor_keeps_the_mint() {
    check(
        |d| (d.gas_limit, d.input) = (22_000, vec![1; 100].into()),
        false,
        22_000,
        1,
        OPEN,
    );
}

#[test]
fn value_above_the_balance_keeps_the_mint() {
    check(|d| d.value = U256::from(OPEN + 1), false, 100_000, 1, OPEN);
    check(|d| d.value = U256::MAX, false, 100_000, 1, OPEN);
    check(
        |d| (d.value, d.to) = (U256::MAX, TxKind::Create),
        false,
        100_000,
        1,
        OPEN,
    );
}

#[test]
fn a_huge_initcode_keeps_the_mint() {
    check(
        |d| (d.to, d.gas_limit, d.input) = (TxKind::Create, 30_000_000, vec![0; 49_153].into()),
        false,
        30_000_000,
        1,
        OPEN,
    );
}

#[test]
fn a_creation_over_existing_code_keeps_the_mint() {
    let mut world = World::new(0).code(who(1).create(0), "0x00");
    let block = world.block(&[deposit(|d| d.to = TxKind::Create)]);
    assert_eq!(
        (block.receipts[0].success, block.header.gas_used),
        (false, 100_000)
    );
    assert_eq!(
        (world.account(who(1)).nonce, world.balance(who(1))),
        (1, OPEN)
    );
}

#[test]
fn a_creation_deploys() {
    let mut world = World::new(0);
    // Returns the one byte 0x00 as runtime code.
    let block = world.block(&[deposit(|d| {
        (d.to, d.input) = (TxKind::Create, bytes!("60016000f3"))
    })]);
    assert!(block.receipts[0].success);
    assert_eq!(world.account(who(1)).nonce, 1);
    assert_eq!(
        block.diff.codes,
        [(alloy_primitives::keccak256([0]), bytes!("00"))]
    );
}

#[test]
fn precompiles_and_the_zero_address_are_targets_like_others() {
    check(
        |d| (d.to, d.value) = (TxKind::Call(Address::ZERO), U256::from(5)),
        true,
        21_000,
        1,
        OPEN - 5,
    );
    let identity = address!("0000000000000000000000000000000000000004");
    check(
        |d| (d.to, d.value) = (TxKind::Call(identity), U256::from(5)),
        true,
        21_015,
        1,
        OPEN - 5,
    );
    let pairing = address!("0000000000000000000000000000000000000008");
    check(
        |d| (d.to, d.input) = (TxKind::Call(pairing), bytes!("01")),
        false,
        100_000,
        1,
        OPEN,
    );
}

#[test]
fn more_gas_than_a_signed_transaction_may_have_is_fine() {
    let mut world = World::new(0).code(who(3), INFINITE_LOOP);
    let block = world.block(&[deposit(|d| {
        (d.to, d.gas_limit) = (TxKind::Call(who(3)), 50_000_000)
    })]);
    assert_eq!(block.header.gas_used, 50_000_000);
}

#[test]
fn an_exhausted_nonce_keeps_the_mint() {
    let mut world = World::new(0);
    world.state.set_account(
        who(1),
        primitives::Account {
            nonce: u64::MAX,
            ..Default::default()
        },
    );
    let block = world.block(&[deposit(|_| {})]);
    assert!(!block.receipts[0].success);
    assert_eq!(
        (world.account(who(1)).nonce, world.balance(who(1))),
        (u64::MAX, OPEN)
    );
}

#[test]
fn a_sender_with_code_may_deposit() {
    let mut world = World::new(0).code(who(1), "0x00");
    assert!(world.block(&[deposit(|_| {})]).receipts[0].success);
    assert_eq!(world.account(who(1)).nonce, 2);
}

#[test]
fn minted_wei_can_be_spent_in_the_same_block() {
    let mut world = World::new(0);
    let block = world.block(&[deposit(|_| {}), transfer(who(9), 5, 1)]);
    assert!(block.receipts.iter().all(|receipt| receipt.success));
    assert_eq!(world.balance(who(9)), 5);
}

#[test]
fn a_deposit_to_nobody_of_nothing_leaves_only_the_nonce() {
    let mut world = World::new(0);
    let block = world.block(&[deposit(|d| d.mint = 0)]);
    let changed: Vec<Address> = block.diff.accounts.iter().map(|a| a.address).collect();
    assert_eq!(changed, [who(1), primitives::predeploys::L1_INFO]);
}

#[test]
fn a_deposit_after_a_signed_transaction_is_refused() {
    let world = World::new(0).fund(who(1), OPEN);
    let error = world
        .run(&[transfer(who(9), 5, 0), deposit(|_| {})])
        .unwrap_err();
    assert_eq!(
        error,
        BlockError::Tx {
            index: 1,
            source: TxRejection::DepositAfterSigned
        }
    );
}

#[test]
fn a_deposit_is_refused_only_where_the_block_has_no_gas_left() {
    let world = World::new(0).code(who(3), INFINITE_LOOP);
    let hog = || deposit(|d| (d.to, d.gas_limit) = (TxKind::Call(who(3)), 30_000_001));
    let error = world.run(&[hog(), hog()]).unwrap_err();
    assert_eq!(
        error,
        BlockError::Tx {
            index: 1,
            source: TxRejection::GasLimitReached
        }
    );
}
