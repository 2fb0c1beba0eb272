//! Facts about blocks: what enters, what waits, what leaves, and what a second execution notices.

mod support;

use alloy_primitives::{Address, B256, TxKind, U256};
use builder::{BlockBuilder, BlockLimits, Divergence, Dropped, Filled, Reason, Stop, verify};
use mempool::{Counts, SharedPool};
use primitives::{AccountDiff, CheckedTx, Header};
use proptest::prelude::*;
use std::sync::Arc;
use stf::{ExecutedBlock, MemoryState, Rules, TxRejection, next_base_fee};
use support::*;

const NO_DEPOSITS: &[Arc<CheckedTx>] = &[];

/// Builds on `parent` from the pool alone, in one fill.
fn build_on(
    rules: &Arc<Rules>,
    parent: &Header,
    state: &MemoryState,
    pool: &SharedPool,
) -> (ExecutedBlock, Filled) {
    let mut block = BlockBuilder::begin(
        rules,
        (parent, PARENT_HASH),
        context(),
        NO_DEPOSITS,
        LIMITS,
        state,
    )
    .unwrap();
    let filled = block.fill(pool, usize::MAX).unwrap();
    (block.finish().unwrap(), filled)
}

fn build(rules: &Arc<Rules>, txs: &[Arc<CheckedTx>]) -> (ExecutedBlock, Filled, SharedPool) {
    let pool = pool(rules, txs);
    let (block, filled) = build_on(rules, &parent(rules), &state(), &pool);
    (block, filled, pool)
}

fn check(rules: &Arc<Rules>, block: &ExecutedBlock) -> Result<(), Divergence> {
    verify(
        rules,
        (&parent(rules), PARENT_HASH),
        context(),
        block,
        state(),
    )
}

fn hashes(txs: &[Arc<CheckedTx>]) -> Vec<B256> {
    txs.iter().map(|tx| tx.hash).collect()
}

#[test]
fn ready_transactions_enter_best_first() {
    let rules = rollup(|_| {});
    let tip = |sender, tip| tx(&rules, sender, 0, |tx| tx.max_priority_fee_per_gas = tip);
    let txs = [tip(1, 5), tip(2, 9), tip(3, 7)];
    let (block, filled, pool) = build(&rules, &txs);
    assert_eq!(
        hashes(&block.transactions),
        [txs[1].hash, txs[2].hash, txs[0].hash]
    );
    assert_eq!(
        filled,
        Filled {
            executed: 3,
            dropped: Vec::new(),
            stop: Stop::Dry
        }
    );
    check(&rules, &block).unwrap();
    pool.lock().on_block(&block.diff, 0);
    assert_eq!(pool.lock().counts(), Counts::default());
}

#[test]
fn transactions_that_come_during_the_block_enter_it() {
    let rules = rollup(|_| {});
    let (pool, parent, state) = (
        pool(&rules, &[tx(&rules, 1, 0, |_| {})]),
        parent(&rules),
        state(),
    );
    let mut block = BlockBuilder::begin(
        &rules,
        (&parent, PARENT_HASH),
        context(),
        NO_DEPOSITS,
        LIMITS,
        &state,
    )
    .unwrap();
    assert_eq!(block.fill(&pool, 64).unwrap().executed, 1);
    assert_eq!(block.fill(&pool, 64).unwrap().executed, 0);
    let rich = mempool::SenderState {
        balance: U256::MAX,
        ..Default::default()
    };
    pool.lock().add(tx(&rules, 1, 1, |_| {}), rich, 0).unwrap();
    assert_eq!(block.fill(&pool, 64).unwrap().executed, 1);
    assert_eq!(block.finish().unwrap().transactions.len(), 2);
}

