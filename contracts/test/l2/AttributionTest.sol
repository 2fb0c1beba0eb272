// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Datanet} from "src/l2/Datanet.sol";
import {IAssetRegistry} from "src/l2/IAssetRegistry.sol";
import {IDatanet} from "src/l2/IDatanet.sol";
import {Methods} from "src/l2/Methods.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {L2Test} from "./L2Test.sol";
import {Trees} from "./Trees.sol";

/// @notice L2 with Datanets: an owner, contributors, curators, and batches of four rows.
abstract contract AttributionTest is L2Test {
    Datanet internal constant DATANETS = Datanet(Predeploys.DATANET);

    bytes32 internal constant LICENCE = "cc-by";
    uint80 internal constant BOND = 1 ether;
    uint64 internal constant REVIEW_PAY = 0.1 ether;
    uint96 internal constant CURATOR_BOND = 100 ether;

    address internal immutable owner = makeAddr("owner");
    address internal immutable ann = makeAddr("ann");
    address internal immutable ben = makeAddr("ben");
    uint64 internal datanet;

    function setUp() public virtual override {
        super.setUp();
        _stand(Predeploys.DATANET, type(Datanet).runtimeCode);
        vm.deal(owner, 1000 ether);
        vm.deal(ann, 1000 ether);
        vm.deal(ben, 1000 ether);
        datanet = _create(_terms());
        vm.prank(owner);
        DATANETS.fund{value: 100 ether}(datanet);
    }

    function _stand(address where, bytes memory code) internal {
        vm.etch(where, code);
        vm.setNonceUnsafe(where, 1);
        vm.label(where, vm.toString(where));
    }

    function _terms() internal pure returns (IDatanet.Terms memory) {
        return IDatanet.Terms({
            bond: BOND,
            reviewPay: REVIEW_PAY,
            lambdaPpb: 200_000_000,
            ownerPpb: 100_000_000,
            method: Methods.STATED,
            dupPenaltyPercent: 10
        });
    }

    function _create(IDatanet.Terms memory terms) internal returns (uint64) {
        vm.prank(owner);
        return DATANETS.create("ipfs://datanet", LICENCE, 0, owner, CURATOR_BOND, terms);
    }

    /// @notice Five curators at seats 0 to 4.
    function _seatCurators() internal returns (address[5] memory curators) {
        for (uint8 i = 0; i < 5; ++i) {
            curators[i] = makeAddr(string.concat("curator", vm.toString(i)));
            _seat(curators[i]);
        }
    }

    function _seat(address curator) internal returns (uint8) {
        vm.deal(curator, CURATOR_BOND);
        vm.prank(owner);
        DATANETS.appoint(datanet, curator, true);
        vm.prank(curator);
        return DATANETS.join{value: CURATOR_BOND}(datanet);
    }

    /// @notice A batch of four rows of 250 tokens each; the same seed gives the same rows.
    function _submit(address contributor, uint256 seed) internal returns (uint256) {
        bytes32 rowsRoot = Trees.root(_rows(contributor, seed)).hash;
        vm.prank(contributor);
        return DATANETS.submitBatch{value: BOND}(datanet, rowsRoot, 4, 1000, LICENCE, "da");
    }

    function _accept(address contributor, uint256 seed) internal returns (uint256 batch) {
        batch = _submit(contributor, seed);
        vm.prank(owner);
        DATANETS.acceptByOwner(batch, 1000, 0);
    }

    function _rows(address contributor, uint256 seed) internal pure returns (Trees.Leaf[] memory rows) {
        rows = new Trees.Leaf[](4);
        for (uint256 i = 0; i < 4; ++i) {
            rows[i] = Trees.Leaf(keccak256(abi.encodePacked(uint8(0), contributor, _row(seed, i))), 250);
        }
    }

    function _row(uint256 seed, uint256 i) internal pure returns (bytes32) {
        return keccak256(abi.encode("row", seed, i));
    }

    /// @notice A younger L1 block than any submission so far.
    function _anchor(bytes32 hash) internal {
        vm.prank(Predeploys.SYSTEM_CALLER);
        L1_INFO.setL1Info(1, uint64(block.timestamp + 1), 0, 0, hash, 0, 0);
    }

    function _snapshot() internal returns (uint64) {
        bytes32 journal = DATANETS.netOf(datanet).journal;
        vm.prank(owner);
        return DATANETS.snapshot(datanet, "text", "sa", 1000, "program", journal, "ipfs://snapshot");
    }

    /// @notice A model that passes 30 % upstream, all of it to `parent`.
    function _model(address builder, uint64 parent) internal returns (uint64) {
        IAssetRegistry.Parent[] memory parents = new IAssetRegistry.Parent[](1);
        parents[0] = IAssetRegistry.Parent(parent, 1e9, IAssetRegistry.Edge.TRAINED_ON);
        vm.prank(builder);
        return
            REGISTRY.register(IAssetRegistry.Kind.ADAPTER, "model", "ipfs://model", parents, 300_000_000, 0, 0, builder);
    }
}
