// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title IL2ToL1MessagePasser
/// @notice The way out of L2: every withdrawal and message to L1 is one storage slot here, and the root of this
///         contract's storage is part of the output root that L1 checks. Storage and event have OP's form, so OP
///         clients read them unchanged.
interface IL2ToL1MessagePasser {
    /// @param nonce versioned nonce: message version in the top 16 bits, counter below
    /// @param withdrawalHash keccak256(abi.encode(nonce, sender, target, value, gasLimit, data))
    event MessagePassed(
        uint256 indexed nonce,
        address indexed sender,
        address indexed target,
        uint256 value,
        uint256 gasLimit,
        bytes data,
        bytes32 withdrawalHash
    );

    /// @param amount OPEN removed from the L2 supply, wei
    event WithdrawerBalanceBurnt(uint256 indexed amount);

    /// @notice Version of the message format.
    function MESSAGE_VERSION() external view returns (uint16);

    /// @notice Whether a message with this hash was passed.
    function sentMessages(bytes32 withdrawalHash) external view returns (bool);

    /// @notice The nonce of the next message, with the version in its top 16 bits.
    function messageNonce() external view returns (uint256);

    /// @notice Sends a message to L1, with the OPEN that comes along.
    /// @param target whom L1 calls, or pays if it has no code
    /// @param gasLimit gas that L1 gives the call at least
    /// @param data calldata on L1
    function initiateWithdrawal(address target, uint256 gasLimit, bytes memory data) external payable;

    /// @notice Removes the OPEN that left from the L2 supply. Anyone may call.
    function burn() external;
}
