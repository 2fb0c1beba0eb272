// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {OpenGovernor} from "src/l2/OpenGovernor.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {StakeTest} from "./StakeTest.sol";

/// @notice L2 with the governor as FeePolicy's owner, and a guardian for two years.
abstract contract GovernorTest is StakeTest {
    OpenGovernor internal constant GOVERNOR = OpenGovernor(payable(Predeploys.GOVERNOR));
    uint8 internal constant AGAINST = 0;
    uint8 internal constant FOR = 1;
    uint8 internal constant ABSTAIN = 2;
    address internal immutable guardian = makeAddr("guardian");
    uint256 internal guardianUntil;

    function setUp() public virtual override {
        super.setUp();
        vm.etch(Predeploys.GOVERNOR, type(OpenGovernor).runtimeCode);
        vm.setNonceUnsafe(Predeploys.GOVERNOR, 1);
        guardianUntil = block.timestamp + 730 days;
        _store(Predeploys.GOVERNOR, 0, guardianUntil << 160 | uint160(guardian));
        _store(Predeploys.FEE_POLICY, 0, uint160(Predeploys.GOVERNOR));
    }

    /// @notice One action's proposal, as the governor wants to see it at each step.
    function action(address target, bytes memory data)
        internal
        pure
        returns (address[] memory targets, uint256[] memory values, bytes[] memory calldatas)
    {
        (targets, values, calldatas) = (new address[](1), new uint256[](1), new bytes[](1));
        (targets[0], calldatas[0]) = (target, data);
    }

    function propose(address proposer, address target, bytes memory data) internal returns (uint256) {
        (address[] memory targets, uint256[] memory values, bytes[] memory calldatas) = action(target, data);
        vm.prank(proposer);
        return GOVERNOR.propose(targets, values, calldatas, "why");
    }

    function queue(address target, bytes memory data) internal {
        (address[] memory targets, uint256[] memory values, bytes[] memory calldatas) = action(target, data);
        GOVERNOR.queue(targets, values, calldatas, keccak256("why"));
    }

    function execute(address target, bytes memory data) internal {
        (address[] memory targets, uint256[] memory values, bytes[] memory calldatas) = action(target, data);
        GOVERNOR.execute(targets, values, calldatas, keccak256("why"));
    }

    function cancel(address by, address target, bytes memory data) internal {
        (address[] memory targets, uint256[] memory values, bytes[] memory calldatas) = action(target, data);
        vm.prank(by);
        GOVERNOR.cancel(targets, values, calldatas, keccak256("why"));
    }

    function castVote(address account, uint256 id, uint8 support) internal {
        vm.prank(account);
        GOVERNOR.castVote(id, support);
    }

    /// @notice Proposes, votes, and waits until it can be executed.
    function pass(address voter, address target, bytes memory data) internal {
        uint256 id = propose(voter, target, data);
        skip(1 days + 1);
        castVote(voter, id, FOR);
        skip(7 days);
        queue(target, data);
        skip(7 days);
    }
}
