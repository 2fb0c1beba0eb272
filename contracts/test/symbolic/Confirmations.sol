// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Rollup} from "src/l1/Rollup.sol";
import {IInbox} from "src/l1/interfaces/IInbox.sol";
import {IRollup} from "src/l1/interfaces/IRollup.sol";
import {ISystemConfig} from "src/l1/interfaces/ISystemConfig.sol";
import {Symbolic, both} from "./Symbolic.sol";

/// Around a Rollup that confirms: paused or not, and a portal that remembers what it is told.
contract Listener is Symbolic {
    bool public immutable paused;
    uint256 public told;
    uint256 public toldOf;

    constructor() {
        paused = svm.createBool("paused");
    }

    function portal() external view returns (address) {
        return address(this);
    }

    function outputConfirmed(uint256 index) external {
        ++told;
        toldOf = index;
    }
}

/// What is confirmed grows by one output at a time, each the child of the one before, uncontradicted and past its window.
contract Confirmations is Symbolic {
    uint256 private constant VOICES = 3;
    uint256 private constant OUTPUTS = 4;

    Rollup private rollup;
    Listener private listener;

    function setUp() public {
        listener = new Listener();
        rollup = new Rollup(IInbox(address(listener)), ISystemConfig(address(listener)));
        svm.enableSymbolicStorage(address(rollup));
        anyTime();
    }

    function check_confirm_theNextOfTheChain_afterItsWindow(bytes32 id) external {
        uint256 index = rollup.outputIndexOf(id);
        IRollup.Assertion memory it = rollup.assertion(id);
        bool wasConfirmed = rollup.isOutputConfirmed(index);
        bool wasContested = rollup.isOutputContested(index);
        uint256 last = latest();

        vm.prank(anyone("caller"));
        rollup.confirm(id);

        assert(both(!wasConfirmed, rollup.isOutputConfirmed(index)));
        assert(!wasContested);
        assert(!listener.paused());
        assert(block.timestamp > uint256(it.assertedAt) + rollup.windowS());
        assert(both(parentOf(index) == last, latest() == index));
        assert(rollup.latestConfirmed() == id);
        assert(both(listener.told() == 1, listener.toldOf() == index));
    }

    function check_confirm_leavesAllOthers(bytes32 id, uint32 other, bytes32 voice) external {
        uint256 index = rollup.outputIndexOf(id);
        vm.assume(other != index);
        bytes32 was = word(OUTPUTS, other, 3);
        bytes32 root = word(OUTPUTS, index, 1);
        bytes32 bond = word(VOICES, uint256(voice), 2);
        bytes32 bondAndTime = word(VOICES, uint256(voice), 3);

        vm.prank(anyone("caller"));
        rollup.confirm(id);

        assert(both(word(OUTPUTS, other, 3) == was, word(OUTPUTS, index, 1) == root));
        assert(both(word(VOICES, uint256(voice), 2) == bond, word(VOICES, uint256(voice), 3) == bondAndTime));
    }

    function check_extendPath_confirmsNothing(uint256 index, uint32 other) external {
        bytes32 was = word(OUTPUTS, other, 3);
        bytes32 claim = rollup.latestConfirmed();
        uint256 last = latest();

        vm.prank(anyone("caller"));
        rollup.extendPath(index);

        assert(both(word(OUTPUTS, other, 3) == was, rollup.latestConfirmed() == claim));
        assert(both(latest() == last, listener.told() == 0));
    }

    /// Index of the confirmed output that was last.
    function latest() private view returns (uint256) {
        return uint32(uint256(vm.load(address(rollup), 0)) >> 96);
    }

    function parentOf(uint256 index) private view returns (uint256) {
        return uint32(uint256(word(OUTPUTS, index, 3)) >> 144);
    }

    /// The `n`th slot of a mapping's value.
    function word(uint256 mapping_, uint256 key, uint256 n) private view returns (bytes32) {
        return vm.load(address(rollup), bytes32(uint256(keccak256(abi.encode(key, mapping_))) + n));
    }
}
