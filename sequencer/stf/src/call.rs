//! Execution that changes nothing, with geth's leniency: `eth_call`, `eth_estimateGas`, `eth_createAccessList`.
//!
//! A call may come from any account with any nonce. Without a gas price the base fee counts as zero, so that a
//! poor sender can still ask; the value must be there all the same. Data gas counts as in a real transaction.

use crate::{
    BlockOverrides, CallOverrides, CodeCache, OverriddenState, PrecompileMoves, Rules, StateError,
    StateReader, TxRejection,
    block_state::BlockState,
    environment,
    gas::da_gas,
    halt,
    handler::{Flow, TxHandler},
    l1_info,
    machine::Machine,
    pretence::Pretence,
    rejection::rejection,
};
use alloc::{string::String, sync::Arc, vec::Vec};
use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxLegacy};
use alloy_eips::{
    eip2930::{AccessList, AccessListItem},
    eip7702::SignedAuthorization,
};
use alloy_primitives::{Address, B256, Bytes, Log, Signature, TxKind, U256};
use primitives::{Header, Transaction};
use revm::{
    context::{BlockEnv, ContextTr, JournalTr, TxEnv, result::ExecutionResult},
    context_interface::{either::Either, transaction::TransactionType},
    handler::Handler,
    primitives::hardfork::SpecId,
    state::EvmState,
};

/// Runs of `eth_createAccessList` until the list stands still; it grows in each, and two suffice almost always.
const ACCESS_LIST_ROUNDS: usize = 16;
/// Gas of a call is cut to this: it bounds the memory that a contract can take to some 50 MiB a frame.
const CALL_GAS_MAX: u64 = 1 << 32;

/// A transaction that is only asked about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallRequest {
    /// Sender.
    pub from: Address,
    /// Target; `None` creates.
    pub to: Option<Address>,
    /// The block's if absent. A server that answers strangers sets a lower one than the 2^32 that count at most.
    pub gas_limit: Option<u64>,
    /// Wei per gas (types 0 and 1).
    pub gas_price: Option<u128>,
    /// Wei per gas (types 2 to 4).
    pub max_fee: Option<u128>,
    /// Wei per gas.
    pub max_priority_fee: Option<u128>,
    /// Wei.
    pub value: U256,
    /// Calldata or init code.
    pub input: Bytes,
    /// EIP-2930.
    pub access_list: AccessList,
    /// EIP-7702.
    pub authorizations: Vec<SignedAuthorization>,
    /// For the size of the transaction only; a call may have any nonce.
    pub nonce: Option<u64>,
    /// EIP-4844, on Ethereum.
    pub blob_hashes: Vec<B256>,
    /// Wei per blob gas.
    pub max_fee_per_blob_gas: Option<u128>,
}

/// What a call did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallOutcome {
    /// False if it reverted or halted.
    pub success: bool,
    /// Return data, or the reason of a revert.
    pub output: Bytes,
    /// Gas after refunds.
    pub gas_used: u64,
    /// Gas given back. `gas_used + gas_refunded` is what was spent on the way.
    pub gas_refunded: u64,
    /// Why execution stopped, unless it ended or reverted.
    pub halt: Option<String>,
    /// In order of emission.
    pub logs: Vec<Log>,
}

impl CallRequest {
    fn kind(&self) -> TxKind {
        self.to.map_or(TxKind::Create, TxKind::Call)
    }

    fn price(&self) -> u128 {
        self.max_fee.or(self.gas_price).unwrap_or(0)
    }

    pub(crate) fn tx_env(&self, chain_id: u64, block_gas_limit: u64) -> TxEnv {
        let tx_type = if !self.authorizations.is_empty() {
            TransactionType::Eip7702
        } else if !self.blob_hashes.is_empty() {
            TransactionType::Eip4844
        } else if self.gas_price.is_none() {
            TransactionType::Eip1559
        } else if !self.access_list.is_empty() {
            TransactionType::Eip2930
        } else {
            TransactionType::Legacy
        };
        let dynamic = self.gas_price.is_none();
        TxEnv {
            tx_type: tx_type as u8,
            caller: self.from,
            gas_limit: self.gas_limit.unwrap_or(block_gas_limit).min(CALL_GAS_MAX),
            gas_price: self.price(),
            kind: self.kind(),
            value: self.value,
            data: self.input.clone(),
            nonce: self.nonce.unwrap_or(0),
            chain_id: Some(chain_id),
            access_list: self.access_list.clone(),
            gas_priority_fee: dynamic.then(|| self.max_priority_fee.unwrap_or(0)),
            blob_hashes: self.blob_hashes.clone(),
            max_fee_per_blob_gas: self.max_fee_per_blob_gas.unwrap_or(0),
            authorization_list: self
                .authorizations
                .iter()
                .cloned()
                .map(Either::Left)
                .collect(),
        }
    }

