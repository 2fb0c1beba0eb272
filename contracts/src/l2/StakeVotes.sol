// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {IERC5805} from "@openzeppelin/contracts/interfaces/IERC5805.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {TypedData} from "./TypedData.sol";

/// @title StakeVotes
/// @notice ERC-5805 over what accounts have staked: one wei, one vote, counted at seconds of block time. An account
///         that names no delegatee votes itself.
/// @dev Invariant: at every second, the votes of all delegatees add up to the total
///      (test/l2/StakeManager.invariant.t.sol). Only seconds that are over can be asked for. A second has one number,
///      the last: what comes and goes within it leaves no votes.
abstract contract StakeVotes is IERC5805, IERC5267 {
    using Checkpoints for Checkpoints.Trace208;

    string private constant NAME = "Tributary StakeManager";
    bytes32 private constant NAME_HASH = keccak256(bytes(NAME));
    bytes32 private constant DELEGATION_TYPEHASH =
        keccak256("Delegation(address delegatee,uint256 nonce,uint256 expiry)");

    mapping(address account => address) private _delegatee;
    mapping(address delegatee => Checkpoints.Trace208) private _votes;
    Checkpoints.Trace208 private _total;
    /// @notice Next nonce of `delegateBySig`.
    mapping(address account => uint256) public nonces;

    /// Ask for a second that is over.
    error ERC5805FutureLookup(uint256 timepoint, uint48 clock);
    error InvalidAccountNonce(address account, uint256 currentNonce);
    error BadSignature();

    function delegate(address delegatee) external {
        _delegate(msg.sender, delegatee);
    }

    function delegateBySig(address delegatee, uint256 nonce, uint256 expiry, uint8 v, bytes32 r, bytes32 s) external {
        require(block.timestamp <= expiry, VotesExpiredSignature(expiry));
        bytes32 digest =
            TypedData.digest(NAME_HASH, keccak256(abi.encode(DELEGATION_TYPEHASH, delegatee, nonce, expiry)));
        // The third value is detail about `err`.
        // slither-disable-next-line unused-return
        (address signer, ECDSA.RecoverError err,) = ECDSA.tryRecover(digest, v, r, s);
        require(err == ECDSA.RecoverError.NoError, BadSignature());
        uint256 expected = nonces[signer]++;
        require(nonce == expected, InvalidAccountNonce(signer, expected));
        _delegate(signer, delegatee);
    }

    function getVotes(address account) external view returns (uint256) {
        return _votes[account].latest();
    }

    function getPastVotes(address account, uint256 timepoint) external view returns (uint256) {
        return _votes[account].upperLookupRecent(_past(timepoint));
    }

    function getPastTotalSupply(uint256 timepoint) external view returns (uint256) {
        return _total.upperLookupRecent(_past(timepoint));
    }

    function eip712Domain()
        external
        view
        returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory)
    {
        return (hex"0f", NAME, "1", block.chainid, address(this), bytes32(0), new uint256[](0));
    }

    function CLOCK_MODE() external pure returns (string memory) {
        return "mode=timestamp";
    }

    /// @notice Who votes with what `account` staked: itself, unless it named another.
    function delegates(address account) public view returns (address) {
        address named = _delegatee[account];
        return named == address(0) ? account : named;
    }

    function clock() public view returns (uint48) {
        return uint48(block.timestamp);
    }

    /// @dev What the account has staked, wei: its votes to give.
    function _staked(address account) internal view virtual returns (uint256);

    function _gainVotes(address account, uint256 amount) internal {
        _move(address(0), delegates(account), amount);
        _push(_total, _total.latest() + amount);
    }

    function _loseVotes(address account, uint256 amount) internal {
        _move(delegates(account), address(0), amount);
        _push(_total, _total.latest() - amount);
    }

    function _delegate(address account, address delegatee) private {
        address from = delegates(account);
        _delegatee[account] = delegatee;
        address to = delegates(account);
        emit DelegateChanged(account, from, to);
        _move(from, to, _staked(account));
    }

    function _move(address from, address to, uint256 amount) private {
        if (from == to || amount == 0) return;
        if (from != address(0)) {
            uint256 had = _votes[from].latest();
            _push(_votes[from], had - amount);
            emit DelegateVotesChanged(from, had, had - amount);
        }
        if (to != address(0)) {
            uint256 had = _votes[to].latest();
            _push(_votes[to], had + amount);
            emit DelegateVotesChanged(to, had, had + amount);
        }
    }

    /// @dev All OPEN there is fits in 96 bits.
    function _push(Checkpoints.Trace208 storage trace, uint256 votes) private {
        // What it returns is what was there and what is put.
        // slither-disable-next-line unused-return
        trace.push(clock(), uint208(votes));
    }

    function _past(uint256 timepoint) private view returns (uint48) {
        require(timepoint < clock(), ERC5805FutureLookup(timepoint, clock()));
        return uint48(timepoint);
    }
}
