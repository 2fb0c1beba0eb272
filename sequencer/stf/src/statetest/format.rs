//! The JSON of a state test. Numbers are hex of any width, read leniently.

use alloc::{collections::BTreeMap, string::String, vec::Vec};
use alloy_eips::{eip2930::AccessList, eip7702::SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Deserializer, de::Error};

/// A file: tests by name.
#[derive(Debug, Deserialize)]
pub(super) struct Suite(pub(super) BTreeMap<String, Test>);

#[derive(Debug, Deserialize)]
pub(super) struct Test {
    pub(super) env: Env,
    pub(super) pre: BTreeMap<Address, PreAccount>,
    pub(super) transaction: TestTransaction,
    pub(super) post: BTreeMap<String, Vec<Post>>,
    #[serde(default)]
    pub(super) config: Config,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Config {
    pub(super) chainid: Option<Number>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Env {
    pub(super) current_coinbase: Address,
    pub(super) current_gas_limit: Number,
    pub(super) current_number: Number,
    pub(super) current_timestamp: Number,
    pub(super) current_difficulty: Option<Number>,
    pub(super) current_base_fee: Option<Number>,
    pub(super) current_random: Option<B256>,
    pub(super) current_excess_blob_gas: Option<Number>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct PreAccount {
    pub(crate) balance: Number,
    pub(crate) code: Bytes,
    pub(crate) nonce: Number,
    pub(crate) storage: BTreeMap<Number, Number>,
}

/// Lists hold the variants that a post state chooses from.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TestTransaction {
    pub(super) data: Vec<Bytes>,
    pub(super) gas_limit: Vec<Number>,
    /// Text, since some tests send more than 256 bits.
    pub(super) value: Vec<String>,
    pub(super) nonce: Number,
    pub(super) sender: Option<Address>,
    /// Empty for a creation.
    #[serde(default)]
    pub(super) to: String,
    pub(super) gas_price: Option<Number>,
    pub(super) max_fee_per_gas: Option<Number>,
    pub(super) max_priority_fee_per_gas: Option<Number>,
    pub(super) max_fee_per_blob_gas: Option<Number>,
    #[serde(default)]
    pub(super) blob_versioned_hashes: Vec<B256>,
    #[serde(default)]
    pub(super) access_lists: Vec<Option<AccessList>>,
    pub(super) authorization_list: Option<Vec<SignedAuthorization>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Post {
    pub(super) hash: B256,
    pub(super) logs: B256,
    pub(super) indexes: Indexes,
    pub(super) txbytes: Option<Bytes>,
    #[serde(rename = "expectException")]
    pub(super) expect_exception: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Indexes {
    pub(super) data: usize,
    pub(super) gas: usize,
    pub(super) value: usize,
}

/// An unsigned integer in hex or decimal text, at most 256 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Number(pub(crate) U256);

impl Number {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let number = match text.strip_prefix("0x") {
            Some("") => U256::ZERO,
            Some(hex) => U256::from_str_radix(hex, 16).ok()?,
            None => U256::from_str_radix(text, 10).ok()?,
        };
        Some(Self(number))
    }

    pub(crate) fn u64(self) -> u64 {
        self.0.saturating_to()
    }

    pub(crate) fn u128(self) -> u128 {
        self.0.saturating_to()
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a number of 256 bits"))
    }
}
