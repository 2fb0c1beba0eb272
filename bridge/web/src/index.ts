/** A Tributary network for viem: chain definition, deposits, forced transactions, withdrawals. */
export { type Network, parseDev, parseNetworkFile, predeploys } from './network.js'
export { type TributaryChain, l1Chain, tributaryChain, walletNetwork } from './chain.js'
export { type QueueEntry, type Queued, l2HashOf, queuedIn, sourceHash } from './queue.js'
export { type DepositStatus, depositOpen, forceTransaction, getDepositStatus, waitForDeposit } from './deposit.js'
export {
  type WithdrawalProof,
  finalizeWithdrawal,
  getWithdrawalProof,
  getWithdrawalStatus,
  initiateWithdrawal,
  proveWithdrawal,
  waitForWithdrawal,
} from './withdraw.js'
export { inboxAbi, openTokenAbi, portalAbi } from './abi.js'
