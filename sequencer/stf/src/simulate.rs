//! Blocks that might follow: calls in made-up blocks, one after another, each on the state that the one before left.
//!
//! What a block costs, changes and emits comes from the same executor that makes real blocks. Without validation a
//! call is let in as `eth_call` lets it in; with it, nonce, funds and fees count, and only the signature does not.
//!
//! Absent on purpose: state roots (`trie`), and any default that depends on a clock.

use crate::{
    AccountOverride, BlockError, BlockExecutor, BlockOverrides, CallOutcome, CallRequest,
    ExecutedBlock, OverrideError, PrecompileMoves, Rules, StateError, StateReader, TxRejection,
    block_state::BlockState,
    call, environment, fees,
    gas::da_gas,
    handler::{Flow, TxHandler},
    l1_info,
    machine::Machine,
    pretence::{Pretence, TRANSFER_EMITTER},
    rejection::rejection,
};
use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};
use alloy_consensus::{EMPTY_ROOT_HASH, Typed2718 as _, proofs::calculate_withdrawals_root};
pub use alloy_eips::eip4895::Withdrawal;
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::{
    Address, B256, Bytes, U256, keccak256,
    map::{AddressMap, AddressSet, B256Map, HashMap},
};
use core::cmp::Ordering;
use primitives::{Account, CheckedTx, Header, Receipt, SealedBlock, StateDiff};
use revm::{
    context::{ContextTr, JournalTr},
    handler::Handler,
};

/// One made-up block.
#[derive(Debug, Clone, Default)]
pub struct SimulatedBlock {
    /// Where it differs from what would follow. Number and time must be given.
    pub overrides: BlockOverrides,
    /// Paid out after the calls (EIP-4895); Ethereum only.
    pub withdrawals: Vec<Withdrawal>,
    /// Accounts that are changed before the calls, and stay so.
    pub accounts: BTreeMap<Address, AccountOverride>,
    /// In order. Without a gas limit, all that the block has left; without a nonce, its sender's next.
    pub calls: Vec<CallRequest>,
}

/// What one call did. Its logs hold the transfers too, where they were asked for.
pub type SimulatedCall = CallOutcome;

/// Why a simulation ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SimulateError {
    /// A call was refused.
    #[error("err: {why} (supplied gas {gas})")]
    Call {
        /// Why.
        why: TxRejection,
        /// Its gas limit.
        gas: u64,
    },
    /// More gas than the block has left.
    #[error("block gas limit reached: {asked} >= {limit}")]
    BlockGas {
        /// Used before, and asked for.
        asked: u64,
        /// The block's.
        limit: u64,
    },
    /// All gas that the simulation may use is used.
    #[error("gas limit reached: a simulation may use {max} gas")]
    AllGas {
        /// What it may use.
        max: u64,
    },
    /// The overrides do not fit together.
    #[error("{0}")]
    Override(#[from] OverrideError),
    /// Withdrawals exist on Ethereum only.
    #[error("withdrawals are not possible on this chain")]
    Withdrawals,
    /// The block itself cannot be.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// Nobody waits for the answer any more.
    #[error("execution aborted (timeout)")]
    GivenUp,
}

impl From<StateError> for SimulateError {
    fn from(error: StateError) -> Self {
        Self::Block(error.into())
    }
}

/// A chain of made-up blocks on top of a real one.
#[derive(Debug)]
pub struct Simulation<S> {
    rules: Arc<Rules>,
    state: Layered<S>,
    parent: Header,
    parent_hash: B256,
    /// Nonce, funds and fees count.
    validate: bool,
    logs_transfers: bool,
    gas_max: u64,
    gas_left: u64,
}

impl<S: StateReader + Clone> Simulation<S> {
    /// `state` is that after `parent`; all calls together use `gas_max` at most.
    pub fn new(
        rules: &Arc<Rules>,
        parent: Header,
        parent_hash: B256,
        state: S,
        gas_max: u64,
    ) -> Self {
        Self {
            rules: rules.clone(),
            state: Layered::new(state),
            parent,
            parent_hash,
            validate: false,
            logs_transfers: false,
            gas_max,
            gas_left: gas_max,
        }
    }

