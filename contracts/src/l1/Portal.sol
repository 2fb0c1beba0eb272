// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
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
contract Portal is IPortal, Withdrawals, Initializable, ReentrancyGuardTransient {
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
    function collectGasFees() external nonReentrant returns (uint256 amount) {
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
        return used < perBlock ? perBlock - used : 0;
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

    function _requireNoDeposit() internal view override {
        require(!_reentrancyGuardEntered(), NonReentrant());
    }

    function _deposit(address to, uint256 mint, uint256 value, uint64 gasLimit, bool isCreation, bytes calldata data)
        private
        nonReentrant
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
        Terms memory terms = _terms;
        uint256 perBlock = terms.gasPerBlock;
        require(mint == 0 || block.timestamp >= terms.pausedUntil, DepositsPaused());
        fee = uint256(gasLimit) * terms.gasPrice;

        Books memory books = _books;
        uint256 used = _gasUsedHere(books);
        require(used + gasLimit <= perBlock, BlockGasUsedUp(used < perBlock ? perBlock - used : 0));

        books.escrowed += mint.toUint96();
        books.gasFees += fee.toUint96();
        books.gasBlock = uint32(block.number);
        books.gasInBlock = uint32(used + gasLimit);
        _books = books;
    }

    function _gasUsedHere(Books memory books) private view returns (uint256) {
        // Deposits of this very block count, and no others.
        // slither-disable-next-line incorrect-equality
        return books.gasBlock == uint32(block.number) ? books.gasInBlock : 0;
    }

    /// Takes exactly `amount` from the caller. A token that delivers another amount would make the books lie.
    function _take(uint256 amount) private {
        if (amount == 0) return;
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - before;
        // Nobody can bend this by a donation: it would have to come from within the payer's own transfer.
        // slither-disable-next-line incorrect-equality
        require(received == amount, WrongAmountReceived(amount, received));
    }

    /// A permit can be taken from the mempool and used by anyone, which leaves the allowance in place: its failure says
    /// nothing, and the transfer that follows finds a missing allowance.
    function _usePermit(Permit calldata p) private {
        try IERC20Permit(address(token)).permit(msg.sender, address(this), p.value, p.deadline, p.v, p.r, p.s) {}
            catch {}
    }
}
