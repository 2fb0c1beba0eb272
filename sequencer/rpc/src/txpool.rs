//! `txpool_`: what waits.

use crate::{
    forms::TransactionForm,
    module::{Long, Registry},
    params::Args,
    pool::{ByNonce, PoolContent},
};
use alloy_consensus::Transaction as _;
use alloy_primitives::{Address, U64};
use primitives::CheckedTx;
use serde::Serialize;
use std::collections::BTreeMap;

pub(crate) fn register(registry: &mut Registry) {
    registry.light("txpool_status", 0, |node, _| {
        let (pending, queued) = node.pool.counts();
        Ok(Parts {
            pending: U64::from(pending),
            queued: U64::from(queued),
        })
    });
    registry.long("txpool_content", Long::Read, 0, |node, _, _| {
        Ok(by_sender(&node.pool.content(None), |tx| {
            TransactionForm::new(tx, None)
        }))
    });
    registry.long(
        "txpool_contentFrom",
        Long::Read,
        1,
        |node, args: Args<'_>, _| {
            let sender: Address = args.required(0)?;
            let content = node.pool.content(Some(sender));
            let list = |part: &BTreeMap<Address, ByNonce>| {
                part.get(&sender)
                    .map(|list| by_nonce(list, &|tx| TransactionForm::new(tx, None)))
                    .unwrap_or_default()
            };
            Ok(Parts {
                pending: list(&content.pending),
                queued: list(&content.queued),
            })
        },
    );
    registry.long("txpool_inspect", Long::Read, 0, |node, _, _| {
        Ok(by_sender(&node.pool.content(None), summary))
    });
}

#[derive(Clone, Serialize)]
struct Parts<T> {
    pending: T,
    queued: T,
}

/// Nonces are decimal text here, as geth writes them.
type Listed<T> = BTreeMap<String, T>;

fn by_sender<T>(
    content: &PoolContent,
    form: impl Fn(&CheckedTx) -> T,
) -> Parts<BTreeMap<String, Listed<T>>> {
    let part = |part: &BTreeMap<Address, ByNonce>| {
        part.iter()
            .map(|(sender, list)| (sender.to_checksum(None), by_nonce(list, &form)))
            .collect()
    };
    Parts {
        pending: part(&content.pending),
        queued: part(&content.queued),
    }
}

fn by_nonce<T>(list: &ByNonce, form: &impl Fn(&CheckedTx) -> T) -> Listed<T> {
    list.iter()
        .map(|(nonce, tx)| (nonce.to_string(), form(tx)))
        .collect()
}

fn summary(tx: &CheckedTx) -> String {
    let (fields, price) = (&tx.tx, tx.tx.max_fee_per_gas());
    let to = fields
        .kind()
        .to()
        .map_or_else(|| "contract creation".to_owned(), ToString::to_string);
    format!(
        "{to}: {} wei + {} gas × {price} wei",
        fields.value(),
        fields.gas_limit()
    )
}
