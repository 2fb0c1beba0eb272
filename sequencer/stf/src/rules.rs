//! Which rules a chain follows.

use crate::CodeCache;
use alloc::vec::Vec;
use alloy_primitives::{Address, U256};
use config::{BlobParams, L1Fork, Network};
use primitives::Header;
use revm::primitives::hardfork::SpecId;

/// Blobs in one transaction from Osaka on (EIP-7594).
pub(crate) const OSAKA_BLOBS_PER_TX: u64 = 6;
/// Gas of one transaction from Osaka on (EIP-7825).
const OSAKA_TX_GAS_CAP: u64 = 1 << 24;

/// The rule set of one chain. Keep it in one `Arc`, so that analysed contracts are shared.
#[derive(Debug, Clone)]
pub enum Rules {
    /// An L1 chain.
    Ethereum(EthereumRules),
    /// Our L2.
    Rollup(RollupRules),
}

/// Ethereum's rules.
#[derive(Debug, Clone)]
pub struct EthereumRules {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Gas of every block that this program makes. Blocks that others made say it themselves.
    pub gas_limit: u64,
    /// Forks of blocks with a difficulty, by block number, ascending. Empty: no block has a difficulty.
    pub block_forks: Vec<(u64, L1Fork)>,
    /// Forks of blocks without a difficulty, by time, ascending; the first is active from the merge on. Empty: the
    /// merge never comes.
    pub forks: Vec<(u64, L1Fork)>,
    /// Blocks with a difficulty end where the sum of difficulties reaches this. `None`: by themselves.
    pub terminal_difficulty: Option<U256>,
    /// The irregular state change of 2016.
    pub dao_fork: Option<DaoFork>,
    /// Whose logs are deposits to the beacon chain (EIP-6110). `None`: nobody's.
    pub deposit_contract: Option<Address>,
    /// Blob parameters by time, ascending.
    pub blob_schedule: Vec<BlobParams>,
    /// Analysed contracts.
    pub codes: CodeCache,
}

/// What a chain did about the DAO.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaoFork {
    /// Number of the block.
    pub block: u64,
    /// True where the change was made.
    pub supported: bool,
}

impl EthereumRules {
    /// One fork, without difficulty, from the start.
    pub fn new(
        chain_id: u64,
        gas_limit: u64,
        fork: L1Fork,
        blob_schedule: Vec<BlobParams>,
    ) -> Self {
        Self {
            chain_id,
            gas_limit,
            block_forks: Vec::new(),
            forks: [(0, fork)].into(),
            terminal_difficulty: None,
            dao_fork: None,
            deposit_contract: None,
            blob_schedule,
            codes: CodeCache::default(),
        }
    }

    /// The fork at a time, after the merge; of a chain without one, its last.
    pub fn fork(&self, timestamp: u64) -> L1Fork {
        self.forks
            .iter()
            .rev()
            .find(|(from, _)| *from <= timestamp)
            .or(self.forks.first())
            .or(self.block_forks.last())
            .map_or(L1Fork::Osaka, |f| f.1)
    }

    /// The fork of the block with this header.
    pub fn fork_of(&self, header: &Header) -> L1Fork {
        let merged =
            self.block_forks.is_empty() || (header.difficulty.is_zero() && !self.forks.is_empty());
        if merged {
            return self.fork(header.timestamp);
        }
        self.block_forks
            .iter()
            .rev()
            .find(|(from, _)| *from <= header.number)
            .map_or(L1Fork::Frontier, |f| f.1)
    }

    /// Takes fields out of a header that its fork does not have yet.
    pub(crate) fn drop_later_fields(&self, header: &mut Header) {
        let fork = self.fork_of(header);
        if fork < L1Fork::London {
            header.base_fee_per_gas = None;
        }
        if fork < L1Fork::Shanghai {
            header.withdrawals_root = None;
        }
        if fork < L1Fork::Cancun {
            header.blob_gas_used = None;
            header.excess_blob_gas = None;
            header.parent_beacon_block_root = None;
        }
        if fork < L1Fork::Prague {
            header.requests_hash = None;
        }
    }

    /// Blobs of one transaction at a time, after the merge.
    pub fn blobs_per_tx(&self, timestamp: u64) -> u64 {
        let in_block = self.blob_params(timestamp).max;
        match self.fork(timestamp) >= L1Fork::Osaka {
            true => in_block.min(OSAKA_BLOBS_PER_TX),
            false => in_block,
        }
    }

    /// The blob parameters at a time. Without a schedule: Cancun's.
    pub fn blob_params(&self, timestamp: u64) -> BlobParams {
        const CANCUN: BlobParams = BlobParams {
            from_s: 0,
            target: 3,
            max: 6,
            update_fraction: 3_338_477,
        };
        self.blob_schedule
            .iter()
            .rev()
            .find(|p| p.from_s <= timestamp)
            .copied()
            .unwrap_or(CANCUN)
    }
}

