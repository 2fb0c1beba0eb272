"""A payload to blocks (sequencer/batch/FORMAT.md), written from the document: the Rust decoder was not read for it.

Always: `decode` returns blocks or raises `Invalid`; its memory is bounded by the limits of `Rules`.
Absent on purpose: what L1 checks, and whether the transactions can be executed.
"""
from typing import NamedTuple

from columns import split
from reader import Invalid, fits
from transactions import Transactions


class Rules(NamedTuple):
    """What the network file says about batches."""

    chain_id: int
    decoded_bytes_max: int
    blocks_max: int


class Block(NamedTuple):
    """One block; the parent of a batch is given as one, too."""

    timestamp: int
    anchor_number: int
    queue_count: int = 0
    transactions: tuple = ()


def decode(payload, rules, parent):
    """The blocks in `payload`, which follow `parent`."""
    columns = split(payload, rules.decoded_bytes_max)
    heads = list(_heads(columns, rules.blocks_max, parent))
    count = sum(count for *_, count in heads)
    transactions = Transactions(columns, count, rules.chain_id, rules.decoded_bytes_max)
    blocks = [Block(*head, tuple(transactions.next() for _ in range(count))) for *head, count in heads]
    for column in columns.values():
        column.end()
    return blocks


def _heads(columns, blocks_max, parent):
    """(timestamp, anchor number, queue count, transactions) of each block."""
    timestamp, anchor_number, blocks = parent.timestamp, parent.anchor_number, 0
    while columns["block_times"].left():
        blocks += 1
        if blocks > blocks_max:
            raise Invalid("more than blocks_max blocks")
        timestamp = fits(timestamp + columns["block_times"].varint(), 64, "timestamps")
        anchor_number = fits(anchor_number + columns["block_anchors"].varint(), 64, "anchors")
        yield timestamp, anchor_number, columns["block_queue"].varint(), columns["block_txs"].varint()
    if not blocks:
        raise Invalid("no block")
