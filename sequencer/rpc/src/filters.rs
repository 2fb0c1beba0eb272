//! Polling filters: a number now, news on request.
//!
//! A filter holds no news itself. It reads the shared, bounded streams of the chain and of the pool, so an idle one
//! costs nothing; one that nobody asks for is dropped.

use crate::{
    Node,
    errors::RpcError,
    events::Notice,
    forms::{LogForm, TransactionForm},
    log_filter::{Blocks, LogFilter},
    logs::{Wanted, logs},
    module::{Long, Patience, Registry},
    params::Args,
};
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{B256, U128};
use jsonrpsee::server::{IdProvider, RandomStringIdProvider};
use parking_lot::Mutex;
use primitives::CheckedTx;
use serde::Serialize;
use std::{collections::HashMap, sync::Arc};
use tokio::sync::broadcast::{Receiver, error::TryRecvError};

/// Filters are looked through for idle ones this many times in the time that makes one idle.
pub(crate) const SWEEPS_PER_IDLE_TIME: u64 = 4;

/// All filters of all clients.
pub(crate) struct Filters {
    max: usize,
    by_id: Mutex<HashMap<String, Arc<Mutex<Filter>>>>,
}

struct Filter {
    kind: Kind,
    /// Sweeps since somebody asked.
    idle: u64,
}

enum Kind {
    Blocks(Receiver<Notice>),
    Pending {
        news: Receiver<Arc<CheckedTx>>,
        full: bool,
    },
    Logs {
        news: Receiver<Notice>,
        asked: Box<LogFilter>,
        wanted: Wanted,
    },
}

impl Filters {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            max,
            by_id: Mutex::default(),
        }
    }

    fn add(&self, kind: Kind) -> Result<String, RpcError> {
        let mut by_id = self.by_id.lock();
        if by_id.len() >= self.max {
            let max = self.max as u64;
            return Err(RpcError::limit(
                format!("too many filters, at most {max} at a time"),
                "filters",
                max,
                max + 1,
            ));
        }
        let id = unguessable_id();
        by_id.insert(id.clone(), Arc::new(Mutex::new(Filter { kind, idle: 0 })));
        Ok(id)
    }

    fn get(&self, id: &str) -> Result<Arc<Mutex<Filter>>, RpcError> {
        self.by_id
            .lock()
            .get(id)
            .cloned()
            .ok_or_else(|| RpcError::server("filter not found"))
    }

    fn remove(&self, id: &str) -> bool {
        self.by_id.lock().remove(id).is_some()
    }

    /// Drops filters that went unasked for a whole idle time. Called [`SWEEPS_PER_IDLE_TIME`] times in it.
    pub(crate) fn sweep(&self) {
        self.by_id
            .lock()
            .retain(|_, filter| match filter.try_lock() {
                // Locked: somebody asks right now.
                None => true,
                Some(mut filter) => {
                    filter.idle += 1;
                    filter.idle <= SWEEPS_PER_IDLE_TIME
                }
            });
    }
}

/// 128 random bits as a quantity, as geth gives: whoever guesses an id reads another client's news.
pub(crate) fn unguessable_id() -> String {
    // 32 letters and digits hold 190 random bits.
    let seed = match RandomStringIdProvider::new(32).next_id() {
        jsonrpsee::types::SubscriptionId::Str(text) => text.into_owned(),
        jsonrpsee::types::SubscriptionId::Num(number) => number.to_string(),
    };
    let hash = alloy_primitives::keccak256(seed);
    format!("{:#x}", U128::from_be_slice(&hash[..16]))
}

