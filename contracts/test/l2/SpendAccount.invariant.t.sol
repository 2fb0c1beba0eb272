// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {ISpendAccount} from "src/l2/ISpendAccount.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {SpendAccount} from "src/l2/SpendAccount.sol";
import {SpendTest} from "./SpendTest.sol";

/// @notice Signs rows for the handler: SpendTest knows how.
interface ISigner {
    function signRow(ISpendAccount.Voucher memory v, uint256 key, uint64 expiry, uint256 restricted)
        external
        view
        returns (ISpendAccount.Row memory);
}

/// @notice Two payers and a session key of each, two operators, two assets with and without an agent, epochs that end:
///         everything that may happen to a reservation, and a plain model of it.
contract Spenders is Test {
    SpendAccount private constant SPEND = SpendAccount(payable(Predeploys.SPEND_ACCOUNT));
    uint256 public constant PAYERS = 2;
    uint256 public constant EPOCHS = 2;
    uint64 public constant END = 1_800_300_000;

    struct Model {
        ISpendAccount.Reservation terms;
        uint256 key;
        bool exists;
        bool releasing;
        bool released;
        uint256 reserved;
        uint256 claimed;
        uint256 returned;
    }

    ISigner private immutable signer;
    address private immutable owner;
    address[2] private _payers;
    address[2] private _keys;
    uint64[2] public assets;
    uint64 public agent;
    uint32[2] public operators;

    Model[] private _models;
    mapping(bytes32 id => uint256) private _number;
    mapping(bytes32 channel => uint256) public cumulative;
    mapping(bytes32 channel => uint256) public count;
    mapping(uint32 operatorId => mapping(uint256 epoch => uint256)) public paid;
    uint256 public moneyIn;
    uint256 public moneyOut;
    /// What did not go as the model says; each is a failure.
    uint256 public surprises;

    constructor(ISigner signer_, address owner_, uint64[2] memory assets_, uint64 agent_, uint32[2] memory operators_) {
        (signer, owner, assets, agent, operators) = (signer_, owner_, assets_, agent_, operators_);
        _models.push();
        for (uint256 p = 0; p < PAYERS; ++p) {
            (_payers[p], _keys[p]) = (vm.addr(1000 + p), vm.addr(2000 + p));
        }
    }

    function deposit(uint256 p, uint80 amount) external {
        amount = uint80(bound(amount, 1, 1e24));
        vm.deal(address(this), amount);
        SPEND.depositNative{value: amount}(_payer(p));
        moneyIn += amount;
    }

    function reserve(uint256 p, uint256 which, uint80 amount) external {
        ISpendAccount.Reservation memory r = _terms(p, which);
        Model storage m = _model(r, p);
        uint256 free = SPEND.freeOf(r.payer);
        if (free == 0 || m.releasing || m.released || block.timestamp > _end(r)) return;
        amount = uint80(bound(amount, 1, free));
        (uint128 available,,,,,) = SPEND.reservationOf(r.payer, r.signer, r.operatorId, r.epoch);
        if (available + uint256(amount) >= 1 << 80) return;
        vm.prank(r.payer);
        SPEND.reserve(r, amount, r.payer, 0, "");
        m.exists = true;
        m.reserved += amount;
    }

    /// @dev Three rows of one group, the second and third for what the model then says; good and bad ones.
    function claim(uint256 p, uint256 which, uint256 a, uint80[3] calldata asks, uint16[3] calldata counts) external {
        uint64 assetId = assets[a % 2];
        ISpendAccount.Group[] memory g = new ISpendAccount.Group[](1);
        g[0] = ISpendAccount.Group(assetId, a / 2 % 2 == 0 ? 0 : agent, new ISpendAccount.Row[](3));
        uint256 want = 0;
        (p, which) = (p % PAYERS, which % 8);
        uint32 operatorId = operators[which % 2];
        for (uint256 i = 0; i < 3; ++i) {
            // The operator stays that of the first row.
            (bool good, ISpendAccount.Row memory row) = _row(p + i / 2, which + 2 * (i / 2), g[0], asks[i], counts[i]);
            g[0].rows[i] = row;
            if (good) want |= 1 << i;
        }
        vm.prank(owner);
        (uint256 got,) = SPEND.claimBatch(operatorId, g);
        if (got != want) ++surprises;
    }

    function initiate(uint256 p, uint256 which) external {
        ISpendAccount.Reservation memory r = _terms(p, which);
        Model storage m = _model(r, p);
        if (!m.exists || m.releasing || m.released) return;
        vm.prank(r.payer);
        SPEND.initiateRelease(r.payer, r.signer, r.operatorId, r.epoch, 0, "");
        m.releasing = true;
    }

    function finalise(uint256 p, uint256 which) external {
        ISpendAccount.Reservation memory r = _terms(p, which);
        Model storage m = _model(r, p);
        if (!m.exists || m.released) return;
        uint256 before = SPEND.freeOf(r.payer);
        (,,,, uint64 releaseAt,) = SPEND.reservationOf(r.payer, r.signer, r.operatorId, r.epoch);
        bool due = (m.releasing && block.timestamp >= releaseAt) || block.timestamp > _end(r);
        try SPEND.finalizeRelease(r.payer, r.signer, r.operatorId, r.epoch) {
            if (!due) ++surprises;
            m.released = true;
            m.returned = SPEND.freeOf(r.payer) - before;
        } catch {
            if (due) ++surprises;
        }
    }

    function withdraw(uint256 p, uint80 amount) external {
        address payer = _payer(p);
        uint256 bounded = bound(amount, 0, SPEND.freeOf(payer));
        vm.prank(payer);
        SPEND.withdraw(payer, address(0xdead), uint128(bounded), 0, "");
        moneyOut += bounded;
    }

    function refund(uint256 p, uint64 amount) external {
        amount = uint64(bound(amount, 1, type(uint64).max));
        vm.deal(owner, amount);
        vm.prank(owner);
        SPEND.refund{value: amount}(operators[0], _payer(p), "ref");
        moneyIn += amount;
    }

    function wait(uint16 duration_s) external {
        vm.warp(block.timestamp + duration_s % 20 minutes);
    }

    function models() external view returns (Model[] memory) {
        return _models;
    }

    function payerOf(uint256 p) external view returns (address) {
        return _payer(p);
    }

    /// @dev A voucher for `ask` more than the channel has, signed by the right key or, one time in eight, by another;
    ///      and whether the model pays it.
    function _row(uint256 p, uint256 which, ISpendAccount.Group memory g, uint80 ask, uint16 counted)
        private
        returns (bool good, ISpendAccount.Row memory)
    {
        ISpendAccount.Reservation memory r = _terms(p, which);
        Model storage m = _model(r, p);
        bytes32 channel = keccak256(abi.encode(_id(r), g.assetId, g.agentId));
        uint256 left = m.reserved - m.claimed - m.returned;
        uint256 delta = ask % 4 == 0 ? ask >> 2 : bound(ask, 0, left + 1);
        uint256 next = cumulative[channel] + delta;
        if (next >= 1 << 80) (next, delta) = (0, 0);
        uint256 calls = counted % 8 == 0 ? counted : count[channel] + counted % 8;
        good = m.exists && block.timestamp <= _end(r) && delta != 0 && delta <= left && calls >= count[channel]
            && counted % 8 != 1;
        ISpendAccount.Voucher memory v = ISpendAccount.Voucher(
            r.payer, g.assetId, r.operatorId, g.agentId, uint128(next), uint64(calls), bytes32(next), r.epoch
        );
        uint256 key = counted % 8 == 1 ? 12345 : m.key;
        if (good) {
            cumulative[channel] = next;
            count[channel] = calls;
            m.claimed += delta;
            moneyOut += delta;
            paid[r.operatorId][block.timestamp / 10 minutes] += delta;
        }
        return (good, signer.signRow(v, key, r.expiry, 0));
    }

    /// @dev Payer, operator, epoch, and whether it is for the payer's own key, or for a session key until END.
    function _terms(uint256 p, uint256 which) private view returns (ISpendAccount.Reservation memory r) {
        r.payer = _payer(p);
        r.operatorId = operators[which % 2];
        r.epoch = uint64(which / 2 % EPOCHS);
        bool session = which / 2 / EPOCHS % 2 == 1;
        r.signer = session ? _keys[p % PAYERS] : r.payer;
        if (session) r.expiry = END;
    }

    function _model(ISpendAccount.Reservation memory r, uint256 p) private returns (Model storage m) {
        bytes32 id = _id(r);
        if (_number[id] == 0) {
            _number[id] = _models.length;
            m = _models.push();
            m.terms = r;
            m.key = (r.signer == r.payer ? 1000 : 2000) + p % PAYERS;
        }
        return _models[_number[id]];
    }

    function _end(ISpendAccount.Reservation memory r) private pure returns (uint256) {
        return r.expiry == 0 ? type(uint256).max : r.expiry;
    }

    function _id(ISpendAccount.Reservation memory r) private pure returns (bytes32) {
        return keccak256(abi.encode(r));
    }

    function _payer(uint256 p) private view returns (address) {
        return _payers[p % PAYERS];
    }
}

