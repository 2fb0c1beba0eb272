// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// What of halmos' own cheat codes is used here: each returns a value of which nothing is known but its type.
interface Svm {
    function createUint(uint256 bits, string calldata name) external pure returns (uint256);
    function createAddress(string calldata name) external pure returns (address);
    function createBytes32(string calldata name) external pure returns (bytes32);
    function createBool(string calldata name) external pure returns (bool);
    function createBytes(uint256 length, string calldata name) external pure returns (bytes memory);
    /// A call of any function of the contract that stands there, with any arguments, views aside.
    function createCalldata(address target) external pure returns (bytes memory);
    /// From now on everything that was never written at `target` has any value.
    function enableSymbolicStorage(address target) external;
}
