//! One node, sequencer or follower: it acts when told to.

use crate::{
    L1,
    world::{SEQUENCER, user},
};
use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use alloy_signer::SignerSync;
use alloy_sol_types::SolCall;
use anyhow::{Context, bail};
use bindings::message_passer::L2ToL1MessagePasser;
use config::Network;
use l1::{Client, L1Error, PrivateKeySigner};
use mempool::{HeadEnv, PoolError};
use node::{
    assemble,
    batches::BatchMaker,
    clock,
    driver::Driver,
    keys::dev_key,
    producer::{self, Chain},
};
use poster::{DaChoice, SignedBatch};
use primitives::{SealedBlock, predeploys::MESSAGE_PASSER};
use std::{path::Path, sync::Arc};
use stf::StateReader;

/// A chain, what keeps it in step with L1, and what makes batches of it.
pub struct Node {
    /// Blocks, state, pool.
    pub chain: Arc<Chain>,
    /// Reads L1.
    pub driver: Driver,
    /// Signs batches; a follower never asks it to.
    pub maker: Arc<BatchMaker>,
}

/// More than any call of a story takes on L2.
const CALL_GAS: u64 = 2_000_000;
/// Looks at an L1 that stands still, of which the second must be quiet.
const LOOKS_MAX: usize = 20;

impl Node {
    /// Opens what is in `dir`, or begins there.
    pub fn open(
        network: &Arc<Network>,
        client: &Client,
        dir: &Path,
        da: DaChoice,
    ) -> anyhow::Result<Self> {
        let chain = assemble::open(network.clone(), dir, None, da == DaChoice::Calldata)?;
        assemble::attach_journal(&chain, dir)?;
        let driver = Driver::new(chain.clone(), client.clone())?;
        let maker = BatchMaker::new(chain.clone(), dev_key(SEQUENCER)?, da);
        Ok(Self {
            chain,
            driver,
            maker,
        })
    }

    /// Takes over all that L1 holds. L1 moves while it is read only if a story moves it, so a few looks suffice.
    pub async fn act_look(&mut self) -> anyhow::Result<()> {
        for _ in 0..LOOKS_MAX {
            match self.driver.step().await {
                Ok(()) => return Ok(()),
                Err(error) if matches!(error.downcast_ref(), Some(L1Error::Moved)) => {}
                Err(error) => return Err(error),
            }
        }
        bail!("L1 stands still, and the driver still says that it moves")
    }

    /// Makes one block of what waits.
    pub fn act_block(&self) -> anyhow::Result<Arc<SealedBlock>> {
        let _writing = self.chain.writing.lock();
        producer::make_block(&self.chain)?;
        Ok(self.head())
    }

    /// Makes blocks until nothing waits.
    pub fn act_blocks(&self) -> anyhow::Result<()> {
        for _ in 0..100 {
            if !producer::has_work(&self.chain)? {
                return Ok(());
            }
            self.act_block()?;
        }
        bail!("a hundred blocks, and there is still work")
    }

    /// Signs a batch of what is in none; `None` if there is nothing to sign.
    pub fn act_batch(&self) -> anyhow::Result<Option<Arc<SignedBatch>>> {
        let before = self.maker.signed().len();
        self.maker.step(clock::now_ms())?;
        let signed = self.maker.signed();
        Ok((signed.len() > before)
            .then(|| signed.last().cloned())
            .flatten())
    }

    /// A user sends OPEN to somebody.
    pub fn act_pay(&self, from: u32, to: Address, value: U256) -> anyhow::Result<B256> {
        let key = user(from)?;
        let nonce = self.next_nonce(key.address())?;
        let raw = payment(&self.chain.network, &key, nonce, to, value)?;
        Ok(self.submit(raw)?)
    }

    /// A user calls a contract, in a block of its own. Whether it succeeded.
    pub fn act_call<C: SolCall>(
        &self,
        from: u32,
        to: Address,
        value: U256,
        call: &C,
    ) -> anyhow::Result<bool> {
        let key = user(from)?;
        let nonce = self.next_nonce(key.address())?;
        let input = call.abi_encode().into();
        let network = &self.chain.network;
        let hash = self.submit(l2_tx(network, &key, nonce, CALL_GAS, to, value, input)?)?;
        let block = self.act_block()?;
        let index = block.transactions.iter().position(|tx| tx.hash == hash);
        let receipt = index.and_then(|index| block.receipts.get(index));
        Ok(receipt.context("the call is not in the block")?.success)
    }

