//! Proofs of the state: at the head from the live trie, elsewhere from nodes of the tables that are led there.

use crate::{
    Result, Store,
    kv::{self, KvRead},
    node_row::NodeRow,
    schema::{self, NodePath},
    store::Inner,
};
use alloy_primitives::{Address, B256, Bytes, U256};
use trie::{AccountProof, Nibbles, NodeSource, StateTrie, TrieError};

/// Proofs at the head are cut from the writer's own trie while it waits: only as many slots as that takes no time for.
const SLOTS_FROM_WRITER: usize = 32;

impl Store {
    /// What `eth_getProof` asks for, against the state root of block `number`. At the head it costs a few node
    /// reads; further back, time and memory grow with what changed since, see [`Store::trie_at`].
    pub fn proof_at(
        &self,
        number: u64,
        address: Address,
        slots: &[B256],
        keep_on: &dyn Fn() -> bool,
    ) -> Result<AccountProof> {
        let slots: Vec<U256> = slots.iter().map(|s| U256::from_be_bytes(s.0)).collect();
        self.inner.proof_at(number, address, &slots, keep_on)
    }
}

impl Inner {
    fn proof_at(
        &self,
        number: u64,
        address: Address,
        slots: &[U256],
        keep_on: &dyn Fn() -> bool,
    ) -> Result<AccountProof> {
        if slots.len() <= SLOTS_FROM_WRITER {
            let mut writer = self.writer()?;
            if writer.pending.is_none() && number == self.head_number() {
                return writer
                    .trie
                    .account_proof(address, slots)
                    .map_err(|e| self.stop(e.into()));
            }
        }
        self.trie_at(number, keep_on, &mut |nodes, root| {
            Ok(StateTrie::new(nodes, root).account_proof(address, slots)?)
        })
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
        .map(|NodeRow(rlp)| rlp)
        .ok_or(TrieError::Missing {
            owner,
            path: *path,
            hash,
        })
}
