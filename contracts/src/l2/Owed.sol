// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IOwed} from "./IOwed.sol";
import {Send} from "./Send.sol";

/// @title Owed
/// @notice See IOwed.
abstract contract Owed is IOwed {
    /// @inheritdoc IOwed
    mapping(address account => uint256) public owedTo;

    /// @inheritdoc IOwed
    function withdraw(address account) external returns (uint256 amount) {
        amount = owedTo[account];
        if (amount == 0) return 0;
        delete owedTo[account];
        emit Withdrawn(account, amount);

        Send.native(account, amount);
    }

    function _owe(address account, uint256 amount) internal {
        if (amount != 0) owedTo[account] += amount;
    }
}
