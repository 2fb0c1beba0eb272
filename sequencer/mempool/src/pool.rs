//! The waiting transactions of all senders, and the three indices over them: by hash, by what they pay, and by
//! who leaves first when the pool is full.
//!
//! A transaction that the builder takes stays here, marked, until a block with it is published or given up: so it
//! is still found by hash, still counts for nonces and balances, and nothing is lost if the block fails.
//!
//! Absent on purpose: clocks (`now_ms` comes in), state reads (accounts come in), signatures, I/O.

use crate::{
    PoolError, PoolLimits,
    order::Order,
    rules::Candidate,
    sender::{Entry, Sender, SenderState, Tail},
};
use alloy_primitives::{
    Address, B256,
    map::{AddressMap, B256Map},
};
use primitives::{CheckedTx, StateDiff};
use std::{collections::BTreeSet, sync::Arc};

/// What an admission did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Added {
    /// It could run now; otherwise it waits for another nonce.
    pub ready: bool,
    /// Hash of the transaction whose place it took.
    pub replaced: Option<B256>,
    /// Transactions that waited for this one and could run now, in nonce order.
    pub promoted: Vec<Arc<CheckedTx>>,
    /// Hashes of cheaper transactions that had to leave.
    pub evicted: Vec<B256>,
}

/// Whether the rules against floods apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// Somebody sent it.
    Fresh,
    /// It was in a block that was taken back.
    Returned,
}

/// See the module.
#[derive(Debug)]
pub struct Pool {
    limits: PoolLimits,
    /// Places are reused; `ids` says whose is whose.
    senders: Vec<Option<Sender>>,
    free: Vec<u32>,
    ids: AddressMap<u32>,
    by_hash: B256Map<(u32, u64)>,
    order: Order,
    tails: BTreeSet<Tail>,
    /// How many transactions here delegate each address.
    delegations: AddressMap<u32>,
    deferred: Vec<u32>,
    /// Counts what was learnt of the chain.
    version: u64,
    /// Entries on their way out; kept for its capacity.
    gone: Vec<Entry>,
    ready_total: usize,
    bytes_total: usize,
    arrivals: u64,
    now_ms: u64,
}

impl Pool {
    /// An empty pool.
    pub fn new(limits: PoolLimits) -> Self {
        Self {
            limits,
            senders: Vec::new(),
            free: Vec::new(),
            ids: AddressMap::default(),
            by_hash: B256Map::default(),
            order: Order::default(),
            tails: BTreeSet::new(),
            delegations: AddressMap::default(),
            deferred: Vec::new(),
            version: 0,
            gone: Vec::new(),
            ready_total: 0,
            bytes_total: 0,
            arrivals: 0,
            now_ms: 0,
        }
    }

    /// Admits a transaction that passed [`crate::PoolRules::check`]. `account` is its sender at the chain's head.
    pub fn add(
        &mut self,
        candidate: impl Into<Candidate>,
        account: SenderState,
        now_ms: u64,
    ) -> Result<Added, PoolError> {
        self.admit(candidate.into(), account, Origin::Fresh, now_ms)
    }

    /// Takes back a transaction of a block that is gone: the rules against floods do not apply to it.
    pub fn add_returned(
        &mut self,
        candidate: impl Into<Candidate>,
        account: SenderState,
        now_ms: u64,
    ) -> Result<Added, PoolError> {
        self.admit(candidate.into(), account, Origin::Returned, now_ms)
    }

