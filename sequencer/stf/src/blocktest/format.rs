//! The JSON of a blockchain test.

use crate::statetest::format::{Number, PreAccount};
use alloc::{collections::BTreeMap, string::String, vec::Vec};
use alloy_primitives::{Address, B256};
use serde::{Deserialize, de::IgnoredAny};

/// A file: tests by name.
#[derive(Debug, Deserialize)]
pub(super) struct Suite(pub(super) BTreeMap<String, Test>);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Test {
    pub(super) network: String,
    pub(super) seal_engine: Option<String>,
    #[serde(default)]
    pub(super) config: Config,
    pub(super) genesis_block_header: GenesisHeader,
    #[serde(rename = "genesisRLP")]
    pub(super) genesis_rlp: String,
    pub(super) pre: BTreeMap<Address, PreAccount>,
    pub(super) blocks: Vec<Block>,
    #[serde(rename = "lastblockhash")]
    pub(super) last_block_hash: B256,
    pub(super) post_state: Option<BTreeMap<Address, PreAccount>>,
    pub(super) post_state_hash: Option<B256>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Config {
    pub(super) chainid: Option<Number>,
    #[serde(default, rename = "blobSchedule")]
    pub(super) blob_schedule: BTreeMap<String, Blobs>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Blobs {
    pub(super) target: Number,
    pub(super) max: Number,
    pub(super) base_fee_update_fraction: Number,
}

#[derive(Debug, Deserialize)]
pub(super) struct GenesisHeader {
    pub(super) hash: B256,
}

/// A block that the test calls invalid has no header here, or an exception.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Block {
    /// Text, since an invalid block may be no hex.
    #[serde(default)]
    pub(super) rlp: String,
    pub(super) block_header: Option<IgnoredAny>,
    pub(super) expect_exception: Option<IgnoredAny>,
}

impl Block {
    pub(super) fn is_valid(&self) -> bool {
        self.block_header.is_some() && self.expect_exception.is_none()
    }
}
