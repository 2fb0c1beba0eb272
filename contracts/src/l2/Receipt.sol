// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @notice What an operator signs for one inference. FORMAT.md has every field.
struct InferenceReceipt {
    /// Its first eight bytes are the asset's id, so that the receipts of one asset stand together.
    bytes32 receiptId;
    /// First receipt of the chain of calls, and the one that called; zero if none.
    bytes32 rootReceipt;
    bytes32 parentReceipt;
    uint64 assetId;
    uint32 operatorId;
    uint64 agentId;
    bytes32 payerKeyHash;
    bytes32 promptCommit;
    bytes32 outputCommit;
    uint32 tokIn;
    uint32 tokOut;
    uint96 price;
    /// Struct hash of the Offer it was charged by; zero if there was none.
    bytes32 offerHash;
    uint64 tsMs;
    uint16 attrMethod;
    /// keccak256 of the vector's words; zero if there is none.
    bytes32 attrHash;
    bytes32 modelProof;
}

/// @notice The price an operator offers: `base` and so much a token, wei.
struct Offer {
    uint64 assetId;
    uint32 operatorId;
    uint64 agentId;
    uint96 base;
    uint96 perTokIn;
    uint96 perTokOut;
    uint64 validUntilMs;
    bytes32 salt;
}

/// @notice What an operator promises to post for an epoch.
struct Head {
    uint32 operatorId;
    uint64 epoch;
    /// How often the epoch was voided before.
    uint8 revision;
    bytes32 receiptsRoot;
    uint40 count;
    uint96 priceSum;
}

/// @title Signed
/// @notice EIP-712 struct hashes of what operators sign, under the domain of Receipts.
library Signed {
    bytes32 private constant RECEIPT_TYPEHASH = keccak256(
        "InferenceReceipt(bytes32 receiptId,bytes32 rootReceipt,bytes32 parentReceipt,uint64 assetId,uint32 operatorId,uint64 agentId,bytes32 payerKeyHash,bytes32 promptCommit,bytes32 outputCommit,uint32 tokIn,uint32 tokOut,uint96 price,bytes32 offerHash,uint64 tsMs,uint16 attrMethod,bytes32 attrHash,bytes32 modelProof)"
    );
    bytes32 private constant OFFER_TYPEHASH = keccak256(
        "Offer(uint64 assetId,uint32 operatorId,uint64 agentId,uint96 base,uint96 perTokIn,uint96 perTokOut,uint64 validUntilMs,bytes32 salt)"
    );
    bytes32 private constant HEAD_TYPEHASH = keccak256(
        "Head(uint32 operatorId,uint64 epoch,uint8 revision,bytes32 receiptsRoot,uint40 count,uint96 priceSum)"
    );

    function hash(InferenceReceipt calldata r) internal pure returns (bytes32) {
        return keccak256(abi.encode(RECEIPT_TYPEHASH, r));
    }

    function hash(Offer calldata o) internal pure returns (bytes32) {
        return keccak256(abi.encode(OFFER_TYPEHASH, o));
    }

    function hash(Head calldata h) internal pure returns (bytes32) {
        return keccak256(abi.encode(HEAD_TYPEHASH, h));
    }

    /// @notice Leaf of the tree of receipts: keccak256(0x00 ‖ struct hash). Its sum is the price.
    function leaf(InferenceReceipt calldata r) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(uint8(0), hash(r)));
    }
}
