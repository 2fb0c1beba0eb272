// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title IOwed
/// @notice Money that waits here for its account: bonds, pay, rewards. Nothing is pushed, so nobody can make another's
///         call fail by refusing OPEN.
interface IOwed {
    event Withdrawn(address indexed account, uint256 amount);

    /// @notice Pays `account` what it is owed. Anyone may call, nobody can pause it.
    function withdraw(address account) external returns (uint256 amount);

    /// @notice What `withdraw` would pay now, wei.
    function owedTo(address account) external view returns (uint256);
}
