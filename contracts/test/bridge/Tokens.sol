// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// Behaves, and takes permits.
contract Plain is ERC20Permit {
    uint8 private immutable _decimals;

    constructor(string memory name, string memory symbol, uint8 decimals_) ERC20(name, symbol) ERC20Permit(name) {
        _decimals = decimals_;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function decimals() public view override returns (uint8) {
        return _decimals;
    }
}

/// Returns nothing, wants an allowance of zero before another, and describes itself in bytes32: USDT and MKR in one.
contract Old {
    bytes32 public constant name = "Old Token";
    bytes32 public constant symbol = "OLD";
    uint256 public constant decimals = 6;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        require(amount == 0 || allowance[msg.sender][spender] == 0);
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// Transfers as it should until it is told otherwise, by anyone.
contract Moody is ERC20("Moody", "MOOD") {
    enum Mood {
        Good,
        Reverts,
        ReturnsFalse,
        Keeps,
        ChargesTheSender,
        Burns63Of64
    }

    Mood public mood;
    address public blocked;

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function set(Mood mood_) external {
        mood = mood_;
    }

    function block_(address account) external {
        blocked = account;
    }

    /// The balance changes by itself.
    function rebase(address account, uint256 balance) external {
        uint256 now_ = balanceOf(account);
        if (balance > now_) _mint(account, balance - now_);
        else _burn(account, now_ - balance);
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        return _act(msg.sender, to) && super.transfer(to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        return _act(from, to) && super.transferFrom(from, to, amount);
    }

    function _act(address from, address to) private returns (bool) {
        require(to != blocked, "blocked");
        require(mood != Mood.Reverts, "no");
        if (mood == Mood.Burns63Of64) {
            assembly {
                invalid()
            }
        }
        if (mood == Mood.ChargesTheSender) _burn(from, 1);
        return mood != Mood.ReturnsFalse;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (mood == Mood.Keeps && from != address(0) && to != address(0)) return;
        super._update(from, to, amount);
    }
}

/// Describes itself with whatever bytes it was given, and any amount of gas.
contract Speaks is ERC20("", "") {
    mapping(bytes4 => bytes) private _answers;
    mapping(bytes4 => bool) private _fails;
    uint256 private _work;

    constructor(address holder) {
        _mint(holder, 1e27);
    }

    function answer(bytes4 question, bytes memory with) external {
        _answers[question] = with;
    }

    function fail(bytes4 question) external {
        _fails[question] = true;
    }

    function work(uint256 rounds) external {
        _work = rounds;
    }

    function name() public view override returns (string memory) {
        _speak(this.name.selector);
    }

    function symbol() public view override returns (string memory) {
        _speak(this.symbol.selector);
    }

    function decimals() public view override returns (uint8) {
        _speak(this.decimals.selector);
    }

    function _speak(bytes4 question) private view {
        require(!_fails[question], "silent");
        uint256 sink;
        for (uint256 i = 0; i < _work; ++i) {
            sink = uint256(keccak256(abi.encode(sink)));
        }
        bytes memory bytes_ = _answers[question];
        assembly {
            return(add(bytes_, 0x20), mload(bytes_))
        }
    }
}

/// Answers each question with as many zeros as its gas pays for.
contract Floods is ERC20("", "") {
    constructor(address holder) {
        _mint(holder, 1e27);
    }

    function name() public pure override returns (string memory) {
        _flood();
    }

    function symbol() public pure override returns (string memory) {
        _flood();
    }

    function decimals() public pure override returns (uint8) {
        _flood();
    }

    function _flood() private pure {
        assembly {
            return(0, 400000)
        }
    }
}

/// Calls back in the middle of a transfer, once for each arming.
contract Calls is ERC20("Calls", "CALL") {
    address private _target;
    bytes private _call;
    bool public called;
    bool public succeeded;

    constructor(address holder) {
        _mint(holder, 1e27);
        _mint(address(this), 1e27);
    }

    function arm(address target, bytes memory call) external {
        (_target, _call, called) = (target, call, false);
        _approve(address(this), target, type(uint256).max);
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (_call.length != 0) {
            bytes memory call = _call;
            delete _call;
            called = true;
            (succeeded,) = _target.call(call);
        }
    }
}

/// Refuses ETH until told otherwise.
contract Shut {
    bool public isOpen;

    function open() external {
        isOpen = true;
    }

    receive() external payable {
        require(isOpen, "shut");
    }
}

/// Uses up what it is given, and answers with what is left.
contract Bomb {
    receive() external payable {
        assembly {
            revert(0, 100000)
        }
    }
}
