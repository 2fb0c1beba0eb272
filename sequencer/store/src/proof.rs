//! Proofs of the state: at the head from the live trie, elsewhere from a trie over the tables that is led there.

use crate::{
    Result, Store, StoreError,
    kv::{self, KvRead},
    read::row_missing,
    schema::{self, NodePath},
    store::Inner,
    undo::undo,
};
use alloy_primitives::{Address, B256, Bytes, U256};
use primitives::StateDiff;
use std::sync::Arc;
use trie::{AccountProof, Nibbles, NodeSource, StateTrie, TrieError};

impl Store {
    /// What `eth_getProof` asks for, against the state root of block `number`. At the head it costs a few node
    /// reads; further back, time and memory grow with what changed since.
    pub fn proof_at(&self, number: u64, address: Address, slots: &[B256]) -> Result<AccountProof> {
        let slots: Vec<U256> = slots.iter().map(|s| U256::from_be_bytes(s.0)).collect();
        self.inner.proof_at(number, address, &slots)
    }
}

impl Inner {
    fn proof_at(&self, number: u64, address: Address, slots: &[U256]) -> Result<AccountProof> {
        {
            let mut writer = self.writer()?;
            if writer.pending.is_none() && number == self.head_number() {
                return writer
                    .trie
                    .account_proof(address, slots)
                    .map_err(|e| self.stop(e.into()));
            }
        }
        let _no_rewind = self.rewinds.read();
        let head = self.head_number();
        if number > head || number < self.genesis_number {
            return Err(StoreError::NoBlock { number, head });
        }
        let oldest = self.state.oldest();
        if number < oldest {
            return Err(StoreError::Pruned { number, oldest });
        }
        loop {
            let proof = kv::on_snapshot(&*self.kv, |snapshot| {
                self.proof_over(snapshot, number, address, slots)
            })?;
            // `None`: blocks left RAM for tables that are newer than the snapshot.
            if let Some(proof) = proof {
                return Ok(proof);
            }
        }
    }

    fn proof_over(
        &self,
        tables: &dyn KvRead,
        number: u64,
        address: Address,
        slots: &[U256],
    ) -> Result<Option<AccountProof>> {
        let tip = kv::get::<schema::Tip>(tables, &())?
            .ok_or_else(|| StoreError::Tables("no tip".into()))?;
        let root_at = |n: u64| {
            let header = self
                .load_header(n)?
                .ok_or_else(|| row_missing("headers", n))?;
            Ok::<_, StoreError>(header.state_root)
        };
        let mut trie = StateTrie::new(SnapshotNodes(tables), root_at(tip.height)?);
        if number < tip.height {
            trie.apply(&undo(tables, tip.height, number)?)?;
        } else {
            let diffs: Option<Vec<Arc<StateDiff>>> = {
                let recent = self.recent.read();
                (tip.height + 1..=number)
                    .map(|n| recent.get(n)?.diff.clone())
                    .collect()
            };
            let Some(diffs) = diffs else { return Ok(None) };
            for diff in diffs {
                trie.apply(&diff)?;
            }
        }
        if trie.root()? != root_at(number)? {
            return Err(StoreError::Tables(format!(
                "history does not lead to the root of block {number}; run `db check`"
            )));
        }
        Ok(Some(trie.account_proof(address, slots)?))
    }
}

/// Trie nodes as of one moment.
pub(crate) struct SnapshotNodes<'a>(pub &'a dyn KvRead);

impl NodeSource for SnapshotNodes<'_> {
    fn node(&self, owner: B256, path: &Nibbles, hash: B256) -> Result<Bytes, TrieError> {
        node(self.0, owner, path, hash)
    }
}

#[allow(clippy::result_large_err, reason = "the error is that of `NodeSource`")]
pub(crate) fn node(
    kv: &dyn KvRead,
    owner: B256,
    path: &Nibbles,
    hash: B256,
) -> Result<Bytes, TrieError> {
    let row = match owner.is_zero() {
        true => kv::get::<schema::AccountNodes>(kv, &NodePath(*path)),
        false => kv::get::<schema::StorageNodes>(kv, &(owner, NodePath(*path))),
    };
    row.map_err(|e| TrieError::Source(e.to_string()))?
        .ok_or(TrieError::Missing {
            owner,
            path: *path,
            hash,
        })
}
