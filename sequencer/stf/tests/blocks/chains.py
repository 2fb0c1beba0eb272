"""Makes the chains in this folder with the executable specification of Ethereum (PyPI: ethereum-execution).

    python3 -m venv v && v/bin/pip install ethereum-execution==2.20.0
    v/bin/python chains.py FOLDER SEED BLOCKS [BLOCKS_OF_EACH_FORK]

Every chain is random but for its seed. Blocks that a test calls invalid are valid ones with one thing changed, and the
specification refuses them. Proofs of work are not checked.
"""
import importlib, json, os, random, sys, dataclasses
from coincurve import PrivateKey
from ethereum.crypto.hash import keccak256
from ethereum.fork_criteria import ByBlockNumber
from ethereum_rlp import rlp
from ethereum_types.bytes import Bytes0, Bytes8, Bytes20, Bytes32, Bytes256, Bytes
from ethereum_types.numeric import U64, U256, Uint, U8

NAMES = ["frontier", "homestead", "dao_fork", "tangerine_whistle", "spurious_dragon", "byzantium", "constantinople",
         "istanbul", "muir_glacier", "berlin", "london", "arrow_glacier", "gray_glacier", "paris", "shanghai", "cancun",
         "prague", "osaka", "bpo1", "bpo2"]
NETWORK = {"frontier": "Frontier", "homestead": "Homestead", "tangerine_whistle": "EIP150", "spurious_dragon": "EIP158",
           "byzantium": "Byzantium", "constantinople": "ConstantinopleFix", "istanbul": "Istanbul",
           "muir_glacier": "MuirGlacier", "berlin": "Berlin", "london": "London", "arrow_glacier": "ArrowGlacier",
           "gray_glacier": "GrayGlacier", "paris": "Paris", "shanghai": "Shanghai", "cancun": "Cancun",
           "prague": "Prague", "osaka": "Osaka", "bpo1": "BPO1", "bpo2": "BPO2", "dao_fork": "Dao"}
ORDER = {name: at for at, name in enumerate(NAMES)}
CHAIN_ID = 1
SECP_N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141


class Fork:
    def __init__(self, name):
        self.name, self.at = name, ORDER[name]
        base = "ethereum.forks." + name
        self.fork = importlib.import_module(base + ".fork")
        self.blocks = importlib.import_module(base + ".blocks")
        self.state = importlib.import_module(base + ".state")
        self.types = importlib.import_module(base + ".fork_types")
        self.txs = importlib.import_module(base + ".transactions")
        self.vm = importlib.import_module(base + ".vm")
        self.trie = importlib.import_module(base + ".trie")
        self.bloom = importlib.import_module(base + ".bloom")
        if hasattr(self.fork, "validate_proof_of_work"):
            self.fork.validate_proof_of_work = lambda header: None

    def since(self, name):
        return self.at >= ORDER[name]


FORKS = {name: Fork(name) for name in NAMES}
KEYS = [PrivateKey(keccak256(b"tributary test key %d" % n)) for n in range(6)]


def address_of(key):
    return Bytes20(keccak256(key.public_key.format(compressed=False)[1:])[12:])


SENDERS = [address_of(key) for key in KEYS]


def push(value, width=None):
    data = value if isinstance(value, bytes) else value.to_bytes(width or max(1, (value.bit_length() + 7) // 8), "big")
    return bytes([0x5f + len(data)]) + data


DEPOSIT_TOPIC = bytes.fromhex("649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5")


def addr(n):
    return Bytes20((0xc0de << 144 | n).to_bytes(20, "big"))


SSTORE, SLOAD = b"\x55", b"\x54"
# counter with a log; writer; destroyer; maker; observer; toucher; failer; caller; refunder
CONTRACTS = {
    addr(1): push(0) + SLOAD + push(1) + b"\x01\x80" + push(0) + SSTORE + push(0) + b"\x52" + push(7) + push(32) + push(0) + b"\xa1",
    addr(2): push(32) + b"\x35" + push(0) + b"\x35" + SSTORE,
    addr(3): push(0) + b"\x35\xff",
    addr(4): b"\x36" + push(0) + push(0) + b"\x37\x36" + push(0) + push(0) + b"\xf0\x80" + push(1) + SSTORE,
    addr(5): b"\x43" + push(0) + SSTORE + b"\x44" + push(1) + SSTORE + push(1) + b"\x43\x03\x40" + push(2) + SSTORE
             + b"\x42" + push(3) + SSTORE + b"\x41" + push(4) + SSTORE + b"\x45" + push(5) + SSTORE + b"\x3a" + push(6) + SSTORE,
    addr(6): (push(0) * 5) + push(0) + b"\x35" + push(20_000) + b"\xf1" + b"\x50",
    addr(7): push(1) + push(1) + SSTORE + b"\xfe",
    addr(8): push(0) * 4 + push(32) + b"\x35" + push(0) + b"\x35" + b"\x5a\xf1" + push(9) + SSTORE,
    addr(9): b"".join(push(0) + push(n) + SSTORE for n in range(1, 6)),
}
DEPOSIT_CONTRACT = Bytes20(bytes.fromhex("00000000219ab540356cbb839cbe05303d7705fa"))
SYSTEM = {}


def system_contracts():
    """Runtime code as the EIPs publish it, from the specification's own test for it or from the caller."""
    for line in open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "system.txt")):
        at, code = line.split()
        SYSTEM[Bytes20(bytes.fromhex(at))] = bytes.fromhex(code)
    SYSTEM[DEPOSIT_CONTRACT] = b"\x36\x5f\x5f\x37" + push(DEPOSIT_TOPIC) + b"\x36\x5f\xa1"


