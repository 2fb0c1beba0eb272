// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

/// @title ISpendAccount
/// @notice Pays for many inferences with few transactions: a payer deposits once, reserves a part for each operator it
///         uses, and signs vouchers off-chain; the operator redeems the last voucher of each channel.
/// @dev Where a payer's OPEN is:
///      - free: deposited and promised to nobody. The payer withdraws it at once.
///      - reserved: promised to one operator, against the signature of one key. Nothing but that operator's claims can
///        take it, until the payer announced its release and RELEASE_DELAY_S passed; and even then a claim that comes
///        before `finalizeRelease` is paid. An operator that asks `safeHeadroom` more than once in RELEASE_DELAY_S less
///        MARGIN_S, and accepts no voucher beyond `redeemable` or after `acceptUntil`, has at least MARGIN_S to redeem
///        whatever it accepted, and no payer can stop it.
///
///      A reservation belongs to (payer, signer, operator, epoch). The epoch is any number that the payer chooses: a
///      released reservation never opens again, and the payer goes on with another epoch. Its terms, an expiry and the
///      asset or agent it is restricted to, are those of the first `reserve`. A reservation holds less than 2^80 wei
///      (1.2 million OPEN), and so does a channel pay; a channel counts to 2^32 - 1 calls. Then the payer takes the
///      next epoch.
///
///      A channel is one asset and agent under a reservation. Its vouchers are cumulative: each replaces the one
///      before, so an operator stores one, and a lost answer costs nothing. A voucher is signed by the reservation's
///      signer, always with a key: a contract could withdraw its signature after the service. A payer that is a
///      contract reserves for a key.
///
///      A session key is a key that may reserve for itself out of the payer's free OPEN, up to a cap, until an expiry,
///      within a scope, so that an application signs vouchers without asking the payer again. What a stolen key can
///      lose is what is reserved for it and the rest of its cap. Setting its cap to zero ends the second, releases the
///      first.
///
///      EIP-712 domain: name "Tributary SpendAccount", version "1", the chain id, this address. Types:
///      Voucher(address payer,uint64 assetId,uint32 operatorId,uint64 agentId,uint128 cumulative,uint64 count,bytes32 receiptRoot,uint64 epoch)
///      Reservation(address payer,address signer,uint32 operatorId,uint64 epoch,uint64 assetId,uint64 agentId,uint64 expiry,uint128 amount,uint256 nonce,uint256 deadline)
///      SessionKey(address payer,address key,uint128 cap,uint64 expiry,uint32 operatorId,uint64 assetId,uint64 agentId,uint256 nonce,uint256 deadline)
///      Release(address payer,address signer,uint32 operatorId,uint64 epoch,uint256 nonce,uint256 deadline)
///      Withdrawal(address payer,address to,uint128 amount,uint256 nonce,uint256 deadline)
///      All but vouchers may be signed by contracts (EIP-1271), and sent by anybody; whoever sends for itself needs no
///      signature. The nonce is the signing account's.
///
///      Over-charging is proved to whoever judges it by four signed things: the operator's offer and receipt, the
///      payer's voucher whose `receiptRoot` holds that receipt, and that this voucher was paid: `claimOf(ref)` knows
///      the claim whose `ref` is the hash of all its voucher digests, one after the other. `voucherDigest` is what was
///      signed.
///
///      WOPEN transferred here by other means than `depositWithAuthorization` is nobody's, and stays.
interface ISpendAccount is IERC5267 {
    /// Why a row of a claim was not paid.
    enum Reason {
        PAID,
        /// There is no such asset, or `agentId` is no AGENT asset. All rows of the group.
        UNROUTABLE,
        /// The reservation's expiry is over.
        EXPIRED,
        /// Nobody's signature at all.
        BAD_SIGNATURE,
        /// Nothing was ever reserved under these terms for the key that signed: forged, changed, or out of scope.
        NO_RESERVATION,
        /// As much was claimed before.
        STALE,
        /// Counts fewer calls than were claimed before.
        COUNT_FELL,
        /// Asks for more than is reserved.
        OVER_RESERVED
    }

    struct Reservation {
        address payer;
        /// Whose vouchers it pays: the payer, or a session key.
        address signer;
        uint32 operatorId;
        uint64 epoch;
        /// Zero, or the only asset it pays for.
        uint64 assetId;
        /// Zero, or the only agent it pays through.
        uint64 agentId;
        /// Last second at which claims are paid; zero for no end.
        uint64 expiry;
    }

