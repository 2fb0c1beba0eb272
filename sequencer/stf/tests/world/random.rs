//! Random contracts and transactions that meet each other.

use super::{GWEI, OPEN, World, deposit, dynamic, who};
use alloy_consensus::TxEip1559;
use alloy_primitives::{Bytes, TxKind, U256};
use primitives::CheckedTx;
use proptest::prelude::*;
use std::sync::Arc;
use stf::{BlockContext, BlockExecutor};

/// One to four send; five to eight are contracts.
pub const SENDERS: std::ops::RangeInclusive<u8> = 1..=4;

/// A few steps of a contract, in hex.
fn step() -> impl Strategy<Value = String> {
    let small = 0u8..4;
    prop_oneof![
        (small.clone(), small.clone())
            .prop_map(|(slot, value)| format!("60{value:02x}60{slot:02x}55")),
        // Adds one to a slot, so that the number of executions shows.
        small
            .clone()
            .prop_map(|slot| format!("60{slot:02x}5460010160{slot:02x}55")),
        // Calls an account with some wei and half of the gas.
        (1u8..10, small.clone())
            .prop_map(|(to, wei)| format!("5f5f5f5f60{wei:02x}73{}60025a04f150", hex20(to))),
        // Creates a child that destroys itself towards its creator, or stays.
        prop_oneof![Just("33ff"), Just("3000"), Just("5ffd")]
            .prop_map(|init| format!("61{init}5f526002601e6001f050")),
        small.clone().prop_map(|slot| format!("4160{slot:02x}55")),
        Just("5f5fa0".to_string()),
        Just("3d5f5f3e".to_string()),
    ]
}

fn hex20(n: u8) -> String {
    alloy_primitives::hex::encode(who(n))
}

pub fn code() -> impl Strategy<Value = String> {
    let end =
        prop_oneof![4 => Just("00"), 1 => Just("5f5ffd"), 1 => Just("fe"), 1 => Just("5b600056")];
    (prop::collection::vec(step(), 0..6), end)
        .prop_map(|(steps, end)| format!("0x{}{end}", steps.concat()))
}

#[derive(Debug, Clone)]
pub struct Sent {
    pub sender: u8,
    pub to: u8,
    wei: u64,
    gas_limit: u64,
    tip: u64,
    data: Vec<u8>,
}

pub fn sent() -> impl Strategy<Value = Sent> {
    (
        SENDERS,
        0u8..10,
        0u64..1_000,
        21_000u64..400_000,
        0..GWEI as u64,
        prop::collection::vec(any::<u8>(), 0..40),
    )
        .prop_map(|(sender, to, wei, gas_limit, tip, data)| Sent {
            sender,
            to,
            wei,
            gas_limit,
            tip,
            data,
        })
}

impl Sent {
    /// Target 0 creates, with some contract's code as init code.
    pub fn tx(&self, nonce: u64) -> TxEip1559 {
        let to = if self.to == 0 {
            TxKind::Create
        } else {
            TxKind::Call(who(self.to))
        };
        TxEip1559 {
            gas_limit: self.gas_limit,
            value: U256::from(self.wei),
            max_priority_fee_per_gas: self.tip.into(),
            input: self.data.clone().into(),
            ..dynamic(to, nonce)
        }
    }
}

pub fn world(codes: &[String], r: u64) -> World {
    let mut world = World::new(r);
    for sender in SENDERS {
        world = world.fund(who(sender), OPEN);
    }
    for (code, n) in codes.iter().zip(5..) {
        world = world.fund(who(n), 50).code(who(n), code);
    }
    world
}

pub fn begin(world: &World) -> BlockExecutor<&stf::MemoryState> {
    let context = BlockContext {
        timestamp: 1_001,
        anchor: world.anchor,
        ..Default::default()
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

/// A deposit that may or may not be able to run.
#[derive(Debug, Clone)]
pub struct Queued {
    pub from: u8,
    to: u8,
    mint: u64,
    value: u64,
    gas_limit: u64,
    data: Vec<u8>,
}

pub fn queued() -> impl Strategy<Value = Queued> {
    let data = prop::collection::vec(any::<u8>(), 0..40);
    (
        0u8..10,
        0u8..10,
        0u64..1_000,
        0u64..2_000,
        0u64..300_000,
        data,
    )
        .prop_map(|(from, to, mint, value, gas_limit, data)| Queued {
            from,
            to,
            mint,
            value,
            gas_limit,
            data,
        })
}

impl Queued {
    /// Target 0 creates.
    pub fn tx(&self) -> Arc<CheckedTx> {
        deposit(|d| {
            d.from = who(self.from);
            d.to = match self.to {
                0 => TxKind::Create,
                to => TxKind::Call(who(to)),
            };
            d.mint = self.mint.into();
            d.value = U256::from(self.value);
            d.gas_limit = self.gas_limit;
            d.input = Bytes::from(self.data.clone());
        })
    }
}
