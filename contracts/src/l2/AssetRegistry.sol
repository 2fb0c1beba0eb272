// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {AssetRecord} from "./AssetRecord.sol";
import {IAssetRegistry} from "./IAssetRegistry.sol";
import {IFeePolicy} from "./IFeePolicy.sol";
import {IPoolLedger} from "./IPoolLedger.sol";
import {Lineage} from "./Lineage.sol";
import {Predeploys} from "./Predeploys.sol";

/// @title AssetRegistry
/// @notice See IAssetRegistry.
/// @dev Invariant: every record's vector adds up to 1e9, has at most 64 ascending ids, holds all floors, and never
///      changes (test/l2/AssetRegistry.t.sol). The account's nonce is 1 + count; genesis sets it to 1.
contract AssetRegistry is IAssetRegistry {
    using AssetRecord for bytes;

    /// What the owner may change.
    struct Mutable {
        address owner;
        address payout;
        string uri;
    }

    /// The arguments of a registration, in one word on the stack.
    struct Draft {
        uint64 prev;
        Kind kind;
        bytes32 contentRoot;
        string uri;
        Parent[] parents;
        uint32 upstreamPpb;
        uint32 floorPpb;
        bytes32 licence;
        address payout;
    }

    /// @inheritdoc IAssetRegistry
    uint64 public count;
    mapping(uint64 id => Mutable) private _mutable;

    modifier onlyOwner(uint64 id) {
        require(msg.sender == _mutable[id].owner, NotAssetOwner(id, msg.sender));
        _;
    }

    /// @inheritdoc IAssetRegistry
    function register(
        Kind kind,
        bytes32 contentRoot,
        string memory uri,
        Parent[] memory parents,
        uint32 upstreamPpb,
        uint32 floorPpb,
        bytes32 licence,
        address payout
    ) external returns (uint64 id) {
        return _register(Draft(0, kind, contentRoot, uri, parents, upstreamPpb, floorPpb, licence, payout));
    }

    /// @inheritdoc IAssetRegistry
    function newVersion(
        uint64 prev,
        Kind kind,
        bytes32 contentRoot,
        string memory uri,
        Parent[] memory parents,
        uint32 upstreamPpb,
        uint32 floorPpb,
        bytes32 licence,
        address payout
    ) external onlyOwner(prev) returns (uint64 id) {
        Kind was = AssetRecord.kindOf(prev);
        require(kind == was, KindChanged(was));
        id = _register(Draft(prev, kind, contentRoot, uri, parents, upstreamPpb, floorPpb, licence, payout));
        emit VersionAdded(prev, id);
    }

    /// @inheritdoc IAssetRegistry
    function setPayout(uint64 id, address payout) external onlyOwner(id) {
        require(payout != address(0), ZeroAddress());
        address was = _mutable[id].payout;

        _mutable[id].payout = payout;
        emit PayoutChanged(id, payout);

        IPoolLedger(Predeploys.POOL_LEDGER).replaceMember(id, was, payout);
    }

    /// @inheritdoc IAssetRegistry
    function setUri(uint64 id, string calldata uri) external onlyOwner(id) {
        _mutable[id].uri = uri;
        emit UriChanged(id, uri);
    }

    /// @inheritdoc IAssetRegistry
    function transferOwnership(uint64 id, address to) external onlyOwner(id) {
        require(to != address(0), ZeroAddress());
        _mutable[id].owner = to;
        emit OwnershipTransferred(id, msg.sender, to);
    }

    /// @inheritdoc IAssetRegistry
    function flattened(uint64 id) external view returns (bytes memory packed) {
        bytes memory record = AssetRecord.load(id);
        uint256 length = AssetRecord.ENTRY_SIZE * record.size();
        packed = new bytes(length);
        assembly ("memory-safe") {
            mcopy(add(packed, 0x20), add(add(record, 0x20), 6), length) // 6 is AssetRecord.VECTOR_AT
        }
    }

    /// @inheritdoc IAssetRegistry
    function asset(uint64 id) external view returns (Asset memory a) {
        bytes memory record = AssetRecord.load(id);
        a.kind = Kind(uint8(record[1]));
        a.depth = uint8(record.depth());
        a.parents = record.parents();
        uint256 head = record.wordAt(record.length - 80);
        a.upstreamPpb = uint32(head >> 224);
        a.floorPpb = uint32(head >> 192);
        a.prev = uint64(head >> 128);
        a.contentRoot = bytes32(record.wordAt(record.length - 64));
        a.licence = bytes32(record.wordAt(record.length - 32));
    }

    /// @inheritdoc IAssetRegistry
    function kindOf(uint64 id) external view returns (Kind) {
        return AssetRecord.kindOf(id);
    }

    /// @inheritdoc IAssetRegistry
    function ownerOf(uint64 id) external view returns (address) {
        return _mutable[id].owner;
    }

    /// @inheritdoc IAssetRegistry
    function payoutOf(uint64 id) external view returns (address) {
        return _mutable[id].payout;
    }

    /// @inheritdoc IAssetRegistry
    function uriOf(uint64 id) external view returns (string memory) {
        return _mutable[id].uri;
    }

    /// @inheritdoc IAssetRegistry
    function recordOf(uint64 id) external pure returns (address) {
        return AssetRecord.addressOf(id);
    }

    function _register(Draft memory d) private returns (uint64 id) {
        require(d.payout != address(0), ZeroAddress());
        require(_isFloor(d.floorPpb), BadFloor(d.floorPpb));
        if (d.upstreamPpb != 0) {
            uint32 max = IFeePolicy(Predeploys.FEE_POLICY).upstreamMaxPpb();
            require(d.upstreamPpb <= max, UpstreamTooLarge(d.upstreamPpb, max));
        }

        id = ++count;
        Lineage.Flattened memory f = Lineage.flatten(id, d.parents, d.upstreamPpb, d.floorPpb);
        address where = AssetRecord.store(_record(d, f));
        require(where == AssetRecord.addressOf(id), RecordMisplaced(where));

        Mutable storage m = _mutable[id];
        m.owner = msg.sender;
        m.payout = d.payout;
        m.uri = d.uri;

        emit AssetRegistered(id, msg.sender, d.kind, d.contentRoot, d.upstreamPpb, d.floorPpb, f.packed);
        for (uint256 j = 0; j < d.parents.length; ++j) {
            emit LineageEdge(id, d.parents[j].id, d.parents[j].weightPpb, d.parents[j].edge);
        }
        emit PayoutChanged(id, d.payout);
        emit UriChanged(id, d.uri);

        IPoolLedger(Predeploys.POOL_LEDGER).open(id, d.payout);
    }

    /// @dev AssetRecord has the byte table.
    function _record(Draft memory d, Lineage.Flattened memory f) private pure returns (bytes memory record) {
        bytes memory head = abi.encodePacked(
            bytes1(0x00),
            uint8(d.kind),
            uint8(f.depth),
            uint8(f.packed.length / AssetRecord.ENTRY_SIZE),
            uint8(f.floors.length / AssetRecord.FLOOR_SIZE),
            uint8(d.parents.length)
        );
        bytes memory edges = "";
        for (uint256 j = 0; j < d.parents.length; ++j) {
            Parent memory p = d.parents[j];
            edges = abi.encodePacked(edges, p.id, p.weightPpb, uint8(p.edge));
        }
        bytes memory tail = abi.encodePacked(d.upstreamPpb, d.floorPpb, d.prev, d.contentRoot, d.licence);
        return bytes.concat(head, f.packed, f.floors, edges, tail);
    }

    /// @dev A floor below the pruning limit could be pruned; one above the largest upstream part forbids descendants
    ///      whatever they do, which the licence may say but the books need not.
    function _isFloor(uint32 ppb) private pure returns (bool) {
        return ppb == 0 || (ppb >= Lineage.MIN_SHARE_PPB && ppb <= 500_000_000);
    }
}
