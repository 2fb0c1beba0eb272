// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title Rollup
/// @notice Bonded claims about the state of L2, and which of them are confirmed.
/// @dev Every distinct claim is one *output* with an index in a list that only grows; twins share it. The outputs that
/// build on each other from genesis, the first claim before its rivals, are the *path*, and the views that OP clients
/// know (`getL2OutputIndexAfter` and its kin) walk it: a rival cannot hide an output that was there first, and a
/// confirmed output takes the path from whatever stood in its place.
/// Absent: challenges. Until they come, a claim that anyone contradicts with a bond of their own stays unconfirmed
/// for good, and so does everything built on it: it fails safe, not live. Whoever upholds a contradiction cannot be
/// told apart from whoever makes one, so the bonds of both sides stay locked.
interface IRollup {
    /// @param parent Id of the assertion this one builds on.
    /// @param claim What is claimed, whoever claims it: `keccak256(abi.encode(parentClaim, recordIndex, batchAcc,
    /// l2Number, outputRoot))`. Two assertions with one claim are twins, and stand or fall together.
    /// @param outputRoot Output root of L2 block `l2Number`.
    /// @param programHash The program that could prove it, as configured when it was asserted.
    /// @param proposer Who locked the bond. Zero for genesis.
    /// @param assertedAt L1 timestamp, seconds. Zero for an id that does not exist.
    /// @param bond Wei of ETH still locked.
    /// @param recordIndex Number of Inbox records the claim is about; 0 is genesis.
    /// @param l2Number L2 block number after those records.
    struct Assertion {
        bytes32 parent;
        bytes32 claim;
        bytes32 outputRoot;
        bytes32 programHash;
        address proposer;
        uint64 assertedAt;
        uint96 bond;
        uint64 recordIndex;
        uint64 l2Number;
    }

    event Asserted(
        bytes32 indexed id,
        bytes32 indexed parent,
        address indexed proposer,
        uint64 recordIndex,
        bytes32 batchAcc,
        uint64 l2Number,
        bytes32 outputRoot,
        bytes32 programHash
    );
    /// @notice `claim` contradicts another one: neither it nor the other can be confirmed.
    event Contested(bytes32 indexed id, bytes32 indexed claim);
    event Confirmed(bytes32 indexed id, uint64 recordIndex, uint64 l2Number, bytes32 outputRoot);
    /// @notice A new claim got an index.
    event OutputProposed(
        bytes32 indexed outputRoot, uint256 indexed l2OutputIndex, uint256 indexed l2BlockNumber, uint256 l1Timestamp
    );
    event BondReturned(bytes32 indexed id, address indexed proposer, uint256 amount);

    error BadParams();
    error UnknownAssertion(bytes32 id);
    error AlreadyAsserted(bytes32 id);
    error WrongBond(uint256 given, uint256 asked);
    /// @notice The Inbox has another accumulator after `recordIndex` records.
    error WrongBatchAcc(bytes32 actual);
    error ZeroOutputRoot();
    /// @notice The record index and the L2 number must both pass the parent's.
    error NotBeyondParent(uint64 parentRecordIndex, uint64 parentL2Number);
    /// @notice The parent is confirmed and no longer the newest confirmed claim: build on `latest`.
    error BehindConfirmed(bytes32 latest);
    error AlreadyConfirmed(bytes32 id);
    error ParentNotConfirmed(bytes32 parent);
    error WindowOpen(uint256 until);
    /// @notice A rival claim stands.
    error IsContested(bytes32 id);
    /// @notice Confirmation is paused by the council.
    error FinalisationPaused();
    /// @notice Neither it nor a twin of it is confirmed.
    error NotConfirmed(bytes32 id);
    error NoBond(bytes32 id);
    error BondTransferFailed(address proposer);
    error UnknownOutput(uint256 index);
    /// @notice Its parent is not the end of the path.
    error NotOnPath(uint256 index);

    /// @notice Called once, by the proxy's constructor. Genesis is asserted and confirmed by it.
    /// @param windowS Seconds an assertion must stand before it can be confirmed.
    /// @param genesisOutputRoot Output root of L2 block 0.
    function initialise(uint64 windowS, bytes32 genesisOutputRoot) external;

