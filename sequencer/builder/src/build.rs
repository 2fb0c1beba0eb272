//! One block, filled from the pool as transactions come.
//!
//! The caller begins a block, calls [`BlockBuilder::fill`] once or as often as there may be transactions, and finishes
//! when its time is up or a fill reports [`Stop::Full`]. After that it tells the pool what became of the block:
//! `on_block` if it was published, `release` if not.
//!
//! A transaction leaves the pool here only for a reason that no later block can cure; all else waits.

use mempool::SharedPool;
use primitives::{CheckedTx, Header, da::da_bytes};
use std::{collections::HashSet, sync::Arc};
use stf::{
    BlockContext, BlockError, BlockExecutor, ExecutedBlock, Rules, StateError, StateReader,
    TxRejection,
};

/// Transactions taken from the pool in one go: enough to make its lock cheap, few enough that a better one that
/// comes meanwhile hardly waits.
const BATCH: usize = 64;

/// After so many transactions in a row that do not fit, the block counts as full.
const MISFITS_MAX: usize = 32;

/// No transaction is cheaper.
const GAS_MIN: u64 = 21_000;

/// What a block may hold beside its gas, so that it fits into a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockLimits {
    /// Estimated bytes on L1 ([`da_bytes`]).
    pub da_bytes_max: u64,
    /// Encoded bytes of all transactions.
    pub raw_bytes_max: u64,
    /// Gas limits of deposits, all together; the first is taken whatever it asks for. Keeps deposits from
    /// locking out everyone else.
    pub deposit_gas_max: u64,
}

/// Why a transaction left the pool.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Execution refused it.
    #[error(transparent)]
    Rejected(#[from] TxRejection),
    /// No block is large enough for it.
    #[error("oversized data: transaction size {bytes}, limit {max}")]
    DoesNotFit {
        /// What it needs.
        bytes: u64,
        /// What an empty block has.
        max: u64,
    },
}

/// A transaction that left the pool without entering the block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// Which.
    pub tx: Arc<CheckedTx>,
    /// Why.
    pub reason: Reason,
}

/// Why a fill ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// No transaction is ready at this base fee.
    Dry,
    /// As many as asked for were tried.
    Budget,
    /// Nothing more fits.
    Full,
}

/// What a fill did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    /// Transactions that entered the block.
    pub executed: usize,
    /// Transactions that left the pool.
    pub dropped: Vec<Dropped>,
    /// Why it ended.
    pub stop: Stop,
}

/// A block under construction. Stays on one thread, like the executor in it.
pub struct BlockBuilder<S: StateReader> {
    executor: BlockExecutor<S>,
    limits: BlockLimits,
    da_bytes: u64,
    raw_bytes: u64,
    deposits: usize,
    misfits: usize,
    full: bool,
    started: bool,
}

impl<S: StateReader> BlockBuilder<S> {
    /// Starts the block after `parent`, whose state `state` reads, and executes deposits in their order until gas
    /// or [`BlockLimits`] end them; [`Self::deposits`] says how many. An L1 has none.
    pub fn begin(
        rules: &Arc<Rules>,
        parent: (&Header, alloy_primitives::B256),
        context: BlockContext,
        deposits: &[Arc<CheckedTx>],
        limits: BlockLimits,
        state: S,
    ) -> Result<Self, BlockError> {
        let executor = BlockExecutor::begin(rules, parent.0, parent.1, context, state)?;
        let mut block = Self {
            executor,
            limits,
            da_bytes: 0,
            raw_bytes: 0,
            deposits: 0,
            misfits: 0,
            full: false,
            started: false,
        };
        block.take_deposits(deposits)?;
        Ok(block)
    }

    fn take_deposits(&mut self, deposits: &[Arc<CheckedTx>]) -> Result<(), BlockError> {
        let mut gas = 0u64;
        for (index, tx) in deposits.iter().enumerate() {
            gas = gas.saturating_add(alloy_consensus::Transaction::gas_limit(&tx.tx));
            let raw_bytes = self.raw_bytes + tx.raw.len() as u64;
            if index > 0
                && (gas > self.limits.deposit_gas_max || raw_bytes > self.limits.raw_bytes_max)
            {
                break;
            }
            match self.executor.execute(tx) {
                Ok(_) => self.deposits += 1,
                Err(TxRejection::GasLimitReached) => break,
                Err(TxRejection::State(error)) => return Err(error.into()),
                Err(source) => return Err(BlockError::Tx { index, source }),
            }
            self.raw_bytes = raw_bytes;
        }
        Ok(())
    }

