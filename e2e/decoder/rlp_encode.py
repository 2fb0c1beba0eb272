"""RLP: byte strings, numbers and lists of them to bytes. Nothing here reads RLP."""


def encode(item):
    """Numbers are written without leading zero bytes, so that 0 is the empty string."""
    if isinstance(item, int):
        item = item.to_bytes(-(-item.bit_length() // 8), "big")
    if isinstance(item, list):
        body = b"".join(map(encode, item))
        return _head(0xC0, len(body)) + body
    if len(item) == 1 and item[0] < 0x80:
        return item
    return _head(0x80, len(item)) + item


def _head(base, length):
    if length < 56:
        return bytes([base + length])
    size = length.to_bytes(-(-length.bit_length() // 8), "big")
    return bytes([base + 55 + len(size)]) + size
