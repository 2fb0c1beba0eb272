//! Blocks under Ethereum's rules: what happens around the transactions.

mod world;

use alloy_consensus::{SignableTransaction, TxEip4844};
use alloy_eips::{
    eip2935::HISTORY_STORAGE_ADDRESS,
    eip4788::BEACON_ROOTS_ADDRESS,
    eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
    eip7685::{EMPTY_REQUESTS_HASH, Requests},
};
use alloy_primitives::{B256, U256, bytes};
use config::{BlobParams, L1Fork};
use primitives::{Anchor, CheckedTx, Transaction};
use std::sync::Arc;
use stf::{
    AccountOverride, BlockContext, BlockExecutor, CallOverrides, CallRequest, EthereumRules,
    ExecutedBlock, Rules, StateReader, TxRejection,
};
use world::{GWEI, OPEN, World, checked, signature, transfer, who};

const SCHEDULE: BlobParams = BlobParams {
    from_s: 0,
    target: 6,
    max: 9,
    update_fraction: 5_007_716,
};
const BEACON_ROOT: B256 = B256::repeat_byte(0xbe);

fn world(fork: L1Fork) -> World {
    let mut world = World::new(0).fund(who(1), OPEN);
    let rules = EthereumRules::new(world::CHAIN_ID, 60_000_000, fork, vec![SCHEDULE]);
    world.rules = Arc::new(Rules::Ethereum(rules));
    world.parent.gas_used = 30_000_000;
    world
}

fn begin(world: &World) -> BlockExecutor<&stf::MemoryState> {
    let context = BlockContext {
        timestamp: 1_012,
        anchor: Anchor {
            hash: BEACON_ROOT,
            ..Default::default()
        },
        beneficiary: who(7),
        prev_randao: B256::repeat_byte(3),
    };
    BlockExecutor::begin(
        &world.rules,
        &world.parent,
        world.parent.hash_slow(),
        context,
        &world.state,
    )
    .unwrap()
}

fn block(world: &mut World, txs: &[Arc<CheckedTx>]) -> ExecutedBlock {
    let mut block = begin(world);
    for tx in txs {
        block.execute(tx).unwrap();
    }
    let block = block.finish().unwrap();
    world.state.apply(&block.diff);
    block
}

fn blobs(count: u8, nonce: u64) -> Arc<CheckedTx> {
    let blob_versioned_hashes = (0..count)
        .map(|n| {
            let mut hash = B256::repeat_byte(n);
            hash[0] = 1;
            hash
        })
        .collect();
    let tx = TxEip4844 {
        chain_id: world::CHAIN_ID,
        nonce,
        gas_limit: 100_000,
        max_fee_per_gas: 2 * GWEI,
        max_priority_fee_per_gas: GWEI,
        max_fee_per_blob_gas: GWEI,
        to: who(9),
        blob_versioned_hashes,
        ..Default::default()
    };
    checked(
        Transaction::Signed(tx.into_signed(signature()).into()),
        who(1),
    )
}

#[test]
fn the_base_fee_is_burned_and_the_tip_is_the_beneficiarys() {
    let mut world = world(L1Fork::Prague);
    let before = world.supply();
    let block = block(&mut world, &[transfer(who(9), 5, 0)]);
    assert_eq!(before - world.supply(), U256::from(21_000 * GWEI));
    assert_eq!(world.balance(who(7)), 21_000 * GWEI);
    assert_eq!(world.vaults(), [0, 0, 0]);
    assert_eq!(
        (block.header.beneficiary, block.header.mix_hash),
        (who(7), B256::repeat_byte(3))
    );
    assert_eq!(block.header.parent_beacon_block_root, Some(BEACON_ROOT));
    assert_eq!(
        block.header.withdrawals_root,
        Some(alloy_consensus::EMPTY_ROOT_HASH)
    );
}

#[test]
fn blobs_are_counted_priced_and_limited() {
    let mut world = world(L1Fork::Prague);
    let before = world.supply();
    let done = block(&mut world, &[blobs(9, 0)]);
    assert_eq!(done.header.blob_gas_used, Some(9 << 17));
    assert_eq!(
        before - world.supply(),
        U256::from(21_000 * GWEI + (9 << 17))
    );

    let mut full = begin(&world);
    full.execute(&blobs(5, 1)).unwrap();
    assert_eq!(
        full.execute(&blobs(5, 2)),
        Err(TxRejection::BlobGasLimitReached)
    );
    full.execute(&blobs(4, 2)).unwrap();
}

#[test]
fn osaka_takes_six_blobs_in_one_transaction() {
    let world = world(L1Fork::Osaka);
    assert_eq!(
        begin(&world).execute(&blobs(7, 0)),
        Err(TxRejection::TooManyBlobs { have: 7, max: 6 })
    );
    assert!(begin(&world).execute(&blobs(6, 0)).is_ok());
    assert_eq!(
        begin(&world).execute(&blobs(0, 0)),
        Err(TxRejection::NoBlobs)
    );
}

