"""Bits in the two directions in which Zstandard reads them (RFC 8878, 4.1). Nothing is read behind either end."""
from reader import Invalid


class Forward:
    """From the first byte on, lowest bit first: descriptions of tables."""

    def __init__(self, data):
        self._bits = int.from_bytes(data, "little")
        self._size = 8 * len(data)
        self.used = 0

    def peek(self, count):
        """The next `count` bits; zeros behind the end."""
        return self._bits >> self.used & (1 << count) - 1

    def read(self, count):
        bits = self.peek(count)
        self.used += count
        if self.used > self._size:
            raise Invalid("Zstandard: a description ends too early")
        return bits


class Backward:
    """From the last byte back: streams of codes. The highest set bit of the last byte is where they begin."""

    def __init__(self, data):
        if not data or not data[-1]:
            raise Invalid("Zstandard: a stream without its beginning")
        self._data = data
        self.left = 8 * len(data) - 9 + data[-1].bit_length()

    def peek(self, count):
        """The next `count` bits; zeros behind the end."""
        start = self.left - count
        if start < 0:
            return self._slice(0, self.left) << -start
        return self._slice(start, count)

    def _slice(self, start, count):
        number = int.from_bytes(self._data[start >> 3 : start + count + 7 >> 3], "little")
        return number >> (start & 7) & (1 << count) - 1

    def skip(self, count):
        self.left -= count
        if self.left < 0:
            raise Invalid("Zstandard: a stream ends too early")

    def read(self, count):
        bits = self.peek(count)
        self.skip(count)
        return bits

    def end(self):
        """A stream ends with its last bit."""
        if self.left:
            raise Invalid("Zstandard: a stream is longer than needed")
