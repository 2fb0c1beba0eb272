// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title AddressAlias
/// @notice Which L2 address speaks for an L1 caller.
/// @dev A contract at the same address on both chains may belong to two owners, so an L1 contract speaks on L2 under a
/// shifted address. A contract in construction has no code yet and is a contract all the same: hence the question is
/// whether the caller is certainly keyed (it signed this transaction, or its code is an EIP-7702 delegation).
library AddressAlias {
    uint160 internal constant OFFSET = uint160(0x1111000000000000000000000000000000001111);

    /// @return The L2 sender for `caller`, who must be `msg.sender` of the running call.
    function l2Sender(address caller) internal view returns (address) {
        // Not an authorisation: it tells keyed callers from contracts.
        // slither-disable-next-line tx-origin
        if (caller == tx.origin || isDelegated(caller)) return caller;
        return shifted(caller);
    }

    /// @return `l1` moved by the offset, wrapping at 2^160.
    function shifted(address l1) internal pure returns (address) {
        unchecked {
            return address(uint160(l1) + OFFSET);
        }
    }

    /// @return Whether the code of `account` is an EIP-7702 delegation: 0xef0100 and an address. EIP-3541 keeps any
    /// other account from having such code.
    function isDelegated(address account) internal view returns (bool) {
        if (account.code.length != 23) return false;
        return bytes3(account.code) == 0xef0100;
    }
}
