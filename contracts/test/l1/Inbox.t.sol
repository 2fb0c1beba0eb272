// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Initializable} from "@openzeppelin/contracts/proxy/utils/Initializable.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {Inbox} from "src/l1/Inbox.sol";
import {QueueEntry} from "src/l1/QueueEntry.sol";
import {KIND_BLOBS, KIND_FORCED, Record} from "src/l1/Record.sol";
import {IInbox} from "src/l1/interfaces/IInbox.sol";
import {L1Test} from "./L1Test.sol";

contract InboxTest is L1Test {
    /// The history contract of EIP-2935, code as in the EIP.
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;
    bytes private constant HISTORY_CODE =
        hex"3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500";
    bytes private constant PAYLOAD = "payload";

    /// Signs `r` and posts it with PAYLOAD; it must fail as `revertData` says.
    function _refused(Record memory r, bytes memory revertData) private {
        bytes memory signature = sign(r);
        vm.expectRevert(revertData);
        inbox.post(r, signature, PAYLOAD);
    }

    // Queue

    function test_enqueue_fromAnyoneElse_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IInbox.NotPortal.selector, address(this)));
        inbox.enqueue(user, user, 1, 1, 21_000, false, "");
    }

    function test_enqueue_emitsTheEntryAndItsAccumulator() public {
        QueueEntry memory e;
        e.timestamp = uint64(START);
        e.l1Block = uint64(START_BLOCK);
        e.from = user;
        e.to = address(7);
        e.mint = 3 ether;
        e.value = 2 ether;
        e.gasLimit = 100_000;
        e.data = hex"c0ffee";
        bytes32 acc = keccak256(abi.encode(bytes32(0), e.entryHash()));

        vm.expectEmit(address(inbox));
        emit IInbox.Enqueued(0, user, address(7), e, acc);
        vm.prank(user, user);
        portal.deposit(address(7), 3 ether, 2 ether, 100_000, false, hex"c0ffee");

        assertEq(inbox.queueLength(), 1);
        assertEq(inbox.queueAccs(0), 0);
        assertEq(inbox.queueAccs(1), acc);
        assertEq(inbox.queueTimestamp(0), START);
    }

    function test_queueTimestamps_ofManyEntries_stayApart() public {
        for (uint256 i = 0; i < 11; ++i) {
            force();
            vm.warp(block.timestamp + 1);
        }
        for (uint256 i = 0; i < 11; ++i) {
            assertEq(inbox.queueTimestamp(i), START + i);
        }
    }

    function test_views_beyondTheEnd_revert() public {
        vm.expectRevert(abi.encodeWithSelector(IInbox.UnknownIndex.selector, 1));
        inbox.batchAccs(1);
        vm.expectRevert(abi.encodeWithSelector(IInbox.UnknownIndex.selector, 1));
        inbox.queueAccs(1);
        vm.expectRevert(abi.encodeWithSelector(IInbox.UnknownIndex.selector, 0));
        inbox.queueTimestamp(0);
    }

    // Posting

    function test_post_calldata_appends() public {
        force();
        Record memory r = calldataRecord(PAYLOAD);
        vm.expectEmit(address(inbox));
        emit IInbox.Posted(0, keccak256(abi.encode(r)), r, new bytes32[](0), PAYLOAD);
        inbox.post(r, sign(r), PAYLOAD);

        assertEq(inbox.recordCount(), 1);
        assertEq(inbox.batchAcc(), keccak256(abi.encode(r)));
        assertEq(inbox.batchAccs(1), inbox.batchAcc());
        (uint64 lastTimestamp, uint64 consumed, uint64 anchor, uint64 postedAt) = inbox.lastRecord();
        assertEq(lastTimestamp, START);
        assertEq(consumed, 1);
        assertEq(anchor, START_BLOCK - 1);
        assertEq(postedAt, START);
    }

    function test_post_oneToSixBlobs_appends() public {
        for (uint256 count = 1; count <= 6; ++count) {
            Record memory r = blobRecord(count);
            vm.expectEmit(address(inbox));
            emit IInbox.Posted(uint64(count - 1), keccak256(abi.encode(r)), r, blobs(count), "");
            inbox.post(r, sign(r), "");
        }
    }

    function test_post_bySomeoneElse_countsTheSame() public {
        Record memory r = calldataRecord(PAYLOAD);
        vm.prank(makeAddr("anyone"));
        inbox.post(r, sign(r), PAYLOAD);
        assertEq(inbox.recordCount(), 1);
    }

    function test_post_sevenBlobs_reverts() public {
        Record memory r = blobRecord(7);
        bytes memory signature = sign(r);
        vm.expectRevert(IInbox.WrongBlobs.selector);
        inbox.post(r, signature, "");
        // Nor may the first six be taken and the seventh left out.
        r.payloadHash = keccak256(abi.encodePacked(blobs(6)));
        signature = sign(r);
        vm.expectRevert(IInbox.WrongBlobs.selector);
        inbox.post(r, signature, "");
    }

    /// `blobhash` out of range is zero: a record may not claim a hash of zeros.
    function test_post_blobKindWithoutBlobs_reverts() public {
        Record memory r = nextRecord(KIND_BLOBS, keccak256(abi.encodePacked(bytes32(0))));
        bytes memory signature = sign(r);
        vm.expectRevert(IInbox.WrongBlobs.selector);
        inbox.post(r, signature, "");
    }

    function test_post_fewerBlobsThanSigned_reverts() public {
        Record memory r = blobRecord(2);
        bytes memory signature = sign(r);
        vm.blobhashes(blobs(1));
        vm.expectRevert(abi.encodeWithSelector(IInbox.WrongPayloadHash.selector, keccak256(abi.encodePacked(blobs(1)))));
        inbox.post(r, signature, "");
    }

    function test_post_blobsInOtherOrder_reverts() public {
        Record memory r = blobRecord(2);
        bytes memory signature = sign(r);
        bytes32[] memory hashes = blobs(2);
        (hashes[0], hashes[1]) = (hashes[1], hashes[0]);
        vm.blobhashes(hashes);
        vm.expectRevert(abi.encodeWithSelector(IInbox.WrongPayloadHash.selector, keccak256(abi.encodePacked(hashes))));
        inbox.post(r, signature, "");
    }

    function test_post_blobKindWithPayload_reverts() public {
        _refused(blobRecord(1), abi.encodeWithSelector(IInbox.WrongPayloadLength.selector, PAYLOAD.length));
    }

    function test_post_calldataKindWithBlobs_reverts() public {
        Record memory r = calldataRecord(PAYLOAD);
        vm.blobhashes(blobs(1));
        _refused(r, abi.encodeWithSelector(IInbox.WrongBlobs.selector));
    }

    function test_post_payloadLength_isBounded() public {
        Record memory r = calldataRecord("");
        bytes memory signature = sign(r);
        vm.expectRevert(abi.encodeWithSelector(IInbox.WrongPayloadLength.selector, 0));
        inbox.post(r, signature, "");

        bytes memory tooLong = new bytes(120_001);
        r = calldataRecord(tooLong);
        signature = sign(r);
        vm.expectRevert(abi.encodeWithSelector(IInbox.WrongPayloadLength.selector, 120_001));
        inbox.post(r, signature, tooLong);

        postCalldata(new bytes(120_000));
    }

    function test_post_otherPayload_reverts() public {
        Record memory r = calldataRecord("another");
        _refused(r, abi.encodeWithSelector(IInbox.WrongPayloadHash.selector, keccak256(PAYLOAD)));
    }

    function testFuzz_post_anyOtherKind_reverts(uint8 kind) public {
        vm.assume(kind != 1 && kind != 2);
        _refused(nextRecord(kind, keccak256(PAYLOAD)), abi.encodeWithSelector(IInbox.WrongKind.selector, kind));
    }

    function test_post_wrongPrevAcc_reverts() public {
        Record memory r = calldataRecord(PAYLOAD);
        r.prevAcc = bytes32(uint256(1));
        _refused(r, abi.encodeWithSelector(IInbox.WrongPrevAcc.selector, bytes32(0)));
    }

    function test_post_twice_reverts() public {
        Record memory r = calldataRecord(PAYLOAD);
        bytes memory signature = sign(r);
        inbox.post(r, signature, PAYLOAD);
        bytes32 acc = inbox.batchAcc();
        vm.expectRevert(abi.encodeWithSelector(IInbox.WrongPrevAcc.selector, acc));
        inbox.post(r, signature, PAYLOAD);
    }

    // Signature

    function test_post_signedByAnother_reverts() public {
        (address other, uint256 key) = makeAddrAndKey("other");
        Record memory r = calldataRecord(PAYLOAD);
        bytes memory signature = signAs(key, r.digest(L2_CHAIN_ID, address(inbox)));
        vm.expectRevert(abi.encodeWithSelector(IInbox.WrongSigner.selector, other));
        inbox.post(r, signature, PAYLOAD);
    }

    function test_post_signedForAnotherChainOrInbox_reverts() public {
        Record memory r = calldataRecord(PAYLOAD);
        _refusedSigner(r, signAs(sequencerKey, r.digest(L2_CHAIN_ID + 1, address(inbox))));
        _refusedSigner(r, signAs(sequencerKey, r.digest(L2_CHAIN_ID, address(portal))));
        bytes memory signature = sign(r);
        vm.chainId(block.chainid + 1);
        _refusedSigner(r, signature);
    }

    function testFuzz_post_anyFieldChangedAfterSigning_reverts(uint8 field, uint64 delta) public {
        delta = uint64(bound(delta, 1, 600));
        force();
        pass(WINDOW_S / 2);
        Record memory r = calldataRecord(PAYLOAD);
        r.lastTimestamp = uint64(START);
        r.queueConsumed = 0;
        r.queueAcc = 0;
        bytes memory signature = sign(r);
        // Only changes that every other check lets pass, so that the signature alone is left to refuse them.
        field = field % 3;
        if (field == 0) r.lastTimestamp += delta;
        if (field == 1) (r.queueConsumed, r.queueAcc) = (1, inbox.queueAccs(1));
        if (field == 2) (r.anchorNumber, r.anchorHash) = (r.anchorNumber - 5, blockhash(r.anchorNumber - 5));
        _refusedSigner(r, signature);
    }

    function test_post_malformedSignature_reverts() public {
        Record memory r = calldataRecord(PAYLOAD);
        bytes memory signature = sign(r);
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureLength.selector, 64));
        inbox.post(r, new bytes(64), PAYLOAD);
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureLength.selector, 66));
        inbox.post(r, abi.encodePacked(signature, hex"00"), PAYLOAD);
        vm.expectRevert(ECDSA.ECDSAInvalidSignature.selector);
        inbox.post(r, new bytes(65), PAYLOAD);
    }

    function test_post_highS_reverts() public {
        Record memory r = calldataRecord(PAYLOAD);
        (uint8 v, bytes32 sr, bytes32 ss) = vm.sign(sequencerKey, r.digest(L2_CHAIN_ID, address(inbox)));
        uint256 n = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        bytes32 high = bytes32(n - uint256(ss));
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, high));
        inbox.post(r, abi.encodePacked(sr, high, v == 27 ? uint8(28) : uint8(27)), PAYLOAD);
    }

    function test_post_afterSequencerChange_needsTheNewKey() public {
        (address next, uint256 key) = makeAddrAndKey("next sequencer");
        vm.prank(address(timelock));
        config.setSequencer(next);
        Record memory r = calldataRecord(PAYLOAD);
        _refusedSigner(r, sign(r));
        inbox.post(r, signAs(key, r.digest(L2_CHAIN_ID, address(inbox))), PAYLOAD);
    }

    function _refusedSigner(Record memory r, bytes memory signature) private {
        vm.expectPartialRevert(IInbox.WrongSigner.selector);
        inbox.post(r, signature, PAYLOAD);
    }

    // Time

    function test_post_timestampBounds() public {
        pass(1 days);
        uint256 min = block.timestamp - WINDOW_S;
        uint256 max = block.timestamp + MAX_DRIFT_S;
        bytes memory outOfRange = abi.encodeWithSelector(IInbox.TimestampOutOfRange.selector, min, max);
        Record memory r = calldataRecord(PAYLOAD);
        r.lastTimestamp = uint64(min - 1);
        _refused(r, outOfRange);
        r.lastTimestamp = uint64(max + 1);
        _refused(r, outOfRange);
        r.lastTimestamp = type(uint64).max;
        _refused(r, outOfRange);

        r.lastTimestamp = uint64(min);
        inbox.post(r, sign(r), PAYLOAD);
        r = calldataRecord(PAYLOAD);
        r.lastTimestamp = uint64(max);
        inbox.post(r, sign(r), PAYLOAD);
    }

    function test_post_timeMayStandStillButNotFall() public {
        postCalldata(PAYLOAD);
        postCalldata(PAYLOAD);
        Record memory r = calldataRecord(PAYLOAD);
        r.lastTimestamp = uint64(START - 1);
        _refused(r, abi.encodeWithSelector(IInbox.TimestampOutOfRange.selector, START, START + MAX_DRIFT_S));
    }

    // Queue consumption

    function test_post_queueBounds() public {
        force();
        force();
        Record memory r = calldataRecord(PAYLOAD);
        r.queueConsumed = 3;
        _refused(r, abi.encodeWithSelector(IInbox.QueueOutOfRange.selector, 0, 2));
        r = calldataRecord(PAYLOAD);
        (r.queueConsumed, r.queueAcc) = (1, inbox.queueAccs(1));
        inbox.post(r, sign(r), PAYLOAD);

        r = calldataRecord(PAYLOAD);
        (r.queueConsumed, r.queueAcc) = (0, 0);
        _refused(r, abi.encodeWithSelector(IInbox.QueueOutOfRange.selector, 1, 2));
        r.queueConsumed = 2;
        _refused(r, abi.encodeWithSelector(IInbox.WrongQueueAcc.selector, inbox.queueAccs(2)));
    }

    /// What an L1 reorg does that swaps one deposit for another: the signed batch no longer fits.
    function test_post_afterTheQueueChanged_reverts() public {
        uint256 before = vm.snapshotState();
        force();
        Record memory r = calldataRecord(PAYLOAD);
        vm.revertToState(before);
        vm.prank(user, user);
        portal.depositOpen(1);
        _refused(r, abi.encodeWithSelector(IInbox.WrongQueueAcc.selector, inbox.queueAccs(1)));
    }

    function test_post_mustConsumeWhenDue_toTheSecond() public {
        force();
        pass(2 hours);
        uint256 deadline = START + FORCE_DELAY_S;
        Record memory r = calldataRecord(PAYLOAD);
        (r.queueConsumed, r.queueAcc) = (0, 0);
        r.lastTimestamp = uint64(deadline + 1);
        _refused(r, abi.encodeWithSelector(IInbox.MustConsume.selector, 0, deadline));

        uint256 before = vm.snapshotState();
        r.lastTimestamp = uint64(deadline);
        inbox.post(r, sign(r), PAYLOAD);
        vm.revertToState(before);
        r.lastTimestamp = uint64(deadline - 1);
        inbox.post(r, sign(r), PAYLOAD);

        r = calldataRecord(PAYLOAD);
        r.lastTimestamp = uint64(deadline + 1);
        inbox.post(r, sign(r), PAYLOAD);
    }

    function testFuzz_post_dueEntriesAreNeverSkipped(uint256 entries, uint256 consumed, uint256 at_) public {
        entries = bound(entries, 1, 9);
        consumed = bound(consumed, 0, entries);
        for (uint256 i = 0; i < entries; ++i) {
            force();
            pass(60);
        }
        pass(WINDOW_S / 2);
        Record memory r = calldataRecord(PAYLOAD);
        (r.queueConsumed, r.queueAcc) = (uint64(consumed), inbox.queueAccs(consumed));
        r.lastTimestamp = uint64(bound(at_, START, block.timestamp));
        if (consumed < entries && r.lastTimestamp > START + 60 * consumed + FORCE_DELAY_S) {
            _refused(
                r, abi.encodeWithSelector(IInbox.MustConsume.selector, consumed, START + 60 * consumed + FORCE_DELAY_S)
            );
        } else {
            inbox.post(r, sign(r), PAYLOAD);
        }
    }

    // Anchor

    function test_post_anchorMustBePast() public {
        Record memory r = calldataRecord(PAYLOAD);
        r.anchorNumber = uint64(block.number);
        _refused(r, abi.encodeWithSelector(IInbox.AnchorOutOfRange.selector, 0, block.number - 1));
    }

    function test_post_anchorMayStandStillButNotFall() public {
        postCalldata(PAYLOAD);
        Record memory r = calldataRecord(PAYLOAD);
        inbox.post(r, sign(r), PAYLOAD);
        uint64 last = r.anchorNumber;
        r = calldataRecord(PAYLOAD);
        (r.anchorNumber, r.anchorHash) = (last - 1, blockhash(last - 1));
        _refused(r, abi.encodeWithSelector(IInbox.AnchorOutOfRange.selector, last, block.number - 1));
    }

    function test_post_wrongAnchorHash_reverts() public {
        Record memory r = calldataRecord(PAYLOAD);
        bytes32 actual = r.anchorHash;
        r.anchorHash = keccak256("another block");
        _refused(r, abi.encodeWithSelector(IInbox.WrongAnchorHash.selector, actual));
    }

    function test_post_anchor256Back_isKnownToTheOpcode() public {
        Record memory r = calldataRecord(PAYLOAD);
        r.anchorNumber = uint64(block.number - 256);
        r.anchorHash = blockhash(block.number - 256);
        assertTrue(r.anchorHash != 0);
        inbox.post(r, sign(r), PAYLOAD);
    }

    /// On a chain without the history contract an old anchor is unknown, and zero does not pass for it.
    function test_post_unknownAnchorHash_neverMatchesZero() public {
        Record memory r = calldataRecord(PAYLOAD);
        (r.anchorNumber, r.anchorHash) = (uint64(block.number - 257), 0);
        _refused(r, abi.encodeWithSelector(IInbox.WrongAnchorHash.selector, bytes32(0)));
    }

    function test_post_anchorFromHistory_upTo8191Back() public {
        vm.etch(HISTORY, HISTORY_CODE);
        uint256[2] memory far = [uint256(257), 8191];
        for (uint256 i = 0; i < far.length; ++i) {
            uint256 before = vm.snapshotState();
            Record memory r = calldataRecord(PAYLOAD);
            r.anchorNumber = uint64(block.number - far[i]);
            r.anchorHash = keccak256(abi.encode("old block", far[i]));
            vm.store(HISTORY, bytes32(uint256(r.anchorNumber % 8191)), r.anchorHash);
            inbox.post(r, sign(r), PAYLOAD);
            vm.revertToState(before);
        }

        Record memory tooFar = calldataRecord(PAYLOAD);
        tooFar.anchorNumber = uint64(block.number - 8192);
        tooFar.anchorHash = keccak256("too old");
        vm.store(HISTORY, bytes32(uint256(tooFar.anchorNumber % 8191)), tooFar.anchorHash);
        _refused(tooFar, abi.encodeWithSelector(IInbox.WrongAnchorHash.selector, bytes32(0)));
    }

    // Forced advance

    function test_forceAdvance_onlyAfterTheWindow_toTheSecond() public {
        force();
        uint256 deadline = START + WINDOW_S;
        vm.warp(deadline);
        vm.expectRevert(abi.encodeWithSelector(IInbox.WindowOpen.selector, deadline));
        inbox.forceAdvance();

        vm.warp(deadline + 1);
        vm.roll(block.number + 100);
        Record memory r = nextRecord(KIND_FORCED, 0);
        assertEq(r.queueConsumed, 1);
        vm.expectEmit(address(inbox));
        emit IInbox.Posted(0, keccak256(abi.encode(r)), r, new bytes32[](0), "");
        vm.prank(makeAddr("anyone"));
        inbox.forceAdvance();
        assertEq(inbox.batchAcc(), keccak256(abi.encode(r)));

        // A new window has started.
        vm.expectRevert(abi.encodeWithSelector(IInbox.WindowOpen.selector, deadline + 1 + WINDOW_S));
        inbox.forceAdvance();
    }

    function test_forceAdvance_everyPostStartsANewWindow() public {
        pass(WINDOW_S);
        postCalldata(PAYLOAD);
        uint256 postedAt = block.timestamp;
        pass(WINDOW_S);
        vm.expectRevert(abi.encodeWithSelector(IInbox.WindowOpen.selector, postedAt + WINDOW_S));
        inbox.forceAdvance();
        pass(1);
        inbox.forceAdvance();
    }

    /// Batches dated back as far as L1 takes them: L2's clock never passes the entry's deadline.
    function test_forceAdvance_lateClock_winsNoSecondWindow() public {
        force();
        uint256 deadline = START + FORCE_DELAY_S;
        (uint64 none, bytes32 noneAcc) = (0, 0);
        for (uint256 at = START + 1 hours; at <= deadline + WINDOW_S; at += 1 hours) {
            vm.warp(at);
            vm.roll(block.number + 1);
            Record memory r = calldataRecord(PAYLOAD);
            (r.queueConsumed, r.queueAcc) = (none, noneAcc);
            r.lastTimestamp = uint64(at < deadline ? at : deadline);
            inbox.post(r, sign(r), PAYLOAD);
        }
        vm.warp(deadline + WINDOW_S);
        vm.roll(block.number + 1);
        Record memory last = calldataRecord(PAYLOAD);
        (last.queueConsumed, last.queueAcc, last.lastTimestamp) = (none, noneAcc, uint64(deadline));
        inbox.post(last, sign(last), PAYLOAD);
        vm.expectRevert(abi.encodeWithSelector(IInbox.WindowOpen.selector, deadline + WINDOW_S));
        inbox.forceAdvance();

        vm.warp(deadline + WINDOW_S + 1);
        vm.roll(block.number + 1);
        last = calldataRecord(PAYLOAD);
        (last.queueConsumed, last.queueAcc, last.lastTimestamp) = (none, noneAcc, uint64(deadline));
        _refused(
            last,
            abi.encodeWithSelector(IInbox.TimestampOutOfRange.selector, deadline + 1, block.timestamp + MAX_DRIFT_S)
        );
        inbox.forceAdvance();
        (, uint64 consumed,,) = inbox.lastRecord();
        assertEq(consumed, 1);
    }

    function test_forceAdvance_longQueue_isDrainedAtOnceByRepeating() public {
        for (uint256 i = 0; i < 600; ++i) {
            force();
        }
        pass(WINDOW_S + 1);
        uint64[3] memory want = [uint64(256), 512, 600];
        for (uint256 i = 0; i < 3; ++i) {
            inbox.forceAdvance();
            (, uint64 consumed,,) = inbox.lastRecord();
            assertEq(consumed, want[i]);
        }
        vm.expectPartialRevert(IInbox.WindowOpen.selector);
        inbox.forceAdvance();
    }

    function test_forceAdvance_neverMovesTimeBack() public {
        // Only where the window is shorter than the drift can a record be ahead of L1 when the window ends.
        IInbox.Params memory p = inboxParams();
        p.windowS = 1;
        inbox = Inbox(proxy(address(new Inbox(config, address(portal))), abi.encodeCall(Inbox.initialise, p)));
        Record memory r = calldataRecord(PAYLOAD);
        r.lastTimestamp = uint64(START + MAX_DRIFT_S);
        inbox.post(r, sign(r), PAYLOAD);
        vm.warp(START + 2);
        vm.roll(START_BLOCK + 1);
        inbox.forceAdvance();
        (uint64 lastTimestamp,,,) = inbox.lastRecord();
        assertEq(lastTimestamp, START + MAX_DRIFT_S);
    }

    function test_forceAdvance_whilePaused_works() public {
        force();
        pass(WINDOW_S + 1);
        vm.prank(council);
        config.pause();
        assertTrue(config.paused());
        inbox.forceAdvance();
        assertEq(inbox.recordCount(), 1);
        postCalldata(PAYLOAD);
        assertEq(inbox.recordCount(), 2);
    }

    function test_post_afterForceAdvance_buildsOnIt() public {
        Record memory r = calldataRecord(PAYLOAD);
        bytes memory signature = sign(r);
        pass(WINDOW_S + 1);
        inbox.forceAdvance();
        bytes32 acc = inbox.batchAcc();
        vm.expectRevert(abi.encodeWithSelector(IInbox.WrongPrevAcc.selector, acc));
        inbox.post(r, signature, PAYLOAD);
        postCalldata(PAYLOAD);
    }

    // Set-up

    function test_initialise_again_reverts() public {
        vm.expectRevert(Initializable.InvalidInitialization.selector);
        inbox.initialise(inboxParams());
    }

    function test_initialise_withoutWindowOrChain_reverts() public {
        address implementation = address(new Inbox(config, address(portal)));
        IInbox.Params memory p = inboxParams();
        p.windowS = 0;
        vm.expectRevert(IInbox.BadParams.selector);
        proxy(implementation, abi.encodeCall(Inbox.initialise, p));
        p = inboxParams();
        p.l2ChainId = 0;
        vm.expectRevert(IInbox.BadParams.selector);
        proxy(implementation, abi.encodeCall(Inbox.initialise, p));
    }

    function test_params_areThoseGiven() public view {
        assertEq(abi.encode(inbox.params()), abi.encode(inboxParams()));
    }

    // The ring

    /// The queue goes round its places, gives further entries their own while it is full, and comes back.
    function test_queue_longerThanItsRing_keepsAllThatWaits() public {
        uint256 ring = inbox.RING();
        bytes32[] memory accs = new bytes32[](3 * ring + 10);
        uint256 count = 0;
        uint64[4] memory upTo = [uint64(3), 2 * 256 + 5, 2 * 256 + 6, 3 * 256];
        for (uint256 step = 0; step < upTo.length; ++step) {
            while (count < upTo[step]) {
                if (count % 100 == 0) pass(12);
                force();
                ++count;
                accs[count] = inbox.queueAccs(count);
                assertEq(inbox.queueTimestamp(count - 1), block.timestamp);
            }
            (, uint64 consumed,,) = inbox.lastRecord();
            for (uint256 i = consumed; i <= count; ++i) {
                assertEq(inbox.queueAccs(i), accs[i]);
            }
            // Some wait on, and in the end none.
            uint64 left = step == 1 ? 260 : step == 2 ? 1 : 0;
            Record memory r = calldataRecord("payload");
            r.queueConsumed -= left;
            r.queueAcc = accs[r.queueConsumed];
            inbox.post(r, sign(r), "payload");
            for (uint256 i = count - left; i <= count; ++i) {
                assertEq(inbox.queueAccs(i), accs[i]);
            }
            vm.expectRevert(abi.encodeWithSelector(IInbox.Forgotten.selector, r.queueConsumed - 1));
            inbox.queueAccs(r.queueConsumed - 1);
        }
    }

    /// A batch on an accumulator that the ring has overwritten is no batch.
    function test_post_onAForgottenAcc_reverts() public {
        bytes32 first;
        for (uint256 i = 0; i < 300; ++i) {
            if (i % 100 == 0) pass(12);
            force();
            if (i == 0) first = inbox.queueAccs(1);
            if (i == 100) postCalldata("payload");
        }
        Record memory r = calldataRecord("payload");
        r.queueConsumed = 1;
        r.queueAcc = first;
        bytes memory signature = sign(r);
        vm.expectRevert(abi.encodeWithSelector(IInbox.QueueOutOfRange.selector, 101, 300));
        inbox.post(r, signature, "payload");
    }

    // Copies of settings

    function test_sequencer_isTheConfigs_atOnce() public {
        address next = makeAddr("next sequencer");
        vm.prank(address(timelock));
        config.setSequencer(next);
        assertEq(inbox.sequencer(), next);
        Record memory r = calldataRecord("payload");
        bytes memory signature = sign(r);
        vm.expectRevert(abi.encodeWithSelector(IInbox.WrongSigner.selector, sequencer));
        inbox.post(r, signature, "payload");
        inbox.readSettings();
        assertEq(inbox.sequencer(), config.sequencer());
    }
}
