"""Bytes read from front to back, as FORMAT.md writes numbers into them.

Always: nothing is read behind the end, and whatever does not fit raises `Invalid`, never anything else.
"""


class Invalid(Exception):
    """The bytes are not a batch; the text says why."""


class Reader:
    """One column, or the payload itself; `name` stands in the texts of `Invalid`."""

    def __init__(self, data, name):
        self._data = data
        self._at = 0
        self.name = name

    def left(self):
        """Bytes not yet read."""
        return len(self._data) - self._at

    def take(self, count):
        """The next `count` bytes."""
        if count > self.left():
            raise Invalid(f"{self.name} ends too early")
        self._at += count
        return self._data[self._at - count : self._at]

    def byte(self):
        """The next byte, as a number."""
        return self.take(1)[0]

    def number(self, count):
        """The next `count` bytes, big-endian, as a number."""
        return int.from_bytes(self.take(count), "big")

    def varint(self):
        """LEB128 of at most 64 bits in its shortest form."""
        value = 0
        for shift in range(0, 70, 7):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
        else:
            raise Invalid(f"{self.name}: a number has more than ten bytes")
        if byte == 0 and shift > 0:
            raise Invalid(f"{self.name}: a number is longer than it must be")
        return fits(value, 64, self.name)

    def end(self):
        """Nothing may be left."""
        if self.left():
            raise Invalid(f"{self.name} is {self.left()} bytes longer than needed")


def fits(value, bits, what):
    """`value`, if it has at most `bits` bits."""
    if value >> bits:
        raise Invalid(f"{what}: a number has more than {bits} bits")
    return value
