//! A small chain in memory: rules, a funded state, and transactions whose sender is written down instead of signed.

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, bytes, keccak256};
use builder::BlockLimits;
use mempool::{PoolLimits, SenderState, SharedPool};
use primitives::{Account, CheckedTx, Header, Transaction, TxDeposit};
use std::sync::Arc;
use stf::{BlockContext, EthereumRules, MemoryState, RollupRules, Rules};

pub const LIMITS: BlockLimits = BlockLimits {
    da_bytes_max: 1 << 20,
    raw_bytes_max: 1 << 20,
    deposit_gas_max: 1 << 40,
};
pub const PARENT_HASH: B256 = B256::repeat_byte(0xaa);
/// Writes the call value into slot 0 and logs it.
pub const NOTEBOOK: Address = Address::repeat_byte(0x77);
const NOTEBOOK_CODE: Bytes = bytes!("345f55345f5260205fa000");
/// Burns all gas it gets.
pub const FURNACE: Address = Address::repeat_byte(0x66);

pub fn rollup(change: impl FnOnce(&mut RollupRules)) -> Arc<Rules> {
    let network = config::Network::parse(include_str!("../../../../config/dev.toml")).unwrap();
    let mut rules = RollupRules::new(&network);
    change(&mut rules);
    Arc::new(Rules::Rollup(rules))
}

pub fn l1() -> Arc<Rules> {
    Arc::new(Rules::Ethereum(EthereumRules::new(
        1,
        30_000_000,
        config::L1Fork::Osaka,
        Vec::new(),
    )))
}

pub fn address(n: u8) -> Address {
    Address::repeat_byte(n)
}

/// Senders 1 to 99 with 10^18 wei each.
pub fn state() -> MemoryState {
    let mut state = MemoryState::default();
    for n in 1..=99 {
        state.set_account(
            address(n),
            Account {
                balance: U256::from(10u64.pow(18)),
                ..Account::default()
            },
        );
    }
    state.set_code(NOTEBOOK, NOTEBOOK_CODE);
    state.set_code(FURNACE, bytes!("fe"));
    state.set_block_hash(0, PARENT_HASH);
    state
}

pub fn parent(rules: &Rules) -> Header {
    Header {
        gas_limit: rules.gas_limit(),
        base_fee_per_gas: Some(1_000_000_000),
        timestamp: 1_000,
        excess_blob_gas: Some(0),
        blob_gas_used: Some(0),
        ..Header::default()
    }
}

pub fn context() -> BlockContext {
    BlockContext {
        timestamp: 1_001,
        beneficiary: Address::repeat_byte(0xbe),
        ..BlockContext::default()
    }
}

pub fn tx(
    rules: &Rules,
    sender: u8,
    nonce: u64,
    change: impl FnOnce(&mut TxEip1559),
) -> Arc<CheckedTx> {
    let mut tx = TxEip1559 {
        chain_id: rules.chain_id(),
        nonce,
        gas_limit: 50_000,
        max_fee_per_gas: 10_000_000_000,
        max_priority_fee_per_gas: 1,
        to: TxKind::Call(Address::repeat_byte(0xdd)),
        value: U256::from(7),
        access_list: Default::default(),
        input: Bytes::new(),
    };
    change(&mut tx);
    let tx = Transaction::Signed(tx.into_signed(Signature::test_signature()).into());
    let sender = address(sender);
    let raw = Bytes::from(tx.encode());
    // The dummy signature does not tell senders apart; the hash has to.
    let hash = keccak256([raw.as_ref(), sender.as_slice()].concat());
    Arc::new(CheckedTx {
        tx,
        raw,
        hash,
        sender,
    })
}

pub fn deposit(n: u8, gas_limit: u64) -> Arc<CheckedTx> {
    Arc::new(CheckedTx::deposit(TxDeposit {
        source_hash: B256::repeat_byte(n),
        from: Address::repeat_byte(0xd0 + n),
        to: TxKind::Call(Address::repeat_byte(0xd0 + n)),
        mint: 1_000,
        value: U256::ZERO,
        gas_limit,
        ..TxDeposit::default()
    }))
}

/// A pool that believes every sender to be rich, so that execution has something to refuse.
pub fn pool(rules: &Arc<Rules>, txs: &[Arc<CheckedTx>]) -> SharedPool {
    let pool = SharedPool::new(rules.clone(), PoolLimits::sequencer(0));
    for tx in txs {
        let rich = SenderState {
            nonce: 0,
            balance: U256::MAX,
            has_code: false,
        };
        pool.lock().add(tx.clone(), rich, 0).unwrap();
    }
    pool
}