    fn admit(
        &mut self,
        candidate: Candidate,
        mut account: SenderState,
        origin: Origin,
        now_ms: u64,
    ) -> Result<Added, PoolError> {
        self.now_ms = self.now_ms.max(now_ms);
        if self.by_hash.contains_key(&candidate.tx.hash) {
            return Err(PoolError::AlreadyKnown);
        }
        let address = candidate.tx.sender;
        if let Some(&id) = self.ids.get(&address) {
            // The caller's snapshot and ours are of different heights at times; nonces tell which is newer.
            let ours = self.sender(id).state;
            if account.nonce > ours.nonce {
                self.apply(id, account);
            } else if account.nonce < ours.nonce {
                account = ours;
            }
        }
        let id = self.ids.get(&address).copied();
        let known = id.map(|id| self.sender(id));
        let nonce = candidate.nonce;
        let next = account.nonce + known.map_or(0, |sender| sender.taken as u64);
        if nonce < next {
            return Err(PoolError::NonceTooLow { next, nonce });
        }
        Sender::check_funds(known, account.balance, &candidate)?;
        let replaces = known.and_then(|sender| Some(&sender.entries[sender.position(nonce).ok()?]));
        let ready = known.map_or(nonce == account.nonce, |sender| {
            sender.would_be_ready(nonce)
        });
        match (replaces, known) {
            (Some(old), _) if !self.outbids(&candidate, old) => {
                return Err(PoolError::ReplacementUnderpriced);
            }
            (None, Some(sender)) => {
                let pooled = sender.entries.len();
                if pooled >= self.limits.per_sender_max
                    || (!ready && sender.queued() >= self.limits.queued_per_sender_max)
                {
                    return Err(PoolError::AccountLimit { pooled });
                }
            }
            _ => {}
        }
        if origin == Origin::Fresh {
            self.check_delegation(&candidate, &account, known)?;
        }
        let victims = self.victims(&candidate, id, ready, replaces)?;
        let evicted = victims
            .into_iter()
            .filter_map(|id| self.evict(id))
            .collect();
        Ok(self.insert(candidate, account, evicted))
    }

    /// Both fees raised by the percentage, and by one wei at least.
    fn outbids(&self, new: &Candidate, old: &Entry) -> bool {
        let percent = 100 + u128::from(self.limits.price_bump_percent);
        let raised = |new: u128, old: u128| new > old && new >= old.saturating_mul(percent) / 100;
        raised(new.max_fee, old.max_fee) && raised(new.tip, old.tip)
    }

    /// geth's rule for EIP-7702: one ready transaction of an account that is delegated or about to be, and no
    /// delegation of an account with more than one waiting.
    fn check_delegation(
        &self,
        candidate: &Candidate,
        account: &SenderState,
        known: Option<&Sender>,
    ) -> Result<(), PoolError> {
        if account.has_code || self.delegations.contains_key(&candidate.tx.sender) {
            match known.filter(|sender| sender.ready > 0) {
                Some(sender) => {
                    let replaces = sender
                        .position(candidate.nonce)
                        .is_ok_and(|index| index < sender.ready);
                    if !replaces {
                        return Err(PoolError::DelegatedInFlight);
                    }
                }
                None if candidate.nonce != account.nonce => return Err(PoolError::DelegatedGap),
                None => {}
            }
        }
        let reserved = candidate
            .authorities
            .iter()
            .filter_map(|authority| self.ids.get(authority))
            .any(|&id| self.sender(id).entries.len() > 1);
        if reserved {
            Err(PoolError::AuthorityReserved)
        } else {
            Ok(())
        }
    }

    /// Whose last transactions have to leave before this one may enter. Refuses if they are worth more.
    fn victims(
        &self,
        candidate: &Candidate,
        id: Option<u32>,
        ready: bool,
        replaces: Option<&Entry>,
    ) -> Result<Vec<u32>, PoolError> {
        let bytes =
            self.bytes_total + candidate.tx.raw.len() - replaces.map_or(0, |old| old.tx.raw.len());
        let mut bytes_over = bytes.saturating_sub(self.limits.bytes_max);
        let mut one_over = replaces.is_none()
            && match ready {
                true => self.ready_total >= self.limits.pending_max,
                false => self.by_hash.len() - self.ready_total >= self.limits.queued_max,
            };
        let mut victims = Vec::new();
        if !one_over && bytes_over == 0 {
            return Ok(victims);
        }
        for tail in &self.tails {
            // Too many ready ones: only the departure of a ready one helps.
            if one_over && bytes_over == 0 && ready && !tail.ready {
                continue;
            }
            if Some(tail.sender) == id {
                continue;
            }
            if tail.ready && !ready {
                return Err(PoolError::FutureReplacesPending);
            }
            if tail.ready == ready && (candidate.tip, candidate.max_fee) <= (tail.tip, tail.max_fee)
            {
                return Err(PoolError::Underpriced);
            }
            let leaving = self
                .sender(tail.sender)
                .entries
                .back()
                .map_or(0, |entry| entry.tx.raw.len());
            bytes_over = bytes_over.saturating_sub(leaving);
            one_over &= tail.ready != ready;
            victims.push(tail.sender);
            if !one_over && bytes_over == 0 {
                return Ok(victims);
            }
        }
        Err(PoolError::Full)
    }

