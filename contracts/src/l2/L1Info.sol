// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IL1Info} from "./IL1Info.sol";
import {Predeploys} from "./Predeploys.sol";

/// @title L1Info
/// @notice See IL1Info.
/// @dev The layout is part of the chain's rules, because the state transition writes these slots directly
///      (test/l2/L1Info.t.sol pins it). Slot 0, from the lowest bit: number (64), timestamp (64), daGasPerByte (64),
///      queueConsumed (64). Slot 1 basefee. Slot 2 blobBaseFee. Slot 3 hash.
contract L1Info is IL1Info {
    /// @inheritdoc IL1Info
    uint64 public number;
    /// @inheritdoc IL1Info
    uint64 public timestamp;
    /// @inheritdoc IL1Info
    uint64 public daGasPerByte;
    /// @inheritdoc IL1Info
    uint64 public queueConsumed;
    /// @inheritdoc IL1Info
    uint256 public basefee;
    /// @inheritdoc IL1Info
    uint256 public blobBaseFee;
    /// @inheritdoc IL1Info
    bytes32 public hash;

    /// @inheritdoc IL1Info
    function setL1Info(
        uint64 number_,
        uint64 timestamp_,
        uint256 baseFee_,
        uint256 blobBaseFee_,
        bytes32 hash_,
        uint64 daGasPerByte_,
        uint64 queueConsumed_
    ) external {
        require(msg.sender == Predeploys.SYSTEM_CALLER, NotSystemCaller(msg.sender));
        number = number_;
        timestamp = timestamp_;
        daGasPerByte = daGasPerByte_;
        queueConsumed = queueConsumed_;
        basefee = baseFee_;
        blobBaseFee = blobBaseFee_;
        hash = hash_;
    }
}
