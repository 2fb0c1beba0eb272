// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Rollup} from "src/l1/Rollup.sol";
import {IInbox} from "src/l1/interfaces/IInbox.sol";
import {IRollup} from "src/l1/interfaces/IRollup.sol";
import {ISystemConfig} from "src/l1/interfaces/ISystemConfig.sol";
import {Symbolic, both} from "./Symbolic.sol";

/// Around a Rollup: answers anything.
contract AnyOfAll is Symbolic {
    function portal() external view returns (address) {
        return address(this);
    }

    function batchAccs(uint256) external pure returns (bytes32) {
        return svm.createBytes32("batchAcc");
    }

    function programHash() external pure returns (bytes32) {
        return svm.createBytes32("programHash");
    }

    /// One value for one call, as the real one has.
    function bond() external pure returns (uint96) {
        return 1 ether;
    }

    function paused() external pure returns (bool) {
        return svm.createBool("paused");
    }

    function outputConfirmed(uint256) external {}
}

/// ETH of bonds: what comes in is one voice's bond, and it goes out once, to who brought it.
contract Bonds is Symbolic {
    Rollup private rollup;

    function setUp() public {
        address around = address(new AnyOfAll());
        rollup = new Rollup(IInbox(around), ISystemConfig(around));
        svm.enableSymbolicStorage(address(rollup));
        anyTime();
    }

    function check_withdrawBond_paysItOnceToItsProposer(bytes32 id, bytes32 other) external {
        vm.assume(other != id);
        IRollup.Assertion memory was = rollup.assertion(id);
        vm.assume(was.proposer.code.length == 0 && was.proposer != address(rollup));
        bytes32 voiceOfOther = voice(other);
        uint256 held = svm.createUint(128, "held");
        uint256 had = svm.createUint(128, "had");
        vm.deal(address(rollup), held);
        vm.deal(was.proposer, had);

        vm.prank(anyone("caller"));
        rollup.withdrawBond(id);

        assert(both(was.bond != 0, rollup.assertion(id).bond == 0));
        assert(both(address(rollup).balance == held - was.bond, was.proposer.balance == had + was.bond));
        assert(both(rollup.isConfirmed(id), voice(other) == voiceOfOther));
        (bool again,) = address(rollup).call(abi.encodeCall(rollup.withdrawBond, (id)));
        assert(!again);
    }

    /// Proposer and bond of an assertion, which share a slot; zero if it does not exist.
    function voice(bytes32 id) private view returns (bytes32) {
        return vm.load(address(rollup), bytes32(uint256(keccak256(abi.encode(id, uint256(3)))) + 2));
    }
}
