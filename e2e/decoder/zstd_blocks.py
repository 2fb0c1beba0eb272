"""Zstandard blocks to the bytes of a column (RFC 8878, 3.1.1.2 and 3.1.1.3), as FORMAT.md narrows them.

Always: a block gives at most 128 KiB, all blocks together what the column declares, and no bit of input is left over.

Written out here because libzstd accepts more than the RFC: it forgives streams of literals that do not end with their
last bit. Where this module accepts something, libzstd gives the same bytes.
"""
from reader import Invalid, Reader
from zstd_bits import Backward
from zstd_tables import Huffman, State, constant, fse, read_fse

BLOCK_BYTES_MAX = 128 * 1024
LITERALS_FOR_FOUR_STREAMS = 6


def _codes(singles, *ranges):
    """(smallest value, extra bits) of length codes: `singles` without extra bits, then a list of those that have some."""
    codes = [(value, 0) for value in singles]
    for base, width in ranges:
        codes.append((base, width))
    return codes


def _ranges(base, widths):
    for width in widths:
        yield base, width
        base += 1 << width


LITERAL_CODES = _codes(range(16), *_ranges(16, [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]))
MATCH_CODES = _codes(range(3, 35), *_ranges(35, [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]))
LITERAL_COUNTS = [4, 3] + [2] * 11 + [1] * 3 + [2] * 9 + [3, 2] + [1] * 5 + [-1] * 4
MATCH_COUNTS = [1, 4, 3] + [2] * 6 + [1] * 37 + [-1] * 7
OFFSET_COUNTS = [1] * 6 + [2] * 3 + [1] * 15 + [-1] * 5
OFFSET_CODES = 32


class _Kind:
    """One of the three kinds of codes in sequences: its predefined table, and the one in use."""

    def __init__(self, counts, log, log_max, symbols):
        self._predefined = fse(counts, log)
        self._log_max = log_max
        self._symbols = symbols
        self._table = None

    def choose(self, mode, data):
        """Takes the table that `mode` says from the front of `data`; returns the bytes it took."""
        used = 0
        if mode == 0:
            self._table = self._predefined
        elif mode == 1:
            if not data or data[0] >= self._symbols:
                raise Invalid("Zstandard: no code of this number")
            self._table, used = constant(data[0]), 1
        elif mode == 2:
            self._table, used = read_fse(data, self._log_max, self._symbols)
        elif self._table is None:
            raise Invalid("Zstandard: no table to repeat")
        return used

    def state(self, bits):
        return State(self._table, bits)


