// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {Dynamic} from "src/l2/Dynamic.sol";
import {Entries, Entry} from "src/l2/Entry.sol";
import {Head, InferenceReceipt, Offer, Signed} from "src/l2/Receipt.sol";
import {SumTree} from "src/l2/SumTree.sol";
import {Trees} from "./Trees.sol";

/// @notice The vectors of src/l2/FORMAT.md, which were made by a program of its own, not by these contracts.
contract FormatTest is Test {
    address private constant ONES = 0x1111111111111111111111111111111111111111;
    address private constant TWOS = 0x2222222222222222222222222222222222222222;
    bytes32 private constant VECTOR = 0x7ba267eff7e6bdf4372bfb1e77cf014f6436bfaaadf71b7612a7ba581957681d;
    bytes32 private constant OFFER = 0xe040a86cbc47d63bdf46f3c9079043cf0af5eab4a45f4b306a047ddf98f06528;
    bytes32 private constant RECEIPT_LEAF = 0x0ce1e7861c3d722a85981ced761c3ce5fa42c24570e3c56225a1b86cc570d857;

    function test_leaves() public pure {
        bytes32[5] memory want = [
            bytes32(0xda10253c384287fbe13ef43f08dfba6efa40382d3d27036af03d7e7772984dc9),
            0xa1288b21f942f5c13985da5d2e4b5afb541ba04879ea1b977512a06029eab3dc,
            0xba7361a14926af1f8fd8c0a5dae9d77d25580e8dab7a02447a3062a3c1da60b9,
            0x747f22b493edf042e8dc810ad9f00369a3eff7cbed70eb7eda377e749e5301c3,
            0x72c9913d56fde18668b31e374c27d4fb785ef4d3a59bd531620f4585beb24697
        ];
        Entry[5] memory entries = _entries();
        for (uint256 i = 0; i < 5; ++i) {
            assertEq(Entries.leaf(entries[i]), want[i]);
        }
    }

    function test_roots() public pure {
        bytes32[5] memory want = [
            bytes32(0xda10253c384287fbe13ef43f08dfba6efa40382d3d27036af03d7e7772984dc9),
            0xd32b0c44e65913c3045de094170f7309c3bf2e091c38d755abc4b6f72a424421,
            0xf5123338c389171cba9bf1782de6baf0aaa71d1671e5ad0841465441812d961f,
            0x47e842d90f3cefac4d1b1cc2328b577d2d9070325ca0269447e87d5c751d268a,
            0xac90208fceed73b98aa2755203076a3873ca4da805e4422441d5cba1c1be8efb
        ];
        uint256[5] memory sums = [
            uint256(1),
            1000000000000000001,
            79228162515264337593543950337,
            79228162515264337593543950337,
            79228162515264337593543950342
        ];
        for (uint256 n = 1; n <= 5; ++n) {
            SumTree.Root memory root = Trees.root(_leaves(n));
            assertEq(root.hash, want[n - 1]);
            assertEq(root.sum, sums[n - 1]);
        }
    }

    function test_proof() public view {
        bytes memory proof = bytes.concat(
            hex"747f22b493edf042e8dc810ad9f00369a3eff7cbed70eb7eda377e749e5301c300000000000000000000000000000000",
            hex"d32b0c44e65913c3045de094170f7309c3bf2e091c38d755abc4b6f72a42442100000000000000000de0b6b3a7640001",
            hex"72c9913d56fde18668b31e374c27d4fb785ef4d3a59bd531620f4585beb2469700000000000000000000000000000005"
        );
        Trees.Leaf[] memory leaves = _leaves(5);
        assertEq(Trees.proof(leaves, 2), proof);
        assertTrue(this.verify(Trees.root(leaves), leaves[2], 2, proof));
    }

    function test_vector() public view {
        uint256[] memory words = new uint256[](2);
        words[0] = uint256(3) << 192 | uint256(uint160(ONES)) << 32 | 600_000_000;
        words[1] = uint256(3) << 192 | uint256(uint160(TWOS)) << 32 | 300_000_000;
        assertEq(this.hashOfVector(words), VECTOR);
        assertEq(this.hashOfVector(new uint256[](0)), 0);
    }

    function test_signedStructs() public view {
        Offer memory o = Offer(4, 1, 0, 1e9, 1e6, 2e6, 1_800_000_060_000, bytes32(uint256(9)));
        assertEq(this.hashOfOffer(o), OFFER);
        InferenceReceipt memory r;
        r.receiptId = bytes32(uint256(1));
        (r.assetId, r.operatorId) = (4, 1);
        r.payerKeyHash = bytes32(uint256(5));
        (r.promptCommit, r.outputCommit) = (bytes32(uint256(6)), bytes32(uint256(7)));
        (r.tokIn, r.tokOut, r.price) = (100, 200, 1 ether);
        (r.offerHash, r.tsMs) = (OFFER, 1_800_000_000_000);
        (r.attrMethod, r.attrHash, r.modelProof) = (2, VECTOR, bytes32(uint256(8)));
        (bytes32 hash, bytes32 leaf) = this.hashOfReceipt(r);
        assertEq(hash, 0x90ad960835b4046d4d54cd450d3418aeabb0650b74228f326a9e379b43ec75a3);
        assertEq(leaf, RECEIPT_LEAF);
        bytes32 head = this.hashOfHead(Head(1, 3_000_000, 0, RECEIPT_LEAF, 1, 1 ether));
        assertEq(head, 0xbf7440524bdf46966ccdbe9bb1774344f3e5cd7d961d1652489cd4316e6391b4);
    }

    function test_row() public pure {
        bytes32 leaf = keccak256(abi.encodePacked(uint8(0), ONES, keccak256("a row")));
        assertEq(leaf, 0xcb46f57220bab2d8d470b4d23623534d411b31ac5691e44837426268d92a1993);
    }

    function verify(SumTree.Root calldata root, Trees.Leaf calldata leaf, uint256 index, bytes calldata proof)
        external
        pure
        returns (bool ok)
    {
        (ok,) = SumTree.verify(root, leaf.hash, leaf.sum, index, proof);
    }

    function hashOfVector(uint256[] calldata words) external pure returns (bytes32) {
        return Dynamic.hashOf(words);
    }

    function hashOfOffer(Offer calldata o) external pure returns (bytes32) {
        return Signed.hash(o);
    }

    function hashOfReceipt(InferenceReceipt calldata r) external pure returns (bytes32 hash, bytes32 leaf) {
        return (Signed.hash(r), Signed.leaf(r));
    }

    function hashOfHead(Head calldata h) external pure returns (bytes32) {
        return Signed.hash(h);
    }

    function _entries() private pure returns (Entry[5] memory) {
        address last = address(type(uint160).max);
        return [
            Entry(ONES, 0, 1),
            Entry(ONES, 7, 1 ether),
            Entry(TWOS, 1, 1 << 96),
            Entry(TWOS, 2, 0),
            Entry(last, type(uint40).max, 5)
        ];
    }

    function _leaves(uint256 n) private pure returns (Trees.Leaf[] memory leaves) {
        leaves = new Trees.Leaf[](n);
        Entry[5] memory entries = _entries();
        for (uint256 i = 0; i < n; ++i) {
            leaves[i] = Trees.Leaf(Entries.leaf(entries[i]), entries[i].amount);
        }
    }
}
