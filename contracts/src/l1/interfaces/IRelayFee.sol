// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title RelayFee
/// @notice The target of withdrawals that pay whoever brings them to L1: a part of the value goes to the account that
/// sends the finalising transaction, the rest to the receiver. It holds nothing between messages.
interface IRelayFee {
    error NotPortal(address caller);
    error FeeAboveValue(uint256 fee, uint256 value);

    /// @notice Called by the Portal as the target of a message whose value has just arrived here.
    /// @param to Who gets the value without the fee.
    /// @param fee OPEN for the sender of the L1 transaction, wei.
    function pay(address to, uint256 fee) external;
}
