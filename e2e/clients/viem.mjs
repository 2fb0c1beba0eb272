// The story told by viem: also subscriptions, EIP-7702 and the synchronous send.
import { createPublicClient, createWalletClient, defineChain, http, webSocket, parseEventLogs, keccak256 } from 'viem'
import { privateKeyToAccount, generatePrivateKey } from 'viem/accounts'
import { accountsOf, artifact, dev, expect, refused, story, tell } from './shared.mjs'

const chain = defineChain({
  id: dev.l2.chainId,
  name: 'Tributary dev',
  nativeCurrency: { name: 'OPEN', symbol: 'OPEN', decimals: 18 },
  rpcUrls: { default: { http: [dev.l2.rpc], webSocket: [dev.l2.ws] } },
})
const [me, other] = accountsOf(0).map((a) => privateKeyToAccount(a.privateKey))
const node = createPublicClient({ chain, transport: http(), pollingInterval: 50 })
const live = createPublicClient({ chain, transport: webSocket() })
const wallet = createWalletClient({ chain, transport: http(), account: me })
const findings = { client: 'viem' }

expect((await node.getChainId()) === dev.l2.chainId, 'chain id')
expect((await node.getBalance({ address: me.address })) > 10n ** 20n, 'a dev account has OPEN')
const block = await node.getBlock()
expect(block.baseFeePerGas > 0n && block.number === (await node.getBlock({ blockHash: block.hash })).number, 'blocks')
expect((await node.getFeeHistory({ blockCount: 4, rewardPercentiles: [25, 75] })).baseFeePerGas.length >= 2, 'fee history')
const fees = await node.estimateFeesPerGas()
expect(fees.maxFeePerGas >= block.baseFeePerGas, 'fee estimate')

// Subscriptions are opened first and counted at the end.
const seen = { heads: 0, logs: 0, pending: 0 }
const closers = [
  live.watchBlockNumber({ onBlockNumber: () => seen.heads++ }),
  live.watchPendingTransactions({ onTransactions: (h) => (seen.pending += h.length) }),
]

/** Sends, and checks that the sender paid value and gas and nothing else. */
async function sendExactly(request) {
  const before = await node.getBalance({ address: me.address })
  const hash = await wallet.sendTransaction(request)
  const receipt = await node.waitForTransactionReceipt({ hash })
  const after = await node.getBalance({ address: me.address })
  expect(receipt.status === 'success', `type ${request.type} succeeded`)
  expect(before - after === (request.value ?? 0n) + receipt.gasUsed * receipt.effectiveGasPrice, `${request.type}: exact cost`)
  const seenTx = await node.getTransaction({ hash })
  expect(seenTx.blockHash === receipt.blockHash && seenTx.from.toLowerCase() === me.address.toLowerCase(), 'transaction is found')
  return receipt
}

const value = BigInt(story.transferWei)
const receiver = privateKeyToAccount(generatePrivateKey()).address
for (const type of ['legacy', 'eip2930', 'eip1559']) {
  const receipt = await sendExactly({ type, to: receiver, value, ...(type === 'eip2930' ? { accessList: [] } : {}) })
  findings[`gas ${type}`] = receipt.gasUsed
}
expect((await node.getBalance({ address: receiver })) === 3n * value, 'receiver has all of it')

// EIP-7702: an account delegates to WOPEN and back.
const authorization = await wallet.signAuthorization({ account: me, contractAddress: dev.predeploys.wrappedOpen, executor: 'self' })
const delegated = await sendExactly({ type: 'eip7702', to: receiver, authorizationList: [authorization] })
expect(delegated.status === 'success', 'type 4')
expect((await node.getCode({ address: me.address })).startsWith('0xef0100'), 'delegation is in place')
const back = await wallet.signAuthorization({ account: me, contractAddress: '0x0000000000000000000000000000000000000000', executor: 'self' })
await sendExactly({ type: 'eip7702', to: receiver, authorizationList: [back] })
expect((await node.getCode({ address: me.address })) === undefined, 'delegation is gone')

// An OpenZeppelin contract.
const token = artifact('OpenToken')
const deployed = await node.waitForTransactionReceipt({
  hash: await wallet.deployContract({ abi: token.abi, bytecode: token.bytecode, args: [me.address] }),
})
const erc20 = { address: deployed.contractAddress, abi: token.abi }
closers.push(live.watchContractEvent({ ...erc20, eventName: 'Transfer', onLogs: (l) => (seen.logs += l.length) }))
const call = async (functionName, args) => node.waitForTransactionReceipt({ hash: await wallet.writeContract({ ...erc20, functionName, args }) })
await call('mint', [me.address, BigInt(story.mintWei)])
await call('transfer', [other.address, BigInt(story.moveWei)])
findings['balance'] = await node.readContract({ ...erc20, functionName: 'balanceOf', args: [other.address] })
const logs = await node.getContractEvents({ ...erc20, eventName: 'Transfer', fromBlock: deployed.blockNumber })
findings['transfer logs'] = logs.length
await refused('execution reverted', () => node.simulateContract({ ...erc20, functionName: 'transfer', args: [other.address, 10n ** 40n], account: me }).catch((e) => { throw Object.assign(e, { details: `${e.details ?? ''} ${e.walk?.()?.name === 'ContractFunctionRevertedError' ? 'execution reverted' : ''}` }) }))

