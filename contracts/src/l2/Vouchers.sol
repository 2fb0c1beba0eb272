// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISpendAccount} from "./ISpendAccount.sol";
import {TypedData} from "./TypedData.sol";

/// @title Vouchers
/// @notice What the signer of a voucher signs.
library Vouchers {
    bytes32 internal constant NAME_HASH = keccak256("Tributary SpendAccount");
    bytes32 internal constant TYPEHASH = keccak256(
        "Voucher(address payer,uint64 assetId,uint32 operatorId,uint64 agentId,uint128 cumulative,uint64 count,bytes32 receiptRoot,uint64 epoch)"
    );

    function digest(ISpendAccount.Voucher memory v) internal view returns (bytes32) {
        return TypedData.digest(NAME_HASH, keccak256(abi.encode(TYPEHASH, v)));
    }
}
