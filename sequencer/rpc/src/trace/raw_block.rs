//! A block that a client brings along, on top of one that this chain has.

use super::{
    replay::{beacon, executor, locate},
    within,
};
use crate::{Node, errors::RpcError, module::Patience};
use alloy_consensus::{Block, Header};
use alloy_primitives::{B256, Bytes, keccak256};
use alloy_rlp::{Decodable, Encodable};
use alloy_rpc_types_trace::geth::TraceResult;
use primitives::{Anchor, CheckedTx, SealedBlock};
use std::sync::Arc;
use stf::{Rules, trace::GethTracer};

/// A transaction as it stands in a block body: a list, or a string with a typed one in it.
struct Item(Bytes);

impl Decodable for Item {
    fn decode(buf: &mut &[u8]) -> alloy_rlp::Result<Self> {
        let whole = *buf;
        let header = alloy_rlp::Header::decode(buf)?;
        let body = buf
            .get(..header.payload_length)
            .ok_or(alloy_rlp::Error::InputTooShort)?;
        *buf = &buf[header.payload_length..];
        let bytes = if header.list {
            &whole[..whole.len() - buf.len()]
        } else {
            body
        };
        Ok(Self(Bytes::copy_from_slice(bytes)))
    }
}

/// A decoded block.
pub(super) struct Given {
    pub(super) hash: B256,
    header: Header,
    transactions: Vec<Bytes>,
}

impl Given {
    pub(super) fn decode(raw: &[u8]) -> Result<Self, RpcError> {
        let mut rest = raw;
        let undecodable =
            |why: alloy_rlp::Error| RpcError::server(format!("could not decode block: {why}"));
        let block = Block::<Item>::decode(&mut rest).map_err(undecodable)?;
        if !rest.is_empty() {
            return Err(RpcError::server("could not decode block: trailing bytes"));
        }
        let mut bytes = Vec::new();
        block.header.encode(&mut bytes);
        Ok(Self {
            hash: keccak256(&bytes),
            header: block.header,
            transactions: block
                .body
                .transactions
                .into_iter()
                .map(|item| item.0)
                .collect(),
        })
    }

    /// Executes the transactions as far as the rules let this chain make the block.
    pub(super) fn trace(
        self,
        node: &Node,
        tracer: &GethTracer,
        patience: &Patience,
    ) -> Result<Vec<TraceResult>, RpcError> {
        let parent = self.header.number.checked_sub(1);
        let known = parent
            .map(|parent| node.store.hash_of(parent))
            .transpose()?;
        if known.flatten() != Some(self.header.parent_hash) {
            return Err(RpcError::server(format!(
                "parent {} not found",
                self.header.parent_hash
            )));
        }
        let anchor = self.anchor(node)?;
        let mut executor = executor(node, &self.header, anchor)?;
        let transactions = self
            .transactions
            .into_iter()
            .map(|raw| CheckedTx::decode(raw).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|why| RpcError::server(format!("could not decode block: {why}")))?;
        let block = SealedBlock {
            header: self.header,
            hash: self.hash,
            transactions,
            receipts: Vec::new(),
        };
        within(node, patience, |allowance| {
            let mut traces = Vec::with_capacity(block.transactions.len());
            for (index, tx) in block.transactions.iter().enumerate() {
                let mut trace = executor.trace(tx, tracer, allowance)?;
                locate(&mut trace, &block, index);
                traces.push(TraceResult::new_success(trace, Some(tx.hash)));
            }
            Ok(traces)
        })
    }

    /// A rollup's header names its anchor by hash alone: known is the parent's, as long as the block keeps it.
    fn anchor(&self, node: &Node) -> Result<Anchor, RpcError> {
        match &*node.rules {
            Rules::Ethereum(_) => Ok(beacon(&self.header)),
            Rules::Rollup(_) => {
                let meta = node.store.meta(self.header.number.saturating_sub(1))?;
                let anchor = meta.ok_or_else(RpcError::header_not_found)?.anchor;
                if self.header.parent_beacon_block_root == Some(anchor.hash) {
                    Ok(anchor)
                } else {
                    Err(RpcError::server(format!(
                        "block {} is not in this chain, and its L1 anchor is not the parent's",
                        self.hash
                    )))
                }
            }
        }
    }
}
