// A network of its own on a fresh anvil: contracts by `tributary deploy`, every role a process, and a clock that jumps.
// Whatever way the story ends, its processes and its folder are gone.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPublicClient, createTestClient, createWalletClient, defineChain, getContract, http, toHex } from 'viem'
import { mnemonicToAccount } from 'viem/accounts'

const root = new URL('../../', import.meta.url)
const artifact = (name) => JSON.parse(readFileSync(new URL(`contracts/bindings/artifacts/${name}.json`, root), 'utf8'))
/** How long anything may take that L1's clock has no part in, seconds: a busy machine included. */
const WAIT_MAX_S = 60
const POLL_MS = 100

export const say = (...words) => console.error('•', ...words)
export const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms))

export function expect(holds, what) {
  if (!holds) throw new Error(what)
}

export function same(found, wanted, what) {
  expect(found === wanted, `${what}: ${found}, expected ${wanted}`)
}

/** Account `index` of the mnemonic that anvil funds, with its key. */
export function accountOf(index) {
  const account = mnemonicToAccount('test test test test test test test test test test test junk', { addressIndex: index })
  return Object.assign(account, { key: toHex(account.getHdKey().privateKey) })
}

export const freePort = () =>
  new Promise((told) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => told(port))
    })
  })

/** Sets one key, which must stand in the file once. */
function set(file, key, value) {
  const line = new RegExp(`^${key} = \\S+`, 'gm')
  same(file.match(line)?.length, 1, `keys ${key} in the network file`)
  return file.replace(line, `${key} = ${value}`)
}

/** The plain values of a network file, by section. */
function parse(file) {
  const sections = {}
  let section
  for (const line of file.split('\n')) {
    const name = line.match(/^\[(\w+)\]/)
    if (name) section = sections[name[1]] = {}
    const value = line.match(/^(\w+) = (?:"([^"]*)"|([\d_]+)\b)/)
    if (value) section[value[1]] = value[2] ?? Number(value[3].replaceAll('_', ''))
  }
  return sections
}

const running = new Set()
const folders = new Set()
process.on('exit', () => {
  for (const { child } of running) child.kill('SIGKILL')
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1))

