//! The embedded L1 with the contracts on it, and whoever sends transactions there.

use crate::world::{DEPLOYER, POSTER, PROPOSER, RELAYER, SEQUENCER, USERS, eth};
use alloy_consensus::{
    EthereumTxEnvelope, SignableTransaction, TxEip1559, TxEip4844, TxEip4844WithSidecar, TxEnvelope,
};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, Bytes, TxHash, TxKind, U64, U256, keccak256};
use alloy_rpc_types_eth::TransactionReceipt;
use alloy_signer::SignerSync;
use anyhow::{Context, ensure};
use bindings::{inbox::Inbox, open_token::OpenToken, portal::Portal};
use config::Network;
use l1::{Client, Intent};
use node::{
    clock,
    deploy::{Deployer, Roles, deploy},
    genesis,
    keys::dev_key,
};
use poster::SignedBatch;
use serde_json::json;
use std::sync::Arc;

/// L1, mined by hand.
pub struct L1 {
    /// Time and blocks.
    pub chain: l1dev::Handle,
    /// The way in.
    pub client: Client,
    /// With the contracts' addresses.
    pub network: Arc<Network>,
}

/// L1 took the transaction and undid it, or refused to estimate it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reverted(pub String);

/// `finalized` is twice this many blocks behind L1's head: deeper than the deepest reorg of a story.
const SLOTS_PER_EPOCH: u64 = 8;
/// More than any call of a story takes.
const GAS: u64 = 12_000_000;
/// Above any base fee of a story.
const MAX_FEE_WEI: u128 = 100_000_000_000;

impl L1 {
    /// Contracts deployed, users with OPEN that `Portal` may take.
    pub async fn found(change: impl FnOnce(&mut Network)) -> anyhow::Result<Self> {
        let mut network = Network::parse(include_str!("../../../config/dev.toml"))?;
        // A batch is due whenever a story asks for one.
        network.batch.interval_ms = 0;
        change(&mut network);
        let mut funded = Vec::new();
        for index in (0..USERS).chain([DEPLOYER, SEQUENCER, POSTER, PROPOSER, RELAYER, RELAYER + 1])
        {
            funded.push((dev_key(index)?.address(), eth(100_000)));
        }
        let chain = l1dev::start(l1dev::Options {
            funded,
            blob_schedule: network.l1.blob_schedule.clone(),
            slots_per_epoch: SLOTS_PER_EPOCH,
            ..l1dev::Options::temporary(network.l1.chain_id, Arc::new(clock::now_ms))
        })?;
        network.genesis.timestamp = chain.head().header.timestamp;
        network.genesis.fee_recipient = dev_key(SEQUENCER)?.address();
        network.genesis.guardian = dev_key(DEPLOYER)?.address();
        let key = dev_key(DEPLOYER)?;
        let client = Client::new(&chain.url(), None, Arc::new(network.clone()))?;
        let mut deployer = Deployer::new(&client, &key).await?;
        network.contracts.token_bridge = deployer.token_bridge(None);
        let first = genesis::genesis(&network)?;
        network.genesis.hash = first.header.hash_slow();
        let roles = Roles {
            sequencer: dev_key(SEQUENCER)?.address(),
            fee_recipient: network.genesis.fee_recipient,
            governance: network.genesis.guardian,
            council: network.genesis.guardian,
            timelock_delay_s: 60,
            deposit_gas_price_wei: network.fees.base_fee_floor_wei,
            deposit_gas_per_block: 1 << 24,
        };
        network.contracts = deploy(
            &mut deployer,
            &network,
            roles,
            None,
            genesis::output_root(&first.header),
        )
        .await?;
        let token = network.contracts.open_token;
        for index in 0..USERS {
            let to = dev_key(index)?.address();
            deployer
                .call(
                    token,
                    OpenToken::mintCall {
                        to,
                        amount: eth(1_000_000),
                    },
                    150_000,
                )
                .await?;
        }
        deployer.finish().await?;
        chain.set_mining(l1dev::Mining::Manual);
        let network = Arc::new(network);
        let client = Client::new(&chain.url(), None, network.clone())?;
        let l1 = Self {
            chain,
            client,
            network,
        };
        for index in 0..USERS {
            let approve = OpenToken::approveCall {
                spender: l1.network.contracts.portal,
                value: U256::MAX,
            };
            l1.act_send(index, Intent::call(token, &approve)).await?;
        }
        l1.act_mine(1)?;
        Ok(l1)
    }

    /// Makes blocks.
    pub fn act_mine(&self, blocks: u64) -> anyhow::Result<()> {
        self.chain.mine(blocks)?;
        Ok(())
    }

    /// Replaces blocks; with `drop` their transactions are forgotten.
    pub fn act_reorg(&self, depth: u64, drop: bool) -> anyhow::Result<()> {
        self.chain.reorg(depth, drop)?;
        Ok(())
    }

    /// Nothing happens for so long; then there is a block.
    pub fn act_time_passes(&self, seconds: u64) -> anyhow::Result<()> {
        // From the head on: blocks mined by hand are a second apart and may be ahead of the clock.
        self.chain
            .set_next_timestamp(self.chain.head().header.timestamp + seconds)?;
        self.act_mine(1)
    }

