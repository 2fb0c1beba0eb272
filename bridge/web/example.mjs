// There and back: OPEN from L1 to L2, and home again. `node bridge/web/example.mjs dev.json [account]` beside a running
// `tributary dev --no-relayer`; with a relayer there, it would do the last two steps first.
import { readFileSync } from 'node:fs'
import { createPublicClient, createWalletClient, formatEther, http, parseEther } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import {
  depositOpen, finalizeWithdrawal, getWithdrawalProof, initiateWithdrawal, l1Chain, parseDev, proveWithdrawal, tributaryChain,
  waitForDeposit, waitForWithdrawal,
} from './dist/index.js'

const [file = 'dev.json', index = '0'] = process.argv.slice(2)
const network = parseDev(readFileSync(file, 'utf8'))
const chain = tributaryChain(network)
const account = privateKeyToAccount(JSON.parse(readFileSync(file, 'utf8')).accounts[Number(index)].privateKey)

const l1 = createPublicClient({ chain: l1Chain(network), transport: http() })
const l2 = createPublicClient({ chain, transport: http() })
const walletL1 = createWalletClient({ chain: l1Chain(network), transport: http(), account })
const walletL2 = createWalletClient({ chain, transport: http(), account })

console.log('depositing 2 OPEN')
const deposited = await depositOpen(walletL1, { targetChain: chain, amount: parseEther('2') })
const arrived = await waitForDeposit({ l1, l2 }, { targetChain: chain, hash: deposited })
console.log(`arrived in L2 block ${arrived.blockNumber}: ${formatEther(await l2.getBalance({ address: account.address }))} OPEN`)

console.log('withdrawing 1 OPEN')
const hash = await initiateWithdrawal(walletL2, { account, request: { to: account.address, value: parseEther('1'), gas: 0n } })
await l2.waitForTransactionReceipt({ hash })
await waitForWithdrawal(l2, { hash, status: 'ready-to-prove' })

const proof = await getWithdrawalProof(l2, { hash })
const proven = await proveWithdrawal(walletL1, { targetChain: chain, proof })
await l1.waitForTransactionReceipt({ hash: proven })
console.log(`proven against output ${proof.l2OutputIndex}`)

await waitForWithdrawal(l2, { hash, status: 'ready-to-finalize' })
const finalized = await finalizeWithdrawal(walletL1, { targetChain: chain, withdrawal: proof.withdrawal })
const { status } = await l1.waitForTransactionReceipt({ hash: finalized })
if (status !== 'success') throw new Error(`the finalisation ${finalized} was reverted`)
console.log('home again')
