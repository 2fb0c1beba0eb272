// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {AssetRecord} from "./AssetRecord.sol";
import {IAssetRegistry} from "./IAssetRegistry.sol";
import {IPayTo} from "./IPayTo.sol";
import {IRevenueRouter} from "./IRevenueRouter.sol";
import {IWrappedOpen} from "./IWrappedOpen.sol";
import {PayToProxy} from "./PayToProxy.sol";
import {Predeploys} from "./Predeploys.sol";

/// @title PayTo
/// @notice See IPayTo.
/// @dev Invariant: OPEN and WOPEN leave a pay address only as a payment for its own triple (test/l2/PayTo.t.sol). No
///      storage and no balance: the pay addresses hold the money and name the triple.
contract PayTo is IPayTo {
    /// @inheritdoc IPayTo
    function flush(uint64 assetId, uint32 operatorId, uint64 agentId, address token) external returns (uint256 amount) {
        address where = PayToProxy.addressOf(assetId, operatorId, agentId);
        if (token == Predeploys.WRAPPED_OPEN) _unwrap(where, assetId, operatorId, agentId);
        else require(token == address(0), NotRouted(token));
        amount = where.balance;
        if (amount != 0) {
            _ensure(where, assetId, operatorId, agentId);
            bytes32 ref = bytes32(bytes20(where)) | bytes32(block.number);
            bytes memory payment = abi.encodeCall(IRevenueRouter.pay, (assetId, operatorId, agentId, ref));
            PayToProxy.call(where, Predeploys.REVENUE_ROUTER, amount, payment);
        }
    }

    /// @inheritdoc IPayTo
    function rescue(uint64 assetId, uint32 operatorId, uint64 agentId, address token, address to)
        external
        returns (uint256 amount)
    {
        address owner = IAssetRegistry(Predeploys.ASSET_REGISTRY).ownerOf(assetId);
        require(msg.sender == owner, NotAssetOwner(assetId, msg.sender));
        require(token != Predeploys.WRAPPED_OPEN, NotRescued(token));
        require(token.code.length != 0, NotRescued(token));
        require(to != address(0), ZeroAddress());

        address where = PayToProxy.addressOf(assetId, operatorId, agentId);
        _ensure(where, assetId, operatorId, agentId);
        amount = IERC20(token).balanceOf(where);
        emit Rescued(assetId, operatorId, agentId, token, to, amount);

        PayToProxy.call(where, token, 0, abi.encodeCall(IERC20.transfer, (to, amount)));
        (uint256 size, uint256 word) = PayToProxy.answer();
        require(size == 0 || word == 1, TransferFailed(token)); // Some tokens answer nothing.
    }

    /// @inheritdoc IPayTo
    function payTo(uint64 assetId, uint32 operatorId, uint64 agentId) external view returns (address) {
        require(AssetRecord.addressOf(assetId).code.length != 0, IAssetRegistry.UnknownAsset(assetId));
        address owner = IRevenueRouter(Predeploys.REVENUE_ROUTER).operatorOwner(operatorId);
        require(operatorId == 0 || owner != address(0), UnknownOperator(operatorId));
        bool isAgent = agentId == 0 || AssetRecord.kindOf(agentId) == IAssetRegistry.Kind.AGENT;
        require(isAgent, NotAnAgent(agentId));
        return PayToProxy.addressOf(assetId, operatorId, agentId);
    }

    /// @inheritdoc IPayTo
    function initCodeHash() external pure returns (bytes32) {
        return PayToProxy.INIT_CODE_HASH;
    }

    /// @dev Turns the WOPEN at `where` into OPEN at `where`.
    function _unwrap(address where, uint64 assetId, uint32 operatorId, uint64 agentId) private {
        uint256 wrapped = IWrappedOpen(Predeploys.WRAPPED_OPEN).balanceOf(where);
        if (wrapped != 0) {
            _ensure(where, assetId, operatorId, agentId);
            PayToProxy.call(where, Predeploys.WRAPPED_OPEN, 0, abi.encodeCall(IWrappedOpen.withdraw, (wrapped)));
        }
    }

    function _ensure(address where, uint64 assetId, uint32 operatorId, uint64 agentId) private {
        if (where.code.length == 0) PayToProxy.deploy(where, assetId, operatorId, agentId);
    }
}
