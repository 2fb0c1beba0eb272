// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title IPaid
/// @notice What the attribution reads of the SpendAccount: which money stands behind an operator's receipts.
interface IPaid {
    /// @notice What claimed vouchers paid the operator within `epoch`, wei, and for how many inferences: in all, and for one
    ///         asset. Final once the epoch is over.
    /// @param epoch number of ten minutes of block time since 1970
    function paidOf(uint32 operatorId, uint64 epoch) external view returns (uint128 amount, uint64 count);
    function paidOf(uint32 operatorId, uint64 assetId, uint64 epoch)
        external
        view
        returns (uint128 amount, uint64 count);
}
