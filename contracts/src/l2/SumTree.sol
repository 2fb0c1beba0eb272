// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title SumTree
/// @notice Merkle trees whose every node carries the sum of the leaves below it. FORMAT.md has the bytes and vectors.
/// @dev The shape is RFC 6962's, so the number of leaves and the index alone say how long a proof is and on which side
///      each node of it stands: a proof with a node too many, too few, or on the wrong side does not verify. A leaf's
///      hash begins with a zero byte and a node's with a one, so neither can be shown as the other. Two leaves are
///      neighbours if their indices are, which is what proofs of absence stand on.
library SumTree {
    /// The hash, and the sum in 16 bytes.
    uint256 internal constant NODE_SIZE = 48;

    struct Root {
        bytes32 hash;
        uint128 sum;
        uint64 leaves;
    }

    /// @notice Whether the leaf `hash` with `sum` is number `index` under `root`.
    /// @param proof the nodes beside the way up, lowest first
    /// @return ok false for anything wrong; `before` then means nothing
    /// @return before what the leaves left of it add up to
    function verify(Root memory root, bytes32 hash, uint256 sum, uint256 index, bytes calldata proof)
        internal
        pure
        returns (bool ok, uint256 before)
    {
        if (index >= root.leaves || proof.length % NODE_SIZE != 0) return (false, 0);
        uint256 last = root.leaves - 1;
        for (uint256 offset = 0; offset != proof.length; offset += NODE_SIZE) {
            if (last == 0) return (false, 0);
            bytes32 besideHash;
            uint256 besideSum;
            assembly ("memory-safe") {
                besideHash := calldataload(add(proof.offset, offset))
                besideSum := shr(128, calldataload(add(proof.offset, add(offset, 32))))
            }
            if (index & 1 == 1 || index == last) {
                hash = node(besideHash, besideSum, hash, sum);
                before += besideSum;
                // The last of an odd number went up alone.
                while (index & 1 == 0) {
                    index >>= 1;
                    last >>= 1;
                }
            } else {
                hash = node(hash, sum, besideHash, besideSum);
            }
            sum += besideSum;
            if (sum > type(uint128).max) return (false, 0);
            index >>= 1;
            last >>= 1;
        }
        ok = last == 0 && hash == root.hash && sum == root.sum;
    }

    /// @notice keccak256(0x01 ‖ left hash ‖ left sum ‖ right hash ‖ right sum), the sums in 16 bytes.
    function node(bytes32 left, uint256 leftSum, bytes32 right, uint256 rightSum) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let p := mload(0x40) // Beyond it memory is free to be written on.
            mstore8(p, 1)
            mstore(add(p, 1), left)
            mstore(add(p, 33), shl(128, leftSum))
            mstore(add(p, 49), right)
            mstore(add(p, 81), shl(128, rightSum))
            hash := keccak256(p, 97)
        }
    }
}