    struct SessionKey {
        /// What the key may still reserve, wei. What is released does not come back to it.
        uint128 cap;
        /// Last second at which it may reserve, and the last expiry that its reservations may have.
        uint64 expiry;
        /// Zero for any; else the only ones its reservations may name.
        uint32 operatorId;
        uint64 assetId;
        uint64 agentId;
    }

    struct Voucher {
        address payer;
        uint64 assetId;
        uint32 operatorId;
        uint64 agentId;
        /// Of this channel, wei.
        uint128 cumulative;
        /// Calls paid for, cumulative as well.
        uint64 count;
        /// Commits to the receipts of those calls.
        bytes32 receiptRoot;
        uint64 epoch;
    }

    /// One voucher to be paid. Packed, because a claim has many and each byte is paid for.
    struct Row {
        /// From the lowest bit: cumulative (80), zero (16), payer (160).
        uint256 payerAndCumulative;
        /// From the lowest bit: epoch (64), count (32), the reservation's expiry (64), whether it is restricted to this
        /// asset (1), and to this agent (1), zero (93), the signature's y parity (1).
        uint256 terms;
        bytes32 receiptRoot;
        bytes32 r;
        bytes32 s;
    }

    struct Group {
        uint64 assetId;
        uint64 agentId;
        Row[] rows;
    }

    event Deposited(address indexed payer, address indexed from, uint256 amount);
    event Withdrawn(address indexed payer, address to, uint256 amount);
    event SessionKeySet(
        address indexed payer,
        address indexed key,
        uint128 cap,
        uint64 expiry,
        uint32 operatorId,
        uint64 assetId,
        uint64 agentId
    );
    /// @param id of the reservation (`reservationId`)
    event Reserved(
        bytes32 indexed id,
        address indexed payer,
        uint32 indexed operatorId,
        address signer,
        uint64 epoch,
        uint64 assetId,
        uint64 agentId,
        uint64 expiry,
        uint128 amount
    );
    event ReleaseStarted(bytes32 indexed id, address indexed payer, uint32 indexed operatorId, uint64 releaseAt);
    /// What was left went back to the payer's free OPEN.
    event Released(bytes32 indexed id, address indexed payer, uint32 indexed operatorId, uint128 amount);
    /// A row was paid. From which reservation, only the row says.
    event VoucherClaimed(
        address indexed payer,
        uint64 indexed assetId,
        uint32 indexed operatorId,
        uint64 agentId,
        uint128 delta,
        uint64 countDelta,
        bytes32 receiptRoot
    );
    /// @param row counted through all groups of the claim
    event VoucherSkipped(address indexed payer, uint32 indexed operatorId, uint256 row, Reason reason);
    event ClaimerChanged(uint32 indexed operatorId, address indexed owner, address indexed claimer, bool allowed);
    /// A negative entry for the books: the operator gave back what was paid under `ref`, out of its own money.
    event RefundIssued(bytes32 indexed ref, uint32 indexed operatorId, address indexed payer, uint128 amount);

    error ZeroAddress();
    error ZeroAmount();
    error Insufficient(address payer, uint256 free, uint256 needed);
    error TooMuch(uint256 amount, uint256 max);
    error Expired(uint256 deadline);
    error BadSignature(address account);
    error UnknownOperator(uint32 operatorId);
    error NotOperator(uint32 operatorId, address caller);
    error NotPayerNorSigner(address by);
    /// The session key may not reserve this much, this long, or for this operator, asset or agent.
    error BeyondSession(address payer, address key);
    error TermsDiffer(bytes32 id);
    error NoReservation();
    /// The reservation is being released, or was.
    error Releasing(bytes32 id);
    error TooEarly(uint256 from);
    error TooManyRows(uint256 rows);

    // ---- from payers ----

    /// @notice Deposits the OPEN sent along, for `payer`. A plain transfer deposits for its sender.
    function depositNative(address payer) external payable;

