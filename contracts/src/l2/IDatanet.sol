// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ICurators} from "./ICurators.sol";

/// @title IDatanet
/// @notice Data, given in batches by contributors, judged by curators, frozen in snapshots that models name as parents.
///         Submitting earns nothing, acceptance earns nothing: they give units, and units share what is paid later.
/// @dev A Datanet is an asset that this contract owns in the registry. Its pool has the contributors as members, with
///      units by tokens, quality and duplicates. Each snapshot is a further version of the asset, and its pool has three
///      members: the settlement with the dynamic part (lambda), the owner with the owner's part, and the Datanet's own
///      pool with the rest. So money for any snapshot reaches all contributors through one pool, and lambda is a matter
///      of units. What names the Datanet itself as parent, and no snapshot, pays static units alone.
///
///      A batch: SUBMITTED, then drawn (three curators by an L1 block hash from after the submission), committed,
///      revealed and finalised; or accepted by the owner before a review is committed. Undecided after its time, it lapses.
interface IDatanet is ICurators {
    enum Status {
        NONE,
        SUBMITTED,
        DRAWN,
        ACCEPTED,
        REJECTED,
        LAPSED,
        RETRACTED
    }

    /// What entered the journal about a batch.
    enum Decision {
        ACCEPTED,
        RETRACTED,
        EXCLUDED,
        INCLUDED
    }

    struct Terms {
        /// What a batch must leave as bond, wei.
        uint80 bond;
        /// For each of three reviews, wei; reserved from the budget when a batch is submitted.
        uint64 reviewPay;
        /// Dynamic part of what snapshots earn; at most what the method allows.
        uint32 lambdaPpb;
        /// The owner's part of what snapshots earn; at most 30 %.
        uint32 ownerPpb;
        /// Attribution method (Methods.sol).
        uint16 method;
        /// What one proven duplicate row costs a batch, percent of its units; never less than the row's share.
        uint8 dupPenaltyPercent;
    }

    struct Net {
        address owner;
        /// The newest snapshot, or the Datanet itself while it has none.
        uint64 latest;
        /// What every model made from it must leave to it, and the terms of use; its snapshots declare the same.
        uint32 floorPpb;
        bytes32 licence;
        address payout;
        uint96 curatorBond;
        Terms terms;
        /// Not reserved, wei.
        uint96 budget;
        /// Hash chain over the decisions: keccak256(journal ‖ uint8 decision ‖ uint64 batch).
        bytes32 journal;
    }

    struct Batch {
        bytes32 rowsRoot;
        address contributor;
        uint32 rows;
        uint40 tokens;
        Status status;
        /// The bond came from somebody else, who gets it back.
        bool sponsored;
        /// Kept out of future snapshots by the owner.
        bool excluded;
        uint80 bond;
        uint64 reviewPay;
        uint8 dupPenaltyPercent;
        uint64 datanet;
        /// When it was submitted, seconds.
        uint40 submittedAt;
    }

    struct Review {
        /// Seats of the three curators, a byte each.
        uint24 seats;
        /// A bit for each curator.
        uint8 committed;
        uint8 revealed;
        /// Of the three, 16 bits each.
        uint48 qualities;
        /// Of the three, 24 bits each: the part that is no duplicate, ppm; zero with a rejection.
        uint72 kept;
        /// What the batch brought its contributor in the Datanet's pool, duplicates taken off.
        uint48 units;
        /// When curators were drawn, and after that when the batch was decided, seconds.
        uint40 since;
    }

    /// A row's place in a batch.
    struct RowProof {
        uint256 batch;
        uint256 index;
        uint128 tokens;
        bytes proof;
    }

