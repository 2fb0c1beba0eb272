//! `eth_simulateV1`: made-up blocks of calls on top of a real one, as geth answers it.

use crate::{
    BlockForm, BlockTransactions, LogForm, Node, TransactionForm,
    accounts::block,
    call::{account_overrides, request},
    errors::{self, CLIENT_LIMIT, INTERNAL, INVALID_PARAMS, RpcError},
    module::{Long, Patience, Registry},
    params::Args,
};
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{Address, Bytes, U64, U256};
use alloy_rpc_types_eth::{TransactionRequest, state::StateOverride};
use primitives::SealedBlock;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stf::{
    CallOutcome, OverrideError, Rules, SimulateError, SimulatedBlock, Simulation, TxRejection,
};
use trie::StateTrie;

/// Codes of `eth_simulateV1` (execution-apis).
const NONCE_TOO_LOW: i32 = -38010;
const NONCE_TOO_HIGH: i32 = -38011;
const BASE_FEE_TOO_LOW: i32 = -38012;
const INTRINSIC_GAS: i32 = -38013;
const INSUFFICIENT_FUNDS: i32 = -38014;
const BLOCK_GAS_LIMIT: i32 = -38015;
const BLOCK_NUMBER: i32 = -38020;
const BLOCK_TIMESTAMP: i32 = -38021;
const MOVED_TO_ITSELF: i32 = -38022;
const MOVED_TWICE: i32 = -38023;
const SENDER_NOT_EOA: i32 = -38024;
const INIT_CODE_SIZE: i32 = -38025;
const VM_ERROR: i32 = -32015;

/// Seconds between blocks that name no time: a slot on Ethereum, where no two blocks share a second.
const SLOT_S: u64 = 12;
/// Withdrawals of one block (EIP-4895).
const WITHDRAWALS_MAX: usize = 16;

pub(crate) fn register(registry: &mut Registry) {
    registry.long("eth_simulateV1", Long::Call, 2, |node, args, patience| {
        simulate(node, &args, patience)
    });
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    block_state_calls: Vec<AskedBlock>,
    #[serde(default)]
    trace_transfers: bool,
    #[serde(default)]
    validation: bool,
    #[serde(default)]
    return_full_transactions: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AskedBlock {
    block_overrides: Option<AskedOverrides>,
    state_overrides: Option<StateOverride>,
    calls: Option<Vec<TransactionRequest>>,
}

/// Every number may be a quantity here, the randomness too.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AskedOverrides {
    #[serde(alias = "blockNumber")]
    number: Option<U256>,
    #[serde(alias = "timestamp")]
    time: Option<U256>,
    gas_limit: Option<U64>,
    #[serde(alias = "coinbase")]
    fee_recipient: Option<Address>,
    #[serde(alias = "random")]
    prev_randao: Option<U256>,
    #[serde(alias = "baseFee")]
    base_fee_per_gas: Option<U256>,
    blob_base_fee: Option<U256>,
    withdrawals: Option<Vec<Withdrawal>>,
}

impl AskedOverrides {
    fn block(&self) -> stf::BlockOverrides {
        stf::BlockOverrides {
            number: self.number,
            time: self.time,
            gas_limit: self.gas_limit.map(|gas| gas.to()),
            fee_recipient: self.fee_recipient,
            prev_randao: self.prev_randao.map(Into::into),
            base_fee: self.base_fee_per_gas.map(|fee| fee.saturating_to()),
            blob_base_fee: self.blob_base_fee.map(|fee| fee.saturating_to()),
        }
    }
}

