//! What is sent: the three transactions that the chain is measured by, and the contracts they need.
//!
//! Both nodes get the same signed bytes, so contracts stand at the same addresses on both.

use crate::load::{Account, Call, word};
use alloy_primitives::{Address, Bytes, TxKind, U256};
use alloy_sol_types::{SolCall, SolValue};
use anyhow::Context;
use bindings::{
    asset_registry::{AssetRegistry, IAssetRegistry},
    open_token::OpenToken,
    revenue_router::RevenueRouter,
};
use clap::ValueEnum;
use primitives::predeploys as at;
use serde::Serialize;

/// Gas that a byte of a transaction may cost on L2 (`da_gas_per_byte_max` in `config/dev.toml`): gas limits leave room
/// for it, and anvil gets the same transactions.
const DATA_GAS_PER_BYTE: u64 = 1_000;
/// Each amount is a number up to a million in this unit, wei.
const AMOUNT_UNIT_WEI: u64 = 10_000_000_000;
const AMOUNTS: u64 = 1_000_000;
/// OPEN for each transaction of a sender: amount and highest fee, wei.
pub const WEI_PER_TX: u128 = 12_000_000_000_000_000;

/// Kinds and edges by their numbers in `contracts/src/l2/IAssetRegistry.sol`.
const DATANET: u8 = 0;
const BASE_MODEL: u8 = 2;
const ADAPTER: u8 = 3;
const DERIVED: u8 = 0;
const TRAINED_ON: u8 = 1;
/// The lineage: Datanets 1–4, base models 5–6 of two Datanets each, adapters 7–14.
const DATANETS: u64 = 4;
const BASES: u64 = 2;
const ADAPTERS: u64 = 8;
const OPERATORS: u64 = 4;
const WHOLE_PPB: u32 = 1_000_000_000;
const UPSTREAM_PPB: u32 = 200_000_000;
const OPERATOR_PPB: u32 = 450_000_000;

/// The three measured transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Workload {
    /// Native transfers to fresh addresses
    Native,
    /// ERC-20 transfers to fresh addresses
    Erc20,
    /// Inference payments: `RevenueRouter.pay` for adapters with three ancestors
    Payment,
}

impl Workload {
    /// The `index`th transaction.
    pub fn call(self, token: Address, index: u64) -> Call {
        let random = word("bench call", index);
        let part = |at: usize| {
            let bytes: [u8; 8] = random[at..at + 8].try_into().unwrap_or_default();
            u64::from_be_bytes(bytes)
        };
        let fresh = Address::from_slice(&word("bench recipient", index)[12..]);
        let amount = U256::from((1 + part(0) % AMOUNTS) * AMOUNT_UNIT_WEI);
        let call = match self {
            Self::Native => Call::transfer(fresh, amount, 21_000 + 130 * DATA_GAS_PER_BYTE),
            Self::Erc20 => {
                let input = OpenToken::transferCall {
                    to: fresh,
                    value: amount,
                };
                let gas_max = 65_000 + 200 * DATA_GAS_PER_BYTE;
                Call::to(token, U256::ZERO, gas_max, input.abi_encode().into())
            }
            Self::Payment => {
                let input = RevenueRouter::payCall {
                    assetId: DATANETS + BASES + 1 + part(8) % ADAPTERS,
                    operatorId: (1 + part(16) % OPERATORS) as u32,
                    agentId: 0,
                    r#ref: word("bench reference", index),
                };
                let gas_max = 250_000 + 260 * DATA_GAS_PER_BYTE;
                Call::to(
                    at::REVENUE_ROUTER,
                    amount,
                    gas_max,
                    input.abi_encode().into(),
                )
            }
        };
        Call {
            salt: part(24),
            ..call
        }
    }

    /// What must be on the chain first, sent by `owner` from nonce 0 on. The first transaction deploys the token.
    pub fn contracts(self, owner: &Account, senders: &[Account]) -> anyhow::Result<Vec<Vec<u8>>> {
        let calls = match self {
            Self::Native => vec![],
            Self::Erc20 => token(owner, senders)?,
            Self::Payment => lineage(owner),
        };
        Ok(calls
            .into_iter()
            .zip(0..)
            .map(|(call, nonce)| owner.sign(nonce, call))
            .collect())
    }
}

fn token(owner: &Account, senders: &[Account]) -> anyhow::Result<Vec<Call>> {
    let code = bindings::bytecode("OpenToken").context("no bytecode of OpenToken")?;
    let input = [code.as_ref(), &owner.address.abi_encode()].concat();
    let mut calls = vec![Call {
        to: TxKind::Create,
        value: U256::ZERO,
        gas_max: 16_000_000,
        input: input.into(),
        salt: 0,
    }];
    let token = owner.address.create(0);
    for sender in senders {
        let input = OpenToken::mintCall {
            to: sender.address,
            amount: U256::from(u128::MAX >> 16),
        };
        calls.push(plain(token, 400_000, input.abi_encode()));
    }
    Ok(calls)
}

fn lineage(owner: &Account) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut register = |kind: u8, parents: Vec<(u64, u32, u8)>| {
        let number = calls.len() as u64;
        let upstream = if parents.is_empty() { 0 } else { UPSTREAM_PPB };
        let input = AssetRegistry::registerCall {
            kind,
            contentRoot: word("bench asset", number),
            uri: format!("bench:{number}"),
            parents: parents
                .into_iter()
                .map(|(id, weight, edge)| IAssetRegistry::Parent {
                    id,
                    weightPpb: weight,
                    edge,
                })
                .collect(),
            upstreamPpb: upstream,
            floorPpb: 0,
            licence: word("bench licence", 0),
            payout: owner.address,
        };
        calls.push(plain(at::ASSET_REGISTRY, 4_000_000, input.abi_encode()));
    };
    for _ in 0..DATANETS {
        register(DATANET, vec![]);
    }
    for base in 0..BASES {
        let half = WHOLE_PPB / 2;
        register(
            BASE_MODEL,
            vec![
                (2 * base + 1, half, TRAINED_ON),
                (2 * base + 2, half, TRAINED_ON),
            ],
        );
    }
    for adapter in 0..ADAPTERS {
        let base = DATANETS + 1 + adapter % BASES;
        register(ADAPTER, vec![(base, WHOLE_PPB, DERIVED)]);
    }
    for _ in 0..OPERATORS {
        let input = RevenueRouter::registerOperatorCall {
            payout: owner.address,
            sharePpb: OPERATOR_PPB,
        };
        calls.push(plain(at::REVENUE_ROUTER, 1_000_000, input.abi_encode()));
    }
    calls
}

fn plain(to: Address, gas_max: u64, input: Vec<u8>) -> Call {
    Call::to(to, U256::ZERO, gas_max, Bytes::from(input))
}
