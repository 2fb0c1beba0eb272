// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IOwed} from "./IOwed.sol";

/// @title ICurators
/// @notice Who may be drawn to judge a Datanet's batches, and the bonds behind them. Bonds are held by the Datanet
///         contract, not by StakeManager: they do not vote.
/// @dev At most 15 seats a Datanet. A curator whose review is missing loses a twentieth of its bond, burned: that is all
///      a contract can see of a bad review. Bonds and pay wait for `withdraw`.
interface ICurators is IOwed {
    event CuratorAppointed(uint64 indexed datanet, address indexed curator, bool appointed);
    event CuratorJoined(uint64 indexed datanet, uint8 seat, address indexed curator, uint256 bond);
    event CuratorResigned(uint64 indexed datanet, uint8 seat, uint256 from);
    event CuratorLeft(uint64 indexed datanet, uint8 seat, address indexed curator, uint256 bond);
    event CuratorSlashed(uint64 indexed datanet, uint8 seat, address indexed curator, uint256 amount);

    error NotAppointed(address caller);
    /// One account, one seat: two of three votes are two curators'.
    error AlreadySeated();
    error WrongCuratorBond(uint256 bond);
    error SeatsTaken();
    /// Nobody sits there, or whoever does resigned already.
    error NotTaken(uint8 seat);
    error NotLeft(uint256 from);

    /// @notice The owner's word that `curator` may join, or no longer.
    function appoint(uint64 datanet, address curator, bool appointed) external;

    /// @notice Takes a free seat, with the bond sent along.
    function join(uint64 datanet) external payable returns (uint8 seat);

    /// @notice Is not drawn any more from now on. The curator itself, or the owner.
    function resign(uint64 datanet, uint8 seat) external;

    /// @notice Gives the bond back, 14 days after `resign`: longer than any review lasts. Anyone may call.
    function finishResigning(uint64 datanet, uint8 seat) external;

    function seatOf(uint64 datanet, uint8 seat) external view returns (address curator, uint96 bond);
    /// @notice A bit for each seat that can be drawn.
    function seatsOf(uint64 datanet) external view returns (uint16);
}
