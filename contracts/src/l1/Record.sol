// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @notice What the Inbox appends for a posted batch or a forced advance. Hashes: bridge/FORMATS.md, section 2.
/// @param prevAcc Batch accumulator before this record.
/// @param kind One of `KIND_FORCED`, `KIND_CALLDATA`, `KIND_BLOBS`.
/// @param lastTimestamp L2 timestamp of the batch's last block, seconds.
/// @param queueConsumed Queue entries consumed after this record, in total.
/// @param queueAcc Queue accumulator at `queueConsumed`.
/// @param anchorNumber Number of the newest L1 block the batch refers to.
/// @param anchorHash Its hash.
/// @param payloadHash Zero, hash of the calldata payload, or hash of the concatenated versioned hashes, by `kind`.
struct Record {
    bytes32 prevAcc;
    uint8 kind;
    uint64 lastTimestamp;
    uint64 queueConsumed;
    bytes32 queueAcc;
    uint64 anchorNumber;
    bytes32 anchorHash;
    bytes32 payloadHash;
}

using {accAfter, digest} for Record global;

uint8 constant KIND_FORCED = 0;
uint8 constant KIND_CALLDATA = 1;
uint8 constant KIND_BLOBS = 2;

bytes32 constant DOMAIN_TYPEHASH =
    keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
bytes32 constant DOMAIN_NAME_HASH = keccak256("Tributary Inbox");
bytes32 constant DOMAIN_VERSION_HASH = keccak256("1");
bytes32 constant BATCH_TYPEHASH = keccak256(
    "Batch(uint256 l2ChainId,bytes32 prevAcc,uint8 kind,uint64 lastTimestamp,uint64 queueConsumed,bytes32 queueAcc,uint64 anchorNumber,bytes32 anchorHash,bytes32 payloadHash)"
);

/// @return The batch accumulator after this record.
function accAfter(Record memory record) pure returns (bytes32) {
    return keccak256(abi.encode(record));
}

/// @notice The EIP-712 digest the sequencer signs: it binds both chain ids and the Inbox, so a signature is good once.
function digest(Record memory record, uint256 l2ChainId, address inbox) view returns (bytes32) {
    bytes32 domain = keccak256(abi.encode(DOMAIN_TYPEHASH, DOMAIN_NAME_HASH, DOMAIN_VERSION_HASH, block.chainid, inbox));
    // A record is static and in the order of the type string, so its ABI encoding is the tail of encodeData.
    return keccak256(abi.encodePacked(hex"1901", domain, keccak256(abi.encode(BATCH_TYPEHASH, l2ChainId, record))));
}
