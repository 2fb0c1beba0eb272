"""L1 records to the transactions of L2 blocks (bridge/FORMATS.md, sections 1 to 4), from what L1 alone says.

Always: accumulators, hashes and the conditions of section 3 hold, or `Invalid` says which does not.
Absent on purpose: execution, KZG commitments of blobs, and records of kind 0, which a short run of a node does not have.
"""
import rlp_encode
from eth_abi import encode
from eth_utils import keccak, to_canonical_address

from batch import Block, decode
from blobs import unpack
from reader import Invalid

RECORD = ["bytes32", "uint8", "uint64", "uint64", "bytes32", "uint64", "bytes32", "bytes32"]
ENTRY = ["uint64", "uint64", "uint64", "address", "address", "uint256", "uint256", "uint64", "bool", "bytes32"]
CALLDATA, BLOBS = 1, 2


def _must(holds, what):
    if not holds:
        raise Invalid(what)


def deposits(entries):
    """The 0x7E transactions of queue entries (as the event gives them), in order, and every accumulator from the first on."""
    accumulators, transactions = [bytes(32)], []
    for expected, entry in enumerate(entries):
        index, timestamp, l1_block, sender, to, mint, value, gas_limit, creates, data = entry
        _must(index == expected, f"queue entry {index} where {expected} was expected")
        fields = (index, timestamp, l1_block, sender, to, mint, value, gas_limit, creates, keccak(data))
        accumulator = keccak(encode(["bytes32", "bytes32"], [accumulators[-1], keccak(encode(ENTRY, fields))]))
        accumulators.append(accumulator)
        source = keccak(encode(["uint256", "bytes32"], [3, accumulator]))
        to = b"" if creates else to_canonical_address(to)
        transactions.append(b"\x7e" + rlp_encode.encode([source, to_canonical_address(sender), to, mint, value, gas_limit, 0, data]))
    return transactions, accumulators


class Chain:
    """Takes records one by one, and gives their blocks with deposits in front."""

    def __init__(self, rules, genesis_timestamp, entries):
        self._rules = rules
        self._parent = Block(genesis_timestamp, 0)
        self._deposits, self._queue = deposits(entries)
        self._batch = bytes(32)
        self._consumed = 0

    def take(self, record, batch_acc, blob_hashes, payload, blobs):
        """The blocks of `record`; `blobs` are those of kind 2, in order."""
        previous, kind, last_timestamp, consumed, queue_acc, anchor_number, _, payload_hash = record
        _must(previous == self._batch, "the record follows another one")
        self._batch = keccak(encode(RECORD, record))
        _must(batch_acc == self._batch, "the accumulator is not that of the record")
        _must(queue_acc == self._queue[consumed], "the queue is another one")
        _must(kind in (CALLDATA, BLOBS), f"a record of kind {kind}")
        if kind == BLOBS:
            _must(payload_hash == keccak(b"".join(blob_hashes)), "the blobs are others")
            payload = unpack(blobs)
        else:
            _must(payload_hash == keccak(payload), "the payload is another one")
        blocks = decode(payload, self._rules, self._parent)
        last = blocks[-1]
        _must((last.timestamp, last.anchor_number) == (last_timestamp, anchor_number), "the batch ends elsewhere")
        _must(self._consumed + sum(block.queue_count for block in blocks) == consumed, "the queue counts do not add up")
        self._parent = last
        return [self._with_deposits(block) for block in blocks]

    def _with_deposits(self, block):
        first, self._consumed = self._consumed, self._consumed + block.queue_count
        return block._replace(transactions=(*self._deposits[first : self._consumed], *block.transactions))
