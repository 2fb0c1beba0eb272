//! Sends what is intended until L1 has it: signs, journals, sends, asks, raises.

use crate::{
    Client, Fees, FeesNow, Intent, L1Error, Outbox, PrivateKeySigner, Settled, Status,
    outbox::Action,
};
use alloy_consensus::{
    EthereumTxEnvelope, SignableTransaction, Transaction, TxEip1559, TxEip4844,
    TxEip4844WithSidecar,
};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::{Address, Bytes, TxKind, keccak256};
use alloy_rpc_types_eth::TransactionRequest;
use alloy_signer::SignerSync;
use std::{collections::BTreeMap, sync::Arc};

/// A key and its value.
pub type Note = (Vec<u8>, Vec<u8>);

/// Durable notes, synced before `put` returns.
pub trait Journal: Send + Sync {
    /// Writes or, with `None`, removes a note.
    fn put(&self, key: &[u8], value: Option<&[u8]>) -> Result<(), String>;
    /// All notes, ascending by key.
    fn scan(&self) -> Result<Vec<Note>, String>;
}

/// A transaction as it travels: blobs beside it, in either form.
type PooledTransaction = EthereumTxEnvelope<TxEip4844WithSidecar>;

/// One account that sends to L1.
pub struct Sender {
    client: Client,
    key: PrivateKeySigner,
    journal: Arc<dyn Journal>,
    chain_id: u64,
    in_flight: BTreeMap<u64, InFlight>,
    next_nonce: u64,
}

struct InFlight {
    /// The caller's name for it.
    id: u64,
    tx: PooledTransaction,
    outbox: Outbox,
    /// The caller knows that it reverted. Not journaled: after a restart it is told again.
    told: bool,
}

/// Gas beyond the estimate: state may move between estimate and inclusion.
const GAS_MARGIN_PERCENT: u64 = 25;

impl Sender {
    /// Loads what was in flight when the process ended.
    pub async fn open(
        client: Client,
        key: PrivateKeySigner,
        journal: Arc<dyn Journal>,
    ) -> Result<Self, L1Error> {
        let chain_id = client.chain_id().await?;
        let mut in_flight = BTreeMap::new();
        for (nonce, note) in journal.scan().map_err(L1Error::Unreachable)? {
            if let Some((nonce, flight)) = decode_note(&nonce, &note) {
                in_flight.insert(nonce, flight);
            }
        }
        let on_l1 = client.nonce(key.address()).await?;
        let next_nonce = in_flight
            .keys()
            .last()
            .map_or(on_l1, |last| on_l1.max(last + 1));
        Ok(Self {
            client,
            key,
            journal,
            chain_id,
            in_flight,
            next_nonce,
        })
    }

    /// The sending account.
    pub fn address(&self) -> Address {
        self.key.address()
    }

