// The page of bridge/web in headless Chromium, with a wallet that announces itself by EIP-6963 and is MetaMask's controllers:
// connect, add the network, send, pay for an inference. Keeps a picture of the end beside the story.
import { mkdirSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { openWallet } from './metamask.mjs'
import { dev, expect, fresh } from './shared.mjs'

const [, , , url, browserPath, asset, operator] = process.argv
const OPEN = 10n ** 18n
const me = dev.accounts[7]

/** The wallet's side of EIP-1193: what a person would be asked is granted, and noted. */
const wallet = openWallet([me])
const granted = []
let chainId = '0x1'
async function serve({ method, params = [] }) {
  switch (method) {
    case 'eth_requestAccounts':
      granted.push(method)
      return [me.address]
    case 'eth_accounts':
      return granted.includes('eth_requestAccounts') ? [me.address] : []
    case 'eth_chainId':
      return chainId
    case 'wallet_addEthereumChain': {
      granted.push(method)
      const [asked] = params
      // As MetaMask does: the node itself must confirm the chain id, and the coin have eighteen decimals.
      const answer = await fetch(asked.rpcUrls[0], {
        method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}',
      })
      if ((await answer.json()).result !== asked.chainId) throw { code: -32602, message: 'the RPC has another chain id' }
      if (!/^.{2,6}$/.test(asked.nativeCurrency.symbol) || asked.nativeCurrency.decimals !== 18) throw { code: -32602, message: 'a currency no wallet takes' }
      await wallet.addNetwork(asked)
      return null
    }
    case 'wallet_switchEthereumChain':
      granted.push(method)
      if (params[0].chainId !== wallet.networks.getSelectedChainId()) throw { code: 4902, message: 'Unrecognized chain ID' }
      chainId = params[0].chainId
      return null
    case 'eth_sendTransaction':
      granted.push(method)
      return (await wallet.send(params[0])).hash
    default:
      throw { code: 4200, message: `the page asked the wallet for ${method}` }
  }
}

const browser = await chromium.launch({
  executablePath: browserPath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})
const page = await browser.newPage({ viewport: { width: 900, height: 1100 } })
page.setDefaultTimeout(20_000)
const wrong = []
page.on('pageerror', (error) => wrong.push(String(error)))
page.on('console', (message) => { if (message.type() === 'error') wrong.push(message.text()) })
page.on('request', (request) => { if (new URL(request.url()).hostname !== '127.0.0.1' && !request.url().startsWith('data:')) wrong.push(`asked ${request.url()}`) })
await page.exposeFunction('walletServe', (call) => serve(call).then((result) => ({ result }), (error) => ({ error: { code: error.code ?? -32603, message: error.message } })))
await page.addInitScript(() => {
  const listeners = {}
  const provider = Object.freeze({
    async request(call) {
      const { result, error } = await window.walletServe(call)
      if (error) throw Object.assign(new Error(error.message), { code: error.code })
      if (call.method === 'wallet_switchEthereumChain') listeners.chainChanged?.forEach((tell) => tell(call.params[0].chainId))
      return result
    },
    on(event, listener) { (listeners[event] ??= []).push(listener) },
  })
  const detail = Object.freeze({ info: Object.freeze({ uuid: 'c0ffee00-0000-4000-8000-000000000000', name: 'Scripted', icon: 'data:,', rdns: 'test.scripted' }), provider })
  const announce = () => window.dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail }))
  window.addEventListener('eip6963:requestProvider', announce)
  announce()
})

const ask = async (method, ...params) => {
  const answer = await fetch(dev.l2.rpc, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) })
  return (await answer.json()).result
}
const balance = async (address) => BigInt(await ask('eth_getBalance', address, 'latest'))
const output = async (form) => {
  const said = page.locator(`#${form} output`)
  await said.filter({ hasText: /in block|Not done/ }).waitFor()
  return said.textContent()
}
/** Whether the button of a form may be used. */
const mayUse = (form) => page.locator(`#${form} button`).isEnabled()

await page.goto(url)
// The network, read from the node before any wallet is asked.
await page.locator('#chain', { hasText: String(dev.l2.chainId) }).waitFor()
await page.locator('#latest', { hasText: /^[0-9]+$/ }).waitFor()
expect(!(await mayUse('send')) && !(await mayUse('pay')), 'nothing can be sent before a wallet is on the chain')

