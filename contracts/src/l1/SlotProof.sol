// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title SlotProof
/// @notice Shows that a storage slot holds the value 1 under a storage root: all that a withdrawal needs.
/// @dev Strict: a node must hash to what its parent says, be exactly what an honest trie encodes (RLP without slack,
/// no empty extension, no value in a branch, no branch with one child), and every node given must be used. Keys are
/// hashes of 32 bytes, so a path has 64 nibbles, each node takes at least one, and the walk is bounded by that.
///
/// A node shorter than 32 bytes stands inside its parent. It is read there; `eth_getProof` does not list it again. Some
/// clients do, as the last element, and a proof may end with it.
///
/// Absent on purpose: proofs of absence, other values, tries with keys of other lengths.
library SlotProof {
    /// @notice Node `index` of the proof does not hash to what its parent (or the root) says.
    error WrongNode(uint256 index);
    /// @notice Node `index` is not what an honest trie encodes.
    error MalformedNode(uint256 index);
    /// @notice The nodes show another key, or another value than 1.
    error NotShown(uint256 index);
    /// @notice The path goes on where the proof ends.
    error ProofTooShort();
    /// @notice Nodes follow the one that ends the path.
    error TrailingNodes(uint256 index);

    /// What is left of the path, and where the walk is.
    struct Walk {
        uint256 key;
        uint256 depth;
        /// Index of the listed node.
        uint256 index;
        /// Calldata range of the node that is being read.
        uint256 pos;
        uint256 end;
        /// Extensions end at branches.
        bool onlyBranch;
    }

    /// @notice Returns if `proof` shows that a slot holds 1 under `root`, and reverts otherwise.
    /// @param key Hash of the slot: its path in the trie.
    /// @param proof RLP nodes from the root down.
    function check(bytes32 root, bytes32 key, bytes[] calldata proof) internal pure {
        Walk memory walk = Walk({key: uint256(key), depth: 0, index: 0, pos: 0, end: 0, onlyBranch: false});
        bytes32 expected = root;
        for (uint256 i = 0; i < proof.length; ++i) {
            bytes calldata node = proof[i];
            require(keccak256(node) == expected, WrongNode(i));
            // A shorter one stands inside its parent; only the root is hashed whatever its length.
            require(i == 0 || node.length >= 32, MalformedNode(i));
            walk.index = i;
            (walk.pos, walk.end) = _bounds(node);
            bool found;
            (expected, found) = _descend(walk);
            if (found) return _checkTail(walk, proof, node);
        }
        revert ProofTooShort();
    }

    /// Follows the path through one listed node and whatever stands inside it.
    /// @return next Hash of the node that must be listed next.
    /// @return found Whether the leaf was reached.
    function _descend(Walk memory walk) private pure returns (bytes32 next, bool found) {
        while (true) {
            uint256 child;
            (child, found) = _step(walk);
            if (found) return (0, true);
            uint256 first = _byteAt(child);
            if (first == 0xa0) return (_wordAt(child + 1), false);
            require(first > 0xc0, NotShown(walk.index)); // An empty child: the key is not there.
            walk.pos = child;
            walk.end = child + first - 0xbf;
        }
    }

    /// @return child Where the reference to the next node stands; a child is empty, a hash, or a list below 32 bytes.
    function _step(Walk memory walk) private pure returns (uint256 child, bool found) {
        uint256 begin = _enterList(walk);
        uint256 second = begin + _itemSize(walk, begin);
        // Two items make a leaf or an extension, seventeen a branch.
        if (second < walk.end && second + _itemSize(walk, second) == walk.end) {
            (child, found) = _follow(walk, begin, second);
        } else {
            child = _branch(walk, begin);
        }
    }

    /// A leaf or an extension: the items are a path in hex-prefix encoding, and the value or the child.
    function _follow(Walk memory walk, uint256 path, uint256 second) private pure returns (uint256 child, bool found) {
        require(!walk.onlyBranch, MalformedNode(walk.index));
        require(_byteAt(path) < 0xc0, MalformedNode(walk.index));
        uint256 size = second - path;
        if (size > 1) {
            // A string of one small byte has no header; every other one here has a header of one byte.
            --size;
            ++path;
        }
        uint256 flag = _byteAt(path);
        bool isOdd = flag & 0x10 != 0;
        require(flag < 0x40 && (isOdd || flag & 0x0f == 0), MalformedNode(walk.index));
        uint256 nibbles = 2 * size - (isOdd ? 1 : 2);
        require(walk.depth + nibbles <= 64, MalformedNode(walk.index));

        if (nibbles != 0) {
            uint256 word = isOdd ? uint256(_wordAt(path)) << 4 : uint256(_wordAt(path + 1));
            uint256 unused = 256 - 4 * nibbles;
            require(word >> unused == (walk.key << (4 * walk.depth)) >> unused, NotShown(walk.index));
            walk.depth += nibbles;
        }
        if (flag & 0x20 != 0) {
            require(walk.depth == 64, MalformedNode(walk.index));
            require(second + 1 == walk.end && _byteAt(second) == 0x01, NotShown(walk.index));
            return (0, true);
        }
        require(nibbles != 0 && walk.depth < 64 && _childSize(walk, second) > 1, MalformedNode(walk.index));
        walk.onlyBranch = true;
        return (second, false);
    }

    /// A branch: sixteen children, and a value that is always empty, because all keys have one length.
    function _branch(Walk memory walk, uint256 pos) private pure returns (uint256 child) {
        require(walk.depth < 64, MalformedNode(walk.index));
        uint256 nibble = (walk.key >> (252 - 4 * walk.depth)) & 0x0f;
        uint256 taken = 0;
        // Sums of sixteen sizes below 34 stay in bounds; checking them costs as much as the hashes.
        unchecked {
            for (uint256 i = 0; i < 16; ++i) {
                if (i == nibble) child = pos;
                uint256 first = _byteAt(pos);
                if (first == 0xa0) {
                    pos += 33;
                    ++taken;
                } else if (first == 0x80) {
                    ++pos;
                } else {
                    pos += _childSize(walk, pos);
                    ++taken;
                }
            }
        }
        require(taken > 1 && pos + 1 == walk.end && _byteAt(pos) == 0x80, MalformedNode(walk.index));
        ++walk.depth;
        walk.onlyBranch = false;
    }

    /// @return begin Where the items of the list start, which must fill the node.
    function _enterList(Walk memory walk) private pure returns (uint256 begin) {
        uint256 first = _byteAt(walk.pos);
        uint256 size = 0;
        if (first < 0xf8) {
            begin = walk.pos + 1;
            unchecked {
                size = first - 0xc0; // A string gives a huge size, which fills no node.
            }
        } else if (first == 0xf8) {
            begin = walk.pos + 2;
            size = _byteAt(walk.pos + 1);
            require(size > 55, MalformedNode(walk.index));
        } else {
            // The longest branch has 529 bytes of items.
            begin = walk.pos + 3;
            size = uint256(_wordAt(walk.pos + 1)) >> 240;
            require(first == 0xf9 && size > 255, MalformedNode(walk.index));
        }
        // Items that a list of another length would have cannot be mistaken for these.
        require(walk.pos < walk.end && size != 0 && size == walk.end - begin, MalformedNode(walk.index));
    }

    /// @return The size of a reference to a child: 1 if there is none.
    function _childSize(Walk memory walk, uint256 pos) private pure returns (uint256) {
        uint256 first = _byteAt(pos);
        if (first == 0x80) return 1;
        if (first == 0xa0) return 33;
        // A node inside this one, below 32 bytes with its header.
        require(first > 0xc0 && first < 0xdf, MalformedNode(walk.index));
        return first - 0xbf;
    }

    /// @return The size of any item that a node can begin with, header included: a path or a value has at most 33 bytes.
    function _itemSize(Walk memory walk, uint256 pos) private pure returns (uint256) {
        uint256 first = _byteAt(pos);
        if (first < 0x80) return 1;
        if (first > 0xc0) return _childSize(walk, pos);
        require(first <= 0xa1 && (first != 0x81 || _byteAt(pos + 1) >= 0x80), MalformedNode(walk.index));
        return first - 0x7f;
    }

    /// The leaf ends the proof, or it stood inside the last node but one and is listed again.
    function _checkTail(Walk memory walk, bytes[] calldata proof, bytes calldata node) private pure {
        uint256 next = walk.index + 1;
        if (next == proof.length) return;
        (uint256 begin,) = _bounds(node);
        require(next + 1 == proof.length && walk.pos != begin, TrailingNodes(next));
        bytes calldata leaf = node[walk.pos - begin:walk.end - begin];
        require(keccak256(proof[next]) == keccak256(leaf), TrailingNodes(next));
    }

    function _bounds(bytes calldata node) private pure returns (uint256 pos, uint256 end) {
        assembly ("memory-safe") {
            pos := node.offset
            end := add(node.offset, node.length)
        }
    }

    function _byteAt(uint256 pos) private pure returns (uint256 b) {
        assembly ("memory-safe") {
            b := byte(0, calldataload(pos))
        }
    }

    function _wordAt(uint256 pos) private pure returns (bytes32 w) {
        assembly ("memory-safe") {
            w := calldataload(pos)
        }
    }
}
