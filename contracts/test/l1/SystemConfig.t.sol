// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {OwnableUpgradeable} from "@openzeppelin/contracts-upgradeable/access/OwnableUpgradeable.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {SystemConfig} from "src/l1/SystemConfig.sol";
import {ISystemConfig} from "src/l1/interfaces/ISystemConfig.sol";
import {L1Test} from "./L1Test.sol";

contract SystemConfigTest is L1Test {
    function test_settings_areThoseGiven() public view {
        assertEq(config.owner(), address(timelock));
        assertEq(config.council(), council);
        assertEq(config.sequencer(), sequencer);
        assertEq(config.feeRecipient(), feeRecipient);
        assertEq(config.bond(), BOND);
        assertEq(config.programHash(), PROGRAM);
        (uint64 price, uint32 perBlock, uint64 pausedUntil) = config.depositTerms();
        assertEq(price, GAS_PRICE);
        assertEq(perBlock, GAS_PER_BLOCK);
        assertEq(pausedUntil, 0);
    }

    function test_initialise_again_reverts() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        config.initialise(settings());
    }

    function test_initialise_withZeroAddresses_reverts() public {
        address implementation = address(new SystemConfig(inbox));
        ISystemConfig.Settings memory s = settings();
        s.owner = address(0);
        vm.expectRevert(abi.encodeWithSelector(OwnableUpgradeable.OwnableInvalidOwner.selector, address(0)));
        proxy(implementation, abi.encodeCall(SystemConfig.initialise, s));
        s = settings();
        s.sequencer = address(0);
        vm.expectRevert(ISystemConfig.ZeroAddress.selector);
        proxy(implementation, abi.encodeCall(SystemConfig.initialise, s));
        s = settings();
        s.feeRecipient = address(0);
        vm.expectRevert(ISystemConfig.ZeroAddress.selector);
        proxy(implementation, abi.encodeCall(SystemConfig.initialise, s));
    }

    function testFuzz_setters_areForTheOwnerAlone(address caller) public {
        vm.assume(caller != address(timelock) && caller != address(0));
        vm.assume(caller != _proxyAdmin(address(config)));
        bytes[6] memory calls = [
            abi.encodeCall(SystemConfig.setSequencer, (user)),
            abi.encodeCall(SystemConfig.setFeeRecipient, (user)),
            abi.encodeCall(SystemConfig.setCouncil, (user)),
            abi.encodeCall(SystemConfig.setDepositGas, (1, GAS_PER_BLOCK)),
            abi.encodeCall(SystemConfig.setBond, (2 ether)),
            abi.encodeCall(SystemConfig.setProgramHash, (bytes32(uint256(1))))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(caller);
            (bool ok, bytes memory why) = address(config).call(calls[i]);
            assertFalse(ok);
            assertEq(why, abi.encodeWithSelector(OwnableUpgradeable.OwnableUnauthorizedAccount.selector, caller));
        }
    }

    function test_setters_byTheOwner_takeEffect() public {
        vm.startPrank(address(timelock));
        vm.expectEmit(address(config));
        emit ISystemConfig.FeeRecipientSet(user);
        config.setFeeRecipient(user);
        assertEq(config.feeRecipient(), user);
        config.setCouncil(user);
        assertEq(config.council(), user);
        config.setProgramHash(0);
        assertEq(config.programHash(), 0);
        config.setSequencer(user);
        assertEq(config.sequencer(), user);
        vm.expectRevert(ISystemConfig.ZeroAddress.selector);
        config.setSequencer(address(0));
    }

    function testFuzz_depositGas_isBounded(uint64 price, uint32 perBlock) public {
        vm.prank(address(timelock));
        if (price > 1e12) {
            vm.expectRevert(abi.encodeWithSelector(ISystemConfig.OutOfBounds.selector, price, 0, 1e12));
        } else if (perBlock < 2 ** 24 || perBlock > 1e9) {
            vm.expectRevert(abi.encodeWithSelector(ISystemConfig.OutOfBounds.selector, perBlock, 2 ** 24, 1e9));
        }
        config.setDepositGas(price, perBlock);
    }

    function test_bond_isBounded_atItsEnds() public {
        vm.startPrank(address(timelock));
        config.setBond(0.01 ether);
        config.setBond(100 ether);
        vm.expectPartialRevert(ISystemConfig.OutOfBounds.selector);
        config.setBond(0.01 ether - 1);
        vm.expectPartialRevert(ISystemConfig.OutOfBounds.selector);
        config.setBond(100 ether + 1);
    }

    function test_ownership_movesInTwoSteps_andIsNotRenounced() public {
        vm.startPrank(address(timelock));
        vm.expectRevert(ISystemConfig.OwnerCannotRenounce.selector);
        config.renounceOwnership();
        config.transferOwnership(user);
        vm.stopPrank();
        assertEq(config.owner(), address(timelock));
        vm.prank(user);
        config.acceptOwnership();
        assertEq(config.owner(), user);
    }

    // Pause

    function test_pause_isForTheCouncil() public {
        vm.prank(address(timelock));
        vm.expectRevert(abi.encodeWithSelector(ISystemConfig.NotCouncil.selector, address(timelock)));
        config.pause();
        vm.prank(council);
        config.pause();
        vm.prank(user);
        vm.expectRevert(abi.encodeWithSelector(ISystemConfig.NotCouncil.selector, user));
        config.unpause();
        vm.prank(address(timelock));
        config.unpause();
        assertFalse(config.paused());
    }

    function test_pause_endsByItself_toTheSecond() public {
        vm.expectEmit(address(config));
        emit ISystemConfig.Paused(uint64(START + 30 days));
        vm.startPrank(council);
        config.pause();
        vm.warp(START + 30 days - 1);
        assertTrue(config.paused());
        vm.warp(START + 30 days);
        assertFalse(config.paused());
    }

    function test_pause_withinItsSpan_mayStopAndStart_butNotBeyond() public {
        vm.startPrank(council);
        config.pause();
        vm.warp(START + 10 days);
        config.unpause();
        vm.warp(START + 20 days);
        config.pause();
        assertTrue(config.paused());
        vm.warp(START + 30 days);
        assertFalse(config.paused());

        vm.expectRevert(abi.encodeWithSelector(ISystemConfig.PauseUsedUp.selector, START + 60 days));
        config.pause();
        vm.warp(START + 60 days - 1);
        vm.expectRevert(abi.encodeWithSelector(ISystemConfig.PauseUsedUp.selector, START + 60 days));
        config.pause();
        vm.warp(START + 60 days);
        config.pause();
        assertTrue(config.paused());
    }

    /// Whatever the council tries, at most 30 days of any 60 are paused.
    /// forge-config: default.fuzz.runs = 16
    function testFuzz_pause_neverHoldsLongerThan30Of60Days(uint256 seed) public {
        bool[240] memory day6h; // Quarters of days, sixty days.
        for (uint256 i = 0; i < 480; ++i) {
            vm.prank(council);
            address(config)
                .call(
                    uint256(keccak256(abi.encode(seed, i))) % 8 == 0
                        ? abi.encodeCall(SystemConfig.unpause, ())
                        : abi.encodeCall(SystemConfig.pause, ())
                );
            day6h[i % 240] = config.paused();
            uint256 count = 0;
            for (uint256 j = 0; j < 240; ++j) {
                if (day6h[j]) ++count;
            }
            assertLe(count, 120);
            vm.warp(block.timestamp + 6 hours);
        }
    }

    function _proxyAdmin(address proxy_) private view returns (address) {
        return
            address(
                uint160(uint256(vm.load(proxy_, 0xb53127684a568b3173ae13b9f8a6016e243e63b6e8ee1178d6a717850b5d6103)))
            );
    }
}