    fn evict(&mut self, id: u32) -> Option<B256> {
        let entry = self.update(id, |sender, _| {
            sender
                .entries
                .len()
                .checked_sub(1)
                .and_then(|last| sender.remove(last))
        })?;
        self.forget(&entry);
        Some(entry.tx.hash)
    }

    fn insert(&mut self, candidate: Candidate, account: SenderState, evicted: Vec<B256>) -> Added {
        let tx = candidate.tx.clone();
        let address = tx.sender;
        let id = match self.ids.get(&address) {
            Some(&id) => id,
            None => {
                let sender = Some(Sender::new(address, account));
                let id = match self.free.pop() {
                    Some(id) => {
                        self.senders[id as usize] = sender;
                        id
                    }
                    None => {
                        self.senders.push(sender);
                        (self.senders.len() - 1) as u32
                    }
                };
                self.ids.insert(address, id);
                id
            }
        };
        for authority in &candidate.authorities {
            *self.delegations.entry(*authority).or_default() += 1;
        }
        self.by_hash.insert(tx.hash, (id, candidate.nonce));
        self.bytes_total += tx.raw.len();
        self.arrivals += 1;
        let (nonce, arrival) = (candidate.nonce, self.arrivals);
        let mut added = Added {
            evicted,
            ..Added::default()
        };
        let old = self.update(id, |sender, now_ms| {
            sender.state = account;
            let pending_nonce = sender.pending_nonce();
            let old = sender.insert(Entry::new(candidate, arrival));
            added.ready = nonce < sender.pending_nonce();
            if added.ready && nonce == pending_nonce {
                let first = (nonce - sender.state.nonce) as usize + 1;
                added.promoted = sender
                    .entries
                    .range(first..sender.ready)
                    .map(|entry| entry.tx.clone())
                    .collect();
            }
            if !added.ready {
                sender.queued_since_ms = now_ms;
            }
            old
        });
        if let Some(old) = old {
            added.replaced = Some(old.tx.hash);
            self.forget(&old);
        }
        added
    }

    /// Up to `max` transactions, best first; of one sender in nonce order. They stay in the pool, marked, until
    /// [`Self::on_block`], [`Self::release`], [`Self::reject`] or [`Self::defer`] says what became of them.
    pub fn take(&mut self, base_fee: u64, max: usize) -> Vec<Arc<CheckedTx>> {
        self.set_base_fee(base_fee);
        let mut taken = Vec::with_capacity(max.min(self.ready_total));
        while taken.len() < max {
            let Some(id) = self.order.best() else { break };
            let tx = self.update(id, |sender, _| {
                let tx = sender
                    .entries
                    .get(sender.taken)
                    .map(|entry| entry.tx.clone());
                sender.taken += 1;
                tx
            });
            taken.extend(tx);
        }
        taken
    }

    fn set_base_fee(&mut self, base_fee: u64) {
        let senders = &self.senders;
        self.order
            .set_base_fee(base_fee, &|id| senders.get(id as usize)?.as_ref()?.head(id));
    }

    /// A taken transaction turned out invalid: it leaves. What the sender has after it goes back to waiting.
    pub fn reject(&mut self, hash: &B256) -> Option<Arc<CheckedTx>> {
        let (id, nonce) = *self.by_hash.get(hash)?;
        let entry = self.update(id, |sender, now_ms| {
            let entry = sender
                .position(nonce)
                .ok()
                .and_then(|index| sender.remove(index));
            sender.queued_since_ms = now_ms;
            entry
        })?;
        self.forget(&entry);
        self.trim_queued();
        Some(entry.tx)
    }

