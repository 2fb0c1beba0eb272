//! Microseconds per updated account: 1 M accounts in memory, blocks that change a few thousand of them.
//!
//! Prints one line per block size: processor time for `StateTrie::apply` (keys hashed, leaves written, all roots), then
//! the memory that the accounts take by the trie's own count.

use alloy_primitives::{Address, U256, keccak256};
use primitives::{Account, AccountDiff, StateDiff};
use std::{fs, time::Instant};
use trie::{EMPTY_ROOT_HASH, NoNodes, StateTrie};

const ACCOUNTS: u64 = 1_000_000;
const ROUNDS: u64 = 20;

fn address(n: u64) -> Address {
    Address::from_word(keccak256(n.to_be_bytes()))
}

fn diff(numbers: impl Iterator<Item = u64>, nonce: u64) -> StateDiff {
    let mut accounts: Vec<AccountDiff> = numbers
        .map(|n| AccountDiff {
            address: address(n),
            before: None,
            after: Some(Account {
                nonce,
                balance: U256::from(10u64.pow(18) + n),
                ..Default::default()
            }),
            wiped: false,
            slots: Vec::new(),
        })
        .collect();
    accounts.sort_by_key(|a| a.address);
    accounts.dedup_by_key(|a| a.address);
    StateDiff {
        accounts,
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

fn main() {
    let began = Instant::now();
    let mut state = StateTrie::new(NoNodes, EMPTY_ROOT_HASH);
    let all = diff(0..ACCOUNTS, 1);
    let start = cpu_s(began);
    state.apply(&all).expect("nothing is read");
    let built_us = (cpu_s(began) - start) * 1e6 / ACCOUNTS as f64;
    drop(all);
    println!(
        "build {ACCOUNTS} accounts: {built_us:.2} µs/leaf, {} B/account",
        state.bytes() as u64 / ACCOUNTS
    );

    let mut seed = 1u64;
    let mut random = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % ACCOUNTS
    };
    for size in [500, 2_000, 5_000, 20_000] {
        let mut best = f64::MAX;
        let mut total = 0.0;
        for round in 0..ROUNDS {
            let block = diff((0..size).map(|_| random()), 2 + round);
            let start = cpu_s(began);
            state.apply(&block).expect("nothing is read");
            let us = (cpu_s(began) - start) * 1e6 / block.accounts.len() as f64;
            total += us;
            best = best.min(us);
        }
        println!(
            "update {size}: {:.2} µs/leaf (best {best:.2})",
            total / ROUNDS as f64
        );
    }
}