/** Founds it; `settings` are keys of the network file. */
export async function found(settings) {
  const dir = mkdtempSync(join(tmpdir(), 'tributary-'))
  folders.add(dir)
  const processes = []
  const [deployer, sequencer, poster, proposer] = [9, 8, 7, 6].map(accountOf)

  /** Starts a program. What it says goes to a file, so that nothing is lost when it dies. */
  function start(name, program, args, env = {}) {
    const log = join(dir, `${processes.length}-${name}`)
    const out = openSync(log, 'w')
    // Temporary folders of a process that is killed lie in ours.
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', out, out], env: { ...process.env, TMPDIR: dir, ...env } })
    const it = { name, child, said: () => readFileSync(log, 'utf8'), over: false }
    it.ended = new Promise((told) => {
      child.on('error', (error) => told(`cannot be started: ${error.message}`))
      child.on('exit', (code, signal) => told(signal ?? code))
    }).then((how) => {
      running.delete(it)
      it.over = true
      return (it.how = how)
    })
    it.kill = async () => {
      child.kill('SIGKILL')
      await it.ended
    }
    /** Asks it to end, as Ctrl-C does. */
    it.stop = async () => {
      child.kill('SIGTERM')
      await until(`${name} ends when it is asked to`, () => it.over)
      same(it.how, 0, `${name} ends`)
    }
    running.add(it)
    processes.push(it)
    return it
  }

  /** Waits until `happened` gives something, and returns that. Meanwhile none of `needed` may fail. */
  async function until(what, happened, ...needed) {
    const patience = Date.now() + WAIT_MAX_S * 1000
    for (;;) {
      const found = await happened()
      if (found) return found
      for (const it of needed) expect(!it.over || it.how === 0, `${it.name} ended (${it.how}) before: ${what}`)
      expect(Date.now() < patience, `not within ${WAIT_MAX_S} s: ${what}`)
      await sleep(POLL_MS)
    }
  }

  const url = `http://127.0.0.1:${await freePort()}`
  const anvil = start('anvil', 'contracts/node_modules/.bin/anvil', [
    '--port', new URL(url).port, '--silent', '--chain-id', '901', '--hardfork', 'osaka', '--block-time', '1',
    '--slots-in-an-epoch', '2', '--no-request-size-limit', '--enable-tx-gas-limit',
  ])
  const chain = defineChain({
    id: 901, name: 'L1', nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 }, rpcUrls: { default: { http: [url] } },
  })
  const l1 = createPublicClient({ chain, transport: http(url, { retryCount: 0 }), pollingInterval: POLL_MS, cacheTime: 0 })
  const clock = createTestClient({ chain, mode: 'anvil', transport: http() })
  await until('anvil answers', () => l1.getChainId().catch(() => false), anvil)

  const file = (name) => join(dir, name)
  const write = (name, changes, text) => {
    for (const [key, value] of Object.entries(changes)) text = set(text, key, value)
    writeFileSync(file(name), text)
    return file(name)
  }
  const blank = write('blank.toml', settings, readFileSync(new URL('config/dev.toml', root), 'utf8'))

  /** Starts `tributary` with a key for its role. */
  const tributary = (args, role, account) => start(args[0], './tributary', args, role && { [`TRIBUTARY_${role}_KEY`]: account.key })
  /** Runs it to its end, which must be a good one, and returns what it said. */
  async function run(args, role, account) {
    const it = tributary(args, role, account)
    await until(`${args[0]} ends`, () => it.over)
    same(it.how, 0, `tributary ${args[0]} ends`)
    return it.said()
  }

  const config = file('network.toml')
  const { address } = deployer
  await run(
    ['deploy', '--l1', url, '--config', blank, '--out', config, '--sequencer', sequencer.address, '--governance', address, '--council', address],
    'DEPLOYER', deployer,
  )
  const network = parse(readFileSync(config, 'utf8'))
  const at = (name, address) =>
    getContract({
      address, abi: artifact(name).abi,
      client: { public: l1, wallet: createWalletClient({ chain, transport: http(), account: deployer }) },
    })
  const contracts = {
    open: at('OpenToken', network.contracts.open_token), inbox: at('Inbox', network.contracts.inbox),
    portal: at('Portal', network.contracts.portal), rollup: at('Rollup', network.contracts.rollup),
  }
  const mined = async (hash) => same((await l1.waitForTransactionReceipt({ hash })).status, 'success', `transaction ${hash}`)

  const rpc = `http://127.0.0.1:${await freePort()}`
  const data = (name) => ['--datadir', file(name)]
  const l2 = createPublicClient({ transport: http(rpc, { retryCount: 0 }), cacheTime: 0 })
  const onL1 = (configuration = config) => ['--l1', url, '--config', configuration]
  const roles = {
    /** Of the network file `configuration`; its folder is the same at every start. */
    async sequencer(configuration = config) {
      const port = new URL(rpc).port
      const it = tributary(['sequencer', ...onL1(configuration), ...data('sequencer'), '--rpc-port', port, '--da', 'calldata'], 'SEQUENCER', sequencer)
      await until('the sequencer answers', () => l2.getChainId().catch(() => false), it)
      return it
    },
    poster: () => tributary(['poster', ...onL1(), ...data('poster'), '--rpc', rpc], 'POSTER', poster),
    proposer: async () => tributary(['proposer', ...onL1(), ...data('proposer'), '--rpc-port', String(await freePort())], 'PROPOSER', proposer),
  }
  const now = async () => Number((await l1.getBlock()).timestamp)

  return {
    network, contracts, l1, l2, rpc, config, onL1, roles, run, tributary, until, now, url,
    /** OPEN on L1 for `account`, wei. */
    mint: async ({ address }, wei) => mined(await contracts.open.write.mint([address, wei])),
    /** The network file with other settings, as another operator may write it. */
    rewrite: (name, changes) => write(name, changes, readFileSync(config, 'utf8')),
    /** An empty folder. */
    folder(name) {
      mkdirSync(file(name))
      return file(name)
    },
    /** L1's clock jumps to `time`, seconds, and a block is mined there. Never back. */
    async jump(time) {
      const by = time - (await now())
      if (by <= 0) return
      await clock.increaseTime({ seconds: by })
      await clock.mine({ blocks: 1 })
      expect((await now()) >= time, 'the clock jumped')
    },
    /** The last words of every process, for who looks for the cause of a failure. */
    lastWords: () => processes.map((it) => `${it.name} (${it.over ? it.how : 'running'}):\n${it.said().split('\n').slice(-25).join('\n')}`).join('\n'),
    /** Ends everything. */
    async end() {
      await Promise.all(processes.map((it) => it.kill()))
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
      folders.delete(dir)
    },
  }
}
