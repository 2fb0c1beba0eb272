//! The nodes of the state trie as of any block: the tables' own, and over them what leads there.

use crate::{
    Result, Store, StoreError,
    kv::{self, KvRead},
    proof::SnapshotNodes,
    read::row_missing,
    schema,
    store::Inner,
    undo::undo_while,
};
use alloy_primitives::{B256, Bytes, map::HashMap};
use parking_lot::RwLockReadGuard;
use primitives::StateDiff;
use std::sync::Arc;
use trie::{Nibbles, NodeSource, NodeWrites, StateTrie, TrieError};

impl Store {
    /// Shows `look` the nodes of the state trie after block `number`, and its root. Time and memory grow with what
    /// changed between that block and the newest that the tables stand for; `keep_on` is asked on the way, and ends
    /// it with [`StoreError::GivenUp`].
    pub fn trie_at<T>(
        &self,
        number: u64,
        keep_on: &dyn Fn() -> bool,
        look: &mut dyn FnMut(&dyn NodeSource, B256) -> Result<T>,
    ) -> Result<T> {
        self.inner.trie_at(number, keep_on, look)
    }
}

impl Inner {
    pub fn trie_at<T>(
        &self,
        number: u64,
        keep_on: &dyn Fn() -> bool,
        look: &mut dyn FnMut(&dyn NodeSource, B256) -> Result<T>,
    ) -> Result<T> {
        loop {
            let no_rewind = self.rewinds.read();
            let head = self.head_number();
            if number > head || number < self.genesis_number {
                return Err(StoreError::NoBlock { number, head });
            }
            let oldest = self.state.oldest();
            if number < oldest {
                return Err(StoreError::Pruned { number, oldest });
            }
            let seen = kv::on_snapshot(&*self.kv, |snapshot| {
                self.trie_over(snapshot, number, keep_on, look, no_rewind)
            })?;
            // `None`: blocks left RAM for tables that are newer than the snapshot.
            if let Some(seen) = seen {
                return Ok(seen);
            }
        }
    }

    fn trie_over<T>(
        &self,
        tables: &dyn KvRead,
        number: u64,
        keep_on: &dyn Fn() -> bool,
        look: &mut dyn FnMut(&dyn NodeSource, B256) -> Result<T>,
        no_rewind: RwLockReadGuard<'_, Vec<u64>>,
    ) -> Result<Option<T>> {
        let tip = kv::get::<schema::Tip>(tables, &())?
            .ok_or_else(|| StoreError::Tables("no tip".into()))?;
        let root_at = |n: u64| {
            let header = self
                .load_header(n)?
                .ok_or_else(|| row_missing("headers", n))?;
            Ok::<_, StoreError>(header.state_root)
        };
        let nodes = SnapshotNodes(tables);
        let (root, tip_root) = (root_at(number)?, root_at(tip.height)?);
        let diffs: Option<Vec<Arc<StateDiff>>> = {
            let recent = self.recent.read();
            (tip.height + 1..=number)
                .map(|n| recent.get(n)?.diff.clone())
                .collect()
        };
        // From here on the snapshot suffices: what takes long makes no rewind wait.
        drop(no_rewind);
        let Some(diffs) = diffs else { return Ok(None) };
        if number == tip.height {
            return Ok(Some(look(&nodes, root)?));
        }
        let mut trie = StateTrie::new(&nodes, tip_root);
        if number < tip.height {
            trie.apply(&undo_while(tables, tip.height, number, keep_on)?)?;
        }
        for diff in diffs {
            trie.apply(&diff)?;
        }
        if trie.root()? != root {
            return Err(StoreError::Tables(format!(
                "history does not lead to the root of block {number}; run `db check`"
            )));
        }
        let led = Led {
            changed: by_place(trie.take_dirty()?),
            below: &nodes,
        };
        Ok(Some(look(&led, root)?))
    }
}

fn by_place(writes: NodeWrites) -> HashMap<(B256, Nibbles), Bytes> {
    writes
        .nodes
        .into_iter()
        .filter_map(|node| Some(((node.owner, node.path), node.rlp?)))
        .collect()
}

/// What changed, over what did not. A node that is gone is asked for by nobody.
struct Led<'a> {
    changed: HashMap<(B256, Nibbles), Bytes>,
    below: &'a SnapshotNodes<'a>,
}

impl NodeSource for Led<'_> {
    fn node(&self, owner: B256, path: &Nibbles, hash: B256) -> Result<Bytes, TrieError> {
        match self.changed.get(&(owner, *path)) {
            Some(node) => Ok(node.clone()),
            None => self.below.node(owner, path, hash),
        }
    }
}