#[test]
fn a_budget_ends_a_fill_and_the_rest_stays() {
    let rules = rollup(|_| {});
    let txs: Vec<_> = (0..5).map(|nonce| tx(&rules, 1, nonce, |_| {})).collect();
    let (pool, parent, state) = (pool(&rules, &txs), parent(&rules), state());
    let mut block = BlockBuilder::begin(
        &rules,
        (&parent, PARENT_HASH),
        context(),
        NO_DEPOSITS,
        LIMITS,
        &state,
    )
    .unwrap();
    let filled = block.fill(&pool, 3).unwrap();
    assert_eq!((filled.executed, filled.stop), (3, Stop::Budget));
    let block = block.finish().unwrap();
    pool.lock().on_block(&block.diff, 0);
    assert_eq!(pool.lock().counts().pending, 2);
}

/// exe-2: whatever validation refuses must not be seen in anything that follows.
#[test]
fn refused_transactions_leave_no_trace() {
    for rules in [rollup(|_| {}), l1()] {
        let call = |sender, nonce| {
            tx(&rules, sender, nonce, |tx| {
                tx.to = TxKind::Call(NOTEBOOK);
                tx.gas_limit = 200_000;
            })
        };
        let valid = [call(1, 0), call(2, 0), call(1, 1)];
        let high = |tx: &mut alloy_consensus::TxEip1559| tx.max_priority_fee_per_gas = 1_000;
        let invalid = [
            // More than anyone has.
            tx(&rules, 3, 0, |tx| {
                high(tx);
                tx.value = U256::from(2 * 10u64.pow(18));
            }),
            // Cannot pay the gas it may use.
            tx(&rules, 0xee, 0, high),
            tx(&rules, 4, 0, |tx| {
                high(tx);
                tx.gas_limit = 20_000;
            }),
            tx(&rules, 5, 0, |tx| {
                high(tx);
                tx.chain_id += 1;
            }),
        ];
        let (clean, ..) = build(&rules, &valid);
        let mixed: Vec<_> = invalid.iter().chain(&valid).cloned().collect();
        let (block, filled, pool) = build(&rules, &mixed);
        assert_eq!(block, clean);
        check(&rules, &block).unwrap();
        let mut dropped: Vec<_> = filled
            .dropped
            .iter()
            .map(|dropped| dropped.tx.hash)
            .collect();
        let mut want = hashes(&invalid);
        dropped.sort_unstable();
        want.sort_unstable();
        assert_eq!(dropped, want);
        assert!(invalid.iter().all(|tx| !pool.lock().contains(&tx.hash)));
    }
}

#[test]
fn what_follows_a_refused_one_waits() {
    let rules = rollup(|_| {});
    let txs = [
        tx(&rules, 1, 0, |tx| tx.value = U256::from(2 * 10u64.pow(18))),
        tx(&rules, 1, 1, |_| {}),
        tx(&rules, 2, 0, |_| {}),
    ];
    let (block, filled, pool) = build(&rules, &txs);
    assert_eq!(hashes(&block.transactions), [txs[2].hash]);
    let Dropped { tx, reason } = &filled.dropped[0];
    assert_eq!(tx.hash, txs[0].hash);
    assert!(
        reason
            .to_string()
            .starts_with("insufficient funds for gas * price + value"),
        "{reason}"
    );
    let counts = pool.lock().counts();
    assert_eq!((counts.pending, counts.queued), (1, 1));
}

#[test]
fn the_gas_limit_holds_and_what_does_not_fit_waits() {
    let rules = rollup(|rules| rules.gas_limit = 120_000);
    let burn = |sender, gas_limit, tip| {
        tx(&rules, sender, 0, |tx| {
            tx.to = TxKind::Call(FURNACE);
            tx.gas_limit = gas_limit;
            tx.max_priority_fee_per_gas = tip;
        })
    };
    // 60000 + 70000 do not fit; 60000 + 50000 do.
    let txs = [burn(1, 60_000, 9), burn(2, 70_000, 8), burn(3, 50_000, 7)];
    let (block, filled, pool) = build(&rules, &txs);
    assert_eq!(hashes(&block.transactions), [txs[0].hash, txs[2].hash]);
    assert_eq!(block.header.gas_used, 110_000);
    assert_eq!(filled.stop, Stop::Full);
    assert!(filled.dropped.is_empty());
    pool.lock().on_block(&block.diff, 0);
    assert!(pool.lock().contains(&txs[1].hash));

    let mut next = state();
    next.apply(&block.diff);
    let (block, _) = build_on(&rules, &parent(&rules), &next, &pool);
    assert_eq!(hashes(&block.transactions), [txs[1].hash]);
}

