// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Withdrawal} from "src/l1/Withdrawal.sol";
import {ISystemConfig} from "src/l1/interfaces/ISystemConfig.sol";
import {WithdrawalTest} from "./WithdrawalTest.sol";

/// Everybody who runs the network is gone for sixty days, or has turned against it as far as a key allows: no batch, no
/// proposer, no relayer, no vote of the timelock. A user with an account of their own gets out, in the promised time.
contract WalkawayTest is WithdrawalTest {
    address private constant PASSER = 0x4200000000000000000000000000000000000016;

    address private alone = makeAddr("alone");

    function setUp() public override {
        super.setUp();
        vm.prank(user);
        token.transfer(alone, 1 ether);
        vm.deal(alone, 10 ether);
        vm.prank(alone);
        token.approve(address(portal), type(uint256).max);
    }

    /// One exit, from the queue to the payment, by `alone` alone. Returns the seconds that it took.
    function _leave(address to, uint256 value) private returns (uint256 took) {
        took = block.timestamp;
        vm.startPrank(alone, alone);
        portal.deposit(PASSER, 0, value, 300_000, false, "");
        pass(WINDOW_S + 1);
        inbox.forceAdvance();
        Withdrawal memory w = payment(to, value);
        ++l2Number;
        uint64 count = inbox.recordCount();
        bytes32 acc = inbox.batchAccs(count);
        tip = rollup.assertOutput{value: BOND}(rollup.latestConfirmed(), count, acc, l2Number, rootOf(parts()));
        portal.proveWithdrawalTransaction(w, rollup.outputIndexOf(tip), parts(), proofOf(w));
        pass(CHALLENGE_S + 1);
        for (uint256 days_ = 0; portal.paused(); ++days_) {
            assertLt(days_, 30, "a pause ends");
            pass(1 days);
        }
        portal.finalizeWithdrawalTransaction(w);
        rollup.withdrawBond(tip);
        vm.stopPrank();
        assertEq(token.balanceOf(to), value);
        took = block.timestamp - took;
    }

    function test_withoutAnybody_sixtyDays_everythingLeaves() public {
        uint256 end = block.timestamp + 60 days;
        uint256 left = portal.escrowed();
        for (uint160 n = 1; block.timestamp < end; ++n) {
            uint256 took = _leave(address(n << 20), 7 ether);
            assertLe(took, WINDOW_S + CHALLENGE_S + 1 hours);
            left -= 7 ether;
        }
        assertEq(portal.escrowed(), left);
        assertEq(alone.balance, 10 ether, "no bond is lost");
    }

    /// Whoever has the council's key can delay by thirty days of sixty, and by nothing else.
    function test_stolenCouncilKey_delaysByThirtyDays() public {
        vm.prank(council);
        config.pause();
        uint256 took = _leave(address(0xa11ce), 7 ether);
        assertLe(took, 30 days + 1 days);
        assertGe(took, 30 days - WINDOW_S - 1 days);
        vm.prank(council);
        vm.expectPartialRevert(ISystemConfig.PauseUsedUp.selector);
        config.pause();
        took = _leave(address(0xb0b), 7 ether);
        assertLe(took, WINDOW_S + CHALLENGE_S + 1 hours);
    }

    /// A lost council key stops nobody but the council; the owner names another.
    function test_lostCouncilKey_isReplaced() public {
        vm.prank(address(timelock));
        config.setCouncil(address(0));
        vm.expectRevert(abi.encodeWithSelector(ISystemConfig.NotCouncil.selector, address(this)));
        config.pause();
        _leave(address(0xa11ce), 7 ether);
        address next = makeAddr("next council");
        vm.prank(address(timelock));
        config.setCouncil(next);
        vm.prank(next);
        config.pause();
        assertTrue(portal.paused());
    }

    /// A recipient that nobody has the key of loses fees that it was sent; it stops no deposit, and is replaced.
    function test_lostFeeRecipient_isReplaced() public {
        address next = makeAddr("next recipient");
        force();
        vm.prank(address(timelock));
        config.setFeeRecipient(next);
        uint256 fees = portal.gasFees();
        portal.collectGasFees();
        assertEq(token.balanceOf(next), fees);
        assertEq(token.balanceOf(feeRecipient), 0);
    }

    /// Who has the sequencer's key signs batches, and can name no entry that the queue does not have: OPEN is minted by
    /// entries alone. The owner names another key, and the old one is nobody's.
    function test_stolenSequencerKey_isReplaced_andStopsNoExit() public {
        postCalldata("the thief's");
        _leave(address(0xa11ce), 7 ether);
        (address next,) = makeAddrAndKey("next sequencer");
        vm.prank(address(timelock));
        config.setSequencer(next);
        bytes memory payload = "the thief's again";
        bytes memory signature = sign(calldataRecord(payload));
        bytes memory call = abi.encodeCall(inbox.post, (calldataRecord(payload), signature, payload));
        (bool ok,) = address(inbox).call(call);
        assertFalse(ok);
        _leave(address(0xb0b), 7 ether);
    }

    /// A pause holds back payment, and neither the claim that contradicts a false one, nor what leads to it.
    function test_pause_stopsNoContradiction() public {
        postCalldata("payload");
        uint64 count = inbox.recordCount();
        bytes32 acc = inbox.batchAccs(count);
        bytes32 genesis = rollup.genesis();
        bytes32 lie = rollup.assertOutput{value: BOND}(genesis, count, acc, 1, keccak256("a lie"));
        vm.prank(council);
        config.pause();
        bytes32 truth = rollup.assertOutput{value: BOND}(genesis, count, acc, 1, keccak256("the truth"));
        assertTrue(rollup.isContested(lie) && rollup.isContested(truth));
        pass(CHALLENGE_S + 30 days);
        assertFalse(portal.paused());
        vm.expectPartialRevert(bytes4(keccak256("IsContested(bytes32)")));
        rollup.confirm(lie);
    }
}
