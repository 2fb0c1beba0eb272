// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

/// @title IWrappedOpen
/// @notice WOPEN: native OPEN as an ERC-20, one for one. EIP-2612 permits and EIP-3009 authorisations come with
///         (v, r, s) for accounts with a key, and with `bytes signature` for those and for EIP-1271 contracts.
/// @dev EIP-712 domain: name "Wrapped OPEN", version "1", the chain id, this address.
interface IWrappedOpen is IERC20Metadata, IERC20Permit, IERC5267 {
    event Deposit(address indexed account, uint256 amount);
    event Withdrawal(address indexed account, uint256 amount);
    event AuthorizationUsed(address indexed authorizer, bytes32 indexed nonce);
    event AuthorizationCanceled(address indexed authorizer, bytes32 indexed nonce);

    /// The zero address and WOPEN itself cannot hold WOPEN: nobody could take it out again.
    error BadReceiver(address to);
    error InsufficientBalance(address account, uint256 balance, uint256 needed);
    error InsufficientAllowance(address spender, uint256 allowance, uint256 needed);
    /// The permit or authorisation is over.
    error Expired(uint256 validBefore);
    error NotYetValid(uint256 validAfter);
    /// The nonce was used or cancelled.
    error AuthorizationSpent(address authorizer, bytes32 nonce);
    error BadSignature(address signer);
    /// `receiveWithAuthorization` is for the payee alone, so that nobody can run it ahead of the payee's own call.
    error NotPayee(address caller, address payee);

    /// @notice Wraps the OPEN sent along, for the caller. A plain transfer does the same.
    function deposit() external payable;

    /// @notice Unwraps `amount` wei to the caller.
    function withdraw(uint256 amount) external;

    /// @notice EIP-2612 for any account: `signature` of 65 bytes, or whatever the account's EIP-1271 code accepts.
    function permit(address owner, address spender, uint256 value, uint256 deadline, bytes calldata signature) external;

    /// @notice Whether this nonce of `authorizer` was used or cancelled.
    function authorizationState(address authorizer, bytes32 nonce) external view returns (bool);

    /// @notice Moves `value` from `from` to `to`, as `from` signed. Anyone may send it.
    /// @param validAfter seconds; valid strictly after
    /// @param validBefore seconds; valid strictly before
    /// @param nonce any unused 32 bytes
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;

    /// @notice As transferWithAuthorization, but only `to` may send it.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;

    /// @notice Makes an unused nonce unusable.
    function cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external;

    function cancelAuthorization(address authorizer, bytes32 nonce, bytes calldata signature) external;

    function TRANSFER_WITH_AUTHORIZATION_TYPEHASH() external view returns (bytes32);
    function RECEIVE_WITH_AUTHORIZATION_TYPEHASH() external view returns (bytes32);
    function CANCEL_AUTHORIZATION_TYPEHASH() external view returns (bytes32);
    function PERMIT_TYPEHASH() external view returns (bytes32);
}
