//! One block, transaction by transaction.

use crate::{
    BlockError, Rules, StateReader, TxRejection,
    block_state::BlockState,
    da_price, deposit, environment, fees,
    gas::da_gas,
    handler::{EvmError, Flow, TxHandler},
    l1_info::{self, Packed},
    machine::Machine,
    rejection::rejection,
    system, tx_env,
};
use alloc::{sync::Arc, vec::Vec};
use alloy_consensus::{EMPTY_ROOT_HASH, Transaction as _, Typed2718};
use alloy_eips::{
    eip2935::HISTORY_STORAGE_ADDRESS, eip4788::BEACON_ROOTS_ADDRESS,
    eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
    eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, eip7685::EMPTY_REQUESTS_HASH,
};
use alloy_primitives::{Address, B256, Bloom, Bytes, Log, U256};
use primitives::{
    Account, Anchor, BlockInput, CheckedTx, Header, Receipt, SealedBlock, StateDiff,
    predeploys::{L1_INFO, PRIORITY_FEE_VAULT},
};
use revm::{
    context::{ContextTr, JournalTr, result::ExecutionResult},
    handler::Handler,
    primitives::hardfork::SpecId,
    state::EvmState,
};

/// EIP-7685 request types.
const WITHDRAWAL_REQUEST: u8 = 1;
const CONSOLIDATION_REQUEST: u8 = 2;

/// What a block is made with, besides its parent and transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BlockContext {
    /// Seconds.
    pub timestamp: u64,
    /// Rollup: the L1 block referred to. Ethereum: only `hash` is read, as the parent beacon block root.
    pub anchor: Anchor,
    /// Ethereum: receives the tips. On the rollup a vault does.
    pub beneficiary: Address,
    /// Ethereum: the randomness. On the rollup it is the anchor's.
    pub prev_randao: B256,
}

/// What one transaction did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxOutcome {
    /// Gas, after refunds, data gas included.
    pub gas_used: u64,
    /// False if it reverted or halted.
    pub success: bool,
    /// Return data, or the reason of a revert.
    pub output: Bytes,
    /// The contract it made.
    pub created: Option<Address>,
}

/// A block under construction. Not `Send`: make it on the thread that runs it.
pub struct BlockExecutor<S: StateReader> {
    pub(crate) rules: Arc<Rules>,
    pub(crate) evm: Machine<S>,
    spec: SpecId,
    pub(crate) header: Header,
    pub(crate) transactions: Vec<Arc<CheckedTx>>,
    pub(crate) receipts: Vec<Receipt>,
    deposits: u64,
    da_gas_per_byte: u64,
    blob_gas_max: u64,
}

/// A block that ran. Its state root is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutedBlock {
    /// Final but for `state_root` and, on the rollup, `withdrawals_root`, which are zero.
    pub header: Header,
    /// In order.
    pub transactions: Vec<Arc<CheckedTx>>,
    /// One for each transaction.
    pub receipts: Vec<Receipt>,
    /// What it changed.
    pub diff: StateDiff,
}

/// Runs a whole rollup block.
pub fn execute_block<S: StateReader>(
    rules: &Arc<Rules>,
    parent: &Header,
    parent_hash: B256,
    input: &BlockInput,
    state: S,
) -> Result<ExecutedBlock, BlockError> {
    let context = BlockContext {
        timestamp: input.timestamp,
        anchor: input.anchor,
        ..Default::default()
    };
    let mut block = BlockExecutor::begin(rules, parent, parent_hash, context, state)?;
    for (index, tx) in input.transactions.iter().enumerate() {
        block.execute(tx).map_err(|source| match source {
            TxRejection::State(error) => BlockError::State(error),
            source => BlockError::Tx { index, source },
        })?;
    }
    block.finish()
}

