// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IL2ToL1MessagePasser} from "src/l2/IL2ToL1MessagePasser.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {L2Test} from "./L2Test.sol";

contract L2ToL1MessagePasserTest is L2Test {
    uint256 private constant VERSION_1 = 1 << 240;

    function testFuzz_initiateWithdrawal_isOneSlotAndOneEvent(
        address sender,
        address target,
        uint96 value,
        uint256 gasLimit,
        bytes calldata data
    ) public {
        vm.assume(sender != Predeploys.MESSAGE_PASSER);
        vm.deal(sender, value);
        bytes32 hash = keccak256(abi.encode(VERSION_1, sender, target, value, gasLimit, data));

        vm.expectEmit(Predeploys.MESSAGE_PASSER);
        emit IL2ToL1MessagePasser.MessagePassed(VERSION_1, sender, target, value, gasLimit, data, hash);
        vm.prank(sender);
        PASSER.initiateWithdrawal{value: value}(target, gasLimit, data);

        assertTrue(PASSER.sentMessages(hash));
        assertEq(uint256(vm.load(Predeploys.MESSAGE_PASSER, keccak256(abi.encode(hash, uint256(0))))), 1);
        assertEq(uint256(vm.load(Predeploys.MESSAGE_PASSER, bytes32(uint256(1)))), 1);
        assertEq(PASSER.messageNonce(), VERSION_1 + 1);
        assertEq(Predeploys.MESSAGE_PASSER.balance, value);
    }

    /// The hash of one withdrawal, put together word by word as an L1 verifier would.
    function test_withdrawalHash_byHand() public {
        address sender = address(0x1111111111111111111111111111111111111111);
        address target = address(0x2222222222222222222222222222222222222222);
        bytes memory preimage = bytes.concat(
            hex"0001000000000000000000000000000000000000000000000000000000000000", // nonce 0, version 1
            hex"0000000000000000000000001111111111111111111111111111111111111111",
            hex"0000000000000000000000002222222222222222222222222222222222222222",
            hex"0000000000000000000000000000000000000000000000000de0b6b3a7640000", // 1 OPEN
            hex"00000000000000000000000000000000000000000000000000000000000186a0", // 100,000 gas
            hex"00000000000000000000000000000000000000000000000000000000000000c0", // where data begins
            hex"0000000000000000000000000000000000000000000000000000000000000003", // its length
            hex"abcdef0000000000000000000000000000000000000000000000000000000000"
        );
        vm.deal(sender, 1 ether);
        vm.prank(sender);
        PASSER.initiateWithdrawal{value: 1 ether}(target, 100_000, hex"abcdef");
        assertTrue(PASSER.sentMessages(keccak256(preimage)));
    }

    function test_sameMessageTwice_hasTwoHashes() public {
        PASSER.initiateWithdrawal(address(1), 2, "3");
        PASSER.initiateWithdrawal(address(1), 2, "3");
        bytes memory data = "3";
        assertTrue(PASSER.sentMessages(keccak256(abi.encode(VERSION_1, address(this), address(1), 0, 2, data))));
        assertTrue(PASSER.sentMessages(keccak256(abi.encode(VERSION_1 + 1, address(this), address(1), 0, 2, data))));
    }

    function test_plainTransfer_withdrawsToTheSender() public {
        address sender = makeAddr("sender");
        vm.deal(sender, 3);
        vm.prank(sender);
        (bool ok,) = Predeploys.MESSAGE_PASSER.call{value: 3}("");
        assertTrue(ok);
        assertTrue(PASSER.sentMessages(keccak256(abi.encode(VERSION_1, sender, sender, 3, 100_000, bytes("")))));
    }

    /// forge-config: default.isolate = true
    function test_burn_removesTheBalanceFromEveryAccount() public {
        PASSER.initiateWithdrawal{value: 5 ether}(address(1), 0, "");
        address burner = vm.computeCreateAddress(Predeploys.MESSAGE_PASSER, 1);
        vm.expectEmit(Predeploys.MESSAGE_PASSER);
        emit IL2ToL1MessagePasser.WithdrawerBalanceBurnt(5 ether);
        PASSER.burn();
        assertEq(Predeploys.MESSAGE_PASSER.balance, 0);
        assertEq(burner.balance, 0);
        assertEq(burner.code.length, 0);
        PASSER.burn(); // With nothing to burn, and the next address.
    }

    function test_version() public view {
        assertEq(PASSER.MESSAGE_VERSION(), 1);
    }
}
