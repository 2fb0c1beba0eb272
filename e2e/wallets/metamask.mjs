// A wallet assembled from MetaMask's own controllers, as its extension does it: networks, fees, nonces, transactions. What
// the extension has around them is here in its plainest form: one key, and a user who approves everything.
//
// Absent on purpose: MetaMask's servers. What is asked of them is refused, and the wallet goes on with the node alone.
import { ApprovalController } from '@metamask/approval-controller'
import { default as EthQuery } from '@metamask/eth-query'
import { GasFeeController } from '@metamask/gas-fee-controller'
import { Messenger, MOCK_ANY_NAMESPACE } from '@metamask/messenger'
import { NetworkController, RpcEndpointType } from '@metamask/network-controller'
import { TransactionController } from '@metamask/transaction-controller'

/** MetaMask polls every 3 s at first and every 20 s later; its servers can tell it other times, and so do we. */
const POLL_MS = 300

const fetchAnywhere = globalThis.fetch
globalThis.fetch = (target, options) => {
  const url = new URL(target instanceof Request ? target.url : target)
  if (url.hostname === '127.0.0.1') return fetchAnywhere(target, options)
  return Promise.reject(new Error(`out of reach: ${url.href}`))
}

/**
 * @param {{address: string, privateKey: string}[]} accounts Whose keys it holds; the first is selected.
 */
export function openWallet(accounts) {
  const keys = new Map(accounts.map((a) => [a.address.toLowerCase(), Buffer.from(a.privateKey.slice(2), 'hex')]))
  const root = new Messenger({ namespace: MOCK_ANY_NAMESPACE })
  const flags = { confirmations_transactions: { acceleratedPolling: { defaultCountMax: 1000, defaultIntervalMs: POLL_MS } } }
  const internal = accounts.map((a) => ({ id: a.address, address: a.address.toLowerCase(), type: 'eip155:eoa' }))
  root.registerActionHandler('ErrorReportingService:captureException', (error) => { throw error })
  root.registerActionHandler('RemoteFeatureFlagController:getState', () => ({ remoteFeatureFlags: flags, cacheTimestamp: 0 }))
  root.registerActionHandler('AccountsController:getSelectedAccount', () => internal[0])
  root.registerActionHandler('AccountsController:getState', () => ({
    internalAccounts: { accounts: Object.fromEntries(internal.map((a) => [a.id, a])), selectedAccount: internal[0].id },
  }))

  /** A messenger of a controller's own, with what it may call and hear. */
  const messenger = (namespace, actions = [], events = []) => {
    const own = new Messenger({ namespace, parent: root })
    root.delegate({ messenger: own, actions, events })
    return own
  }

  const networks = new NetworkController({
    messenger: messenger('NetworkController', ['ErrorReportingService:captureException']),
    infuraProjectId: '0'.repeat(32),
    getRpcServiceOptions: () => ({ fetch: globalThis.fetch, btoa: globalThis.btoa }),
    getBlockTrackerOptions: () => ({ pollingInterval: POLL_MS, retryTimeout: POLL_MS, keepEventLoopActive: false }),
  })
  networks.initializeProvider({ lookupNetwork: false })

  const approvals = new ApprovalController({
    messenger: messenger('ApprovalController'),
    showApprovalRequest: () => {
      for (const id of Object.keys(approvals.state.pendingApprovals)) approvals.accept(id).catch(() => {})
    },
  })

  const fees = new GasFeeController({
    messenger: messenger(
      'GasFeeController',
      ['NetworkController:getState', 'NetworkController:getNetworkClientById', 'NetworkController:getEIP1559Compatibility'],
      ['NetworkController:networkDidChange'],
    ),
    getProvider: () => networks.getProviderAndBlockTracker().provider,
    getCurrentNetworkEIP1559Compatibility: () => networks.getEIP1559Compatibility(),
    getCurrentAccountEIP1559Compatibility: () => true,
    getCurrentNetworkLegacyGasAPICompatibility: () => false,
    // Networks that its servers know nothing of are asked themselves.
    state: { nonRPCGasFeeApisDisabled: true },
    EIP1559APIEndpoint: 'https://gas.invalid/networks/<chain_id>/suggestedGasFees',
    legacyAPIEndpoint: 'https://gas.invalid/networks/<chain_id>/gasPrices',
    clientId: 'extension',
  })

  const transactions = new TransactionController({
    messenger: messenger(
      'TransactionController',
      [
        'AccountsController:getSelectedAccount', 'AccountsController:getState', 'ApprovalController:addRequest',
        'NetworkController:findNetworkClientIdByChainId', 'NetworkController:getNetworkClientById',
        'RemoteFeatureFlagController:getState',
      ],
      ['NetworkController:stateChange'],
    ),
    disableHistory: true,
    disableSendFlowHistory: true,
    disableSwaps: true,
    getCurrentNetworkEIP1559Compatibility: () => networks.getEIP1559Compatibility(),
    getGasFeeEstimates: (options) => fees.fetchGasFeeEstimates(options),
    getNetworkClientRegistry: () => networks.getNetworkClientRegistry(),
    getNetworkState: () => networks.state,
    incomingTransactions: { isEnabled: () => false },
    isFirstTimeInteractionEnabled: () => false,
    isSimulationEnabled: () => false,
    pendingTransactions: { isResubmitEnabled: () => false },
    sign: async (transaction, from) => transaction.sign(keys.get(from.toLowerCase())),
    hooks: {},
  })

  let client
  return {
    networks, fees, transactions,

    /** What "Add a custom network" does, and the switch to it. Answers with the id of its client. */
    async addNetwork({ chainId, chainName, nativeCurrency, rpcUrls: [url] }) {
      const added = networks.addNetwork({
        chainId, name: chainName, nativeCurrency: nativeCurrency.symbol, blockExplorerUrls: [], defaultRpcEndpointIndex: 0,
        rpcEndpoints: [{ type: RpcEndpointType.Custom, url, failoverUrls: [] }],
      })
      client = added.rpcEndpoints[0].networkClientId
      await networks.setActiveNetwork(client)
      await networks.lookupNetwork(client)
      return client
    },

    /** Asks the node through the wallet's own provider. */
    ask(method, ...params) {
      const query = new EthQuery(networks.getNetworkClientById(client).provider)
      return new Promise((resolve, reject) => query.sendAsync({ method, params }, (error, result) => (error ? reject(error) : resolve(result))))
    },

    /** Adds, approves, signs, publishes. Answers as soon as the node has taken it. */
    async send(params, options = {}) {
      const { result, transactionMeta } = await transactions.addTransaction(
        { from: internal[0].address, ...params }, { networkClientId: client, origin: 'metamask', ...options },
      )
      const hash = await result
      return { id: transactionMeta.id, hash }
    },

    /** The wallet's own record of a transaction. */
    meta: (id) => transactions.state.transactions.find((t) => t.id === id),

    /** Waits until the wallet itself finds the transaction in `status`. */
    async until(id, status, withinMs = 30_000) {
      const end = Date.now() + withinMs
      for (;;) {
        const meta = this.meta(id)
        if (meta?.status === status) return meta
        if (meta?.status === 'failed' || Date.now() > end)
          throw new Error(`transaction ${id} is ${meta?.status}, not ${status}: ${JSON.stringify(meta?.error ?? meta?.txParams)}`)
        await new Promise((r) => setTimeout(r, 50))
      }
    },

    close() {
      transactions.destroy()
      fees.destroy()
      networks.destroy()
    },
  }
}
