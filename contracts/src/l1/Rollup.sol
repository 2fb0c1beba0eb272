// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {IInbox} from "./interfaces/IInbox.sol";
import {IRollup} from "./interfaces/IRollup.sol";
import {ISystemConfig} from "./interfaces/ISystemConfig.sol";
import {IWithdrawals} from "./interfaces/IWithdrawals.sol";

/// @title Rollup
/// @dev Invariants: confirmed claims form one chain, each the child of the one before, and are the beginning of the path;
/// the ETH held here equals the bonds not yet returned, plus what was forced in (test/l1/RollupKeepsBonds.t.sol).
contract Rollup is IRollup, Initializable {
    /// An OP client waits for the next output this long at most before it asks again.
    uint256 private constant MAX_INTERVAL_S = 1 hours;

    IInbox public immutable inbox;
    ISystemConfig public immutable config;
    /// Told of every confirmed output, so that whoever finalises need not ask.
    IWithdrawals public immutable portal;

    /// One slot.
    struct Head {
        uint64 windowS;
        uint32 outputCount;
        uint32 latestConfirmed;
        uint32 pathLength;
        /// How much of the path is confirmed.
        uint32 confirmedLength;
    }

    /// A distinct claim, in four slots.
    struct Output {
        bytes32 claim;
        bytes32 root;
        /// The first assertion of it.
        bytes32 assertion;
        uint64 l2Number;
        uint40 recordIndex;
        uint40 assertedAt;
        uint32 parent;
        /// The first output said to follow it; zero for none, since genesis follows nothing.
        uint32 firstChild;
        bool childrenContested;
        bool isConfirmed;
    }

    /// One bonded voice for an output.
    struct Voice {
        bytes32 parent;
        bytes32 programHash;
        address proposer;
        uint96 bond;
        uint64 assertedAt;
        uint32 output;
    }

    /// The first output about the state after a number of records, and whether another says something else.
    struct Saying {
        uint32 first;
        bool isContested;
    }

    Head private _head;
    /// @inheritdoc IRollup
    bytes32 public genesis;
    /// @inheritdoc IRollup
    bytes32 public latestConfirmed;
    mapping(bytes32 id => Voice) private _voices;
    mapping(uint256 index => Output) internal _outputs;
    mapping(bytes32 claim => uint256 index) private _outputOf;
    mapping(uint64 recordIndex => Saying) internal _states;
    /// Eight positions to a slot.
    mapping(uint256 eighth => uint32[8]) private _path;

    constructor(IInbox inbox_, ISystemConfig config_) {
        inbox = inbox_;
        config = config_;
        portal = IWithdrawals(inbox_.portal());
        _disableInitializers();
    }

    /// @inheritdoc IRollup
    function initialise(uint64 windowS_, bytes32 genesisOutputRoot) external initializer {
        require(windowS_ != 0, BadParams());
        require(genesisOutputRoot != 0, ZeroOutputRoot());
        _head.windowS = windowS_;

        bytes32 programHash = config.programHash();
        bytes32 id = _voiceId(0, 0, 0, 0, genesisOutputRoot, programHash, address(0));
        bytes32 claim = _claim(0, 0, 0, 0, genesisOutputRoot);
        _voices[id] = Voice(0, programHash, address(0), 0, uint64(block.timestamp), 0);
        _outputs[0] = Output({
            claim: claim,
            root: genesisOutputRoot,
            assertion: id,
            l2Number: 0,
            recordIndex: 0,
            assertedAt: uint40(block.timestamp),
            parent: 0,
            firstChild: 0,
            childrenContested: false,
            isConfirmed: true
        });
        _outputOf[claim] = 0;
        (_head.outputCount, _head.pathLength, _head.confirmedLength) = (1, 1, 1);
        (genesis, latestConfirmed) = (id, id);
        emit Asserted(id, 0, address(0), 0, 0, 0, genesisOutputRoot, programHash);
        emit OutputProposed(genesisOutputRoot, 0, 0, block.timestamp);
        emit Confirmed(id, 0, 0, genesisOutputRoot);
    }

    /// @inheritdoc IRollup
    function assertOutput(bytes32 parentId, uint64 recordIndex, bytes32 batchAcc, uint64 l2Number, bytes32 outputRoot)
        external
        payable
        returns (bytes32 id)
    {
        uint32 parentIndex = _existing(parentId).output;
        Output storage parent = _outputs[parentIndex];
        require(!parent.isConfirmed || parentIndex == _head.latestConfirmed, BehindConfirmed(latestConfirmed));
        require(
            recordIndex > parent.recordIndex && l2Number > parent.l2Number,
            NotBeyondParent(parent.recordIndex, parent.l2Number)
        );
        require(outputRoot != 0, ZeroOutputRoot());
        {
            bytes32 actual = inbox.batchAccs(recordIndex);
            require(batchAcc == actual, WrongBatchAcc(actual));
        }
        require(msg.value == config.bond(), WrongBond(msg.value, config.bond()));

        bytes32 programHash = config.programHash();
        id = _voiceId(parentId, recordIndex, batchAcc, l2Number, outputRoot, programHash, msg.sender);
        // Zero is the mark of an id that does not exist.
        // slither-disable-next-line incorrect-equality
        require(_voices[id].assertedAt == 0, AlreadyAsserted(id));
        emit Asserted(id, parentId, msg.sender, recordIndex, batchAcc, l2Number, outputRoot, programHash);

        bytes32 claim = _claim(parent.claim, recordIndex, batchAcc, l2Number, outputRoot);
        uint32 index = uint32(_outputOf[claim]);
        // Only genesis has index zero, and its claim follows nothing.
        if (index == 0) index = _append(claim, id, parentIndex, recordIndex, l2Number, outputRoot);
        _voices[id] = Voice(parentId, programHash, msg.sender, uint96(msg.value), uint64(block.timestamp), index);
    }

    /// @inheritdoc IRollup
    function confirm(bytes32 id) public {
        Voice storage voice = _existing(id);
        uint32 index = voice.output;
        Output storage output = _outputs[index];
        require(!output.isConfirmed, AlreadyConfirmed(id));
        require(output.parent == _head.latestConfirmed, ParentNotConfirmed(voice.parent));
        uint256 until = uint256(voice.assertedAt) + _head.windowS;
        require(block.timestamp > until, WindowOpen(until));
        require(!_isContested(output), IsContested(id));
        require(!config.paused(), FinalisationPaused());

        output.isConfirmed = true;
        latestConfirmed = id;
        _turnPath(index);
        emit Confirmed(id, output.recordIndex, output.l2Number, output.root);
        portal.outputConfirmed(index);
    }

    /// @inheritdoc IRollup
    function confirmOutput(uint256 index) external {
        confirm(_existingOutput(index).assertion);
    }

    /// @inheritdoc IRollup
    function extendPath(uint256 index) external {
        Head memory head = _head;
        // Both sides are indexes that nobody chooses.
        // slither-disable-next-line incorrect-equality
        require(index != 0 && _existingOutput(index).parent == _onPath(head.pathLength - 1), NotOnPath(index));
        _putOnPath(head, uint32(index));
        _head = head;
    }

    /// @inheritdoc IRollup
    function withdrawBond(bytes32 id) external {
        Voice storage voice = _existing(id);
        require(_outputs[voice.output].isConfirmed, NotConfirmed(id));
        uint256 amount = voice.bond;
        require(amount != 0, NoBond(id));
        address proposer = voice.proposer;

        voice.bond = 0; // Before the call: the proposer may re-enter and must find nothing left.
        (bool ok,) = proposer.call{value: amount}("");
        require(ok, BondTransferFailed(proposer));
        emit BondReturned(id, proposer, amount);
    }

    /// @inheritdoc IRollup
    function assertion(bytes32 id) external view returns (Assertion memory) {
        Voice memory voice = _existing(id);
        Output memory output = _outputs[voice.output];
        return Assertion({
            parent: voice.parent,
            claim: output.claim,
            outputRoot: output.root,
            programHash: voice.programHash,
            proposer: voice.proposer,
            assertedAt: voice.assertedAt,
            bond: voice.bond,
            recordIndex: output.recordIndex,
            l2Number: output.l2Number
        });
    }

    /// @inheritdoc IRollup
    function isConfirmed(bytes32 id) external view returns (bool) {
        return _voices[id].assertedAt != 0 && _outputs[_voices[id].output].isConfirmed;
    }

    /// @inheritdoc IRollup
    function isContested(bytes32 id) external view returns (bool) {
        return _isContested(_outputs[_existing(id).output]);
    }

    /// @inheritdoc IRollup
    function windowS() public view returns (uint64) {
        return _head.windowS;
    }

    /// @inheritdoc IRollup
    function outputTerms(uint256 index) external view returns (bytes32, uint256, uint256) {
        Output storage output = _existingOutput(index);
        uint256 window = _head.windowS;
        return (output.root, output.assertedAt + window, window);
    }

    /// @inheritdoc IRollup
    function outputIndexOf(bytes32 id) external view returns (uint256) {
        return _existing(id).output;
    }

    /// @inheritdoc IRollup
    function outputAssertion(uint256 index) external view returns (bytes32) {
        return _existingOutput(index).assertion;
    }

    /// @inheritdoc IRollup
    function isOutputConfirmed(uint256 index) external view returns (bool) {
        return _existingOutput(index).isConfirmed;
    }

    /// @inheritdoc IRollup
    function isOutputContested(uint256 index) external view returns (bool) {
        return _isContested(_existingOutput(index));
    }

    /// @inheritdoc IRollup
    function getL2Output(uint256 index) public view returns (OutputProposal memory) {
        Output storage output = _existingOutput(index);
        return OutputProposal(output.root, output.assertedAt, output.l2Number);
    }

    /// @inheritdoc IRollup
    function getL2OutputIndexAfter(uint256 l2BlockNumber) public view returns (uint256) {
        // viem takes exactly these words for "not yet".
        require(
            l2BlockNumber <= latestBlockNumber(),
            "L2OutputOracle: cannot get output for a block that has not been proposed"
        );
        // L2 numbers rise along the path.
        uint256 low = 0;
        uint256 high = _head.pathLength - 1;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (_outputs[_onPath(middle)].l2Number < l2BlockNumber) low = middle + 1;
            else high = middle;
        }
        return _onPath(low);
    }

    /// @inheritdoc IRollup
    function getL2OutputAfter(uint256 l2BlockNumber) external view returns (OutputProposal memory) {
        return getL2Output(getL2OutputIndexAfter(l2BlockNumber));
    }

    /// @inheritdoc IRollup
    function latestOutputIndex() public view returns (uint256) {
        return _onPath(_head.pathLength - 1);
    }

    /// @inheritdoc IRollup
    function nextOutputIndex() external view returns (uint256) {
        return _head.outputCount;
    }

    /// @inheritdoc IRollup
    function latestBlockNumber() public view returns (uint256) {
        return _outputs[latestOutputIndex()].l2Number;
    }

    /// @inheritdoc IRollup
    function FINALIZATION_PERIOD_SECONDS() external view returns (uint256) {
        return windowS();
    }

    /// @inheritdoc IRollup
    function finalizationPeriodSeconds() external view returns (uint256) {
        return windowS();
    }

    /// @inheritdoc IRollup
    function L2_BLOCK_TIME() external pure returns (uint256) {
        return 1;
    }

    /// @inheritdoc IRollup
    function SUBMISSION_INTERVAL() external view returns (uint256 interval) {
        uint256 length = _head.pathLength;
        if (length == 1) return 1;
        interval = _outputs[_onPath(length - 1)].assertedAt - _outputs[_onPath(length - 2)].assertedAt;
        if (interval == 0) interval = 1;
        if (interval > MAX_INTERVAL_S) interval = MAX_INTERVAL_S;
    }

    /// @inheritdoc IRollup
    function version() external pure returns (string memory) {
        return "1.8.0";
    }

    function _existing(bytes32 id) private view returns (Voice storage voice) {
        voice = _voices[id];
        require(voice.assertedAt != 0, UnknownAssertion(id));
    }

    function _existingOutput(uint256 index) private view returns (Output storage) {
        require(index < _head.outputCount, UnknownOutput(index));
        return _outputs[index];
    }

    function _voiceId(
        bytes32 parent,
        uint64 recordIndex,
        bytes32 batchAcc,
        uint64 l2Number,
        bytes32 outputRoot,
        bytes32 programHash,
        address proposer
    ) private pure returns (bytes32) {
        return keccak256(abi.encode(parent, recordIndex, batchAcc, l2Number, outputRoot, programHash, proposer));
    }

    function _claim(bytes32 parentClaim, uint64 recordIndex, bytes32 batchAcc, uint64 l2Number, bytes32 outputRoot)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(parentClaim, recordIndex, batchAcc, l2Number, outputRoot));
    }

    /// Gives a new claim its index, and marks it and its rivals if it contradicts what was said before.
    function _append(
        bytes32 claim,
        bytes32 id,
        uint32 parentIndex,
        uint64 recordIndex,
        uint64 l2Number,
        bytes32 outputRoot
    ) private returns (uint32 index) {
        Head memory head = _head;
        index = head.outputCount++;
        if (_onPath(head.pathLength - 1) == parentIndex) _putOnPath(head, index);
        _head = head;
        _outputOf[claim] = index;
        _outputs[index] = Output({
            claim: claim,
            root: outputRoot,
            assertion: id,
            l2Number: l2Number,
            recordIndex: uint40(recordIndex),
            assertedAt: uint40(block.timestamp),
            parent: parentIndex,
            firstChild: 0,
            childrenContested: false,
            isConfirmed: false
        });
        emit OutputProposed(outputRoot, index, l2Number, block.timestamp);
        bool byParent = _noteChild(parentIndex, index);
        bool byRecord = _noteState(recordIndex, index, l2Number, outputRoot);
        if (byParent || byRecord) emit Contested(id, claim);
    }

    function _noteChild(uint32 parentIndex, uint32 index) private returns (bool contradicts) {
        Output storage parent = _outputs[parentIndex];
        contradicts = parent.firstChild != 0;
        if (contradicts) parent.childrenContested = true;
        else parent.firstChild = index;
    }

    function _noteState(uint64 recordIndex, uint32 index, uint64 l2Number, bytes32 outputRoot)
        private
        returns (bool contradicts)
    {
        Saying storage saying = _states[recordIndex];
        if (saying.first == 0) {
            saying.first = index;
            return false;
        }
        Output storage first = _outputs[saying.first];
        contradicts = first.l2Number != l2Number || first.root != outputRoot;
        if (contradicts) saying.isContested = true;
    }

    function _isContested(Output storage output) private view returns (bool) {
        return _outputs[output.parent].childrenContested || _states[output.recordIndex].isContested;
    }

    /// A confirmed output has its place on the path, whatever was there first.
    function _turnPath(uint32 index) private {
        Head memory head = _head;
        if (head.pathLength == head.confirmedLength || _onPath(head.confirmedLength) != index) {
            head.pathLength = head.confirmedLength;
            _putOnPath(head, index);
        }
        ++head.confirmedLength;
        head.latestConfirmed = index;
        _head = head;
    }

    function _putOnPath(Head memory head, uint32 index) private {
        uint32 position = head.pathLength++;
        _path[position / 8][position % 8] = index;
    }

    function _onPath(uint256 position) private view returns (uint32) {
        return _path[position / 8][position % 8];
    }
}
