// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {SlotProof} from "src/l1/SlotProof.sol";
import {Tries} from "./Tries.sol";

/// Every way in which a proof can be wrong. `e2e/harness` compares with the Rust trie on random ones.
contract SlotProofTest is Test {
    bytes32 private constant KEY = bytes32(uint256(0x1234567890abcdef) << 192);

    function check(bytes32 root, bytes32 key, bytes[] calldata proof) external pure {
        SlotProof.check(root, key, proof);
    }

    function _takes(bytes[] memory proof) private view returns (bool) {
        return _takes(KEY, proof);
    }

    function _takes(bytes32 key, bytes[] memory proof) private view returns (bool) {
        try this.check(keccak256(proof[0]), key, proof) {
            return true;
        } catch {
            return false;
        }
    }

    function _refused(bytes4 why, bytes[] memory proof) private {
        bytes32 root = keccak256(proof[0]);
        vm.expectPartialRevert(why);
        this.check(root, KEY, proof);
    }

    function _one(bytes memory node) private pure returns (bytes[] memory proof) {
        proof = new bytes[](1);
        proof[0] = node;
    }

    function _two(bytes memory a, bytes memory b) private pure returns (bytes[] memory proof) {
        proof = new bytes[](2);
        (proof[0], proof[1]) = (a, b);
    }

    function _leaf(uint256 depth) private pure returns (bytes memory) {
        return _leaf(depth, hex"01");
    }

    function _leaf(uint256 depth, bytes memory value) private pure returns (bytes memory) {
        return Tries.list(bytes.concat(Tries.path(KEY, depth, 64, true), value));
    }

    /// A branch with `child` where KEY goes on from `depth`, and one neighbour.
    function _branch(uint256 depth, bytes memory child) private pure returns (bytes memory) {
        return _branch(depth, child, bytes.concat(hex"a0", keccak256("neighbour")), hex"80");
    }

    function _branch(uint256 depth, bytes memory child, bytes memory neighbour, bytes memory value)
        private
        pure
        returns (bytes memory)
    {
        bytes memory items;
        uint256 ours = Tries.nibble(KEY, depth);
        for (uint256 i = 0; i < 16; ++i) {
            if (i == ours) items = bytes.concat(items, child);
            else if (i == (ours + 1) % 16) items = bytes.concat(items, neighbour);
            else items = bytes.concat(items, hex"80");
        }
        return Tries.list(bytes.concat(items, value));
    }

    function _extension(uint256 from, uint256 to, bytes memory child) private pure returns (bytes memory) {
        return Tries.list(bytes.concat(Tries.path(KEY, from, to, false), child));
    }

    // Right

    function test_aLoneLeaf_isTaken() public view {
        assertTrue(_takes(_one(_leaf(0))));
    }

    function test_leafBelowBranch_oddAndEven_isTaken() public view {
        assertTrue(_takes(_two(_branch(0, Tries.link(_leaf(1))), _leaf(1))));
        bytes memory inner = _branch(1, Tries.link(_leaf(2)));
        bytes[] memory proof = new bytes[](3);
        (proof[0], proof[1], proof[2]) = (_branch(0, Tries.link(inner)), inner, _leaf(2));
        assertTrue(_takes(proof));
    }

    function test_extension_oddAndEven_isTaken() public view {
        for (uint256 length = 1; length < 63; ++length) {
            bytes memory leaf = _leaf(length + 1);
            bytes memory branch = _branch(length, Tries.link(leaf));
            bytes[] memory proof = new bytes[](leaf.length < 32 ? 2 : 3);
            proof[0] = _extension(0, length, Tries.link(branch));
            proof[1] = branch;
            if (proof.length == 3) proof[2] = leaf;
            assertTrue(_takes(proof));
        }
    }

    function testFuzz_anyTrie_provesItsKeys_andNoOthers(bytes32[8] memory seeds, bool crooked, bytes32 other)
        public
        view
    {
        bytes32[] memory keys = new bytes32[](8);
        for (uint256 i = 0; i < 8; ++i) {
            // Crooked keys share sixty nibbles: short nodes stand inside their parents.
            keys[i] = crooked ? bytes32(uint256(seeds[i]) & 0x3333 | uint256(i) << 4 | 1 << 255) : seeds[i];
            for (uint256 j = 0; j < i; ++j) {
                vm.assume(keys[j] != keys[i]);
            }
            vm.assume(keys[i] != other);
        }
        for (uint256 i = 0; i < 8; ++i) {
            bytes[] memory proof = Tries.prove(keys, keys[i]);
            assertEq(keccak256(proof[0]), Tries.root(keys));
            assertTrue(_takes(keys[i], proof));
            assertFalse(_takes(other, proof));
        }
    }

    /// Every byte is held by a hash: whichever changes, some node is not what its parent says.
    function testFuzz_anyByteChanged_isRefused(bytes32[6] memory keys_, uint256 node, uint256 place, uint8 change)
        public
        view
    {
        bytes32[] memory keys = new bytes32[](6);
        for (uint256 i = 0; i < 6; ++i) {
            keys[i] = keccak256(abi.encode(keys_[i], i));
        }
        bytes[] memory proof = Tries.prove(keys, keys[0]);
        bytes32 root = keccak256(proof[0]);
        node = bound(node, 0, proof.length - 1);
        place = bound(place, 0, proof[node].length - 1);
        vm.assume(change != 0);
        proof[node][place] ^= bytes1(change);
        try this.check(root, keys[0], proof) {
            assertTrue(false, "taken");
        } catch {}
    }

    // Wrong

    function test_noNodes_isRefused() public {
        vm.expectRevert(SlotProof.ProofTooShort.selector);
        this.check(keccak256(""), KEY, new bytes[](0));
        vm.expectRevert(SlotProof.ProofTooShort.selector);
        this.check(0, KEY, new bytes[](0));
    }

    /// keccak256(0x80) is the root of the empty trie, which is what a network without messages has.
    function test_emptyTrie_isRefused() public {
        _refused(SlotProof.MalformedNode.selector, _one(hex"80"));
        _refused(SlotProof.MalformedNode.selector, _one(""));
        _refused(SlotProof.MalformedNode.selector, _one(hex"c0"));
    }

    function test_otherValues_areRefused() public {
        bytes[6] memory values =
            [bytes(hex"02"), hex"80", hex"00", hex"820001", hex"8101", abi.encodePacked(hex"a0", uint256(1))];
        for (uint256 i = 0; i < values.length; ++i) {
            assertFalse(_takes(_one(_leaf(0, values[i]))));
        }
        _refused(SlotProof.NotShown.selector, _one(_leaf(0, values[0])));
        // One in a list, and one with a header, are not one.
        assertFalse(_takes(_one(_leaf(0, hex"c101"))));
    }

    function test_trailingNodes_areRefused() public {
        _refused(SlotProof.TrailingNodes.selector, _two(_leaf(0), _leaf(0)));
        _refused(SlotProof.TrailingNodes.selector, _two(_leaf(0), ""));
    }

    function test_shortProof_isRefused() public {
        _refused(SlotProof.ProofTooShort.selector, _one(_branch(0, Tries.link(_leaf(1)))));
        _refused(SlotProof.ProofTooShort.selector, _one(_extension(0, 9, abi.encodePacked(hex"a0", keccak256("x")))));
    }

    function test_doubledNode_isRefused() public {
        bytes memory branch = _branch(0, Tries.link(_leaf(1)));
        _refused(SlotProof.WrongNode.selector, _two(branch, branch));
    }

    function test_leafOfAnotherKey_isRefused() public {
        bytes memory other = Tries.list(bytes.concat(Tries.path(~KEY, 1, 64, true), hex"01"));
        _refused(SlotProof.NotShown.selector, _two(_branch(0, Tries.link(other)), other));
    }

    /// A leaf that ends early would stand for all keys below it.
    function test_leafWithShortOrLongKey_isRefused() public {
        bytes memory short = Tries.list(bytes.concat(Tries.path(KEY, 1, 63, true), hex"01"));
        _refused(SlotProof.MalformedNode.selector, _two(_branch(0, Tries.link(short)), short));
        bytes memory long = _leaf(0);
        _refused(SlotProof.MalformedNode.selector, _two(_branch(0, Tries.link(long)), long));
    }

    function test_absentChild_isRefused() public {
        bytes memory branch = _branch(0, hex"80", abi.encodePacked(hex"a0", keccak256("x")), hex"80");
        assertFalse(_takes(_one(branch)));
    }

    function test_branchWithOneChild_isRefused() public {
        bytes memory branch = _branch(0, Tries.link(_leaf(1)), hex"80", hex"80");
        _refused(SlotProof.MalformedNode.selector, _two(branch, _leaf(1)));
    }

    function test_branchWithAValue_isRefused() public {
        bytes memory branch = _branch(0, Tries.link(_leaf(1)), abi.encodePacked(hex"a0", keccak256("x")), hex"01");
        _refused(SlotProof.MalformedNode.selector, _two(branch, _leaf(1)));
    }

    function test_branchWithOddChildren_isRefused() public {
        bytes[4] memory odd = [bytes(hex"01"), hex"820102", abi.encodePacked(hex"a1", bytes33()), hex"c0"];
        for (uint256 i = 0; i < odd.length; ++i) {
            assertFalse(_takes(_two(_branch(0, Tries.link(_leaf(1)), odd[i], hex"80"), _leaf(1))));
        }
    }

    function bytes33() private pure returns (bytes memory) {
        return new bytes(33);
    }

    function test_otherNumberOfItems_isRefused() public {
        bytes memory link = Tries.link(_leaf(1));
        bytes memory path = Tries.path(KEY, 0, 64, true);
        bytes[4] memory nodes = [
            Tries.list(path),
            Tries.list(bytes.concat(path, hex"01", hex"80")),
            Tries.list(bytes.concat(link, link, link, hex"80")),
            Tries.list(bytes.concat(path, hex"01", link, link, link))
        ];
        for (uint256 i = 0; i < nodes.length; ++i) {
            assertFalse(_takes(_two(nodes[i], _leaf(1))));
            assertFalse(_takes(_one(nodes[i])));
        }
    }

    /// The length of the list has one encoding.
    function test_nonCanonicalLists_areRefused() public {
        bytes memory items = bytes.concat(Tries.path(KEY, 0, 64, true), hex"01");
        assertEq(items.length, 35);
        _refused(SlotProof.MalformedNode.selector, _one(bytes.concat(hex"f823", items)));
        _refused(SlotProof.MalformedNode.selector, _one(bytes.concat(hex"f90023", items)));
        _refused(SlotProof.MalformedNode.selector, _one(bytes.concat(hex"fa000023", items)));
        _refused(SlotProof.MalformedNode.selector, _one(bytes.concat(hex"e2", items)));
        _refused(SlotProof.MalformedNode.selector, _one(bytes.concat(hex"e4", items)));
        _refused(SlotProof.MalformedNode.selector, _one(bytes.concat(hex"e3", items, hex"00")));
        _refused(SlotProof.MalformedNode.selector, _one(bytes.concat(hex"a3", items)));
    }

    /// Paths, too: the flag is 0 to 3, and padding is zero.
    function test_nonCanonicalPaths_areRefused() public {
        for (uint256 flag = 0; flag < 256; ++flag) {
            bytes memory path = abi.encodePacked(hex"a1", bytes1(uint8(flag)), KEY);
            bool taken = _takes(_one(Tries.list(bytes.concat(path, hex"01"))));
            assertEq(taken, flag == 0x20);
        }
        // Longer than 64 nibbles, and none at all.
        assertFalse(_takes(_one(Tries.list(abi.encodePacked(hex"a2", hex"20", KEY, hex"00", hex"01")))));
        assertFalse(_takes(_one(Tries.list(hex"8001"))));
    }

    function test_emptyExtension_isRefused() public {
        bytes memory branch = _branch(0, Tries.link(_leaf(1)));
        bytes[] memory proof = new bytes[](3);
        proof[0] = Tries.list(bytes.concat(hex"00", Tries.link(branch)));
        (proof[1], proof[2]) = (branch, _leaf(1));
        _refused(SlotProof.MalformedNode.selector, proof);
    }

    /// An honest trie joins them.
    function test_extensionAboveExtensionOrLeaf_isRefused() public {
        bytes memory leaf = _leaf(3);
        _refused(SlotProof.MalformedNode.selector, _two(_extension(0, 3, Tries.link(leaf)), leaf));
        bytes memory branch = _branch(3, Tries.link(_leaf(4)));
        bytes memory inner = _extension(2, 3, Tries.link(branch));
        bytes[] memory proof = new bytes[](4);
        (proof[0], proof[1], proof[2], proof[3]) = (_extension(0, 2, Tries.link(inner)), inner, branch, _leaf(4));
        _refused(SlotProof.MalformedNode.selector, proof);
    }

    function test_extensionToNothing_isRefused() public {
        assertFalse(_takes(_one(_extension(0, 40, hex"80"))));
        assertFalse(_takes(_one(_extension(0, 40, hex"01"))));
        assertFalse(_takes(_one(_extension(0, 64, hex"01"))));
    }

    /// A node below 32 bytes stands inside its parent, and nowhere else.
    function test_shortNodeByHash_isRefused() public {
        bytes memory leaf = _leaf(60);
        assertLt(leaf.length, 32);
        bytes memory branch = _branch(59, bytes.concat(hex"a0", keccak256(leaf)));
        bytes[] memory proof = new bytes[](3);
        (proof[0], proof[1], proof[2]) = (_extension(0, 59, Tries.link(branch)), branch, leaf);
        _refused(SlotProof.MalformedNode.selector, proof);
    }

    /// Thirty-two bytes inside a parent would be two ways to say one thing.
    function test_longNodeInside_isRefused() public {
        bytes memory leaf = _leaf(1);
        assertGt(leaf.length, 32);
        assertFalse(_takes(_one(_branch(0, leaf))));
    }

    function test_innerLeaf_mayBeListedOnce() public {
        bytes memory leaf = _leaf(60);
        bytes memory branch = _branch(59, leaf);
        bytes[] memory proof = new bytes[](2);
        (proof[0], proof[1]) = (_extension(0, 59, Tries.link(branch)), branch);
        assertTrue(_takes(proof));
        bytes[] memory listed = new bytes[](3);
        (listed[0], listed[1], listed[2]) = (proof[0], proof[1], leaf);
        assertTrue(_takes(listed));
        listed[2] = _leaf(60, hex"02");
        _refused(SlotProof.TrailingNodes.selector, listed);
    }

    /// A value of 32 bytes looks like the hash of a node.
    function test_valueThatIsAHash_isNotFollowed() public {
        bytes memory hidden = _leaf(0);
        bytes memory outer = _leaf(0, bytes.concat(hex"a0", keccak256(hidden)));
        _refused(SlotProof.NotShown.selector, _two(outer, hidden));
    }
}
