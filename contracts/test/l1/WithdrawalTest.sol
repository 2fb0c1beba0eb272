// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {OutputRootProof, Withdrawal} from "src/l1/Withdrawal.sol";
import {L1Test} from "./L1Test.sol";
import {Tries} from "./Tries.sol";

/// An L2 of which only the sent messages matter: each test says which, asserts their root, and proves.
abstract contract WithdrawalTest is L1Test {
    address internal alice = makeAddr("alice on L2");
    /// Messages L2 has sent so far, and the records posted about them.
    bytes32[] internal sent;
    uint64 internal l2Number;
    uint256 internal nonce;
    bytes32 internal tip;

    function setUp() public virtual override {
        super.setUp();
        tip = rollup.genesis();
        vm.deal(address(this), 1000 ether);
        vm.prank(user, user);
        portal.depositOpen(1000 ether);
    }

    function message(address target, uint256 value, uint256 gasLimit, bytes memory data)
        internal
        returns (Withdrawal memory w)
    {
        w = Withdrawal(1 << 240 | nonce++, alice, target, value, gasLimit, data);
        sent.push(keccak256(abi.encode(slotOf(hashOf(w)))));
    }

    function payment(address target, uint256 value) internal returns (Withdrawal memory) {
        return message(target, value, 100_000, "");
    }

    function hashOf(Withdrawal memory w) internal pure returns (bytes32) {
        return keccak256(abi.encode(w.nonce, w.sender, w.target, w.value, w.gasLimit, w.data));
    }

    function slotOf(bytes32 hash) internal pure returns (bytes32) {
        return keccak256(abi.encode(hash, uint256(0)));
    }

    /// What an honest proposer says about the messages so far.
    function parts() internal view returns (OutputRootProof memory p) {
        return partsAt(l2Number);
    }

    function partsAt(uint256 number) internal view returns (OutputRootProof memory p) {
        p.stateRoot = keccak256(abi.encode("state", number));
        p.messagePasserStorageRoot = Tries.root(sent);
        p.latestBlockhash = keccak256(abi.encode("block", number));
    }

    function rootOf(OutputRootProof memory p) internal pure returns (bytes32) {
        return keccak256(abi.encode(p.version, p.stateRoot, p.messagePasserStorageRoot, p.latestBlockhash));
    }

    /// Posts a batch and asserts the honest output after it.
    function assertSent() internal returns (uint256 index) {
        postCalldata("payload");
        ++l2Number;
        return assertRoot(tip, rootOf(parts()));
    }

    function assertRoot(bytes32 parent, bytes32 root) internal returns (uint256 index) {
        uint64 count = inbox.recordCount();
        bytes32 id = rollup.assertOutput{value: BOND}(parent, count, inbox.batchAccs(count), l2Number, root);
        tip = id;
        return rollup.outputIndexOf(id);
    }

    function proofOf(Withdrawal memory w) internal view returns (bytes[] memory) {
        return Tries.prove(sent, keccak256(abi.encode(slotOf(hashOf(w)))));
    }

    function prove(Withdrawal memory w, uint256 index) internal {
        portal.proveWithdrawalTransaction(w, index, parts(), proofOf(w));
    }

    function proveAs(address who, Withdrawal memory w, uint256 index) internal {
        OutputRootProof memory p = parts();
        bytes[] memory proof = proofOf(w);
        vm.prank(who, who);
        portal.proveWithdrawalTransaction(w, index, p, proof);
    }

    /// Asserted, proven by this contract, and its window past.
    function ready(Withdrawal memory w) internal returns (uint256 index) {
        index = assertSent();
        prove(w, index);
        pass(CHALLENGE_S + 1);
    }

    receive() external payable virtual {}
}
