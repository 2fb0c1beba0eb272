//! How long a start takes after a kill with as many transactions outside the tables as the store allows.

#[path = "../tests/support/mod.rs"]
mod support;

use std::{fs, path::Path, time::Instant};
use store::{Store, StoreOptions};
use support::{Action, Model, execute, genesis, meta, rules};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    let dir = tempfile::tempdir().unwrap();
    let (live, killed) = (dir.path().join("live"), dir.path().join("killed"));
    let allowed = StoreOptions::new(&live).lag_txs_max;
    let options = StoreOptions {
        flush_txs: u64::MAX,
        flush_bytes: usize::MAX,
        flush_interval_ms: 3_600_000,
        ..StoreOptions::new(&live)
    };
    let store = Store::open(options, genesis(), rules()).unwrap();
    let rules = Model::new().rules;
    let begun = Instant::now();
    for number in 1..=allowed / 1000 {
        let actions: Vec<_> = (0..1000u32)
            .map(|n| Action::Pay {
                from: n as u8,
                to: (n / 3) as u8,
                wei: n as u16,
            })
            .collect();
        let block = execute(&rules, &store.head(), &actions, store.latest_state());
        store
            .publish(store.seal(block, meta(number)).unwrap())
            .unwrap();
    }
    let micros = |begun: Instant| begun.elapsed().as_secs_f64() * 1e6 / allowed as f64;
    println!(
        "{allowed} transfers published at {:.1} µs each",
        micros(begun)
    );
    copy(&live, &killed);
    let begun = Instant::now();
    let again = Store::open(StoreOptions::new(&killed), genesis(), rules).unwrap();
    println!(
        "started again in {:.2} s, {:.1} µs each",
        begun.elapsed().as_secs_f64(),
        micros(begun)
    );
    assert_eq!(again.head(), store.head());
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
