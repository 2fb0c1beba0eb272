// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {AssetRecord} from "./AssetRecord.sol";
import {Burn} from "./Burn.sol";
import {Epoch} from "./Epoch.sol";
import {IAssetRegistry} from "./IAssetRegistry.sol";
import {IFeePolicy} from "./IFeePolicy.sol";
import {IPoolLedger} from "./IPoolLedger.sol";
import {IRevenueRouter} from "./IRevenueRouter.sol";
import {Pools} from "./Pools.sol";
import {Predeploys} from "./Predeploys.sol";
import {Send} from "./Send.sol";
import {Shares} from "./Shares.sol";

/// @title RevenueRouter
/// @notice See IRevenueRouter.
/// @dev Invariant: each payment's parts add up to it; the balance here is what is kept for the treasury, for burning and
///      for operators; everything else is in the ledger when a payment ends (test/l2/RevenueRouter.t.sol).
contract RevenueRouter is IRevenueRouter {
    using AssetRecord for bytes;

    uint32 public constant OPERATOR_MIN_PPB = 200_000_000;
    uint32 public constant OPERATOR_MAX_PPB = 700_000_000;
    uint32 public constant AGENT_MAX_PPB = 200_000_000;
    /// Lineage keeps a quarter, whatever operator and agent ask.
    uint32 public constant LINEAGE_MIN_PPB = 250_000_000;

    /// Terms, what an operator or an agent posted, from the lowest bit: share (32), scheduled share (32), epoch from which
    /// that counts (32), and for operators only: pool of its stakers (64), and what it can claim (96). One word, because
    /// every payment reads the first four and adds to the last. All OPEN there is fits in 90 bits.
    uint256 private constant NEXT_AT = 32;
    uint256 private constant FROM_AT = 64;
    uint256 private constant STAKERS_POOL_AT = 96;
    uint256 private constant OWED_AT = 160;

    /// Books, from the lowest bit: what is kept for the treasury (96) and for burning (96); epoch (16), and the classes of
    /// that epoch in grains: protocol, burn, stakers (16 each). FeePolicy's classes do not change within an epoch, so the
    /// first payment of an epoch reads them for all.
    uint256 private constant TO_BURN_AT = 96;
    uint256 private constant EPOCH_AT = 192;
    uint256 private constant PROTOCOL_AT = 208;
    uint256 private constant BURN_AT = 224;
    uint256 private constant STAKERS_AT = 240;
    uint256 private constant GRAIN_PPB = 10_000;

    struct Parts {
        uint256 protocol;
        uint256 burned;
        uint256 stakers;
        uint256 operator_;
        uint256 agent_;
        uint256 lineage;
        /// The operator's; zero without one.
        uint256 terms;
    }

    struct Quote {
        address[] who;
        bytes32[] why;
        uint256[] amt;
        uint256 count;
    }

    /// @inheritdoc IRevenueRouter
    uint32 public operatorCount;
    /// @inheritdoc IRevenueRouter
    mapping(uint32 operatorId => address) public operatorOwner;
    /// @inheritdoc IRevenueRouter
    mapping(uint32 operatorId => address) public operatorPayout;
    mapping(uint32 operatorId => uint256) private _operators;
    mapping(uint64 agentId => uint256) private _agents;
    /// @inheritdoc IRevenueRouter
    mapping(address channel => bool) public isChannel;
    uint256 private _books;

    /// @inheritdoc IRevenueRouter
    function pay(uint64 assetId, uint32 operatorId, uint64 agentId, bytes32 ref) external payable {
        require(msg.value != 0, NothingPaid());
        require(msg.value <= type(uint96).max, TooMuch(msg.value));
        _route(assetId, operatorId, agentId, msg.value, ref);
    }

    /// @inheritdoc IRevenueRouter
    function routeBatch(RouteItem[] calldata items) external payable {
        require(isChannel[msg.sender], NotChannel(msg.sender));
        uint256 sum = 0;
        for (uint256 i = 0; i < items.length; ++i) {
            sum += items[i].amount;
        }
        require(sum == msg.value, BadSum(sum, msg.value));
        for (uint256 i = 0; i < items.length; ++i) {
            RouteItem calldata r = items[i];
            if (r.amount != 0) _route(r.assetId, r.operatorId, r.agentId, r.amount, r.ref);
        }
    }

    /// @inheritdoc IRevenueRouter
    function registerOperator(address payout, uint32 sharePpb) external returns (uint32 operatorId) {
        _bound(sharePpb, OPERATOR_MIN_PPB, OPERATOR_MAX_PPB);
        require(payout != address(0), ZeroAddress());

        operatorId = ++operatorCount;
        operatorOwner[operatorId] = msg.sender;
        operatorPayout[operatorId] = payout;
        _operators[operatorId] = sharePpb;
        emit OperatorRegistered(operatorId, msg.sender, payout, sharePpb);
    }

    /// @inheritdoc IRevenueRouter
    function claimOperator(uint32 operatorId) external returns (uint256 amount) {
        uint256 terms = _operators[operatorId];
        amount = terms >> OWED_AT;
        if (amount == 0) return 0;
        address to = operatorPayout[operatorId];

        _operators[operatorId] = terms & ((1 << OWED_AT) - 1);
        emit OperatorPaid(operatorId, to, amount);

        Send.native(to, amount);
    }

    /// @inheritdoc IRevenueRouter
    function setOperatorPayout(uint32 operatorId, address payout) external {
        _checkOperatorOwner(operatorId);
        require(payout != address(0), ZeroAddress());
        operatorPayout[operatorId] = payout;
        emit OperatorPayoutChanged(operatorId, payout);
    }

    /// @inheritdoc IRevenueRouter
    function setOperatorShare(uint32 operatorId, uint32 sharePpb) external {
        _checkOperatorOwner(operatorId);
        _bound(sharePpb, OPERATOR_MIN_PPB, OPERATOR_MAX_PPB);
        _operators[operatorId] = _scheduled(_operators[operatorId], sharePpb);
        emit OperatorShareScheduled(operatorId, sharePpb, Epoch.start(Epoch.afterNext()));
    }

    /// @inheritdoc IRevenueRouter
    function transferOperator(uint32 operatorId, address to) external {
        _checkOperatorOwner(operatorId);
        require(to != address(0), ZeroAddress());
        operatorOwner[operatorId] = to;
        emit OperatorTransferred(operatorId, msg.sender, to);
    }

    /// @inheritdoc IRevenueRouter
    function setAgentShare(uint64 agentId, uint32 sharePpb) external {
        address owner = IAssetRegistry(Predeploys.ASSET_REGISTRY).ownerOf(agentId);
        require(msg.sender == owner, NotAgentOwner(agentId, msg.sender));
        _checkAgent(agentId);
        _bound(sharePpb, 0, AGENT_MAX_PPB);
        _agents[agentId] = _scheduled(_agents[agentId], sharePpb);
        emit AgentShareScheduled(agentId, sharePpb, Epoch.start(Epoch.afterNext()));
    }

    /// @inheritdoc IRevenueRouter
    function setProvision(uint32 operatorId, uint64 stakersPool) external {
        require(msg.sender == Predeploys.STAKE_MANAGER, NotStakeManager(msg.sender));
        require(operatorOwner[operatorId] != address(0), UnknownOperator(operatorId));
        uint256 others = _operators[operatorId] & ~(uint256(type(uint64).max) << STAKERS_POOL_AT);
        _operators[operatorId] = others | uint256(stakersPool) << STAKERS_POOL_AT;
        emit ProvisionChanged(operatorId, stakersPool);
    }

    /// @inheritdoc IRevenueRouter
    function setChannel(address channel, bool allowed) external {
        require(msg.sender == IFeePolicy(Predeploys.FEE_POLICY).owner(), NotGovernance(msg.sender));
        isChannel[channel] = allowed;
        emit ChannelChanged(channel, allowed);
    }

    /// @inheritdoc IRevenueRouter
    function settle() external returns (uint256 amount) {
        amount = treasury();
        _books -= amount;

        uint256[2] memory heads;
        heads[0] = _head(Role.PROTOCOL, Pools.TREASURY, amount);
        IPoolLedger(Predeploys.POOL_LEDGER).credit{value: amount}(0, 0, heads);
    }

    /// @inheritdoc IRevenueRouter
    function burn() external returns (uint256 amount) {
        amount = toBurn();
        _books -= amount << TO_BURN_AT;
        emit Burned(amount);

        Burn.native(amount);
    }

    /// @inheritdoc IRevenueRouter
    function quote(uint64 assetId, uint32 operatorId, uint64 agentId, uint128 amount)
        external
        view
        returns (address[] memory who, bytes32[] memory why, uint256[] memory amt)
    {
        Quote memory q = _quote(assetId, operatorId, agentId, amount);
        return (q.who, q.why, q.amt);
    }

    /// @inheritdoc IRevenueRouter
    function operatorTerms(uint32 operatorId) external view returns (uint32 sharePpb, uint64 stakersPool) {
        uint256 terms = _operators[operatorId];
        return (uint32(_now(terms)), _stakersPool(terms));
    }

    /// @inheritdoc IRevenueRouter
    function agentShare(uint64 agentId) external view returns (uint32 sharePpb) {
        return uint32(_now(_agents[agentId]));
    }

    /// @inheritdoc IRevenueRouter
    function operatorClaimable(uint32 operatorId) external view returns (uint256) {
        return _operators[operatorId] >> OWED_AT;
    }

    /// @inheritdoc IRevenueRouter
    function treasury() public view returns (uint256) {
        return uint96(_books);
    }

    /// @inheritdoc IRevenueRouter
    function toBurn() public view returns (uint256) {
        return uint96(_books >> TO_BURN_AT);
    }

    function _route(uint64 assetId, uint32 operatorId, uint64 agentId, uint256 amount, bytes32 ref) private {
        uint256 books = _current();
        Parts memory p = _split(books, operatorId, agentId, amount);
        uint256 credited;
        unchecked {
            // No field overflows: all OPEN there is fits in 90 bits.
            _books = books + p.protocol + (p.burned << TO_BURN_AT);
            if (operatorId != 0) _operators[operatorId] = p.terms + (p.operator_ << OWED_AT);
            credited = p.stakers + p.agent_ + p.lineage;
        }
        uint256[2] memory heads;
        heads[0] = _head(Role.STAKERS, _stakersPool(p.terms), p.stakers);
        heads[1] = _head(Role.AGENT, agentId, p.agent_);
        _emitRouted(assetId, operatorId, agentId, amount, ref, p);

        IPoolLedger(Predeploys.POOL_LEDGER).credit{value: credited}(assetId, p.lineage, heads);
    }

    function _head(Role role, uint64 pool, uint256 amount) private returns (uint256) {
        if (amount != 0) emit RoleCredited(pool, uint8(role), uint128(amount));
        return uint256(pool) << 192 | amount;
    }

    function _emitRouted(uint64 assetId, uint32 operatorId, uint64 agentId, uint256 amount, bytes32 ref, Parts memory p)
        private
    {
        emit Routed(
            ref,
            assetId,
            operatorId,
            agentId,
            msg.sender,
            uint128(amount),
            uint128(p.protocol),
            uint128(p.burned),
            uint128(p.operator_),
            uint128(p.agent_),
            uint128(p.lineage),
            uint128(p.stakers)
        );
    }

    /// @dev The books with the classes of this epoch.
    function _current() private view returns (uint256 books) {
        books = _books;
        uint256 epoch = Epoch.current();
        if (uint16(books >> EPOCH_AT) == epoch) return books;
        (uint256 protocolPpb, uint256 burnPpb, uint256 stakersPpb) = IFeePolicy(Predeploys.FEE_POLICY).classes();
        return books & ((1 << EPOCH_AT) - 1) | uint256(uint16(epoch)) << EPOCH_AT | protocolPpb / GRAIN_PPB
            << PROTOCOL_AT | burnPpb / GRAIN_PPB << BURN_AT | stakersPpb / GRAIN_PPB << STAKERS_AT;
    }

    /// @dev The classes of IRevenueRouter, in its order. Unchecked: `amount` is below 2^128, weights at most 1e9.
    function _split(uint256 books, uint32 operatorId, uint64 agentId, uint256 amount)
        private
        view
        returns (Parts memory p)
    {
        uint256 operatorPpb = 0;
        uint256 agentPpb = 0;
        if (operatorId != 0) {
            p.terms = _operators[operatorId];
            operatorPpb = _now(p.terms);
            require(operatorPpb != 0, UnknownOperator(operatorId));
        }
        if (agentId != 0) {
            _checkAgent(agentId);
            agentPpb = _now(_agents[agentId]);
        }
        unchecked {
            uint256 protocolPpb = uint16(books >> PROTOCOL_AT) * GRAIN_PPB;
            uint256 burnPpb = uint16(books >> BURN_AT) * GRAIN_PPB;
            uint256 stakersPpb = _stakersPool(p.terms) == 0 ? 0 : (books >> STAKERS_AT) * GRAIN_PPB;
            // At most 3 + 3 + 10 + 20 % are cut beside the operator's, so what is free is never below its minimum.
            uint256 free = Shares.WHOLE - LINEAGE_MIN_PPB - protocolPpb - burnPpb - stakersPpb - agentPpb;
            if (operatorPpb > free) operatorPpb = free;

            uint256 weight = protocolPpb;
            uint256 given = p.protocol = Shares.upTo(amount, weight);
            p.burned = Shares.upTo(amount, weight += burnPpb) - given;
            given += p.burned;
            p.stakers = Shares.upTo(amount, weight += stakersPpb) - given;
            given += p.stakers;
            p.operator_ = Shares.upTo(amount, weight += operatorPpb) - given;
            given += p.operator_;
            p.agent_ = Shares.upTo(amount, weight += agentPpb) - given;
            p.lineage = amount - given - p.agent_;
        }
    }

    function _quote(uint64 assetId, uint32 operatorId, uint64 agentId, uint256 amount)
        private
        view
        returns (Quote memory q)
    {
        bytes memory record = AssetRecord.load(assetId);
        uint256 entries = record.size();
        q.who = new address[](5 + entries);
        q.why = new bytes32[](5 + entries);
        q.amt = new uint256[](5 + entries);

        Parts memory p = _split(_current(), operatorId, agentId, amount);
        _put(q, Role.PROTOCOL, Pools.TREASURY, p.protocol);
        _put(q, Role.BURN, 0, p.burned);
        _put(q, Role.STAKERS, _stakersPool(p.terms), p.stakers);
        _put(q, Role.OPERATOR, operatorId, p.operator_);
        _put(q, Role.AGENT, agentId, p.agent_);
        uint256 weight = 0;
        uint256 given = 0;
        for (uint256 i = 0; i < entries; ++i) {
            (uint64 pool, uint32 ppb) = record.entry(i);
            weight += ppb;
            uint256 upTo = Shares.upTo(p.lineage, weight);
            _put(q, Role.LINEAGE, pool, upTo - given);
            given = upTo;
        }

        (address[] memory who, bytes32[] memory why, uint256[] memory amt, uint256 n) = (q.who, q.why, q.amt, q.count);
        assembly ("memory-safe") {
            // Only ever shorter than what was allocated.
            mstore(who, n)
            mstore(why, n)
            mstore(amt, n)
        }
    }

    /// @dev The share of these terms as of now.
    function _now(uint256 terms) private view returns (uint256) {
        return Epoch.reached(uint32(terms >> FROM_AT)) ? uint32(terms >> NEXT_AT) : uint32(terms);
    }

    function _scheduled(uint256 terms, uint32 ppb) private view returns (uint256) {
        uint256 others = terms >> STAKERS_POOL_AT << STAKERS_POOL_AT;
        return others | uint256(Epoch.afterNext()) << FROM_AT | uint256(ppb) << NEXT_AT | _now(terms);
    }

    function _stakersPool(uint256 terms) private pure returns (uint64) {
        return uint64(terms >> STAKERS_POOL_AT);
    }

    function _checkOperatorOwner(uint32 operatorId) private view {
        require(msg.sender == operatorOwner[operatorId], NotOperatorOwner(operatorId, msg.sender));
    }

    function _checkAgent(uint64 agentId) private view {
        require(AssetRecord.kindOf(agentId) == IAssetRegistry.Kind.AGENT, NotAnAgent(agentId));
    }

    /// @param id of a pool, or of the operator
    function _put(Quote memory q, Role role, uint64 id, uint256 amount) private view {
        if (amount == 0) return;
        if (role == Role.OPERATOR) q.who[q.count] = operatorPayout[uint32(id)];
        else if (role != Role.BURN) q.who[q.count] = Pools.account(id);
        q.why[q.count] = bytes32(uint256(role) << 248 | id);
        q.amt[q.count] = amount;
        ++q.count;
    }

    function _bound(uint256 ppb, uint256 min, uint256 max) private pure {
        require(min <= ppb && ppb <= max, ShareOutOfBounds(ppb, min, max));
    }
}
