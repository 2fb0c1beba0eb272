// MetaMask's controllers against a running node: add the network, estimate fees, send, call a contract, send everything.
import { openWallet } from './metamask.mjs'
import { dev, expect, fresh, hex, paid } from './shared.mjs'

const OPEN = 10n ** 18n
const me = dev.accounts[8]
const poor = fresh()
const receiver = fresh().address

const wallet = openWallet([me])
const client = await wallet.addNetwork(dev.metamask)

// The network as the wallet found it.
const metadata = wallet.networks.state.networksMetadata[client]
expect(metadata.status === 'available', `the network is available, not ${metadata.status}`)
expect(metadata.EIPS[1559] === true, 'EIP-1559 was found')
expect(wallet.networks.getSelectedChainId() === dev.metamask.chainId, 'the chain id')
const configuration = wallet.networks.getNetworkConfigurationByChainId(dev.metamask.chainId)
expect(configuration.name === dev.metamask.chainName && configuration.nativeCurrency === 'OPEN', 'name and currency')

const balance = async (address) => BigInt(await wallet.ask('eth_getBalance', address, 'latest'))
const receiptOf = (hash) => wallet.ask('eth_getTransactionReceipt', hash)

// Fees.
const { gasFeeEstimates, gasEstimateType } = await wallet.fees.fetchGasFeeEstimates({ networkClientId: client })
expect(gasEstimateType === 'eth_gasPrice' && Number(gasFeeEstimates.gasPrice) > 0, `a fee estimate: ${JSON.stringify(gasFeeEstimates)}`)

// A plain send.
const start = await balance(me.address)
const sent = await wallet.send({ to: receiver, value: hex(2n * OPEN) })
const confirmed = await wallet.until(sent.id, 'confirmed')
expect(confirmed.verifiedOnBlockchain && confirmed.txReceipt.status === '0x1', 'the wallet saw it confirmed')
expect(confirmed.userFeeLevel === 'medium' && confirmed.txParams.type === '0x2', 'fees were the wallet\'s own')
expect(!confirmed.simulationFails, 'gas was estimated')
expect((await balance(receiver)) === 2n * OPEN, 'the receiver has it')
const receipt = await receiptOf(sent.hash)
expect(start - (await balance(me.address)) === 2n * OPEN + paid(receipt), 'value and gas, and nothing else')

// A contract: wrap, and unwrap more than there is.
const wopen = dev.predeploys.wrappedOpen
const wrapped = async () => BigInt(await wallet.ask('eth_call', { to: wopen, data: `0x70a08231${me.address.slice(2).padStart(64, '0')}` }, 'latest'))
const before = await wrapped()
const wrap = await wallet.send({ to: wopen, value: hex(OPEN), data: '0xd0e30db0' })
await wallet.until(wrap.id, 'confirmed')
expect((await wrapped()) === before + OPEN, 'one OPEN was wrapped')
const broken = await wallet.transactions.estimateGas(
  { from: me.address, to: wopen, data: `0x2e1a7d4d${'f'.repeat(64)}` }, client)
expect(broken.simulationFails, 'the wallet warns before a call that would fail')

/** What the node said, as the wallet hands it on. */
const reason = (error) => `${error.message} ${error.data?.message ?? ''} ${error.data?.cause?.message ?? ''}`
const reverted = await wallet.ask('eth_call', { to: wopen, data: `0x2e1a7d4d${'f'.repeat(64)}` }, 'latest').then(() => 'accepted', reason)
expect(reverted.includes('execution reverted'), `the reason of a revert: ${reverted}`)

/** Whether the node refused: this version of the wallet keeps that, and drops the node's words. */
async function isRefused(by, params) {
  const sent = await by.send(params).then(() => true, () => false)
  return !sent && by.transactions.state.transactions.at(-1).status === 'failed'
}

// What cannot be paid is refused, and leaves no gap: the sends below take the next nonce.
expect(await isRefused(wallet, { to: receiver, value: hex(10n ** 30n), gas: '0x5208' }), 'too much')

// "Max", by the wallet's rule: the balance less gas limit times the highest fee.
async function sendMax(options, feesOf) {
  const account = fresh()
  const funded = await wallet.send({ to: account.address, value: hex(OPEN) })
  await wallet.until(funded.id, 'confirmed')
  const own = openWallet([account])
  const ownClient = await own.addNetwork(dev.metamask)
  const estimate = await own.transactions.estimateGas({ from: account.address, to: receiver, value: hex(OPEN / 2n) }, ownClient)
  expect(!estimate.simulationFails, 'gas of "max" was estimated')
  const gas = BigInt(estimate.gas)
  const fees = await feesOf(own, ownClient)
  const price = BigInt(fees.maxFeePerGas ?? fees.gasPrice)
  const value = OPEN - gas * price
  const max = await own.send({ to: receiver, value: hex(value), gas: hex(gas), ...fees }, options)
  await own.until(max.id, 'confirmed')
  const done = await receiptOf(max.hash)
  const left = await balance(account.address)
  own.close()
  return { left, dust: gas * price - paid(done), unused: gas - BigInt(done.gasUsed) }
}
const weiOf = (gwei) => hex(BigInt(Math.round(Number(gwei) * 1e9)))
const medium = async (own, id) => {
  const { gasFeeEstimates } = await own.fees.fetchGasFeeEstimates({ networkClientId: id })
  const price = weiOf(gasFeeEstimates.gasPrice)
  return { maxFeePerGas: price, maxPriorityFeePerGas: price }
}
const aggressive = async (own, id) => {
  const { maxFeePerGas } = await medium(own, id)
  return { maxFeePerGas: hex(2n * BigInt(maxFeePerGas)), maxPriorityFeePerGas: '0x1' }
}
const plain = await sendMax({}, medium)
expect(plain.unused === 0n && plain.left === 0n, `"max" leaves nothing: ${plain.left} wei, ${plain.unused} gas`)
const generous = await sendMax({}, aggressive)
expect(generous.left === generous.dust && generous.left > 0n, `"max" at a higher cap leaves what the cap kept back, no more: ${generous.left}, ${generous.dust}`)

// And a wallet with nothing is told so.
const beggar = openWallet([poor])
await beggar.addNetwork(dev.metamask)
expect(await isRefused(beggar, { to: receiver, value: '0x1', gas: '0x5208' }), 'nothing to send')
beggar.close()

wallet.close()
console.log(JSON.stringify({
  gasPriceGwei: gasFeeEstimates.gasPrice, sendGas: Number(receipt.gasUsed), maxLeft: plain.left.toString(), cappedMaxLeft: generous.left.toString(),
}))
process.exit(0)
