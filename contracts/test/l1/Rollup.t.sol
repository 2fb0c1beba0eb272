// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ProxyAdmin} from "@openzeppelin/contracts/proxy/transparent/ProxyAdmin.sol";
import {ITransparentUpgradeableProxy} from "@openzeppelin/contracts/proxy/transparent/TransparentUpgradeableProxy.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {Rollup} from "src/l1/Rollup.sol";
import {IInbox} from "src/l1/interfaces/IInbox.sol";
import {IRollup} from "src/l1/interfaces/IRollup.sol";
import {JudgingRollup} from "./JudgingRollup.sol";
import {L1Test} from "./L1Test.sol";

/// Refuses ETH.
contract NoPurse {
    function assertOutput(Rollup rollup, bytes32 parent, uint64 index, bytes32 acc, uint64 number, bytes32 root)
        external
        payable
        returns (bytes32)
    {
        return rollup.assertOutput{value: msg.value}(parent, index, acc, number, root);
    }
}

/// Takes its bond and asks for it again from within.
contract Greedy is NoPurse {
    Rollup private _rollup;
    bytes32 private _id;
    bool public again;

    function aim(Rollup rollup, bytes32 id) external {
        (_rollup, _id) = (rollup, id);
    }

    receive() external payable {
        (again,) = address(_rollup).call(abi.encodeCall(Rollup.withdrawBond, (_id)));
    }
}

