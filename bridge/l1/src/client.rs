//! Questions to an L1 node: its execution RPC, and its blob API.

use crate::{L1Error, PostedRecord, QueuedEntry};
use alloy_consensus::Header;
use alloy_eips::{BlockNumberOrTag, eip4844::kzg_to_versioned_hash};
use alloy_primitives::{Address, B256, Bytes, TxHash, U256};
use alloy_provider::{Provider, RootProvider, network::Ethereum};
use alloy_rpc_client::RpcClient;
use alloy_rpc_types_eth::{Filter, TransactionReceipt, TransactionRequest};
use alloy_sol_types::{SolCall, SolEvent};
use bindings::inbox::Inbox;
use config::Network;
use primitives::{BatchRecord, QueueEntry, RecordKind};
use std::{sync::Arc, time::Duration};

/// A block of L1 by number and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct L1Ref {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// Its time, seconds.
    pub timestamp: u64,
}

impl L1Ref {
    fn of(header: &Header) -> Self {
        Self {
            number: header.number,
            hash: header.hash_slow(),
            timestamp: header.timestamp,
        }
    }
}

/// Where L1 stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heads {
    /// The newest block.
    pub latest: L1Ref,
    /// L1's `safe` block; `None` while L1 names none.
    pub safe: Option<L1Ref>,
    /// L1's `finalized` block.
    pub finalized: u64,
}

/// One L1 node. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    provider: RootProvider<Ethereum>,
    http: reqwest::Client,
    blob_api: Arc<str>,
    network: Arc<Network>,
}

/// L1 answers within this or counts as unreachable: longer than a slow `eth_getLogs`, shorter than a slot.
const TIMEOUT: Duration = Duration::from_secs(10);

impl Client {
    /// `url` is the execution RPC; `blob_api` the consensus client's, or the same where one port serves both.
    pub fn new(url: &str, blob_api: Option<&str>, network: Arc<Network>) -> Result<Self, L1Error> {
        let parsed: reqwest::Url = url
            .parse()
            .map_err(|e| L1Error::Unreachable(format!("{url}: {e}")))?;
        crate::install_tls();
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .build()
            .map_err(L1Error::transport)?;
        let provider =
            RootProvider::new(RpcClient::builder().http_with_client(http.clone(), parsed));
        let blob_api = blob_api.unwrap_or(url).trim_end_matches('/').into();
        Ok(Self {
            provider,
            http,
            blob_api,
            network,
        })
    }

    pub(crate) const fn provider(&self) -> &RootProvider<Ethereum> {
        &self.provider
    }