    /// Nonces, funds and fees count from now on.
    pub fn validating(mut self, yes: bool) -> Self {
        self.validate = yes;
        self
    }

    /// Transfers of value leave logs from now on.
    pub fn logging_transfers(mut self, yes: bool) -> Self {
        self.logs_transfers = yes;
        self
    }

    /// The block that everything so far stands on.
    pub const fn parent(&self) -> &Header {
        &self.parent
    }

    /// Runs the next block. Seal it with its roots, and hand it to [`Self::advance`].
    pub fn run(
        &mut self,
        block: &SimulatedBlock,
        given_up: &dyn Fn() -> bool,
    ) -> Result<(ExecutedBlock, Vec<SimulatedCall>), SimulateError> {
        if !block.withdrawals.is_empty() && matches!(*self.rules, Rules::Rollup(_)) {
            return Err(SimulateError::Withdrawals);
        }
        let header = self.header(block);
        let moves = PrecompileMoves::of(&self.rules, &self.parent, &block.accounts)?;
        // Code that a caller made up is not worth remembering.
        let mut state = BlockState::new(
            self.state.clone(),
            crate::CodeCache::default(),
            (self.parent.number, self.parent_hash),
            self.rules.spec(&header),
        );
        for (address, account) in &block.accounts {
            state.pretend(*address, account)?;
        }
        let mut env = environment::block(&self.rules, &header);
        if let (Some(price), Some(blob)) = (
            block.overrides.blob_base_fee,
            &mut env.blob_excess_gas_and_price,
        ) {
            blob.blob_gasprice = price;
        }
        let mut machine = Machine::new(state, environment::cfg(&self.rules, &header), env);
        machine.pretend(Pretence {
            moves,
            logs_transfers: self.logs_transfers,
        });
        let withdrawals = block.withdrawals.clone();
        let mut run = BlockExecutor::over(&self.rules, header, withdrawals, machine)?;
        let mut calls = Vec::with_capacity(block.calls.len());
        for call in &block.calls {
            if given_up() {
                return Err(SimulateError::GivenUp);
            }
            calls.push(self.call(&mut run, call.clone())?);
        }
        Ok((run.finish()?, calls))
    }

    /// Stands on `block` from now on.
    pub fn advance(&mut self, block: &SealedBlock, diff: &StateDiff) {
        self.state.apply(diff);
        self.state.hashes.insert(block.header.number, block.hash);
        self.parent = block.header.clone();
        self.parent_hash = block.hash;
    }

    fn header(&self, block: &SimulatedBlock) -> Header {
        let (parent, overrides) = (&self.parent, &block.overrides);
        let timestamp = overrides
            .time
            .map_or(parent.timestamp, |time| time.saturating_to());
        let base_fee = match (overrides.base_fee, self.validate) {
            (Some(fee), _) => fee,
            (None, true) => fees::next_base_fee(&self.rules, parent),
            (None, false) => 0,
        };
        let (withdrawals_root, anchor) = match &*self.rules {
            Rules::Ethereum(_) if block.withdrawals.is_empty() => (EMPTY_ROOT_HASH, B256::ZERO),
            Rules::Ethereum(_) => (calculate_withdrawals_root(&block.withdrawals), B256::ZERO),
            Rules::Rollup(_) => (
                B256::ZERO,
                parent.parent_beacon_block_root.unwrap_or_default(),
            ),
        };
        let mut header = Header {
            parent_hash: self.parent_hash,
            beneficiary: overrides.fee_recipient.unwrap_or(parent.beneficiary),
            state_root: B256::ZERO,
            difficulty: parent.difficulty,
            number: overrides
                .number
                .map_or(parent.number.saturating_add(1), |n| n.saturating_to()),
            gas_limit: overrides.gas_limit.unwrap_or(parent.gas_limit),
            timestamp,
            mix_hash: overrides.prev_randao.unwrap_or_default(),
            base_fee_per_gas: Some(base_fee),
            withdrawals_root: Some(withdrawals_root),
            blob_gas_used: Some(0),
            excess_blob_gas: Some(fees::next_excess_blob_gas(&self.rules, parent, timestamp)),
            parent_beacon_block_root: Some(anchor),
            requests_hash: Some(EMPTY_REQUESTS_HASH),
            ..Header::default()
        };
        if let Rules::Ethereum(rules) = &*self.rules {
            rules.drop_later_fields(&mut header);
        }
        header
    }

