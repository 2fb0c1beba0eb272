// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {AssetRecord} from "./AssetRecord.sol";
import {Burn} from "./Burn.sol";
import {IAssetRegistry} from "./IAssetRegistry.sol";
import {IFeePolicy} from "./IFeePolicy.sol";
import {IPoolLedger} from "./IPoolLedger.sol";
import {IRevenueRouter} from "./IRevenueRouter.sol";
import {IStakeManager} from "./IStakeManager.sol";
import {Predeploys} from "./Predeploys.sol";
import {Send} from "./Send.sol";
import {Shares} from "./Shares.sol";
import {StakeVotes} from "./StakeVotes.sol";

/// @title StakeManager
/// @notice See IStakeManager.
/// @dev Invariants (test/l2/StakeManager.invariant.t.sol): Σ free + Σ provisions + Σ delegations is what is staked, and
///      the balance; what was slashed of a provision is at most what was put there; each fault slashed once; votes are
///      what is staked; units in a provision's pool are what does not thaw.
contract StakeManager is IStakeManager, StakeVotes {
    uint256 private constant REWARD_MAX_PPB = 500_000_000;
    /// A verifier that needs no more than a day asks for a day: a fault must be shown before its stake is gone.
    uint256 private constant THAW_LOW_S = 1 days;
    uint256 private constant THAW_MAX_S = 28 days;
    /// An account with a key may have code too: EIP-7702's 23 bytes.
    uint256 private constant DELEGATED_CODE_SIZE = 23;
    /// Below this the stakers' class stays with lineage: a token stake must not take it from contributors.
    uint256 public constant ACTIVE_MIN = 10_000 ether;
    /// Delegators are not slashed, so most of what earns would risk nothing if there were no limit.
    uint256 public constant DELEGATION_RATIO = 8;
    /// A unit in a pool, wei: 2^48 of them are 2.8 times all OPEN there is.
    uint256 public constant UNIT = 1e13;

    struct Account {
        uint96 free;
        uint96 staked;
    }

    mapping(address account => Account) private _accounts;
    mapping(uint64 id => Provision) private _provisions;
    mapping(uint64 id => mapping(address delegator => Delegation)) private _delegations;
    /// @inheritdoc IStakeManager
    mapping(uint32 operatorId => uint64) public operatorProvision;
    /// @inheritdoc IStakeManager
    mapping(uint64 id => bool) public isActive;
    /// @inheritdoc IStakeManager
    mapping(address verifier => mapping(bytes32 fault => bool)) public isFaultUsed;
    /// @inheritdoc IStakeManager
    mapping(Role role => mapping(address verifier => uint32)) public thawMinOf;
    /// @inheritdoc IStakeManager
    uint64 public provisionCount;
    /// @inheritdoc IStakeManager
    uint256 public staked;

    receive() external payable {
        deposit(msg.sender);
    }

    /// @inheritdoc IStakeManager
    function withdraw(address to, uint256 amount) external {
        require(to != address(0), ZeroAddress());
        _spend(msg.sender, amount);
        _accounts[msg.sender].staked -= uint96(amount);
        staked -= amount;
        _loseVotes(msg.sender, amount);
        emit Withdrawn(msg.sender, to, amount);

        Send.native(to, amount);
    }

    // From providers

    /// @inheritdoc IStakeManager
    // The registry, the router and the ledger call nobody back.
    // slither-disable-next-line reentrancy-no-eth
    function provision(Role role, uint64 subject, address verifier, uint256 amount, uint32 rewardPpb, uint32 thawS)
        external
        returns (uint64 id)
    {
        uint256 thawMin = thawMinOf[role][verifier];
        require(thawMin != 0, NotApproved(role, verifier));
        _bound(thawS, thawMin, THAW_MAX_S);
        _bound(rewardPpb, 0, REWARD_MAX_PPB);
        _checkSubject(role, subject);

        _spend(msg.sender, amount);
        id = ++provisionCount;
        Provision storage p = _provisions[id];
        (p.provider, p.own, p.verifier, p.subject) = (msg.sender, uint96(amount), verifier, subject);
        (p.rewardPpb, p.thawS, p.role) = (rewardPpb, thawS, role);
        if (role == Role.OPERATOR) _openPool(id, p);
        emit ProvisionOpened(id, msg.sender, verifier, role, subject, rewardPpb, thawS, p.pool);
        emit ProvisionAdded(id, amount);
        _count(id, p);
    }

    /// @inheritdoc IStakeManager
    function add(uint64 id, uint256 amount) external {
        Provision storage p = _ofCaller(id);
        _spend(msg.sender, amount);
        p.own += uint96(amount);
        emit ProvisionAdded(id, amount);
        _count(id, p);
    }

    /// @inheritdoc IStakeManager
    function thaw(uint64 id, uint256 amount) external {
        Provision storage p = _ofCaller(id);
        (p.thawing, p.thawAt) = _thawed(p.own, p.thawing, amount, p.thawS);
        emit Thawing(id, amount, p.thawAt);
        _count(id, p);
    }

    /// @inheritdoc IStakeManager
    function release(uint64 id) external returns (uint256 amount) {
        Provision storage p = _find(id);
        amount = p.thawing;
        _checkThawed(amount, p.thawAt);
        (p.own, p.thawing) = (p.own - uint96(amount), 0);
        _accounts[p.provider].free += uint96(amount);
        emit Released(id, amount);
    }

    // From delegators

    /// @inheritdoc IStakeManager
    function delegateStake(uint64 id, uint256 amount) external {
        Provision storage p = _find(id);
        require(p.pool != 0, NotDelegable(id));
        _spend(msg.sender, amount);
        uint256 max = uint256(p.own - p.thawing) * DELEGATION_RATIO;
        require(p.delegated + amount <= max, DelegationFull(max));

        p.delegated += uint96(amount);
        Delegation storage d = _delegations[id][msg.sender];
        d.amount += uint96(amount);
        emit Delegated(id, msg.sender, amount);
        _countMember(id, p, msg.sender);
    }

    /// @inheritdoc IStakeManager
    function thawDelegation(uint64 id, uint256 amount) external {
        Provision storage p = _find(id);
        Delegation storage d = _delegations[id][msg.sender];
        (d.thawing, d.thawAt) = _thawed(d.amount, d.thawing, amount, p.thawS);
        emit DelegationThawing(id, msg.sender, amount, d.thawAt);
        _countMember(id, p, msg.sender);
    }

    /// @inheritdoc IStakeManager
    function releaseDelegation(uint64 id, address delegator) external returns (uint256 amount) {
        Delegation storage d = _delegations[id][delegator];
        amount = d.thawing;
        _checkThawed(amount, d.thawAt);
        (d.amount, d.thawing) = (d.amount - uint96(amount), 0);
        _provisions[id].delegated -= uint96(amount);
        _accounts[delegator].free += uint96(amount);
        emit DelegationReleased(id, delegator, amount);
    }

    // From verifiers, governance, anybody

    /// @inheritdoc IStakeManager
    function slash(uint64 id, bytes32 fault, uint256 amount, address challenger) external returns (uint256 slashed) {
        Provision storage p = _find(id);
        require(msg.sender == p.verifier, NotVerifier(id, msg.sender));
        require(challenger != address(0), ZeroAddress());
        require(!isFaultUsed[msg.sender][fault], FaultUsed(fault));
        isFaultUsed[msg.sender][fault] = true;

        uint256 own = p.own;
        slashed = amount < own ? amount : own;
        uint256 left = own - slashed;
        p.own = uint96(left);
        if (p.thawing > left) p.thawing = uint96(left);
        uint256 reward = Shares.upTo(slashed, p.rewardPpb);
        _accounts[p.provider].staked -= uint96(slashed);
        _loseVotes(p.provider, slashed);
        staked -= slashed - reward;
        _accounts[challenger].free += uint96(reward);
        _accounts[challenger].staked += uint96(reward);
        _gainVotes(challenger, reward);
        emit Slashed(id, fault, challenger, slashed, reward);
        _count(id, p);

        if (slashed != reward) Burn.native(slashed - reward);
    }

    /// @inheritdoc IStakeManager
    function setVerifier(Role role, address verifier, uint32 thawMinS) external {
        require(msg.sender == IFeePolicy(Predeploys.FEE_POLICY).owner(), NotGovernance(msg.sender));
        if (thawMinS != 0) {
            _bound(thawMinS, THAW_LOW_S, THAW_MAX_S);
            require(verifier.code.length > DELEGATED_CODE_SIZE, NotContract(verifier));
        }
        thawMinOf[role][verifier] = thawMinS;
        emit VerifierChanged(role, verifier, thawMinS);
    }

    /// @inheritdoc IStakeManager
    function refresh(uint64 id) external {
        _setActive(id, _find(id));
    }

    // Views

    /// @inheritdoc IStakeManager
    function freeOf(address account) external view returns (uint256) {
        return _accounts[account].free;
    }

    /// @inheritdoc IStakeManager
    function stakedOf(address account) external view returns (uint256) {
        return _staked(account);
    }

    /// @inheritdoc IStakeManager
    function provisionOf(uint64 id) external view returns (Provision memory) {
        return _provisions[id];
    }

    /// @inheritdoc IStakeManager
    function isAbout(uint64 id, Role role, uint64 subject) external view returns (bool) {
        return _provisions[id].role == role && _provisions[id].subject == subject;
    }

    /// @inheritdoc IStakeManager
    function delegationOf(uint64 id, address delegator) external view returns (Delegation memory) {
        return _delegations[id][delegator];
    }

    /// @inheritdoc IStakeManager
    function solvency() external view returns (int256) {
        return int256(address(this).balance) - int256(staked);
    }

    /// @inheritdoc IStakeManager
    function deposit(address account) public payable {
        require(account != address(0), ZeroAddress());
        require(msg.value != 0, ZeroAmount());
        uint256 sum = staked + msg.value;
        // So that no sum here overflows its 96 bits.
        require(sum <= type(uint96).max, TooMuch(msg.value));

        staked = sum;
        Account storage a = _accounts[account];
        (a.free, a.staked) = (a.free + uint96(msg.value), a.staked + uint96(msg.value));
        _gainVotes(account, msg.value);
        emit Deposited(account, msg.sender, msg.value);
    }

    function _staked(address account) internal view override returns (uint256) {
        return _accounts[account].staked;
    }

    /// @dev Takes `amount` out of what is free; the caller says where it is then.
    function _spend(address account, uint256 amount) private {
        require(amount != 0, ZeroAmount());
        uint256 free = _accounts[account].free;
        require(amount <= free, Insufficient(free, amount));
        unchecked {
            _accounts[account].free = uint96(free - amount);
        }
    }

    /// @dev `amount` more of `whole` thaws.
    function _thawed(uint256 whole, uint256 thawing, uint256 amount, uint256 thawS)
        private
        view
        returns (uint96, uint40)
    {
        require(amount != 0, ZeroAmount());
        require(amount <= whole - thawing, Insufficient(whole - thawing, amount));
        return (uint96(thawing + amount), uint40(block.timestamp + thawS));
    }

    function _checkThawed(uint256 amount, uint256 thawAt) private view {
        require(amount != 0, NothingThaws());
        require(block.timestamp >= thawAt, TooEarly(thawAt));
    }

    /// @dev The operator's or agent's owner speaks for it. What other subjects are worth, the verifier knows.
    function _checkSubject(Role role, uint64 subject) private view {
        if (role == Role.OPERATOR) {
            address owner = subject <= type(uint32).max ? _ownerOf(uint32(subject)) : address(0);
            require(msg.sender == owner, NotOperatorOwner(subject, msg.sender));
            uint64 present = operatorProvision[uint32(subject)];
            Provision storage p = _provisions[present];
            // Spent, or a former owner's: neither stands for the operator any more.
            bool over = p.own == p.thawing || p.provider != owner;
            require(present == 0 || over, AlreadyProvisioned(present));
        } else if (role == Role.AGENT) {
            address owner = IAssetRegistry(Predeploys.ASSET_REGISTRY).ownerOf(subject);
            require(msg.sender == owner, NotAssetOwner(subject, msg.sender));
            require(AssetRecord.kindOf(subject) == IAssetRegistry.Kind.AGENT, NotAnAgent(subject));
        }
    }

    /// @dev The pool belongs to an asset, because those are the pools there are.
    // slither-disable-next-line reentrancy-no-eth
    function _openPool(uint64 id, Provision storage p) private {
        uint64 before = operatorProvision[uint32(p.subject)];
        operatorProvision[uint32(p.subject)] = id;
        if (before != 0) _setActive(before, _provisions[before]);
        // What is registered first has the provider as its only member.
        p.pool = IAssetRegistry(Predeploys.ASSET_REGISTRY)
            .register(
                IAssetRegistry.Kind.TOOL,
                keccak256(abi.encode(address(this), id)),
                "",
                new IAssetRegistry.Parent[](0),
                0,
                0,
                0,
                p.provider
            );
    }

    /// @dev Brings the provider's units and the router to what the provision is now.
    function _count(uint64 id, Provision storage p) private {
        if (p.pool == 0) return;
        _countMember(id, p, p.provider);
        _setActive(id, p);
    }

    /// @dev A provider that delegates to itself is one member with both.
    function _countMember(uint64 id, Provision storage p, address account) private {
        Delegation storage d = _delegations[id][account];
        uint256 earning = d.amount - d.thawing;
        if (account == p.provider) earning += p.own - p.thawing;
        IPoolLedger(Predeploys.POOL_LEDGER).setUnits(p.pool, account, earning / UNIT);
    }

    function _setActive(uint64 id, Provision storage p) private {
        uint32 operatorId = uint32(p.subject);
        bool active = p.pool != 0 && operatorProvision[operatorId] == id && p.own - p.thawing >= ACTIVE_MIN
            && _ownerOf(operatorId) == p.provider;
        if (active == isActive[id]) return;
        isActive[id] = active;
        emit ActiveChanged(id, operatorId, active);
        IRevenueRouter(Predeploys.REVENUE_ROUTER).setProvision(operatorId, active ? p.pool : 0);
    }

    function _find(uint64 id) private view returns (Provision storage p) {
        p = _provisions[id];
        require(p.provider != address(0), UnknownProvision(id));
    }

    function _ofCaller(uint64 id) private view returns (Provision storage p) {
        p = _find(id);
        require(msg.sender == p.provider, NotProvider(id, msg.sender));
    }

    function _ownerOf(uint32 operatorId) private view returns (address) {
        return IRevenueRouter(Predeploys.REVENUE_ROUTER).operatorOwner(operatorId);
    }

    function _bound(uint256 value, uint256 min, uint256 max) private pure {
        require(min <= value && value <= max, OutOfBounds(value, min, max));
    }
}
