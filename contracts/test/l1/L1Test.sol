// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {TransparentUpgradeableProxy} from "@openzeppelin/contracts/proxy/transparent/TransparentUpgradeableProxy.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Test} from "forge-std/Test.sol";
import {Inbox} from "src/l1/Inbox.sol";
import {OpenToken} from "src/l1/OpenToken.sol";
import {Portal} from "src/l1/Portal.sol";
import {KIND_BLOBS, KIND_CALLDATA, Record} from "src/l1/Record.sol";
import {Rollup} from "src/l1/Rollup.sol";
import {SystemConfig} from "src/l1/SystemConfig.sol";
import {Timelock} from "src/l1/Timelock.sol";
import {IInbox} from "src/l1/interfaces/IInbox.sol";
import {ISystemConfig} from "src/l1/interfaces/ISystemConfig.sol";

/// The L1 contracts as they are deployed: behind proxies whose admins a timelock owns.
abstract contract L1Test is Test {
    uint64 internal constant L2_CHAIN_ID = 902;
    uint32 internal constant WINDOW_S = 6 hours;
    uint32 internal constant FORCE_DELAY_S = 30 minutes;
    uint32 internal constant MAX_DRIFT_S = 10 minutes;
    uint64 internal constant CHALLENGE_S = 7 days;
    uint64 internal constant GAS_PRICE = 1e9;
    uint32 internal constant GAS_PER_BLOCK = 20_000_000;
    uint96 internal constant BOND = 1 ether;
    uint256 internal constant START = 1_800_000_000;
    uint256 internal constant START_BLOCK = 20_000_000;
    bytes32 internal constant GENESIS_ROOT = keccak256("genesis output root");
    bytes32 internal constant PROGRAM = keccak256("program");

    address internal sequencer;
    uint256 internal sequencerKey;
    address internal council = makeAddr("council");
    address internal feeRecipient = makeAddr("fee recipient");
    address internal user = makeAddr("user");

    IERC20 internal token;
    Timelock internal timelock;
    SystemConfig internal config;
    Inbox internal inbox;
    Portal internal portal;
    Rollup internal rollup;

    function setUp() public virtual {
        (sequencer, sequencerKey) = makeAddrAndKey("sequencer");
        vm.warp(START);
        vm.roll(START_BLOCK);
        OpenToken open = new OpenToken(address(this));
        open.mint(user, 1e27);
        deploy(open);
        vm.prank(user);
        token.approve(address(portal), type(uint256).max);
    }

    function deploy(IERC20 token_) internal {
        token = token_;
        address[] memory roles = new address[](1);
        roles[0] = address(this);
        timelock = new Timelock(10 days, roles, roles, address(0));

        // Implementation and proxy, four times: all name each other, so all addresses are known before.
        uint256 nonce = vm.getNonce(address(this));
        config = SystemConfig(vm.computeCreateAddress(address(this), nonce + 1));
        inbox = Inbox(vm.computeCreateAddress(address(this), nonce + 3));
        portal = Portal(vm.computeCreateAddress(address(this), nonce + 5));
        rollup = Rollup(vm.computeCreateAddress(address(this), nonce + 7));
        proxy(address(new SystemConfig(inbox)), abi.encodeCall(SystemConfig.initialise, settings()));
        proxy(address(new Inbox(config, address(portal))), abi.encodeCall(Inbox.initialise, inboxParams()));
        proxy(address(new Portal(token, inbox, config, rollup)), abi.encodeCall(Portal.initialise, ()));
        address last =
            proxy(address(new Rollup(inbox, config)), abi.encodeCall(Rollup.initialise, (CHALLENGE_S, GENESIS_ROOT)));
        assertEq(last, address(rollup));
    }

    function proxy(address implementation, bytes memory call) internal returns (address) {
        return address(new TransparentUpgradeableProxy(implementation, address(timelock), call));
    }

    function settings() internal view returns (ISystemConfig.Settings memory) {
        return ISystemConfig.Settings({
            owner: address(timelock),
            council: council,
            sequencer: sequencer,
            feeRecipient: feeRecipient,
            depositGasPrice: GAS_PRICE,
            depositGasPerBlock: GAS_PER_BLOCK,
            bond: BOND,
            programHash: PROGRAM
        });
    }

    function inboxParams() internal pure returns (IInbox.Params memory) {
        return IInbox.Params(L2_CHAIN_ID, WINDOW_S, FORCE_DELAY_S, MAX_DRIFT_S);
    }

    /// Moves L1 on by `seconds_`, one block every twelve.
    function pass(uint256 seconds_) internal {
        vm.warp(block.timestamp + seconds_);
        vm.roll(block.number + seconds_ / 12 + 1);
    }

    /// A record that the Inbox accepts now: it consumes the whole queue.
    function nextRecord(uint8 kind, bytes32 payloadHash) internal view returns (Record memory r) {
        r.prevAcc = inbox.batchAcc();
        r.kind = kind;
        r.lastTimestamp = uint64(block.timestamp);
        r.queueConsumed = inbox.queueLength();
        r.queueAcc = inbox.queueAccs(r.queueConsumed);
        r.anchorNumber = uint64(block.number - 1);
        r.anchorHash = blockhash(block.number - 1);
        r.payloadHash = payloadHash;
    }

    function calldataRecord(bytes memory payload) internal view returns (Record memory) {
        return nextRecord(KIND_CALLDATA, keccak256(payload));
    }

    /// A record for `count` blobs, which the transaction then carries.
    function blobRecord(uint256 count) internal returns (Record memory) {
        bytes32[] memory hashes = blobs(count);
        vm.blobhashes(hashes);
        return nextRecord(KIND_BLOBS, keccak256(abi.encodePacked(hashes)));
    }

    function blobs(uint256 count) internal pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            hashes[i] = bytes32(uint256(keccak256(abi.encode("blob", i))) >> 8 | (uint256(1) << 248));
        }
    }

    function sign(Record memory r) internal view returns (bytes memory) {
        return signAs(sequencerKey, r.digest(L2_CHAIN_ID, address(inbox)));
    }

    function signAs(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function postCalldata(bytes memory payload) internal {
        Record memory r = calldataRecord(payload);
        inbox.post(r, sign(r), payload);
    }

    /// A transfer of nothing from `user`, forced through L1.
    function force() internal returns (uint64) {
        vm.prank(user, user);
        return portal.deposit(user, 0, 0, 21_000, false, "");
    }
}
