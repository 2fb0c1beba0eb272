// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @notice One deposit, message or forced transaction on its way to L2. Hashes: bridge/FORMATS.md, section 1.
/// @param index Position in the queue, from 0.
/// @param timestamp L1 block timestamp, seconds.
/// @param l1Block L1 block number.
/// @param from L2 sender, aliased by the Portal where the caller is a contract.
/// @param to L2 target; zero if `isCreation`.
/// @param mint OPEN escrowed on L1 and minted to `from` on L2, wei.
/// @param value OPEN sent from `from` to `to` on L2, wei.
/// @param gasLimit L2 gas, prepaid on L1.
/// @param isCreation Whether `data` is init code.
/// @param data Calldata or init code.
struct QueueEntry {
    uint64 index;
    uint64 timestamp;
    uint64 l1Block;
    address from;
    address to;
    uint256 mint;
    uint256 value;
    uint64 gasLimit;
    bool isCreation;
    bytes data;
}

using {entryHash} for QueueEntry global;

/// @return The hash of one entry; `data` enters as its own hash, so an entry can be shown without it.
function entryHash(QueueEntry memory entry) pure returns (bytes32) {
    return keccak256(
        abi.encode(
            entry.index,
            entry.timestamp,
            entry.l1Block,
            entry.from,
            entry.to,
            entry.mint,
            entry.value,
            entry.gasLimit,
            entry.isCreation,
            keccak256(entry.data)
        )
    );
}

/// @return The accumulator after an entry, from the one before it.
function nextQueueAcc(bytes32 acc, bytes32 hash) pure returns (bytes32) {
    return keccak256(abi.encode(acc, hash));
}