contract RollupTest is L1Test {
    bytes32 private genesis;
    address private alice = makeAddr("alice");
    address private bob = makeAddr("bob");

    function setUp() public override {
        super.setUp();
        genesis = rollup.genesis();
        vm.deal(alice, 100 ether);
        vm.deal(bob, 100 ether);
        for (uint256 i = 0; i < 5; ++i) {
            postCalldata(abi.encode(i));
        }
    }

    /// `who` asserts that after `index` records L2 is at block `number`, with a root named after `root`.
    function _say(address who, bytes32 parent, uint64 index, uint64 number, string memory root)
        private
        returns (bytes32)
    {
        bytes32 acc = inbox.batchAccs(index);
        vm.prank(who);
        return rollup.assertOutput{value: BOND}(parent, index, acc, number, keccak256(bytes(root)));
    }

    function _afterWindow() private {
        pass(CHALLENGE_S + 1);
    }

    // Genesis

    function test_genesis_isConfirmed() public view {
        assertEq(rollup.latestConfirmed(), genesis);
        assertTrue(rollup.isConfirmed(genesis));
        IRollup.Assertion memory a = rollup.assertion(genesis);
        assertEq(a.outputRoot, GENESIS_ROOT);
        assertEq(a.recordIndex, 0);
        assertEq(a.l2Number, 0);
        assertEq(
            genesis,
            keccak256(abi.encode(bytes32(0), uint64(0), bytes32(0), uint64(0), GENESIS_ROOT, PROGRAM, address(0)))
        );
    }

    function test_initialise_again_orBadly_reverts() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        rollup.initialise(1, GENESIS_ROOT);
        address implementation = address(new Rollup(inbox, config));
        vm.expectRevert(IRollup.ZeroOutputRoot.selector);
        proxy(implementation, abi.encodeCall(Rollup.initialise, (1, 0)));
        vm.expectRevert(IRollup.BadParams.selector);
        proxy(implementation, abi.encodeCall(Rollup.initialise, (0, GENESIS_ROOT)));
    }

    // Asserting

    function test_assert_storesAndEmits() public {
        bytes32 root = keccak256("one");
        bytes32 acc = inbox.batchAccs(2);
        bytes32 want = keccak256(abi.encode(genesis, uint64(2), acc, uint64(10), root, PROGRAM, alice));
        vm.expectEmit(address(rollup));
        emit IRollup.Asserted(want, genesis, alice, 2, acc, 10, root, PROGRAM);
        bytes32 id = _say(alice, genesis, 2, 10, "one");
        assertEq(id, want);
        IRollup.Assertion memory a = rollup.assertion(id);
        assertEq(a.parent, genesis);
        assertEq(a.outputRoot, root);
        assertEq(a.programHash, PROGRAM);
        assertEq(a.proposer, alice);
        assertEq(a.assertedAt, block.timestamp);
        assertEq(a.bond, BOND);
        assertEq(a.recordIndex, 2);
        assertEq(a.l2Number, 10);
        assertFalse(rollup.isConfirmed(id));
        assertFalse(rollup.isContested(id));
    }

    function test_assert_wrongBond_reverts() public {
        bytes32 acc = inbox.batchAccs(1);
        for (uint256 i = 0; i < 2; ++i) {
            uint256 given = i == 0 ? BOND - 1 : BOND + 1;
            vm.prank(alice);
            vm.expectRevert(abi.encodeWithSelector(IRollup.WrongBond.selector, given, BOND));
            rollup.assertOutput{value: given}(genesis, 1, acc, 1, keccak256("one"));
        }
    }

    function test_assert_twiceByOne_reverts() public {
        bytes32 id = _say(alice, genesis, 1, 1, "one");
        bytes32 acc = inbox.batchAccs(1);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IRollup.AlreadyAsserted.selector, id));
        rollup.assertOutput{value: BOND}(genesis, 1, acc, 1, keccak256("one"));
    }

    function test_assert_batchAccMustBeTheInboxes() public {
        bytes32 acc = inbox.batchAccs(2);
        bytes32 other = inbox.batchAccs(1);
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(IRollup.WrongBatchAcc.selector, acc));
        rollup.assertOutput{value: BOND}(genesis, 2, other, 1, keccak256("one"));
        vm.expectRevert(abi.encodeWithSelector(IRollup.WrongBatchAcc.selector, acc));
        rollup.assertOutput{value: BOND}(genesis, 2, 0, 1, keccak256("one"));
    }

    /// A record that does not exist yet has no accumulator, not a zero one.
    function test_assert_beyondTheRecords_reverts() public {
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IInbox.UnknownIndex.selector, 6));
        rollup.assertOutput{value: BOND}(genesis, 6, 0, 1, keccak256("one"));
    }

    function test_assert_zeroRoot_reverts() public {
        bytes32 acc = inbox.batchAccs(1);
        vm.prank(alice);
        vm.expectRevert(IRollup.ZeroOutputRoot.selector);
        rollup.assertOutput{value: BOND}(genesis, 1, acc, 1, 0);
    }

    function test_assert_onUnknownParent_reverts() public {
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(IRollup.UnknownAssertion.selector, bytes32(0)));
        rollup.assertOutput{value: BOND}(0, 1, 0, 1, keccak256("one"));
    }

    function test_assert_mustGrowOverItsParent_inBoth() public {
        bytes32 one = _say(alice, genesis, 2, 10, "one");
        bytes32 acc2 = inbox.batchAccs(2);
        bytes32 acc3 = inbox.batchAccs(3);
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotBeyondParent.selector, 2, 10));
        rollup.assertOutput{value: BOND}(one, 2, acc2, 11, keccak256("two"));
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotBeyondParent.selector, 2, 10));
        rollup.assertOutput{value: BOND}(one, 3, acc3, 10, keccak256("two"));
        rollup.assertOutput{value: BOND}(one, 3, acc3, 11, keccak256("two"));
    }

    // Confirming

    function test_confirm_onlyAfterTheWindow_toTheSecond() public {
        bytes32 id = _say(alice, genesis, 1, 1, "one");
        uint256 until = block.timestamp + CHALLENGE_S;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(IRollup.WindowOpen.selector, until));
        rollup.confirm(id);
        vm.warp(until + 1);
        vm.expectEmit(address(rollup));
        emit IRollup.Confirmed(id, 1, 1, keccak256("one"));
        rollup.confirm(id);
        assertEq(rollup.latestConfirmed(), id);
        vm.expectRevert(abi.encodeWithSelector(IRollup.AlreadyConfirmed.selector, id));
        rollup.confirm(id);
    }

    function test_confirm_aChain_inOrder() public {
        bytes32 one = _say(alice, genesis, 1, 1, "one");
        bytes32 two = _say(bob, one, 3, 7, "two");
        _afterWindow();
        vm.expectRevert(abi.encodeWithSelector(IRollup.ParentNotConfirmed.selector, one));
        rollup.confirm(two);
        rollup.confirm(one);
        rollup.confirm(two);
        assertEq(rollup.latestConfirmed(), two);
    }

    function test_confirm_unknown_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IRollup.UnknownAssertion.selector, bytes32(uint256(5))));
        rollup.confirm(bytes32(uint256(5)));
        assertFalse(rollup.isConfirmed(bytes32(uint256(5))));
        assertFalse(rollup.isConfirmed(0));
    }

    function test_confirm_whilePaused_waits() public {
        bytes32 id = _say(alice, genesis, 1, 1, "one");
        _afterWindow();
        vm.prank(council);
        config.pause();
        vm.expectRevert(IRollup.FinalisationPaused.selector);
        rollup.confirm(id);
        vm.warp(block.timestamp + 30 days);
        rollup.confirm(id);
    }

    // Rivals

    function test_rival_sameParentOtherRoot_stopsBoth() public {
        bytes32 good = _say(alice, genesis, 1, 1, "good");
        bytes32 acc = inbox.batchAccs(1);
        bytes32 badId = keccak256(abi.encode(genesis, uint64(1), acc, uint64(1), keccak256("bad"), PROGRAM, bob));
        bytes32 genesisClaim = rollup.assertion(genesis).claim;
        vm.expectEmit(address(rollup));
        emit IRollup.Contested(badId, keccak256(abi.encode(genesisClaim, uint64(1), acc, uint64(1), keccak256("bad"))));
        bytes32 bad = _say(bob, genesis, 1, 1, "bad");
        _stuck(good, bad);
    }

    function test_rival_sameParentOtherNumber_stopsBoth() public {
        _stuck(_say(alice, genesis, 1, 1, "one"), _say(bob, genesis, 1, 2, "one"));
    }

    function test_rival_sameParentOtherRecord_stopsBoth() public {
        _stuck(_say(alice, genesis, 1, 1, "one"), _say(bob, genesis, 2, 2, "two"));
    }

    function test_rival_sameRecordOtherParent_stopsBoth() public {
        bytes32 one = _say(alice, genesis, 1, 1, "one");
        bytes32 two = _say(alice, one, 2, 2, "two");
        bytes32 three = _say(alice, two, 3, 3, "three");
        bytes32 rival = _say(bob, one, 3, 3, "other three");
        _afterWindow();
        rollup.confirm(one);
        assertTrue(rollup.isContested(three));
        assertTrue(rollup.isContested(rival));
        // The rival has two's parent too.
        vm.expectRevert(abi.encodeWithSelector(IRollup.IsContested.selector, two));
        rollup.confirm(two);
    }

    function test_rival_afterTheWindowButBeforeConfirmation_stillCounts() public {
        bytes32 one = _say(alice, genesis, 1, 1, "one");
        _afterWindow();
        bytes32 late = _say(bob, genesis, 1, 1, "late");
        _stuck(one, late);
    }

    function test_rival_ofAConfirmedClaim_isRefused() public {
        bytes32 one = _say(alice, genesis, 1, 1, "one");
        _afterWindow();
        rollup.confirm(one);
        bytes32 acc = inbox.batchAccs(1);
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(IRollup.BehindConfirmed.selector, one));
        rollup.assertOutput{value: BOND}(genesis, 1, acc, 1, keccak256("late"));
    }

    function test_rival_stopsDescendantsToo() public {
        bytes32 one = _say(alice, genesis, 1, 1, "one");
        bytes32 two = _say(alice, one, 2, 2, "two");
        _say(bob, genesis, 1, 1, "bad");
        _afterWindow();
        vm.expectRevert(abi.encodeWithSelector(IRollup.ParentNotConfirmed.selector, one));
        rollup.confirm(two);
    }

    function test_bondOfContested_staysLocked() public {
        bytes32 good = _say(alice, genesis, 1, 1, "good");
        _say(bob, genesis, 1, 1, "bad");
        _afterWindow();
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotConfirmed.selector, good));
        rollup.withdrawBond(good);
    }

    function _stuck(bytes32 a, bytes32 b) private {
        assertTrue(rollup.isContested(a));
        assertTrue(rollup.isContested(b));
        _afterWindow();
        vm.expectRevert(abi.encodeWithSelector(IRollup.IsContested.selector, a));
        rollup.confirm(a);
        vm.expectRevert(abi.encodeWithSelector(IRollup.IsContested.selector, b));
        rollup.confirm(b);
        assertEq(rollup.latestConfirmed(), genesis);
    }

    // Twins

    function test_twins_areNoRivals_andShareConfirmation() public {
        bytes32 one = _say(alice, genesis, 1, 1, "one");
        bytes32 twin = _say(bob, genesis, 1, 1, "one");
        assertTrue(one != twin);
        assertFalse(rollup.isContested(one));
        _afterWindow();
        rollup.confirm(twin);
        assertTrue(rollup.isConfirmed(one));
        rollup.withdrawBond(one);
        rollup.withdrawBond(twin);
        assertEq(alice.balance, 100 ether);
        assertEq(bob.balance, 100 ether);
        vm.expectRevert(abi.encodeWithSelector(IRollup.AlreadyConfirmed.selector, one));
        rollup.confirm(one);
    }

    function test_twins_childOfOneFollowsTheOther() public {
        bytes32 one = _say(alice, genesis, 1, 1, "one");
        bytes32 twin = _say(bob, genesis, 1, 1, "one");
        bytes32 child = _say(alice, one, 2, 2, "two");
        bytes32 childOfTwin = _say(bob, twin, 2, 2, "two");
        assertFalse(rollup.isContested(child));
        _afterWindow();
        rollup.confirm(twin);
        rollup.confirm(child);
        assertTrue(rollup.isConfirmed(childOfTwin));
    }

    function test_twins_keepTheirOwnWindows() public {
        bytes32 one = _say(alice, genesis, 1, 1, "one");
        pass(1 days);
        bytes32 twin = _say(bob, genesis, 1, 1, "one");
        vm.warp(START + CHALLENGE_S + 1);
        vm.expectPartialRevert(IRollup.WindowOpen.selector);
        rollup.confirm(twin);
        rollup.confirm(one);
    }

    function test_programChange_makesNoRivals() public {
        bytes32 one = _say(alice, genesis, 1, 1, "one");
        vm.prank(address(timelock));
        config.setProgramHash(keccak256("next program"));
        bytes32 twin = _say(alice, genesis, 1, 1, "one");
        assertTrue(one != twin);
        assertFalse(rollup.isContested(one));
        assertEq(rollup.assertion(twin).programHash, keccak256("next program"));
    }

    // Bonds

    function test_withdrawBond_paysTheProposer_once_whoeverCalls() public {
        bytes32 id = _say(alice, genesis, 1, 1, "one");
        vm.prank(address(timelock));
        config.setBond(2 ether);
        _afterWindow();
        rollup.confirm(id);
        vm.expectEmit(address(rollup));
        emit IRollup.BondReturned(id, alice, BOND);
        vm.prank(bob);
        rollup.withdrawBond(id);
        assertEq(alice.balance, 100 ether);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NoBond.selector, id));
        rollup.withdrawBond(id);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NoBond.selector, genesis));
        rollup.withdrawBond(genesis);
    }

    function test_withdrawBond_toAProposerThatRefuses_revertsForItAlone() public {
        NoPurse purse = new NoPurse();
        bytes32 acc = inbox.batchAccs(1);
        bytes32 id = purse.assertOutput{value: BOND}(rollup, genesis, 1, acc, 1, keccak256("one"));
        _afterWindow();
        rollup.confirm(id);
        vm.expectRevert(abi.encodeWithSelector(IRollup.BondTransferFailed.selector, address(purse)));
        rollup.withdrawBond(id);
        assertEq(rollup.assertion(id).bond, BOND);
    }

    function test_withdrawBond_reentered_paysOnce() public {
        Greedy greedy = new Greedy();
        bytes32 acc = inbox.batchAccs(1);
        bytes32 id = greedy.assertOutput{value: BOND}(rollup, genesis, 1, acc, 1, keccak256("one"));
        _say(alice, id, 2, 2, "two");
        greedy.aim(rollup, id);
        _afterWindow();
        rollup.confirm(id);
        rollup.withdrawBond(id);
        assertFalse(greedy.again());
        assertEq(address(greedy).balance, BOND);
        assertEq(address(rollup).balance, BOND);
    }

    // Outputs, as OP clients ask for them

    function test_outputs_areNumberedByClaim_twinsShareOne() public {
        bytes32 one = _say(alice, genesis, 1, 10, "one");
        bytes32 twin = _say(bob, genesis, 1, 10, "one");
        bytes32 two = _say(bob, twin, 2, 20, "two");
        assertEq(rollup.outputIndexOf(genesis), 0);
        assertEq(rollup.outputIndexOf(one), 1);
        assertEq(rollup.outputIndexOf(twin), 1);
        assertEq(rollup.outputIndexOf(two), 2);
        assertEq(rollup.nextOutputIndex(), 3);
        assertEq(rollup.outputAssertion(1), one);
        IRollup.OutputProposal memory o = rollup.getL2Output(2);
        assertEq(o.outputRoot, keccak256("two"));
        assertEq(o.timestamp, block.timestamp);
        assertEq(o.l2BlockNumber, 20);
        (bytes32 root, uint256 windowEnd, uint256 window) = rollup.outputTerms(2);
        assertEq(root, o.outputRoot);
        assertEq(windowEnd, block.timestamp + CHALLENGE_S);
        assertEq(window, rollup.FINALIZATION_PERIOD_SECONDS());
        vm.expectRevert(abi.encodeWithSelector(IRollup.UnknownOutput.selector, 3));
        rollup.getL2Output(3);
    }

    function test_outputAfter_isTheFirstThatCovers() public {
        bytes32 tip = genesis;
        for (uint64 i = 1; i <= 5; ++i) {
            tip = _say(alice, tip, i, 10 * i, string(abi.encode(i)));
            pass(600);
        }
        assertEq(rollup.latestOutputIndex(), 5);
        assertEq(rollup.latestBlockNumber(), 50);
        for (uint256 number = 0; number <= 50; ++number) {
            assertEq(rollup.getL2OutputIndexAfter(number), (number + 9) / 10);
            assertEq(rollup.getL2OutputAfter(number).l2BlockNumber, (number + 9) / 10 * 10);
        }
        vm.expectRevert("L2OutputOracle: cannot get output for a block that has not been proposed");
        rollup.getL2OutputIndexAfter(51);
        assertEq(rollup.SUBMISSION_INTERVAL(), 600);
        assertEq(rollup.L2_BLOCK_TIME(), 1);
    }

    function test_submissionInterval_isNeverNothing_norBeyondAnHour() public {
        assertEq(rollup.SUBMISSION_INTERVAL(), 1);
        bytes32 one = _say(alice, genesis, 1, 1, "one");
        pass(2 days);
        bytes32 two = _say(alice, one, 2, 2, "two");
        assertEq(rollup.SUBMISSION_INTERVAL(), 1 hours);
        _say(alice, two, 3, 3, "three");
        assertEq(rollup.SUBMISSION_INTERVAL(), 1);
    }

    /// A rival, whatever height it claims, hides nothing that was there first.
    function test_path_doesNotFollowRivals() public {
        bytes32 one = _say(alice, genesis, 1, 10, "one");
        bytes32 rival = _say(bob, genesis, 1, type(uint64).max, "rival");
        bytes32 two = _say(alice, one, 2, 20, "two");
        assertEq(rollup.outputIndexOf(two), 3);
        assertEq(rollup.latestBlockNumber(), 20);
        assertEq(rollup.getL2OutputIndexAfter(5), 1);
        assertEq(rollup.getL2OutputIndexAfter(15), 3);
        assertTrue(rollup.isOutputContested(rollup.outputIndexOf(rival)));
        assertFalse(rollup.isOutputContested(3));
    }

    /// A false claim may come first; once it is rejected the path leads on from the right one, which others extend.
    function test_path_turnsToWhatIsConfirmed() public {
        _upgradeToJudging();
        bytes32 falseOne = _say(bob, genesis, 1, 10, "false");
        bytes32 falseTwo = _say(bob, falseOne, 2, 20, "false two");
        bytes32 one = _say(alice, genesis, 1, 10, "one");
        bytes32 two = _say(alice, one, 2, 20, "two");
        bytes32 three = _say(alice, two, 3, 30, "three");
        assertEq(rollup.getL2OutputIndexAfter(15), rollup.outputIndexOf(falseTwo));
        _afterWindow();
        JudgingRollup(address(rollup)).judge(rollup.outputIndexOf(one));
        assertEq(rollup.latestOutputIndex(), rollup.outputIndexOf(one));
        assertEq(rollup.latestConfirmed(), one);

        uint256 index = rollup.outputIndexOf(three);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotOnPath.selector, index));
        rollup.extendPath(index);
        uint256 falseIndex = rollup.outputIndexOf(falseTwo);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotOnPath.selector, falseIndex));
        rollup.extendPath(falseIndex);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotOnPath.selector, 0));
        rollup.extendPath(0);
        rollup.extendPath(rollup.outputIndexOf(two));
        rollup.extendPath(index);
        assertEq(rollup.getL2OutputIndexAfter(25), index);
        JudgingRollup(address(rollup)).judge(rollup.outputIndexOf(two));
        assertEq(rollup.latestOutputIndex(), index);
        assertEq(rollup.getL2OutputIndexAfter(15), rollup.outputIndexOf(two));
    }

    function _upgradeToJudging() private {
        address next = address(new JudgingRollup(inbox, config));
        bytes32 slot = bytes32(uint256(keccak256("eip1967.proxy.admin")) - 1);
        ProxyAdmin admin = ProxyAdmin(address(uint160(uint256(vm.load(address(rollup), slot)))));
        vm.prank(address(timelock));
        admin.upgradeAndCall(ITransparentUpgradeableProxy(address(rollup)), next, "");
    }

    function test_confirmOutput_isConfirmOfItsFirstAssertion() public {
        bytes32 one = _say(alice, genesis, 1, 10, "one");
        pass(1 days);
        _say(bob, genesis, 1, 10, "one");
        vm.warp(START + CHALLENGE_S + 1);
        rollup.confirmOutput(1);
        assertEq(rollup.latestConfirmed(), one);
        assertTrue(portal.isOutputFinalized(1));
        vm.expectRevert(abi.encodeWithSelector(IRollup.AlreadyConfirmed.selector, one));
        rollup.confirmOutput(1);
    }
}
