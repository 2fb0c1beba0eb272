// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title IFeePolicy
/// @notice The few numbers of the economy that governance may change, and how far. Shares are parts per billion.
/// @dev Bounds are in code. A change takes effect at the second epoch boundary after it is made, so everybody has at
///      least one whole epoch to see it, and never touches a payment already routed.
interface IFeePolicy {
    event ClassesScheduled(uint32 protocolPpb, uint32 burnPpb, uint32 stakersPpb, uint64 from);
    event UpstreamMaxScheduled(uint32 upstreamMaxPpb, uint64 from);
    event OwnershipOffered(address indexed owner, address indexed to);
    event OwnershipTransferred(address indexed from, address indexed to);

    error NotOwner(address caller);
    error NotOffered(address caller);
    /// Classes are multiples of 10,000 ppb, a thousandth of a percent, so that the router can keep them in one word.
    error TooFine(uint256 ppb);
    error OutOfBounds(uint256 value, uint256 min, uint256 max);

    /// @notice Parts of a payment that go to the treasury, are burned, and go to the stakers of an operator with an
    ///         active provision, as of now.
    function classes() external view returns (uint32 protocolPpb, uint32 burnPpb, uint32 stakersPpb);

    /// @notice The largest part that a new asset version may pass upstream, as of now.
    function upstreamMaxPpb() external view returns (uint32);

    /// @notice Governance. Written by genesis.
    function owner() external view returns (address);

    /// @notice Changes the classes: protocol <= 3 %, burn <= 3 %, stakers <= 10 %; all multiples of
    ///         10,000 ppb.
    function setClasses(uint32 protocolPpb, uint32 burnPpb, uint32 stakersPpb) external;

    /// @notice Changes the upstream maximum: 10 % to 50 %.
    function setUpstreamMax(uint32 ppb) external;

    /// @notice Offers ownership; `to` must accept. Offering to the zero address withdraws the offer.
    function offerOwnership(address to) external;

    function acceptOwnership() external;
}
