// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {OpenToken} from "src/l1/OpenToken.sol";
import {RelayFee} from "src/l1/RelayFee.sol";
import {IWithdrawals} from "src/l1/interfaces/IWithdrawals.sol";
import {AnyToken} from "./Around.sol";
import {Symbolic, both} from "./Symbolic.sol";

/// What others can do to the OPEN that the Portal holds: with a holder that never allows anybody anything, as the Portal
/// does not (`Payments`), nothing.
contract Balances is Symbolic {
    OpenToken private token;

    function setUp() public {
        token = new OpenToken(address(this));
        svm.enableSymbolicStorage(address(token));
        anyTime();
    }

    function check_othersCall_takesNothingFromAHolder(address other) external {
        address holder = anyone("holder");
        address caller = anyone("caller");
        vm.assume(caller != holder);
        vm.assume(both(token.allowance(holder, caller) == 0, token.allowance(holder, other) == 0));
        uint256 balance = token.balanceOf(holder);
        // Supply is the sum of the balances, which is below 2^96 for OPEN: no sum of two overflows.
        vm.assume(both(balance < 2 ** 96, token.balanceOf(caller) < 2 ** 96));
        bytes memory data = svm.createCalldata(address(token));
        vm.assume(token.balanceOf(address(uint160(uint256(wordAt(data, 4))))) < 2 ** 96);
        // A permit needs the holder's signature, and a contract has no key.
        vm.assume(bytes4(data) != token.permit.selector);
        // Minting is for the owner, and raises balances alone.
        vm.assume(bytes4(data) != token.mint.selector);

        vm.prank(caller);
        (bool ok,) = address(token).call(data);
        vm.assume(ok);

        assert(token.balanceOf(holder) >= balance);
        assert(token.allowance(holder, other) == 0);
    }

    /// The first argument: for `transferFrom`, whose balance moves.
    function wordAt(bytes memory data, uint256 offset) private pure returns (bytes32 word) {
        if (data.length < offset + 32) return 0;
        assembly ("memory-safe") {
            word := mload(add(add(data, 0x20), offset))
        }
    }
}

/// What a message carries is split between its receiver and who carried it.
contract Fees is Symbolic {
    AnyToken private token;
    RelayFee private relayFee;
    uint256 private value;

    function setUp() public {
        token = new AnyToken();
        relayFee = new RelayFee(IERC20(address(token)), IWithdrawals(address(this)));
        value = svm.createUint(256, "value");
    }

    /// This contract is its Portal.
    function l2Value() external view returns (uint256) {
        return value;
    }

    function check_pay_partsSumToTheValue(address to, uint256 fee) external {
        relayFee.pay(to, fee);

        assert(both(token.given() == value, fee <= value));
        assert(both(token.gives() == 2, token.receiver() == to));
        assert(both(token.takes() == 0, token.others() == 0));
    }

    function check_pay_isForThePortalAlone(address to, uint256 fee) external {
        vm.prank(anyone("caller"));
        (bool ok,) = address(relayFee).call(abi.encodeCall(relayFee.pay, (to, fee)));
        assert(!ok);
    }
}
