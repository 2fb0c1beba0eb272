// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Curators} from "./Curators.sol";
import {IAssetRegistry} from "./IAssetRegistry.sol";
import {IDatanet} from "./IDatanet.sol";
import {IL1Info} from "./IL1Info.sol";
import {IPoolLedger} from "./IPoolLedger.sol";
import {Methods} from "./Methods.sol";
import {Pools} from "./Pools.sol";
import {Predeploys} from "./Predeploys.sol";
import {Shares} from "./Shares.sol";
import {SumTree} from "./SumTree.sol";

/// @title Datanet
/// @notice See IDatanet.
/// @dev Invariants (test/l2/Datanet.invariant.t.sol): the balance is Σ bonds of seats and batches + Σ budgets + what is
///      reserved for open reviews + Σ owed; a contributor's units in a Datanet's pool are Σ units of its batches there.
///      A batch takes three slots to submit, whatever its size, and one more when curators are drawn.
contract Datanet is IDatanet, Curators {
    uint16 private constant QUALITY_MAX = 1000;
    uint24 private constant PPM = 1_000_000;
    uint256 private constant PPM_A_PERCENT = 10_000;
    uint32 private constant OWNER_MAX_PPB = 300_000_000;
    uint256 private constant UNITS_MAX = (1 << 48) - 1;

    /// Submitted and never drawn: there may be no curators.
    uint256 private constant DRAW_S = 7 days;
    uint256 private constant COMMIT_S = 2 days;
    uint256 private constant REVEAL_S = 1 days;
    /// While the bond is held, whoever proves a duplicate gets a part of it.
    uint256 private constant BOND_S = 7 days;

    struct Snap {
        uint64 datanet;
        uint32 lambdaPpb;
        uint16 method;
    }

    /// @inheritdoc IDatanet
    uint256 public batchCount;
    mapping(uint64 datanet => Net) private _nets;
    /// @inheritdoc IDatanet
    mapping(uint64 datanet => mapping(bytes32 licence => bool)) public isLicence;
    mapping(uint256 batch => Batch) private _batches;
    mapping(uint256 batch => address) private _sponsors;
    mapping(uint256 batch => Review) private _reviews;
    mapping(uint256 batch => mapping(uint256 place => bytes32)) private _commitments;
    mapping(uint256 batch => mapping(uint256 index => bool)) private _duplicates;
    /// @inheritdoc IDatanet
    mapping(uint64 version => Snap) public snapshotOf;

    // Owners

    /// @inheritdoc IDatanet
    function create(
        string calldata uri,
        bytes32 licence,
        uint32 floorPpb,
        address payout,
        uint96 curatorBond,
        Terms calldata terms
    ) external returns (uint64 datanet) {
        datanet = IAssetRegistry(Predeploys.ASSET_REGISTRY)
            .register(
                IAssetRegistry.Kind.DATANET, 0, uri, new IAssetRegistry.Parent[](0), 0, floorPpb, licence, address(this)
            );

        Net storage net = _nets[datanet];
        net.owner = msg.sender;
        net.latest = datanet;
        net.floorPpb = floorPpb;
        net.licence = licence;
        net.curatorBond = curatorBond;
        emit DatanetCreated(datanet, msg.sender, licence);
        _setTerms(datanet, terms);
        _setLicence(datanet, licence, true);
        _setPayout(datanet, payout);

        // What is paid before anybody contributed waits for the first contributor.
        _setUnits(datanet, address(this), 0);
    }

    /// @inheritdoc IDatanet
    function setTerms(uint64 datanet, Terms calldata terms) external {
        _checkOwner(datanet);
        _setTerms(datanet, terms);
    }

    /// @inheritdoc IDatanet
    function setLicence(uint64 datanet, bytes32 licence, bool allowed) external {
        _checkOwner(datanet);
        _setLicence(datanet, licence, allowed);
    }

    /// @inheritdoc IDatanet
    function setPayout(uint64 datanet, address payout) external {
        _checkOwner(datanet);
        _setPayout(datanet, payout);
    }

    /// @inheritdoc IDatanet
    function transferOwnership(uint64 datanet, address to) external {
        _checkOwner(datanet);
        _checkAddress(to);
        _nets[datanet].owner = to;
        emit OwnershipTransferred(datanet, msg.sender, to);
    }

    /// @inheritdoc IDatanet
    function acceptByOwner(uint256 batch, uint16 quality, uint24 dupPpm) external {
        Batch storage b = _batches[batch];
        _checkOwner(b.datanet);
        bool open = b.status == Status.SUBMITTED || (b.status == Status.DRAWN && _reviews[batch].committed == 0);
        if (!open) _refuse(batch);
        _checkReview(quality, dupPpm);
        require(quality != 0, BadReview());
        _free(b, 3);
        _accept(batch, quality, dupPpm);
    }

    /// @inheritdoc IDatanet
    function setExcluded(uint256 batch, bool excluded) external {
        Batch storage b = _batches[batch];
        _checkOwner(b.datanet);
        if (b.status != Status.ACCEPTED || b.excluded == excluded) _refuse(batch);
        b.excluded = excluded;
        _enter(b.datanet, excluded ? Decision.EXCLUDED : Decision.INCLUDED, batch);
        emit BatchExcluded(batch, excluded);
    }

    /// @inheritdoc IDatanet
    function snapshot(
        uint64 datanet,
        bytes32 textRoot,
        bytes32 saRoot,
        uint64 n,
        bytes32 programHash,
        bytes32 journal,
        string calldata uri
    ) external returns (uint64 version) {
        _checkOwner(datanet);
        require(journal == _nets[datanet].journal, JournalMoved(_nets[datanet].journal));
        version = _newVersion(datanet, keccak256(abi.encode(textRoot, saRoot, n, programHash, journal)), uri);
        emit Snapshot(datanet, version, textRoot, saRoot, n, programHash, journal);
    }

    // Contributors and sponsors

    /// @inheritdoc IDatanet
    function fund(uint64 datanet) external payable {
        require(_nets[datanet].owner != address(0), UnknownDatanet(datanet));
        _nets[datanet].budget += uint96(msg.value);
        emit Funded(datanet, msg.sender, msg.value);
    }

    /// @inheritdoc IDatanet
    function submitBatch(uint64 datanet, bytes32 rowsRoot, uint32 rows, uint64 tokens, bytes32 licence, bytes32 daRef)
        external
        payable
        returns (uint256 batch)
    {
        return submitBatchFor(msg.sender, datanet, rowsRoot, rows, tokens, licence, daRef);
    }

    /// @inheritdoc IDatanet
    function submitBatchFor(
        address contributor,
        uint64 datanet,
        bytes32 rowsRoot,
        uint32 rows,
        uint64 tokens,
        bytes32 licence,
        bytes32 daRef
    ) public payable returns (uint256 batch) {
        require(contributor != address(0) && !Pools.isAccount(contributor), BadBatch());
        require(rowsRoot != 0 && rows != 0 && tokens != 0 && tokens <= type(uint40).max, BadBatch());
        require(isLicence[datanet][licence], LicenceNotAllowed(licence));
        Net storage net = _nets[datanet];
        Terms memory terms = net.terms;
        require(msg.value == terms.bond, WrongBond(terms.bond));
        if (terms.reviewPay != 0) {
            uint96 needed = 3 * uint96(terms.reviewPay);
            uint96 budget = net.budget;
            require(budget >= needed, BudgetTooSmall(needed));
            net.budget = budget - needed;
        }

        batch = ++batchCount;
        _batches[batch] = Batch({
            rowsRoot: rowsRoot,
            contributor: contributor,
            rows: rows,
            tokens: uint40(tokens),
            status: Status.SUBMITTED,
            sponsored: contributor != msg.sender,
            excluded: false,
            bond: terms.bond,
            reviewPay: terms.reviewPay,
            dupPenaltyPercent: terms.dupPenaltyPercent,
            datanet: datanet,
            submittedAt: uint40(block.timestamp)
        });
        if (contributor != msg.sender) _sponsors[batch] = msg.sender;
        emit BatchSubmitted(datanet, batch, contributor, rowsRoot, rows, uint40(tokens), licence, daRef);
    }

    /// @inheritdoc IDatanet
    function retract(uint256 batch) external {
        Batch storage b = _batches[batch];
        require(msg.sender == b.contributor, NotContributor(msg.sender));
        Status was = b.status;
        if (was != Status.SUBMITTED && was != Status.ACCEPTED) _refuse(batch);

        b.status = Status.RETRACTED;
        emit BatchRetracted(batch);
        if (was == Status.SUBMITTED) {
            _free(b, 3);
            return _returnBond(batch);
        }
        _enter(b.datanet, Decision.RETRACTED, batch);
        _takeUnits(b, _reviews[batch], _reviews[batch].units);
    }

    /// @inheritdoc IDatanet
    function releaseBond(uint256 batch) external {
        Status status = _batches[batch].status;
        if (status != Status.ACCEPTED && status != Status.RETRACTED) _refuse(batch);
        _checkNotBefore(_reviews[batch].since + BOND_S);
        _returnBond(batch);
    }

    // Curators

    /// @inheritdoc IDatanet
    function draw(uint256 batch) external {
        Batch storage b = _batches[batch];
        _checkStatus(batch, Status.SUBMITTED);
        IL1Info l1 = IL1Info(Predeploys.L1_INFO);
        // The hash of an L1 block that did not exist at submission: nobody could choose rows or sender to suit it.
        require(l1.timestamp() > b.submittedAt, TooEarly(b.submittedAt));
        uint24 seats = _drawSeats(b.datanet, keccak256(abi.encode(l1.hash(), batch)), b.contributor, _payer(batch));
        require(seats != 0, NotEnoughCurators());

        b.status = Status.DRAWN;
        Review storage r = _reviews[batch];
        r.seats = seats;
        r.since = uint40(block.timestamp);
        emit CuratorsDrawn(batch, seats);
    }

    /// @inheritdoc IDatanet
    function commitReview(uint256 batch, uint256 place, bytes32 commitment) external {
        Review storage r = _checkDrawn(batch, place);
        _checkBefore(r.since + COMMIT_S);
        require(r.committed >> place & 1 == 0, AlreadyCommitted());

        r.committed |= uint8(1 << place);
        _commitments[batch][place] = commitment;
        emit ReviewCommitted(batch, msg.sender, commitment);
    }

    /// @inheritdoc IDatanet
    function revealReview(uint256 batch, uint256 place, uint16 quality, uint24 dupPpm, bytes32 reportHash, bytes32 salt)
        external
    {
        Review storage r = _checkDrawn(batch, place);
        // Nobody commits after having seen another's review.
        uint256 from = r.since + COMMIT_S;
        if (r.committed != 7) _checkNotBefore(from);
        _checkBefore(from + REVEAL_S);
        _checkReview(quality, dupPpm);
        bytes32 commitment = keccak256(abi.encode(batch, msg.sender, quality, dupPpm, reportHash, salt));
        require(r.committed >> place & 1 == 1 && _commitments[batch][place] == commitment, NotCommitted());

        delete _commitments[batch][place]; // So that it is shown, and paid, once.
        r.revealed |= uint8(1 << place);
        r.qualities |= uint48(quality) << uint48(16 * place);
        if (quality != 0) r.kept |= uint72(PPM - dupPpm) << uint72(24 * place);
        _owe(msg.sender, _batches[batch].reviewPay);
        emit ReviewRevealed(batch, msg.sender, quality, dupPpm, reportHash);
    }

    /// @inheritdoc IDatanet
    function finalize(uint256 batch) external {
        Batch storage b = _batches[batch];
        if (b.status == Status.SUBMITTED) {
            _checkNotBefore(b.submittedAt + DRAW_S);
            _free(b, 3);
            return _lapse(batch);
        }
        _checkStatus(batch, Status.DRAWN);
        Review storage r = _reviews[batch];
        uint256 end = r.since + COMMIT_S + REVEAL_S;
        if (r.revealed != 7) _checkNotBefore(end);

        uint256 missing = 0;
        uint256 rejects = 0;
        uint256 slashed = 0;
        for (uint256 place = 0; place < 3; ++place) {
            if (r.revealed >> place & 1 == 0) {
                ++missing;
                slashed += _slashSeat(b.datanet, _seatAt(r.seats, place), r.since);
            } else if (uint16(r.qualities >> (16 * place)) == 0) {
                ++rejects;
            }
        }
        _free(b, missing);
        uint256 quality = _middle(r.qualities, 16);
        if (quality != 0) _accept(batch, uint16(quality), PPM - uint24(_middle(r.kept, 24)));
        else if (rejects >= 2) _reject(batch);
        else _lapse(batch);

        _burn(slashed);
    }

    // Anybody

    /// @inheritdoc IDatanet
    function challengeDuplicate(bytes32 rowHash, RowProof calldata earlier, RowProof calldata later) external {
        Batch storage b = _batches[later.batch];
        Batch storage a = _batches[earlier.batch];
        _checkStatus(later.batch, Status.ACCEPTED);
        _checkStatus(earlier.batch, Status.ACCEPTED);
        bool isEarlier = earlier.batch < later.batch || (earlier.batch == later.batch && earlier.index < later.index);
        require(isEarlier && a.datanet == b.datanet, NotEarlier());
        require(!_duplicates[later.batch][later.index], DuplicateKnown());
        _checkRow(rowHash, a, earlier);
        _checkRow(rowHash, b, later);

        _duplicates[later.batch][later.index] = true;
        uint256 ppm = b.dupPenaltyPercent * PPM_A_PERCENT;
        uint256 share = later.tokens * PPM / b.tokens;
        if (share > ppm) ppm = share;
        Review storage r = _reviews[later.batch];
        // Rounded up, so that enough duplicates leave nothing.
        uint256 cut = (r.units * ppm + PPM - 1) / PPM;
        uint256 reward = b.bond * ppm / PPM;
        b.bond -= uint80(reward);
        _owe(msg.sender, reward);
        emit DuplicateProven(later.batch, earlier.batch, later.index, msg.sender, uint48(cut));

        _takeUnits(b, r, uint48(cut));
    }

    // Views

    /// @inheritdoc IDatanet
    function batchOf(uint256 batch) external view returns (Batch memory) {
        return _batches[batch];
    }

    /// @inheritdoc IDatanet
    function reviewOf(uint256 batch) external view returns (Review memory) {
        return _reviews[batch];
    }

    /// @inheritdoc IDatanet
    function netOf(uint64 datanet) external view returns (Net memory) {
        return _nets[datanet];
    }

    function _accept(uint256 batch, uint16 quality, uint24 dupPpm) private {
        Batch storage b = _batches[batch];
        Review storage r = _reviews[batch];
        uint64 datanet = b.datanet;
        uint256 units = uint256(b.tokens) * quality * (PPM - dupPpm) / (uint256(QUALITY_MAX) * PPM);
        // A full pool takes what fits, so that a batch can always be decided.
        uint256 room = UNITS_MAX - IPoolLedger(Predeploys.POOL_LEDGER).totalUnits(datanet);
        if (units > room) units = room;

        b.status = Status.ACCEPTED;
        r.since = uint40(block.timestamp);
        r.units = uint48(units);
        _enter(datanet, Decision.ACCEPTED, batch);
        emit BatchAccepted(batch, quality, dupPpm, uint48(units));

        if (units != 0) _setUnits(datanet, b.contributor, _unitsOf(b) + units);
    }

    /// @dev The bond pays reviews to come: who floods a Datanet with dust pays the curators who read it.
    function _reject(uint256 batch) private {
        Batch storage b = _batches[batch];
        b.status = Status.REJECTED;
        _nets[b.datanet].budget += b.bond;
        b.bond = 0;
        emit BatchRejected(batch);
    }

    function _lapse(uint256 batch) private {
        _batches[batch].status = Status.LAPSED;
        emit BatchLapsed(batch);
        _returnBond(batch);
    }

    function _returnBond(uint256 batch) private {
        Batch storage b = _batches[batch];
        uint256 bond = b.bond;
        b.bond = 0;
        _owe(_payer(batch), bond);
    }

    /// @dev Back to the budget: what was reserved for reviews that were not shown.
    function _free(Batch storage b, uint256 reviews) private {
        _nets[b.datanet].budget += uint96(reviews * b.reviewPay);
    }

    function _takeUnits(Batch storage b, Review storage r, uint48 units) private {
        if (units == 0) return;
        r.units -= units;
        _setUnits(b.datanet, b.contributor, _unitsOf(b) - units);
    }

    function _setLicence(uint64 datanet, bytes32 licence, bool allowed) private {
        isLicence[datanet][licence] = allowed;
        emit LicenceChanged(datanet, licence, allowed);
    }

    function _setPayout(uint64 datanet, address payout) private {
        _checkAddress(payout);
        _nets[datanet].payout = payout;
        emit PayoutChanged(datanet, payout);
    }

    function _setUnits(uint64 pool, address account, uint256 units) private {
        IPoolLedger(Predeploys.POOL_LEDGER).setUnits(pool, account, units);
    }

    function _unitsOf(Batch storage b) private view returns (uint256) {
        return IPoolLedger(Predeploys.POOL_LEDGER).unitsOf(b.datanet, b.contributor);
    }

    function _enter(uint64 datanet, Decision decision, uint256 batch) private {
        _nets[datanet].journal = keccak256(abi.encodePacked(_nets[datanet].journal, uint8(decision), uint64(batch)));
    }

    /// @dev The registry and the ledger call nobody back.
    // slither-disable-next-line reentrancy-no-eth
    function _newVersion(uint64 datanet, bytes32 contentRoot, string calldata uri) private returns (uint64 version) {
        Net storage net = _nets[datanet];
        IAssetRegistry registry = IAssetRegistry(Predeploys.ASSET_REGISTRY);
        address pool = Pools.account(datanet);
        version = registry.newVersion(
            net.latest,
            IAssetRegistry.Kind.DATANET,
            contentRoot,
            uri,
            new IAssetRegistry.Parent[](0),
            0,
            net.floorPpb,
            net.licence,
            pool
        );
        net.latest = version;
        Terms storage terms = net.terms;
        (uint32 lambdaPpb, uint32 ownerPpb) = (terms.lambdaPpb, terms.ownerPpb);
        snapshotOf[version] = Snap(datanet, lambdaPpb, terms.method);

        _setUnits(version, pool, Shares.WHOLE - lambdaPpb - ownerPpb);
        if (lambdaPpb != 0) _setUnits(version, Predeploys.ATTRIBUTION_SETTLEMENT, lambdaPpb);
        if (ownerPpb != 0) _setUnits(version, net.payout, ownerPpb);
    }

    function _checkStatus(uint256 batch, Status wanted) private view {
        if (_batches[batch].status != wanted) _refuse(batch);
    }

    function _refuse(uint256 batch) private view {
        revert WrongStatus(batch, _batches[batch].status);
    }

    function _checkReview(uint16 quality, uint24 dupPpm) private pure {
        require(quality <= QUALITY_MAX && dupPpm <= PPM, BadReview());
    }

    function _checkAddress(address account) private pure {
        require(account != address(0), ZeroAddress());
    }

    function _checkBefore(uint256 until) private view {
        require(block.timestamp < until, TooLate(until));
    }

    function _checkNotBefore(uint256 from) private view {
        require(block.timestamp >= from, TooEarly(from));
    }

    function _checkOwner(uint64 datanet) internal view override {
        require(msg.sender == _nets[datanet].owner, NotOwner(datanet, msg.sender));
    }

    function _curatorBond(uint64 datanet) internal view override returns (uint96) {
        return _nets[datanet].curatorBond;
    }

    function _setTerms(uint64 datanet, Terms calldata t) private {
        bool method = Methods.isUsable(t.method) && t.lambdaPpb <= Methods.lambdaMaxPpb(t.method);
        require(method && t.ownerPpb <= OWNER_MAX_PPB && t.dupPenaltyPercent <= 100, BadTerms());
        _nets[datanet].terms = t;
        emit TermsChanged(datanet, t);
    }

    /// @dev Of a batch that the caller was drawn for.
    function _checkDrawn(uint256 batch, uint256 place) private view returns (Review storage r) {
        Batch storage b = _batches[batch];
        _checkStatus(batch, Status.DRAWN);
        r = _reviews[batch];
        bool isDrawn = place < 3 && _isAtSeat(b.datanet, _seatAt(r.seats, place), msg.sender);
        require(isDrawn, NotDrawn(msg.sender));
    }

    function _checkRow(bytes32 rowHash, Batch storage b, RowProof calldata p) private view {
        bytes32 leaf = keccak256(abi.encodePacked(uint8(0), b.contributor, rowHash));
        // Which rows stand before it does not matter.
        // slither-disable-next-line unused-return
        (bool ok,) = SumTree.verify(SumTree.Root(b.rowsRoot, b.tokens, b.rows), leaf, p.tokens, p.index, p.proof);
        require(ok, NotARow(p.batch, p.index));
    }

    function _payer(uint256 batch) private view returns (address) {
        return _batches[batch].sponsored ? _sponsors[batch] : _batches[batch].contributor;
    }

    function _seatAt(uint24 seats, uint256 place) private pure returns (uint8) {
        return uint8(seats >> (8 * place));
    }

    /// @dev The middle quality of three, a missing or rejecting one counting as none: so the lower of two that accept, and
    ///      zero if fewer do.
    function _middle(uint256 packed, uint256 width) private pure returns (uint256) {
        uint256 mask = (1 << width) - 1;
        (uint256 a, uint256 b, uint256 c) = (packed & mask, packed >> width & mask, packed >> 2 * width);
        if (a > b) (a, b) = (b, a);
        if (b > c) (b, c) = (c, b);
        return a > b ? a : b;
    }
}
