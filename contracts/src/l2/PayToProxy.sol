// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Predeploys} from "./Predeploys.sol";

/// @title PayToProxy
/// @notice What stands at a pay address once it was first flushed. To everybody but PayTo it behaves like an account
///         without code: it takes OPEN, with 2300 gas or less, and answers nothing. For PayTo it makes a call.
/// @dev Spelled out as bytes, because the pay addresses are hashed from it: no compiler and no setting may ever move
///      them. Calldata from PayTo: receiver (32 bytes), wei (32 bytes), what to call it with. Listing:
///
///      00  CALLER; PUSH20 PayTo; XOR; PUSH1 3c; JUMPI            not PayTo: to the end
///      1a  PUSH1 40; CALLDATASIZE; SUB                           length of what to call with
///      1e  DUP1; PUSH1 40; PUSH0; CALLDATACOPY
///      23  PUSH0; PUSH0; SWAP2; PUSH0; PUSH1 20; CALLDATALOAD; PUSH0; CALLDATALOAD; GAS; CALL
///      2e  RETURNDATASIZE; PUSH0; PUSH0; RETURNDATACOPY
///      32  PUSH1 38; JUMPI; RETURNDATASIZE; PUSH0; REVERT        the call's failure is this one's
///      38  JUMPDEST; RETURNDATASIZE; PUSH0; RETURN
///      3c  JUMPDEST; STOP
library PayToProxy {
    /// In front of it PUSH1 11, CODESIZE, SUB, DUP1, PUSH1 11, PUSH0, CODECOPY, PUSH0, RETURN, which deploys the rest.
    bytes internal constant INIT_CODE = hex"600b380380600b5f395ff3"
        hex"33734f50454e000000000000000000000000000000041860" hex"3c57" hex"6040360380"
        hex"60405f375f5f915f6020355f355af13d5f5f3e603857" hex"3d5ffd5b3d5ff35b00";

    /// keccak256(INIT_CODE), written out for the same reason (test/l2/PayTo.t.sol).
    bytes32 internal constant INIT_CODE_HASH = 0x88b32cd1aa8d2e4994b99c937b3b6adc70720f168ff7be44c14d1a1f555968b5;

    error NotDeployed(address where);

    /// @notice The pay address of the triple, whether or not anything stands there.
    function addressOf(uint64 assetId, uint32 operatorId, uint64 agentId) internal pure returns (address) {
        bytes32 salt = _salt(assetId, operatorId, agentId);
        // EIP-1014
        bytes32 hash = keccak256(abi.encodePacked(bytes1(0xff), Predeploys.PAY_TO, salt, INIT_CODE_HASH));
        return address(uint160(uint256(hash)));
    }

    /// @notice Makes `where`, the pay address of the triple, able to spend. Only PayTo can: it is the creator.
    function deploy(address where, uint64 assetId, uint32 operatorId, uint64 agentId) internal {
        bytes memory code = INIT_CODE;
        bytes32 salt = _salt(assetId, operatorId, agentId);
        address created;
        assembly ("memory-safe") {
            created := create2(0, add(code, 0x20), mload(code), salt)
        }
        require(created == where, NotDeployed(where));
    }

    /// @notice Lets `where`, which is deployed, call `receiver`. Reverts as the receiver does.
    function call(address where, address receiver, uint256 value, bytes memory data) internal {
        bytes memory order = abi.encodePacked(uint256(uint160(receiver)), value, data);
        assembly ("memory-safe") {
            if iszero(call(gas(), where, 0, add(order, 0x20), mload(order), 0, 0)) {
                let free := mload(0x40)
                returndatacopy(free, 0, returndatasize())
                revert(free, returndatasize())
            }
        }
    }

    /// @notice What the last `call` was answered: how many bytes, and the first of them as a number.
    function answer() internal pure returns (uint256 size, uint256 word) {
        assembly ("memory-safe") {
            size := returndatasize()
            if gt(size, 0x1f) {
                returndatacopy(0, 0, 0x20)
                word := mload(0)
            }
        }
    }

    function _salt(uint64 assetId, uint32 operatorId, uint64 agentId) private pure returns (bytes32) {
        return bytes32(uint256(assetId) << 96 | uint256(operatorId) << 64 | agentId);
    }
}
