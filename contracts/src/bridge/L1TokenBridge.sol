// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {AddressAlias} from "../l1/AddressAlias.sol";
import {IPortal} from "../l1/interfaces/IPortal.sol";
import {Predeploys} from "../l2/Predeploys.sol";
import {IL1TokenBridge} from "./IL1TokenBridge.sol";
import {IL2TokenBridge} from "./IL2TokenBridge.sol";
import {L2Tokens} from "./L2Tokens.sol";
import {TokenWords, Words} from "./TokenWords.sol";

/// @title L1TokenBridge
/// @dev Invariant: for every token, escrowed = L2 supply + deposits not received + withdrawals not paid, and this contract
/// holds at least that much of it (test/bridge/TokenBridgeIsSolvent.t.sol).
contract L1TokenBridge is IL1TokenBridge, Initializable, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// L2 gas of a deposit, beside its calldata: to mint to a new holder...
    uint64 public constant MINT_GAS = 100_000;
    /// ... and to create the token before. test/bridge/Gas.t.sol measures both.
    uint64 public constant CREATE_GAS = 450_000;
    /// Kept back from a payment, to book it as owed if it fails.
    uint256 private constant BOOKING_GAS = 50_000;

    IERC20 public immutable open;
    IPortal public immutable portal;

    /// One slot: 2^248 of any token's smallest unit is more than tokens count.
    struct Book {
        uint248 escrowed;
        bool introduced;
    }

    mapping(address token => Book) private _books;
    mapping(address token => mapping(address from => mapping(address to => uint256))) private _owed;
    /// @inheritdoc IL1TokenBridge
    mapping(uint256 nonce => bytes32) public messages;
    /// @inheritdoc IL1TokenBridge
    uint256 public messageCount;

    constructor(IERC20 open_, IPortal portal_) {
        open = open_;
        portal = portal_;
        _disableInitializers();
    }

    /// @inheritdoc IL1TokenBridge
    function initialise() external initializer {
        // Nothing of value can be taken by it: OPEN passes through here within one call and is never escrowed.
        open.forceApprove(address(portal), type(uint256).max);
    }

    /// @inheritdoc IL1TokenBridge
    function depositETH() external payable returns (uint256) {
        return _depositETH(AddressAlias.l2Sender(msg.sender));
    }

    /// @inheritdoc IL1TokenBridge
    function depositETHTo(address to) external payable returns (uint256) {
        return _depositETH(to);
    }

    /// @inheritdoc IL1TokenBridge
    function depositETHWithPermit(address to, Permit calldata gasPermit) external payable returns (uint256) {
        _use(open, gasPermit);
        return _depositETH(to);
    }

    /// @inheritdoc IL1TokenBridge
    function depositERC20(address token, uint256 amount) external returns (uint256) {
        return _depositERC20(token, AddressAlias.l2Sender(msg.sender), amount);
    }

    /// @inheritdoc IL1TokenBridge
    function depositERC20To(address token, address to, uint256 amount) external returns (uint256) {
        return _depositERC20(token, to, amount);
    }

    /// @inheritdoc IL1TokenBridge
    function depositERC20WithPermit(
        address token,
        address to,
        uint256 amount,
        Permit calldata tokenPermit,
        Permit calldata gasPermit
    ) external returns (uint256) {
        _use(IERC20(token), tokenPermit);
        _use(open, gasPermit);
        return _depositERC20(token, to, amount);
    }

    /// @inheritdoc IL1TokenBridge
    function resend(uint256 nonce, bytes calldata message, uint64 gasLimit)
        external
        nonReentrant
        returns (uint64 queueIndex)
    {
        require(messages[nonce] == keccak256(message), UnknownMessage(nonce));
        queueIndex = _enqueue(message, gasLimit);
        emit DepositResent(nonce, queueIndex);
    }

    /// @inheritdoc IL1TokenBridge
    function finalizeWithdrawal(address token, address from, address to, uint256 amount) external nonReentrant {
        require(msg.sender == address(portal) && portal.l2Sender() == Predeploys.TOKEN_BRIDGE, NotL2Bridge());
        // The portal gives at least WITHDRAWAL_GAS, so a caller with little gas cannot turn a payment into a debt.
        try this.pay{gas: gasleft() - BOOKING_GAS}(token, to, amount) {
            emit WithdrawalPaid(token, from, to, amount);
        } catch {
            _owed[token][from][to] += amount;
            emit WithdrawalOwed(token, from, to, amount);
        }
    }

    /// @inheritdoc IL1TokenBridge
    function pay(address token, address to, uint256 amount) external {
        require(msg.sender == address(this), NotSelf());
        _pay(token, to, amount);
    }

    /// @inheritdoc IL1TokenBridge
    function claim(address token, address from, address to, address recipient)
        external
        nonReentrant
        returns (uint256 amount)
    {
        require(recipient == to || msg.sender == to || AddressAlias.l2Sender(msg.sender) == from, NotYours());
        amount = _owed[token][from][to];
        require(amount != 0, NothingOwed());

        _owed[token][from][to] = 0;
        emit WithdrawalClaimed(token, from, to, recipient, amount);
        _pay(token, recipient, amount);
    }

    /// @inheritdoc IL1TokenBridge
    function depositGasCost(address token) external view returns (uint256) {
        bool first = !_books[token].introduced;
        bytes memory message = _message(0, token, msg.sender, 1, first ? _wordsOf(token).encode() : bytes(""));
        return portal.gasCost(_gasLimit(message.length, first));
    }

    /// @inheritdoc IL1TokenBridge
    function escrowed(address token) external view returns (uint256) {
        return _books[token].escrowed;
    }

    /// @inheritdoc IL1TokenBridge
    function introduced(address token) external view returns (bool) {
        return _books[token].introduced;
    }

    /// @inheritdoc IL1TokenBridge
    function owed(address token, address from, address to) external view returns (uint256) {
        return _owed[token][from][to];
    }

    /// @inheritdoc IL1TokenBridge
    function l2TokenOf(address token) external pure returns (address) {
        return L2Tokens.addressOf(token);
    }

    function _depositETH(address to) private nonReentrant returns (uint256) {
        return _send(L2Tokens.ETH, to, msg.value);
    }

    function _depositERC20(address token, address to, uint256 amount) private nonReentrant returns (uint256) {
        require(token != address(open) && token != L2Tokens.ETH, NotBridgeable(token));
        return _send(token, to, _take(IERC20(token), amount));
    }

    /// What arrived, whatever the token calls `amount`; never more than asked for, so that nobody deposits what a token
    /// gave to the escrow meanwhile.
    function _take(IERC20 token, uint256 amount) private returns (uint256) {
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        return Math.min(token.balanceOf(address(this)) - before, amount);
    }

    function _send(address token, address to, uint256 amount) private returns (uint256 nonce) {
        require(!portal.paused(), DepositsPaused());
        require(amount != 0, NothingDeposited());
        require(to != address(0) && to != Predeploys.TOKEN_BRIDGE && to != L2Tokens.addressOf(token), BadReceiver(to));

        Book storage book = _books[token];
        bool first = !book.introduced;
        bytes memory words = first ? _introduce(token) : bytes("");
        book.introduced = true;
        book.escrowed += amount.toUint248();

        nonce = messageCount++;
        bytes memory message = _message(nonce, token, to, amount, words);
        messages[nonce] = keccak256(message);
        uint64 queueIndex = _enqueue(message, _gasLimit(message.length, first));
        emit DepositSent(nonce, token, msg.sender, to, amount, queueIndex);
    }

    function _introduce(address token) private returns (bytes memory) {
        Words memory words = _wordsOf(token);
        emit TokenIntroduced(token, L2Tokens.addressOf(token), words.name, words.symbol, words.decimals);
        return words.encode();
    }

    /// Sends a message to the L2 bridge; its gas is paid by the caller.
    function _enqueue(bytes memory message, uint64 gasLimit) private returns (uint64) {
        uint256 cost = portal.gasCost(gasLimit);
        if (cost != 0) open.safeTransferFrom(msg.sender, address(this), cost);
        return portal.deposit(Predeploys.TOKEN_BRIDGE, 0, 0, gasLimit, false, message);
    }

    function _pay(address token, address to, uint256 amount) private {
        require(to != address(this), PaymentFailed(to));
        _books[token].escrowed -= amount.toUint248();
        if (token == L2Tokens.ETH) {
            require(LowLevelCall.callNoReturn(to, amount, ""), PaymentFailed(to));
            return;
        }
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransfer(to, amount);
        uint256 left = IERC20(token).balanceOf(address(this));
        if (left + amount < before) revert SpentTooMuch(token, amount, before - left);
    }

    /// A permit can be taken from the mempool and used by anyone, which leaves the allowance in place: its failure says
    /// nothing, and the transfer that follows finds a missing allowance.
    function _use(IERC20 token, Permit calldata p) private {
        if (p.deadline == 0) return;
        try IERC20Permit(address(token)).permit(msg.sender, address(this), p.value, p.deadline, p.v, p.r, p.s) {}
            catch {}
    }

    function _message(uint256 nonce, address token, address to, uint256 amount, bytes memory words)
        private
        view
        returns (bytes memory)
    {
        return abi.encodeCall(IL2TokenBridge.receiveDeposit, (nonce, token, msg.sender, to, amount, words));
    }

    function _gasLimit(uint256 messageBytes, bool first) private view returns (uint64) {
        return portal.minGasLimit(messageBytes, false).toUint64() + MINT_GAS + (first ? CREATE_GAS : 0);
    }

    function _wordsOf(address token) private view returns (Words memory) {
        if (token == L2Tokens.ETH) return Words("Ether", "WETH", 18);
        return TokenWords.ask(token);
    }
}
