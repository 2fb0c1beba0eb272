//! The whole state: the account trie over the storage tries.
//!
//! Always holds between calls: an account's leaf names the root of its storage trie, whether that trie is
//! in memory or not; a storage trie in memory belongs to an account that exists.

use crate::{
    AccountProof, Change, EMPTY_ROOT_HASH, Nibbles, NodeSource, NodeWrites, SlotProof, Trie,
    TrieAccount, TrieError,
    evict::{Census, Cut},
    node::Leaf,
    update::Rewrite,
};
use alloc::vec::Vec;
use alloy_primitives::{Address, B256, U256, keccak256, map::B256Map};
use alloy_rlp::{Decodable, Encodable};
use core::ops::ControlFlow;
use primitives::{Account, AccountDiff, SlotDiff, StateDiff, diff::KECCAK_EMPTY};

/// What an entry in the map of storage tries costs beside its nodes, about.
const ENTRY_BYTES: usize = 2 * (size_of::<Trie>() + size_of::<B256>());

/// Eviction frees a quarter more than it must, so that it need not look at everything each time.
const EVICT_SLACK: usize = 4;

/// The roots after a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRoots {
    /// Of the account trie.
    pub state_root: B256,
    /// Of each account whose slots were named in the difference and that still exists.
    pub storage_roots: Vec<(Address, B256)>,
}

/// The state of a chain at one block, of which any part may be absent from memory.
///
/// After an error every later call answers [`TrieError::Broken`].
#[derive(Debug, Clone)]
pub struct StateTrie<S> {
    source: S,
    accounts: Trie,
    storage: B256Map<Trie>,
    /// What `storage` costs, about.
    storage_bytes: usize,
    /// Storage tries that changed since they were saved; some more than once.
    dirty: Vec<B256>,
    /// Owners whose stored nodes must go.
    wiped: Vec<B256>,
    /// Generation, one for each call of `evict`.
    now: u32,
    broken: bool,
}

impl<S: NodeSource> StateTrie<S> {
    /// The state that `source` holds under `state_root`. Reads nothing yet.
    pub fn new(source: S, state_root: B256) -> Self {
        Self {
            source,
            accounts: Trie::new(B256::ZERO, state_root),
            storage: B256Map::default(),
            storage_bytes: 0,
            dirty: Vec::new(),
            wiped: Vec::new(),
            now: 0,
            broken: false,
        }
    }

    /// Where nodes come from.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// The same state over another source, which must serve all that this one did and all that was taken by
    /// [`Self::take_dirty`]: for a store that hands out a new snapshot after each write.
    pub fn with_source<T: NodeSource>(self, source: T) -> StateTrie<T> {
        let Self {
            source: _,
            accounts,
            storage,
            storage_bytes,
            dirty,
            wiped,
            now,
            broken,
        } = self;
        StateTrie {
            source,
            accounts,
            storage,
            storage_bytes,
            dirty,
            wiped,
            now,
            broken,
        }
    }

    /// The state root.
    pub fn root(&mut self) -> Result<B256, TrieError> {
        self.guarded(|state| Ok(state.accounts.root()))
    }

    /// The account, or `None` if there is none.
    pub fn account(&mut self, address: Address) -> Result<Option<TrieAccount>, TrieError> {
        self.guarded(|state| state.hashed_account(keccak256(address)))
    }

    /// The value of a slot; zero if nothing is stored there.
    pub fn slot(&mut self, address: Address, slot: U256) -> Result<U256, TrieError> {
        self.guarded(|state| {
            let owner = keccak256(address);
            let root = state.hashed_storage_root(owner)?;
            if root == EMPTY_ROOT_HASH {
                return Ok(U256::ZERO);
            }
            state.with_storage(owner, root, |trie, source| {
                slot_value(trie, source, &slot_key(slot))
            })
        })
    }

    /// The root of an account's storage; that of the empty trie if there is no such account.
    pub fn storage_root(&mut self, address: Address) -> Result<B256, TrieError> {
        self.guarded(|state| state.hashed_storage_root(keccak256(address)))
    }

    /// Moves to the state after `diff`. The `before` side is only tried as a guess that spares reading a leaf.
    pub fn apply(&mut self, diff: &StateDiff) -> Result<StateRoots, TrieError> {
        self.guarded(|state| state.apply_inner(diff))
    }

