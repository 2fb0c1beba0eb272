// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {AccessControlEnumerable} from "@openzeppelin/contracts/access/extensions/AccessControlEnumerable.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

/// @title Timelock
/// @notice OpenZeppelin's timelock, whose roles can be listed: who may upgrade and change settings is readable from the
/// chain, without its history.
contract Timelock is TimelockController, AccessControlEnumerable {
    constructor(uint256 minDelay, address[] memory proposers, address[] memory executors, address admin)
        TimelockController(minDelay, proposers, executors, admin)
    {}

    /// @inheritdoc AccessControlEnumerable
    function supportsInterface(bytes4 id)
        public
        view
        override(TimelockController, AccessControlEnumerable)
        returns (bool)
    {
        return TimelockController.supportsInterface(id) || AccessControlEnumerable.supportsInterface(id);
    }

    function _grantRole(bytes32 role, address account)
        internal
        override(AccessControl, AccessControlEnumerable)
        returns (bool)
    {
        return AccessControlEnumerable._grantRole(role, account);
    }

    function _revokeRole(bytes32 role, address account)
        internal
        override(AccessControl, AccessControlEnumerable)
        returns (bool)
    {
        return AccessControlEnumerable._revokeRole(role, account);
    }
}
