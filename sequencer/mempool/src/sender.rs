//! What waits of one sender: its transactions by nonce, and how far they could run.
//!
//! ```text
//!  entries  [ taken | ready | queued ]      nonces ascend
//!            in the   could   wait for
//!            block    run     a nonce
//!            built
//! ```
//! Always: the first `ready` entries carry the nonces `state.nonce, state.nonce + 1, …`, the next one does not;
//! `taken <= ready`; `spent` is what the first `ready` may cost together.

use crate::{PoolError, order::Head, rules::Candidate};
use alloy_primitives::{Address, U256};
use primitives::{Account, CheckedTx, diff::KECCAK_EMPTY};
use std::{collections::VecDeque, sync::Arc};

/// The sender's account at the chain's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SenderState {
    /// The first nonce that may be used.
    pub nonce: u64,
    /// Wei.
    pub balance: U256,
    /// Has code: it delegated to a contract (EIP-7702), or is one.
    pub has_code: bool,
}

impl From<Option<Account>> for SenderState {
    fn from(account: Option<Account>) -> Self {
        let account = account.unwrap_or_default();
        Self {
            nonce: account.nonce,
            balance: account.balance,
            has_code: account.code_hash != KECCAK_EMPTY,
        }
    }
}

/// One waiting transaction.
#[derive(Debug)]
pub(crate) struct Entry {
    pub tx: Arc<CheckedTx>,
    pub nonce: u64,
    pub max_fee: u128,
    pub tip: u128,
    pub cost: U256,
    pub authorities: Box<[Address]>,
    pub arrival: u64,
}

impl Entry {
    pub fn new(candidate: Candidate, arrival: u64) -> Self {
        let Candidate {
            tx,
            nonce,
            max_fee,
            tip,
            cost,
            authorities,
        } = candidate;
        Self {
            tx,
            nonce,
            max_fee,
            tip,
            cost,
            authorities,
            arrival,
        }
    }
}

/// Where the last transaction of a sender stands among those to evict: least first, so queued before ready,
/// then the cheapest, then the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tail {
    pub ready: bool,
    pub tip: u128,
    pub max_fee: u128,
    pub late: std::cmp::Reverse<u64>,
    pub sender: u32,
}

#[derive(Debug)]
pub(crate) struct Sender {
    pub address: Address,
    pub state: SenderState,
    pub entries: VecDeque<Entry>,
    pub ready: usize,
    pub taken: usize,
    /// Set aside until the next block starts.
    pub deferred: bool,
    pub spent: U256,
    /// No entry costs more than this.
    cost_bound: U256,
    /// When the newest queued entry came, or the last one became queued.
    pub queued_since_ms: u64,
}

impl Sender {
    pub fn new(address: Address, state: SenderState) -> Self {
        Self {
            address,
            state,
            entries: VecDeque::new(),
            ready: 0,
            taken: 0,
            deferred: false,
            spent: U256::ZERO,
            cost_bound: U256::ZERO,
            queued_since_ms: 0,
        }
    }

    pub fn queued(&self) -> usize {
        self.entries.len() - self.ready
    }

    /// The first nonce without a ready transaction.
    pub const fn pending_nonce(&self) -> u64 {
        self.state.nonce.saturating_add(self.ready as u64)
    }

    /// The next transaction to take.
    pub fn head(&self, sender: u32) -> Option<Head> {
        let entry = self
            .entries
            .get(self.taken)
            .filter(|_| self.taken < self.ready && !self.deferred)?;
        Some(Head {
            sender,
            max_fee: entry.max_fee,
            tip: entry.tip,
            arrival: entry.arrival,
        })
    }

    /// The transaction to evict first; none if it is in the block being built.
    pub fn tail(&self, sender: u32) -> Option<Tail> {
        let entry = self
            .entries
            .back()
            .filter(|_| self.entries.len() > self.taken)?;
        Some(Tail {
            ready: self.queued() == 0,
            tip: entry.tip,
            max_fee: entry.max_fee,
            late: std::cmp::Reverse(entry.arrival),
            sender,
        })
    }

    /// Where `nonce` is, or where it would go.
    pub fn position(&self, nonce: u64) -> Result<usize, usize> {
        match self.entries.back() {
            Some(last) if last.nonce >= nonce => self
                .entries
                .binary_search_by_key(&nonce, |entry| entry.nonce),
            _ => Err(self.entries.len()),
        }
    }

