// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IWithdrawals} from "src/l1/interfaces/IWithdrawals.sol";
import {Symbolic} from "./Symbolic.sol";

/// The contracts around the one that a property is about. They answer anything, and remember what they were told: what is
/// shown with them holds whatever the real ones do, short of calling back.

/// In place of OPEN. What it was asked to move is in its counts, and whatever else it was asked for in `others`.
contract AnyToken is Symbolic {
    uint256 public takes;
    uint256 public gives;
    /// Sums, as the books of an honest token would have them.
    uint256 public taken;
    uint256 public given;
    address public from;
    address public to;
    address public receiver;
    uint256 public lastBalance;
    uint256 public others;

    function transferFrom(address from_, address to_, uint256 amount) external returns (bool) {
        (from, to) = (from_, to_);
        ++takes;
        unchecked {
            taken += amount;
        }
        return svm.createBool("taken");
    }

    function transfer(address to_, uint256 amount) external returns (bool) {
        receiver = to_;
        ++gives;
        unchecked {
            given += amount;
        }
        return svm.createBool("given");
    }

    function balanceOf(address) external returns (uint256) {
        return lastBalance = svm.createUint(256, "balance");
    }

    /// A permit allows others what its signer signed; who asks for it does not matter.
    function permit(address, address, uint256, uint256, uint8, bytes32, bytes32) external pure {
        require(svm.createBool("permitted"));
    }

    fallback() external {
        ++others;
    }
}

/// In place of `Inbox`, where the Portal speaks to it.
contract AnyInbox is Symbolic {
    uint256 public entries;
    uint256 public minted;
    bytes32 public lastCall;

    function enqueue(address, address, uint256 mint, uint256, uint64, bool, bytes calldata) external returns (uint64) {
        ++entries;
        minted += mint;
        lastCall = keccak256(msg.data);
        return uint64(svm.createUint(64, "index"));
    }
}

/// In place of `SystemConfig`.
contract AnyConfig is Symbolic {
    function depositTerms() external pure returns (uint64, uint32, uint64) {
        return (
            uint64(svm.createUint(64, "gasPrice")),
            uint32(svm.createUint(32, "gasPerBlock")),
            uint64(svm.createUint(64, "pausedUntil"))
        );
    }

    function sequencer() external pure returns (address) {
        return svm.createAddress("sequencer");
    }

    function feeRecipient() external pure returns (address) {
        return svm.createAddress("feeRecipient");
    }

    function owner() external pure returns (address) {
        return svm.createAddress("owner");
    }
}

/// In place of `Rollup`, where the Portal asks it. It confirms, or refuses to.
contract AnyRollup is Symbolic {
    function outputTerms(uint256) external pure returns (bytes32, uint256, uint256) {
        return (svm.createBytes32("root"), svm.createUint(48, "windowEnd"), svm.createUint(48, "windowS"));
    }

    function confirmOutput(uint256 index) external {
        require(svm.createBool("confirms"));
        IWithdrawals(msg.sender).outputConfirmed(index);
    }
}
