//! The part of `db check` that compares the logs' rows and their index with the receipts.

use crate::{
    KvRead, Result, kv,
    log_terms::{postings_of, rows},
    receipts::log_rows,
    schema::{self, Table},
};
use primitives::Receipt;
use std::ops::ControlFlow;

/// Rows that the blocks seen so far must have.
#[derive(Default)]
pub struct LogsCheck {
    index_rows: u64,
    log_rows: u64,
}

impl LogsCheck {
    /// What does not fit in a block, whose receipts are those that its header names.
    pub fn block(
        &mut self,
        tables: &dyn KvRead,
        number: u64,
        receipts: &[Receipt],
    ) -> Result<Option<String>> {
        let mut postings = Vec::new();
        postings_of(number, receipts, &mut postings);
        let mut wrong = Ok(None);
        rows(postings, |key, positions| {
            self.index_rows += 1;
            if let Ok(None) = wrong {
                wrong = kv::get::<schema::LogIndex>(tables, &key).map(|found| {
                    (found.as_ref() != Some(positions)).then(|| {
                        format!("the index of logs does not name those of block {number} rightly")
                    })
                });
            }
        });
        if let Some(text) = wrong? {
            return Ok(Some(text));
        }
        // The receipts' root covers all of a log's row but the transactions' hashes.
        for index in 0..log_rows(receipts) {
            self.log_rows += 1;
            let row = kv::get::<schema::Logs>(tables, &(number, index))?.unwrap_or_default();
            for log in row.logs()? {
                let place = kv::get::<schema::Transactions>(tables, &log.tx_hash)?;
                if place != Some((number, log.tx_index)) {
                    return Ok(Some(format!(
                        "a log of block {number} names transaction {}, which is elsewhere",
                        log.tx_hash
                    )));
                }
            }
        }
        Ok(None)
    }

    /// What does not fit after the last block.
    pub fn end(&self, tables: &dyn KvRead) -> Result<Option<String>> {
        for (table, wanted) in [
            (schema::LogIndex::ID, self.index_rows),
            (schema::Logs::ID, self.log_rows),
        ] {
            let mut found = 0u64;
            tables.scan(table, &[], &mut |_, _| {
                found += 1;
                ControlFlow::Continue(())
            })?;
            if found != wanted {
                let name = table.name();
                return Ok(Some(format!(
                    "`{name}` has {found} rows, the blocks need {wanted}"
                )));
            }
        }
        Ok(None)
    }
}