    /// True if a transaction with this nonce is, or at once would be, ready.
    pub fn would_be_ready(&self, nonce: u64) -> bool {
        nonce >= self.state.nonce && nonce <= self.pending_nonce()
    }

    /// geth's three checks of the balance, against all ready transactions of the sender.
    pub fn check_funds(
        known: Option<&Self>,
        balance: U256,
        candidate: &Candidate,
    ) -> Result<(), PoolError> {
        let cost = candidate.cost;
        if balance < cost {
            return Err(PoolError::Funds { balance, cost });
        }
        let Some(sender) = known else { return Ok(()) };
        let queued = sender.spent;
        match sender.position(candidate.nonce) {
            Ok(index) if index < sender.ready => {
                let old = sender.entries[index].cost;
                let covered = queued.saturating_sub(old).saturating_add(cost) <= balance;
                let bump = cost.saturating_sub(old);
                if covered {
                    Ok(())
                } else {
                    Err(PoolError::ReplacementFunds {
                        balance,
                        queued,
                        bump,
                    })
                }
            }
            _ if queued.saturating_add(cost) <= balance => Ok(()),
            _ => Err(PoolError::QueuedFunds {
                balance,
                queued,
                cost,
            }),
        }
    }

    /// Puts `entry` where its nonce belongs; returns the one that it replaces.
    pub fn insert(&mut self, entry: Entry) -> Option<Entry> {
        self.cost_bound = self.cost_bound.max(entry.cost);
        match self.position(entry.nonce) {
            Ok(index) => {
                let cost = entry.cost;
                let old = std::mem::replace(&mut self.entries[index], entry);
                if index < self.ready {
                    self.spent = self.spent.saturating_sub(old.cost).saturating_add(cost);
                }
                Some(old)
            }
            Err(index) => {
                self.entries.insert(index, entry);
                self.recount();
                None
            }
        }
    }

    /// Removes one entry. What follows it is no longer ready.
    pub fn remove(&mut self, index: usize) -> Option<Entry> {
        self.set_ready(self.ready.min(index));
        self.taken = self.taken.min(index);
        let entry = self.entries.remove(index);
        self.recount();
        entry
    }

    /// The account changed: used nonces leave, and so does what it cannot pay any more.
    pub fn apply(&mut self, state: SenderState, gone: &mut Vec<Entry>) {
        self.state = state;
        while self
            .entries
            .front()
            .is_some_and(|entry| entry.nonce < state.nonce)
        {
            self.set_ready(self.ready.max(1)); // a used nonce counts as ready while it leaves
            let Some(entry) = self.entries.pop_front() else {
                break;
            };
            self.spent = self.spent.saturating_sub(entry.cost);
            self.ready -= 1;
            self.taken = self.taken.saturating_sub(1);
            gone.push(entry);
        }
        if self.cost_bound > state.balance {
            // What was taken is in a block that is paid for already.
            let mut index = self.taken;
            while index < self.entries.len() {
                if self.entries[index].cost > state.balance {
                    gone.extend(self.remove(index));
                } else {
                    index += 1;
                }
            }
            self.cost_bound = self
                .entries
                .iter()
                .map(|entry| entry.cost)
                .max()
                .unwrap_or_default();
        }
        self.recount();
    }

    /// Finds how many entries, from the first, carry consecutive nonces from the account's on.
    pub fn recount(&mut self) {
        let follows =
            |index: usize| self.entries[index].nonce == self.state.nonce.wrapping_add(index as u64);
        // Nonces ascend strictly: where one does not follow, no later one does.
        let ready = match self.entries.len().checked_sub(1) {
            Some(last) if follows(last) => last + 1,
            Some(last) => {
                let (mut low, mut high) = (0, last);
                while low < high {
                    let middle = low + (high - low) / 2;
                    if follows(middle) {
                        low = middle + 1
                    } else {
                        high = middle
                    }
                }
                low
            }
            None => 0,
        };
        self.set_ready(ready);
        self.taken = self.taken.min(ready);
    }

    fn set_ready(&mut self, ready: usize) {
        let costs = |range: std::ops::Range<usize>| {
            self.entries
                .range(range)
                .fold(U256::ZERO, |sum, entry| sum.saturating_add(entry.cost))
        };
        self.spent = if ready > self.ready {
            self.spent.saturating_add(costs(self.ready..ready))
        } else {
            self.spent.saturating_sub(costs(ready..self.ready))
        };
        self.ready = ready;
    }
}
