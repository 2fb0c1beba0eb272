// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IL1Info} from "src/l2/IL1Info.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {L2Test} from "./L2Test.sol";

contract L1InfoTest is L2Test {
    /// The state transition writes these slots without calling the contract.
    function test_layout_isTheOneTheStateTransitionWrites() public {
        _store(
            Predeploys.L1_INFO,
            0,
            uint256(0x1111111111111111) | uint256(0x2222222222222222) << 64 | uint256(0x3333333333333333) << 128
                | uint256(0x4444444444444444) << 192
        );
        _store(Predeploys.L1_INFO, 1, 5);
        _store(Predeploys.L1_INFO, 2, 6);
        _store(Predeploys.L1_INFO, 3, 7);

        assertEq(L1_INFO.number(), 0x1111111111111111);
        assertEq(L1_INFO.timestamp(), 0x2222222222222222);
        assertEq(L1_INFO.daGasPerByte(), 0x3333333333333333);
        assertEq(L1_INFO.queueConsumed(), 0x4444444444444444);
        assertEq(L1_INFO.basefee(), 5);
        assertEq(L1_INFO.blobBaseFee(), 6);
        assertEq(L1_INFO.hash(), bytes32(uint256(7)));
    }

    function testFuzz_setL1Info_writesThatLayout(
        uint64 number,
        uint64 timestamp,
        uint256 baseFee,
        uint256 blobBaseFee,
        bytes32 hash,
        uint64 daGasPerByte,
        uint64 queueConsumed
    ) public {
        vm.prank(Predeploys.SYSTEM_CALLER);
        L1_INFO.setL1Info(number, timestamp, baseFee, blobBaseFee, hash, daGasPerByte, queueConsumed);

        uint256 word =
            uint256(number) | uint256(timestamp) << 64 | uint256(daGasPerByte) << 128 | uint256(queueConsumed) << 192;
        assertEq(uint256(vm.load(Predeploys.L1_INFO, 0)), word);
        assertEq(uint256(vm.load(Predeploys.L1_INFO, bytes32(uint256(1)))), baseFee);
        assertEq(uint256(vm.load(Predeploys.L1_INFO, bytes32(uint256(2)))), blobBaseFee);
        assertEq(vm.load(Predeploys.L1_INFO, bytes32(uint256(3))), hash);
    }

    function testFuzz_setL1Info_byAnyoneElse_reverts(address caller) public {
        vm.assume(caller != Predeploys.SYSTEM_CALLER);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IL1Info.NotSystemCaller.selector, caller));
        L1_INFO.setL1Info(1, 2, 3, 4, 0, 6, 7);
    }
}
