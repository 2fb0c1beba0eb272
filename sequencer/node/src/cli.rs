//! The command line: what a person can ask of `tributary`.

use crate::cli_bridge::{ExitArgs, Force, RelayerArgs, RolesArgs, Withdraw};
use alloy_primitives::{Address, U256};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Tributary: an L2 where every paid inference is shared with everybody upstream.
///
/// Start with `tributary dev`: an embedded L1 with all contracts, a sequencer, funded accounts. Then, in another
/// terminal, `tributary demo` registers a small lineage, pays one inference and shows who earned what.
#[derive(Debug, Parser)]
#[command(name = "tributary", version, propagate_version = true)]
pub struct Cli {
    /// How the log is written.
    #[arg(
        long,
        global = true,
        default_value = "human",
        env = "TRIBUTARY_LOG_FORMAT"
    )]
    pub log_format: LogFormat,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For terminals.
    Human,
    /// One JSON object a line.
    Json,
}

/// Sub-commands, in the order a newcomer meets them.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs everything in one process: L1, contracts, sequencer, poster, proposer, funded accounts
    Dev(Dev),
    /// Registers a Datanet, a base model and an adapter on a running dev node, pays one inference, shows who earned
    Demo(Demo),
    /// Shows how far a node is: heads, L1, batches
    Status(Status),
    /// Brings ETH and other tokens to L2 and back
    #[command(subcommand)]
    Bridge(Bridge),
    /// Prints the tokens of the bridge as a token list (Uniswap's schema)
    Tokens(Tokens),
    /// Deposits OPEN from L1 to L2 and waits until it has arrived
    Deposit(Deposit),
    /// Withdraws OPEN from L2 to L1, and shows what it waits for
    Withdraw(Withdraw),
    /// Makes the sequencer include a transaction, through L1
    Force(Force),
    /// Leaves L2 with only a key and an L1 node, whoever else is there or not
    Exit(ExitArgs),
    /// Runs a sequencer against an L1
    Sequencer(Sequencer),
    /// Posts a sequencer's signed batches to L1; anyone may run one
    Poster(Poster),
    /// Asserts output roots on L1, confirms them, takes bonds back; anyone with a bond may run one
    Proposer(Proposer),
    /// Proves and finalises withdrawals for those who offer a fee; anyone may run one
    Relayer(RelayerArgs),
    /// Rebuilds the chain from L1 alone and serves it
    Follow(Follow),
    /// Lists every privileged role and who holds it
    Roles(RolesArgs),
    /// Deploys the L1 contracts and writes the network file
    Deploy(Deploy),
    /// Prints the genesis block of a network file
    Genesis(GenesisArgs),
    /// Checks a data folder
    #[command(subcommand)]
    Db(Db),
    /// Imports an Ethereum L1 chain from a file and serves it
    Ethereum(Ethereum),
    /// Runs Ethereum's JSON state tests
    Statetest(Statetest),
    /// Runs Ethereum's JSON blockchain tests
    Blocktest(Blocktest),
}

/// Where a node serves.
#[derive(Debug, Clone, Args)]
pub struct Serve {
    /// Port of JSON-RPC over HTTP and WebSocket, of /metrics, /health and /ready
    #[arg(long, default_value_t = 8545)]
    pub rpc_port: u16,
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    pub rpc_host: std::net::IpAddr,
    /// For this machine alone
    #[command(flatten)]
    pub local: ServeLocal,
}

/// What a node serves to its own machine.
#[derive(Debug, Clone, Args)]
pub struct ServeLocal {
    /// Serves JSON-RPC on this Unix socket too; only this user may open it
    #[arg(long, value_name = "PATH")]
    pub ipc: Option<PathBuf>,
    /// Port of the `admin_` methods on 127.0.0.1, for those who can read `admin.secret` in the data folder; off unless
    /// given
    #[arg(long, value_name = "PORT")]
    pub admin_port: Option<u16>,
}

/// How L1 is reached.
#[derive(Debug, Clone, Args)]
pub struct L1Args {
    /// JSON-RPC of an L1 node
    #[arg(long = "l1", value_name = "URL")]
    pub url: String,
    /// Blob API of a consensus client; by default the same URL, as anvil and the embedded L1 serve it
    #[arg(long = "l1-blobs", value_name = "URL")]
    pub blobs: Option<String>,
}

/// How batches travel to L1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Da {
    /// Whatever is cheaper; calldata while batches come faster than blobs can be committed to
    Auto,
    /// Always blobs
    Blobs,
    /// Always calldata
    Calldata,
}

