"""Decodes a corpus that the Rust side wrote to standard input, and fails where the two decoders differ."""
import json
import resource
import sys

from eth_utils import keccak

from batch import Block, Rules, decode
from blobs import BLOB_BYTES, unpack
from reader import Invalid

# What the whole run may take: Python itself, and the corpus line, columns and blocks of the largest batch.
MEMORY_BYTES_MAX = 1 << 30
SHOWN_MAX = 20


def listing(blocks):
    """Everything that a decoder says about a batch, in one string of bytes."""
    out = [len(blocks).to_bytes(4, "big")]
    for block in blocks:
        out += [number.to_bytes(8, "big") for number in block[:3]]
        out.append(len(block.transactions).to_bytes(4, "big"))
        for transaction in block.transactions:
            out += [len(transaction).to_bytes(4, "big"), transaction]
    return b"".join(out)


def verdict(case):
    """(digest, None), or (None, why not)."""
    try:
        if "blobs" in case:
            payload = unpack([bytes.fromhex(blob).ljust(BLOB_BYTES, b"\0") for blob in case["blobs"]])
        else:
            payload = bytes.fromhex(case["payload"])
        blocks = decode(payload, Rules(*case["rules"]), Block(*case["parent"]))
    except Invalid as why:
        return None, str(why)
    return "0x" + keccak(listing(blocks)).hex(), None


def main():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    accepted = refused = differ = 0
    for number, line in enumerate(sys.stdin, 1):
        case = json.loads(line)
        digest, why = verdict(case)
        accepted += digest is not None
        refused += digest is None
        if digest != case["digest"]:
            differ += 1
            if differ <= SHOWN_MAX:
                print(f"case {number}, {case['name']}: Rust {case['digest']}, Python {digest or why}", file=sys.stderr)
    print(f"Python: {accepted} accepted, {refused} refused, {differ} not as in Rust")
    sys.exit(differ > 0 or accepted == 0 or refused == 0)


main()
