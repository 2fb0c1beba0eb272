// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ProxyAdmin} from "@openzeppelin/contracts/proxy/transparent/ProxyAdmin.sol";
import {ITransparentUpgradeableProxy} from "@openzeppelin/contracts/proxy/transparent/TransparentUpgradeableProxy.sol";
import {Portal} from "src/l1/Portal.sol";
import {OutputRootProof, Withdrawal} from "src/l1/Withdrawal.sol";
import {JudgingRollup} from "./JudgingRollup.sol";
import {Tries} from "./Tries.sol";
import {WithdrawalTest} from "./WithdrawalTest.sol";

/// A target of one message, in the mood that all targets are in.
contract Target {
    WithdrawalsAreSound private immutable world;

    constructor(WithdrawalsAreSound world_) {
        world = world_;
    }

    function act() external {
        world.called();
    }
}

/// Deposits, messages, true and false outputs, proofs, payments, failures, replays, redirections, pauses and upgrades in
/// any order. Whoever asserts a false output is contradicted, and the contest is judged some time later.
/// forge-config: default.invariant.runs = 24
contract WithdrawalsAreSound is WithdrawalTest {
    struct Message {
        Withdrawal w;
        bool isForged;
        uint256 deliveries;
    }

    /// What the message passer holds according to an output: the first `count` messages, and perhaps a forged one.
    struct Said {
        uint256 index;
        uint256 count;
        bytes32 forged;
        OutputRootProof parts;
        bool isJudged;
    }

    Message[] private messages;
    Said[] private said;
    address[2] private provers = [makeAddr("prover"), makeAddr("other prover")];
    uint256 private minted;
    uint256 private burned;
    uint256 private paid;
    uint256 private delivering = type(uint256).max;
    /// 0 all is well, 1 targets revert, 2 targets burn their gas, 3 targets try to be paid again.
    uint256 private mood;

    function setUp() public override {
        super.setUp();
        minted = portal.escrowed();
        address next = address(new JudgingRollup(inbox, config));
        _upgrade(address(rollup), next);
        bytes4[] memory acts = new bytes4[](12);
        acts[0] = this.deposit.selector;
        acts[1] = this.send.selector;
        acts[2] = this.send.selector;
        acts[3] = this.say.selector;
        acts[4] = this.lie.selector;
        acts[5] = this.prove_.selector;
        acts[6] = this.prove_.selector;
        acts[7] = this.finalise.selector;
        acts[8] = this.finalise.selector;
        acts[9] = this.judge.selector;
        acts[10] = this.turn.selector;
        acts[11] = this.wait_.selector;
        targetContract(address(this));
        targetSelector(FuzzSelector(address(this), acts));
    }

    function _upgrade(address proxy_, address next) private {
        bytes32 slot = bytes32(uint256(keccak256("eip1967.proxy.admin")) - 1);
        ProxyAdmin admin = ProxyAdmin(address(uint160(uint256(vm.load(proxy_, slot)))));
        vm.prank(address(timelock));
        admin.upgradeAndCall(ITransparentUpgradeableProxy(proxy_), next, "");
    }

    // What happens

    function deposit(uint256 amount) external {
        amount = bound(amount, 0, 10 ether);
        vm.prank(user, user);
        portal.depositOpen(amount);
        minted += amount;
    }

    function send(uint256 amount, bool calls) external {
        amount = bound(amount, 0, 10 ether);
        if (amount > minted - burned) return;
        address to = address(uint160(0xbeef0000 + messages.length));
        bytes memory data = "";
        if (calls) (to, data) = (address(new Target(this)), abi.encodeCall(Target.act, ()));
        _push(message(to, amount, 50_000, data), false);
        burned += amount;
    }

    function say() external {
        _say(0);
    }

    /// A false output comes first, with a message that pays what L2 never burned; the truth contradicts it.
    function lie(uint256 amount) external {
        Withdrawal memory w = Withdrawal(
            1 << 240 | nonce++, alice, address(uint160(0xbad0000 + messages.length)), bound(amount, 1, 10 ether), 0, ""
        );
        _push(w, true);
        bytes32 parent = tip;
        uint64 number = l2Number;
        _say(keccak256(abi.encode(slotOf(hashOf(w)))));
        // The truth about the same record: a rival.
        (tip, l2Number) = (parent, number + 1);
        _assertSaid(0);
    }

    function prove_(uint256 which, uint256 where, uint256 who) external {
        if (messages.length == 0 || said.length == 0) return;
        Said storage s = said[where % said.length];
        Message storage m = messages[which % messages.length];
        bytes32[] memory keys = _keys(s);
        if (keys.length == 0) return;
        bytes32 key = keccak256(abi.encode(slotOf(hashOf(m.w))));
        // Of a message that is not there, whatever proves another.
        bytes[] memory proof = Tries.prove(keys, _isIn(key, keys) ? key : keys[0]);
        vm.prank(provers[who % 2]);
        try portal.proveWithdrawalTransaction(m.w, s.index, s.parts, proof) {} catch {}
    }

    function finalise(uint256 which, uint256 who, bool redirects, uint256 gas) external {
        if (messages.length == 0) return;
        delivering = which % messages.length;
        Withdrawal memory w = messages[delivering].w;
        address prover = provers[who % 2];
        uint256 before = portal.escrowed();
        address to = redirects ? address(uint160(0xfee10000 + delivering)) : w.target;
        uint256 held = token.balanceOf(to);
        bool ok = false;
        if (redirects) {
            vm.prank(alice, alice);
            try portal.redirectWithdrawal(w, prover, to) {
                ok = true;
            } catch {}
        } else {
            try portal.finalizeWithdrawalTransactionExternalProof{gas: bound(gas, 50_000, 1_000_000)}(w, prover) {
                ok = true;
            } catch {}
        }
        delivering = type(uint256).max;
        // All or nothing: what leaves the escrow is what arrives.
        assertEq(before - portal.escrowed(), ok ? w.value : 0);
        assertEq(token.balanceOf(to) - held, ok ? w.value : 0);
        if (!ok) return;
        paid += w.value;
        ++messages[which % messages.length].deliveries;
    }

    function judge(uint256 which) external {
        for (uint256 i = 0; i < said.length; ++i) {
            Said storage s = said[(which + i) % said.length];
            if (s.isJudged || s.forged != 0) continue;
            try JudgingRollup(address(rollup)).judge(s.index) {
                s.isJudged = true;
                return;
            } catch {}
        }
    }

    /// Moods, pauses and upgrades.
    function turn(uint256 what) external {
        what %= 8;
        if (what < 4) mood = what;
        if (what == 4 || what == 5) {
            vm.prank(council);
            if (what == 4) config.pause();
            else config.unpause();
        }
        if (what == 6) _upgrade(address(portal), address(new Portal(token, inbox, config, rollup)));
        if (what == 7) _upgrade(address(rollup), address(new JudgingRollup(inbox, config)));
    }

    function wait_(uint256 seconds_) external {
        pass(bound(seconds_, 1 hours, 20 days));
    }

    function called() external {
        assertEq(portal.l2Sender(), alice);
        if (mood == 1) revert("moody");
        if (mood == 2) while (true) {}
        if (mood == 3 && delivering < messages.length) {
            try portal.finalizeWithdrawalTransaction(messages[delivering].w) {
                assertTrue(false, "paid within its own payment");
            } catch {}
        }
    }

    // What always holds

    /// What L2 owns and what L1 still owes are escrowed, to the wei.
    function invariant_theEscrowCoversAll() public view {
        uint256 supply = minted - burned;
        uint256 unpaid = burned - paid;
        assertEq(supply + unpaid, portal.escrowed());
        assertEq(token.balanceOf(address(portal)), portal.escrowed() + portal.gasFees());
    }

    function invariant_nothingIsPaidTwice_norIfForged() public view {
        for (uint256 i = 0; i < messages.length; ++i) {
            assertLe(messages[i].deliveries, messages[i].isForged ? 0 : 1);
            assertEq(portal.finalizedWithdrawals(hashOf(messages[i].w)), messages[i].deliveries == 1);
        }
    }

    /// Nothing is lost: what was proven honestly and is not paid can be, once all is calm.
    function afterInvariant() public {
        vm.prank(address(timelock));
        config.unpause();
        mood = 0;
        pass(20 days);
        for (uint256 i = 0; i < said.length; ++i) {
            this.judge(i);
        }
        if (said.length == 0) return;
        for (uint256 i = 0; i < messages.length; ++i) {
            if (messages[i].isForged || messages[i].deliveries != 0) continue;
            for (uint256 j = 0; j < said.length; ++j) {
                if (said[j].isJudged) this.prove_(i, j, 0);
            }
        }
        pass(1 days);
        uint256 shown = _lastJudgedCount();
        uint256 honest = 0;
        for (uint256 i = 0; i < messages.length; ++i) {
            if (messages[i].isForged) continue;
            if (messages[i].deliveries == 0) this.finalise(i, 0, false, 1_000_000);
            if (honest++ < shown) assertEq(messages[i].deliveries, 1, "lost");
        }
        invariant_theEscrowCoversAll();
        invariant_nothingIsPaidTwice_norIfForged();
    }

    // Helpers

    function _isIn(bytes32 key, bytes32[] memory keys) private pure returns (bool) {
        for (uint256 i = 0; i < keys.length; ++i) {
            if (keys[i] == key) return true;
        }
        return false;
    }

    function _lastJudgedCount() private view returns (uint256 count) {
        for (uint256 i = 0; i < said.length; ++i) {
            if (said[i].isJudged && said[i].count > count) count = said[i].count;
        }
    }

    function _push(Withdrawal memory w, bool isForged) private {
        messages.push();
        Message storage m = messages[messages.length - 1];
        (m.w, m.isForged) = (w, isForged);
    }

    function _say(bytes32 forged) private {
        postCalldata("payload");
        ++l2Number;
        _assertSaid(forged);
    }

    function _assertSaid(bytes32 forged) private {
        said.push();
        Said storage s = said[said.length - 1];
        (s.count, s.forged) = (sent.length, forged);
        bytes32[] memory keys = _keys(s);
        s.parts = OutputRootProof({
            version: 0,
            stateRoot: keccak256(abi.encode("state", l2Number)),
            messagePasserStorageRoot: keys.length == 0 ? keccak256(hex"80") : Tries.root(keys),
            latestBlockhash: keccak256(abi.encode("block", l2Number))
        });
        vm.deal(address(this), 1000 ether);
        s.index = assertRoot(tip, rootOf(s.parts));
    }

    function _keys(Said storage s) private view returns (bytes32[] memory keys) {
        keys = new bytes32[](s.count + (s.forged == 0 ? 0 : 1));
        for (uint256 i = 0; i < s.count; ++i) {
            keys[i] = sent[i];
        }
        if (s.forged != 0) keys[s.count] = s.forged;
    }
}
