/**
 * From L2 to L1, with a node of the network as guide: it keeps a proof of every withdrawal that an asserted root covers, for any age,
 * and knows how far each one is. viem's own `buildProveWithdrawal` and `getWithdrawalStatus` do the same by asking for storage proofs
 * and the L1 contracts; both ways end in the same two L1 transactions.
 */
import type { Account, Address, Chain, Client, EIP1193RequestFn, Hash, Hex, Transport } from 'viem'
import {
  type GetWithdrawalStatusReturnType,
  estimateFinalizeWithdrawalGas,
  finalizeWithdrawal as finalizeOnL1,
  proveWithdrawal as proveOnL1,
} from 'viem/op-stack'
import { type TributaryChain, onL1 } from './chain.js'

export { initiateWithdrawal } from 'viem/op-stack'

type Quantity = Hex

/** The node's answers, as they travel. */
type RollupRpc = [
  {
    Method: 'rollup_withdrawalProof'
    Parameters: [hash: Hash]
    ReturnType: {
      withdrawalTransaction: { nonce: Quantity; sender: Hex; target: Hex; value: Quantity; gasLimit: Quantity; data: Hex }
      withdrawalHash: Hash
      l2OutputIndex: number
      outputRootProof: { version: Hash; stateRoot: Hash; messagePasserStorageRoot: Hash; latestBlockhash: Hash }
      withdrawalProof: Hex[]
    }
  },
  {
    Method: 'rollup_withdrawalStatus'
    Parameters: [hash: Hash]
    ReturnType: {
      status: GetWithdrawalStatusReturnType
      withdrawalHash: Hash
      l2BlockNumber: number
      waitsFor: string
      secondsLeft?: number
      provenBy?: Address
      l1Tx?: Hash
    }
  },
]

type L2Client = Client<Transport, Chain | undefined>
type L1Wallet = Client<Transport, Chain, Account>

const rollup = (client: L2Client) => client.request as unknown as EIP1193RequestFn<RollupRpc>

/** All that `proveWithdrawalTransaction` and `finalizeWithdrawalTransaction` want. */
export type WithdrawalProof = Awaited<ReturnType<typeof getWithdrawalProof>>

/**
 * @param client A public client of L2.
 * @param parameters.hash The L2 transaction that withdrew, or the withdrawal's own hash.
 * @throws While no asserted root covers it; the node says what to wait for.
 */
export async function getWithdrawalProof(client: L2Client, { hash }: { hash: Hash }) {
  const raw = await rollup(client)({ method: 'rollup_withdrawalProof', params: [hash] })
  const { nonce, sender, target, value, gasLimit, data } = raw.withdrawalTransaction
  return {
    l2OutputIndex: BigInt(raw.l2OutputIndex),
    outputRootProof: raw.outputRootProof,
    withdrawalProof: raw.withdrawalProof,
    withdrawal: {
      nonce: BigInt(nonce),
      sender,
      target,
      value: BigInt(value),
      gasLimit: BigInt(gasLimit),
      data,
      withdrawalHash: raw.withdrawalHash,
    },
  }
}

/**
 * How far a withdrawal is, in viem's words; `waitsFor` says what happens next, `secondsLeft` how soon at the earliest, `provenBy` and
 * `l1Tx` who proved it and what finalised it. Absent fields are not known yet.
 */
export function getWithdrawalStatus(client: L2Client, { hash }: { hash: Hash }) {
  return rollup(client)({ method: 'rollup_withdrawalStatus', params: [hash] })
}

/** Waits for a status; a later one counts too. */
export async function waitForWithdrawal(
  client: L2Client,
  parameters: { hash: Hash; status: GetWithdrawalStatusReturnType; timeout?: number },
) {
  const { hash, status, timeout = 600_000 } = parameters
  const end = Date.now() + timeout
  for (;;) {
    const now = await getWithdrawalStatus(client, { hash })
    if (order.indexOf(now.status) >= order.indexOf(status)) return now
    if (Date.now() > end) throw new Error(`withdrawal ${hash} is ${now.status} after ${timeout} ms, not ${status}`)
    await new Promise((resolve) => setTimeout(resolve, client.pollingInterval))
  }
}

const order: GetWithdrawalStatusReturnType[] = [
  'waiting-to-prove',
  'ready-to-prove',
  'waiting-to-finalize',
  'ready-to-finalize',
  'finalized',
]

/** @param client A wallet on L1: anyone may prove. */
export function proveWithdrawal(client: L1Wallet, parameters: { targetChain: TributaryChain; proof: WithdrawalProof }): Promise<Hash> {
  const { targetChain, proof } = parameters
  return proveOnL1(client, { ...proof, account: client.account, portalAddress: onL1(targetChain, 'portal') })
}

/** What it takes to confirm an output on the way. An L1 node may guess the gas as if a confirmation in its pool were first. */
const CONFIRMATION_GAS = 70_000n

/** @param client A wallet on L1: anyone may finalise, once the time to contradict the root that was proven against is over. */
export async function finalizeWithdrawal(
  client: L1Wallet,
  parameters: { targetChain: TributaryChain; withdrawal: WithdrawalProof['withdrawal'] },
): Promise<Hash> {
  const { targetChain, withdrawal } = parameters
  const call = { withdrawal, account: client.account, portalAddress: onL1(targetChain, 'portal') }
  const gas = await estimateFinalizeWithdrawalGas(client, call)
  return finalizeOnL1(client, { ...call, gas: gas + CONFIRMATION_GAS })
}
