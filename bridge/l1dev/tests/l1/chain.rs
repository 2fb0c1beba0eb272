//! An L1 with funded accounts, and whoever talks to it.

use alloy_consensus::{
    SignableTransaction, Signed, TxEip1559, TxEip4844, TxEip4844WithSidecar,
    transaction::RlpEcdsaEncodableTx,
};
use alloy_eips::{
    eip2718::Encodable2718,
    eip4844::{Blob, BlobTransactionSidecar, env_settings::EnvKzgSettings},
    eip7594::{BlobTransactionSidecarEip7594, BlobTransactionSidecarVariant as Sidecar},
};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use l1dev::{Handle, Mining, Options};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

pub const ID: u64 = 901;
pub const GWEI: u128 = 1_000_000_000;
/// Where the clock starts, seconds.
pub const START_S: u64 = 1_700_000_000;

pub fn signer(n: u8) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&B256::repeat_byte(n + 1)).unwrap()
}

pub fn who(n: u8) -> Address {
    signer(n).address()
}

pub struct Chain {
    pub l1: Handle,
    clock_ms: Arc<AtomicU64>,
    http: reqwest::Client,
}

impl Chain {
    /// Osaka; blocks only when asked for; a clock that stands still.
    pub fn manual() -> Self {
        Self::start(|_| {})
    }

    pub fn start(change: impl FnOnce(&mut Options)) -> Self {
        let clock_ms = Arc::new(AtomicU64::new(START_S * 1000));
        let clock = {
            let clock_ms = clock_ms.clone();
            Arc::new(move || clock_ms.load(Ordering::Relaxed))
        };
        let mut options = Options::temporary(ID, clock);
        options.mining = Mining::Manual;
        options.funded = (0..8)
            .map(|n| (who(n), U256::from(10u128.pow(24))))
            .collect();
        change(&mut options);
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            l1: l1dev::start(options).unwrap(),
            clock_ms,
            http: reqwest::Client::new(),
        }
    }

    pub fn pass_ms(&self, ms: u64) {
        self.clock_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// A JSON-RPC call; the error is its message.
    pub async fn try_call(&self, method: &str, params: Value) -> Result<Value, String> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let answer: Value = self
            .http
            .post(self.l1.url())
            .json(&body)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        match answer.get("error") {
            Some(error) => Err(error["message"].as_str().unwrap().to_owned()),
            None => Ok(answer["result"].clone()),
        }
    }

    pub async fn call(&self, method: &str, params: Value) -> Value {
        self.try_call(method, params)
            .await
            .unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    pub async fn try_send(&self, raw: impl AsRef<[u8]>) -> Result<B256, String> {
        let raw = alloy_primitives::hex::encode_prefixed(raw);
        self.try_call("eth_sendRawTransaction", json!([raw]))
            .await
            .map(|hash| serde_json::from_value(hash).unwrap())
    }

    pub async fn send(&self, raw: impl AsRef<[u8]>) -> B256 {
        self.try_send(raw).await.unwrap()
    }

    pub async fn receipt(&self, hash: B256) -> Value {
        self.call("eth_getTransactionReceipt", json!([hash])).await
    }

    /// Of a block by number or tag.
    pub async fn number(&self, tag: &str) -> u64 {
        number(&self.call("eth_getBlockByNumber", json!([tag, false])).await["number"])
    }

    /// Status and body of the blob API.
    pub async fn blobs(&self, path: &str) -> (u16, Value) {
        let url = format!("{}/eth/v1/beacon/blobs/{path}", self.l1.url());
        let answer = self.http.get(url).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// The blobs that the API gives.
    pub async fn blob_data(&self, path: &str) -> Vec<Bytes> {
        let (status, body) = self.blobs(path).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_value(body["data"].clone()).unwrap()
    }
}

pub fn number(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

pub fn sign<T: SignableTransaction<Signature>>(n: u8, tx: T) -> Signed<T> {
    let signature = signer(n).sign_hash_sync(&tx.signature_hash()).unwrap();
    tx.into_signed(signature)
}

pub fn raw<T: SignableTransaction<Signature> + RlpEcdsaEncodableTx>(n: u8, tx: T) -> Vec<u8>
where
    Signed<T>: Encodable2718,
{
    sign(n, tx).encoded_2718()
}

/// One wei to nobody.
pub fn plain(nonce: u64) -> TxEip1559 {
    TxEip1559 {
        chain_id: ID,
        nonce,
        gas_limit: 100_000,
        max_fee_per_gas: 10 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to: TxKind::Call(Address::repeat_byte(0xbb)),
        value: U256::from(1),
        ..Default::default()
    }
}

/// Blobs that differ in their first field element.
pub fn packed(seed: u8, count: u8) -> Vec<Blob> {
    (0..count)
        .map(|index| {
            let mut blob = Blob::default();
            blob[1] = seed;
            blob[2] = index;
            blob
        })
        .collect()
}

pub fn cells(blobs: Vec<Blob>) -> Sidecar {
    BlobTransactionSidecarEip7594::try_from_blobs_with_settings(
        blobs,
        EnvKzgSettings::Default.get(),
    )
    .unwrap()
    .into()
}

pub fn whole(blobs: Vec<Blob>) -> Sidecar {
    BlobTransactionSidecar::try_from_blobs_with_settings(blobs, EnvKzgSettings::Default.get())
        .unwrap()
        .into()
}

/// A blob transaction to nobody.
pub fn blob_tx(nonce: u64, sidecar: &Sidecar) -> TxEip4844 {
    TxEip4844 {
        chain_id: ID,
        nonce,
        gas_limit: 100_000,
        max_fee_per_gas: 10 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to: Address::repeat_byte(0xbb),
        max_fee_per_blob_gas: GWEI,
        blob_versioned_hashes: sidecar.versioned_hashes().collect(),
        ..Default::default()
    }
}

/// The network form.
pub fn with_blobs(n: u8, tx: TxEip4844, sidecar: &Sidecar) -> Vec<u8> {
    let signature = signer(n).sign_hash_sync(&tx.signature_hash()).unwrap();
    TxEip4844WithSidecar {
        tx,
        sidecar: sidecar.clone(),
    }
    .into_signed(signature)
    .encoded_2718()
}
