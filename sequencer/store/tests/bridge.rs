//! What L1 says of the bridge is kept, found and forgotten as L1 does; withdrawals are found by hash.

mod support;

use alloy_primitives::{Address, B256, Bytes, TxKind, U256, bytes, keccak256};
use primitives::{
    Anchor, BlockInput, CheckedTx, TxDeposit,
    predeploys::MESSAGE_PASSER,
    withdrawal::{MESSAGE_PASSED, Withdrawal, sent_slot},
};
use std::sync::Arc;
use store::{
    BlockMeta, DepositInfo, L1Event, L1Note, L1Said, OutputInfo, Store, WithdrawalPlace,
    WithdrawalProof, check_on,
};
use support::{Machine, execute_next, open_rollup};

/// Notes the eighth word of the calldata in `sentMessages`; logs the first four as topics and the rest as data.
const PASSER: Bytes =
    bytes!("60e0355f52600160405f20556060356040356020355f35608036038060805f375fa400");

fn open(machine: &Machine) -> Arc<Store> {
    open_rollup(machine, PASSER)
}

fn withdrawal(n: u64) -> Withdrawal {
    Withdrawal {
        nonce: U256::from(n),
        sender: Address::repeat_byte(1),
        target: Address::repeat_byte(2),
        value: U256::ZERO,
        gas_limit: U256::ZERO,
        data: Bytes::new(),
    }
}

/// A block with one deposit for each withdrawal.
fn publish(store: &Arc<Store>, withdrawals: &[u64]) {
    let head = store.head();
    let sends = withdrawals.iter().map(|n| {
        let w = withdrawal(*n);
        let words = [
            MESSAGE_PASSED,
            w.nonce.into(),
            w.sender.into_word(),
            w.target.into_word(),
            w.value.into(),
            w.gas_limit.into(),
            B256::from(U256::from(128)),
            w.hash(),
            B256::ZERO,
        ];
        Arc::new(CheckedTx::deposit(TxDeposit {
            source_hash: keccak256(n.to_be_bytes()),
            from: Address::repeat_byte(1),
            to: TxKind::Call(MESSAGE_PASSER),
            mint: 0,
            value: U256::ZERO,
            gas_limit: 200_000,
            is_system_transaction: false,
            input: words.concat().into(),
        }))
    });
    let input = BlockInput {
        timestamp: head.header.timestamp + 1,
        anchor: Anchor {
            number: head.header.number + 1,
            ..Anchor::default()
        },
        transactions: sends.collect(),
    };
    let executed = execute_next(store, &input);
    let meta = BlockMeta {
        anchor: input.anchor,
        queue_consumed: 0,
    };
    let pending = store.seal(executed, meta).unwrap();
    store.publish(pending).unwrap();
}

#[test]
fn a_withdrawal_is_found_before_and_after_a_flush_and_not_after_a_rewind() {
    for flush in [false, true] {
        let machine = Machine::default();
        let store = open(&machine);
        publish(&store, &[]);
        publish(&store, &[1, 2]);
        publish(&store, &[3]);
        if flush {
            store.flush().unwrap();
        }
        let place = |store: &Store, n| store.withdrawal(withdrawal(n).hash()).unwrap();
        assert_eq!(place(&store, 2), Some(WithdrawalPlace { block: 2, log: 1 }));
        assert_eq!(place(&store, 3), Some(WithdrawalPlace { block: 3, log: 0 }));
        assert_eq!(place(&store, 4), None);
        store.rewind(2).unwrap();
        assert_eq!(place(&store, 3), None);
        assert_eq!(place(&store, 1), Some(WithdrawalPlace { block: 2, log: 0 }));
        drop(store);
        let again = open(&machine);
        assert_eq!(place(&again, 3), None);
        assert_eq!(place(&again, 2), Some(WithdrawalPlace { block: 2, log: 1 }));
        drop(again);
        let report = check_on(&machine, &machine, &mut |_, _| {}).unwrap();
        assert_eq!(report.problem, None);
    }
}

#[test]
fn a_proof_counts_only_for_the_block_it_was_made_for() {
    let machine = Machine::default();
    let store = open(&machine);
    publish(&store, &[1]);
    publish(&store, &[2]);
    let hash = withdrawal(1).hash();
    let proof = store
        .proof_at(2, MESSAGE_PASSER, &[sent_slot(hash)], &|| true)
        .unwrap();
    let proof = WithdrawalProof {
        l2_block: 2,
        nodes: proof.storage[0].proof.clone(),
    };
    store
        .put_withdrawal_proofs(&[(hash, proof.clone())])
        .unwrap();
    let (kept, header) = store.withdrawal_proof(hash).unwrap().unwrap();
    assert_eq!((kept, header.number), (proof, 2));
    let again = open(&machine.after_power_cut(3));
    assert!(again.withdrawal_proof(hash).unwrap().is_some());

    store.rewind(1).unwrap();
    assert_eq!(store.withdrawal_proof(hash).unwrap(), None);
    publish(&store, &[3]);
    assert_eq!(store.withdrawal_proof(hash).unwrap(), None);
}

