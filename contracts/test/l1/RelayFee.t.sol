// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {OpenToken} from "src/l1/OpenToken.sol";
import {RelayFee} from "src/l1/RelayFee.sol";
import {IRelayFee} from "src/l1/interfaces/IRelayFee.sol";
import {IWithdrawals} from "src/l1/interfaces/IWithdrawals.sol";

/// What a portal does with a message: the value first, then the call, during which `l2Value` tells it.
contract Delivers {
    uint256 public l2Value;

    function deliver(OpenToken token, address target, uint256 value, bytes calldata data) external {
        token.transfer(target, value);
        l2Value = value;
        (bool ok, bytes memory reason) = target.call(data);
        if (!ok) {
            assembly ("memory-safe") {
                revert(add(reason, 32), mload(reason))
            }
        }
        l2Value = 0;
    }
}

contract RelayFeeTest is Test {
    OpenToken private token;
    Delivers private portal;
    RelayFee private relayFee;
    address private receiver = makeAddr("receiver");
    address private carrier = makeAddr("carrier");

    function setUp() public {
        token = new OpenToken(address(this));
        portal = new Delivers();
        relayFee = new RelayFee(token, IWithdrawals(address(portal)));
        token.mint(address(portal), 1_000 ether);
    }

    function _deliver(uint256 value, uint256 fee) private {
        bytes memory data = abi.encodeCall(IRelayFee.pay, (receiver, fee));
        vm.prank(carrier, carrier);
        portal.deliver(token, address(relayFee), value, data);
    }

    function testFuzz_pay_splitsTheValue(uint256 value, uint256 fee) public {
        value = bound(value, 0, 1_000 ether);
        fee = bound(fee, 0, value);
        _deliver(value, fee);
        assertEq(token.balanceOf(carrier), fee);
        assertEq(token.balanceOf(receiver), value - fee);
        assertEq(token.balanceOf(address(relayFee)), 0);
    }

    function test_pay_feeAboveValue_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IRelayFee.FeeAboveValue.selector, 11, 10));
        _deliver(10, 11);
    }

    function test_pay_byOthers_reverts() public {
        token.mint(address(relayFee), 5 ether);
        vm.expectRevert(abi.encodeWithSelector(IRelayFee.NotPortal.selector, address(this)));
        relayFee.pay(receiver, 1 ether);
    }

    function test_pay_leavesWhatWasDonated() public {
        token.mint(address(relayFee), 5 ether);
        _deliver(10 ether, 1 ether);
        assertEq(token.balanceOf(receiver), 9 ether);
        assertEq(token.balanceOf(address(relayFee)), 5 ether);
    }
}
