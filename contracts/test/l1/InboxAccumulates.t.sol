// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {Inbox} from "src/l1/Inbox.sol";
import {Portal} from "src/l1/Portal.sol";
import {Record} from "src/l1/Record.sol";
import {L1Test} from "./L1Test.sol";

/// Enqueues, posts and advances with times and counts at random, and chains the hashes a second time, word by word.
contract InboxActs is Test {
    Inbox private immutable inbox;
    Portal private immutable portal;
    address private immutable user;
    uint256 private immutable key;

    bytes32[] public queueAccs;
    uint64[] public arrivals;
    bytes32[] public batchAccs;
    uint64 public lastTimestamp;
    uint64 public consumed;
    uint64 public anchor;
    uint256 public lastPostedAt;
    uint256 public posts;
    uint256 public advances;
    /// Records that broke a promise. Counted, because a revert here would only undo the act.
    uint256 public broken;

    constructor(Inbox inbox_, Portal portal_, address user_, uint256 key_) {
        (inbox, portal, user, key) = (inbox_, portal_, user_, key_);
        queueAccs.push(0);
        batchAccs.push(0);
        lastPostedAt = block.timestamp;
    }

    function enqueue(uint256 mint, uint256 value, bytes calldata data) external {
        mint = bound(mint, 0, 1e18);
        bytes memory cut = data.length > 200 ? data[:200] : data;
        vm.prank(user, user);
        portal.deposit(user, mint, value, 100_000, false, cut);
        bytes memory words = bytes.concat(
            abi.encode(arrivals.length, block.timestamp, block.number, user, user),
            abi.encode(mint, value, 100_000, 0, keccak256(cut))
        );
        queueAccs.push(keccak256(bytes.concat(queueAccs[arrivals.length], keccak256(words))));
        arrivals.push(uint64(block.timestamp));
    }

    function post(uint256 l2Time, uint256 upTo, uint256 anchorBack, bytes calldata payload) external {
        Record memory r;
        r.prevAcc = batchAccs[batchAccs.length - 1];
        r.kind = 1;
        r.lastTimestamp = uint64(bound(l2Time, block.timestamp - 7 hours, block.timestamp + 11 minutes));
        r.queueConsumed = uint64(bound(upTo, consumed, arrivals.length));
        r.queueAcc = queueAccs[r.queueConsumed];
        r.anchorNumber = uint64(block.number - bound(anchorBack, 1, 300));
        r.anchorHash = blockhash(r.anchorNumber);
        bytes memory body = bytes.concat(hex"01", payload);
        r.payloadHash = keccak256(body);
        (uint8 v, bytes32 sr, bytes32 ss) = vm.sign(key, r.digest(902, address(inbox)));
        inbox.post(r, abi.encodePacked(sr, ss, v), body);
        ++posts;
        lastPostedAt = block.timestamp;
        _appended(r);
    }

    function forceAdvance() external {
        inbox.forceAdvance();
        ++advances;
        Record memory r;
        r.prevAcc = batchAccs[batchAccs.length - 1];
        r.lastTimestamp = lastTimestamp > block.timestamp ? lastTimestamp : uint64(block.timestamp);
        r.queueConsumed = uint64(arrivals.length); // Fewer than 256 wait in any run of this test.
        r.queueAcc = queueAccs[arrivals.length];
        r.anchorNumber = uint64(block.number - 1);
        r.anchorHash = blockhash(block.number - 1);
        bool leftOut = consumed < arrivals.length && block.timestamp > arrivals[consumed] + 6 hours + 30 minutes;
        if (block.timestamp <= lastPostedAt + 6 hours && !leftOut) ++broken;
        lastPostedAt = block.timestamp;
        _appended(r);
    }

    function pass(uint256 seconds_) external {
        seconds_ = bound(seconds_, 1, 4 hours);
        vm.warp(block.timestamp + seconds_);
        vm.roll(block.number + seconds_ / 12 + 1);
    }

    function _appended(Record memory r) private {
        // What the Inbox promises about every record it takes.
        if (r.queueConsumed < arrivals.length && r.lastTimestamp > arrivals[r.queueConsumed] + 30 minutes) {
            ++broken;
        }
        if (r.lastTimestamp < lastTimestamp || r.queueConsumed < consumed || r.anchorNumber < anchor) ++broken;
        (lastTimestamp, consumed, anchor) = (r.lastTimestamp, r.queueConsumed, r.anchorNumber);
        bytes memory words = bytes.concat(
            abi.encode(r.prevAcc, uint256(r.kind), uint256(r.lastTimestamp), uint256(r.queueConsumed)),
            abi.encode(r.queueAcc, uint256(r.anchorNumber), r.anchorHash, r.payloadHash)
        );
        batchAccs.push(keccak256(words));
    }

    function queueLength() external view returns (uint256) {
        return arrivals.length;
    }

    function recordCount() external view returns (uint256) {
        return batchAccs.length - 1;
    }
}

contract InboxAccumulates is L1Test {
    InboxActs private acts;

    function setUp() public override {
        super.setUp();
        acts = new InboxActs(inbox, portal, user, sequencerKey);
        targetContract(address(acts));
    }

    function invariant_InboxAccumulates() public view {
        assertEq(inbox.queueLength(), acts.queueLength());
        for (uint256 i = acts.consumed(); i <= acts.queueLength(); ++i) {
            assertEq(inbox.queueAccs(i), acts.queueAccs(i));
            if (i < acts.queueLength()) assertEq(inbox.queueTimestamp(i), acts.arrivals(i));
        }
        assertEq(inbox.recordCount(), acts.recordCount());
        for (uint256 i = 0; i <= acts.recordCount(); ++i) {
            assertEq(inbox.batchAccs(i), acts.batchAccs(i));
        }
        (uint64 lastTimestamp, uint64 consumed, uint64 anchor, uint64 postedAt) = inbox.lastRecord();
        assertEq(lastTimestamp, acts.lastTimestamp());
        assertEq(consumed, acts.consumed());
        assertEq(anchor, acts.anchor());
        assertEq(postedAt, acts.lastPostedAt());
        assertLe(consumed, inbox.queueLength());
        assertEq(acts.broken(), 0);
    }
}
