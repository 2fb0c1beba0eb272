// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IAssetRegistry} from "src/l2/IAssetRegistry.sol";
import {ICurators} from "src/l2/ICurators.sol";
import {IDatanet} from "src/l2/IDatanet.sol";
import {Methods} from "src/l2/Methods.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {AttributionTest} from "./AttributionTest.sol";
import {CallsBack} from "./Receivers.sol";
import {Trees} from "./Trees.sol";

contract DatanetTest is AttributionTest {
    address[5] private curators;

    function setUp() public override {
        super.setUp();
        curators = _seatCurators();
    }

    // Creating

    function test_create_registersAnAssetWithoutMembers() public view {
        assertEq(uint8(REGISTRY.kindOf(datanet)), uint8(IAssetRegistry.Kind.DATANET));
        assertEq(REGISTRY.ownerOf(datanet), Predeploys.DATANET);
        assertEq(LEDGER.totalUnits(datanet), 0);
        assertEq(DATANETS.netOf(datanet).owner, owner);
        assertEq(DATANETS.netOf(datanet).latest, datanet);
    }

    function test_terms_outsideTheirBounds_revert() public {
        IDatanet.Terms memory t = _terms();
        t.lambdaPpb = 300_000_001; // Nobody can check stated weights.
        _expectBadTerms(t);
        t = _terms();
        t.method = Methods.AR_1; // Nothing verifies it yet.
        t.lambdaPpb = 0;
        _expectBadTerms(t);
        t.method = Methods.NONE;
        t.lambdaPpb = 1;
        _expectBadTerms(t);
        t = _terms();
        t.ownerPpb = 300_000_001;
        _expectBadTerms(t);
        t = _terms();
        t.dupPenaltyPercent = 101;
        _expectBadTerms(t);
    }

    function test_ownerCalls_byStrangers_revert() public {
        uint256 batch = _accept(ann, 1);
        bytes memory notOwner = abi.encodeWithSelector(IDatanet.NotOwner.selector, datanet, ann);
        IDatanet.Terms memory t = _terms();
        bytes32 journal = DATANETS.netOf(datanet).journal;
        vm.startPrank(ann);
        vm.expectRevert(notOwner);
        DATANETS.setTerms(datanet, t);
        vm.expectRevert(notOwner);
        DATANETS.setLicence(datanet, "mine", true);
        vm.expectRevert(notOwner);
        DATANETS.setPayout(datanet, ann);
        vm.expectRevert(notOwner);
        DATANETS.transferOwnership(datanet, ann);
        vm.expectRevert(notOwner);
        DATANETS.setExcluded(batch, true);
        vm.expectRevert(notOwner);
        DATANETS.snapshot(datanet, 0, 0, 0, 0, journal, "");
        vm.expectRevert(notOwner);
        DATANETS.appoint(datanet, ann, true);
        vm.expectRevert(notOwner);
        DATANETS.resign(datanet, 0);
        vm.expectRevert(notOwner);
        DATANETS.resign(datanet, 14); // An empty seat.
        vm.stopPrank();
        batch = _submit(ann, 2);
        vm.expectRevert(notOwner);
        vm.prank(ann);
        DATANETS.acceptByOwner(batch, 1000, 0);
    }

    function test_transferOwnership_givesAllRights() public {
        vm.prank(owner);
        DATANETS.transferOwnership(datanet, ben);
        vm.prank(ben);
        DATANETS.setPayout(datanet, ben);
        vm.expectRevert(abi.encodeWithSelector(IDatanet.NotOwner.selector, datanet, owner));
        vm.prank(owner);
        DATANETS.setPayout(datanet, owner);
    }

    // Submitting

    function test_submitting_earnsNothing() public {
        uint256 batch = _submit(ann, 1);
        assertEq(LEDGER.unitsOf(datanet, ann), 0);
        IDatanet.Batch memory b = DATANETS.batchOf(batch);
        assertEq(b.contributor, ann);
        assertEq(b.rows, 4);
        assertEq(b.tokens, 1000);
        assertEq(b.bond, BOND);
        assertEq(uint8(b.status), uint8(IDatanet.Status.SUBMITTED));
    }

    function test_accepting_earnsNothingUntilSomebodyPays() public {
        _accept(ann, 1);
        assertEq(LEDGER.unitsOf(datanet, ann), 1000);
        assertEq(LEDGER.claimable(datanet, ann), 0);
    }

    function test_badBatches_revert() public {
        vm.startPrank(ann);
        vm.expectRevert(IDatanet.BadBatch.selector);
        DATANETS.submitBatch{value: BOND}(datanet, 0, 1, 1, LICENCE, 0);
        vm.expectRevert(IDatanet.BadBatch.selector);
        DATANETS.submitBatch{value: BOND}(datanet, "r", 0, 1, LICENCE, 0);
        vm.expectRevert(IDatanet.BadBatch.selector);
        DATANETS.submitBatch{value: BOND}(datanet, "r", 1, 0, LICENCE, 0);
        vm.expectRevert(IDatanet.BadBatch.selector);
        DATANETS.submitBatch{value: BOND}(datanet, "r", 1, 1 << 40, LICENCE, 0);
        vm.expectRevert(abi.encodeWithSelector(IDatanet.LicenceNotAllowed.selector, bytes32("stolen")));
        DATANETS.submitBatch{value: BOND}(datanet, "r", 1, 1, "stolen", 0);
        vm.expectRevert(abi.encodeWithSelector(IDatanet.WrongBond.selector, BOND));
        DATANETS.submitBatch{value: BOND - 1}(datanet, "r", 1, 1, LICENCE, 0);
        vm.expectRevert(abi.encodeWithSelector(IDatanet.LicenceNotAllowed.selector, LICENCE));
        DATANETS.submitBatch{value: BOND}(datanet + 1, "r", 1, 1, LICENCE, 0);
        address pool = LEDGER.accountOf(datanet);
        vm.expectRevert(IDatanet.BadBatch.selector);
        DATANETS.submitBatchFor{value: BOND}(pool, datanet, "r", 1, 1, LICENCE, 0);
        vm.stopPrank();
    }

    function test_sponsor_paysTheBondAndGetsItBack() public {
        vm.prank(ben);
        uint256 batch = DATANETS.submitBatchFor{value: BOND}(ann, datanet, "r", 1, 10, LICENCE, 0);
        vm.prank(owner);
        DATANETS.acceptByOwner(batch, 1000, 0);
        assertEq(LEDGER.unitsOf(datanet, ann), 10);
        vm.expectRevert(abi.encodeWithSelector(IDatanet.TooEarly.selector, block.timestamp + 7 days));
        DATANETS.releaseBond(batch);
        vm.warp(block.timestamp + 7 days);
        DATANETS.releaseBond(batch);
        DATANETS.releaseBond(batch); // Nothing is left to release.
        assertEq(DATANETS.owedTo(ben), BOND);
        assertEq(DATANETS.owedTo(ann), 0);
        uint256 had = ben.balance;
        DATANETS.withdraw(ben);
        assertEq(ben.balance - had, BOND);
        assertEq(DATANETS.withdraw(ben), 0);
    }

    function test_withdraw_byOneWhoCallsBack_paysOnce() public {
        address expected = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
        CallsBack thief = new CallsBack(address(DATANETS), abi.encodeCall(DATANETS.withdraw, (expected)), 3);
        vm.deal(address(thief), BOND);
        vm.prank(address(thief));
        uint256 batch = DATANETS.submitBatch{value: BOND}(datanet, "r", 1, 10, LICENCE, 0);
        vm.prank(address(thief));
        DATANETS.retract(batch);
        DATANETS.withdraw(expected);
        assertEq(thief.received(), BOND);
        assertTrue(thief.lastOk());
    }

    /// Dust floods: every batch locks a bond and takes review money from the budget until somebody decides, and the
    /// rejected pay for their readers.
    function test_flood_stopsAtTheBudgetAndPaysForItself() public {
        uint64 small = _create(_terms());
        vm.prank(owner);
        DATANETS.fund{value: 6 * uint256(REVIEW_PAY)}(small);
        vm.startPrank(ben);
        DATANETS.submitBatch{value: BOND}(small, "dust", 1, 1, LICENCE, 0);
        DATANETS.submitBatch{value: BOND}(small, "dust", 1, 1, LICENCE, 0);
        vm.expectRevert(abi.encodeWithSelector(IDatanet.BudgetTooSmall.selector, 3 * uint256(REVIEW_PAY)));
        DATANETS.submitBatch{value: BOND}(small, "dust", 1, 1, LICENCE, 0);
        vm.stopPrank();

        uint256 budget = DATANETS.netOf(datanet).budget;
        uint256 batch = _submit(ben, 1);
        _review(batch, [uint16(0), 0, 0], [uint24(0), 0, 0]);
        DATANETS.finalize(batch);
        assertEq(DATANETS.netOf(datanet).budget, budget + BOND - 3 * uint256(REVIEW_PAY));
        assertEq(uint8(DATANETS.batchOf(batch).status), uint8(IDatanet.Status.REJECTED));
        vm.expectRevert(abi.encodeWithSelector(IDatanet.WrongStatus.selector, batch, uint8(IDatanet.Status.REJECTED)));
        vm.prank(ben);
        DATANETS.retract(batch);
    }

    // Curators

    function test_join_needsTheOwnersWordAndTheBond() public {
        vm.deal(ben, 200 ether);
        vm.startPrank(ben);
        vm.expectRevert(abi.encodeWithSelector(ICurators.NotAppointed.selector, ben));
        DATANETS.join{value: CURATOR_BOND}(datanet);
        vm.stopPrank();
        vm.prank(owner);
        DATANETS.appoint(datanet, ben, true);
        vm.startPrank(ben);
        vm.expectRevert(abi.encodeWithSelector(ICurators.WrongCuratorBond.selector, CURATOR_BOND));
        DATANETS.join{value: 1}(datanet);
        assertEq(DATANETS.join{value: CURATOR_BOND}(datanet), 5);
        vm.expectRevert(abi.encodeWithSelector(ICurators.NotAppointed.selector, ben));
        DATANETS.join{value: CURATOR_BOND}(datanet);
        vm.stopPrank();
        vm.prank(owner);
        DATANETS.appoint(datanet, ben, true);
        vm.expectRevert(ICurators.AlreadySeated.selector); // One account, one seat.
        vm.prank(ben);
        DATANETS.join{value: CURATOR_BOND}(datanet);
    }

    function test_join_atFifteenSeats_reverts() public {
        for (uint256 i = 5; i < 15; ++i) {
            _seat(address(uint160(0x9000 + i)));
        }
        vm.prank(owner);
        DATANETS.appoint(datanet, ben, true);
        vm.expectRevert(ICurators.SeatsTaken.selector);
        vm.prank(ben);
        DATANETS.join{value: CURATOR_BOND}(datanet);
    }

    function test_resign_waitsAndReturnsTheBond() public {
        vm.prank(curators[1]);
        DATANETS.resign(datanet, 1);
        assertEq(DATANETS.seatsOf(datanet), 29);
        vm.expectRevert(abi.encodeWithSelector(ICurators.NotTaken.selector, 1));
        vm.prank(curators[1]);
        DATANETS.resign(datanet, 1);
        vm.expectRevert(abi.encodeWithSelector(ICurators.NotLeft.selector, block.timestamp + 14 days));
        DATANETS.finishResigning(datanet, 1);
        vm.warp(block.timestamp + 14 days);
        DATANETS.finishResigning(datanet, 1);
        assertEq(DATANETS.owedTo(curators[1]), CURATOR_BOND);
        vm.expectRevert(abi.encodeWithSelector(ICurators.NotLeft.selector, 14 days));
        DATANETS.finishResigning(datanet, 1);
        assertEq(_seat(ben), 1); // The seat is free again.
    }

    function testFuzz_draw_takesThreeDifferentSeatsOfOthers(bytes32 hash) public {
        vm.deal(curators[2], BOND);
        uint256 batch = _submit(curators[2], 1); // A curator's own batch.
        _anchor(hash);
        DATANETS.draw(batch);
        uint24 seats = DATANETS.reviewOf(batch).seats;
        (uint8 a, uint8 b, uint8 c) = (uint8(seats), uint8(seats >> 8), uint8(seats >> 16));
        assertTrue(a != b && b != c && a != c);
        assertTrue(a != 2 && b != 2 && c != 2);
        assertTrue(a < 5 && b < 5 && c < 5);
    }

    function test_draw_leavesOutTheSponsor() public {
        vm.deal(curators[0], BOND);
        vm.prank(curators[0]);
        uint256 batch = DATANETS.submitBatchFor{value: BOND}(curators[1], datanet, "r", 1, 10, LICENCE, 0);
        for (uint256 i = 0; i < 20; ++i) {
            uint256 state = vm.snapshotState();
            _anchor(bytes32(i));
            DATANETS.draw(batch);
            uint24 seats = DATANETS.reviewOf(batch).seats;
            for (uint256 place = 0; place < 3; ++place) {
                assertGe(uint8(seats >> (8 * place)), 2);
            }
            vm.revertToState(state);
        }
    }

    function test_draw_beforeAYoungerL1Block_reverts() public {
        vm.prank(Predeploys.SYSTEM_CALLER);
        L1_INFO.setL1Info(1, uint64(block.timestamp), 0, 0, "known", 0, 0);
        uint256 batch = _submit(ann, 1);
        vm.expectRevert(abi.encodeWithSelector(IDatanet.TooEarly.selector, block.timestamp));
        DATANETS.draw(batch);
    }

    function test_draw_withTwoEligible_reverts() public {
        vm.deal(curators[0], BOND);
        uint256 batch = _submit(curators[0], 1);
        vm.startPrank(owner);
        DATANETS.resign(datanet, 1);
        DATANETS.resign(datanet, 2);
        vm.stopPrank();
        _anchor("x");
        vm.expectRevert(IDatanet.NotEnoughCurators.selector);
        DATANETS.draw(batch);
    }

    // Reviewing

    function test_threeReviews_takeTheMiddle() public {
        uint256 batch = _submit(ann, 1);
        _review(batch, [uint16(900), 100, 800], [uint24(0), 500_000, 250_000]);
        vm.expectEmit(address(DATANETS));
        emit IDatanet.BatchAccepted(batch, 800, 250_000, 600);
        DATANETS.finalize(batch);
        assertEq(LEDGER.unitsOf(datanet, ann), 600); // 1000 tokens x 0.8 x 0.75
        for (uint256 place = 0; place < 3; ++place) {
            assertEq(DATANETS.owedTo(_drawn(batch, place)), REVIEW_PAY);
        }
    }

    function test_twoOfThree_takeTheLowerQualityAndTheMoreDuplicates() public {
        uint256 batch = _submit(ann, 1);
        _review(batch, [uint16(1000), 0, 500], [uint24(100_000), 0, 200_000]);
        vm.expectEmit(address(DATANETS));
        emit IDatanet.BatchAccepted(batch, 500, 200_000, 400);
        DATANETS.finalize(batch);
    }

    function test_oneAgainstOneWithOneMissing_lapsesAndSlashesTheMissing() public {
        uint256 batch = _submit(ann, 1);
        uint256 budget = DATANETS.netOf(datanet).budget;
        _anchor("x");
        DATANETS.draw(batch);
        _commit(batch, 0, 1000, 0);
        _commit(batch, 1, 0, 0);
        _commit(batch, 2, 1000, 0);
        _reveal(batch, 0, 1000, 0);
        _reveal(batch, 1, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IDatanet.TooEarly.selector, block.timestamp + 3 days));
        DATANETS.finalize(batch);
        vm.warp(block.timestamp + 3 days);
        uint256 balance = address(DATANETS).balance;
        DATANETS.finalize(batch);

        assertEq(uint8(DATANETS.batchOf(batch).status), uint8(IDatanet.Status.LAPSED));
        assertEq(DATANETS.owedTo(ann), BOND);
        assertEq(balance - address(DATANETS).balance, CURATOR_BOND / 20); // Burned.
        assertEq(DATANETS.netOf(datanet).budget, budget + REVIEW_PAY);
        (, uint96 bond) = DATANETS.seatOf(datanet, _seatAt(batch, 2));
        assertEq(bond, CURATOR_BOND - CURATOR_BOND / 20);
    }

    function test_slash_sparesALaterHolderOfTheSeat() public {
        uint256 batch = _submit(ann, 1);
        _anchor("x");
        DATANETS.draw(batch);
        uint8 seat = _seatAt(batch, 0);
        vm.prank(owner);
        DATANETS.resign(datanet, seat);
        vm.warp(block.timestamp + 15 days);
        DATANETS.finishResigning(datanet, seat);
        assertEq(_seat(ben), seat);
        DATANETS.finalize(batch);
        (, uint96 bond) = DATANETS.seatOf(datanet, seat);
        assertEq(bond, CURATOR_BOND);
    }

    function test_neverDrawn_lapsesAfterAWeek() public {
        uint256 batch = _submit(ann, 1);
        uint256 from = block.timestamp + 7 days;
        vm.expectRevert(abi.encodeWithSelector(IDatanet.TooEarly.selector, from));
        DATANETS.finalize(batch);
        vm.warp(from);
        DATANETS.finalize(batch);
        assertEq(DATANETS.owedTo(ann), BOND);
    }

    function test_review_byOneNotDrawn_reverts() public {
        uint256 batch = _submit(ann, 1);
        _anchor("x");
        DATANETS.draw(batch);
        vm.startPrank(ann);
        vm.expectRevert(abi.encodeWithSelector(IDatanet.NotDrawn.selector, ann));
        DATANETS.commitReview(batch, 0, "c");
        vm.expectRevert(abi.encodeWithSelector(IDatanet.NotDrawn.selector, ann));
        DATANETS.commitReview(batch, 3, "c");
        vm.stopPrank();
        address first = _drawn(batch, 0);
        vm.expectRevert(abi.encodeWithSelector(IDatanet.NotDrawn.selector, first));
        vm.prank(first);
        DATANETS.commitReview(batch, 1, "c"); // Another's place.
    }

    function test_reveal_earlyLateTwiceOrOfAnotherReview_reverts() public {
        uint256 batch = _submit(ann, 1);
        _anchor("x");
        DATANETS.draw(batch);
        uint256 drawnAt = block.timestamp;
        _commit(batch, 0, 700, 5);
        _commit(batch, 1, 700, 5);
        address first = _drawn(batch, 0);
        vm.startPrank(first);
        vm.expectRevert(IDatanet.AlreadyCommitted.selector);
        DATANETS.commitReview(batch, 0, "other");
        vm.expectRevert(abi.encodeWithSelector(IDatanet.TooEarly.selector, drawnAt + 2 days));
        DATANETS.revealReview(batch, 0, 700, 5, "report", "salt");
        vm.warp(drawnAt + 2 days);
        vm.expectRevert(IDatanet.NotCommitted.selector);
        DATANETS.revealReview(batch, 0, 701, 5, "report", "salt");
        vm.expectRevert(IDatanet.BadReview.selector);
        DATANETS.revealReview(batch, 0, 1001, 5, "report", "salt");
        DATANETS.revealReview(batch, 0, 700, 5, "report", "salt");
        vm.expectRevert(IDatanet.NotCommitted.selector);
        DATANETS.revealReview(batch, 0, 700, 5, "report", "salt");
        vm.stopPrank();
        address third = _drawn(batch, 2);
        vm.expectRevert(abi.encodeWithSelector(IDatanet.TooLate.selector, drawnAt + 2 days));
        vm.prank(third);
        DATANETS.commitReview(batch, 2, "late");
        vm.expectRevert(IDatanet.NotCommitted.selector);
        vm.prank(third);
        DATANETS.revealReview(batch, 2, 0, 0, 0, 0); // An empty commitment is none.
        vm.warp(drawnAt + 3 days);
        address second = _drawn(batch, 1);
        vm.expectRevert(abi.encodeWithSelector(IDatanet.TooLate.selector, drawnAt + 3 days));
        vm.prank(second);
        DATANETS.revealReview(batch, 1, 700, 5, "report", "salt");
    }

    function test_owner_cannotDecideOverCommittedReviews() public {
        uint256 batch = _submit(ann, 1);
        _anchor("x");
        DATANETS.draw(batch);
        _commit(batch, 0, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IDatanet.WrongStatus.selector, batch, uint8(IDatanet.Status.DRAWN)));
        vm.prank(owner);
        DATANETS.acceptByOwner(batch, 1000, 0);
    }

    // Units

    function testFuzz_units_areTokensByQualityByRest(uint40 tokens, uint16 quality, uint24 dupPpm) public {
        tokens = uint40(bound(tokens, 1, type(uint40).max));
        quality = uint16(bound(quality, 1, 1000));
        dupPpm = uint24(bound(dupPpm, 0, 1_000_000));
        vm.prank(ann);
        uint256 batch = DATANETS.submitBatch{value: BOND}(datanet, "r", 1, tokens, LICENCE, 0);
        vm.prank(owner);
        DATANETS.acceptByOwner(batch, quality, dupPpm);
        uint256 units = uint256(tokens) * quality * (1e6 - dupPpm) / 1e9;
        assertEq(LEDGER.unitsOf(datanet, ann), units);
        assertEq(DATANETS.reviewOf(batch).units, units);
    }

    function test_units_ofSeveralBatchesAddUp() public {
        _accept(ann, 1);
        _accept(ann, 2);
        _accept(ben, 3);
        assertEq(LEDGER.unitsOf(datanet, ann), 2000);
        assertEq(LEDGER.totalUnits(datanet), 3000);
    }

    function test_fullPool_takesWhatFits() public {
        for (uint256 i = 0; i < 257; ++i) {
            vm.prank(ann);
            uint256 batch = DATANETS.submitBatch{value: BOND}(datanet, bytes32(i + 1), 1, type(uint40).max, LICENCE, 0);
            vm.prank(owner);
            DATANETS.acceptByOwner(batch, 1000, 0);
        }
        assertEq(LEDGER.totalUnits(datanet), (1 << 48) - 1);
        uint256 last = _accept(ben, 1);
        assertEq(LEDGER.unitsOf(datanet, ben), 0);
        assertEq(DATANETS.reviewOf(last).units, 0);
    }

    // Duplicates

    function test_duplicate_costsTheLaterBatchAndPaysTheChallenger() public {
        uint256 first = _accept(ann, 1);
        uint256 copy = _accept(ben, 1); // The same rows under ben's name.
        address eve = makeAddr("eve");
        vm.prank(eve);
        DATANETS.challengeDuplicate(_row(1, 2), _rowProof(first, ann, 1, 2), _rowProof(copy, ben, 1, 2));
        // A quarter of the tokens is more than the ten percent of the terms.
        assertEq(LEDGER.unitsOf(datanet, ben), 750);
        assertEq(LEDGER.unitsOf(datanet, ann), 1000);
        assertEq(DATANETS.owedTo(eve), BOND / 4);
        vm.expectRevert(IDatanet.DuplicateKnown.selector);
        DATANETS.challengeDuplicate(_row(1, 2), _rowProof(first, ann, 1, 2), _rowProof(copy, ben, 1, 2));
    }

    function test_duplicate_ofALaterBatch_isNone() public {
        uint256 first = _accept(ann, 1);
        uint256 copy = _accept(ben, 1);
        vm.expectRevert(IDatanet.NotEarlier.selector);
        DATANETS.challengeDuplicate(_row(1, 0), _rowProof(copy, ben, 1, 0), _rowProof(first, ann, 1, 0));
        vm.expectRevert(IDatanet.NotEarlier.selector);
        DATANETS.challengeDuplicate(_row(1, 0), _rowProof(first, ann, 1, 0), _rowProof(first, ann, 1, 0));
    }

    function test_duplicate_ofARejectedOrForeignBatch_isNone() public {
        uint256 rejected = _submit(ann, 1);
        uint256 copy = _accept(ben, 1);
        vm.expectRevert(
            abi.encodeWithSelector(IDatanet.WrongStatus.selector, rejected, uint8(IDatanet.Status.SUBMITTED))
        );
        DATANETS.challengeDuplicate(_row(1, 0), _rowProof(rejected, ann, 1, 0), _rowProof(copy, ben, 1, 0));

        uint64 other = _create(_terms());
        vm.prank(owner);
        DATANETS.fund{value: 1 ether}(other);
        (uint64 here, uint64 there) = (datanet, other);
        uint256 first = _accept(ann, 2);
        datanet = there;
        uint256 elsewhere = _accept(ben, 2);
        datanet = here;
        vm.expectRevert(IDatanet.NotEarlier.selector);
        DATANETS.challengeDuplicate(_row(2, 0), _rowProof(first, ann, 2, 0), _rowProof(elsewhere, ben, 2, 0));
    }

    function test_duplicate_byForgedProofs_reverts() public {
        uint256 first = _accept(ann, 1);
        uint256 copy = _accept(ben, 1);
        IDatanet.RowProof memory good = _rowProof(first, ann, 1, 1);
        IDatanet.RowProof memory bad = _rowProof(copy, ben, 1, 1);
        bad.index = 0;
        vm.expectRevert(abi.encodeWithSelector(IDatanet.NotARow.selector, copy, 0));
        DATANETS.challengeDuplicate(_row(1, 1), good, bad);
        bad = _rowProof(copy, ben, 1, 1);
        bad.tokens = 251;
        vm.expectRevert(abi.encodeWithSelector(IDatanet.NotARow.selector, copy, 1));
        DATANETS.challengeDuplicate(_row(1, 1), good, bad);
        bad = _rowProof(copy, ben, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(IDatanet.NotARow.selector, first, 1));
        DATANETS.challengeDuplicate(_row(1, 2), good, bad); // Another row than either's.
    }

    /// Copying a rowsRoot out of somebody's transaction is worth nothing: its leaves name the other contributor.
    function test_copiedRoot_cannotBeShownAgainstItsAuthor() public {
        bytes32 rowsRoot = Trees.root(_rows(ann, 1)).hash;
        vm.prank(ben);
        uint256 copied = DATANETS.submitBatch{value: BOND}(datanet, rowsRoot, 4, 1000, LICENCE, 0);
        vm.prank(owner);
        DATANETS.acceptByOwner(copied, 1000, 0);
        uint256 original = _accept(ann, 1);
        vm.expectRevert(abi.encodeWithSelector(IDatanet.NotARow.selector, copied, 0));
        DATANETS.challengeDuplicate(_row(1, 0), _rowProof(copied, ann, 1, 0), _rowProof(original, ann, 1, 0));
    }

    function test_manyDuplicates_leaveNothing() public {
        IDatanet.Terms memory t = _terms();
        t.dupPenaltyPercent = 100;
        vm.prank(owner);
        DATANETS.setTerms(datanet, t);
        uint256 first = _accept(ann, 1);
        uint256 copy = _accept(ben, 1);
        DATANETS.challengeDuplicate(_row(1, 0), _rowProof(first, ann, 1, 0), _rowProof(copy, ben, 1, 0));
        assertEq(LEDGER.unitsOf(datanet, ben), 0);
        DATANETS.challengeDuplicate(_row(1, 1), _rowProof(first, ann, 1, 1), _rowProof(copy, ben, 1, 1));
        vm.prank(ben);
        DATANETS.retract(copy); // There is nothing left to take.
        assertEq(LEDGER.unitsOf(datanet, ben), 0);
    }

    function test_penalty_isThatOfTheSubmission() public {
        uint256 first = _accept(ann, 1);
        uint256 copy = _accept(ben, 1);
        IDatanet.Terms memory t = _terms();
        t.dupPenaltyPercent = 100;
        vm.prank(owner);
        DATANETS.setTerms(datanet, t); // An owner cannot make one duplicate wipe out a batch afterwards.
        DATANETS.challengeDuplicate(_row(1, 0), _rowProof(first, ann, 1, 0), _rowProof(copy, ben, 1, 0));
        assertEq(LEDGER.unitsOf(datanet, ben), 750);
    }

    // Retracting and excluding

    function test_retract_keepsPastEarningsAndTheHash() public {
        uint256 batch = _accept(ann, 1);
        _accept(ben, 2);
        _pay(datanet, 10 ether);
        uint256 earned = LEDGER.claimable(datanet, ann);
        assertGt(earned, 0);
        bytes32 journal = DATANETS.netOf(datanet).journal;
        vm.prank(ann);
        DATANETS.retract(batch);
        assertEq(DATANETS.netOf(datanet).journal, keccak256(abi.encodePacked(journal, uint8(1), uint64(batch))));
        _pay(datanet, 10 ether);
        assertEq(LEDGER.claimable(datanet, ann), earned);
        assertEq(LEDGER.unitsOf(datanet, ann), 0);
        assertEq(DATANETS.batchOf(batch).rowsRoot, Trees.root(_rows(ann, 1)).hash);
        vm.expectRevert(abi.encodeWithSelector(IDatanet.NotContributor.selector, ben));
        vm.prank(ben);
        DATANETS.retract(batch);
    }

    function test_retract_beforeTheDraw_returnsBondAndBudget() public {
        uint256 budget = DATANETS.netOf(datanet).budget;
        uint256 batch = _submit(ann, 1);
        vm.prank(ann);
        DATANETS.retract(batch);
        assertEq(DATANETS.owedTo(ann), BOND);
        assertEq(DATANETS.netOf(datanet).budget, budget);
        batch = _submit(ann, 1);
        _anchor("x");
        DATANETS.draw(batch);
        vm.expectRevert(abi.encodeWithSelector(IDatanet.WrongStatus.selector, batch, uint8(IDatanet.Status.DRAWN)));
        vm.prank(ann);
        DATANETS.retract(batch); // Curators are at it.
    }

    function test_exclude_leavesTheUnits() public {
        uint256 batch = _accept(ann, 1);
        vm.startPrank(owner);
        DATANETS.setExcluded(batch, true);
        assertEq(LEDGER.unitsOf(datanet, ann), 1000);
        vm.expectRevert(abi.encodeWithSelector(IDatanet.WrongStatus.selector, batch, uint8(IDatanet.Status.ACCEPTED)));
        DATANETS.setExcluded(batch, true);
        DATANETS.setExcluded(batch, false);
        vm.stopPrank();
    }

    // Snapshots

    function test_snapshot_isAVersionWhoseMoneyReachesContributors() public {
        _accept(ann, 1);
        _accept(ben, 2);
        _accept(ben, 3);
        uint64 version = _snapshot();
        assertEq(DATANETS.netOf(datanet).latest, version);
        assertEq(REGISTRY.asset(version).prev, datanet);
        (uint64 of_, uint32 lambda, uint16 method) = DATANETS.snapshotOf(version);
        assertEq(of_, datanet);
        assertEq(lambda, 200_000_000);
        assertEq(method, Methods.STATED);
        bytes32 content = keccak256(
            abi.encode(
                bytes32("text"), bytes32("sa"), uint64(1000), bytes32("program"), DATANETS.netOf(datanet).journal
            )
        );
        assertEq(REGISTRY.asset(version).contentRoot, content);

        uint256 paid = _pay(version, 10 ether);
        assertEq(LEDGER.claimable(version, Predeploys.ATTRIBUTION_SETTLEMENT), paid / 5);
        assertEq(LEDGER.claimable(version, owner), paid / 10);
        uint256 rest = LEDGER.sync(datanet, version);
        assertEq(rest, paid * 7 / 10);
        assertApproxEqAbs(LEDGER.claimable(datanet, ann), rest / 3, 1);
        assertApproxEqAbs(LEDGER.claimable(datanet, ben), rest * 2 / 3, 1);
    }

    function test_secondSnapshot_followsTheFirst_andKeepsItsOwnLambda() public {
        _accept(ann, 1);
        uint64 first = _snapshot();
        IDatanet.Terms memory t = _terms();
        (t.lambdaPpb, t.method) = (0, Methods.NONE);
        vm.prank(owner);
        DATANETS.setTerms(datanet, t);
        uint64 second = _snapshot();
        assertEq(REGISTRY.asset(second).prev, first);
        (, uint32 before,) = DATANETS.snapshotOf(first);
        (, uint32 after_,) = DATANETS.snapshotOf(second);
        assertEq(before, 200_000_000);
        assertEq(after_, 0);
        assertEq(LEDGER.unitsOf(second, Predeploys.ATTRIBUTION_SETTLEMENT), 0);
    }

    function test_snapshot_ofAnOldJournal_reverts() public {
        _accept(ann, 1);
        bytes32 old = DATANETS.netOf(datanet).journal;
        uint256 batch = _accept(ben, 2);
        vm.prank(ben);
        DATANETS.retract(batch);
        bytes32 journal = DATANETS.netOf(datanet).journal;
        vm.expectRevert(abi.encodeWithSelector(IDatanet.JournalMoved.selector, journal));
        vm.prank(owner);
        DATANETS.snapshot(datanet, "text", "sa", 1, "program", old, "");
    }

    function test_paidBeforeAnybodyContributed_waitsForTheFirst() public {
        uint256 paid = _pay(datanet, 1 ether);
        (uint256 waiting,) = LEDGER.pendingOf(datanet);
        assertEq(waiting, paid);
        _accept(ann, 1);
        // A pool of a thousand units keeps less than a wei back.
        assertApproxEqAbs(LEDGER.claimable(datanet, ann), paid, 1);
    }

    function _expectBadTerms(IDatanet.Terms memory t) private {
        vm.expectRevert(IDatanet.BadTerms.selector);
        vm.prank(owner);
        DATANETS.create("", LICENCE, 0, owner, 0, t);
    }

    /// @dev What reaches the lineage of `asset` when it is paid without operator and agent.
    function _pay(uint64 asset, uint256 amount) private returns (uint256) {
        vm.deal(address(this), amount);
        ROUTER.pay{value: amount}(asset, 0, 0, 0);
        return amount * 98 / 100;
    }

    function _review(uint256 batch, uint16[3] memory quality, uint24[3] memory dupPpm) private {
        _anchor("x");
        DATANETS.draw(batch);
        for (uint256 place = 0; place < 3; ++place) {
            _commit(batch, place, quality[place], dupPpm[place]);
        }
        for (uint256 place = 0; place < 3; ++place) {
            _reveal(batch, place, quality[place], dupPpm[place]);
        }
    }

    function _commit(uint256 batch, uint256 place, uint16 quality, uint24 dupPpm) private {
        address curator = _drawn(batch, place);
        bytes32 commitment = keccak256(abi.encode(batch, curator, quality, dupPpm, bytes32("report"), bytes32("salt")));
        vm.prank(curator);
        DATANETS.commitReview(batch, place, commitment);
    }

    function _reveal(uint256 batch, uint256 place, uint16 quality, uint24 dupPpm) private {
        vm.prank(_drawn(batch, place));
        DATANETS.revealReview(batch, place, quality, dupPpm, "report", "salt");
    }

    function _drawn(uint256 batch, uint256 place) private view returns (address) {
        return curators[_seatAt(batch, place)];
    }

    function _seatAt(uint256 batch, uint256 place) private view returns (uint8) {
        return uint8(DATANETS.reviewOf(batch).seats >> (8 * place));
    }

    function _rowProof(uint256 batch, address contributor, uint256 seed, uint256 i)
        private
        pure
        returns (IDatanet.RowProof memory)
    {
        return IDatanet.RowProof(batch, i, 250, Trees.proof(_rows(contributor, seed), i));
    }
}
