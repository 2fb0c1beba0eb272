//! From block to block: anchors, data gas price, base fee, headers.

mod world;

use alloy_eips::{eip2935::HISTORY_STORAGE_ADDRESS, eip7685::EMPTY_REQUESTS_HASH};
use alloy_primitives::{B256, U256, keccak256};
use config::L1Fork;
use primitives::{Anchor, Header, predeploys::PRIORITY_FEE_VAULT};
use proptest::prelude::*;
use std::sync::Arc;
use stf::{BlockError, EthereumRules, Rules, StateReader, next_base_fee, next_excess_blob_gas};
use world::{GWEI, OPEN, World, deposit, rollup_rules, transfer, who};

#[test]
fn a_new_anchor_is_written_and_moves_the_price_for_the_next_block() {
    let mut world = World::new(16).fund(who(1), OPEN);
    // 100 gwei on both markets: far above what 16 gas a byte pays.
    world.anchor = Anchor {
        number: 9,
        hash: B256::repeat_byte(9),
        timestamp: 950,
        base_fee: 100 * GWEI,
        blob_base_fee: 100 * GWEI,
        ..world.anchor
    };
    let first = world.block(&[transfer(who(9), 1, 0)]);
    assert_eq!(first.header.gas_used, 21_000 + 16 * 80);
    let info = world.l1_info();
    assert_eq!(
        (
            info.number,
            info.timestamp,
            info.da_gas_per_byte,
            info.queue_consumed
        ),
        (9, 950, 18, 3)
    );
    assert_eq!(
        stf::l1_info::anchor(&world.state).unwrap(),
        Anchor {
            prev_randao: B256::ZERO,
            ..world.anchor
        }
    );
    assert_eq!(stf::da_gas_per_byte(&world.state), 18);

    let second = world.block(&[transfer(who(9), 1, 1)]);
    assert_eq!(second.header.gas_used, 21_000 + 18 * 80);
    assert_eq!(
        world.l1_info().da_gas_per_byte,
        18,
        "the same anchor moves nothing"
    );
}

#[test]
fn deposits_are_counted() {
    let mut world = World::new(0);
    world.block(&[deposit(|_| {}), deposit(|d| d.gas_limit = 0)]);
    assert_eq!(world.l1_info().queue_consumed, 5);
    world.block(&[]);
    assert_eq!(world.l1_info().queue_consumed, 5);
}

#[test]
fn an_empty_block_changes_nothing() {
    let mut world = World::new(5);
    let block = world.block(&[]);
    assert_eq!(block.diff, Default::default());
    assert_eq!(block.header.gas_used, 0);
}

#[test]
fn an_anchor_cannot_go_back_or_be_replaced() {
    let mut world = World::new(0);
    world.anchor.number = 6;
    assert_eq!(
        world.run(&[]).unwrap_err(),
        BlockError::AnchorWentBack { from: 7, to: 6 }
    );
    world.anchor = Anchor {
        number: 7,
        hash: B256::repeat_byte(8),
        ..world.anchor
    };
    assert!(matches!(
        world.run(&[]).unwrap_err(),
        BlockError::AnchorReplaced { number: 7, .. }
    ));
}

#[test]
fn the_first_anchor_may_have_any_number() {
    for number in [0, 5] {
        let mut world = World::new(0);
        world.state = Default::default();
        world.anchor.number = number;
        world.block(&[]);
        assert_eq!(world.l1_info().number, number);
        assert_eq!(
            stf::l1_info::anchor_hash(&world.state).unwrap(),
            world.anchor.hash
        );
    }
}

#[test]
fn time_may_stand_still_but_not_go_back() {
    let mut world = World::new(0);
    world.parent.timestamp = 1_001;
    assert!(world.run(&[]).is_ok());
    world.parent.timestamp = 1_002;
    assert_eq!(
        world.run(&[]).unwrap_err(),
        BlockError::Timestamp {
            timestamp: 1_001,
            min: 1_002
        }
    );
    world.parent.timestamp = 0;
    world.anchor.timestamp = 1_003;
    assert_eq!(
        world.run(&[]).unwrap_err(),
        BlockError::Timestamp {
            timestamp: 1_001,
            min: 1_003
        }
    );
}

#[test]
fn the_header_is_ethereums() {
    let world = World::new(0).fund(who(1), OPEN);
    let txs = [deposit(|_| {}), transfer(who(9), 1, 1)];
    let block = world.run(&txs).unwrap();
    let want = Header {
        parent_hash: world.parent.hash_slow(),
        beneficiary: PRIORITY_FEE_VAULT,
        state_root: B256::ZERO,
        transactions_root: trie::ordered_root(&[txs[0].raw.clone(), txs[1].raw.clone()]),
        receipts_root: trie::ordered_root(
            &block
                .receipts
                .iter()
                .map(|receipt| {
                    let mut out = Vec::new();
                    receipt.encode_2718(receipt.bloom(), &mut out);
                    out
                })
                .collect::<Vec<_>>(),
        ),
        number: 1,
        gas_limit: 60_000_000,
        gas_used: 42_000,
        timestamp: 1_001,
        mix_hash: world.anchor.prev_randao,
        base_fee_per_gas: Some(GWEI as u64),
        withdrawals_root: Some(B256::ZERO),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(world.anchor.hash),
        requests_hash: Some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    };
    assert_eq!(block.header, want);

    let (state_root, withdrawals_root) = (B256::repeat_byte(1), B256::repeat_byte(2));
    let (sealed, _) = block.seal(state_root, Some(withdrawals_root));
    let want = Header {
        state_root,
        withdrawals_root: Some(withdrawals_root),
        ..want
    };
    assert_eq!((sealed.hash, &sealed.header), (want.hash_slow(), &want));
    let rlp = alloy_rlp::encode(&sealed.header);
    assert_eq!(keccak256(rlp), sealed.hash);
}

