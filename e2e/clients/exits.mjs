// Users leave without the operator, on anvil and with the program's own commands: the sequencer is off; it censors; the
// command is killed at each of its transactions. Each ends with the OPEN on L1, to the wei, within the promised delays.
import { ContractFunctionRevertedError, createWalletClient, defineChain, formatEther, http, parseEther } from 'viem'
import { accountOf, expect, found, same, say } from './network.mjs'

const MESSAGE_PASSER = '0x4200000000000000000000000000000000000016'
/** What `tributary exit` waits for an honest proposer, seconds. */
const PATIENCE_S = 300
/** Blocks and a proof or two between the steps, seconds. */
const SLACK_S = 120
/** L1's gas, at anvil's prices, in ETH wei. A bond that did not come back is a hundred times as much. */
const L1_GAS_MAX = parseEther('0.01')

/** What L1 shows of the first withdrawal that `account` put into its queue from block `from` on. */
async function wayOf({ contracts: { inbox, portal, rollup } }, { address }, from) {
  const way = {}
  const since = { fromBlock: from }
  ;[way.entry] = await inbox.getEvents.Enqueued({ from: address, to: MESSAGE_PASSER }, since)
  if (!way.entry) return way
  const records = await inbox.getEvents.Posted({}, since)
  way.record = records.find(({ args }) => args.record.queueConsumed > way.entry.args.index)
  if (!way.record) return way
  const outputs = await rollup.getEvents.Asserted({}, since)
  way.output = outputs.find(({ args }) => args.recordIndex > way.record.args.index)
  ;[way.proof] = await portal.getEvents.WithdrawalProven({ from: address }, since)
  if (!way.proof) return way
  const { withdrawalHash } = way.proof.args
  ;[way.payment] = await portal.getEvents.WithdrawalFinalized({ withdrawalHash }, since)
  return way
}

const timeOf = async ({ l1 }, { blockNumber }) => Number((await l1.getBlock({ blockNumber })).timestamp)

/** The steps on the way, and the L1 time at which each is due if nobody else takes it, seconds. */
const steps = {
  entry: () => 0,
  // As long as only this entry waits.
  record: async (net, way) => {
    const { force_delay_s, window_s } = net.network.delays
    const lastPostedAt = Number((await net.contracts.inbox.read.lastRecord())[3])
    return Math.min(lastPostedAt, (await timeOf(net, way.entry)) + force_delay_s) + window_s + 1
  },
  output: async (net, way) => (await timeOf(net, way.record)) + net.network.assertion.interval_s + PATIENCE_S,
  proof: () => 0,
  payment: async (net, way) => {
    const [, provenAt] = await net.contracts.portal.read.provenWithdrawals([way.proof.args.withdrawalHash])
    return Number(provenAt) + net.network.assertion.window_s + 1
  },
}

/**
 * Sees `tributary exit` through to its end; L1's clock jumps to where something is due. `look` is called again and again,
 * and gives the process that runs now. Returns what the account gained of OPEN beyond the gas it prepaid, and the seconds
 * of L1 since `before`.
 */
async function leave(net, account, before, look) {
  let way
  for (const [step, due] of Object.entries(steps)) {
    await net.jump(await due(net, way))
    way = await net.until(`${step} of ${account.address}`, async () => {
      const { over, how, said } = await look()
      expect(!over || how === 0, `tributary exit ended (${how}): ${said()}`)
      const way = await wayOf(net, account, before.block)
      return way[step] && way
    })
    say(`  ${step} at ${(await timeOf(net, way[step])) - before.time} s of L1's clock`)
  }
  expect(way.payment.args.success, 'the payment succeeded')
  // It stays until its bond is back.
  const { how, said } = await net.until('the exit ends', async () => {
    const it = await look()
    return it.over && it
  })
  same(how, 0, 'tributary exit ends')
  expect(/^(done: the OPEN is on L1|nothing to do: .* has 0[.0]* OPEN on L2, .*)$/m.test(said()), `it says so:\n${said()}`)
  const after = await standing(net, account)
  const prepaid = await net.contracts.portal.read.gasCost([way.entry.args.entry.gasLimit])
  expect(before.eth - after.eth < L1_GAS_MAX, `the bond came back: ${formatEther(before.eth - after.eth)} ETH are gone`)
  return { gained: after.open + prepaid - before.open, took: (await timeOf(net, way.payment)) - before.time, way }
}

