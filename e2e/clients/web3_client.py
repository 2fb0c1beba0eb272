"""The story told by web3.py."""
import json
import pathlib
import sys

from web3 import Web3
from web3.exceptions import ContractCustomError, Web3RPCError

here = pathlib.Path(__file__).parent
story = json.loads((here / "story.json").read_text())
dev = json.loads(pathlib.Path(sys.argv[1]).read_text())


def artifact(name):
    return json.loads((here / f"../../contracts/bindings/artifacts/{name}.json").read_text())


w3 = Web3(Web3.HTTPProvider(dev["l2"]["rpc"]))
me, other = [w3.eth.account.from_key(a["privateKey"]) for a in dev["accounts"][4:6]]
findings = {"client": "web3.py"}


def expect(holds, what):
    if not holds:
        sys.exit(f"✗ {what}")


def send(request):
    request = {
        "from": me.address,
        "chainId": dev["l2"]["chainId"],
        "nonce": w3.eth.get_transaction_count(me.address, "pending"),
        **request,
    }
    if "gasPrice" not in request and "maxFeePerGas" not in request:
        base = w3.eth.get_block("latest")["baseFeePerGas"]
        request |= {"maxFeePerGas": 2 * base + 10**6, "maxPriorityFeePerGas": 10**6}
    if "gas" not in request:
        request["gas"] = w3.eth.estimate_gas(request)
    raw = me.sign_transaction(request).raw_transaction
    receipt = w3.eth.wait_for_transaction_receipt(w3.eth.send_raw_transaction(raw), poll_latency=0.05)
    expect(receipt["status"] == 1, "a transaction succeeded")
    return receipt


def send_exactly(request):
    before = w3.eth.get_balance(me.address)
    receipt = send(request)
    paid = before - w3.eth.get_balance(me.address)
    expect(paid == request.get("value", 0) + receipt["gasUsed"] * receipt["effectiveGasPrice"], "exact cost")
    return receipt


expect(w3.eth.chain_id == dev["l2"]["chainId"], "chain id")
expect(w3.eth.get_balance(me.address) > 10**20, "a dev account has OPEN")

value = int(story["transferWei"])
receiver = w3.eth.account.create().address
price = {"gasPrice": w3.eth.gas_price * 2}
findings["gas legacy"] = send_exactly({"to": receiver, "value": value, **price})["gasUsed"]
findings["gas eip2930"] = send_exactly({"to": receiver, "value": value, "type": 1, "accessList": [], **price})["gasUsed"]
findings["gas eip1559"] = send_exactly({"to": receiver, "value": value})["gasUsed"]
expect(w3.eth.get_balance(receiver) == 3 * value, "receiver has all of it")

nonce = w3.eth.get_transaction_count(me.address)
auth = me.sign_authorization({"chainId": dev["l2"]["chainId"], "address": dev["predeploys"]["wrappedOpen"], "nonce": nonce + 1})
send_exactly({"to": receiver, "authorizationList": [auth], "gas": 200_000})
expect(w3.eth.get_code(me.address).hex().removeprefix("0x").startswith("ef0100"), "delegation is in place")
auth = me.sign_authorization({"chainId": dev["l2"]["chainId"], "address": "0x" + "00" * 20, "nonce": nonce + 3})
send_exactly({"to": receiver, "authorizationList": [auth], "gas": 200_000})
expect(w3.eth.get_code(me.address) == b"", "delegation is gone")

open_token = artifact("OpenToken")
factory = w3.eth.contract(abi=open_token["abi"], bytecode=open_token["bytecode"])
deploy = factory.constructor(me.address)
deployed = send({"data": deploy.data_in_transaction, "value": 0})
token = w3.eth.contract(deployed["contractAddress"], abi=open_token["abi"])


def write(function, value=0):
    return send({"to": function.address, "data": function._encode_transaction_data(), "value": value})


write(token.functions.mint(me.address, int(story["mintWei"])))
write(token.functions.transfer(other.address, int(story["moveWei"])))
findings["balance"] = str(token.functions.balanceOf(other.address).call())
findings["transfer logs"] = len(token.events.Transfer().get_logs(from_block=deployed["blockNumber"]))
try:
    token.functions.transfer(other.address, 10**40).call({"from": me.address})
    expect(False, "a transfer of more than there is reverts")
except ContractCustomError:
    pass

registry = w3.eth.contract(w3.to_checksum_address(dev["predeploys"]["assetRegistry"]), abi=artifact("AssetRegistry")["abi"])
router = w3.eth.contract(w3.to_checksum_address(dev["predeploys"]["revenueRouter"]), abi=artifact("RevenueRouter")["abi"])


def register(kind, parents, upstream):
    function = registry.functions.register(kind, w3.keccak(hexstr="0x01"), "ipfs://x", parents, upstream, 0, b"\0" * 32, me.address)
    asset = function.call({"from": me.address})
    write(function)
    return asset


kinds, edges = story["kinds"], story["edges"]
data = register(kinds["DATANET"], [], 0)
base = register(kinds["BASE_MODEL"], [(data, 10**9, edges["TRAINED_ON"])], story["upstreamPpb"])
adapter = register(kinds["ADAPTER"], [(base, 10**9, edges["DERIVED"])], story["upstreamPpb"])
function = router.functions.registerOperator(other.address, story["operatorSharePpb"])
operator = function.call({"from": me.address})
write(function)
paid = write(router.functions.pay(adapter, operator, 0, bytes.fromhex(story["ref"][2:])), int(story["payWei"]))
(routed,) = router.events.Routed().process_receipt(paid, errors=__import__("web3").logs.DISCARD)
args = routed["args"]
findings["routed"] = [str(args[k]) for k in ("amount", "protocol", "burned", "operator_", "agent_", "lineage", "stakers")]

findings["refusals"] = []
good = {"chainId": dev["l2"]["chainId"], "to": receiver, "value": 1, "gas": 100_000, "maxFeePerGas": 10**10, "maxPriorityFeePerGas": 1}
for text, over in (
    ("nonce too low", {"nonce": 0}),
    ("insufficient funds for gas * price + value", {"value": 10**40}),
    ("intrinsic gas too low", {"gas": 20_000}),
    ("invalid chain id", {"chainId": 1}),
    ("max priority fee per gas higher than max fee per gas", {"maxFeePerGas": 1, "maxPriorityFeePerGas": 2}),
):
    request = {"nonce": w3.eth.get_transaction_count(me.address), **good, **over}
    try:
        w3.eth.send_raw_transaction(me.sign_transaction(request).raw_transaction)
        expect(False, f'expected "{text}", but it was accepted')
    except Web3RPCError as error:
        expect(text in str(error), f'expected "{text}", got {error}')
        # The JavaScript clients refuse this one themselves.
        if "maxPriorityFeePerGas" not in over:
            findings["refusals"].append(text)

findings = {k: str(v) if isinstance(v, int) else v for k, v in findings.items()}
print(json.dumps(findings))
