// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IAttributionCourt} from "src/l2/IAttributionCourt.sol";
import {IReceipts} from "src/l2/IReceipts.sol";
import {IStakeManager} from "src/l2/IStakeManager.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {Head, InferenceReceipt, Offer} from "src/l2/Receipt.sol";
import {StakeManager} from "src/l2/StakeManager.sol";
import {CourtTest} from "./CourtTest.sol";

/// @notice What the court takes of stakes: whose, how much, how often, and who gets half.
contract CourtStakeTest is CourtTest {
    StakeManager private constant STAKES = StakeManager(payable(Predeploys.STAKE_MANAGER));
    uint96 private constant STAKE = 20_000 ether;
    uint32 private constant HALF = 500_000_000;
    uint32 private constant THAW_S = 7 days;
    uint64 private provision;

    function setUp() public override {
        super.setUp();
        vm.etch(Predeploys.STAKE_MANAGER, type(StakeManager).runtimeCode);
        vm.setNonceUnsafe(Predeploys.STAKE_MANAGER, 1);
        // As genesis does: README.md names the slot.
        bytes32 slot =
            keccak256(abi.encode(Predeploys.ATTRIBUTION_COURT, keccak256(abi.encode(uint256(0), uint256(10)))));
        vm.store(Predeploys.STAKE_MANAGER, slot, bytes32(uint256(THAW_S)));
        provision = _provide(operator, operatorOwner, STAKE);
    }

    function test_genesis_approvesTheCourtForOperators() public view {
        assertEq(STAKES.thawMinOf(IStakeManager.Role.OPERATOR, Predeploys.ATTRIBUTION_COURT), THAW_S);
        assertEq(STAKES.thawMinOf(IStakeManager.Role.AGENT, Predeploys.ATTRIBUTION_COURT), 0);
    }

    // How much

    function test_overcharge_takesAThousandTimes_halfToTheChallenger() public {
        Offer memory offer = _offer();
        offer.base -= 0.003 ether;
        Made memory m = _charged(offer);
        uint256 supply = Predeploys.STAKE_MANAGER.balance;
        vm.prank(challenger);
        COURT.overcharge(_case(m), _receiptProof(m, 0), offer, provision);
        _assertVoid(m);
        _assertTaken(3 ether);
        assertEq(supply - Predeploys.STAKE_MANAGER.balance, 1.5 ether); // The other half is burned.
        assertTrue(STAKES.isActive(provision));
    }

    function test_offerOfSomethingElse_allowsNothing() public {
        Offer memory offer = _offer();
        offer.validUntilMs = 1;
        Made memory m = _charged(offer);
        vm.prank(challenger);
        COURT.overcharge(_case(m), _receiptProof(m, 0), offer, provision);
        _assertTaken(1000 ether);
    }

    function testFuzz_overcharge_takesNoMoreThanThereIs(uint256 base) public {
        Offer memory offer = _offer();
        offer.base = uint96(bound(base, 0, offer.base - 1));
        (offer.perTokIn, offer.perTokOut) = (0, 0);
        Made memory m = _charged(offer);
        m.receipts[0].price = 1 ether;
        vm.prank(operatorOwner);
        STAKES.thaw(provision, STAKE - 100 ether);
        vm.warp(block.timestamp + THAW_S);
        STAKES.release(provision);
        bytes memory signature = _raw(operatorKey, _structHash(m.receipts[0]));
        vm.prank(challenger);
        COURT.signedOvercharge(m.receipts[0], signature, offer, provision);
        uint256 due = (1 ether - uint256(offer.base)) * 1000;
        assertEq(STAKES.provisionOf(provision).own, due < 100 ether ? 100 ether - due : 0);
        assertEq(STAKES.solvency(), 0);
    }

    function test_equivocation_takesEverything_thawingToo_butNotWhatOthersDelegated() public {
        _delegate(ann, 5_000 ether);
        vm.prank(operatorOwner);
        STAKES.thaw(provision, 8_000 ether);
        Made memory m = _posted();
        InferenceReceipt memory other = _copy(m.receipts[0]);
        other.price += 1;
        bytes memory signature = _raw(operatorKey, _structHash(other));
        vm.prank(challenger);
        COURT.equivocation(_case(m), _receiptProof(m, 0), other, signature, provision);
        _assertVoid(m);
        _assertTaken(STAKE);
        assertFalse(STAKES.isActive(provision));
        assertEq(STAKES.delegationOf(provision, ann).amount, 5_000 ether);
        assertEq(STAKES.stakedOf(ann), 5_000 ether);
        assertEq(STAKES.solvency(), 0);
    }

    function test_twoHeads_takeEverything() public {
        Made memory m = _posted();
        IReceipts.Post memory p = _header(m);
        Head memory head = Head(operator, m.epoch, 0, "other", p.count, p.priceSum);
        bytes memory signature = _raw(operatorKey, _headHash(head));
        vm.prank(challenger);
        COURT.twoHeads(_case(m), head, signature, provision);
        _assertVoid(m);
        _assertTaken(STAKE);
    }

    function test_sameReceiptInTwoEpochs_takesEverything() public {
        Made memory first = _posted();
        Made memory m = _served(1);
        m.receipts[0] = first.receipts[0];
        _post(m);
        vm.prank(challenger);
        COURT.receiptTwice(_case(m), _receiptProof(m, 0), first.epoch, _receiptProof(first, 0), provision);
        _assertVoid(m);
        _assertTaken(STAKE);
    }

    // How often

    function test_oneReceipt_isSlashedForOnce_whicheverWay() public {
        Offer memory offer = _offer();
        offer.base -= 0.001 ether;
        Made memory m = _charged(offer);
        bytes memory signature = _raw(operatorKey, _structHash(m.receipts[0]));
        vm.prank(challenger);
        COURT.signedOvercharge(m.receipts[0], signature, offer, provision);
        _assertTaken(1 ether);
        bytes32 fault = keccak256(abi.encode(COURT.overcharge.selector, operator, m.receipts[0].receiptId));
        assertTrue(STAKES.isFaultUsed(Predeploys.ATTRIBUTION_COURT, fault));
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.FaultUsed.selector, fault));
        COURT.signedOvercharge(m.receipts[0], signature, offer, provision);
        IAttributionCourt.Case memory c = _case(m);
        IAttributionCourt.ReceiptProof memory r = _receiptProof(m, 0);
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.FaultUsed.selector, fault));
        COURT.overcharge(c, r, offer, provision);
        vm.prank(challenger);
        COURT.overcharge(c, r, offer, 0); // The epoch is void all the same.
        _assertVoid(m);
        _assertTaken(1 ether);

        // Another receipt is another fault.
        m = _served(1);
        m.receipts[0].offerHash = _offerHash(offer);
        signature = _raw(operatorKey, _structHash(m.receipts[0]));
        vm.prank(challenger);
        COURT.signedOvercharge(m.receipts[0], signature, offer, provision);
        _assertTaken(2 ether);
    }

    // Only what is proven

    function test_signedOvercharge_needsTheOperatorsSignatureAndAnOvercharge() public {
        Offer memory offer = _offer();
        InferenceReceipt memory r = _served(1).receipts[0];
        r.offerHash = _offerHash(offer);
        bytes memory signature = _raw(operatorKey, _structHash(r));
        _expectNoFault();
        COURT.signedOvercharge(r, signature, offer, provision); // Exactly the price.
        r.price += 1;
        vm.expectRevert(IAttributionCourt.BadSignature.selector); // It signed another price.
        COURT.signedOvercharge(r, signature, offer, provision);
        signature = _raw(uint256(keccak256("stranger")), _structHash(r));
        vm.expectRevert(IAttributionCourt.BadSignature.selector);
        COURT.signedOvercharge(r, signature, offer, provision);
        signature = _raw(operatorKey, _structHash(r));
        vm.expectRevert(IAttributionCourt.OtherProvision.selector);
        COURT.signedOvercharge(r, signature, offer, 0);
        Offer memory cheaper = _offer();
        cheaper.base = 0;
        _expectNoFault();
        COURT.signedOvercharge(r, signature, cheaper, provision); // Not the offer it was charged by.
        _assertTaken(0);
        vm.prank(challenger);
        COURT.signedOvercharge(r, signature, offer, provision);
        _assertTaken(1000);
    }

    function test_freeReceiptOfAnotherOffer_takesNothing() public {
        Offer memory offer = _offer();
        offer.agentId = 9;
        InferenceReceipt memory r = _served(1).receipts[0];
        (r.offerHash, r.price) = (_offerHash(offer), 0);
        bytes memory signature = _raw(operatorKey, _structHash(r));
        _expectNoFault();
        COURT.signedOvercharge(r, signature, offer, provision);
    }

    // Only its own

    function test_anotherOperatorsStake_isSafe() public {
        address other = makeAddr("other");
        uint64 theirs = _provide(_operator(other), other, STAKE);
        Offer memory offer = _offer();
        offer.base -= 1;
        Made memory m = _charged(offer);
        IAttributionCourt.Case memory c = _case(m);
        IAttributionCourt.ReceiptProof memory r = _receiptProof(m, 0);
        bytes memory signature = _raw(operatorKey, _structHash(m.receipts[0]));
        for (uint64 id = theirs; id <= theirs + 1; ++id) {
            vm.expectRevert(IAttributionCourt.OtherProvision.selector);
            COURT.overcharge(c, r, offer, id);
            vm.expectRevert(IAttributionCourt.OtherProvision.selector);
            COURT.signedOvercharge(m.receipts[0], signature, offer, id);
        }
        assertEq(STAKES.provisionOf(theirs).own, STAKE);
    }

    function test_provisionTowardsAnotherVerifier_isNotTheCourts() public {
        address verifier = makeAddr("verifier");
        vm.etch(verifier, "a contract, as far as governance can see");
        vm.prank(governance);
        STAKES.setVerifier(IStakeManager.Role.OPERATOR, verifier, THAW_S);
        vm.startPrank(operatorOwner);
        STAKES.thaw(provision, STAKE);
        vm.stopPrank();
        vm.deal(operatorOwner, STAKE);
        vm.startPrank(operatorOwner);
        STAKES.deposit{value: STAKE}(operatorOwner);
        uint64 id = STAKES.provision(IStakeManager.Role.OPERATOR, operator, verifier, STAKE, HALF, THAW_S);
        vm.stopPrank();
        Offer memory offer = _offer();
        offer.base -= 1;
        Made memory m = _charged(offer);
        bytes memory signature = _raw(operatorKey, _structHash(m.receipts[0]));
        vm.expectRevert(abi.encodeWithSelector(IStakeManager.NotVerifier.selector, id, Predeploys.ATTRIBUTION_COURT));
        COURT.signedOvercharge(m.receipts[0], signature, offer, id);
        // What thaws beside a newer provision still answers.
        vm.prank(challenger);
        COURT.signedOvercharge(m.receipts[0], signature, offer, provision);
        assertEq(STAKES.provisionOf(provision).own, STAKE - 1000);
    }

    function test_provisionForAnotherRole_isNotAnOperators() public {
        vm.prank(governance);
        STAKES.setVerifier(IStakeManager.Role.CURATOR, Predeploys.ATTRIBUTION_COURT, THAW_S);
        vm.deal(ben, STAKE);
        vm.startPrank(ben);
        STAKES.deposit{value: STAKE}(ben);
        uint64 id =
            STAKES.provision(IStakeManager.Role.CURATOR, operator, Predeploys.ATTRIBUTION_COURT, STAKE, HALF, THAW_S);
        vm.stopPrank();
        Offer memory offer = _offer();
        offer.base -= 1;
        Made memory m = _charged(offer);
        bytes memory signature = _raw(operatorKey, _structHash(m.receipts[0]));
        vm.expectRevert(IAttributionCourt.OtherProvision.selector);
        COURT.signedOvercharge(m.receipts[0], signature, offer, id);
    }

    /// Whoever sold the operator answers until it has released what is there.
    function test_transferredOperator_isAnsweredForUntilReleased() public {
        vm.prank(operatorOwner);
        ROUTER.transferOperator(operator, ben);
        Offer memory offer = _offer();
        offer.base -= 1;
        InferenceReceipt memory r = _served(1).receipts[0];
        r.offerHash = _offerHash(offer);
        (address key, uint256 secret) = makeAddrAndKey("new signer");
        vm.prank(ben);
        RECEIPTS.setKeys(operator, key, ben);
        bytes memory signature = _raw(secret, _structHash(r));
        vm.prank(challenger);
        COURT.signedOvercharge(r, signature, offer, provision);
        assertEq(STAKES.provisionOf(provision).own, STAKE - 1000);
    }

    // ---

    function _provide(uint32 id, address who, uint96 amount) private returns (uint64) {
        vm.deal(who, amount);
        vm.startPrank(who);
        STAKES.deposit{value: amount}(who);
        uint64 made =
            STAKES.provision(IStakeManager.Role.OPERATOR, id, Predeploys.ATTRIBUTION_COURT, amount, HALF, THAW_S);
        vm.stopPrank();
        return made;
    }

    function _delegate(address who, uint96 amount) private {
        vm.deal(who, amount);
        vm.startPrank(who);
        STAKES.deposit{value: amount}(who);
        STAKES.delegateStake(provision, amount);
        vm.stopPrank();
    }

    function _posted() private returns (Made memory m) {
        m = _served(1);
        _post(m);
    }

    /// @notice An epoch of one receipt, charged by `offer`, posted.
    function _charged(Offer memory offer) private returns (Made memory m) {
        m = _served(1);
        m.receipts[0].offerHash = _offerHash(offer);
        _post(m);
    }

    function _copy(InferenceReceipt memory r) private pure returns (InferenceReceipt memory) {
        return abi.decode(abi.encode(r), (InferenceReceipt));
    }

    /// @notice So much is gone from the provision; half of it is the challenger's, staked and free.
    function _assertTaken(uint256 amount) private view {
        assertEq(STAKES.provisionOf(provision).own, STAKE - amount);
        assertEq(STAKES.freeOf(challenger), amount / 2);
        assertEq(STAKES.stakedOf(operatorOwner), STAKE - amount);
    }
}
