// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Portal} from "src/l1/Portal.sol";
import {IInbox} from "src/l1/interfaces/IInbox.sol";
import {IPortal} from "src/l1/interfaces/IPortal.sol";
import {IRollup} from "src/l1/interfaces/IRollup.sol";
import {ISystemConfig} from "src/l1/interfaces/ISystemConfig.sol";
import {AnyConfig, AnyInbox, AnyToken} from "./Around.sol";
import {Symbolic} from "./Symbolic.sol";

/// What enters L2: the escrow rises by what one queue entry mints, and the caller pays for it.
contract Deposits is Symbolic {
    AnyToken private token;
    AnyInbox private inbox;
    Portal private portal;

    struct Books {
        uint256 escrowed;
        uint256 gasFees;
    }

    function setUp() public {
        token = new AnyToken();
        inbox = new AnyInbox();
        ISystemConfig config = ISystemConfig(address(new AnyConfig()));
        portal = new Portal(IERC20(address(token)), IInbox(address(inbox)), config, IRollup(address(1)));
        svm.enableSymbolicStorage(address(portal));
        anyTime();
    }

    function check_deposit_mintsWhatItEscrows(
        address origin,
        address to,
        uint256 mint,
        uint256 value,
        uint64 gasLimit,
        bool isCreation,
        bytes calldata data
    ) external {
        address caller = anyone("caller");
        Books memory before = books();

        vm.prank(caller, origin);
        portal.deposit(to, mint, value, gasLimit, isCreation, data);

        entered(before, caller, mint, gasLimit);
        assert(
            inbox.lastCall()
                == keccak256(
                    abi.encodeCall(
                        IInbox.enqueue, (l2Sender(caller, origin), to, mint, value, gasLimit, isCreation, data)
                    )
                )
        );
    }

    function books() private view returns (Books memory) {
        return Books(portal.escrowed(), portal.gasFees());
    }

    function entered(Books memory before, address caller, uint256 mint, uint64 gasLimit) private view {
        uint256 fee = portal.gasCost(gasLimit);
        assert(portal.escrowed() - before.escrowed == mint);
        assert(portal.gasFees() - before.gasFees == fee);
        assert(inbox.entries() == 1 && inbox.minted() == mint);
        assert(token.gives() == 0);
        if (mint + fee == 0) {
            assert(token.takes() == 0);
        } else {
            assert(token.takes() == 1 && token.taken() == mint + fee);
            assert(token.from() == caller && token.to() == address(portal));
            assert(token.lastBalance() >= portal.escrowed() + portal.gasFees());
        }
    }

    /// Whom L2 sees, by bridge/FORMATS.md: a caller that signed the transaction itself, or else its alias.
    function l2Sender(address caller, address origin) private pure returns (address) {
        if (caller == origin) return caller;
        unchecked {
            return address(uint160(caller) + uint160(0x1111000000000000000000000000000000001111));
        }
    }
}