    /// Behind what the account has in blocks and in the pool.
    fn next_nonce(&self, account: Address) -> anyhow::Result<u64> {
        let state = self.chain.store.latest_state();
        let on_chain = state.account(account)?.map_or(0, |known| known.nonce);
        let waiting = self.chain.pool.lock().pending_nonce(&account);
        Ok(waiting.unwrap_or(on_chain))
    }

    /// A user withdraws OPEN. Returns the L2 transaction.
    pub fn act_withdraw(
        &self,
        from: u32,
        value: U256,
        message: &L2ToL1MessagePasser::initiateWithdrawalCall,
    ) -> anyhow::Result<B256> {
        let key = user(from)?;
        let nonce = self.next_nonce(key.address())?;
        let input = message.abi_encode().into();
        let raw = l2_call(
            &self.chain.network,
            &key,
            nonce,
            MESSAGE_PASSER,
            value,
            input,
        )?;
        Ok(self.submit(raw)?)
    }

    /// As JSON-RPC does.
    pub fn submit(&self, raw: Bytes) -> Result<B256, PoolError> {
        let state = self.chain.store.latest_state();
        let env = HeadEnv {
            timestamp: self.head().header.timestamp,
            da_gas_per_byte: stf::da_gas_per_byte(&state),
        };
        Ok(self
            .chain
            .pool
            .submit(raw, &state, &env, clock::now_ms())?
            .hash)
    }

    /// The newest block.
    pub fn head(&self) -> Arc<SealedBlock> {
        self.chain.store.head()
    }

    /// Number of the newest block that L1 vouches for.
    pub fn safe(&self) -> u64 {
        self.chain.store.safe()
    }

    /// Records derived.
    pub fn records(&self) -> anyhow::Result<u64> {
        Ok(self
            .chain
            .store
            .last_record()?
            .map_or(0, |last| last.index + 1))
    }

    /// Wei of OPEN.
    pub fn balance(&self, who: Address) -> anyhow::Result<U256> {
        Ok(self
            .chain
            .store
            .latest_state()
            .account(who)?
            .map_or(U256::ZERO, |account| account.balance))
    }

    /// True if a block of the chain holds the transaction.
    pub fn includes(&self, hash: B256) -> anyhow::Result<bool> {
        Ok(self.chain.store.transaction(hash)?.is_some())
    }
}

/// A signed transfer of OPEN.
pub fn payment(
    network: &Network,
    key: &PrivateKeySigner,
    nonce: u64,
    to: Address,
    value: U256,
) -> anyhow::Result<Bytes> {
    l2_call(network, key, nonce, to, value, Bytes::new())
}

/// A signed transaction with calldata.
pub fn l2_call(
    network: &Network,
    key: &PrivateKeySigner,
    nonce: u64,
    to: Address,
    value: U256,
    input: Bytes,
) -> anyhow::Result<Bytes> {
    l2_tx(network, key, nonce, 200_000, to, value, input)
}

fn l2_tx(
    network: &Network,
    key: &PrivateKeySigner,
    nonce: u64,
    gas_limit: u64,
    to: Address,
    value: U256,
    input: Bytes,
) -> anyhow::Result<Bytes> {
    let tx = TxEip1559 {
        chain_id: network.chain.id,
        nonce,
        gas_limit,
        max_fee_per_gas: 100_000_000_000,
        max_priority_fee_per_gas: 1,
        to: TxKind::Call(to),
        value,
        access_list: Default::default(),
        input,
    };
    let signature = key.sign_hash_sync(&tx.signature_hash())?;
    Ok(TxEnvelope::from(tx.into_signed(signature))
        .encoded_2718()
        .into())
}

impl L1 {
    /// A follower in an empty folder, which has looked once.
    pub async fn act_follow_from_nothing(&self) -> anyhow::Result<(Node, tempfile::TempDir)> {
        let dir = tempfile::tempdir()?;
        let mut follower = Node::open(&self.network, &self.client, dir.path(), DaChoice::Auto)?;
        follower.act_look().await?;
        Ok((follower, dir))
    }
}