    fn apply_inner(&mut self, diff: &StateDiff) -> Result<StateRoots, TrieError> {
        let mut accounts: Vec<(B256, &AccountDiff)> = diff
            .accounts
            .iter()
            .map(|a| (keccak256(a.address), a))
            .collect();
        accounts.sort_unstable_by_key(|(owner, _)| *owner);

        let mut storage_roots = Vec::new();
        // The storage roots that are known; those of accounts without changed slots stand in their leaves.
        let mut known = Vec::with_capacity(accounts.len());
        for (owner, account) in &accounts {
            let mut root = None;
            if account.wiped || account.after.is_none() {
                let old = self.hashed_storage_root(*owner)?;
                self.wipe(*owner, old);
                root = Some(EMPTY_ROOT_HASH);
            }
            if account.after.is_some() && !account.slots.is_empty() {
                let old = match (root, self.storage.get(owner)) {
                    (Some(root), _) => root,
                    (None, Some(trie)) => trie.root(),
                    (None, None) => self.hashed_storage_root(*owner)?,
                };
                let new = self.write_slots(*owner, old, &account.slots)?;
                storage_roots.push((account.address, new));
                root = Some(new);
            }
            known.push(root);
        }

        let leaves: Vec<_> = accounts
            .iter()
            .zip(known)
            .map(|((_, account), storage_root)| {
                account.after.map(|after| AccountLeaf {
                    before: account.before,
                    after,
                    storage_root,
                })
            })
            .collect();
        let changes: Vec<Change<'_>> = accounts
            .iter()
            .zip(&leaves)
            .map(|((owner, _), leaf)| match leaf {
                Some(leaf) => Change::rewrite(Nibbles::unpack(owner), leaf),
                None => Change::remove(Nibbles::unpack(owner)),
            })
            .collect();
        self.accounts.now = self.now;
        self.accounts.update(&self.source, &changes)?;
        Ok(StateRoots {
            state_root: self.accounts.root(),
            storage_roots,
        })
    }

    /// The new storage root.
    fn write_slots(
        &mut self,
        owner: B256,
        root: B256,
        slots: &[SlotDiff],
    ) -> Result<B256, TrieError> {
        let mut values: Vec<(Nibbles, _)> = slots
            .iter()
            .map(|s| {
                (
                    slot_key(s.slot),
                    (!s.after.is_zero()).then(|| alloy_rlp::encode_fixed_size(&s.after)),
                )
            })
            .collect();
        values.sort_unstable_by_key(|(key, _)| *key);
        let changes: Vec<Change<'_>> = values
            .iter()
            .map(|(key, value)| match value {
                Some(rlp) => Change::put(*key, rlp),
                None => Change::remove(*key),
            })
            .collect();
        self.dirty.push(owner);
        self.with_storage(owner, root, |trie, source| {
            trie.update(source, &changes)?;
            Ok(trie.root())
        })
    }

    fn wipe(&mut self, owner: B256, root: B256) {
        if let Some(trie) = self.storage.remove(&owner) {
            self.storage_bytes -= ENTRY_BYTES + trie.bytes();
            self.wiped.push(owner);
        } else if root != EMPTY_ROOT_HASH {
            self.wiped.push(owner);
        }
    }

    /// What EIP-1186 asks for: the account and these slots, each with its proof.
    pub fn account_proof(
        &mut self,
        address: Address,
        slots: &[U256],
    ) -> Result<AccountProof, TrieError> {
        self.guarded(|state| {
            let owner = keccak256(address);
            let account = state.hashed_account(owner)?;
            let proof = state
                .accounts
                .prove(&state.source, &Nibbles::unpack(owner))?;
            let root = account.as_ref().map_or(EMPTY_ROOT_HASH, |a| a.storage_root);
            if root == EMPTY_ROOT_HASH {
                let nothing = |&slot| SlotProof {
                    slot,
                    value: U256::ZERO,
                    proof: Vec::new(),
                };
                let storage = slots.iter().map(nothing).collect();
                return Ok(AccountProof {
                    address,
                    account,
                    proof,
                    storage,
                });
            }
            let storage = state.with_storage(owner, root, |trie, source| {
                slots
                    .iter()
                    .map(|&slot| {
                        let key = slot_key(slot);
                        let value = slot_value(trie, source, &key)?;
                        Ok(SlotProof {
                            slot,
                            value,
                            proof: trie.prove(source, &key)?,
                        })
                    })
                    .collect()
            })?;
            Ok(AccountProof {
                address,
                account,
                proof,
                storage,
            })
        })
    }

