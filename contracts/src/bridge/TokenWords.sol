// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @notice What a token says of itself.
struct Words {
    string name;
    string symbol;
    uint8 decimals;
}

using {encode} for Words global;

/// @return As `IL2TokenBridge.receiveDeposit` takes them.
function encode(Words memory words) pure returns (bytes memory) {
    return abi.encode(words.name, words.symbol, words.decimals);
}

/// @title TokenWords
/// @notice How a token describes itself, whatever it answers: too long is cut, anything else that is wrong counts as
/// nothing said. Old tokens answer with a bytes32 in place of a string, and are understood.
/// @dev An answer never costs more than `GAS` plus the copy of `ANSWER_BYTES`, and a caller with too little gas is refused,
/// so nobody can make a token look silent.
library TokenWords {
    error TooLittleGas();

    /// Each question may cost this: several times what proxied tokens ask for.
    uint256 internal constant GAS = 100_000;
    /// What is left for the rest after a question, besides its 64th part.
    uint256 private constant SPARE_GAS = 20_000;
    uint256 internal constant MAX_NAME_BYTES = 64;
    uint256 internal constant MAX_SYMBOL_BYTES = 32;
    /// Offset, length, and the longest text we keep.
    uint256 private constant ANSWER_BYTES = 64 + MAX_NAME_BYTES;

    bytes4 private constant NAME = 0x06fdde03;
    bytes4 private constant SYMBOL = 0x95d89b41;
    bytes4 private constant DECIMALS = 0x313ce567;

    /// @return Without decimals where the token does not say: its amounts then mean what they are.
    function ask(address token) internal view returns (Words memory) {
        return Words(_text(token, NAME, MAX_NAME_BYTES), _text(token, SYMBOL, MAX_SYMBOL_BYTES), _decimals(token));
    }

    function _decimals(address token) private view returns (uint8) {
        bytes memory answer = _ask(token, DECIMALS);
        if (answer.length < 32) return 0;
        uint256 value = uint256(_word(answer, 0));
        return value <= type(uint8).max ? uint8(value) : 0;
    }

    function _text(address token, bytes4 question, uint256 max) private view returns (string memory) {
        bytes memory answer = _ask(token, question);
        if (answer.length == 32) return _cut(answer, 0, _upToZero(answer), max);
        // Compilers write the text right behind its offset and length.
        if (answer.length < 64 || uint256(_word(answer, 0)) != 32) return "";
        uint256 length = uint256(_word(answer, 32));
        return _cut(answer, 64, length, max);
    }

    function _upToZero(bytes memory answer) private pure returns (uint256 length) {
        while (length < 32 && answer[length] != 0) ++length;
    }

    /// At most `max` bytes from `start`, and none that were not answered.
    function _cut(bytes memory answer, uint256 start, uint256 length, uint256 max)
        private
        pure
        returns (string memory)
    {
        uint256 there = answer.length - start;
        if (length > there) length = there;
        if (length > max) length = max;
        bytes memory text = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            text[i] = answer[start + i];
        }
        return string(text);
    }

    function _word(bytes memory answer, uint256 offset) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(answer, 0x20), offset))
        }
    }

    /// The first `ANSWER_BYTES` of what the token answers; nothing if it fails.
    function _ask(address token, bytes4 question) private view returns (bytes memory answer) {
        // The call gets all of GAS: a 64th part stays here.
        require(gasleft() > GAS + GAS / 63 + SPARE_GAS, TooLittleGas());
        answer = new bytes(ANSWER_BYTES);
        uint256 max = ANSWER_BYTES;
        uint256 gasLimit = GAS;
        assembly ("memory-safe") {
            mstore(0, question)
            let ok := staticcall(gasLimit, token, 0, 4, 0, 0)
            let size := mul(ok, returndatasize())
            if gt(size, max) { size := max }
            returndatacopy(add(answer, 0x20), 0, size)
            mstore(answer, size)
        }
    }
}
