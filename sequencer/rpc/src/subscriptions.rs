//! `eth_subscribe` over WebSocket: `newHeads`, `logs`, `newPendingTransactions`, `syncing`, `transactionReceipts`,
//! and `reorgs`, which is ours.
//!
//! A subscriber that falls behind by more than the node keeps loses its subscription rather than a part of the news:
//! the notice says so, and the client can ask for what it missed.

use crate::{
    Node,
    errors::RpcError,
    events::Notice,
    filters::logs_of,
    forms::{HeaderForm, ReceiptForm, TransactionForm},
    log_filter::LogFilter,
    logs::Wanted,
    module::Registry,
    params::Args,
    transactions::receipt,
};
use alloy_primitives::B256;
use jsonrpsee::{
    PendingSubscriptionSink, SubscriptionMessage, SubscriptionSink,
    core::SubscriptionError,
    types::{ErrorObjectOwned, Params},
};
use primitives::SealedBlock;
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, sync::Arc};
use tokio::sync::broadcast::{Receiver, error::RecvError};

pub(crate) fn register(registry: &mut Registry) {
    let added = registry.module.register_subscription(
        "eth_subscribe",
        "eth_subscription",
        "eth_unsubscribe",
        |params, pending, node, _| async move {
            match Topic::parse(&params) {
                Ok(topic) => serve(node, topic, pending).await,
                Err(error) => {
                    pending.reject(ErrorObjectOwned::from(error)).await;
                    Ok(())
                }
            }
        },
    );
    assert!(added.is_ok(), "eth_subscribe is registered twice");
}

enum Topic {
    NewHeads,
    Logs(Wanted),
    Pending {
        full: bool,
    },
    Syncing,
    /// Empty: those of all transactions.
    Receipts(HashSet<B256>),
    Reorgs,
}

/// Transactions that one subscription may wait for (geth's bound).
const HASHES_MAX: usize = 200;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WantedReceipts {
    transaction_hashes: Option<HashSet<B256>>,
}

/// A rewind: the newest block that still stands, and those that do not, newest first.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReorgForm {
    head: BlockRef,
    removed: Vec<BlockRef>,
}

#[derive(Serialize)]
struct BlockRef {
    #[serde(with = "alloy_serde::quantity")]
    number: u64,
    hash: B256,
}

impl Topic {
    fn parse(params: &Params<'_>) -> Result<Self, RpcError> {
        let args = Args::parse(params.as_str(), 2)?;
        match args.required::<String>(0)?.as_str() {
            "newHeads" => Ok(Self::NewHeads),
            "logs" => Ok(Self::Logs(Wanted::new(
                &args.optional::<LogFilter>(1)?.unwrap_or_default(),
            )?)),
            "newPendingTransactions" => Ok(Self::Pending {
                full: args.optional(1)?.unwrap_or(false),
            }),
            "syncing" => Ok(Self::Syncing),
            "transactionReceipts" => {
                let wanted: WantedReceipts = args.optional(1)?.unwrap_or_default();
                let hashes = wanted.transaction_hashes.unwrap_or_default();
                if hashes.len() > HASHES_MAX {
                    return Err(RpcError::params(
                        "exceed max number of transaction hashes allowed per transactionReceipts subscription",
                    ));
                }
                Ok(Self::Receipts(hashes))
            }
            "reorgs" => Ok(Self::Reorgs),
            other => {
                let shown: String = other.chars().take(100).collect();
                Err(RpcError::new(
                    crate::errors::METHOD_NOT_FOUND,
                    format!("no \"{shown}\" subscription in eth namespace"),
                ))
            }
        }
    }
}

