// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Portal} from "src/l1/Portal.sol";
import {OutputRootProof, Withdrawal, sentMessageKey} from "src/l1/Withdrawal.sol";
import {IInbox} from "src/l1/interfaces/IInbox.sol";
import {IRollup} from "src/l1/interfaces/IRollup.sol";
import {ISystemConfig} from "src/l1/interfaces/ISystemConfig.sol";
import {AnyConfig, AnyInbox, AnyRollup, AnyToken} from "./Around.sol";
import {Symbolic, both, either} from "./Symbolic.sol";

/// What leaves L2: a message is paid once, by what it says, and nothing else lowers the escrow.
contract Payments is Symbolic {
    AnyToken private token;
    AnyInbox private inbox;
    AnyRollup private rollup;
    Portal private portal;

    function setUp() public {
        token = new AnyToken();
        inbox = new AnyInbox();
        rollup = new AnyRollup();
        ISystemConfig config = ISystemConfig(address(new AnyConfig()));
        portal = new Portal(IERC20(address(token)), IInbox(address(inbox)), config, IRollup(address(rollup)));
        svm.enableSymbolicStorage(address(portal));
        anyTime();
    }

    function check_finalise_paysWhatItTakesFromTheBooks(uint256 nonce, address sender, uint256 value, uint256 gasLimit)
        external
    {
        Withdrawal memory w = Withdrawal(nonce, sender, anyone("target"), value, gasLimit, svm.createBytes(33, "data"));
        finalise(w, w.target, abi.encodeCall(portal.finalizeWithdrawalTransaction, (w)));
    }

    function check_finaliseOfOthersProof_paysWhatItTakesFromTheBooks(
        uint256 nonce,
        address sender,
        uint256 value,
        uint256 gasLimit,
        address prover
    ) external {
        Withdrawal memory w = Withdrawal(nonce, sender, anyone("target"), value, gasLimit, "");
        finalise(w, w.target, abi.encodeCall(portal.finalizeWithdrawalTransactionExternalProof, (w, prover)));
    }

    function check_redirect_paysWhatItTakesFromTheBooks(uint256 nonce, uint256 value, uint256 gasLimit, address prover)
        external
    {
        address sender = anyone("sender");
        address recipient = anyone("recipient");
        Withdrawal memory w = Withdrawal(nonce, sender, svm.createAddress("target"), value, gasLimit, "");
        vm.startPrank(sender, sender);
        finalise(w, recipient, abi.encodeCall(portal.redirectWithdrawal, (w, prover, recipient)));
    }

    function check_finalised_isNeverPaidAgain(uint256 nonce, address sender, uint256 value, address other) external {
        Withdrawal memory w = Withdrawal(nonce, sender, anyone("target"), value, 0, "");
        vm.assume(portal.finalizedWithdrawals(hashOf(w)));
        uint256 way = svm.createUint(2, "way");
        bytes memory data = way == 0
            ? abi.encodeCall(portal.finalizeWithdrawalTransaction, (w))
            : way == 1
                ? abi.encodeCall(portal.finalizeWithdrawalTransactionExternalProof, (w, other))
                : abi.encodeCall(portal.redirectWithdrawal, (w, other, anyone("recipient")));

        vm.prank(anyone("caller"));
        (bool ok,) = address(portal).call(data);

        assert(!ok);
    }

    function check_noOtherCall_lowersTheEscrow(bytes32 hash) external {
        bytes memory data = svm.createCalldata(address(portal));
        bytes4 what = bytes4(data);
        vm.assume(what != portal.finalizeWithdrawalTransaction.selector);
        vm.assume(what != portal.finalizeWithdrawalTransactionExternalProof.selector);
        vm.assume(what != portal.redirectWithdrawal.selector);
        uint256 escrowed = portal.escrowed();
        uint256 held = escrowed + portal.gasFees();
        bool wasFinalised = portal.finalizedWithdrawals(hash);

        vm.prank(anyone("caller"));
        (bool ok,) = address(portal).call(data);
        vm.assume(ok);

        assert(portal.escrowed() == escrowed + inbox.minted());
        assert(portal.escrowed() + portal.gasFees() + token.given() == held + token.taken());
        assert(portal.finalizedWithdrawals(hash) == wasFinalised);
        assert(token.others() == 0);
    }

    /// A trie of one leaf: longer walks only compare more of the path, which other tests vary.
    function check_prove_opensOneMessageAndPaysNothing(
        uint256 nonce,
        address sender,
        uint256 value,
        uint256 index,
        OutputRootProof memory parts
    ) external {
        Withdrawal memory w = Withdrawal(nonce, sender, svm.createAddress("target"), value, 0, "");
        bytes32 other = svm.createBytes32("other");
        vm.assume(other != hashOf(w));
        bytes[] memory proof = new bytes[](1);
        bytes32 path = svm.createBytes32("path");
        bytes1 leaf = bytes1(svm.createBytes(1, "leaf"));
        proof[0] = abi.encodePacked(hex"e3a120", path, leaf);
        uint256 escrowed = portal.escrowed();
        bool otherWas = portal.finalizedWithdrawals(other);

        vm.prank(anyone("prover"));
        portal.proveWithdrawalTransaction(w, index, parts, proof);

        assert(both(path == sentMessageKey(hashOf(w)), leaf == 0x01));
        assert(keccak256(proof[0]) == parts.messagePasserStorageRoot);
        assert(!portal.finalizedWithdrawals(hashOf(w)));
        assert(both(portal.escrowed() == escrowed, portal.finalizedWithdrawals(other) == otherWas));
        assert(both(token.gives() == 0, token.takes() == 0));
    }

    function finalise(Withdrawal memory w, address receiver, bytes memory data) private {
        bytes32 hash = hashOf(w);
        bytes32 other = svm.createBytes32("other");
        vm.assume(other != hash);
        uint256 escrowed = portal.escrowed();
        uint256 gasFees = portal.gasFees();
        bool wasFinalised = portal.finalizedWithdrawals(hash);
        bool otherWas = portal.finalizedWithdrawals(other);

        (bool ok,) = address(portal).call(data);
        vm.assume(ok);

        assert(both(!wasFinalised, portal.finalizedWithdrawals(hash)));
        assert(portal.finalizedWithdrawals(other) == otherWas);
        assert(both(escrowed >= w.value, portal.escrowed() == escrowed - w.value));
        assert(portal.gasFees() == gasFees);
        assert(both(token.takes() == 0, token.gives() == (w.value == 0 ? 0 : 1)));
        assert(either(w.value == 0, both(token.given() == w.value, token.receiver() == receiver)));
        assert(!portal.paused());
    }

    function hashOf(Withdrawal memory w) private pure returns (bytes32) {
        return keccak256(abi.encode(w.nonce, w.sender, w.target, w.value, w.gasLimit, w.data));
    }
}
