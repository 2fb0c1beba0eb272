//! Errors as wallets expect them: geth's texts, with the codes of EIP-1474, EIP-4444 and EIP-7966.
//!
//! Wallets match the text, so a text here is part of the interface.

use alloy_primitives::{B256, Bytes};
use jsonrpsee::types::ErrorObjectOwned;
use serde_json::{json, value::RawValue};
use store::StoreError;

/// What a client gets instead of a result.
#[derive(Debug, Clone)]
pub struct RpcError {
    /// JSON-RPC error code.
    pub code: i32,
    /// For people and for wallets that match texts.
    pub message: String,
    /// For programs.
    pub data: Option<Box<RawValue>>,
}

/// Our own fault: a failed read, a broken invariant.
pub const INTERNAL: i32 = -32603;
/// Missing or malformed arguments.
pub const INVALID_PARAMS: i32 = -32602;
/// No such method here.
pub const METHOD_NOT_FOUND: i32 = -32601;
/// Everything geth answers without a code of its own: pool rejections, failed calls.
pub const SERVER: i32 = -32000;
/// A block or another thing that is not there (EIP-1474).
pub const NOT_FOUND: i32 = -32001;
/// The request took longer than the node allows (geth).
pub const TIMED_OUT: i32 = -32002;
/// More blocks, logs or bytes than the node gives at once (EIP-1474).
pub const LIMIT: i32 = -32005;
/// A limit that clients meet in simulations and reads of many slots (execution-apis).
pub const CLIENT_LIMIT: i32 = -38026;
/// A call that reverted; `data` is what it returned.
pub const REVERTED: i32 = 3;
/// EIP-7966: sent, but without a receipt in time; `data` is the hash.
pub const RECEIPT_TIMEOUT: i32 = 4;
/// EIP-7966: sent, but waiting for another nonce or for funds; `data` is the hash.
pub const NOT_READY: i32 = 5;
/// Older than what the node keeps (EIP-4444).
pub const PRUNED: i32 = 4444;

impl RpcError {
    /// An error without data.
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
        }
    }

    /// The same error with `data`.
    pub fn with_data(mut self, data: impl serde::Serialize) -> Self {
        self.data = serde_json::value::to_raw_value(&data).ok();
        self
    }

    /// Argument `index` is absent.
    pub fn missing(index: usize) -> Self {
        Self::new(
            INVALID_PARAMS,
            format!("missing value for required argument {index}"),
        )
    }

    /// Argument `index` is there and wrong.
    pub fn invalid(index: usize, reason: impl std::fmt::Display) -> Self {
        Self::new(
            INVALID_PARAMS,
            format!("invalid argument {index}: {reason}"),
        )
    }

    /// The arguments are wrong together.
    pub fn params(message: impl Into<String>) -> Self {
        Self::new(INVALID_PARAMS, message)
    }

    /// A failure as geth reports most of them.
    pub fn server(message: impl Into<String>) -> Self {
        Self::new(SERVER, message)
    }

    /// Our own fault.
    pub fn internal(message: impl std::fmt::Display) -> Self {
        Self::new(INTERNAL, message.to_string())
    }

    /// The block is not on this chain.
    pub fn header_not_found() -> Self {
        Self::new(NOT_FOUND, "header not found")
    }

    /// geth's text for a method that is not offered.
    pub fn unknown_method(name: &str) -> Self {
        // A name may be as long as a request; geth repeats it whole, we do not.
        let shown: String = name.chars().take(100).collect();
        Self::new(
            METHOD_NOT_FOUND,
            format!("the method {shown} does not exist/is not available"),
        )
    }

    /// A limit of the node; `data` names it.
    pub fn limit(message: impl Into<String>, limit: &str, max: u64, requested: u64) -> Self {
        Self::new(LIMIT, message)
            .with_data(json!({ "limit": limit, "max": max, "requested": requested }))
    }

    /// A reverted call, with the reason if the output is `Error(string)` or `Panic(uint256)`.
    pub fn reverted(output: &Bytes) -> Self {
        let message = match revert_reason(output) {
            Some(reason) => format!("execution reverted: {reason}"),
            None => "execution reverted".to_owned(),
        };
        Self::new(REVERTED, message).with_data(output)
    }

    /// EIP-7966's timeout.
    pub fn receipt_timeout(hash: B256, waited_ms: u64) -> Self {
        Self::new(
            RECEIPT_TIMEOUT,
            format!("The transaction was added to the transaction pool but wasn't processed in {waited_ms}ms"),
        )
        .with_data(hash)
    }

    /// EIP-7966's answer to a transaction that cannot be executed yet.
    pub fn not_ready(hash: B256) -> Self {
        Self::new(
            NOT_READY,
            "The transaction was added to the transaction pool but wasn't processed due to a missing nonce or insufficient funds",
        )
        .with_data(hash)
    }
}

