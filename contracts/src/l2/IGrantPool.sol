// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title IGrantPool
/// @notice Grants to Datanets, out of what the treasury or anybody gave this contract, and never more than a part of
///         what was burned: whoever pays itself to earn grants burns more than all grants together.
/// @dev Weeks are counted from 1970 and begin on Thursdays, 00:00 UTC. In a week, whoever had votes in StakeManager
///      when it began says once how they go to the categories. When the week is over, anybody closes it: it gives at
///      most rho of what was burned in it, and at most what is here and promised to nobody; by votes to the categories,
///      in a category equally to the Datanets listed then. A category without Datanets, and a week without votes, give
///      nothing.
///
///      A Datanet's grant is a payment of it through RevenueRouter, without operator or agent: it reaches the
///      contributors as all money does, less the protocol's and the burned class.
///
///      Burned is what RevenueRouter put aside for burning, as far as it was seen here (`observe`): nothing else can
///      become of it. What is burned before it was seen is not counted, so the count is never too high; whoever wants
///      grants observes before `RevenueRouter.burn`.
///
///      Governance, FeePolicy's owner, lists Datanets and sets rho. It can take nothing out.
interface IGrantPool {
    struct Week {
        /// Seen in it, wei.
        uint96 burned;
        /// The most it may give, by its rho, wei.
        uint96 cap;
        /// What it gave, wei; set when it is closed.
        uint96 given;
        bool closed;
    }

    struct Gauge {
        /// From 0; of no meaning while not listed.
        uint8 category;
        bool listed;
    }

    event Funded(address indexed from, uint256 amount);
    event Observed(uint64 indexed week, uint256 burned);
    event Voted(uint64 indexed week, address indexed account, uint256 votes, uint32[] ppb);
    event WeekClosed(uint64 indexed week, uint256 burned, uint256 given);
    event Granted(uint64 indexed datanet, uint256 amount);
    event Listed(uint64 indexed datanet, uint8 category);
    event Unlisted(uint64 indexed datanet);
    event RhoScheduled(uint32 ppb, uint256 from);

    error NotGovernance(address caller);
    error NotDatanet(uint64 id);
    error UnknownCategory(uint256 category);
    error AlreadyListed(uint64 datanet);
    error NotListed(uint64 datanet);
    error OutOfBounds(uint256 value, uint256 min, uint256 max);
    error AlreadyVoted(uint64 week, address account);
    error NoVotes(uint64 week, address account);
    /// There are 16 categories.
    error TooManyShares(uint256 shares);
    error WrongShares();
    error WeekNotOver(uint256 until);
    error AlreadyClosed(uint64 week);

    // ---- from anybody ----

    /// @notice Counts what was put aside for burning since the last time.
    function observe() external returns (uint256 seen);

    /// @notice Gives the caller's votes of this week to categories.
    /// @param ppb of the votes, to each category from 0 on; together 100 %
    function vote(uint32[] calldata ppb) external;

    /// @notice Divides what a past week gives. Once for each week.
    function close(uint64 week) external returns (uint256 given);

    /// @notice Pays the Datanet what it was granted.
    function grant(uint64 datanet) external returns (uint256 amount);

    // ---- from governance ----

    /// @notice The part of what is burned that may be given, at most 90 %; from the week after the next. Zero at
    ///         genesis.
    function setRho(uint32 ppb) external;
    function list(uint64 datanet, uint8 category) external;
    /// @notice What it was granted before stays its own.
    function unlist(uint64 datanet) external;

    // ---- views ----

    /// @notice Rho of the running week, or of one that comes.
    function rhoOf(uint64 week) external view returns (uint32 ppb);
    function weekOf(uint64 week) external view returns (Week memory);
    function votesFor(uint64 week, uint8 category) external view returns (uint256);
    function hasVoted(uint64 week, address account) external view returns (bool);
    function gaugeOf(uint64 datanet) external view returns (Gauge memory);
    /// @notice Datanets listed in a category.
    function listedIn(uint8 category) external view returns (uint256);
    /// @notice What `grant` would pay now, wei.
    function grantable(uint64 datanet) external view returns (uint256);
    /// @notice Given and not yet paid, wei.
    function promised() external view returns (uint256);
    /// @notice Number of the running week.
    function currentWeek() external view returns (uint64);
}
