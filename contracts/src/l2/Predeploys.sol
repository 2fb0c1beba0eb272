// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title Predeploys
/// @notice Where the contracts of L2 genesis stand. Genesis writes runtime code, so nothing here has a constructor
///         with effect; README.md of this folder lists the storage that genesis writes as well.
/// @dev The same addresses stand in the Rust genesis builder: they are part of the chain's rules.
library Predeploys {
    /// Sends the system transactions of a block; no key exists for it.
    address internal constant SYSTEM_CALLER = 0xffffFFFfFFffffffffffffffFfFFFfffFFFfFFfE;

    /// L2 side of the token bridge.
    address internal constant TOKEN_BRIDGE = 0x4200000000000000000000000000000000000010;
    address internal constant PRIORITY_FEE_VAULT = 0x4200000000000000000000000000000000000011;
    /// Code of every bridged token.
    address internal constant BRIDGED_TOKEN = 0x4200000000000000000000000000000000000012;
    address internal constant L1_INFO = 0x4200000000000000000000000000000000000015;
    address internal constant MESSAGE_PASSER = 0x4200000000000000000000000000000000000016;
    address internal constant BASE_FEE_VAULT = 0x4200000000000000000000000000000000000019;
    address internal constant DATA_FEE_VAULT = 0x420000000000000000000000000000000000001A;

    address internal constant WRAPPED_OPEN = 0x4F50454E00000000000000000000000000000001;
    address internal constant ASSET_REGISTRY = 0x4f50454E00000000000000000000000000000002;
    address internal constant DATANET = 0x4F50454e00000000000000000000000000000003;
    address internal constant PAY_TO = 0x4f50454E00000000000000000000000000000004;
    address internal constant REVENUE_ROUTER = 0x4F50454E00000000000000000000000000000005;
    address internal constant POOL_LEDGER = 0x4F50454e00000000000000000000000000000006;
    address internal constant SPEND_ACCOUNT = 0x4f50454E00000000000000000000000000000007;
    address internal constant RECEIPTS = 0x4F50454e00000000000000000000000000000008;
    address internal constant ATTRIBUTION_SETTLEMENT = 0x4f50454E00000000000000000000000000000009;
    address internal constant ATTRIBUTION_COURT = 0x4F50454e0000000000000000000000000000000A;
    address internal constant STAKE_MANAGER = 0x4F50454E0000000000000000000000000000000b;
    address internal constant FEE_POLICY = 0x4F50454E0000000000000000000000000000000E;
    address internal constant GOVERNOR = 0x4F50454E0000000000000000000000000000000f;
    address internal constant METRICS = 0x4f50454e00000000000000000000000000000010;
    address internal constant GRANT_POOL = 0x4f50454E00000000000000000000000000000011;
}