    event DatanetCreated(uint64 indexed datanet, address indexed owner, bytes32 licence);
    event TermsChanged(uint64 indexed datanet, Terms terms);
    event LicenceChanged(uint64 indexed datanet, bytes32 licence, bool allowed);
    event OwnershipTransferred(uint64 indexed datanet, address indexed from, address indexed to);
    event PayoutChanged(uint64 indexed datanet, address payout);
    event Funded(uint64 indexed datanet, address indexed from, uint256 amount);
    event BatchSubmitted(
        uint64 indexed datanet,
        uint256 indexed batch,
        address indexed contributor,
        bytes32 rowsRoot,
        uint32 rows,
        uint40 tokens,
        bytes32 licence,
        bytes32 daRef
    );
    event CuratorsDrawn(uint256 indexed batch, uint24 seats);
    event ReviewCommitted(uint256 indexed batch, address indexed curator, bytes32 commitment);
    event ReviewRevealed(
        uint256 indexed batch, address indexed curator, uint16 quality, uint24 dupPpm, bytes32 reportHash
    );
    event BatchAccepted(uint256 indexed batch, uint16 quality, uint24 dupPpm, uint48 units);
    event BatchRejected(uint256 indexed batch);
    /// Nobody decided in time.
    event BatchLapsed(uint256 indexed batch);
    event BatchRetracted(uint256 indexed batch);
    event BatchExcluded(uint256 indexed batch, bool excluded);
    event DuplicateProven(
        uint256 indexed batch, uint256 indexed earlier, uint256 index, address challenger, uint48 units
    );
    /// @param journal state of the Datanet's decisions: which batches the snapshot is made of
    event Snapshot(
        uint64 indexed datanet,
        uint64 indexed version,
        bytes32 textRoot,
        bytes32 saRoot,
        uint64 n,
        bytes32 programHash,
        bytes32 journal
    );

    error NotOwner(uint64 datanet, address caller);
    error ZeroAddress();
    error BadTerms();
    error UnknownDatanet(uint64 datanet);
    error LicenceNotAllowed(bytes32 licence);
    /// A batch has rows, tokens (below 2^40) and a contributor who is no pool.
    error BadBatch();
    /// The bond is sent along, to the wei.
    error WrongBond(uint256 bond);
    /// The Datanet cannot pay the reviews of one more batch.
    error BudgetTooSmall(uint256 needed);
    error WrongStatus(uint256 batch, Status status);
    /// The anchored L1 block must be younger than the submission.
    error TooEarly(uint256 from);
    error TooLate(uint256 until);
    /// Fewer than three that are neither contributor nor sponsor.
    error NotEnoughCurators();
    error NotDrawn(address caller);
    error AlreadyCommitted();
    error NotCommitted();
    error BadReview();
    error NotContributor(address caller);
    error NotEarlier();
    error NotARow(uint256 batch, uint256 index);
    error DuplicateKnown();
    /// Build the snapshot from the present batches, then call again.
    error JournalMoved(bytes32 journal);

    // ---- owners ----

    /// @notice Registers a Datanet for the caller: an asset of kind DATANET that this contract owns.
    /// @param licence commitment to the terms of use; the first licence that batches may carry
    /// @param floorPpb what every model made from it must leave to it; 0 for none
    /// @param payout receives the owner's part
    /// @param curatorBond what a curator leaves as bond, wei
    function create(
        string calldata uri,
        bytes32 licence,
        uint32 floorPpb,
        address payout,
        uint96 curatorBond,
        Terms calldata terms
    ) external returns (uint64 datanet);

    /// @notice Changes the terms for batches and snapshots to come.
    function setTerms(uint64 datanet, Terms calldata terms) external;
    function setLicence(uint64 datanet, bytes32 licence, bool allowed) external;
    /// @notice Where the owner's part of snapshots to come goes.
    function setPayout(uint64 datanet, address payout) external;
    function transferOwnership(uint64 datanet, address to) external;

    /// @notice Accepts a batch without curators, or before the first of them committed a review.
    /// @param quality 1 to 1000
    function acceptByOwner(uint256 batch, uint16 quality, uint24 dupPpm) external;

    /// @notice Keeps an accepted batch out of snapshots to come, or no longer. Its units stay: the owner alone cannot
    ///         take them.
    function setExcluded(uint256 batch, bool excluded) external;

