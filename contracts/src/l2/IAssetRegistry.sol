// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title IAssetRegistry
/// @notice Models, datasets, adapters, agents: each version registered once, with the versions it was made from, and
///         flattened at once into the list of everybody who earns when it is paid. Registering earns nothing.
/// @dev A version `c` that passes the part `u` upstream to parents with weights `w_j` has the vector
///      `F(c) = (1 - u) e_c + u * sum(w_j * F(p_j))`, in parts per billion, adding up to exactly 1e9.
///      - Parents exist before their children, so ids grow downstream and no cycle can be written.
///      - An entry below 0.1 % is pruned, and its mass goes to the parent it came through, never to the child: else a
///        child would gain by adding tiny parents. Parents themselves, and entries with a floor, are never pruned. If
///        more than 64 entries remain, the limit of 0.1 % doubles until they fit.
///      - A floor is what an ancestor asks of every descendant's vector, or the descendant cannot be registered. So no
///        layer put in between can dilute an ancestor below its floor.
///      - A parent by SYNTHETIC_FROM or DISTILLED_FROM counts half its weight against the other parents. The freed
///        weight stays among the parents, so mislabelling an edge brings the child nothing.
///      A record is the code of a contract of its own (AssetRecord) and cannot change. The owner may change where money
///      and readers are sent: payout and uri.
interface IAssetRegistry {
    enum Kind {
        DATANET,
        CONTEXT,
        BASE_MODEL,
        ADAPTER,
        MERGE,
        AGENT,
        TOOL
    }
    enum Edge {
        DERIVED,
        TRAINED_ON,
        CONTEXT_OF,
        DISTILLED_FROM,
        SYNTHETIC_FROM,
        WRAPS
    }

    struct Parent {
        uint64 id;
        /// Weights of one version's parents add up to 1e9.
        uint32 weightPpb;
        Edge edge;
    }

    /// What a version declared at registration, and `depth`, the longest way up to a version without parents.
    struct Asset {
        Kind kind;
        uint8 depth;
        uint32 upstreamPpb;
        uint32 floorPpb;
        uint64 prev;
        bytes32 contentRoot;
        bytes32 licence;
        Parent[] parents;
    }

    /// @param packed the vector: per beneficiary uint64 id, uint32 ppb, big-endian, ids ascending
    event AssetRegistered(
        uint64 indexed id,
        address indexed owner,
        Kind kind,
        bytes32 contentRoot,
        uint32 upstreamPpb,
        uint32 floorPpb,
        bytes packed
    );
    event LineageEdge(uint64 indexed child, uint64 indexed parent, uint32 weightPpb, Edge edge);
    /// @param prev the version that `id` follows
    event VersionAdded(uint64 indexed prev, uint64 indexed id);
    event PayoutChanged(uint64 indexed id, address payout);
    event UriChanged(uint64 indexed id, string uri);
    event OwnershipTransferred(uint64 indexed id, address indexed from, address indexed to);

    error UnknownAsset(uint64 id);
    error NotAssetOwner(uint64 id, address caller);
    error ZeroAddress();
    error TooManyParents(uint256 count);
    /// Parents come in ascending order of id, each once.
    error ParentsNotAscending(uint64 id);
    error BadWeights(uint256 sum);
    /// A version without parents has nobody to pass its upstream part to.
    error UpstreamWithoutParents();
    error UpstreamTooLarge(uint32 ppb, uint32 max);
    /// A floor is zero, or at least the pruning limit and at most the largest upstream part there can be.
    error BadFloor(uint32 ppb);
    error TooDeep(uint256 depth);
    /// Less than 0.1 % would pass through this parent: leave it out.
    error ParentTooSmall(uint64 id, uint256 ppb);
    /// This ancestor asks for `floor`; raise the upstream part or its parent's weight.
    error BelowFloor(uint64 ancestor, uint256 ppb, uint256 floor);
    /// More than 64 beneficiaries hold a floor or are parents.
    error TooManyBeneficiaries(uint256 count);
    /// A version has the kind of the version it follows.
    error KindChanged(Kind was);
    /// Genesis is wrong: the registry's account must begin with nonce 1.
    error RecordMisplaced(address where);

    /// @notice Registers the first version of an asset for the caller. Ids begin at 1.
    /// @param contentRoot commitment to the content
    /// @param uri where readers find it
    /// @param parents what it was made from: at most 8, ids ascending, weights adding up to 1e9
    /// @param upstreamPpb the part passed to the parents; at most FeePolicy.upstreamMaxPpb()
    /// @param floorPpb what every descendant must leave to this version; 0 for no floor
    /// @param licence commitment to the terms
    /// @param payout first and only member of the version's pool, until its owner changes that at the PoolLedger
    function register(
        Kind kind,
        bytes32 contentRoot,
        string memory uri,
        Parent[] memory parents,
        uint32 upstreamPpb,
        uint32 floorPpb,
        bytes32 licence,
        address payout
    ) external returns (uint64 id);

    /// @notice Registers a version that follows `prev`, which the caller must own. It has `prev` as a parent only if
    ///         `parents` says so.
    function newVersion(
        uint64 prev,
        Kind kind,
        bytes32 contentRoot,
        string memory uri,
        Parent[] memory parents,
        uint32 upstreamPpb,
        uint32 floorPpb,
        bytes32 licence,
        address payout
    ) external returns (uint64 id);

    /// @notice Sends what the asset's pool earns from now on for the old payout to `payout`: the old payout's units
    ///         move, what it earned so far stays its own. Changes nothing at the pool if control of it was handed over.
    function setPayout(uint64 id, address payout) external;

    function setUri(uint64 id, string calldata uri) external;

    /// @notice Gives the right to change payout, uri and pool, and to add versions, to `to`.
    function transferOwnership(uint64 id, address to) external;

    /// @notice The vector, as in AssetRegistered.
    function flattened(uint64 id) external view returns (bytes memory packed);

    /// @notice What was declared, and cannot change.
    function asset(uint64 id) external view returns (Asset memory);

    function kindOf(uint64 id) external view returns (Kind);
    /// @notice Zero if there is no such version.
    function ownerOf(uint64 id) external view returns (address);
    function payoutOf(uint64 id) external view returns (address);
    function uriOf(uint64 id) external view returns (string memory);
    /// @notice The contract whose code is the record.
    function recordOf(uint64 id) external view returns (address);
    /// @notice Versions registered so far, which is also the newest id.
    function count() external view returns (uint64);
}
