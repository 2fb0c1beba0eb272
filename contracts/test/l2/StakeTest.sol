// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStakeManager} from "src/l2/IStakeManager.sol";
import {Predeploys} from "src/l2/Predeploys.sol";
import {StakeManager} from "src/l2/StakeManager.sol";
import {L2Test} from "./L2Test.sol";

/// @notice L2 with the StakeManager, a verifier approved for every role, and an operator of alice's.
abstract contract StakeTest is L2Test {
    StakeManager internal constant STAKES = StakeManager(payable(Predeploys.STAKE_MANAGER));
    IStakeManager.Role internal constant OPERATOR = IStakeManager.Role.OPERATOR;
    uint32 internal constant THAW_S = 14 days;
    uint32 internal constant HALF = 500_000_000;

    /// As long as a contract's: longer than what EIP-7702 gives to keys.
    bytes internal constant CODE = "a contract, as far as governance can see";

    address internal immutable alice = makeAddr("alice");
    address internal immutable bob = makeAddr("bob");
    address internal immutable carol = makeAddr("carol");
    address internal immutable verifier = makeAddr("verifier");
    address internal immutable challenger = makeAddr("challenger");
    uint32 internal operator;

    function setUp() public virtual override {
        super.setUp();
        vm.etch(Predeploys.STAKE_MANAGER, type(StakeManager).runtimeCode);
        vm.setNonceUnsafe(Predeploys.STAKE_MANAGER, 1);
        vm.etch(verifier, CODE);
        vm.startPrank(governance);
        for (uint256 role = 0; role < 4; ++role) {
            STAKES.setVerifier(IStakeManager.Role(role), verifier, 7 days);
        }
        vm.stopPrank();
        vm.prank(alice);
        operator = ROUTER.registerOperator(alice, 400_000_000);
    }

    function stake(address account, uint256 amount) internal {
        vm.deal(account, account.balance + amount);
        vm.prank(account);
        STAKES.deposit{value: amount}(account);
    }

    /// @notice A provision of alice's for her operator.
    function provide(uint256 amount) internal returns (uint64 id) {
        stake(alice, amount);
        vm.prank(alice);
        id = STAKES.provision(OPERATOR, operator, verifier, amount, HALF, THAW_S);
    }

    function delegated(address account, uint64 id, uint256 amount) internal {
        stake(account, amount);
        vm.prank(account);
        STAKES.delegateStake(id, amount);
    }

    function slash(uint64 id, bytes32 fault, uint256 amount) internal returns (uint256) {
        vm.prank(verifier);
        return STAKES.slash(id, fault, amount, challenger);
    }

    function poolOf(uint64 id) internal view returns (uint64) {
        return STAKES.provisionOf(id).pool;
    }
}
