// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {IERC5805} from "@openzeppelin/contracts/interfaces/IERC5805.sol";

/// @title IStakeManager
/// @notice OPEN that stands behind somebody's work, and votes while it does.
/// @dev Where an account's OPEN is:
///      - free: withdrawn at once. It votes.
///      - in a provision of its own: answers for one role towards one verifier, a contract that alone may slash it.
///        Leaves by `thaw`, and by `release` after the provision's thaw time; until released it can be slashed.
///      - delegated to an operator's provision: earns with it, is never slashed, and leaves after the same time.
///      All of it together is what the account votes with (ERC-5805, seconds). Moving OPEN between these changes no
///      votes; deposits, withdrawals and slashes do.
///
///      A provision's verifier, thaw time and reward part never change; for others its provider opens another
///      provision. Verifiers are contracts that governance approved for a role, with the least thaw time that leaves
///      them time to judge. What governance approves later, or no longer, changes no provision that exists.
///
///      A fault is whatever the verifier proved, under an id that it can use once, for one provision. Half of what is
///      slashed, or less if the provision said so, becomes free OPEN of the challenger; the rest is burned. A slash
///      takes first what does not thaw, then what does, and never more than the provision holds.
///
///      The provision of an operator has a pool in PoolLedger, whose members are the provider and its delegators, with
///      one unit for each UNIT of OPEN that does not thaw. RevenueRouter credits the stakers' class to it while the
///      provision is active: at least ACTIVE_MIN of its own that does not thaw, and the provider still owns the
///      operator. Earnings are claimed there. The pool is an asset's, of kind TOOL, owned by this contract: whoever
///      pays that asset pays the stakers.
///
///      Absent on purpose: slashing of delegators. It could only begin after every delegator had a thaw time to leave,
///      so it is a matter for a hard fork with such notice.
///
///      EIP-712 domain: name "Tributary StakeManager", version "1", the chain id, this address. Type:
///      Delegation(address delegatee,uint256 nonce,uint256 expiry)
interface IStakeManager is IERC5805, IERC5267 {
    enum Role {
        OPERATOR,
        /// Posts epochs and steps of attribution.
        ATTRIBUTOR,
        CURATOR,
        AGENT
    }

    struct Provision {
        address provider;
        /// The provider's own, thawing included, wei.
        uint96 own;
        address verifier;
        /// Of what is slashed, to the challenger, ppb.
        uint32 rewardPpb;
        uint32 thawS;
        Role role;
        /// Part of `own` that leaves, and when it can be released, seconds.
        uint96 thawing;
        uint40 thawAt;
        /// Asset whose pool the stakers are in; zero for other roles than OPERATOR.
        uint64 pool;
        /// What others delegated, thawing included, wei.
        uint96 delegated;
        /// Operator or AGENT asset it is about; for other roles what the verifier makes of it.
        uint64 subject;
    }

    struct Delegation {
        /// Thawing included, wei.
        uint96 amount;
        uint96 thawing;
        uint40 thawAt;
    }

    event Deposited(address indexed account, address indexed from, uint256 amount);
    event Withdrawn(address indexed account, address to, uint256 amount);
    event ProvisionOpened(
        uint64 indexed provision,
        address indexed provider,
        address indexed verifier,
        Role role,
        uint64 subject,
        uint32 rewardPpb,
        uint32 thawS,
        uint64 pool
    );
    event ProvisionAdded(uint64 indexed provision, uint256 amount);
    event Thawing(uint64 indexed provision, uint256 amount, uint256 thawAt);
    event Released(uint64 indexed provision, uint256 amount);
    event Delegated(uint64 indexed provision, address indexed delegator, uint256 amount);
    event DelegationThawing(uint64 indexed provision, address indexed delegator, uint256 amount, uint256 thawAt);
    event DelegationReleased(uint64 indexed provision, address indexed delegator, uint256 amount);
    event Slashed(
        uint64 indexed provision, bytes32 indexed fault, address indexed challenger, uint256 amount, uint256 reward
    );
    /// Whether RevenueRouter gives the stakers' class to this provision.
    event ActiveChanged(uint64 indexed provision, uint32 indexed operatorId, bool active);
    event VerifierChanged(Role indexed role, address indexed verifier, uint32 thawMinS);