/** Where the account stands on L1. */
async function standing({ contracts, l1 }, { address }) {
  const { number, timestamp } = await l1.getBlock()
  return {
    block: number, time: Number(timestamp),
    open: await contracts.open.read.balanceOf([address]), eth: await l1.getBalance({ address }),
  }
}

const deposit = (net, account, open) =>
  net.run(['deposit', ...net.onL1(), '--rpc', net.rpc, '--amount-wei', String(parseEther(open))], 'DEPOSITOR', account)

function within(took, parts) {
  const promised = parts.reduce((sum, part) => sum + part, 0)
  expect(took <= promised + SLACK_S, `${took} s of L1's clock, ${promised} s were promised`)
  say(`  took ${took} s of L1's clock, of ${promised} that are promised and ${SLACK_S} for the blocks between`)
}

/** An exit from an empty folder, which knows a key, an L1 node and the network file. */
const begin = (net, account, ...more) => net.tributary(['exit', ...net.onL1(), ...more], 'EXIT', account)

/** Tells one story on a network of its own. */
async function tell(name, settings, story) {
  say(name)
  const net = await found(settings)
  try {
    await story(net)
  } catch (error) {
    console.error(net.lastWords())
    throw error
  } finally {
    await net.end()
  }
}

/** Every role runs, and what `deposits` says is on L2 and follows from L1. */
async function begun(net, deposits) {
  const roles = { sequencer: await net.roles.sequencer(), poster: net.roles.poster(), proposer: await net.roles.proposer() }
  for (const [account, open] of deposits) {
    await net.mint(account, parseEther(open) + parseEther('1'))
    await deposit(net, account, open)
    const safe = () => net.l2.getBalance({ address: account.address, blockTag: 'safe' }).catch(() => 0n)
    await net.until('the deposit is safe', async () => (await safe()) === parseEther(open), ...Object.values(roles))
  }
  return roles
}

