//! Our rules inside revm's transaction handler: who is let in, what gas costs, who receives the fees.

use crate::{
    StateError, StateReader,
    machine::{Ctx, Machine},
};
use alloc::boxed::Box;
use alloy_primitives::{Address, U256};
use core::marker::PhantomData;
use primitives::predeploys::{BASE_FEE_VAULT, DATA_FEE_VAULT};
use revm::{
    context::{
        Cfg, ContextTr, JournalTr, Transaction, TxEnv,
        journaled_state::account::JournaledAccountTr,
        result::{EVMError, HaltReason, InvalidTransaction},
    },
    context_interface::{Block, transaction::TransactionType},
    handler::{EthFrame, EvmTr, FrameResult, Handler, post_execution, pre_execution, validation},
    interpreter::{Gas, GasTracker, InitialAndFloorGas, interpreter::EthInterpreter},
    primitives::hardfork::SpecId,
};

pub(crate) type EvmError = EVMError<StateError>;

/// What kind of transaction runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Ethereum's rules.
    Ethereum,
    /// A signed transaction on the rollup, with the gas for its L1 data.
    Rollup {
        /// Counts as intrinsic gas, stands above the floor, is never refunded.
        da_gas: u64,
    },
    /// Mints, pays no fee, has no nonce of its own.
    Deposit {
        /// Wei given to the sender first.
        mint: u128,
    },
}

/// Runs one transaction on the machine `E` over the state `S`.
#[derive(Debug)]
pub(crate) struct TxHandler<S, E = Machine<S>> {
    pub(crate) flow: Flow,
    /// For `eth_call`: any sender, any nonce, any gas limit.
    pub(crate) lenient: bool,
    /// Nonces do not count.
    any_nonce: bool,
    marker: PhantomData<fn() -> (S, E)>,
}

impl<S, E> TxHandler<S, E> {
    pub(crate) fn new(flow: Flow) -> Self {
        Self {
            flow,
            lenient: false,
            any_nonce: false,
            marker: PhantomData,
        }
    }

    pub(crate) fn lenient(flow: Flow) -> Self {
        Self {
            flow,
            lenient: true,
            any_nonce: true,
            marker: PhantomData,
        }
    }

    /// For simulations: no signature, and if `validate`, a right nonce.
    pub(crate) fn simulated(flow: Flow, validate: bool) -> Self {
        Self {
            any_nonce: !validate,
            ..Self::lenient(flow)
        }
    }

    fn da_gas(&self) -> u64 {
        match self.flow {
            Flow::Rollup { da_gas } => da_gas,
            Flow::Ethereum | Flow::Deposit { .. } => 0,
        }
    }
}

