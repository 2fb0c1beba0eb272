// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Vm} from "forge-std/Vm.sol";
import {AddressAlias} from "src/l1/AddressAlias.sol";
import {OpenToken} from "src/l1/OpenToken.sol";
import {QueueEntry} from "src/l1/QueueEntry.sol";
import {IInbox} from "src/l1/interfaces/IInbox.sol";
import {IPortal} from "src/l1/interfaces/IPortal.sol";
import {L1Test} from "./L1Test.sol";
import {CallsBack, MovesNothing, ReturnsFalse, TakesFee} from "./Tokens.sol";

/// Deposits while it has no code yet.
contract DepositsInConstructor {
    constructor(IPortal portal) {
        portal.deposit(msg.sender, 0, 1, 21_000, false, "");
    }
}

contract PortalTest is L1Test {
    function _deposit(uint256 mint, uint64 gasLimit) private {
        vm.prank(user, user);
        portal.deposit(user, mint, 0, gasLimit, false, "");
    }

    /// The entry that the last call enqueued.
    function _lastEntry() private returns (QueueEntry memory e) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == IInbox.Enqueued.selector) (e,) = abi.decode(logs[i].data, (QueueEntry, bytes32));
        }
    }

    // What is taken and booked

    function testFuzz_deposit_takesMintAndGas(uint96 mint, uint64 gasLimit) public {
        mint = uint96(bound(mint, 0, 1e26));
        gasLimit = uint64(bound(gasLimit, 21_000, 2 ** 24));
        uint256 before = token.balanceOf(user);
        _deposit(mint, gasLimit);
        uint256 fee = uint256(gasLimit) * GAS_PRICE;
        assertEq(portal.gasCost(gasLimit), fee);
        assertEq(portal.escrowed(), mint);
        assertEq(portal.gasFees(), fee);
        assertEq(token.balanceOf(address(portal)), mint + fee);
        assertEq(before - token.balanceOf(user), mint + fee);
    }

    function test_deposit_enqueuesWhatWasAsked() public {
        vm.recordLogs();
        vm.prank(user, user);
        assertEq(portal.deposit(address(9), 5, 7, 60_000, false, hex"0102"), 0);
        QueueEntry memory e = _lastEntry();
        assertEq(e.from, user);
        assertEq(e.to, address(9));
        assertEq(e.mint, 5);
        assertEq(e.value, 7);
        assertEq(e.gasLimit, 60_000);
        assertFalse(e.isCreation);
        assertEq(e.data, hex"0102");
        assertEq(e.l1Block, block.number);
        assertEq(e.timestamp, block.timestamp);
    }

    function test_depositOpen_creditsTheCaller() public {
        vm.recordLogs();
        vm.prank(user, user);
        portal.depositOpen(3 ether);
        QueueEntry memory e = _lastEntry();
        assertEq(e.from, user);
        assertEq(e.to, user);
        assertEq(e.mint, 3 ether);
        assertEq(e.value, 0);
        assertEq(e.gasLimit, 50_000);
        assertEq(portal.escrowed(), 3 ether);
    }

    function test_deposit_creation_hasNoTarget() public {
        vm.recordLogs();
        vm.prank(user, user);
        portal.deposit(address(0), 0, 0, 100_000, true, hex"00");
        assertTrue(_lastEntry().isCreation);
        vm.prank(user, user);
        vm.expectRevert(abi.encodeWithSelector(IPortal.CreationWithTarget.selector, user));
        portal.deposit(user, 0, 0, 100_000, true, hex"00");
    }

    function test_deposit_withoutAllowance_reverts() public {
        vm.prank(user, user);
        token.approve(address(portal), 0);
        vm.prank(user, user);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, portal, 0, 1 + 50_000 * GAS_PRICE)
        );
        portal.depositOpen(1);
    }

    function test_deposit_freeGas_andNoMint_movesNothing() public {
        vm.prank(address(timelock));
        config.setDepositGas(0, GAS_PER_BLOCK);
        vm.prank(makeAddr("penniless"), makeAddr("penniless"));
        portal.deposit(user, 0, 0, 21_000, false, "");
        assertEq(inbox.queueLength(), 1);
    }

    function test_deposit_mintBeyondTheBooks_reverts() public {
        vm.prank(user, user);
        vm.expectRevert(IPortal.BooksFull.selector);
        portal.deposit(user, 1 << 96, 0, 21_000, false, "");
    }

    // Limits

    function test_deposit_gasLimitBounds() public {
        _gasRefused(20_999, "", false, 21_000);
        _gasRefused(2 ** 24 + 1, "", false, 21_000);
        _gasRefused(21_000 + 3 * 40 - 1, hex"000000", false, 21_000 + 3 * 40);
        _gasRefused(53_000 + 40 - 1, hex"00", true, 53_000 + 40);
        _deposit(0, 21_000);
        pass(12);
        _deposit(0, 2 ** 24);
    }

    function _gasRefused(uint64 gasLimit, bytes memory data, bool isCreation, uint256 min) private {
        vm.prank(user, user);
        vm.expectRevert(abi.encodeWithSelector(IPortal.GasLimitOutOfRange.selector, min, 2 ** 24));
        portal.deposit(address(0), 0, 0, gasLimit, isCreation, data);
    }

    function test_deposit_dataBound() public {
        vm.prank(user, user);
        vm.expectRevert(abi.encodeWithSelector(IPortal.DataTooLong.selector, 120_001));
        portal.deposit(user, 0, 0, 2 ** 24, false, new bytes(120_001));
        vm.prank(user, user);
        portal.deposit(user, 0, 0, 2 ** 24, false, new bytes(120_000));
    }

    function test_deposit_blockGasCap_toTheUnit_andRefillsNextBlock() public {
        _deposit(0, 16_000_000);
        assertEq(portal.gasLeftInBlock(), 4_000_000);
        vm.prank(user, user);
        vm.expectRevert(abi.encodeWithSelector(IPortal.BlockGasUsedUp.selector, 4_000_000));
        portal.deposit(user, 0, 0, 4_000_001, false, "");
        _deposit(0, 4_000_000);
        assertEq(portal.gasLeftInBlock(), 0);
        vm.prank(user, user);
        vm.expectRevert(abi.encodeWithSelector(IPortal.BlockGasUsedUp.selector, 0));
        portal.deposit(user, 0, 0, 21_000, false, "");

        vm.roll(block.number + 1);
        assertEq(portal.gasLeftInBlock(), GAS_PER_BLOCK);
        _deposit(0, 2 ** 24);
    }

    // Pause

    function test_pause_stopsMints_notForcedTransactions() public {
        vm.prank(council);
        config.pause();
        vm.prank(user, user);
        vm.expectRevert(IPortal.DepositsPaused.selector);
        portal.depositOpen(1);
        force();
        assertEq(inbox.queueLength(), 1);

        vm.warp(block.timestamp + 30 days);
        _deposit(1, 21_000);
    }

    // Who speaks on L2

    function test_contract_isAliased() public {
        vm.recordLogs();
        deal(address(token), address(this), 1 ether);
        token.approve(address(portal), 1 ether);
        portal.depositOpen(1);
        QueueEntry memory e = _lastEntry();
        assertEq(e.from, AddressAlias.shifted(address(this)));
        assertEq(e.to, AddressAlias.shifted(address(this)));
    }

    /// It has no code yet, and is a contract all the same: at this address another may hold funds on L2.
    function test_contractInConstruction_isAliased() public {
        address self = vm.computeCreateAddress(user, vm.getNonce(user));
        deal(address(token), self, 1 ether);
        vm.prank(self);
        token.approve(address(portal), 1 ether);
        vm.recordLogs();
        vm.prank(user, user);
        assertEq(address(new DepositsInConstructor(portal)), self);
        assertEq(_lastEntry().from, AddressAlias.shifted(self));
    }

    function test_delegatedAccount_speaksForItself_alsoThroughARelay() public {
        vm.etch(user, abi.encodePacked(hex"ef0100", address(this)));
        assertTrue(AddressAlias.isDelegated(user));
        vm.recordLogs();
        vm.prank(user, makeAddr("relay"));
        portal.deposit(user, 0, 0, 21_000, false, "");
        assertEq(_lastEntry().from, user);
    }

    function test_alias_wraps() public pure {
        assertEq(AddressAlias.shifted(address(0)), 0x1111000000000000000000000000000000001111);
        assertEq(AddressAlias.shifted(address(type(uint160).max)), 0x1111000000000000000000000000000000001110);
        assertEq(AddressAlias.shifted(0xEeeeffFfFffFFFfFFFFFFFffffffFffFFfFfEEeF), address(0));
    }

    // Permit

    function _permit(uint256 key, uint256 value) private view returns (IPortal.Permit memory p) {
        OpenToken open = OpenToken(address(token));
        p.value = value;
        p.deadline = block.timestamp + 1;
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                vm.addr(key),
                portal,
                value,
                open.nonces(vm.addr(key)),
                p.deadline
            )
        );
        (p.v, p.r, p.s) = vm.sign(key, keccak256(abi.encodePacked(hex"1901", open.DOMAIN_SEPARATOR(), structHash)));
    }

    function test_depositWithPermit_needsNoApproval_andSurvivesAFrontRunner() public {
        (address holder, uint256 key) = makeAddrAndKey("holder");
        deal(address(token), holder, 2 ether);
        IPortal.Permit memory p = _permit(key, 1 ether + 21_000 * GAS_PRICE);
        vm.prank(holder, holder);
        portal.depositWithPermit(holder, 1 ether, 0, 21_000, false, "", p);
        assertEq(portal.escrowed(), 1 ether);

        p = _permit(key, 0.5 ether + 21_000 * GAS_PRICE);
        OpenToken(address(token)).permit(holder, address(portal), p.value, p.deadline, p.v, p.r, p.s);
        vm.prank(holder, holder);
        portal.depositWithPermit(holder, 0.5 ether, 0, 21_000, false, "", p);
        assertEq(portal.escrowed(), 1.5 ether);
    }

    function test_depositWithPermit_badPermit_reverts() public {
        (address holder, uint256 key) = makeAddrAndKey("holder");
        deal(address(token), holder, 2 ether);
        IPortal.Permit memory p = _permit(key, 1 ether);
        p.value += 1;
        vm.prank(holder, holder);
        vm.expectPartialRevert(IERC20Errors.ERC20InsufficientAllowance.selector);
        portal.depositWithPermit(holder, 1, 0, 21_000, false, "", p);
    }

    // Fees out, and nothing else

    function test_collectGasFees_paysTheRecipient_once() public {
        _deposit(1 ether, 100_000);
        vm.expectEmit(address(portal));
        emit IPortal.GasFeesCollected(feeRecipient, 100_000 * GAS_PRICE);
        vm.prank(makeAddr("anyone"));
        assertEq(portal.collectGasFees(), 100_000 * GAS_PRICE);
        assertEq(token.balanceOf(feeRecipient), 100_000 * GAS_PRICE);
        assertEq(portal.collectGasFees(), 0);
        assertEq(token.balanceOf(address(portal)), portal.escrowed());
    }

    function test_donation_countsForNothing() public {
        vm.prank(user);
        token.transfer(address(portal), 5 ether);
        assertEq(portal.escrowed(), 0);
        portal.collectGasFees();
        assertEq(token.balanceOf(feeRecipient), 0);
        assertEq(token.balanceOf(address(portal)), 5 ether);
    }

    /// No allowance over the escrow exists, so a holder's burn cannot reach it.
    function test_burnFrom_cannotReachTheEscrow() public {
        _deposit(1 ether, 21_000);
        assertEq(token.allowance(address(portal), user), 0);
        vm.prank(user);
        vm.expectPartialRevert(IERC20Errors.ERC20InsufficientAllowance.selector);
        OpenToken(address(token)).burnFrom(address(portal), 1);
    }

    // Tokens that do not behave

    function _with(IERC20 odd) private {
        deploy(odd);
        vm.prank(user);
        odd.approve(address(portal), type(uint256).max);
    }

    function test_tokenThatTakesAFee_isRefused() public {
        _with(new TakesFee(user));
        vm.prank(user, user);
        uint256 asked = 1 ether + 21_000 * GAS_PRICE;
        vm.expectRevert(abi.encodeWithSelector(IPortal.NotSolvent.selector, asked - asked / 100, asked));
        portal.deposit(user, 1 ether, 0, 21_000, false, "");
    }

    function test_tokenThatMovesNothing_isRefused() public {
        _with(new MovesNothing());
        vm.prank(user, user);
        vm.expectRevert(abi.encodeWithSelector(IPortal.NotSolvent.selector, 0, 1 ether + 21_000 * GAS_PRICE));
        portal.deposit(user, 1 ether, 0, 21_000, false, "");
    }

    function test_tokenThatReturnsFalse_isRefused() public {
        _with(new ReturnsFalse());
        vm.prank(user, user);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, token));
        portal.deposit(user, 1 ether, 0, 21_000, false, "");
    }

    /// What it does in between is booked like anything else, or reverts.
    function test_tokenThatCallsBack_cannotBendTheBooks() public {
        bytes[2] memory calls = [abi.encodeCall(IPortal.depositOpen, (1)), abi.encodeCall(IPortal.collectGasFees, ())];
        for (uint256 i = 0; i < calls.length; ++i) {
            CallsBack odd = new CallsBack(user);
            _with(odd);
            odd.arm(portal, calls[i]);
            _deposit(1 ether, 21_000);
            assertTrue(odd.calledBack());
            assertTrue(odd.succeeded());
            assertEq(portal.escrowed(), i == 0 ? 1 ether + 1 : 1 ether);
            assertEq(odd.balanceOf(address(portal)), portal.escrowed() + portal.gasFees());
        }
    }

    // Set-up

    function test_initialise_again_reverts() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        portal.initialise();
    }
}
