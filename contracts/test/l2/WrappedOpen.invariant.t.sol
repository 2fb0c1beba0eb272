// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {WrappedOpen} from "src/l2/WrappedOpen.sol";
import {L2Test} from "./L2Test.sol";

/// @notice Five accounts that wrap, unwrap, approve and pay each other.
contract Wrappers is Test {
    WrappedOpen private immutable wopen;
    address[5] public who;

    constructor(WrappedOpen wopen_) {
        wopen = wopen_;
        for (uint160 i = 0; i < 5; ++i) {
            who[i] = address(0x1000 + i);
            vm.deal(who[i], 1e24);
        }
    }

    function deposit(uint256 a, uint96 amount) external {
        address from = who[a % 5];
        amount = uint96(bound(amount, 0, from.balance));
        vm.prank(from);
        wopen.deposit{value: amount}();
    }

    function withdraw(uint256 a, uint96 amount) external {
        uint256 bounded = bound(amount, 0, wopen.balanceOf(who[a % 5]));
        vm.prank(who[a % 5]);
        wopen.withdraw(bounded);
    }

    function transfer(uint256 a, uint256 b, uint96 amount) external {
        uint256 bounded = bound(amount, 0, wopen.balanceOf(who[a % 5]));
        vm.prank(who[a % 5]);
        wopen.transfer(who[b % 5], bounded);
    }

    function transferFrom(uint256 a, uint256 b, uint96 amount) external {
        uint256 bounded = bound(amount, 0, wopen.balanceOf(who[a % 5]));
        vm.prank(who[a % 5]);
        wopen.approve(who[b % 5], bounded);
        vm.prank(who[b % 5]);
        wopen.transferFrom(who[a % 5], who[b % 5], bounded);
    }
}

contract WrappedOpenInvariant is L2Test {
    Wrappers private wrappers;

    function setUp() public override {
        super.setUp();
        wrappers = new Wrappers(WOPEN);
        targetContract(address(wrappers));
    }

    function invariant_everyWopenIsBacked() public view {
        uint256 sum = 0;
        for (uint256 i = 0; i < 5; ++i) {
            sum += WOPEN.balanceOf(wrappers.who(i));
        }
        assertEq(sum, address(WOPEN).balance);
        assertEq(sum, WOPEN.totalSupply());
    }
}
