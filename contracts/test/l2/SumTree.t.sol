// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {SumTree} from "src/l2/SumTree.sol";
import {Trees} from "./Trees.sol";

contract SumTreeTest is Test {
    function test_everyLeafOfEverySmallTree_verifiesAtItsPlaceAlone() public view {
        for (uint256 n = 1; n <= 17; ++n) {
            Trees.Leaf[] memory leaves = _leaves(n, n);
            SumTree.Root memory root = Trees.root(leaves);
            uint256 sum = 0;
            for (uint256 i = 0; i < n; ++i) {
                bytes memory proof = Trees.proof(leaves, i);
                for (uint256 j = 0; j <= n; ++j) {
                    (bool ok, uint256 before) = this.verify(root, leaves[i], j, proof);
                    assertEq(ok, i == j, "a place not its own");
                    if (ok) assertEq(before, sum);
                }
                sum += leaves[i].sum;
            }
        }
    }

    function testFuzz_largerTrees(uint256 seed, uint256 n, uint256 i) public view {
        n = bound(n, 18, 300);
        i = bound(i, 0, n - 1);
        Trees.Leaf[] memory leaves = _leaves(n, seed);
        (bool ok, uint256 before) = this.verify(Trees.root(leaves), leaves[i], i, Trees.proof(leaves, i));
        assertTrue(ok);
        uint256 sum = 0;
        for (uint256 j = 0; j < i; ++j) {
            sum += leaves[j].sum;
        }
        assertEq(before, sum);
    }

    /// Any byte of a proof, of the leaf or of the root changed: no proof.
    function testFuzz_oneBitElsewhere_doesNotVerify(uint256 n, uint256 i, uint256 bit) public view {
        n = bound(n, 2, 40);
        i = bound(i, 0, n - 1);
        Trees.Leaf[] memory leaves = _leaves(n, 7);
        SumTree.Root memory root = Trees.root(leaves);
        bytes memory proof = Trees.proof(leaves, i);
        bit = bound(bit, 0, 8 * proof.length - 1);
        proof[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        (bool ok,) = this.verify(root, leaves[i], i, proof);
        assertFalse(ok);
    }

    function test_orderTurnedRound_doesNotVerify() public view {
        Trees.Leaf[] memory leaves = _leaves(4, 1);
        SumTree.Root memory root = Trees.root(leaves);
        bytes memory proof = Trees.proof(leaves, 2);
        bytes memory turned = bytes.concat(_slice(proof, 48, 96), _slice(proof, 0, 48));
        (bool ok,) = this.verify(root, leaves[2], 2, turned);
        assertFalse(ok);
    }

    function test_equalNeighbours_standAtTheirOwnPlaces() public view {
        Trees.Leaf[] memory leaves = _leaves(6, 1);
        leaves[3] = leaves[2];
        SumTree.Root memory root = Trees.root(leaves);
        bytes memory second = Trees.proof(leaves, 2);
        bytes memory third = Trees.proof(leaves, 3);
        (bool ok, uint256 before) = this.verify(root, leaves[2], 2, second);
        assertTrue(ok);
        (bool alsoOk, uint256 later) = this.verify(root, leaves[2], 3, third);
        assertTrue(alsoOk);
        assertEq(later, before + leaves[2].sum); // Their sums tell them apart.
    }

    function test_nodesTooManyOrTooFew_doNotVerify() public view {
        Trees.Leaf[] memory leaves = _leaves(5, 1);
        SumTree.Root memory root = Trees.root(leaves);
        bytes memory proof = Trees.proof(leaves, 1);
        bytes memory more = bytes.concat(proof, abi.encodePacked(bytes32(0), uint128(0)));
        bytes memory fewer = _slice(proof, 0, proof.length - 48);
        bytes memory uneven = bytes.concat(proof, hex"00");
        bytes[3] memory wrong = [more, fewer, uneven];
        for (uint256 i = 0; i < 3; ++i) {
            (bool ok,) = this.verify(root, leaves[1], 1, wrong[i]);
            assertFalse(ok);
        }
    }

    /// A node cannot pass for a leaf of a tree that names fewer leaves, because the true tree's size stands in the root;
    /// and no leaf's preimage is a node's, because their first bytes differ.
    function test_nodeAsLeaf_doesNotVerify() public view {
        Trees.Leaf[] memory leaves = _leaves(4, 1);
        SumTree.Root memory root = Trees.root(leaves);
        bytes32 hash = SumTree.node(leaves[0].hash, leaves[0].sum, leaves[1].hash, leaves[1].sum);
        Trees.Leaf memory node = Trees.Leaf(hash, leaves[0].sum + leaves[1].sum);
        bytes memory proof = Trees.proof(leaves, 0);
        bytes memory upper = _slice(proof, 48, 96);
        for (uint256 i = 0; i < 4; ++i) {
            (bool ok,) = this.verify(root, node, i, upper);
            assertFalse(ok);
        }
        root.leaves = 2; // The same hash, were its size forgotten.
        (bool forgotten,) = this.verify(root, node, 0, upper);
        assertTrue(forgotten);
    }

    function test_sumsPast128Bits_doNotVerify() public view {
        Trees.Leaf memory a = Trees.Leaf("a", type(uint128).max);
        Trees.Leaf memory b = Trees.Leaf("b", 1);
        SumTree.Root memory root = SumTree.Root(SumTree.node(a.hash, a.sum, b.hash, b.sum), 0, 2);
        (bool ok,) = this.verify(root, b, 1, abi.encodePacked(a.hash, a.sum));
        assertFalse(ok);
    }

    function test_emptyTree_holdsNothing() public view {
        (bool ok,) = this.verify(SumTree.Root(0, 0, 0), Trees.Leaf(0, 0), 0, "");
        assertFalse(ok);
    }

    function verify(SumTree.Root calldata root, Trees.Leaf calldata leaf, uint256 index, bytes calldata proof)
        external
        pure
        returns (bool, uint256)
    {
        return SumTree.verify(root, leaf.hash, leaf.sum, index, proof);
    }

    function _leaves(uint256 n, uint256 seed) private pure returns (Trees.Leaf[] memory leaves) {
        leaves = new Trees.Leaf[](n);
        for (uint256 i = 0; i < n; ++i) {
            bytes32 hash = keccak256(abi.encode(seed, i));
            leaves[i] = Trees.Leaf(hash, uint64(uint256(hash)));
        }
    }

    function _slice(bytes memory data, uint256 from, uint256 to) private pure returns (bytes memory part) {
        part = new bytes(to - from);
        for (uint256 i = from; i < to; ++i) {
            part[i - from] = data[i];
        }
    }
}
