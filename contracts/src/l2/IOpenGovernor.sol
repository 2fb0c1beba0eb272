// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";

/// @title IOpenGovernor
/// @notice Staked OPEN decides about the few numbers that may change: OpenZeppelin's Governor, which is its own
///         timelock.
/// @dev A proposal needs 0.1 % of all OPEN behind its proposer. Voting begins after a day, takes a week, and at least
///      two days from when the quorum is reached. The quorum is 4 % of what is staked, and never less than 0.4 % of all
///      OPEN. What passed is queued by anybody, and executed by anybody a week later.
///
///      Votes are StakeManager's at the second when voting begins; an account may split them (fractional counting, as
///      OpenZeppelin encodes it in `params`).
///
///      What can be proposed (`isInScope`) is spelled out, and each of it is bounded where it is done:
///      - FeePolicy: setClasses, setUpstreamMax, acceptOwnership
///      - RevenueRouter: setChannel
///      - PoolLedger: setUnits of the treasury's pool
///      - StakeManager: setVerifier
///      - GrantPool: setRho, list, unlist
///      So no vote reaches a balance, a claim, a registered version, or the rules of voting, and none gives the powers
///      above to somebody else. Only a hard fork does.
///
///      The guardian, a council, can cancel a proposal before it is executed, and nothing else, until its time is over:
///      24 months from genesis. A proposer can cancel while voting has not begun.
///
///      The governor holds nothing: it takes no OPEN, and no call of it carries any.
interface IOpenGovernor is IGovernor {
    /// Action `index` of the proposal is none that governance has.
    error OutOfScope(uint256 index);
    error TooEarly(uint256 eta);
    error HoldsNothing();

    /// @notice Whether a call may be part of a proposal.
    function isInScope(address target, bytes calldata data) external pure returns (bool);

    /// @notice Who may cancel proposals now; zero once its time is over.
    function proposalGuardian() external view returns (address);

    /// @notice Until when there is a guardian, seconds.
    function guardianUntil() external view returns (uint64);
}
