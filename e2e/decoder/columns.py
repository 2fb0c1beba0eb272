"""A payload to its 36 columns (FORMAT.md, section 1).

Always: a column's length is held against the limit before anything of that size exists.
"""
import zstd_blocks
from reader import Invalid, Reader

VERSION = 1
NAMES = """
    block_times block_anchors block_queue block_txs kinds parities nonces_low nonces_high gas_refs gas_new fee_refs
    fee_exponents fee_lengths fee_mantissas to_refs_low to_refs_high addresses value_exponents value_lengths
    value_mantissas shape_refs shapes_new word_heads word_bytes word_exponents word_lengths word_mantissas
    word_addresses_low word_addresses_high whole_refs wholes rest counts list_addresses authorizations signatures
""".split()


def split(payload, decoded_bytes_max):
    """Name to `Reader`, for every column."""
    reader = Reader(payload, "the payload")
    if reader.byte() != VERSION:
        raise Invalid("unknown version")
    columns, room = {}, decoded_bytes_max
    for name in NAMES:
        head = reader.varint()
        length, compressed = head >> 1, head & 1
        room -= length
        if room < 0:
            raise Invalid("the columns are larger than decoded_bytes_max")
        if compressed:
            stored = reader.varint()
            if stored >= length:
                raise Invalid(f"{name}: compression must make a column smaller")
            data = zstd_blocks.decode(reader.take(stored), length, name)
        else:
            data = reader.take(length)
        columns[name] = Reader(data, name)
    reader.end()
    return columns
