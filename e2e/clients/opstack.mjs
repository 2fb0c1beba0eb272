// A withdrawal by viem's op-stack actions as they are published: initiate, wait, prove, wait, finalise, and the status at each step.
import { createPublicClient, createWalletClient, defineChain, erc20Abi, http, parseEther } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { chainConfig, publicActionsL1, publicActionsL2, walletActionsL1, walletActionsL2 } from 'viem/op-stack'
import { accountsOf, dev, expect, refused, tell } from './shared.mjs'

const { l1: { chainId: sourceId }, contracts } = dev
const l1Chain = defineChain({
  id: sourceId, name: 'L1', nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 }, rpcUrls: { default: { http: [dev.l1.rpc] } },
})
const targetChain = defineChain({
  ...chainConfig,
  id: dev.l2.chainId, name: 'Tributary dev', nativeCurrency: { name: 'OPEN', symbol: 'OPEN', decimals: 18 },
  rpcUrls: { default: { http: [dev.l2.rpc] } },
  contracts: {
    ...chainConfig.contracts,
    portal: { [sourceId]: { address: contracts.portal } },
    l2OutputOracle: { [sourceId]: { address: contracts.rollup } },
  },
  sourceId,
})
const [me] = accountsOf(8).map((a) => privateKeyToAccount(a.privateKey))
// A young L1 has no Multicall3, so viem brings its code along with each call.
const l1 = createPublicClient({ chain: l1Chain, transport: http(), pollingInterval: 200, batch: { multicall: { deployless: true } } }).extend(publicActionsL1())
const l2 = createPublicClient({ chain: targetChain, transport: http(), pollingInterval: 200 }).extend(publicActionsL2())
const walletL1 = createWalletClient({ chain: l1Chain, transport: http(), account: me }).extend(walletActionsL1())
const walletL2 = createWalletClient({ chain: targetChain, transport: http(), account: me }).extend(walletActionsL2())

const openOf = (address) => l1.readContract({ address: contracts.openToken, abi: erc20Abi, functionName: 'balanceOf', args: [address] })
const mined = async (client, hash, what) => {
  const receipt = await client.waitForTransactionReceipt({ hash })
  expect(receipt.status === 'success', `${what} ${hash}`)
  return receipt
}

// OPEN to an account without code: a token transfer on L1, so no gas is asked for there.
const target = privateKeyToAccount(generatePrivateKey()).address
const value = parseEther('1.5')
const left = await mined(l2, await walletL2.initiateWithdrawal({ request: { to: target, value, gas: 0n } }), 'initiateWithdrawal')
const status = () => l1.getWithdrawalStatus({ receipt: left, targetChain })
const stages = [await status()]
expect((await l1.getTimeToProve({ receipt: left, targetChain })).seconds >= 0, 'the time to prove is told')

const { output, withdrawal } = await l1.waitToProve({ receipt: left, targetChain })
expect(output.l2BlockNumber >= left.blockNumber, 'the output covers the withdrawal')
stages.push(await status())

const proof = await l2.buildProveWithdrawal({ output, withdrawal, account: me })
const proven = await mined(l1, await walletL1.proveWithdrawal(proof), 'proveWithdrawal')
stages.push(await status())
await refused('revert', () => walletL1.finalizeWithdrawal({ targetChain, withdrawal }))

const { seconds, period } = await l1.getTimeToFinalize({ withdrawalHash: withdrawal.withdrawalHash, targetChain })
expect(seconds > 0 && period > 0, 'the time to finalise is told')
await l1.waitToFinalize({ withdrawalHash: withdrawal.withdrawalHash, targetChain })
stages.push(await status())

// anvil guesses the gas on top of its pool, where the proposer's confirmation may stand and not be mined before this.
const gas = 200_000n
const finalized = await mined(l1, await walletL1.finalizeWithdrawal({ targetChain, withdrawal, gas }), 'finalizeWithdrawal')
stages.push(await status())
expect((await openOf(target)) === value, 'the OPEN is on L1, to the wei')
await refused('revert', () => walletL1.finalizeWithdrawal({ targetChain, withdrawal }))

const wanted = ['waiting-to-prove', 'ready-to-prove', 'waiting-to-finalize', 'ready-to-finalize', 'finalized']
expect(JSON.stringify(stages) === JSON.stringify(wanted), `the stages: ${stages}`)
tell({ client: 'viem/op-stack', stages, proveGas: proven.gasUsed, finalizeGas: finalized.gasUsed, period })
process.exit(0)
