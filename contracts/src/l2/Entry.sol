// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {SumTree} from "./SumTree.sol";

/// @notice A leaf of the three trees of attribution: what `account` gets by receipt `number` of an epoch, by final part
///         `number` in a step, or, with number 0, in all so far.
struct Entry {
    address account;
    uint40 number;
    uint128 amount;
}

/// @notice An entry with the way up from it.
struct EntryProof {
    Entry entry;
    uint256 index;
    bytes proof;
}

/// @notice Where a key belongs in a sorted tree: after `left`, at `position` - 1, and before or at `right`, at
///         `position`. At an end of the tree the one that does not exist is not looked at.
struct Place {
    uint256 position;
    Entry left;
    bytes leftProof;
    Entry right;
    bytes rightProof;
}

/// @title Entries
/// @notice Trees of entries sorted by account, then number, and what can be shown of them: that an entry is there, that
///         none is, and what an account gets in total.
/// @dev A tree that is not sorted can be made to show anything. That is a fault of its own, and whoever posted the tree
///      bears it.
library Entries {
    /// Not in the tree at this place.
    error BadEntryProof(uint256 index);
    /// The key does not belong between these two.
    error BadPlace(uint256 position);

    /// @notice Sorting order: the account, then the number.
    function key(Entry memory e) internal pure returns (uint256) {
        return uint256(uint160(e.account)) << 40 | e.number;
    }

    function firstKey(address account) internal pure returns (uint256) {
        return uint256(uint160(account)) << 40;
    }

    /// @notice keccak256(0x00 ‖ account ‖ number ‖ amount), in 1, 20, 5 and 16 bytes.
    function leaf(Entry memory e) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(0), e.account, e.number, e.amount));
    }

    /// @notice Reverts unless the entry is in the tree at its index.
    function check(SumTree.Root memory root, EntryProof calldata p) internal pure {
        _check(root, p.entry, p.index, p.proof);
    }

    /// @notice What all entries below `wanted` add up to.
    function sumBelow(SumTree.Root memory root, uint256 wanted, Place calldata p) internal pure returns (uint256 sum) {
        require(p.position <= root.leaves, BadPlace(p.position));
        if (p.position != 0) {
            require(key(p.left) < wanted, BadPlace(p.position));
            sum = _check(root, p.left, p.position - 1, p.leftProof) + p.left.amount;
        }
        if (p.position != root.leaves) {
            require(key(p.right) >= wanted, BadPlace(p.position));
            _check(root, p.right, p.position, p.rightProof);
        }
    }

    /// @notice What the entry with the key `wanted` gets; zero if there is none.
    function amountAt(SumTree.Root memory root, uint256 wanted, Place calldata p) internal pure returns (uint256) {
        sumBelow(root, wanted, p);
        return p.position != root.leaves && key(p.right) == wanted ? p.right.amount : 0;
    }

    /// @notice What all entries of `account` add up to.
    function sumOf(SumTree.Root memory root, address account, Place calldata from, Place calldata to)
        internal
        pure
        returns (uint256)
    {
        return sumBelow(root, firstKey(account) + (1 << 40), to) - sumBelow(root, firstKey(account), from);
    }

    function _check(SumTree.Root memory root, Entry memory e, uint256 index, bytes calldata proof)
        private
        pure
        returns (uint256 before)
    {
        bool ok;
        (ok, before) = SumTree.verify(root, leaf(e), e.amount, index, proof);
        require(ok, BadEntryProof(index));
    }
}
