//! From a client's words for a block to the block: numbers, hashes and tags.
//!
//! `finalized <= safe <= latest <= pending` holds in every answer.

use crate::{Context, Events, errors::RpcError, filters::Filters, module::Bound};
use alloy_consensus::Header;
use alloy_eips::{BlockId, BlockNumberOrTag};
use primitives::SealedBlock;
use std::{ops::Deref, sync::Arc};
use stf::Rules;
use store::StateView;

/// The context with what the methods share at run time.
pub struct Node {
    context: Context,
    /// News of the chain.
    pub events: Arc<Events>,
    /// Polling filters.
    pub(crate) filters: Filters,
    /// Bounds executed calls.
    pub(crate) calls: Bound,
    /// Bounds long reads.
    pub(crate) reads: Bound,
    /// Bounds traces.
    pub(crate) traces: Bound,
}

impl Deref for Node {
    type Target = Context;
    fn deref(&self) -> &Context {
        &self.context
    }
}

impl Node {
    /// Listens to the store from now on. Install the metrics recorder before.
    pub fn new(context: Context) -> Arc<Self> {
        let (limits, chain_id) = (&context.limits, context.chain_id);
        Arc::new(Self {
            events: Events::attach(&context.store),
            filters: Filters::new(limits.filters_max),
            calls: Bound::new("call", chain_id, limits.calls_at_once),
            reads: Bound::new("read", chain_id, limits.reads_at_once),
            traces: Bound::new("trace", chain_id, limits.traces_at_once),
            context,
        })
    }

    /// The block's number; `None` if this chain does not have it. `pending` is the head here: its transactions
    /// have not been executed.
    pub fn number(&self, id: BlockId) -> Result<Option<u64>, RpcError> {
        match id {
            BlockId::Hash(hash) => Ok(self.store.number_of(hash.block_hash)?),
            BlockId::Number(tag) => Ok(self.tag(tag)),
        }
    }

    /// As [`Self::number`], for a number or a tag.
    pub fn tag(&self, tag: BlockNumberOrTag) -> Option<u64> {
        // The head is read last: it only grows between the two reads.
        match tag {
            BlockNumberOrTag::Finalized => Some(self.store.finalized().min(self.store.safe())),
            BlockNumberOrTag::Safe => Some(self.store.safe()),
            BlockNumberOrTag::Earliest => Some(self.store.genesis_number()),
            BlockNumberOrTag::Latest | BlockNumberOrTag::Pending => Some(self.head_number()),
            BlockNumberOrTag::Number(number) => (number <= self.head_number()).then_some(number),
        }
    }

    /// Number of the newest block.
    pub fn head_number(&self) -> u64 {
        self.store.head().header.number
    }

    /// The block, or `None` if this chain does not have it.
    pub fn block(&self, id: BlockId) -> Result<Option<Arc<SealedBlock>>, RpcError> {
        if matches!(
            id,
            BlockId::Number(BlockNumberOrTag::Latest | BlockNumberOrTag::Pending)
        ) {
            return Ok(Some(self.store.head()));
        }
        let Some(number) = self.number(id)? else {
            return Ok(None);
        };
        let block = self.store.block(number)?;
        // Between the two lookups a rewind may have put another block there.
        Ok(block.filter(|block| id.as_block_hash().is_none_or(|hash| hash == block.hash)))
    }

    /// The block, or the error that says it is not there.
    pub fn known_block(&self, id: BlockId) -> Result<Arc<SealedBlock>, RpcError> {
        self.block(id)?.ok_or_else(RpcError::header_not_found)
    }

    /// The block, or what geth's `debug_` methods say where it is not.
    pub fn block_to_look_into(&self, id: BlockId) -> Result<Arc<SealedBlock>, RpcError> {
        self.block(id)?.ok_or_else(|| {
            RpcError::server(match id {
                BlockId::Hash(hash) => format!("block {} not found", hash.block_hash),
                BlockId::Number(BlockNumberOrTag::Number(number)) => {
                    format!("block #{number} not found")
                }
                BlockId::Number(tag) => format!("block {tag} not found"),
            })
        })
    }

    /// State after the block, and its header.
    pub fn state(&self, id: BlockId) -> Result<(StateView, Header), RpcError> {
        let block = self.known_block(id)?;
        Ok((
            self.store.state_at(block.header.number)?,
            block.header.clone(),
        ))
    }

    /// Refuses blocks so far back that leading the state trie there takes too long.
    pub fn within_proof_reach(&self, number: u64) -> Result<(), RpcError> {
        let (back, max) = (
            self.head_number().saturating_sub(number),
            self.limits.proof_blocks_max,
        );
        if back <= max {
            return Ok(());
        }
        Err(RpcError::limit(
            format!("block {number} is {back} blocks back, proofs reach {max}"),
            "proofBlocks",
            max,
            back,
        ))
    }

    /// Header of the block that would come next, as far as it is known before it is made.
    pub fn pending_header(&self) -> Header {
        let head = self.store.head();
        let parent = &head.header;
        Header {
            parent_hash: head.hash,
            number: parent.number + 1,
            timestamp: parent.timestamp,
            gas_limit: parent.gas_limit,
            beneficiary: parent.beneficiary,
            mix_hash: parent.mix_hash,
            state_root: parent.state_root,
            withdrawals_root: parent.withdrawals_root,
            // Before the merge the next one's depends on its time; the parent's is as near as can be told.
            difficulty: parent.difficulty,
            base_fee_per_gas: Some(self.next_base_fee(parent))
                .filter(|fee| *fee > 0 || parent.base_fee_per_gas.is_some()),
            blob_gas_used: parent.blob_gas_used.map(|_| 0),
            excess_blob_gas: parent
                .excess_blob_gas
                .map(|_| stf::next_excess_blob_gas(&self.rules, parent, parent.timestamp)),
            parent_beacon_block_root: parent.parent_beacon_block_root,
            requests_hash: parent.requests_hash,
            ..Header::default()
        }
    }

    /// Base fee of the child of `parent`, wei.
    pub fn next_base_fee(&self, parent: &Header) -> u64 {
        stf::next_base_fee(&self.rules, parent)
    }

    /// Price of blob gas in the block of `header`, wei; `None` in headers without blob fields.
    pub fn blob_base_fee(&self, header: &Header) -> Option<u128> {
        header
            .excess_blob_gas
            .map(|_| stf::blob_base_fee(&self.rules, header))
    }

    /// Blobs that the block of `header` may hold; 0 on a rollup.
    pub fn blobs_max(&self, header: &Header) -> u64 {
        match &*self.rules {
            Rules::Ethereum(rules) => rules.blob_params(header.timestamp).max,
            Rules::Rollup(_) => 0,
        }
    }
}