await tell('the sequencer is off', { interval_ms: 1_000 }, async (net) => {
  const { network: { delays, assertion } } = net
  const promised = [delays.window_s, PATIENCE_S, assertion.window_s]
  const me = accountOf(0)
  for (const role of Object.values(await begun(net, [[me, '1000']]))) await role.kill()

  say('  nobody makes blocks, posts, asserts or carries; a forced withdrawal')
  const before = await standing(net, me)
  const said = await net.run(['force', ...net.onL1(), 'withdraw', '--amount', '250.5'], 'FORCER', me)
  expect(/entry \d+ of L1's queue/.test(said), `force says where it stands:\n${said}`)
  const exit = begin(net, me)
  const { gained, took } = await leave(net, me, before, () => exit)
  same(gained, parseEther('250.5'), 'OPEN gained on L1 by the forced withdrawal')
  within(took, promised)

  say('  the rest, by an exit that is stopped at its first transaction and killed at each of the others')
  const rest = await standing(net, me)
  // Waiting or mined.
  const sent = () => net.l1.getTransactionCount({ address: me.address, blockTag: 'pending' })
  let [running, kills, known] = [begin(net, me), 0, await sent()]
  const end = await leave(net, me, rest, async () => {
    const now = await sent()
    if (now > known && !running.over) {
      if (kills === 0) {
        await running.stop()
        expect(running.said().includes('begin again with the same command'), `it says how to go on:\n${running.said()}`)
      } else await running.kill()
      running = begin(net, me)
      kills += 1
    }
    known = now
    return running
  })
  same(end.gained, parseEther('749.5'), 'OPEN gained on L1 by the interrupted exit')
  within(end.took, promised)
  // Approval, entry, forced record, output, proof, payment.
  expect(kills >= 6, `stopped or killed at six transactions or more: ${kills}`)
  say(`  stopped or killed ${kills} times`)
})

// The hostile sequencer is the real one with a network file that never lets it look at the queue: L2's clock and L1's
// are those of the machine until L1 takes no more of its batches, so the force delay is short.
const censoring = (name, forceDelay, meanwhile) => tell(name, { interval_ms: 1_000, force_delay_s: forceDelay }, async (net) => {
  const { network: { chain, delays, assertion }, contracts } = net
  const [me, other] = [accountOf(0), accountOf(1)]
  const roles = await begun(net, [[me, '400'], [other, '100']])
  for (const role of [roles.sequencer, roles.proposer]) await role.kill()
  const sequencer = await net.roles.sequencer(net.rewrite('hostile.toml', { queue_confirmations: 1_000_000 }))

  const l2Chain = defineChain({
    id: chain.id, name: 'L2', nativeCurrency: { name: 'OPEN', symbol: 'OPEN', decimals: 18 }, rpcUrls: { default: { http: [net.rpc] } },
  })
  const wallet = createWalletClient({ chain: l2Chain, transport: http(), account: other })
  const pays = async () => {
    const hash = await wallet.sendTransaction({ to: me.address, value: 1n })
    const { blockNumber } = await net.l2.waitForTransactionReceipt({ hash, pollingInterval: 100 })
    const safe = async () => (await net.l2.getBlock({ blockTag: 'safe' })).number >= blockNumber
    await net.until("another's payment is safe", safe, sequencer, roles.poster)
  }

  const before = await standing(net, me)
  const exit = begin(net, me, '--amount', '300')
  const { entry } = await net.until('the withdrawal is in the queue', async () => {
    const way = await wayOf(net, me, before.block)
    return way.entry && way
  }, exit)
  await meanwhile({ ...net, entry, pays, needed: [sequencer, roles.poster] })

  const { gained, took } = await leave(net, me, before, () => exit)
  same(gained, parseEther('300'), 'OPEN gained on L1')
  within(took, [delays.force_delay_s, delays.window_s, PATIENCE_S, assertion.window_s])
  await pays()
  say('  and the sequencer goes on for others')
})

await censoring('the sequencer censors', 30, async ({ l2, until, contracts: { inbox }, entry, pays, needed }) => {
  await pays()
  const mustConsume = async () => {
    const [batch] = await l2.request({ method: 'rollup_signedBatches', params: [] })
    if (!batch) return false
    try {
      await inbox.simulate.post([batch, batch.signature, batch.payload])
    } catch (error) {
      return error.walk?.((e) => e instanceof ContractFunctionRevertedError)?.data?.errorName === 'MustConsume'
    }
  }
  await until('L1 takes no batch without the withdrawal', mustConsume, ...needed)
  const censored = (await inbox.getEvents.Posted({}, { fromBlock: entry.blockNumber })).length
  const consumed = (await inbox.read.lastRecord())[1]
  expect(consumed <= entry.args.index && censored >= 3, `${censored} batches left the withdrawal out`)
  say(`  ${censored} batches left the withdrawal out, then L1 refused the next: MustConsume`)
})

// L1's clock is ahead of L2's by nearly a window: L1 takes the batches for one more, but does not ask for another after it.
await censoring('the sequencer censors with a late clock', 120, async (net) => {
  await net.jump((await timeOf(net, net.entry)) + net.network.delays.window_s - 5)
  await net.pays()
  const [, consumed, , postedAt] = await net.contracts.inbox.read.lastRecord()
  const late = Number(postedAt) - (await timeOf(net, net.entry))
  expect(consumed <= net.entry.args.index && late >= net.network.delays.window_s - 5, `a batch left the withdrawal out ${late} s after it`)
  say(`  a batch left the withdrawal out ${late} s after it`)
})
process.exit(0)
