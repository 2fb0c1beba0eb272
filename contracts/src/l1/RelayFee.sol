// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IRelayFee} from "./interfaces/IRelayFee.sol";
import {IWithdrawals} from "./interfaces/IWithdrawals.sol";

/// @title RelayFee
/// @dev Invariant: after each message it holds what it held before (test/l1/RelayFee.t.sol).
contract RelayFee is IRelayFee {
    using SafeERC20 for IERC20;

    IERC20 public immutable token;
    IWithdrawals public immutable portal;

    constructor(IERC20 token_, IWithdrawals portal_) {
        token = token_;
        portal = portal_;
    }

    /// @inheritdoc IRelayFee
    function pay(address to, uint256 fee) external {
        require(msg.sender == address(portal), NotPortal(msg.sender));
        uint256 value = portal.l2Value();
        require(fee <= value, FeeAboveValue(fee, value));

        // Whoever pays for the gas: the Portal is always the caller, so nothing else names the one who carries.
        // slither-disable-next-line tx-origin
        address carrier = tx.origin;
        token.safeTransfer(carrier, fee);
        token.safeTransfer(to, value - fee);
    }
}
