// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title Burn
/// @notice Removes native OPEN from the L2 supply.
/// @dev The created account destroys itself in favour of itself within the transaction that created it, which under
///      EIP-6780 is the one case in which the balance ceases to exist. Init code: ADDRESS (0x30) SELFDESTRUCT (0xff).
library Burn {
    error BurnFailed();

    function native(uint256 amount) internal {
        address burner;
        assembly ("memory-safe") {
            mstore(0, shl(240, 0x30ff))
            burner := create(amount, 0, 2)
        }
        require(burner != address(0), BurnFailed());
    }
}