    /// The transaction that this stands for, with an empty signature: of type 0 if it names a gas price.
    pub fn typed(&self, chain_id: u64) -> Transaction {
        let Some(gas_price) = self.gas_price else {
            return self.unsigned(chain_id);
        };
        let signature = Signature::new(U256::ZERO, U256::ZERO, false);
        let (nonce, gas_limit) = (self.nonce.unwrap_or(0), self.gas_limit.unwrap_or(0));
        let (to, value, input) = (self.kind(), self.value, self.input.clone());
        Transaction::Signed(if self.access_list.is_empty() {
            TxLegacy {
                chain_id: Some(chain_id),
                nonce,
                gas_price,
                gas_limit,
                to,
                value,
                input,
            }
            .into_signed(signature)
            .into()
        } else {
            TxEip2930 {
                chain_id,
                nonce,
                gas_price,
                gas_limit,
                to,
                value,
                access_list: self.access_list.clone(),
                input,
            }
            .into_signed(signature)
            .into()
        })
    }

    /// The transaction that would be sent, with an empty signature: what data gas and intrinsic gas are counted on.
    pub fn unsigned(&self, chain_id: u64) -> Transaction {
        let signature = Signature::new(U256::ZERO, U256::ZERO, false);
        let nonce = self.nonce.unwrap_or(0);
        let gas_limit = self.gas_limit.unwrap_or(0);
        let (max_fee_per_gas, max_priority_fee_per_gas) =
            (self.price(), self.max_priority_fee.unwrap_or(0));
        let (value, input, access_list) =
            (self.value, self.input.clone(), self.access_list.clone());
        Transaction::Signed(if !self.authorizations.is_empty() {
            let to = self.to.unwrap_or_default();
            let authorization_list = self.authorizations.clone();
            TxEip7702 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                to,
                value,
                access_list,
                authorization_list,
                input,
            }
            .into_signed(signature)
            .into()
        } else if !self.blob_hashes.is_empty() {
            let to = self.to.unwrap_or_default();
            let blob_versioned_hashes = self.blob_hashes.clone();
            let max_fee_per_blob_gas = self.max_fee_per_blob_gas.unwrap_or(0);
            TxEip4844 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                to,
                value,
                access_list,
                blob_versioned_hashes,
                max_fee_per_blob_gas,
                input,
            }
            .into_signed(signature)
            .into()
        } else {
            let to = self.kind();
            TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                to,
                value,
                access_list,
                input,
            }
            .into_signed(signature)
            .into()
        })
    }
}

/// Runs `request` in the block of `header` on top of `state`.
pub fn call<S: StateReader>(
    rules: &Arc<Rules>,
    header: &Header,
    state: S,
    request: &CallRequest,
    overrides: &CallOverrides,
) -> Result<CallOutcome, TxRejection> {
    Ok(run(rules, header, state, request, overrides)?.0)
}

/// The access list that would make `request` cheapest to predict, and what it does with it.
pub fn access_list<S: StateReader>(
    rules: &Arc<Rules>,
    header: &Header,
    state: S,
    request: &CallRequest,
    overrides: &CallOverrides,
) -> Result<(AccessList, CallOutcome), TxRejection> {
    let mut request = request.clone();
    for _ in 0..ACCESS_LIST_ROUNDS {
        let (outcome, accessed) = run(rules, header, &state, &request, overrides)?;
        let list = listed(rules, header, &request, accessed);
        if list == request.access_list {
            return Ok((list, outcome));
        }
        request.access_list = list;
    }
    let (outcome, _) = run(rules, header, &state, &request, overrides)?;
    Ok((request.access_list, outcome))
}