#[test]
fn system_contracts_are_called_where_they_are() {
    // The runtime code of EIP-4788 and of EIP-2935.
    const ROOTS: &str = "0x3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762001fff810690815414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f359062001fff015500";
    const HASHES: &str = "0x3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500";
    let slot = |world: &World, address, slot: u64| {
        B256::from(world.state.storage(address, U256::from(slot)).unwrap())
    };
    for (fork, history) in [(L1Fork::Cancun, false), (L1Fork::Prague, true)] {
        let mut world = world(fork)
            .code(BEACON_ROOTS_ADDRESS, ROOTS)
            .code(HISTORY_STORAGE_ADDRESS, HASHES);
        let parent = world.parent.hash_slow();
        let block = block(&mut world, &[]);
        assert_eq!(
            slot(&world, BEACON_ROOTS_ADDRESS, 1_012),
            B256::from(U256::from(1_012))
        );
        assert_eq!(
            slot(&world, BEACON_ROOTS_ADDRESS, 1_012 + 8_191),
            BEACON_ROOT
        );
        assert_eq!(
            slot(&world, HISTORY_STORAGE_ADDRESS, 0),
            if history { parent } else { B256::ZERO }
        );
        assert_eq!(
            block.header.requests_hash,
            history.then_some(EMPTY_REQUESTS_HASH)
        );
    }
}

#[test]
fn requests_are_hashed_by_type() {
    // Returns 0xaabb whoever asks.
    let mut world = world(L1Fork::Prague).code(
        WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
        "0x61aabb5f526002601ef3",
    );
    let requests = Requests::new(vec![bytes!("01aabb")]);
    assert_eq!(
        block(&mut world, &[]).header.requests_hash,
        Some(requests.requests_hash())
    );
}

#[test]
fn a_failing_request_contract_makes_the_block_invalid() {
    let world = world(L1Fork::Prague).code(WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, "0xfe");
    let error = begin(&world).finish().unwrap_err();
    assert_eq!(
        error,
        stf::BlockError::SystemCall(WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS)
    );
}

#[test]
fn osaka_caps_a_transactions_gas() {
    let tx = |gas_limit| {
        let tx = alloy_consensus::TxEip1559 {
            gas_limit,
            ..world::dynamic(who(9).into(), 0)
        };
        world::send(tx, who(1))
    };
    let over = (1 << 24) + 1;
    assert!(begin(&world(L1Fork::Prague)).execute(&tx(over)).is_ok());
    let refused = begin(&world(L1Fork::Osaka)).execute(&tx(over));
    assert_eq!(
        refused,
        Err(TxRejection::GasLimitTooHigh {
            cap: 1 << 24,
            gas: over
        })
    );
}

/// EIP-1283's own cases: code, the slot before it, gas beside the 21000, refund.
const NET_METERING: [(&str, u64, u64, u64); 17] = [
    ("60006000556000600055", 0, 412, 0),
    ("60006000556001600055", 0, 20_212, 0),
    ("60016000556000600055", 0, 20_212, 19_800),
    ("60016000556002600055", 0, 20_212, 0),
    ("60016000556001600055", 0, 20_212, 0),
    ("60006000556000600055", 1, 5_212, 15_000),
    ("60006000556001600055", 1, 5_212, 4_800),
    ("60006000556002600055", 1, 5_212, 0),
    ("60026000556000600055", 1, 5_212, 15_000),
    ("60026000556003600055", 1, 5_212, 0),
    ("60026000556001600055", 1, 5_212, 4_800),
    ("60026000556002600055", 1, 5_212, 0),
    ("60016000556000600055", 1, 5_212, 15_000),
    ("60016000556002600055", 1, 5_212, 0),
    ("60016000556001600055", 1, 412, 0),
    ("600160005560006000556001600055", 0, 40_218, 19_800),
    ("600060005560016000556000600055", 1, 10_218, 19_800),
];

/// What a call of `code` spends and gets back, where slot 0 holds `before`.
fn written(fork: L1Fork, code: &str, before: u64) -> (u64, u64) {
    let mut world = world(fork);
    let mut rules = EthereumRules::new(world::CHAIN_ID, 60_000_000, fork, Vec::new());
    rules.block_forks = vec![(0, fork)];
    rules.forks = Vec::new();
    world.rules = Arc::new(Rules::Ethereum(rules));
    let target = who(9);
    let account = AccountOverride {
        code: Some(alloy_primitives::hex::decode(code).unwrap().into()),
        state: Some([(U256::ZERO, U256::from(before))].into()),
        ..AccountOverride::default()
    };
    let overrides = CallOverrides {
        accounts: [(target, account)].into(),
        ..CallOverrides::default()
    };
    let request = CallRequest {
        to: Some(target),
        gas_limit: Some(1_000_000),
        gas_price: Some(0),
        ..CallRequest::default()
    };
    let header = primitives::Header {
        difficulty: U256::from(1),
        ..world.parent.clone()
    };
    let outcome = stf::call(&world.rules, &header, &world.state, &request, &overrides).unwrap();
    assert!(outcome.success, "{:?}", outcome.halt);
    (
        outcome.gas_used + outcome.gas_refunded - 21_000,
        outcome.gas_refunded,
    )
}

#[test]
fn constantinople_alone_meters_writes_by_what_they_change() {
    for (code, before, gas, refund) in NET_METERING {
        // Half of what was spent is the most that comes back.
        let refund = refund.min((21_000 + gas) / 2);
        let case = format!("{code} over {before}");
        assert_eq!(
            written(L1Fork::Constantinople, code, before),
            (gas, refund),
            "{case}"
        );
        if gas == 412 {
            let petersburg = written(L1Fork::Petersburg, code, before);
            assert_eq!(petersburg, (10_012, 0), "{case}: taken back");
        }
    }
}