fn simulate(node: &Node, args: &Args<'_>, patience: &Patience) -> Result<Vec<Value>, RpcError> {
    let asked: Asked = args.required(0)?;
    if asked.block_state_calls.is_empty() {
        return Err(RpcError::params("empty input"));
    }
    let max = node.limits.simulate_blocks_max;
    if asked.block_state_calls.len() as u64 > max {
        return Err(too_many_blocks(max));
    }
    let base = node.known_block(block(args, 1)?)?;
    node.within_proof_reach(base.header.number)?;
    let blocks = planned(node, &base, asked.block_state_calls)?;
    let state = node.store.state_at(base.header.number)?;
    let keep_on = || patience.check().is_ok();
    let gas_max = node.limits.call_gas_max;
    let mut failed = None;
    let simulated = node
        .store
        .trie_at(base.header.number, &keep_on, &mut |nodes, root| {
            let mut trie = StateTrie::new(nodes, root);
            let mut simulation =
                Simulation::new(&node.rules, base.header.clone(), base.hash, &state, gas_max)
                    .validating(asked.validation)
                    .logging_transfers(asked.trace_transfers);
            let mut done = Vec::with_capacity(blocks.len());
            for block in &blocks {
                let (executed, calls) = match simulation.run(block, &|| !keep_on()) {
                    Ok(ran) => ran,
                    Err(error) => {
                        failed = Some(error);
                        return Ok(done);
                    }
                };
                let roots = trie.apply(&executed.diff)?;
                let withdrawals_root = match &*node.rules {
                    Rules::Rollup(_) => {
                        Some(trie.storage_root(primitives::predeploys::MESSAGE_PASSER)?)
                    }
                    Rules::Ethereum(_) => None,
                };
                let (sealed, diff) = executed.seal(roots.state_root, withdrawals_root);
                simulation.advance(&sealed, &diff);
                done.push((sealed, calls));
            }
            Ok(done)
        })?;
    if let Some(error) = failed {
        return Err(refused(error));
    }
    simulated
        .into_iter()
        .map(|(sealed, calls)| form(&sealed, &calls, asked.return_full_transactions))
        .collect()
}

fn too_many_blocks(max: u64) -> RpcError {
    RpcError::new(CLIENT_LIMIT, format!("too many blocks (max {max})"))
}

/// Every block with its number and time, and empty ones in the gaps.
fn planned(
    node: &Node,
    base: &SealedBlock,
    asked: Vec<AskedBlock>,
) -> Result<Vec<SimulatedBlock>, RpcError> {
    let ethereum = matches!(*node.rules, Rules::Ethereum(_));
    // Blocks of ours come faster than seconds; made-up ones still move on.
    let step_s = if ethereum { SLOT_S } else { 1 };
    let max = node.limits.simulate_blocks_max;
    let (mut number, mut time) = (base.header.number, base.header.timestamp);
    let mut blocks = Vec::new();
    for asked in asked {
        let overrides = asked.block_overrides.unwrap_or_default();
        let mut ours = overrides.block();
        let wanted = ours.number.unwrap_or(U256::from(number) + U256::from(1));
        if wanted <= U256::from(number) {
            return Err(RpcError::new(
                BLOCK_NUMBER,
                format!("block numbers must be in order: {wanted} <= {number}"),
            ));
        }
        if wanted - U256::from(base.header.number) > U256::from(max) {
            return Err(too_many_blocks(max));
        }
        let wanted: u64 = wanted.saturating_to();
        while number + 1 < wanted {
            number += 1;
            time = time.saturating_add(step_s);
            blocks.push(SimulatedBlock {
                overrides: stf::BlockOverrides {
                    number: Some(U256::from(number)),
                    time: Some(U256::from(time)),
                    ..Default::default()
                },
                ..Default::default()
            });
        }
        number = wanted;
        let next = match ours.time {
            None => time.saturating_add(step_s),
            Some(next) => {
                let next: u64 = next.saturating_to();
                // On the rollup, as among its real blocks, equal times are in order.
                if next < time || (next == time && ethereum) {
                    return Err(RpcError::new(
                        BLOCK_TIMESTAMP,
                        format!("block timestamps must be in order: {next} <= {time}"),
                    ));
                }
                next
            }
        };
        time = next;
        ours.number = Some(U256::from(number));
        ours.time = Some(U256::from(time));
        let withdrawals = overrides.withdrawals.unwrap_or_default();
        if withdrawals.len() > WITHDRAWALS_MAX {
            return Err(RpcError::params(format!(
                "too many withdrawals (max {WITHDRAWALS_MAX})"
            )));
        }
        blocks.push(SimulatedBlock {
            overrides: ours,
            withdrawals,
            accounts: account_overrides(asked.state_overrides.unwrap_or_default())?,
            calls: asked
                .calls
                .unwrap_or_default()
                .into_iter()
                .map(|call| request(node, call))
                .collect::<Result<_, _>>()?,
        });
    }
    Ok(blocks)
}

