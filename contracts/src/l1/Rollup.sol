// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {IInbox} from "./interfaces/IInbox.sol";
import {IRollup} from "./interfaces/IRollup.sol";
import {ISystemConfig} from "./interfaces/ISystemConfig.sol";

/// @title Rollup
/// @dev Invariant: confirmed claims form one chain, each the child of the one before; and the ETH held here equals the
/// bonds not yet returned, plus what was forced in (test/l1/RollupKeepsBonds.t.sol).
contract Rollup is IRollup, Initializable {
    IInbox public immutable inbox;
    ISystemConfig public immutable config;

    /// The first of several things said about one subject, and whether another was said since.
    struct Saying {
        bytes32 first;
        bool isContested;
    }

    /// @inheritdoc IRollup
    uint64 public windowS;
    /// @inheritdoc IRollup
    bytes32 public genesis;
    /// @inheritdoc IRollup
    bytes32 public latestConfirmed;
    bytes32 private _latestConfirmedClaim;
    mapping(bytes32 id => Assertion) private _assertions;
    mapping(bytes32 claim => bool) private _confirmed;
    /// What was said to follow a claim.
    mapping(bytes32 parentClaim => Saying) private _children;
    /// What was said about the state after a number of records.
    mapping(uint64 recordIndex => Saying) private _states;

    constructor(IInbox inbox_, ISystemConfig config_) {
        inbox = inbox_;
        config = config_;
        _disableInitializers();
    }

    /// @inheritdoc IRollup
    function initialise(uint64 windowS_, bytes32 genesisOutputRoot) external initializer {
        require(windowS_ != 0, BadParams());
        require(genesisOutputRoot != 0, ZeroOutputRoot());
        windowS = windowS_;

        Assertion memory a = Assertion({
            parent: 0,
            claim: 0,
            outputRoot: genesisOutputRoot,
            programHash: config.programHash(),
            proposer: address(0),
            assertedAt: uint64(block.timestamp),
            bond: 0,
            recordIndex: 0,
            l2Number: 0
        });
        a.claim = _claim(0, a, 0);
        bytes32 id = _store(a, 0);
        genesis = id;
        _confirm(id, a);
    }

    /// @inheritdoc IRollup
    function assertOutput(bytes32 parentId, uint64 recordIndex, bytes32 batchAcc, uint64 l2Number, bytes32 outputRoot)
        external
        payable
        returns (bytes32 id)
    {
        Assertion storage parent = _existing(parentId);
        bytes32 parentClaim = parent.claim;
        require(!_confirmed[parentClaim] || parentClaim == _latestConfirmedClaim, BehindConfirmed(latestConfirmed));
        require(
            recordIndex > parent.recordIndex && l2Number > parent.l2Number,
            NotBeyondParent(parent.recordIndex, parent.l2Number)
        );
        require(outputRoot != 0, ZeroOutputRoot());
        bytes32 actual = inbox.batchAccs(recordIndex);
        require(batchAcc == actual, WrongBatchAcc(actual));
        uint96 bond = config.bond();
        require(msg.value == bond, WrongBond(msg.value, bond));

        Assertion memory a = Assertion({
            parent: parentId,
            claim: 0,
            outputRoot: outputRoot,
            programHash: config.programHash(),
            proposer: msg.sender,
            assertedAt: uint64(block.timestamp),
            bond: bond,
            recordIndex: recordIndex,
            l2Number: l2Number
        });
        a.claim = _claim(parentClaim, a, batchAcc);
        id = _store(a, batchAcc);
        _compare(id, a, parentClaim);
    }

    /// @inheritdoc IRollup
    function confirm(bytes32 id) external {
        Assertion memory a = _existing(id);
        require(!_confirmed[a.claim], AlreadyConfirmed(id));
        // Both sides are hashes.
        // slither-disable-next-line incorrect-equality
        require(_assertions[a.parent].claim == _latestConfirmedClaim, ParentNotConfirmed(a.parent));
        uint256 until = uint256(a.assertedAt) + windowS;
        require(block.timestamp > until, WindowOpen(until));
        require(!_isContested(a), IsContested(id));
        require(!config.paused(), FinalisationPaused());

        _confirm(id, a);
    }

    /// @inheritdoc IRollup
    function withdrawBond(bytes32 id) external {
        Assertion storage a = _existing(id);
        require(_confirmed[a.claim], NotConfirmed(id));
        uint256 amount = a.bond;
        require(amount != 0, NoBond(id));
        address proposer = a.proposer;

        a.bond = 0; // Before the call: the proposer may re-enter and must find nothing left.
        (bool ok,) = proposer.call{value: amount}("");
        require(ok, BondTransferFailed(proposer));
        emit BondReturned(id, proposer, amount);
    }

    /// @inheritdoc IRollup
    function assertion(bytes32 id) external view returns (Assertion memory) {
        return _existing(id);
    }

    /// @inheritdoc IRollup
    function isConfirmed(bytes32 id) external view returns (bool) {
        return _confirmed[_assertions[id].claim];
    }

    /// @inheritdoc IRollup
    function isContested(bytes32 id) external view returns (bool) {
        return _isContested(_existing(id));
    }

    function _existing(bytes32 id) private view returns (Assertion storage a) {
        a = _assertions[id];
        require(a.assertedAt != 0, UnknownAssertion(id));
    }

    function _claim(bytes32 parentClaim, Assertion memory a, bytes32 batchAcc) private pure returns (bytes32) {
        return keccak256(abi.encode(parentClaim, a.recordIndex, batchAcc, a.l2Number, a.outputRoot));
    }

    function _store(Assertion memory a, bytes32 batchAcc) private returns (bytes32 id) {
        id = keccak256(
            abi.encode(a.parent, a.recordIndex, batchAcc, a.l2Number, a.outputRoot, a.programHash, a.proposer)
        );
        // Zero is the mark of an id that does not exist.
        // slither-disable-next-line incorrect-equality
        require(_assertions[id].assertedAt == 0, AlreadyAsserted(id));
        _assertions[id] = a;
        emit Asserted(id, a.parent, a.proposer, a.recordIndex, batchAcc, a.l2Number, a.outputRoot, a.programHash);
    }

    /// Notes what is said, and marks both sides where it contradicts what was said before.
    function _compare(bytes32 id, Assertion memory a, bytes32 parentClaim) private {
        bool byParent = _note(_children[parentClaim], a.claim);
        bool byRecord = _note(_states[a.recordIndex], keccak256(abi.encode(a.l2Number, a.outputRoot)));
        if (byParent || byRecord) emit Contested(id, a.claim);
    }

    function _note(Saying storage saying, bytes32 what) private returns (bool contradicts) {
        bytes32 first = saying.first;
        if (first == 0) {
            saying.first = what;
        } else if (first != what) {
            saying.isContested = true;
            return true;
        }
    }

    function _isContested(Assertion memory a) private view returns (bool) {
        return _children[_assertions[a.parent].claim].isContested || _states[a.recordIndex].isContested;
    }

    function _confirm(bytes32 id, Assertion memory a) private {
        _confirmed[a.claim] = true;
        _latestConfirmedClaim = a.claim;
        latestConfirmed = id;
        emit Confirmed(id, a.recordIndex, a.l2Number, a.outputRoot);
    }
}
