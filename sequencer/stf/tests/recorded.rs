//! Traces: they tell what happened, and what happens is the same with and without them.

mod world;

use alloy_consensus::{TxEip1559, TxEip2930};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use alloy_rpc_types_trace::{
    geth::{
        AccountState, CallConfig, CallFrame, DefaultFrame, DiffMode, FlatCallConfig,
        GethDebugBuiltInTracerType as Name, GethDefaultTracingOptions, GethTrace, PreStateConfig,
        PreStateFrame,
    },
    parity::{Delta, TraceResults, TraceType},
};
use primitives::{Account, CheckedTx, StateDiff, Transaction, TxDeposit};
use proptest::prelude::*;
use std::{collections::BTreeSet, sync::Arc};
use stf::{
    BlockExecutor, CallOverrides, CallRequest, ChangedState, MemoryState, StateReader, TxOutcome,
    trace::{Allowance, Calls, GethTracer, ParityTracer, Trace, TraceError, Tracer},
};
use world::{
    CHAIN_ID, OPEN, World, checked, deposit, dynamic,
    random::{begin, code, queued, sent, world},
    send, signature, who,
};

const PLENTY: u64 = 1 << 30;

fn never() -> bool {
    false
}

/// What `tracer` says of each transaction of a block after the world's.
fn traces<T: Tracer>(
    world: &World,
    txs: &[Arc<CheckedTx>],
    tracer: &T,
) -> (Vec<Trace<T>>, stf::ExecutedBlock) {
    let mut block = begin(world);
    let traces = txs
        .iter()
        .map(|tx| {
            let mut allowance = Allowance::new(PLENTY, &never);
            block.trace(tx, tracer, &mut allowance).unwrap()
        })
        .collect();
    (traces, block.finish().unwrap())
}

fn steps_of(world: &World, tx: Arc<CheckedTx>, options: GethDefaultTracingOptions) -> DefaultFrame {
    match traces(world, &[tx], &GethTracer::Steps(options)).0.pop() {
        Some(GethTrace::Default(frame)) => frame,
        other => panic!("{other:?}"),
    }
}

fn calls_of(world: &World, tx: Arc<CheckedTx>) -> CallFrame {
    let config = CallConfig::default().with_log();
    match traces(world, &[tx], &GethTracer::Calls(config)).0.pop() {
        Some(GethTrace::CallTracer(frame)) => frame,
        other => panic!("{other:?}"),
    }
}

/// All but steps and parity's forms, in one go.
fn several() -> GethTracer {
    let diff = PreStateConfig {
        diff_mode: Some(true),
        ..Default::default()
    };
    GethTracer::Several(vec![
        (
            Name::CallTracer,
            GethTracer::Calls(CallConfig::default().with_log()),
        ),
        (
            Name::FlatCallTracer,
            GethTracer::FlatCalls(FlatCallConfig::default()),
        ),
        (Name::PreStateTracer, GethTracer::Prestate(diff)),
        (Name::FourByteTracer, GethTracer::Selectors),
        (Name::NoopTracer, GethTracer::Nothing),
    ])
}

fn all_steps() -> GethTracer {
    let options = GethDefaultTracingOptions::default();
    GethTracer::Steps(options.enable_memory().enable_return_data())
}

fn all_of_parity() -> ParityTracer {
    ParityTracer::new([TraceType::Trace, TraceType::VmTrace, TraceType::StateDiff])
}

/// What each transaction does when nobody looks.
fn outcomes(world: &World, txs: &[Arc<CheckedTx>]) -> (Vec<TxOutcome>, stf::ExecutedBlock) {
    let mut block = begin(world);
    let outcomes = txs.iter().map(|tx| block.execute(tx).unwrap()).collect();
    (outcomes, block.finish().unwrap())
}

