// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IWrappedOpen} from "src/l2/IWrappedOpen.sol";
import {Send} from "src/l2/Send.sol";
import {L2Test} from "./L2Test.sol";
import {CallsBack, Refuses, SmartAccount} from "./Receivers.sol";

contract WrappedOpenTest is L2Test {
    struct Auth {
        address from;
        address to;
        uint256 value;
        uint256 validAfter;
        uint256 validBefore;
        bytes32 nonce;
    }

    address private alice;
    uint256 private aliceKey;
    address private immutable bob = makeAddr("bob");

    function setUp() public override {
        super.setUp();
        (alice, aliceKey) = makeAddrAndKey("alice");
        vm.deal(alice, 100 ether);
        vm.prank(alice);
        WOPEN.deposit{value: 10 ether}();
    }

    // Wrapping

    function test_metadata() public view {
        assertEq(WOPEN.name(), "Wrapped OPEN");
        assertEq(WOPEN.symbol(), "WOPEN");
        assertEq(WOPEN.decimals(), 18);
        (bytes1 fields, string memory name, string memory version, uint256 chainId, address where,,) =
            WOPEN.eip712Domain();
        assertEq(fields, hex"0f");
        assertEq(name, "Wrapped OPEN");
        assertEq(version, "1");
        assertEq(chainId, block.chainid);
        assertEq(where, address(WOPEN));
    }

    function test_plainTransfer_wraps() public {
        vm.expectEmit(address(WOPEN));
        emit IWrappedOpen.Deposit(alice, 1 ether);
        vm.expectEmit(address(WOPEN));
        emit IERC20.Transfer(address(0), alice, 1 ether);
        vm.prank(alice);
        (bool ok,) = address(WOPEN).call{value: 1 ether}("");
        assertTrue(ok);
        assertEq(WOPEN.balanceOf(alice), 11 ether);
        assertEq(WOPEN.totalSupply(), 11 ether);
    }

    function testFuzz_withdraw_givesTheSameAmountBack(uint96 amount) public {
        amount = uint96(bound(amount, 0, 10 ether));
        vm.prank(alice);
        WOPEN.withdraw(amount);
        assertEq(alice.balance, 90 ether + amount);
        assertEq(WOPEN.balanceOf(alice), 10 ether - amount);
        assertEq(WOPEN.totalSupply(), 10 ether - amount);
    }

    function test_withdraw_moreThanOwned_reverts() public {
        vm.expectRevert(
            abi.encodeWithSelector(IWrappedOpen.InsufficientBalance.selector, alice, 10 ether, 10 ether + 1)
        );
        vm.prank(alice);
        WOPEN.withdraw(10 ether + 1);
    }

    function test_withdraw_reentered_paysOnce() public {
        CallsBack thief = new CallsBack(address(WOPEN), abi.encodeCall(WOPEN.withdraw, (1 ether)), 5);
        vm.prank(alice);
        WOPEN.transfer(address(thief), 2 ether);
        vm.prank(address(thief));
        WOPEN.withdraw(1 ether);
        assertEq(thief.received(), 2 ether); // Its own two, by one call and one call back.
        assertEq(WOPEN.totalSupply(), 8 ether);
    }

    function test_withdraw_byOneWhoRefuses_reverts() public {
        address refuses = address(new Refuses());
        vm.prank(alice);
        WOPEN.transfer(refuses, 1 ether);
        vm.expectRevert(abi.encodeWithSelector(Send.SendFailed.selector, refuses, 1 ether));
        vm.prank(refuses);
        WOPEN.withdraw(1 ether);
    }

    // ERC-20

    function testFuzz_transfer_movesExactly(address to, uint96 amount) public {
        vm.assume(to != address(0) && to != address(WOPEN) && to != alice);
        amount = uint96(bound(amount, 0, 10 ether));
        vm.prank(alice);
        assertTrue(WOPEN.transfer(to, amount));
        assertEq(WOPEN.balanceOf(to), amount);
        assertEq(WOPEN.balanceOf(alice), 10 ether - amount);
    }

    function test_transfer_toItself_changesNothing() public {
        vm.prank(alice);
        WOPEN.transfer(alice, 4 ether);
        assertEq(WOPEN.balanceOf(alice), 10 ether);
    }

    function test_transfer_toNowhere_reverts() public {
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.BadReceiver.selector, address(0)));
        WOPEN.transfer(address(0), 1);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.BadReceiver.selector, address(WOPEN)));
        WOPEN.transfer(address(WOPEN), 1);
    }

    function test_transferFrom_usesTheAllowance() public {
        vm.prank(alice);
        WOPEN.approve(bob, 3);
        vm.startPrank(bob);
        WOPEN.transferFrom(alice, bob, 2);
        assertEq(WOPEN.allowance(alice, bob), 1);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.InsufficientAllowance.selector, bob, 1, 2));
        WOPEN.transferFrom(alice, bob, 2);
    }

    function test_transferFrom_unlimitedAllowance_stays() public {
        vm.prank(alice);
        WOPEN.approve(bob, type(uint256).max);
        vm.prank(bob);
        WOPEN.transferFrom(alice, bob, 2);
        assertEq(WOPEN.allowance(alice, bob), type(uint256).max);
    }

    // EIP-2612

    function test_permit_approvesOnce() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(aliceKey, _permitDigest(7, 0, block.timestamp));
        WOPEN.permit(alice, bob, 7, block.timestamp, v, r, s);
        assertEq(WOPEN.allowance(alice, bob), 7);
        assertEq(WOPEN.nonces(alice), 1);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.BadSignature.selector, alice));
        WOPEN.permit(alice, bob, 7, block.timestamp, v, r, s);
    }

    function test_permit_late_reverts() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(aliceKey, _permitDigest(7, 0, block.timestamp));
        uint256 deadline = block.timestamp;
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.Expired.selector, deadline));
        WOPEN.permit(alice, bob, 7, deadline, v, r, s);
    }

    function test_permit_onAnotherChain_reverts() public {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(aliceKey, _permitDigest(7, 0, block.timestamp));
        vm.chainId(block.chainid + 1);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.BadSignature.selector, alice));
        WOPEN.permit(alice, bob, 7, block.timestamp, v, r, s);
    }

    function test_permit_bySmartAccount() public {
        SmartAccount account = new SmartAccount();
        bytes32 terms = keccak256(abi.encode(WOPEN.PERMIT_TYPEHASH(), account, bob, 7, 0, block.timestamp));
        account.accept(keccak256(abi.encodePacked(hex"1901", WOPEN.DOMAIN_SEPARATOR(), terms)), "sesame");
        WOPEN.permit(address(account), bob, 7, block.timestamp, "sesame");
        assertEq(WOPEN.allowance(address(account), bob), 7);
    }

    // EIP-3009

    function test_typehashes_areThoseOfTheEip() public view {
        assertEq(
            WOPEN.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(),
            0x7c7c6cdb67a18743f49ec6fa9b35f50d52ed05cbed4cc592e13b44501c1a2267
        );
        assertEq(
            WOPEN.RECEIVE_WITH_AUTHORIZATION_TYPEHASH(),
            0xd099cc98ef71107a616c4f0f941f04c322d8e254fe26b3c6668db87aae413de8
        );
        assertEq(
            WOPEN.CANCEL_AUTHORIZATION_TYPEHASH(), 0x158b0a9edf7a828aad02f63cd515c68ef2f50ba807396f6d12842833a1597429
        );
    }

    function test_transferWithAuthorization_movesOnce() public {
        Auth memory a = _auth();
        (uint8 v, bytes32 r, bytes32 s) = _sign(WOPEN.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(), a);
        vm.expectEmit(address(WOPEN));
        emit IWrappedOpen.AuthorizationUsed(alice, a.nonce);
        WOPEN.transferWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, v, r, s);
        assertEq(WOPEN.balanceOf(bob), 1 ether);
        assertTrue(WOPEN.authorizationState(alice, a.nonce));

        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.AuthorizationSpent.selector, alice, a.nonce));
        WOPEN.transferWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, v, r, s);
    }

    function test_transferWithAuthorization_bytesForm_sharesTheNonce() public {
        Auth memory a = _auth();
        bytes32 typehash = WOPEN.TRANSFER_WITH_AUTHORIZATION_TYPEHASH();
        (uint8 v, bytes32 r, bytes32 s) = _sign(typehash, a);
        WOPEN.transferWithAuthorization(
            a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, abi.encodePacked(r, s, v)
        );
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.AuthorizationSpent.selector, alice, a.nonce));
        WOPEN.transferWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, v, r, s);
    }

    function test_authorization_outsideItsTime_reverts() public {
        Auth memory a = _auth();
        bytes memory signature = _signature(WOPEN.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(), a);
        vm.warp(a.validAfter);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.NotYetValid.selector, a.validAfter));
        WOPEN.transferWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, signature);
        vm.warp(a.validBefore);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.Expired.selector, a.validBefore));
        WOPEN.transferWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, signature);
        vm.warp(a.validBefore - 1);
        WOPEN.transferWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, signature);
    }

    function testFuzz_authorization_changedInAnyTerm_reverts(uint8 term, uint256 change) public {
        Auth memory a = _auth();
        bytes memory signature = _signature(WOPEN.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(), a);
        change = bound(change, 1, 1000);
        term = uint8(bound(term, 0, 4));
        if (term == 0) a.to = address(uint160(a.to) + uint160(change));
        if (term == 1) a.value += change;
        if (term == 2) a.validAfter -= change;
        if (term == 3) a.validBefore += change;
        if (term == 4) a.nonce = bytes32(uint256(a.nonce) + change);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.BadSignature.selector, alice));
        WOPEN.transferWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, signature);
    }

    function test_authorization_ofOneKind_isNotOneOfAnother() public {
        Auth memory a = _auth();
        bytes memory signature = _signature(WOPEN.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(), a);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.BadSignature.selector, alice));
        vm.prank(bob);
        WOPEN.receiveWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, signature);
    }

    function test_authorization_withMalleatedSignature_reverts() public {
        Auth memory a = _auth();
        (uint8 v, bytes32 r, bytes32 s) = _sign(WOPEN.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(), a);
        bytes32 highS = bytes32(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141 - uint256(s));
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.BadSignature.selector, alice));
        WOPEN.transferWithAuthorization(
            a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, v == 27 ? 28 : 27, r, highS
        );
    }

    function test_authorization_byTheZeroAddress_reverts() public {
        Auth memory a = _auth();
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.BadSignature.selector, address(0)));
        WOPEN.transferWithAuthorization(address(0), a.to, 0, a.validAfter, a.validBefore, a.nonce, 27, 0, 0);
    }

    function test_receiveWithAuthorization_onlyByThePayee() public {
        Auth memory a = _auth();
        (uint8 v, bytes32 r, bytes32 s) = _sign(WOPEN.RECEIVE_WITH_AUTHORIZATION_TYPEHASH(), a);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.NotPayee.selector, address(this), bob));
        WOPEN.receiveWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, v, r, s);
        vm.prank(bob);
        WOPEN.receiveWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, v, r, s);
        assertEq(WOPEN.balanceOf(bob), 1 ether);
    }

    function test_cancelAuthorization_endsTheNonce() public {
        Auth memory a = _auth();
        bytes memory signature = _signature(WOPEN.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(), a);
        bytes32 terms = keccak256(abi.encode(WOPEN.CANCEL_AUTHORIZATION_TYPEHASH(), alice, a.nonce));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(aliceKey, _digest(terms));
        vm.expectEmit(address(WOPEN));
        emit IWrappedOpen.AuthorizationCanceled(alice, a.nonce);
        WOPEN.cancelAuthorization(alice, a.nonce, v, r, s);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.AuthorizationSpent.selector, alice, a.nonce));
        WOPEN.transferWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, signature);
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.AuthorizationSpent.selector, alice, a.nonce));
        WOPEN.cancelAuthorization(alice, a.nonce, abi.encodePacked(r, s, v));
    }

    function test_cancelAuthorization_byAnyoneElse_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.BadSignature.selector, alice));
        WOPEN.cancelAuthorization(alice, "nonce", new bytes(65));
    }

    function test_authorization_bySmartAccount() public {
        SmartAccount account = new SmartAccount();
        vm.prank(alice);
        WOPEN.transfer(address(account), 1 ether);
        Auth memory a = _auth();
        a.from = address(account);
        account.accept(_digest(_terms(WOPEN.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(), a)), "sesame");
        vm.expectRevert(abi.encodeWithSelector(IWrappedOpen.BadSignature.selector, account));
        WOPEN.transferWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, "wrong");
        WOPEN.transferWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, "sesame");
        assertEq(WOPEN.balanceOf(bob), 1 ether);
    }

    /// An account with an EIP-7702 delegation has code and still signs with its key.
    function test_authorization_byDelegatedAccount() public {
        vm.etch(alice, bytes.concat(hex"ef0100", bytes20(address(new Refuses()))));
        Auth memory a = _auth();
        (uint8 v, bytes32 r, bytes32 s) = _sign(WOPEN.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(), a);
        WOPEN.transferWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, v, r, s);
        assertEq(WOPEN.balanceOf(bob), 1 ether);
    }

    function _auth() private view returns (Auth memory) {
        return Auth(alice, bob, 1 ether, block.timestamp - 1, block.timestamp + 100, keccak256("nonce"));
    }

    function _terms(bytes32 typehash, Auth memory a) private pure returns (bytes32) {
        return keccak256(abi.encode(typehash, a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce));
    }

    function _sign(bytes32 typehash, Auth memory a) private view returns (uint8 v, bytes32 r, bytes32 s) {
        return vm.sign(aliceKey, _digest(_terms(typehash, a)));
    }

    function _signature(bytes32 typehash, Auth memory a) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = _sign(typehash, a);
        return abi.encodePacked(r, s, v);
    }

    function _permitDigest(uint256 value, uint256 nonce, uint256 deadline) private view returns (bytes32) {
        return _digest(keccak256(abi.encode(WOPEN.PERMIT_TYPEHASH(), alice, bob, value, nonce, deadline)));
    }

    /// @dev The domain is computed here from its parts, not asked of the contract.
    function _digest(bytes32 terms) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Wrapped OPEN"),
                keccak256("1"),
                block.chainid,
                address(WOPEN)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, terms));
    }
}
