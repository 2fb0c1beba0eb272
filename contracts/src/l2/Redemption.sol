// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISpendAccount} from "./ISpendAccount.sol";
import {Reservations} from "./Reservations.sol";
import {TypedData} from "./TypedData.sol";
import {Vouchers} from "./Vouchers.sol";

/// @title Redemption
/// @notice Checks the rows of a claim, and takes from the reservations what they are worth.
/// @dev Vouchers are redeemed by the million, and of a row 13,200 gas cannot be saved: its bytes, the recovery of its
///      signer, one word of storage, its event. `_run` writes every row to one sheet, whose words are hashed, recovered
///      from and logged where they stand, and takes the rest of what nearly every row is: a voucher of the
///      reservation's home channel, to be paid. It stops at any other row, and `_redeem` decides.
library Redemption {
    using Reservations for Reservations.Channels;

    /// Memory of one claim. Allocated first, it stands at 0x80, and `_run` knows each word by its place.
    struct Sheet {
        // 0x080: a voucher as EIP-712 hashes it. From agentId on, four words are also the data of VoucherClaimed, when
        // the differences replace cumulative and count.
        bytes32 typehash;
        uint256 payer;
        uint256 assetId;
        uint256 operatorId;
        uint256 agentId;
        uint256 cumulative;
        uint256 count;
        bytes32 receiptRoot;
        uint256 epoch;
        // 0x1a0: as EIP-191 prefixes it: the last two bytes of `prefix`, and two words.
        uint256 prefix;
        bytes32 domain;
        bytes32 structHash;
        // 0x200: as the precompile takes it.
        bytes32 digest;
        uint256 v;
        bytes32 r;
        bytes32 s;
        // 0x280: as Reservations.idOf hashes it.
        uint256 signerWord;
        uint256 payerWord;
        uint256 scopeWord;
        // 0x2e0: the group's channel as Reservations names it, the operator as it stands in `signerWord`, and what the
        // group's rows came to.
        uint256 channel;
        uint256 operatorWord;
        uint256 amount;
        uint256 calls;
    }

    uint256 private constant SHEET = 0x080;
    uint256 private constant PAYER = 0x0a0;
    uint256 private constant ASSET = 0x0c0;
    uint256 private constant OPERATOR = 0x0e0;
    uint256 private constant AGENT = 0x100;
    uint256 private constant CUMULATIVE = 0x120;
    uint256 private constant COUNT = 0x140;
    uint256 private constant ROOT = 0x160;
    uint256 private constant EPOCH = 0x180;
    uint256 private constant PREFIXED = 0x1be;
    uint256 private constant STRUCT_HASH = 0x1e0;
    uint256 private constant DIGEST = 0x200;
    uint256 private constant V = 0x220;
    uint256 private constant R = 0x240;
    uint256 private constant SIGNER_WORD = 0x280;
    uint256 private constant PAYER_WORD = 0x2a0;
    uint256 private constant SCOPE_WORD = 0x2c0;
    uint256 private constant CHANNEL = 0x2e0;
    uint256 private constant OPERATOR_WORD = 0x300;

    uint256 private constant ROW_SIZE = 5 * 32;
    uint256 private constant MASK_32 = 0xffffffff;
    uint256 private constant MASK_64 = 0xffffffffffffffff;
    uint256 private constant MASK_80 = 0xffffffffffffffffffff;
    /// VoucherClaimed.selector: assembly takes literals only.
    uint256 private constant CLAIMED_TOPIC = 0xcf00505f19c400ea3e3349e9b6de80b090ae860391fd275620e87693a6b6c12b;

    /// @notice A sheet for the claims of one operator. Before anything else is allocated.
    function open(uint256 operatorId) internal view returns (Sheet memory s) {
        uint256 place;
        assembly ("memory-safe") {
            place := s
        }
        assert(place == SHEET);
        s.typehash = Vouchers.TYPEHASH;
        (s.operatorId, s.operatorWord) = (operatorId, operatorId << 64);
        s.prefix = 0x1901;
        s.domain = TypedData.domainSeparator(Vouchers.NAME_HASH);
    }

    /// @notice Redeems the rows of one asset and agent; the sheet then holds what they came to.
    /// @param first number of the first row in the whole claim
    /// @param reasons of the whole claim
    /// @return paid bit i: row i of the whole claim was paid
    /// @return ref hash of the digests of the paid vouchers, one after the other
    function group(
        Reservations.Channels storage channels,
        Sheet memory s,
        ISpendAccount.Group calldata g,
        uint256 first,
        bytes memory reasons
    ) internal returns (uint256 paid, bytes32 ref) {
        (s.assetId, s.agentId, s.amount, s.calls) = (g.assetId, g.agentId, 0, 0);
        s.channel = Reservations.nameOf(g.assetId, g.agentId);
        ISpendAccount.Row[] calldata rows = g.rows;
        bytes32[] memory digests = new bytes32[](rows.length);
        uint256 redeemed = 0;
        for (uint256 i = 0; i < rows.length; ++i) {
            uint256 ran = _run(s, rows, i, digests, redeemed);
            paid |= (type(uint256).max >> (256 - ran)) << (first + i);
            (i, redeemed) = (i + ran, redeemed + ran);
            if (i == rows.length) break;

            ISpendAccount.Reason reason = _redeem(channels, s, rows[i]);
            if (reason == ISpendAccount.Reason.PAID) {
                paid |= 1 << (first + i);
                digests[redeemed++] = s.digest;
            } else {
                _skip(s, rows[i], first + i, reason, reasons);
            }
        }
        assembly ("memory-safe") {
            ref := keccak256(add(digests, 0x20), mul(redeemed, 0x20))
        }
    }

    /// @notice Pays none of a group's rows: what it names cannot be routed.
    function skipAll(Sheet memory s, ISpendAccount.Group calldata g, uint256 first, bytes memory reasons) internal {
        (s.amount, s.calls) = (0, 0);
        for (uint256 i = 0; i < g.rows.length; ++i) {
            _skip(s, g.rows[i], first + i, ISpendAccount.Reason.UNROUTABLE, reasons);
        }
    }

    /// @dev Says why a row is not paid.
    function _skip(
        Sheet memory s,
        ISpendAccount.Row calldata row,
        uint256 number,
        ISpendAccount.Reason reason,
        bytes memory reasons
    ) private {
        address payer = address(uint160(row.payerAndCumulative >> 96));
        reasons[number] = bytes1(uint8(reason));
        emit ISpendAccount.VoucherSkipped(payer, uint32(s.operatorId), number, reason);
    }

    /// @dev Redeems `rows` from number `from` on, as long as they are ordinary and can be paid, and puts their digests
    ///      into `digests` from number `redeemed` on. Of the row after them the sheet holds voucher, digest, signer and
    ///      reservation, unless its expiry is over.
    /// @return ran how many
    function _run(
        Sheet memory s,
        ISpendAccount.Row[] calldata rows,
        uint256 from,
        bytes32[] memory digests,
        uint256 redeemed
    ) private returns (uint256 ran) {
        uint256 sums;
        assembly ("memory-safe") {
            let place := add(rows.offset, mul(from, ROW_SIZE))
            let end := add(rows.offset, mul(rows.length, ROW_SIZE))
            let next := add(add(digests, 0x20), mul(redeemed, 0x20))
            for {} lt(place, end) {
                place := add(place, ROW_SIZE)
                next := add(next, 0x20)
            } {
                let head := calldataload(place)
                let terms := calldataload(add(place, 0x20))
                let expiry := 0
                let scope := 0
                if shr(97, shl(1, terms)) {
                    expiry := and(shr(96, terms), MASK_64)
                    if and(gt(expiry, 0), gt(timestamp(), expiry)) { break }
                    scope := or(
                        mul(and(shr(160, terms), 1), shl(64, mload(ASSET))),
                        mul(and(shr(161, terms), 1), mload(AGENT))
                    )
                }

                // The voucher, its digest, and who signed it: zero for nobody, who has no reservation.
                let cumulative := and(head, MASK_80)
                let count := and(shr(64, terms), MASK_32)
                mstore(PAYER, shr(96, head))
                mstore(CUMULATIVE, cumulative)
                mstore(COUNT, count)
                mstore(ROOT, calldataload(add(place, 0x40)))
                mstore(EPOCH, and(terms, MASK_64))
                mstore(STRUCT_HASH, keccak256(SHEET, 0x120))
                mstore(DIGEST, keccak256(PREFIXED, 66))
                mstore(V, add(27, shr(255, terms)))
                calldatacopy(R, add(place, 0x60), 0x40)
                mstore(0, 0)
                pop(staticcall(gas(), 1, DIGEST, 0x80, 0, 0x20))

                // The reservation, as Reservations.idOf. If the unused bits of `head` are not zero, there is none.
                mstore(SIGNER_WORD, or(shl(96, mload(0)), or(mload(OPERATOR_WORD), mload(EPOCH))))
                mstore(PAYER_WORD, or(xor(head, cumulative), expiry))
                mstore(SCOPE_WORD, scope)
                let id := keccak256(SIGNER_WORD, 0x60)
                let word := sload(id)

                // Its home is this channel; 0 < delta <= available; the count did not fall. A difference below zero is
                // larger than what it is compared with.
                let delta := sub(cumulative, and(shr(80, word), MASK_80))
                count := sub(count, and(shr(160, word), MASK_32))
                if iszero(
                    and(
                        eq(shr(192, word), mload(CHANNEL)),
                        and(lt(sub(delta, 1), and(word, MASK_80)), lt(count, 0x100000000))
                    )
                ) { break }

                // More counted, more claimed (2^80 delta), less available (delta).
                sstore(id, add(add(word, mul(delta, MASK_80)), shl(160, count)))
                sums := add(sums, add(shl(128, count), delta))
                mstore(next, mload(DIGEST))
                mstore(CUMULATIVE, delta)
                mstore(COUNT, count)
                log4(AGENT, 0x80, CLAIMED_TOPIC, mload(PAYER), mload(ASSET), mload(OPERATOR))
            }
            ran := sub(div(sub(place, rows.offset), ROW_SIZE), from)
        }
        unchecked {
            s.amount += uint128(sums);
            s.calls += sums >> 128;
        }
    }

    /// @dev Decides about the row that `_run` stopped at.
    function _redeem(Reservations.Channels storage channels, Sheet memory s, ISpendAccount.Row calldata row)
        private
        returns (ISpendAccount.Reason)
    {
        uint256 expiry = uint64(row.terms >> 96);
        if (expiry != 0 && block.timestamp > expiry) return ISpendAccount.Reason.EXPIRED;
        if (s.signerWord >> 96 == 0) return ISpendAccount.Reason.BAD_SIGNATURE;
        return _take(channels, s, keccak256(abi.encode(s.signerWord, s.payerWord, s.scopeWord)));
    }

    function _take(Reservations.Channels storage channels, Sheet memory s, bytes32 id)
        private
        returns (ISpendAccount.Reason)
    {
        uint256 word = Reservations.load(id);
        if (word == 0) return ISpendAccount.Reason.NO_RESERVATION;
        (uint256 before, uint256 counted) = channels.claimed(id, word, s.assetId, s.agentId);
        if (s.cumulative <= before) return ISpendAccount.Reason.STALE;
        if (s.count < counted) return ISpendAccount.Reason.COUNT_FELL;
        uint256 delta = s.cumulative - before;
        if (delta > Reservations.available(word)) return ISpendAccount.Reason.OVER_RESERVED;

        channels.claim(id, word - delta, s.assetId, s.agentId, s.cumulative, s.count);
        s.amount += delta;
        s.calls += s.count - counted;
        _emitClaimed(s, delta, s.count - counted);
        return ISpendAccount.Reason.PAID;
    }

    function _emitClaimed(Sheet memory s, uint256 delta, uint256 countDelta) private {
        emit ISpendAccount.VoucherClaimed(
            address(uint160(s.payer)),
            uint64(s.assetId),
            uint32(s.operatorId),
            uint64(s.agentId),
            uint128(delta),
            uint64(countDelta),
            s.receiptRoot
        );
    }
}
