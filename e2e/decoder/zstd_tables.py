"""Finite state entropy and Huffman codes (RFC 8878, 4.1 and 4.2)."""
from reader import Invalid
from zstd_bits import Backward, Forward

CODE_BITS_MAX = 11
WEIGHTS_LOG_MAX = 6
WEIGHTS_MAX = 255


def read_fse(data, log_max, symbols):
    """The table described at the beginning of `data`, for at most `symbols` symbols; and the bytes this takes."""
    bits = Forward(data[:1024])  # Longer than any description of 256 symbols.
    log = bits.read(4) + 5
    if log > log_max:
        raise Invalid("Zstandard: a table is too large")
    counts, left = [], 1 << log
    while left > 0:
        # A number from 0 to left + 1; the lowest of them are written with a bit less.
        width = (left + 1).bit_length()
        short = (1 << width) - 2 - left
        value = bits.peek(width - 1)
        if value < short:
            bits.read(width - 1)
        else:
            value = bits.read(width)
            if value >= 1 << width - 1:
                value -= short
        counts.append(value - 1)
        left -= abs(value - 1)
        again = 3 if value == 1 else 0
        while again == 3:
            again = bits.read(2)
            counts += [0] * again
        if len(counts) > symbols:
            raise Invalid("Zstandard: a table has too many symbols")
    if len(counts) - counts.count(0) < 2:
        raise Invalid("Zstandard: a table of one symbol")
    return fse(counts, log), -(-bits.used // 8)


def fse(counts, log):
    """(symbol, bits to read, base of the next state) for each of 2^log states."""
    size = 1 << log
    rare = [symbol for symbol, count in enumerate(counts) if count == -1]
    symbols = [None] * size
    symbols[size - len(rare) :] = reversed(rare)
    place, step = 0, (size >> 1) + (size >> 3) + 3
    for symbol, count in enumerate(counts):
        for _ in range(count):
            symbols[place] = symbol
            place = (place + step) % size
            while place >= size - len(rare) > 0:
                place = (place + step) % size
    following = [abs(count) for count in counts]
    states = []
    for symbol in symbols:
        number = following[symbol]
        following[symbol] += 1
        width = log + 1 - number.bit_length()
        states.append((symbol, width, (number << width) - size))
    return states


def constant(symbol):
    """A table of one state."""
    return [(symbol, 0, 0)]


class State:
    """Where a stream stands in a table."""

    def __init__(self, table, bits):
        self._table = table
        self._bits = bits
        self._state = table[bits.read(len(table).bit_length() - 1)]
        self.symbol = self._state[0]

    def missing(self):
        """Whether the next state needs more bits than there are."""
        return self._state[1] > self._bits.left

    def advance(self):
        _, width, base = self._state
        self._state = self._table[base + self._bits.read(width)]
        self.symbol = self._state[0]


class Huffman:
    """Codes of literals; `read` gives them with the bytes of their description."""

    def __init__(self, weights):
        total = sum(1 << weight >> 1 for weight in weights)
        self._log = total.bit_length()
        rest = (1 << self._log) - total
        if max(weights) > CODE_BITS_MAX or not 1 <= self._log <= CODE_BITS_MAX or rest & (rest - 1):
            raise Invalid("Zstandard: weights that no tree has")
        weights = [*weights, rest.bit_length()]
        if weights.count(1) < 2:
            raise Invalid("Zstandard: a tree without its longest codes")
        self._codes = [
            (symbol, self._log + 1 - weight)
            for weight in range(1, self._log + 1)
            for symbol, its in enumerate(weights)
            if its == weight
            for _ in range(1 << weight - 1)
        ]

    @classmethod
    def read(cls, data):
        head = data[0] if data else 0
        if head >= 128:
            count = head - 127
            size = -(-count // 2)
            weights = [nibble for byte in data[1 : 1 + size] for nibble in (byte >> 4, byte & 15)][:count]
        else:
            count, size = 0, head
            weights = _weights(data[1 : 1 + size])
        if len(data) < 1 + size or len(weights) < count or not weights:
            raise Invalid("Zstandard: a tree ends too early")
        return cls(weights), 1 + size

    def decode(self, stream, count):
        """`count` literals, which are all that is in `stream`."""
        bits, out = Backward(stream), bytearray()
        for _ in range(count):
            symbol, width = self._codes[bits.peek(self._log)]
            bits.skip(width)
            out.append(symbol)
        bits.end()
        return bytes(out)


def _weights(data):
    """Two states take turns until one of them would need more bits than there are; the other says the last weight."""
    table, used = read_fse(data, WEIGHTS_LOG_MAX, 256)
    bits = Backward(data[used:])
    state, other = State(table, bits), State(table, bits)
    weights = []
    while len(weights) <= WEIGHTS_MAX:
        weights.append(state.symbol)
        if state.missing():
            weights.append(other.symbol)
            break
        state.advance()
        state, other = other, state
    if len(weights) > WEIGHTS_MAX:
        raise Invalid("Zstandard: too many weights")
    return weights