    /// @notice Freezes the accepted batches, without the retracted and the excluded, as a new version.
    /// @param textRoot commitment to the text
    /// @param saRoot commitment to its suffix array
    /// @param n length of both
    /// @param programHash of the program that made them from the rows
    /// @param journal as it is now; so nothing was accepted or retracted unseen
    /// @return version the id that models name as parent
    function snapshot(
        uint64 datanet,
        bytes32 textRoot,
        bytes32 saRoot,
        uint64 n,
        bytes32 programHash,
        bytes32 journal,
        string calldata uri
    ) external returns (uint64 version);

    // ---- contributors and sponsors ----

    /// @notice Adds to what pays the reviews.
    function fund(uint64 datanet) external payable;

    /// @notice Submits a batch for the caller, with the bond. Publish the rows afterwards, not before: of two equal rows
    ///         the one registered earlier stays.
    /// @param rowsRoot hash of a SumTree over the rows; a leaf binds the contributor (FORMAT.md)
    /// @param tokens the tree's sum
    /// @param licence one the Datanet allows
    /// @param daRef where the rows are found
    function submitBatch(uint64 datanet, bytes32 rowsRoot, uint32 rows, uint64 tokens, bytes32 licence, bytes32 daRef)
        external
        payable
        returns (uint256 batch);

    /// @notice The same for somebody else: the units are the contributor's, the bond comes back to the caller.
    function submitBatchFor(
        address contributor,
        uint64 datanet,
        bytes32 rowsRoot,
        uint32 rows,
        uint64 tokens,
        bytes32 licence,
        bytes32 daRef
    ) external payable returns (uint256 batch);

    /// @notice Takes a batch out of snapshots to come, and its units away. Past earnings and the hash stay. Only the
    ///         contributor; not while curators are at it.
    function retract(uint256 batch) external;

    /// @notice Gives an accepted batch's bond back, seven days after it was accepted. Anyone may call.
    function releaseBond(uint256 batch) external;

    // ---- curators ----

    /// @notice Draws three curators, never the contributor or the sponsor. Anyone may call, once an L1 block younger than
    ///         the submission is anchored. Whoever calls first picks the block, so curators call at once.
    function draw(uint256 batch) external;

    /// @notice A drawn curator's hidden judgement: keccak256(abi.encode(batch, curator, quality, dupPpm, reportHash, salt)).
    ///         Within two days of the draw.
    /// @param place 0, 1 or 2: which of the three
    function commitReview(uint256 batch, uint256 place, bytes32 commitment) external;

    /// @notice Shows it: as soon as all three are committed, or after the two days; at most three days after the draw.
    /// @param quality 0 rejects, up to 1000
    /// @param dupPpm duplicate and near-duplicate part, up to 1,000,000
    function revealReview(uint256 batch, uint256 place, uint16 quality, uint24 dupPpm, bytes32 reportHash, bytes32 salt)
        external;

    /// @notice Decides a batch: two of three accept, with the lower quality and higher duplicate part of two, or the
    ///         middle of three; two reject; or it lapses. Pays who revealed, slashes who did not. Anyone may call.
    function finalize(uint256 batch) external;

    // ---- anybody ----

    /// @notice Shows that row `index` of `batch` also stands in an earlier accepted batch of the same Datanet, or earlier
    ///         in the same one. Takes units off `batch`, and while its bond is held as large a part of that goes to the
    ///         caller.
    function challengeDuplicate(bytes32 rowHash, RowProof calldata earlier, RowProof calldata later) external;

    // ---- views ----

    function batchCount() external view returns (uint256);
    function batchOf(uint256 batch) external view returns (Batch memory);
    function reviewOf(uint256 batch) external view returns (Review memory);
    function netOf(uint64 datanet) external view returns (Net memory);
    function isLicence(uint64 datanet, bytes32 licence) external view returns (bool);
    /// @notice What a snapshot belongs to, and its dynamic part for good; zeros if it is no snapshot.
    function snapshotOf(uint64 version) external view returns (uint64 datanet, uint32 lambdaPpb, uint16 method);
}
