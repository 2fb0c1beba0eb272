// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IPortal} from "src/l1/interfaces/IPortal.sol";

/// Tokens that do not behave: what the Portal must survive if OPEN were ever one of them.
contract TakesFee is ERC20("Fee", "FEE") {
    address private immutable COLLECTOR = address(0xfee);

    constructor(address holder) {
        _mint(holder, 1e27);
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from != address(0) && amount >= 100) super._update(to, COLLECTOR, amount / 100);
    }
}

/// Says yes and moves nothing.
contract MovesNothing is ERC20("Nothing", "NIL") {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return true;
    }
}

/// Says no, without reverting.
contract ReturnsFalse is ERC20("False", "NO") {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return false;
    }
}

/// Calls its victim back in the middle of a transfer, once.
contract CallsBack is ERC20("Back", "BACK") {
    IPortal private _portal;
    bytes private _call;
    bool public calledBack;
    bool public succeeded;

    constructor(address holder) {
        _mint(holder, 1e27);
        _mint(address(this), 1e27);
    }

    function arm(IPortal portal, bytes memory call) external {
        (_portal, _call) = (portal, call);
        calledBack = false;
        _approve(address(this), address(portal), type(uint256).max);
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (_call.length != 0) {
            bytes memory call = _call;
            delete _call;
            calledBack = true;
            (succeeded,) = address(_portal).call(call);
        }
    }
}
