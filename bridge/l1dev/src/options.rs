//! What an embedded L1 is started with.

use crate::Mining;
use alloy_primitives::{Address, U256};
use config::{BlobParams, L1Fork};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

/// The process's clock: milliseconds since 1970.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// See the fields.
#[derive(Clone)]
pub struct Options {
    /// Where the chain is kept; a start in the same folder continues it. `None`: in a temporary folder.
    pub dir: Option<PathBuf>,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Rules of every block.
    pub fork: L1Fork,
    /// Gas of every block.
    pub gas_limit: u64,
    /// Blob parameters by time, ascending.
    pub blob_schedule: Vec<BlobParams>,
    /// When blocks are made.
    pub mining: Mining,
    /// `safe` is this many blocks behind the head, `finalized` twice as many.
    pub slots_per_epoch: u64,
    /// Accounts that own ether from the first block on, with how many wei.
    pub funded: Vec<(Address, U256)>,
    /// Where to listen. Port 0: any free one.
    pub listen: SocketAddr,
    /// Time of the first block, seconds. `None`: the time of the first start, also after a restart.
    pub genesis_timestamp: Option<u64>,
    /// Blobs kept on disk, 128 KiB each; the oldest leave first.
    pub blobs_max: usize,
    /// Where time comes from.
    pub clock: Clock,
}

impl Options {
    /// An L1 in its newest fork with mainnet's blob parameters, for a process that goes away: temporary folder, free
    /// port on the loopback interface, a block for each transaction, nobody funded.
    pub fn temporary(chain_id: u64, clock: Clock) -> Self {
        Self {
            dir: None,
            chain_id,
            fork: L1Fork::Osaka,
            gas_limit: 60_000_000,
            // The second blob-parameter fork after Osaka (EIP-7892).
            blob_schedule: vec![BlobParams {
                from_s: 0,
                target: 14,
                max: 21,
                update_fraction: 11_684_671,
            }],
            mining: Mining::Auto,
            slots_per_epoch: 2,
            funded: Vec::new(),
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            genesis_timestamp: None,
            // Two gibibytes: a blob every five seconds for a day.
            blobs_max: 16_384,
            clock,
        }
    }
}