    /// What a store must write to hold this state; from now on it counts as written. See [`NodeWrites`].
    pub fn take_dirty(&mut self) -> Result<NodeWrites, TrieError> {
        self.guarded(|state| {
            let mut writes = NodeWrites::default();
            writes.wiped.append(&mut state.wiped);
            writes.wiped.sort_unstable();
            writes.wiped.dedup();
            state.dirty.sort_unstable();
            state.dirty.dedup();
            for owner in state.dirty.drain(..) {
                if let Some(trie) = state.storage.get_mut(&owner) {
                    let before = trie.bytes();
                    trie.take_dirty(&mut writes.nodes);
                    state.storage_bytes = state.storage_bytes + trie.bytes() - before;
                }
            }
            state.accounts.take_dirty(&mut writes.nodes);
            Ok(writes)
        })
    }

    /// Bytes of memory that the state takes, about.
    pub fn bytes(&self) -> usize {
        self.accounts.bytes() + self.storage_bytes
    }

    /// Lets go of the least recently touched nodes until about `budget` bytes are left, and begins a new
    /// generation. Nodes not yet taken by [`Self::take_dirty`] stay. The source must by now serve all that was
    /// taken. Costs nothing while within budget; otherwise one look at every node in memory.
    ///
    /// Returns the bytes let go.
    pub fn evict(&mut self, budget: usize) -> usize {
        self.now += 1;
        let before = self.bytes();
        if before <= budget || self.broken {
            return 0;
        }
        let mut census = Census::new();
        self.accounts.count(&mut census);
        for trie in self.storage.values() {
            trie.count(&mut census);
            // The entry goes with the root node, or with nothing if the trie is empty or absent.
            *census.entry(trie.root.touched).or_default() += ENTRY_BYTES;
        }
        let mut cut = Cut::new(&census, before - (budget - budget / EVICT_SLACK));
        let storage_bytes = &mut self.storage_bytes;
        self.storage.retain(|_, trie| {
            let bytes = trie.bytes();
            trie.cut(&mut cut);
            *storage_bytes -= bytes - trie.bytes();
            let keep = trie.is_unsaved() || trie.has_nodes() || trie.root.touched > cut.before;
            if !keep {
                *storage_bytes -= ENTRY_BYTES + trie.bytes();
            }
            keep
        });
        self.accounts.cut(&mut cut);
        before - self.bytes()
    }

    /// Shows every account from hashed address `from` on, in ascending order, until `visit` breaks.
    pub fn walk_accounts(
        &self,
        from: B256,
        visit: &mut dyn FnMut(B256, TrieAccount) -> ControlFlow<()>,
    ) -> Result<(), TrieError> {
        let mut failed = None;
        self.accounts.walk(
            &self.source,
            &Nibbles::unpack(from),
            &mut |key, value| match (whole_key(B256::ZERO, key), decode_account(key, value)) {
                (Ok(owner), Ok(account)) => visit(owner, account),
                (Err(error), _) | (_, Err(error)) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            },
        )?;
        failed.map_or(Ok(()), Err)
    }

    /// Shows every slot of the account at hashed address `owner` from hashed slot `from` on, in ascending order, until
    /// `visit` breaks.
    pub fn walk_storage(
        &mut self,
        owner: B256,
        from: B256,
        visit: &mut dyn FnMut(B256, U256) -> ControlFlow<()>,
    ) -> Result<(), TrieError> {
        self.guarded(|state| {
            let root = state.hashed_storage_root(owner)?;
            if root == EMPTY_ROOT_HASH {
                return Ok(());
            }
            state.with_storage(owner, root, |trie, source| {
                let mut failed = None;
                trie.walk(source, &Nibbles::unpack(from), &mut |key, value| match (
                    whole_key(owner, key),
                    decode_slot(owner, key, value),
                ) {
                    (Ok(slot), Ok(value)) => visit(slot, value),
                    (Err(error), _) | (_, Err(error)) => {
                        failed = Some(error);
                        ControlFlow::Break(())
                    }
                })?;
                failed.map_or(Ok(()), Err)
            })
        })
    }

    fn guarded<T>(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<T, TrieError>,
    ) -> Result<T, TrieError> {
        if self.broken {
            return Err(TrieError::Broken);
        }
        let result = act(self);
        self.broken = result.is_err();
        result
    }

