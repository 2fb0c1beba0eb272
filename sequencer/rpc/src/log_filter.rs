//! Log filters as clients write them, read as geth reads them.
//!
//! A position of `topics` without a value (`null`, `[]`, or a list with a `null` in it) matches every topic, but the
//! log must have that position, at the end of the list, too.

use crate::errors::RpcError;
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, B256};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

/// Topics that a log can have.
const TOPICS_MAX: usize = 4;
/// Addresses, or values of one topic, in one filter (geth's bound).
const VALUES_MAX: usize = 1_000;

/// Which logs of which blocks.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogFilter {
    pub at: Blocks,
    /// Empty: all.
    pub addresses: Vec<Address>,
    /// Values for each position; empty: all.
    pub topics: Vec<Vec<B256>>,
}

/// Where to look.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Blocks {
    Hash(B256),
    Range {
        from: Option<BlockNumberOrTag>,
        to: Option<BlockNumberOrTag>,
    },
}

impl Default for Blocks {
    fn default() -> Self {
        Self::Range {
            from: None,
            to: None,
        }
    }
}

impl LogFilter {
    /// Refuses filters that no log fits, or of unreasonable size.
    pub(crate) fn checked(self) -> Result<Self, RpcError> {
        if self.topics.len() > TOPICS_MAX {
            return Err(RpcError::params("exceed max topics"));
        }
        if self.addresses.len() > VALUES_MAX
            || self.topics.iter().any(|values| values.len() > VALUES_MAX)
        {
            return Err(RpcError::params(
                "exceed max addresses or topics per search position",
            ));
        }
        Ok(self)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    block_hash: Option<B256>,
    from_block: Option<BlockNumberOrTag>,
    to_block: Option<BlockNumberOrTag>,
    address: Option<Value>,
    topics: Option<Vec<Value>>,
}

impl<'de> Deserialize<'de> for LogFilter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let at = match (written.block_hash, written.from_block, written.to_block) {
            (Some(hash), None, None) => Blocks::Hash(hash),
            (Some(_), _, _) => {
                return Err(D::Error::custom(
                    "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other",
                ));
            }
            (None, from, to) => Blocks::Range { from, to },
        };
        let addresses = addresses(written.address).map_err(D::Error::custom)?;
        let topics = written
            .topics
            .unwrap_or_default()
            .into_iter()
            .map(values)
            .collect::<Result<_, _>>()
            .map_err(D::Error::custom)?;
        Ok(Self {
            at,
            addresses,
            topics,
        })
    }
}

fn addresses(written: Option<Value>) -> Result<Vec<Address>, String> {
    match written {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(one)) => bytes::<20>(&one, "address")
            .map(|address| vec![address.into()])
            .map_err(|error| format!("invalid address: {error}")),
        Some(Value::Array(list)) => list
            .iter()
            .enumerate()
            .map(|(index, one)| {
                let text = one
                    .as_str()
                    .ok_or_else(|| format!("non-string address at index {index}"))?;
                bytes::<20>(text, "address")
                    .map(Address::from)
                    .map_err(|error| format!("invalid address at index {index}: {error}"))
            })
            .collect(),
        Some(_) => Err("invalid addresses in query".to_owned()),
    }
}

/// The values of one position.
fn values(written: Value) -> Result<Vec<B256>, String> {
    match written {
        Value::Null => Ok(Vec::new()),
        Value::String(one) => Ok(vec![bytes::<32>(&one, "topic")?.into()]),
        Value::Array(list) => {
            let mut values = Vec::new();
            for one in &list {
                match one {
                    Value::Null => return Ok(Vec::new()),
                    Value::String(one) => values.push(bytes::<32>(one, "topic")?.into()),
                    _ => return Err("invalid topic(s)".to_owned()),
                }
            }
            Ok(values)
        }
        _ => Err("invalid topic(s)".to_owned()),
    }
}

