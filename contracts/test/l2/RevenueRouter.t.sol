// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Vm} from "forge-std/Vm.sol";
import {IAssetRegistry} from "src/l2/IAssetRegistry.sol";
import {IPoolLedger} from "src/l2/IPoolLedger.sol";
import {IRevenueRouter} from "src/l2/IRevenueRouter.sol";
import {Pools} from "src/l2/Pools.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {Send} from "src/l2/Send.sol";
import {L2Test} from "./L2Test.sol";
import {CallsBack, Refuses} from "./Receivers.sol";

contract RevenueRouterTest is L2Test {
    address private immutable alice = makeAddr("alice");
    address private immutable bob = makeAddr("bob");
    address private immutable payer = makeAddr("payer");
    uint32 private operator;
    uint64 private agent;
    /// A small lineage: two roots, a model from both, an adapter from the model.
    uint64[4] private assets;

    function setUp() public override {
        super.setUp();
        vm.prank(bob);
        operator = ROUTER.registerOperator(bob, 450_000_000);
        agent = root(bob, IAssetRegistry.Kind.AGENT, 0);
        vm.prank(bob);
        ROUTER.setAgentShare(agent, 100_000_000);
        assets[0] = root(alice);
        assets[1] = root(bob);
        assets[2] = derived(alice, list(assets[0], assets[1]), 300_000_000);
        assets[3] = derived(bob, list(assets[2]), 200_000_000);
        vm.warp(block.timestamp + 2 days);
    }

    // The split

    function test_pay_splitsByTheDefaults() public {
        vm.expectEmit(address(ROUTER));
        emit IRevenueRouter.RoleCredited(agent, 4, 0.1 ether);
        vm.expectEmit(address(ROUTER));
        emit IRevenueRouter.Routed(
            "ref",
            assets[0],
            operator,
            agent,
            payer,
            1 ether,
            0.01 ether,
            0.01 ether,
            0.45 ether,
            0.1 ether,
            0.43 ether,
            0
        );
        _pay(assets[0], operator, agent, 1 ether);
        assertEq(ROUTER.treasury(), 0.01 ether);
        assertEq(ROUTER.toBurn(), 0.01 ether);
        assertEq(ROUTER.operatorClaimable(operator), 0.45 ether);
        assertEq(LEDGER.claimable(agent, bob), 0.1 ether);
        assertEq(LEDGER.claimable(assets[0], alice), 0.43 ether);
    }

    function test_pay_withoutOperatorAndAgent_leavesTheirPartsToLineage() public {
        _pay(assets[0], 0, 0, 1 ether);
        assertEq(LEDGER.claimable(assets[0], alice), 0.98 ether);
    }

    function test_pay_alongTheLineage() public {
        _pay(assets[3], 0, 0, 1 ether);
        assertEq(LEDGER.claimable(assets[3], bob), 0.784 ether); // 80 % of 0.98
        assertEq(LEDGER.claimable(assets[2], alice), 0.1372 ether); // 20 % * 70 %
        assertEq(LEDGER.claimable(assets[1], bob), 0.0294 ether);
        assertEq(LEDGER.claimable(assets[0], alice), 0.0294 ether);
    }

    /// A1 <- B1 <- A2: one payment credits each version once, the first A as an ancestor of the second.
    function test_pay_aVersionTrainedOnItsOwnDescendant_creditsEachOnce() public {
        uint64 a1 = root(alice);
        uint64 b1 = derived(bob, list(a1), 300_000_000);
        vm.prank(alice);
        uint64 a2 =
            REGISTRY.newVersion(a1, IAssetRegistry.Kind.BASE_MODEL, 0, "", equal(list(b1)), 300_000_000, 0, 0, alice);
        _pay(a2, 0, 0, 1 ether);
        assertEq(LEDGER.claimable(a2, alice), 0.686 ether);
        assertEq(LEDGER.claimable(b1, bob), 0.2058 ether);
        assertEq(LEDGER.claimable(a1, alice), 0.0882 ether);
    }

    /// 256 runs of 40 payments each: what `quote` said is what everybody got, to the wei, for 10,240 payments of random
    /// assets, operators, agents and amounts.
    function testFuzz_quote_isWhatIsCredited(uint256 seed) public {
        for (uint256 i = 0; i < 40; ++i) {
            uint256 r = uint256(keccak256(abi.encode(seed, i)));
            uint128 amount = uint128(1 + (r >> 128) % 10 ** (1 + (r >> 120) % 24));
            _checkQuote(assets[r % 4], r >> 8 & 1 == 0 ? 0 : operator, r >> 9 & 1 == 0 ? 0 : agent, amount);
        }
    }

    /// The same over random shares, classes, and lineages.
    function testFuzz_quote_isWhatIsCredited_whateverTheTerms(
        uint256 seed,
        uint32 operatorPpb,
        uint32 agentPpb,
        uint8 protocolPermille,
        uint8 burnPermille,
        uint88 amount
    ) public {
        vm.prank(bob);
        ROUTER.setOperatorShare(operator, uint32(bound(operatorPpb, 200_000_000, 700_000_000)));
        vm.prank(bob);
        ROUTER.setAgentShare(agent, uint32(bound(agentPpb, 0, 200_000_000)));
        uint32 protocol = uint32(bound(protocolPermille, 0, 30)) * 1_000_000;
        uint32 burn = uint32(bound(burnPermille, 0, 30)) * 1_000_000;
        vm.prank(governance);
        POLICY.setClasses(protocol, burn, 100_000_000);
        vm.prank(Predeploys.STAKE_MANAGER);
        ROUTER.setProvision(operator, seed % 2 == 0 ? assets[1] : 0);
        vm.warp(block.timestamp + 2 days);

        uint64 id = assets[3];
        for (uint256 i = 0; i < 4; ++i) {
            uint256 r = uint256(keccak256(abi.encode(seed, i)));
            id = derived(alice, list(uint64(1 + r % (id - 1)), id), uint32(100_000_000 + r % 200_000_000));
        }
        _checkQuote(id, operator, agent, amount == 0 ? 1 : amount);
    }

    function test_quote_namesPoolsOperatorAndBurn() public view {
        (address[] memory who, bytes32[] memory why, uint256[] memory amt) =
            ROUTER.quote(assets[0], operator, agent, 1 ether);
        assertEq(who.length, 5);
        assertEq(who[0], LEDGER.accountOf(Pools.TREASURY));
        assertEq(who[1], address(0));
        assertEq(who[2], bob);
        assertEq(who[3], LEDGER.accountOf(agent));
        assertEq(who[4], LEDGER.accountOf(assets[0]));
        assertEq(uint256(why[2]), 3 << 248 | uint256(operator));
        assertEq(uint256(why[4]), 5 << 248 | uint256(assets[0]));
        assertEq(amt[4], 0.43 ether);
    }

    function test_oneWei_goesToLineage() public {
        _pay(assets[0], operator, agent, 1);
        assertEq(LEDGER.claimable(assets[0], alice), 1);
    }

    function test_lineage_keepsAQuarter() public {
        vm.startPrank(bob);
        uint32 greedy = ROUTER.registerOperator(bob, 700_000_000);
        ROUTER.setAgentShare(agent, 200_000_000);
        vm.stopPrank();
        vm.prank(governance);
        POLICY.setClasses(30_000_000, 30_000_000, 100_000_000);
        vm.prank(Predeploys.STAKE_MANAGER);
        ROUTER.setProvision(greedy, assets[1]);
        vm.warp(block.timestamp + 2 days);
        _pay(assets[0], greedy, agent, 1 ether);
        assertEq(LEDGER.claimable(assets[0], alice), 0.25 ether);
        assertEq(LEDGER.claimable(assets[1], bob), 0.1 ether); // The stakers' pool.
        assertEq(LEDGER.claimable(agent, bob), 0.2 ether);
        assertEq(ROUTER.operatorClaimable(greedy), 0.39 ether);
    }

    function test_pay_refusals() public {
        vm.deal(payer, 1 ether);
        vm.startPrank(payer);
        vm.expectRevert(IRevenueRouter.NothingPaid.selector);
        ROUTER.pay(assets[0], operator, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.UnknownAsset.selector, 99));
        ROUTER.pay{value: 1}(99, operator, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IRevenueRouter.UnknownOperator.selector, 9));
        ROUTER.pay{value: 1}(assets[0], 9, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IRevenueRouter.NotAnAgent.selector, assets[1]));
        ROUTER.pay{value: 1}(assets[0], operator, assets[1], 0);
        vm.expectRevert(abi.encodeWithSelector(IAssetRegistry.UnknownAsset.selector, 99));
        ROUTER.pay{value: 1}(assets[0], operator, 99, 0);
    }

    function test_pay_intoAnEmptyPool_isPending() public {
        vm.prank(alice);
        LEDGER.setUnits(assets[2], alice, 0); // In the middle of the vector of assets[3].
        _pay(assets[3], 0, 0, 1 ether);
        (uint256 pending,) = LEDGER.pendingOf(assets[2]);
        assertEq(pending, 0.1372 ether);
        assertEq(LEDGER.claimable(assets[3], bob), 0.784 ether);
        assertEq(LEDGER.claimable(assets[0], alice), 0.0294 ether);
    }

    // Terms

    function test_shares_changeAtTheSecondBoundary() public {
        vm.prank(bob);
        ROUTER.setOperatorShare(operator, 600_000_000);
        uint256 from = (block.timestamp / 1 days + 2) * 1 days;
        vm.warp(from - 1);
        _pay(assets[0], operator, 0, 1 ether);
        assertEq(ROUTER.operatorClaimable(operator), 0.45 ether);
        vm.warp(from);
        _pay(assets[0], operator, 0, 1 ether);
        assertEq(ROUTER.operatorClaimable(operator), 1.05 ether); // What was owed is untouched by the change.
        (uint32 ppb,) = ROUTER.operatorTerms(operator);
        assertEq(ppb, 600_000_000);
    }

    function test_classes_changeWithTheEpoch() public {
        _pay(assets[0], 0, 0, 1 ether);
        vm.prank(governance);
        POLICY.setClasses(0, 30_000_000, 0);
        vm.warp((block.timestamp / 1 days + 2) * 1 days - 1);
        _pay(assets[0], 0, 0, 1 ether);
        assertEq(ROUTER.treasury(), 0.02 ether);
        vm.warp(block.timestamp + 1);
        _pay(assets[0], 0, 0, 1 ether);
        assertEq(ROUTER.treasury(), 0.02 ether);
        assertEq(ROUTER.toBurn(), 0.05 ether);
    }

    function test_shares_areBounded() public {
        vm.startPrank(bob);
        vm.expectRevert(
            abi.encodeWithSelector(IRevenueRouter.ShareOutOfBounds.selector, 199_999_999, 200_000_000, 700_000_000)
        );
        ROUTER.registerOperator(bob, 199_999_999);
        vm.expectRevert(
            abi.encodeWithSelector(IRevenueRouter.ShareOutOfBounds.selector, 700_000_001, 200_000_000, 700_000_000)
        );
        ROUTER.setOperatorShare(operator, 700_000_001);
        vm.expectRevert(abi.encodeWithSelector(IRevenueRouter.ShareOutOfBounds.selector, 200_000_001, 0, 200_000_000));
        ROUTER.setAgentShare(agent, 200_000_001);
        vm.expectRevert(IRevenueRouter.ZeroAddress.selector);
        ROUTER.registerOperator(address(0), 200_000_000);
    }

    function test_rights() public {
        vm.startPrank(alice);
        bytes memory refusal = abi.encodeWithSelector(IRevenueRouter.NotOperatorOwner.selector, operator, alice);
        vm.expectRevert(refusal);
        ROUTER.setOperatorShare(operator, 300_000_000);
        vm.expectRevert(refusal);
        ROUTER.setOperatorPayout(operator, alice);
        vm.expectRevert(refusal);
        ROUTER.transferOperator(operator, alice);
        vm.expectRevert(abi.encodeWithSelector(IRevenueRouter.NotAgentOwner.selector, agent, alice));
        ROUTER.setAgentShare(agent, 0);
        vm.expectRevert(abi.encodeWithSelector(IRevenueRouter.NotAnAgent.selector, assets[0]));
        ROUTER.setAgentShare(assets[0], 0); // Hers, but no agent.
        vm.expectRevert(abi.encodeWithSelector(IRevenueRouter.NotStakeManager.selector, alice));
        ROUTER.setProvision(operator, 1);
        vm.expectRevert(abi.encodeWithSelector(IRevenueRouter.NotGovernance.selector, alice));
        ROUTER.setChannel(alice, true);
        vm.stopPrank();

        vm.prank(bob);
        ROUTER.transferOperator(operator, alice);
        vm.prank(alice);
        ROUTER.setOperatorPayout(operator, alice);
        assertEq(ROUTER.operatorPayout(operator), alice);
    }

    // What waits in the router

    function testFuzz_operator_isPaidAllItEarned(uint88 a, uint88 b) public {
        _pay(assets[0], operator, 0, uint256(a) + 1);
        _pay(assets[3], operator, agent, uint256(b) + 1);
        uint256 owed = ROUTER.operatorClaimable(operator);
        assertEq(ROUTER.claimOperator(operator), owed);
        assertEq(bob.balance, owed);
        assertEq(ROUTER.claimOperator(operator), 0);
        (uint32 ppb,) = ROUTER.operatorTerms(operator);
        assertEq(ppb, 450_000_000);
        assertEq(address(ROUTER).balance, ROUTER.treasury() + ROUTER.toBurn());
    }

    function test_operatorWhoCallsBack_isPaidOnce() public {
        CallsBack thief = new CallsBack(address(ROUTER), abi.encodeCall(ROUTER.claimOperator, (operator)), 3);
        vm.prank(bob);
        ROUTER.setOperatorPayout(operator, address(thief));
        _pay(assets[0], operator, 0, 1 ether);
        uint256 before = address(ROUTER).balance;
        ROUTER.claimOperator(operator);
        assertEq(thief.received(), 0.45 ether);
        assertEq(address(ROUTER).balance, before - 0.45 ether);
    }

    function test_operatorWhoRefuses_stopsNoPayment() public {
        Refuses refuses = new Refuses();
        vm.prank(bob);
        ROUTER.setOperatorPayout(operator, address(refuses));
        _pay(assets[0], operator, 0, 1 ether);
        vm.expectRevert(abi.encodeWithSelector(Send.SendFailed.selector, address(refuses), 0.45 ether));
        ROUTER.claimOperator(operator);
        vm.prank(bob);
        ROUTER.setOperatorPayout(operator, bob);
        ROUTER.claimOperator(operator);
        assertEq(bob.balance, 0.45 ether);
    }

    function test_settle_creditsTheTreasury() public {
        _pay(assets[0], operator, 0, 3 ether);
        vm.expectEmit(address(ROUTER));
        emit IRevenueRouter.RoleCredited(Pools.TREASURY, 0, 0.03 ether);
        assertEq(ROUTER.settle(), 0.03 ether);
        assertEq(ROUTER.treasury(), 0);
        assertEq(ROUTER.settle(), 0);
        vm.prank(governance);
        LEDGER.setUnits(Pools.TREASURY, governance, 1);
        LEDGER.claim(Pools.TREASURY, governance);
        assertEq(governance.balance, 0.03 ether);
    }

    /// forge-config: default.isolate = true
    function test_burn_takesTheBurnedPartOutOfTheSupply() public {
        _pay(assets[0], operator, 0, 3 ether);
        uint256 before = address(ROUTER).balance;
        address burner = vm.computeCreateAddress(address(ROUTER), 1);
        vm.expectEmit(address(ROUTER));
        emit IRevenueRouter.Burned(0.03 ether);
        assertEq(ROUTER.burn(), 0.03 ether);
        assertEq(address(ROUTER).balance, before - 0.03 ether);
        assertEq(burner.balance, 0);
        assertEq(burner.code.length, 0);
        assertEq(ROUTER.toBurn(), 0);
    }

    function test_forcedOpen_isNeitherBurnedNorPaid() public {
        _pay(assets[0], operator, 0, 1 ether);
        vm.deal(address(ROUTER), address(ROUTER).balance + 7 ether);
        ROUTER.burn();
        ROUTER.settle();
        ROUTER.claimOperator(operator);
        assertEq(address(ROUTER).balance, 7 ether);
    }

    // Batches

    function test_routeBatch_onlyChannels() public {
        IRevenueRouter.RouteItem[] memory items = new IRevenueRouter.RouteItem[](3);
        items[0] = IRevenueRouter.RouteItem(assets[0], operator, 0, 1 ether, "a");
        items[1] = IRevenueRouter.RouteItem(99, 99, 99, 0, "nothing");
        items[2] = IRevenueRouter.RouteItem(assets[3], operator, agent, 2 ether, "c");
        vm.deal(alice, 10 ether);
        vm.expectRevert(abi.encodeWithSelector(IRevenueRouter.NotChannel.selector, alice));
        vm.prank(alice);
        ROUTER.routeBatch{value: 3 ether}(items);

        vm.prank(governance);
        ROUTER.setChannel(alice, true);
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(IRevenueRouter.BadSum.selector, 3 ether, 2 ether));
        ROUTER.routeBatch{value: 2 ether}(items);
        vm.recordLogs();
        ROUTER.routeBatch{value: 3 ether}(items);
        uint256 routed = 0;
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == IRevenueRouter.Routed.selector) ++routed;
        }
        assertEq(routed, 2);
        assertEq(ROUTER.operatorClaimable(operator), 1.35 ether);
        assertEq(LEDGER.claimable(agent, bob), 0.2 ether);
    }

    function _pay(uint64 id, uint32 operatorId, uint64 agentId, uint256 amount) private {
        vm.deal(payer, amount);
        vm.prank(payer);
        ROUTER.pay{value: amount}(id, operatorId, agentId, "ref");
    }

    /// @dev Compares every row of the quote with what changed, and I2: the rows add up to the amount.
    function _checkQuote(uint64 id, uint32 operatorId, uint64 agentId, uint128 amount) private {
        (, bytes32[] memory why, uint256[] memory amt) = ROUTER.quote(id, operatorId, agentId, amount);
        uint256 sum = 0;
        uint256[] memory before = new uint256[](why.length);
        for (uint256 i = 0; i < why.length; ++i) {
            before[i] = _held(why[i]);
            sum += amt[i];
            assertGt(amt[i], 0);
        }
        assertEq(sum, amount);
        uint256 balances = address(LEDGER).balance + address(ROUTER).balance;

        _pay(id, operatorId, agentId, amount);

        assertEq(address(LEDGER).balance + address(ROUTER).balance - balances, amount);
        for (uint256 i = 0; i < why.length; ++i) {
            uint256 want = amt[i];
            // A pool may stand in two rows: as the agent's or the stakers', and in the lineage.
            for (uint256 j = 0; j < why.length; ++j) {
                if (j != i && _isPool(why[i]) && _isPool(why[j]) && uint64(uint256(why[i])) == uint64(uint256(why[j])))
                {
                    want += amt[j];
                }
            }
            assertEq(_held(why[i]) - before[i], want);
        }
    }

    function _isPool(bytes32 why) private pure returns (bool) {
        uint256 role = uint256(why) >> 248;
        return role == 2 || role == 4 || role == 5;
    }

    /// @dev What the payee of a row has so far. All pools here have one member, their payout.
    function _held(bytes32 why) private view returns (uint256) {
        uint256 role = uint256(why) >> 248;
        uint64 id = uint64(uint256(why));
        if (role == 0) return ROUTER.treasury();
        if (role == 1) return ROUTER.toBurn();
        if (role == 3) return ROUTER.operatorClaimable(uint32(id));
        return LEDGER.claimable(id, REGISTRY.payoutOf(id));
    }
}
