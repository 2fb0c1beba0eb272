// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IAssetRegistry} from "src/l2/IAssetRegistry.sol";
import {IStakeManager} from "src/l2/IStakeManager.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {Send} from "src/l2/Send.sol";
import {CallsBack, Refuses} from "./Receivers.sol";
import {StakeTest} from "./StakeTest.sol";

contract StakeManagerTest is StakeTest {
    // Deposits

    function test_deposit_isFreeAndLeavesAtOnce() public {
        stake(bob, 5 ether);
        assertEq(STAKES.freeOf(bob), 5 ether);
        assertEq(STAKES.stakedOf(bob), 5 ether);
        vm.prank(bob);
        STAKES.withdraw(carol, 2 ether);
        assertEq(carol.balance, 2 ether);
        assertEq(STAKES.staked(), 3 ether);
        assertEq(STAKES.solvency(), 0);
    }

    function test_deposit_byPlainTransfer_isTheSenders() public {
        vm.deal(bob, 1 ether);
        vm.prank(bob);
        (bool ok,) = Predeploys.STAKE_MANAGER.call{value: 1 ether}("");
        assertTrue(ok);
        assertEq(STAKES.freeOf(bob), 1 ether);
    }

    function test_deposit_beyondTheWords_reverts() public {
        vm.deal(bob, 1 << 97);
        vm.startPrank(bob);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.TooMuch.selector, uint256(1 << 96)));
        STAKES.deposit{value: 1 << 96}(bob);
        vm.expectRevert(IStakeManager.ZeroAmount.selector);
        STAKES.deposit(bob);
        vm.expectRevert(IStakeManager.ZeroAddress.selector);
        STAKES.deposit{value: 1}(address(0));
    }

    function test_withdraw_whatIsNotFree_reverts() public {
        provide(10 ether);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.Insufficient.selector, 0, 1));
        STAKES.withdraw(alice, 1);
    }

    function test_withdraw_toWhoRefuses_reverts() public {
        stake(bob, 1 ether);
        address refuses = address(new Refuses());
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(Send.SendFailed.selector, refuses, 1 ether));
        STAKES.withdraw(refuses, 1 ether);
    }

    function test_withdraw_reentered_paysOnce() public {
        bytes memory again = abi.encodeCall(STAKES.withdraw, (address(0xbad), 1 ether));
        CallsBack thief = new CallsBack(address(STAKES), again, 1);
        stake(carol, 10 ether);
        vm.deal(bob, 1 ether);
        vm.prank(bob);
        STAKES.deposit{value: 1 ether}(address(thief));
        vm.prank(address(thief));
        STAKES.withdraw(address(thief), 1 ether);
        assertFalse(thief.lastOk());
        assertEq(thief.received(), 1 ether);
        assertEq(STAKES.solvency(), 0);
    }

    // Provisions

    function test_provision_holdsWhatItSays() public {
        uint64 id = provide(20_000 ether);
        IStakeManager.Provision memory p = STAKES.provisionOf(id);
        assertEq(p.provider, alice);
        assertEq(p.own, 20_000 ether);
        assertEq(p.verifier, verifier);
        assertEq(p.rewardPpb, HALF);
        assertEq(p.thawS, THAW_S);
        assertEq(p.subject, operator);
        assertEq(STAKES.operatorProvision(operator), id);
        assertEq(STAKES.stakedOf(alice), 20_000 ether);
        assertEq(LEDGER.unitsOf(p.pool, alice), 20_000 ether / STAKES.UNIT());
        assertEq(LEDGER.totalUnits(p.pool), 20_000 ether / STAKES.UNIT());
    }

    function testFuzz_provision_onlyWithinBounds(uint32 rewardPpb, uint32 thawS) public {
        stake(alice, 1 ether);
        vm.prank(alice);
        if (thawS < 7 days || thawS > 28 days) {
            vm.expectRevert(abi.encodeWithSelector(IStakeManager.OutOfBounds.selector, thawS, 7 days, 28 days));
        } else if (rewardPpb > HALF) {
            vm.expectRevert(abi.encodeWithSelector(IStakeManager.OutOfBounds.selector, rewardPpb, 0, HALF));
        }
        STAKES.provision(OPERATOR, operator, verifier, 1 ether, rewardPpb, thawS);
    }

    function test_provision_atTheBounds() public {
        stake(alice, 2 ether);
        vm.startPrank(alice);
        STAKES.provision(IStakeManager.Role.CURATOR, 1, verifier, 1 ether, HALF, 28 days);
        STAKES.provision(IStakeManager.Role.CURATOR, 1, verifier, 1 ether, 0, 7 days);
    }

    function test_provision_forAVerifierNobodyApproved_reverts() public {
        stake(alice, 1 ether);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.NotApproved.selector, OPERATOR, alice));
        STAKES.provision(OPERATOR, operator, alice, 1 ether, HALF, THAW_S);
    }

    function test_provision_forAnothersOperatorOrAgent_reverts() public {
        uint64 agent = root(alice, IAssetRegistry.Kind.AGENT, 0);
        stake(bob, 1 ether);
        vm.startPrank(bob);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.NotOperatorOwner.selector, operator, bob));
        STAKES.provision(OPERATOR, operator, verifier, 1 ether, HALF, THAW_S);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.NotAssetOwner.selector, agent, bob));
        STAKES.provision(IStakeManager.Role.AGENT, agent, verifier, 1 ether, HALF, THAW_S);
        vm.stopPrank();
        uint64 tool = root(bob, IAssetRegistry.Kind.TOOL, 0);
        vm.startPrank(bob);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.NotAnAgent.selector, tool));
        STAKES.provision(IStakeManager.Role.AGENT, tool, verifier, 1 ether, HALF, THAW_S);
        // An id whose low bits name an operator names none.
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.NotOperatorOwner.selector, (1 << 32) + operator, bob));
        STAKES.provision(OPERATOR, (1 << 32) + uint64(operator), verifier, 1 ether, HALF, THAW_S);
    }

    /// Other roles have no pool: they answer, and earn what their work earns.
    function test_provision_ofAnAgent_hasNoPool() public {
        uint64 agent = root(alice, IAssetRegistry.Kind.AGENT, 0);
        stake(alice, 20_000 ether);
        vm.prank(alice);
        uint64 id = STAKES.provision(IStakeManager.Role.AGENT, agent, verifier, 20_000 ether, HALF, THAW_S);
        assertEq(poolOf(id), 0);
        assertFalse(STAKES.isActive(id));
        STAKES.refresh(id);
        assertFalse(STAKES.isActive(id));
        assertEq(slash(id, "fault", 1 ether), 1 ether);
    }

    function test_provision_secondForAnOperator_onlyWhenTheFirstLeaves() public {
        uint64 first = provide(20_000 ether);
        stake(alice, 20_000 ether);
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.AlreadyProvisioned.selector, first));
        STAKES.provision(OPERATOR, operator, verifier, 20_000 ether, HALF, THAW_S);
        STAKES.thaw(first, 20_000 ether);
        uint64 second = STAKES.provision(OPERATOR, operator, verifier, 20_000 ether, HALF, THAW_S);
        vm.stopPrank();
        assertEq(STAKES.operatorProvision(operator), second);
        assertTrue(STAKES.isActive(second));
        // What thaws still answers for what was done.
        assertEq(slash(first, "late", type(uint256).max), 20_000 ether);
        assertTrue(STAKES.isActive(second));
        (, uint64 pool) = ROUTER.operatorTerms(operator);
        assertEq(pool, poolOf(second));
    }

    function test_setVerifier_onlyGovernanceAndWithinBounds() public {
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.NotGovernance.selector, address(this)));
        STAKES.setVerifier(OPERATOR, alice, 7 days);
        vm.etch(alice, CODE);
        vm.startPrank(governance);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.OutOfBounds.selector, 1 days - 1, 1 days, 28 days));
        STAKES.setVerifier(OPERATOR, alice, 1 days - 1);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.OutOfBounds.selector, 28 days + 1, 1 days, 28 days));
        STAKES.setVerifier(OPERATOR, alice, 28 days + 1);
        STAKES.setVerifier(OPERATOR, alice, 1 days);
        STAKES.setVerifier(OPERATOR, alice, 28 days);
    }

    /// No key is a verifier: not by its plain account, nor by one that delegates to code.
    function test_setVerifier_ofAKey_reverts() public {
        bytes memory refusal = abi.encodeWithSelector(IStakeManager.NotContract.selector, bob);
        vm.startPrank(governance);
        vm.expectRevert(refusal);
        STAKES.setVerifier(OPERATOR, bob, 7 days);
        vm.etch(bob, abi.encodePacked(hex"ef0100", verifier));
        vm.expectRevert(refusal);
        STAKES.setVerifier(OPERATOR, bob, 7 days);
        STAKES.setVerifier(OPERATOR, bob, 0);
    }

    /// Governance reaches no provision that exists: not by taking a verifier away, not by approving itself.
    function test_setVerifier_changesNoProvisionThatExists() public {
        uint64 id = provide(100 ether);
        vm.startPrank(governance);
        vm.etch(governance, CODE);
        STAKES.setVerifier(OPERATOR, verifier, 0);
        STAKES.setVerifier(OPERATOR, governance, 1 days);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.NotVerifier.selector, id, governance));
        STAKES.slash(id, "mine", 1, governance);
        vm.stopPrank();
        assertEq(slash(id, "fault", 1 ether), 1 ether);
        stake(alice, 1 ether);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.NotApproved.selector, OPERATOR, verifier));
        STAKES.provision(OPERATOR, operator, verifier, 1 ether, HALF, THAW_S);
    }

    // Thawing

    function test_thaw_leavesAfterItsTime() public {
        uint64 id = provide(100 ether);
        vm.prank(alice);
        STAKES.thaw(id, 40 ether);
        uint256 end = block.timestamp + THAW_S;
        vm.warp(end - 1);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.TooEarly.selector, end));
        STAKES.release(id);
        vm.warp(end);
        assertEq(STAKES.release(id), 40 ether);
        assertEq(STAKES.freeOf(alice), 40 ether);
        assertEq(STAKES.provisionOf(id).own, 60 ether);
        vm.expectRevert(IStakeManager.NothingThaws.selector);
        STAKES.release(id);
    }

    function test_thaw_more_beginsAgain() public {
        uint64 id = provide(100 ether);
        vm.startPrank(alice);
        STAKES.thaw(id, 40 ether);
        vm.warp(block.timestamp + THAW_S - 1);
        STAKES.thaw(id, 1 ether);
        vm.warp(block.timestamp + 1);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.TooEarly.selector, block.timestamp - 1 + THAW_S));
        STAKES.release(id);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.Insufficient.selector, 59 ether, 59 ether + 1));
        STAKES.thaw(id, 59 ether + 1);
    }

    function test_thaw_byAnother_reverts() public {
        uint64 id = provide(100 ether);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.NotProvider.selector, id, address(this)));
        STAKES.thaw(id, 1);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.NotProvider.selector, id, address(this)));
        STAKES.add(id, 1);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.UnknownProvision.selector, 0));
        STAKES.release(0);
    }

    /// Who sees a slash come cannot outrun it: what thaws is slashed until it is released.
    function test_thaw_racingASlash_loses() public {
        uint64 id = provide(100 ether);
        vm.prank(alice);
        STAKES.thaw(id, 100 ether);
        vm.warp(block.timestamp + THAW_S - 1);
        assertEq(slash(id, "fault", 70 ether), 70 ether);
        assertEq(STAKES.provisionOf(id).thawing, 30 ether);
        vm.warp(block.timestamp + 1);
        assertEq(STAKES.release(id), 30 ether);
        assertEq(slash(id, "second", 1 ether), 0);
        assertEq(STAKES.solvency(), 0);
    }

    // Slashing

    function test_slash_halfToTheChallengerHalfBurned() public {
        uint64 id = provide(100 ether);
        uint256 held = address(STAKES).balance;
        assertEq(slash(id, "fault", 10 ether), 10 ether);
        assertEq(STAKES.freeOf(challenger), 5 ether);
        assertEq(held - address(STAKES).balance, 5 ether);
        assertEq(STAKES.stakedOf(alice), 90 ether);
        assertEq(STAKES.staked(), 95 ether);
        vm.prank(challenger);
        STAKES.withdraw(challenger, 5 ether);
        assertEq(challenger.balance, 5 ether);
    }

    function testFuzz_slash_neverBeyondTheProvision(uint96 own, uint96 free, uint256 amount, uint32 rewardPpb) public {
        own = uint96(bound(own, 1, 1e27));
        free = uint96(bound(free, 1, 1e27));
        rewardPpb = uint32(bound(rewardPpb, 0, HALF));
        stake(alice, uint256(own) + free);
        vm.prank(alice);
        uint64 id = STAKES.provision(IStakeManager.Role.ATTRIBUTOR, 0, verifier, own, rewardPpb, THAW_S);
        uint256 slashed = slash(id, "fault", amount);
        assertEq(slashed, amount < own ? amount : own);
        assertEq(STAKES.provisionOf(id).own, own - slashed);
        assertEq(STAKES.freeOf(alice), free);
        assertLe(STAKES.freeOf(challenger) * 2, slashed);
        assertEq(STAKES.freeOf(challenger), slashed * rewardPpb / 1e9);
        assertEq(STAKES.solvency(), 0);
    }

    function test_slash_twiceForOneFault_reverts() public {
        uint64 id = provide(100 ether);
        slash(id, "fault", 1 ether);
        vm.prank(verifier);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.FaultUsed.selector, bytes32("fault")));
        STAKES.slash(id, "fault", 1 ether, challenger);
        // Nor in another provision.
        stake(bob, 1 ether);
        vm.prank(bob);
        uint64 other = STAKES.provision(IStakeManager.Role.ATTRIBUTOR, 0, verifier, 1 ether, HALF, THAW_S);
        vm.prank(verifier);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.FaultUsed.selector, bytes32("fault")));
        STAKES.slash(other, "fault", 1 ether, challenger);
    }

    /// A verifier's ids are its own: another cannot use them up.
    function test_slash_faultIdsOfTwoVerifiers_doNotMeet() public {
        uint64 id = provide(100 ether);
        address second = makeAddr("second verifier");
        vm.etch(second, CODE);
        vm.prank(governance);
        STAKES.setVerifier(IStakeManager.Role.CURATOR, second, 7 days);
        stake(bob, 1 ether);
        vm.prank(bob);
        uint64 other = STAKES.provision(IStakeManager.Role.CURATOR, 1, second, 1 ether, HALF, THAW_S);
        vm.prank(second);
        STAKES.slash(other, "fault", 1, challenger);
        assertEq(slash(id, "fault", 1 ether), 1 ether);
    }

    function testFuzz_slash_byAnyoneElse_reverts(address caller) public {
        vm.assume(caller != verifier);
        uint64 id = provide(100 ether);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.NotVerifier.selector, id, caller));
        STAKES.slash(id, "fault", 1, caller);
    }

    function test_slash_leavesDelegatorsWhole() public {
        uint64 id = provide(20_000 ether);
        delegated(bob, id, 50_000 ether);
        slash(id, "fault", type(uint256).max);
        assertEq(STAKES.stakedOf(alice), 0);
        assertEq(STAKES.delegationOf(id, bob).amount, 50_000 ether);
        assertFalse(STAKES.isActive(id));
        vm.prank(bob);
        STAKES.thawDelegation(id, 50_000 ether);
        vm.warp(block.timestamp + THAW_S);
        assertEq(STAKES.releaseDelegation(id, bob), 50_000 ether);
        vm.prank(bob);
        STAKES.withdraw(bob, 50_000 ether);
        assertEq(bob.balance, 50_000 ether);
    }

    // Delegation and the stakers' class

    function test_delegateStake_upToTheRatio() public {
        uint64 id = provide(10_000 ether);
        vm.prank(alice);
        STAKES.thaw(id, 1_000 ether);
        delegated(bob, id, 72_000 ether);
        stake(bob, 1);
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.DelegationFull.selector, 72_000 ether));
        STAKES.delegateStake(id, 1);
    }

    function test_delegateStake_toAnotherRole_reverts() public {
        stake(alice, 1 ether);
        vm.prank(alice);
        uint64 id = STAKES.provision(IStakeManager.Role.ATTRIBUTOR, 0, verifier, 1 ether, HALF, THAW_S);
        stake(bob, 1 ether);
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.NotDelegable.selector, id));
        STAKES.delegateStake(id, 1 ether);
    }

    function test_stakersClass_reachesProviderAndDelegatorsByStake() public {
        uint64 model = root(carol);
        uint64 id = provide(10_000 ether);
        delegated(bob, id, 30_000 ether);
        _pay(model, 100 ether);
        // 3 % of it, a quarter to three.
        assertEq(LEDGER.claim(poolOf(id), alice), 0.75 ether);
        assertEq(LEDGER.claim(poolOf(id), bob), 2.25 ether);
        vm.prank(bob);
        STAKES.thawDelegation(id, 30_000 ether);
        _pay(model, 100 ether);
        assertEq(LEDGER.claimable(poolOf(id), alice), 3 ether);
        assertEq(LEDGER.claimable(poolOf(id), bob), 0);
    }

    function test_provider_delegatingToItself_countsOnceEach() public {
        uint64 id = provide(10_000 ether);
        delegated(alice, id, 5_000 ether);
        assertEq(LEDGER.unitsOf(poolOf(id), alice), 15_000 ether / STAKES.UNIT());
        slash(id, "fault", 4_000 ether);
        assertEq(LEDGER.unitsOf(poolOf(id), alice), 11_000 ether / STAKES.UNIT());
        assertEq(STAKES.stakedOf(alice), 11_000 ether);
    }

    function test_stakersClass_onlyWhileEnoughIsAtStake() public {
        uint64 model = root(carol);
        uint64 id = provide(10_000 ether - 1);
        assertFalse(STAKES.isActive(id));
        _pay(model, 100 ether);
        assertEq(LEDGER.claimable(poolOf(id), alice), 0);
        stake(alice, 1);
        vm.prank(alice);
        STAKES.add(id, 1);
        assertTrue(STAKES.isActive(id));
        _pay(model, 100 ether);
        assertEq(LEDGER.claimable(poolOf(id), alice), 3 ether);
        vm.prank(alice);
        STAKES.thaw(id, 1);
        assertFalse(STAKES.isActive(id));
        _pay(model, 100 ether);
        assertEq(LEDGER.claimable(poolOf(id), alice), 3 ether);
    }

    function test_stakersClass_afterTheOperatorChangedHands() public {
        uint64 first = provide(10_000 ether);
        vm.prank(alice);
        ROUTER.transferOperator(operator, bob);
        assertTrue(STAKES.isActive(first));
        STAKES.refresh(first);
        assertFalse(STAKES.isActive(first));
        (, uint64 pool) = ROUTER.operatorTerms(operator);
        assertEq(pool, 0);
        stake(bob, 10_000 ether);
        vm.prank(bob);
        uint64 second = STAKES.provision(OPERATOR, operator, verifier, 10_000 ether, HALF, THAW_S);
        (, pool) = ROUTER.operatorTerms(operator);
        assertEq(pool, poolOf(second));
        // The former owner's provision does not come back by growing.
        stake(alice, 10_000 ether);
        vm.prank(alice);
        STAKES.add(first, 10_000 ether);
        STAKES.refresh(first);
        (, pool) = ROUTER.operatorTerms(operator);
        assertEq(pool, poolOf(second));
    }

    /// A new owner's provision takes the class over without help, and nobody's call can take it away again.
    function test_stakersClass_takenOverByTheNewOwner() public {
        uint64 first = provide(10_000 ether);
        vm.prank(alice);
        ROUTER.transferOperator(operator, bob);
        stake(bob, 10_000 ether);
        vm.prank(bob);
        uint64 second = STAKES.provision(OPERATOR, operator, verifier, 10_000 ether, HALF, THAW_S);
        assertFalse(STAKES.isActive(first));
        STAKES.refresh(first);
        slash(first, "late", 1 ether);
        (, uint64 pool) = ROUTER.operatorTerms(operator);
        assertEq(pool, poolOf(second));
        // What was earned until then stays in the first pool, with the first stakers.
        assertEq(LEDGER.unitsOf(poolOf(first), alice), 9_999 ether / STAKES.UNIT());
    }

    /// Stake that comes after a payment has no part in it, and cannot leave with what it then earns.
    function test_delegateStake_afterAPayment_earnsNothingOfIt() public {
        uint64 id = provide(10_000 ether);
        _pay(root(carol), 100 ether);
        delegated(bob, id, 80_000 ether);
        assertEq(LEDGER.claimable(poolOf(id), bob), 0);
        vm.startPrank(bob);
        STAKES.thawDelegation(id, 80_000 ether);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.TooEarly.selector, block.timestamp + THAW_S));
        STAKES.releaseDelegation(id, bob);
    }

    function _pay(uint64 model, uint256 amount) private {
        vm.deal(carol, amount);
        vm.prank(carol);
        ROUTER.pay{value: amount}(model, operator, 0, "ref");
    }
}