/// What the first `count` transactions change.
fn changes(world: &World, txs: &[Arc<CheckedTx>], count: usize) -> StateDiff {
    let mut block: BlockExecutor<&MemoryState> = begin(world);
    for tx in &txs[..count] {
        block.execute(tx).unwrap();
    }
    block.into_changes()
}

fn frames<'a>(call: &'a CallFrame, all: &mut Vec<&'a CallFrame>) {
    all.push(call);
    call.calls.iter().for_each(|inner| frames(inner, all));
}

fn check_steps(trace: &GethTrace, outcome: &TxOutcome) {
    let GethTrace::Default(frame) = trace else {
        panic!("{trace:?}")
    };
    assert_eq!(frame.gas, outcome.gas_used);
    assert_eq!(frame.failed, !outcome.success);
    assert_eq!(frame.return_value, outcome.output);
    assert!(frame.struct_logs.first().is_none_or(|log| log.depth == 1));
    let jumps = frame.struct_logs.windows(2);
    assert!(
        jumps
            .map(|pair| pair[0].depth.abs_diff(pair[1].depth))
            .all(|by| by <= 1)
    );
}

fn check_several(
    trace: GethTrace,
    outcome: &TxOutcome,
    logs: &[alloy_primitives::Log],
) -> DiffMode {
    let GethTrace::MuxTracer(mut mux) = trace else {
        panic!("{trace:?}")
    };
    let mut take = |name: Name| mux.0.remove(&name.into()).unwrap();
    let GethTrace::CallTracer(root) = take(Name::CallTracer) else {
        panic!("no calls")
    };
    assert_eq!(root.gas_used, U256::from(outcome.gas_used));
    assert_eq!(root.error.is_none(), outcome.success);
    assert_eq!(root.output.clone().unwrap_or_default(), outcome.output);
    let mut all = Vec::new();
    frames(&root, &mut all);
    let mut seen: Vec<_> = all.iter().flat_map(|frame| frame.logs.clone()).collect();
    seen.sort_by_key(|log| log.index);
    let seen: Vec<_> = seen.into_iter().map(|log| log.into_log()).collect();
    assert_eq!(seen, logs);

    let GethTrace::FlatCallTracer(list) = take(Name::FlatCallTracer) else {
        panic!("no list")
    };
    assert_eq!(list.len(), all.len());
    let first = &list[0].trace;
    assert_eq!(first.error, root.error);
    if let Some(result) = &first.result {
        assert_eq!(result.gas_used(), outcome.gas_used);
        assert_eq!(result.output(), &outcome.output);
    }
    let GethTrace::PreStateTracer(PreStateFrame::Diff(diff)) = take(Name::PreStateTracer) else {
        panic!("no difference")
    };
    diff
}

fn code_of(state: &impl StateReader, account: Account) -> Option<Bytes> {
    let code = state.code(account.code_hash).unwrap_or_default();
    (!code.is_empty()).then_some(code)
}

