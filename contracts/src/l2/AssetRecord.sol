// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IAssetRegistry} from "./IAssetRegistry.sol";
import {Predeploys} from "./Predeploys.sol";

/// @title AssetRecord
/// @notice The bytes of one asset version, kept as the code of a contract: a byte of code costs 200 gas to write where
///         a slot costs 690 per byte, and the whole record is one cold access to read.
/// @dev The registry creates exactly one contract per version, the first with account nonce 1, so the record of
///      version `id` stands where CREATE with nonce `id` puts it, and finding it reads no storage. Big-endian:
///
///      offset  size  what
///      0       1     0x00, STOP: a call does nothing
///      1       1     kind
///      2       1     depth
///      3       1     n, number of beneficiaries
///      4       1     m, number of floors
///      5       1     p, number of parents
///      6       12 n  vector: uint64 id, uint32 ppb; ids ascending, the version's own last
///      …       5 m   floors: uint8 index into the vector, uint32 ppb
///      …       13 p  parents: uint64 id, uint32 weightPpb, uint8 edge
///      …       80    uint32 upstreamPpb, uint32 floorPpb, uint64 prev, contentRoot, licence
library AssetRecord {
    uint256 internal constant VECTOR_AT = 6;
    uint256 internal constant ENTRY_SIZE = 12;
    uint256 internal constant FLOOR_SIZE = 5;
    uint256 internal constant PARENT_SIZE = 13;

    /// PUSH1 11, CODESIZE, SUB, DUP1, PUSH1 11, PUSH0, CODECOPY, PUSH0, RETURN: deploys the bytes that follow it.
    bytes11 private constant INIT_CODE = hex"600b380380600b5f395ff3";

    /// @notice Deploys `record` from the calling contract, which must be the registry.
    function store(bytes memory record) internal returns (address where) {
        bytes memory initCode = bytes.concat(INIT_CODE, record);
        assembly ("memory-safe") {
            where := create(0, add(initCode, 0x20), mload(initCode))
        }
    }

    /// @notice Where the record of `id` stands: the last 20 bytes of keccak256(rlp([registry, id])).
    function addressOf(uint64 id) internal pure returns (address where) {
        // RLP writes an integer below 0x80 as itself, a larger one as 0x80 + its length and its bytes; 0xc0 + length and
        // 0x94 go before the list and the address.
        uint256 extra = 0;
        uint256 tail = uint256(id) << 72;
        if (id >= 0x80) {
            for (uint64 rest = id; rest != 0; rest >>= 8) {
                ++extra;
            }
            tail = (0x80 + extra) << 72 | uint256(id) << (72 - 8 * extra);
        }
        uint256 rlp = (0xd6 + extra) << 248 | 0x94 << 240 | uint256(uint160(Predeploys.ASSET_REGISTRY)) << 80 | tail;
        assembly ("memory-safe") {
            mstore(0, rlp)
            where := and(keccak256(0, add(23, extra)), 0xffffffffffffffffffffffffffffffffffffffff)
        }
    }

    /// @notice The whole record. Reverts if there is no such version.
    function load(uint64 id) internal view returns (bytes memory record) {
        record = addressOf(id).code;
        require(record.length != 0, IAssetRegistry.UnknownAsset(id));
    }

    /// @notice The kind alone. Reverts if there is no such version.
    function kindOf(uint64 id) internal view returns (IAssetRegistry.Kind) {
        address where = addressOf(id);
        require(where.code.length != 0, IAssetRegistry.UnknownAsset(id));
        uint256 head;
        assembly ("memory-safe") {
            extcodecopy(where, 0, 0, 32)
            head := mload(0)
        }
        return IAssetRegistry.Kind(uint8(head >> 240));
    }

    function depth(bytes memory record) internal pure returns (uint256) {
        return uint8(record[2]);
    }

    /// @notice Number of beneficiaries.
    function size(bytes memory record) internal pure returns (uint256) {
        return uint8(record[3]);
    }

    /// @notice Beneficiary `i`, which must be below `size`.
    function entry(bytes memory record, uint256 i) internal pure returns (uint64 id, uint32 ppb) {
        uint256 word = wordAt(record, VECTOR_AT + ENTRY_SIZE * i);
        return (uint64(word >> 192), uint32(word >> 160));
    }

    /// @notice Number of floors.
    function floors(bytes memory record) internal pure returns (uint256) {
        return uint8(record[4]);
    }

    /// @notice Floor `i`: which entry of the vector it protects, and how much.
    function floorAt(bytes memory record, uint256 i) internal pure returns (uint256 index, uint32 ppb) {
        uint256 word = wordAt(record, VECTOR_AT + ENTRY_SIZE * size(record) + FLOOR_SIZE * i);
        return (word >> 248, uint32(word >> 216));
    }

    function parents(bytes memory record) internal pure returns (IAssetRegistry.Parent[] memory list) {
        list = new IAssetRegistry.Parent[](uint8(record[5]));
        uint256 offset = VECTOR_AT + ENTRY_SIZE * size(record) + FLOOR_SIZE * floors(record);
        for (uint256 i = 0; i < list.length; ++i) {
            uint256 word = wordAt(record, offset + PARENT_SIZE * i);
            list[i] = IAssetRegistry.Parent({
                id: uint64(word >> 192), weightPpb: uint32(word >> 160), edge: IAssetRegistry.Edge(uint8(word >> 152))
            });
        }
    }

    /// @notice The 32 bytes from `offset` on; what lies beyond the end of `record` is whatever memory holds.
    function wordAt(bytes memory record, uint256 offset) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(record, 0x20), offset))
        }
    }
}
