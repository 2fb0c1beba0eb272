// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ProxyAdmin} from "@openzeppelin/contracts/proxy/transparent/ProxyAdmin.sol";
import {ITransparentUpgradeableProxy} from "@openzeppelin/contracts/proxy/transparent/TransparentUpgradeableProxy.sol";
import {Vm} from "forge-std/Vm.sol";
import {L1TokenBridge} from "src/bridge/L1TokenBridge.sol";
import {QueueEntry} from "src/l1/QueueEntry.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {TakesFee} from "../l1/Tokens.sol";
import {BridgeTest, Withdrawal, executionGas} from "./BridgeTest.sol";
import {Calls, Moody, Shut} from "./Tokens.sol";

/// Four tokens and ETH between four accounts, one of which refuses ETH at times; messages that fail, arrive late, twice or
/// in any order; tokens that stop working; pauses and upgrades. Nothing is lost, nothing is paid twice.
contract TokenBridgeIsSolventTest is BridgeTest {
    /// A deposit that has not arrived.
    struct Sent {
        QueueEntry entry;
        address token;
        uint256 amount;
    }

    /// A withdrawal that is not finalised.
    struct Left {
        Withdrawal message;
        address token;
        uint256 amount;
    }

    struct Debt {
        address token;
        address from;
        address to;
    }

    address[5] private tokens;
    address[4] private people;
    Moody private moody;
    Calls private calls;
    Shut private shut;

    Sent[] private onTheWay;
    Left[] private leaving;
    Debt[] private debts;
    Sent[] private arrived;
    Withdrawal[] private finalised;

    /// What went in and what came out, by token, as the holders saw it.
    mapping(address token => uint256) private wentIn;
    mapping(address token => uint256) private cameOut;

    function setUp() public override {
        super.setUp();
        moody = new Moody();
        moody.mint(user, 1e27);
        calls = new Calls(user);
        shut = new Shut();
        tokens = [ETH, address(plain), address(new TakesFee(user)), address(moody), address(calls)];
        people = [user, makeAddr("second"), makeAddr("third"), address(shut)];
        for (uint256 p = 0; p < 4; ++p) {
            deal(address(token), people[p], 1e24);
            vm.deal(people[p], people[p] == address(shut) ? 0 : 1e24);
            vm.startPrank(people[p]);
            token.approve(address(bridge), type(uint256).max);
            for (uint256 t = 1; t < 5; ++t) {
                IERC20(tokens[t]).approve(address(bridge), type(uint256).max);
            }
            vm.stopPrank();
            for (uint256 t = 1; t < 5; ++t) {
                if (p == 0) continue;
                vm.prank(user);
                IERC20(tokens[t]).transfer(people[p], 1e24);
            }
        }
        sent();
        targetContract(address(this));
        bytes4[] memory acts = new bytes4[](13);
        acts[0] = this.deposit.selector;
        acts[1] = this.deposit.selector;
        acts[2] = this.arrive.selector;
        acts[3] = this.arrive.selector;
        acts[4] = this.resend.selector;
        acts[5] = this.withdraw.selector;
        acts[6] = this.withdraw.selector;
        acts[7] = this.finalise_.selector;
        acts[8] = this.finalise_.selector;
        acts[9] = this.claim.selector;
        acts[10] = this.mood.selector;
        acts[11] = this.replay.selector;
        acts[12] = this.govern.selector;
        targetSelector(FuzzSelector(address(this), acts));
    }

    function deposit(uint256 who, uint256 to, uint256 which, uint256 amount) external {
        address t = tokens[which % 5];
        address from = people[who % 3];
        amount = bound(amount, 0, 1e22);
        uint256 before = bridge.escrowed(t);
        _armed(who ^ amount);
        vm.prank(from, from);
        if (t == ETH) {
            try bridge.depositETHTo{value: amount}(people[to % 4]) {} catch {}
        } else {
            try bridge.depositERC20To(t, people[to % 4], amount) {} catch {}
        }
        QueueEntry[] memory entries = sent();
        assertLe(entries.length, 1);
        if (entries.length == 0) return;
        uint256 credited = bridge.escrowed(t) - before;
        wentIn[t] += credited;
        onTheWay.push(Sent(entries[0], t, credited));
    }

    /// A deposit arrives, in any order, or fails for want of gas.
    function arrive(uint256 which, uint256 gas, bool enough) external {
        if (onTheWay.length == 0) return;
        Sent storage s = onTheWay[which % onTheWay.length];
        QueueEntry memory e = s.entry;
        uint256 whole = executionGas(e);
        if (!deliver(e, enough ? whole : bound(gas, 0, whole))) return;
        arrived.push(s);
        onTheWay[which % onTheWay.length] = onTheWay[onTheWay.length - 1];
        onTheWay.pop();
    }

    function resend(uint256 who, uint256 which) external {
        if (onTheWay.length == 0) return;
        Sent storage s = onTheWay[which % onTheWay.length];
        (bytes memory data, uint256 nonce) = (s.entry.data, _nonceOf(s.entry.data));
        vm.prank(people[who % 3], people[who % 3]);
        bridge.resend(nonce, data, 2_000_000);
        s.entry = sentOne();
        vm.roll(block.number + 1);
    }

    function withdraw(uint256 who, uint256 to, uint256 which, uint256 amount) external {
        address t = tokens[which % 5];
        if (address(l2(t)).code.length == 0) return;
        address from = people[who % 4];
        amount = bound(amount, 0, l2(t).balanceOf(from));
        leaving.push(Left(depart(t, from, people[to % 4], amount), t, amount));
    }

    /// The portal calls, with the gas that was asked for or more; with less it would not.
    function finalise_(uint256 which, uint256 gas) external {
        if (leaving.length == 0) return;
        Left memory l = leaving[which % leaving.length];
        (address t, address from, address to,) =
            abi.decode(_arguments(l.message.data), (address, address, address, uint256));
        uint256 owed = bridge.owed(t, from, to);
        _armed(gas);
        assertTrue(finalise(l.message, bound(gas, l.message.gasLimit, 3_000_000)));
        finalised.push(l.message);
        leaving[which % leaving.length] = leaving[leaving.length - 1];
        leaving.pop();
        uint256 newly = bridge.owed(t, from, to) - owed;
        assertTrue(newly == 0 || newly == l.amount);
        if (newly != 0) debts.push(Debt(t, from, to));
        else cameOut[t] += l.amount;
        sent();
    }

    function claim(uint256 which, uint256 who) external {
        if (debts.length == 0) return;
        Debt memory d = debts[which % debts.length];
        address by = people[who % 4];
        uint256 owed = bridge.owed(d.token, d.from, d.to);
        vm.prank(by, by);
        try bridge.claim(d.token, d.from, d.to, by) returns (uint256 amount) {
            assertTrue(by == d.from || by == d.to);
            assertEq(amount, owed);
            cameOut[d.token] += amount;
        } catch {}
        sent();
    }

    /// Messages that were heard come again; they must change nothing.
    function replay(uint256 which) external {
        if (arrived.length == 0) return;
        Sent memory s = arrived[which % arrived.length];
        vm.prank(user, user);
        bridge.resend(_nonceOf(s.entry.data), s.entry.data, 2_000_000);
        assertFalse(deliver(sentOne()));
        vm.roll(block.number + 1);
    }

    function mood(uint256 which, bool opens) external {
        moody.set(Moody.Mood(which % 6));
        if (opens && !shut.isOpen()) shut.open();
    }

    function govern(uint256 what, bool on) external {
        if (what % 3 == 0) {
            vm.prank(council);
            if (on) try config.pause() {} catch {} else config.unpause();
        } else if (what % 3 == 1) {
            vm.warp(block.timestamp + 31 days);
            vm.roll(block.number + 1);
        } else {
            address next = address(new L1TokenBridge(token, portal));
            address admin = address(
                uint160(
                    uint256(
                        vm.load(address(bridge), 0xb53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103)
                    )
                )
            );
            vm.prank(address(timelock));
            ProxyAdmin(admin).upgradeAndCall(ITransparentUpgradeableProxy(address(bridge)), next, "");
        }
    }

    /// Sometimes one token calls back from within the next transfer.
    function _armed(uint256 seed) private {
        if (seed % 4 != 0) return;
        address debtor = people[seed % 3];
        if (seed % 8 == 0) calls.arm(address(bridge), abi.encodeCall(bridge.depositERC20, (address(calls), 5)));
        else calls.arm(address(bridge), abi.encodeCall(bridge.claim, (address(calls), debtor, debtor, debtor)));
    }

    function _nonceOf(bytes memory data) private pure returns (uint256 nonce) {
        (nonce) = abi.decode(_arguments(data), (uint256));
    }

    function _arguments(bytes memory data) private pure returns (bytes memory arguments) {
        arguments = new bytes(data.length - 4);
        for (uint256 i = 0; i < arguments.length; ++i) {
            arguments[i] = data[i + 4];
        }
    }

    function invariant_TokenBridgeIsSolvent() public view {
        for (uint256 i = 0; i < 5; ++i) {
            address t = tokens[i];
            uint256 there = address(l2(t)).code.length == 0 ? 0 : l2(t).totalSupply();
            uint256 between;
            for (uint256 k = 0; k < onTheWay.length; ++k) {
                if (onTheWay[k].token == t) between += onTheWay[k].amount;
            }
            for (uint256 k = 0; k < leaving.length; ++k) {
                if (leaving[k].token == t) between += leaving[k].amount;
            }
            for (uint256 a = 0; a < 4; ++a) {
                for (uint256 b = 0; b < 4; ++b) {
                    between += bridge.owed(t, people[a], people[b]);
                }
            }
            assertEq(bridge.escrowed(t), there + between, "escrow and claims differ");
            assertGe(held(t), bridge.escrowed(t), "less is held than escrowed");
            assertEq(wentIn[t] - cameOut[t], bridge.escrowed(t), "in, out and escrow differ");
        }
        assertEq(token.balanceOf(address(bridge)), 0);
    }
}
