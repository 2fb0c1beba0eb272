// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title Epoch
/// @notice When a changed number begins to count.
library Epoch {
    /// One UTC day: prices change at a moment everybody knows.
    uint64 internal constant LENGTH_S = 1 days;

    /// @notice The second boundary from now: between one and two epochs away, seconds.
    function afterNext() internal view returns (uint64) {
        return (uint64(block.timestamp) / LENGTH_S + 2) * LENGTH_S;
    }

    /// @notice Whether something scheduled for `from` counts. Zero means that nothing is scheduled.
    function reached(uint64 from) internal view returns (bool) {
        return from != 0 && block.timestamp >= from;
    }
}
