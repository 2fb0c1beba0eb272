// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title IRevenueRouter
/// @notice Every payment for an inference is split here, in one transaction, among all who had a part in it. The only
///         writer of payments in the PoolLedger.
/// @dev The classes, in the order in which they are cut from the amount, by prefix sums (Shares.sol), so that their sum
///      is the amount to the wei:
///      1. protocol: FeePolicy; kept here for the treasury's pool until anybody calls `settle`.
///      2. burn: FeePolicy; kept here until anybody calls `burn`.
///      3. stakers: FeePolicy, to the pool of the operator's provision, while it has an active one. There is no
///         StakeManager yet, so no provision is active and this part is zero; what it would be falls to lineage.
///      4. operator: what the operator posted, 20 % to 70 %, but never so much that lineage gets under 25 %; kept here
///         until anybody calls `claimOperator`.
///      5. agent: what the agent's owner posted, at most 20 %, to the agent's pool; zero without an agent.
///      6. lineage: the rest, to the pools of the asset's flattened vector.
///      A part that rounds to zero is skipped, never an error. Operator 0 means that none took part: its class is zero
///      and falls to lineage. Posted shares change like FeePolicy's, at the second epoch boundary.
interface IRevenueRouter {
    enum Role {
        PROTOCOL,
        BURN,
        STAKERS,
        OPERATOR,
        AGENT,
        LINEAGE
    }

    struct RouteItem {
        uint64 assetId;
        uint32 operatorId;
        uint64 agentId;
        uint128 amount;
        bytes32 ref;
    }

    /// @param ref the payer's reference, for example a receipt's hash
    event Routed(
        bytes32 indexed ref,
        uint64 indexed assetId,
        uint32 indexed operatorId,
        uint64 agentId,
        address payer,
        uint128 amount,
        uint128 protocol,
        uint128 burned,
        uint128 operator_,
        uint128 agent_,
        uint128 lineage,
        uint128 stakers
    );
    /// A pool was credited for a class. Stakers and agent: with every payment. Protocol: with every `settle`, for all
    /// payments since the last. Lineage credits follow from Routed and the asset's vector.
    event RoleCredited(uint64 indexed poolId, uint8 role, uint128 amount);
    event OperatorRegistered(uint32 indexed operatorId, address indexed owner, address payout, uint32 sharePpb);
    event OperatorPaid(uint32 indexed operatorId, address to, uint256 amount);
    event OperatorPayoutChanged(uint32 indexed operatorId, address payout);
    event OperatorShareScheduled(uint32 indexed operatorId, uint32 sharePpb, uint64 from);
    event OperatorTransferred(uint32 indexed operatorId, address indexed from, address indexed to);
    event ProvisionChanged(uint32 indexed operatorId, uint64 stakersPool);
    event AgentShareScheduled(uint64 indexed agentId, uint32 sharePpb, uint64 from);
    event ChannelChanged(address indexed channel, bool allowed);
    event Burned(uint256 amount);

    error NothingPaid();
    error UnknownOperator(uint32 operatorId);
    error NotAnAgent(uint64 assetId);
    error NotChannel(address caller);
    error NotGovernance(address caller);
    error NotStakeManager(address caller);
    error NotOperatorOwner(uint32 operatorId, address caller);
    error NotAgentOwner(uint64 agentId, address caller);
    error ShareOutOfBounds(uint256 ppb, uint256 min, uint256 max);
    error ZeroAddress();
    /// The items do not add up to the OPEN sent along.
    error BadSum(uint256 items, uint256 value);
    error TooMuch(uint256 amount);

    /// @notice Pays for one call of `assetId` with the OPEN sent along.
    /// @param operatorId who executed; 0 for nobody
    /// @param agentId the AGENT asset it was called through; 0 for none
    function pay(uint64 assetId, uint32 operatorId, uint64 agentId, bytes32 ref) external payable;

    /// @notice Pays many at once; items of zero are skipped. Only channels that governance allowed.
    function routeBatch(RouteItem[] calldata items) external payable;

    /// @notice What `pay` would give to whom now, to the wei: `who[i]` the pool's address (IPoolLedger.accountOf), the
    ///         operator's payout, or zero for burn; `why[i]` the role in the top byte, and in the low eight the id of the
    ///         pool or operator; `amt[i]` wei. Zero parts are left out.
    function quote(uint64 assetId, uint32 operatorId, uint64 agentId, uint128 amount)
        external
        view
        returns (address[] memory who, bytes32[] memory why, uint256[] memory amt);

    /// @notice Registers an operator for the caller. Ids begin at 1.
    /// @param payout where its earnings go
    /// @param sharePpb 20 % to 70 %
    function registerOperator(address payout, uint32 sharePpb) external returns (uint32 operatorId);

    /// @notice Pays the operator what it earned, to its payout. Anyone may call; nobody can pause it.
    function claimOperator(uint32 operatorId) external returns (uint256 amount);

    /// @notice Sends what is not yet claimed, and all later earnings, to `payout`.
    function setOperatorPayout(uint32 operatorId, address payout) external;
    function setOperatorShare(uint32 operatorId, uint32 sharePpb) external;
    function transferOperator(uint32 operatorId, address to) external;

    /// @notice The agent's own margin, at most 20 %. Only the owner of the AGENT asset.
    function setAgentShare(uint64 agentId, uint32 sharePpb) external;

    /// @notice Names the pool of the stakers behind the operator's active provision; 0 for none. Only the StakeManager.
    function setProvision(uint32 operatorId, uint64 stakersPool) external;

    /// @notice Lets `channel` use `routeBatch`, or no longer. Only FeePolicy's owner.
    function setChannel(address channel, bool allowed) external;

    /// @notice Credits what the protocol class left here to the treasury's pool. Anyone may call.
    function settle() external returns (uint256 amount);

    /// @notice Burns what the burn class left here. Anyone may call.
    function burn() external returns (uint256 amount);

    /// @notice What `settle` would credit now, wei.
    function treasury() external view returns (uint256);
    function operatorOwner(uint32 operatorId) external view returns (address);
    function operatorPayout(uint32 operatorId) external view returns (address);
    /// @notice What `claimOperator` would pay now, wei.
    function operatorClaimable(uint32 operatorId) external view returns (uint256);
    /// @notice What `burn` would burn now, wei.
    function toBurn() external view returns (uint256);
    /// @notice Share as of now, and the pool of its stakers (0 for none).
    function operatorTerms(uint32 operatorId) external view returns (uint32 sharePpb, uint64 stakersPool);
    function agentShare(uint64 agentId) external view returns (uint32 sharePpb);
    function isChannel(address channel) external view returns (bool);
    function operatorCount() external view returns (uint32);
}