// A lineage and a paid inference.
const registry = { address: dev.predeploys.assetRegistry, abi: artifact('AssetRegistry').abi }
const router = { address: dev.predeploys.revenueRouter, abi: artifact('RevenueRouter').abi }
const zero = `0x${'00'.repeat(32)}`
const write = async (contract, functionName, args, value) => {
  const { request, result } = await node.simulateContract({ ...contract, functionName, args, value, account: me })
  const receipt = await node.waitForTransactionReceipt({ hash: await wallet.writeContract(request) })
  expect(receipt.status === 'success', functionName)
  return { result, receipt }
}
const register = (kind, parents, upstream) => write(registry, 'register', [kind, keccak256('0x01'), 'ipfs://x', parents, upstream, 0, zero, me.address])
const { result: data } = await register(story.kinds.DATANET, [], 0)
const { result: base } = await register(story.kinds.BASE_MODEL, [{ id: data, weightPpb: 10 ** 9, edge: story.edges.TRAINED_ON }], story.upstreamPpb)
const { result: adapter } = await register(story.kinds.ADAPTER, [{ id: base, weightPpb: 10 ** 9, edge: story.edges.DERIVED }], story.upstreamPpb)
const { result: operator } = await write(router, 'registerOperator', [other.address, story.operatorSharePpb])
const amount = BigInt(story.payWei)
const [, , amounts] = await node.readContract({ ...router, functionName: 'quote', args: [adapter, operator, 0n, amount] })
expect(amounts.reduce((a, b) => a + b, 0n) === amount, 'the quote adds up')
const { receipt: paid } = await write(router, 'pay', [adapter, operator, 0n, story.ref], amount)
const [routed] = parseEventLogs({ abi: router.abi, logs: paid.logs, eventName: 'Routed' })
findings['routed'] = [routed.args.amount, routed.args.protocol, routed.args.burned, routed.args.operator_, routed.args.agent_, routed.args.lineage, routed.args.stakers]

// The synchronous send answers with the receipt.
const sync = await wallet.sendTransactionSync({ to: receiver, value: 1n })
expect(sync.status === 'success' && sync.blockNumber > 0n, 'eth_sendRawTransactionSync')

// All one has: gas is one number, so nothing is left over.
const fresh = privateKeyToAccount(generatePrivateKey())
await sendExactly({ type: 'eip1559', to: fresh.address, value: 10n ** 18n })
const price = (await node.getBlock()).baseFeePerGas * 2n
const gas = await node.estimateGas({ account: fresh, to: receiver, value: 1n })
const all = await createWalletClient({ chain, transport: http(), account: fresh }).sendTransaction({
  to: receiver, value: 10n ** 18n - gas * price, gas, maxFeePerGas: price, maxPriorityFeePerGas: price,
})
const emptied = await node.waitForTransactionReceipt({ hash: all })
expect(emptied.status === 'success', 'send max')
const left = await node.getBalance({ address: fresh.address })
expect(left === (gas - emptied.gasUsed) * price, 'send max leaves nothing but unused gas')

// Tags are ordered.
const at = async (blockTag) => (await node.getBlock({ blockTag })).number
const [finalized, safe, latest] = [await at('finalized'), await at('safe'), await at('latest')]
expect(finalized <= safe && safe <= latest, 'finalized <= safe <= latest')

// Refusals, in geth's words.
const raw = async (over) => node.request({ method: 'eth_sendRawTransaction', params: [await me.signTransaction({
  type: 'eip1559', chainId: chain.id, nonce: await node.getTransactionCount({ address: me.address }), to: receiver, value: 1n,
  gas: 100000n, maxFeePerGas: fees.maxFeePerGas * 2n, maxPriorityFeePerGas: 1n, ...over })] })
findings.refusals = [
  await refused('nonce too low', () => raw({ nonce: 0 })),
  await refused('insufficient funds for gas * price + value', () => raw({ value: 10n ** 40n })),
  await refused('intrinsic gas too low', () => raw({ gas: 20_000n })),
  await refused('invalid chain id', () => raw({ chainId: 1 })),
]
await new Promise((r) => setTimeout(r, 1000))
closers.forEach((close) => close())
expect(seen.heads > 3, `newHeads were seen (${seen.heads})`)
expect(seen.pending > 3, `pending transactions were seen (${seen.pending})`)
expect(seen.logs >= 2, `logs were seen (${seen.logs})`)
tell(findings)
process.exit(0)
