// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IFeeVault} from "src/l2/IFeeVault.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {Send} from "src/l2/Send.sol";
import {L2Test} from "./L2Test.sol";
import {Refuses} from "./Receivers.sol";

contract FeeVaultTest is L2Test {
    function testFuzz_withdraw_byAnyone_sendsAllToTheRecipient(uint96 fees, address caller) public {
        fees = uint96(bound(fees, VAULT.MIN_WITHDRAWAL_AMOUNT(), type(uint96).max));
        vm.deal(address(VAULT), fees);
        vm.expectEmit(address(VAULT));
        emit IFeeVault.Withdrawal(fees, feeRecipient, caller);
        vm.prank(caller);
        assertEq(VAULT.withdraw(), fees);
        assertEq(feeRecipient.balance, fees);
        assertEq(address(VAULT).balance, 0);
    }

    function test_withdraw_dust_reverts() public {
        vm.deal(address(VAULT), 0.01 ether - 1);
        vm.expectRevert(abi.encodeWithSelector(IFeeVault.BelowMinimum.selector, 0.01 ether - 1, 0.01 ether));
        VAULT.withdraw();
    }

    function test_withdraw_withoutRecipient_reverts() public {
        _store(address(VAULT), 0, 0);
        vm.deal(address(VAULT), 1 ether);
        vm.expectRevert(IFeeVault.NoRecipient.selector);
        VAULT.withdraw();
    }

    function test_withdraw_toOneWhoRefuses_keepsTheFees() public {
        _store(address(VAULT), 0, uint160(address(new Refuses())));
        vm.deal(address(VAULT), 1 ether);
        vm.expectPartialRevert(Send.SendFailed.selector);
        VAULT.withdraw();
        assertEq(address(VAULT).balance, 1 ether);
    }

    function test_threeVaults_haveTheirRecipientInSlotZero() public view {
        assertEq(VAULT.recipient(), feeRecipient);
        assertEq(IFeeVault(Predeploys.PRIORITY_FEE_VAULT).recipient(), feeRecipient);
        assertEq(IFeeVault(Predeploys.DATA_FEE_VAULT).recipient(), feeRecipient);
    }
}
