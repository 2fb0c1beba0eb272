//! Random lives of a store against the model: blocks, rewinds, flushes, restarts; every height stays readable.

mod support;

use alloy_primitives::U256;
use proptest::prelude::*;
use std::sync::Arc;
use stf::StateReader;
use store::{BatchInfo, ChainEvent, Rocks, Store, StoreError, StoreOptions, check_on};
use support::*;

#[derive(Debug, Clone)]
enum Step {
    Block(Vec<Action>),
    Rewind(u64),
    Flush,
    Reopen,
    /// Restarts without the flush of an orderly end.
    Kill,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => (any::<u8>(), any::<u8>(), any::<u16>()).prop_map(|(from, to, wei)| Action::Pay { from, to, wei }),
        4 => (any::<u8>(), 0..12u8, 0..4u8).prop_map(|(from, slot, value)| Action::Put { from, slot, value }),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(from, code)| Action::Deploy { from, code }),
        1 => any::<u8>().prop_map(|from| Action::Fleeting { from }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => prop::collection::vec(action(), 0..6).prop_map(Step::Block),
        2 => (0..6u64).prop_map(Step::Rewind),
        2 => Just(Step::Flush),
        1 => Just(Step::Reopen),
        1 => Just(Step::Kill),
    ]
}

fn open(machine: &Machine, options: &StoreOptions) -> Arc<Store> {
    Store::open_on(
        Arc::new(machine.clone()),
        Arc::new(machine.clone()),
        options.clone(),
        genesis(),
        rules(),
    )
    .unwrap()
}

