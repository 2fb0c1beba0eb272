//! One block, transaction by transaction.

use crate::{
    BlockError, EthereumRules, Rules, StateReader, TxRejection,
    block_state::BlockState,
    da_price, deposit, environment, ethereum, fees,
    gas::da_gas,
    handler::{EvmError, Flow, TxHandler},
    l1_info::{self, Packed},
    machine::Machine,
    rejection::rejection,
    system, tx_env,
};
use alloc::{sync::Arc, vec::Vec};
use alloy_consensus::{
    EMPTY_OMMER_ROOT_HASH, EMPTY_ROOT_HASH, Transaction as _, Typed2718,
    proofs::{calculate_ommers_root, calculate_withdrawals_root},
};
use alloy_eips::{
    eip2935::HISTORY_STORAGE_ADDRESS, eip4788::BEACON_ROOTS_ADDRESS,
    eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
    eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, eip7685::EMPTY_REQUESTS_HASH,
};
use alloy_primitives::{Address, B256, Bloom, Bytes, Log, U256};
use config::L1Fork;
use primitives::{
    Account, Anchor, BlockInput, CheckedTx, Header, L1Block, Receipt, SealedBlock, StateDiff,
    Withdrawal,
    predeploys::{L1_INFO, PRIORITY_FEE_VAULT},
};
use revm::{
    context::{ContextTr, JournalTr, result::ExecutionResult},
    handler::Handler,
    primitives::hardfork::SpecId,
    state::EvmState,
};

/// EIP-7685 request types.
const DEPOSIT_REQUEST: u8 = 0;
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
    /// Ethereum, before Byzantium: what each transaction changed.
    steps: Vec<StateDiff>,
    /// Ethereum: a block that somebody else made, with what is beside its transactions.
    given: Option<Given>,
    requests: Vec<Bytes>,
}

/// What is in a block of Ethereum beside its transactions.
#[derive(Debug)]
struct Given {
    ommers: Vec<Header>,
    withdrawals: Vec<Withdrawal>,
    /// A system contract that is missing makes the block invalid (EIP-7002, EIP-7251).
    strict: bool,
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
    /// Ethereum, before the merge.
    pub ommers: Vec<Header>,
    /// Ethereum, from Shanghai on.
    pub withdrawals: Vec<Withdrawal>,
    /// Ethereum, before Byzantium: what each transaction changed, and last what the rewards changed.
    pub steps: Vec<StateDiff>,
    /// Ethereum, from Prague on: what it asks of the beacon chain, a byte that says the kind before each (EIP-7685).
    pub requests: Vec<Bytes>,
}

/// Runs a whole block of an L1 that somebody else made. What it says about itself was either checked
/// ([`check_block`](crate::check_block)) or is to be compared afterwards: every root in the outcome but the state's
/// is computed, not taken over.
pub fn execute_l1_block<S: StateReader>(
    rules: &Arc<Rules>,
    given: &L1Block,
    state: S,
) -> Result<ExecutedBlock, BlockError> {
    run_given(rules, given, state, true)
}

/// [`execute_l1_block`] for a block that stands in a log of our own: one that this program made may lack the contracts
/// of EIP-7002 and EIP-7251.
pub fn replay_l1_block<S: StateReader>(
    rules: &Arc<Rules>,
    given: &L1Block,
    state: S,
) -> Result<ExecutedBlock, BlockError> {
    run_given(rules, given, state, false)
}

