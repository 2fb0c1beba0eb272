#!/usr/bin/env bash
# The story told by Foundry's cast.
set -euo pipefail
here=$(dirname "$0")
dev=$1
cast=$here/../../contracts/node_modules/.bin/cast
get() { node -e 'const [f,p]=process.argv.slice(1);console.log(p.split(".").reduce((o,k)=>o[k],JSON.parse(require("fs").readFileSync(f))))' "$1" "$2"; }
die() { echo "✗ $*" >&2; exit 1; }
export ETH_RPC_URL; ETH_RPC_URL=$(get "$dev" l2.rpc)
key=$(get "$dev" accounts.6.privateKey); me=$(get "$dev" accounts.6.address); other=$(get "$dev" accounts.7.address)
registry=$(get "$dev" predeploys.assetRegistry); router=$(get "$dev" predeploys.revenueRouter)
story=$here/story.json
value=$(get "$story" transferWei)

[ "$($cast chain-id)" = "$(get "$dev" l2.chainId)" ] || die "chain id"
receiver=$($cast wallet new | sed -n 's/^Address: *//p')
# send ARGS…: prints one field of the receipt.
send() { local field=$1; shift; $cast send --private-key "$key" --poll-interval 1 --json "$@" | node -e 'const r=JSON.parse(require("fs").readFileSync(0));if(Number(r.status)!==1)process.exit(1);console.log(r[process.argv[1]])' "$field"; }
number() { printf '%d' "$1"; }

legacy=$(number "$(send gasUsed --legacy --value "$value" "$receiver")")
access=$(number "$(send gasUsed --access-list '[]' --value "$value" "$receiver")")
dynamic=$(number "$(send gasUsed --value "$value" "$receiver")")
[ "$($cast balance "$receiver")" = "$(node -p "3n*${value}n+''")" ] || die "receiver has all of it"

code=$(get "$here/../../contracts/bindings/artifacts/OpenToken.json" bytecode)
arguments=$($cast abi-encode 'c(address)' "$me")
deployed=$($cast send --private-key "$key" --poll-interval 1 --json --create "$code${arguments:2}")
token=$(node -p "JSON.parse(process.argv[1]).contractAddress" "$deployed")
from=$(node -p "Number(JSON.parse(process.argv[1]).blockNumber)" "$deployed")
send status "$token" 'mint(address,uint256)' "$me" "$(get "$story" mintWei)" >/dev/null
send status "$token" 'transfer(address,uint256)' "$other" "$(get "$story" moveWei)" >/dev/null
balance=$($cast call "$token" 'balanceOf(address)(uint256)' "$other" | cut -d' ' -f1)
logs=$($cast logs --json --from-block "$from" --address "$token" 'Transfer(address indexed,address indexed,uint256)' | node -p 'JSON.parse(require("fs").readFileSync(0)).length')

zero=0x0000000000000000000000000000000000000000000000000000000000000000
signature='register(uint8,bytes32,string,(uint64,uint32,uint8)[],uint32,uint32,bytes32,address)'
register() {
    local kind=$1 parents=$2 upstream=$3 id
    id=$($cast call --from "$me" "$registry" "$signature(uint64)" "$kind" "$($cast keccak 0x01)" ipfs://x "$parents" "$upstream" 0 $zero "$me")
    send status "$registry" "$signature" "$kind" "$($cast keccak 0x01)" ipfs://x "$parents" "$upstream" 0 $zero "$me" >/dev/null
    echo "$id"
}
upstream=$(get "$story" upstreamPpb)
data=$(register "$(get "$story" kinds.DATANET)" '[]' 0)
base=$(register "$(get "$story" kinds.BASE_MODEL)" "[($data,1000000000,$(get "$story" edges.TRAINED_ON))]" "$upstream")
adapter=$(register "$(get "$story" kinds.ADAPTER)" "[($base,1000000000,$(get "$story" edges.DERIVED))]" "$upstream")
share=$(get "$story" operatorSharePpb)
operator=$($cast call --from "$me" "$router" 'registerOperator(address,uint32)(uint32)' "$other" "$share")
send status "$router" 'registerOperator(address,uint32)' "$other" "$share" >/dev/null
paid=$($cast send --private-key "$key" --poll-interval 1 --json --value "$(get "$story" payWei)" "$router" 'pay(uint64,uint32,uint64,bytes32)' "$adapter" "$operator" 0 "$(get "$story" ref)")
topic=$($cast sig-event 'Routed(bytes32,uint64,uint32,uint64,address,uint128,uint128,uint128,uint128,uint128,uint128,uint128)')

node -e '
const [legacy, access, dynamic, balance, logs, paid, topic] = process.argv.slice(1)
const log = JSON.parse(paid).logs.find((l) => l.topics[0] === topic)
if (!log) { console.error("✗ no Routed event"); process.exit(1) }
const words = log.data.slice(2).match(/.{64}/g).map((w) => BigInt("0x" + w).toString())
console.log(JSON.stringify({ client: "cast", "gas legacy": legacy, "gas eip2930": access, "gas eip1559": dynamic, balance, "transfer logs": logs, routed: words.slice(2) }))
' "$legacy" "$access" "$dynamic" "$balance" "$logs" "$paid" "$topic"
