// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {AttributionSettlement} from "src/l2/AttributionSettlement.sol";
import {Entry} from "src/l2/Entry.sol";
import {IAttributionSettlement} from "src/l2/IAttributionSettlement.sol";
import {IReceipts} from "src/l2/IReceipts.sol";
import {Methods} from "src/l2/Methods.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {InferenceReceipt} from "src/l2/Receipt.sol";
import {Receipts} from "src/l2/Receipts.sol";
import {AttributionTest} from "./AttributionTest.sol";
import {Ledgers} from "./Ledgers.sol";
import {PaidVouchers} from "./PaidVouchers.sol";
import {Trees} from "./Trees.sol";

/// @notice An operator with keys and a bond, a snapshot with a pot, a model above it; and an honest operator's and an
///         honest merger's books, which tests then falsify.
abstract contract EpochsTest is AttributionTest {
    Receipts internal constant RECEIPTS = Receipts(Predeploys.RECEIPTS);
    AttributionSettlement internal constant SETTLEMENT =
        AttributionSettlement(payable(Predeploys.ATTRIBUTION_SETTLEMENT));
    PaidVouchers internal constant PAID = PaidVouchers(Predeploys.SPEND_ACCOUNT);

    uint64 internal constant CHALLENGE_S = 1 days;
    /// 1 - protocol 1 % - burn 1 % - stakers 3 % - operator 45 %. The stakers' counts though there are none.
    uint32 internal constant LINEAGE_PPB = 500_000_000;

    address internal operatorOwner;
    uint256 internal operatorKey;
    address internal immutable merger = makeAddr("merger");
    address internal immutable challenger = makeAddr("challenger");
    uint32 internal operator;
    uint64 internal version;
    uint64 internal model;

    /// What an operator keeps of an epoch.
    struct Made {
        uint32 operatorId;
        uint64 epoch;
        InferenceReceipt[] receipts;
        uint256[][] vectors;
        /// Of the one part, for `version`.
        Entry[] entries;
        uint32 lineagePpb;
    }

    function setUp() public virtual override {
        super.setUp();
        _stand(Predeploys.RECEIPTS, type(Receipts).runtimeCode);
        _stand(Predeploys.ATTRIBUTION_SETTLEMENT, type(AttributionSettlement).runtimeCode);
        _stand(Predeploys.SPEND_ACCOUNT, type(PaidVouchers).runtimeCode);
        _store(Predeploys.RECEIPTS, 1, CHALLENGE_S);
        (operatorOwner, operatorKey) = makeAddrAndKey("operator");
        operator = _operator(operatorOwner);
        vm.deal(merger, 1000 ether);
        _accept(ann, 1);
        _accept(ben, 2);
        version = _snapshot();
        model = _model(makeAddr("builder"), version);
    }

    function _operator(address who) internal returns (uint32 id) {
        vm.prank(who);
        id = ROUTER.registerOperator(who, 450_000_000);
        vm.deal(address(this), 1000 ether);
        RECEIPTS.depositBond{value: 1000 ether}(id);
    }

    function _now() internal view returns (uint64) {
        return uint64(block.timestamp / 600);
    }

    /// @notice `n` calls of the model at one OPEN each, paid in the present epoch: ann has 60 % of each, ben 30 %.
    function _serve(uint32 operatorId, uint256 n) internal returns (Made memory m) {
        (m.operatorId, m.epoch, m.lineagePpb) = (operatorId, _now(), LINEAGE_PPB);
        m.receipts = new InferenceReceipt[](n);
        m.vectors = new uint256[][](n);
        for (uint256 i = 0; i < n; ++i) {
            uint256[] memory vector = new uint256[](2);
            (uint256 a, uint256 b) = (_word(version, ann, 600_000_000), _word(version, ben, 300_000_000));
            (vector[0], vector[1]) = a < b ? (a, b) : (b, a);
            m.vectors[i] = vector;
            InferenceReceipt memory r = m.receipts[i];
            // Ids ascend within an epoch, and none is used twice.
            r.receiptId = bytes32(uint256(model) << 192 | uint256(operatorId) << 128 | uint256(m.epoch) << 64 | i);
            r.assetId = model;
            r.operatorId = operatorId;
            r.price = 1 ether;
            r.tokIn = 10;
            r.tokOut = 20;
            r.tsMs = uint64(block.timestamp * 1000);
            r.attrMethod = Methods.STATED;
            r.attrHash = keccak256(abi.encodePacked(vector));
        }
        m.entries = _attribute(m);
        _paid(m);
    }

    /// @notice The entries that follow from the receipts.
    function _attribute(Made memory m) internal view returns (Entry[] memory entries) {
        uint256 snapshotShare = share(model, version);
        for (uint256 i = 0; i < m.receipts.length; ++i) {
            for (uint256 j = 0; j < m.vectors[i].length; ++j) {
                uint256 word = m.vectors[i][j];
                uint256 amount = uint256(m.receipts[i].price) * m.lineagePpb * snapshotShare * 200_000_000;
                amount = amount * uint32(word) / 1e36;
                entries = Ledgers.add(entries, Entry(address(uint160(word >> 32)), uint40(i), uint128(amount)));
            }
        }
    }

    /// @notice Vouchers are claimed and routed.
    function _paid(Made memory m) internal {
        uint128 sum = _priceSum(m);
        vm.deal(address(this), sum);
        ROUTER.pay{value: sum}(model, m.operatorId, 0, "vouchers");
        PAID.add(m.operatorId, model, m.epoch, sum, uint64(m.receipts.length));
    }

    function _priceSum(Made memory m) internal pure returns (uint96 sum) {
        for (uint256 i = 0; i < m.receipts.length; ++i) {
            sum += m.receipts[i].price;
        }
    }

    function _post(Made memory m) internal {
        vm.prank(operatorOwner);
        SETTLEMENT.postEpoch(_header(m), _parts(m));
    }

    function _finalize(Made memory m) internal {
        SETTLEMENT.finalizeEpoch(m.operatorId, m.epoch, _parts(m));
    }

    function _header(Made memory m) internal pure returns (IReceipts.Post memory) {
        return IReceipts.Post({
            operatorId: m.operatorId,
            epoch: m.epoch,
            receiptsRoot: Trees.root(_receiptLeaves(m)).hash,
            count: uint40(m.receipts.length),
            priceSum: _priceSum(m),
            lineagePpb: m.lineagePpb,
            daRef: "da"
        });
    }

    function _parts(Made memory m) internal view returns (IAttributionSettlement.Part[] memory parts) {
        if (m.entries.length == 0) return parts;
        parts = new IAttributionSettlement.Part[](1);
        parts[0] = _part(m);
    }

    function _part(Made memory m) internal view returns (IAttributionSettlement.Part memory) {
        return IAttributionSettlement.Part({
            version: version,
            entries: uint40(m.entries.length),
            deltaSum: Ledgers.sum(m.entries),
            deltaRoot: Trees.root(Ledgers.leaves(m.entries)).hash
        });
    }

    function _receiptLeaves(Made memory m) internal pure returns (Trees.Leaf[] memory leaves) {
        leaves = new Trees.Leaf[](m.receipts.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] =
                Trees.Leaf(keccak256(abi.encodePacked(uint8(0), _structHash(m.receipts[i]))), m.receipts[i].price);
        }
    }

    function _structHash(InferenceReceipt memory r) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256(
            "InferenceReceipt(bytes32 receiptId,bytes32 rootReceipt,bytes32 parentReceipt,uint64 assetId,uint32 operatorId,uint64 agentId,bytes32 payerKeyHash,bytes32 promptCommit,bytes32 outputCommit,uint32 tokIn,uint32 tokOut,uint96 price,bytes32 offerHash,uint64 tsMs,uint16 attrMethod,bytes32 attrHash,bytes32 modelProof)"
        );
        return keccak256(bytes.concat(typeHash, abi.encode(r)));
    }

    function _word(uint64 snapshot, address account, uint32 weightPpb) internal pure returns (uint256) {
        return uint256(snapshot) << 192 | uint256(uint160(account)) << 32 | weightPpb;
    }

    /// @notice What a step adds: per account and part, numbering parts from `first`.
    function _gained(Made[] memory made, uint40 first) internal pure returns (Entry[] memory gained) {
        for (uint40 k = 0; k < made.length; ++k) {
            for (uint256 i = 0; i < made[k].entries.length; ++i) {
                Entry memory e = made[k].entries[i];
                gained = Ledgers.add(gained, Entry(e.account, first + k, e.amount));
            }
        }
    }

    /// @notice The cumulative tree after `gained`.
    function _merged(Entry[] memory before, Entry[] memory gained) internal pure returns (Entry[] memory after_) {
        after_ = Ledgers.copy(before);
        for (uint256 i = 0; i < gained.length; ++i) {
            after_ = Ledgers.add(after_, Entry(gained[i].account, 0, gained[i].amount));
        }
    }

    function _postGlobal(Entry[] memory cumulative, Entry[] memory gained) internal {
        bytes32 root = Trees.root(Ledgers.leaves(cumulative)).hash;
        bytes32 stepRoot = Trees.root(Ledgers.leaves(gained)).hash;
        uint96 sum = Ledgers.sum(cumulative);
        vm.prank(merger);
        SETTLEMENT.postGlobal{value: 100 ether}(
            root, uint40(cumulative.length), sum, stepRoot, uint40(gained.length), "da"
        );
    }

    function _claim(Entry[] memory cumulative, uint256 i) internal returns (uint256) {
        bytes memory proof = Trees.proof(Ledgers.leaves(cumulative), i);
        return SETTLEMENT.claim(cumulative[i].account, cumulative[i].amount, i, proof);
    }

    /// @notice An epoch of `n` receipts, final.
    function _finalEpoch(uint256 n) internal returns (Made memory m) {
        m = _serve(operator, n);
        vm.warp(block.timestamp + 600);
        _post(m);
        vm.warp(block.timestamp + CHALLENGE_S);
        _finalize(m);
    }

    function _one(Made memory m) internal pure returns (Made[] memory list_) {
        list_ = new Made[](1);
        list_[0] = m;
    }
}
