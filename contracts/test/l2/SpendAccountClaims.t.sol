// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {AssetRecord} from "src/l2/AssetRecord.sol";
import {IRevenueRouter} from "src/l2/IRevenueRouter.sol";
import {ISpendAccount} from "src/l2/ISpendAccount.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {CallsBack} from "./Receivers.sol";
import {SpendTest} from "./SpendTest.sol";

/// @notice Vouchers redeemed, and vouchers that must not be.
contract SpendAccountClaimsTest is SpendTest {
    ISpendAccount.Reason private constant PAID = ISpendAccount.Reason.PAID;
    ISpendAccount.Reason private constant UNROUTABLE = ISpendAccount.Reason.UNROUTABLE;
    ISpendAccount.Reason private constant EXPIRED = ISpendAccount.Reason.EXPIRED;
    ISpendAccount.Reason private constant BAD_SIGNATURE = ISpendAccount.Reason.BAD_SIGNATURE;
    ISpendAccount.Reason private constant NO_RESERVATION = ISpendAccount.Reason.NO_RESERVATION;
    ISpendAccount.Reason private constant STALE = ISpendAccount.Reason.STALE;
    ISpendAccount.Reason private constant COUNT_FELL = ISpendAccount.Reason.COUNT_FELL;
    ISpendAccount.Reason private constant OVER_RESERVED = ISpendAccount.Reason.OVER_RESERVED;

    uint256 private constant FIRST_KEY = 1000;
    address private immutable bob = makeAddr("bob");
    address private key;
    uint256 private keyKey;

    function setUp() public override {
        super.setUp();
        (key, keyKey) = makeAddrAndKey("session");
    }

    // What is paid

    function test_claim_paysWhatTheVoucherAdds() public {
        fund(payer, 10 ether);
        ISpendAccount.Voucher memory v = voucher(payer, asset, 1 ether);
        vm.expectEmit(address(SPEND));
        emit ISpendAccount.VoucherClaimed(payer, asset, operator, 0, 1 ether, 1, v.receiptRoot);
        vm.expectEmit(address(ROUTER));
        emit IRevenueRouter.Routed(
            keccak256(abi.encodePacked(digestOf(v))),
            asset,
            operator,
            0,
            address(SPEND),
            1 ether,
            0.01 ether,
            0.01 ether,
            0.45 ether,
            0,
            0.53 ether,
            0
        );
        assertClaim(v, payerKey, PAID);

        (v.cumulative, v.count, v.receiptRoot) = (3 ether, 7, "more");
        vm.expectEmit(address(SPEND));
        emit ISpendAccount.VoucherClaimed(payer, asset, operator, 0, 2 ether, 6, "more");
        assertClaim(v, payerKey, PAID);

        assertEq(ROUTER.operatorClaimable(operator), 1.35 ether);
        assertEq(LEDGER.claimable(asset, alice), 1.59 ether);
        assertEq(address(SPEND).balance, 7 ether);
        assertEq(SPEND.solvency(), 0);
        (uint128 available,,,,,) = SPEND.reservationOf(payer, payer, operator, 0);
        assertEq(available, 7 ether);
        _assertClaimed(payer, asset, 0, 3 ether, 7);
    }

    function test_claim_throughAnAgent() public {
        fund(payer, 10 ether);
        vm.prank(alice);
        ROUTER.setAgentShare(agent, 100_000_000);
        vm.warp(block.timestamp + 2 days);
        ISpendAccount.Voucher memory v = voucher(payer, asset, 1 ether);
        v.agentId = agent;
        assertClaim(v, payerKey, PAID);
        assertEq(LEDGER.claimable(agent, alice), 0.1 ether);
        _assertClaimed(payer, asset, agent, 1 ether, 1);
        _assertClaimed(payer, asset, 0, 0, 0);
    }

    /// Every channel of a reservation is cumulative by itself; all draw on the same reservation.
    function test_channels_areCountedApart() public {
        fund(payer, 10 ether);
        assertClaim(voucher(payer, asset, 1 ether), payerKey, PAID);
        assertClaim(voucher(payer, asset2, 2 ether), payerKey, PAID);
        ISpendAccount.Voucher memory v = voucher(payer, asset, 3 ether);
        v.agentId = agent;
        assertClaim(v, payerKey, PAID);
        assertClaim(voucher(payer, asset2, 2 ether), payerKey, STALE);
        assertClaim(voucher(payer, asset2, 4 ether), payerKey, PAID);
        assertClaim(voucher(payer, asset, 1.5 ether), payerKey, PAID);
        _assertClaimed(payer, asset, 0, 1.5 ether, 1);
        _assertClaimed(payer, asset2, 0, 4 ether, 1);
        _assertClaimed(payer, asset, agent, 3 ether, 1);
        assertClaim(voucher(payer, asset2, 5.5 ether + 1), payerKey, OVER_RESERVED); // 1.5 ether are left.
        assertClaim(voucher(payer, asset2, 5.5 ether), payerKey, PAID);
        assertEq(SPEND.liabilities(), 0);
    }

    /// An asset whose id is too high for a reservation's home word.
    function test_channels_ofHighIds() public {
        fund(payer, 10 ether);
        uint64 high = asset + (1 << 40);
        vm.etch(AssetRecord.addressOf(high), AssetRecord.addressOf(asset).code);
        assertClaim(voucher(payer, high, 1 ether), payerKey, PAID);
        assertClaim(voucher(payer, high, 1 ether), payerKey, STALE);
        assertClaim(voucher(payer, asset, 2 ether), payerKey, PAID);
        assertClaim(voucher(payer, high, 3 ether), payerKey, PAID);
        assertClaim(voucher(payer, asset, 3 ether), payerKey, PAID);
        _assertClaimed(payer, high, 0, 3 ether, 1);
        _assertClaimed(payer, asset, 0, 3 ether, 1);
        assertEq(SPEND.liabilities(), 4 ether);
    }

    function test_claim_ofTheLargestChannel() public {
        uint128 most = (1 << 80) - 1;
        deposit(payer, most);
        reserve(terms(payer, operator), most);
        ISpendAccount.Voucher memory v = voucher(payer, asset, 1);
        assertClaim(v, payerKey, PAID);
        (v.cumulative, v.count) = (most, type(uint32).max);
        assertClaim(v, payerKey, PAID);
        _assertClaimed(payer, asset, 0, most, type(uint32).max);
        assertEq(SPEND.liabilities(), 0);
    }

    function test_sessionKey_claims() public {
        ISpendAccount.Reservation memory r = _reserveForKey(asset, agent, 1 hours);
        ISpendAccount.Voucher memory v = voucher(payer, asset, 1 ether);
        v.agentId = agent;
        vm.warp(r.expiry); // Its last second.
        assertClaim(v, signed(v, keyKey, r.expiry, 3), PAID);
        v.cumulative = 2 ether;
        assertClaim(v, signed(v, keyKey, r.expiry, 3), PAID);
        vm.warp(r.expiry + 1);
        v.cumulative = 3 ether;
        assertClaim(v, signed(v, keyKey, r.expiry, 3), EXPIRED);
        assertEq(SPEND.liabilities(), 8 ether);
    }

    // Fifty rows

    function test_batch_skipsBadRows() public {
        ISpendAccount.Row[] memory rows = new ISpendAccount.Row[](50);
        for (uint256 i = 0; i < 50; ++i) {
            address who = vm.addr(FIRST_KEY + i);
            fund(who, 1 ether);
            rows[i] = signed(voucher(who, asset, 0.5 ether), FIRST_KEY + i);
        }
        assertClaim(voucher(vm.addr(FIRST_KEY + 31), asset, 0.5 ether), FIRST_KEY + 31, PAID); // 31 becomes stale.
        rows[7] = signed(voucher(vm.addr(FIRST_KEY + 7), asset, 0.5 ether), FIRST_KEY + 8); // Forged.
        rows[20] = signed(voucher(vm.addr(FIRST_KEY + 20), asset, 1 ether + 1), FIRST_KEY + 20); // Over the balance.
        uint256 before = SPEND.liabilities();

        ISpendAccount.Group[] memory g = new ISpendAccount.Group[](1);
        g[0] = ISpendAccount.Group(asset, 0, rows);
        vm.expectEmit(address(SPEND));
        emit ISpendAccount.VoucherSkipped(vm.addr(FIRST_KEY + 7), operator, 7, NO_RESERVATION);
        vm.expectEmit(address(SPEND));
        emit ISpendAccount.VoucherSkipped(vm.addr(FIRST_KEY + 20), operator, 20, OVER_RESERVED);
        vm.expectEmit(address(SPEND));
        emit ISpendAccount.VoucherSkipped(vm.addr(FIRST_KEY + 31), operator, 31, STALE);
        vm.prank(alice);
        (uint256 paid, bytes memory reasons) = SPEND.claimBatch(operator, g);

        assertEq(paid, ((1 << 50) - 1) ^ (1 << 7) ^ (1 << 20) ^ (1 << 31));
        assertEq(before - SPEND.liabilities(), 47 * 0.5 ether);
        for (uint256 i = 0; i < 50; ++i) {
            ISpendAccount.Reason want = i == 7 ? NO_RESERVATION : i == 20 ? OVER_RESERVED : i == 31 ? STALE : PAID;
            assertEq(uint8(reasons[i]), uint8(want));
            (uint128 cumulative,) =
                SPEND.claimedOf(vm.addr(FIRST_KEY + i), vm.addr(FIRST_KEY + i), operator, 0, asset, 0);
            assertEq(cumulative, i == 7 || i == 20 ? 0 : 0.5 ether);
        }
        assertEq(SPEND.solvency(), 0);
    }

    /// Any mixture of good and bad rows over several groups: exactly the good ones are paid, and the bits say which.
    function testFuzz_batch_anyMixture(uint256 seed) public {
        uint64[3] memory assets = [asset, 99, asset2]; // Nobody registered 99.
        ISpendAccount.Group[] memory g = new ISpendAccount.Group[](3);
        uint256 want = 0;
        uint256 money = 0;
        for (uint256 i = 0; i < 24; ++i) {
            if (i % 8 == 0) g[i / 8] = ISpendAccount.Group(assets[i / 8], 0, new ISpendAccount.Row[](8));
            address who = vm.addr(FIRST_KEY + i % 8);
            if (i < 8) fund(who, 2 ether);
            uint256 kind = (seed >> (3 * i)) % 8;
            ISpendAccount.Voucher memory v = voucher(who, assets[i / 8], uint128(0.1 ether + i));
            bool good = kind < 4 && i / 8 != 1;
            if (good && kind == 3) {
                assertClaim(v, FIRST_KEY + i % 8, PAID); // So the row below is not the first of its channel.
                v.cumulative += 1;
            }
            if (good) (want, money) = (want | 1 << i, money + (kind == 3 ? 1 : v.cumulative));
            if (kind == 4) v.cumulative = 3 ether;
            ISpendAccount.Row memory r = signed(v, kind == 5 ? 7 : FIRST_KEY + i % 8);
            if (kind == 6) r.receiptRoot = "other";
            if (kind == 7) r.r = 0;
            g[i / 8].rows[i % 8] = r;
        }
        uint256 before = SPEND.liabilities();
        vm.prank(alice);
        (uint256 paid, bytes memory reasons) = SPEND.claimBatch(operator, g);
        assertEq(paid, want);
        for (uint256 i = 0; i < 24; ++i) {
            assertEq(reasons[i] == 0, want >> i & 1 == 1);
        }
        assertEq(before - SPEND.liabilities(), money);
        assertEq(SPEND.solvency(), 0);
    }

    /// One asset that cannot be routed takes nobody else down.
    function test_batch_unroutableGroupsAreSkipped() public {
        fund(payer, 10 ether);
        ISpendAccount.Group[] memory g = new ISpendAccount.Group[](4);
        g[0] = group(99, signed(voucher(payer, 99, 1 ether), payerKey))[0];
        g[1] = group(asset, signed(voucher(payer, asset, 1 ether), payerKey))[0];
        ISpendAccount.Voucher memory v = voucher(payer, asset, 1 ether);
        v.agentId = asset2; // A model, no agent.
        g[2] = group(asset, signed(v, payerKey))[0];
        g[2].agentId = asset2;
        v.agentId = 99;
        g[3] = group(asset, signed(v, payerKey))[0];
        g[3].agentId = 99;
        vm.prank(alice);
        (uint256 paid, bytes memory reasons) = SPEND.claimBatch(operator, g);
        assertEq(paid, 2);
        assertEq(reasons, abi.encodePacked(uint8(UNROUTABLE), uint8(PAID), uint8(UNROUTABLE), uint8(UNROUTABLE)));
        assertEq(SPEND.liabilities(), 9 ether);
        assertEq(ROUTER.operatorClaimable(operator), 0.45 ether);
    }

    function test_batch_hasAtMost256Rows() public {
        ISpendAccount.Group[] memory g = new ISpendAccount.Group[](2);
        g[0] = ISpendAccount.Group(asset, 0, new ISpendAccount.Row[](200));
        g[1] = ISpendAccount.Group(asset, 0, new ISpendAccount.Row[](57));
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.TooManyRows.selector, 257));
        vm.prank(alice);
        SPEND.claimBatch(operator, g);
    }

    function test_batch_ofNothing() public {
        vm.prank(alice);
        (uint256 paid, bytes memory reasons) = SPEND.claimBatch(operator, new ISpendAccount.Group[](0));
        assertEq(paid, 0);
        assertEq(reasons.length, 0);
    }

    /// Governance may end the right to batches, and no claim by that.
    function test_claim_withoutTheRightToBatches() public {
        fund(payer, 10 ether);
        vm.prank(governance);
        ROUTER.setChannel(Predeploys.SPEND_ACCOUNT, false);
        ISpendAccount.Group[] memory g = new ISpendAccount.Group[](3);
        g[0] = group(asset, signed(voucher(payer, asset, 1 ether), payerKey))[0];
        g[1] = group(99, signed(voucher(payer, 99, 1 ether), payerKey))[0];
        g[2] = group(asset2, signed(voucher(payer, asset2, 1 ether), payerKey))[0];
        vm.prank(alice);
        (uint256 paid,) = SPEND.claimBatch(operator, g);
        assertEq(paid, 5);
        assertEq(ROUTER.operatorClaimable(operator), 0.9 ether);
        assertEq(SPEND.solvency(), 0);
    }

    // Replays

    function test_replay_isStale() public {
        fund(payer, 10 ether);
        ISpendAccount.Voucher memory v = voucher(payer, asset, 1 ether);
        ISpendAccount.Row memory r = signed(v, payerKey);
        assertClaim(v, r, PAID);
        assertClaim(v, r, STALE);
        // The other signature of the same voucher: s and the parity turned over.
        r.s = bytes32(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141 - uint256(r.s));
        r.terms ^= 1 << 255;
        assertClaim(v, r, STALE);
        v.cumulative = 0.5 ether;
        assertClaim(v, payerKey, STALE);
        v.cumulative = 0;
        assertClaim(v, payerKey, STALE);
        assertEq(SPEND.liabilities(), 9 ether);
    }

    /// Twice in one claim, in one group and in two.
    function test_replay_withinAClaim_isStale() public {
        fund(payer, 10 ether);
        ISpendAccount.Row memory r = signed(voucher(payer, asset, 1 ether), payerKey);
        ISpendAccount.Group[] memory g = new ISpendAccount.Group[](2);
        g[0] = ISpendAccount.Group(asset, 0, new ISpendAccount.Row[](2));
        (g[0].rows[0], g[0].rows[1]) = (r, r);
        g[1] = group(asset, r)[0];
        vm.prank(alice);
        (uint256 paid,) = SPEND.claimBatch(operator, g);
        assertEq(paid, 1);
        assertEq(SPEND.liabilities(), 9 ether);
    }

    function test_voucherOfAnotherChainOrContract_isNobodys() public {
        fund(payer, 10 ether);
        ISpendAccount.Voucher memory v = voucher(payer, asset, 1 ether);
        bytes32 structHash = keccak256(abi.encode(VOUCHER, v));
        bytes32 elsewhere = digest(structHash, block.chainid + 1, address(SPEND));
        assertClaim(v, row(v, elsewhere, payerKey, 0, 0), NO_RESERVATION);
        elsewhere = digest(structHash, block.chainid, address(ROUTER));
        assertClaim(v, row(v, elsewhere, payerKey, 0, 0), NO_RESERVATION);
        assertClaim(v, row(v, digest(structHash), payerKey, 0, 0), PAID);
    }

    /// A chain that splits: what was signed before is good on the old side alone.
    function test_voucherAfterAChainSplit_isNobodys() public {
        fund(payer, 10 ether);
        ISpendAccount.Voucher memory v = voucher(payer, asset, 1 ether);
        ISpendAccount.Row memory r = signed(v, payerKey);
        vm.chainId(block.chainid + 1);
        assertClaim(v, r, NO_RESERVATION);
    }

    function test_voucherOfAnotherEpoch_isNobodys() public {
        fund(payer, 10 ether);
        deposit(payer, 10 ether);
        ISpendAccount.Reservation memory next = terms(payer, operator);
        next.epoch = 1;
        reserve(next, 10 ether);
        ISpendAccount.Voucher memory v = voucher(payer, asset, 1 ether);
        ISpendAccount.Row memory r = signed(v, payerKey);
        r.terms |= 1; // Epoch 1, signed for epoch 0.
        assertClaim(v, r, NO_RESERVATION);
        v.epoch = 2; // Never reserved.
        assertClaim(v, payerKey, NO_RESERVATION);
        v.epoch = 1;
        assertClaim(v, payerKey, PAID);
        v.epoch = 0;
        assertClaim(v, payerKey, PAID);
    }

    function test_voucherOfAReleasedEpoch_isNotPaidByTheNext() public {
        fund(payer, 10 ether);
        ISpendAccount.Voucher memory v = voucher(payer, asset, 1 ether);
        _release();
        ISpendAccount.Reservation memory next = terms(payer, operator);
        next.epoch = 1;
        reserve(next, 10 ether);
        assertClaim(v, payerKey, NO_RESERVATION);
        v.epoch = 1;
        assertClaim(v, payerKey, PAID);
    }

    function test_voucherForAnotherOperator_isNobodys() public {
        fund(payer, 10 ether);
        vm.prank(alice);
        uint32 other = ROUTER.registerOperator(alice, 450_000_000);
        deposit(payer, 10 ether);
        reserve(terms(payer, other), 10 ether);
        ISpendAccount.Voucher memory v = voucher(payer, asset, 1 ether);
        ISpendAccount.Row memory r = signed(v, payerKey);
        v.operatorId = other;
        assertClaim(v, r, NO_RESERVATION);
        assertClaim(v, payerKey, PAID);
        assertEq(ROUTER.operatorClaimable(operator), 0);
    }

    // Forgeries

    /// Any change to a row after it was signed.
    function testFuzz_row_changedInAnyBit_isNotPaid(uint256 bit, uint8 word) public {
        fund(payer, 10 ether);
        ISpendAccount.Voucher memory v = voucher(payer, asset, 1 ether);
        v.agentId = agent;
        assertClaim(v, payerKey, PAID);
        (v.cumulative, v.count) = (2 ether, 2);
        ISpendAccount.Row memory r = signed(v, payerKey);
        bit = 1 << (bit % 256);
        if (word % 5 == 0) r.payerAndCumulative ^= bit;
        if (word % 5 == 1) {
            // Bits that say nothing.
            if (bit >= 1 << 162 && bit < 1 << 255) return;
            r.terms ^= bit;
        }
        if (word % 5 == 2) r.receiptRoot ^= bytes32(bit);
        if (word % 5 == 3) r.r ^= bytes32(bit);
        if (word % 5 == 4) r.s ^= bytes32(bit);
        assertTrue(claim(v, r) != PAID);
        assertEq(SPEND.liabilities(), 9 ether);
    }

    function test_row_ofNobody() public {
        fund(payer, 10 ether);
        ISpendAccount.Voucher memory v = voucher(payer, asset, 1 ether);
        ISpendAccount.Row memory r = signed(v, payerKey);
        r.r = 0;
        assertClaim(v, r, BAD_SIGNATURE);
        assertClaim(v, 77, NO_RESERVATION);
        assertClaim(voucher(bob, asset, 1 ether), payerKey, NO_RESERVATION);
    }

    /// The row after one that nobody signed is not taken for the one before's.
    function test_row_afterOneOfNobody_hasItsOwnSigner() public {
        fund(payer, 10 ether);
        ISpendAccount.Row memory good = signed(voucher(payer, asset, 1 ether), payerKey);
        ISpendAccount.Row memory bad = signed(voucher(payer, asset, 2 ether), payerKey);
        bad.r = 0;
        ISpendAccount.Group[] memory g = new ISpendAccount.Group[](1);
        g[0] = ISpendAccount.Group(asset, 0, new ISpendAccount.Row[](2));
        (g[0].rows[0], g[0].rows[1]) = (good, bad);
        vm.prank(alice);
        (uint256 paid,) = SPEND.claimBatch(operator, g);
        assertEq(paid, 1);
    }

    function test_sessionKey_outOfItsTerms_isNobodys() public {
        ISpendAccount.Reservation memory r = _reserveForKey(asset, agent, 1 hours);
        ISpendAccount.Voucher memory v = voucher(payer, asset, 1 ether);
        v.agentId = agent;
        // Claims that leave its limits away, or stretch them.
        assertClaim(v, signed(v, keyKey, 0, 3), NO_RESERVATION);
        assertClaim(v, signed(v, keyKey, r.expiry + 1, 3), NO_RESERVATION);
        assertClaim(v, signed(v, keyKey, r.expiry, 0), NO_RESERVATION);
        assertClaim(v, signed(v, keyKey, r.expiry, 1), NO_RESERVATION);
        assertClaim(v, signed(v, keyKey, r.expiry, 2), NO_RESERVATION);
        // Another asset, or no agent, whatever the row says of its limits.
        for (uint256 restricted = 0; restricted < 4; ++restricted) {
            v.assetId = asset2;
            v.agentId = agent;
            assertClaim(v, signed(v, keyKey, r.expiry, restricted), NO_RESERVATION);
            v.assetId = asset;
            v.agentId = 0;
            assertClaim(v, signed(v, keyKey, r.expiry, restricted), NO_RESERVATION);
        }
        // Money that was reserved for the payer's own key.
        v.agentId = agent;
        fund(payer, 10 ether);
        assertClaim(v, signed(v, keyKey, 0, 0), NO_RESERVATION);
        vm.warp(r.expiry + 1);
        assertClaim(v, signed(v, keyKey, r.expiry, 3), EXPIRED);
        assertEq(SPEND.liabilities(), 20 ether);
    }

    function test_sessionKey_takesNoMoreThanIsReservedForIt() public {
        ISpendAccount.Reservation memory r = _reserveForKey(0, 0, 1 hours);
        deposit(payer, 10 ether);
        ISpendAccount.Voucher memory v = voucher(payer, asset, 10 ether + 1);
        assertClaim(v, signed(v, keyKey, r.expiry, 0), OVER_RESERVED);
        v.cumulative = 10 ether;
        assertClaim(v, signed(v, keyKey, r.expiry, 0), PAID);
        assertEq(SPEND.freeOf(payer), 10 ether);
    }

    function test_count_doesNotFall() public {
        fund(payer, 10 ether);
        ISpendAccount.Voucher memory v = voucher(payer, asset, 1 ether);
        v.count = 5;
        assertClaim(v, payerKey, PAID);
        (v.cumulative, v.count) = (2 ether, 4);
        assertClaim(v, payerKey, COUNT_FELL);
        v.count = 5; // More for the same calls: an answer that is still being written.
        assertClaim(v, payerKey, PAID);
        v.assetId = asset2;
        assertClaim(v, payerKey, PAID);
        (v.cumulative, v.count) = (3 ether, 4);
        assertClaim(v, payerKey, COUNT_FELL);
    }

    // The race between a release and a claim

    /// A voucher that a gateway accepted by `acceptUntil` is paid whenever its claim lands within MARGIN_S, even if the
    /// payer finalises at the first possible second, whenever it announced that, and whenever the gateway looked.
    function testFuzz_race_acceptedIsAlwaysPaid(uint32 announced, uint32 looked, uint32 accepted, uint32 landed)
        public
    {
        fund(payer, 10 ether);
        uint256 start = block.timestamp;
        announced = uint32(bound(announced, 0, 30 minutes));
        // The gateway looks more often than every 10 minutes; `looked` is its last look before it accepts.
        accepted = uint32(bound(accepted, 0, 50 minutes));
        looked = uint32(bound(looked, accepted < 599 ? 0 : accepted - 599, accepted));
        landed = uint32(bound(landed, accepted, accepted + 5 minutes));
        uint256 releaseAt = start + announced + 15 minutes;

        if (announced <= looked) _announce(start + announced);
        if (releaseAt <= start + looked) {
            vm.warp(releaseAt);
            SPEND.finalizeRelease(payer, payer, operator, 0);
        }
        vm.warp(start + looked);
        (uint128 redeemable, uint64 until) = SPEND.safeHeadroom(payer, payer, operator, 0);
        if (redeemable < 1 ether || start + accepted > until) return; // The gateway refuses.

        if (looked < announced && announced <= landed) _announce(start + announced);
        if (releaseAt <= start + landed) {
            vm.warp(releaseAt);
            SPEND.finalizeRelease(payer, payer, operator, 0);
        }
        vm.warp(start + landed);
        assertClaim(voucher(payer, asset, 1 ether), payerKey, PAID);
    }

    /// And a late claim is paid too, as long as nobody finalised.
    function test_race_lateClaimBeforeTheFinalisation_isPaid() public {
        fund(payer, 10 ether);
        vm.prank(payer);
        SPEND.initiateRelease(payer, payer, operator, 0, 0, "");
        vm.warp(block.timestamp + 1 days);
        assertClaim(voucher(payer, asset, 1 ether), payerKey, PAID);
        SPEND.finalizeRelease(payer, payer, operator, 0);
        assertEq(SPEND.freeOf(payer), 9 ether);
        assertClaim(voucher(payer, asset, 2 ether), payerKey, OVER_RESERVED);
        assertEq(SPEND.solvency(), 0);
    }

    /// Free OPEN leaves at once, and takes nothing reserved with it.
    function test_race_withdrawalTakesNothingReserved() public {
        fund(payer, 10 ether);
        deposit(payer, 5 ether);
        vm.startPrank(payer);
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.Insufficient.selector, payer, 5 ether, 5 ether + 1));
        SPEND.withdraw(payer, payer, 5 ether + 1, 0, "");
        SPEND.withdraw(payer, payer, 5 ether, 0, "");
        vm.stopPrank();
        assertClaim(voucher(payer, asset, 10 ether), payerKey, PAID);
    }

    // Who may claim

    function test_claim_byTheOperatorAlone() public {
        fund(payer, 10 ether);
        ISpendAccount.Group[] memory g = group(asset, signed(voucher(payer, asset, 1 ether), payerKey));
        bytes memory refusal = abi.encodeWithSelector(ISpendAccount.NotOperator.selector, operator, bob);
        vm.startPrank(bob);
        vm.expectRevert(refusal);
        SPEND.claimBatch(operator, g);
        vm.expectRevert(refusal);
        SPEND.refund(operator, payer, "ref");
        vm.expectRevert(refusal);
        SPEND.setClaimer(operator, bob, true);
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.NotOperator.selector, 99, bob));
        SPEND.claimBatch(99, g);
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.NotOperator.selector, 99, bob));
        SPEND.setClaimer(99, bob, true);
        vm.stopPrank();

        vm.prank(alice);
        SPEND.setClaimer(operator, bob, true);
        assertTrue(SPEND.isClaimer(operator, bob));
        vm.prank(bob);
        (uint256 paid,) = SPEND.claimBatch(operator, g);
        assertEq(paid, 1);
        vm.prank(alice);
        SPEND.setClaimer(operator, bob, false);
        vm.expectRevert(refusal);
        vm.prank(bob);
        SPEND.claimBatch(operator, g);
    }

    function test_claimers_endWithTheTransfer() public {
        vm.startPrank(alice);
        SPEND.setClaimer(operator, bob, true);
        ROUTER.transferOperator(operator, key);
        vm.stopPrank();
        assertFalse(SPEND.isClaimer(operator, bob));
        vm.expectRevert(abi.encodeWithSelector(ISpendAccount.NotOperator.selector, operator, bob));
        vm.prank(bob);
        SPEND.claimBatch(operator, new ISpendAccount.Group[](0));
    }

    /// No payee's code runs in a claim.
    function test_claim_runsNoPayee() public {
        fund(payer, 10 ether);
        ISpendAccount.Voucher memory v = voucher(payer, asset, 1 ether);
        bytes memory again = abi.encodeCall(SPEND.claimBatch, (operator, group(asset, signed(v, payerKey))));
        CallsBack thief = new CallsBack(address(SPEND), again, 9);
        vm.startPrank(alice);
        ROUTER.setOperatorPayout(operator, address(thief));
        REGISTRY.setPayout(asset, address(thief));
        SPEND.setClaimer(operator, address(thief), true);
        vm.stopPrank();
        assertClaim(v, payerKey, PAID);
        assertEq(thief.left(), 9);
        // When it is paid out, it may claim, and gets what its vouchers are worth: nothing more.
        ROUTER.claimOperator(operator);
        assertEq(thief.left(), 8);
        assertEq(thief.received(), 0.45 ether);
        assertEq(SPEND.liabilities(), 9 ether);
    }

    // Books

    function test_paidOf_countsByEpochAndAsset() public {
        fund(payer, 10 ether);
        uint64 epoch = uint64(block.timestamp / 10 minutes);
        vm.warp((epoch + 1) * 10 minutes - 1);
        ISpendAccount.Group[] memory g = new ISpendAccount.Group[](3);
        ISpendAccount.Voucher memory v = voucher(payer, asset, 1 ether);
        v.count = 10;
        g[0] = group(asset, signed(v, payerKey))[0];
        g[1] = group(asset2, signed(voucher(payer, asset2, 2 ether), payerKey))[0];
        v.agentId = agent;
        g[2] = group(asset, signed(v, payerKey))[0];
        g[2].agentId = agent;
        vm.prank(alice);
        SPEND.claimBatch(operator, g);
        vm.warp(block.timestamp + 1);
        (v.cumulative, v.count) = (1.5 ether, 11);
        assertClaim(v, payerKey, PAID);

        _assertPaid(epoch, 4 ether, 21);
        _assertPaidFor(asset, epoch, 2 ether, 20);
        _assertPaidFor(asset2, epoch, 2 ether, 1);
        _assertPaid(epoch + 1, 0.5 ether, 1);
        _assertPaidFor(asset, epoch + 1, 0.5 ether, 1);
        _assertPaidFor(asset2, epoch + 1, 0, 0);
        _assertPaid(epoch - 1, 0, 0);
    }

    /// What proves an over-charge: that this very voucher was paid, with its receipts' root.
    function test_claimOf_knowsThePaidVouchers() public {
        fund(payer, 10 ether);
        fund(vm.addr(FIRST_KEY), 10 ether);
        ISpendAccount.Voucher memory a = voucher(payer, asset, 1 ether);
        ISpendAccount.Voucher memory b = voucher(vm.addr(FIRST_KEY), asset, 2 ether);
        ISpendAccount.Group[] memory g = new ISpendAccount.Group[](1);
        g[0] = ISpendAccount.Group(asset, 0, new ISpendAccount.Row[](3));
        g[0].rows[0] = signed(a, payerKey);
        g[0].rows[1] = signed(b, 77); // Forged, so not in the hash.
        g[0].rows[2] = signed(b, FIRST_KEY);
        vm.prank(alice);
        SPEND.claimBatch(operator, g);

        (uint32 by, uint64 epoch) =
            SPEND.claimOf(keccak256(abi.encodePacked(SPEND.voucherDigest(a), SPEND.voucherDigest(b))));
        assertEq(by, operator);
        assertEq(epoch, block.timestamp / 10 minutes);
        (by,) = SPEND.claimOf(keccak256(abi.encodePacked(SPEND.voucherDigest(a))));
        assertEq(by, 0);
        // The same money, other receipts: not what was paid.
        b.receiptRoot = "other";
        (by,) = SPEND.claimOf(keccak256(abi.encodePacked(SPEND.voucherDigest(a), SPEND.voucherDigest(b))));
        assertEq(by, 0);
    }

    function test_refund_isTheOperatorsMoney() public {
        fund(payer, 10 ether);
        assertClaim(voucher(payer, asset, 1 ether), payerKey, PAID);
        vm.deal(alice, 1 ether);
        vm.expectEmit(address(SPEND));
        emit ISpendAccount.RefundIssued("ref", operator, payer, 0.25 ether);
        vm.prank(alice);
        SPEND.refund{value: 0.25 ether}(operator, payer, "ref");
        assertEq(SPEND.freeOf(payer), 0.25 ether);
        assertEq(alice.balance, 0.75 ether);
        _assertClaimed(payer, asset, 0, 1 ether, 1); // Nothing is clawed back.
        _assertPaid(uint64(block.timestamp / 10 minutes), 1 ether, 1);
        assertEq(SPEND.solvency(), 0);
    }

    // ---

    /// @dev 10 ether for the session key, by the payer.
    function _reserveForKey(uint64 assetId, uint64 agentId, uint64 duration_s)
        private
        returns (ISpendAccount.Reservation memory r)
    {
        deposit(payer, 10 ether);
        uint64 expiry = uint64(block.timestamp) + duration_s;
        r = ISpendAccount.Reservation(payer, key, operator, 0, assetId, agentId, expiry);
        reserve(r, 10 ether);
    }

    function _announce(uint256 when) private {
        vm.warp(when);
        vm.prank(payer);
        SPEND.initiateRelease(payer, payer, operator, 0, 0, "");
    }

    function _release() private {
        _announce(block.timestamp);
        vm.warp(block.timestamp + 15 minutes);
        SPEND.finalizeRelease(payer, payer, operator, 0);
    }

    function _assertClaimed(address who, uint64 assetId, uint64 agentId, uint128 cumulative, uint64 count)
        private
        view
    {
        (uint128 c, uint64 n) = SPEND.claimedOf(who, who, operator, 0, assetId, agentId);
        assertEq(c, cumulative);
        assertEq(n, count);
    }

    function _assertPaid(uint64 epoch, uint128 amount, uint64 count) private view {
        (uint128 a, uint64 n) = SPEND.paidOf(operator, epoch);
        assertEq(a, amount);
        assertEq(n, count);
    }

    function _assertPaidFor(uint64 assetId, uint64 epoch, uint128 amount, uint64 count) private view {
        (uint128 a, uint64 n) = SPEND.paidOf(operator, assetId, epoch);
        assertEq(a, amount);
        assertEq(n, count);
    }
}