class _Decoder:
    """What one block hands to the next: the bytes so far, codes, and recent distances."""

    def __init__(self, length):
        self.out = bytearray()
        self._length = length
        self._end = 0
        self._huffman = None
        self._literals = _Kind(LITERAL_COUNTS, 6, 9, len(LITERAL_CODES))
        self._offsets = _Kind(OFFSET_COUNTS, 5, 8, OFFSET_CODES)
        self._matches = _Kind(MATCH_COUNTS, 6, 9, len(MATCH_CODES))
        self._recent = [1, 4, 8]

    def block(self, kind, size, reader):
        self._end = min(self._length, len(self.out) + BLOCK_BYTES_MAX)
        if kind == 0:
            self._append(reader.take(size))
        elif kind == 1:
            self._append(reader.take(1) * size)
        elif kind == 2:
            content = Reader(reader.take(size), reader.name)
            literals = self._read_literals(content)
            self._execute(content, literals)
        else:
            raise Invalid("Zstandard: a block of the reserved kind")

    def _append(self, data):
        if len(self.out) + len(data) > self._end:
            raise Invalid("Zstandard: a block or a column gives more than it may")
        self.out += data

    def _repeat(self, distance, length):
        start = len(self.out) - distance
        if distance == 0 or start < 0 or len(self.out) + length > self._end:
            raise Invalid("Zstandard: a repeat from before the beginning, or beyond the end")
        pattern = bytes(self.out[start : start + length])
        self.out += (pattern * -(-length // len(pattern)))[:length]

    def _read_literals(self, reader):
        head = reader.byte()
        kind, form = head & 3, head >> 2 & 3
        if kind < 2:
            size = head >> 3 if form in (0, 2) else head >> 4
            if form == 1:
                size |= reader.byte() << 4
            elif form == 3:
                size |= int.from_bytes(reader.take(2), "little") << 4
            _literals_fit(size)
            return reader.take(size) if kind == 0 else reader.take(1) * size
        width, more = ((10, 2), (10, 2), (14, 3), (18, 4))[form]
        numbers = (head | int.from_bytes(reader.take(more), "little") << 8) >> 4
        size, stored = numbers & (1 << width) - 1, numbers >> width
        _literals_fit(size)
        data = reader.take(stored)
        if kind == 2:
            self._huffman, used = Huffman.read(data)
            data = data[used:]
        if self._huffman is None:
            raise Invalid("Zstandard: no tree to repeat")
        if form == 0:
            return self._huffman.decode(data, size)
        return self._four_streams(Reader(data, reader.name), size)

    def _four_streams(self, reader, size):
        if size < LITERALS_FOR_FOUR_STREAMS:
            raise Invalid("Zstandard: too few literals for four streams")
        lengths = [int.from_bytes(reader.take(2), "little") for _ in range(3)]
        quarter = -(-size // 4)
        literals = [self._huffman.decode(reader.take(length), quarter) for length in lengths]
        literals.append(self._huffman.decode(reader.take(reader.left()), size - 3 * quarter))
        return b"".join(literals)

    def _execute(self, reader, literals):
        literals = Reader(literals, reader.name)
        count = reader.byte()
        if count == 255:
            count = int.from_bytes(reader.take(2), "little") + 0x7F00
        elif count >= 128:
            count = count - 128 << 8 | reader.byte()
        if count:
            self._sequences(count, reader, literals)
        reader.end()
        self._append(literals.take(literals.left()))

    def _sequences(self, count, reader, literals):
        modes = reader.byte()
        data = reader.take(reader.left())
        if modes & 3:
            raise Invalid("Zstandard: reserved bits")
        for kind, shift in ((self._literals, 6), (self._offsets, 4), (self._matches, 2)):
            data = data[kind.choose(modes >> shift & 3, data) :]
        bits = Backward(data)
        literal, offset, match = (kind.state(bits) for kind in (self._literals, self._offsets, self._matches))
        for left in reversed(range(count)):
            value = (1 << offset.symbol) + bits.read(offset.symbol)
            base, width = MATCH_CODES[match.symbol]
            match_length = base + bits.read(width)
            base, width = LITERAL_CODES[literal.symbol]
            literal_length = base + bits.read(width)
            if left:
                for state in (literal, match, offset):
                    state.advance()
            self._append(literals.take(literal_length))
            self._repeat(self._distance(value, literal_length), match_length)
        bits.end()

    def _distance(self, value, literal_length):
        """RFC 8878, 3.1.1.5: values up to 3 name recent distances, one further if no literal came before."""
        recent = self._recent
        if value > 3:
            distance, place = value - 3, 2
        else:
            place = value - 1 + (literal_length == 0)
            distance = recent[place] if place < 3 else recent[0] - 1
        del recent[min(place, 2)]
        recent.insert(0, distance)
        return distance


def _literals_fit(size):
    if size > BLOCK_BYTES_MAX:
        raise Invalid("Zstandard: more literals than a block has")


def decode(stored, length, name):
    """What the blocks in `stored` give, which must be `length` bytes."""
    reader, decoder, last = Reader(stored, name), _Decoder(length), False
    while not last:
        head = int.from_bytes(reader.take(3), "little")
        last, kind, size = head & 1, head >> 1 & 3, head >> 3
        if size > BLOCK_BYTES_MAX:
            raise Invalid("Zstandard: a block above 128 KiB")
        decoder.block(kind, size, reader)
    reader.end()
    if len(decoder.out) != length:
        raise Invalid(f"{name}: Zstandard blocks give {len(decoder.out)} bytes instead of {length}")
    return bytes(decoder.out)
