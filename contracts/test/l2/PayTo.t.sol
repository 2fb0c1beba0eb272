// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IAssetRegistry} from "src/l2/IAssetRegistry.sol";
import {IPayTo} from "src/l2/IPayTo.sol";
import {IRevenueRouter} from "src/l2/IRevenueRouter.sol";
import {PayToProxy} from "src/l2/PayToProxy.sol";
import {CallsBack} from "./Receivers.sol";
import {SpendTest} from "./SpendTest.sol";

contract Coin is ERC20("Coin", "COIN") {
    constructor(address to) {
        _mint(to, 100);
    }
}

/// @notice A token of the old kind: transfers answer nothing.
contract MuteCoin {
    mapping(address => uint256) public balanceOf;

    constructor(address to) {
        balanceOf[to] = 100;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }
}

contract FalseCoin {
    function balanceOf(address) external pure returns (uint256) {
        return 1;
    }

    function transfer(address, uint256) external pure returns (bool) {
        return false;
    }
}

/// @notice On a transfer, flushes the pay address that it is called by.
contract FlushingCoin {
    address private immutable payTo;
    bytes private data;

    constructor(address payTo_, bytes memory data_) {
        (payTo, data) = (payTo_, data_);
    }

    function balanceOf(address) external pure returns (uint256) {
        return 1;
    }

    function transfer(address, uint256) external returns (bool) {
        (bool ok,) = payTo.call(data);
        return ok;
    }
}

