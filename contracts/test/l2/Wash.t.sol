// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IAssetRegistry} from "src/l2/IAssetRegistry.sol";
import {GrantTest} from "./GrantTest.sol";

/// @notice Someone who is payer, operator, staker, model, agent, Datanet and every voter at once, and pays itself in
///         order to earn grants.
contract WashTest is GrantTest {
    address private immutable washer = makeAddr("washer");
    uint256 private constant STAKE = 10_000 ether;

    uint32 private own;
    uint64 private net;
    uint64 private agent;
    uint64 private washed;
    uint64 private provision;

    function setUp() public override {
        super.setUp();
        vm.prank(washer);
        own = ROUTER.registerOperator(washer, 700_000_000);
        net = root(washer, IAssetRegistry.Kind.DATANET, 0);
        agent = root(washer, IAssetRegistry.Kind.AGENT, 0);
        washed = derived(washer, list(net), 300_000_000);
        vm.prank(washer);
        ROUTER.setAgentShare(agent, 200_000_000);
        stake(washer, STAKE);
        vm.prank(washer);
        provision = STAKES.provision(OPERATOR, own, verifier, STAKE, HALF, THAW_S);
        enlist(net, 0);
        fund(1e27);
    }

    /// Whatever governance set within its bounds, whatever the washer pays and through what: it ends with less.
    function testFuzz_wash_neverPays(
        uint256 protocol,
        uint256 burn,
        uint256 stakers,
        uint32 rho,
        uint96[3] calldata amounts,
        uint8 through
    ) public {
        _govern(protocol, burn, stakers, rho);
        uint256 spent = 0;
        uint256 back = 0;
        for (uint256 i = 0; i < 3; ++i) {
            uint256 amount = bound(amounts[i], 1, 1e26);
            spent += amount;
            vm.deal(washer, amount);
            vm.prank(washer);
            // With and without operator and agent; the Datanet itself, or the model made from it.
            ROUTER.pay{value: amount}(
                through & 4 == 0 ? washed : net, through & 1 == 0 ? own : 0, through & 2 == 0 ? agent : 0, "wash"
            );
            GRANTS.observe();
            vm.prank(washer);
            GRANTS.vote(_all());
            closeWeek();
            GRANTS.grant(net);
            back += _collect();
        }
        assertLe(back, spent);
        // Of what was burned, nine tenths come back at most, and of those not all.
        assertLe(back, spent - ROUTER.toBurn() / 10);
    }

    function _govern(uint256 protocol, uint256 burn, uint256 stakers, uint32 rho) private {
        vm.startPrank(governance);
        POLICY.setClasses(
            uint32(bound(protocol, 0, 3_000)) * 10_000,
            uint32(bound(burn, 0, 3_000)) * 10_000,
            uint32(bound(stakers, 0, 10_000)) * 10_000
        );
        GRANTS.setRho(uint32(bound(rho, 0, 900_000_000)));
        vm.stopPrank();
        skip(14 days);
    }

    function _all() private pure returns (uint32[] memory ppb) {
        ppb = new uint32[](1);
        ppb[0] = 1e9;
    }

    function _collect() private returns (uint256) {
        vm.deal(washer, 0);
        ROUTER.claimOperator(own);
        LEDGER.claim(washed, washer);
        LEDGER.claim(net, washer);
        LEDGER.claim(agent, washer);
        LEDGER.claim(poolOf(provision), washer);
        return washer.balance;
    }
}
