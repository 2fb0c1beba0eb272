//! `eth_call` and `eth_createAccessList`.

mod world;

use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{B256, Bytes, U256, bytes};
use stf::{
    AccountOverride, BlockOverrides, CallOutcome, CallOverrides, CallRequest, TxRejection,
    access_list, call,
};
use world::{GWEI, OPEN, World, who};

fn run(
    world: &World,
    request: CallRequest,
    overrides: CallOverrides,
) -> Result<CallOutcome, TxRejection> {
    call(
        &world.rules,
        &world.parent,
        &world.state,
        &request,
        &overrides,
    )
}

fn to(n: u8) -> CallRequest {
    CallRequest {
        from: who(1),
        to: Some(who(n)),
        ..Default::default()
    }
}

/// What the code in `who(2)` returns, as a number.
fn returned(code: &str, request: CallRequest, overrides: CallOverrides) -> u64 {
    let world = World::new(0).fund(who(1), OPEN).code(who(2), code);
    U256::from_be_slice(&run(&world, request, overrides).unwrap().output).to()
}

/// Returns the word on the stack.
fn returns(code: &str) -> String {
    format!("0x{code}5f5260205ff3")
}

fn account(change: AccountOverride) -> CallOverrides {
    CallOverrides {
        accounts: [(who(2), change)].into(),
        ..Default::default()
    }
}

fn block(block: BlockOverrides) -> CallOverrides {
    CallOverrides {
        block,
        ..Default::default()
    }
}

#[test]
fn a_poor_sender_may_ask() {
    let world = World::new(10);
    let outcome = run(&world, to(9), Default::default()).unwrap();
    assert_eq!(
        (outcome.success, outcome.gas_used),
        (true, 21_000 + 10 * 80)
    );
}

#[test]
fn a_poor_sender_cannot_promise_value() {
    let request = CallRequest {
        value: U256::from(5),
        ..to(9)
    };
    let error = run(&World::new(0), request, Default::default()).unwrap_err();
    let want = format!(
        "insufficient funds for gas * price + value: address {} have 0 want 5",
        who(1)
    );
    assert_eq!(error.to_string(), want);
}

#[test]
fn a_named_price_must_be_affordable_and_above_the_base_fee() {
    let world = World::new(0).fund(who(1), 1_000);
    let request = |gas_price| CallRequest {
        gas_price: Some(gas_price),
        gas_limit: Some(50_000),
        ..to(9)
    };
    let error = run(&world, request(GWEI), Default::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("insufficient funds for gas * price + value"),
        "{error}"
    );
    let error = run(&world, request(GWEI - 1), Default::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("max fee per gas less than block base fee"),
        "{error}"
    );
}

#[test]
fn any_nonce_any_sender_any_gas() {
    let world = World::new(0).code(who(1), "0x00");
    let request = CallRequest {
        nonce: Some(77),
        gas_limit: Some(1 << 40),
        ..to(9)
    };
    assert!(run(&world, request, Default::default()).unwrap().success);
}

#[test]
fn too_little_gas_is_named() {
    let request = CallRequest {
        gas_limit: Some(20_000),
        ..to(9)
    };
    let error = run(&World::new(0), request, Default::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "intrinsic gas too low: have 20000, want 21000"
    );
}

#[test]
fn a_revert_hands_out_its_reason_and_a_halt_its_name() {
    let world = World::new(0)
        .code(who(2), "0x60aa5f5260205ffd")
        .code(who(3), "0xfe")
        .code(who(4), "0x5b5f56");
    let revert = run(&world, to(2), Default::default()).unwrap();
    assert_eq!(
        (revert.success, revert.halt, revert.output.last()),
        (false, None, Some(&0xaa))
    );
    let halt = |n| {
        run(
            &world,
            CallRequest {
                gas_limit: Some(100_000),
                ..to(n)
            },
            Default::default(),
        )
        .unwrap()
        .halt
    };
    assert_eq!(halt(3).as_deref(), Some("invalid opcode: INVALID"));
    assert_eq!(halt(4).as_deref(), Some("out of gas"));
}

#[test]
fn the_base_fee_counts_as_zero_without_a_price() {
    assert_eq!(returned(&returns("48"), to(2), Default::default()), 0);
    let priced = CallRequest {
        max_fee: Some(2 * GWEI),
        gas_limit: Some(100_000),
        ..to(2)
    };
    assert_eq!(
        returned(&returns("48"), priced, Default::default()),
        GWEI as u64
    );
}

