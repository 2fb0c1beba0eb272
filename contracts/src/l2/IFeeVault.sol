// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title IFeeVault
/// @notice Collects one kind of transaction fee. The state transition adds to its balance directly.
interface IFeeVault {
    event Withdrawal(uint256 value, address to, address from);

    error BelowMinimum(uint256 balance, uint256 minimum);
    /// Genesis named no recipient.
    error NoRecipient();

    /// @notice Least balance that `withdraw` moves, wei: dust is not worth an event.
    function MIN_WITHDRAWAL_AMOUNT() external view returns (uint256);

    /// @notice Who receives the fees. Written by genesis, never changed.
    function recipient() external view returns (address);

    /// @notice Sends the whole balance to the recipient. Anyone may call.
    function withdraw() external returns (uint256 value);
}