    error ZeroAddress();
    error ZeroAmount();
    error TooMuch(uint256 amount);
    error Insufficient(uint256 has, uint256 needed);
    error UnknownProvision(uint64 provision);
    error NotProvider(uint64 provision, address caller);
    error NotVerifier(uint64 provision, address caller);
    error NotGovernance(address caller);
    error NotOperatorOwner(uint64 operatorId, address caller);
    error NotAssetOwner(uint64 assetId, address caller);
    error NotAnAgent(uint64 assetId);
    error NotApproved(Role role, address verifier);
    /// Whoever has the key of a verifier could slash for nothing.
    error NotContract(address verifier);
    error OutOfBounds(uint256 value, uint256 min, uint256 max);
    /// The operator's owner has a provision for it. Add to that, or thaw it first.
    error AlreadyProvisioned(uint64 provision);
    error NotDelegable(uint64 provision);
    /// Others may delegate DELEGATION_RATIO times what the provider itself has there.
    error DelegationFull(uint256 max);
    error NothingThaws();
    error TooEarly(uint256 thawAt);
    error FaultUsed(bytes32 fault);

    // ---- from anybody ----

    /// @notice Stakes the OPEN sent along for `account`, free. A plain transfer does so for its sender.
    function deposit(address account) external payable;

    /// @notice Pays free OPEN of the caller to `to`, at once.
    function withdraw(address to, uint256 amount) external;

    /// @notice Sets anew whether the provision is active: after its operator changed hands. Anyone may call.
    function refresh(uint64 id) external;

    // ---- from providers ----

    /// @notice Puts free OPEN of the caller behind a role. Ids begin at 1.
    /// @param subject OPERATOR: the operator; AGENT: the AGENT asset; both the caller's own. Else what the verifier
    ///        wants: it must look, as nothing here does
    /// @param verifier approved for the role
    /// @param rewardPpb at most 50 %
    /// @param thawS what the verifier asks, to 28 days
    function provision(Role role, uint64 subject, address verifier, uint256 amount, uint32 rewardPpb, uint32 thawS)
        external
        returns (uint64 id);

    /// @notice Adds free OPEN of the caller to its provision.
    function add(uint64 id, uint256 amount) external;

    /// @notice Lets `amount` more thaw; the time begins again for all that thaws.
    function thaw(uint64 id, uint256 amount) external;

    /// @notice Frees what has thawed. Anyone may call.
    function release(uint64 id) external returns (uint256 amount);

    // ---- from delegators ----

    /// @notice Delegates free OPEN of the caller to an operator's provision.
    function delegateStake(uint64 id, uint256 amount) external;

    /// @notice As `thaw`, of the caller's delegation.
    function thawDelegation(uint64 id, uint256 amount) external;

    /// @notice As `release`, of the delegator's. Anyone may call.
    function releaseDelegation(uint64 id, address delegator) external returns (uint256 amount);

    // ---- from verifiers ----

    /// @notice Takes `amount`, or all if there is less, of a provision for a fault. Only the provision's verifier.
    /// @param fault an id of the verifier's own choice that it has not used
    function slash(uint64 id, bytes32 fault, uint256 amount, address challenger) external returns (uint256 slashed);

    // ---- from governance ----

    /// @notice Approves `verifier` for new provisions of a role that thaw for `thawMinS` or longer, 1 to 28 days; or no
    ///         longer, with zero. Only FeePolicy's owner.
    function setVerifier(Role role, address verifier, uint32 thawMinS) external;

    // ---- views ----

    function freeOf(address account) external view returns (uint256);
    /// @notice Free, in provisions and delegated: what the account votes with, unless it named a delegatee.
    function stakedOf(address account) external view returns (uint256);
    function provisionOf(uint64 id) external view returns (Provision memory);
    /// @notice Whether the provision answers for this: what a verifier asks before it slashes.
    function isAbout(uint64 id, Role role, uint64 subject) external view returns (bool);
    function delegationOf(uint64 id, address delegator) external view returns (Delegation memory);
    /// @notice The newest provision that the operator's owner opened for it; 0 for none.
    function operatorProvision(uint32 operatorId) external view returns (uint64);
    /// @notice Whether RevenueRouter gives the stakers' class to this provision.
    function isActive(uint64 id) external view returns (bool);
    function isFaultUsed(address verifier, bytes32 fault) external view returns (bool);
    /// @notice Least thaw time of new provisions; zero if not approved.
    function thawMinOf(Role role, address verifier) external view returns (uint32);
    function provisionCount() external view returns (uint64);
    /// @notice All that is staked, wei.
    function staked() external view returns (uint256);
    /// @notice Balance less what is staked: never below zero, above it by what was forced in.
    function solvency() external view returns (int256);
}
