//! A sealed block, executed again on the state before it.

use crate::{Node, errors::RpcError, module::Patience};
use alloy_rpc_types_trace::{
    geth::GethTrace,
    parity::{LocalizedTransactionTrace, TransactionTrace},
};
use primitives::{Anchor, CheckedTx, SealedBlock, StateDiff};
use std::sync::Arc;
use stf::{
    BlockExecutor, Rules,
    trace::{Allowance, Trace, Tracer},
};
use store::StateView;

/// Stands before one of the block's transactions.
pub(crate) struct Replay {
    block: Arc<SealedBlock>,
    executor: BlockExecutor<StateView>,
    /// The next transaction.
    at: usize,
}

impl Replay {
    /// Before the first transaction of a block of this chain. The genesis block has no state before it.
    pub(crate) fn begin(node: &Node, block: Arc<SealedBlock>) -> Result<Self, RpcError> {
        let number = block.header.number;
        if number <= node.store.genesis_number() {
            return Err(RpcError::server("genesis is not traceable"));
        }
        let anchor = match &*node.rules {
            Rules::Rollup(_) => {
                let meta = node.store.meta(number)?;
                meta.ok_or_else(RpcError::header_not_found)?.anchor
            }
            Rules::Ethereum(_) => Anchor::default(),
        };
        let executor = executor(node, &block, anchor)?;
        Ok(Self {
            block,
            executor,
            at: 0,
        })
    }

    /// Runs transactions unseen until `index` is the next.
    pub(crate) fn skip_to(&mut self, index: usize, patience: &Patience) -> Result<(), RpcError> {
        while self.at < index {
            patience.check()?;
            let tx = self.next()?;
            self.executor
                .execute(&tx)
                .map_err(|why| RpcError::internal(format!("replay: {why}")))?;
            self.check()?;
        }
        Ok(())
    }

    /// Runs the next transaction and records it.
    pub(crate) fn trace<T: Tracer>(
        &mut self,
        tracer: &T,
        allowance: &mut Allowance<'_>,
    ) -> Result<Trace<T>, RpcError> {
        let tx = self.next()?;
        let trace = self.executor.trace(&tx, tracer, allowance)?;
        self.check()?;
        Ok(trace)
    }

    /// What the transactions so far changed.
    pub(crate) fn into_changes(self) -> StateDiff {
        self.executor.into_changes()
    }

    fn next(&mut self) -> Result<Arc<CheckedTx>, RpcError> {
        let tx = self.block.transactions.get(self.at).cloned();
        self.at += 1;
        tx.ok_or_else(|| RpcError::internal("replay: no such transaction"))
    }

    /// A trace of something else than what happened is worse than none.
    fn check(&self) -> Result<(), RpcError> {
        let receipt = self
            .at
            .checked_sub(1)
            .and_then(|at| self.block.receipts.get(at));
        match receipt {
            Some(receipt) if receipt.cumulative_gas_used == self.executor.gas_used() => Ok(()),
            _ => Err(RpcError::internal(format!(
                "replay: block {} took another course at transaction {}",
                self.block.header.number,
                self.at - 1
            ))),
        }
    }
}

/// An executor for `block` on the state after its parent. On Ethereum no anchor is read.
pub(super) fn executor(
    node: &Node,
    block: &SealedBlock,
    anchor: Anchor,
) -> Result<BlockExecutor<StateView>, RpcError> {
    let parent = block.header.number.saturating_sub(1);
    let state = node.store.state_at(parent)?;
    let parent = node
        .store
        .header(parent)?
        .ok_or_else(RpcError::header_not_found)?;
    BlockExecutor::begin_again(&node.rules, &parent, block, anchor, state)
        .map_err(|why| RpcError::server(format!("tracing failed: {why}")))
}

/// A call of a transaction, with its place in the chain.
pub(crate) fn located(
    trace: TransactionTrace,
    block: &SealedBlock,
    index: usize,
) -> LocalizedTransactionTrace {
    LocalizedTransactionTrace {
        trace,
        block_hash: Some(block.hash),
        block_number: Some(block.header.number),
        transaction_hash: block.transactions.get(index).map(|tx| tx.hash),
        transaction_position: Some(index as u64),
    }
}

/// Fills in where a transaction stands, in tracers that show it.
pub(super) fn locate(trace: &mut GethTrace, block: &SealedBlock, index: usize) {
    match trace {
        GethTrace::FlatCallTracer(calls) => {
            for call in calls {
                let trace = std::mem::take(&mut call.trace);
                *call = located(trace, block, index);
            }
        }
        GethTrace::MuxTracer(frame) => {
            for trace in frame.0.values_mut() {
                locate(trace, block, index);
            }
        }
        _ => {}
    }
}
