/**
 * Chain definitions for viem. `tributaryChain` has the shape of viem's OP-stack chains, so that viem's own withdrawal actions take
 * it as `targetChain`. OPEN is the native coin, and L1 data cost is inside gas: viem's `estimateL1Fee` and its kin have nothing
 * to ask here, and the contract they ask does not exist.
 */
import { type Chain, defineChain } from 'viem'
import { chainConfig } from 'viem/op-stack'
import { type Network, predeploys } from './network.js'

/** Fields of viem's OP-stack chains that withdrawals need, and the contracts of this package. */
export type TributaryChain = ReturnType<typeof tributaryChain>

export function tributaryChain(network: Network) {
  const { l1, l2, contracts } = network
  const on = (address: `0x${string}`) => ({ [l1.chainId]: { address } })
  return defineChain({
    id: l2.chainId,
    name: network.name,
    nativeCurrency: { name: 'OPEN', symbol: 'OPEN', decimals: 18 },
    rpcUrls: { default: { http: [l2.rpc], ...(l2.ws ? { webSocket: [l2.ws] } : {}) } },
    ...(l2.blockTimeMs ? { blockTime: l2.blockTimeMs } : {}),
    sourceId: l1.chainId,
    formatters: chainConfig.formatters,
    serializers: chainConfig.serializers,
    contracts: {
      l2ToL1MessagePasser: { address: predeploys.messagePasser },
      l1Block: { address: predeploys.l1Info },
      wrappedOpen: { address: predeploys.wrappedOpen },
      assetRegistry: { address: predeploys.assetRegistry },
      revenueRouter: { address: predeploys.revenueRouter },
      poolLedger: { address: predeploys.poolLedger },
      portal: on(contracts.portal),
      // The rollup's list of assertions reads like an output oracle.
      l2OutputOracle: on(contracts.rollup),
      openToken: on(contracts.openToken),
      inbox: on(contracts.inbox),
    },
  })
}

/** The L1 below a network. Not for Ethereum itself: viem's `mainnet` knows more. */
export function l1Chain(network: Network): Chain {
  return defineChain({
    id: network.l1.chainId,
    name: `L1 of ${network.name}`,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [network.l1.rpc] } },
  })
}

/** The contract of this name on the L1 below `chain`. */
export function onL1(chain: TributaryChain, name: 'portal' | 'openToken' | 'inbox' | 'l2OutputOracle') {
  const found = chain.contracts[name][chain.sourceId]
  if (!found) throw new Error(`${chain.name} has no ${name} on L1 ${chain.sourceId}`)
  return found.address
}

/** What `wallet_addEthereumChain` wants (EIP-3085). */
export function walletNetwork(network: Network) {
  return {
    chainId: `0x${network.l2.chainId.toString(16)}` as const,
    chainName: network.name,
    nativeCurrency: { name: 'OPEN', symbol: 'OPEN', decimals: 18 },
    rpcUrls: [network.l2.rpc],
  }
}