fn run_given<S: StateReader>(
    rules: &Arc<Rules>,
    given: &L1Block,
    state: S,
    strict: bool,
) -> Result<ExecutedBlock, BlockError> {
    let beside = Given {
        ommers: given.ommers.clone(),
        withdrawals: given.withdrawals.clone().unwrap_or_default(),
        strict,
    };
    let mut block = BlockExecutor::begin_given(rules, &given.header, beside, state)?;
    for (index, tx) in given.transactions.iter().enumerate() {
        block.execute(tx).map_err(|source| match source {
            TxRejection::State(error) => BlockError::State(error),
            source => BlockError::Tx { index, source },
        })?;
    }
    block.finish()
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
        let mut block = Self::open(rules, header, state)?;
        if let Rules::Rollup(rules) = &**rules {
            block.set_anchor(rules, &context.anchor)?;
        }
        block.call_history()?;
        Ok(block)
    }

    /// Starts a block once more that is on the chain. `state` reads its parent's; `anchor` is asked for on the rollup alone.
    pub fn begin_again(
        rules: &Arc<Rules>,
        parent: &Header,
        block: &SealedBlock,
        anchor: Anchor,
        state: S,
    ) -> Result<Self, BlockError> {
        match &**rules {
            Rules::Rollup(_) => {
                let context = BlockContext {
                    timestamp: block.header.timestamp,
                    anchor,
                    ..Default::default()
                };
                Self::begin(rules, parent, block.header.parent_hash, context, state)
            }
            Rules::Ethereum(_) => {
                let given = Given {
                    ommers: block.ommers.clone(),
                    withdrawals: block.withdrawals.clone(),
                    strict: false,
                };
                Self::begin_given(rules, &block.header, given, state)
            }
        }
    }

    /// Starts a block of an L1 that somebody else made; `state` reads its parent's.
    fn begin_given(
        rules: &Arc<Rules>,
        header: &Header,
        given: Given,
        state: S,
    ) -> Result<Self, BlockError> {
        let header = Header {
            gas_used: 0,
            blob_gas_used: header.blob_gas_used.map(|_| 0),
            ..header.clone()
        };
        let mut block = Self::open(rules, header, state)?;
        block.given = Some(given);
        block.call_history()?;
        Ok(block)
    }

    /// The machine, and on Ethereum what happens before the history is written.
    fn open(rules: &Arc<Rules>, header: Header, state: S) -> Result<Self, BlockError> {
        let spec = rules.spec(&header);
        let blob_gas_max = match &**rules {
            Rules::Ethereum(rules) => rules
                .blob_params(header.timestamp)
                .max
                .saturating_mul(fees::GAS_PER_BLOB),
            Rules::Rollup(_) => 0,
        };
        let parent = (header.number.saturating_sub(1), header.parent_hash);
        let state = BlockState::new(state, rules.codes().clone(), parent, spec);
        let cfg = environment::cfg(rules, &header);
        let evm = Machine::new(state, cfg, environment::block(rules, &header));
        let mut block = Self::on(rules, header, evm);
        block.blob_gas_max = blob_gas_max;
        if let Rules::Ethereum(rules) = &**rules {
            if !spec.is_enabled_in(SpecId::BYZANTIUM) {
                block.evm.state().note_steps();
            }
            ethereum::dao::change(rules, block.header.number, block.evm.state())?;
            block.call_beacon_roots()?;
        }
        Ok(block)
    }

    /// Nothing has happened yet.
    fn on(rules: &Arc<Rules>, header: Header, evm: Machine<S>) -> Self {
        Self {
            rules: rules.clone(),
            evm,
            spec: rules.spec(&header),
            header,
            transactions: Vec::new(),
            receipts: Vec::new(),
            deposits: 0,
            da_gas_per_byte: 0,
            blob_gas_max: 0,
            steps: Vec::new(),
            given: None,
            requests: Vec::new(),
        }
    }

    /// EIP-4788. The rollup has no beacon chain.
    fn call_beacon_roots(&mut self) -> Result<(), BlockError> {
        if let (Rules::Ethereum(_), Some(root)) =
            (&*self.rules, self.header.parent_beacon_block_root)
            && self.spec.is_enabled_in(SpecId::CANCUN)
        {
            system::call(&mut self.evm, BEACON_ROOTS_ADDRESS, root.into())?;
        }
        Ok(())
    }

    /// A block with a header of somebody's making, on a machine that stands in it.
    pub(crate) fn over(
        rules: &Arc<Rules>,
        header: Header,
        withdrawals: Vec<Withdrawal>,
        evm: Machine<S>,
    ) -> Result<Self, BlockError> {
        let mut block = Self::on(rules, header, evm);
        block.given = Some(Given {
            ommers: Vec::new(),
            withdrawals,
            strict: false,
        });
        block.call_beacon_roots()?;
        block.call_history()?;
        Ok(block)
    }

    /// EIP-2935.
    fn call_history(&mut self) -> Result<(), BlockError> {
        if self.spec.is_enabled_in(SpecId::PRAGUE) {
            let parent = self.header.parent_hash;
            system::call(&mut self.evm, HISTORY_STORAGE_ADDRESS, parent.into())?;
        }
        Ok(())
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
        self.steps.extend(self.evm.state().take_step());
        self.receipts.push(Receipt {
            tx_type: tx.tx.ty(),
            success: outcome.success,
            post_state: None,
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
        let rules = self.rules.clone();
        match &*rules {
            Rules::Ethereum(rules) => self.finish_ethereum(rules)?,
            Rules::Rollup(_) => self.count_deposits()?,
        }
        let mut header = self.header;
        header.transactions_root =
            alloy_trie::root::ordered_trie_root_with_encoder(&self.transactions, |tx, out| {
                out.extend_from_slice(&tx.raw);
            });
        let blooms: Vec<Bloom> = self.receipts.iter().map(Receipt::bloom).collect();
        header.receipts_root = receipts_root(&self.receipts, &blooms);
        header.logs_bloom = blooms.iter().fold(Bloom::ZERO, |all, bloom| all | *bloom);
        let diff = self.evm.into_state().into_diff();
        let (ommers, withdrawals) = self
            .given
            .map(|given| (given.ommers, given.withdrawals))
            .unwrap_or_default();
        Ok(ExecutedBlock {
            header,
            transactions: self.transactions,
            receipts: self.receipts,
            diff,
            ommers,
            withdrawals,
            steps: self.steps,
            requests: self.requests,
        })
    }

    /// Withdrawals, requests, rewards, and the roots of what is beside the transactions.
    fn finish_ethereum(&mut self, rules: &EthereumRules) -> Result<(), BlockError> {
        let given = self.given.take();
        let (ommers, withdrawals) = match &given {
            Some(given) => (&given.ommers[..], &given.withdrawals[..]),
            None => (&[][..], &[][..]),
        };
        self.header.ommers_hash = match ommers {
            [] => EMPTY_OMMER_ROOT_HASH,
            ommers => calculate_ommers_root(ommers),
        };
        let fork = rules.fork_of(&self.header);
        if fork >= L1Fork::Shanghai {
            self.header.withdrawals_root = Some(calculate_withdrawals_root(withdrawals));
            for withdrawal in withdrawals {
                let wei = withdrawal.amount_wei();
                self.evm.state().add_balance(withdrawal.address, wei)?;
            }
        }
        if fork >= L1Fork::Prague {
            let strict = given.as_ref().is_some_and(|given| given.strict);
            self.header.requests_hash = Some(self.requests_hash(rules, strict)?);
        }
        ethereum::rewards::pay(fork, &self.header, ommers, self.evm.state())?;
        self.steps.extend(self.evm.state().take_step());
        self.given = given;
        Ok(())
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

    fn requests_hash(&mut self, rules: &EthereumRules, strict: bool) -> Result<B256, BlockError> {
        let mut requests = Vec::new();
        if let Some(contract) = rules.deposit_contract {
            let logs = self.receipts.iter().flat_map(|receipt| &receipt.logs);
            requests.push((
                DEPOSIT_REQUEST,
                ethereum::deposits::requests(contract, logs)?,
            ));
        }
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
                None if strict => return Err(BlockError::SystemCall(contract)),
                None => {}
            }
        }
        let asked = requests.iter().filter(|(_, data)| !data.is_empty());
        self.requests = asked
            .map(|(kind, data)| [&[*kind], &data[..]].concat().into())
            .collect();
        if requests.is_empty() {
            Ok(EMPTY_REQUESTS_HASH)
        } else {
            Ok(system::requests_hash(&requests))
        }
    }
}