impl<S, E> TxHandler<S, E>
where
    S: StateReader,
    E: EvmTr<Context = Ctx<S>, Frame = EthFrame<EthInterpreter>>,
{
    /// The deposit's own validation: it mints and takes the nonce, and checks what would stop it from running.
    fn start_deposit(&self, evm: &mut E, mint: u128) -> Result<(), EvmError> {
        let (_, tx, cfg, journal, _, _) = evm.ctx().all_mut();
        if tx.kind().is_create() && tx.input().len() > cfg.max_initcode_size() {
            return Err(InvalidTransaction::CreateInitCodeSizeLimit.into());
        }
        let mut from = journal.load_account_with_code_mut(tx.caller())?.data;
        let balance = from.balance().saturating_add(U256::from(mint));
        if tx.value() > balance {
            return Err(lack_of_funds(tx.value(), balance).into());
        }
        if from.nonce() == u64::MAX {
            return Err(InvalidTransaction::NonceOverflowInTransaction.into());
        }
        from.set_balance(balance);
        from.touch();
        if tx.kind().is_call() {
            from.bump_nonce();
        }
        Ok(())
    }

    /// What `eth_call` still checks before execution.
    fn check_lenient(&self, evm: &mut E) -> Result<(), EvmError> {
        let ctx = evm.ctx();
        let (tx, cfg) = (ctx.tx(), ctx.cfg());
        if tx.kind().is_create() && tx.input().len() > cfg.max_initcode_size() {
            return Err(InvalidTransaction::CreateInitCodeSizeLimit.into());
        }
        let base_fee = u128::from(ctx.block().basefee());
        validation::validate_priority_fee_tx(
            tx.max_fee_per_gas(),
            tx.max_priority_fee_per_gas().unwrap_or_default(),
            Some(base_fee),
            false,
        )?;
        if tx.max_fee_per_gas() < base_fee {
            return Err(InvalidTransaction::GasPriceLessThanBasefee.into());
        }
        if tx.tx_type() == TransactionType::Eip4844 as u8 {
            validation::validate_eip4844_tx(
                tx.blob_versioned_hashes(),
                tx.max_fee_per_blob_gas(),
                ctx.block().blob_gasprice().unwrap_or_default(),
                cfg.max_blobs_per_tx(),
            )?;
        }
        Ok(())
    }

    fn credit(evm: &mut E, address: Address, wei: U256) -> Result<(), EvmError> {
        if !wei.is_zero() {
            evm.ctx()
                .journal_mut()
                .load_account_mut(address)?
                .data
                .incr_balance(wei);
        }
        Ok(())
    }
}

pub(crate) fn lack_of_funds(fee: U256, balance: U256) -> InvalidTransaction {
    InvalidTransaction::LackOfFundForMaxFee {
        fee: Box::new(fee),
        balance: Box::new(balance),
    }
}

