"""Rebuilds every transaction of a running node from L1, and compares with what the node says: live.py DEV_JSON blobs|calldata.

Reads the inbox's logs and the blob API of L1, and `eth_getBlockByNumber` of L2, nothing else of either.
"""
import json
import pathlib
import sys
import time
import tomllib
from collections import Counter

from eth_utils import keccak
from requests import get
from web3 import Web3

from batch import Rules
from records import BLOBS, CALLDATA, Chain

PATIENCE_S = 60
ARTIFACT = pathlib.Path(__file__).parent / "../../contracts/bindings/artifacts/Inbox.json"


def expect(holds, what):
    if not holds:
        sys.exit(f"✗ {what}")


def wait_until_safe(l2, head):
    """Everything up to `head` must be in a record."""
    deadline = time.monotonic() + PATIENCE_S
    while l2.eth.get_block("safe")["number"] < head:
        expect(time.monotonic() < deadline, f"the safe head did not reach {head} within {PATIENCE_S} s")
        time.sleep(0.2)


def blobs_of(l1_url, log):
    """The blobs of a record, in order; one that stands for several hashes is there once for each."""
    wanted = "&".join(f"versioned_hashes=0x{bytes(h).hex()}" for h in log["args"]["blobHashes"])
    answer = get(f"{l1_url}/eth/v1/beacon/blobs/{log['blockNumber']}?{wanted}", timeout=PATIENCE_S)
    answer.raise_for_status()
    return [bytes.fromhex(blob.removeprefix("0x")) for blob in answer.json()["data"]]


def main():
    dev = json.loads(pathlib.Path(sys.argv[1]).read_text())
    network = tomllib.loads(pathlib.Path(dev["networkFile"]).read_text())
    l1, l2 = (Web3(Web3.HTTPProvider(dev[side]["rpc"])) for side in ("l1", "l2"))
    head = l2.eth.block_number
    wait_until_safe(l2, head)
    inbox = l1.eth.contract(Web3.to_checksum_address(dev["contracts"]["inbox"]), abi=json.loads(ARTIFACT.read_text())["abi"])
    posted = inbox.events.Posted().get_logs(from_block=0)
    entries = [tuple(log["args"]["entry"].values()) for log in inbox.events.Enqueued().get_logs(from_block=0)]
    rules = Rules(network["chain"]["id"], network["batch"]["decoded_bytes_max"], network["batch"]["blocks_max"])
    chain = Chain(rules, l2.eth.get_block(0)["timestamp"], entries)

    number, kinds, types = 0, Counter(), Counter()
    for log in posted:
        args = log["args"]
        record = tuple(args["record"].values())
        blobs = blobs_of(dev["l1"]["rpc"], log) if args["record"]["kind"] == BLOBS else []
        for block in chain.take(record, args["batchAcc"], args["blobHashes"], args["payload"], blobs):
            number += 1
            theirs = l2.eth.get_block(number)
            expect(block.timestamp == theirs["timestamp"], f"block {number}: another timestamp")
            ours = [keccak(transaction) for transaction in block.transactions]
            expect(ours == [bytes(h) for h in theirs["transactions"]], f"block {number}: other transactions")
            types.update(transaction[0] if transaction[0] < 0x80 else 0 for transaction in block.transactions)
        kinds[args["record"]["kind"]] += 1
    mode = {"calldata": CALLDATA, "blobs": BLOBS}[sys.argv[2]]
    expect(set(kinds) == {mode}, f"records of kind {mode} alone, not {dict(kinds)}")
    expect(number >= head, f"{number} blocks rebuilt, {head} expected")
    expect(len(types) > 1, "transactions of one type only: tell the node a story first")
    print(f"rebuilt {number} blocks from {kinds[mode]} records in {sys.argv[2]}; transactions by type: {dict(types)}")


main()