    /// The network this client was made for.
    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }

    /// EIP-155 chain id.
    pub async fn chain_id(&self) -> Result<u64, L1Error> {
        self.provider
            .get_chain_id()
            .await
            .map_err(L1Error::transport)
    }

    /// The newest, the safe and the finalized block.
    pub async fn heads(&self) -> Result<Heads, L1Error> {
        let latest = self
            .header(BlockNumberOrTag::Latest)
            .await?
            .ok_or(L1Error::Moved)?;
        let (safe, finalized) = tokio::join!(
            self.header(BlockNumberOrTag::Safe),
            self.header(BlockNumberOrTag::Finalized),
        );
        // A young chain has no safe and no finalized block yet; then only genesis is final.
        let safe = safe.ok().flatten();
        let finalized = finalized.ok().flatten().map_or(0, |h| h.number);
        Ok(Heads {
            latest: L1Ref::of(&latest),
            // Two questions, two moments: what is safe by now may be newer than the head was.
            safe: safe
                .filter(|safe| safe.number <= latest.number)
                .map(|safe| L1Ref::of(&safe)),
            finalized: finalized.min(latest.number),
        })
    }

    /// A header by number or tag; its hash is what its fields give, not what the node says.
    pub async fn header(&self, at: impl Into<BlockNumberOrTag>) -> Result<Option<Header>, L1Error> {
        let block = self
            .provider
            .get_block_by_number(at.into())
            .await
            .map_err(L1Error::transport)?;
        Ok(block.map(|block| block.header.inner))
    }

    /// Headers `from..=to`, in order.
    pub async fn headers(&self, from: u64, to: u64) -> Result<Vec<Header>, L1Error> {
        let mut headers = Vec::new();
        for number in from..=to {
            headers.push(self.header(number).await?.ok_or(L1Error::Moved)?);
        }
        Ok(headers)
    }

    /// Everything `Inbox` said in blocks `from..=to`, in order.
    pub(crate) async fn inbox_logs(&self, from: u64, to: u64) -> Result<Vec<InboxLog>, L1Error> {
        let filter = Filter::new()
            .address(self.network.contracts.inbox)
            .event_signature(vec![
                Inbox::Enqueued::SIGNATURE_HASH,
                Inbox::Posted::SIGNATURE_HASH,
            ])
            .from_block(from)
            .to_block(to);
        let logs = self
            .provider
            .get_logs(&filter)
            .await
            .map_err(L1Error::transport)?;
        logs.into_iter()
            .filter(|log| !log.removed)
            .map(InboxLog::parse)
            .collect()
    }

    /// The blobs of a record, in order, each checked against its versioned hash.
    pub async fn blobs(&self, block: L1Ref, hashes: &[B256]) -> Result<Vec<Bytes>, L1Error> {
        let id = match self.network.l1.slot_s {
            0 => block.number,
            slot_s => block.timestamp.saturating_sub(self.network.l1.slot_zero_s) / slot_s,
        };
        let wanted: Vec<String> = hashes
            .iter()
            .map(|hash| format!("versioned_hashes={hash}"))
            .collect();
        let url = format!(
            "{}/eth/v1/beacon/blobs/{id}?{}",
            self.blob_api,
            wanted.join("&")
        );
        let answer: BlobAnswer = self
            .http
            .get(&url)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(|_| {
                L1Error::BlobMissing(
                    hashes.first().copied().unwrap_or_default(),
                    self.blob_api.to_string(),
                )
            })?
            .json()
            .await
            .map_err(L1Error::transport)?;
        let blobs = answer.data;
        // Commitments cost tens of milliseconds each.
        let checked = tokio::task::spawn_blocking(move || {
            blobs
                .into_iter()
                .filter_map(|blob| Some((versioned_hash(&blob)?, blob)))
                .collect::<Vec<_>>()
        })
        .await
        .map_err(L1Error::transport)?;
        hashes
            .iter()
            .map(|hash| {
                let found = checked
                    .iter()
                    .find(|(is, _)| is == hash)
                    .map(|(_, blob)| blob.clone());
                found.ok_or_else(|| L1Error::BlobMissing(*hash, self.blob_api.to_string()))
            })
            .collect()
    }

    /// Wei of ETH.
    pub async fn balance(&self, who: Address) -> Result<U256, L1Error> {
        self.provider
            .get_balance(who)
            .await
            .map_err(L1Error::transport)
    }

    /// Transactions of `who` in the newest block's state.
    pub async fn nonce(&self, who: Address) -> Result<u64, L1Error> {
        self.provider
            .get_transaction_count(who)
            .await
            .map_err(L1Error::transport)
    }

    /// The receipt of a mined transaction.
    pub async fn receipt(&self, hash: TxHash) -> Result<Option<TransactionReceipt>, L1Error> {
        self.provider
            .get_transaction_receipt(hash)
            .await
            .map_err(L1Error::transport)
    }

    /// Gas that a call would take; a call that would revert is [`L1Error::Refused`].
    pub async fn estimate(&self, request: TransactionRequest) -> Result<u64, L1Error> {
        self.provider.estimate_gas(request).await.map_err(refused)
    }

    /// Sends a raw transaction. "Already known" is success.
    pub async fn send(&self, raw: &[u8]) -> Result<(), L1Error> {
        match self.provider.send_raw_transaction(raw).await {
            Ok(_) => Ok(()),
            Err(error) if error.to_string().contains("already known") => Ok(()),
            Err(error) => Err(refused(error)),
        }
    }

    /// Calls a view of a contract at the newest block. alloy would ask for the pending one, where our own transactions
    /// have succeeded before they are mined.
    pub async fn view<C: SolCall>(&self, to: Address, call: &C) -> Result<C::Return, L1Error> {
        let request = TransactionRequest::default()
            .to(to)
            .input(call.abi_encode().into());
        let output = self
            .provider
            .call(request)
            .latest()
            .await
            .map_err(refused)?;
        C::abi_decode_returns(&output).map_err(|e| L1Error::Contract(C::SIGNATURE, e.to_string()))
    }

    /// Any other method, for development chains.
    pub async fn raw(
        &self,
        method: &'static str,
        params: serde_json::Value,
    ) -> Result<serde_json::Value, L1Error> {
        self.provider
            .raw_request(method.into(), params)
            .await
            .map_err(refused)
    }

    /// Logs of one event of one contract in `from..=to`.
    pub async fn events<E: SolEvent>(
        &self,
        address: Address,
        from: u64,
        to: u64,
    ) -> Result<Vec<(L1Ref, E)>, L1Error> {
        let filter = Filter::new()
            .address(address)
            .event_signature(E::SIGNATURE_HASH)
            .from_block(from)
            .to_block(to);
        let logs = self
            .provider
            .get_logs(&filter)
            .await
            .map_err(L1Error::transport)?;
        logs.into_iter()
            .map(|log| {
                let event = E::decode_log(&log.inner)
                    .map_err(|e| L1Error::Contract(E::SIGNATURE, e.to_string()))?;
                Ok((log_block(&log)?, event.data))
            })
            .collect()
    }
}

