// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {IStakeManager} from "src/l2/IStakeManager.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {StakeManager} from "src/l2/StakeManager.sol";
import {StakeTest} from "./StakeTest.sol";

/// @notice Three accounts with an operator each: everything that may happen to stake, and plain sums of it.
contract Stakers is Test {
    StakeManager private constant STAKES = StakeManager(payable(Predeploys.STAKE_MANAGER));
    uint256 public constant ACCOUNTS = 3;
    uint256 public constant MOMENTS = 4;

    struct Moment {
        uint256 second;
        uint256 staked;
        uint256[3] votes;
    }

    address private immutable verifier;
    address[3] public who;
    uint32[3] private _operators;
    Moment[4] private _moments;
    uint256 private _seen;

    uint256 public moneyIn;
    uint256 public moneyOut;
    uint256 public burned;
    mapping(uint64 id => uint256) public put;
    mapping(uint64 id => uint256) public taken;
    mapping(uint64 id => uint256) public released;
    mapping(bytes32 fault => uint256) public slashes;
    /// What did not go as it must; each is a failure.
    uint256 public surprises;

    constructor(address verifier_, address[3] memory who_, uint32[3] memory operators_) {
        (verifier, who, _operators) = (verifier_, who_, operators_);
    }

    function deposit(uint256 a, uint96 amount) external {
        amount = uint96(bound(amount, 1, 100_000 ether));
        vm.deal(address(this), amount);
        STAKES.deposit{value: amount}(who[a % 3]);
        moneyIn += amount;
    }

    function withdraw(uint256 a, uint96 amount) external {
        a %= 3;
        uint256 free = STAKES.freeOf(who[a]);
        if (free == 0) return;
        amount = uint96(bound(amount, 1, free));
        vm.prank(who[a]);
        STAKES.withdraw(address(0xdead), amount);
        moneyOut += amount;
    }

    function provision(uint256 a, uint256 role, uint96 amount, uint32 rewardPpb) external {
        a %= 3;
        uint256 free = STAKES.freeOf(who[a]);
        if (free == 0 || STAKES.provisionCount() == 12) return;
        IStakeManager.Role as_ = role % 2 == 0 ? IStakeManager.Role.OPERATOR : IStakeManager.Role.ATTRIBUTOR;
        if (as_ == IStakeManager.Role.OPERATOR) {
            IStakeManager.Provision memory p = STAKES.provisionOf(STAKES.operatorProvision(_operators[a]));
            if (p.own != p.thawing) return;
        }
        amount = uint96(bound(amount, 1, free));
        vm.prank(who[a]);
        uint64 id =
            STAKES.provision(as_, _operators[a], verifier, amount, uint32(bound(rewardPpb, 0, 500_000_000)), 7 days);
        put[id] += amount;
    }

    function add(uint64 id, uint96 amount) external {
        id = _id(id);
        address provider = STAKES.provisionOf(id).provider;
        uint256 free = STAKES.freeOf(provider);
        if (free == 0) return;
        amount = uint96(bound(amount, 1, free));
        vm.prank(provider);
        STAKES.add(id, amount);
        put[id] += amount;
    }

    function thaw(uint64 id, uint96 amount) external {
        id = _id(id);
        IStakeManager.Provision memory p = STAKES.provisionOf(id);
        if (p.own == p.thawing) return;
        vm.prank(p.provider);
        STAKES.thaw(id, bound(amount, 1, p.own - p.thawing));
    }

    function release(uint64 id) external {
        id = _id(id);
        IStakeManager.Provision memory p = STAKES.provisionOf(id);
        if (p.thawing == 0) return;
        try STAKES.release(id) returns (uint256 amount) {
            if (block.timestamp < p.thawAt || amount != p.thawing) ++surprises;
            released[id] += amount;
        } catch {
            if (block.timestamp >= p.thawAt) ++surprises;
        }
    }

    function delegateStake(uint64 id, uint256 a, uint96 amount) external {
        (id, a) = (_id(id), a % 3);
        IStakeManager.Provision memory p = STAKES.provisionOf(id);
        uint256 max = uint256(p.own - p.thawing) * 8;
        uint256 room = p.pool == 0 || max < p.delegated ? 0 : max - p.delegated;
        uint256 free = STAKES.freeOf(who[a]);
        if (free < room) room = free;
        if (room == 0) return;
        vm.prank(who[a]);
        STAKES.delegateStake(id, bound(amount, 1, room));
    }

    function thawDelegation(uint64 id, uint256 a, uint96 amount) external {
        (id, a) = (_id(id), a % 3);
        IStakeManager.Delegation memory d = STAKES.delegationOf(id, who[a]);
        if (d.amount == d.thawing) return;
        vm.prank(who[a]);
        STAKES.thawDelegation(id, bound(amount, 1, d.amount - d.thawing));
    }

    function releaseDelegation(uint64 id, uint256 a) external {
        (id, a) = (_id(id), a % 3);
        IStakeManager.Delegation memory d = STAKES.delegationOf(id, who[a]);
        if (d.thawing == 0) return;
        try STAKES.releaseDelegation(id, who[a]) {
            if (block.timestamp < d.thawAt) ++surprises;
        } catch {
            if (block.timestamp >= d.thawAt) ++surprises;
        }
    }

    /// Of eight fault ids, so that many are tried twice.
    function slash(uint64 id, uint256 fault, uint96 amount, uint256 a) external {
        id = _id(id);
        bytes32 name = bytes32(fault % 8);
        uint256 held = address(STAKES).balance;
        vm.prank(verifier);
        try STAKES.slash(id, name, amount, who[a % 3]) returns (uint256 slashed) {
            if (slashed > amount) ++surprises;
            ++slashes[name];
            taken[id] += slashed;
            burned += held - address(STAKES).balance;
        } catch {
            if (slashes[name] == 0) ++surprises;
        }
    }

    function delegate(uint256 a, uint256 b) external {
        vm.prank(who[a % 3]);
        STAKES.delegate(b % 4 == 3 ? address(0) : who[b % 4]);
    }

    function pass(uint256 s) external {
        Moment storage m = _moments[_seen++ % MOMENTS];
        (m.second, m.staked) = (block.timestamp, STAKES.staked());
        for (uint256 i = 0; i < 3; ++i) {
            m.votes[i] = STAKES.getVotes(who[i]);
        }
        vm.warp(block.timestamp + bound(s, 1, 8 days));
    }

    function momentAt(uint256 i) external view returns (Moment memory) {
        return _moments[i];
    }

    function _id(uint64 id) private view returns (uint64) {
        uint64 n = STAKES.provisionCount();
        vm.assume(n != 0);
        return 1 + id % n;
    }
}

