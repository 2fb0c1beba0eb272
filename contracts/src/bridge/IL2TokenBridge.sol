// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title IL2TokenBridge
/// @notice Mints what arrived at `IL1TokenBridge`, and burns what shall be paid out there. The first deposit of a token
/// creates its L2 token, at the address that `L2Tokens` computes.
/// @dev No owner, no pause, no upgrade. Nothing here calls an account that somebody else chose.
interface IL2TokenBridge {
    event TokenCreated(address indexed l1Token, address indexed token, string name, string symbol, uint8 decimals);
    event DepositReceived(
        uint256 indexed nonce, address indexed token, address indexed to, address l1Token, address from, uint256 amount
    );
    /// @param messageNonce the withdrawal's nonce in `IL2ToL1MessagePasser.MessagePassed`
    event WithdrawalInitiated(
        uint256 indexed messageNonce,
        address indexed token,
        address indexed from,
        address l1Token,
        address to,
        uint256 amount
    );

    error NotL1Bridge(address caller);
    /// @notice This deposit has arrived before: the message was sent again although it had not failed.
    error AlreadyReceived(uint256 nonce);
    /// @notice The message that describes the token failed: send that one again first.
    error NotIntroduced(address l1Token);
    /// @notice Not a token of this bridge.
    error UnknownToken(address token);
    /// @notice L1 could not pay this address.
    error BadReceiver(address to);

    /// @notice The message of `IL1TokenBridge`.
    /// @param nonce of the deposit; each one counts once
    /// @param l1Token the token on L1, or `L2Tokens.ETH`
    /// @param from who deposited, on L1
    /// @param to who gets the tokens
    /// @param metadata empty, or `abi.encode(string name, string symbol, uint8 decimals)` in a token's first deposit
    function receiveDeposit(
        uint256 nonce,
        address l1Token,
        address from,
        address to,
        uint256 amount,
        bytes calldata metadata
    ) external;

    /// @notice Burns `amount` of the caller's `token`; L1 pays it to the same address.
    /// @return messageNonce of the withdrawal, which is proven and finalised at the L1 portal
    function withdraw(address token, uint256 amount) external returns (uint256 messageNonce);

    /// @notice Burns `amount` of the caller's `token`; L1 pays it to `to`.
    function withdrawTo(address token, address to, uint256 amount) external returns (uint256 messageNonce);

    /// @return The contract on L1 that holds what is minted here. Genesis fixes it.
    function l1Bridge() external view returns (address);

    /// @return Whether a deposit has arrived.
    function received(uint256 nonce) external view returns (bool);

    /// @return The L1 token behind an L2 token; zero if `token` is none of this bridge.
    function l1TokenOf(address token) external view returns (address);

    /// @return Tokens created so far.
    function tokenCount() external view returns (uint256);

    /// @return An L2 token, by the order of creation from 0. Reverts beyond the last.
    function tokenAt(uint256 index) external view returns (address);

    /// @return Where the L2 token of `l1Token` stands, or will.
    function tokenOf(address l1Token) external pure returns (address);
}
