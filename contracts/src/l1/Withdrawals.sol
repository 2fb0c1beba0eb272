// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {AddressAlias} from "./AddressAlias.sol";
import {SlotProof} from "./SlotProof.sol";
import {OutputRootProof, Withdrawal, sentMessageKey} from "./Withdrawal.sol";
import {IInbox} from "./interfaces/IInbox.sol";
import {IRollup} from "./interfaces/IRollup.sol";
import {ISystemConfig} from "./interfaces/ISystemConfig.sol";
import {IWithdrawals} from "./interfaces/IWithdrawals.sol";

/// @title Withdrawals
/// @notice The part of the Portal through which OPEN and messages leave L2.
/// @dev Invariant: a message is paid at most once, only if its output is confirmed, and the escrow falls by exactly what
/// was paid (test/l1/WithdrawalsAreSound.t.sol).
abstract contract Withdrawals is IWithdrawals {
    using SafeERC20 for IERC20;

    /// A proof must be this part of the window old before it pays, so that a forged one can be seen and answered with a
    /// pause. Who proves in the first seven eighths of the window does not notice.
    uint256 public constant PROOF_DELAY_PART = 8;
    /// What OP portals answer while no message is being delivered.
    address private constant NOBODY = 0x000000000000000000000000000000000000dEaD;
    /// What the CALL itself takes of the gas, for an account touched for the first time, and the steps up to it.
    uint256 private constant CALL_GAS = 5_000;
    /// Bounds a view over provers, whom nobody admits.
    uint256 private constant MAX_SEARCHED = 32;

    /// @inheritdoc IWithdrawals
    IERC20 public immutable token;
    IInbox public immutable inbox;
    ISystemConfig public immutable config;
    IRollup public immutable rollup;

    /// One slot. That of the first prover also holds the end of the message, because proving has opened the slot.
    struct Proof {
        address prover;
        uint48 readyAt;
        uint32 outputIndex;
        bool isFinalised;
    }

    mapping(bytes32 hash => Proof) private _first;
    mapping(bytes32 hash => mapping(address prover => Proof)) private _others;
    mapping(bytes32 hash => address[]) private _otherProvers;
    /// Confirmed outputs, 256 to a slot.
    mapping(uint256 word => uint256 bits) private _confirmed;

    address private transient _sender;
    uint256 private transient _value;

    constructor(IERC20 token_, IInbox inbox_, ISystemConfig config_, IRollup rollup_) {
        token = token_;
        inbox = inbox_;
        config = config_;
        rollup = rollup_;
    }

    /// @inheritdoc IWithdrawals
    function proveWithdrawalTransaction(
        Withdrawal calldata w,
        uint256 l2OutputIndex,
        OutputRootProof calldata outputRootProof,
        bytes[] calldata withdrawalProof
    ) external {
        (bytes32 root, uint256 windowEnd, uint256 windowS) = rollup.outputTerms(l2OutputIndex);
        require(outputRootProof.version == 0 && outputRootProof.outputRoot() == root, InvalidProof());
        bytes32 hash = w.withdrawalHash();
        SlotProof.check(outputRootProof.messagePasserStorageRoot, sentMessageKey(hash), withdrawalProof);

        uint256 readyAt = block.timestamp + windowS / PROOF_DELAY_PART;
        if (readyAt < windowEnd) readyAt = windowEnd;
        // Both are below 2^48 and 2^32 as long as L1 time is, and as there are assertions.
        _note(hash, Proof(msg.sender, uint48(readyAt), uint32(l2OutputIndex), false));
        emit WithdrawalProven(hash, w.sender, w.target);
        emit WithdrawalProvenExtension1(hash, msg.sender);
    }

    // Confirming an output calls the Rollup before the message is marked: it calls back `outputConfirmed` and no more.

    /// @inheritdoc IWithdrawals
    // slither-disable-next-line reentrancy-no-eth
    function finalizeWithdrawalTransaction(Withdrawal calldata w) external {
        bytes32 hash = w.withdrawalHash();
        Proof memory first = _first[hash];
        Proof memory proof = first;
        if (first.prover != msg.sender) {
            Proof memory own = _others[hash][msg.sender];
            if (own.prover != address(0)) proof = own;
        }
        _finish(hash, w.value, first.isFinalised, proof);
        _deliver(w, hash);
    }

    /// @inheritdoc IWithdrawals
    // slither-disable-next-line reentrancy-no-eth
    function finalizeWithdrawalTransactionExternalProof(Withdrawal calldata w, address proofSubmitter) external {
        bytes32 hash = w.withdrawalHash();
        _finish(hash, w.value, _first[hash].isFinalised, _proofOf(hash, proofSubmitter));
        _deliver(w, hash);
    }

    /// @inheritdoc IWithdrawals
    function redirectWithdrawal(Withdrawal calldata w, address proofSubmitter, address recipient) external {
        require(AddressAlias.l2Sender(msg.sender) == w.sender, NotSender(msg.sender));
        bytes32 hash = w.withdrawalHash();
        _finish(hash, w.value, _first[hash].isFinalised, _proofOf(hash, proofSubmitter));
        emit WithdrawalRedirected(hash, recipient);
        _pay(recipient, w.value);
        emit WithdrawalFinalized(hash, true);
    }

    /// @inheritdoc IWithdrawals
    function outputConfirmed(uint256 l2OutputIndex) external {
        require(msg.sender == address(rollup), NotRollup(msg.sender));
        _confirmed[l2OutputIndex >> 8] |= 1 << (l2OutputIndex & 0xff);
        emit OutputConfirmed(l2OutputIndex);
    }

    /// @inheritdoc IWithdrawals
    function finalizedWithdrawals(bytes32 hash) external view returns (bool) {
        return _first[hash].isFinalised;
    }

    /// @inheritdoc IWithdrawals
    function provenWithdrawals(bytes32 hash) external view returns (bytes32, uint128, uint128) {
        Proof memory first = _first[hash];
        uint256 left = _otherProvers[hash].length;
        if (left != 0 && rollup.isOutputContested(first.outputIndex)) {
            for (uint256 i = 0; i < MAX_SEARCHED && left != 0; ++i) {
                Proof memory other = _others[hash][_otherProvers[hash][--left]];
                if (!rollup.isOutputContested(other.outputIndex)) return _shown(other);
            }
        }
        return _shown(first);
    }

    /// @inheritdoc IWithdrawals
    function provenWithdrawals(bytes32 hash, address prover) external view returns (bytes32, uint128, uint128) {
        return _shown(_proofOf(hash, prover));
    }

    /// @inheritdoc IWithdrawals
    function numProofSubmitters(bytes32 hash) external view returns (uint256) {
        return (_first[hash].prover == address(0) ? 0 : 1) + _otherProvers[hash].length;
    }

    /// @inheritdoc IWithdrawals
    function proofSubmitters(bytes32 hash, uint256 index) external view returns (address) {
        if (index != 0) return _otherProvers[hash][index - 1];
        require(_first[hash].prover != address(0), Unproven());
        return _first[hash].prover;
    }

    /// @inheritdoc IWithdrawals
    function isOutputFinalized(uint256 l2OutputIndex) public view returns (bool) {
        return _confirmed[l2OutputIndex >> 8] & (1 << (l2OutputIndex & 0xff)) != 0;
    }

    /// @inheritdoc IWithdrawals
    function l2Sender() external view returns (address) {
        return _sender == address(0) ? NOBODY : _sender;
    }

    /// @inheritdoc IWithdrawals
    function l2Value() external view returns (uint256) {
        return _value;
    }

    /// @inheritdoc IWithdrawals
    function isProtected(address target) public view returns (bool) {
        address[5] memory ours = [address(this), address(inbox), address(rollup), address(config), address(token)];
        for (uint256 i = 0; i < 5; ++i) {
            if (target == ours[i] || target == _proxyAdmin(ours[i])) return true;
        }
        return target == Ownable(address(config)).owner();
    }

    /// @inheritdoc IWithdrawals
    function checkSlotProof(bytes32 storageRoot, bytes32 key, bytes[] calldata proof) external pure {
        SlotProof.check(storageRoot, key, proof);
    }

    /// @inheritdoc IWithdrawals
    function version() external pure returns (string memory) {
        return "2.0.0";
    }

    /// When a pause ends that has begun; zero if none has.
    function _pausedUntil() internal view virtual returns (uint256);

    /// Takes `amount` out of the books. Reverts if they do not hold it.
    function _unbook(uint256 amount) internal virtual;

    function _note(bytes32 hash, Proof memory proof) private {
        Proof storage first = _first[hash];
        require(!first.isFinalised, AlreadyFinalized());
        if (first.prover == address(0) || first.prover == proof.prover) {
            _first[hash] = proof;
            return;
        }
        if (_others[hash][proof.prover].prover == address(0)) _otherProvers[hash].push(proof.prover);
        _others[hash][proof.prover] = proof;
    }

    /// All checks and effects of the end of a message. Nothing outside is called but the Rollup.
    function _finish(bytes32 hash, uint256 value, bool isFinalised, Proof memory proof) private {
        require(block.timestamp >= _pausedUntil(), CallPaused());
        require(_sender == address(0), NonReentrant());
        require(!isFinalised, AlreadyFinalized());
        require(proof.prover != address(0), Unproven());
        require(block.timestamp > proof.readyAt, TooEarly(proof.readyAt));
        if (!isOutputFinalized(proof.outputIndex)) rollup.confirmOutput(proof.outputIndex);

        _first[hash].isFinalised = true;
        _unbook(value);
    }

    function _deliver(Withdrawal calldata w, bytes32 hash) private {
        _pay(w.target, w.value);
        if (w.data.length != 0) _call(w);
        emit WithdrawalFinalized(hash, true);
    }

    function _pay(address to, uint256 amount) private {
        if (amount == 0) return;
        // There it would be lost: neither has a way to send it on.
        require(to != address(this) && to != address(token), BadTarget());
        token.safeTransfer(to, amount);
    }

    /// Calls the target with all gas that is left, which is at least its gas limit.
    function _call(Withdrawal calldata w) private {
        require(!isProtected(w.target), BadTarget());
        _sender = w.sender;
        _value = w.value;
        bytes memory data = w.data;
        // The EVM keeps a 64th of the gas back.
        uint256 given = gasleft();
        given = given > CALL_GAS ? given - CALL_GAS : 0;
        given -= given / 64;
        require(given >= w.gasLimit, OutOfGas());
        // What the target returns is not copied, however much it is.
        require(LowLevelCall.callNoReturn(w.target, data), CallFailed());
        _sender = address(0);
        _value = 0;
    }

    function _proofOf(bytes32 hash, address prover) private view returns (Proof memory proof) {
        proof = _first[hash];
        if (proof.prover != prover) proof = _others[hash][prover];
    }

    function _shown(Proof memory proof) private view returns (bytes32 root, uint128 timestamp, uint128 outputIndex) {
        if (proof.prover == address(0)) return (0, 0, 0);
        uint256 windowS;
        // When the window ends is part of `readyAt`.
        // slither-disable-next-line unused-return
        (root,, windowS) = rollup.outputTerms(proof.outputIndex);
        return (root, uint128(proof.readyAt - windowS), proof.outputIndex);
    }

    /// A transparent proxy's first act is to create its admin.
    function _proxyAdmin(address proxy) private pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encodePacked(hex"d694", proxy, hex"01")))));
    }
}