fn deposit(index: u64, l1_block: u64, tx: u8) -> DepositInfo {
    DepositInfo {
        index,
        l1_block,
        l1_tx: B256::repeat_byte(tx),
        timestamp: 1_000 + l1_block,
        acc: B256::with_last_byte(index as u8),
    }
}

fn output(index: u64, l2_block: u64, l1_block: u64) -> OutputInfo {
    OutputInfo {
        index,
        id: B256::with_last_byte(index as u8),
        parent: index.saturating_sub(1),
        proposer: Address::repeat_byte(3),
        record_count: l2_block,
        l2_block,
        output_root: B256::repeat_byte(7),
        l1_block,
        asserted_at: 1_000 + l1_block,
    }
}

fn note(l1_block: u64, log: u64, event: L1Event) -> L1Note {
    L1Note {
        l1_block,
        log,
        timestamp: 1_000 + l1_block,
        l1_tx: B256::repeat_byte(9),
        event,
    }
}

fn outputs_from(store: &Store, l2_block: u64) -> Vec<u64> {
    let outputs = store.outputs_of(l2_block, u64::MAX).unwrap();
    outputs.iter().map(|output| output.index).collect()
}

#[test]
fn what_l1_said_is_found_again() {
    let machine = Machine::default();
    let store = open(&machine);
    let subject = B256::repeat_byte(5);
    let events = [
        L1Event::Asserted { output: 2 },
        L1Event::Confirmed,
        L1Event::Contested,
        L1Event::Proven {
            by: Address::repeat_byte(4),
            output: 300,
            ready_at: u64::MAX,
        },
        L1Event::Finalised { succeeded: true },
    ];
    let mut said = vec![
        L1Said::Deposit(deposit(0, 4, 1)),
        L1Said::Deposit(deposit(1, 4, 1)),
        L1Said::Deposit(deposit(2, 5, 2)),
        L1Said::Output(output(0, 0, 4)),
        L1Said::Output(output(1, 10, 5)),
        L1Said::Output(output(2, 5, 6)),
    ];
    said.extend((0..5).map(|n| L1Said::About(subject, note(7, n, events[n as usize]))));
    store.put_from_l1(&said).unwrap();
    drop(store);
    let store = open(&machine.after_power_cut(1));
    assert_eq!(store.deposit(2).unwrap(), Some(deposit(2, 5, 2)));
    let of_tx = store.deposits_of(B256::repeat_byte(1), 10).unwrap();
    assert_eq!(of_tx, [deposit(0, 4, 1), deposit(1, 4, 1)]);
    assert_eq!(store.deposits_of(B256::repeat_byte(1), 1).unwrap().len(), 1);
    assert_eq!(store.last_output().unwrap(), Some(output(2, 5, 6)));
    assert_eq!(outputs_from(&store, 1), [2, 1], "by L2 block, not by place");
    let notes = store.l1_events(subject).unwrap();
    assert_eq!(notes.iter().map(|n| n.event).collect::<Vec<_>>(), events);
    assert!(store.l1_events(B256::repeat_byte(6)).unwrap().is_empty());
}

#[test]
fn a_reorg_of_l1_takes_back_what_stood_above_it_and_nothing_else() {
    let store = open(&Machine::default());
    let (a, b) = (B256::repeat_byte(5), B256::repeat_byte(6));
    let said = [
        L1Said::Deposit(deposit(0, 4, 1)),
        L1Said::Output(output(0, 3, 4)),
        L1Said::About(a, note(4, 0, L1Event::Confirmed)),
        L1Said::Deposit(deposit(1, 5, 2)),
        L1Said::Output(output(1, 6, 5)),
        L1Said::About(a, note(5, 3, L1Event::Contested)),
        L1Said::About(b, note(5, 3, L1Event::Contested)),
    ];
    store.put_from_l1(&said).unwrap();
    store.forget_l1_above(4).unwrap();
    assert_eq!(store.deposit(1).unwrap(), None);
    assert!(
        store
            .deposits_of(B256::repeat_byte(2), 9)
            .unwrap()
            .is_empty()
    );
    assert_eq!(store.last_output().unwrap(), Some(output(0, 3, 4)));
    assert_eq!(outputs_from(&store, 0), [0]);
    assert_eq!(store.l1_events(a).unwrap().len(), 1);
    assert!(store.l1_events(b).unwrap().is_empty());
    // The same again, in other L1 blocks.
    store
        .put_from_l1(&[L1Said::Output(output(1, 6, 7))])
        .unwrap();
    assert_eq!(outputs_from(&store, 0), [0, 1]);
    store.forget_l1_above(0).unwrap();
    assert_eq!(store.last_output().unwrap(), None);
    assert!(store.l1_events(a).unwrap().is_empty());
}