contract StakeManagerInvariant is StakeTest {
    Stakers private stakers;

    function setUp() public override {
        super.setUp();
        address[3] memory who = [alice, bob, carol];
        uint32[3] memory operators;
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(who[i]);
            operators[i] = ROUTER.registerOperator(who[i], 400_000_000);
        }
        stakers = new Stakers(verifier, who, operators);
        targetContract(address(stakers));
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.depth = 96
    /// I8: Σ free + Σ provisions + Σ delegations is what is staked, and the balance, which is what came less what went.
    function invariant_stakeIsAllThere() public view {
        uint256 sum = 0;
        uint256[3] memory of_;
        for (uint256 i = 0; i < 3; ++i) {
            of_[i] = STAKES.freeOf(stakers.who(i));
        }
        for (uint64 id = 1; id <= STAKES.provisionCount(); ++id) {
            IStakeManager.Provision memory p = STAKES.provisionOf(id);
            uint256 delegated_ = 0;
            for (uint256 i = 0; i < 3; ++i) {
                uint256 amount = STAKES.delegationOf(id, stakers.who(i)).amount;
                if (stakers.who(i) == p.provider) of_[i] += p.own;
                of_[i] += amount;
                delegated_ += amount;
            }
            assertEq(delegated_, p.delegated);
        }
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(of_[i], STAKES.stakedOf(stakers.who(i)));
            sum += of_[i];
        }
        assertEq(sum, STAKES.staked());
        assertEq(sum, address(STAKES).balance);
        assertEq(sum, stakers.moneyIn() - stakers.moneyOut() - stakers.burned());
        assertEq(STAKES.solvency(), 0);
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.depth = 96
    /// I8: a provision loses what was slashed and released, together at most what was put there; a fault is slashed
    /// once; nothing leaves before its time.
    function invariant_slashedWithinTheProvision() public view {
        assertEq(stakers.surprises(), 0);
        for (uint256 f = 0; f < 8; ++f) {
            assertLe(stakers.slashes(bytes32(f)), 1);
        }
        for (uint64 id = 1; id <= STAKES.provisionCount(); ++id) {
            IStakeManager.Provision memory p = STAKES.provisionOf(id);
            assertEq(p.own + stakers.taken(id) + stakers.released(id), stakers.put(id));
            assertLe(p.thawing, p.own);
        }
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.depth = 96
    /// Votes are what is staked, now and at every second that is over.
    function invariant_votesAreWhatIsStaked() public view {
        uint256 votes = 0;
        for (uint256 i = 0; i < 3; ++i) {
            votes += STAKES.getVotes(stakers.who(i));
        }
        assertEq(votes, STAKES.staked());
        for (uint256 k = 0; k < stakers.MOMENTS(); ++k) {
            Stakers.Moment memory m = stakers.momentAt(k);
            if (m.second == 0) continue;
            assertEq(STAKES.getPastTotalSupply(m.second), m.staked);
            for (uint256 i = 0; i < 3; ++i) {
                assertEq(STAKES.getPastVotes(stakers.who(i), m.second), m.votes[i]);
            }
        }
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.depth = 96
    /// The stakers' class goes to active provisions alone, by what does not thaw.
    function invariant_poolsAreWhatIsAtStake() public view {
        for (uint64 id = 1; id <= STAKES.provisionCount(); ++id) {
            IStakeManager.Provision memory p = STAKES.provisionOf(id);
            bool active = p.pool != 0 && STAKES.operatorProvision(uint32(p.subject)) == id
                && p.own - p.thawing >= STAKES.ACTIVE_MIN();
            assertEq(STAKES.isActive(id), active);
            if (p.pool == 0) continue;
            if (STAKES.operatorProvision(uint32(p.subject)) == id) {
                (, uint64 pool) = ROUTER.operatorTerms(uint32(p.subject));
                assertEq(pool, active ? p.pool : 0);
            }
            for (uint256 i = 0; i < 3; ++i) {
                IStakeManager.Delegation memory d = STAKES.delegationOf(id, stakers.who(i));
                uint256 earning = d.amount - d.thawing;
                if (stakers.who(i) == p.provider) earning += p.own - p.thawing;
                assertEq(LEDGER.unitsOf(p.pool, stakers.who(i)), earning / STAKES.UNIT());
            }
        }
    }
}
