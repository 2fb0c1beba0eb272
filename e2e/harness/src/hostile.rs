//! Batches that an honest sequencer would not make, signed by its key.

use crate::{L1, Node, world::SEQUENCER};
use alloy_primitives::{B256, Bytes};
use anyhow::Context;
use batch::{BatchEncoder, Parent, Rules};
use bindings::inbox::Inbox;
use l1::PrivateKeySigner;
use node::keys::dev_key;
use poster::{Draft, DraftPayload, SignedBatch};
use primitives::{BatchRecord, CheckedTx, RecordKind};
use std::sync::Arc;

/// What a record carries.
#[derive(Debug, Clone)]
pub enum Payload {
    /// In the event.
    Calldata(Vec<u8>),
    /// Blobs, packed or not.
    Blobs(Vec<Bytes>),
}

/// Makes records that L1 accepts.
pub struct Craft<'a> {
    l1: &'a L1,
    /// L1 accepts this one, but for its payload hash.
    pub record: BatchRecord,
    /// Where the L2 chain stands before it.
    parent: Parent,
    deposits: Vec<Arc<CheckedTx>>,
}

impl<'a> Craft<'a> {
    /// A record on L1's last one that consumes every entry that may be consumed at the newest anchor.
    pub async fn next(l1: &'a L1, node: &Node) -> anyhow::Result<Self> {
        let inbox = l1.network.contracts.inbox;
        let prev_acc = l1.client.view(inbox, &Inbox::batchAccCall {}).await?;
        let last = l1.client.view(inbox, &Inbox::lastRecordCall {}).await?;
        let (last_timestamp, consumed) = (last._0, last._1);
        let head = l1.chain.head();
        let queue_consumed = l1.client.view(inbox, &Inbox::queueLengthCall {}).await?;
        let count = alloy_primitives::U256::from(queue_consumed);
        let queue_acc = l1
            .client
            .view(inbox, &Inbox::queueAccsCall { count })
            .await?;
        let safe = node.safe();
        let parent_header = node.chain.store.header(safe)?.context("no safe block")?;
        let parent_meta = node.chain.store.meta(safe)?.unwrap_or_default();
        let deposits = node
            .chain
            .l1
            .deposits(consumed, head.header.number, usize::MAX);
        anyhow::ensure!(
            deposits.len() as u64 == queue_consumed - consumed,
            "the node has not seen the whole queue; let it look first"
        );
        Ok(Self {
            l1,
            record: BatchRecord {
                prev_acc,
                kind: RecordKind::Calldata,
                last_timestamp: last_timestamp
                    .max(head.header.timestamp)
                    .max(parent_header.timestamp),
                queue_consumed,
                queue_acc,
                anchor_number: head.header.number,
                anchor_hash: head.hash,
                payload_hash: B256::ZERO,
            },
            parent: Parent {
                timestamp: parent_header.timestamp,
                anchor_number: parent_meta.anchor.number,
            },
            deposits,
        })
    }

    /// The same record as by a sequencer that leaves the queue as it is.
    pub async fn censoring(mut self) -> anyhow::Result<Self> {
        let inbox = self.l1.network.contracts.inbox;
        let client = &self.l1.client;
        let last = client.view(inbox, &Inbox::lastRecordCall {}).await?;
        let count = alloy_primitives::U256::from(last._1);
        self.record.queue_consumed = last._1;
        self.record.queue_acc = client.view(inbox, &Inbox::queueAccsCall { count }).await?;
        self.deposits.clear();
        Ok(self)
    }

    /// The payload that says what the record says: one block of the deposits and `transactions`. `decoded_bytes_max`
    /// may be more than a decoder takes.
    pub fn encode(
        &self,
        transactions: Vec<CheckedTx>,
        decoded_bytes_max: usize,
    ) -> anyhow::Result<Vec<u8>> {
        let rules = Rules {
            decoded_bytes_max,
            ..Rules::new(&self.l1.network)
        };
        let mut encoder = BatchEncoder::new(
            rules,
            self.parent,
            self.l1.network.batch.calldata_bytes_max as usize,
        );
        let all: Vec<_> = self
            .deposits
            .iter()
            .cloned()
            .chain(transactions.into_iter().map(Arc::new))
            .collect();
        encoder.push(self.record.last_timestamp, self.record.anchor_number, &all)?;
        Ok(encoder.finish())
    }

    /// Signed by the sequencer.
    pub fn sign(&self, payload: Payload) -> anyhow::Result<SignedBatch> {
        self.sign_as(&dev_key(SEQUENCER)?, self.l1.network.chain.id, payload)
    }

    /// Signed by anyone, for any chain.
    pub fn sign_as(
        &self,
        key: &PrivateKeySigner,
        l2_chain_id: u64,
        payload: Payload,
    ) -> anyhow::Result<SignedBatch> {
        let (kind, payload) = match payload {
            Payload::Calldata(bytes) => {
                (RecordKind::Calldata, DraftPayload::Calldata(bytes.into()))
            }
            Payload::Blobs(blobs) => (RecordKind::Blobs, DraftPayload::Blobs(blobs)),
        };
        let draft = Draft {
            record: BatchRecord {
                kind,
                ..self.record
            },
            payload,
            blocks: (0, 0),
            transactions: 0,
            bytes: 0,
        };
        let mut network = (*self.l1.network).clone();
        network.chain.id = l2_chain_id;
        Ok(draft.sign(&network, key, true)?)
    }
}

/// The payload of the sequencer's next batch, honest, and the record around it.
pub fn sequencers_batch(node: &Node) -> anyhow::Result<Arc<SignedBatch>> {
    node.act_batch()?
        .context("the sequencer has nothing to batch")
}

/// Blobs of a payload after `change` has been at the first of them.
pub fn blobs_with(payload: &[u8], change: impl FnOnce(&mut [u8])) -> anyhow::Result<Vec<Bytes>> {
    let mut blobs = batch::blobs::pack(payload).context("too large for blobs")?;
    let mut first = blobs[0].to_vec();
    change(&mut first);
    blobs[0] = first.into();
    Ok(blobs)
}
