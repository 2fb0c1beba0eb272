//! `eth_getLogs`: by the store's index, within limits that the error names.

use crate::{
    Node,
    errors::{self, RpcError},
    forms::LogForm,
    log_filter::{Blocks, LogFilter},
    module::{Long, Patience, Registry},
};
use alloy_primitives::{Address, B256, Log};
use primitives::SealedBlock;
use serde_json::json;
use std::ops::ControlFlow;
use store::LogQuery;

pub(crate) fn register(registry: &mut Registry) {
    registry.long("eth_getLogs", Long::Read, 1, |node, args, patience| {
        let filter: LogFilter = args.required(0)?;
        logs(node, &filter, patience)
    });
}

/// Which logs a client wants, wherever they are.
#[derive(Debug, Clone)]
pub(crate) struct Wanted(LogQuery);

impl Wanted {
    /// Refuses filters of unreasonable size.
    pub(crate) fn new(filter: &LogFilter) -> Result<Self, RpcError> {
        let LogFilter {
            addresses, topics, ..
        } = filter.clone().checked()?;
        Ok(Self(LogQuery { addresses, topics }))
    }

    /// True if the client wants this log.
    pub(crate) fn matches(&self, address: Address, topics: &[B256]) -> bool {
        self.0.matches(address, topics)
    }

    /// The wanted logs of one block.
    pub(crate) fn of_block(&self, block: &SealedBlock) -> Vec<LogForm> {
        let mut found = Vec::new();
        let wanted = |log: &Log| self.matches(log.address, log.data.topics());
        LogForm::matching(block, wanted, |form| found.push(form));
        found
    }
}

/// The logs that `filter` names, oldest first.
pub(crate) fn logs(
    node: &Node,
    filter: &LogFilter,
    patience: &Patience,
) -> Result<Vec<LogForm>, RpcError> {
    let wanted = Wanted::new(filter)?;
    let (from, to) = match filter.at {
        Blocks::Hash(hash) => {
            let unknown = || RpcError::new(errors::NOT_FOUND, "unknown block");
            let number = node.store.number_of(hash)?.ok_or_else(unknown)?;
            let found = search(node, &wanted, number, number, patience)?;
            // Between the two lookups a rewind may have put another block there.
            return match node.store.hash_of(number)? {
                Some(there) if there == hash => Ok(found),
                _ => Err(unknown()),
            };
        }
        Blocks::Range { from, to } => {
            let head = node.head_number();
            let bound = |tag: Option<alloy_eips::BlockNumberOrTag>| match tag {
                None => head,
                Some(tag) => tag.as_number().or_else(|| node.tag(tag)).unwrap_or(head),
            };
            (bound(from), bound(to))
        }
    };
    if from > to {
        return Err(RpcError::params("invalid block range params"));
    }
    // Part of an answer would look like all of it: whoever asks again must know where to begin.
    if to > node.head_number() {
        return Err(RpcError::params(
            "block range extends beyond current head block",
        ));
    }
    let span = to - from + 1;
    let max = node.limits.log_blocks_max;
    if span > max {
        return Err(RpcError::new(errors::LIMIT, format!("block range of {span} exceeds the limit of {max} blocks")).with_data(
            json!({ "limit": "blocks", "max": max, "requested": span, "from": hex(from), "to": hex(from + max - 1) }),
        ));
    }
    search(node, &wanted, from, to, patience)
}

fn search(
    node: &Node,
    wanted: &Wanted,
    from: u64,
    to: u64,
    patience: &Patience,
) -> Result<Vec<LogForm>, RpcError> {
    let mut found: Vec<LogForm> = Vec::new();
    let max = node.limits.logs_max;
    // The block whose logs were too many. A single block is always given whole.
    let mut too_many = None;
    node.store.logs(
        from,
        to,
        &wanted.0,
        &|| patience.check().is_ok(),
        &mut |log| {
            if found.len() >= max && from < to {
                too_many = Some(log.block_number);
                return ControlFlow::Break(());
            }
            found.push(log.into());
            ControlFlow::Continue(())
        },
    )?;
    let Some(number) = too_many else {
        return Ok(found);
    };
    // The range that fits ends before that block.
    let fits = number.saturating_sub(1).max(from);
    Err(RpcError::new(
        errors::LIMIT,
        format!("query returned more than {max} results"),
    )
    .with_data(json!({ "limit": "logs", "max": max, "from": hex(from), "to": hex(fits) })))
}

fn hex(number: u64) -> String {
    format!("{number:#x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(filter: &str, topics: &[u8], want: bool) {
        let filter: LogFilter = serde_json::from_str(filter).unwrap();
        let topics: Vec<B256> = topics.iter().map(|byte| B256::repeat_byte(*byte)).collect();
        assert_eq!(
            Wanted::new(&filter)
                .unwrap()
                .matches(Address::repeat_byte(1), &topics),
            want
        );
    }

    fn t(byte: u8) -> String {
        format!("\"{}\"", B256::repeat_byte(byte))
    }

    #[test]
    fn an_empty_filter_wants_everything() {
        check("{}", &[], true);
        check("{\"topics\":[]}", &[1, 2], true);
        check("{\"address\":[]}", &[], true);
    }

    #[test]
    fn an_address_excludes_others() {
        check(
            &format!("{{\"address\":\"{}\"}}", Address::repeat_byte(1)),
            &[],
            true,
        );
        check(
            &format!("{{\"address\":\"{}\"}}", Address::repeat_byte(2)),
            &[],
            false,
        );
    }

    #[test]
    fn null_is_any_value_but_the_position_must_be_there() {
        let filter = format!("{{\"topics\":[null,{}]}}", t(2));
        check(&filter, &[1, 2], true);
        check(&filter, &[2], false);
        check(&filter, &[2, 1], false);
    }

    #[test]
    fn a_null_at_the_end_asks_for_a_topic_there() {
        let filter = format!("{{\"topics\":[{},null]}}", t(1));
        check(&filter, &[1, 2], true);
        check(&filter, &[1, 2, 3], true);
        check(&filter, &[1], false);
    }

    #[test]
    fn a_list_is_any_of_its_values() {
        let filter = format!("{{\"topics\":[[{},{}]]}}", t(1), t(2));
        check(&filter, &[2, 9], true);
        check(&filter, &[3], false);
    }
}
