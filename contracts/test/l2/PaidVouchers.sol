// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IPaid} from "src/l2/IPaid.sol";

/// @notice Says what vouchers paid, as a test tells it: what attribution reads of the SpendAccount.
contract PaidVouchers is IPaid {
    struct Paid {
        uint128 amount;
        uint64 count;
    }

    /// Asset 0: all assets.
    mapping(uint32 operatorId => mapping(uint64 epoch => mapping(uint64 assetId => Paid))) private _paid;

    function add(uint32 operatorId, uint64 assetId, uint64 epoch, uint128 amount, uint64 count) external {
        for (uint256 k = 0; k < 2; ++k) {
            Paid storage p = _paid[operatorId][epoch][k == 0 ? 0 : assetId];
            p.amount += amount;
            p.count += count;
        }
    }

    function paidOf(uint32 operatorId, uint64 epoch) external view returns (uint128, uint64) {
        return paidOf(operatorId, 0, epoch);
    }

    function paidOf(uint32 operatorId, uint64 assetId, uint64 epoch) public view returns (uint128, uint64) {
        Paid memory p = _paid[operatorId][epoch][assetId];
        return (p.amount, p.count);
    }
}
