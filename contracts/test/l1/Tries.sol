// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// Storage tries whose slots all hold 1, built plainly: what SlotProof is tested with.
library Tries {
    /// The root over hashed slots, which must differ.
    function root(bytes32[] memory keys) internal pure returns (bytes32) {
        return keccak256(node(keys, 0));
    }

    /// The nodes from the root to `key`; a node inside its parent does not stand again.
    function prove(bytes32[] memory keys, bytes32 key) internal pure returns (bytes[] memory nodes) {
        nodes = new bytes[](65);
        uint256 count = 0;
        uint256 depth = 0;
        while (true) {
            bytes memory encoded = node(keys, depth);
            if (encoded.length >= 32 || depth == 0) nodes[count++] = encoded;
            if (keys.length == 1) break;
            uint256 shared = _shared(keys, depth);
            if (shared != 0) {
                depth += shared;
                encoded = node(keys, depth);
                if (encoded.length >= 32) nodes[count++] = encoded;
            }
            keys = _with(keys, depth, nibble(key, depth));
            ++depth;
        }
        assembly ("memory-safe") {
            mstore(nodes, count)
        }
    }

    /// The node over `keys`, which agree in the first `depth` nibbles.
    function node(bytes32[] memory keys, uint256 depth) internal pure returns (bytes memory) {
        if (keys.length == 1) return list(bytes.concat(path(keys[0], depth, 64, true), hex"01"));
        uint256 shared = _shared(keys, depth);
        if (shared != 0) {
            bytes memory below = node(keys, depth + shared);
            return list(bytes.concat(path(keys[0], depth, depth + shared, false), link(below)));
        }
        bytes memory items;
        for (uint256 i = 0; i < 16; ++i) {
            bytes32[] memory child = _with(keys, depth, i);
            items = bytes.concat(items, child.length == 0 ? bytes(hex"80") : link(node(child, depth + 1)));
        }
        return list(bytes.concat(items, hex"80"));
    }

    function link(bytes memory encoded) internal pure returns (bytes memory) {
        return encoded.length < 32 ? encoded : abi.encodePacked(hex"a0", keccak256(encoded));
    }

    /// The string of the nibbles in hex-prefix encoding.
    function path(bytes32 key, uint256 from, uint256 to, bool isLeaf) internal pure returns (bytes memory) {
        uint256 count = to - from;
        bytes memory packed = new bytes(count / 2 + 1);
        uint256 flag = (isLeaf ? 2 : 0) + (count % 2);
        packed[0] = bytes1(uint8(flag << 4 | (count % 2 == 1 ? nibble(key, from) : 0)));
        uint256 position = from + count % 2;
        for (uint256 i = 1; i < packed.length; ++i) {
            packed[i] = bytes1(uint8(nibble(key, position) << 4 | nibble(key, position + 1)));
            position += 2;
        }
        return string_(packed);
    }

    function string_(bytes memory content) internal pure returns (bytes memory) {
        if (content.length == 1 && uint8(content[0]) < 0x80) return content;
        return bytes.concat(bytes1(uint8(0x80 + content.length)), content);
    }

    function list(bytes memory items) internal pure returns (bytes memory) {
        if (items.length < 56) return bytes.concat(bytes1(uint8(0xc0 + items.length)), items);
        if (items.length < 256) return bytes.concat(hex"f8", bytes1(uint8(items.length)), items);
        return bytes.concat(hex"f9", bytes2(uint16(items.length)), items);
    }

    function nibble(bytes32 key, uint256 position) internal pure returns (uint256) {
        return uint256(key) >> (252 - 4 * position) & 0x0f;
    }

    function _shared(bytes32[] memory keys, uint256 depth) private pure returns (uint256 count) {
        while (depth + count < 64) {
            uint256 want = nibble(keys[0], depth + count);
            for (uint256 i = 1; i < keys.length; ++i) {
                if (nibble(keys[i], depth + count) != want) return count;
            }
            ++count;
        }
    }

    function _with(bytes32[] memory keys, uint256 depth, uint256 want) private pure returns (bytes32[] memory found) {
        found = new bytes32[](keys.length);
        uint256 count = 0;
        for (uint256 i = 0; i < keys.length; ++i) {
            if (nibble(keys[i], depth) == want) found[count++] = keys[i];
        }
        assembly ("memory-safe") {
            mstore(found, count)
        }
    }
}
