// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title Shares
/// @notice Splits an amount by parts per billion so that the parts add up to the amount, to the wei.
/// @dev Prefix sums: part i is upTo(w_1 + … + w_i) - upTo(w_1 + … + w_(i-1)). Rounding errors cancel between
///      neighbours, no part is negative, and when the weights add up to WHOLE the last part takes the exact rest.
library Shares {
    uint256 internal constant WHOLE = 1e9;

    /// @notice What the first parts, weighing `cumulativePpb` together, receive of `amount`.
    /// @dev Both are far below 2^128 wherever this is used: amounts of OPEN, and at most WHOLE.
    function upTo(uint256 amount, uint256 cumulativePpb) internal pure returns (uint256) {
        unchecked {
            return amount * cumulativePpb / WHOLE;
        }
    }
}
