// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISpendAccount} from "src/l2/ISpendAccount.sol";
import {IWrappedOpen} from "src/l2/IWrappedOpen.sol";
import {Send} from "src/l2/Send.sol";
import {CallsBack, Refuses, SmartAccount} from "./Receivers.sol";
import {SpendTest} from "./SpendTest.sol";

/// @notice Deposits, reservations, session keys, releases: what payers do. SpendAccountClaims.t.sol has the operators.
contract SpendAccountTest is SpendTest {
    address private immutable bob = makeAddr("bob");
    address private key;
    uint256 private keyKey;

    function setUp() public override {
        super.setUp();
        (key, keyKey) = makeAddrAndKey("session");
    }

    // Deposits

    function testFuzz_deposits_addUp(uint96 a, uint96 b, uint96 c) public {
        (a, b, c) = (uint96(bound(a, 1, 1e26)), uint96(bound(b, 1, 1e26)), uint96(bound(c, 1, 1e26)));
        vm.deal(bob, uint256(a) + b + c);
        vm.startPrank(bob);
        SPEND.depositNative{value: a}(payer);
        SPEND.depositNative{value: b}(bob);
        (bool ok,) = address(SPEND).call{value: c}("");
        assertTrue(ok);
        assertEq(SPEND.freeOf(payer), a);
        assertEq(SPEND.freeOf(bob), uint256(b) + c);
        assertEq(SPEND.liabilities(), uint256(a) + b + c);
        assertEq(SPEND.solvency(), 0);
    }

    function test_deposit_ofNothingOrForNobody_reverts() public {
        vm.expectRevert(ISpendAccount.ZeroAmount.selector);
        SPEND.depositNative(payer);
        vm.deal(address(this), 1);
        vm.expectRevert(ISpendAccount.ZeroAddress.selector);
        SPEND.depositNative{value: 1}(address(0));
    }

    function test_depositWithAuthorization_unwraps() public {
        bytes memory signature = _authorised(WOPEN.RECEIVE_WITH_AUTHORIZATION_TYPEHASH());
        vm.expectEmit(address(SPEND));
        emit ISpendAccount.Deposited(payer, bob, 2 ether);
        vm.prank(bob); // Anyone relays.
        SPEND.depositWithAuthorization(payer, 2 ether, 0, type(uint256).max, "nonce", signature);
        assertEq(SPEND.freeOf(payer), 2 ether);
        assertEq(SPEND.freeOf(bob), 0);
        assertEq(address(SPEND).balance, 2 ether);
        assertEq(WOPEN.balanceOf(payer), 1 ether);
        assertEq(WOPEN.balanceOf(address(SPEND)), 0);
        assertEq(SPEND.solvency(), 0);
    }

    /// A watcher of the pool cannot spend the authorisation beside the deposit, nor turn it to somebody else.
    function test_depositWithAuthorization_runAhead_changesNothing() public {
        bytes memory signature = _authorised(WOPEN.RECEIVE_WITH_AUTHORIZATION_TYPEHASH());
        vm.startPrank(bob);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.NotPayee.selector, bob, address(SPEND)));
        WOPEN.receiveWithAuthorization(payer, address(SPEND), 2 ether, 0, type(uint256).max, "nonce", signature);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.BadSignature.selector, payer));
        WOPEN.transferWithAuthorization(payer, address(SPEND), 2 ether, 0, type(uint256).max, "nonce", signature);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.BadSignature.selector, bob));
        SPEND.depositWithAuthorization(bob, 2 ether, 0, type(uint256).max, "nonce", signature);
        SPEND.depositWithAuthorization(payer, 2 ether, 0, type(uint256).max, "nonce", signature);
        vm.stopPrank();
        assertEq(SPEND.freeOf(payer), 2 ether);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.AuthorizationSpent.selector, payer, bytes32("nonce")));
        SPEND.depositWithAuthorization(payer, 2 ether, 0, type(uint256).max, "nonce", signature);
    }

    function test_depositWithAuthorization_ofATransfer_reverts() public {
        bytes memory signature = _authorised(WOPEN.TRANSFER_WITH_AUTHORIZATION_TYPEHASH());
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.BadSignature.selector, payer));
        SPEND.depositWithAuthorization(payer, 2 ether, 0, type(uint256).max, "nonce", signature);
    }

    // Withdrawals of what is free

    function test_withdraw_paysFreeOpenAtOnce() public {
        deposit(payer, 3 ether);
        vm.prank(payer);
        SPEND.withdraw(payer, bob, 2 ether, 0, "");
        assertEq(bob.balance, 2 ether);
        assertEq(SPEND.freeOf(payer), 1 ether);
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.Insufficient.selector, payer, 1 ether, 2 ether));
        vm.prank(payer);
        SPEND.withdraw(payer, bob, 2 ether, 0, "");
    }

    function test_withdraw_relayed_once() public {
        deposit(payer, 3 ether);
        bytes memory signature =
            sign(payerKey, keccak256(abi.encode(WITHDRAWAL, payer, bob, uint128(1 ether), 0, block.timestamp)));
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.BadSignature.selector, payer));
        SPEND.withdraw(payer, alice, 1 ether, block.timestamp, signature);
        SPEND.withdraw(payer, bob, 1 ether, block.timestamp, signature);
        assertEq(bob.balance, 1 ether);
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.BadSignature.selector, payer));
        SPEND.withdraw(payer, bob, 1 ether, block.timestamp, signature);
    }

    function test_withdraw_late_reverts() public {
        deposit(payer, 3 ether);
        uint256 deadline = block.timestamp;
        bytes memory signature =
            sign(payerKey, keccak256(abi.encode(WITHDRAWAL, payer, bob, uint128(1 ether), 0, deadline)));
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.Expired.selector, deadline));
        SPEND.withdraw(payer, bob, 1 ether, deadline, signature);
    }

    function test_withdraw_byAPayerWhoCallsBack_paysOnce() public {
        address at_ = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
        CallsBack thief = new CallsBack(address(SPEND), abi.encodeCall(SPEND.withdraw, (at_, at_, 1 ether, 0, "")), 5);
        assertEq(address(thief), at_);
        deposit(bob, 5 ether);
        deposit(at_, 1 ether);
        vm.prank(at_);
        SPEND.withdraw(at_, at_, 1 ether, 0, "");
        assertEq(thief.left(), 4);
        assertFalse(thief.lastOk());
        assertEq(thief.received(), 1 ether);
        assertEq(SPEND.freeOf(bob), 5 ether);
        assertEq(SPEND.solvency(), 0);
    }

    function test_withdraw_toOneWhoRefuses_reverts() public {
        deposit(payer, 1 ether);
        address refuses = address(new Refuses());
        vm.expectRevert(abi.encodeWithSelector(Send.SendFailed.selector, refuses, 1 ether));
        vm.prank(payer);
        SPEND.withdraw(payer, refuses, 1 ether, 0, "");
        assertEq(SPEND.freeOf(payer), 1 ether);
    }

    // Reservations

    /// One deposit, a hundred operators: what is reserved never passes what was deposited.
    function test_hub_hundredOperatorsOneDeposit() public {
        deposit(payer, 10 ether);
        uint256 reserved = 0;
        for (uint256 i = 0; i < 110; ++i) {
            vm.prank(bob);
            uint32 id = ROUTER.registerOperator(bob, 450_000_000);
            if (i == 100) {
                vm.expectRevert(abi.encodeWithSelector(ISpendAccount.Insufficient.selector, payer, 0, 0.1 ether));
                reserve(terms(payer, id), 0.1 ether);
                break;
            }
            reserve(terms(payer, id), 0.1 ether);
            (uint128 redeemable, uint64 until) = SPEND.safeHeadroom(payer, payer, id, 0);
            assertEq(redeemable, 0.1 ether);
            assertEq(until, type(uint64).max - 5 minutes);
            reserved += redeemable;
            assertLe(reserved, 10 ether);
            assertEq(SPEND.freeOf(payer) + reserved, 10 ether);
        }
        assertEq(reserved, 10 ether);
        assertEq(SPEND.liabilities(), 10 ether);
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.Insufficient.selector, payer, 0, 1));
        vm.prank(payer);
        SPEND.withdraw(payer, payer, 1, 0, "");
    }

    function test_reserve_relayed_once() public {
        deposit(payer, 3 ether);
        ISpendAccount.Reservation memory r = terms(payer, operator);
        bytes memory signature =
            sign(payerKey, keccak256(abi.encode(RESERVATION, r, uint128(1 ether), 0, block.timestamp)));
        bytes memory refusal = abi.encodeWithSelector(ISpendAccount.BadSignature.selector, payer);
        vm.expectRevert(refusal);
        SPEND.reserve(r, 2 ether, payer, block.timestamp, signature);
        vm.expectEmit(address(SPEND));
        emit ISpendAccount.Reserved(SPEND.reservationId(r), payer, operator, payer, 0, 0, 0, 0, 1 ether);
        assertEq(SPEND.reserve(r, 1 ether, payer, block.timestamp, signature), SPEND.reservationId(r));
        vm.expectRevert(refusal);
        SPEND.reserve(r, 1 ether, payer, block.timestamp, signature);
        assertEq(SPEND.freeOf(payer), 2 ether);
    }

    /// Every term is signed.
    function testFuzz_reserve_changedInAnyTerm_reverts(uint8 term, uint32 by) public {
        deposit(payer, 3 ether);
        ISpendAccount.Reservation memory r =
            ISpendAccount.Reservation(payer, key, operator, 5, 6, 7, uint64(block.timestamp + 9));
        bytes memory signature =
            sign(payerKey, keccak256(abi.encode(RESERVATION, r, uint128(1 ether), 0, block.timestamp)));
        by = uint32(bound(by, 1, 1000));
        uint128 amount = 1 ether;
        uint256 deadline = block.timestamp;
        term = term % 7;
        if (term == 0) r.signer = address(uint160(r.signer) ^ by);
        if (term == 1) r.epoch += by;
        if (term == 2) r.assetId += by;
        if (term == 3) r.agentId += by;
        if (term == 4) r.expiry += by;
        if (term == 5) amount -= by;
        if (term == 6) deadline += by;
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.BadSignature.selector, payer));
        SPEND.reserve(r, amount, payer, deadline, signature);
    }

    function test_reserve_onAnotherChain_reverts() public {
        deposit(payer, 3 ether);
        ISpendAccount.Reservation memory r = terms(payer, operator);
        bytes memory signature =
            sign(payerKey, keccak256(abi.encode(RESERVATION, r, uint128(1 ether), 0, block.timestamp)));
        vm.chainId(block.chainid + 1);
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.BadSignature.selector, payer));
        SPEND.reserve(r, 1 ether, payer, block.timestamp, signature);
    }

    function test_reserve_bySmartAccount() public {
        SmartAccount account = new SmartAccount();
        deposit(address(account), 3 ether);
        ISpendAccount.Reservation memory r = terms(address(account), operator);
        r.signer = key;
        account.accept(digest(keccak256(abi.encode(RESERVATION, r, uint128(1 ether), 0, block.timestamp))), "sesame");
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.BadSignature.selector, account));
        SPEND.reserve(r, 1 ether, address(account), block.timestamp, "wrong");
        SPEND.reserve(r, 1 ether, address(account), block.timestamp, "sesame");
        (uint128 redeemable,) = SPEND.safeHeadroom(address(account), key, operator, 0);
        assertEq(redeemable, 1 ether);
    }

    function test_reserve_refusals() public {
        deposit(payer, 3e6 ether);
        ISpendAccount.Reservation memory r = terms(payer, operator);
        vm.startPrank(payer);
        vm.expectRevert(ISpendAccount.ZeroAmount.selector);
        SPEND.reserve(r, 0, payer, 0, "");
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.TooMuch.selector, 1 << 80, (1 << 80) - 1));
        SPEND.reserve(r, 1 << 80, payer, 0, "");
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.NotPayerNorSigner.selector, bob));
        SPEND.reserve(r, 1, bob, 0, "");
        r.operatorId = 99;
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.UnknownOperator.selector, 99));
        SPEND.reserve(r, 1, payer, 0, "");
        r.operatorId = 0;
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.UnknownOperator.selector, 0));
        SPEND.reserve(r, 1, payer, 0, "");
        r.operatorId = operator;
        r.expiry = uint64(block.timestamp - 1);
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.Expired.selector, r.expiry));
        SPEND.reserve(r, 1, payer, 0, "");
        r.signer = address(0);
        vm.expectRevert(ISpendAccount.ZeroAddress.selector);
        SPEND.reserve(r, 1, payer, 0, "");
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.Expired.selector, 0));
        SPEND.reserve(terms(payer, operator), 1, payer, 0, "");
    }

    /// An epoch with two sets of terms would pay one voucher twice.
    function testFuzz_reserve_otherTermsInTheSameEpoch_revert(uint8 term) public {
        deposit(payer, 3 ether);
        ISpendAccount.Reservation memory r =
            ISpendAccount.Reservation(payer, key, operator, 0, asset, agent, uint64(block.timestamp + 9));
        reserve(r, 1);
        if (term % 3 == 0) r.assetId = 0;
        if (term % 3 == 1) r.agentId = 0;
        if (term % 3 == 2) r.expiry += 1;
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.TermsDiffer.selector, SPEND.reservationId(r)));
        reserve(r, 1);
        r.epoch = 1;
        reserve(r, 1);
    }

    // Session keys

    function test_sessionKey_reservesForItself() public {
        deposit(payer, 3 ether);
        _session(2 ether, 1 days, 0, 0, 0);
        ISpendAccount.Reservation memory r = _keyTerms(1 days);
        bytes memory signature =
            sign(keyKey, keccak256(abi.encode(RESERVATION, r, uint128(1.5 ether), 0, block.timestamp)));
        SPEND.reserve(r, 1.5 ether, key, block.timestamp, signature);
        (uint128 redeemable, uint64 until) = SPEND.safeHeadroom(payer, key, operator, 0);
        assertEq(redeemable, 1.5 ether);
        assertEq(until, block.timestamp + 1 days - 5 minutes);
        assertEq(SPEND.sessionKey(payer, key).cap, 0.5 ether);
        assertEq(SPEND.nonces(key), 1);
        assertEq(SPEND.nonces(payer), 0);

        vm.prank(key); // Or by itself.
        SPEND.reserve(r, 0.5 ether, key, 0, "");
        _refused(r, 1);
    }

    function test_sessionKey_isHeldToItsLimits() public {
        deposit(payer, 9 ether);
        vm.prank(alice);
        uint32 other = ROUTER.registerOperator(alice, 450_000_000);
        _refused(_keyTerms(1 days), 1); // Nobody's key.
        _session(2 ether, 1 days, operator, asset, agent);
        ISpendAccount.Reservation memory good = _keyTerms(1 days);
        (good.assetId, good.agentId) = (asset, agent);

        _refused(good, 2 ether + 1);
        ISpendAccount.Reservation memory r = _keyTerms(1 days);
        (r.assetId, r.agentId) = (asset, 0); // Unrestricted is more than restricted.
        _refused(r, 1);
        (r.assetId, r.agentId) = (0, agent);
        _refused(r, 1);
        (r.assetId, r.agentId, r.operatorId) = (asset, agent, other);
        _refused(r, 1);
        r = _keyTerms(1 days + 1);
        (r.assetId, r.agentId) = (asset, agent);
        _refused(r, 1);
        r.expiry = 0; // No end is later than any.
        _refused(r, 1);

        vm.prank(key);
        SPEND.reserve(good, 1, key, 0, "");
        _session(0, 1 days, operator, asset, agent);
        _refused(good, 1);
        _session(2 ether, 1 days, operator, asset, agent);
        vm.warp(block.timestamp + 1 days + 1);
        good.expiry = uint64(block.timestamp);
        good.epoch = 1;
        _refused(good, 1);
    }

    /// A key that somebody calls a session key of the payer is none.
    function test_sessionKey_bySomebodyElse_reverts() public {
        ISpendAccount.SessionKey memory s = ISpendAccount.SessionKey(1, uint64(block.timestamp), 0, 0, 0);
        bytes32 structHash = keccak256(abi.encode(SESSION_KEY, payer, key, s, 0, block.timestamp));
        bytes memory forged = sign(keyKey, structHash);
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.BadSignature.selector, payer));
        vm.prank(key);
        SPEND.setSessionKey(payer, key, s, block.timestamp, forged);
        SPEND.setSessionKey(payer, key, s, block.timestamp, sign(payerKey, structHash));
        assertEq(SPEND.sessionKey(payer, key).cap, 1);
    }

    function testFuzz_sessionKey_changedInAnyTerm_reverts(uint8 term) public {
        ISpendAccount.SessionKey memory s = ISpendAccount.SessionKey(1 ether, uint64(block.timestamp), 1, 2, 3);
        bytes memory signature = sign(payerKey, keccak256(abi.encode(SESSION_KEY, payer, key, s, 0, block.timestamp)));
        address other = key;
        if (term % 6 == 0) s.cap += 1;
        if (term % 6 == 1) s.expiry += 1;
        if (term % 6 == 2) s.operatorId = 0;
        if (term % 6 == 3) s.assetId = 0;
        if (term % 6 == 4) s.agentId = 0;
        if (term % 6 == 5) other = bob;
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.BadSignature.selector, payer));
        SPEND.setSessionKey(payer, other, s, block.timestamp, signature);
    }

    function test_sessionKey_bySmartAccount() public {
        SmartAccount account = new SmartAccount();
        ISpendAccount.SessionKey memory s = ISpendAccount.SessionKey(1, uint64(block.timestamp), 0, 0, 0);
        account.accept(digest(keccak256(abi.encode(SESSION_KEY, account, key, s, 0, block.timestamp))), "sesame");
        SPEND.setSessionKey(address(account), key, s, block.timestamp, "sesame");
        assertEq(SPEND.sessionKey(address(account), key).cap, 1);
    }

    // Releases

    function test_release_afterTheDelay() public {
        fund(payer, 2 ether);
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.TooEarly.selector, 0));
        SPEND.finalizeRelease(payer, payer, operator, 0);
        _initiate();
        uint64 releaseAt = uint64(block.timestamp + 15 minutes);
        bytes memory releasing =
            abi.encodeWithSelector(ISpendAccount.Releasing.selector, SPEND.reservationId(terms(payer, operator)));
        deposit(payer, 1);
        vm.expectRevert(releasing);
        reserve(terms(payer, operator), 1);
        vm.expectRevert(releasing);
        _initiate();
        vm.warp(releaseAt - 1);
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.TooEarly.selector, releaseAt));
        SPEND.finalizeRelease(payer, payer, operator, 0);
        vm.warp(releaseAt);
        vm.prank(bob);
        SPEND.finalizeRelease(payer, payer, operator, 0);
        assertEq(SPEND.freeOf(payer), 2 ether + 1);
        assertEq(SPEND.liabilities(), 2 ether + 1);

        vm.expectRevert(releasing);
        SPEND.finalizeRelease(payer, payer, operator, 0);
        vm.expectRevert(releasing);
        _initiate();
        vm.expectRevert(releasing);
        reserve(terms(payer, operator), 1);
        ISpendAccount.Reservation memory next = terms(payer, operator);
        next.epoch = 1;
        reserve(next, 1);
    }

    function test_release_ofAnExpiredReservation_atOnce() public {
        deposit(payer, 1 ether);
        ISpendAccount.Reservation memory r = _keyTerms(1 hours);
        reserve(r, 1 ether);
        vm.warp(r.expiry);
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.TooEarly.selector, 0));
        SPEND.finalizeRelease(payer, key, operator, 0);
        vm.warp(r.expiry + 1);
        SPEND.finalizeRelease(payer, key, operator, 0);
        assertEq(SPEND.freeOf(payer), 1 ether);
    }

    function test_release_byThePayerAlone() public {
        fund(payer, 1 ether);
        bytes32 structHash = keccak256(abi.encode(RELEASE, payer, payer, operator, uint64(0), 0, block.timestamp));
        bytes memory forged = sign(keyKey, structHash);
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.BadSignature.selector, payer));
        SPEND.initiateRelease(payer, payer, operator, 0, block.timestamp, forged);
        vm.expectRevert(ISpendAccount.NoReservation.selector);
        vm.prank(payer);
        SPEND.initiateRelease(payer, payer, operator, 1, 0, "");
        vm.expectRevert(ISpendAccount.NoReservation.selector);
        SPEND.finalizeRelease(payer, key, operator, 0);
        SPEND.initiateRelease(payer, payer, operator, 0, block.timestamp, sign(payerKey, structHash));
        (,,,, uint64 releaseAt,) = SPEND.reservationOf(payer, payer, operator, 0);
        assertEq(releaseAt, block.timestamp + 15 minutes);
    }

    function test_safeHeadroom_endsBeforeTheRelease() public {
        fund(payer, 1 ether);
        _initiate();
        uint256 releaseAt = block.timestamp + 15 minutes;
        (uint128 redeemable, uint64 until) = SPEND.safeHeadroom(payer, payer, operator, 0);
        assertEq(redeemable, 1 ether);
        assertEq(until, releaseAt - 1 - 5 minutes);
        vm.warp(until);
        (redeemable,) = SPEND.safeHeadroom(payer, payer, operator, 0);
        assertEq(redeemable, 1 ether);
        vm.warp(until + 1);
        (redeemable, until) = SPEND.safeHeadroom(payer, payer, operator, 0);
        assertEq(redeemable, 0);
        assertEq(until, 0);
        (redeemable, until) = SPEND.safeHeadroom(bob, bob, operator, 0);
        assertEq(redeemable, 0);
        assertEq(until, 0);
    }

    // Books

    function test_solvency_countsForcedOpenAsSurplus() public {
        fund(payer, 1 ether);
        vm.deal(address(SPEND), 1.5 ether);
        assertEq(SPEND.solvency(), 0.5 ether);
    }

    function test_domain_isAnnounced() public view {
        (bytes1 fields, string memory name, string memory version, uint256 chainId, address where,,) =
            SPEND.eip712Domain();
        assertEq(fields, hex"0f");
        assertEq(name, "Tributary SpendAccount");
        assertEq(version, "1");
        assertEq(chainId, block.chainid);
        assertEq(where, address(SPEND));
        assertEq(digest(0), keccak256(abi.encodePacked(hex"1901", SPEND.DOMAIN_SEPARATOR(), bytes32(0))));
    }

    function testFuzz_voucherDigest_isThatOfTheEip(ISpendAccount.Voucher memory v) public view {
        assertEq(SPEND.voucherDigest(v), digestOf(v));
    }

    // ---

    function _session(uint128 cap, uint64 duration_s, uint32 operatorId, uint64 assetId, uint64 agentId) private {
        ISpendAccount.SessionKey memory s =
            ISpendAccount.SessionKey(cap, uint64(block.timestamp) + duration_s, operatorId, assetId, agentId);
        vm.prank(payer);
        SPEND.setSessionKey(payer, key, s, 0, "");
    }

    function _keyTerms(uint64 duration_s) private view returns (ISpendAccount.Reservation memory r) {
        r = terms(payer, operator);
        (r.signer, r.expiry) = (key, uint64(block.timestamp) + duration_s);
    }

    function _refused(ISpendAccount.Reservation memory r, uint128 amount) private {
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.BeyondSession.selector, payer, key));
        vm.prank(key);
        SPEND.reserve(r, amount, key, 0, "");
    }

    function _initiate() private {
        vm.prank(payer);
        SPEND.initiateRelease(payer, payer, operator, 0, 0, "");
    }

    /// @dev 2 of the payer's 3 WOPEN to SpendAccount.
    function _authorised(bytes32 typehash) private returns (bytes memory) {
        vm.deal(payer, 3 ether);
        vm.prank(payer);
        WOPEN.deposit{value: 3 ether}();
        bytes32 structHash =
            keccak256(abi.encode(typehash, payer, address(SPEND), 2 ether, 0, type(uint256).max, bytes32("nonce")));
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(payerKey, keccak256(abi.encodePacked(hex"1901", WOPEN.DOMAIN_SEPARATOR(), structHash)));
        return abi.encodePacked(r, s, v);
    }
}
