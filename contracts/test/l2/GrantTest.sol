// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IAssetRegistry} from "src/l2/IAssetRegistry.sol";
import {GrantPool} from "src/l2/GrantPool.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {StakeTest} from "./StakeTest.sol";

/// @notice L2 with stakes and grants, three Datanets of carol's, a model to pay for, and a week that just began.
abstract contract GrantTest is StakeTest {
    GrantPool internal constant GRANTS = GrantPool(payable(Predeploys.GRANT_POOL));
    uint32 internal constant RHO = 500_000_000;
    uint64[3] internal datanets;
    uint64 internal model;

    function setUp() public virtual override {
        super.setUp();
        vm.etch(Predeploys.GRANT_POOL, type(GrantPool).runtimeCode);
        vm.setNonceUnsafe(Predeploys.GRANT_POOL, 1);
        for (uint256 i = 0; i < 3; ++i) {
            datanets[i] = root(carol, IAssetRegistry.Kind.DATANET, 0);
        }
        model = root(bob);
        stake(alice, 300 ether);
        stake(bob, 100 ether);
        vm.prank(governance);
        GRANTS.setRho(RHO);
        vm.warp((uint256(GRANTS.currentWeek()) + 2) * 7 days + 1);
    }

    function enlist(uint64 datanet, uint8 category) internal {
        vm.prank(governance);
        GRANTS.list(datanet, category);
    }

    /// @notice Pays for inferences; a hundredth of it is burned.
    function pay(uint256 amount) internal {
        vm.deal(bob, amount);
        vm.prank(bob);
        ROUTER.pay{value: amount}(model, 0, 0, "ref");
    }

    function fund(uint256 amount) internal {
        vm.deal(address(this), amount);
        (bool ok,) = Predeploys.GRANT_POOL.call{value: amount}("");
        assertTrue(ok);
    }

    function vote(address account, uint32 first, uint32 second) internal {
        uint32[] memory ppb = new uint32[](2);
        (ppb[0], ppb[1]) = (first, second);
        vm.prank(account);
        GRANTS.vote(ppb);
    }

    function closeWeek() internal returns (uint256) {
        uint64 week = GRANTS.currentWeek();
        skip(7 days);
        return GRANTS.close(week);
    }
}
