"""Amounts, dictionaries and words: what columns hold besides plain numbers (FORMAT.md, sections 2 and 3).

Always: each value has one form that is accepted.
"""
from reader import Invalid, fits


def amount(exponents, lengths, mantissas, bits):
    """mantissa * 10^exponent, below 2^bits, from its three columns."""
    exponent, length = exponents.byte(), lengths.byte()
    mantissa = mantissas.take(length)
    number = int.from_bytes(mantissa, "big")
    if mantissa[:1] == b"\0":
        raise Invalid(f"{mantissas.name}: a leading zero byte")
    if exponent if number == 0 else number % 10 == 0:
        raise Invalid(f"{exponents.name}: not the largest exponent")
    return fits(number * 10**exponent, bits, exponents.name)


class Dictionary:
    """Values in the order in which they were new."""

    def __init__(self, known=()):
        self._values = list(known)
        self._set = set(known)

    def get(self, reference, new):
        """The value that `reference` names; `new()` reads it if it is new."""
        if reference > len(self._values):
            raise Invalid("a reference to nothing")
        if reference:
            return self._values[reference - 1]
        value = new()
        if value in self._set:
            raise Invalid("a known value is given as new")
        self._values.append(value)
        self._set.add(value)
        return value


def split_reference(low, high):
    """Lowest byte from one column, the rest from the other."""
    return low.byte() | high.varint() << 8


class Words:
    """Reads 32-byte words, each in the first class of section 3 that fits."""

    def __init__(self, columns, address):
        self._columns = columns
        self._address = address
        self._wholes = Dictionary()

    def next(self):
        """The next word, as a number."""
        columns = self._columns
        head = columns["word_heads"].byte()
        if head >= 0x80:
            return head & 0x7F
        if head == 0x41:
            names = ("word_exponents", "word_lengths", "word_mantissas")
            word, fit = amount(*(columns[name] for name in names), bits=128), "decimal"
        elif 0x01 <= head <= 0x10:
            word, fit = columns["word_bytes"].number(head), f"number {head}"
        elif head == 0x40:
            reference = split_reference(columns["word_addresses_low"], columns["word_addresses_high"])
            word, fit = int.from_bytes(self._address(reference), "big"), "address"
        elif 0x21 <= head <= 0x34:
            length = head - 0x20
            word, fit = columns["word_bytes"].number(length) << 8 * (32 - length), f"left {length}"
        elif head == 0x42:
            reference = columns["whole_refs"].varint()
            word, fit = self._wholes.get(reference, lambda: columns["wholes"].number(32)), "whole"
        else:
            raise Invalid(f"no class of words has the head {head:#04x}")
        if form(word) != fit:
            raise Invalid(f"a word of class {form(word)} in the form of {fit}")
        return word


def form(word):
    """The one class, and where a class has several lengths the one length, in which `word` may be written."""
    significant = -(-word.bit_length() // 8)
    if word < 128:
        return "tiny"
    if significant <= 16:
        return f"number {significant}" if word % 1000 else "decimal"
    if significant <= 20:
        return "address"
    trailing_zeros = (word & -word).bit_length() - 1
    length = 32 - trailing_zeros // 8
    return f"left {length}" if length <= 20 else "whole"