await page.getByRole('button', { name: 'Connect Scripted' }).click()
await page.locator('#address', { hasText: me.address }).waitFor()
expect(!(await mayUse('send')), 'nothing can be sent while the wallet is on another chain')
await page.getByRole('button', { name: 'Add this network to the wallet' }).click()
await page.locator('#add').waitFor({ state: 'hidden' })
expect(await mayUse('send'), 'the wallet is on the chain')
expect(wallet.networks.getNetworkConfigurationByChainId(dev.metamask.chainId)?.name === dev.metamask.chainName, 'the wallet has the network')
await page.locator('#balance', { hasText: /^[0-9.]+ OPEN$/ }).waitFor()

// Send.
const receiver = fresh().address
await page.locator('#send [name=to]').fill(receiver)
await page.locator('#send [name=amount]').fill('1.25')
await page.locator('#send button').click()
const sent = await output('send')
expect(/^1[.]25 OPEN sent in block [0-9]+ for [0-9.]+ OPEN of gas: 0x[0-9a-f]{64}$/.test(sent), sent)
expect((await balance(receiver)) === (5n * OPEN) / 4n, 'the receiver has it')

// Pay: the quote adds up to what is paid, and is what the router then does.
await page.locator('#pay [name=asset]').fill(asset)
await page.locator('#pay [name=operator]').fill(operator)
await page.locator('#pay [name=ref]').fill('an answer')
await page.locator('#pay [name=amount]').fill('2')
await page.locator('#quote').waitFor()
const rows = await page.locator('#quote tbody tr').allInnerTexts()
const parts = rows.map((row) => row.split('\t'))
const wei = (text) => { const [whole, part = ''] = text.split('.'); return BigInt(whole) * OPEN + BigInt(part.padEnd(18, '0')) }
expect(parts.reduce((sum, [, amount]) => sum + wei(amount), 0n) === 2n * OPEN, `the quote adds up: ${rows}`)
expect(parts.some(([part]) => part === `operator ${operator}`) && parts.some(([part]) => part === `lineage, asset ${asset}`), `the quote names them: ${rows}`)
/** Selector of operatorClaimable(uint32). */
const operatorClaimable = '6ac4a1c2'
const owed = async () => BigInt(await ask('eth_call', { to: dev.predeploys.revenueRouter, data: `0x${operatorClaimable}${BigInt(operator).toString(16).padStart(64, '0')}` }, 'latest'))
const before = await owed()
await page.locator('#pay button').click()
const paid = await output('pay')
expect(/^2 OPEN paid in block/.test(paid), paid)
expect((await owed()) - before === wei(parts.find(([part]) => part === `operator ${operator}`)[1]), 'the operator earned what was quoted')
const receipt = await ask('eth_getTransactionReceipt', paid.match(/0x[0-9a-f]{64}/)[0])
const ref = `0x${Buffer.from('an answer').toString('hex').padEnd(64, '0')}`
expect(receipt.logs.some((log) => log.address === dev.predeploys.revenueRouter && log.topics[1] === ref), 'the reference is in the receipt')

const folder = new URL('out/', import.meta.url)
mkdirSync(folder, { recursive: true })
await page.screenshot({ path: new URL('page.png', folder).pathname, fullPage: true })

// What cannot be paid is told, and the form can be used again.
await page.locator('#send [name=amount]').fill('999999999')
await page.locator('#send button').click()
expect((await output('send')).startsWith('Not done: '), 'a refusal is told')
expect(await mayUse('send'), 'and the form can be used again')

expect(JSON.stringify(granted) === JSON.stringify(['eth_requestAccounts', 'wallet_addEthereumChain', 'wallet_switchEthereumChain', 'eth_sendTransaction', 'eth_sendTransaction', 'eth_sendTransaction']), `the page asked for no more than it needs: ${granted}`)
expect(wrong.length === 0, `the page has errors: ${wrong.join('; ')}`)
wallet.close()
await browser.close()
console.log(JSON.stringify({ sent, paid, quote: parts }))
process.exit(0)
