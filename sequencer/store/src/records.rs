//! What L1 said of our blocks (batch records, safe and finalized height) and small notes of other parts. All of
//! it is written at once: it does not follow from the block log.

use crate::{
    Batch, BatchInfo, Result, Store, StoreError,
    codec::Codec,
    kv,
    schema::{self, Table},
    store::Inner,
};
use std::ops::ControlFlow;

/// Heights that L1 vouches for.
#[derive(Debug, Clone, Copy)]
pub struct Markers {
    pub safe: u64,
    pub finalized: u64,
}

impl Store {
    /// The newest block whose batch is on L1.
    pub fn safe(&self) -> u64 {
        self.inner.markers.lock().safe
    }

    /// The newest block whose batch is final on L1.
    pub fn finalized(&self) -> u64 {
        self.inner.markers.lock().finalized
    }

    /// Raises the safe height. It goes back only with the records or the blocks it stands for.
    pub fn set_safe(&self, number: u64) -> Result<()> {
        let mut markers = self.inner.markers.lock();
        self.inner.refuse_beyond_head(number)?;
        if number < markers.safe {
            return Err(StoreError::Refused(format!(
                "the safe height is {}, above {number}",
                markers.safe
            )));
        }
        markers.safe = number;
        self.inner.write_markers(&markers)
    }

    /// Raises the finalized height, up to the safe one.
    pub fn set_finalized(&self, number: u64) -> Result<()> {
        let mut markers = self.inner.markers.lock();
        if number < markers.finalized || number > markers.safe {
            return Err(StoreError::Refused(format!(
                "the finalized height {number} is not between {} and the safe height {}",
                markers.finalized, markers.safe
            )));
        }
        markers.finalized = number;
        self.inner.write_markers(&markers)
    }

    /// Adds the batch after the last one; durable on return. Its blocks must be on the chain.
    pub fn put_record(&self, info: BatchInfo) -> Result<()> {
        let _writer = self.inner.writer()?;
        if info.last_block >= info.first_block {
            self.inner.refuse_beyond_head(info.last_block)?;
        }
        if let Some(last) = self.last_record()?
            && info.index != last.index + 1
        {
            return Err(StoreError::Refused(format!(
                "batch {} does not follow batch {}",
                info.index, last.index
            )));
        }
        let mut batch = Batch::default();
        batch.put::<schema::Records>(&info.index, &info);
        if info.last_block >= info.first_block {
            batch.put::<schema::RecordOfBlock>(&info.last_block, &info.index);
        }
        self.inner.kv.write(&batch, true)
    }

    /// The batch at `index`.
    pub fn record(&self, index: u64) -> Result<Option<BatchInfo>> {
        kv::get::<schema::Records>(&*self.inner.kv, &index)
    }

    /// The batch that holds block `number`.
    pub fn record_of_block(&self, number: u64) -> Result<Option<BatchInfo>> {
        let mut index = None;
        kv::scan::<schema::RecordOfBlock>(&*self.inner.kv, &number.to_be_bytes(), |_, at| {
            index = Some(at);
            Ok(ControlFlow::Break(()))
        })?;
        let Some(index) = index else { return Ok(None) };
        Ok(self
            .record(index)?
            .filter(|info| info.first_block <= number))
    }

    /// The newest batch.
    pub fn last_record(&self) -> Result<Option<BatchInfo>> {
        let Some((key, _)) = self.inner.kv.last(schema::Records::ID)? else {
            return Ok(None);
        };
        let index =
            u64::decode(&key).map_err(|e| StoreError::Tables(format!("row of `records`: {e}")))?;
        self.record(index)
    }

    /// Forgets batches from `from` on, since L1 dropped them; durable on return. The safe height falls to the last
    /// block of what stays, though never below the finalized one.
    pub fn truncate_records(&self, from: u64) -> Result<()> {
        let _writer = self.inner.writer()?;
        if !self.inner.drop_records(|info| info.index >= from)? {
            return Ok(());
        }
        let stays = self
            .last_record()?
            .map_or(self.inner.genesis_number, |info| info.last_block);
        let mut markers = self.inner.markers.lock();
        markers.safe = markers.safe.min(stays).max(markers.finalized);
        self.inner.write_markers(&markers)
    }

    /// Writes or, with `None`, deletes a note; durable on return.
    pub fn journal_put(&self, namespace: &str, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        self.inner.running()?;
        let mut batch = Batch::default();
        let row = journal_key(namespace, key);
        match value {
            Some(value) => batch.put::<schema::Journal>(&row, &value.to_vec()),
            None => batch.delete::<schema::Journal>(&row),
        }
        self.inner.kv.write(&batch, true)
    }

    /// All notes of a namespace, ascending by key.
    pub fn journal_scan(&self, namespace: &str) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let prefix = journal_key(namespace, &[]);
        let mut notes = Vec::new();
        self.inner
            .kv
            .scan(schema::Journal::ID, &prefix, &mut |key, value| match key
                .strip_prefix(&prefix[..])
            {
                Some(key) => {
                    notes.push((key.to_vec(), value.to_vec()));
                    ControlFlow::Continue(())
                }
                None => ControlFlow::Break(()),
            })?;
        Ok(notes)
    }
}

/// The namespace ends in a byte that no text contains, so that none is the beginning of another.
fn journal_key(namespace: &str, key: &[u8]) -> Vec<u8> {
    [namespace.as_bytes(), &[0xff], key].concat()
}

impl Inner {
    fn refuse_beyond_head(&self, number: u64) -> Result<()> {
        let head = self.head_number();
        if number > head {
            Err(StoreError::NoBlock { number, head })
        } else {
            Ok(())
        }
    }

    fn write_markers(&self, markers: &Markers) -> Result<()> {
        let mut batch = Batch::default();
        batch.put::<schema::Markers>(&(), &(markers.safe, markers.finalized));
        self.kv.write(&batch, false)
    }

    pub fn lower_markers(&self, head: u64) -> Result<()> {
        let mut markers = self.markers.lock();
        markers.safe = markers.safe.min(head);
        markers.finalized = markers.finalized.min(head);
        self.write_markers(&markers)
    }

    pub fn drop_records_above(&self, head: u64) -> Result<()> {
        self.drop_records(|info| info.last_block > head || info.first_block > head + 1)
            .map(|_| ())
    }

    /// Drops the newest batches as long as `drop` says so. True if there was any.
    fn drop_records(&self, drop: impl Fn(&BatchInfo) -> bool) -> Result<bool> {
        let mut batch = Batch::default();
        let mut next = self.kv.last(schema::Records::ID)?.map(|(key, _)| key);
        while let Some(key) = next {
            let index = u64::decode(&key)
                .map_err(|e| StoreError::Tables(format!("row of `records`: {e}")))?;
            let Some(info) = kv::get::<schema::Records>(&*self.kv, &index)?.filter(&drop) else {
                break;
            };
            batch.delete::<schema::Records>(&index);
            if info.last_block >= info.first_block {
                batch.delete::<schema::RecordOfBlock>(&info.last_block);
            }
            next = index
                .checked_sub(1)
                .map(|index| index.to_be_bytes().to_vec());
        }
        if !batch.is_empty() {
            self.kv.write(&batch, true)?;
        }
        Ok(!batch.is_empty())
    }
}
