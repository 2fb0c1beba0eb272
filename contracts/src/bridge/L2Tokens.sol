// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {Predeploys} from "../l2/Predeploys.sol";

/// @title L2Tokens
/// @notice Where the L2 token of an L1 token stands: a function of the L1 address alone, on both chains, before and after
/// it is created.
/// @dev CREATE2 by the L2 bridge, of an EIP-1167 clone of `BRIDGED_TOKEN`, salted with the L1 address
/// (bridge/FORMATS.md, section 7).
library L2Tokens {
    /// Stands for ETH where a token is named.
    address internal constant ETH = 0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE;

    /// @return The L2 token of `l1Token`.
    function addressOf(address l1Token) internal pure returns (address) {
        return Clones.predictDeterministicAddress(Predeploys.BRIDGED_TOKEN, salt(l1Token), Predeploys.TOKEN_BRIDGE);
    }

    function salt(address l1Token) internal pure returns (bytes32) {
        return bytes32(uint256(uint160(l1Token)));
    }
}
