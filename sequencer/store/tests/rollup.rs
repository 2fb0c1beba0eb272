//! What the rollup's rules add: anchors, deposits and the withdrawals root come back from the log.

mod support;

use alloy_primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use primitives::{
    AccountDiff, Anchor, BlockInput, CheckedTx, SlotDiff, TxDeposit, predeploys::MESSAGE_PASSER,
};
use std::sync::Arc;
use stf::StateReader;
use store::{BlockMeta, Store, check_on};
use support::{Machine, execute_next, open_rollup};

/// `sstore(callvalue, callvalue)`: stands where the message passer stands.
const KEEPS_VALUE: [u8; 3] = [0x34, 0x34, 0x55];

fn open(machine: &Machine) -> Arc<Store> {
    open_rollup(machine, Bytes::from_static(&KEEPS_VALUE))
}

/// A block with one deposit of `wei` to the message passer, anchored at L1 block `l1`.
fn publish(store: &Arc<Store>, l1: u64, wei: u64) {
    let head = store.head();
    let anchor = Anchor {
        number: l1,
        hash: B256::with_last_byte(l1 as u8),
        timestamp: l1,
        ..Anchor::default()
    };
    let deposit = TxDeposit {
        source_hash: keccak256(wei.to_be_bytes()),
        from: Address::repeat_byte(1),
        to: TxKind::Call(MESSAGE_PASSER),
        mint: u128::from(wei),
        value: U256::from(wei),
        gas_limit: 100_000,
        is_system_transaction: false,
        input: Bytes::new(),
    };
    let input = BlockInput {
        timestamp: head.header.timestamp + l1,
        anchor,
        transactions: vec![Arc::new(CheckedTx::deposit(deposit))],
    };
    let executed = execute_next(store, &input);
    let queue_consumed = store
        .meta(head.header.number)
        .unwrap()
        .unwrap()
        .queue_consumed
        + 1;
    let pending = store
        .seal(
            executed,
            BlockMeta {
                anchor,
                queue_consumed,
            },
        )
        .unwrap();
    store.publish(pending).unwrap();
}

#[test]
fn the_withdrawals_root_is_the_passers_storage_root() {
    let store = open(&Machine::default());
    for wei in 1..=3 {
        publish(&store, wei, wei);
        let head = store.head();
        let proof = store
            .proof_at(
                head.header.number,
                MESSAGE_PASSER,
                &[B256::with_last_byte(wei as u8)],
                &|| true,
            )
            .unwrap();
        assert_eq!(proof.storage[0].value, U256::from(wei));
        assert_eq!(
            head.header.withdrawals_root,
            Some(proof.account.unwrap().storage_root)
        );
    }
}

#[test]
fn anchors_deposits_and_queue_positions_survive_a_kill() {
    let machine = Machine::default();
    let store = open(&machine);
    for (l1, wei) in [(1, 5), (1, 6), (4, 7), (4, 8)] {
        publish(&store, l1, wei);
        if wei == 6 {
            store.flush().unwrap();
        }
    }
    let left = machine.after_power_cut(1);
    let again = open(&left);
    assert_eq!(again.flushed(), 2);
    for number in 1..=4 {
        assert_eq!(again.block(number).unwrap(), store.block(number).unwrap());
        assert_eq!(again.meta(number).unwrap(), store.meta(number).unwrap());
    }
    publish(&again, 5, 9);
    assert_eq!(again.meta(5).unwrap().unwrap().queue_consumed, 5);
    drop(again);
    assert_eq!(
        check_on(&left, &left, &mut |_, _| {}).unwrap().problem,
        None
    );
}

/// Nothing that the rollup executes removes an account with storage, but a difference may say so; it must be
/// reversible all the same.
#[test]
fn a_removed_account_comes_back_with_all_its_storage() {
    for (flush_before, wiped) in [(false, false), (true, false), (false, true), (true, true)] {
        let store = open(&Machine::default());
        for wei in 1..=3 {
            publish(&store, wei, wei);
            if flush_before && wei == 2 {
                store.flush().unwrap();
            }
        }
        let before = store.head();
        let account = store.latest_state().account(MESSAGE_PASSER).unwrap();
        let input = BlockInput {
            timestamp: 100,
            anchor: Anchor {
                number: 9,
                ..Anchor::default()
            },
            ..BlockInput::default()
        };
        let mut executed = execute_next(&store, &input);
        let new_slot = SlotDiff {
            slot: U256::from(50),
            before: U256::ZERO,
            after: U256::from(5),
        };
        executed.diff.accounts.push(AccountDiff {
            address: MESSAGE_PASSER,
            before: account,
            after: if wiped { account } else { None },
            wiped,
            slots: if wiped { vec![new_slot] } else { Vec::new() },
        });
        executed.diff.accounts.sort_by_key(|a| a.address);
        let pending = store.seal(executed, BlockMeta::default()).unwrap();
        let passer = pending
            .diff()
            .accounts
            .iter()
            .find(|a| a.address == MESSAGE_PASSER)
            .unwrap();
        assert_eq!(passer.slots.len(), 3 + usize::from(wiped));
        store.publish(pending).unwrap();
        let slots = |number| {
            let view = store.state_at(number).unwrap();
            [1, 2, 3, 50].map(|slot| {
                view.storage(MESSAGE_PASSER, U256::from(slot))
                    .unwrap()
                    .to::<u64>()
            })
        };
        let gone = if wiped { [0, 0, 0, 5] } else { [0; 4] };
        assert_eq!((slots(3), slots(4)), ([1, 2, 3, 0], gone));
        if flush_before {
            store.flush().unwrap();
            assert_eq!((slots(3), slots(4)), ([1, 2, 3, 0], gone));
        }
        store.rewind(3).unwrap();
        assert_eq!(store.head(), before);
        assert_eq!(slots(3), [1, 2, 3, 0]);
        publish(&store, 7, 4);
    }
}
