"""Blobs to the payload they carry (bridge/FORMATS.md, section 4)."""
from reader import Invalid, Reader

ELEMENTS = 4096
STREAM_BYTES = 31 * ELEMENTS
BLOB_BYTES = 32 * ELEMENTS


def unpack(blobs):
    """The payload in `blobs`, in their order on L1."""
    stream = b"".join(map(_stream, blobs))
    reader = Reader(stream, "blobs")
    length = reader.number(4)
    if len(blobs) != -(-(4 + length) // STREAM_BYTES):
        raise Invalid(f"{len(blobs)} blobs for {length} bytes")
    payload = reader.take(length)
    if any(reader.take(reader.left())):
        raise Invalid("the padding of the last blob is not zero")
    return payload


def _stream(blob):
    if len(blob) != BLOB_BYTES:
        raise Invalid(f"a blob has {len(blob)} bytes")
    if any(blob[::32]):
        raise Invalid("the top byte of a field element is not zero")
    return b"".join(blob[at + 1 : at + 32] for at in range(0, BLOB_BYTES, 32))
