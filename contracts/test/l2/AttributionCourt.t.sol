// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Entries, Entry, EntryProof, Place} from "src/l2/Entry.sol";
import {IAttributionCourt} from "src/l2/IAttributionCourt.sol";
import {IAttributionSettlement} from "src/l2/IAttributionSettlement.sol";
import {IReceipts} from "src/l2/IReceipts.sol";
import {Methods} from "src/l2/Methods.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {Head, InferenceReceipt, Offer} from "src/l2/Receipt.sol";
import {CourtTest} from "./CourtTest.sol";
import {Ledgers} from "./Ledgers.sol";
import {Trees} from "./Trees.sol";

/// @notice Faults of epochs.
contract AttributionCourtTest is CourtTest {
    // An honest epoch

    function test_honestEpoch_hasNoFault() public {
        Made memory m = _served(3);
        _post(m);
        IAttributionCourt.Case memory c = _case(m);
        for (uint256 i = 0; i < m.entries.length; ++i) {
            EntryProof memory e = _entryProof(m.entries, i);
            IAttributionCourt.ReceiptProof memory r = _receiptProof(m, m.entries[i].number);
            _expectNoFault();
            COURT.wrongEntry(c, version, e, r);
            Place memory place = _place(m.entries, e.entry.account, e.entry.number);
            _expectNoFault();
            COURT.missingEntry(c, version, e.entry.account, r, place);
            if (i == 0) continue;
            EntryProof memory left = _entryProof(m.entries, i - 1);
            _expectNoFault();
            COURT.entryOrder(c, version, left, e);
        }
        for (uint256 i = 0; i < 3; ++i) {
            IAttributionCourt.ReceiptProof memory r = _receiptProof(m, i);
            Place memory place = _place(m.entries, challenger, uint40(i));
            _expectNoFault();
            COURT.missingEntry(c, version, challenger, r, place); // No receipt names it.
            _expectNoFault();
            COURT.badReceipt(c, r);
            if (i == 0) continue;
            IAttributionCourt.ReceiptProof memory left = _receiptProof(m, i - 1);
            _expectNoFault();
            COURT.receiptOrder(c, left, r);
        }
        IAttributionCourt.ReceiptPlace memory from = _receiptPlace(m, model);
        IAttributionCourt.ReceiptPlace memory to = _receiptPlace(m, model + 1);
        _expectNoFault();
        COURT.wrongAsset(c, model, from, to);
        Made memory next = _served(1);
        _post(next);
        IAttributionCourt.ReceiptProof memory here = _receiptProof(next, 0);
        IAttributionCourt.ReceiptProof memory earlier = _receiptProof(m, 0);
        c = _case(next);
        _expectNoFault();
        COURT.receiptTwice(c, here, m.epoch, earlier, 0);
    }

    function test_honestEpoch_cannotBeFramedByWrongPlaces() public {
        Made memory m = _served(3);
        _post(m);
        IAttributionCourt.Case memory c = _case(m);
        IAttributionCourt.ReceiptProof memory r = _receiptProof(m, 1);
        // A place two entries wide: `left` is not at the position before `right`.
        Place memory place = _place(m.entries, ann, 2);
        place.left = _place(m.entries, ann, 1).left;
        place.leftProof = _place(m.entries, ann, 1).leftProof;
        vm.expectRevert(abi.encodeWithSelector(Entries.BadEntryProof.selector, place.position - 1));
        COURT.missingEntry(c, version, ann, r, place);
        // A place too early, whose right entry is still before the key, and one too late, whose left one is the key.
        place = _place(m.entries, ann, 0);
        vm.expectRevert(abi.encodeWithSelector(Entries.BadPlace.selector, place.position));
        COURT.missingEntry(c, version, ann, r, place);
        place = _place(m.entries, ann, 2);
        vm.expectRevert(abi.encodeWithSelector(Entries.BadPlace.selector, place.position));
        COURT.missingEntry(c, version, ann, r, place);
        // Past the end.
        place.position = m.entries.length + 1;
        vm.expectRevert(abi.encodeWithSelector(Entries.BadPlace.selector, place.position));
        COURT.missingEntry(c, version, ann, r, place);
        // "At the end", without being there: the left one is not the last.
        place = _place(m.entries, ann, 1);
        place.position = m.entries.length;
        (bool ok,) = address(COURT).call(abi.encodeCall(COURT.missingEntry, (c, version, ann, r, place)));
        assertFalse(ok);
        // Other parts than were posted, without the entry.
        m.entries = Ledgers.remove(m.entries, 0);
        c = _case(m);
        vm.expectRevert(IAttributionCourt.UnknownPart.selector);
        COURT.missingEntry(c, version, ann, r, place);
        // Another vector than the receipt's.
        m = _served(1);
        _post(m);
        r = _receiptProof(m, 0);
        r.vector[0] += 1;
        c = _case(m);
        vm.expectRevert(IAttributionCourt.OtherVector.selector);
        COURT.badReceipt(c, r);
    }

    // Entries

    function test_extraEntry_isSlashedByAStranger() public {
        Made memory m = _served(2);
        Entry memory theft = Entry(operatorOwner, 0, 0.001 ether);
        m.entries = Ledgers.add(m.entries, theft);
        _post(m);
        uint256 i = _indexOf(m.entries, theft);
        uint256 burned = address(RECEIPTS).balance;
        vm.expectEmit(address(COURT));
        emit IAttributionCourt.EpochFaulted(operator, m.epoch, challenger, COURT.wrongEntry.selector);
        vm.prank(challenger);
        COURT.wrongEntry(_case(m), version, _entryProof(m.entries, i), _receiptProof(m, 0));
        _assertVoid(m);
        assertEq(burned - address(RECEIPTS).balance, 5 ether);
        uint256 had = challenger.balance;
        RECEIPTS.withdraw(challenger);
        assertEq(challenger.balance - had, 5 ether);

        // Posted anew, honestly, it goes all the way.
        m.entries = _attribute(m);
        _post(m);
        vm.warp(block.timestamp + CHALLENGE_S);
        _finalize(m);
        assertEq(SETTLEMENT.finalised(), Ledgers.sum(m.entries));
    }

    function test_entryOfAReceiptThatDoesNotExist_needsNoReceipt() public {
        Made memory m = _served(2);
        Entry memory theft = Entry(operatorOwner, 2, 1);
        m.entries = Ledgers.add(m.entries, theft);
        _post(m);
        IAttributionCourt.ReceiptProof memory nothing;
        vm.prank(challenger);
        COURT.wrongEntry(_case(m), version, _entryProof(m.entries, _indexOf(m.entries, theft)), nothing);
        _assertVoid(m);
    }

    /// A random entry a wei more or less, left out, or twice: some call voids the epoch.
    function testFuzz_falsifiedEntries_areFound(uint256 n, uint256 i, uint256 how) public {
        Made memory m = _served(bound(n, 1, 4));
        i = bound(i, 0, m.entries.length - 1);
        how = bound(how, 0, 3);
        Entry memory e = m.entries[i];
        if (how == 0) e.amount += 1;
        if (how == 1) e.amount -= 1;
        if (how == 2) m.entries = Ledgers.remove(m.entries, i);
        if (how == 3) m.entries = Ledgers.insert(m.entries, i, Entry(e.account, e.number, 1));
        vm.deal(address(this), 1);
        SETTLEMENT.fund{value: 1}(version);
        _post(m);
        IAttributionCourt.Case memory c = _case(m);
        IAttributionCourt.ReceiptProof memory r = _receiptProof(m, e.number);
        if (how < 2) {
            EntryProof memory p = _entryProof(m.entries, i);
            vm.prank(challenger);
            COURT.wrongEntry(c, version, p, r);
        } else if (how == 2) {
            Place memory place = _place(m.entries, e.account, e.number);
            vm.prank(challenger);
            COURT.missingEntry(c, version, e.account, r, place);
        } else {
            EntryProof memory left = _entryProof(m.entries, i);
            EntryProof memory right = _entryProof(m.entries, i + 1);
            vm.prank(challenger);
            COURT.entryOrder(c, version, left, right);
        }
        _assertVoid(m);
    }

    function test_unsortedEntries_areAFault_equalOnesToo() public {
        Made memory m = _served(1);
        (m.entries[0], m.entries[1]) = (m.entries[1], m.entries[0]);
        _post(m);
        IAttributionCourt.Case memory c = _case(m);
        EntryProof memory left = _entryProof(m.entries, 0);
        EntryProof memory right = _entryProof(m.entries, 1);
        vm.expectRevert(IAttributionCourt.NotNeighbours.selector);
        COURT.entryOrder(c, version, right, left);
        vm.expectRevert(IAttributionCourt.NotNeighbours.selector);
        COURT.entryOrder(c, version, left, left);
        vm.prank(challenger);
        COURT.entryOrder(c, version, left, right);
        _assertVoid(m);
    }

    function test_noPartAtAll_isAMissingEntry() public {
        Made memory m = _served(1);
        m.entries = new Entry[](0);
        _post(m);
        Place memory nowhere;
        vm.prank(challenger);
        COURT.missingEntry(_case(m), version, ann, _receiptProof(m, 0), nowhere);
        _assertVoid(m);
    }

    function test_entryForAVersionOutsideTheAsset_isWrong() public {
        uint64 other = _snapshot(); // The model does not name it.
        Made memory m = _served(1);
        Entry[] memory theft = new Entry[](1);
        theft[0] = Entry(ann, 0, 5);
        IAttributionSettlement.Part[] memory parts = new IAttributionSettlement.Part[](2);
        parts[0] = _part(m);
        parts[1] = IAttributionSettlement.Part(other, 1, 5, Trees.root(Ledgers.leaves(theft)).hash);
        vm.deal(address(this), 5);
        SETTLEMENT.fund{value: 5}(other);
        vm.prank(operatorOwner);
        SETTLEMENT.postEpoch(_header(m), parts);
        IAttributionCourt.Case memory c = IAttributionCourt.Case(operator, m.epoch, parts);
        EntryProof memory e = _entryProof(theft, 0);
        IAttributionCourt.ReceiptProof memory r = _receiptProof(m, 0);
        vm.expectRevert(IAttributionCourt.UnknownPart.selector);
        COURT.wrongEntry(c, model, e, r);
        vm.prank(challenger);
        COURT.wrongEntry(c, other, e, r);
        _assertVoid(m);
    }

    /// The agent's share is not in the receipt, so the largest there can be is taken off.
    function test_receiptThroughAnAgent_givesLess() public {
        Made memory m = _served(1);
        m.receipts[0].agentId = 77;
        _post(m); // With entries as if there were no agent.
        vm.prank(challenger);
        COURT.wrongEntry(_case(m), version, _entryProof(m.entries, 0), _receiptProof(m, 0));
        m.lineagePpb = 300_000_000;
        m.entries = _attribute(m);
        m.lineagePpb = LINEAGE_PPB;
        _post(m);
        IAttributionCourt.Case memory c = _case(m);
        EntryProof memory e = _entryProof(m.entries, 0);
        IAttributionCourt.ReceiptProof memory r = _receiptProof(m, 0);
        _expectNoFault();
        COURT.wrongEntry(c, version, e, r);
    }

    // Receipts

    function test_sameReceiptTwice_inOneEpoch() public {
        Made memory m = _served(3);
        m.receipts[2].receiptId = m.receipts[1].receiptId;
        _post(m);
        IAttributionCourt.Case memory c = _case(m);
        IAttributionCourt.ReceiptProof memory a = _receiptProof(m, 0);
        IAttributionCourt.ReceiptProof memory b = _receiptProof(m, 1);
        IAttributionCourt.ReceiptProof memory last = _receiptProof(m, 2);
        _expectNoFault();
        COURT.receiptOrder(c, a, b);
        vm.expectRevert(IAttributionCourt.NotNeighbours.selector);
        COURT.receiptOrder(c, a, last);
        vm.prank(challenger);
        COURT.receiptOrder(c, b, last);
        _assertVoid(m);
    }

    function test_sameReceiptTwice_inTwoEpochs() public {
        Made memory first = _served(1);
        _post(first);
        Made memory m = _served(1);
        m.receipts[0] = first.receipts[0];
        _post(m);
        IAttributionCourt.ReceiptProof memory here = _receiptProof(m, 0);
        IAttributionCourt.ReceiptProof memory earlier = _receiptProof(first, 0);
        IAttributionCourt.Case memory c = _case(first);
        vm.expectRevert(IAttributionCourt.NotPosted.selector); // The later epoch is at fault, not the earlier.
        COURT.receiptTwice(c, earlier, m.epoch, here, 0);
        c = _case(m);
        vm.prank(challenger);
        COURT.receiptTwice(c, here, first.epoch, earlier, 0);
        _assertVoid(m);
        assertEq(uint8(RECEIPTS.headerOf(operator, first.epoch).status), uint8(IReceipts.Status.POSTED));
    }

    function test_badReceipts_areFaults() public {
        for (uint256 how = 0; how < 10; ++how) {
            uint256 state = vm.snapshotState();
            Made memory m = _served(1);
            InferenceReceipt memory r = m.receipts[0];
            uint256[] memory v = m.vectors[0];
            if (how == 0) r.operatorId = operator + 1;
            if (how == 1) (r.assetId, r.receiptId) = (999, bytes32(uint256(999) << 192));
            if (how == 9) r.receiptId = bytes32(uint256(version) << 192);
            if (how == 2) r.attrMethod = Methods.AR_1;
            if (how == 3) r.attrMethod = Methods.NONE; // With a vector.
            if (how == 4) (v[0], v[1]) = (v[1], v[0]);
            if (how == 5) v[1] += 400_000_000 - 299_999_999; // A weight of 1e9 + 1 in all.
            if (how == 6) v[1] = v[1] >> 32 << 32; // No weight.
            if (how == 7) v[1] = (v[0] >> 32 << 32) | 1; // The same account twice.
            if (how == 8) v = new uint256[](33);
            if (how == 8) {
                for (uint160 i = 0; i < 33; ++i) {
                    v[i] = _word(version, address(i + 1), 1);
                }
            }
            if (how == 5 && uint32(v[0]) + uint32(v[1]) <= 1e9) v[1] += 1e9;
            m.vectors[0] = v;
            r.attrHash = keccak256(abi.encodePacked(v));
            m.entries = new Entry[](0);
            _post(m);
            vm.prank(challenger);
            COURT.badReceipt(_case(m), _receiptProof(m, 0));
            _assertVoid(m);
            vm.revertToState(state);
        }
    }

    /// Vouchers for an asset of the operator's own cost it next to nothing; receipts that name another asset instead would
    /// let it draw on the Datanets of that one.
    function test_receiptsOfAnotherAssetThanPaid_areAFault() public {
        Made memory m = _served(3);
        uint64 own = root(operatorOwner);
        m.receipts[2].assetId = own;
        m.receipts[2].receiptId = bytes32(uint256(own) << 192);
        m.receipts[2].price = 0.5 ether;
        m.receipts[1].price = 1.5 ether; // The same sum and count, all paid for the model.
        m.entries = new Entry[](0);
        _post(m);
        IAttributionCourt.Case memory c = _case(m);
        IAttributionCourt.ReceiptPlace memory from = _receiptPlace(m, model);
        IAttributionCourt.ReceiptPlace memory to = _receiptPlace(m, model + 1);
        IAttributionCourt.ReceiptPlace memory end = _receiptPlace(m, own + 1);
        vm.expectRevert(abi.encodeWithSelector(IAttributionCourt.BadReceiptPlace.selector, 3));
        COURT.wrongAsset(c, model, from, end); // The model's receipts end before.
        vm.expectRevert(abi.encodeWithSelector(IAttributionCourt.BadReceiptPlace.selector, 2));
        COURT.wrongAsset(c, model, to, to); // And begin before.
        uint256 state = vm.snapshotState();
        vm.prank(challenger);
        COURT.wrongAsset(c, model, from, to); // Paid 3, receipts say 2.5.
        _assertVoid(m);
        vm.revertToState(state);
        vm.prank(challenger);
        COURT.wrongAsset(c, own, to, end); // Paid nothing.
        _assertVoid(m);
        vm.revertToState(state);
        from = _receiptPlace(m, model - 1);
        to = _receiptPlace(m, model);
        _expectNoFault();
        COURT.wrongAsset(c, model - 1, from, to); // Nothing is nothing.
    }

    function test_overcharge_isAFault() public {
        Made memory m = _served(1);
        Offer memory offer = _offer();
        m.receipts[0].offerHash = _offerHash(offer);
        _post(m);
        IAttributionCourt.Case memory c = _case(m);
        IAttributionCourt.ReceiptProof memory r = _receiptProof(m, 0);
        _expectNoFault();
        COURT.overcharge(c, r, offer, 0); // Exactly the price.
        offer.base -= 1;
        _expectNoFault();
        COURT.overcharge(c, r, offer, 0); // Not the offer of the receipt.

        m = _served(1);
        m.receipts[0].offerHash = _offerHash(offer);
        _post(m);
        vm.prank(challenger);
        COURT.overcharge(_case(m), _receiptProof(m, 0), offer, 0);
        _assertVoid(m);
    }

    function test_offerForSomethingElse_isAFault() public {
        for (uint256 how = 0; how < 4; ++how) {
            uint256 state = vm.snapshotState();
            Made memory m = _served(1);
            Offer memory offer = _offer();
            if (how == 0) offer.assetId = version;
            if (how == 1) offer.operatorId = 9;
            if (how == 2) offer.agentId = 9;
            if (how == 3) offer.validUntilMs = m.receipts[0].tsMs - 1;
            m.receipts[0].offerHash = _offerHash(offer);
            _post(m);
            vm.prank(challenger);
            COURT.overcharge(_case(m), _receiptProof(m, 0), offer, 0);
            _assertVoid(m);
            vm.revertToState(state);
        }
    }

    function test_equivocation_isAFault() public {
        Made memory m = _served(1);
        _post(m);
        IAttributionCourt.Case memory c = _case(m);
        IAttributionCourt.ReceiptProof memory r = _receiptProof(m, 0);
        InferenceReceipt memory other = _served(1).receipts[0];
        bytes memory signature = _raw(operatorKey, _structHash(other));
        _expectNoFault();
        COURT.equivocation(c, r, other, signature, 0); // Another id.
        signature = _raw(operatorKey, _structHash(r.receipt));
        _expectNoFault();
        COURT.equivocation(c, r, r.receipt, signature, 0); // The same receipt.
        other.receiptId = r.receipt.receiptId;
        signature = _raw(uint256(keccak256("stranger")), _structHash(other));
        vm.expectRevert(IAttributionCourt.BadSignature.selector);
        COURT.equivocation(c, r, other, signature, 0);
        signature = _raw(operatorKey, _structHash(other));
        vm.prank(challenger);
        COURT.equivocation(c, r, other, signature, 0);
        _assertVoid(m);
    }

    function test_anotherHeadThanSigned_isAFault() public {
        Made memory m = _served(1);
        _post(m);
        IAttributionCourt.Case memory c = _case(m);
        IReceipts.Post memory p = _header(m);
        Head memory head = Head(operator, m.epoch, 0, p.receiptsRoot, p.count, p.priceSum);
        bytes memory signature = _raw(operatorKey, _headHash(head));
        _expectNoFault();
        COURT.twoHeads(c, head, signature, 0);
        head.receiptsRoot = "other";
        vm.expectRevert(IAttributionCourt.BadSignature.selector);
        COURT.twoHeads(c, head, signature, 0);
        signature = _raw(operatorKey, _headHash(head));
        vm.prank(challenger);
        COURT.twoHeads(c, head, signature, 0);
        _assertVoid(m);
        _post(m); // The next revision is another promise.
        c = _case(m);
        _expectNoFault();
        COURT.twoHeads(c, head, signature, 0);
    }

    // Withheld data

    function test_demandedReceipt_isShown() public {
        Made memory m = _served(2);
        _post(m);
        IAttributionCourt.Wanted memory w = _wanted(m, IAttributionCourt.Tree.RECEIPTS, 1);
        _demand(w);
        uint256 deadline = RECEIPTS.headerOf(operator, m.epoch).deadline;
        vm.warp(deadline - 1);
        IAttributionCourt.ReceiptProof memory r = _receiptProof(m, 0);
        vm.expectRevert(abi.encodeWithSelector(IAttributionCourt.BadReceiptProof.selector, 0));
        COURT.answerReceipt(w, r); // Another than was demanded.
        r = _receiptProof(m, 1);
        r.vector[1] += 1;
        vm.expectRevert(IAttributionCourt.OtherVector.selector);
        COURT.answerReceipt(w, r);
        r.vector[1] -= 1;
        vm.prank(operatorOwner);
        COURT.answerReceipt(w, r);
        assertEq(COURT.owedTo(operatorOwner), 0.01 ether);
        // Time to look at the answer.
        assertEq(RECEIPTS.headerOf(operator, m.epoch).deadline, deadline - 1 + 2 hours);
        vm.expectRevert(abi.encodeWithSelector(IAttributionCourt.NotDemanded.selector, COURT.idOf(w)));
        COURT.answerReceipt(w, r);
    }

    function test_demands_prolongAnEpochByOneWindowAtMost() public {
        Made memory m = _served(2);
        _post(m);
        uint256 since = block.timestamp;
        IAttributionCourt.Wanted memory w = _wanted(m, IAttributionCourt.Tree.RECEIPTS, 1);
        IAttributionCourt.ReceiptProof memory r = _receiptProof(m, 1);
        uint256 rounds = 0;
        while (block.timestamp < RECEIPTS.headerOf(operator, m.epoch).deadline) {
            _demand(w);
            vm.warp(block.timestamp + 2 hours);
            COURT.answerReceipt(w, r);
            ++rounds;
        }
        assertLe(RECEIPTS.headerOf(operator, m.epoch).deadline, since + 2 * CHALLENGE_S);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.WindowOver.selector, since + 2 * CHALLENGE_S));
        vm.prank(challenger);
        COURT.demand{value: 0.01 ether}(w);
        _finalize(m);
        assertEq(rounds, 24);
    }

    function test_withheldReceipt_voidsTheEpoch() public {
        Made memory m = _served(2);
        _post(m);
        IAttributionCourt.Wanted memory w = _wanted(m, IAttributionCourt.Tree.RECEIPTS, 0);
        _demand(w);
        uint256 until = block.timestamp + 2 hours;
        IAttributionCourt.Case memory c = _case(m);
        vm.expectRevert(abi.encodeWithSelector(IAttributionCourt.TimeLeft.selector, until));
        COURT.timeout(w, c);
        vm.warp(block.timestamp + CHALLENGE_S);
        IAttributionSettlement.Part[] memory parts = _parts(m);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.DemandsOpen.selector, 1));
        SETTLEMENT.finalizeEpoch(operator, m.epoch, parts);
        COURT.timeout(w, c); // Sent by anybody; the challenger is who demanded.
        _assertVoid(m);
        assertEq(COURT.owedTo(challenger), 0.01 ether);
    }

    /// A root over something else, or a sum that is not the leaves': no leaf leads there, so nobody can answer.
    function test_sumThatIsNotTheTrees_cannotBeAnsweredFor() public {
        Made memory m = _served(2);
        IAttributionSettlement.Part[] memory parts = _parts(m);
        parts[0].deltaSum += 1;
        vm.deal(address(this), 1);
        SETTLEMENT.fund{value: 1}(version);
        vm.prank(operatorOwner);
        SETTLEMENT.postEpoch(_header(m), parts);
        IAttributionCourt.Wanted memory w = _wanted(m, IAttributionCourt.Tree.ENTRIES, 1);
        _demand(w);
        IAttributionCourt.Case memory c = IAttributionCourt.Case(operator, m.epoch, parts);
        EntryProof memory e = _entryProof(m.entries, 1);
        vm.expectRevert(abi.encodeWithSelector(Entries.BadEntryProof.selector, 1));
        COURT.answerEntry(w, c, e);
        vm.warp(block.timestamp + 2 hours);
        COURT.timeout(w, c);
        _assertVoid(m);
    }

    function test_demandedEntry_isShown() public {
        Made memory m = _served(2);
        _post(m);
        IAttributionCourt.Wanted memory w = _wanted(m, IAttributionCourt.Tree.ENTRIES, 3);
        _demand(w);
        IAttributionCourt.Case memory c = _case(m);
        EntryProof memory e = _entryProof(m.entries, 2);
        vm.expectRevert(abi.encodeWithSelector(Entries.BadEntryProof.selector, 2));
        COURT.answerEntry(w, c, e);
        COURT.answerEntry(w, c, _entryProof(m.entries, 3));
        assertEq(RECEIPTS.headerOf(operator, m.epoch).demands, 0);
    }

    function test_demandOfWhatDoesNotExist_harmsOnlyTheDemander() public {
        Made memory m = _served(2);
        _post(m);
        IAttributionCourt.Case memory c = _case(m);
        IAttributionCourt.Wanted memory w = _wanted(m, IAttributionCourt.Tree.RECEIPTS, 2);
        vm.expectRevert(abi.encodeWithSelector(IAttributionCourt.NoSuchLeaf.selector, 2));
        vm.prank(challenger);
        COURT.demand{value: 0.01 ether}(w);
        w = _wanted(m, IAttributionCourt.Tree.ENTRIES, 4);
        _demand(w);
        vm.warp(block.timestamp + 2 hours);
        vm.expectRevert(abi.encodeWithSelector(IAttributionCourt.NoSuchLeaf.selector, 4));
        COURT.timeout(w, c);
        EntryProof memory nothing;
        vm.prank(operatorOwner);
        COURT.answerEntry(w, c, nothing);
        assertEq(COURT.owedTo(operatorOwner), 0.01 ether);
    }

    function test_demands_badFeesTwiceOrOfOtherRevisions_revert() public {
        Made memory m = _served(2);
        IAttributionCourt.Wanted memory w = _wanted(m, IAttributionCourt.Tree.RECEIPTS, 0);
        vm.startPrank(challenger);
        vm.expectRevert(IAttributionCourt.NotPosted.selector);
        COURT.demand{value: 0.01 ether}(w);
        vm.stopPrank();
        _post(m);
        vm.startPrank(challenger);
        vm.expectRevert(abi.encodeWithSelector(IAttributionCourt.WrongFee.selector, 1, 0.01 ether));
        COURT.demand{value: 1}(w);
        COURT.demand{value: 0.01 ether}(w);
        bytes32 id = COURT.idOf(w);
        vm.expectRevert(abi.encodeWithSelector(IAttributionCourt.AlreadyDemanded.selector, id));
        COURT.demand{value: 0.01 ether}(w);
        w.revision = 1;
        vm.expectRevert(IAttributionCourt.NotPosted.selector);
        COURT.demand{value: 0.01 ether}(w);
        vm.stopPrank();
    }

    /// What was demanded of a voided posting is no demand of the next one, and its fee comes back.
    function test_demandOfAVoidedEpoch_isOver() public {
        Made memory m = _served(2);
        _post(m);
        IAttributionCourt.Wanted memory w = _wanted(m, IAttributionCourt.Tree.RECEIPTS, 0);
        _demand(w);
        IAttributionSettlement.Part[] memory parts = _parts(m);
        vm.prank(Predeploys.ATTRIBUTION_COURT);
        SETTLEMENT.voidEpoch(operator, m.epoch, parts, ann);
        _post(m);
        assertEq(RECEIPTS.headerOf(operator, m.epoch).demands, 0);
        IAttributionCourt.ReceiptProof memory r = _receiptProof(m, 0);
        bytes32 id = COURT.idOf(w);
        vm.expectRevert(abi.encodeWithSelector(IAttributionCourt.NotDemanded.selector, id));
        COURT.answerReceipt(w, r);
        vm.warp(block.timestamp + 2 hours);
        COURT.timeout(w, _case(m));
        assertEq(COURT.owedTo(challenger), 0.01 ether);
        assertEq(uint8(RECEIPTS.headerOf(operator, m.epoch).status), uint8(IReceipts.Status.POSTED));
    }

    function test_finalEpoch_cannotBeChallenged() public {
        Made memory m = _served(1);
        m.entries = Ledgers.remove(m.entries, 0);
        _post(m);
        vm.warp(block.timestamp + CHALLENGE_S);
        _finalize(m);
        IAttributionCourt.Case memory c = _case(m);
        IAttributionCourt.ReceiptProof memory r = _receiptProof(m, 0);
        Place memory nowhere;
        vm.expectRevert(IAttributionCourt.NotPosted.selector);
        COURT.missingEntry(c, version, ann, r, nowhere);
    }

    function test_methods() public view {
        (bool isUsable, bool isProvable, uint32 lambdaMax) = COURT.methodOf(Methods.STATED);
        assertTrue(isUsable && !isProvable && lambdaMax == 300_000_000);
        (isUsable,,) = COURT.methodOf(Methods.AR_1);
        assertFalse(isUsable); // Its place is kept; nothing pretends to verify it.
        (isUsable,, lambdaMax) = COURT.methodOf(Methods.NONE);
        assertTrue(isUsable && lambdaMax == 0);
        (isUsable,,) = COURT.methodOf(77);
        assertFalse(isUsable);
    }

    function _wanted(Made memory m, IAttributionCourt.Tree tree, uint256 index)
        private
        view
        returns (IAttributionCourt.Wanted memory)
    {
        uint64 of_ = tree == IAttributionCourt.Tree.ENTRIES ? version : 0;
        uint8 revision = RECEIPTS.headerOf(m.operatorId, m.epoch).revision;
        return IAttributionCourt.Wanted(tree, m.operatorId, m.epoch, revision, of_, index);
    }

    function _demand(IAttributionCourt.Wanted memory w) private {
        vm.deal(challenger, 1 ether);
        vm.prank(challenger);
        COURT.demand{value: 0.01 ether}(w);
    }

    /// @dev What the served receipts cost, to the wei: 10 tokens in, 20 out.
    function _indexOf(Entry[] memory entries, Entry memory e) private pure returns (uint256 i) {
        while (Ledgers.isBefore(entries[i], e)) ++i;
    }
}
