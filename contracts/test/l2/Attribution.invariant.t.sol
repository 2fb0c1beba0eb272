// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {Entry, EntryProof} from "src/l2/Entry.sol";
import {IAttributionSettlement} from "src/l2/IAttributionSettlement.sol";
import {IReceipts} from "src/l2/IReceipts.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {CourtTest} from "./CourtTest.sol";
import {Ledgers} from "./Ledgers.sol";

/// @notice Two operators, one of whom sometimes lies and is caught; a merger; accounts that claim when they like.
contract Operators is CourtTest {
    uint32[2] public operators;
    /// Epochs that were served, as bytes: an encoded Made each.
    bytes[] private _epochs;
    /// Of the epochs whose parts are final, in the order of their numbers, those after the adopted tree.
    bytes[] private _waiting;
    Entry[] private _adopted;
    Entry[] private _posted;
    uint256 private _merging;
    uint256 public faults;
    uint256 public steps;
    /// Accounts whose claimable fell without a claim of theirs (I9), and leaves that fell (I4).
    uint256 public robbed;
    uint256 public paid;

    function setUp() public override {
        super.setUp();
        operators[0] = operator;
        operators[1] = _operator(makeAddr("second"));
    }

    function epochCount() external view returns (uint256) {
        return _epochs.length;
    }

    function epochAt(uint256 i) external view returns (uint32, uint64) {
        Made memory m = abi.decode(_epochs[i], (Made));
        return (m.operatorId, m.epoch);
    }

    /// Serves and posts an epoch; a lie is an entry for the operator's owner.
    function epoch(uint256 which, uint256 n, bool lie, uint256 wait) external {
        uint32 id = operators[which % 2];
        Made memory m = _serve(id, 1 + n % 3);
        vm.warp(block.timestamp + 600);
        if (uint256(m.epoch) * 600 / 1 days != block.timestamp / 1 days) m.lineagePpb = 250_000_000;
        m.entries = _attribute(m);
        Made memory honest = m;
        if (lie) m.entries = Ledgers.add(m.entries, Entry(address(this), 0, 1e12));
        vm.prank(ROUTER.operatorOwner(id));
        SETTLEMENT.postEpoch(_header(m), _parts(m));
        if (lie) {
            EntryProof memory e = _entryProof(m.entries, _from(m.entries, address(this)).position);
            vm.prank(challenger);
            COURT.wrongEntry(_case(m), version, e, _receiptProof(m, 0));
            ++faults;
            honest.entries = _attribute(honest);
            vm.prank(ROUTER.operatorOwner(id));
            SETTLEMENT.postEpoch(_header(honest), _parts(honest));
            m = honest;
        }
        _epochs.push(abi.encode(m));
        vm.warp(block.timestamp + wait % 2 hours);
    }

    function close(uint256 i) external {
        if (_epochs.length == 0) return;
        Made memory m = abi.decode(_epochs[i % _epochs.length], (Made));
        IReceipts.Header memory h = RECEIPTS.headerOf(m.operatorId, m.epoch);
        if (h.status != IReceipts.Status.POSTED) return;
        _waitFor(h.deadline);
        _finalize(m);
        _waiting.push(abi.encode(m));
    }

    function merge() external {
        if (_waiting.length == 0 || SETTLEMENT.step().poster != address(0)) return;
        Made[] memory made = new Made[](_waiting.length);
        for (uint256 i = 0; i < made.length; ++i) {
            made[i] = abi.decode(_waiting[i], (Made));
        }
        Entry[] memory gained = _gained(made, SETTLEMENT.adoptedUpTo() + 1);
        Entry[] memory cumulative = _merged(_adopted, gained);
        _postGlobal(cumulative, gained);
        delete _posted;
        for (uint256 i = 0; i < cumulative.length; ++i) {
            _posted.push(cumulative[i]);
        }
        _merging = made.length;
    }

    function adopt() external {
        if (SETTLEMENT.step().poster == address(0)) return;
        _waitFor(SETTLEMENT.step().deadline);
        uint256[2] memory before = _claimables();
        SETTLEMENT.adopt();
        _adopted = _posted;
        for (uint256 i = _merging; i < _waiting.length; ++i) {
            _waiting[i - _merging] = _waiting[i];
        }
        for (uint256 i = 0; i < _merging; ++i) {
            _waiting.pop();
        }
        ++steps;
        _checkNotRobbed(before, 2);
    }

    function claim(uint256 i) external {
        if (_adopted.length == 0) return;
        i %= _adopted.length;
        uint256[2] memory before = _claimables();
        paid += _claim(_adopted, i);
        _checkNotRobbed(before, _adopted[i].account == ann ? 0 : 1);
        SETTLEMENT.withdraw(merger);
    }

    function collect(uint256 wait) external {
        vm.warp(block.timestamp + wait % 3 days);
        SETTLEMENT.collect(version);
    }

    /// A deadline may have passed long ago, and no block is older than the one before it: time that ran backwards would
    /// bring an operator to serve an epoch that it has posted.
    function _waitFor(uint256 time) private {
        if (block.timestamp < time) vm.warp(time);
    }

    function _claimables() private view returns (uint256[2] memory amounts) {
        for (uint256 i = 0; i < _adopted.length; ++i) {
            uint256 k = _adopted[i].account == ann ? 0 : 1;
            amounts[k] = _adopted[i].amount - SETTLEMENT.claimedBy(_adopted[i].account);
        }
    }

    function _checkNotRobbed(uint256[2] memory before, uint256 claimer) private {
        uint256[2] memory now_ = _claimables();
        for (uint256 k = 0; k < 2; ++k) {
            if (k != claimer && now_[k] < before[k]) ++robbed;
        }
    }
}

