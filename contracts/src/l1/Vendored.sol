// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

// Contracts we deploy as OpenZeppelin wrote them: importing them here makes forge compile them for the snapshots.
import {ProxyAdmin} from "@openzeppelin/contracts/proxy/transparent/ProxyAdmin.sol";
import {TransparentUpgradeableProxy} from "@openzeppelin/contracts/proxy/transparent/TransparentUpgradeableProxy.sol";