    /// @notice Claims that after `recordIndex` records L2 is at block `l2Number` with `outputRoot`. Takes the bond that
    /// `SystemConfig.bond` asks for, in ETH. Anyone may assert, also what another has asserted already.
    /// @param batchAcc `Inbox.batchAccs(recordIndex)`: it binds the claim to the records, so that an L1 reorg which
    /// changes them makes this call revert in place of making the claim false.
    /// @return id `keccak256(abi.encode(parentId, recordIndex, batchAcc, l2Number, outputRoot, programHash, proposer))`.
    function assertOutput(bytes32 parentId, uint64 recordIndex, bytes32 batchAcc, uint64 l2Number, bytes32 outputRoot)
        external
        payable
        returns (bytes32 id);

    /// @notice Confirms an assertion whose window has passed, whose parent is the newest confirmed claim, and that no
    /// rival contradicts. A rival is a claim with the same parent, or about the same number of records, that says
    /// something else. Anyone may call.
    function confirm(bytes32 id) external;

    /// @notice `confirm` for the first assertion of an output.
    function confirmOutput(uint256 index) external;

    /// @notice Appends an output to the path if it builds on its end. Needed only after a confirmation turned the path to
    /// another branch whose later outputs exist already. Anyone may call.
    function extendPath(uint256 index) external;

    /// @notice Returns the bond of an assertion that is confirmed, or has a confirmed twin, to its proposer. Anyone may
    /// call.
    function withdrawBond(bytes32 id) external;

    /// @return The id of the newest confirmed assertion.
    function latestConfirmed() external view returns (bytes32);

    /// @return The id of the genesis assertion.
    function genesis() external view returns (bytes32);

    /// @return All that is stored under `id`. Reverts if there is none.
    function assertion(bytes32 id) external view returns (Assertion memory);

    /// @return Whether the assertion, or a twin of it, is confirmed. False for an unknown id.
    function isConfirmed(bytes32 id) external view returns (bool);

    /// @return Whether a rival of the assertion stands.
    function isContested(bytes32 id) external view returns (bool);

    /// @return Seconds an assertion must stand before it can be confirmed.
    function windowS() external view returns (uint64);

    // Outputs

    /// @notice What one output of the list is.
    /// @param outputRoot Its root.
    /// @param timestamp When it was first asserted, L1 seconds.
    /// @param l2BlockNumber The L2 block it is about.
    struct OutputProposal {
        bytes32 outputRoot;
        uint128 timestamp;
        uint128 l2BlockNumber;
    }

    /// @notice What a proof needs. Reverts if there is no such output.
    /// @return outputRoot Its root.
    /// @return windowEnd When its window ends, seconds.
    /// @return window How long its window is, seconds.
    function outputTerms(uint256 index) external view returns (bytes32 outputRoot, uint256 windowEnd, uint256 window);

    /// @return Position in the list of what assertion `id` claims.
    function outputIndexOf(bytes32 id) external view returns (uint256);

    /// @return The first assertion of an output.
    function outputAssertion(uint256 index) external view returns (bytes32);

    /// @return Whether the output is confirmed.
    function isOutputConfirmed(uint256 index) external view returns (bool);

    /// @return Whether a rival of the output stands.
    function isOutputContested(uint256 index) external view returns (bool);

    /// @return The output at a position of the list, wherever it stands. Reverts beyond the end.
    function getL2Output(uint256 index) external view returns (OutputProposal memory);

    /// @return The first output of the path at or after an L2 block. Reverts, in the words that OP clients wait for, if
    /// the path does not reach it.
    function getL2OutputIndexAfter(uint256 l2BlockNumber) external view returns (uint256);

    /// @return `getL2Output(getL2OutputIndexAfter(l2BlockNumber))`.
    function getL2OutputAfter(uint256 l2BlockNumber) external view returns (OutputProposal memory);

    /// @return The output at the end of the path.
    function latestOutputIndex() external view returns (uint256);

    /// @return The index that the next new claim gets.
    function nextOutputIndex() external view returns (uint256);

    /// @return The L2 block of the output at the end of the path.
    function latestBlockNumber() external view returns (uint256);

    /// @return `windowS`, as OP clients ask for it.
    function FINALIZATION_PERIOD_SECONDS() external view returns (uint256);

    /// @return `windowS`.
    function finalizationPeriodSeconds() external view returns (uint256);

    /// @return 1. Blocks here come when there is work; clients multiply this with `SUBMISSION_INTERVAL` to guess when the
    /// next output comes.
    function L2_BLOCK_TIME() external view returns (uint256);

    /// @return Seconds between the last two outputs of the path, between 1 and 3600.
    function SUBMISSION_INTERVAL() external view returns (uint256);

    /// @return The version of the output oracle's interface that is followed.
    function version() external view returns (string memory);
}
