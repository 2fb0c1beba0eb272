// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {AssetRecord} from "./AssetRecord.sol";
import {IDatanet} from "./IDatanet.sol";
import {Methods} from "./Methods.sol";
import {Predeploys} from "./Predeploys.sol";
import {InferenceReceipt} from "./Receipt.sol";

/// @title Dynamic
/// @notice What one receipt gives one account out of one snapshot's pot, in wei; and what a vector must look like.
/// @dev price x lineage x share x lambda x weight, all in parts per billion, rounded down once. Lineage is the header's
///      number, which is never above what the payment's lineage got; share is the snapshot's in the asset's vector. So
///      what an epoch takes of a pot is never more than what its own payments brought there.
///
///      A vector is at most 32 words: version (64 bits), account (160), weight (32), ascending, weights above zero and
///      together at most 1e9. What is left to 1e9 is the remainder, for static units.
library Dynamic {
    using AssetRecord for bytes;

    uint256 internal constant VECTOR_MAX = 32;
    uint256 private constant LINEAGE_MIN_PPB = 250_000_000;
    /// The router's largest agent share: a receipt does not say what the agent's was.
    uint256 private constant AGENT_MAX_PPB = 200_000_000;

    /// @param weightPpb at most 1e9
    function amountOf(InferenceReceipt calldata r, uint256 lineagePpb, uint64 version, uint256 weightPpb)
        internal
        view
        returns (uint256)
    {
        if (r.agentId != 0) {
            lineagePpb -= AGENT_MAX_PPB;
            if (lineagePpb < LINEAGE_MIN_PPB) lineagePpb = LINEAGE_MIN_PPB;
        }
        // The snapshot's method and Datanet do not matter.
        // slither-disable-next-line unused-return
        (, uint256 lambdaPpb,) = IDatanet(Predeploys.DATANET).snapshotOf(version);
        // Below 2^216.
        return uint256(r.price) * lineagePpb * shareOf(r.assetId, version) * lambdaPpb * weightPpb / 1e36;
    }

    /// @notice What `version` has in the vector of `assetId`; zero if either is unknown.
    function shareOf(uint64 assetId, uint64 version) internal view returns (uint256) {
        bytes memory record = AssetRecord.addressOf(assetId).code;
        if (record.length == 0) return 0;
        uint256 n = record.size();
        for (uint256 i = 0; i < n; ++i) {
            (uint64 id, uint32 ppb) = record.entry(i);
            if (id == version) return ppb;
        }
        return 0;
    }

    /// @notice The account's weight for `version`; zero if the vector does not name it.
    function weightOf(uint256[] calldata vector, uint64 version, address account) internal pure returns (uint256) {
        uint256 head = uint256(version) << 192 | uint256(uint160(account)) << 32;
        for (uint256 i = 0; i < vector.length; ++i) {
            if (vector[i] >> 32 == head >> 32) return uint32(vector[i]);
        }
        return 0;
    }

    /// @notice Whether the receipt names a method that is usable and a vector as above, which must be its preimage.
    function isSound(InferenceReceipt calldata r, uint256[] calldata vector) internal pure returns (bool) {
        if (!Methods.isUsable(r.attrMethod)) return false;
        if (vector.length > VECTOR_MAX || (r.attrMethod == Methods.NONE && vector.length != 0)) return false;
        uint256 sum = 0;
        uint256 last = 0;
        for (uint256 i = 0; i < vector.length; ++i) {
            // Each pair of version and account once; so no two words with one head.
            if (vector[i] >> 32 <= last || uint32(vector[i]) == 0 || uint160(vector[i] >> 32) == 0) return false;
            last = vector[i] >> 32;
            sum += uint32(vector[i]);
        }
        return sum <= 1e9;
    }

    /// @notice The hash that a receipt names: zero for an empty vector.
    function hashOf(uint256[] calldata vector) internal pure returns (bytes32) {
        return vector.length == 0 ? bytes32(0) : keccak256(abi.encodePacked(vector));
    }
}
