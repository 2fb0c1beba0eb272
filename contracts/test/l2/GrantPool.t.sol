// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IGrantPool} from "src/l2/IGrantPool.sol";
import {Pools} from "src/l2/Pools.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {GrantTest} from "./GrantTest.sol";

contract GrantPoolTest is GrantTest {
    function test_grant_byVotesToCategories_equallyWithin() public {
        enlist(datanets[0], 0);
        enlist(datanets[1], 1);
        enlist(datanets[2], 1);
        fund(100 ether);
        pay(1_000 ether);
        assertEq(GRANTS.observe(), 10 ether);
        vote(alice, 1e9, 0);
        vote(bob, 0, 1e9);
        assertEq(closeWeek(), 5 ether);
        assertEq(GRANTS.grantable(datanets[0]), 3.75 ether);
        assertEq(GRANTS.grantable(datanets[1]), 0.625 ether);
        assertEq(GRANTS.grantable(datanets[2]), 0.625 ether);
        assertEq(GRANTS.promised(), 5 ether);
        assertEq(GRANTS.grant(datanets[0]), 3.75 ether);
        // As any payment without operator: 98 % to the Datanet's pool.
        assertEq(LEDGER.claimable(datanets[0], carol), 3.675 ether);
        assertEq(GRANTS.grant(datanets[0]), 0);
        assertEq(GRANTS.promised(), 1.25 ether);
        assertEq(Predeploys.GRANT_POOL.balance, 96.25 ether);
    }

    /// I10, and why nobody can pay itself for grants: what it pays is burned for more than all get together.
    function testFuzz_close_givesLessThanWasBurned(uint96 paid, uint96 funded, uint32 rho) public {
        paid = uint96(bound(paid, 1, 1e27));
        funded = uint96(bound(funded, 0, 1e27));
        rho = uint32(bound(rho, 0, 900_000_000));
        vm.prank(governance);
        GRANTS.setRho(rho);
        skip(14 days);
        enlist(datanets[0], 0);
        fund(funded);
        pay(paid);
        GRANTS.observe();
        vote(alice, 1e9, 0);
        uint256 given = closeWeek();
        uint256 cap = ROUTER.toBurn() * rho / 1e9;
        assertEq(given, cap < funded ? cap : funded);
        assertLe(given, ROUTER.toBurn());
        assertEq(GRANTS.grant(datanets[0]), given);
    }

    function test_observe_countsOnceAndNeverTooMuch() public {
        pay(100 ether);
        assertEq(GRANTS.observe(), 1 ether);
        assertEq(GRANTS.observe(), 0);
        ROUTER.burn();
        assertEq(GRANTS.observe(), 0);
        pay(50 ether);
        assertEq(GRANTS.observe(), 0.5 ether);
        // Burned before it was seen: lost to grants.
        pay(200 ether);
        ROUTER.burn();
        pay(20 ether);
        assertEq(GRANTS.observe(), 0.2 ether);
        assertEq(GRANTS.weekOf(GRANTS.currentWeek()).burned, 1.7 ether);
        assertEq(GRANTS.weekOf(GRANTS.currentWeek()).cap, 0.85 ether);
    }

    /// A later rho changes no week that is over, closed or not.
    function test_setRho_isNeverRetroactive() public {
        enlist(datanets[0], 0);
        fund(100 ether);
        pay(1_000 ether);
        GRANTS.observe();
        vote(alice, 1e9, 0);
        uint64 week = GRANTS.currentWeek();
        vm.prank(governance);
        GRANTS.setRho(900_000_000);
        assertEq(GRANTS.rhoOf(week + 1), RHO);
        assertEq(GRANTS.rhoOf(week + 2), 900_000_000);
        skip(14 days);
        vm.prank(governance);
        GRANTS.setRho(0);
        skip(14 days);
        assertEq(GRANTS.close(week), 5 ether);
    }

    /// I11.
    function testFuzz_setRho_onlyWithinTheBound(uint32 ppb) public {
        vm.prank(governance);
        if (ppb > 900_000_000) {
            vm.expectRevert(abi.encodeWithSelector(IGrantPool.OutOfBounds.selector, ppb, 0, 900_000_000));
        }
        GRANTS.setRho(ppb);
        assertEq(GRANTS.rhoOf(GRANTS.currentWeek() + 1), RHO);
        assertEq(GRANTS.rhoOf(GRANTS.currentWeek() + 2), ppb > 900_000_000 ? RHO : ppb);
    }

    function test_close_onceAndWhenOver() public {
        uint64 week = GRANTS.currentWeek();
        vm.expectRevert(abi.encodeWithSelector(IGrantPool.WeekNotOver.selector, (uint256(week) + 1) * 7 days));
        GRANTS.close(week);
        skip(7 days);
        GRANTS.close(week);
        vm.expectRevert(abi.encodeWithSelector(IGrantPool.AlreadyClosed.selector, week));
        GRANTS.close(week);
        vm.expectRevert();
        GRANTS.close(type(uint64).max);
    }

    function test_close_withoutVotesOrDatanets_givesNothing() public {
        fund(100 ether);
        pay(1_000 ether);
        GRANTS.observe();
        assertEq(closeWeek(), 0);
        pay(1_000 ether);
        GRANTS.observe();
        enlist(datanets[0], 0);
        vote(alice, 0, 1e9);
        assertEq(closeWeek(), 0);
        assertEq(GRANTS.promised(), 0);
    }

    /// What is promised stays, however little there is.
    function test_close_neverPromisesTheSameTwice() public {
        enlist(datanets[0], 0);
        fund(6 ether);
        for (uint256 i = 0; i < 2; ++i) {
            pay(1_000 ether);
            GRANTS.observe();
            vote(alice, 1e9, 0);
            assertEq(closeWeek(), i == 0 ? 5 ether : 1 ether);
        }
        assertEq(GRANTS.grant(datanets[0]), 6 ether);
    }

    // Votes

    function test_vote_twice_reverts() public {
        vote(alice, 1e9, 0);
        uint64 week = GRANTS.currentWeek();
        vm.expectRevert(abi.encodeWithSelector(IGrantPool.AlreadyVoted.selector, week, alice));
        vote(alice, 0, 1e9);
        skip(7 days);
        vote(alice, 0, 1e9);
    }

    /// Stake that moves to another account votes once.
    function test_vote_withStakeThatMoved_reverts() public {
        vote(alice, 1e9, 0);
        vm.prank(alice);
        STAKES.withdraw(carol, 300 ether);
        vm.prank(carol);
        STAKES.deposit{value: 300 ether}(carol);
        skip(1);
        uint64 week = GRANTS.currentWeek();
        vm.expectRevert(abi.encodeWithSelector(IGrantPool.NoVotes.selector, week, carol));
        vote(carol, 1e9, 0);
        assertEq(GRANTS.votesFor(week, 0), 300 ether);
    }

    function test_vote_sharesMustBeTheWhole() public {
        vm.expectRevert(IGrantPool.WrongShares.selector);
        vote(alice, 1e9, 1);
        vm.expectRevert(IGrantPool.WrongShares.selector);
        vote(alice, 1e9 - 1, 0);
        vm.startPrank(alice);
        vm.expectRevert(IGrantPool.WrongShares.selector);
        GRANTS.vote(new uint32[](0));
        vm.expectRevert(abi.encodeWithSelector(IGrantPool.TooManyShares.selector, 17));
        GRANTS.vote(new uint32[](17));
        uint32[] memory ppb = new uint32[](16);
        ppb[15] = 1e9;
        GRANTS.vote(ppb);
        assertEq(GRANTS.votesFor(GRANTS.currentWeek(), 15), 300 ether);
    }

    function testFuzz_vote_splitsToTheWei(uint96 amount, uint32 first) public {
        amount = uint96(bound(amount, 1, 1e27));
        first = uint32(bound(first, 0, 1e9));
        stake(carol, amount);
        skip(7 days);
        vote(carol, first, 1e9 - first);
        uint64 week = GRANTS.currentWeek();
        assertEq(GRANTS.votesFor(week, 0) + GRANTS.votesFor(week, 1), amount);
    }

    // Lists

    function test_list_onlyDatanetsOnce() public {
        vm.startPrank(governance);
        vm.expectRevert(abi.encodeWithSelector(IGrantPool.NotDatanet.selector, model));
        GRANTS.list(model, 0);
        vm.expectRevert(abi.encodeWithSelector(IGrantPool.UnknownCategory.selector, 16));
        GRANTS.list(datanets[0], 16);
        GRANTS.list(datanets[0], 15);
        vm.expectRevert(abi.encodeWithSelector(IGrantPool.AlreadyListed.selector, datanets[0]));
        GRANTS.list(datanets[0], 1);
        GRANTS.unlist(datanets[0]);
        vm.expectRevert(abi.encodeWithSelector(IGrantPool.NotListed.selector, datanets[0]));
        GRANTS.unlist(datanets[0]);
        assertEq(GRANTS.listedIn(15), 0);
    }

    function testFuzz_governanceCalls_byAnyoneElse_revert(address caller) public {
        vm.assume(caller != governance);
        vm.startPrank(caller);
        bytes memory refusal = abi.encodeWithSelector(IGrantPool.NotGovernance.selector, caller);
        vm.expectRevert(refusal);
        GRANTS.setRho(0);
        vm.expectRevert(refusal);
        GRANTS.list(datanets[0], 0);
        vm.expectRevert(refusal);
        GRANTS.unlist(datanets[0]);
    }

    /// Governance takes no grant back, and who comes later has no part in what was given before.
    function test_unlist_keepsWhatWasGranted() public {
        enlist(datanets[0], 0);
        fund(100 ether);
        pay(1_000 ether);
        GRANTS.observe();
        vote(alice, 1e9, 0);
        closeWeek();
        vm.startPrank(governance);
        GRANTS.unlist(datanets[0]);
        GRANTS.list(datanets[0], 1);
        GRANTS.list(datanets[1], 0);
        vm.stopPrank();
        assertEq(GRANTS.grantable(datanets[1]), 0);
        assertEq(GRANTS.grant(datanets[0]), 5 ether);
        assertEq(GRANTS.grant(datanets[1]), 0);
    }

    /// The treasury funds grants: governance makes the pool a member of it.
    function test_treasury_fundsGrants() public {
        vm.prank(governance);
        LEDGER.setUnits(Pools.TREASURY, Predeploys.GRANT_POOL, 1);
        pay(1_000 ether);
        ROUTER.settle();
        assertEq(LEDGER.claim(Pools.TREASURY, Predeploys.GRANT_POOL), 10 ether);
        assertEq(Predeploys.GRANT_POOL.balance, 10 ether);
    }
}