/// `before` and what was shown to change give `after`, and nothing is shown that did not change.
fn check_account(
    address: Address,
    (before, after): (&impl StateReader, &impl StateReader),
    slots: &BTreeSet<U256>,
    diff: &DiffMode,
) {
    let (was, is) = (
        before.account(address).unwrap(),
        after.account(address).unwrap(),
    );
    let changed: Vec<(U256, U256, U256)> = slots
        .iter()
        .map(|slot| {
            let was = before.storage(address, *slot).unwrap();
            (*slot, was, after.storage(address, *slot).unwrap())
        })
        .filter(|(_, was, is)| was != is)
        .collect();
    let (pre, post) = (diff.pre.get(&address), diff.post.get(&address));
    if was == is && changed.is_empty() {
        assert_eq!((pre, post), (None, None), "{address} did not change");
        return;
    }
    let nonzero = |side: fn(&(U256, U256, U256)) -> U256| {
        let slots = changed.iter().map(move |c| (B256::from(c.0), side(c)));
        let there = slots.filter(|(_, value)| !value.is_zero());
        there
            .map(|(slot, value)| (slot, B256::from(value)))
            .collect()
    };
    match was {
        Some(was) => {
            let mut want =
                AccountState::from_account_info(was.nonce, was.balance, code_of(before, was));
            if is.is_some() {
                want.storage = nonzero(|c| c.1);
                assert_eq!(pre, Some(&want), "{address}");
            } else {
                let pre = pre.unwrap();
                assert_eq!((pre.balance, pre.nonce), (want.balance, want.nonce));
            }
        }
        None => {
            let nothing = AccountState::from_account_info(0, U256::ZERO, None);
            assert!(pre.is_none_or(|pre| *pre == nothing), "{address}: {pre:?}");
        }
    }
    match is {
        Some(is) => {
            let was = was.unwrap_or_default();
            let post = post.unwrap();
            let nonce = (is.nonce != was.nonce).then_some(is.nonce);
            let balance = (is.balance != was.balance).then_some(is.balance);
            assert_eq!((post.nonce, post.balance), (nonce, balance), "{address}");
            let code = (is.code_hash != was.code_hash).then(|| code_of(after, is));
            assert_eq!(post.code, code.flatten(), "{address}");
            assert_eq!(post.storage, nonzero(|c| c.2), "{address}");
        }
        None => assert_eq!(post, None, "{address} is gone"),
    }
}

fn check_changes(world: &World, (earlier, later): (&StateDiff, &StateDiff), diff: &DiffMode) {
    let before = ChangedState::new(&world.state, earlier);
    let after = ChangedState::new(&world.state, later);
    let both = || earlier.accounts.iter().chain(&later.accounts);
    let addresses: BTreeSet<Address> = both()
        .map(|account| account.address)
        .chain(diff.pre.keys().chain(diff.post.keys()).copied())
        .collect();
    for address in addresses {
        let slots = both().filter(|account| account.address == address);
        let slots = slots.flat_map(|account| account.slots.iter().map(|slot| slot.slot));
        check_account(address, (&before, &after), &slots.collect(), diff);
    }
}