impl<S: StateReader> BlockExecutor<S> {
    /// Starts the block after `parent`, whose state `state` reads: anchor, L1Info, system calls.
    pub fn begin(
        rules: &Arc<Rules>,
        parent: &Header,
        parent_hash: B256,
        context: BlockContext,
        state: S,
    ) -> Result<Self, BlockError> {
        let header = header(rules, parent, parent_hash, &context)?;
        let spec = rules.spec(header.timestamp);
        let blob_gas_max = match &**rules {
            Rules::Ethereum(rules) => rules
                .blob_params(header.timestamp)
                .max
                .saturating_mul(fees::GAS_PER_BLOB),
            Rules::Rollup(_) => 0,
        };
        let state = BlockState::new(state, rules.codes().clone(), (parent.number, parent_hash));
        let cfg = environment::cfg(rules, header.timestamp);
        let evm = Machine::new(state, cfg, environment::block(rules, &header));
        let mut block = Self {
            rules: rules.clone(),
            evm,
            spec,
            header,
            transactions: Vec::new(),
            receipts: Vec::new(),
            deposits: 0,
            da_gas_per_byte: 0,
            blob_gas_max,
        };
        match &**rules {
            Rules::Ethereum(_) => {
                system::call(
                    &mut block.evm,
                    BEACON_ROOTS_ADDRESS,
                    context.anchor.hash.into(),
                )?;
            }
            Rules::Rollup(rules) => block.set_anchor(rules, &context.anchor)?,
        }
        if spec.is_enabled_in(SpecId::PRAGUE) {
            system::call(&mut block.evm, HISTORY_STORAGE_ADDRESS, parent_hash.into())?;
        }
        Ok(block)
    }

    /// A block with a header of somebody's making, on a machine that stands in it.
    pub(crate) fn over(
        rules: &Arc<Rules>,
        header: Header,
        parent_hash: B256,
        evm: Machine<S>,
    ) -> Result<Self, BlockError> {
        let spec = rules.spec(header.timestamp);
        let anchor = header.parent_beacon_block_root.unwrap_or_default();
        let mut block = Self {
            rules: rules.clone(),
            evm,
            spec,
            header,
            transactions: Vec::new(),
            receipts: Vec::new(),
            deposits: 0,
            da_gas_per_byte: 0,
            blob_gas_max: 0,
        };
        if matches!(**rules, Rules::Ethereum(_)) {
            system::call(&mut block.evm, BEACON_ROOTS_ADDRESS, anchor.into())?;
        }
        if spec.is_enabled_in(SpecId::PRAGUE) {
            system::call(&mut block.evm, HISTORY_STORAGE_ADDRESS, parent_hash.into())?;
        }
        Ok(block)
    }

    /// Writes what is new about L1. The data gas price of this block is the one that stood before.
    fn set_anchor(
        &mut self,
        rules: &crate::RollupRules,
        anchor: &Anchor,
    ) -> Result<(), BlockError> {
        let base_fee = self.base_fee();
        let state = self.evm.state();
        let old = Packed::from(state.slot(L1_INFO, l1_info::SLOT_PACKED)?);
        let old_hash = B256::from(state.slot(L1_INFO, l1_info::SLOT_HASH)?);
        self.da_gas_per_byte = old.da_gas_per_byte;
        if anchor.number < old.number {
            return Err(BlockError::AnchorWentBack {
                from: old.number,
                to: anchor.number,
            });
        }
        // A genesis without an anchor holds no hash.
        if anchor.number == old.number && !old_hash.is_zero() {
            return match anchor.hash == old_hash {
                true => Ok(()),
                false => Err(BlockError::AnchorReplaced {
                    number: anchor.number,
                    hash: anchor.hash,
                    parent: old_hash,
                }),
            };
        }
        let new = Packed {
            number: anchor.number,
            timestamp: anchor.timestamp,
            da_gas_per_byte: da_price::moved(rules, anchor, base_fee, old.da_gas_per_byte),
            queue_consumed: old.queue_consumed,
        };
        keep_l1_info(state)?;
        state.set_slot(L1_INFO, l1_info::SLOT_PACKED, new.into())?;
        state.set_slot(L1_INFO, l1_info::SLOT_BASE_FEE, U256::from(anchor.base_fee))?;
        state.set_slot(
            L1_INFO,
            l1_info::SLOT_BLOB_BASE_FEE,
            U256::from(anchor.blob_base_fee),
        )?;
        state.set_slot(L1_INFO, l1_info::SLOT_HASH, anchor.hash.into())?;
        Ok(())
    }

