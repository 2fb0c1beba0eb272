// Deposits and forced transactions by this package, against a running node: OPEN arrives, a forced call runs, a failed one costs only its gas.
import { createPublicClient, createWalletClient, http, parseEther } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { depositOpen, forceTransaction, getDepositStatus, l1Chain, openTokenAbi, parseDev, tributaryChain, waitForDeposit } from '../dist/index.js'
import { readFileSync } from 'node:fs'
import { accountsOf, artifact, dev, expect, tell } from '../../../e2e/clients/shared.mjs'

const network = parseDev(readFileSync(process.argv[2], 'utf8'))
const targetChain = tributaryChain(network)
const [me] = accountsOf(5).map((a) => privateKeyToAccount(a.privateKey))
const l1 = createPublicClient({ chain: l1Chain(network), transport: http(), pollingInterval: 100 })
const l2 = createPublicClient({ chain: targetChain, transport: http(), pollingInterval: 100 })
const wallet = createWalletClient({ chain: l1Chain(network), transport: http(), account: me, pollingInterval: 100 })
const balance = (address) => l2.getBalance({ address })

// A deposit, followed through its stages.
const amount = parseEther('3')
const before = await balance(me.address)
const hash = await depositOpen(wallet, { targetChain, amount })
const stages = [(await getDepositStatus({ l1, l2 }, { targetChain, hash })).status]
const receipt = await waitForDeposit({ l1, l2 }, { targetChain, hash, timeout: 60_000 })
const done = await getDepositStatus({ l1, l2 }, { targetChain, hash })
stages.push(done.status)
expect(['waiting-for-l1', 'waiting-for-l2', 'included'].includes(stages[0]) && stages[1] === 'included', `stages ${stages}`)
expect(receipt.status === 'success' && done.receipt.transactionHash === done.l2Hash, 'the deposit is on L2')
expect((await balance(me.address)) === before + amount, 'exactly the amount arrived: its gas was paid on L1')
const told = await l2.request({ method: 'rollup_depositStatus', params: [hash] })
expect(told.l2Tx === done.l2Hash && BigInt(told.index) === done.index && told.succeeded, `the node says the same: ${JSON.stringify(told)}`)
const seen = await l2.getTransaction({ hash: done.l2Hash })
expect(seen.type === 'deposit' && seen.mint === amount, 'viem reads it as a deposit transaction')

// The allowance asked for was used up.
const allowance = await l1.readContract({ address: dev.contracts.openToken, abi: openTokenAbi, functionName: 'allowance', args: [me.address, dev.contracts.portal] })
expect(allowance === 0n, 'nothing is left of the allowance')

// A forced payment, and a forced creation.
const receiver = privateKeyToAccount(generatePrivateKey()).address
const paid = await forceTransaction(wallet, { targetChain, to: receiver, value: parseEther('1') })
expect((await waitForDeposit({ l1, l2 }, { targetChain, hash: paid, timeout: 60_000 })).status === 'success', 'a forced payment')
expect((await balance(receiver)) === parseEther('1'), 'it arrived')
const { bytecode } = artifact('WrappedOpen')
const created = await waitForDeposit({ l1, l2 }, {
  targetChain, timeout: 60_000,
  hash: await forceTransaction(wallet, { targetChain, data: bytecode, gas: 4_000_000n }),
})
expect(created.status === 'success' && (await l2.getCode({ address: created.contractAddress }))?.length > 2, 'a forced creation')

// One that fails on L2: what it minted stands.
const rich = await balance(me.address)
const failed = await waitForDeposit({ l1, l2 }, {
  targetChain, timeout: 60_000,
  hash: await forceTransaction(wallet, { targetChain, to: dev.predeploys.wrappedOpen, data: `0x2e1a7d4d${'f'.repeat(64)}`, mint: 5n }),
})
expect(failed.status === 'reverted' && (await balance(me.address)) === rich + 5n, 'the mint of a failed one stands')

// A transaction that nobody knows.
const unknown = await getDepositStatus({ l1, l2 }, { targetChain, hash: `0x${'ab'.repeat(32)}` }).then((s) => s.status, (e) => e.name)
expect(unknown === 'TransactionNotFoundError', `an unknown transaction: ${unknown}`)
tell({ client: 'bridge/web', stages })
