// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {OutputRootProof, Withdrawal} from "src/l1/Withdrawal.sol";
import {Tries} from "./Tries.sol";
import {WithdrawalTest} from "./WithdrawalTest.sol";

/// What proving and finalising cost in whole transactions, as Gas.t.sol says it of the rest. The trie is as deep as a
/// million messages make it: five full branches above the leaf.
/// forge-config: default.isolate = true
contract GasOfWithdrawalsTest is WithdrawalTest {
    uint256 private constant DEPTH = 5;
    address private known = makeAddr("known");
    address private fresh = makeAddr("fresh");
    bytes[] private nodes;
    OutputRootProof private shown;

    function setUp() public override {
        super.setUp();
        deal(address(token), known, 1);
        // Another output is confirmed and another message paid: storage that all share is in use.
        Withdrawal memory w = _asserted(payment(known, 1));
        portal.proveWithdrawalTransaction(w, 1, shown, nodes);
        pass(CHALLENGE_S + 1);
        portal.finalizeWithdrawalTransaction(w);
        delete sent;
    }

    /// Five branches with random neighbours lead to the message's leaf.
    function _asserted(Withdrawal memory w) private returns (Withdrawal memory) {
        bytes32 key = keccak256(abi.encode(slotOf(hashOf(w))));
        delete nodes;
        bytes memory node = Tries.list(bytes.concat(Tries.path(key, DEPTH, 64, true), hex"01"));
        bytes[] memory all = new bytes[](DEPTH + 1);
        all[DEPTH] = node;
        for (uint256 depth = DEPTH; depth > 0; --depth) {
            bytes memory items;
            for (uint256 i = 0; i < 16; ++i) {
                bytes32 other = keccak256(abi.encode(w.nonce, depth, i));
                bool ours = i == Tries.nibble(key, depth - 1);
                items = bytes.concat(items, hex"a0", ours ? keccak256(node) : other);
            }
            node = Tries.list(bytes.concat(items, hex"80"));
            all[depth - 1] = node;
        }
        for (uint256 i = 0; i < all.length; ++i) {
            nodes.push(all[i]);
        }
        postCalldata("payload");
        ++l2Number;
        shown = OutputRootProof(0, keccak256("state"), keccak256(node), keccak256("block"));
        assertRoot(tip, rootOf(shown));
        return w;
    }

    function _prove(Withdrawal memory w, uint256 index, string memory name) private {
        OutputRootProof memory p = shown;
        bytes[] memory proof = nodes;
        portal.proveWithdrawalTransaction(w, index, p, proof);
        vm.snapshotGasLastCall("l1", name);
    }

    function test_gas_payment() public {
        Withdrawal memory first = _asserted(payment(known, 3 ether));
        _prove(first, 2, "proveWithdrawalTransaction, a million messages");
        address other = makeAddr("other prover");
        OutputRootProof memory p = shown;
        bytes[] memory proof = nodes;
        vm.startPrank(other, other);
        portal.proveWithdrawalTransaction(first, 2, p, proof);
        vm.snapshotGasLastCall("l1", "proveWithdrawalTransaction, second prover");
        vm.stopPrank();
        Withdrawal memory second = _asserted(payment(fresh, 3 ether));
        _prove(second, 3, "proveWithdrawalTransaction, a million messages");
        Withdrawal memory third = _asserted(payment(known, 4 ether));
        _prove(third, 4, "proveWithdrawalTransaction, a million messages");
        pass(CHALLENGE_S + 1);
        rollup.confirmOutput(2);
        rollup.confirmOutput(3);

        portal.finalizeWithdrawalTransaction(first);
        vm.snapshotGasLastCall("l1", "finalise a payment to a holder of OPEN");
        portal.finalizeWithdrawalTransaction(second);
        vm.snapshotGasLastCall("l1", "finalise a payment to an account without OPEN");
        portal.finalizeWithdrawalTransaction(third);
        vm.snapshotGasLastCall("l1", "finalise a payment and confirm its output");
    }

    function test_gas_proveAmongFew() public {
        for (uint256 i = 0; i < 20; ++i) {
            payment(fresh, i);
        }
        Withdrawal memory w = payment(known, 3 ether);
        uint256 index = assertSent();
        OutputRootProof memory p = parts();
        bytes[] memory proof = proofOf(w);
        portal.proveWithdrawalTransaction(w, index, p, proof);
        vm.snapshotGasLastCall("l1", "proveWithdrawalTransaction, twenty messages");
    }
}
