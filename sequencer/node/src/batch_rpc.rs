//! `rollup_signedBatches`: what a poster in another process fetches and posts.

use crate::{batches::BatchMaker, roles::SignedBatches};
use alloy_primitives::{B256, Bytes, Signature};
use jsonrpsee::{Methods, RpcModule};
use poster::SignedBatch;
use primitives::{BatchRecord, RecordKind};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A signed batch on the wire. Blobs travel without proofs: they are twice as quick made as sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchForm {
    prev_acc: B256,
    kind: u8,
    last_timestamp: u64,
    queue_consumed: u64,
    queue_acc: B256,
    anchor_number: u64,
    anchor_hash: B256,
    payload_hash: B256,
    signature: Bytes,
    payload: Bytes,
    blobs: Vec<Bytes>,
    cell_proofs: bool,
    first_block: u64,
    last_block: u64,
}

impl From<&SignedBatch> for BatchForm {
    fn from(batch: &SignedBatch) -> Self {
        let r = &batch.record;
        let blobs = match &batch.sidecar {
            None => Vec::new(),
            Some(sidecar) => sidecar
                .blobs()
                .iter()
                .map(|blob| Bytes::copy_from_slice(blob.as_slice()))
                .collect(),
        };
        Self {
            prev_acc: r.prev_acc,
            kind: r.kind as u8,
            last_timestamp: r.last_timestamp,
            queue_consumed: r.queue_consumed,
            queue_acc: r.queue_acc,
            anchor_number: r.anchor_number,
            anchor_hash: r.anchor_hash,
            payload_hash: r.payload_hash,
            signature: Bytes::copy_from_slice(&batch.signature.as_bytes()),
            payload: batch.payload.clone(),
            blobs,
            cell_proofs: batch
                .sidecar
                .as_ref()
                .is_some_and(|sidecar| sidecar.is_eip7594()),
            first_block: batch.blocks.0,
            last_block: batch.blocks.1,
        }
    }
}

impl BatchForm {
    /// Makes commitments and proofs again; costly with blobs.
    pub fn open(self) -> anyhow::Result<SignedBatch> {
        let sidecar = match self.blobs.is_empty() {
            true => None,
            false => Some(l1::sidecar(&self.blobs, self.cell_proofs)?.0),
        };
        Ok(SignedBatch {
            record: BatchRecord {
                prev_acc: self.prev_acc,
                kind: RecordKind::try_from(self.kind)
                    .map_err(|kind| anyhow::anyhow!("unknown record kind {kind}"))?,
                last_timestamp: self.last_timestamp,
                queue_consumed: self.queue_consumed,
                queue_acc: self.queue_acc,
                anchor_number: self.anchor_number,
                anchor_hash: self.anchor_hash,
                payload_hash: self.payload_hash,
            },
            signature: Signature::try_from(self.signature.as_ref())?,
            payload: self.payload,
            sidecar,
            blocks: (self.first_block, self.last_block),
        })
    }
}

/// The method, over the sequencer's batches.
pub fn methods(maker: Arc<BatchMaker>) -> anyhow::Result<Methods> {
    let mut module = RpcModule::new(maker);
    module.register_method("rollup_signedBatches", |_, maker, _| {
        maker
            .signed()
            .iter()
            .map(|batch| BatchForm::from(batch.as_ref()))
            .collect::<Vec<_>>()
    })?;
    Ok(module.into())
}

/// A sequencer in another process.
pub struct Remote {
    url: String,
    http: reqwest::Client,
}

impl Remote {
    /// The sequencer's JSON-RPC.
    pub fn new(url: String) -> Self {
        Self {
            url,
            http: reqwest::Client::new(),
        }
    }
}

#[async_trait::async_trait]
impl SignedBatches for Remote {
    async fn signed(&self) -> anyhow::Result<Vec<Arc<SignedBatch>>> {
        let batches: Vec<BatchForm> = crate::ask::ask(
            &self.http,
            &self.url,
            "rollup_signedBatches",
            serde_json::json!([]),
        )
        .await?;
        // The first is all that can be posted now.
        let Some(first) = batches.into_iter().next() else {
            return Ok(Vec::new());
        };
        Ok(vec![Arc::new(
            tokio::task::spawn_blocking(move || first.open()).await??,
        )])
    }

    fn reset(&self) {
        // The sequencer sees for itself that its batch did not land, and signs another.
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{admin, keys};
    use poster::DaChoice;
    use serde_json::{Value, json};

    #[tokio::test]
    async fn before_the_first_batch_there_is_nothing_to_fetch() {
        let dir = tempfile::tempdir().unwrap();
        let chain = admin::tests::chain(dir.path());
        let maker = BatchMaker::new(chain, keys::dev_key(0).unwrap(), DaChoice::Auto);
        let ask =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "rollup_signedBatches", "params": [] });
        let methods = methods(maker).unwrap();
        let (answer, _) = methods.raw_json_request(&ask.to_string(), 1).await.unwrap();
        let answer: Value = serde_json::from_str(answer.get()).unwrap();
        assert_eq!(answer["result"], json!([]));
    }
}