    /// Sends a transaction of one of the development accounts, whatever it does.
    pub async fn act_send(&self, from: u32, intent: Intent) -> anyhow::Result<TxHash> {
        let key = dev_key(from)?;
        let nonce = self
            .client
            .raw("eth_getTransactionCount", json!([key.address(), "pending"]))
            .await?;
        let nonce: u64 = serde_json::from_value::<U64>(nonce)?.to();
        let chain_id = self.network.l1.chain_id;
        let raw = match intent.sidecar {
            None => {
                let tx = TxEip1559 {
                    chain_id,
                    nonce,
                    gas_limit: GAS,
                    max_fee_per_gas: MAX_FEE_WEI,
                    max_priority_fee_per_gas: 1,
                    to: intent.to.map_or(TxKind::Create, TxKind::Call),
                    value: intent.value,
                    access_list: Default::default(),
                    input: intent.data,
                };
                let signature = key.sign_hash_sync(&tx.signature_hash())?;
                TxEnvelope::from(tx.into_signed(signature)).encoded_2718()
            }
            Some(sidecar) => {
                let tx = TxEip4844 {
                    chain_id,
                    nonce,
                    gas_limit: GAS,
                    max_fee_per_gas: MAX_FEE_WEI,
                    max_priority_fee_per_gas: 1,
                    to: intent.to.context("a blob transaction has a callee")?,
                    value: intent.value,
                    access_list: Default::default(),
                    blob_versioned_hashes: sidecar.versioned_hashes().collect(),
                    max_fee_per_blob_gas: MAX_FEE_WEI,
                    input: intent.data,
                };
                let signature = key.sign_hash_sync(&tx.signature_hash())?;
                let hash = *tx.clone().into_signed(signature).hash();
                let whole = TxEip4844WithSidecar { tx, sidecar }.into_signed(signature);
                let whole: EthereumTxEnvelope<TxEip4844WithSidecar> = whole.into();
                self.client.send(&whole.encoded_2718()).await?;
                return Ok(hash);
            }
        };
        self.client.send(&raw).await?;
        Ok(keccak256(&raw))
    }

    /// Sends, makes a block, and gives the receipt, whatever its status.
    pub async fn act_call(&self, from: u32, intent: Intent) -> anyhow::Result<TransactionReceipt> {
        let hash = self.act_send(from, intent).await?;
        self.act_mine(1)?;
        self.client
            .receipt(hash)
            .await?
            .with_context(|| format!("{hash} was not mined"))
    }

    /// More OPEN for an account on L1. Not mined yet.
    pub async fn act_mint(&self, to: Address, amount: U256) -> anyhow::Result<TxHash> {
        let token = self.network.contracts.open_token;
        let mint = OpenToken::mintCall { to, amount };
        self.act_send(DEPLOYER, Intent::call(token, &mint)).await
    }

    /// OPEN from a user on L1 to an account on L2. Not mined yet.
    pub async fn act_deposit(
        &self,
        from: u32,
        to: Address,
        amount: U256,
    ) -> anyhow::Result<TxHash> {
        let deposit = Portal::depositCall {
            to,
            mint: amount,
            value: amount,
            gasLimit: 50_000,
            isCreation: false,
            data: Bytes::new(),
        };
        self.act_send(from, Intent::call(self.network.contracts.portal, &deposit))
            .await
    }

    /// Anyone posts a batch. Makes a block; a revert says why.
    pub async fn act_post(
        &self,
        from: u32,
        batch: &SignedBatch,
    ) -> anyhow::Result<Result<u64, Reverted>> {
        let receipt = self
            .act_call(from, poster::calls::post(&self.network, batch, false))
            .await?;
        if receipt.status() {
            return Ok(Ok(receipt.block_number.unwrap_or_default()));
        }
        // What it says at the next block, which is what it said at this one: the inbox did not move.
        let post = poster::calls::post(&self.network, batch, false);
        let mut request = alloy_rpc_types_eth::TransactionRequest::default()
            .from(dev_key(from)?.address())
            .to(self.network.contracts.inbox)
            .input(post.data.into());
        if let Some(sidecar) = &batch.sidecar {
            request.blob_versioned_hashes = Some(sidecar.versioned_hashes().collect());
            request.max_fee_per_blob_gas = Some(MAX_FEE_WEI);
        }
        match self.client.estimate(request).await {
            Err(l1::L1Error::Refused(why)) => Ok(Err(Reverted(why))),
            other => anyhow::bail!("a batch reverted and would not the next time: {other:?}"),
        }
    }

    /// Anyone may, once the window is over.
    pub async fn act_force_advance(&self, from: u32) -> anyhow::Result<bool> {
        Ok(self
            .act_call(
                from,
                Intent::call(self.network.contracts.inbox, &Inbox::forceAdvanceCall {}),
            )
            .await?
            .status())
    }

    /// Records in the inbox.
    pub async fn record_count(&self) -> anyhow::Result<u64> {
        Ok(self
            .client
            .view(self.network.contracts.inbox, &Inbox::recordCountCall {})
            .await?)
    }

    /// OPEN of an account on L1, wei.
    pub async fn balance(&self, account: Address) -> anyhow::Result<U256> {
        let call = OpenToken::balanceOfCall { account };
        let token = self.network.contracts.open_token;
        Ok(self.client.view(token, &call).await?)
    }

    /// Time of the newest block, seconds.
    pub fn time(&self) -> u64 {
        self.chain.head().header.timestamp
    }

    /// OPEN in escrow, wei.
    pub async fn escrowed(&self) -> anyhow::Result<U256> {
        Ok(self
            .client
            .view(self.network.contracts.portal, &Portal::escrowedCall {})
            .await?)
    }

    /// Mines until the transaction is in a block and checks that it succeeded.
    pub async fn assert_succeeded(&self, hash: TxHash) -> anyhow::Result<()> {
        let receipt = self
            .client
            .receipt(hash)
            .await?
            .with_context(|| format!("{hash} was not mined"))?;
        ensure!(receipt.status(), "{hash} reverted");
        Ok(())
    }
}
