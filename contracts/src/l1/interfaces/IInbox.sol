// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {QueueEntry} from "../QueueEntry.sol";
import {Record} from "../Record.sol";

/// @title Inbox
/// @notice Orders everything that becomes L2, in two hash accumulators: the queue of entries from L1, and the records
/// of posted batches. L2 is a pure function of the two; bridge/FORMATS.md has the bytes.
/// @dev Nobody can pause any function here. The sequencer can delay an entry by `forceDelayS` of L2 time while it posts,
/// and by `windowS` of L1 time when it does not; in L1 time by no more than the two together, however late L2's clock is.
interface IInbox {
    /// @param l2ChainId Chain id of L2, part of what the sequencer signs.
    /// @param windowS Seconds without a batch after which anyone may advance; also how old a batch may be when it lands.
    /// @param forceDelayS Seconds of L2 time after which a queue entry must have been consumed.
    /// @param maxDriftS Seconds that L2 time may be ahead of L1 time.
    struct Params {
        uint64 l2ChainId;
        uint32 windowS;
        uint32 forceDelayS;
        uint32 maxDriftS;
    }

    /// @notice An entry joined the queue.
    /// @param queueAcc The queue accumulator after it.
    event Enqueued(uint64 indexed index, address indexed from, address indexed to, QueueEntry entry, bytes32 queueAcc);

    /// @notice A record was appended.
    /// @param index Position of the record, from 0.
    /// @param batchAcc The batch accumulator after it, which is `batchAccs(index + 1)`.
    /// @param blobHashes Versioned hashes, for kind 2 only.
    /// @param payload For kind 1 only.
    event Posted(uint64 indexed index, bytes32 batchAcc, Record record, bytes32[] blobHashes, bytes payload);

    error NotPortal(address caller);
    error BadParams();
    /// @notice Another record landed first. Build on `current`.
    error WrongPrevAcc(bytes32 current);
    error WrongKind(uint8 kind);
    /// @notice A calldata batch came with blobs, or a blob batch with none or more than six.
    error WrongBlobs();
    /// @notice A calldata payload is empty or too long, or a blob batch has a calldata payload.
    error WrongPayloadLength(uint256 length);
    error WrongPayloadHash(bytes32 actual);
    error WrongSigner(address signer);
    error QueueOutOfRange(uint64 min, uint64 max);
    error WrongQueueAcc(bytes32 actual);
    error AnchorOutOfRange(uint256 min, uint256 max);
    /// @notice L1 knows another hash for that block; zero if it is older than 8191 blocks.
    error WrongAnchorHash(bytes32 actual);
    error TimestampOutOfRange(uint256 min, uint256 max);
    /// @notice Entry `index` had to be consumed by a batch that passes L2 time `deadline`.
    error MustConsume(uint64 index, uint256 deadline);
    /// @notice The sequencer still has until `deadline`, L1 time.
    error WindowOpen(uint256 deadline);
    error UnknownIndex(uint256 index);
    /// @notice It is consumed, and its storage used again.
    error Forgotten(uint256 index);

    /// @notice Called once, by the proxy's constructor. The first window starts now. Opens the storage that the queue
    /// then uses again and again, so that no depositor pays for it.
    function initialise(Params calldata params) external;

    /// @notice Reads the sequencer's address from `SystemConfig`, which calls this whenever it changes. Anyone may call.
    function readSettings() external;

    /// @notice Appends an entry to the queue. For the Portal, which has taken what the entry mints and its gas.
    /// @return index Its position.
    function enqueue(
        address from,
        address to,
        uint256 mint,
        uint256 value,
        uint64 gasLimit,
        bool isCreation,
        bytes calldata data
    ) external returns (uint64 index);

    /// @notice Appends a batch signed by the sequencer. Anyone may call: the signature counts, not the sender.
    /// @param record What the batch claims; every field is checked, nothing is clamped.
    /// @param signature 65 bytes r‖s‖v over the EIP-712 digest of `record`.
    /// @param payload The batch for kind 1; empty for kind 2, whose blobs travel with the transaction.
    function post(Record calldata record, bytes calldata signature, bytes calldata payload) external;

    /// @notice Advances L2 without the sequencer when it has not posted for longer than `windowS`, or when the oldest entry
    /// has waited for longer than `forceDelayS` and `windowS` together: consumes up to `MAX_FORCED_ENTRIES` queue entries.
    /// If entries remain it may be called again at once; else a new window starts, so that a returning sequencer has time
    /// to build on this record.
    function forceAdvance() external;

    /// @return The contract that may enqueue.
    function portal() external view returns (address);

    /// @return The address whose signature `post` accepts.
    function sequencer() external view returns (address);

    /// @return The current batch accumulator.
    function batchAcc() external view returns (bytes32);

    /// @return The batch accumulator after `count` records; zero for none. Reverts beyond `recordCount`, so that a
    /// missing record can never pass for one.
    function batchAccs(uint256 count) external view returns (bytes32);

    /// @return Number of records.
    function recordCount() external view returns (uint64);

    /// @return Number of queue entries ever.
    function queueLength() external view returns (uint64);

    /// @return The queue accumulator after `count` entries; zero for none. Reverts beyond `queueLength`, and below
    /// `queueConsumed`, where storage is used again: what was there the events tell.
    function queueAccs(uint256 count) external view returns (bytes32);

    /// @return L1 timestamp of queue entry `index`, seconds. Reverts if there is none that still waits.
    function queueTimestamp(uint256 index) external view returns (uint64);

    /// @return lastTimestamp L2 timestamp of the last record, seconds; zero before the first.
    /// @return queueConsumed Queue entries consumed in total.
    /// @return anchorNumber L1 block of the last record's anchor; zero before the first.
    /// @return lastPostedAt L1 timestamp at which the running window started.
    function lastRecord()
        external
        view
        returns (uint64 lastTimestamp, uint64 queueConsumed, uint64 anchorNumber, uint64 lastPostedAt);

    /// @return What `initialise` was given.
    function params() external view returns (Params memory);
}
