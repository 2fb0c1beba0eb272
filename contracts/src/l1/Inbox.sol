// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {Blockhash} from "@openzeppelin/contracts/utils/Blockhash.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IInbox} from "./interfaces/IInbox.sol";
import {ISystemConfig} from "./interfaces/ISystemConfig.sol";
import {QueueEntry, nextQueueAcc} from "./QueueEntry.sol";
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

    ISystemConfig public immutable config;
    address public immutable portal;

    /// What `post` reads and moves, in two slots. 2^32 L1 blocks are 1,600 years.
    struct Head {
        uint64 recordCount;
        uint64 queueLength;
        uint64 queueConsumed;
        uint64 lastPostedAt;
        uint64 lastTimestamp;
        uint32 anchorNumber;
        uint32 windowS;
        uint32 forceDelayS;
        uint32 maxDriftS;
        uint64 l2ChainId;
    }

    Head private _head;
    mapping(uint256 count => bytes32) private _batchAccs;
    mapping(uint256 count => bytes32) private _queueAccs;
    /// Four timestamps to a slot, because a deposit pays for every slot it opens.
    mapping(uint256 quarter => uint64[4]) private _queueTimestamps;

    constructor(ISystemConfig config_, address portal_) {
        config = config_;
        portal = portal_;
        _disableInitializers();
    }

    /// @inheritdoc IInbox
    function initialise(Params calldata p) external initializer {
        require(p.l2ChainId != 0 && p.windowS != 0, BadParams());
        _head.l2ChainId = p.l2ChainId;
        _head.windowS = p.windowS;
        _head.forceDelayS = p.forceDelayS;
        _head.maxDriftS = p.maxDriftS;
        _head.lastPostedAt = uint64(block.timestamp);
    }

    /// @inheritdoc IInbox
    function enqueue(
        address from,
        address to,
        uint256 mint,
        uint256 value,
        uint64 gasLimit,
        bool isCreation,
        bytes calldata data
    ) external returns (uint64 index) {
        require(msg.sender == portal, NotPortal(msg.sender));

        index = _head.queueLength;
        QueueEntry memory entry = QueueEntry({
            index: index,
            timestamp: uint64(block.timestamp),
            l1Block: uint64(block.number),
            from: from,
            to: to,
            mint: mint,
            value: value,
            gasLimit: gasLimit,
            isCreation: isCreation,
            data: data
        });
        bytes32 acc = nextQueueAcc(_queueAccs[index], entry.entryHash());
        _queueAccs[index + 1] = acc;
        // The remainder finds a place in a slot; nothing here is random.
        // slither-disable-next-line weak-prng
        _queueTimestamps[index / 4][index % 4] = uint64(block.timestamp);
        _head.queueLength = index + 1;
        emit Enqueued(index, from, to, entry, acc);
    }

    /// @inheritdoc IInbox
    function post(Record memory record, bytes calldata signature, bytes calldata payload) external {
        Head memory head = _head;
        bytes32 acc = _batchAccs[head.recordCount];
        require(record.prevAcc == acc, WrongPrevAcc(acc));

        bytes32[] memory blobHashes = _checkPayload(record, payload);
        _checkTime(record, head);
        _checkQueue(record, head);
        _checkAnchor(record, head);
        _checkSignature(record, signature, head.l2ChainId);

        head.lastPostedAt = uint64(block.timestamp);
        _append(record, head, blobHashes, payload);
    }

    /// @inheritdoc IInbox
    function forceAdvance() external {
        Head memory head = _head;
        uint256 deadline = uint256(head.lastPostedAt) + head.windowS;
        require(block.timestamp > deadline, WindowOpen(deadline));

        uint64 consumed = head.queueConsumed + MAX_FORCED_ENTRIES;
        if (consumed >= head.queueLength) {
            consumed = head.queueLength;
            head.lastPostedAt = uint64(block.timestamp);
        }
        uint64 nowS = uint64(block.timestamp);
        Record memory record = Record({
            prevAcc: _batchAccs[head.recordCount],
            kind: KIND_FORCED,
            lastTimestamp: head.lastTimestamp > nowS ? head.lastTimestamp : nowS,
            queueConsumed: consumed,
            queueAcc: _queueAccs[consumed],
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
        require(count <= _head.queueLength, UnknownIndex(count));
        return _queueAccs[count];
    }

    /// @inheritdoc IInbox
    function queueTimestamp(uint256 index) external view returns (uint64) {
        require(index < _head.queueLength, UnknownIndex(index));
        return _queueTimestamps[index / 4][index % 4];
    }

    /// @inheritdoc IInbox
    function lastRecord() external view returns (uint64, uint64, uint64, uint64) {
        return (_head.lastTimestamp, _head.queueConsumed, _head.anchorNumber, _head.lastPostedAt);
    }

    /// @inheritdoc IInbox
    function params() external view returns (Params memory) {
        return Params(_head.l2ChainId, _head.windowS, _head.forceDelayS, _head.maxDriftS);
    }

    function _append(Record memory record, Head memory head, bytes32[] memory blobHashes, bytes calldata payload)
        private
    {
        uint64 index = head.recordCount;
        bytes32 acc = record.accAfter();
        head.recordCount = index + 1;
        head.queueConsumed = record.queueConsumed;
        head.lastTimestamp = record.lastTimestamp;
        head.anchorNumber = uint32(record.anchorNumber);
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

    function _checkTime(Record memory record, Head memory head) private view {
        uint256 min = block.timestamp > head.windowS ? block.timestamp - head.windowS : 0;
        if (min < head.lastTimestamp) min = head.lastTimestamp;
        uint256 max = block.timestamp + head.maxDriftS;
        require(min <= record.lastTimestamp && record.lastTimestamp <= max, TimestampOutOfRange(min, max));
    }

    function _checkQueue(Record memory record, Head memory head) private view {
        uint64 consumed = record.queueConsumed;
        require(
            head.queueConsumed <= consumed && consumed <= head.queueLength,
            QueueOutOfRange(head.queueConsumed, head.queueLength)
        );
        require(record.queueAcc == _queueAccs[consumed], WrongQueueAcc(_queueAccs[consumed]));
        if (consumed < head.queueLength) {
            uint256 deadline = uint256(_queueTimestamps[consumed / 4][consumed % 4]) + head.forceDelayS;
            require(record.lastTimestamp <= deadline, MustConsume(consumed, deadline));
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
        require(signer == config.sequencer(), WrongSigner(signer));
    }
}
