// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {EntryProof, Place} from "./Entry.sol";
import {IAttributionSettlement} from "./IAttributionSettlement.sol";
import {IOwed} from "./IOwed.sol";
import {Head, InferenceReceipt, Offer} from "./Receipt.sol";

/// @title IAttributionCourt
/// @notice What is wrong with a posted epoch or step, shown in one transaction. Whoever shows it first gets half the
///         bond, the other half is burned, and the epoch or step is void. A call that shows nothing reverts.
/// @dev Only what a contract can check is a fault here. That an operator ran another model, or stated wrong weights, is
///      none: there is no proof of it yet (Methods.sol). Every proof needs data that whoever posted must hold; who is
///      refused it demands it, and silence is a fault too.
///
///      Of an epoch, whose sum and count the header already shares with the vouchers:
///      - receipts: two not in order or the same twice, in one epoch or in two; a malformed one; other sums by asset than
///        vouchers paid; a price above its offer; one the operator signed differently; a header other than the one signed;
///      - entries: two not in order or the same twice; one that its receipt does not give, or gives otherwise; one that
///        is missing.
///      Of a step, against the parts it adds and the tree adopted before:
///      - two leaves not in order; a gain its part does not give, or that is missing; a cumulative leaf that is not the
///        account's last one plus its gains.
///      Some faults no honest program makes, and they take stake as well as the bond, out of the one provision of the
///      operator towards this court that the challenger names (IStakeManager; zero for none):
///      - a price above its offer, or by an offer of something else: a thousand times what was too much;
///      - the same receipt in two epochs, another one signed, or another header: all that the provider has there.
///      Whoever transfers an operator answers for it with what it has there until that is released.
///
///      A sum that is not its leaves' cannot be shown by any leaf, so nobody can answer for it: a demand ends it.
interface IAttributionCourt is IOwed {
    /// Trees whose leaves can be demanded.
    enum Tree {
        RECEIPTS,
        ENTRIES,
        GAINS,
        CUMULATIVE
    }

    /// The epoch, with the parts it was posted with.
    struct Case {
        uint32 operatorId;
        uint64 epoch;
        IAttributionSettlement.Part[] parts;
    }

    struct ReceiptProof {
        InferenceReceipt receipt;
        /// The words whose hash the receipt names. Looked at only where said.
        uint256[] vector;
        uint256 index;
        bytes proof;
    }

    /// Where an id belongs among the receipts: after `left`, at `position` - 1, and before or at `right`, at `position`.
    struct ReceiptPlace {
        uint256 position;
        ReceiptProof left;
        ReceiptProof right;
    }

    /// A final part, and its number.
    struct FinalPart {
        uint40 number;
        uint32 operatorId;
        uint64 epoch;
        IAttributionSettlement.Part part;
    }

    /// What is demanded: of an epoch with its revision, or of the present step (operatorId, revision and version 0, epoch
    /// the step's number).
    struct Wanted {
        Tree tree;
        uint32 operatorId;
        uint64 epoch;
        uint8 revision;
        /// Snapshot of the part, for ENTRIES.
        uint64 version;
        uint256 index;
    }

    event EpochFaulted(uint32 indexed operatorId, uint64 indexed epoch, address indexed challenger, bytes4 fault);
    event StepFaulted(address indexed challenger, bytes4 fault);
    event Demanded(bytes32 indexed id, address indexed challenger, Wanted wanted, uint256 until);
    event Answered(bytes32 indexed id, address indexed by);

    /// The proof is good, and shows nothing wrong.
    error NoFault();
    error NotPosted();
    error BadReceiptProof(uint256 index);
    /// The id does not belong between these two.
    error BadReceiptPlace(uint256 position);
    /// Not the preimage of the hash in the receipt.
    error OtherVector();
    error NotNeighbours();
    /// The epoch has no such part, or the number names another.
    error UnknownPart();
    error BadSignature();
    /// No provision, or for another role or operator.
    error OtherProvision();
    error WrongFee(uint256 sent, uint256 fee);
    error AlreadyDemanded(bytes32 id);
    error NotDemanded(bytes32 id);
    error NoSuchLeaf(uint256 index);
    error TimeLeft(uint256 until);

    // ---- receipts ----

    /// @notice Two neighbours whose ids do not ascend.
    function receiptOrder(Case calldata c, ReceiptProof calldata left, ReceiptProof calldata right) external;

    /// @notice The same id also stands in an earlier epoch of the operator that is posted or final.
    function receiptTwice(
        Case calldata c,
        ReceiptProof calldata here,
        uint64 earlierEpoch,
        ReceiptProof calldata earlier,
        uint64 provision
    ) external;

