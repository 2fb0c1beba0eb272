//! Addresses that genesis fixes. `contracts/src/l2/Predeploys.sol` says the same; `e2e/tidy` compares them.

use alloy_primitives::{Address, address};

/// Who writes [`L1_INFO`]: the caller that EIP-4788 and EIP-2935 also use. No key exists for it.
pub const SYSTEM_CALLER: Address = address!("fffffffffffffffffffffffffffffffffffffffe");
/// L2 side of the token bridge.
pub const TOKEN_BRIDGE: Address = address!("4200000000000000000000000000000000000010");
/// Code of every bridged token.
pub const BRIDGED_TOKEN: Address = address!("4200000000000000000000000000000000000012");
/// L1's newest anchor, the data gas price, and how many queue entries were consumed.
pub const L1_INFO: Address = address!("4200000000000000000000000000000000000015");
/// Withdrawals leave here; its storage root is the header's `withdrawalsRoot`.
pub const MESSAGE_PASSER: Address = address!("4200000000000000000000000000000000000016");
/// Receives priority fees; the coinbase of every block.
pub const PRIORITY_FEE_VAULT: Address = address!("4200000000000000000000000000000000000011");
/// Receives the base fee of execution gas.
pub const BASE_FEE_VAULT: Address = address!("4200000000000000000000000000000000000019");
/// Receives the base fee of data gas: what posting to L1 is paid from.
pub const DATA_FEE_VAULT: Address = address!("420000000000000000000000000000000000001a");
/// ERC-20 of native OPEN.
pub const WRAPPED_OPEN: Address = address!("4f50454e00000000000000000000000000000001");
/// Immutable asset versions and their lineage.
pub const ASSET_REGISTRY: Address = address!("4f50454e00000000000000000000000000000002");
/// Contributions to Datanets, their curators, and who has how many units.
pub const DATANET: Address = address!("4f50454e00000000000000000000000000000003");
/// Pay addresses: any transfer to one becomes a payment.
pub const PAY_TO: Address = address!("4f50454e00000000000000000000000000000004");
/// Splits every payment.
pub const REVENUE_ROUTER: Address = address!("4f50454e00000000000000000000000000000005");
/// Holds what was earned until it is claimed.
pub const POOL_LEDGER: Address = address!("4f50454e00000000000000000000000000000006");
/// What payers deposited, and the vouchers that operators claim it with.
pub const SPEND_ACCOUNT: Address = address!("4f50454e00000000000000000000000000000007");
/// Headers of operators' receipts, with bonds.
pub const RECEIPTS: Address = address!("4f50454e00000000000000000000000000000008");
/// Pots of Datanets, epochs, and the cumulative tree that contributors claim from.
pub const ATTRIBUTION_SETTLEMENT: Address = address!("4f50454e00000000000000000000000000000009");
/// Objective faults of receipts and of the tree, each shown in one transaction.
pub const ATTRIBUTION_COURT: Address = address!("4f50454e0000000000000000000000000000000a");
/// Stakes, what they answer for, and the votes they give.
pub const STAKE_MANAGER: Address = address!("4f50454e0000000000000000000000000000000b");
/// Bounded shares of each class.
pub const FEE_POLICY: Address = address!("4f50454e0000000000000000000000000000000e");
/// Owner of every bounded number: executes what stakers voted for, a week later.
pub const GOVERNOR: Address = address!("4f50454e0000000000000000000000000000000f");
/// What vouchers paid, by day.
pub const METRICS: Address = address!("4f50454e00000000000000000000000000000010");
/// Grants to Datanets, within what was burned.
pub const GRANT_POOL: Address = address!("4f50454e00000000000000000000000000000011");
