// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {IDatanet} from "src/l2/IDatanet.sol";
import {IPoolLedger} from "src/l2/IPoolLedger.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {AttributionTest} from "./AttributionTest.sol";
import {Trees} from "./Trees.sol";

/// @notice A Datanet's life: three contributors who share rows, curators who come and go, an owner, challengers.
contract Contributors is AttributionTest {
    address[3] public who;
    /// How often each kind of decision came about, so that a run that decides nothing is seen.
    uint256 public decided;
    uint256 public duplicates;

    mapping(uint256 batch => uint256) private _seeds;

    function setUp() public override {
        super.setUp();
        who = [ann, ben, makeAddr("cat")];
        vm.deal(who[2], 1000 ether);
        _seatCurators();
    }

    function net() external view returns (uint64) {
        return datanet;
    }

    function submit(uint256 account, uint256 seed) external {
        address contributor = who[account % 3];
        IDatanet.Net memory n = DATANETS.netOf(datanet);
        if (contributor.balance < BOND || n.budget < 3 * uint96(REVIEW_PAY)) return;
        _seeds[_submit(contributor, seed % 4)] = seed % 4;
    }

    function decide(uint256 batch, uint256 hash, uint16[3] memory qualities, uint256 absent) external {
        (batch,) = _pick(batch);
        if (batch == 0 || _status(batch) != IDatanet.Status.SUBMITTED) return;
        if (hash % 3 == 0) {
            vm.prank(owner);
            DATANETS.acceptByOwner(batch, uint16(1 + qualities[0] % 1000), qualities[1]);
            ++decided;
            return;
        }
        _anchor(bytes32(hash));
        uint256 eligible = 0;
        for (uint16 seats = DATANETS.seatsOf(datanet); seats != 0; seats >>= 1) {
            eligible += seats & 1;
        }
        if (eligible < 3) return;
        DATANETS.draw(batch);
        uint24 drawn = DATANETS.reviewOf(batch).seats;
        for (uint256 place = 0; place < 3; ++place) {
            (address curator,) = DATANETS.seatOf(datanet, uint8(drawn >> (8 * place)));
            bytes32 c =
                keccak256(abi.encode(batch, curator, qualities[place] % 1001, uint24(place), bytes32(0), bytes32(0)));
            vm.prank(curator);
            DATANETS.commitReview(batch, place, c);
        }
        for (uint256 place = 0; place < 3; ++place) {
            if (absent >> place & 3 == 3) continue;
            (address curator,) = DATANETS.seatOf(datanet, uint8(drawn >> (8 * place)));
            vm.prank(curator);
            DATANETS.revealReview(batch, place, qualities[place] % 1001, uint24(place), 0, 0);
        }
    }

    function finalize(uint256 batch, uint256 wait) external {
        (batch,) = _pick(batch);
        if (batch == 0 || _status(batch) != IDatanet.Status.DRAWN) return;
        if (DATANETS.reviewOf(batch).revealed != 7) vm.warp(block.timestamp + 3 days + wait % 100);
        DATANETS.finalize(batch);
        ++decided;
    }

    function retract(uint256 batch) external {
        (batch,) = _pick(batch);
        IDatanet.Status status = _status(batch);
        if (status != IDatanet.Status.SUBMITTED && status != IDatanet.Status.ACCEPTED) return;
        vm.prank(DATANETS.batchOf(batch).contributor);
        DATANETS.retract(batch);
    }

    /// Searches on from a random pair for two accepted batches with the same rows.
    function challenge(uint256 earlier, uint256 index) external {
        uint256 count = DATANETS.batchCount();
        for (uint256 i = 0; i < count; ++i) {
            uint256 a = 1 + (earlier % count + i) % count;
            for (uint256 b = a + 1; b <= count; ++b) {
                bool both = _status(a) == IDatanet.Status.ACCEPTED && _status(b) == IDatanet.Status.ACCEPTED;
                if (both && _seeds[a] == _seeds[b]) return _challenge(a, b, index % 4);
            }
        }
    }

    function releaseBond(uint256 batch) external {
        (batch,) = _pick(batch);
        if (_status(batch) != IDatanet.Status.ACCEPTED) return;
        vm.warp(block.timestamp + 7 days);
        DATANETS.releaseBond(batch);
    }

    function resign(uint8 seat) external {
        seat %= 8;
        if (DATANETS.seatsOf(datanet) >> seat & 1 == 0) return;
        vm.prank(owner);
        DATANETS.resign(datanet, seat);
        if (seat < 2) return; // Some go at once, others stay to be replaced later.
        vm.warp(block.timestamp + 14 days);
        DATANETS.finishResigning(datanet, seat);
        _seat(address(uint160(0xC0 + seat)));
    }

    function withdraw(uint256 account) external {
        DATANETS.withdraw(who[account % 3]);
    }

    /// @dev What Datanet owes or holds for somebody.
    function held() external view returns (uint256 sum) {
        sum = DATANETS.netOf(datanet).budget;
        for (uint8 seat = 0; seat < 15; ++seat) {
            (, uint96 bond) = DATANETS.seatOf(datanet, seat);
            sum += bond;
        }
        for (uint256 batch = 1; batch <= DATANETS.batchCount(); ++batch) {
            IDatanet.Batch memory b = DATANETS.batchOf(batch);
            sum += b.bond;
            if (b.status == IDatanet.Status.SUBMITTED) sum += 3 * uint256(b.reviewPay);
            if (b.status != IDatanet.Status.DRAWN) continue;
            for (uint8 open = ~DATANETS.reviewOf(batch).revealed & 7; open != 0; open >>= 1) {
                sum += (open & 1) * b.reviewPay;
            }
        }
        for (uint256 i = 0; i < 3; ++i) {
            sum += DATANETS.owedTo(who[i]);
        }
        for (uint160 i = 0; i < 5; ++i) {
            sum += DATANETS.owedTo(_curator(uint8(i)));
        }
        for (uint160 seat = 0; seat < 8; ++seat) {
            sum += DATANETS.owedTo(address(0xC0 + seat));
        }
    }

    function unitsByBatches(address contributor) external view returns (uint256 sum) {
        for (uint256 batch = 1; batch <= DATANETS.batchCount(); ++batch) {
            IDatanet.Batch memory b = DATANETS.batchOf(batch);
            if (b.contributor == contributor && b.status == IDatanet.Status.ACCEPTED) {
                sum += DATANETS.reviewOf(batch).units;
            }
        }
    }

    function _challenge(uint256 earlier, uint256 later, uint256 index) private {
        IDatanet.RowProof memory a = _rowProof(earlier, index);
        IDatanet.RowProof memory b = _rowProof(later, index);
        vm.prank(who[2]);
        try DATANETS.challengeDuplicate(_row(_seeds[later], index), a, b) {
            ++duplicates;
        } catch (bytes memory reason) {
            assertEq(bytes4(reason), IDatanet.DuplicateKnown.selector);
        }
    }

    function _curator(uint8 i) private pure returns (address) {
        return vm.addr(uint256(keccak256(abi.encodePacked(string.concat("curator", vm.toString(i))))));
    }

    function _pick(uint256 batch) private view returns (uint256, uint256 count) {
        count = DATANETS.batchCount();
        return (count == 0 ? 0 : 1 + batch % count, count);
    }

    function _status(uint256 batch) private view returns (IDatanet.Status) {
        return DATANETS.batchOf(batch).status;
    }

    function _rowProof(uint256 batch, uint256 i) private view returns (IDatanet.RowProof memory) {
        address contributor = DATANETS.batchOf(batch).contributor;
        return IDatanet.RowProof(batch, i, 250, Trees.proof(_rows(contributor, _seeds[batch]), i));
    }
}