contract PayToTest is SpendTest {
    address private immutable bob = makeAddr("bob");
    address private where;

    function setUp() public override {
        super.setUp();
        where = PAY_TO.payTo(asset, operator, agent);
        vm.deal(payer, 100 ether);
    }

    // The address

    function test_initCodeHash_isOfTheInitCode() public view {
        assertEq(PAY_TO.initCodeHash(), keccak256(PayToProxy.INIT_CODE));
    }

    /// Pay addresses never move: this one stands in somebody's address book.
    function test_payTo_isPinned() public view {
        assertEq(
            PayToProxy.addressOf(7, 8, 9),
            vm.computeCreate2Address(
                bytes32(uint256(7) << 96 | uint256(8) << 64 | 9), PAY_TO.initCodeHash(), address(PAY_TO)
            )
        );
        assertEq(PAY_TO.initCodeHash(), 0x88b32cd1aa8d2e4994b99c937b3b6adc70720f168ff7be44c14d1a1f555968b5);
    }

    function testFuzz_payTo_differsForEachTriple(uint64 a, uint32 o, uint64 g, uint8 which, uint32 by) public pure {
        by = uint32(bound(by, 1, type(uint32).max));
        address one = PayToProxy.addressOf(a, o, g);
        unchecked {
            if (which % 3 == 0) a += by;
            if (which % 3 == 1) o += by;
            if (which % 3 == 2) g += by;
        }
        assertNotEq(PayToProxy.addressOf(a, o, g), one);
    }

    function test_payTo_forWhatCannotBeRouted_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.UnknownAsset.selector, 99));
        PAY_TO.payTo(99, operator, 0);
        vm.expectRevert(abi.encodeWithSelector(IPayTo.UnknownOperator.selector, 99));
        PAY_TO.payTo(asset, 99, 0);
        vm.expectRevert(abi.encodeWithSelector(IPayTo.NotAnAgent.selector, asset));
        PAY_TO.payTo(asset, operator, asset);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.UnknownAsset.selector, 99));
        PAY_TO.payTo(asset, operator, 99);
        PAY_TO.payTo(asset, 0, 0);
    }

    // Money in, by whatever means

    function test_plainSend_isRouted() public {
        _send(1 ether);
        vm.expectEmit(address(ROUTER));
        emit IRevenueRouter.Routed(
            _ref(), asset, operator, agent, where, 1 ether, 0.01 ether, 0.01 ether, 0.45 ether, 0, 0.53 ether, 0
        );
        vm.prank(bob);
        assertEq(PAY_TO.flush(asset, operator, agent, address(0)), 1 ether);
        assertEq(where.balance, 0);
        assertEq(bob.balance, 0); // Whoever flushes gets nothing.
        assertEq(ROUTER.operatorClaimable(operator), 0.45 ether);
        assertEq(LEDGER.claimable(asset, alice), 0.53 ether);
    }

    function test_secondFlush_findsTheProxy() public {
        _send(1 ether);
        _flush();
        bytes32 code = where.codehash;
        _send(2 ether);
        _flush();
        assertEq(where.codehash, code);
        assertEq(ROUTER.operatorClaimable(operator), 1.35 ether);
    }

    function test_flush_ofNothing_doesNothing() public {
        assertEq(PAY_TO.flush(asset, operator, agent, address(0)), 0);
        assertEq(PAY_TO.flush(asset, operator, agent, address(WOPEN)), 0);
        assertEq(where.code.length, 0);
        _send(1 ether);
        _flush();
        assertEq(PAY_TO.flush(asset, operator, agent, address(WOPEN)), 0);
    }

    /// What `transfer` and `send` of Solidity give their receiver.
    function test_receivesWith2300Gas_beforeAndAfterTheFirstFlush() public {
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(payer);
            (bool ok,) = where.call{value: 1 ether, gas: 0}(""); // The stipend alone: 2300.
            assertTrue(ok);
            assertEq(where.balance, 1 ether);
            _flush();
        }
    }

    /// A memo that a wallet attached.
    function testFuzz_receivesWithAnyData(bytes calldata memo) public {
        _send(1);
        _flush();
        vm.prank(payer);
        (bool ok, bytes memory answer) = where.call{value: 1 ether}(memo);
        assertTrue(ok);
        assertEq(answer.length, 0);
        assertEq(where.balance, 1 ether);
    }

    function test_wopenTransfer_isRouted() public {
        vm.startPrank(payer);
        WOPEN.deposit{value: 3 ether}();
        WOPEN.transfer(where, 3 ether);
        vm.stopPrank();
        assertEq(PAY_TO.flush(asset, operator, agent, address(0)), 0); // OPEN alone.
        assertEq(PAY_TO.flush(asset, operator, agent, address(WOPEN)), 3 ether);
        assertEq(WOPEN.balanceOf(where), 0);
        assertEq(ROUTER.operatorClaimable(operator), 1.35 ether);
    }

    function test_wopenAndOpen_areRoutedTogether() public {
        vm.startPrank(payer);
        WOPEN.deposit{value: 3 ether}();
        WOPEN.transfer(where, 3 ether);
        vm.stopPrank();
        _send(1 ether);
        assertEq(PAY_TO.flush(asset, operator, agent, address(WOPEN)), 4 ether);
    }

    function test_transferWithAuthorization_toTheBareAddress_isRouted() public {
        vm.prank(payer);
        WOPEN.deposit{value: 1 ether}();
        bytes32 terms = keccak256(
            abi.encode(
                WOPEN.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(),
                payer,
                where,
                1 ether,
                0,
                type(uint256).max,
                bytes32("x402")
            )
        );
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(payerKey, keccak256(abi.encodePacked(hex"1901", WOPEN.DOMAIN_SEPARATOR(), terms)));
        vm.prank(bob);
        WOPEN.transferWithAuthorization(payer, where, 1 ether, 0, type(uint256).max, "x402", v, r, s);
        assertEq(where.code.length, 0);
        assertEq(PAY_TO.flush(asset, operator, agent, address(WOPEN)), 1 ether);
        assertEq(ROUTER.operatorClaimable(operator), 0.45 ether);
    }

    /// Sent before the asset exists: it waits.
    function test_sentTooEarly_waits() public {
        uint64 next = REGISTRY.count() + 1;
        address early = PayToProxy.addressOf(next, operator, 0);
        vm.deal(early, 1 ether);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.UnknownAsset.selector, next));
        PAY_TO.flush(next, operator, 0, address(0));
        assertEq(root(alice), next);
        assertEq(PAY_TO.flush(next, operator, 0, address(0)), 1 ether);
    }

    function testFuzz_flush_routesWhatEachAddressHas(uint88 a, uint88 b) public {
        address other = PAY_TO.payTo(asset2, operator, 0);
        vm.deal(where, a);
        vm.deal(other, b);
        PAY_TO.flush(asset, operator, agent, address(0));
        assertEq(other.balance, b);
        PAY_TO.flush(asset2, operator, 0, address(0));
        assertEq(address(ROUTER).balance + address(LEDGER).balance, uint256(a) + b);
    }

    // What must not work

    /// Only PayTo makes the proxy call anything: the router, WOPEN, and what an owner rescues.
    function testFuzz_proxy_ignoresOthers(address caller, bytes calldata data) public {
        vm.assume(caller != address(PAY_TO));
        _send(1 ether);
        _flush();
        _send(1 ether);
        bytes memory order = abi.encodePacked(uint256(uint160(caller)), uint256(1 ether), data);
        vm.prank(caller);
        (bool ok,) = where.call(order);
        assertTrue(ok);
        assertEq(where.balance, 1 ether);
    }

    function test_flush_ofAnotherToken_reverts() public {
        Coin coin = new Coin(where);
        vm.expectRevert(abi.encodeWithSelector(IPayTo.NotRouted.selector, address(coin)));
        PAY_TO.flush(asset, operator, agent, address(coin));
    }

    /// A payee's own code never runs in a flush, so there is nobody to call back.
    function test_flush_runsNoPayee() public {
        CallsBack thief =
            new CallsBack(address(PAY_TO), abi.encodeCall(PAY_TO.flush, (asset, operator, agent, address(0))), 9);
        vm.startPrank(alice);
        ROUTER.setOperatorPayout(operator, address(thief));
        REGISTRY.setPayout(asset, address(thief));
        vm.stopPrank();
        _send(1 ether);
        _flush();
        assertEq(thief.left(), 9);
        LEDGER.claim(asset, address(thief));
        assertEq(thief.received(), 0.53 ether);
    }

    // Other tokens

    function test_rescue_byTheOwner() public {
        Coin coin = new Coin(where);
        bytes memory refusal = abi.encodeWithSelector(IPayTo.NotAssetOwner.selector, asset, bob);
        vm.expectRevert(refusal);
        vm.prank(bob);
        PAY_TO.rescue(asset, operator, agent, address(coin), bob);

        vm.expectEmit(address(PAY_TO));
        emit IPayTo.Rescued(asset, operator, agent, address(coin), bob, 100);
        vm.prank(alice);
        assertEq(PAY_TO.rescue(asset, operator, agent, address(coin), bob), 100);
        assertEq(coin.balanceOf(bob), 100);
    }

    function test_rescue_ofATokenThatAnswersNothing() public {
        MuteCoin coin = new MuteCoin(where);
        vm.prank(alice);
        PAY_TO.rescue(asset, operator, agent, address(coin), bob);
        assertEq(coin.balanceOf(bob), 100);
    }

    function test_rescue_refusals() public {
        address liar = address(new FalseCoin());
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(IPayTo.NotRescued.selector, address(WOPEN)));
        PAY_TO.rescue(asset, operator, agent, address(WOPEN), alice);
        vm.expectRevert(abi.encodeWithSelector(IPayTo.NotRescued.selector, address(0)));
        PAY_TO.rescue(asset, operator, agent, address(0), alice);
        vm.expectRevert(abi.encodeWithSelector(IPayTo.TransferFailed.selector, liar));
        PAY_TO.rescue(asset, operator, agent, liar, alice);
        vm.expectRevert(IPayTo.ZeroAddress.selector);
        PAY_TO.rescue(asset, operator, agent, liar, address(0));
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(IPayTo.NotAssetOwner.selector, 99, alice));
        vm.prank(alice);
        PAY_TO.rescue(99, operator, agent, liar, alice);
    }

    /// The owner's own hostile token gets hold of nothing that belongs to the split.
    function test_rescue_ofATokenThatCallsBack_movesNoOpen() public {
        _send(1 ether);
        address coin = address(
            new FlushingCoin(address(PAY_TO), abi.encodeCall(PAY_TO.flush, (asset, operator, agent, address(0))))
        );
        vm.prank(alice);
        PAY_TO.rescue(asset, operator, agent, coin, alice);
        assertEq(ROUTER.operatorClaimable(operator), 0.45 ether);
        assertEq(address(ROUTER).balance + address(LEDGER).balance, 1 ether);
        assertEq(coin.balance + alice.balance, 0);
    }

    /// The call's own revert is what the caller sees.
    function test_rescue_ofATokenThatReverts_saysWhy() public {
        Coin coin = new Coin(where);
        vm.mockCallRevert(address(coin), abi.encodeWithSelector(coin.transfer.selector), "frozen");
        vm.expectRevert("frozen");
        vm.prank(alice);
        PAY_TO.rescue(asset, operator, agent, address(coin), bob);
    }

    function _send(uint256 amount) private {
        vm.prank(payer);
        (bool ok,) = where.call{value: amount}("");
        assertTrue(ok);
    }

    function _flush() private {
        PAY_TO.flush(asset, operator, agent, address(0));
    }

    function _ref() private view returns (bytes32) {
        return bytes32(uint256(uint160(where)) << 96 | block.number);
    }
}
