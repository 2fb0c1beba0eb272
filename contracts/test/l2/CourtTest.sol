// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {AttributionCourt} from "src/l2/AttributionCourt.sol";
import {Entry, EntryProof, Place} from "src/l2/Entry.sol";
import {IAttributionCourt} from "src/l2/IAttributionCourt.sol";
import {IReceipts} from "src/l2/IReceipts.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {Head, Offer} from "src/l2/Receipt.sol";
import {EpochsTest} from "./EpochsTest.sol";
import {Ledgers} from "./Ledgers.sol";
import {Trees} from "./Trees.sol";

/// @notice A court, and what a challenger needs: proofs out of lists that are true or falsified.
abstract contract CourtTest is EpochsTest {
    AttributionCourt internal constant COURT = AttributionCourt(Predeploys.ATTRIBUTION_COURT);

    function setUp() public virtual override {
        super.setUp();
        _stand(Predeploys.ATTRIBUTION_COURT, type(AttributionCourt).runtimeCode);
        vm.deal(challenger, 10 ether);
    }

    function _served(uint256 n) internal returns (Made memory m) {
        m = _serve(operator, n);
        vm.warp(block.timestamp + 600);
    }

    function _case(Made memory m) internal view returns (IAttributionCourt.Case memory) {
        return IAttributionCourt.Case(m.operatorId, m.epoch, _parts(m));
    }

    function _receiptProof(Made memory m, uint256 i) internal pure returns (IAttributionCourt.ReceiptProof memory) {
        bytes memory proof = Trees.proof(_receiptLeaves(m), i);
        return IAttributionCourt.ReceiptProof(m.receipts[i], m.vectors[i], i, proof);
    }

    function _entryProof(Entry[] memory entries, uint256 i) internal pure returns (EntryProof memory) {
        return EntryProof(entries[i], i, Trees.proof(Ledgers.leaves(entries), i));
    }

    /// @notice Where (account, number) belongs in a sorted list.
    function _place(Entry[] memory entries, address account, uint40 number) internal pure returns (Place memory p) {
        Entry memory wanted = Entry(account, number, 0);
        while (p.position < entries.length && Ledgers.isBefore(entries[p.position], wanted)) ++p.position;
        Trees.Leaf[] memory leaves = Ledgers.leaves(entries);
        if (p.position != 0) {
            p.left = entries[p.position - 1];
            p.leftProof = Trees.proof(leaves, p.position - 1);
        }
        if (p.position != entries.length) {
            p.right = entries[p.position];
            p.rightProof = Trees.proof(leaves, p.position);
        }
    }

    /// @notice Where the receipts of `assetId` begin.
    function _receiptPlace(Made memory m, uint64 assetId)
        internal
        pure
        returns (IAttributionCourt.ReceiptPlace memory p)
    {
        uint256 n = m.receipts.length;
        while (p.position < n && uint256(m.receipts[p.position].receiptId) >> 192 < assetId) ++p.position;
        if (p.position != 0) p.left = _receiptProof(m, p.position - 1);
        if (p.position != n) p.right = _receiptProof(m, p.position);
    }

    function _from(Entry[] memory entries, address account) internal pure returns (Place memory) {
        return _place(entries, account, 0);
    }

    function _to(Entry[] memory entries, address account) internal pure returns (Place memory) {
        return _place(entries, address(uint160(account) + 1), 0);
    }

    function _finalPart(Made memory m, uint40 number) internal view returns (IAttributionCourt.FinalPart memory) {
        return IAttributionCourt.FinalPart(number, m.operatorId, m.epoch, _part(m));
    }

    /// @notice The challenger has half of a bond of ten, and the epoch can be posted anew.
    function _assertVoid(Made memory m) internal view {
        assertEq(uint8(RECEIPTS.headerOf(m.operatorId, m.epoch).status), uint8(IReceipts.Status.VOID));
        assertEq(RECEIPTS.owedTo(challenger), 5 ether);
    }

    function _expectNoFault() internal {
        vm.expectRevert(IAttributionCourt.NoFault.selector);
        vm.prank(challenger);
    }

    /// @notice An offer under which a receipt of `_serve` costs exactly its price.
    function _offer() internal view returns (Offer memory) {
        return Offer({
            assetId: model,
            operatorId: operator,
            agentId: 0,
            base: 0.5 ether,
            perTokIn: 0.01 ether,
            perTokOut: 0.02 ether,
            validUntilMs: type(uint64).max,
            salt: "salt"
        });
    }

    function _offerHash(Offer memory o) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256(
            "Offer(uint64 assetId,uint32 operatorId,uint64 agentId,uint96 base,uint96 perTokIn,uint96 perTokOut,uint64 validUntilMs,bytes32 salt)"
        );
        return keccak256(bytes.concat(typeHash, abi.encode(o)));
    }

    function _headHash(Head memory h) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256(
            "Head(uint32 operatorId,uint64 epoch,uint8 revision,bytes32 receiptsRoot,uint40 count,uint96 priceSum)"
        );
        return keccak256(bytes.concat(typeHash, abi.encode(h)));
    }

    function _raw(uint256 key, bytes32 structHash) internal view returns (bytes memory) {
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", RECEIPTS.DOMAIN_SEPARATOR(), structHash));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }
}
