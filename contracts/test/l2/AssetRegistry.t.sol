// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {AssetRecord} from "src/l2/AssetRecord.sol";
import {IAssetRegistry} from "src/l2/IAssetRegistry.sol";
import {Pools} from "src/l2/Pools.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {L2Test} from "./L2Test.sol";

contract AssetRegistryTest is L2Test {
    IAssetRegistry.Kind private constant MODEL = IAssetRegistry.Kind.BASE_MODEL;

    address private immutable alice = makeAddr("alice");
    address private immutable bob = makeAddr("bob");

    // What a record says

    function testFuzz_record_keepsWhatWasDeclared(
        uint8 kind,
        bytes32 contentRoot,
        string memory uri,
        uint32 upstream,
        uint32 floor,
        bytes32 licence,
        address owner
    ) public {
        vm.assume(owner != address(0));
        (uint64 a, uint64 b) = (root(alice), root(bob));
        IAssetRegistry.Kind k = IAssetRegistry.Kind(bound(kind, 0, 6));
        upstream = uint32(bound(upstream, 10_000_000, 300_000_000));
        floor = uint32(bound(floor, 1_000_000, 500_000_000));
        IAssetRegistry.Parent[] memory parents = new IAssetRegistry.Parent[](2);
        parents[0] = IAssetRegistry.Parent(a, 400_000_000, IAssetRegistry.Edge.TRAINED_ON);
        parents[1] = IAssetRegistry.Parent(b, 600_000_000, IAssetRegistry.Edge.WRAPS);

        vm.prank(owner);
        uint64 id = REGISTRY.register(k, contentRoot, uri, parents, upstream, floor, licence, bob);

        IAssetRegistry.Asset memory asset = REGISTRY.asset(id);
        assertEq(uint8(asset.kind), uint8(k));
        assertEq(asset.contentRoot, contentRoot);
        assertEq(asset.licence, licence);
        assertEq(asset.upstreamPpb, upstream);
        assertEq(asset.floorPpb, floor);
        assertEq(asset.prev, 0);
        assertEq(asset.depth, 1);
        assertEq(keccak256(abi.encode(asset.parents)), keccak256(abi.encode(parents)));
        assertEq(REGISTRY.uriOf(id), uri);
        assertEq(REGISTRY.ownerOf(id), owner);
        assertEq(REGISTRY.payoutOf(id), bob);
        assertEq(uint8(REGISTRY.kindOf(id)), uint8(k));
        assertEq(REGISTRY.count(), id);
        assertEq(LEDGER.unitsOf(id, bob), LEDGER.totalUnits(id));
    }

    function testFuzz_recordOf_isWhereCreatePutsIt(uint64 id) public pure {
        vm.assume(id != 0);
        assertEq(AssetRecord.addressOf(id), vm.computeCreateAddress(Predeploys.ASSET_REGISTRY, id));
    }

    function test_recordOf_atTheEdgesOfRlp() public pure {
        uint64[6] memory ids = [1, 0x7f, 0x80, 0xff, 0x100, type(uint64).max - 1];
        for (uint256 i = 0; i < ids.length; ++i) {
            assertEq(AssetRecord.addressOf(ids[i]), vm.computeCreateAddress(Predeploys.ASSET_REGISTRY, ids[i]));
        }
    }

    function test_register_afterTwoHundredOthers_findsItsRecord() public {
        uint64 id;
        for (uint256 i = 0; i < 200; ++i) {
            id = root(alice);
        }
        assertEq(share(id, id), 1e9);
    }

    function test_register_withTheWrongGenesisNonce_reverts() public {
        vm.setNonceUnsafe(Predeploys.ASSET_REGISTRY, 0);
        vm.expectRevert(
            abi.encodeWithSelector(
                IAssetRegistry.RecordMisplaced.selector, vm.computeCreateAddress(Predeploys.ASSET_REGISTRY, 0)
            )
        );
        REGISTRY.register(MODEL, 0, "", new IAssetRegistry.Parent[](0), 0, 0, 0, alice);
    }

    function test_record_cannotBeCalledToAnyEffect() public {
        address record = REGISTRY.recordOf(root(alice));
        (bool ok, bytes memory answer) = record.call(hex"12345678");
        assertTrue(ok);
        assertEq(answer.length, 0);
    }

    function test_unknownAsset_reverts() public {
        bytes memory unknown = abi.encodeWithSelector(IAssetRegistry.UnknownAsset.selector, 9);
        vm.expectRevert(unknown);
        REGISTRY.flattened(9);
        vm.expectRevert(unknown);
        REGISTRY.asset(9);
        vm.expectRevert(unknown);
        REGISTRY.kindOf(9);
        assertEq(REGISTRY.ownerOf(9), address(0));
    }

    function test_register_tellsTheIndexer() public {
        uint64 a = root(alice);
        IAssetRegistry.Parent[] memory parents = equal(list(a));
        vm.expectEmit(address(REGISTRY));
        emit IAssetRegistry.AssetRegistered(
            a + 1,
            bob,
            MODEL,
            "content",
            250_000_000,
            0,
            abi.encodePacked(a, uint32(250_000_000), a + 1, uint32(750_000_000))
        );
        vm.expectEmit(address(REGISTRY));
        emit IAssetRegistry.LineageEdge(a + 1, a, 1e9, IAssetRegistry.Edge.DERIVED);
        vm.prank(bob);
        REGISTRY.register(MODEL, "content", "", parents, 250_000_000, 0, 0, bob);
    }

    // Flattening

    function test_root_earnsAll() public {
        uint64 a = root(alice);
        assertEq(REGISTRY.flattened(a), abi.encodePacked(a, uint32(1e9)));
    }

    function test_chain_multipliesShares() public {
        uint64 a = root(alice);
        uint64 b = derived(bob, list(a), 300_000_000);
        uint64 c = derived(bob, list(b), 200_000_000);
        assertEq(share(c, a), 60_000_000);
        assertEq(share(c, b), 140_000_000);
        assertEq(share(c, c), 800_000_000);
        assertEq(REGISTRY.asset(c).depth, 2);
    }

    function test_diamond_addsUpWhatComesTwoWays() public {
        uint64 a = root(alice);
        uint64 b = derived(bob, list(a), 300_000_000);
        uint64 c = derived(bob, list(a), 100_000_000);
        uint64 d = derived(bob, list(b, c), 200_000_000);
        assertEq(share(d, a), 40_000_000); // 10 % * 30 % + 10 % * 10 %
        assertEq(share(d, b), 70_000_000);
        assertEq(share(d, c), 90_000_000);
    }

    /// A trained on B, which was trained on A: the first version of A is an ancestor, the second a descendant.
    function test_modelsTrainedOnEachOther_areAChainOfVersions() public {
        uint64 a1 = root(alice);
        uint64 b1 = derived(bob, list(a1), 300_000_000);
        vm.prank(alice);
        uint64 a2 = REGISTRY.newVersion(a1, MODEL, "2", "", equal(list(b1)), 200_000_000, 0, 0, alice);
        assertEq(REGISTRY.asset(a2).prev, a1);
        (uint64[] memory ids,) = vectorOf(a2);
        assertEq(ids.length, 3);
        assertEq(share(a2, a1), 60_000_000);
        assertEq(share(a2, b1), 140_000_000);
        assertEq(share(a2, a2), 800_000_000);
    }

    function test_pruned_goesToTheParentItCameThrough() public {
        uint64 a = root(alice);
        uint64 b = derived(bob, list(a), 5_000_000); // 0.5 %
        uint64 other = root(alice);
        uint64 c = derived(bob, list(b, other), 200_000_000);
        // a's part of c would be 10 % * 0.5 % = 0.05 %.
        assertEq(share(c, a), 0);
        assertEq(share(c, b), 100_000_000);
        assertEq(share(c, other), 100_000_000);
        assertEq(share(c, c), 800_000_000);
    }

    function test_parents_areNeverPruned() public {
        uint64 a = root(alice);
        uint64 b = derived(bob, list(a), 300_000_000);
        // Through b comes exactly 0.1 %, of which b's own part is 0.07 %.
        uint64 c = derived(bob, list(b), 1_000_000);
        assertEq(share(c, a), 0);
        assertEq(share(c, b), 1_000_000);
    }

    function test_syntheticParent_countsHalf() public {
        IAssetRegistry.Parent[] memory parents = equal(list(root(alice), root(bob)));
        parents[1].edge = IAssetRegistry.Edge.SYNTHETIC_FROM;
        vm.prank(alice);
        uint64 id = REGISTRY.register(MODEL, 0, "", parents, 300_000_000, 0, 0, alice);
        assertEq(share(id, parents[0].id), 200_000_000);
        assertEq(share(id, parents[1].id), 100_000_000);
        assertEq(share(id, id), 700_000_000); // The child gains nothing by the label.
    }

    function test_lineageWithoutRoyalties_isRecorded() public {
        uint64 a = root(alice);
        uint64 b = derived(bob, list(a), 0);
        assertEq(share(b, b), 1e9);
        assertEq(REGISTRY.asset(b).parents[0].id, a);
        assertEq(REGISTRY.asset(b).depth, 1);
    }

    function test_eightParentsOfSixtyFour_fitIntoSixtyFour() public {
        uint64[] memory parents = new uint64[](8);
        for (uint256 i = 0; i < 8; ++i) {
            uint64[] memory grand = new uint64[](7);
            for (uint256 j = 0; j < 7; ++j) {
                uint64[] memory roots = new uint64[](8);
                for (uint256 l = 0; l < 8; ++l) {
                    roots[l] = root(alice);
                }
                grand[j] = derived(alice, roots, 300_000_000);
            }
            parents[i] = derived(alice, grand, 300_000_000);
        }
        uint64 id = derived(bob, parents, 300_000_000);
        _checkVector(id);
        for (uint256 i = 0; i < 8; ++i) {
            assertEq(share(id, parents[i]) / 1000, 37_500); // All of its branch but what rounding leaves.
        }
    }

    // Floors

    function test_dummyLayer_isRejected() public {
        uint64 a = root(alice, MODEL, 50_000_000); // 5 %
        uint64 layer1 = derived(bob, list(a), 100_000_000);
        assertEq(share(layer1, a), 100_000_000);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.BelowFloor.selector, a, 10_000_000, 50_000_000));
        this.derivedBy(bob, list(layer1), 100_000_000);
        // Naming the ancestor beside the layer satisfies it.
        uint64 honest = derived(bob, list(a, layer1), 100_000_000);
        assertGe(share(honest, a), 50_000_000);
    }

    function test_floor_reachesEveryDepth() public {
        uint64 id = root(alice, MODEL, 1_000_000);
        uint64 a = id;
        for (uint256 i = 0; i < 5; ++i) {
            id = derived(bob, list(id), 300_000_000);
        }
        assertEq(share(id, a), 2_430_000);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.BelowFloor.selector, a, 729_000, 1_000_000));
        this.derivedBy(bob, list(id), 300_000_000);
    }

    function test_floorAboveWhatAnyChildMayPass_forbidsDescendants() public {
        uint64 a = root(alice, MODEL, 500_000_000);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.BelowFloor.selector, a, 300_000_000, 500_000_000));
        this.derivedBy(bob, list(a), 300_000_000);
    }

    function test_moreThanSixtyFourWithFloors_reverts() public {
        uint64[] memory parents = new uint64[](8);
        for (uint256 i = 0; i < 8; ++i) {
            uint64[] memory roots = new uint64[](8);
            for (uint256 j = 0; j < 8; ++j) {
                roots[j] = root(alice, MODEL, 1_000_000);
            }
            parents[i] = derived(alice, roots, 300_000_000);
        }
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.TooManyBeneficiaries.selector, 73));
        this.derivedBy(bob, parents, 300_000_000);
    }

    /// 40 runs of 25 make 1,000 registrations with random parents, weights, edges, parts and floors. What the registry
    /// refuses must break a floor, or the limit of depth.
    /// forge-config: default.fuzz.runs = 40
    function testFuzz_randomLineages_keepTheInvariants(uint256 seed) public {
        for (uint256 i = 0; i < 25; ++i) {
            uint64 next = REGISTRY.count() + 1;
            uint256 r = uint256(keccak256(abi.encode(seed, i)));
            IAssetRegistry.Parent[] memory parents = _randomParents(r, next);
            uint32 upstream = parents.length == 0 ? 0 : uint32(80_000_000 + (r >> 8) % 220_000_001);
            uint32 floor = (r >> 40) % 4 == 0 ? uint32(1_000_000 + (r >> 48) % 20_000_000) : 0;
            try REGISTRY.register(MODEL, bytes32(r), "", parents, upstream, floor, 0, alice) returns (uint64 id) {
                assertEq(id, next);
                assertEq(share(id, id), 1e9 - upstream);
                _checkVector(id);
                for (uint256 j = 0; j < parents.length; ++j) {
                    assertGt(share(id, parents[j].id), 0);
                }
            } catch (bytes memory reason) {
                bytes4 why = bytes4(reason);
                assertTrue(why == IAssetRegistry.BelowFloor.selector || why == IAssetRegistry.TooDeep.selector);
            }
        }
    }

    // What is refused

    function test_register_badParents_reverts() public {
        (uint64 a, uint64 b) = (root(alice), root(alice));
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.UnknownAsset.selector, 3));
        this.derivedBy(alice, list(a, 3), 100_000_000); // 3 would be the new id itself.
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.ParentsNotAscending.selector, a));
        this.derivedBy(alice, list(b, a), 100_000_000);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.ParentsNotAscending.selector, a));
        this.derivedBy(alice, list(a, a), 100_000_000);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.ParentsNotAscending.selector, 0));
        this.derivedBy(alice, list(0), 100_000_000);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.TooManyParents.selector, 9));
        this.derivedBy(alice, new uint64[](9), 100_000_000);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.ParentTooSmall.selector, a, 999_999));
        this.derivedBy(alice, list(a, b), 1_999_999);

        IAssetRegistry.Parent[] memory parents = equal(list(a, b));
        parents[1].weightPpb += 1;
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.BadWeights.selector, 1e9 + 1));
        REGISTRY.register(MODEL, 0, "", parents, 100_000_000, 0, 0, alice);
    }

    function test_register_badParts_reverts() public {
        uint64 a = root(alice);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.UpstreamTooLarge.selector, 300_000_001, 300_000_000));
        this.derivedBy(alice, list(a), 300_000_001);
        vm.expectRevert(IAssetRegistry.UpstreamWithoutParents.selector);
        this.derivedBy(alice, new uint64[](0), 1);
        IAssetRegistry.Parent[] memory none = new IAssetRegistry.Parent[](0);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.BadFloor.selector, 999_999));
        REGISTRY.register(MODEL, 0, "", none, 0, 999_999, 0, alice);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.BadFloor.selector, 500_000_001));
        REGISTRY.register(MODEL, 0, "", none, 0, 500_000_001, 0, alice);
        vm.expectRevert(IAssetRegistry.ZeroAddress.selector);
        REGISTRY.register(MODEL, 0, "", none, 0, 0, 0, address(0));
    }

    function test_register_deeperThanSixteen_reverts() public {
        uint64 id = root(alice);
        for (uint256 i = 0; i < 16; ++i) {
            id = derived(alice, list(id), 300_000_000);
        }
        assertEq(REGISTRY.asset(id).depth, 16);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.TooDeep.selector, 17));
        this.derivedBy(alice, list(id), 300_000_000);
    }

    function test_newVersion_rules() public {
        uint64 a = root(alice);
        IAssetRegistry.Parent[] memory none = new IAssetRegistry.Parent[](0);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.NotAssetOwner.selector, a, bob));
        vm.prank(bob);
        REGISTRY.newVersion(a, MODEL, 0, "", none, 0, 0, 0, bob);
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.KindChanged.selector, MODEL));
        REGISTRY.newVersion(a, IAssetRegistry.Kind.AGENT, 0, "", none, 0, 0, 0, bob);
        vm.expectEmit(address(REGISTRY));
        emit IAssetRegistry.VersionAdded(a, a + 1);
        REGISTRY.newVersion(a, MODEL, 0, "", none, 0, 0, 0, bob);
    }

    // What the owner may change

    function test_setPayout_movesLaterEarningsOnly() public {
        uint64 a = root(alice);
        _pay(a, 1 ether);
        uint256 earned = LEDGER.claimable(a, alice);
        assertGt(earned, 0);

        vm.prank(alice);
        REGISTRY.setPayout(a, bob);
        _pay(a, 1 ether);
        assertEq(LEDGER.claimable(a, alice), earned);
        assertEq(LEDGER.claimable(a, bob), earned);
        assertEq(REGISTRY.payoutOf(a), bob);
    }

    function test_setPayout_afterControlWasHandedOver_leavesThePoolAlone() public {
        uint64 a = root(alice);
        vm.prank(alice);
        LEDGER.setController(a, bob);
        vm.prank(alice);
        REGISTRY.setPayout(a, makeAddr("carol"));
        assertEq(LEDGER.unitsOf(a, alice), 1 << 20);
    }

    function test_ownersRights_areTheOwnersAlone() public {
        uint64 a = root(alice);
        vm.startPrank(bob);
        bytes memory refusal = abi.encodeWithSelector(IAssetRegistry.NotAssetOwner.selector, a, bob);
        vm.expectRevert(refusal);
        REGISTRY.setPayout(a, bob);
        vm.expectRevert(refusal);
        REGISTRY.setUri(a, "x");
        vm.expectRevert(refusal);
        REGISTRY.transferOwnership(a, bob);
        vm.stopPrank();

        vm.prank(alice);
        REGISTRY.transferOwnership(a, bob);
        assertEq(LEDGER.controllerOf(a), bob);
        vm.prank(bob);
        REGISTRY.setUri(a, "x");
        assertEq(REGISTRY.uriOf(a), "x");
    }

    function derivedBy(address owner, uint64[] memory parents, uint32 upstreamPpb) external returns (uint64) {
        return derived(owner, parents, upstreamPpb);
    }

    function _pay(uint64 id, uint256 amount) private {
        vm.deal(address(this), amount);
        ROUTER.pay{value: amount}(id, 0, 0, 0);
    }

    function _checkVector(uint64 id) private view {
        (uint64[] memory ids, uint256[] memory ppb) = vectorOf(id);
        assertLe(ids.length, 64);
        uint256 sum = 0;
        for (uint256 i = 0; i < ids.length; ++i) {
            if (i != 0) assertGt(ids[i], ids[i - 1]);
            assertGe(ppb[i], REGISTRY.asset(ids[i]).floorPpb);
            sum += ppb[i];
        }
        assertEq(ids[ids.length - 1], id);
        assertEq(sum, 1e9);
    }

    function _randomParents(uint256 r, uint64 next) private pure returns (IAssetRegistry.Parent[] memory parents) {
        uint256 count = (r >> 80) % 9;
        if (count > next - 1) count = next - 1;
        parents = new IAssetRegistry.Parent[](count);
        uint64 from = 1;
        uint32 left = 1e9;
        for (uint256 j = 0; j < count; ++j) {
            uint256 q = uint256(keccak256(abi.encode(r, j)));
            uint64 last = uint64(next - (count - j)); // Leaves room for those that follow.
            uint64 id = from + uint64(q % (last - from + 1));
            // At least a thirtieth each: of 8 %, and halved for a synthetic parent, that is still above 0.1 %.
            uint32 weight = j + 1 == count ? left : uint32(33_333_333 + (q >> 64) % (left / (count - j) - 33_333_332));
            parents[j] = IAssetRegistry.Parent(id, weight, IAssetRegistry.Edge((q >> 128) % 6));
            from = id + 1;
            left -= weight;
        }
    }
}