    /// @notice Another operator's receipt, an unknown asset, an id that does not begin with the asset's, a method nobody may name, or a vector that is none
    ///         (Dynamic.sol). With its vector.
    function badReceipt(Case calldata c, ReceiptProof calldata r) external;

    /// @notice The receipts of an asset, between the two places, are not as many, or not for as much, as vouchers paid for
    ///         that asset: else an operator could pay for one asset and attribute to another's Datanets.
    function wrongAsset(Case calldata c, uint64 assetId, ReceiptPlace calldata from, ReceiptPlace calldata to) external;

    /// @notice A price above what the offer that the receipt names allows. An offer of another asset, operator, agent or
    ///         time allows nothing.
    function overcharge(Case calldata c, ReceiptProof calldata r, Offer calldata offer, uint64 provision) external;

    /// @notice The same of a receipt that need not be posted, because the operator signed it: takes stake alone. Payers
    ///         hold both; a key counts two days beyond its successor.
    /// @param provision not zero
    function signedOvercharge(
        InferenceReceipt calldata r,
        bytes calldata signature,
        Offer calldata offer,
        uint64 provision
    ) external;

    /// @notice The operator signed another receipt with the same id.
    function equivocation(
        Case calldata c,
        ReceiptProof calldata r,
        InferenceReceipt calldata other,
        bytes calldata signature,
        uint64 provision
    ) external;

    /// @notice The operator signed another head for this epoch and revision.
    function twoHeads(Case calldata c, Head calldata head, bytes calldata signature, uint64 provision) external;

    // ---- entries ----

    /// @notice Two neighbours whose keys do not ascend; so also the same entry twice.
    function entryOrder(Case calldata c, uint64 version, EntryProof calldata left, EntryProof calldata right) external;

    /// @notice An entry whose receipt gives that account another amount, or nothing. With the receipt's vector; a receipt
    ///         that does not exist needs no proof.
    function wrongEntry(Case calldata c, uint64 version, EntryProof calldata e, ReceiptProof calldata r) external;

    /// @notice A receipt gives `account` something out of the snapshot's pot, and no entry says so. With the receipt's
    ///         vector; if there is no part for the snapshot, `place` is not looked at.
    function missingEntry(
        Case calldata c,
        uint64 version,
        address account,
        ReceiptProof calldata r,
        Place calldata place
    ) external;

    // ---- steps ----

    /// @notice Two neighbours of the gains or of the cumulative tree whose keys do not ascend.
    function stepOrder(Tree tree, EntryProof calldata left, EntryProof calldata right) external;

    /// @notice A gain that its part does not give: the account's entries there, between the two places, add up to
    ///         something else; or a part that this step does not add, for which no further proof is needed.
    function wrongGain(EntryProof calldata gain, FinalPart calldata p, Place calldata from, Place calldata to) external;

    /// @notice A part has an entry of an account that has no gain by that part.
    function missingGain(FinalPart calldata p, EntryProof calldata e, Place calldata place) external;

    /// @notice The account's new leaf is not its adopted leaf and its gains: neither is there if it is zero.
    /// @param was its place in the adopted tree
    /// @param is_ its place in the posted one
    /// @param from where its gains begin, and `to` where they end
    function wrongCumulative(
        address account,
        Place calldata was,
        Place calldata is_,
        Place calldata from,
        Place calldata to
    ) external;

    // ---- withheld data ----

    /// @notice Demands a leaf, with a fee of 0.01 OPEN for the answer. Within the window; the epoch or step stays open
    ///         until the answer, and a little longer.
    function demand(Wanted calldata w) external payable;

    /// @notice Shows a demanded receipt, with its vector. Anyone may; the fee is the caller's.
    function answerReceipt(Wanted calldata w, ReceiptProof calldata r) external;

    /// @notice Shows a demanded entry, gain or cumulative leaf.
    /// @param c the epoch's parts, for ENTRIES; not looked at otherwise
    function answerEntry(Wanted calldata w, Case calldata c, EntryProof calldata e) external;

    /// @notice Voids the epoch or step whose demand nobody answered in time. Anyone may call; the challenger is who
    ///         demanded. Where the epoch or step is already void, gives the fee back.
    function timeout(Wanted calldata w, Case calldata c) external;

    // ---- views ----

    function demandOf(bytes32 id) external view returns (address challenger, uint40 until);
    function idOf(Wanted calldata w) external pure returns (bytes32);
    /// @notice Of an attribution method: whether receipts may name it, whether a false weight is a fault, and how much of a
    ///         Datanet's income it may direct.
    function methodOf(uint16 method) external pure returns (bool isUsable, bool isProvable, uint32 lambdaMaxPpb);
}
