//! Blocks and headers.

use crate::{
    Node,
    errors::RpcError,
    forms::{BlockForm, BlockTransactions, HeaderForm, TransactionForm},
    module::{Patience, Registry, bounded},
    params::Args,
    transactions::deposit_nonce,
};
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::{B256, U64};
use primitives::SealedBlock;
use serde_json::value::{RawValue, to_raw_value};
use std::{sync::Arc, time::Duration};

pub(crate) fn register(registry: &mut Registry) {
    registry.waiting("eth_getBlockByNumber", 2, |node, args: Args<'_>| {
        let tag: BlockNumberOrTag = args.required(0)?;
        let full = args.optional(1)?.unwrap_or(false);
        Ok(block(node, tag.into(), full))
    });
    registry.waiting("eth_getBlockByHash", 2, |node, args: Args<'_>| {
        let hash: B256 = args.required(0)?;
        let full = args.optional(1)?.unwrap_or(false);
        Ok(block(node, hash.into(), full))
    });
    registry.light("eth_getHeaderByNumber", 1, |node, args: Args<'_>| {
        let tag: BlockNumberOrTag = args.required(0)?;
        if tag.is_pending() {
            return Ok(Some(HeaderForm::new(&node.pending_header(), None)));
        }
        header(node, tag.into())
    });
    registry.light("eth_getHeaderByHash", 1, |node, args: Args<'_>| {
        header(node, args.required::<B256>(0)?.into())
    });
    registry.light(
        "eth_getBlockTransactionCountByNumber",
        1,
        |node, args: Args<'_>| {
            let tag: BlockNumberOrTag = args.required(0)?;
            if tag.is_pending() {
                return Ok(Some(U64::ZERO));
            }
            transaction_count(node, tag.into())
        },
    );
    registry.light(
        "eth_getBlockTransactionCountByHash",
        1,
        |node, args: Args<'_>| transaction_count(node, args.required::<B256>(0)?.into()),
    );
    registry.light(
        "eth_getUncleCountByBlockNumber",
        1,
        |node, args: Args<'_>| uncle_count(node, args.required::<BlockNumberOrTag>(0)?.into()),
    );
    registry.light("eth_getUncleCountByBlockHash", 1, |node, args: Args<'_>| {
        uncle_count(node, args.required::<B256>(0)?.into())
    });
    registry.light(
        "eth_getUncleByBlockNumberAndIndex",
        2,
        |node, args: Args<'_>| {
            let tag: BlockNumberOrTag = args.required(0)?;
            uncle(node, tag.into(), args.required(1)?)
        },
    );
    registry.light(
        "eth_getUncleByBlockHashAndIndex",
        2,
        |node, args: Args<'_>| {
            let hash: B256 = args.required(0)?;
            uncle(node, hash.into(), args.required(1)?)
        },
    );
}

/// With hashes alone a block is written where the request arrived; with transactions it may be megabytes.
async fn block(
    node: Arc<Node>,
    id: BlockId,
    full: bool,
) -> Result<Option<Box<RawValue>>, RpcError> {
    if matches!(id, BlockId::Number(BlockNumberOrTag::Pending)) {
        return Ok(Some(
            to_raw_value(&BlockForm::pending(&node.pending_header()))
                .map_err(RpcError::internal)?,
        ));
    }
    let Some(block) = node.block(id)? else {
        return Ok(None);
    };
    if !full {
        let hashes = block.transactions.iter().map(|tx| tx.hash).collect();
        let form = BlockForm::new(&block, BlockTransactions::Hashes(hashes));
        return to_raw_value(&form).map(Some).map_err(RpcError::internal);
    }
    let timeout = Duration::from_millis(node.limits.call_timeout_ms);
    bounded(node.reads.clone(), timeout, move |patience| {
        let form = BlockForm::new(&block, full_transactions(&node, &block, patience)?);
        to_raw_value(&form).map_err(RpcError::internal)
    })
    .await
    .map(Some)
}

fn full_transactions(
    node: &Node,
    block: &SealedBlock,
    patience: &Patience,
) -> Result<BlockTransactions, RpcError> {
    patience.check()?;
    let forms = (0..block.transactions.len()).map(|index| {
        TransactionForm::at(block, index).with_deposit_nonce(deposit_nonce(node, block, index))
    });
    Ok(BlockTransactions::Full(forms.collect()))
}

pub(crate) fn header(node: &Node, id: BlockId) -> Result<Option<HeaderForm>, RpcError> {
    Ok(node
        .block(id)?
        .map(|block| HeaderForm::new(&block.header, Some(block.hash))))
}

fn transaction_count(node: &Node, id: BlockId) -> Result<Option<U64>, RpcError> {
    Ok(node
        .block(id)?
        .map(|block| U64::from(block.transactions.len())))
}

fn uncle_count(node: &Node, id: BlockId) -> Result<Option<U64>, RpcError> {
    Ok(node.block(id)?.map(|block| U64::from(block.ommers.len())))
}

/// Side blocks exist on an L1 before the merge alone.
fn uncle(node: &Node, id: BlockId, index: U64) -> Result<Option<BlockForm>, RpcError> {
    Ok(node.block(id)?.and_then(|block| {
        let index = usize::try_from(index.to::<u64>()).ok()?;
        block.ommers.get(index).map(BlockForm::uncle)
    }))
}
