//! A small L2 wallet for the commands that send something.

use crate::ask::ask;
use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, TxKind, U64, U256, hex};
use alloy_signer::SignerSync;
use alloy_sol_types::SolCall;
use anyhow::{Context, ensure};
use l1::PrivateKeySigner;
use serde_json::{Value, json};

/// One key at one node.
pub struct Wallet {
    http: reqwest::Client,
    url: String,
    key: PrivateKeySigner,
    chain_id: u64,
}

impl Wallet {
    /// Asks the node for its chain id.
    pub async fn new(url: &str, key: PrivateKeySigner) -> anyhow::Result<Self> {
        let http = reqwest::Client::new();
        let chain_id: U64 = ask(&http, url, "eth_chainId", json!([])).await?;
        Ok(Self {
            http,
            url: url.to_owned(),
            key,
            chain_id: chain_id.to(),
        })
    }

    /// The account.
    pub fn address(&self) -> Address {
        self.key.address()
    }

    /// What a call would return.
    pub async fn view<C: SolCall>(&self, to: Address, call: &C) -> anyhow::Result<C::Return> {
        let request = json!({ "from": self.address(), "to": to, "data": hex::encode_prefixed(call.abi_encode()) });
        let output: Bytes = ask(
            &self.http,
            &self.url,
            "eth_call",
            json!([request, "latest"]),
        )
        .await?;
        Ok(C::abi_decode_returns(&output)?)
    }

    /// Sends a call and waits for its receipt; a revert is an error.
    pub async fn send<C: SolCall>(
        &self,
        to: Address,
        call: &C,
        value: U256,
    ) -> anyhow::Result<Value> {
        let input: Bytes = call.abi_encode().into();
        let request = json!({ "from": self.address(), "to": to, "data": input, "value": value });
        let gas: U64 = ask(&self.http, &self.url, "eth_estimateGas", json!([request]))
            .await
            .context(C::SIGNATURE)?;
        let nonce: U64 = ask(
            &self.http,
            &self.url,
            "eth_getTransactionCount",
            json!([self.address(), "pending"]),
        )
        .await?;
        let price: U256 = ask(&self.http, &self.url, "eth_gasPrice", json!([])).await?;
        let tx = TxEip1559 {
            chain_id: self.chain_id,
            nonce: nonce.to(),
            // State may move between estimate and inclusion.
            gas_limit: gas.to::<u64>() + gas.to::<u64>() / 10,
            max_fee_per_gas: price.saturating_to::<u128>() * 2,
            max_priority_fee_per_gas: 0,
            to: TxKind::Call(to),
            value,
            access_list: Default::default(),
            input,
        };
        let signature = self.key.sign_hash_sync(&tx.signature_hash())?;
        let raw = hex::encode_prefixed(TxEnvelope::from(tx.into_signed(signature)).encoded_2718());
        let receipt: Value = ask(
            &self.http,
            &self.url,
            "eth_sendRawTransactionSync",
            json!([raw, 20_000]),
        )
        .await?;
        ensure!(
            receipt["status"] == "0x1",
            "{} reverted: {}",
            C::SIGNATURE,
            receipt["transactionHash"]
        );
        Ok(receipt)
    }

    /// Wei.
    pub async fn balance(&self, who: Address) -> anyhow::Result<U256> {
        ask(
            &self.http,
            &self.url,
            "eth_getBalance",
            json!([who, "latest"]),
        )
        .await
    }
}

/// The hash of a receipt's transaction.
pub fn hash_of(receipt: &Value) -> Option<B256> {
    receipt["transactionHash"].as_str()?.parse().ok()
}
