// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {AddressAlias} from "src/l1/AddressAlias.sol";
import {KIND_BLOBS, KIND_CALLDATA, Record} from "src/l1/Record.sol";
import {Rollup} from "src/l1/Rollup.sol";
import {IRollup} from "src/l1/interfaces/IRollup.sol";
import {L1Test} from "./L1Test.sol";

/// The contracts agree with e2e/vectors/bridge.json, which the Rust crates read too.
contract VectorsTest is L1Test {
    string private json;

    function setUp() public override {
        super.setUp();
        json = vm.readFile("../e2e/vectors/bridge.json");
    }

    function _count(string memory list) private view returns (uint256 n) {
        while (vm.keyExistsJson(json, _path(list, n, ""))) ++n;
        assertGt(n, 0);
    }

    function _path(string memory list, uint256 i, string memory field) private pure returns (string memory) {
        return string.concat(".", list, "[", vm.toString(i), "]", field);
    }

    function _word(string memory list, uint256 i, string memory field) private view returns (bytes32) {
        return vm.parseJsonBytes32(json, _path(list, i, field));
    }

    function _uint(string memory list, uint256 i, string memory field) private view returns (uint256) {
        return vm.parseJsonUint(json, _path(list, i, field));
    }

    function _address(string memory list, uint256 i, string memory field) private view returns (address) {
        return vm.parseJsonAddress(json, _path(list, i, field));
    }

    function _bytes(string memory list, uint256 i, string memory field) private view returns (bytes memory) {
        return vm.parseJsonBytes(json, _path(list, i, field));
    }

    function test_queue() public {
        uint256 n = _count("queue");
        for (uint256 i = 0; i < n; ++i) {
            vm.warp(_uint("queue", i, ".timestamp"));
            vm.roll(_uint("queue", i, ".l1Block"));
            vm.prank(address(portal));
            inbox.enqueue(
                _address("queue", i, ".from"),
                _address("queue", i, ".to"),
                _uint("queue", i, ".mint"),
                _uint("queue", i, ".value"),
                uint64(_uint("queue", i, ".gasLimit")),
                vm.parseJsonBool(json, _path("queue", i, ".isCreation")),
                _bytes("queue", i, ".data")
            );
            bytes32 acc = _word("queue", i, ".queueAcc");
            assertEq(inbox.queueAccs(i + 1), acc);
            assertEq(keccak256(abi.encode(inbox.queueAccs(i), _word("queue", i, ".entryHash"))), acc);
            assertEq(keccak256(abi.encode(uint256(3), acc)), _word("queue", i, ".sourceHash"));
        }
    }

    function test_records() public {
        vm.chainId(vm.parseJsonUint(json, ".l1ChainId"));
        bytes32 acc = 0;
        for (uint256 i = 0; i < _count("records"); ++i) {
            Record memory r = Record({
                prevAcc: _word("records", i, ".prevAcc"),
                kind: uint8(_uint("records", i, ".kind")),
                lastTimestamp: uint64(_uint("records", i, ".lastTimestamp")),
                queueConsumed: uint64(_uint("records", i, ".queueConsumed")),
                queueAcc: _word("records", i, ".queueAcc"),
                anchorNumber: uint64(_uint("records", i, ".anchorNumber")),
                anchorHash: _word("records", i, ".anchorHash"),
                payloadHash: _word("records", i, ".payloadHash")
            });
            assertEq(r.prevAcc, acc);
            acc = r.accAfter();
            assertEq(acc, _word("records", i, ".batchAcc"));
            if (r.kind == KIND_CALLDATA) assertEq(r.payloadHash, keccak256(_bytes("records", i, ".payload")));
            if (r.kind == KIND_BLOBS) {
                bytes32[] memory hashes = vm.parseJsonBytes32Array(json, _path("records", i, ".blobHashes"));
                assertEq(r.payloadHash, keccak256(abi.encodePacked(hashes)));
            }
            if (r.kind == KIND_CALLDATA || r.kind == KIND_BLOBS) _checkSignature(r, i);
        }
    }

    function _checkSignature(Record memory r, uint256 i) private view {
        bytes32 digest = r.digest(vm.parseJsonUint(json, ".l2ChainId"), vm.parseJsonAddress(json, ".inbox"));
        assertEq(digest, _word("records", i, ".digest"));
        address signer = vm.parseJsonAddress(json, ".signer");
        assertEq(signer, vm.addr(vm.parseJsonUint(json, ".key")));
        assertEq(ECDSA.recover(digest, _bytes("records", i, ".signature")), signer);
    }

    function test_aliases() public view {
        for (uint256 i = 0; i < _count("aliases"); ++i) {
            assertEq(AddressAlias.shifted(_address("aliases", i, ".l1")), _address("aliases", i, ".l2"));
        }
    }

    function test_outputRoots() public view {
        for (uint256 i = 0; i < _count("outputRoots"); ++i) {
            bytes memory packed = bytes.concat(
                bytes32(0),
                _word("outputRoots", i, ".stateRoot"),
                _word("outputRoots", i, ".withdrawalsRoot"),
                _word("outputRoots", i, ".blockHash")
            );
            assertEq(keccak256(packed), _word("outputRoots", i, ".outputRoot"));
        }
    }

    /// The first is genesis; each other one is asserted for real, on an Inbox that says what the vector says.
    function test_assertions() public {
        bytes32 program = _word("assertions", 0, ".programHash");
        vm.prank(address(timelock));
        config.setProgramHash(program);
        bytes memory init = abi.encodeCall(Rollup.initialise, (1, _word("assertions", 0, ".outputRoot")));
        Rollup fresh = Rollup(proxy(address(new Rollup(inbox, config)), init));
        assertEq(fresh.genesis(), _word("assertions", 0, ".id"));
        assertEq(fresh.assertion(fresh.genesis()).claim, _word("assertions", 0, ".claim"));

        for (uint256 i = 1; i < _count("assertions"); ++i) {
            uint64 recordIndex = uint64(_uint("assertions", i, ".recordIndex"));
            bytes32 acc = _word("assertions", i, ".batchAcc");
            vm.mockCall(address(inbox), abi.encodeCall(inbox.batchAccs, (recordIndex)), abi.encode(acc));
            hoax(_address("assertions", i, ".proposer"), BOND);
            bytes32 id = fresh.assertOutput{value: BOND}(
                _word("assertions", i, ".parent"),
                recordIndex,
                acc,
                uint64(_uint("assertions", i, ".l2Number")),
                _word("assertions", i, ".outputRoot")
            );
            assertEq(id, _word("assertions", i, ".id"));
            IRollup.Assertion memory a = fresh.assertion(id);
            assertEq(a.claim, _word("assertions", i, ".claim"));
            assertEq(a.programHash, _word("assertions", i, ".programHash"));
        }
    }
}
