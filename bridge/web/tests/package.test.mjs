// Facts about the package that need no node: what it reads, what it computes, and that its ABIs are the contracts' own.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { encodeFunctionData, encodeFunctionResult, toEventSelector, toFunctionSelector } from 'viem'
import { formatAbiItem } from 'viem/utils'
import * as web from '../dist/index.js'

const root = new URL('../../../', import.meta.url)
const text = (path) => readFileSync(new URL(path, root), 'utf8')
const address = (digit) => `0x${digit.repeat(40)}`

const deployed = {
  open_token: address('1'), inbox: address('2'), portal: address('3'), rollup: address('4'),
  system_config: address('5'), timelock: address('6'),
}
/** The development network's file as it is once its contracts are deployed. */
const networkFile = Object.entries(deployed).reduce(
  (file, [name, at]) => file.replace(new RegExp(`^${name} = "0x0{40}"`, 'm'), `${name} = "${at}"`),
  text('config/dev.toml'),
)
const urls = { l1: 'http://127.0.0.1:9545', l2: 'http://127.0.0.1:8545', l2ws: 'ws://127.0.0.1:8545' }

test('a network file becomes a chain that viem knows as an OP chain', () => {
  const network = web.parseNetworkFile(networkFile, urls)
  const chain = web.tributaryChain(network)
  assert.equal(chain.id, 902)
  assert.equal(chain.sourceId, 901)
  assert.equal(chain.blockTime, 250)
  assert.equal(chain.nativeCurrency.symbol, 'OPEN')
  assert.deepEqual(chain.contracts.portal, { 901: { address: deployed.portal } })
  assert.deepEqual(chain.contracts.l2OutputOracle, { 901: { address: deployed.rollup } })
  assert.deepEqual(web.walletNetwork(network), {
    chainId: '0x386', chainName: 'Tributary dev', rpcUrls: [urls.l2],
    nativeCurrency: { name: 'OPEN', symbol: 'OPEN', decimals: 18 },
  })
})

const refused = [
  ['a contract that is not deployed', (file) => file.replace(deployed.portal, address('0')), /portal must be the address of a deployed contract/],
  ['a chain id that is no number', (file) => file.replace(/^id = 902$/m, 'id = "902"'), /id must be a whole number/],
  ['a section that is missing', (file) => file.replace(/^\[contracts\]/m, '[contract]'), /contracts is missing/],
]
for (const [what, change, why] of refused)
  test(`${what} is refused by name`, () => {
    const changed = change(networkFile)
    assert.notEqual(changed, networkFile)
    assert.throws(() => web.parseNetworkFile(changed, urls), why)
  })

test('dev.json without its L1 is refused', () => {
  assert.throws(() => web.parseDev('{"l2":{"chainId":902,"rpc":"x","ws":"y"},"metamask":{"chainName":"n"}}'), /l1 is missing/)
})

test('queue entries have the source hashes that the vectors name', () => {
  const { queue } = JSON.parse(text('e2e/vectors/bridge.json'))
  assert.ok(queue.length > 3)
  for (const entry of queue) assert.equal(web.sourceHash(entry.queueAcc), entry.sourceHash, entry.name)
})

const signatures = (abi) => new Set(abi.filter((i) => i.type === 'function' || i.type === 'event').map(signature))
const signature = (item) =>
  `${item.type} ${item.type === 'event' ? toEventSelector(item) : toFunctionSelector(item)} ${formatAbiItem(item)} -> ${(item.outputs ?? []).map((o) => o.type)} ${item.stateMutability ?? ''}`
for (const [name, abi] of [['OpenToken', web.openTokenAbi], ['Portal', web.portalAbi], ['Inbox', web.inboxAbi]])
  test(`the ABI of ${name} is the contract's own`, () => {
    const contract = signatures(JSON.parse(text(`contracts/bindings/artifacts/${name}.json`)).abi)
    for (const item of abi) assert.ok(contract.has(signature(item)), signature(item))
  })

test('the predeploys are where the node has them', () => {
  const rust = text('sequencer/primitives/src/predeploys.rs').replaceAll('_', '').toLowerCase()
  for (const [name, at] of Object.entries(web.predeploys)) assert.ok(rust.includes(at.slice(2).toLowerCase()), `${name} ${at}`)
})

test('the page calls the router by its own selectors, and reads its quotes', async () => {
  const { selectors, payData, readQuote } = await import('../page/router.js')
  const { abi } = JSON.parse(text('contracts/bindings/artifacts/RevenueRouter.json'))
  for (const name of ['pay', 'quote']) assert.equal(selectors[name], toFunctionSelector(abi.find((i) => i.name === name)))
  const ref = `0x${Buffer.from('receipt 42').toString('hex').padEnd(64, '0')}`
  assert.equal(payData({ asset: 3n, operator: 1n, ref: 'receipt 42' }), encodeFunctionData({ abi, functionName: 'pay', args: [3n, 1, 0n, ref] }))
  const why = [`0x03${'0'.repeat(61)}7`, `0x05${'0'.repeat(61)}9`]
  const answer = encodeFunctionResult({ abi, functionName: 'quote', result: [[address('1'), address('2')], why, [5n, 6n]] })
  assert.deepEqual(readQuote(answer), [{ role: 'operator', id: 7n, amount: 5n }, { role: 'lineage', id: 9n, amount: 6n }])
})

test('amounts are read and written to the wei', async () => {
  const { toOpen, toWei } = await import('../page/amount.js')
  for (const amount of ['0', '1', '1.5', '0.000000000000000001', '123456789.123456789123456789']) assert.equal(toOpen(toWei(amount)), amount)
  for (const no of ['', '1.', '.5', '1e3', '-1', '1.0000000000000000001', '0x10']) assert.throws(() => toWei(no), /no amount/)
})