impl<S, E> Handler for TxHandler<S, E>
where
    S: StateReader,
    E: EvmTr<Context = Ctx<S>, Frame = EthFrame<EthInterpreter>>,
{
    type Evm = E;
    type Error = EvmError;
    type HaltReason = HaltReason;

    fn validate(&self, evm: &mut Self::Evm) -> Result<InitialAndFloorGas, Self::Error> {
        if let Flow::Deposit { mint } = self.flow {
            let gas = self.validate_initial_tx_gas(evm)?;
            self.start_deposit(evm, mint)?;
            return Ok(gas);
        }
        self.validate_env(evm)?;
        let mut gas = self.validate_initial_tx_gas(evm)?;
        self.validate_against_state_and_deduct_caller(evm, &mut gas)?;
        Ok(gas)
    }

    fn validate_env(&self, evm: &mut Self::Evm) -> Result<(), Self::Error> {
        let blob = evm.ctx().tx().tx_type() == TransactionType::Eip4844 as u8;
        if blob && matches!(self.flow, Flow::Rollup { .. }) {
            return Err(InvalidTransaction::Eip4844NotSupported.into());
        }
        if self.lenient {
            self.check_lenient(evm)
        } else {
            validation::validate_env(evm.ctx())
        }
    }

    fn validate_initial_tx_gas(
        &self,
        evm: &mut Self::Evm,
    ) -> Result<InitialAndFloorGas, Self::Error> {
        let ctx = evm.ctx_ref();
        let (tx, cfg) = (ctx.tx(), ctx.cfg());
        let mut gas = cfg.gas_params().initial_tx_gas_for_tx(tx, None);
        let initial_gas = gas.initial_regular_gas().saturating_add(self.da_gas());
        let gas_floor = gas.floor_gas().saturating_add(self.da_gas());
        let gas_limit = tx.gas_limit();
        if initial_gas > gas_limit {
            return Err(InvalidTransaction::CallGasCostMoreThanGasLimit {
                gas_limit,
                initial_gas,
            }
            .into());
        }
        if cfg.spec().is_enabled_in(SpecId::PRAGUE) {
            if gas_floor > gas_limit {
                return Err(InvalidTransaction::GasFloorMoreThanGasLimit {
                    gas_floor,
                    gas_limit,
                }
                .into());
            }
            gas.floor_gas = gas_floor;
        }
        gas.initial_regular_gas = initial_gas;
        gas.initial_state_gas = 0;
        Ok(gas)
    }

    fn validate_against_state_and_deduct_caller(
        &self,
        evm: &mut Self::Evm,
        _: &mut InitialAndFloorGas,
    ) -> Result<(), Self::Error> {
        let (block, tx, cfg, journal, _, _) = evm.ctx().all_mut();
        let mut caller = journal.load_account_with_code_mut(tx.caller())?.data;
        pre_execution::validate_account_nonce_and_code(
            &caller.account().info,
            tx.nonce(),
            self.lenient,
            self.any_nonce,
        )?;
        let balance = pre_execution::calculate_caller_fee(*caller.balance(), tx, block, cfg)?;
        caller.set_balance(balance);
        if tx.kind().is_call() {
            caller.bump_nonce();
        }
        Ok(())
    }

    // Revm moves gas above the cap of EIP-7825 into a reservoir of a later fork; a deposit and `eth_call` may pass the cap.
    fn tx_gas(&self, evm: &mut Self::Evm, gas: &InitialAndFloorGas) -> GasTracker {
        let limit = evm.ctx_ref().tx().gas_limit();
        GasTracker::new(limit, limit.saturating_sub(gas.initial_regular_gas()), 0)
    }

    fn refund(
        &self,
        evm: &mut Self::Evm,
        result: &mut FrameResult,
        eip7702: i64,
    ) -> Result<(), Self::Error> {
        let quotient = evm.ctx().cfg().gas_params().max_refund_quotient().max(1);
        let gas = result.gas_mut();
        gas.record_refund(eip7702);
        let cap = gas.total_gas_spent().saturating_sub(self.da_gas()) / quotient;
        let refund = u64::try_from(gas.refunded()).unwrap_or(0).min(cap);
        gas.set_refund(i64::try_from(refund).unwrap_or(i64::MAX));
        Ok(())
    }

    fn reimburse_caller(
        &self,
        evm: &mut Self::Evm,
        result: &mut FrameResult,
    ) -> Result<(), Self::Error> {
        match self.flow {
            Flow::Deposit { .. } => Ok(()),
            _ => Ok(post_execution::reimburse_caller(
                evm.ctx(),
                result.gas(),
                U256::ZERO,
            )?),
        }
    }

    fn reward_beneficiary(
        &self,
        evm: &mut Self::Evm,
        result: &mut FrameResult,
    ) -> Result<(), Self::Error> {
        match self.flow {
            Flow::Ethereum => Ok(post_execution::reward_beneficiary(evm.ctx(), result.gas())?),
            Flow::Deposit { .. } => Ok(()),
            Flow::Rollup { da_gas } => {
                let Fees {
                    base,
                    data,
                    tip,
                    beneficiary,
                } = fees(evm.ctx(), result.gas(), da_gas);
                Self::credit(evm, BASE_FEE_VAULT, base)?;
                Self::credit(evm, DATA_FEE_VAULT, data)?;
                Self::credit(evm, beneficiary, tip)
            }
        }
    }
}

/// Where a transaction's fee goes; nothing is burned.
struct Fees {
    base: U256,
    data: U256,
    tip: U256,
    beneficiary: Address,
}

fn fees<CTX: ContextTr<Tx = TxEnv>>(ctx: &CTX, gas: &Gas, da_gas: u64) -> Fees {
    let base_fee = u128::from(ctx.block().basefee());
    let price = ctx.tx().effective_gas_price(base_fee);
    let wei = |price: u128, gas: u64| U256::from(price) * U256::from(gas);
    Fees {
        base: wei(base_fee.min(price), gas.used().saturating_sub(da_gas)),
        data: wei(base_fee.min(price), da_gas),
        tip: wei(price.saturating_sub(base_fee), gas.used()),
        beneficiary: ctx.block().beneficiary(),
    }
}
