// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {AssetRecord} from "./AssetRecord.sol";
import {Dynamic} from "./Dynamic.sol";
import {Entries, EntryProof, Place} from "./Entry.sol";
import {IAttributionCourt} from "./IAttributionCourt.sol";
import {IAttributionSettlement} from "./IAttributionSettlement.sol";
import {IPaid} from "./IPaid.sol";
import {IReceipts} from "./IReceipts.sol";
import {IStakeManager} from "./IStakeManager.sol";
import {Methods} from "./Methods.sol";
import {Owed} from "./Owed.sol";
import {Predeploys} from "./Predeploys.sol";
import {Head, InferenceReceipt, Offer, Signed} from "./Receipt.sol";
import {SumTree} from "./SumTree.sol";

/// @title AttributionCourt
/// @notice See IAttributionCourt.
/// @dev Invariant: no call against an honest epoch or step succeeds, and against each kind of dishonest one some call does
///      (test/l2/AttributionCourt.t.sol), and takes the stake of nobody but its operator (test/l2/CourtStake.t.sol). The
///      balance is Σ fees of open demands + Σ owed. Nothing here moves a claim.
contract AttributionCourt is IAttributionCourt, Owed {
    /// Pays for the answer's calldata; so demanding everything costs more than answering.
    uint256 private constant FEE = 0.01 ether;
    /// Taken of the stake for each wei charged too much: it does not pay while one receipt in a thousand is looked at.
    uint256 private constant OVERCHARGE_FACTOR = 1000;
    /// StakeManager takes what there is.
    uint256 private constant EVERYTHING = type(uint256).max;

    struct Demand {
        address challenger;
        uint40 until;
    }

    /// @inheritdoc IAttributionCourt
    mapping(bytes32 id => Demand) public demandOf;

    // Receipts

    /// @inheritdoc IAttributionCourt
    function receiptOrder(Case calldata c, ReceiptProof calldata left, ReceiptProof calldata right) external {
        IReceipts.Header memory h = _posted(c);
        _checkReceipt(h, left);
        _checkReceipt(h, right);
        require(left.index + 1 == right.index, NotNeighbours());
        require(left.receipt.receiptId >= right.receipt.receiptId, NoFault());
        _faultEpoch(c);
    }

    /// @inheritdoc IAttributionCourt
    function receiptTwice(
        Case calldata c,
        ReceiptProof calldata here,
        uint64 earlierEpoch,
        ReceiptProof calldata earlier,
        uint64 provision
    ) external {
        _checkReceipt(_posted(c), here);
        IReceipts.Header memory h = _receipts().headerOf(c.operatorId, earlierEpoch);
        bool stands = h.status == IReceipts.Status.POSTED || h.status == IReceipts.Status.FINAL;
        require(stands && earlierEpoch < c.epoch, NotPosted());
        _checkReceipt(h, earlier);
        require(here.receipt.receiptId == earlier.receipt.receiptId, NoFault());
        _faultSigned(c, provision, here.receipt.receiptId);
    }

    /// @inheritdoc IAttributionCourt
    function badReceipt(Case calldata c, ReceiptProof calldata r) external {
        _checkReceipt(_posted(c), r);
        bool isTheirs = r.receipt.operatorId == c.operatorId && uint256(r.receipt.receiptId) >> 192 == r.receipt.assetId;
        bool isAsset = AssetRecord.addressOf(r.receipt.assetId).code.length != 0;
        if (isTheirs && isAsset) {
            _checkVector(r);
            require(!Dynamic.isSound(r.receipt, r.vector), NoFault());
        }
        _faultEpoch(c);
    }

    /// @inheritdoc IAttributionCourt
    function wrongAsset(Case calldata c, uint64 assetId, ReceiptPlace calldata from, ReceiptPlace calldata to)
        external
    {
        IReceipts.Header memory h = _posted(c);
        uint256 sum = _receiptsBelow(h, uint256(assetId) + 1, to) - _receiptsBelow(h, assetId, from);
        (uint128 amount, uint64 count) = IPaid(Predeploys.SPEND_ACCOUNT).paidOf(c.operatorId, assetId, c.epoch);
        require(sum != amount || to.position - from.position != count, NoFault());
        _faultEpoch(c);
    }

    /// @inheritdoc IAttributionCourt
    function overcharge(Case calldata c, ReceiptProof calldata p, Offer calldata offer, uint64 provision) external {
        _checkReceipt(_posted(c), p);
        uint256 excess = _excess(p.receipt, offer);
        _faultEpoch(c);
        if (provision != 0) _slashOvercharge(c.operatorId, provision, p.receipt.receiptId, excess);
    }

    /// @inheritdoc IAttributionCourt
    function signedOvercharge(
        InferenceReceipt calldata r,
        bytes calldata signature,
        Offer calldata offer,
        uint64 provision
    ) external {
        uint256 excess = _excess(r, offer);
        require(_receipts().isSigned(r.operatorId, Signed.hash(r), signature), BadSignature());
        _slashOvercharge(r.operatorId, provision, r.receiptId, excess);
    }

    /// @inheritdoc IAttributionCourt
    function equivocation(
        Case calldata c,
        ReceiptProof calldata r,
        InferenceReceipt calldata other,
        bytes calldata signature,
        uint64 provision
    ) external {
        _checkReceipt(_posted(c), r);
        bytes32 hash = Signed.hash(other);
        require(other.receiptId == r.receipt.receiptId && hash != Signed.hash(r.receipt), NoFault());
        require(_receipts().isSigned(c.operatorId, hash, signature), BadSignature());
        _faultSigned(c, provision, other.receiptId);
    }

    /// @inheritdoc IAttributionCourt
    function twoHeads(Case calldata c, Head calldata head, bytes calldata signature, uint64 provision) external {
        IReceipts.Header memory h = _posted(c);
        bool isThis = head.operatorId == c.operatorId && head.epoch == c.epoch && head.revision == h.revision;
        bool isSame = head.receiptsRoot == h.receiptsRoot && head.count == h.count && head.priceSum == h.priceSum;
        require(isThis && !isSame, NoFault());
        require(_receipts().isSigned(c.operatorId, Signed.hash(head), signature), BadSignature());
        _faultSigned(c, provision, bytes32(uint256(c.epoch) << 8 | h.revision));
    }

    // Entries

    /// @inheritdoc IAttributionCourt
    function entryOrder(Case calldata c, uint64 version, EntryProof calldata left, EntryProof calldata right) external {
        _posted(c);
        _checkDisorder(_partRoot(c, version), left, right);
        _faultEpoch(c);
    }

    /// @inheritdoc IAttributionCourt
    function wrongEntry(Case calldata c, uint64 version, EntryProof calldata e, ReceiptProof calldata r) external {
        IReceipts.Header memory h = _posted(c);
        SumTree.Root memory root = _partRoot(c, version);
        require(root.leaves != 0, UnknownPart());
        Entries.check(root, e);
        if (e.entry.number < h.count) {
            require(r.index == e.entry.number, BadReceiptProof(r.index));
            require(_given(h, r, version, e.entry.account) != e.entry.amount, NoFault());
        }
        _faultEpoch(c);
    }

    /// @inheritdoc IAttributionCourt
    function missingEntry(
        Case calldata c,
        uint64 version,
        address account,
        ReceiptProof calldata r,
        Place calldata place
    ) external {
        IReceipts.Header memory h = _posted(c);
        require(_given(h, r, version, account) != 0, NoFault());
        SumTree.Root memory root = _partRoot(c, version);
        uint256 key = Entries.firstKey(account) | r.index;
        if (root.leaves != 0) require(!_isThere(root, key, place), NoFault());
        _faultEpoch(c);
    }

    // Steps

    /// @inheritdoc IAttributionCourt
    function stepOrder(Tree tree, EntryProof calldata left, EntryProof calldata right) external {
        IAttributionSettlement.Step memory s = _step();
        _checkDisorder(tree == Tree.GAINS ? _gains(s) : _cumulative(s), left, right);
        _faultStep(msg.sender);
    }

    /// @inheritdoc IAttributionCourt
    function wrongGain(EntryProof calldata gain, FinalPart calldata p, Place calldata from, Place calldata to)
        external
    {
        IAttributionSettlement.Step memory s = _step();
        Entries.check(_gains(s), gain);
        if (_isAdded(s, gain.entry.number)) {
            require(p.number == gain.entry.number, UnknownPart());
            uint256 sum = Entries.sumOf(_finalRoot(p), gain.entry.account, from, to);
            require(sum != gain.entry.amount, NoFault());
        }
        _faultStep(msg.sender);
    }

    /// @inheritdoc IAttributionCourt
    function missingGain(FinalPart calldata p, EntryProof calldata e, Place calldata place) external {
        IAttributionSettlement.Step memory s = _step();
        require(_isAdded(s, p.number), UnknownPart());
        Entries.check(_finalRoot(p), e);
        uint256 key = Entries.firstKey(e.entry.account) | p.number;
        require(e.entry.amount != 0 && !_isThere(_gains(s), key, place), NoFault());
        _faultStep(msg.sender);
    }

    /// @inheritdoc IAttributionCourt
    function wrongCumulative(
        address account,
        Place calldata was,
        Place calldata is_,
        Place calldata from,
        Place calldata to
    ) external {
        IAttributionSettlement.Step memory s = _step();
        uint256 key = Entries.firstKey(account);
        uint256 due = Entries.amountAt(_adopted(), key, was) + Entries.sumOf(_gains(s), account, from, to);
        require(Entries.amountAt(_cumulative(s), key, is_) != due, NoFault());
        _faultStep(msg.sender);
    }

    // Withheld data

    /// @inheritdoc IAttributionCourt
    function demand(Wanted calldata w) external payable {
        require(msg.value == FEE, WrongFee(msg.value, FEE));
        bytes32 id = idOf(w);
        require(demandOf[id].challenger == address(0), AlreadyDemanded(id));
        require(_isOpen(w), NotPosted());

        uint40 until = uint40(block.timestamp + _receipts().answerS());
        demandOf[id] = Demand(msg.sender, until);
        emit Demanded(id, msg.sender, w, until);

        if (_isOfStep(w.tree)) {
            uint256 leaves = w.tree == Tree.GAINS ? _step().stepLeaves : _step().leaves;
            require(w.index < leaves, NoSuchLeaf(w.index));
            _settlement().holdStep();
        } else {
            // An index past a part's entries is answered by nobody; its case names the parts, so timeout refuses it.
            uint256 leaves = _receipts().headerOf(w.operatorId, w.epoch).count;
            require(w.tree == Tree.ENTRIES || w.index < leaves, NoSuchLeaf(w.index));
            _receipts().hold(w.operatorId, w.epoch);
        }
    }

    /// @inheritdoc IAttributionCourt
    function answerReceipt(Wanted calldata w, ReceiptProof calldata r) external {
        bytes32 id = _demanded(w);
        require(w.tree == Tree.RECEIPTS && r.index == w.index, BadReceiptProof(r.index));
        _checkReceipt(_receipts().headerOf(w.operatorId, w.epoch), r);
        _checkVector(r);
        _answer(id, w);
    }

    /// @inheritdoc IAttributionCourt
    function answerEntry(Wanted calldata w, Case calldata c, EntryProof calldata e) external {
        bytes32 id = _demanded(w);
        require(w.tree != Tree.RECEIPTS, NotDemanded(id));
        SumTree.Root memory root = _wantedRoot(w, c);
        // Who demanded what does not exist gave the fee to whoever says so.
        if (w.index < root.leaves) {
            require(e.index == w.index, Entries.BadEntryProof(e.index));
            Entries.check(root, e);
        }
        _answer(id, w);
    }

    /// @inheritdoc IAttributionCourt
    function timeout(Wanted calldata w, Case calldata c) external {
        bytes32 id = idOf(w);
        Demand memory d = demandOf[id];
        require(d.challenger != address(0), NotDemanded(id));
        delete demandOf[id];
        _owe(d.challenger, FEE);
        if (!_isOpen(w)) return;

        require(block.timestamp >= d.until, TimeLeft(d.until));
        if (_isOfStep(w.tree)) {
            _faultStep(d.challenger);
        } else {
            require(c.operatorId == w.operatorId && c.epoch == w.epoch, UnknownPart());
            if (w.tree == Tree.ENTRIES) {
                _posted(c);
                require(w.index < _partRoot(c, w.version).leaves, NoSuchLeaf(w.index));
            }
            _fault(c, d.challenger);
        }
    }

    // Views

    /// @inheritdoc IAttributionCourt
    function idOf(Wanted calldata w) public pure returns (bytes32) {
        return keccak256(abi.encode(w));
    }

    /// @inheritdoc IAttributionCourt
    function methodOf(uint16 method) external pure returns (bool isUsable, bool isProvable, uint32 lambdaMaxPpb) {
        return (Methods.isUsable(method), Methods.isProvable(method), Methods.lambdaMaxPpb(method));
    }

    function _answer(bytes32 id, Wanted calldata w) private {
        delete demandOf[id];
        _owe(msg.sender, FEE);
        emit Answered(id, msg.sender);

        if (_isOfStep(w.tree)) _settlement().answeredStep();
        else _receipts().answered(w.operatorId, w.epoch);
    }

    function _faultEpoch(Case calldata c) private {
        _fault(c, msg.sender);
    }

    function _fault(Case calldata c, address challenger) private {
        emit EpochFaulted(c.operatorId, c.epoch, challenger, msg.sig);
        _settlement().voidEpoch(c.operatorId, c.epoch, c.parts, challenger);
    }

    /// @dev A fault that takes all there is.
    function _faultSigned(Case calldata c, uint64 provision, bytes32 about) private {
        _faultEpoch(c);
        if (provision != 0) _slash(c.operatorId, provision, msg.sig, about, EVERYTHING);
    }

    /// @dev Shown in either way, a receipt is slashed for once.
    function _slashOvercharge(uint32 operatorId, uint64 provision, bytes32 receiptId, uint256 excess) private {
        _slash(operatorId, provision, IAttributionCourt.overcharge.selector, receiptId, excess * OVERCHARGE_FACTOR);
    }

    /// @param kind of the fault; the operator is slashed once for each kind and what it is about
    function _slash(uint32 operatorId, uint64 provision, bytes4 kind, bytes32 about, uint256 amount) private {
        IStakeManager stakes = IStakeManager(Predeploys.STAKE_MANAGER);
        bool isTheirs = stakes.isAbout(provision, IStakeManager.Role.OPERATOR, operatorId);
        require(isTheirs, OtherProvision());
        bytes32 fault = keccak256(abi.encode(kind, operatorId, about));
        // How much there was does not matter.
        // slither-disable-next-line unused-return
        stakes.slash(provision, fault, amount, msg.sender);
    }

    function _faultStep(address challenger) private {
        emit StepFaulted(challenger, msg.sig);
        _settlement().voidStep(challenger);
    }

    /// @dev The header of an open epoch, whose parts these must be.
    function _posted(Case calldata c) private view returns (IReceipts.Header memory h) {
        h = _receipts().headerOf(c.operatorId, c.epoch);
        require(h.status == IReceipts.Status.POSTED, NotPosted());
        require(keccak256(abi.encode(c.parts)) == h.partsHash, UnknownPart());
    }

    function _step() private view returns (IAttributionSettlement.Step memory s) {
        s = _settlement().step();
        require(s.poster != address(0), NotPosted());
    }

    /// @dev Whether what was demanded still stands as it was posted.
    function _isOpen(Wanted calldata w) private view returns (bool) {
        if (_isOfStep(w.tree)) {
            IAttributionSettlement.Step memory s = _settlement().step();
            return s.poster != address(0) && w.epoch == s.number;
        }
        IReceipts.Header memory h = _receipts().headerOf(w.operatorId, w.epoch);
        return h.status == IReceipts.Status.POSTED && h.revision == w.revision;
    }

    function _demanded(Wanted calldata w) private view returns (bytes32 id) {
        id = idOf(w);
        require(demandOf[id].challenger != address(0) && _isOpen(w), NotDemanded(id));
    }

    function _wantedRoot(Wanted calldata w, Case calldata c) private view returns (SumTree.Root memory) {
        if (w.tree == Tree.GAINS) return _gains(_step());
        if (w.tree == Tree.CUMULATIVE) return _cumulative(_step());
        require(c.operatorId == w.operatorId && c.epoch == w.epoch, UnknownPart());
        _posted(c);
        return _partRoot(c, w.version);
    }

    /// @dev Without leaves if the epoch has no part for the snapshot. The caller checked the parts.
    function _partRoot(Case calldata c, uint64 version) private pure returns (SumTree.Root memory root) {
        for (uint256 i = 0; i < c.parts.length; ++i) {
            if (c.parts[i].version == version) return _rootOf(c.parts[i]);
        }
    }

    function _finalRoot(FinalPart calldata p) private view returns (SumTree.Root memory) {
        bytes32 hash = keccak256(abi.encode(p.operatorId, p.epoch, p.part));
        require(_settlement().partAt(p.number) == hash, UnknownPart());
        return _rootOf(p.part);
    }

    function _rootOf(IAttributionSettlement.Part calldata p) private pure returns (SumTree.Root memory) {
        return SumTree.Root(p.deltaRoot, p.deltaSum, p.entries);
    }

    /// @dev The step's gains add up to what became final since the adopted tree.
    function _gains(IAttributionSettlement.Step memory s) private view returns (SumTree.Root memory) {
        return SumTree.Root(s.stepRoot, s.sum - _settlement().books().sum, s.stepLeaves);
    }

    function _cumulative(IAttributionSettlement.Step memory s) private pure returns (SumTree.Root memory) {
        return SumTree.Root(s.root, s.sum, s.leaves);
    }

    function _adopted() private view returns (SumTree.Root memory) {
        IAttributionSettlement.Books memory b = _settlement().books();
        return SumTree.Root(_settlement().globalRoot(), b.sum, b.leaves);
    }

    function _isAdded(IAttributionSettlement.Step memory s, uint40 number) private view returns (bool) {
        return number > _settlement().adoptedUpTo() && number <= s.upTo;
    }

    /// @dev What the receipt, with its vector, gives the account out of the snapshot's pot.
    function _given(IReceipts.Header memory h, ReceiptProof calldata r, uint64 version, address account)
        private
        view
        returns (uint256)
    {
        _checkReceipt(h, r);
        _checkVector(r);
        uint256 weight = Dynamic.weightOf(r.vector, version, account);
        // A vector that is none is a fault of its own, and gives nothing.
        if (weight == 0 || !Dynamic.isSound(r.receipt, r.vector)) return 0;
        return Dynamic.amountOf(r.receipt, h.lineagePpb, version, weight);
    }

    /// @dev Wei above what the offer allows. Nothing is allowed by an offer of something else.
    function _excess(InferenceReceipt calldata r, Offer calldata offer) private pure returns (uint256) {
        require(r.offerHash == Signed.hash(offer), NoFault());
        bool isOffered = offer.assetId == r.assetId && offer.operatorId == r.operatorId && offer.agentId == r.agentId
            && r.tsMs <= offer.validUntilMs;
        uint256 max = 0;
        if (isOffered) max = offer.base + uint256(r.tokIn) * offer.perTokIn + uint256(r.tokOut) * offer.perTokOut;
        require(r.price > max, NoFault());
        return r.price - max;
    }

    function _isThere(SumTree.Root memory root, uint256 key, Place calldata p) private pure returns (bool) {
        return Entries.amountAt(root, key, p) != 0;
    }

    function _checkDisorder(SumTree.Root memory root, EntryProof calldata left, EntryProof calldata right)
        private
        pure
    {
        Entries.check(root, left);
        Entries.check(root, right);
        require(left.index + 1 == right.index, NotNeighbours());
        require(Entries.key(left.entry) >= Entries.key(right.entry), NoFault());
    }

    /// @dev What all receipts of assets below `assetId` add up to.
    function _receiptsBelow(IReceipts.Header memory h, uint256 assetId, ReceiptPlace calldata p)
        private
        pure
        returns (uint256 sum)
    {
        uint256 position = p.position;
        require(position <= h.count, BadReceiptPlace(position));
        if (position != 0) {
            bool isLeft = p.left.index + 1 == position && uint256(p.left.receipt.receiptId) >> 192 < assetId;
            require(isLeft, BadReceiptPlace(position));
            sum = _checkReceipt(h, p.left) + p.left.receipt.price;
        }
        if (position != h.count) {
            bool isRight = p.right.index == position && uint256(p.right.receipt.receiptId) >> 192 >= assetId;
            require(isRight, BadReceiptPlace(position));
            _checkReceipt(h, p.right);
        }
    }

    /// @return before what the receipts left of it add up to
    function _checkReceipt(IReceipts.Header memory h, ReceiptProof calldata r) private pure returns (uint256 before) {
        SumTree.Root memory root = SumTree.Root(h.receiptsRoot, h.priceSum, h.count);
        bool ok;
        (ok, before) = SumTree.verify(root, Signed.leaf(r.receipt), r.receipt.price, r.index, r.proof);
        require(ok, BadReceiptProof(r.index));
    }

    function _checkVector(ReceiptProof calldata r) private pure {
        require(Dynamic.hashOf(r.vector) == r.receipt.attrHash, OtherVector());
    }

    function _isOfStep(Tree tree) private pure returns (bool) {
        return tree == Tree.GAINS || tree == Tree.CUMULATIVE;
    }

    function _receipts() private pure returns (IReceipts) {
        return IReceipts(Predeploys.RECEIPTS);
    }

    function _settlement() private pure returns (IAttributionSettlement) {
        return IAttributionSettlement(Predeploys.ATTRIBUTION_SETTLEMENT);
    }
}
