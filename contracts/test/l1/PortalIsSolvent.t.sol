// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Test} from "forge-std/Test.sol";
import {Portal} from "src/l1/Portal.sol";
import {SystemConfig} from "src/l1/SystemConfig.sol";
import {IPortal} from "src/l1/interfaces/IPortal.sol";
import {L1Test} from "./L1Test.sol";
import {CallsBack, TakesFee} from "./Tokens.sol";

/// Does to the Portal what users, donors, burners and the council can do, and keeps its own count of the mints.
contract PortalActs is Test {
    Portal private immutable portal;
    SystemConfig private immutable config;
    IERC20 private immutable token;
    address private immutable council;
    address[3] private users;
    uint256 public minted;
    /// What a token that calls back would mint from within its next transfer.
    uint256 private armed;

    /// A call back from a transfer that is not the Portal's own is an honest deposit by the token.
    modifier countsCallback() {
        _;
        if (armed != 0 && CallsBack(address(token)).calledBack()) {
            if (CallsBack(address(token)).succeeded()) minted += armed;
            armed = 0;
        }
    }

    constructor(Portal portal_, SystemConfig config_, address council_, address[3] memory users_) {
        (portal, config, council, users) = (portal_, config_, council_, users_);
        token = portal_.token();
    }

    function deposit(uint256 who, uint256 mint, uint256 value, uint256 gasLimit, bool isCreation)
        external
        countsCallback
    {
        address u = users[who % 3];
        mint = bound(mint, 0, 1e24);
        gasLimit = bound(gasLimit, 53_000, 10_000_000);
        vm.prank(u, u);
        portal.deposit(isCreation ? address(0) : u, mint, value, uint64(gasLimit), isCreation, "");
        minted += mint;
    }

    /// Amounts so small that a fee rounds to nothing.
    function depositDust(uint256 who, uint256 amount) external countsCallback {
        address u = users[who % 3];
        amount = bound(amount, 0, 120);
        vm.prank(u, u);
        portal.depositOpen(amount);
        minted += amount;
    }

    function donate(uint256 who, uint256 amount) external countsCallback {
        vm.prank(users[who % 3]);
        token.transfer(address(portal), bound(amount, 0, 1e20));
    }

    function burn(uint256 who, uint256 amount, bool fromPortal) external countsCallback {
        vm.prank(users[who % 3]);
        if (fromPortal) ERC20Burnable(address(token)).burnFrom(address(portal), amount);
        else ERC20Burnable(address(token)).burn(bound(amount, 0, 1e20));
    }

    function collect() external countsCallback {
        portal.collectGasFees();
    }

    function armCallback(uint256 amount, bool collects) external {
        armed = collects ? 0 : bound(amount, 1, 1e20);
        CallsBack(address(token))
            .arm(
                portal,
                collects ? abi.encodeCall(IPortal.collectGasFees, ()) : abi.encodeCall(IPortal.depositOpen, (armed))
            );
    }

    function setGas(uint256 price) external {
        vm.prank(config.owner());
        config.setDepositGas(price % 2 == 0 ? 0 : uint64(bound(price, 0, 1e12)), 20_000_000);
    }

    function pause(bool on) external {
        vm.prank(council);
        if (on) config.pause();
        else config.unpause();
    }

    function pass(uint256 seconds_) external {
        vm.warp(block.timestamp + bound(seconds_, 1, 40 days));
        vm.roll(block.number + 1);
    }
}

abstract contract PortalIsSolvent is L1Test {
    PortalActs private acts;

    function setUp() public virtual override {
        super.setUp();
        address[3] memory users = [user, makeAddr("second"), makeAddr("third")];
        deploy(makeToken());
        for (uint256 i = 0; i < 3; ++i) {
            deal(address(token), users[i], 1e26);
            vm.prank(users[i]);
            token.approve(address(portal), type(uint256).max);
        }
        acts = new PortalActs(portal, config, council, users);
        targetContract(address(acts));
    }

    function makeToken() internal virtual returns (IERC20);

    function invariant_PortalIsSolvent() public view {
        assertGe(token.balanceOf(address(portal)), portal.escrowed() + portal.gasFees());
        assertEq(portal.escrowed(), acts.minted());
    }

    /// Price, limit and pause are those of the settings, without anyone refreshing them.
    function invariant_copiesAreTrue() public view {
        (uint64 gasPrice,,) = config.depositTerms();
        assertEq(portal.gasCost(1), gasPrice);
        assertEq(portal.paused(), config.paused());
        assertEq(inbox.sequencer(), config.sequencer());
    }
}

contract PortalIsSolventOnOpen is PortalIsSolvent {
    function makeToken() internal view override returns (IERC20) {
        return token;
    }
}

contract PortalIsSolventOnTakesFee is PortalIsSolvent {
    function makeToken() internal override returns (IERC20) {
        return new TakesFee(address(this));
    }
}

contract PortalIsSolventOnCallsBack is PortalIsSolvent {
    function makeToken() internal override returns (IERC20) {
        return new CallsBack(address(this));
    }
}
