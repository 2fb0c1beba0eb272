//! `rollup_`: how far the chain is derived from L1, and the output roots that L1 knows it by.

use crate::{
    Node, errors::RpcError, module::Registry, params::Args, rollup_queue, rollup_withdrawals,
};
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::B256;
use config::Network;
use primitives::{OutputRoot, QueueEntry, SealedBlock};
use serde::Serialize;
use std::sync::Arc;
use store::BatchInfo;

/// What the `rollup_` namespace needs.
#[derive(Clone)]
pub struct Rollup {
    /// The network file.
    pub network: Arc<Network>,
    /// What is known of L1.
    pub view: Arc<dyn RollupView>,
}

/// What the node knows beyond its own chain.
pub trait RollupView: Send + Sync + 'static {
    /// L1 as last seen.
    fn l1(&self) -> L1View;
    /// Progress of a node that is still catching up; `None` once it has.
    fn syncing(&self) -> Option<Progress>;
    /// Entries of L1's queue from `from` on, at most `max`, each with the accumulator after it.
    fn queue(&self, from: u64, max: usize) -> Vec<(QueueEntry, B256)>;
}

/// L1's three heads; `None` before the first look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct L1View {
    /// Newest block.
    pub head: Option<L1Block>,
    /// L1's `safe`.
    pub safe: Option<L1Block>,
    /// L1's `finalized`.
    pub finalized: Option<L1Block>,
}

/// An L1 block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct L1Block {
    /// Its hash.
    pub hash: B256,
    /// Its number.
    pub number: u64,
    /// Seconds.
    pub timestamp: u64,
}

/// Answer of `eth_syncing` while it is not `false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Where it began.
    #[serde(with = "alloy_serde::quantity")]
    pub starting_block: u64,
    /// Where it is.
    #[serde(with = "alloy_serde::quantity")]
    pub current_block: u64,
    /// Where it goes.
    #[serde(with = "alloy_serde::quantity")]
    pub highest_block: u64,
}

pub(crate) fn register(registry: &mut Registry) {
    registry.light("rollup_syncStatus", 0, |node, _| sync_status(node));
    registry.light("rollup_config", 0, |node, _| {
        Ok(rollup(node)?.network.as_ref().clone())
    });
    registry.light("rollup_outputAtBlock", 1, |node, args: Args<'_>| {
        output(node, args.required(0)?)
    });
    rollup_queue::register(registry);
    rollup_withdrawals::register(registry);
}

pub(crate) fn rollup(node: &Node) -> Result<&Rollup, RpcError> {
    node.rollup
        .as_ref()
        .ok_or_else(|| RpcError::internal("not a rollup"))
}

/// Numbers are plain here, as in the rollup node API of the OP Stack, whose field names this follows.
#[derive(Debug, Clone, Serialize)]
struct SyncStatus {
    current_l1: Option<L1Block>,
    head_l1: Option<L1Block>,
    safe_l1: Option<L1Block>,
    finalized_l1: Option<L1Block>,
    unsafe_l2: L2Block,
    safe_l2: L2Block,
    finalized_l2: L2Block,
    /// The record on L1 that holds the safe block; `None` at genesis.
    safe_batch: Option<BatchRef>,
}

#[derive(Debug, Clone, Serialize)]
struct L2Block {
    hash: B256,
    number: u64,
    #[serde(rename = "parentHash")]
    parent_hash: B256,
    timestamp: u64,
    l1origin: L1Origin,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct L1Origin {
    hash: B256,
    number: u64,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BatchRef {
    index: u64,
    first_block: u64,
    last_block: u64,
    l1_block: u64,
    l1_block_hash: B256,
    l1_tx: B256,
}

impl From<BatchInfo> for BatchRef {
    fn from(info: BatchInfo) -> Self {
        Self {
            index: info.index,
            first_block: info.first_block,
            last_block: info.last_block,
            l1_block: info.l1_block,
            l1_block_hash: info.l1_block_hash,
            l1_tx: info.l1_tx,
        }
    }
}

fn sync_status(node: &Node) -> Result<SyncStatus, RpcError> {
    let l1 = rollup(node)?.view.l1();
    // Oldest first, so that the order holds although the chain grows between the reads.
    let finalized_l2 = l2_block(
        node,
        &*node.known_block(BlockNumberOrTag::Finalized.into())?,
    )?;
    let safe = node.known_block(BlockNumberOrTag::Safe.into())?;
    let safe_batch = node.store.record_of_block(safe.header.number)?;
    let safe_l2 = l2_block(node, &safe)?;
    let unsafe_l2 = l2_block(node, &node.store.head())?;
    Ok(SyncStatus {
        current_l1: l1.head,
        head_l1: l1.head,
        safe_l1: l1.safe,
        finalized_l1: l1.finalized,
        unsafe_l2,
        safe_l2,
        finalized_l2,
        safe_batch: safe_batch.map(BatchRef::from),
    })
}

fn l2_block(node: &Node, block: &SealedBlock) -> Result<L2Block, RpcError> {
    let anchor = node
        .store
        .meta(block.header.number)?
        .unwrap_or_default()
        .anchor;
    Ok(L2Block {
        hash: block.hash,
        number: block.header.number,
        parent_hash: block.header.parent_hash,
        timestamp: block.header.timestamp,
        l1origin: L1Origin {
            hash: anchor.hash,
            number: anchor.number,
        },
    })
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    version: B256,
    output_root: B256,
    block_ref: L2Block,
    withdrawal_storage_root: B256,
    state_root: B256,
}

/// FORMATS.md section 5.
fn output(node: &Node, id: BlockId) -> Result<Output, RpcError> {
    rollup(node)?;
    let block = node.known_block(id)?;
    let withdrawals_root = block
        .header
        .withdrawals_root
        .ok_or_else(|| RpcError::internal("the block has no withdrawals root"))?;
    let root = OutputRoot {
        state_root: block.header.state_root,
        withdrawals_root,
        block_hash: block.hash,
    };
    Ok(Output {
        version: B256::ZERO,
        output_root: root.hash(),
        block_ref: l2_block(node, &block)?,
        withdrawal_storage_root: withdrawals_root,
        state_root: block.header.state_root,
    })
}
