// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IFeePolicy} from "src/l2/IFeePolicy.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {GovernorTest} from "./GovernorTest.sol";

/// @notice What governing costs, as Gas.t.sol measures it: whole transactions.
/// forge-config: default.isolate = true
contract GasGovernorTest is GovernorTest {
    function test_proposal() public {
        stake(bob, 10_000_000 ether);
        stake(carol, 10_000_000 ether);
        skip(1);
        bytes memory data = abi.encodeCall(IFeePolicy.setUpstreamMax, (200_000_000));
        uint256 id = propose(bob, Predeploys.FEE_POLICY, data);
        assertLe(vm.snapshotGasLastCall("l2", "OpenGovernor propose"), 75_000);
        skip(1 days + 1);
        castVote(bob, id, FOR);
        castVote(carol, id, FOR);
        assertLe(vm.snapshotGasLastCall("l2", "OpenGovernor castVote"), 75_000);
        skip(7 days);
        queue(Predeploys.FEE_POLICY, data);
        vm.snapshotGasLastCall("l2", "OpenGovernor queue");
        skip(7 days);
        execute(Predeploys.FEE_POLICY, data);
        assertLe(vm.snapshotGasLastCall("l2", "OpenGovernor execute"), 75_000);
    }
}