    /// Executes ready transactions, best first, at most `budget` of them; call it again for those that come later.
    /// After an error the builder must be dropped and the pool told to `release`.
    pub fn fill(&mut self, pool: &SharedPool, budget: usize) -> Result<Filled, StateError> {
        let mut filled = Filled {
            executed: 0,
            dropped: Vec::new(),
            stop: Stop::Full,
        };
        let mut left = budget;
        let base_fee = self.executor.base_fee();
        while !self.is_full() {
            let batch = {
                let mut pool = pool.lock();
                if !std::mem::replace(&mut self.started, true) {
                    pool.start_block();
                }
                pool.take(base_fee, left.min(BATCH))
            };
            if batch.is_empty() {
                filled.stop = if left == 0 { Stop::Budget } else { Stop::Dry };
                return Ok(filled);
            }
            left -= batch.len();
            self.run(batch, pool, &mut filled)?;
        }
        Ok(filled)
    }

    fn run(
        &mut self,
        batch: Vec<Arc<CheckedTx>>,
        pool: &SharedPool,
        filled: &mut Filled,
    ) -> Result<(), StateError> {
        // Senders of whom something did not enter: what follows it in this batch is back in the pool already.
        let mut held = HashSet::new();
        for tx in batch {
            if held.contains(&tx.sender) {
                continue;
            }
            if self.is_full() {
                held.insert(tx.sender);
                pool.lock().defer(&tx.hash);
                continue;
            }
            match self.try_execute(&tx) {
                Ok(()) => {
                    filled.executed += 1;
                    self.misfits = 0;
                }
                Err(Reason::Rejected(TxRejection::State(error))) => return Err(error),
                Err(Reason::Rejected(rejection)) if rejection.is_temporary() => {
                    let no_room = matches!(
                        rejection,
                        TxRejection::GasLimitReached | TxRejection::BlobGasLimitReached
                    );
                    self.misfits += usize::from(no_room);
                    held.insert(tx.sender);
                    pool.lock().defer(&tx.hash);
                }
                Err(reason) => {
                    held.insert(tx.sender);
                    pool.lock().reject(&tx.hash);
                    filled.dropped.push(Dropped { tx, reason });
                }
            }
        }
        Ok(())
    }

    fn try_execute(&mut self, tx: &Arc<CheckedTx>) -> Result<(), Reason> {
        let (da, raw) = (da_bytes(&tx.tx), tx.raw.len() as u64);
        for (bytes, max) in [
            (da, self.limits.da_bytes_max),
            (raw, self.limits.raw_bytes_max),
        ] {
            if bytes > max {
                return Err(Reason::DoesNotFit { bytes, max });
            }
        }
        if self.da_bytes + da > self.limits.da_bytes_max
            || self.raw_bytes + raw > self.limits.raw_bytes_max
        {
            // To the pool it is all the same what the block has run out of.
            return Err(TxRejection::GasLimitReached.into());
        }
        self.executor.execute(tx)?;
        self.da_bytes += da;
        self.raw_bytes += raw;
        Ok(())
    }

    fn is_full(&mut self) -> bool {
        self.full |= self.misfits >= MISFITS_MAX || self.executor.gas_left() < GAS_MIN;
        self.full
    }

    /// Deposits in the block.
    pub const fn deposits(&self) -> usize {
        self.deposits
    }

    /// Transactions in the block, deposits included.
    pub fn tx_count(&self) -> usize {
        self.executor.tx_count()
    }

    /// Gas used so far.
    pub fn gas_used(&self) -> u64 {
        self.executor.gas_used()
    }

    /// Estimated bytes on L1 so far.
    pub const fn da_bytes(&self) -> u64 {
        self.da_bytes
    }

    /// Closes the block. It is not to be shown to anyone before [`crate::verify`] agreed.
    pub fn finish(self) -> Result<ExecutedBlock, BlockError> {
        self.executor.finish()
    }
}
