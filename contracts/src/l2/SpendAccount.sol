// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {AssetRecord} from "./AssetRecord.sol";
import {IAssetRegistry} from "./IAssetRegistry.sol";
import {IRevenueRouter} from "./IRevenueRouter.sol";
import {ISpendAccount} from "./ISpendAccount.sol";
import {IWrappedOpen} from "./IWrappedOpen.sol";
import {Predeploys} from "./Predeploys.sol";
import {Redemption} from "./Redemption.sol";
import {Reservations} from "./Reservations.sol";
import {Send} from "./Send.sol";
import {TypedData} from "./TypedData.sol";
import {Vouchers} from "./Vouchers.sol";

/// @title SpendAccount
/// @notice See ISpendAccount.
/// @dev Invariants (test/l2/SpendAccount.invariant.t.sol): the balance is the sum of what is free and what is reserved,
///      or more by what was forced in; what a channel claimed never falls, and all channels of a reservation together
///      never claim more than was reserved; only claims and releases lower a reservation.
contract SpendAccount is ISpendAccount {
    using Redemption for Redemption.Sheet;
    using Reservations for Reservations.Channels;

    string private constant NAME = "Tributary SpendAccount";
    bytes32 private constant RESERVATION_TYPEHASH = keccak256(
        "Reservation(address payer,address signer,uint32 operatorId,uint64 epoch,uint64 assetId,uint64 agentId,uint64 expiry,uint128 amount,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant SESSION_KEY_TYPEHASH = keccak256(
        "SessionKey(address payer,address key,uint128 cap,uint64 expiry,uint32 operatorId,uint64 assetId,uint64 agentId,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant RELEASE_TYPEHASH = keccak256(
        "Release(address payer,address signer,uint32 operatorId,uint64 epoch,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant WITHDRAWAL_TYPEHASH =
        keccak256("Withdrawal(address payer,address to,uint128 amount,uint256 nonce,uint256 deadline)");

    /// Enough for an operator that looks every few minutes; a payer in a hurry keeps its OPEN free.
    uint64 public constant RELEASE_DELAY_S = 15 minutes;
    /// What an operator has for getting its claim included after it accepted a last voucher.
    uint64 public constant MARGIN_S = 5 minutes;
    /// The operators' settlement epoch.
    uint64 public constant EPOCH_S = 10 minutes;
    /// The bitmap has so many bits.
    uint256 public constant ROWS_MAX = 256;

    /// What never changes about (payer, signer, operator, epoch), and whether it ends.
    struct Terms {
        uint64 assetId;
        uint64 agentId;
        uint64 expiry;
        uint40 releaseAt;
        bool exists;
        bool released;
    }

    struct Paid {
        uint128 amount;
        uint64 count;
    }

    struct Claim {
        uint32 operatorId;
        uint64 epoch;
    }

    /// @inheritdoc ISpendAccount
    uint256 public liabilities;
    /// @inheritdoc ISpendAccount
    mapping(address payer => uint256) public freeOf;
    /// @inheritdoc ISpendAccount
    mapping(address account => uint256) public nonces;
    mapping(address payer => mapping(address key => SessionKey)) private _sessions;
    mapping(bytes32 termsKey => Terms) private _terms;
    Reservations.Channels private _channels;
    mapping(uint32 operatorId => mapping(uint64 epoch => Paid)) private _paid;
    mapping(uint32 operatorId => mapping(uint64 assetId => mapping(uint64 epoch => Paid))) private _paidByAsset;
    /// @inheritdoc ISpendAccount
    mapping(bytes32 ref => Claim) public claimOf;
    /// By owner, so that a transferred operator has none.
    mapping(uint32 operatorId => mapping(address owner => mapping(address claimer => bool))) private _claimers;

    receive() external payable {
        if (msg.sender != Predeploys.WRAPPED_OPEN) _deposit(msg.sender, msg.value);
    }

    // From payers

    /// @inheritdoc ISpendAccount
    function depositNative(address payer) external payable {
        require(payer != address(0), ZeroAddress());
        _deposit(payer, msg.value);
    }

    /// @inheritdoc ISpendAccount
    function depositWithAuthorization(
        address from,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external {
        IWrappedOpen wopen = IWrappedOpen(Predeploys.WRAPPED_OPEN);
        wopen.receiveWithAuthorization(from, address(this), value, validAfter, validBefore, nonce, signature);
        wopen.withdraw(value);
        _deposit(from, value);
    }

    /// @inheritdoc ISpendAccount
    function withdraw(address payer, address to, uint128 amount, uint256 deadline, bytes calldata signature) external {
        require(to != address(0), ZeroAddress());
        _authorise(payer, abi.encode(WITHDRAWAL_TYPEHASH, payer, to, amount), deadline, signature);
        _take(payer, amount);
        liabilities -= amount;
        emit Withdrawn(payer, to, amount);

        Send.native(to, amount);
    }

    /// @inheritdoc ISpendAccount
    function setSessionKey(
        address payer,
        address key,
        SessionKey calldata session,
        uint256 deadline,
        bytes calldata signature
    ) external {
        require(key != address(0), ZeroAddress());
        _authorise(payer, abi.encode(SESSION_KEY_TYPEHASH, payer, key, session), deadline, signature);

        _sessions[payer][key] = session;
        emit SessionKeySet(
            payer, key, session.cap, session.expiry, session.operatorId, session.assetId, session.agentId
        );
    }

    /// @inheritdoc ISpendAccount
    function reserve(Reservation calldata r, uint128 amount, address by, uint256 deadline, bytes calldata signature)
        external
        returns (bytes32 id)
    {
        require(by == r.payer || by == r.signer, NotPayerNorSigner(by));
        require(r.signer != address(0), ZeroAddress());
        require(amount != 0, ZeroAmount());
        require(r.expiry == 0 || block.timestamp <= r.expiry, Expired(r.expiry));
        require(_ownerOf(r.operatorId) != address(0), UnknownOperator(r.operatorId));
        _authorise(by, abi.encode(RESERVATION_TYPEHASH, r, amount), deadline, signature);
        if (by != r.payer) _spendSession(r, amount);

        id = reservationId(r);
        _agree(id, r);
        uint256 word = Reservations.load(id);
        uint256 sum = Reservations.available(word) + amount;
        require(sum <= Reservations.AMOUNT_MAX, TooMuch(sum, Reservations.AMOUNT_MAX));

        _take(r.payer, amount);
        Reservations.store(id, word + amount);
        _emitReserved(id, r, amount);
    }

    /// @inheritdoc ISpendAccount
    function initiateRelease(
        address payer,
        address signer,
        uint32 operatorId,
        uint64 epoch,
        uint256 deadline,
        bytes calldata signature
    ) external {
        _authorise(payer, abi.encode(RELEASE_TYPEHASH, payer, signer, operatorId, epoch), deadline, signature);
        (bytes32 id, Terms storage t) = _find(payer, signer, operatorId, epoch);
        require(t.releaseAt == 0 && !t.released, Releasing(id));

        t.releaseAt = uint40(block.timestamp) + uint40(RELEASE_DELAY_S);
        emit ReleaseStarted(id, payer, operatorId, t.releaseAt);
    }

    /// @inheritdoc ISpendAccount
    function finalizeRelease(address payer, address signer, uint32 operatorId, uint64 epoch) external {
        (bytes32 id, Terms storage t) = _find(payer, signer, operatorId, epoch);
        require(!t.released, Releasing(id));
        if (t.expiry == 0 || block.timestamp <= t.expiry) {
            require(t.releaseAt != 0 && block.timestamp >= t.releaseAt, TooEarly(t.releaseAt));
        }

        uint256 word = Reservations.load(id);
        uint256 rest = Reservations.available(word);
        t.released = true;
        Reservations.store(id, word - rest);
        freeOf[payer] += rest;
        emit Released(id, payer, operatorId, uint128(rest));
    }

    // From operators

    /// @inheritdoc ISpendAccount
    function claimBatch(uint32 operatorId, Group[] calldata groups)
        external
        returns (uint256 paid, bytes memory reasons)
    {
        Redemption.Sheet memory sheet = Redemption.open(operatorId);
        _checkOperator(operatorId);
        uint256 rows = 0;
        for (uint256 i = 0; i < groups.length; ++i) {
            rows += groups[i].rows.length;
        }
        require(rows <= ROWS_MAX, TooManyRows(rows));

        reasons = new bytes(rows);
        IRevenueRouter.RouteItem[] memory items = new IRevenueRouter.RouteItem[](groups.length);
        uint256 total = 0;
        uint256 calls = 0;
        uint256 first = 0;
        for (uint256 i = 0; i < groups.length; ++i) {
            uint256 bits;
            (bits, items[i]) = _claimGroup(sheet, groups[i], first, reasons);
            paid |= bits;
            first += groups[i].rows.length;
            total += sheet.amount;
            calls += sheet.calls;
        }
        if (total == 0) return (paid, reasons);

        _add(_paid[operatorId][_epoch()], total, calls);
        liabilities -= total;
        _route(items, total);
    }

    /// @inheritdoc ISpendAccount
    function refund(uint32 operatorId, address payer, bytes32 ref) external payable {
        _checkOperator(operatorId);
        require(payer != address(0), ZeroAddress());
        emit RefundIssued(ref, operatorId, payer, uint128(msg.value));
        _deposit(payer, msg.value);
    }

    /// @inheritdoc ISpendAccount
    function setClaimer(uint32 operatorId, address claimer, bool allowed) external {
        require(msg.sender == _ownerOf(operatorId), NotOperator(operatorId, msg.sender));
        _claimers[operatorId][msg.sender][claimer] = allowed;
        emit ClaimerChanged(operatorId, msg.sender, claimer, allowed);
    }

    // Views

    /// @inheritdoc ISpendAccount
    function safeHeadroom(address payer, address signer, uint32 operatorId, uint64 epoch)
        external
        view
        returns (uint128 redeemable, uint64 acceptUntil)
    {
        (bytes32 id, Terms memory t) = _look(payer, signer, operatorId, epoch);
        if (!t.exists || t.released) return (0, 0);
        // The last second at which a claim is surely paid.
        uint64 last = t.expiry == 0 ? type(uint64).max : t.expiry;
        if (t.releaseAt != 0 && t.releaseAt - 1 < last) last = t.releaseAt - 1;
        if (last < block.timestamp + MARGIN_S) return (0, 0);
        return (uint128(Reservations.available(Reservations.load(id))), last - MARGIN_S);
    }

    /// @inheritdoc ISpendAccount
    function sessionKey(address payer, address key) external view returns (SessionKey memory) {
        return _sessions[payer][key];
    }

    /// @inheritdoc ISpendAccount
    function reservationOf(address payer, address signer, uint32 operatorId, uint64 epoch)
        external
        view
        returns (uint128 available, uint64 assetId, uint64 agentId, uint64 expiry, uint64 releaseAt, bool released)
    {
        (bytes32 id, Terms memory t) = _look(payer, signer, operatorId, epoch);
        available = uint128(Reservations.available(Reservations.load(id)));
        return (available, t.assetId, t.agentId, t.expiry, t.releaseAt, t.released);
    }

    /// @inheritdoc ISpendAccount
    function reservationId(Reservation calldata r) public pure returns (bytes32) {
        return _idOf(r.payer, r.signer, r.operatorId, r.epoch, r.expiry, r.assetId, r.agentId);
    }

    /// @inheritdoc ISpendAccount
    function claimedOf(address payer, address signer, uint32 operatorId, uint64 epoch, uint64 assetId, uint64 agentId)
        external
        view
        returns (uint128 cumulative, uint64 count)
    {
        (bytes32 id,) = _look(payer, signer, operatorId, epoch);
        (uint256 cumulative_, uint256 count_) = _channels.claimed(id, Reservations.load(id), assetId, agentId);
        return (uint128(cumulative_), uint64(count_));
    }

    /// @inheritdoc ISpendAccount
    function paidOf(uint32 operatorId, uint64 epoch) external view returns (uint128 amount, uint64 count) {
        Paid storage p = _paid[operatorId][epoch];
        return (p.amount, p.count);
    }

    /// @inheritdoc ISpendAccount
    function paidOf(uint32 operatorId, uint64 assetId, uint64 epoch)
        external
        view
        returns (uint128 amount, uint64 count)
    {
        Paid storage p = _paidByAsset[operatorId][assetId][epoch];
        return (p.amount, p.count);
    }

    /// @inheritdoc ISpendAccount
    function voucherDigest(Voucher calldata v) external view returns (bytes32) {
        return Vouchers.digest(v);
    }

    /// @inheritdoc ISpendAccount
    function isClaimer(uint32 operatorId, address who) external view returns (bool) {
        return _claimers[operatorId][_ownerOf(operatorId)][who];
    }

    /// @inheritdoc ISpendAccount
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return TypedData.domainSeparator(Vouchers.NAME_HASH);
    }

    function eip712Domain()
        external
        view
        returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory)
    {
        return (hex"0f", NAME, "1", block.chainid, address(this), bytes32(0), new uint256[](0));
    }

    /// @inheritdoc ISpendAccount
    function solvency() external view returns (int256) {
        return int256(address(this).balance) - int256(liabilities);
    }

    // Claims

    /// @dev Redeems the rows of one asset and agent, and writes down what they came to.
    function _claimGroup(Redemption.Sheet memory sheet, Group calldata g, uint256 first, bytes memory reasons)
        private
        returns (uint256 paid, IRevenueRouter.RouteItem memory item)
    {
        if (!_isRoutable(g.assetId, g.agentId)) {
            sheet.skipAll(g, first, reasons);
            return (0, item);
        }
        bytes32 ref;
        (paid, ref) = Redemption.group(_channels, sheet, g, first, reasons);
        if (paid == 0) return (0, item);

        uint32 operatorId = uint32(sheet.operatorId);
        claimOf[ref] = Claim(operatorId, _epoch());
        _add(_paidByAsset[operatorId][g.assetId][_epoch()], sheet.amount, sheet.calls);
        item = IRevenueRouter.RouteItem(g.assetId, operatorId, g.agentId, uint128(sheet.amount), ref);
    }

    function _add(Paid storage p, uint256 amount, uint256 calls) private {
        // All OPEN there is fits in 90 bits, and 256 rows of 2^32 calls in 40.
        (p.amount, p.count) = (p.amount + uint128(amount), p.count + uint64(calls));
    }

    /// @dev As one batch; or one by one, as anybody may, if governance took the right to batches away: it has no power
    ///      over claims.
    function _route(IRevenueRouter.RouteItem[] memory items, uint256 total) private {
        IRevenueRouter router = IRevenueRouter(Predeploys.REVENUE_ROUTER);
        if (router.isChannel(address(this))) {
            router.routeBatch{value: total}(items);
            return;
        }
        for (uint256 i = 0; i < items.length; ++i) {
            IRevenueRouter.RouteItem memory r = items[i];
            if (r.amount != 0) router.pay{value: r.amount}(r.assetId, r.operatorId, r.agentId, r.ref);
        }
    }

    /// @dev What RevenueRouter asks of an asset and an agent: with the operator checked, it cannot refuse what passes.
    function _isRoutable(uint64 assetId, uint64 agentId) private view returns (bool) {
        if (AssetRecord.addressOf(assetId).code.length == 0) return false;
        if (agentId == 0) return true;
        return
            AssetRecord.addressOf(agentId).code.length != 0 && AssetRecord.kindOf(agentId) == IAssetRegistry.Kind.AGENT;
    }

    // Payers' books

    function _deposit(address payer, uint256 amount) private {
        require(amount != 0, ZeroAmount());
        freeOf[payer] += amount;
        liabilities += amount;
        emit Deposited(payer, msg.sender, amount);
    }

    function _take(address payer, uint256 amount) private {
        uint256 free = freeOf[payer];
        require(free >= amount, Insufficient(payer, free, amount));
        unchecked {
            freeOf[payer] = free - amount;
        }
    }

    function _emitReserved(bytes32 id, Reservation calldata r, uint128 amount) private {
        emit Reserved(id, r.payer, r.operatorId, r.signer, r.epoch, r.assetId, r.agentId, r.expiry, amount);
    }

    /// @dev One epoch has one set of terms: else a voucher, which names the epoch alone, could be paid twice.
    function _agree(bytes32 id, Reservation calldata r) private {
        Terms storage t = _terms[_termsKey(r.payer, r.signer, r.operatorId, r.epoch)];
        Terms memory now_ = t;
        if (!now_.exists) {
            (t.assetId, t.agentId, t.expiry, t.exists) = (r.assetId, r.agentId, r.expiry, true);
            return;
        }
        bool same = now_.assetId == r.assetId && now_.agentId == r.agentId && now_.expiry == r.expiry;
        require(same, TermsDiffer(id));
        require(now_.releaseAt == 0 && !now_.released, Releasing(id));
    }

    function _spendSession(Reservation calldata r, uint128 amount) private {
        SessionKey storage s = _sessions[r.payer][r.signer];
        SessionKey memory limit = s;
        bool within = amount <= limit.cap && block.timestamp <= limit.expiry && r.expiry != 0
            && r.expiry <= limit.expiry && (limit.operatorId == 0 || limit.operatorId == r.operatorId)
            && (limit.assetId == 0 || limit.assetId == r.assetId) && (limit.agentId == 0 || limit.agentId == r.agentId);
        require(within, BeyondSession(r.payer, r.signer));
        s.cap = limit.cap - amount;
    }

    /// @dev `terms` is the typed message as far as its nonce; its sender needs to sign nothing.
    function _authorise(address by, bytes memory terms, uint256 deadline, bytes calldata signature) private {
        if (msg.sender == by) return;
        require(block.timestamp <= deadline, Expired(deadline));
        bytes32 structHash = keccak256(bytes.concat(terms, abi.encode(nonces[by]++, deadline)));
        bytes32 digest = TypedData.digest(Vouchers.NAME_HASH, structHash);
        require(TypedData.isSignedBy(by, digest, signature), BadSignature(by));
    }

    function _find(address payer, address signer, uint32 operatorId, uint64 epoch)
        private
        view
        returns (bytes32 id, Terms storage t)
    {
        t = _terms[_termsKey(payer, signer, operatorId, epoch)];
        require(t.exists, NoReservation());
        id = _idOf(payer, signer, operatorId, epoch, t.expiry, t.assetId, t.agentId);
    }

    function _look(address payer, address signer, uint32 operatorId, uint64 epoch)
        private
        view
        returns (bytes32 id, Terms memory t)
    {
        t = _terms[_termsKey(payer, signer, operatorId, epoch)];
        id = _idOf(payer, signer, operatorId, epoch, t.expiry, t.assetId, t.agentId);
    }

    function _checkOperator(uint32 operatorId) private view {
        address owner = _ownerOf(operatorId);
        bool allowed = msg.sender == owner || (owner != address(0) && _claimers[operatorId][owner][msg.sender]);
        require(allowed, NotOperator(operatorId, msg.sender));
    }

    function _ownerOf(uint32 operatorId) private view returns (address) {
        return IRevenueRouter(Predeploys.REVENUE_ROUTER).operatorOwner(operatorId);
    }

    function _epoch() private view returns (uint64) {
        return uint64(block.timestamp / EPOCH_S);
    }

    function _termsKey(address payer, address signer, uint32 operatorId, uint64 epoch) private pure returns (bytes32) {
        return keccak256(abi.encode(payer, signer, operatorId, epoch));
    }

    function _idOf(
        address payer,
        address signer,
        uint32 operatorId,
        uint64 epoch,
        uint64 expiry,
        uint64 assetId,
        uint64 agentId
    ) private pure returns (bytes32) {
        return Reservations.idOf(payer, signer, operatorId, epoch, expiry, assetId, agentId);
    }
}
