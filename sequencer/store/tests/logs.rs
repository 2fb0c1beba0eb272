//! Logs by filter, against a plain look at every log: wherever their blocks are, over rewinds, flushes and restarts.

mod support;

use alloy_primitives::{Address, B256};
use proptest::prelude::*;
use std::{
    cell::Cell,
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};
use store::{FoundLog, LogQuery, Store, StoreError, StoreOptions, check_on};
use support::*;

#[derive(Debug, Clone)]
enum Step {
    Block(Vec<Action>),
    Rewind(u64),
    Flush,
    Reopen,
}

fn action() -> impl Strategy<Value = Action> {
    let topic = prop_oneof![6 => 0..4u8, 1 => 0xf0..=0xffu8];
    prop_oneof![
        1 => (any::<u8>(), any::<u8>(), any::<u16>()).prop_map(|(from, to, wei)| Action::Pay { from, to, wei }),
        1 => (any::<u8>(), 0..4u8, 0..4u8).prop_map(|(from, slot, value)| Action::Put { from, slot, value }),
        8 => (any::<u8>(), 0..5u8, prop::array::uniform4(topic), any::<u8>())
            .prop_map(|(from, count, topics, data)| Action::Log { from, count, topics, data }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => prop::collection::vec(action(), 0..24).prop_map(Step::Block),
        2 => (0..4u64).prop_map(Step::Rewind),
        3 => Just(Step::Flush),
        1 => Just(Step::Reopen),
    ]
}

fn query() -> impl Strategy<Value = (LogQuery, u64, u64)> {
    let address =
        prop_oneof![6 => (0..5u8).prop_map(logger), 1 => Just(CONTRACT), 1 => Just(Address::ZERO)];
    let topic = prop_oneof![6 => (0..5u8).prop_map(topic), 1 => (0xf0..=0xffu8).prop_map(topic)];
    let any_of = prop::collection::vec(topic, 0..3);
    (
        prop::collection::vec(address, 0..3),
        prop::collection::vec(any_of, 0..5),
        0..8u64,
        0..16u64,
    )
        .prop_map(|(addresses, topics, from, length)| {
            (LogQuery { addresses, topics }, from, from + length)
        })
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

fn find(store: &Store, query: &LogQuery, from: u64, to: u64) -> Vec<FoundLog> {
    let mut found = Vec::new();
    store
        .logs(from, to, query, &|| true, &mut |log| {
            found.push(log);
            ControlFlow::Continue(())
        })
        .unwrap();
    found
}

/// The same, by looking at every log of the model's blocks. Position by position, as the standard says it.
fn scan(model: &Model, query: &LogQuery, from: u64, to: u64) -> Vec<FoundLog> {
    let mut found = Vec::new();
    for block in &model.blocks {
        let number = block.header.number;
        let mut log_index = 0;
        for (tx_index, receipt) in block.receipts.iter().enumerate() {
            for log in &receipt.logs {
                let fits = |place: usize, any: &[B256]| {
                    log.topics()
                        .get(place)
                        .is_some_and(|topic| any.is_empty() || any.iter().any(|one| one == topic))
                };
                let asked = (from..=to).contains(&number)
                    && (query.addresses.is_empty() || query.addresses.contains(&log.address))
                    && query
                        .topics
                        .iter()
                        .enumerate()
                        .all(|(place, any)| fits(place, any));
                if asked {
                    found.push(FoundLog {
                        block_number: number,
                        block_hash: block.hash,
                        block_timestamp: block.header.timestamp,
                        tx_hash: block.transactions[tx_index].hash,
                        tx_index: tx_index as u32,
                        log_index,
                        log: log.clone(),
                    });
                }
                log_index += 1;
            }
        }
    }
    found
}

fn live(steps: Vec<Step>, queries: &[(LogQuery, u64, u64)], options: StoreOptions) {
    let machine = Machine::default();
    let mut model = Model::new();
    let mut store = open(&machine, &options);
    let agree = |store: &Store, model: &Model| {
        for (query, from, to) in queries {
            let (got, want) = (
                find(store, query, *from, *to),
                scan(model, query, *from, *to),
            );
            assert_eq!(got, want, "{query:?} in {from}..={to}");
        }
    };
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
        }
        agree(&store, &model);
    }
    store.flush().unwrap();
    agree(&store, &model);
    for block in &model.blocks {
        let kept = store.block(block.header.number).unwrap().unwrap();
        assert_eq!(kept.receipts, block.receipts);
    }
    drop(store);
    let report = check_on(&machine, &machine, &mut |_, _| {}).unwrap();
    assert_eq!(report.problem, None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn a_filter_finds_what_a_plain_scan_finds(
        steps in prop::collection::vec(step(), 1..16), queries in prop::collection::vec(query(), 12),
    ) {
        let options = StoreOptions { block_cache_bytes: 0, ..options() };
        live(steps, &queries, options);
    }

    #[test]
    fn pruned_state_takes_no_logs_along(
        steps in prop::collection::vec(step(), 1..16), queries in prop::collection::vec(query(), 12),
    ) {
        let options = StoreOptions { block_cache_bytes: 0, retention_blocks: Some(3), flush_txs: 20, ..options() };
        live(steps, &queries, options);
    }
}

/// Calls the logger of one topic.
fn log(from: u8, topic: u8, data: u8) -> Action {
    Action::Log {
        from,
        count: 1,
        topics: [topic, 0, 0, 0],
        data,
    }
}

fn topic_one() -> LogQuery {
    LogQuery {
        addresses: vec![logger(1)],
        topics: vec![vec![topic(1)]],
    }
}

#[test]
fn a_rare_term_among_common_ones_is_found_over_many_blocks() {
    let options = StoreOptions {
        block_cache_bytes: 0,
        ..options()
    };
    let store = open(&Machine::default(), &options);
    let mut model = Model::new();
    for n in 0..1500u64 {
        let rare = match n {
            700..=704 | 1499 => 1,
            _ => 2,
        };
        publish(&store, &mut model, &[log(0, 3, 0), log(1, rare, 0)]).unwrap();
    }
    store.flush().unwrap();
    let numbers: Vec<u64> = find(&store, &topic_one(), 0, 9999)
        .chunks(2)
        .map(|twice| twice[0].block_number)
        .collect();
    assert_eq!(numbers, [701, 702, 703, 704, 705, 1500]);
    // A common pair, too: rows are read ahead and never lost.
    let common = LogQuery {
        addresses: vec![logger(1), logger(1), logger(2)],
        topics: vec![vec![topic(3), topic(9)]],
    };
    assert_eq!(
        find(&store, &common, 1, 1500),
        scan(&model, &common, 1, 1500)
    );
}

#[test]
fn the_visitor_ends_the_search_and_so_does_lost_patience() {
    let options = StoreOptions {
        block_cache_bytes: 0,
        ..options()
    };
    let store = open(&Machine::default(), &options);
    let mut model = Model::new();
    for flush in [true, false] {
        for n in 0..20 {
            publish(&store, &mut model, &[log(n, 1, 0)]).unwrap();
        }
        if flush {
            store.flush().unwrap();
        }
    }
    for query in [topic_one(), LogQuery::default()] {
        // In the tables, and beyond.
        for wanted in [1, 7, 39, 41, 79] {
            let mut seen = 0;
            store
                .logs(0, 99, &query, &|| true, &mut |_| {
                    seen += 1;
                    match seen == wanted {
                        true => ControlFlow::Break(()),
                        false => ControlFlow::Continue(()),
                    }
                })
                .unwrap();
            assert_eq!(seen, wanted);
        }
        for patience in [0u32, 5, 30] {
            let left = Cell::new(patience);
            let keep_on = || left.replace(left.get().saturating_sub(1)) > 0;
            let given_up = store.logs(0, 99, &query, &keep_on, &mut |_| ControlFlow::Continue(()));
            assert!(matches!(given_up, Err(StoreError::GivenUp)), "{patience}");
        }
    }
}

#[test]
fn a_reader_sees_one_chain_whatever_is_written_meanwhile() {
    let options = StoreOptions {
        flush_txs: 5,
        block_cache_bytes: 0,
        ..options()
    };
    let store = open(&Machine::default(), &options);
    let mut model = Model::new();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for query in [topic_one(), LogQuery::default()] {
            let (store, stop) = (&store, &stop);
            scope.spawn(move || {
                while !stop.load(Relaxed) {
                    let found = find(store, &query, 0, u64::MAX);
                    // Each block has the same log twice, and every block is of the same chain.
                    let numbers: Vec<u64> = found.iter().map(|log| log.block_number).collect();
                    let want: Vec<u64> =
                        (1..=found.len() as u64 / 2).flat_map(|n| [n, n]).collect();
                    assert_eq!(numbers, want);
                    let life = |log: &FoundLog| log.log.data.data.get(31).copied();
                    let lives: Vec<u8> = found.iter().filter_map(life).collect();
                    assert!(lives.is_sorted(), "{lives:?}");
                }
            });
        }
        for life in 0..6 {
            for n in 0..40 {
                publish(&store, &mut model, &[log(n, 1, life)]).unwrap();
            }
            let to = model.head() - 15;
            store.rewind(to).unwrap();
            model.rewind(to);
        }
        stop.store(true, Relaxed);
    });
}
