// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Test} from "forge-std/Test.sol";
import {BridgedToken} from "src/bridge/BridgedToken.sol";
import {IL1TokenBridge} from "src/bridge/IL1TokenBridge.sol";
import {L1TokenBridge} from "src/bridge/L1TokenBridge.sol";
import {TokenWords} from "src/bridge/TokenWords.sol";
import {AddressAlias} from "src/l1/AddressAlias.sol";
import {QueueEntry} from "src/l1/QueueEntry.sol";
import {IPortal} from "src/l1/interfaces/IPortal.sol";
import {MovesNothing, ReturnsFalse, TakesFee} from "../l1/Tokens.sol";
import {BridgeTest, Withdrawal} from "./BridgeTest.sol";
import {Bomb, Calls, Floods, Moody, Old, Shut, Speaks} from "./Tokens.sol";

contract HostileTokensTest is BridgeTest {
    address private immutable bob = makeAddr("bob");

    function _approve(ERC20 t) private {
        vm.prank(user);
        t.approve(address(bridge), type(uint256).max);
    }

    function _moody() private returns (Moody t) {
        t = new Moody();
        t.mint(user, 1e24);
        _approve(t);
    }

    // What is credited

    function test_tokenThatTakesAFee_creditsWhatArrived_andPaysWhatIsLeft() public {
        TakesFee t = new TakesFee(user);
        _approve(t);
        BridgedToken l2Token = bring(address(t), bob, 10_000);
        assertEq(l2Token.balanceOf(bob), 9_900);
        assertEq(bridge.escrowed(address(t)), 9_900);
        assertTrue(finalise(depart(address(t), bob, bob, 9_900)));
        assertEq(t.balanceOf(bob), 9_801);
        assertEq(bridge.escrowed(address(t)), 0);
        assertEq(held(address(t)), 0);
    }

    function test_oldToken_crossesBothWays() public {
        Old t = new Old();
        t.mint(user, 1e6);
        vm.prank(user);
        t.approve(address(bridge), 1e6);
        BridgedToken l2Token = bring(address(t), bob, 1e6);
        assertEq(l2Token.name(), "Old Token");
        assertEq(l2Token.symbol(), "OLD");
        assertEq(l2Token.decimals(), 6);
        assertTrue(finalise(depart(address(t), bob, bob, 1e6)));
        assertEq(t.balanceOf(bob), 1e6);
    }

    function test_tokensThatDoNotMove_areRefused() public {
        ERC20 t = new MovesNothing();
        vm.prank(user, user);
        vm.expectRevert(IL1TokenBridge.NothingDeposited.selector);
        bridge.depositERC20(address(t), 5);
        t = new ReturnsFalse();
        vm.prank(user, user);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, t));
        bridge.depositERC20(address(t), 5);
    }

    function test_donation_countsForNothing() public {
        bring(address(plain), bob, 5);
        vm.prank(user);
        plain.transfer(address(bridge), 100);
        vm.deal(address(bridge), 1 ether);
        assertEq(bridge.escrowed(address(plain)), 5);
        assertEq(bridge.escrowed(ETH), 0);
        bring(address(plain), bob, 1);
        assertEq(bridge.escrowed(address(plain)), 6);
    }

    function test_tokenThatGrows_leavesTheGrowth_andOneThatShrinks_owesTheLast() public {
        Moody t = _moody();
        bring(address(t), bob, 100);
        t.rebase(address(bridge), 150);
        bring(address(t), bob, 10);
        assertEq(bridge.escrowed(address(t)), 110);
        t.rebase(address(bridge), 60);
        assertTrue(finalise(depart(address(t), bob, bob, 60)));
        assertTrue(finalise(depart(address(t), bob, bob, 50)));
        assertEq(t.balanceOf(bob), 60);
        assertEq(bridge.owed(address(t), bob, bob), 50);
        assertEq(bridge.escrowed(address(t)), 50);
        // Grown back, it pays.
        t.rebase(address(bridge), 50);
        bridge.claim(address(t), bob, bob, bob);
        assertEq(t.balanceOf(bob), 110);
    }

    /// The escrow grows in the middle of a deposit, by no doing of the depositor's transfer.
    function test_growthWithinADeposit_isNotTheDepositors() public {
        Calls t = new Calls(user);
        _approve(t);
        bring(address(t), bob, 100);
        t.arm(address(t), abi.encodeCall(t.transfer, (address(bridge), 1_000)));
        vm.prank(user, user);
        bridge.depositERC20(address(t), 1);
        assertTrue(t.called() && t.succeeded());
        assertEq(bridge.escrowed(address(t)), 101);
    }

    function test_tokenThatChargesTheEscrow_isOwed_notPaidByOthers() public {
        Moody t = _moody();
        bring(address(t), bob, 100);
        bring(address(t), user, 100);
        t.set(Moody.Mood.ChargesTheSender);
        assertTrue(finalise(depart(address(t), bob, bob, 100)));
        assertEq(held(address(t)), 200);
        assertEq(bridge.escrowed(address(t)), 200);
        vm.expectRevert(abi.encodeWithSelector(IL1TokenBridge.SpentTooMuch.selector, t, 100, 101));
        bridge.claim(address(t), bob, bob, bob);
        t.set(Moody.Mood.Good);
        bridge.claim(address(t), bob, bob, bob);
        assertEq(t.balanceOf(bob), 100);
    }

    // Payments that fail

    function test_paymentThatFails_isOwed_onceAndInFull() public {
        Moody t = _moody();
        Moody.Mood[3] memory moods = [Moody.Mood.Reverts, Moody.Mood.ReturnsFalse, Moody.Mood.Burns63Of64];
        for (uint256 i = 0; i < 3; ++i) {
            t.set(Moody.Mood.Good);
            bring(address(t), bob, 5);
            Withdrawal memory w = depart(address(t), bob, bob, 5);
            t.set(moods[i]);
            vm.expectEmit(address(bridge));
            emit IL1TokenBridge.WithdrawalOwed(address(t), bob, bob, 5);
            assertTrue(finalise(w));
            assertEq(bridge.escrowed(address(t)), 5);
            assertEq(bridge.owed(address(t), bob, bob), 5);
            vm.expectRevert();
            bridge.claim(address(t), bob, bob, bob);

            t.set(Moody.Mood.Good);
            assertEq(bridge.claim(address(t), bob, bob, bob), 5);
            assertEq(t.balanceOf(bob), 5 * (i + 1));
            assertEq(bridge.escrowed(address(t)), 0);
            vm.expectRevert(IL1TokenBridge.NothingOwed.selector);
            bridge.claim(address(t), bob, bob, bob);
        }
    }

    function test_ethForAShutDoor_isClaimed_whenItOpens() public {
        Shut shut = new Shut();
        bring(ETH, bob, 5);
        assertTrue(finalise(depart(ETH, bob, address(shut), 5)));
        assertEq(bridge.owed(ETH, bob, address(shut)), 5);
        vm.expectRevert(abi.encodeWithSelector(IL1TokenBridge.PaymentFailed.selector, shut));
        bridge.claim(ETH, bob, address(shut), address(shut));
        shut.open();
        bridge.claim(ETH, bob, address(shut), address(shut));
        assertEq(address(shut).balance, 5);
    }

    function test_whatIsOwed_isRedirected_bySenderOrReceiver_andNobodyElse() public {
        Shut shut = new Shut();
        address payable other = payable(makeAddr("other"));
        bring(ETH, bob, 6);
        assertTrue(finalise(depart(ETH, bob, address(shut), 2)));
        vm.prank(user, user);
        vm.expectRevert(IL1TokenBridge.NotYours.selector);
        bridge.claim(ETH, bob, address(shut), user);
        vm.prank(bob, bob);
        bridge.claim(ETH, bob, address(shut), other);
        assertEq(other.balance, 2);

        assertTrue(finalise(depart(ETH, bob, address(shut), 2)));
        vm.prank(address(shut));
        bridge.claim(ETH, bob, address(shut), other);
        assertEq(other.balance, 4);

        // A contract on L1 speaks for its alias, never for its own address on L2.
        address twin = makeAddr("twin");
        vm.prank(bob);
        l2(ETH).transfer(AddressAlias.shifted(twin), 1);
        vm.prank(bob);
        l2(ETH).transfer(twin, 1);
        vm.etch(twin, hex"00");
        assertTrue(finalise(depart(ETH, twin, address(shut), 1)));
        vm.prank(twin, user);
        vm.expectRevert(IL1TokenBridge.NotYours.selector);
        bridge.claim(ETH, twin, address(shut), other);
        assertTrue(finalise(depart(ETH, AddressAlias.shifted(twin), address(shut), 1)));
        vm.prank(twin, user);
        bridge.claim(ETH, AddressAlias.shifted(twin), address(shut), other);
        assertEq(other.balance, 5);
    }

    function test_receiverThatBurnsAllGasAndAnswersTooMuch_isOwed() public {
        Bomb bomb = new Bomb();
        bring(ETH, bob, 5);
        assertTrue(finalise(depart(ETH, bob, address(bomb), 5)));
        assertEq(bridge.owed(ETH, bob, address(bomb)), 5);
    }

    function test_blockedReceiver_isOwed_andTheSenderTakesItBack() public {
        Moody t = _moody();
        bring(address(t), user, 5);
        t.block_(bob);
        assertTrue(finalise(depart(address(t), user, bob, 5)));
        assertEq(t.balanceOf(bob), 0);
        vm.prank(user, user);
        bridge.claim(address(t), user, bob, user);
        assertEq(bridge.escrowed(address(t)), 0);
    }

    // Calls back

    function test_tokenThatCallsBack_findsTheDoorShut() public {
        Calls t = new Calls(user);
        _approve(t);
        bring(address(t), bob, 100);
        deal(address(token), address(t), 1 ether);
        vm.prank(address(t));
        token.approve(address(bridge), 1 ether);
        bytes[5] memory calls = [
            abi.encodeCall(bridge.depositERC20To, (address(t), bob, 1)),
            abi.encodeCall(bridge.depositETHTo, (bob)),
            abi.encodeCall(bridge.claim, (address(t), bob, bob, bob)),
            abi.encodeCall(bridge.resend, (0, "", 100_000)),
            abi.encodeCall(bridge.pay, (address(t), bob, 1))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            t.arm(address(bridge), calls[i]);
            bring(address(t), bob, 10);
            assertTrue(t.called());
            assertFalse(t.succeeded());
            t.arm(address(bridge), calls[i]);
            assertTrue(finalise(depart(address(t), bob, bob, 10)));
            assertTrue(t.called());
            assertFalse(t.succeeded());
            assertEq(held(address(t)), 100);
            assertEq(bridge.escrowed(address(t)), 100);
            assertEq(l2(address(t)).totalSupply(), 100);
        }
    }

    /// In the middle of a transfer of the token somebody finalises a withdrawal: it reverts whole, and the portal keeps it.
    function test_withdrawalWithinADeposit_staysOpen() public {
        Calls t = new Calls(user);
        _approve(t);
        bring(address(t), bob, 100);
        Withdrawal memory w = depart(address(t), bob, bob, 100);
        Nested nested = new Nested();
        t.arm(address(nested), abi.encodeCall(nested.run, ()));
        vm.mockCall(address(portal), abi.encodeWithSignature("l2Sender()"), abi.encode(w.sender));
        nested.set(address(portal), address(bridge), w.data);
        vm.prank(user, user);
        bridge.depositERC20(address(t), 1);
        assertTrue(t.called() && nested.ran());
        assertFalse(nested.ok());
        assertEq(t.balanceOf(bob), 0);
        vm.clearMockedCalls();
        assertTrue(finalise(w));
        assertEq(t.balanceOf(bob), 100);
    }

    // What a token says of itself

    function _words(bytes memory name, bytes memory symbol, bytes memory decimals) private returns (BridgedToken) {
        Speaks t = new Speaks(user);
        t.answer(t.name.selector, name);
        t.answer(t.symbol.selector, symbol);
        t.answer(t.decimals.selector, decimals);
        _approve(t);
        return bring(address(t), bob, 1);
    }

    function test_words_wellFormed() public {
        BridgedToken t = _words(abi.encode("A name"), abi.encode("SYM"), abi.encode(8));
        assertEq(t.name(), "A name");
        assertEq(t.symbol(), "SYM");
        assertEq(t.decimals(), 8);
    }

    function test_words_inBytes32() public {
        BridgedToken t = _words(
            abi.encode(bytes32("A name")), abi.encode(bytes32("thirty-two bytes and not one mor")), abi.encode(8)
        );
        assertEq(t.name(), "A name");
        assertEq(t.symbol(), "thirty-two bytes and not one mor");
    }

    function test_words_tooLong_areCut() public {
        bytes memory long = new bytes(5_000);
        for (uint256 i = 0; i < long.length; ++i) {
            long[i] = "x";
        }
        BridgedToken t = _words(abi.encode(string(long)), abi.encode(string(long)), abi.encode(255));
        assertEq(bytes(t.name()).length, 64);
        assertEq(bytes(t.symbol()).length, 32);
        assertEq(t.decimals(), 255);
    }

    function test_words_malformed_areSilence() public {
        BridgedToken t = _words("", hex"ff", hex"12");
        assertEq(t.name(), "");
        assertEq(t.symbol(), "");
        assertEq(t.decimals(), 0);
        t = _words(abi.encode(64, 1, "x"), abi.encode(type(uint256).max, 0), abi.encode(256));
        assertEq(t.name(), "");
        assertEq(t.symbol(), "");
        assertEq(t.decimals(), 0);
        // Longer than what follows it.
        t = _words(abi.encode(32, type(uint256).max, bytes32("abc")), abi.encode(32, 5), "");
        assertEq(bytes(t.name()).length, 32);
        assertEq(t.symbol(), "");
    }

    function test_words_thatRevert_areSilence() public {
        Speaks t = new Speaks(user);
        t.fail(t.name.selector);
        t.fail(t.symbol.selector);
        t.fail(t.decimals.selector);
        _approve(t);
        BridgedToken l2Token = bring(address(t), bob, 1);
        assertEq(l2Token.name(), "");
        assertEq(l2Token.decimals(), 0);
    }

    function test_words_thatFlood_costABoundedPrice() public {
        Floods t = new Floods(user);
        _approve(t);
        vm.prank(user, user);
        uint256 before = gasleft();
        bridge.depositERC20To(address(t), bob, 1);
        assertLt(before - gasleft(), 1_200_000);
        assertTrue(deliver(sentOne()));
        assertEq(l2(address(t)).balanceOf(bob), 1);
    }

    /// The first depositor cannot make a token look silent by giving so little gas that its answer runs out of it.
    function testFuzz_words_areTheSame_withAnyGas(uint256 gas) public {
        Speaks t = new Speaks(user);
        t.answer(t.name.selector, abi.encode("A name"));
        t.answer(t.symbol.selector, abi.encode("SYM"));
        t.answer(t.decimals.selector, abi.encode(8));
        t.work(300);
        _approve(t);
        gas = bound(gas, 100_000, 900_000);
        vm.prank(user, user);
        try bridge.depositERC20To{gas: gas}(address(t), bob, 1) {
            assertTrue(deliver(sentOne()));
            assertEq(l2(address(t)).name(), "A name");
            assertEq(l2(address(t)).symbol(), "SYM");
            assertEq(l2(address(t)).decimals(), 8);
        } catch {
            assertFalse(bridge.introduced(address(t)));
        }
    }

    function testFuzz_words_anyAnswer_neverStopsADeposit(bytes memory name, bytes memory symbol, bytes memory decimals)
        public
    {
        BridgedToken t = _words(name, symbol, decimals);
        assertLe(bytes(t.name()).length, 64);
        assertLe(bytes(t.symbol()).length, 32);
        assertEq(t.balanceOf(bob), 1);
    }

    /// The most a message can need: the longest words, and a token at the worst address.
    function testFuzz_firstMessage_neverRunsOutOfGas(bytes32 salt, uint256 amount, address to) public {
        Speaks t = new Speaks{salt: salt}(user);
        bytes memory longest = new bytes(64);
        for (uint256 i = 0; i < 64; ++i) {
            longest[i] = bytes1(uint8(i + 1));
        }
        t.answer(t.name.selector, abi.encode(string(longest)));
        t.answer(t.symbol.selector, abi.encode(string(longest)));
        t.answer(t.decimals.selector, abi.encode(255));
        _approve(t);
        vm.assume(to != address(0) && to != address(L2) && to != address(l2(address(t))));
        bring(address(t), to, bound(amount, 1, 1e27));
    }
}

/// Stands in for somebody who makes the portal finalise a withdrawal from within a token's transfer.
contract Nested is Test {
    address private _portal;
    address private _bridge;
    bytes private _call;
    bool public ran;
    bool public ok;

    function set(address portal, address bridge, bytes memory call) external {
        (_portal, _bridge, _call) = (portal, bridge, call);
    }

    function run() external {
        ran = true;
        vm.prank(_portal);
        (ok,) = _bridge.call(_call);
    }
}
