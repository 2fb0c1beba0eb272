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
    uint32 private constant OWNER_MAX_PPB = 300_000_000;
    uint256 private constant UNITS_MAX = (1 << 48) - 1;

    /// Submitted and never drawn: there may be no curators.
    uint256 private constant DRAW_S = 7 days;
    uint256 private constant COMMIT_S = 2 days;
    uint256 private constant REVEAL_S = 1 days;
    /// While the bond is held, whoever proves a duplicate gets a part of it.
    uint256 private constant BOND_S = 7 days;

    struct Net {
        address owner;
        uint64 latest;
        address payout;
        uint96 curatorBond;
        Terms terms;
        uint96 budget;
        bytes32 journal;
    }

    struct Snap {
        uint64 datanet;
        uint32 lambdaPpb;
        uint16 method;
    }

    /// @inheritdoc IDatanet
    uint64 public batchCount;
    mapping(uint64 datanet => Net) private _nets;
    /// @inheritdoc IDatanet
    mapping(uint64 datanet => mapping(bytes32 licence => bool)) public isLicence;
    mapping(uint64 batch => Batch) private _batches;
    mapping(uint64 batch => address) private _sponsors;
    mapping(uint64 batch => Review) private _reviews;
    mapping(uint64 batch => mapping(uint256 place => bytes32)) private _commitments;
    mapping(uint64 batch => mapping(uint256 index => bool)) private _duplicates;
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
        require(payout != address(0), ZeroAddress());
        _checkTerms(terms);
        datanet = IAssetRegistry(Predeploys.ASSET_REGISTRY)
            .register(
                IAssetRegistry.Kind.DATANET, 0, uri, new IAssetRegistry.Parent[](0), 0, floorPpb, licence, address(this)
            );

        Net storage net = _nets[datanet];
        net.owner = msg.sender;
        net.latest = datanet;
        net.payout = payout;
        net.curatorBond = curatorBond;
        net.terms = terms;
        isLicence[datanet][licence] = true;
        emit DatanetCreated(datanet, msg.sender, licence);
        emit TermsChanged(datanet, terms);
        emit LicenceChanged(datanet, licence, true);
        emit PayoutChanged(datanet, payout);

        // What is paid before anybody contributed waits for the first contributor.
        _ledger().setUnits(datanet, address(this), 0);
    }

    /// @inheritdoc IDatanet
    function setTerms(uint64 datanet, Terms calldata terms) external {
        _checkOwner(datanet);
        _checkTerms(terms);
        _nets[datanet].terms = terms;
        emit TermsChanged(datanet, terms);
    }

    /// @inheritdoc IDatanet
    function setLicence(uint64 datanet, bytes32 licence, bool allowed) external {
        _checkOwner(datanet);
        isLicence[datanet][licence] = allowed;
        emit LicenceChanged(datanet, licence, allowed);
    }

    /// @inheritdoc IDatanet
    function setPayout(uint64 datanet, address payout) external {
        _checkOwner(datanet);
        require(payout != address(0), ZeroAddress());
        _nets[datanet].payout = payout;
        emit PayoutChanged(datanet, payout);
    }

    /// @inheritdoc IDatanet
    function transferOwnership(uint64 datanet, address to) external {
        _checkOwner(datanet);
        require(to != address(0), ZeroAddress());
        _nets[datanet].owner = to;
        emit OwnershipTransferred(datanet, msg.sender, to);
    }

    /// @inheritdoc IDatanet
    function acceptByOwner(uint64 batch, uint16 quality, uint24 dupPpm) external {
        Batch storage b = _batches[batch];
        _checkOwner(b.datanet);
        bool open = b.status == Status.SUBMITTED || (b.status == Status.DRAWN && _reviews[batch].committed == 0);
        require(open, WrongStatus(batch, b.status));
        require(quality != 0 && quality <= QUALITY_MAX && dupPpm <= PPM, BadReview());
        _nets[b.datanet].budget += 3 * uint96(b.reviewPay);
        _accept(batch, quality, dupPpm);
    }

    /// @inheritdoc IDatanet
    function setExcluded(uint64 batch, bool excluded) external {
        Batch storage b = _batches[batch];
        _checkOwner(b.datanet);
        require(b.status == Status.ACCEPTED && b.excluded != excluded, WrongStatus(batch, b.status));
        b.excluded = excluded;
        _enter(b.datanet, excluded ? Entry.EXCLUDED : Entry.INCLUDED, batch);
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
        returns (uint64 batch)
    {
        return _submit(msg.sender, datanet, rowsRoot, rows, tokens, licence, daRef);
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
    ) external payable returns (uint64 batch) {
        require(contributor != address(0) && !Pools.isAccount(contributor), BadBatch());
        batch = _submit(contributor, datanet, rowsRoot, rows, tokens, licence, daRef);
        if (contributor != msg.sender) {
            _batches[batch].sponsored = true;
            _sponsors[batch] = msg.sender;
        }
    }

    /// @inheritdoc IDatanet
    function retract(uint64 batch) external {
        Batch storage b = _batches[batch];
        require(msg.sender == b.contributor, NotContributor(msg.sender));
        Status was = b.status;
        require(was == Status.SUBMITTED || was == Status.ACCEPTED, WrongStatus(batch, was));

        b.status = Status.RETRACTED;
        emit BatchRetracted(batch);
        if (was == Status.SUBMITTED) {
            _nets[b.datanet].budget += 3 * uint96(b.reviewPay);
            return _returnBond(batch);
        }
        _enter(b.datanet, Entry.RETRACTED, batch);
        _takeUnits(b, _reviews[batch], _reviews[batch].units);
    }

    /// @inheritdoc IDatanet
    function releaseBond(uint64 batch) external {
        Status status = _batches[batch].status;
        require(status == Status.ACCEPTED || status == Status.RETRACTED, WrongStatus(batch, status));
        uint256 from = _reviews[batch].since + BOND_S;
        require(block.timestamp >= from, TooEarly(from));
        _returnBond(batch);
    }

    // Curators

    /// @inheritdoc IDatanet
    function draw(uint64 batch) external {
        Batch storage b = _batches[batch];
        require(b.status == Status.SUBMITTED, WrongStatus(batch, b.status));
        IL1Info l1 = IL1Info(Predeploys.L1_INFO);
        // The hash of an L1 block that did not exist at submission: nobody could choose rows or sender to suit it.
        require(l1.timestamp() > b.submittedAt, TooEarly(b.submittedAt));
        uint24 seats = _drawSeats(b.datanet, keccak256(abi.encode(l1.hash(), batch)), b.contributor, _payer(batch));
        require(seats != 0, NotEnoughCurators(2));

        b.status = Status.DRAWN;
        Review storage r = _reviews[batch];
        r.seats = seats;
        r.since = uint40(block.timestamp);
        emit CuratorsDrawn(batch, seats);
    }

    /// @inheritdoc IDatanet
    function commitReview(uint64 batch, uint256 place, bytes32 commitment) external {
        Review storage r = _checkDrawn(batch, place);
        uint256 until = r.since + COMMIT_S;
        require(block.timestamp < until, TooLate(until));
        require(r.committed >> place & 1 == 0, AlreadyCommitted(batch));

        r.committed |= uint8(1 << place);
        _commitments[batch][place] = commitment;
        emit ReviewCommitted(batch, msg.sender, commitment);
    }

    /// @inheritdoc IDatanet
    function revealReview(uint64 batch, uint256 place, uint16 quality, uint24 dupPpm, bytes32 reportHash, bytes32 salt)
        external
    {
        Review storage r = _checkDrawn(batch, place);
        // Nobody commits after having seen another's review.
        uint256 from = r.since + COMMIT_S;
        require(r.committed == 7 || block.timestamp >= from, TooEarly(from));
        require(block.timestamp < from + REVEAL_S, TooLate(from + REVEAL_S));
        require(quality <= QUALITY_MAX && dupPpm <= PPM, BadReview());
        bytes32 commitment = keccak256(abi.encode(batch, msg.sender, quality, dupPpm, reportHash, salt));
        require(r.committed >> place & 1 == 1 && _commitments[batch][place] == commitment, NotCommitted(batch));

        delete _commitments[batch][place]; // So that it is shown, and paid, once.
        r.revealed |= uint8(1 << place);
        r.qualities |= uint48(quality) << uint48(16 * place);
        r.dups |= uint72(dupPpm) << uint72(24 * place);
        _owe(msg.sender, _batches[batch].reviewPay);
        emit ReviewRevealed(batch, msg.sender, quality, dupPpm, reportHash);
    }

    /// @inheritdoc IDatanet
    function finalize(uint64 batch) external {
        Batch storage b = _batches[batch];
        if (b.status == Status.SUBMITTED) {
            uint256 from = b.submittedAt + DRAW_S;
            require(block.timestamp >= from, TooEarly(from));
            _nets[b.datanet].budget += 3 * uint96(b.reviewPay);
            return _lapse(batch);
        }
        require(b.status == Status.DRAWN, WrongStatus(batch, b.status));
        Review memory r = _reviews[batch];
        uint256 end = r.since + COMMIT_S + REVEAL_S;
        require(r.revealed == 7 || block.timestamp >= end, TooEarly(end));

        uint256 missing = 0;
        uint256 slashed = 0;
        for (uint256 place = 0; place < 3; ++place) {
            if (r.revealed >> place & 1 == 1) continue;
            ++missing;
            slashed += _slashSeat(b.datanet, _seatAt(r.seats, place), r.since);
        }
        _nets[b.datanet].budget += uint96(missing * b.reviewPay);
        (uint256 accepts, uint16 quality, uint24 dupPpm) = _verdict(r);
        if (accepts >= 2) _accept(batch, quality, dupPpm);
        else if (3 - missing - accepts >= 2) _reject(batch);
        else _lapse(batch);

        _burn(slashed);
    }

    // Anybody

    /// @inheritdoc IDatanet
    function challengeDuplicate(bytes32 rowHash, RowProof calldata earlier, RowProof calldata later) external {
        Batch storage b = _batches[later.batch];
        Batch storage a = _batches[earlier.batch];
        require(b.status == Status.ACCEPTED, WrongStatus(later.batch, b.status));
        require(a.status == Status.ACCEPTED, WrongStatus(earlier.batch, a.status));
        bool isEarlier = earlier.batch < later.batch || (earlier.batch == later.batch && earlier.index < later.index);
        require(isEarlier && a.datanet == b.datanet, NotEarlier());
        require(!_duplicates[later.batch][later.index], DuplicateKnown(later.batch, later.index));
        _checkRow(rowHash, a, earlier);
        _checkRow(rowHash, b, later);

        _duplicates[later.batch][later.index] = true;
        uint256 ppm = uint256(b.dupPenaltyPercent) * PPM / 100;
        uint256 share = later.tokens * PPM / b.tokens;
        if (share > ppm) ppm = share;
        Review storage r = _reviews[later.batch];
        // Rounded up, so that enough duplicates leave nothing.
        uint256 cut = (r.units * ppm + PPM - 1) / PPM;
        _takeUnits(b, r, uint48(cut));
        uint256 reward = b.bond * ppm / PPM;
        b.bond -= uint80(reward);
        _owe(msg.sender, reward);
        emit DuplicateProven(later.batch, earlier.batch, later.index, msg.sender, uint48(cut));
    }

    // Views

    /// @inheritdoc IDatanet
    function batchOf(uint64 batch) external view returns (Batch memory) {
        return _batches[batch];
    }

    /// @inheritdoc IDatanet
    function reviewOf(uint64 batch) external view returns (Review memory) {
        return _reviews[batch];
    }

    /// @inheritdoc IDatanet
    function termsOf(uint64 datanet) external view returns (Terms memory) {
        return _nets[datanet].terms;
    }

    /// @inheritdoc IDatanet
    function budgetOf(uint64 datanet) external view returns (uint256) {
        return _nets[datanet].budget;
    }

    /// @inheritdoc IDatanet
    function ownerOf(uint64 datanet) external view returns (address) {
        return _nets[datanet].owner;
    }

    /// @inheritdoc IDatanet
    function journalOf(uint64 datanet) external view returns (bytes32) {
        return _nets[datanet].journal;
    }

    /// @inheritdoc IDatanet
    function latestOf(uint64 datanet) external view returns (uint64 version) {
        return _nets[datanet].latest;
    }

    function _submit(
        address contributor,
        uint64 datanet,
        bytes32 rowsRoot,
        uint32 rows,
        uint64 tokens,
        bytes32 licence,
        bytes32 daRef
    ) private returns (uint64 batch) {
        require(rowsRoot != 0 && rows != 0 && tokens != 0 && tokens <= type(uint40).max, BadBatch());
        require(isLicence[datanet][licence], LicenceNotAllowed(licence));
        Net storage net = _nets[datanet];
        Terms memory terms = net.terms;
        require(msg.value == terms.bond, WrongBond(msg.value, terms.bond));
        if (terms.reviewPay != 0) {
            uint96 needed = 3 * uint96(terms.reviewPay);
            uint96 budget = net.budget;
            require(budget >= needed, BudgetTooSmall(budget, needed));
            net.budget = budget - needed;
        }

        batch = ++batchCount;
        _batches[batch] = Batch({
            rowsRoot: rowsRoot,
            contributor: contributor,
            rows: rows,
            tokens: uint40(tokens),
            status: Status.SUBMITTED,
            sponsored: false,
            excluded: false,
            bond: terms.bond,
            reviewPay: terms.reviewPay,
            dupPenaltyPercent: terms.dupPenaltyPercent,
            datanet: datanet,
            submittedAt: uint40(block.timestamp)
        });
        emit BatchSubmitted(datanet, batch, contributor, rowsRoot, rows, uint40(tokens), licence, daRef);
    }

    function _accept(uint64 batch, uint16 quality, uint24 dupPpm) private {
        Batch storage b = _batches[batch];
        Review storage r = _reviews[batch];
        uint64 datanet = b.datanet;
        uint256 units = uint256(b.tokens) * quality / QUALITY_MAX * (PPM - dupPpm) / PPM;
        // A full pool takes what fits, so that a batch can always be decided.
        uint256 room = UNITS_MAX - _ledger().totalUnits(datanet);
        if (units > room) units = room;

        b.status = Status.ACCEPTED;
        r.since = uint40(block.timestamp);
        r.units = uint48(units);
        _enter(datanet, Entry.ACCEPTED, batch);
        emit BatchAccepted(batch, quality, dupPpm, uint48(units));

        if (units == 0) return;
        _ledger().setUnits(datanet, b.contributor, _ledger().unitsOf(datanet, b.contributor) + units);
    }

    /// @dev The bond pays reviews to come: who floods a Datanet with dust pays the curators who read it.
    function _reject(uint64 batch) private {
        Batch storage b = _batches[batch];
        b.status = Status.REJECTED;
        _nets[b.datanet].budget += b.bond;
        b.bond = 0;
        emit BatchRejected(batch);
    }

    function _lapse(uint64 batch) private {
        _batches[batch].status = Status.LAPSED;
        emit BatchLapsed(batch);
        _returnBond(batch);
    }

    function _returnBond(uint64 batch) private {
        Batch storage b = _batches[batch];
        uint256 bond = b.bond;
        b.bond = 0;
        _owe(_payer(batch), bond);
    }

    function _takeUnits(Batch storage b, Review storage r, uint48 units) private {
        if (units == 0) return;
        r.units -= units;
        _ledger().setUnits(b.datanet, b.contributor, _ledger().unitsOf(b.datanet, b.contributor) - units);
    }

    function _enter(uint64 datanet, Entry entry, uint64 batch) private {
        _nets[datanet].journal = keccak256(abi.encodePacked(_nets[datanet].journal, uint8(entry), batch));
    }

    function _newVersion(uint64 datanet, bytes32 contentRoot, string calldata uri) private returns (uint64 version) {
        Net storage net = _nets[datanet];
        Terms memory terms = net.terms;
        IAssetRegistry registry = IAssetRegistry(Predeploys.ASSET_REGISTRY);
        IAssetRegistry.Asset memory first = registry.asset(datanet);
        address pool = Pools.account(datanet);
        version = registry.newVersion(
            net.latest,
            IAssetRegistry.Kind.DATANET,
            contentRoot,
            uri,
            new IAssetRegistry.Parent[](0),
            0,
            first.floorPpb,
            first.licence,
            pool
        );
        net.latest = version;
        snapshotOf[version] = Snap(datanet, terms.lambdaPpb, terms.method);

        _ledger().setUnits(version, pool, Shares.WHOLE - terms.lambdaPpb - terms.ownerPpb);
        if (terms.lambdaPpb != 0) {
            _ledger().setUnits(version, Predeploys.ATTRIBUTION_SETTLEMENT, terms.lambdaPpb);
        }
        if (terms.ownerPpb != 0) _ledger().setUnits(version, net.payout, terms.ownerPpb);
    }

    function _checkOwner(uint64 datanet) internal view override {
        require(msg.sender == _nets[datanet].owner, NotOwner(datanet, msg.sender));
    }

    function _curatorBond(uint64 datanet) internal view override returns (uint96) {
        return _nets[datanet].curatorBond;
    }

    function _checkTerms(Terms calldata t) private pure {
        bool method = Methods.isUsable(t.method) && t.lambdaPpb <= Methods.lambdaMaxPpb(t.method);
        require(method && t.ownerPpb <= OWNER_MAX_PPB && t.dupPenaltyPercent <= 100, BadTerms());
    }

    /// @dev Of a batch that the caller was drawn for.
    function _checkDrawn(uint64 batch, uint256 place) private view returns (Review storage r) {
        Batch storage b = _batches[batch];
        require(b.status == Status.DRAWN, WrongStatus(batch, b.status));
        r = _reviews[batch];
        bool isDrawn = place < 3 && _isAtSeat(b.datanet, _seatAt(r.seats, place), msg.sender);
        require(isDrawn, NotDrawn(batch, msg.sender));
    }

    function _checkRow(bytes32 rowHash, Batch storage b, RowProof calldata p) private view {
        bytes32 leaf = keccak256(abi.encodePacked(uint8(0), b.contributor, rowHash));
        (bool ok,) = SumTree.verify(SumTree.Root(b.rowsRoot, b.tokens, b.rows), leaf, p.tokens, p.index, p.proof);
        require(ok, NotARow(p.batch, p.index));
    }

    function _payer(uint64 batch) private view returns (address) {
        return _batches[batch].sponsored ? _sponsors[batch] : _batches[batch].contributor;
    }

    function _ledger() private pure returns (IPoolLedger) {
        return IPoolLedger(Predeploys.POOL_LEDGER);
    }

    function _seatAt(uint24 seats, uint256 place) private pure returns (uint8) {
        return uint8(seats >> (8 * place));
    }

    /// @dev How many accept; of those the lower quality and the higher duplicate part, or the middle ones of three.
    function _verdict(Review memory r) private pure returns (uint256 accepts, uint16 quality, uint24 dupPpm) {
        uint256[3] memory q;
        uint256[3] memory d;
        for (uint256 place = 0; place < 3; ++place) {
            uint16 given = uint16(r.qualities >> (16 * place));
            if (given == 0) continue; // Missing, or a rejection.
            (q[accepts], d[accepts]) = (given, uint24(r.dups >> (24 * place)));
            ++accepts;
        }
        if (accepts == 2) return (2, uint16(_min(q[0], q[1])), uint24(_max(d[0], d[1])));
        if (accepts == 3) return (3, uint16(_middle(q)), uint24(_middle(d)));
    }

    function _middle(uint256[3] memory x) private pure returns (uint256) {
        return _max(_min(x[0], x[1]), _min(_max(x[0], x[1]), x[2]));
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }

    function _max(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a : b;
    }
}
