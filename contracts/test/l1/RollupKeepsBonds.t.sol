// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {Inbox} from "src/l1/Inbox.sol";
import {Rollup} from "src/l1/Rollup.sol";
import {SystemConfig} from "src/l1/SystemConfig.sol";
import {IRollup} from "src/l1/interfaces/IRollup.sol";
import {L1Test} from "./L1Test.sol";

/// Asserts truths and lies on any parent, confirms and withdraws in any order. Truth after n records: block 10 n.
contract RollupActs is Test {
    Rollup private immutable rollup;
    Inbox private immutable inbox;
    SystemConfig private immutable config;
    address[2] private proposers = [makeAddr("honest"), makeAddr("other")];
    bytes32[] public ids;

    constructor(Rollup rollup_, Inbox inbox_, SystemConfig config_) {
        (rollup, inbox, config) = (rollup_, inbox_, config_);
        ids.push(rollup_.genesis());
        vm.deal(proposers[0], 1e30);
        vm.deal(proposers[1], 1e30);
    }

    function assertNext(uint256 who, uint256 parentSeed) external {
        _assert(who, _recent(parentSeed), 1, 0);
    }

    function assertAny(uint256 who, uint256 parentSeed, uint256 ahead, uint256 lie) external {
        // One in eight lies, or runs end contested before much is confirmed.
        _assert(who, ids[parentSeed % ids.length], bound(ahead, 1, 2), lie % 8 == 0 ? 1 : 0);
    }

    function confirm(uint256 seed) external {
        _first(seed, Rollup.confirm.selector);
    }

    function withdraw(uint256 seed) external {
        _first(seed, Rollup.withdrawBond.selector);
    }

    function change(uint256 bond, bytes32 program) external {
        vm.startPrank(config.owner());
        config.setBond(uint96(bound(bond, 0.01 ether, 100 ether)));
        config.setProgramHash(program);
        vm.stopPrank();
    }

    function pass(uint256 seconds_) external {
        vm.warp(block.timestamp + bound(seconds_, 1 days, 8 days));
    }

    function count() external view returns (uint256) {
        return ids.length;
    }

    /// Tries the call on every id from a random one on, until it works.
    function _first(uint256 seed, bytes4 selector) private {
        for (uint256 i = 0; i < ids.length; ++i) {
            (bool ok,) =
                address(rollup).call(abi.encodeWithSelector(selector, ids[(seed % ids.length + i) % ids.length]));
            if (ok) return;
        }
    }

    function _recent(uint256 seed) private view returns (bytes32) {
        uint256 back = seed % (ids.length < 4 ? ids.length : 4);
        return ids[ids.length - 1 - back];
    }

    function _assert(uint256 who, bytes32 parent, uint256 ahead, uint64 lie) private {
        uint64 index = uint64(rollup.assertion(parent).recordIndex + ahead);
        bytes32 acc = inbox.batchAccs(index);
        uint256 bond = config.bond();
        vm.prank(proposers[who % 2]);
        ids.push(rollup.assertOutput{value: bond}(parent, index, acc, index * 10 + lie, keccak256(abi.encode(index))));
    }
}

contract RollupKeepsBonds is L1Test {
    RollupActs private acts;

    function setUp() public override {
        super.setUp();
        for (uint256 i = 0; i < 40; ++i) {
            postCalldata("payload");
        }
        acts = new RollupActs(rollup, inbox, config);
        targetContract(address(acts));
    }

    function invariant_balanceIsTheBondsNotYetReturned() public view {
        uint256 bonds = 0;
        for (uint256 i = 0; i < acts.count(); ++i) {
            bonds += rollup.assertion(acts.ids(i)).bond;
        }
        assertEq(address(rollup).balance, bonds);
    }

    /// From the newest confirmed claim one walks to genesis over confirmed parents; nothing else is confirmed, and
    /// nothing confirmed is contested.
    function invariant_confirmedIsOneChain() public view {
        uint256 length = 1;
        bytes32 id = rollup.latestConfirmed();
        while (id != rollup.genesis()) {
            IRollup.Assertion memory a = rollup.assertion(id);
            IRollup.Assertion memory parent = rollup.assertion(a.parent);
            assertTrue(rollup.isConfirmed(id));
            assertFalse(rollup.isContested(id));
            assertGt(a.recordIndex, parent.recordIndex);
            assertGt(a.l2Number, parent.l2Number);
            id = a.parent;
            ++length;
        }
        assertEq(_distinctConfirmedClaims(), length);
    }

    function _distinctConfirmedClaims() private view returns (uint256 found) {
        bytes32[] memory seen = new bytes32[](acts.count());
        for (uint256 i = 0; i < acts.count(); ++i) {
            if (!rollup.isConfirmed(acts.ids(i))) continue;
            bytes32 claim = rollup.assertion(acts.ids(i)).claim;
            uint256 j = 0;
            while (j < found && seen[j] != claim) ++j;
            if (j == found) seen[found++] = claim;
        }
    }
}
