// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {AssetRecord} from "./AssetRecord.sol";
import {IAssetRegistry} from "./IAssetRegistry.sol";
import {Shares} from "./Shares.sol";

/// @title Lineage
/// @notice Flattens the lineage of a new version into its vector; IAssetRegistry has the formula and the rules.
/// @dev The vectors of the parents, each scaled to the mass that passes through it, are merged like sorted lists. Work
///      is bounded by 8 parents of 64 entries. Invariant: the result adds up to 1e9, ids ascend, every entry with a
///      floor holds it (test/l2/AssetRegistry.t.sol).
library Lineage {
    using AssetRecord for bytes;

    uint256 internal constant PARENTS_MAX = 8;
    uint256 internal constant DEPTH_MAX = 16;
    /// What one payment can still credit in a block-friendly amount of gas (about 5,500 each).
    uint256 internal constant BENEFICIARIES_MAX = 64;
    /// 0.1 %: a smaller share costs more gas to credit than it usually brings.
    uint256 internal constant MIN_SHARE_PPB = 1_000_000;

    /// An entry of a vector under work, in one word: ppb (32 bits), floor (32), id (64), whether it is a parent (1).
    uint256 private constant ID_AT = 64;
    uint256 private constant FLOOR_AT = 32;
    uint256 private constant IS_PARENT = 1 << 128;

    /// @param packed the vector, 12 bytes an entry
    /// @param floors 5 bytes each: uint8 index into the vector, uint32 ppb
    struct Flattened {
        bytes packed;
        bytes floors;
        uint256 depth;
    }

    /// @param id the new version's
    function flatten(uint64 id, IAssetRegistry.Parent[] memory parents, uint32 upstreamPpb, uint32 floorPpb)
        internal
        view
        returns (Flattened memory f)
    {
        uint256[] memory vector;
        (vector, f.depth) = _upstream(id, parents, upstreamPpb);

        uint256 n = vector.length;
        // A word more than needed, because _put writes whole words.
        f.packed = new bytes(AssetRecord.ENTRY_SIZE * (n + 1) + 32);
        f.floors = new bytes(AssetRecord.FLOOR_SIZE * (n + 1) + 32);
        uint256 floors = 0;
        uint256 sum = 0;
        for (uint256 i = 0; i <= n; ++i) {
            uint256 e =
                i < n ? vector[i] : uint256(id) << ID_AT | uint256(floorPpb) << FLOOR_AT | (Shares.WHOLE - upstreamPpb);
            uint256 floor = uint32(e >> FLOOR_AT);
            uint256 ppb = uint32(e);
            sum += ppb;
            if (floor != 0) {
                require(ppb >= floor, IAssetRegistry.BelowFloor(uint64(e >> ID_AT), ppb, floor));
                _put(f.floors, AssetRecord.FLOOR_SIZE * floors++, i << 248 | floor << 216);
            }
            _put(f.packed, AssetRecord.ENTRY_SIZE * i, (e >> ID_AT & type(uint64).max) << 192 | ppb << 160);
        }
        assert(sum == Shares.WHOLE);
        _truncate(f.packed, AssetRecord.ENTRY_SIZE * (n + 1));
        _truncate(f.floors, AssetRecord.FLOOR_SIZE * floors);
    }

    /// @dev Everything but the version's own entry.
    function _upstream(uint64 id, IAssetRegistry.Parent[] memory parents, uint32 upstreamPpb)
        private
        view
        returns (uint256[] memory vector, uint256 depth)
    {
        uint256 count = parents.length;
        require(count <= PARENTS_MAX, IAssetRegistry.TooManyParents(count));
        if (count == 0) {
            require(upstreamPpb == 0, IAssetRegistry.UpstreamWithoutParents());
            return (new uint256[](0), 0);
        }

        uint256[] memory masses = _masses(id, parents, upstreamPpb);
        uint256[][] memory streams = new uint256[][](count);
        for (uint256 j = 0; j < count; ++j) {
            bytes memory record = AssetRecord.load(parents[j].id);
            uint256 below = record.depth() + 1;
            if (below > depth) depth = below;
            streams[j] = upstreamPpb == 0 ? new uint256[](0) : _scaled(record, masses[j]);
        }
        require(depth <= DEPTH_MAX, IAssetRegistry.TooDeep(depth));

        vector = _merged(streams, MIN_SHARE_PPB);
        for (uint256 limit = 2 * MIN_SHARE_PPB; vector.length >= BENEFICIARIES_MAX; limit *= 2) {
            // Past the whole, everything that may be pruned has been.
            require(limit < 2 * Shares.WHOLE, IAssetRegistry.TooManyBeneficiaries(vector.length + 1));
            vector = _merged(streams, limit);
        }
    }

    /// @dev How much passes through each parent: `upstreamPpb`, split by weight.
    function _masses(uint64 id, IAssetRegistry.Parent[] memory parents, uint32 upstreamPpb)
        private
        pure
        returns (uint256[] memory masses)
    {
        uint256 count = parents.length;
        uint256 declared = 0;
        uint256 whole = 0;
        uint64 last = 0;
        masses = new uint256[](count);
        for (uint256 j = 0; j < count; ++j) {
            IAssetRegistry.Parent memory p = parents[j];
            require(p.id < id, IAssetRegistry.UnknownAsset(p.id));
            require(p.id > last, IAssetRegistry.ParentsNotAscending(p.id));
            last = p.id;
            declared += p.weightPpb;
            whole += _weight(p);
        }
        require(declared == Shares.WHOLE, IAssetRegistry.BadWeights(declared));

        uint256 weight = 0;
        uint256 given = 0;
        for (uint256 j = 0; j < count; ++j) {
            weight += _weight(parents[j]);
            uint256 upTo = upstreamPpb * weight / whole;
            masses[j] = upTo - given;
            given = upTo;
            require(
                upstreamPpb == 0 || masses[j] >= MIN_SHARE_PPB, IAssetRegistry.ParentTooSmall(parents[j].id, masses[j])
            );
        }
    }

    /// @dev Twice the declared weight; a parent whose outputs were the material counts once.
    function _weight(IAssetRegistry.Parent memory p) private pure returns (uint256) {
        bool discounted = p.edge == IAssetRegistry.Edge.SYNTHETIC_FROM || p.edge == IAssetRegistry.Edge.DISTILLED_FROM;
        return discounted ? p.weightPpb : 2 * uint256(p.weightPpb);
    }

    /// @dev A parent's vector, scaled to add up to `mass`, with the floors it carries.
    function _scaled(bytes memory record, uint256 mass) private pure returns (uint256[] memory stream) {
        uint256 n = record.size();
        stream = new uint256[](n);
        uint256 weight = 0;
        uint256 given = 0;
        unchecked {
            for (uint256 i = 0; i < n; ++i) {
                (uint64 id, uint32 ppb) = record.entry(i);
                weight += ppb;
                uint256 upTo = Shares.upTo(mass, weight);
                stream[i] = uint256(id) << ID_AT | (upTo - given);
                given = upTo;
            }
            stream[n - 1] |= IS_PARENT; // A version's own entry is the last of its vector.
            uint256 floors = record.floors();
            for (uint256 i = 0; i < floors; ++i) {
                (uint256 index, uint32 ppb) = record.floorAt(i);
                stream[index] |= uint256(ppb) << FLOOR_AT;
            }
        }
    }

    /// @dev Adds the streams up by id, prunes below `limitPpb`, and gives what was pruned to the parent, the last entry
    ///      of the stream it came through.
    function _merged(uint256[][] memory streams, uint256 limitPpb) private pure returns (uint256[] memory vector) {
        uint256 count = streams.length;
        uint256 capacity = 0;
        for (uint256 j = 0; j < count; ++j) {
            capacity += streams[j].length;
        }
        vector = new uint256[](capacity);
        uint256[] memory next = new uint256[](count);
        uint256[] memory pruned = new uint256[](count);

        uint256 n = 0;
        unchecked {
            while (true) {
                (uint256 e, uint256 taken) = _lowest(streams, next);
                if (taken == 0) break;
                bool keep = e & IS_PARENT != 0 || uint32(e >> FLOOR_AT) != 0 || uint32(e) >= limitPpb;
                if (keep) vector[n++] = e;
                for (uint256 j = 0; j < count; ++j) {
                    if (taken >> j & 1 == 0) continue;
                    if (!keep) pruned[j] += uint32(streams[j][next[j]]);
                    ++next[j];
                }
            }
            for (uint256 j = 0; j < count; ++j) {
                if (pruned[j] == 0) continue;
                uint256 parent = uint64(streams[j][streams[j].length - 1] >> ID_AT);
                uint256 i = 0;
                while (uint64(vector[i] >> ID_AT) != parent) ++i; // Parents are never pruned, so it is there.
                vector[i] += pruned[j];
            }
        }
        assembly ("memory-safe") {
            mstore(vector, n) // Only ever shorter than what was allocated.
        }
    }

    /// @dev The sum of all heads with the lowest id, and a bit for each stream whose head that is; no bits at the end.
    function _lowest(uint256[][] memory streams, uint256[] memory next)
        private
        pure
        returns (uint256 e, uint256 taken)
    {
        uint256 lowest = type(uint256).max;
        unchecked {
            for (uint256 j = 0; j < streams.length; ++j) {
                uint256 i = next[j];
                uint256[] memory stream = streams[j];
                if (i == stream.length) continue;
                uint256 head = stream[i];
                uint256 id = uint64(head >> ID_AT);
                if (id < lowest) {
                    lowest = id;
                    e = head;
                    taken = 1 << j;
                } else if (id == lowest) {
                    // The same version has the same floor in every vector.
                    e = (e + uint32(head)) | (head & IS_PARENT);
                    taken |= 1 << j;
                }
            }
        }
    }

    /// @dev Writes the top bytes of `word` at `offset`; what follows in `out` is overwritten by the next call.
    function _put(bytes memory out, uint256 offset, uint256 word) private pure {
        assembly ("memory-safe") {
            mstore(add(add(out, 0x20), offset), word)
        }
    }

    function _truncate(bytes memory out, uint256 size) private pure {
        assembly ("memory-safe") {
            mstore(out, size)
        }
    }
}
