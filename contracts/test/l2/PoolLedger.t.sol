// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IPoolLedger} from "src/l2/IPoolLedger.sol";
import {Pools} from "src/l2/Pools.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {Send} from "src/l2/Send.sol";
import {L2Test} from "./L2Test.sol";
import {AnswersTooMuch, CallsBack, Refuses, SmartAccount} from "./Receivers.sol";

contract PoolLedgerTest is L2Test {
    address private alice;
    uint256 private aliceKey;
    address private immutable bob = makeAddr("bob");
    address private immutable carol = makeAddr("carol");
    uint64 private pool;

    function setUp() public override {
        super.setUp();
        (alice, aliceKey) = makeAddrAndKey("alice");
        pool = root(alice);
    }

    // Crediting and claiming

    function testFuzz_soleMember_getsEveryWei(uint96 first, uint96 second) public {
        _credit(pool, first);
        _credit(pool, second);
        assertEq(LEDGER.claimable(pool, alice), uint256(first) + second);
        LEDGER.claim(pool, alice);
        assertEq(alice.balance, uint256(first) + second);
    }

    function test_claim_goesToTheAccountWhoeverSendsIt() public {
        _credit(pool, 1 ether);
        vm.expectEmit(address(LEDGER));
        emit IPoolLedger.Claimed(pool, alice, alice, 1 ether);
        vm.prank(bob);
        assertEq(LEDGER.claim(pool, alice), 1 ether);
        assertEq(alice.balance, 1 ether);
        assertEq(LEDGER.claim(pool, alice), 0);
    }

    function test_units_divideWhatComesWhileTheyAreHeld() public {
        _credit(pool, 1 ether);
        vm.startPrank(alice);
        LEDGER.setUnits(pool, alice, 2);
        LEDGER.setUnits(pool, bob, 6);
        vm.stopPrank();
        _credit(pool, 4 ether);
        vm.prank(alice);
        LEDGER.setUnits(pool, alice, 0); // Six units divide what comes next without a rest.
        _credit(pool, 6 ether);

        assertEq(LEDGER.claimable(pool, alice), 2 ether); // 1 alone, a quarter of 4.
        assertEq(LEDGER.claimable(pool, bob), 9 ether);
        assertEq(LEDGER.claim(pool, alice), 2 ether);
        assertEq(LEDGER.claim(pool, bob), 9 ether);
        assertEq(address(LEDGER).balance, 0);
    }

    /// I3 over thirds of a wei: what no member can claim is less than a wei a member.
    function test_fractions_areCarriedOverClaims() public {
        vm.startPrank(alice);
        LEDGER.setUnits(pool, alice, 1);
        LEDGER.setUnits(pool, bob, 1);
        LEDGER.setUnits(pool, carol, 1);
        vm.stopPrank();
        for (uint256 i = 0; i < 300; ++i) {
            _credit(pool, 1);
            LEDGER.claim(pool, alice); // Three hundred claims lose no more than one.
        }
        assertApproxEqAbs(alice.balance, 100, 1);
        assertLt(300 - alice.balance - LEDGER.claimable(pool, bob) - LEDGER.claimable(pool, carol), 3);
    }

    function test_claimMany_isOnePayment() public {
        uint64 second = root(alice);
        _credit(pool, 1 ether);
        _credit(second, 2 ether);
        assertEq(LEDGER.claimMany(list(pool, second), alice), 3 ether);
        assertEq(alice.balance, 3 ether);
        _credit(pool, 1 ether);
        assertEq(LEDGER.claimMany(list(pool, pool), alice), 1 ether); // The same twice is no more than once.
    }

    function test_accPastItsWidth_wrapsAndStaysRight() public {
        vm.prank(alice);
        LEDGER.setUnits(pool, alice, 1);
        uint256 word = uint256(vm.load(address(LEDGER), keccak256(abi.encode(pool, uint256(0)))));
        uint256 nearEnd = (1 << 160) - 1 - (1 << 70);
        _store(address(LEDGER), uint256(keccak256(abi.encode(pool, uint256(0)))), word >> 160 << 160 | nearEnd);
        vm.prank(alice);
        LEDGER.setUnits(pool, bob, 1); // Counted from there.
        uint256 before = LEDGER.claimable(pool, bob);
        _credit(pool, 2 ether);
        assertEq(LEDGER.claimable(pool, bob) - before, 1 ether);
    }

    function test_give_creditsWhoeverSendsIt() public {
        vm.deal(bob, 3 ether);
        vm.startPrank(bob);
        vm.expectEmit(address(LEDGER));
        emit IPoolLedger.Given(pool, bob, 2 ether);
        LEDGER.give{value: 2 ether}(pool);
        LEDGER.give(pool); // Nothing, and no event.
        assertEq(LEDGER.claimable(pool, alice), 2 ether);
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.UnknownPool.selector, pool + 1));
        LEDGER.give{value: 1 ether}(pool + 1);
        vm.stopPrank();
        _empty(pool);
        vm.prank(bob);
        LEDGER.give{value: 1 ether}(pool);
        (uint256 waiting,) = LEDGER.pendingOf(pool);
        assertEq(waiting, 1 ether);
    }

    function test_credit_byAnyoneButTheRouter_reverts() public {
        uint256[2] memory heads;
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.NotRouter.selector, address(this)));
        LEDGER.credit(pool, 0, heads);
    }

    function test_credit_ofMoreThanCame_reverts() public {
        vm.deal(Predeploys.REVENUE_ROUTER, 1 ether);
        uint256[2] memory heads;
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.BadSum.selector, 1 ether + 1, 1 ether));
        vm.prank(Predeploys.REVENUE_ROUTER);
        LEDGER.credit{value: 1 ether}(pool, 1 ether + 1, heads);
    }

    function test_open_byAnyoneButTheRegistry_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.NotRegistry.selector, address(this)));
        LEDGER.open(77, alice);
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.NotRegistry.selector, address(this)));
        LEDGER.replaceMember(pool, alice, bob);
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.AlreadyOpen.selector, pool));
        vm.prank(Predeploys.ASSET_REGISTRY);
        LEDGER.open(pool, alice);
    }

    // Control

    function test_setUnits_byAnyoneButTheController_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.NotController.selector, pool, bob));
        vm.prank(bob);
        LEDGER.setUnits(pool, bob, 1);
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.NotController.selector, 99, bob));
        vm.prank(bob);
        LEDGER.setUnits(99, bob, 1); // No such pool.
    }

    function test_setUnits_pastTheWidth_reverts() public {
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.TooManyUnits.selector, (1 << 20) + (1 << 48)));
        LEDGER.setUnits(pool, bob, 1 << 48);
        LEDGER.setUnits(pool, bob, (1 << 48) - 1 - (1 << 20));
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.TooManyUnits.selector, 1 << 48));
        LEDGER.setUnits(pool, carol, 1);
        vm.expectRevert(IPoolLedger.ZeroAddress.selector);
        LEDGER.setUnits(pool, address(0), 1);
    }

    function test_setController_handsOver() public {
        vm.prank(alice);
        LEDGER.setController(pool, carol);
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.NotController.selector, pool, alice));
        vm.prank(alice);
        LEDGER.setUnits(pool, alice, 5);
        vm.prank(carol);
        LEDGER.setUnits(pool, bob, 5);
        assertEq(LEDGER.totalUnits(pool), (1 << 20) + 5);
    }

    function test_treasury_isGovernances() public {
        assertEq(LEDGER.controllerOf(Pools.TREASURY), governance);
        vm.prank(governance);
        LEDGER.setUnits(Pools.TREASURY, bob, 1);
        _credit(Pools.TREASURY, 5);
        assertEq(LEDGER.claimable(Pools.TREASURY, bob), 5);
    }

    /// I9: whatever a controller does with units, what was earned stays.
    function testFuzz_controller_cannotTakeWhatWasEarned(uint96 amount, uint48 a, uint48 b) public {
        vm.prank(alice);
        LEDGER.setUnits(pool, bob, bound(a, 1, 1 << 46));
        _credit(pool, amount);
        uint256 earned = LEDGER.claimable(pool, bob);
        vm.startPrank(alice);
        LEDGER.setUnits(pool, bob, 0);
        LEDGER.setUnits(pool, carol, bound(b, 0, 1 << 46));
        REGISTRY.setPayout(pool, carol);
        REGISTRY.transferOwnership(pool, carol);
        vm.stopPrank();
        assertEq(LEDGER.claimable(pool, bob), earned);
        assertEq(LEDGER.claim(pool, bob), earned);
    }

    // Pending

    function test_poolWithoutMembers_keepsForTheFirst() public {
        _empty(pool);
        _credit(pool, 3 ether);
        (uint256 amount, uint256 since) = LEDGER.pendingOf(pool);
        assertEq(amount, 3 ether);
        assertEq(since, block.timestamp);
        vm.expectEmit(address(LEDGER));
        emit IPoolLedger.PendingReleased(pool, 3 ether, false);
        vm.prank(alice);
        LEDGER.setUnits(pool, bob, 7);
        assertApproxEqAbs(LEDGER.claimable(pool, bob), 3 ether, 1);
        (amount,) = LEDGER.pendingOf(pool);
        assertEq(amount, 0);
    }

    function test_pendingForNinetyDays_goesToTheParents() public {
        uint64 other = root(bob);
        uint64 child = derived(alice, list(pool, other), 300_000_000);
        _empty(child);
        _credit(child, 4 ether);
        vm.warp(block.timestamp + 90 days - 1);
        vm.expectPartialRevert(IPoolLedger.TooEarly.selector);
        LEDGER.releaseToParents(child);
        vm.warp(block.timestamp + 1);
        LEDGER.releaseToParents(child);
        assertEq(LEDGER.claimable(pool, alice), 2 ether);
        assertEq(LEDGER.claimable(other, bob), 2 ether);
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.NothingPending.selector, child));
        LEDGER.releaseToParents(child);
    }

    function test_pendingWithoutParents_stays() public {
        _empty(pool);
        _credit(pool, 1);
        _credit(Pools.TREASURY, 1);
        vm.warp(block.timestamp + 91 days);
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.NoParents.selector, pool));
        LEDGER.releaseToParents(pool);
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.NoParents.selector, Pools.TREASURY));
        LEDGER.releaseToParents(Pools.TREASURY);
    }

    // Pools as members

    function test_poolInPool_flowsDown() public {
        uint64 upper = root(alice);
        vm.startPrank(alice);
        LEDGER.setUnits(upper, LEDGER.accountOf(pool), 1 << 20);
        vm.stopPrank();
        _credit(upper, 2 ether);
        assertEq(LEDGER.sync(pool, upper), 1 ether);
        assertEq(LEDGER.claimable(pool, alice), 1 ether);
        assertEq(LEDGER.claimMany(list(pool, upper), alice), 2 ether);
        assertEq(address(LEDGER).balance, 0);
        assertEq(LEDGER.accountOf(pool).balance, 0);
    }

    function test_claimOfAPool_isASync() public {
        uint64 upper = root(alice);
        address account = LEDGER.accountOf(pool);
        vm.prank(alice);
        REGISTRY.setPayout(upper, account);
        _credit(upper, 1 ether);
        LEDGER.claim(upper, account);
        assertEq(account.balance, 0);
        assertEq(LEDGER.claimable(pool, alice), 1 ether);
    }

    function test_poolInPool_upwardOrUnknown_reverts() public {
        uint64 upper = root(alice);
        vm.startPrank(alice);
        address account = LEDGER.accountOf(upper);
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.BadMember.selector, pool, upper));
        LEDGER.setUnits(pool, account, 1);
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.BadMember.selector, upper, upper));
        LEDGER.setUnits(upper, account, 1);
        account = LEDGER.accountOf(0);
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.BadMember.selector, upper, 0));
        LEDGER.setUnits(upper, account, 1);
    }

    // Redirection and signatures

    function test_setPayout_redirectsClaims() public {
        _credit(pool, 1 ether);
        vm.prank(alice);
        LEDGER.setPayout(carol);
        LEDGER.claim(pool, alice);
        assertEq(carol.balance, 1 ether);
        _credit(pool, 1 ether);
        vm.prank(alice);
        LEDGER.setPayout(address(0));
        LEDGER.claim(pool, alice);
        assertEq(alice.balance, 1 ether);
        address account = LEDGER.accountOf(pool);
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.PoolAddress.selector, account));
        LEDGER.setPayout(account);
    }

    function test_claimFor_paysAsSigned() public {
        _credit(pool, 1 ether);
        IPoolLedger.SignedClaim memory c = _claim();
        bytes memory signature = _sign(c, 0);
        vm.prank(bob);
        assertEq(LEDGER.claimFor(c, signature), 1 ether);
        assertEq(carol.balance, 0.95 ether);
        assertEq(bob.balance, 0.05 ether);

        _credit(pool, 1 ether);
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.BadSignature.selector, alice));
        vm.prank(bob);
        LEDGER.claimFor(c, signature); // Its nonce is used.
    }

    function testFuzz_claimFor_changedInAnyTerm_reverts(uint8 term) public {
        _credit(pool, 1 ether);
        IPoolLedger.SignedClaim memory c = _claim();
        c.relayer = address(0);
        bytes memory signature = _sign(c, 0);
        term = uint8(bound(term, 0, 4));
        if (term == 0) c.pools = list(pool, pool);
        if (term == 1) c.to = bob;
        if (term == 2) c.relayer = bob;
        if (term == 3) c.relayerFee += 1;
        if (term == 4) c.deadline += 1;
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.BadSignature.selector, alice));
        vm.prank(bob);
        LEDGER.claimFor(c, signature);
    }

    function test_claimFor_limits() public {
        _credit(pool, 1 ether);
        IPoolLedger.SignedClaim memory c = _claim();
        c.relayerFee = 0.1 ether + 1;
        bytes memory signature = _sign(c, 0);
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.NotRelayer.selector, carol, bob));
        vm.prank(carol);
        LEDGER.claimFor(c, signature);
        vm.startPrank(bob);
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.FeeTooHigh.selector, 0.1 ether + 1, 0.1 ether));
        LEDGER.claimFor(c, signature);
        vm.warp(c.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.Expired.selector, c.deadline));
        LEDGER.claimFor(c, signature);
        c = _claim();
        c.to = LEDGER.accountOf(pool);
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.PoolAddress.selector, c.to));
        LEDGER.claimFor(c, signature);
        c.to = carol;
        c.account = LEDGER.accountOf(pool);
        vm.expectRevert(abi.encodeWithSelector(IPoolLedger.PoolAddress.selector, c.account));
        LEDGER.claimFor(c, signature);
    }

    function test_claimFor_smartAccount() public {
        SmartAccount account = new SmartAccount();
        uint64 own = root(address(account));
        _credit(own, 1 ether);
        IPoolLedger.SignedClaim memory c = _claim();
        c.pools = list(own);
        c.account = address(account);
        account.accept(_digest(c, 0), "sesame");
        vm.prank(bob);
        LEDGER.claimFor(c, "sesame");
        assertEq(carol.balance, 0.95 ether);
    }

    // Hostile receivers

    function test_memberWhoRefuses_locksNobodyElse() public {
        address refuses = address(new Refuses());
        vm.prank(alice);
        LEDGER.setUnits(pool, refuses, 1 << 20);
        _credit(pool, 2 ether);
        vm.expectRevert(abi.encodeWithSelector(Send.SendFailed.selector, refuses, 1 ether));
        LEDGER.claim(pool, refuses);
        assertEq(LEDGER.claim(pool, alice), 1 ether);
        assertEq(LEDGER.claimable(pool, refuses), 1 ether);
        vm.prank(refuses);
        LEDGER.setPayout(carol);
        LEDGER.claim(pool, refuses);
        assertEq(carol.balance, 1 ether);
    }

    function test_memberWhoCallsBack_isPaidOnce() public {
        address expected = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
        CallsBack thief = new CallsBack(address(LEDGER), abi.encodeCall(LEDGER.claim, (pool, expected)), 3);
        assertEq(address(thief), expected);
        vm.prank(alice);
        LEDGER.setUnits(pool, expected, 1 << 20);
        _credit(pool, 2 ether);
        LEDGER.claim(pool, expected);
        assertEq(thief.received(), 1 ether);
        assertTrue(thief.lastOk()); // The inner claim ran, and found nothing.
        assertEq(LEDGER.claimable(pool, alice), 1 ether);
        assertEq(address(LEDGER).balance, 1 ether);
    }

    function test_memberWhoPaysWhenPaid_mayDoSo() public {
        CallsBack buyer = new CallsBack(address(ROUTER), abi.encodeCall(ROUTER.settle, ()), 1);
        vm.prank(alice);
        LEDGER.setUnits(pool, address(buyer), 1 << 20);
        _credit(pool, 2 ether);
        LEDGER.claim(pool, address(buyer));
        assertTrue(buyer.lastOk());
    }

    function test_memberWhoAnswersAMegabyte_costsTheClaimNoCopy() public {
        address member = address(new AnswersTooMuch());
        vm.prank(alice);
        REGISTRY.setPayout(pool, member);
        _credit(pool, 1 ether);
        LEDGER.claim(pool, member);
        assertEq(member.balance, 1 ether);
    }

    function _empty(uint64 id) private {
        vm.prank(alice);
        LEDGER.setUnits(id, alice, 0);
    }

    function _credit(uint64 id, uint256 amount) private {
        vm.deal(Predeploys.REVENUE_ROUTER, amount);
        uint256[2] memory heads = [uint256(id) << 192 | amount, 0];
        vm.prank(Predeploys.REVENUE_ROUTER);
        LEDGER.credit{value: amount}(0, 0, heads);
    }

    function _claim() private view returns (IPoolLedger.SignedClaim memory) {
        return IPoolLedger.SignedClaim(list(pool), alice, carol, bob, 0.05 ether, block.timestamp + 100);
    }

    function _sign(IPoolLedger.SignedClaim memory c, uint256 nonce) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(aliceKey, _digest(c, nonce));
        return abi.encodePacked(r, s, v);
    }

    function _digest(IPoolLedger.SignedClaim memory c, uint256 nonce) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Tributary PoolLedger"),
                keccak256("1"),
                block.chainid,
                address(LEDGER)
            )
        );
        assertEq(LEDGER.DOMAIN_SEPARATOR(), domain);
        bytes32 terms = keccak256(
            abi.encode(
                keccak256(
                    "Claim(uint64[] pools,address account,address to,address relayer,uint256 relayerFee,uint256 nonce,uint256 deadline)"
                ),
                keccak256(abi.encodePacked(c.pools)),
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
