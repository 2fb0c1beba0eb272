//! Cost per transaction with 100,000 waiting from 20,000 senders: `cargo test -p mempool --bench pool`.
//! Prints one line per call and fails if a target is missed by a factor of three, which only a change of
//! complexity does.

#[path = "../tests/support/mod.rs"]
mod support;

use alloy_primitives::U256;
use mempool::{Candidate, Pool, PoolLimits, SenderState};
use std::{sync::LazyLock, time::Instant};

const SENDERS: u32 = 20_000;
const EACH: u64 = 5;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Nanoseconds that this thread has run; where the system does not tell, nanoseconds that passed.
fn cpu_ns() -> u128 {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let ran = schedstat.and_then(|text| text.split(' ').next()?.parse().ok());
    ran.unwrap_or_else(|| START.elapsed().as_nanos())
}

fn report(name: &str, start_ns: u128, count: usize, target_ns: u128) {
    let each = (cpu_ns() - start_ns) / count as u128;
    println!("{name:<30} {each:>6} ns/tx   target {target_ns}");
    assert!(each < 3 * target_ns, "{name}: {each} ns");
}

fn main() {
    let state = SenderState {
        nonce: 0,
        balance: U256::MAX,
        has_code: false,
    };
    // Prices spread over senders and nonces; every third sender is of type 0.
    let fees = |n: u32, nonce: u64| {
        let tip = 1 + u128::from(n.wrapping_mul(2_654_435_761) >> 16) + u128::from(nonce);
        if n.is_multiple_of(3) {
            (tip + 100_000, tip + 100_000)
        } else {
            (tip + 100_000, tip)
        }
    };
    let candidates: Vec<Candidate> = (0..EACH)
        .flat_map(|nonce| (0..SENDERS).map(move |n| (n, nonce)))
        .map(|(n, nonce)| {
            let (max_fee, tip) = fees(n, nonce);
            support::transfer(n, nonce, max_fee, tip, 1).into()
        })
        .collect();
    let count = candidates.len();
    let mut pool = Pool::new(PoolLimits::sequencer(0));

    let start = cpu_ns();
    for candidate in candidates.clone() {
        pool.add(candidate, state, 0).expect("valid");
    }
    report("add", start, count, 2_000);

    let start = cpu_ns();
    let mut taken = 0;
    while taken < count {
        let batch = pool.take(1_000, 64);
        assert!(!batch.is_empty());
        taken += batch.len();
    }
    report("take, 64 at a time", start, count, 1_000);

    let start = cpu_ns();
    pool.release();
    report("release a block of all", start, count, 1_000);

    let start = cpu_ns();
    for base_fee in [60_000, 90_000, 120_000, 1_000] {
        assert!(pool.has_ready(base_fee));
    }
    report("four base fees, per sender", start, SENDERS as usize, 4_000);

    let start = cpu_ns();
    for nonce in 1..=EACH {
        let used = SenderState { nonce, ..state };
        pool.on_accounts((0..SENDERS).map(|n| (support::address(n), used)), 0);
    }
    report("on_block", start, count, 1_000);
    assert_eq!(pool.counts(), mempool::Counts::default());
}
