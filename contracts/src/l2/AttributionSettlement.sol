// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Burn} from "./Burn.sol";
import {Entries, Entry} from "./Entry.sol";
import {Epoch} from "./Epoch.sol";
import {IAttributionSettlement} from "./IAttributionSettlement.sol";
import {IDatanet} from "./IDatanet.sol";
import {IPoolLedger} from "./IPoolLedger.sol";
import {IReceipts} from "./IReceipts.sol";
import {Owed} from "./Owed.sol";
import {Pools} from "./Pools.sol";
import {Predeploys} from "./Predeploys.sol";
import {Send} from "./Send.sol";
import {Shares} from "./Shares.sol";
import {SumTree} from "./SumTree.sol";
import {TypedData} from "./TypedData.sol";

/// @title AttributionSettlement
/// @notice See IAttributionSettlement.
/// @dev Invariants (test/l2/Attribution.invariant.t.sol): the balance covers liabilities + Σ owed; the adopted sum is the
///      sum of the parts it holds, and claims never pass it (I4); an account's claimed amount only grows; nothing but an
///      account's own claim lowers what it can claim (I9). All but the sending of claims calls predeploys alone, which call
///      nobody back but `receive`; that is why slither's reentrancy-eth is off where it is.
contract AttributionSettlement is IAttributionSettlement, Owed {
    uint256 private constant PARTS_MAX = 16;
    /// Ten for a challenger to work for; and no epoch can take more than it may lose.
    uint256 private constant EPOCH_BOND = 10 ether;
    uint256 private constant STEP_BOND = 100 ether;
    /// A signature that a careless account was talked into costs it a tenth, not everything.
    uint256 private constant FEE_MAX_DIVISOR = 10;

    bytes32 private constant NAME_HASH = keccak256("Tributary AttributionSettlement");
    bytes32 private constant CLAIM_TYPEHASH = keccak256(
        "Claim(address account,address to,address relayer,uint256 relayerFee,uint256 nonce,uint256 deadline)"
    );

    /// Free money by age: what came on `day`, and what came the day before.
    struct Pot {
        uint96 fresh;
        uint96 old;
        uint32 day;
    }

    struct Tally {
        /// In pots, and in epochs that are not final.
        uint96 potted;
        uint96 finalised;
        uint40 parts;
        /// Whether the ledger may send OPEN now.
        bool collecting;
    }

    mapping(uint64 version => Pot) private _pots;
    Tally private _tally;
    /// @inheritdoc IAttributionSettlement
    mapping(uint40 number => bytes32) public partAt;
    Step private _step;
    /// @inheritdoc IAttributionSettlement
    bytes32 public globalRoot;
    Books private _books;
    /// @inheritdoc IAttributionSettlement
    uint40 public adoptedUpTo;
    uint40 private _stepsPosted;
    /// @inheritdoc IAttributionSettlement
    mapping(address account => uint256) public claimedBy;
    /// @inheritdoc IAttributionSettlement
    mapping(address account => uint256) public nonces;

    modifier onlyCourt() {
        require(msg.sender == Predeploys.ATTRIBUTION_COURT, NotCourt(msg.sender));
        _;
    }

    /// @dev Anybody may have the ledger pay a member. Taken only within `collect`, what comes is known by its pool.
    receive() external payable {
        require(_tally.collecting && msg.sender == Predeploys.POOL_LEDGER, NotCollecting(msg.sender));
    }

    // Pots

    /// @inheritdoc IAttributionSettlement
    // slither-disable-next-line reentrancy-eth
    function collect(uint64 version) external returns (uint256 amount) {
        (uint64 datanet,) = _snapshot(version);
        Pot memory pot;
        (pot, amount) = _collected(version, datanet);
        _pots[version] = pot;
    }

    /// @inheritdoc IAttributionSettlement
    // slither-disable-next-line reentrancy-eth
    function fund(uint64 version) external payable {
        (uint64 datanet,) = _snapshot(version);
        Pot memory pot = _aged(version, datanet);
        pot.fresh += uint96(msg.value);
        _pots[version] = pot;
        _tally.potted += uint96(msg.value);
        emit Collected(version, msg.value);
    }

    // Epochs

    /// @inheritdoc IAttributionSettlement
    function postEpoch(IReceipts.Post calldata p, Part[] calldata parts) external {
        uint256 sum = 0;
        for (uint256 i = 0; i < parts.length; ++i) {
            sum += parts[i].deltaSum;
        }
        uint256 bond = sum > EPOCH_BOND ? sum : EPOCH_BOND;
        IReceipts(Predeploys.RECEIPTS).record(p, msg.sender, keccak256(abi.encode(parts)), bond);

        require(parts.length <= PARTS_MAX, BadParts());
        uint64 last = 0;
        uint256 lineage = uint256(p.priceSum) * p.lineagePpb / Shares.WHOLE;
        for (uint256 i = 0; i < parts.length; ++i) {
            Part calldata part = parts[i];
            require(part.version > last && part.entries != 0 && part.deltaSum != 0, BadParts());
            last = part.version;
            lineage -= _reserve(part, lineage);
            emit PartPosted(p.operatorId, p.epoch, part.version, part.deltaRoot, part.deltaSum, part.entries);
        }
    }

    /// @inheritdoc IAttributionSettlement
    function finalizeEpoch(uint32 operatorId, uint64 epoch, Part[] calldata parts) external {
        _checkParts(operatorId, epoch, parts);
        IReceipts(Predeploys.RECEIPTS).close(operatorId, epoch);

        Tally memory t = _tally;
        emit EpochFinal(operatorId, epoch, t.parts + 1, parts.length);
        for (uint256 i = 0; i < parts.length; ++i) {
            partAt[++t.parts] = keccak256(abi.encode(operatorId, epoch, parts[i]));
            t.potted -= parts[i].deltaSum;
            t.finalised += parts[i].deltaSum;
        }
        _tally = t;
    }

    // The cumulative tree

    /// @inheritdoc IAttributionSettlement
    function postGlobal(bytes32 root, uint40 leaves, uint96 sum, bytes32 stepRoot, uint40 stepLeaves, bytes32 daRef)
        external
        payable
    {
        require(_step.poster == address(0), StepPending());
        require(msg.value == STEP_BOND, WrongBond(msg.value, STEP_BOND));
        Tally memory t = _tally;
        require(t.parts > adoptedUpTo, NothingToAdd());
        require(sum == t.finalised, WrongSum(sum, t.finalised));

        _step = Step({
            root: root,
            stepRoot: stepRoot,
            sum: sum,
            leaves: leaves,
            stepLeaves: stepLeaves,
            upTo: t.parts,
            deadline: uint40(block.timestamp + IReceipts(Predeploys.RECEIPTS).challengeS()),
            poster: msg.sender,
            since: uint40(block.timestamp),
            demands: 0,
            number: ++_stepsPosted
        });
        emit StepPosted(msg.sender, root, leaves, sum, stepRoot, stepLeaves, daRef);
    }

    /// @inheritdoc IAttributionSettlement
    function adopt() external {
        Step memory s = _step;
        require(s.poster != address(0), NoStep());
        require(block.timestamp >= s.deadline, WindowOpen(s.deadline));
        // A count, not a balance.
        // slither-disable-next-line incorrect-equality
        require(s.demands == 0, DemandsOpen(s.demands));

        delete _step;
        globalRoot = s.root;
        _books.sum = s.sum;
        _books.leaves = s.leaves;
        ++_books.steps;
        adoptedUpTo = s.upTo;
        _owe(s.poster, STEP_BOND);
        emit GlobalPosted(_books.steps, s.root, s.sum, s.leaves, s.upTo);
    }

    /// @inheritdoc IAttributionSettlement
    function claim(address account, uint128 cumulative, uint256 index, bytes calldata proof)
        external
        returns (uint256 amount)
    {
        amount = _take(account, account, cumulative, index, proof);
        if (amount == 0) return 0;

        // No key and no code is at a pool's address.
        if (Pools.isAccount(account)) _ledger().give{value: amount}(Pools.fromAccount(account));
        else Send.native(account, amount);
    }

    /// @inheritdoc IAttributionSettlement
    function claimFor(
        SignedClaim calldata c,
        uint128 cumulative,
        uint256 index,
        bytes calldata proof,
        bytes calldata signature
    ) external returns (uint256 amount) {
        require(block.timestamp <= c.deadline, Expired(c.deadline));
        require(c.relayer == address(0) || c.relayer == msg.sender, NotRelayer(msg.sender, c.relayer));
        require(c.to != address(0) && !Pools.isAccount(c.to), ZeroAddress());
        _checkSignature(c, signature);

        amount = _take(c.account, c.to, cumulative, index, proof);
        uint256 feeMax = amount / FEE_MAX_DIVISOR;
        require(c.relayerFee <= feeMax, FeeTooHigh(c.relayerFee, feeMax));

        if (c.relayerFee != 0) Send.native(msg.sender, c.relayerFee);
        if (amount != 0) Send.native(c.to, amount - c.relayerFee);
    }

    // From the court

    /// @inheritdoc IAttributionSettlement
    // slither-disable-next-line reentrancy-eth
    function voidEpoch(uint32 operatorId, uint64 epoch, Part[] calldata parts, address challenger) external onlyCourt {
        _checkParts(operatorId, epoch, parts);
        for (uint256 i = 0; i < parts.length; ++i) {
            (uint64 datanet,) = _snapshot(parts[i].version);
            Pot memory pot = _aged(parts[i].version, datanet);
            pot.fresh += parts[i].deltaSum; // As if it had come today, so that the epoch can be posted anew.
            _pots[parts[i].version] = pot;
        }
        IReceipts(Predeploys.RECEIPTS).void(operatorId, epoch, challenger);
    }

    /// @inheritdoc IAttributionSettlement
    function voidStep(address challenger) external onlyCourt {
        require(_step.poster != address(0), NoStep());
        delete _step;
        _owe(challenger, STEP_BOND / 2);
        emit StepVoided(challenger);

        Burn.native(STEP_BOND - STEP_BOND / 2);
    }

    /// @inheritdoc IAttributionSettlement
    function holdStep() external onlyCourt {
        require(_step.poster != address(0), NoStep());
        require(block.timestamp < _step.deadline, WindowOver(_step.deadline));
        ++_step.demands;
    }

    /// @inheritdoc IAttributionSettlement
    function answeredStep() external onlyCourt {
        IReceipts receipts = IReceipts(Predeploys.RECEIPTS);
        --_step.demands;
        // At most one window more in all, however many demands there are.
        uint256 until = block.timestamp + receipts.answerS();
        uint256 last = _step.since + 2 * receipts.challengeS();
        if (until > last) until = last;
        if (until > _step.deadline) _step.deadline = uint40(until);
    }

    // Views

    /// @inheritdoc IAttributionSettlement
    function potOf(uint64 version) external view returns (uint256) {
        Pot memory pot = _pots[version];
        uint256 age = Epoch.current() - pot.day;
        if (age == 0) return uint256(pot.fresh) + pot.old;
        return age == 1 ? pot.fresh : 0;
    }

    /// @inheritdoc IAttributionSettlement
    function finalised() external view returns (uint96) {
        return _tally.finalised;
    }

    /// @inheritdoc IAttributionSettlement
    function partCount() external view returns (uint40) {
        return _tally.parts;
    }

    /// @inheritdoc IAttributionSettlement
    function step() external view returns (Step memory) {
        return _step;
    }

    /// @inheritdoc IAttributionSettlement
    function books() external view returns (Books memory) {
        return _books;
    }

    /// @inheritdoc IAttributionSettlement
    function liabilities() external view returns (uint256) {
        uint256 bond = _step.poster == address(0) ? 0 : STEP_BOND;
        return uint256(_tally.potted) + _tally.finalised - _books.claimed + bond;
    }

    /// @inheritdoc IAttributionSettlement
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return TypedData.domainSeparator(NAME_HASH);
    }

    /// @param lineage what lineage got of the epoch's money, less what went through the parts before
    /// @return used what must have gone through this snapshot's pool, for lambda of it to be the part's sum
    // slither-disable-next-line reentrancy-eth
    function _reserve(Part calldata part, uint256 lineage) private returns (uint256 used) {
        (uint64 datanet, uint32 lambdaPpb) = _snapshot(part.version);
        uint256 max = lineage * lambdaPpb / Shares.WHOLE;
        require(part.deltaSum <= max, DeltaTooLarge(part.version, part.deltaSum, max));
        used = uint256(part.deltaSum) * Shares.WHOLE / lambdaPpb;
        (Pot memory pot,) = _collected(part.version, datanet);
        uint256 free = uint256(pot.old) + pot.fresh;
        require(part.deltaSum <= free, PotTooSmall(part.version, free, part.deltaSum));

        // The old first: it would leave sooner.
        uint96 fromOld = part.deltaSum < pot.old ? part.deltaSum : pot.old;
        pot.old -= fromOld;
        pot.fresh -= part.deltaSum - fromOld;
        _pots[part.version] = pot;
    }

    /// @dev The pot, aged, with what the ledger owes it now.
    // slither-disable-next-line reentrancy-eth
    function _collected(uint64 version, uint64 datanet) private returns (Pot memory pot, uint256 amount) {
        pot = _aged(version, datanet);
        _tally.collecting = true;
        amount = _ledger().claim(version, address(this));
        _tally.collecting = false;
        if (amount == 0) return (pot, 0);
        pot.fresh += uint96(amount);
        _tally.potted += uint96(amount);
        emit Collected(version, amount);
    }

    /// @dev The pot as of today: what came before yesterday went to the static units. The caller stores it.
    function _aged(uint64 version, uint64 datanet) private returns (Pot memory pot) {
        pot = _pots[version];
        uint32 today = Epoch.current();
        if (pot.day == today) return pot;
        uint256 leaves = pot.old;
        if (pot.day + 1 == today) {
            pot.old = pot.fresh;
        } else {
            leaves += pot.fresh;
            pot.old = 0;
        }
        pot.fresh = 0;
        pot.day = today;
        if (leaves == 0) return pot;

        _tally.potted -= uint96(leaves);
        _pots[version] = pot;
        emit PotFallback(version, datanet, leaves);
        _ledger().give{value: leaves}(datanet);
    }

    /// @dev Counts the rest of the leaf as claimed. The caller pays it.
    function _take(address account, address to, uint128 cumulative, uint256 index, bytes calldata proof)
        private
        returns (uint256 amount)
    {
        Books memory b = _books;
        bytes32 leaf = Entries.leaf(Entry(account, 0, cumulative));
        // Which leaves stand before it does not matter.
        // slither-disable-next-line unused-return
        (bool ok,) = SumTree.verify(SumTree.Root(globalRoot, b.sum, b.leaves), leaf, cumulative, index, proof);
        require(ok, BadLeaf(account));
        uint256 before = claimedBy[account];
        // A leaf is never lowered; one that were, by a tree nobody challenged, pays nothing.
        if (cumulative <= before) return 0;
        amount = cumulative - before;
        require(b.claimed + amount <= b.sum, SumExceeded(b.claimed + amount, b.sum));

        claimedBy[account] = cumulative;
        _books.claimed = uint96(b.claimed + amount);
        emit Claimed(account, to, amount);
    }

    function _checkSignature(SignedClaim calldata c, bytes calldata signature) private {
        bytes32 terms = keccak256(
            abi.encode(CLAIM_TYPEHASH, c.account, c.to, c.relayer, c.relayerFee, nonces[c.account]++, c.deadline)
        );
        bytes32 digest = TypedData.digest(NAME_HASH, terms);
        require(TypedData.isSignedBy(c.account, digest, signature), BadSignature(c.account));
    }

    function _checkParts(uint32 operatorId, uint64 epoch, Part[] calldata parts) private view {
        bytes32 posted = IReceipts(Predeploys.RECEIPTS).headerOf(operatorId, epoch).partsHash;
        require(keccak256(abi.encode(parts)) == posted, OtherParts());
    }

    function _snapshot(uint64 version) private view returns (uint64 datanet, uint32 lambdaPpb) {
        // slither-disable-next-line unused-return
        (datanet, lambdaPpb,) = IDatanet(Predeploys.DATANET).snapshotOf(version);
        require(datanet != 0, NotSnapshot(version));
    }

    function _ledger() private pure returns (IPoolLedger) {
        return IPoolLedger(Predeploys.POOL_LEDGER);
    }
}
