// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {OwnableUpgradeable} from "@openzeppelin/contracts-upgradeable/access/OwnableUpgradeable.sol";
import {Ownable2StepUpgradeable} from "@openzeppelin/contracts-upgradeable/access/Ownable2StepUpgradeable.sol";
import {IInbox} from "./interfaces/IInbox.sol";
import {IPortal} from "./interfaces/IPortal.sol";
import {ISystemConfig} from "./interfaces/ISystemConfig.sol";

/// @title SystemConfig
/// @dev Invariant: within any 60 days at most 30 are paused, whatever the council does (test/l1/SystemConfig.t.sol).
contract SystemConfig is ISystemConfig, Ownable2StepUpgradeable {
    /// A bare transfer forced through L1 never costs more than 0.021 OPEN.
    uint64 public constant MAX_DEPOSIT_GAS_PRICE = 1e12;
    /// The largest single entry must always fit into an L1 block.
    uint32 public constant MIN_DEPOSIT_GAS_PER_BLOCK = 2 ** 24;
    /// A third of what L2 executes in the twelve seconds of an L1 block.
    uint32 public constant MAX_DEPOSIT_GAS_PER_BLOCK = 1e9;
    uint96 public constant MIN_BOND = 0.01 ether;
    uint96 public constant MAX_BOND = 100 ether;
    uint64 public constant PAUSE_S = 30 days;

    /// It and its Portal keep copies of what they read often, and are told to read again.
    IInbox public immutable inbox;

    // One slot: what the Portal copies.
    uint64 private _depositGasPrice;
    uint32 private _depositGasPerBlock;
    uint64 private _pauseSpanStart;
    bool private _pauseOn;

    address public sequencer;
    address public feeRecipient;
    address public council;
    uint96 public bond;
    bytes32 public programHash;

    constructor(IInbox inbox_) {
        inbox = inbox_;
        _disableInitializers();
    }

    /// @inheritdoc ISystemConfig
    function initialise(Settings calldata s) external initializer {
        __Ownable_init(s.owner);
        _setSequencer(s.sequencer);
        _setFeeRecipient(s.feeRecipient);
        _setCouncil(s.council);
        _setDepositGas(s.depositGasPrice, s.depositGasPerBlock);
        _setBond(s.bond);
        _setProgramHash(s.programHash);
    }

    /// @inheritdoc ISystemConfig
    function depositTerms() external view returns (uint64, uint32, uint64) {
        return (_depositGasPrice, _depositGasPerBlock, _pauseOn ? _pauseSpanStart + PAUSE_S : 0);
    }

    /// @inheritdoc ISystemConfig
    function paused() public view returns (bool) {
        return _pauseOn && block.timestamp < _pauseSpanStart + PAUSE_S;
    }

    /// @inheritdoc ISystemConfig
    function pause() external {
        require(msg.sender == council, NotCouncil(msg.sender));
        uint64 start = _pauseSpanStart;
        if (block.timestamp >= start + PAUSE_S) {
            // The first pause finds a start of zero, long past.
            require(block.timestamp >= start + 2 * PAUSE_S, PauseUsedUp(start + 2 * PAUSE_S));
            start = uint64(block.timestamp);
            _pauseSpanStart = start;
        }
        _pauseOn = true;
        emit Paused(start + PAUSE_S);
        _tellPortal();
    }

    /// @inheritdoc ISystemConfig
    function unpause() external {
        require(msg.sender == council || msg.sender == owner(), NotCouncil(msg.sender));
        _pauseOn = false;
        emit Unpaused();
        _tellPortal();
    }

    /// @inheritdoc ISystemConfig
    function setSequencer(address value) external onlyOwner {
        _setSequencer(value);
        inbox.readSettings();
    }

    /// @inheritdoc ISystemConfig
    function setFeeRecipient(address value) external onlyOwner {
        _setFeeRecipient(value);
    }

    /// @inheritdoc ISystemConfig
    function setCouncil(address value) external onlyOwner {
        _setCouncil(value);
    }

    /// @inheritdoc ISystemConfig
    function setDepositGas(uint64 price, uint32 perBlock) external onlyOwner {
        _setDepositGas(price, perBlock);
        _tellPortal();
    }

    /// @inheritdoc ISystemConfig
    function setBond(uint96 value) external onlyOwner {
        _setBond(value);
    }

    /// @inheritdoc ISystemConfig
    function setProgramHash(bytes32 value) external onlyOwner {
        _setProgramHash(value);
    }

    /// @dev The owner is a timelock: giving up ownership by mistake would freeze the sequencer key for good.
    function renounceOwnership() public view override(OwnableUpgradeable) onlyOwner {
        revert OwnerCannotRenounce();
    }

    function _setSequencer(address value) private {
        require(value != address(0), ZeroAddress());
        sequencer = value;
        emit SequencerSet(value);
    }

    function _setFeeRecipient(address value) private {
        require(value != address(0), ZeroAddress());
        feeRecipient = value;
        emit FeeRecipientSet(value);
    }

    /// Zero is allowed: it means that nobody can pause.
    function _setCouncil(address value) private {
        council = value;
        emit CouncilSet(value);
    }

    function _setDepositGas(uint64 price, uint32 perBlock) private {
        _checkBounds(price, 0, MAX_DEPOSIT_GAS_PRICE);
        _checkBounds(perBlock, MIN_DEPOSIT_GAS_PER_BLOCK, MAX_DEPOSIT_GAS_PER_BLOCK);
        _depositGasPrice = price;
        _depositGasPerBlock = perBlock;
        emit DepositGasSet(price, perBlock);
    }

    function _setBond(uint96 value) private {
        _checkBounds(value, MIN_BOND, MAX_BOND);
        bond = value;
        emit BondSet(value);
    }

    function _setProgramHash(bytes32 value) private {
        programHash = value;
        emit ProgramHashSet(value);
    }

    function _tellPortal() private {
        IPortal(inbox.portal()).readSettings();
    }

    function _checkBounds(uint256 given, uint256 min, uint256 max) private pure {
        require(min <= given && given <= max, OutOfBounds(given, min, max));
    }
}