impl From<RpcError> for ErrorObjectOwned {
    fn from(error: RpcError) -> Self {
        Self::owned(error.code, error.message, error.data)
    }
}

impl From<StoreError> for RpcError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Pruned { oldest, .. } => Self::new(PRUNED, "pruned history unavailable")
                .with_data(json!({ "oldestBlock": format!("{oldest:#x}") })),
            StoreError::GivenUp => Self::new(TIMED_OUT, "request timed out"),
            // The chain went back between finding the block and reading its state.
            StoreError::NoBlock { .. } => Self::header_not_found(),
            other => Self::internal(other),
        }
    }
}

impl From<stf::StateError> for RpcError {
    fn from(error: stf::StateError) -> Self {
        Self::internal(error)
    }
}

/// Solidity's own two error forms in words.
fn revert_reason(output: &[u8]) -> Option<String> {
    let (selector, body) = output.split_at_checked(4)?;
    match selector {
        [0x08, 0xc3, 0x79, 0xa0] => {
            let length =
                usize::try_from(u64::from_be_bytes(body.get(56..64)?.try_into().ok()?)).ok()?;
            let text = body.get(64..64usize.checked_add(length)?)?;
            Some(String::from_utf8_lossy(text).into_owned())
        }
        [0x4e, 0x48, 0x7b, 0x71] if body.len() == 32 => Some(match body[31] {
            0x01 => "assert(false)".to_owned(),
            0x11 => "arithmetic underflow or overflow".to_owned(),
            0x12 => "division or modulo by zero".to_owned(),
            0x21 => "enum overflow".to_owned(),
            0x22 => "invalid encoded storage byte array accessed".to_owned(),
            0x31 => "out-of-bounds array access; popping on an empty array".to_owned(),
            0x32 => "out-of-bounds access of an array or bytesN".to_owned(),
            0x41 => "out of memory".to_owned(),
            0x51 => "uninitialized function".to_owned(),
            code => format!("unknown panic code: {code:#x}"),
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::hex;

    fn check(output: &[u8], want: &str) {
        let error = RpcError::reverted(&Bytes::copy_from_slice(output));
        assert_eq!((error.code, error.message.as_str()), (REVERTED, want));
    }

    #[test]
    fn error_string_becomes_the_reason() {
        let output = hex!(
            "08c379a0"
            "0000000000000000000000000000000000000000000000000000000000000020"
            "0000000000000000000000000000000000000000000000000000000000000004"
            "6e6f706500000000000000000000000000000000000000000000000000000000"
        );
        check(&output, "execution reverted: nope");
    }

    #[test]
    fn panic_becomes_geths_words() {
        let mut output =
            hex!("4e487b710000000000000000000000000000000000000000000000000000000000000011");
        check(
            &output,
            "execution reverted: arithmetic underflow or overflow",
        );
        output[35] = 0x12;
        check(&output, "execution reverted: division or modulo by zero");
    }

    #[test]
    fn other_output_has_no_reason() {
        check(&[], "execution reverted");
        check(&hex!("08c379a0ffff"), "execution reverted");
        check(&hex!("deadbeef"), "execution reverted");
    }

    #[test]
    fn a_length_beyond_the_output_has_no_reason() {
        let mut output = vec![0x08, 0xc3, 0x79, 0xa0];
        output.extend([0xff; 64]);
        check(&output, "execution reverted");
    }

    #[test]
    fn a_long_method_name_is_cut() {
        assert!(RpcError::unknown_method(&"x".repeat(5000)).message.len() < 200);
    }
}
