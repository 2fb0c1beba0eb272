//! Why a transaction is not taken. The texts are geth's (`core/txpool/errors.go`, `core/error.go`), because
//! wallets and libraries match on them.

use alloy_primitives::U256;

/// Why admission refused a transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// The bytes are not a transaction, or nobody signed it; geth's words for what is wrong with them.
    #[error("{0}")]
    Decode(String),
    /// Deposits, and types the rules do not allow.
    #[error("transaction type not supported")]
    TypeNotSupported,
    /// No chain id, and the network asks for one.
    #[error("only replay-protected (EIP-155) transactions allowed over RPC")]
    Unprotected,
    /// Signed for another chain.
    #[error("invalid sender: invalid chain id for signer: have {have} want {want}")]
    ChainId {
        /// The transaction's.
        have: u64,
        /// Ours.
        want: u64,
    },
    /// More bytes than the pool handles.
    #[error("oversized data: transaction size {size}, limit {limit}")]
    Oversized {
        /// Encoded bytes.
        size: usize,
        /// [`crate::PoolLimits::tx_bytes_max`].
        limit: usize,
    },
    /// EIP-3860.
    #[error("max initcode size exceeded: code size {size}, limit {limit}")]
    InitCode {
        /// Bytes of init code.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// EIP-7825.
    #[error("transaction gas limit too high (cap: {cap}, tx: {gas})")]
    GasCap {
        /// Most gas that one transaction may ask for.
        cap: u64,
        /// What it asks for.
        gas: u64,
    },
    /// Asks for more gas than a block has.
    #[error("exceeds block gas limit")]
    BlockGasLimit,
    /// Tip above the fee cap.
    #[error("max priority fee per gas higher than max fee per gas")]
    TipAboveFeeCap,
    /// EIP-2681.
    #[error("nonce has max value")]
    NonceMax,
    /// EIP-7702 forbids an empty list.
    #[error("set code tx must have at least one authorization tuple")]
    NoAuthorization,
    /// EIP-4844 forbids an empty list.
    #[error("blobless blob transaction")]
    NoBlobs,
    /// Cannot even start.
    #[error("intrinsic gas too low: gas {gas}, minimum needed {needed}")]
    IntrinsicGas {
        /// The gas limit.
        gas: u64,
        /// Intrinsic gas, data gas included.
        needed: u64,
    },
    /// Tip below what this node wants.
    #[error("transaction gas price below minimum: gas tip cap {tip}, minimum needed {needed}")]
    TipTooLow {
        /// `maxPriorityFeePerGas`, wei.
        tip: u128,
        /// [`crate::PoolLimits::tip_min_wei`].
        needed: u128,
    },
    /// Below the floor under which the base fee never falls: it could wait for ever.
    #[error("transaction underpriced: gas fee cap {max_fee}, minimum needed {needed}")]
    BelowFloor {
        /// `maxFeePerGas`, wei.
        max_fee: u128,
        /// [`crate::PoolLimits::fee_floor_wei`].
        needed: u128,
    },
    /// The pool holds it.
    #[error("already known")]
    AlreadyKnown,
    /// Used, or executed in the block being built.
    #[error("nonce too low: next nonce {next}, tx nonce {nonce}")]
    NonceTooLow {
        /// The first nonce that may be used.
        next: u64,
        /// The transaction's.
        nonce: u64,
    },
    /// Cannot pay for itself.
    #[error(
        "insufficient funds for gas * price + value: balance {balance}, tx cost {cost}, overshot {}",
        .cost.saturating_sub(*.balance)
    )]
    Funds {
        /// Wei the sender has.
        balance: U256,
        /// Wei the transaction may cost.
        cost: U256,
    },
    /// Cannot pay after the sender's other pending transactions.
    #[error(
        "insufficient funds for gas * price + value: balance {balance}, queued cost {queued}, tx cost {cost}, overshot {}",
        .queued.saturating_add(*.cost).saturating_sub(*.balance)
    )]
    QueuedFunds {
        /// Wei the sender has.
        balance: U256,
        /// Wei its other pending transactions may cost.
        queued: U256,
        /// Wei this one may cost.
        cost: U256,
    },
    /// Cannot pay the higher price beside the sender's other pending transactions.
    #[error(
        "insufficient funds for gas * price + value: balance {balance}, queued cost {queued}, tx bumped {bump}, overshot {}",
        .queued.saturating_add(*.bump).saturating_sub(*.balance)
    )]
    ReplacementFunds {
        /// Wei the sender has.
        balance: U256,
        /// Wei its pending transactions may cost, the replaced one included.
        queued: U256,
        /// How much more than the replaced one it may cost, wei.
        bump: U256,
    },
    /// The sender has as many as it may have.
    #[error("account limit exceeded: pooled {pooled} txs")]
    AccountLimit {
        /// Transactions of the sender in the pool.
        pooled: usize,
    },
    /// Same nonce, price not raised enough.
    #[error("replacement transaction underpriced")]
    ReplacementUnderpriced,
    /// The pool is full and nothing in it is cheaper.
    #[error("transaction underpriced")]
    Underpriced,
    /// The pool is full of ready transactions, and this one has to wait for another.
    #[error("future transaction tries to replace pending")]
    FutureReplacesPending,
    /// The pool is full and nothing can leave.
    #[error("txpool is full")]
    Full,
    /// A delegated account (EIP-7702) may be emptied by anyone's transaction, so it gets one slot.
    #[error("in-flight transaction limit reached for delegated accounts")]
    DelegatedInFlight,
    /// A delegated account cannot queue for later.
    #[error("gapped-nonce tx from delegated accounts")]
    DelegatedGap,
    /// The delegation would make transactions void that wait here.
    #[error("authority already reserved")]
    AuthorityReserved,
    /// The state cannot be read; nothing is wrong with the transaction.
    #[error("state unavailable: {0}")]
    State(String),
}
