// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Vm} from "forge-std/Vm.sol";
import {BridgedToken} from "src/bridge/BridgedToken.sol";
import {L1TokenBridge} from "src/bridge/L1TokenBridge.sol";
import {L2TokenBridge} from "src/bridge/L2TokenBridge.sol";
import {L2Tokens} from "src/bridge/L2Tokens.sol";
import {QueueEntry} from "src/l1/QueueEntry.sol";
import {IInbox} from "src/l1/interfaces/IInbox.sol";
import {IPortal} from "src/l1/interfaces/IPortal.sol";
import {IL2ToL1MessagePasser} from "src/l2/IL2ToL1MessagePasser.sol";
import {L2ToL1MessagePasser} from "src/l2/L2ToL1MessagePasser.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {L1Test} from "../l1/L1Test.sol";
import {Plain} from "./Tokens.sol";

/// A message on its way to L1, as the passer tells it.
struct Withdrawal {
    uint256 nonce;
    address sender;
    address target;
    uint256 gasLimit;
    bytes data;
}

/// What a queue entry buys beyond its intrinsic price.
function executionGas(QueueEntry memory e) pure returns (uint256 gas) {
    gas = e.gasLimit - 21_000;
    for (uint256 i = 0; i < e.data.length; ++i) {
        gas -= e.data[i] == 0 ? 4 : 16;
    }
}

/// Both sides of the bridge, and the carrying of messages between them.
abstract contract BridgeTest is L1Test {
    address internal constant ETH = L2Tokens.ETH;
    L2TokenBridge internal constant L2 = L2TokenBridge(Predeploys.TOKEN_BRIDGE);

    L1TokenBridge internal bridge;
    Plain internal plain;

    function setUp() public virtual override {
        super.setUp();
        bridge = L1TokenBridge(
            proxy(address(new L1TokenBridge(token, portal)), abi.encodeCall(L1TokenBridge.initialise, ()))
        );
        _place(Predeploys.TOKEN_BRIDGE, type(L2TokenBridge).runtimeCode);
        _place(Predeploys.BRIDGED_TOKEN, type(BridgedToken).runtimeCode);
        _place(Predeploys.MESSAGE_PASSER, type(L2ToL1MessagePasser).runtimeCode);
        vm.store(Predeploys.TOKEN_BRIDGE, 0, bytes32(uint256(uint160(address(bridge)))));

        plain = new Plain("Plain Token", "PLN", 9);
        plain.mint(user, 1e30);
        vm.deal(user, 1e24);
        vm.startPrank(user);
        token.approve(address(bridge), type(uint256).max);
        plain.approve(address(bridge), type(uint256).max);
        vm.stopPrank();
        vm.recordLogs();
    }

    function _place(address where, bytes memory code) private {
        vm.etch(where, code);
        vm.setNonceUnsafe(where, 1);
    }

    /// The entries that were enqueued since the last look.
    function sent() internal returns (QueueEntry[] memory entries) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 count;
        entries = new QueueEntry[](logs.length);
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IInbox.Enqueued.selector) continue;
            (entries[count++],) = abi.decode(logs[i].data, (QueueEntry, bytes32));
        }
        assembly ("memory-safe") {
            mstore(entries, count)
        }
    }

    /// The one entry that was enqueued since the last look.
    function sentOne() internal returns (QueueEntry memory) {
        QueueEntry[] memory entries = sent();
        assertEq(entries.length, 1);
        return entries[0];
    }

    /// The one message to L1 since the last look.
    function passed() internal returns (Withdrawal memory w) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 count;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] != IL2ToL1MessagePasser.MessagePassed.selector) continue;
            w.nonce = uint256(logs[i].topics[1]);
            w.sender = address(uint160(uint256(logs[i].topics[2])));
            w.target = address(uint160(uint256(logs[i].topics[3])));
            (, w.gasLimit, w.data,) = abi.decode(logs[i].data, (uint256, uint256, bytes, bytes32));
            ++count;
        }
        assertEq(count, 1);
    }

    /// Executes an entry on L2 with the gas it bought.
    function deliver(QueueEntry memory e) internal returns (bool ok) {
        return deliver(e, executionGas(e));
    }

    function deliver(QueueEntry memory e, uint256 gas) internal returns (bool ok) {
        vm.prank(e.from, e.from);
        (ok,) = e.to.call{gas: gas}(e.data);
    }

    /// Calls the target as the portal does after a proof. A call that fails leaves the withdrawal open.
    function finalise(Withdrawal memory w) internal returns (bool ok) {
        return finalise(w, w.gasLimit);
    }

    function finalise(Withdrawal memory w, uint256 gas) internal returns (bool ok) {
        vm.mockCall(address(portal), abi.encodeWithSignature("l2Sender()"), abi.encode(w.sender));
        vm.prank(address(portal));
        (ok,) = w.target.call{gas: gas}(w.data);
        vm.clearMockedCalls();
    }

    /// `amount` of `l1Token` from `user` to `to` on L2, arrived.
    function bring(address l1Token, address to, uint256 amount) internal returns (BridgedToken l2Token) {
        sent();
        vm.prank(user, user);
        if (l1Token == ETH) bridge.depositETHTo{value: amount}(to);
        else bridge.depositERC20To(l1Token, to, amount);
        assertTrue(deliver(sentOne()), "the deposit failed on L2");
        return l2(l1Token);
    }

    /// Burns on L2; the message is not finalised yet.
    function depart(address l1Token, address from, address to, uint256 amount) internal returns (Withdrawal memory) {
        sent();
        address l2Token = address(l2(l1Token));
        vm.prank(from);
        L2.withdrawTo(l2Token, to, amount);
        return passed();
    }

    function l2(address l1Token) internal pure returns (BridgedToken) {
        return BridgedToken(L2Tokens.addressOf(l1Token));
    }

    function held(address l1Token) internal view returns (uint256) {
        return l1Token == ETH ? address(bridge).balance : IERC20(l1Token).balanceOf(address(bridge));
    }
}
