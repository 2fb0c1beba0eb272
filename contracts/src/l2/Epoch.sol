// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title Epoch
/// @notice When a changed number begins to count.
library Epoch {
    /// One UTC day: prices change at a moment everybody knows.
    uint64 internal constant LENGTH_S = 1 days;

    /// @notice Number of the present epoch.
    function current() internal view returns (uint32) {
        return uint32(block.timestamp / LENGTH_S);
    }

    /// @notice The epoch after the next: it begins between one and two epochs from now.
    function afterNext() internal view returns (uint32) {
        return current() + 2;
    }

    /// @notice Whether something scheduled for `epoch` counts. Zero means that nothing is scheduled.
    function reached(uint32 epoch) internal view returns (bool) {
        return epoch != 0 && block.timestamp / LENGTH_S >= epoch;
    }

    /// @notice When `epoch` begins, seconds.
    function start(uint32 epoch) internal pure returns (uint64) {
        return epoch * LENGTH_S;
    }
}
