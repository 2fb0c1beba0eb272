// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IMetrics} from "src/l2/IMetrics.sol";
import {ISpendAccount} from "src/l2/ISpendAccount.sol";
import {Metrics} from "src/l2/Metrics.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {SpendTest} from "./SpendTest.sol";

contract MetricsTest is SpendTest {
    Metrics private constant METRICS = Metrics(Predeploys.METRICS);
    uint32 private second;
    uint64 private epoch;

    function setUp() public override {
        super.setUp();
        vm.etch(Predeploys.METRICS, type(Metrics).runtimeCode);
        vm.setNonceUnsafe(Predeploys.METRICS, 1);
        vm.prank(alice);
        second = ROUTER.registerOperator(alice, 450_000_000);
        fund(payer, 100 ether);
        deposit(payer, 100 ether);
        reserve(terms(payer, second), 100 ether);
        vm.warp((block.timestamp / 1 days + 1) * 1 days);
        epoch = uint64(block.timestamp / 10 minutes);
    }

    function test_count_addsWhatVouchersPaid() public {
        _claim(operator, 1 ether, 5);
        _claim(operator, 3 ether, 7);
        _claim(second, 10 ether, 1);
        skip(10 minutes);
        vm.expectEmit(address(METRICS));
        emit IMetrics.Counted(epoch, operator, 3 ether, 7);
        assertEq(_count(epoch, operator, second), 2);
        _assertSums(METRICS.sumsOf(epoch / 144), 13 ether, 8, 2);
        _assertSums(METRICS.total(), 13 ether, 8, 2);
        assertTrue(METRICS.isCounted(epoch, operator));
        assertFalse(METRICS.isCounted(epoch, operator + 256));
        assertFalse(METRICS.isCounted(epoch + 1, operator));
    }

    function test_count_twice_countsOnce() public {
        _claim(operator, 1 ether, 1);
        skip(10 minutes);
        assertEq(_count(epoch, operator, operator), 1);
        assertEq(_count(epoch, operator, second), 0);
        _assertSums(METRICS.total(), 1 ether, 1, 1);
    }

    function test_count_whatPaidNothing_isSkipped() public {
        skip(10 minutes);
        assertEq(_count(epoch, operator, 999), 0);
        assertFalse(METRICS.isCounted(epoch, operator));
        _assertSums(METRICS.total(), 0, 0, 0);
    }

    /// What a claim could still change is not counted.
    function test_count_aRunningEpoch_reverts() public {
        _claim(operator, 1 ether, 1);
        uint256 until = (uint256(epoch) + 1) * 10 minutes;
        vm.warp(until - 1);
        vm.expectRevert(abi.encodeWithSelector(IMetrics.EpochNotOver.selector, until));
        _count(epoch, operator, second);
        vm.expectRevert();
        _count(type(uint64).max, operator, second);
        vm.warp(until);
        assertEq(_count(epoch, operator, second), 1);
    }

    /// The order in which epochs are counted, and who counts, change nothing; days begin at midnight.
    function testFuzz_count_daysAddUpToTheTotal(uint64[6] calldata amounts, uint256 order) public {
        uint128 sum = 0;
        uint256[2] memory byDay;
        uint64[6] memory epochs;
        for (uint256 i = 0; i < 6; ++i) {
            sum += uint128(bound(amounts[i], 1, 10 ether));
            byDay[i / 3] += bound(amounts[i], 1, 10 ether);
            // Three just before the next midnight, three from it on.
            vm.warp((uint256(epoch) + 141 + i) * 10 minutes);
            epochs[i] = uint64(block.timestamp / 10 minutes);
            _claim(operator, sum, uint64(i + 1));
        }
        skip(10 minutes);
        for (uint256 i = 0; i < 6; ++i) {
            _count(epochs[addmod(order, i, 6)], operator, second);
        }
        _assertSums(METRICS.sumsOf(epoch / 144), byDay[0], 3, 3);
        _assertSums(METRICS.sumsOf(epoch / 144 + 1), byDay[1], 3, 3);
        _assertSums(METRICS.total(), sum, 6, 6);
    }

    function _claim(uint32 operatorId, uint128 cumulative, uint64 calls) private {
        ISpendAccount.Voucher memory v = voucher(payer, asset, cumulative);
        (v.operatorId, v.count) = (operatorId, calls);
        assertClaim(v, payerKey, ISpendAccount.Reason.PAID);
    }

    function _count(uint64 epoch_, uint32 a, uint32 b) private returns (uint256) {
        uint32[] memory ids = new uint32[](2);
        (ids[0], ids[1]) = (a, b);
        return METRICS.count(epoch_, ids);
    }

    function _assertSums(IMetrics.Sums memory s, uint256 paid, uint256 calls, uint256 epochs) private pure {
        assertEq(s.paid, paid);
        assertEq(s.calls, calls);
        assertEq(s.epochs, epochs);
    }
}
