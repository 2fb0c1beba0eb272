// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Record} from "src/l1/Record.sol";
import {L1Test} from "./L1Test.sol";

/// What a whole transaction costs on L1, calldata and cold storage included, as a chain in use sees it: every call runs
/// alone (`isolate`), after others of its kind. The figures are in snapshots/l1.json.
/// forge-config: default.isolate = true
contract GasTest is L1Test {
    function setUp() public override {
        super.setUp();
        vm.startPrank(user, user);
        portal.depositOpen(1 ether);
        vm.stopPrank();
        postCalldata("payload");
        pass(120);
    }

    function test_gas_deposit() public {
        vm.startPrank(user, user);
        portal.depositOpen(1 ether);
        vm.snapshotGasLastCall("l1", "depositOpen");
        portal.deposit(user, 1 ether, 0, 21_000, false, "");
        vm.snapshotGasLastCall("l1", "deposit");
        portal.deposit(user, 1 ether, 0, 100_000, false, abi.encodeCall(token.transfer, (address(1), 1 ether)));
        vm.snapshotGasLastCall("l1", "deposit with an ERC-20 call");
        portal.deposit(user, 0, 0, 21_000, false, "");
        vm.snapshotGasLastCall("l1", "forced transaction");
        vm.stopPrank();
        portal.collectGasFees();
        vm.snapshotGasLastCall("l1", "collectGasFees");
    }

    /// An account that never used the Portal, and approved what it deposits and not more.
    function test_gas_firstDeposit() public {
        address first = makeAddr("first");
        vm.prank(user);
        token.transfer(first, 2 ether);
        vm.startPrank(first, first);
        token.approve(address(portal), 1 ether + portal.gasCost(50_000));
        portal.depositOpen(1 ether);
        vm.snapshotGasLastCall("l1", "depositOpen, first of an account, exact allowance");
        vm.stopPrank();
    }

    /// More entries wait than the queue has places for: each one pays for its own.
    function test_gas_depositIntoACrowd() public {
        for (uint256 i = 0; i < 258; ++i) {
            if (i % 100 == 0) vm.roll(block.number + 1);
            force();
        }
        vm.prank(user, user);
        portal.depositOpen(1 ether);
        vm.snapshotGasLastCall("l1", "depositOpen, 258 entries waiting");
    }

    /// Isolated calls carry no blob hashes; a batch in blobs costs this, less its word of payload, and a few hundred gas
    /// for each blob.
    function test_gas_postShort() public {
        force();
        bytes memory payload = abi.encode(keccak256("payload"));
        Record memory r = calldataRecord(payload);
        bytes memory signature = sign(r);
        inbox.post(r, signature, payload);
        vm.snapshotGasLastCall("l1", "post 32 bytes of calldata");
    }

    function test_gas_postCalldata() public {
        bytes memory payload = new bytes(10_000);
        for (uint256 i = 0; i < payload.length; ++i) {
            payload[i] = bytes1(uint8(i % 255 + 1));
        }
        Record memory r = calldataRecord(payload);
        bytes memory signature = sign(r);
        inbox.post(r, signature, payload);
        vm.snapshotGasLastCall("l1", "post 10,000 bytes of calldata");
    }

    function test_gas_forceAdvance() public {
        for (uint256 i = 0; i < 10; ++i) {
            force();
        }
        pass(WINDOW_S + 1);
        inbox.forceAdvance();
        vm.snapshotGasLastCall("l1", "forceAdvance");
    }

    function test_gas_rollup() public {
        bytes32 acc = inbox.batchAccs(1);
        bytes32 id = rollup.assertOutput{value: BOND}(rollup.genesis(), 1, acc, 1, keccak256("root"));
        vm.snapshotGasLastCall("l1", "assertOutput");
        pass(CHALLENGE_S + 1);
        rollup.confirm(id);
        vm.snapshotGasLastCall("l1", "confirm");
        rollup.withdrawBond(id);
        vm.snapshotGasLastCall("l1", "withdrawBond");
    }

    receive() external payable {}
}
