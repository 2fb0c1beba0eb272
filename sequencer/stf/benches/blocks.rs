//! Microseconds of one core per transaction: `cargo bench -p stf --profile dev` (the profile that ships). Linux only:
//! it reads the thread's own CPU time, since a shared machine's clock says little.
//!
//! Blocks of 1,000 transactions over 20,000 accounts in memory, executed and closed; without signature
//! recovery, state roots and disk.

#[path = "../tests/world/mod.rs"]
mod world;

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, U256, keccak256};
use primitives::CheckedTx;
use std::{sync::Arc, time::Duration};
use world::{OPEN, World, dynamic, send, who};

const ACCOUNTS: u64 = 20_000;
const BLOCK: u64 = 1_000;
const BLOCKS: u64 = ACCOUNTS / BLOCK;

fn account(n: u64) -> Address {
    Address::from_word(keccak256(n.to_be_bytes()))
}

/// Moves one unit between two slots that depend on caller and calldata, and logs, as an ERC-20 does.
const TOKEN: &str =
    "0x335f525f60205260405f20805460019003905560043560005260405f208054600101905560015f5260205fa000";

fn measure(name: &str, tx: impl Fn(u64, u64) -> TxEip1559) {
    let rules = stf::RollupRules {
        gas_limit: 4_000_000_000,
        gas_target: 2_000_000_000,
        ..world::rollup_rules()
    };
    let mut world = World::with_rules(rules, 10).code(who(2), TOKEN);
    for n in 0..ACCOUNTS {
        world = world.fund(account(n), OPEN);
    }
    let blocks: Vec<Vec<Arc<CheckedTx>>> = (0..BLOCKS)
        .map(|block| {
            (block * BLOCK..(block + 1) * BLOCK)
                .map(|n| send(tx(n, 0), account(n)))
                .collect()
        })
        .collect();
    // The kernel counts in ticks: all blocks are one measurement, each on the same parent.
    let start = cpu();
    for txs in &blocks {
        let block = world.run(txs).expect("valid");
        assert!(block.receipts.iter().all(|receipt| receipt.success));
    }
    println!(
        "{name}: {:.2} µs",
        (cpu() - start).as_secs_f64() * 1e6 / (BLOCK * BLOCKS) as f64
    );
}

fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    Duration::from_nanos(
        text.split(' ')
            .next()
            .and_then(|ns| ns.parse().ok())
            .expect("nanoseconds"),
    )
}

fn main() {
    measure("native transfer", |n, nonce| TxEip1559 {
        value: U256::from(1),
        ..dynamic(account(n + 7).into(), nonce)
    });
    measure("token transfer", |n, nonce| {
        let mut input = vec![0u8; 68];
        input[16..36].copy_from_slice(account(n + 9).as_slice());
        TxEip1559 {
            input: input.into(),
            ..dynamic(who(2).into(), nonce)
        }
    });
}