fn refused<E: std::fmt::Display>(error: alloy_provider::transport::RpcError<E>) -> L1Error {
    match error.as_error_resp() {
        Some(response) => {
            let data = response
                .data
                .as_ref()
                .map(|data| format!(" {}", data.get().trim_matches('"')));
            L1Error::Refused(format!("{}{}", response.message, data.unwrap_or_default()))
        }
        None => L1Error::transport(error),
    }
}

fn versioned_hash(blob: &[u8]) -> Option<B256> {
    let blob = c_kzg::Blob::from_bytes(blob).ok()?;
    let settings = alloy_eips::eip4844::env_settings::EnvKzgSettings::Default;
    let commitment = settings.get().blob_to_kzg_commitment(&blob).ok()?;
    Some(kzg_to_versioned_hash(commitment.as_slice()))
}

#[derive(serde::Deserialize)]
struct BlobAnswer {
    data: Vec<Bytes>,
}

/// One event of `Inbox`.
#[derive(Debug)]
pub(crate) enum InboxLog {
    Entry(QueuedEntry),
    Record(PostedRecord),
}

/// An entry of L1's queue, as the inbox logged it.
pub fn queue_entry(entry: bindings::inbox::QueueEntry) -> Result<QueueEntry, L1Error> {
    let mint = entry.mint.try_into();
    Ok(QueueEntry {
        index: entry.index,
        timestamp: entry.timestamp,
        l1_block: entry.l1Block,
        from: entry.from,
        to: entry.to,
        mint: mint.map_err(|_| L1Error::Contract("Inbox", "mint above 2^128".into()))?,
        value: entry.value,
        gas_limit: entry.gasLimit,
        is_creation: entry.isCreation,
        data: entry.data,
    })
}

impl InboxLog {
    fn parse(log: alloy_rpc_types_eth::Log) -> Result<Self, L1Error> {
        let broken = |what: String| L1Error::Contract("Inbox", what);
        let at = log_block(&log)?;
        if log.topic0() == Some(&Inbox::Enqueued::SIGNATURE_HASH) {
            let event = Inbox::Enqueued::decode_log(&log.inner)
                .map_err(|e| broken(e.to_string()))?
                .data;
            let entry = queue_entry(event.entry)?;
            return Ok(Self::Entry(QueuedEntry {
                entry,
                acc: event.queueAcc,
                at,
            }));
        }
        let event = Inbox::Posted::decode_log(&log.inner)
            .map_err(|e| broken(e.to_string()))?
            .data;
        let record = BatchRecord {
            prev_acc: event.record.prevAcc,
            kind: RecordKind::try_from(event.record.kind)
                .map_err(|kind| broken(format!("record kind {kind}")))?,
            last_timestamp: event.record.lastTimestamp,
            queue_consumed: event.record.queueConsumed,
            queue_acc: event.record.queueAcc,
            anchor_number: event.record.anchorNumber,
            anchor_hash: event.record.anchorHash,
            payload_hash: event.record.payloadHash,
        };
        Ok(Self::Record(PostedRecord {
            index: event.index,
            record,
            acc: event.batchAcc,
            blob_hashes: event.blobHashes,
            payload: event.payload,
            at,
            tx: log.transaction_hash.unwrap_or_default(),
        }))
    }
}

pub(crate) fn log_block(log: &alloy_rpc_types_eth::Log) -> Result<L1Ref, L1Error> {
    match (log.block_number, log.block_hash) {
        (Some(number), Some(hash)) => Ok(L1Ref {
            number,
            hash,
            timestamp: log.block_timestamp.unwrap_or_default(),
        }),
        _ => Err(L1Error::Moved),
    }
}
