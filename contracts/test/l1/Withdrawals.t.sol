// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {OutputRootProof, Withdrawal} from "src/l1/Withdrawal.sol";
import {AddressAlias} from "src/l1/AddressAlias.sol";
import {SlotProof} from "src/l1/SlotProof.sol";
import {IPortal} from "src/l1/interfaces/IPortal.sol";
import {IRollup} from "src/l1/interfaces/IRollup.sol";
import {IWithdrawals} from "src/l1/interfaces/IWithdrawals.sol";
import {WithdrawalTest} from "./WithdrawalTest.sol";

/// Notes what it sees when it is called.
contract Witness {
    IPortal private immutable portal;
    address public sender;
    uint256 public value;
    uint256 public held;
    uint256 public gasGiven;
    uint256 public calls;

    constructor(IPortal portal_) {
        portal = portal_;
    }

    function look(IERC20 token) external {
        gasGiven = gasleft();
        (sender, value, held) = (portal.l2Sender(), portal.l2Value(), token.balanceOf(address(this)));
        ++calls;
    }
}

/// Fails in one of several ways until it is mended.
contract Moody {
    enum Mood {
        Fine,
        Reverts,
        RevertsWithABomb,
        ReturnsABomb,
        BurnsGas,
        Reenters
    }

    Mood public mood;
    IPortal private immutable portal;
    bytes private _again;
    bool public reentered;
    uint256 public calls;

    constructor(IPortal portal_) {
        portal = portal_;
    }

    function be(Mood mood_) external {
        mood = mood_;
    }

    function reenterWith(bytes memory again) external {
        _again = again;
    }

    function act() external {
        ++calls;
        if (mood == Mood.Reverts) revert("moody");
        if (mood == Mood.BurnsGas) while (true) {}
        if (mood == Mood.Reenters) (reentered,) = address(portal).call(_again);
        if (mood == Mood.RevertsWithABomb) {
            assembly {
                revert(0, 1000000)
            }
        }
        if (mood == Mood.ReturnsABomb) {
            assembly {
                return(0, 1000000)
            }
        }
    }
}

/// Answers a message with a deposit.
contract Answers {
    IPortal private immutable portal;

    constructor(IPortal portal_) {
        portal = portal_;
    }

    function act() external {
        portal.token().approve(address(portal), type(uint256).max);
        portal.depositOpen(portal.l2Value() / 2);
    }
}

