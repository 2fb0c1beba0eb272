/**
 * The L1 queue seen from outside: which L2 transaction an entry becomes (`bridge/FORMATS.md` 1). It follows from the queue alone, so
 * its hash is known as soon as L1 has the entry, and an L1 reorg that leaves the queue unchanged does not change it.
 */
import { type Hash, type Log, type ParseEventLogsReturnType, encodeAbiParameters, keccak256, parseEventLogs } from 'viem'
import { serializeTransaction } from 'viem/op-stack'
import { inboxAbi } from './abi.js'

export type QueueEntry = ParseEventLogsReturnType<typeof inboxAbi, 'Enqueued', true>[number]['args']['entry']

/** A queue entry on its way. */
export type Queued = {
  /** Position in the queue. */
  index: bigint
  entry: QueueEntry
  /** The transaction it becomes on L2. */
  l2Hash: Hash
}

/** Source hash of the entry after which the queue accumulator is `queueAcc`. */
export function sourceHash(queueAcc: Hash): Hash {
  return keccak256(encodeAbiParameters([{ type: 'uint256' }, { type: 'bytes32' }], [3n, queueAcc]))
}

/** Hash of the L2 transaction that `entry` becomes. */
export function l2HashOf(entry: QueueEntry, queueAcc: Hash): Hash {
  return keccak256(
    serializeTransaction({
      type: 'deposit',
      sourceHash: sourceHash(queueAcc),
      from: entry.from,
      ...(entry.isCreation ? {} : { to: entry.to }),
      mint: entry.mint,
      value: entry.value,
      gas: entry.gasLimit,
      isSystemTx: false,
      data: entry.data,
    }),
  )
}

/** Every entry that an L1 transaction put into the queue of `inbox`. */
export function queuedIn(logs: Log[], inbox: `0x${string}`): Queued[] {
  return parseEventLogs({ abi: inboxAbi, eventName: 'Enqueued', logs })
    .filter((log) => log.address.toLowerCase() === inbox.toLowerCase())
    .map(({ args: { index, entry, queueAcc } }) => ({ index, entry, l2Hash: l2HashOf(entry, queueAcc) }))
}
