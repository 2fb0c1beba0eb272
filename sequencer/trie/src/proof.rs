//! Proofs that a key has a value, or that it has none.

use crate::{Nibbles, NodeSource, Trie, TrieAccount, TrieError, node::Kid, rlp};
use alloc::vec::Vec;
use alloy_primitives::{Address, Bytes, U256};

/// What EIP-1186 (`eth_getProof`) says of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountProof {
    /// Whose.
    pub address: Address,
    /// `None` if the proof shows that there is no such account.
    pub account: Option<TrieAccount>,
    /// Nodes from the state root down.
    pub proof: Vec<Bytes>,
    /// One for each slot that was asked for, in that order.
    pub storage: Vec<SlotProof>,
}

/// What EIP-1186 says of one storage slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotProof {
    /// The slot's key, not hashed.
    pub slot: U256,
    /// Zero if the proof shows that nothing is stored there.
    pub value: U256,
    /// Nodes from the storage root down; none if the account has no storage.
    pub proof: Vec<Bytes>,
}

impl Trie {
    /// The nodes from the root towards `key`, as EIP-1186 orders them. A node that is part of its parent does not
    /// stand again. Where the path ends before the key does, the nodes show that the key is not there.
    pub fn prove(
        &mut self,
        source: &dyn NodeSource,
        key: &Nibbles,
    ) -> Result<Vec<Bytes>, TrieError> {
        self.guarded(source, |descent, root| {
            let mut proof = Vec::new();
            let mut buffer = Vec::new();
            let mut slot = root;
            let mut depth = 0;
            loop {
                descent.open(slot, key, depth)?;
                if slot.reference.as_hash().is_some() && !slot.is_empty() {
                    buffer.clear();
                    rlp::encode(&slot.kid, &mut buffer);
                    proof.push(Bytes::copy_from_slice(&buffer));
                }
                match &mut slot.kid {
                    Kid::Empty | Kid::Absent | Kid::Leaf(_) => return Ok(proof),
                    Kid::Extension(ext) => {
                        if !key.slice(depth..).starts_with(&ext.path) {
                            return Ok(proof);
                        }
                        depth += ext.path.len();
                        descent.open_fork(&mut ext.child, key, depth)?;
                        slot = &mut ext.child;
                    }
                    Kid::Branch(branch) => {
                        let Some(at) = key.get(depth).and_then(|n| branch.position(n)) else {
                            return Ok(proof);
                        };
                        depth += 1;
                        slot = &mut branch.slots[at];
                    }
                }
            }
        })
    }
}
