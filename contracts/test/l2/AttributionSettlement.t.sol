// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Entry} from "src/l2/Entry.sol";
import {IAttributionSettlement} from "src/l2/IAttributionSettlement.sol";
import {IReceipts} from "src/l2/IReceipts.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {Send} from "src/l2/Send.sol";
import {InferenceReceipt} from "src/l2/Receipt.sol";
import {EpochsTest} from "./EpochsTest.sol";
import {Ledgers} from "./Ledgers.sol";
import {CallsBack, SmartAccount} from "./Receivers.sol";
import {Trees} from "./Trees.sol";

contract AttributionSettlementTest is EpochsTest {
    Entry[] private none;

    // The whole way

    function test_fromVouchersToClaims() public {
        Made memory m = _finalEpoch(3);
        Entry[] memory gained = _gained(_one(m), 1);
        Entry[] memory cumulative = _merged(none, gained);
        _postGlobal(cumulative, gained);
        vm.warp(block.timestamp + CHALLENGE_S);
        SETTLEMENT.adopt();

        // 3 OPEN x 50 % lineage x 30 % upstream x 20 % dynamic, and 60 % and 30 % of that.
        (uint256 annHad, uint256 benHad) = (ann.balance, ben.balance);
        for (uint256 i = 0; i < cumulative.length; ++i) {
            _claim(cumulative, i);
        }
        assertEq(ann.balance - annHad, 0.054 ether);
        assertEq(ben.balance - benHad, 0.027 ether);
        assertEq(SETTLEMENT.books().claimed, SETTLEMENT.finalised());
        assertEq(SETTLEMENT.withdraw(merger), 100 ether);
    }

    /// The remainder nobody was found for goes to static units of the Datanet, none of it to the operator.
    function test_remainder_goesToStaticUnits() public {
        Made memory m = _finalEpoch(1);
        uint256 operatorHad = ROUTER.operatorClaimable(operator);
        uint256 pot = SETTLEMENT.potOf(version);
        uint256 dynamic = uint256(1 ether) * 53 / 100 * 3 / 10 / 5; // The stakers' class fell to lineage.
        assertApproxEqAbs(pot, dynamic - Ledgers.sum(m.entries), 1);
        vm.warp(block.timestamp + 2 days);
        assertEq(SETTLEMENT.potOf(version), 0);
        vm.expectEmit(address(SETTLEMENT));
        emit IAttributionSettlement.PotFallback(version, datanet, pot);
        SETTLEMENT.collect(version);
        assertApproxEqAbs(LEDGER.claimable(datanet, ann), pot / 2, 1);
        assertApproxEqAbs(LEDGER.claimable(datanet, ben), pot / 2, 1);
        assertEq(ROUTER.operatorClaimable(operator), operatorHad);
    }

    // Pots

    function test_pot_keepsMoneyToTheEndOfTheNextDay() public {
        vm.warp(1_800_057_600); // Midnight.
        _serve(operator, 1);
        SETTLEMENT.collect(version);
        uint256 pot = SETTLEMENT.potOf(version);
        assertGt(pot, 0);
        vm.warp(1_800_057_600 + 2 days - 1);
        assertEq(SETTLEMENT.potOf(version), pot);
        SETTLEMENT.collect(version);
        assertEq(SETTLEMENT.potOf(version), pot);
        vm.warp(1_800_057_600 + 2 days);
        SETTLEMENT.collect(version);
        assertEq(SETTLEMENT.potOf(version), 0);
    }

    function test_collect_ofWhatIsNoSnapshot_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IAttributionSettlement.NotSnapshot.selector, datanet));
        SETTLEMENT.collect(datanet);
        vm.expectRevert(abi.encodeWithSelector(IAttributionSettlement.NotSnapshot.selector, model));
        SETTLEMENT.fund{value: 0}(model);
    }

    /// Claims of the ledger may be sent by anybody; if this one succeeded, nobody would know whose pot it was.
    function test_ledgerClaimForTheSettlement_byOthers_reverts() public {
        _serve(operator, 1);
        bytes memory failed = abi.encodeWithSelector(
            Send.SendFailed.selector,
            Predeploys.ATTRIBUTION_SETTLEMENT,
            LEDGER.claimable(version, Predeploys.ATTRIBUTION_SETTLEMENT)
        );
        vm.expectRevert(failed);
        LEDGER.claim(version, Predeploys.ATTRIBUTION_SETTLEMENT);
        vm.expectRevert(failed);
        LEDGER.claimMany(list(version), Predeploys.ATTRIBUTION_SETTLEMENT);
        assertGt(SETTLEMENT.collect(version), 0);
        vm.deal(address(this), 1);
        (bool ok,) = address(SETTLEMENT).call{value: 1}("");
        assertFalse(ok);
    }

    // Posting

    function test_postEpoch_byAStranger_reverts() public {
        Made memory m = _served(1);
        IReceipts.Post memory p = _header(m);
        IAttributionSettlement.Part[] memory parts = _parts(m);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.NotPoster.selector, operator, ann));
        vm.prank(ann);
        SETTLEMENT.postEpoch(p, parts);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.NotSettlement.selector, operatorOwner));
        vm.prank(operatorOwner);
        RECEIPTS.record(p, operatorOwner, 0, 0);

        vm.prank(operatorOwner);
        RECEIPTS.setKeys(operator, address(0), ann);
        vm.prank(ann);
        SETTLEMENT.postEpoch(p, parts);
    }

    function test_postEpoch_withoutAWindow_reverts() public {
        Made memory m = _served(1);
        IReceipts.Post memory p = _header(m);
        IAttributionSettlement.Part[] memory parts = _parts(m);
        _store(Predeploys.RECEIPTS, 1, 0);
        vm.expectRevert(IReceipts.NoWindow.selector);
        vm.prank(operatorOwner);
        SETTLEMENT.postEpoch(p, parts);
    }

    function test_postEpoch_voidedTooOften_isForfeited() public {
        Made memory m = _served(1);
        _post(m);
        IAttributionSettlement.Part[] memory parts = _parts(m);
        IReceipts.Post memory p = _header(m);
        bytes32 outer = keccak256(abi.encode(operator, uint256(2)));
        uint256 slot = uint256(keccak256(abi.encode(uint256(m.epoch), outer))) + 2;
        uint256 word = uint256(vm.load(address(RECEIPTS), bytes32(slot)));
        _store(address(RECEIPTS), slot, word | uint256(254) << 240);
        assertEq(RECEIPTS.headerOf(operator, m.epoch).revision, 254);
        vm.prank(Predeploys.ATTRIBUTION_COURT);
        SETTLEMENT.voidEpoch(operator, m.epoch, parts, challenger); // So that what is posted can always be voided.
        vm.expectRevert(IReceipts.Forfeited.selector);
        vm.prank(operatorOwner);
        SETTLEMENT.postEpoch(p, parts);
    }

    function test_postEpoch_ofAnotherSumOrCountThanPaid_reverts() public {
        Made memory m = _served(2);
        IReceipts.Post memory p = _header(m);
        IAttributionSettlement.Part[] memory parts = _parts(m);
        bytes memory notPaid = abi.encodeWithSelector(IReceipts.NotPaid.selector, 2 ether, 2);
        vm.startPrank(operatorOwner);
        p.priceSum += 1;
        vm.expectRevert(notPaid);
        SETTLEMENT.postEpoch(p, parts);
        p.priceSum -= 2;
        vm.expectRevert(notPaid);
        SETTLEMENT.postEpoch(p, parts);
        p.priceSum += 1;
        p.count = 3;
        vm.expectRevert(notPaid);
        SETTLEMENT.postEpoch(p, parts);
        p.count = 2;
        SETTLEMENT.postEpoch(p, parts);
        vm.stopPrank();
    }

    function test_postEpoch_twiceOrTooEarlyOrTooLate_reverts() public {
        Made memory m = _serve(operator, 1);
        IReceipts.Post memory p = _header(m);
        IAttributionSettlement.Part[] memory parts = _parts(m);
        uint256 end = (uint256(m.epoch) + 1) * 600;
        vm.startPrank(operatorOwner);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.EpochNotOver.selector, end));
        SETTLEMENT.postEpoch(p, parts);
        uint256 state = vm.snapshotState();
        vm.warp(end + 1 days);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.EpochTooOld.selector, end + 1 days));
        SETTLEMENT.postEpoch(p, parts);
        vm.revertToState(state);
        vm.warp(end);
        SETTLEMENT.postEpoch(p, parts);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.WrongStatus.selector, uint8(IReceipts.Status.POSTED)));
        SETTLEMENT.postEpoch(p, parts);
        vm.warp(end + CHALLENGE_S);
        SETTLEMENT.finalizeEpoch(operator, m.epoch, parts);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.WrongStatus.selector, uint8(IReceipts.Status.FINAL)));
        SETTLEMENT.postEpoch(p, parts);
        p.epoch = type(uint64).max;
        vm.expectRevert(abi.encodeWithSelector(IReceipts.EpochNotOver.selector, type(uint256).max));
        SETTLEMENT.postEpoch(p, parts);
        vm.stopPrank();
    }

    function test_postEpoch_badParts_revert() public {
        Made memory m = _served(1);
        IReceipts.Post memory p = _header(m);
        IAttributionSettlement.Part[] memory parts = new IAttributionSettlement.Part[](2);
        (parts[0], parts[1]) = (_part(m), _part(m));
        vm.startPrank(operatorOwner);
        vm.expectRevert(IAttributionSettlement.BadParts.selector); // The same snapshot twice.
        SETTLEMENT.postEpoch(p, parts);
        parts = _parts(m);
        parts[0].entries = 0;
        vm.expectRevert(IAttributionSettlement.BadParts.selector);
        SETTLEMENT.postEpoch(p, parts);
        parts[0] = _part(m);
        parts[0].deltaSum = 0;
        vm.expectRevert(IAttributionSettlement.BadParts.selector);
        SETTLEMENT.postEpoch(p, parts);
        parts[0].deltaSum = 1;
        parts[0].version = model;
        vm.expectRevert(abi.encodeWithSelector(IAttributionSettlement.NotSnapshot.selector, model));
        SETTLEMENT.postEpoch(p, parts);
        vm.expectRevert(IAttributionSettlement.BadParts.selector);
        SETTLEMENT.postEpoch(p, new IAttributionSettlement.Part[](17));
        vm.stopPrank();
    }

    /// Other operators' money in the pot is out of reach.
    function test_postEpoch_ofMoreThanItsOwnPayments_reverts() public {
        uint32 other = _operator(makeAddr("other"));
        _serve(other, 50);
        Made memory m = _served(1);
        IAttributionSettlement.Part[] memory parts = _parts(m);
        IReceipts.Post memory p = _header(m);
        uint256 max = uint256(1 ether) / 2 / 5;
        parts[0].deltaSum = uint96(max + 1);
        vm.expectRevert(abi.encodeWithSelector(IAttributionSettlement.DeltaTooLarge.selector, version, max + 1, max));
        vm.prank(operatorOwner);
        SETTLEMENT.postEpoch(p, parts);
    }

    /// What went through one snapshot's pool did not go through another's as well.
    function test_postEpoch_partsShareTheLineage() public {
        uint64 other = _snapshot();
        Made memory m = _served(1);
        IReceipts.Post memory p = _header(m);
        IAttributionSettlement.Part[] memory parts = new IAttributionSettlement.Part[](2);
        parts[0] = _part(m); // 0.027 of 0.135 OPEN; 0.365 of the lineage's half are left.
        parts[1] = IAttributionSettlement.Part(other, 1, 0.073 ether + 1, "root");
        vm.deal(address(this), 1 ether);
        SETTLEMENT.fund{value: 1 ether}(other);
        bytes memory tooLarge =
            abi.encodeWithSelector(IAttributionSettlement.DeltaTooLarge.selector, other, 0.073 ether + 1, 0.073 ether);
        vm.expectRevert(tooLarge);
        vm.prank(operatorOwner);
        SETTLEMENT.postEpoch(p, parts);
        parts[1].deltaSum -= 1;
        vm.prank(operatorOwner);
        SETTLEMENT.postEpoch(p, parts);
        assertEq(SETTLEMENT.potOf(other), 1 ether - 0.073 ether);
        vm.warp(block.timestamp + CHALLENGE_S);
        SETTLEMENT.finalizeEpoch(operator, m.epoch, parts);
        assertEq(SETTLEMENT.partCount(), 2);
        assertEq(SETTLEMENT.partAt(2), keccak256(abi.encode(operator, m.epoch, parts[1])));
        assertEq(SETTLEMENT.finalised(), 0.1 ether);
    }

    function test_postEpoch_ofMoreThanThePot_reverts() public {
        Made memory m = _served(1);
        IAttributionSettlement.Part[] memory parts = _parts(m);
        IReceipts.Post memory p = _header(m);
        parts[0].deltaSum = 0.1 ether;
        uint256 state = vm.snapshotState();
        SETTLEMENT.collect(version);
        uint256 pot = SETTLEMENT.potOf(version);
        vm.revertToState(state);
        vm.expectRevert(abi.encodeWithSelector(IAttributionSettlement.PotTooSmall.selector, version, pot, 0.1 ether));
        vm.prank(operatorOwner);
        SETTLEMENT.postEpoch(p, parts);
        vm.deal(address(this), 0.1 ether);
        SETTLEMENT.fund{value: 0.1 ether - pot}(version);
        vm.prank(operatorOwner);
        SETTLEMENT.postEpoch(p, parts);
    }

    /// A whole attribution to one account, where the ledger's rounding might leave the pot a wei short.
    function testFuzz_potCoversWhatItsOwnPaymentsGive(uint96 price, uint256 n) public {
        price = uint96(bound(price, 1, 1000 ether));
        n = bound(n, 1, 3);
        Made memory m;
        (m.operatorId, m.epoch, m.lineagePpb) = (operator, _now(), LINEAGE_PPB);
        m.receipts = new InferenceReceipt[](n);
        m.vectors = new uint256[][](n);
        for (uint256 i = 0; i < n; ++i) {
            m.vectors[i] = new uint256[](1);
            m.vectors[i][0] = _word(version, ann, 1e9);
            m.receipts[i].price = price;
            m.receipts[i].assetId = model;
        }
        m.entries = _attribute(m);
        _paid(m);
        uint256 sum = Ledgers.sum(m.entries);
        SETTLEMENT.collect(version);
        assertGe(SETTLEMENT.potOf(version) + 1, sum);
    }

    function test_bond_isLockedWhileTheEpochIsOpen() public {
        Made memory m = _served(1);
        _post(m);
        (uint128 held, uint128 locked) = RECEIPTS.bondOf(operator);
        assertEq(held, 1000 ether);
        assertEq(locked, 10 ether);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.BondTooSmall.selector, 990 ether, 991 ether));
        vm.prank(operatorOwner);
        RECEIPTS.withdrawBond(operator, 991 ether);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.NotOperatorOwner.selector, operator, ann));
        vm.prank(ann);
        RECEIPTS.withdrawBond(operator, 1);
        vm.prank(operatorOwner);
        RECEIPTS.withdrawBond(operator, 990 ether);
        assertEq(operatorOwner.balance, 990 ether);

        Made memory next = _served(1);
        IReceipts.Post memory p = _header(next);
        IAttributionSettlement.Part[] memory parts = _parts(next);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.BondTooSmall.selector, 0, 10 ether));
        vm.prank(operatorOwner);
        SETTLEMENT.postEpoch(p, parts);
        vm.warp(block.timestamp + CHALLENGE_S);
        _finalize(m);
        (, locked) = RECEIPTS.bondOf(operator);
        assertEq(locked, 0);
    }

    function test_bond_isTheSumIfThatIsMore() public {
        Made memory m;
        (m.operatorId, m.epoch, m.lineagePpb) = (operator, _now(), LINEAGE_PPB);
        m.receipts = new InferenceReceipt[](1);
        m.vectors = new uint256[][](1);
        m.vectors[0] = new uint256[](1);
        m.vectors[0][0] = _word(version, ann, 1e9);
        m.receipts[0].price = 1000 ether;
        m.receipts[0].assetId = model;
        m.entries = _attribute(m);
        _paid(m);
        vm.warp(block.timestamp + 600);
        _post(m);
        (, uint128 locked) = RECEIPTS.bondOf(operator);
        assertEq(locked, 30 ether);
    }

    function test_lineage_isOfTheDayOrElseTheLeast() public {
        Made memory m = _served(1);
        _post(m);
        assertEq(RECEIPTS.headerOf(operator, m.epoch).lineagePpb, LINEAGE_PPB);
        m = _serve(operator, 1);
        vm.warp((block.timestamp / 1 days + 1) * 1 days); // The last epoch of a day, or a careless operator.
        IReceipts.Post memory p = _header(m);
        IAttributionSettlement.Part[] memory parts = _parts(m);
        vm.expectRevert(abi.encodeWithSelector(IReceipts.LineageMoved.selector, 250_000_000));
        vm.prank(operatorOwner);
        SETTLEMENT.postEpoch(p, parts);
        m.lineagePpb = 250_000_000;
        m.entries = _attribute(m);
        _post(m);
        assertEq(RECEIPTS.headerOf(operator, m.epoch).lineagePpb, 250_000_000);
    }

    function test_finalizeEpoch_earlyOrWithOtherParts_reverts() public {
        Made memory m = _served(2);
        _post(m);
        IAttributionSettlement.Part[] memory parts = _parts(m);
        uint256 until = block.timestamp + CHALLENGE_S;
        vm.expectRevert(abi.encodeWithSelector(IReceipts.WindowOpen.selector, until));
        SETTLEMENT.finalizeEpoch(operator, m.epoch, parts);
        vm.warp(until);
        parts[0].deltaSum += 1;
        vm.expectRevert(IAttributionSettlement.OtherParts.selector);
        SETTLEMENT.finalizeEpoch(operator, m.epoch, parts);
        parts[0].deltaSum -= 1;
        SETTLEMENT.finalizeEpoch(operator, m.epoch, parts);
        assertEq(SETTLEMENT.partCount(), 1);
        assertEq(SETTLEMENT.partAt(1), keccak256(abi.encode(operator, m.epoch, parts[0])));
        vm.expectRevert(abi.encodeWithSelector(IReceipts.WrongStatus.selector, uint8(IReceipts.Status.FINAL)));
        SETTLEMENT.finalizeEpoch(operator, m.epoch, parts);
    }

    // The cumulative tree

    function test_postGlobal_ofAnotherSum_reverts() public {
        Made memory m = _finalEpoch(1);
        uint96 sum = Ledgers.sum(m.entries);
        vm.startPrank(merger);
        vm.expectRevert(abi.encodeWithSelector(IAttributionSettlement.WrongSum.selector, sum + 1, sum));
        SETTLEMENT.postGlobal{value: 100 ether}("root", 1, sum + 1, "step", 1, 0);
        vm.expectRevert(abi.encodeWithSelector(IAttributionSettlement.WrongBond.selector, 1, 100 ether));
        SETTLEMENT.postGlobal{value: 1}("root", 1, sum, "step", 1, 0);
        SETTLEMENT.postGlobal{value: 100 ether}("root", 1, sum, "step", 1, 0);
        vm.expectRevert(IAttributionSettlement.StepPending.selector);
        SETTLEMENT.postGlobal{value: 100 ether}("root", 1, sum, "step", 1, 0);
        uint256 until = block.timestamp + CHALLENGE_S;
        vm.expectRevert(abi.encodeWithSelector(IAttributionSettlement.WindowOpen.selector, until));
        SETTLEMENT.adopt();
        vm.warp(until);
        SETTLEMENT.adopt();
        vm.expectRevert(IAttributionSettlement.NoStep.selector);
        SETTLEMENT.adopt();
        vm.expectRevert(IAttributionSettlement.NothingToAdd.selector);
        SETTLEMENT.postGlobal{value: 100 ether}("root", 1, sum, "step", 1, 0);
        vm.stopPrank();
    }

    function test_claims_addUpOverSteps() public {
        Made memory m = _finalEpoch(2);
        Entry[] memory first = _merged(none, _gained(_one(m), 1));
        _adopt(first, _gained(_one(m), 1));
        uint256 had = first[0].account.balance;
        assertEq(_claim(first, 0), first[0].amount);
        assertEq(_claim(first, 0), 0); // The same leaf twice.

        m = _finalEpoch(3);
        Entry[] memory second = _merged(first, _gained(_one(m), 2));
        _adopt(second, _gained(_one(m), 2));
        assertEq(_claim(second, 0), second[0].amount - first[0].amount);
        assertEq(second[0].account.balance - had, second[0].amount);
        assertEq(_claim(second, 1), second[1].amount); // Both steps at once.
        assertEq(SETTLEMENT.books().claimed, SETTLEMENT.books().sum);

        bytes memory proof = Trees.proof(Ledgers.leaves(first), 0);
        vm.expectRevert(abi.encodeWithSelector(IAttributionSettlement.BadLeaf.selector, first[0].account));
        SETTLEMENT.claim(first[0].account, first[0].amount, 0, proof); // An old tree's leaf.
    }

    function test_claim_byForgedProofs_reverts() public {
        Made memory m = _finalEpoch(1);
        Entry[] memory cumulative = _merged(none, _gained(_one(m), 1));
        _adopt(cumulative, _gained(_one(m), 1));
        bytes memory proof = Trees.proof(Ledgers.leaves(cumulative), 0);
        (address account, uint128 amount) = (cumulative[0].account, cumulative[0].amount);
        bytes memory bad = abi.encodeWithSelector(IAttributionSettlement.BadLeaf.selector, account);
        vm.expectRevert(bad);
        SETTLEMENT.claim(account, amount + 1, 0, proof);
        vm.expectRevert(bad);
        SETTLEMENT.claim(account, amount, 1, proof);
        vm.expectRevert(bad);
        SETTLEMENT.claim(account, amount, 0, bytes.concat(proof, new bytes(48)));
        vm.expectRevert(bad);
        SETTLEMENT.claim(account, amount, 0, "");
        vm.expectRevert(abi.encodeWithSelector(IAttributionSettlement.BadLeaf.selector, challenger));
        SETTLEMENT.claim(challenger, amount, 0, proof);
        // The root as a leaf of its own: one node, no way up.
        uint128 sum = SETTLEMENT.books().sum;
        vm.expectRevert(bad);
        SETTLEMENT.claim(account, sum, 0, "");
    }

    function test_claim_beforeAnyTree_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IAttributionSettlement.BadLeaf.selector, ann));
        SETTLEMENT.claim(ann, 0, 0, "");
    }

    /// A tree nobody challenged, whose leaves promise more than their sum: sums past the root's do not verify, and claims
    /// stop at the sum (I4).
    function test_claims_neverPassTheSum() public {
        Made memory m = _finalEpoch(1);
        uint96 sum = SETTLEMENT.finalised();
        Entry[] memory twice = new Entry[](2);
        (twice[0], twice[1]) = (Entry(ann, 0, sum), Entry(ben, 0, sum));
        Trees.Leaf[] memory leaves = Ledgers.leaves(twice);
        bytes32 root = keccak256(abi.encodePacked(uint8(1), leaves[0].hash, uint128(sum), leaves[1].hash, uint128(0)));
        vm.prank(merger);
        SETTLEMENT.postGlobal{value: 100 ether}(root, 2, sum, "step", 1, 0);
        vm.warp(block.timestamp + CHALLENGE_S);
        SETTLEMENT.adopt();
        SETTLEMENT.claim(ann, sum, 0, abi.encodePacked(leaves[1].hash, uint128(0)));
        vm.expectRevert(abi.encodeWithSelector(IAttributionSettlement.BadLeaf.selector, ben));
        SETTLEMENT.claim(ben, sum, 1, abi.encodePacked(leaves[0].hash, uint128(sum)));

        // A later tree that forgets what was claimed: the same account again, under another name.
        m = _finalEpoch(1);
        sum = SETTLEMENT.finalised();
        Entry[] memory stolen = new Entry[](1);
        stolen[0] = Entry(challenger, 0, sum);
        _postGlobal(stolen, stolen);
        vm.warp(block.timestamp + CHALLENGE_S);
        SETTLEMENT.adopt();
        uint256 claimed = SETTLEMENT.books().claimed;
        vm.expectRevert(abi.encodeWithSelector(IAttributionSettlement.SumExceeded.selector, claimed + sum, sum));
        SETTLEMENT.claim(challenger, sum, 0, "");
    }

    function test_claim_ofAPoolsLeaf_goesIntoThePool() public {
        address pool = LEDGER.accountOf(datanet);
        _finalEpoch(1);
        uint96 sum = SETTLEMENT.finalised();
        Entry[] memory one = new Entry[](1);
        one[0] = Entry(pool, 0, sum);
        _adopt(one, one);
        uint256 had = LEDGER.claimable(datanet, ann);
        assertEq(_claim(one, 0), sum);
        assertEq(pool.balance, 0);
        assertApproxEqAbs(LEDGER.claimable(datanet, ann) - had, sum / 2, 1);
    }

    function test_claim_byOneWhoCallsBack_paysOnce() public {
        _finalEpoch(1);
        uint96 sum = SETTLEMENT.finalised();
        address expected = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
        bytes memory again = abi.encodeCall(SETTLEMENT.claim, (expected, sum, 0, ""));
        CallsBack thief = new CallsBack(address(SETTLEMENT), again, 3);
        Entry[] memory one = new Entry[](1);
        one[0] = Entry(expected, 0, sum);
        _adopt(one, one);
        assertEq(_claim(one, 0), sum);
        assertEq(thief.received(), sum);
        assertTrue(thief.lastOk());
    }

    // Claims by signature

    function test_claimFor_paysWhereTheAccountSaid() public {
        (address account, uint256 key) = makeAddrAndKey("holder");
        Entry[] memory one = _adoptOne(account);
        uint256 amount = one[0].amount;
        IAttributionSettlement.SignedClaim memory c =
            IAttributionSettlement.SignedClaim(account, challenger, merger, amount / 10, block.timestamp);
        bytes memory signature = _sign(c, 0, key);
        vm.expectRevert(abi.encodeWithSelector(IAttributionSettlement.NotRelayer.selector, address(this), merger));
        SETTLEMENT.claimFor(c, one[0].amount, 0, "", signature);

        uint256 had = merger.balance;
        vm.prank(merger);
        SETTLEMENT.claimFor(c, one[0].amount, 0, "", signature);
        assertEq(challenger.balance, amount - amount / 10);
        assertEq(merger.balance - had, amount / 10);
        vm.expectRevert(abi.encodeWithSelector(IAttributionSettlement.BadSignature.selector, account));
        vm.prank(merger);
        SETTLEMENT.claimFor(c, one[0].amount, 0, "", signature); // Its nonce is used.
    }

    function test_claimFor_badTerms_revert() public {
        (address account, uint256 key) = makeAddrAndKey("holder");
        Entry[] memory one = _adoptOne(account);
        uint128 amount = one[0].amount;
        IAttributionSettlement.SignedClaim memory c =
            IAttributionSettlement.SignedClaim(account, challenger, address(0), amount / 10 + 1, block.timestamp);
        bytes memory signature = _sign(c, 0, key);
        vm.expectRevert(
            abi.encodeWithSelector(IAttributionSettlement.FeeTooHigh.selector, amount / 10 + 1, amount / 10)
        );
        SETTLEMENT.claimFor(c, amount, 0, "", signature);
        c.relayerFee = 0;
        vm.expectRevert(abi.encodeWithSelector(IAttributionSettlement.BadSignature.selector, account));
        SETTLEMENT.claimFor(c, amount, 0, "", signature);
        c.deadline = block.timestamp - 1;
        vm.expectRevert(abi.encodeWithSelector(IAttributionSettlement.Expired.selector, c.deadline));
        SETTLEMENT.claimFor(c, amount, 0, "", signature);
        c.deadline = block.timestamp;
        c.to = LEDGER.accountOf(datanet);
        vm.expectRevert(IAttributionSettlement.ZeroAddress.selector);
        SETTLEMENT.claimFor(c, amount, 0, "", signature);
    }

    function test_claimFor_smartAccount() public {
        SmartAccount account = new SmartAccount();
        Entry[] memory one = _adoptOne(address(account));
        IAttributionSettlement.SignedClaim memory c =
            IAttributionSettlement.SignedClaim(address(account), challenger, address(0), 0, block.timestamp);
        account.accept(_digest(c, 0), "sesame");
        SETTLEMENT.claimFor(c, one[0].amount, 0, "", "sesame");
        assertEq(challenger.balance, one[0].amount);
    }

    // What only the court may do

    function test_courtCalls_byOthers_revert() public {
        Made memory m = _served(1);
        _post(m);
        IAttributionSettlement.Part[] memory parts = _parts(m);
        bytes memory notCourt = abi.encodeWithSelector(IAttributionSettlement.NotCourt.selector, address(this));
        vm.expectRevert(notCourt);
        SETTLEMENT.voidEpoch(operator, m.epoch, parts, address(this));
        vm.expectRevert(notCourt);
        SETTLEMENT.voidStep(address(this));
        vm.expectRevert(notCourt);
        SETTLEMENT.holdStep();
        vm.expectRevert(notCourt);
        SETTLEMENT.answeredStep();
        notCourt = abi.encodeWithSelector(IReceipts.NotCourt.selector, address(this));
        vm.expectRevert(notCourt);
        RECEIPTS.hold(operator, m.epoch);
        vm.expectRevert(notCourt);
        RECEIPTS.answered(operator, m.epoch);
        bytes memory notSettlement = abi.encodeWithSelector(IReceipts.NotSettlement.selector, address(this));
        vm.expectRevert(notSettlement);
        RECEIPTS.void(operator, m.epoch, address(this));
        vm.expectRevert(notSettlement);
        RECEIPTS.close(operator, m.epoch);
    }

    function test_voidedEpoch_givesBackAndCanBePostedAnew() public {
        Made memory m = _served(2);
        _post(m);
        uint256 pot = SETTLEMENT.potOf(version);
        IAttributionSettlement.Part[] memory parts = _parts(m);
        vm.prank(Predeploys.ATTRIBUTION_COURT);
        SETTLEMENT.voidEpoch(operator, m.epoch, parts, challenger);
        assertEq(SETTLEMENT.potOf(version), pot + Ledgers.sum(m.entries));
        assertEq(RECEIPTS.owedTo(challenger), 5 ether);
        assertEq(address(RECEIPTS).balance, 995 ether); // Five were burned.
        (uint128 held, uint128 locked) = RECEIPTS.bondOf(operator);
        assertEq(held, 990 ether);
        assertEq(locked, 0);
        vm.warp(block.timestamp + 1 days - 1);
        m.lineagePpb = 250_000_000; // Posted a day later.
        m.entries = _attribute(m);
        _post(m);
        assertEq(RECEIPTS.headerOf(operator, m.epoch).revision, 1);
        vm.prank(Predeploys.ATTRIBUTION_COURT);
        vm.expectRevert(IAttributionSettlement.OtherParts.selector);
        SETTLEMENT.voidEpoch(operator, m.epoch, parts, challenger);
    }

    function test_keys_stayAnswerableForTwoDays() public {
        (address first, uint256 firstKey) = makeAddrAndKey("first");
        (address second, uint256 secondKey) = makeAddrAndKey("second");
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", RECEIPTS.DOMAIN_SEPARATOR(), bytes32("what")));
        assertTrue(RECEIPTS.isSigned(operator, "what", _raw(operatorKey, digest)));
        vm.startPrank(operatorOwner);
        RECEIPTS.setKeys(operator, first, address(0));
        assertTrue(RECEIPTS.isSigned(operator, "what", _raw(firstKey, digest)));
        assertTrue(RECEIPTS.isSigned(operator, "what", _raw(operatorKey, digest)));
        vm.expectRevert(abi.encodeWithSelector(IReceipts.KeysTooYoung.selector, block.timestamp + 2 days));
        RECEIPTS.setKeys(operator, second, address(0));
        vm.warp(block.timestamp + 2 days);
        assertFalse(RECEIPTS.isSigned(operator, "what", _raw(operatorKey, digest)));
        RECEIPTS.setKeys(operator, second, address(0));
        vm.stopPrank();
        assertTrue(RECEIPTS.isSigned(operator, "what", _raw(firstKey, digest)));
        assertTrue(RECEIPTS.isSigned(operator, "what", _raw(secondKey, digest)));
        assertFalse(RECEIPTS.isSigned(operator, "other", _raw(secondKey, digest)));
        assertFalse(RECEIPTS.isSigned(operator + 1, "what", _raw(secondKey, digest)));
        vm.expectRevert(abi.encodeWithSelector(IReceipts.NotOperatorOwner.selector, operator, ann));
        vm.prank(ann);
        RECEIPTS.setKeys(operator, ann, ann);
    }

    function _served(uint256 n) private returns (Made memory m) {
        m = _serve(operator, n);
        vm.warp(block.timestamp + 600);
    }

    function _adopt(Entry[] memory cumulative, Entry[] memory gained) private {
        _postGlobal(cumulative, gained);
        vm.warp(block.timestamp + CHALLENGE_S);
        SETTLEMENT.adopt();
    }

    function _adoptOne(address account) private returns (Entry[] memory one) {
        _finalEpoch(1);
        one = new Entry[](1);
        one[0] = Entry(account, 0, SETTLEMENT.finalised());
        _adopt(one, one);
    }

    function _sign(IAttributionSettlement.SignedClaim memory c, uint256 nonce, uint256 key)
        private
        view
        returns (bytes memory)
    {
        return _raw(key, _digest(c, nonce));
    }

    function _raw(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _digest(IAttributionSettlement.SignedClaim memory c, uint256 nonce) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Tributary AttributionSettlement"),
                keccak256("1"),
                block.chainid,
                address(SETTLEMENT)
            )
        );
        assertEq(SETTLEMENT.DOMAIN_SEPARATOR(), domain);
        bytes32 terms = keccak256(
            abi.encode(
                keccak256(
                    "Claim(address account,address to,address relayer,uint256 relayerFee,uint256 nonce,uint256 deadline)"
                ),
                c.account,
                c.to,
                c.relayer,
                c.relayerFee,
                nonce,
                c.deadline
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, terms));
    }
}
