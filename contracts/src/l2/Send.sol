// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title Send
/// @notice Sends native OPEN with all gas and ignores what the receiver returns, so that a receiver cannot make the
///         sender pay for copying a large answer.
/// @dev Callers finish their own bookkeeping first: the receiver may call back.
library Send {
    error SendFailed(address to, uint256 amount);

    function native(address to, uint256 amount) internal {
        bool ok;
        assembly ("memory-safe") {
            ok := call(gas(), to, amount, 0, 0, 0, 0)
        }
        require(ok, SendFailed(to, amount));
    }
}
