// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISpendAccount} from "src/l2/ISpendAccount.sol";
import {SpendTest} from "./SpendTest.sol";

/// @notice What money coming in costs, as Gas.t.sol measures it: whole transactions in the steady state.
/// forge-config: default.isolate = true
contract GasSpendTest is SpendTest {
    /// Payers of the claims.
    uint256 private constant FIRST_KEY = 1000;

    /// A flush is a payment, and 12,000 gas for two cold accounts and a transfer: with as many payees as a payment of
    /// 140,000 has (16), it is above 150,000 by a fiftieth.
    function test_flush_fifteenBeneficiaries() public {
        assertLe(_flush("flush K=15", _asset(15), address(0)), 150_000);
    }

    function test_flush_sixteenBeneficiaries() public {
        assertLe(_flush("flush K=16", _asset(16), address(0)), 153_000);
    }

    function test_flush_wopen_eightBeneficiaries() public {
        assertLe(_flush("flush K=8, WOPEN", _asset(8), address(WOPEN)), 150_000);
    }

    function test_flush_first() public {
        uint64 id = _asset(16);
        _flush("", id, address(0)); // Pools credited.
        address where = PAY_TO.payTo(id, operator, agent);
        vm.deal(where, 1 ether);
        PAY_TO.flush(id, operator, agent, address(0));
        assertLe(vm.snapshotGasLastCall("l2", "flush K=16, agent, first of its address"), 240_000);
    }

    /// The release gate: what one more voucher adds to a claim, in the steady state. Every row is another payer's.
    function test_claimBatch_marginalRow() public {
        _openChannels(101);
        uint256 one = _claim("claimBatch, 1 row", 0, 1, 2);
        uint256 hundred = _claim("claimBatch, 100 rows", 1, 101, 2);
        vm.snapshotValue("l2", "claimBatch, each further row", (hundred - one) / 99);
        assertLe((hundred - one) / 99, 14_000);
    }

    function test_claimBatch_largest() public {
        _openChannels(256);
        assertLe(_claim("claimBatch, 256 rows", 0, 256, 2), 5_000_000);
    }

    /// Rows that reserved for a session key, with expiry and asset.
    function test_claimBatch_marginalRowOfASessionKey() public {
        uint64 expiry = uint64(block.timestamp + 1 days);
        for (uint256 i = 0; i < 21; ++i) {
            address who = vm.addr(FIRST_KEY + i);
            deposit(who, 10 ether);
            reserve(
                ISpendAccount.Reservation(who, vm.addr(FIRST_KEY + 500 + i), operator, 0, asset, 0, expiry), 1 ether
            );
        }
        _claimKeys(0, 21, 1, 500, expiry);
        vm.warp(block.timestamp + 1);
        uint256 one = _claimKeys(0, 1, 2, 500, expiry);
        uint256 twenty = _claimKeys(1, 21, 2, 500, expiry);
        assertLe((twenty - one) / 19, 14_300);
    }

    /// A second asset under the same reservation has a word of its own.
    function test_claimBatch_marginalRowOfASecondChannel() public {
        uint64 first = asset;
        _openChannels(21);
        asset = asset2;
        _openChannelsAgain(21);
        uint256 one = _claim("", 0, 1, 2);
        uint256 twenty = _claim("", 1, 21, 2);
        asset = first;
        vm.snapshotValue("l2", "claimBatch, each further row of a second channel", (twenty - one) / 19);
        assertLe((twenty - one) / 19, 23_000);
    }

    function test_payers() public {
        (address who, uint256 key) = (vm.addr(FIRST_KEY), FIRST_KEY);
        vm.deal(who, 10 ether);
        vm.startPrank(who);
        SPEND.depositNative{value: 1 ether}(who);
        SPEND.depositNative{value: 1 ether}(who);
        vm.snapshotGasLastCall("l2", "SpendAccount deposit");
        ISpendAccount.Reservation memory r = terms(who, operator);
        SPEND.reserve(r, 0.5 ether, who, 0, "");
        vm.snapshotGasLastCall("l2", "SpendAccount reserve, first");
        vm.stopPrank();
        bytes memory signature =
            sign(key, keccak256(abi.encode(RESERVATION, r, 0.5 ether, SPEND.nonces(who), block.timestamp)));
        SPEND.reserve(r, 0.5 ether, who, block.timestamp, signature);
        vm.snapshotGasLastCall("l2", "SpendAccount reserve, more, signed");
        vm.prank(who);
        SPEND.withdraw(who, who, 0.5 ether, 0, "");
        vm.snapshotGasLastCall("l2", "SpendAccount withdraw");
        vm.prank(who);
        SPEND.initiateRelease(who, who, operator, 0, 0, "");
        vm.snapshotGasLastCall("l2", "SpendAccount initiateRelease");
        vm.warp(block.timestamp + 15 minutes);
        SPEND.finalizeRelease(who, who, operator, 0);
        vm.snapshotGasLastCall("l2", "SpendAccount finalizeRelease");
    }

    // ---

    function _flush(string memory name, uint64 id, address token) private returns (uint256 gas) {
        address where = PAY_TO.payTo(id, operator, 0);
        for (uint256 i = 0; i < 2; ++i) {
            vm.deal(alice, 1 ether);
            if (token == address(WOPEN)) {
                vm.prank(alice);
                WOPEN.deposit{value: 1 ether}();
                vm.prank(alice);
                WOPEN.transfer(where, 1 ether);
            } else {
                vm.deal(where, 1 ether);
            }
            assertEq(PAY_TO.flush(id, operator, 0, token), 1 ether);
        }
        if (bytes(name).length != 0) gas = vm.snapshotGasLastCall("l2", name);
    }

    function _openChannels(uint256 count) private {
        for (uint256 i = 0; i < count; ++i) {
            fund(vm.addr(FIRST_KEY + i), 100 ether);
        }
        _openChannelsAgain(count);
    }

    /// @dev The first claim of each, and of the settlement epoch.
    function _openChannelsAgain(uint256 count) private {
        _claim("", 0, count, 1);
        vm.warp(block.timestamp + 1); // The same settlement epoch: setUp ends at a boundary.
    }

    function _claim(string memory name, uint256 from, uint256 to, uint64 count) private returns (uint256 gas) {
        gas = _claimKeys(from, to, count, 0, 0);
        if (bytes(name).length != 0) vm.snapshotGasLastCall("l2", name);
    }

    function _claimKeys(uint256 from, uint256 to, uint64 count, uint256 keysFrom, uint64 expiry)
        private
        returns (uint256 gas)
    {
        ISpendAccount.Row[] memory rows = new ISpendAccount.Row[](to - from);
        for (uint256 i = from; i < to; ++i) {
            uint128 cumulative = uint128(count) * 0.123456789012345678 ether;
            ISpendAccount.Voucher memory v = voucher(vm.addr(FIRST_KEY + i), asset, cumulative);
            v.count = 70_000 * count; // Three bytes, as after a day.
            v.receiptRoot = keccak256(abi.encode(i, count));
            rows[i - from] = signed(v, FIRST_KEY + keysFrom + i, expiry, expiry == 0 ? 0 : 1);
        }
        ISpendAccount.Group[] memory g = new ISpendAccount.Group[](1);
        g[0] = ISpendAccount.Group(asset, 0, rows);
        vm.prank(alice);
        (uint256 paid,) = SPEND.claimBatch(operator, g);
        gas = vm.lastCallGas().gasTotalUsed;
        assertEq(paid, type(uint256).max >> (256 - (to - from)));
    }

    function _asset(uint256 k) private returns (uint64 id) {
        if (k == 1) return root(alice);
        uint256 branches = k - 1 > 8 ? 8 : k - 1;
        uint64[] memory parents = new uint64[](branches);
        uint256 left = k - 1;
        for (uint256 i = 0; i < branches; ++i) {
            uint256 part = left / (branches - i);
            left -= part;
            parents[i] = _asset(part);
        }
        id = derived(alice, parents, 300_000_000);
        assertEq(REGISTRY.flattened(id).length, 12 * k);
    }
}
