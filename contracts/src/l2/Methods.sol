// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title Methods
/// @notice The attribution methods a receipt and a Datanet may name, and how far each is trusted. The numbers are never
///         used again for something else; a new method is a new number.
/// @dev A method whose weights no contract can check may direct only a part of a Datanet's income.
library Methods {
    /// No attribution: everything goes to static units.
    uint16 internal constant NONE = 0;
    /// Exact spans found in the Datanet's text by its suffix array. Reserved: nothing here can verify it, so nothing here
    /// accepts it.
    uint16 internal constant AR_1 = 1;
    /// What the operator states in the receipt it signed. Provable: that it is carried into the ledger as stated.
    /// Not provable: that it is right.
    uint16 internal constant STATED = 2;

    /// @notice Whether receipts and Datanets may name it.
    function isUsable(uint16 method) internal pure returns (bool) {
        return method == NONE || method == STATED;
    }

    /// @notice Whether a false weight can be shown to a contract.
    function isProvable(uint16) internal pure returns (bool) {
        return false;
    }

    /// @notice The largest part of a Datanet's income that it may direct, ppb.
    function lambdaMaxPpb(uint16 method) internal pure returns (uint32) {
        return method == STATED ? 300_000_000 : 0;
    }
}