    /// Runs a transaction at the end of the block so far. A rejected one leaves no trace; after
    /// [`TxRejection::State`] the executor must be dropped.
    pub fn execute(&mut self, tx: &Arc<CheckedTx>) -> Result<TxOutcome, TxRejection> {
        let flow = self.prepare(tx)?;
        let result = TxHandler::new(flow).run(&mut self.evm);
        let changes = self.evm.ctx.journal_mut().finalize();
        self.settle(tx, result, changes)
    }

    /// Lets a transaction in and puts it before the machine.
    pub(crate) fn prepare(&mut self, tx: &CheckedTx) -> Result<Flow, TxRejection> {
        let flow = self.admit(tx)?;
        self.evm.ctx.tx = match tx.tx.as_deposit() {
            Some(deposit) => tx_env::deposit(deposit),
            None => tx_env::signed(tx),
        };
        Ok(flow)
    }

    /// The machine, before which [`Self::prepare`] put a transaction.
    #[cfg(feature = "trace")]
    pub(crate) fn machine(&mut self) -> &mut Machine<S> {
        &mut self.evm
    }

    /// Takes over what the machine made of the transaction.
    pub(crate) fn settle(
        &mut self,
        tx: &Arc<CheckedTx>,
        result: Result<ExecutionResult, EvmError>,
        changes: EvmState,
    ) -> Result<TxOutcome, TxRejection> {
        let deposit = tx.tx.as_deposit();
        let ctx = &mut self.evm.ctx;
        let state = &mut ctx.journaled_state.database;
        let (outcome, logs) = match (result, deposit) {
            (Ok(result), _) => {
                state.commit(changes)?;
                outcome(result)
            }
            (Err(EvmError::Transaction(_)), Some(deposit)) => {
                deposit::settle_failed(state, deposit)?;
                let gas_used = deposit.gas_limit;
                (
                    TxOutcome {
                        gas_used,
                        success: false,
                        output: Bytes::new(),
                        created: None,
                    },
                    Vec::new(),
                )
            }
            (Err(error), _) => return Err(rejection(error, &ctx.tx, &ctx.block, &ctx.cfg)),
        };
        self.deposits = self.deposits.saturating_add(deposit.is_some().into());
        self.header.gas_used = self.header.gas_used.saturating_add(outcome.gas_used);
        if let Some(used) = &mut self.header.blob_gas_used {
            *used = used.saturating_add(blob_gas(tx));
        }
        self.receipts.push(Receipt {
            tx_type: tx.tx.ty(),
            success: outcome.success,
            cumulative_gas_used: self.header.gas_used,
            logs,
        });
        self.transactions.push(tx.clone());
        Ok(outcome)
    }

    /// The checks that need the block, not the state.
    fn admit(&self, tx: &CheckedTx) -> Result<Flow, TxRejection> {
        let gas_limit = tx.tx.gas_limit();
        let flow = match (&*self.rules, tx.tx.as_deposit()) {
            (Rules::Ethereum(_), Some(_)) => return Err(TxRejection::TypeNotSupported),
            (Rules::Ethereum(_), None) => Flow::Ethereum,
            (Rules::Rollup(_), Some(deposit)) => {
                if self.deposits != self.transactions.len() as u64 {
                    return Err(TxRejection::DepositAfterSigned);
                }
                Flow::Deposit { mint: deposit.mint }
            }
            (Rules::Rollup(rules), None) => {
                if tx.tx.is_unprotected() && !rules.allow_unprotected {
                    return Err(TxRejection::Unprotected);
                }
                Flow::Rollup {
                    da_gas: da_gas(self.da_gas_per_byte, &tx.tx),
                }
            }
        };
        if gas_limit > self.header.gas_limit {
            return Err(TxRejection::ExceedsBlockGasLimit);
        }
        if gas_limit > self.gas_left() {
            return Err(TxRejection::GasLimitReached);
        }
        let blobs = blob_gas(tx);
        if flow == Flow::Ethereum && blobs > 0 {
            let used = self.header.blob_gas_used.unwrap_or(0);
            if used.saturating_add(blobs) > self.blob_gas_max {
                return Err(TxRejection::BlobGasLimitReached);
            }
        }
        Ok(flow)
    }

