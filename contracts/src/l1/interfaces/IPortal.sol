// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IWithdrawals} from "./IWithdrawals.sol";

/// @title Portal
/// @notice Where OPEN enters and leaves L2, and where anyone may put a transaction that the sequencer must include.
interface IPortal is IWithdrawals {
    /// @notice An EIP-2612 permit for the Portal, signed by the caller.
    struct Permit {
        uint256 value;
        uint256 deadline;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    /// @notice Gas fees went to the fee recipient.
    event GasFeesCollected(address indexed recipient, uint256 amount);

    /// @notice The council has paused new deposits. Transactions with `mint` 0 still pass.
    error DepositsPaused();
    error GasLimitOutOfRange(uint256 min, uint256 max);
    error DataTooLong(uint256 length);
    /// @notice A creation has no target.
    error CreationWithTarget(address to);
    /// @notice This L1 block has only `left` L2 gas left for deposits. Try in the next one.
    error BlockGasUsedUp(uint256 left);
    /// @notice More than 2^96 wei: eighty times the supply of OPEN.
    error BooksFull();
    /// @notice The token moved less than it was asked to: `held` would not cover what is `owed`.
    error NotSolvent(uint256 held, uint256 owed);

    /// @notice Called once, by the proxy's constructor.
    function initialise() external;

    /// @notice Reads price, limit and pause from `SystemConfig`, which calls this whenever they change. Anyone may call.
    function readSettings() external;

    /// @notice Puts a transaction into the L1 queue. Takes `mint + gasLimit * depositGasPrice` OPEN from the caller.
    /// With `mint` 0 it is a forced transaction, which the council cannot pause.
    /// @dev The L2 sender is the caller, or its alias if the caller is a contract. Emits `IInbox.Enqueued`.
    /// Unused gas is not paid back. The mint stands even if the transaction fails on L2.
    /// @param to L2 target; zero for a creation.
    /// @param mint OPEN to escrow here and mint to the L2 sender, wei.
    /// @param value OPEN to send to `to` on L2, wei; from the L2 balance, the mint included.
    /// @param gasLimit L2 gas; from `minGasLimit` to `MAX_GAS_LIMIT`.
    /// @param isCreation Whether `data` is init code.
    /// @param data Calldata or init code, at most `MAX_DATA_BYTES`.
    /// @return index Position in the queue.
    function deposit(address to, uint256 mint, uint256 value, uint64 gasLimit, bool isCreation, bytes calldata data)
        external
        returns (uint64 index);

    /// @notice `deposit` after an EIP-2612 permit. A permit that someone else has already used is no obstacle.
    function depositWithPermit(
        address to,
        uint256 mint,
        uint256 value,
        uint64 gasLimit,
        bool isCreation,
        bytes calldata data,
        Permit calldata permit
    ) external returns (uint64 index);

    /// @notice Deposits `amount` OPEN to the caller's own L2 address (its alias, if the caller is a contract), with
    /// `DEFAULT_GAS_LIMIT` of gas, which is paid on top.
    function depositOpen(uint256 amount) external returns (uint64 index);

    /// @notice Sends the gas fees taken so far to `SystemConfig.feeRecipient`. Anyone may call.
    function collectGasFees() external returns (uint256 amount);

    /// @return OPEN held for L2 users, wei: counted by this contract, whatever the token's balance says.
    function escrowed() external view returns (uint256);

    /// @return OPEN taken for gas and not yet collected, wei.
    function gasFees() external view returns (uint256);

    /// @return The least gas limit a deposit with `dataLength` bytes may have: the price of the transaction itself and
    /// the EIP-7623 floor for its data.
    function minGasLimit(uint256 dataLength, bool isCreation) external pure returns (uint256);

    /// @return OPEN that `gasLimit` costs now, wei.
    function gasCost(uint64 gasLimit) external view returns (uint256);

    /// @return L2 gas that deposits may still use in this L1 block.
    function gasLeftInBlock() external view returns (uint256);
}