contract AttributionInvariant is Test {
    Operators private operators;
    address private immutable challenger = makeAddr("challenger");
    address private immutable merger = makeAddr("merger");

    function setUp() public {
        operators = new Operators();
        operators.setUp();
        bytes4[] memory calls = new bytes4[](6);
        calls[0] = Operators.epoch.selector;
        calls[1] = Operators.close.selector;
        calls[2] = Operators.merge.selector;
        calls[3] = Operators.adopt.selector;
        calls[4] = Operators.claim.selector;
        calls[5] = Operators.collect.selector;
        targetSelector(FuzzSelector(address(operators), calls));
        targetContract(address(operators));
    }

    /// The calls reach faults, steps and claims: invariants over nothing would hold too.
    function test_calls_reachTheEnd() public {
        for (uint256 i = 0; i < 3; ++i) {
            operators.epoch(i, i, i == 1, 0);
            operators.close(i);
            operators.merge();
            operators.adopt();
            operators.claim(i);
        }
        assertEq(operators.faults(), 1);
        assertEq(operators.steps(), 3);
        assertGt(operators.paid(), 0);
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// I1 for the settlement.
    function invariant_settlementHoldsWhatItOwes() public view {
        IAttributionSettlement s = IAttributionSettlement(Predeploys.ATTRIBUTION_SETTLEMENT);
        assertEq(address(s).balance, s.liabilities() + s.owedTo(merger) + s.owedTo(challenger));
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// I1 and I8 for the bonds.
    function invariant_bondsAreThere() public view {
        IReceipts r = IReceipts(Predeploys.RECEIPTS);
        uint256 sum = r.owedTo(challenger);
        for (uint256 k = 0; k < 2; ++k) {
            uint32 id = operators.operators(k);
            (uint128 held, uint128 locked) = r.bondOf(id);
            assertLe(locked, held);
            sum += held;
            uint256 open = 0;
            for (uint256 i = 0; i < operators.epochCount(); ++i) {
                (uint32 of_, uint64 epoch) = operators.epochAt(i);
                IReceipts.Header memory h = r.headerOf(of_, epoch);
                if (of_ == id && h.status == IReceipts.Status.POSTED) open += h.bond;
            }
            assertEq(locked, open);
        }
        assertEq(address(r).balance, sum);
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// I4: the adopted sum is that of final parts, and claims never pass it. I9: nobody is robbed.
    function invariant_claimsStayWithinTheSum() public view {
        IAttributionSettlement s = IAttributionSettlement(Predeploys.ATTRIBUTION_SETTLEMENT);
        assertLe(s.books().sum, s.finalised());
        assertLe(s.books().claimed, s.books().sum);
        assertEq(s.books().claimed, operators.paid());
        if (s.adoptedUpTo() == s.partCount()) assertEq(s.books().sum, s.finalised());
        assertEq(operators.robbed(), 0);
    }
}
