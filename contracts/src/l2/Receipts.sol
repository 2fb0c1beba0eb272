// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Burn} from "./Burn.sol";
import {Epoch} from "./Epoch.sol";
import {IFeePolicy} from "./IFeePolicy.sol";
import {IPaid} from "./IPaid.sol";
import {IReceipts} from "./IReceipts.sol";
import {IRevenueRouter} from "./IRevenueRouter.sol";
import {Owed} from "./Owed.sol";
import {Predeploys} from "./Predeploys.sol";
import {Send} from "./Send.sol";
import {Shares} from "./Shares.sol";
import {TypedData} from "./TypedData.sol";

/// @title Receipts
/// @notice See IReceipts.
/// @dev Invariants (test/l2/Attribution.invariant.t.sol): the balance is Σ bonds + Σ owed; what is locked of a bond is
///      Σ bonds of the operator's posted epochs, and never more than is held. Genesis writes slot 1
///      (slot 0 is what is owed).
contract Receipts is IReceipts, Owed {
    /// Ten minutes, a divisor of the day by which shares change.
    uint64 private constant EPOCH_S = 600;
    /// To post an epoch after its end, or anew after it was voided. The pots keep money at least so long.
    uint64 private constant POST_S = 1 days;
    uint64 private constant KEYS_S = 2 days;
    uint256 private constant LINEAGE_MIN_PPB = 250_000_000;

    bytes32 private constant NAME_HASH = keccak256("Tributary Receipts");

    struct Keys {
        address signer;
        uint40 since;
        address previous;
        address poster;
    }

    struct Bond {
        uint128 held;
        uint128 locked;
    }

    /// Genesis writes it.
    /// @inheritdoc IReceipts
    // slither-disable-next-line uninitialized-state,constable-states
    uint64 public challengeS;
    mapping(uint32 operatorId => mapping(uint64 epoch => Header)) private _headers;
    mapping(uint32 operatorId => Keys) private _keys;
    /// @inheritdoc IReceipts
    mapping(uint32 operatorId => Bond) public bondOf;

    modifier onlySettlement() {
        require(msg.sender == Predeploys.ATTRIBUTION_SETTLEMENT, NotSettlement(msg.sender));
        _;
    }

    modifier onlyCourt() {
        require(msg.sender == Predeploys.ATTRIBUTION_COURT, NotCourt(msg.sender));
        _;
    }

    /// @inheritdoc IReceipts
    function setKeys(uint32 operatorId, address signer, address poster) external {
        _checkOwner(operatorId);
        Keys storage k = _keys[operatorId];
        if (signer != k.signer) {
            uint256 from = k.since == 0 ? 0 : k.since + KEYS_S;
            require(block.timestamp >= from, KeysTooYoung(from));
            // Before the first key the owner signed.
            k.previous = k.since == 0 ? msg.sender : k.signer;
            k.signer = signer;
            k.since = uint40(block.timestamp);
        }
        k.poster = poster;
        emit KeysChanged(operatorId, signer, poster);
    }

    /// @inheritdoc IReceipts
    function depositBond(uint32 operatorId) external payable {
        bondOf[operatorId].held += uint128(msg.value);
        emit BondDeposited(operatorId, msg.sender, msg.value);
    }

    /// @inheritdoc IReceipts
    function withdrawBond(uint32 operatorId, uint256 amount) external {
        _checkOwner(operatorId);
        Bond storage b = bondOf[operatorId];
        uint256 free = b.held - b.locked;
        require(amount <= free, BondTooSmall(free, amount));
        b.held -= uint128(amount);
        emit BondWithdrawn(operatorId, msg.sender, amount);

        Send.native(msg.sender, amount);
    }

    /// @inheritdoc IReceipts
    function record(Post calldata p, address poster, bytes32 partsHash, uint256 bond) external onlySettlement {
        _checkPoster(p.operatorId, poster);
        require(challengeS != 0, NoWindow());
        Header storage h = _headers[p.operatorId][p.epoch];
        _checkTime(p.epoch, h);
        (uint128 amount, uint64 count) = IPaid(Predeploys.SPEND_ACCOUNT).paidOf(p.operatorId, p.epoch);
        require(count != 0 && p.priceSum == amount && p.count == count, NotPaid(amount, count));
        Bond storage b = bondOf[p.operatorId];
        uint256 free = b.held - b.locked;
        require(bond <= free && bond <= type(uint88).max, BondTooSmall(free, bond));
        uint32 now_ = lineagePpb(p.operatorId, p.epoch);
        require(p.lineagePpb == now_, LineageMoved(now_));

        b.locked += uint128(bond);
        h.receiptsRoot = p.receiptsRoot;
        h.partsHash = partsHash;
        h.priceSum = p.priceSum;
        h.bond = uint88(bond);
        h.deadline = uint40(block.timestamp + challengeS);
        h.status = Status.POSTED;
        h.count = p.count;
        h.lineagePpb = p.lineagePpb;
        h.since = uint40(block.timestamp);
        emit EpochPosted(p.operatorId, p.epoch, h.revision, p);
    }

    /// @inheritdoc IReceipts
    function close(uint32 operatorId, uint64 epoch) external onlySettlement {
        Header storage h = _headers[operatorId][epoch];
        require(h.status == Status.POSTED, WrongStatus(h.status));
        require(block.timestamp >= h.deadline, WindowOpen(h.deadline));
        require(h.demands == 0, DemandsOpen(h.demands));

        h.status = Status.FINAL;
        bondOf[operatorId].locked -= h.bond;
        emit EpochClosed(operatorId, epoch);
    }

    /// @inheritdoc IReceipts
    function void(uint32 operatorId, uint64 epoch, address challenger) external onlySettlement {
        Header storage h = _headers[operatorId][epoch];
        require(h.status == Status.POSTED, WrongStatus(h.status));
        uint256 bond = h.bond;

        h.status = Status.VOID;
        h.demands = 0;
        ++h.revision;
        h.since = uint40(block.timestamp);
        bondOf[operatorId].held -= uint128(bond);
        bondOf[operatorId].locked -= uint128(bond);
        _owe(challenger, bond / 2);
        emit EpochVoided(operatorId, epoch, challenger, bond);

        Burn.native(bond - bond / 2);
    }

    /// @inheritdoc IReceipts
    function hold(uint32 operatorId, uint64 epoch) external onlyCourt {
        Header storage h = _headers[operatorId][epoch];
        require(h.status == Status.POSTED, WrongStatus(h.status));
        require(block.timestamp < h.deadline, WindowOver(h.deadline));
        ++h.demands;
    }

    /// @inheritdoc IReceipts
    function answered(uint32 operatorId, uint64 epoch) external onlyCourt {
        Header storage h = _headers[operatorId][epoch];
        --h.demands;
        // At most one window more in all, however many demands there are.
        uint256 until = block.timestamp + answerS();
        uint256 last = h.since + 2 * challengeS;
        if (until > last) until = last;
        if (until > h.deadline) h.deadline = uint40(until);
    }

    /// @inheritdoc IReceipts
    function headerOf(uint32 operatorId, uint64 epoch) external view returns (Header memory) {
        return _headers[operatorId][epoch];
    }

    /// @inheritdoc IReceipts
    function keysOf(uint32 operatorId) external view returns (address signer, address poster) {
        address owner = _ownerOf(operatorId);
        Keys storage k = _keys[operatorId];
        signer = k.signer == address(0) ? owner : k.signer;
        poster = k.poster == address(0) ? owner : k.poster;
    }

    /// @inheritdoc IReceipts
    function isSigned(uint32 operatorId, bytes32 structHash, bytes calldata signature) external view returns (bool) {
        bytes32 digest = TypedData.digest(NAME_HASH, structHash);
        Keys storage k = _keys[operatorId];
        address signer = k.signer == address(0) ? _ownerOf(operatorId) : k.signer;
        if (signer != address(0) && TypedData.isSignedBy(signer, digest, signature)) return true;
        address previous = k.previous;
        bool counts = previous != address(0) && block.timestamp < k.since + KEYS_S;
        return counts && TypedData.isSignedBy(previous, digest, signature);
    }

    /// @inheritdoc IReceipts
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return TypedData.domainSeparator(NAME_HASH);
    }

    /// @inheritdoc IReceipts
    function answerS() public view returns (uint64) {
        return challengeS / 12;
    }

    /// @inheritdoc IReceipts
    /// @dev Shares change at day boundaries. Posted on the epoch's own day, the classes of now are those by which the
    ///      vouchers were routed; a day later nobody here knows them, and the least that lineage ever gets counts. The
    ///      stakers' class is always taken off, because a provision may begin at any time of the day.
    function lineagePpb(uint32 operatorId, uint64 epoch) public view returns (uint32) {
        if (epoch * EPOCH_S / Epoch.LENGTH_S != Epoch.current()) return uint32(LINEAGE_MIN_PPB);
        (uint32 protocolPpb, uint32 burnPpb, uint32 stakersPpb) = IFeePolicy(Predeploys.FEE_POLICY).classes();
        // Whether there are stakers does not matter.
        // slither-disable-next-line unused-return
        (uint32 operatorPpb,) = IRevenueRouter(Predeploys.REVENUE_ROUTER).operatorTerms(operatorId);
        uint256 free = Shares.WHOLE - protocolPpb - burnPpb - stakersPpb - operatorPpb;
        return uint32(free < LINEAGE_MIN_PPB ? LINEAGE_MIN_PPB : free);
    }

    function _checkTime(uint64 epoch, Header storage h) private view {
        // Epochs beyond this would overflow, and lie billions of years ahead.
        require(epoch < type(uint40).max, EpochNotOver(type(uint256).max));
        uint256 end = (uint256(epoch) + 1) * EPOCH_S;
        require(block.timestamp >= end, EpochNotOver(end));
        require(h.status == Status.NONE || h.status == Status.VOID, WrongStatus(h.status));
        require(h.revision != type(uint8).max, Forfeited());
        uint256 until = (h.status == Status.VOID ? h.since : end) + POST_S;
        require(block.timestamp < until, EpochTooOld(until));
    }

    function _checkPoster(uint32 operatorId, address caller) private view {
        address owner = _ownerOf(operatorId);
        bool may = caller != address(0) && (caller == owner || caller == _keys[operatorId].poster);
        require(may, NotPoster(operatorId, caller));
    }

    function _checkOwner(uint32 operatorId) private view {
        require(msg.sender == _ownerOf(operatorId), NotOperatorOwner(operatorId, msg.sender));
    }

    function _ownerOf(uint32 operatorId) private view returns (address) {
        return IRevenueRouter(Predeploys.REVENUE_ROUTER).operatorOwner(operatorId);
    }
}
