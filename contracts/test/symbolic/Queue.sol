// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Inbox} from "src/l1/Inbox.sol";
import {QueueEntry, nextQueueAcc} from "src/l1/QueueEntry.sol";
import {ISystemConfig} from "src/l1/interfaces/ISystemConfig.sol";
import {AnyConfig} from "./Around.sol";
import {Symbolic, both, either, implies} from "./Symbolic.sol";

/// The queue is a hash chain that only grows at its end, and forced records consume it in order and in time. The ring that
/// holds it may be in any state that `isSound` for the counts in question, and every call but `post` is shown to leave it so.
///
/// Absent: `post`, which has too many ways to follow.
contract Queue is Symbolic {
    address private constant PORTAL = address(0xb0a7);
    uint256 private constant RING = 256;

    Inbox private inbox;

    struct State {
        uint256 length;
        uint256 consumed;
        uint256 records;
        uint256 lastPostedAt;
        uint256 lastTimestamp;
        uint256 anchor;
        bool spilled;
        uint256 spilledTo;
    }

    function setUp() public {
        inbox = new Inbox(ISystemConfig(address(new AnyConfig())), PORTAL);
        svm.enableSymbolicStorage(address(inbox));
        anyTime();
    }

    function check_enqueue_appendsOneEntry(
        address from,
        address to,
        uint256 mint,
        uint256 value,
        uint64 gasLimit,
        bool isCreation,
        bytes memory data
    ) external {
        State memory s = state();
        vm.assume(both(isSound(s, s.length), isSound(s, s.length + 1)));
        bytes32 acc = inbox.queueAccs(s.length);

        vm.assume(s.length < type(uint40).max);
        vm.prank(PORTAL);
        uint64 index = inbox.enqueue(from, to, mint, value, gasLimit, isCreation, data);

        assert(both(index == s.length, inbox.queueLength() == s.length + 1));
        QueueEntry memory entry = QueueEntry(
            index, uint64(block.timestamp), uint64(block.number), from, to, mint, value, gasLimit, isCreation, data
        );
        assert(inbox.queueAccs(s.length + 1) == nextQueueAcc(acc, entry.entryHash()));
    }

    function check_enqueue_keepsWhatWaits(bytes memory data) external {
        uint256 count = svm.createUint(40, "count");
        State memory s = state();
        vm.assume(both(isSound(s, count), isSound(s, s.length + 1)));
        vm.assume(both(s.consumed <= count, count <= s.length));
        bytes32 acc = inbox.queueAccs(count);

        vm.assume(s.length < type(uint40).max);
        vm.prank(PORTAL);
        inbox.enqueue(address(1), address(2), 3, 4, 5, false, data);

        assert(inbox.queueAccs(count) == acc);
        State memory t = state();
        assert(both(isSound(t, count), isSound(t, t.length)));
        assert(both(t.consumed == s.consumed, t.records == s.records));
    }

    function check_nobodyElse_changesWhatWaits() external {
        uint256 count = svm.createUint(40, "count");
        uint256 record = svm.createUint(32, "record");
        State memory s = state();
        vm.assume(both(isSound(s, count), isSound(s, s.length)));
        vm.assume(both(s.consumed <= count, count <= s.length));
        vm.assume(both(record <= s.records, s.records < type(uint32).max));
        bytes32 acc = inbox.queueAccs(count);
        bytes32 batchAcc = inbox.batchAccs(record);
        bytes memory data = svm.createCalldata(address(inbox));
        vm.assume(bytes4(data) != inbox.post.selector);
        address caller = anyone("caller");
        vm.assume(caller != PORTAL);

        vm.prank(caller);
        (bool ok,) = address(inbox).call(data);
        vm.assume(ok);

        State memory t = state();
        assert(both(t.length == s.length, both(s.consumed <= t.consumed, t.consumed <= t.length)));
        assert(both(isSound(t, count), isSound(t, t.length)));
        assert(inbox.batchAccs(record) == batchAcc);
        assert(count < t.consumed || inbox.queueAccs(count) == acc);
    }

    function check_forceAdvance_onlyAfterTheWindow() external {
        State memory s = state();
        vm.assume(isSound(s, s.length));
        vm.assume(s.records < type(uint32).max);
        uint256 windowS = inbox.params().windowS;
        uint256 leftOutUntil = type(uint256).max;
        if (s.consumed < s.length) {
            leftOutUntil = uint256(inbox.queueTimestamp(s.consumed)) + inbox.params().forceDelayS + windowS;
        }

        vm.prank(anyone("caller"));
        inbox.forceAdvance();

        State memory t = state();
        assert(either(s.lastPostedAt + windowS < block.timestamp, leftOutUntil < block.timestamp));
        assert(both(t.length == s.length, t.records == s.records + 1));
        uint256 most = s.consumed + 256;
        assert(t.consumed == (most < s.length ? most : s.length));
        assert(t.lastPostedAt == (t.consumed < t.length ? s.lastPostedAt : block.timestamp));
        assert(s.lastTimestamp <= t.lastTimestamp);
    }

    function state() private view returns (State memory s) {
        uint256 head = uint256(vm.load(address(inbox), 0));
        s.records = uint32(head);
        s.length = uint40(head >> 32);
        s.consumed = uint40(head >> 72);
        s.lastPostedAt = uint40(head >> 112);
        s.lastTimestamp = uint40(head >> 152);
        s.anchor = uint32(head >> 192);
        s.spilled = uint8(head >> 224) != 0;
        s.spilledTo = uint40(uint256(vm.load(address(inbox), bytes32(uint256(1)))) >> 160);
    }

    /// What calls keep so; of places, for `count`.
    function isSound(State memory s, uint256 count) private view returns (bool) {
        bytes32 own = vm.load(address(inbox), keccak256(abi.encode(count, uint256(4))));
        bool isOrdered = both(s.consumed <= s.length, s.spilledTo <= s.length);
        bool lastIsInRing = either(s.spilledTo == s.length, s.length < s.consumed + RING);
        bool noneIsOutside = either(s.spilledTo == 0, s.spilledTo < s.consumed);
        bool ownMeansSpilled = either(either(count < RING, own == 0), count <= s.spilledTo);
        return both(both(isOrdered, lastIsInRing), both(implies(!s.spilled, noneIsOutside), ownMeansSpilled));
    }
}