def first_state(fork, empty, rich=10**24):
    state = fork.state.State()
    alloc = {}
    for sender in SENDERS:
        alloc[sender] = (0, rich, b"", {})
    for at, code in {**CONTRACTS, **SYSTEM}.items():
        slots = {n: n * 3 for n in range(1, 6)} if at == addr(9) else {}
        alloc[at] = (1, 5, code, slots)
    if empty:   # an empty account, which a touch clears from EIP-161 on, and which EIP-7523 forbids after the merge
        alloc[addr(99)] = (0, 0, b"", {})
    alloc[fork_dao_account()] = (0, 10**18, b"", {})
    put(fork, state, alloc)
    return state, alloc


def fork_dao_account():
    return FORKS["dao_fork"].fork.dao.DAO_ACCOUNTS[3] if hasattr(FORKS["dao_fork"].fork, "dao") else \
        importlib.import_module("ethereum.forks.dao_fork.dao").DAO_ACCOUNTS[3]


def put(fork, state, alloc):
    for at, (nonce, balance, code, slots) in alloc.items():
        fork.state.set_account(state, at, fork.types.Account(nonce=Uint(nonce), balance=U256(balance), code=Bytes(code)))
        for slot, value in slots.items():
            fork.state.set_storage(state, at, Bytes32(slot.to_bytes(32, "big")), U256(value))


def dump(state):
    out = {}
    for at, account in state._main_trie._data.items():
        if account is None:
            continue
        storage = state._storage_tries.get(at)
        slots = {int.from_bytes(k, "big"): int(v) for k, v in (storage._data if storage else {}).items() if int(v)}
        out[at] = (int(account.nonce), int(account.balance), bytes(account.code), slots)
    return out