    /// Gas of all transactions so far.
    pub fn gas_used(&self) -> u64 {
        self.header.gas_used
    }

    /// Gas of the whole block.
    pub fn gas_limit(&self) -> u64 {
        self.header.gas_limit
    }

    /// Gas that is left in the block.
    pub fn gas_left(&self) -> u64 {
        self.header.gas_limit.saturating_sub(self.header.gas_used)
    }

    /// Wei per gas.
    pub fn base_fee(&self) -> u64 {
        self.header.base_fee_per_gas.unwrap_or(0)
    }

    /// L2 gas per byte of L1 data in this block; zero on Ethereum.
    pub fn da_gas_per_byte(&self) -> u64 {
        self.da_gas_per_byte
    }

    /// Transactions so far.
    pub fn tx_count(&self) -> usize {
        self.transactions.len()
    }

    /// What the block changed so far, without what its end adds.
    pub fn into_changes(self) -> StateDiff {
        self.evm.into_state().into_diff()
    }

    /// Closes the block.
    pub fn finish(mut self) -> Result<ExecutedBlock, BlockError> {
        match &*self.rules {
            Rules::Ethereum(_) if self.spec.is_enabled_in(SpecId::PRAGUE) => {
                self.header.requests_hash = Some(self.requests_hash()?);
            }
            Rules::Ethereum(_) => {}
            Rules::Rollup(_) => self.count_deposits()?,
        }
        let mut header = self.header;
        header.transactions_root =
            alloy_trie::root::ordered_trie_root_with_encoder(&self.transactions, |tx, out| {
                out.extend_from_slice(&tx.raw);
            });
        let blooms: Vec<Bloom> = self.receipts.iter().map(Receipt::bloom).collect();
        let with_blooms: Vec<(&Receipt, &Bloom)> = self.receipts.iter().zip(&blooms).collect();
        header.receipts_root = alloy_trie::root::ordered_trie_root_with_encoder(
            &with_blooms,
            |(receipt, bloom), out| {
                receipt.encode_2718(**bloom, out);
            },
        );
        header.logs_bloom = blooms.iter().fold(Bloom::ZERO, |all, bloom| all | *bloom);
        let diff = self.evm.into_state().into_diff();
        Ok(ExecutedBlock {
            header,
            transactions: self.transactions,
            receipts: self.receipts,
            diff,
        })
    }

    /// Every deposit is one entry of L1's queue.
    fn count_deposits(&mut self) -> Result<(), BlockError> {
        if self.deposits == 0 {
            return Ok(());
        }
        let state = self.evm.state();
        let mut packed = Packed::from(state.slot(L1_INFO, l1_info::SLOT_PACKED)?);
        packed.queue_consumed = packed.queue_consumed.saturating_add(self.deposits);
        keep_l1_info(state)?;
        Ok(state.set_slot(L1_INFO, l1_info::SLOT_PACKED, packed.into())?)
    }

    fn requests_hash(&mut self) -> Result<B256, BlockError> {
        let mut requests = Vec::new();
        for (kind, contract) in [
            (WITHDRAWAL_REQUEST, WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS),
            (
                CONSOLIDATION_REQUEST,
                CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
            ),
        ] {
            match system::call(&mut self.evm, contract, Bytes::new())? {
                Some(ExecutionResult::Success { output, .. }) => {
                    requests.push((kind, output.into_data()))
                }
                Some(_) => return Err(BlockError::SystemCall(contract)),
                None => {}
            }
        }
        if requests.is_empty() {
            Ok(EMPTY_REQUESTS_HASH)
        } else {
            Ok(system::requests_hash(&requests))
        }
    }
}

