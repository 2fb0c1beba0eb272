/**
 * From L1 to L2: OPEN, and transactions that the sequencer must include. Both pay their L2 gas on L1, in OPEN, which is taken by an
 * allowance that is asked for when it is missing.
 */
import {
  type Account,
  type Address,
  type Chain,
  type Client,
  type Hash,
  type Hex,
  type TransactionReceipt,
  TransactionNotFoundError,
  TransactionReceiptNotFoundError,
  type Transport,
  zeroAddress,
} from 'viem'
import { getTransaction, getTransactionReceipt, readContract, waitForTransactionReceipt, writeContract } from 'viem/actions'
import { openTokenAbi, portalAbi } from './abi.js'
import { type TributaryChain, onL1 } from './chain.js'
import { type Queued, queuedIn } from './queue.js'

type L1Wallet = Client<Transport, Chain, Account>

/**
 * Deposits OPEN to the caller's own address on L2. Gas for it is paid on top, in OPEN.
 *
 * @param client A wallet on L1.
 * @returns Hash of the L1 transaction; see {@link getDepositStatus}.
 */
export async function depositOpen(client: L1Wallet, parameters: { targetChain: TributaryChain; amount: bigint }): Promise<Hash> {
  const { targetChain, amount } = parameters
  const portal = { address: onL1(targetChain, 'portal'), abi: portalAbi } as const
  const gas = await readContract(client, { ...portal, functionName: 'DEFAULT_GAS_LIMIT' })
  await allow(client, targetChain, amount + (await readContract(client, { ...portal, functionName: 'gasCost', args: [gas] })))
  return writeContract(client, { ...portal, chain: client.chain, account: client.account, functionName: 'depositOpen', args: [amount] })
}

/**
 * Puts a transaction of the caller's into the L1 queue. The sequencer must include it; if it does not, anyone may advance L2 past it.
 *
 * @param client A wallet on L1. The sender on L2 is its address, or the alias of it if it is a contract.
 * @param parameters.to Absent for a creation.
 * @param parameters.value OPEN from the sender's L2 balance.
 * @param parameters.mint OPEN deposited along with it.
 * @param parameters.gas L2 gas; by default the least that the data needs, and 100,000 for what it runs.
 */
export async function forceTransaction(
  client: L1Wallet,
  parameters: { targetChain: TributaryChain; to?: Address; value?: bigint; mint?: bigint; data?: Hex; gas?: bigint },
): Promise<Hash> {
  const { targetChain, to, value = 0n, mint = 0n, data = '0x' } = parameters
  const portal = { address: onL1(targetChain, 'portal'), abi: portalAbi } as const
  const bytes = BigInt(data.length / 2 - 1)
  const gas =
    parameters.gas ?? 100_000n + (await readContract(client, { ...portal, functionName: 'minGasLimit', args: [bytes, !to] }))
  await allow(client, targetChain, mint + (await readContract(client, { ...portal, functionName: 'gasCost', args: [gas] })))
  return writeContract(client, {
    ...portal,
    chain: client.chain,
    account: client.account,
    functionName: 'deposit',
    args: [to ?? zeroAddress, mint, value, gas, !to, data],
  })
}

export type DepositStatus =
  /** L1 has not mined it. */
  | { status: 'waiting-for-l1' }
  /** L1 refused it: nothing was taken. */
  | { status: 'reverted' }
  /** It is in the queue, and no L2 block has it yet. */
  | ({ status: 'waiting-for-l2' } & Queued)
  /** It is in an L2 block. `receipt.status` says whether its call succeeded; what it minted stands either way. */
  | ({ status: 'included'; receipt: TransactionReceipt } & Queued)

/**
 * How far a deposit or a forced transaction is.
 *
 * @param clients Public clients of both sides.
 * @param parameters.hash The L1 transaction.
 * @param parameters.entry Which entry, if the transaction made several. Default 0.
 */
export async function getDepositStatus(
  clients: { l1: Client<Transport, Chain | undefined>; l2: Client<Transport, Chain | undefined> },
  parameters: { targetChain: TributaryChain; hash: Hash; entry?: number },
): Promise<DepositStatus> {
  const { targetChain, hash, entry = 0 } = parameters
  const mined = await receiptOf(clients.l1, hash)
  if (!mined) {
    // Distinguishes a transaction that waits from one that nobody knows: the latter throws.
    await getTransaction(clients.l1, { hash })
    return { status: 'waiting-for-l1' }
  }
  if (mined.status === 'reverted') return { status: 'reverted' }
  const queued = queuedIn(mined.logs, onL1(targetChain, 'inbox'))[entry]
  if (!queued) throw new Error(`L1 transaction ${hash} put no entry ${entry} into the queue`)
  const receipt = await receiptOf(clients.l2, queued.l2Hash)
  return receipt ? { status: 'included', receipt, ...queued } : { status: 'waiting-for-l2', ...queued }
}

/** Waits until L2 has the deposit, and answers with its receipt there. */
export async function waitForDeposit(
  clients: { l1: Client<Transport, Chain | undefined>; l2: Client<Transport, Chain | undefined> },
  parameters: { targetChain: TributaryChain; hash: Hash; entry?: number; timeout?: number },
): Promise<TransactionReceipt> {
  const { hash, timeout = 600_000 } = parameters
  await waitForTransactionReceipt(clients.l1, { hash, timeout })
  const deposit = await getDepositStatus(clients, parameters)
  if (deposit.status === 'included') return deposit.receipt
  if (deposit.status !== 'waiting-for-l2') throw new Error(`L1 transaction ${hash} was reverted: nothing was deposited`)
  return waitForTransactionReceipt(clients.l2, { hash: deposit.l2Hash, timeout })
}

async function receiptOf(client: Client<Transport, Chain | undefined>, hash: Hash): Promise<TransactionReceipt | undefined> {
  try {
    return await getTransactionReceipt(client, { hash })
  } catch (error) {
    if (error instanceof TransactionReceiptNotFoundError || error instanceof TransactionNotFoundError) return undefined
    throw error
  }
}

/** Lets the Portal take `amount`, if it may not already. */
async function allow(client: L1Wallet, targetChain: TributaryChain, amount: bigint): Promise<void> {
  const token = { address: onL1(targetChain, 'openToken'), abi: openTokenAbi } as const
  const portal = onL1(targetChain, 'portal')
  const allowed = await readContract(client, { ...token, functionName: 'allowance', args: [client.account.address, portal] })
  if (allowed >= amount) return
  const hash = await writeContract(client, {
    ...token,
    chain: client.chain,
    account: client.account,
    functionName: 'approve',
    args: [portal, amount],
  })
  const receipt = await waitForTransactionReceipt(client, { hash })
  if (receipt.status !== 'success') throw new Error(`the approval ${hash} was reverted`)
}