    /// @notice Deposits `value` of the WOPEN of `from`, for `from`, as it signed: an EIP-3009 ReceiveWithAuthorization
    ///         to this contract. Anyone may send it; whoever does, `from` has the deposit.
    function depositWithAuthorization(
        address from,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;

    /// @notice Pays free OPEN of `payer` to `to`, at once.
    function withdraw(address payer, address to, uint128 amount, uint256 deadline, bytes calldata signature) external;

    /// @notice Sets what `key` may reserve from now on; replaces what was set before.
    function setSessionKey(
        address payer,
        address key,
        SessionKey calldata session,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice Adds `amount` of the payer's free OPEN to the reservation.
    /// @param by who wants it: the payer, or the reservation's signer as the payer's session key
    function reserve(Reservation calldata r, uint128 amount, address by, uint256 deadline, bytes calldata signature)
        external
        returns (bytes32 id);

    /// @notice Announces that the reservation ends: RELEASE_DELAY_S later its rest may be released. Takes no more OPEN.
    function initiateRelease(
        address payer,
        address signer,
        uint32 operatorId,
        uint64 epoch,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice Ends an announced reservation whose delay passed, or one whose expiry passed. Anyone may call.
    function finalizeRelease(address payer, address signer, uint32 operatorId, uint64 epoch) external;

    // ---- from operators ----

    /// @notice Redeems vouchers: of each, what it adds to its channel, all through RevenueRouter. A row that cannot be
    ///         paid is skipped and takes nothing else down. Only the operator's owner or its claimers: when its money
    ///         comes decides which epoch it counts in.
    /// @param groups at most 256 rows together
    /// @return paid bit i: row i, counted through all groups, was paid
    /// @return reasons byte i: row i's Reason
    function claimBatch(uint32 operatorId, Group[] calldata groups)
        external
        returns (uint256 paid, bytes memory reasons);

    /// @notice Gives `payer` the OPEN sent along, as free OPEN, for what was paid under `ref`. Only the operator's
    ///         owner or its claimers.
    function refund(uint32 operatorId, address payer, bytes32 ref) external payable;

    /// @notice Lets `claimer`, a gateway's key, claim and refund for the operator until that is transferred. Only its
    ///         owner.
    function setClaimer(uint32 operatorId, address claimer, bool allowed) external;

    // ---- views ----

    /// @notice What a gateway may still accept: vouchers that ask, together and beyond what was claimed, for at most
    ///         `redeemable` wei, up to and including the second `acceptUntil`. Both zero when nothing may be accepted.
    function safeHeadroom(address payer, address signer, uint32 operatorId, uint64 epoch)
        external
        view
        returns (uint128 redeemable, uint64 acceptUntil);

    /// @notice Deposited and promised to nobody, wei.
    function freeOf(address payer) external view returns (uint256);
    function sessionKey(address payer, address key) external view returns (SessionKey memory);
    /// @notice What is left of a reservation, wei; its terms; when it may be released, seconds, or zero; whether it was.
    function reservationOf(address payer, address signer, uint32 operatorId, uint64 epoch)
        external
        view
        returns (uint128 available, uint64 assetId, uint64 agentId, uint64 expiry, uint64 releaseAt, bool released);
    function reservationId(Reservation calldata r) external pure returns (bytes32);
    /// @notice What was claimed in a channel: wei and calls.
    function claimedOf(address payer, address signer, uint32 operatorId, uint64 epoch, uint64 assetId, uint64 agentId)
        external
        view
        returns (uint128 cumulative, uint64 count);
    /// @notice What vouchers paid to the operator in an epoch of EPOCH_S seconds, counted from 1970, by block time: wei
    ///         and calls. Final once the epoch is over.
    function paidOf(uint32 operatorId, uint64 epoch) external view returns (uint128 amount, uint64 count);
    function paidOf(uint32 operatorId, uint64 assetId, uint64 epoch)
        external
        view
        returns (uint128 amount, uint64 count);
    /// @notice Who was paid in the group of a claim whose paid vouchers' digests, one after the other in their order,
    ///         hash to `ref`, and in which epoch; operator 0 if there was none. `ref` is also what Routed carries.
    function claimOf(bytes32 ref) external view returns (uint32 operatorId, uint64 epoch);
    /// @notice What a voucher's signer signs.
    function voucherDigest(Voucher calldata v) external view returns (bytes32);
    function isClaimer(uint32 operatorId, address who) external view returns (bool);
    function nonces(address account) external view returns (uint256);
    function DOMAIN_SEPARATOR() external view returns (bytes32);
    /// @notice Everything free and reserved, wei.
    function liabilities() external view returns (uint256);
    /// @notice The balance less the liabilities: never below zero, and above it only by OPEN that was forced in.
    function solvency() external view returns (int256);

    function RELEASE_DELAY_S() external view returns (uint64);
    function MARGIN_S() external view returns (uint64);
    function EPOCH_S() external view returns (uint64);
    function ROWS_MAX() external view returns (uint256);
}
