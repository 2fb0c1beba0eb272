// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IAssetRegistry} from "src/l2/IAssetRegistry.sol";
import {IRevenueRouter} from "src/l2/IRevenueRouter.sol";
import {L2Test} from "./L2Test.sol";

/// @notice What a whole transaction costs, intrinsic gas and calldata included: each call runs isolated, as its own
///         transaction, in the steady state (pools credited before). The limits are release gates.
/// forge-config: default.isolate = true
contract GasTest is L2Test {
    address private immutable alice = makeAddr("alice");
    uint32 private operator;
    uint64 private agent;

    function setUp() public override {
        super.setUp();
        vm.prank(alice);
        operator = ROUTER.registerOperator(alice, 450_000_000);
        agent = root(alice, IAssetRegistry.Kind.AGENT, 0);
        vm.prank(alice);
        ROUTER.setAgentShare(agent, 100_000_000);
        vm.warp(block.timestamp + 3 days);
        vm.deal(alice, 1e24);
    }

    function test_pay_oneBeneficiary() public {
        assertLt(_pay("pay K=1", _asset(1), 0), 80_000);
    }

    function test_pay_sixteenBeneficiaries() public {
        assertLe(_pay("pay K=16", _asset(16), 0), 140_000);
    }

    function test_pay_sixteenBeneficiariesThroughAnAgent() public {
        assertLe(_pay("pay K=16, agent", _asset(16), agent), 155_000);
    }

    function test_pay_sixtyFourBeneficiaries() public {
        assertLe(_pay("pay K=64", _asset(64), 0), 430_000);
    }

    function test_routeBatch_tenItemsOfOneAsset() public {
        uint64 id = _asset(16);
        _pay("", id, 0);
        vm.prank(governance);
        ROUTER.setChannel(alice, true);
        IRevenueRouter.RouteItem[] memory items = new IRevenueRouter.RouteItem[](10);
        for (uint256 i = 0; i < 10; ++i) {
            items[i] = IRevenueRouter.RouteItem(id, operator, 0, 1 ether, bytes32(i));
        }
        vm.prank(alice);
        ROUTER.routeBatch{value: 10 ether}(items);
        vm.snapshotGasLastCall("l2", "routeBatch 10 x K=16");
    }

    function test_claim() public {
        uint64 id = _asset(1);
        _pay("", id, 0);
        LEDGER.claim(id, alice);
        _pay("", id, 0);
        LEDGER.claim(id, alice);
        assertLe(vm.snapshotGasLastCall("l2", "claim"), 45_000);
    }

    function test_register_withoutParents() public {
        root(alice);
        assertLe(vm.snapshotGasLastCall("l2", "register, no parents"), 260_000);
    }

    function test_register_fourParents() public {
        uint64[] memory parents = new uint64[](4);
        for (uint256 i = 0; i < 4; ++i) {
            parents[i] = _asset(4);
        }
        derived(alice, parents, 300_000_000);
        assertLe(vm.snapshotGasLastCall("l2", "register, 4 parents, K=17"), 400_000);
    }

    function test_register_eightParentsOfSixtyFour() public {
        uint64[] memory parents = new uint64[](8);
        for (uint256 i = 0; i < 8; ++i) {
            parents[i] = _asset(64);
        }
        derived(alice, parents, 300_000_000);
        assertLe(vm.snapshotGasLastCall("l2", "register, 8 parents of K=64"), 2_500_000);
    }

    function test_deposit() public {
        vm.prank(alice);
        WOPEN.deposit{value: 1 ether}();
        vm.prank(alice);
        WOPEN.deposit{value: 1 ether}();
        vm.snapshotGasLastCall("l2", "WOPEN deposit");
        vm.prank(alice);
        WOPEN.transfer(governance, 1);
        vm.prank(alice);
        WOPEN.transfer(governance, 1);
        vm.snapshotGasLastCall("l2", "WOPEN transfer");
    }

    function test_initiateWithdrawal() public {
        vm.prank(alice);
        PASSER.initiateWithdrawal{value: 1}(alice, 100_000, "");
        vm.prank(alice);
        PASSER.initiateWithdrawal{value: 1}(alice, 100_000, "");
        vm.snapshotGasLastCall("l2", "initiateWithdrawal");
    }

    function _pay(string memory name, uint64 asset, uint64 agentId) private returns (uint256 gas) {
        bytes32 ref = keccak256("receipt");
        vm.prank(alice);
        ROUTER.pay{value: 1 ether}(asset, operator, agentId, ref);
        vm.prank(alice);
        ROUTER.pay{value: 1 ether}(asset, operator, agentId, ref);
        if (bytes(name).length != 0) gas = vm.snapshotGasLastCall("l2", name);
    }

    /// @dev An asset whose vector has `k` entries: a tree of parents, none small enough to be pruned.
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
