// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IAssetRegistry} from "src/l2/IAssetRegistry.sol";
import {ISpendAccount} from "src/l2/ISpendAccount.sol";
import {PayTo} from "src/l2/PayTo.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {SpendAccount} from "src/l2/SpendAccount.sol";
import {L2Test} from "./L2Test.sol";

/// @notice L2 with PayTo and SpendAccount, an operator, an agent and two assets, and vouchers signed as a payer signs
///         them: typed data is written out here from its parts, not asked of the contract.
abstract contract SpendTest is L2Test {
    PayTo internal constant PAY_TO = PayTo(Predeploys.PAY_TO);
    SpendAccount internal constant SPEND = SpendAccount(payable(Predeploys.SPEND_ACCOUNT));

    bytes32 internal constant VOUCHER = keccak256(
        "Voucher(address payer,uint64 assetId,uint32 operatorId,uint64 agentId,uint128 cumulative,uint64 count,bytes32 receiptRoot,uint64 epoch)"
    );
    bytes32 internal constant RESERVATION = keccak256(
        "Reservation(address payer,address signer,uint32 operatorId,uint64 epoch,uint64 assetId,uint64 agentId,uint64 expiry,uint128 amount,uint256 nonce,uint256 deadline)"
    );
    bytes32 internal constant SESSION_KEY = keccak256(
        "SessionKey(address payer,address key,uint128 cap,uint64 expiry,uint32 operatorId,uint64 assetId,uint64 agentId,uint256 nonce,uint256 deadline)"
    );
    bytes32 internal constant RELEASE = keccak256(
        "Release(address payer,address signer,uint32 operatorId,uint64 epoch,uint256 nonce,uint256 deadline)"
    );
    bytes32 internal constant WITHDRAWAL =
        keccak256("Withdrawal(address payer,address to,uint128 amount,uint256 nonce,uint256 deadline)");

    address internal payer;
    uint256 internal payerKey;
    /// Owner of the operator, the agent and the assets.
    address internal immutable alice = makeAddr("alice");
    uint32 internal operator;
    uint64 internal agent;
    uint64 internal asset;
    uint64 internal asset2;

    function setUp() public virtual override {
        super.setUp();
        vm.etch(Predeploys.PAY_TO, type(PayTo).runtimeCode);
        vm.etch(Predeploys.SPEND_ACCOUNT, type(SpendAccount).runtimeCode);
        vm.setNonceUnsafe(Predeploys.PAY_TO, 1);
        vm.setNonceUnsafe(Predeploys.SPEND_ACCOUNT, 1);
        vm.prank(governance);
        ROUTER.setChannel(Predeploys.SPEND_ACCOUNT, true);

        (payer, payerKey) = makeAddrAndKey("payer");
        vm.startPrank(alice);
        operator = ROUTER.registerOperator(alice, 450_000_000);
        vm.stopPrank();
        agent = root(alice, IAssetRegistry.Kind.AGENT, 0);
        asset = root(alice);
        asset2 = root(alice);
        vm.warp(block.timestamp + 3 days);
    }

    // Deposits and reservations

    function deposit(address who, uint256 amount) internal {
        vm.deal(address(this), address(this).balance + amount);
        SPEND.depositNative{value: amount}(who);
    }

    /// @notice Unrestricted, by the payer for its own key, in epoch 0.
    function terms(address who, uint32 operatorId) internal pure returns (ISpendAccount.Reservation memory) {
        return ISpendAccount.Reservation(who, who, operatorId, 0, 0, 0, 0);
    }

    function reserve(ISpendAccount.Reservation memory r, uint128 amount) internal {
        vm.prank(r.payer);
        SPEND.reserve(r, amount, r.payer, 0, "");
    }

    /// @notice Deposits and reserves for the default operator.
    function fund(address who, uint128 amount) internal {
        deposit(who, amount);
        reserve(terms(who, operator), amount);
    }

    // Vouchers

    /// @notice One call for `cumulative` wei at the default operator, in epoch 0.
    function voucher(address who, uint64 assetId, uint128 cumulative)
        internal
        view
        returns (ISpendAccount.Voucher memory)
    {
        return ISpendAccount.Voucher(who, assetId, operator, 0, cumulative, 1, keccak256("receipts"), 0);
    }

    function digestOf(ISpendAccount.Voucher memory v) internal view returns (bytes32) {
        return digest(
            keccak256(
                abi.encode(
                    VOUCHER, v.payer, v.assetId, v.operatorId, v.agentId, v.cumulative, v.count, v.receiptRoot, v.epoch
                )
            )
        );
    }

    function signed(ISpendAccount.Voucher memory v, uint256 key) internal view returns (ISpendAccount.Row memory) {
        return signed(v, key, 0, 0);
    }

    /// @param restricted 1: to the asset, 2: to the agent, 3: to both
    function signed(ISpendAccount.Voucher memory v, uint256 key, uint64 expiry, uint256 restricted)
        internal
        view
        returns (ISpendAccount.Row memory)
    {
        return row(v, digestOf(v), key, expiry, restricted);
    }

    /// @notice The row of `v` with a signature of `digest_`, whatever that is.
    function row(ISpendAccount.Voucher memory v, bytes32 digest_, uint256 key, uint64 expiry, uint256 restricted)
        internal
        pure
        returns (ISpendAccount.Row memory)
    {
        (uint8 parity, bytes32 r, bytes32 s) = vm.sign(key, digest_);
        return ISpendAccount.Row({
            payerAndCumulative: uint256(uint160(v.payer)) << 96 | v.cumulative,
            terms: uint256(parity - 27) << 255 | restricted << 160 | uint256(expiry) << 96 | uint256(v.count) << 64
                | v.epoch,
            receiptRoot: v.receiptRoot,
            r: r,
            s: s
        });
    }

    // Claims

    function group(uint64 assetId, ISpendAccount.Row memory a) internal pure returns (ISpendAccount.Group[] memory g) {
        g = new ISpendAccount.Group[](1);
        g[0] = ISpendAccount.Group(assetId, 0, new ISpendAccount.Row[](1));
        g[0].rows[0] = a;
    }

    /// @notice Claims one voucher as the operator's owner.
    function claim(ISpendAccount.Voucher memory v, ISpendAccount.Row memory a) internal returns (ISpendAccount.Reason) {
        ISpendAccount.Group[] memory g = group(v.assetId, a);
        g[0].agentId = v.agentId;
        vm.prank(alice);
        (uint256 paid, bytes memory reasons) = SPEND.claimBatch(v.operatorId, g);
        ISpendAccount.Reason reason = ISpendAccount.Reason(uint8(reasons[0]));
        assertEq(paid, reason == ISpendAccount.Reason.PAID ? 1 : 0);
        return reason;
    }

    function assertClaim(ISpendAccount.Voucher memory v, ISpendAccount.Row memory a, ISpendAccount.Reason want)
        internal
    {
        assertEq(uint256(claim(v, a)), uint256(want));
    }

    function assertClaim(ISpendAccount.Voucher memory v, uint256 key, ISpendAccount.Reason want) internal {
        assertClaim(v, signed(v, key), want);
    }

    // Signatures

    function sign(uint256 key, bytes32 structHash) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest(structHash));
        return abi.encodePacked(r, s, v);
    }

    function digest(bytes32 structHash) internal view returns (bytes32) {
        return digest(structHash, block.chainid, address(SPEND));
    }

    function digest(bytes32 structHash, uint256 chainId, address where) internal pure returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Tributary SpendAccount"),
                keccak256("1"),
                chainId,
                where
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }
}
