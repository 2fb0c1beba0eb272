// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title IMetrics
/// @notice What vouchers paid, added up by UTC day, as state that a storage proof shows on L1.
/// @dev Nothing calls this contract when money moves, so no payment costs more for it: anybody counts what SpendAccount
///      knows of an operator's ten minutes once they are over, and the result does not depend on who does, or when. A
///      day is whole when all operators' 144 epochs of it are counted; until then its sums are lower, never higher.
///
///      Calls are what payers signed: payer and operator together can sign any number for their own money, so a count
///      means nothing without the amount beside it.
///
///      Absent on purpose: distinct payers and payees, which no sum can hold, and what only events tell; indexers have
///      both.
interface IMetrics {
    struct Sums {
        /// Wei.
        uint128 paid;
        /// Inferences that the vouchers count.
        uint64 calls;
        /// Operators' epochs in which vouchers paid something.
        uint64 epochs;
    }

    event Counted(uint64 indexed epoch, uint32 indexed operatorId, uint128 paid, uint64 calls);

    /// Later claims could still add to it.
    error EpochNotOver(uint256 until);

    /// @notice Counts an epoch of some operators. What was counted before, or paid nothing, is skipped.
    /// @param epoch number of ten minutes since 1970, over
    /// @return counted how many were counted now
    function count(uint64 epoch, uint32[] calldata operatorIds) external returns (uint256 counted);

    /// @param day number of the UTC day since 1970
    function sumsOf(uint64 day) external view returns (Sums memory);
    /// @notice Of all days.
    function total() external view returns (Sums memory);
    function isCounted(uint64 epoch, uint32 operatorId) external view returns (bool);
}
