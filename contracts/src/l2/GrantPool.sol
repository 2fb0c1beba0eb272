// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {AssetRecord} from "./AssetRecord.sol";
import {IAssetRegistry} from "./IAssetRegistry.sol";
import {IFeePolicy} from "./IFeePolicy.sol";
import {IGrantPool} from "./IGrantPool.sol";
import {IRevenueRouter} from "./IRevenueRouter.sol";
import {Predeploys} from "./Predeploys.sol";
import {Shares} from "./Shares.sol";

/// @title GrantPool
/// @notice See IGrantPool.
/// @dev Invariants (test/l2/GrantPool.invariant.t.sol): what a week gives is at most rho of what was burned in it; what
///      is promised is Σ grantable, and never more than the balance; rho is within its bound and constant within a
///      week. That nobody gains by paying itself: test/l2/Wash.t.sol.
contract GrantPool is IGrantPool {
    uint256 public constant WEEK_S = 7 days;
    uint256 public constant CATEGORIES = 16;
    /// Below the whole, or a washer would get back all it burned.
    uint256 public constant RHO_MAX_PPB = 900_000_000;

    struct Rho {
        uint32 ppb;
        uint32 nextPpb;
        /// Week from which the next counts.
        uint64 nextWeek;
    }

    struct Category {
        /// What one Datanet was given that has been listed from the beginning, wei.
        uint128 each;
        uint32 listed;
    }

    struct Account {
        uint8 category;
        bool listed;
        /// `each` up to which it was counted.
        uint120 counted;
        uint120 owed;
    }

    Rho private _rho;
    /// Seen last in the router.
    uint96 private _seen;
    /// @inheritdoc IGrantPool
    uint256 public promised;
    mapping(uint64 week => Week) private _weeks;
    mapping(uint64 week => mapping(uint8 category => uint256)) public votesFor;
    /// @inheritdoc IGrantPool
    mapping(uint64 week => mapping(address account => bool)) public hasVoted;
    Category[CATEGORIES] private _categories;
    mapping(uint64 datanet => Account) private _accounts;

    modifier onlyGovernance() {
        require(msg.sender == IFeePolicy(Predeploys.FEE_POLICY).owner(), NotGovernance(msg.sender));
        _;
    }

    receive() external payable {
        emit Funded(msg.sender, msg.value);
    }

    /// @inheritdoc IGrantPool
    function observe() external returns (uint256 seen) {
        return _observe();
    }

    /// @inheritdoc IGrantPool
    function vote(uint32[] calldata ppb) external {
        uint64 week = currentWeek();
        require(!hasVoted[week][msg.sender], AlreadyVoted(week, msg.sender));
        require(ppb.length <= CATEGORIES, TooManyShares(ppb.length));
        uint256 votes = IVotes(Predeploys.STAKE_MANAGER).getPastVotes(msg.sender, week * WEEK_S);
        require(votes != 0, NoVotes(week, msg.sender));

        hasVoted[week][msg.sender] = true;
        uint256 weight = 0;
        for (uint256 i = 0; i < ppb.length; ++i) {
            if (ppb[i] == 0) continue;
            uint256 before = Shares.upTo(votes, weight);
            weight += ppb[i];
            require(weight <= Shares.WHOLE, WrongShares());
            votesFor[week][uint8(i)] += Shares.upTo(votes, weight) - before;
        }
        require(weight == Shares.WHOLE, WrongShares());
        emit Voted(week, msg.sender, votes, ppb);
    }

    /// @inheritdoc IGrantPool
    function close(uint64 week) external returns (uint256 given) {
        require(week < currentWeek(), WeekNotOver((uint256(week) + 1) * WEEK_S));
        Week storage w = _weeks[week];
        require(!w.closed, AlreadyClosed(week));

        uint256 free = address(this).balance - promised;
        given = _divide(week, w.cap < free ? w.cap : free);
        promised += given;
        (w.given, w.closed) = (uint96(given), true);
        emit WeekClosed(week, w.burned, given);
    }

    /// @inheritdoc IGrantPool
    function grant(uint64 datanet) external returns (uint256 amount) {
        Account storage a = _accounts[datanet];
        amount = _settle(a);
        if (amount == 0) return 0;

        a.owed = 0;
        promised -= amount;
        emit Granted(datanet, amount);
        bytes32 ref = bytes32(bytes20(address(this))) | bytes32(block.number);
        IRevenueRouter(Predeploys.REVENUE_ROUTER).pay{value: amount}(datanet, 0, 0, ref);
    }

    /// @inheritdoc IGrantPool
    function setRho(uint32 ppb) external onlyGovernance {
        require(ppb <= RHO_MAX_PPB, OutOfBounds(ppb, 0, RHO_MAX_PPB));
        uint64 week = currentWeek();
        _rho = Rho(rhoOf(week), ppb, week + 2);
        emit RhoScheduled(ppb, (uint256(week) + 2) * WEEK_S);
    }

    /// @inheritdoc IGrantPool
    function list(uint64 datanet, uint8 category) external onlyGovernance {
        require(category < CATEGORIES, UnknownCategory(category));
        require(AssetRecord.kindOf(datanet) == IAssetRegistry.Kind.DATANET, NotDatanet(datanet));
        Account storage a = _accounts[datanet];
        require(!a.listed, AlreadyListed(datanet));

        Category storage c = _categories[category];
        ++c.listed;
        (a.category, a.listed, a.counted) = (category, true, uint120(c.each));
        emit Listed(datanet, category);
    }

    /// @inheritdoc IGrantPool
    function unlist(uint64 datanet) external onlyGovernance {
        Account storage a = _accounts[datanet];
        require(a.listed, NotListed(datanet));
        _settle(a);
        a.listed = false;
        --_categories[a.category].listed;
        emit Unlisted(datanet);
    }

    /// @inheritdoc IGrantPool
    function weekOf(uint64 week) external view returns (Week memory) {
        return _weeks[week];
    }

    /// @inheritdoc IGrantPool
    function gaugeOf(uint64 datanet) external view returns (Gauge memory) {
        return Gauge(_accounts[datanet].category, _accounts[datanet].listed);
    }

    /// @inheritdoc IGrantPool
    function listedIn(uint8 category) external view returns (uint256) {
        return _categories[category].listed;
    }

    /// @inheritdoc IGrantPool
    function grantable(uint64 datanet) external view returns (uint256) {
        Account memory a = _accounts[datanet];
        return a.listed ? a.owed + (_categories[a.category].each - a.counted) : a.owed;
    }

    /// @inheritdoc IGrantPool
    function rhoOf(uint64 week) public view returns (uint32) {
        Rho memory r = _rho;
        return week >= r.nextWeek ? r.nextPpb : r.ppb;
    }

    /// @inheritdoc IGrantPool
    function currentWeek() public view returns (uint64) {
        return uint64(block.timestamp / WEEK_S);
    }

    /// @dev The cap is reckoned with the money, so that no later rho changes a week that is over.
    function _observe() private returns (uint256 seen) {
        uint256 now_ = IRevenueRouter(Predeploys.REVENUE_ROUTER).toBurn();
        // Less than before means that it was burned in between, and all of this is new.
        seen = now_ < _seen ? now_ : now_ - _seen;
        _seen = uint96(now_);
        if (seen == 0) return 0;

        uint64 week = currentWeek();
        Week storage w = _weeks[week];
        uint256 burned = w.burned + seen;
        (w.burned, w.cap) = (uint96(burned), uint96(Shares.upTo(burned, rhoOf(week))));
        emit Observed(week, seen);
    }

    /// @dev By prefix sums over the votes, as Shares does over parts.
    function _divide(uint64 week, uint256 amount) private returns (uint256 given) {
        uint256 total = 0;
        for (uint8 i = 0; i < CATEGORIES; ++i) {
            total += votesFor[week][i];
        }
        uint256 sum = 0;
        uint256 before = 0;
        for (uint8 i = 0; i < CATEGORIES; ++i) {
            uint256 votes = votesFor[week][i];
            if (votes == 0) continue;
            sum += votes;
            uint256 upTo = amount * sum / total;
            given += _give(_categories[i], upTo - before);
            before = upTo;
        }
    }

    /// @dev What does not divide stays here for another week.
    function _give(Category storage c, uint256 amount) private returns (uint256 given) {
        if (c.listed == 0) return 0;
        given = amount - amount % c.listed;
        c.each += uint128(given / c.listed);
    }

    /// @dev Counts the Datanet up to now.
    function _settle(Account storage a) private returns (uint256 owed) {
        owed = a.owed;
        if (!a.listed) return owed;
        uint256 each = _categories[a.category].each;
        owed += each - a.counted;
        (a.counted, a.owed) = (uint120(each), uint120(owed));
    }
}