contract WithdrawalsTest is WithdrawalTest {
    address private bob = makeAddr("bob");

    // The way of a payment

    function test_payment_provenAndConfirmed_isPaid_once() public {
        Withdrawal memory w = payment(bob, 7 ether);
        bytes32 hash = hashOf(w);
        uint256 index = assertSent();
        vm.expectEmit(address(portal));
        emit IWithdrawals.WithdrawalProven(hash, alice, bob);
        vm.expectEmit(address(portal));
        emit IWithdrawals.WithdrawalProvenExtension1(hash, address(this));
        prove(w, index);
        assertEq(portal.numProofSubmitters(hash), 1);
        assertEq(portal.proofSubmitters(hash, 0), address(this));
        (bytes32 root, uint128 timestamp, uint128 at) = portal.provenWithdrawals(hash);
        assertEq(root, rootOf(parts()));
        assertEq(timestamp, block.timestamp);
        assertEq(at, index);

        pass(CHALLENGE_S + 1);
        uint256 escrowed = portal.escrowed();
        vm.expectEmit(address(portal));
        emit IWithdrawals.WithdrawalFinalized(hash, true);
        portal.finalizeWithdrawalTransaction(w);
        assertEq(token.balanceOf(bob), 7 ether);
        assertEq(portal.escrowed(), escrowed - 7 ether);
        assertTrue(portal.finalizedWithdrawals(hash));

        vm.expectRevert(IWithdrawals.AlreadyFinalized.selector);
        portal.finalizeWithdrawalTransaction(w);
        vm.expectRevert(IWithdrawals.AlreadyFinalized.selector);
        portal.finalizeWithdrawalTransactionExternalProof(w, address(this));
        OutputRootProof memory p = parts();
        bytes[] memory proof = proofOf(w);
        vm.expectRevert(IWithdrawals.AlreadyFinalized.selector);
        portal.proveWithdrawalTransaction(w, index, p, proof);
    }

    function test_finalise_confirmsTheOutput() public {
        Withdrawal memory w = payment(bob, 1);
        uint256 index = ready(w);
        assertFalse(portal.isOutputFinalized(index));
        portal.finalizeWithdrawalTransaction(w);
        assertTrue(portal.isOutputFinalized(index));
        assertTrue(rollup.isOutputConfirmed(index));
    }

    function test_finalise_unproven_reverts() public {
        Withdrawal memory w = payment(bob, 1);
        assertSent();
        pass(CHALLENGE_S + 1);
        vm.expectRevert(IWithdrawals.Unproven.selector);
        portal.finalizeWithdrawalTransaction(w);
        vm.expectRevert(IWithdrawals.Unproven.selector);
        portal.finalizeWithdrawalTransactionExternalProof(w, address(0));
    }

    function test_finalise_beforeTheWindowEnds_reverts_toTheSecond() public {
        Withdrawal memory w = payment(bob, 1);
        prove(w, assertSent());
        uint256 until = block.timestamp + CHALLENGE_S;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(IWithdrawals.TooEarly.selector, until));
        portal.finalizeWithdrawalTransaction(w);
        vm.warp(until + 1);
        portal.finalizeWithdrawalTransaction(w);
    }

    /// Whoever proves late leaves an eighth of the window to look at the proof.
    function test_finalise_rightAfterALateProof_reverts() public {
        Withdrawal memory w = payment(bob, 1);
        uint256 index = assertSent();
        pass(CHALLENGE_S + 1);
        rollup.confirmOutput(index);
        prove(w, index);
        uint256 until = block.timestamp + CHALLENGE_S / 8;
        (, uint128 timestamp,) = portal.provenWithdrawals(hashOf(w));
        assertEq(timestamp + rollup.FINALIZATION_PERIOD_SECONDS(), until);
        vm.expectRevert(abi.encodeWithSelector(IWithdrawals.TooEarly.selector, until));
        portal.finalizeWithdrawalTransaction(w);
        vm.warp(until + 1);
        portal.finalizeWithdrawalTransaction(w);
    }

    function test_finalise_onAContestedOutput_reverts() public {
        Withdrawal memory w = payment(bob, 1);
        bytes32 parent = tip;
        prove(w, assertSent());
        assertRoot(parent, keccak256("another root"));
        pass(CHALLENGE_S + 1);
        vm.expectPartialRevert(IRollup.IsContested.selector);
        portal.finalizeWithdrawalTransaction(w);
        assertEq(token.balanceOf(bob), 0);
    }

    // Proofs

    function test_prove_wrongPartsOrIndex_reverts() public {
        Withdrawal memory w = payment(bob, 1);
        uint256 index = assertSent();
        bytes[] memory proof = proofOf(w);
        for (uint256 i = 0; i < 4; ++i) {
            OutputRootProof memory p = parts();
            if (i == 0) p.version = bytes32(uint256(1));
            if (i == 1) p.stateRoot = 0;
            if (i == 2) p.messagePasserStorageRoot = 0;
            if (i == 3) p.latestBlockhash = 0;
            vm.expectRevert(IWithdrawals.InvalidProof.selector);
            portal.proveWithdrawalTransaction(w, index, p, proof);
        }
        OutputRootProof memory right = parts();
        vm.expectRevert(IWithdrawals.InvalidProof.selector);
        portal.proveWithdrawalTransaction(w, 0, right, proof);
        vm.expectRevert(abi.encodeWithSelector(IRollup.UnknownOutput.selector, index + 1));
        portal.proveWithdrawalTransaction(w, index + 1, right, proof);
    }

    /// Each field is part of the hash, hence of the slot.
    function test_prove_anyFieldChanged_reverts() public {
        Withdrawal memory w = message(bob, 5, 100_000, "data");
        payment(bob, 6);
        uint256 index = assertSent();
        OutputRootProof memory p = parts();
        bytes[] memory proof = proofOf(w);
        for (uint256 i = 0; i < 6; ++i) {
            Withdrawal memory other = abi.decode(abi.encode(w), (Withdrawal));
            if (i == 0) ++other.nonce;
            if (i == 1) other.sender = bob;
            if (i == 2) other.target = alice;
            if (i == 3) ++other.value;
            if (i == 4) ++other.gasLimit;
            if (i == 5) other.data = "dato";
            vm.expectPartialRevert(SlotProof.NotShown.selector);
            portal.proveWithdrawalTransaction(other, index, p, proof);
        }
    }

    function test_prove_nobodyOverwritesAnothersProof() public {
        Withdrawal memory w = payment(bob, 1);
        bytes32 hash = hashOf(w);
        uint256 first = assertSent();
        prove(w, first);
        pass(1 days);
        uint256 second = assertSent();
        proveAs(bob, w, second);
        assertEq(portal.numProofSubmitters(hash), 2);
        assertEq(portal.proofSubmitters(hash, 1), bob);
        (,, uint128 mine) = portal.provenWithdrawals(hash, address(this));
        (,, uint128 his) = portal.provenWithdrawals(hash, bob);
        assertEq(mine, first);
        assertEq(his, second);
        (bytes32 none,,) = portal.provenWithdrawals(hash, alice);
        assertEq(none, 0);

        vm.warp(START + CHALLENGE_S + 2);
        vm.prank(bob);
        vm.expectPartialRevert(IWithdrawals.TooEarly.selector);
        portal.finalizeWithdrawalTransaction(w);
        // Anyone else stands on the first proof.
        vm.prank(alice);
        portal.finalizeWithdrawalTransaction(w);
    }

    function test_prove_again_replacesOnesOwnProof() public {
        Withdrawal memory w = payment(bob, 1);
        bytes32 hash = hashOf(w);
        prove(w, assertSent());
        proveAs(bob, w, 1);
        uint256 second = assertSent();
        prove(w, second);
        proveAs(bob, w, second);
        assertEq(portal.numProofSubmitters(hash), 2);
        (,, uint128 mine) = portal.provenWithdrawals(hash, address(this));
        (,, uint128 his) = portal.provenWithdrawals(hash, bob);
        assertEq(mine, second);
        assertEq(his, second);
    }

    // Calls

    function test_call_seesSenderAndValue_afterTheTransfer() public {
        Witness witness = new Witness(portal);
        Withdrawal memory w = message(address(witness), 3 ether, 200_000, abi.encodeCall(Witness.look, (token)));
        ready(w);
        portal.finalizeWithdrawalTransaction(w);
        assertEq(witness.sender(), alice);
        assertEq(witness.value(), 3 ether);
        assertEq(witness.held(), 3 ether);
        assertGe(witness.gasGiven(), 200_000 - 1_000);
        assertEq(portal.l2Sender(), 0x000000000000000000000000000000000000dEaD);
        assertEq(portal.l2Value(), 0);
    }

    function test_payment_toAContract_callsNothing() public {
        Moody moody = new Moody(portal);
        moody.be(Moody.Mood.Reverts);
        Withdrawal memory w = payment(address(moody), 2);
        ready(w);
        portal.finalizeWithdrawalTransaction(w);
        assertEq(token.balanceOf(address(moody)), 2);
        assertEq(moody.calls(), 0);
    }

    function test_failedCall_losesNothing_andIsReplayed() public {
        Moody moody = new Moody(portal);
        Withdrawal memory w = message(address(moody), 2 ether, 100_000, abi.encodeCall(Moody.act, ()));
        ready(w);
        uint256 escrowed = portal.escrowed();
        Moody.Mood[3] memory moods = [Moody.Mood.Reverts, Moody.Mood.RevertsWithABomb, Moody.Mood.BurnsGas];
        for (uint256 i = 0; i < moods.length; ++i) {
            moody.be(moods[i]);
            vm.expectRevert(IWithdrawals.CallFailed.selector);
            portal.finalizeWithdrawalTransaction{gas: 5_000_000}(w);
            assertFalse(portal.finalizedWithdrawals(hashOf(w)));
            assertEq(portal.escrowed(), escrowed);
            assertEq(token.balanceOf(address(moody)), 0);
        }
        moody.be(Moody.Mood.Fine);
        vm.prank(bob);
        portal.finalizeWithdrawalTransaction(w);
        assertEq(moody.calls(), 1);
        assertEq(token.balanceOf(address(moody)), 2 ether);
        assertEq(portal.escrowed(), escrowed - 2 ether);
        vm.expectRevert(IWithdrawals.AlreadyFinalized.selector);
        portal.finalizeWithdrawalTransaction(w);
    }

    /// What is returned is not copied: memory for it would cost the caller.
    function test_call_returningABomb_costsTheTargetAlone() public {
        Moody moody = new Moody(portal);
        moody.be(Moody.Mood.ReturnsABomb);
        Withdrawal memory w = message(address(moody), 0, 3_000_000, abi.encodeCall(Moody.act, ()));
        ready(w);
        portal.finalizeWithdrawalTransaction{gas: 4_000_000}(w);
        assertEq(moody.calls(), 1);
    }

    /// Whatever gas the transaction has: the target gets its limit, or nothing happens.
    function testFuzz_call_getsItsGasLimit_orReverts(uint256 gas, uint256 limit) public {
        limit = bound(limit, 0, 2_000_000);
        gas = bound(gas, 150_000, 3_000_000);
        Witness witness = new Witness(portal);
        Withdrawal memory w = message(address(witness), 1, limit, abi.encodeCall(Witness.look, (token)));
        ready(w);
        try portal.finalizeWithdrawalTransaction{gas: gas}(w) {
            assertTrue(portal.finalizedWithdrawals(hashOf(w)));
            // What the call's own entry takes is part of what it was given.
            assertGe(witness.gasGiven() + 1_000, limit);
        } catch {
            assertFalse(portal.finalizedWithdrawals(hashOf(w)));
            assertEq(witness.calls(), 0);
            assertEq(token.balanceOf(address(witness)), 0);
        }
    }

    function test_call_withTooLittleGas_reverts() public {
        Witness witness = new Witness(portal);
        Withdrawal memory w = message(address(witness), 1, 1_000_000, abi.encodeCall(Witness.look, (token)));
        ready(w);
        vm.expectRevert(IWithdrawals.OutOfGas.selector);
        portal.finalizeWithdrawalTransaction{gas: 1_000_000}(w);
    }

    function test_call_withAnAbsurdGasLimit_revertsAndCanBeRedirected() public {
        address self = address(this);
        alice = AddressAlias.shifted(self);
        Withdrawal memory w = message(bob, 4, type(uint256).max, "data");
        ready(w);
        vm.expectRevert(IWithdrawals.OutOfGas.selector);
        portal.finalizeWithdrawalTransaction(w);
        portal.redirectWithdrawal(w, self, self);
        assertEq(token.balanceOf(self), 4);
    }

    function test_reentrant_finalise_findsTheDoorShut() public {
        Moody moody = new Moody(portal);
        Withdrawal memory w = message(address(moody), 1, 500_000, abi.encodeCall(Moody.act, ()));
        Withdrawal memory other = payment(address(moody), 5);
        uint256 index = assertSent();
        prove(w, index);
        prove(other, index);
        pass(CHALLENGE_S + 1);
        moody.be(Moody.Mood.Reenters);
        Withdrawal[2] memory again = [w, other];
        uint256 state = vm.snapshotState();
        for (uint256 i = 0; i < 2; ++i) {
            moody.reenterWith(
                abi.encodeCall(IWithdrawals.finalizeWithdrawalTransactionExternalProof, (again[i], address(this)))
            );
            portal.finalizeWithdrawalTransaction(w);
            assertFalse(moody.reentered());
            assertEq(token.balanceOf(address(moody)), 1);
            vm.revertToState(state);
        }
    }

    function test_message_mayBeAnsweredWithADeposit() public {
        Answers answers = new Answers(portal);
        Withdrawal memory w = message(address(answers), 2 ether, 500_000, abi.encodeCall(Answers.act, ()));
        ready(w);
        uint256 escrowed = portal.escrowed();
        portal.finalizeWithdrawalTransaction(w);
        assertEq(portal.escrowed(), escrowed - 1 ether);
        assertEq(token.balanceOf(address(portal)), portal.escrowed() + portal.gasFees());
    }

    // Targets

    function test_protectedTargets_areNeverCalled() public {
        address[10] memory ours = [
            address(portal),
            address(token),
            address(inbox),
            address(rollup),
            address(config),
            address(timelock),
            _admin(address(portal)),
            _admin(address(inbox)),
            _admin(address(rollup)),
            _admin(address(config))
        ];
        for (uint256 i = 0; i < ours.length; ++i) {
            assertTrue(portal.isProtected(ours[i]));
            Withdrawal memory w = message(ours[i], 0, 100_000, "data");
            rollup.confirmOutput(ready(w));
            vm.expectRevert(IWithdrawals.BadTarget.selector);
            portal.finalizeWithdrawalTransaction(w);
        }
        assertFalse(portal.isProtected(bob));
    }

    function _admin(address proxy_) private view returns (address) {
        return address(uint160(uint256(vm.load(proxy_, bytes32(uint256(keccak256("eip1967.proxy.admin")) - 1)))));
    }

    /// There OPEN would be lost. It stays escrowed.
    function test_payment_toTokenOrPortal_reverts() public {
        address[2] memory lost = [address(token), address(portal)];
        for (uint256 i = 0; i < 2; ++i) {
            Withdrawal memory w = payment(lost[i], 1);
            rollup.confirmOutput(ready(w));
            vm.expectRevert(IWithdrawals.BadTarget.selector);
            portal.finalizeWithdrawalTransaction(w);
        }
    }

    function test_message_withoutValueOrData_isFinalised() public {
        Withdrawal memory w = payment(bob, 0);
        ready(w);
        portal.finalizeWithdrawalTransaction(w);
        assertTrue(portal.finalizedWithdrawals(hashOf(w)));
    }

    // Redirecting

    function test_redirect_bySomebodyElse_reverts() public {
        Withdrawal memory w = message(bob, 4, 100_000, "data");
        ready(w);
        vm.expectRevert(abi.encodeWithSelector(IWithdrawals.NotSender.selector, address(this)));
        portal.redirectWithdrawal(w, address(this), address(this));
        // A contract at the sender's address may belong to another.
        vm.prank(alice, bob);
        vm.expectRevert(abi.encodeWithSelector(IWithdrawals.NotSender.selector, alice));
        portal.redirectWithdrawal(w, address(this), bob);
    }

    function test_redirect_paysTheValue_andEndsTheMessage() public {
        Moody moody = new Moody(portal);
        moody.be(Moody.Mood.Reverts);
        Withdrawal memory w = message(address(moody), 4, 100_000, abi.encodeCall(Moody.act, ()));
        ready(w);
        vm.expectEmit(address(portal));
        emit IWithdrawals.WithdrawalRedirected(hashOf(w), bob);
        vm.prank(alice, alice);
        portal.redirectWithdrawal(w, address(this), bob);
        assertEq(token.balanceOf(bob), 4);
        assertEq(moody.calls(), 0);
        vm.expectRevert(IWithdrawals.AlreadyFinalized.selector);
        portal.finalizeWithdrawalTransaction(w);
    }

    // Pause

    function test_pause_stopsFinalisation_notProving_andEnds() public {
        Withdrawal memory w = payment(bob, 1);
        uint256 index = assertSent();
        pass(CHALLENGE_S + 1);
        vm.prank(council);
        config.pause();
        assertTrue(portal.paused());
        prove(w, index);
        assertSent();
        pass(CHALLENGE_S);
        vm.expectRevert(IWithdrawals.CallPaused.selector);
        portal.finalizeWithdrawalTransaction(w);
        inbox.forceAdvance();
        force();

        vm.warp(START + CHALLENGE_S + 30 days + 10);
        assertFalse(portal.paused());
        portal.finalizeWithdrawalTransaction(w);
        assertEq(token.balanceOf(bob), 1);
    }

    function test_unpause_letsFinalisationGoOnAtOnce() public {
        Withdrawal memory w = payment(bob, 1);
        ready(w);
        vm.prank(council);
        config.pause();
        vm.expectRevert(IWithdrawals.CallPaused.selector);
        portal.finalizeWithdrawalTransaction(w);
        vm.prank(address(timelock));
        config.unpause();
        portal.finalizeWithdrawalTransaction(w);
    }

    function test_outputConfirmed_byAnyoneButTheRollup_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IWithdrawals.NotRollup.selector, address(this)));
        portal.outputConfirmed(1);
    }

    function test_version_isThatOfAnOutputOraclePortal() public view {
        assertEq(bytes(portal.version())[0], "2");
    }
}