contract DatanetInvariant is Test {
    Contributors private contributors;

    function setUp() public {
        contributors = new Contributors();
        contributors.setUp();
        bytes4[] memory calls = new bytes4[](8);
        calls[0] = Contributors.submit.selector;
        calls[1] = Contributors.decide.selector;
        calls[2] = Contributors.finalize.selector;
        calls[3] = Contributors.retract.selector;
        calls[4] = Contributors.challenge.selector;
        calls[5] = Contributors.releaseBond.selector;
        calls[6] = Contributors.resign.selector;
        calls[7] = Contributors.withdraw.selector;
        targetSelector(FuzzSelector(address(contributors), calls));
        targetContract(address(contributors));
    }

    /// The calls reach every kind of decision: invariants over nothing would hold too.
    function test_calls_decideBatches() public {
        for (uint256 i = 0; i < 24; ++i) {
            contributors.submit(i, i / 3);
            contributors.decide(i, i, [uint16(900), 0, 800], i == 20 ? 7 : 0);
            contributors.finalize(i, 0);
        }
        contributors.challenge(0, 1);
        contributors.challenge(3, 1);
        assertGt(contributors.decided(), 10);
        assertEq(contributors.duplicates(), 2);
        invariant_balanceIsWhatIsHeldForSomebody();
        invariant_unitsAreThoseOfAcceptedBatches();
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// The balance is all bonds, the budget, what is reserved for reviews, and what is owed.
    function invariant_balanceIsWhatIsHeldForSomebody() public view {
        assertEq(contributors.held(), Predeploys.DATANET.balance);
    }

    /// forge-config: default.invariant.fail-on-revert = true
    function invariant_unitsAreThoseOfAcceptedBatches() public view {
        for (uint256 i = 0; i < 3; ++i) {
            address account = contributors.who(i);
            assertEq(
                IPoolLedger(Predeploys.POOL_LEDGER).unitsOf(contributors.net(), account),
                contributors.unitsByBatches(account)
            );
        }
    }
}
