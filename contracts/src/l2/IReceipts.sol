// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IOwed} from "./IOwed.sol";

/// @title IReceipts
/// @notice Headers of operators' epochs: the root of the receipts of ten minutes, how many, and for how much; the bonds
///         behind them; the keys that sign and post. Receipts themselves stay with the operator, who must show any of
///         them that is demanded.
/// @dev An epoch: posted by way of the settlement, then final after the challenge window, or voided by the court and
///      open to be posted again. The posted numbers must be those of the claimed vouchers, to the wei and to the count.
interface IReceipts is IOwed {
    enum Status {
        NONE,
        POSTED,
        VOID,
        FINAL
    }

    struct Header {
        /// Hash of the SumTree over the receipts, sorted by id; its sum is priceSum, its leaves are count.
        bytes32 receiptsRoot;
        /// keccak256(abi.encode(parts)) of the settlement.
        bytes32 partsHash;
        uint96 priceSum;
        uint88 bond;
        /// From when it can be final, seconds.
        uint40 deadline;
        /// Data demands without answer.
        uint16 demands;
        /// How often the epoch was voided.
        uint8 revision;
        Status status;
        uint40 count;
        /// Part of the price that counts as lineage (FORMAT.md).
        uint32 lineagePpb;
        /// When it was posted or voided, seconds.
        uint40 since;
    }

    struct Post {
        uint32 operatorId;
        uint64 epoch;
        bytes32 receiptsRoot;
        uint40 count;
        uint96 priceSum;
        /// The lineage part the entries were reckoned with.
        uint32 lineagePpb;
        /// Where the receipts and the entries are found.
        bytes32 daRef;
    }

    event KeysChanged(uint32 indexed operatorId, address signer, address poster);
    event BondDeposited(uint32 indexed operatorId, address indexed from, uint256 amount);
    event BondWithdrawn(uint32 indexed operatorId, address to, uint256 amount);
    event EpochPosted(uint32 indexed operatorId, uint64 indexed epoch, uint8 revision, Post post);
    event EpochVoided(uint32 indexed operatorId, uint64 indexed epoch, address indexed challenger, uint256 slashed);
    event EpochClosed(uint32 indexed operatorId, uint64 indexed epoch);

    error NotSettlement(address caller);
    error NotCourt(address caller);
    error NotOperatorOwner(uint32 operatorId, address caller);
    error NotPoster(uint32 operatorId, address caller);
    /// A replaced key stays answerable for two days, so keys change no oftener.
    error KeysTooYoung(uint256 from);
    error BondTooSmall(uint256 free, uint256 needed);
    error EpochNotOver(uint256 from);
    error EpochTooOld(uint256 until);
    error WrongStatus(Status status);
    /// Not what the operator's vouchers paid in that epoch.
    error NotPaid(uint256 amount, uint256 count);
    /// Reckon the entries with this part, then call again: they were made on another day.
    error LineageMoved(uint256 lineagePpb);
    /// Genesis wrote no challenge window; nothing may become final unseen.
    error NoWindow();
    /// An epoch voided 255 times stays void.
    error Forfeited();
    error WindowOpen(uint256 until);
    error DemandsOpen(uint256 count);
    error WindowOver(uint256 since);

    // ---- from the operator ----

    /// @notice Names the keys that sign receipts, offers and heads, and that post epochs; the owner's address does both
    ///         while none is named.
    function setKeys(uint32 operatorId, address signer, address poster) external;

    /// @notice Adds the OPEN sent along to the operator's bond. Anyone may.
    function depositBond(uint32 operatorId) external payable;

    /// @notice Takes from what no open epoch locks, to the operator's owner.
    function withdrawBond(uint32 operatorId, uint256 amount) external;

    // ---- from settlement and court ----

    /// @notice Records an epoch that `poster` posts. Only the settlement.
    /// @param bond locked until the epoch is final
    function record(Post calldata p, address poster, bytes32 partsHash, uint256 bond) external;

    /// @notice Makes an epoch final, if its window is over. Only the settlement.
    function close(uint32 operatorId, uint64 epoch) external;

    /// @notice Voids an epoch, and takes its bond: half to the challenger, half burned. Only the settlement.
    function void(uint32 operatorId, uint64 epoch, address challenger) external;

    /// @notice Holds the epoch open for a data demand. Only the court.
    function hold(uint32 operatorId, uint64 epoch) external;

    /// @notice The demand was answered; leaves time to look at the answer. Only the court.
    function answered(uint32 operatorId, uint64 epoch) external;

    // ---- views ----

    /// @notice Challenge window, seconds. Written by genesis.
    function challengeS() external view returns (uint64);
    /// @notice Time to answer a demand, and then to look at the answer: a twelfth of the window.
    function answerS() external view returns (uint64);
    function headerOf(uint32 operatorId, uint64 epoch) external view returns (Header memory);
    function bondOf(uint32 operatorId) external view returns (uint128 held, uint128 locked);
    /// @notice The lineage part by which an epoch would be posted now, ppb (FORMAT.md).
    function lineagePpb(uint32 operatorId, uint64 epoch) external view returns (uint32);
    function keysOf(uint32 operatorId) external view returns (address signer, address poster);
    /// @notice Whether a key of the operator, or one replaced less than two days ago, signed the struct.
    function isSigned(uint32 operatorId, bytes32 structHash, bytes calldata signature) external view returns (bool);
    function DOMAIN_SEPARATOR() external view returns (bytes32);
}
