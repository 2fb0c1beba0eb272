// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Entries, Entry, EntryProof, Place} from "src/l2/Entry.sol";
import {IAttributionCourt} from "src/l2/IAttributionCourt.sol";
import {IAttributionSettlement} from "src/l2/IAttributionSettlement.sol";
import {CourtTest} from "./CourtTest.sol";
import {Ledgers} from "./Ledgers.sol";

/// @notice Faults of steps: one step is adopted, a second is posted, true or falsified.
contract AttributionCourtStepsTest is CourtTest {
    /// The adopted tree, and the parts of the step to come.
    Entry[] private adopted;
    Entry[] private none;

    function setUp() public override {
        super.setUp();
        Made memory m = _finalEpoch(2);
        Entry[] memory gained = _gained(_one(m), 1);
        Entry[] memory first = _merged(none, gained);
        _postGlobal(first, gained);
        vm.warp(block.timestamp + CHALLENGE_S);
        SETTLEMENT.adopt();
        for (uint256 i = 0; i < first.length; ++i) {
            adopted.push(first[i]);
        }
    }

    function test_honestStep_hasNoFault() public {
        (Made[] memory made, Entry[] memory gained, Entry[] memory cumulative) = _books();
        _postGlobal(cumulative, gained);
        address[3] memory all = [ann, ben, challenger];
        for (uint256 i = 0; i < 3; ++i) {
            Place memory was = _place(adopted, all[i], 0);
            Place memory is_ = _place(cumulative, all[i], 0);
            Place memory from = _from(gained, all[i]);
            Place memory to = _to(gained, all[i]);
            _expectNoFault();
            COURT.wrongCumulative(all[i], was, is_, from, to);
        }
        for (uint256 i = 0; i < gained.length; ++i) {
            Made memory m = made[gained[i].number - 2];
            EntryProof memory gain = _entryProof(gained, i);
            Place memory from = _from(m.entries, gained[i].account);
            Place memory to = _to(m.entries, gained[i].account);
            IAttributionCourt.FinalPart memory p = _finalPart(m, gained[i].number);
            _expectNoFault();
            COURT.wrongGain(gain, p, from, to);
            if (i == 0) continue;
            EntryProof memory left = _entryProof(gained, i - 1);
            _expectNoFault();
            COURT.stepOrder(IAttributionCourt.Tree.GAINS, left, gain);
        }
        for (uint40 k = 0; k < 2; ++k) {
            for (uint256 i = 0; i < made[k].entries.length; ++i) {
                EntryProof memory e = _entryProof(made[k].entries, i);
                Place memory place = _place(gained, e.entry.account, k + 2);
                IAttributionCourt.FinalPart memory p = _finalPart(made[k], k + 2);
                _expectNoFault();
                COURT.missingGain(p, e, place);
            }
        }
        EntryProof memory a = _entryProof(cumulative, 0);
        EntryProof memory b = _entryProof(cumulative, 1);
        _expectNoFault();
        COURT.stepOrder(IAttributionCourt.Tree.CUMULATIVE, a, b);
    }

    /// The merger gives itself what is another's: the sum is right, the leaf is not.
    function test_stolenLeaf_voidsTheStep() public {
        (, Entry[] memory gained, Entry[] memory cumulative) = _books();
        cumulative[0].amount -= 1e15;
        cumulative = Ledgers.add(cumulative, Entry(merger, 0, 1e15));
        _postGlobal(cumulative, gained);
        uint256 burned = address(SETTLEMENT).balance;
        // Either side of the theft will do: here the thief's, who had nothing and gained nothing.
        Place memory was = _place(adopted, merger, 0);
        Place memory is_ = _place(cumulative, merger, 0);
        Place memory from = _from(gained, merger);
        Place memory to = _to(gained, merger);
        vm.expectEmit(address(COURT));
        emit IAttributionCourt.StepFaulted(challenger, COURT.wrongCumulative.selector);
        vm.prank(challenger);
        COURT.wrongCumulative(merger, was, is_, from, to);
        _assertStepVoid();
        assertEq(burned - address(SETTLEMENT).balance, 50 ether);
        // The adopted tree still pays.
        assertEq(_claim(adopted, 0), adopted[0].amount);
    }

    /// A random leaf of either tree a wei off, left out, or given to another.
    function testFuzz_falsifiedSteps_areFound(uint256 how, uint256 i) public {
        (Made[] memory made, Entry[] memory gained, Entry[] memory cumulative) = _books();
        how = bound(how, 0, 4);
        i = bound(i, 0, how < 2 ? 1 : gained.length - 1);
        address account = how < 2 ? cumulative[i].account : gained[i].account;
        uint40 number = gained[i].number;
        uint128 amount = how < 2 ? cumulative[i].amount : gained[i].amount;
        address thief = address(uint160(ann) ^ 1);
        if (how == 0) cumulative = Ledgers.add(Ledgers.remove(cumulative, i), Entry(thief, 0, amount));
        if (how == 1) (cumulative[i].amount, cumulative[1 - i].amount) = (amount - 1, cumulative[1 - i].amount + 1);
        if (how == 2) gained = Ledgers.add(Ledgers.remove(gained, i), Entry(thief, number, amount));
        if (how == 3) gained[i].number = 9; // A part that does not exist.
        if (how == 4) gained = Ledgers.insert(gained, i, Entry(account, number, 0));
        _postGlobal(cumulative, gained);
        if (how < 2) {
            Place memory was = _place(adopted, account, 0);
            Place memory is_ = _place(cumulative, account, 0);
            Place memory from = _from(gained, account);
            Place memory to = _to(gained, account);
            vm.prank(challenger);
            COURT.wrongCumulative(account, was, is_, from, to);
        } else if (how == 2) {
            Made memory m = made[number - 2];
            EntryProof memory e = _entryProof(m.entries, _from(m.entries, account).position);
            Place memory place = _place(gained, account, number);
            IAttributionCourt.FinalPart memory p = _finalPart(m, number);
            vm.prank(challenger);
            COURT.missingGain(p, e, place);
        } else if (how == 3) {
            EntryProof memory gain = _entryProof(gained, i);
            IAttributionCourt.FinalPart memory nothing;
            Place memory nowhere;
            vm.prank(challenger);
            COURT.wrongGain(gain, nothing, nowhere, nowhere);
        } else {
            EntryProof memory left = _entryProof(gained, i);
            EntryProof memory right = _entryProof(gained, i + 1);
            vm.prank(challenger);
            COURT.stepOrder(IAttributionCourt.Tree.GAINS, left, right);
        }
        _assertStepVoid();
    }

    function test_gainThatItsPartDoesNotGive_voidsTheStep() public {
        (Made[] memory made, Entry[] memory gained, Entry[] memory cumulative) = _books();
        Entry memory theft = Entry(merger, 3, 1e15);
        gained[0].amount -= 1e15;
        gained = Ledgers.add(gained, theft);
        cumulative[0].amount -= 1e15;
        cumulative = Ledgers.add(cumulative, Entry(merger, 0, 1e15));
        _postGlobal(cumulative, gained);
        EntryProof memory gain = _entryProof(gained, _place(gained, merger, 3).position);
        IAttributionCourt.FinalPart memory p = _finalPart(made[0], 2);
        Place memory from = _from(made[1].entries, merger);
        Place memory to = _to(made[1].entries, merger);
        vm.expectRevert(IAttributionCourt.UnknownPart.selector);
        COURT.wrongGain(gain, p, from, to); // Another part than the gain's.
        p = _finalPart(made[0], 3);
        vm.expectRevert(IAttributionCourt.UnknownPart.selector);
        COURT.wrongGain(gain, p, from, to); // A part under another's number.
        p = _finalPart(made[1], 3);
        vm.prank(challenger);
        COURT.wrongGain(gain, p, from, to);
        _assertStepVoid();
    }

    function test_emptyTrees_areMissingEverything() public {
        (Made[] memory made,,) = _books();
        uint96 sum = SETTLEMENT.finalised();
        vm.prank(merger);
        SETTLEMENT.postGlobal{value: 100 ether}("root", 0, sum, "step", 0, 0);
        EntryProof memory e = _entryProof(made[0].entries, 0);
        Place memory nowhere;
        IAttributionCourt.FinalPart memory p = _finalPart(made[0], 2);
        vm.prank(challenger);
        COURT.missingGain(p, e, nowhere);
        _assertStepVoid();
    }

    function test_partOfAnEarlierStep_isNotMissing() public {
        (, Entry[] memory gained, Entry[] memory cumulative) = _books();
        _postGlobal(cumulative, gained);
        IAttributionCourt.FinalPart memory p;
        p.number = 1;
        EntryProof memory e;
        Place memory nowhere;
        vm.expectRevert(IAttributionCourt.UnknownPart.selector);
        COURT.missingGain(p, e, nowhere);
    }

    function test_withheldLeaf_voidsTheStep() public {
        (, Entry[] memory gained, Entry[] memory cumulative) = _books();
        _postGlobal(cumulative, gained);
        IAttributionCourt.Wanted memory w = _wantedLeaf(IAttributionCourt.Tree.CUMULATIVE, 1);
        vm.prank(challenger);
        COURT.demand{value: 0.01 ether}(w);
        vm.warp(block.timestamp + CHALLENGE_S);
        vm.expectRevert(abi.encodeWithSelector(IAttributionSettlement.DemandsOpen.selector, 1));
        SETTLEMENT.adopt();
        IAttributionCourt.Case memory nothing;
        COURT.timeout(w, nothing);
        _assertStepVoid();
    }

    function test_demandedLeaves_areShown() public {
        (, Entry[] memory gained, Entry[] memory cumulative) = _books();
        _postGlobal(cumulative, gained);
        uint256 deadline = SETTLEMENT.step().deadline;
        IAttributionCourt.Case memory nothing;
        IAttributionCourt.Wanted memory w = _wantedLeaf(IAttributionCourt.Tree.GAINS, 2);
        vm.prank(challenger);
        COURT.demand{value: 0.01 ether}(w);
        COURT.answerEntry(w, nothing, _entryProof(gained, 2));
        w = _wantedLeaf(IAttributionCourt.Tree.CUMULATIVE, 1);
        vm.prank(challenger);
        COURT.demand{value: 0.01 ether}(w);
        EntryProof memory wrong = _entryProof(cumulative, 0);
        vm.expectRevert(abi.encodeWithSelector(Entries.BadEntryProof.selector, 0));
        COURT.answerEntry(w, nothing, wrong);
        vm.warp(deadline - 1);
        COURT.answerEntry(w, nothing, _entryProof(cumulative, 1));
        assertEq(SETTLEMENT.step().deadline, deadline - 1 + 2 hours);
        w = _wantedLeaf(IAttributionCourt.Tree.CUMULATIVE, 2);
        vm.expectRevert(abi.encodeWithSelector(IAttributionCourt.NoSuchLeaf.selector, 2));
        vm.prank(challenger);
        COURT.demand{value: 0.01 ether}(w);
        vm.warp(deadline - 1 + 2 hours);
        SETTLEMENT.adopt();
    }

    /// A step voided and posted anew within one second: the old demand is not the new step's.
    function test_demandOfAVoidedStep_isOver() public {
        (Made[] memory made, Entry[] memory gained, Entry[] memory cumulative) = _books();
        uint96 sum = SETTLEMENT.finalised();
        vm.prank(merger);
        SETTLEMENT.postGlobal{value: 100 ether}("root", 1, sum, "step", 1, 0);
        IAttributionCourt.Wanted memory w = _wantedLeaf(IAttributionCourt.Tree.GAINS, 0);
        vm.prank(challenger);
        COURT.demand{value: 0.01 ether}(w);
        vm.warp(block.timestamp + 2 hours);
        IAttributionCourt.Case memory nothing;
        COURT.timeout(w, nothing);
        _postGlobal(cumulative, gained);
        bytes32 id = COURT.idOf(w);
        vm.expectRevert(abi.encodeWithSelector(IAttributionCourt.NotDemanded.selector, id));
        COURT.timeout(w, nothing);
        vm.expectRevert(IAttributionCourt.NotPosted.selector);
        vm.prank(challenger);
        COURT.demand{value: 0.01 ether}(w);
        assertEq(made.length, 2);
    }

    /// @dev Two more epochs, final, and what an honest merger makes of them.
    function _books() private returns (Made[] memory made, Entry[] memory gained, Entry[] memory cumulative) {
        made = new Made[](2);
        made[0] = _finalEpoch(1);
        made[1] = _finalEpoch(3);
        gained = _gained(made, 2);
        cumulative = _merged(adopted, gained);
    }

    function _wantedLeaf(IAttributionCourt.Tree tree, uint256 index)
        private
        view
        returns (IAttributionCourt.Wanted memory)
    {
        return IAttributionCourt.Wanted(tree, 0, SETTLEMENT.step().number, 0, 0, index);
    }

    function _assertStepVoid() private view {
        assertEq(SETTLEMENT.step().poster, address(0));
        assertEq(SETTLEMENT.owedTo(challenger), 50 ether);
    }
}
