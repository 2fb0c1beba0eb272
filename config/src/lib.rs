//! The typed description of one network: ids, limits, fees, delays, addresses, genesis.
//!
//! Raw text becomes these types once, by [`Network::parse`]; every key is written out in the file, unknown and
//! missing keys are refused, and [`Network::check`] says in words what does not fit. Integers end in their unit.
//!
//! Absent on purpose: paths, keys, ports — those belong to a process, not to a network.
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod check;
mod l1_fork;
mod rpc;

use alloc::{string::String, vec::Vec};
use alloy_primitives::{Address, B256};
pub use check::ConfigError;
pub use l1_fork::{BlobParams, L1Fork};
pub use rpc::Rpc;
use serde::{Deserialize, Serialize};

/// One network, as its TOML file writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The L2 chain.
    pub chain: Chain,
    /// What gas costs.
    pub fees: Fees,
    /// What a batch may hold.
    pub batch: Batch,
    /// The L1 chain underneath.
    pub l1: L1,
    /// Delays that both sides must agree on.
    pub delays: Delays,
    /// Output-root assertions.
    pub assertion: Assertion,
    /// The first block.
    pub genesis: Genesis,
    /// Addresses on L1; written by `tributary deploy`.
    pub contracts: Contracts,
    /// What one client of a node may ask for.
    pub rpc: Rpc,
}

/// Identity and block limits of the L2 chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    /// For people.
    pub name: String,
    /// EIP-155 chain id.
    pub id: u64,
    /// A block is sealed this long after the first transaction arrived; also the heartbeat's resolution.
    pub block_time_ms: u64,
    /// An empty block is made after this long, so that L1 anchors and deposits keep arriving.
    pub heartbeat_ms: u64,
    /// Gas in one block.
    pub gas_limit: u64,
    /// Gas at which the base fee stands still.
    pub gas_target: u64,
    /// Gas of one transaction (EIP-7825: 2^24).
    pub tx_gas_cap: u64,
    /// Accepts transactions without a chain id, such as those that deploy CREATE2 factories.
    pub allow_unprotected: bool,
}

/// Prices, all in OPEN wei unless said otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fees {
    /// The base fee never falls below this.
    pub base_fee_floor_wei: u64,
    /// Base fee of the first block.
    pub base_fee_genesis_wei: u64,
    /// The base fee moves by at most one part in this per block (EIP-1559: 8).
    pub base_fee_change_denominator: u64,
    /// Price of one ETH in thousandths of OPEN: turns L1 cost into OPEN.
    pub milli_open_per_eth: u64,
    /// Upper bound of the data gas price, gas per byte.
    pub da_gas_per_byte_max: u64,
}

/// Bounds of one batch (DESIGN: a batch is one posting).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Blobs in one posting, at most 6.
    pub blobs_max: u8,
    /// Calldata of one posting.
    pub calldata_bytes_max: u32,
    /// Size of the columns after decompression.
    pub decoded_bytes_max: u32,
    /// Blocks in one batch.
    pub blocks_max: u32,
    /// A batch is posted this long after its first block.
    pub interval_ms: u64,
}

/// The chain underneath.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct L1 {
    /// EIP-155 chain id of L1.
    pub chain_id: u64,
    /// L1 blocks until a queue entry may be used on L2.
    pub queue_confirmations: u64,
    /// Seconds in a slot, for the blob API of a consensus client. 0: the API takes block numbers (anvil, embedded L1).
    pub slot_s: u64,
    /// Time of slot 0, seconds.
    pub slot_zero_s: u64,
    /// Blob parameters by L1 time, ascending; the first starts at 0.
    pub blob_schedule: Vec<BlobParams>,
    /// From this L1 time on, blob transactions carry cell proofs (EIP-7594).
    pub cell_proofs_from_s: u64,
}

