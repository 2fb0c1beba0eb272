// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title IPayTo
/// @notice One address for each (asset version, operator, agent). Whatever OPEN or WOPEN is sent there, by whatever
///         means, is a payment for that asset: a wallet's plain send, an exchange's withdrawal, an ERC-20 transfer, an
///         EIP-3009 authorisation. The sender needs to know nothing but the address.
/// @dev A pay address has no code before its first flush, so nothing about it can make a payment to it fail; afterwards
///      its code takes OPEN with less than 2300 gas. Anybody may flush, and gets nothing for it. A flush is one
///      `RevenueRouter.pay` by the pay address itself, not by a channel: so Routed names the pay address as the payer,
///      and nobody can close the way by taking a channel's right. Payments are added up between two flushes; each
///      stands in the chain as the transfer it was.
///
///      Routed's `ref` for a flush is the pay address in its first 20 bytes and the block number in its last 12. Two
///      flushes of one address in one block share it.
///
///      Other tokens cannot be split. The owner of the asset takes them out (`rescue`), being the one whom the payer
///      meant and can find. Non-fungible tokens sent there stay.
interface IPayTo {
    event Rescued(
        uint64 indexed assetId,
        uint32 operatorId,
        uint64 agentId,
        address indexed token,
        address indexed to,
        uint256 amount
    );

    /// Only OPEN (the zero address) and WOPEN are routed.
    error NotRouted(address token);
    /// OPEN and WOPEN are for `flush`, which splits them.
    error NotRescued(address token);
    error UnknownOperator(uint32 operatorId);
    error NotAnAgent(uint64 assetId);
    error NotAssetOwner(uint64 assetId, address caller);
    error ZeroAddress();
    error TransferFailed(address token);

    /// @notice The pay address. Reverts if a payment for this triple cannot be routed: no such asset or operator, or
    ///         `agentId` is no AGENT asset.
    /// @param operatorId who executes; 0 for nobody
    /// @param agentId the AGENT asset it is called through; 0 for none
    function payTo(uint64 assetId, uint32 operatorId, uint64 agentId) external view returns (address);

    /// @notice Routes what lies at the pay address. Anyone may call. Does nothing if there is nothing.
    /// @param token zero: its OPEN; WOPEN: its WOPEN, unwrapped, and its OPEN
    /// @return amount routed, wei
    function flush(uint64 assetId, uint32 operatorId, uint64 agentId, address token) external returns (uint256 amount);

    /// @notice Sends all of another ERC-20 at the pay address to `to`. Only the asset's owner.
    function rescue(uint64 assetId, uint32 operatorId, uint64 agentId, address token, address to)
        external
        returns (uint256 amount);

    /// @notice Hash of the init code that pay addresses are made with: with it, `0xff ‖ PayTo ‖ salt ‖ hash` gives the
    ///         address (EIP-1014), where salt is assetId (64 bits), operatorId (32), agentId (64) in its low 160 bits.
    function initCodeHash() external view returns (bytes32);
}