async fn serve(
    node: Arc<Node>,
    topic: Topic,
    pending: PendingSubscriptionSink,
) -> Result<(), SubscriptionError> {
    // News is collected from before the client knows its subscription: nothing falls between.
    match topic {
        Topic::Pending { full } => {
            let mut news = node.pool.subscribe();
            let sink = pending.accept().await?;
            while let Some(tx) = next(&mut news, &sink).await? {
                if full {
                    send(&sink, &TransactionForm::new(&tx, None)).await?;
                } else {
                    send(&sink, &tx.hash).await?;
                }
            }
        }
        Topic::NewHeads => {
            let mut news = node.events.subscribe();
            let sink = pending.accept().await?;
            while let Some(notice) = next(&mut news, &sink).await? {
                if let Notice::Head { number, hash } = notice
                    && let Some(block) =
                        node.store.block(number)?.filter(|block| block.hash == hash)
                {
                    send(&sink, &HeaderForm::new(&block.header, Some(block.hash))).await?;
                }
            }
        }
        Topic::Logs(wanted) => {
            let mut news = node.events.subscribe();
            let sink = pending.accept().await?;
            while let Some(notice) = next(&mut news, &sink).await? {
                for log in logs_of(&node, &notice, &wanted).map_err(ErrorObjectOwned::from)? {
                    send(&sink, &log).await?;
                }
            }
        }
        Topic::Receipts(hashes) => {
            let mut news = node.events.subscribe();
            let sink = pending.accept().await?;
            while let Some(notice) = next(&mut news, &sink).await? {
                let Notice::Head { number, hash } = notice else {
                    continue;
                };
                let Some(block) = node.store.block(number)?.filter(|block| block.hash == hash)
                else {
                    continue;
                };
                let receipts = wanted_receipts(&node, &block, &hashes);
                if !receipts.is_empty() {
                    send(&sink, &receipts).await?;
                }
            }
        }
        Topic::Reorgs => {
            let mut news = node.events.subscribe();
            let sink = pending.accept().await?;
            while let Some(notice) = next(&mut news, &sink).await? {
                let Notice::Removed(removed) = notice else {
                    continue;
                };
                let reference = |(number, hash): (u64, B256)| BlockRef { number, hash };
                let Some(hash) = node.store.hash_of(removed.to)? else {
                    continue;
                };
                let form = ReorgForm {
                    head: reference((removed.to, hash)),
                    removed: removed.blocks.iter().copied().map(reference).collect(),
                };
                send(&sink, &form).await?;
            }
        }
        Topic::Syncing => {
            let mut news = node.events.subscribe();
            let sink = pending.accept().await?;
            let mut told = None;
            loop {
                let syncing = node
                    .rollup
                    .as_ref()
                    .is_some_and(|rollup| rollup.view.syncing().is_some());
                if told != Some(syncing) {
                    send(&sink, &syncing).await?;
                    told = Some(syncing);
                }
                if next(&mut news, &sink).await?.is_none() {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Receipts of the wanted transactions of a block.
fn wanted_receipts(node: &Node, block: &SealedBlock, hashes: &HashSet<B256>) -> Vec<ReceiptForm> {
    block
        .transactions
        .iter()
        .enumerate()
        .filter(|(_, tx)| hashes.is_empty() || hashes.contains(&tx.hash))
        .map(|(index, _)| receipt(node, block, index))
        .collect()
}

/// The next piece of news; `None` when the client or the node is gone.
async fn next<T: Clone>(
    news: &mut Receiver<T>,
    sink: &SubscriptionSink,
) -> Result<Option<T>, SubscriptionError> {
    tokio::select! {
        () = sink.closed() => Ok(None),
        item = news.recv() => match item {
            Ok(item) => Ok(Some(item)),
            Err(RecvError::Closed) => Ok(None),
            Err(RecvError::Lagged(missed)) => Err(format!("subscription closed: {missed} notifications behind").into()),
        },
    }
}

async fn send(sink: &SubscriptionSink, item: &impl Serialize) -> Result<(), SubscriptionError> {
    let message = SubscriptionMessage::new(sink.method_name(), sink.subscription_id(), item)?;
    Ok(sink.send(message).await?)
}
