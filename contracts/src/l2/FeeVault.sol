// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IFeeVault} from "./IFeeVault.sol";
import {Send} from "./Send.sol";

/// @title FeeVault
/// @notice See IFeeVault. The same code stands at the addresses of the priority, base and L1 fee vaults.
/// @dev Invariant: money leaves only towards `recipient`, slot 0 (test/l2/FeeVault.t.sol).
contract FeeVault is IFeeVault {
    /// @inheritdoc IFeeVault
    uint256 public constant MIN_WITHDRAWAL_AMOUNT = 0.01 ether;

    // Genesis writes it; a predeploy has no constructor that could.
    // slither-disable-next-line uninitialized-state,constable-states
    address private _recipient;

    /// @notice Fees may also be given.
    receive() external payable {}

    /// @inheritdoc IFeeVault
    function withdraw() external returns (uint256 value) {
        value = address(this).balance;
        address to = _recipient;
        require(to != address(0), NoRecipient());
        require(value >= MIN_WITHDRAWAL_AMOUNT, BelowMinimum(value, MIN_WITHDRAWAL_AMOUNT));

        emit Withdrawal(value, to, msg.sender);
        Send.native(to, value);
    }

    /// @inheritdoc IFeeVault
    function recipient() external view returns (address) {
        return _recipient;
    }
}
