//! The pool behind its lock, as RPC and builder use it.
//!
//! Decoding, stateless checks, signature recovery and the account read happen before the lock is taken, in this
//! order, so that a bad transaction is refused by the cheapest step that can tell. Listeners and the journal come
//! after it is released.

use crate::{
    Added, Candidate, Journal, Pool, PoolError, PoolLimits, PoolRules, SenderState, undecodable,
};
use alloy_primitives::{Address, Bytes, keccak256};
use parking_lot::{Mutex, MutexGuard, RwLock};
use primitives::{Account, CheckedTx, Transaction};
use std::{io, sync::Arc};
use stf::{Rules, StateError, StateReader};

/// What admission needs to know of the block that comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeadEnv {
    /// Time of the head, seconds: decides L1's fork.
    pub timestamp: u64,
    /// Price of a byte of L1 data, gas ([`stf::da_gas_per_byte`]); zero on an L1.
    pub da_gas_per_byte: u64,
}

/// Where admission reads accounts. A chain that grows meanwhile gives each answer at its newest state; a state that
/// stands still serves where there are no blocks.
pub trait HeadAccounts {
    /// The account, or `None` if the state does not hold it.
    fn account(&self, address: Address) -> Result<Option<Account>, StateError>;
}

impl<S: StateReader + ?Sized> HeadAccounts for S {
    fn account(&self, address: Address) -> Result<Option<Account>, StateError> {
        StateReader::account(self, address)
    }
}

/// Is told which transactions could run from now on, in the order of admission.
pub type PendingListener = Box<dyn Fn(&[Arc<CheckedTx>]) + Send + Sync>;

/// One pool for many threads.
pub struct SharedPool {
    rules: Arc<Rules>,
    limits: PoolLimits,
    pool: Mutex<Pool>,
    journal: Mutex<JournalState>,
    listeners: RwLock<Vec<PendingListener>>,
}

#[derive(Default)]
struct JournalState {
    journal: Option<Box<dyn Journal>>,
    /// The first failure since the last [`SharedPool::flush_journal`].
    failure: Option<io::Error>,
}

impl SharedPool {
    /// An empty pool under the chain's rules.
    pub fn new(rules: Arc<Rules>, limits: PoolLimits) -> Self {
        Self {
            rules,
            pool: Mutex::new(Pool::new(limits.clone())),
            limits,
            journal: Mutex::default(),
            listeners: RwLock::default(),
        }
    }

    /// Calls `listener` for each transaction that becomes ready, without holding the lock.
    pub fn subscribe(&self, listener: PendingListener) {
        self.listeners.write().push(listener);
    }

    /// Writes admitted transactions to `journal` from now on.
    pub fn attach_journal(&self, journal: Box<dyn Journal>) {
        self.journal.lock().journal = Some(journal);
    }

