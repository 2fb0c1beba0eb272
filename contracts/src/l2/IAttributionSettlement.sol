// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IOwed} from "./IOwed.sol";
import {IReceipts} from "./IReceipts.sol";

/// @title IAttributionSettlement
/// @notice The dynamic part of Datanets' income: from each snapshot's pot, by operators' epochs, into one tree in which
///         every account has one leaf for all it ever earned.
/// @dev 1. Pot. The settlement is a member of each snapshot's pool with lambda of its units; `collect` claims what it
///         earned into the snapshot's pot. Money that no epoch asked for by the end of the next day goes to the static
///         units of the Datanet, and never to an operator.
///      2. Epoch. An operator posts its receipts' header and, for each snapshot they attribute to, a part: a SumTree of
///         entries (account, receipt, amount), which the pot must cover. Challenge window; anybody finalises.
///      3. Step. Anybody posts the next cumulative tree over all final parts, with the tree of what each account gained
///         by each part since the last. The sum must be that of all final parts. Challenge window; anybody adopts.
///      4. Claim: the leaf's amount, less what was claimed before. Nobody can pause it.
///      The court (IAttributionCourt) voids epochs and steps, whose bonds then go half to the challenger, half to nobody.
interface IAttributionSettlement is IOwed {
    /// What an epoch takes from one snapshot's pot.
    struct Part {
        uint64 version;
        /// Leaves of the tree, its sum, and its root's hash.
        uint40 entries;
        uint96 deltaSum;
        bytes32 deltaRoot;
    }

    /// A cumulative tree that is not adopted yet.
    struct Step {
        bytes32 root;
        /// Tree of (account, number of the part, amount) over the parts this step adds.
        bytes32 stepRoot;
        uint96 sum;
        uint40 leaves;
        uint40 stepLeaves;
        /// The last part it adds.
        uint40 upTo;
        uint40 deadline;
        address poster;
        uint40 since;
        uint16 demands;
        /// Of all steps ever posted.
        uint40 number;
    }

    /// The adopted tree, and how much of it is claimed.
    struct Books {
        uint96 sum;
        uint96 claimed;
        uint40 leaves;
        /// How many steps were adopted.
        uint24 steps;
    }

    /// @param to receives the claim; the signature redirects this claim alone
    /// @param relayer who may send it; zero for anybody
    /// @param relayerFee paid to the sender out of the claim, wei; at most 10 % of it
    struct SignedClaim {
        address account;
        address to;
        address relayer;
        uint256 relayerFee;
        uint256 deadline;
    }

    event Collected(uint64 indexed version, uint256 amount);
    /// What no epoch asked for in time went to static units.
    event PotFallback(uint64 indexed version, uint64 indexed datanet, uint256 amount);
    event PartPosted(
        uint32 indexed operatorId,
        uint64 indexed epoch,
        uint64 indexed version,
        bytes32 deltaRoot,
        uint96 deltaSum,
        uint40 entries
    );
    /// @param number of the first part; the others follow, in the order in which they were posted
    event EpochFinal(uint32 indexed operatorId, uint64 indexed epoch, uint40 number, uint256 parts);
    event StepPosted(
        address indexed poster,
        bytes32 root,
        uint40 leaves,
        uint96 sum,
        bytes32 stepRoot,
        uint40 stepLeaves,
        bytes32 daRef
    );
    event StepVoided(address indexed challenger);
    event GlobalPosted(uint24 indexed step, bytes32 root, uint96 sum, uint40 leaves, uint40 upTo);
    event Claimed(address indexed account, address to, uint256 amount);

