// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {GovernorUpgradeable} from "@openzeppelin/contracts-upgradeable/governance/GovernorUpgradeable.sol";
import {
    GovernorCountingFractionalUpgradeable
} from "@openzeppelin/contracts-upgradeable/governance/extensions/GovernorCountingFractionalUpgradeable.sol";
import {
    GovernorPreventLateQuorumUpgradeable
} from "@openzeppelin/contracts-upgradeable/governance/extensions/GovernorPreventLateQuorumUpgradeable.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {IERC6372} from "@openzeppelin/contracts/interfaces/IERC6372.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {IFeePolicy} from "./IFeePolicy.sol";
import {IGrantPool} from "./IGrantPool.sol";
import {IOpenGovernor} from "./IOpenGovernor.sol";
import {IPoolLedger} from "./IPoolLedger.sol";
import {IRevenueRouter} from "./IRevenueRouter.sol";
import {IStakeManager} from "./IStakeManager.sol";
import {Pools} from "./Pools.sol";
import {Predeploys} from "./Predeploys.sol";

/// @title OpenGovernor
/// @notice See IOpenGovernor.
/// @dev Invariant: it only ever calls what `isInScope` names, a week after a vote (test/l2/OpenGovernor.t.sol).
///
///      The modules are those of OpenZeppelin's upgradeable package because they have neither constructor nor
///      immutables; there is no initialiser either: what it would write are constants here. Genesis writes slot 0:
///      guardian (160) and until when (64).
contract OpenGovernor is IOpenGovernor, GovernorCountingFractionalUpgradeable, GovernorPreventLateQuorumUpgradeable {
    string private constant NAME = "Tributary Governor";
    uint256 private constant VOTING_DELAY_S = 1 days;
    uint256 private constant VOTING_PERIOD_S = 7 days;
    uint48 private constant LATE_QUORUM_S = 2 days;
    uint256 private constant QUEUE_S = 7 days;
    /// 0.1 % of the billion OPEN there are.
    uint256 private constant THRESHOLD = 1_000_000 ether;
    uint256 private constant QUORUM_PERCENT = 4;
    /// While little is staked, a percentage of it is nothing.
    uint256 private constant QUORUM_MIN = 4_000_000 ether;

    // Genesis writes both; a predeploy has no constructor that could.
    // slither-disable-next-line uninitialized-state,constable-states
    address private _guardian;
    /// @inheritdoc IOpenGovernor
    // slither-disable-next-line uninitialized-state,constable-states
    uint64 public guardianUntil;

    receive() external payable override {
        revert HoldsNothing();
    }

    /// @inheritdoc IOpenGovernor
    function isInScope(address target, bytes calldata data) external pure returns (bool) {
        return _isInScope(target, data);
    }

    /// @inheritdoc IOpenGovernor
    function proposalGuardian() public view returns (address) {
        return block.timestamp < guardianUntil ? _guardian : address(0);
    }

    function votingDelay() public pure override(GovernorUpgradeable, IGovernor) returns (uint256) {
        return VOTING_DELAY_S;
    }

    function votingPeriod() public pure override(GovernorUpgradeable, IGovernor) returns (uint256) {
        return VOTING_PERIOD_S;
    }

    function lateQuorumVoteExtension() public pure override returns (uint48) {
        return LATE_QUORUM_S;
    }

    function proposalThreshold() public pure override(GovernorUpgradeable, IGovernor) returns (uint256) {
        return THRESHOLD;
    }

    function quorum(uint256 timepoint) public view override(GovernorUpgradeable, IGovernor) returns (uint256) {
        uint256 part = IVotes(Predeploys.STAKE_MANAGER).getPastTotalSupply(timepoint) * QUORUM_PERCENT / 100;
        return part > QUORUM_MIN ? part : QUORUM_MIN;
    }

    function name() public pure override(GovernorUpgradeable, IGovernor) returns (string memory) {
        return NAME;
    }

    function clock() public view override(GovernorUpgradeable, IERC6372) returns (uint48) {
        return uint48(block.timestamp);
    }

    function CLOCK_MODE() public pure override(GovernorUpgradeable, IERC6372) returns (string memory) {
        return "mode=timestamp";
    }

    function proposalNeedsQueuing(uint256) public pure override(GovernorUpgradeable, IGovernor) returns (bool) {
        return true;
    }

    function proposalDeadline(uint256 proposalId)
        public
        view
        override(GovernorUpgradeable, GovernorPreventLateQuorumUpgradeable, IGovernor)
        returns (uint256)
    {
        return super.proposalDeadline(proposalId);
    }

    function _propose(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        string memory description,
        address proposer
    ) internal override returns (uint256) {
        uint256 n = targets.length < calldatas.length ? targets.length : calldatas.length;
        for (uint256 i = 0; i < n; ++i) {
            require(i < values.length && values[i] == 0 && _isInScope(targets[i], calldatas[i]), OutOfScope(i));
        }
        return super._propose(targets, values, calldatas, description, proposer);
    }

    function _queueOperations(uint256, address[] memory, uint256[] memory, bytes[] memory, bytes32)
        internal
        view
        override
        returns (uint48)
    {
        return uint48(block.timestamp + QUEUE_S);
    }

    function _executeOperations(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override {
        require(msg.value == 0, HoldsNothing());
        uint256 eta = proposalEta(proposalId);
        require(block.timestamp >= eta, TooEarly(eta));
        super._executeOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _tallyUpdated(uint256 proposalId)
        internal
        override(GovernorUpgradeable, GovernorPreventLateQuorumUpgradeable)
    {
        super._tallyUpdated(proposalId);
    }

    function _getVotes(address account, uint256 timepoint, bytes memory) internal view override returns (uint256) {
        return IVotes(Predeploys.STAKE_MANAGER).getPastVotes(account, timepoint);
    }

    function _validateCancel(uint256 proposalId, address caller) internal view override returns (bool) {
        bool isGuardian = caller != address(0) && caller == proposalGuardian();
        return isGuardian || super._validateCancel(proposalId, caller);
    }

    function _EIP712Name() internal pure override returns (string memory) {
        return NAME;
    }

    function _EIP712Version() internal pure override returns (string memory) {
        return "1";
    }

    /// @dev Of ledger pools only the treasury's: somebody may hand another's control to the governor.
    function _isInScope(address target, bytes memory data) private pure returns (bool) {
        bytes4 what = bytes4(data);
        if (target == Predeploys.FEE_POLICY) {
            return what == IFeePolicy.setClasses.selector || what == IFeePolicy.setUpstreamMax.selector
                || what == IFeePolicy.acceptOwnership.selector;
        }
        if (target == Predeploys.REVENUE_ROUTER) return what == IRevenueRouter.setChannel.selector;
        if (target == Predeploys.STAKE_MANAGER) return what == IStakeManager.setVerifier.selector;
        if (target == Predeploys.GRANT_POOL) {
            return what == IGrantPool.setRho.selector || what == IGrantPool.list.selector
                || what == IGrantPool.unlist.selector;
        }
        if (target == Predeploys.POOL_LEDGER && what == IPoolLedger.setUnits.selector && data.length >= 36) {
            uint256 pool;
            assembly ("memory-safe") {
                pool := mload(add(data, 0x24)) // The length word, and the selector.
            }
            return pool == Pools.TREASURY;
        }
        return false;
    }
}