impl L1 {
    /// Blob base fee, wei of ETH per blob gas, of a block at this time with this excess: by the schedule's entry in
    /// force. 1 wei (EIP-4844's minimum) before there were blobs.
    pub fn blob_base_fee(&self, timestamp: u64, excess_blob_gas: Option<u64>) -> u128 {
        let params = self
            .blob_schedule
            .iter()
            .rev()
            .find(|params| params.from_s <= timestamp);
        match (params, excess_blob_gas) {
            (Some(params), Some(excess)) => params.base_fee(excess),
            _ => 1,
        }
    }
}

/// Delays enforced by `Inbox`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delays {
    /// L2 time after which a queue entry must be consumed.
    pub force_delay_s: u64,
    /// L1 time without a record after which anyone may `forceAdvance`.
    pub window_s: u64,
    /// How far L2 time may run ahead of L1 time.
    pub max_drift_s: u64,
}

/// Parameters of `Rollup`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    /// An assertion confirms after this long unopposed.
    pub window_s: u64,
    /// Bond, wei of ETH.
    pub bond_wei: u64,
    /// An output root is asserted this often, seconds of L1 time; 0: for every batch.
    pub interval_s: u64,
    /// Hash of the fault-proof program.
    pub program_hash: B256,
}

/// What the first block holds besides the predeploys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// Seconds.
    pub timestamp: u64,
    /// Receives what the fee vaults pay out.
    pub fee_recipient: Address,
    /// A council that can cancel proposals of L2's governor for 24 months, and nothing else there; zero for none.
    pub guardian: Address,
    /// How long an operator's receipts and a step of the cumulative tree can be challenged on L2, seconds.
    pub attribution_window_s: u64,
    /// Hash of the genesis block: a node that computes another one refuses to start.
    pub hash: B256,
}

/// Where the L1 contracts are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contracts {
    /// ERC-20 OPEN.
    pub open_token: Address,
    /// Orders everything.
    pub inbox: Address,
    /// Escrow and deposits.
    pub portal: Address,
    /// Assertions.
    pub rollup: Address,
    /// Parameters and roles.
    pub system_config: Address,
    /// Owner of the proxies.
    pub timelock: Address,
    /// L1 side of the token bridge; genesis names it to the L2 side.
    pub token_bridge: Address,
    /// Target of withdrawals that pay whoever carries them to L1; zero on a network without one.
    pub relay_fee: Address,
    /// L1 block in which `Inbox` was deployed: where a follower starts to read.
    pub deployed_at: u64,
}

#[cfg(feature = "std")]
impl Network {
    /// Parses and checks a network file.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let network: Self = toml::from_str(text).map_err(|e| ConfigError::Syntax(e.to_string()))?;
        network.check()?;
        Ok(network)
    }

    /// The file's text.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        toml::to_string(self).map_err(|e| ConfigError::Syntax(e.to_string()))
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    const DEV: &str = include_str!("../dev.toml");

    #[test]
    fn the_dev_network_is_accepted_and_survives_writing() {
        let dev = Network::parse(DEV).unwrap();
        assert_eq!(Network::parse(&dev.to_toml().unwrap()).unwrap(), dev);
    }

    #[test]
    fn every_missing_key_is_refused_by_name() {
        for (n, line) in DEV
            .lines()
            .enumerate()
            .filter(|(_, l)| l.contains(" = ") && !l.starts_with([' ', '#']))
        {
            let key = line.split(" = ").next().unwrap();
            if key == "blob_schedule" {
                continue; // spans lines; its absence is a syntax error of another kind
            }
            let text: Vec<_> = DEV
                .lines()
                .enumerate()
                .filter(|(m, _)| *m != n)
                .map(|(_, l)| l)
                .collect();
            let error = Network::parse(&text.join("\n")).unwrap_err().to_string();
            assert!(error.contains(key), "{key}: {error}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let text = DEV.replace("[fees]", "[fees]\nsurprise = 1");
        assert!(
            Network::parse(&text)
                .unwrap_err()
                .to_string()
                .contains("surprise")
        );
    }

    #[test]
    fn a_taken_chain_id_is_refused_with_the_reason() {
        let error = Network::parse(&DEV.replace("id = 902", "id = 31337")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "network file: chain.id = 31337: is taken; choose another"
        );
    }
}