    fn hashed_account(&mut self, owner: B256) -> Result<Option<TrieAccount>, TrieError> {
        self.accounts.now = self.now;
        let key = Nibbles::unpack(owner);
        match self.accounts.get(&self.source, &key)? {
            Some(value) => decode_account(&key, &value).map(Some),
            None => Ok(None),
        }
    }

    fn hashed_storage_root(&mut self, owner: B256) -> Result<B256, TrieError> {
        Ok(self
            .hashed_account(owner)?
            .map_or(EMPTY_ROOT_HASH, |account| account.storage_root))
    }

    /// Runs `act` on the storage trie of `owner`, whose root is `root`.
    fn with_storage<T>(
        &mut self,
        owner: B256,
        root: B256,
        act: impl FnOnce(&mut Trie, &S) -> Result<T, TrieError>,
    ) -> Result<T, TrieError> {
        let trie = self.storage.entry(owner).or_insert_with(|| {
            self.storage_bytes += ENTRY_BYTES;
            Trie::new(owner, root)
        });
        trie.now = self.now;
        let before = trie.bytes();
        let result = act(trie, &self.source);
        self.storage_bytes = self.storage_bytes + trie.bytes() - before;
        result
    }
}

/// An account that changes.
struct AccountLeaf {
    before: Option<Account>,
    after: Account,
    /// If it is known; else it stands in the old leaf.
    storage_root: Option<B256>,
}

impl Rewrite for AccountLeaf {
    /// Only of accounts without code: others mostly have a storage, whose root is not known here.
    fn expected(&self, out: &mut Vec<u8>) {
        if let Some(before) = self.before.filter(|b| b.code_hash == KECCAK_EMPTY) {
            TrieAccount::new(before.nonce, before.balance, EMPTY_ROOT_HASH, KECCAK_EMPTY)
                .encode(out);
        }
    }

    fn rewrite(&self, old: Option<&Leaf>, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let after = &self.after;
        let root = self
            .storage_root
            .map_or_else(|| leaf_storage_root(old), Ok)?;
        TrieAccount::new(after.nonce, after.balance, root, after.code_hash).encode(out);
        Ok(())
    }
}

/// The storage root in an account's leaf; that of the empty trie without a leaf.
fn leaf_storage_root(leaf: Option<&Leaf>) -> Result<B256, &'static str> {
    match leaf {
        None => Ok(EMPTY_ROOT_HASH),
        Some(leaf) if leaf.is_plain_account() => Ok(EMPTY_ROOT_HASH),
        Some(leaf) => account_from(&leaf.value_to_vec()).map(|account| account.storage_root),
    }
}

fn slot_key(slot: U256) -> Nibbles {
    Nibbles::unpack(keccak256(slot.to_be_bytes::<32>()))
}

fn slot_value(trie: &mut Trie, source: &dyn NodeSource, key: &Nibbles) -> Result<U256, TrieError> {
    let owner = trie.owner;
    trie.get(source, key)?
        .map_or(Ok(U256::ZERO), |value| decode_slot(owner, key, &value))
}

fn decode_account(key: &Nibbles, value: &[u8]) -> Result<TrieAccount, TrieError> {
    account_from(value).map_err(|why| bad_leaf(B256::ZERO, key, why))
}

fn account_from(mut value: &[u8]) -> Result<TrieAccount, &'static str> {
    match TrieAccount::decode(&mut value) {
        Ok(account) if value.is_empty() => Ok(account),
        _ => Err("a leaf is no account"),
    }
}

fn decode_slot(owner: B256, key: &Nibbles, mut value: &[u8]) -> Result<U256, TrieError> {
    match U256::decode(&mut value) {
        Ok(slot) if value.is_empty() && !slot.is_zero() => Ok(slot),
        _ => Err(bad_leaf(owner, key, "a leaf is no slot value")),
    }
}

fn whole_key(owner: B256, key: &Nibbles) -> Result<B256, TrieError> {
    B256::try_from(&key.pack()[..]).map_err(|_| bad_leaf(owner, key, "a key is not a hash"))
}

fn bad_leaf(owner: B256, key: &Nibbles, why: &'static str) -> TrieError {
    TrieError::Bad {
        owner,
        path: *key,
        hash: B256::ZERO,
        why,
    }
}