class Chain:
    """schedule: [(fork name, first block or time, by time?)]"""

    def __init__(self, schedule, rng, ttd=None, gas_limit=8_000_000):
        self.rng, self.schedule, self.ttd = rng, schedule, ttd
        fork = self.fork_at = FORKS[schedule[0][0]]
        last = FORKS[schedule[-1][0]]
        self.merges = last.since("paris")
        state, self.alloc = first_state(fork, not self.merges)
        self.names = schedule
        merged = fork.since("paris")
        fields = dict(
            parent_hash=Bytes32(bytes(32)), ommers_hash=keccak256(rlp.encode([])), coinbase=Bytes20(bytes(20)),
            state_root=fork.state.state_root(state), transactions_root=fork.trie.root(fork.trie.Trie(False, None)),
            receipt_root=fork.trie.root(fork.trie.Trie(False, None)), bloom=Bytes256(bytes(256)),
            difficulty=Uint(0 if merged else 0x20000), number=Uint(0), gas_limit=Uint(gas_limit), gas_used=Uint(0),
            timestamp=U256(0), extra_data=Bytes(b"tributary"), mix_digest=Bytes32(bytes(32)), prev_randao=Bytes32(bytes(32)),
            nonce=Bytes8(bytes(8)), base_fee_per_gas=Uint(10**9), withdrawals_root=fork.trie.root(fork.trie.Trie(False, None)),
            blob_gas_used=U64(0), excess_blob_gas=U64(0), parent_beacon_block_root=Bytes32(bytes(32)),
            requests_hash=Bytes32(__import__("hashlib").sha256(b"").digest()))
        header = self.header(fork, fields)
        self.genesis = self.block(fork, header, (), (), ())
        self.chain = fork.fork.BlockChain(blocks=[self.genesis], state=state, chain_id=U64(CHAIN_ID))
        self.td = int(header.difficulty)
        self.difficulties = [self.td]
        self.named = set()
        self.withdrawal = 0
        self.nonces = {}
        self.made = []

    @staticmethod
    def header(fork, fields):
        names = [f.name for f in dataclasses.fields(fork.blocks.Header)]
        return fork.blocks.Header(**{name: fields[name] for name in names})

    @staticmethod
    def block(fork, header, txs, ommers, withdrawals):
        fields = dict(header=header, transactions=tuple(txs), ommers=tuple(ommers), withdrawals=tuple(withdrawals))
        names = [f.name for f in dataclasses.fields(fork.blocks.Block)]
        return fork.blocks.Block(**{name: fields[name] for name in names})

    def next_fork(self, number, time):
        """The fork of the next block, with the state turned into its form."""
        current = None
        for name, at, kind in self.schedule:
            if kind == "block" and number >= at or kind == "time" and time >= at or kind == "diff" and self.td >= at:
                if kind == "time" and self.ttd is not None and self.td < self.ttd:
                    continue
                current = name
        return FORKS[current]

    def copy(self, fork):
        state = fork.state.State()
        put(fork, state, dump(self.chain.state))
        return fork.fork.BlockChain(blocks=list(self.chain.blocks), state=state, chain_id=self.chain.chain_id)

    def enter(self, fork, number):
        if fork is self.fork_at:
            return
        old = self.fork_at
        state = fork.state.State()
        put(fork, state, dump(self.chain.state))
        self.chain = fork.fork.BlockChain(blocks=self.chain.blocks, state=state, chain_id=self.chain.chain_id)
        for module in ("dao_fork", "london"):
            if fork.name == module:
                fork.fork.FORK_CRITERIA = ByBlockNumber(number)
        if fork.name == "dao_fork":
            self.chain = fork.fork.apply_fork(self.chain)
        self.fork_at = fork
        assert self.fork_at.at > old.at

    def sign(self, fork, key, kind, **f):
        t = fork.txs
        def signature(digest):
            raw = key.sign_recoverable(bytes(digest), hasher=None)
            return int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"), raw[64]
        to = f["to"]
        common = dict(nonce=U256(f["nonce"]), gas=Uint(f["gas"]), to=to, value=U256(f["value"]), data=Bytes(f["data"]))
        if kind == 0:
            protect = fork.since("spurious_dragon") and self.rng.random() < 0.7
            cls = getattr(t, "LegacyTransaction", None) or t.Transaction
            tx = cls(gas_price=Uint(f["price"]), v=U256(0), r=U256(0), s=U256(0), **common)
            if protect:
                digest = t.signing_hash_155(tx, U64(CHAIN_ID))
            else:
                digest = t.signing_hash_pre155(tx) if hasattr(t, "signing_hash_pre155") else t.signing_hash(tx)
            r, s, y = signature(digest)
            if fork.name == "frontier" and self.rng.random() < 0.5:
                s, y = SECP_N - s, 1 - y
            return dataclasses.replace(tx, v=U256((37 if protect else 27) + y), r=U256(r), s=U256(s)) \
                if dataclasses.is_dataclass(tx) else tx
        access = []
        if self.rng.random() < 0.6:
            A = getattr(t, "Access")
            access = [A(account=addr(self.rng.randrange(1, 9)), slots=tuple(Bytes32(n.to_bytes(32, "big")) for n in range(self.rng.randrange(3))))]
        access = tuple(access)
        zero = dict(y_parity=U256(0), r=U256(0), s=U256(0))
        if kind == 1:
            tx = t.AccessListTransaction(chain_id=U64(CHAIN_ID), gas_price=Uint(f["price"]), access_list=access, **common, **zero)
            r, s, y = signature(t.signing_hash_2930(tx))
        else:
            fees = dict(max_fee_per_gas=Uint(f["price"]), max_priority_fee_per_gas=Uint(min(f["tip"], f["price"])))
            if kind == 2:
                tx = t.FeeMarketTransaction(chain_id=U64(CHAIN_ID), access_list=access, **fees, **common, **zero)
                r, s, y = signature(t.signing_hash_1559(tx))
            elif kind == 3:
                hashes = tuple(Bytes32(b"\x01" + bytes(keccak256(bytes([n])))[1:]) for n in range(self.rng.randrange(1, 4)))
                tx = t.BlobTransaction(chain_id=U64(CHAIN_ID), access_list=access, max_fee_per_blob_gas=U256(10**10),
                                       blob_versioned_hashes=hashes, **fees, **common, **zero)
                r, s, y = signature(t.signing_hash_4844(tx))
            else:
                auths = []
                for _ in range(self.rng.randrange(1, 3)):
                    who = self.rng.randrange(len(KEYS))
                    nonce = self.auth_nonce(SENDERS[who], key)
                    target = self.rng.choice([addr(1), addr(5), Bytes20(bytes(20))])
                    digest = keccak256(b"\x05" + rlp.encode((U256(CHAIN_ID), target, U64(nonce))))
                    ar, as_, ay = (lambda raw: (int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"), raw[64]))(
                        KEYS[who].sign_recoverable(bytes(digest), hasher=None))
                    if self.rng.random() < 0.15:
                        nonce += 1
                    auths.append(fork.types.Authorization(chain_id=U256(CHAIN_ID), address=target, nonce=U64(nonce),
                                                          y_parity=U8(ay), r=U256(ar), s=U256(as_)))
                tx = t.SetCodeTransaction(chain_id=U64(CHAIN_ID), access_list=access, authorizations=tuple(auths),
                                          **fees, **{**common, "nonce": U64(f["nonce"])}, **zero)
                r, s, y = signature(t.signing_hash_7702(tx))
        return dataclasses.replace(tx, y_parity=U256(y), r=U256(r), s=U256(s))

    def auth_nonce(self, who, key):
        nonce = self.nonces.get(who, 0)
        return nonce + 1 if who == address_of(key) else nonce

    def transaction(self, fork, base_fee, draft):
        rng = self.rng
        who = rng.randrange(len(KEYS))
        kinds = [0] * 3
        if fork.since("berlin"): kinds += [1]
        if fork.since("london"): kinds += [2, 2]
        if fork.since("cancun"): kinds += [3]
        if fork.since("prague"): kinds += [4]
        kind = rng.choice(kinds)
        value = rng.choice([0, 0, 1, 10**15])
        data, to = b"", addr(rng.randrange(1, 10))
        if self.merges and not fork.since("spurious_dragon"):
            # no empty account may live to the merge (EIP-7523): the specification no longer clears any then
            value, to = max(value, 1), addr(rng.choice([1, 2, 3, 5, 7, 9]))
        number = int.from_bytes(to[-1:], "big")
        word = lambda n: n.to_bytes(32, "big")
        if number == 2:
            data = word(rng.randrange(8)) + word(rng.choice([0, 0, 1, 2**200]))
        elif number == 3:
            data, to = bytes(12) + bytes(rng.choice([addr(77), SENDERS[0], addr(99), addr(3)])), rng.choice([addr(3), self.made_contract()])
        elif number == 4:
            # init code that stores a word and returns code: a destroyer, a writer, or nothing
            run = rng.choice([CONTRACTS[addr(3)], CONTRACTS[addr(2)], b""])
            data = push(5) + push(1) + SSTORE + push(len(run)) + push(12 if False else 19, 1) + push(0) + b"\x39" + push(len(run)) + push(0) + b"\xf3"
            data = data[:0] + self.init(run)
        elif number == 6:
            data = bytes(12) + bytes(rng.choice([addr(99), addr(88), Bytes20(bytes(19) + bytes([rng.randrange(1, 10)]))]))
        elif number == 8:
            data = bytes(12) + bytes(addr(rng.randrange(1, 10))) + word(rng.randrange(3))
        choice = rng.random()
        if choice < 0.12 and kind < 3:
            to, data = Bytes0(b""), self.init(rng.choice([CONTRACTS[addr(3)], CONTRACTS[addr(1)], b"", rng.randbytes(20)]))
        elif choice < 0.3:
            to, data = Bytes20(rng.choice([SENDERS[rng.randrange(6)], addr(rng.randrange(60, 70)), addr(99)])), rng.randbytes(rng.choice([0, 0, 40]))
        elif choice < 0.36 and fork.since("prague"):
            to, data = DEPOSIT_CONTRACT, self.deposit_log()
        elif choice < 0.42 and fork.since("prague"):
            to = Bytes20(bytes.fromhex(rng.choice(["00000961ef480eb55e80d19ad83579a64c007002", "0000bbddc7ce488642fb579f8b00f3a590007251"])))
            data, value = rng.randbytes(56 if to[3] == 0x61 else 96), 10**6
        gas = rng.choice([60_000, 120_000, 300_000, 700_000])
        price = base_fee + rng.randrange(1, 10**9) if base_fee is not None else rng.randrange(1, 10**10)
        if fork.since("london"):
            price = base_fee + rng.randrange(10**9)
        sender = SENDERS[who]
        return sender, self.sign(fork, KEYS[who], kind, nonce=self.nonces.get(sender, 0), gas=gas, price=price,
                                 tip=rng.randrange(2 * 10**9), to=to, value=value, data=data)

    def made_contract(self):
        return self.rng.choice(self.made) if self.made else addr(3)

    @staticmethod
    def init(run):
        store = push(5) + push(1) + SSTORE
        tail = lambda at: push(len(run), 1) + push(at, 1) + push(0) + b"\x39" + push(len(run), 1) + push(0) + b"\xf3"
        return store + tail(len(store) + len(tail(0))) + run

    def deposit_log(self):
        rng, word = self.rng, lambda n: n.to_bytes(32, "big")
        pad = lambda b: b + bytes(-len(b) % 32)
        out = b"".join(word(n) for n in (160, 256, 320, 384, 512))
        for size in (48, 32, 8, 96, 8):
            out += word(size) + pad(rng.randbytes(size))
        return out

    def run(self, fork, chain, fields, txs, ommers, withdrawals):
        """Fills in what execution decides."""
        env = {}
        hashes = fork.fork.get_last_256_block_hashes(chain)
        env.update(chain_id=chain.chain_id, state=chain.state, block_gas_limit=fields["gas_limit"], block_hashes=hashes,
                   coinbase=fields["coinbase"], number=fields["number"], time=fields["timestamp"],
                   difficulty=fields["difficulty"], base_fee_per_gas=fields["base_fee_per_gas"],
                   prev_randao=fields["prev_randao"], excess_blob_gas=fields["excess_blob_gas"],
                   parent_beacon_block_root=fields["parent_beacon_block_root"])
        names = [f.name for f in dataclasses.fields(fork.vm.BlockEnvironment)]
        args = dict(transactions=tuple(txs))
        if fork.since("shanghai"): args["withdrawals"] = tuple(withdrawals)
        elif not fork.since("paris"): args["ommers"] = tuple(ommers)
        out = fork.fork.apply_body(block_env=fork.vm.BlockEnvironment(**{n: env[n] for n in names}), **args)
        fields = dict(fields, gas_used=Uint(out.block_gas_used), state_root=fork.state.state_root(chain.state),
                      transactions_root=fork.trie.root(out.transactions_trie), receipt_root=fork.trie.root(out.receipts_trie),
                      bloom=fork.bloom.logs_bloom(out.block_logs))
        if fork.since("shanghai"): fields["withdrawals_root"] = fork.trie.root(out.withdrawals_trie)
        if fork.since("cancun"): fields["blob_gas_used"] = out.blob_gas_used
        if fork.since("prague"):
            from importlib import import_module
            fields["requests_hash"] = Bytes32(import_module("ethereum.forks.%s.requests" % fork.name).compute_requests_hash(out.requests))
        return fields

    def ommers(self, fork, number):
        """Side blocks of the last generations, with fields that no rule binds changed."""
        out = []
        if self.fork_at.since("paris") or number < 3 or self.rng.random() < 0.4:
            return out
        for _ in range(self.rng.randrange(1, 3)):
            age = self.rng.randrange(1, min(6, number - 1) + 1)
            twin = self.chain.blocks[number - age].header
            if type(twin) is not fork.blocks.Header:
                continue
            extra = bytes(twin.extra_data) if bytes(twin.extra_data) == b"dao-hard-fork" else self.rng.randbytes(3)
            ommer = dataclasses.replace(twin, coinbase=addr(40 + self.rng.randrange(3)), extra_data=Bytes(extra),
                                        nonce=Bytes8(self.rng.randbytes(8)))
            digest = bytes(keccak256(rlp.encode(ommer)))
            if digest not in self.named and all(o[0] != digest for o in out):
                out.append((digest, ommer))
        self.named.update(digest for digest, _ in out)
        return [ommer for _, ommer in out]

    def add(self, txs_max=5, time=None):
        rng = self.rng
        parent = self.chain.blocks[-1].header
        number = int(parent.number) + 1
        time = time or int(parent.timestamp) + rng.choice([1, 5, 9, 10, 13, 20, 200])
        fork = self.next_fork(number, time)
        self.enter(fork, number)
        f = fork.fork
        limit = int(parent.gas_limit)
        doubled = fork.since("london") and not hasattr(parent, "base_fee_per_gas")
        if doubled:
            limit *= 2
        limit += rng.choice([0, 0, limit // 1024 - 1, 1 - limit // 1024])
        fields = dict(parent_hash=keccak256(rlp.encode(parent)), coinbase=addr(30 + rng.randrange(4)), difficulty=Uint(0),
                      number=Uint(number), gas_limit=Uint(limit), timestamp=U256(time), extra_data=Bytes(rng.randbytes(rng.randrange(5))),
                      mix_digest=Bytes32(rng.randbytes(32)), prev_randao=Bytes32(rng.randbytes(32)), nonce=Bytes8(bytes(8)),
                      base_fee_per_gas=None, excess_blob_gas=None, parent_beacon_block_root=Bytes32(rng.randbytes(32)),
                      ommers_hash=None, withdrawals_root=None, blob_gas_used=None, requests_hash=None)
        if fork.name in ("dao_fork",):
            if number < int(f.FORK_CRITERIA.block_number) + 10:
                fields["extra_data"] = Bytes(b"dao-hard-fork")
        base_fee = None
        if fork.since("london"):
            base_fee = 10**9 if doubled else int(f.calculate_base_fee_per_gas(
                Uint(limit), parent.gas_limit, parent.gas_used, parent.base_fee_per_gas))
            fields["base_fee_per_gas"] = Uint(base_fee)
        if fork.since("cancun"):
            fields["excess_blob_gas"] = f.calculate_excess_blob_gas(parent)
        ommers, withdrawals = [], []
        if not fork.since("paris"):
            args = [Uint(number), U256(time), parent.timestamp, parent.difficulty]
            if fork.since("byzantium"):
                args.append(parent.ommers_hash != keccak256(rlp.encode([])))
            fields["difficulty"] = Uint(f.calculate_block_difficulty(*args))
            fields["nonce"] = Bytes8(rng.randbytes(8))
            ommers = self.ommers(fork, number)
        fields["ommers_hash"] = keccak256(rlp.encode(tuple(ommers)))
        if fork.since("shanghai"):
            W = fork.blocks.Withdrawal
            for _ in range(rng.randrange(4)):
                withdrawals.append(W(index=U64(self.withdrawal), validator_index=U64(rng.randrange(100)),
                                     address=rng.choice([addr(99), addr(50), SENDERS[1], addr(1)]), amount=U256(rng.choice([0, 1, 10**9]))))
                self.withdrawal += 1
        txs, budget = [], limit
        kept = dict(self.nonces)
        for _ in range(rng.randrange(txs_max + 1)):
            sender, tx = self.transaction(fork, base_fee, None)
            encoded = fork.txs.encode_transaction(tx) if hasattr(fork.txs, "encode_transaction") else tx
            probe = self.copy(fork)
            try:
                self.run(fork, probe, fields, txs + [encoded], ommers, withdrawals)
            except Exception as error:
                continue
            txs.append(encoded)
            account = fork.state.get_account(probe.state, sender)
            for who in SENDERS:
                self.nonces[who] = int(fork.state.get_account(probe.state, who).nonce)
            if isinstance(tx.to, Bytes0) or len(tx.to) == 0:
                self.made.append(Bytes20(keccak256(rlp.encode((sender, Uint(int(account.nonce) - 1))))[12:]))
        fields = self.run(fork, self.copy(fork), fields, txs, ommers, withdrawals)
        header = self.header(fork, fields)
        block = self.block(fork, header, txs, ommers, withdrawals)
        wrong = list(self.wrong(fork, block))
        f.state_transition(self.chain, block)
        self.td += int(header.difficulty)
        self.difficulties.append(self.td)
        return fork, block, wrong

    def wrong(self, fork, block):
        """Changed blocks, each refused by the specification."""
        rng, h = self.rng, block.header
        changes = [("gas_used", Uint(int(h.gas_used) + 1)), ("state_root", Bytes32(rng.randbytes(32))),
                   ("receipt_root", Bytes32(rng.randbytes(32))), ("transactions_root", Bytes32(rng.randbytes(32))),
                   ("number", Uint(int(h.number) + 1)), ("timestamp", self.chain.blocks[-1].header.timestamp),
                   ("gas_limit", Uint(int(h.gas_limit) * 2)), ("extra_data", Bytes(rng.randbytes(33))),
                   ("parent_hash", Bytes32(rng.randbytes(32))), ("difficulty", Uint(int(h.difficulty) + 1)),
                   ("bloom", Bytes256(rng.randbytes(256))), ("coinbase", addr(31 if h.coinbase != addr(31) else 32)),
                   ("ommers_hash", Bytes32(rng.randbytes(32)))]
        if fork.since("london"): changes += [("base_fee_per_gas", Uint(int(h.base_fee_per_gas) + 1))]
        if fork.since("shanghai"): changes += [("withdrawals_root", Bytes32(rng.randbytes(32)))]
        if fork.since("cancun"): changes += [("blob_gas_used", U64(int(h.blob_gas_used) + 131072)), ("excess_blob_gas", U64(int(h.excess_blob_gas) + 1)),
                                             ("parent_beacon_block_root", Bytes32(rng.randbytes(32)))]
        if fork.since("prague"): changes += [("requests_hash", Bytes32(rng.randbytes(32)))]
        candidates = [dataclasses.replace(block, header=dataclasses.replace(h, **{name: value})) for name, value in rng.sample(changes, 2)]
        if block.transactions:
            candidates.append(dataclasses.replace(block, transactions=block.transactions[:-1]))
        if block.ommers:
            twice = block.ommers + block.ommers[:1]
            candidates.append(dataclasses.replace(block, ommers=twice, header=dataclasses.replace(h, ommers_hash=keccak256(rlp.encode(twice)))))
        if not fork.since("paris") and len(self.chain.blocks) > 2:
            for other in (self.chain.blocks[-1].header, self.chain.blocks[max(0, len(self.chain.blocks) - 9)].header):
                bad = (dataclasses.replace(other, coinbase=addr(45)),)
                candidates.append(dataclasses.replace(block, ommers=bad, header=dataclasses.replace(h, ommers_hash=keccak256(rlp.encode(bad)))))
        for candidate in rng.sample(candidates, min(2, len(candidates))):
            probe = self.copy(fork)
            try:
                fork.fork.state_transition(probe, candidate)
            except Exception:
                yield candidate


def number(n):
    return hex(int(n))


def accounts(alloc):
    return {"0x" + bytes(at).hex(): {"nonce": number(nonce), "balance": number(balance), "code": "0x" + code.hex(),
            "storage": {number(k): number(v) for k, v in slots.items()}} for at, (nonce, balance, code, slots) in alloc.items()}


def raw(block):
    return bytes(rlp.encode(block))


def test(network, schedule, seed, blocks, ttd=None, times=None):
    chain = Chain(schedule, random.Random(seed), ttd)
    out = []
    for n in range(blocks):
        fork, block, wrong = chain.add(time=times(n) if times else None)
        for bad in wrong:
            out.append({"rlp": "0x" + raw(bad).hex(), "expectException": "changed"})
        out.append({"rlp": "0x" + raw(block).hex(), "blockHeader": {"number": number(block.header.number)}})
    last = chain.chain.blocks[-1].header
    return {
        "network": network, "sealEngine": "NoProof",
        "config": {"network": network, "chainid": "0x01"},
        "genesisBlockHeader": {"hash": "0x" + bytes(keccak256(rlp.encode(chain.genesis.header))).hex()},
        "genesisRLP": "0x" + raw(chain.genesis).hex(),
        "pre": accounts(chain.alloc), "blocks": out,
        "lastblockhash": "0x" + bytes(keccak256(rlp.encode(last))).hex(),
        **({"postState": accounts(dump(chain.chain.state))} if seed % 3 == 0 else
           {"postStateHash": "0x" + bytes(last.state_root).hex()}),
    }


BLOCK_FIELDS = {"homestead": "homesteadBlock", "tangerine_whistle": "eip150Block", "spurious_dragon": ("eip155Block", "eip158Block"),
                "byzantium": "byzantiumBlock", "constantinople": ("constantinopleBlock", "petersburgBlock"), "istanbul": "istanbulBlock",
                "muir_glacier": "muirGlacierBlock", "berlin": "berlinBlock", "london": "londonBlock",
                "arrow_glacier": "arrowGlacierBlock", "gray_glacier": "grayGlacierBlock", "dao_fork": "daoForkBlock",
                "shanghai": "shanghaiTime", "cancun": "cancunTime", "prague": "pragueTime", "osaka": "osakaTime",
                "bpo1": "bpo1Time", "bpo2": "bpo2Time"}
SCHEDULE = {"cancun": (3, 6, 3338477), "prague": (6, 9, 5007716), "osaka": (6, 9, 5007716), "bpo1": (10, 15, 8346193), "bpo2": (14, 21, 11684671)}


def whole(seed, per_fork):
    """One chain through all forks: genesis.json, chain.rlp, and what it must come to."""
    rng = random.Random(seed)
    schedule, config = [("frontier", 0, "block")], {"chainId": CHAIN_ID}
    chain_names = [n for n in NAMES if n not in ("frontier",)]
    block = per_fork
    for name in chain_names[:chain_names.index("paris")]:
        schedule.append((name, block, "block"))
        fields = BLOCK_FIELDS[name]
        for field in (fields if isinstance(fields, tuple) else (fields,)):
            config[field] = block
        block += per_fork + (8 if name == "dao_fork" else 0)
    config["daoForkSupport"] = True
    probe = Chain(list(schedule) + [("paris", 2**256, "diff")], random.Random(seed))
    for n in range(block):
        probe.add()
    ttd = probe.td
    config["terminalTotalDifficulty"] = ttd
    config["depositContractAddress"] = "0x" + bytes(DEPOSIT_CONTRACT).hex()
    start = int(probe.chain.blocks[-1].header.timestamp)
    schedule.append(("paris", ttd, "diff"))
    for n, name in enumerate(chain_names[chain_names.index("shanghai"):]):
        at = start + 200 * per_fork * (n + 1)
        schedule.append((name, at, "time"))
        config[BLOCK_FIELDS[name]] = at
    config["blobSchedule"] = {name: {"target": t, "max": m, "baseFeeUpdateFraction": f} for name, (t, m, f) in SCHEDULE.items()}
    chain = Chain(schedule, random.Random(seed), ttd)
    end = start + 200 * per_fork * (len(chain_names) - chain_names.index("shanghai") + 2)
    blocks = []
    while int(chain.chain.blocks[-1].header.timestamp) < end:
        fork, made, _ = chain.add()
        blocks.append((fork.name, made))
    genesis = chain.genesis.header
    file = {"config": config, "nonce": "0x0", "timestamp": "0x0", "extraData": "0x" + bytes(genesis.extra_data).hex(),
            "gasLimit": number(genesis.gas_limit), "difficulty": number(genesis.difficulty), "mixHash": "0x" + "00" * 32,
            "coinbase": "0x" + "00" * 20,
            "alloc": {at: {**a, "storage": {"0x%064x" % int(k, 16): "0x%064x" % int(v, 16) for k, v in a["storage"].items()}} for at, a in accounts(chain.alloc).items()}}
    return file, blocks, chain


if __name__ == "__main__":
    system_contracts()
    folder, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
    blocks = int(sys.argv[3]) if len(sys.argv) > 3 else 6
    tests = {}
    for name in NAMES:
        if name in ("dao_fork",):
            continue
        kind = "time" if FORKS[name].since("paris") else "block"
        tests[NETWORK[name]] = test(NETWORK[name], [(name, 0, kind)], seed * 1000 + ORDER[name], blocks)
    pairs = [("frontier", "homestead"), ("homestead", "dao_fork"), ("homestead", "tangerine_whistle"), ("tangerine_whistle", "spurious_dragon"),
             ("spurious_dragon", "byzantium"), ("byzantium", "constantinople"), ("constantinople", "istanbul"), ("berlin", "london")]
    for a, b in pairs:
        name = "%sTo%sAt5" % (NETWORK[a], NETWORK[b])
        tests[name] = test(name, [(a, 0, "block"), (b, 5, "block")], seed * 1000 + 100 + ORDER[b], max(blocks, 7))
    for a, b in zip(NAMES[NAMES.index("paris"):], NAMES[NAMES.index("shanghai"):]):
        name = "%sTo%sAtTime15k" % (NETWORK[a], NETWORK[b])
        tests[name] = test(name, [(a, 0, "time"), (b, 15000, "time")], seed * 1000 + 200 + ORDER[b], 6,
                                             times=lambda n: 14_970 + 12 * n)
    name = "ArrowGlacierToParisAtDiffC0000"
    tests[name] = test(name, [("arrow_glacier", 0, "block"), ("paris", 0xc0000, "diff")], seed * 1000 + 300, 9, ttd=0xc0000)
    os.makedirs(folder + "/tests", exist_ok=True)
    for name, made in tests.items():
        json.dump({name: made}, open("%s/tests/%s.json" % (folder, name), "w"), indent=0)
    if len(sys.argv) > 4:
        os.makedirs(folder + "/chain", exist_ok=True)
        genesis, made, chain = whole(seed, int(sys.argv[4]))
        json.dump(genesis, open(folder + "/chain/genesis.json", "w"), indent=1)
        with open(folder + "/chain/chain.rlp", "wb") as out:
            for _, block in made:
                out.write(raw(block))
        head = chain.chain.blocks[-1].header
        open(folder + "/chain/head.txt", "w").write(bytes(keccak256(rlp.encode(head))).hex() + "\n")