fn live(steps: Vec<Step>, options: StoreOptions) {
    let mut machine = Machine::default();
    let mut model = Model::new();
    let mut store = open(&machine, &options);
    for step in steps {
        match step {
            Step::Block(actions) => publish(&store, &mut model, &actions).unwrap(),
            Step::Rewind(back) => {
                let to = model.head().saturating_sub(back).max(store.oldest_state());
                store.rewind(to).unwrap();
                model.rewind(to);
            }
            Step::Flush => store.flush().unwrap(),
            Step::Reopen => {
                drop(store);
                store = open(&machine, &options);
            }
            Step::Kill => {
                let left = machine.after_power_cut(1);
                drop(store);
                machine = left;
                store = open(&machine, &options);
            }
        }
    }
    model.check(&store);
    store.flush().unwrap();
    model.check(&store);
    drop(store);
    assert_eq!(
        check_on(&machine, &machine, &mut |_, _| {})
            .unwrap()
            .problem,
        None
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_height_reads_as_the_model_says(steps in prop::collection::vec(step(), 1..25)) {
        live(steps, options());
    }

    #[test]
    fn a_busy_flusher_and_no_caches_change_nothing(steps in prop::collection::vec(step(), 1..25)) {
        live(steps, StoreOptions {
            flush_txs: 3, lag_txs_max: 6, cache_bytes: 0, trie_bytes: 0, block_cache_bytes: 0, segment_bytes: 2000,
            ..options()
        });
    }

    #[test]
    fn a_short_retention_keeps_what_it_promises(steps in prop::collection::vec(step(), 1..25)) {
        live(steps, StoreOptions { retention_blocks: Some(3), ..options() });
    }
}

/// A store with `blocks` blocks that each put their number into slot 1 and pay once.
fn chain(options: StoreOptions, blocks: u8) -> (Arc<Store>, Model) {
    let store = open(&Machine::default(), &options);
    let mut model = Model::new();
    for n in 1..=blocks {
        let actions = [
            Action::Put {
                from: n,
                slot: 1,
                value: n,
            },
            Action::Pay {
                from: n,
                to: 4,
                wei: n.into(),
            },
        ];
        publish(&store, &mut model, &actions).unwrap();
    }
    (store, model)
}

fn slot_one(state: &impl StateReader) -> U256 {
    state.storage(CONTRACT, U256::from(1)).unwrap()
}

#[test]
fn a_view_does_not_see_newer_blocks_flushed_or_not() {
    let (store, mut model) = chain(options(), 2);
    let view = store.latest_state();
    for flush in [false, true, false, true] {
        publish(
            &store,
            &mut model,
            &[Action::Put {
                from: 0,
                slot: 1,
                value: 99,
            }],
        )
        .unwrap();
        if flush {
            store.flush().unwrap();
        }
        assert_eq!(slot_one(&view), U256::from(2));
    }
    assert_eq!(slot_one(&store.latest_state()), U256::from(99));
}

#[test]
fn a_view_of_a_rewound_block_says_so_and_one_below_does_not() {
    let (store, _) = chain(options(), 4);
    let (low, high) = (store.state_at(2).unwrap(), store.state_at(3).unwrap());
    store.rewind(2).unwrap();
    assert_eq!(slot_one(&low), U256::from(2));
    let error = high.storage(CONTRACT, U256::from(1)).unwrap_err();
    assert_eq!(error.to_string(), "state: block 3 was rewound");
}

#[test]
fn pruned_heights_say_what_is_kept() {
    let (store, mut model) = chain(
        StoreOptions {
            retention_blocks: Some(2),
            ..options()
        },
        6,
    );
    store.flush().unwrap();
    publish(&store, &mut model, &[]).unwrap();
    store.flush().unwrap();
    assert_eq!(store.oldest_state(), 5);
    assert!(store.state_at(5).is_ok());
    assert!(matches!(
        store.state_at(4),
        Err(StoreError::Pruned {
            number: 4,
            oldest: 5
        })
    ));
    assert!(matches!(
        store.proof_at(4, CONTRACT, &[], &|| true),
        Err(StoreError::Pruned { .. })
    ));
    assert!(matches!(store.rewind(4), Err(StoreError::Pruned { .. })));
    assert!(matches!(
        store.state_at(99),
        Err(StoreError::NoBlock {
            number: 99,
            head: 7
        })
    ));
    assert!(store.block(1).unwrap().is_some(), "blocks stay");
}

#[test]
fn a_discarded_block_leaves_no_trace() {
    let (store, mut model) = chain(options(), 1);
    let executed = model.execute(&[Action::Put {
        from: 0,
        slot: 8,
        value: 8,
    }]);
    let pending = store.seal(executed.clone(), meta(2)).unwrap();
    assert!(matches!(
        store.seal(executed.clone(), meta(2)),
        Err(StoreError::Pending(2))
    ));
    store.discard(pending.clone()).unwrap();
    assert!(matches!(
        store.publish(pending),
        Err(StoreError::NotPending(2))
    ));
    publish(
        &store,
        &mut model,
        &[Action::Put {
            from: 0,
            slot: 9,
            value: 9,
        }],
    )
    .unwrap();
    assert!(matches!(
        store.seal(executed, meta(2)),
        Err(StoreError::NotOnHead { number: 2, head: 2 })
    ));
    model.check(&store);
}

#[test]
fn listeners_hear_heads_and_rewinds_in_order() {
    let (store, mut model) = chain(options(), 2);
    let heard = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let notes = heard.clone();
    store.subscribe(Box::new(move |event| {
        notes.lock().push(match event {
            ChainEvent::Head(block) => format!("head {}", block.header.number),
            ChainEvent::Rewound { to, removed } => {
                format!(
                    "to {to}, removed {:?}",
                    removed.iter().map(|b| b.header.number).collect::<Vec<_>>()
                )
            }
        });
    }));
    publish(&store, &mut model, &[]).unwrap();
    store.rewind(1).unwrap();
    assert_eq!(*heard.lock(), ["head 3", "to 1, removed [3, 2]"]);
}

#[test]
fn markers_only_rise_and_keep_their_order() {
    let (store, _) = chain(options(), 5);
    assert!(store.set_finalized(1).is_err(), "above safe");
    store.set_safe(4).unwrap();
    store.set_finalized(2).unwrap();
    assert!(
        store.set_safe(3).is_err() && store.set_finalized(1).is_err(),
        "backwards"
    );
    assert!(store.set_safe(6).is_err(), "above the head");
    assert_eq!((store.safe(), store.finalized()), (4, 2));
    store.rewind(1).unwrap();
    assert_eq!((store.safe(), store.finalized()), (1, 1));
}

#[test]
fn records_follow_one_another_and_fall_with_their_blocks() {
    let (store, _) = chain(options(), 6);
    let info = |index, first_block, last_block| BatchInfo {
        index,
        first_block,
        last_block,
        ..BatchInfo::default()
    };
    store.put_record(info(0, 1, 2)).unwrap();
    store.put_record(info(1, 3, 2)).unwrap(); // made no block
    store.put_record(info(2, 3, 5)).unwrap();
    assert!(store.put_record(info(4, 6, 6)).is_err(), "a gap");
    assert!(store.put_record(info(3, 6, 7)).is_err(), "beyond the head");
    assert_eq!(store.record_of_block(2).unwrap(), Some(info(0, 1, 2)));
    assert_eq!(store.record_of_block(4).unwrap(), Some(info(2, 3, 5)));
    assert_eq!(store.record_of_block(6).unwrap(), None);
    store.set_safe(5).unwrap();
    store.truncate_records(2).unwrap();
    assert_eq!(
        (store.last_record().unwrap(), store.safe()),
        (Some(info(1, 3, 2)), 2)
    );
    store.rewind(1).unwrap();
    assert_eq!(store.last_record().unwrap(), None);
}

#[test]
fn notes_stay_in_their_namespace() {
    let store = open(&Machine::default(), &options());
    for (namespace, key) in [("a", "1"), ("ab", "2"), ("a", "0"), ("b", "")] {
        store
            .journal_put(namespace, key.as_bytes(), Some(b"x"))
            .unwrap();
    }
    store.journal_put("a", b"1", None).unwrap();
    assert_eq!(
        store.journal_scan("a").unwrap(),
        [(b"0".to_vec(), b"x".to_vec())]
    );
    assert_eq!(store.journal_scan("ab").unwrap().len(), 1);
    assert_eq!(store.journal_scan("c").unwrap().len(), 0);
}

#[test]
fn readers_on_other_threads_always_see_one_block() {
    let (store, mut model) = chain(
        StoreOptions {
            flush_txs: 8,
            cache_bytes: 0,
            ..options()
        },
        1,
    );
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let head = store.head().header.number;
                    for view in [store.latest_state(), store.state_at(head / 2 + 1).unwrap()] {
                        // Block n puts n into slots 1 and 2.
                        let one = slot_one(&view);
                        assert_eq!(one, U256::from(view.number()));
                        std::thread::yield_now();
                        if view.number() > 1 {
                            assert_eq!(view.storage(CONTRACT, U256::from(2)).unwrap(), one);
                        }
                    }
                }
            });
        }
        for n in 2..=250 {
            let actions = [
                Action::Put {
                    from: n,
                    slot: 1,
                    value: n,
                },
                Action::Put {
                    from: n,
                    slot: 2,
                    value: n,
                },
            ];
            publish(&store, &mut model, &actions).unwrap();
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn another_genesis_is_refused_with_advice() {
    let machine = Machine::default();
    drop(open(&machine, &options()));
    let mut other = genesis();
    other.header.timestamp += 1;
    let result = Store::open_on(
        Arc::new(machine.clone()),
        Arc::new(machine),
        options(),
        other,
        rules(),
    );
    let error = result.err().unwrap();
    assert!(matches!(error, StoreError::GenesisDiffers { .. }));
    assert!(error.to_string().contains("choose another data folder"));
}

#[test]
fn rocksdb_keeps_it_all_through_restarts_and_checks_clean() {
    let dir = tempfile::tempdir().unwrap();
    let options = StoreOptions {
        dir: dir.path().into(),
        flush_txs: 10,
        ..options()
    };
    let open = || Store::open(options.clone(), genesis(), rules()).unwrap();
    let mut model = Model::new();
    for round in 0..3u8 {
        let store = open();
        for n in 0..8 {
            let actions = [
                Action::Put {
                    from: n,
                    slot: n + round,
                    value: n,
                },
                Action::Pay {
                    from: n + 1,
                    to: n,
                    wei: n.into(),
                },
                Action::Deploy {
                    from: n + 2,
                    code: n,
                },
            ];
            publish(&store, &mut model, &actions).unwrap();
        }
        let to = model.head() - 2;
        store.rewind(to).unwrap();
        model.rewind(to);
        model.check(&store);
        drop(store);
        model.check(&open());
        let report = store::check(dir.path(), &mut |_, _| {}).unwrap();
        assert_eq!(
            (report.problem.clone(), report.blocks, report.flushed),
            (None, model.head(), model.head())
        );
        assert!(
            report.accounts > 10 && report.slots > 0 && report.nodes > 10,
            "{report:?}"
        );
    }
    // Tables are derived: without them the log gives the same chain.
    std::fs::remove_dir_all(dir.path().join("tables")).unwrap();
    model.check(&open());
    // Only one process may write.
    let store = open();
    assert!(Rocks::open(&dir.path().join("tables")).is_err());
    drop(store);
}
