// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";

import {AssetRegistry} from "src/l2/AssetRegistry.sol";
import {FeePolicy} from "src/l2/FeePolicy.sol";
import {FeeVault} from "src/l2/FeeVault.sol";
import {IAssetRegistry} from "src/l2/IAssetRegistry.sol";
import {L1Info} from "src/l2/L1Info.sol";
import {L2ToL1MessagePasser} from "src/l2/L2ToL1MessagePasser.sol";
import {PoolLedger} from "src/l2/PoolLedger.sol";
import {Pools} from "src/l2/Pools.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {RevenueRouter} from "src/l2/RevenueRouter.sol";
import {WrappedOpen} from "src/l2/WrappedOpen.sol";

/// @notice L2 as genesis leaves it: runtime code, nonces, and the storage that src/l2/README.md lists.
abstract contract L2Test is Test {
    L1Info internal constant L1_INFO = L1Info(Predeploys.L1_INFO);
    L2ToL1MessagePasser internal constant PASSER = L2ToL1MessagePasser(payable(Predeploys.MESSAGE_PASSER));
    FeeVault internal constant VAULT = FeeVault(payable(Predeploys.BASE_FEE_VAULT));
    WrappedOpen internal constant WOPEN = WrappedOpen(payable(Predeploys.WRAPPED_OPEN));
    AssetRegistry internal constant REGISTRY = AssetRegistry(Predeploys.ASSET_REGISTRY);
    RevenueRouter internal constant ROUTER = RevenueRouter(Predeploys.REVENUE_ROUTER);
    PoolLedger internal constant LEDGER = PoolLedger(Predeploys.POOL_LEDGER);
    FeePolicy internal constant POLICY = FeePolicy(Predeploys.FEE_POLICY);

    address internal immutable governance = makeAddr("governance");
    address internal immutable feeRecipient = makeAddr("feeRecipient");

    function setUp() public virtual {
        _place(Predeploys.L1_INFO, type(L1Info).runtimeCode);
        _place(Predeploys.MESSAGE_PASSER, type(L2ToL1MessagePasser).runtimeCode);
        _place(Predeploys.PRIORITY_FEE_VAULT, type(FeeVault).runtimeCode);
        _place(Predeploys.BASE_FEE_VAULT, type(FeeVault).runtimeCode);
        _place(Predeploys.DATA_FEE_VAULT, type(FeeVault).runtimeCode);
        _place(Predeploys.WRAPPED_OPEN, type(WrappedOpen).runtimeCode);
        _place(Predeploys.ASSET_REGISTRY, type(AssetRegistry).runtimeCode);
        _place(Predeploys.REVENUE_ROUTER, type(RevenueRouter).runtimeCode);
        _place(Predeploys.POOL_LEDGER, type(PoolLedger).runtimeCode);
        _place(Predeploys.FEE_POLICY, type(FeePolicy).runtimeCode);

        _store(Predeploys.PRIORITY_FEE_VAULT, 0, uint160(feeRecipient));
        _store(Predeploys.BASE_FEE_VAULT, 0, uint160(feeRecipient));
        _store(Predeploys.DATA_FEE_VAULT, 0, uint160(feeRecipient));
        _store(Predeploys.FEE_POLICY, 0, uint160(governance));
        _store(Predeploys.FEE_POLICY, 2, 0x01c9c3800098968000989680);
        _store(Predeploys.FEE_POLICY, 3, 0x11e1a300);
        vm.warp(1_800_000_000);
    }

    /// @notice A version without parents, owned and paid to by `owner`.
    function root(address owner) internal returns (uint64) {
        return root(owner, IAssetRegistry.Kind.BASE_MODEL, 0);
    }

    function root(address owner, IAssetRegistry.Kind kind, uint32 floorPpb) internal returns (uint64) {
        vm.prank(owner);
        return REGISTRY.register(kind, "content", "ipfs://root", new IAssetRegistry.Parent[](0), 0, floorPpb, 0, owner);
    }

    /// @notice A version derived from `parents` with equal weights.
    function derived(address owner, uint64[] memory parents, uint32 upstreamPpb) internal returns (uint64) {
        vm.prank(owner);
        return REGISTRY.register(
            IAssetRegistry.Kind.ADAPTER, "content", "ipfs://derived", equal(parents), upstreamPpb, 0, 0, owner
        );
    }

    /// @notice Parents with equal weights, the last taking the rest.
    function equal(uint64[] memory ids) internal pure returns (IAssetRegistry.Parent[] memory parents) {
        parents = new IAssetRegistry.Parent[](ids.length);
        uint32 left = 1e9;
        for (uint256 i = 0; i < ids.length; ++i) {
            uint32 weight = i + 1 == ids.length ? left : uint32(1e9 / ids.length);
            parents[i] = IAssetRegistry.Parent(ids[i], weight, IAssetRegistry.Edge.DERIVED);
            left -= weight;
        }
    }

    function list(uint64 a) internal pure returns (uint64[] memory ids) {
        ids = new uint64[](1);
        ids[0] = a;
    }

    function list(uint64 a, uint64 b) internal pure returns (uint64[] memory ids) {
        ids = new uint64[](2);
        (ids[0], ids[1]) = (a, b);
    }

    /// @notice What `id` has in the vector of `asset`.
    function share(uint64 asset, uint64 id) internal view returns (uint256) {
        (uint64[] memory ids, uint256[] memory ppb) = vectorOf(asset);
        for (uint256 i = 0; i < ids.length; ++i) {
            if (ids[i] == id) return ppb[i];
        }
        return 0;
    }

    function vectorOf(uint64 id) internal view returns (uint64[] memory ids, uint256[] memory ppb) {
        bytes memory packed = REGISTRY.flattened(id);
        uint256 n = packed.length / 12;
        ids = new uint64[](n);
        ppb = new uint256[](n);
        for (uint256 i = 0; i < n; ++i) {
            uint256 word;
            assembly {
                word := mload(add(add(packed, 0x20), mul(12, i)))
            }
            (ids[i], ppb[i]) = (uint64(word >> 192), uint32(word >> 160));
        }
    }

    function _place(address where, bytes memory code) private {
        vm.etch(where, code);
        vm.setNonceUnsafe(where, 1);
        vm.label(where, vm.toString(where));
    }

    function _store(address where, uint256 slot, uint256 value) internal {
        vm.store(where, bytes32(slot), bytes32(value));
    }
}