pub(crate) fn register(registry: &mut Registry) {
    registry.light("eth_newFilter", 1, |node, args: Args<'_>| {
        let asked: LogFilter = args.required(0)?;
        let wanted = Wanted::new(&asked)?;
        node.filters.add(Kind::Logs {
            news: node.events.subscribe(),
            asked: Box::new(asked),
            wanted,
        })
    });
    registry.light("eth_newBlockFilter", 0, |node, _| {
        node.filters.add(Kind::Blocks(node.events.subscribe()))
    });
    registry.light(
        "eth_newPendingTransactionFilter",
        1,
        |node, args: Args<'_>| {
            let full = args.optional(0)?.unwrap_or(false);
            node.filters.add(Kind::Pending {
                news: node.pool.subscribe(),
                full,
            })
        },
    );
    registry.light("eth_uninstallFilter", 1, |node, args: Args<'_>| {
        Ok(node.filters.remove(&args.required::<String>(0)?))
    });
    registry.long(
        "eth_getFilterChanges",
        Long::Read,
        1,
        |node, args, patience| changes(node, &args, patience),
    );
    registry.long(
        "eth_getFilterLogs",
        Long::Read,
        1,
        |node, args, patience| {
            let filter = node.filters.get(&args.required::<String>(0)?)?;
            let asked = {
                let mut filter = filter.lock();
                filter.idle = 0;
                match &filter.kind {
                    Kind::Logs { asked, .. } => asked.clone(),
                    Kind::Blocks(_) | Kind::Pending { .. } => {
                        return Err(RpcError::server("filter not found"));
                    }
                }
            };
            logs(node, &asked, patience)
        },
    );
}

/// News since the last question.
#[derive(Serialize)]
#[serde(untagged)]
enum Changes {
    Hashes(Vec<B256>),
    Transactions(Vec<TransactionForm>),
    Logs(Vec<LogForm>),
}

fn changes(node: &Node, args: &Args<'_>, patience: &Patience) -> Result<Changes, RpcError> {
    let filter = node.filters.get(&args.required::<String>(0)?)?;
    let mut filter = filter.lock();
    filter.idle = 0;
    Ok(match &mut filter.kind {
        Kind::Blocks(news) => Changes::Hashes(
            drain(news)
                .into_iter()
                .filter_map(|notice| match notice {
                    Notice::Head { hash, .. } => Some(hash),
                    Notice::Removed(_) => None,
                })
                .collect(),
        ),
        Kind::Pending { news, full: false } => {
            Changes::Hashes(drain(news).iter().map(|tx| tx.hash).collect())
        }
        Kind::Pending { news, full: true } => Changes::Transactions(
            drain(news)
                .iter()
                .map(|tx| TransactionForm::new(tx, None))
                .collect(),
        ),
        Kind::Logs {
            news,
            asked,
            wanted,
        } => {
            let mut found = Vec::new();
            for notice in drain(news) {
                patience.check()?;
                found.extend(
                    logs_of(node, &notice, wanted)?
                        .into_iter()
                        .filter(|log| in_range(asked, log)),
                );
            }
            Changes::Logs(found)
        }
    })
}

/// Everything that waits. A reader that is too late goes on with the oldest that is kept.
fn drain<T: Clone>(news: &mut Receiver<T>) -> Vec<T> {
    let mut all = Vec::new();
    loop {
        match news.try_recv() {
            Ok(item) => all.push(item),
            Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty | TryRecvError::Closed) => return all,
        }
    }
}

/// The wanted logs that a notice brings or takes back.
pub(crate) fn logs_of(
    node: &Node,
    notice: &Notice,
    wanted: &Wanted,
) -> Result<Vec<LogForm>, RpcError> {
    match notice {
        // A block that is gone by now announces itself as removed.
        Notice::Head { number, hash } => {
            let block = node
                .store
                .block(*number)?
                .filter(|block| block.hash == *hash);
            Ok(block
                .map(|block| wanted.of_block(&block))
                .unwrap_or_default())
        }
        Notice::Removed(removed) => Ok(removed
            .logs
            .iter()
            .filter(|log| wanted.matches(log.address, &log.topics))
            .cloned()
            .collect()),
    }
}

/// True unless the filter names numbers that exclude the log.
fn in_range(asked: &LogFilter, log: &LogForm) -> bool {
    let Blocks::Range { from, to } = asked.at else {
        return true;
    };
    let number = |tag: Option<BlockNumberOrTag>| tag.and_then(|tag| tag.as_number());
    number(from).is_none_or(|from| from <= log.block_number)
        && number(to).is_none_or(|to| log.block_number <= to)
}
