//! A small rollup in memory: accounts with names, transactions in a line, one block at a time.
#![allow(dead_code)]

pub mod random;

use alloy_consensus::{SignableTransaction, TxEip1559, TxLegacy};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use primitives::{
    Account, Anchor, BlockInput, CheckedTx, Header, Transaction, TxDeposit,
    predeploys::{BASE_FEE_VAULT, DATA_FEE_VAULT, L1_INFO, PRIORITY_FEE_VAULT},
};
use std::sync::Arc;
use stf::{BlockError, ExecutedBlock, MemoryState, RollupRules, Rules, StateReader, execute_block};

pub const GWEI: u128 = 1_000_000_000;
pub const OPEN: u128 = 1_000_000_000 * GWEI;
pub const CHAIN_ID: u64 = 902;

/// The account with this number; never a precompile.
pub fn who(n: u8) -> Address {
    Address::repeat_byte(n)
}

pub fn rollup_rules() -> RollupRules {
    RollupRules {
        chain_id: CHAIN_ID,
        gas_limit: 60_000_000,
        gas_target: 30_000_000,
        tx_gas_cap: 1 << 24,
        allow_unprotected: true,
        base_fee_floor: 10_000_000,
        base_fee_change_denominator: 8,
        milli_open_per_eth: 10_000_000,
        da_gas_per_byte_max: 1_000,
        codes: Default::default(),
    }
}

#[derive(Clone)]
pub struct World {
    pub rules: Arc<Rules>,
    pub state: MemoryState,
    pub parent: Header,
    pub anchor: Anchor,
}

impl World {
    /// Base fee 1 gwei, data gas price `r`.
    pub fn new(r: u64) -> Self {
        Self::with_rules(rollup_rules(), r)
    }

    pub fn with_rules(rules: RollupRules, r: u64) -> Self {
        let parent = Header {
            gas_limit: rules.gas_limit,
            gas_used: rules.gas_target,
            base_fee_per_gas: Some(GWEI as u64),
            timestamp: 1_000,
            ..Header::default()
        };
        let anchor = Anchor {
            number: 7,
            hash: B256::repeat_byte(7),
            timestamp: 900,
            base_fee: GWEI,
            blob_base_fee: 1,
            prev_randao: B256::repeat_byte(0xaa),
        };
        let mut state = MemoryState::default();
        state.set_account(
            L1_INFO,
            Account {
                nonce: 1,
                ..Account::default()
            },
        );
        let packed = stf::l1_info::Packed {
            number: 7,
            timestamp: 900,
            da_gas_per_byte: r,
            queue_consumed: 3,
        };
        state.set_storage(L1_INFO, U256::ZERO, packed.into());
        state.set_storage(L1_INFO, U256::from(3), U256::from_be_bytes(anchor.hash.0));
        Self {
            rules: Arc::new(Rules::Rollup(rules)),
            state,
            parent,
            anchor,
        }
    }

    pub fn fund(mut self, address: Address, wei: u128) -> Self {
        self.state.add_balance(address, U256::from(wei));
        self
    }

    pub fn code(mut self, address: Address, hex: &str) -> Self {
        self.state.set_code(address, hex.parse().unwrap());
        let account = self.state.account(address).unwrap().unwrap();
        self.state.set_account(
            address,
            Account {
                nonce: 1,
                ..account
            },
        );
        self
    }

    pub fn run(&self, txs: &[Arc<CheckedTx>]) -> Result<ExecutedBlock, BlockError> {
        let input = BlockInput {
            timestamp: 1_001,
            anchor: self.anchor,
            transactions: txs.to_vec(),
        };
        execute_block(
            &self.rules,
            &self.parent,
            self.parent.hash_slow(),
            &input,
            &self.state,
        )
    }

    /// Runs a block, checks that no OPEN came or went but by minting, and moves on.
    pub fn block(&mut self, txs: &[Arc<CheckedTx>]) -> ExecutedBlock {
        let minted: U256 = txs
            .iter()
            .filter_map(|tx| tx.tx.as_deposit())
            .map(|deposit| U256::from(deposit.mint))
            .sum();
        let before = self.supply();
        let block = self.run(txs).unwrap();
        self.state.apply(&block.diff);
        assert_eq!(self.supply(), before + minted, "supply");
        self.parent = block.header.clone();
        block
    }

    pub fn supply(&self) -> U256 {
        self.state
            .accounts()
            .map(|(_, account)| account.balance)
            .sum()
    }

    pub fn account(&self, address: Address) -> Account {
        self.state.account(address).unwrap().unwrap_or_default()
    }

    pub fn balance(&self, address: Address) -> u128 {
        self.account(address).balance.to()
    }

    pub fn slot(&self, address: Address, slot: u64) -> u64 {
        self.state.storage(address, U256::from(slot)).unwrap().to()
    }

    /// Base fees, data fees, tips.
    pub fn vaults(&self) -> [u128; 3] {
        [BASE_FEE_VAULT, DATA_FEE_VAULT, PRIORITY_FEE_VAULT].map(|vault| self.balance(vault))
    }

    pub fn l1_info(&self) -> stf::l1_info::Packed {
        stf::l1_info::packed(&self.state).unwrap()
    }
}

pub fn signature() -> Signature {
    Signature::new(U256::from(1), U256::from(1), false)
}

/// With a sender that nobody recovered: signatures are not what these tests are about.
pub fn checked(tx: Transaction, sender: Address) -> Arc<CheckedTx> {
    let raw = Bytes::from(tx.encode());
    let hash = keccak256(&raw);
    Arc::new(CheckedTx {
        tx,
        raw,
        hash,
        sender,
    })
}

/// An EIP-1559 transaction, 2 gwei at most, 1 gwei of it tip.
pub fn dynamic(to: TxKind, nonce: u64) -> TxEip1559 {
    TxEip1559 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 300_000,
        max_fee_per_gas: 2 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to,
        ..Default::default()
    }
}

pub fn send(
    tx: impl SignableTransaction<Signature> + Into<Signable>,
    sender: Address,
) -> Arc<CheckedTx> {
    let envelope = match tx.into() {
        Signable::Dynamic(tx) => tx.into_signed(signature()).into(),
        Signable::Legacy(tx) => tx.into_signed(signature()).into(),
    };
    checked(Transaction::Signed(envelope), sender)
}

pub enum Signable {
    Dynamic(TxEip1559),
    Legacy(TxLegacy),
}

impl From<TxEip1559> for Signable {
    fn from(tx: TxEip1559) -> Self {
        Self::Dynamic(tx)
    }
}

impl From<TxLegacy> for Signable {
    fn from(tx: TxLegacy) -> Self {
        Self::Legacy(tx)
    }
}

/// From `who(1)`, whose nonce stands at `nonce`.
pub fn transfer(to: Address, wei: u128, nonce: u64) -> Arc<CheckedTx> {
    send(
        TxEip1559 {
            value: U256::from(wei),
            gas_limit: 100_000,
            ..dynamic(to.into(), nonce)
        },
        who(1),
    )
}

pub fn deposit(change: impl FnOnce(&mut TxDeposit)) -> Arc<CheckedTx> {
    let mut deposit = TxDeposit {
        source_hash: B256::repeat_byte(1),
        from: who(1),
        to: TxKind::Call(who(2)),
        mint: OPEN,
        value: U256::ZERO,
        gas_limit: 100_000,
        is_system_transaction: false,
        input: Bytes::new(),
    };
    change(&mut deposit);
    Arc::new(CheckedTx::deposit(deposit))
}