#[test]
fn bytes_on_l1_are_limited_and_what_never_fits_leaves() {
    let rules = rollup(|_| {});
    let data = |sender, length: usize| {
        tx(&rules, sender, 0, |tx| {
            tx.input = vec![1; length].into();
            tx.gas_limit = 1_000_000;
        })
    };
    let txs = [data(1, 300), data(2, 300), data(3, 900), data(4, 50)];
    let (pool, parent, state) = (pool(&rules, &txs), parent(&rules), state());
    let limits = BlockLimits {
        da_bytes_max: 600,
        ..LIMITS
    };
    let mut block = BlockBuilder::begin(
        &rules,
        (&parent, PARENT_HASH),
        context(),
        NO_DEPOSITS,
        limits,
        &state,
    )
    .unwrap();
    let filled = block.fill(&pool, usize::MAX).unwrap();
    assert_eq!(block.da_bytes(), 380 + 130);
    assert_eq!(
        hashes(&block.finish().unwrap().transactions),
        [txs[0].hash, txs[3].hash]
    );
    let reason = Reason::DoesNotFit {
        bytes: 980,
        max: 600,
    };
    assert_eq!(
        filled.dropped,
        [Dropped {
            tx: txs[2].clone(),
            reason
        }]
    );
    assert!(pool.lock().contains(&txs[1].hash));
}

#[test]
fn encoded_bytes_are_limited() {
    let rules = rollup(|_| {});
    let txs: Vec<_> = (1..=3).map(|n| tx(&rules, n, 0, |_| {})).collect();
    let (pool, parent, state) = (pool(&rules, &txs), parent(&rules), state());
    let limits = BlockLimits {
        raw_bytes_max: 2 * txs[0].raw.len() as u64,
        ..LIMITS
    };
    let mut block = BlockBuilder::begin(
        &rules,
        (&parent, PARENT_HASH),
        context(),
        NO_DEPOSITS,
        limits,
        &state,
    )
    .unwrap();
    assert_eq!(block.fill(&pool, usize::MAX).unwrap().executed, 2);
}

/// One large transaction after another that does not fit must not keep the block open.
#[test]
fn many_misfits_in_a_row_end_a_block_and_scattered_ones_do_not() {
    let rules = rollup(|rules| rules.gas_limit = 3_000_000);
    let wish = |n: u8, gas_limit| {
        tx(&rules, n, 0, |tx| {
            tx.gas_limit = gas_limit;
            tx.max_priority_fee_per_gas = u128::from(200 - n);
        })
    };
    let first = wish(1, 21_000);
    let misfit = |n| wish(n, 2_999_999);
    let row: Vec<_> = [first.clone()]
        .into_iter()
        .chain((2..=40).map(misfit))
        .chain([wish(41, 21_000)])
        .collect();
    let (block, filled, pool) = build(&rules, &row);
    assert_eq!(hashes(&block.transactions), [first.hash]);
    assert_eq!(filled.stop, Stop::Full);
    pool.lock().start_block();
    pool.lock().on_block(&block.diff, 0);
    assert_eq!(pool.lock().take(0, 100).len(), 40);

    let scattered: Vec<_> = (1..=90)
        .map(|n| {
            if n % 2 == 0 {
                misfit(n)
            } else {
                wish(n, 21_000)
            }
        })
        .collect();
    let (block, filled, _) = build(&rules, &scattered);
    assert_eq!((block.transactions.len(), filled.stop), (45, Stop::Dry));
}

