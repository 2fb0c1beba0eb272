// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {StakeVotes} from "src/l2/StakeVotes.sol";
import {StakeTest} from "./StakeTest.sol";

contract StakeVotesTest is StakeTest {
    bytes32 private constant DELEGATION = keccak256("Delegation(address delegatee,uint256 nonce,uint256 expiry)");

    function test_clock_isSeconds() public view {
        assertEq(STAKES.clock(), block.timestamp);
        assertEq(STAKES.CLOCK_MODE(), "mode=timestamp");
    }

    function test_staked_votesWhereverItIs() public {
        uint64 id = provide(10_000 ether);
        delegated(bob, id, 5_000 ether);
        stake(bob, 1_000 ether);
        assertEq(STAKES.getVotes(alice), 10_000 ether);
        assertEq(STAKES.getVotes(bob), 6_000 ether);
        vm.prank(alice);
        STAKES.thaw(id, 10_000 ether);
        assertEq(STAKES.getVotes(alice), 10_000 ether);
        vm.warp(block.timestamp + 1);
        assertEq(STAKES.getPastVotes(alice, block.timestamp - 1), 10_000 ether);
        assertEq(STAKES.getPastTotalSupply(block.timestamp - 1), 16_000 ether);
        assertEq(STAKES.getPastTotalSupply(block.timestamp - 2), 0);
    }

    function test_getPastVotes_ofTheRunningSecond_reverts() public {
        uint48 now_ = STAKES.clock();
        vm.expectRevert(abi.encodeWithSelector(StakeVotes.ERC5805FutureLookup.selector, now_, now_));
        STAKES.getPastVotes(bob, now_);
        vm.expectRevert(abi.encodeWithSelector(StakeVotes.ERC5805FutureLookup.selector, now_, now_));
        STAKES.getPastTotalSupply(now_);
    }

    /// What comes and goes within a second never voted.
    function test_stake_withinOneSecond_leavesNoVotes() public {
        stake(bob, 1_000 ether);
        vm.prank(bob);
        STAKES.withdraw(bob, 1_000 ether);
        vm.warp(block.timestamp + 1);
        assertEq(STAKES.getPastVotes(bob, block.timestamp - 1), 0);
    }

    /// The same OPEN, staked by two accounts one after the other, counts once at any second.
    function testFuzz_moving_votesOnceAtAnySecond(uint96 amount, uint16 later) public {
        amount = uint96(bound(amount, 1, 1e27));
        uint256 start = block.timestamp;
        later = uint16(bound(later, 0, 100));
        stake(bob, amount);
        vm.warp(start + later);
        vm.prank(bob);
        STAKES.withdraw(bob, amount);
        stake(carol, amount);
        vm.warp(start + later + 1);
        for (uint256 t = start; t <= start + later; ++t) {
            assertEq(STAKES.getPastVotes(bob, t) + STAKES.getPastVotes(carol, t), amount);
            assertEq(STAKES.getPastTotalSupply(t), amount);
        }
    }

    function test_slash_takesVotesAndGivesTheChallengerItsPart() public {
        uint64 id = provide(100 ether);
        slash(id, "fault", 40 ether);
        assertEq(STAKES.getVotes(alice), 60 ether);
        assertEq(STAKES.getVotes(challenger), 20 ether);
        vm.warp(block.timestamp + 1);
        assertEq(STAKES.getPastTotalSupply(block.timestamp - 1), 80 ether);
    }

    function test_delegate_movesAllAndBackAgain() public {
        stake(bob, 10 ether);
        stake(carol, 1 ether);
        assertEq(STAKES.delegates(bob), bob);
        vm.expectEmit();
        emit IVotes.DelegateChanged(bob, bob, carol);
        vm.expectEmit();
        emit IVotes.DelegateVotesChanged(bob, 10 ether, 0);
        vm.expectEmit();
        emit IVotes.DelegateVotesChanged(carol, 1 ether, 11 ether);
        vm.prank(bob);
        STAKES.delegate(carol);
        stake(bob, 5 ether);
        assertEq(STAKES.getVotes(carol), 16 ether);
        assertEq(STAKES.getVotes(bob), 0);
        // A second time, or in a circle, changes nothing more.
        vm.prank(bob);
        STAKES.delegate(carol);
        vm.prank(carol);
        STAKES.delegate(bob);
        assertEq(STAKES.getVotes(carol), 15 ether);
        assertEq(STAKES.getVotes(bob), 1 ether);
        vm.prank(bob);
        STAKES.delegate(address(0));
        assertEq(STAKES.delegates(bob), bob);
        assertEq(STAKES.getVotes(bob), 16 ether);
        assertEq(STAKES.getVotes(carol), 0);
    }

    function test_delegateBySig_onceAndInTime() public {
        (address signer, uint256 key) = makeAddrAndKey("signer");
        stake(signer, 3 ether);
        uint256 expiry = block.timestamp + 1;
        (uint8 v, bytes32 r, bytes32 s) = _sign(key, bob, 0, expiry);
        STAKES.delegateBySig(bob, 0, expiry, v, r, s);
        assertEq(STAKES.getVotes(bob), 3 ether);
        vm.expectRevert(abi.encodeWithSelector(StakeVotes.InvalidAccountNonce.selector, signer, 1));
        STAKES.delegateBySig(bob, 0, expiry, v, r, s);
        (v, r, s) = _sign(key, carol, 1, expiry);
        vm.warp(expiry + 1);
        vm.expectRevert(abi.encodeWithSelector(IVotes.VotesExpiredSignature.selector, expiry));
        STAKES.delegateBySig(carol, 1, expiry, v, r, s);
        vm.expectRevert(StakeVotes.BadSignature.selector);
        STAKES.delegateBySig(carol, 1, expiry + 1, 1, r, s);
        assertEq(STAKES.getVotes(bob), 3 ether);
    }

    function _sign(uint256 key, address delegatee, uint256 nonce, uint256 expiry)
        private
        view
        returns (uint8, bytes32, bytes32)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Tributary StakeManager"),
                keccak256("1"),
                block.chainid,
                address(STAKES)
            )
        );
        bytes32 terms = keccak256(abi.encode(DELEGATION, delegatee, nonce, expiry));
        return vm.sign(key, keccak256(abi.encodePacked(hex"1901", domain, terms)));
    }
}
