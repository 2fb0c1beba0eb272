//! Logs as JSON.

use alloy_primitives::{Address, B256, Bytes, Log};
use primitives::SealedBlock;
use serde::Serialize;
use store::FoundLog;

/// One log with its place on the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LogForm {
    /// The contract.
    pub address: Address,
    /// Indexed arguments, the event's signature first.
    pub topics: Vec<B256>,
    /// The rest.
    pub data: Bytes,
    /// Block number.
    #[serde(with = "alloy_serde::quantity")]
    pub block_number: u64,
    /// Transaction that emitted it.
    pub transaction_hash: B256,
    /// Its position in the block.
    #[serde(with = "alloy_serde::quantity")]
    pub transaction_index: u64,
    /// Block hash.
    pub block_hash: B256,
    /// Block time, seconds.
    #[serde(with = "alloy_serde::quantity")]
    pub block_timestamp: u64,
    /// Position among all logs of the block.
    #[serde(with = "alloy_serde::quantity")]
    pub log_index: u64,
    /// True when the block was taken back.
    pub removed: bool,
}

impl LogForm {
    /// One log of transaction `index`; `log_index` counts through the block.
    pub fn new(block: &SealedBlock, index: usize, log_index: u64, log: &Log) -> Self {
        Self {
            address: log.address,
            topics: log.data.topics().to_vec(),
            data: log.data.data.clone(),
            block_number: block.header.number,
            transaction_hash: block.transactions[index].hash,
            transaction_index: index as u64,
            block_hash: block.hash,
            block_timestamp: block.header.timestamp,
            log_index,
            removed: false,
        }
    }

    /// All logs of a block, in order.
    pub fn of_block(block: &SealedBlock, removed: bool) -> Vec<Self> {
        let mut forms = Vec::new();
        Self::matching(block, |_| true, |form| forms.push(Self { removed, ..form }));
        forms
    }

    /// Gives `found` the logs that `wanted` wants, in order.
    pub fn matching(
        block: &SealedBlock,
        wanted: impl Fn(&Log) -> bool,
        mut found: impl FnMut(Self),
    ) {
        let mut log_index = 0;
        for (index, receipt) in block.receipts.iter().enumerate() {
            for log in &receipt.logs {
                if wanted(log) {
                    found(Self::new(block, index, log_index, log));
                }
                log_index += 1;
            }
        }
    }
}

impl From<FoundLog> for LogForm {
    fn from(found: FoundLog) -> Self {
        let (topics, data) = found.log.data.split();
        Self {
            address: found.log.address,
            topics,
            data,
            block_number: found.block_number,
            transaction_hash: found.tx_hash,
            transaction_index: found.tx_index.into(),
            block_hash: found.block_hash,
            block_timestamp: found.block_timestamp,
            log_index: found.log_index.into(),
            removed: false,
        }
    }
}
