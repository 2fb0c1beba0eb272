// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {Blockhash} from "@openzeppelin/contracts/utils/Blockhash.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IInbox} from "./interfaces/IInbox.sol";
import {ISystemConfig} from "./interfaces/ISystemConfig.sol";
import {KIND_BLOBS, KIND_CALLDATA, KIND_FORCED, Record} from "./Record.sol";

/// @title Inbox
/// @dev Invariant: each accumulator equals the hash chain over its events, and `queueConsumed` never falls nor passes
/// `queueLength` (test/l1/InboxAccumulates.t.sol).
contract Inbox is IInbox, Initializable {
    /// Six blobs: what one transaction may carry since Osaka.
    uint256 public constant MAX_BLOBS = 6;
    /// A transaction of 128 KiB is the most that L1 nodes relay; the rest is room for the call around the payload.
    uint256 public constant MAX_PAYLOAD_BYTES = 120_000;
    /// Bounds the L2 blocks that one forced record stands for.
    uint64 public constant MAX_FORCED_ENTRIES = 256;

    /// Places that the queue uses in turn as long as no more entries wait. They are opened at the start: an entry then
    /// costs what changing a slot costs, and not what opening one does.
    uint64 public constant RING = 256;

    ISystemConfig public immutable config;
    /// @inheritdoc IInbox
    address public immutable portal;

    /// What `post` and `enqueue` move, in one slot. 2^32 L1 blocks are 1,600 years.
    struct Head {
        uint32 recordCount;
        uint40 queueLength;
        uint40 queueConsumed;
        uint40 lastPostedAt;
        uint40 lastTimestamp;
        uint32 anchorNumber;
        /// Some entry that may still be asked for has a place of its own, because the ring was full.
        bool spilled;
    }

    /// One slot.
    struct Fixed {
        uint64 l2ChainId;
        uint32 windowS;
        uint32 forceDelayS;
        uint32 maxDriftS;
        /// The last count that was given a place of its own.
        uint40 spilledTo;
    }

    Head private _head;
    Fixed private _fixed;
    /// @inheritdoc IInbox
    address public sequencer;
    mapping(uint256 count => bytes32) private _batchAccs;
    /// By place: `count % RING`, or the count itself, which then is at least `RING`.
    mapping(uint256 place => bytes32) private _queueAccs;
    /// By place of the count after the entry, four to a slot.
    mapping(uint256 quarter => uint64[4]) private _queueTimestamps;

    constructor(ISystemConfig config_, address portal_) {
        config = config_;
        portal = portal_;
        _disableInitializers();
    }

    /// @inheritdoc IInbox
    function initialise(Params calldata p) external initializer {
        require(p.l2ChainId != 0 && p.windowS != 0, BadParams());
        _fixed = Fixed(p.l2ChainId, p.windowS, p.forceDelayS, p.maxDriftS, 0);
        _head.lastPostedAt = uint40(block.timestamp);
        readSettings();
        for (uint256 i = 0; i < RING; ++i) {
            _queueAccs[i] = bytes32(uint256(1));
            _queueTimestamps[i / 4][i % 4] = 1;
        }
    }

    /// @inheritdoc IInbox
    function readSettings() public {
        sequencer = config.sequencer();
    }

    /// @inheritdoc IInbox
    function enqueue(address from, address to, uint256, uint256, uint64, bool, bytes calldata data)
        external
        returns (uint64 index)
    {
        require(msg.sender == portal, NotPortal(msg.sender));

        index = _head.queueLength;
        bytes32 prevAcc = _queueAcc(_head.spilled, index);
        _put(index + 1, _emitEnqueued(index, from, to, prevAcc, data));
    }

    /// @inheritdoc IInbox
    function post(Record memory record, bytes calldata signature, bytes calldata payload) external {
        Head memory head = _head;
        bytes32 acc = _batchAccs[head.recordCount];
        require(record.prevAcc == acc, WrongPrevAcc(acc));

        bytes32[] memory blobHashes = _checkPayload(record, payload);
        Fixed memory fixed_ = _fixed;
        _checkTime(record, head, fixed_);
        _checkQueue(record, head, fixed_);
        _checkAnchor(record, head);
        _checkSignature(record, signature, fixed_.l2ChainId);

        head.lastPostedAt = uint40(block.timestamp);
        _append(record, head, blobHashes, payload);
    }

    /// @inheritdoc IInbox
    function forceAdvance() external {
        Head memory head = _head;
        uint256 deadline = _forceableAfter(head, _fixed);
        require(block.timestamp > deadline, WindowOpen(deadline));

        uint64 consumed = uint64(head.queueConsumed) + MAX_FORCED_ENTRIES;
        if (consumed >= head.queueLength) {
            consumed = head.queueLength;
            head.lastPostedAt = uint40(block.timestamp);
        }
        uint64 nowS = uint64(block.timestamp);
        Record memory record = Record({
            prevAcc: _batchAccs[head.recordCount],
            kind: KIND_FORCED,
            lastTimestamp: head.lastTimestamp > nowS ? head.lastTimestamp : nowS,
            queueConsumed: consumed,
            queueAcc: _queueAcc(head.spilled, consumed),
            anchorNumber: uint64(block.number - 1),
            anchorHash: blockhash(block.number - 1),
            payloadHash: 0
        });
        _append(record, head, new bytes32[](0), msg.data[:0]);
    }

    /// @inheritdoc IInbox
    function batchAcc() external view returns (bytes32) {
        return _batchAccs[_head.recordCount];
    }

    /// @inheritdoc IInbox
    function batchAccs(uint256 count) external view returns (bytes32) {
        require(count <= _head.recordCount, UnknownIndex(count));
        return _batchAccs[count];
    }

    /// @inheritdoc IInbox
    function recordCount() external view returns (uint64) {
        return _head.recordCount;
    }

    /// @inheritdoc IInbox
    function queueLength() external view returns (uint64) {
        return _head.queueLength;
    }

    /// @inheritdoc IInbox
    function queueAccs(uint256 count) external view returns (bytes32) {
        Head memory head = _head;
        require(count <= head.queueLength, UnknownIndex(count));
        require(count >= head.queueConsumed, Forgotten(count));
        return _queueAcc(head.spilled, count);
    }

    /// @inheritdoc IInbox
    function queueTimestamp(uint256 index) external view returns (uint64) {
        Head memory head = _head;
        require(index < head.queueLength, UnknownIndex(index));
        require(index >= head.queueConsumed, Forgotten(index));
        return _timestamp(_place(head.spilled, index + 1));
    }

    /// @inheritdoc IInbox
    function lastRecord() external view returns (uint64, uint64, uint64, uint64) {
        return (_head.lastTimestamp, _head.queueConsumed, _head.anchorNumber, _head.lastPostedAt);
    }

    /// @inheritdoc IInbox
    function params() external view returns (Params memory) {
        Fixed memory f = _fixed;
        return Params(f.l2ChainId, f.windowS, f.forceDelayS, f.maxDriftS);
    }

    function _append(Record memory record, Head memory head, bytes32[] memory blobHashes, bytes calldata payload)
        private
    {
        uint64 index = head.recordCount;
        bytes32 acc = record.accAfter();
        head.recordCount = uint32(index + 1);
        head.queueConsumed = uint40(record.queueConsumed);
        // Both checked against L1's time and number, or taken from them.
        head.lastTimestamp = uint40(record.lastTimestamp);
        head.anchorNumber = uint32(record.anchorNumber);
        if (head.spilled && head.queueConsumed > _fixed.spilledTo) head.spilled = false;
        _head = head;
        _batchAccs[index + 1] = acc;
        emit Posted(index, acc, record, blobHashes, payload);
    }

    function _checkPayload(Record memory record, bytes calldata payload)
        private
        view
        returns (bytes32[] memory blobHashes)
    {
        uint256 blobs = 0;
        while (blobs <= MAX_BLOBS && blobhash(blobs) != 0) ++blobs;

        bytes32 hash;
        if (record.kind == KIND_CALLDATA) {
            require(blobs == 0, WrongBlobs());
            require(0 < payload.length && payload.length <= MAX_PAYLOAD_BYTES, WrongPayloadLength(payload.length));
            hash = keccak256(payload);
        } else {
            require(record.kind == KIND_BLOBS, WrongKind(record.kind));
            require(0 < blobs && blobs <= MAX_BLOBS, WrongBlobs());
            require(payload.length == 0, WrongPayloadLength(payload.length));
            blobHashes = new bytes32[](blobs);
            for (uint256 i = 0; i < blobs; ++i) {
                blobHashes[i] = blobhash(i);
            }
            hash = keccak256(abi.encodePacked(blobHashes));
        }
        require(record.payloadHash == hash, WrongPayloadHash(hash));
    }

    /// Emits `Enqueued(index, from, to, entry, acc)` and returns `acc`, the accumulator after the entry. The entry is laid
    /// out in memory once, for its hash and for the event: plain Solidity does it three times, for 3,000 gas more.
    function _emitEnqueued(uint64 index, address from, address to, bytes32 prevAcc, bytes calldata data)
        private
        returns (bytes32 acc)
    {
        bytes32 topic = Enqueued.selector;
        assembly ("memory-safe") {
            // The event's data: offset of the entry, acc, and the entry's ten words and data.
            let start := mload(0x40)
            let words := add(start, 0x40)
            let text := add(words, 0x160)
            calldatacopy(text, data.offset, data.length)
            mstore(add(text, data.length), 0)
            mstore(words, index)
            mstore(add(words, 0x20), timestamp())
            mstore(add(words, 0x40), number())
            // The arguments from, to, mint, value, gasLimit, isCreation: the ABI has them in the entry's order.
            calldatacopy(add(words, 0x60), 4, 0xc0)
            mstore(add(words, 0x120), keccak256(text, data.length))
            mstore(0x00, prevAcc)
            mstore(0x20, keccak256(words, 0x140))
            acc := keccak256(0x00, 0x40)
            // The hash of the data makes room for the offset of the data.
            mstore(add(words, 0x120), 0x140)
            mstore(add(words, 0x140), data.length)
            mstore(start, 0x40)
            mstore(add(start, 0x20), acc)
            let size := add(0x1a0, and(add(data.length, 0x1f), not(0x1f)))
            log4(start, size, topic, index, from, to)
        }
    }

    /// Gives the next entry its place: in the ring if the one that has the place is consumed, else one of its own.
    function _put(uint256 count, bytes32 acc) private {
        // Remainders find places; nothing here is random.
        // slither-disable-next-line weak-prng
        uint256 place = count % RING;
        if (count - _head.queueConsumed >= RING) {
            place = count;
            _head.spilled = true;
            _fixed.spilledTo = uint40(count);
        }
        _queueAccs[place] = acc;
        // slither-disable-next-line weak-prng
        _queueTimestamps[place / 4][place % 4] = uint64(block.timestamp);
        _head.queueLength = uint40(count);
    }

    /// Where a count stands that is not below `queueConsumed`.
    function _place(bool spilled, uint256 count) private view returns (uint256) {
        if (spilled && count >= RING && _queueAccs[count] != 0) return count;
        // slither-disable-next-line weak-prng
        return count % RING;
    }

    function _queueAcc(bool spilled, uint256 count) private view returns (bytes32) {
        // Before the first entry nothing is stored.
        // slither-disable-next-line incorrect-equality
        return count == 0 ? bytes32(0) : _queueAccs[_place(spilled, count)];
    }

    function _timestamp(uint256 place) private view returns (uint64) {
        // slither-disable-next-line weak-prng
        return _queueTimestamps[place / 4][place % 4];
    }

    function _checkTime(Record memory record, Head memory head, Fixed memory fixed_) private view {
        uint256 min = block.timestamp > fixed_.windowS ? block.timestamp - fixed_.windowS : 0;
        if (min < head.lastTimestamp) min = head.lastTimestamp;
        uint256 max = block.timestamp + fixed_.maxDriftS;
        require(min <= record.lastTimestamp && record.lastTimestamp <= max, TimestampOutOfRange(min, max));
    }

    function _checkQueue(Record memory record, Head memory head, Fixed memory fixed_) private view {
        uint64 consumed = record.queueConsumed;
        require(
            head.queueConsumed <= consumed && consumed <= head.queueLength,
            QueueOutOfRange(head.queueConsumed, head.queueLength)
        );
        bytes32 acc = _queueAcc(head.spilled, consumed);
        require(record.queueAcc == acc, WrongQueueAcc(acc));
        if (consumed < head.queueLength) {
            uint256 deadline = uint256(_timestamp(_place(head.spilled, uint256(consumed) + 1))) + fixed_.forceDelayS;
            require(record.lastTimestamp <= deadline, MustConsume(consumed, deadline));
        }
    }

    /// The end of the running window; or when L1 takes no batch any more that leaves the oldest entry out, if that is
    /// sooner. A sequencer whose clock is late by almost a window would otherwise win a second one.
    function _forceableAfter(Head memory head, Fixed memory fixed_) private view returns (uint256 deadline) {
        deadline = uint256(head.lastPostedAt) + fixed_.windowS;
        if (head.queueConsumed < head.queueLength) {
            uint256 enqueuedAt = _timestamp(_place(head.spilled, uint256(head.queueConsumed) + 1));
            uint256 leftOutUntil = enqueuedAt + fixed_.forceDelayS + fixed_.windowS;
            if (leftOutUntil < deadline) deadline = leftOutUntil;
        }
    }

    function _checkAnchor(Record memory record, Head memory head) private view {
        require(
            head.anchorNumber <= record.anchorNumber && record.anchorNumber < block.number,
            AnchorOutOfRange(head.anchorNumber, block.number - 1)
        );
        bytes32 hash = Blockhash.blockHash(record.anchorNumber);
        // Zero means unknown, and must not match a record that says zero.
        require(hash != 0 && record.anchorHash == hash, WrongAnchorHash(hash));
    }

    function _checkSignature(Record memory record, bytes calldata signature, uint64 l2ChainId) private view {
        address signer = ECDSA.recoverCalldata(record.digest(l2ChainId, address(this)), signature);
        require(signer == sequencer, WrongSigner(signer));
    }
}