    /// The pool itself. Keep it short: every submission waits.
    pub fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock()
    }

    /// Admits the bytes of a transaction.
    pub fn submit(
        &self,
        raw: Bytes,
        accounts: &(impl HeadAccounts + ?Sized),
        env: &HeadEnv,
        now_ms: u64,
    ) -> Result<Arc<CheckedTx>, PoolError> {
        if raw.len() > self.limits.tx_bytes_max {
            return Err(PoolError::Oversized {
                size: raw.len(),
                limit: self.limits.tx_bytes_max,
            });
        }
        let tx =
            Transaction::decode(&raw).map_err(|_| PoolError::Decode(undecodable::text(&raw)))?;
        self.check(&tx, raw.len(), env)?;
        let hash = keccak256(&raw);
        if self.pool.lock().contains(&hash) {
            return Err(PoolError::AlreadyKnown);
        }
        let sender = tx
            .recover()
            .map_err(|_| PoolError::Decode(undecodable::text(&raw)))?;
        let tx = Arc::new(CheckedTx {
            tx,
            raw,
            hash,
            sender,
        });
        self.admit(tx.clone(), accounts, now_ms)?;
        Ok(tx)
    }

    /// Admits a transaction that is decoded already.
    pub fn submit_checked(
        &self,
        tx: Arc<CheckedTx>,
        accounts: &(impl HeadAccounts + ?Sized),
        env: &HeadEnv,
        now_ms: u64,
    ) -> Result<Added, PoolError> {
        self.check(&tx.tx, tx.raw.len(), env)?;
        self.admit(tx, accounts, now_ms)
    }

    fn check(&self, tx: &Transaction, size: usize, env: &HeadEnv) -> Result<(), PoolError> {
        let intrinsic = stf::intrinsic_gas(&self.rules, env.da_gas_per_byte, tx);
        PoolRules::of(&self.rules, env.timestamp).check(&self.limits, tx, size, intrinsic)
    }

    fn admit(
        &self,
        tx: Arc<CheckedTx>,
        accounts: &(impl HeadAccounts + ?Sized),
        now_ms: u64,
    ) -> Result<Added, PoolError> {
        let candidate = Candidate::from(tx.clone());
        let mut version = self.pool.lock().version();
        let added = loop {
            let account = account_of(accounts, &tx)?;
            let mut pool = self.pool.lock();
            // A block between the read and now may have used the nonce before this one. The pool does not know senders
            // of whom nothing waits, so it would believe the old nonce, and the transaction would wait for ever.
            if pool.version() == version {
                break pool.add(candidate, account, now_ms)?;
            }
            version = pool.version();
        };
        if added.ready {
            let listeners = self.listeners.read();
            for listener in &*listeners {
                listener(std::slice::from_ref(&tx));
                if !added.promoted.is_empty() {
                    listener(&added.promoted);
                }
            }
        }
        self.write_down(&tx);
        Ok(added)
    }

    fn write_down(&self, tx: &CheckedTx) {
        let mut state = self.journal.lock();
        let JournalState {
            journal: Some(journal),
            failure,
        } = &mut *state
        else {
            return;
        };
        let mut result = journal.append(&tx.raw);
        if result.is_ok() && journal.is_full() {
            // Taken under the journal's lock: what is admitted meanwhile appends itself afterwards.
            let content = self.pool.lock().content();
            let mut live = content
                .pending
                .iter()
                .chain(&content.queued)
                .flat_map(|(_, list)| list.iter().map(|tx| tx.raw.as_ref()));
            result = journal.rewrite(&mut live);
        }
        if let Err(error) = result {
            failure.get_or_insert(error);
        }
    }

    /// Hands the journal's buffer to the operating system, and returns the first failure since the last call.
    pub fn flush_journal(&self) -> io::Result<()> {
        let mut state = self.journal.lock();
        if let Some(failure) = state.failure.take() {
            return Err(failure);
        }
        state
            .journal
            .as_mut()
            .map_or(Ok(()), |journal| journal.flush())
    }

    /// Submits what a journal held. Returns how many were admitted; what was mined since is refused.
    pub fn replay(
        &self,
        entries: impl IntoIterator<Item = Vec<u8>>,
        accounts: &(impl HeadAccounts + ?Sized),
        env: &HeadEnv,
        now_ms: u64,
    ) -> usize {
        entries
            .into_iter()
            .filter(|raw| {
                self.submit(raw.clone().into(), accounts, env, now_ms)
                    .is_ok()
            })
            .count()
    }

    /// The chain went back to `state`: `removed` are the transactions of the blocks that are gone, in their order.
    /// What is still valid waits again. Fails only if the state cannot be read; call again then.
    pub fn rewind<'a>(
        &self,
        removed: impl IntoIterator<Item = &'a Arc<CheckedTx>>,
        state: &dyn StateReader,
        now_ms: u64,
    ) -> Result<(), PoolError> {
        let candidates: Vec<Candidate> = removed
            .into_iter()
            .filter(|tx| !tx.tx.is_deposit())
            .cloned()
            .map(Candidate::from)
            .collect();
        let mut pool = self.pool.lock();
        pool.on_rewind(|address| {
            state
                .account(address)
                .map(SenderState::from)
                .map_err(state_error)
        })?;
        for candidate in candidates {
            let account = account_of(state, &candidate.tx)?;
            // Some cannot be valid any more: their deposit, or the money they spent, went with the block.
            let _ = pool.add_returned(candidate, account, now_ms);
        }
        Ok(())
    }
}

fn account_of(
    accounts: &(impl HeadAccounts + ?Sized),
    tx: &CheckedTx,
) -> Result<SenderState, PoolError> {
    accounts
        .account(tx.sender)
        .map(SenderState::from)
        .map_err(state_error)
}

fn state_error(error: stf::StateError) -> PoolError {
    PoolError::State(error.0)
}
