// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {Script} from "forge-std/Script.sol";
import {AddressAlias} from "src/l1/AddressAlias.sol";
import {QueueEntry, nextQueueAcc} from "src/l1/QueueEntry.sol";
import {KIND_BLOBS, KIND_CALLDATA, KIND_FORCED, Record} from "src/l1/Record.sol";

/// Writes e2e/vectors/bridge.json from fixed inputs; started by tools/vectors. e2e/vectors/README.md names the fields.
/// What the hashes of the Rollup are, the Rollup's own tests show; they stand here written out.
contract Vectors is Script {
    uint256 private constant L1_CHAIN_ID = 1;
    uint64 private constant L2_CHAIN_ID = 902;
    address private constant INBOX = 0x00000000000000000000000000000000001aB0C5;
    /// The second key of the standard test mnemonic: public, worth nothing.
    uint256 private constant KEY = 0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d;

    bytes32 private queueAcc;
    bytes32 private batchAcc;
    string[] private queue;
    string[] private records;
    string[] private aliases;
    string[] private outputRoots;
    string[] private assertions;

    function run() external {
        vm.chainId(L1_CHAIN_ID);
        _queue();
        _records();
        _aliases();
        _outputRoots();
        _assertions();
        vm.serializeString("file", "l1ChainId", _hex(L1_CHAIN_ID));
        vm.serializeString("file", "l2ChainId", _hex(L2_CHAIN_ID));
        vm.serializeAddress("file", "inbox", INBOX);
        vm.serializeBytes32("file", "key", bytes32(KEY));
        vm.serializeAddress("file", "signer", vm.addr(KEY));
        vm.serializeString("file", "queue", queue);
        vm.serializeString("file", "records", records);
        vm.serializeString("file", "aliases", aliases);
        vm.serializeString("file", "assertions", assertions);
        vm.writeJson(vm.serializeString("file", "outputRoots", outputRoots), "../e2e/vectors/bridge.json");
    }

    // Queue

    function _queue() private {
        address user = address(0xA11CE);
        address shifted = AddressAlias.shifted(address(0xC0DE));
        _entry("an OPEN deposit to oneself", user, user, 1 ether, 0, 50_000, false, "");
        _entry("a forced call that spends L2 balance", user, address(0xB0B), 0, 3 ether, 100_000, false, hex"a9059cbb");
        _entry("a creation by an L1 contract", shifted, address(0), 5, 7, 1_000_000, true, hex"6001600255");
        _entry("a call to the zero address, which is no creation", user, address(0), 0, 1, 21_000, false, "");
        _entry(
            "every number at its end, data of 33 bytes",
            address(type(uint160).max),
            address(type(uint160).max),
            type(uint128).max,
            type(uint256).max,
            type(uint64).max,
            false,
            abi.encodePacked(keccak256("data"), hex"ff")
        );
    }

    function _entry(
        string memory name,
        address from,
        address to,
        uint256 mint,
        uint256 value,
        uint64 gasLimit,
        bool isCreation,
        bytes memory data
    ) private {
        uint64 i = uint64(queue.length);
        QueueEntry memory e =
            QueueEntry(i, 1_800_000_000 + 12 * i, 20_000_000 + i, from, to, mint, value, gasLimit, isCreation, data);
        queueAcc = nextQueueAcc(queueAcc, e.entryHash());
        _put(e);
        vm.serializeString("entry", "name", name);
        vm.serializeBytes32("entry", "entryHash", e.entryHash());
        vm.serializeBytes32("entry", "queueAcc", queueAcc);
        queue.push(vm.serializeBytes32("entry", "sourceHash", keccak256(abi.encode(uint256(3), queueAcc))));
    }

    function _put(QueueEntry memory e) private {
        vm.serializeString("entry", "index", _hex(e.index));
        vm.serializeString("entry", "timestamp", _hex(e.timestamp));
        vm.serializeString("entry", "l1Block", _hex(e.l1Block));
        vm.serializeAddress("entry", "from", e.from);
        vm.serializeAddress("entry", "to", e.to);
        vm.serializeString("entry", "mint", _hex(e.mint));
        vm.serializeString("entry", "value", _hex(e.value));
        vm.serializeString("entry", "gasLimit", _hex(e.gasLimit));
        vm.serializeBool("entry", "isCreation", e.isCreation);
        vm.serializeBytes("entry", "data", e.data);
    }

    // Records

    function _records() private {
        bytes32[] memory blobHashes = new bytes32[](2);
        blobHashes[0] = bytes32(uint256(keccak256("blob 0")) >> 8 | (uint256(1) << 248));
        blobHashes[1] = bytes32(uint256(keccak256("blob 1")) >> 8 | (uint256(1) << 248));
        bytes32[] memory none = new bytes32[](0);
        _record("a batch in calldata", KIND_CALLDATA, 1_800_000_100, 2, none, "the payload");
        _record("a batch in two blobs", KIND_BLOBS, 1_800_000_200, 2, blobHashes, "");
        _record("a forced advance", KIND_FORCED, 1_800_030_000, 5, none, "");
    }

    function _record(
        string memory name,
        uint8 kind,
        uint64 lastTimestamp,
        uint64 consumed,
        bytes32[] memory blobHashes,
        bytes memory payload
    ) private {
        Record memory r = Record({
            prevAcc: batchAcc,
            kind: kind,
            lastTimestamp: lastTimestamp,
            queueConsumed: consumed,
            queueAcc: _queueAccAt(consumed),
            anchorNumber: 20_000_010 + uint64(records.length),
            anchorHash: keccak256(abi.encode("anchor", records.length)),
            payloadHash: 0
        });
        if (kind == KIND_CALLDATA) r.payloadHash = keccak256(payload);
        if (kind == KIND_BLOBS) r.payloadHash = keccak256(abi.encodePacked(blobHashes));
        batchAcc = r.accAfter();

        string memory key = string.concat("record", vm.toString(records.length));
        if (kind != KIND_FORCED) {
            bytes32 digest = r.digest(L2_CHAIN_ID, INBOX);
            (uint8 v, bytes32 sr, bytes32 ss) = vm.sign(KEY, digest);
            vm.serializeBytes32(key, "digest", digest);
            vm.serializeBytes(key, "signature", abi.encodePacked(sr, ss, v));
        }
        vm.serializeString(key, "name", name);
        vm.serializeBytes32(key, "prevAcc", r.prevAcc);
        vm.serializeString(key, "kind", _hex(r.kind));
        vm.serializeString(key, "lastTimestamp", _hex(r.lastTimestamp));
        vm.serializeString(key, "queueConsumed", _hex(r.queueConsumed));
        vm.serializeBytes32(key, "queueAcc", r.queueAcc);
        vm.serializeString(key, "anchorNumber", _hex(r.anchorNumber));
        vm.serializeBytes32(key, "anchorHash", r.anchorHash);
        vm.serializeBytes32(key, "payloadHash", r.payloadHash);
        vm.serializeBytes32(key, "blobHashes", blobHashes);
        vm.serializeBytes(key, "payload", payload);
        records.push(vm.serializeBytes32(key, "batchAcc", batchAcc));
    }

    function _queueAccAt(uint64 count) private view returns (bytes32) {
        return count == 0 ? bytes32(0) : vm.parseJsonBytes32(queue[count - 1], ".queueAcc");
    }

    // The rest

    function _aliases() private {
        address[4] memory l1 = [
            address(0),
            address(0xC0DE),
            address(type(uint160).max),
            0xEeeeffFfFffFFFfFFFFFFFffffffFffFFfFfEEeF // The one that wraps to zero.
        ];
        for (uint256 i = 0; i < l1.length; ++i) {
            vm.serializeAddress("alias", "l1", l1[i]);
            aliases.push(vm.serializeAddress("alias", "l2", AddressAlias.shifted(l1[i])));
        }
    }

    function _outputRoots() private {
        _outputRoot(0, 0, 0);
        _outputRoot(keccak256("state"), keccak256("withdrawals"), keccak256("block"));
    }

    function _outputRoot(bytes32 stateRoot, bytes32 withdrawalsRoot, bytes32 blockHash) private {
        vm.serializeBytes32("output", "stateRoot", stateRoot);
        vm.serializeBytes32("output", "withdrawalsRoot", withdrawalsRoot);
        vm.serializeBytes32("output", "blockHash", blockHash);
        bytes32 root = keccak256(abi.encode(bytes32(0), stateRoot, withdrawalsRoot, blockHash));
        outputRoots.push(vm.serializeBytes32("output", "outputRoot", root));
    }

    function _assertions() private {
        bytes32 root = keccak256("genesis");
        bytes32 program = keccak256("program");
        bytes32 genesis = keccak256(abi.encode(0, 0, 0, 0, root, program, 0));
        bytes32 claim = keccak256(abi.encode(0, 0, 0, 0, root));
        _assertion("genesis", 0, 0, 0, 0, root, program, address(0), genesis, claim);

        address proposer = address(0xB0B);
        root = keccak256("next");
        bytes32 id = keccak256(abi.encode(genesis, 3, batchAcc, 40, root, program, proposer));
        claim = keccak256(abi.encode(claim, 3, batchAcc, 40, root));
        _assertion("its child", genesis, 3, batchAcc, 40, root, program, proposer, id, claim);
    }

    function _assertion(
        string memory name,
        bytes32 parent,
        uint64 recordIndex,
        bytes32 acc,
        uint64 l2Number,
        bytes32 outputRoot,
        bytes32 programHash,
        address proposer,
        bytes32 id,
        bytes32 claim
    ) private {
        vm.serializeString("assertion", "name", name);
        vm.serializeBytes32("assertion", "parent", parent);
        vm.serializeString("assertion", "recordIndex", _hex(recordIndex));
        vm.serializeBytes32("assertion", "batchAcc", acc);
        vm.serializeString("assertion", "l2Number", _hex(l2Number));
        vm.serializeBytes32("assertion", "outputRoot", outputRoot);
        vm.serializeBytes32("assertion", "programHash", programHash);
        vm.serializeAddress("assertion", "proposer", proposer);
        vm.serializeBytes32("assertion", "claim", claim);
        assertions.push(vm.serializeBytes32("assertion", "id", id));
    }

    function _hex(uint256 value) private pure returns (string memory) {
        return Strings.toHexString(value);
    }
}