    /// A taken transaction did not fit: it and what follows it of its sender stand back until the next block.
    pub fn defer(&mut self, hash: &B256) {
        let Some(&(id, nonce)) = self.by_hash.get(hash) else {
            return;
        };
        self.update(id, |sender, _| {
            if let Ok(index) = sender.position(nonce) {
                sender.taken = sender.taken.min(index);
                sender.deferred = true;
            }
        });
        self.deferred.push(id);
    }

    /// A new block starts: those that stood back may run again.
    pub fn start_block(&mut self) {
        for id in std::mem::take(&mut self.deferred) {
            if self.senders[id as usize].is_some() {
                self.update(id, |sender, _| sender.deferred = false);
            }
        }
    }

    /// The block being built was given up: all that was taken may be taken again.
    pub fn release(&mut self) {
        self.start_block();
        for id in 0..self.senders.len() as u32 {
            if self.senders[id as usize]
                .as_ref()
                .is_some_and(|sender| sender.taken > 0)
            {
                self.update(id, |sender, _| sender.taken = 0);
            }
        }
    }

    /// A block was published: what it used leaves, and so does what its senders cannot pay any more.
    /// Transactions taken for a block after it stay taken.
    pub fn on_block(&mut self, diff: &StateDiff, now_ms: u64) {
        self.on_accounts(
            diff.accounts
                .iter()
                .map(|account| (account.address, account.after.into())),
            now_ms,
        );
    }

    /// As [`Self::on_block`], from any source of changed accounts.
    pub fn on_accounts(
        &mut self,
        changed: impl IntoIterator<Item = (Address, SenderState)>,
        now_ms: u64,
    ) {
        self.now_ms = self.now_ms.max(now_ms);
        self.version += 1;
        for (address, account) in changed {
            if let Some(&id) = self.ids.get(&address) {
                self.apply(id, account);
            }
        }
        self.trim_queued();
    }

    /// The chain went back: every sender is read again, and nothing counts as taken.
    pub fn on_rewind<E>(
        &mut self,
        mut account_of: impl FnMut(Address) -> Result<SenderState, E>,
    ) -> Result<(), E> {
        self.release();
        self.version += 1;
        for id in 0..self.senders.len() as u32 {
            if let Some(address) = self.senders[id as usize]
                .as_ref()
                .map(|sender| sender.address)
            {
                let account = account_of(address)?;
                self.apply(id, account);
            }
        }
        self.trim_queued();
        Ok(())
    }

    /// Another number after each block and rewind that the pool was told of.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Drops what waited for another nonce too long; returns how many.
    pub fn drop_expired(&mut self, now_ms: u64) -> usize {
        self.now_ms = self.now_ms.max(now_ms);
        let before = self.by_hash.len();
        for id in 0..self.senders.len() as u32 {
            let expired = self.senders[id as usize].as_ref().is_some_and(|sender| {
                sender.queued() > 0
                    && sender.queued_since_ms + self.limits.queued_lifetime_ms <= self.now_ms
            });
            if expired {
                let gone: Vec<Entry> = self.update(id, |sender, _| {
                    sender.entries.drain(sender.ready..).collect()
                });
                gone.iter().for_each(|entry| self.forget(entry));
            }
        }
        before - self.by_hash.len()
    }

    /// Ready transactions become queued when one before them leaves; the cap holds all the same.
    fn trim_queued(&mut self) {
        while self.by_hash.len() - self.ready_total > self.limits.queued_max {
            let Some(tail) = self.tails.first().filter(|tail| !tail.ready) else {
                break;
            };
            self.evict(tail.sender);
        }
    }

    fn apply(&mut self, id: u32, account: SenderState) {
        let mut gone = std::mem::take(&mut self.gone);
        self.update(id, |sender, now_ms| {
            let queued = sender.queued();
            sender.apply(account, &mut gone);
            if queued == 0 {
                sender.queued_since_ms = now_ms;
            }
        });
        for entry in gone.drain(..) {
            self.forget(&entry);
        }
        self.gone = gone;
    }