/// `tributary dev`
#[derive(Debug, Args)]
pub struct Dev {
    /// Where the serving happens
    #[command(flatten)]
    pub serve: Serve,
    /// Port of the embedded L1
    #[arg(long, default_value_t = 9545)]
    pub l1_port: u16,
    /// Uses this L1 (such as anvil) in place of the embedded one
    #[arg(long = "l1", value_name = "URL")]
    pub l1: Option<String>,
    /// Milliseconds between blocks of the embedded L1
    #[arg(long, default_value_t = 1_000)]
    pub l1_block_time_ms: u64,
    /// Milliseconds between L2 blocks
    #[arg(long, default_value_t = 250)]
    pub block_time_ms: u64,
    /// Milliseconds until blocks that wait are posted
    #[arg(long, default_value_t = 5_000)]
    pub batch_interval_ms: u64,
    /// How batches travel to L1
    #[arg(long, value_enum, default_value = "auto")]
    pub da: Da,
    /// Runs no relayer: withdrawals wait for their owners to prove and finalise them
    #[arg(long)]
    pub no_relayer: bool,
    /// Where everything is kept; by default a new folder that is removed at the end
    #[arg(long)]
    pub datadir: Option<PathBuf>,
}

/// `tributary demo`
#[derive(Debug, Args)]
pub struct Demo {
    /// JSON-RPC of the dev node
    #[arg(long, default_value = "http://127.0.0.1:8545")]
    pub rpc: String,
    /// OPEN to pay for the inference, in wei
    #[arg(long, default_value = "1000000000000000000")]
    pub amount_wei: U256,
}

/// `tributary status`
#[derive(Debug, Args)]
pub struct Status {
    /// JSON-RPC of the node
    #[arg(long, default_value = "http://127.0.0.1:8545")]
    pub rpc: String,
    /// Prints JSON
    #[arg(long)]
    pub json: bool,
}

/// `tributary bridge`
#[derive(Debug, Subcommand)]
pub enum Bridge {
    /// Deposits ETH or a token from L1 to L2 and waits until it has arrived; L2 gas is paid in OPEN on L1
    Deposit(BridgeDeposit),
    /// Burns a bridged token on L2, to be paid on L1 once the message is proven and finalised there
    Withdraw(BridgeWithdraw),
}

/// `tributary bridge deposit`
#[derive(Debug, Args)]
pub struct BridgeDeposit {
    /// L1
    #[command(flatten)]
    pub l1: L1Args,
    /// Network file
    #[arg(long)]
    pub config: PathBuf,
    /// JSON-RPC of an L2 node, to see it arrive
    #[arg(long, default_value = "http://127.0.0.1:8545")]
    pub rpc: String,
    /// The token on L1; without it ETH
    #[arg(long)]
    pub token: Option<Address>,
    /// Amount, in the token's smallest unit
    #[arg(long)]
    pub amount: U256,
    /// Receiver on L2; by default the sender
    #[arg(long)]
    pub to: Option<Address>,
    /// Keystore file of the sender; otherwise TRIBUTARY_DEPOSITOR_KEY
    #[arg(long)]
    pub keystore: Option<PathBuf>,
}

/// `tributary bridge withdraw`
#[derive(Debug, Args)]
pub struct BridgeWithdraw {
    /// JSON-RPC of an L2 node
    #[arg(long, default_value = "http://127.0.0.1:8545")]
    pub rpc: String,
    /// The token on L1; without it ETH
    #[arg(long)]
    pub token: Option<Address>,
    /// Amount, in the token's smallest unit
    #[arg(long)]
    pub amount: U256,
    /// Receiver on L1; by default the sender
    #[arg(long)]
    pub to: Option<Address>,
    /// Keystore file of the sender; otherwise TRIBUTARY_WITHDRAWER_KEY
    #[arg(long)]
    pub keystore: Option<PathBuf>,
}

/// `tributary tokens`
#[derive(Debug, Args)]
pub struct Tokens {
    /// JSON-RPC of an L2 node
    #[arg(long, default_value = "http://127.0.0.1:8545")]
    pub rpc: String,
}

/// `tributary deposit`
#[derive(Debug, Args)]
pub struct Deposit {
    /// L1
    #[command(flatten)]
    pub l1: L1Args,
    /// Network file
    #[arg(long)]
    pub config: PathBuf,
    /// JSON-RPC of an L2 node, to see it arrive
    #[arg(long, default_value = "http://127.0.0.1:8545")]
    pub rpc: String,
    /// OPEN in wei
    #[arg(long)]
    pub amount_wei: U256,
    /// Receiver on L2; by default the sender
    #[arg(long)]
    pub to: Option<Address>,
    /// Keystore file of the sender; otherwise TRIBUTARY_DEPOSITOR_KEY
    #[arg(long)]
    pub keystore: Option<PathBuf>,
}

/// `tributary sequencer`
#[derive(Debug, Args)]
pub struct Sequencer {
    /// L1
    #[command(flatten)]
    pub l1: L1Args,
    /// Network file
    #[arg(long)]
    pub config: PathBuf,
    /// Data folder
    #[arg(long)]
    pub datadir: PathBuf,
    /// Where to serve
    #[command(flatten)]
    pub serve: Serve,
    /// Keystore file of the signing key; otherwise TRIBUTARY_SEQUENCER_KEY
    #[arg(long)]
    pub keystore: Option<PathBuf>,
    /// Blocks of past state to keep; by default all
    #[arg(long)]
    pub retention_blocks: Option<u64>,
    /// How batches travel to L1
    #[arg(long, value_enum, default_value = "auto")]
    pub da: Da,
}

