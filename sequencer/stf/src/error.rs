//! Why a transaction or a block is refused. Transaction texts are geth's, which wallets parse.

use crate::StateError;
use alloc::string::String;
use alloy_primitives::{Address, B256, U256};

/// Why a transaction cannot stand here. It left no trace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TxRejection {
    /// Already used.
    #[error("nonce too low: next nonce {next}, tx nonce {tx}")]
    NonceTooLow {
        /// The account's.
        next: u64,
        /// The transaction's.
        tx: u64,
    },
    /// Its predecessors are missing.
    #[error("nonce too high: address {address}, tx: {tx} state: {next}")]
    NonceTooHigh {
        /// Sender.
        address: Address,
        /// The account's.
        next: u64,
        /// The transaction's.
        tx: u64,
    },
    /// EIP-2681.
    #[error("nonce has max value: address {address}, nonce: {nonce}")]
    NonceMax {
        /// Sender.
        address: Address,
        /// The transaction's.
        nonce: u64,
    },
    /// The sender cannot pay gas at the highest price, blob gas and value.
    #[error(
        "insufficient funds for gas * price + value: address {address} have {have} want {want}"
    )]
    InsufficientFunds {
        /// Sender.
        address: Address,
        /// Balance, wei.
        have: U256,
        /// Needed, wei.
        want: U256,
    },
    /// Gas limit below what the transaction costs before its first step, data gas included.
    #[error("intrinsic gas too low: have {have}, want {want}")]
    IntrinsicGasTooLow {
        /// Gas limit.
        have: u64,
        /// Needed.
        want: u64,
    },
    /// Gas limit below EIP-7623's floor, data gas included.
    #[error("insufficient gas for floor data gas cost: have {have}, want {want}")]
    FloorDataGas {
        /// Gas limit.
        have: u64,
        /// Needed.
        want: u64,
    },
    /// Pays less than this block's base fee.
    #[error(
        "max fee per gas less than block base fee: address {address}, maxFeePerGas: {max_fee}, baseFee: {base_fee}"
    )]
    FeeCapTooLow {
        /// Sender.
        address: Address,
        /// Wei per gas.
        max_fee: u128,
        /// Wei per gas.
        base_fee: u64,
    },
    /// EIP-1559.
    #[error(
        "max priority fee per gas higher than max fee per gas: address {address}, maxPriorityFeePerGas: {tip}, maxFeePerGas: {max_fee}"
    )]
    TipAboveFeeCap {
        /// Sender.
        address: Address,
        /// Wei per gas.
        tip: u128,
        /// Wei per gas.
        max_fee: u128,
    },
    /// This chain, or this fork, does not know the type.
    #[error("transaction type not supported")]
    TypeNotSupported,
    /// EIP-7825.
    #[error("transaction gas limit too high (cap: {cap}, tx: {gas})")]
    GasLimitTooHigh {
        /// Gas of one transaction at most.
        cap: u64,
        /// The transaction's gas limit.
        gas: u64,
    },
    /// No block is large enough.
    #[error("exceeds block gas limit")]
    ExceedsBlockGasLimit,
    /// This block is too full; another may hold it.
    #[error("gas limit reached")]
    GasLimitReached,
    /// EIP-3607.
    #[error("sender not an eoa: address {address}")]
    SenderNotEoa {
        /// Sender.
        address: Address,
    },
    /// EIP-3860.
    #[error("max initcode size exceeded: code size {size} limit {limit}")]
    InitCodeTooLarge {
        /// Bytes.
        size: usize,
        /// Bytes.
        limit: usize,
    },
    /// Signed for another chain.
    #[error("invalid chain id for signer: have {have} want {want}")]
    ChainId {
        /// The transaction's.
        have: u64,
        /// This chain's.
        want: u64,
    },
    /// Signed for any chain (before EIP-155), which this one does not accept.
    #[error("only replay-protected (EIP-155) transactions allowed over RPC")]
    Unprotected,
    /// Pays less than this block's blob base fee.
    #[error(
        "max fee per blob gas less than block blob gas fee: address {address} blobGasFeeCap: {max_fee}, blobBaseFee: {base_fee}"
    )]
    BlobFeeCapTooLow {
        /// Sender.
        address: Address,
        /// Wei per blob gas.
        max_fee: u128,
        /// Wei per blob gas.
        base_fee: u128,
    },
    /// EIP-4844.
    #[error("blob transaction missing blob hashes")]
    NoBlobs,
    /// EIP-4844, EIP-7594.
    #[error("blob transaction has too many blobs: have {have}, permitted {max}")]
    TooManyBlobs {
        /// Blobs.
        have: usize,
        /// Blobs.
        max: usize,
    },
    /// EIP-4844.
    #[error("blob transaction has an invalid hash version")]
    BlobHashVersion,
    /// The block's blobs are used up; another block may hold it.
    #[error("blob gas limit reached")]
    BlobGasLimitReached,
    /// EIP-7702.
    #[error("EIP-7702 transaction with empty auth list (sender {address})")]
    NoAuthorizations {
        /// Sender.
        address: Address,
    },
    /// Deposits come first in a block.
    #[error("deposit after a signed transaction")]
    DepositAfterSigned,
    /// What the call pretends does not fit together.
    #[error(transparent)]
    Override(#[from] crate::OverrideError),
    /// Revm refused it for a reason that has no name here.
    #[error("{0}")]
    Other(String),
    /// Nothing was decided. Drop the executor.
    #[error(transparent)]
    State(#[from] StateError),
}

impl TxRejection {
    /// True if the same transaction may be accepted later without its sender doing anything.
    pub const fn is_temporary(&self) -> bool {
        matches!(
            self,
            Self::NonceTooHigh { .. }
                | Self::FeeCapTooLow { .. }
                | Self::BlobFeeCapTooLow { .. }
                | Self::GasLimitReached
                | Self::BlobGasLimitReached
                | Self::State(_)
        )
    }
}

/// Why a block cannot exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// One of its transactions is refused.
    #[error("transaction {index}: {source}")]
    Tx {
        /// Position in the block.
        index: usize,
        /// Why.
        source: TxRejection,
    },
    /// Nothing was decided.
    #[error(transparent)]
    State(#[from] StateError),
    /// Time went back, or stands before the anchor's.
    #[error("timestamp {timestamp} is below {min}")]
    Timestamp {
        /// The block's, seconds.
        timestamp: u64,
        /// The least that is valid, seconds.
        min: u64,
    },
    /// The anchor is older than the parent's.
    #[error("anchor went back from L1 block {from} to {to}")]
    AnchorWentBack {
        /// The parent's.
        from: u64,
        /// This block's.
        to: u64,
    },
    /// The anchor names another L1 block of the same height than the parent did.
    #[error("anchor {number} has hash {hash}, the parent's had {parent}")]
    AnchorReplaced {
        /// L1 block number.
        number: u64,
        /// This block's.
        hash: B256,
        /// The parent's.
        parent: B256,
    },
    /// A system call failed, which makes the block invalid (EIP-7002, EIP-7251).
    #[error("system call to {0} failed")]
    SystemCall(Address),
    /// Ethereum: a field of the header is not what its parent and the rules ask for.
    #[error("{field} is {found}, must be {want}")]
    Field {
        /// Which.
        field: &'static str,
        /// In the header.
        found: String,
        /// What is valid.
        want: String,
    },
    /// Ethereum: a side block that the block names deserves no reward.
    #[error("ommer {index}: {why}")]
    Ommer {
        /// Position.
        index: usize,
        /// In words.
        why: String,
    },
    /// Ethereum: a signature that this fork does not know (EIP-155), or a log of the deposit contract that is no
    /// deposit (EIP-6110).
    #[error("{0}")]
    Body(String),
    /// The parent is the last block there can be.
    #[error("block number overflow")]
    NumberOverflow,
}