#[test]
fn past_hashes_are_kept_where_the_contract_is() {
    // The runtime code of EIP-2935.
    const CODE: &str = "0x3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500";
    let mut world = World::new(0).code(HISTORY_STORAGE_ADDRESS, CODE);
    let parent_hash = world.parent.hash_slow();
    world.block(&[]);
    let kept = world
        .state
        .storage(HISTORY_STORAGE_ADDRESS, U256::ZERO)
        .unwrap();
    assert_eq!(B256::from(kept), parent_hash);
}

fn ethereum(fork: L1Fork) -> Rules {
    Rules::Ethereum(EthereumRules::new(
        1,
        30_000_000,
        fork,
        vec![config::BlobParams {
            from_s: 0,
            target: 6,
            max: 9,
            update_fraction: 5_007_716,
        }],
    ))
}

/// Base fee of a parent and gas used in it (limit 30 M), and the next base fee.
fn base_fee(rules: &Rules, parent: u64, gas_used: u64, want: u64) {
    let parent = Header {
        base_fee_per_gas: Some(parent),
        gas_used,
        gas_limit: 30_000_000,
        ..Header::default()
    };
    assert_eq!(next_base_fee(rules, &parent), want);
}

// The cases of EIP-1559's arithmetic that geth tests (TestCalcBaseFee), with its limits scaled to 30 M.
#[test]
fn base_fee_follows_eip_1559() {
    let rules = ethereum(L1Fork::Osaka);
    base_fee(&rules, 1_000_000_000, 15_000_000, 1_000_000_000);
    base_fee(&rules, 1_000_000_000, 13_500_000, 987_500_000);
    base_fee(&rules, 1_000_000_000, 16_500_000, 1_012_500_000);
    base_fee(&rules, 1, 30_000_000, 2);
    base_fee(&rules, 0, 0, 0);
    base_fee(&rules, u64::MAX, 30_000_000, u64::MAX);
}

#[test]
fn base_fee_stops_at_the_floor() {
    let rules = Rules::Rollup(rollup_rules());
    base_fee(&rules, 10_000_000, 0, 10_000_000);
    base_fee(&rules, 11_000_000, 0, 10_000_000);
    base_fee(&rules, 80_000_000, 60_000_000, 90_000_000);
}

/// Excess and used blobs of a parent with this base fee; the next excess in blobs.
fn excess(fork: L1Fork, base_fee: u64, excess: u64, used: u64, want: u64) {
    let blob = 1 << 17;
    let parent = Header {
        base_fee_per_gas: Some(base_fee),
        excess_blob_gas: Some(excess * blob),
        blob_gas_used: Some(used * blob),
        ..Header::default()
    };
    assert_eq!(
        next_excess_blob_gas(&ethereum(fork), &parent, 12) / blob,
        want
    );
}

#[test]
fn excess_blob_gas_follows_eip_4844_and_7918() {
    excess(L1Fork::Prague, 1_000_000_000, 0, 5, 0);
    excess(L1Fork::Prague, 1_000_000_000, 10, 9, 13);
    // Blobs at 1 wei are below the reserve price of a 1 gwei base fee: the excess does not sink.
    excess(L1Fork::Osaka, 1_000_000_000, 10, 9, 13);
    excess(L1Fork::Osaka, 1_000_000_000, 10, 6, 12);
    excess(L1Fork::Osaka, 1, 10, 6, 10);
}

#[test]
fn ethereum_blocks_need_a_later_second() {
    let mut world = World::new(0);
    world.rules = Arc::new(ethereum(L1Fork::Osaka));
    world.parent.timestamp = 1_001;
    assert_eq!(
        world.run(&[]).unwrap_err(),
        BlockError::Timestamp {
            timestamp: 1_001,
            min: 1_002
        }
    );
}

proptest! {
    #[test]
    fn base_fee_never_panics_and_stays_above_the_floor(parent: u64, used: u64, target: u64, denominator: u64, floor: u64) {
        let rules = stf::RollupRules { gas_target: target, base_fee_change_denominator: denominator, base_fee_floor: floor, ..rollup_rules() };
        let parent = Header { base_fee_per_gas: Some(parent), gas_used: used, ..Header::default() };
        prop_assert!(next_base_fee(&Rules::Rollup(rules), &parent) >= floor);
    }

    #[test]
    fn excess_blob_gas_never_panics(base_fee: u64, excess: u64, used: u64, target: u64, max: u64) {
        let schedule = vec![config::BlobParams { from_s: 0, target, max, update_fraction: 5_007_716 }];
        let rules = Rules::Ethereum(EthereumRules::new(1, 30_000_000, L1Fork::Osaka, schedule));
        let parent = Header { base_fee_per_gas: Some(base_fee), excess_blob_gas: Some(excess), blob_gas_used: Some(used), ..Header::default() };
        next_excess_blob_gas(&rules, &parent, 12);
    }
}
