// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";
import {AddressAlias} from "../l1/AddressAlias.sol";
import {IL2ToL1MessagePasser} from "../l2/IL2ToL1MessagePasser.sol";
import {Predeploys} from "../l2/Predeploys.sol";
import {BridgedToken} from "./BridgedToken.sol";
import {IL1TokenBridge} from "./IL1TokenBridge.sol";
import {IL2TokenBridge} from "./IL2TokenBridge.sol";
import {L2Tokens} from "./L2Tokens.sol";

/// @title L2TokenBridge
/// @notice See IL2TokenBridge.
/// @dev Invariant: for every token, L2 supply + deposits not received + withdrawals not paid = escrowed on L1
///      (test/bridge/TokenBridgeIsSolvent.t.sol). Slots: 0 the L1 bridge, written by genesis; 1 received deposits;
///      2 L1 tokens; 3 L2 tokens.
contract L2TokenBridge is IL2TokenBridge {
    using BitMaps for BitMaps.BitMap;

    /// What L1 gives `finalizeWithdrawal` at least: enough to pay a contract that does something with it, and then to book
    /// what could not be paid. More is never needed, since what is booked can be claimed with any gas.
    uint256 public constant WITHDRAWAL_GAS = 300_000;

    /// @inheritdoc IL2TokenBridge
    // Genesis writes it.
    // slither-disable-next-line uninitialized-state
    address public l1Bridge;
    BitMaps.BitMap private _received;
    /// @inheritdoc IL2TokenBridge
    mapping(address token => address) public l1TokenOf;
    address[] private _tokens;

    /// @inheritdoc IL2TokenBridge
    function receiveDeposit(
        uint256 nonce,
        address l1Token,
        address from,
        address to,
        uint256 amount,
        bytes calldata metadata
    ) external {
        require(msg.sender == AddressAlias.shifted(l1Bridge), NotL1Bridge(msg.sender));
        require(!_received.get(nonce), AlreadyReceived(nonce));
        _received.set(nonce);

        address token = L2Tokens.addressOf(l1Token);
        if (l1TokenOf[token] == address(0)) _create(l1Token, token, metadata);
        emit DepositReceived(nonce, token, to, l1Token, from, amount);
        BridgedToken(token).mint(to, amount);
    }

    /// @inheritdoc IL2TokenBridge
    function withdraw(address token, uint256 amount) external returns (uint256) {
        return _withdraw(token, msg.sender, amount);
    }

    /// @inheritdoc IL2TokenBridge
    function withdrawTo(address token, address to, uint256 amount) external returns (uint256) {
        return _withdraw(token, to, amount);
    }

    /// @inheritdoc IL2TokenBridge
    function received(uint256 nonce) external view returns (bool) {
        return _received.get(nonce);
    }

    /// @inheritdoc IL2TokenBridge
    function tokenCount() external view returns (uint256) {
        return _tokens.length;
    }

    /// @inheritdoc IL2TokenBridge
    function tokenAt(uint256 index) external view returns (address) {
        return _tokens[index];
    }

    /// @inheritdoc IL2TokenBridge
    function tokenOf(address l1Token) external pure returns (address) {
        return L2Tokens.addressOf(l1Token);
    }

    function _create(address l1Token, address token, bytes calldata metadata) private {
        require(metadata.length != 0, NotIntroduced(l1Token));
        (string memory name, string memory symbol, uint8 decimals) = abi.decode(metadata, (string, string, uint8));
        l1TokenOf[token] = l1Token;
        _tokens.push(token);
        emit TokenCreated(l1Token, token, name, symbol, decimals);

        address made = Clones.cloneDeterministic(Predeploys.BRIDGED_TOKEN, L2Tokens.salt(l1Token));
        assert(made == token);
        BridgedToken(token).initialise(l1Token, name, symbol, decimals);
    }

    function _withdraw(address token, address to, uint256 amount) private returns (uint256 messageNonce) {
        address l1Token = l1TokenOf[token];
        require(l1Token != address(0), UnknownToken(token));
        require(to != address(0) && to != l1Bridge, BadReceiver(to));

        IL2ToL1MessagePasser passer = IL2ToL1MessagePasser(Predeploys.MESSAGE_PASSER);
        messageNonce = passer.messageNonce();
        emit WithdrawalInitiated(messageNonce, token, msg.sender, l1Token, to, amount);

        BridgedToken(token).burn(msg.sender, amount);
        passer.initiateWithdrawal(
            l1Bridge,
            WITHDRAWAL_GAS,
            abi.encodeCall(IL1TokenBridge.finalizeWithdrawal, (l1Token, msg.sender, to, amount))
        );
    }
}
