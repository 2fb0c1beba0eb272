// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {GrantPool} from "src/l2/GrantPool.sol";
import {IGrantPool} from "src/l2/IGrantPool.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {RevenueRouter} from "src/l2/RevenueRouter.sol";
import {GrantTest} from "./GrantTest.sol";

/// @notice Payments, burns, observations, votes, lists, rho, weeks; and what was truly put aside for burning in each.
contract Granters is Test {
    GrantPool private constant GRANTS = GrantPool(payable(Predeploys.GRANT_POOL));
    RevenueRouter private constant ROUTER = RevenueRouter(Predeploys.REVENUE_ROUTER);

    address private immutable governance;
    address[2] private _voters;
    uint64[3] private _datanets;
    uint64 private immutable model;
    uint64 public immutable firstWeek;
    /// Of all payments, grants included.
    uint256 public burned;
    uint256 public paidIn;
    uint256 public paidOut;
    /// The rho each week began with, and whether one changed within it.
    mapping(uint64 week => uint32) public rhoAt;
    mapping(uint64 week => bool) public known;
    uint256 public surprises;

    constructor(address governance_, address[2] memory voters, uint64[3] memory datanets, uint64 model_) {
        (governance, _voters, _datanets, model) = (governance_, voters, datanets, model_);
        firstWeek = GRANTS.currentWeek();
    }

    modifier watched() {
        uint256 before = ROUTER.toBurn();
        _;
        uint256 after_ = ROUTER.toBurn();
        if (after_ > before) burned += after_ - before;
        uint64 week = GRANTS.currentWeek();
        if (!known[week]) (known[week], rhoAt[week]) = (true, GRANTS.rhoOf(week));
        if (GRANTS.rhoOf(week) != rhoAt[week]) ++surprises;
    }

    function pay(uint96 amount) external watched {
        amount = uint96(bound(amount, 1, 1e24));
        vm.deal(address(this), amount);
        ROUTER.pay{value: amount}(model, 0, 0, "ref");
    }

    function burn() external watched {
        ROUTER.burn();
    }

    function observe() external watched {
        GRANTS.observe();
    }

    function fund(uint96 amount) external watched {
        amount = uint96(bound(amount, 1, 1e22));
        vm.deal(address(this), amount);
        (bool ok,) = Predeploys.GRANT_POOL.call{value: amount}("");
        if (!ok) ++surprises;
        paidIn += amount;
    }

    function vote(uint256 v, uint32 first) external watched {
        uint32[] memory ppb = new uint32[](2);
        ppb[0] = uint32(bound(first, 0, 1e9));
        ppb[1] = 1e9 - ppb[0];
        address voter = _voters[v % 2];
        bool voted = GRANTS.hasVoted(GRANTS.currentWeek(), voter);
        vm.prank(voter);
        try GRANTS.vote(ppb) {
            if (voted) ++surprises;
        } catch {
            if (!voted) ++surprises;
        }
    }

    function list(uint256 d, uint8 category) external watched {
        uint64 id = _datanets[d % 3];
        bool listed = GRANTS.gaugeOf(id).listed;
        vm.prank(governance);
        if (listed) GRANTS.unlist(id);
        else GRANTS.list(id, category % 2);
    }

    function setRho(uint32 ppb) external watched {
        vm.prank(governance);
        try GRANTS.setRho(ppb) {
            if (ppb > 900_000_000) ++surprises;
        } catch {
            if (ppb <= 900_000_000) ++surprises;
        }
    }

    function setRhoInside(uint32 ppb) external {
        this.setRho(uint32(bound(ppb, 0, 900_000_000)));
    }

    function pass(uint256 s) external watched {
        vm.warp(block.timestamp + bound(s, 1 hours, 4 days));
    }

    function close(uint64 back) external watched {
        uint64 now_ = GRANTS.currentWeek();
        uint64 week = now_ - uint64(bound(back, 1, 3));
        if (GRANTS.weekOf(week).closed) return;
        GRANTS.close(week);
    }

    function grant(uint256 d) external watched {
        uint64 id = _datanets[d % 3];
        uint256 expected = GRANTS.grantable(id);
        uint256 amount = GRANTS.grant(id);
        if (amount != expected) ++surprises;
        paidOut += amount;
    }
}

contract GrantPoolInvariant is GrantTest {
    Granters private granters;

    function setUp() public override {
        super.setUp();
        granters = new Granters(governance, [alice, bob], datanets, model);
        targetContract(address(granters));
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.depth = 96
    /// I10: a week gives at most its rho of what was burned in it, and all weeks together count no more than was
    /// burned.
    function invariant_givenWithinWhatWasBurned() public view {
        uint256 seen = 0;
        uint256 given = 0;
        for (uint64 week = granters.firstWeek(); week <= GRANTS.currentWeek(); ++week) {
            IGrantPool.Week memory w = GRANTS.weekOf(week);
            seen += w.burned;
            given += w.given;
            assertLe(w.given, w.cap);
            if (w.burned == 0) continue;
            assertTrue(granters.known(week));
            assertEq(w.cap, uint256(w.burned) * granters.rhoAt(week) / 1e9);
        }
        assertLe(seen, granters.burned());
        assertLe(given, seen);
        assertEq(given, granters.paidOut() + GRANTS.promised());
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.depth = 96
    /// What is promised is there.
    function invariant_promisesAreCovered() public view {
        uint256 sum = 0;
        for (uint256 i = 0; i < 3; ++i) {
            sum += GRANTS.grantable(datanets[i]);
        }
        assertEq(sum, GRANTS.promised());
        assertLe(sum, Predeploys.GRANT_POOL.balance);
        assertEq(Predeploys.GRANT_POOL.balance, granters.paidIn() - granters.paidOut());
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.depth = 96
    /// I11: rho within its bound, and the same from a week's first second to its last.
    function invariant_rhoKeepsItsBoundAndItsWeek() public view {
        assertEq(granters.surprises(), 0);
        assertLe(GRANTS.rhoOf(GRANTS.currentWeek()), 900_000_000);
        assertLe(GRANTS.rhoOf(type(uint64).max), 900_000_000);
    }
}
