// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IAccessControlEnumerable} from "@openzeppelin/contracts/access/extensions/IAccessControlEnumerable.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {ProxyAdmin} from "@openzeppelin/contracts/proxy/transparent/ProxyAdmin.sol";
import {ITransparentUpgradeableProxy} from "@openzeppelin/contracts/proxy/transparent/TransparentUpgradeableProxy.sol";
import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {OpenToken} from "src/l1/OpenToken.sol";
import {Inbox} from "src/l1/Inbox.sol";
import {Portal} from "src/l1/Portal.sol";
import {Rollup} from "src/l1/Rollup.sol";
import {SystemConfig} from "src/l1/SystemConfig.sol";
import {L1Test} from "./L1Test.sol";

contract UpgradesTest is L1Test {
    bytes32 private constant ADMIN_SLOT = bytes32(uint256(keccak256("eip1967.proxy.admin")) - 1);
    bytes32 private constant IMPLEMENTATION_SLOT = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);

    function _admin(address proxy_) private view returns (ProxyAdmin) {
        return ProxyAdmin(address(uint160(uint256(vm.load(proxy_, ADMIN_SLOT)))));
    }

    function _implementation(address proxy_) private view returns (address) {
        return address(uint160(uint256(vm.load(proxy_, IMPLEMENTATION_SLOT))));
    }

    /// An implementation that anyone can initialise is one that anyone can own.
    function test_implementations_cannotBeInitialised() public {
        bytes4 refused = Initializable.InvalidInitialization.selector;
        SystemConfig configImplementation = SystemConfig(_implementation(address(config)));
        vm.expectRevert(refused);
        configImplementation.initialise(settings());
        Inbox inboxImplementation = Inbox(_implementation(address(inbox)));
        vm.expectRevert(refused);
        inboxImplementation.initialise(inboxParams());
        Portal portalImplementation = Portal(_implementation(address(portal)));
        vm.expectRevert(refused);
        portalImplementation.initialise();
        Rollup rollupImplementation = Rollup(_implementation(address(rollup)));
        vm.expectRevert(refused);
        rollupImplementation.initialise(1, GENESIS_ROOT);
    }

    function test_admins_belongToTheTimelock() public view {
        address[4] memory proxies = [address(config), address(inbox), address(portal), address(rollup)];
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(_admin(proxies[i]).owner(), address(timelock));
        }
        assertEq(timelock.getMinDelay(), 10 days);
        assertFalse(timelock.hasRole(timelock.DEFAULT_ADMIN_ROLE(), address(this)));
        assertTrue(timelock.hasRole(timelock.DEFAULT_ADMIN_ROLE(), address(timelock)));
    }

    /// Who holds what is read from the chain as it stands, without its history.
    function test_roles_canBeListed() public {
        bytes32[3] memory roles = [timelock.PROPOSER_ROLE(), timelock.EXECUTOR_ROLE(), timelock.CANCELLER_ROLE()];
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(timelock.getRoleMemberCount(roles[i]), 1);
            assertEq(timelock.getRoleMember(roles[i], 0), address(this));
        }
        assertEq(timelock.getRoleMemberCount(timelock.DEFAULT_ADMIN_ROLE()), 1);
        assertEq(timelock.getRoleMember(timelock.DEFAULT_ADMIN_ROLE(), 0), address(timelock));
        address second = makeAddr("second proposer");
        vm.startPrank(address(timelock));
        timelock.grantRole(roles[0], second);
        timelock.revokeRole(roles[0], address(this));
        vm.stopPrank();
        assertEq(timelock.getRoleMemberCount(roles[0]), 1);
        assertEq(timelock.getRoleMember(roles[0], 0), second);
        assertTrue(timelock.supportsInterface(type(IAccessControlEnumerable).interfaceId));
        assertEq(config.owner(), address(timelock));
        assertEq(config.pendingOwner(), address(0));
        assertEq(config.council(), council);
        assertEq(config.sequencer(), sequencer);
        assertEq(config.feeRecipient(), feeRecipient);
    }

    function test_upgrade_byAnyoneElse_reverts() public {
        ProxyAdmin admin = _admin(address(inbox));
        address next = address(new Inbox(config, address(portal)));
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, address(this)));
        admin.upgradeAndCall(ITransparentUpgradeableProxy(address(inbox)), next, "");
    }

    /// WithdrawalsAreSound upgrades it between proofs and payments.
    function test_upgradeOfThePortal_keepsTheEscrow() public {
        vm.prank(user, user);
        portal.depositOpen(10);
        Portal next = new Portal(token, inbox, config, rollup);
        uint256 escrowed = portal.escrowed();
        vm.prank(address(timelock));
        _admin(address(portal)).upgradeAndCall(ITransparentUpgradeableProxy(address(portal)), address(next), "");
        assertEq(portal.escrowed(), escrowed);
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        portal.initialise();
    }

    /// The queue, the batches, and the mark of initialisation all outlive an upgrade, which takes ten days.
    function test_upgrade_throughTheTimelock_keepsTheState() public {
        force();
        postCalldata("payload");
        bytes32 acc = inbox.batchAcc();
        ProxyAdmin admin = _admin(address(inbox));
        address next = address(new Inbox(config, address(portal)));
        bytes memory call =
            abi.encodeCall(ProxyAdmin.upgradeAndCall, (ITransparentUpgradeableProxy(address(inbox)), next, ""));
        timelock.schedule(address(admin), 0, call, 0, 0, 10 days);
        vm.warp(block.timestamp + 10 days - 1);
        vm.expectPartialRevert(TimelockController.TimelockUnexpectedOperationState.selector);
        timelock.execute(address(admin), 0, call, 0, 0);
        vm.warp(block.timestamp + 1);
        timelock.execute(address(admin), 0, call, 0, 0);

        assertEq(_implementation(address(inbox)), next);
        assertEq(inbox.batchAcc(), acc);
        assertEq(inbox.queueLength(), 1);
        assertEq(abi.encode(inbox.params()), abi.encode(inboxParams()));
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        inbox.initialise(inboxParams());
        // The new code runs on the old state.
        vm.roll(block.number + 1);
        postCalldata("payload");
        assertEq(inbox.recordCount(), 2);
    }

    function test_openToken_mintsForItsOwnerAlone() public {
        OpenToken open = OpenToken(address(token));
        assertEq(open.decimals(), 18);
        assertEq(open.symbol(), "OPEN");
        open.mint(user, 1);
        vm.prank(user);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, user));
        open.mint(user, 1);
        uint256 supply = open.totalSupply();
        vm.prank(user);
        open.burn(5);
        assertEq(open.totalSupply(), supply - 5);
    }
}
