// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IWrappedOpen} from "./IWrappedOpen.sol";
import {Send} from "./Send.sol";
import {TypedData} from "./TypedData.sol";

/// @title WrappedOpen
/// @notice See IWrappedOpen.
/// @dev Invariant: the native balance covers the sum of all balances, and equals it unless OPEN was forced in
///      (test/l2/WrappedOpen.invariant.t.sol). Slots: 0 balances, 1 allowances, 2 permit nonces, 3 used nonces.
contract WrappedOpen is IWrappedOpen {
    string public constant name = "Wrapped OPEN";
    string public constant symbol = "WOPEN";
    uint8 public constant decimals = 18;

    bytes32 public constant PERMIT_TYPEHASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    bytes32 public constant TRANSFER_WITH_AUTHORIZATION_TYPEHASH = keccak256(
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 public constant RECEIVE_WITH_AUTHORIZATION_TYPEHASH = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 public constant CANCEL_AUTHORIZATION_TYPEHASH =
        keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");

    bytes32 private constant NAME_HASH = keccak256(bytes(name));

    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;
    mapping(address owner => uint256) public nonces;
    mapping(address authorizer => mapping(bytes32 nonce => bool)) public authorizationState;

    receive() external payable {
        deposit();
    }

    /// @inheritdoc IWrappedOpen
    function withdraw(uint256 amount) external {
        uint256 balance = balanceOf[msg.sender];
        require(balance >= amount, InsufficientBalance(msg.sender, balance, amount));

        unchecked {
            balanceOf[msg.sender] = balance - amount;
        }
        emit Withdrawal(msg.sender, amount);
        emit Transfer(msg.sender, address(0), amount);

        Send.native(msg.sender, amount);
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _transfer(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed != type(uint256).max) {
            require(allowed >= amount, InsufficientAllowance(msg.sender, allowed, amount));
            unchecked {
                allowance[from][msg.sender] = allowed - amount;
            }
        }
        _transfer(from, to, amount);
        return true;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        _approve(msg.sender, spender, amount);
        return true;
    }

    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        _permit(owner, spender, value, deadline, abi.encodePacked(r, s, v));
    }

    /// @inheritdoc IWrappedOpen
    function permit(address owner, address spender, uint256 value, uint256 deadline, bytes calldata signature)
        external
    {
        _permit(owner, spender, value, deadline, signature);
    }

    /// @inheritdoc IWrappedOpen
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
    ) external {
        bytes32 terms = _terms(TRANSFER_WITH_AUTHORIZATION_TYPEHASH, from, to, value, validAfter, validBefore, nonce);
        _useWithin(from, nonce, validAfter, validBefore);
        _checkSignature(from, terms, abi.encodePacked(r, s, v));
        _transfer(from, to, value);
    }

    /// @inheritdoc IWrappedOpen
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external {
        bytes32 terms = _terms(TRANSFER_WITH_AUTHORIZATION_TYPEHASH, from, to, value, validAfter, validBefore, nonce);
        _useWithin(from, nonce, validAfter, validBefore);
        _checkSignature(from, terms, signature);
        _transfer(from, to, value);
    }

    /// @inheritdoc IWrappedOpen
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
    ) external {
        require(msg.sender == to, NotPayee(msg.sender, to));
        bytes32 terms = _terms(RECEIVE_WITH_AUTHORIZATION_TYPEHASH, from, to, value, validAfter, validBefore, nonce);
        _useWithin(from, nonce, validAfter, validBefore);
        _checkSignature(from, terms, abi.encodePacked(r, s, v));
        _transfer(from, to, value);
    }

    /// @inheritdoc IWrappedOpen
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external {
        require(msg.sender == to, NotPayee(msg.sender, to));
        bytes32 terms = _terms(RECEIVE_WITH_AUTHORIZATION_TYPEHASH, from, to, value, validAfter, validBefore, nonce);
        _useWithin(from, nonce, validAfter, validBefore);
        _checkSignature(from, terms, signature);
        _transfer(from, to, value);
    }

    /// @inheritdoc IWrappedOpen
    function cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external {
        _cancel(authorizer, nonce, abi.encodePacked(r, s, v));
    }

    /// @inheritdoc IWrappedOpen
    function cancelAuthorization(address authorizer, bytes32 nonce, bytes calldata signature) external {
        _cancel(authorizer, nonce, signature);
    }

    function eip712Domain()
        external
        view
        returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory)
    {
        return (hex"0f", name, "1", block.chainid, address(this), bytes32(0), new uint256[](0));
    }

    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return TypedData.domainSeparator(NAME_HASH);
    }

    /// @notice All native OPEN held here: deposits are counted nowhere else.
    function totalSupply() external view returns (uint256) {
        return address(this).balance;
    }

    /// @inheritdoc IWrappedOpen
    function deposit() public payable {
        balanceOf[msg.sender] += msg.value;
        emit Deposit(msg.sender, msg.value);
        emit Transfer(address(0), msg.sender, msg.value);
    }

    function _transfer(address from, address to, uint256 amount) private {
        require(to != address(0) && to != address(this), BadReceiver(to));
        uint256 balance = balanceOf[from];
        require(balance >= amount, InsufficientBalance(from, balance, amount));

        unchecked {
            balanceOf[from] = balance - amount;
            balanceOf[to] += amount; // Cannot overflow: all balances together are native OPEN held here.
        }
        emit Transfer(from, to, amount);
    }

    function _approve(address owner, address spender, uint256 amount) private {
        allowance[owner][spender] = amount;
        emit Approval(owner, spender, amount);
    }

    function _permit(address owner, address spender, uint256 value, uint256 deadline, bytes memory signature) private {
        require(block.timestamp <= deadline, Expired(deadline));
        bytes32 terms = keccak256(abi.encode(PERMIT_TYPEHASH, owner, spender, value, nonces[owner]++, deadline));
        _checkSignature(owner, terms, signature);
        _approve(owner, spender, value);
    }

    function _cancel(address authorizer, bytes32 nonce, bytes memory signature) private {
        _use(authorizer, nonce);
        _checkSignature(authorizer, keccak256(abi.encode(CANCEL_AUTHORIZATION_TYPEHASH, authorizer, nonce)), signature);
        emit AuthorizationCanceled(authorizer, nonce);
    }

    function _useWithin(address from, bytes32 nonce, uint256 validAfter, uint256 validBefore) private {
        require(block.timestamp > validAfter, NotYetValid(validAfter));
        require(block.timestamp < validBefore, Expired(validBefore));
        _use(from, nonce);
        emit AuthorizationUsed(from, nonce);
    }

    function _use(address authorizer, bytes32 nonce) private {
        require(!authorizationState[authorizer][nonce], AuthorizationSpent(authorizer, nonce));
        authorizationState[authorizer][nonce] = true;
    }

    function _checkSignature(address signer, bytes32 terms, bytes memory signature) private view {
        require(TypedData.isSignedBy(signer, TypedData.digest(NAME_HASH, terms), signature), BadSignature(signer));
    }

    function _terms(
        bytes32 typehash,
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce
    ) private pure returns (bytes32) {
        return keccak256(abi.encode(typehash, from, to, value, validAfter, validBefore, nonce));
    }
}