    error NotCourt(address caller);
    /// Only the ledger sends OPEN here, and only when it is asked for.
    error NotCollecting(address sender);
    error NotSnapshot(uint64 version);
    /// At most 16 parts, versions ascending, none empty.
    error BadParts();
    /// Not the parts that were posted.
    error OtherParts();
    /// More than lambda of the lineage part of everything the operator was paid, less what other parts took.
    error DeltaTooLarge(uint64 version, uint256 sum, uint256 max);
    error PotTooSmall(uint64 version, uint256 pot, uint256 sum);
    error StepPending();
    error NoStep();
    /// No part became final since the last step.
    error NothingToAdd();
    error WrongSum(uint256 sum, uint256 finalised);
    error WrongBond(uint256 sent, uint256 bond);
    error WindowOpen(uint256 until);
    error WindowOver(uint256 since);
    error DemandsOpen(uint256 count);
    error BadLeaf(address account);
    /// The tree would pay more than it holds.
    error SumExceeded(uint256 claimed, uint256 sum);
    error ZeroAddress();
    error Expired(uint256 deadline);
    error BadSignature(address account);
    error NotRelayer(address caller, address relayer);
    error FeeTooHigh(uint256 fee, uint256 max);

    // ---- pots ----

    /// @notice Claims what the snapshot's pool owes into its pot. Anyone may call; `postEpoch` does.
    function collect(uint64 version) external returns (uint256 amount);

    /// @notice Adds the OPEN sent along to a pot: for the wei that roundings withhold.
    function fund(uint64 version) external payable;

    // ---- epochs ----

    /// @notice Posts an epoch of the operator: the header of its receipts, and what they attribute. Locks a bond of 10
    ///         OPEN, or as much as all parts together if that is more.
    /// @param parts versions ascending; empty if nothing is attributed
    function postEpoch(IReceipts.Post calldata p, Part[] calldata parts) external;

    /// @notice Makes an epoch final whose window is over. Anyone may call.
    function finalizeEpoch(uint32 operatorId, uint64 epoch, Part[] calldata parts) external;

    // ---- the cumulative tree ----

    /// @notice Posts the next cumulative tree, with a bond of 100 OPEN. Anyone may. One at a time.
    /// @param root hash of the SumTree of (account, 0, cumulative), sorted by account
    /// @param sum of all final parts, which is the tree's
    /// @param stepRoot hash of the SumTree of (account, part number, amount) over the parts since the last step
    function postGlobal(bytes32 root, uint40 leaves, uint96 sum, bytes32 stepRoot, uint40 stepLeaves, bytes32 daRef)
        external
        payable;

    /// @notice Makes the posted tree the one to claim by, if its window is over. Anyone may call.
    function adopt() external;

    /// @notice Pays `account` what its leaf says, less what it claimed before, wherever the leaf is sent from.
    /// @param cumulative the leaf's amount
    /// @param proof the nodes beside the way up, lowest first (SumTree)
    function claim(address account, uint128 cumulative, uint256 index, bytes calldata proof)
        external
        returns (uint256 amount);

    /// @notice Pays as the account signed (EIP-712, or EIP-1271), with a fee for the sender.
    function claimFor(
        SignedClaim calldata c,
        uint128 cumulative,
        uint256 index,
        bytes calldata proof,
        bytes calldata signature
    ) external returns (uint256 amount);

    // ---- from the court ----

    function voidEpoch(uint32 operatorId, uint64 epoch, Part[] calldata parts, address challenger) external;
    function voidStep(address challenger) external;
    function holdStep() external;
    function answeredStep() external;

    // ---- views ----

    /// @notice What epochs may take of a pot now, without collecting.
    function potOf(uint64 version) external view returns (uint256);
    /// @notice Sum of all final parts.
    function finalised() external view returns (uint96);
    /// @notice How many parts are final; their numbers begin at 1.
    function partCount() external view returns (uint40);
    /// @notice keccak256(abi.encode(operatorId, epoch, part)) of final part `number`.
    function partAt(uint40 number) external view returns (bytes32);
    function step() external view returns (Step memory);
    function globalRoot() external view returns (bytes32);
    function books() external view returns (Books memory);
    /// @notice The last part the adopted tree holds.
    function adoptedUpTo() external view returns (uint40);
    function claimedBy(address account) external view returns (uint256);
    function nonces(address account) external view returns (uint256);
    /// @notice What must be here: pots, epochs' parts, unclaimed leaves, a step's bond. Not what is owed.
    function liabilities() external view returns (uint256);
    function DOMAIN_SEPARATOR() external view returns (bytes32);
}
