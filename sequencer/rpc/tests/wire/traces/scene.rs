//! Contracts that do everything at once, and a chain where they were called.

use crate::chain::{
    BURNER, Chain, EMITTER, KEEPER, REVERTER, TELLER, deposit, hex, limits, plain, who,
};
use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use primitives::SealedBlock;
use serde_json::{Value, json};
use std::sync::Arc;

pub const CALL: u8 = 0xf1;
pub const DELEGATECALL: u8 = 0xf4;
pub const STATICCALL: u8 = 0xfa;
/// `Error("nope")`.
pub const NOPE: &str = "08c379a0\
    0000000000000000000000000000000000000000000000000000000000000020\
    0000000000000000000000000000000000000000000000000000000000000004\
    6e6f706500000000000000000000000000000000000000000000000000000000";
/// Destroys itself towards its creator at once.
const SHORT_LIVED: [u8; 2] = [0x33, 0xff];

/// Code for the machine, one line after another.
#[derive(Default)]
pub struct Code(Vec<u8>);

impl Code {
    fn push(mut self, bytes: &[u8]) -> Self {
        self.0.push(0x5f + bytes.len() as u8);
        self.0.extend(bytes);
        self
    }

    fn op(mut self, op: u8) -> Self {
        self.0.push(op);
        self
    }

    /// Writes `bytes` to memory from 0, in whole words.
    pub fn memory(mut self, bytes: &[u8]) -> Self {
        for (at, word) in bytes.chunks(32).enumerate() {
            let mut padded = [0; 32];
            padded[..word.len()].copy_from_slice(word);
            self = self.push(&padded).push(&[at as u8 * 32]).op(0x52);
        }
        self
    }

    /// Calls with the first `input` bytes of memory.
    pub fn call(self, op: u8, to: Address, value: u8, gas: u32, input: u8) -> Self {
        let head = self.push(&[]).push(&[]).push(&[input]).push(&[]);
        let head = if op == CALL {
            head.push(&[value])
        } else {
            head
        };
        head.push(to.as_slice())
            .push(&gas.to_be_bytes())
            .op(op)
            .op(0x50)
    }

    /// `CREATE` with the first two bytes of memory as init code.
    pub fn create(self, value: u8) -> Self {
        self.push(&[2]).push(&[]).push(&[value]).op(0xf0).op(0x50)
    }

    /// `CREATE2` with salt 9.
    pub fn create2(self) -> Self {
        self.push(&[9])
            .push(&[2])
            .push(&[])
            .push(&[])
            .op(0xf5)
            .op(0x50)
    }

    /// An empty log.
    pub fn log(self) -> Self {
        self.push(&[]).push(&[]).op(0xa0)
    }

    pub fn stop(mut self) -> Bytes {
        self.0.push(0);
        self.0.into()
    }
}

/// Init code that leaves `runtime`.
fn init(runtime: &Bytes) -> Bytes {
    let length = (runtime.len() as u16).to_be_bytes();
    let mut code = vec![0x61, length[0], length[1], 0x60, 0x0b, 0x5f, 0x39];
    code.extend([0x61, length[0], length[1], 0x5f, 0xf3]);
    code[4] = code.len() as u8;
    code.extend_from_slice(runtime);
    code.into()
}

/// What [`Scene`]'s contract does, in this order: it logs; calls EMITTER; stores 32 bytes by KEEPER's code; asks TELLER;
/// is refused by REVERTER with a reason; burns gas; asks a precompile; makes a contract with 7 wei that is gone at once;
/// makes one with CREATE2; pays account 3 five wei.
pub fn everything() -> Bytes {
    let nope = alloy_primitives::hex::decode(NOPE).unwrap();
    let precompile = Address::with_last_byte(4);
    Code::default()
        .log()
        .memory(&[0x11; 32])
        .call(CALL, EMITTER, 0, 50_000, 32)
        .call(DELEGATECALL, KEEPER, 0, 50_000, 32)
        .call(STATICCALL, TELLER, 0, 50_000, 0)
        .memory(&nope)
        .call(CALL, REVERTER, 0, 50_000, nope.len() as u8)
        .call(CALL, BURNER, 0, 5_000, 0)
        .call(STATICCALL, precompile, 0, 5_000, 3)
        .memory(&SHORT_LIVED)
        .create(7)
        .memory(&[0x30, 0x00])
        .create2()
        .call(CALL, who(3), 5, 50_000, 0)
        .stop()
}

pub struct Scene {
    pub chain: Chain,
    /// Does [`everything`].
    pub actor: Address,
    /// Block 2: a call of the actor, a plain payment, a refused call, a burnt one.
    pub block: Arc<SealedBlock>,
    /// Account 0's call of the actor with 100 wei.
    pub busy: B256,
    pub payment: B256,
    pub refused: B256,
    pub burnt: B256,
}

/// Account 0's next transaction in most tests here.
pub fn from_zero(chain: &Chain, nonce: u64, to: Address) -> TxEip1559 {
    TxEip1559 {
        to: TxKind::Call(to),
        value: U256::ZERO,
        gas_limit: 1_000_000,
        ..plain(chain.chain_id, nonce)
    }
}

impl Scene {
    pub async fn rollup() -> Self {
        Self::on(Chain::rollup_with(limits(), 10).await).await
    }

    pub async fn ethereum() -> Self {
        Self::on(Chain::ethereum().await).await
    }

    pub async fn on(chain: Chain) -> Self {
        let creation = TxEip1559 {
            to: TxKind::Create,
            value: U256::ZERO,
            gas_limit: 2_000_000,
            input: init(&everything()),
            ..plain(chain.chain_id, 0)
        };
        chain.send(0, creation).await;
        chain.mine();
        let actor = who(0).create(0);
        let call = TxEip1559 {
            value: U256::from(100),
            ..from_zero(&chain, 1, actor)
        };
        let busy = chain.send(0, call).await;
        let payment = chain.send(1, plain(chain.chain_id, 0)).await;
        let refused = TxEip1559 {
            input: format!("0x{NOPE}").parse().unwrap(),
            ..from_zero(&chain, 0, REVERTER)
        };
        let refused = chain.send(2, refused).await;
        let burnt = TxEip1559 {
            gas_limit: 50_000,
            ..from_zero(&chain, 0, BURNER)
        };
        let burnt = chain.send(3, burnt).await;
        let block = match chain.chain_id {
            crate::chain::L2_ID => chain.mine_with(&[deposit(Address::repeat_byte(0x77))]),
            _ => chain.mine(),
        };
        let receipts = &block.receipts;
        assert_eq!(receipts.len(), block.transactions.len());
        Self {
            chain,
            actor,
            block,
            busy,
            payment,
            refused,
            burnt,
        }
    }

    pub async fn geth(&self, hash: B256, options: Value) -> Value {
        let params = json!([hash, options]);
        self.chain.call("debug_traceTransaction", params).await
    }

    /// The contract that the actor makes by CREATE, and the one by CREATE2.
    pub fn made(&self) -> (Address, Address) {
        let salt = B256::with_last_byte(9);
        (
            self.actor.create(1),
            self.actor.create2(salt, keccak256([0x30, 0x00])),
        )
    }

    pub fn receipt_of(&self, hash: B256) -> (u64, bool) {
        let mut all = self.block.transactions.iter();
        let index = all.position(|tx| tx.hash == hash).unwrap();
        let gas_used = self.block.gas_used_by(index).unwrap();
        (gas_used, self.block.receipts[index].success)
    }
}

pub fn nope() -> String {
    format!("0x{NOPE}")
}

pub fn word(byte: u8) -> String {
    hex([byte; 32])
}
