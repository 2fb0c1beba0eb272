//! The machine dies at its n-th write, for every n of a busy run; what was acknowledged must be there again.

mod support;

use alloy_primitives::B256;
use std::sync::Arc;
use store::{BatchInfo, Store, StoreOptions, check_on};
use support::*;

/// One step of the busy run.
#[derive(Debug, Clone, Copy)]
enum Step {
    Block(&'static [Action]),
    Rewind(u64),
    Flush,
    Discard,
    Record { first: u64, last: u64 },
    Note(u8),
}
use Action::*;
use Step::*;

const RUN: &[Step] = &[
    Block(&[
        Pay {
            from: 0,
            to: 4,
            wei: 5,
        },
        Put {
            from: 1,
            slot: 1,
            value: 1,
        },
    ]),
    Block(&[
        Put {
            from: 1,
            slot: 1,
            value: 2,
        },
        Put {
            from: 2,
            slot: 2,
            value: 9,
        },
    ]),
    Note(1),
    Flush,
    Block(&[
        Deploy {
            from: 3,
            code: 0x11,
        },
        Pay {
            from: 0,
            to: 5,
            wei: 1,
        },
    ]),
    Record { first: 1, last: 3 },
    Block(&[
        Put {
            from: 4,
            slot: 1,
            value: 0,
        },
        Fleeting { from: 5 },
    ]),
    Discard,
    Rewind(3), // over RAM alone
    Block(&[Put {
        from: 4,
        slot: 7,
        value: 0,
    }]),
    Block(&[Pay {
        from: 2,
        to: 6,
        wei: 77,
    }]),
    Flush,
    Block(&[Put {
        from: 0,
        slot: 3,
        value: 3,
    }]),
    Rewind(2), // over tables and RAM
    Block(&[
        Put {
            from: 0,
            slot: 3,
            value: 4,
        },
        Pay {
            from: 1,
            to: 7,
            wei: 9,
        },
    ]),
    Record { first: 1, last: 3 },
    Note(2),
    Block(&[Deploy {
        from: 3,
        code: 0x22,
    }]),
    Flush,
    Rewind(0),
    Block(&[Put {
        from: 5,
        slot: 9,
        value: 1,
    }]),
    Block(&[]),
];

/// Does the step on store and model. The model has it only if the store acknowledged it.
fn act(store: &Arc<Store>, model: &mut Model, step: Step) -> store::Result<()> {
    match step {
        Block(actions) => publish(store, model, actions),
        Rewind(to) => {
            let removed = store.rewind(to)?;
            let want: Vec<_> = model.blocks[to as usize + 1..]
                .iter()
                .rev()
                .cloned()
                .collect();
            assert_eq!(removed, want);
            model.rewind(to);
            Ok(())
        }
        Flush => store.flush(),
        Discard => {
            let actions = [Put {
                from: 0,
                slot: 200,
                value: 200,
            }];
            let pending = store.seal(
                execute(&model.rules, &store.head(), &actions, store.latest_state()),
                meta(9),
            )?;
            store.discard(pending)
        }
        Record { first, last } => {
            let info = BatchInfo {
                index: 0,
                first_block: first,
                last_block: last,
                ..BatchInfo::default()
            };
            store.put_record(info)?;
            store.set_safe(last)?;
            store.set_finalized(first)
        }
        Note(n) => store.journal_put("test", &[n], Some(&[n])),
    }
}

/// The same for a step whose outcome is unknown, as if it had been done.
fn imagine(model: &mut Model, step: Step) {
    match step {
        Block(actions) => model.push(model.execute(actions)),
        Rewind(to) => model.rewind(to),
        _ => {}
    }
}

fn open(machine: &Machine, options: StoreOptions) -> store::Result<Arc<Store>> {
    Store::open_on(
        Arc::new(machine.clone()),
        Arc::new(machine.clone()),
        options,
        genesis(),
        rules(),
    )
}

/// Runs until the n-th write, then looks at what is left. False once the run ends before.
fn survives(n: u64, options: &StoreOptions) -> bool {
    let machine = Machine::default();
    machine.die_at(n);
    let mut model = Model::new();
    let mut notes = 0;
    let mut in_doubt = None;
    if let Ok(store) = open(&machine, options.clone()) {
        for step in RUN {
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                act(&store, &mut model, *step)
            }));
            match done {
                Ok(Ok(())) => notes += u8::from(matches!(step, Note(_))),
                // A reader of the dead disk may fail before the store does.
                Ok(Err(_)) | Err(_) => {
                    assert!(machine.is_dead(), "{step:?} failed on a living machine");
                    in_doubt = Some(*step);
                    break;
                }
            }
        }
    }
    if !machine.is_dead() {
        return false;
    }
    for luck in [4 * n, 4 * n + 1, 4 * n + 2, 4 * n + 3, n * n + 5] {
        let left = machine.after_power_cut(luck);
        let context = format!("write {n}, luck {luck}, in doubt {in_doubt:?}");
        let store = open(&left, options.clone()).unwrap_or_else(|e| panic!("{context}: {e}"));
        let mut model = model.clone();
        if store.head().hash != model.blocks.last().unwrap().hash {
            imagine(
                &mut model,
                in_doubt.unwrap_or_else(|| panic!("{context}: another head")),
            );
        }
        assert_eq!(
            store.head().hash,
            model.blocks.last().unwrap().hash,
            "{context}"
        );
        model.check(&store);
        assert!(
            store.finalized() <= store.safe() && store.safe() <= model.head(),
            "{context}"
        );
        assert!(
            store.journal_scan("test").unwrap().len() >= notes as usize,
            "{context}"
        );
        assert!(
            store
                .last_record()
                .unwrap()
                .is_none_or(|r| r.last_block <= model.head()),
            "{context}"
        );
        // Life goes on.
        publish(
            &store,
            &mut model,
            &[Put {
                from: 2,
                slot: 50,
                value: 5,
            }],
        )
        .unwrap();
        store.flush().unwrap();
        publish(
            &store,
            &mut model,
            &[Pay {
                from: 2,
                to: 4,
                wei: 5,
            }],
        )
        .unwrap();
        model.check(&store);
        drop(store);
        let report = check_on(&left, &left, &mut |_, _| {}).unwrap();
        assert_eq!(
            (report.problem, report.blocks),
            (None, model.head()),
            "{context}"
        );
        let store = open(&left, options.clone()).unwrap();
        model.check(&store);
    }
    true
}

