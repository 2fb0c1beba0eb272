// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @notice A message from L2, as `L2ToL1MessagePasser` recorded it.
/// @param nonce Its number there, with the version in the two highest bytes; no two messages share one.
/// @param sender Who sent it on L2.
/// @param target Whom it pays, and calls if it has data.
/// @param value OPEN burned on L2 and paid here, wei.
/// @param gasLimit The least gas its call gets.
/// @param data Calldata for `target`; empty for a mere payment.
struct Withdrawal {
    uint256 nonce;
    address sender;
    address target;
    uint256 value;
    uint256 gasLimit;
    bytes data;
}

/// @notice What an output root is made of: bridge/FORMATS.md, section 5.
/// @param version Zero.
/// @param stateRoot State root of the L2 block.
/// @param messagePasserStorageRoot Storage root of `L2ToL1MessagePasser` in that state.
/// @param latestBlockhash Hash of that block.
struct OutputRootProof {
    bytes32 version;
    bytes32 stateRoot;
    bytes32 messagePasserStorageRoot;
    bytes32 latestBlockhash;
}

using {withdrawalHash} for Withdrawal global;
using {outputRoot} for OutputRootProof global;

/// @return The key under which the message passer keeps the message.
function withdrawalHash(Withdrawal calldata w) pure returns (bytes32) {
    return keccak256(abi.encode(w.nonce, w.sender, w.target, w.value, w.gasLimit, w.data));
}

/// @return The path of `sentMessages[hash]` in the message passer's storage trie: the hash of its slot, where the mapping
/// has slot 0.
function sentMessageKey(bytes32 hash) pure returns (bytes32) {
    return keccak256(abi.encode(keccak256(abi.encode(hash, uint256(0)))));
}

/// @return The output root that the parts make up.
function outputRoot(OutputRootProof calldata p) pure returns (bytes32) {
    return keccak256(abi.encode(p.version, p.stateRoot, p.messagePasserStorageRoot, p.latestBlockhash));
}
