"""Columns to signed transactions, byte for byte (FORMAT.md, sections 2 and 4; EIP-155, 2718, 2930, 1559, 7702).

Always: what a transaction expands to is counted before it is made.
"""
import rlp_encode
from reader import Invalid, fits
from values import Dictionary, Words, amount, split_reference

OPEN = "4f50454e" + "00" * 15
OP = "42" + "00" * 18
KNOWN_ADDRESSES = [bytes.fromhex(address) for address in (
    OPEN + "05",  # RevenueRouter
    OPEN + "01",  # WrappedOpen
    OPEN + "06",  # PoolLedger
    OPEN + "02",  # AssetRegistry
    OPEN + "0e",  # FeePolicy
    OP + "16",  # message passer
    OP + "15",  # L1Info
    OP + "11",  # priority fee vault
    OP + "19",  # base fee vault
    OP + "1a",  # data fee vault
    "00" * 20,
    "ca11bde05977b3631167028862be2a173976ca11",  # Multicall3
    "000000000022d473030f116ddee9f6b43ac78ba3",  # Permit2
    "4e59b44847b379578588920ca78fbf26c0b4956c",  # CREATE2 deployer
)]

UNPROTECTED = 5
CREATES = 8
KINDS = {0, 1, 2, 4, UNPROTECTED, 0 | CREATES, 1 | CREATES, 2 | CREATES, UNPROTECTED | CREATES}

TRANSACTION_COSTS = 128
LIST_ITEM_COSTS = 33
AUTHORIZATION_COSTS = 128


class Transactions:
    """Reads `count` transactions, one after the other."""

    def __init__(self, columns, count, chain_id, expanded_bytes_max):
        self._columns = columns
        self._chain_id = chain_id
        self._room = expanded_bytes_max
        self._spend(TRANSACTION_COSTS * count)
        bitmap = columns["parities"].take(-(-count // 8))
        self._parities = fits(int.from_bytes(bitmap, "little"), count, "parities")
        self._gas = Dictionary()
        self._fees = Dictionary()
        self._addresses = Dictionary(KNOWN_ADDRESSES)
        self._shapes = Dictionary()
        self._words = Words(columns, self._address)

    def _spend(self, size):
        self._room -= size
        if self._room < 0:
            raise Invalid("the transactions expand to more than decoded_bytes_max")

    def next(self):
        """The next transaction's EIP-2718 bytes."""
        columns = self._columns
        kind = columns["kinds"].byte()
        if kind not in KINDS:
            raise Invalid(f"unknown kind {kind}")
        creates, kind = kind & CREATES, kind & ~CREATES
        parity, self._parities = self._parities & 1, self._parities >> 1
        nonce = fits(split_reference(columns["nonces_low"], columns["nonces_high"]), 64, "nonces")
        gas = self._gas.get(columns["gas_refs"].varint(), columns["gas_new"].varint)
        fee, tip = self._fees.get(columns["fee_refs"].varint(), self._new_fee)
        if tip and kind not in (2, 4):
            raise Invalid("a priority fee where there is none")
        to = b"" if creates else self._address(split_reference(columns["to_refs_low"], columns["to_refs_high"]))
        value = amount(*(columns[name] for name in ("value_exponents", "value_lengths", "value_mantissas")), bits=256)
        data = self._init_code() if creates else self._calldata()
        access_list = self._access_list() if kind in (1, 2, 4) else None
        authorizations = self._authorizations() if kind == 4 else None
        r, s = columns["signatures"].number(32), columns["signatures"].number(32)

        call = [gas, to, value, data]
        if kind == UNPROTECTED:
            return rlp_encode.encode([nonce, fee, *call, 27 + parity, r, s])
        if kind == 0:
            return rlp_encode.encode([nonce, fee, *call, 35 + 2 * self._chain_id + parity, r, s])
        fees = [fee] if kind == 1 else [tip, fee]
        lists = [access_list] if kind != 4 else [access_list, authorizations]
        return bytes([kind]) + rlp_encode.encode([self._chain_id, nonce, *fees, *call, *lists, parity, r, s])

    def _new_fee(self):
        names = ("fee_exponents", "fee_lengths", "fee_mantissas")
        columns = [self._columns[name] for name in names]
        return amount(*columns, bits=128), amount(*columns, bits=128)

    def _address(self, reference):
        return self._addresses.get(reference, lambda: self._columns["addresses"].take(20))

    def _init_code(self):
        length = self._columns["counts"].varint()
        self._spend(length)
        return self._columns["rest"].take(length)

    def _calldata(self):
        length, selector = self._shapes.get(self._columns["shape_refs"].varint(), self._new_shape)
        self._spend(length)
        words, rest = divmod(length - len(selector), 32)
        head = b"".join(self._words.next().to_bytes(32, "big") for _ in range(words))
        return selector + head + self._columns["rest"].take(rest)

    def _new_shape(self):
        length = self._columns["shapes_new"].varint()
        return length, self._columns["shapes_new"].take(4) if length >= 4 else b""

    def _access_list(self):
        counts = self._columns["counts"]
        items = counts.varint()
        self._spend(LIST_ITEM_COSTS * items)
        return [self._access_list_item(counts.varint()) for _ in range(items)]

    def _access_list_item(self, keys):
        self._spend(LIST_ITEM_COSTS * keys)
        address = self._address(self._columns["list_addresses"].varint())
        return [address, [self._words.next().to_bytes(32, "big") for _ in range(keys)]]

    def _authorizations(self):
        counts = self._columns["counts"]
        length = counts.varint()
        self._spend(AUTHORIZATION_COSTS * length)
        return [self._authorization(counts.varint()) for _ in range(length)]

    def _authorization(self, nonce):
        chain_id = self._words.next()
        address = self._address(self._columns["list_addresses"].varint())
        signature = self._columns["authorizations"]
        return [chain_id, address, nonce, signature.byte(), signature.number(32), signature.number(32)]