#[test]
fn deposits_come_first() {
    let rules = rollup(|_| {});
    let (pool, parent, state) = (
        pool(&rules, &[tx(&rules, 1, 0, |_| {})]),
        parent(&rules),
        state(),
    );
    let deposits = [deposit(1, 100_000), deposit(2, 100_000)];
    let mut block = BlockBuilder::begin(
        &rules,
        (&parent, PARENT_HASH),
        context(),
        &deposits,
        LIMITS,
        &state,
    )
    .unwrap();
    assert_eq!((block.deposits(), block.tx_count()), (2, 2));
    block.fill(&pool, 10).unwrap();
    let block = block.finish().unwrap();
    assert_eq!(hashes(&block.transactions[..2]), hashes(&deposits));
    assert!(!block.transactions[2].tx.is_deposit());
    check(&rules, &block).unwrap();
}

#[test]
fn deposits_leave_gas_for_others_but_one_always_enters() {
    let rules = rollup(|_| {});
    let (parent, state) = (parent(&rules), state());
    let deposits: Vec<_> = (1..=4).map(|n| deposit(n, 100_000)).collect();
    for (deposit_gas_max, want) in [(250_000, 2), (50_000, 1), (1_000_000, 4)] {
        let limits = BlockLimits {
            deposit_gas_max,
            ..LIMITS
        };
        let block = BlockBuilder::begin(
            &rules,
            (&parent, PARENT_HASH),
            context(),
            &deposits,
            limits,
            &state,
        )
        .unwrap();
        assert_eq!(block.deposits(), want);
    }
}

#[test]
fn an_l1_has_no_deposits() {
    let rules = l1();
    let result = BlockBuilder::begin(
        &rules,
        (&parent(&rules), PARENT_HASH),
        context(),
        &[deposit(1, 1)],
        LIMITS,
        state(),
    );
    assert_eq!(
        result.err(),
        Some(stf::BlockError::Tx {
            index: 0,
            source: TxRejection::TypeNotSupported
        })
    );
}

#[test]
fn a_risen_base_fee_makes_transactions_wait_and_loses_none() {
    let rules = rollup(|_| {});
    let before = parent(&rules);
    let full = Header {
        gas_used: before.gas_limit,
        ..before.clone()
    };
    let (low, high) = (next_base_fee(&rules, &before), next_base_fee(&rules, &full));
    assert!(low < high);
    let txs = [
        tx(&rules, 1, 0, |tx| tx.max_fee_per_gas = low.into()),
        tx(&rules, 1, 1, |_| {}),
    ];
    let (pool, state) = (pool(&rules, &txs), state());
    let (block, filled) = build_on(&rules, &full, &state, &pool);
    assert!(block.transactions.is_empty() && filled.dropped.is_empty());
    assert_eq!(pool.lock().counts().pending, 2);
    let (block, _) = build_on(&rules, &before, &state, &pool);
    assert_eq!(hashes(&block.transactions), hashes(&txs));
}

#[test]
fn a_block_given_up_loses_nothing() {
    let rules = rollup(|_| {});
    let txs: Vec<_> = (0..3).map(|nonce| tx(&rules, 1, nonce, |_| {})).collect();
    let (first, _, pool) = build(&rules, &txs);
    pool.lock().release();
    let (second, _) = build_on(&rules, &parent(&rules), &state(), &pool);
    assert_eq!(first, second);
}

fn busy_block(rules: &Arc<Rules>) -> ExecutedBlock {
    let txs: Vec<_> = (1..=4)
        .map(|n| {
            tx(rules, n, 0, |tx| {
                tx.to = TxKind::Call(NOTEBOOK);
                tx.gas_limit = 200_000;
                tx.value = U256::from(n);
            })
        })
        .collect();
    let (block, ..) = build(rules, &txs);
    assert!(
        block
            .receipts
            .iter()
            .all(|receipt| receipt.success && receipt.logs.len() == 1)
    );
    check(rules, &block).unwrap();
    block
}

