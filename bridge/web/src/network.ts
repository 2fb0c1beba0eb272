/**
 * What a program must know of a network: where its nodes answer, and the addresses of its contracts on both sides.
 *
 * Raw text becomes a `Network` here and nowhere else: from the `dev.json` that `tributary dev` writes, or from a network file
 * (`config/*.toml`), which says everything but where nodes answer. What is missing or malformed is refused by name.
 */
import { parse } from 'smol-toml'
import { type Address, getAddress, isAddress, zeroAddress } from 'viem'

export type Network = {
  name: string
  l2: { chainId: number; rpc: string; ws?: string | undefined; blockTimeMs?: number | undefined }
  l1: { chainId: number; rpc: string }
  /** On L1. */
  contracts: {
    openToken: Address
    inbox: Address
    portal: Address
    rollup: Address
    systemConfig: Address
    timelock: Address
  }
}

/** Addresses on L2 that are the same on every network; `sequencer/primitives` has them too. */
export const predeploys = {
  l1Info: '0x4200000000000000000000000000000000000015',
  messagePasser: '0x4200000000000000000000000000000000000016',
  wrappedOpen: '0x4f50454E00000000000000000000000000000001',
  assetRegistry: '0x4f50454E00000000000000000000000000000002',
  revenueRouter: '0x4F50454e00000000000000000000000000000005',
  poolLedger: '0x4f50454e00000000000000000000000000000006',
  feePolicy: '0x4f50454e0000000000000000000000000000000e',
} as const satisfies Record<string, Address>

/** @param text `dev.json` of a running `tributary dev`. */
export function parseDev(text: string): Network {
  const dev = new Fields('dev.json', JSON.parse(text))
  const [l1, l2, metamask] = [dev.part('l1'), dev.part('l2'), dev.part('metamask')]
  return {
    name: metamask.text('chainName'),
    l2: { chainId: l2.number('chainId'), rpc: l2.text('rpc'), ws: l2.text('ws') },
    l1: { chainId: l1.number('chainId'), rpc: l1.text('rpc') },
    contracts: contractsOf(dev.part('contracts'), (name) => name),
  }
}

/**
 * @param text A network file.
 * @param at Where nodes of this network answer.
 */
export function parseNetworkFile(text: string, at: { l1: string; l2: string; l2ws?: string }): Network {
  const file = new Fields('the network file', parse(text, { integersAsBigInt: 'asNeeded' }))
  const chain = file.part('chain')
  const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  return {
    name: chain.text('name'),
    l2: { chainId: chain.number('id'), rpc: at.l2, ws: at.l2ws, blockTimeMs: chain.number('block_time_ms') },
    l1: { chainId: file.part('l1').number('chain_id'), rpc: at.l1 },
    contracts: contractsOf(file.part('contracts'), snake),
  }
}

function contractsOf(fields: Fields, named: (name: string) => string): Network['contracts'] {
  const at = (name: string) => fields.address(named(name))
  return {
    openToken: at('openToken'),
    inbox: at('inbox'),
    portal: at('portal'),
    rollup: at('rollup'),
    systemConfig: at('systemConfig'),
    timelock: at('timelock'),
  }
}

/** Reads typed fields out of parsed text, and says by their full name what is wrong. */
class Fields {
  readonly #of: string
  readonly #raw: Record<string, unknown>

  constructor(of: string, raw: unknown) {
    if (typeof raw !== 'object' || raw === null) throw new Error(`${of} is missing`)
    this.#of = of
    this.#raw = raw as Record<string, unknown>
  }

  part(name: string): Fields {
    return new Fields(`${this.#of}: ${name}`, this.#raw[name])
  }

  text(name: string): string {
    const value = this.#raw[name]
    if (typeof value !== 'string' || value === '') throw new Error(`${this.#of}: ${name} must be text`)
    return value
  }

  number(name: string): number {
    const value = this.#raw[name]
    if (!Number.isSafeInteger(value) || Number(value) < 0) throw new Error(`${this.#of}: ${name} must be a whole number`)
    return Number(value)
  }

  address(name: string): Address {
    const value = this.text(name)
    if (!isAddress(value, { strict: false }) || value === zeroAddress)
      throw new Error(`${this.#of}: ${name} must be the address of a deployed contract, not ${value}`)
    return getAddress(value)
  }
}
