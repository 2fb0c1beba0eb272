// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {
    ERC20PermitUpgradeable
} from "@openzeppelin/contracts-upgradeable/token/ERC20/extensions/ERC20PermitUpgradeable.sol";
import {Predeploys} from "../l2/Predeploys.sol";

/// @title BridgedToken
/// @notice What every bridged token on L2 delegates to: an ERC-20 with EIP-2612 permits, minted and burned by the bridge
/// alone. Name, symbol and decimals are those that the L1 token gave when it was first bridged; ETH is "Ether", "WETH".
/// @dev Genesis code, so the clones can never change. The instance at the predeploy address is nobody's token: only the
/// bridge may initialise, and it initialises clones.
contract BridgedToken is ERC20PermitUpgradeable {
    error NotBridge(address caller);

    /// The token on L1, or `L2Tokens.ETH`.
    address public l1Token;
    uint8 private _decimals;

    modifier onlyBridge() {
        require(msg.sender == Predeploys.TOKEN_BRIDGE, NotBridge(msg.sender));
        _;
    }

    /// @notice Called once, by the bridge, when it creates the token.
    function initialise(address l1Token_, string calldata name_, string calldata symbol_, uint8 decimals_)
        external
        onlyBridge
        initializer
    {
        __ERC20_init(name_, symbol_);
        __ERC20Permit_init(name_);
        l1Token = l1Token_;
        _decimals = decimals_;
    }

    /// @notice Mints what was deposited on L1. Bridge only.
    function mint(address to, uint256 amount) external onlyBridge {
        _mint(to, amount);
    }

    /// @notice Burns what leaves for L1. Bridge only, which burns from its own caller and no one else.
    function burn(address from, uint256 amount) external onlyBridge {
        _burn(from, amount);
    }

    /// @return The bridge, for those who ask a token.
    function bridge() external pure returns (address) {
        return Predeploys.TOKEN_BRIDGE;
    }

    function decimals() public view override returns (uint8) {
        return _decimals;
    }
}