/// The rules of our L2, from the network file.
#[derive(Debug, Clone)]
pub struct RollupRules {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Gas of every block.
    pub gas_limit: u64,
    /// Gas at which the base fee stands still.
    pub gas_target: u64,
    /// Gas of one signed transaction.
    pub tx_gas_cap: u64,
    /// Accepts transactions without a chain id.
    pub allow_unprotected: bool,
    /// The base fee never falls below this, wei.
    pub base_fee_floor: u64,
    /// The base fee moves by at most one part in this per block.
    pub base_fee_change_denominator: u64,
    /// Price of one ETH in thousandths of OPEN.
    pub milli_open_per_eth: u64,
    /// Upper bound of the data gas price, gas per byte.
    pub da_gas_per_byte_max: u64,
    /// Analysed contracts.
    pub codes: CodeCache,
}

impl RollupRules {
    /// The rules that a network file describes.
    pub fn new(network: &Network) -> Self {
        let (chain, fees) = (&network.chain, &network.fees);
        Self {
            chain_id: chain.id,
            gas_limit: chain.gas_limit,
            gas_target: chain.gas_target,
            tx_gas_cap: chain.tx_gas_cap,
            allow_unprotected: chain.allow_unprotected,
            base_fee_floor: fees.base_fee_floor_wei,
            base_fee_change_denominator: fees.base_fee_change_denominator,
            milli_open_per_eth: fees.milli_open_per_eth,
            da_gas_per_byte_max: fees.da_gas_per_byte_max,
            codes: CodeCache::default(),
        }
    }
}

impl Rules {
    /// EIP-155 chain id.
    pub fn chain_id(&self) -> u64 {
        match self {
            Self::Ethereum(rules) => rules.chain_id,
            Self::Rollup(rules) => rules.chain_id,
        }
    }

    /// Gas of every block.
    pub fn gas_limit(&self) -> u64 {
        match self {
            Self::Ethereum(rules) => rules.gas_limit,
            Self::Rollup(rules) => rules.gas_limit,
        }
    }

    /// Gas of one signed transaction at most.
    pub fn tx_gas_cap(&self, timestamp: u64) -> u64 {
        match self {
            Self::Ethereum(rules) => tx_gas_cap(rules.fork(timestamp)),
            Self::Rollup(rules) => rules.tx_gas_cap,
        }
    }

    /// [`Self::tx_gas_cap`] in the block with this header.
    pub(crate) fn tx_gas_cap_in(&self, header: &Header) -> u64 {
        match self {
            Self::Ethereum(rules) => tx_gas_cap(rules.fork_of(header)),
            Self::Rollup(rules) => rules.tx_gas_cap,
        }
    }

    pub(crate) fn codes(&self) -> &CodeCache {
        match self {
            Self::Ethereum(rules) => &rules.codes,
            Self::Rollup(rules) => &rules.codes,
        }
    }

    /// The EVM's rules in the block with this header.
    pub(crate) fn spec(&self, header: &Header) -> SpecId {
        match self {
            Self::Ethereum(rules) => spec_of(rules.fork_of(header)),
            Self::Rollup(_) => SpecId::OSAKA,
        }
    }

    /// The newest EVM rules of the chain.
    pub(crate) fn newest_spec(&self) -> SpecId {
        match self {
            Self::Ethereum(rules) => {
                let last = rules.forks.last().or(rules.block_forks.last());
                spec_of(last.map_or(L1Fork::Osaka, |f| f.1))
            }
            Self::Rollup(_) => SpecId::OSAKA,
        }
    }

    /// Blobs in one transaction of the block with this header; `None` where blob transactions do not exist.
    pub(crate) fn blobs_per_tx(&self, header: &Header) -> Option<u64> {
        match self {
            Self::Ethereum(rules) if rules.fork_of(header) < L1Fork::Osaka => {
                Some(rules.blob_params(header.timestamp).max)
            }
            Self::Ethereum(_) => Some(OSAKA_BLOBS_PER_TX),
            Self::Rollup(_) => None,
        }
    }
}

/// EIP-7825.
fn tx_gas_cap(fork: L1Fork) -> u64 {
    match fork >= L1Fork::Osaka {
        true => OSAKA_TX_GAS_CAP,
        false => u64::MAX,
    }
}

fn spec_of(fork: L1Fork) -> SpecId {
    match fork {
        L1Fork::Frontier => SpecId::FRONTIER,
        L1Fork::Homestead => SpecId::HOMESTEAD,
        L1Fork::TangerineWhistle => SpecId::TANGERINE,
        L1Fork::SpuriousDragon => SpecId::SPURIOUS_DRAGON,
        L1Fork::Byzantium => SpecId::BYZANTIUM,
        L1Fork::Constantinople | L1Fork::Petersburg => SpecId::PETERSBURG,
        L1Fork::Istanbul | L1Fork::MuirGlacier => SpecId::ISTANBUL,
        L1Fork::Berlin => SpecId::BERLIN,
        L1Fork::London | L1Fork::ArrowGlacier | L1Fork::GrayGlacier => SpecId::LONDON,
        L1Fork::Paris => SpecId::MERGE,
        L1Fork::Shanghai => SpecId::SHANGHAI,
        L1Fork::Cancun => SpecId::CANCUN,
        L1Fork::Prague => SpecId::PRAGUE,
        L1Fork::Osaka => SpecId::OSAKA,
    }
}
