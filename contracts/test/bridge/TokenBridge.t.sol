// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {BridgedToken} from "src/bridge/BridgedToken.sol";
import {IL1TokenBridge} from "src/bridge/IL1TokenBridge.sol";
import {IL2TokenBridge} from "src/bridge/IL2TokenBridge.sol";
import {L1TokenBridge} from "src/bridge/L1TokenBridge.sol";
import {L2Tokens} from "src/bridge/L2Tokens.sol";
import {AddressAlias} from "src/l1/AddressAlias.sol";
import {OpenToken} from "src/l1/OpenToken.sol";
import {QueueEntry} from "src/l1/QueueEntry.sol";
import {IPortal} from "src/l1/interfaces/IPortal.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {BridgeTest, Withdrawal} from "./BridgeTest.sol";
import {Plain} from "./Tokens.sol";

/// Deposits from a contract.
contract Vault {
    function deposit(L1TokenBridge bridge, Plain token, uint256 amount) external {
        bridge.open().approve(address(bridge), type(uint256).max);
        token.approve(address(bridge), amount);
        bridge.depositERC20(address(token), amount);
    }
}

contract TokenBridgeTest is BridgeTest {
    address private immutable bob = makeAddr("bob");

    // There

    function testFuzz_deposit_escrowsAndMintsTheSame(uint128 amount, bool eth) public {
        address t = eth ? ETH : address(plain);
        amount = uint128(bound(amount, 1, 1e24));
        BridgedToken l2Token = bring(t, bob, amount);
        assertEq(bridge.escrowed(t), amount);
        assertEq(held(t), amount);
        assertEq(l2Token.balanceOf(bob), amount);
        assertEq(l2Token.totalSupply(), amount);
    }

    function test_firstDeposit_createsTheToken_whereBothSidesSaid() public {
        address expected = bridge.l2TokenOf(address(plain));
        assertEq(expected, L2.tokenOf(address(plain)));
        assertEq(expected.code.length, 0);
        assertFalse(bridge.introduced(address(plain)));
        BridgedToken l2Token = bring(address(plain), bob, 1);
        assertEq(address(l2Token), expected);
        assertTrue(bridge.introduced(address(plain)));
        assertEq(l2Token.name(), "Plain Token");
        assertEq(l2Token.symbol(), "PLN");
        assertEq(l2Token.decimals(), 9);
        assertEq(l2Token.l1Token(), address(plain));
        assertEq(l2Token.bridge(), address(L2));
        assertEq(L2.l1TokenOf(expected), address(plain));
        assertEq(L2.tokenCount(), 1);
        assertEq(L2.tokenAt(0), expected);
        // The second one says nothing about the token and costs less.
        uint256 cost = bridge.depositGasCost(address(plain));
        assertLt(cost, bridge.depositGasCost(address(new Plain("Plain Token", "PLN", 9))) / 2);
        bring(address(plain), bob, 1);
        assertEq(l2Token.totalSupply(), 2);
    }

    function test_firstDeposit_ofEth_makesWeth() public {
        BridgedToken weth = bring(ETH, bob, 1 ether);
        assertEq(weth.name(), "Ether");
        assertEq(weth.symbol(), "WETH");
        assertEq(weth.decimals(), 18);
        assertEq(weth.l1Token(), ETH);
    }

    function test_deposit_takesExactlyTheGasItSaid_inOpen() public {
        address[2] memory tokens = [ETH, address(plain)];
        for (uint256 i = 0; i < 4; ++i) {
            address t = tokens[i % 2];
            uint256 cost = bridge.depositGasCost(t);
            assertGt(cost, 0);
            uint256 before = token.balanceOf(user);
            uint256 fees = portal.gasFees();
            bring(t, bob, 1 ether);
            assertEq(before - token.balanceOf(user), cost);
            assertEq(portal.gasFees() - fees, cost);
            assertEq(token.balanceOf(address(bridge)), 0);
        }
    }

    function test_deposit_toOneself_isForTheCaller() public {
        vm.startPrank(user, user);
        bridge.depositETH{value: 1}();
        bridge.depositERC20(address(plain), 2);
        vm.stopPrank();
        QueueEntry[] memory entries = sent();
        assertTrue(deliver(entries[0]) && deliver(entries[1]));
        assertEq(l2(ETH).balanceOf(user), 1);
        assertEq(l2(address(plain)).balanceOf(user), 2);
    }

    function test_deposit_byAContract_isForItsAlias() public {
        Vault vault = new Vault();
        plain.mint(address(vault), 5);
        deal(address(token), address(vault), 1 ether);
        vault.deposit(bridge, plain, 5);
        assertTrue(deliver(sentOne()));
        assertEq(l2(address(plain)).balanceOf(AddressAlias.shifted(address(vault))), 5);
    }

    function test_message_speaksAsTheAliasOfTheBridge() public {
        vm.prank(user, user);
        bridge.depositETH{value: 1}();
        QueueEntry memory e = sentOne();
        assertEq(e.from, AddressAlias.shifted(address(bridge)));
        assertEq(e.to, address(L2));
        assertEq(e.mint, 0);
        assertEq(e.value, 0);
        assertEq(bridge.messages(0), keccak256(e.data));
    }

    function test_deposit_refusesOpen_andWhatIsNoToken() public {
        vm.startPrank(user, user);
        vm.expectRevert(abi.encodeWithSelector(IL1TokenBridge.NotBridgeable.selector, token));
        bridge.depositERC20(address(token), 1);
        vm.expectRevert(abi.encodeWithSelector(IL1TokenBridge.NotBridgeable.selector, ETH));
        bridge.depositERC20(ETH, 1);
        vm.expectRevert();
        bridge.depositERC20(makeAddr("nothing here"), 1);
        vm.expectRevert();
        bridge.depositERC20(address(portal), 1);
        vm.expectRevert(IL1TokenBridge.NothingDeposited.selector);
        bridge.depositERC20(address(plain), 0);
        vm.expectRevert(IL1TokenBridge.NothingDeposited.selector);
        bridge.depositETH();
    }

    function test_deposit_toWhereItWouldBeLost_reverts() public {
        address[3] memory lost = [address(0), address(L2), bridge.l2TokenOf(address(plain))];
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(user, user);
            vm.expectRevert(abi.encodeWithSelector(IL1TokenBridge.BadReceiver.selector, lost[i]));
            bridge.depositERC20To(address(plain), lost[i], 1);
        }
    }

    function test_deposit_withoutOpenForGas_reverts() public {
        deal(bob, 1);
        vm.prank(bob, bob);
        vm.expectPartialRevert(IERC20Errors.ERC20InsufficientAllowance.selector);
        bridge.depositETH{value: 1}();
    }

    function test_plainEth_isRefused() public {
        vm.prank(user);
        (bool ok,) = address(bridge).call{value: 1}("");
        assertFalse(ok);
    }

    // By permit

    function _permit(Plain t, uint256 key, uint256 value) private view returns (IL1TokenBridge.Permit memory p) {
        address owner = vm.addr(key);
        p.value = value;
        p.deadline = block.timestamp + 1;
        bytes32 terms = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                owner,
                bridge,
                value,
                t.nonces(owner),
                p.deadline
            )
        );
        (p.v, p.r, p.s) = vm.sign(key, keccak256(abi.encodePacked(hex"1901", t.DOMAIN_SEPARATOR(), terms)));
    }

    function test_deposit_byPermits_needsNoApproval_andSurvivesAFrontRunner() public {
        (address holder, uint256 key) = makeAddrAndKey("holder");
        deal(address(token), holder, 1 ether);
        vm.deal(holder, 1 ether);
        plain.mint(holder, 10);
        IL1TokenBridge.Permit memory gas = _permit(Plain(address(token)), key, 1 ether);
        IL1TokenBridge.Permit memory permit = _permit(plain, key, 7);
        plain.permit(holder, address(bridge), 7, permit.deadline, permit.v, permit.r, permit.s);
        vm.startPrank(holder, holder);
        bridge.depositERC20WithPermit(address(plain), holder, 7, permit, gas);
        bridge.depositETHWithPermit{value: 1}(holder, gas);
        vm.stopPrank();
        assertEq(bridge.escrowed(address(plain)), 7);
        assertEq(bridge.escrowed(ETH), 1);
    }

    function test_deposit_byABadPermit_reverts() public {
        (address holder, uint256 key) = makeAddrAndKey("holder");
        plain.mint(holder, 10);
        IL1TokenBridge.Permit memory permit = _permit(plain, key, 7);
        permit.value = 8;
        IL1TokenBridge.Permit memory none;
        vm.prank(holder, holder);
        vm.expectPartialRevert(IERC20Errors.ERC20InsufficientAllowance.selector);
        bridge.depositERC20WithPermit(address(plain), holder, 8, permit, none);
    }

    // Back

    function testFuzz_withdraw_paysWhatWasBurned(uint96 amount, bool eth) public {
        address t = eth ? ETH : address(plain);
        BridgedToken l2Token = bring(t, bob, 1e24);
        amount = uint96(bound(amount, 0, 1e24));
        Withdrawal memory w = depart(t, bob, bob, amount);
        assertEq(l2Token.balanceOf(bob), 1e24 - amount);
        assertEq(w.sender, address(L2));
        assertTrue(finalise(w));
        assertEq(eth ? bob.balance : plain.balanceOf(bob), amount);
        assertEq(bridge.escrowed(t), 1e24 - amount);
        assertEq(held(t), 1e24 - amount);
        assertEq(l2Token.totalSupply(), 1e24 - amount);
    }

    function test_withdraw_toOneself() public {
        BridgedToken l2Token = bring(ETH, bob, 3);
        sent();
        vm.prank(bob);
        uint256 nonce = L2.withdraw(address(l2Token), 3);
        Withdrawal memory w = passed();
        assertEq(w.nonce, nonce);
        assertTrue(finalise(w));
        assertEq(bob.balance, 3);
    }

    function test_withdraw_moreThanOwned_reverts() public {
        BridgedToken l2Token = bring(address(plain), bob, 5);
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, bob, 5, 6));
        L2.withdraw(address(l2Token), 6);
    }

    function test_withdraw_toWhereItCannotBePaid_reverts() public {
        BridgedToken l2Token = bring(address(plain), bob, 5);
        vm.startPrank(bob);
        vm.expectRevert(abi.encodeWithSelector(IL2TokenBridge.BadReceiver.selector, address(0)));
        L2.withdrawTo(address(l2Token), address(0), 5);
        vm.expectRevert(abi.encodeWithSelector(IL2TokenBridge.BadReceiver.selector, bridge));
        L2.withdrawTo(address(l2Token), address(bridge), 5);
    }

    /// A token that names itself as bridged, and burns whatever it is told.
    function test_withdraw_ofAForeignToken_reverts() public {
        bring(address(plain), bob, 5);
        Plain fake = new Plain("Fake", "FAKE", 18);
        vm.expectRevert(abi.encodeWithSelector(IL2TokenBridge.UnknownToken.selector, fake));
        L2.withdraw(address(fake), 5);
        vm.expectRevert(abi.encodeWithSelector(IL2TokenBridge.UnknownToken.selector, Predeploys.BRIDGED_TOKEN));
        L2.withdraw(Predeploys.BRIDGED_TOKEN, 0);
    }

    // Who may speak

    function test_receiveDeposit_byAnyoneElse_reverts() public {
        address[4] memory callers = [address(bridge), user, address(portal), AddressAlias.shifted(address(portal))];
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(callers[i]);
            vm.expectRevert(abi.encodeWithSelector(IL2TokenBridge.NotL1Bridge.selector, callers[i]));
            L2.receiveDeposit(0, ETH, user, user, 1, abi.encode("", "", 0));
        }
    }

    /// Anyone may have the portal call the bridge, but not in the name of the L2 bridge.
    function test_finalizeWithdrawal_byAnyoneElse_reverts() public {
        bring(ETH, bob, 1 ether);
        bytes memory call = abi.encodeCall(bridge.finalizeWithdrawal, (ETH, user, user, 1 ether));
        assertFalse(finalise(Withdrawal(0, user, address(bridge), 1_000_000, call)));
        vm.mockCall(address(portal), abi.encodeWithSignature("l2Sender()"), abi.encode(L2));
        vm.prank(user);
        vm.expectRevert(IL1TokenBridge.NotL2Bridge.selector);
        bridge.finalizeWithdrawal(ETH, user, user, 1 ether);
        vm.prank(address(portal));
        vm.expectRevert(IL1TokenBridge.NotSelf.selector);
        bridge.pay(ETH, user, 1 ether);
    }

    function test_tokens_obeyTheBridgeAlone() public {
        BridgedToken l2Token = bring(ETH, bob, 5);
        vm.startPrank(bob);
        vm.expectRevert(abi.encodeWithSelector(BridgedToken.NotBridge.selector, bob));
        l2Token.mint(bob, 1);
        vm.expectRevert(abi.encodeWithSelector(BridgedToken.NotBridge.selector, bob));
        l2Token.burn(bob, 1);
        vm.expectRevert(abi.encodeWithSelector(BridgedToken.NotBridge.selector, bob));
        l2Token.initialise(address(1), "", "", 0);
        vm.expectRevert(abi.encodeWithSelector(BridgedToken.NotBridge.selector, bob));
        BridgedToken(Predeploys.BRIDGED_TOKEN).initialise(address(1), "", "", 0);
        vm.stopPrank();
        vm.prank(address(L2));
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        l2Token.initialise(address(1), "", "", 0);
    }

    function test_l2Token_takesPermits() public {
        (address holder, uint256 key) = makeAddrAndKey("holder");
        BridgedToken l2Token = bring(address(plain), holder, 5);
        bytes32 terms = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                holder,
                bob,
                4,
                0,
                block.timestamp
            )
        );
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(key, keccak256(abi.encodePacked(hex"1901", l2Token.DOMAIN_SEPARATOR(), terms)));
        l2Token.permit(holder, bob, 4, block.timestamp, v, r, s);
        vm.prank(bob);
        l2Token.transferFrom(holder, bob, 4);
        assertEq(l2Token.balanceOf(bob), 4);
    }

    function test_initialise_again_reverts() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        bridge.initialise();
        L1TokenBridge implementation = new L1TokenBridge(token, portal);
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        implementation.initialise();
    }

    // Pause

    function test_pause_stopsDeposits_andNothingElse() public {
        bring(ETH, bob, 5 ether);
        Withdrawal memory w = depart(ETH, bob, bob, 1 ether);
        vm.prank(user, user);
        bridge.depositETHTo{value: 1}(bob);
        QueueEntry memory e = sentOne();
        assertFalse(deliver(e, 3_000));

        vm.prank(council);
        config.pause();
        vm.startPrank(user, user);
        vm.expectRevert(IL1TokenBridge.DepositsPaused.selector);
        bridge.depositETH{value: 1}();
        vm.expectRevert(IL1TokenBridge.DepositsPaused.selector);
        bridge.depositERC20(address(plain), 1);
        bridge.resend(1, e.data, 300_000);
        vm.stopPrank();
        assertTrue(deliver(sentOne()));
        assertTrue(finalise(w));
        assertEq(bob.balance, 1 ether);

        pass(30 days);
        vm.prank(user, user);
        bridge.depositETH{value: 1}();
    }

    // Messages that fail

    function test_messageThatFailed_isSentAgain_byAnyone() public {
        vm.prank(user, user);
        bridge.depositERC20To(address(plain), bob, 5);
        QueueEntry memory e = sentOne();
        assertFalse(deliver(e, 100_000));
        assertFalse(L2.received(0));

        address other = makeAddr("other");
        deal(address(token), other, 1 ether);
        vm.startPrank(other, other);
        token.approve(address(bridge), 1 ether);
        vm.expectEmit(address(bridge));
        emit IL1TokenBridge.DepositResent(0, 1);
        assertEq(bridge.resend(0, e.data, 2_000_000), 1);
        vm.stopPrank();
        assertEq(token.balanceOf(other), 1 ether - 2_000_000 * GAS_PRICE);
        QueueEntry memory again = sentOne();
        assertEq(again.gasLimit, 2_000_000);
        assertTrue(deliver(again));
        assertTrue(L2.received(0));
        assertEq(l2(address(plain)).balanceOf(bob), 5);
    }

    function test_messageThatArrived_sentAgain_doesNothing() public {
        vm.startPrank(user, user);
        bridge.depositETHTo{value: 5}(bob);
        QueueEntry memory e = sentOne();
        bridge.resend(0, e.data, 2_000_000);
        vm.stopPrank();
        QueueEntry memory again = sentOne();
        assertTrue(deliver(e));
        assertFalse(deliver(again));
        assertEq(l2(ETH).totalSupply(), 5);
    }

    function test_resend_ofAnotherMessage_reverts() public {
        vm.startPrank(user, user);
        bridge.depositETHTo{value: 5}(bob);
        QueueEntry memory e = sentOne();
        bytes memory forged =
            abi.encodeCall(IL2TokenBridge.receiveDeposit, (0, ETH, user, bob, 6, abi.encode("Ether", "WETH", 18)));
        vm.expectRevert(abi.encodeWithSelector(IL1TokenBridge.UnknownMessage.selector, 0));
        bridge.resend(0, forged, 2_000_000);
        vm.expectRevert(abi.encodeWithSelector(IL1TokenBridge.UnknownMessage.selector, 1));
        bridge.resend(1, e.data, 2_000_000);
        vm.expectPartialRevert(IPortal.GasLimitOutOfRange.selector);
        bridge.resend(0, e.data, 30_000);
    }

    /// The second deposit cannot create the token; it waits for the first to be sent again.
    function test_depositBehindAFailedFirst_isSentAgainAfterIt() public {
        vm.startPrank(user, user);
        bridge.depositERC20To(address(plain), bob, 5);
        bridge.depositERC20To(address(plain), bob, 6);
        vm.stopPrank();
        QueueEntry[] memory e = sent();
        assertFalse(deliver(e[0], 100_000));
        assertFalse(deliver(e[1]));
        vm.startPrank(user, user);
        bridge.resend(0, e[0].data, 2_000_000);
        bridge.resend(1, e[1].data, 500_000);
        vm.stopPrank();
        e = sent();
        assertTrue(deliver(e[0]) && deliver(e[1]));
        assertEq(l2(address(plain)).balanceOf(bob), 11);
    }

    function test_withdrawal_withTooLittleGas_staysOpen() public {
        bring(address(plain), bob, 5);
        Withdrawal memory w = depart(address(plain), bob, bob, 5);
        for (uint256 gas = 10_000; gas < 50_000; gas += 2_500) {
            assertFalse(finalise(w, gas));
        }
        assertEq(bridge.escrowed(address(plain)), 5);
        assertTrue(finalise(w));
        assertEq(plain.balanceOf(bob), 5);
    }

    /// With any gas from the portal's minimum on, it is paid or owed; nothing between.
    function testFuzz_withdrawal_isPaidOrOwedOrOpen_withAnyGas(uint256 gas) public {
        bring(address(plain), bob, 5);
        Withdrawal memory w = depart(address(plain), bob, bob, 5);
        gas = bound(gas, 30_000, 400_000);
        bool ok = finalise(w, gas);
        uint256 owed = bridge.owed(address(plain), bob, bob);
        assertEq(plain.balanceOf(bob) + owed, ok ? 5 : 0);
        assertEq(bridge.escrowed(address(plain)), 5 - plain.balanceOf(bob));
        if (gas >= w.gasLimit) assertEq(plain.balanceOf(bob), 5);
    }
}