    fn call(
        &mut self,
        run: &mut BlockExecutor<Layered<S>>,
        mut call: CallRequest,
    ) -> Result<SimulatedCall, SimulateError> {
        let limit = run.gas_limit();
        let asked = run
            .gas_used()
            .saturating_add(call.gas_limit.unwrap_or(run.gas_left()));
        if asked > limit {
            return Err(SimulateError::BlockGas { asked, limit });
        }
        if self.gas_left == 0 {
            return Err(SimulateError::AllGas { max: self.gas_max });
        }
        let gas = call.gas_limit.unwrap_or(run.gas_left()).min(self.gas_left);
        call.gas_limit = Some(gas);
        if call.nonce.is_none() {
            call.nonce = Some(run.nonce(call.from)?);
        }
        let outcome = run
            .execute_call(&call, self.validate)
            .map_err(|why| SimulateError::Call { why, gas })?;
        self.gas_left = self.gas_left.saturating_sub(outcome.gas_used);
        Ok(outcome)
    }
}

impl<S: StateReader> BlockExecutor<S> {
    fn nonce(&mut self, address: Address) -> Result<u64, StateError> {
        Ok(self.evm.state().account(address)?.unwrap_or_default().nonce)
    }

    /// Geth looks at the nonce before it looks at fees and funds, revm after them.
    fn check_nonce(&mut self, request: &CallRequest) -> Result<(), TxRejection> {
        let (address, next) = (request.from, self.nonce(request.from)?);
        let tx = request.nonce.unwrap_or(next);
        Err(match tx.cmp(&next) {
            Ordering::Less => TxRejection::NonceTooLow { next, tx },
            Ordering::Greater => TxRejection::NonceTooHigh { address, next, tx },
            Ordering::Equal if tx == u64::MAX => TxRejection::NonceMax { address, nonce: tx },
            Ordering::Equal => return Ok(()),
        })
    }

    /// Begins an account's nonces again after the last: only a call that nobody validates gets there.
    fn wrap_nonce(&mut self, address: Address) -> Result<(), StateError> {
        let state = self.evm.state();
        let account = state.account(address)?.unwrap_or_default();
        state.set_account(
            address,
            Account {
                nonce: 0,
                ..account
            },
        )
    }

