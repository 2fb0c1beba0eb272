//! Microseconds of processor time per changed leaf, with 1 M accounts and one contract of 1 M slots in memory.
//!
//! Each line is `StateTrie::apply` whole: keys hashed, leaves written, all roots. Then what a flush and an
//! eviction cost, and the memory: by the trie's own count, and what the process grew by.

use alloy_primitives::{Address, U256, keccak256};
use primitives::{Account, AccountDiff, SlotDiff, StateDiff};
use std::{fs, time::Instant};
use trie::{EMPTY_ROOT_HASH, NoNodes, StateTrie};

const LEAVES: u64 = 1_000_000;
const ROUNDS: u64 = 20;

fn address(n: u64) -> Address {
    Address::from_word(keccak256(n.to_be_bytes()))
}

/// The accounts of these numbers get this nonce.
fn accounts(numbers: impl Iterator<Item = u64>, nonce: u64) -> StateDiff {
    let mut accounts: Vec<AccountDiff> = numbers
        .map(|n| {
            let balance = U256::from(10u64.pow(18) + n);
            let after = Some(Account {
                nonce,
                balance,
                ..Default::default()
            });
            AccountDiff {
                address: address(n),
                before: None,
                after,
                wiped: false,
                slots: Vec::new(),
            }
        })
        .collect();
    accounts.sort_by_key(|a| a.address);
    accounts.dedup_by_key(|a| a.address);
    StateDiff {
        accounts,
        codes: Vec::new(),
    }
}

/// The slots of these numbers of one contract get a value that depends on `round`.
fn slots(numbers: impl Iterator<Item = u64>, round: u64) -> StateDiff {
    let after = U256::from(10u64.pow(18) + round);
    let mut slots: Vec<SlotDiff> = numbers
        .map(|n| SlotDiff {
            slot: U256::from(n),
            before: U256::ZERO,
            after,
        })
        .collect();
    slots.sort_by_key(|s| s.slot);
    slots.dedup_by_key(|s| s.slot);
    let after = Some(Account {
        nonce: 1,
        ..Default::default()
    });
    let contract = AccountDiff {
        address: Address::ZERO,
        before: None,
        after,
        wiped: false,
        slots,
    };
    StateDiff {
        accounts: vec![contract],
        codes: Vec::new(),
    }
}

/// Seconds of processor time this thread has had; of the clock where the system does not say.
fn cpu_s(since: Instant) -> f64 {
    fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse::<u64>().ok())
        .map_or(since.elapsed().as_secs_f64(), |ns| ns as f64 / 1e9)
}

/// Bytes of memory the process occupies; zero where the system does not say.
fn resident() -> usize {
    fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split(' ').nth(1)?.parse::<usize>().ok())
        .unwrap_or(0)
        * 4096
}

/// Makes a block of changes to these numbers.
type Make = fn(&mut dyn Iterator<Item = u64>, u64) -> StateDiff;

fn main() {
    let began = Instant::now();
    let timed = |act: &mut dyn FnMut()| {
        let start = cpu_s(began);
        act();
        (cpu_s(began) - start) * 1e6
    };
    let mut seed = 1u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % LEAVES
    };
    let mut state = StateTrie::new(NoNodes, EMPTY_ROOT_HASH);
    let kinds: [(&str, Make); 2] = [
        ("account", |n, round| accounts(n, round)),
        ("slot", |n, round| slots(n, round)),
    ];

    for (kind, make) in kinds {
        let (counted, occupied) = (state.bytes(), resident());
        let built = timed(&mut || {
            for first in (0..LEAVES).step_by(10_000) {
                state
                    .apply(&make(&mut (first..first + 10_000), 1))
                    .expect("nothing is read");
            }
        });
        println!(
            "{LEAVES} {kind}s, 10000 at a time: {:.2} µs each; memory {} B each by own count, {} B of the process",
            built / LEAVES as f64,
            (state.bytes() - counted) as u64 / LEAVES,
            resident().saturating_sub(occupied) as u64 / LEAVES,
        );
        for size in [500, 2_000, 5_000, 20_000] {
            let total: f64 = (0..ROUNDS)
                .map(|round| {
                    let block = make(&mut (0..size).map(|_| random()), 2 + round);
                    timed(&mut || drop(state.apply(&block).expect("nothing is read")))
                })
                .sum();
            println!(
                "{size} of {LEAVES} {kind}s: {:.2} µs each",
                total / (ROUNDS * size) as f64
            );
        }
    }

    let mut nodes = 0;
    let flush = timed(&mut || nodes = state.take_dirty().expect("no error before").nodes.len());
    println!(
        "take_dirty of all {nodes} nodes: {:.2} µs each",
        flush / nodes as f64
    );
    state
        .apply(&accounts((0..20_000).map(|_| random()), 99))
        .expect("nothing is read");
    let flush = timed(&mut || nodes = state.take_dirty().expect("no error before").nodes.len());
    println!(
        "take_dirty of {nodes} changed nodes: {:.2} µs each",
        flush / nodes as f64
    );
    let within = timed(&mut || assert_eq!(state.evict(usize::MAX), 0));
    let before = state.bytes();
    let evict = timed(&mut || assert_ne!(state.evict(before * 3 / 4), 0));
    println!(
        "evict: {within:.0} µs within budget; {:.0} ms from {} MiB to {} MiB",
        evict / 1e3,
        before >> 20,
        state.bytes() >> 20
    );
}