/// `tributary poster`
#[derive(Debug, Args)]
pub struct Poster {
    /// L1
    #[command(flatten)]
    pub l1: L1Args,
    /// Network file
    #[arg(long)]
    pub config: PathBuf,
    /// JSON-RPC of the sequencer
    #[arg(long, default_value = "http://127.0.0.1:8545")]
    pub rpc: String,
    /// Folder of the journal of what was sent
    #[arg(long)]
    pub datadir: PathBuf,
    /// Keystore file of the paying key; otherwise TRIBUTARY_POSTER_KEY
    #[arg(long)]
    pub keystore: Option<PathBuf>,
}

/// `tributary proposer`
#[derive(Debug, Args)]
pub struct Proposer {
    /// L1
    #[command(flatten)]
    pub l1: L1Args,
    /// Network file
    #[arg(long)]
    pub config: PathBuf,
    /// Data folder: a proposer derives the chain itself and believes nobody
    #[arg(long)]
    pub datadir: PathBuf,
    /// Where to serve
    #[command(flatten)]
    pub serve: Serve,
    /// Keystore file of the bonded key; otherwise TRIBUTARY_PROPOSER_KEY
    #[arg(long)]
    pub keystore: Option<PathBuf>,
}

/// `tributary follow`
#[derive(Debug, Args)]
pub struct Follow {
    /// L1
    #[command(flatten)]
    pub l1: L1Args,
    /// Network file
    #[arg(long)]
    pub config: PathBuf,
    /// Data folder; by default a new one that is removed at the end
    #[arg(long)]
    pub datadir: Option<PathBuf>,
    /// Port of JSON-RPC, of /metrics, /health and /ready; a sequencer on the same machine has 8545
    #[arg(long, default_value_t = 8547)]
    pub rpc_port: u16,
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    pub rpc_host: std::net::IpAddr,
    /// For this machine alone
    #[command(flatten)]
    pub local: ServeLocal,
    /// Blocks of past state to keep; by default all
    #[arg(long)]
    pub retention_blocks: Option<u64>,
    /// Ends once everything that L1 held at the start is derived
    #[arg(long)]
    pub once: bool,
}

/// `tributary deploy`
#[derive(Debug, Args)]
pub struct Deploy {
    /// L1
    #[command(flatten)]
    pub l1: L1Args,
    /// Network file to begin with; [contracts] and genesis.hash are filled in
    #[arg(long)]
    pub config: PathBuf,
    /// Where to write the finished network file
    #[arg(long)]
    pub out: PathBuf,
    /// Address that signs batches
    #[arg(long)]
    pub sequencer: Address,
    /// May propose to the timelock
    #[arg(long)]
    pub governance: Address,
    /// May pause new deposits and finalisation
    #[arg(long)]
    pub council: Address,
    /// Existing OPEN token; without it a development token is deployed
    #[arg(long)]
    pub open_token: Option<Address>,
    /// Delay of the timelock, seconds
    #[arg(long, default_value_t = 864_000)]
    pub timelock_delay_s: u64,
    /// OPEN wei per L2 gas that a deposit prepays
    #[arg(long, default_value_t = 10_000_000)]
    pub deposit_gas_price_wei: u64,
    /// Keystore file of the deployer; otherwise TRIBUTARY_DEPLOYER_KEY
    #[arg(long)]
    pub keystore: Option<PathBuf>,
}

/// `tributary genesis`
#[derive(Debug, Args)]
pub struct GenesisArgs {
    /// Network file
    #[arg(long)]
    pub config: PathBuf,
}

/// `tributary db`
#[derive(Debug, Subcommand)]
pub enum Db {
    /// Verifies the block log, the state and the roots of a data folder that no process uses
    Check {
        /// Data folder
        #[arg(long)]
        datadir: PathBuf,
    },
}

/// `tributary statetest`
#[derive(Debug, Args)]
pub struct Statetest {
    /// JSON files, or folders of them
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
}

/// `tributary ethereum`
#[derive(Debug, Args)]
pub struct Ethereum {
    /// Genesis file as geth reads it
    #[arg(long)]
    pub genesis: PathBuf,
    /// File of blocks in RLP, as `geth export` writes it; may be given several times
    #[arg(long)]
    pub import: Vec<PathBuf>,
    /// Data folder; by default a new one that is removed at the end
    #[arg(long)]
    pub datadir: Option<PathBuf>,
    /// Where to serve
    #[command(flatten)]
    pub serve: Serve,
    /// Ends after the import
    #[arg(long)]
    pub once: bool,
}

/// `tributary blocktest`
#[derive(Debug, Args)]
pub struct Blocktest {
    /// JSON files, or folders of them
    #[arg(required = true)]
    pub paths: Vec<PathBuf>,
}