    /// The only place where a sender changes: keeps order, tails and counts equal to what the senders say.
    /// A sender left without transactions is dropped.
    fn update<R>(&mut self, id: u32, change: impl FnOnce(&mut Sender, u64) -> R) -> R {
        let now_ms = self.now_ms;
        let place = &mut self.senders[id as usize];
        let sender = place.as_mut().expect("ids and hashes name living senders");
        let (head, tail, ready) = (sender.head(id), sender.tail(id), sender.ready);
        let result = change(sender, now_ms);
        self.ready_total = self.ready_total - ready + sender.ready;
        let (new_head, new_tail) = (sender.head(id), sender.tail(id));
        if head != new_head {
            if let Some(head) = head {
                self.order.remove(&head);
            }
            if let Some(head) = new_head {
                self.order.insert(&head);
            }
        }
        if tail != new_tail {
            if let Some(tail) = tail {
                self.tails.remove(&tail);
            }
            self.tails.extend(new_tail);
        }
        if sender.entries.is_empty() {
            self.ids.remove(&sender.address);
            *place = None;
            self.free.push(id);
        }
        result
    }

    /// Clears an entry that left its sender from the other indices.
    fn forget(&mut self, entry: &Entry) {
        self.by_hash.remove(&entry.tx.hash);
        self.bytes_total -= entry.tx.raw.len();
        for authority in &entry.authorities {
            if let Some(count) = self.delegations.get_mut(authority) {
                *count -= 1;
                if *count == 0 {
                    self.delegations.remove(authority);
                }
            }
        }
    }

    fn sender(&self, id: u32) -> &Sender {
        self.senders[id as usize]
            .as_ref()
            .expect("ids and hashes name living senders")
    }
}

/// Questions.
impl Pool {
    /// A waiting transaction.
    pub fn get(&self, hash: &B256) -> Option<&Arc<CheckedTx>> {
        let (id, nonce) = *self.by_hash.get(hash)?;
        let sender = self.sender(id);
        Some(&sender.entries[sender.position(nonce).ok()?].tx)
    }

    /// True if a transaction waits here.
    pub fn contains(&self, hash: &B256) -> bool {
        self.by_hash.contains_key(hash)
    }

    /// The nonce after the sender's ready transactions; `None` if it has no transaction here.
    pub fn pending_nonce(&self, address: &Address) -> Option<u64> {
        self.ids
            .get(address)
            .map(|&id| self.sender(id).pending_nonce())
    }

    /// How many could run, and how many wait for another nonce.
    pub fn counts(&self) -> Counts {
        Counts {
            pending: self.ready_total,
            queued: self.by_hash.len() - self.ready_total,
            bytes: self.bytes_total,
        }
    }

    /// True if a transaction could be taken at this base fee.
    pub fn has_ready(&mut self, base_fee: u64) -> bool {
        self.set_base_fee(base_fee);
        self.order.best().is_some()
    }

    /// Everything, by sender and nonce.
    pub fn content(&self) -> Content {
        let mut senders: Vec<&Sender> = self.senders.iter().flatten().collect();
        senders.sort_unstable_by_key(|sender| sender.address);
        let mut content = Content::default();
        for sender in senders {
            content.push(sender);
        }
        content
    }

    /// Everything of one sender, by nonce.
    pub fn content_from(&self, address: &Address) -> Content {
        let mut content = Content::default();
        if let Some(&id) = self.ids.get(address) {
            content.push(self.sender(id));
        }
        content
    }

    /// The limits.
    pub const fn limits(&self) -> &PoolLimits {
        &self.limits
    }
}

/// How full the pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Transactions that could run now.
    pub pending: usize,
    /// Transactions that wait for another nonce.
    pub queued: usize,
    /// Encoded bytes of both.
    pub bytes: usize,
}

/// What `txpool_content` shows: by sender, each list by nonce, no list empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// Could run now.
    pub pending: Vec<(Address, Vec<Arc<CheckedTx>>)>,
    /// Wait for another nonce.
    pub queued: Vec<(Address, Vec<Arc<CheckedTx>>)>,
}

impl Content {
    fn push(&mut self, sender: &Sender) {
        let list = |range: std::ops::Range<usize>| {
            sender
                .entries
                .range(range)
                .map(|entry| entry.tx.clone())
                .collect()
        };
        if sender.ready > 0 {
            self.pending.push((sender.address, list(0..sender.ready)));
        }
        if sender.queued() > 0 {
            self.queued
                .push((sender.address, list(sender.ready..sender.entries.len())));
        }
    }
}