impl ExecutedBlock {
    /// Fills in what the trie computed, and fixes the hash. `withdrawals_root` is for the rollup.
    pub fn seal(
        mut self,
        state_root: B256,
        withdrawals_root: Option<B256>,
    ) -> (SealedBlock, StateDiff) {
        self.header.state_root = state_root;
        if withdrawals_root.is_some() {
            self.header.withdrawals_root = withdrawals_root;
        }
        let hash = self.header.hash_slow();
        let block = SealedBlock {
            header: self.header,
            hash,
            transactions: self.transactions,
            receipts: self.receipts,
        };
        (block, self.diff)
    }
}

/// All of a header that is known before the first transaction.
fn header(
    rules: &Rules,
    parent: &Header,
    parent_hash: B256,
    context: &BlockContext,
) -> Result<Header, BlockError> {
    let BlockContext {
        timestamp, anchor, ..
    } = *context;
    let (min, beneficiary, mix_hash, withdrawals_root) = match rules {
        Rules::Ethereum(_) => (
            parent.timestamp.saturating_add(1),
            context.beneficiary,
            context.prev_randao,
            EMPTY_ROOT_HASH,
        ),
        Rules::Rollup(_) => (
            parent.timestamp.max(anchor.timestamp),
            PRIORITY_FEE_VAULT,
            anchor.prev_randao,
            B256::ZERO,
        ),
    };
    if timestamp < min {
        return Err(BlockError::Timestamp { timestamp, min });
    }
    let prague = rules.spec(timestamp).is_enabled_in(SpecId::PRAGUE);
    Ok(Header {
        parent_hash,
        beneficiary,
        state_root: B256::ZERO,
        number: parent
            .number
            .checked_add(1)
            .ok_or(BlockError::NumberOverflow)?,
        gas_limit: rules.gas_limit(),
        timestamp,
        mix_hash,
        base_fee_per_gas: Some(fees::next_base_fee(rules, parent)),
        withdrawals_root: Some(withdrawals_root),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(fees::next_excess_blob_gas(rules, parent, timestamp)),
        parent_beacon_block_root: Some(anchor.hash),
        requests_hash: prague.then_some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    })
}

/// An L1Info without code, as in a state that is not from our genesis, takes a nonce so that EIP-161 keeps it.
fn keep_l1_info<S: StateReader>(state: &mut BlockState<S>) -> Result<(), BlockError> {
    if state.account(L1_INFO)?.is_none() {
        state.set_account(
            L1_INFO,
            Account {
                nonce: 1,
                ..Account::default()
            },
        )?;
    }
    Ok(())
}

fn blob_gas(tx: &CheckedTx) -> u64 {
    tx.tx.blob_versioned_hashes().map_or(0, |hashes| {
        (hashes.len() as u64).saturating_mul(fees::GAS_PER_BLOB)
    })
}

fn outcome(result: ExecutionResult) -> (TxOutcome, Vec<Log>) {
    let gas_used = result.gas().tx_gas_used();
    match result {
        ExecutionResult::Success { output, logs, .. } => {
            let created = output.address().copied();
            (
                TxOutcome {
                    gas_used,
                    success: true,
                    output: output.into_data(),
                    created,
                },
                logs,
            )
        }
        ExecutionResult::Revert { output, .. } => (
            TxOutcome {
                gas_used,
                success: false,
                output,
                created: None,
            },
            Vec::new(),
        ),
        ExecutionResult::Halt { .. } => (
            TxOutcome {
                gas_used,
                success: false,
                output: Bytes::new(),
                created: None,
            },
            Vec::new(),
        ),
    }
}
