//! Positional arguments, with geth's complaints about them.

use crate::errors::RpcError;
use alloy_primitives::{Address, B256, Bytes, U64, U256};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use std::any::TypeId;

/// The arguments of one call, still as text: each is parsed once, by who knows its type.
#[derive(Debug)]
pub struct Args<'a>(Vec<&'a RawValue>);

impl<'a> Args<'a> {
    /// Splits `params`. Objects and scalars are refused, as geth does.
    pub fn parse(params: Option<&'a str>, max: usize) -> Result<Self, RpcError> {
        let args: Vec<&RawValue> = match params.map(str::trim) {
            None | Some("" | "null" | "[]") => Vec::new(),
            Some(text) if text.starts_with('[') => {
                serde_json::from_str(text).map_err(|e| RpcError::params(reason(&e)))?
            }
            Some(_) => return Err(RpcError::params("non-array args")),
        };
        if args.len() > max {
            return Err(RpcError::params(format!(
                "too many arguments, want at most {max}"
            )));
        }
        Ok(Self(args))
    }

    /// Argument `index`, which must be there.
    pub fn required<T: DeserializeOwned + 'static>(&self, index: usize) -> Result<T, RpcError> {
        self.optional(index)?
            .ok_or_else(|| RpcError::missing(index))
    }

    /// Argument `index`; `null` counts as absent.
    pub fn optional<T: DeserializeOwned + 'static>(
        &self,
        index: usize,
    ) -> Result<Option<T>, RpcError> {
        match self.0.get(index).map(|raw| raw.get()) {
            None | Some("null") => Ok(None),
            Some(text) if unprefixed::<T>(text) => Err(RpcError::invalid(
                index,
                "json: cannot unmarshal hex string without 0x prefix",
            )),
            Some(text) => serde_json::from_str(text)
                .map(Some)
                .map_err(|e| RpcError::invalid(index, reason(&e))),
        }
    }

    /// Argument `index` as text of JSON.
    pub fn raw(&self, index: usize) -> Option<&'a str> {
        self.0.get(index).map(|raw| raw.get())
    }

    /// Argument `index`, which must be a string of hex digits: without a copy of the string.
    pub fn hex(&self, index: usize) -> Result<Bytes, RpcError> {
        let text = self
            .raw(index)
            .filter(|text| *text != "null")
            .ok_or_else(|| RpcError::missing(index))?;
        // What needs an escape is not hex, so a borrowed string suffices.
        let digits: &str = serde_json::from_str(text).map_err(|_| {
            RpcError::invalid(
                index,
                "json: cannot unmarshal non-string into Go value of type hexutil.Bytes",
            )
        })?;
        hex_bytes(digits)
            .map(Bytes::from)
            .map_err(|error| RpcError::invalid(index, error))
    }
}

/// True for a hash or an address without the prefix that everybody but our decoder asks for.
fn unprefixed<T: 'static>(text: &str) -> bool {
    let whole = [TypeId::of::<B256>(), TypeId::of::<Address>()].contains(&TypeId::of::<T>());
    whole && text.starts_with('"') && !text.starts_with("\"0x") && !text.starts_with("\"0X")
}

/// Prefixed hex of whole bytes, with geth's complaints.
pub(crate) fn hex_bytes(text: &str) -> Result<Vec<u8>, &'static str> {
    let digits = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => digits,
        None if text.is_empty() => return Err("empty hex string"),
        None => return Err("hex string without 0x prefix"),
    };
    if digits.len() % 2 == 1 {
        return Err("hex string of odd length");
    }
    alloy_primitives::hex::decode(digits).map_err(|_| "invalid hex string")
}

/// serde's complaint without the place, which says nothing about a single argument.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

/// A number that clients write as a hex quantity or as a JSON number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number(pub u64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Plain(u64),
            Quantity(U64),
        }
        Ok(match Either::deserialize(deserializer)? {
            Either::Plain(n) => Self(n),
            Either::Quantity(n) => Self(n.to()),
        })
    }
}

/// A storage key: 32 bytes, or a quantity as older clients write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StorageKey(pub B256);

impl<'de> Deserialize<'de> for StorageKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let text = String::deserialize(deserializer)?;
        let digits = text
            .strip_prefix("0x")
            .or_else(|| text.strip_prefix("0X"))
            .unwrap_or(&text);
        if digits.is_empty() {
            return Err(D::Error::custom(
                "unable to decode storage key: empty hex string",
            ));
        }
        if digits.len() > 64 {
            return Err(D::Error::custom(
                "unable to decode storage key: hex string too long, want at most 32 bytes",
            ));
        }
        U256::from_str_radix(digits, 16)
            .map(|key| Self(key.into()))
            .map_err(|_| D::Error::custom("unable to decode storage key: invalid hex string"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails<T: DeserializeOwned + 'static>(params: &str, want: &str) {
        let error = match Args::parse(Some(params), 2) {
            Ok(args) => args.required::<T>(0).err().unwrap(),
            Err(error) => error,
        };
        assert_eq!(
            (error.code, error.message.as_str()),
            (crate::errors::INVALID_PARAMS, want)
        );
    }

    #[test]
    fn what_is_absent_is_named() {
        fails::<Address>("[]", "missing value for required argument 0");
        fails::<Address>("[null]", "missing value for required argument 0");
    }

    #[test]
    fn hashes_and_addresses_have_their_prefix() {
        let want = "invalid argument 0: json: cannot unmarshal hex string without 0x prefix";
        fails::<B256>(&format!("[\"{}\"]", "1".repeat(64)), want);
        fails::<Address>(&format!("[\"{}\"]", "1".repeat(40)), want);
    }

    #[test]
    fn objects_are_not_positional() {
        fails::<Address>("{\"a\":1}", "non-array args");
    }

    #[test]
    fn too_many_arguments_are_refused() {
        fails::<Number>("[1,2,3]", "too many arguments, want at most 2");
    }

    #[test]
    fn a_wrong_argument_is_named() {
        fails::<StorageKey>(
            "[\"0xzz\"]",
            "invalid argument 0: unable to decode storage key: invalid hex string",
        );
    }

    #[test]
    fn raw_bytes_must_be_whole_prefixed_hex() {
        for (text, want) in [
            ("[\"\"]", "invalid argument 0: empty hex string"),
            (
                "[\"f8\"]",
                "invalid argument 0: hex string without 0x prefix",
            ),
            ("[\"0xf\"]", "invalid argument 0: hex string of odd length"),
            ("[\"0xfg\"]", "invalid argument 0: invalid hex string"),
            (
                "[7]",
                "invalid argument 0: json: cannot unmarshal non-string into Go value of type hexutil.Bytes",
            ),
        ] {
            assert_eq!(
                Args::parse(Some(text), 1)
                    .and_then(|args| args.hex(0))
                    .unwrap_err()
                    .message,
                want
            );
        }
    }

    #[test]
    fn numbers_come_in_two_spellings() {
        let args = Args::parse(Some("[\"0x10\", 16]"), 2).unwrap();
        assert_eq!(
            args.required::<Number>(0).unwrap(),
            args.required::<Number>(1).unwrap()
        );
    }

    #[test]
    fn a_short_storage_key_is_a_quantity() {
        let args = Args::parse(Some("[\"0x1\"]"), 1).unwrap();
        assert_eq!(
            args.required::<StorageKey>(0).unwrap().0,
            B256::with_last_byte(1)
        );
    }
}
