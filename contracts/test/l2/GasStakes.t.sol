// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {GrantTest} from "./GrantTest.sol";

/// @notice What stakes and grants cost, as Gas.t.sol measures it: whole transactions in the steady state.
/// forge-config: default.isolate = true
contract GasStakesTest is GrantTest {
    uint64 private id;

    function setUp() public override {
        super.setUp();
        id = provide(20_000 ether);
        delegated(bob, id, 1_000 ether);
        slash(id, "before", 1 ether);
        stake(bob, 1_000 ether);
        skip(1);
    }

    function test_deposit() public {
        stake(bob, 1 ether);
        assertLe(vm.snapshotGasLastCall("l2", "StakeManager deposit"), 105_000);
    }

    function test_withdraw() public {
        vm.prank(bob);
        STAKES.withdraw(bob, 1 ether);
        assertLe(vm.snapshotGasLastCall("l2", "StakeManager withdraw"), 110_000);
    }

    function test_provision_ofAnOperator() public {
        vm.startPrank(alice);
        uint32 second = ROUTER.registerOperator(alice, 400_000_000);
        vm.stopPrank();
        stake(alice, 20_000 ether);
        vm.prank(alice);
        STAKES.provision(OPERATOR, second, verifier, 20_000 ether, HALF, THAW_S);
        assertLe(vm.snapshotGasLastCall("l2", "StakeManager provision, with a pool"), 400_000);
    }

    function test_delegateStake() public {
        vm.prank(bob);
        STAKES.delegateStake(id, 1 ether);
        assertLe(vm.snapshotGasLastCall("l2", "StakeManager delegateStake"), 75_000);
    }

    function test_thawAndRelease() public {
        vm.prank(alice);
        STAKES.thaw(id, 1 ether);
        vm.snapshotGasLastCall("l2", "StakeManager thaw");
        skip(THAW_S);
        STAKES.release(id);
        assertLe(vm.snapshotGasLastCall("l2", "StakeManager release"), 45_000);
    }

    /// What it costs to punish is what somebody must be willing to spend to prove a fault.
    function test_slash() public {
        slash(id, "fault", 1 ether);
        assertLe(vm.snapshotGasLastCall("l2", "StakeManager slash"), 260_000);
    }

    function test_grants() public {
        for (uint8 i = 0; i < 3; ++i) {
            enlist(datanets[i], i);
        }
        fund(100 ether);
        pay(1_000 ether);
        GRANTS.observe();
        pay(1_000 ether);
        GRANTS.observe();
        vm.snapshotGasLastCall("l2", "GrantPool observe");
        vote(bob, 5e8, 5e8);
        vote(alice, 5e8, 5e8);
        assertLe(vm.snapshotGasLastCall("l2", "GrantPool vote, 2 categories"), 75_000);
        closeWeek();
        assertLe(vm.snapshotGasLastCall("l2", "GrantPool close, 16 categories"), 140_000);
        GRANTS.grant(datanets[0]);
        assertLe(vm.snapshotGasLastCall("l2", "GrantPool grant"), 90_000);
    }
}