contract SpendAccountInvariant is SpendTest, ISigner {
    Spenders private spenders;

    function setUp() public override {
        super.setUp();
        vm.prank(alice);
        uint32 second = ROUTER.registerOperator(alice, 300_000_000);
        spenders = new Spenders(this, alice, [asset, asset2], agent, [operator, second]);
        for (uint256 i = 0; i < 8; ++i) {
            spenders.deposit(i, 1e24);
            spenders.reserve(i, i / 2, 1e22);
        }
        vm.warp(spenders.END() - 15 minutes);
        targetContract(address(spenders));
        bytes4[] memory selectors = new bytes4[](8);
        selectors[0] = Spenders.deposit.selector;
        selectors[1] = Spenders.reserve.selector;
        selectors[2] = Spenders.claim.selector;
        selectors[3] = Spenders.initiate.selector;
        selectors[4] = Spenders.finalise.selector;
        selectors[5] = Spenders.withdraw.selector;
        selectors[6] = Spenders.refund.selector;
        selectors[7] = Spenders.wait.selector;
        targetSelector(FuzzSelector(address(spenders), selectors));
    }

    function signRow(ISpendAccount.Voucher memory v, uint256 key, uint64 expiry, uint256 restricted)
        external
        view
        returns (ISpendAccount.Row memory)
    {
        return signed(v, key, expiry, restricted);
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 24
    /// I1 and I7: what is free and what is reserved add up to the balance, which is what came less what went.
    function invariant_solvent() public view {
        uint256 sum = 0;
        for (uint256 p = 0; p < spenders.PAYERS(); ++p) {
            sum += SPEND.freeOf(spenders.payerOf(p));
        }
        Spenders.Model[] memory models = spenders.models();
        for (uint256 i = 1; i < models.length; ++i) {
            sum += _available(models[i].terms);
        }
        assertEq(sum, SPEND.liabilities());
        assertEq(sum, address(SPEND).balance);
        assertEq(sum, spenders.moneyIn() - spenders.moneyOut());
        assertEq(SPEND.solvency(), 0);
    }

    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.runs = 24
    /// I6: every row was paid or not as the model says; a reservation pays what it was given, and each of its channels
    /// claimed what its vouchers said last, which never falls; what operators were paid in an epoch is the sum of it.
    function invariant_reservationsPayWhatTheyWereGiven() public view {
        assertEq(spenders.surprises(), 0);
        Spenders.Model[] memory models = spenders.models();
        for (uint256 i = 1; i < models.length; ++i) {
            Spenders.Model memory m = models[i];
            assertLe(m.claimed + m.returned, m.reserved);
            assertEq(_available(m.terms), m.released ? 0 : m.reserved - m.claimed);
            uint256 sum = 0;
            for (uint256 c = 0; c < 4; ++c) {
                sum += _channel(m.terms, spenders.assets(c % 2), c / 2 == 0 ? 0 : agent);
            }
            assertEq(sum, m.claimed);
        }
        _checkPaidOf();
    }

    function _checkPaidOf() private view {
        uint256 epoch = block.timestamp / 10 minutes;
        for (uint256 i = 0; i < 2; ++i) {
            uint32 id = spenders.operators(i);
            for (uint256 e = epoch - 3; e <= epoch; ++e) {
                (uint128 amount,) = SPEND.paidOf(id, uint64(e));
                (uint128 a,) = SPEND.paidOf(id, asset, uint64(e));
                (uint128 b,) = SPEND.paidOf(id, asset2, uint64(e));
                assertEq(amount, spenders.paid(id, e));
                assertEq(uint256(a) + b, amount);
            }
        }
    }

    function _available(ISpendAccount.Reservation memory r) private view returns (uint256) {
        (uint128 available,,,,,) = SPEND.reservationOf(r.payer, r.signer, r.operatorId, r.epoch);
        return available;
    }

    function _channel(ISpendAccount.Reservation memory r, uint64 assetId, uint64 agentId)
        private
        view
        returns (uint256)
    {
        (uint128 claimed,) = SPEND.claimedOf(r.payer, r.signer, r.operatorId, r.epoch, assetId, agentId);
        bytes32 channel = keccak256(abi.encode(keccak256(abi.encode(r)), assetId, agentId));
        assertEq(claimed, spenders.cumulative(channel));
        return claimed;
    }
}
