//! Addresses that every batch of version 1 knows without writing them. The order is part of the format.

use alloy_primitives::{Address, address};
use primitives::predeploys as p;

/// References 1 to 14.
pub(crate) const KNOWN_ADDRESSES: [Address; 14] = [
    p::REVENUE_ROUTER,
    p::WRAPPED_OPEN,
    p::POOL_LEDGER,
    p::ASSET_REGISTRY,
    p::FEE_POLICY,
    p::MESSAGE_PASSER,
    p::L1_INFO,
    p::PRIORITY_FEE_VAULT,
    p::BASE_FEE_VAULT,
    p::DATA_FEE_VAULT,
    Address::ZERO,
    // Multicall3, Permit2 and the CREATE2 deployer: at these addresses on nearly every chain.
    address!("ca11bde05977b3631167028862be2a173976ca11"),
    address!("000000000022d473030f116ddee9f6b43ac78ba3"),
    address!("4e59b44847b379578588920ca78fbf26c0b4956c"),
];
