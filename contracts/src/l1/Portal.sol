// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {AddressAlias} from "./AddressAlias.sol";
import {IInbox} from "./interfaces/IInbox.sol";
import {Withdrawals} from "./Withdrawals.sol";
import {IPortal} from "./interfaces/IPortal.sol";
import {IRollup} from "./interfaces/IRollup.sol";
import {ISystemConfig} from "./interfaces/ISystemConfig.sol";
import {IWithdrawals} from "./interfaces/IWithdrawals.sol";

/// @title Portal
/// @dev Invariant: token balance >= escrowed + gasFees, and escrowed = all mints enqueued less all withdrawals paid
/// (test/l1/PortalIsSolvent.t.sol).
contract Portal is IPortal, Withdrawals, Initializable {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// The gas cap of one transaction on L2, as EIP-7825 has it on L1.
    uint64 public constant MAX_GAS_LIMIT = 2 ** 24;
    uint256 public constant MAX_DATA_BYTES = 120_000;
    /// A mint needs 21,000; the rest lets an account that delegates to code run it.
    uint64 public constant DEFAULT_GAS_LIMIT = 50_000;

    /// One slot, because every deposit writes it. 2^96 wei is eighty times the supply of OPEN; 2^32 blocks are 1,600
    /// years.
    struct Books {
        uint96 escrowed;
        uint96 gasFees;
        uint32 gasBlock;
        uint32 gasInBlock;
    }

    /// A copy of what `SystemConfig` says, in one slot.
    struct Terms {
        uint64 gasPrice;
        uint32 gasPerBlock;
        uint64 pausedUntil;
    }

    Books private _books;
    Terms private _terms;

    constructor(IERC20 token_, IInbox inbox_, ISystemConfig config_, IRollup rollup_)
        Withdrawals(token_, inbox_, config_, rollup_)
    {
        _disableInitializers();
    }

    /// @inheritdoc IPortal
    function initialise() external initializer {
        readSettings();
    }

    /// @inheritdoc IPortal
    function readSettings() public {
        (uint64 gasPrice, uint32 gasPerBlock, uint64 pausedUntil) = config.depositTerms();
        _terms = Terms(gasPrice, gasPerBlock, pausedUntil);
    }

    /// @inheritdoc IPortal
    function deposit(address to, uint256 mint, uint256 value, uint64 gasLimit, bool isCreation, bytes calldata data)
        external
        returns (uint64 index)
    {
        return _deposit(to, mint, value, gasLimit, isCreation, data);
    }

    /// @inheritdoc IPortal
    function depositWithPermit(
        address to,
        uint256 mint,
        uint256 value,
        uint64 gasLimit,
        bool isCreation,
        bytes calldata data,
        Permit calldata permit
    ) external returns (uint64 index) {
        _usePermit(permit);
        return _deposit(to, mint, value, gasLimit, isCreation, data);
    }

    /// @inheritdoc IPortal
    function depositOpen(uint256 amount) external returns (uint64 index) {
        // The mint alone credits the L2 sender; nothing is left to send.
        return _deposit(AddressAlias.l2Sender(msg.sender), amount, 0, DEFAULT_GAS_LIMIT, false, msg.data[:0]);
    }

    /// @inheritdoc IPortal
    function collectGasFees() external returns (uint256 amount) {
        amount = _books.gasFees;
        address recipient = config.feeRecipient();

        _books.gasFees = 0;
        token.safeTransfer(recipient, amount);
        emit GasFeesCollected(recipient, amount);
    }

    /// @inheritdoc IPortal
    function escrowed() external view returns (uint256) {
        return _books.escrowed;
    }

    /// @inheritdoc IPortal
    function gasFees() external view returns (uint256) {
        return _books.gasFees;
    }

    /// @inheritdoc IPortal
    function minGasLimit(uint256 dataLength, bool isCreation) public pure returns (uint256) {
        return 21_000 + (isCreation ? 32_000 : 0) + 40 * dataLength;
    }

    /// @inheritdoc IPortal
    function gasCost(uint64 gasLimit) external view returns (uint256) {
        return uint256(gasLimit) * _terms.gasPrice;
    }

    /// @inheritdoc IPortal
    function gasLeftInBlock() external view returns (uint256) {
        uint256 perBlock = _terms.gasPerBlock;
        uint256 used = _gasUsedHere(_books);
        return _left(perBlock, used);
    }

    /// @inheritdoc IWithdrawals
    function paused() external view returns (bool) {
        return block.timestamp < _terms.pausedUntil;
    }

    function _pausedUntil() internal view override returns (uint256) {
        return _terms.pausedUntil;
    }

    function _unbook(uint256 amount) internal override {
        _books.escrowed -= amount.toUint96();
    }

    function _deposit(address to, uint256 mint, uint256 value, uint64 gasLimit, bool isCreation, bytes calldata data)
        private
        returns (uint64 index)
    {
        require(data.length <= MAX_DATA_BYTES, DataTooLong(data.length));
        uint256 min = minGasLimit(data.length, isCreation);
        require(min <= gasLimit && gasLimit <= MAX_GAS_LIMIT, GasLimitOutOfRange(min, MAX_GAS_LIMIT));
        require(!isCreation || to == address(0), CreationWithTarget(to));

        uint256 fee = _book(mint, gasLimit);
        _take(mint + fee);
        return inbox.enqueue(AddressAlias.l2Sender(msg.sender), to, mint, value, gasLimit, isCreation, data);
    }

    /// Books one deposit against the limits of this L1 block, before anything is called that could re-enter.
    function _book(uint256 mint, uint64 gasLimit) private returns (uint256 fee) {
        // Reads stand together, and so do writes: one access to each slot.
        (uint256 price, uint256 perBlock, uint256 pausedUntil) =
            (_terms.gasPrice, _terms.gasPerBlock, _terms.pausedUntil);
        (uint256 held, uint256 fees, uint256 inBlock, uint256 used) =
            (_books.escrowed, _books.gasFees, _books.gasBlock, _books.gasInBlock);
        require(mint == 0 || block.timestamp >= pausedUntil, DepositsPaused());
        // Deposits of this very block count, and no others.
        // slither-disable-next-line incorrect-equality
        if (inBlock != uint32(block.number)) used = 0;
        held += mint;
        unchecked {
            // None of these has more than 128 bits.
            used += gasLimit;
            fee = price * gasLimit;
            fees += fee;
        }
        require(used <= perBlock, BlockGasUsedUp(_left(perBlock, used - gasLimit)));
        require((held | fees) <= type(uint96).max, BooksFull());

        _books.escrowed = uint96(held);
        _books.gasFees = uint96(fees);
        _books.gasBlock = uint32(block.number);
        _books.gasInBlock = uint32(used);
    }

    function _left(uint256 perBlock, uint256 used) private pure returns (uint256) {
        return used < perBlock ? perBlock - used : 0;
    }

    function _gasUsedHere(Books memory books) private view returns (uint256) {
        // slither-disable-next-line incorrect-equality
        return books.gasBlock == uint32(block.number) ? books.gasInBlock : 0;
    }

    /// Takes `amount` from the caller, and then holds all that the books say: a token that delivered less, or that called
    /// back and took something out in between, makes the deposit revert.
    function _take(uint256 amount) private {
        if (amount == 0) return;
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 held = token.balanceOf(address(this));
        uint256 owed = uint256(_books.escrowed) + _books.gasFees;
        require(owed <= held, NotSolvent(held, owed));
    }

    /// A permit can be taken from the mempool and used by anyone, which leaves the allowance in place: its failure says
    /// nothing, and the transfer that follows finds a missing allowance.
    function _usePermit(Permit calldata p) private {
        try IERC20Permit(address(token)).permit(msg.sender, address(this), p.value, p.deadline, p.v, p.r, p.s) {}
            catch {}
    }
}
