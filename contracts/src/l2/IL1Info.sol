// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title IL1Info
/// @notice What L2 knows of L1: the newest L1 block a batch referred to, the price of data, and how far the queue of
///         deposits has been consumed. Getters carry the names OP's tools look for.
interface IL1Info {
    /// Only the chain itself, as `Predeploys.SYSTEM_CALLER`, may write.
    error NotSystemCaller(address caller);

    /// @notice Height of the anchored L1 block.
    function number() external view returns (uint64);
    /// @notice Its timestamp, seconds.
    function timestamp() external view returns (uint64);
    /// @notice L2 gas charged for each byte of a transaction's share of L1 data.
    function daGasPerByte() external view returns (uint64);
    /// @notice L1 queue entries consumed on L2 so far, in total.
    function queueConsumed() external view returns (uint64);
    /// @notice L1 base fee at the anchor, wei of ETH per gas.
    function basefee() external view returns (uint256);
    /// @notice L1 blob base fee at the anchor, wei of ETH per blob gas.
    function blobBaseFee() external view returns (uint256);
    /// @notice Hash of the anchored L1 block.
    function hash() external view returns (bytes32);

    /// @notice Writes all seven values. Only the system caller.
    function setL1Info(
        uint64 number_,
        uint64 timestamp_,
        uint256 baseFee_,
        uint256 blobBaseFee_,
        bytes32 hash_,
        uint64 daGasPerByte_,
        uint64 queueConsumed_
    ) external;
}
