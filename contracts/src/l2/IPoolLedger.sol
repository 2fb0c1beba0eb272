// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title IPoolLedger
/// @notice Who is owed what. Every asset version and the treasury has a pool (Pools.sol); a pool has members with units; what is credited to a pool belongs to its members in proportion to their units at that
///         moment. Crediting costs the same for one member and for a million.
/// @dev Claims cannot be paused, go to the account they belong to, and may be sent by anybody.
interface IPoolLedger {
    event UnitsUpdated(uint64 indexed pool, address indexed account, uint256 units);
    event ControllerChanged(uint64 indexed pool, address controller);
    /// @param to where the money went: the account, or where it redirected its claims, or the pool it stands for
    event Claimed(uint64 indexed pool, address indexed account, address to, uint256 amount);
    event Given(uint64 indexed pool, address indexed from, uint256 amount);
    event PayoutChanged(address indexed account, address to);
    /// A pool without members was credited, and keeps it for the first member.
    event Pending(uint64 indexed pool, uint256 amount);
    /// @param toParents whether it went to the parents' pools, or else to the pool's first member
    event PendingReleased(uint64 indexed pool, uint256 amount, bool toParents);

    error NotRouter(address caller);
    error NotRegistry(address caller);
    error NotController(uint64 pool, address caller);
    error ZeroAddress();
    error TooManyUnits(uint256 total);
    error AlreadyOpen(uint64 pool);
    /// The parts do not add up to the OPEN sent along.
    error BadSum(uint256 parts, uint256 value);
    /// A pool may only be a member of pools with a higher id, and must exist.
    error BadMember(uint64 pool, uint64 member);
    /// A pool's address redirects nothing and signs nothing.
    error PoolAddress(address account);
    error UnknownPool(uint64 pool);
    error NothingPending(uint64 pool);
    /// Only after 90 days without a member do the parents receive what is pending.
    error TooEarly(uint64 pool, uint256 from);
    error NoParents(uint64 pool);
    error Expired(uint256 deadline);
    error BadSignature(address account);
    error NotRelayer(address caller, address relayer);
    error FeeTooHigh(uint256 fee, uint256 max);

    /// @param to receives the claim; the signature redirects this claim alone
    /// @param relayer who may send it; zero for anybody
    /// @param relayerFee paid to the sender out of the claim, wei; at most 10 % of it
    struct SignedClaim {
        uint64[] pools;
        address account;
        address to;
        address relayer;
        uint256 relayerFee;
        uint256 deadline;
    }

    // ---- from the registry and the router ----

    /// @notice Opens the pool of a new asset with `payout` as its only member, with 2^20 units. Only the registry.
    function open(uint64 pool, address payout) external;

    /// @notice Moves the units of `from` in `pool` to `to`; what `from` earned stays its own. Does nothing if control of
    ///         the pool was handed over. Only the registry.
    function replaceMember(uint64 pool, address from, address to) external;

    /// @notice Credits one payment: `heads` to single pools, `lineage` along the vector of `assetId`, which must exist if
    ///         that is not zero. Only the router.
    /// @param heads pool id in the top 64 bits, wei in the low 128; entries of zero wei are skipped
    function credit(uint64 assetId, uint256 lineage, uint256[2] calldata heads) external payable;

    // ---- from whoever controls a pool ----

    /// @notice Sets the units of `account`, which may be a pool's address. Zero removes it. What it earned so far stays
    ///         its own.
    function setUnits(uint64 pool, address account, uint256 units) external;

    /// @notice Hands control of the pool over, for good unless the new controller hands it back: for a Datanet, so that
    ///         its owner cannot dilute its contributors.
    function setController(uint64 pool, address controller) external;

    // ---- from anybody ----

    /// @notice Credits `pool` with the OPEN sent along, outside any payment: for the settlement, which gives a Datanet
    ///         what no contributor was found for.
    function give(uint64 pool) external payable;

    /// @notice Pays `account` what it earned in `pool`: to itself, to where it redirected, or, if it is a pool's address,
    ///         into that pool.
    function claim(uint64 pool, address account) external returns (uint256 amount);

    /// @notice The same from several pools in one payment.
    function claimMany(uint64[] calldata pools, address account) external returns (uint256 amount);

    /// @notice Pays as the account signed (EIP-712, or EIP-1271), with a fee for the sender.
    function claimFor(SignedClaim calldata c, bytes calldata signature) external returns (uint256 amount);

    /// @notice Moves what the pool `child` earned as a member of `parent` into `child`.
    function sync(uint64 child, uint64 parent) external returns (uint256 amount);

    /// @notice Sends the caller's future claims to `to`; the zero address ends that.
    function setPayout(address to) external;

    /// @notice Gives what was pending for 90 days to the pools of the asset's parents, by their declared weights.
    function releaseToParents(uint64 pool) external;

    // ---- views ----

    /// @notice What `claim` would pay now, wei.
    function claimable(uint64 pool, address account) external view returns (uint256);
    function unitsOf(uint64 pool, address account) external view returns (uint256);
    /// @notice Sum of all members' units.
    function totalUnits(uint64 pool) external view returns (uint256);
    /// @notice What waits for the pool's first member, and since when, seconds.
    function pendingOf(uint64 pool) external view returns (uint256 amount, uint256 since);
    /// @notice Who may set units: the asset's owner, or governance for the treasury, unless handed over. Zero if there is
    ///         no such pool.
    function controllerOf(uint64 pool) external view returns (address);
    /// @notice Where claims of `account` go; zero means to itself.
    function payoutOf(address account) external view returns (address);
    function nonces(address account) external view returns (uint256);
    function DOMAIN_SEPARATOR() external view returns (bytes32);
    /// @notice The address that stands for `pool` among the members of another pool.
    function accountOf(uint64 pool) external view returns (address);
}
