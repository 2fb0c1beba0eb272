// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IFeePolicy} from "src/l2/IFeePolicy.sol";
import {L2Test} from "./L2Test.sol";

contract FeePolicyTest is L2Test {
    function test_genesis_hasTheDefaults() public view {
        (uint32 protocol, uint32 burn, uint32 stakers) = POLICY.classes();
        assertEq(protocol, 10_000_000);
        assertEq(burn, 10_000_000);
        assertEq(stakers, 30_000_000);
        assertEq(POLICY.upstreamMaxPpb(), 300_000_000);
        assertEq(POLICY.owner(), governance);
    }

    function testFuzz_setClasses_countsFromTheSecondBoundary(uint256 protocol, uint256 burn, uint256 stakers, uint32 t)
        public
    {
        uint32 p = uint32(bound(protocol, 0, 3_000)) * 10_000;
        uint32 b = uint32(bound(burn, 0, 3_000)) * 10_000;
        uint32 s = uint32(bound(stakers, 0, 10_000)) * 10_000;
        vm.warp(bound(t, 1_800_000_000, 4_000_000_000));
        vm.prank(governance);
        POLICY.setClasses(p, b, s);

        uint256 from = (block.timestamp / 1 days + 2) * 1 days;
        assertGt(from - block.timestamp, 1 days);
        vm.warp(from - 1);
        _assertClasses(10_000_000, 10_000_000, 30_000_000);
        vm.warp(from);
        _assertClasses(p, b, s);

        // A later change starts from these.
        vm.prank(governance);
        POLICY.setClasses(0, 0, 0);
        _assertClasses(p, b, s);
        vm.warp(block.timestamp + 2 days);
        _assertClasses(0, 0, 0);
    }

    function test_setClasses_outOfBounds_reverts() public {
        vm.startPrank(governance);
        vm.expectRevert(abi.encodeWithSelector(IFeePolicy.OutOfBounds.selector, 30_010_000, 0, 30_000_000));
        POLICY.setClasses(30_010_000, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IFeePolicy.OutOfBounds.selector, 30_010_000, 0, 30_000_000));
        POLICY.setClasses(0, 30_010_000, 0);
        vm.expectRevert(abi.encodeWithSelector(IFeePolicy.OutOfBounds.selector, 100_010_000, 0, 100_000_000));
        POLICY.setClasses(0, 0, 100_010_000);
        vm.expectRevert(abi.encodeWithSelector(IFeePolicy.TooFine.selector, 9_999));
        POLICY.setClasses(9_999, 0, 0);
    }

    function testFuzz_setUpstreamMax_onlyInsideTheBounds(uint32 ppb) public {
        bool inside = ppb >= 100_000_000 && ppb <= 500_000_000;
        vm.prank(governance);
        if (!inside) {
            vm.expectRevert(abi.encodeWithSelector(IFeePolicy.OutOfBounds.selector, ppb, 100_000_000, 500_000_000));
        }
        POLICY.setUpstreamMax(ppb);
        assertEq(POLICY.upstreamMaxPpb(), 300_000_000);
        vm.warp(block.timestamp + 2 days);
        assertEq(POLICY.upstreamMaxPpb(), inside ? ppb : 300_000_000);
    }

    function testFuzz_changes_byAnyoneElse_revert(address caller) public {
        vm.assume(caller != governance && caller != address(0));
        vm.startPrank(caller);
        bytes memory refusal = abi.encodeWithSelector(IFeePolicy.NotOwner.selector, caller);
        vm.expectRevert(refusal);
        POLICY.setClasses(0, 0, 0);
        vm.expectRevert(refusal);
        POLICY.setUpstreamMax(100_000_000);
        vm.expectRevert(refusal);
        POLICY.offerOwnership(caller);
        vm.expectRevert(abi.encodeWithSelector(IFeePolicy.NotOffered.selector, caller));
        POLICY.acceptOwnership();
    }

    function test_ownership_passesInTwoSteps() public {
        address heir = makeAddr("heir");
        vm.prank(governance);
        POLICY.offerOwnership(heir);
        assertEq(POLICY.owner(), governance);
        vm.prank(heir);
        POLICY.acceptOwnership();
        assertEq(POLICY.owner(), heir);
        assertEq(POLICY.offeredTo(), address(0));
    }

    function _assertClasses(uint32 p, uint32 b, uint32 s) private view {
        (uint32 protocol, uint32 burn, uint32 stakers) = POLICY.classes();
        assertEq(protocol, p);
        assertEq(burn, b);
        assertEq(stakers, s);
    }
}