#[test]
fn an_account_may_be_imagined() {
    let imagined = AccountOverride {
        balance: Some(U256::from(3)),
        ..Default::default()
    };
    assert_eq!(returned(&returns("47"), to(2), account(imagined)), 3);
    let code: Bytes = returns("602a").parse().unwrap();
    let imagined = AccountOverride {
        code: Some(code),
        ..Default::default()
    };
    assert_eq!(returned("0xfe", to(2), account(imagined)), 42);
}

#[test]
fn storage_may_be_imagined_in_part_or_whole() {
    let world = || {
        let mut world = World::new(0).code(who(2), &returns("5f54600154600a0201"));
        world.state.set_storage(who(2), U256::ZERO, U256::from(1));
        world
            .state
            .set_storage(who(2), U256::from(1), U256::from(2));
        world
    };
    let value = |change| {
        U256::from_be_slice(&run(&world(), to(2), account(change)).unwrap().output).to::<u64>()
    };
    let slot = |n: u64| (U256::ZERO, U256::from(n));
    assert_eq!(value(AccountOverride::default()), 21);
    assert_eq!(
        value(AccountOverride {
            state_diff: [slot(7)].into(),
            ..Default::default()
        }),
        27
    );
    assert_eq!(
        value(AccountOverride {
            state: Some([slot(7)].into()),
            ..Default::default()
        }),
        7
    );
}

#[test]
fn the_block_may_be_imagined() {
    assert_eq!(
        returned(
            &returns("43"),
            to(2),
            block(BlockOverrides {
                number: Some(U256::from(9)),
                ..Default::default()
            })
        ),
        9
    );
    assert_eq!(
        returned(
            &returns("42"),
            to(2),
            block(BlockOverrides {
                time: Some(U256::from(9)),
                ..Default::default()
            })
        ),
        9
    );
    assert_eq!(
        returned(
            &returns("44"),
            to(2),
            block(BlockOverrides {
                prev_randao: Some(B256::with_last_byte(9)),
                ..Default::default()
            })
        ),
        9
    );
    assert_eq!(
        returned(
            &returns("45"),
            to(2),
            block(BlockOverrides {
                gas_limit: Some(90_000),
                ..Default::default()
            })
        ),
        90_000
    );
}

#[test]
fn a_creation_returns_its_runtime_code() {
    let request = CallRequest {
        from: who(1),
        input: bytes!("60016000f3"),
        ..Default::default()
    };
    let outcome = run(&World::new(0), request, Default::default()).unwrap();
    assert_eq!((outcome.success, outcome.output), (true, bytes!("00")));
}

#[test]
fn the_access_list_names_what_is_touched_beyond_sender_and_target() {
    // Reads slot 3, then calls who(9) and reads the balance of who(8).
    let code = format!(
        "0x60035450 5f5f5f5f5f73{}5af150 73{}3150 00",
        "09".repeat(20),
        "08".repeat(20)
    )
    .replace(' ', "");
    let mut world = World::new(0)
        .fund(who(1), OPEN)
        .code(who(2), &code)
        .code(who(9), "0x6001545000");
    world
        .state
        .set_storage(who(9), U256::from(1), U256::from(5));
    let (list, outcome) = access_list(
        &world.rules,
        &world.parent,
        &world.state,
        &to(2),
        &Default::default(),
    )
    .unwrap();
    let item = |n: u8, slots: &[u8]| AccessListItem {
        address: who(n),
        storage_keys: slots
            .iter()
            .map(|slot| B256::with_last_byte(*slot))
            .collect(),
    };
    assert_eq!(
        list,
        AccessList(vec![item(2, &[3]), item(8, &[]), item(9, &[1])])
    );
    assert!(outcome.success);
    let again = run(
        &world,
        CallRequest {
            access_list: list,
            ..to(2)
        },
        Default::default(),
    )
    .unwrap();
    assert_eq!(again.gas_used, outcome.gas_used);
}

#[test]
fn a_call_uses_the_gas_that_the_transaction_will_use() {
    let mut world = World::new(25)
        .fund(who(1), OPEN)
        .code(who(2), "0x600160005500");
    let request = CallRequest {
        input: bytes!("00112233"),
        gas_limit: Some(300_000),
        ..to(2)
    };
    let outcome = run(&world, request.clone(), Default::default()).unwrap();
    let tx = alloy_consensus::TxEip1559 {
        input: request.input,
        ..world::dynamic(who(2).into(), 0)
    };
    assert_eq!(
        world.block(&[world::send(tx, who(1))]).header.gas_used,
        outcome.gas_used
    );
}
