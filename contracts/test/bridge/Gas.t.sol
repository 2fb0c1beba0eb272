// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {BridgedToken} from "src/bridge/BridgedToken.sol";
import {QueueEntry} from "src/l1/QueueEntry.sol";
import {BridgeTest, Withdrawal, executionGas} from "./BridgeTest.sol";
import {Plain, Speaks} from "./Tokens.sol";

/// What whole transactions of the token bridge cost, on L1 and on L2, each alone and after others of its kind; and that
/// the gas which deposits buy is enough and not much more. The figures are in snapshots/bridge.json.
/// forge-config: default.isolate = true
contract GasTest is BridgeTest {
    address private immutable bob = makeAddr("bob");

    function test_gas_deposit() public {
        vm.startPrank(user, user);
        bridge.depositETHTo{value: 1 ether}(bob);
        vm.snapshotGasLastCall("bridge", "L1 depositETHTo, first");
        bridge.depositETHTo{value: 1 ether}(bob);
        bridge.depositETHTo{value: 1 ether}(bob);
        vm.snapshotGasLastCall("bridge", "L1 depositETHTo");
        bridge.depositERC20To(address(plain), bob, 1 ether);
        vm.snapshotGasLastCall("bridge", "L1 depositERC20To, first");
        bridge.depositERC20To(address(plain), bob, 1 ether);
        bridge.depositERC20To(address(plain), bob, 1 ether);
        vm.snapshotGasLastCall("bridge", "L1 depositERC20To");
        vm.stopPrank();
    }

    /// The worst there is: the longest words, a new holder, a new word of the received ones, a supply of zero.
    function test_gas_receive() public {
        Speaks t = new Speaks(user);
        bytes memory longest = new bytes(64);
        for (uint256 i = 0; i < 64; ++i) {
            longest[i] = bytes1(uint8(i + 1));
        }
        t.answer(t.name.selector, abi.encode(string(longest)));
        t.answer(t.symbol.selector, abi.encode(string(longest)));
        t.answer(t.decimals.selector, abi.encode(255));
        vm.startPrank(user, user);
        t.approve(address(bridge), type(uint256).max);
        bridge.depositERC20To(address(t), bob, 1 ether);
        vm.stopPrank();
        _receive("L2 receiveDeposit, first", sentOne());
        assertTrue(finalise(depart(address(t), bob, bob, 1 ether)));
        vm.store(address(bridge), bytes32(uint256(3)), bytes32(uint256(256)));
        assertEq(bridge.messageCount(), 256);
        vm.prank(user, user);
        bridge.depositERC20To(address(t), user, 1 ether);
        _receive("L2 receiveDeposit", sentOne());
    }

    function _receive(string memory name, QueueEntry memory e) private {
        uint256 bought = executionGas(e);
        vm.prank(e.from, e.from);
        (bool ok,) = e.to.call{gas: e.gasLimit}(e.data);
        assertTrue(ok);
        // Isolated: the intrinsic price is in it.
        uint256 used = vm.snapshotGasLastCall("bridge", name);
        uint256 execution = used - (e.gasLimit - bought);
        assertLt(execution, bought * 9 / 10, "too little is bought");
        assertGt(execution, bought / 3, "far too much is bought");
    }

    function test_gas_back() public {
        BridgedToken l2Token = bring(address(plain), bob, 3 ether);
        bring(ETH, bob, 3 ether);
        depart(address(plain), bob, bob, 1);
        vm.prank(bob);
        L2.withdraw(address(l2Token), 1 ether);
        vm.snapshotGasLastCall("bridge", "L2 withdraw");
        assertTrue(finalise(depart(ETH, bob, bob, 1)));
        assertTrue(finalise(depart(address(plain), bob, bob, 1)));
        assertTrue(finalise(depart(ETH, bob, bob, 1 ether)));
        vm.snapshotGasLastCall("bridge", "L1 finalizeWithdrawal, ETH");
        assertTrue(finalise(depart(address(plain), bob, bob, 1 ether)));
        vm.snapshotGasLastCall("bridge", "L1 finalizeWithdrawal, ERC-20");
        vm.prank(bob);
        l2Token.transfer(user, 1);
        vm.prank(bob);
        l2Token.transfer(user, 1);
        vm.snapshotGasLastCall("bridge", "L2 transfer");
    }
}
