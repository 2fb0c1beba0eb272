// The story told by ethers.
import { ethers } from 'ethers'
import { accountsOf, artifact, dev, expect, refused, story, tell } from './shared.mjs'

const node = new ethers.JsonRpcProvider(dev.l2.rpc, undefined, { pollingInterval: 50, cacheTimeout: -1 })
const [me, other] = accountsOf(2).map((a) => new ethers.Wallet(a.privateKey, node))
const findings = { client: 'ethers' }

expect((await node.getNetwork()).chainId === BigInt(dev.l2.chainId), 'chain id')
expect((await node.getBalance(me)) > 10n ** 20n, 'a dev account has OPEN')

async function sendExactly(request) {
  const before = await node.getBalance(me)
  const receipt = await (await me.sendTransaction(request)).wait()
  expect(receipt.status === 1, `type ${request.type}`)
  expect(before - (await node.getBalance(me)) === (request.value ?? 0n) + receipt.fee, `type ${request.type}: exact cost`)
  return receipt
}

const value = BigInt(story.transferWei)
const receiver = ethers.Wallet.createRandom().address
for (const [name, type] of [['legacy', 0], ['eip2930', 1], ['eip1559', 2]]) {
  findings[`gas ${name}`] = (await sendExactly({ type, to: receiver, value })).gasUsed
}
expect((await node.getBalance(receiver)) === 3n * value, 'receiver has all of it')

// EIP-7702.
const nonce = await me.getNonce()
const authorization = me.authorizeSync({ address: dev.predeploys.wrappedOpen, nonce: nonce + 1, chainId: dev.l2.chainId })
await sendExactly({ type: 4, to: receiver, authorizationList: [authorization] })
expect((await node.getCode(me)).startsWith('0xef0100'), 'delegation is in place')
const back = me.authorizeSync({ address: ethers.ZeroAddress, nonce: (await me.getNonce()) + 1, chainId: dev.l2.chainId })
await sendExactly({ type: 4, to: receiver, authorizationList: [back] })

const { abi, bytecode } = artifact('OpenToken')
const token = await new ethers.ContractFactory(abi, bytecode, me).deploy(me.address)
const deployed = await token.deploymentTransaction().wait()
await (await token.mint(me.address, BigInt(story.mintWei))).wait()
await (await token.transfer(other.address, BigInt(story.moveWei))).wait()
findings['balance'] = await token.balanceOf(other.address)
findings['transfer logs'] = (await token.queryFilter('Transfer', deployed.blockNumber)).length
await refused('ERC20InsufficientBalance', () => token.transfer.staticCall(other.address, 10n ** 40n))

const registry = new ethers.Contract(dev.predeploys.assetRegistry, artifact('AssetRegistry').abi, me)
const router = new ethers.Contract(dev.predeploys.revenueRouter, artifact('RevenueRouter').abi, me)
async function register(kind, parents, upstream) {
  const args = [kind, ethers.keccak256('0x01'), 'ipfs://x', parents, upstream, 0, ethers.ZeroHash, me.address]
  const id = await registry.register.staticCall(...args)
  await (await registry.register(...args)).wait()
  return id
}
const whole = 10 ** 9
const data = await register(story.kinds.DATANET, [], 0)
const base = await register(story.kinds.BASE_MODEL, [{ id: data, weightPpb: whole, edge: story.edges.TRAINED_ON }], story.upstreamPpb)
const adapter = await register(story.kinds.ADAPTER, [{ id: base, weightPpb: whole, edge: story.edges.DERIVED }], story.upstreamPpb)
const operator = await router.registerOperator.staticCall(other.address, story.operatorSharePpb)
await (await router.registerOperator(other.address, story.operatorSharePpb)).wait()
const paid = await (await router.pay(adapter, operator, 0n, story.ref, { value: BigInt(story.payWei) })).wait()
const routed = paid.logs.map((log) => { try { return router.interface.parseLog(log) } catch { return null } }).find((l) => l?.name === 'Routed').args
findings['routed'] = [routed.amount, routed.protocol, routed.burned, routed.operator_, routed.agent_, routed.lineage, routed.stakers]

const raw = async (over) => node.send('eth_sendRawTransaction', [await me.signTransaction({
  type: 2, chainId: dev.l2.chainId, nonce: await me.getNonce(), to: receiver, value: 1n, gasLimit: 100000n,
  maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n, ...over })])
findings.refusals = [
  await refused('nonce too low', () => raw({ nonce: 0 })),
  await refused('insufficient funds for gas * price + value', () => raw({ value: 10n ** 40n })),
  await refused('intrinsic gas too low', () => raw({ gasLimit: 20_000n })),
  await refused('invalid chain id', () => raw({ chainId: 1 })),
]
tell(findings)
process.exit(0)
