// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Burn} from "./Burn.sol";
import {IL2ToL1MessagePasser} from "./IL2ToL1MessagePasser.sol";

/// @title L2ToL1MessagePasser
/// @notice See IL2ToL1MessagePasser.
/// @dev Invariant: one slot per message, keyed by its full hash, and never cleared. Slot 0 is `sentMessages`, slot 1
///      the counter; L1 proves `sentMessages[hash] == 1` against the storage root (test/l2/L2ToL1MessagePasser.t.sol).
// OPEN that comes here leaves L2: `burn` destroys it, and L1 pays it out. Nobody may withdraw it here.
// slither-disable-next-line locked-ether
contract L2ToL1MessagePasser is IL2ToL1MessagePasser {
    /// @inheritdoc IL2ToL1MessagePasser
    uint16 public constant MESSAGE_VERSION = 1;

    /// Gas on L1 for a plain transfer to this contract: enough for a smart account to take the money.
    uint256 private constant PLAIN_GAS_LIMIT = 100_000;

    /// @inheritdoc IL2ToL1MessagePasser
    mapping(bytes32 withdrawalHash => bool) public sentMessages;
    uint240 private _counter;

    /// @notice A plain transfer withdraws to the sender's own address on L1.
    receive() external payable {
        initiateWithdrawal(msg.sender, PLAIN_GAS_LIMIT, "");
    }

    /// @inheritdoc IL2ToL1MessagePasser
    function burn() external {
        uint256 amount = address(this).balance;
        Burn.native(amount);
        emit WithdrawerBalanceBurnt(amount);
    }

    /// @inheritdoc IL2ToL1MessagePasser
    function initiateWithdrawal(address target, uint256 gasLimit, bytes memory data) public payable {
        uint256 nonce = messageNonce();
        bytes32 withdrawalHash = keccak256(abi.encode(nonce, msg.sender, target, msg.value, gasLimit, data));

        sentMessages[withdrawalHash] = true;
        ++_counter;

        emit MessagePassed(nonce, msg.sender, target, msg.value, gasLimit, data, withdrawalHash);
    }

    /// @inheritdoc IL2ToL1MessagePasser
    function messageNonce() public view returns (uint256) {
        return (uint256(MESSAGE_VERSION) << 240) | _counter;
    }
}