fn tampered(change: impl FnOnce(&mut ExecutedBlock)) -> String {
    let rules = rollup(|_| {});
    let mut block = busy_block(&rules);
    change(&mut block);
    check(&rules, &block).unwrap_err().to_string()
}

fn notebook(block: &mut ExecutedBlock) -> &mut AccountDiff {
    block
        .diff
        .accounts
        .iter_mut()
        .find(|account| account.address == NOTEBOOK)
        .unwrap()
}

#[track_caller]
fn says(said: String, parts: &[&str]) {
    assert!(parts.iter().all(|part| said.contains(part)), "{said}");
}

#[test]
fn a_false_receipt_is_named() {
    says(
        tampered(|block| block.receipts[2].success = false),
        &["block 1: transaction 2 (", "success: false, true again"],
    );
    says(
        tampered(|block| block.receipts[1].cumulative_gas_used += 1),
        &["transaction 1", "cumulative gas"],
    );
    says(
        tampered(|block| block.receipts[3].logs.clear()),
        &["transaction 3", "logs: 0 logs, log 0 is"],
    );
    says(
        tampered(|block| drop(block.receipts.pop())),
        &["3 receipts, 4 again"],
    );
}

#[test]
fn a_false_account_or_slot_is_named() {
    let notebook_name = NOTEBOOK.to_string();
    let account = ["account", &notebook_name];
    says(
        tampered(|block| notebook(block).after.as_mut().unwrap().balance += U256::ONE),
        &account,
    );
    says(
        tampered(|block| notebook(block).slots[0].after = U256::from(9)),
        &["slot 0x0: 0x0 to 0x9, 0x0 to 0x4 again"],
    );
    says(
        tampered(|block| notebook(block).slots.clear()),
        &["slot 0x0: unchanged, 0x0 to 0x4 again"],
    );
    says(
        tampered(|block| {
            block
                .diff
                .accounts
                .retain(|account| account.address != NOTEBOOK)
        }),
        &["account", &notebook_name, ": unchanged, from"],
    );
    let stranger = Address::ZERO;
    says(
        tampered(|block| {
            let after = Some(primitives::Account {
                nonce: 1,
                ..Default::default()
            });
            let diff = AccountDiff {
                address: stranger,
                before: None,
                after,
                wiped: false,
                slots: Vec::new(),
            };
            block.diff.accounts.insert(0, diff);
        }),
        &[
            "account 0x0000000000000000000000000000000000000000: from absent to nonce 1",
            "unchanged again",
        ],
    );
    says(
        tampered(|block| block.diff.codes.push((B256::ZERO, Default::default()))),
        &["deployed code differs at 0x00"],
    );
}

#[test]
fn a_false_header_is_named_by_field() {
    type Change = fn(&mut Header);
    let cases: [(Change, &str); 6] = [
        (
            |header| header.base_fee_per_gas = Some(1),
            "header base_fee_per_gas: Some(1)",
        ),
        (
            |header| header.timestamp += 1,
            "header timestamp: 1002, 1001 again",
        ),
        (|header| header.gas_used = 0, "header gas_used: 0"),
        (
            |header| header.receipts_root = B256::ZERO,
            "header receipts_root",
        ),
        (
            |header| header.state_root = B256::repeat_byte(1),
            "header state_root",
        ),
        (
            |header| header.extra_data = vec![1].into(),
            "header extra_data",
        ),
    ];
    for (change, want) in cases {
        says(tampered(|block| change(&mut block.header)), &[want]);
    }
}

