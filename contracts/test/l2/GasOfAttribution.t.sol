// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Entry, EntryProof, Place} from "src/l2/Entry.sol";
import {IAttributionCourt} from "src/l2/IAttributionCourt.sol";
import {IDatanet} from "src/l2/IDatanet.sol";
import {SumTree} from "src/l2/SumTree.sol";
import {CourtTest} from "./CourtTest.sol";
import {Trees} from "./Trees.sol";

/// @notice What whole transactions of Datanets and attribution cost, as Gas.t.sol; trees are deep, as with a million
///         leaves, where that matters.
/// forge-config: default.isolate = true
contract GasOfAttributionTest is CourtTest {
    /// Genesis could place more; a chain that has to deploy them could not (EIP-170).
    function test_runtimeCode_fitsADeployment() public view {
        assertLe(address(DATANETS).code.length, 24_576);
        assertLe(address(RECEIPTS).code.length, 24_576);
        assertLe(address(SETTLEMENT).code.length, 24_576);
        assertLe(address(COURT).code.length, 24_576);
    }

    function test_submitBatch() public {
        _submit(ann, 3);
        assertLe(vm.snapshotGasLastCall("l2", "submitBatch"), 120_000);
        vm.prank(ben);
        DATANETS.submitBatchFor{value: BOND}(ann, datanet, "rows", 1_000_000, 1e9, LICENCE, "da");
        assertLe(vm.snapshotGasLastCall("l2", "submitBatchFor"), 145_000);
    }

    function test_review() public {
        _seatCurators();
        _submit(ann, 3);
        uint256 batch = _submit(ann, 4);
        _anchor("x");
        DATANETS.draw(batch);
        vm.snapshotGasLastCall("l2", "draw");
        for (uint256 place = 0; place < 3; ++place) {
            address curator = _drawn(batch, place);
            bytes32 c = keccak256(abi.encode(batch, curator, uint16(900), uint24(0), bytes32("r"), bytes32("s")));
            vm.prank(curator);
            DATANETS.commitReview(batch, place, c);
        }
        vm.snapshotGasLastCall("l2", "commitReview");
        for (uint256 place = 0; place < 3; ++place) {
            address curator = _drawn(batch, place);
            vm.prank(curator);
            DATANETS.revealReview(batch, place, 900, 0, "r", "s");
        }
        vm.snapshotGasLastCall("l2", "revealReview");
        DATANETS.finalize(batch);
        vm.snapshotGasLastCall("l2", "finalize, three reviews");
    }

    function test_challengeDuplicate() public {
        uint256 first = _accept(ann, 5);
        uint256 copy = _accept(ben, 5);
        IDatanet.RowProof memory a = IDatanet.RowProof(first, 1, 250, Trees.proof(_rows(ann, 5), 1));
        IDatanet.RowProof memory b = IDatanet.RowProof(copy, 1, 250, Trees.proof(_rows(ben, 5), 1));
        vm.prank(challenger);
        DATANETS.challengeDuplicate(_row(5, 1), a, b);
        vm.snapshotGasLastCall("l2", "challengeDuplicate, four rows");
    }

    function test_snapshot() public {
        _snapshot();
        vm.snapshotGasLastCall("l2", "snapshot");
    }

    function test_epoch() public {
        Made memory m = _served(2);
        _post(m);
        m = _served(2);
        _post(m);
        assertLe(vm.snapshotGasLastCall("l2", "postEpoch, one part"), 300_000);
        vm.warp(block.timestamp + CHALLENGE_S);
        _finalize(m);
        vm.snapshotGasLastCall("l2", "finalizeEpoch, one part");
    }

    function test_claim_ofAMillion() public {
        Entry memory e = Entry(ann, 0, 0);
        bytes memory proof = _adoptDeep(e);
        SETTLEMENT.claim(ann, e.amount, 0, proof);
        assertLe(vm.snapshotGasLastCall("l2", "claim of attribution, depth 20, first"), 105_000);
    }

    function test_wrongEntry() public {
        Made memory m = _served(2);
        m.entries[0].amount += 1;
        vm.deal(address(this), 1);
        SETTLEMENT.fund{value: 1}(version);
        _post(m);
        IAttributionCourt.Case memory c = _case(m);
        EntryProof memory e = _entryProof(m.entries, 0);
        IAttributionCourt.ReceiptProof memory r = _receiptProof(m, m.entries[0].number);
        vm.prank(challenger);
        COURT.wrongEntry(c, version, e, r);
        assertLe(vm.snapshotGasLastCall("l2", "wrongEntry"), 250_000);
    }

    /// The largest proof there is: an account's places in three trees, here of 512 accounts each.
    function test_wrongCumulative() public {
        _finalEpoch(1);
        Entry[] memory first = _many(1, SETTLEMENT.finalised());
        Entry[] memory before = _many(0, SETTLEMENT.finalised());
        _postGlobal(before, first);
        vm.warp(block.timestamp + CHALLENGE_S);
        SETTLEMENT.adopt();
        uint96 had = SETTLEMENT.finalised();
        _finalEpoch(1);
        Entry[] memory gained = _many(2, SETTLEMENT.finalised() - had);
        Entry[] memory cumulative = _merged(before, gained);
        cumulative[300].amount -= 1;
        cumulative[301].amount += 1;
        _postGlobal(cumulative, gained);
        address account = cumulative[300].account;
        Place memory was = _from(before, account);
        Place memory is_ = _from(cumulative, account);
        Place memory from = _from(gained, account);
        Place memory to = _to(gained, account);
        vm.prank(challenger);
        COURT.wrongCumulative(account, was, is_, from, to);
        assertLe(vm.snapshotGasLastCall("l2", "wrongCumulative, 512 accounts"), 300_000);
    }

    function _many(uint40 number, uint96 sum) private pure returns (Entry[] memory entries) {
        entries = new Entry[](512);
        for (uint160 i = 0; i < 512; ++i) {
            entries[i] = Entry(address(0x1000 + i), number, sum / 512);
        }
        entries[0].amount += sum % 512;
    }

    /// @dev Adopts a tree of 2^20 leaves, of which only the first exists: the rest of its way up is made up.
    function _adoptDeep(Entry memory e) private returns (bytes memory proof) {
        _finalEpoch(1);
        uint96 sum = SETTLEMENT.finalised();
        e.amount = sum / 2;
        bytes32 hash = keccak256(abi.encodePacked(uint8(0), e.account, e.number, e.amount));
        uint128 total = e.amount;
        for (uint256 level = 0; level < 20; ++level) {
            bytes32 beside = keccak256(abi.encode(level));
            uint128 besideSum = level == 19 ? sum - total : sum >> 26;
            proof = bytes.concat(proof, abi.encodePacked(beside, besideSum));
            hash = SumTree.node(hash, total, beside, besideSum);
            total += besideSum;
        }
        vm.prank(merger);
        SETTLEMENT.postGlobal{value: 100 ether}(hash, 1 << 20, sum, "step", 1 << 20, "da");
        vm.snapshotGasLastCall("l2", "postGlobal");
        vm.warp(block.timestamp + CHALLENGE_S);
        SETTLEMENT.adopt();
        vm.snapshotGasLastCall("l2", "adopt");
    }

    function _drawn(uint256 batch, uint256 place) private view returns (address curator) {
        (curator,) = DATANETS.seatOf(datanet, uint8(DATANETS.reviewOf(batch).seats >> (8 * place)));
    }
}
