// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {L1TokenBridge} from "src/bridge/L1TokenBridge.sol";
import {L2TokenBridge} from "src/bridge/L2TokenBridge.sol";
import {L2Tokens} from "src/bridge/L2Tokens.sol";
import {Withdrawal} from "src/l1/Withdrawal.sol";
import {IWithdrawals} from "src/l1/interfaces/IWithdrawals.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {WithdrawalTest} from "../l1/WithdrawalTest.sol";
import {Shut} from "./Tokens.sol";

/// Messages of the L2 bridge, proven and finalised by the Portal itself.
contract ThroughThePortalTest is WithdrawalTest {
    uint256 private constant WITHDRAWAL_GAS = 300_000;

    L1TokenBridge private bridge;
    address private immutable bob = makeAddr("bob");

    function setUp() public override {
        super.setUp();
        bridge = L1TokenBridge(
            proxy(address(new L1TokenBridge(token, portal)), abi.encodeCall(L1TokenBridge.initialise, ()))
        );
        vm.deal(user, 10 ether);
        vm.startPrank(user, user);
        token.approve(address(bridge), type(uint256).max);
        bridge.depositETH{value: 10 ether}();
        vm.stopPrank();
        alice = Predeploys.TOKEN_BRIDGE; // Who sends the messages of this test.
        assertEq(new L2TokenBridge().WITHDRAWAL_GAS(), WITHDRAWAL_GAS);
    }

    function _withdrawal(address to, uint256 amount) private returns (Withdrawal memory) {
        bytes memory call = abi.encodeCall(bridge.finalizeWithdrawal, (L2Tokens.ETH, user, to, amount));
        return message(address(bridge), 0, WITHDRAWAL_GAS, call);
    }

    function test_withdrawal_provenAndFinalised_isPaid_once() public {
        Withdrawal memory w = _withdrawal(bob, 4 ether);
        ready(w);
        portal.finalizeWithdrawalTransaction(w);
        assertEq(bob.balance, 4 ether);
        assertEq(bridge.escrowed(L2Tokens.ETH), 6 ether);
        vm.expectRevert(IWithdrawals.AlreadyFinalized.selector);
        portal.finalizeWithdrawalTransaction(w);
    }

    function test_messageOfAnybodyElse_paysNothing() public {
        alice = user;
        Withdrawal memory w = _withdrawal(user, 4 ether);
        ready(w);
        vm.expectRevert(IWithdrawals.CallFailed.selector);
        portal.finalizeWithdrawalTransaction(w);
        assertEq(bridge.escrowed(L2Tokens.ETH), 10 ether);
    }

    /// Whoever finalises chooses the gas: it is enough to pay, or the message stays open. No debt can be provoked.
    function testFuzz_finalise_withAnyGas_paysOrStaysOpen(uint256 gas) public {
        Withdrawal memory w = _withdrawal(bob, 4 ether);
        ready(w);
        gas = bound(gas, 50_000, 600_000);
        (bool ok,) = address(portal).call{gas: gas}(abi.encodeCall(portal.finalizeWithdrawalTransaction, (w)));
        assertEq(bob.balance, ok ? 4 ether : 0);
        assertEq(bridge.owed(L2Tokens.ETH, user, bob), 0);
        assertEq(portal.finalizedWithdrawals(hashOf(w)), ok);
        if (!ok) portal.finalizeWithdrawalTransaction(w);
        assertEq(bob.balance, 4 ether);
    }

    function test_paymentThatFails_endsTheMessage_andIsClaimed() public {
        Shut shut = new Shut();
        Withdrawal memory w = _withdrawal(address(shut), 4 ether);
        ready(w);
        portal.finalizeWithdrawalTransaction(w);
        assertEq(bridge.owed(L2Tokens.ETH, user, address(shut)), 4 ether);
        vm.prank(user, user);
        bridge.claim(L2Tokens.ETH, user, address(shut), bob);
        assertEq(bob.balance, 4 ether);
    }

    function test_pause_stopsPayments_untilItEnds() public {
        Withdrawal memory w = _withdrawal(bob, 4 ether);
        ready(w);
        vm.prank(council);
        config.pause();
        vm.expectRevert(IWithdrawals.CallPaused.selector);
        portal.finalizeWithdrawalTransaction(w);
        pass(30 days);
        portal.finalizeWithdrawalTransaction(w);
        assertEq(bob.balance, 4 ether);
    }
}