#[test]
fn an_order_that_cannot_run_is_refused() {
    let rules = rollup(|_| {});
    let txs: Vec<_> = (0..2).map(|nonce| tx(&rules, 1, nonce, |_| {})).collect();
    let (mut block, ..) = build(&rules, &txs);
    block.transactions.swap(0, 1);
    says(
        check(&rules, &block).unwrap_err().to_string(),
        &["block 1: refused: transaction 0: nonce too high"],
    );
}

/// What a stale cache does: the builder's own state is wrong, so it agrees with itself.
#[test]
fn a_builder_with_a_false_state_is_caught() {
    let rules = rollup(|_| {});
    let mut stale = state();
    stale.set_storage(NOTEBOOK, U256::ZERO, U256::from(7));
    let call = tx(&rules, 1, 0, |tx| {
        tx.to = TxKind::Call(NOTEBOOK);
        tx.gas_limit = 200_000;
    });
    let (block, _) = build_on(&rules, &parent(&rules), &stale, &pool(&rules, &[call]));
    assert!(
        verify(
            &rules,
            (&parent(&rules), PARENT_HASH),
            context(),
            &block,
            &stale
        )
        .is_ok()
    );
    says(
        check(&rules, &block).unwrap_err().to_string(),
        &["transaction 0", "cumulative gas"],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is thrown at it: limits hold, the block verifies, and every transaction is in the block, in the
    /// pool, or named as dropped; once.
    #[test]
    fn nothing_is_lost_and_limits_hold(
        wishes in prop::collection::vec((1u8..=6, 0u64..4, 20_000u64..90_000, 0u8..3, 0u64..3, 0usize..200), 1..40),
        gas_limit in 90_000u64..400_000,
        da_bytes_max in 150u64..2_000,
        rollup_rules: bool,
    ) {
        let rules = if rollup_rules {
            rollup(|rules| rules.gas_limit = gas_limit)
        } else {
            Arc::new(Rules::Ethereum(stf::EthereumRules::new(1, gas_limit, config::L1Fork::Osaka, Vec::new())))
        };
        let pool = pool(&rules, &[]);
        let rich = mempool::SenderState { balance: U256::MAX, ..Default::default() };
        let mut admitted = Vec::new();
        for (sender, nonce, gas, target, ether, bytes) in wishes {
            let tx = tx(&rules, sender, nonce, |tx| {
                tx.gas_limit = gas;
                tx.to = TxKind::Call([NOTEBOOK, FURNACE, address(1)][target as usize]);
                tx.value = U256::from(ether * 6 * 10u64.pow(17));
                tx.input = vec![1; bytes].into();
                tx.max_priority_fee_per_gas = gas.into();
            });
            if let Ok(added) = pool.lock().add(tx.clone(), rich, 0) {
                admitted.retain(|old: &Arc<CheckedTx>| Some(old.hash) != added.replaced);
                admitted.push(tx);
            }
        }
        let parent = parent(&rules);
        let state = state();
        let limits = BlockLimits { da_bytes_max, ..LIMITS };
        let mut block = BlockBuilder::begin(&rules, (&parent, PARENT_HASH), context(), NO_DEPOSITS, limits, &state).unwrap();
        let mut dropped = Vec::new();
        loop {
            let filled = block.fill(&pool, 3).unwrap();
            dropped.extend(filled.dropped);
            if filled.stop != Stop::Budget { break }
        }
        prop_assert!(block.da_bytes() <= da_bytes_max);
        let block = block.finish().unwrap();
        prop_assert!(block.header.gas_used <= gas_limit);
        verify(&rules, (&parent, PARENT_HASH), context(), &block, support::state()).unwrap();
        for tx in &admitted {
            let dropped = dropped.iter().any(|dropped| dropped.tx.hash == tx.hash);
            prop_assert_eq!(pool.lock().contains(&tx.hash), !dropped);
            prop_assert!(!(dropped && block.transactions.contains(tx)));
        }
        pool.lock().on_block(&block.diff, 0);
        prop_assert!(block.transactions.iter().all(|tx| !pool.lock().contains(&tx.hash)));
    }
}
