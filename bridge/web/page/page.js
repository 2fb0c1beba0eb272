/**
 * Shows a network, and lets a wallet that announces itself (EIP-6963) add it, send OPEN, and pay for an inference.
 *
 * What is read comes from the node named in `network.json`; what is signed goes through the wallet alone.
 * Absent on purpose: keys, a library, anything fetched from elsewhere.
 */
import { toOpen, toWei } from './amount.js'
import { payData, quoteData, readQuote } from './router.js'

/** @typedef {{request(call: {method: string, params?: unknown[]}): Promise<any>, on?(event: string, listener: (arg: any) => void): void}} Provider */

const POLL_MS = 1000

/** @param {string} id */
const $ = (id) => /** @type {HTMLElement} */ (document.getElementById(id))
/** @param {string} id @param {string} text */
const show = (id, text) => { $(id).textContent = text }

const network = await (await fetch('network.json')).json()
/** @type {Provider | undefined} */
let wallet
/** @type {string | undefined} */
let account

let calls = 0
/**
 * Asks the node.
 * @param {string} method
 * @param {unknown[]} params
 */
async function ask(method, ...params) {
  const answer = await fetch(network.wallet.rpcUrls[0], {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: ++calls, method, params }),
  })
  const { result, error } = await answer.json()
  if (error) throw new Error(error.message)
  return result
}

show('name', network.wallet.chainName)
document.title = network.wallet.chainName
show('rpc', network.wallet.rpcUrls[0])
show('chain', `${BigInt(network.wallet.chainId)} (${network.wallet.chainId})`)
show('currency', `${network.wallet.nativeCurrency.symbol}, ${network.wallet.nativeCurrency.decimals} decimals`)

async function refresh() {
  try {
    const [latest, safe, finalized] = await Promise.all(['latest', 'safe', 'finalized'].map((tag) => ask('eth_getBlockByNumber', tag, false)))
    show('latest', String(BigInt(latest.number)))
    show('safe', String(BigInt(safe.number)))
    show('finalized', String(BigInt(finalized.number)))
    show('fee', `${Number(BigInt(latest.baseFeePerGas)) / 1e9} gwei of OPEN`)
    if (account) show('balance', `${toOpen(BigInt(await ask('eth_getBalance', account, 'latest')))} OPEN`)
  } catch (error) {
    show('latest', `no answer: ${said(error)}`)
  }
  setTimeout(refresh, POLL_MS)
}
refresh()

// Wallets.

/** @type {Set<string>} */
const announced = new Set()
window.addEventListener('eip6963:announceProvider', (event) => {
  const { info, provider } = /** @type {CustomEvent<{info: {uuid: string, name: string}, provider: Provider}>} */ (event).detail
  if (announced.has(info.uuid)) return
  announced.add(info.uuid)
  $('none').hidden = true
  const button = document.createElement('button')
  button.textContent = `Connect ${info.name}`
  button.addEventListener('click', () =>
    connect(provider).then(() => { button.textContent = `Connected: ${info.name}` }, (error) => show('address', said(error))))
  $('wallets').append(button)
})
window.dispatchEvent(new Event('eip6963:requestProvider'))

/** @param {Provider} provider */
async function connect(provider) {
  wallet = provider
  $('account').hidden = false
  ;[account] = await provider.request({ method: 'eth_requestAccounts' })
  show('address', account ?? 'none')
  provider.on?.('accountsChanged', ([first]) => { account = first; show('address', first ?? 'none') })
  provider.on?.('chainChanged', onChain)
  onChain(await provider.request({ method: 'eth_chainId' }))
}

/** Sending is offered on this chain only. @param {string} chainId */
function onChain(chainId) {
  const here = BigInt(chainId) === BigInt(network.wallet.chainId)
  $('add').hidden = here
  for (const button of document.querySelectorAll('form button')) /** @type {HTMLButtonElement} */ (button).disabled = !here
}

