// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title Pools
/// @notice Names of the ledger's pools. Every asset version has the pool of its own id; the treasury has the one id with
///         the top bit set. A pool can itself be a member of another pool, under the address form below.
library Pools {
    uint64 internal constant TREASURY = 1 << 63;

    /// The first twelve bytes of every pool address. A key for such an address would take 2^96 tries to find.
    uint96 private constant PREFIX = uint96(bytes12("pool-account"));

    function isAsset(uint64 pool) internal pure returns (bool) {
        return pool < TREASURY;
    }

    /// @notice The address that stands for a pool in another pool's member list.
    function account(uint64 pool) internal pure returns (address) {
        return address((uint160(PREFIX) << 64) | pool);
    }

    /// @notice Whether `who` stands for a pool.
    function isAccount(address who) internal pure returns (bool) {
        return uint160(who) >> 64 == PREFIX;
    }

    /// @notice Which pool `who` stands for, if it does.
    function fromAccount(address who) internal pure returns (uint64 pool) {
        return uint64(uint160(who));
    }
}
