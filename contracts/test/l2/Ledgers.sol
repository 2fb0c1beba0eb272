// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Entry} from "src/l2/Entry.sol";
import {Trees} from "./Trees.sol";

/// @notice Lists of entries as an operator or a merger keeps them: sorted, summed, made into trees.
library Ledgers {
    function leaves(Entry[] memory entries) internal pure returns (Trees.Leaf[] memory list) {
        list = new Trees.Leaf[](entries.length);
        for (uint256 i = 0; i < entries.length; ++i) {
            Entry memory e = entries[i];
            list[i] = Trees.Leaf(keccak256(abi.encodePacked(uint8(0), e.account, e.number, e.amount)), e.amount);
        }
    }

    function sum(Entry[] memory entries) internal pure returns (uint96 total) {
        for (uint256 i = 0; i < entries.length; ++i) {
            total += uint96(entries[i].amount);
        }
    }

    function isBefore(Entry memory a, Entry memory b) internal pure returns (bool) {
        return a.account < b.account || (a.account == b.account && a.number < b.number);
    }

    /// @notice A list with `e` at its place; added to the entry with its key if there is one.
    function add(Entry[] memory entries, Entry memory e) internal pure returns (Entry[] memory longer) {
        uint256 at_ = 0;
        while (at_ < entries.length && isBefore(entries[at_], e)) ++at_;
        if (at_ < entries.length && !isBefore(e, entries[at_])) {
            entries[at_].amount += e.amount;
            return entries;
        }
        return insert(entries, at_, e);
    }

    /// @notice A list with `e` before entry `at_`, sorted or not.
    function insert(Entry[] memory entries, uint256 at_, Entry memory e) internal pure returns (Entry[] memory longer) {
        longer = new Entry[](entries.length + 1);
        for (uint256 i = 0; i < at_; ++i) {
            longer[i] = entries[i];
        }
        longer[at_] = e;
        for (uint256 i = at_; i < entries.length; ++i) {
            longer[i + 1] = entries[i];
        }
    }

    /// @notice A list without entry `at_`.
    function remove(Entry[] memory entries, uint256 at_) internal pure returns (Entry[] memory shorter) {
        shorter = new Entry[](entries.length - 1);
        for (uint256 i = 0; i < shorter.length; ++i) {
            shorter[i] = entries[i < at_ ? i : i + 1];
        }
    }

    function copy(Entry[] memory entries) internal pure returns (Entry[] memory same) {
        same = new Entry[](entries.length);
        for (uint256 i = 0; i < same.length; ++i) {
            same[i] = Entry(entries[i].account, entries[i].number, entries[i].amount);
        }
    }
}
