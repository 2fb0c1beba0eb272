// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {CommonBase} from "forge-std/Base.sol";
import {Svm} from "./Svm.sol";

/// What every property starts from: a contract as deployed, of whose storage nothing is known, at any time. What is shown
/// of one call from there holds for each call of every history. Where a property needs to know something about the
/// storage, it says so with `assume`, and another which calls keep it so.
///
/// Absent on purpose: proxies, whose storage this is; gas.
abstract contract Symbolic is CommonBase {
    Svm internal constant svm = Svm(address(uint160(uint256(keccak256("svm cheat code")))));

    /// Contracts keep seconds in 40 bits and block numbers in 32.
    function anyTime() internal {
        vm.warp(svm.createUint(40, "timestamp"));
        uint256 number = svm.createUint(32, "number");
        vm.assume(number > 0);
        vm.roll(number);
    }

    /// Any account that has none of the codes in this test.
    function anyone(string memory name) internal view returns (address account) {
        account = svm.createAddress(name);
        vm.assume(account.code.length == 0 && account != address(0));
    }
}

/// `&&`, `||` and "if a then b" without a jump: each jump doubles the ways that have to be followed.
function both(bool a, bool b) pure returns (bool c) {
    assembly ("memory-safe") {
        c := and(a, b)
    }
}

function either(bool a, bool b) pure returns (bool c) {
    assembly ("memory-safe") {
        c := or(a, b)
    }
}

function implies(bool a, bool b) pure returns (bool c) {
    assembly ("memory-safe") {
        c := or(iszero(a), b)
    }
}