fn refused(error: SimulateError) -> RpcError {
    let text = error.to_string();
    let code = match error {
        SimulateError::Call {
            why: TxRejection::State(error),
            ..
        } => return error.into(),
        SimulateError::Call { why, .. } => match why {
            TxRejection::NonceTooLow { .. } => NONCE_TOO_LOW,
            TxRejection::NonceTooHigh { .. } => NONCE_TOO_HIGH,
            TxRejection::FeeCapTooLow { .. } => BASE_FEE_TOO_LOW,
            TxRejection::IntrinsicGasTooLow { .. } | TxRejection::FloorDataGas { .. } => {
                INTRINSIC_GAS
            }
            TxRejection::InsufficientFunds { .. } => INSUFFICIENT_FUNDS,
            TxRejection::SenderNotEoa { .. } => SENDER_NOT_EOA,
            TxRejection::InitCodeTooLarge { .. } => INIT_CODE_SIZE,
            TxRejection::TipAboveFeeCap { .. } => INVALID_PARAMS,
            _ => INTERNAL,
        },
        SimulateError::BlockGas { .. } => BLOCK_GAS_LIMIT,
        SimulateError::AllGas { .. } => CLIENT_LIMIT,
        SimulateError::Override(OverrideError::MovedToItself(_)) => MOVED_TO_ITSELF,
        SimulateError::Override(OverrideError::Taken(_)) => MOVED_TWICE,
        SimulateError::Override(OverrideError::NotAPrecompile(_)) => errors::SERVER,
        SimulateError::Withdrawals => INVALID_PARAMS,
        SimulateError::GivenUp => errors::TIMED_OUT,
        SimulateError::Block(_) => INTERNAL,
    };
    RpcError::new(code, text)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CallForm {
    return_data: Bytes,
    logs: Vec<LogForm>,
    gas_used: U64,
    max_used_gas: U64,
    status: U64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<CallError>,
}

#[derive(Serialize)]
struct CallError {
    code: i32,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Bytes>,
}

/// A block as any other, with what its calls did.
fn form(sealed: &SealedBlock, calls: &[CallOutcome], full: bool) -> Result<Value, RpcError> {
    let transactions = if full {
        let forms = (0..sealed.transactions.len()).map(|index| TransactionForm::at(sealed, index));
        BlockTransactions::Full(forms.collect())
    } else {
        BlockTransactions::Hashes(sealed.transactions.iter().map(|tx| tx.hash).collect())
    };
    let mut form =
        serde_json::to_value(BlockForm::new(sealed, transactions)).map_err(RpcError::internal)?;
    let mut log_index = 0;
    let calls: Vec<CallForm> = calls
        .iter()
        .enumerate()
        .map(|(index, call)| call_form(sealed, index, call, &mut log_index))
        .collect();
    if let Some(fields) = form.as_object_mut() {
        let calls = serde_json::to_value(calls).map_err(RpcError::internal)?;
        fields.insert("calls".to_owned(), calls);
    }
    Ok(form)
}

fn call_form(
    sealed: &SealedBlock,
    index: usize,
    call: &CallOutcome,
    log_index: &mut u64,
) -> CallForm {
    let logs = call.logs.iter().map(|log| {
        let form = LogForm::new(sealed, index, *log_index, log);
        *log_index += 1;
        form
    });
    let error = match (call.success, &call.halt) {
        (true, _) => None,
        (false, None) => Some(CallError {
            code: errors::REVERTED,
            message: RpcError::reverted(&call.output).message,
            data: Some(call.output.clone()),
        }),
        (false, Some(halt)) => Some(CallError {
            code: VM_ERROR,
            message: halt.clone(),
            data: None,
        }),
    };
    CallForm {
        return_data: if call.success {
            call.output.clone()
        } else {
            Bytes::new()
        },
        logs: logs.collect(),
        gas_used: U64::from(call.gas_used),
        max_used_gas: U64::from(call.gas_used.saturating_add(call.gas_refunded)),
        status: U64::from(u8::from(call.success)),
        error,
    }
}
