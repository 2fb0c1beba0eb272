//! The command line of those who cross the bridge, carry others over it, or ask who holds its keys.

use crate::cli::{L1Args, Serve};
use alloy_primitives::{Address, Bytes, U256, utils::parse_ether};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// OPEN as people write it: `1.5`.
fn open(text: &str) -> Result<U256, String> {
    parse_ether(text).map_err(|_| format!("{text:?} is no amount of OPEN: write 1.5 or 20"))
}

/// `tributary withdraw`
///
/// Burns OPEN on L2 and, with --wait, stays until it is paid on L1. The message first waits for an output root that
/// covers it; then anyone proves it, the challenge window passes, and anyone finalises it. With --l1 and --config this
/// command does both itself; without, it watches a relayer do it. With --fee a relayer is paid for it.
#[derive(Debug, Args)]
pub struct Withdraw {
    /// OPEN to withdraw, such as 1.5
    #[arg(long, value_parser = open)]
    pub amount: U256,
    /// Receiver on L1; by default the sender
    #[arg(long)]
    pub to: Option<Address>,
    /// OPEN of the amount that whoever finalises it may keep; needs --config
    #[arg(long, value_parser = open)]
    pub fee: Option<U256>,
    /// JSON-RPC of an L2 node
    #[arg(long, default_value = "http://127.0.0.1:8545")]
    pub rpc: String,
    /// Stays until it is paid on L1, and shows how long each stage still takes
    #[arg(long)]
    pub wait: bool,
    /// JSON-RPC of an L1 node: proves and finalises without a relayer, paying L1 gas from the same key
    #[arg(long = "l1", value_name = "URL", requires = "config")]
    pub l1: Option<String>,
    /// Network file
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Keystore file of the sender; otherwise TRIBUTARY_WITHDRAWER_KEY
    #[arg(long)]
    pub keystore: Option<PathBuf>,
}

/// `tributary force`
///
/// Puts a transaction into L1's queue, where the sequencer has no say: a batch that passes its time by
/// `delays.force_delay_s` without including it is not valid, and if no batch comes for `delays.window_s`, anyone may
/// advance the queue. The L2 sender is the same address as on L1. The L2 gas is paid here, in OPEN on L1.
#[derive(Debug, Args)]
pub struct Force {
    /// L1
    #[command(flatten)]
    pub l1: L1Args,
    /// Network file
    #[arg(long)]
    pub config: PathBuf,
    /// Keystore file of the sender; otherwise TRIBUTARY_FORCER_KEY
    #[arg(long)]
    pub keystore: Option<PathBuf>,
    /// L2 gas; by default enough for a transfer or a withdrawal, and a million for a call
    #[arg(long)]
    pub gas: Option<u64>,
    /// What the transaction does
    #[command(subcommand)]
    pub what: Forced,
}

/// A forced transaction.
#[derive(Debug, Clone, Subcommand)]
pub enum Forced {
    /// Sends OPEN on L2
    Transfer {
        /// Receiver on L2
        #[arg(long)]
        to: Address,
        /// OPEN, such as 1.5
        #[arg(long, value_parser = open)]
        amount: U256,
    },
    /// Calls a contract on L2
    Call {
        /// The contract
        #[arg(long)]
        to: Address,
        /// Calldata, hex
        #[arg(long)]
        data: Bytes,
        /// OPEN to send along
        #[arg(long, value_parser = open, default_value = "0")]
        amount: U256,
    },
    /// Withdraws OPEN to L1; `tributary exit` does this and everything after it
    Withdraw {
        /// OPEN, such as 1.5
        #[arg(long, value_parser = open)]
        amount: U256,
        /// Receiver on L1; by default the sender
        #[arg(long)]
        to: Option<Address>,
    },
}

/// `tributary exit`
///
/// Takes OPEN from L2 to L1 with nothing but a key and an L1 node, whether a sequencer, a proposer and relayers are there or
/// not: derives the chain from L1, puts a withdrawal into L1's queue, advances the queue when its time is over, asserts the
/// output root with a bond if nobody else does, proves, waits for the challenge window, finalises, and takes the bond
/// back. Can be stopped and started again at any point; what is on its way already comes first.
#[derive(Debug, Args)]
pub struct ExitArgs {
    /// L1
    #[command(flatten)]
    pub l1: L1Args,
    /// Network file
    #[arg(long)]
    pub config: PathBuf,
    /// OPEN to take out, such as 1.5; by default everything
    #[arg(long, value_parser = open)]
    pub amount: Option<U256>,
    /// Receiver on L1; by default the sender
    #[arg(long)]
    pub to: Option<Address>,
    /// Folder for the chain, to derive it only once; by default a new one that is removed at the end
    #[arg(long)]
    pub datadir: Option<PathBuf>,
    /// Keystore file of the account; otherwise TRIBUTARY_EXIT_KEY
    #[arg(long)]
    pub keystore: Option<PathBuf>,
}

/// `tributary relayer`
///
/// Proves and finalises withdrawals for others. By default those that offer a fee: their target is the network's RelayFee
/// contract, which pays whoever finalises. Several relayers may run; who comes too late loses nothing, since a
/// transaction that would revert is not sent.
#[derive(Debug, Args)]
pub struct RelayerArgs {
    /// L1
    #[command(flatten)]
    pub l1: L1Args,
    /// Network file
    #[arg(long)]
    pub config: PathBuf,
    /// Data folder: a relayer derives the chain itself and believes nobody
    #[arg(long)]
    pub datadir: PathBuf,
    /// Where to serve
    #[command(flatten)]
    pub serve: Serve,
    /// The least fee that is worth the gas, OPEN
    #[arg(long, value_parser = open, default_value = "0.01")]
    pub fee_min: U256,
    /// Carries everybody's withdrawals, for nothing
    #[arg(long)]
    pub all: bool,
    /// L1 gas that one transaction may take; what needs more is left to others
    #[arg(long, default_value_t = 1_000_000)]
    pub gas_max: u64,
    /// Keystore file of the paying key; otherwise TRIBUTARY_RELAYER_KEY
    #[arg(long)]
    pub keystore: Option<PathBuf>,
}

/// `tributary roles`
///
/// Lists every privileged role of the network and who holds it, as the chains say now: admins of the proxies, roles of the
/// timelock and its delay, owner, council and sequencer of the settings, and the owners of L2's bounded parameters.
#[derive(Debug, Args)]
pub struct RolesArgs {
    /// L1
    #[command(flatten)]
    pub l1: L1Args,
    /// Network file
    #[arg(long)]
    pub config: PathBuf,
    /// JSON-RPC of an L2 node, for the roles on L2
    #[arg(long)]
    pub rpc: Option<String>,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}
