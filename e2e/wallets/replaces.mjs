// MetaMask's "speed up" and "cancel", on a node whose blocks are slow enough to change one's mind.
import { openWallet } from './metamask.mjs'
import { dev, expect, fresh, hex, paid } from './shared.mjs'

const OPEN = 10n ** 18n
const me = dev.accounts[9]
const wallet = openWallet([me])
await wallet.addNetwork(dev.metamask)
const balance = async (address) => BigInt(await wallet.ask('eth_getBalance', address, 'latest'))
const nonce = async () => Number(await wallet.ask('eth_getTransactionCount', me.address, 'latest'))
/** The newest transaction of the wallet that is of this type. */
const newest = (type) => wallet.transactions.state.transactions.findLast((t) => t.type === type)

/** What both have in common: the old one is replaced, the new one confirmed at a tenth more, one nonce used. */
async function replaced(old, type, act) {
  const [start, used] = [await balance(me.address), await nonce()]
  expect((await wallet.ask('eth_getTransactionByHash', old.hash)).blockHash === null, 'the first one is pending')
  await act()
  const { id } = newest(type)
  const meta = await wallet.until(id, 'confirmed')
  await wallet.until(old.id, 'dropped')
  expect(meta.replacedById === undefined && meta.hash !== old.hash, `${type}: another transaction`)
  const fee = (m) => BigInt(m.txParams.maxFeePerGas)
  expect(fee(meta) * 10n >= fee(wallet.meta(old.id)) * 11n, `${type}: at least a tenth more`)
  expect((await wallet.ask('eth_getTransactionByHash', old.hash)) === null, `${type}: the node forgot the first one`)
  expect((await nonce()) === used + 1, `${type}: one nonce`)
  const receipt = await wallet.ask('eth_getTransactionReceipt', meta.hash)
  return { spent: start - (await balance(me.address)) - paid(receipt), fee: fee(meta) }
}

const receiver = fresh().address
const slow = await wallet.send({ to: receiver, value: hex(OPEN) })
const sped = await replaced(slow, 'retry', () => wallet.transactions.speedUpTransaction(slow.id))
expect(sped.spent === OPEN && (await balance(receiver)) === OPEN, 'speed up: paid once')

const nobody = fresh().address
const mistake = await wallet.send({ to: nobody, value: hex(OPEN) })
const cancelled = await replaced(mistake, 'cancel', () => wallet.transactions.stopTransaction(mistake.id))
expect(cancelled.spent === 0n && (await balance(nobody)) === 0n, 'cancel: nothing but gas was spent')

// Less than a tenth more is no replacement, and the first one goes through.
const kept = await wallet.send({ to: nobody, value: hex(OPEN) })
const same = wallet.meta(kept.id).txParams
const refused = await wallet.transactions
  .speedUpTransaction(kept.id, { maxFeePerGas: hex(BigInt(same.maxFeePerGas) + 1n), maxPriorityFeePerGas: same.maxPriorityFeePerGas })
  .then(() => 'accepted', (error) => error.data?.message ?? error.message)
expect(refused.includes('replacement transaction underpriced'), `too little more: ${refused}`)
await wallet.until(kept.id, 'confirmed')
expect((await balance(nobody)) === OPEN, 'the first one went through')

wallet.close()
console.log(JSON.stringify({ speedUpFee: sped.fee.toString(), cancelFee: cancelled.fee.toString() }))
process.exit(0)
