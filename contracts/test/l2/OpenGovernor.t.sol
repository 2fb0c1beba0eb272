// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {IFeePolicy} from "src/l2/IFeePolicy.sol";
import {IGrantPool} from "src/l2/IGrantPool.sol";
import {IOpenGovernor} from "src/l2/IOpenGovernor.sol";
import {IPoolLedger} from "src/l2/IPoolLedger.sol";
import {IRevenueRouter} from "src/l2/IRevenueRouter.sol";
import {IStakeManager} from "src/l2/IStakeManager.sol";
import {IWrappedOpen} from "src/l2/IWrappedOpen.sol";
import {Pools} from "src/l2/Pools.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {GovernorTest} from "./GovernorTest.sol";

contract OpenGovernorTest is GovernorTest {
    bytes private classes = abi.encodeCall(IFeePolicy.setClasses, (30_000_000, 30_000_000, 100_000_000));

    function setUp() public override {
        super.setUp();
        stake(bob, 10_000_000 ether);
        skip(1);
    }

    function test_genesis_hasTheNumbers() public view {
        assertEq(GOVERNOR.votingDelay(), 1 days);
        assertEq(GOVERNOR.votingPeriod(), 7 days);
        assertEq(GOVERNOR.lateQuorumVoteExtension(), 2 days);
        assertEq(GOVERNOR.proposalThreshold(), 1_000_000 ether);
        assertEq(GOVERNOR.name(), "Tributary Governor");
        assertEq(GOVERNOR.version(), "1");
        assertEq(GOVERNOR.clock(), block.timestamp);
        assertEq(GOVERNOR.CLOCK_MODE(), STAKES.CLOCK_MODE());
        assertEq(GOVERNOR.COUNTING_MODE(), "support=bravo,fractional&quorum=for,abstain&params=fractional");
        (, string memory name, string memory version, uint256 chain, address where,,) = GOVERNOR.eip712Domain();
        assertEq(name, "Tributary Governor");
        assertEq(version, "1");
        assertEq(chain, block.chainid);
        assertEq(where, Predeploys.GOVERNOR);
        assertLe(Predeploys.GOVERNOR.code.length, 24_576);
    }

    function test_change_afterVoteAndDelay() public {
        uint256 id = propose(bob, Predeploys.FEE_POLICY, classes);
        vm.expectRevert();
        GOVERNOR.castVote(id, FOR);
        skip(1 days + 1);
        castVote(bob, id, FOR);
        skip(7 days);
        assertEq(uint8(GOVERNOR.state(id)), uint8(IGovernor.ProposalState.Succeeded));
        queue(Predeploys.FEE_POLICY, classes);
        uint256 eta = block.timestamp + 7 days;
        skip(7 days - 1);
        vm.expectRevert(abi.encodeWithSelector(IOpenGovernor.TooEarly.selector, eta));
        execute(Predeploys.FEE_POLICY, classes);
        skip(1);
        execute(Predeploys.FEE_POLICY, classes);
        skip(2 days);
        (uint32 protocol, uint32 burn, uint32 stakers) = POLICY.classes();
        assertEq(protocol, 30_000_000);
        assertEq(burn, 30_000_000);
        assertEq(stakers, 100_000_000);
        vm.expectRevert();
        execute(Predeploys.FEE_POLICY, classes);
    }

    function test_execute_withoutQueue_reverts() public {
        uint256 id = propose(bob, Predeploys.FEE_POLICY, classes);
        skip(1 days + 1);
        castVote(bob, id, FOR);
        skip(30 days);
        vm.expectRevert();
        execute(Predeploys.FEE_POLICY, classes);
    }

    /// I11: a vote moves a number to its bound, never beyond.
    function test_change_atTheBound_passes_beyond_fails() public {
        bytes memory data = abi.encodeCall(IFeePolicy.setClasses, (30_010_000, 0, 0));
        pass(bob, Predeploys.FEE_POLICY, data);
        vm.expectRevert(abi.encodeWithSelector(IFeePolicy.OutOfBounds.selector, 30_010_000, 0, 30_000_000));
        execute(Predeploys.FEE_POLICY, data);
        data = abi.encodeCall(IFeePolicy.setUpstreamMax, (500_000_001));
        pass(bob, Predeploys.FEE_POLICY, data);
        vm.expectRevert(abi.encodeWithSelector(IFeePolicy.OutOfBounds.selector, 500_000_001, 100_000_000, 500_000_000));
        execute(Predeploys.FEE_POLICY, data);
        data = abi.encodeCall(IStakeManager.setVerifier, (OPERATOR, alice, 28 days + 1));
        pass(bob, Predeploys.STAKE_MANAGER, data);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.OutOfBounds.selector, 28 days + 1, 1 days, 28 days));
        execute(Predeploys.STAKE_MANAGER, data);
        data = abi.encodeCall(IFeePolicy.setUpstreamMax, (500_000_000));
        pass(bob, Predeploys.FEE_POLICY, data);
        execute(Predeploys.FEE_POLICY, data);
        skip(2 days);
        assertEq(POLICY.upstreamMaxPpb(), 500_000_000);
    }

    function test_propose_everythingInScope() public {
        propose(bob, Predeploys.FEE_POLICY, abi.encodeCall(IFeePolicy.acceptOwnership, ()));
        propose(bob, Predeploys.REVENUE_ROUTER, abi.encodeCall(IRevenueRouter.setChannel, (alice, true)));
        propose(bob, Predeploys.STAKE_MANAGER, abi.encodeCall(IStakeManager.setVerifier, (OPERATOR, alice, 7 days)));
        propose(bob, Predeploys.POOL_LEDGER, abi.encodeCall(IPoolLedger.setUnits, (Pools.TREASURY, alice, 1)));
        propose(bob, Predeploys.GRANT_POOL, abi.encodeCall(IGrantPool.setRho, (1)));
        propose(bob, Predeploys.GRANT_POOL, abi.encodeCall(IGrantPool.list, (1, 1)));
        propose(bob, Predeploys.GRANT_POOL, abi.encodeCall(IGrantPool.unlist, (1)));
    }

    function test_propose_outOfScope_reverts() public {
        _refused(Predeploys.FEE_POLICY, abi.encodeCall(IFeePolicy.offerOwnership, (bob)));
        _refused(Predeploys.POOL_LEDGER, abi.encodeCall(IPoolLedger.setController, (Pools.TREASURY, bob)));
        _refused(Predeploys.POOL_LEDGER, abi.encodeCall(IPoolLedger.setUnits, (7, bob, 1)));
        _refused(Predeploys.POOL_LEDGER, abi.encodeWithSelector(IPoolLedger.setUnits.selector));
        _refused(Predeploys.STAKE_MANAGER, abi.encodeCall(IStakeManager.slash, (1, "", 1, bob)));
        _refused(Predeploys.STAKE_MANAGER, abi.encodeCall(IStakeManager.withdraw, (bob, 1)));
        _refused(Predeploys.WRAPPED_OPEN, abi.encodeCall(IWrappedOpen.withdraw, (1)));
        _refused(Predeploys.GOVERNOR, abi.encodeCall(GOVERNOR.setLateQuorumVoteExtension, (0)));
        _refused(Predeploys.GOVERNOR, abi.encodeCall(GOVERNOR.relay, (bob, 0, "")));
        _refused(bob, "");
        _refused(Predeploys.FEE_POLICY, "");
    }

    function testFuzz_propose_onlyWhatIsInScope(uint8 which, bytes4 selector, bytes calldata rest) public {
        address[6] memory targets = [
            Predeploys.FEE_POLICY,
            Predeploys.REVENUE_ROUTER,
            Predeploys.STAKE_MANAGER,
            Predeploys.GRANT_POOL,
            Predeploys.POOL_LEDGER,
            Predeploys.SPEND_ACCOUNT
        ];
        bytes memory data = abi.encodePacked(selector, rest);
        if (GOVERNOR.isInScope(targets[which % 6], data)) return;
        _refused(targets[which % 6], data);
    }

    function test_propose_withValue_reverts() public {
        (address[] memory targets, uint256[] memory values, bytes[] memory calldatas) =
            action(Predeploys.FEE_POLICY, classes);
        values[0] = 1;
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(IOpenGovernor.OutOfScope.selector, 0));
        GOVERNOR.propose(targets, values, calldatas, "why");
        (values, calldatas) = (new uint256[](0), new bytes[](0));
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorInvalidProposalLength.selector, 1, 0, 0));
        GOVERNOR.propose(targets, values, calldatas, "why");
    }

    function test_propose_belowTheThreshold_reverts() public {
        stake(carol, 1_000_000 ether - 1);
        skip(1);
        vm.prank(carol);
        (address[] memory targets, uint256[] memory values, bytes[] memory calldatas) =
            action(Predeploys.FEE_POLICY, classes);
        vm.expectRevert(
            abi.encodeWithSelector(
                IGovernor.GovernorInsufficientProposerVotes.selector, carol, 1_000_000 ether - 1, 1_000_000 ether
            )
        );
        GOVERNOR.propose(targets, values, calldatas, "why");
    }

    /// The same stake, moved to another account while voting runs, votes once.
    function test_vote_withStakeThatMoved_countsOnce() public {
        uint256 id = propose(bob, Predeploys.FEE_POLICY, classes);
        skip(1 days + 1);
        castVote(bob, id, FOR);
        vm.prank(bob);
        STAKES.withdraw(carol, 10_000_000 ether);
        vm.prank(carol);
        STAKES.deposit{value: 10_000_000 ether}(carol);
        skip(1);
        vm.expectRevert();
        castVote(carol, id, FOR);
        // Nor by a delegatee that gets it now.
        vm.prank(carol);
        STAKES.delegate(alice);
        skip(1);
        vm.expectRevert();
        castVote(alice, id, FOR);
        (, uint256 forVotes,) = GOVERNOR.proposalVotes(id);
        assertEq(forVotes, 10_000_000 ether);
        vm.expectRevert();
        castVote(bob, id, FOR);
    }

    function test_vote_provisionedAndDelegatedStake_votes() public {
        uint64 provision = provide(100_000 ether);
        delegated(carol, provision, 800_000 ether);
        uint256 id = propose(bob, Predeploys.FEE_POLICY, classes);
        skip(1 days + 1);
        castVote(alice, id, FOR);
        castVote(carol, id, AGAINST);
        (uint256 against, uint256 forVotes,) = GOVERNOR.proposalVotes(id);
        assertEq(forVotes, 100_000 ether);
        assertEq(against, 800_000 ether);
    }

    /// Who votes for many can split as they said.
    function test_vote_fractional() public {
        uint256 id = propose(bob, Predeploys.FEE_POLICY, classes);
        skip(1 days + 1);
        vm.prank(bob);
        GOVERNOR.castVoteWithReasonAndParams(
            id, 255, "", abi.encodePacked(uint128(1 ether), uint128(2 ether), uint128(3 ether))
        );
        (uint256 against, uint256 forVotes, uint256 abstained) = GOVERNOR.proposalVotes(id);
        assertEq(against, 1 ether);
        assertEq(forVotes, 2 ether);
        assertEq(abstained, 3 ether);
        vm.prank(bob);
        vm.expectRevert();
        GOVERNOR.castVoteWithReasonAndParams(
            id, 255, "", abi.encodePacked(uint128(0), uint128(10_000_000 ether), uint128(0))
        );
    }

    function test_quorum_partOfTheStakeAndAFloor() public {
        assertEq(GOVERNOR.quorum(block.timestamp - 1), 4_000_000 ether);
        stake(carol, 190_000_000 ether);
        skip(1);
        assertEq(GOVERNOR.quorum(block.timestamp - 1), 8_000_000 ether);
    }

    function test_vote_belowTheQuorum_isDefeated() public {
        vm.prank(bob);
        STAKES.withdraw(bob, 6_000_001 ether);
        skip(1);
        uint256 id = propose(bob, Predeploys.FEE_POLICY, classes);
        skip(1 days + 1);
        castVote(bob, id, FOR);
        skip(7 days);
        assertEq(uint8(GOVERNOR.state(id)), uint8(IGovernor.ProposalState.Defeated));
        vm.expectRevert();
        queue(Predeploys.FEE_POLICY, classes);
    }

    /// A quorum in the last minute leaves two days for the others.
    function test_vote_lateQuorum_extends() public {
        stake(carol, 20_000_000 ether);
        uint256 id = propose(bob, Predeploys.FEE_POLICY, classes);
        skip(8 days);
        uint256 at_ = block.timestamp;
        castVote(bob, id, FOR);
        assertEq(GOVERNOR.proposalDeadline(id), at_ + 2 days);
        skip(2 days);
        castVote(carol, id, AGAINST);
        skip(1);
        assertEq(uint8(GOVERNOR.state(id)), uint8(IGovernor.ProposalState.Defeated));
    }

    function test_guardian_cancelsUntilItsTimeIsOver() public {
        pass(bob, Predeploys.FEE_POLICY, classes);
        cancel(guardian, Predeploys.FEE_POLICY, classes);
        vm.expectRevert();
        execute(Predeploys.FEE_POLICY, classes);

        bytes memory data = abi.encodeCall(IFeePolicy.setUpstreamMax, (200_000_000));
        vm.warp(guardianUntil - 10 days);
        pass(bob, Predeploys.FEE_POLICY, data);
        assertEq(GOVERNOR.proposalGuardian(), address(0));
        vm.expectRevert();
        cancel(guardian, Predeploys.FEE_POLICY, data);
        vm.expectRevert();
        cancel(address(0), Predeploys.FEE_POLICY, data);
        execute(Predeploys.FEE_POLICY, data);
    }

    function test_guardian_isTheGuardianToTheLastSecond() public {
        vm.warp(guardianUntil - 1);
        assertEq(GOVERNOR.proposalGuardian(), guardian);
        vm.warp(guardianUntil);
        assertEq(GOVERNOR.proposalGuardian(), address(0));
    }

    function test_cancel_byTheProposer_onlyBeforeVoting() public {
        uint256 id = propose(bob, Predeploys.FEE_POLICY, classes);
        vm.expectRevert();
        cancel(carol, Predeploys.FEE_POLICY, classes);
        skip(1 days + 1);
        vm.expectRevert();
        cancel(bob, Predeploys.FEE_POLICY, classes);
        assertEq(uint8(GOVERNOR.state(id)), uint8(IGovernor.ProposalState.Active));
    }

    function test_governor_takesNoOpen() public {
        vm.deal(alice, 2);
        vm.prank(alice);
        (bool ok,) = Predeploys.GOVERNOR.call{value: 1}("");
        assertFalse(ok);
        pass(bob, Predeploys.FEE_POLICY, classes);
        (address[] memory targets, uint256[] memory values, bytes[] memory calldatas) =
            action(Predeploys.FEE_POLICY, classes);
        vm.prank(alice);
        vm.expectRevert(IOpenGovernor.HoldsNothing.selector);
        GOVERNOR.execute{value: 1}(targets, values, calldatas, keccak256("why"));
    }

    function _refused(address target, bytes memory data) private {
        (address[] memory targets, uint256[] memory values, bytes[] memory calldatas) = action(target, data);
        assertFalse(GOVERNOR.isInScope(target, data));
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(IOpenGovernor.OutOfScope.selector, 0));
        GOVERNOR.propose(targets, values, calldatas, "why");
    }
}