    /// Runs a call as the next transaction, as if its sender had signed it.
    fn execute_call(
        &mut self,
        request: &CallRequest,
        validate: bool,
    ) -> Result<SimulatedCall, TxRejection> {
        if validate {
            self.check_nonce(request)?;
        }
        let wraps = request.to.is_some() && self.nonce(request.from)? == u64::MAX;
        let tx = Arc::new(unsigned(request, self.rules.chain_id()));
        let flow = match &*self.rules {
            Rules::Ethereum(_) => Flow::Ethereum,
            Rules::Rollup(_) => {
                let packed = self
                    .evm
                    .state()
                    .slot(primitives::predeploys::L1_INFO, l1_info::SLOT_PACKED)?;
                let per_byte = l1_info::Packed::from(packed).da_gas_per_byte;
                Flow::Rollup {
                    da_gas: da_gas(per_byte, &tx.tx),
                }
            }
        };
        let env = self.evm.ctx.block.clone();
        if !validate {
            call::free_of_charge(&mut self.evm.ctx.block, request);
        }
        self.evm.ctx.tx = request.tx_env(self.rules.chain_id(), env.gas_limit);
        let result = TxHandler::simulated(flow, validate).run(&mut self.evm);
        let changes = self.evm.ctx.journal_mut().finalize();
        let ctx = &mut self.evm.ctx;
        let result = result.map_err(|error| rejection(error, &ctx.tx, &ctx.block, &ctx.cfg))?;
        ctx.block = env;
        ctx.journaled_state.database.commit(changes)?;
        if wraps {
            self.wrap_nonce(request.from)?;
        }
        let outcome = call::outcome(result);
        self.header.gas_used = self.header.gas_used.saturating_add(outcome.gas_used);
        if let Some(used) = &mut self.header.blob_gas_used {
            *used = used.saturating_add(
                (request.blob_hashes.len() as u64).saturating_mul(fees::GAS_PER_BLOB),
            );
        }
        self.receipts.push(Receipt {
            tx_type: tx.tx.ty(),
            success: outcome.success,
            post_state: None,
            cumulative_gas_used: self.header.gas_used,
            logs: outcome
                .logs
                .iter()
                .filter(|log| log.address != TRANSFER_EMITTER)
                .cloned()
                .collect(),
        });
        self.transactions.push(tx);
        Ok(outcome)
    }
}

/// The transaction that a call stands for, with an empty signature.
fn unsigned(request: &CallRequest, chain_id: u64) -> CheckedTx {
    let tx = request.typed(chain_id);
    let raw: Bytes = tx.encode().into();
    CheckedTx {
        hash: keccak256(&raw),
        sender: request.from,
        raw,
        tx,
    }
}

/// A state, and over it what the made-up blocks changed.
#[derive(Debug, Clone)]
struct Layered<S> {
    base: S,
    accounts: AddressMap<Option<Account>>,
    slots: HashMap<(Address, U256), U256>,
    /// Of these no slot of the base is left.
    wiped: AddressSet,
    codes: B256Map<Bytes>,
    hashes: HashMap<u64, B256>,
}

impl<S> Layered<S> {
    fn new(base: S) -> Self {
        Self {
            base,
            accounts: AddressMap::default(),
            slots: HashMap::default(),
            wiped: AddressSet::default(),
            codes: B256Map::default(),
            hashes: HashMap::default(),
        }
    }

    fn apply(&mut self, diff: &StateDiff) {
        for (hash, code) in &diff.codes {
            self.codes.insert(*hash, code.clone());
        }
        for change in &diff.accounts {
            if change.wiped || change.after.is_none() {
                self.wiped.insert(change.address);
                self.slots
                    .retain(|(address, _), _| *address != change.address);
            }
            self.accounts.insert(change.address, change.after);
            for slot in &change.slots {
                self.slots.insert((change.address, slot.slot), slot.after);
            }
        }
    }
}

impl<S: StateReader> StateReader for Layered<S> {
    fn account(&self, address: Address) -> Result<Option<Account>, StateError> {
        match self.accounts.get(&address) {
            Some(account) => Ok(*account),
            None => self.base.account(address),
        }
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        match self.slots.get(&(address, slot)) {
            Some(value) => Ok(*value),
            None if self.wiped.contains(&address) => Ok(U256::ZERO),
            None => self.base.storage(address, slot),
        }
    }

    fn has_storage(&self, address: Address) -> Result<bool, StateError> {
        let own = self
            .slots
            .iter()
            .any(|((owner, _), value)| *owner == address && !value.is_zero());
        Ok(own || (!self.wiped.contains(&address) && self.base.has_storage(address)?))
    }

    fn code(&self, hash: B256) -> Result<Bytes, StateError> {
        match self.codes.get(&hash) {
            Some(code) => Ok(code.clone()),
            None => self.base.code(hash),
        }
    }

    fn block_hash(&self, number: u64) -> Result<B256, StateError> {
        match self.hashes.get(&number) {
            Some(hash) => Ok(*hash),
            None => self.base.block_hash(number),
        }
    }
}
