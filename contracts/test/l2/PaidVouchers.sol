// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IPaid} from "src/l2/IPaid.sol";

/// @notice Says what vouchers paid, as a test tells it: the one function of the SpendAccount that attribution reads.
contract PaidVouchers is IPaid {
    struct Paid {
        uint128 amount;
        uint64 count;
    }

    mapping(uint32 operatorId => mapping(uint64 epoch => Paid)) public paidOf;

    function add(uint32 operatorId, uint64 epoch, uint128 amount, uint64 count) external {
        paidOf[operatorId][epoch].amount += amount;
        paidOf[operatorId][epoch].count += count;
    }
}