fn check_parity(trace: &TraceResults, outcome: &TxOutcome, diff: &DiffMode) {
    let first = &trace.trace[0];
    assert_eq!(first.error.is_none(), outcome.success);
    assert_eq!(trace.output, outcome.output);
    assert!(trace.vm_trace.is_some());
    let shown = trace.state_diff.as_ref().unwrap();
    for (address, post) in &diff.post {
        let change = &shown.0[address];
        match (&change.balance, post.balance) {
            (Delta::Unchanged, None) => {}
            (Delta::Changed(change), Some(balance)) => assert_eq!(change.to, balance),
            (Delta::Added(now), balance) => assert_eq!(*now, balance.unwrap_or_default()),
            other => panic!("{address}: {other:?}"),
        }
    }
    for address in shown.0.keys() {
        assert!(
            diff.pre.contains_key(address) || diff.post.contains_key(address),
            "{address} did not change"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn traces_agree_with_receipts_and_change_nothing(
        codes in prop::collection::vec(code(), 4),
        deposits in prop::collection::vec(queued(), 0..4),
        sent in prop::collection::vec(sent(), 0..8),
        r in 0u64..20,
    ) {
        let world = world(&codes, r);
        let mut txs: Vec<_> = deposits.iter().map(|queued| queued.tx()).collect();
        let mut block = begin(&world);
        for tx in &txs {
            block.execute(tx).unwrap();
        }
        let mut nonces: Vec<u64> = (0..5)
            .map(|n| deposits.iter().filter(|queued| queued.from == n).count() as u64)
            .collect();
        for sent in &sent {
            let nonce = &mut nonces[usize::from(sent.sender)];
            let tx = send(sent.tx(*nonce), who(sent.sender));
            if block.execute(&tx).is_ok() {
                *nonce += 1;
                txs.push(tx);
            }
        }
        drop(block);
        let (outcomes, unseen) = outcomes(&world, &txs);
        let (steps, by_steps) = traces(&world, &txs, &all_steps());
        let (all, by_all) = traces(&world, &txs, &several());
        let (parity, by_parity) = traces(&world, &txs, &all_of_parity());
        prop_assert_eq!(&by_steps, &unseen);
        prop_assert_eq!(&by_all, &unseen);
        prop_assert_eq!(&by_parity, &unseen);
        let mut earlier = changes(&world, &txs, 0);
        for (index, trace) in all.into_iter().enumerate() {
            check_steps(&steps[index], &outcomes[index]);
            let diff = check_several(trace, &outcomes[index], &unseen.receipts[index].logs);
            let later = changes(&world, &txs, index + 1);
            check_changes(&world, (&earlier, &later), &diff);
            check_parity(&parity[index], &outcomes[index], &diff);
            earlier = later;
        }
    }

    #[test]
    fn a_small_allowance_ends_a_trace_and_never_panics(
        codes in prop::collection::vec(code(), 4),
        sent in sent(),
        bytes in 0u64..20_000,
    ) {
        let world = world(&codes, 1);
        let tx = send(sent.tx(0), who(sent.sender));
        prop_assume!(begin(&world).execute(&tx).is_ok());
        for tracer in [all_steps(), several()] {
            let mut allowance = Allowance::new(bytes, &never);
            match begin(&world).trace(&tx, &tracer, &mut allowance) {
                Ok(_) => {}
                Err(error) => prop_assert_eq!(error, TraceError::TooLarge { max: bytes }),
            }
        }
    }

    #[test]
    fn a_recorded_call_is_the_call(codes in prop::collection::vec(code(), 4), sent in sent(), r in 0u64..20) {
        let world = world(&codes, r);
        let tx = sent.tx(0);
        let request = CallRequest {
            from: who(sent.sender),
            to: tx.to.into_to(),
            gas_limit: Some(tx.gas_limit),
            value: tx.value,
            input: tx.input,
            ..CallRequest::default()
        };
        let overrides = CallOverrides::default();
        let plain = stf::call(&world.rules, &world.parent, &world.state, &request, &overrides);
        let mut calls = Calls::new(&world.rules, &world.parent, &world.state, &overrides).unwrap();
        let recorded = calls.trace(&request, &all_steps(), &mut Allowance::new(PLENTY, &never));
        match (plain, recorded) {
            (Ok(plain), Ok(GethTrace::Default(frame))) => {
                prop_assert_eq!(frame.gas, plain.gas_used);
                prop_assert_eq!(frame.failed, !plain.success);
                prop_assert_eq!(frame.return_value, plain.output);
            }
            (Err(plain), Err(TraceError::Rejected(recorded))) => prop_assert_eq!(plain, recorded),
            (plain, recorded) => prop_assert!(false, "{plain:?} {recorded:?}"),
        }
    }
}

const LOOP: &str = "0x5b600056";

fn to(n: u8) -> Arc<CheckedTx> {
    send(dynamic(who(n).into(), 0), who(1))
}

/// `code` at account 2, called by account 1.
fn with_code(code: &str) -> World {
    World::new(10).fund(who(1), OPEN).code(who(2), code)
}

#[test]
fn an_endless_loop_ends_with_the_allowance() {
    let world = with_code(LOOP);
    let tracer = GethTracer::Steps(GethDefaultTracingOptions::default());
    let error = begin(&world)
        .trace(&to(2), &tracer, &mut Allowance::new(10_000, &never))
        .unwrap_err();
    assert_eq!(error, TraceError::TooLarge { max: 10_000 });
}

#[test]
fn an_endless_loop_ends_with_patience() {
    let world = with_code(LOOP);
    let asked = std::cell::Cell::new(0);
    let given_up = || asked.replace(asked.get() + 1) >= 3;
    let error = begin(&world)
        .trace(
            &to(2),
            &GethTracer::Nothing,
            &mut Allowance::new(PLENTY, &given_up),
        )
        .unwrap_err();
    assert_eq!(error, TraceError::GivenUp);
}

#[test]
fn memory_in_every_step_is_counted() {
    // Grows memory to 64 KiB, then loops.
    let world = with_code("0x5f61ffff535b600556");
    let options = GethDefaultTracingOptions::default().enable_memory();
    let error = begin(&world)
        .trace(
            &to(2),
            &GethTracer::Steps(options),
            &mut Allowance::new(1 << 20, &never),
        )
        .unwrap_err();
    assert_eq!(error, TraceError::TooLarge { max: 1 << 20 });
}

fn failed_deposit(change: impl FnOnce(&mut TxDeposit), want: &str) {
    let world = World::new(10).code(who(2), "0x00");
    let tx = deposit(change);
    let root = calls_of(&world, tx.clone());
    let gas = U256::from(tx.tx.as_deposit().unwrap().gas_limit);
    assert_eq!((root.gas, root.gas_used), (gas, gas));
    assert_eq!(root.error.as_deref(), Some(want));
    assert!(root.calls.is_empty());
    assert_eq!(root.from, who(1));
    let frame = steps_of(&world, tx.clone(), GethDefaultTracingOptions::default());
    assert!(frame.failed && frame.struct_logs.is_empty());
    let diff = PreStateConfig {
        diff_mode: Some(true),
        ..Default::default()
    };
    let (trace, _) = traces(&world, &[tx], &GethTracer::Prestate(diff));
    let GethTrace::PreStateTracer(PreStateFrame::Diff(diff)) = &trace[0] else {
        panic!("{trace:?}")
    };
    let post = &diff.post[&who(1)];
    assert_eq!(
        (post.balance, post.nonce),
        (Some(U256::from(OPEN)), Some(1))
    );
}

#[test]
fn a_deposit_that_cannot_start_shows_why_and_what_stays() {
    failed_deposit(
        |d| d.value = U256::from(OPEN + 1),
        "insufficient balance for transfer",
    );
    failed_deposit(|d| d.gas_limit = 20_999, "out of gas");
    failed_deposit(
        |d| (d.to, d.input, d.gas_limit) = (TxKind::Create, vec![0; 50_000].into(), 9_000_000),
        "max initcode size exceeded",
    );
}

#[test]
fn an_end_without_wei_names_contract_and_heir() {
    let world = with_code("0x33ff");
    let root = calls_of(&world, to(2));
    let end = &root.calls[0];
    assert_eq!(
        (end.typ.as_str(), end.from, end.to, end.value),
        ("SELFDESTRUCT", who(2), Some(who(1)), Some(U256::ZERO))
    );
}

#[test]
fn an_end_with_wei_shows_them() {
    let world = with_code("0x33ff").fund(who(2), 5);
    let end = &calls_of(&world, to(2)).calls[0];
    assert_eq!(end.value, Some(U256::from(5)));
}

#[test]
fn logs_of_a_failed_transaction_are_not_shown() {
    let world = with_code("0x5f5fa05f5ffd");
    let root = calls_of(&world, to(2));
    assert_eq!(root.error.as_deref(), Some("execution reverted"));
    assert!(root.logs.is_empty());
}

#[test]
fn storage_shows_slots_that_were_warm_already() {
    let world = with_code("0x60075400");
    let tx = TxEip2930 {
        chain_id: CHAIN_ID,
        gas_price: 2 * world::GWEI,
        gas_limit: 100_000,
        to: who(2).into(),
        access_list: AccessList(vec![AccessListItem {
            address: who(2),
            storage_keys: vec![U256::from(7).into()],
        }]),
        ..Default::default()
    };
    let envelope = alloy_consensus::SignableTransaction::into_signed(tx, signature());
    let tx = checked(Transaction::Signed(envelope.into()), who(1));
    let frame = steps_of(&world, tx, GethDefaultTracingOptions::default());
    let shown = frame.struct_logs[1].storage.clone().unwrap();
    assert_eq!(shown[&B256::from(U256::from(7))], B256::ZERO);
    assert!(frame.struct_logs[0].storage.is_none());
}

#[test]
fn the_refund_counter_goes_on_in_inner_calls() {
    // Clears slot 0, then calls account 3, which clears its own.
    let call = format!(
        "5f5f5f5f5f73{}5af100",
        alloy_primitives::hex::encode(who(3))
    );
    let mut world = with_code(&format!("0x5f5f55{call}")).code(who(3), "0x5f5f5500");
    for n in [2, 3] {
        world.state.set_storage(who(n), U256::ZERO, U256::from(1));
    }
    let frame = steps_of(&world, to(2), GethDefaultTracingOptions::default());
    let refund = |pc: u64, depth: u64| {
        let mut steps = frame.struct_logs.iter();
        let step = steps.find(|log| log.pc == pc && log.depth == depth);
        step.unwrap().refund_counter
    };
    assert_eq!(refund(2, 1), None);
    assert_eq!(refund(3, 1), Some(4_800));
    assert_eq!(refund(0, 2), Some(4_800));
    assert_eq!(refund(3, 2), Some(9_600));
    assert_eq!(
        frame.struct_logs.last().unwrap().refund_counter,
        Some(9_600)
    );
}

#[test]
fn steps_stop_at_their_limit_and_the_rest_still_runs() {
    let world = with_code("0x60016000555f5f5500");
    let all = steps_of(&world, to(2), GethDefaultTracingOptions::default());
    let some = steps_of(
        &world,
        to(2),
        GethDefaultTracingOptions::default().with_limit(2),
    );
    assert_eq!((all.struct_logs.len(), some.struct_logs.len()), (7, 2));
    assert_eq!(all.gas, some.gas);
}

#[test]
fn a_step_that_fails_says_why() {
    for (code, op, why) in [
        ("0x01", "ADD", "stack underflow"),
        ("0x0c", "opcode 0xc not defined", "invalid opcode"),
        ("0xfe", "INVALID", "invalid opcode: INVALID"),
        ("0x600556", "JUMP", "invalid jump destination"),
    ] {
        let frame = steps_of(
            &with_code(code),
            to(2),
            GethDefaultTracingOptions::default(),
        );
        let last = frame.struct_logs.last().unwrap();
        assert_eq!((&*last.op, last.error.as_deref()), (op, Some(why)));
    }
}

#[test]
fn each_call_sees_what_those_before_it_wrote() {
    // Adds one to slot 0 and returns it.
    let world = with_code("0x5f546001018060005560005260206000f3");
    let request = CallRequest {
        from: who(1),
        to: Some(who(2)),
        gas_limit: Some(100_000),
        ..CallRequest::default()
    };
    let overrides = CallOverrides::default();
    let mut calls = Calls::new(&world.rules, &world.parent, &world.state, &overrides).unwrap();
    for want in 1..4u64 {
        let trace = calls
            .trace(
                &request,
                &ParityTracer::calls(),
                &mut Allowance::new(PLENTY, &never),
            )
            .unwrap();
        assert_eq!(U256::from_be_slice(&trace.output), U256::from(want));
    }
}

#[test]
fn selectors_are_counted_with_their_size() {
    let world = with_code("0x00");
    let tx = TxEip1559 {
        input: vec![1, 2, 3, 4, 5, 6].into(),
        ..dynamic(who(2).into(), 0)
    };
    let (trace, _) = traces(&world, &[send(tx, who(1))], &GethTracer::Selectors);
    let GethTrace::FourByteTracer(found) = &trace[0] else {
        panic!("{trace:?}")
    };
    assert_eq!(found.0.get("0x01020304-2"), Some(&1));
    assert_eq!(found.0.len(), 1);
}