fn run<S: StateReader>(
    rules: &Arc<Rules>,
    header: &Header,
    state: S,
    request: &CallRequest,
    overrides: &CallOverrides,
) -> Result<(CallOutcome, EvmState), TxRejection> {
    let flow = flow(rules, &state, request)?;
    let block = block_env(rules, header, request, &overrides.block);
    let moves = PrecompileMoves::of(rules, header, &overrides.accounts)?;
    let state = call_state(rules, header, state, overrides);
    let tx = request.tx_env(rules.chain_id(), block.gas_limit);
    let mut evm = Machine::new(state, environment::cfg(rules, header), block);
    evm.pretend(Pretence {
        moves,
        ..Pretence::default()
    });
    evm.ctx.tx = tx;
    let result = TxHandler::lenient(flow).run(&mut evm);
    let accessed = evm.ctx.journal_mut().finalize();
    match result {
        Ok(result) => Ok((outcome(result), accessed)),
        Err(error) => Err(rejection(error, &evm.ctx.tx, &evm.ctx.block, &evm.ctx.cfg)),
    }
}

/// How `request` is charged on top of `state`.
pub(crate) fn flow<S: StateReader>(
    rules: &Rules,
    state: &S,
    request: &CallRequest,
) -> Result<Flow, StateError> {
    Ok(match rules {
        Rules::Ethereum(_) => Flow::Ethereum,
        Rules::Rollup(_) => {
            let da_gas_per_byte = l1_info::packed(state)?.da_gas_per_byte;
            Flow::Rollup {
                da_gas: da_gas(da_gas_per_byte, &request.unsigned(rules.chain_id())),
            }
        }
    })
}

/// The block that a call sees.
pub(crate) fn block_env(
    rules: &Rules,
    header: &Header,
    request: &CallRequest,
    overrides: &BlockOverrides,
) -> BlockEnv {
    let mut block = environment::block(rules, header);
    overrides.apply(&mut block);
    free_of_charge(&mut block, request);
    block
}

/// What a call does not offer to pay costs nothing.
pub(crate) fn free_of_charge(block: &mut BlockEnv, request: &CallRequest) {
    if request.price() == 0 {
        block.basefee = 0;
    }
    if request.max_fee_per_blob_gas.unwrap_or(0) == 0
        && let Some(blob) = &mut block.blob_excess_gas_and_price
    {
        blob.blob_gasprice = 0;
    }
}

/// The state that a call runs on.
pub(crate) fn call_state<'a, S: StateReader>(
    rules: &Rules,
    header: &Header,
    state: S,
    overrides: &'a CallOverrides,
) -> BlockState<OverriddenState<'a, S>> {
    // Code that a caller made up is not worth remembering.
    let codes = if overrides.accounts.is_empty() {
        rules.codes().clone()
    } else {
        CodeCache::default()
    };
    BlockState::new(
        OverriddenState::new(state, &overrides.accounts),
        codes,
        (header.number.saturating_sub(1), header.parent_hash),
        rules.spec(header),
    )
}

pub(crate) fn outcome(result: ExecutionResult) -> CallOutcome {
    let gas = *result.gas();
    let (gas_used, gas_refunded) = (gas.tx_gas_used(), gas.final_refunded());
    let base = CallOutcome {
        gas_used,
        gas_refunded,
        ..CallOutcome::default()
    };
    match result {
        ExecutionResult::Success { output, logs, .. } => CallOutcome {
            success: true,
            output: output.into_data(),
            logs,
            ..base
        },
        ExecutionResult::Revert { output, .. } => CallOutcome { output, ..base },
        ExecutionResult::Halt { reason, .. } => CallOutcome {
            halt: Some(halt::text(&reason)),
            ..base
        },
    }
}

/// Accounts and slots worth listing: what was touched, but for accounts that are warm anyway.
fn listed(rules: &Rules, header: &Header, request: &CallRequest, accessed: EvmState) -> AccessList {
    let warm = |address: &Address| {
        let spec: SpecId = rules.spec(header);
        *address == request.from
            || Some(*address) == request.to
            || *address == header.beneficiary
            || revm::handler::EthPrecompiles::new(spec)
                .precompiles
                .contains(address)
    };
    let mut items: Vec<AccessListItem> = accessed
        .into_iter()
        .filter(|(address, account)| {
            !account.storage.is_empty() || !(account.is_created() || warm(address))
        })
        .map(|(address, account)| {
            let mut storage_keys: Vec<B256> = account.storage.into_keys().map(B256::from).collect();
            storage_keys.sort_unstable();
            AccessListItem {
                address,
                storage_keys,
            }
        })
        .collect();
    items.sort_unstable_by_key(|item| item.address);
    AccessList(items)
}
