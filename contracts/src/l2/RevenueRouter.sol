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
import {Shares} from "./Shares.sol";

/// @title RevenueRouter
/// @notice See IRevenueRouter.
/// @dev Invariant: each payment's parts add up to it, and all but the burned part is in the ledger when it ends, so the
///      balance here is what is still to be burned (test/l2/RevenueRouter.t.sol).
contract RevenueRouter is IRevenueRouter {
    using AssetRecord for bytes;

    uint32 public constant OPERATOR_MIN_PPB = 200_000_000;
    uint32 public constant OPERATOR_MAX_PPB = 700_000_000;
    uint32 public constant AGENT_MAX_PPB = 200_000_000;
    /// Lineage keeps a quarter, whatever operator and agent ask.
    uint32 public constant LINEAGE_MIN_PPB = 250_000_000;

    /// What an operator or an agent posted. `stakersPool` is used for operators only.
    struct Terms {
        uint32 ppb;
        uint32 nextPpb;
        uint64 nextFrom;
        uint64 stakersPool;
    }

    struct Parts {
        uint256 protocol;
        uint256 burned;
        uint256 stakers;
        uint256 operator_;
        uint256 agent_;
        uint256 lineage;
        uint64 stakersPool;
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
    mapping(uint32 operatorId => Terms) private _operators;
    mapping(uint64 agentId => Terms) private _agents;
    /// @inheritdoc IRevenueRouter
    mapping(address channel => bool) public isChannel;

    /// @inheritdoc IRevenueRouter
    function pay(uint64 assetId, uint32 operatorId, uint64 agentId, bytes32 ref) external payable {
        require(msg.value != 0, NothingPaid());
        require(msg.value <= type(uint128).max, TooMuch(msg.value));
        _route(RouteItem(assetId, operatorId, agentId, uint128(msg.value), ref));
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
            if (items[i].amount != 0) _route(items[i]);
        }
    }

    /// @inheritdoc IRevenueRouter
    function registerOperator(address payout, uint32 sharePpb) external returns (uint32 operatorId) {
        _bound(sharePpb, OPERATOR_MIN_PPB, OPERATOR_MAX_PPB);

        operatorId = ++operatorCount;
        operatorOwner[operatorId] = msg.sender;
        _operators[operatorId].ppb = sharePpb;
        emit OperatorRegistered(operatorId, msg.sender, payout, sharePpb);

        IPoolLedger(Predeploys.POOL_LEDGER).open(Pools.operator(operatorId), payout);
    }

    /// @inheritdoc IRevenueRouter
    function setOperatorShare(uint32 operatorId, uint32 sharePpb) external {
        _checkOperatorOwner(operatorId);
        _bound(sharePpb, OPERATOR_MIN_PPB, OPERATOR_MAX_PPB);
        emit OperatorShareScheduled(operatorId, sharePpb, _schedule(_operators[operatorId], sharePpb));
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
        emit AgentShareScheduled(agentId, sharePpb, _schedule(_agents[agentId], sharePpb));
    }

    /// @inheritdoc IRevenueRouter
    function setProvision(uint32 operatorId, uint64 stakersPool) external {
        require(msg.sender == Predeploys.STAKE_MANAGER, NotStakeManager(msg.sender));
        require(operatorOwner[operatorId] != address(0), UnknownOperator(operatorId));
        _operators[operatorId].stakersPool = stakersPool;
        emit ProvisionChanged(operatorId, stakersPool);
    }

    /// @inheritdoc IRevenueRouter
    function setChannel(address channel, bool allowed) external {
        require(msg.sender == IFeePolicy(Predeploys.FEE_POLICY).owner(), NotGovernance(msg.sender));
        isChannel[channel] = allowed;
        emit ChannelChanged(channel, allowed);
    }

    /// @inheritdoc IRevenueRouter
    function burn() external returns (uint256 amount) {
        amount = address(this).balance;
        Burn.native(amount);
        emit Burned(amount);
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
        Terms memory t = _operators[operatorId];
        return (_now(t), t.stakersPool);
    }

    /// @inheritdoc IRevenueRouter
    function agentShare(uint64 agentId) external view returns (uint32 sharePpb) {
        return _now(_agents[agentId]);
    }

    function _route(RouteItem memory item) private {
        Parts memory p = _split(item.operatorId, item.agentId, item.amount);

        uint256[4] memory heads;
        heads[0] = _head(Role.PROTOCOL, Pools.TREASURY, p.protocol);
        heads[1] = _head(Role.STAKERS, p.stakersPool, p.stakers);
        heads[2] = _head(Role.OPERATOR, Pools.operator(item.operatorId), p.operator_);
        heads[3] = _head(Role.AGENT, item.agentId, p.agent_);
        _emitRouted(item, p);

        IPoolLedger(Predeploys.POOL_LEDGER).credit{value: item.amount - p.burned}(item.assetId, p.lineage, heads);
    }

    function _head(Role role, uint64 pool, uint256 amount) private returns (uint256) {
        if (amount != 0) emit RoleCredited(pool, uint8(role), uint128(amount));
        return uint256(pool) << 192 | amount;
    }

    function _emitRouted(RouteItem memory item, Parts memory p) private {
        emit Routed(
            item.ref,
            item.assetId,
            item.operatorId,
            item.agentId,
            msg.sender,
            item.amount,
            uint128(p.protocol),
            uint128(p.burned),
            uint128(p.operator_),
            uint128(p.agent_),
            uint128(p.lineage),
            uint128(p.stakers)
        );
    }

    function _schedule(Terms storage terms, uint32 ppb) private returns (uint64 from) {
        from = Epoch.afterNext();
        terms.ppb = _now(terms);
        terms.nextPpb = ppb;
        terms.nextFrom = from;
    }

    /// @dev The classes of IRevenueRouter, in its order.
    function _split(uint32 operatorId, uint64 agentId, uint256 amount) private view returns (Parts memory p) {
        (uint256 protocolPpb, uint256 burnPpb, uint256 stakersPpb) = IFeePolicy(Predeploys.FEE_POLICY).classes();
        uint256 operatorPpb = 0;
        uint256 agentPpb = 0;
        if (operatorId != 0) {
            Terms memory t = _operators[operatorId];
            operatorPpb = _now(t);
            require(operatorPpb != 0, UnknownOperator(operatorId));
            p.stakersPool = t.stakersPool;
        }
        if (p.stakersPool == 0) stakersPpb = 0;
        if (agentId != 0) {
            _checkAgent(agentId);
            agentPpb = _now(_agents[agentId]);
        }

        // At most 3 + 3 + 10 + 20 % are cut beside the operator's, so what is free here is never below its minimum.
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

        Parts memory p = _split(operatorId, agentId, amount);
        _put(q, Role.PROTOCOL, Pools.TREASURY, p.protocol);
        _put(q, Role.BURN, 0, p.burned);
        _put(q, Role.STAKERS, p.stakersPool, p.stakers);
        _put(q, Role.OPERATOR, Pools.operator(operatorId), p.operator_);
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

    function _now(Terms memory t) private view returns (uint32) {
        return Epoch.reached(t.nextFrom) ? t.nextPpb : t.ppb;
    }

    function _checkOperatorOwner(uint32 operatorId) private view {
        require(msg.sender == operatorOwner[operatorId], NotOperatorOwner(operatorId, msg.sender));
    }

    function _checkAgent(uint64 agentId) private view {
        require(AssetRecord.kindOf(agentId) == IAssetRegistry.Kind.AGENT, NotAnAgent(agentId));
    }

    function _put(Quote memory q, Role role, uint64 pool, uint256 amount) private pure {
        if (amount == 0) return;
        q.who[q.count] = role == Role.BURN ? address(0) : Pools.account(pool);
        q.why[q.count] = bytes32(uint256(role) << 248 | pool);
        q.amt[q.count] = amount;
        ++q.count;
    }

    function _bound(uint256 ppb, uint256 min, uint256 max) private pure {
        require(min <= ppb && ppb <= max, ShareOutOfBounds(ppb, min, max));
    }
}