impl ExecutedBlock {
    /// The state root, from whoever keeps the trie: `apply` is given differences in order, moves on by each, and
    /// returns the root after it. One difference, but before Byzantium one for each transaction, whose receipts take
    /// the roots between.
    pub fn state_root<E>(
        &mut self,
        mut apply: impl FnMut(&StateDiff) -> Result<B256, E>,
    ) -> Result<B256, E> {
        if self.steps.is_empty() {
            return apply(&self.diff);
        }
        let mut root = B256::ZERO;
        for (index, step) in core::mem::take(&mut self.steps).iter().enumerate() {
            root = apply(step)?;
            if let Some(receipt) = self.receipts.get_mut(index) {
                receipt.post_state = Some(root);
            }
        }
        let blooms: Vec<Bloom> = self.receipts.iter().map(Receipt::bloom).collect();
        self.header.receipts_root = receipts_root(&self.receipts, &blooms);
        Ok(root)
    }

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
            ommers: self.ommers,
            withdrawals: self.withdrawals,
        };
        (block, self.diff)
    }
}

fn receipts_root(receipts: &[Receipt], blooms: &[Bloom]) -> B256 {
    let with_blooms: Vec<(&Receipt, &Bloom)> = receipts.iter().zip(blooms).collect();
    alloy_trie::root::ordered_trie_root_with_encoder(&with_blooms, |(receipt, bloom), out| {
        receipt.encode_2718(**bloom, out);
    })
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
    let min = match rules {
        Rules::Ethereum(_) => parent.timestamp.saturating_add(1),
        Rules::Rollup(_) => parent.timestamp.max(anchor.timestamp),
    };
    if timestamp < min {
        return Err(BlockError::Timestamp { timestamp, min });
    }
    let header = Header {
        parent_hash,
        state_root: B256::ZERO,
        number: parent
            .number
            .checked_add(1)
            .ok_or(BlockError::NumberOverflow)?,
        gas_limit: rules.gas_limit(),
        timestamp,
        ..Header::default()
    };
    Ok(match rules {
        Rules::Ethereum(l1) => {
            let mut header = Header {
                beneficiary: context.beneficiary,
                mix_hash: context.prev_randao,
                ..header
            };
            if !parent.difficulty.is_zero() {
                header.difficulty = parent.difficulty;
                header.difficulty = ethereum::difficulty::next(l1, parent, &header);
            }
            let fork = l1.fork_of(&header);
            header.base_fee_per_gas =
                (fork >= L1Fork::London).then(|| fees::next_base_fee(rules, parent));
            header.withdrawals_root = (fork >= L1Fork::Shanghai).then_some(EMPTY_ROOT_HASH);
            if fork >= L1Fork::Cancun {
                header.blob_gas_used = Some(0);
                header.excess_blob_gas = Some(fees::next_excess_blob_gas(rules, parent, timestamp));
                header.parent_beacon_block_root = Some(anchor.hash);
            }
            header.requests_hash = (fork >= L1Fork::Prague).then_some(EMPTY_REQUESTS_HASH);
            header
        }
        Rules::Rollup(_) => Header {
            beneficiary: PRIORITY_FEE_VAULT,
            mix_hash: anchor.prev_randao,
            base_fee_per_gas: Some(fees::next_base_fee(rules, parent)),
            withdrawals_root: Some(B256::ZERO),
            blob_gas_used: Some(0),
            excess_blob_gas: Some(0),
            parent_beacon_block_root: Some(anchor.hash),
            requests_hash: Some(EMPTY_REQUESTS_HASH),
            ..header
        },
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