    /// Names of what is in flight and has not failed.
    pub fn pending(&self) -> impl Iterator<Item = u64> + '_ {
        self.in_flight
            .values()
            .filter(|flight| !flight.told)
            .map(|flight| flight.id)
    }

    /// Signs, journals and sends. An intent that would revert now is refused and nothing is kept.
    pub async fn submit(&mut self, id: u64, intent: Intent) -> Result<(), L1Error> {
        let head = self.client.heads().await?.latest;
        let fees = Fees::first(self.fees_now().await?);
        let mut request = TransactionRequest::default()
            .from(self.address())
            .value(intent.value);
        request.to = Some(intent.to.map_or(TxKind::Create, TxKind::Call));
        request.input = intent.data.clone().into();
        if let Some(sidecar) = &intent.sidecar {
            request.blob_versioned_hashes = Some(sidecar.versioned_hashes().collect());
            request.max_fee_per_blob_gas = Some(fees.max_blob_fee);
            request.transaction_type = Some(3);
        }
        let gas_limit = match intent.gas_limit {
            Some(gas) => gas,
            None => {
                let gas = self.client.estimate(request).await?;
                (gas + gas * GAS_MARGIN_PERCENT / 100).min(1 << 24)
            }
        };
        let nonce = self.next_nonce;
        let tx = self.sign(nonce, gas_limit, fees, &intent)?;
        let flight = InFlight {
            id,
            told: false,
            outbox: Outbox {
                sent_at: head.number,
                hashes: vec![*tx.hash()],
            },
            tx,
        };
        self.note(nonce, &flight)?;
        self.next_nonce = nonce + 1;
        let raw = flight.tx.encoded_2718();
        self.in_flight.insert(nonce, flight);
        match self.client.send(&raw).await {
            Ok(()) => Ok(()),
            // The journal has it: `poll` sends it again.
            Err(error) => {
                tracing::warn!(nonce, %error, "L1 did not take a transaction; it will be sent again");
                Ok(())
            }
        }
    }

    /// Asks about everything in flight, and does what [`Outbox::decide`] says. Returns what ended.
    pub async fn poll(&mut self) -> Result<Vec<(u64, Settled)>, L1Error> {
        if self.in_flight.is_empty() {
            return Ok(Vec::new());
        }
        let latest = self.client.heads().await?.latest;
        let head = latest.number;
        let account_nonce = self.client.nonce(self.address()).await?;
        self.fill_gap(account_nonce, head).await?;
        let mut ended = Vec::new();
        for nonce in self.in_flight.keys().copied().collect::<Vec<_>>() {
            let Some(flight) = self.in_flight.get(&nonce) else {
                continue;
            };
            let status = match self.status(flight).await {
                Ok(status) => status,
                Err(error) if ended.is_empty() => return Err(error),
                // What ended is told only once: the rest is asked about at the next poll.
                Err(_) => break,
            };
            match flight.outbox.decide(status, head, account_nonce, nonce) {
                Action::Wait => {}
                Action::Resend => {
                    let raw = flight.tx.encoded_2718();
                    if let Err(error) = self.client.send(&raw).await {
                        tracing::debug!(nonce, %error, "resend");
                    }
                }
                Action::Raise => {
                    if let Err(error) = self.raise(nonce, head).await {
                        tracing::debug!(nonce, %error, "raise");
                    }
                }
                Action::TellReverted => {
                    if !flight.told {
                        ended.push((flight.id, Settled::Reverted));
                    }
                    if let Some(flight) = self.in_flight.get_mut(&nonce) {
                        flight.told = true;
                    }
                }
                // Nonce and receipt may come from two forks: the one that has the receipt may be gone, or to come.
                Action::Settle(Settled::Lost) if !matches!(self.client.heads().await, Ok(heads) if heads.latest.hash == latest.hash) =>
                    {}
                Action::Settle(how) => {
                    if !flight.told {
                        ended.push((flight.id, how));
                    }
                    self.in_flight.remove(&nonce);
                    self.journal
                        .put(&nonce.to_be_bytes(), None)
                        .map_err(L1Error::Unreachable)?;
                }
            }
        }
        if self.in_flight.is_empty() {
            // A lost or dropped nonce is used again.
            self.next_nonce = self.client.nonce(self.address()).await?;
        }
        Ok(ended)
    }

    /// A nonce that nothing uses any more (what used it was replaced by a reorg too deep for us to remember it) would
    /// hold back all later ones: a transfer of nothing to ourselves takes it.
    async fn fill_gap(&mut self, account_nonce: u64, head: u64) -> Result<(), L1Error> {
        let lowest = self
            .in_flight
            .keys()
            .next()
            .copied()
            .unwrap_or(account_nonce);
        if lowest <= account_nonce {
            return Ok(());
        }
        let fees = Fees::first(self.fees_now().await?);
        for nonce in account_nonce..lowest {
            let nothing = Intent {
                to: Some(self.address()),
                gas_limit: Some(21_000),
                data: Bytes::new(),
                value: alloy_primitives::U256::ZERO,
                sidecar: None,
            };
            let tx = self.sign(nonce, 21_000, fees, &nothing)?;
            tracing::warn!(
                nonce,
                "nothing uses this nonce any more; an empty transaction takes it"
            );
            let outbox = Outbox {
                sent_at: head,
                hashes: vec![*tx.hash()],
            };
            // Nobody asks what becomes of it.
            let flight = InFlight {
                id: 0,
                tx,
                outbox,
                told: true,
            };
            self.note(nonce, &flight)?;
            self.in_flight.insert(nonce, flight);
        }
        Ok(())
    }

    async fn status(&self, flight: &InFlight) -> Result<Status, L1Error> {
        for hash in flight.outbox.hashes.iter().rev() {
            if let Some(receipt) = self.client.receipt(*hash).await? {
                let at = receipt.block_number.ok_or(L1Error::Moved)?;
                return Ok(Status::Mined {
                    at,
                    succeeded: receipt.status(),
                });
            }
        }
        let newest = flight.outbox.hashes.last().copied().unwrap_or_default();
        let known = self
            .client
            .raw("eth_getTransactionByHash", serde_json::json!([newest]))
            .await?;
        Ok(if known.is_null() {
            Status::Unknown
        } else {
            Status::Pending
        })
    }

    async fn raise(&mut self, nonce: u64, head: u64) -> Result<(), L1Error> {
        let now = self.fees_now().await?;
        let Some(mut flight) = self.in_flight.remove(&nonce) else {
            return Ok(());
        };
        let old = Fees {
            max_fee: flight.tx.max_fee_per_gas(),
            priority_fee: flight.tx.max_priority_fee_per_gas().unwrap_or_default(),
            max_blob_fee: flight.tx.max_fee_per_blob_gas().unwrap_or(1),
        };
        let intent = Intent {
            to: flight.tx.to(),
            gas_limit: Some(flight.tx.gas_limit()),
            data: flight.tx.input().clone(),
            value: flight.tx.value(),
            sidecar: match &flight.tx {
                EthereumTxEnvelope::Eip4844(tx) => Some(tx.tx().sidecar.clone()),
                _ => None,
            },
        };
        let raised = self.sign(nonce, flight.tx.gas_limit(), old.raised(now), &intent);
        if let Ok(tx) = raised {
            if !flight.outbox.hashes.contains(tx.hash()) {
                flight.outbox.hashes.push(*tx.hash());
            }
            flight.outbox.sent_at = head;
            flight.tx = tx;
        }
        self.note(nonce, &flight)?;
        let raw = flight.tx.encoded_2718();
        self.in_flight.insert(nonce, flight);
        metrics::counter!("l1_transactions_raised").increment(1);
        if let Err(error) = self.client.send(&raw).await {
            tracing::warn!(nonce, %error, "L1 did not take the dearer transaction");
        }
        Ok(())
    }

    async fn fees_now(&self) -> Result<FeesNow, L1Error> {
        let header = self
            .client
            .header(alloy_eips::BlockNumberOrTag::Latest)
            .await?
            .ok_or(L1Error::Moved)?;
        let l1 = &self.client.network().l1;
        Ok(FeesNow {
            base_fee: header.base_fee_per_gas.unwrap_or_default().into(),
            blob_base_fee: l1.blob_base_fee(header.timestamp, header.excess_blob_gas),
        })
    }

    fn sign(
        &self,
        nonce: u64,
        gas_limit: u64,
        fees: Fees,
        intent: &Intent,
    ) -> Result<PooledTransaction, L1Error> {
        let signed = |e: alloy_signer::Error| L1Error::Refused(e.to_string());
        Ok(match (&intent.sidecar, intent.to) {
            (Some(sidecar), Some(to)) => {
                let tx = TxEip4844 {
                    chain_id: self.chain_id,
                    nonce,
                    gas_limit,
                    max_fee_per_gas: fees.max_fee,
                    max_priority_fee_per_gas: fees.priority_fee,
                    to,
                    value: intent.value,
                    access_list: Default::default(),
                    blob_versioned_hashes: sidecar.versioned_hashes().collect(),
                    max_fee_per_blob_gas: fees.max_blob_fee,
                    input: intent.data.clone(),
                };
                let signature = self
                    .key
                    .sign_hash_sync(&tx.signature_hash())
                    .map_err(signed)?;
                TxEip4844WithSidecar {
                    tx,
                    sidecar: sidecar.clone(),
                }
                .into_signed(signature)
                .into()
            }
            (_, to) => {
                let tx = TxEip1559 {
                    chain_id: self.chain_id,
                    nonce,
                    gas_limit,
                    max_fee_per_gas: fees.max_fee,
                    max_priority_fee_per_gas: fees.priority_fee,
                    to: to.map_or(TxKind::Create, TxKind::Call),
                    value: intent.value,
                    access_list: Default::default(),
                    input: intent.data.clone(),
                };
                let signature = self
                    .key
                    .sign_hash_sync(&tx.signature_hash())
                    .map_err(signed)?;
                tx.into_signed(signature).into()
            }
        })
    }

    fn note(&self, nonce: u64, flight: &InFlight) -> Result<(), L1Error> {
        let mut note = Vec::new();
        note.extend(flight.id.to_be_bytes());
        note.extend(flight.outbox.sent_at.to_be_bytes());
        note.extend((flight.outbox.hashes.len() as u32).to_be_bytes());
        for hash in &flight.outbox.hashes {
            note.extend(hash.as_slice());
        }
        note.extend(flight.tx.encoded_2718());
        self.journal
            .put(&nonce.to_be_bytes(), Some(&note))
            .map_err(L1Error::Unreachable)
    }
}

/// A note that does not decode is from a version that wrote others: what it sent is found by nonce alone.
fn decode_note(nonce: &[u8], note: &[u8]) -> Option<(u64, InFlight)> {
    let nonce = u64::from_be_bytes(nonce.try_into().ok()?);
    let (id, rest) = note.split_first_chunk::<8>()?;
    let (sent_at, rest) = rest.split_first_chunk::<8>()?;
    let (count, mut rest) = rest.split_first_chunk::<4>()?;
    let mut hashes = Vec::new();
    for _ in 0..u32::from_be_bytes(*count) {
        let (hash, after) = rest.split_first_chunk::<32>()?;
        hashes.push(hash.into());
        rest = after;
    }
    let raw = Bytes::copy_from_slice(rest);
    let tx = PooledTransaction::decode_2718(&mut raw.as_ref()).ok()?;
    let outbox = Outbox {
        sent_at: u64::from_be_bytes(*sent_at),
        hashes,
    };
    debug_assert!(
        outbox
            .hashes
            .last()
            .is_none_or(|hash| tx.is_eip4844() || *hash == keccak256(&raw))
    );
    Some((
        nonce,
        InFlight {
            id: u64::from_be_bytes(*id),
            tx,
            outbox,
            told: false,
        },
    ))
}
