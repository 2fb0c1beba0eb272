// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {SumTree} from "src/l2/SumTree.sol";

/// @notice Builds SumTrees the slow way, by RFC 6962's recursion from the top, where the contracts climb from the bottom.
library Trees {
    struct Leaf {
        bytes32 hash;
        uint128 sum;
    }

    function root(Leaf[] memory leaves) internal pure returns (SumTree.Root memory) {
        if (leaves.length == 0) return SumTree.Root(0, 0, 0);
        Leaf memory top = _top(leaves, 0, leaves.length);
        return SumTree.Root(top.hash, top.sum, uint64(leaves.length));
    }

    function proof(Leaf[] memory leaves, uint256 index) internal pure returns (bytes memory) {
        return _path(leaves, index, 0, leaves.length);
    }

    function _top(Leaf[] memory leaves, uint256 from, uint256 to) private pure returns (Leaf memory) {
        if (to - from == 1) return leaves[from];
        uint256 middle = from + _split(to - from);
        Leaf memory left = _top(leaves, from, middle);
        Leaf memory right = _top(leaves, middle, to);
        bytes32 hash = keccak256(abi.encodePacked(uint8(1), left.hash, left.sum, right.hash, right.sum));
        return Leaf(hash, left.sum + right.sum);
    }

    function _path(Leaf[] memory leaves, uint256 index, uint256 from, uint256 to) private pure returns (bytes memory) {
        if (to - from == 1) return "";
        uint256 middle = from + _split(to - from);
        bool isLeft = index < middle;
        Leaf memory beside = isLeft ? _top(leaves, middle, to) : _top(leaves, from, middle);
        bytes memory below = isLeft ? _path(leaves, index, from, middle) : _path(leaves, index, middle, to);
        return bytes.concat(below, abi.encodePacked(beside.hash, beside.sum));
    }

    /// @dev The largest power of two below `n`.
    function _split(uint256 n) private pure returns (uint256 k) {
        k = 1;
        while (2 * k < n) k *= 2;
    }
}
