// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {AssetRegistry} from "src/l2/AssetRegistry.sol";
import {IAssetRegistry} from "src/l2/IAssetRegistry.sol";
import {PoolLedger} from "src/l2/PoolLedger.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {L2Test} from "./L2Test.sol";

/// @notice Four pools, five accounts: joins, leaves, credits, claims, changes of payout, pools in pools.
contract Members is Test {
    PoolLedger private constant LEDGER = PoolLedger(Predeploys.POOL_LEDGER);

    uint64 public constant POOLS = 4;
    address[5] public who;
    address private immutable owner;
    /// What each pool was credited, by payments and by syncs.
    mapping(uint64 pool => uint256) public credited;
    mapping(uint64 pool => uint256) public claimed;
    uint256 public paidOut;
    uint256 public paidIn;
    /// Accounts whose claimable fell without a claim of theirs.
    uint256 public robbed;

    constructor(address owner_) {
        owner = owner_;
        for (uint160 i = 0; i < 5; ++i) {
            who[i] = address(0x1000 + i);
        }
    }

    function credit(uint64 pool, uint96 amount) external {
        pool = _pool(pool);
        uint256[5] memory before = _claimables(pool);
        vm.deal(Predeploys.REVENUE_ROUTER, amount);
        uint256[2] memory heads = [uint256(pool) << 192 | amount, 0];
        vm.prank(Predeploys.REVENUE_ROUTER);
        LEDGER.credit{value: amount}(0, 0, heads);
        credited[pool] += amount;
        paidIn += amount;
        _checkNotRobbed(pool, before, 5);
    }

    function give(uint64 pool, uint96 amount) external {
        pool = _pool(pool);
        uint256[5] memory before = _claimables(pool);
        vm.deal(address(this), amount);
        LEDGER.give{value: amount}(pool);
        credited[pool] += amount;
        paidIn += amount;
        _checkNotRobbed(pool, before, 5);
    }

    /// Small amounts against large units make the remainders matter.
    function creditDust(uint64 pool, uint8 amount) external {
        this.credit(pool, amount);
    }

    function setUnits(uint64 pool, uint256 account, uint48 units) external {
        pool = _pool(pool);
        uint256[5] memory before = _claimables(pool);
        vm.prank(owner);
        LEDGER.setUnits(pool, who[account % 5], units >> 3);
        _checkNotRobbed(pool, before, 5);
    }

    function quit(uint64 pool, uint256 account) external {
        pool = _pool(pool);
        uint256[5] memory before = _claimables(pool);
        vm.prank(owner);
        LEDGER.setUnits(pool, who[account % 5], 0);
        _checkNotRobbed(pool, before, 5);
    }

    function joinPool(uint64 pool, uint48 units) external {
        pool = uint64(bound(pool, 2, POOLS));
        address child = LEDGER.accountOf(pool - 1);
        vm.prank(owner);
        LEDGER.setUnits(pool, child, units >> 3);
    }

    function sync(uint64 pool) external {
        pool = uint64(bound(pool, 2, POOLS));
        uint256 amount = LEDGER.sync(pool - 1, pool);
        claimed[pool] += amount;
        credited[pool - 1] += amount;
    }

    function claim(uint64 pool, uint256 account) external {
        pool = _pool(pool);
        uint256[5] memory before = _claimables(pool);
        address to = who[account % 5];
        uint256 had = to.balance;
        uint256 amount = LEDGER.claim(pool, to);
        assertEq(to.balance - had, amount);
        assertEq(amount, before[account % 5]);
        claimed[pool] += amount;
        paidOut += amount;
        _checkNotRobbed(pool, before, account % 5);
    }

    function setPayout(uint64 pool, uint256 account) external {
        pool = _pool(pool);
        uint256[5] memory before = _claimables(pool);
        vm.prank(owner);
        AssetRegistry(Predeploys.ASSET_REGISTRY).setPayout(pool, who[account % 5]);
        _checkNotRobbed(pool, before, 5);
    }

    function _pool(uint64 pool) private pure returns (uint64) {
        return uint64(bound(pool, 1, POOLS));
    }

    function _claimables(uint64 pool) private view returns (uint256[5] memory amounts) {
        for (uint256 i = 0; i < 5; ++i) {
            amounts[i] = LEDGER.claimable(pool, who[i]);
        }
    }

    /// I9.
    function _checkNotRobbed(uint64 pool, uint256[5] memory before, uint256 claimer) private {
        for (uint256 i = 0; i < 5; ++i) {
            if (i != claimer && LEDGER.claimable(pool, who[i]) < before[i]) ++robbed;
        }
    }
}

contract PoolLedgerInvariant is L2Test {
    Members private members;

    function setUp() public override {
        super.setUp();
        address owner = makeAddr("owner");
        members = new Members(owner);
        for (uint256 i = 0; i < 4; ++i) {
            address payout = members.who(i);
            vm.prank(owner);
            REGISTRY.register(IAssetRegistry.Kind.BASE_MODEL, 0, "", new IAssetRegistry.Parent[](0), 0, 0, 0, payout);
        }
        targetContract(address(members));
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// I3: of what a pool was credited, less than a wei per member it ever had is not claimable, and never more is.
    function invariant_poolsOweWhatTheyWereCredited() public view {
        for (uint64 pool = 1; pool <= members.POOLS(); ++pool) {
            (uint256 owed,) = LEDGER.pendingOf(pool);
            owed += members.claimed(pool) + LEDGER.claimable(pool, LEDGER.accountOf(pool - 1));
            for (uint256 i = 0; i < 5; ++i) {
                owed += LEDGER.claimable(pool, members.who(i));
            }
            assertLe(owed, members.credited(pool));
            assertLt(members.credited(pool) - owed, 6); // Five accounts and a pool.
        }
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// I1 for the ledger: the balance is what came less what went.
    function invariant_balanceIsWhatIsOwed() public view {
        assertEq(address(LEDGER).balance, members.paidIn() - members.paidOut());
    }

    /// I9.
    /// forge-config: default.invariant.fail-on-revert = true
    function invariant_nobodyIsRobbed() public view {
        assertEq(members.robbed(), 0);
    }
}
