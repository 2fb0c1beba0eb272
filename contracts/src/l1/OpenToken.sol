// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title OpenToken
/// @notice OPEN for development networks: its owner can mint at will. A public network has its own OPEN, and this
/// contract is not deployed there.
contract OpenToken is ERC20, ERC20Burnable, ERC20Permit, Ownable {
    constructor(address owner_) ERC20("OPEN (development)", "OPEN") ERC20Permit("OPEN (development)") Ownable(owner_) {}

    /// @notice Mints `amount` wei of OPEN to `to`. Owner only.
    function mint(address to, uint256 amount) external onlyOwner {
        _mint(to, amount);
    }
}
