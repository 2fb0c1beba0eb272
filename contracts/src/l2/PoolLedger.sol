// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {AssetRecord} from "./AssetRecord.sol";
import {IAssetRegistry} from "./IAssetRegistry.sol";
import {IFeePolicy} from "./IFeePolicy.sol";
import {IPoolLedger} from "./IPoolLedger.sol";
import {Pools} from "./Pools.sol";
import {Predeploys} from "./Predeploys.sol";
import {Send} from "./Send.sol";
import {Shares} from "./Shares.sol";
import {TypedData} from "./TypedData.sol";

/// @title PoolLedger
/// @notice See IPoolLedger.
/// @dev Invariants (test/l2/PoolLedger.invariant.t.sol): the balance covers everything claimable and pending; of what a
///      pool was credited, less than one wei per member it ever had is not claimable; nobody but the account's own claim
///      lowers what it can claim.
///
///      A pool is one slot, from the lowest bit: acc (160), units (48), rem (48). `acc` is wei per unit in 64 fractional
///      bits; `rem` is what did not divide by `units` last time, in 2^-64 wei, and joins the next credit. `acc` passes
///      2^160 only after 2^96 wei per unit (79 times the whole supply through a single unit) and then wraps, so a credit
///      cannot fail; differences stay right for every member that claims within such a span.
///
///      A member is one slot: paid (160), the `acc` up to which it was counted; units (48); frac (47), the part of a wei
///      it had then, in 2^-47; and one bit saying that `_owed` holds more. The bit spares a claim one cold read.
contract PoolLedger is IPoolLedger {
    using AssetRecord for bytes;

    uint256 private constant ACC_MASK = (1 << 160) - 1;
    uint256 private constant UNITS_AT = 160;
    uint256 private constant UNITS_MAX = (1 << 48) - 1;
    uint256 private constant REM_AT = 208;
    uint256 private constant FRAC_AT = 208;
    uint256 private constant FRAC_MASK = (1 << 47) - 1;
    uint256 private constant OWED_BIT = 1 << 255;

    /// Enough to give a millionth away without setting the first member anew, and a power of two, so that a pool with this
    /// one member pays every wei at once.
    uint256 private constant FIRST_UNITS = 1 << 20;
    uint256 private constant PENDING_S = 90 days;
    /// A signature that a careless account was talked into costs it a tenth, not everything.
    uint256 private constant FEE_MAX_DIVISOR = 10;

    bytes32 private constant NAME_HASH = keccak256("Tributary PoolLedger");
    bytes32 private constant CLAIM_TYPEHASH = keccak256(
        "Claim(uint64[] pools,address account,address to,address relayer,uint256 relayerFee,uint256 nonce,uint256 deadline)"
    );

    /// A struct of one word, so that a storage pointer can name it and its place is hashed once.
    struct Pool {
        uint256 word;
    }

    struct Waiting {
        uint128 amount;
        uint64 since;
    }

    mapping(uint64 pool => Pool) private _pools;
    mapping(uint64 pool => mapping(address account => uint256)) private _members;
    mapping(uint64 pool => mapping(address account => uint256)) private _owed;
    mapping(uint64 pool => Waiting) private _pending;
    mapping(uint64 pool => address) private _controllers;
    /// @inheritdoc IPoolLedger
    mapping(address account => address) public payoutOf;
    /// @inheritdoc IPoolLedger
    mapping(address account => uint256) public nonces;

    /// @inheritdoc IPoolLedger
    function open(uint64 pool, address payout) external {
        require(msg.sender == Predeploys.ASSET_REGISTRY, NotRegistry(msg.sender));
        require(_units(_pools[pool].word) == 0, AlreadyOpen(pool));
        _setUnits(pool, payout, FIRST_UNITS);
    }

    /// @inheritdoc IPoolLedger
    function replaceMember(uint64 pool, address from, address to) external {
        require(msg.sender == Predeploys.ASSET_REGISTRY, NotRegistry(msg.sender));
        if (_controllers[pool] != address(0) || from == to) return;
        uint256 units = _units(_members[pool][from]);
        if (units == 0) return;

        uint256 sum = units + _units(_members[pool][to]);
        // `from` first, or the sum might pass UNITS_MAX. Nothing is pending that the empty moment could release wrongly:
        // a pool with units has nothing pending.
        _setUnits(pool, from, 0);
        _setUnits(pool, to, sum);
    }

    /// @inheritdoc IPoolLedger
    function credit(uint64 assetId, uint256 lineage, uint256[2] calldata heads) external payable {
        require(msg.sender == Predeploys.REVENUE_ROUTER, NotRouter(msg.sender));
        uint256 sum = lineage;
        for (uint256 i = 0; i < 2; ++i) {
            uint256 amount = uint128(heads[i]);
            if (amount == 0) continue;
            sum += amount;
            _credit(uint64(heads[i] >> 192), amount);
        }
        require(sum == msg.value, BadSum(sum, msg.value));

        if (lineage != 0) _creditLineage(AssetRecord.load(assetId), lineage);
    }

    /// @inheritdoc IPoolLedger
    function setUnits(uint64 pool, address account, uint256 units) external {
        require(msg.sender == controllerOf(pool), NotController(pool, msg.sender));
        _setUnits(pool, account, units);
    }

    /// @inheritdoc IPoolLedger
    function setController(uint64 pool, address controller) external {
        require(msg.sender == controllerOf(pool), NotController(pool, msg.sender));
        require(controller != address(0), ZeroAddress());
        _controllers[pool] = controller;
        emit ControllerChanged(pool, controller);
    }

    /// @inheritdoc IPoolLedger
    function give(uint64 pool) external payable {
        require(controllerOf(pool) != address(0), UnknownPool(pool));
        if (msg.value == 0) return;
        _credit(pool, msg.value);
        emit Given(pool, msg.sender, msg.value);
    }

    /// @inheritdoc IPoolLedger
    function claim(uint64 pool, address account) external returns (uint256 amount) {
        address to = _receiver(account);
        amount = _take(pool, account, to);
        _pay(account, to, amount);
    }

    /// @inheritdoc IPoolLedger
    function claimMany(uint64[] calldata pools, address account) external returns (uint256 amount) {
        address to = _receiver(account);
        for (uint256 i = 0; i < pools.length; ++i) {
            amount += _take(pools[i], account, to);
        }
        _pay(account, to, amount);
    }

    /// @inheritdoc IPoolLedger
    function claimFor(SignedClaim calldata c, bytes calldata signature) external returns (uint256 amount) {
        require(block.timestamp <= c.deadline, Expired(c.deadline));
        require(c.relayer == address(0) || c.relayer == msg.sender, NotRelayer(msg.sender, c.relayer));
        require(c.to != address(0), ZeroAddress());
        _checkNotPool(c.account);
        _checkNotPool(c.to);
        _checkSignature(c, signature);

        for (uint256 i = 0; i < c.pools.length; ++i) {
            amount += _take(c.pools[i], c.account, c.to);
        }
        uint256 feeMax = amount / FEE_MAX_DIVISOR;
        require(c.relayerFee <= feeMax, FeeTooHigh(c.relayerFee, feeMax));

        if (c.relayerFee != 0) Send.native(msg.sender, c.relayerFee);
        _pay(c.account, c.to, amount - c.relayerFee);
    }

    /// @inheritdoc IPoolLedger
    function sync(uint64 child, uint64 parent) external returns (uint256 amount) {
        address account = Pools.account(child);
        amount = _take(parent, account, account);
        _pay(account, account, amount);
    }

    /// @inheritdoc IPoolLedger
    function setPayout(address to) external {
        _checkNotPool(to);
        payoutOf[msg.sender] = to;
        emit PayoutChanged(msg.sender, to);
    }

    /// @inheritdoc IPoolLedger
    function releaseToParents(uint64 pool) external {
        Waiting memory w = _pending[pool];
        require(w.amount != 0, NothingPending(pool));
        require(block.timestamp >= w.since + PENDING_S, TooEarly(pool, w.since + PENDING_S));
        require(Pools.isAsset(pool), NoParents(pool));
        IAssetRegistry.Parent[] memory parents = AssetRecord.load(pool).parents();
        require(parents.length != 0, NoParents(pool));

        delete _pending[pool];
        emit PendingReleased(pool, w.amount, true);
        uint256 weight = 0;
        uint256 given = 0;
        for (uint256 j = 0; j < parents.length; ++j) {
            weight += parents[j].weightPpb;
            uint256 upTo = Shares.upTo(w.amount, weight);
            if (upTo != given) _credit(parents[j].id, upTo - given);
            given = upTo;
        }
    }

    /// @inheritdoc IPoolLedger
    function claimable(uint64 pool, address account) external view returns (uint256 amount) {
        (amount,) = _earned(_pools[pool].word, _members[pool][account]);
        amount += _owed[pool][account];
    }

    /// @inheritdoc IPoolLedger
    function unitsOf(uint64 pool, address account) external view returns (uint256) {
        return _units(_members[pool][account]);
    }

    /// @inheritdoc IPoolLedger
    function totalUnits(uint64 pool) external view returns (uint256) {
        return _units(_pools[pool].word);
    }

    /// @inheritdoc IPoolLedger
    function pendingOf(uint64 pool) external view returns (uint256 amount, uint256 since) {
        return (_pending[pool].amount, _pending[pool].since);
    }

    /// @inheritdoc IPoolLedger
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return TypedData.domainSeparator(NAME_HASH);
    }

    /// @inheritdoc IPoolLedger
    function accountOf(uint64 pool) external pure returns (address) {
        return Pools.account(pool);
    }

    /// @inheritdoc IPoolLedger
    function controllerOf(uint64 pool) public view returns (address) {
        address handedTo = _controllers[pool];
        if (handedTo != address(0)) return handedTo;
        if (Pools.isAsset(pool)) return IAssetRegistry(Predeploys.ASSET_REGISTRY).ownerOf(pool);
        return pool == Pools.TREASURY ? IFeePolicy(Predeploys.FEE_POLICY).owner() : address(0);
    }

    /// @dev Along the vector of the record, by prefix sums. Most of the gas of a payment is spent in this loop, and a
    ///      third of what is not storage is saved by assembly. The arithmetic is _credit's; it cannot overflow, because
    ///      `lineage` is below 2^128 and the weights add up to 1e9.
    function _creditLineage(bytes memory record, uint256 lineage) private {
        uint256 next;
        uint256 end;
        uint256 weight;
        uint256 given;
        uint256 pool;
        uint256 amount;
        assembly ("memory-safe") {
            next := add(record, 0x26) // The length word, and AssetRecord.VECTOR_AT.
            end := add(next, mul(12, byte(3, mload(add(record, 0x20)))))
        }
        while (true) {
            assembly ("memory-safe") {
                amount := 0
                mstore(0x20, _pools.slot) // A mapping's place is keccak256(key . slot).
                for {} lt(next, end) { next := add(next, 12) } {
                    pool := mload(next)
                    weight := add(weight, and(shr(160, pool), 0xffffffff))
                    amount := sub(div(mul(lineage, weight), 1000000000), given)
                    if iszero(amount) { continue }
                    given := add(given, amount)
                    mstore(0, shr(192, pool))
                    let slot := keccak256(0, 0x40)
                    let p := sload(slot)
                    let units := and(shr(160, p), 0xffffffffffff)
                    if iszero(units) { break }
                    let n := add(shl(64, amount), shr(208, p))
                    let acc := and(add(p, div(n, units)), 0xffffffffffffffffffffffffffffffffffffffff)
                    sstore(slot, or(or(shl(208, mod(n, units)), shl(160, units)), acc))
                }
            }
            if (next == end) return;
            _wait(uint64(pool >> 192), amount); // Nobody is in this pool.
            next += AssetRecord.ENTRY_SIZE;
        }
    }

    function _credit(uint64 pool, uint256 amount) private {
        Pool storage slot = _pools[pool];
        uint256 p = slot.word;
        uint256 units = _units(p);
        if (units == 0) return _wait(pool, amount);
        unchecked {
            // Below 2^193: amounts are below 2^128, and rem below 2^48.
            uint256 n = (amount << 64) + (p >> REM_AT);
            slot.word = (n % units) << REM_AT | units << UNITS_AT | ((p + n / units) & ACC_MASK);
        }
    }

    function _wait(uint64 pool, uint256 amount) private {
        Waiting storage w = _pending[pool];
        if (w.amount == 0) w.since = uint64(block.timestamp);
        w.amount += uint128(amount);
        emit Pending(pool, amount);
    }

    function _setUnits(uint64 pool, address account, uint256 units) private {
        _checkMember(pool, account);
        Pool storage slot = _pools[pool];
        uint256 p = slot.word;
        uint256 m = _members[pool][account];
        uint256 before = _units(p);
        uint256 total = before - _units(m) + units;
        require(total <= UNITS_MAX, TooManyUnits(total));

        (uint256 earned, uint256 frac) = _earned(p, m);
        uint256 owedBit = m & OWED_BIT;
        if (earned != 0) {
            _owed[pool][account] += earned;
            owedBit = OWED_BIT;
        }
        _members[pool][account] = owedBit | frac << FRAC_AT | units << UNITS_AT | (p & ACC_MASK);
        slot.word = (p >> REM_AT) << REM_AT | total << UNITS_AT | (p & ACC_MASK);
        emit UnitsUpdated(pool, account, units);

        if (before != 0 || total == 0) return;
        uint256 waiting = _pending[pool].amount;
        if (waiting == 0) return;
        delete _pending[pool];
        emit PendingReleased(pool, waiting, false);
        _credit(pool, waiting);
    }

    /// @dev Marks what `account` earned as paid. The caller pays it.
    function _take(uint64 pool, address account, address to) private returns (uint256 amount) {
        uint256 p = _pools[pool].word;
        uint256 m = _members[pool][account];
        uint256 frac;
        (amount, frac) = _earned(p, m);
        if (m & OWED_BIT != 0) {
            amount += _owed[pool][account];
            delete _owed[pool][account];
        }
        if (amount == 0) return 0;
        _members[pool][account] = frac << FRAC_AT | _units(m) << UNITS_AT | (p & ACC_MASK);
        emit Claimed(pool, account, to, amount);
    }

    /// @dev Last in every claim: `to` may call back.
    function _pay(address account, address to, uint256 amount) private {
        if (amount == 0) return;
        if (Pools.isAccount(account)) _credit(Pools.fromAccount(account), amount);
        else Send.native(to, amount);
    }

    function _checkSignature(SignedClaim calldata c, bytes calldata signature) private {
        bytes32 terms = keccak256(
            abi.encode(
                CLAIM_TYPEHASH,
                keccak256(abi.encodePacked(c.pools)),
                c.account,
                c.to,
                c.relayer,
                c.relayerFee,
                nonces[c.account]++,
                c.deadline
            )
        );
        bytes32 digest = TypedData.digest(NAME_HASH, terms);
        require(TypedData.isSignedBy(c.account, digest, signature), BadSignature(c.account));
    }

    /// @dev Money must flow towards lower ids, so that it cannot run in a circle.
    function _checkMember(uint64 pool, address account) private view {
        require(account != address(0), ZeroAddress());
        if (!Pools.isAccount(account)) return;
        uint64 member = Pools.fromAccount(account);
        require(member < pool && controllerOf(member) != address(0), BadMember(pool, member));
    }

    /// @dev OPEN sent to a pool's address would be lost: no key and no code is there.
    function _checkNotPool(address account) private pure {
        require(!Pools.isAccount(account), PoolAddress(account));
    }

    function _receiver(address account) private view returns (address) {
        address to = payoutOf[account];
        return to == address(0) ? account : to;
    }

    /// @dev Whole wei earned since the member was last counted, and the fraction beyond.
    function _earned(uint256 p, uint256 m) private pure returns (uint256 amount, uint256 frac) {
        unchecked {
            // Below 2^209: units are below 2^48, the difference of two acc below 2^160.
            uint256 due = _units(m) * ((p - m) & ACC_MASK) + (((m >> FRAC_AT) & FRAC_MASK) << 17);
            return (due >> 64, uint64(due) >> 17);
        }
    }

    /// @dev Of a pool's or a member's slot: both keep units in the same bits.
    function _units(uint256 slot) private pure returns (uint256) {
        return (slot >> UNITS_AT) & UNITS_MAX;
    }
}
