// ETH and a token with odd words cross the token bridge; `tributary tokens` lists them, and the list fits Uniswap's schema.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createPublicClient, createWalletClient, defineChain, getContract, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import Ajv from 'ajv'
import addFormats from 'ajv-formats'
import { accountsOf, artifact, dev, expect, tell } from './shared.mjs'

const ETH = '0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE'
const chainOf = (name, { rpc, chainId }, symbol) =>
  defineChain({ id: chainId, name, nativeCurrency: { name: symbol, symbol, decimals: 18 }, rpcUrls: { default: { http: [rpc] } } })
const account = privateKeyToAccount(accountsOf(9)[0].privateKey)
const l1 = createPublicClient({ chain: chainOf('L1', dev.l1, 'ETH'), transport: http(), pollingInterval: 100 })
const l2 = createPublicClient({ chain: chainOf('L2', dev.l2, 'OPEN'), transport: http(), pollingInterval: 50 })
const wallet = createWalletClient({ chain: l1.chain, transport: http(), account })

async function mined(hash) {
  const receipt = await l1.waitForTransactionReceipt({ hash })
  expect(receipt.status === 'success', `${hash} succeeded on L1`)
  return receipt
}
const at = (name, address, client) => getContract({ abi: artifact(name).abi, address, client })
const bridge = at('L1TokenBridge', dev.contracts.tokenBridge, { public: l1, wallet })
const { abi, bytecode } = artifact('OpenToken')
const token = (await mined(await wallet.deployContract({ abi, bytecode, args: [account.address] }))).contractAddress
const [open, other] = [dev.contracts.openToken, token].map((address) => at('OpenToken', address, { public: l1, wallet }))
const amount = 10n ** 18n
await mined(await other.write.mint([account.address, amount]))
for (const erc20 of [open, other]) await mined(await erc20.write.approve([bridge.address, 2n ** 256n - 1n]))

const cost = await bridge.read.depositGasCost([ETH])
expect(cost > 0n, 'L2 gas costs OPEN')
const before = await open.read.balanceOf([account.address])
await mined(await bridge.write.depositETHTo([account.address], { value: amount }))
expect(before - (await open.read.balanceOf([account.address])) === cost, 'a deposit costs what it said')
await mined(await bridge.write.depositERC20To([token, account.address, amount]))

for (const l1Token of [ETH, token]) {
  const address = await bridge.read.l2TokenOf([l1Token])
  expect(address === (await at('L2TokenBridge', dev.predeploys.tokenBridge, l2).read.tokenOf([l1Token])), 'both sides name one address')
  const erc20 = at('BridgedToken', address, l2)
  for (let i = 0; ; i++) {
    if ((await l2.getCode({ address })) && (await erc20.read.balanceOf([account.address])) === amount) break
    expect(i < 600, `${l1Token} arrived within 60 s`)
    await new Promise((wake) => setTimeout(wake, 100))
  }
}

// The published package holds the schema and no built code.
const schema = JSON.parse(readFileSync(new URL('node_modules/@uniswap/token-lists/src/tokenlist.schema.json', import.meta.url), 'utf8'))
const list = JSON.parse(execFileSync('./tributary', ['tokens', '--rpc', dev.l2.rpc], { encoding: 'utf8' }))
const ajv = new Ajv({ allErrors: true })
addFormats(ajv)
expect(ajv.validate(schema, list), `the token list fits its schema: ${ajv.errorsText()}`)
const find = (l1Token) => list.tokens.find((t) => t.extensions.bridgeInfo[dev.l1.chainId].tokenAddress.toLowerCase() === l1Token.toLowerCase())
expect(find(ETH)?.symbol === 'WETH' && find(ETH).decimals === 18, 'ETH is listed as WETH')
expect(find(token)?.address === (await bridge.read.l2TokenOf([token])), 'the other token is listed with its L2 address')
tell({ client: 'tokens', listed: list.tokens.length })