fn dies_at_every_write(options: StoreOptions) -> u64 {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !info.to_string().contains("the machine is dead") {
            hook(info);
        }
    }));
    let mut n = 1;
    while survives(n, &options) {
        n += 1;
    }
    n - 1
}

#[test]
fn a_crash_at_any_write_loses_nothing_acknowledged() {
    let writes = dies_at_every_write(options());
    assert!(writes > 50, "only {writes} writes: the run is not busy");
}

#[test]
fn a_crash_at_any_write_with_a_busy_flusher_and_small_segments_loses_nothing_acknowledged() {
    dies_at_every_write(StoreOptions {
        flush_txs: 1,
        lag_txs_max: 2,
        segment_bytes: 700,
        block_cache_bytes: 0,
        trie_bytes: 0,
        ..options()
    });
}

#[test]
fn the_log_alone_rebuilds_everything() {
    let machine = Machine::default();
    let mut model = Model::new();
    let store = open(
        &machine,
        StoreOptions {
            segment_bytes: 700,
            ..options()
        },
    )
    .unwrap();
    for step in RUN {
        act(&store, &mut model, *step).unwrap();
    }
    drop(store);
    let rebuilt = machine.with_tables_of(&Machine::default());
    let store = open(&rebuilt, options()).unwrap();
    model.check(&store);
    assert_ne!(store.genesis_hash(), B256::ZERO);
}
