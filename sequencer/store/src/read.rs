//! Blocks, headers and transactions by number and hash: RAM first, then tables and log.

use crate::{
    BlockMeta, Result, Store, StoreError, kv,
    log::LoggedBlock,
    receipts::receipts,
    recent::{RecentBlock, block_bytes},
    schema,
    store::Inner,
};
use alloy_primitives::B256;
use primitives::{Header, SealedBlock};
use std::sync::Arc;

impl Store {
    /// The newest block.
    pub fn head(&self) -> Arc<SealedBlock> {
        self.inner.head.load_full()
    }

    /// Hash of the first block.
    pub fn genesis_hash(&self) -> B256 {
        self.inner.genesis_hash
    }

    /// Number of the first block.
    pub fn genesis_number(&self) -> u64 {
        self.inner.genesis_number
    }

    /// Height that the tables stand for; the log has the rest.
    pub fn flushed(&self) -> u64 {
        self.inner.flushed()
    }

    /// The block with its transactions and receipts; `None` if the chain has none with that number.
    pub fn block(&self, number: u64) -> Result<Option<Arc<SealedBlock>>> {
        self.inner
            .on_chain(number, |inner| inner.load_block(number))
    }

    /// The header alone.
    pub fn header(&self, number: u64) -> Result<Option<Header>> {
        self.inner
            .on_chain(number, |inner| inner.load_header(number))
    }

    /// The hash of a block.
    pub fn hash_of(&self, number: u64) -> Result<Option<B256>> {
        self.inner.on_chain(number, |inner| inner.load_hash(number))
    }

    /// The block's anchor and queue position.
    pub fn meta(&self, number: u64) -> Result<Option<BlockMeta>> {
        self.inner
            .on_chain(number, |inner| match inner.recent(number) {
                Some(recent) => Ok(Some(recent.meta)),
                None => Ok(kv::get::<schema::Bodies>(&*inner.kv, &number)?.map(|row| row.meta)),
            })
    }

    /// The number of the block with this hash.
    pub fn number_of(&self, hash: B256) -> Result<Option<u64>> {
        let _no_rewind = self.inner.rewinds.read();
        let recent = self.inner.recent.read().number_of(&hash);
        let number = match recent {
            Some(number) => Some(number),
            None => kv::get::<schema::Numbers>(&*self.inner.kv, &hash)?,
        };
        Ok(number.filter(|n| *n <= self.inner.head_number()))
    }

    /// Block and index of a transaction.
    pub fn transaction(&self, hash: B256) -> Result<Option<(u64, u32)>> {
        let _no_rewind = self.inner.rewinds.read();
        let recent = self.inner.recent.read().transaction(&hash);
        let place = match recent {
            Some(place) => Some(place),
            None => kv::get::<schema::Transactions>(&*self.inner.kv, &hash)?,
        };
        Ok(place.filter(|(number, _)| *number <= self.inner.head_number()))
    }
}

impl Inner {
    /// Runs `read` unless `number` is beyond the chain, while no rewind changes it.
    fn on_chain<T>(
        &self,
        number: u64,
        read: impl FnOnce(&Self) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        let _no_rewind = self.rewinds.read();
        if number > self.head_number() || number < self.genesis_number {
            Ok(None)
        } else {
            read(self)
        }
    }

    pub fn recent(&self, number: u64) -> Option<RecentBlock> {
        self.recent.read().get(number).cloned()
    }

    pub fn load_hash(&self, number: u64) -> Result<Option<B256>> {
        match self.recent.read().get(number) {
            Some(recent) => Ok(Some(recent.block.hash)),
            None => Ok(kv::get::<schema::Headers>(&*self.kv, &number)?.map(|row| row.hash)),
        }
    }

    pub fn load_header(&self, number: u64) -> Result<Option<Header>> {
        match self.recent(number) {
            Some(recent) => Ok(Some(recent.block.header.clone())),
            None => Ok(kv::get::<schema::Headers>(&*self.kv, &number)?.map(|row| row.header)),
        }
    }

    pub fn load_block(&self, number: u64) -> Result<Option<Arc<SealedBlock>>> {
        if let Some(recent) = self.recent(number) {
            return Ok(Some(recent.block));
        }
        if let Some(block) = self.disk_blocks.get(&number) {
            return Ok(Some(block));
        }
        let Some(schema::HeaderRow { hash, header }) =
            kv::get::<schema::Headers>(&*self.kv, &number)?
        else {
            return Ok(None);
        };
        let body = kv::get::<schema::Bodies>(&*self.kv, &number)?
            .ok_or_else(|| row_missing("bodies", number))?;
        let receipts =
            receipts(&*self.kv, number)?.ok_or_else(|| row_missing("receipts", number))?;
        // The first block is in no log: it has no transactions.
        let (transactions, ommers, withdrawals) = match body.at.len {
            0 => Default::default(),
            _ => {
                let LoggedBlock {
                    header: logged,
                    transactions,
                    ommers,
                    withdrawals,
                    ..
                } = self.log_reader.block(body.at)?;
                if logged != header {
                    return Err(StoreError::Tables(format!(
                        "the log has another block {number} than the tables"
                    )));
                }
                (transactions, ommers, withdrawals)
            }
        };
        let block = Arc::new(SealedBlock {
            header,
            hash,
            transactions,
            receipts,
            ommers,
            withdrawals,
        });
        self.disk_blocks
            .put(number, block.clone(), block_bytes(&block));
        Ok(Some(block))
    }
}

pub(crate) fn row_missing(table: &str, number: u64) -> StoreError {
    StoreError::Tables(format!(
        "block {number} has no row in `{table}`; run `db check`"
    ))
}
