// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title SystemConfig
/// @notice The settings of the L1 contracts, owned by the timelock, and the council's pause.
/// @dev What a setter can do is bounded, so that no setting can take funds, nor stop forced inclusion.
interface ISystemConfig {
    /// @param owner The timelock.
    /// @param council May pause.
    /// @param sequencer Signs batches.
    /// @param feeRecipient Receives the OPEN paid for deposit gas.
    /// @param depositGasPrice Wei of OPEN per L2 gas of a deposit.
    /// @param depositGasPerBlock L2 gas all deposits of one L1 block may use.
    /// @param bond Wei of ETH that an assertion locks.
    /// @param programHash Memory hash of the fault-proof program that new assertions commit to; zero while there is none.
    struct Settings {
        address owner;
        address council;
        address sequencer;
        address feeRecipient;
        uint64 depositGasPrice;
        uint32 depositGasPerBlock;
        uint96 bond;
        bytes32 programHash;
    }

    event SequencerSet(address indexed sequencer);
    event FeeRecipientSet(address indexed feeRecipient);
    event CouncilSet(address indexed council);
    event DepositGasSet(uint64 price, uint32 perBlock);
    event BondSet(uint96 bond);
    event ProgramHashSet(bytes32 programHash);
    /// @param until When the pause ends by itself, seconds.
    event Paused(uint64 until);
    event Unpaused();

    error ZeroAddress();
    error OutOfBounds(uint256 given, uint256 min, uint256 max);
    error NotCouncil(address caller);
    /// @notice The 30 days of the last pause are used up; the next pause may start at `from`.
    error PauseUsedUp(uint64 from);
    /// @notice The settings would have nobody to change them.
    error OwnerCannotRenounce();

    /// @notice Called once, by the proxy's constructor.
    function initialise(Settings calldata settings) external;

    /// @return The address whose signature the Inbox accepts.
    function sequencer() external view returns (address);

    /// @return The address that the Portal's gas fees go to.
    function feeRecipient() external view returns (address);

    /// @return The address that may pause.
    function council() external view returns (address);

    /// @return Wei of ETH that an assertion locks.
    function bond() external view returns (uint96);

    /// @return The program that new assertions commit to.
    function programHash() external view returns (bytes32);

    /// @return gasPrice Wei of OPEN per L2 gas.
    /// @return gasPerBlock L2 gas that all deposits of one L1 block may use.
    /// @return pausedUntil When the pause that is on ends, seconds; in the past, or zero, if none is on.
    function depositTerms() external view returns (uint64 gasPrice, uint32 gasPerBlock, uint64 pausedUntil);

    /// @return Whether new deposits and finalisation are stopped now.
    function paused() external view returns (bool);

    /// @notice Stops deposits that mint, payment of withdrawals, and confirmation of assertions; never forced
    /// transactions, batches, `forceAdvance`, assertions or proofs of withdrawals. The first pause opens a span of 30 days in which the council pauses and unpauses freely; at its
    /// end the pause is over by itself, and for another 30 days there can be none.
    function pause() external;

    /// @notice Ends a pause. Council or owner.
    function unpause() external;

    /// @notice Every setter is for the owner alone.
    function setSequencer(address value) external;

    function setFeeRecipient(address value) external;

    function setCouncil(address value) external;

    /// @param price At most `MAX_DEPOSIT_GAS_PRICE`.
    /// @param perBlock Between `MIN_DEPOSIT_GAS_PER_BLOCK` and `MAX_DEPOSIT_GAS_PER_BLOCK`.
    function setDepositGas(uint64 price, uint32 perBlock) external;

    /// @param value Between `MIN_BOND` and `MAX_BOND`. Bonds already locked keep their size.
    function setBond(uint96 value) external;

    function setProgramHash(bytes32 value) external;
}
