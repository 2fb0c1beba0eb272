// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {OutputRootProof, Withdrawal} from "../Withdrawal.sol";

/// @title Withdrawals
/// @notice How OPEN and messages leave L2: prove a message against an asserted output, then finalise it when that
/// output is confirmed. The shapes are those of an OP portal of version 2, so that clients for it work here.
/// @dev A proof belongs to whoever made it: nobody can overwrite another's. A message with data is a call: it gets its
/// value as an ERC-20 transfer before it, sees `l2Sender` and `l2Value` during it, and if it fails the whole
/// transaction reverts, so that the message stays open and can be finalised again, by anyone, with more gas.
/// A message without data is a transfer and calls nothing but the token. contracts/decisions/0002-failed-messages-stay-open.md
interface IWithdrawals {
    event WithdrawalProven(bytes32 indexed withdrawalHash, address indexed from, address indexed to);
    event WithdrawalProvenExtension1(bytes32 indexed withdrawalHash, address indexed proofSubmitter);
    /// @param success Always true: a message that fails is not finalised.
    event WithdrawalFinalized(bytes32 indexed withdrawalHash, bool success);
    /// @notice The sender took the value of the message to `recipient` and gave up its call.
    event WithdrawalRedirected(bytes32 indexed withdrawalHash, address indexed recipient);
    event OutputConfirmed(uint256 indexed l2OutputIndex);

    // Names that clients of OP portals know.
    /// @notice Finalisation is paused by the council.
    error CallPaused();
    /// @notice Paid already.
    error AlreadyFinalized();
    /// @notice That account has not proven it.
    error Unproven();
    /// @notice The parts do not make up the output root at that index.
    error InvalidProof();
    /// @notice The target may not be called, or not be paid, by the Portal.
    error BadTarget();
    /// @notice The transaction has too little gas for the call to get its `gasLimit`.
    error OutOfGas();
    /// @notice Finalisation within finalisation.
    error NonReentrant();

    /// @notice Its output's window, or the delay after the proof, runs until `until`, seconds.
    error TooEarly(uint256 until);
    /// @notice The target reverted. The message stays open.
    error CallFailed();
    /// @notice Only the sender's own account on L1 may redirect a message.
    error NotSender(address caller);
    error NotRollup(address caller);

    /// @notice Proves that L2 holds the message, and notes it under the caller. Nobody can pause this. A second proof by
    /// the same caller replaces the first: so one proves again if the output is rejected.
    /// @param l2OutputIndex Which output: `IRollup.getL2OutputIndexAfter` names a fitting one.
    /// @param outputRootProof The parts of its root.
    /// @param withdrawalProof Nodes of the storage trie of `L2ToL1MessagePasser` from its root to the message's slot.
    function proveWithdrawalTransaction(
        Withdrawal calldata w,
        uint256 l2OutputIndex,
        OutputRootProof calldata outputRootProof,
        bytes[] calldata withdrawalProof
    ) external;

    /// @notice Pays and delivers a message that the caller has proven; if the caller has not, what its first prover
    /// proved. Confirms the output if nobody has.
    function finalizeWithdrawalTransaction(Withdrawal calldata w) external;

    /// @notice The same, by what `proofSubmitter` has proven. Anyone may call.
    function finalizeWithdrawalTransactionExternalProof(Withdrawal calldata w, address proofSubmitter) external;

    /// @notice Pays the message's value to `recipient` and gives up its call, for a message whose call cannot succeed.
    /// Only for the L1 account that speaks on L2 as the message's sender.
    function redirectWithdrawal(Withdrawal calldata w, address proofSubmitter, address recipient) external;

    /// @notice For the Rollup: that output is confirmed.
    function outputConfirmed(uint256 l2OutputIndex) external;

    /// @return OPEN.
    function token() external view returns (IERC20);

    /// @return Whether the message is paid and delivered.
    function finalizedWithdrawals(bytes32 withdrawalHash) external view returns (bool);

    /// @notice The first proof of a message, or if its output is contested the newest of the last 32 whose output is
    /// not.
    /// @return outputRoot Zero if nobody has proven it.
    /// @return timestamp Seconds; the message can be finalised when this plus `IRollup.windowS` has passed and the
    /// output is confirmed.
    /// @return l2OutputIndex The output it was proven against.
    function provenWithdrawals(bytes32 withdrawalHash)
        external
        view
        returns (bytes32 outputRoot, uint128 timestamp, uint128 l2OutputIndex);

    /// @notice The same of one prover.
    function provenWithdrawals(bytes32 withdrawalHash, address proofSubmitter)
        external
        view
        returns (bytes32 outputRoot, uint128 timestamp, uint128 l2OutputIndex);

    /// @return How many accounts have proven the message.
    function numProofSubmitters(bytes32 withdrawalHash) external view returns (uint256);

    /// @return The prover at that position, the first at 0. Reverts beyond the last.
    function proofSubmitters(bytes32 withdrawalHash, uint256 index) external view returns (address);

    /// @return Whether the output is confirmed.
    function isOutputFinalized(uint256 l2OutputIndex) external view returns (bool);

    /// @return The L2 sender of the message that is being delivered; 0x…dEaD when none is.
    function l2Sender() external view returns (address);

    /// @return The OPEN that came with the message that is being delivered, wei. An ERC-20 transfer has no
    /// `msg.value`.
    function l2Value() external view returns (uint256);

    /// @return Whether messages may not call `target`: the token, and whatever trusts the Portal or is trusted by it.
    function isProtected(address target) external view returns (bool);

    /// @notice Returns if the nodes show that the slot with the hash `key` holds 1 under `storageRoot`, and reverts with
    /// the reason otherwise: what `proveWithdrawalTransaction` asks of `withdrawalProof`.
    function checkSlotProof(bytes32 storageRoot, bytes32 key, bytes[] calldata proof) external pure;

    /// @return Whether the council has paused finalisation and new deposits.
    function paused() external view returns (bool);

    /// @return The version of the portal interface that is followed.
    function version() external pure returns (string memory);
}