/// `N` bytes of prefixed hex.
fn bytes<const N: usize>(text: &str, what: &str) -> Result<[u8; N], String> {
    let bytes = crate::params::hex_bytes(text)?;
    <[u8; N]>::try_from(&*bytes).map_err(|_| {
        format!(
            "hex has invalid length {} after decoding; expected {N} for {what}",
            bytes.len()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<LogFilter, String> {
        serde_json::from_str::<LogFilter>(text)
            .map_err(|error| {
                let text = error.to_string();
                text[..text.rfind(" at line ").unwrap_or(text.len())].to_owned()
            })?
            .checked()
            .map_err(|error| error.message)
    }

    fn refused(text: &str, want: &str) {
        assert_eq!(parse(text).unwrap_err(), want, "{text}");
    }

    fn topics(text: &str, want: &[usize]) {
        let got: Vec<usize> = parse(text).unwrap().topics.iter().map(Vec::len).collect();
        assert_eq!(got, want, "{text}");
    }

    fn t(byte: u8) -> String {
        format!("\"{}\"", B256::repeat_byte(byte))
    }

    #[test]
    fn a_position_may_be_null_one_value_or_a_list() {
        topics(
            &format!("{{\"topics\":[null,{},[{0},{0}]]}}", t(1)),
            &[0, 1, 2],
        );
        topics("{\"topics\":[]}", &[]);
        topics("{\"topics\":null}", &[]);
        topics("{\"topics\":[null,[],null,null]}", &[0, 0, 0, 0]);
    }

    #[test]
    fn a_null_in_a_list_is_any_value() {
        topics(&format!("{{\"topics\":[[{},null,{0}]]}}", t(1)), &[0]);
    }

    #[test]
    fn a_fifth_topic_is_refused() {
        refused(
            "{\"topics\":[null,null,null,null,null]}",
            "exceed max topics",
        );
    }

    #[test]
    fn topics_are_strings_of_32_bytes() {
        refused("{\"topics\":[5]}", "invalid topic(s)");
        refused("{\"topics\":[[5]]}", "invalid topic(s)");
        refused("{\"topics\":[[[]]]}", "invalid topic(s)");
        refused(
            "{\"topics\":[\"0x1234\"]}",
            "hex has invalid length 2 after decoding; expected 32 for topic",
        );
        refused("{\"topics\":[\"1234\"]}", "hex string without 0x prefix");
        refused("{\"topics\":[\"0x123\"]}", "hex string of odd length");
    }

    #[test]
    fn addresses_are_one_or_a_list() {
        let one = format!("\"{}\"", Address::repeat_byte(1));
        for (text, want) in [
            (one.clone(), 1),
            (format!("[{one},{one}]"), 2),
            ("[]".to_owned(), 0),
            ("null".to_owned(), 0),
        ] {
            assert_eq!(
                parse(&format!("{{\"address\":{text}}}"))
                    .unwrap()
                    .addresses
                    .len(),
                want
            );
        }
        refused("{\"address\":5}", "invalid addresses in query");
        refused("{\"address\":[5]}", "non-string address at index 0");
        refused(
            &format!("{{\"address\":[{one},\"0x12\"]}}"),
            "invalid address at index 1: hex has invalid length 1 after decoding; expected 20 for address",
        );
        refused("{\"address\":\"\"}", "invalid address: empty hex string");
    }

    #[test]
    fn a_block_hash_excludes_a_range() {
        let hash = t(1);
        assert!(parse(&format!("{{\"blockHash\":{hash}}}")).is_ok());
        for bound in ["fromBlock", "toBlock"] {
            refused(
                &format!("{{\"blockHash\":{hash},\"{bound}\":\"0x1\"}}"),
                "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other",
            );
        }
    }

    #[test]
    fn more_than_a_thousand_values_are_refused() {
        let many = vec![t(1); 1_001].join(",");
        refused(
            &format!("{{\"topics\":[[{many}]]}}"),
            "exceed max addresses or topics per search position",
        );
    }
}
