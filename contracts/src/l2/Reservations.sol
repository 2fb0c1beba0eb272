// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title Reservations
/// @notice A reservation of SpendAccount as one word, its name, and its channels.
/// @dev From the lowest bit: available (80), and its home channel: cumulative claimed (80), count (32), assetId (32),
///      agentId (32). The home is the first channel that claims; most reservations have no other, so a claim reads and
///      writes this one word. Other channels, and those of assets and agents with higher ids, have a word of their own
///      in `away`: cumulative (128), count (128).
///
///      The word stands in the slot that is the reservation's id. Ids are hashes of three words; whatever else is
///      stored stands in low slots or at hashes of two words.
library Reservations {
    uint256 internal constant AMOUNT_MAX = (1 << 80) - 1;
    uint256 internal constant COUNT_MAX = (1 << 32) - 1;

    uint256 private constant CLAIMED_AT = 80;
    uint256 private constant COUNT_AT = 160;
    uint256 private constant HOME_AT = 192;
    /// A name that no home has.
    uint256 private constant HOMELESS = type(uint256).max;

    struct Channels {
        mapping(bytes32 id => mapping(uint256 assetId => mapping(uint256 agentId => uint256))) away;
    }

    /// @notice What a claim names to be paid: everything that never changes about the reservation. So a claim reads no
    ///         terms: under any others there is nothing.
    function idOf(
        address payer,
        address signer,
        uint256 operatorId,
        uint256 epoch,
        uint256 expiry,
        uint256 assetId,
        uint256 agentId
    ) internal pure returns (bytes32) {
        uint256 signerWord = uint256(uint160(signer)) << 96 | operatorId << 64 | epoch;
        uint256 payerWord = uint256(uint160(payer)) << 96 | expiry;
        return keccak256(abi.encode(signerWord, payerWord, assetId << 64 | agentId));
    }

    function load(bytes32 id) internal view returns (uint256 word) {
        assembly ("memory-safe") {
            word := sload(id)
        }
    }

    function store(bytes32 id, uint256 word) internal {
        assembly ("memory-safe") {
            sstore(id, word)
        }
    }

    function available(uint256 word) internal pure returns (uint256) {
        return word & AMOUNT_MAX;
    }

    /// @notice How a home field names a channel.
    function nameOf(uint256 assetId, uint256 agentId) internal pure returns (uint256) {
        return (assetId | agentId) >> 32 == 0 ? agentId << 32 | assetId : HOMELESS;
    }

    /// @notice What a channel of the reservation `word` claimed so far: wei and calls.
    function claimed(Channels storage channels, bytes32 id, uint256 word, uint256 assetId, uint256 agentId)
        internal
        view
        returns (uint256 cumulative, uint256 count)
    {
        if (_isHome(word, assetId, agentId)) {
            return ((word >> CLAIMED_AT) & AMOUNT_MAX, (word >> COUNT_AT) & COUNT_MAX);
        }
        word = channels.away[id][assetId][agentId];
        return (uint128(word), word >> 128);
    }

    /// @notice Writes what a channel claimed into the reservation `word`, from whose lowest bits what it took is gone.
    ///         Neither number is above its maximum.
    function claim(
        Channels storage channels,
        bytes32 id,
        uint256 word,
        uint256 assetId,
        uint256 agentId,
        uint256 cumulative,
        uint256 count
    ) internal {
        if (_isHome(word, assetId, agentId)) {
            word = available(word) | nameOf(assetId, agentId) << HOME_AT | count << COUNT_AT | cumulative << CLAIMED_AT;
        } else {
            channels.away[id][assetId][agentId] = count << 128 | cumulative;
        }
        store(id, word);
    }

    /// @dev Whether the channel is the word's home, or becomes it by claiming first.
    function _isHome(uint256 word, uint256 assetId, uint256 agentId) private pure returns (bool) {
        uint256 home = word >> HOME_AT;
        uint256 name = nameOf(assetId, agentId);
        return home == name || (home == 0 && name != HOMELESS);
    }
}