$('add').addEventListener('click', async () => {
  if (!wallet) return
  try {
    await wallet.request({ method: 'wallet_addEthereumChain', params: [network.wallet] })
    await wallet.request({ method: 'wallet_switchEthereumChain', params: [{ chainId: network.wallet.chainId }] })
    onChain(await wallet.request({ method: 'eth_chainId' }))
  } catch (error) {
    $('add').title = said(error)
    show('add', `The wallet refused: ${said(error)} Try again`)
  }
})

// Forms.

/**
 * Sends what `build` makes of the form, and says in the form's output what became of it.
 * @param {string} id
 * @param {(fields: (name: string) => string) => {to: string, value: bigint, data?: string, what: string}} build
 */
function onSubmit(id, build) {
  const form = /** @type {HTMLFormElement} */ ($(id))
  const output = /** @type {HTMLOutputElement} */ (form.querySelector('output'))
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('button'))
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    if (!wallet || !account) return
    output.className = ''
    button.disabled = true
    try {
      const { what, value, ...rest } = build(fieldsOf(form))
      output.textContent = 'Waiting for the wallet…'
      const hash = await wallet.request({
        method: 'eth_sendTransaction',
        params: [{ from: account, value: `0x${value.toString(16)}`, ...rest }],
      })
      output.textContent = `Sent: ${hash}`
      const receipt = await mined(hash)
      if (receipt.status !== '0x1') throw new Error(`it was reverted in block ${BigInt(receipt.blockNumber)} (${hash})`)
      const fee = BigInt(receipt.gasUsed) * BigInt(receipt.effectiveGasPrice)
      output.textContent = `${what} in block ${BigInt(receipt.blockNumber)} for ${toOpen(fee)} OPEN of gas: ${hash}`
    } catch (error) {
      output.className = 'bad'
      output.textContent = `Not done: ${said(error)}`
    }
    button.disabled = false
  })
}

/** @param {HTMLFormElement} form @returns {(name: string) => string} */
const fieldsOf = (form) => (name) => String(new FormData(form).get(name) ?? '')

/** @param {string} hash */
async function mined(hash) {
  for (;;) {
    const receipt = await ask('eth_getTransactionReceipt', hash)
    if (receipt) return receipt
    await new Promise((resolve) => setTimeout(resolve, POLL_MS / 4))
  }
}

/** @param {unknown} error */
const said = (error) => (error instanceof Error || (typeof error === 'object' && error && 'message' in error) ? String(error.message) : String(error))

onSubmit('send', (field) => {
  const value = toWei(field('amount'))
  return { to: field('to'), value, what: `${toOpen(value)} OPEN sent` }
})

/** @param {(name: string) => string} field */
const payment = (field) => ({
  asset: BigInt(field('asset')), operator: BigInt(field('operator')), amount: toWei(field('amount')), ref: field('ref'),
})
onSubmit('pay', (field) => {
  const { amount, ...rest } = payment(field)
  return { to: network.revenueRouter, value: amount, data: payData(rest), what: `${toOpen(amount)} OPEN paid` }
})

/** @param {{role: string, id: bigint}} share */
const part = ({ role, id }) => (role === 'operator' ? `operator ${id}` : role === 'lineage' || role === 'agent' ? `${role}, asset ${id}` : role)

// The quote follows what is typed; an answer that was overtaken is not shown.
let asked = 0
$('pay').addEventListener('input', async () => {
  const mine = ++asked
  const table = $('quote')
  const form = /** @type {HTMLFormElement} */ ($('pay'))
  if (!form.checkValidity()) { table.hidden = true; return }
  try {
    const data = await ask('eth_call', { to: network.revenueRouter, data: quoteData(payment(fieldsOf(form))) }, 'latest')
    if (mine !== asked) return
    const rows = readQuote(data).map(({ role, id, amount }) => {
      const row = document.createElement('tr')
      for (const text of [part({ role, id }), toOpen(amount)]) row.insertCell().textContent = text
      return row
    })
    table.querySelector('tbody')?.replaceChildren(...rows)
    table.hidden = false
  } catch {
    if (mine === asked) table.hidden = true
  }
})
