//! Sending: raw transactions in, a hash or a receipt out.

use crate::{
    Node, ReceiptForm,
    errors::RpcError,
    module::Registry,
    params::{Args, Number},
    transactions::{find, receipt},
};
use std::{sync::Arc, time::Duration};

pub(crate) fn register(registry: &mut Registry) {
    registry.light("eth_sendRawTransaction", 1, |node, args: Args<'_>| {
        node.pool.submit_raw(args.hex(0)?).map_err(RpcError::server)
    });
    registry.waiting("eth_sendRawTransactionSync", 2, send_sync);
}

/// EIP-7966. A timeout that is not a positive number counts as none, as the EIP demands.
fn send_sync(
    node: Arc<Node>,
    args: Args<'_>,
) -> Result<impl Future<Output = Result<ReceiptForm, RpcError>> + Send + use<>, RpcError> {
    let raw = args.hex(0)?;
    let wanted = args
        .optional::<Number>(1)
        .ok()
        .flatten()
        .map(|ms| ms.0)
        .filter(|ms| *ms > 0);
    let timeout_ms = wanted
        .unwrap_or(node.limits.sync_timeout_ms)
        .min(node.limits.sync_timeout_max_ms);
    // Waiting starts before the pool sees the transaction, or its block might go by unnoticed.
    let early_hash = alloy_primitives::keccak256(&raw);
    let mut waiting = node.events.wait_for(early_hash);
    let hash = node.pool.submit_raw(raw).map_err(RpcError::server)?;
    if !node.pool.is_ready(hash) {
        return Err(RpcError::not_ready(hash));
    }
    let mut landed = None;
    if hash != early_hash {
        // A blob transaction in network form: its hash is the pool's to tell, so look back once.
        waiting = node.events.wait_for(hash);
        landed = find(&node, hash)?;
    }
    Ok(async move {
        if let Some((block, index)) = landed {
            return Ok(receipt(&node, &block, index));
        }
        match tokio::time::timeout(Duration::from_millis(timeout_ms), waiting.landed()).await {
            Ok(Some(landed)) => Ok(receipt(&node, &landed.block, landed.index)),
            _ => Err(RpcError::receipt_timeout(hash, timeout_ms)),
        }
    })
}
